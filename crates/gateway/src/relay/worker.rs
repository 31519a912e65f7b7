//! A relay worker: one thread with its own event loop, its own sessions, and nothing shared but atomic budgets.
//!
//! Edge-triggered readiness through mio; one scratch buffer for all sessions; each clock is read once per turn. A
//! session that has more to do than is fair waits on the ready list, since no edge will come for it. Orders arrive
//! over a bounded channel with a waker. It does not know HTTP, TLS handshakes or the link. Invariant: a panic while a
//! session is served ends that session and no other. Read next: `session.rs`, then `timers.rs`.

use std::{
    collections::{HashMap, VecDeque},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use mio::{Events, Poll, Token, Waker};
use tidegate_model::{
    admit::{Grant, Unwelcome, standing},
    endpoint::{self, Endpoint},
    port::{Clock, Entropy},
    protocol::Protocol,
    snapshot::Snapshot,
    time::Timestamp,
};
use tidegate_wire::{Limits, Micros, Relay, Side};
use tokio::sync::{mpsc, oneshot};

use super::{
    Farewell, Handover,
    coder::Lent,
    ledger::Ledger,
    meter::Budgets,
    session::{Pumped, Session, Turn},
    timers::Timers,
};
use crate::{refusal, report::Reporter, time::Monotonic};

/// What is read at once: one system call for most messages, and small enough to stay in the second-level cache.
const SCRATCH_BYTES: usize = 64 * 1024;
/// Edges taken from the system at once; more wait in the system.
const EVENTS_MAX: usize = 1_024;
/// Orders taken in one turn, so that a storm of new sessions does not hold up those that are here.
const ORDERS_PER_TURN: usize = 256;
/// How often counts are reported while there are any: what a dashboard shows is at most this old at its source.
const FLUSH_EVERY: Micros = Micros::from_millis(500);
/// The longest sleep while sessions are open: a wall clock that was set, and with it expiry and the turn of the
/// minute, is noticed within it.
const SLEEP_MAX: Micros = Micros::from_millis(500);
/// The token of the waker; sessions use small even and odd numbers.
pub(super) const WAKER: Token = Token(usize::MAX);

/// What a worker is told.
pub(crate) enum Order {
    /// Carry this session.
    Take(Box<Handover>),
    /// Decide with this snapshot from now on, and ask again for every session.
    Decide { snapshot: Arc<Snapshot>, done: oneshot::Sender<()> },
    /// Say this to every session, spread over a time, cut what is left after the grace, and end.
    Drain { farewell: Arc<Farewell>, spread: Micros, grace: Micros, done: oneshot::Sender<usize> },
}

/// What all workers have in common.
#[derive(Clone)]
pub(crate) struct Commons {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) monotonic: Monotonic,
    pub(crate) budgets: Arc<Budgets>,
    pub(crate) reporter: Arc<Reporter>,
}

/// What decides a session's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Bounds {
    idle_ms: u32,
    ping_ms: u32,
    pong_ms: u32,
    lifetime_ms: u32,
    protocol: Protocol,
    passes_compressed: bool,
}

impl Bounds {
    pub(super) fn of(grant: &Grant, passes_compressed: bool) -> Self {
        // An endpoint that is gone from the API leaves its sessions with the default.
        let of = |value: fn(&Endpoint) -> u32, usual: endpoint::Bounds| {
            grant.endpoint().map_or(usual.default, value)
        };
        Self {
            idle_ms: of(|it| it.idle_timeout_ms, endpoint::IDLE_TIMEOUT),
            ping_ms: of(|it| it.ping_interval_ms, endpoint::PING_INTERVAL),
            pong_ms: of(|it| it.pong_timeout_ms, endpoint::PONG_TIMEOUT),
            lifetime_ms: of(|it| it.lifetime_max_ms, endpoint::LIFETIME),
            protocol: grant.api.protocol,
            passes_compressed,
        }
    }

    fn limits(self) -> Limits {
        let unless_off = |millis: u32| (millis > 0).then(|| Micros::from_millis(millis.into()));
        Limits {
            idle: Some(Micros::from_millis(self.idle_ms.into())),
            ping_interval: unless_off(self.ping_ms),
            pong_timeout: Micros::from_millis(self.pong_ms.into()),
            lifetime: unless_off(self.lifetime_ms),
            message_bytes_max: self.protocol.message_bytes_max.into(),
            frame_bytes_max: self.protocol.frame_bytes_max.into(),
            utf8: self.protocol.utf8_check,
            deflate: self.passes_compressed,
            ..Limits::default()
        }
    }
}

/// The order to end.
struct Draining {
    farewell: Arc<Farewell>,
    /// Who is to be told, and when the next one is.
    queue: VecDeque<usize>,
    next_at: Micros,
    pace: Micros,
    cut_at: Micros,
    done: oneshot::Sender<usize>,
    cut: usize,
}

/// See the module.
pub(super) struct Worker {
    poll: Poll,
    /// Held so that its last ring, from whoever drops the doors, is heard.
    _waker: Arc<Waker>,
    orders: mpsc::Receiver<Order>,
    commons: Commons,
    load: Arc<AtomicUsize>,
    scratch: Box<[u8]>,
    lent: Lent,
    sessions: Vec<Option<Session>>,
    free: Vec<usize>,
    open: usize,
    ready: Vec<usize>,
    timers: Timers,
    ledger: Ledger,
    flush_at: Option<Micros>,
    snapshot: Arc<Snapshot>,
    /// Sessions with the same bounds share one value.
    limits: HashMap<Bounds, Arc<Limits>>,
    draining: Option<Draining>,
    /// Orders may be waiting.
    has_orders: bool,
    now: Micros,
    wall: Timestamp,
}

impl Worker {
    pub(super) fn new(
        poll: Poll,
        waker: Arc<Waker>,
        orders: mpsc::Receiver<Order>,
        load: Arc<AtomicUsize>,
        commons: Commons,
    ) -> Self {
        let (now, wall) = (commons.monotonic.now(), commons.clock.now());
        Self {
            poll,
            _waker: waker,
            orders,
            commons,
            load,
            scratch: vec![0; SCRATCH_BYTES].into_boxed_slice(),
            lent: Lent::default(),
            sessions: Vec::new(),
            free: Vec::new(),
            open: 0,
            ready: Vec::new(),
            timers: Timers::default(),
            ledger: Ledger { minute: wall.minute(), ..Ledger::default() },
            flush_at: None,
            snapshot: Arc::default(),
            limits: HashMap::new(),
            draining: None,
            has_orders: true,
            now,
            wall,
        }
    }

    /// Runs until it was drained, or nobody can give orders any more.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS_MAX);
        loop {
            if let Err(error) = self.poll.poll(&mut events, self.patience()) {
                if error.kind() == io::ErrorKind::Interrupted {
                    continue;
                }
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a relay worker cannot wait for events"
                );
                break;
            }
            (self.now, self.wall) = (self.commons.monotonic.now(), self.commons.clock.now());
            self.turn_minute();
            self.edges(&events);
            if !self.obey() {
                break;
            }
            self.continue_ready();
            self.fire_timers();
            self.flush_when_due();
            if self.is_drained() {
                break;
            }
        }
        self.end();
    }

    fn patience(&self) -> Option<std::time::Duration> {
        if !self.ready.is_empty() || self.has_orders {
            return Some(std::time::Duration::ZERO);
        }
        let mut until = self.timers.next(self.now, self.wall);
        let mut sooner = |at: Micros| until = Some(until.map_or(at, |until| until.min(at)));
        self.flush_at.into_iter().for_each(&mut sooner);
        if self.open > 0 {
            sooner(self.now.plus(SLEEP_MAX));
        }
        if let Some(draining) = &self.draining {
            sooner(if draining.queue.is_empty() { draining.cut_at } else { draining.next_at });
        }
        // The time since `now` was read is short and the sleep is rounded up: late by less than a millisecond.
        until.map(|until| until.since(self.now).to_duration())
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
            let Some(session) = self.sessions.get_mut(place).and_then(Option::as_mut) else { continue };
            session.notice(side, event);
            // One that waits for its fair turn has it later in this one.
            if !session.is_queued {
                self.serve(place, Session::pump);
            }
        }
    }

    /// Lets a session do something, and puts it where it belongs afterwards. A panic stays inside.
    fn serve(&mut self, place: usize, act: impl FnOnce(&mut Session, &mut Turn<'_>) -> Pumped) {
        let Some(session) = self.sessions.get_mut(place).and_then(Option::as_mut) else { return };
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
            match self.orders.try_recv() {
                Ok(Order::Take(handover)) => self.take(*handover),
                Ok(Order::Decide { snapshot, done }) => {
                    self.decide(snapshot);
                    // Whoever gave the order may have gone; the snapshot decides all the same.
                    let _ = done.send(());
                }
                Ok(Order::Drain { farewell, spread, grace, done }) => {
                    self.begin_drain(farewell, spread, grace, done);
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
        let expires_at = handover.grant.expires_at;
        let limits = self.limits_of(Bounds::of(&handover.grant, handover.passes_compressed));
        #[cfg(test)]
        let limits = handover.stage.as_ref().map_or(limits, |stage| Arc::clone(&stage.limits));
        let relay = Relay::new(self.now, limits);
        let mut session = Session::new(handover, relay);
        let place = self.free.pop().unwrap_or_else(|| {
            self.sessions.push(None);
            self.sessions.len() - 1
        });
        let number = session.record.id.number;
        let watched = session.register(self.poll.registry(), [Token(place << 1), Token(place << 1 | 1)]);
        self.sessions[place] = Some(session);
        self.open += 1;
        self.load.fetch_add(1, Ordering::Relaxed);
        self.ledger.opened(api, application, 1);
        self.ledger.dirty.push(place);
        self.flush_at.get_or_insert(self.now.plus(FLUSH_EVERY));
        if let Err(error) = watched {
            tracing::error!(error = &error as &dyn std::error::Error, "a session cannot be watched");
            return self.conclude(place);
        }
        self.timers.expire(expires_at, place, number);
        if admitted_under < self.snapshot.number() {
            self.ask_again(place);
        }
        if let Some(draining) = &mut self.draining {
            draining.queue.push_back(place);
        }
        self.serve(place, Session::pump);
    }

    fn limits_of(&mut self, bounds: Bounds) -> Arc<Limits> {
        Arc::clone(self.limits.entry(bounds).or_insert_with(|| Arc::new(bounds.limits())))
    }

    fn decide(&mut self, snapshot: Arc<Snapshot>) {
        self.snapshot = snapshot;
        self.limits.clear();
        for place in 0..self.sessions.len() {
            self.ask_again(place);
        }
    }

    /// Whether a session may stay under the present snapshot, and what it is allowed from now on.
    fn ask_again(&mut self, place: usize) {
        let Some(session) = self.sessions.get_mut(place).and_then(Option::as_mut) else { return };
        let held = &session.record.grant;
        let grant = match standing(&self.snapshot, held, self.wall) {
            Ok(grant) => grant,
            Err(unwelcome) => {
                let farewell = refusal::unwelcome(unwelcome);
                return self.close(place, &farewell);
            }
        };
        let has_other_budget = (grant.subscription, grant.plan_limit, grant.application_limit)
            != (held.subscription, held.plan_limit, held.application_limit)
            || grant.plan != held.plan
            || grant.policy != held.policy;
        let before = session.bounds();
        if has_other_budget {
            // What passed so far belongs to the plan of until now.
            let counts = session.unreported(self.ledger.minute);
            session.meter = self.commons.budgets.meter(&grant);
            if let Some(counts) = counts {
                self.ledger.add(counts);
            }
        }
        session.record.grant = grant;
        let after = session.bounds();
        if before != after {
            let limits = self.limits_of(after);
            self.serve(place, |session, turn| {
                session.set_limits(limits);
                session.pump(turn)
            });
        }
    }

    fn close(&mut self, place: usize, farewell: &Farewell) {
        self.serve(place, |session, turn| {
            session.close(farewell, turn);
            session.pump(turn)
        });
    }

    fn continue_ready(&mut self) {
        for place in std::mem::take(&mut self.ready) {
            if let Some(session) = self.sessions.get_mut(place).and_then(Option::as_mut) {
                session.is_queued = false;
                self.serve(place, Session::pump);
            }
        }
    }

    fn fire_timers(&mut self) {
        while let Some((at, place)) = self.timers.due(self.now) {
            let Some(session) = self.sessions.get_mut(place).and_then(Option::as_mut) else { continue };
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
            let is_it = |session: &&Session| session.record.id.number == number;
            if self.sessions.get(place).and_then(Option::as_ref).is_some_and(|session| is_it(&session)) {
                self.close(place, &refusal::unwelcome(Unwelcome::Expired));
            }
        }
        let sessions = &self.sessions;
        let session = |place: usize| sessions.get(place).and_then(Option::as_ref);
        self.timers.tidy(
            self.open,
            |at, place| session(place).is_some_and(|session| session.armed == at),
            |place, number| session(place).is_some_and(|session| session.record.id.number == number),
        );
        self.drain_some();
    }

    fn conclude(&mut self, place: usize) {
        let Some(mut session) = self.sessions.get_mut(place).and_then(Option::take) else { return };
        self.free.push(place);
        self.open -= 1;
        self.load.fetch_sub(1, Ordering::Relaxed);
        let grant = &session.record.grant;
        self.ledger.opened(grant.api_id(), grant.application_id(), -1);
        session.unreported(self.ledger.minute).into_iter().for_each(|counts| self.ledger.add(counts));
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
            let Some(session) = self.sessions.get_mut(place).and_then(Option::as_mut) else { continue };
            if let Some(counts) = session.unreported(self.ledger.minute) {
                self.ledger.add(counts);
            }
        }
        if !self.ledger.is_empty() {
            self.commons.reporter.add(self.ledger.take());
        }
    }

    fn begin_drain(
        &mut self,
        farewell: Arc<Farewell>,
        spread: Micros,
        grace: Micros,
        done: oneshot::Sender<usize>,
    ) {
        let queue: VecDeque<usize> =
            (0..self.sessions.len()).filter(|place| self.sessions[*place].is_some()).collect();
        let pace = Micros::new(spread.get() / (queue.len() as u64).max(1));
        let cut_at = self.now.plus(grace);
        self.draining = Some(Draining { farewell, queue, next_at: self.now, pace, cut_at, done, cut: 0 });
    }

    fn drain_some(&mut self) {
        while let Some(draining) = &mut self.draining
            && draining.next_at <= self.now
            && let Some(place) = draining.queue.pop_front()
        {
            draining.next_at = draining.next_at.plus(draining.pace);
            let farewell = Arc::clone(&draining.farewell);
            self.close(place, &farewell);
        }
        if self.draining.as_ref().is_some_and(|draining| draining.cut_at <= self.now) {
            for place in 0..self.sessions.len() {
                let Some(session) = self.sessions[place].as_mut() else { continue };
                session.abandon();
                self.conclude(place);
                self.draining.iter_mut().for_each(|draining| draining.cut += 1);
            }
        }
    }

    fn is_drained(&self) -> bool {
        self.draining.is_some() && self.open == 0 && !self.has_orders
    }

    fn end(mut self) {
        for place in 0..self.sessions.len() {
            if let Some(session) = self.sessions[place].as_mut() {
                session.abandon();
                self.conclude(place);
            }
        }
        self.flush();
        if let Some(draining) = self.draining {
            // Nobody waits for the end of a gateway that is dropped.
            let _ = draining.done.send(draining.cut);
        }
    }
}
