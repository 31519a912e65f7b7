//! Budgets over restarts: a gateway goes on with what was used, and tells what it used itself, once.

use std::sync::Arc;

use tidegate_model::{
    holder::{BudgetKey, Holder},
    limit::{Counting, Limit, Unit, Window},
    link::Down,
    time::Timestamp,
    usage::{Usage, Used},
};

use crate::{
    backend::Backend,
    client::Ask,
    rig::{Rig, Told},
    world::{NOW, World},
};

/// From [`NOW`] to the next minute.
const REST_OF_MINUTE: i64 = 37_000;

/// The budget of the subscription for a limit.
fn key(world: &World, limit: &Limit) -> BudgetKey {
    let subscription = &world.parts.subscriptions[0];
    let holder = Holder::Subscription {
        id: subscription.id,
        application: subscription.application,
        api: subscription.api,
    };
    BudgetKey { holder, shape: limit.shape() }
}

/// So many units of the window of this time.
fn units(world: &World, limit: &Limit, at: Timestamp, units: u64) -> Usage {
    let used = Used::Calendar { window: limit.per.number(at), units };
    Usage { key: key(world, limit), used, at }
}

/// What the store knows of a budget after all that was told, where it knew nothing before.
fn kept(told: &Told, key: &BudgetKey) -> Option<Used> {
    let mut kept = None::<Usage>;
    let usage = told.distinct().into_iter().flat_map(|batch| &batch.usage);
    for usage in usage.filter(|usage| usage.key == *key) {
        kept = Some(kept.map_or_else(|| usage.clone(), |kept| kept.then(usage)));
    }
    kept.map(|kept| kept.used)
}

/// A gateway that was told of this before its first snapshot.
async fn resumed(world: &mut World, used: Usage) -> Rig {
    let rig = Rig::unready(|_| {});
    rig.control.send(Down::Used(Arc::new([used]))).await;
    rig.decide(world).await;
    rig
}

#[tokio::test]
async fn a_gateway_goes_on_with_what_was_used_and_tells_only_its_own() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(8);
    let limit = world.parts.plans[0].limits[0];
    let before = units(&world, &limit, NOW, 3);
    let rig = resumed(&mut world, before).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("five").await;
    client.echo("seven").await;
    client.frames.say("eight, and no answer").await;
    assert_eq!(client.closed().await.0, 4429);
    assert_eq!(rig.ask(&Ask::usual(&world)).await.status, 429);
    // What is not told before its window ends is of no use any more.
    let (key, window) = (key(&world, &limit), Window::Minute.number(NOW));
    let own = Some(Used::Calendar { window, units: 5 });
    rig.control.until("it is told", |told| kept(told, &key) == own).await;
    rig.clock.forward(REST_OF_MINUTE);
    rig.open(&Ask::usual(&world)).await.echo("a new minute").await;
    let (_, told) = rig.drain().await;
    let own = told.borrow().distinct().iter().map(|batch| batch.usage.clone()).collect::<Vec<_>>().concat();
    let sum = |at: Timestamp| {
        let window = Window::Minute.number(at);
        let of = |usage: &Usage| match usage.used {
            Used::Calendar { window: other, units } if other == window => units,
            _ => 0,
        };
        own.iter().map(of).sum::<u64>()
    };
    assert_eq!((sum(NOW), sum(NOW.plus_millis(REST_OF_MINUTE))), (5, 2), "{own:?}");
}

#[tokio::test]
async fn a_window_that_ended_meanwhile_is_over() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(2);
    let limit = world.parts.plans[0].limits[0];
    let before = units(&world, &limit, NOW.plus_millis(-60_000), 2);
    let rig = resumed(&mut world, before).await;
    rig.open(&Ask::usual(&world)).await.echo("both").await;
    assert_eq!(rig.ask(&Ask::usual(&world)).await.status, 429);
}

#[tokio::test]
async fn a_clock_that_was_set_back_gives_no_second_budget() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let limit = Limit::messages(4, Window::Day);
    world.parts.plans[0].limits = vec![limit];
    // By a clock that was a day ahead, and by one that was a year ahead.
    for days in [1, 365] {
        let before = units(&world, &limit, NOW.plus_millis(days * 86_400_000), 2);
        let rig = resumed(&mut world, before).await;
        let mut client = rig.open(&Ask::usual(&world)).await;
        client.echo("both that are left").await;
        client.frames.say("one too many").await;
        assert_eq!(client.closed().await.0, 4429, "{days} days");
    }
}

#[tokio::test]
async fn a_debt_is_told_and_gone_on_with() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    // One comes back each hour; six may come at once.
    let limit = Limit { counting: Counting::Sliding { burst: 6 }, ..Limit::messages(24, Window::Day) };
    world.parts.plans[0].limits = vec![limit];
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("two").await;
    client.echo("four").await;
    client.leave().await;
    let (_, told) = rig.drain().await;
    let used = kept(&told.borrow(), &key(&world, &limit)).unwrap();
    let Used::Sliding { clear_at } = used else { panic!("{used:?}") };
    // The clock that only goes forward is the machine's own, and the test took no minute.
    let owed = clear_at.millis() - NOW.millis();
    assert!((4 * 3_600_000 - 60_000..=4 * 3_600_000).contains(&owed), "{owed}");

    let before = Usage { key: key(&world, &limit), used, at: NOW };
    let rig = resumed(&mut world, before).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("six").await;
    client.frames.say("one too many").await;
    assert_eq!(client.closed().await.0, 4429);
}

#[tokio::test]
async fn a_session_that_began_and_reached_no_backend_is_told() {
    let mut world = World::new("ws://127.0.0.1:1");
    let limit = Limit { unit: Unit::Connects, ..Limit::messages(2, Window::Hour) };
    world.parts.plans[0].limits = vec![limit];
    let rig = Rig::start(&mut world).await;
    assert_eq!(rig.ask(&Ask::usual(&world)).await.status, 502);
    let window = Window::Hour.number(NOW);
    let key = key(&world, &limit);
    rig.control
        .until("it is told", |told| kept(told, &key) == Some(Used::Calendar { window, units: 1 }))
        .await;
}

#[tokio::test]
async fn what_is_not_acknowledged_is_told_again_and_the_same() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(100);
    let rig = Rig::start(&mut world).await;
    rig.control.hold();
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("two").await;
    rig.control
        .until("a batch with it", |told| told.batches.iter().any(|batch| !batch.usage.is_empty()))
        .await;
    client.echo("four").await;
    rig.control.until("a repeat", |told| told.batches.len() > told.distinct().len()).await;
    let last = Arc::clone(rig.control.told.borrow().batches.last().unwrap());
    rig.control.release(&last).await;
    client.leave().await;
    let (_, told) = rig.drain().await;
    let key = key(&world, &world.parts.plans[0].limits[0]);
    let window = Window::Minute.number(NOW);
    assert_eq!(kept(&told.borrow(), &key), Some(Used::Calendar { window, units: 4 }));
}
