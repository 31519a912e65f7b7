//! REST and bad input: each mistake has its status and its problem, fields are named, nothing is stored.

use std::time::{Duration, Instant};

use reqwest::{Method, Version};
use serde_json::{Value, json};

use crate::{
    portal::{Answer, Person, send},
    product::Product,
};

fn good() -> Value {
    json!({"name": "Good", "context": "/good", "version": "1.0",
        "endpoints": {"production": {"url": "ws://localhost:1"}}, "plans": ["Gold"]})
}

/// The good API with other members.
fn but(changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("members are an object") };
    let mut api = good();
    for (name, value) in changes {
        api[name] = value;
    }
    api
}

async fn count(admin: &Person<'_>) -> usize {
    admin.get("/apis?limit=200").await.is(200).json()["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_said_to_be_so() {
    let product = Product::start().await;
    let admin = product.portal.admin().await;
    let before = count(&admin).await;
    let raw = async |kind: &str, body: String| {
        send(admin.request(Method::POST, "/apis").header("content-type", kind).body(body)).await
    };
    let json_type = "application/json";
    let huge = but(json!({"description": "x".repeat(300_000)})).to_string();
    assert_eq!(raw(json_type, huge).await.is(413).problem(), "too-large");
    assert_eq!(raw("text/plain", good().to_string()).await.is(415).problem(), "unsupported-media-type");
    for broken in ["{", "", "[]", "null", "{\"name\": 1}", "\u{feff}{}"] {
        raw(json_type, broken.to_owned()).await.is(400).problem();
    }
    let unknown = raw(json_type, but(json!({"colour": "blue"})).to_string()).await.is(400);
    assert_eq!((unknown.problem().as_str(), unknown.fields()), ("validation", vec!["/colour".to_owned()]));
    let missing = raw(json_type, json!({"name": "x", "version": "1"}).to_string()).await.is(400);
    assert_eq!(missing.fields(), ["/context"]);
    let deep = raw(json_type, "[".repeat(100_000)).await.is(400);
    assert_eq!(deep.problem(), "malformed");
    assert_eq!(admin.get("/nothing").await.is(404).problem(), "not-found");
    assert_eq!(send(admin.request(Method::PATCH, "/apis")).await.is(405).problem(), "method-not-allowed");
    assert_eq!(admin.get("/apis/not-an-id").await.is(404).problem(), "not-found");
    assert_eq!(count(&admin).await, before, "nothing is stored");
    admin.post("/apis", good()).await.is(201);
}

#[tokio::test]
async fn a_body_that_nobody_wants_costs_neither_the_answer_nor_the_connection() {
    let product = Product::start().await;
    let pem = std::fs::read(product.certificate()).unwrap();
    let trusted = reqwest::Certificate::from_pem_bundle(&pem).unwrap();
    for version in [Version::HTTP_11, Version::HTTP_2] {
        // One connection at a time, as a page or a script holds it; which version is agreed in TLS.
        let http =
            reqwest::Client::builder().tls_certs_only(trusted.clone()).no_proxy().pool_max_idle_per_host(1);
        let http = if version == Version::HTTP_11 { http.http1_only() } else { http };
        let http = http.build().unwrap();
        let url = format!("{}/api/v1/session", product.at.portal);
        for (kind, len, status) in [
            ("application/json", 3 << 20, 413),
            ("text/plain", 1 << 20, 415),
            ("application/json", 300_000, 413),
        ] {
            for _ in 0..5 {
                let request = http.post(&url).header("content-type", kind).body("x".repeat(len));
                let refused =
                    request.send().await.unwrap_or_else(|error| panic!("{version:?} {len}: {error:?}"));
                assert_eq!((refused.status().as_u16(), refused.version()), (status, version), "{kind} {len}");
                let after = http.get(format!("{}/healthz", product.at.portal)).send().await;
                let after = after.unwrap_or_else(|error| panic!("{version:?} after {len}: {error:?}"));
                assert_eq!(after.status().as_u16(), 200);
            }
        }
    }
}

#[tokio::test]
async fn a_field_that_breaks_a_rule_is_named_and_nothing_is_stored() {
    let product = Product::start().await;
    let admin = product.portal.admin().await;
    admin.post("/apis", good()).await.is(201);
    let before = count(&admin).await;
    let url = |url: &str| json!({"context": "/new", "endpoints": {"production": {"url": url}}});
    for (changes, pointer) in [
        (json!({"context": "/new", "name": ""}), "/name"),
        (json!({"context": "/new", "name": "x".repeat(51)}), "/name"),
        (json!({"context": "/new", "name": "a/b"}), "/name"),
        (json!({"context": "/new/"}), "/context"),
        (json!({"context": "/new//x"}), "/context"),
        (json!({"context": "/a b"}), "/context"),
        (json!({"context": "/new", "version": "1 0"}), "/version"),
        (json!({"context": "/new", "version": ".."}), "/version"),
        (json!({"context": "/new", "plans": ["Platinum"]}), "/plans/0"),
        (url("http://localhost:1"), "/endpoints/production/url"),
        (url("localhost:1"), "/endpoints/production/url"),
        (url("ws://"), "/endpoints/production/url"),
        (url("ws://me:secret@localhost:1"), "/endpoints/production/url"),
    ] {
        for publish in [false, true] {
            let mut body = but(changes.clone());
            body["publish"] = json!(publish);
            let refused = admin.post("/apis", body).await.is(400);
            assert_eq!(
                (refused.problem().as_str(), refused.fields()),
                ("validation", vec![pointer.to_owned()])
            );
        }
    }
    let several = but(json!({"name": "", "context": "", "version": ""}));
    assert_eq!(admin.post("/apis", several).await.is(400).fields(), ["/name", "/context", "/version"]);
    let taken = admin.post("/apis", good()).await.is(409);
    assert_eq!((taken.problem().as_str(), taken.fields()), ("duplicate", vec!["/version".to_owned()]));
    let of_another = admin.post("/apis", but(json!({"name": "Another", "version": "2.0"}))).await.is(409);
    assert_eq!(of_another.fields(), ["/context"], "a context belongs to one name");
    let new = |changes: Value| {
        let mut body = but(changes);
        for (name, value) in [("name", "New"), ("context", "/new")] {
            body[name] = json!(value);
        }
        body["publish"] = json!(true);
        body
    };
    for (changes, pointer) in [(json!({"endpoints": {}}), "/endpoints"), (json!({"plans": []}), "/plans")] {
        let refused = admin.post("/apis", new(changes)).await;
        assert!(matches!(refused.status, 400 | 409), "{}", refused.text);
        assert!(refused.text.contains(pointer), "what is missing is named: {}", refused.text);
    }
    assert_eq!(count(&admin).await, before, "nothing is stored");
    admin.post("/apis", new(json!({}))).await.is(201);
}

#[tokio::test]
async fn a_role_decides_what_its_holder_may_do() {
    let product = Product::start().await;
    let portal = &product.portal;
    let (creator, publisher) = (portal.person("creator").await, portal.person("publisher").await);
    let (admin, developer) = (portal.admin().await, portal.person("developer").await);
    let made = creator.post("/apis", good()).await.is(201).json();
    let id = made["id"].as_str().unwrap();
    let before = count(&admin).await;
    let forbidden = |answer: Answer| assert_eq!(answer.is(403).problem(), "forbidden");

    let mut at_once = but(json!({"name": "New", "context": "/new"}));
    at_once["publish"] = json!(true);
    forbidden(creator.post("/apis", at_once.clone()).await);
    forbidden(creator.lifecycle(id, "publish").await);
    forbidden(creator.post("/applications", json!({"name": "x"})).await);
    forbidden(publisher.post("/apis", at_once.clone()).await);
    forbidden(publisher.delete(&format!("/apis/{id}")).await);
    forbidden(publisher.post(&format!("/apis/{id}/versions"), json!({"version": "2"})).await);
    for path in ["/apis".to_owned(), format!("/apis/{id}"), format!("/apis/{id}/traffic")] {
        forbidden(developer.get(&path).await);
    }
    forbidden(developer.post("/apis", at_once).await);
    assert_eq!(count(&admin).await, before, "nothing is stored");
    publisher.lifecycle(id, "publish").await.is(200);

    let application = developer.application("Mine", "Unlimited").await;
    assert_eq!(admin.get(&format!("/applications/{application}")).await.is(200).json()["owner"], "developer");
    let nobody = product.portal.get("/api/v1/apis").await.is(401);
    assert_eq!(
        (nobody.problem().as_str(), nobody.header("www-authenticate")),
        ("unauthenticated", "Bearer realm=\"Tidegate\"")
    );
    let unknown = product.portal.request(Method::GET, "/api/v1/apis").bearer_auth("tgp_0123456789");
    send(unknown).await.is(401);
}

#[tokio::test]
async fn a_wrong_password_costs_constant_work_and_patience() {
    let product = Product::start().await;
    let (mut known, mut unknown) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        for (name, fastest) in [("creator", &mut known), ("nobody", &mut unknown)] {
            let begun = Instant::now();
            let refused = product.portal.sign_in(name, "wrong").await.is(401);
            *fastest = begun.elapsed().min(*fastest);
            assert_eq!(refused.problem(), "unauthenticated");
            assert!(refused.header("set-cookie").is_empty());
        }
    }
    // Both hash a password; whoever skips it would answer a hundred times sooner.
    assert!(unknown * 3 > known && known * 3 > unknown, "known {known:?}, unknown {unknown:?}");

    let password = product.portal.password("publisher");
    for _ in 0..5 {
        product.portal.sign_in("publisher", "wrong").await.is(401);
    }
    let throttled = product.portal.sign_in("Publisher", &password).await.is(429);
    assert_eq!(throttled.problem(), "throttled");
    let seconds: u64 = throttled.header("retry-after").parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    product.portal.sign_in("developer", &product.portal.password("developer")).await.is(200);
    let patience = Duration::from_secs(seconds + 2);
    crate::wait::until("the end of the wait", patience, async || {
        (product.portal.sign_in("publisher", &password).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing() {
    let product = Product::start().await;
    let portal = &product.portal;
    let signed_in = portal.sign_in("creator", &portal.password("creator")).await.is(200);
    let cookie = signed_in.header("set-cookie").to_owned();
    for flag in ["__Host-", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(flag), "{flag}: {cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    let csrf = signed_in.json()["csrf_token"].as_str().unwrap().to_owned();
    let with_cookie = |method: Method, path: &str| {
        portal.request(method, &format!("/api/v1{path}")).header("cookie", cookie)
    };
    let create = || with_cookie(Method::POST, "/apis").json(&good());
    let foreign = ("origin", "https://evil.example");
    assert_eq!(send(create()).await.is(403).problem(), "forged");
    assert_eq!(send(create().header("x-csrf-token", "guess")).await.is(403).problem(), "forged");
    let elsewhere = create().header("x-csrf-token", &csrf).header(foreign.0, foreign.1);
    assert_eq!(send(elsewhere).await.is(403).problem(), "forged");
    let cross_site = create().header("x-csrf-token", &csrf).header("sec-fetch-site", "cross-site");
    assert_eq!(send(cross_site).await.is(403).problem(), "forged");
    let listed = send(with_cookie(Method::GET, "/apis")).await.is(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "the demo alone: {listed}");
    send(create().header("x-csrf-token", &csrf).header("origin", &product.at.portal)).await.is(201);

    assert_eq!(send(with_cookie(Method::DELETE, "/session")).await.is(403).problem(), "forged");
    send(with_cookie(Method::DELETE, "/session").header("x-csrf-token", &csrf)).await.is(204);
    send(with_cookie(Method::GET, "/session")).await.is(401);
}
