//! What it costs to come: sessions that open, say goodbye and are gone, so many at a time.
//!
//! The gateway's CPU time of all of it is divided by the sessions that opened: the connection, the handshakes on both
//! sides, and their end.

use std::{
    io,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use mio::{Events, Poll, Token};

use crate::{
    client::{Client, Keys, Target},
    frame::CLOSE,
    histogram::Histogram,
    load::float,
    process::Cpu,
    subject::Subject,
};

/// Handshakes under way at once.
const AT_ONCE: usize = 32;
/// Time that is not measured at the beginning.
const WARM: Duration = Duration::from_millis(100);
/// Longest time without any handshake done.
const PATIENCE: Duration = Duration::from_secs(20);
/// Room for an answer.
const BUFFER_BYTES: usize = 64 << 10;
/// The payload of a Close with code 1000.
const NORMAL: [u8; 2] = 1_000_u16.to_be_bytes();

/// What was found.
pub(crate) struct Opened {
    pub(crate) count: u64,
    pub(crate) took: Duration,
    pub(crate) cpu: Cpu,
    /// From the first byte to the 101.
    pub(crate) times: Histogram,
}

/// The sessions under way.
struct Slots<'t> {
    target: &'t Target,
    poll: Poll,
    all: Vec<Option<Slot>>,
    begun: usize,
    most: usize,
    opened: u64,
    times: Histogram,
    goodbye: Vec<u8>,
}

struct Slot {
    client: Client,
    since: Instant,
    is_leaving: bool,
}

/// Opens sessions to this target for so long, and never more than `most`.
pub(crate) fn run(subject: &Subject, target: &Target, measure: Duration, most: usize) -> Result<Opened> {
    let mut slots = Slots::new(target, most)?;
    slots.until(Instant::now() + WARM)?;
    let (cpu, began, before) = (subject.cpu()?, Instant::now(), slots.opened);
    slots.times = Histogram::default();
    slots.until(began + measure)?;
    let (took, cpu, count) = (began.elapsed(), subject.cpu()?.since(&cpu), slots.opened - before);
    slots.all.into_iter().flatten().for_each(|slot| slot.client.stream.abort());
    ensure!(count > 0, "no session opened");
    Ok(Opened { count, took, cpu, times: slots.times })
}

impl<'t> Slots<'t> {
    fn new(target: &'t Target, most: usize) -> Result<Self> {
        let mut all = Vec::new();
        all.resize_with(AT_ONCE, || None);
        Ok(Self {
            target,
            poll: Poll::new()?,
            all,
            begun: 0,
            most,
            opened: 0,
            times: Histogram::default(),
            goodbye: Keys::default().framed(CLOSE, &NORMAL),
        })
    }

    fn until(&mut self, end: Instant) -> Result<()> {
        let (mut events, mut buffer) = (Events::with_capacity(AT_ONCE), vec![0; BUFFER_BYTES]);
        let (mut opened, mut progress) = (self.opened, Instant::now());
        loop {
            for place in 0..self.all.len() {
                if self.all[place].is_none() && self.begun < self.most {
                    let client = self.target.begin(self.begun, self.poll.registry(), Token(place))?;
                    self.all[place] = Some(Slot { client, since: Instant::now(), is_leaving: false });
                    self.begun += 1;
                }
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.all.iter().all(Option::is_none) {
                return Ok(());
            }
            if opened != self.opened {
                (opened, progress) = (self.opened, Instant::now());
            }
            ensure!(progress.elapsed() < PATIENCE, "no session opened for {PATIENCE:?}");
            match self.poll.poll(&mut events, Some(left.min(Duration::from_secs(1)))) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                let place = event.token().0;
                if self.is_over(place, &mut buffer).with_context(|| format!("handshake {}", self.opened))?
                    && let Some(slot) = self.all[place].take()
                {
                    slot.client.stream.abort();
                }
            }
        }
    }

    /// Takes what there is for one; answers whether it is gone.
    fn is_over(&mut self, place: usize, buffer: &mut [u8]) -> Result<bool> {
        let Some(slot) = &mut self.all[place] else { return Ok(false) };
        slot.client.stream.flush()?;
        loop {
            match slot.client.stream.read(buffer) {
                Ok(None) => return Ok(false),
                // The answer to the goodbye, or the end of the stream.
                Ok(Some(_)) | Err(_) if slot.is_leaving => return Ok(true),
                Err(error) => return Err(error.into()),
                Ok(Some(read)) => {
                    ensure!(read > 0, "ended before its answer");
                    slot.client.opening(&buffer[..read])?;
                    if slot.client.is_open() {
                        self.opened += 1;
                        self.times.add(slot.since.elapsed());
                        slot.is_leaving = true;
                        slot.client.stream.send(&self.goodbye)?;
                    }
                }
            }
        }
    }
}

impl Opened {
    /// Microseconds of the gateway's CPU time for a session.
    pub(crate) fn micros_each(&self) -> f64 {
        self.cpu.all.as_secs_f64() * 1e6 / float(self.count)
    }

    /// Sessions in a second.
    pub(crate) fn per_second(&self) -> f64 {
        float(self.count) / self.took.as_secs_f64()
    }
}
