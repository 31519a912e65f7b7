//! Phase five: the sessions leave tokio for the relay workers, one thread per core.
//!
//! Here is the seam between the two: what is handed over, the doors to the workers, and how a worker is chosen. It
//! knows nothing of HTTP. A place at a worker is reserved before the client gets its 101, so that a session that was
//! promised is carried. Read next: `relay/worker.rs`, `relay/session.rs`, `relay/leg.rs`.

mod coder;
mod ledger;
mod leg;
mod meter;
mod session;
#[cfg(test)]
mod tests;
mod timers;
mod worker;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use mio::{Poll, Waker};
use tidegate_model::{admit::Grant, id::SessionId, snapshot::Snapshot, time::Timestamp};
use tidegate_wire::{Micros, close::CloseReason};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

pub(crate) use coder::Coder;
pub(crate) use ledger::Ledger;
pub(crate) use leg::{Leg, Socket};
pub(crate) use meter::{Budgets, Meter, UsedUp};
pub(crate) use worker::{Commons, Order};

use crate::{crowd::AddressPlace, dial::InUse};
use worker::{WAKER, Worker};

/// Orders that may wait at a worker. Whoever opens a session waits beyond it, with its client's handshake deadline;
/// a worker takes a few hundred in a millisecond.
const ORDERS_MAX: usize = 1_024;

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

/// One worker as the rest of the gateway sees it.
struct Door {
    orders: mpsc::Sender<Order>,
    waker: Arc<Waker>,
    /// Sessions that it carries.
    load: Arc<AtomicUsize>,
}

/// All relay workers.
pub(crate) struct Workers {
    doors: Vec<Door>,
    next: AtomicUsize,
}

/// A reserved place at a worker.
pub(crate) struct Place<'w> {
    permit: mpsc::Permit<'w, Order>,
    waker: &'w Waker,
}

/// The worker is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the relay worker is gone")]
pub(crate) struct WorkerGone;

impl Workers {
    /// Starts so many threads, at least one.
    pub(crate) fn start(count: usize, commons: &Commons) -> io::Result<Self> {
        let doors = (0..count.clamp(1, usize::from(u16::MAX))).map(|number| Door::open(number, commons));
        Ok(Self { doors: doors.collect::<io::Result<_>>()?, next: AtomicUsize::new(0) })
    }

    /// The worker for a new connection: the least loaded, in turn among equals.
    pub(crate) fn choose(&self) -> u16 {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.doors.len();
        let load = |number: &usize| self.doors[*number].load.load(Ordering::Relaxed);
        let chosen = (0..count).map(|step| (first + step) % count).min_by_key(load);
        chosen.and_then(|number| u16::try_from(number).ok()).unwrap_or(0)
    }

    /// Reserves a place; waits while too many orders are under way there.
    pub(crate) async fn reserve(&self, worker: u16) -> Result<Place<'_>, WorkerGone> {
        let door = &self.doors[usize::from(worker)];
        let permit = door.orders.reserve().await.map_err(|_| WorkerGone)?;
        Ok(Place { permit, waker: &door.waker })
    }

    /// Sessions carried now.
    pub(crate) fn load(&self) -> usize {
        self.doors.iter().map(|door| door.load.load(Ordering::Relaxed)).sum()
    }

    /// Every worker decides with this snapshot, and has asked again for its sessions, when this returns.
    pub(crate) async fn decide(&self, snapshot: &Arc<Snapshot>) {
        let mut waiting = Vec::with_capacity(self.doors.len());
        for door in &self.doors {
            let (done, is_done) = oneshot::channel();
            door.give(Order::Decide { snapshot: Arc::clone(snapshot), done }).await;
            waiting.push(is_done);
        }
        for is_done in waiting {
            // A worker that is gone has no sessions to ask for.
            let _ = is_done.await;
        }
    }

    /// Every worker says goodbye to its sessions and ends; answers how many sessions had to be cut.
    pub(crate) async fn drain(&self, farewell: Arc<Farewell>, spread: Micros, grace: Micros) -> usize {
        let mut waiting = Vec::with_capacity(self.doors.len());
        for door in &self.doors {
            let (done, is_done) = oneshot::channel();
            door.give(Order::Drain { farewell: Arc::clone(&farewell), spread, grace, done }).await;
            waiting.push(is_done);
        }
        let mut cut = 0;
        for is_done in waiting {
            cut += is_done.await.unwrap_or(0);
        }
        cut
    }
}

impl Door {
    fn open(number: usize, commons: &Commons) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let (orders, incoming) = mpsc::channel(ORDERS_MAX);
        let load = Arc::new(AtomicUsize::new(0));
        let worker = Worker::new(poll, Arc::clone(&waker), incoming, Arc::clone(&load), commons.clone());
        // Ends when it was drained, or when the last sender of orders is dropped and the waker rings.
        thread::Builder::new().name(format!("relay-{number}")).spawn(move || worker.run())?;
        Ok(Self { orders, waker, load })
    }

    async fn give(&self, order: Order) {
        // A worker that is gone obeys nothing; whoever asked learns it from its dropped answer.
        if self.orders.send(order).await.is_ok() {
            ring(&self.waker);
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
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
}

fn ring(waker: &Waker) {
    if let Err(error) = waker.wake() {
        tracing::error!(error = &error as &dyn std::error::Error, "a relay worker cannot be woken");
    }
}
