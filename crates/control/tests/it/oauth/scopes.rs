//! Scopes of topics: which clients get them for themselves and for whom, by subscriptions and roles.

use axum::http::Method;
use serde_json::{Value, json};
use tidegate_model::role::Role;

use super::client::{Client, Stage, form};
use crate::support::{House, Person, echo};

/// An API with these scopes, each asked for by its topic; published.
async fn api(stage: &Stage, publisher: &Person, context: &str, scopes: Value) -> String {
    let names: Vec<_> = scopes.as_array().unwrap().iter().map(|scope| scope["name"].clone()).collect();
    let mut body = echo();
    body["name"] = json!(context);
    body["context"] = json!(format!("/{context}"));
    body["scopes"] = scopes;
    body["topics"] = json!({"declared": [{"path": "/*", "publish_scopes": names}]});
    body["publish"] = json!(true);
    let made = stage.house.post(publisher, "/api/v1/apis", body).await.is(201).json();
    made["id"].as_str().unwrap().to_owned()
}

async fn subscribe(stage: &Stage, api: &str) {
    let application = stage.keys.split('/').nth(4).unwrap();
    let body = json!({"application_id": application, "api_id": api, "plan": "Gold"});
    stage.house.post(&stage.owner, "/api/v1/subscriptions", body).await.is(201);
}

async fn own(stage: &Stage, client: &Client, scope: &str) -> crate::support::Answer {
    let mut pairs = vec![("grant_type", "client_credentials")];
    if !scope.is_empty() {
        pairs.push(("scope", scope));
    }
    pairs.extend(client.proof());
    stage.token(&form(&pairs)).await
}

fn rooms() -> Value {
    json!([{"name": "room:write"}, {"name": "room:run", "roles": ["publisher"]},
        {"name": "room:watch", "roles": ["subscriber", "observer"]}])
}

#[tokio::test]
async fn a_client_has_for_itself_what_it_reaches_and_what_its_owner_may_have() {
    let stage = Stage::new().await;
    let admin = stage.house.person("root", &[Role::Admin]).await;
    let api = api(&stage, &admin, "rooms", rooms()).await;
    assert_eq!(own(&stage, &stage.client, "").await.is(200).json()["scope"], Value::Null, "not subscribed");
    own(&stage, &stage.client, "room:write").await.is(400);
    subscribe(&stage, &api).await;
    let all = own(&stage, &stage.client, "").await.is(200).json();
    assert_eq!(all["scope"], "room:watch room:write");
    assert_eq!(own(&stage, &stage.client, "room:write").await.is(200).json()["scope"], "room:write");
    for beyond in ["room:run", "room:write room:run", "openid", "other"] {
        let refused = own(&stage, &stage.client, beyond).await.is(400).json();
        assert_eq!(refused["error"], "invalid_scope", "{beyond}");
    }
    // What its owner's page makes is the client's own as well.
    let made =
        stage.house.post(&stage.owner, &format!("{}/{}/token", stage.keys, stage.client.id), json!({})).await;
    let token = made.is(200).json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(super::client::claims(&token)["scope"], "room:watch room:write");
}

#[tokio::test]
async fn for_a_person_a_client_has_what_that_person_may_have_now() {
    let stage = Stage::new().await;
    let admin = stage.house.person("root", &[Role::Admin]).await;
    let api = api(&stage, &admin, "rooms", rooms()).await;
    subscribe(&stage, &api).await;
    // Ada observes: of what is asked for, she may have two.
    let tokens = stage.tokens("openid room:run room:write room:watch").await;
    assert_eq!(tokens["scope"], "openid room:write room:watch");
    let page = stage.authorize(&stage.ada, &form(&stage.asking("room:run room:write"))).await;
    assert!(!page.text.contains("room:run"), "nobody is asked for what they cannot give: {}", page.text);
    // When her roles change, so does what comes next; what is out goes on until its end.
    let user = stage.house.get(&stage.ada, "/api/v1/session").await.json()["user"]["id"].clone();
    stage.house.change_user(&admin, user.as_str().unwrap(), &["creator"], "active").await.is(200);
    let next = stage.refresh(tokens["refresh_token"].as_str().unwrap()).await.is(200).json();
    assert_eq!(next["scope"], "openid room:write");
}

#[tokio::test]
async fn a_name_defined_at_another_api_opens_nothing_that_its_first_api_keeps_back() {
    let stage = Stage::new().await;
    let admin = stage.house.person("root", &[Role::Admin]).await;
    let creator = stage.house.person("eve", &[Role::Creator, Role::Publisher]).await;
    let first = api(&stage, &admin, "rooms", rooms()).await;
    let second = api(&stage, &creator, "trap", json!([{"name": "room:run"}])).await;
    subscribe(&stage, &first).await;
    subscribe(&stage, &second).await;
    own(&stage, &stage.client, "room:run").await.is(400);
}

#[tokio::test]
async fn scopes_are_checked_where_they_are_defined_and_where_they_are_asked_for() {
    let stage = Stage::new().await;
    let admin = stage.house.person("root", &[Role::Admin]).await;
    let refused = async |scopes: Value, topics: Value, pointer: &str| {
        let mut body = echo();
        (body["scopes"], body["topics"]) = (scopes, topics);
        let answer = stage.house.post(&admin, "/api/v1/apis", body).await.is(400);
        assert!(answer.text.contains(&format!("\"{pointer}\"")), "{pointer}: {}", answer.text);
    };
    let none = || json!({});
    refused(json!([{"name": ""}]), none(), "/scopes/0/name").await;
    refused(json!([{"name": "two words"}]), none(), "/scopes/0/name").await;
    refused(json!([{"name": "openid"}]), none(), "/scopes/0/name").await;
    refused(json!([{"name": "a"}, {"name": "a"}]), none(), "/scopes/1/name").await;
    refused(json!([{"name": "a", "roles": ["king"]}]), none(), "/scopes/0/roles/0").await;
    let asks = json!({"declared": [{"path": "/a", "subscribe_scopes": ["a", "b"]}]});
    refused(json!([{"name": "a"}]), asks, "/topics/declared/0/subscribe_scopes/1").await;
    let twice = json!({"declared": [{"path": "/a", "publish_scopes": ["a", "a"]}]});
    refused(json!([{"name": "a"}]), twice, "/topics/declared/0/publish_scopes/1").await;
    refused(
        json!([]),
        json!({"declared": [{"path": "/a", "direction": "up"}]}),
        "/topics/declared/0/direction",
    )
    .await;
    let shut = json!({"declared": [{"path": "/a", "direction": "subscribe", "open": true,
        "publish_scopes": [], "subscribe_scopes": ["a"]}]});
    refused(json!([{"name": "a"}]), shut, "/topics/declared/0/open").await;
    refused(json!([]), json!({"misdirected": "ignore"}), "/topics/misdirected").await;
    // What is absent stays.
    let mut body = echo();
    (body["scopes"], body["topics"]) = (
        json!([{"name": "a"}]),
        json!({"declared": [{"path": "/a", "publish_scopes": ["a"]}], "misdirected": "drop"}),
    );
    let made = stage.house.post(&admin, "/api/v1/apis", body).await.is(201).json();
    let path = format!("/api/v1/apis/{}", made["id"].as_str().unwrap());
    let change = json!({"description": "new", "endpoints": {}, "plans": ["Gold"]});
    let request = House::request(&admin, &Method::PUT, &path).header("if-match", "*");
    let request = request.header("content-type", "application/json").body(change.to_string().into());
    let after = stage.house.send(request.unwrap()).await.is(200).json();
    assert_eq!((&after["scopes"], &after["topics"]), (&made["scopes"], &made["topics"]));
    assert_eq!(after["topics"]["declared"][0]["direction"], "both");
}

#[tokio::test]
async fn a_scope_asks_for_an_own_role_by_its_name_and_by_nothing_that_it_means() {
    let stage = Stage::new().await;
    let admin = stage.house.person("root", &[Role::Admin]).await;
    for name in ["partner", "friend"] {
        let body = json!({"name": name, "means": ["observer"]});
        stage.house.post(&admin, "/api/v1/roles", body).await.is(201);
    }
    let scopes =
        json!([{"name": "room:run", "roles": ["partner"]}, {"name": "room:watch", "roles": ["observer"]}]);
    let api = api(&stage, &admin, "rooms", scopes).await;
    subscribe(&stage, &api).await;
    let id = stage.house.id_of(&admin, "ada").await;
    let asked = "openid room:run room:watch";
    for (roles, expected) in
        [(&["observer"][..], "openid room:watch"), (&["friend"], "openid room:watch"), (&["partner"], asked)]
    {
        stage.house.change_user(&admin, &id, roles, "active").await.is(200);
        assert_eq!(stage.tokens(asked).await["scope"], expected, "{roles:?}");
    }
}
