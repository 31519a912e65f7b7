//! Certificates of applications over REST: one application's alone, nobody else's to know, and never with their key.

use axum::http::Method;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use tidegate_model::role::Role;

use crate::support::House;

/// A certificate of these years, and its key, as PEM.
fn made(from: i32, to: i32) -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "station-7");
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[tokio::test]
async fn a_certificate_is_one_applications_and_nobody_elses_to_see() {
    let house = House::new().await;
    let sam = house.person("sam", &[Role::Subscriber]).await;
    let zoe = house.person("zoe", &[Role::Subscriber]).await;
    let path = async |person, name: &str| {
        let made = house.post(person, "/api/v1/applications", json!({ "name": name })).await.is(201);
        format!("/api/v1/applications/{}/certificates", made.json()["id"].as_str().unwrap())
    };
    let (shop, kiosk, till) = (path(&sam, "Shop").await, path(&sam, "Kiosk").await, path(&zoe, "Till").await);
    let pem = made(2020, 2100).0;
    let body = json!({"name": "Station", "type": "sandbox", "certificate": pem});
    let added = house.post(&sam, &shop, body.clone()).await.is(201).json();
    assert!(added["subject"].as_str().unwrap().contains("CN=station-7"), "{added}");
    assert_eq!(
        (&added["begins_at"], &added["expires_at"], &added["type"]),
        (&json!("2020-01-01T00:00:00Z"), &json!("2100-01-01T00:00:01Z"), &json!("sandbox"))
    );
    assert_eq!(house.get(&sam, &shop).await.is(200).json()["items"], json!([added]));
    // Not again, not in another application of the owner's, and not in somebody else's; whose it is, is not said.
    for (person, path) in [(&sam, &shop), (&sam, &kiosk), (&zoe, &till)] {
        let refused = house.post(person, path, body.clone()).await.is(409);
        assert!(refused.text.contains("/certificate") && !refused.text.contains("Shop"), "{}", refused.text);
    }
    let one = format!("{shop}/{}", added["id"].as_str().unwrap());
    for (method, path, body) in
        [(Method::GET, &shop, None), (Method::POST, &shop, Some(body.clone())), (Method::DELETE, &one, None)]
    {
        house.call(&zoe, method, path, body).await.is(404);
    }
    let elsewhere = format!("{kiosk}/{}", added["id"].as_str().unwrap());
    house.call(&sam, Method::DELETE, &elsewhere, None).await.is(404);
    house.call(&sam, Method::DELETE, &one, None).await.is(204);
    house.call(&sam, Method::DELETE, &one, None).await.is(404);
    house.post(&zoe, &till, body).await.is(201);
}

#[tokio::test]
async fn what_a_certificate_cannot_be_is_told_at_its_field() {
    let house = House::new().await;
    let sam = house.person("sam", &[Role::Subscriber]).await;
    let shop = house.post(&sam, "/api/v1/applications", json!({"name": "Shop"})).await.is(201);
    let path = format!("/api/v1/applications/{}/certificates", shop.json()["id"].as_str().unwrap());
    let (good, key) = made(2020, 2100);
    let body = |name: &str, kind: &str, pem: &str| json!({"name": name, "type": kind, "certificate": pem});
    for (body, pointer, code) in [
        (body("", "production", &good), "/name", "required"),
        (body("x", "test", &good), "/type", "unknown_type"),
        (body("x", "production", "hello"), "/certificate", "malformed"),
        (body("x", "production", &format!("{good}{key}")), "/certificate", "private_key"),
        (body("x", "production", &format!("{good}{good}")), "/certificate", "several"),
        (body("x", "production", &made(2001, 2002).0), "/certificate", "expired"),
    ] {
        let refused = house.post(&sam, &path, body).await.is(400);
        let error = &refused.json()["errors"][0];
        assert_eq!((&error["pointer"], &error["code"]), (&json!(pointer), &json!(code)), "{}", refused.text);
        assert!(!refused.text.contains(&key[40..60]), "what was pasted is not repeated");
    }
    assert_eq!(house.get(&sam, &path).await.json()["items"], Value::Array(Vec::new()));
    // One that begins later is for the change of certificates that is planned.
    house.post(&sam, &path, body("Next", "production", &made(2090, 2100).0)).await.is(201);
}
