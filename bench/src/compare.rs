//! Tidegate and its peers in turn: every scenario on every gateway once, then all again, so that what else the machine
//! does falls on all of them.
//!
//! What is read on a fresh process comes first, each time on one that was just started; then all gateways stay up side by
//! side, only one of them loaded at a time. A measurement that fails is told in the table and left out of it.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};

use crate::{
    bars::Samples,
    hostile::{self, Recorder, Refused},
    peers::{CLIENT_CORE, Gateway, Programs, Running},
    process,
    scenario::{self, Found, Scenario, Settings},
    subject::Door,
    table,
};

/// Name of what is no scenario of one gateway under load: the handshakes that have to be refused.
const HOSTILE: &str = "hostile";
/// Repetitions that medians are made of.
const REPS: usize = 9;
/// Messages a second of the open loop: half of what the slowest peer carries.
const RATE: u32 = 10_000;
/// Sessions that never read.
const STUCK: usize = 1_000;
/// Sessions that listen until what they live by ends.
const LISTENING: usize = 5_000;

/// Run scenarios on Tidegate and its peers in turn and write a table
#[derive(Debug, clap::Args)]
pub(crate) struct Compare {
    /// Scenarios by name, or `hostile` for handshakes that have to be refused; all of them when none is named
    #[arg(long = "only", value_name = "NAME", num_args = 1..)]
    only: Vec<String>,
    /// Repetitions [default: 9, or 1 with --quick]
    #[arg(long)]
    reps: Option<usize>,
    /// A look in a few minutes instead of figures: short measurements, few sessions
    #[arg(long)]
    quick: bool,
    /// The table
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What the table says it was made with
    #[arg(long, default_value = "tidegate-bench compare")]
    command: String,
    /// What the table says was measured
    #[arg(long, default_value = "a revision nobody named")]
    revision: String,
    #[command(flatten)]
    programs: Programs,
}

/// All that was found.
#[derive(Default)]
pub(crate) struct Results {
    pub(crate) samples: Samples,
    pub(crate) hostile: Vec<(Gateway, Refused)>,
    pub(crate) failures: Vec<String>,
}

impl Compare {
    /// See the module.
    pub(crate) fn go(self) -> Result<()> {
        let reps = self.reps.unwrap_or(if self.quick { 1 } else { REPS });
        ensure!(reps > 0, "a median is made of at least one repetition");
        let plays_hostile = self.only.is_empty() || self.only.iter().any(|name| name == HOSTILE);
        let names: Vec<_> = self.only.iter().filter(|name| *name != HOSTILE).cloned().collect();
        let scenarios = if names.is_empty() && plays_hostile && !self.only.is_empty() {
            Vec::new()
        } else {
            scenario::chosen(&names)?
        };
        let machine = table::Machine::now();
        self.programs.prepare()?;
        process::pin(CLIENT_CORE)?;
        let (backend, address) = self.programs.backend()?;
        let settings = self.settings(address);
        let mut results = Results::default();
        let (fresh, warm): (Vec<_>, Vec<_>) =
            scenarios.into_iter().partition(Scenario::wants_a_fresh_process);
        self.on_fresh_processes(&fresh, reps, &settings, &mut results);
        if !warm.is_empty() {
            self.side_by_side(&warm, reps, backend, &settings, &mut results)?;
        }
        if plays_hostile {
            self.hostile(&mut results)?;
        }
        let about = table::About {
            command: &self.command,
            revision: &self.revision,
            machine,
            versions: self.programs.versions(),
            reps,
            is_whole: self.only.is_empty(),
            settings: &settings,
        };
        table::write(&self.out, &about, &results)
    }

    fn settings(&self, backend: SocketAddr) -> Settings {
        let millis = if self.quick { 250 } else { 1_000 };
        Settings {
            measure: Duration::from_millis(millis),
            idle: if self.quick { 1_000 } else { 5_000 },
            stuck: if self.quick { STUCK / 4 } else { STUCK },
            listening: if self.quick { LISTENING / 5 } else { LISTENING },
            strangers: if self.quick { 600 } else { 3_000 },
            rate: RATE,
            calls: false,
            backend,
        }
    }

    /// The gateways of this machine that play a scenario.
    fn players(&self, scenario: &Scenario) -> Vec<Gateway> {
        let plays = |gateway: &Gateway| {
            self.programs.has(*gateway)
                && (*gateway == Gateway::Tidegate || !scenario.is_of_tidegate_alone())
                && (*gateway != Gateway::Direct || scenario.is_of_latency())
                && (!gateway.is_relay_of_messages() || scenario.is_of_many_in_flight())
        };
        Gateway::ALL.into_iter().filter(plays).collect()
    }

    fn on_fresh_processes(
        &self,
        scenarios: &[Scenario],
        reps: usize,
        settings: &Settings,
        results: &mut Results,
    ) {
        for rep in 1..=reps {
            for scenario in scenarios {
                for gateway in self.players(scenario) {
                    let found = self.programs.start(gateway, settings.backend).and_then(|mut running| {
                        let found = scenario.run(&mut running.subject, settings);
                        running.end().and(found)
                    });
                    results.note(rep, scenario, gateway, found);
                }
            }
        }
    }

    fn side_by_side(
        &self,
        scenarios: &[Scenario],
        reps: usize,
        mut backend: Running,
        settings: &Settings,
        results: &mut Results,
    ) -> Result<()> {
        let is_needed = |gateway: &Gateway| {
            scenarios.iter().any(|scenario| self.players(scenario).contains(gateway))
                && *gateway != Gateway::Direct
        };
        let mut running = Vec::new();
        for gateway in Gateway::ALL.into_iter().filter(is_needed) {
            match self.programs.start(gateway, settings.backend) {
                Ok(started) => running.push((gateway, started)),
                Err(error) if gateway == Gateway::Tidegate => return Err(error),
                // The others are still worth their figures.
                Err(error) => results.failures.push(format!("{} did not start: {error:#}", gateway.name())),
            }
        }
        for rep in 1..=reps {
            for (_, running) in &mut running {
                running.subject.refresh()?;
            }
            for scenario in scenarios {
                for gateway in self.players(scenario) {
                    let subject = match running.iter_mut().find(|(other, _)| *other == gateway) {
                        Some((_, running)) => &mut running.subject,
                        None if gateway == Gateway::Direct => &mut backend.subject,
                        None => continue,
                    };
                    results.note(rep, scenario, gateway, scenario.run(subject, settings));
                }
            }
        }
        running.into_iter().try_for_each(|(_, running)| running.end())
    }

    fn hostile(&self, results: &mut Results) -> Result<()> {
        let (recorder, address) = Recorder::start()?;
        for gateway in [Gateway::Tidegate, Gateway::Nginx, Gateway::Haproxy, Gateway::Envoy] {
            if !self.programs.has(gateway) {
                continue;
            }
            let mut running = self.programs.start(gateway, address)?;
            let token = running.subject.token()?;
            let refused = hostile::run(running.subject.target(Door::Plain)?, &token, &recorder)
                .with_context(|| gateway.name())?;
            eprintln!("hostile        {:<18} {refused:?}", gateway.name());
            results.hostile.push((gateway, refused));
            running.end()?;
        }
        Ok(())
    }
}

impl Results {
    fn note(&mut self, rep: usize, scenario: &Scenario, gateway: Gateway, found: Result<Found>) {
        let who = format!("{:<14} {:<18}", scenario.name, gateway.name());
        match found {
            Ok(Found { figure, beside, line }) => {
                eprintln!("{rep:>2} {who} {line}");
                self.samples.entry((scenario.name, gateway)).or_default().push([figure, beside]);
            }
            Err(error) => {
                eprintln!("{rep:>2} {who} failed: {error:#}");
                self.failures.push(format!(
                    "{} on {}, repetition {rep}: {error:#}",
                    scenario.name,
                    gateway.name()
                ));
            }
        }
    }
}
