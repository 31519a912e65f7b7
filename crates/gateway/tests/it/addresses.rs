//! An endpoint with several addresses: who is asked, who is asked next, and who is left alone for a while.

use tidegate_model::endpoint::{Balance, Suspension};

use crate::{
    backend::Backend,
    client::{Ask, Client},
    rig::Rig,
    world::World,
};

const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";

/// An API whose endpoint has these addresses, the first being the endpoint's own.
fn world(balance: Balance, backends: &[&Backend]) -> World {
    let mut world = World::new(&backends[0].url());
    let endpoint = world.production();
    endpoint.others = backends[1..].iter().map(|backend| backend.url()).collect();
    endpoint.balance = balance;
    endpoint.handshake_timeout_ms = 300;
    endpoint.suspension = Suspension { after_failures: 1, first_ms: 600_000, max_ms: 600_000 };
    world
}

/// How often each was asked.
fn asked(backends: &[&Backend]) -> Vec<usize> {
    backends.iter().map(|backend| backend.seen.borrow().heads.len()).collect()
}

async fn open(rig: &Rig, world: &World) -> Client {
    let mut client = rig.open(&Ask::usual(world)).await;
    client.echo("hello").await;
    client
}

#[tokio::test]
async fn the_next_address_is_asked_when_one_fails_and_that_one_is_left_alone() {
    for failing in [BUSY, "", "SSH-2.0-OpenSSH_9.6\r\n"] {
        let (failing, good) = (Backend::answering(failing).await, Backend::echo().await);
        let backends = [&failing, &good];
        let mut world = world(Balance::Failover, &backends);
        let rig = Rig::start(&mut world).await;
        open(&rig, &world).await;
        assert_eq!(asked(&backends), [1, 1]);
        open(&rig, &world).await;
        assert_eq!(asked(&backends), [1, 2], "suspended for ten minutes");
    }
}

#[tokio::test]
async fn a_dead_address_is_passed_over() {
    let (dead, good) = (Backend::bind().await, Backend::echo().await);
    let mut world = world(Balance::Failover, &[&dead, &good]);
    drop(dead);
    let rig = Rig::start(&mut world).await;
    open(&rig, &world).await.leave().await;
}

#[tokio::test]
async fn a_backends_own_no_is_the_answer() {
    let (refusing, good) = (Backend::answering(FORBIDDEN).await, Backend::echo().await);
    let backends = [&refusing, &good];
    let mut world = world(Balance::Failover, &backends);
    let rig = Rig::start(&mut world).await;
    for _ in 0..2 {
        assert_eq!(rig.ask(&Ask::usual(&world)).await.problem(), "backend-refused");
    }
    assert_eq!(asked(&backends), [2, 0], "nor is it suspended for it");
}

#[tokio::test]
async fn where_none_answers_the_last_reason_is_told() {
    let (busy, silent) = (Backend::answering(BUSY).await, Backend::answering("").await);
    let backends = [&busy, &silent];
    let mut world = world(Balance::Failover, &backends);
    let rig = Rig::start(&mut world).await;
    for round in 1..=2 {
        let answer = rig.ask(&Ask::usual(&world)).await;
        assert_eq!((answer.status, &*answer.problem()), (504, "backend-handshake-timeout"));
        assert_eq!(asked(&backends), [round, round], "where all are suspended all are asked");
    }
}

#[tokio::test]
async fn sessions_are_spread_in_turn() {
    let (one, two, three) = (Backend::echo().await, Backend::echo().await, Backend::echo().await);
    let backends = [&one, &two, &three];
    let mut world = world(Balance::RoundRobin, &backends);
    let rig = Rig::start(&mut world).await;
    for _ in 0..6 {
        open(&rig, &world).await.leave().await;
    }
    assert_eq!(asked(&backends), [2, 2, 2]);
}

#[tokio::test]
async fn sessions_go_where_the_fewest_are() {
    let (one, two) = (Backend::echo().await, Backend::echo().await);
    let backends = [&one, &two];
    let mut world = world(Balance::LeastConnections, &backends);
    let rig = Rig::start(&mut world).await;
    let mut staying = open(&rig, &world).await;
    let stays_with = asked(&backends).iter().position(|asked| *asked == 1).unwrap();
    // Whosever turn it is: the other one has none.
    for round in 1..=3 {
        open(&rig, &world).await.leave().await;
        rig.control.until("its place is given back", |told| told.sessions().len() == round).await;
        assert_eq!((asked(&backends)[stays_with], asked(&backends)[1 - stays_with]), (1, round));
    }
    staying.echo("still here").await;
}

#[tokio::test]
async fn a_client_stays_with_its_address() {
    let (one, two, three) = (Backend::echo().await, Backend::echo().await, Backend::echo().await);
    let backends = [&one, &two, &three];
    let mut world = world(Balance::StickyClient, &backends);
    let rig = Rig::start(&mut world).await;
    for _ in 0..5 {
        open(&rig, &world).await.leave().await;
    }
    let mut asked = asked(&backends);
    asked.sort_unstable();
    assert_eq!(asked, [0, 0, 5], "all come from one address");
}
