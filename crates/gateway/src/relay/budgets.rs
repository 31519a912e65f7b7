//! The budgets of everyone who may connect, and how many sessions are open of each.
//!
//! A budget belongs to a subscription, or to an application, an API or a topic whose policy has a limit, not to a session: it
//! is found by id when a session opens or its plan changes, and survives reconnects. Here a lock is taken for each session
//! that opens, and never for a message. It does not know sockets, nor how messages are judged: that is `meter.rs`.
//!
//! What was used is told to the store (`model::usage`): whoever let something pass puts the budgets on a list, workers
//! once in each flush, and whoever makes a batch asks each of the list what there is to tell.

use std::{
    borrow::Borrow,
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, Hash, Hasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tidegate_model::{
    admit::Grant,
    custom_rule::{Judged, Rule},
    expression::{Failed, Found},
    holder::{BudgetKey, Holder},
    id::ApplicationId,
    lease::{self, Fleet},
    limit::Limit,
    meter::{Event, Level, Share, Shares},
    network::Neighbour,
    port::Clock,
    revocation::Mark,
    security::Way,
    snapshot::Snapshot,
    throttle::{Budget, Scarcity},
    time::Timestamp,
    topic::Direction,
    usage::{Tally, Usage},
};
use tokio::time::{Instant, sleep};

use super::{
    failures::Failures,
    meter::{HeldTo, Meter, Ruled, UsedUp, holders, moment},
};
use crate::{quota::Fields, time::Monotonic};

/// Budgets are kept in so many parts, each under a lock of its own, so that nobody who opens a session waits for a look
/// through all of them: of a hundred thousand, a part is looked through in half a millisecond.
const PARTS: usize = 64;
/// From so many budgets of a part on, those of addresses that nobody has a session of are forgotten: with some 120 bytes each
/// it is 8 MiB over all parts, for more addresses than come to one gateway in a minute.
const BUDGETS_SWEPT_FROM: usize = 65_536 / PARTS;
/// From so many counts of open sessions of a part on, those of nobody are forgotten, as above: there is one for each user
/// and address of a holder whose policy bounds that.
const OPEN_SWEPT_FROM: usize = 65_536 / PARTS;
/// Most budgets that one batch tells of: some hundreds of kilobytes, and one transaction of the store, well under a second.
const TOLD_MAX: usize = 5_000;

/// Between two looks for an answer of other gateways: about a round trip.
const AWAITED_PAUSE: Duration = Duration::from_millis(1);

/// The budgets of everyone who may connect.
#[derive(Debug)]
pub(crate) struct Budgets {
    parts: [Mutex<Held>; PARTS],
    /// Chooses the part of a holder.
    hasher: RandomState,
    /// Of which there may be something to tell.
    untold: Mutex<Vec<Arc<Tally>>>,
    monotonic: Monotonic,
    /// The gateways that use them, too.
    fleet: Option<Arc<Fleet>>,
    failures: Failures,
}

/// A budget, found by its key.
#[derive(Debug)]
struct Kept(Arc<Tally>);

impl Borrow<BudgetKey> for Kept {
    fn borrow(&self) -> &BudgetKey {
        self.0.key()
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.0.key() == other.0.key()
    }
}

impl Eq for Kept {}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.key().hash(state);
    }
}

/// One part.
#[derive(Debug)]
struct Held {
    budgets: HashSet<Kept>,
    /// How many sessions are open of each whose policy bounds that.
    open: HashMap<Seated, Arc<AtomicU32>>,
    /// How many budgets there may be before they are looked through.
    sweep_from: usize,
    /// How many counts of open sessions, likewise.
    sweep_open_from: usize,
}

/// Of a holder's sessions, which are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Whose {
    /// All.
    All,
    /// Those of one user.
    User(User),
    /// Those from one address.
    Address(Neighbour),
}

/// Who a session is of, as far as its credential says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum User {
    /// A person, whoever issued the token.
    Person(Mark),
    /// An application that speaks for nobody.
    Application(ApplicationId),
    /// Whoever is there without a credential.
    Address(Neighbour),
}

impl User {
    fn of(grant: &Grant) -> Self {
        match (grant.marks.subject, grant.way) {
            (Some(person), _) => Self::Person(person),
            (None, Way::None) => Self::Address(grant.address.into()),
            (None, _) => Self::Application(grant.application_id()),
        }
    }
}

/// Of which sessions there is a count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Seated(Holder, Whose);

impl Default for Held {
    fn default() -> Self {
        Self {
            budgets: HashSet::new(),
            open: HashMap::new(),
            sweep_from: BUDGETS_SWEPT_FROM,
            sweep_open_from: OPEN_SWEPT_FROM,
        }
    }
}

impl Held {
    /// The budget of this limit.
    fn tally_for(&mut self, key: BudgetKey, limit: &Limit, fleet: Option<&Arc<Fleet>>) -> Arc<Tally> {
        let tally = self.tally(key, fleet);
        if let Some(lease) = tally.budget().lease() {
            lease.hold_to(*limit);
        }
        tally
    }

    fn tally(&mut self, key: BudgetKey, fleet: Option<&Arc<Fleet>>) -> Arc<Tally> {
        if let Some(Kept(tally)) = self.budgets.get(&key) {
            return Arc::clone(tally);
        }
        if self.budgets.len() >= self.sweep_from {
            self.budgets
                .retain(|Kept(tally)| !tally.key().holder.is_transient() || Arc::strong_count(tally) > 1);
            // Twice what stays, so that a look through all comes after as many that are new.
            self.sweep_from = BUDGETS_SWEPT_FROM.max(2 * self.budgets.len());
        }
        let tally = Arc::new(Tally::new(key, fleet));
        self.budgets.insert(Kept(Arc::clone(&tally)));
        tally
    }

    /// How many sessions are open of these.
    fn open(&mut self, of: Seated) -> Arc<AtomicU32> {
        if self.open.len() >= self.sweep_open_from {
            self.open.retain(|_, open| Arc::strong_count(open) > 1);
            self.sweep_open_from = OPEN_SWEPT_FROM.max(2 * self.open.len());
        }
        Arc::clone(self.open.entry(of).or_default())
    }
}

/// A session's place among those of a holder that are open at once; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Seat(Arc<AtomicU32>);

/// Those that a session has, three at each level at most. Most have none, and own nothing of it.
#[derive(Debug, Default)]
pub(super) struct Seats(Vec<Seat>);

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
    /// Where it is held.
    pub(crate) level: Level,
    /// How many that are.
    pub(crate) sessions_max: u32,
    /// Of whom.
    pub(crate) of: OfWhom,
}

/// Of whom so many sessions may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfWhom {
    /// Of all together.
    All,
    /// Of one user.
    User,
    /// From one address.
    Address,
}

/// What a policy says of sessions at once: of whom, how many, and which are counted.
fn bounded(held: &HeldTo<'_>, grant: &Grant) -> impl Iterator<Item = (OfWhom, u32, Whose)> {
    let policy = held.policy;
    let all = policy.sessions_max.map(|most| (OfWhom::All, most, Whose::All));
    let user = policy.sessions_per_user_max.map(|most| (OfWhom::User, most, Whose::User(User::of(grant))));
    let address = policy.sessions_per_address_max;
    let address = address.map(|most| (OfWhom::Address, most, Whose::Address(grant.address.into())));
    [all, user, address].into_iter().flatten()
}

impl Budgets {
    /// None yet. `monotonic` is the clock of the workers, too.
    /// `fleet`: of which others use as well.
    pub(crate) fn new(monotonic: Monotonic, fleet: Option<Arc<Fleet>>) -> Arc<Self> {
        let parts = std::array::from_fn(|_| Mutex::default());
        let (hasher, untold) = (RandomState::new(), Mutex::default());
        Arc::new(Self { parts, hasher, untold, monotonic, fleet, failures: Failures::default() })
    }

    /// Those that other gateways use, too.
    pub(crate) fn shared(&self) -> Vec<Arc<Budget>> {
        let of_part = |part: &Mutex<Held>| {
            let budgets = Self::locked(part);
            budgets.budgets.iter().filter_map(|Kept(tally)| tally.shared().cloned()).collect::<Vec<_>>()
        };
        self.parts.iter().flat_map(of_part).collect()
    }

    /// The meter of a session with this grant.
    pub(crate) fn meter(self: &Arc<Self>, grant: &Grant) -> Meter {
        let shares_of = |to: &HeldTo<'_>| -> Vec<Share> {
            if to.limits().is_empty() {
                return Vec::new();
            }
            let holder = to.counted();
            let mut held = self.held(&holder);
            let share = |limit: &Limit| {
                let key = BudgetKey { holder: holder.clone(), shape: limit.shape() };
                Share::new(held.tally_for(key, limit, self.fleet.as_ref()), *limit, Arc::clone(to.policy))
            };
            to.limits().iter().map(share).collect()
        };
        let of_rules = grant.rules.iter().flat_map(|held| match &held.judged {
            Judged::Applies(found, direction) => self.shares_of_rule(&held.rule, found, *direction),
            Judged::Failed(failed) => {
                self.failures.tell(&held.rule, failed, self.monotonic.now());
                Vec::new()
            }
            // Whose budgets those are, each message says.
            Judged::EachMessage(_) => Vec::new(),
        });
        // In one piece of the right size: what is cut off of a larger one lies between budgets, which stay.
        let held: Vec<_> = holders(grant).collect();
        let limits = held.iter().map(|to| to.limits().len()).sum::<usize>();
        let of_rules = of_rules.collect::<Vec<_>>();
        let mut shares = Vec::with_capacity(limits + of_rules.len());
        for to in &held {
            shares.extend(shares_of(to));
        }
        shares.extend(of_rules);
        let shares: Shares = shares.into_iter().collect();
        Meter::new(shares, grant, Ruled::of(&grant.rules, self))
    }

    /// The shares of whom a rule yields this for, of what is sent in this direction.
    pub(super) fn shares_of_rule(&self, rule: &Arc<Rule>, found: &Found, only: Direction) -> Vec<Share> {
        let holder = Holder::Rule { id: rule.id, key: Arc::clone(&found.key) };
        let mut held = self.held(&holder);
        let share = |limit: Limit| {
            let key = BudgetKey { holder: holder.clone(), shape: limit.shape() };
            let share =
                Share::new(held.tally_for(key, &limit, self.fleet.as_ref()), limit, Arc::clone(&rule.policy));
            share.only(only)
        };
        rule.limits(found).map(share).filter(|share| !share.is_idle()).collect()
    }

    /// A rule does not apply to somebody for want of something.
    pub(super) fn rule_failed(&self, rule: &Rule, failed: &Failed) {
        self.failures.tell(rule, failed, self.monotonic.now());
    }

    /// The same of a session that is open already: it has its places whatever its policies say by now.
    pub(crate) fn meter_of_open(self: &Arc<Self>, grant: &Grant) -> Meter {
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
        let mut seats = Seats::default();
        for held in holders(grant) {
            for (of, sessions_max, whose) in bounded(&held, grant) {
                let seated = Seated(held.holder.clone(), whose);
                let mut part = self.held(&seated);
                let open = part.open(seated);
                drop(part);
                let more = |open: u32| (open < room(sessions_max)).then(|| open.saturating_add(1));
                if open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
                    let (plan, level) = (held.policy.name.clone(), held.holder.level());
                    return Err(Full { plan, level, sessions_max, of });
                }
                seats.0.push(Seat(open));
            }
        }
        meter.seats = (!seats.0.is_empty()).then(|| Box::new(seats));
        Ok(())
    }

    /// Drops what nobody can use any more.
    pub(crate) fn forget_absent(&self, snapshot: &Snapshot) {
        for part in &self.parts {
            let mut held = Self::locked(part);
            // Who has no session open has a new count when one comes.
            held.open.retain(|_, open| Arc::strong_count(open) > 1);
            held.budgets.retain(|Kept(tally)| tally.key().holder.is_in(snapshot));
        }
    }

    /// Goes on with what was used before, of budgets that are not here yet.
    pub(crate) fn resume(&self, some: &[Usage], wall: Timestamp) {
        let now = moment(wall, self.monotonic.now());
        for usage in some {
            let mut held = self.held(&usage.key.holder);
            if !held.budgets.contains(&usage.key) {
                held.budgets.insert(Kept(Arc::new(Tally::resumed(usage, now, self.fleet.as_ref()))));
            }
        }
    }

    /// Of these there may be something to tell; the list is empty afterwards.
    pub(super) fn used(&self, some: &mut Vec<Arc<Tally>>) {
        if !some.is_empty() {
            Self::locked(&self.untold).append(some);
        }
    }

    /// What there is to tell of budgets, of so many as a batch holds. Only one at a time may ask.
    pub(crate) fn tell(&self, wall: Timestamp) -> Vec<Usage> {
        let some: Vec<_> = {
            let mut untold = Self::locked(&self.untold);
            let some = untold.len().min(TOLD_MAX);
            untold.drain(..some).collect()
        };
        let now = moment(wall, self.monotonic.now());
        some.iter().filter_map(|tally| tally.tell(now)).collect()
    }

    /// Lets a session begin; waits, for no longer than [`lease::AWAIT_MICROS`], where other gateways have to be asked first.
    ///
    /// # Errors
    /// As [`Budgets::connect`].
    pub(crate) async fn begin(&self, meter: &Meter, clock: &dyn Clock) -> Result<(), UsedUp> {
        let deadline = Instant::now() + Duration::from_micros(lease::AWAIT_MICROS);
        loop {
            match self.connect(meter, clock.now()) {
                Err(used_up) if used_up.scarcity == Scarcity::Awaited && Instant::now() < deadline => {
                    sleep(AWAITED_PAUSE).await;
                }
                begun => return begun,
            }
        }
    }

    /// Lets a session begin.
    ///
    /// # Errors
    /// [`UsedUp`] when it could not pass a single message, or when there were enough sessions.
    pub(crate) fn connect(&self, meter: &Meter, wall: Timestamp) -> Result<(), UsedUp> {
        let now = moment(wall, self.monotonic.now());
        meter.silenced(now).map_or(Ok(()), Err)?;
        meter.shares.begin(Event::Connect, now)?;
        // It may end before a worker carries it, and has begun nevertheless.
        let mut used = Vec::new();
        meter.list_used(&mut used);
        self.used(&mut used);
        Ok(())
    }

    /// What a client is told of its limits as they are now.
    pub(crate) fn fields(&self, meter: &Meter, wall: Timestamp) -> Option<Fields> {
        let now = moment(wall, self.monotonic.now());
        Fields::of(meter.shares.quotas(now), now)
    }

    fn held(&self, of: &impl Hash) -> MutexGuard<'_, Held> {
        let part = self.hasher.hash_one(of) % PARTS as u64;
        // Less than there are parts.
        #[expect(clippy::cast_possible_truncation, reason = "as said")]
        Self::locked(&self.parts[part as usize])
    }

    fn locked<T>(one: &Mutex<T>) -> MutexGuard<'_, T> {
        // Std mutexes: held for one look-up when a session opens, never across an await, never per message.
        one.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
