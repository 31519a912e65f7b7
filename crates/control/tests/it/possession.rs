//! What is bound to a key or to a certificate at the token endpoint (RFC 9449, section 5; RFC 8705, section 3), and what that
//! gets.

use std::sync::atomic::Ordering;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::{Value, json};
use tidegate_control::Shown;
use tidegate_model::role::Role;
use tidegate_oauth::{
    jwk::{Algorithm, SigningKey, SystemRandom, key_set},
    token::{AccessTokenVerifier, Confirmation},
};

use crate::{
    oauth::client::{self as oauth, REDIRECT, form},
    support::{Answer, House, ORIGIN, Person},
};

const NOW: i64 = 1_800_000_000;

struct Stage {
    house: House,
    form: String,
    holder: SigningKey,
}

impl Stage {
    async fn new() -> Self {
        let house = House::new().await;
        let developer = house.person("dev", &[Role::Subscriber]).await;
        let made =
            house.post(&developer, "/api/v1/applications", json!({"name": "One"})).await.is(201).json();
        let keys = format!("/api/v1/applications/{}/keys", made["id"].as_str().unwrap());
        let key = house.post(&developer, &keys, json!({"type": "production"})).await.is(201).json();
        let (id, secret) = (key["client_id"].as_str().unwrap(), key["client_secret"].as_str().unwrap());
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        Self { house, form, holder: holder(Algorithm::Es256) }
    }

    async fn ask(&self, proofs: &[&str]) -> Answer {
        ask(&self.house, &self.form, proofs).await
    }

    async fn verifier(&self) -> AccessTokenVerifier {
        let set = self.house.get(&Person::default(), "/oauth2/jwks").await.is(200).text;
        AccessTokenVerifier::new(ORIGIN, &tidegate_control::audience(ORIGIN), &set).unwrap()
    }
}

async fn ask(house: &House, form: &str, proofs: &[&str]) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri("/oauth2/token");
    request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for proof in proofs {
        request = request.header("DPoP", *proof);
    }
    house.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

fn holder(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &SystemRandom::new()).unwrap()
}

fn claims(jti: &str) -> Value {
    json!({"jti": jti, "htm": "POST", "htu": format!("{ORIGIN}/oauth2/token"), "iat": NOW})
}

/// A proof of which only the claims, and members of the header, are others.
fn proof(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let set: Value = serde_json::from_str(&key_set([key])).unwrap();
    let mut whole = json!({"typ": "dpop+jwt", "alg": key.algorithm().name(), "jwk": set["keys"][0]});
    whole.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
    key.signed(&whole, claims).unwrap()
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    value[name] = new;
    value
}

#[tokio::test]
async fn a_proof_binds_the_token_to_its_key() {
    let stage = Stage::new().await;
    let verifier = stage.verifier().await;
    let advertised =
        stage.house.get(&Person::default(), "/.well-known/oauth-authorization-server").await.json();
    for name in advertised["dpop_signing_alg_values_supported"].as_array().unwrap() {
        let key = holder(Algorithm::named(name.as_str().unwrap()).unwrap());
        let answer = stage.ask(&[&proof(&key, &json!({}), &claims("1"))]).await.is(200).json();
        assert_eq!(answer["token_type"], "DPoP", "{name}");
        let token = verifier.verify(answer["access_token"].as_str().unwrap(), NOW).unwrap();
        assert_eq!(token.cnf, Some(Confirmation::Key(key.kid().to_owned())), "{name}");
    }
    let answer = stage.ask(&[]).await.is(200).json();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(verifier.verify(answer["access_token"].as_str().unwrap(), NOW).unwrap().cnf, None);
}

#[tokio::test]
async fn what_is_no_proof_of_this_request_gets_no_token() {
    let stage = Stage::new().await;
    let key = &stage.holder;
    let good = |jti: &str| proof(key, &json!({}), &claims(jti));
    let (used, none) = (good("used"), json!({}));
    stage.ask(&[&used]).await.is(200);
    let ours = |claims: Value| proof(key, &none, &claims);
    let other = holder(Algorithm::EdDsa);
    let foreign: Value = serde_json::from_str(&key_set([&other])).unwrap();
    for (why, proofs) in [
        ("used before", vec![used.clone()]),
        ("its name used before", vec![good("used")]),
        ("two", vec![good("a"), good("b")]),
        ("empty", vec![String::new()]),
        ("noise", vec!["a.b.c".to_owned()]),
        ("GET", vec![ours(with(claims("c"), "htm", json!("GET")))]),
        ("another address", vec![ours(with(claims("c"), "htu", json!(format!("{ORIGIN}/oauth2/revoke"))))]),
        ("another issuer", vec![ours(with(claims("c"), "htu", json!("https://other.test/oauth2/token")))]),
        ("without TLS", vec![ours(with(claims("c"), "htu", json!("http://localhost:9443/oauth2/token")))]),
        ("no address", vec![ours(with(claims("c"), "htu", json!(null)))]),
        ("old", vec![ours(with(claims("c"), "iat", json!(NOW - 61)))]),
        ("of the future", vec![ours(with(claims("c"), "iat", json!(NOW + 61)))]),
        ("no name", vec![ours(with(claims("c"), "jti", json!("")))]),
        ("another type", vec![proof(key, &json!({"typ": "JWT"}), &claims("c"))]),
        ("alg none", vec![proof(key, &json!({"alg": "none"}), &claims("c"))]),
        ("alg PS256, which is not advertised", vec![proof(key, &json!({"alg": "PS256"}), &claims("c"))]),
        ("alg of another key", vec![proof(key, &json!({"alg": "EdDSA"}), &claims("c"))]),
        ("the key of another", vec![proof(&other, &json!({"jwk": key.public()}), &claims("c"))]),
        (
            "a signature of another kind",
            vec![proof(key, &json!({"jwk": foreign["keys"][0], "alg": "EdDSA"}), &claims("c"))],
        ),
    ] {
        let proofs: Vec<_> = proofs.iter().map(String::as_str).collect();
        let answer = stage.ask(&proofs).await.is(400);
        assert_eq!(answer.json()["error"], "invalid_dpop_proof", "{why}");
        assert!(answer.json().get("access_token").is_none(), "{why}");
    }
    stage.ask(&[&good("c")]).await.is(200);
    // Long after, a name is free again, and so is the memory of it.
    stage.house.clock.0.fetch_add(1_000_000, Ordering::Relaxed);
    stage.ask(&[&ours(with(claims("used"), "iat", json!(NOW + 1_000)))]).await.is(200);
}

#[tokio::test]
async fn a_right_proof_is_not_a_right_client() {
    let mut stage = Stage::new().await;
    stage.form = "grant_type=client_credentials&client_id=nobody&client_secret=x".to_owned();
    let answer = stage.ask(&[&proof(&stage.holder, &json!({}), &claims("1"))]).await.is(401);
    assert_eq!(answer.json()["error"], "invalid_client");
}

#[tokio::test]
async fn a_stranger_leaves_no_proof_behind() {
    let stage = oauth::Stage::with(json!({"client_type": "browser", "grants": ["authorization_code"]})).await;
    let key = holder(Algorithm::Es256);
    let used = proof(&key, &json!({}), &claims("1"));
    let code = stage.code("openid").await;
    let redeeming = form(&stage.redeeming(&code));
    // Whoever knows a client's id can ask so.
    for guess in [
        redeeming.replace(&code, "tgc_guessed"),
        redeeming.replace("code_verifier=", "code_verifier=x"),
        format!("grant_type=refresh_token&refresh_token=tgr_guessed&client_id={}", stage.client.id),
    ] {
        let refused = ask(&stage.house, &guess, &[&used]).await;
        assert_ne!(refused.json()["error"], "invalid_dpop_proof", "{guess}");
        assert!(!refused.status.is_success(), "{guess}");
    }
    assert_eq!(ask(&stage.house, &redeeming, &[&used]).await.is(200).json()["token_type"], "DPoP");
    let again = stage.code("openid").await;
    let again = ask(&stage.house, &form(&stage.redeeming(&again)), &[&used]).await.is(400).json();
    assert_eq!(again["error"], "invalid_dpop_proof", "from then on it is taken");
}

#[tokio::test]
async fn a_refresh_token_of_a_client_without_a_secret_is_worth_nothing_without_its_key() {
    let grants = json!(["authorization_code", "refresh_token"]);
    let stage = oauth::Stage::with(json!({"client_type": "native", "grants": grants,
        "redirect_uris": [REDIRECT]}))
    .await;
    let (own, other) = (holder(Algorithm::Es256), holder(Algorithm::EdDsa));
    let code = stage.code("openid").await;
    let by = |key: &SigningKey, jti: &str| proof(key, &json!({}), &claims(jti));
    let first = ask(&stage.house, &form(&stage.redeeming(&code)), &[&by(&own, "1")]).await.is(200).json();
    let refreshing = |tokens: &Value| form(&stage.refreshing(tokens["refresh_token"].as_str().unwrap()));
    let form = refreshing(&first);
    for (why, proofs) in [("without", vec![]), ("with another key", vec![by(&other, "2")])] {
        let proofs: Vec<_> = proofs.iter().map(String::as_str).collect();
        let refused = ask(&stage.house, &form, &proofs).await.is(400).json();
        assert_eq!(refused["error"], "invalid_grant", "{why}");
    }
    let second = ask(&stage.house, &form, &[&by(&own, "3")]).await.is(200).json();
    assert_eq!(second["token_type"], "DPoP");
    let refused = ask(&stage.house, &refreshing(&second), &[&by(&other, "4")]).await.is(400).json();
    assert_eq!(refused["error"], "invalid_grant", "the next one is bound as well");
    ask(&stage.house, &refreshing(&second), &[&by(&own, "5")]).await.is(200);
}

#[tokio::test]
async fn a_client_with_a_secret_may_change_its_key_with_each_refresh() {
    let stage = oauth::Stage::new().await;
    let code = stage.code("openid").await;
    let by = |jti: &str| proof(&holder(Algorithm::Es256), &json!({}), &claims(jti));
    let first = ask(&stage.house, &form(&stage.redeeming(&code)), &[&by("1")]).await.is(200).json();
    let refreshing = form(&stage.refreshing(first["refresh_token"].as_str().unwrap()));
    assert_eq!(ask(&stage.house, &refreshing, &[&by("2")]).await.is(200).json()["token_type"], "DPoP");
}

/// The thumbprint of a certificate.
fn certificate(number: u8) -> String {
    tidegate_oauth::certificate::thumbprint(&[number])
}

/// The answer to a client of whose certificate a proxy tells this.
async fn ask_showing(house: &House, form: &str, shown: &str, proof: Option<&str>) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri("/oauth2/token");
    request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(proof) = proof {
        request = request.header("DPoP", proof);
    }
    house.send(request.extension(Shown(shown.into())).body(Body::from(form.to_owned())).unwrap()).await
}

#[tokio::test]
async fn tokens_of_a_client_that_is_told_so_are_bound_to_the_certificate_that_it_shows() {
    let stage = oauth::Stage::with(json!({"certificate_bound_tokens": true})).await;
    let house = &stage.house;
    let document = house.get(&Person::default(), "/.well-known/oauth-authorization-server").await.json();
    assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
    let mut pairs = vec![("grant_type", "client_credentials")];
    pairs.extend(stage.client.proof());
    let asks = form(&pairs);
    let granted = ask_showing(house, &asks, &certificate(1), None).await.is(200).json();
    assert_eq!(granted["token_type"], "Bearer");
    let access = granted["access_token"].as_str().unwrap();
    assert_eq!(oauth::claims(access)["cnf"], json!({"x5t#S256": certificate(1)}));
    let told = stage.introspect(access).await;
    assert_eq!((&told["cnf"]["x5t#S256"], &told["token_type"]), (&json!(certificate(1)), &json!("Bearer")));
    stage.userinfo(access).await.is(401);

    // Never one that is not.
    let proof = proof(&holder(Algorithm::Es256), &json!({}), &claims("1"));
    for (shown, proof, why) in [
        (None, None, "none shown"),
        (Some(String::new()), None, "one that cannot be read"),
        (Some(certificate(1)), Some(&*proof), "a proof besides"),
        (None, Some(&*proof), "a proof instead"),
    ] {
        let proofs: Vec<_> = proof.into_iter().collect();
        let answer = match shown {
            Some(shown) => ask_showing(house, &asks, &shown, proof).await,
            None => ask(house, &asks, &proofs).await,
        };
        assert_eq!(answer.is(400).json()["error"], "invalid_request", "{why}");
    }
    let path = format!("{}/{}", stage.keys, stage.client.id);
    house.post(&stage.owner, &format!("{path}/token"), json!({})).await.is(409);
    let refused = stage.update_key(json!({"token_format": "opaque"})).await.is(400);
    assert!(refused.text.contains("\"/certificate_bound_tokens\""), "{}", refused.text);

    // To who is not told so, a certificate means nothing.
    let changed = stage.update_key(json!({"certificate_bound_tokens": false})).await.is(200).json();
    assert_eq!(changed["certificate_bound_tokens"], false);
    let granted = ask_showing(house, &asks, &certificate(1), None).await.is(200).json();
    assert_eq!(oauth::claims(granted["access_token"].as_str().unwrap()).get("cnf"), None);
}

#[tokio::test]
async fn a_refresh_token_of_a_client_without_a_secret_is_worth_nothing_without_its_certificate() {
    let stage = oauth::Stage::with(json!({"client_type": "native", "certificate_bound_tokens": true,
        "grants": ["authorization_code", "refresh_token"], "redirect_uris": [REDIRECT]}))
    .await;
    let code = stage.code("openid").await;
    let redeeming = form(&stage.redeeming(&code));
    let first = ask_showing(&stage.house, &redeeming, &certificate(1), None).await.is(200).json();
    let refreshing = |tokens: &Value| form(&stage.refreshing(tokens["refresh_token"].as_str().unwrap()));
    let refused = ask_showing(&stage.house, &refreshing(&first), &certificate(2), None).await.is(400).json();
    assert_eq!(refused["error"], "invalid_grant", "with another");
    let refused = ask(&stage.house, &refreshing(&first), &[]).await.is(400).json();
    assert_eq!(refused["error"], "invalid_request", "without");
    // Also when nothing new is to be bound any more.
    stage.update_key(json!({"certificate_bound_tokens": false})).await.is(200);
    let refused = ask(&stage.house, &refreshing(&first), &[]).await.is(400).json();
    assert_eq!(refused["error"], "invalid_grant", "without");
    let second = ask_showing(&stage.house, &refreshing(&first), &certificate(1), None).await.is(200).json();
    assert_eq!(second["token_type"], "Bearer");
}
