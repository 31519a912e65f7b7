//! Groups of API policies: which sessions are in which by what they began with and what their token says, and what moves a
//! live session from one to another.

use serde_json::{Value, json};
use tidegate_model::{
    forwarded::TrustedProxies,
    group::Group,
    limit::{Limit, Window},
    policy::Policy,
    topic::Topic,
};

use crate::{
    backend::Backend,
    client::{Ask, Client},
    issuers,
    rig::Rig,
    world::{NOW, PATH, World, new_key},
};

/// A group of these conditions with so many messages a minute.
fn group(name: &str, conditions: &Value, messages: u64) -> Group {
    Group {
        name: name.to_owned(),
        conditions: serde_json::from_value(conditions.clone()).unwrap(),
        limits: vec![Limit::messages(messages, Window::Minute)],
        ..Group::default()
    }
}

/// A world whose API is under the policy Api with these groups; who is in none of them has two messages a minute.
fn world(backend: &Backend, groups: Vec<Group>) -> World {
    let mut world = World::new(&backend.url());
    let limits = vec![Limit::messages(2, Window::Minute)];
    world.parts.api_policies = vec![Policy { name: "Api".to_owned(), limits, groups, ..Policy::default() }];
    world.api().api_policy = Some("Api".to_owned());
    world
}

/// A gateway that believes its neighbour about addresses.
async fn behind(world: &mut World) -> Rig {
    Rig::with(world, |settings| settings.trusted = TrustedProxies::parse("127.0.0.1").unwrap()).await
}

fn token(world: &World, claims: &Value) -> String {
    world.token_with(&json!({}), claims)
}

/// So many messages pass, by echoes that cost two, and then no more.
async fn has(client: &mut Client, messages: u64) {
    has_at(client, messages, "api").await;
}

async fn has_at(client: &mut Client, messages: u64, level: &str) {
    for number in 0..messages / 2 {
        client.echo(&format!("echo {number}")).await;
    }
    client.frames.say("one more").await;
    let reason = format!(r#"{{"reason":"quota","plan":"Api","level":"{level}","retry_after":37}}"#);
    assert_eq!(client.closed().await, (4429, reason));
}

#[tokio::test]
async fn the_first_group_whose_conditions_all_hold_is_the_one() {
    let backend = Backend::echo().await;
    let groups = vec![
        group(
            "Both",
            &json!([{"kind": "header", "name": "X-Tier", "any_of": ["gold", "plat*"]},
                {"kind": "address", "any_of": ["10.0.0.0/8", "2001:db8::/32"]}]),
            4,
        ),
        group("Header", &json!([{"kind": "header", "name": "x-tier", "any_of": ["gold"]}]), 6),
        group("Query", &json!([{"kind": "query", "name": "plan", "any_of": ["a b*"]}]), 8),
        group("Claim", &json!([{"kind": "claim", "name": "realm.groups", "any_of": ["staff"]}]), 10),
        group(
            "Old",
            &json!([{"kind": "header", "name": "X-Version", "any_of": ["*"], "is_inverted": true},
                {"kind": "header", "name": "X-Old", "any_of": ["*"]}]),
            12,
        ),
    ];
    let mut world = world(&backend, groups);
    let rig = behind(&mut world).await;
    let ask = |query: &str, headers: &[(&str, &str)]| {
        let ask = Ask::to(&format!("{PATH}{query}")).bearer(&world.token());
        headers.iter().fold(ask, |ask, (name, value)| ask.with(name, value))
    };
    let staff = token(&world, &json!({"realm": {"groups": ["eu", "staff"]}}));
    let from = |address| ("X-Forwarded-For", address);
    for (ask, messages) in [
        (ask("", &[("X-Tier", "gold"), from("10.1.2.3")]), 4),
        (ask("", &[("x-tier", "bronze"), ("X-Tier", "gold"), from("192.0.2.1")]), 6),
        (ask("?plan=a%20bc", &[("X-Tier", "silver")]), 8),
        (Ask::to(PATH).bearer(&staff), 10),
        (ask("", &[("X-Old", "1")]), 12),
        // In none: a value that is no other's, a version that is there.
        (ask("?plan=a+b&Plan=a%20b", &[("X-Tier", "GOLD"), ("X-Old", "1"), ("X-Version", "2")]), 2),
    ] {
        has(&mut rig.open(&ask).await, messages).await;
    }
    // Everybody in a group shares its budget, also in another family, and no other's.
    let shared = ask("", &[("X-Tier", "platinum"), from("2001:db8::7")]);
    rig.ask(&shared).await.is_problem(429, "quota");
    rig.ask(&ask("", &[])).await.is_problem(429, "quota");
}

#[tokio::test]
async fn a_group_without_a_limit_is_free_and_a_topics_policy_has_groups_of_its_own() {
    let backend = Backend::echo().await;
    let tier = json!([{"kind": "header", "name": "X-Tier", "any_of": ["gold"]}]);
    let mut world = world(&backend, vec![Group { limits: Vec::new(), ..group("Free", &tier, 1) }]);
    let limits = vec![Limit::messages(2, Window::Minute)];
    let groups = vec![group("Gold", &tier, 4)];
    world.parts.api_policies.push(Policy { name: "Topic".to_owned(), limits, groups, ..Policy::default() });
    let topic = |path: &str, policy: Option<&str>| Topic {
        path: path.to_owned(),
        api_policy: policy.map(str::to_owned),
        ..Topic::default()
    };
    world.api().topics.declared = vec![topic("/rooms/{room}", Some("Topic")), topic("/*", None)];
    let rig = Rig::start(&mut world).await;
    let ask = |topic: &str| Ask::to(&format!("{PATH}{topic}")).bearer(&world.token());
    let mut free = rig.open(&ask("/other").with("X-Tier", "gold")).await;
    for number in 0..20 {
        free.echo(&number.to_string()).await;
    }
    let mut gold = rig.open(&ask("/rooms/1").with("X-Tier", "gold")).await;
    let mut gold_too = rig.open(&ask("/rooms/2").with("X-Tier", "gold")).await;
    gold_too.echo("two").await;
    gold.echo("four").await;
    gold.frames.say("one more").await;
    let reason = r#"{"reason":"quota","plan":"Topic","level":"topic","retry_after":37}"#;
    assert_eq!(gold.closed().await, (4429, reason.to_owned()));
    // Others have used nothing of theirs.
    let mut other = rig.open(&ask("/rooms/1")).await;
    other.echo("the two").await;
    other.frames.say("one more").await;
    assert_eq!(other.closed().await.0, 4429);
}

#[tokio::test]
async fn another_condition_moves_live_sessions_by_what_was_kept_of_them() {
    let backend = Backend::echo().await;
    let inside = |addresses: &str| json!([{"kind": "address", "any_of": [addresses]}]);
    let mut world = world(&backend, vec![group("Inside", &inside("10.0.0.0/8"), 6)]);
    let rig = behind(&mut world).await;
    let gold = Ask::usual(&world).with("X-Tier", "gold");
    let mut early = rig.open(&gold).await;
    let mut inner = rig.open(&Ask::usual(&world).with("X-Forwarded-For", "192.0.2.1")).await;
    inner.echo("the two of everybody").await;
    // The network of the group is another one now, and there is a group that looks at a header.
    let tier = json!([{"kind": "header", "name": "X-Tier", "any_of": ["gold"]}]);
    world.parts.api_policies[0].groups =
        vec![group("Inside", &inside("192.0.2.0/24"), 6), group("Gold", &tier, 4)];
    rig.decide(&mut world).await;
    has(&mut inner, 6).await;
    // Who was there before anybody looked has no such header.
    early.frames.say("beyond what everybody has").await;
    assert_eq!(early.closed().await.0, 4429);
    has(&mut rig.open(&gold).await, 4).await;
    // More in the group, with what was used.
    world.parts.api_policies[0].groups[1] = group("Gold", &tier, 8);
    rig.decide(&mut world).await;
    has(&mut rig.open(&gold).await, 4).await;
}

#[tokio::test]
async fn a_fresh_token_with_another_claim_moves_its_session() {
    let backend = Backend::echo().await;
    let level = json!([{"kind": "claim", "name": "level", "any_of": ["2"]}]);
    let mut world = world(&backend, vec![group("Second", &level, 6)]);
    let rig = Rig::start(&mut world).await;
    let first = token(&world, &json!({"level": 1, "exp": NOW.seconds() + 60}));
    let mut client = rig.open(&Ask::to(PATH).bearer(&first)).await;
    client.echo("the two of everybody").await;
    let id = client.head.one("x-request-id").to_owned();
    let renewal = |token: &str| {
        let headers = vec![("Host".to_owned(), "gateway.test".to_owned())];
        let target = format!("/.tidegate/sessions{PATH}/{id}");
        Ask { method: "POST", target, version: "HTTP/1.1", headers, behind: Vec::new() }.bearer(token)
    };
    let second = token(&world, &json!({"level": 2, "jti": "second"}));
    assert_eq!(rig.ask(&renewal(&second)).await.status, 200);
    for text in ["two", "four"] {
        client.echo(text).await;
    }
    let back = token(&world, &json!({"level": 1, "jti": "third"}));
    assert_eq!(rig.ask(&renewal(&back)).await.status, 200);
    client.frames.say("of everybody's there is nothing left").await;
    assert_eq!(client.closed().await.0, 4429);
}

#[tokio::test]
async fn claims_are_those_of_any_issuer_and_come_with_a_ticket() {
    let (backend, key) = (Backend::echo().await, new_key());
    let condition = json!([{"kind": "claim", "name": "department", "any_of": ["sales"]}]);
    let mut world = world(&backend, vec![group("Sales", &condition, 8)]);
    let application = world.parts.applications[0].id;
    world.parts.key_managers.push(issuers::facts(1, issuers::OTHER, &[&key]));
    world.parts.clients.push(issuers::provided(issuers::id(1), issuers::CLIENT, application));
    let rig = Rig::start(&mut world).await;
    let sales = json!({"department": "sales"});
    let mut ours = rig.open(&Ask::to(PATH).bearer(&token(&world, &sales))).await;
    ours.echo("two").await;
    let mut theirs = rig.open(&Ask::to(PATH).bearer(&issuers::token(&key, &sales))).await;
    theirs.echo("four").await;
    let headers = vec![("Host".to_owned(), "gateway.test".to_owned())];
    let target = format!("/.tidegate/tickets{PATH}");
    let purchase = Ask { method: "POST", target, version: "HTTP/1.1", headers, behind: Vec::new() };
    let sold = rig.ask(&purchase.bearer(&token(&world, &sales))).await;
    let sold: Value = serde_json::from_slice(&sold.body).unwrap();
    let ticket = sold["ticket"].as_str().unwrap();
    let mut by_ticket = rig.open(&Ask::to(&format!("{PATH}?ticket={ticket}"))).await;
    has(&mut by_ticket, 4).await;
    // A token that was verified before anybody looked at another claim is read again.
    let both = token(&world, &json!({"department": "support", "floor": true}));
    rig.open(&Ask::to(PATH).bearer(&both)).await.leave().await;
    let condition = json!([{"kind": "claim", "name": "floor", "any_of": ["true"]}]);
    world.parts.api_policies[0].groups.push(group("Floor", &condition, 4));
    rig.decide(&mut world).await;
    has(&mut rig.open(&Ask::to(PATH).bearer(&both)).await, 4).await;
}

#[tokio::test]
async fn what_an_api_calls_its_key_is_looked_at_by_nobody() {
    let backend = Backend::echo().await;
    let header = json!([{"kind": "header", "name": "X-Key", "any_of": ["*"]}]);
    let query = json!([{"kind": "query", "name": "key", "any_of": ["*"]}]);
    let mut world = world(&backend, vec![group("Header", &header, 100), group("Query", &query, 100)]);
    world.api().security.api_key_header = "X-Key".to_owned();
    world.api().security.api_key_query = "key".to_owned();
    let rig = Rig::start(&mut world).await;
    let ask = Ask::to(&format!("{PATH}?key=1")).bearer(&world.token()).with("X-Key", "1");
    has(&mut rig.open(&ask).await, 2).await;
}
