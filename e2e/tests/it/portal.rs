//! The portal's REST API, as a script uses it: a personal access token per person, JSON in and out.
//!
//! Whoever is needed signs in once, with the password of `first-start.json`, and makes a token. A change is answered
//! when gateways decide with it, so nothing here waits after a 2xx.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use reqwest::{Certificate, Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::product::json as file;

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The last word of the problem's type; it must be a problem document that tells all it should.
    pub(crate) fn problem(&self) -> String {
        problem(self.status, self.header("content-type"), &self.text)
    }

    /// The pointers of the fields that the problem names.
    pub(crate) fn fields(&self) -> Vec<String> {
        let document = self.json();
        let errors = document["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    }
}

/// Checks a problem document (RFC 9457) and answers the last word of its type.
pub(crate) fn problem(status: u16, content_type: &str, text: &str) -> String {
    assert_eq!(content_type, "application/problem+json", "{text}");
    let document: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(document["status"], status, "{text}");
    for name in ["type", "title", "detail", "instance"] {
        assert!(document[name].as_str().is_some_and(|text| !text.is_empty()), "{name} is missing: {text}");
    }
    document["type"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

/// The REST API of one product.
#[derive(Default)]
pub(crate) struct Portal {
    origin: String,
    data: PathBuf,
    http: reqwest::Client,
    /// Personal access tokens by user name; they outlive restarts.
    tokens: Mutex<HashMap<String, String>>,
}

impl Portal {
    /// The product answers at this origin and with this certificate from now on.
    pub(crate) fn move_to(&mut self, origin: &str, data: &Path, certificate: &Path) {
        let pem = fs::read(certificate).unwrap();
        let trusted = Certificate::from_pem_bundle(&pem).unwrap();
        self.http = reqwest::Client::builder().tls_certs_only(trusted).no_proxy().build().unwrap();
        origin.clone_into(&mut self.origin);
        data.clone_into(&mut self.data);
    }

    /// Where the portal answers; the issuer of tokens.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// A request to be completed.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.origin))
    }

    /// A GET as nobody; `None` where nobody answers.
    pub(crate) async fn probe(&self, path: &str) -> Option<Answer> {
        read(self.request(Method::GET, path)).await.ok()
    }

    /// A GET as nobody.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// Tries to sign in.
    pub(crate) async fn sign_in(&self, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password});
        send(self.request(Method::POST, "/api/v1/session").json(&body)).await
    }

    /// A token for a key, asked for as RFC 6749 says.
    pub(crate) async fn token(&self, client_id: &str, secret: &str) -> Answer {
        let request = self.request(Method::POST, "/oauth2/token").basic_auth(client_id, Some(secret));
        send(request.form(&[("grant_type", "client_credentials")])).await
    }

    /// The generated password of a user of the first start.
    pub(crate) fn password(&self, username: &str) -> String {
        let noted = file(&self.data.join("first-start.json")).unwrap();
        noted["users"][username]["password"].as_str().expect("a noted password").to_owned()
    }

    /// Holds all roles.
    pub(crate) async fn admin(&self) -> Person<'_> {
        self.person("admin").await
    }

    /// A user of the first start: `admin`, `creator`, `publisher` or `developer`.
    pub(crate) async fn person(&self, username: &str) -> Person<'_> {
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.get(username) {
            return Person { portal: self, token: token.clone() };
        }
        let signed_in = self.sign_in(username, &self.password(username)).await.is(200);
        let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
        let csrf = signed_in.json()["csrf_token"].as_str().unwrap().to_owned();
        let person = self.with_token(&cookie, &csrf).await;
        tokens.insert(username.to_owned(), person.token.clone());
        person
    }

    /// Whoever is signed in with this cookie, by a new token.
    pub(crate) async fn with_token(&self, cookie: &str, csrf: &str) -> Person<'_> {
        let request = self.request(Method::POST, "/api/v1/tokens").header("cookie", cookie);
        let request = request.header("x-csrf-token", csrf).json(&json!({"name": "black box"}));
        let token = send(request).await.is(201).json()["token"].as_str().unwrap().to_owned();
        Person { portal: self, token }
    }
}

/// Sends, and reads the whole answer.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    read(request).await.unwrap()
}

/// The same where the process may die meanwhile: `None` where no whole answer came.
pub(crate) async fn try_send(request: RequestBuilder) -> Option<Answer> {
    read(request).await.ok()
}

async fn read(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer { status, headers, text: response.text().await? })
}

/// Someone who calls REST with a personal access token.
#[derive(Clone)]
pub(crate) struct Person<'p> {
    portal: &'p Portal,
    token: String,
}

impl Person<'_> {
    /// What this person presents, for other people's programs.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// A request to be completed.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.portal.request(method, &format!("/api/v1{path}")).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// Replaces what is at `path` as it is now.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        let etag = self.get(path).await.is(200).header("etag").to_owned();
        send(self.request(Method::PUT, path).header("if-match", etag).json(&body)).await
    }

    /// Moves an API through its lifecycle.
    pub(crate) async fn lifecycle(&self, api: &str, event: &str) -> Answer {
        self.post(&format!("/apis/{api}/lifecycle"), json!({"event": event})).await
    }

    /// Makes the working copy live.
    pub(crate) async fn deploy(&self, api: &str) -> Answer {
        send(self.request(Method::POST, &format!("/apis/{api}/deployments"))).await
    }

    /// Creates and publishes an API in one call, with every plan of messages.
    pub(crate) async fn publish(&self, name: &str, endpoints: Value) -> Api {
        let context = format!("/{}", name.to_lowercase());
        let made = self.post(
            "/apis",
            json!({"name": name, "context": context, "version": "1.0", "endpoints": endpoints,
                "plans": ["Unlimited", "Bronze", "Silver", "Gold"], "publish": true}),
        );
        Api::read(&made.await.is(201).json())
    }

    /// An application with this policy.
    pub(crate) async fn application(&self, name: &str, policy: &str) -> String {
        id(&self.post("/applications", json!({"name": name, "policy": policy})).await.is(201).json())
    }

    /// Subscribes, and answers the subscription.
    pub(crate) async fn subscribe(&self, application: &str, api: &Api, plan: &str) -> String {
        let body = json!({"application_id": application, "api_id": api.id, "plan": plan});
        id(&self.post("/subscriptions", body).await.is(201).json())
    }

    /// The application's key, `production` or `sandbox`, and a token for it.
    pub(crate) async fn key(&self, application: &str, kind: &str) -> Key {
        let path = format!("/applications/{application}/keys");
        let made = self.post(&path, json!({"type": kind})).await.is(201).json();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let (client_id, secret) = (text("client_id"), text("client_secret"));
        let granted = self.portal.token(&client_id, &secret).await.is(200).json();
        Key { client_id, secret, token: granted["access_token"].as_str().unwrap().to_owned() }
    }

    /// Everything a developer does: application, subscription, key, token.
    pub(crate) async fn access(&self, name: &str, api: &Api, plan: &str) -> Access {
        let application = self.application(name, "Unlimited").await;
        let subscription = self.subscribe(&application, api, plan).await;
        let Key { client_id, token, .. } = self.key(&application, "production").await;
        Access { application, subscription, client_id, token }
    }

    /// The traffic of an API or an application, by its path.
    pub(crate) async fn traffic(&self, of: &str) -> Traffic {
        let found = self.get(&format!("{of}/traffic")).await.is(200).json();
        let count = |name: &str| found["totals"][name].as_u64().unwrap();
        Traffic {
            open: found["sessions_open"].as_u64().unwrap(),
            sessions: count("sessions"),
            refusals: count("refusals"),
            from_clients: Count {
                messages: count("messages_from_clients"),
                bytes: count("bytes_from_clients"),
            },
            from_backends: Count {
                messages: count("messages_from_backends"),
                bytes: count("bytes_from_backends"),
            },
        }
    }
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// An API, as far as a client needs it.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) id: String,
    pub(crate) ws: String,
    pub(crate) wss: String,
    /// `/{context}/{version}`.
    pub(crate) path: String,
}

impl Api {
    pub(crate) fn read(api: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let path = format!("{}/{}", text(&api["context"]), text(&api["version"]));
        Self { id: id(api), ws: text(&api["urls"]["ws"]), wss: text(&api["urls"]["wss"]), path }
    }
}

/// A key with its secret and a token for it.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) client_id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
}

/// What a developer has after the wizard.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) application: String,
    pub(crate) subscription: String,
    pub(crate) client_id: String,
    pub(crate) token: String,
}

/// Messages and their payload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Count {
    pub(crate) fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }
}

/// What the traffic page shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    pub(crate) open: u64,
    pub(crate) sessions: u64,
    pub(crate) refusals: u64,
    pub(crate) from_clients: Count,
    pub(crate) from_backends: Count,
}
