//! A relay worker: one thread with its own event loop, its own sessions, and nothing shared but atomic budgets.
//!
//! Edge-triggered readiness through mio; one scratch buffer for all sessions; each clock is read once per turn. A
//! session that has more to do than is fair waits on the ready list, since no edge will come for it. Sessions arrive
//! over a bounded channel with a waker; what is said to all workers is looked up once per turn. It does not know HTTP,
//! TLS handshakes or the link. Invariants: a panic while a session is served ends that session and no other; any other
//! fault of the loop ends the sessions that it carried, each of them reported, and the loop begins anew under the same
//! number. Read next: `worker/standing.rs` for who may stay, `session.rs`, then `timers.rs`.

mod renewal;
mod standing;

use std::{
    collections::{HashMap, VecDeque},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use arc_swap::ArcSwap;
use mio::{Events, Poll, Token, Waker};
use tidegate_model::{
    admit::Unwelcome,
    port::{Clock, Entropy},
    snapshot::Snapshot,
    time::Timestamp,
};
use tidegate_wire::{Limits, Micros, Relay, Side};
use tokio::sync::{mpsc, watch};

use super::{
    Drain, Farewell, Handover, Heard, Order, Word,
    bounds::Bounds,
    budgets::Budgets,
    coder::Lent,
    draining::Draining,
    ledger::Ledger,
    places::Places,
    review::Review,
    session::{Pumped, Session, Turn},
    timers::Timers,
    watch::Pulse,
};
use crate::{refusal, report::Reporter, revoked::Revoked, time::Monotonic};

pub(crate) use renewal::{Renewal, Renewed};

/// What is read at once: one system call for most messages. Twice as much as 64 KiB saves a tenth of the CPU of streams
/// and large messages, and still stays in the second-level cache.
const SCRATCH_BYTES: usize = 128 * 1024;
/// Edges taken from the system at once; more wait in the system.
const EVENTS_MAX: usize = 1_024;
/// Orders taken in one turn, so that a storm of new sessions does not hold up those that are here.
const ORDERS_PER_TURN: usize = 256;
/// How often counts are reported while there are any: what a dashboard shows is at most this old at its source.
const FLUSH_EVERY: Micros = Micros::from_millis(500);
/// The longest sleep while sessions are open: a wall clock that was set, and with it expiry and the turn of the
/// minute, is noticed within it.
const SLEEP_MAX: Micros = Micros::from_millis(500);
/// How long a worker that was lost waits before it begins anew: a fault that comes again at once shall neither fill the
/// log nor a core.
const RENEW_AFTER: Duration = Duration::from_millis(100);
/// The token of the waker; sessions use small even and odd numbers.
pub(super) const WAKER: Token = Token(usize::MAX);

/// What all workers have in common.
#[derive(Clone)]
pub(crate) struct Commons {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) monotonic: Monotonic,
    pub(crate) budgets: Arc<Budgets>,
    pub(crate) reporter: Arc<Reporter>,
    pub(crate) revoked: Arc<Revoked>,
}

/// The inner side of a worker's door. It stays what it is when the worker is lost.
pub(super) struct Inside {
    pub(super) number: usize,
    pub(super) poll: Poll,
    /// Rings in `poll`. Held also so that its last ring, from whoever drops the doors, is heard.
    pub(super) waker: Arc<ArcSwap<Waker>>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) word: watch::Receiver<Word>,
    pub(super) heard: watch::Sender<Heard>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) load: Arc<AtomicUsize>,
}

/// See the module.
pub(super) struct Worker {
    inside: Inside,
    commons: Commons,
    scratch: Box<[u8]>,
    lent: Lent,
    sessions: Places<Session>,
    open: usize,
    ready: Vec<usize>,
    timers: Timers,
    ledger: Ledger,
    flush_at: Option<Micros>,
    snapshot: Arc<Snapshot>,
    /// The round of decisions that `snapshot` came in.
    round: u64,
    /// The number of the newest revocation that was heard of.
    revoked: u64,
    review: Review,
    /// Fresh credentials whose sessions are looked for.
    renewals: VecDeque<renewal::Walk>,
    /// Sessions with the same bounds share one value.
    limits: HashMap<Bounds, Arc<Limits>>,
    draining: Option<Draining>,
    /// Orders may be waiting.
    has_orders: bool,
    now: Micros,
    wall: Timestamp,
    #[cfg(test)]
    is_deaf: bool,
}

impl Worker {
    pub(super) fn new(inside: Inside, commons: Commons) -> Self {
        let (now, wall) = (commons.monotonic.now(), commons.clock.now());
        Self {
            inside,
            commons,
            scratch: vec![0; SCRATCH_BYTES].into_boxed_slice(),
            lent: Lent::default(),
            sessions: Places::default(),
            open: 0,
            ready: Vec::new(),
            timers: Timers::default(),
            ledger: Ledger { minute: wall.minute(), ..Ledger::default() },
            flush_at: None,
            snapshot: Arc::default(),
            round: 0,
            revoked: 0,
            review: Review::default(),
            renewals: VecDeque::new(),
            limits: HashMap::new(),
            draining: None,
            has_orders: true,
            now,
            wall,
            #[cfg(test)]
            is_deaf: false,
        }
    }

    /// Runs until it was drained, or nobody can give orders any more. What fails even here ends the thread in the
    /// middle of a turn, which the watch takes for what it is.
    pub(super) fn run(mut self) {
        loop {
            // Unwind safe: of what a turn has left half done, only values are used that hold by themselves.
            match catch_unwind(AssertUnwindSafe(|| self.turns())) {
                Ok(Ok(())) => return self.end(),
                Ok(Err(error)) => {
                    self.lose(&error.to_string());
                    self.listen_anew();
                }
                Err(_) => self.lose("a panic"),
            }
            thread::sleep(RENEW_AFTER);
        }
    }

    /// Turns of the loop; an error is one of waiting for events.
    fn turns(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            let patience = self.patience();
            self.inside.pulse.rest();
            let waited = self.inside.poll.poll(&mut events, patience);
            self.now = self.commons.monotonic.now();
            self.inside.pulse.begin(self.now);
            match waited {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                waited => waited?,
            }
            #[cfg(test)]
            if std::mem::take(&mut self.is_deaf) {
                return Err(io::Error::other("a test asked for it"));
            }
            self.wall = self.commons.clock.now();
            self.turn_minute();
            self.hear();
            self.edges(&events);
            if !self.obey() {
                return Ok(());
            }
            self.continue_ready();
            self.review_some();
            self.renew_some();
            self.fire_timers();
            self.flush_when_due();
            if self.is_drained() {
                return Ok(());
            }
        }
    }

    fn patience(&self) -> Option<Duration> {
        let is_busy = self.has_orders || self.review.is_under_way() || !self.renewals.is_empty();
        if is_busy || !self.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        let mut until = self.timers.next(self.now, self.wall);
        let mut sooner = |at: Micros| until = Some(until.map_or(at, |until| until.min(at)));
        self.flush_at.into_iter().for_each(&mut sooner);
        if self.open > 0 {
            sooner(self.now.plus(SLEEP_MAX));
        }
        if let Some(draining) = &self.draining {
            sooner(draining.next_at());
        }
        // The time since `now` was read is short and the sleep is rounded up: late by less than a millisecond.
        until.map(|until| until.since(self.now).to_duration())
    }

    /// What was said to all workers since the last turn.
    fn hear(&mut self) {
        if !self.inside.word.has_changed().unwrap_or(false) {
            return;
        }
        let Word { round, snapshot, revoked, drain } = self.inside.word.borrow_and_update().clone();
        let places = self.sessions.all().len();
        if round != self.round {
            self.round = round;
            let asks_all = !snapshot.follows(&self.snapshot);
            self.snapshot = snapshot;
            self.limits.clear();
            self.review.ask(places, asks_all);
        }
        if revoked > self.revoked {
            // Whoever lives by an older one has gone already: to ask for all of them finds the same sessions.
            self.revoked = revoked;
            self.review.look_for_revoked(places);
        }
        if let Some(drain) = drain.filter(|_| self.draining.is_none()) {
            self.begin_drain(&drain);
        }
        if !self.review.is_under_way() {
            self.tell_reviewed();
        }
    }

    fn edges(&mut self, events: &Events) {
        for event in events {
            let Token(token) = event.token();
            if event.token() == WAKER {
                self.has_orders = true;
                continue;
            }
            let side = if token & 1 == 0 { Side::Client } else { Side::Backend };
            let place = token >> 1;
            // A session that ended earlier in this turn; its place is not given away before the next orders.
            let Some(session) = self.sessions.get_mut(place) else { continue };
            session.notice(side, event);
            // One that waits for its fair turn has it later in this one.
            if !session.is_queued {
                self.serve(place, Session::pump);
            }
        }
    }

    /// Lets a session do something, and puts it where it belongs afterwards. A panic stays inside.
    fn serve(&mut self, place: usize, act: impl FnOnce(&mut Session, &mut Turn<'_>) -> Pumped) {
        let Some(session) = self.sessions.get_mut(place) else { return };
        let mut turn = Turn {
            now: self.now,
            wall: self.wall,
            scratch: &mut self.scratch,
            lent: &mut self.lent,
            entropy: self.commons.entropy.as_ref(),
        };
        let was_dirty = session.is_dirty;
        // Unwind safe: the scratch holds no state, and the session is closed.
        let pumped = catch_unwind(AssertUnwindSafe(|| act(session, &mut turn))).unwrap_or_else(|_| {
            tracing::error!(session = %session.record.id, "a panic ends a session");
            catch_unwind(AssertUnwindSafe(|| session.rescue(&refusal::fault(), &mut turn))).unwrap_or_else(
                |_| {
                    session.abandon();
                    Pumped::Over
                },
            )
        });
        if session.is_dirty && !was_dirty {
            self.ledger.dirty.push(place);
            self.flush_at.get_or_insert(self.now.plus(FLUSH_EVERY));
        }
        match pumped {
            Pumped::Over => return self.conclude(place),
            Pumped::Again if !session.is_queued => {
                session.is_queued = true;
                self.ready.push(place);
            }
            _ => {}
        }
        if let Some(deadline) = session.relay().next_deadline()
            && deadline < session.armed
        {
            session.armed = deadline;
            self.timers.arm(deadline, place);
        }
    }

    fn obey(&mut self) -> bool {
        for _ in 0..ORDERS_PER_TURN {
            match self.inside.orders.try_recv() {
                Ok(Order::Take(handover)) => self.take(*handover),
                Ok(Order::Renew(renewal)) => self.begin_renewal(*renewal),
                #[cfg(test)]
                Ok(Order::Do(deed)) => deed(),
                #[cfg(test)]
                Ok(Order::BeDeaf) => {
                    self.is_deaf = true;
                    return true;
                }
                Err(mpsc::error::TryRecvError::Empty) => {
                    self.has_orders = false;
                    return true;
                }
                Err(mpsc::error::TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    fn take(&mut self, handover: Handover) {
        let (admitted_under, api, application) =
            (handover.snapshot_number, handover.grant.api_id(), handover.grant.application_id());
        let (asked_until, revoked) = (handover.revocation_number, &self.commons.revoked);
        let was_revoked = asked_until < revoked.number() && revoked.hit(&handover.grant.revocable());
        let expires_at = handover.grant.expires_at;
        let limits = self.limits_of(Bounds::of(&handover.grant, handover.passes_compressed));
        #[cfg(test)]
        let limits = handover.stage.as_ref().map_or(limits, |stage| Arc::clone(&stage.limits));
        let relay = Relay::new(self.now, limits);
        let mut session = Session::new(handover, relay);
        let place = self.sessions.vacant();
        let number = session.record.id.number;
        let watched =
            session.register(self.inside.poll.registry(), [Token(place << 1), Token(place << 1 | 1)]);
        self.sessions.put(place, session);
        self.open += 1;
        self.inside.load.fetch_add(1, Ordering::Relaxed);
        self.ledger.opened(api, application, 1);
        self.ledger.dirty.push(place);
        self.flush_at.get_or_insert(self.now.plus(FLUSH_EVERY));
        if let Err(error) = watched {
            tracing::error!(error = &error as &dyn std::error::Error, "a session cannot be watched");
            return self.conclude(place);
        }
        self.timers.expire(expires_at, place, number);
        if was_revoked {
            self.close(place, &refusal::unwelcome(Unwelcome::Revoked));
        } else if admitted_under < self.snapshot.number() {
            self.ask_again(place);
        }
        if let Some(draining) = &mut self.draining {
            draining.add(place);
        }
        self.serve(place, Session::pump);
    }

    fn limits_of(&mut self, bounds: Bounds) -> Arc<Limits> {
        Arc::clone(self.limits.entry(bounds).or_insert_with(|| Arc::new(bounds.limits())))
    }

    fn close(&mut self, place: usize, farewell: &Farewell) {
        self.serve(place, |session, turn| {
            session.close(farewell, turn);
            session.pump(turn)
        });
    }

    fn continue_ready(&mut self) {
        for place in std::mem::take(&mut self.ready) {
            if let Some(session) = self.sessions.get_mut(place) {
                session.is_queued = false;
                self.serve(place, Session::pump);
            }
        }
    }

    fn fire_timers(&mut self) {
        while let Some((at, place)) = self.timers.due(self.now) {
            let Some(session) = self.sessions.get_mut(place) else { continue };
            if session.armed != at {
                continue;
            }
            // Armed again by `serve`, for the time that the relay asks for then.
            session.armed = Micros::MAX;
            self.serve(place, |session, turn| {
                session.handle_timeout(turn);
                session.pump(turn)
            });
        }
        while let Some((place, number)) = self.timers.expired(self.wall) {
            // One that was renewed ends later, and has a timer for that.
            let is_it = |session: &&Session| {
                session.record.id.number == number && session.record.grant.expires_at <= self.wall
            };
            if self.sessions.get(place).is_some_and(|session| is_it(&session)) {
                self.close(place, &refusal::unwelcome(Unwelcome::Expired));
            }
        }
        let sessions = &self.sessions;
        let session = |place: usize| sessions.get(place);
        self.timers.tidy(
            self.open,
            |at, place| session(place).is_some_and(|session| session.armed == at),
            |at, place, number| {
                session(place).is_some_and(|session| {
                    session.record.id.number == number && session.record.grant.expires_at == at
                })
            },
        );
        self.drain_some();
    }

    fn conclude(&mut self, place: usize) {
        let Some(mut session) = self.sessions.take(place) else { return };
        self.open -= 1;
        self.inside.load.fetch_sub(1, Ordering::Relaxed);
        let grant = &session.record.grant;
        self.ledger.opened(grant.api_id(), grant.application_id(), -1);
        session.unreported(self.ledger.minute).into_iter().for_each(|counts| self.ledger.add(counts));
        session.meter.list_used(&mut self.ledger.used);
        let closed = session.closed(self.wall);
        tracing::debug!(session = %closed.id, code = closed.code, by = closed.by.as_str(), "session closed");
        self.ledger.closed.push(closed);
        self.flush_at.get_or_insert(self.now.plus(FLUSH_EVERY));
    }

    /// What was counted until now belongs to the minute that has ended.
    fn turn_minute(&mut self) {
        let minute = self.wall.minute();
        if minute != self.ledger.minute {
            self.flush();
            self.ledger.minute = minute;
        }
    }

    fn flush_when_due(&mut self) {
        if self.flush_at.is_some_and(|at| at <= self.now) {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.flush_at = None;
        for place in std::mem::take(&mut self.ledger.dirty) {
            let Some(session) = self.sessions.get_mut(place) else { continue };
            if let Some(counts) = session.unreported(self.ledger.minute) {
                self.ledger.add(counts);
            }
            session.meter.list_used(&mut self.ledger.used);
        }
        // First: what is reported below makes somebody tell of both.
        self.commons.budgets.used(&mut self.ledger.used);
        if !self.ledger.is_empty() {
            self.commons.reporter.add(self.ledger.take());
        }
    }

    fn begin_drain(&mut self, drain: &Drain) {
        let queue = self.sessions.all().filter(|place| self.sessions.get(*place).is_some()).collect();
        self.draining = Some(Draining::begin(drain, queue, self.now));
    }

    fn drain_some(&mut self) {
        while let Some((place, farewell)) = self.draining.as_mut().and_then(|it| it.next(self.now)) {
            self.close(place, &farewell);
        }
        if self.draining.as_ref().is_some_and(|draining| draining.is_time_up(self.now)) {
            for place in self.sessions.all() {
                let Some(session) = self.sessions.get_mut(place) else { continue };
                session.abandon();
                self.conclude(place);
                self.draining.iter_mut().for_each(|draining| draining.cut += 1);
            }
        }
    }

    fn is_drained(&self) -> bool {
        self.draining.is_some() && self.open == 0 && !self.has_orders
    }

    /// The loop failed outside of any session. Those it carried end, each with its record; what waits to be taken is
    /// taken by the loop that begins anew.
    fn lose(&mut self, why: &str) {
        let Inside { number: worker, .. } = self.inside;
        tracing::error!(worker, sessions = self.open, why, "a relay worker is lost, and begins anew");
        let farewell = refusal::worker_lost();
        for place in self.sessions.all() {
            let Some(session) = self.sessions.get_mut(place) else { continue };
            let mut turn = Turn {
                now: self.now,
                wall: self.wall,
                scratch: &mut self.scratch,
                lent: &mut self.lent,
                entropy: self.commons.entropy.as_ref(),
            };
            // Unwind safe, both: whatever they leave is dropped.
            if catch_unwind(AssertUnwindSafe(|| session.close_at_once(&farewell, &mut turn))).is_err() {
                session.abandon();
            }
            if catch_unwind(AssertUnwindSafe(|| self.conclude(place))).is_err() {
                tracing::error!(worker, "a session of a lost worker has no record");
            }
            self.draining.iter_mut().for_each(|draining| draining.cut += 1);
        }
        self.sessions = Places::default();
        (self.ready, self.timers) = (Vec::new(), Timers::default());
        (self.lent, self.limits) = (Lent::default(), HashMap::new());
        self.review = Review::default();
        self.renewals.clear();
        self.open = 0;
        self.inside.load.store(0, Ordering::Relaxed);
        self.ledger.dirty.clear();
        self.flush_at = Some(self.now);
        self.has_orders = true;
        // What was heard may not have been done.
        self.inside.word.mark_changed();
    }

    /// Makes a new queue of events; until there is one, the watch sees a worker that stalls.
    fn listen_anew(&mut self) {
        loop {
            match open_poll() {
                Ok((poll, waker)) => {
                    self.inside.poll = poll;
                    return self.inside.waker.store(Arc::new(waker));
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, worker = self.inside.number, "a relay worker cannot begin anew");
                    thread::sleep(RENEW_AFTER * 10);
                }
            }
        }
    }

    fn end(mut self) {
        for place in self.sessions.all() {
            if let Some(session) = self.sessions.get_mut(place) {
                session.abandon();
                self.conclude(place);
            }
        }
        self.flush();
        self.inside.pulse.rest();
        let cut = self.draining.map_or(0, |draining| draining.cut);
        self.inside.heard.send_modify(|heard| heard.cut = Some(cut));
    }
}

/// A queue of events and what rings in it.
pub(super) fn open_poll() -> io::Result<(Poll, Waker)> {
    let poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), WAKER)?;
    Ok((poll, waker))
}
