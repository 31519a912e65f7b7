//! The relay's limiter: who may send at all, and a session's share of the budgets that all workers count in.
//!
//! A budget belongs to a subscription (or to an application whose policy has a limit), not to a session: it is
//! found by id when a session opens or its plan changes, and survives reconnects. Per message it costs one atomic
//! step for each limit and no lock. It does not know sockets; the arithmetic is `tidegate_model::throttle`, the decision
//! over several budgets `tidegate_model::meter`.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tidegate_model::{
    admit::Grant,
    id::{ApiId, ApplicationId, SubscriptionId},
    limit::{Limit, Shape},
    meter::{Event, Refused, Sender, Share, Shares},
    network::Neighbour,
    policy::{DELAY_MILLIS_MAX, Excess, Policy},
    security::Way,
    snapshot::Snapshot,
    throttle::{Budget, Moment},
    time::Timestamp,
    topic::{Misdirected, Speech},
};
use tidegate_wire::{Admission, Limiter, MessageStart, Micros, Side};

use crate::{
    refusal::{misdirected_close, quota_close},
    time::Monotonic,
};

/// Whose a budget is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    Subscription {
        id: SubscriptionId,
        application: ApplicationId,
        api: ApiId,
    },
    Application(ApplicationId),
    /// Who comes without a credential is told apart by the address alone.
    Address {
        api: ApiId,
        from: Neighbour,
    },
}

impl Holder {
    /// Whose the budgets of this grant's plan are; `None` without a plan.
    fn of_plan(grant: &Grant) -> Option<Self> {
        let (application, api) = (grant.application_id(), grant.api_id());
        match (grant.subscription, grant.way) {
            (Some(id), _) => Some(Self::Subscription { id, application, api }),
            (None, Way::None) => Some(Self::Address { api, from: grant.address.into() }),
            (None, _) => None,
        }
    }
}

/// Whose budgets a session counts in, and by which policies: the application's first, then the plan's.
fn holders(grant: &Grant) -> impl Iterator<Item = (Holder, &Arc<Policy>)> {
    let application = (Holder::Application(grant.application_id()), &grant.application_policy);
    [Some(application), Holder::of_plan(grant).zip(grant.plan.as_ref())].into_iter().flatten()
}

/// From so many budgets on, those of addresses that nobody has a session of are forgotten: with some 100 bytes each it
/// is 6 MiB, for more addresses than come to one gateway in a minute.
const BUDGETS_SWEPT_FROM: usize = 65_536;

/// The budgets of everyone who may connect.
#[derive(Debug)]
pub(crate) struct Budgets {
    held: Mutex<Held>,
    monotonic: Monotonic,
}

/// By whose they are and what they count. So a limit whose number changes goes on with what was used, and a budget of
/// minutes does not continue as one of days.
#[derive(Debug)]
struct Held {
    budgets: HashMap<(Holder, Shape), Arc<Budget>>,
    /// How many sessions are open of each whose policy bounds that.
    open: HashMap<Holder, Arc<AtomicU32>>,
    /// How many there may be before they are looked through.
    sweep_from: usize,
}

impl Default for Held {
    fn default() -> Self {
        Self { budgets: HashMap::new(), open: HashMap::new(), sweep_from: BUDGETS_SWEPT_FROM }
    }
}

impl Held {
    fn budget(&mut self, holder: Holder, shape: Shape) -> Arc<Budget> {
        if self.budgets.len() >= self.sweep_from && !self.budgets.contains_key(&(holder, shape)) {
            self.budgets.retain(|(holder, _), budget| {
                !matches!(holder, Holder::Address { .. }) || Arc::strong_count(budget) > 1
            });
            // Twice what stays, so that a look through all comes after as many that are new.
            self.sweep_from = BUDGETS_SWEPT_FROM.max(2 * self.budgets.len());
        }
        Arc::clone(self.budgets.entry((holder, shape)).or_default())
    }
}

/// A session's place among those of a holder that are open at once; free again when it is dropped.
#[derive(Debug)]
struct Seat(Arc<AtomicU32>);

impl Drop for Seat {
    fn drop(&mut self) {
        // Relaxed is enough: the number is all there is.
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// As many sessions are open as a policy allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Full {
    /// Name of the plan or policy.
    pub(crate) plan: String,
    /// How many that are.
    pub(crate) sessions_max: u32,
}

/// The budgets of one session.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// The application's first, then the plan's.
    shares: Shares,
    /// Its places among the open sessions of its holders.
    seats: [Option<Seat>; 2],
    now: Moment,
    counts_bytes: bool,
    /// By side: the frame under way is a message's first, whose bytes were taken when it began.
    is_first: [bool; 2],
    speech: Speech,
    /// What becomes of a message of a client that may not send.
    misdirected: Misdirected,
    #[cfg(test)]
    pub(super) script: Option<super::tests::Script>,
}

/// A budget that is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsedUp {
    /// Name of the plan or policy.
    pub(crate) plan: String,
    /// Whole seconds until there is more.
    pub(crate) retry_after_seconds: u32,
}

impl From<Refused<'_>> for UsedUp {
    fn from(refused: Refused<'_>) -> Self {
        Self {
            plan: refused.policy.name.clone(),
            retry_after_seconds: refused.exhausted.retry_after_seconds(),
        }
    }
}

impl Budgets {
    /// None yet. `monotonic` is the clock of the workers, too.
    pub(crate) fn new(monotonic: Monotonic) -> Arc<Self> {
        Arc::new(Self { held: Mutex::default(), monotonic })
    }

    /// The meter of a session with this grant.
    pub(crate) fn meter(&self, grant: &Grant) -> Meter {
        let mut held = self.held();
        let mut shares_of = |(holder, policy): (Holder, &Arc<Policy>)| -> Vec<Share> {
            let share =
                |limit: &Limit| Share::new(held.budget(holder, limit.shape()), *limit, Arc::clone(policy));
            policy.limits.iter().map(share).collect()
        };
        let shares: Shares = holders(grant).flat_map(&mut shares_of).collect();
        let mut meter = Meter { counts_bytes: shares.count_bytes(), shares, ..Meter::default() };
        meter.hear(grant);
        meter
    }

    /// The same of a session that is open already: it has its places whatever its policies say by now.
    pub(crate) fn meter_of_open(&self, grant: &Grant) -> Meter {
        let mut meter = self.meter(grant);
        // Nobody is refused where everybody has room.
        let _ = self.take_seats(&mut meter, grant, |_| u32::MAX);
        meter
    }

    /// Takes the places of a session that begins.
    ///
    /// # Errors
    /// [`Full`] when so many sessions are open as one of its policies allows; it has no place then.
    pub(crate) fn seat(&self, meter: &mut Meter, grant: &Grant) -> Result<(), Full> {
        self.take_seats(meter, grant, |sessions_max| sessions_max)
    }

    fn take_seats(&self, meter: &mut Meter, grant: &Grant, room: impl Fn(u32) -> u32) -> Result<(), Full> {
        for (seat, (holder, policy)) in meter.seats.iter_mut().zip(holders(grant)) {
            let Some(sessions_max) = policy.sessions_max else { continue };
            let open = Arc::clone(self.held().open.entry(holder).or_default());
            let more = |open: u32| (open < room(sessions_max)).then(|| open.saturating_add(1));
            if open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
                meter.seats = [None, None];
                return Err(Full { plan: policy.name.clone(), sessions_max });
            }
            *seat = Some(Seat(open));
        }
        Ok(())
    }

    /// Drops what nobody can use any more.
    pub(crate) fn forget_absent(&self, snapshot: &Snapshot) {
        let mut held = self.held();
        // Who has no session open has a new count when one comes.
        held.open.retain(|_, open| Arc::strong_count(open) > 1);
        held.budgets.retain(|(holder, _), _| match *holder {
            Holder::Subscription { id, application, api } => {
                snapshot.subscription(application, api).is_some_and(|subscription| subscription.id == id)
            }
            Holder::Application(id) => snapshot.application(id).is_some(),
            Holder::Address { api, .. } => snapshot.api(api).is_some(),
        });
    }

    /// Lets a session begin.
    ///
    /// # Errors
    /// [`UsedUp`] when it could not pass a single message, or when there were enough sessions.
    pub(crate) fn connect(&self, meter: &Meter, wall: Timestamp) -> Result<(), UsedUp> {
        let now = moment(wall, self.monotonic.now());
        meter.silenced(now).map_or(Ok(()), Err)?;
        meter.shares.begin(Event::Connect, now).map_err(UsedUp::from)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // A std mutex: held for one look-up when a session opens, never across an await, never per message.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn moment(wall: Timestamp, now: Micros) -> Moment {
    Moment { wall, micros: now.get() }
}

const fn sender(side: Side) -> Sender {
    match side {
        Side::Client => Sender::Client,
        Side::Backend => Sender::Backend,
    }
}

impl Meter {
    /// Why a session that begins now would be closed at its first message, whoever sends it.
    fn silenced(&self, now: Moment) -> Option<UsedUp> {
        let speaks = [(Sender::Client, self.speech.client), (Sender::Backend, self.speech.backend)];
        let mut sooner: Option<Refused<'_>> = None;
        for (from, _) in speaks.into_iter().filter(|(_, may)| *may) {
            let refused = self.shares.refused(Event::Message { from, bytes: 0 }, now)?;
            if !matches!(excess(refused, Micros::ZERO), Admission::Close(_)) {
                return None;
            }
            let wait = |refused: &Refused<'_>| refused.exhausted.retry_after_millis;
            sooner = Some(sooner.filter(|other| wait(other) <= wait(&refused)).unwrap_or(refused));
        }
        sooner.map(UsedUp::from)
    }

    /// Who may send from now on.
    pub(super) fn hear(&mut self, grant: &Grant) {
        (self.speech, self.misdirected) = (grant.speech, grant.api.topics.misdirected);
    }

    #[cold]
    fn misdirected(&self) -> Admission {
        match self.misdirected {
            Misdirected::Close => Admission::Close(misdirected_close()),
            Misdirected::Drop => Admission::Drop,
        }
    }

    /// Goes on in the place of another one, in the middle of what that has admitted.
    pub(super) fn go_on_from(&mut self, before: &Self) {
        self.is_first = before.is_first;
    }

    /// The clocks of this turn of the worker's loop.
    #[inline]
    pub(super) fn at(&mut self, wall: Timestamp, now: Micros) {
        self.now = moment(wall, now);
    }
}

/// What becomes of a message that a budget refuses.
#[cold]
fn excess(refused: Refused<'_>, now: Micros) -> Admission {
    let wait = refused.exhausted.retry_after_millis;
    match refused.policy.on_excess {
        Excess::Drop => Admission::Drop,
        Excess::Delay if wait <= DELAY_MILLIS_MAX => Admission::Delay(now.plus(Micros::from_millis(wait))),
        Excess::Delay | Excess::Close => {
            Admission::Close(quota_close(&refused.policy.name, refused.exhausted.retry_after_seconds()))
        }
    }
}

impl Limiter for Meter {
    #[inline]
    fn admit(&mut self, now: Micros, message: MessageStart) -> Admission {
        #[cfg(test)]
        if let Some(script) = &mut self.script {
            return script.admit(now, message);
        }
        // Before any limit: what does not pass costs nothing.
        match message.from {
            Side::Client if !self.speech.client => return self.misdirected(),
            // Its client chose the topic and cannot help what the backend says on it.
            Side::Backend if !self.speech.backend => return Admission::Drop,
            Side::Client | Side::Backend => {}
        }
        self.is_first[message.from as usize] = true;
        let event = Event::Message { from: sender(message.from), bytes: message.payload_bytes };
        match self.shares.begin(event, self.now) {
            Ok(()) => Admission::Pass,
            Err(refused) => excess(refused, now),
        }
    }

    #[inline]
    fn passed(&mut self, from: Side, payload_bytes: u64) {
        let was_first = std::mem::take(&mut self.is_first[from as usize]);
        if self.counts_bytes && !was_first {
            self.shares.more(sender(from), payload_bytes, self.now);
        }
    }
}

#[cfg(test)]
mod tests;
