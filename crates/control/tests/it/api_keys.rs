//! API keys over REST: shown once, listed without their secret, nobody else's to know; and how an API takes them.

use axum::http::Method;
use serde_json::json;
use tidegate_model::role::Role;

use crate::support::{House, echo};

#[tokio::test]
async fn a_key_is_shown_once_and_is_nobody_elses() {
    let house = House::new().await;
    let sam = house.person("sam", &[Role::Subscriber]).await;
    let zoe = house.person("zoe", &[Role::Subscriber]).await;
    let shop = house.post(&sam, "/api/v1/applications", json!({"name": "Shop"})).await.is(201);
    let path = format!("/api/v1/applications/{}/api-keys", shop.json()["id"].as_str().unwrap());
    let body = json!({"name": "Station", "type": "sandbox", "expires_in_days": 1,
        "addresses": ["10.0.0.0/8"], "referers": ["https://page.test"]});
    let made = house.post(&sam, &path, body.clone()).await.is(201).json();
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("tgk_") && key.starts_with(made["prefix"].as_str().unwrap()));
    let listed = house.get(&sam, &path).await.is(200);
    assert!(!listed.text.contains(&key[10..]), "a secret is shown once: {}", listed.text);
    assert_eq!(listed.json()["items"][0]["addresses"], json!(["10.0.0.0/8"]));

    let of_key = format!("{path}/{}", made["id"].as_str().unwrap());
    let again = house.post(&sam, &format!("{of_key}/secret"), json!({})).await.is(200).json();
    assert!(again["key"] != made["key"] && again["id"] != made["id"]);
    assert_eq!(
        (&again["name"], &again["type"], &again["referers"]),
        (&made["name"], &made["type"], &made["referers"])
    );
    let of_next = format!("{path}/{}", again["id"].as_str().unwrap());
    for (method, path, body) in [
        (Method::GET, &path, None),
        (Method::POST, &path, Some(body)),
        (Method::POST, &format!("{of_next}/secret"), Some(json!({}))),
        (Method::DELETE, &of_next, None),
    ] {
        house.call(&zoe, method, path, body).await.is(404);
    }
    house.call(&sam, Method::DELETE, &of_key, None).await.is(404);
    house.call(&sam, Method::DELETE, &of_next, None).await.is(204);
    assert_eq!(house.get(&sam, &path).await.json()["items"], json!([]));
}

#[tokio::test]
async fn what_a_key_cannot_be_is_told_at_its_field() {
    let house = House::new().await;
    let sam = house.person("sam", &[Role::Subscriber]).await;
    let shop = house.post(&sam, "/api/v1/applications", json!({"name": "Shop"})).await.is(201);
    let path = format!("/api/v1/applications/{}/api-keys", shop.json()["id"].as_str().unwrap());
    for (body, pointer) in [
        (json!({"name": "", "type": "production"}), "/name"),
        (json!({"name": "x", "type": "test"}), "/type"),
        (json!({"name": "x", "type": "production", "expires_in_days": 0}), "/expires_in_days"),
        (json!({"name": "x", "type": "production", "expires_in_days": 3_651}), "/expires_in_days"),
        (json!({"name": "x", "type": "production", "addresses": ["nowhere"]}), "/addresses/0"),
        (json!({"name": "x", "type": "production", "referers": ["https://page.test", "*"]}), "/referers/1"),
    ] {
        let refused = house.post(&sam, &path, body.clone()).await.is(400).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}");
    }
}

#[tokio::test]
async fn the_security_of_an_api_is_read_back_and_stays_where_a_change_does_not_name_it() {
    let house = House::new().await;
    let carl = house.person("carl", &[Role::Creator]).await;
    let mut api = echo();
    api["security"] = json!({"accepts": ["oauth_header", "api_key_header"], "api_key_header": "X-Api-Key",
        "origins": ["https://page.test"]});
    let made = house.post(&carl, "/api/v1/apis", api).await.is(201).json();
    let security = json!({"accepts": ["oauth_header", "api_key_header"], "api_key_header": "X-Api-Key",
        "api_key_query": "apikey", "origins": ["https://page.test"]});
    assert_eq!(made["security"], security);
    let path = format!("/api/v1/apis/{}", made["id"].as_str().unwrap());
    let change = async |body: serde_json::Value| {
        let etag = house.get(&carl, &path).await.header("etag").to_owned();
        let request = House::request(&carl, &Method::PUT, &path).header("if-match", etag);
        let request = request.header("content-type", "application/json");
        house.send(request.body(body.to_string().into()).unwrap()).await
    };
    let unnamed = json!({"description": "x", "endpoints": {}, "plans": []});
    assert_eq!(change(unnamed.clone()).await.is(200).json()["security"], security);
    for (bad, pointer) in [
        (json!({"accepts": []}), "/security/accepts"),
        (json!({"accepts": ["oauth_header", "cookie"]}), "/security/accepts/1"),
        (json!({"accepts": ["basic"], "origins": ["*"]}), "/security/origins/0"),
        (json!({"origins": ["https://page.test/"]}), "/security/origins/0"),
        (json!({"api_key_header": "Host"}), "/security/api_key_header"),
    ] {
        let mut body = unnamed.clone();
        body["security"] = bad;
        let refused = change(body.clone()).await.is(400).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}");
    }
}
