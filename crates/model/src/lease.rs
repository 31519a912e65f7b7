//! One budget that several gateways use: how much of it each was granted, so that no message asks the others.
//!
//! What all gateways know together is a [`truth`](Told) outside of them: how much each was granted so far. A gateway asks for
//! a slice ahead of its use ([`Asker`]); beside the budget's word stands a [`Lease`] with what was granted, and a message
//! begins where less was used. What is told is absolute ("I hold so much") and numbered, so that a lost answer or a repeat
//! changes nothing, and a truth that was lost is whole again when everybody has told once.
//!
//! Three things bound what may go wrong:
//!
//! - A message that finds the slice used before the answer has come begins on **credit**, of which all gateways together
//!   have 1/[`CREDIT_PARTS`] of the amount: so much may pass beyond a limit, and nothing of limits below [`CREDIT_PARTS`]
//!   for each gateway. Where there is no credit, it is asked again in a millisecond, for [`AWAIT_MICROS`] at most.
//! - Without an answer for that long a gateway is **alone**: it goes on with its part of what was left when it last heard, or
//!   with what it was granted and nothing more ([`WhenAlone`]).
//! - A slice is at most half of a gateway's part of what is left, so slices shrink to one towards the end, and what is not
//!   used for a second is given back.
//!
//! It knows no network and no clock. [`Asker`] is the arithmetic of a gateway, `Ledger` (for tests) that of the truth.

mod asker;
mod holding;
#[cfg(any(test, feature = "test-support"))]
mod ledger;
mod word;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

pub use asker::{Asker, Company, WORD_BUDGETS_MAX};
#[cfg(any(test, feature = "test-support"))]
pub use ledger::Ledger;
pub use word::{Answer, Ask, Heard, Terms, Told};

use crate::{
    limit::{Counting, Limit, Shape},
    throttle::{Budget, Exhausted, Gauge, Moment, Scarcity, pack, unpack},
};

/// Which part of an amount all gateways together may use before it is granted: 0.5 %. It is what may pass beyond a limit
/// while everything works.
pub const CREDIT_PARTS: u64 = 200;
/// How long somebody may wait for an answer before the gateway goes on without it, in microseconds: fifty round trips of a
/// slow network, and less than a person notices.
pub const AWAIT_MICROS: u64 = 50_000;
/// How long a refusal may wait at most, in microseconds. Whoever asks for the gateway says before that it is alone, or that
/// others have nothing to give back; this is for the case that it does not come to that.
const REFUSAL_MICROS: u64 = 1_000_000;
/// When whoever is refused because a gateway is alone should try again, in milliseconds: by then it may not be any more.
const ALONE_RETRY_MILLIS: u64 = 10_000;
/// When whoever waits for an answer should look again, in milliseconds.
const AWAITED_MILLIS: u64 = 1;
/// How long gateways are given to tell what they hold after the truth was lost, in milliseconds. Each tells at least once a
/// second, and nobody is granted anything meanwhile.
pub const SETTLE_MILLIS: u64 = 2_500;
/// How long a gateway counts as one that is there after it last told something, in milliseconds: ten times its beat.
pub const PRESENT_MILLIS: u64 = 10_000;
/// How long the number of a gateway's last word is kept, in milliseconds: one that was away for longer counts as one that
/// was forgotten, and everybody tells again.
pub const REMEMBERED_MILLIS: u64 = 3_600_000;

/// What a gateway does while it cannot ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenAlone {
    /// It goes on with its part: what was left when it last heard, or the whole amount of a later window, divided by the
    /// gateways that there were.
    #[default]
    Share,
    /// Nothing begins beyond what was granted.
    Closed,
}

impl WhenAlone {
    /// The word used in configuration, REST and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Closed => "closed",
        }
    }
}

/// Whether gateways decide together now, and who is told that a budget needs more.
pub struct Fleet {
    /// How many gateways there were last, and in the lowest bit whether this one is alone.
    state: AtomicU64,
    when_alone: WhenAlone,
    needs: async_channel::Sender<Arc<Budget>>,
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Fleet {
    /// A gateway that has not heard anything yet, and where the budgets come that need more. Each is there once until it was
    /// answered, so what waits is bounded by the number of budgets.
    pub fn new(when_alone: WhenAlone) -> (Arc<Self>, async_channel::Receiver<Arc<Budget>>) {
        let (needs, needy) = async_channel::unbounded();
        (Arc::new(Self { state: AtomicU64::new(1 << 1 | 1), when_alone, needs }), needy)
    }

    /// What this gateway does while it is alone.
    pub const fn when_alone(&self) -> WhenAlone {
        self.when_alone
    }

    /// There are so many gateways, and this one hears them.
    pub fn be_together(&self, gateways: u32) {
        self.state.store(u64::from(gateways.max(1)) << 1, Relaxed);
    }

    /// This gateway cannot ask. Where the number is known it counts, else the last one does.
    pub fn be_alone(&self, gateways: Option<u32>) {
        let gateways = gateways.map_or(self.gateways(), |gateways| u64::from(gateways.max(1)));
        self.state.store(gateways << 1 | 1, Relaxed);
    }

    /// How many gateways there are, as far as this one knows; at least 1.
    pub fn gateways(&self) -> u64 {
        self.state.load(Relaxed) >> 1
    }

    fn is_alone(&self) -> bool {
        self.state.load(Relaxed) & 1 == 1
    }
}

/// What is known of a budget whose slice is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// There may be more.
    Open,
    /// Nothing is left, but others hold what they have not used.
    Hungry,
    /// Nothing is left.
    Used,
}

impl Standing {
    const fn of(number: u64) -> Self {
        match number {
            0 => Self::Open,
            1 => Self::Hungry,
            _ => Self::Used,
        }
    }
}

/// Why nothing begins within a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Short {
    Of(Scarcity),
    /// The gateway goes on without an answer, with one of so many parts of what slides; `beyond` says what is known where
    /// that is used.
    Part {
        parts: u64,
        beyond: Scarcity,
    },
}

/// No number of a window is so high, nor is so much left: nothing was answered yet.
const UNKNOWN: u64 = u64::MAX;

/// How much of a budget this gateway was granted.
///
/// By the calendar, what was granted stands beside its window's number as in the budget's word, in one of two places in turn,
/// so that a slice of the next window can be had before that begins. Of what slides it is a count since the start, and so
/// is what was used of it.
#[derive(Debug)]
pub struct Lease {
    name: Arc<str>,
    fleet: Arc<Fleet>,
    me: Weak<Budget>,
    /// Of the limit that the last session was held to.
    gauge: Mutex<Option<Gauge>>,
    /// What an earlier process had used of the window in which this one began: it was granted to that one.
    before: u64,
    granted: [AtomicU64; 2],
    left: [AtomicU64; 2],
    used: AtomicU64,
    standing: AtomicU64,
    /// With so little unused there is asked for more.
    low: AtomicU64,
    /// The microsecond at which somebody asked; 0: nobody waits.
    rung_at: AtomicU64,
    /// Nobody asks before that microsecond.
    quiet_until: AtomicU64,
    /// The microsecond at which something is left of what slides.
    again_at: AtomicU64,
}

impl Budget {
    /// A budget that goes on from this one, of which all gateways of the fleet use. `name` is the same at each of them.
    pub fn shared(self, name: Arc<str>, shape: Shape, fleet: &Arc<Fleet>) -> Arc<Self> {
        let before = if shape.slides() { 0 } else { self.cell().load(Relaxed) };
        Arc::new_cyclic(|me| {
            self.with(Box::new(Lease {
                name,
                fleet: Arc::clone(fleet),
                me: Weak::clone(me),
                gauge: Mutex::new(None),
                before,
                granted: [AtomicU64::new(before), AtomicU64::new(before)],
                left: [AtomicU64::new(UNKNOWN), AtomicU64::new(UNKNOWN)],
                used: AtomicU64::new(0),
                standing: AtomicU64::new(0),
                low: AtomicU64::new(0),
                rung_at: AtomicU64::new(0),
                quiet_until: AtomicU64::new(0),
                again_at: AtomicU64::new(0),
            }))
        })
    }
}

/// For sessions, which use what was granted.
impl Lease {
    /// A session comes that is held to this limit, by which is asked from now on.
    pub fn hold_to(&self, limit: Limit) {
        *self.gauge.lock().unwrap_or_else(PoisonError::into_inner) = Some(limit.into());
    }

    pub(crate) fn take(
        &self,
        budget: &Budget,
        gauge: &Gauge,
        units: u64,
        now: Moment,
    ) -> Result<(), Exhausted> {
        match gauge.limit().counting {
            Counting::Calendar => self.take_of_window(budget, gauge, units, now),
            Counting::Sliding { .. } => self.take_sliding(budget, gauge, units, now),
        }
    }

    fn take_of_window(
        &self,
        budget: &Budget,
        gauge: &Gauge,
        units: u64,
        now: Moment,
    ) -> Result<(), Exhausted> {
        let mut short = Short::Of(Scarcity::Used);
        let taken = budget.cell().fetch_update(Relaxed, Relaxed, |word| {
            let (window, used) = gauge.present(word, now);
            match self.may_begin(gauge.limit(), window, used, now) {
                Ok(()) => Some(gauge.plus(word, units, now)),
                Err(why) => {
                    short = why;
                    None
                }
            }
        });
        match taken {
            Ok(before) => {
                let (window, used) = gauge.present(before, now);
                self.ring_when_low(gauge.limit(), window, used.saturating_add(units), now);
                Ok(())
            }
            Err(word) => Err(self.exhausted(gauge, word, short, now)),
        }
    }

    fn take_sliding(&self, budget: &Budget, gauge: &Gauge, units: u64, now: Moment) -> Result<(), Exhausted> {
        let mut short = Short::Of(Scarcity::Used);
        let taken = self.used.fetch_update(Relaxed, Relaxed, |used| {
            match self.may_begin(gauge.limit(), 0, used, now) {
                Ok(()) => Some(used.saturating_add(units)),
                Err(why) => {
                    short = why;
                    None
                }
            }
        });
        match (taken, short) {
            (Ok(before), _) => {
                budget.take_here(gauge, units, now).inspect_err(|_| self.given_back(units))?;
                self.ring_when_low(gauge.limit(), 0, before.saturating_add(units), now);
                Ok(())
            }
            (Err(_), Short::Part { parts, beyond }) => {
                let taken = budget.take_here(&gauge.part_of(parts), units, now);
                taken.map_err(|exhausted| of_part(exhausted, beyond))?;
                self.used.fetch_add(units, Relaxed);
                Ok(())
            }
            (Err(_), short) => Err(self.exhausted(gauge, 0, short, now)),
        }
    }

    /// More was taken for what has begun, be it left or not.
    pub(crate) fn added(&self, budget: &Budget, gauge: &Gauge, units: u64, now: Moment) {
        self.used.fetch_add(units, Relaxed);
        let (window, used) = self.present(budget, gauge, now);
        self.ring_when_low(gauge.limit(), window, used, now);
    }

    /// What was taken was given back.
    pub(crate) fn given_back(&self, units: u64) {
        // By the calendar nobody reads it.
        let _ = self.used.fetch_update(Relaxed, Relaxed, |used| Some(used.saturating_sub(units)));
    }

    pub(crate) fn refuses(&self, budget: &Budget, gauge: &Gauge, now: Moment) -> Option<Exhausted> {
        let (window, used) = self.present(budget, gauge, now);
        let is_sliding = matches!(gauge.limit().counting, Counting::Sliding { .. });
        match self.may_begin(gauge.limit(), window, used, now) {
            Ok(()) if is_sliding => budget.refuses_here(gauge, now),
            Ok(()) => None,
            Err(Short::Part { parts, beyond }) => {
                let refused = budget.refuses_here(&gauge.part_of(parts), now);
                refused.map(|exhausted| of_part(exhausted, beyond))
            }
            Err(short) => Some(self.exhausted(gauge, budget.cell().load(Relaxed), short, now)),
        }
    }

    /// The window that counts now and what was used of it by this gateway; where it slides, what was used since the start.
    fn present(&self, budget: &Budget, gauge: &Gauge, now: Moment) -> (u64, u64) {
        match gauge.limit().counting {
            Counting::Calendar => gauge.present(budget.cell().load(Relaxed), now),
            Counting::Sliding { .. } => (0, self.used.load(Relaxed)),
        }
    }

    #[inline]
    fn may_begin(&self, limit: &Limit, window: u64, used: u64, now: Moment) -> Result<(), Short> {
        let granted = self.granted(limit, window);
        let is_over = matches!(limit.counting, Counting::Calendar) && used >= limit.amount;
        if used < granted && !is_over { Ok(()) } else { self.beyond(limit, window, used, now) }
    }

    /// Whether something may begin that was not granted.
    #[cold]
    fn beyond(&self, limit: &Limit, window: u64, used: u64, now: Moment) -> Result<(), Short> {
        let (most, is_calendar) = match limit.counting {
            Counting::Calendar => (limit.amount, true),
            Counting::Sliding { burst } => (burst, false),
        };
        if limit.amount == 0 || (is_calendar && used >= limit.amount) {
            return Err(Short::Of(Scarcity::Used));
        }
        self.ring(now);
        let standing = self.standing(limit, window);
        if is_calendar && standing == Standing::Used {
            return Err(Short::Of(Scarcity::Used));
        }
        let (granted, gateways) = (self.granted(limit, window), self.fleet.gateways());
        let left = self.left(limit, window).unwrap_or(most.saturating_sub(granted));
        let waited = now.micros.saturating_sub(self.rung_at(now));
        let is_alone = self.fleet.is_alone() || waited > REFUSAL_MICROS;
        if is_alone || (waited > AWAIT_MICROS && standing == Standing::Open) {
            // Who goes on before it is known that there is no answer is not refused yet either.
            let beyond = if is_alone { Scarcity::Used } else { Scarcity::Awaited };
            return match (self.fleet.when_alone, is_calendar) {
                (WhenAlone::Closed, _) if is_alone => Err(Short::Of(Scarcity::Alone)),
                (WhenAlone::Closed, _) => Err(Short::Of(Scarcity::Awaited)),
                (WhenAlone::Share, false) => Err(Short::Part { parts: gateways, beyond }),
                (WhenAlone::Share, true) if used < granted.saturating_add(left / gateways) => Ok(()),
                (WhenAlone::Share, true) => Err(Short::Of(beyond)),
            };
        }
        match standing {
            Standing::Used => Err(Short::Of(Scarcity::Used)),
            Standing::Hungry => Err(Short::Of(Scarcity::Awaited)),
            Standing::Open => {
                let credit = (left / gateways).min(most / CREDIT_PARTS / gateways);
                let is_credited = used < granted.saturating_add(credit);
                is_credited.then_some(()).ok_or(Short::Of(Scarcity::Awaited))
            }
        }
    }

    #[cold]
    fn exhausted(&self, gauge: &Gauge, word: u64, short: Short, now: Moment) -> Exhausted {
        let scarcity = match short {
            Short::Of(scarcity) => scarcity,
            Short::Part { beyond, .. } => beyond,
        };
        let is_calendar = matches!(gauge.limit().counting, Counting::Calendar);
        let whole = || if is_calendar { gauge.exhausted(word, now).retry_after_millis } else { u64::MAX };
        let retry_after_millis = match scarcity {
            Scarcity::Used if is_calendar || gauge.limit().amount == 0 => {
                gauge.exhausted(word, now).retry_after_millis
            }
            Scarcity::Used => {
                self.again_at.load(Relaxed).saturating_sub(now.micros).div_ceil(1_000).max(AWAITED_MILLIS)
            }
            Scarcity::Awaited => AWAITED_MILLIS,
            Scarcity::Alone => whole().min(ALONE_RETRY_MILLIS),
        };
        Exhausted { retry_after_millis, scarcity }
    }

    #[inline]
    fn ring_when_low(&self, limit: &Limit, window: u64, used: u64, now: Moment) {
        let unused = self.granted(limit, window).saturating_sub(used);
        let is_over = matches!(limit.counting, Counting::Calendar) && used >= limit.amount;
        if unused <= self.low.load(Relaxed) && !is_over {
            self.ring(now);
        }
    }

    /// Says once that more is needed.
    #[cold]
    fn ring(&self, now: Moment) {
        if self.rung_at.load(Relaxed) != 0 || now.micros < self.quiet_until.load(Relaxed) {
            return;
        }
        let is_first = self.rung_at.compare_exchange(0, now.micros.max(1), Relaxed, Relaxed).is_ok();
        if is_first && let Some(me) = self.me.upgrade() {
            // Nobody listens any more once the gateway ends.
            let _ = self.fleet.needs.try_send(me);
        }
    }

    fn rung_at(&self, now: Moment) -> u64 {
        match self.rung_at.load(Relaxed) {
            0 => now.micros,
            rung_at => rung_at,
        }
    }

    fn standing(&self, limit: &Limit, window: u64) -> Standing {
        let word = self.standing.load(Relaxed);
        match limit.counting {
            Counting::Sliding { .. } => Standing::of(word),
            Counting::Calendar => match unpack(limit.per, word) {
                (of, standing) if of == window => Standing::of(standing),
                _ => Standing::Open,
            },
        }
    }
}

/// For whoever asks, one for all.
impl Lease {
    /// The budget's name.
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn gauge(&self) -> Option<Gauge> {
        *self.gauge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn granted(&self, limit: &Limit, window: u64) -> u64 {
        match limit.counting {
            Counting::Sliding { .. } => self.granted[0].load(Relaxed),
            Counting::Calendar => match unpack(limit.per, self.granted[place(window)].load(Relaxed)) {
                (of, granted) if of == window => granted,
                _ => 0,
            },
        }
    }

    fn left(&self, limit: &Limit, window: u64) -> Option<u64> {
        let word = self.left[place(window)].load(Relaxed);
        match limit.counting {
            Counting::Sliding { .. } => (word != UNKNOWN).then_some(word),
            Counting::Calendar => {
                let (of, left) = unpack(limit.per, word);
                (of == window).then_some(left)
            }
        }
    }

    /// What counts in this window and was granted to an earlier process.
    fn before(&self, limit: &Limit, window: u64) -> u64 {
        match (limit.counting, unpack(limit.per, self.before)) {
            (Counting::Calendar, (of, before)) if of == window => before,
            _ => 0,
        }
    }

    fn set_granted(&self, limit: &Limit, window: u64, granted: u64) {
        self.granted[place(window)].store(in_window(limit, window, granted), Relaxed);
    }

    fn set_left(&self, limit: &Limit, window: u64, left: u64) {
        self.left[place(window)].store(in_window(limit, window, left), Relaxed);
    }

    fn set_standing(&self, limit: &Limit, window: u64, standing: Standing) {
        self.standing.store(in_window(limit, window, standing as u64), Relaxed);
    }

    /// Nobody waits for an answer any more, and nobody asks again before that microsecond.
    fn answered(&self, quiet_until: u64) {
        self.quiet_until.store(quiet_until, Relaxed);
        self.rung_at.store(0, Relaxed);
    }
}

/// What a part of something that slides refuses.
fn of_part(exhausted: Exhausted, beyond: Scarcity) -> Exhausted {
    match beyond {
        Scarcity::Awaited => Exhausted { retry_after_millis: AWAITED_MILLIS, scarcity: beyond },
        scarcity => Exhausted { scarcity, ..exhausted },
    }
}

const fn place(window: u64) -> usize {
    (window & 1) as usize
}

const fn in_window(limit: &Limit, window: u64, value: u64) -> u64 {
    match limit.counting {
        Counting::Calendar => pack(limit.per, window, value),
        Counting::Sliding { .. } => value,
    }
}

#[cfg(test)]
mod tests;
