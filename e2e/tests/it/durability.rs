//! Durability: the process is killed at random moments, and whatever was answered 2xx is there afterwards.
//!
//! The moments come from a seed that is printed; `TIDEGATE_E2E_SEED` plays it again.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;
use tokio::{sync::Notify, time::sleep};

use crate::{
    portal::{Answer, Person, send},
    product::{Product, json, kill_while_starting},
};

/// Kills in one run.
const KILLS: usize = 6;
/// Who writes at once.
const WRITERS: usize = 4;

/// Splitmix: a few good bits from a seed.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let given = std::env::var("TIDEGATE_E2E_SEED").ok();
        let seed = given.map_or_else(|| RandomState::new().hash_one(0), |seed| seed.parse().unwrap());
        println!("TIDEGATE_E2E_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % bound
    }
}

/// What was answered 2xx.
#[derive(Default)]
struct Acknowledged {
    paths: Mutex<Vec<String>>,
    count: AtomicUsize,
    more: Notify,
}

impl Acknowledged {
    fn add(&self, kind: &str, answer: &Answer) {
        let id = answer.json()["id"].as_str().unwrap().to_owned();
        self.paths.lock().unwrap().push(format!("/{kind}/{id}"));
        self.count.fetch_add(1, Ordering::Relaxed);
        self.more.notify_one();
    }

    async fn reach(&self, count: usize) {
        while self.count.load(Ordering::Relaxed) < count {
            self.more.notified().await;
        }
    }
}

/// Creates until nobody answers any more.
async fn write(person: &Person<'_>, name: String, acknowledged: &Acknowledged) {
    for number in 0.. {
        let endpoints = json!({"production": {"url": "ws://localhost:1"}});
        let api = json!({"name": format!("{name}-{number}"), "context": format!("/{name}-{number}"),
            "version": "1", "endpoints": endpoints, "plans": ["Gold"], "publish": true});
        let application = json!({"name": format!("{name} {number}")});
        for (kind, body) in [("apis", api), ("applications", application)] {
            let request = person.request(reqwest::Method::POST, &format!("/{kind}")).json(&body);
            match crate::portal::try_send(request).await {
                Some(answer) => acknowledged.add(kind, &answer.is(201)),
                None => return,
            }
        }
    }
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill_at_any_moment() {
    let mut random = Random::new();
    let mut product = Product::start().await;
    let acknowledged = Acknowledged::default();
    let mut target = 0;
    for round in 0..KILLS {
        target = acknowledged.count.load(Ordering::Relaxed).max(target)
            + 1
            + usize::try_from(random.below(60)).unwrap();
        let moment = Duration::from_micros(random.below(10_000));
        let admin = product.portal.admin().await;
        let writers = (0..WRITERS).map(|writer| write(&admin, format!("r{round}w{writer}"), &acknowledged));
        let process = product.process();
        let killer = async {
            acknowledged.reach(target).await;
            // The moment is what is random here, between the answers of several writers.
            sleep(moment).await;
            process.kill();
        };
        futures_util::future::join(join_all(writers), killer).await;
        product.kill();
        product.start_again().await;
    }

    let admin = product.portal.admin().await;
    let paths = acknowledged.paths.lock().unwrap().clone();
    assert!(paths.len() > KILLS, "hardly anything was written: {}", paths.len());
    for path in &paths {
        let found = admin.get(path).await;
        assert_eq!(found.status, 200, "{path} was answered 2xx and is gone");
    }
    // What was not answered may be there or not, but never in half.
    let mut cursor = String::new();
    let mut listed = 0;
    loop {
        let page = admin.get(&format!("/apis?limit=200{cursor}")).await.is(200).json();
        for api in page["items"].as_array().unwrap() {
            assert_eq!(api["state"], "published", "half of create and publish: {api}");
            listed += 1;
        }
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let answered = paths.iter().filter(|path| path.starts_with("/apis")).count();
    assert!(
        listed > answered && listed <= answered + 1 + KILLS * WRITERS,
        "{listed} listed, {answered} answered"
    );
}

#[tokio::test]
async fn a_first_start_that_is_killed_is_finished_by_the_next() {
    let mut random = Random::new();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for _ in 0..8 {
        kill_while_starting(&data, Duration::from_millis(random.below(500))).await;
    }
    // Whatever a cut start has promised its owner holds.
    let promised = json(&data.join("first-start.json")).unwrap_or_default();
    let product = Product::start_in(folder).await;
    let users = product.first_start()["users"].as_object().unwrap().clone();
    assert_eq!(users.len(), 4, "{users:?}");
    for (name, user) in &users {
        product.portal.sign_in(name, user["password"].as_str().unwrap()).await.is(200);
        if let Some(password) = promised["users"][name]["password"].as_str() {
            assert_eq!(user["password"], password, "{name}");
        }
    }
    let admin = product.portal.admin().await;
    let apis = admin.get("/apis").await.is(200).json();
    assert_eq!(apis["items"].as_array().unwrap().len(), 1, "one demo API: {apis}");
    let applications = send(admin.request(reqwest::Method::GET, "/applications")).await.is(200).json();
    assert_eq!(applications["items"].as_array().unwrap().len(), 1, "one demo application: {applications}");
}
