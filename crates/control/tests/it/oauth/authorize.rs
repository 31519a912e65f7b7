//! From a client's request to a person's tokens: signing in, consent, the code, and what the tokens say.

use serde_json::json;
use tidegate_oauth::token::AccessTokenVerifier;

use super::client::{ISSUER, REDIRECT, Stage, claims, encoded, form, hidden, parameter};
use crate::support::Person;

#[tokio::test]
async fn a_person_allows_a_client_and_it_gets_tokens() {
    let stage = Stage::new().await;
    let query = form(&stage.asking("openid profile"));
    let page = stage.authorize(&stage.ada, &query).await.is(200);
    assert!(page.text.contains("Shop &lt;b&gt;") && !page.text.contains("<b>"), "{}", page.text);
    assert!(page.text.contains("ada") && page.text.contains("see your user name"), "{}", page.text);
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("frame-ancestors 'none'")
            && policy.contains("form-action 'self' https://client.test")
    );
    assert!(!policy.contains("script-src"), "no script runs: {policy}");
    assert_eq!((page.header("x-frame-options"), page.header("cache-control")), ("DENY", "no-store"));
    assert_eq!(page.header("referrer-policy"), "same-origin");

    let sent = stage.decide(&stage.ada, &page, "allow").await.is(303);
    let to = sent.header("location");
    assert!(to.starts_with(&format!("{REDIRECT}?code=tgc_")), "{to}");
    assert_eq!(parameter(to, "state").as_deref(), Some("st&te"));
    assert_eq!(parameter(to, "iss").as_deref(), Some(ISSUER));
    let code = parameter(to, "code").unwrap();
    let answer = stage.token(&form(&stage.redeeming(&code))).await.is(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = answer.json();
    assert_eq!((&tokens["token_type"], &tokens["scope"]), (&json!("Bearer"), &json!("openid profile")));

    let user = stage.house.get(&stage.ada, "/api/v1/session").await.json()["user"]["id"].clone();
    let access = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!((&access["sub"], &access["client_id"]), (&user, &json!(stage.client.id)));
    let set = stage.house.get(&Person::default(), "/oauth2/jwks").await.text;
    let verifier = AccessTokenVerifier::new(ISSUER, &tidegate_control::audience(ISSUER), &set).unwrap();
    assert!(verifier.verify(tokens["access_token"].as_str().unwrap(), 1_800_000_000).is_ok());
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!((&id["sub"], &id["aud"], &id["nonce"]), (&user, &json!(stage.client.id), &json!("n-1")));
    assert_eq!((&id["auth_time"], &id["preferred_username"]), (&json!(1_800_000_000), &json!("ada")));
    let info = stage.userinfo(tokens["access_token"].as_str().unwrap()).await.is(200).json();
    assert_eq!(info, json!({"sub": user, "preferred_username": "ada"}));
    assert_eq!(stage.userinfo(tokens["id_token"].as_str().unwrap()).await.is(401).text, "");
}

#[tokio::test]
async fn consent_is_remembered_for_what_was_allowed_and_for_one_client() {
    let stage = Stage::new().await;
    stage.code("openid").await;
    let ask = async |scope: &str, more: &[(&str, &str)]| {
        let mut pairs = stage.asking(scope);
        pairs.extend(more);
        stage.authorize(&stage.ada, &form(&pairs)).await.status.as_u16()
    };
    assert_eq!(ask("openid", &[]).await, 303, "allowed before");
    assert_eq!(ask("", &[]).await, 303, "less than before");
    assert_eq!(ask("openid profile", &[]).await, 200, "more than before");
    assert_eq!(ask("openid", &[("prompt", "consent")]).await, 200, "the client wants it asked");
    let other = stage.other(json!({})).await;
    let mut pairs = stage.asking("openid");
    pairs[1].1 = &other.id;
    stage.authorize(&stage.ada, &form(&pairs)).await.is(200);
    stage.authorize(&stage.owner, &form(&stage.asking("openid"))).await.is(200);
    stage.update_key(json!({"client_type": "native", "grants": ["authorization_code"]})).await.is(200);
    assert_eq!(ask("openid", &[]).await, 200, "another program could be it");
}

#[tokio::test]
async fn who_is_not_signed_in_signs_in_and_comes_back() {
    let stage = Stage::new().await;
    let query = form(&stage.asking("openid"));
    let nobody = Person::default();
    let sent = stage.authorize(&nobody, &query).await.is(303);
    let expected = format!("/sign-in?to={}", encoded(&format!("/oauth2/authorize?{query}")));
    assert_eq!(sent.header("location"), expected);
    let quiet = |prompt: &str| format!("{query}&prompt={prompt}");
    let sent = stage.authorize(&nobody, &quiet("none")).await.is(303);
    assert_eq!(parameter(sent.header("location"), "error").as_deref(), Some("login_required"));
    let sent = stage.authorize(&stage.ada, &quiet("none")).await.is(303);
    assert_eq!(parameter(sent.header("location"), "error").as_deref(), Some("consent_required"));
    // Signing in again is asked for: the session ends, and what comes back does not ask again.
    let sent = stage.authorize(&stage.ada, &quiet("login")).await.is(303);
    assert!(sent.header("location").starts_with("/sign-in?to="), "{}", sent.header("location"));
    assert!(!sent.header("location").contains("login%2"), "{}", sent.header("location"));
    stage.house.get(&stage.ada, "/api/v1/session").await.is(401);
}

#[tokio::test]
async fn a_sign_in_that_is_too_old_is_repeated() {
    let stage = Stage::new().await;
    let query = form(&stage.asking("openid"));
    stage.house.clock.0.fetch_add(10_000, std::sync::atomic::Ordering::Relaxed);
    stage.authorize(&stage.ada, &format!("{query}&max_age=10")).await.is(200);
    let sent = stage.authorize(&stage.ada, &format!("{query}&max_age=0&prompt=none")).await.is(303);
    assert_eq!(parameter(sent.header("location"), "error").as_deref(), Some("login_required"));
    let sent = stage.authorize(&stage.ada, &format!("{query}&max_age=9&prompt=none")).await.is(303);
    assert_eq!(parameter(sent.header("location"), "error").as_deref(), Some("login_required"));
    let sent = stage.authorize(&stage.ada, &format!("{query}&max_age=9")).await.is(303);
    assert!(sent.header("location").starts_with("/sign-in?to="), "{}", sent.header("location"));
}

#[tokio::test]
async fn a_person_who_says_no_sends_the_client_away() {
    let stage = Stage::new().await;
    let page = stage.authorize(&stage.ada, &form(&stage.asking("openid"))).await.is(200);
    let sent = stage.decide(&stage.ada, &page, "deny").await.is(303);
    let to = sent.header("location");
    assert_eq!(parameter(to, "error").as_deref(), Some("access_denied"));
    assert_eq!(
        (parameter(to, "state").as_deref(), parameter(to, "iss").as_deref()),
        (Some("st&te"), Some(ISSUER))
    );
    stage.authorize(&stage.ada, &form(&stage.asking("openid"))).await.is(200);
}

#[tokio::test]
async fn nobody_else_can_answer_a_consent_page() {
    let stage = Stage::new().await;
    let page = stage.authorize(&stage.ada, &form(&stage.asking("openid"))).await.is(200);
    let (request, seal) = (hidden(&page.text, "request"), hidden(&page.text, "seal"));
    let answer = async |person: &Person, request: &str, seal: &str, decision: &str| {
        let body = form(&[("request", request), ("seal", seal), ("decision", decision)]);
        let answer = stage.post_form(Some(person), "/oauth2/consent", &body).await;
        (answer.status.as_u16(), answer.header("location").to_owned())
    };
    let other = stage.other(json!({})).await;
    let for_other = request.replace(&stage.client.id, &other.id);
    let more = request.replace("scope=openid", "scope=openid%20profile");
    assert_ne!((&for_other, &more), (&request, &request));
    for (person, request, seal, decision) in [
        (&stage.owner, &*request, &*seal, "allow"),
        (&stage.ada, &for_other, &seal, "allow"),
        (&stage.ada, &more, &seal, "allow"),
        (&stage.ada, &request, "", "allow"),
        (&stage.ada, &request, "forged", "allow"),
        (&stage.ada, "", &seal, "allow"),
        (&stage.ada, &request, &seal, ""),
        (&stage.ada, &request, &seal, "maybe"),
    ] {
        assert_eq!(
            answer(person, request, seal, decision).await,
            (400, String::new()),
            "{request} {decision}"
        );
    }
    let (status, to) = answer(&Person::default(), &request, &seal, "allow").await;
    assert!(status == 303 && to.starts_with("/sign-in?to="), "{to}");
    // Another site sends the very page.
    let body = form(&[("request", &request), ("seal", &seal), ("decision", "allow")]);
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "https://evil.test"), ("origin", "null")]
    {
        let sent = crate::support::House::request(&stage.ada, &axum::http::Method::POST, "/oauth2/consent")
            .header("content-type", "application/x-www-form-urlencoded")
            .header(name, value);
        stage.house.send(sent.body(axum::body::Body::from(body.clone())).unwrap()).await.is(403);
    }
    assert_eq!(answer(&stage.ada, &request, &seal, "allow").await.0, 303, "the page itself still can");
}

#[tokio::test]
async fn a_public_client_needs_no_secret_and_a_native_one_no_certain_port() {
    let stage = Stage::with(json!({
        "client_type": "native", "grants": ["authorization_code", "refresh_token"],
        "redirect_uris": [REDIRECT, "http://127.0.0.1/cb"],
    }))
    .await;
    let mut pairs = stage.asking("openid");
    pairs[2].1 = "http://127.0.0.1:51234/cb";
    let page = stage.authorize(&stage.ada, &form(&pairs)).await.is(200);
    assert!(page.header("content-security-policy").ends_with("form-action 'self' http://127.0.0.1:51234"));
    let sent = stage.decide(&stage.ada, &page, "allow").await.is(303);
    let code = parameter(sent.header("location"), "code").unwrap();
    let mut redeem = stage.redeeming(&code);
    stage.token(&form(&redeem)).await.is(400);
    redeem[2].1 = "http://127.0.0.1:51234/cb";
    let tokens = stage.token(&form(&redeem)).await.is(200).json();
    assert!(tokens["refresh_token"].as_str().unwrap().starts_with("tgr_"));
    stage.refresh(tokens["refresh_token"].as_str().unwrap()).await.is(200);
}

#[tokio::test]
async fn a_request_may_come_by_form() {
    let stage = Stage::new().await;
    let query = form(&stage.asking("openid"));
    let sent = stage.post_form(Some(&stage.ada), "/oauth2/authorize", &query).await.is(303);
    assert_eq!(sent.header("location"), format!("/oauth2/authorize?{query}"));
    stage.post_form(None, "/oauth2/authorize", "a=b\r\nX: y").await.is(400);
}

#[tokio::test]
async fn signing_out_is_for_the_person_or_who_proves_to_speak_of_them() {
    let stage = Stage::new().await;
    let tokens = stage.tokens("openid").await;
    let hint = tokens["id_token"].as_str().unwrap();
    let bye = "https://client.test/bye";
    let ask = async |pairs: &[(&str, &str)]| {
        stage.house.get(&stage.ada, &format!("/oauth2/logout?{}", form(pairs))).await
    };
    for refused in [
        vec![("post_logout_redirect_uri", bye)],
        vec![("client_id", "nobody"), ("post_logout_redirect_uri", bye)],
        vec![("id_token_hint", hint), ("post_logout_redirect_uri", "https://evil.test")],
        vec![("id_token_hint", hint), ("post_logout_redirect_uri", "https://client.test/bye/")],
        vec![("id_token_hint", hint), ("client_id", "another")],
        vec![("id_token_hint", "forged")],
        vec![("id_token_hint", tokens["access_token"].as_str().unwrap())],
    ] {
        assert_eq!(ask(&refused).await.is(400).header("location"), "");
    }
    let page = ask(&[("client_id", &stage.client.id), ("post_logout_redirect_uri", bye)]).await.is(200);
    assert!(page.text.contains("Sign out?"));
    stage.house.get(&stage.ada, "/api/v1/session").await.is(200);
    let sent =
        ask(&[("id_token_hint", hint), ("post_logout_redirect_uri", bye), ("state", "s")]).await.is(303);
    assert_eq!(sent.header("location"), "https://client.test/bye?state=s");
    assert!(sent.header("set-cookie").contains("Max-Age=0"));
    stage.house.get(&stage.ada, "/api/v1/session").await.is(401);
}

#[tokio::test]
async fn a_person_signs_out_on_the_page_and_nobody_for_them() {
    let stage = Stage::new().await;
    let page = stage.house.get(&stage.ada, "/oauth2/logout").await.is(200);
    let (request, seal) = (hidden(&page.text, "request"), hidden(&page.text, "seal"));
    let body =
        |seal: &str, decision: &str| form(&[("request", &request), ("seal", seal), ("decision", decision)]);
    stage.post_form(Some(&stage.ada), "/oauth2/logout", &body("forged", "sign-out")).await.is(400);
    stage.post_form(Some(&stage.ada), "/oauth2/logout", &body(&seal, "stay")).await.is(303);
    stage.house.get(&stage.ada, "/api/v1/session").await.is(200);
    // A client's form comes without the cookie, since it comes from elsewhere, and says nothing of having signed out.
    let sent =
        stage.post_form(None, "/oauth2/logout", &form(&[("client_id", &stage.client.id)])).await.is(303);
    assert_eq!(sent.header("location"), format!("/oauth2/logout?client_id={}", stage.client.id));
    stage.post_form(None, "/oauth2/logout", "client_id=a b").await.is(400);
    stage.post_form(Some(&stage.ada), "/oauth2/logout", &body(&seal, "sign-out")).await.is(200);
    stage.house.get(&stage.ada, "/api/v1/session").await.is(401);
}

#[tokio::test]
async fn who_signs_in_because_a_client_wants_it_does_so_once() {
    let stage = Stage::new().await;
    let query = form(&stage.asking("openid"));
    for more in ["prompt=login", "max_age=0", "prompt=login%20consent"] {
        let sent = stage.authorize(&Person::default(), &format!("{query}&{more}")).await.is(303);
        let back = parameter(&format!("https://x{}", sent.header("location")), "to").unwrap();
        assert!(back.starts_with("/oauth2/authorize?") && !back.contains("login"), "{back}");
        assert!(!back.contains("max_age"), "{back}");
        assert_eq!(back.contains("prompt=consent"), more.contains("consent"), "{back}");
    }
}
