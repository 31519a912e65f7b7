//! Measures running gateways: named scenarios on one, or Tidegate and its peers side by side with a table at the end. It
//! never gates a change.
//!
//! It knows none of the product's crates: it is a WebSocket client, a backend and a reader of `/proc`. It loads
//! loopback addresses alone and for a bounded time. Read `scenario.rs` for what is measured, `subject.rs` for what
//! it is measured on, `peers.rs` and `compare.rs` for the comparison, `bars.rs` for what has to be reached.

mod alarm;
mod bars;
mod calls;
mod client;
mod compare;
mod echo;
mod ending;
mod flood;
mod frame;
mod handshake;
mod handshakes;
mod histogram;
mod hostile;
mod idle;
mod limits;
mod load;
mod peers;
mod process;
mod relay;
mod rest;
mod scenario;
mod shared;
mod stream;
mod stuck;
mod subject;
mod table;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    thread,
    time::Duration,
};

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};

use scenario::Settings;
use subject::Subject;

/// Measures running gateways.
#[derive(Debug, Parser)]
#[command(name = "tidegate-bench", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios on one gateway and print what they found
    Run(Run),
    /// Run scenarios on Tidegate and its peers in turn and write a table (`cargo xtask bench` does it)
    Compare(compare::Compare),
    /// Measure several Tidegates that hold one plan together by Redis
    Shared(shared::Shared),
    /// Measure what limits cost a message, and the memory of budgets
    Limits(limits::Limits),
    /// Name the scenarios
    List,
    /// Run the echo backend alone, for a gateway that is configured by hand
    Echo {
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:9097")]
        listen: SocketAddr,
    },
    /// Run a peer: a relay of whole messages, as it is made of the library tungstenite
    Relay {
        /// Where to listen
        #[arg(long)]
        listen: SocketAddr,
        /// The echo backend
        #[arg(long)]
        backend: SocketAddr,
        /// Gather what is there before writing, instead of writing each message
        #[arg(long)]
        gather: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Scenarios by name; all of them when none is named
    scenarios: Vec<String>,
    /// Data folder of a running `tidegate serve --demo`
    #[arg(long, env = "TIDEGATE_DATA", value_name = "DIR", required_unless_present = "url")]
    data: Option<PathBuf>,
    /// The plan of its subscription
    #[arg(long, default_value = "Unlimited")]
    plan: String,
    /// Another gateway instead: an address that leads to an echo backend
    #[arg(long, value_name = "URL", requires = "pids", requires = "backend", conflicts_with = "data")]
    url: Option<String>,
    /// Process of that gateway; its children count as well; may be repeated
    #[arg(long = "pid", value_name = "PID")]
    pids: Vec<u32>,
    /// The echo backend behind that gateway
    #[arg(long, value_name = "ADDR")]
    backend: Option<SocketAddr>,
    /// Seconds that each load is measured
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Sessions of the scenarios `idle` and `idle-tls`
    #[arg(long, default_value_t = 1_000)]
    idle: usize,
    /// Sessions of the scenario `stuck`
    #[arg(long, default_value_t = 1_000)]
    stuck: usize,
    /// Sessions of the scenarios `revoked`, `expired`, `unsubscribed` and `blocked`
    #[arg(long, default_value_t = 5_000)]
    listening: usize,
    /// Tokens of the scenario `strangers`
    #[arg(long, default_value_t = 2_000)]
    strangers: usize,
    /// Messages a second of the scenario `rate-128`
    #[arg(long, default_value_t = 10_000)]
    rate: u32,
    /// Count the system calls of the threads that carry sessions, with perf
    #[arg(long)]
    calls: bool,
}

fn main() -> ExitCode {
    raise_descriptor_limit();
    let outcome = match Arguments::parse().command {
        Command::Run(run) => run.go(),
        Command::Compare(compare) => compare.go(),
        Command::Shared(shared) => shared.go(),
        Command::Limits(limits) => limits.go(),
        Command::List => {
            scenario::list();
            Ok(())
        }
        Command::Echo { listen } => echo::listen(listen).and_then(|echo| {
            println!("Echo backend at ws://{}", echo.address);
            echo.serve()
        }),
        Command::Relay { listen, backend, gather } => relay::serve(listen, backend, gather),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tidegate-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Run {
    fn go(self) -> Result<()> {
        ensure!(self.seconds > 0.0 && self.idle > 0, "a measurement needs time and sessions");
        let (mut subject, backend) = match (&self.data, &self.url, self.backend) {
            (_, Some(url), Some(backend)) => (Subject::at(url, url, &self.pids)?, backend),
            (Some(data), _, _) => {
                let echo = echo::listen((Ipv4Addr::LOCALHOST, 0).into())?;
                let backend = echo.address;
                // It ends with the process; a backend that fails shows in every session.
                thread::spawn(move || echo.serve());
                (Subject::in_folder(data, backend, &self.plan)?, backend)
            }
            _ => anyhow::bail!("name the data folder with --data, or a gateway with --url"),
        };
        println!("{}", subject.described());
        let settings = Settings {
            measure: Duration::from_secs_f64(self.seconds),
            idle: self.idle,
            stuck: self.stuck,
            listening: self.listening,
            strangers: self.strangers,
            rate: self.rate,
            calls: self.calls,
            backend,
        };
        let is_tidegate = self.url.is_none();
        let chosen = scenario::chosen(&self.scenarios);
        let outcome = chosen.and_then(|chosen| {
            let can_be_run = |scenario: &scenario::Scenario| is_tidegate || !scenario.is_of_tidegate_alone();
            chosen.into_iter().filter(can_be_run).try_for_each(|scenario| {
                let found = scenario.run(&mut subject, &settings)?;
                println!("{:<14} {}", scenario.name, found.line);
                Ok(())
            })
        });
        // What was made for the measurement goes away also when it failed.
        subject.clear().and(outcome)
    }
}

/// A session is one descriptor here; shells allow a process 1,024 at first, and far more when it asks.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    // Where it stays low, opening a session fails and says so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
