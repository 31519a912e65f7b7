//! What must not work and takes a clock, a form's bytes or an access token to show. Requests for codes and tokens that are
//! spoiled in one way each are put to the real binary, and to a server of other hands, in the black-box tests.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::client::{CHALLENGE, Stage, form, parameter};
use crate::support::Person;

#[tokio::test]
async fn a_client_that_may_not_ask_for_codes_is_told_so() {
    let stage = Stage::new().await;
    stage.code("openid").await;
    stage.update_key(json!({"grants": ["client_credentials"]})).await.is(200);
    let answer = stage.authorize(&stage.ada, &form(&stage.asking("openid"))).await.is(303);
    assert_eq!(parameter(answer.header("location"), "error").as_deref(), Some("unauthorized_client"));
    assert_eq!(parameter(answer.header("location"), "code"), None);
}

#[tokio::test]
async fn a_code_is_worth_nothing_after_its_minute_its_use_or_its_person() {
    let stage = Stage::new().await;
    let later = |millis: i64| stage.house.clock.0.fetch_add(millis, std::sync::atomic::Ordering::Relaxed);
    let refused = async |code: &str| {
        let answer = stage.token(&form(&stage.redeeming(code))).await.is(400).json();
        assert_eq!(answer["error"], "invalid_grant");
    };
    let late = stage.code("openid").await;
    later(60_000);
    refused(&late).await;
    let just = stage.code("openid").await;
    later(59_999);
    let tokens = stage.token(&form(&stage.redeeming(&just))).await.is(200).json();
    later(30_000);
    assert!(stage.is_active(tokens["access_token"].as_str().unwrap()).await);
    // Whoever comes second need not know more than the code.
    let again = stage.redeeming(&just).into_iter().map(|(name, value)| match name {
        "code_verifier" => (name, CHALLENGE),
        _ => (name, value),
    });
    stage.token(&form(&again.collect::<Vec<_>>())).await.is(400);
    assert!(!stage.is_active(tokens["access_token"].as_str().unwrap()).await, "the first lost what it got");
    stage.refresh(tokens["refresh_token"].as_str().unwrap()).await.is(400);
    refused(&just).await;
}

#[tokio::test]
async fn endpoints_of_clients_take_one_form_by_post() {
    let stage = Stage::new().await;
    let basic = |id: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let (id, secret) = (stage.client.id.as_str(), stage.client.secret.as_str());
    let plain = "application/x-www-form-urlencoded";
    for path in ["/oauth2/token", "/oauth2/revoke", "/oauth2/introspect"] {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let query =
                form(&[("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)]);
            let answer =
                stage.house.call(&Person::default(), method.clone(), &format!("{path}?{query}"), None).await;
            assert_eq!(answer.status.as_u16(), 405, "{method} {path}");
        }
        let body = "grant_type=client_credentials&token=x";
        let (own, wrong) = (basic(id, secret), basic(id, "wrong"));
        for (name, kind, fields, body, status) in [
            (
                "JSON",
                "application/json",
                vec![&own],
                "{\"grant_type\":\"client_credentials\"}".to_owned(),
                400,
            ),
            ("a form by parts", "multipart/form-data; boundary=x", vec![&own], body.to_owned(), 400),
            ("text", "text/plain", vec![&own], body.to_owned(), 400),
            ("no type", "", vec![&own], body.to_owned(), 400),
            ("two ways of proof", plain, vec![&own], format!("{body}&client_secret={secret}"), 400),
            ("two fields", plain, vec![&own, &own], body.to_owned(), 400),
            ("another client named", plain, vec![&own], format!("{body}&client_id=other"), 400),
            ("a wrong secret", plain, vec![&wrong], body.to_owned(), 401),
            ("a bearer", plain, vec![&"Bearer x".to_owned()], body.to_owned(), 401),
            ("nobody", plain, vec![], body.to_owned(), 401),
            ("an id alone", plain, vec![], format!("{body}&client_id={id}"), 401),
            ("a form without end", plain, vec![&own], format!("{body}&x={}", "x".repeat(9_000)), 400),
            ("many parameters", plain, vec![&own], format!("{body}{}", "&x".repeat(70)), 400),
            ("bytes that are no text", plain, vec![&own], format!("{body}&x=%ff"), 400),
            ("a broken escape", plain, vec![&own], format!("{body}&x=%zz"), 400),
        ] {
            let mut request = Request::builder().method(Method::POST).uri(path);
            if !kind.is_empty() {
                request = request.header(header::CONTENT_TYPE, kind);
            }
            for field in fields {
                request = request.header(header::AUTHORIZATION, field);
            }
            let answer = stage.house.send(request.body(Body::from(body)).unwrap()).await;
            assert_eq!(answer.status.as_u16(), status, "{name} at {path}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn what_is_not_advertised_does_not_work() {
    let stage = Stage::new().await;
    let known = stage.house.get(&Person::default(), "/.well-known/openid-configuration").await.is(200).json();
    let grants: Vec<_> =
        known["grant_types_supported"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    for grant in [
        "password",
        "implicit",
        "none",
        "client_credentials ",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "urn:openid:params:grant-type:ciba",
    ] {
        assert!(!grants.contains(&grant), "{grant}");
        let mut pairs = vec![("grant_type", grant), ("username", "ada"), ("password", "x")];
        pairs.extend(stage.client.proof());
        let answer = stage.token(&form(&pairs)).await.is(400).json();
        assert_eq!(answer["error"], "unsupported_grant_type", "{grant}");
    }
    for name in ["authorization_endpoint", "end_session_endpoint", "jwks_uri"] {
        let path = known[name].as_str().unwrap().strip_prefix(super::client::ISSUER).unwrap();
        assert_ne!(stage.house.get(&Person::default(), path).await.status, 404, "{name}");
    }
    for name in [
        "token_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "userinfo_endpoint",
        "registration_endpoint",
    ] {
        let path = known[name].as_str().unwrap().strip_prefix(super::client::ISSUER).unwrap();
        assert_eq!(stage.post_form(None, path, "").await.status, 401, "{name}");
    }
}

#[tokio::test]
async fn userinfo_believes_access_tokens_of_people_alone() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("openid").await;
    let quiet = stage.tokens("").await;
    let mut pairs = vec![("grant_type", "client_credentials")];
    pairs.extend(stage.client.proof());
    let of_client = stage.token(&form(&pairs)).await.is(200).json();
    let access = tokens["access_token"].as_str().unwrap();
    let (head, signature) = access.rsplit_once('.').unwrap();
    for (name, token, status) in [
        ("a refresh token", tokens["refresh_token"].as_str().unwrap().to_owned(), 401),
        ("an ID token", tokens["id_token"].as_str().unwrap().to_owned(), 401),
        ("no signature", format!("{head}."), 401),
        ("another's signature", format!("{head}.{}", signature.chars().rev().collect::<String>()), 401),
        ("no scope openid", quiet["access_token"].as_str().unwrap().to_owned(), 403),
        ("a client's own", of_client["access_token"].as_str().unwrap().to_owned(), 403),
        ("nonsense", "x".to_owned(), 401),
    ] {
        let answer = stage.userinfo(&token).await;
        assert_eq!(answer.status.as_u16(), status, "{name}");
        assert!(answer.header("www-authenticate").starts_with("Bearer "), "{name}");
    }
    stage.house.get(&Person::default(), &format!("/oauth2/userinfo?access_token={access}")).await.is(401);
    stage.userinfo(access).await.is(200);
}
