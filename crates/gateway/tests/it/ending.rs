//! The end of a gateway, the question whether it lives, and the failure of one session.

use std::{net::SocketAddr, sync::Arc};

use tidegate_model::{
    link::{Down, GatewayLink, LinkClosed, Up},
    port::ConsoleDoor as _,
};

use crate::{
    backend::Backend,
    client::{self, Ask, because},
    rig::{self, Rig},
    socket::Frames,
    soon,
    world::{PATH, World},
};

#[tokio::test]
async fn a_drain_says_goodbye_to_every_session() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = rig.open(&Ask::usual(&world)).await;
        client.echo("hello").await;
        clients.push(client);
    }
    let farewells = async {
        for client in &mut clients {
            assert_eq!(client.closed().await, because(1012, "restart"));
        }
    };
    let ((cut, told), ()) = tokio::join!(rig.drain(), farewells);
    assert_eq!(cut, 0);
    backend.until("five goodbyes", |seen| seen.closes.len() == 5).await;
    assert!(backend.seen.borrow().closes.iter().all(|close| *close == because(1001, "restart")));
    let told = told.borrow();
    assert_eq!((told.totals().messages_from_clients, told.totals().sessions, told.open()), (5, 5, 0));
    assert!(told.sessions().iter().all(|session| (session.code, &*session.reason) == (1012, "restart")));
    assert_eq!(told.sessions().len(), 5);
}

#[tokio::test]
async fn a_drain_returns_when_the_last_batch_is_acknowledged() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("hello").await;
    rig.control.hold();
    let (_gateway, control, running, _serving) = rig.into_parts();
    let mut draining = Box::pin(running.drain());
    let last = async {
        assert_eq!(client.closed().await, because(1012, "restart"));
        control.until("a batch", |told| !told.batches.is_empty()).await;
    };
    tokio::select! {
        _ = &mut draining => panic!("nothing is on disk yet"),
        () = last => {}
    }
    // Whatever else there is to tell comes behind it, and is acknowledged as well.
    let batch = control.told.borrow().batches.last().unwrap().clone();
    control.release(&batch).await;
    assert_eq!(soon("the end", draining).await, 0);
    let told = control.told.borrow();
    assert_eq!((told.totals().messages_from_clients, told.sessions().len()), (1, 1));
}

/// A link to a control plane that has stopped taking anything.
struct Stuck;

#[async_trait::async_trait]
impl GatewayLink for Stuck {
    async fn send(&self, _: Up) -> Result<(), LinkClosed> {
        std::future::pending().await
    }

    async fn next(&self) -> Result<Down, LinkClosed> {
        std::future::pending().await
    }
}

/// Takes five seconds: the time that the last words have.
#[tokio::test]
async fn a_control_plane_that_is_stuck_does_not_hold_up_the_end() {
    let rig = Rig::over(Arc::new(Stuck));
    let (_, _, running, _) = rig.into_parts();
    assert_eq!(soon("the end", running.drain()).await, 0);
}

#[tokio::test]
async fn whoever_comes_during_a_drain_is_told_to_come_again() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let bytes = Ask::usual(&world).bytes();
    // One has connected and said nothing, one is in the middle of its head, one waits for its backend.
    let mut silent = Frames::of_client(rig.plain().await);
    let mut begun = Frames::of_client(rig.plain().await);
    begun.write(&bytes[..20]).await;
    let mut dialled = Frames::of_client(rig.plain().await);
    dialled.write(&bytes).await;
    let mut visit = backend.next().await;
    // Its answer means that those before it were accepted as well.
    assert_eq!(rig.ask(&Ask::to(PATH)).await.status, 401);
    let (gateway, _control, running, serving) = rig.into_parts();
    let refusals = async {
        for client in [&mut silent, &mut begun, &mut dialled] {
            let answer = client::answer(client).await;
            assert_eq!((answer.status, &*answer.problem()), (503, "restarting"));
            assert_eq!(answer.head.one("retry-after"), "5");
        }
        assert_eq!(visit.frames.rest().await, b"", "the dial ends with its client");
        for serving in serving {
            soon("the listener's end", serving).await.unwrap().unwrap();
        }
        let address: SocketAddr = "192.0.2.1:1".parse().unwrap();
        let console = gateway.open(address).await.unwrap();
        console.set_nonblocking(true).unwrap();
        let console = tokio::net::UnixStream::from_std(console).unwrap();
        let answer = client::ask(Box::new(console), &bytes).await;
        assert_eq!((answer.status, &*answer.problem()), (503, "restarting"));
    };
    let ((), cut) = tokio::join!(refusals, soon("the end", running.drain()));
    assert_eq!(cut, 0);
}

#[tokio::test]
async fn the_gateway_says_that_it_lives() {
    let rig = Rig::unready(|_| {});
    let plain = || Ask { headers: Vec::new(), ..Ask::to("/health") }.with("Host", "gateway.test");
    for stream in [rig.plain().await, rig.secure().await] {
        let answer = client::ask(stream, &plain().bytes()).await;
        assert_eq!((answer.status, &*answer.body), (200, &b"ok\n"[..]));
        assert_eq!(answer.head.one("cache-control"), "no-store");
    }
    // What a proxy sends that was told no more than the path.
    let answer = client::ask(rig.plain().await, b"GET /health HTTP/1.0\r\n\r\n").await;
    assert_eq!((answer.status, &*answer.body), (200, &b"ok\n"[..]));
    let elsewhere = Ask { target: "/healthy".to_owned(), ..plain() };
    assert_eq!(rig.ask(&elsewhere).await.problem(), "upgrade-required");
}

#[tokio::test]
async fn a_panic_while_a_session_is_served_ends_that_session_alone() {
    rig::short_panics();
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::with(&mut world, |settings| settings.workers = std::num::NonZeroUsize::new(1)).await;
    let mut unlucky = rig.open(&Ask::usual(&world)).await;
    let mut other = rig.open(&Ask::usual(&world)).await;
    unlucky.echo("hello").await;
    other.echo("hello").await;
    // Its goodbye to the backend needs a mask key, and there the randomness fails.
    rig.entropy.fail_at_keys(true);
    unlucky.frames.write(&crate::socket::encode(1, b"unmasked", None)).await;
    unlucky.frames.rest().await;
    rig.entropy.fail_at_keys(false);
    other.echo("nothing happened").await;
    rig.open(&Ask::usual(&world)).await.leave().await;
    other.leave().await;
    let (_, told) = rig.drain().await;
    let told = told.borrow();
    assert_eq!((told.sessions().len(), told.totals().sessions, told.open()), (3, 3, 0));
    assert_eq!(told.sessions().iter().filter(|session| session.cut).count(), 1);
}
