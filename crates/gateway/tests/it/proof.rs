//! Tokens that are bound to a key (RFC 9449): only with a proof of this very handshake, and only once.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tidegate_oauth::jwk::{Algorithm, SigningKey, SystemRandom, key_set};

use crate::{
    backend::Backend,
    client::{Answer, Ask},
    rig::Rig,
    world::{NOW, PATH, World},
};

/// Who holds the key.
struct Holder {
    key: SigningKey,
    token: String,
}

impl Holder {
    fn of(world: &World) -> Self {
        let key = SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap();
        let token = world.token_with(&json!({}), &json!({"cnf": {"jkt": key.kid()}}));
        Self { key, token }
    }

    fn header(&self) -> Value {
        let set: Value = serde_json::from_str(&key_set([&self.key])).unwrap();
        json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": set["keys"][0]})
    }

    fn claims(&self, jti: &str) -> Value {
        let ath = URL_SAFE_NO_PAD.encode(digest(&SHA256, self.token.as_bytes()));
        let htu = format!("http://gateway.test:9099{PATH}");
        json!({"jti": jti, "htm": "GET", "htu": htu, "iat": NOW.seconds(), "ath": ath})
    }

    fn proof(&self, header: &Value, claims: &Value) -> String {
        // What is signed here is a proof by its header alone.
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        crate::world::signed(&self.key, &format!("{}.{}", part(header), part(claims)))
    }

    fn good(&self, jti: &str) -> String {
        self.proof(&self.header(), &self.claims(jti))
    }

    fn ask(&self, proof: &str) -> Ask {
        Ask::to(PATH).with("Authorization", &format!("DPoP {}", self.token)).with("DPoP", proof)
    }
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    value[name] = new;
    value
}

#[track_caller]
fn refused(answer: &Answer, error: &str, why: &str) {
    assert_eq!((answer.status, &*answer.problem()), (401, "proof-invalid"), "{why}");
    let challenge = answer.head.one("www-authenticate");
    assert!(challenge.starts_with("DPoP ") && challenge.contains(error), "{why}: {challenge}");
    assert!(challenge.contains("algs=\"ES256 EdDSA Ed25519 RS256\""), "{why}: {challenge}");
}

#[tokio::test]
async fn a_bound_token_opens_a_session_with_a_proof_and_the_proof_stays_here() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let holder = Holder::of(&world);
    for scheme in ["DPoP", "dpop", "DPOP"] {
        let proof = holder.good(scheme);
        let ask =
            Ask::to(PATH).with("Authorization", &format!("{scheme} {}", holder.token)).with("dPoP", &proof);
        let mut client = rig.open(&ask).await;
        client.echo("hello").await;
        let head = backend.seen.borrow().heads.last().unwrap().clone();
        assert!(head.all("dpop").is_empty() && head.all("authorization").is_empty(), "{}", head.text);
        for part in proof.split('.').chain(holder.token.split('.')) {
            assert!(!head.text.contains(part), "{}", head.text);
        }
    }
    // The scheme of WebSocket, and a proxy in front that ended TLS.
    for (jti, scheme) in [("ws", "ws"), ("wss", "wss"), ("https", "https")] {
        let htu = json!(format!("{scheme}://GATEWAY.test:9099{PATH}?x=1"));
        let proof = holder.proof(&holder.header(), &with(holder.claims(jti), "htu", htu));
        rig.open(&holder.ask(&proof)).await.leave().await;
    }
}

#[tokio::test]
async fn a_bound_token_without_its_proof_is_worth_nothing() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let (holder, thief) = (Holder::of(&world), Holder::of(&world));
    let token = &holder.token;
    let stolen = Holder { key: thief.key.clone(), token: token.clone() };
    let dpop = || Ask::to(PATH).with("Authorization", &format!("DPoP {token}"));
    let unbound = format!("DPoP {}", world.token());
    for (why, ask, error) in [
        ("as Bearer", Ask::to(PATH).bearer(token), "invalid_token"),
        (
            "as Bearer beside a proof",
            Ask::to(PATH).bearer(token).with("DPoP", &holder.good("a")),
            "invalid_token",
        ),
        ("in the query", Ask::to(&format!("{PATH}?access_token={token}")), "invalid_token"),
        (
            "as subprotocol",
            Ask::to(PATH).with("Sec-WebSocket-Protocol", &format!("bearer, {token}")),
            "invalid_token",
        ),
        ("with the key of another", stolen.ask(&stolen.good("b")), "invalid_token"),
        (
            "a token that is not bound",
            Ask::to(PATH).with("Authorization", &unbound).with("DPoP", &holder.good("c")),
            "invalid_token",
        ),
        ("no proof", dpop(), "invalid_dpop_proof"),
        (
            "two proofs",
            dpop().with("DPoP", &holder.good("d")).with("DPoP", &holder.good("e")),
            "invalid_dpop_proof",
        ),
        (
            "two proofs in one",
            dpop().with("DPoP", &format!("{}, {}", holder.good("f"), holder.good("g"))),
            "invalid_dpop_proof",
        ),
        ("an empty proof", dpop().with("DPoP", ""), "invalid_dpop_proof"),
        ("the token as its proof", dpop().with("DPoP", token), "invalid_dpop_proof"),
        ("noise", dpop().with("DPoP", "a.b.c"), "invalid_dpop_proof"),
        ("a proof without bound", dpop().with("DPoP", &"A".repeat(5_000)), "invalid_dpop_proof"),
    ] {
        refused(&rig.ask(&ask).await, error, why);
    }
    assert!(backend.seen.borrow().heads.is_empty(), "nothing came through");
}

#[tokio::test]
async fn a_proof_of_another_request_is_refused() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let holder = Holder::of(&world);
    let (header, claims) = (holder.header(), || holder.claims("1"));
    let now = NOW.seconds();
    for (why, header, claims) in [
        ("POST", header.clone(), with(claims(), "htm", json!("POST"))),
        (
            "another host",
            header.clone(),
            with(claims(), "htu", json!(format!("http://other.test:9099{PATH}"))),
        ),
        ("another port", header.clone(), with(claims(), "htu", json!(format!("http://gateway.test{PATH}")))),
        ("another API", header.clone(), with(claims(), "htu", json!("http://gateway.test:9099/other/1.0"))),
        ("no address", header.clone(), with(claims(), "htu", json!(null))),
        ("another token", header.clone(), with(claims(), "ath", json!("x"))),
        ("no token", header.clone(), with(claims(), "ath", json!(null))),
        ("old", header.clone(), with(claims(), "iat", json!(now - 61))),
        ("of the future", header.clone(), with(claims(), "iat", json!(now + 61))),
        ("no time", header.clone(), with(claims(), "iat", json!(null))),
        ("no name", header.clone(), with(claims(), "jti", json!(null))),
        ("another type", with(header.clone(), "typ", json!("at+jwt")), claims()),
        ("alg none", with(header.clone(), "alg", json!("none")), claims()),
        ("alg HS256", with(header.clone(), "alg", json!("HS256")), claims()),
        ("alg of another key", with(header.clone(), "alg", json!("RS256")), claims()),
        ("no key", with(header.clone(), "jwk", json!(null)), claims()),
        ("private key", with(header.clone(), "jwk", with(header["jwk"].clone(), "d", json!("AA"))), claims()),
        ("critical extension", with(header.clone(), "crit", json!(["x"])), claims()),
    ] {
        let proof = holder.proof(&header, &claims);
        refused(&rig.ask(&holder.ask(&proof)).await, "invalid_dpop_proof", why);
    }
    let good = holder.good("1");
    let forged = format!("{}{}", &good[..good.len() - 4], "AAAA");
    refused(&rig.ask(&holder.ask(&forged)).await, "invalid_dpop_proof", "a forged signature");
    rig.open(&holder.ask(&good)).await.leave().await;
}

#[tokio::test]
async fn a_proof_is_taken_once() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let holder = Holder::of(&world);
    let proof = holder.good("1");
    rig.open(&holder.ask(&proof)).await.leave().await;
    refused(&rig.ask(&holder.ask(&proof)).await, "invalid_dpop_proof", "again");
    let resigned = holder.good("1");
    refused(
        &rig.ask(&holder.ask(&resigned)).await,
        "invalid_dpop_proof",
        "the same name with another signature",
    );
    rig.clock.forward(59_000);
    refused(&rig.ask(&holder.ask(&proof)).await, "invalid_dpop_proof", "at its last moment");
    rig.open(&holder.ask(&holder.good("2"))).await.leave().await;
    // Another key may use the same name.
    let other = Holder::of(&world);
    rig.open(&other.ask(&other.good("1"))).await.leave().await;
}

/// Else whoever has any token could fill the memory of proofs, and those who may connect could not.
#[tokio::test]
async fn a_proof_of_who_may_not_connect_is_not_remembered() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut holder = Holder::of(&world);
    let claims = json!({"cnf": {"jkt": holder.key.kid()}, "client_id": "stranger", "sub": "stranger"});
    holder.token = world.token_with(&json!({}), &claims);
    let proof = holder.good("1");
    let first = rig.ask(&holder.ask(&proof)).await.problem();
    assert_ne!(first, "proof-invalid");
    assert_eq!(rig.ask(&holder.ask(&proof)).await.problem(), first, "it was not taken");
}

#[tokio::test]
async fn a_binding_that_is_not_understood_makes_the_token_unusable() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    for cnf in [json!({"x5t#S256": "x"}), json!({"kid": "x"}), json!({}), json!("x"), json!({"jkt": 1})] {
        let token = world.token_with(&json!({}), &json!({"cnf": cnf.clone()}));
        let answer = rig.ask(&Ask::to(PATH).bearer(&token)).await;
        assert_eq!((answer.status, &*answer.problem()), (401, "credential-invalid"), "{cnf}");
    }
}
