//! Key managers over REST: what is asked of their fields, how their keys are fetched and kept, and the clients that
//! applications provide.

use axum::http::Method;
use serde_json::{Value, json};
use tidegate_model::{link::Up, port::NoDocument, role::Role};
use tidegate_oauth::jwk::{Algorithm, SigningKey, SystemRandom, key_set};

use crate::support::{Answer, House, Person};

const DISCOVERY: &str = "https://issuer.example/.well-known/openid-configuration";
const JWKS: &str = "https://issuer.example/jwks";

fn keys() -> String {
    key_set([&SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap()])
}

#[expect(clippy::needless_pass_by_value, reason = "a literal is given away")]
fn manager(name: &str, issuer: &str, source: Value) -> Value {
    json!({"name": name, "issuer": issuer, "keys": source, "audiences": ["tidegate"]})
}

fn discovered() -> Value {
    manager("Corporate", "https://issuer.example", json!({"discovery_url": DISCOVERY}))
}

async fn house() -> (House, Person) {
    let house = House::new().await;
    let document = json!({"issuer": "https://issuer.example", "jwks_uri": JWKS}).to_string();
    house.shelf.put(DISCOVERY, Ok(&document)).await;
    house.shelf.put(JWKS, Ok(&keys())).await;
    let admin = house.person("root", &[Role::Admin]).await;
    (house, admin)
}

async fn change(house: &House, person: &Person, path: &str, body: Value, etag: &str) -> Answer {
    let request = House::request(person, &Method::PUT, path)
        .header("content-type", "application/json")
        .header("if-match", etag)
        .body(axum::body::Body::from(body.to_string()));
    house.send(request.unwrap()).await
}

fn kid(answer: &Value) -> &str {
    answer["held"]["keys"][0]["kid"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn the_keys_of_a_new_issuer_are_there_when_the_call_returns() {
    let (house, admin) = house().await;
    let made = house.post(&admin, "/api/v1/key-managers", discovered()).await.is(201);
    let (place, made) = (made.header("location").to_owned(), made.json());
    assert!(!kid(&made).is_empty(), "{made}");
    assert_eq!((&made["held"]["problem"], &made["enabled"]), (&Value::Null, &json!(true)));
    assert_eq!(made["claims"], json!({"client_id": "client_id", "scope": "scope", "subject": "sub"}));
    assert_eq!(made["algorithms"], json!(["ES256", "EdDSA", "RS256"]));
    let read = house.get(&admin, &place).await.is(200);
    assert_eq!(read.json(), made);
    assert_eq!(house.get(&admin, "/api/v1/key-managers").await.json()["items"], json!([made]));
    let dev = house.person("dev", &[Role::Subscriber]).await;
    let told = house.get(&dev, "/api/v1/issuers").await.is(200).json();
    assert_eq!(
        told["items"],
        json!([{"id": made["id"], "name": "Corporate", "issuer": "https://issuer.example"}])
    );
    house.call(&admin, Method::DELETE, &place, None).await.is(204);
    house.get(&admin, &place).await.is(404);
}

#[tokio::test]
async fn each_field_says_what_is_wrong_with_it() {
    let (house, admin) = house().await;
    let refused = async |name: &str, value: Value, expected: &[&str]| {
        let mut body = discovered();
        body[name] = value.clone();
        let answer = house.post(&admin, "/api/v1/key-managers", body).await;
        let problem = answer.is(400).json();
        let found: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|it| it["pointer"].clone()).collect();
        assert_eq!(found, expected, "{name}: {value}");
    };
    refused("name", json!(""), &["/name"]).await;
    refused("name", json!("Resident"), &["/name"]).await;
    refused("name", json!("all"), &["/name"]).await;
    refused("issuer", json!(""), &["/issuer"]).await;
    refused("audiences", json!([]), &["/audiences"]).await;
    refused("audiences", json!(["a", "a"]), &["/audiences/1"]).await;
    refused("algorithms", json!([]), &["/algorithms"]).await;
    refused("algorithms", json!(["ES256", "none", "HS256"]), &["/algorithms/1", "/algorithms/2"]).await;
    refused("claims", json!({"client_id": ""}), &["/claims/client_id"]).await;
    refused("keys", json!({}), &["/keys"]).await;
    refused("keys", json!({"jwks_url": JWKS, "discovery_url": DISCOVERY}), &["/keys"]).await;
    refused("keys", json!({"jwks": {"keys": []}}), &["/keys/jwks"]).await;
    refused(
        "keys",
        json!({"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}]}}),
        &["/keys/jwks"],
    )
    .await;
    for url in [
        "http://issuer.example/jwks",
        "ftp://issuer.example/jwks",
        "https://user:secret@issuer.example/jwks",
        "https://issuer.example/jwks#part",
        "file:///etc/passwd",
        "nothing",
        "",
    ] {
        refused("keys", json!({"jwks_url": url}), &["/keys/jwks_url"]).await;
    }
    refused("introspection", json!({"url": JWKS, "client_id": "c"}), &["/introspection/client_secret"]).await;
    refused("surprise", json!(1), &["/surprise"]).await;
    assert_eq!(house.get(&admin, "/api/v1/key-managers").await.json()["items"], json!([]));
}

#[tokio::test]
async fn name_and_issuer_are_each_of_one_key_manager() {
    let (house, admin) = house().await;
    house.post(&admin, "/api/v1/key-managers", discovered()).await.is(201);
    for (name, issuer) in [("CORPORATE", "https://else.example"), ("Else", "https://issuer.example")] {
        let twin = manager(name, issuer, json!({"jwks_url": JWKS}));
        house.post(&admin, "/api/v1/key-managers", twin).await.is(409);
    }
}

#[tokio::test]
async fn keys_that_cannot_be_had_or_used_leave_those_that_are_held() {
    let (house, admin) = house().await;
    let made = house.post(&admin, "/api/v1/key-managers", discovered()).await.is(201).json();
    let path = format!("/api/v1/key-managers/{}", made["id"].as_str().unwrap());
    let refresh = format!("{path}/refresh");
    let other = json!({"issuer": "https://issuer.example.evil", "jwks_uri": JWKS}).to_string();
    let plain =
        json!({"issuer": "https://issuer.example", "jwks_uri": "http://issuer.example/jwks"}).to_string();
    let good = json!({"issuer": "https://issuer.example", "jwks_uri": JWKS}).to_string();
    let many = json!({"keys": vec![json!({"kty": "oct"}); 10_000]}).to_string();
    let large = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(70_000));
    for (discovery, jwks, expected) in [
        (Err(NoDocument::Unreachable), Ok(""), "nobody answers"),
        (Err(NoDocument::Forbidden), Ok(""), "not allowed"),
        (Err(NoDocument::Refused { status: 302 }), Ok(""), "302"),
        (Ok("<html>"), Ok(""), "not a discovery document"),
        (Ok(&*other), Ok(""), "another issuer"),
        (Ok(&*plain), Ok(""), "https"),
        (Ok(&*good), Err(NoDocument::Timeout), "in time"),
        (Ok(&*good), Ok("{}"), "key set"),
        (Ok(&*good), Ok(r#"{"keys":[]}"#), "no key"),
        (Ok(&*good), Ok(&*many), "key set"),
        (Ok(&*good), Ok(&*large), "too large"),
    ] {
        house.shelf.put(DISCOVERY, discovery).await;
        house.shelf.put(JWKS, jwks).await;
        let tried = house.post(&admin, &refresh, json!({})).await.is(200).json();
        let problem = tried["held"]["problem"].as_str().unwrap_or_default();
        assert!(problem.contains(expected), "{expected:?} in {problem:?}");
        assert_eq!(kid(&tried), kid(&made), "{expected}");
        assert_eq!(tried["held"]["fetched_at"], made["held"]["fetched_at"], "{expected}");
    }
    let next = keys();
    house.shelf.put(JWKS, Ok(&next)).await;
    let tried = house.post(&admin, &refresh, json!({})).await.is(200).json();
    assert_eq!(tried["held"]["problem"], Value::Null);
    assert!(kid(&tried) != kid(&made) && next.contains(kid(&tried)), "{tried}");
}

#[tokio::test]
async fn keys_of_another_address_are_not_kept_and_a_secret_stays_where_it_goes() {
    let (house, admin) = house().await;
    let mut body = discovered();
    let introspection = |url: &str, secret: Option<&str>| {
        let mut told = json!({"url": url, "client_id": "gateway"});
        if let Some(secret) = secret {
            told["client_secret"] = json!(secret);
        }
        told
    };
    body["introspection"] = introspection("https://issuer.example/introspect", Some("canary-7f3a"));
    let made = house.post(&admin, "/api/v1/key-managers", body.clone()).await.is(201);
    assert!(!made.text.contains("canary"), "{}", made.text);
    let path = format!("/api/v1/key-managers/{}", made.json()["id"].as_str().unwrap());
    body.as_object_mut().unwrap().remove("name");
    body["introspection"] = introspection("https://issuer.example/introspect", None);
    let kept = change(&house, &admin, &path, body.clone(), "\"1\"").await.is(200);
    assert!(!kept.text.contains("canary") && !kid(&kept.json()).is_empty(), "{}", kept.text);
    change(&house, &admin, &path, body.clone(), "\"1\"").await.is(412);
    body["introspection"] = introspection("https://evil.example/introspect", None);
    change(&house, &admin, &path, body.clone(), "\"2\"").await.is(400);
    body["introspection"] = introspection("https://issuer.example/introspect", None);
    body["keys"] = json!({"jwks_url": "https://else.example/jwks"});
    let moved = change(&house, &admin, &path, body, "\"2\"").await.is(200).json();
    assert_eq!(moved["held"]["keys"], json!([]), "{moved}");
    assert!(moved["held"]["problem"].as_str().unwrap().contains("404"));
}

#[tokio::test]
async fn what_a_gateway_wishes_for_is_fetched_and_not_more_often_than_that() {
    let (house, admin) = house().await;
    let made = house.post(&admin, "/api/v1/key-managers", discovered()).await.is(201).json();
    let id: tidegate_model::id::KeyManagerId = made["id"].as_str().unwrap().parse().unwrap();
    let keeping = house.control.clone();
    let keeping = tokio::spawn(async move { keeping.keep_keys().await });
    let next = keys();
    house.shelf.put(JWKS, Ok(&next)).await;
    house.clock.0.fetch_add(10_000, std::sync::atomic::Ordering::Relaxed);
    house.gateway_says(Up::KeysWanted { key_manager: id }).await;
    house.until_snapshot(|snapshot| snapshot.key_managers().iter().any(|it| it.jwks == next)).await;
    let asked = house.shelf.asked(JWKS).await;
    for _ in 0..50 {
        house.gateway_says(Up::KeysWanted { key_manager: id }).await;
    }
    // One that is due is fetched after all of these were heard.
    house.clock.0.fetch_add(10_000, std::sync::atomic::Ordering::Relaxed);
    let last = keys();
    house.shelf.put(JWKS, Ok(&last)).await;
    house.gateway_says(Up::KeysWanted { key_manager: id }).await;
    house.until_snapshot(|snapshot| snapshot.key_managers().iter().any(|it| it.jwks == last)).await;
    assert!(house.shelf.asked(JWKS).await <= asked + 2, "fifty wishes are at most one more");
    keeping.abort();
}

#[tokio::test]
async fn a_client_of_another_issuer_is_one_applications_own() {
    let (house, admin) = house().await;
    let made = house.post(&admin, "/api/v1/key-managers", discovered()).await.is(201).json();
    let (sam, zoe) =
        (house.person("sam", &[Role::Subscriber]).await, house.person("zoe", &[Role::Subscriber]).await);
    let application = async |person: &Person, name: &str| {
        let made = house.post(person, "/api/v1/applications", json!({"name": name})).await.is(201).json();
        format!("/api/v1/applications/{}/provided-keys", made["id"].as_str().unwrap())
    };
    let (shop, till) = (application(&sam, "Shop").await, application(&zoe, "Till").await);
    let key = json!({"key_manager": made["id"], "client_id": "https://their/client", "type": "production"});
    let provided = house.post(&sam, &shop, key.clone()).await.is(201).json();
    assert_eq!(provided["client_id"], "https://their/client");
    house
        .until_snapshot(|snapshot| {
            let of = snapshot.key_managers().first().map(|it| it.id);
            snapshot.client_of(of, "https://their/client").is_some()
                && snapshot.client("https://their/client").is_none()
        })
        .await;
    house.post(&sam, &shop, key.clone()).await.is(409);
    let taken = house.post(&zoe, &till, key.clone()).await.is(409);
    assert!(!taken.text.contains("Shop") && !taken.text.contains("sam"), "{}", taken.text);
    house.post(&zoe, &shop, key.clone()).await.is(404);
    house.get(&zoe, &shop).await.is(404);
    let mut unknown = key.clone();
    unknown["key_manager"] = json!(uuid::Uuid::nil());
    house.post(&sam, &shop, unknown).await.is(404);
    let mut nowhere = key.clone();
    nowhere["type"] = json!("staging");
    house.post(&sam, &shop, nowhere).await.is(400);
    assert_eq!(house.get(&sam, &shop).await.json()["items"], json!([provided]));
    let place = format!("{}/{}", made["id"].as_str().unwrap(), "https%3A%2F%2Ftheir%2Fclient");
    house.call(&zoe, Method::DELETE, &format!("{till}/{place}"), None).await.is(404);
    house.call(&sam, Method::DELETE, &format!("{shop}/{place}"), None).await.is(204);
    house.post(&zoe, &till, key.clone()).await.is(201);

    // With the key manager goes what was provided of it.
    let path = format!("/api/v1/key-managers/{}", made["id"].as_str().unwrap());
    let mut off = discovered();
    off.as_object_mut().unwrap().remove("name");
    off["enabled"] = json!(false);
    change(&house, &admin, &path, off, "\"1\"").await.is(200);
    assert_eq!(house.get(&sam, "/api/v1/issuers").await.json()["items"], json!([]));
    house
        .post(&sam, &shop, json!({"key_manager": made["id"], "client_id": "x", "type": "sandbox"}))
        .await
        .is(409);
    house.call(&admin, Method::DELETE, &path, None).await.is(204);
    assert_eq!(house.get(&zoe, &till).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_design_names_issuers_that_are_there() {
    let (house, admin) = house().await;
    house.post(&admin, "/api/v1/key-managers", discovered()).await.is(201);
    let mut api = crate::support::echo();
    api["issuers"] = json!(["resident", "Nobody"]);
    let refused = house.post(&admin, "/api/v1/apis", api.clone()).await.is(400).json();
    assert_eq!(refused["errors"][0]["pointer"], "/issuers");
    api["issuers"] = json!(["resident", "Corporate"]);
    api["publish"] = json!(true);
    let made = house.post(&admin, "/api/v1/apis", api.clone()).await.is(201).json();
    assert_eq!(made["issuers"], json!(["Corporate", "resident"]));
    let path = format!("/api/v1/apis/{}", made["id"].as_str().unwrap());
    let change_to = async |issuers: Value, etag: &str| {
        let mut body = json!({"description": "", "endpoints": api["endpoints"], "plans": api["plans"]});
        if !issuers.is_null() {
            body["issuers"] = issuers;
        }
        change(&house, &admin, &path, body, etag).await
    };
    assert_eq!(change_to(Value::Null, "*").await.is(200).json()["issuers"], made["issuers"], "as before");
    let all = change_to(json!(["all"]), "*").await.is(200).json();
    assert_eq!(all["issuers"], json!(["all"]));
    let difference = json!([{"field": "issuers", "live": "Corporate, resident", "working": "all"}]);
    assert_eq!(all["differs"], difference);
    change_to(json!(["all", "resident"]), "*").await.is(400);
}
