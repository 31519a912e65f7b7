//! Pages of other origins: what they may call and read, and that a cookie never counts there.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::json;

use super::client::{Stage, form};
use crate::support::{Answer, House};

const PAGE: &str = "https://page.test";

async fn preflight(house: &House, path: &str, method: &str, headers: &str) -> Answer {
    let request = Request::builder()
        .method(Method::OPTIONS)
        .uri(path)
        .header(header::ORIGIN, PAGE)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, method)
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, headers);
    house.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_page_of_another_origin_reads_keys_and_metadata() {
    let house = House::new().await;
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/oauth2/jwks",
        "/oauth2/backend-jwks",
    ] {
        let request = Request::builder().uri(path).header(header::ORIGIN, PAGE);
        let answer = house.send(request.body(Body::empty()).unwrap()).await.is(200);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_redeems_its_code_and_uses_its_tokens() {
    let stage =
        Stage::with(json!({"client_type": "browser", "grants": ["authorization_code", "refresh_token"]}))
            .await;
    for (path, method) in [
        ("/oauth2/token", "POST"),
        ("/oauth2/revoke", "POST"),
        ("/oauth2/userinfo", "GET"),
        ("/oauth2/userinfo", "POST"),
    ] {
        let answer = preflight(&stage.house, path, method, "authorization,content-type,dpop").await.is(204);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
        let methods = answer.header("access-control-allow-methods");
        assert!(methods.split(", ").any(|one| one == method), "{path}: {methods}");
        assert_eq!(answer.header("access-control-allow-headers"), "authorization, content-type, dpop");
    }
    let code = stage.code("openid").await;
    let redeeming = form(&stage.redeeming(&code));
    let post = async |path: &str, body: &str| {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::ORIGIN, PAGE)
            .header("sec-fetch-site", "cross-site")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        stage.house.send(request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let tokens = post("/oauth2/token", &redeeming).await.is(200);
    assert_eq!(tokens.header("access-control-allow-origin"), "*");
    let refused = post("/oauth2/token", &redeeming).await.is(400);
    assert_eq!(refused.header("access-control-allow-origin"), "*", "a page is told why");
    let unproven = post("/oauth2/token", "grant_type=refresh_token&refresh_token=x").await.is(401);
    let exposed = unproven.header("access-control-expose-headers");
    assert!(exposed.contains("www-authenticate") && exposed.contains("dpop-nonce"), "{exposed}");
    let tokens = stage.tokens("openid").await;
    let ending = [("token", tokens["refresh_token"].as_str().unwrap()), ("client_id", &stage.client.id)];
    let ended = post("/oauth2/revoke", &form(&ending)).await.is(200);
    assert_eq!(ended.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn a_cookie_counts_for_nothing_where_every_page_may_ask() {
    let stage = Stage::new().await;
    for (method, path) in [
        (Method::GET, "/oauth2/userinfo"),
        (Method::POST, "/oauth2/userinfo"),
        (Method::POST, "/oauth2/token"),
        (Method::POST, "/oauth2/revoke"),
    ] {
        let request = House::request(&stage.ada, &method, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, PAGE);
        let body = format!("grant_type=authorization_code&code=x&client_id={}", stage.client.id);
        let answer = stage.house.send(request.body(Body::from(body)).unwrap()).await;
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{method} {path}: {}", answer.status);
        assert_eq!(answer.header("set-cookie"), "", "{path}");
    }
}

#[tokio::test]
async fn no_other_address_is_open_to_pages_of_other_origins() {
    let stage = Stage::new().await;
    for path in [
        "/oauth2/introspect",
        "/oauth2/authorize",
        "/oauth2/consent",
        "/oauth2/logout",
        "/api/v1/session",
        "/api/v1/tokens",
        "/api/v1/apis",
        "/api/v1/account/password",
        "/",
        "/sign-in",
    ] {
        for method in ["GET", "POST"] {
            let answer = preflight(&stage.house, path, method, "content-type").await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{method} {path}");
            let request = House::request(&stage.ada, &Method::from_bytes(method.as_bytes()).unwrap(), path)
                .header(header::ORIGIN, PAGE);
            let answer = stage.house.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{method} {path}");
        }
    }
}
