//! What limits cost: a message that has to pass those of all four levels, and custom rules besides, beside one that passes
//! none.
//!
//! It starts a Tidegate of its own. Its figures are differences within one process: sessions with limits and without, in
//! turn.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::{Child, Command},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{
    echo,
    load::{Content, Load, Pace},
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
/// Custom rules, by what an expression has to be asked for: once for a session, and for each message.
const RULES: [(&str, &str); 2] = [
    ("a rule, asked once", r#"application.name == "limited" ? "one" : null"#),
    ("a rule, asked for each", r#"application.name == "limited" && size < 65536 ? "one" : null"#),
];

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
        ensure!(self.seconds > 0.0 && self.pairs > 0, "a measurement needs time");
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot make {}", self.folder.display()))?;
        let echo = echo::listen((Ipv4Addr::LOCALHOST, 0).into())?;
        let backend = echo.address;
        // It ends with the process; a backend that fails shows in every session.
        thread::spawn(move || echo.serve());
        let tidegate = self.serve()?;
        let mut rest = subject::sign_in(&tidegate.data)?;
        let limit = json!([{ "amount": AMOUNT, "per": "minute" }]);
        for list in ["/plans", "/application-policies", "/api-policies"] {
            rest.call("POST", list, &json!({ "name": "Bench", "limits": limit }))?;
        }
        let free = Self::levels(&tidegate, &mut rest, backend, "free", false)?;
        let limited = Self::levels(&tidegate, &mut rest, backend, "limited", true)?;
        for depth in DEPTHS {
            let cost = |subject: &Subject| self.cost(subject, depth);
            self.compare("four levels", depth, || cost(&free), || cost(&limited))?;
            for (name, expression) in RULES {
                let rule = json!({ "name": "Bench", "expression": expression, "limits": limit });
                let ruled = || {
                    let id = rest.call("POST", "/custom-rules", &rule)?["id"].clone();
                    let each = cost(&limited);
                    let id = id.as_str().context("a rule has an id")?;
                    rest.call("DELETE", &format!("/custom-rules/{id}"), &Value::Null)?;
                    each
                };
                self.compare(name, depth, || cost(&limited), ruled)?;
            }
        }
        Ok(())
    }

    fn serve(&self) -> Result<Started> {
        let (data, log) = (self.folder.join("tidegate"), self.folder.join("tidegate.log"));
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

    /// Microseconds of CPU time of an echo.
    fn cost(&self, subject: &Subject, depth: usize) -> Result<f64> {
        let load = Load {
            door: Door::Plain,
            sessions: SESSIONS,
            content: Content::Text,
            bytes: BYTES,
            pace: Pace::Depth(depth),
            measure: Duration::from_secs_f64(self.seconds),
            calls: false,
        };
        let measured = load.run(subject)?;
        Ok(measured.micros_each(measured.cpu.all))
    }

    /// Both in turn, so often; each pair yields a ratio of CPU time.
    fn compare(
        &self,
        name: &str,
        depth: usize,
        mut without: impl FnMut() -> Result<f64>,
        mut with: impl FnMut() -> Result<f64>,
    ) -> Result<()> {
        let (mut ratios, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
        for pair in 0..self.pairs {
            // Whoever is first in one pair is second in the next, so that no drift is taken for a difference.
            let (less, more) = if pair % 2 == 0 {
                let less = without()?;
                (less, with()?)
            } else {
                let more = with()?;
                (without()?, more)
            };
            ratios.push(100.0 * (more / less - 1.0));
            before.push(less);
            after.push(more);
        }
        let [ratio, before, after] = [&mut ratios, &mut before, &mut after].map(|all| median(all));
        println!(
            "{name:<24} {depth:>2} in flight: {ratio:+.1} % CPU an echo (median of {} pairs, {:+.1} to {:+.1}): \
             {before:.2} µs without, {after:.2} µs with",
            self.pairs,
            ratios[0],
            ratios[ratios.len() - 1],
        );
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_pairs_is_the_one_in_the_middle() {
        assert!((median(&mut [3.0, -1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }
}
