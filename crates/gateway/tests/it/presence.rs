//! Whether both sides are still there, and how long a session may last: what a client and a backend see of it.

use crate::{
    backend::{Backend, Visit},
    client::{Ask, Client, because},
    rig::Rig,
    socket::{Frame, PING, PONG},
    world::World,
};

/// A session whose endpoint was changed before.
async fn meet(change: impl FnOnce(&mut World)) -> (Rig, Client, Visit) {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    change(&mut world);
    let rig = Rig::start(&mut world).await;
    let usual = Ask::usual(&world);
    let accepting = async {
        let mut visit = backend.next().await;
        visit.accept("").await;
        visit
    };
    let (client, visit) = tokio::join!(rig.open(&usual), accepting);
    (rig, client, visit)
}

fn asking(world: &mut World) {
    let endpoint = world.production();
    (endpoint.ping_interval_ms, endpoint.pong_timeout_ms) = (200, 400);
}

fn payload_of(ping: Option<Frame>) -> Vec<u8> {
    let ping = ping.expect("a Ping comes");
    assert_eq!((ping.opcode, ping.payload.len()), (PING, 4), "a Ping of the gateway's own");
    ping.payload
}

#[tokio::test]
async fn who_is_silent_is_asked_and_whoever_answers_stays() {
    let (_rig, mut client, mut visit) = meet(asking).await;
    for _ in 0..3 {
        let asked = payload_of(client.frames.next().await);
        client.frames.send(PONG, &asked).await;
        let asked = payload_of(visit.frames.next().await);
        visit.frames.send(PONG, &asked).await;
    }
    client.frames.say("hello").await;
    // The first thing that the backend hears of its client: no Pong of the gateway's reached it.
    let mut next = visit.frames.next().await;
    while next.as_ref().is_some_and(|frame| frame.opcode == PING) {
        next = visit.frames.next().await;
    }
    assert_eq!(next.expect("the message").payload, b"hello");
}

#[tokio::test]
async fn a_client_that_does_not_answer_is_gone_for_its_backend() {
    let (_rig, mut client, mut visit) = meet(asking).await;
    payload_of(client.frames.next().await);
    let asked = payload_of(visit.frames.next().await);
    visit.frames.send(PONG, &asked).await;
    let told = visit.frames.closed_after_pongs().await;
    assert_eq!(told, because(1001, "client_gone"));
    assert_eq!(client.frames.rest().await, b"", "its own connection ends without a word");
}

#[tokio::test]
async fn a_backend_that_does_not_answer_is_gone_for_its_client() {
    let (_rig, mut client, mut visit) = meet(asking).await;
    payload_of(visit.frames.next().await);
    let told = client.frames.closed_after_pongs().await;
    assert_eq!(told, because(1014, "backend_gone"));
}

#[tokio::test]
async fn a_session_ends_when_it_has_lasted_its_time() {
    let (_rig, mut client, mut visit) = meet(|world| world.production().lifetime_max_ms = 500).await;
    client.frames.say("hello").await;
    assert_eq!(visit.frames.hear().await, "hello");
    assert_eq!(client.closed().await, because(1001, "lifetime"));
    assert_eq!(visit.frames.closed().await, because(1001, "lifetime"));
}
