//! Alerts: seen by whom they concern, told on channels until they are taken, and nothing of a channel for anybody else.

use std::{collections::BTreeMap, sync::Arc};

use aws_lc_rs::hmac;
use axum::{body::Body, http::Method};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tidegate_model::{
    fact::Batch,
    holder::{BudgetKey, Holder},
    id::{ApiId, ApplicationId, BootId, SubscriptionId},
    limit::{Limit, Window},
    link::{self, ChannelEnd, Down, GatewayLink as _, Up},
    port::{Clock as _, NoDocument},
    role::Role,
    usage::{Usage, Used},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};
use uuid::Uuid;

use crate::support::{Answer, House, PASSWORD, Person, Told, echo};

const HOOK: &str = "https://hooks.example.com/tidegate";

/// An API under a plan of ten a day, an application that is subscribed to it, and a gateway that counts.
struct Stage {
    house: House,
    admin: Person,
    publisher: Person,
    developer: Person,
    api: Uuid,
    application: Uuid,
    subscription: Uuid,
    gateway: ChannelEnd<Up, Down>,
    told: u64,
}

fn id(made: &Value) -> Uuid {
    made["id"].as_str().unwrap().parse().unwrap()
}

impl Stage {
    async fn new() -> Self {
        let house = House::new().await;
        let admin = house.person("admin", &[Role::Admin]).await;
        let publisher = house.person("pub", &[Role::Publisher]).await;
        let developer = house.person("dev", &[Role::Subscriber]).await;
        let plan = json!({"name": "Ten", "limits": [{"amount": 10, "per": "day"}]});
        house.post(&admin, "/api/v1/plans", plan).await.is(201);
        let mut body = echo();
        (body["plans"], body["publish"]) = (json!(["Ten"]), json!(true));
        let api = id(&house.post(&admin, "/api/v1/apis", body).await.is(201).json());
        let body = json!({"name": "Shop"});
        let application = id(&house.post(&developer, "/api/v1/applications", body).await.is(201).json());
        let body = json!({"application_id": application, "api_id": api, "plan": "Ten"});
        let subscription = id(&house.post(&developer, "/api/v1/subscriptions", body).await.is(201).json());
        let (gateway, end) = link::channel();
        let feeding = house.control.clone();
        tokio::spawn(async move { feeding.feed(Arc::new(end)).await });
        Self { house, admin, publisher, developer, api, application, subscription, gateway, told: 0 }
    }

    /// The gateway tells of so many messages more, and hears that they are on disk.
    async fn used(&mut self, units: u64) {
        self.told += 1;
        let number = self.told;
        let holder = Holder::Subscription {
            id: SubscriptionId(self.subscription),
            application: ApplicationId(self.application),
            api: ApiId(self.api),
        };
        let at = self.house.clock.now();
        let key = BudgetKey { holder, shape: Limit::messages(1, Window::Day).shape() };
        let usage = Usage { key, used: Used::Calendar { window: Window::Day.number(at), units }, at };
        let boot = BootId(Uuid::from_u128(0xb007));
        let batch = Batch { boot, number, counts: Vec::new(), sessions: Vec::new(), usage: vec![usage] };
        // Said twice, as after a link that broke.
        for _ in 0..2 {
            self.gateway.send(Up::Batch(Arc::new(batch.clone()))).await.unwrap();
            loop {
                let Down::BatchStored { number: stored, .. } = self.gateway.next().await.unwrap() else {
                    continue;
                };
                assert_eq!(stored, number);
                break;
            }
        }
    }

    async fn list(&self, person: &Person, query: &str) -> Vec<Value> {
        let found = self.house.get(person, &format!("/api/v1/alerts{query}")).await.is(200).json();
        found["items"].as_array().unwrap().clone()
    }

    /// Its id and secret.
    async fn channel(&self, person: &Person, body: Value) -> (Uuid, Value) {
        let made = self.house.post(person, "/api/v1/alert-channels", body).await.is(201).json();
        (id(&made), made["secret"].clone())
    }

    /// States and problems of what a channel was told, newest first.
    async fn deliveries(&self, channel: Uuid) -> Vec<(String, u64, Value)> {
        let path = format!("/api/v1/alert-channels/{channel}/deliveries");
        let found = self.house.get(&self.admin, &path).await.is(200).json();
        let told = |one: &Value| {
            let state = one["state"].as_str().unwrap().to_owned();
            (state, one["tries"].as_u64().unwrap(), one["problem"].clone())
        };
        found["items"].as_array().unwrap().iter().map(told).collect()
    }

    /// What webhooks were told since the last time.
    async fn told(&self) -> Vec<Told> {
        self.house.control.deliver_due().await;
        std::mem::take(&mut *self.house.hooks.told.lock().await)
    }

    async fn refuse(&self, url: &str, error: Option<NoDocument>) {
        let mut refusing = self.house.hooks.refusing.lock().await;
        match error {
            Some(error) => refusing.insert(url.to_owned(), error),
            None => refusing.remove(url),
        };
    }
}

/// A change by an administrator, based on this.
async fn put(stage: &Stage, path: &str, tag: &str, body: Value) -> Answer {
    let request = House::request(&stage.admin, &Method::PUT, path)
        .header("if-match", tag)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()));
    stage.house.send(request.unwrap()).await
}

fn thresholds(alerts: &[Value]) -> Vec<u64> {
    alerts.iter().map(|alert| alert["threshold"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn an_alert_is_seen_by_whom_it_concerns_and_by_nobody_else() {
    let mut stage = Stage::new().await;
    let other = stage.house.person("other", &[Role::Subscriber]).await;
    let observer = stage.house.person("watch", &[Role::Observer]).await;
    stage.used(7).await;
    assert_eq!(stage.list(&stage.admin, "").await.len(), 0);
    stage.used(1).await;
    for person in [&stage.admin, &stage.publisher, &stage.developer, &observer] {
        let found = stage.list(person, "").await;
        assert_eq!(thresholds(&found), [80]);
        let alert = &found[0];
        assert_eq!(alert["used"], 8);
        assert_eq!(alert["level"], "subscription");
        assert_eq!(alert["policy"], "Ten");
        assert_eq!(alert["application"]["name"], "Shop");
        assert_eq!(alert["api"]["name"], "EchoWebSocket");
        assert_eq!(alert["limit"]["amount"], 10);
        assert_eq!(alert["topic"], Value::Null);
    }
    assert_eq!(stage.list(&other, "").await.len(), 0);
    let nil = Uuid::nil();
    for (query, expected) in [
        (format!("?api_id={}", stage.api), 1),
        (format!("?application_id={}", stage.application), 1),
        (format!("?application_id={nil}"), 0),
    ] {
        assert_eq!(stage.list(&stage.developer, &query).await.len(), expected, "{query}");
    }
    stage.used(2).await;
    assert_eq!(thresholds(&stage.list(&stage.developer, "").await), [100, 80], "the newest first");
}

#[tokio::test]
async fn an_administrator_says_when_alerts_are_made() {
    let stage = Stage::new().await;
    let path = "/api/v1/alerts/settings";
    let is = stage.house.get(&stage.admin, path).await.is(200);
    assert_eq!(is.json(), json!({"thresholds": [80, 100], "windows": ["hour", "day", "month"]}));
    let tag = is.header("etag").to_owned();
    for (body, pointer) in [
        (json!({"thresholds": [0], "windows": []}), "/thresholds/0"),
        (json!({"thresholds": [1, 2, 3, 4, 5, 6], "windows": []}), "/thresholds"),
        (json!({"thresholds": [], "windows": ["day", "second"]}), "/windows/1"),
        (json!({"thresholds": [], "windows": ["fortnight"]}), "/windows/0"),
    ] {
        let refused = put(&stage, path, &tag, body).await.is(400);
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
    }
    let body = json!({"thresholds": [50, 20, 50], "windows": ["month", "minute"]});
    let is = put(&stage, path, &tag, body.clone()).await.is(200).json();
    assert_eq!(is, json!({"thresholds": [20, 50], "windows": ["minute", "month"]}));
    put(&stage, path, &tag, body).await.is(412);
}

/// Whether the request carries the signature that its receiver makes with the secret.
fn is_signed(told: &Told, secret: &Value) -> bool {
    let key = STANDARD.decode(secret.as_str().unwrap().strip_prefix("whsec_").unwrap()).unwrap();
    let header = |name: &str| told.headers[name].clone();
    let signed = format!("{}.{}.{}", header("webhook-id"), header("webhook-timestamp"), told.body);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), signed.as_bytes());
    header("webhook-signature") == format!("v1,{}", STANDARD.encode(tag))
}

#[tokio::test]
async fn a_webhook_is_told_once_and_again_until_it_takes_it() {
    let mut stage = Stage::new().await;
    let of = json!({"kind": "webhook", "url": HOOK, "application_id": stage.application});
    let (channel, secret) = stage.channel(&stage.developer, of).await;
    stage.refuse(HOOK, Some(NoDocument::Refused { status: 503 })).await;
    stage.used(10).await;
    let told = stage.told().await;
    assert_eq!(told.len(), 2, "{told:?}");
    for one in &told {
        assert_eq!(one.url, HOOK);
        assert!(is_signed(one, &secret), "{one:?}");
        let body: Value = serde_json::from_str(&one.body).unwrap();
        assert_eq!(body["type"], "alert");
        assert_eq!(body["data"]["id"], json!(one.headers["webhook-id"]));
        assert_eq!(body["data"]["application"]["name"], "Shop");
    }
    let problem = json!("the answer was 503 instead of 2xx");
    let waiting = ("waiting".to_owned(), 1, problem.clone());
    assert_eq!(stage.deliveries(channel).await, [waiting.clone(), waiting]);
    stage.house.clock.0.fetch_add(4_999, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(stage.told().await, []);
    stage.house.clock.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    stage.refuse(HOOK, None).await;
    let again = stage.told().await;
    let names = |told: &[Told]| {
        let mut names: Vec<_> = told.iter().map(|one| one.headers["webhook-id"].clone()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&again), names(&told), "under the same names");
    assert!(again.iter().all(|one| is_signed(one, &secret)));
    let delivered = ("delivered".to_owned(), 2, Value::Null);
    assert_eq!(stage.deliveries(channel).await, [delivered.clone(), delivered]);
    stage.house.clock.0.fetch_add(40 * 3_600_000, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(stage.told().await, []);
}

#[tokio::test]
async fn a_webhook_that_never_answers_costs_no_other_and_is_given_up_after_a_day() {
    let mut stage = Stage::new().await;
    let dead = "https://dead.example.com/";
    let of = json!({"kind": "webhook", "url": dead, "api_id": stage.api});
    let (given_up, _) = stage.channel(&stage.publisher, of).await;
    let (all, _) = stage.channel(&stage.admin, json!({"kind": "webhook", "url": HOOK})).await;
    stage.refuse(dead, Some(NoDocument::Timeout)).await;
    stage.used(8).await;
    let mut urls: Vec<_> = stage.told().await.into_iter().map(|told| told.url).collect();
    urls.sort();
    assert_eq!(urls, [dead, HOOK]);
    assert_eq!(stage.deliveries(all).await, [("delivered".to_owned(), 1, Value::Null)]);
    let mut tries = 1;
    for _ in 0..48 {
        stage.house.clock.0.fetch_add(3_600_000, std::sync::atomic::Ordering::Relaxed);
        tries += stage.told().await.len();
    }
    assert_eq!(tries, 9, "eight times again");
    // Two days are longer than anybody stays signed in.
    stage.admin = stage.house.signed_in("admin", PASSWORD).await;
    let problem = json!("the answer did not come in time");
    assert_eq!(stage.deliveries(given_up).await, [("given_up".to_owned(), 9, problem)]);
}

#[tokio::test]
async fn a_channel_is_for_those_who_may_make_it_and_tells_no_secret_twice() {
    let stage = Stage::new().await;
    let (house, path) = (&stage.house, "/api/v1/alert-channels");
    let other = house.person("other", &[Role::Subscriber]).await;
    let of = json!({"kind": "webhook", "url": HOOK, "application_id": stage.application});
    house.post(&other, path, of.clone()).await.is(404);
    house.post(&stage.publisher, path, of.clone()).await.is(404);
    house.post(&stage.developer, path, json!({"kind": "webhook", "url": HOOK})).await.is(403);
    let of_api = json!({"kind": "webhook", "url": HOOK, "api_id": stage.api});
    house.post(&stage.developer, path, of_api.clone()).await.is(403);
    for (over, pointer) in [
        (json!({"url": "http://hooks.example.com/"}), "/url"),
        (json!({"url": "https://u:p@hooks.example.com/"}), "/url"),
        (json!({"url": "gopher"}), "/url"),
        (json!({"kind": "pigeon"}), "/kind"),
        (json!({"addresses": ["a@b"]}), "/addresses"),
        (json!({"kind": "email", "url": null}), "/addresses"),
        (json!({"kind": "email", "url": null, "addresses": ["a@b", "x\r\ny@z"]}), "/addresses/1"),
        (json!({"api_id": stage.api}), "/api_id"),
    ] {
        let mut body = of.clone();
        for (name, value) in over.as_object().unwrap() {
            body[name] = value.clone();
        }
        let refused = house.post(&stage.developer, path, body).await.is(400);
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer);
    }
    let (channel, secret) = stage.channel(&stage.developer, of.clone()).await;
    house.post(&stage.developer, path, of).await.is(409);
    let (of_publisher, _) = stage.channel(&stage.publisher, of_api).await;
    let listed = async |person: &Person| {
        let found = house.get(person, path).await.is(200);
        assert!(!found.text.contains("whsec_"), "{}", found.text);
        found.json()["items"].as_array().unwrap().iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(listed(&stage.developer).await, [channel]);
    assert_eq!(listed(&stage.publisher).await, [of_publisher]);
    assert!(listed(&other).await.is_empty());
    assert_eq!(listed(&stage.admin).await, [channel, of_publisher]);
    for place in ["/deliveries", ""] {
        let place = format!("{path}/{channel}{place}");
        let (get, delete) = (Method::GET, Method::DELETE);
        let method = if place.ends_with("deliveries") { get } else { delete };
        house.call(&other, method, &place, None).await.is(404);
    }
    house.post(&other, &format!("{path}/{channel}/test"), json!({})).await.is(404);
    let test =
        house.post(&stage.developer, &format!("{path}/{channel}/test"), json!({})).await.is(200).json();
    assert_eq!(test, json!({"taken": true, "problem": null}));
    let told = stage.told().await;
    assert!(is_signed(&told[0], &secret) && told[0].body.contains(r#""type":"test""#), "{told:?}");
    let audit = house.get(&stage.admin, "/api/v1/audit?kind=alert").await.is(200);
    assert_eq!(audit.json()["items"].as_array().unwrap().len(), 2);
    let first = audit.json()["items"][1]["number"].as_u64().unwrap();
    let detail = house.get(&stage.admin, &format!("/api/v1/audit/{first}")).await.is(200);
    assert!(detail.text.contains(HOOK) && !detail.text.contains("whsec_"), "{}", detail.text);
    house.call(&stage.developer, Method::DELETE, &format!("{path}/{channel}"), None).await.is(204);
    assert!(listed(&stage.developer).await.is_empty());
}

/// A mail server of one mail: answers what it was told, line by line, and takes it or not.
async fn mail_server(takes: bool) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.into_split();
        let (mut lines, mut said, mut is_data) = (BufReader::new(read).lines(), Vec::new(), false);
        write.write_all(b"220 here\r\n").await.unwrap();
        while let Some(line) = lines.next_line().await.unwrap() {
            let answer = match line.as_str() {
                "." => {
                    is_data = false;
                    "250 taken"
                }
                _ if is_data => "",
                "DATA" => {
                    is_data = true;
                    "354 go on"
                }
                "QUIT" => "221 bye",
                line if line.starts_with("RCPT") && !takes => "550 nobody of that name",
                line if line.starts_with("EHLO") => "250-here\r\n250 AUTH PLAIN",
                line if line.starts_with("AUTH") => "235 welcome",
                _ => "250 fine",
            };
            said.push(line);
            if !answer.is_empty() && write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                break;
            }
        }
        said
    });
    (port, serving)
}

async fn set_mail(stage: &Stage, port: u16, password: Option<&str>) {
    let tag = stage.house.get(&stage.admin, "/api/v1/mail").await.is(200).header("etag").to_owned();
    let mut server = json!({"host": "127.0.0.1", "port": port, "security": "none", "username": "tide",
        "from": "tidegate@example.com"});
    if let Some(password) = password {
        server["password"] = json!(password);
    }
    let set = put(stage, "/api/v1/mail", &tag, json!({"server": server})).await.is(200);
    assert_eq!(set.json()["server"]["has_password"], true);
    assert!(!set.text.contains("tide-and-gate"), "{}", set.text);
}

#[tokio::test]
async fn an_alert_is_mailed_where_there_is_a_server_and_says_why_where_there_is_none() {
    let mut stage = Stage::new().await;
    let of = json!({"kind": "email", "addresses": ["ada@example.com", "ops@example.com"],
        "application_id": stage.application});
    let (channel, secret) = stage.channel(&stage.developer, of).await;
    assert_eq!(secret, Value::Null);
    stage.used(8).await;
    stage.told().await;
    let [(state, tries, problem)] = &stage.deliveries(channel).await[..] else { panic!("one alert") };
    assert_eq!((state.as_str(), *tries), ("waiting", 1));
    assert!(problem.as_str().unwrap().contains("no mail server is set"), "{problem}");

    let (port, serving) = mail_server(true).await;
    set_mail(&stage, port, Some("tide-and-gate")).await;
    stage.house.clock.0.fetch_add(5_000, std::sync::atomic::Ordering::Relaxed);
    stage.told().await;
    assert_eq!(stage.deliveries(channel).await, [("delivered".to_owned(), 2, Value::Null)]);
    let said = serving.await.unwrap();
    // Lines that are too long for a mail are folded.
    let mail = said.join("\n").replace("=\n", "");
    for line in [
        "MAIL FROM:<tidegate@example.com>",
        "RCPT TO:<ada@example.com>",
        "RCPT TO:<ops@example.com>",
        "Subject: Tidegate: 80 % of Ten used by Shop on EchoWebSocket 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Shop on EchoWebSocket 1.0 has used 8 of 10 messages per day (80 %), by the plan Ten.",
    ] {
        assert!(mail.contains(line), "{line}\n{mail}");
    }
    let login = format!("AUTH PLAIN {}", STANDARD.encode("\0tide\0tide-and-gate"));
    assert!(said.contains(&login), "{said:?}");

    // The password stays where nothing is given, and a refusal is told.
    let (port, serving) = mail_server(false).await;
    let refused = put(
        &stage,
        "/api/v1/mail",
        "*",
        json!({"server": {
        "host": "smtp.example.com", "port": port, "security": "none", "username": "tide", "password": "x",
        "from": "tidegate@example.com"}}),
    );
    assert_eq!(refused.await.is(400).json()["errors"][0]["pointer"], "/server/security");
    set_mail(&stage, port, Some("tide-and-gate")).await;
    let test = stage.house.post(&stage.admin, "/api/v1/mail/test", json!({"to": "ada@example.com"}));
    let test = test.await.is(200).json();
    assert_eq!(test, json!({"taken": false, "problem": "the mail server refused it with 550"}));
    serving.await.unwrap();
    let tag = stage.house.get(&stage.admin, "/api/v1/mail").await.header("etag").to_owned();
    let gone = put(&stage, "/api/v1/mail", &tag, json!({"server": null})).await.is(200);
    assert_eq!(gone.json(), json!({"server": null}));
    let audit = stage.house.get(&stage.admin, "/api/v1/audit?kind=alert").await.is(200).json();
    let actions: BTreeMap<_, _> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["action"].as_str().unwrap(), entry["number"].as_u64().unwrap()))
        .collect();
    let path = format!("/api/v1/audit/{}", actions["set the mail server"]);
    let detail = stage.house.get(&stage.admin, &path).await.is(200);
    assert!(detail.text.contains("127.0.0.1") && !detail.text.contains("tide-and-gate"), "{}", detail.text);
}
