//! Clients that sign a statement instead of showing a secret (RFC 7523): what proves them, and what does not.

use serde_json::{Value, json};
use tidegate_oauth::jwk::{Algorithm, SigningKey, SystemRandom, key_set};

use super::client::{Stage, form};
use crate::support::ORIGIN;

const NOW: i64 = 1_800_000_000;
const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap()
}

fn set(key: &SigningKey) -> Value {
    serde_json::from_str(&key_set([key])).unwrap()
}

async fn signing(key: &SigningKey) -> Stage {
    Stage::with(json!({"authentication": "private_key_jwt", "jwks": set(key)})).await
}

fn claims(stage: &Stage, jti: &str) -> Value {
    json!({"iss": stage.client.id, "sub": stage.client.id, "aud": ORIGIN, "exp": NOW + 60, "iat": NOW, "jti": jti})
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    value[name] = new;
    value
}

fn asking(key: &SigningKey, claims: &Value) -> String {
    let assertion = key.signed(&json!({"alg": "ES256", "kid": key.kid()}), claims).unwrap();
    form(&[
        ("grant_type", "client_credentials"),
        ("client_assertion_type", KIND),
        ("client_assertion", &assertion),
    ])
}

#[tokio::test]
async fn a_signed_statement_proves_the_client_at_every_endpoint_and_once() {
    let key = key();
    let stage = signing(&key).await;
    assert_eq!(stage.client.secret, "", "it has none");
    let asked = asking(&key, &claims(&stage, "1"));
    let token = stage.token(&asked).await.is(200).json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(stage.token(&asked).await.is(401).json()["error"], "invalid_client", "it is used up");
    let to_endpoint = with(claims(&stage, "2"), "aud", json!(format!("{ORIGIN}/oauth2/token")));
    stage.token(&asking(&key, &to_endpoint)).await.is(200);
    for (jti, path) in [("3", "/oauth2/introspect"), ("4", "/oauth2/revoke")] {
        let body = format!("{}&token={token}", asking(&key, &claims(&stage, jti)));
        let answer = stage.post_form(None, path, &body).await.is(200);
        assert!(path.ends_with("revoke") || answer.json()["active"] == true, "{}", answer.text);
    }
}

#[tokio::test]
async fn what_is_no_statement_of_the_client_for_this_server_proves_nothing() {
    let key = key();
    let stage = signing(&key).await;
    let good = || claims(&stage, "x");
    for (why, claims) in [
        ("another issuer of it", with(good(), "iss", json!("other"))),
        ("another audience", with(good(), "aud", json!("https://other.test"))),
        ("the revocation endpoint", with(good(), "aud", json!(format!("{ORIGIN}/oauth2/revoke")))),
        ("two audiences", with(good(), "aud", json!([ORIGIN, "https://other.test"]))),
        ("over", with(good(), "exp", json!(NOW))),
        ("good for a day", with(good(), "exp", json!(NOW + 86_400))),
        ("no end", with(good(), "exp", json!(null))),
        ("of the future", with(good(), "iat", json!(NOW + 3_600))),
        ("not yet", with(good(), "nbf", json!(NOW + 3_600))),
        ("no name", with(good(), "jti", json!(null))),
        ("a client that is not there", with(with(good(), "iss", json!("nobody")), "sub", json!("nobody"))),
    ] {
        assert_eq!(
            stage.token(&asking(&key, &claims)).await.is(401).json()["error"],
            "invalid_client",
            "{why}"
        );
    }
    let forged = asking(&self::key(), &good());
    assert_eq!(stage.token(&forged).await.is(401).json()["error"], "invalid_client", "another key");
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "HS256", "kid": key.kid()}),
        json!({"alg": "RS256", "kid": key.kid()}),
        json!({"alg": "ES256", "kid": "other"}),
        json!({"alg": "ES256", "jwk": self::key().public()}),
        json!({"alg": "ES256", "typ": "at+jwt"}),
        json!({"alg": "ES256", "crit": ["x"], "x": 1}),
    ] {
        let signer = if header.get("jwk").is_some() { self::key() } else { key.clone() };
        let assertion = signer.signed(&header, &good()).unwrap();
        let pairs = [("client_assertion_type", KIND), ("client_assertion", assertion.as_str())];
        let body = format!("grant_type=client_credentials&{}", form(&pairs));
        assert_eq!(stage.token(&body).await.is(401).json()["error"], "invalid_client", "{header}");
    }
    for (why, more, error) in [
        ("a secret beside it", "&client_secret=x", "invalid_request"),
        ("another client", "&client_id=other", "invalid_request"),
        ("another kind", "", "invalid_request"),
    ] {
        let mut body = format!("{}{more}", asking(&key, &good()));
        if more.is_empty() {
            body = body.replace("jwt-bearer", "saml2-bearer");
        }
        assert_eq!(stage.token(&body).await.is(400).json()["error"], error, "{why}");
    }
    let silent = format!("grant_type=client_credentials&client_id={}", stage.client.id);
    assert_eq!(stage.token(&silent).await.is(401).json()["error"], "invalid_client", "no statement");
    let secret = format!("{silent}&client_secret=tgs_x");
    assert_eq!(stage.token(&secret).await.is(401).json()["error"], "invalid_client", "a secret");
    stage.token(&asking(&key, &good())).await.is(200);
}

#[tokio::test]
async fn a_key_takes_either_a_secret_or_keys_and_says_what_it_lacks() {
    let stage = Stage::new().await;
    let pointer = async |body: Value| {
        let refused = stage.update_key(body).await.is(400).json();
        refused["errors"][0]["pointer"].as_str().unwrap().to_owned()
    };
    assert_eq!(pointer(json!({"authentication": "tls_client_auth"})).await, "/authentication");
    assert_eq!(pointer(json!({"authentication": "private_key_jwt"})).await, "/jwks");
    let private = json!({"keys": [with(set(&key())["keys"][0].clone(), "d", json!("AA"))]});
    assert_eq!(pointer(json!({"authentication": "private_key_jwt", "jwks": private})).await, "/jwks");
    let public = json!({"authentication": "private_key_jwt", "jwks": set(&key()), "client_type": "browser",
        "grants": ["authorization_code"]});
    assert_eq!(pointer(public).await, "/authentication");

    let key = key();
    let changed = stage
        .update_key(json!({"authentication": "private_key_jwt", "jwks": set(&key)}))
        .await
        .is(200)
        .json();
    assert_eq!((&changed["authentication"], &changed["jwks"]), (&json!("private_key_jwt"), &set(&key)));
    let mut by_secret = vec![("grant_type", "client_credentials")];
    by_secret.extend(stage.client.proof());
    stage.token(&form(&by_secret)).await.is(401);
    stage.token(&asking(&key, &claims(&stage, "1"))).await.is(200);
    let secret = format!("{}/{}/secret", stage.keys, stage.client.id);
    stage.house.post(&stage.owner, &secret, json!({})).await.is(409);
    let back = stage.update_key(json!({"authentication": "secret"})).await.is(200).json();
    assert_eq!(back["jwks"], json!(null), "what nothing is proven with is not kept");
    stage.token(&asking(&key, &claims(&stage, "2"))).await.is(401);
    stage.token(&form(&by_secret)).await.is(401);
    let renewed = stage.house.post(&stage.owner, &secret, json!({})).await.is(200).json();
    assert!(renewed["client_secret"].as_str().is_some_and(|secret| secret.starts_with("tgs_")));
}
