//! Forged tokens at a real gateway, for each algorithm that our keys have: the key decides what is believed, never the
//! token.

use std::net::TcpListener;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{EncodingKey, crypto};
use serde_json::{Value, json};
use tidegate_oauth::jwk::{Algorithm, SigningKey, SystemRandom, key_set};

use crate::{
    backend::Backend,
    client::Ask,
    rig::Rig,
    world::{AUDIENCE, ISSUER, NOW, PATH, PRODUCTION, World, issuer},
};

fn new_key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &SystemRandom::new()).unwrap()
}

fn public(key: &SigningKey) -> Value {
    let set: Value = serde_json::from_str(&key_set([key])).unwrap();
    set["keys"][0].clone()
}

fn header(key: &SigningKey) -> Value {
    json!({"typ": "at+jwt", "alg": key.algorithm().name(), "kid": key.kid()})
}

fn claims() -> Value {
    let now = NOW.seconds();
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": PRODUCTION, "client_id": PRODUCTION, "iat": now,
           "exp": now + 3_600, "jti": "token-1"})
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    value[name] = new;
    value
}

fn message(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// Names of tokens that must not be believed, with the tokens. `place` is where an attacker would serve keys.
fn forged(key: &SigningKey, place: &str) -> Vec<(String, String)> {
    let (good, stranger) = (header(key), new_key(Algorithm::Es256));
    let ours = |header: &Value, claims: &Value| key.signed(header, claims).unwrap();
    let mut tokens = Vec::new();
    let mut add = |name: &str, token: String| tokens.push((name.to_owned(), token));
    let unsigned = |alg: &str| format!("{}.", message(&with(good.clone(), "alg", json!(alg)), &claims()));
    // T1: no signature, under every spelling.
    for alg in ["none", "None", "NONE", "nOnE", "", key.algorithm().name()] {
        add(&format!("unsigned as “{alg}”"), unsigned(alg));
    }
    let mut nameless = good.clone();
    nameless.as_object_mut().unwrap().remove("alg");
    add("no algorithm", ours(&nameless, &claims()));
    // T2: another algorithm than the key's.
    for alg in ["ES256", "EdDSA", "RS256", "PS256", "RS512", "ES384", "HS256"] {
        if alg != key.algorithm().name() {
            add(
                &format!("signed well and said to be {alg}"),
                ours(&with(good.clone(), "alg", json!(alg)), &claims()),
            );
        }
    }
    let (set, jwk) = (key_set([key]), public(key).to_string());
    for (what, secret) in [("key set", &*set), ("key", &*jwk), ("kid", key.kid()), ("nothing", "")] {
        for alg in ["HS256", key.algorithm().name()] {
            let message = message(&with(good.clone(), "alg", json!(alg)), &claims());
            let secret = EncodingKey::from_secret(secret.as_bytes());
            let mac = crypto::sign(message.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).unwrap();
            add(&format!("HMAC with the published {what} as {alg}"), format!("{message}.{mac}"));
        }
    }
    // T3: keys that the token brings, or says where to find.
    for (name, value) in [
        ("jwk", public(&stranger)),
        ("jku", json!(format!("{place}/jwks"))),
        ("x5u", json!(format!("{place}/cert"))),
        ("x5c", json!(["MIIB"])),
    ] {
        for (whose, kid) in [("our", key.kid()), ("its own", stranger.kid())] {
            let header = json!({"typ": "at+jwt", "alg": "ES256", "kid": kid, name: value});
            add(
                &format!("a stranger's {name} with {whose} kid"),
                stranger.signed(&header, &claims()).unwrap(),
            );
        }
    }
    // T4: names of keys are names.
    for kid in
        ["../../etc/passwd", "' OR 1=1 --", "\0", "https://issuer.test/key", "", &key.kid().to_uppercase()]
    {
        add(&format!("kid {kid:?}"), ours(&with(good.clone(), "kid", json!(kid)), &claims()));
    }
    add("kid that is a list", ours(&with(good.clone(), "kid", json!([key.kid()])), &claims()));
    add("kid of two kibibytes", ours(&with(good.clone(), "kid", json!("k".repeat(2_048))), &claims()));
    // T5: claims of another type.
    let now = NOW.seconds();
    for (name, value) in [
        ("exp", json!((now + 60).to_string())),
        ("exp", json!(1.9e9)),
        ("exp", json!(null)),
        ("exp", json!([now + 60])),
        ("exp", json!(u64::MAX)),
        ("nbf", json!("soon")),
        ("nbf", json!(null)),
        ("iat", json!(1.5)),
        ("aud", json!({"a": AUDIENCE})),
        ("aud", json!([])),
        ("iss", json!([ISSUER])),
        ("client_id", json!([PRODUCTION])),
        ("sub", json!(1)),
        ("jti", json!(null)),
        ("scope", json!(["a"])),
    ] {
        let shown = value.to_string();
        add(&format!("{name} {shown}"), ours(&good, &with(claims(), name, value)));
    }
    // T6: what is done to a good signature.
    let token = ours(&good, &claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let signed = |bytes: &[u8]| format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes));
    add("a signature of zeros", signed(&vec![0; raw.len()]));
    add("a signature cut short", signed(&raw[..raw.len() - 1]));
    add("a signature and a byte", signed(&[&raw[..], &[0]].concat()));
    add("a signature behind a zero", signed(&[&[0], &raw[..]].concat()));
    add("a padded signature", format!("{token}=="));
    add(
        "the signature of another token",
        format!("{}.{signature}", self::message(&good, &with(claims(), "jti", json!("2")))),
    );
    // T7: tokens of another kind.
    for typ in ["JWT", "id_token", "backend+jwt", "dpop+jwt", "rt+jwt", ""] {
        add(&format!("typ “{typ}”"), ours(&with(good.clone(), "typ", json!(typ)), &claims()));
    }
    tokens
}

#[tokio::test]
async fn what_a_key_did_not_sign_is_not_believed() {
    let attacker = TcpListener::bind("127.0.0.1:0").unwrap();
    attacker.set_nonblocking(true).unwrap();
    let place = format!("http://{}", attacker.local_addr().unwrap());
    for algorithm in Algorithm::ALL {
        let backend = Backend::echo().await;
        let mut world = World::new(&backend.url());
        world.key = new_key(algorithm);
        world.parts.issuer = issuer(&world.key);
        let rig = Rig::start(&mut world).await;
        let forged = forged(&world.key, &place);
        assert!(forged.len() >= 60, "{} cases", forged.len());
        for (name, token) in &forged {
            let answer = rig.ask(&Ask::to(PATH).bearer(token)).await;
            assert_eq!(
                (answer.status, &*answer.problem()),
                (401, "credential-invalid"),
                "{algorithm:?}: {name}"
            );
            let challenge = answer.head.one("www-authenticate");
            assert!(challenge.contains("error=\"invalid_token\""), "{algorithm:?}: {name}: {challenge}");
        }
        assert!(backend.seen.borrow().heads.is_empty(), "nothing came through");
        let good = world.key.signed(&header(&world.key), &claims()).unwrap();
        rig.open(&Ask::to(PATH).bearer(&good)).await.leave().await;
    }
    let asked = attacker.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(asked, Err(std::io::ErrorKind::WouldBlock), "nobody asked the attacker for keys");
}
