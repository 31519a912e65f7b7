//! How many sessions of one user and from one address are open at once, within what a policy is held against.

use serde_json::{Value, json};
use tidegate_model::{forwarded::TrustedProxies, policy::Policy, security::Way, snapshot::SubscriptionFacts};

use crate::{
    backend::Backend,
    client::{Answer, Ask},
    crowd::once_there_is_a_place,
    rig::Rig,
    world::{PATH, SANDBOX, World, api},
};

async fn behind(world: &mut World) -> Rig {
    Rig::with(world, |settings| settings.trusted = TrustedProxies::parse("127.0.0.1").unwrap()).await
}

fn of(world: &World, user: &str) -> Ask {
    Ask::to(PATH).bearer(&world.token_with(&json!({}), &json!({ "sub": user, "jti": user })))
}

fn from(ask: &Ask, address: &str) -> Ask {
    ask.clone().with("X-Forwarded-For", address)
}

#[track_caller]
fn is_full(refused: &Answer, words: &str) {
    refused.is_problem(429, "too-many-sessions");
    assert_eq!(refused.head.one("retry-after"), "5");
    let problem: Value = serde_json::from_slice(&refused.body).unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(words), "{detail}");
}

#[tokio::test]
async fn one_user_has_so_many_sessions_at_once_and_others_have_their_own() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.parts.plans[0].sessions_per_user_max = Some(2);
    let rig = Rig::start(&mut world).await;
    let (ada, bob, nobody) = (of(&world, "ada"), of(&world, "bob"), Ask::usual(&world));
    let (first, mut second) = (rig.open(&ada).await, rig.open(&ada).await);
    is_full(&rig.ask(&ada).await, "The plan Gold allows 2 sessions at once of one user");
    rig.open(&bob).await.echo("not ada").await;
    // Whoever speaks for nobody is the application.
    let (_one, _two) = (rig.open(&nobody).await, rig.open(&nobody).await);
    is_full(&rig.ask(&nobody).await, "of one user");
    first.leave().await;
    let first = once_there_is_a_place(&rig, &ada).await;
    // Bounded by less: nobody is closed, and nobody comes in before there is room.
    world.parts.plans[0].sessions_per_user_max = Some(1);
    rig.decide(&mut world).await;
    second.echo("still here").await;
    first.leave().await;
    is_full(&rig.ask(&ada).await, "allows 1 sessions");
    second.leave().await;
    once_there_is_a_place(&rig, &ada).await.echo("room for one").await;
}

#[tokio::test]
async fn a_bound_on_users_comes_to_live_sessions_and_is_that_of_its_holder() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.parts.apis.push(api(9, "/other", &backend.url()));
    let subscription = SubscriptionFacts {
        api: world.parts.apis[1].id,
        id: tidegate_model::id::SubscriptionId::new(crate::world::NOW, [9; 10]),
        ..world.parts.subscriptions[0].clone()
    };
    world.parts.subscriptions.push(subscription);
    let rig = Rig::start(&mut world).await;
    let ada = of(&world, "ada");
    let other = Ask { target: "/other/1.0".to_owned(), ..ada.clone() };
    let (_one, _two) = (rig.open(&ada).await, rig.open(&other).await);
    // Of a plan, each subscription has its own; of an application's policy, both are one's.
    world.parts.plans[0].sessions_per_user_max = Some(2);
    rig.decide(&mut world).await;
    let third = rig.open(&other).await;
    is_full(&rig.ask(&other).await, "The plan Gold");
    third.leave().await;
    world.parts.application_policies[0].sessions_per_user_max = Some(2);
    rig.decide(&mut world).await;
    let refused = rig.ask(&other).await;
    is_full(&refused, "The policy of the application Policy allows 2 sessions at once of one user");
    // The sandbox key is of the same application, and speaks for nobody but it.
    world.api().endpoints.sandbox = world.api().endpoints.production.clone();
    rig.decide(&mut world).await;
    rig.open(&Ask::to(PATH).bearer(&world.token_of(SANDBOX))).await.leave().await;
}

#[tokio::test]
async fn one_address_has_so_many_sessions_at_once_whoever_comes_from_there() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.parts.api_policies =
        vec![Policy { name: "Api".to_owned(), sessions_per_address_max: Some(2), ..Policy::default() }];
    world.api().api_policy = Some("Api".to_owned());
    let rig = behind(&mut world).await;
    let (ada, bob) = (of(&world, "ada"), of(&world, "bob"));
    let first = rig.open(&from(&ada, "192.0.2.1")).await;
    let _second = rig.open(&from(&bob, "::ffff:192.0.2.1")).await;
    let words = "The policy of the API Api allows 2 sessions at once from one address";
    is_full(&rig.ask(&from(&ada, "192.0.2.1")).await, words);
    rig.open(&from(&ada, "192.0.2.2")).await.echo("elsewhere").await;
    // Of IPv6, a network of 64 bits is one.
    let _third = rig.open(&from(&ada, "2001:db8:0:1::1")).await;
    let _fourth = rig.open(&from(&ada, "2001:db8:0:1:ffff::2")).await;
    is_full(&rig.ask(&from(&bob, "2001:db8:0:1::3")).await, words);
    rig.open(&from(&bob, "2001:db8:0:2::1")).await.echo("another network").await;
    // Cut off without a word.
    drop(first);
    once_there_is_a_place(&rig, &from(&bob, "192.0.2.1")).await.echo("room again").await;
}

#[tokio::test]
async fn without_a_credential_a_user_is_an_address() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().security.accepts.insert(Way::None);
    world.parts.api_policies =
        vec![Policy { name: "Api".to_owned(), sessions_per_user_max: Some(1), ..Policy::default() }];
    world.api().api_policy = Some("Api".to_owned());
    let rig = behind(&mut world).await;
    let (here, there) = (from(&Ask::to(PATH), "192.0.2.1"), from(&Ask::to(PATH), "192.0.2.2"));
    let first = rig.open(&here).await;
    is_full(&rig.ask(&here).await, "of one user");
    let _there = rig.open(&there).await;
    first.leave().await;
    once_there_is_a_place(&rig, &here).await.echo("room again").await;
}
