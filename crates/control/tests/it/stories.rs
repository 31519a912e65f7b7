//! What people do with REST, and what bad input is answered.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    body::Body,
    http::{Method, header},
};
use serde_json::{Value, json};
use tidegate_model::{
    endpoint::Environment,
    fact::{Batch, CountKey, Counts, OpenSessions},
    id::{ApiId, ApplicationId, BootId},
    link::Up,
    role::Role,
    target::{TargetFacts, TargetState},
    time::Timestamp,
};
use uuid::Uuid;

use crate::support::{House, PASSWORD, Person, echo};

#[tokio::test]
async fn create_and_publish_is_all_or_nothing() {
    let house = House::new().await;
    let admin = house.person("admin", &[Role::Admin]).await;
    let mut incomplete = echo();
    incomplete["publish"] = json!(true);
    incomplete["plans"] = json!([]);
    let answer = house.post(&admin, "/api/v1/apis", incomplete).await.is(400);
    assert_eq!(answer.json()["errors"][0]["pointer"], "/plans");
    assert!(house.get(&admin, "/api/v1/apis").await.json()["items"].as_array().unwrap().is_empty());

    let mut complete = echo();
    complete["publish"] = json!(true);
    let answer = house.post(&admin, "/api/v1/apis", complete).await.is(201);
    let api = answer.json();
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!((api["state"].as_str(), api["live"]["revision"].as_u64()), (Some("published"), Some(1)));
    assert_eq!(api["urls"]["ws"], "ws://localhost:9099/echowebsocket/1.0");
    let found = house.get(&Person::default(), "/api/v1/catalogue?q=echo").await.is(200).json();
    let limit = json!({"amount": 5000, "unit": "messages", "per": "minute", "counting": "calendar",
        "burst": null, "direction": "both"});
    assert_eq!(found["items"][0]["plans"][0]["limits"], json!([limit]));
    assert!(!found.to_string().contains("9098"), "the backend's address is nobody's business");
}

#[tokio::test]
async fn a_change_needs_the_tag_it_is_based_on_and_shows_what_differs() {
    let house = House::new().await;
    let admin = house.person("admin", &[Role::Admin]).await;
    let mut input = echo();
    input["publish"] = json!(true);
    let api = house.post(&admin, "/api/v1/apis", input).await.json();
    let path = format!("/api/v1/apis/{}", api["id"].as_str().unwrap());
    let change = json!({"description": "x", "endpoints": {"production": {"url": "ws://other:1"}}, "plans": ["Gold", "Silver"]});
    assert_eq!(
        house.call(&admin, Method::PUT, &path, Some(change.clone())).await.is(428).kind(),
        "precondition-required"
    );
    let put = |tag: &str| {
        let request = House::request(&admin, &Method::PUT, &path).header(header::IF_MATCH, tag);
        request.header(header::CONTENT_TYPE, "application/json").body(Body::from(change.to_string())).unwrap()
    };
    assert_eq!(house.send(put("\"7\"")).await.is(412).kind(), "stale");
    let changed = house.send(put("\"1\"")).await.is(200).json();
    let fields: Vec<_> =
        changed["differs"].as_array().unwrap().iter().map(|d| d["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["description", "endpoints.production.url"]);
    assert_eq!(changed["live"]["revision"], 1);
    house.call(&admin, Method::POST, &format!("{path}/deployments"), None).await.is(201);
    let after = house.get(&admin, &path).await.json();
    assert!(after["differs"].as_array().unwrap().is_empty() && after["live"]["revision"] == 2);
    let revisions = house.get(&admin, &format!("{path}/revisions")).await.json();
    assert_eq!(revisions["items"][0]["live"], true);
    assert_eq!(revisions["items"][1]["live"], false);
}

#[tokio::test]
async fn bad_fields_and_bad_bodies_get_a_problem_that_names_the_place() {
    let house = House::new().await;
    let creator = house.person("creator", &[Role::Creator]).await;
    house.post(&creator, "/api/v1/apis", echo()).await.is(201);
    for (field, value, status, kind, pointer) in [
        ("name", json!("a/b"), 400, "validation", "/name"),
        ("context", json!("/a b"), 400, "validation", "/context"),
        ("version", json!("1 0"), 400, "validation", "/version"),
        (
            "endpoints",
            json!({"production": {"url": "http://x"}}),
            400,
            "validation",
            "/endpoints/production/url",
        ),
        (
            "endpoints",
            json!({"sandbox": {"url": "ws://x", "idle_timeout_ms": 1}}),
            400,
            "validation",
            "/endpoints/sandbox/idle_timeout_ms",
        ),
        ("plans", json!(["Platinum"]), 400, "validation", "/plans/0"),
        ("protocol", json!({"compression": "zip"}), 400, "validation", "/protocol/compression"),
        ("protocol", json!({"message_bytes_max": 100}), 400, "validation", "/protocol/message_bytes_max"),
        ("colour", json!("blue"), 400, "validation", "/colour"),
        ("name", json!("EchoWebSocket"), 409, "duplicate", "/version"),
        ("name", json!("Other"), 409, "duplicate", "/version"),
    ] {
        let mut input = echo();
        input[field] = value.clone();
        let answer = house.post(&creator, "/api/v1/apis", input).await.is(status);
        assert_eq!(
            (answer.kind().as_str(), answer.json()["errors"][0]["pointer"].as_str()),
            (kind, Some(pointer)),
            "{field} {value}"
        );
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    let mut taken = echo();
    (taken["name"], taken["version"]) = (json!("Other"), json!("2.0"));
    let answer = house.post(&creator, "/api/v1/apis", taken).await.is(409);
    assert_eq!(answer.json()["errors"][0]["pointer"], "/context");
    assert_eq!(house.get(&creator, "/api/v1/apis").await.json()["items"].as_array().unwrap().len(), 1);

    let raw = |kind: &str, body: String| {
        let request =
            House::request(&creator, &Method::POST, "/api/v1/apis").header(header::CONTENT_TYPE, kind);
        house.send(request.body(Body::from(body)).unwrap())
    };
    assert_eq!(raw("text/plain", "{}".to_owned()).await.is(415).kind(), "unsupported-media-type");
    assert_eq!(raw("application/json", "{".to_owned()).await.is(400).kind(), "malformed");
    assert_eq!(raw("application/json", "x".repeat(300_000)).await.is(413).kind(), "too-large");
    assert_eq!(house.get(&creator, "/api/v1/apis/not-an-id").await.is(404).kind(), "not-found");
    assert_eq!(house.get(&creator, "/api/v1/nothing").await.is(404).kind(), "not-found");
    assert_eq!(
        house.call(&creator, Method::PATCH, "/api/v1/apis", None).await.is(405).kind(),
        "method-not-allowed"
    );
}

#[tokio::test]
async fn wrong_passwords_are_slowed_down_and_a_forged_call_is_refused() {
    let house = House::new().await;
    let admin = house.person("admin", &[Role::Admin]).await;
    let try_with = |password: &str| json!({"username": "Admin", "password": password});
    let nobody = Person::default();
    for _ in 0..5 {
        assert_eq!(
            house.post(&nobody, "/api/v1/session", try_with("wrong")).await.is(401).kind(),
            "unauthenticated"
        );
    }
    let throttled = house.post(&nobody, "/api/v1/session", try_with(PASSWORD)).await.is(429);
    assert_eq!((throttled.kind().as_str(), throttled.header("retry-after")), ("throttled", "1"));
    house.clock.0.fetch_add(1_000, Ordering::Relaxed);
    let answer = house.post(&nobody, "/api/v1/session", try_with(PASSWORD)).await.is(200);
    let cookie = answer.header("set-cookie");
    for flag in ["__Host-", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(flag), "{cookie}");
    }

    let forged = House::request(&admin, &Method::POST, "/api/v1/apis").header("x-csrf-token", "guess");
    let forged = forged.header(header::ORIGIN, "https://evil.example").body(Body::empty()).unwrap();
    assert_eq!(house.send(forged).await.is(403).kind(), "forged");
    house.clock.0.fetch_add(13 * 3_600_000, Ordering::Relaxed);
    house.get(&admin, "/api/v1/session").await.is(401);
}

#[tokio::test]
async fn a_personal_access_token_works_without_cookie_until_it_is_deleted() {
    let house = House::new().await;
    let creator = house.person("creator", &[Role::Creator]).await;
    let made = house
        .post(&creator, "/api/v1/tokens", json!({"name": "ci", "expires_in_days": 1}))
        .await
        .is(201)
        .json();
    let bearer = || {
        let request = House::request(&Person::default(), &Method::POST, "/api/v1/apis");
        let request =
            request.header(header::AUTHORIZATION, format!("Bearer {}", made["token"].as_str().unwrap()));
        request.header(header::CONTENT_TYPE, "application/json").body(Body::from(echo().to_string())).unwrap()
    };
    house.send(bearer()).await.is(201);
    assert!(!house.get(&creator, "/api/v1/tokens").await.text.contains(made["token"].as_str().unwrap()));
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    house.call(&creator, Method::DELETE, &path, None).await.is(204);
    house.send(bearer()).await.is(401);
}

#[tokio::test]
async fn applications_of_others_are_not_there() {
    let house = House::new().await;
    let one = house.person("one", &[Role::Subscriber]).await;
    let other = house.person("other", &[Role::Subscriber]).await;
    let made = house.post(&one, "/api/v1/applications", json!({"name": "Mine"})).await.is(201).json();
    let path = format!("/api/v1/applications/{}", made["id"].as_str().unwrap());
    house.get(&one, &path).await.is(200);
    for answer in [
        house.get(&other, &path).await,
        house.get(&other, &format!("{path}/keys")).await,
        house.post(&other, &format!("{path}/keys"), json!({"type": "production"})).await,
        house.call(&other, Method::DELETE, &path, None).await,
    ] {
        assert_eq!(answer.is(404).kind(), "not-found");
    }
    assert_eq!(
        house.post(&one, "/api/v1/applications", json!({"name": "mine"})).await.is(409).kind(),
        "duplicate"
    );
    assert!(house.get(&other, "/api/v1/applications").await.json()["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn traffic_is_what_gateways_reported_once() {
    let house = House::new().await;
    let admin = house.person("admin", &[Role::Admin]).await;
    let api = house.post(&admin, "/api/v1/apis", echo()).await.json();
    let id: Uuid = api["id"].as_str().unwrap().parse().unwrap();
    let counts =
        Counts { sessions: 1, messages_from_clients: 3, bytes_from_clients: 12, ..Counts::default() };
    let application = ApplicationId(Uuid::from_u128(7));
    let key = CountKey {
        minute: Timestamp(1_800_000_000_000),
        api: ApiId(id),
        application: Some(application),
        plan: "Gold".to_owned(),
    };
    let batch = Arc::new(Batch {
        boot: BootId(Uuid::from_u128(1)),
        number: 1,
        counts: vec![(key, counts)],
        sessions: vec![],
        usage: vec![],
    });
    house.gateway_says(Up::Presence(vec![OpenSessions { api: ApiId(id), application, open: 2 }])).await;
    house.gateway_says(Up::Batch(Arc::clone(&batch))).await;
    house.gateway_says(Up::Batch(batch)).await;
    let path = format!("/api/v1/apis/{id}/traffic?minutes=2");
    // The link is read in order: once a later change was applied, the batches before it were stored.
    house.post(&admin, "/api/v1/applications", json!({"name": "x"})).await.is(201);
    let traffic = loop {
        let traffic = house.get(&admin, &path).await.is(200).json();
        if traffic["totals"]["sessions"] == 1 {
            break traffic;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(traffic["sessions_open"], 2);
    assert_eq!(traffic["minutes"].as_array().unwrap().len(), 2);
    assert_eq!(traffic["minutes"][1]["messages_from_clients"], 3);
    assert_eq!(traffic["totals"]["bytes_from_clients"], 12);
}

#[tokio::test]
async fn the_health_of_an_endpoints_addresses_is_what_gateways_told_last() {
    let house = House::new().await;
    let admin = house.person("admin", &[Role::Admin]).await;
    let mut body = echo();
    body["publish"] = json!(true);
    body["endpoints"] = json!({"production": {"url": "ws://one", "others": ["ws://two"]}});
    let api = house.post(&admin, "/api/v1/apis", body).await.is(201).json();
    let path = format!("/api/v1/apis/{}/endpoints/health", api["id"].as_str().unwrap());
    let health = house.get(&admin, &path).await.is(200).json();
    let states = |health: &serde_json::Value, field: &str| {
        let targets = health["production"].as_array().unwrap().clone();
        targets.iter().map(|it| it[field].clone()).collect::<Vec<_>>()
    };
    assert_eq!(states(&health, "url"), ["ws://one", "ws://two"], "{health}");
    assert_eq!(states(&health, "state"), ["unknown", "unknown"], "{health}");
    assert!(health["sandbox"].as_array().unwrap().is_empty());
    let facts = |url: &str, state, failures| TargetFacts {
        api: ApiId(api["id"].as_str().unwrap().parse().unwrap()),
        environment: Environment::Production,
        url: url.to_owned(),
        state,
        failures,
        open: 2,
        last_check: None,
    };
    house.gateway_says(Up::Targets(vec![facts("ws://one", TargetState::Up, 0)])).await;
    let suspended = facts("ws://two", TargetState::Suspended { left_ms: 30_000 }, 3);
    house.gateway_says(Up::Targets(vec![facts("ws://one", TargetState::Unhealthy, 0), suspended])).await;
    // The link is read in order: once a later change was applied, what was told before it is known.
    house.post(&admin, "/api/v1/applications", json!({"name": "x"})).await.is(201);
    let health = loop {
        let health = house.get(&admin, &path).await.is(200).json();
        if states(&health, "state") == ["unhealthy", "suspended"] {
            break health;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(states(&health, "suspended_seconds"), [0, 30], "{health}");
    assert_eq!(states(&health, "sessions_open"), [2, 2], "{health}");
    let developer = house.person("developer", &[Role::Subscriber]).await;
    house.get(&developer, &path).await.is(403);
}

#[tokio::test]
async fn problem_types_lead_to_a_page_whoever_answered_with_them() {
    let house = House::new().await;
    let nobody = Person::default();
    for (kind, title) in [("stale", "Someone else changed it"), ("quota", "The limit of the plan is reached")]
    {
        let page = house.call(&nobody, Method::GET, &format!("/problems/{kind}"), None).await.is(200);
        assert!(page.text.contains(title), "{}", page.text);
    }
    house.call(&nobody, Method::GET, "/problems/nonsense", None).await.is(404);
}

#[tokio::test]
async fn the_protocol_stays_as_it_was_where_a_change_does_not_name_it() {
    let house = House::new().await;
    let creator = house.person("creator", &[Role::Creator]).await;
    let mut input = echo();
    input["protocol"] = json!({"compression": "terminate", "message_bytes_max": 1_000});
    let api = house.post(&creator, "/api/v1/apis", input).await.is(201).json();
    let made = json!({
        "compression": "terminate", "frame_checks": true, "utf8_check": true, "message_bytes_max": 1_000, "frame_bytes_max": 16_777_216,
    });
    assert_eq!(api["protocol"], made);
    let path = format!("/api/v1/apis/{}", api["id"].as_str().unwrap());
    let put = async |tag: &str, protocol: Value| {
        let mut change = json!({"description": "x", "endpoints": {}, "plans": []});
        if !protocol.is_null() {
            change["protocol"] = protocol;
        }
        let request = House::request(&creator, &Method::PUT, &path).header(header::IF_MATCH, tag);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        house.send(request.body(Body::from(change.to_string())).unwrap()).await.is(200).json()
    };
    assert_eq!(put("\"1\"", Value::Null).await["protocol"], made);
    let changed = put("\"2\"", json!({"utf8_check": false})).await;
    assert_eq!(
        (&changed["protocol"]["compression"], &changed["protocol"]["utf8_check"]),
        (&json!("off"), &json!(false))
    );
}

#[tokio::test]
async fn the_secrets_of_a_backend_come_in_and_never_out() {
    let house = House::new().await;
    let creator = house.person("creator", &[Role::Creator, Role::Publisher]).await;
    let mut input = echo();
    let credential = json!({"kind": "basic", "username": "me", "password": "hidden-password"});
    let endpoint = json!({"url": "wss://backend.example.com", "credential": credential});
    input["endpoints"] = json!({"production": endpoint});
    input["headers"] = json!({"deny": ["X-Debug"], "set": [{"name": "X-Plan", "value": "{plan}"}]});
    input["mappings"] = json!([{"topic": "/rooms/{room}", "backend": "/chat?room={room}"}]);
    let api = house.post(&creator, "/api/v1/apis", input).await.is(201).json();
    let path = format!("/api/v1/apis/{}", api["id"].as_str().unwrap());
    let shown = json!({"kind": "basic", "username": "me"});
    assert_eq!(api["endpoints"]["production"]["credential"], shown);
    assert_eq!(api["headers"]["set"], json!([{"name": "X-Plan", "value": "{plan}"}]));

    // What was answered can be sent back: the secret stays, and so do the fields that are not named.
    house.post(&creator, &format!("{path}/deployments"), json!({})).await.is(201);
    let put = async |tag: &str, endpoint: Value| {
        let change =
            json!({"description": "", "endpoints": {"production": endpoint}, "plans": ["Gold", "Silver"]});
        let request = House::request(&creator, &Method::PUT, &path).header(header::IF_MATCH, tag);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        house.send(request.body(Body::from(change.to_string())).unwrap()).await
    };
    let same = put("\"2\"", api["endpoints"]["production"].clone()).await.is(200).json();
    assert_eq!((&same["differs"], &same["mappings"]), (&json!([]), &api["mappings"]));

    // Nobody has it sent to another machine.
    let elsewhere = json!({"url": "wss://elsewhere.example.com", "credential": shown});
    let problem = put("\"3\"", elsewhere).await.is(400).json();
    assert_eq!(problem["errors"][0]["pointer"], "/endpoints/production/credential/password");

    let renewed = json!({"kind": "basic", "username": "me", "password": "hidden-too"});
    let changed = put("\"3\"", json!({"url": "wss://backend.example.com", "credential": renewed})).await;
    let changed = changed.is(200).json();
    let difference =
        json!([{"field": "endpoints.production.credential.secret", "live": "set", "working": "set anew"}]);
    assert_eq!(changed["differs"], difference);
    for read in ["", "/revisions", "/changes"] {
        let answer = house.get(&creator, &format!("{path}{read}")).await.is(200).json();
        assert!(!answer.to_string().contains("hidden"), "{read}: {answer}");
    }
}
