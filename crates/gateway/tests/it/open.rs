//! APIs and topics that need no credential: whoever comes is let in, held to a limit by address, and counted; what is
//! presented all the same is judged; and what stops being open closes.

use tidegate_model::{
    anonymous,
    deny::{Denied, DenyFacts},
    security::Way,
    topic::{Topic, Topics},
};

use crate::{
    backend::Backend,
    client::{Ask, because},
    rig::Rig,
    world::{PATH, World},
};

/// A world whose API needs no credential.
fn open_world(backend: &Backend) -> World {
    let mut world = World::new(&backend.url());
    world.api().security.accepts.insert(Way::None);
    world
}

#[tokio::test]
async fn whoever_presents_nothing_has_a_session_that_is_counted_as_nobody_in_particular() {
    let backend = Backend::echo().await;
    let mut world = open_world(&backend);
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::to(PATH)).await;
    client.echo("hello").await;
    client.leave().await;
    rig.control.until("the record", |told| told.sessions().len() == 1).await;
    let told = rig.control.told.borrow().sessions().remove(0);
    assert_eq!((told.application, &*told.plan), (anonymous::APPLICATION, anonymous::PLAN));
    assert_eq!(told.counts.messages_from_clients, 1);
    // Who has a key is who it was.
    let mut known = rig.open(&Ask::usual(&world)).await;
    known.echo("hello").await;
    known.leave().await;
    rig.control.until("the record", |told| told.sessions().len() == 2).await;
    let sessions = rig.control.told.borrow().sessions();
    let application = world.parts.applications[0].id;
    assert_eq!(sessions.iter().filter(|told| told.application == application).count(), 1);
}

#[tokio::test]
async fn a_bad_credential_is_never_taken_for_none() {
    let backend = Backend::bind().await;
    let mut world = open_world(&backend);
    let rig = Rig::start(&mut world).await;
    rig.ask(&Ask::to(PATH).bearer("no.such.token")).await.is_problem(401, "credential-invalid");
    let both = Ask::to(&format!("{PATH}?access_token={}", world.token())).bearer(&world.token());
    assert_eq!(rig.ask(&both).await.status, 400);
    // A kind that the API does not take is told so, and reaches no backend.
    let basic = Ask::to(PATH).with("Authorization", "Basic YTpi");
    rig.ask(&basic).await.is_problem(401, "credential-not-accepted");
    // Whose token is good and whose application has no subscription is not let in as nobody.
    world.parts.subscriptions.clear();
    rig.decide(&mut world).await;
    rig.ask(&Ask::usual(&world)).await.is_problem(403, "no-subscription");
    backend.saw_nothing().await;
}

#[tokio::test]
async fn an_api_for_nothing_else_takes_no_token_either() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    world.api().security.accepts = [Way::None].into();
    let rig = Rig::start(&mut world).await;
    rig.ask(&Ask::usual(&world)).await.is_problem(401, "credential-not-accepted");
    backend.saw_nothing().await;
}

#[tokio::test]
async fn an_open_topic_opens_no_other() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let topic = |path: &str, is_open| Topic { path: path.to_owned(), is_open, ..Topic::default() };
    let declared = vec![topic("/news", true), topic("/desk", false)];
    world.api().topics = Topics { declared, ..Topics::default() };
    let rig = Rig::start(&mut world).await;
    let at = |topic: &str| Ask::to(&format!("{PATH}{topic}"));
    let mut client = rig.open(&at("/news")).await;
    client.echo("hello").await;
    rig.ask(&at("/desk")).await.is_problem(401, "credential-missing");
    rig.open(&at("/desk").bearer(&world.token())).await.echo("by a token").await;
    rig.ask(&at("/news").bearer("no.such.token")).await.is_problem(401, "credential-invalid");
    // What asks for a scope in every direction asks for a token, and not for a scope that nobody can have.
    world.api().security.accepts.insert(Way::None);
    world.api().topics.declared[1].publish_scopes = vec!["write".to_owned()];
    world.api().topics.declared[1].subscribe_scopes = vec!["read".to_owned()];
    rig.decide(&mut world).await;
    rig.ask(&at("/desk")).await.is_problem(401, "credential-missing");
    // And what is open no more closes.
    world.api().security.accepts.remove(&Way::None);
    rig.decide(&mut world).await;
    client.echo("still open by itself").await;
    world.api().topics.declared[0].is_open = false;
    rig.decide(&mut world).await;
    assert_eq!(client.closed().await, because(3000, "credential_not_accepted"));
}

#[tokio::test]
async fn one_address_has_one_budget_over_all_its_sessions() {
    let backend = Backend::echo().await;
    let mut world = open_world(&backend);
    let rig = Rig::start(&mut world).await;
    let mut first = rig.open(&Ask::to(PATH)).await;
    let mut second = rig.open(&Ask::to(PATH)).await;
    for _ in 0..anonymous::LIMIT.amount / 4 {
        first.echo("one").await;
        second.echo("two").await;
    }
    first.frames.say("one more").await;
    let (code, reason) = first.closed().await;
    assert_eq!(code, 4429);
    assert!(reason.contains(anonymous::PLAN), "{reason}");
    let refused = rig.ask(&Ask::to(PATH)).await;
    refused.is_problem(429, "quota");
    // Whoever has a plan has it.
    rig.open(&Ask::usual(&world)).await.echo("mine").await;
}

#[tokio::test]
async fn pages_that_are_not_named_and_addresses_that_are_denied_stay_out() {
    let backend = Backend::echo().await;
    let mut world = open_world(&backend);
    let rig = Rig::start(&mut world).await;
    let from = |page: &str| Ask::to(PATH).with("Origin", page);
    rig.open(&from("https://any.test")).await.echo("from any page").await;
    world.api().security.origins = vec!["https://app.test".to_owned()];
    rig.decide(&mut world).await;
    rig.open(&from("https://app.test")).await.echo("from the page").await;
    rig.ask(&from("https://any.test")).await.is_problem(403, "origin-refused");
    let mut client = rig.open(&Ask::to(PATH)).await;
    let denied = Denied::Range("127.0.0.0/8".parse().unwrap());
    world.parts.deny_rules = vec![DenyFacts { denied, is_inverted: false, subject: None }];
    rig.decide(&mut world).await;
    assert_eq!(client.closed().await, because(3003, "denied"));
    rig.ask(&Ask::to(PATH)).await.is_problem(403, "denied");
}
