//! Devices without a browser (RFC 8628): what a person is shown and decides, what the device hears, and who hears nothing.

use std::sync::atomic::Ordering;

use axum::{
    body::Body,
    http::{Method, header},
};
use serde_json::{Value, json};

use super::client::{Client, ISSUER, Stage, claims, form, hidden};
use crate::support::{Answer, House, Person};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn stage() -> Stage {
    Stage::with(json!({"client_type": "native", "grants": [GRANT, "refresh_token"], "redirect_uris": []}))
        .await
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

impl Stage {
    async fn device_of(&self, client: &Client, scope: &str) -> Answer {
        let mut pairs = client.proof();
        pairs.push(("scope", scope));
        self.post_form(None, "/oauth2/device_authorization", &form(&pairs)).await
    }

    async fn device(&self, scope: &str) -> Value {
        self.device_of(&self.client, scope).await.is(200).json()
    }

    async fn poll_of(&self, client: &Client, device_code: &str) -> Answer {
        let mut pairs = vec![("grant_type", GRANT), ("device_code", device_code)];
        pairs.extend(client.proof());
        self.token(&form(&pairs)).await
    }

    /// What the device hears, having waited as long as it has to.
    async fn hears(&self, device: &Value) -> String {
        self.later(60);
        let answer = self.poll_of(&self.client, text(device, "device_code")).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.json()["error"].as_str().unwrap_or("tokens").to_owned()
    }

    fn later(&self, seconds: i64) {
        self.house.clock.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }

    async fn types(&self, person: &Person, code: &str) -> Answer {
        self.post_form(Some(person), "/device", &form(&[("user_code", code)])).await
    }

    /// Answers the page that asks.
    async fn answers(&self, person: &Person, page: &Answer, decision: &str) -> Answer {
        let (code, seal) = (hidden(&page.text, "user_code"), hidden(&page.text, "seal"));
        let body = form(&[("user_code", &code), ("seal", &seal), ("decision", decision)]);
        self.post_form(Some(person), "/device", &body).await
    }

    async fn allows(&self, device: &Value) {
        let page = self.types(&self.ada, text(device, "user_code")).await.is(200);
        self.answers(&self.ada, &page, "allow").await.is(200);
    }
}

#[tokio::test]
async fn a_person_allows_a_device_that_waits_and_it_gets_tokens_once() {
    let stage = stage().await;
    let device = stage.device("openid profile").await;
    assert_eq!((&device["expires_in"], &device["interval"]), (&json!(600), &json!(5)));
    assert_eq!(text(&device, "verification_uri"), format!("{ISSUER}/device"));
    let code = text(&device, "user_code");
    assert_eq!(text(&device, "verification_uri_complete"), format!("{ISSUER}/device?user_code={code}"));
    assert_eq!(stage.hears(&device).await, "authorization_pending");

    let page =
        stage.house.get(&stage.ada, &format!("/device?user_code={}", code.to_lowercase())).await.is(200);
    assert!(
        page.text.contains(&format!("value=\"{code}\"")),
        "the field is filled, and nothing is asked yet"
    );
    assert!(!page.text.contains("Allow"), "{}", page.text);
    let page = stage.types(&stage.ada, &code.replace('-', " ").to_lowercase()).await.is(200);
    for shown in ["Allow Shop &lt;b&gt; on a device?", "<strong>ada</strong>", "see your user name", code] {
        assert!(page.text.contains(shown), "{shown} in {}", page.text);
    }
    let done = stage.answers(&stage.ada, &page, "allow").await.is(200);
    assert!(done.text.contains("The device is connected"));

    stage.later(60);
    let tokens = stage.poll_of(&stage.client, text(&device, "device_code")).await.is(200).json();
    let access = claims(text(&tokens, "access_token"));
    assert_eq!((&access["client_id"], &access["scope"]), (&json!(stage.client.id), &json!("openid profile")));
    assert_eq!(claims(text(&tokens, "id_token"))["preferred_username"], "ada");
    assert!(stage.refresh(text(&tokens, "refresh_token")).await.is(200).json()["refresh_token"].is_string());
    stage.userinfo(text(&tokens, "access_token")).await.is(200);

    // Who comes second stole it, or was stolen from.
    assert_eq!(stage.hears(&device).await, "invalid_grant");
    stage.userinfo(text(&tokens, "access_token")).await.is(401);
    stage.types(&stage.ada, code).await.is(404);
}

#[tokio::test]
async fn what_a_person_denies_or_nobody_answers_the_device_hears() {
    let stage = stage().await;
    let (denied, late) = (stage.device("").await, stage.device("").await);
    let page = stage.types(&stage.ada, text(&denied, "user_code")).await.is(200);
    let done = stage.answers(&stage.ada, &page, "deny").await.is(200);
    assert!(done.text.contains("was not allowed"));
    assert_eq!(stage.hears(&denied).await, "access_denied");
    assert_eq!(stage.hears(&denied).await, "access_denied");
    stage.types(&stage.ada, text(&denied, "user_code")).await.is(404);
    // Nobody changes their mind on a page that is still open.
    stage.answers(&stage.ada, &page, "allow").await.is(404);
    assert_eq!(stage.hears(&denied).await, "access_denied");

    assert_eq!(stage.hears(&late).await, "authorization_pending");
    let page = stage.types(&stage.ada, text(&late, "user_code")).await.is(200);
    stage.later(600);
    assert_eq!(stage.hears(&late).await, "expired_token");
    stage.answers(&stage.ada, &page, "allow").await.is(404);
    stage.types(&stage.ada, text(&late, "user_code")).await.is(404);

    // Allowed, and then not fetched in time.
    let slow = stage.device("").await;
    stage.allows(&slow).await;
    stage.later(600);
    assert_eq!(stage.hears(&slow).await, "expired_token");
}

#[tokio::test]
async fn a_device_that_asks_too_soon_has_to_slow_down() {
    let stage = stage().await;
    let device = stage.device("").await;
    let asks = async |after: i64| {
        stage.later(after);
        stage.poll_of(&stage.client, text(&device, "device_code")).await.is(400).json()["error"].clone()
    };
    assert_eq!(asks(0).await, "authorization_pending");
    assert_eq!(asks(5).await, "authorization_pending");
    assert_eq!(asks(4).await, "slow_down");
    assert_eq!(asks(9).await, "slow_down");
    assert_eq!(asks(15).await, "authorization_pending");
}

#[tokio::test]
async fn codes_are_worth_nothing_to_another_client_or_as_another_kind() {
    let stage = stage().await;
    let other = stage.other(json!({"grants": [GRANT, "client_credentials"]})).await;
    let device = stage.device("openid").await;
    let code = text(&device, "device_code").to_owned();
    let refused = async |answer: Answer, expected: &str| {
        assert!(matches!(answer.status.as_u16(), 400 | 401), "{}", answer.text);
        assert_eq!(answer.json()["error"], expected, "{}", answer.text);
    };
    for unknown in [code.replace("tgd_", "tgc_"), format!("{code}0"), text(&device, "user_code").to_owned()] {
        refused(stage.poll_of(&stage.client, &unknown).await, "invalid_grant").await;
    }
    refused(stage.poll_of(&other, &code).await, "invalid_grant").await;
    stage.allows(&device).await;
    refused(stage.poll_of(&other, &code).await, "invalid_grant").await;
    let nobody = Client { id: "nobody".to_owned(), secret: String::new() };
    refused(stage.poll_of(&nobody, &code).await, "invalid_client").await;
    let without_secret = Client { secret: String::new(), ..other.clone() };
    refused(stage.poll_of(&without_secret, &code).await, "invalid_client").await;
    refused(stage.device_of(&without_secret, "").await, "invalid_client").await;
    refused(stage.device_of(&stage.client, "openid admin").await, "invalid_scope").await;
    refused(
        stage.token(&form(&[("grant_type", GRANT), ("client_id", &stage.client.id)])).await,
        "invalid_request",
    )
    .await;
    // A code of a device is no code of a browser.
    stage
        .update_key(json!({"grants": [GRANT, "authorization_code"], "redirect_uris": ["http://127.0.0.1/"]}))
        .await
        .is(200);
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", ""),
        ("code_verifier", ""),
        ("client_id", &stage.client.id),
    ];
    refused(stage.token(&form(&pairs)).await, "invalid_request").await;
    let spelled = [("redirect_uri", "http://127.0.0.1/"), ("code_verifier", super::client::VERIFIER)];
    let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).chain(spelled).collect();
    refused(stage.token(&form(&pairs)).await, "invalid_grant").await;
    // All that was tried has used nothing up.
    assert_eq!(stage.hears(&device).await, "tokens");
}

#[tokio::test]
async fn a_client_without_the_grant_gets_no_code_and_no_token() {
    let stage = stage().await;
    let device = stage.device("").await;
    stage.update_key(json!({"grants": []})).await.is(200);
    assert_eq!(stage.device_of(&stage.client, "").await.is(400).json()["error"], "unauthorized_client");
    stage.types(&stage.ada, text(&device, "user_code")).await.is(404);
    assert_eq!(stage.hears(&device).await, "unauthorized_client");
}

#[tokio::test]
async fn who_guesses_codes_waits_longer_each_time_and_hurts_nobody_else() {
    let stage = stage().await;
    let device = stage.device("").await;
    for typed in ["", "WDJB", "WDJB-MJHA", "12345678"] {
        let page = stage.types(&stage.ada, typed).await.is(400);
        assert!(page.text.contains("eight letters"), "what cannot be a code is no guess");
    }
    for guess in ["BBBBBBBB", "CCCCCCCC", "DDDDDDDD", "FFFFFFFF", "GGGGGGGG"] {
        let page = stage.types(&stage.ada, guess).await.is(404);
        assert!(page.text.contains("role=\"alert\""), "{}", page.text);
    }
    for wait in ["1", "2"] {
        let page = stage.types(&stage.ada, text(&device, "user_code")).await.is(429);
        assert_eq!(page.header("retry-after"), wait, "the right one gives nothing away either");
        assert!(!page.text.contains("Allow"));
        stage.later(wait.parse().unwrap());
        stage.types(&stage.ada, "HHHHHHHH").await.is(404);
    }
    // Nor is there a way around with the seal of a page that was never shown: one's own token makes it.
    let session = stage.house.get(&stage.ada, "/api/v1/session").await.is(200).json();
    let code = text(&device, "user_code").replace('-', "");
    let seal = tidegate_oauth::secret::seal(text(&session, "csrf_token"), "device", &code);
    let body = form(&[("user_code", &code), ("seal", &seal), ("decision", "allow")]);
    stage.post_form(Some(&stage.ada), "/device", &body).await.is(429);
    let page = stage.types(&stage.owner, text(&device, "user_code")).await.is(200);
    stage.answers(&stage.owner, &page, "allow").await.is(200);
}

#[tokio::test]
async fn nothing_is_looked_up_or_decided_for_who_is_not_signed_in_or_did_not_ask() {
    let stage = stage().await;
    let device = stage.device("").await;
    let code = text(&device, "user_code");
    let nobody = Person::default();
    let to = format!("/sign-in?to=%2Fdevice%3Fuser_code%3D{code}");
    assert_eq!(stage.types(&nobody, code).await.is(303).header("location"), to);
    let page = stage.house.get(&nobody, &format!("/device?user_code={code}")).await.is(303);
    assert_eq!(page.header("location"), to);
    assert_eq!(stage.house.get(&nobody, "/device").await.is(303).header("location"), "/sign-in?to=%2Fdevice");

    // Another page sends its own form with the person's cookie.
    let request = House::request(&stage.ada, &Method::POST, "/device")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site");
    stage.house.send(request.body(Body::from(form(&[("user_code", code)]))).unwrap()).await.is(403);

    // A page that was shown to one person, or for one device, decides nothing for others.
    let page = stage.types(&stage.ada, code).await.is(200);
    stage.answers(&stage.owner, &page, "allow").await.is(400);
    let other = stage.device("").await;
    let seal = hidden(&page.text, "seal");
    let body = form(&[("user_code", text(&other, "user_code")), ("seal", &seal), ("decision", "allow")]);
    stage.post_form(Some(&stage.ada), "/device", &body).await.is(400);
    let body = form(&[("user_code", code), ("seal", ""), ("decision", "allow")]);
    let asked = stage.post_form(Some(&stage.ada), "/device", &body).await.is(200);
    assert!(asked.text.contains("Allow Shop"), "without a seal it is a code that was typed");
    stage.answers(&stage.ada, &page, "maybe").await.is(400);
    for device in [&device, &other] {
        assert_eq!(stage.hears(device).await, "authorization_pending");
    }
}
