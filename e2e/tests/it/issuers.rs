//! Tokens of an authorization server of other hands (`oidc-provider`): set up over REST, presented by real clients,
//! through a change of its keys, while it is away, and across a restart of the product.

use std::process::Stdio;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
};

use crate::{
    backend::Backend,
    client::Opening,
    portal::{Api, Person, send},
    product::Product,
    programs::{node, said_behind},
    wait::{PATIENCE, within},
};

const JWT: &str = "https://gateway.example";
const OPAQUE: &str = "https://opaque.example";

/// The issuer's process.
struct Issuer {
    url: String,
    client_id: String,
    secret: String,
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Issuer {
    async fn start() -> Self {
        let mut command = node("issuer.mjs");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = said_behind("issuer: ", &mut lines).await;
        let mut words = said.split(' ').map(str::to_owned);
        let (url, client_id, secret) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        Self { url, client_id, secret, child, input, lines }
    }

    /// A token by client credentials, for this resource.
    async fn token(&self, resource: &str) -> String {
        let asked = plain_http()
            .post(format!("{}/token", self.url))
            .basic_auth(&self.client_id, Some(&self.secret))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("grant_type=client_credentials&scope=read&resource={resource}"));
        let granted = send(asked).await.is(200).json();
        granted["access_token"].as_str().unwrap().to_owned()
    }

    async fn revoke(&self, token: &str) {
        let asked = plain_http()
            .post(format!("{}/token/revocation", self.url))
            .basic_auth(&self.client_id, Some(&self.secret))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("token={token}"));
        send(asked).await.is(200);
    }

    /// It signs with a new key from now on.
    async fn rotate(&mut self) -> String {
        self.input.write_all(b"\n").await.unwrap();
        said_behind("new key: ", &mut self.lines).await
    }

    async fn stop(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// What an administrator sets up for it.
    fn manager(&self) -> Value {
        json!({
            "name": "Theirs", "issuer": self.url, "audiences": [JWT, OPAQUE],
            "keys": {"discovery_url": format!("{}/.well-known/openid-configuration", self.url)},
            "introspection": {"url": format!("{}/token/introspection", self.url),
                "client_id": self.client_id, "client_secret": self.secret},
        })
    }
}

/// For an issuer on this machine, without what the environment says of proxies.
fn plain_http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// An application that is subscribed and has the issuer's client for its own.
async fn provided(admin: &Person<'_>, issuer: &Issuer, manager: &Value, api: &Api) -> String {
    let application = admin.application("Theirs", "Unlimited").await;
    admin.subscribe(&application, api, "Unlimited").await;
    let key = json!({"key_manager": manager["id"], "client_id": issuer.client_id, "type": "production"});
    admin.post(&format!("/applications/{application}/provided-keys"), key).await.is(201);
    application
}

fn kids(manager: &Value) -> Vec<&str> {
    let keys = manager["held"]["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn tokens_of_another_issuer_open_apis_through_a_change_of_keys_and_while_it_is_away() {
    let (mut product, backend, mut issuer) = (Product::start().await, Backend::echo(), Issuer::start().await);
    let manager_path;
    let (first, api) = {
        let admin = product.portal.admin().await;
        let api = admin.publish("Theirs", json!({"production": {"url": backend.url()}})).await;
        let manager = admin.post("/key-managers", issuer.manager()).await.is(201).json();
        assert_eq!(manager["held"]["problem"], Value::Null, "{manager}");
        assert_eq!(kids(&manager).len(), 1);
        manager_path = format!("/key-managers/{}", manager["id"].as_str().unwrap());
        let token = issuer.token(JWT).await;
        // Nobody's client yet.
        let refused = Opening::to(&api.ws).bearer(&token).refused().await;
        assert_eq!((refused.status, refused.problem().as_str()), (401, "credential-revoked"));
        provided(&admin, &issuer, &manager, &api).await;
        Opening::to(&api.ws).bearer(&token).open().await.echo("a JWT").await;
        Opening::to(&api.ws).in_query(&token).open().await.echo("in the query").await;
        let elsewhere = issuer.token("https://elsewhere.example").await;
        let refused = Opening::to(&api.ws).bearer(&elsewhere).refused().await;
        assert_eq!((refused.status, refused.problem().as_str()), (401, "credential-invalid"));

        // A key that nobody here has seen: the gateway asks for it, and the client notices nothing.
        let kid = issuer.rotate().await;
        let next = issuer.token(JWT).await;
        Opening::to(&api.ws).bearer(&next).open().await.echo("with the new key").await;
        Opening::to(&api.ws).bearer(&token).open().await.echo("with the old key").await;
        let held = admin.get(&manager_path).await.is(200).json();
        assert_eq!(kids(&held).first(), Some(&kid.as_str()), "{held}");
        (next, api)
    };
    issuer.stop().await;
    Opening::to(&api.ws).bearer(&first).open().await.echo("while it is away").await;
    product.restart().await;
    let admin = product.portal.admin().await;
    let tried = send(admin.request(Method::POST, &format!("{manager_path}/refresh"))).await.is(200).json();
    assert!(tried["held"]["problem"].as_str().unwrap().contains("nobody answers"), "{tried}");
    let ws = admin.get(&format!("/apis/{}", api.id)).await.is(200).json();
    let api = Api::read(&ws);
    Opening::to(&api.ws).bearer(&first).open().await.echo("after a restart without it").await;
    let away = Opening::to(&api.ws).bearer("an-opaque-token").refused().await;
    assert_eq!((away.status, away.problem().as_str()), (503, "issuer-away"));

    // Switched off, its sessions end.
    let mut session = Opening::to(&api.ws).bearer(&first).open().await;
    let mut off = issuer.manager();
    off.as_object_mut().unwrap().remove("name");
    off["enabled"] = json!(false);
    admin.put(&manager_path, off).await.is(200);
    assert_eq!(session.closed().await, (3000, r#"{"reason":"key_revoked"}"#.to_owned()));
}

#[tokio::test]
async fn opaque_tokens_of_another_issuer_are_asked_about() {
    let (product, backend, issuer) = (Product::start().await, Backend::echo(), Issuer::start().await);
    let admin = product.portal.admin().await;
    let api = admin.publish("Opaque", json!({"production": {"url": backend.url()}})).await;
    let manager = admin.post("/key-managers", issuer.manager()).await.is(201).json();
    provided(&admin, &issuer, &manager, &api).await;
    let token = issuer.token(OPAQUE).await;
    assert!(!token.contains('.'), "it is opaque");
    Opening::to(&api.ws).bearer(&token).open().await.echo("opaque").await;
    let revoked = issuer.token(OPAQUE).await;
    issuer.revoke(&revoked).await;
    for made_up in [revoked.as_str(), "made-up"] {
        let refused = Opening::to(&api.ws).bearer(made_up).refused().await;
        assert_eq!((refused.status, refused.problem().as_str()), (401, "credential-expired"));
    }
    // Neither the token nor the secret is anywhere that people read.
    let read = within("REST", PATIENCE, admin.get("/key-managers")).await.is(200).json().to_string();
    for (secret, what) in [(&issuer.secret, "secret"), (&token, "token")] {
        assert!(!read.contains(secret.as_str()) && !product.logged().contains(secret.as_str()), "{what}");
        for file in std::fs::read_dir(product.data()).unwrap().map(|entry| entry.unwrap().path()) {
            let bytes = if file.is_file() { std::fs::read(&file).unwrap() } else { Vec::new() };
            let is_there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!is_there, "{what} in {}", file.display());
        }
    }
}
