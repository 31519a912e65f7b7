//! A control plane to call: fixed clock, counting randomness, real SQLite in a temporary folder, and people.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tidegate_control::{Asset, Control, Peer, Ports, Settings, hash_password};
use tidegate_model::{
    command::Command,
    forwarded::TrustedProxies,
    id::UserId,
    link::{self, ChannelEnd, Down, GatewayLink as _, Up},
    opaque::OpaqueTokenFacts,
    port::{
        Catalog as _, Clock, ConsoleDoor, Documents, Entropy, Messenger, NoDocument, PortError, Post, Probe,
        ProbeReport, ProbeRequest, ProbeStep, ProbeStepReport, Question,
    },
    revocation::Revocation,
    role::Role,
    snapshot::Snapshot,
    ticket,
    time::Timestamp,
    user::{Account, Actor, Secret, User},
};
use tidegate_store::SqliteCatalog;
use tokio::sync::{Mutex, mpsc, watch};
use tower::ServiceExt as _;

pub(crate) const ORIGIN: &str = "https://localhost:9443";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

#[derive(Debug)]
pub(crate) struct FixedClock(pub(crate) AtomicI64);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // Splitmix: distinct for every call, the same in every run.
            let mut word = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_be_bytes()[..chunk.len()]);
        }
    }
}

struct Answering;

#[async_trait::async_trait]
impl Probe for Answering {
    async fn probe(&self, _: ProbeRequest) -> ProbeReport {
        let step = ProbeStepReport {
            step: ProbeStep::Parse,
            ok: true,
            micros: 1_500,
            detail: "Understood.".to_owned(),
        };
        ProbeReport { steps: vec![step], advice: None }
    }
}

/// Hands the far ends of opened streams to the test.
#[derive(Default)]
pub(crate) struct Door(pub(crate) Mutex<Vec<UnixStream>>);

#[async_trait::async_trait]
impl ConsoleDoor for Door {
    async fn open(&self, _: SocketAddr) -> Result<UnixStream, PortError> {
        let (near, far) = UnixStream::pair().map_err(|error| PortError::unavailable("no stream", error))?;
        self.0.lock().await.push(far);
        Ok(near)
    }
}

/// Documents of other issuers, and how often each was asked for.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<BTreeMap<String, Place>>, Mutex<Vec<BTreeMap<String, String>>>);

/// A document, and how often it was asked for.
type Place = (Result<String, NoDocument>, usize);

impl Shelf {
    pub(crate) async fn put(&self, url: &str, document: Result<&str, NoDocument>) {
        let mut shelf = self.0.lock().await;
        let place = shelf.entry(url.to_owned()).or_insert((Err(NoDocument::Unreachable), 0));
        place.0 = document.map(str::to_owned);
    }

    /// The form that was asked with last, and what the client proved itself with.
    pub(crate) async fn last_form(&self) -> BTreeMap<String, String> {
        self.1.lock().await.last().cloned().unwrap_or_default()
    }

    pub(crate) async fn asked(&self, url: &str) -> usize {
        self.0.lock().await.get(url).map_or(0, |place| place.1)
    }
}

#[async_trait::async_trait]
impl Documents for Shelf {
    async fn document_for(
        &self,
        bearer: &Secret,
        url: &str,
        bytes_max: usize,
    ) -> Result<Vec<u8>, NoDocument> {
        self.document(&format!("{url} for {}", bearer.0), bytes_max).await
    }

    async fn answer(&self, question: &Question<'_>, bytes_max: usize) -> Result<Vec<u8>, NoDocument> {
        let form = question.form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let proof = (question.client_id, question.client_secret.0.as_str());
        let proof = [("client_id", proof.0), ("client_secret", proof.1)];
        let proof = proof.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.1.lock().await.push(form.chain(proof).collect());
        self.document(&format!("{} by form", question.url), bytes_max).await
    }

    async fn document(&self, url: &str, bytes_max: usize) -> Result<Vec<u8>, NoDocument> {
        let mut shelf = self.0.lock().await;
        let (document, asked) = shelf.get_mut(url).ok_or(NoDocument::Refused { status: 404 })?;
        *asked += 1;
        let document = document.clone()?;
        if document.len() > bytes_max { Err(NoDocument::Malformed) } else { Ok(document.into_bytes()) }
    }
}

/// A request that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) url: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// Webhooks: what each answers, and what they were told.
#[derive(Default)]
pub(crate) struct Hooks {
    /// What all but those that are not here are answered with.
    pub(crate) refusing: Mutex<BTreeMap<String, NoDocument>>,
    pub(crate) told: Mutex<Vec<Told>>,
    under_way: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl Messenger for Hooks {
    async fn post(&self, post: &Post<'_>) -> Result<(), NoDocument> {
        let url = post.url.to_owned();
        assert!(!self.under_way.lock().await.contains(&url), "two requests at once");
        self.under_way.lock().await.push(url.clone());
        tokio::task::yield_now().await;
        let headers = post.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let told = Told { url: url.clone(), headers: headers.collect(), body: post.body.to_owned() };
        self.told.lock().await.push(told);
        self.under_way.lock().await.retain(|other| *other != url);
        self.refusing.lock().await.get(&url).map_or(Ok(()), |error| Err(*error))
    }
}

pub(crate) struct House {
    pub(crate) control: Control,
    pub(crate) catalog: SqliteCatalog,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) door: Arc<Door>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) hooks: Arc<Hooks>,
    gateway: ChannelEnd<Up, Down>,
    /// What the gateway was told has ended.
    pub(crate) revoked: Arc<Mutex<Vec<Revocation>>>,
    decides: watch::Sender<Arc<Snapshot>>,
    /// How many snapshots it was sent.
    pub(crate) snapshots: Arc<AtomicU64>,
    /// The opaque tokens that it was told of, as often as it was.
    pub(crate) tokens: Arc<Mutex<Vec<OpaqueTokenFacts>>>,
    /// What it is answered about tickets.
    answers: Mutex<mpsc::UnboundedReceiver<(u64, ticket::Answer)>>,
    _folder: tempfile::TempDir,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The word of the problem's kind.
    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }
}

/// Someone who calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Person {
    cookie: String,
    csrf: String,
    token: String,
}

impl Person {
    /// Whom an answer with a cookie signed in.
    pub(crate) fn of(answer: &Answer) -> Self {
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        Self { cookie, csrf: answer.json()["csrf_token"].as_str().unwrap().to_owned(), token: String::new() }
    }

    /// Who holds this cookie, and the token that belongs to it.
    pub(crate) fn with(cookie: &str, csrf: &str) -> Self {
        Self { cookie: cookie.to_owned(), csrf: csrf.to_owned(), token: String::new() }
    }

    /// Somebody who presents a personal access token.
    pub(crate) fn bearing(token: &str) -> Self {
        Self { token: token.to_owned(), ..Self::default() }
    }
}

/// A portal of one page.
fn portal(path: &str) -> Option<Asset> {
    (path == "index.html").then(|| Asset {
        bytes: b"<!doctype html>".as_slice().into(),
        content_type: "text/html; charset=utf-8".to_owned(),
        etag: "page".to_owned(),
    })
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::after([]).await
    }

    /// On records where this was done before.
    pub(crate) async fn after(before: impl IntoIterator<Item = Command>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = SqliteCatalog::open(&folder.path().join("tidegate.db")).await.unwrap();
        for command in before {
            catalog.execute(&Actor::product(), Timestamp(1), command).await.unwrap();
        }
        let clock = Arc::new(FixedClock(AtomicI64::new(1_800_000_000_000)));
        let (door, shelf, hooks) = (Arc::<Door>::default(), Arc::<Shelf>::default(), Arc::<Hooks>::default());
        let ports = Ports {
            catalog: Arc::new(catalog.clone()),
            events: Arc::new(catalog.clone()),
            clock: clock.clone(),
            entropy: Arc::new(Counting(AtomicU64::new(1))),
            probe: Arc::new(Answering),
            outbox: Arc::new(catalog.clone()),
            documents: shelf.clone(),
            messenger: hooks.clone(),
            console: door.clone(),
        };
        let settings = Settings {
            host: "localhost".to_owned(),
            version: "0.0.0".to_owned(),
            portal_url: ORIGIN.to_owned(),
            ws_url: "ws://localhost:9099".to_owned(),
            wss_url: "wss://localhost:8099".to_owned(),
            issuer: ORIGIN.to_owned(),
            echo_url: None,
            demo: false,
            keys: tidegate_control::KeySettings::default(),
            trusted: TrustedProxies::default(),
            client_cert: true,
            gateway_problems: vec![("quota", "The limit of the plan is reached")],
        };
        let control = Control::start(ports, settings, Arc::new(portal)).await.unwrap();
        let (gateway, end) = link::channel();
        let feeding = control.clone();
        tokio::spawn(async move { feeding.feed(Arc::new(end)).await });
        let (answered, answers) = mpsc::unbounded_channel();
        let house = Self {
            control,
            catalog,
            clock,
            door,
            shelf,
            hooks,
            gateway,
            revoked: Arc::default(),
            decides: watch::Sender::default(),
            snapshots: Arc::default(),
            tokens: Arc::default(),
            answers: Mutex::new(answers),
            _folder: folder,
        };
        house.play_gateway(answered);
        house
    }

    /// A gateway that applies every snapshot, and obeys every revocation, at once.
    fn play_gateway(&self, answered: mpsc::UnboundedSender<(u64, ticket::Answer)>) {
        let (link, told, decides) = (self.gateway.clone(), Arc::clone(&self.revoked), self.decides.clone());
        let (snapshots, tokens) = (Arc::clone(&self.snapshots), Arc::clone(&self.tokens));
        tokio::spawn(async move {
            while let Ok(message) = link.next().await {
                let answer = match message {
                    Down::Snapshot(snapshot) => {
                        let number = snapshot.number();
                        decides.send_replace(snapshot);
                        snapshots.fetch_add(1, Ordering::Relaxed);
                        Up::Applied { number }
                    }
                    Down::OpaqueTokens(some) => {
                        let number = some.last().map_or(0, |last| last.number);
                        tokens.lock().await.extend(some.iter().cloned());
                        Up::OpaqueTokens { number }
                    }
                    Down::Revoked(some) => {
                        let number = some.last().map_or(0, |last| last.number);
                        told.lock().await.extend(some.iter().cloned());
                        Up::Revoked { number }
                    }
                    Down::Answer { number, answer } => {
                        // A house that nobody lives in any more wants no answers.
                        let _ = answered.send((number, answer));
                        continue;
                    }
                    Down::BatchStored { .. } | Down::Used(_) => continue,
                };
                if link.send(answer).await.is_err() {
                    return;
                }
            }
        });
    }

    /// Waits until the gateway decides with a snapshot like this.
    pub(crate) async fn until_snapshot(&self, is_it: impl Fn(&Snapshot) -> bool) {
        let mut decides = self.decides.subscribe();
        let waiting = decides.wait_for(|snapshot| is_it(snapshot));
        drop(
            tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it comes in time").unwrap(),
        );
    }

    /// What the gateway is answered that asks these at once, in the order of the questions.
    pub(crate) async fn gateway_asks(&self, asks: Vec<ticket::Ask>) -> Vec<ticket::Answer> {
        let mut answers = vec![None; asks.len()];
        for (number, ask) in (0..).zip(asks) {
            self.gateway_says(Up::Ask { number, ask }).await;
        }
        let mut incoming = self.answers.lock().await;
        while answers.iter().any(Option::is_none) {
            let next = tokio::time::timeout(Duration::from_secs(30), incoming.recv()).await;
            let (number, answer) = next.expect("an answer comes").expect("the gateway is there");
            let place = &mut answers[usize::try_from(number).unwrap()];
            assert_eq!(place.replace(answer), None, "one answer to each question");
        }
        answers.into_iter().flatten().collect()
    }

    /// What a gateway sends up.
    pub(crate) async fn gateway_says(&self, message: Up) {
        self.gateway.send(message).await.unwrap();
    }

    pub(crate) async fn person(&self, name: &str, roles: &[Role]) -> Person {
        let roles = roles.iter().copied().collect();
        let user = User::new(UserId(uuid::Uuid::new_v4()), name.to_owned(), roles, self.clock.now());
        let account = Account { user, password_hash: Secret(hash_password(PASSWORD, [7; 16]).unwrap()) };
        self.catalog
            .execute(&Actor::product(), self.clock.now(), Command::CreateUser(account))
            .await
            .unwrap();
        self.signed_in(name, PASSWORD).await
    }

    /// Who signs in with this password, which is right.
    pub(crate) async fn signed_in(&self, name: &str, password: &str) -> Person {
        let body = json!({"username": name, "password": password});
        Person::of(&self.post(&Person::default(), "/api/v1/session", body).await.is(200))
    }

    /// These roles and this state for a user, whatever was before.
    /// The id of the user of this name.
    pub(crate) async fn id_of(&self, admin: &Person, name: &str) -> String {
        let found = self.get(admin, &format!("/api/v1/users?q={name}")).await.is(200).json();
        found["items"][0]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn change_user(&self, admin: &Person, id: &str, roles: &[&str], state: &str) -> Answer {
        let request = Self::request(admin, &Method::PUT, &format!("/api/v1/users/{id}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::IF_MATCH, "*");
        let body = json!({"roles": roles, "state": state}).to_string();
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    pub(crate) fn request(person: &Person, method: &Method, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder().method(method).uri(path);
        if !person.cookie.is_empty() {
            request = request.header(header::COOKIE, &person.cookie).header("x-csrf-token", &person.csrf);
        }
        if !person.token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", person.token));
        }
        request
    }

    /// A sign-in from this address.
    pub(crate) async fn try_from(&self, address: [u8; 4], name: &str, password: &str) -> Answer {
        let body = json!({"username": name, "password": password}).to_string();
        let mut request = Self::request(&Person::default(), &Method::POST, "/api/v1/session")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap();
        request.extensions_mut().insert(Peer(SocketAddr::from((address, 5_000))));
        self.send(request).await
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer(SocketAddr::from(([127, 0, 0, 1], 5_000))));
        }
        let response = self.control.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn call(
        &self,
        person: &Person,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let request = Self::request(person, &method, path);
        let request = match body {
            Some(body) => {
                request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
            }
            None => request.body(Body::empty()),
        };
        self.send(request.unwrap()).await
    }

    pub(crate) async fn get(&self, person: &Person, path: &str) -> Answer {
        self.call(person, Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, person: &Person, path: &str, body: Value) -> Answer {
        self.call(person, Method::POST, path, Some(body)).await
    }
}

/// A complete API to be made.
pub(crate) fn echo() -> Value {
    json!({"name": "EchoWebSocket", "context": "/echowebsocket", "version": "1.0",
        "endpoints": {"production": {"url": "ws://localhost:9098"}}, "plans": ["Gold", "Silver"]})
}
