//! The working copy: a change to a published API acts when it is deployed, and live sessions survive that.

use serde_json::{Value, json};

use crate::{backend::Backend, client::Opening, product::Product};

#[tokio::test]
async fn a_changed_endpoint_acts_when_it_is_deployed_and_live_sessions_stay() {
    let (product, blue, green) = (Product::start().await, Backend::echo(), Backend::echo());
    let admin = product.portal.admin().await;
    let api = admin.publish("Changing", json!({"production": {"url": blue.url()}})).await;
    let access = admin.access("Changing", &api, "Unlimited").await;
    let opening = Opening::to(&api.ws).bearer(&access.token);
    let path = format!("/apis/{}", api.id);
    let mut old = opening.open().await;
    old.echo("before").await;

    let plans = ["Unlimited", "Gold"];
    let change =
        json!({"description": "", "endpoints": {"production": {"url": green.url()}}, "plans": plans});
    let changed = admin.put(&path, change).await.is(200).json();
    let fields = |api: &Value| {
        let differs = api["differs"].as_array().unwrap().clone();
        differs.iter().map(|it| it["field"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(fields(&changed), ["endpoints.production.url", "plans"], "{changed}");
    assert_eq!(changed["live"]["revision"], 1);
    opening.open().await.echo("still blue").await;
    assert_eq!((blue.seen().len(), green.seen().len()), (2, 0), "what is saved is not live");

    // One creator's change does not overwrite another's unseen.
    let stale = admin.request(reqwest::Method::PUT, &path).header("if-match", "\"1\"");
    let body = json!({"description": "late", "endpoints": {}, "plans": []});
    assert_eq!(crate::portal::send(stale.json(&body)).await.is(412).problem(), "stale");

    let deployed = admin.deploy(&api.id).await.is(201).json();
    assert_eq!((&deployed["number"], &deployed["live"]), (&json!(2), &json!(true)));
    assert_eq!(fields(&admin.get(&path).await.is(200).json()), Vec::<String>::new());
    opening.open().await.echo("green").await;
    assert_eq!((blue.seen().len(), green.seen().len()), (2, 1), "what is deployed is live");
    old.echo("and the old session is where it was").await;
    assert!(!blue.seen()[0].is_over, "a deployment closes nobody");
    assert_eq!(old.leave().await.0.messages, 2);

    let revisions = admin.get(&format!("{path}/revisions")).await.is(200).json();
    let live = revisions["items"].as_array().unwrap().iter().map(|it| it["live"].as_bool().unwrap());
    assert_eq!(live.collect::<Vec<_>>(), [true, false], "newest first: {revisions}");
}
