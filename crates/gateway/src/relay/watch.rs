//! The watch over the workers: a thread of its own, which notices a worker that does not come back from a turn.
//!
//! Not on tokio, so that a runtime that is blocked does not blind it. A worker shows when its turn began, which costs
//! it two plain stores a turn; whoever sleeps for lack of work is in no turn and stalls nobody. It knows neither
//! sessions nor what is done about a worker that is stuck: that is a callback. Read next: `worker.rs`.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use tidegate_wire::Micros;
use tokio::sync::watch;

use crate::time::Monotonic;

/// A turn serves at most a thousand edges and takes milliseconds. One of a second is noticed by everybody whom the
/// worker carries.
const STALL_AFTER: Micros = Micros::from_secs(1);
/// Longer than the hold-ups that a machine gets over by itself, like a storm of swapping; and what is not served for
/// so long is lost to its peers anyway, who ask with Pings and give up.
const STUCK_AFTER: Micros = Micros::from_secs(30);
/// How often the watch looks: a stall is told at most this late.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// What one look may add to a stall. A process that was stopped as a whole, or a watch that got no processor for
/// a while, has seen nothing in that time.
const LOOK_COUNTS_MAX: Micros = Micros::from_millis(500);

/// What is done when a worker is stuck for good; it gets the worker's number.
pub(crate) type Stuck = Arc<dyn Fn(u16) + Send + Sync>;

/// What a worker shows: when its present turn began, or that it waits.
#[derive(Debug, Default)]
pub(super) struct Pulse(AtomicU64);

impl Pulse {
    /// A turn begins.
    pub(super) fn begin(&self, now: Micros) {
        // Zero means that there is none.
        self.0.store(now.get().max(1), Ordering::Relaxed);
    }

    /// The turn is over; the worker waits for events.
    pub(super) fn rest(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    pub(super) fn turn(&self) -> Option<Micros> {
        let begun = self.0.load(Ordering::Relaxed);
        (begun > 0).then(|| Micros::new(begun))
    }
}

/// One worker under watch.
struct Watched {
    pulse: Arc<Pulse>,
    is_stalled: watch::Sender<bool>,
    /// The turn that was seen last, and how long it has been seen to last.
    turn: Option<Micros>,
    lasted: Micros,
}

/// See the module.
pub(super) struct Watch {
    workers: Vec<Watched>,
    looked_at: Micros,
    stuck: Stuck,
    has_given_up: bool,
}

impl Watch {
    /// Over these workers, in the order of their numbers.
    pub(super) fn new(
        workers: impl Iterator<Item = (Arc<Pulse>, watch::Sender<bool>)>,
        now: Micros,
        stuck: Stuck,
    ) -> Self {
        let watched = |(pulse, is_stalled)| Watched { pulse, is_stalled, turn: None, lasted: Micros::ZERO };
        Self { workers: workers.map(watched).collect(), looked_at: now, stuck, has_given_up: false }
    }

    /// Looks until what this answers is dropped.
    pub(super) fn start(mut self, monotonic: Monotonic) -> io::Result<mpsc::Sender<()>> {
        let (until, is_over) = mpsc::channel();
        let looking = move || {
            while is_over.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                self.look(monotonic.now());
            }
        };
        thread::Builder::new().name("watch".to_owned()).spawn(looking)?;
        Ok(until)
    }

    pub(super) fn look(&mut self, now: Micros) {
        let elapsed = now.since(self.looked_at).min(LOOK_COUNTS_MAX);
        self.looked_at = now;
        for (worker, watched) in self.workers.iter_mut().enumerate() {
            let before = watched.lasted;
            let is_stalled = watched.look(now, elapsed) >= STALL_AFTER;
            if watched.is_stalled.send_if_modified(|said| std::mem::replace(said, is_stalled) != is_stalled) {
                if is_stalled {
                    let millis = watched.lasted.get() / 1_000;
                    tracing::error!(worker, millis, "a relay worker stalls; it gets no new sessions");
                } else {
                    tracing::warn!(
                        worker,
                        millis = before.get() / 1_000,
                        "a relay worker goes on after a stall"
                    );
                }
            }
            if watched.lasted >= STUCK_AFTER && !self.has_given_up {
                self.has_given_up = true;
                let seconds = watched.lasted.get() / 1_000_000;
                tracing::error!(worker, seconds, "a relay worker is stuck; the process has to start anew");
                (self.stuck)(u16::try_from(worker).unwrap_or(u16::MAX));
            }
        }
    }
}

impl Watched {
    /// How long the present turn has been seen to last.
    fn look(&mut self, now: Micros, elapsed: Micros) -> Micros {
        let turn = self.pulse.turn();
        self.lasted = match turn {
            None => Micros::ZERO,
            Some(_) if turn == self.turn => self.lasted.plus(elapsed),
            Some(begun) => now.since(begun).min(elapsed),
        };
        self.turn = turn;
        self.lasted
    }
}

#[cfg(test)]
mod tests;
