//! The relay's limiter: who may send at all, and a session's share of the budgets that all workers count in.
//!
//! A budget belongs to a subscription (or to an application whose policy has a limit), not to a session: it is
//! found by id when a session opens or its plan changes, and survives reconnects. Per message it costs one atomic
//! step and no lock. It does not know sockets; the arithmetic is `tidegate_model::throttle`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidegate_model::{
    admit::Grant,
    id::{ApiId, ApplicationId, SubscriptionId},
    plan::Limit,
    security::Way,
    snapshot::Snapshot,
    throttle::{Budget, Window},
    time::Timestamp,
    topic::{Misdirected, Speech},
};
use tidegate_wire::{Admission, Limiter, MessageStart, Micros, Side};

use crate::{
    crowd::Neighbour,
    refusal::{misdirected_close, quota_close},
};

/// What a budget belongs to. The window is part of it: a budget of minutes does not continue as one of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Holder {
    Subscription {
        id: SubscriptionId,
        application: ApplicationId,
        api: ApiId,
        per: Window,
    },
    Application {
        id: ApplicationId,
        per: Window,
    },
    /// Who comes without a credential is told apart by the address alone.
    Address {
        api: ApiId,
        from: Neighbour,
        per: Window,
    },
}

/// From so many budgets on, those of addresses that nobody has a session of are forgotten: with some 100 bytes each it
/// is 6 MiB, for more addresses than come to one gateway in a minute.
const BUDGETS_SWEPT_FROM: usize = 65_536;

/// The budgets of everyone who may connect.
#[derive(Debug, Default)]
pub(crate) struct Budgets(Mutex<Held>);

#[derive(Debug)]
struct Held {
    budgets: HashMap<Holder, Arc<Budget>>,
    /// How many there may be before they are looked through.
    sweep_from: usize,
}

impl Default for Held {
    fn default() -> Self {
        Self { budgets: HashMap::new(), sweep_from: BUDGETS_SWEPT_FROM }
    }
}

impl Held {
    fn budget(&mut self, holder: Holder) -> Arc<Budget> {
        if self.budgets.len() >= self.sweep_from && !self.budgets.contains_key(&holder) {
            self.budgets.retain(|holder, budget| {
                !matches!(holder, Holder::Address { .. }) || Arc::strong_count(budget) > 1
            });
            // Twice what stays, so that a look through all comes after as many that are new.
            self.sweep_from = BUDGETS_SWEPT_FROM.max(2 * self.budgets.len());
        }
        Arc::clone(self.budgets.entry(holder).or_default())
    }
}

/// One budget with the limit it is held to.
#[derive(Debug)]
struct Share {
    budget: Arc<Budget>,
    limit: Limit,
    /// Name of the plan or policy, for the client.
    name: Box<str>,
}

/// The budgets of one session.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// The application's first: what it refuses costs the plan nothing.
    shares: [Option<Box<Share>>; 2],
    speech: Speech,
    /// What becomes of a message of a client that may not send.
    misdirected: Misdirected,
    wall: Timestamp,
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

impl Budgets {
    /// The meter of a session with this grant.
    pub(crate) fn meter(&self, grant: &Grant) -> Meter {
        let mut held = self.held();
        let mut share = |holder: Holder, limit: Limit, name: &str| {
            let budget = held.budget(holder);
            Some(Box::new(Share { budget, limit, name: name.into() }))
        };
        let (application, api) = (grant.application_id(), grant.api_id());
        let of_application = grant.application_limit.and_then(|limit| {
            share(Holder::Application { id: application, per: limit.per }, limit, &grant.policy)
        });
        let of_plan = grant.plan_limit.and_then(|limit| {
            let per = limit.per;
            let holder = match (grant.subscription, grant.way) {
                (Some(id), _) => Holder::Subscription { id, application, api, per },
                (None, Way::None) => Holder::Address { api, from: grant.address.into(), per },
                (None, _) => return None,
            };
            share(holder, limit, &grant.plan)
        });
        let mut meter = Meter { shares: [of_application, of_plan], ..Meter::default() };
        meter.hear(grant);
        meter
    }

    /// Drops what nobody can use any more.
    pub(crate) fn forget_absent(&self, snapshot: &Snapshot) {
        self.held().budgets.retain(|holder, _| match *holder {
            Holder::Subscription { id, application, api, .. } => {
                snapshot.subscription(application, api).is_some_and(|subscription| subscription.id == id)
            }
            Holder::Application { id, .. } => snapshot.application(id).is_some(),
            Holder::Address { api, .. } => snapshot.api(api).is_some(),
        });
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // A std mutex: held for one look-up when a session opens, never across an await, never per message.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    fn is_used_up(&self, wall: Timestamp) -> bool {
        self.budget.used(self.limit.per, wall) >= self.limit.messages
    }
}

impl Meter {
    /// Whether a session that opens now could not pass a single message.
    pub(crate) fn used_up(&self, wall: Timestamp) -> Option<UsedUp> {
        self.shares.iter().flatten().find_map(|share| {
            let retry_after_seconds = share.limit.per.seconds_left(wall);
            share.is_used_up(wall).then(|| UsedUp { plan: share.name.to_string(), retry_after_seconds })
        })
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

    /// The wall clock of this turn of the worker's loop.
    #[inline]
    pub(super) fn at(&mut self, wall: Timestamp) {
        self.wall = wall;
    }
}

impl Limiter for Meter {
    #[inline]
    fn admit(&mut self, now: Micros, message: MessageStart) -> Admission {
        #[cfg(test)]
        if let Some(script) = &mut self.script {
            return script.admit(now, message);
        }
        let _ = now;
        // Before any limit: what does not pass costs nothing.
        match message.from {
            Side::Client if !self.speech.client => return self.misdirected(),
            // Its client chose the topic and cannot help what the backend says on it.
            Side::Backend if !self.speech.backend => return Admission::Drop,
            Side::Client | Side::Backend => {}
        }
        // What the plan refuses shall cost the application nothing either. Only where another worker uses the plan up
        // between this look and the taking is the application short of that one message.
        if let [Some(_), Some(plan)] = &self.shares
            && plan.is_used_up(self.wall)
        {
            let retry_after_seconds = plan.limit.per.seconds_left(self.wall);
            return Admission::Close(quota_close(&plan.name, retry_after_seconds));
        }
        for share in self.shares.iter().flatten() {
            if let Err(exhausted) = share.budget.take(share.limit, self.wall) {
                return Admission::Close(quota_close(&share.name, exhausted.retry_after_seconds));
            }
        }
        Admission::Pass
    }
}

#[cfg(test)]
mod tests;
