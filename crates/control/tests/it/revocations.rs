//! Access tokens that end before their time: whose they are to end, and what gateways are told.

use axum::http::Method;
use serde_json::json;
use tidegate_model::{revocation::Revoked, role::Role};
use tidegate_oauth::{mark, token::AccessTokenVerifier};

use crate::support::{House, ORIGIN, Person};

/// The path of a key's own things, its client id, and a token of it.
async fn key(house: &House, developer: &Person, name: &str) -> (String, String, String) {
    let made = house.post(developer, "/api/v1/applications", json!({"name": name})).await.is(201).json();
    let keys = format!("/api/v1/applications/{}/keys", made["id"].as_str().unwrap());
    let key = house.post(developer, &keys, json!({"type": "production"})).await.is(201).json();
    let client_id = key["client_id"].as_str().unwrap().to_owned();
    let path = format!("{keys}/{client_id}");
    let token = house.post(developer, &format!("{path}/token"), json!({})).await.is(200).json();
    (path, client_id, token["access_token"].as_str().unwrap().to_owned())
}

async fn jti(house: &House, token: &str) -> String {
    let set = house.get(&Person::default(), "/oauth2/jwks").await.text;
    let verifier = AccessTokenVerifier::new(ORIGIN, &tidegate_control::audience(ORIGIN), &set).unwrap();
    verifier.verify(token, 1_800_000_000).unwrap().jti
}

async fn told(house: &House) -> Vec<Revoked> {
    house.revoked.lock().await.iter().map(|revocation| revocation.what.clone()).collect()
}

#[tokio::test]
async fn a_token_that_is_pasted_ends_before_the_answer() {
    let house = House::new().await;
    let developer = house.person("dev", &[Role::Subscriber]).await;
    let (_, client_id, token) = key(&house, &developer, "One").await;
    let body = json!({"token": format!(" {token}\n")});
    for _ in 0..2 {
        let answer = house.post(&developer, "/api/v1/revocations", body.clone()).await.is(200).json();
        assert_eq!(answer["client_id"], client_id.as_str());
        assert_eq!(answer["expires_at"], "2027-01-15T09:00:00Z");
    }
    let what = Revoked::Credential(mark::token(ORIGIN, &jti(&house, &token).await).into());
    assert_eq!(told(&house).await, [what.clone(), what]);
}

#[tokio::test]
async fn all_tokens_of_a_key_end_at_once() {
    let house = House::new().await;
    let developer = house.person("dev", &[Role::Subscriber]).await;
    let (path, client_id, _) = key(&house, &developer, "One").await;
    house.call(&developer, Method::DELETE, &format!("{path}/tokens"), None).await.is(204);
    assert_eq!(told(&house).await, [Revoked::Client(client_id.as_str().into())]);
    // The key itself goes on.
    house.post(&developer, &format!("{path}/token"), json!({})).await.is(200);
}

#[tokio::test]
async fn what_is_no_token_of_theirs_nobody_ends() {
    let house = House::new().await;
    let developer = house.person("dev", &[Role::Subscriber]).await;
    let other = house.person("other", &[Role::Subscriber]).await;
    let (path, _, token) = key(&house, &developer, "One").await;
    house.post(&other, "/api/v1/revocations", json!({"token": token})).await.is(404);
    house.call(&other, Method::DELETE, &format!("{path}/tokens"), None).await.is(404);
    let own = key(&house, &other, "Two").await.0;
    let foreign_key =
        format!("{}/{}/tokens", own.rsplit_once('/').unwrap().0, path.rsplit_once('/').unwrap().1);
    house.call(&other, Method::DELETE, &foreign_key, None).await.is(404);
    let forged = format!("{}AAAA", &token[..token.len() - 4]);
    for nonsense in ["", "x", "Bearer x", &forged] {
        let answer = house.post(&developer, "/api/v1/revocations", json!({"token": nonsense})).await.is(400);
        assert_eq!(answer.json()["errors"][0]["pointer"], "/token", "{nonsense}");
        assert!(nonsense.len() < 2 || !answer.text.contains(nonsense), "a problem repeats no token");
    }
    house.clock.0.fetch_add(3_600_000, std::sync::atomic::Ordering::Relaxed);
    let late = house.post(&developer, "/api/v1/revocations", json!({"token": token})).await.is(400);
    assert!(late.text.contains("expired"));
    assert_eq!(told(&house).await, []);
}

#[tokio::test]
async fn an_administrator_ends_anybodys_token() {
    let house = House::new().await;
    let developer = house.person("dev", &[Role::Subscriber]).await;
    let admin = house.person("admin", &[Role::Admin]).await;
    let (_, _, token) = key(&house, &developer, "One").await;
    house.post(&admin, "/api/v1/revocations", json!({"token": token})).await.is(200);
    assert_eq!(told(&house).await.len(), 1);
}

#[tokio::test]
async fn a_gateway_that_connects_later_is_told_before_its_first_snapshot() {
    use tidegate_model::link::{self, Down, GatewayLink as _};
    let house = House::new().await;
    let developer = house.person("dev", &[Role::Subscriber]).await;
    let (path, client_id, _) = key(&house, &developer, "One").await;
    house.call(&developer, Method::DELETE, &format!("{path}/tokens"), None).await.is(204);
    let (gateway, end) = link::channel();
    let feeding = house.control.clone();
    let feed = tokio::spawn(async move { feeding.feed(std::sync::Arc::new(end)).await });
    let Down::Revoked(some) = gateway.next().await.unwrap() else { panic!("revocations come first") };
    assert_eq!(some[0].what, Revoked::Client(client_id.as_str().into()));
    assert!(matches!(gateway.next().await.unwrap(), Down::Snapshot(_)));
    drop(gateway);
    feed.await.unwrap();
}
