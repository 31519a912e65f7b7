//! CPU time and memory of a process, from `/proc`. Linux alone has it in this form.
//!
//! CPU time is the kernel's own count: of the whole process, threads that have ended included, in ticks of a
//! hundredth of a second; and in nanoseconds of the threads that carry sessions, which the product names `relay-0`,
//! `relay-1` and so on and which live as long as it does.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};

/// How the threads that carry sessions are named.
const RELAY: &str = "relay-";
/// Where user time stands in `/proc/PID/stat`, counted behind the name; system time follows it (proc(5)).
const USER_FIELD: usize = 11;

/// A process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

/// CPU time used since the process began, or between two readings.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu {
    /// Of all threads.
    pub(crate) all: Duration,
    /// Of the relay's threads.
    pub(crate) relay: Duration,
}

/// A thread of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thread {
    pub(crate) id: u32,
    pub(crate) is_relay: bool,
}

impl Cpu {
    /// What was used since an earlier reading.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self { all: self.all.saturating_sub(earlier.all), relay: self.relay.saturating_sub(earlier.relay) }
    }
}

impl Process {
    fn folder(self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.0))
    }

    /// CPU time used until now.
    pub(crate) fn cpu(self) -> Result<Cpu> {
        Ok(Cpu { all: self.cpu_of_all()?, relay: self.cpu_of_relay()? })
    }

    fn cpu_of_all(self) -> Result<Duration> {
        let gone = || format!("there is no process {}", self.0);
        let text = fs::read_to_string(self.folder().join("stat")).with_context(gone)?;
        // The name of the program stands in parentheses and may hold anything, so fields are counted behind it.
        let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(USER_FIELD).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Ok(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second()))
    }

    fn cpu_of_relay(self) -> Result<Duration> {
        let mut sum = Duration::ZERO;
        for thread in fs::read_dir(self.folder().join("task"))? {
            let thread = thread?.path();
            let read = |name: &str| fs::read_to_string(thread.join(name));
            // A thread may end between the listing and the reading.
            let (Ok(name), Ok(times)) = (read("comm"), read("schedstat")) else { continue };
            if name.starts_with(RELAY) {
                let nanos = times.split(' ').next().and_then(|nanos| nanos.parse().ok());
                sum += Duration::from_nanos(nanos.context("this kernel does not count CPU time of threads")?);
            }
        }
        Ok(sum)
    }

    /// Its threads.
    pub(crate) fn threads(self) -> Result<Vec<Thread>> {
        let mut threads = Vec::new();
        for thread in fs::read_dir(self.folder().join("task"))? {
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
