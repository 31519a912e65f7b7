//! The console's door: its clients pass the same phases as everybody.

use std::net::SocketAddr;

use tidegate_model::port::ConsoleDoor as _;

use crate::{
    backend::Backend,
    client::{self, Ask},
    rig::Rig,
    socket::Duplex,
    world::{PATH, World},
};

/// A stream that somebody at this address opened.
async fn door(rig: &Rig, client: &str) -> Box<dyn Duplex> {
    let client: SocketAddr = client.parse().unwrap();
    let stream = rig.gateway.open(client).await.unwrap();
    stream.set_nonblocking(true).unwrap();
    Box::new(tokio::net::UnixStream::from_std(stream).unwrap())
}

#[tokio::test]
async fn a_console_is_a_client_like_any_other() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(2);
    let rig = Rig::start(&mut world).await;
    let mut client = client::open(door(&rig, "192.0.2.7:5000").await, &Ask::usual(&world)).await;
    client.echo("hello").await;
    let head = backend.head();
    assert_eq!(head.one("x-forwarded-for"), "192.0.2.7");
    assert_eq!(head.one("x-forwarded-proto"), "https");
    client.frames.say("one more").await;
    assert_eq!(client.closed().await.0, 4429, "its messages count");
    let refused = client::ask(door(&rig, "192.0.2.7:5001").await, &Ask::usual(&world).bytes()).await;
    assert_eq!((refused.status, &*refused.problem()), (429, "quota"));
    let (_, told) = rig.drain().await;
    let totals = told.borrow().totals();
    assert_eq!((totals.sessions, totals.messages_from_clients, totals.messages_from_backends), (1, 1, 1));
    assert_eq!(totals.refusals, 2, "one message, one handshake");
}

#[tokio::test]
async fn a_console_without_a_credential_is_refused() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let refused = client::ask(door(&rig, "[2001:db8::1]:5000").await, &Ask::to(PATH).bytes()).await;
    assert_eq!((refused.status, &*refused.problem()), (401, "credential-missing"));
    backend.saw_nothing().await;
}

#[tokio::test]
async fn a_large_message_passes_the_door() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut client = client::open(door(&rig, "192.0.2.7:5000").await, &Ask::usual(&world)).await;
    let large = "large ".repeat(100_000);
    client.echo(&large).await;
    client.leave().await;
}
