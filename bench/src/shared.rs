//! Several Tidegates that hold one plan together by Redis: how much passes beyond it, and what a message notices when
//! Redis is killed.
//!
//! It starts everything itself: one Tidegate that makes the records, then three on copies of its data folder, and a Redis
//! that keeps nothing. The plan counts what clients publish and drops what is beyond, so that each echo is a message that
//! passed.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::{
    alarm::Alarm,
    client::{Clients, Keys},
    echo,
    frame::{CLOSE, HeaderReader, TEXT},
    load::{Content, Load, Measured, Pace, float},
    peers::{absolute, free_address, spawn, stop, wait_for, wait_for_addresses},
    process::Process,
    subject::{self, Door, Subject},
};

/// Tidegates.
const GATEWAYS: usize = 3;
/// Messages a minute of the plan that all of them hold together.
const AMOUNT: u64 = 10_000;
/// Sessions at each of them.
const SESSIONS: usize = 8;
/// Messages that each session sends in a turn.
const AT_ONCE: usize = 8;
/// Between two turns. Over all sessions it is some hundred times what the plan allows.
const TURN: Duration = Duration::from_millis(3);
/// How long clients send, all within one minute of the clock.
const SENDING: Duration = Duration::from_secs(15);
/// Time for the last echoes.
const LATE: Duration = Duration::from_secs(2);
/// Messages a second of the measurement of latency, on one of the gateways.
const RATE: u32 = 2_000;
/// The plan that is held together, and one that nobody reaches.
const PLANS: [(&str, u64); 2] = [("Together", AMOUNT), ("Bench", 4_000_000_000)];
/// What a Tidegate logs once it shares.
const SHARES: &str = "budgets are shared with other gateways";

/// Measures what passes beyond a plan that three gateways hold together by Redis (`cargo xtask bench shared` does it)
#[derive(Debug, clap::Args)]
pub(crate) struct Shared {
    /// The build that is measured
    #[arg(long, value_name = "FILE")]
    tidegate: PathBuf,
    /// Redis
    #[arg(long, value_name = "FILE")]
    redis_server: PathBuf,
    /// Where data and logs are kept
    #[arg(long, value_name = "DIR", value_parser = absolute)]
    folder: PathBuf,
    /// Seconds that latency is measured, each time
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How often latency is measured with Redis, while it is killed, and without it
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// A program that ends with this.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        stop(&mut self.0);
    }
}

/// What clients need of the records: the API's path and a key for each plan.
struct Records {
    paths: [String; 2],
    key: (String, String),
}

impl Shared {
    pub(crate) fn go(self) -> Result<()> {
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot make {}", self.folder.display()))?;
        let echo = echo::listen((Ipv4Addr::LOCALHOST, 0).into())?;
        let backend = echo.address;
        // It ends with the process; a backend that fails shows in every session.
        thread::spawn(move || echo.serve());
        let records = self.records(backend)?;
        let redis_at = free_address()?;
        let redis = self.redis(redis_at)?;
        let mut gateways = Vec::new();
        for number in 1..=GATEWAYS {
            copy(&self.data(0), &self.data(number))?;
            gateways.push(self.serve(number, Some(redis_at))?);
        }
        for number in 1..=GATEWAYS {
            self.shares(number, 1)?;
        }
        let is_debug = Process(gateways[0].0.id()).is_debug_build();
        println!(
            "{GATEWAYS} gateways, one Redis, one plan of {AMOUNT} messages a minute{}",
            if is_debug { "\nIt is a debug build: its figures say nothing about the product." } else { "" }
        );
        self.over_admission(&records)?;
        self.latency(&records, redis, redis_at, gateways[0].0.id())
    }

    fn data(&self, number: usize) -> PathBuf {
        self.folder.join(format!("tidegate-{number}"))
    }

    /// Makes them on a Tidegate of their own, which has ended when this returns.
    fn records(&self, backend: SocketAddr) -> Result<Records> {
        let _running = self.serve(0, None)?;
        let mut rest = subject::sign_in(&self.data(0))?;
        let application = rest.call("POST", "/applications", &json!({ "name": "Bench" }))?["id"].clone();
        let id = application.as_str().context("an application has an id")?;
        let key = rest.call("POST", &format!("/applications/{id}/keys"), &json!({ "type": "production" }))?;
        let mut paths = [String::new(), String::new()];
        for (path, (plan, amount)) in paths.iter_mut().zip(PLANS) {
            let limit = json!({ "amount": amount, "per": "minute", "direction": "publish" });
            rest.call("POST", "/plans", &json!({ "name": plan, "limits": [limit], "on_excess": "drop" }))?;
            let endpoints = json!({ "production": { "url": format!("ws://{backend}") } });
            let context = format!("/{}", plan.to_lowercase());
            let api = json!({
                "name": plan, "context": context, "version": "1.0", "endpoints": endpoints,
                "plans": [plan], "publish": true,
            });
            let api = rest.call("POST", "/apis", &api)?;
            let wanted = json!({ "application_id": id, "api_id": api["id"], "plan": plan });
            rest.call("POST", "/subscriptions", &wanted)?;
            *path = format!("{context}/1.0");
        }
        let text = |name: &str| key[name].as_str().map(str::to_owned).context("a key has an id and a secret");
        Ok(Records { paths, key: (text("client_id")?, text("client_secret")?) })
    }

    fn serve(&self, number: usize, redis: Option<SocketAddr>) -> Result<Started> {
        let data = self.data(number);
        let _ = fs::remove_file(data.join("addresses.json"));
        let mut command = Command::new(&self.tidegate);
        command.args(["serve", "--workers", "1", "--data"]).arg(&data);
        for door in ["--portal", "--ws", "--wss"] {
            command.args([door, "localhost:0"]);
        }
        if let Some(redis) = redis {
            command.arg("--redis").arg(format!("redis://{redis}"));
        }
        let log = self.log(number);
        let mut started = Started(spawn(command, &log)?);
        wait_for_addresses(&mut started.0, &data, &log)?;
        Ok(started)
    }

    fn log(&self, number: usize) -> PathBuf {
        self.folder.join(format!("tidegate-{number}.log"))
    }

    fn redis(&self, at: SocketAddr) -> Result<Started> {
        let mut command = Command::new(&self.redis_server);
        command.args(["--port", &at.port().to_string(), "--bind", &at.ip().to_string()]);
        command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(&self.folder);
        let log = self.folder.join("redis.log");
        let mut started = Started(spawn(command, &log)?);
        wait_for(&mut started.0, &log, || Ok(std::net::TcpStream::connect(at).map(drop)?))?;
        Ok(started)
    }

    /// Waits until a gateway has said so often that it shares.
    fn shares(&self, number: usize, times: usize) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while fs::read_to_string(self.log(number))?.matches(SHARES).count() < times {
            ensure!(Instant::now() < deadline, "{} does not say that it shares", self.log(number).display());
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Where clients of one of the gateways go.
    fn subject(&self, number: usize, records: &Records, plan: usize, pids: &[u32]) -> Result<Subject> {
        let mut rest = subject::sign_in(&self.data(number))?;
        let token = rest.token(&records.key.0, &records.key.1)?;
        let url = format!("{}{}", subject::ws(&self.data(number))?, records.paths[plan]);
        Ok(Subject::at(&url, "Tidegate", pids)?.showing(&token))
    }

    fn over_admission(&self, records: &Records) -> Result<()> {
        let subjects = (1..=GATEWAYS).map(|number| self.subject(number, records, 0, &[]));
        let subjects: Vec<_> = subjects.collect::<Result<_>>()?;
        begin_of_minute(SENDING + LATE);
        let counts = thread::scope(|scope| {
            let sending: Vec<_> = subjects.iter().map(|subject| scope.spawn(|| saturate(subject))).collect();
            sending
                .into_iter()
                .map(|sending| sending.join().expect("it does not panic"))
                .collect::<Result<Vec<_>>>()
        })?;
        let (sent, passed) = counts.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let each: Vec<_> = counts.iter().map(|(_, passed)| passed.to_string()).collect();
        let beyond = 100.0 * (float(passed) - float(AMOUNT)) / float(AMOUNT);
        println!(
            "{:<14} {passed} of {sent} passed ({}): {beyond:+.2} % beyond the plan",
            "over-admission",
            each.join(" + ")
        );
        Ok(())
    }

    /// With Redis, while it is killed, and without it, in turn and so often: a median of several is told from noise, one is not.
    fn latency(&self, records: &Records, first: Started, redis_at: SocketAddr, pid: u32) -> Result<()> {
        let subject = self.subject(1, records, 1, &[pid])?;
        let load = Load {
            door: Door::Plain,
            sessions: 64,
            content: Content::Text,
            bytes: 128,
            pace: Pace::Rate(RATE),
            measure: Duration::from_secs_f64(self.seconds),
            calls: false,
        };
        let (mut first, mut all): (_, [Vec<Measured>; 3]) = (Some(first), Default::default());
        for round in 1..=self.rounds {
            let mut redis = match first.take() {
                Some(redis) => redis,
                None => self.redis(redis_at)?,
            };
            self.shares(1, round)?;
            all[0].push(load.run(&subject)?);
            // In the middle of it, so that whoever waits for an answer that does not come is among them.
            let half = load.measure / 2;
            let dying = thread::spawn(move || {
                thread::sleep(half);
                redis.0.kill().and_then(|()| redis.0.wait())
            });
            all[1].push(load.run(&subject)?);
            dying.join().expect("it does not panic")?;
            all[2].push(load.run(&subject)?);
        }
        for (name, measured) in ["with Redis", "Redis killed", "without Redis"].into_iter().zip(&all) {
            let quantile = |thousandths| {
                let mut micros: Vec<_> =
                    measured.iter().map(|one| one.times.quantile(thousandths).as_micros()).collect();
                micros.sort_unstable();
                let (least, most) = (micros[0], micros[micros.len() - 1]);
                format!("{} µs ({least} to {most})", micros[micros.len() / 2])
            };
            println!(
                "{name:<14} p50 {}, p99 {}, p99.9 {}: medians of {} runs",
                quantile(500),
                quantile(990),
                quantile(999),
                self.rounds
            );
        }
        Ok(())
    }
}

/// Sends more than the plan allows; answers how much was sent and how much came back.
fn saturate(subject: &Subject) -> Result<(u64, u64)> {
    let mut clients = Clients::open(subject.target(Door::Plain)?, SESSIONS)?;
    let alarm = Alarm::new(clients.registry())?;
    let mut readers: Vec<(HeaderReader, usize)> = Vec::new();
    readers.resize_with(SESSIONS, Default::default);
    let (mut keys, mut sent, mut passed) = (Keys::default(), 0, 0);
    let (mut next, end) = (Instant::now(), Instant::now() + SENDING);
    while Instant::now() < end + LATE {
        let now = Instant::now();
        if now >= next && now < end {
            for place in 0..SESSIONS {
                let batch: Vec<u8> = (0..AT_ONCE).flat_map(|_| keys.framed(TEXT, b"a message")).collect();
                clients.stream(place).send(&batch)?;
                sent += AT_ONCE as u64;
            }
            next = now + TURN;
        }
        let wake = if now < end { next } else { end + LATE };
        alarm.set(wake.saturating_duration_since(Instant::now()))?;
        clients.turn(None, |place, mut bytes, _| {
            let (reader, left) = &mut readers[place];
            while !bytes.is_empty() {
                let piece = bytes.len().min(*left);
                (bytes, *left) = (&bytes[piece..], *left - piece);
                if *left == 0 {
                    let Some(header) = reader.take(&mut bytes) else { break };
                    ensure!(header.opcode() != CLOSE, "a session was closed by the gateway");
                    passed += u64::from(!header.is_control());
                    *left = header.payload_bytes;
                }
            }
            Ok(())
        })?;
    }
    clients.abort();
    Ok((sent, passed))
}

/// Returns when so much of a minute of the clock is left, and some.
fn begin_of_minute(needed: Duration) {
    let second = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() % 60);
    while second() + needed.as_secs() + 5 > 60 || second() < 1 {
        thread::sleep(Duration::from_millis(100));
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
