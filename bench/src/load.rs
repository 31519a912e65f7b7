//! A closed loop: every session keeps so many messages in flight and sends the next when one has come back.
//!
//! Every echo is compared with what was sent. Times are taken at the client.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::{
    calls::{Calls, Counting},
    client::Clients,
    process::Cpu,
    subject::Subject,
};

/// Time that is not measured at the beginning, for caches and connections to warm up.
const WARM: Duration = Duration::from_millis(500);
/// Digits at the front of a message that make it unlike any other of its session.
const DIGITS: usize = 16;

/// What to do.
pub(crate) struct Load {
    pub(crate) sessions: u32,
    /// Messages in flight on each.
    pub(crate) depth: u32,
    /// Bytes of a message.
    pub(crate) bytes: usize,
    pub(crate) measure: Duration,
    /// Count system calls.
    pub(crate) calls: bool,
}

/// What came of it.
pub(crate) struct Measured {
    /// Round trips.
    pub(crate) echoes: u64,
    pub(crate) took: Duration,
    /// Of the gateway's processes.
    pub(crate) cpu: Cpu,
    /// Of the threads that carry sessions, if they were to be counted.
    pub(crate) calls: Option<Calls>,
    /// Round-trip times, sorted.
    pub(crate) times: Vec<Duration>,
}

/// One session's place in its sequence.
#[derive(Default)]
struct Talk {
    sent: u64,
    heard: u64,
    /// When the messages in flight left.
    since: VecDeque<Instant>,
}

impl Load {
    /// Opens the sessions, measures, and closes them.
    pub(crate) fn run(&self, subject: &Subject) -> Result<Measured> {
        ensure!(self.bytes >= DIGITS, "a message has at least {DIGITS} bytes, to be told from the others");
        let mut clients = Clients::open(&subject.target, self.sessions)?;
        let mut talks: Vec<Talk> = Vec::new();
        talks.resize_with(clients.len(), Talk::default);
        for (place, talk) in talks.iter_mut().enumerate() {
            for _ in 0..self.depth {
                clients.send(place, &talk.next(self.bytes))?;
            }
        }
        self.turn_until(Instant::now() + WARM, &mut clients, &mut talks, &mut Vec::new())?;
        let calls = self.calls.then(|| Counting::begin(&subject.relay_threads()?)).transpose()?;
        let (cpu, began, mut times) = (subject.cpu()?, Instant::now(), Vec::new());
        self.turn_until(began + self.measure, &mut clients, &mut talks, &mut times)?;
        let (took, cpu) = (began.elapsed(), subject.cpu()?.since(cpu));
        let calls = calls.map(Counting::end).transpose()?;
        clients.abort();
        times.sort_unstable();
        ensure!(!times.is_empty(), "no message came back");
        Ok(Measured { echoes: times.len() as u64, took, cpu, calls, times })
    }

    fn turn_until(
        &self,
        end: Instant,
        clients: &mut Clients,
        talks: &mut [Talk],
        times: &mut Vec<Duration>,
    ) -> Result<()> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            clients.turn(left, |place, payload, reply| {
                let talk = &mut talks[place];
                times.push(talk.hear(payload, self.bytes)?);
                *reply = talk.next(self.bytes);
                Ok(())
            })?;
        }
    }
}

impl Talk {
    /// The next message, which is sent now.
    fn next(&mut self, bytes: usize) -> Vec<u8> {
        self.since.push_back(Instant::now());
        let message = message(self.sent, bytes);
        self.sent += 1;
        message
    }

    /// How long the echo took.
    fn hear(&mut self, payload: &[u8], bytes: usize) -> Result<Duration> {
        ensure!(payload == message(self.heard, bytes), "echo {} is not what was sent", self.heard);
        self.heard += 1;
        Ok(self.since.pop_front().map(|since| since.elapsed()).unwrap_or_default())
    }
}

/// A message: its number in digits, then letters.
fn message(number: u64, bytes: usize) -> Vec<u8> {
    let mut message = format!("{number:0DIGITS$}").into_bytes();
    message.resize(bytes, b'x');
    message
}

impl Measured {
    /// Round trips in a second.
    pub(crate) fn per_second(&self) -> f64 {
        float(self.echoes) / self.took.as_secs_f64()
    }

    /// Microseconds of this CPU time for a round trip.
    pub(crate) fn micros_each(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / float(self.echoes)
    }

    /// The round-trip time that this share (in thousandths) of them does not exceed.
    pub(crate) fn quantile(&self, thousandths: usize) -> Duration {
        let last = self.times.len() - 1;
        self.times[(last * thousandths).div_ceil(1_000)]
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}
