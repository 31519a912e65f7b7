//! The named scenarios, and one line of text for each.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::{idle, load::Load, subject::Subject};

/// A scenario by name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    name: &'static str,
    about: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Round trips: sessions, and messages in flight on each.
    Echo { sessions: u32, depth: u32 },
    /// Sessions that only stay.
    Idle,
}

/// What a person may choose.
pub(crate) struct Settings {
    pub(crate) measure: Duration,
    pub(crate) bytes: usize,
    pub(crate) idle: u32,
    /// Count system calls.
    pub(crate) calls: bool,
}

const fn echo(name: &'static str, sessions: u32, depth: u32, about: &'static str) -> Scenario {
    Scenario { name, about, kind: Kind::Echo { sessions, depth } }
}

/// All of them, in the order they run. Memory comes first: it is read on a process that has done nothing yet.
const SCENARIOS: [Scenario; 5] = [
    Scenario { name: "idle", about: "memory of a session that only stays", kind: Kind::Idle },
    echo("echo-1", 1, 1, "one message at a time on 1 session"),
    echo("echo-64", 64, 1, "one message at a time on each of 64 sessions"),
    echo("echo-1000", 1_000, 1, "one message at a time on each of 1,000 sessions"),
    echo("deep-64", 64, 16, "16 messages in flight on each of 64 sessions"),
];

/// Prints their names.
pub(crate) fn list() {
    for Scenario { name, about, .. } in SCENARIOS {
        println!("{name:<10} {about}");
    }
}

/// The scenarios with these names; all when none is named.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Scenario>> {
    if names.is_empty() {
        return Ok(SCENARIOS.to_vec());
    }
    let find = |name: &String| SCENARIOS.into_iter().find(|scenario| scenario.name == name);
    let known = SCENARIOS.map(|scenario| scenario.name).join(", ");
    names.iter().map(|name| find(name).with_context(|| format!("“{name}” is none of {known}"))).collect()
}

impl Scenario {
    /// Runs it and tells what it found.
    pub(crate) fn run(&self, subject: &Subject, settings: &Settings) -> Result<String> {
        match self.kind {
            Kind::Idle => self.idle(subject, settings.idle),
            Kind::Echo { sessions, depth } => self.echo(subject, settings, sessions, depth),
        }
        .with_context(|| format!("scenario {}", self.name))
    }

    fn idle(&self, subject: &Subject, sessions: u32) -> Result<String> {
        let found = idle::run(subject, sessions)?;
        Ok(format!(
            "{:<10} {sessions:>6} sessions opened in {:.1} s; {:.2} KiB each, {:.2} KiB after one message; {:.1} MiB before",
            self.name,
            found.opened_in.as_secs_f64(),
            found.session_kib,
            found.spoken_kib,
            f64::from(u32::try_from(found.before_kib)?) / 1_024.0,
        ))
    }

    fn echo(&self, subject: &Subject, settings: &Settings, sessions: u32, depth: u32) -> Result<String> {
        let Settings { measure, bytes, calls, .. } = *settings;
        let found = Load { sessions, depth, bytes, measure, calls }.run(subject)?;
        let millis = |thousandths| found.quantile(thousandths).as_secs_f64() * 1e3;
        let relay = if found.cpu.relay.is_zero() {
            String::new()
        } else {
            format!(" ({:.1} µs in relay workers)", found.micros_each(found.cpu.relay))
        };
        let calls =
            found.calls.as_ref().map_or_else(String::new, |calls| format!("; {}", calls.each(found.echoes)));
        Ok(format!(
            "{:<10} {:>9.0} echoes/s of {bytes} B; p50 {:.3} ms, p99 {:.3} ms, max {:.3} ms; CPU {:.1} µs an echo{relay}{calls}",
            self.name,
            found.per_second(),
            millis(500),
            millis(990),
            millis(1_000),
            found.micros_each(found.cpu.all),
        ))
    }
}
