//! What limits cost: a message that has to pass those of all four levels beside one that passes none, and the memory of
//! the budgets of very many subscriptions.
//!
//! It starts a Tidegate of its own for each of both. Both figures are differences within one process: the same sessions with and
//! without limits, in turn; and the same subscriptions, each of which opened a session, under a plan without a limit and
//! then with one.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{
    client::Target,
    echo, handshakes,
    load::{Content, Load, Measured, Pace, float},
    peers::{absolute, spawn, stop, wait_for_addresses},
    process::Process,
    rest::Rest,
    subject::{self, Door, Subject},
};

/// More than any measurement sends, so that every message is counted and none is refused.
const AMOUNT: u64 = 1_000_000_000;
/// Sessions of the measurement of CPU time, and bytes of their messages.
const SESSIONS: usize = 64;
const BYTES: usize = 128;
/// Messages in flight on each of them, of two measurements: one alone, where a message costs the most besides, and many, where its limits are most of
/// what it costs.
const DEPTHS: [usize; 2] = [1, 16];
/// APIs of the measurement of memory; each of its applications is subscribed to all of them.
const APIS: usize = 100;
/// Callers that make subscriptions, so that they share commits.
const CALLERS: usize = 8;
/// Time for the gateway to come to rest, and for what was told to be stored.
const SETTLE: Duration = Duration::from_secs(3);

/// Measures what limits cost (`cargo xtask bench limits` does it)
#[derive(Debug, clap::Args)]
pub(crate) struct Limits {
    /// The build that is measured
    #[arg(long, value_name = "FILE")]
    tidegate: PathBuf,
    /// Where data and logs are kept
    #[arg(long, value_name = "DIR", value_parser = absolute)]
    folder: PathBuf,
    /// Seconds that each load is measured
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
    /// Pairs of loads, of which the median counts
    #[arg(long, default_value_t = 11)]
    pairs: usize,
    /// Subscriptions of which each has a budget; hundreds
    #[arg(long, default_value_t = 100_000)]
    subscriptions: usize,
}

/// A Tidegate that ends with this.
struct Started {
    child: Child,
    data: PathBuf,
}

impl Drop for Started {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

impl Limits {
    pub(crate) fn go(&self) -> Result<()> {
        ensure!(
            self.seconds > 0.0 && self.pairs > 0 && self.subscriptions >= APIS,
            "it needs time and sessions"
        );
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot make {}", self.folder.display()))?;
        let echo = echo::listen((Ipv4Addr::LOCALHOST, 0).into())?;
        let backend = echo.address;
        // It ends with the process; a backend that fails shows in every session.
        thread::spawn(move || echo.serve());
        self.cost_of_levels(backend)?;
        self.memory_of_budgets(backend)
    }

    fn serve(&self, name: &str) -> Result<Started> {
        let (data, log) = (self.folder.join(name), self.folder.join(format!("{name}.log")));
        let mut command = Command::new(&self.tidegate);
        command.args(["serve", "--workers", "1", "--data"]).arg(&data);
        for door in ["--portal", "--ws", "--wss"] {
            command.args([door, "localhost:0"]);
        }
        let mut started = Started { child: spawn(command, &log)?, data };
        wait_for_addresses(&mut started.child, &started.data, &log)?;
        if Process(started.child.id()).is_debug_build() {
            println!("It is a debug build: its figures say nothing about the product.");
        }
        Ok(started)
    }

    fn cost_of_levels(&self, backend: SocketAddr) -> Result<()> {
        let tidegate = self.serve("levels")?;
        let mut rest = subject::sign_in(&tidegate.data)?;
        let limit = json!([{ "amount": AMOUNT, "per": "minute" }]);
        for list in ["/plans", "/application-policies", "/api-policies"] {
            rest.call("POST", list, &json!({ "name": "Bench", "limits": limit }))?;
        }
        let subjects = [("free", false), ("limited", true)]
            .map(|(name, is_limited)| Self::levels(&tidegate, &mut rest, backend, name, is_limited));
        let [free, limited] = subjects;
        let (free, limited) = (free?, limited?);
        for depth in DEPTHS {
            self.compare(&format!("four levels, {depth} in flight"), &free, &limited, depth)?;
        }
        Ok(())
    }

    /// Where clients go that are held to a limit at each level, or at none.
    fn levels(
        tidegate: &Started,
        rest: &mut Rest,
        backend: SocketAddr,
        name: &str,
        is_limited: bool,
    ) -> Result<Subject> {
        let policy = if is_limited { "Bench" } else { "Unlimited" };
        let of_api = is_limited.then_some(policy);
        let mut api = api(name, backend, policy);
        api["api_policy"] = json!(of_api);
        api["topics"] = json!({ "declared": [{ "path": "/*", "api_policy": of_api }] });
        let api = rest.call("POST", "/apis", &api)?;
        let application = json!({ "name": name, "policy": policy });
        let (application, key) = developer(rest, &application)?;
        subscribe(rest, &application, &api["id"], policy)?;
        let token = rest.token(&key.0, &key.1)?;
        let url = format!("{}/{name}/1.0/topic", subject::ws(&tidegate.data)?);
        Ok(Subject::at(&url, "Tidegate", &[tidegate.child.id()])?.showing(&token))
    }

    /// Both in turn, so often; each pair yields a ratio of CPU time.
    fn compare(&self, name: &str, one: &Subject, other: &Subject, depth: usize) -> Result<()> {
        let load = Load {
            door: Door::Plain,
            sessions: SESSIONS,
            content: Content::Text,
            bytes: BYTES,
            pace: Pace::Depth(depth),
            measure: Duration::from_secs_f64(self.seconds),
            calls: false,
        };
        let each = |measured: &Measured| measured.micros_each(measured.cpu.all);
        let (mut ratios, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
        for pair in 0..self.pairs {
            // Whoever is first in one pair is second in the next, so that no drift is taken for a difference.
            let (first, second) = if pair % 2 == 0 { (one, other) } else { (other, one) };
            let (first, second) = (each(&load.run(first)?), each(&load.run(second)?));
            let (of_one, of_other) = if pair % 2 == 0 { (first, second) } else { (second, first) };
            ratios.push(100.0 * (of_other / of_one - 1.0));
            before.push(of_one);
            after.push(of_other);
        }
        let [ratio, before_each, after_each] = [&mut ratios, &mut before, &mut after].map(|all| median(all));
        println!(
            "{name:<26} {ratio:+.1} % CPU an echo (median of {} pairs, {:+.1} to {:+.1}): {before_each:.2} µs without, \
             {after_each:.2} µs with",
            self.pairs,
            ratios[0],
            ratios[ratios.len() - 1],
        );
        Ok(())
    }

    fn memory_of_budgets(&self, backend: SocketAddr) -> Result<()> {
        let tidegate = self.serve("budgets")?;
        let process = Process(tidegate.child.id());
        let mut rest = subject::sign_in(&tidegate.data)?;
        rest.call("POST", "/plans", &json!({ "name": "Bench", "limits": [] }))?;
        let began = Instant::now();
        let apis = (0..APIS).map(|place| {
            let made = rest.call("POST", "/apis", &api(&format!("api-{place}"), backend, "Bench"))?;
            Ok(made["id"].clone())
        });
        let apis: Vec<Value> = apis.collect::<Result<_>>()?;
        let applications = self.subscriptions / APIS;
        let keys = subscribed(&rest, &apis, applications)?;
        let subscriptions = APIS * applications;
        println!(
            "{subscriptions} subscriptions of {applications} applications to {APIS} APIs, made in {:.0} s",
            began.elapsed().as_secs_f64()
        );
        let tokens = keys.iter().map(|(id, secret)| rest.token(id, secret));
        let tokens: Vec<_> = tokens.collect::<Result<_>>()?;
        let ws = subject::ws(&tidegate.data)?;
        let visit = || -> Result<u64> {
            for place in 0..APIS {
                let target = Target::new(&format!("{ws}/api-{place}/1.0"), None)?;
                let target = target.with_tokens(tokens.iter().map(String::as_str));
                handshakes::all(&target, tokens.len())?;
            }
            thread::sleep(SETTLE);
            process.memory_kib()
        };
        // Twice, so that what comes with the first sessions of anybody is no part of it.
        visit()?;
        let mut change = |etag: u64, limits: &Value| {
            rest.change("/plans/Bench", etag, &json!({ "name": "Bench", "limits": limits }))
        };
        // A change without a limit, so that another snapshot has come and gone as well.
        change(1, &json!([]))?;
        let without = visit()?;
        change(2, &json!([{ "amount": AMOUNT, "per": "minute" }]))?;
        let with = visit()?;
        let again = visit()?;
        let each = |more: u64, less: u64| (float(more) - float(less)) * 1_024.0 / float(subscriptions as u64);
        println!(
            "{:<26} {:.0} B each of {subscriptions}: {:.1} MiB without a limit, {:.1} MiB with one, {:.1} MiB when all came again",
            "budgets of subscriptions",
            each(with, without),
            mib(without),
            mib(with),
            mib(again),
        );
        Ok(())
    }
}

fn mib(kib: u64) -> f64 {
    float(kib) / 1_024.0
}

/// Of a list that is sorted afterwards.
fn median(all: &mut [f64]) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn api(name: &str, backend: SocketAddr, plan: &str) -> Value {
    json!({
        "name": name, "context": format!("/{name}"), "version": "1.0", "plans": [plan], "publish": true,
        "endpoints": { "production": { "url": format!("ws://{backend}") } },
    })
}

/// An application by its id, and id and secret of its key.
fn developer(rest: &mut Rest, application: &Value) -> Result<(Value, (String, String))> {
    let application = rest.call("POST", "/applications", application)?["id"].clone();
    let id = application.as_str().context("an application has an id")?;
    let key = json!({ "type": "production", "access_token_seconds": 86_400 });
    let key = rest.call("POST", &format!("/applications/{id}/keys"), &key)?;
    let text = |name: &str| key[name].as_str().map(str::to_owned).context("a key has an id and a secret");
    Ok((application.clone(), (text("client_id")?, text("client_secret")?)))
}

fn subscribe(rest: &mut Rest, application: &Value, api: &Value, plan: &str) -> Result<()> {
    let wanted = json!({ "application_id": application, "api_id": api, "plan": plan });
    rest.call("POST", "/subscriptions", &wanted).map(drop)
}

/// Makes applications that are subscribed to all of these APIs; answers their keys.
fn subscribed(rest: &Rest, apis: &[Value], applications: usize) -> Result<Vec<(String, String)>> {
    let made = |caller: usize| -> Result<Vec<(String, String)>> {
        let mut rest = rest.beside();
        let own = (caller..applications).step_by(CALLERS);
        own.map(|number| {
            let (application, key) = developer(&mut rest, &json!({ "name": format!("app-{number}") }))?;
            for api in apis {
                subscribe(&mut rest, &application, api, "Bench")?;
            }
            Ok(key)
        })
        .collect()
    };
    thread::scope(|scope| {
        let made = &made;
        let callers: Vec<_> = (0..CALLERS).map(|caller| scope.spawn(move || made(caller))).collect();
        let keys = callers.into_iter().map(|caller| caller.join().expect("it does not panic"));
        Ok(keys.collect::<Result<Vec<_>>>()?.concat())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_pairs_is_the_one_in_the_middle() {
        assert!((median(&mut [3.0, -1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }
}
