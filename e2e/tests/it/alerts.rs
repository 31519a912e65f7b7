//! Alerts: one for each threshold, also over a kill, told to a webhook whose receiver checks the signature as the guide says.

use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

use crate::{
    backend::Backend,
    product::Product,
    programs::python,
    quota::{Subscribed, opening},
    wait::{PATIENCE, until, within},
};

/// A request as a webhook got it.
#[derive(Debug, Clone)]
struct Told {
    headers: BTreeMap<String, String>,
    body: String,
}

/// A webhook that takes everything, or refuses it while it is told to.
struct Hook {
    url: String,
    told: Arc<Mutex<Vec<Told>>>,
    refuses: Arc<Mutex<bool>>,
    serving: AbortHandle,
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Hook {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/tidegate", listener.local_addr().unwrap());
        let (told, refuses) = (Arc::<Mutex<Vec<Told>>>::default(), Arc::<Mutex<bool>>::default());
        let (telling, refusing) = (Arc::clone(&told), Arc::clone(&refuses));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let refuses = *refusing.lock().unwrap();
                if let Some(one) = take(stream, refuses).await {
                    telling.lock().unwrap().push(one);
                }
            }
        });
        Self { url, told, refuses, serving: serving.abort_handle() }
    }

    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// Ids of the alerts that it was told, each once, by their thresholds.
    fn alerts(&self) -> BTreeMap<u64, Vec<String>> {
        let mut found = BTreeMap::<u64, Vec<String>>::new();
        for told in self.told() {
            let body: Value = serde_json::from_str(&told.body).unwrap();
            let names = found.entry(body["data"]["threshold"].as_u64().unwrap()).or_default();
            let name = told.headers["webhook-id"].clone();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        found
    }
}

async fn take(stream: TcpStream, refuses: bool) -> Option<Told> {
    let mut stream = BufReader::new(stream);
    let (mut headers, mut line) = (BTreeMap::new(), String::new());
    while stream.read_line(&mut line).await.ok()? > 2 {
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        line.clear();
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    let status = if refuses { "503 Service Unavailable" } else { "200 OK" };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
    stream.get_mut().write_all(answer.as_bytes()).await.ok()?;
    (!refuses).then(|| Told { headers, body: String::from_utf8(body).unwrap() })
}

/// The receiver in the guide.
fn receiver() -> String {
    let guide = include_str!("../../../docs/guide/alerts.md");
    let from = guide.split("```python\n").nth(1).expect("the guide shows a receiver in Python");
    from.split("```").next().unwrap().to_owned()
}

/// What the receiver in the guide says of a request.
async fn said_by_the_guide(secret: &str, told: &Told) -> String {
    let call = "\nimport json, sys\nasked = json.load(sys.stdin)\nprint(is_from_tidegate(*asked))\n";
    let mut command = python();
    command.args(["-c", &(receiver() + call)]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let asked = json!([secret, told.headers, told.body]).to_string();
    child.stdin.take().unwrap().write_all(asked.as_bytes()).await.unwrap();
    let output = within("Python", PATIENCE, child.wait_with_output()).await.unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn under_ten_a_day(product: &Product, backend: &Backend) -> Subscribed {
    let plan = json!({"name": "Ten", "limits": [{"amount": 10, "per": "day", "direction": "publish"}]});
    Subscribed::under(product, backend, &plan, ["Alerted", "Shop"]).await
}

/// A day in which nothing here ends: these tests count in days.
async fn day_with(seconds: u64) {
    const DAY: u64 = 86_400;
    let left = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        DAY - since.as_secs() % DAY
    };
    let patience = std::time::Duration::from_secs(seconds + 1);
    until("the next day", patience, async || (left() > seconds).then_some(())).await;
}

#[tokio::test]
async fn a_plan_that_is_used_up_is_told_twice_and_no_more_also_over_a_kill() {
    let (mut product, backend, hook) = (Product::start().await, Backend::echo(), Hook::start().await);
    day_with(120).await;
    let subscribed = under_ten_a_day(&product, &backend).await;
    let admin = product.portal.admin().await;
    let of = json!({"kind": "webhook", "url": hook.url, "application_id": subscribed.application});
    let made = admin.post("/alert-channels", of).await.is(201).json();
    let secret = made["secret"].as_str().unwrap().to_owned();
    let mut client = opening(&product, &subscribed).await.open().await;
    for number in 0..8 {
        client.echo(&format!("message {number}")).await;
    }
    until("the first alert", PATIENCE, async || (hook.told().len() == 1).then_some(())).await;
    let told = hook.told().remove(0);
    assert_eq!(said_by_the_guide(&secret, &told).await, "True", "{told:?}");
    let forged = Told { body: told.body.replace("80", "81"), ..told.clone() };
    assert_eq!(said_by_the_guide(&secret, &forged).await, "False");
    let old = told.headers.iter().map(|(name, value)| {
        let value = if name == "webhook-timestamp" { "1600000000" } else { value };
        (name.clone(), value.to_owned())
    });
    assert_eq!(said_by_the_guide(&secret, &Told { headers: old.collect(), ..told }).await, "False");

    // What waits for a webhook that is away survives a kill.
    *hook.refuses.lock().unwrap() = true;
    for number in 8..10 {
        client.echo(&format!("message {number}")).await;
    }
    let path = format!("/alert-channels/{}/deliveries", made["id"].as_str().unwrap());
    let newest = async |product: &Product| {
        let admin = product.portal.admin().await;
        admin.get(&path).await.is(200).json()["items"][0].clone()
    };
    until("a refusal", PATIENCE, async || {
        (newest(&product).await["problem"] == "the answer was 503 instead of 2xx").then_some(())
    })
    .await;
    product.kill();
    *hook.refuses.lock().unwrap() = false;
    product.start_again().await;
    until("the second alert", PATIENCE, async || (hook.alerts().len() == 2).then_some(())).await;
    until("its delivery", PATIENCE, async || (newest(&product).await["state"] == "delivered").then_some(()))
        .await;
    let mut client = opening(&product, &subscribed).await.open().await;
    client.text("one too many").await;
    assert_eq!(client.closed().await.0, 4429);
    product.restart().await;
    let admin = product.portal.admin().await;
    let listed =
        admin.get(&format!("/alerts?application_id={}", subscribed.application)).await.is(200).json();
    let listed: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|one| one["threshold"].clone()).collect();
    assert_eq!(listed, [json!(100), json!(80)]);
    assert!(hook.alerts().values().all(|names| names.len() == 1), "{:?}", hook.alerts());
    assert!(!product.logged().contains(&secret));
}
