//! Measures a running gateway: named scenarios, results as text. It never gates a change.
//!
//! It knows none of the product's crates: it is a WebSocket client, a backend and a reader of `/proc`. It loads
//! loopback addresses alone and for a bounded time. Read `scenario.rs` for what is measured, `subject.rs` for what
//! it is measured on, `load.rs` and `idle.rs` for how.

mod calls;
mod client;
mod echo;
mod frame;
mod idle;
mod load;
mod process;
mod rest;
mod scenario;
mod subject;
mod wire;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Result, ensure};
use clap::{Parser, Subcommand};

use scenario::Settings;
use subject::Subject;

/// Measures a running gateway.
#[derive(Debug, Parser)]
#[command(name = "tidegate-bench", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios and print what they found
    Run(Run),
    /// Name the scenarios
    List,
    /// Run the echo backend alone, for a gateway that is configured by hand
    Echo {
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:9097")]
        listen: SocketAddr,
    },
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Scenarios by name; all of them when none is named
    scenarios: Vec<String>,
    /// Data folder of a running `tidegate serve --demo`
    #[arg(long, env = "TIDEGATE_DATA", value_name = "DIR", required_unless_present = "url")]
    data: Option<PathBuf>,
    /// Another gateway instead: an address that leads to an echo backend
    #[arg(long, value_name = "URL", requires = "pids", conflicts_with = "data")]
    url: Option<String>,
    /// Process of that gateway; may be repeated
    #[arg(long = "pid", value_name = "PID")]
    pids: Vec<u32>,
    /// Seconds that each load is measured
    #[arg(long, default_value_t = 5)]
    seconds: u16,
    /// Bytes of a message
    #[arg(long, default_value_t = 128)]
    bytes: u32,
    /// Sessions of the scenario `idle`
    #[arg(long, default_value_t = 1_000)]
    idle: u32,
    /// Count the system calls of the threads that carry sessions, with perf
    #[arg(long)]
    calls: bool,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(run) => run.go(),
        Command::List => {
            scenario::list();
            Ok(())
        }
        Command::Echo { listen } => echo::listen(listen).and_then(|echo| {
            println!("Echo backend at ws://{}", echo.address);
            echo.serve()
        }),
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
        let chosen = scenario::chosen(&self.scenarios)?;
        ensure!(self.seconds > 0 && self.idle > 0, "a measurement needs time and sessions");
        raise_descriptor_limit();
        let subject = match (&self.data, &self.url) {
            (_, Some(url)) => Subject::at(url, &self.pids)?,
            (Some(data), None) => Subject::in_folder(data)?,
            (None, None) => anyhow::bail!("name the data folder with --data, or a gateway with --url"),
        };
        println!("{}", subject.described());
        let settings = Settings {
            measure: Duration::from_secs(self.seconds.into()),
            bytes: usize::try_from(self.bytes)?,
            idle: self.idle,
            calls: self.calls,
        };
        let outcome = chosen.iter().try_for_each(|scenario| {
            println!("{}", scenario.run(&subject, &settings)?);
            Ok(())
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
