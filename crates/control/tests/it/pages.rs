//! The portal's shell, and addresses that lead nowhere.

use axum::{
    body::Body,
    http::{Method, header},
};

use tidegate_control::Settings;
use tidegate_model::role::Role;

use crate::support::{House, Person};

#[tokio::test]
async fn an_address_that_leads_nowhere_is_a_page_for_people_and_a_problem_for_programs() {
    let house = House::new().await;
    for path in ["/nowhere", "/index.html", "/nowhere/at/all"] {
        assert_eq!(house.get(&Person::default(), path).await.is(404).kind(), "not-found");
        let browser = House::request(&Person::default(), &Method::GET, path);
        let browser = browser.header(header::ACCEPT, "text/html,application/xhtml+xml");
        let page = house.send(browser.body(Body::empty()).unwrap()).await.is(404);
        assert_eq!(page.text, "<!doctype html>");
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    }
    assert_eq!(house.get(&Person::default(), "/devportal").await.is(200).text, "<!doctype html>");
}

/// Every kind of answer: a page, a file that is not there, REST that works and that refuses, the token endpoint, health.
#[tokio::test]
async fn every_answer_tells_a_browser_what_it_may_do_with_it() {
    let house = House::new().await;
    let admin = house.person("boss", &[Role::Admin]).await;
    let nobody = Person::default();
    let settings = Settings {
        host: "gateway.example.com".to_owned(),
        portal_url: "https://gateway.example.com".to_owned(),
        issuer: "https://gateway.example.com".to_owned(),
        ..Settings::default()
    };
    house.control.set_settings(settings);
    for (method, path, person, status) in [
        (Method::GET, "/", &nobody, 200),
        (Method::GET, "/publisher/apis/x", &nobody, 200),
        (Method::GET, "/assets/x.js", &nobody, 404),
        (Method::GET, "/nowhere", &nobody, 404),
        (Method::GET, "/problems/stale", &nobody, 200),
        (Method::GET, "/healthz", &nobody, 200),
        (Method::GET, "/api/v1/settings", &nobody, 200),
        (Method::GET, "/api/v1/openapi.json", &nobody, 200),
        (Method::GET, "/api/v1/apis", &nobody, 401),
        (Method::GET, "/api/v1/users", &admin, 200),
        (Method::GET, "/api/v1/users/x", &admin, 404),
        (Method::PATCH, "/api/v1/users", &admin, 405),
        (Method::GET, "/oauth2/jwks", &nobody, 200),
        (Method::GET, "/.well-known/openid-configuration", &nobody, 200),
    ] {
        let answer = house.call(person, method.clone(), path, None).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text);
        let policy = answer.header("content-security-policy");
        for part in ["script-src 'self';", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert_ne!(answer.header("content-type"), "", "{path}: nothing is left to be guessed");
    }
}
