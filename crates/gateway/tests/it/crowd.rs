//! Connections by client address: who is counted when, and that places come back.

use std::num::NonZeroU32;

use tidegate_model::forwarded::TrustedProxies;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{
    backend::Backend,
    client::{self, Answer, Ask, Client},
    rig::Rig,
    socket::{Duplex, Frames},
    soon,
    world::World,
};

/// A gateway that lets each address have two connections.
async fn rig(world: &mut World, trusted: &str, proxy_protocol: bool) -> Rig {
    Rig::with(world, |settings| {
        settings.connections_per_address = NonZeroU32::new(2);
        settings.trusted = TrustedProxies::parse(trusted).unwrap();
        settings.proxy_protocol = proxy_protocol;
    })
    .await
}

#[track_caller]
fn is_one_too_many(answer: &Answer) {
    assert_eq!((answer.status, &*answer.problem()), (429, "too-many-connections"), "{}", answer.head.text);
    assert_eq!(answer.head.one("retry-after"), "5");
}

/// Asks until there is a place: a session that the client saw end may hold its own for a moment more.
pub(crate) async fn once_there_is_a_place(rig: &Rig, ask: &Ask) -> Client {
    soon("a place", async {
        loop {
            let frames = rig.asking(ask).await;
            if let Some(client) = client::may_have_switched(frames).await {
                return client;
            }
        }
    })
    .await
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_no_more() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = rig(&mut world, "", false).await;
    let ask = Ask::usual(&world);
    let first = rig.open(&ask).await;
    // One that has said nothing yet counts as well.
    let mut silent = rig.plain().await;
    for stream in [rig.plain().await, rig.secure().await] {
        is_one_too_many(&client::ask(stream, &ask.bytes()).await);
    }
    // What a client says of itself changes nothing.
    is_one_too_many(&rig.ask(&ask.clone().with("X-Forwarded-For", "203.0.113.9")).await);
    assert_eq!(backend.seen.borrow().heads.len(), 1, "nothing was dialled for them");
    silent.write_all(&ask.bytes()).await.unwrap();
    let mut second = client::switched(Frames::of_client(silent)).await;
    second.echo("the second").await;
    first.leave().await;
    once_there_is_a_place(&rig, &ask).await.echo("the third").await;
    second.echo("nobody else noticed").await;
}

#[tokio::test]
async fn a_refused_or_broken_connection_gives_its_place_back() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = rig(&mut world, "", false).await;
    let ask = Ask::usual(&world);
    for _ in 0..3 {
        drop(once_there_is_a_place(&rig, &ask).await);
        let mut no_tls = TcpStream::connect(rig.secure_address()).await.unwrap();
        no_tls.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        Frames::of_client(Box::new(no_tls)).rest().await;
        rig.ask(&Ask::to("/nowhere/1.0")).await;
    }
    let first = once_there_is_a_place(&rig, &ask).await;
    let second = once_there_is_a_place(&rig, &ask).await;
    is_one_too_many(&rig.ask(&ask).await);
    drop((first, second));
}

#[tokio::test]
async fn a_trusted_proxys_clients_are_counted_and_not_the_proxy() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = rig(&mut world, "127.0.0.1", false).await;
    let of = |client: &str| Ask::usual(&world).with("X-Forwarded-For", client);
    let mut sessions = Vec::new();
    for client in ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2", "2001:db8::1", "2001:db8::2"] {
        sessions.push(rig.open(&of(client)).await);
    }
    for client in ["192.0.2.1", "192.0.2.2", "2001:db8::3"] {
        is_one_too_many(&rig.ask(&of(client)).await);
    }
    sessions.push(rig.open(&of("2001:db8:0:1::1")).await);
    for session in &mut sessions {
        session.echo("hello").await;
    }
    // A proxy that does not say for whom it connects connects for itself.
    let (_first, _second) = (rig.open(&Ask::usual(&world)).await, rig.open(&Ask::usual(&world)).await);
    is_one_too_many(&rig.ask(&Ask::usual(&world)).await);
}

#[tokio::test]
async fn a_proxy_headers_client_is_counted_before_it_says_anything() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = rig(&mut world, "127.0.0.1", true).await;
    let of = async |client: &str| {
        let mut stream = TcpStream::connect(rig.plain_address()).await.unwrap();
        stream.write_all(format!("PROXY TCP4 {client} 198.51.100.1 1 2\r\n").as_bytes()).await.unwrap();
        Box::new(stream) as Box<dyn Duplex>
    };
    let ask = Ask::usual(&world);
    let mut sessions = Vec::new();
    for client in ["192.0.2.1", "192.0.2.1", "192.0.2.2"] {
        sessions.push(client::open(of(client).await, &ask).await);
    }
    let mut refused = Frames::of_client(of("192.0.2.1").await);
    is_one_too_many(&client::answer(&mut refused).await);
    for session in &mut sessions {
        session.echo("hello").await;
    }
}
