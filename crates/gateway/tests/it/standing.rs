//! Who may stay: expiry by the clock, and what a new snapshot takes away, on live sessions.

use std::io::Read as _;

use tidegate_model::{lifecycle::State, snapshot::IssuerFacts};
use tidegate_oauth::jwk::key_set;
use tokio::net::TcpStream;

use crate::{
    backend::Backend,
    client::{self, Ask, Client, because},
    rig::Rig,
    world::{LIFETIME, PRODUCTION, World, issuer, new_key},
};

/// A rig with one idle session on each worker.
async fn two_sessions(world: &mut World) -> (Rig, [Client; 2]) {
    let rig = Rig::start(world).await;
    let mut clients = [rig.open(&Ask::usual(world)).await, rig.open(&Ask::usual(world)).await];
    for client in &mut clients {
        client.echo("carried").await;
    }
    (rig, clients)
}

/// Both sessions end so when the world changes so.
async fn ends(change: impl FnOnce(&mut World), code: u16, word: &str) {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let (rig, clients) = two_sessions(&mut world).await;
    change(&mut world);
    rig.decide(&mut world).await;
    for mut client in clients {
        assert_eq!(client.closed().await, because(code, word));
    }
    backend.until("two goodbyes", |seen| seen.closes.len() == 2).await;
    assert_eq!(backend.seen.borrow().closes, [because(1001, word), because(1001, word)]);
}

#[tokio::test]
async fn a_blocked_api_ends_its_sessions() {
    ends(|world| world.api().state = State::Blocked, 3003, "api_blocked").await;
}

#[tokio::test]
async fn a_retired_api_ends_its_sessions() {
    ends(|world| world.api().state = State::Retired, 3003, "api_retired").await;
}

#[tokio::test]
async fn a_deleted_api_ends_its_sessions() {
    ends(|world| world.parts.apis.clear(), 3003, "api_retired").await;
}

#[tokio::test]
async fn a_subscription_that_ends_takes_its_sessions_along() {
    ends(|world| world.parts.subscriptions.clear(), 3003, "subscription_ended").await;
}

#[tokio::test]
async fn a_removed_signing_key_ends_what_it_opened() {
    let other = |world: &mut World| world.parts.issuer = issuer(&new_key());
    ends(other, 3000, "signing_key_removed").await;
}

#[tokio::test]
async fn a_rotation_ends_nothing_and_the_removal_of_one_key_leaves_the_sessions_of_another() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let (rig, [mut one, mut other]) = two_sessions(&mut world).await;
    let (old, new) = (world.key.clone(), new_key());
    world.parts.issuer = IssuerFacts {
        jwks: key_set([&new, &old]),
        keys: [&new, &old].map(|key| key.kid().to_owned()).to_vec(),
        ..issuer(&old)
    };
    rig.decide(&mut world).await;
    one.echo("stays").await;
    world.key = new.clone();
    let mut third = rig.open(&Ask::usual(&world)).await;
    third.echo("comes").await;
    world.parts.issuer = issuer(&new);
    rig.decide(&mut world).await;
    for client in [&mut one, &mut other] {
        assert_eq!(client.closed().await, because(3000, "signing_key_removed"));
    }
    third.echo("stays").await;
}

#[tokio::test]
async fn a_deleted_key_ends_its_sessions() {
    ends(|world| world.parts.clients.retain(|client| client.client_id != PRODUCTION), 3000, "key_revoked")
        .await;
}

#[tokio::test]
async fn a_deleted_application_ends_its_sessions() {
    ends(|world| world.parts.applications.clear(), 3000, "key_revoked").await;
}

#[tokio::test]
async fn a_credential_that_expires_ends_sessions_that_only_listen() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let (rig, mut clients) = two_sessions(&mut world).await;
    let left = LIFETIME * 1_000 - crate::world::NOW.millis() % 1_000;
    rig.clock.forward(left - 1);
    for client in &mut clients {
        client.echo("still here").await;
    }
    rig.clock.forward(1);
    for mut client in clients {
        assert_eq!(client.closed().await, because(3000, "expired"));
    }
    backend
        .until("two goodbyes", |seen| seen.closes == [because(1001, "expired"), because(1001, "expired")])
        .await;
}

#[tokio::test]
async fn only_those_are_closed_whom_a_snapshot_forbids() {
    let (backend, other_backend) = (Backend::echo().await, Backend::echo().await);
    let mut world = World::new(&backend.url());
    let mut other = crate::world::api(7, "/other", &other_backend.url());
    other.state = State::Prototyped;
    world.parts.apis.push(other);
    let (rig, clients) = two_sessions(&mut world).await;
    let mut stays = rig.open(&Ask::to("/other/1.0").bearer(&world.token())).await;
    stays.echo("before").await;
    world.api().state = State::Blocked;
    rig.decide(&mut world).await;
    for mut client in clients {
        assert_eq!(client.closed().await, because(3003, "api_blocked"));
    }
    stays.echo("after").await;
}

#[tokio::test]
async fn a_snapshot_that_forbids_nothing_closes_nothing() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let (rig, mut clients) = two_sessions(&mut world).await;
    let changes: [fn(&mut World); 6] = [
        |_| {},
        |world| world.api().state = State::Deprecated,
        |world| world.api().revision = 2,
        // Sessions stay where they are connected; new ones go elsewhere.
        |world| "ws://127.0.0.1:1/".clone_into(&mut world.production().url),
        |world| world.api().endpoints.production = None,
        |world| world.parts.apis.push(crate::world::api(9, "/new", "ws://localhost/")),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        change(&mut world);
        rig.decide(&mut world).await;
        for client in &mut clients {
            client.echo(&format!("change {number}")).await;
        }
    }
    for client in clients {
        client.leave().await;
    }
}

#[tokio::test]
async fn another_idle_timeout_holds_for_live_sessions() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let (rig, clients) = two_sessions(&mut world).await;
    world.production().idle_timeout_ms = 200;
    rig.decide(&mut world).await;
    for mut client in clients {
        assert_eq!(client.closed().await, because(1001, "idle"));
    }
}

#[tokio::test]
async fn a_snapshot_is_acknowledged_when_the_sessions_have_been_told() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut sockets = Vec::new();
    let ask = Ask::usual(&world);
    // So many that telling them takes a while.
    for _ in 0..200 {
        // A twin of the socket, to look at without waiting for the runtime to notice.
        let socket = std::net::TcpStream::connect(rig.ws).unwrap();
        socket.set_nonblocking(true).unwrap();
        let stream = TcpStream::from_std(socket.try_clone().unwrap()).unwrap();
        let mut client = client::open(Box::new(stream), &ask).await;
        client.echo("carried").await;
        sockets.push((socket, client));
    }
    world.api().state = State::Blocked;
    rig.decide(&mut world).await;
    for (socket, _client) in &mut sockets {
        let mut frame = [0; 64];
        let bytes = socket.read(&mut frame).expect("the goodbye is here already");
        let (code, reason) = because(3003, "api_blocked");
        let expected =
            [&[0x88, 2 + u8::try_from(reason.len()).unwrap()], &code.to_be_bytes()[..], reason.as_bytes()]
                .concat();
        assert_eq!(&frame[..bytes], expected);
    }
}

#[tokio::test]
async fn a_handshake_under_way_meets_the_new_snapshot() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let client = rig.asking(&Ask::usual(&world)).await;
    let mut visit = backend.next().await;
    world.api().state = State::Blocked;
    rig.decide(&mut world).await;
    visit.accept("").await;
    let mut client = client::switched(client).await;
    assert_eq!(client.closed().await, because(3003, "api_blocked"));
    assert_eq!(visit.frames.closed().await, because(1001, "api_blocked"));
}

#[tokio::test]
async fn a_credential_that_expires_during_the_handshake_ends_the_session() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let client = rig.asking(&Ask::usual(&world)).await;
    let mut visit = backend.next().await;
    rig.clock.forward(LIFETIME * 1_000);
    visit.accept("").await;
    let mut client = client::switched(client).await;
    assert_eq!(client.closed().await, because(3000, "expired"));
    assert_eq!(visit.frames.closed().await, because(1001, "expired"));
}
