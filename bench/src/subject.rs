//! What is measured: a running Tidegate, found by its data folder, or any other gateway, by its address.
//!
//! For a Tidegate it makes an API whose backend is the echo of this process, and subscribes the demo application to
//! it under a plan without limit, so that neither the product's own echo backend nor a limit is part of a figure.
//! [`Subject::clear`] takes both away again.

use std::{env, fs, net::Ipv4Addr, path::Path, process, thread};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::{
    client::Target,
    echo,
    process::{Cpu, Process},
    rest::Rest,
};

/// Holds the password of `admin` where the operator chose it.
const ADMIN_PASSWORD: &str = "TIDEGATE_ADMIN_PASSWORD";
/// A plan without limit.
const PLAN: &str = "Unlimited";

/// See the module.
pub(crate) struct Subject {
    pub(crate) target: Target,
    processes: Vec<Process>,
    name: String,
    made: Option<Made>,
}

/// What was made for the measurement.
struct Made {
    rest: Rest,
    api: String,
    subscription: String,
}

impl Subject {
    /// A gateway that leads to an echo backend without asking who comes.
    pub(crate) fn at(url: &str, pids: &[u32]) -> Result<Self> {
        let processes = pids.iter().copied().map(Process).collect();
        Ok(Self { target: Target::new(url, None)?, processes, name: url.to_owned(), made: None })
    }

    /// The Tidegate that runs on this data folder.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self> {
        let none_runs = || format!("no Tidegate runs on {}", folder.display());
        let addresses = json_in(&folder.join("addresses.json")).with_context(none_runs)?;
        let first_start = json_in(&folder.join("first-start.json"))?;
        let pid = fs::read_to_string(folder.join("lock")).with_context(none_runs)?;
        let pid = pid.trim().parse().with_context(none_runs)?;
        let password = first_start["users"]["admin"]["password"].as_str().map(str::to_owned);
        let password = password.or_else(|| env::var(ADMIN_PASSWORD).ok());
        let password = password
            .with_context(|| format!("the password of admin is not known; put it into {ADMIN_PASSWORD}"))?;

        let mut rest = Rest::new(text(&addresses["portal"])?, &folder.join("tls/cert.pem"))?;
        rest.sign_in("admin", &password)?;
        let settings = rest.call("GET", "/settings", &Value::Null)?;
        let name = format!("Tidegate {}", text(&settings["version"])?);
        let demo = &first_start["demo"];
        let (id, secret) = (text(&demo["client_id"]), text(&demo["client_secret"]));
        let (id, secret) = id.and_then(|id| Ok((id, secret?))).context("start it with --demo")?;
        let token = rest.token(id, secret)?;
        let (url, made) = Made::make(rest)?;
        let target = Target::new(&url, Some(&token))?;
        Ok(Self { target, processes: vec![Process(pid)], name, made: Some(made) })
    }

    /// What it is and where it runs, for the first line.
    pub(crate) fn described(&self) -> String {
        let cores = thread::available_parallelism().map_or(0, std::num::NonZero::get);
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or("?");
        let pids: Vec<_> = self.processes.iter().map(|process| process.0.to_string()).collect();
        let debug = if self.processes.iter().any(|process| process.is_debug_build()) {
            "\nIt is a debug build: its figures say nothing about the product."
        } else {
            ""
        };
        format!("{}, process {}, {cores} cores, load average {load}{debug}", self.name, pids.join(" and "))
    }

    /// CPU time that the gateway has used.
    pub(crate) fn cpu(&self) -> Result<Cpu> {
        let mut sum = Cpu::default();
        for process in &self.processes {
            let cpu = process.cpu()?;
            sum = Cpu { all: sum.all + cpu.all, relay: sum.relay + cpu.relay };
        }
        Ok(sum)
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
    pub(crate) fn clear(self) -> Result<()> {
        self.made.map_or(Ok(()), Made::clear)
    }
}

impl Made {
    /// A published API on an echo backend of this process, with the demo application subscribed to it.
    fn make(rest: Rest) -> Result<(String, Self)> {
        let echo = echo::listen((Ipv4Addr::LOCALHOST, 0).into())?;
        let backend = format!("ws://{}", echo.address);
        // It ends with the process; a backend that fails shows in every session.
        drop(echo.spawn());
        let applications = rest.call("GET", "/applications?limit=200", &Value::Null)?;
        let applications = applications["items"].as_array().context("there are no applications")?;
        let application = applications.iter().find(|application| application["demo"] == true);
        let application =
            application.context("there is no demo application; start it with --demo")?["id"].clone();
        let name = format!("Bench {}", process::id());
        let api = rest.call(
            "POST",
            "/apis",
            &json!({
                "name": name, "context": format!("/bench-{}", process::id()), "version": "1.0",
                "description": "Made by tidegate-bench for one measurement.",
                "endpoints": { "production": { "url": backend } }, "plans": [PLAN], "publish": true,
            }),
        )?;
        let wanted = json!({ "application_id": application, "api_id": api["id"], "plan": PLAN });
        let subscription = rest.call("POST", "/subscriptions", &wanted);
        let subscription = match subscription {
            Ok(subscription) => text(&subscription["id"])?.to_owned(),
            Err(error) => {
                rest.call("DELETE", &format!("/apis/{}", text(&api["id"])?), &Value::Null)?;
                return Err(error);
            }
        };
        let url = text(&api["urls"]["ws"])?.to_owned();
        Ok((url, Self { rest, api: text(&api["id"])?.to_owned(), subscription }))
    }

    fn clear(self) -> Result<()> {
        let Self { rest, api, subscription } = self;
        rest.call("DELETE", &format!("/subscriptions/{subscription}"), &Value::Null)?;
        rest.call("DELETE", &format!("/apis/{api}"), &Value::Null)?;
        Ok(())
    }
}

fn json_in(path: &Path) -> Result<Value> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is not readable", path.display()))
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("an answer lacks a text that it should have")
}
