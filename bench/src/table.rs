//! The table as Markdown: how it was made, each bar with its figure and verdict, and all figures behind them.

use std::{
    fmt::{self, Write as _},
    fs,
    path::Path,
    thread,
};

use anyhow::{Context as _, Result};
use time::{OffsetDateTime, UtcOffset};

use crate::{
    bars::{Samples, Verdict, column, median, shown, spread, verdicts},
    compare::Results,
    hostile::Refused,
    peers::Gateway,
    scenario::{self, Scenario, Settings, Unit},
};

/// How it was made.
pub(crate) struct About<'a> {
    pub(crate) command: &'a str,
    pub(crate) revision: &'a str,
    pub(crate) machine: Machine,
    pub(crate) versions: Vec<String>,
    pub(crate) reps: usize,
    /// Whether all scenarios were to be played.
    pub(crate) is_whole: bool,
    pub(crate) settings: &'a Settings,
}

/// The machine before the first measurement.
pub(crate) struct Machine {
    processor: String,
    kernel: String,
    cores: usize,
    load: String,
}

impl Machine {
    /// This one.
    pub(crate) fn now() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpus = read("/proc/cpuinfo");
        let processor = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        Self {
            processor: processor.map_or("unknown processor", |(_, name)| name.trim()).to_owned(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            cores: thread::available_parallelism().map_or(0, std::num::NonZero::get),
            load: load_average(),
        }
    }
}

fn load_average() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// Writes the table.
pub(crate) fn write(path: &Path, about: &About<'_>, results: &Results) -> Result<()> {
    let mut text = String::from("# Tidegate beside its peers\n\n");
    head(&mut text, about)?;
    text.push_str("\n## Bars\n\n| what | bar | figure (spread) | |\n|---|---:|---:|---|\n");
    let of_others = path.parent().map(suites).unwrap_or_default();
    for verdict in verdicts(&results.samples, about.reps, about.is_whole)
        .into_iter()
        .chain(refusals(&results.hostile))
        .chain(of_others)
    {
        let is_reached = match verdict.is_reached {
            Some(true) => "ok",
            Some(false) => "**missed**",
            None => "",
        };
        writeln!(text, "| {} | {} | {} | {is_reached} |", verdict.what, verdict.bar, verdict.figure)?;
    }
    text.push_str("\n## Figures\n\nMedians, and the least and the most of all repetitions.\n");
    for (unit, title) in [
        (
            Unit::CpuMicros,
            "CPU µs of the gateway: an echo, a message of a stream, a session that comes and goes",
        ),
        (Unit::PerSecond, "Echoes, messages, sessions a second"),
        (Unit::LatencyMicros, "p99 of an echo at a fixed rate, µs"),
        (Unit::CloseMillis, "p99 from what ends sessions to the Close at their clients, ms"),
        (Unit::Kib, "Memory of a session, KiB"),
    ] {
        figures(&mut text, unit, title, &results.samples)?;
    }
    text.push_str("\n## Scenarios\n\n");
    for Scenario { name, about, .. } in scenario::all() {
        if results.samples.keys().any(|(played, _)| *played == name) {
            writeln!(text, "- `{name}`: {about}")?;
        }
    }
    if !results.failures.is_empty() {
        text.push_str("\n## Failed\n\n");
        results.failures.iter().try_for_each(|failure| writeln!(text, "- {failure}"))?;
    }
    fs::write(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{text}");
    Ok(())
}

fn head(text: &mut String, about: &About<'_>) -> fmt::Result {
    let About { command, revision, machine, versions, reps, settings, .. } = about;
    let date = OffsetDateTime::now_utc().to_offset(UtcOffset::UTC).date();
    let Machine { processor, kernel, cores, load } = machine;
    writeln!(
        text,
        "Made by `{command}` at {revision} on {date}: {reps} interleaved repetitions of {:?}, one worker each. Gateways on core 0, backend \
         and clients on core 1 of {cores} ({processor}, Linux {kernel}); load average {load} before, {} \
         after.\n\n\
         Tidegate checks access tokens, a limit of Gold's kind that is never reached, the WebSocket protocol in both \
         directions and UTF-8, and counts for analytics; the tunnels do nothing of it. A limit counts both directions, so \
         an echo is two messages to it. {} sessions stay idle, {} never read, {} listen until \
         they are ended; the fixed rate is {} echoes a second.\n",
        settings.measure,
        load_average(),
        settings.idle,
        settings.stuck,
        settings.listening,
        settings.rate,
    )?;
    versions.iter().try_for_each(|version| writeln!(text, "- {version}"))
}

fn figures(text: &mut String, unit: Unit, title: &str, samples: &Samples) -> fmt::Result {
    let all: Vec<Scenario> = scenario::all().collect();
    let place = |scenario: &Scenario| {
        let (figure, beside) = scenario.units();
        if figure == unit { Some(0) } else { (beside == unit).then_some(1) }
    };
    let rows: Vec<_> = all
        .iter()
        .filter_map(|scenario| Some((scenario, place(scenario)?)))
        .filter(|(scenario, _)| samples.keys().any(|(name, _)| *name == scenario.name))
        .collect();
    let players =
        |gateway: &Gateway| rows.iter().any(|(scenario, _)| samples.contains_key(&(scenario.name, *gateway)));
    let columns: Vec<_> = Gateway::ALL.into_iter().filter(players).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let names = columns.iter().map(|gateway| gateway.name()).collect::<Vec<_>>().join(" | ");
    writeln!(text, "\n### {title}\n\n| | {names} |\n|---{}|", "|---:".repeat(columns.len()))?;
    for (scenario, place) in rows {
        let cells = columns.iter().map(|gateway| {
            let found = samples.get(&(scenario.name, *gateway)).map(|found| column(found, place));
            let shown =
                found.and_then(|found| Some(format!("{} ({})", shown(median(&found)?), spread(&found))));
            shown.unwrap_or_else(|| "–".to_owned())
        });
        let cells = cells.collect::<Vec<_>>().join(" | ");
        writeln!(text, "| {} | {cells} |", scenario.name)?;
    }
    Ok(())
}

fn refusals(hostile: &[(Gateway, Refused)]) -> impl Iterator<Item = Verdict> + '_ {
    hostile.iter().map(|(gateway, Refused { sent, tunnels, bytes })| {
        let is_ours = *gateway == Gateway::Tidegate;
        Verdict {
            what: format!("{sent} bad handshakes, {}", gateway.name()),
            bar: if is_ours { "0 tunnels, 0 bytes" } else { "" }.to_owned(),
            figure: format!("{tunnels} tunnels, {bytes} bytes forwarded"),
            is_reached: is_ours.then_some(*tunnels == 0 && *bytes == 0),
        }
    })
}

/// What the bars speak of: the cases of the suite that a file must hold to be a verdict, by how an API treats compression.
const SUITES: [(&str, &str); 3] =
    [("off", "1.* 2.* 3.* 4.* 5.* 6.* 7.* 9.* 10.*"), ("pass", "12.* 13.*"), ("terminate", "12.* 13.*")];

/// The verdicts of the Autobahn suite that lie beside the table; `cargo xtask autobahn` makes them.
fn suites(folder: &Path) -> Vec<Verdict> {
    let read = |compression| fs::read_to_string(folder.join(format!("autobahn-{compression}.txt")));
    let verdicts =
        SUITES.map(|(compression, cases)| suite(compression, cases, &read(compression).unwrap_or_default()));
    verdicts.into_iter().flatten().collect()
}

/// The verdicts in one file. A part of the cases is told as what it is, and reaches nothing.
fn suite(compression: &str, wanted: &str, text: &str) -> Vec<Verdict> {
    let played = text.lines().find_map(|line| line.strip_prefix("Cases: ")).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let verdict = |pair: &[&str]| {
        let [title, counts] = pair else { return None };
        let (cases, counts) = counts.split_once(" cases: ")?;
        let count = |verdict: &str| -> Option<u32> {
            counts.split(", ").find_map(|part| part.strip_suffix(verdict)?.trim().parse().ok())
        };
        let is_comparison = title.starts_with("For comparison");
        let (bar, is_reached) = if is_comparison {
            ("", true)
        } else if compression == "off" {
            let is_lax = count(" NON-STRICT").is_none_or(|lax| lax > 2);
            ("0 FAILED, ≤ 2 NON-STRICT", count(" FAILED") == Some(0) && !is_lax)
        } else {
            ("all OK", count(" OK").is_some_and(|ok| Ok(ok) == cases.parse()))
        };
        let is_whole = played == wanted;
        let part = if is_whole { String::new() } else { format!(" (only {played} of {wanted})") };
        Some(Verdict {
            what: format!("Autobahn, compression {compression}: {title}"),
            bar: bar.to_owned(),
            figure: format!("{cases} cases: {counts}{part}"),
            is_reached: (is_whole && !is_comparison).then_some(is_reached),
        })
    };
    lines.windows(2).filter_map(verdict).collect()
}

#[cfg(test)]
mod tests {
    use super::suite;

    #[test]
    fn a_suite_reaches_its_bar_only_whole_and_with_every_count() {
        let reached = |compression, wanted, played: &str, counts: &str| {
            let verdicts = suite(compression, wanted, &format!("Cases: {played}\n\nAs client\n{counts}\n"));
            verdicts.first().and_then(|verdict| verdict.is_reached)
        };
        let good = "2 cases: 2 OK, 0 NON-STRICT, 0 INFORMATIONAL, 0 FAILED";
        assert_eq!(reached("off", "1.*", "1.*", good), Some(true));
        assert_eq!(reached("pass", "12.*", "12.*", good), Some(true));
        assert_eq!(reached("pass", "12.*", "12.*.2", good), None);
        assert_eq!(reached("off", "1.*", "1.*", "2 cases: 1 OK, 0 NON-STRICT, 1 FAILED"), Some(false));
        assert_eq!(reached("off", "1.*", "1.*", "2 cases: 2 OK, 0 FAILED"), Some(false));
        assert_eq!(reached("pass", "12.*", "12.*", "2 cases: 1 OK, 1 UNIMPLEMENTED"), Some(false));
    }
}
