//! The console's door: a WebSocket on the portal's own origin, for pages that cannot open another.

use serde_json::json;

use crate::{
    backend::Backend,
    client::Opening,
    portal::Traffic,
    product::Product,
    wait::{PATIENCE, until},
};

#[tokio::test]
async fn the_console_talks_through_the_portals_own_port() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Console", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("Console", &api, "Unlimited").await;
    let door = format!("{}/console{}", product.at.portal.replace("https://", "wss://"), api.path);
    let to = |url: &str| Opening::to(url).trust(product.trust()).header("Origin", &product.at.portal);

    let mut client = to(&door).in_query(&access.token).open().await;
    client.echo("from the page").await;
    let mut topic = to(&format!("{door}/rooms/1?a=b")).in_query(&access.token).open().await;
    topic.echo(&"long ".repeat(100_000)).await;
    let path = format!("/apis/{}", api.id);
    until("both are open", PATIENCE, async || (admin.traffic(&path).await.open == 2).then_some(())).await;
    let (mut sent, received) = client.leave().await;
    let (more, _) = topic.leave().await;
    sent.messages += more.messages;
    sent.bytes += more.bytes;
    assert_eq!(received.messages, 1);
    let expected = Traffic { sessions: 2, from_clients: sent, from_backends: sent, ..Traffic::default() };
    until("its traffic", PATIENCE, async || (admin.traffic(&path).await == expected).then_some(())).await;
    let heads: Vec<_> = backend.seen().into_iter().map(|seen| seen.head).collect();
    assert!(heads[1].starts_with("/rooms/1?a=b "), "{heads:?}");
    assert!(heads.iter().all(|head| !head.contains(&access.token)), "{heads:?}");

    // A page cannot read a refusal: it is accepted and closed with what was wrong.
    let mut nobody = to(&door).open().await;
    let (code, reason) = nobody.closed().await;
    assert_eq!(code, 3000);
    assert!(reason.contains("credential-missing"), "{reason}");
    let mut nowhere =
        to(&door.replace("/console/console", "/console/nowhere")).in_query(&access.token).open().await;
    let (code, reason) = nowhere.closed().await;
    assert_eq!(code, 1008);
    assert!(reason.contains("unknown-api"), "{reason}");

    let live = to(&door).in_query(&access.token).open().await;
    let mut live = live;
    live.echo("blocked in a moment").await;
    admin.lifecycle(&api.id, "block").await.is(200);
    assert_eq!(live.closed().await, (3003, r#"{"reason":"api_blocked"}"#.to_owned()));

    let foreign = Opening::to(&door).trust(product.trust()).header("Origin", "https://evil.example");
    let refused = foreign.in_query(&access.token).refused().await;
    assert_eq!((refused.status, refused.problem().as_str()), (403, "forged"));
}
