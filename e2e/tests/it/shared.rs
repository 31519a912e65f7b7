//! Several gateways and one Redis: they hold every budget together, and go on as was said when Redis is not there.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    backend::Backend,
    client::{Client, Opening},
    portal::Key,
    product::Product,
    programs::redis_server,
    wait::{PATIENCE, minute_with, until},
};

/// What a gateway logs when it begins to share.
const TOGETHER: &str = "budgets are shared with other gateways";
/// And when it no longer does.
const ALONE: &str = "budgets are not shared with other gateways";

/// A Redis of the test's own that keeps nothing.
struct Redis {
    process: Child,
    folder: TempDir,
}

impl Redis {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut redis = Self { process: spawn(folder.path()), folder };
        redis.is_ready().await;
        redis
    }

    /// SIGKILL.
    fn dies(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// A new start, with nothing.
    async fn comes_back_empty(&mut self) {
        self.process = spawn(self.folder.path());
        self.is_ready().await;
    }

    async fn is_ready(&mut self) {
        let socket = self.folder.path().join("socket");
        until("Redis listens", PATIENCE, async || {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "it ended with {ended:?}");
            tokio::net::UnixStream::connect(&socket).await.ok()
        })
        .await;
    }

    fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("socket").display())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have died already; either way it is waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(folder: &Path) -> Child {
    let _ = fs::remove_file(folder.join("socket"));
    let mut command = redis_server();
    command
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
        .arg(folder.join("socket"));
    let log = File::create(folder.join("log")).unwrap();
    command.current_dir(folder).stdin(Stdio::null()).stdout(log).spawn().unwrap()
}

/// Gateways with copies of the same records.
struct Fleet {
    products: [Product; 2],
    key: Key,
    /// The path of the API.
    path: String,
}

impl Fleet {
    /// Two, and one subscription under a plan with so many messages in a minute.
    async fn start(backend: &Backend, per_minute: u64, adjust: impl Fn(&mut Command)) -> Self {
        let mut first = Product::start().await;
        let admin = first.portal.admin().await;
        let limits = json!([{"amount": per_minute, "per": "minute"}]);
        admin.put("/plans/Gold", json!({"name": "Gold", "limits": limits})).await.is(200);
        let api = admin.publish("Together", json!({"production": {"url": backend.url()}})).await;
        let application = admin.application("Together", "Unlimited").await;
        admin.subscribe(&application, &api, "Gold").await;
        let key = admin.key(&application, "production").await;
        first.stop().await;
        let copy = tempfile::tempdir().unwrap();
        copied(&first.data(), &copy.path().join("data"));
        first.start_again_with(&adjust).await;
        let second = Product::start_in_with(copy, adjust).await;
        Self { products: [first, second], key, path: api.path }
    }

    /// A session at one of the gateways.
    async fn opening(&self, gateway: usize) -> Opening {
        let product = &self.products[gateway];
        let granted = product.portal.token(&self.key.client_id, &self.key.secret).await.is(200).json();
        let url = format!("{}{}", product.at.ws, self.path);
        Opening::to(&url).bearer(granted["access_token"].as_str().unwrap())
    }

    /// Returns when administrators are told this of every gateway.
    async fn are_shown(&self, state: &str) {
        for product in &self.products {
            let admin = product.portal.admin().await;
            until(state, PATIENCE, async || {
                let shown = admin.get("/gateways").await.is(200).json();
                let sharing = &shown["items"][0]["sharing"];
                (sharing["state"] == *state).then(|| {
                    assert_eq!(sharing["when_alone"], "share");
                    let together = state == "together";
                    let counted = (sharing["gateways"] == 2, sharing["round_trip_us"].as_u64() > Some(0));
                    assert!(!together || counted == (true, true), "{sharing}");
                    assert!(together || sharing["unanswered"].as_u64() > Some(0), "{sharing}");
                })
            })
            .await;
        }
    }

    /// Returns when every gateway has logged this so many times.
    async fn have_said(&self, words: &str, times: usize) {
        for product in &self.products {
            let said = async || product.logged().matches(words).count() >= times;
            until(words, PATIENCE, async || said().await.then_some(())).await;
        }
    }
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copied(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The reason of the Close of a limit.
async fn refused(client: &mut Client) -> String {
    let (code, reason) = client.closed().await;
    assert_eq!(code, 4429, "{reason}");
    let reason: Value = serde_json::from_str(&reason).unwrap();
    reason["reason"].as_str().unwrap().to_owned()
}

/// Sends until it is closed; answers what passed, in both directions.
async fn talks_until_closed(mut client: Client) -> u64 {
    for number in 0..2_000 {
        if !client.tries(Message::text(format!("message {number}"))).await {
            break;
        }
    }
    assert_eq!(refused(&mut client).await, "quota");
    client.received.messages
}

#[tokio::test]
async fn two_gateways_hold_one_plan_together_exactly() {
    let (redis, backend) = (Redis::start().await, Backend::echo());
    let fleet = Fleet::start(&backend, 20, |command| {
        command.arg("--redis").arg(redis.url());
    });
    let fleet = fleet.await;
    fleet.have_said(TOGETHER, 1).await;
    let (first, second) = (fleet.opening(0).await, fleet.opening(1).await);
    minute_with(25).await;

    let (mut one, mut other) = (first.open().await, second.open().await);
    for number in 0..6 {
        one.echo(&format!("at the first {number}")).await;
    }
    for number in 0..4 {
        other.echo(&format!("at the second {number}")).await;
    }
    // Twenty messages have passed, whichever gateway they came to.
    other.text("one too many").await;
    assert_eq!(refused(&mut other).await, "quota");
    one.text("here, too").await;
    assert_eq!(refused(&mut one).await, "quota");
    backend.is_over().await;
    assert_eq!(backend.received().messages, 10);
    assert_eq!(first.refused().await.problem(), "quota");
}

#[tokio::test]
async fn what_was_used_stays_used_when_redis_is_killed_and_comes_back_empty() {
    let (mut redis, backend) = (Redis::start().await, Backend::echo());
    let fleet = Fleet::start(&backend, 1_000, |command| {
        command.arg("--redis").arg(redis.url());
    });
    let fleet = fleet.await;
    fleet.have_said(TOGETHER, 1).await;
    let (first, second) = (fleet.opening(0).await, fleet.opening(1).await);
    minute_with(25).await;

    let mut one = first.open().await;
    for number in 0..200 {
        one.echo(&format!("before {number}")).await;
    }
    fleet.are_shown("together").await;
    redis.dies();
    fleet.have_said(ALONE, 1).await;
    fleet.are_shown("alone").await;
    // Nobody is held up by that, and the part of a gateway is enough for a while.
    for number in 0..20 {
        one.echo(&format!("alone {number}")).await;
    }
    redis.comes_back_empty().await;
    fleet.have_said(TOGETHER, 2).await;
    let sessions = [&first, &second].map(async |opening| talks_until_closed(opening.open().await).await);
    let [at_first, at_second] = sessions;
    let (at_first, at_second) = tokio::join!(at_first, at_second);
    one.text("whoever has used the most has nothing left, either").await;
    assert_eq!(refused(&mut one).await, "quota");
    backend.is_over().await;
    let passed = backend.received().messages + one.received.messages + at_first + at_second;
    // What is said to be the most: the limit, and a two-hundredth.
    assert!((1_000..=1_005).contains(&passed), "{passed} of 1,000");
}

#[tokio::test]
async fn without_redis_a_closed_gateway_lets_nothing_begin_and_says_why() {
    let (mut redis, backend) = (Redis::start().await, Backend::echo());
    redis.dies();
    let fleet = Fleet::start(&backend, 1_000, |command| {
        command.arg("--redis").arg(redis.url()).args(["--redis-lost", "closed"]);
    });
    let fleet = fleet.await;
    fleet.have_said(ALONE, 1).await;
    let opening = fleet.opening(1).await;
    let answer = opening.refused().await;
    assert_eq!((answer.status, answer.problem().as_str()), (429, "quota"), "{}", answer.text);
    assert!(answer.text.contains("cannot ask the others"), "{}", answer.text);

    redis.comes_back_empty().await;
    fleet.have_said(TOGETHER, 1).await;
    opening.open().await.echo("together again").await;
}
