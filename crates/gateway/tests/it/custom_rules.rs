//! Custom rules: whom an expression puts together shares a budget, whatever they use and under whatever plan; and it says so of
//! live sessions, too.

use serde_json::{Value, json};
use tidegate_model::{
    custom_rule::CustomRuleFacts,
    endpoint::Environment,
    id::{ApplicationId, CustomRuleId, SubscriptionId},
    limit::{Limit, Unit, Window},
    policy::{Excess, Policy},
    snapshot::{ApplicationFacts, ClientFacts, SubscriptionFacts},
    topic::Direction,
};

use crate::{
    backend::Backend,
    client::{Ask, Client},
    rig::Rig,
    socket::{BINARY, CONTINUATION, encode},
    world::{NOW, PATH, PRODUCTION, World, api},
};

const KEY: Option<[u8; 4]> = Some([1, 2, 3, 4]);
const OTHER: &str = "other-client";

fn rule(number: u8, name: &str, expression: &str, limits: &[Limit]) -> CustomRuleFacts {
    CustomRuleFacts {
        id: CustomRuleId::new(NOW, [number; 10]),
        policy: Policy { name: name.to_owned(), limits: limits.to_vec(), ..Policy::default() },
        expression: expression.to_owned(),
    }
}

const fn per_minute(messages: u64) -> Limit {
    Limit::messages(messages, Window::Minute)
}

/// A world with a rule, and with another application that is subscribed to the API and to another one.
fn ruled(backend: &Backend, expression: &str, limits: &[Limit]) -> World {
    let mut world = World::new(&backend.url());
    let application =
        ApplicationFacts { id: ApplicationId::new(NOW, [7; 10]), ..world.parts.applications[0].clone() };
    let second = api(9, "/second", &backend.url());
    let subscription = |number, api| SubscriptionFacts {
        id: SubscriptionId::new(NOW, [number; 10]),
        application: application.id,
        api,
        plan: "Silver".to_owned(),
    };
    let subscriptions = [subscription(7, world.parts.apis[0].id), subscription(8, second.id)];
    world.parts.subscriptions.extend(subscriptions);
    world.parts.clients.push(ClientFacts {
        client_id: OTHER.to_owned(),
        application: application.id,
        environment: Environment::Production,
        key_manager: None,
    });
    world.parts.apis.push(second);
    world.parts.applications.push(application);
    world.parts.custom_rules = vec![rule(1, "Rule", expression, limits)];
    world
}

/// Who presents a token with these claims at a path.
fn at(world: &World, path: &str, claims: &Value) -> Ask {
    Ask::to(path).bearer(&world.token_with(&json!({}), claims))
}

fn told(retry_after: u32) -> (u16, String) {
    (4429, format!(r#"{{"reason":"quota","plan":"Rule","level":"rule","retry_after":{retry_after}}}"#))
}

/// Nothing more passes for this client.
async fn is_beyond(mut client: Client) {
    client.frames.say("one more").await;
    assert_eq!(client.closed().await, told(37));
}

#[tokio::test]
async fn a_person_has_one_budget_over_applications_and_apis() {
    let backend = Backend::echo().await;
    let mut world = ruled(&backend, "user", &[per_minute(6)]);
    let rig = Rig::start(&mut world).await;
    let person = |client: &str, name: &str| json!({"client_id": client, "sub": name, "jti": format!("{client} {name}")});
    let mut first = rig.open(&at(&world, PATH, &person(PRODUCTION, "ada"))).await;
    let mut second = rig.open(&at(&world, PATH, &person(OTHER, "ada"))).await;
    let mut third = rig.open(&at(&world, "/second/1.0", &person(OTHER, "ada"))).await;
    let mut bob = rig.open(&at(&world, PATH, &person(PRODUCTION, "bob"))).await;
    // Who speaks for nobody is not held to it.
    let mut nobody = rig.open(&Ask::usual(&world)).await;
    for client in [&mut first, &mut second, &mut third, &mut bob] {
        client.echo("two").await;
    }
    for _ in 0..5 {
        nobody.echo("as much as you like").await;
    }
    is_beyond(first).await;
    is_beyond(third).await;
    let refused = rig.ask(&at(&world, PATH, &person(OTHER, "ada"))).await;
    assert_eq!((refused.status, &*refused.problem(), refused.head.one("retry-after")), (429, "quota", "37"));
    assert!(refused.head.one("ratelimit").contains(r#""Rule messages per minute";r=0;t=37"#));
    bob.echo("four").await;
    bob.echo("six").await;
    is_beyond(bob).await;
    rig.clock.forward(37_000);
    second.echo("a new minute").await;
}

#[tokio::test]
async fn an_address_a_topic_and_a_claim_are_keys_as_well() {
    let backend = Backend::echo().await;
    for (expression, same, other) in [
        ("topic", ("/rooms/1", "acme"), ("/rooms/2", "acme")),
        ("claims.tenant", ("/rooms/1", "acme"), ("/rooms/1", "beta")),
        ("address + topic", ("/rooms/1", "acme"), ("/rooms/3", "acme")),
        (
            "topic.startsWith('/rooms/') && claims['tenant'] in ['acme'] ? api.name : null",
            ("/rooms/1", "acme"),
            ("/halls", "acme"),
        ),
    ] {
        let mut world = ruled(&backend, expression, &[per_minute(2)]);
        let rig = Rig::start(&mut world).await;
        let of = |client: &str, (topic, tenant): (&str, &str)| {
            let claims = json!({"client_id": client, "sub": client, "tenant": tenant, "jti": format!("{client} {tenant}")});
            at(&world, &format!("{PATH}{topic}"), &claims)
        };
        let mut first = rig.open(&of(PRODUCTION, same)).await;
        let second = rig.open(&of(OTHER, same)).await;
        let mut apart = rig.open(&of(PRODUCTION, other)).await;
        first.echo("the two").await;
        is_beyond(second).await;
        apart.echo("two of its own, or none of all").await;
    }
}

#[tokio::test]
async fn each_message_has_a_key_where_its_size_is_looked_at() {
    let backend = Backend::sink().await;
    let expression = "size > 8 ? 'large' : null";
    let bytes = Limit { unit: Unit::Bytes, ..Limit::messages(60, Window::Minute) };
    let mut world = ruled(&backend, expression, &[per_minute(3), bytes]);
    let rig = Rig::start(&mut world).await;
    let mut first = rig.open(&Ask::usual(&world)).await;
    let mut second = rig.open(&at(&world, PATH, &json!({"client_id": OTHER, "sub": OTHER}))).await;
    for _ in 0..20 {
        first.frames.say("small").await;
    }
    first.frames.say("one that is large").await;
    // Its first frame says which key it has, and its other frames count under it.
    let mut begin = encode(BINARY, b"large as well", KEY);
    begin[0] ^= 0x80;
    for frame in [begin, encode(CONTINUATION, &[b'x'; 40], KEY), encode(BINARY, b"small", KEY)] {
        first.frames.write(&frame).await;
    }
    second.frames.say("small").await;
    backend.until("all of them", |seen| seen.messages == 24).await;
    // Of three messages one is left, and of sixty bytes none.
    is_beyond_with(first, "what is large").await;
    is_beyond_with(second, "what is large").await;
}

async fn is_beyond_with(mut client: Client, text: &str) {
    client.frames.say(text).await;
    assert_eq!(client.closed().await, told(37));
}

#[tokio::test]
async fn directions_have_keys_of_their_own() {
    let backend = Backend::echo().await;
    let mut world = ruled(&backend, "direction == 'subscribe' ? 'all' : user", &[per_minute(3)]);
    let rig = Rig::start(&mut world).await;
    let person = |name: &str| json!({"sub": name, "jti": name});
    let mut ada = rig.open(&at(&world, PATH, &person("ada"))).await;
    let mut bob = rig.open(&at(&world, PATH, &person("bob"))).await;
    ada.echo("one").await;
    ada.echo("two").await;
    bob.echo("one").await;
    // The three that backends may say are said; what Bob says is his second.
    is_beyond(bob).await;
    let limits = world.parts.custom_rules[0].policy.limits.clone();
    world.parts.custom_rules[0].policy.limits =
        vec![Limit { direction: Direction::Subscribe, ..limits[0] }, limits[0]];
    world.parts.custom_rules[0].policy.on_excess = Excess::Drop;
    rig.decide(&mut world).await;
    ada.frames.say("three").await;
    ada.frames.say("four is dropped").await;
    backend.until("her third, and no fourth", |seen| seen.messages == 5).await;
    ada.leave().await;
}

#[tokio::test]
async fn a_rule_changes_under_live_sessions_and_goes_when_it_is_disabled() {
    let backend = Backend::echo().await;
    let mut world = ruled(&backend, "api.name", &[per_minute(4)]);
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("two").await;
    // Raised: what was used stays used.
    world.parts.custom_rules[0].policy.limits = vec![per_minute(6)];
    rig.decide(&mut world).await;
    client.echo("four").await;
    // Another key begins anew.
    "api.context".clone_into(&mut world.parts.custom_rules[0].expression);
    rig.decide(&mut world).await;
    for text in ["two", "four", "six"] {
        client.echo(text).await;
    }
    // What is disabled is not told to gateways.
    let rules = std::mem::take(&mut world.parts.custom_rules);
    rig.decide(&mut world).await;
    for _ in 0..5 {
        client.echo("as much as you like").await;
    }
    world.parts.custom_rules = rules;
    "{'key': api.name, 'amount': size(api.name) - 2}".clone_into(&mut world.parts.custom_rules[0].expression);
    rig.decide(&mut world).await;
    // Four letters of “Api1” and a digit less two are two: it begins anew, since nobody was held to it meanwhile.
    client.echo("two").await;
    is_beyond(client).await;
}

#[tokio::test]
async fn what_fails_does_not_apply_and_the_others_do() {
    let backend = Backend::echo().await;
    let mut world = ruled(&backend, "claims.tenant + 'x'", &[per_minute(1)]);
    world.parts.custom_rules.push(rule(2, "Broken", "not an expression", &[per_minute(1)]));
    world.parts.custom_rules.push(rule(3, "Sized", "size > 0 ? claims.tenant : null", &[per_minute(1)]));
    world.parts.custom_rules.push(rule(4, "Other", "topic == '' ? 'none' : null", &[per_minute(4)]));
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("two").await;
    client.echo("four").await;
    client.frames.say("one more").await;
    let reason = r#"{"reason":"quota","plan":"Other","level":"rule","retry_after":37}"#;
    assert_eq!(client.closed().await, (4429, reason.to_owned()));
}
