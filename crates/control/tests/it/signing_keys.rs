//! Signing keys over REST and by the clock: who signs, what is published, and that a removed key is worth nothing.

use std::sync::atomic::Ordering;

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::{Value, json};
use tidegate_model::{port::Clock as _, role::Role, time::DAY_MILLIS};
use tidegate_oauth::token::{AccessTokenVerifier, BadToken};

use crate::support::{Answer, House, ORIGIN, Person};

const KEYS: &str = "/api/v1/signing-keys";
const AHEAD_MS: i64 = 600_000;

/// A house with an administrator and a client that can ask for tokens.
struct Stage {
    house: House,
    /// A personal access token of an administrator, which outlives every sign-in.
    admin: String,
    form: String,
}

impl Stage {
    async fn new() -> Self {
        let house = House::new().await;
        let admin = house.person("ada", &[Role::Admin]).await;
        let made = house.post(&admin, "/api/v1/applications", json!({"name": "One"})).await.is(201).json();
        let keys = format!("/api/v1/applications/{}/keys", made["id"].as_str().unwrap());
        let key = house.post(&admin, &keys, json!({"type": "production"})).await.is(201).json();
        let (id, secret) = (key["client_id"].as_str().unwrap(), key["client_secret"].as_str().unwrap());
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let admin = house.post(&admin, "/api/v1/tokens", json!({"name": "keys"})).await.is(201).json();
        let admin = format!("Bearer {}", admin["token"].as_str().unwrap());
        let stage = Self { house, admin, form };
        // Keys that begin to sign in the same millisecond have no order that a test could expect.
        stage.forward(1_000);
        stage
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::AUTHORIZATION, &self.admin);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.house.send(request.body(body).unwrap()).await
    }

    async fn token(&self) -> String {
        let request = Request::builder().method(Method::POST).uri("/oauth2/token");
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = self.house.send(request.body(Body::from(self.form.clone())).unwrap()).await.is(200);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// What somebody says of a token who reads the published keys now.
    async fn verdict(&self, token: &str) -> Result<String, BadToken> {
        let set = self.house.get(&Person::default(), "/oauth2/jwks").await.is(200).text;
        let verifier = AccessTokenVerifier::new(ORIGIN, &tidegate_control::audience(ORIGIN), &set).unwrap();
        let now = self.house.clock.now().seconds();
        verifier.verify_with_key(token, now).map(|(_, key)| key.to_string())
    }

    /// Name, algorithm and state of each key, newest first.
    async fn keys(&self) -> Vec<(String, String, String)> {
        let listed = self.call(Method::GET, KEYS, None).await.is(200);
        assert!(!listed.text.contains("private"), "{}", listed.text);
        let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
        let items = listed.json()["items"].as_array().unwrap().clone();
        items.iter().map(|key| (text(key, "kid"), text(key, "algorithm"), text(key, "state"))).collect()
    }

    async fn states(&self) -> Vec<String> {
        self.keys().await.into_iter().map(|(_, _, state)| state).collect()
    }

    async fn rotate(&self, wish: Value) -> String {
        let made = self.call(Method::POST, KEYS, Some(wish)).await.is(201);
        let kid = made.json()["kid"].as_str().unwrap().to_owned();
        assert_eq!(made.header("location"), format!("{KEYS}/{kid}"));
        kid
    }

    async fn remove(&self, kid: &str) {
        self.call(Method::DELETE, &format!("{KEYS}/{kid}"), None).await.is(204);
        self.forward(1_000);
    }

    fn forward(&self, millis: i64) {
        self.house.clock.0.fetch_add(millis, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_new_key_is_published_before_it_signs_and_the_old_one_verifies_on() {
    let stage = Stage::new().await;
    let first = stage.keys().await[0].0.clone();
    let old = stage.token().await;
    let next = stage.rotate(json!({})).await;
    assert_eq!(stage.states().await, ["next", "current"]);
    assert_eq!(stage.verdict(&stage.token().await).await.unwrap(), first, "it does not sign yet");
    let again = stage.call(Method::POST, KEYS, Some(json!({}))).await.is(409);
    assert!(again.json()["detail"].as_str().unwrap().contains("remove it first"), "{}", again.text);

    stage.forward(AHEAD_MS - 1_000);
    assert_eq!(stage.verdict(&stage.token().await).await.unwrap(), first);
    stage.forward(1_000);
    assert_eq!(stage.verdict(&stage.token().await).await.unwrap(), next);
    assert_eq!(stage.verdict(&old).await.unwrap(), first, "no token ends by a rotation");
    assert_eq!(stage.states().await, ["current", "retired"]);

    stage.forward(DAY_MILLIS - 1);
    stage.house.control.tend_keys().await;
    assert_eq!(stage.states().await, ["current", "retired"]);
    stage.forward(1);
    stage.house.control.tend_keys().await;
    assert_eq!(stage.states().await, ["current"], "nothing that it signed can be valid any more");
}

#[tokio::test]
async fn keys_rotate_by_the_calendar() {
    let stage = Stage::new().await;
    stage.forward(90 * DAY_MILLIS - AHEAD_MS - 1_001);
    stage.house.control.tend_keys().await;
    assert_eq!(stage.states().await, ["current"]);
    stage.forward(1);
    for _ in 0..2 {
        stage.house.control.tend_keys().await;
        assert_eq!(stage.states().await, ["next", "current"], "one is enough");
    }
    stage.forward(AHEAD_MS);
    stage.house.control.tend_keys().await;
    assert_eq!(stage.states().await, ["current", "retired"]);
}

#[tokio::test]
async fn a_removed_key_is_worth_nothing_and_another_signs() {
    let stage = Stage::new().await;
    let (old, first) = (stage.token().await, stage.keys().await[0].0.clone());
    stage.remove(&first).await;
    assert_eq!(stage.verdict(&old).await, Err(BadToken::UnknownKey));
    let (second, _, state) = stage.keys().await.remove(0);
    assert_eq!(state, "current");
    assert_eq!(stage.verdict(&stage.token().await).await.unwrap(), second);

    let next = stage.rotate(json!({})).await;
    stage.remove(&next).await;
    assert_eq!(stage.states().await, ["current"], "one that waits is called off");
    let third = stage.rotate(json!({"at_once": true})).await;
    assert_eq!(stage.verdict(&stage.token().await).await.unwrap(), third);
    stage.remove(&second).await;
    assert_eq!(stage.states().await, ["current"], "one that is retired takes nobody's place");
    stage.call(Method::DELETE, &format!("{KEYS}/{second}"), None).await.is(404);
}

#[tokio::test]
async fn every_algorithm_can_be_chosen_and_no_other() {
    let stage = Stage::new().await;
    for algorithm in ["EdDSA", "RS256", "ES256"] {
        let kid = stage.rotate(json!({"algorithm": algorithm, "at_once": true})).await;
        assert_eq!(stage.keys().await[0], (kid.clone(), algorithm.to_owned(), "current".to_owned()));
        assert_eq!(stage.verdict(&stage.token().await).await.unwrap(), kid);
        stage.forward(1_000);
    }
    for (wish, pointer) in [
        (json!({"algorithm": "none"}), "/algorithm"),
        (json!({"algorithm": "HS256"}), "/algorithm"),
        (json!({"algorithm": "es256"}), "/algorithm"),
        (json!({"kid": "mine"}), "/kid"),
    ] {
        let refused = stage.call(Method::POST, KEYS, Some(wish.clone())).await.is(400).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{wish}");
    }
    assert_eq!(stage.states().await.len(), 4);
}
