//! What was used of a plan: it survives restarts and kills, and everybody is shown the same.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    backend::Backend,
    client::Opening,
    portal::{Api, Key},
    product::Product,
    wait::{PATIENCE, until},
};

/// More than any test here takes.
const HOUR: u64 = 3_600;

/// Returns when enough is left of the hour, in whose windows these tests count.
pub(crate) async fn hour_with(seconds: u64) {
    let left = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        HOUR - since.as_secs() % HOUR
    };
    until("the next hour", Duration::from_secs(seconds + 1), async || (left() > seconds).then_some(())).await;
}

/// What a developer has, for as long as the data folder is there.
pub(crate) struct Subscribed {
    pub(crate) api: String,
    pub(crate) application: String,
    key: Key,
}

impl Subscribed {
    /// An application of this name, subscribed to an API of its own under this plan, which is made for it.
    pub(crate) async fn under(
        product: &Product,
        backend: &Backend,
        plan: &Value,
        [api, application]: [&str; 2],
    ) -> Self {
        let admin = product.portal.admin().await;
        admin.post("/plans", plan.clone()).await.is(201);
        let name = plan["name"].as_str().unwrap();
        let made = admin.post(
            "/apis",
            json!({"name": api, "context": format!("/{}", api.to_lowercase()), "version": "1.0", "plans": [name],
                "endpoints": {"production": {"url": backend.url()}}, "publish": true}),
        );
        let api = Api::read(&made.await.is(201).json());
        let application = admin.application(application, "Unlimited").await;
        admin.subscribe(&application, &api, name).await;
        let key = admin.key(&application, "production").await;
        Self { api: api.id, application, key }
    }
}

/// An application under a plan of so many messages an hour.
async fn under_a_plan(product: &Product, backend: &Backend, messages: u64) -> Subscribed {
    let plan = json!({"name": "Hourly", "limits": [{"amount": messages, "per": "hour"}]});
    Subscribed::under(product, backend, &plan, ["Counted", "Counted"]).await
}

/// The API's address at the product as it runs now, with a token of this run: ports and issuer are new in each.
pub(crate) async fn opening(product: &Product, of: &Subscribed) -> Opening {
    let admin = product.portal.admin().await;
    let api = Api::read(&admin.get(&format!("/apis/{}", of.api)).await.is(200).json());
    let granted = product.portal.token(&of.key.client_id, &of.key.secret).await.is(200).json();
    Opening::to(&api.ws).bearer(granted["access_token"].as_str().unwrap())
}

/// How many messages pass before the limit.
async fn left(opening: &Opening, backend: &Backend) -> u64 {
    let before = backend.received().messages;
    let mut client = opening.open().await;
    while client.tries("hush now".into()).await {}
    assert_eq!(client.closed().await.0, 4429);
    backend.is_over().await;
    backend.received().messages - before
}

#[tokio::test]
async fn a_kill_loses_nothing_that_was_counted_and_an_orderly_stop_nothing_at_all() {
    let (mut product, backend) = (Product::start().await, Backend::echo());
    hour_with(90).await;
    let subscribed = under_a_plan(&product, &backend, 40).await;
    let mut client = opening(&product, &subscribed).await.open().await;
    for _ in 0..5 {
        client.text("hush now").await;
    }
    // What the pages show of it is on disk, and so is what was used, in the same batch.
    let admin = product.portal.admin().await;
    let path = format!("/applications/{}", subscribed.application);
    until("the counts", PATIENCE, async || {
        (admin.traffic(&path).await.from_clients.messages == 5).then_some(())
    })
    .await;
    product.kill();
    product.start_again().await;

    let mut client = opening(&product, &subscribed).await.open().await;
    for number in 0..10 {
        client.echo(&format!("twenty more {number}")).await;
    }
    product.stop().await;
    product.start_again().await;
    let opening = opening(&product, &subscribed).await;
    assert_eq!(left(&opening, &backend).await, 15);
    let refused = opening.refused().await;
    assert_eq!((refused.status, refused.problem().as_str()), (429, "quota"), "{}", refused.text);
    product.restart().await;
    let refused = self::opening(&product, &subscribed).await.refused().await;
    assert_eq!((refused.status, refused.problem().as_str()), (429, "quota"), "{}", refused.text);
}

/// What is used and what is left of the plan's only limit.
fn quota(usage: &Value) -> (u64, u64) {
    let limit = &usage["limits"][0];
    (limit["used"].as_u64().unwrap(), limit["left"].as_u64().unwrap())
}

#[tokio::test]
async fn developer_publisher_and_gateway_know_the_same_number() {
    let (product, backend) = (Product::start().await, Backend::echo());
    hour_with(60).await;
    let subscribed = under_a_plan(&product, &backend, 12).await;
    let publisher = product.portal.person("publisher").await;
    let admin = product.portal.admin().await;
    let opening = opening(&product, &subscribed).await;
    let mut client = opening.open().await;
    for number in 0..3 {
        client.echo(&format!("two each {number}")).await;
    }
    let mine = format!("/subscriptions?application_id={}", subscribed.application);
    let of_api = format!("/apis/{}/subscriptions", subscribed.api);
    let shown = async |used: (u64, u64)| {
        until("the number", Duration::from_secs(2), async || {
            let mine = admin.get(&mine).await.is(200).json()["items"][0]["usage"].clone();
            let of_api = publisher.get(&of_api).await.is(200).json()["items"][0]["usage"].clone();
            (quota(&mine) == used && quota(&of_api) == used).then_some(())
        })
        .await;
    };
    shown((6, 6)).await;
    client.leave().await;
    assert_eq!(left(&opening, &backend).await, 6);
    shown((12, 0)).await;
}
