//! Portal sessions: listed with where and since when, ended one by one or all others, at once.

use axum::http::Method;
use serde_json::{Value, json};
use tidegate_model::role::Role;

use crate::support::{House, PASSWORD, Person};

async fn sessions(house: &House, person: &Person, path: &str) -> Vec<Value> {
    house.get(person, path).await.is(200).json()["items"].as_array().unwrap().clone()
}

const OWN: &str = "/api/v1/account/sessions";

#[tokio::test]
async fn one_session_or_all_others_end_at_once() {
    let house = House::new().await;
    let first = house.person("ada", &[Role::Creator]).await;
    let second = house.signed_in("ada", PASSWORD).await;
    let third = house.signed_in("ada", PASSWORD).await;
    let bert = house.person("bert", &[Role::Creator]).await;
    let listed = sessions(&house, &first, OWN).await;
    assert_eq!(listed.len(), 3, "one's own alone");
    let current: Vec<_> = listed.iter().map(|session| session["current"].as_bool().unwrap()).collect();
    assert_eq!(current.iter().filter(|current| **current).count(), 1);
    for session in &listed {
        assert_eq!(session["address"], "127.0.0.1");
        assert_eq!(session["created_at"], "2027-01-15T08:00:00Z");
        assert!(session.get("token_hash").is_none() && session.get("csrf_token").is_none(), "{session}");
    }
    let of_second = sessions(&house, &second, OWN).await;
    let of_second = of_second.iter().find(|session| session["current"] == true).unwrap()["id"].clone();
    let path = format!("{OWN}/{}", of_second.as_str().unwrap());
    house.call(&bert, Method::DELETE, &path, None).await.is(404);
    house.get(&second, "/api/v1/session").await.is(200);
    house.call(&first, Method::DELETE, &path, None).await.is(204);
    house.get(&second, "/api/v1/session").await.is(401);
    house.get(&third, "/api/v1/session").await.is(200);
    house.call(&first, Method::DELETE, &path, None).await.is(404);

    house.call(&first, Method::DELETE, OWN, None).await.is(204);
    house.get(&third, "/api/v1/session").await.is(401);
    house.get(&first, "/api/v1/session").await.is(200);
    house.get(&bert, "/api/v1/session").await.is(200);
    assert_eq!(sessions(&house, &first, OWN).await.len(), 1);
}

#[tokio::test]
async fn a_session_is_seen_when_it_is_used_and_so_is_a_token() {
    let house = House::new().await;
    let ada = house.person("ada", &[Role::Creator]).await;
    let token = house.post(&ada, "/api/v1/tokens", json!({"name": "script"})).await.is(201).json();
    let listed = house.get(&ada, "/api/v1/tokens").await.is(200).json();
    assert_eq!(listed["items"][0]["seen_at"], Value::Null);
    house.clock.0.fetch_add(60_000, std::sync::atomic::Ordering::Relaxed);
    house.get(&Person::bearing(token["token"].as_str().unwrap()), "/api/v1/apis").await.is(200);
    let listed = house.get(&ada, "/api/v1/tokens").await.is(200).json();
    assert_eq!(listed["items"][0]["seen_at"], "2027-01-15T08:01:00Z");
    let listed = sessions(&house, &ada, OWN).await;
    assert_eq!(
        (listed[0]["created_at"].as_str(), listed[0]["seen_at"].as_str()),
        (Some("2027-01-15T08:00:00Z"), Some("2027-01-15T08:01:00Z"))
    );
}

#[tokio::test]
async fn an_administrator_signs_anybody_out_and_nobody_else_does() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let ada = house.person("ada", &[Role::Creator]).await;
    let bert = house.person("bert", &[Role::Publisher]).await;
    let found = house.get(&admin, "/api/v1/users?q=ada").await.is(200).json();
    let path = format!("/api/v1/users/{}/sessions", found["items"][0]["id"].as_str().unwrap());
    house.get(&bert, &path).await.is(403);
    house.call(&bert, Method::DELETE, &path, None).await.is(403);
    let listed = sessions(&house, &admin, &path).await;
    assert_eq!((listed.len(), &listed[0]["current"]), (1, &json!(false)));
    let one = format!("{path}/{}", listed[0]["id"].as_str().unwrap());
    house.call(&bert, Method::DELETE, &one, None).await.is(403);
    house.call(&admin, Method::DELETE, &one, None).await.is(204);
    house.get(&ada, "/api/v1/session").await.is(401);
    let again = house.signed_in("ada", PASSWORD).await;
    house.call(&admin, Method::DELETE, &path, None).await.is(204);
    house.get(&again, "/api/v1/session").await.is(401);
    assert_eq!(sessions(&house, &admin, &path).await, Vec::<Value>::new());
    house.get(&admin, &format!("/api/v1/users/{}/sessions", uuid::Uuid::nil())).await.is(404);
    let told = house.get(&admin, "/api/v1/audit?kind=sign_in&by=boss").await.is(200).json();
    assert_eq!(told["items"][0]["action"], "signed out elsewhere");
    assert_eq!(told["items"][0]["detail"], "ada: 1 portal session");
}
