//! What is measured: a running Tidegate, found by its data folder, or any other gateway, by its address.
//!
//! For a Tidegate it makes an API on a backend of the measurement and subscribes the demo application to it, so that
//! the product's own echo backend is no part of a figure. [`Subject::clear`] takes both away again.

use std::{env, fs, net::SocketAddr, path::Path, process, sync::Arc, thread};

use anyhow::{Context as _, Result};
use rustls::ClientConfig;
use serde_json::{Value, json};

use crate::{
    client::Target,
    process::{Process, Reading},
    rest::Rest,
    stream,
};

/// Holds the password of `admin` where the operator chose it.
const ADMIN_PASSWORD: &str = "TIDEGATE_ADMIN_PASSWORD";

/// Whoever is asked for what no other gateway has.
const ONLY_TIDEGATE: &str = "only a Tidegate knows tokens and who may use them";

/// Where clients come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Plain,
    Tls,
}

/// See the module.
pub(crate) struct Subject {
    plain: Target,
    tls: Option<Target>,
    processes: Vec<Process>,
    name: String,
    made: Option<Made>,
}

/// A developer's client of its own, whose rights can end: an application that is subscribed to the API, and a key.
pub(crate) struct Developer {
    api: String,
    application: String,
    subscription: String,
    key: (String, String),
}

/// What was made for the measurement.
struct Made {
    rest: Rest,
    /// Id and secret of the demo's key.
    key: (String, String),
    trust: Arc<ClientConfig>,
    urls: [String; 2],
    api: String,
    plan: String,
    subscription: String,
}

impl Subject {
    /// A gateway that leads to a backend without asking who comes.
    pub(crate) fn at(url: &str, name: &str, pids: &[u32]) -> Result<Self> {
        let processes = pids.iter().flat_map(|pid| Process(*pid).family()).collect();
        Ok(Self { plain: Target::new(url, None)?, tls: None, processes, name: name.to_owned(), made: None })
    }

    /// The same, whose clients show this token.
    pub(crate) fn showing(self, token: &str) -> Self {
        Self { plain: self.plain.with_tokens([token]), ..self }
    }

    /// The Tidegate that runs on this data folder, in front of this backend, under this plan.
    pub(crate) fn in_folder(folder: &Path, backend: SocketAddr, plan: &str) -> Result<Self> {
        let none_runs = || format!("no Tidegate runs on {}", folder.display());
        let pid = fs::read_to_string(folder.join("lock")).with_context(none_runs)?;
        let pid = pid.trim().parse().with_context(none_runs)?;
        let trust = trust(folder)?;
        let mut rest = sign_in(folder)?;
        let first_start = json_in(&folder.join("first-start.json"))?;
        let settings = rest.call("GET", "/settings", &Value::Null)?;
        let name = format!("Tidegate {}", text(&settings["version"])?);
        let demo = &first_start["demo"];
        let key = (text(&demo["client_id"]), text(&demo["client_secret"]));
        let (Ok(id), Ok(secret)) = key else { anyhow::bail!("start it with --demo") };
        let mut made = Made::make(rest, trust, (id.to_owned(), secret.to_owned()), backend, plan)?;
        let (plain, tls) = made.targets()?;
        Ok(Self { plain, tls: Some(tls), processes: vec![Process(pid)], name, made: Some(made) })
    }

    /// What it is and where it runs, for the first line.
    pub(crate) fn described(&self) -> String {
        let cores = thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or("?");
        let pids: Vec<_> = self.processes.iter().map(|process| process.0.to_string()).collect();
        let debug = if self.is_debug_build() {
            "\nIt is a debug build: its figures say nothing about the product."
        } else {
            ""
        };
        format!("{}, process {}, {cores} cores, load average {load}{debug}", self.name, pids.join(" and "))
    }

    /// Whether its figures say nothing.
    pub(crate) fn is_debug_build(&self) -> bool {
        self.processes.iter().any(|process| process.is_debug_build())
    }

    /// Where clients go.
    pub(crate) fn target(&self, door: Door) -> Result<&Target> {
        match door {
            Door::Plain => Ok(&self.plain),
            Door::Tls => self.tls.as_ref().context("only a Tidegate is measured with TLS"),
        }
    }

    /// Its clients show a new token from now on: one lives for an hour, a comparison may take longer.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        if let Some(made) = &mut self.made {
            let (plain, tls) = made.targets()?;
            (self.plain, self.tls) = (plain, Some(tls));
        }
        Ok(())
    }

    /// Where clients go that each show a token that it has never seen; so many of them.
    pub(crate) fn target_of_strangers(&mut self, count: usize) -> Result<Target> {
        let made = self.made.as_mut().context(ONLY_TIDEGATE)?;
        let tokens = (0..count).map(|_| made.token()).collect::<Result<Vec<_>>>()?;
        Ok(Target::new(&made.urls[0], None)?.with_tokens(tokens.iter().map(String::as_str)))
    }

    /// A new client of the API; its tokens live so many seconds if that is said.
    pub(crate) fn developer(&mut self, token_seconds: Option<u64>) -> Result<Developer> {
        let made = self.made.as_mut().context(ONLY_TIDEGATE)?;
        Developer::make(&mut made.rest, &made.api, &made.plan, token_seconds)
    }

    /// A token of a client, and where clients go that show it.
    pub(crate) fn target_of(&mut self, developer: &Developer) -> Result<(String, Target)> {
        let made = self.made.as_mut().context(ONLY_TIDEGATE)?;
        let token = made.rest.token(&developer.key.0, &developer.key.1)?;
        let target = Target::new(&made.urls[0], None)?.with_tokens([token.as_str()]);
        Ok((token, target))
    }

    /// Who calls its REST API.
    pub(crate) fn rest(&mut self) -> Result<&mut Rest> {
        self.made.as_mut().map(|made| &mut made.rest).context(ONLY_TIDEGATE)
    }

    /// A token that its clients show; empty where none is asked for.
    pub(crate) fn token(&mut self) -> Result<String> {
        self.made.as_mut().map_or(Ok(String::new()), Made::token)
    }

    /// CPU time that the gateway has used.
    pub(crate) fn cpu(&self) -> Result<Reading> {
        self.processes.iter().try_fold(Reading::default(), |all, process| Ok(all.and(process.cpu()?)))
    }

    /// The threads that carry sessions: those of the relay, or all where none is named so.
    pub(crate) fn relay_threads(&self) -> Result<Vec<u32>> {
        let threads: Vec<_> =
            self.processes.iter().map(|process| process.threads()).collect::<Result<_>>()?;
        let threads: Vec<_> = threads.into_iter().flatten().collect();
        let relays: Vec<_> = threads.iter().filter(|thread| thread.is_relay).map(|it| it.id).collect();
        Ok(if relays.is_empty() { threads.iter().map(|thread| thread.id).collect() } else { relays })
    }

    /// Memory that the gateway holds.
    pub(crate) fn memory_kib(&self) -> Result<u64> {
        self.processes.iter().map(|process| process.memory_kib()).sum()
    }

    /// Takes away what was made for the measurement.
    pub(crate) fn clear(&mut self) -> Result<()> {
        self.made.take().map_or(Ok(()), Made::clear)
    }
}

/// Where the Tidegate that runs on this data folder takes clients without TLS.
pub(crate) fn ws(folder: &Path) -> Result<String> {
    Ok(text(&json_in(&folder.join("addresses.json"))?["ws"])?.to_owned())
}

/// Signs in as `admin` at the Tidegate that runs on this data folder.
pub(crate) fn sign_in(folder: &Path) -> Result<Rest> {
    let none_runs = || format!("no Tidegate runs on {}", folder.display());
    let addresses = json_in(&folder.join("addresses.json")).with_context(none_runs)?;
    let first_start = json_in(&folder.join("first-start.json"))?;
    let password = first_start["users"]["admin"]["password"].as_str().map(str::to_owned);
    let password = password.or_else(|| env::var(ADMIN_PASSWORD).ok());
    let password = password
        .with_context(|| format!("the password of admin is not known; put it into {ADMIN_PASSWORD}"))?;
    let mut rest = Rest::new(text(&addresses["portal"])?, trust(folder)?)?;
    rest.sign_in("admin", &password)?;
    Ok(rest)
}

/// Whom clients of the Tidegate on this data folder believe.
fn trust(folder: &Path) -> Result<Arc<ClientConfig>> {
    stream::trusting(&folder.join("tls/cert.pem"))
}

impl Made {
    /// A published API on the backend, with the demo application subscribed to it.
    fn make(
        mut rest: Rest,
        trust: Arc<ClientConfig>,
        key: (String, String),
        backend: SocketAddr,
        plan: &str,
    ) -> Result<Self> {
        let applications = rest.call("GET", "/applications?limit=200", &Value::Null)?;
        let applications = applications["items"].as_array().context("there are no applications")?;
        let application = applications.iter().find(|application| application["demo"] == true);
        let application =
            application.context("there is no demo application; start it with --demo")?["id"].clone();
        let name = format!("{}-{}", process::id(), backend.port());
        let api = rest.call(
            "POST",
            "/apis",
            &json!({
                "name": format!("Bench {name}"), "context": format!("/bench-{name}"), "version": "1.0",
                "description": "Made by tidegate-bench for one measurement.",
                "endpoints": { "production": { "url": format!("ws://{backend}") } },
                "plans": [plan], "publish": true,
            }),
        )?;
        let wanted = json!({ "application_id": application, "api_id": api["id"], "plan": plan });
        let subscription = rest.call("POST", "/subscriptions", &wanted);
        let subscription = match subscription {
            Ok(subscription) => text(&subscription["id"])?.to_owned(),
            Err(error) => {
                rest.call("DELETE", &format!("/apis/{}", text(&api["id"])?), &Value::Null)?;
                return Err(error);
            }
        };
        let urls = [text(&api["urls"]["ws"])?.to_owned(), text(&api["urls"]["wss"])?.to_owned()];
        let (api, plan) = (text(&api["id"])?.to_owned(), plan.to_owned());
        Ok(Self { rest, key, trust, urls, api, plan, subscription })
    }

    fn token(&mut self) -> Result<String> {
        self.rest.token(&self.key.0, &self.key.1)
    }

    /// The two doors, with a new token.
    fn targets(&mut self) -> Result<(Target, Target)> {
        let token = self.token()?;
        let plain = Target::new(&self.urls[0], None)?.with_tokens([token.as_str()]);
        let tls = Target::new(&self.urls[1], Some(Arc::clone(&self.trust)))?;
        Ok((plain, tls.with_tokens([token.as_str()])))
    }

    fn clear(self) -> Result<()> {
        let Self { mut rest, api, subscription, .. } = self;
        rest.call("DELETE", &format!("/subscriptions/{subscription}"), &Value::Null)?;
        rest.call("DELETE", &format!("/apis/{api}"), &Value::Null)?;
        Ok(())
    }
}

impl Developer {
    fn make(rest: &mut Rest, api: &str, plan: &str, token_seconds: Option<u64>) -> Result<Self> {
        let name = format!("Bench {}", process::id());
        let application = rest.call("POST", "/applications", &json!({ "name": name }))?;
        let application = text(&application["id"])?.to_owned();
        let key = json!({ "type": "production", "access_token_seconds": token_seconds });
        let key = rest.call("POST", &format!("/applications/{application}/keys"), &key)?;
        let wanted = json!({ "application_id": application, "api_id": api, "plan": plan });
        let subscription = text(&rest.call("POST", "/subscriptions", &wanted)?["id"])?.to_owned();
        let key = (text(&key["client_id"])?.to_owned(), text(&key["client_secret"])?.to_owned());
        Ok(Self { api: api.to_owned(), application, subscription, key })
    }

    /// All tokens of its key.
    pub(crate) fn tokens_path(&self) -> String {
        format!("/applications/{}/keys/{}/tokens", self.application, self.key.0)
    }

    /// Its right to the API.
    pub(crate) fn subscription_path(&self) -> String {
        format!("/subscriptions/{}", self.subscription)
    }

    /// Where the API moves.
    pub(crate) fn lifecycle_path(&self) -> String {
        format!("/apis/{}/lifecycle", self.api)
    }

    /// Takes the application away with all that it has; an API that was blocked is there again.
    pub(crate) fn clear(self, rest: &mut Rest, was_blocked: bool) -> Result<()> {
        if was_blocked {
            rest.call("POST", &self.lifecycle_path(), &json!({ "event": "republish" }))?;
        }
        rest.call("DELETE", &format!("/applications/{}", self.application), &Value::Null).map(|_| ())
    }
}

fn json_in(path: &Path) -> Result<Value> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is not readable", path.display()))
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("an answer lacks a text that it should have")
}
