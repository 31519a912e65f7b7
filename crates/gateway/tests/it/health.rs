//! Active health checks: an address that fails them gets no sessions until it passes them again, and the control plane
//! is told.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tidegate_model::{
    endpoint::{Balance, HealthCheck},
    target::{TargetFacts, TargetState},
};

use crate::{
    backend::Backend,
    client::Ask,
    rig::{Rig, Told},
    world::World,
};

/// As often as it may be.
fn often() -> HealthCheck {
    HealthCheck { interval_ms: 100, timeout_ms: 2_000, unhealthy_after: 2, healthy_after: 2 }
}

fn of<'t>(told: &'t Told, url: &str) -> Option<&'t TargetFacts> {
    told.targets.iter().find(|facts| facts.url == url)
}

/// Two addresses of which the first is preferred, and the switch of that one.
async fn two() -> (Backend, Backend, Arc<AtomicBool>, World) {
    let works = Arc::new(AtomicBool::new(true));
    let (moody, steady) = (Backend::moody(Arc::clone(&works)).await, Backend::echo().await);
    let mut world = World::new(&moody.url());
    let production = world.production();
    (production.balance, production.health) = (Balance::Failover, often());
    production.others.push(steady.url());
    (moody, steady, works, world)
}

fn sessions(backend: &Backend) -> usize {
    // A check has no client to speak for.
    backend.seen.borrow().heads.iter().filter(|head| !head.all("x-forwarded-for").is_empty()).count()
}

#[tokio::test]
async fn an_address_that_fails_its_checks_gets_no_sessions_until_it_passes_them_again() {
    let (moody, steady, works, mut world) = two().await;
    let rig = Rig::start(&mut world).await;
    let (first, ask) = (moody.url(), Ask::usual(&world));
    let is = |state| {
        move |told: &Told, url: &str| {
            of(told, url).is_some_and(|it| it.state == state && it.last_check.is_some())
        }
    };
    rig.control.until("the first check", |told| is(TargetState::Up)(told, &first)).await;
    rig.open(&ask).await.echo("to the first").await;
    assert_eq!((sessions(&moody), sessions(&steady)), (1, 0));

    works.store(false, Ordering::SeqCst);
    rig.control.until("unhealthy", |told| is(TargetState::Unhealthy)(told, &first)).await;
    rig.control.until("the other one is up", |told| is(TargetState::Up)(told, &steady.url())).await;
    for _ in 0..3 {
        rig.open(&ask).await.echo("to the second").await;
    }
    assert_eq!((sessions(&moody), sessions(&steady)), (1, 3), "nobody has to find out");

    works.store(true, Ordering::SeqCst);
    rig.control.until("healthy again", |told| is(TargetState::Up)(told, &first)).await;
    rig.open(&ask).await.echo("to the first").await;
    assert_eq!((sessions(&moody), sessions(&steady)), (2, 3));
    let last = rig.control.told.borrow().targets.clone();
    assert!(last.iter().all(|facts| facts.api == world.api().id && facts.last_check.is_some()), "{last:?}");
    rig.drain().await;
}

#[tokio::test]
async fn a_check_is_a_handshake_and_an_orderly_close() {
    let backend = Backend::echo().await;
    let mut world = World::new(&format!("{}chat?key=k", backend.url()));
    world.production().health = often();
    let rig = Rig::start(&mut world).await;
    backend.until("two checks", |seen| seen.closes.len() >= 2).await;
    let seen = backend.seen.borrow();
    assert_eq!(seen.heads[0].start, "GET /chat?key=k HTTP/1.1");
    assert!(seen.heads[0].one("x-request-id").contains("-check-"), "{}", seen.heads[0].text);
    assert_ne!(seen.heads[0].one("x-request-id"), seen.heads[1].one("x-request-id"));
    assert!(seen.closes.iter().all(|close| *close == (1000, String::new())), "{:?}", seen.closes);
    drop(seen);
    rig.drain().await;
}

#[tokio::test]
async fn where_all_are_unhealthy_all_are_tried() {
    let (moody, steady, works, mut world) = two().await;
    world.production().others.clear();
    works.store(false, Ordering::SeqCst);
    let rig = Rig::start(&mut world).await;
    let url = moody.url();
    rig.control
        .until("unhealthy", |told| of(told, &url).is_some_and(|it| it.state == TargetState::Unhealthy))
        .await;
    let answer = rig.ask(&Ask::usual(&world)).await;
    assert_eq!((answer.status, &*answer.problem()), (502, "backend-refused"));
    assert_eq!((sessions(&moody), sessions(&steady)), (1, 0));
}

#[tokio::test]
async fn checks_end_with_the_setting_and_what_they_found_with_them() {
    let (moody, _steady, works, mut world) = two().await;
    works.store(false, Ordering::SeqCst);
    let rig = Rig::start(&mut world).await;
    let url = moody.url();
    rig.control
        .until("unhealthy", |told| of(told, &url).is_some_and(|it| it.state == TargetState::Unhealthy))
        .await;
    world.production().health = HealthCheck::default();
    rig.decide(&mut world).await;
    let is_blank = |facts: &TargetFacts| facts.state == TargetState::Up && facts.last_check.is_none();
    rig.control.until("nothing is known", |told| of(told, &url).is_some_and(is_blank)).await;
    works.store(true, Ordering::SeqCst);
    rig.open(&Ask::usual(&world)).await.echo("to the first").await;
    assert_eq!(sessions(&moody), 1);
}

#[tokio::test]
async fn failures_and_open_sessions_are_told_without_any_check() {
    let (moody, steady, works, mut world) = two().await;
    world.production().health = HealthCheck::default();
    world.production().suspension.after_failures = 1;
    works.store(false, Ordering::SeqCst);
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("to the second").await;
    let (first, second) = (moody.url(), steady.url());
    let is_told = |told: &Told| {
        let suspended = |it: &TargetFacts| matches!(it.state, TargetState::Suspended { left_ms: 1..=30_000 });
        of(told, &first).is_some_and(|it| it.failures == 1 && suspended(it))
            && of(told, &second).is_some_and(|it| it.open == 1 && it.state == TargetState::Up)
    };
    rig.control.until("a suspension and a session", is_told).await;
    client.leave().await;
    rig.control.until("no session", |told| of(told, &second).is_some_and(|it| it.open == 0)).await;
}
