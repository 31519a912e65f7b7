//! Traffic: what the portal shows is what clients counted themselves, also after a restart; after a kill it may lack
//! the last flush and nothing else.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    backend::Backend,
    client::{Client, Opening},
    portal::{Count, Person, Traffic},
    product::Product,
    wait::{PATIENCE, until},
};

/// Asks until the traffic is this, and never lets it be more.
async fn shows(admin: &Person<'_>, path: &str, expected: Traffic) {
    let shown = async || {
        let shown = admin.traffic(path).await;
        assert!(shown.from_clients.messages <= expected.from_clients.messages, "{shown:?} > {expected:?}");
        assert!(shown.from_backends.bytes <= expected.from_backends.bytes, "{shown:?} > {expected:?}");
        (shown == expected).then_some(())
    };
    until(&format!("{path} shows {expected:?}"), PATIENCE, shown).await;
}

/// Texts, bytes, fragments and pings, an echo of each, and some that come unasked.
async fn talk(client: &mut Client, size: usize) {
    client.echo(&"ä".repeat(size)).await;
    client.send(Message::binary(vec![7; size * 3])).await;
    assert_eq!(client.next().await, Message::binary(vec![7; size * 3]));
    client.send(Message::Ping("not counted".into())).await;
    assert!(client.next().await.is_pong());
    client.text("say 30").await;
    for number in 0..30 {
        assert_eq!(client.next().await, Message::text(number.to_string()));
    }
    client.text("hush hush").await;
    client.echo("").await;
}

fn add(sum: &mut Count, other: Count) {
    sum.messages += other.messages;
    sum.bytes += other.bytes;
}

#[tokio::test]
async fn what_is_shown_is_what_clients_counted() {
    let (mut product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Counted", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("Counted", &api, "Unlimited").await;
    let opening = Opening::to(&api.ws).bearer(&access.token);
    let secured = Opening::to(&api.wss).bearer(&access.token).trust(product.trust());
    let (of_api, of_application) =
        (format!("/apis/{}", api.id), format!("/applications/{}", access.application));

    let mut clients = vec![opening.open().await, secured.open().await, opening.open().await];
    until("three open sessions", PATIENCE, async || (admin.traffic(&of_api).await.open == 3).then_some(()))
        .await;
    let mut expected = Traffic { sessions: 3, ..Traffic::default() };
    for (number, client) in clients.iter_mut().enumerate() {
        talk(client, 10 * number * number * number).await;
    }
    for client in clients {
        let (sent, received) = client.leave().await;
        add(&mut expected.from_clients, sent);
        add(&mut expected.from_backends, received);
    }
    // A refusal of a known API is its traffic as well, and not the application's, since nobody knows whose it was.
    Opening::to(&api.ws).refused().await;
    for refusals in [&of_api, &of_application].map(|path| u64::from(path == &of_api)) {
        let path = if refusals == 1 { &of_api } else { &of_application };
        shows(&admin, path, Traffic { refusals, ..expected }).await;
    }
    let minutes = admin.get(&format!("{of_api}/traffic?minutes=5")).await.is(200).json();
    let minutes = minutes["minutes"].as_array().unwrap();
    let sum = minutes.iter().map(|minute| minute["messages_from_backends"].as_u64().unwrap()).sum::<u64>();
    assert_eq!((minutes.len(), sum), (5, expected.from_backends.messages), "minutes add up to the total");

    product.restart().await;
    let admin = product.portal.admin().await;
    let after = admin.traffic(&of_api).await;
    assert_eq!(after, Traffic { refusals: 1, ..expected }, "an orderly restart loses and doubles nothing");
}

/// Talks until it is told to leave; answers the Close and how much came back before it.
async fn talk_to_the_end(mut client: Client) -> (Option<(u16, String)>, Count) {
    while client.tries(Message::text("to the end")).await {
        match client.next().await {
            Message::Close(frame) => {
                let close = frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
                client.ends().await;
                return (close, client.received);
            }
            message => assert_eq!(message, Message::text("to the end")),
        }
    }
    (client.closed_within(PATIENCE).await, client.received)
}

#[tokio::test]
async fn an_orderly_stop_counts_to_the_last_message() {
    let (mut product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Stopped", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("Stopped", &api, "Unlimited").await;
    let plain = Opening::to(&api.ws).bearer(&access.token).open().await;
    let secured = Opening::to(&api.wss).bearer(&access.token).trust(product.trust()).open().await;
    let talking = [plain, secured].map(|client| tokio::spawn(talk_to_the_end(client)));
    until("both are talking", PATIENCE, async || (backend.received().messages > 100).then_some(())).await;
    product.ask_to_stop();
    let mut from_backends = Count::default();
    for client in talking {
        let (close, received) = client.await.unwrap();
        assert_eq!(close, Some((1012, r#"{"reason":"restart"}"#.to_owned())), "the code for “come back”");
        add(&mut from_backends, received);
    }
    assert!(product.ended().await.success());
    backend.is_over().await;
    for seen in backend.seen() {
        assert_eq!(seen.close.unwrap().0, 1001);
    }

    product.start_again().await;
    let admin = product.portal.admin().await;
    let from_clients = backend.received();
    let expected = Traffic { sessions: 2, from_clients, from_backends, ..Traffic::default() };
    assert_eq!(admin.traffic(&format!("/apis/{}", api.id)).await, expected);
}

#[tokio::test]
async fn a_kill_loses_at_most_the_last_flush() {
    let (mut product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Killed", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("Killed", &api, "Unlimited").await;
    let path = format!("/apis/{}", api.id);
    let mut client = Opening::to(&api.ws).bearer(&access.token).open().await;
    for number in 0..50 {
        client.echo(&format!("before {number}")).await;
    }
    // What was counted is on disk, though the session goes on, within a flush and the time to write it.
    let flushed = async || {
        let shown = admin.traffic(&path).await;
        (shown.from_clients == client.sent && shown.from_backends == client.received).then_some(shown)
    };
    let flushed = until("the counts of a live session", Duration::from_secs(5), flushed).await;
    assert_eq!((flushed.sessions, flushed.open), (1, 1));
    for number in 0..25 {
        client.echo(&format!("after {number}")).await;
    }
    product.kill();
    assert_eq!(client.closed_within(PATIENCE).await, None, "nobody was left to say goodbye");

    product.start_again().await;
    let admin = product.portal.admin().await;
    let after = admin.traffic(&path).await;
    for (after, flushed, counted) in [
        (after.from_clients, flushed.from_clients, client.sent),
        (after.from_backends, flushed.from_backends, client.received),
    ] {
        assert!(after.messages >= flushed.messages, "what was flushed is lost: {after:?} {flushed:?}");
        assert!(after.messages <= counted.messages, "something was counted twice: {after:?} {counted:?}");
    }
    assert_eq!((after.sessions, after.open), (1, 0));
}
