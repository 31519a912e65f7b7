//! Phase five: the sessions leave tokio for the relay workers, one thread per core.
//!
//! Here is the seam between the two: what is handed over, the doors to the workers, what is said to all of them, and how
//! a worker is chosen. It knows nothing of HTTP. A place at a worker is reserved before the client gets its 101, so that
//! a session that was promised is carried. Nobody here waits without end for a worker that stalls: new sessions go to
//! others, a snapshot decides without it, and a drain counts its sessions as cut. Read next: `relay/worker.rs`,
//! `relay/session.rs`, `relay/leg.rs`; `relay/watch.rs` for what happens to a worker that stalls.

mod bounds;
mod budgets;
mod coder;
mod draining;
mod failures;
mod ledger;
mod leg;
mod meter;
mod places;
mod review;
mod session;
#[cfg(test)]
mod tests;
mod timers;
mod watch;
mod worker;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc as std_mpsc,
    },
    thread,
    time::Duration,
};

use arc_swap::ArcSwap;
use mio::Waker;
use tidegate_model::{admit::Grant, id::SessionId, renew::Fresh, snapshot::Snapshot, time::Timestamp};
use tidegate_wire::{Micros, close::CloseReason};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot, watch as tokio_watch},
    time::{Instant, timeout_at},
};

pub(crate) use budgets::{Budgets, Full, OfWhom};
pub(crate) use coder::Coder;
pub(crate) use ledger::Ledger;
pub(crate) use leg::{Leg, Socket};
pub(crate) use meter::{Meter, UsedUp};
pub(crate) use worker::{Commons, Renewed};

use crate::{crowd::AddressPlace, dial::InUse, drain::is_said};
use watch::{Pulse, Stuck, Watch};
use worker::{Inside, Renewal, Worker, open_poll};

/// Orders that may wait at a worker. Whoever opens a session waits beyond it, with its client's handshake deadline;
/// a worker takes a few hundred in a millisecond.
const ORDERS_MAX: usize = 1_024;
/// How much longer than its grace a drain waits for a worker: it has to cut and count what is left.
const DRAIN_SLACK: Duration = Duration::from_secs(2);

/// What both sides of a session are told when the gateway ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Farewell {
    /// One word for the record.
    pub(crate) word: &'static str,
    /// For the client.
    pub(crate) client: CloseReason,
    /// For the backend.
    pub(crate) backend: CloseReason,
}

/// Places that a session holds to its last byte.
#[derive(Debug)]
#[expect(dead_code, reason = "they are given back by being dropped")]
pub(crate) struct Held {
    /// Among the sessions that are carried at once.
    pub(crate) session_place: OwnedSemaphorePermit,
    /// Among the connections of its client's address.
    pub(crate) address_place: AddressPlace,
}

/// A session whose two handshakes are done.
pub(crate) struct Handover {
    pub(crate) id: SessionId,
    pub(crate) grant: Grant,
    /// The snapshot that admitted it: one that is older than the worker's is asked again.
    pub(crate) snapshot_number: u64,
    /// The last revocation that it was asked for.
    pub(crate) revocation_number: u64,
    pub(crate) opened_at: Timestamp,
    pub(crate) meter: Meter,
    /// Client and backend agreed on compression with each other.
    pub(crate) passes_compressed: bool,
    /// Its place at the backend's address.
    pub(crate) in_use: Option<InUse>,
    /// What it holds until it is over.
    pub(crate) held: Option<Held>,
    /// Client and backend.
    pub(crate) legs: [Leg; 2],
    #[cfg(test)]
    pub(crate) stage: Option<tests::Stage>,
}

/// What a worker is told.
pub(super) enum Order {
    /// Carry this session.
    Take(Box<Handover>),
    /// Give these sessions a fresh credential.
    Renew(Box<Renewal>),
    /// Do this in the middle of a turn.
    #[cfg(test)]
    Do(Box<dyn FnOnce() + Send>),
    /// Fail at the next wait for events.
    #[cfg(test)]
    BeDeaf,
}

/// What is said to all workers. It is not an order: one that does not listen must not hold up the others, and needs to
/// know only the last of it.
#[derive(Clone, Default)]
pub(super) struct Word {
    /// Which snapshot in a row this is.
    round: u64,
    /// Decide with this one, and ask again for every session.
    snapshot: Arc<Snapshot>,
    /// The number of the newest revocation: what has come since the last one ends sessions.
    revoked: u64,
    drain: Option<Arc<Drain>>,
}

/// Say this to every session, spread over a time, cut what is left after the grace, and end.
pub(super) struct Drain {
    farewell: Arc<Farewell>,
    spread: Micros,
    grace: Micros,
}

/// What a worker answers to the word.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// It decides with the snapshot of this round, and has asked again for all its sessions.
    round: u64,
    /// None of its sessions lives by what was revoked up to this number.
    revoked: u64,
    /// It has ended, and so many sessions were cut.
    cut: Option<usize>,
}

/// One worker as the rest of the gateway sees it.
struct Door {
    orders: mpsc::Sender<Order>,
    waker: Arc<ArcSwap<Waker>>,
    heard: tokio_watch::Receiver<Heard>,
    pulse: Arc<Pulse>,
    /// It does not come back from a turn.
    is_stalled: tokio_watch::Sender<bool>,
    /// Sessions that it carries.
    load: Arc<AtomicUsize>,
}

/// All relay workers.
pub(crate) struct Workers {
    doors: Vec<Door>,
    word: tokio_watch::Sender<Word>,
    next: AtomicUsize,
    /// The watch looks until this is dropped.
    watching: Option<std_mpsc::Sender<()>>,
}

/// A reserved place at a worker.
pub(crate) struct Place<'w> {
    permit: mpsc::Permit<'w, Order>,
    waker: &'w ArcSwap<Waker>,
}

/// The worker does not come back from a turn, or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the relay worker does not answer")]
pub(crate) struct NoAnswer;

impl Workers {
    /// Starts so many threads, at least one, and the watch over them.
    pub(crate) fn start(count: usize, commons: &Commons, stuck: Stuck) -> io::Result<Self> {
        let mut workers = Self::unwatched(count, commons)?;
        let watch = workers.watch(commons.monotonic.now(), stuck);
        workers.watching = Some(watch.start(commons.monotonic)?);
        Ok(workers)
    }

    fn unwatched(count: usize, commons: &Commons) -> io::Result<Self> {
        let word = tokio_watch::Sender::new(Word::default());
        let numbers = 0..count.clamp(1, usize::from(u16::MAX));
        let doors = numbers.map(|number| Door::open(number, word.subscribe(), commons));
        Ok(Self { doors: doors.collect::<io::Result<_>>()?, word, next: AtomicUsize::new(0), watching: None })
    }

    fn watch(&self, now: Micros, stuck: Stuck) -> Watch {
        let watched = |door: &Door| (Arc::clone(&door.pulse), door.is_stalled.clone());
        Watch::new(self.doors.iter().map(watched), now, stuck)
    }

    /// The worker for a new connection: the least loaded, in turn among equals; none where all stall.
    pub(crate) fn choose(&self) -> Option<u16> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.doors.len();
        let chosen = (0..count)
            .map(|step| (first + step) % count)
            .filter(|number| !*self.doors[*number].is_stalled.borrow())
            .min_by_key(|number| self.doors[*number].load.load(Ordering::Relaxed));
        chosen.and_then(|number| u16::try_from(number).ok())
    }

    /// Reserves a place; waits while too many orders are under way there, but not at a worker that stalls.
    pub(crate) async fn reserve(&self, worker: u16) -> Result<Place<'_>, NoAnswer> {
        let door = &self.doors[usize::from(worker)];
        let mut is_stalled = door.is_stalled.subscribe();
        // Dropping the reservation gives the place in its queue back.
        let permit = tokio::select! {
            biased;
            () = is_said(&mut is_stalled) => return Err(NoAnswer),
            permit = door.orders.reserve() => permit.map_err(|_| NoAnswer)?,
        };
        Ok(Place { permit, waker: &door.waker })
    }

    /// Sessions carried now.
    pub(crate) fn load(&self) -> usize {
        self.doors.iter().map(|door| door.load.load(Ordering::Relaxed)).sum()
    }

    /// When this returns, every worker decides with this snapshot and has asked again for its sessions. One that
    /// stalls moves nothing meanwhile, and does so at the beginning of its next turn.
    pub(crate) async fn decide(&self, snapshot: &Arc<Snapshot>) {
        let mut said = 0;
        self.word.send_modify(|word| {
            word.round += 1;
            said = word.round;
            word.snapshot = Arc::clone(snapshot);
        });
        self.everywhere(|heard| heard.round >= said).await;
    }

    /// When this returns, no session lives on by what was revoked up to this number, but on a worker that stalls.
    pub(crate) async fn revoke(&self, number: u64) {
        self.word.send_modify(|word| word.revoked = number);
        self.everywhere(|heard| heard.revoked >= number).await;
    }

    /// Gives a fresh credential to the session with this id, or to all whose it is; answers what came of it. Sessions of a
    /// worker that stalls are left as they are.
    pub(crate) async fn renew(&self, fresh: &Fresh, only: Option<SessionId>) -> Renewed {
        let (mut asked, mut all) = (Vec::new(), Renewed::default());
        for (number, door) in self.doors.iter().enumerate() {
            let Ok(worker) = u16::try_from(number) else { break };
            if only.is_some_and(|id| id.worker != worker) {
                continue;
            }
            let (answer, heard) = oneshot::channel();
            let Ok(place) = self.reserve(worker).await else { continue };
            let only = only.map(|id| id.number);
            place.renew(Renewal { fresh: fresh.clone(), only, answer });
            asked.push((door, heard));
        }
        for (door, heard) in asked {
            let mut is_stalled = door.is_stalled.subscribe();
            let renewed = tokio::select! {
                renewed = heard => renewed.ok(),
                () = is_said(&mut is_stalled) => None,
            };
            let Some(Renewed { sessions, refused }) = renewed else { continue };
            all.sessions.extend(sessions);
            all.refused = all.refused.or(refused);
        }
        all
    }

    /// Wakes all workers and waits until each has done so, or stalls.
    async fn everywhere(&self, is_done: impl Fn(&Heard) -> bool) {
        for door in &self.doors {
            door.ring();
        }
        for door in &self.doors {
            let (mut heard, mut is_stalled) = (door.heard.clone(), door.is_stalled.subscribe());
            // Neither loses anything. A worker that has ended has no sessions to ask for.
            tokio::select! {
                _ = heard.wait_for(|heard| is_done(heard)) => {}
                () = is_said(&mut is_stalled) => {}
            }
        }
    }

    /// Every worker says goodbye to its sessions and ends; answers how many sessions had to be cut. A worker that does
    /// not answer in time counts with all that it carries.
    pub(crate) async fn drain(&self, farewell: Arc<Farewell>, spread: Micros, grace: Micros) -> usize {
        let last = Instant::now() + grace.to_duration() + DRAIN_SLACK;
        self.word.send_modify(|word| word.drain = Some(Arc::new(Drain { farewell, spread, grace })));
        for door in &self.doors {
            door.ring();
        }
        let mut cut = 0;
        for (worker, door) in self.doors.iter().enumerate() {
            let mut heard = door.heard.clone();
            let Ok(heard) = timeout_at(last, heard.wait_for(|heard| heard.cut.is_some())).await else {
                let sessions = door.load.load(Ordering::Relaxed);
                tracing::error!(worker, sessions, "a relay worker does not end; its last counts are lost");
                cut += sessions;
                continue;
            };
            cut += heard.ok().and_then(|heard| heard.cut).unwrap_or(0);
        }
        cut
    }
}

impl Door {
    fn open(number: usize, word: tokio_watch::Receiver<Word>, commons: &Commons) -> io::Result<Self> {
        let (poll, waker) = open_poll()?;
        let waker = Arc::new(ArcSwap::from_pointee(waker));
        let (orders, incoming) = mpsc::channel(ORDERS_MAX);
        let (says, heard) = tokio_watch::channel(Heard::default());
        let (pulse, load) = (Arc::<Pulse>::default(), Arc::new(AtomicUsize::new(0)));
        let inside = Inside {
            number,
            poll,
            waker: Arc::clone(&waker),
            orders: incoming,
            word,
            heard: says,
            pulse: Arc::clone(&pulse),
            load: Arc::clone(&load),
        };
        let worker = Worker::new(inside, commons.clone());
        // Ends when it was drained, or when the last sender of orders is dropped and the waker rings.
        thread::Builder::new().name(format!("relay-{number}")).spawn(move || worker.run())?;
        Ok(Self { orders, waker, heard, pulse, is_stalled: tokio_watch::Sender::new(false), load })
    }

    fn ring(&self) {
        ring(&self.waker);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // First of all: a worker that is about to end is in its last turn.
        drop(self.watching.take());
        for Door { orders, waker, .. } in self.doors.drain(..) {
            drop(orders);
            ring(&waker);
        }
    }
}

impl Place<'_> {
    /// Gives the session to the worker.
    pub(crate) fn take(self, handover: Handover) {
        self.permit.send(Order::Take(Box::new(handover)));
        ring(self.waker);
    }

    fn renew(self, renewal: Renewal) {
        self.permit.send(Order::Renew(Box::new(renewal)));
        ring(self.waker);
    }
}

fn ring(waker: &ArcSwap<Waker>) {
    if let Err(error) = waker.load().wake() {
        tracing::error!(error = &error as &dyn std::error::Error, "a relay worker cannot be woken");
    }
}
