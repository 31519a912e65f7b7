//! Limits: exact over sessions and workers, per calendar window, and changed under a session's feet.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tidegate_model::{
    limit::{Counting, Limit, Unit, Window},
    notice::Notice,
    policy::{Excess, Policy},
    topic::{Direction, Topic},
};

use crate::{
    backend::Backend,
    client::{Ask, Client},
    crowd::once_there_is_a_place,
    rig::Rig,
    socket::{BINARY, CONTINUATION, PING, TEXT, encode},
    soon,
    world::World,
};

/// From [`crate::world::NOW`] to the next minute.
const REST_OF_MINUTE: i64 = 37_000;
const KEY: Option<[u8; 4]> = Some([1, 2, 3, 4]);

fn quota(plan: &str, retry_after: u32) -> (u16, String) {
    (4429, format!(r#"{{"reason":"quota","plan":"{plan}","retry_after":{retry_after}}}"#))
}

#[tokio::test]
async fn an_echo_costs_two_and_the_message_above_the_limit_is_the_one_refused() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(6);
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    for text in ["one", "two", "three"] {
        client.echo(text).await;
    }
    client.frames.say("four").await;
    assert_eq!(client.closed().await, quota("Gold", 37));
    backend.until("the goodbye", |seen| seen.closes.len() == 1).await;
    let seen = backend.seen.borrow();
    assert_eq!((seen.messages, seen.closes[0].0), (3, 1001));
}

#[tokio::test]
async fn a_backends_message_above_the_limit_is_refused_as_well() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url()).gold(3);
    let rig = Rig::start(&mut world).await;
    let ask = Ask::usual(&world);
    let accepting = async {
        let mut visit = backend.next().await;
        visit.accept("").await;
        visit
    };
    let (mut client, mut visit) = tokio::join!(rig.open(&ask), accepting);
    for text in ["one", "two", "three", "four"] {
        visit.frames.say(text).await;
    }
    for text in ["one", "two", "three"] {
        assert_eq!(client.frames.hear().await, text);
    }
    assert_eq!(client.closed().await, quota("Gold", 37));
    assert_eq!(visit.frames.closed().await.0, 1001);
}

#[tokio::test]
async fn control_frames_are_free() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(2);
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    for _ in 0..5 {
        client.frames.send(crate::socket::PING, b"free").await;
        assert_eq!(client.frames.next().await.unwrap().payload, b"free");
    }
    client.echo("the two").await;
    client.leave().await;
}

#[tokio::test]
async fn n_messages_pass_over_all_sessions_and_workers_together_and_never_one_more() {
    const LIMIT: u32 = 1_000;
    let backend = Backend::sink().await;
    let mut world = World::new(&backend.url()).gold(LIMIT.into());
    let rig = Rig::start(&mut world).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(rig.open(&Ask::usual(&world)).await);
    }
    let workers: HashSet<_> = clients.iter().map(Client::worker).collect();
    assert_eq!(workers.len(), 2, "both workers carry some");
    // Each sends more than all of them may; so each is refused at the latest with its last message.
    let burst = encode(BINARY, b"x", KEY).repeat(LIMIT as usize + 1);
    let sending = clients.into_iter().map(|mut client| {
        let burst = burst.clone();
        tokio::spawn(async move {
            client.frames.write(&burst).await;
            client.closed().await
        })
    });
    for sending in sending.collect::<Vec<_>>() {
        assert_eq!(sending.await.unwrap(), quota("Gold", 37));
    }
    backend.until("four goodbyes", |seen| seen.closes.len() == 4).await;
    {
        let seen = backend.seen.borrow();
        assert_eq!(seen.messages, u64::from(LIMIT));
        assert!(seen.closes.iter().all(|close| close.0 == 1001), "{:?}", seen.closes);
    }
    let refused = rig.ask(&Ask::usual(&world)).await;
    assert_eq!((refused.status, &*refused.problem(), refused.head.one("retry-after")), (429, "quota", "37"));
    assert_eq!(backend.seen.borrow().heads.len(), 4, "a refused handshake dials nobody");

    rig.clock.forward(REST_OF_MINUTE);
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.frames.say("a new minute").await;
    backend.until("the message", |seen| seen.messages == u64::from(LIMIT) + 1).await;
}

#[tokio::test]
async fn a_session_at_its_limit_goes_on_in_the_next_minute() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(2);
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    for minute in 0..3 {
        client.echo(&format!("minute {minute}")).await;
        rig.clock.forward(if minute == 0 { REST_OF_MINUTE } else { 60_000 });
    }
    client.echo("the last two").await;
    client.frames.say("one more").await;
    assert_eq!(client.closed().await, quota("Gold", 60));
}

#[tokio::test]
async fn another_plan_holds_for_live_sessions_at_once() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(2);
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("the two").await;
    // The plan is raised.
    world = world.gold(4);
    rig.decide(&mut world).await;
    client.echo("the next two").await;
    // The subscription moves to a plan without limit.
    "Silver".clone_into(&mut world.parts.subscriptions[0].plan);
    rig.decide(&mut world).await;
    for _ in 0..5 {
        client.echo("as much as you like").await;
    }
    // And back: what was used under the plan still counts.
    "Gold".clone_into(&mut world.parts.subscriptions[0].plan);
    rig.decide(&mut world).await;
    client.frames.say("one more").await;
    assert_eq!(client.closed().await, quota("Gold", 37));
}

#[tokio::test]
async fn an_applications_own_limit_holds_over_its_subscription() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(1_000);
    world.parts.application_policies[0].limits = vec![Limit::messages(2, Window::Minute)];
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("the two").await;
    client.frames.say("one more").await;
    let reason = r#"{"reason":"quota","plan":"Policy","level":"application","retry_after":37}"#;
    assert_eq!(client.closed().await, (4429, reason.to_owned()));
    let refused = rig.ask(&Ask::usual(&world)).await;
    assert_eq!((refused.status, &*refused.problem()), (429, "quota"));
}

#[tokio::test]
async fn an_apis_own_limit_and_a_topics_hold_over_everybodys_and_change_under_live_sessions() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let policy = |name: &str, amount| Policy {
        name: name.to_owned(),
        limits: vec![Limit::messages(amount, Window::Minute)],
        ..Policy::default()
    };
    world.parts.api_policies = vec![policy("Api", 8), policy("Topic", 4)];
    let topic = |path: &str, policy: Option<&str>| Topic {
        path: path.to_owned(),
        api_policy: policy.map(str::to_owned),
        ..Topic::default()
    };
    world.api().api_policy = Some("Api".to_owned());
    world.api().topics.declared = vec![topic("/rooms/{room}", Some("Topic")), topic("/*", None)];
    let rig = Rig::start(&mut world).await;
    let at = |world: &World, topic: &str| {
        let ask = Ask::usual(world);
        Ask { target: format!("{}{topic}", ask.target), ..ask }
    };
    let mut first = rig.open(&at(&world, "/rooms/1")).await;
    let mut second = rig.open(&at(&world, "/rooms/2")).await;
    first.echo("two").await;
    second.echo("four").await;
    second.frames.say("one more").await;
    let told = |plan: &str, level: &str| {
        (4429, format!(r#"{{"reason":"quota","plan":"{plan}","level":"{level}","retry_after":37}}"#))
    };
    assert_eq!(second.closed().await, told("Topic", "topic"));
    let refused = rig.ask(&at(&world, "/rooms/3")).await;
    assert_eq!((refused.status, &*refused.problem()), (429, "quota"));
    let mut other = rig.open(&at(&world, "/other")).await;
    other.echo("six").await;
    // Without its own policy, the topic is held to the API's alone; what was used of that stays used.
    world.api().topics.declared[0].api_policy = None;
    rig.decide(&mut world).await;
    first.echo("eight").await;
    first.frames.say("one more").await;
    assert_eq!(first.closed().await, told("Api", "api"));
    // Raised, with a session open.
    world.parts.api_policies[0] = policy("Api", 10);
    rig.decide(&mut world).await;
    other.echo("ten").await;
    other.frames.say("one more").await;
    assert_eq!(other.closed().await, told("Api", "api"));
}

#[tokio::test]
async fn a_snapshot_that_changes_nothing_gives_no_second_budget() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(4);
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("two").await;
    rig.decide(&mut world).await;
    let mut second = rig.open(&Ask::usual(&world)).await;
    second.echo("four").await;
    client.frames.say("five").await;
    assert_eq!(client.closed().await, quota("Gold", 37));
}

const fn published(amount: u64, per: Window) -> Limit {
    Limit { direction: Direction::Publish, ..Limit::messages(amount, per) }
}

#[tokio::test]
async fn a_plan_may_drop_what_is_too_much_and_the_session_goes_on() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.parts.plans[0].limits = vec![published(2, Window::Minute)];
    world.parts.plans[0].on_excess = Excess::Drop;
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    for text in ["one", "two"] {
        client.echo(text).await;
    }
    // In fragments, with a Ping between them, which goes on to the backend.
    let mut begin = encode(TEXT, b"thr", KEY);
    begin[0] ^= 0x80;
    for frame in [begin, encode(PING, b"still here", KEY), encode(CONTINUATION, b"ee", KEY)] {
        client.frames.write(&frame).await;
    }
    client.frames.say("four").await;
    assert_eq!(client.frames.next().await.unwrap().payload, b"still here");
    // Who comes now is let in, though nothing of it would pass.
    let mut second = rig.open(&Ask::usual(&world)).await;
    second.frames.say("dropped as well").await;
    second.leave().await;
    rig.clock.forward(REST_OF_MINUTE);
    client.echo("five").await;
    assert_eq!(backend.seen.borrow().messages, 3);
    client.leave().await;
    // What was dropped is told by itself, and is no refusal.
    let (_, told) = rig.drain().await;
    let totals = told.borrow().totals();
    assert_eq!((totals.messages_from_clients, totals.dropped, totals.delayed, totals.refusals), (3, 3, 0, 0));
}

/// What the API of a world tells of dropped messages.
fn declare(world: &mut World, shape: &Value) {
    world.api().notice = Some(Arc::new(Notice::of(shape.as_object().unwrap().clone())));
}

#[tokio::test]
async fn a_plan_may_have_a_client_told_of_what_is_dropped_once_a_second() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.parts.plans[0].limits = vec![published(2, Window::Minute)];
    world.parts.plans[0].on_excess = Excess::Notify;
    declare(
        &mut world,
        &json!({"type": "limit", "of": ["$policy", "$level"], "in": "$retry_after", "who": "$direction"}),
    );
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    for text in ["one", "two"] {
        client.echo(text).await;
    }
    // All that is dropped within a second is one notice.
    client.frames.write(&encode(TEXT, b"dropped", KEY).repeat(20)).await;
    let notice = r#"{"in":37,"of":["Gold","subscription"],"type":"limit","who":"publish"}"#;
    assert_eq!(client.frames.hear().await, notice);
    // Who comes now is let in, though nothing of it would pass.
    rig.open(&Ask::usual(&world)).await.leave().await;
    rig.clock.forward(REST_OF_MINUTE);
    client.echo("three").await;
    // Without a notice, what is dropped is only dropped.
    world.api().notice = None;
    rig.decide(&mut world).await;
    client.echo("four").await;
    client.frames.say("dropped").await;
    // It has been read when the Ping behind it is answered; only then may a new minute begin.
    client.frames.send(PING, b"read").await;
    assert_eq!(client.frames.next().await.unwrap().payload, b"read");
    rig.clock.forward(60_000);
    client.echo("five").await;
    assert_eq!(backend.seen.borrow().messages, 5);
    client.leave().await;
    let (_, told) = rig.drain().await;
    let totals = told.borrow().totals();
    assert_eq!((totals.dropped, totals.notices, totals.beyond), (21, 1, 0));
}

#[tokio::test]
async fn a_client_is_told_of_its_backends_messages_that_it_does_not_get() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url()).gold(1);
    world.parts.plans[0].on_excess = Excess::Notify;
    declare(&mut world, &json!({"lost": "$direction"}));
    let rig = Rig::start(&mut world).await;
    let ask = Ask::usual(&world);
    let accepting = async {
        let mut visit = backend.next().await;
        visit.accept("").await;
        visit
    };
    let (mut client, mut visit) = tokio::join!(rig.open(&ask), accepting);
    // In fragments: what passes is whole before anything of ours is said.
    let mut begin = encode(TEXT, b"on", None);
    begin[0] ^= 0x80;
    visit.frames.write(&begin).await;
    visit.frames.send(PING, b"begun").await;
    assert_eq!(client.frames.next().await.unwrap().payload, b"begun");
    client.frames.say("dropped").await;
    client.frames.send(PING, b"and gone").await;
    assert_eq!(visit.frames.next().await.unwrap().payload, b"and gone");
    visit.frames.write(&encode(CONTINUATION, b"e", None)).await;
    assert_eq!(client.frames.hear().await, "one");
    assert_eq!(client.frames.hear().await, r#"{"lost":"publish"}"#);
    let told = client.frames.hear();
    let saying = async {
        loop {
            visit.frames.say("dropped").await;
            tokio::task::yield_now().await;
        }
    };
    // A second later it is told again.
    let told = tokio::select! { told = told => told, () = saying => unreachable!("it goes on") };
    assert_eq!(told, r#"{"lost":"subscribe"}"#);
}

#[tokio::test]
async fn a_plan_may_count_what_is_too_much_and_refuse_nothing() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(2);
    world.parts.plans[0].on_excess = Excess::Count;
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    for text in ["two", "four", "six"] {
        client.echo(text).await;
    }
    // Six were counted: with a limit of eight that refuses, two are left.
    world = world.gold(8);
    world.parts.plans[0].on_excess = Excess::Close;
    rig.decide(&mut world).await;
    client.echo("eight").await;
    client.frames.say("one more").await;
    assert_eq!(client.closed().await, quota("Gold", 37));
    let (_, told) = rig.drain().await;
    let totals = told.borrow().totals();
    assert_eq!((totals.messages_from_clients, totals.beyond, totals.dropped), (4, 4, 0));
}

#[tokio::test]
async fn a_plan_may_hold_messages_back_until_there_is_room_for_them() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let counting = Counting::Sliding { burst: 3 };
    world.parts.plans[0].limits = vec![Limit { counting, ..published(20, Window::Second) }];
    world.parts.plans[0].on_excess = Excess::Delay;
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    let began = Instant::now();
    for number in 0..9 {
        client.frames.say(&number.to_string()).await;
    }
    for number in 0..9 {
        assert_eq!(client.frames.hear().await, number.to_string());
        // Three at once, and each of the others fifty milliseconds after the one before.
        let earliest = Duration::from_millis(50 * u64::try_from(number - 2).unwrap_or(0));
        assert!(began.elapsed() >= earliest, "{number} after {:?}", began.elapsed());
    }
    client.leave().await;
    // Each that had to wait is told once, however often it was asked about. Who reads slowly makes nobody wait.
    let (_, told) = rig.drain().await;
    let totals = told.borrow().totals();
    assert_eq!((totals.messages_from_clients, totals.dropped, totals.refusals), (9, 0, 0));
    assert!((1..=6).contains(&totals.delayed), "{totals:?}");
}

#[tokio::test]
async fn what_would_be_held_back_for_hours_ends_the_session() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.parts.plans[0].limits = vec![published(1, Window::Day)];
    world.parts.plans[0].on_excess = Excess::Delay;
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("today").await;
    client.frames.say("tomorrow").await;
    // It is 08:00:23 in that world.
    assert_eq!(client.closed().await, quota("Gold", 16 * 3_600 - 23));
    // The backend may still speak, so who comes now is let in.
    rig.open(&Ask::usual(&world)).await.leave().await;
}

#[tokio::test]
async fn a_plan_may_bound_how_many_sessions_begin() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let connects = Limit { unit: Unit::Connects, ..Limit::messages(2, Window::Minute) };
    world.parts.plans[0].limits = vec![connects];
    let rig = Rig::start(&mut world).await;
    for _ in 0..2 {
        rig.open(&Ask::usual(&world)).await.leave().await;
    }
    let refused = rig.ask(&Ask::usual(&world)).await;
    assert_eq!((refused.status, &*refused.problem(), refused.head.one("retry-after")), (429, "quota", "37"));
    rig.clock.forward(REST_OF_MINUTE);
    rig.open(&Ask::usual(&world)).await.leave().await;
}

#[tokio::test]
async fn another_number_in_a_plan_holds_on_live_sessions() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(4);
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("two").await;
    world = world.gold(6);
    rig.decide(&mut world).await;
    for text in ["four", "six"] {
        client.echo(text).await;
    }
    client.frames.say("one more").await;
    assert_eq!(client.closed().await, quota("Gold", 37));
}

#[tokio::test]
async fn a_plan_bounds_how_many_sessions_are_open_at_once() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.parts.plans[0].sessions_max = Some(2);
    let rig = Rig::start(&mut world).await;
    let ask = Ask::usual(&world);
    let (mut first, mut second) = (rig.open(&ask).await, rig.open(&ask).await);
    let refused = rig.ask(&ask).await;
    assert_eq!((refused.status, &*refused.problem()), (429, "too-many-sessions"), "{}", refused.head.text);
    assert_eq!(refused.head.one("retry-after"), "5");
    // With less, nobody is closed; and nobody comes in before there is room again.
    world.parts.plans[0].sessions_max = Some(1);
    rig.decide(&mut world).await;
    first.echo("still here").await;
    second.echo("me too").await;
    first.leave().await;
    assert_eq!(rig.ask(&ask).await.status, 429);
    second.leave().await;
    once_there_is_a_place(&rig, &ask).await.echo("room for one").await;
}

#[tokio::test]
async fn a_plan_may_say_less_than_its_api_of_sizes_and_times() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.parts.plans[0].message_bytes_max = Some(200);
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo(&"x".repeat(200)).await;
    let mut other = rig.open(&Ask::usual(&world)).await;
    other.frames.say(&"x".repeat(201)).await;
    assert_eq!(other.closed().await.0, 1009);
    // It holds for who is open, and the API's own is not widened.
    world.parts.plans[0].message_bytes_max = Some(1 << 30);
    world.api().protocol.message_bytes_max = 300;
    rig.decide(&mut world).await;
    client.echo(&"x".repeat(300)).await;
    client.frames.say(&"x".repeat(301)).await;
    assert_eq!(client.closed().await.0, 1009);
    world.parts.plans[0].idle_timeout_ms = Some(200);
    rig.decide(&mut world).await;
    let mut idle = rig.open(&Ask::usual(&world)).await;
    assert_eq!(idle.closed().await, (1001, r#"{"reason":"idle"}"#.to_owned()));
    (world.parts.plans[0].idle_timeout_ms, world.parts.plans[0].lifetime_max_ms) = (None, Some(200));
    rig.decide(&mut world).await;
    let mut old = rig.open(&Ask::usual(&world)).await;
    assert_eq!(old.closed().await.0, 1001);
}

#[tokio::test]
async fn what_is_held_back_goes_on_at_once_when_the_plan_gives_more() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(2);
    world.parts.plans[0].on_excess = Excess::Delay;
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("one").await;
    client.frames.say("two").await;
    // Half a minute it would have to wait.
    world = world.gold(4);
    rig.decide(&mut world).await;
    assert_eq!(soon("what waited", client.frames.hear()).await, "two");
    client.leave().await;
    let (_, told) = rig.drain().await;
    assert_eq!(told.borrow().totals().delayed, 1, "asked about twice, and counted once");
}

#[tokio::test]
async fn who_connects_is_told_how_its_limits_stand_and_who_is_refused_as_well() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(2);
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    assert_eq!(client.head.one("ratelimit-policy"), r#""Gold messages per minute";q=2;qu="messages";w=60"#);
    assert_eq!(client.head.one("ratelimit"), r#""Gold messages per minute";r=2;t=37"#);
    client.echo("both").await;
    let refused = rig.ask(&Ask::usual(&world)).await;
    assert_eq!((refused.status, refused.head.one("retry-after")), (429, "37"));
    assert_eq!(refused.head.one("ratelimit"), r#""Gold messages per minute";r=0;t=37"#);
    client.leave().await;
}
