//! System calls of the threads that carry sessions, counted by the kernel's own trace points through `perf`.
//!
//! Nothing is stopped to be counted, as `strace` would do it: the worker keeps its pace, and so the number of times that
//! it waits. `perf` is told over its standard input when to count and says on its standard output that it does.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// Calls that are told one by one; what a kernel does not have is left out.
const NAMED: [&str; 9] =
    ["epoll_wait", "epoll_pwait", "read", "recvfrom", "write", "sendto", "writev", "futex", "clock_gettime"];
/// All calls.
const ALL: &str = "raw_syscalls:sys_enter";
/// Where the kernel tells which trace points it has.
const TRACE_POINTS: &str = "/sys/kernel/tracing/events/syscalls";

/// A count under way.
pub(crate) struct Counting {
    perf: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What was counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    all: u64,
    named: Vec<(String, u64)>,
}

impl Counting {
    /// Begins to count the calls of these threads.
    pub(crate) fn begin(threads: &[u32]) -> Result<Self> {
        ensure!(!threads.is_empty(), "there is no thread whose calls could be counted");
        let point = |name: &&str| Path::new(TRACE_POINTS).join(format!("sys_enter_{name}")).exists();
        let named = NAMED.into_iter().filter(point).map(|name| format!("syscalls:sys_enter_{name}"));
        let events: Vec<_> = std::iter::once(ALL.to_owned()).chain(named).collect();
        let threads: Vec<_> = threads.iter().map(u32::to_string).collect();
        let mut perf = Command::new("perf");
        perf.args(["stat", "--field-separator", ",", "--delay", "-1", "--control", "fd:0,1"]);
        perf.args(["--event", &events.join(","), "--tid", &threads.join(",")]);
        perf.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut perf = perf.spawn().context("cannot run perf (Debian: linux-perf)")?;
        let orders = perf.stdin.take().context("perf has no input")?;
        let answers = BufReader::new(perf.stdout.take().context("perf has no output")?);
        let mut counting = Self { perf, orders, answers };
        counting.order("enable")?;
        Ok(counting)
    }

    /// Ends the count.
    pub(crate) fn end(mut self) -> Result<Calls> {
        self.order("disable")?;
        let pid = i32::try_from(self.perf.id()).ok().and_then(Pid::from_raw).context("perf has no number")?;
        kill_process(pid, Signal::INT)?;
        Ok(Calls::read(&self.told()?))
    }

    fn order(&mut self, order: &str) -> Result<()> {
        let mut answer = String::new();
        let sent = writeln!(self.orders, "{order}").and_then(|()| self.answers.read_line(&mut answer));
        if !answer.contains("ack") {
            let why = self.told().unwrap_or_default();
            sent.with_context(|| format!("perf does not count: {why}"))?;
            anyhow::bail!("perf does not count: {why}");
        }
        Ok(())
    }

    /// What perf has written when it has ended.
    fn told(&mut self) -> Result<String> {
        let mut text = String::new();
        self.perf.stderr.take().context("perf says nothing")?.read_to_string(&mut text)?;
        self.perf.wait()?;
        Ok(text)
    }
}

impl Calls {
    /// Reads lines `COUNT,,EVENT,…`.
    fn read(text: &str) -> Self {
        let mut calls = Self::default();
        for line in text.lines() {
            let mut fields = line.split(',');
            let (Some(Ok(count)), Some(event)) = (fields.next().map(str::parse), fields.nth(1)) else {
                continue;
            };
            match event.strip_prefix("syscalls:sys_enter_") {
                Some(name) => calls.named.push((name.to_owned(), count)),
                None => calls.all = count,
            }
        }
        calls
    }

    /// As text, divided by the number of round trips.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    pub(crate) fn each(&self, echoes: u64) -> String {
        let each = |count: u64| count as f64 / echoes as f64;
        let named: Vec<_> = self
            .named
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{name} {:.2}", each(*count)))
            .collect();
        format!("{:.2} system calls an echo ({})", each(self.all), named.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_perf_tells_is_read() {
        let text = "Events enabled\n30,,raw_syscalls:sys_enter,1000,100.00,,\n\
                    10,,syscalls:sys_enter_read,1000,100.00,,\n<not counted>,,syscalls:sys_enter_futex,0,100.00,,\n";
        let calls = Calls::read(text);
        assert_eq!(calls, Calls { all: 30, named: vec![("read".to_owned(), 10)] });
        assert_eq!(calls.each(10), "3.00 system calls an echo (read 1.00)");
    }
}
