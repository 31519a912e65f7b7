//! The budgets of everyone who may connect, and how many sessions are open of each.
//!
//! A budget belongs to a subscription (or to an application whose policy has a limit), not to a session: it is
//! found by id when a session opens or its plan changes, and survives reconnects. Here a lock is taken for each session
//! that opens, and never for a message. It does not know sockets, nor how messages are judged: that is `meter.rs`.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tidegate_model::{
    admit::Grant,
    holder::{BudgetKey, Holder},
    limit::Limit,
    meter::{Event, Share, Shares},
    policy::Policy,
    snapshot::Snapshot,
    throttle::Budget,
    time::Timestamp,
};

use super::meter::{Meter, UsedUp, holders, moment};
use crate::time::Monotonic;

/// From so many budgets on, those of addresses that nobody has a session of are forgotten: with some 100 bytes each it
/// is 6 MiB, for more addresses than come to one gateway in a minute.
const BUDGETS_SWEPT_FROM: usize = 65_536;

/// The budgets of everyone who may connect.
#[derive(Debug)]
pub(crate) struct Budgets {
    held: Mutex<Held>,
    monotonic: Monotonic,
}

#[derive(Debug)]
struct Held {
    budgets: HashMap<BudgetKey, Arc<Budget>>,
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
    fn budget(&mut self, key: BudgetKey) -> Arc<Budget> {
        if self.budgets.len() >= self.sweep_from && !self.budgets.contains_key(&key) {
            self.budgets.retain(|key, budget| !key.holder.is_transient() || Arc::strong_count(budget) > 1);
            // Twice what stays, so that a look through all comes after as many that are new.
            self.sweep_from = BUDGETS_SWEPT_FROM.max(2 * self.budgets.len());
        }
        Arc::clone(self.budgets.entry(key).or_default())
    }
}

/// A session's place among those of a holder that are open at once; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Seat(Arc<AtomicU32>);

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

impl Budgets {
    /// None yet. `monotonic` is the clock of the workers, too.
    pub(crate) fn new(monotonic: Monotonic) -> Arc<Self> {
        Arc::new(Self { held: Mutex::default(), monotonic })
    }

    /// The meter of a session with this grant.
    pub(crate) fn meter(&self, grant: &Grant) -> Meter {
        let mut held = self.held();
        let mut shares_of = |(holder, policy): (Holder, &Arc<Policy>)| -> Vec<Share> {
            let share = |limit: &Limit| {
                let key = BudgetKey { holder, shape: limit.shape() };
                Share::new(held.budget(key), *limit, Arc::clone(policy))
            };
            policy.limits.iter().map(share).collect()
        };
        let shares: Shares = holders(grant).flat_map(&mut shares_of).collect();
        Meter::new(shares, grant)
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
        held.budgets.retain(|key, _| key.holder.is_in(snapshot));
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

#[cfg(test)]
mod tests;
