//! The relay's limiter: who may send at all, and a session's share of the budgets that all workers count in.
//!
//! Per message it costs one atomic step for each limit and no lock. It does not know sockets, nor where budgets are
//! kept; the arithmetic is `tidegate_model::throttle`, the decision over several budgets `tidegate_model::meter`. Read
//! next: `budgets.rs`.

use std::sync::Arc;

use tidegate_model::{
    admit::Grant,
    group::Group,
    holder::Holder,
    limit::Limit,
    meter::{Event, Level, Passed, Refused, Sender, Shares},
    notice::{Notice, Told},
    policy::{DELAY_MILLIS_MAX, Excess, Policy},
    security::Way,
    throttle::{Moment, Scarcity},
    time::Timestamp,
    topic::{Direction, Found, Misdirected, Speech},
    usage::Tally,
};
use tidegate_wire::{Admission, Limiter, MessageStart, Micros, Side};

mod ruled;

pub(super) use ruled::Ruled;

use super::budgets::Seats;
use crate::refusal::{misdirected_close, quota_close};

/// Whose the budgets of this grant's plan are; `None` without a plan.
fn holder_of_plan(grant: &Grant) -> Option<Holder> {
    let (application, api) = (grant.application_id(), grant.api_id());
    match (grant.subscription, grant.way) {
        (Some(id), _) => Some(Holder::Subscription { id, application, api }),
        (None, Way::None) => Some(Holder::Address { api, from: grant.address.into() }),
        (None, _) => None,
    }
}

/// A policy that a session is held to, with all others of the holder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HeldTo<'g> {
    pub(super) holder: Holder,
    pub(super) policy: &'g Arc<Policy>,
    /// The group of the policy that the session is in; `None`: the policy's own limits hold.
    group: Option<&'g Group>,
}

impl<'g> HeldTo<'g> {
    /// The limits that hold.
    pub(super) fn limits(&self) -> &'g [Limit] {
        self.group.map_or(&self.policy.limits, |group| &group.limits)
    }

    /// Whose the budgets of these limits are: the holder's, or those of a group of theirs.
    pub(super) fn counted(&self) -> Holder {
        let Some(group) = self.group else { return self.holder.clone() };
        let name = group.name.as_str().into();
        match &self.holder {
            Holder::Api(api) => Holder::Group { api: *api, path: None, name },
            Holder::Topic { api, path } => Holder::Group { api: *api, path: Some(Arc::clone(path)), name },
            // Others have no groups.
            other => other.clone(),
        }
    }
}

/// Whose budgets a session counts in, and by which policies, in the order of [`Level`].
pub(super) fn holders(grant: &Grant) -> impl Iterator<Item = HeldTo<'_>> {
    let in_group = |(holder, policy)| HeldTo { holder, policy, group: grant.group_of(policy) };
    let alone = |(holder, policy)| HeldTo { holder, policy, group: None };
    let api = grant.api_policy.as_ref().map(|policy| (Holder::Api(grant.api_id()), policy));
    // A path is looked up only where there is something to hold against its topic.
    let topic = grant.topic_policy.as_ref().and_then(|policy| Some((holder_of_topic(grant)?, policy)));
    let application = (Holder::Application(grant.application_id()), &grant.application_policy);
    let plan = holder_of_plan(grant).zip(grant.plan.as_ref());
    let of_few = [Some(application), plan].into_iter().flatten().map(alone);
    [api, topic].into_iter().flatten().map(in_group).chain(of_few)
}

/// Whose the budgets of the topic are that this grant is for; `None` where it is no declared one.
fn holder_of_topic(grant: &Grant) -> Option<Holder> {
    let Found::Declared(topic) = grant.api.topics.find(&grant.topic) else { return None };
    Some(Holder::Topic { api: grant.api_id(), path: topic.path.as_str().into() })
}

/// Whether the same budgets are counted by the same policies.
pub(super) fn is_held_alike(one: &Grant, other: &Grant) -> bool {
    holders(one).eq(holders(other)) && one.rules == other.rules
}

/// How long a client is not told again, however much is dropped: a notice is no amplifier.
const NOTICE_INTERVAL: Micros = Micros::from_secs(1);

/// What a client is told of messages that were dropped, where its API declares it.
#[derive(Debug)]
struct Notices {
    notice: Arc<Notice>,
    /// From when on it may be told again.
    told_until: Micros,
    /// What it is to be told next.
    text: String,
}

impl Notices {
    /// What becomes of a message that is dropped.
    fn dropped(&mut self, refused: Refused<'_>, from: Side, now: Micros) -> Admission {
        if now < self.told_until {
            return Admission::Drop;
        }
        self.told_until = now.plus(NOTICE_INTERVAL);
        self.text = self.notice.saying(Told {
            policy: &refused.policy.name,
            level: refused.level,
            direction: if from == Side::Client { Direction::Publish } else { Direction::Subscribe },
            retry_after_seconds: refused.exhausted.retry_after_seconds(),
        });
        Admission::Notify
    }
}

/// The budgets of one session.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// In the order of [`Level`].
    pub(super) shares: Shares,
    /// Its places among the open sessions of its holders.
    pub(super) seats: Option<Box<Seats>>,
    now: Moment,
    counts_bytes: bool,
    /// By side: the frame under way is a message's first, whose bytes were taken when it began.
    is_first: [bool; 2],
    /// By side: a message waits that was counted as delayed.
    waits: [bool; 2],
    beyond: Beyond,
    speech: Speech,
    /// What becomes of a message of a client that may not send.
    misdirected: Misdirected,
    /// None where its API declares no notice; boxed, since most do not.
    notices: Option<Box<Notices>>,
    /// Custom rules by which each message has a key of its own; most sessions have none.
    ruled: Option<Box<Ruled>>,
    #[cfg(test)]
    pub(super) script: Option<super::tests::Script>,
}

/// Messages of a session that did not simply pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Beyond {
    /// Dropped, of a side that may not send.
    pub(super) misdirected: u32,
    /// Dropped because of a limit.
    pub(super) dropped: u32,
    /// Held back because of a limit, each once.
    pub(super) delayed: u32,
    /// Passed beyond a limit that only counts.
    pub(super) passed: u32,
    /// Notices of what was dropped.
    pub(super) notices: u32,
}

/// A budget that is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsedUp {
    /// Name of the plan or policy.
    pub(crate) plan: String,
    /// Where it is held.
    pub(crate) level: Level,
    /// Whole seconds until there is more.
    pub(crate) retry_after_seconds: u32,
    /// What is known of why.
    pub(crate) scarcity: Scarcity,
}

impl From<Refused<'_>> for UsedUp {
    fn from(refused: Refused<'_>) -> Self {
        Self {
            plan: refused.policy.name.clone(),
            level: refused.level,
            retry_after_seconds: refused.exhausted.retry_after_seconds(),
            scarcity: refused.exhausted.scarcity,
        }
    }
}

pub(super) const fn moment(wall: Timestamp, now: Micros) -> Moment {
    Moment { wall, micros: now.get() }
}

const fn sender(side: Side) -> Sender {
    match side {
        Side::Client => Sender::Client,
        Side::Backend => Sender::Backend,
    }
}

impl Meter {
    /// Of a session with this grant, which counts in these budgets and has no places yet.
    pub(super) fn new(shares: Shares, grant: &Grant, ruled: Option<Box<Ruled>>) -> Self {
        let counts_bytes = shares.count_bytes() || ruled.as_ref().is_some_and(|ruled| ruled.count_bytes());
        let mut meter = Self { shares, counts_bytes, ruled, ..Self::default() };
        meter.hear(grant);
        meter
    }

    /// Why a session that begins now would be closed at its first message, whoever sends it, or whether that is known in a
    /// moment.
    pub(super) fn silenced(&self, now: Moment) -> Option<UsedUp> {
        let speaks = [(Sender::Client, self.speech.client), (Sender::Backend, self.speech.backend)];
        let mut sooner: Option<Refused<'_>> = None;
        for (from, _) in speaks.into_iter().filter(|(_, may)| *may) {
            let refused = self.shares.refused(Event::Message { from, bytes: 0 }, now)?;
            let is_awaited = refused.exhausted.scarcity == Scarcity::Awaited;
            if !is_awaited && !closes(refused) {
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
        let told_until = self.notices.as_ref().map_or(Micros::ZERO, |notices| notices.told_until);
        self.notices =
            grant.api.notice.as_ref().map(|notice| {
                Box::new(Notices { notice: Arc::clone(notice), told_until, text: String::new() })
            });
    }

    /// What did not simply pass until now.
    pub(super) const fn beyond(&self) -> Beyond {
        self.beyond
    }

    /// What becomes of a message of a side that may not send.
    #[cold]
    fn misdirected(&mut self, from: Side) -> Admission {
        match (from, self.misdirected) {
            (Side::Client, Misdirected::Close) => Admission::Close(misdirected_close()),
            // A backend's client chose the topic and cannot help what the backend says on it.
            (Side::Client, Misdirected::Drop) | (Side::Backend, _) => {
                self.beyond.misdirected = self.beyond.misdirected.saturating_add(1);
                Admission::Drop
            }
        }
    }

    /// Counts what becomes of a message that a budget refuses. One that waits is asked about again and counts once.
    #[cold]
    fn count(&mut self, from: Side, admission: Admission) -> Admission {
        let waited =
            std::mem::replace(&mut self.waits[from as usize], matches!(admission, Admission::Delay(_)));
        let count = match admission {
            Admission::Drop | Admission::Notify => &mut self.beyond.dropped,
            Admission::Delay(_) if !waited => &mut self.beyond.delayed,
            Admission::Delay(_) | Admission::Pass | Admission::Close(_) => return admission,
        };
        *count = count.saturating_add(1);
        admission
    }

    /// Puts its budgets on a list of those to be told.
    pub(super) fn list_used(&self, list: &mut Vec<Arc<Tally>>) {
        let of_messages = self.ruled.iter().flat_map(|ruled| ruled.tallies());
        self.shares.tallies().chain(of_messages).for_each(|tally| tally.list(list));
    }

    /// Goes on in the place of another one, in the middle of what that has admitted.
    pub(super) fn go_on_from(&mut self, before: &Self) {
        self.is_first = before.is_first;
        (self.waits, self.beyond) = (before.waits, before.beyond);
        if let (Some(notices), Some(before)) = (&mut self.notices, &before.notices) {
            notices.told_until = before.told_until;
            notices.text.clone_from(&before.text);
        }
    }

    /// What its client is to be told, if its API still says so.
    pub(super) fn notice(&mut self) -> Option<String> {
        let text = std::mem::take(&mut self.notices.as_mut()?.text);
        if text.is_empty() {
            return None;
        }
        self.beyond.notices = self.beyond.notices.saturating_add(1);
        Some(text)
    }

    /// The clocks of this turn of the worker's loop.
    #[inline]
    pub(super) fn at(&mut self, wall: Timestamp, now: Micros) {
        self.now = moment(wall, now);
    }
}

/// Whether a message that a budget refuses ends its session.
fn closes(refused: Refused<'_>) -> bool {
    match refused.policy.on_excess {
        Excess::Close => true,
        Excess::Delay => refused.exhausted.retry_after_millis > DELAY_MILLIS_MAX,
        Excess::Drop | Excess::Notify | Excess::Count => false,
    }
}

/// What becomes of a message that a budget refuses.
#[cold]
fn excess(refused: Refused<'_>, from: Side, now: Micros, notices: Option<&mut Notices>) -> Admission {
    let wait = refused.exhausted.retry_after_millis;
    match (refused.policy.on_excess, notices) {
        // Whether it is too much is not known yet.
        (excess, _) if excess != Excess::Count && refused.exhausted.scarcity == Scarcity::Awaited => {
            Admission::Delay(now.plus(Micros::from_millis(wait)))
        }
        // A policy that only counts refuses nothing; what is not said is dropped.
        (Excess::Count, _) => Admission::Pass,
        (Excess::Notify, Some(notices)) => notices.dropped(refused, from, now),
        (Excess::Drop | Excess::Notify, _) => Admission::Drop,
        (Excess::Delay, _) if wait <= DELAY_MILLIS_MAX => {
            Admission::Delay(now.plus(Micros::from_millis(wait)))
        }
        (Excess::Delay | Excess::Close, _) => Admission::Close(quota_close(&UsedUp::from(refused))),
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
            Side::Client if !self.speech.client => return self.misdirected(Side::Client),
            Side::Backend if !self.speech.backend => return self.misdirected(Side::Backend),
            Side::Client | Side::Backend => {}
        }
        self.is_first[message.from as usize] = true;
        if let Some(ruled) = &mut self.ruled {
            ruled.choose(&mut self.shares, message, now);
        }
        let event = Event::Message { from: sender(message.from), bytes: message.payload_bytes };
        match self.shares.begin(event, self.now) {
            Ok(passed) => {
                self.waits[message.from as usize] = false;
                self.beyond.passed = self.beyond.passed.saturating_add(u32::from(passed == Passed::Beyond));
                Admission::Pass
            }
            Err(refused) => {
                let admission = excess(refused, message.from, now, self.notices.as_deref_mut());
                self.count(message.from, admission)
            }
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
pub(super) mod tests;
