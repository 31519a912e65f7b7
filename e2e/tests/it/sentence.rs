//! The sentence that must always be true: an API is created, published, found, subscribed to, and talked through.

use serde_json::json;

use crate::{backend::Backend, client::Opening, portal::Api, product::Product};

#[tokio::test]
async fn three_people_bring_a_message_across_and_back() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let creator = product.portal.person("creator").await;
    let design = json!({"name": "EchoWebSocket", "context": "/echowebsocket", "version": "1.0",
        "endpoints": {"production": {"url": backend.url()}}, "plans": ["Gold", "Silver"]});
    let made = creator.post("/apis", design).await.is(201).json();
    let api = Api::read(&made);
    assert_eq!(
        (&made["state"], &made["live"], &made["missing"]),
        (&json!("created"), &json!(null), &json!([]))
    );
    assert_eq!(api.ws, format!("{}/echowebsocket/1.0", product.at.ws));

    let listed = async || {
        let found = product.portal.get("/api/v1/catalogue?q=EchoWebSocket").await.is(200).json();
        found["items"].as_array().unwrap().len()
    };
    assert_eq!(listed().await, 0, "what is not published is not shown");
    let publisher = product.portal.person("publisher").await;
    let published = publisher.lifecycle(&api.id, "publish").await.is(200).json();
    assert_eq!((&published["state"], &published["live"]["revision"]), (&json!("published"), &json!(1)));
    assert_eq!(listed().await, 1);

    let developer = product.portal.person("developer").await;
    let application = developer.application("My client", "Unlimited").await;
    developer.subscribe(&application, &api, "Gold").await;
    let key = developer.key(&application, "production").await;
    assert!(!key.secret.is_empty() && key.secret != key.client_id);
    Opening::to(&api.ws).bearer(&key.token).open().await.echo("hello").await;
    let wss = Opening::to(&api.wss).bearer(&key.token).trust(product.trust());
    wss.open().await.echo("hello in private").await;

    // What follows the API's path is the backend's business.
    let topic = format!("{}/rooms/7?colour=blue&size=2", api.ws);
    Opening::to(&topic).header("X-Colour", "blue").bearer(&key.token).open().await.echo("topic").await;
    let seen = backend.seen();
    let heads: Vec<_> = seen.iter().map(|seen| seen.head.as_str()).collect();
    assert!(heads[0].starts_with("/ "), "{heads:?}");
    assert!(
        heads[2].starts_with("/rooms/7?colour=blue&size=2 ") && heads[2].contains("x-colour"),
        "{heads:?}"
    );
    assert!(heads[1].contains("\"x-forwarded-proto\": \"https\"") && heads[1].contains("x-forwarded-for"));
}

#[tokio::test]
async fn create_and_publish_is_one_call() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("OneCall", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("At once", &api, "Bronze").await;
    Opening::to(&api.ws).bearer(&access.token).open().await.echo("at once").await;
    let shown = admin.get(&format!("/apis/{}", api.id)).await.is(200).json();
    assert_eq!((&shown["state"], &shown["differs"]), (&json!("published"), &json!([])));
    let history = admin.get(&format!("/apis/{}/lifecycle", api.id)).await.is(200).json();
    assert_eq!(history["history"][0]["event"], "publish");

    // The built-in backend is there for whoever has none.
    let own = admin.publish("BuiltIn", json!({"production": {"url": product.at.echo}})).await;
    admin.subscribe(&access.application, &own, "Gold").await;
    Opening::to(&own.ws).bearer(&access.token).open().await.echo("built in").await;

    // A second version is another address; the default one answers without a version as well.
    let versions = format!("/apis/{}/versions", api.id);
    let version = json!({"version": "2.0", "default": true});
    let second = Api::read(&admin.post(&versions, version).await.is(201).json());
    admin.lifecycle(&second.id, "publish").await.is(200);
    admin.subscribe(&access.application, &second, "Gold").await;
    let default = format!("{}/onecall", product.at.ws);
    for address in [&second.ws, &default] {
        Opening::to(address).bearer(&access.token).open().await.echo("2.0").await;
    }
}

#[tokio::test]
async fn the_token_may_come_in_three_places_and_reaches_no_backend() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Places", json!({"production": {"url": backend.url()}})).await;
    let token = admin.access("Places", &api, "Unlimited").await.token;

    let openings = [
        Opening::to(&api.ws).bearer(&token),
        Opening::to(&format!("{}?a=1", api.ws)).in_query(&token),
        Opening::to(&api.ws).header("Sec-WebSocket-Protocol", &format!("bearer, {token}")),
    ];
    for (place, opening) in openings.iter().enumerate() {
        let answer = opening.answered().await;
        let protocol = answer.headers.get("sec-websocket-protocol").map(String::as_str);
        assert_eq!(protocol, (place == 2).then_some("bearer"), "a browser expects one of those it offered");
        answer.client().await.echo("hello").await;
    }
    for seen in backend.seen() {
        assert!(!seen.head.contains(&token) && !seen.head.contains("access_token"), "{}", seen.head);
        assert!(!seen.head.contains("authorization") && !seen.head.contains("bearer"), "{}", seen.head);
    }
    assert!(!product.logged().contains(&token), "a credential is not logged");

    // Other subprotocols are between client and backend; the built-in one speaks the first that it is offered.
    let own = admin.publish("Subprotocols", json!({"production": {"url": product.at.echo}})).await;
    let token = admin.access("Subprotocols", &own, "Unlimited").await.token;
    let offering = |offer: &str| Opening::to(&own.ws).header("Sec-WebSocket-Protocol", offer);
    for opening in [offering("chat, talk").bearer(&token), offering(&format!("bearer, {token}, chat, talk"))]
    {
        let answer = opening.answered().await;
        assert_eq!(answer.headers["sec-websocket-protocol"], "chat");
        answer.client().await.echo("hello").await;
    }
}
