//! What was used of budgets, on its way to the store and back: so that a budget goes on after a restart, and pages show
//! what gateways counted.
//!
//! A gateway tells of a budget only what it took itself since it told last, in its numbered batches; the store adds
//! that up over all gateways, once. What a gateway begins with is the sum. How a budget counts is [`crate::throttle`].

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};

use crate::{
    holder::{BudgetKey, Holder},
    lease::Fleet,
    limit::{Counting, Limit, Shape, Window},
    policy::Policy,
    throttle::{Budget, Gauge, Moment, used_since},
    time::{DAY_MILLIS, MINUTE_MILLIS, Timestamp},
};

/// The longest that a sliding budget can be in debt, in milliseconds: a burst is at most what comes back in 30 days, and a
/// message of bytes may go over it. What is owed beyond it was told by a clock that was wrong.
const DEBT_MILLIS_MAX: i64 = 31 * DAY_MILLIS;

/// What was used of a budget, in words that hold beyond a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Used {
    /// So many units of the calendar window with this number.
    Calendar {
        /// See [`Window::number`].
        window: u64,
        /// Units: messages, bytes or connects.
        units: u64,
    },
    /// Nothing is owed from this time of the wall clock on, rounded up to a millisecond.
    Sliding {
        /// That time.
        clear_at: Timestamp,
    },
}

/// What was used of one budget.
///
/// From a gateway: what it took itself of the window since it told last, and how late its own debt is paid. From the store:
/// all of the window, and the latest that was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Which budget.
    pub key: BudgetKey,
    /// What was used.
    pub used: Used,
    /// When it was told, by the gateway's clock.
    pub at: Timestamp,
}

/// Whose budgets are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageOf<'h> {
    /// All.
    Everyone,
    /// Those of these holders.
    Holders(&'h [Holder]),
}

/// From when to when what was used means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Told by a clock that is more than a minute before this, it was told by one that was set back.
    pub begins_at: Timestamp,
    /// From then on nothing of it matters any more.
    pub ends_at: Timestamp,
}

impl Used {
    /// From when to when it means something, in a budget of this shape.
    pub fn span(&self, shape: Shape) -> Span {
        match *self {
            Self::Calendar { window, .. } => Span {
                begins_at: shape.per().begin(window),
                ends_at: shape.per().begin(window.saturating_add(1)),
            },
            Self::Sliding { clear_at } => {
                Span { begins_at: clear_at.plus_millis(-DEBT_MILLIS_MAX), ends_at: clear_at }
            }
        }
    }
}

impl Usage {
    /// What is known when `told` comes after `self`; the definition that stores keep to. Of the same window it adds up,
    /// and a debt is as late as the latest. A later window takes the place of an earlier one, and what is told late of
    /// an earlier one is of no use: but where the clock that told of the later window must have been wrong, since
    /// that begins more than a minute from now, the earlier one takes its place.
    #[must_use]
    pub fn then(&self, told: &Self) -> Self {
        let is_lost = self.used.span(self.key.shape).begins_at > told.at.plus_millis(MINUTE_MILLIS);
        let used = match (self.used, told.used) {
            (Used::Calendar { window, units }, Used::Calendar { window: same, units: more })
                if window == same =>
            {
                Used::Calendar { window, units: units.saturating_add(more) }
            }
            (Used::Calendar { window, .. }, Used::Calendar { window: later, .. }) if later > window => {
                told.used
            }
            (Used::Sliding { clear_at }, Used::Sliding { clear_at: later }) if later > clear_at => told.used,
            _ if is_lost => told.used,
            _ => self.used,
        };
        Self { key: told.key.clone(), used, at: told.at }
    }

    /// How much of this limit is used now, as a gateway would count it; `None` where the limit has another shape. It may be
    /// more than the amount, by the last message.
    pub fn units(&self, limit: &Limit, now: Timestamp) -> Option<u64> {
        let now = Moment { wall: now, micros: 0 };
        let is_it = self.key.shape == limit.shape();
        is_it.then(|| {
            Budget::resumed(self.key.shape, self.used, self.at, now).reading(&(*limit).into(), now).used
        })
    }
}

/// How a limit stands for a holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// The limit.
    pub limit: Limit,
    /// Units used; `None` of a limit per second, which is over before anybody could be told. It may be more than there is, by
    /// the last message of bytes or where the amount shrank.
    pub used: Option<u64>,
    /// When all of it is there again; `None` where nothing was used of a sliding limit, or it is not told.
    pub renewed_at: Option<Timestamp>,
    /// When there is more than now, were nothing used meanwhile: of a sliding limit another unit, of a window all of it.
    /// `None` as above.
    pub more_at: Option<Timestamp>,
}

impl Quota {
    /// How the limits of a policy stand for a holder, in their order, by what is known of its budgets.
    pub fn of(policy: &Policy, holder: &Holder, known: &[Usage], now: Timestamp) -> Vec<Self> {
        policy.limits.iter().map(|limit| Self::of_limit(limit, holder, known, now)).collect()
    }

    fn of_limit(limit: &Limit, holder: &Holder, known: &[Usage], now: Timestamp) -> Self {
        let shape = limit.shape();
        let usage = known.iter().find(|usage| usage.key.shape == shape && usage.key.holder == *holder);
        let now = Moment { wall: now, micros: 0 };
        let budget =
            usage.map_or_else(Budget::default, |usage| Budget::resumed(shape, usage.used, usage.at, now));
        Self::read(&(*limit).into(), &budget, now)
    }

    /// How a limit stands by its budget itself.
    pub fn read(gauge: &Gauge, budget: &Budget, now: Moment) -> Self {
        let limit = *gauge.limit();
        if limit.per == Window::Second {
            return Self { limit, used: None, renewed_at: None, more_at: None };
        }
        let reading = budget.reading(gauge, now);
        let renewed_at = match limit.counting {
            Counting::Calendar => reading.more_at,
            Counting::Sliding { .. } => {
                gauge.renewed_in(reading.used).map(|millis| now.wall.plus_millis(millis))
            }
        };
        Self { limit, used: Some(reading.used), renewed_at, more_at: reading.more_at }
    }

    /// How many units may be used at once when nothing was: the amount, or the burst of a sliding limit.
    pub const fn most(&self) -> u64 {
        match self.limit.counting {
            Counting::Calendar => self.limit.amount,
            Counting::Sliding { burst } => burst,
        }
    }

    /// Units that are left; `None` where that is not told.
    pub fn left(&self) -> Option<u64> {
        Some(self.most().saturating_sub(self.used?))
    }
}

/// A budget, in place where nobody else knows it: there are many, and each message looks.
#[derive(Debug)]
enum Held {
    Alone(Budget),
    /// The fleet asks for it by itself.
    Shared(Arc<Budget>),
}

/// A budget under its name, and what was told of it.
#[derive(Debug)]
pub struct Tally {
    key: BudgetKey,
    budget: Held,
    /// The budget's word when it was told last. Whoever tells is one at a time.
    told: AtomicU64,
    /// It is on a list of those to be told.
    is_listed: AtomicBool,
}

impl Tally {
    /// Of a budget of which nothing was used. `fleet`: other gateways use of it, too.
    pub fn new(key: BudgetKey, fleet: Option<&Arc<Fleet>>) -> Self {
        Self::of(key, Budget::default(), fleet)
    }

    /// Of a budget that goes on with what was used, all of which was told.
    pub fn resumed(usage: &Usage, now: Moment, fleet: Option<&Arc<Fleet>>) -> Self {
        Self::of(usage.key.clone(), Budget::resumed(usage.key.shape, usage.used, usage.at, now), fleet)
    }

    fn of(key: BudgetKey, budget: Budget, fleet: Option<&Arc<Fleet>>) -> Self {
        let told = AtomicU64::new(budget.word());
        let budget = match fleet {
            None => Held::Alone(budget),
            Some(fleet) => Held::Shared(budget.shared(key.name(), key.shape, fleet)),
        };
        Self { key, budget, told, is_listed: AtomicBool::new(false) }
    }

    /// Which budget it is.
    pub const fn key(&self) -> &BudgetKey {
        &self.key
    }

    /// The budget.
    #[inline]
    pub fn budget(&self) -> &Budget {
        match &self.budget {
            Held::Alone(budget) => budget,
            Held::Shared(budget) => budget,
        }
    }

    /// The budget, where other gateways use of it, too.
    pub const fn shared(&self) -> Option<&Arc<Budget>> {
        match &self.budget {
            Held::Alone(_) => None,
            Held::Shared(budget) => Some(budget),
        }
    }

    /// Puts it on a list of those to be told, once: nothing was told of it since, and there may be something. Budgets of
    /// a second are over before anybody could be told.
    pub fn list(self: &Arc<Self>, list: &mut Vec<Arc<Self>>) {
        // Acquire and release, here and where it is told: who finds it on a list knows that whoever tells will see what
        // was taken until now.
        if self.key.shape.per() != Window::Second && !self.is_listed.swap(true, Ordering::AcqRel) {
            list.push(Arc::clone(self));
        }
    }

    /// What there is to tell; it has left its list. Only one at a time may ask.
    pub fn tell(&self, now: Moment) -> Option<Usage> {
        self.is_listed.swap(false, Ordering::AcqRel);
        let (told, word) = (self.told.load(Ordering::Relaxed), self.budget().word());
        let used = used_since(self.key.shape, told, word, now)?;
        self.told.store(word, Ordering::Relaxed);
        Some(Usage { key: self.key.clone(), used, at: now.wall })
    }
}

#[cfg(test)]
mod tests;
