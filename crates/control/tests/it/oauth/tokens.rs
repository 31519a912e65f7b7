//! The authorization server's endpoints, and that its tokens verify with what it publishes.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::json;
use tidegate_model::{
    command::{Command, KeyPurpose, SigningKeyRecord},
    port::Catalog as _,
    role::Role,
    time::Timestamp,
    user::Secret,
};
use tidegate_oauth::{
    jwk::{Algorithm, SigningKey, SystemRandom},
    token::AccessTokenVerifier,
};

use crate::support::{Answer, House, ORIGIN, Person};

async fn token(house: &House, form: &str) -> Answer {
    let request = Request::builder().method(Method::POST).uri("/oauth2/token");
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    house.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

#[tokio::test]
async fn a_client_gets_a_token_that_verifies_with_the_published_keys() {
    let house = House::new().await;
    let developer = house.person("dev", &[Role::Subscriber]).await;
    let made = house.post(&developer, "/api/v1/applications", json!({"name": "One"})).await.is(201).json();
    let keys = format!("/api/v1/applications/{}/keys", made["id"].as_str().unwrap());
    let key = house.post(&developer, &keys, json!({"type": "production"})).await.is(201).json();
    let (id, secret) = (key["client_id"].as_str().unwrap(), key["client_secret"].as_str().unwrap());

    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let answer = token(&house, &form).await.is(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let granted = answer.json();
    assert_eq!(
        (granted["token_type"].as_str(), granted["expires_in"].as_i64()),
        (Some("Bearer"), Some(3_600))
    );

    let discovery = house.get(&Person::default(), "/.well-known/openid-configuration").await.is(200).json();
    assert_eq!(discovery["issuer"], ORIGIN);
    assert_eq!(discovery["token_endpoint"], format!("{ORIGIN}/oauth2/token"));
    let set = house.get(&Person::default(), "/oauth2/jwks").await.is(200).text;
    let verifier = AccessTokenVerifier::new(ORIGIN, &tidegate_control::audience(ORIGIN), &set).unwrap();
    let claims = verifier.verify(granted["access_token"].as_str().unwrap(), 1_800_000_000).unwrap();
    assert_eq!(claims.client_id, id);

    let listed = house.get(&developer, &keys).await.is(200).text;
    assert!(!listed.contains("client_secret") && !listed.contains(secret), "{listed}");
    let own = house.post(&developer, &format!("{keys}/{id}/token"), json!({})).await.is(200).json();
    assert!(verifier.verify(own["access_token"].as_str().unwrap(), 1_800_000_000).is_ok());

    let anew = house.post(&developer, &format!("{keys}/{id}/secret"), json!({})).await.is(200).json();
    assert_eq!(
        token(&house, &form).await.is(401).json()["error"],
        "invalid_client",
        "the old secret is over"
    );
    let anew = anew["client_secret"].as_str().unwrap();
    token(&house, &format!("grant_type=client_credentials&client_id={id}&client_secret={anew}"))
        .await
        .is(200);
}

#[tokio::test]
async fn requests_that_are_refused_say_why_in_the_words_of_the_rfc() {
    let house = House::new().await;
    for (form, status, error) in [
        ("", 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=nobody&client_secret=x", 401, "invalid_client"),
        ("grant_type=password&client_id=a&client_secret=b", 400, "unsupported_grant_type"),
        ("grant_type=client_credentials&grant_type=client_credentials", 400, "invalid_request"),
    ] {
        let answer = token(&house, form).await.is(status);
        assert_eq!(answer.json()["error"], error, "{form}");
    }
    let json = Request::builder()
        .method(Method::POST)
        .uri("/oauth2/token")
        .header("content-type", "application/json");
    assert_eq!(
        house.send(json.body(Body::from("{}")).unwrap()).await.is(400).json()["error"],
        "invalid_request"
    );
    house.get(&Person::default(), "/oauth2/token").await.is(405);
}

/// The names of the keys that are published there.
async fn published(house: &House, path: &str) -> Vec<String> {
    let answer = house.get(&Person::default(), path).await.is(200);
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    assert!(keys.iter().all(|key| key.get("d").is_none()), "private halves stay");
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn backend_tokens_have_a_key_of_their_own_which_older_records_get_at_start() {
    let old = SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap();
    let record = SigningKeyRecord {
        purpose: KeyPurpose::AccessTokens,
        kid: old.kid().to_owned(),
        algorithm: "ES256".to_owned(),
        private_key: Secret(old.to_text().expose().to_owned()),
        created_at: Timestamp(1),
        signs_from: Timestamp(1),
    };
    let house = House::after([Command::StoreSigningKey(record)]).await;
    assert_eq!(published(&house, "/oauth2/jwks").await, [old.kid()], "the issuer keeps its key");
    let of_backends = published(&house, "/oauth2/backend-jwks").await;
    let stored = house.catalog.signing_keys().await.unwrap();
    let own: Vec<_> = stored.iter().filter(|key| key.purpose == KeyPurpose::BackendTokens).collect();
    assert_eq!(of_backends, [own[0].kid.clone()]);
    assert_ne!(of_backends, [old.kid()]);
    assert_eq!((own.len(), stored.len()), (1, 2));
}
