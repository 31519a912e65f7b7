//! Who may stay: a block, a retirement, a deleted key, subscription or application reaches every live session.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    backend::Backend,
    client::{Client, Opening},
    product::Product,
    wait::{PATIENCE, until},
};

/// What the product promises.
const SOON: Duration = Duration::from_secs(1);

fn reason(word: &str) -> String {
    format!(r#"{{"reason":"{word}"}}"#)
}

/// Does something, and waits until every client has got this Close; answers how long that took.
async fn closes(clients: Vec<Client>, act: impl Future<Output = ()>, code: u16, word: &str) -> Duration {
    let mut waiting = JoinSet::new();
    for mut client in clients {
        waiting.spawn(async move {
            let close = client.hears_close(Duration::from_mins(1)).await;
            let at = Instant::now();
            client.ends().await;
            (close, at)
        });
    }
    let begun = Instant::now();
    act.await;
    let mut last = begun;
    for (close, at) in waiting.join_all().await {
        assert_eq!(close, Some((code, reason(word))));
        last = last.max(at);
    }
    last - begun
}

#[tokio::test]
async fn blocking_an_api_closes_its_sessions_and_republishing_opens_it() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Blocked", json!({"production": {"url": backend.url()}})).await;
    let other = admin.publish("Untouched", json!({"production": {"url": product.at.echo}})).await;
    let access = admin.access("Blocked", &api, "Gold").await;
    admin.subscribe(&access.application, &other, "Gold").await;
    let opening = Opening::to(&api.ws).bearer(&access.token);
    let secured = Opening::to(&api.wss).bearer(&access.token).trust(product.trust());
    let mut bystander = Opening::to(&other.ws).bearer(&access.token).open().await;

    let block = async || drop(admin.lifecycle(&api.id, "block").await.is(200));
    let live = vec![opening.open().await, opening.open().await, secured.open().await];
    let took = closes(live, block(), 3003, "api_blocked").await;
    assert!(took < SOON, "{took:?}");
    backend.is_over().await;
    for seen in backend.seen() {
        assert_eq!(seen.close, Some((1001, reason("api_blocked"))));
    }
    assert_eq!(opening.refused().await.problem(), "api-blocked");
    bystander.echo("nobody touched me").await;
    admin.lifecycle(&api.id, "republish").await.is(200);
    opening.open().await.echo("back again").await;
}

#[tokio::test]
async fn what_only_ends_the_future_leaves_live_sessions_and_retirement_closes_them() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Ageing", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("Ageing", &api, "Gold").await;
    let opening = Opening::to(&api.ws).bearer(&access.token);
    let mut live = opening.open().await;
    for event in ["demote", "publish", "deprecate"] {
        admin.lifecycle(&api.id, event).await.is(200);
        live.echo(event).await;
        opening.open().await.echo("subscribers keep their access").await;
    }
    let latecomer = admin.application("Late", "Unlimited").await;
    let body = json!({"application_id": latecomer, "api_id": api.id, "plan": "Gold"});
    assert_eq!(admin.post("/subscriptions", body).await.is(404).problem(), "not-found");

    let retire = async { drop(admin.lifecycle(&api.id, "retire").await.is(200)) };
    let took = closes(vec![live], retire, 3003, "api_retired").await;
    assert!(took < SOON, "{took:?}");
    assert_eq!(opening.refused().await.problem(), "api-retired");
}

#[tokio::test]
async fn what_a_developer_deletes_closes_the_sessions_that_stood_on_it() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Revoked", json!({"production": {"url": backend.url()}})).await;
    let mut bystander = {
        let access = admin.access("Bystander", &api, "Gold").await;
        Opening::to(&api.ws).bearer(&access.token).open().await
    };
    for (what, code, word, refusal) in [
        ("key", 3000, "key_revoked", "credential-revoked"),
        ("subscription", 3003, "subscription_ended", "no-subscription"),
        ("application", 3000, "key_revoked", "credential-revoked"),
    ] {
        let access = admin.access(what, &api, "Gold").await;
        let opening = Opening::to(&api.ws).bearer(&access.token);
        let live = vec![opening.open().await, opening.open().await];
        let path = match what {
            "key" => format!("/applications/{}/keys/{}", access.application, access.client_id),
            "subscription" => format!("/subscriptions/{}", access.subscription),
            _ => format!("/applications/{}", access.application),
        };
        let delete = async { drop(admin.delete(&path).await.is(204)) };
        let took = closes(live, delete, code, word).await;
        assert!(took < SOON, "{what}: {took:?}");
        assert_eq!(opening.refused().await.problem(), refusal, "{what}");
    }
    bystander.echo("nobody touched me").await;

    // A new secret is no revocation: tokens of the old one live until they expire.
    let access = admin.access("Renewed", &api, "Gold").await;
    let mut live = Opening::to(&api.ws).bearer(&access.token).open().await;
    let renew = format!("/applications/{}/keys/{}/secret", access.application, access.client_id);
    admin.post(&renew, json!({})).await.is(200);
    live.echo("still here").await;
}

#[tokio::test]
async fn a_prototype_is_open_to_every_application_until_it_is_published() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Early", json!({"production": {"url": backend.url()}})).await;
    let application = admin.application("Curious", "Unlimited").await;
    let token = admin.key(&application, "production").await.token;
    let opening = Opening::to(&api.ws).bearer(&token);
    assert_eq!(opening.refused().await.problem(), "no-subscription");
    admin.lifecycle(&api.id, "prototype").await.is(200);
    let mut live = opening.open().await;
    live.echo("without a subscription").await;
    assert_eq!(Opening::to(&api.ws).refused().await.problem(), "credential-missing", "but not to nobody");

    let publish = async { drop(admin.lifecycle(&api.id, "publish").await.is(200)) };
    let took = closes(vec![live], publish, 3003, "subscription_ended").await;
    assert!(took < SOON, "{took:?}");
    assert_eq!(opening.refused().await.problem(), "no-subscription");
}

/// Descriptors for both ends of the sessions, here and there.
fn allow_descriptors(wanted: u64) {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = limit.maximum;
        setrlimit(Resource::Nofile, limit).unwrap();
    }
    let allowed = getrlimit(Resource::Nofile).current;
    assert!(
        allowed.is_none_or(|allowed| allowed >= wanted),
        "raise `ulimit -Hn` to {wanted}; it is {allowed:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_reaches_five_thousand_sessions_that_only_listen() {
    const SESSIONS: usize = 5_000;
    allow_descriptors(2 * SESSIONS as u64 + 500);
    let (product, backend) = (Product::start().await, Backend::holding());
    let admin = product.portal.admin().await;
    let api = admin.publish("Crowd", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("Crowd", &api, "Unlimited").await;
    let opening = Opening::to(&api.ws).bearer(&access.token);
    let open = async |_| opening.answered().await.raw().await;
    let live: Vec<_> = stream::iter(0..SESSIONS).map(open).buffer_unordered(64).collect().await;
    let path = format!("/apis/{}", api.id);
    let all_open = async || (admin.traffic(&path).await.open == SESSIONS as u64).then_some(());
    until("all sessions are shown as open", PATIENCE, all_open).await;

    // Clients and a backend that cost little, so that what is measured is the product.
    let begun = Instant::now();
    let mut waiting = JoinSet::new();
    for mut client in live {
        waiting.spawn(async move {
            let frame = client.frame().await;
            (frame, Instant::now(), client)
        });
    }
    admin.lifecycle(&api.id, "block").await.is(200);
    let closed = waiting.join_all().await;
    let mut last = begun;
    for (frame, at, _) in &closed {
        let reason = reason("api_blocked");
        assert_eq!(frame.as_ref().unwrap().close(), (3003, reason.as_str()));
        last = last.max(*at);
    }
    let took = last - begun;
    println!("{SESSIONS} sessions were closed in {took:?}");
    assert!(took < SOON, "{took:?}");
    drop(closed);
    let none_open = async || (admin.traffic(&path).await.open == 0).then_some(());
    until("no session is shown as open", PATIENCE, none_open).await;
}
