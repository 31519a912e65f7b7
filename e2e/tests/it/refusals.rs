//! Refusals before the 101: each has its own status and problem type, comes in bounded time, and tells nothing that
//! its reader should not know.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    backend::Backend,
    client::{Opening, Refused},
    portal::{Api, Person},
    product::Product,
    wait::{PATIENCE, within},
};

/// A refusal that waits for nobody comes well within this, on any machine.
const SOON: Duration = Duration::from_secs(5);

/// The refusal, which has this status and type and comes soon.
async fn refuses(opening: &Opening, status: u16, kind: &str) -> Refused {
    let begun = Instant::now();
    let refused = opening.refused().await;
    assert!(begun.elapsed() < SOON, "{kind} took {:?}", begun.elapsed());
    assert_eq!((refused.status, refused.problem().as_str()), (status, kind), "{}", refused.text);
    assert_eq!(refused.headers["cache-control"], "no-store");
    let problem: Value = serde_json::from_str(&refused.text).unwrap();
    assert_eq!(problem["instance"].as_str(), Some(refused.headers["x-request-id"].as_str()));
    refused
}

async fn offer(admin: &Person<'_>, name: &str, url: &str) -> Api {
    admin.publish(name, json!({"production": {"url": url}})).await
}

#[tokio::test]
async fn without_a_good_credential_nobody_connects() {
    let (mut product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = offer(&admin, "Guarded", &backend.url()).await;
    let token = admin.access("Guarded", &api, "Unlimited").await.token;
    let to = || Opening::to(&api.ws);

    let missing = refuses(&to(), 401, "credential-missing").await;
    assert!(!missing.headers["www-authenticate"].contains("error="), "{:?}", missing.headers);
    let (head, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}{}", if signature.starts_with('A') { "B" } else { "A" }, &signature[1..]);
    // {"alg":"none"} in the place of the header.
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", head.split('.').nth(1).unwrap());
    for bad in [&forged, &unsigned, "no-token-at-all", "a.b.c"] {
        let refused = refuses(&to().bearer(bad), 401, "credential-invalid").await;
        assert!(
            refused.headers["www-authenticate"].contains("error=\"invalid_token\""),
            "{:?}",
            refused.headers
        );
        assert!(!refused.text.contains(bad), "{}", refused.text);
    }
    refuses(&to().in_query("a%00b"), 401, "credential-invalid").await;
    refuses(&to().header("Authorization", "Basic dXNlcjpwYXNz"), 401, "credential-not-accepted").await;
    refuses(&to().bearer(&token).in_query(&token), 400, "credential-several").await;
    let portal_token = admin.post("/tokens", json!({"name": "not for gateways"})).await.is(201).json();
    let portal_token = portal_token["token"].as_str().unwrap();
    refuses(&to().bearer(portal_token), 401, "credential-invalid").await;

    // The same installation under another address has another audience: its old tokens are not for it.
    to().bearer(&token).open().await.echo("still good").await;
    product.restart().await;
    let moved = Opening::to(&format!("{}{}", product.at.ws, api.path));
    refuses(&moved.clone().bearer(&token), 401, "credential-invalid").await;
    assert_eq!(backend.seen().len(), 1, "no refused handshake reached the backend");

    let admin = product.portal.admin().await;
    let access = admin.access("Deleted", &api, "Unlimited").await;
    moved.clone().bearer(&access.token).open().await.echo("new").await;
    admin.delete(&format!("/applications/{}/keys/{}", access.application, access.client_id)).await.is(204);
    refuses(&moved.bearer(&access.token), 401, "credential-revoked").await;
}

#[tokio::test]
async fn who_may_not_connect_here_is_told_so() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = offer(&admin, "Open", &backend.url()).await;
    let other = offer(&admin, "Other", &backend.url()).await;
    let access = admin.access("Open", &api, "Unlimited").await;
    let to = |url: &str| Opening::to(url).bearer(&access.token);

    refuses(&to(&other.ws), 403, "no-subscription").await;
    let nowhere = format!("{}/nowhere/1.0", product.at.ws);
    refuses(&to(&nowhere), 404, "unknown-api").await;
    refuses(&to(&format!("{}/open/2.0", product.at.ws)), 404, "unknown-api").await;
    refuses(&to(&format!("{}/open", product.at.ws)), 404, "unknown-api").await;
    for ambiguous in ["/open/1.0/../1.0", "/open%2f1.0", "//open/1.0"] {
        refuses(&to(&api.ws).target(ambiguous), 400, "ambiguous-path").await;
    }
    let sandbox = admin.key(&access.application, "sandbox").await;
    refuses(&Opening::to(&api.ws).bearer(&sandbox.token), 503, "no-endpoint").await;

    let plain = refuses(&to(&api.ws).no_upgrade(), 426, "upgrade-required").await;
    assert_eq!(
        (plain.headers["upgrade"].as_str(), plain.headers["sec-websocket-version"].as_str()),
        ("websocket", "13")
    );
    for method in ["POST", "PUT", "CONNECT"] {
        let refused = refuses(&to(&api.ws).method(method), 405, "method-not-allowed").await;
        assert_eq!(refused.headers["allow"], "GET");
    }
    refuses(&to(&api.ws).header("Content-Length", "5"), 400, "malformed-handshake").await;
    refuses(&to(&api.ws).header("Host", "twice.example"), 400, "malformed-request").await;
    refuses(&to(&api.ws).header("X-Long", &"x".repeat(70_000)), 431, "head-too-large").await;

    admin.lifecycle(&other.id, "block").await.is(200);
    refuses(&to(&other.ws), 403, "api-blocked").await;
    refuses(&Opening::to(&other.ws), 403, "api-blocked").await;
    admin.lifecycle(&other.id, "deprecate").await.is(200);
    admin.lifecycle(&other.id, "retire").await.is(200);
    refuses(&to(&other.ws), 404, "api-retired").await;
    admin.delete(&format!("/apis/{}", other.id)).await.is(204);
    refuses(&to(&other.ws), 404, "unknown-api").await;
    assert!(backend.seen().is_empty(), "no refused handshake reached the backend");
    to(&api.ws).open().await.echo("and a good one does").await;
}

#[tokio::test]
async fn a_backend_that_fails_is_a_problem_that_does_not_name_it() {
    let product = Product::start().await;
    let admin = product.portal.admin().await;
    let application = admin.application("Failing", "Unlimited").await;
    let token = admin.key(&application, "production").await.token;
    let answering = |answer| Backend::answering(answer);
    let body = "Content-Length: 14\r\n\r\nSECRET-CONTENT";
    let leaked: Vec<&'static str> =
        ["200 OK", "403 Forbidden", "404 Not Found", "302 Found\r\nLocation: /SECRET"]
            .map(|status| &*format!("HTTP/1.1 {status}\r\n{body}").leak())
            .to_vec();
    let not_ours = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
    let mut cases = vec![
        ("dead", Backend::dead(), 502, "backend-unreachable"),
        ("another accept key", answering(not_ours), 502, "backend-malformed"),
        ("no HTTP", answering("SSH-2.0-SECRET\r\n\r\n"), 502, "backend-malformed"),
        ("nothing", answering(""), 502, "backend-gone"),
    ];
    cases.extend(leaked.iter().map(|answer| (*answer, answering(answer), 502, "backend-refused")));
    for (number, (what, backend, status, kind)) in cases.iter().enumerate() {
        let api = offer(&admin, &format!("Failing{number}"), &backend.url()).await;
        admin.subscribe(&application, &api, "Unlimited").await;
        let refused = refuses(&Opening::to(&api.ws).bearer(&token), *status, kind).await;
        let told = format!("{:?} {}", refused.headers, refused.text);
        for secret in ["SECRET", "127.0.0.1", &backend.port().to_string(), &token] {
            assert!(!told.contains(secret), "{what} leaks “{secret}”: {told}");
        }
        assert!(backend.seen().iter().all(|seen| !seen.head.contains(&token)), "{what} saw the token");
    }
    let silent = Backend::silent();
    let patient = json!({"production": {"url": silent.url(), "handshake_timeout_ms": 400}});
    let unresolved = json!({"production": {"url": "ws://no-such-host.invalid:1234/SECRET"}});
    let own = json!({"production": {"url": product.at.ws.replace("localhost", "127.0.0.1")}});
    let metadata = json!({"production": {"url": "ws://169.254.169.254/SECRET"}});
    for (name, endpoints, status, kind) in [
        ("Silent", patient, 504, "backend-handshake-timeout"),
        ("Unresolved", unresolved, 502, "backend-unresolved"),
        ("Own", own, 502, "backend-forbidden"),
        ("Metadata", metadata, 502, "backend-forbidden"),
    ] {
        let api = admin.publish(name, endpoints).await;
        admin.subscribe(&application, &api, "Unlimited").await;
        let refused = refuses(&Opening::to(&api.ws).bearer(&token), status, kind).await;
        for secret in ["SECRET", "127.0.0.1", "invalid:", "169.254"] {
            assert!(!refused.text.contains(secret), "{name} leaks “{secret}”: {}", refused.text);
        }
    }
    let traffic = admin.traffic(&format!("/applications/{application}")).await;
    assert_eq!((traffic.sessions, traffic.open), (0, 0), "{traffic:?}");
}

#[tokio::test]
async fn a_wss_backend_is_reached_when_its_certificate_is_trusted() {
    let mut product = Product::start().await;
    let backend = Backend::secured(&product.certificate(), &product.data().join("tls/key.pem"));
    let admin = product.portal.admin().await;
    let api = offer(&admin, "Secured", &backend.secured_url()).await;
    let access = admin.access("Secured", &api, "Unlimited").await;
    refuses(&Opening::to(&api.ws).bearer(&access.token), 502, "backend-untrusted").await;

    product.stop().await;
    let trusted = product.certificate();
    let trusting = |command: &mut Command| {
        command.env("SSL_CERT_FILE", trusted).env_remove("SSL_CERT_DIR");
    };
    product.start_again_with(trusting).await;
    let admin = product.portal.admin().await;
    let path = format!("/applications/{}/keys/{}/token", access.application, access.client_id);
    let again = admin.post(&path, json!({}));
    let token = again.await.is(200).json()["access_token"].as_str().unwrap().to_owned();
    let moved = Opening::to(&format!("{}{}", product.at.ws, api.path)).bearer(&token);
    let mut client = moved.open().await;
    client.echo("over TLS to the backend").await;
    client.echo(&"long ".repeat(100_000)).await;
    assert_eq!(client.close_with(4000, "bye").await, (4000, "bye".to_owned()));
    backend.is_over().await;
    assert_eq!(backend.seen().last().unwrap().close, Some((4000, "bye".to_owned())));
}

#[tokio::test]
async fn a_client_that_dawdles_is_not_waited_for() {
    let product = Product::start().await;
    let mut stream = TcpStream::connect(product.at.ws.strip_prefix("ws://").unwrap()).await.unwrap();
    stream.write_all(b"GET /demo-echo/1.0 HTTP/1.1\r\nHost: local").await.unwrap();
    let mut answer = Vec::new();
    within("the answer to half a head", PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("request-timeout"), "{answer}");
}
