//! Throttle arithmetic: a budget is one atomic word that all workers share, exact for any interleaving.
//!
//! The definitions, which the guide repeats and the tests hold against a slow model:
//!
//! - A message **may begin** while something is left, and then costs what it is: one message, or its bytes. So message
//!   N+1 of a limit of N messages is the one refused, whatever the split of bytes; and of a limit of bytes, the one that
//!   begins after the last byte was used, however the message before it was split into frames. A message of many bytes
//!   may go over what was left, never by more than itself.
//! - **Calendar**: a window begins with the whole amount, and what is left at its end is lost. See [`Window`].
//! - **Sliding**: the generic cell rate algorithm (ITU-T I.371, annex A). A unit takes `window / amount` of time, rounded up
//!   to a nanosecond; at most `burst` units of time may be owed, and what is owed passes as time does.
//!
//! A wall clock that is set back by less than a minute, or less than one window, counts in the window that was there:
//! never a second budget. Set back further, the window is that of the clock again, and what was used stays used in it. What
//! slides looks at the monotonic clock alone. Nothing here asks a clock.

use std::{
    num::NonZeroU64,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    lease::Lease,
    limit::{Counting, Limit, Shape, Unit, Window},
    time::{MINUTE_MILLIS, Timestamp},
    usage::Used,
};

const NANOS_PER_MILLI: u64 = 1_000_000;

/// A point in time by both clocks, read once for a turn of a worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    /// What the wall clock says.
    pub wall: Timestamp,
    /// Microseconds on a clock that only goes forward, the same for all who share a budget.
    pub micros: u64,
}

/// Nothing may begin now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// Milliseconds until something is left again, at least 1. Of a limit of zero, until its window ends.
    pub retry_after_millis: u64,
    /// What is known of why.
    pub scarcity: Scarcity,
}

/// Why nothing may begin. Only of a budget that gateways share can it be anything but used up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scarcity {
    /// The budget is used up.
    #[default]
    Used,
    /// This gateway has used what it was granted, and the answer whether there is more is under way.
    Awaited,
    /// This gateway has used what it was granted, cannot ask for more, and must not go on by itself.
    Alone,
}

impl Exhausted {
    /// In whole seconds, at least 1, as clients are told.
    pub fn retry_after_seconds(self) -> u32 {
        u32::try_from(self.retry_after_millis.div_ceil(1_000)).unwrap_or(u32::MAX)
    }
}

/// A limit made ready for counting, so that a message costs no division.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauge {
    limit: Limit,
    /// What one unit costs of a sliding budget, in nanoseconds.
    one: u64,
    /// What a sliding budget may owe, in nanoseconds.
    owed_max: u64,
    /// Of how many equal parts of a sliding budget it is one.
    parts: u64,
}

impl From<Limit> for Gauge {
    fn from(limit: Limit) -> Self {
        let mut gauge = Self { limit, one: 0, owed_max: 0, parts: 1 };
        if let Counting::Sliding { burst } = limit.counting {
            gauge.one = gauge.nanos(1);
            gauge.owed_max = match limit.unit {
                _ if limit.amount == 0 => 0,
                // Exactly so many ones, with what each was rounded by.
                Unit::Messages | Unit::Connects => gauge.one.saturating_mul(burst),
                Unit::Bytes => gauge.nanos(burst),
            };
        }
        gauge
    }
}

impl Gauge {
    /// The limit.
    pub const fn limit(&self) -> &Limit {
        &self.limit
    }

    /// In how many milliseconds so many units of a sliding budget come back; `None`: there are none.
    pub(crate) fn renewed_in(&self, units: u64) -> Option<i64> {
        (units > 0).then(|| i64::try_from(self.nanos(units).div_ceil(NANOS_PER_MILLI)).unwrap_or(i64::MAX))
    }

    /// What one unit costs of a sliding budget, and what may be owed, in nanoseconds.
    pub(crate) const fn nanos_of_one_and_owed(&self) -> (u64, u64) {
        (self.one, self.owed_max)
    }

    /// The gauge of one of so many equal parts of a sliding budget: a unit costs as many times more. One at least may come
    /// at once.
    pub(crate) fn part_of(&self, parts: u64) -> Self {
        let one = self.one.saturating_mul(parts);
        Self { one, owed_max: self.owed_max.max(one), parts, ..*self }
    }

    /// The time of so many units, rounded up.
    fn nanos(&self, units: u64) -> u64 {
        let window = self.limit.per.millis().unsigned_abs() * NANOS_PER_MILLI;
        let Some(amount) = NonZeroU64::new(self.limit.amount) else { return u64::MAX };
        // Small products, which most are, need no division of 128 bits.
        if let Some(product) = window.checked_mul(units) {
            return product.div_ceil(amount.get());
        }
        let nanos = (u128::from(window) * u128::from(units)).div_ceil(u128::from(amount.get()));
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }

    fn cost(&self, units: u64) -> u64 {
        if units == 1 { self.one } else { self.nanos(units).saturating_mul(self.parts) }
    }

    /// Whether a message may begin.
    fn is_left(&self, word: u64, now: Moment) -> bool {
        match self.limit.counting {
            Counting::Calendar => self.present(word, now).1 < self.limit.amount,
            Counting::Sliding { .. } => owed(word, now).saturating_add(self.one) <= self.owed_max,
        }
    }

    /// The word with so many units more.
    pub(crate) fn plus(&self, word: u64, units: u64, now: Moment) -> u64 {
        match self.limit.counting {
            Counting::Calendar => {
                let (window, used) = self.present(word, now);
                pack(self.limit.per, window, used.saturating_add(units))
            }
            Counting::Sliding { .. } => word.max(nanos_of(now)).saturating_add(self.cost(units)),
        }
    }

    /// The word with so many units less, which were taken at this moment.
    fn minus(&self, word: u64, units: u64, now: Moment) -> u64 {
        match self.limit.counting {
            Counting::Calendar => {
                let (window, used) = self.present(word, now);
                // Somebody went on to the next window: what was taken of the one before is gone with it.
                if window > self.limit.per.number(now.wall) {
                    return word;
                }
                pack(self.limit.per, window, used.saturating_sub(units))
            }
            Counting::Sliding { .. } => word.saturating_sub(self.cost(units)),
        }
    }

    /// The calendar window that counts now, and what was used of it.
    pub(crate) fn present(&self, word: u64, now: Moment) -> (u64, u64) {
        let per = self.limit.per;
        let (number, (window, used)) = (per.number(now.wall), unpack(per, word));
        if number > window {
            return (number, 0);
        }
        // Workers read the clock at their own times, so a window just ahead is one of a colleague's. Further ahead, the clock
        // was set back, and nobody would come to the end of that window for long.
        let is_lost = window > number + 1
            && per.begin(window).millis().saturating_sub(now.wall.millis()) > MINUTE_MILLIS;
        if is_lost { (number, used) } else { (window, used) }
    }

    /// In how many milliseconds a sliding budget has a unit more than now; `None`: it owes nothing.
    fn more_in(&self, word: u64, now: Moment) -> Option<u64> {
        if !self.is_left(word, now) {
            return Some(self.exhausted(word, now).retry_after_millis);
        }
        let owed = owed(word, now);
        // What is owed of a part of a unit is paid first.
        let of_one = owed.checked_sub(1)? % self.one.max(1) + 1;
        Some(of_one.div_ceil(NANOS_PER_MILLI))
    }

    /// When something is left again, if nothing is.
    pub(crate) fn exhausted(&self, word: u64, now: Moment) -> Exhausted {
        let per = self.limit.per;
        let of_window =
            |window: u64| per.begin(window + 1).millis().saturating_sub(now.wall.millis()).unsigned_abs();
        let retry_after_millis = match self.limit.counting {
            // A clock that was set back a little waits for the end of the window that was there.
            Counting::Calendar => of_window(self.present(word, now).0),
            Counting::Sliding { .. } if self.limit.amount == 0 => of_window(per.number(now.wall)),
            Counting::Sliding { .. } => owed(word, now)
                .saturating_add(self.one)
                .saturating_sub(self.owed_max)
                .div_ceil(NANOS_PER_MILLI),
        };
        Exhausted { retry_after_millis: retry_after_millis.max(1), scarcity: Scarcity::Used }
    }
}

/// What is used of a budget at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When it was read.
    pub at: Timestamp,
    /// Units used: of the calendar window that holds `at`, or owed by a sliding budget, rounded up.
    pub used: u64,
    /// When more is left than at `at`: of a window, all of it again; of a sliding budget, which may owe nothing, a unit.
    pub more_at: Option<Timestamp>,
}

/// One budget.
///
/// Calendar: the window's number in the high bits, what was used in the low ones. Sliding: the nanosecond at which nothing is
/// owed any more. Both are the same word whatever the amount is, so a limit whose number changes goes on with what was
/// used; a limit over another window, or counted otherwise, needs another budget.
///
/// One that gateways share has a [`Lease`] beside the word: how much of it this gateway was granted.
#[derive(Debug, Default)]
pub struct Budget {
    word: AtomicU64,
    lease: Option<Box<Lease>>,
}

impl Budget {
    /// A budget of this shape continued from what was used before, for example by an earlier process, as it was told at
    /// `told_at`. What is owed is paid off by the wall clock meanwhile, since no other goes on; one that was set back
    /// makes nobody owe more.
    pub fn resumed(shape: Shape, used: Used, told_at: Timestamp, now: Moment) -> Self {
        let word = match used {
            Used::Calendar { window, units } => pack(shape.per(), window, units),
            Used::Sliding { clear_at } => {
                let since = now.wall.max(told_at).millis();
                let owed = clear_at.millis().saturating_sub(since).max(0).unsigned_abs();
                nanos_of(now).saturating_add(owed.saturating_mul(NANOS_PER_MILLI))
            }
        };
        Self { word: AtomicU64::new(word), lease: None }
    }

    /// The same budget, as one of which other gateways use, too.
    pub(crate) fn with(self, lease: Box<Lease>) -> Self {
        Self { lease: Some(lease), ..self }
    }

    /// What this gateway was granted of it, where gateways share it.
    pub fn lease(&self) -> Option<&Lease> {
        self.lease.as_deref()
    }

    /// The word's place, for the lease beside it.
    pub(crate) const fn cell(&self) -> &AtomicU64 {
        &self.word
    }

    /// The word itself.
    pub(crate) fn word(&self) -> u64 {
        self.word.load(Ordering::Relaxed)
    }

    /// Lets a message begin that costs so many units.
    ///
    /// # Errors
    /// [`Exhausted`] when nothing is left; nothing is taken then.
    #[inline]
    pub fn take(&self, gauge: &Gauge, units: u64, now: Moment) -> Result<(), Exhausted> {
        match &self.lease {
            None => self.take_here(gauge, units, now),
            Some(lease) => lease.take(self, gauge, units, now),
        }
    }

    /// The same by the word alone.
    #[inline]
    pub(crate) fn take_here(&self, gauge: &Gauge, units: u64, now: Moment) -> Result<(), Exhausted> {
        // Relaxed is enough: the word is the whole state and nothing else is published through it.
        self.word
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                gauge.is_left(word, now).then(|| gauge.plus(word, units, now))
            })
            .map(drop)
            .map_err(|word| gauge.exhausted(word, now))
    }

    /// Takes for something that passes in any case; says whether it is beyond the limit. What slides is taken only where it
    /// is left: what does not conform does not count (ITU-T I.371), so that who was beyond is within again in time.
    pub fn count(&self, gauge: &Gauge, units: u64, now: Moment) -> bool {
        if let Some(lease) = &self.lease {
            let refused = lease.refuses(self, gauge, now);
            let is_beyond = refused.is_some_and(|exhausted| exhausted.scarcity == Scarcity::Used);
            if !is_beyond || gauge.limit.counting == Counting::Calendar {
                self.add(gauge, units, now);
            }
            return is_beyond;
        }
        let counts = |word| gauge.is_left(word, now) || gauge.limit.counting == Counting::Calendar;
        let before = self.word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            counts(word).then(|| gauge.plus(word, units, now))
        });
        !gauge.is_left(before.unwrap_or_else(|word| word), now)
    }

    /// Takes more for a message that began, be it left or not.
    pub fn add(&self, gauge: &Gauge, units: u64, now: Moment) {
        self.change(|word| gauge.plus(word, units, now));
        if let Some(lease) = &self.lease {
            lease.added(self, gauge, units, now);
        }
    }

    /// Gives back what was taken at this moment for a message that another limit refused.
    pub fn give_back(&self, gauge: &Gauge, units: u64, now: Moment) {
        self.change(|word| gauge.minus(word, units, now));
        if let Some(lease) = &self.lease {
            lease.given_back(units);
        }
    }

    fn change(&self, change: impl Fn(u64) -> u64) {
        // It always changes: there is no error to look at.
        let _ = self.word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| Some(change(word)));
    }

    /// Why no message may begin now, if that is so. Takes nothing.
    pub fn refuses(&self, gauge: &Gauge, now: Moment) -> Option<Exhausted> {
        match &self.lease {
            None => self.refuses_here(gauge, now),
            Some(lease) => lease.refuses(self, gauge, now),
        }
    }

    /// The same by the word alone.
    pub(crate) fn refuses_here(&self, gauge: &Gauge, now: Moment) -> Option<Exhausted> {
        let word = self.word.load(Ordering::Relaxed);
        (!gauge.is_left(word, now)).then(|| gauge.exhausted(word, now))
    }

    /// What is used now. It may be more than the amount, by the last message.
    pub fn reading(&self, gauge: &Gauge, now: Moment) -> Reading {
        let word = self.word.load(Ordering::Relaxed);
        match gauge.limit.counting {
            Counting::Calendar => {
                let (window, used) = gauge.present(word, now);
                let per = gauge.limit.per;
                Reading { at: now.wall.max(per.begin(window)), used, more_at: Some(per.begin(window + 1)) }
            }
            Counting::Sliding { .. } => {
                let used = owed(word, now).div_ceil(gauge.one.max(1));
                let more_in =
                    gauge.more_in(word, now).map(|millis| i64::try_from(millis).unwrap_or(i64::MAX));
                Reading { at: now.wall, used, more_at: more_in.map(|millis| now.wall.plus_millis(millis)) }
            }
        }
    }
}

/// What was used of a budget of this shape between two words of it, and is not over by now: by the calendar what was taken
/// of the later word's window, sliding until when something is owed. `None`: nothing.
pub(crate) fn used_since(shape: Shape, before: u64, word: u64, now: Moment) -> Option<Used> {
    if shape.slides() {
        let owed = owed(word, now).div_ceil(NANOS_PER_MILLI);
        let clear_at = || now.wall.plus_millis(i64::try_from(owed).unwrap_or(i64::MAX));
        return (word > before && owed > 0).then(|| Used::Sliding { clear_at: clear_at() });
    }
    let ((window, used), (window_before, used_before)) =
        (unpack(shape.per(), word), unpack(shape.per(), before));
    // Less than before was given back, and is told when it is taken again.
    let units = used.saturating_sub(if window == window_before { used_before } else { 0 });
    (units > 0).then_some(Used::Calendar { window, units })
}

/// What a sliding budget owes, in nanoseconds.
const fn owed(word: u64, now: Moment) -> u64 {
    word.saturating_sub(nanos_of(now))
}

/// Nanoseconds on the clock that only goes forward.
const fn nanos_of(now: Moment) -> u64 {
    now.micros.saturating_mul(1_000)
}

pub(crate) const fn pack(per: Window, window: u64, used: u64) -> u64 {
    let bits = 64 - per.number_bits();
    let most = (1 << bits) - 1;
    window << bits | if used < most { used } else { most }
}

pub(crate) const fn unpack(per: Window, word: u64) -> (u64, u64) {
    let bits = 64 - per.number_bits();
    (word >> bits, word & ((1 << bits) - 1))
}

#[cfg(test)]
mod tests;
