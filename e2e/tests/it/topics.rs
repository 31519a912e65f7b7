//! Topics with directions and scopes, with a client of other hands: Python's `websockets`.

use std::process::Stdio;

use reqwest::Method;
use serde_json::json;

use crate::{
    backend::Backend,
    portal::{Api, send},
    product::Product,
    programs::python,
    wait::{PATIENCE, until, within},
};

/// Says something on a topic and prints what comes of it: an echo, a Close, or a refusal with its problem.
const PYTHON: &str = r#"
import asyncio, json, sys, websockets

async def main(url, token):
    try:
        headers = {"Authorization": "Bearer " + token} if token else {}
        socket = await websockets.connect(url, additional_headers=headers)
    except websockets.exceptions.InvalidStatus as refused:
        told = json.loads(refused.response.body)
        print(refused.response.status_code, told["type"].split("/")[-1], refused.response.headers.get("WWW-Authenticate"))
        return
    try:
        await socket.send("from Python")
        print("heard", await socket.recv())
    except websockets.exceptions.ConnectionClosed as closed:
        print("closed", closed.rcvd.code, closed.rcvd.reason)
    await socket.close()

asyncio.run(main(*sys.argv[1:]))
"#;

async fn said(url: &str, token: &str) -> String {
    let mut command = python();
    command.args(["-c", PYTHON, url, token]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let output = within("Python", PATIENCE, child.wait_with_output()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn python_speaks_where_it_may_and_is_told_why_where_it_may_not() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let body = json!({"name": "Market", "context": "/market", "version": "1.0", "plans": ["Unlimited"],
    "endpoints": {"production": {"url": backend.url()}}, "publish": true,
    "scopes": [{"name": "desk:read"}, {"name": "desk:write", "roles": ["publisher"]}],
    "topics": {"declared": [
        {"path": "/chat"},
        {"path": "/news", "direction": "subscribe"},
        {"path": "/desk", "publish_scopes": ["desk:write"], "subscribe_scopes": ["desk:read", "desk:write"]},
    ]}});
    let api = Api::read(&admin.post("/apis", body).await.is(201).json());
    let application = admin.application("Market", "Unlimited").await;
    admin.subscribe(&application, &api, "Unlimited").await;
    let key = admin.key(&application, "production").await;
    let scoped = async |scope: &str| {
        let asked = product.portal.request(Method::POST, "/oauth2/token");
        let asked = asked.basic_auth(&key.client_id, Some(&key.secret));
        let asked = asked.form(&[("grant_type", "client_credentials"), ("scope", scope)]);
        send(asked).await.is(200).json()["access_token"].as_str().unwrap().to_owned()
    };
    let at = |topic: &str| format!("{}{topic}", api.ws);
    let (reader, all) = (scoped("desk:read").await, key.token);
    assert_eq!(said(&at("/chat"), &all).await, "heard from Python");
    assert_eq!(said(&at("/desk"), &all).await, "heard from Python", "its owner may have every scope");
    let closed = r#"closed 1008 {"reason":"direction"}"#;
    assert_eq!(said(&at("/news"), &all).await, closed);
    assert_eq!(said(&at("/desk"), &reader).await, closed);
    assert!(said(&at("/nothing"), &all).await.starts_with("404 unknown-topic"));
    assert_eq!(backend.received().messages, 2);

    let guarded = json!({"declared": [{"path": "/desk", "publish_scopes": ["desk:write"],
        "subscribe_scopes": ["desk:write"]}]});
    let change = json!({"description": "", "endpoints": {"production": {"url": backend.url()}},
        "plans": ["Unlimited"], "topics": guarded});
    admin.put(&format!("/apis/{}", api.id), change).await.is(200);
    admin.deploy(&api.id).await.is(201);
    let refused = said(&at("/desk"), &reader).await;
    assert!(refused.starts_with("403 scope-missing") && refused.contains("insufficient_scope"), "{refused}");
    assert!(refused.ends_with(r#"scope="desk:write""#), "{refused}");
    let path = format!("/apis/{}", api.id);
    let both = async || (admin.traffic(&path).await.from_clients.messages == 2).then_some(());
    until("the traffic of both", PATIENCE, both).await;
}

#[tokio::test]
async fn python_comes_without_a_credential_where_none_is_needed_and_nowhere_else() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let admin = product.portal.admin().await;
    let endpoints = json!({"production": {"url": backend.url()}});
    let body = json!({"name": "Prices", "context": "/prices", "version": "1.0", "plans": ["Unlimited"],
        "endpoints": endpoints, "publish": true,
        "topics": {"declared": [{"path": "/gold", "open": true}, {"path": "/desk"}]}});
    let api = Api::read(&admin.post("/apis", body).await.is(201).json());
    let at = |topic: &str| format!("{}{topic}", api.ws);
    assert_eq!(said(&at("/gold"), "").await, "heard from Python");
    assert!(said(&at("/gold"), "no.such.token").await.starts_with("401 credential-invalid"));
    assert!(said(&at("/desk"), "").await.starts_with("401 credential-missing"));
    let change = json!({"description": "", "endpoints": endpoints, "plans": ["Unlimited"],
        "security": {"accepts": ["oauth_header", "none"]}});
    let saved = admin.put(&format!("/apis/{}", api.id), change).await.is(200).json();
    assert_eq!(saved["security"]["accepts"], json!(["oauth_header", "none"]));
    assert_eq!(saved["topics"]["declared"][0]["open"], true, "what is absent stays");
    admin.deploy(&api.id).await.is(201);
    assert_eq!(said(&at("/desk"), "").await, "heard from Python");
    assert_eq!(backend.received().messages, 2);
    let path = format!("/apis/{}", api.id);
    let both = async || (admin.traffic(&path).await.from_clients.messages == 2).then_some(());
    until("the traffic of both", PATIENCE, both).await;
}
