//! The credential: its three places, and that it goes no further than the gateway.

use crate::{
    backend::Backend,
    client::Ask,
    rig::Rig,
    socket::Head,
    world::{PATH, World, issuer, new_key},
};

/// A backend that chooses the subprotocol `chat`.
const CHAT: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: chat\r\n\r\n";

/// Nothing of the token in what the backend got.
#[track_caller]
fn is_hidden(head: &Head, token: &str) {
    for part in token.split('.') {
        assert!(!head.text.contains(part), "{}", head.text);
    }
    assert!(head.all("authorization").is_empty() && !head.text.contains("access_token"), "{}", head.text);
}

#[tokio::test]
async fn a_token_in_the_header_stays_here() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world).with("Sec-WebSocket-Protocol", "chat, superchat")).await;
    assert!(client.head.all("sec-websocket-protocol").is_empty(), "the backend chose none");
    client.echo("hello").await;
    is_hidden(&backend.head(), &world.token());
    assert_eq!(backend.head().one("sec-websocket-protocol"), "chat, superchat");
}

#[tokio::test]
async fn a_token_in_the_query_stays_here() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let token = world.token();
    let mut client = rig.open(&Ask::to(&format!("{PATH}/news?a=1&access_token={token}&b=2"))).await;
    client.echo("hello").await;
    is_hidden(&backend.head(), &token);
    assert_eq!(backend.head().start, "GET /news?a=1&b=2 HTTP/1.1");
}

#[tokio::test]
async fn a_token_among_the_subprotocols_is_answered_with_bearer_alone() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let token = world.token();
    for (offers, answered, forwarded) in [
        (format!("bearer, {token}"), "bearer", None),
        (format!("Bearer, {token}"), "Bearer", None),
        (format!("chat, bearer, {token}, superchat"), "bearer", Some("chat, superchat")),
    ] {
        let mut client = rig.open(&Ask::to(PATH).with("Sec-WebSocket-Protocol", &offers)).await;
        assert_eq!(client.head.one("sec-websocket-protocol"), answered);
        client.echo("hello").await;
        client.leave().await;
        let head = backend.seen.borrow().heads.last().unwrap().clone();
        is_hidden(&head, &token);
        assert!(!head.text.to_ascii_lowercase().contains("bearer"), "{}", head.text);
        assert_eq!(head.all("sec-websocket-protocol"), Vec::from_iter(forwarded));
    }
}

#[tokio::test]
async fn what_the_backend_chose_is_the_answer() {
    let backend = Backend::answering(CHAT).await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let token = world.token();
    for offers in [format!("bearer, {token}, chat"), format!("chat, bearer, {token}")] {
        let client = rig.open(&Ask::to(PATH).with("Sec-WebSocket-Protocol", &offers)).await;
        assert_eq!(client.head.one("sec-websocket-protocol"), "chat");
    }
    let client = rig.open(&Ask::usual(&world).with("Sec-WebSocket-Protocol", "superchat, chat")).await;
    assert_eq!(client.head.one("sec-websocket-protocol"), "chat");
    // What was not offered cannot be chosen.
    assert_eq!(rig.ask(&Ask::usual(&world)).await.problem(), "backend-malformed");
    let offers = format!("bearer, {token}");
    let refused = rig.ask(&Ask::to(PATH).with("Sec-WebSocket-Protocol", &offers)).await;
    assert_eq!((refused.status, &*refused.problem()), (502, "backend-malformed"));
}

#[tokio::test]
async fn other_keys_end_what_the_old_ones_signed() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let old = world.token();
    rig.open(&Ask::to(PATH).bearer(&old)).await.leave().await;

    world.key = new_key();
    world.parts.issuer = issuer(&world.key);
    rig.decide(&mut world).await;
    let refused = rig.ask(&Ask::to(PATH).bearer(&old)).await;
    assert_eq!((refused.status, &*refused.problem()), (401, "credential-invalid"));
    rig.open(&Ask::usual(&world)).await.leave().await;

    "no key set".clone_into(&mut world.parts.issuer.jwks);
    rig.decide(&mut world).await;
    let refused = rig.ask(&Ask::usual(&world)).await;
    assert_eq!((refused.status, &*refused.problem()), (503, "not-ready"), "nobody can be believed");
}
