//! CPU time and memory of a program, from `/proc`. Linux alone has it in this form.
//!
//! CPU time is the scheduler's own count in nanoseconds, thread by thread, so that a quarter of a second is enough to
//! read from. Of a thread that ended between two readings, what it used between them is lost; the threads that carry sessions never
//! end. The product names them `relay-0`, `relay-1` and so on.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};

/// How the threads that carry sessions are named.
const RELAY: &str = "relay-";
/// Where the parent stands in `/proc/PID/stat`, counted behind the name (proc(5)).
const PARENT_FIELD: usize = 1;

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process(pub(crate) u32);

/// CPU time that was used between two readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cpu {
    /// Of all threads.
    pub(crate) all: Duration,
    /// Of the relay's threads.
    pub(crate) relay: Duration,
}

/// What each thread has used since it began, by its number.
#[derive(Debug, Default)]
pub(crate) struct Reading(BTreeMap<u32, (Duration, bool)>);

/// A thread of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thread {
    pub(crate) id: u32,
    pub(crate) is_relay: bool,
}

impl Reading {
    /// What was used since an earlier reading, thread by thread: between two sums a thread that has ended would take
    /// away what it used before the first.
    pub(crate) fn since(self, earlier: &Self) -> Cpu {
        let mut cpu = Cpu::default();
        for (id, (now, is_relay)) in self.0 {
            let used = now.saturating_sub(earlier.0.get(&id).map_or(Duration::ZERO, |(before, _)| *before));
            cpu.all += used;
            if is_relay {
                cpu.relay += used;
            }
        }
        cpu
    }

    /// Both of them.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

impl Process {
    /// This process and all that descend from it now: a gateway with one worker is often two.
    pub(crate) fn family(self) -> Vec<Self> {
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let parents: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, Self(pid).parent()?))).collect();
        let mut family = vec![self];
        let mut asked = 0;
        while let Some(&Self(parent)) = family.get(asked) {
            family.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| Self(*pid)));
            asked += 1;
        }
        family
    }

    fn parent(self) -> Option<u32> {
        let text = fs::read_to_string(self.folder().join("stat")).ok()?;
        // The name of the program stands in parentheses and may hold anything, so fields are counted behind it.
        text.rsplit(')').next()?.split_whitespace().nth(PARENT_FIELD)?.parse().ok()
    }

    fn folder(self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.0))
    }

    /// CPU time used until now.
    pub(crate) fn cpu(self) -> Result<Reading> {
        let mut reading = Reading::default();
        for Thread { id, is_relay } in self.threads()? {
            // A thread may have ended since it was listed.
            let Ok(times) = fs::read_to_string(self.folder().join(format!("task/{id}/schedstat"))) else {
                continue;
            };
            let nanos = times.split(' ').next().and_then(|nanos| nanos.parse().ok());
            let used = Duration::from_nanos(nanos.context("this kernel does not count CPU time of threads")?);
            reading.0.insert(id, (used, is_relay));
        }
        Ok(reading)
    }

    /// Its threads.
    pub(crate) fn threads(self) -> Result<Vec<Thread>> {
        let mut threads = Vec::new();
        let gone = || format!("there is no process {}", self.0);
        for thread in fs::read_dir(self.folder().join("task")).with_context(gone)? {
            let thread = thread?;
            // A thread may end between the listing and the reading.
            let Ok(name) = fs::read_to_string(thread.path().join("comm")) else { continue };
            let id = thread.file_name().to_str().and_then(|id| id.parse().ok());
            let id = id.context("a thread has a number")?;
            threads.push(Thread { id, is_relay: name.starts_with(RELAY) });
        }
        Ok(threads)
    }

    /// Memory in KiB, pages shared with other processes counted in part (PSS).
    pub(crate) fn memory_kib(self) -> Result<u64> {
        let path = self.folder().join("smaps_rollup");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse().ok());
        kib.with_context(|| format!("{} tells no memory", path.display()))
    }

    /// Whether it runs a debug build.
    pub(crate) fn is_debug_build(self) -> bool {
        let path = fs::read_link(self.folder().join("exe")).unwrap_or_default();
        path.parent().is_some_and(|folder| folder.ends_with("target/debug"))
    }
}

/// Pins this process, from here on its children too, to one core.
pub(crate) fn pin(core: usize) -> Result<()> {
    let mut taskset = std::process::Command::new("taskset");
    taskset.args(["--pid", "--cpu-list", &core.to_string(), &std::process::id().to_string()]);
    let output = taskset.output().context("cannot run taskset (Debian: util-linux)")?;
    ensure!(output.status.success(), "taskset: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_ended_takes_nothing_away_from_the_others() {
        let reading = |threads: &[(u32, u64, bool)]| {
            let each =
                threads.iter().map(|&(id, used, is_relay)| (id, (Duration::from_millis(used), is_relay)));
            Reading(each.collect())
        };
        let before = reading(&[(1, 100, true), (2, 500, false)]);
        let after = reading(&[(1, 130, true), (3, 5, false)]);
        let (all, relay) = (Duration::from_millis(35), Duration::from_millis(30));
        assert_eq!(after.since(&before), Cpu { all, relay });
    }
}
