//! The timeouts of an endpoint: for each the client sees the difference between a short and a long one.

use std::time::{Duration, Instant};

use futures_util::future::join;
use serde_json::{Value, json};

use crate::{backend::Backend, client::Opening, portal::Person, product::Product, wait::PATIENCE};

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(2);
/// How late an end may be on a busy machine, still telling short from long.
const LATE: Duration = Duration::from_millis(1_500);

/// An opening to an API of its own with this endpoint.
async fn opening(admin: &Person<'_>, name: &str, endpoint: Value) -> Opening {
    let api = admin.publish(name, json!({"production": endpoint})).await;
    let token = admin.access(name, &api, "Unlimited").await.token;
    Opening::to(&api.ws).bearer(&token)
}

/// Openings to the same backend, one with a short and one with a long timeout.
async fn pair(admin: &Person<'_>, name: &str, url: &str, timeout: &str) -> [Opening; 2] {
    let of = async |which: &str, duration: Duration| {
        let mut endpoint = json!({"url": url});
        endpoint[timeout] = json!(duration.as_millis());
        opening(admin, &format!("{name}{which}"), endpoint).await
    };
    [of("Short", SHORT).await, of("Long", LONG).await]
}

fn took(what: &str, elapsed: Duration, expected: Duration) {
    assert!(elapsed >= expected, "{what}: {elapsed:?} is sooner than {expected:?}");
    assert!(elapsed < expected + LATE, "{what}: {elapsed:?} is much later than {expected:?}");
}

/// Both are refused with 504 and this type, each after its own time.
async fn refused_in_time([short, long]: [Opening; 2], kind: &str) {
    let refused = async |opening: Opening, expected| {
        let begun = Instant::now();
        let refused = opening.refused().await;
        took(kind, begun.elapsed(), expected);
        assert_eq!((refused.status, refused.problem().as_str()), (504, kind), "{}", refused.text);
    };
    join(refused(short, SHORT), refused(long, LONG)).await;
}

#[tokio::test]
async fn the_connect_timeout_bounds_the_connection_and_the_tls_timeout_its_tls() {
    let product = Product::start().await;
    let admin = product.portal.admin().await;
    let (full, silent) = (Backend::full().await, Backend::silent());
    let unaccepted = pair(&admin, "Unaccepted", &full.url(), "connect_timeout_ms").await;
    let unsecured = pair(&admin, "Unsecured", &silent.secured_url(), "tls_timeout_ms").await;
    join(
        refused_in_time(unaccepted, "backend-connect-timeout"),
        refused_in_time(unsecured, "backend-tls-timeout"),
    )
    .await;
}

#[tokio::test]
async fn the_handshake_timeout_bounds_the_backends_answer() {
    let product = Product::start().await;
    let admin = product.portal.admin().await;
    let silent = Backend::silent();
    let openings = pair(&admin, "Unanswered", &silent.url(), "handshake_timeout_ms").await;
    refused_in_time(openings, "backend-handshake-timeout").await;
    // The gateway holds on to no connection of those that came to nothing.
    silent.is_over().await;
}

#[tokio::test]
async fn the_idle_timeout_ends_a_session_in_which_nothing_moves() {
    let product = Product::start().await;
    let admin = product.portal.admin().await;
    let backend = Backend::echo();
    let [short, long] = pair(&admin, "Idle", &backend.url(), "idle_timeout_ms").await;
    let idle = async |opening: Opening, expected: Duration| {
        let mut client = opening.open().await;
        // What moves keeps it open: three messages, each in half the time, outlast the timeout.
        for number in 0..3 {
            let until = Instant::now() + expected / 2;
            client.echo(&format!("still here {number}")).await;
            tokio::time::sleep_until(until.into()).await;
        }
        client.echo("and now nothing").await;
        let begun = Instant::now();
        let close = client.closed_within(PATIENCE).await;
        assert_eq!(close, Some((1001, r#"{"reason":"idle"}"#.to_owned())));
        // The timer began with the last byte, a moment before we read it.
        took("idle", begun.elapsed() + Duration::from_millis(50), expected);
    };
    join(idle(short, SHORT), idle(long, LONG)).await;
    backend.is_over().await;
    for seen in backend.seen() {
        assert_eq!(seen.close.unwrap().0, 1001);
    }
}
