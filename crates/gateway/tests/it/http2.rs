//! WebSocket over HTTP/2: the same sessions and the same refusals, on the streams of one connection.

mod hostile;
pub(crate) mod peer;
mod sessions;

use tidegate_model::lifecycle::State;

use crate::{
    backend::Backend,
    rig::Rig,
    world::{PATH, World, api},
};
use peer::{Ask, Connection};

#[tokio::test]
async fn what_is_refused_over_http1_is_refused_over_http2() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let mut blocked = api(11, "/blocked", &backend.url());
    blocked.state = State::Blocked;
    world.parts.apis.extend([blocked, api(13, "/others", &backend.url())]);
    let rig = Rig::start(&mut world).await;
    let connection = Connection::open(&rig).await;
    let token = world.token();
    let usual = || Ask::usual(&world);
    let long = format!("{PATH}?q={}", "x".repeat(5 * 1024));
    for (ask, status, problem, why) in [
        (Ask::to(PATH), 401, "credential-missing", "none"),
        (Ask::to(PATH).bearer("x"), 401, "credential-invalid", "nonsense"),
        (Ask::to(&format!("{PATH}?access_token={token}")).bearer(&token), 400, "credential-several", "two"),
        (Ask::to("/nothing").bearer(&token), 404, "unknown-api", "no such API"),
        (Ask::to("/blocked/1.0").bearer(&token), 403, "api-blocked", "blocked"),
        (Ask::to("/others/1.0").bearer(&token), 403, "no-subscription", "not subscribed"),
        (usual().without("sec-websocket-version"), 400, "malformed-handshake", "no version"),
        (usual().with("sec-websocket-version", "8"), 400, "malformed-handshake", "a version beside 13"),
        (usual().with("content-length", "0"), 400, "malformed-handshake", "a length"),
        (usual().with("sec-websocket-protocol", "a, a"), 400, "malformed-handshake", "an offer twice"),
        (usual().with("host", "elsewhere.test"), 400, "malformed-handshake", "two authorities"),
        (usual().with("x", "caf\u{e9}"), 400, "malformed-request", "beyond ASCII"),
        (usual().with("x", "a\tb"), 400, "malformed-request", "a tab"),
        (Ask { protocol: None, ..usual() }, 400, "malformed-handshake", "a tunnel to somewhere"),
        (Ask { protocol: Some("connect-udp"), ..usual() }, 501, "protocol-unknown", "another protocol"),
        (Ask::to(&long).bearer(&token), 414, "target-too-long", "a long target"),
        (usual().with("x", &"y".repeat(17 * 1024)), 431, "head-too-large", "a large head"),
        (usual().get(), 405, "connect-required", "an ordinary request"),
        (usual().get().with("x", &"y".repeat(17 * 1024)), 431, "head-too-large", "a large ordinary one"),
    ] {
        let answer = connection.ask(&ask).await;
        assert_eq!((answer.status, &*answer.problem()), (status, problem), "{why}");
        assert_eq!(answer.head.all("connection").len() + answer.head.all("upgrade").len(), 0, "{why}");
        assert_eq!(
            answer.head.all("www-authenticate").len(),
            usize::from(status == 401 || problem == "credential-several")
        );
    }
    let ordinary = connection.ask(&usual().get()).await;
    assert_eq!(ordinary.head.one("allow"), "CONNECT");
    let other_version = connection
        .ask(&Ask::to(PATH).without("sec-websocket-version").with("sec-websocket-version", "8"))
        .await;
    assert_eq!(other_version.head.one("sec-websocket-version"), "13");
    backend.saw_nothing().await;
}

#[tokio::test]
async fn a_backend_that_cannot_be_had_is_told_as_over_http1() {
    let backend = Backend::answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let connection = Connection::open(&rig).await;
    let refused = connection.ask(&Ask::usual(&world)).await;
    assert_eq!((refused.status, &*refused.problem()), (502, "backend-refused"));
    let (_, told) = rig.drain().await;
    assert_eq!((told.borrow().totals().refusals, told.borrow().totals().sessions), (1, 0));
}

#[tokio::test]
async fn the_gateway_says_that_it_lives() {
    let rig = Rig::unready(|_| {});
    let connection = Connection::open(&rig).await;
    let plain = Ask { headers: Vec::new(), ..Ask::to("/health").get() };
    let answer = connection.ask(&plain).await;
    assert_eq!((answer.status, &*answer.body), (200, &b"ok\n"[..]));
    assert_eq!(answer.head.one("cache-control"), "no-store");
    let answer = connection.ask(&Ask { method: "HEAD", ..plain }).await;
    assert_eq!((answer.status, answer.head.one("content-length"), &*answer.body), (200, "3", &b""[..]));
}

#[tokio::test]
async fn whoever_offers_both_gets_what_it_prefers() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let stream = rig.secure_by(&["http/1.1"]).await;
    let usual = crate::client::Ask::usual(&world);
    crate::client::open(stream, &usual).await.leave().await;
    Connection::open(&rig).await.session(&Ask::usual(&world)).await.leave().await;
}
