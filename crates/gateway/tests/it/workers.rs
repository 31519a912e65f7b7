//! Faults of a relay worker as its clients, its backends and the control plane see them.

use std::sync::mpsc;

use crate::{
    backend::Backend,
    client::{Ask, Client, because},
    rig::{self, Fault, Rig},
    world::World,
};

/// The number of the worker that carries a session, from the id that its client was told.
fn worker_of(client: &Client) -> String {
    let id = client.head.one("x-request-id");
    id.split('-').nth(1).expect("an id names its worker").to_owned()
}

/// Two sessions, the first on the first worker and the second on the other.
async fn one_on_each(rig: &Rig, world: &World) -> [Client; 2] {
    let [one, other] = [rig.open(&Ask::usual(world)).await, rig.open(&Ask::usual(world)).await];
    let mut both = [one, other];
    for client in &mut both {
        client.echo("hello").await;
    }
    both.sort_by_key(worker_of);
    both
}

#[tokio::test]
async fn a_worker_that_is_lost_takes_no_other_with_it() {
    rig::short_panics();
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let [mut unlucky, mut other] = one_on_each(&rig, &world).await;
    assert_ne!(worker_of(&unlucky), worker_of(&other));

    rig.clock.fail(Fault::Panic);
    assert_eq!(unlucky.closed().await, because(1011, "worker_lost"));
    assert_eq!(unlucky.frames.rest().await, b"");
    backend.until("a goodbye", |seen| seen.closes == [because(1001, "worker_lost")]).await;
    other.echo("nothing happened").await;

    let mut next = rig.open(&Ask::usual(&world)).await;
    next.echo("welcome").await;
    assert_eq!(worker_of(&next), worker_of(&unlucky), "the same number, and the fewest sessions");
    next.leave().await;
    other.leave().await;
    let (cut, told) = rig.drain().await;
    let told = told.borrow();
    let totals = told.totals();
    assert_eq!((cut, totals.sessions, totals.messages_from_clients, told.open()), (0, 3, 4, 0));
    let mut ends: Vec<_> = told
        .sessions()
        .iter()
        .map(|it| (it.code, it.reason.clone(), it.counts.messages_from_clients))
        .collect();
    ends.sort();
    assert_eq!(
        ends,
        [(1000, String::new(), 1), (1000, String::new(), 2), (1011, "worker_lost".to_owned(), 1)]
    );
}

/// Takes more than a second: so long a turn has to last before it is a stall.
#[tokio::test]
async fn a_worker_that_stalls_gets_no_new_sessions() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let [mut unlucky, mut other] = one_on_each(&rig, &world).await;
    let (hold, held) = mpsc::channel();
    rig.clock.fail(Fault::Stall(held));
    unlucky.frames.say("is anybody there").await;
    // A snapshot decides everywhere but there, which is known when the stall is.
    rig.decide(&mut world).await;
    let mut others = Vec::new();
    for _ in 0..4 {
        let mut client = rig.open(&Ask::usual(&world)).await;
        client.echo("hello").await;
        assert_eq!(worker_of(&client), worker_of(&other));
        others.push(client);
    }
    other.echo("nothing happened").await;
    drop(hold);
    assert_eq!(unlucky.frames.hear().await, "is anybody there");
    unlucky.leave().await;
    for client in others.into_iter().chain([other]) {
        client.leave().await;
    }
    let (cut, told) = rig.drain().await;
    assert_eq!((cut, told.borrow().totals().sessions, told.borrow().open()), (0, 6, 0));
}
