//! The named scenarios: what is done to a gateway, and the two figures that each one yields.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result};

use crate::{
    ending::{self, Why},
    flood::{self, Direction},
    handshakes, idle,
    load::{Content, Load, Measured, Pace, float},
    stuck,
    subject::{Door, Subject},
};

/// A scenario by name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Idle(Door),
    Stuck,
    Echo { sessions: usize, content: Content, bytes: usize, depth: usize },
    Rate,
    Stream(Direction),
    Handshakes,
    Strangers,
    Ending(Why),
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    CpuMicros,
    LatencyMicros,
    CloseMillis,
    Kib,
    PerSecond,
}

/// What a person may choose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) measure: Duration,
    /// Sessions that only stay.
    pub(crate) idle: usize,
    /// Sessions that never read.
    pub(crate) stuck: usize,
    /// Sessions that listen until what they live by ends.
    pub(crate) listening: usize,
    /// Tokens that the gateway has never seen.
    pub(crate) strangers: usize,
    /// Messages a second of the open loop.
    pub(crate) rate: u32,
    /// Count system calls.
    pub(crate) calls: bool,
    /// The echo backend behind the gateway.
    pub(crate) backend: SocketAddr,
}

/// What was found: the figure that bars speak of, what stands beside it, and both as a line of text.
pub(crate) struct Found {
    pub(crate) figure: f64,
    pub(crate) beside: f64,
    pub(crate) line: String,
}

/// Sessions of the scenarios that do not say otherwise.
const SESSIONS: usize = 64;
/// Bytes of a message of the scenarios that do not say otherwise.
const BYTES: usize = 128;
/// From here on the check of text is measured apart from the relay.
const LONG_BYTES: usize = 16 << 10;

const fn scenario(name: &'static str, kind: Kind, about: &'static str) -> Scenario {
    Scenario { name, about, kind }
}

const fn echo(sessions: usize, content: Content, bytes: usize) -> Kind {
    Kind::Echo { sessions, content, bytes, depth: 1 }
}

/// All of them, in the order they run. Memory comes first: it is read on a process that has done little yet.
pub(crate) const SCENARIOS: [Scenario; 18] = [
    scenario("idle", Kind::Idle(Door::Plain), "memory of a session that only stays"),
    scenario("idle-tls", Kind::Idle(Door::Tls), "the same where the client comes with TLS"),
    scenario("stuck", Kind::Stuck, "memory of a session whose client asks for all and reads nothing"),
    scenario("text-128-1", echo(1, Content::Text, BYTES), "128 B of text back and forth on 1 session"),
    scenario("text-128", echo(SESSIONS, Content::Text, BYTES), "128 B of text on each of 64 sessions"),
    scenario("text-1k", echo(SESSIONS, Content::Text, 1 << 10), "1 KiB of text on each of 64 sessions"),
    scenario("text-128-1000", echo(1_000, Content::Text, BYTES), "128 B of text on each of 1,000 sessions"),
    scenario("text-1k-1000", echo(1_000, Content::Text, 1 << 10), "1 KiB of text on each of 1,000 sessions"),
    scenario(
        "binary-16k",
        echo(SESSIONS, Content::Binary, 16 << 10),
        "16 KiB of bytes on each of 64 sessions",
    ),
    scenario(
        "binary-256k",
        echo(SESSIONS, Content::Binary, 256 << 10),
        "256 KiB of bytes on each of 64 sessions",
    ),
    scenario("text-16k", echo(SESSIONS, Content::Text, 16 << 10), "16 KiB of text on each of 64 sessions"),
    scenario("text-256k", echo(SESSIONS, Content::Text, 256 << 10), "256 KiB of text on each of 64 sessions"),
    scenario(
        "words-16k",
        echo(SESSIONS, Content::Words, 16 << 10),
        "16 KiB of text in characters of one to four bytes on each of 64 sessions",
    ),
    scenario(
        "deep-128",
        Kind::Echo { sessions: SESSIONS, content: Content::Binary, bytes: BYTES, depth: 16 },
        "128 B of bytes, 16 messages in flight on each of 64 sessions",
    ),
    scenario("rate-128", Kind::Rate, "latency of 128 B of text at a fixed rate over 64 sessions"),
    scenario(
        "stream-down",
        Kind::Stream(Direction::Down),
        "the backend sends 128 B of bytes without end to 8",
    ),
    scenario("stream-up", Kind::Stream(Direction::Up), "8 clients send 128 B of bytes without end"),
    scenario("handshakes", Kind::Handshakes, "sessions that come and go, 32 at a time"),
];

/// The same as the last of [`SCENARIOS`] with tokens that were never shown; it takes a Tidegate.
pub(crate) const STRANGERS: Scenario =
    scenario("strangers", Kind::Strangers, "sessions that come and go, each with a token never seen before");

/// How soon sessions end that only listen; it takes a Tidegate.
pub(crate) const ENDINGS: [Scenario; 4] = [
    scenario("revoked", Kind::Ending(Why::Revoked), "sessions that listen: their tokens are revoked"),
    scenario("expired", Kind::Ending(Why::Expired), "sessions that listen: their token expires"),
    scenario(
        "unsubscribed",
        Kind::Ending(Why::Unsubscribed),
        "sessions that listen: their subscription is taken away",
    ),
    scenario("blocked", Kind::Ending(Why::Blocked), "sessions that listen: their API is blocked"),
];

/// Every one there is.
pub(crate) fn all() -> impl Iterator<Item = Scenario> {
    SCENARIOS.into_iter().chain([STRANGERS]).chain(ENDINGS)
}

/// Prints their names.
pub(crate) fn list() {
    for Scenario { name, about, .. } in all() {
        println!("{name:<14} {about}");
    }
}

/// The scenarios with these names; all when none is named.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Scenario>> {
    let all: Vec<_> = all().collect();
    if names.is_empty() {
        return Ok(all);
    }
    let known = all.iter().map(|scenario| scenario.name).collect::<Vec<_>>().join(", ");
    let find = |name: &String| all.iter().find(|scenario| scenario.name == name).copied();
    names.iter().map(|name| find(name).with_context(|| format!("“{name}” is none of {known}"))).collect()
}

impl Scenario {
    /// Whether the gateway should have done nothing before it.
    pub(crate) fn wants_a_fresh_process(&self) -> bool {
        matches!(self.kind, Kind::Idle(_) | Kind::Stuck)
    }

    /// Whether it is about what only a Tidegate does: TLS and tokens here, a bound on what waits, the check of text.
    pub(crate) fn is_of_tidegate_alone(&self) -> bool {
        match self.kind {
            Kind::Idle(Door::Tls) | Kind::Strangers | Kind::Stuck | Kind::Ending(_) => true,
            Kind::Echo { content, bytes, .. } => content != Content::Binary && bytes >= LONG_BYTES,
            _ => false,
        }
    }

    /// Whether the times of messages are what it is about.
    pub(crate) fn is_of_latency(&self) -> bool {
        matches!(self.kind, Kind::Rate)
    }

    /// Whether several messages of a session are in flight at once.
    pub(crate) fn is_of_many_in_flight(&self) -> bool {
        matches!(self.kind, Kind::Echo { depth: 2.., .. })
    }

    /// What its two figures count.
    pub(crate) fn units(&self) -> (Unit, Unit) {
        match self.kind {
            Kind::Idle(_) | Kind::Stuck => (Unit::Kib, Unit::Kib),
            Kind::Rate => (Unit::LatencyMicros, Unit::CpuMicros),
            Kind::Ending(_) => (Unit::CloseMillis, Unit::CloseMillis),
            _ => (Unit::CpuMicros, Unit::PerSecond),
        }
    }

    /// Runs it and tells what it found.
    pub(crate) fn run(&self, subject: &mut Subject, settings: &Settings) -> Result<Found> {
        match self.kind {
            Kind::Idle(door) => of_idle(subject, door, settings.idle),
            Kind::Stuck => of_stuck(subject, settings),
            Kind::Echo { sessions, content, bytes, depth } => {
                let (door, pace, Settings { measure, calls, .. }) =
                    (Door::Plain, Pace::Depth(depth), *settings);
                Ok(of_echo(&Load { door, sessions, content, bytes, pace, measure, calls }.run(subject)?))
            }
            Kind::Rate => {
                let pace = Pace::Rate(settings.rate);
                // A tail needs many messages to be seen.
                let (door, measure) = (Door::Plain, settings.measure * 4);
                let (sessions, content, bytes, calls) = (SESSIONS, Content::Text, BYTES, settings.calls);
                Ok(of_rate(&Load { door, sessions, content, bytes, pace, measure, calls }.run(subject)?))
            }
            Kind::Stream(direction) => {
                let found = flood::run(subject, direction, BYTES, settings.measure)?;
                let (figure, beside) = (
                    found.cpu.all.as_secs_f64() * 1e6 / found.messages,
                    found.messages / found.took.as_secs_f64(),
                );
                Ok(Found {
                    figure, beside, line: format!("{beside:.0} messages/s; CPU {figure:.3} µs each")
                })
            }
            Kind::Handshakes => {
                let target = subject.target(Door::Plain)?;
                Ok(of_handshakes(&handshakes::run(subject, target, settings.measure, usize::MAX)?))
            }
            Kind::Strangers => {
                let target = subject.target_of_strangers(settings.strangers)?;
                let found = handshakes::run(subject, &target, settings.measure, settings.strangers)?;
                Ok(of_handshakes(&found))
            }
            Kind::Ending(why) => Ok(of_ending(&ending::run(subject, why, settings.listening)?, settings)),
        }
        .with_context(|| format!("scenario {}", self.name))
    }
}

fn of_idle(subject: &Subject, door: Door, sessions: usize) -> Result<Found> {
    let found = idle::run(subject, door, sessions)?;
    let line = format!(
        "{sessions} sessions opened in {:.1} s; {:.2} KiB each, {:.2} KiB after one message; {:.1} MiB before",
        found.opened_in.as_secs_f64(),
        found.session_kib,
        found.spoken_kib,
        float(found.before_kib) / 1_024.0,
    );
    Ok(Found { figure: found.spoken_kib, beside: found.session_kib, line })
}

fn of_stuck(subject: &Subject, settings: &Settings) -> Result<Found> {
    let found = stuck::run(subject, settings.backend, settings.stuck)?;
    let figure = found.own_kib + found.kernel_kib;
    let line = format!(
        "{} sessions; {figure:.1} KiB each: {:.1} of the gateway, {:.1} of the kernel for its sockets",
        settings.stuck, found.own_kib, found.kernel_kib,
    );
    Ok(Found { figure, beside: found.own_kib, line })
}

fn of_echo(found: &Measured) -> Found {
    let figure = found.micros_each(found.cpu.all);
    let relay = if found.cpu.relay.is_zero() {
        String::new()
    } else {
        format!(" ({:.1} µs in relay workers)", found.micros_each(found.cpu.relay))
    };
    let calls =
        found.calls.as_ref().map_or_else(String::new, |calls| format!("; {}", calls.each(found.echoes)));
    let line = format!(
        "{:.0} echoes/s; {}; CPU {figure:.2} µs an echo{relay}{calls}",
        found.per_second(),
        times(&found.times)
    );
    Found { figure, beside: found.per_second(), line }
}

fn of_rate(found: &Measured) -> Found {
    let (figure, beside) = (found.times.quantile(990).as_secs_f64() * 1e6, found.micros_each(found.cpu.all));
    let line =
        format!("{:.0} echoes/s; {}; CPU {beside:.2} µs an echo", found.per_second(), times(&found.times));
    Found { figure, beside, line }
}

fn of_handshakes(found: &handshakes::Opened) -> Found {
    let (figure, beside) = (found.micros_each(), found.per_second());
    let line = format!("{beside:.0} sessions/s; {}; CPU {figure:.1} µs each", times(&found.times));
    Found { figure, beside, line }
}

fn of_ending(found: &ending::Ended, settings: &Settings) -> Found {
    let millis = |thousandths| found.times.quantile(thousandths).as_secs_f64() * 1e3;
    let answered = found.answered_in.map_or_else(String::new, |took| {
        let (took, before) = (took.as_secs_f64() * 1e3, found.before_the_answer);
        format!("; answered after {took:.0} ms, {before} closed by then")
    });
    let line = format!("all {} closed as they should; {}{answered}", settings.listening, times(&found.times));
    Found { figure: millis(990), beside: millis(1_000), line }
}

fn times(times: &crate::histogram::Histogram) -> String {
    let millis = |thousandths| times.quantile(thousandths).as_secs_f64() * 1e3;
    format!("p50 {:.3} ms, p99 {:.3} ms, max {:.3} ms", millis(500), millis(990), millis(1_000))
}
