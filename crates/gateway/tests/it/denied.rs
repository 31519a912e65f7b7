//! Deny rules: whom one names is refused at the handshake and loses his sessions, and nobody else does.

use serde_json::json;
use tidegate_model::{
    deny::{Denied, DenyFacts},
    id::UserId,
};
use tidegate_oauth::mark;

use crate::{
    backend::Backend,
    client::{Ask, because},
    rig::Rig,
    world::{ISSUER, NOW, PATH, World, api},
};

fn rule(denied: Denied) -> DenyFacts {
    DenyFacts { denied, is_inverted: false, subject: None }
}

fn range(text: &str) -> Denied {
    Denied::Range(text.parse().unwrap())
}

/// The rule ends a session that only listens within the time that a change is waited for, refuses the next, and lets
/// both be when it is gone.
async fn denies(make: impl FnOnce(&World) -> DenyFacts) {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    let rule = make(&world);
    world.parts.deny_rules = vec![rule];
    rig.decide(&mut world).await;
    assert_eq!(client.closed().await, because(3003, "denied"));
    backend.until("a goodbye", |seen| seen.closes == [because(1001, "denied")]).await;
    rig.ask(&Ask::usual(&world)).await.is_problem(403, "denied");
    world.parts.deny_rules.clear();
    rig.decide(&mut world).await;
    rig.open(&Ask::usual(&world)).await.echo("again").await;
}

#[tokio::test]
async fn by_the_context_of_an_api() {
    denies(|_| rule(Denied::Api("/echo".to_owned()))).await;
}

#[tokio::test]
async fn by_application() {
    denies(|world| rule(Denied::Application(world.parts.applications[0].id))).await;
}

#[tokio::test]
async fn by_address() {
    denies(|_| rule(Denied::Address("127.0.0.1".parse().unwrap()))).await;
}

#[tokio::test]
async fn by_range() {
    denies(|_| rule(range("127.0.0.0/8"))).await;
}

#[tokio::test]
async fn all_but_a_range() {
    denies(|_| DenyFacts { is_inverted: true, ..rule(range("10.0.0.0/8")) }).await;
}

#[tokio::test]
async fn rules_about_others_touch_nobody() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    world.parts.apis.push(api(9, "/other", &backend.url()));
    world.parts.deny_rules = vec![
        rule(Denied::Api("/other".to_owned())),
        rule(range("10.0.0.0/8")),
        rule(Denied::Address("127.0.0.2".parse().unwrap())),
        rule(range("::/0")),
        DenyFacts { is_inverted: true, ..rule(range("127.0.0.0/8")) },
    ];
    rig.decide(&mut world).await;
    client.echo("still here").await;
    rig.open(&Ask::usual(&world)).await.echo("and another").await;
    // Whoever may not come learns nothing more than that: not whether his token is good, nor that he has none.
    rig.ask(&Ask::to("/other/1.0")).await.is_problem(403, "denied");
}

#[tokio::test]
async fn by_person_or_by_the_owner_where_nobody_else_is_spoken_for() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let (eve, ada) = (UserId::new(NOW, [7; 10]), UserId::new(NOW, [8; 10]));
    world.parts.applications[0].owner = Some(eve);
    let rig = Rig::start(&mut world).await;
    let of =
        |user: UserId| Ask::to(PATH).bearer(&world.token_with(&json!({}), &json!({"sub": user.to_string()})));
    let (asks_eve, asks_ada, asks_client) = (of(eve), of(ada), Ask::usual(&world));
    let mut by_eve = rig.open(&asks_eve).await;
    let mut by_ada = rig.open(&asks_ada).await;
    let mut by_client = rig.open(&asks_client).await;
    let subject = Some(mark::subject(ISSUER, &eve.to_string()).into());
    world.parts.deny_rules = vec![DenyFacts { subject, ..rule(Denied::User(eve)) }];
    rig.decide(&mut world).await;
    assert_eq!(by_eve.closed().await, because(3003, "denied"));
    assert_eq!(by_client.closed().await, because(3003, "denied"));
    by_ada.echo("uses her program and is somebody else").await;
    rig.ask(&asks_eve).await.is_problem(403, "denied");
    rig.ask(&asks_client).await.is_problem(403, "denied");
    rig.open(&asks_ada).await.echo("another").await;
}

#[tokio::test]
async fn behind_a_proxy_the_client_counts_and_not_the_proxy() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.parts.deny_rules = vec![rule(range("203.0.113.0/24"))];
    let trusted = |settings: &mut tidegate_gateway::Settings| {
        settings.trusted = tidegate_model::forwarded::TrustedProxies::parse("127.0.0.1").unwrap();
    };
    let rig = Rig::with(&mut world, trusted).await;
    let from = |address: &str| Ask::usual(&world).with("X-Forwarded-For", address);
    let (there, ask) = (from("198.51.100.1"), from("203.0.113.9"));
    let mut client = rig.open(&there).await;
    rig.ask(&ask).await.is_problem(403, "denied");
    world.parts.deny_rules = vec![rule(Denied::Address("198.51.100.1".parse().unwrap()))];
    rig.decide(&mut world).await;
    assert_eq!(client.closed().await, because(3003, "denied"));
    rig.open(&ask).await.echo("not denied any more").await;
}
