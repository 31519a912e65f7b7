//! Limits: messages of both directions are counted exactly, over all sessions, in calendar minutes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    backend::Backend,
    client::{Client, Opening},
    portal::Access,
    product::Product,
    wait::{PATIENCE, minute_with, seconds_left_in_minute, until},
};

/// The Close of a limit: its plan and how long to wait.
fn quota(close: &(u16, String)) -> (String, u64) {
    assert_eq!(close.0, 4429, "{close:?}");
    let reason: Value = serde_json::from_str(&close.1).unwrap();
    assert_eq!(reason["reason"], "quota", "{reason}");
    (reason["plan"].as_str().unwrap().to_owned(), reason["retry_after"].as_u64().unwrap())
}

/// Sends more than the plan allows, and counts what comes back before the Close.
async fn talk_until_refused(mut client: Client, messages: usize) -> (Client, (u16, String)) {
    for number in 0..messages {
        if !client.tries(Message::text(format!("message {number}"))).await {
            break;
        }
    }
    let close = client.closed().await;
    (client, close)
}

#[tokio::test]
async fn bronze_is_a_thousand_messages_a_minute_over_all_sessions() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Bronze", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("Bronze", &api, "Bronze").await;
    let opening = Opening::to(&api.ws).bearer(&access.token);
    minute_with(20).await;

    let together = Arc::new(Barrier::new(4));
    let sessions = (0..4).map(|_| {
        let (opening, together) = (opening.clone(), Arc::clone(&together));
        tokio::spawn(async move {
            let client = opening.open().await;
            together.wait().await;
            talk_until_refused(client, 400).await
        })
    });
    let mut from_backend = 0;
    for session in join_all(sessions).await {
        let (client, close) = session.unwrap();
        let (plan, retry_after) = quota(&close);
        assert_eq!(plan, "Bronze");
        assert!((1..=60).contains(&retry_after), "{close:?}");
        from_backend += client.received.messages;
    }
    backend.is_over().await;
    let from_clients = backend.received().messages;
    assert_eq!(
        from_clients + from_backend,
        1_000,
        "{from_clients} from clients, {from_backend} from the backend"
    );
    for seen in backend.seen() {
        assert_eq!(seen.close.map(|close| close.0), Some(1001));
    }
    let refused = opening.refused().await;
    assert_eq!((refused.status, refused.problem().as_str()), (429, "quota"), "{}", refused.text);

    // Another subscription has a budget of its own.
    let other = admin.access("Another", &api, "Bronze").await;
    Opening::to(&api.ws).bearer(&other.token).open().await.echo("not my limit").await;
    let path = format!("/applications/{}", access.application);
    let traffic = until("the counts of all sessions", PATIENCE, async || {
        let traffic = admin.traffic(&path).await;
        (traffic.refusals == 5).then_some(traffic)
    });
    let traffic = traffic.await;
    assert_eq!((traffic.from_clients.messages, traffic.from_backends.messages), (from_clients, from_backend));
}

/// An application with a policy of ten messages a minute.
async fn ten_a_minute(product: &Product, backend: &Backend) -> (Opening, Access) {
    let admin = product.portal.admin().await;
    let api = admin.publish("Ten", json!({"production": {"url": backend.url()}})).await;
    let application = admin.application("Ten", "10PerMin").await;
    let subscription = admin.subscribe(&application, &api, "Unlimited").await;
    let key = admin.key(&application, "production").await;
    let access = Access { application, subscription, client_id: key.client_id, token: key.token };
    (Opening::to(&api.ws).bearer(&access.token), access)
}

#[tokio::test]
async fn the_message_above_the_limit_is_not_delivered_and_the_next_minute_brings_new_ones() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let (opening, _) = ten_a_minute(&product, &backend).await;
    minute_with(10).await;

    // Nine without an answer and one more are ten; the answer to the tenth is above the limit.
    let mut client = opening.open().await;
    for _ in 0..9 {
        client.text("hush now").await;
    }
    client.text("the tenth").await;
    let (plan, retry_after) = quota(&client.closed().await);
    assert_eq!((plan.as_str(), client.received.messages), ("10PerMin", 0));
    let seen = backend.only().await;
    assert_eq!((seen.received.messages, seen.close.unwrap().0), (10, 1001));

    let refused = opening.refused().await;
    assert_eq!((refused.status, refused.problem().as_str()), (429, "quota"), "{}", refused.text);
    let announced: u64 = refused.headers["retry-after"].parse().unwrap();
    let left = seconds_left_in_minute();
    assert!(announced.abs_diff(left) <= 1, "{announced} s announced, {left} s left");
    assert!(retry_after.abs_diff(announced) <= 5, "{retry_after} s, then {announced} s");

    let opened = until("the next minute", Duration::from_secs(announced + 2), async || {
        let answer = opening.answered().await;
        (answer.status != 429).then_some(answer)
    });
    let mut client = opened.await.client().await;
    for number in 0..5 {
        client.echo(&format!("again {number}")).await;
    }
    client.text("the eleventh").await;
    assert_eq!(quota(&client.closed().await).0, "10PerMin");
    assert_eq!(backend.received().messages, 15);
}

#[tokio::test]
async fn a_changed_policy_acts_on_a_live_session() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let (opening, access) = ten_a_minute(&product, &backend).await;
    let admin = product.portal.admin().await;
    let path = format!("/applications/{}", access.application);
    let change =
        async |policy: &str| admin.put(&path, json!({"name": "Ten", "policy": policy})).await.is(200);
    minute_with(15).await;

    let mut client = opening.open().await;
    for number in 0..4 {
        client.echo(&format!("limited {number}")).await;
    }
    change("Unlimited").await;
    for number in 0..20 {
        client.echo(&format!("free {number}")).await;
    }
    change("20PerMin").await;
    // Eight of this minute were counted under a limit, so that twelve are left.
    for number in 0..6 {
        client.echo(&format!("limited again {number}")).await;
    }
    client.text("one too many").await;
    let (plan, _) = quota(&client.closed().await);
    assert_eq!((plan.as_str(), client.received.messages), ("20PerMin", 30));
    backend.is_over().await;
    assert_eq!(backend.received().messages, 30);
}

#[tokio::test]
async fn a_changed_plan_holds_live_sessions_within_a_second_and_closes_none() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Changed", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("Changed", &api, "Gold").await;
    let opening = Opening::to(&api.ws).bearer(&access.token);
    let mut clients = [opening.open().await, opening.open().await];
    for client in &mut clients {
        client.echo("under the old plan").await;
    }
    let per_day = async |amount: u64| {
        let began = Instant::now();
        let plan = json!({"name": "Gold", "limits": [{"amount": amount, "per": "day"}]});
        admin.put("/plans/Gold", plan).await.is(200);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    };
    per_day(6).await;
    for place in [0, 1, 0] {
        clients[place].echo("under the new one").await;
    }
    clients[1].text("one too many").await;
    assert_eq!(quota(&clients[1].closed().await).0, "Gold");
    let refused = opening.refused().await;
    assert_eq!((refused.status, refused.problem().as_str()), (429, "quota"), "{}", refused.text);
    // Raised, and what was used stays used.
    per_day(8).await;
    clients[0].echo("two more").await;
    clients[0].text("and no third").await;
    assert_eq!(quota(&clients[0].closed().await).0, "Gold");
    backend.is_over().await;
    assert_eq!(backend.received().messages, 6);
}

/// The level that the reason of a Close tells.
fn level(close: &(u16, String)) -> Option<String> {
    let reason: Value = serde_json::from_str(&close.1).unwrap();
    reason["level"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn an_api_policy_holds_all_who_use_an_api_and_a_topic_all_who_are_on_it() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Together", json!({"production": {"url": backend.url()}})).await;
    for (name, amount) in [("Few", 4), ("More", 10)] {
        let policy = json!({"name": name, "limits": [{"amount": amount, "per": "day"}]});
        admin.post("/api-policies", policy).await.is(201);
    }
    let path = format!("/apis/{}", api.id);
    let design = json!({"description": "", "endpoints": {"production": {"url": backend.url()}},
        "plans": ["Unlimited", "Gold"], "api_policy": "More",
        "topics": {"declared": [{"path": "/few/{any}", "api_policy": "Few"}, {"path": "/*"}]}});
    let unknown = |at: &str| {
        let mut design = design.clone();
        *design.pointer_mut(at).unwrap() = json!("Gold");
        design
    };
    for at in ["/api_policy", "/topics/declared/0/api_policy"] {
        let refused = admin.put(&path, unknown(at)).await.is(400).json();
        assert_eq!(refused["errors"][0]["pointer"], at, "{refused}");
    }
    let of = async |name: &str, plan: &str| admin.access(name, &api, plan).await.token;
    let tokens = [of("First", "Unlimited").await, of("Second", "Gold").await];
    let at = |topic: &str, who: usize| Opening::to(&format!("{}{topic}", api.ws)).bearer(&tokens[who]);
    let mut live = at("/few/1", 0).open().await;
    live.echo("before there was a policy").await;
    admin.put(&path, design.clone()).await.is(200);
    admin.deploy(&api.id).await.is(201);

    live.echo("two of the four").await;
    let mut other = at("/few/2", 1).open().await;
    other.echo("and two").await;
    live.text("one too many").await;
    let close = live.closed().await;
    assert_eq!((quota(&close).0.as_str(), level(&close).as_deref()), ("Few", Some("topic")));
    let refused = at("/few/3", 1).refused().await;
    assert_eq!((refused.status, refused.problem().as_str()), (429, "quota"), "{}", refused.text);
    assert!(refused.text.contains("The policy of the topic Few has nothing left"), "{}", refused.text);
    // Four of ten are used, and six are left to everybody.
    let (mut first, mut second) = (at("/any", 0).open().await, at("/any", 1).open().await);
    first.echo("two").await;
    second.echo("two").await;
    first.echo("two").await;
    second.text("one too many").await;
    let close = second.closed().await;
    assert_eq!((quota(&close).0.as_str(), level(&close).as_deref()), ("More", Some("api")));

    // Raised, it goes on with what was used, on the session that is open.
    let more = json!({"name": "More", "limits": [{"amount": 12, "per": "day"}]});
    admin.put("/api-policies/More", more).await.is(200);
    first.echo("the last two").await;
    for name in ["More", "Few"] {
        let refused = admin.delete(&format!("/api-policies/{name}")).await.is(409).json();
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("1 API held to it (Together 1.0)"), "{detail}");
    }
    let mut free = design;
    (free["api_policy"], free["topics"]) = (Value::Null, json!({}));
    admin.put(&path, free).await.is(200);
    admin.deploy(&api.id).await.is(201);
    first.echo("no limit but the plan's").await;
    admin.delete("/api-policies/More").await.is(204);
}
