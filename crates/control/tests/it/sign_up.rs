//! Self sign-up: closed by default, approved by an administrator, and no way to learn who is here or to flood.

use std::net::SocketAddr;

use axum::{
    body::Body,
    http::{Method, header},
};
use serde_json::{Value, json};
use tidegate_control::Peer;
use tidegate_model::role::Role;

use crate::support::{Answer, House, PASSWORD, Person};

const CHOSEN: &str = "seven grey boats adrift";
const PATH: &str = "/api/v1/sign-up";

async fn switch(house: &House, person: &Person, open: bool, tag: &str) -> Answer {
    let request = House::request(person, &Method::PUT, PATH)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::IF_MATCH, tag)
        .body(Body::from(json!({"open": open}).to_string()));
    house.send(request.unwrap()).await
}

async fn sign_up(house: &House, last: u8, name: &str, password: &str) -> Answer {
    let mut request = House::request(&Person::default(), &Method::POST, PATH)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!({"username": name, "password": password}).to_string()))
        .unwrap();
    request.extensions_mut().insert(Peer(SocketAddr::from(([10, 0, 0, last], 5_000))));
    house.send(request).await
}

async fn sign_in(house: &House, name: &str, password: &str) -> Answer {
    let body = json!({"username": name, "password": password});
    house.post(&Person::default(), "/api/v1/session", body).await
}

async fn waiting(house: &House, admin: &Person) -> Vec<Value> {
    let found = house.get(admin, "/api/v1/users?state=waiting").await.is(200).json();
    found["items"].as_array().unwrap().clone()
}

async fn open() -> (House, Person) {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    switch(&house, &admin, true, "\"1\"").await.is(200);
    (house, admin)
}

#[tokio::test]
async fn it_is_closed_until_an_administrator_opens_it() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let creator = house.person("ada", &[Role::Creator]).await;
    let nobody = Person::default();
    assert_eq!(house.get(&nobody, PATH).await.is(200).json(), json!({"open": false}));
    sign_up(&house, 1, "eve", CHOSEN).await.is(409);
    switch(&house, &creator, true, "\"1\"").await.is(403);
    switch(&house, &nobody, true, "\"1\"").await.is(401);
    house.call(&admin, Method::PUT, PATH, Some(json!({"open": true}))).await.is(428);
    switch(&house, &admin, true, "\"7\"").await.is(412);
    assert_eq!(switch(&house, &admin, true, "\"1\"").await.is(200).header("etag"), "\"2\"");
    assert_eq!(house.get(&nobody, PATH).await.is(200).json(), json!({"open": true}));
    sign_up(&house, 1, "eve", CHOSEN).await.is(204);
    switch(&house, &admin, false, "\"2\"").await.is(200);
    sign_up(&house, 1, "mallory", CHOSEN).await.is(409);
    assert_eq!(waiting(&house, &admin).await.len(), 1, "who waits goes on waiting");
}

#[tokio::test]
async fn who_signs_up_waits_until_somebody_approves() {
    let (house, admin) = open().await;
    sign_up(&house, 1, "eve", CHOSEN).await.is(204);
    let refused = sign_in(&house, "eve", CHOSEN).await.is(403);
    assert_eq!(refused.kind(), "waiting");
    assert_eq!(refused.header("set-cookie"), "", "no session");
    assert_eq!(sign_in(&house, "eve", "something else").await.is(401).kind(), "unauthenticated");
    let found = waiting(&house, &admin).await;
    assert_eq!((found.len(), &found[0]["username"], &found[0]["roles"]), (1, &json!("eve"), &json!([])));
    let id = found[0]["id"].as_str().unwrap();
    house.change_user(&admin, id, &["subscriber"], "waiting").await.is(400);
    house.change_user(&admin, id, &["subscriber"], "active").await.is(200);
    let eve = house.signed_in("eve", CHOSEN).await;
    house.get(&eve, "/api/v1/applications").await.is(200);
    house.get(&eve, "/api/v1/users").await.is(403);
    let told = house.get(&admin, &format!("/api/v1/audit?object={id}")).await.is(200).json();
    let first = told["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&first["action"], &first["address"]), (&json!("signed up"), &json!("10.0.0.1")));
    assert_eq!((&first["by"], first.get("user_id")), (&json!(""), None));

    sign_up(&house, 1, "mallory", CHOSEN).await.is(204);
    let found = waiting(&house, &admin).await;
    let path = format!("/api/v1/users/{}", found[0]["id"].as_str().unwrap());
    house.call(&admin, Method::DELETE, &path, None).await.is(204);
    assert_eq!(sign_in(&house, "mallory", CHOSEN).await.is(401).kind(), "unauthenticated");
}

#[tokio::test]
async fn a_name_that_is_taken_is_answered_as_one_that_is_free() {
    let (house, admin) = open().await;
    house.person("ada", &[Role::Creator]).await;
    let free = sign_up(&house, 1, "eve", CHOSEN).await.is(204);
    for taken in ["ada", "ADA", "boss", "eve"] {
        let answer = sign_up(&house, 2, taken, CHOSEN).await.is(204);
        assert_eq!(answer.text, free.text);
        assert_eq!(
            sign_in(&house, taken, PASSWORD).await.status == 200,
            taken != "eve",
            "{taken} is as before"
        );
    }
    assert_eq!(sign_in(&house, "ada", CHOSEN).await.is(401).kind(), "unauthenticated");
    assert_eq!(waiting(&house, &admin).await.len(), 1);
    let told = house.get(&admin, "/api/v1/audit?kind=user&object=ada").await.is(200).text;
    assert!(told.contains("signed up under a name that is taken") && !told.contains(CHOSEN), "{told}");
}

#[tokio::test]
async fn rules_are_those_of_other_passwords_and_a_network_signs_up_a_few_times_an_hour() {
    let (house, admin) = open().await;
    for (name, password, pointer) in [
        ("<eve>", CHOSEN, "/username"),
        ("", CHOSEN, "/username"),
        ("eve", "short", "/password"),
        ("eve", "password12345", "/password"),
        ("evelyn.stone", "evelyn.stone1", "/password"),
    ] {
        let refused = sign_up(&house, 1, name, password).await.is(400).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    for number in 0..10 {
        sign_up(&house, 1, &format!("bot{number}"), CHOSEN).await.is(204);
    }
    let late = sign_up(&house, 1, "bot10", CHOSEN).await.is(429);
    assert_eq!(late.header("retry-after"), "3600");
    sign_up(&house, 2, "eve", CHOSEN).await.is(204);
    assert_eq!(waiting(&house, &admin).await.len(), 11);
    let mut request = House::request(&Person::default(), &Method::POST, PATH)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ORIGIN, "https://evil.example")
        .body(Body::from(json!({"username": "sam", "password": CHOSEN}).to_string()))
        .unwrap();
    request.extensions_mut().insert(Peer(SocketAddr::from(([10, 0, 0, 3], 5_000))));
    assert_eq!(house.send(request).await.is(403).kind(), "forged");
}
