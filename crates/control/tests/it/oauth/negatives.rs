//! What must not work, each by name: requests for codes and tokens by those who try (RFC 9700; the attacks of the
//! advisories of others). Every row is refused as the RFC says, and leaves nothing behind.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::client::{CHALLENGE, REDIRECT, Stage, VERIFIER, encoded, form, parameter};
use crate::support::Person;

/// Addresses that are not the registered one, however alike they look.
const OTHER_ADDRESSES: &[(&str, &str)] = &[
    ("a prefix", "https://client.test/c"),
    ("a longer path", "https://client.test/cb/"),
    ("a path below", "https://client.test/cb/../evil"),
    ("a path parameter", "https://client.test/cb;x"),
    ("dots with a semicolon", "https://client.test/..;/cb"),
    ("a query", "https://client.test/cb?x=1"),
    ("an empty query", "https://client.test/cb?"),
    ("a fragment", "https://client.test/cb#x"),
    ("an empty fragment", "https://client.test/cb#"),
    ("another port", "https://client.test:8443/cb"),
    ("the port said", "https://client.test:443/cb"),
    ("another scheme", "http://client.test/cb"),
    ("capitals in the scheme", "HTTPS://client.test/cb"),
    ("capitals in the host", "https://Client.test/cb"),
    ("capitals in the path", "https://client.test/CB"),
    ("a trailing dot", "https://client.test./cb"),
    ("a sub-domain", "https://a.client.test/cb"),
    ("a longer domain", "https://client.test.evil.test/cb"),
    ("a domain with it at the end", "https://evilclient.test/cb"),
    ("a user", "https://user@client.test/cb"),
    ("it as a user", "https://client.test@evil.test/cb"),
    ("it as a user with a password", "https://client.test:443@evil.test/cb"),
    ("several users", "https://client.test@client.test@evil.test/cb"),
    ("a backslash", "https://evil.test\\@client.test/cb"),
    ("a backslash for a slash", "https://client.test\\cb"),
    ("an escape", "https://client.test/%63b"),
    ("an escaped slash", "https://client.test%2fcb"),
    ("an escaped dot", "https://client.test/%2e/cb"),
    ("twice escaped", "https://client.test/%2563b"),
    ("a space before", " https://client.test/cb"),
    ("a space after", "https://client.test/cb "),
    ("a tab", "https://client.test/\tcb"),
    ("a line", "https://client.test/cb\r\nLocation: https://evil.test"),
    ("a NUL", "https://client.test/cb\0"),
    ("no scheme", "//client.test/cb"),
    ("three slashes", "https:///client.test/cb"),
    ("one slash", "https:/client.test/cb"),
    ("a relative path", "/cb"),
    ("javascript", "javascript:alert(document.domain)//https://client.test/cb"),
    ("JavaScript in mixed case", "jAvAsCrIpT:alert(1)"),
    ("data", "data:text/html,<script>alert(1)</script>"),
    ("data in mixed case", "DaTa:text/html;base64,eA=="),
    ("vbscript", "vbscript:msgbox(1)"),
    ("a file", "file:///cb"),
    ("localhost", "http://localhost/cb"),
    ("127.0.0.1", "http://127.0.0.1/cb"),
    ("a mapped address", "http://[::ffff:127.0.0.1]/cb"),
    ("an IDN look-alike", "https://сlient.test/cb"),
    ("a full-width dot", "https://client。test/cb"),
    ("a zero-width space", "https://client.test/cb\u{200b}"),
    ("an own scheme", "com.client.app:/cb"),
    ("a wildcard", "https://*.test/cb"),
    ("another registered list", "https://client.test/bye"),
    ("nothing but a host", "https://client.test"),
];

#[tokio::test]
async fn no_browser_is_sent_to_an_address_that_is_not_registered() {
    let stage = Stage::with(json!({"redirect_uris": [REDIRECT]})).await;
    // Consent given, so that only the address stands in the way.
    stage.code("openid").await;
    for (name, address) in OTHER_ADDRESSES {
        let mut pairs = stage.asking("openid");
        pairs[2].1 = address;
        let answer = stage.authorize(&stage.ada, &form(&pairs)).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (400, ""), "{name}: {address}");
        assert!(!answer.text.contains("tgc_"), "{name}");
    }
}

#[tokio::test]
async fn the_person_is_told_where_nobody_else_can_be() {
    let stage = Stage::new().await;
    stage.code("openid").await;
    let whole = form(&stage.asking("openid"));
    let address = format!("redirect_uri={}", encoded(REDIRECT));
    let client = format!("client_id={}", stage.client.id);
    for (name, query) in [
        ("no address", whole.replace(&address, "")),
        ("an empty address", whole.replace(&address, "redirect_uri=")),
        ("two addresses", format!("{whole}&redirect_uri=https%3A%2F%2Fevil.test")),
        ("the same address twice", format!("{whole}&{address}")),
        ("two addresses, one name escaped", format!("{whole}&redirect%5Furi=https%3A%2F%2Fevil.test")),
        ("no client", whole.replace(&client, "")),
        ("an empty client", whole.replace(&client, "client_id=")),
        ("an unknown client", whole.replace(&client, "client_id=nobody")),
        ("two clients", format!("{whole}&client_id=nobody")),
        (
            "the client in capitals",
            whole.replace(&client, &client.to_uppercase().replace("CLIENT_ID", "client_id")),
        ),
        ("a client with a space", whole.replace(&client, &format!("{client}%20"))),
        ("a client with a line", whole.replace(&client, &format!("{client}%0A"))),
        ("a broken escape", format!("{whole}&x=%zz")),
        ("bytes that are no text", format!("{whole}&x=%ff")),
        ("too many parameters", format!("{whole}{}", "&x=1".repeat(70))),
        ("too long", format!("{whole}&x={}", "a".repeat(9_000))),
        ("nothing", String::new()),
    ] {
        let answer = stage.authorize(&stage.ada, &query).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (400, ""), "{name}: {query}");
    }
}

#[tokio::test]
async fn a_client_is_told_what_it_did_wrong_and_gets_no_code() {
    let stage = Stage::new().await;
    stage.code("openid").await;
    let whole = form(&stage.asking("openid"));
    let challenge = format!("code_challenge={CHALLENGE}");
    let method = "code_challenge_method=S256";
    for (name, query, error) in [
        ("no response type", whole.replace("response_type=code", ""), "invalid_request"),
        ("implicit", whole.replace("=code&", "=token&"), "unsupported_response_type"),
        ("hybrid", whole.replace("=code&", "=code%20id_token&"), "unsupported_response_type"),
        ("an ID token alone", whole.replace("=code&", "=id_token&"), "unsupported_response_type"),
        ("none", whole.replace("=code&", "=none&"), "unsupported_response_type"),
        ("two response types", format!("{whole}&response_type=code"), "invalid_request"),
        ("no PKCE", whole.replace(&challenge, "").replace(method, ""), "invalid_request"),
        ("no challenge", whole.replace(&challenge, ""), "invalid_request"),
        ("an empty challenge", whole.replace(&challenge, "code_challenge="), "invalid_request"),
        ("no method", whole.replace(method, ""), "invalid_request"),
        ("plain", whole.replace(method, "code_challenge_method=plain"), "invalid_request"),
        ("s256", whole.replace(method, "code_challenge_method=s256"), "invalid_request"),
        ("S512", whole.replace(method, "code_challenge_method=S512"), "invalid_request"),
        ("two methods", format!("{whole}&code_challenge_method=plain"), "invalid_request"),
        ("two challenges", format!("{whole}&{challenge}"), "invalid_request"),
        ("a short challenge", whole.replace(CHALLENGE, &CHALLENGE[1..]), "invalid_request"),
        ("a long challenge", whole.replace(CHALLENGE, &format!("{CHALLENGE}A")), "invalid_request"),
        ("a padded challenge", whole.replace(CHALLENGE, &format!("{CHALLENGE}%3D")), "invalid_request"),
        ("a challenge that is no base64url", whole.replace(CHALLENGE, &"%2B".repeat(43)), "invalid_request"),
        ("two states", format!("{whole}&state=other"), "invalid_request"),
        ("a state without end", whole.replace("st%26te", &"s".repeat(3_000)), "invalid_request"),
        ("a nonce without end", whole.replace("n-1", &"n".repeat(600)), "invalid_request"),
        ("two nonces", format!("{whole}&nonce=other"), "invalid_request"),
        ("two scopes", format!("{whole}&scope=profile"), "invalid_request"),
        ("two unknown ones", format!("{whole}&x=1&x=2"), "invalid_request"),
        ("a fragment as mode", format!("{whole}&response_mode=fragment"), "invalid_request"),
        ("a form as mode", format!("{whole}&response_mode=form_post"), "invalid_request"),
        ("an unknown scope", whole.replace("scope=openid", "scope=admin"), "invalid_scope"),
        ("one known, one not", whole.replace("scope=openid", "scope=openid%20admin"), "invalid_scope"),
        ("a scope in capitals", whole.replace("scope=openid", "scope=OpenID"), "invalid_scope"),
        ("a scope with a quote", whole.replace("scope=openid", "scope=%22openid%22"), "invalid_scope"),
        ("a scope with a tab", whole.replace("scope=openid", "scope=openid%09profile"), "invalid_scope"),
        (
            "a scope without end",
            whole.replace("scope=openid", &format!("scope={}", "s".repeat(2_000))),
            "invalid_scope",
        ),
        ("a request object", format!("{whole}&request=eyJhbGciOiJub25lIn0.e30."), "request_not_supported"),
        (
            "a request by reference",
            format!("{whole}&request_uri=http%3A%2F%2F169.254.169.254"),
            "request_uri_not_supported",
        ),
        ("two prompts at odds", format!("{whole}&prompt=none%20login"), "invalid_request"),
        ("an unknown prompt", format!("{whole}&prompt=create"), "invalid_request"),
        ("an age below zero", format!("{whole}&max_age=-1"), "invalid_request"),
        ("an age that is none", format!("{whole}&max_age=1e3"), "invalid_request"),
    ] {
        let answer = stage.authorize(&stage.ada, &query).await;
        assert_eq!(answer.status.as_u16(), 303, "{name}: {}", answer.text);
        let to = answer.header("location");
        assert!(to.starts_with(&format!("{REDIRECT}?")), "{name}: {to}");
        assert_eq!(parameter(to, "error").as_deref(), Some(error), "{name}: {to}");
        assert_eq!((parameter(to, "code"), parameter(to, "iss").is_some()), (None, true), "{name}: {to}");
    }
    stage.update_key(json!({"grants": ["client_credentials"]})).await.is(200);
    let answer = stage.authorize(&stage.ada, &whole).await.is(303);
    assert_eq!(parameter(answer.header("location"), "error").as_deref(), Some("unauthorized_client"));
}

#[tokio::test]
async fn no_code_is_redeemed_by_who_it_was_not_given_to_or_for() {
    let stage = Stage::new().await;
    let other = stage.other(json!({})).await;
    let code = stage.code("openid").await;
    let (id, secret) = (stage.client.id.as_str(), stage.client.secret.as_str());
    let long = "v".repeat(129);
    let cut = &code[..code.len() - 1];
    let other_verifier = "e".repeat(43);
    let with = |name: &'static str, value: &str| {
        let pairs = stage.redeeming(&code);
        form(
            &pairs
                .iter()
                .map(|(one, had)| (*one, if *one == name { value } else { had }))
                .collect::<Vec<_>>(),
        )
    };
    let without = |name: &str| {
        form(&stage.redeeming(&code).into_iter().filter(|(one, _)| *one != name).collect::<Vec<_>>())
    };
    let by_other = form(&[&stage.redeeming(&code)[..4], &other.proof()].concat());
    for (name, body, status, error) in [
        ("another client", by_other, 400, "invalid_grant"),
        ("a wrong verifier", with("code_verifier", &other_verifier), 400, "invalid_grant"),
        ("the challenge as verifier", with("code_verifier", CHALLENGE), 400, "invalid_grant"),
        ("a short verifier", with("code_verifier", &VERIFIER[1..]), 400, "invalid_grant"),
        ("a long verifier", with("code_verifier", &long), 400, "invalid_grant"),
        ("a verifier with a space", with("code_verifier", &format!("{VERIFIER} ")), 400, "invalid_grant"),
        ("a verifier in capitals", with("code_verifier", &VERIFIER.to_uppercase()), 400, "invalid_grant"),
        ("no verifier", without("code_verifier"), 400, "invalid_request"),
        ("an empty verifier", with("code_verifier", ""), 400, "invalid_request"),
        ("no address", without("redirect_uri"), 400, "invalid_request"),
        ("another address", with("redirect_uri", "https://client.test/other"), 400, "invalid_grant"),
        ("the address with a slash", with("redirect_uri", "https://client.test/cb/"), 400, "invalid_grant"),
        ("the address escaped", with("redirect_uri", "https://client.test/%63b"), 400, "invalid_grant"),
        ("no code", without("code"), 400, "invalid_request"),
        ("an empty code", with("code", ""), 400, "invalid_request"),
        ("a cut code", with("code", cut), 400, "invalid_grant"),
        ("a longer code", with("code", &format!("{code}0")), 400, "invalid_grant"),
        ("a code in capitals", with("code", &code.to_uppercase()), 400, "invalid_grant"),
        ("a code of another kind", with("code", &code.replace("tgc_", "tgr_")), 400, "invalid_grant"),
        ("a code that is SQL", with("code", "' OR 1=1 --"), 400, "invalid_grant"),
        ("no secret", without("client_secret"), 401, "invalid_client"),
        ("an empty secret", with("client_secret", ""), 401, "invalid_client"),
        ("a wrong secret", with("client_secret", &other.secret), 401, "invalid_client"),
        ("a secret in capitals", with("client_secret", &secret.to_uppercase()), 401, "invalid_client"),
        ("an unknown client", with("client_id", "nobody"), 401, "invalid_client"),
        ("the client in capitals", with("client_id", &id.to_uppercase()), 401, "invalid_client"),
        ("no client", without("client_id"), 401, "invalid_client"),
        ("no grant", without("grant_type"), 400, "invalid_request"),
        ("a refresh with a code", with("grant_type", "refresh_token"), 400, "invalid_request"),
        ("a grant in capitals", with("grant_type", "AUTHORIZATION_CODE"), 400, "unsupported_grant_type"),
        ("a code twice", format!("{}&code=x", with("", "")), 400, "invalid_request"),
        ("a verifier twice", format!("{}&code_verifier=x", with("", "")), 400, "invalid_request"),
        ("a grant twice", format!("{}&grant_type=password", with("", "")), 400, "invalid_request"),
        ("a client twice", format!("{}&client_id=x", with("", "")), 400, "invalid_request"),
        ("a secret twice", format!("{}&client_secret=x", with("", "")), 400, "invalid_request"),
        ("an address twice", format!("{}&redirect_uri=x", with("", "")), 400, "invalid_request"),
        ("an unknown one twice", format!("{}&x=1&x=2", with("", "")), 400, "invalid_request"),
    ] {
        let answer = stage.token(&body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"].as_str()),
            (status, Some(error)),
            "{name}: {body}"
        );
        assert_eq!(answer.header("cache-control"), "no-store", "{name}");
        assert_eq!(answer.header("www-authenticate").starts_with("Basic "), status == 401, "{name}");
    }
    stage.token(&form(&stage.redeeming(&code))).await.is(200);
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
async fn no_refresh_token_is_exchanged_by_who_it_was_not_given_to() {
    let stage = Stage::new().await;
    let other = stage.other(json!({})).await;
    let tokens = stage.tokens("openid").await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let access = tokens["access_token"].as_str().unwrap();
    let id_token = tokens["id_token"].as_str().unwrap();
    let code = stage.code("openid").await;
    let with = |name: &'static str, value: &str| {
        let pairs = stage.refreshing(refresh);
        form(
            &pairs
                .iter()
                .map(|(one, had)| (*one, if *one == name { value } else { had }))
                .collect::<Vec<_>>(),
        )
    };
    let by_other = form(&[&stage.refreshing(refresh)[..2], &other.proof()].concat());
    let silent = form(&stage.refreshing(refresh)[..3]);
    for (name, body, status, error) in [
        ("another client", by_other, 400, "invalid_grant"),
        ("nobody", form(&stage.refreshing(refresh)[..2]), 401, "invalid_client"),
        ("no secret", silent, 401, "invalid_client"),
        ("a wrong secret", with("client_secret", &other.secret), 401, "invalid_client"),
        ("no token", with("refresh_token", ""), 400, "invalid_request"),
        ("a cut token", with("refresh_token", &refresh[..refresh.len() - 1]), 400, "invalid_grant"),
        ("an access token", with("refresh_token", access), 400, "invalid_grant"),
        ("an ID token", with("refresh_token", id_token), 400, "invalid_grant"),
        ("a code", with("refresh_token", &code), 400, "invalid_grant"),
        (
            "a token of another kind",
            with("refresh_token", &refresh.replace("tgr_", "tga_")),
            400,
            "invalid_grant",
        ),
        ("a client secret", with("refresh_token", &stage.client.secret), 400, "invalid_grant"),
        ("a token twice", format!("{}&refresh_token=x", with("", "")), 400, "invalid_request"),
        ("a scope twice", format!("{}&scope=openid&scope=openid", with("", "")), 400, "invalid_request"),
        ("a wider scope", format!("{}&scope=openid%20profile", with("", "")), 400, "invalid_scope"),
    ] {
        let answer = stage.token(&body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"].as_str()),
            (status, Some(error)),
            "{name}: {body}"
        );
    }
    stage.refresh(refresh).await.is(200);
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
    for name in ["token_endpoint", "revocation_endpoint", "introspection_endpoint", "userinfo_endpoint"] {
        let path = known[name].as_str().unwrap().strip_prefix(super::client::ISSUER).unwrap();
        assert_eq!(stage.post_form(None, path, "").await.status, 401, "{name}");
    }
    assert_eq!(known.get("registration_endpoint"), None);
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
