//! The audit log: every change and every sign-in with who, from where, before and after; and no secret in it.

use std::net::SocketAddr;

use axum::{
    body::Body,
    http::{Method, header},
};
use serde_json::{Value, json};
use tidegate_control::Peer;
use tidegate_model::role::Role;

use crate::support::{House, PASSWORD, Person};

async fn entries(house: &House, admin: &Person, query: &str) -> Vec<Value> {
    let found = house.get(admin, &format!("/api/v1/audit?limit=200{query}")).await.is(200).json();
    found["items"].as_array().unwrap().clone()
}

async fn detail(house: &House, admin: &Person, entry: &Value) -> Value {
    house.get(admin, &format!("/api/v1/audit/{}", entry["number"])).await.is(200).json()
}

#[tokio::test]
async fn a_change_is_told_with_who_from_where_before_and_after() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let made = house.post(&admin, "/api/v1/users", json!({"username": "ada", "roles": ["creator"]})).await;
    let made = made.is(201).json();
    let id = made["id"].as_str().unwrap();
    house.change_user(&admin, id, &["creator", "publisher"], "active").await.is(200);
    let found = entries(&house, &admin, &format!("&object={id}")).await;
    let told: Vec<_> = found.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(told, ["changed a user", "created"]);
    for entry in &found {
        assert_eq!((&entry["by"], &entry["address"]), (&json!("boss"), &json!("127.0.0.1")));
        assert_eq!((&entry["kind"], &entry["times"]), (&json!("user"), &json!(1)));
        assert_eq!(entry["at"], "2027-01-15T08:00:00Z");
    }
    let changed = detail(&house, &admin, &found[0]).await;
    assert_eq!(changed["before"]["roles"], json!(["creator"]));
    assert_eq!(changed["after"]["roles"], json!(["creator", "publisher"]));
    let created = detail(&house, &admin, &found[1]).await;
    assert_eq!((&created["before"], &created["after"]["username"]), (&Value::Null, &json!("ada")));
    house.get(&admin, "/api/v1/audit/999999").await.is(404);
}

#[tokio::test]
async fn a_change_by_a_personal_token_names_its_owner_and_where_it_was_presented() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let dev = house.person("dev", &[Role::Subscriber]).await;
    let token = house.post(&dev, "/api/v1/tokens", json!({"name": "script"})).await.is(201).json();
    let script = Person::bearing(token["token"].as_str().unwrap());
    let body = json!({"name": "Shop", "policy": "Unlimited"}).to_string();
    let mut request = House::request(&script, &Method::POST, "/api/v1/applications")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .unwrap();
    request.extensions_mut().insert(Peer(SocketAddr::from(([10, 9, 8, 7], 5_000))));
    house.send(request).await.is(201);
    let found = entries(&house, &admin, "&kind=application").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["by"], &found[0]["address"]), (&json!("dev"), &json!("10.9.8.7")));
    assert!(found[0]["user_id"].is_string(), "{found:?}");
}

#[tokio::test]
async fn entries_are_found_by_who_what_and_when_page_by_page() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let dev = house.person("dev", &[Role::Subscriber]).await;
    for name in ["Shop", "Till", "Shelf"] {
        house.post(&dev, "/api/v1/applications", json!({"name": name, "policy": "Unlimited"})).await.is(201);
    }
    assert_eq!(entries(&house, &admin, "&by=DEV&kind=application").await.len(), 3);
    assert_eq!(entries(&house, &admin, "&by=de").await.len(), 0, "a whole name");
    assert_eq!(entries(&house, &admin, "&kind=application&object=sh").await.len(), 2);
    assert_eq!(entries(&house, &admin, "&kind=application&object=%25").await.len(), 0, "taken literally");
    assert_eq!(entries(&house, &admin, "&kind=application&from=2027-01-15T08:00:00Z").await.len(), 3);
    assert_eq!(entries(&house, &admin, "&kind=application&from=2027-01-15T09:00:01%2B01:00").await.len(), 0);
    assert_eq!(entries(&house, &admin, "&kind=application&until=2027-01-15T08:00:00Z").await.len(), 0);
    for query in ["kind=wizardry", "from=yesterday", "until=1", "limit=0", "unknown=1"] {
        house.get(&admin, &format!("/api/v1/audit?{query}")).await.is(400);
    }
    let all = entries(&house, &admin, "").await;
    let (mut read, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/audit?limit=2&cursor={cursor}");
        let page = house.get(&admin, &path).await.is(200).json();
        read.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!(read, all);
}

#[tokio::test]
async fn sign_ins_are_told_and_those_that_fail_are_counted_by_address_and_minute() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let dev = house.person("dev", &[Role::Subscriber]).await;
    let there = [10, 1, 2, 3];
    for _ in 0..5 {
        house.try_from(there, "dev", "wrong").await.is(401);
    }
    house.try_from(there, "dev", PASSWORD).await.is(429);
    house.try_from(there, "my secret typed too early", "x").await.is(401);
    house.call(&dev, Method::DELETE, "/api/v1/session", None).await.is(204);
    let found = entries(&house, &admin, "&kind=sign_in").await;
    let told: Vec<_> = found
        .iter()
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            (text("by"), text("action"), text("address"), entry["times"].as_u64().unwrap())
        })
        .collect();
    let is_told = |by: &str, action: &str, address: &str, times: u64| {
        let entry = (by.to_owned(), action.to_owned(), address.to_owned(), times);
        assert!(told.contains(&entry), "{entry:?} is not among {told:?}");
    };
    is_told("boss", "signed in", "127.0.0.1", 1);
    is_told("dev", "signed in", "127.0.0.1", 1);
    is_told("dev", "signed out", "127.0.0.1", 1);
    is_told("dev", "failed to sign in: wrong password", "10.1.2.3", 5);
    is_told("", "failed to sign in: too many tries", "10.1.2.3", 1);
    is_told("", "failed to sign in: unknown name", "10.1.2.3", 1);
    let text = serde_json::to_string(&found).unwrap();
    assert!(!text.contains("too early"), "a name nobody has may be a password: {text}");

    // More of the same within the minute adds to the entry.
    house.try_from(there, "nobody", "x").await.is(401);
    let again = entries(&house, &admin, "&kind=sign_in").await;
    assert_eq!(again.len(), found.len());
    let unknown = again.iter().find(|entry| entry["action"].as_str().unwrap().ends_with("unknown name"));
    assert_eq!(unknown.unwrap()["times"], 2);
}

#[tokio::test]
async fn a_client_that_does_not_prove_itself_is_counted() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    for _ in 0..3 {
        let request = House::request(&Person::default(), &Method::POST, "/oauth2/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("grant_type=client_credentials&client_id=me&client_secret=mine"))
            .unwrap();
        house.send(request).await.is(401);
    }
    let found = entries(&house, &admin, "&kind=client").await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["times"], &found[0]["address"]), (&json!(3), &json!("127.0.0.1")));
}

#[tokio::test]
async fn no_entry_holds_a_secret() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let mut secrets = vec![PASSWORD.to_owned(), "$argon2".to_owned(), "s3cret-of-the-backend".to_owned()];
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let made =
        house.post(&admin, "/api/v1/users", json!({"username": "ada", "roles": []})).await.is(201).json();
    secrets.push(text(&made, "one_time_password"));
    let token = house.post(&admin, "/api/v1/tokens", json!({"name": "script"})).await.is(201).json();
    secrets.push(text(&token, "token"));
    let application = json!({"name": "Shop", "policy": "Unlimited"});
    let application = house.post(&admin, "/api/v1/applications", application).await.is(201).json();
    let of = format!("/api/v1/applications/{}", text(&application, "id"));
    let key = house.post(&admin, &format!("{of}/keys"), json!({"type": "production"})).await.is(201).json();
    secrets.push(text(&key, "client_secret"));
    let renew = format!("{of}/keys/{}/secret", text(&key, "client_id"));
    secrets.push(text(&house.post(&admin, &renew, json!({})).await.is(200).json(), "client_secret"));
    let change = json!({"access_token_seconds": 600});
    let path = format!("{of}/keys/{}", text(&key, "client_id"));
    house.call(&admin, Method::PATCH, &path, Some(change)).await.is(200);
    let body = json!({"name": "till", "type": "production"});
    let api_key = house.post(&admin, &format!("{of}/api-keys"), body).await.is(201).json();
    secrets.push(text(&api_key, "key"));
    let backend = json!({"url": "ws://localhost:1",
        "credential": {"kind": "basic", "username": "me", "password": "s3cret-of-the-backend"}});
    let api = json!({"name": "Echo", "context": "/echo", "version": "1.0", "plans": ["Gold"],
        "endpoints": {"production": backend}});
    house.post(&admin, "/api/v1/apis", api).await.is(201);
    let manager = json!({"name": "Corporate", "issuer": "https://issuer.example", "audiences": ["tidegate"],
        "keys": {"jwks_url": "https://issuer.example/jwks"}, "introspection": {"client_id": "gateway",
        "url": "https://issuer.example/introspect", "client_secret": "s3cret-at-the-issuer"}});
    secrets.push("s3cret-at-the-issuer".to_owned());
    let manager = house.post(&admin, "/api/v1/key-managers", manager).await.is(201).json();
    let path = format!("/api/v1/key-managers/{}", text(&manager, "id"));
    house.call(&admin, Method::DELETE, &path, None).await.is(204);
    let found = entries(&house, &admin, "").await;
    assert!(found.len() >= 11, "{found:?}");
    for entry in &found {
        let whole = detail(&house, &admin, entry).await.to_string();
        for secret in &secrets {
            assert!(!whole.contains(secret.as_str()), "{secret} stands in {whole}");
        }
    }
    let hashes = found.iter().filter(|entry| entry["kind"] == "key");
    for entry in hashes {
        let whole = detail(&house, &admin, entry).await;
        for side in ["before", "after"] {
            for name in ["secret_hash", "hash"] {
                assert!(whole[side][name].as_str().unwrap_or_default().is_empty(), "{whole}");
            }
        }
    }
}

#[tokio::test]
async fn only_administrators_read_it() {
    let house = House::new().await;
    for role in [Role::Creator, Role::Publisher, Role::Subscriber, Role::Observer] {
        let person = house.person(role.as_str(), &[role]).await;
        house.get(&person, "/api/v1/audit").await.is(403);
        house.get(&person, "/api/v1/audit/1").await.is(403);
    }
    house.get(&Person::default(), "/api/v1/audit").await.is(401);
}
