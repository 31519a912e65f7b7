//! What a session is held to: its shares of all the budgets that its messages count in, and one decision over them.
//!
//! A message begins where every budget has something left, and then costs each of them; what one of them refuses costs none of
//! them anything. Only where two workers reach for the last of a budget in the same instant may one be told no by a
//! budget that the other gives back at once. It does not know what a budget belongs to, nor how a message is stopped.

use std::sync::Arc;

use crate::{
    limit::{Limit, Unit},
    policy::{Excess, Policy},
    throttle::{Exhausted, Gauge, Moment},
    topic::Direction,
    usage::{Quota, Tally},
};

/// Against whom a policy is held, from the many to the few: in this order a message asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The API, over all who use it.
    Api,
    /// One topic of the API, over all who are on it.
    Topic,
    /// The application, over all its subscriptions.
    Application,
    /// The subscription; or the address at an API, of who comes without a credential.
    Subscription,
    /// All for whom a custom rule yields the same key, over all APIs.
    Rule,
}

impl Level {
    /// All, in their order.
    pub const ALL: [Self; 5] = [Self::Api, Self::Topic, Self::Application, Self::Subscription, Self::Rule];

    /// The word that clients are told.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Topic => "topic",
            Self::Application => "application",
            Self::Subscription => "subscription",
            Self::Rule => "rule",
        }
    }

    /// What the policy is called that is held there.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Api => "policy of the API",
            Self::Topic => "policy of the topic",
            Self::Application => "policy of the application",
            Self::Subscription => "plan",
            Self::Rule => "custom rule",
        }
    }
}

/// One budget as a session is held to it.
#[derive(Debug, Clone)]
pub struct Share {
    tally: Arc<Tally>,
    gauge: Gauge,
    policy: Arc<Policy>,
    /// Of what the limit counts, this session's share is what is sent in this direction.
    only: Direction,
}

impl Share {
    /// The budget of one of the policy's limits.
    pub fn new(tally: Arc<Tally>, limit: Limit, policy: Arc<Policy>) -> Self {
        Self { tally, gauge: limit.into(), policy, only: Direction::Both }
    }

    /// The same, for what is sent in this direction alone.
    #[must_use]
    pub fn only(self, only: Direction) -> Self {
        Self { only, ..self }
    }

    /// Whether nothing can count in it: its limit is on what is sent in the other direction.
    pub fn is_idle(&self) -> bool {
        let both = Direction::Both;
        self.only != both && !matches!(self.limit().direction, one if one == both || one == self.only)
    }

    /// Its budget under its name.
    pub const fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// The limit.
    pub const fn limit(&self) -> &Limit {
        self.gauge.limit()
    }

    /// The policy whose limit it is.
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// What something that happens costs it; `None`: it does not count here.
    const fn cost(&self, event: Event) -> Option<u64> {
        let limit = self.limit();
        if let Event::Message { from, .. } = event
            && !from.counts_in(self.only)
        {
            return None;
        }
        match (event, limit.unit) {
            (Event::Message { from, .. }, Unit::Messages) if from.counts_in(limit.direction) => Some(1),
            (Event::Message { from, bytes }, Unit::Bytes) if from.counts_in(limit.direction) => Some(bytes),
            (Event::Connect, Unit::Connects) => Some(1),
            _ => None,
        }
    }
}

/// Who sends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sender {
    /// The client, which publishes.
    Client,
    /// The backend, to which the client subscribes.
    Backend,
}

impl Sender {
    const fn counts_in(self, direction: Direction) -> bool {
        match direction {
            Direction::Both => true,
            Direction::Publish => matches!(self, Self::Client),
            Direction::Subscribe => matches!(self, Self::Backend),
        }
    }
}

/// What budgets are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A session begins.
    Connect,
    /// A data message begins.
    Message {
        /// Who sends it.
        from: Sender,
        /// Payload bytes that are known: those of its first frame.
        bytes: u64,
    },
}

/// A budget that has nothing left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused<'s> {
    /// Whose limit it is.
    pub policy: &'s Arc<Policy>,
    /// Against whom that is held.
    pub level: Level,
    /// The limit.
    pub limit: &'s Limit,
    /// When there is something left again.
    pub exhausted: Exhausted,
}

/// How something passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// Within all limits.
    Within,
    /// Beyond one that only counts.
    Beyond,
}

/// The shares of one session: those that it has while it is open, and behind them those of the messages that are under way.
#[derive(Debug, Clone, Default)]
pub struct Shares(Box<[Share]>);

impl FromIterator<Share> for Shares {
    fn from_iter<I: IntoIterator<Item = Share>>(shares: I) -> Self {
        Self(shares.into_iter().collect())
    }
}

impl Shares {
    /// Puts these, which are of messages of one side [alone](Share::only), in the place of those that stand behind the first
    /// `fixed` and are of that side.
    pub fn put(&mut self, fixed: usize, only: Direction, shares: impl IntoIterator<Item = Share>) {
        let mut all = std::mem::take(&mut self.0).into_vec();
        let mut place = 0;
        all.retain(|share| {
            place += 1;
            place <= fixed || share.only != only
        });
        all.extend(shares);
        self.0 = all.into_boxed_slice();
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no limit at all.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The budgets.
    pub fn tallies(&self) -> impl Iterator<Item = &Arc<Tally>> {
        self.0.iter().map(|share| &share.tally)
    }

    /// How each stands, with the policy whose limit it is.
    pub fn quotas(&self, now: Moment) -> impl Iterator<Item = (&Policy, Quota)> {
        self.0.iter().map(move |share| {
            let mut quota = Quota::read(&share.gauge, share.tally.budget(), now);
            if share.only != Direction::Both {
                quota.limit.direction = share.only;
            }
            (&*share.policy, quota)
        })
    }

    /// Whether the bytes of later frames have to be told by [`Shares::more`].
    pub fn count_bytes(&self) -> bool {
        self.0.iter().any(|share| share.limit().unit == Unit::Bytes)
    }

    /// Lets something begin, in every budget or in none. Those of policies that only count refuse nothing, and count what
    /// the others let pass.
    ///
    /// # Errors
    /// [`Refused`] by the budget that has nothing left, of several the one for which it takes longest.
    #[inline]
    pub fn begin(&self, event: Event, now: Moment) -> Result<Passed, Refused<'_>> {
        // One look before anything is taken, where there is more than one: so that a message that one refuses does not pass
        // through the others even for an instant.
        if self.0.len() > 1 {
            self.refused(event, now).map_or(Ok(()), Err)?;
        }
        let mut counts = false;
        for (place, share) in self.0.iter().enumerate() {
            let Some(cost) = share.cost(event) else { continue };
            if share.only_counts() {
                counts = true;
            } else if let Err(exhausted) = share.tally.budget().take(&share.gauge, cost, now) {
                self.give_back(event, place, now);
                return Err(share.refused(exhausted));
            }
        }
        Ok(if counts && self.is_beyond(event, now) { Passed::Beyond } else { Passed::Within })
    }

    /// Counts what passes in the budgets that only count; says whether it is beyond one of them.
    fn is_beyond(&self, event: Event, now: Moment) -> bool {
        let counting = self.0.iter().filter(|share| share.only_counts());
        let counted = counting
            .filter_map(|share| Some(share.tally.budget().count(&share.gauge, share.cost(event)?, now)));
        // Each of them counts, whatever the others say.
        counted.fold(false, |beyond, is_beyond| beyond | is_beyond)
    }

    /// Bytes of a message that began, beyond those of its first frame.
    pub fn more(&self, from: Sender, bytes: u64, now: Moment) {
        for share in self.0.iter().filter(|share| share.limit().unit == Unit::Bytes) {
            if let Some(cost) = share.cost(Event::Message { from, bytes }) {
                let budget = share.tally.budget();
                if share.only_counts() {
                    budget.count(&share.gauge, cost, now);
                } else {
                    budget.add(&share.gauge, cost, now);
                }
            }
        }
    }

    /// Why something could not begin now, if that is so. Nothing is taken.
    pub fn refused(&self, event: Event, now: Moment) -> Option<Refused<'_>> {
        let refusing = self.0.iter().filter(|share| share.cost(event).is_some() && !share.only_counts());
        refusing
            .filter_map(|share| Some(share.refused(share.tally.budget().refuses(&share.gauge, now)?)))
            .max_by_key(|refused| refused.exhausted.retry_after_millis)
    }

    /// What was taken from the shares before this place.
    fn give_back(&self, event: Event, place: usize, now: Moment) {
        for share in self.0[..place].iter().filter(|share| !share.only_counts()) {
            if let Some(cost) = share.cost(event) {
                share.tally.budget().give_back(&share.gauge, cost, now);
            }
        }
    }
}

impl Share {
    #[inline]
    fn only_counts(&self) -> bool {
        self.policy.on_excess == Excess::Count
    }

    fn refused(&self, exhausted: Exhausted) -> Refused<'_> {
        let level = self.tally.key().holder.level();
        Refused { policy: &self.policy, level, limit: self.gauge.limit(), exhausted }
    }
}

#[cfg(test)]
mod tests;
