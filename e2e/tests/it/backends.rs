//! What an endpoint says about its backend, through REST: whom to trust, what to show, whom to leave out, and which
//! addresses the operator allows; and that a client sees the difference.

use serde_json::{Value, json};

use crate::{
    backend::Backend,
    client::Opening,
    portal::{Api, Person},
    product::Product,
    wait::{PATIENCE, until},
};

/// The API with these settings of its production endpoint from now on.
async fn deploy(person: &Person<'_>, api: &Api, production: Value) {
    let change = json!({"description": "", "plans": ["Unlimited"], "endpoints": {"production": production}});
    person.put(&format!("/apis/{}", api.id), change).await.is(200);
    person.deploy(&api.id).await.is(201);
}

#[tokio::test]
async fn a_backend_with_an_authority_of_its_own_is_trusted_once_that_is_named() {
    let product = Product::start().await;
    // It has the product's own certificate, which no machine trusts.
    let backend = Backend::secured(&product.certificate(), &product.data().join("tls/key.pem"));
    let url = backend.secured_url();
    let admin = product.portal.admin().await;
    let api = admin.publish("Trusting", json!({"production": {"url": url}})).await;
    let access = admin.access("Trusting", &api, "Unlimited").await;
    let opening = Opening::to(&api.ws).bearer(&access.token);
    assert_eq!(opening.refused().await.problem(), "backend-untrusted");
    let authorities = std::fs::read_to_string(product.certificate()).unwrap();
    deploy(&admin, &api, json!({"url": url, "tls": {"authorities": authorities}})).await;
    opening.open().await.echo("trusted").await;
    let named = json!({"authorities": authorities, "server_name": "other.example"});
    deploy(&admin, &api, json!({"url": url, "tls": named})).await;
    assert_eq!(opening.refused().await.problem(), "backend-untrusted");
    deploy(&admin, &api, json!({"url": url, "tls": {"verify": false}})).await;
    opening.open().await.echo("unchecked").await;
}

#[tokio::test]
async fn a_backend_is_shown_its_credential_and_nobody_else_is() {
    let (product, backend, other) = (Product::start().await, Backend::echo(), Backend::echo());
    let admin = product.portal.admin().await;
    let shown = json!({"kind": "header", "name": "X-Api-Key", "value": "of-the-gateway"});
    let production = json!({"url": backend.url(), "credential": shown});
    let api = admin.publish("Shown", json!({"production": production})).await;
    let access = admin.access("Shown", &api, "Unlimited").await;
    let opening = Opening::to(&api.ws).bearer(&access.token).header("X-Api-Key", "of-the-client");
    opening.open().await.echo("hello").await;
    let heads = |backend: &Backend| backend.seen().last().unwrap().head.to_ascii_lowercase();
    assert!(heads(&backend).contains("of-the-gateway") && !heads(&backend).contains("of-the-client"));
    let answered = admin.get(&format!("/apis/{}", api.id)).await.is(200);
    assert!(!answered.text.contains("of-the-gateway"), "{}", answered.text);

    // A test of the saved address takes it along, a test of another one does not.
    let test = format!("/apis/{}/endpoints/test", api.id);
    for (tried, is_shown) in [(&backend, true), (&other, false)] {
        let report = admin.post(&test, json!({"url": tried.url()})).await.is(200).json();
        assert_eq!(report["outcome"], "ok", "{report}");
        assert_eq!(heads(tried).contains("of-the-gateway"), is_shown);
    }

    // The product's own token endpoint is one of its listeners, which are never dialled.
    let token_url = format!("{}/oauth2/token", product.at.portal);
    let oauth =
        json!({"kind": "oauth", "token_url": token_url, "client_id": "me", "client_secret": "s3cret"});
    deploy(&admin, &api, json!({"url": backend.url(), "credential": oauth})).await;
    let refused = opening.refused().await;
    assert_eq!((refused.status, &*refused.problem()), (502, "backend-credential"));
    assert!(!refused.text.contains("s3cret") && !product.logged().contains("s3cret"));
}

#[tokio::test]
async fn an_address_that_fails_its_checks_is_seen_and_left_out() {
    let (product, dead, steady) = (Product::start().await, Backend::dead(), Backend::echo());
    let admin = product.portal.admin().await;
    let production = json!({"url": dead.url(), "others": [steady.url()], "balance": "failover",
        "health": {"interval_ms": 100, "unhealthy_after": 1, "healthy_after": 1}});
    let api = admin.publish("Checked", json!({"production": production})).await;
    let path = format!("/apis/{}/endpoints/health", api.id);
    let health = until("both are checked", PATIENCE, async || {
        let health = admin.get(&path).await.is(200).json();
        let states = [&health["production"][0]["state"], &health["production"][1]["state"]];
        (states == ["unhealthy", "up"]).then_some(health)
    })
    .await;
    let [first, second] = [&health["production"][0], &health["production"][1]];
    assert_eq!((&first["url"], &first["last_check"]["ok"]), (&json!(dead.url()), &json!(false)), "{health}");
    assert_eq!((&second["up"], &second["last_check"]["ok"]), (&json!(1), &json!(true)), "{health}");
    let access = admin.access("Checked", &api, "Unlimited").await;
    let mut client = Opening::to(&api.ws).bearer(&access.token).open().await;
    client.echo("to the second").await;
    until("the session is told", PATIENCE, async || {
        let health = admin.get(&path).await.is(200).json();
        (health["production"][1]["sessions_open"] == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_the_operator_denies_is_not_dialled() {
    let denying = Product::start_with(|command| {
        command.env("TIDEGATE_BACKEND_DENY", "10.0.0.0/8, 127.0.0.0/8, ::1");
    });
    let (product, backend) = (denying.await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Denied", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("Denied", &api, "Unlimited").await;
    let refused = Opening::to(&api.ws).bearer(&access.token).refused().await;
    assert_eq!((refused.status, &*refused.problem()), (502, "backend-forbidden"));
    assert!(backend.seen().is_empty());
}
