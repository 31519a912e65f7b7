//! Throttle arithmetic: a budget is one atomic cell that all workers share, exact for any interleaving.
//!
//! Windows are calendar windows: a minute begins at second 0, a day at 00:00 UTC. Message N+1 of a limit N is
//! the one refused, whatever the split of bytes, and a new window starts with the whole budget.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::{
    plan::Limit,
    time::{DAY_MILLIS, MINUTE_MILLIS, Timestamp},
};

/// A calendar window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// From second 0 to second 59.
    Minute,
    /// From 00:00 to 23:59 UTC.
    Day,
}

impl Window {
    /// Length in milliseconds.
    pub const fn millis(self) -> i64 {
        match self {
            Self::Minute => MINUTE_MILLIS,
            Self::Day => DAY_MILLIS,
        }
    }

    /// The word used in REST and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Day => "day",
        }
    }

    /// Number of the window that holds `now`, counted from the epoch; 32 bits hold minutes until the year 10136.
    fn number(self, now: Timestamp) -> u32 {
        u32::try_from(now.millis().div_euclid(self.millis()).max(0)).unwrap_or(u32::MAX)
    }

    /// Whole seconds until the next window begins, at least 1.
    pub fn seconds_left(self, now: Timestamp) -> u32 {
        let left = self.millis() - now.millis().rem_euclid(self.millis());
        u32::try_from((left + 999) / 1_000).unwrap_or(1).max(1)
    }
}

/// The budget is used up; try again after so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// Whole seconds until the window ends, at least 1.
    pub retry_after_seconds: u32,
}

/// One budget: window number in the high half, messages used in the low half of one atomic word.
///
/// A clock that steps back does not give a second budget: an older window number than the one stored is
/// counted in the stored window.
#[derive(Debug, Default)]
pub struct Budget(AtomicU64);

impl Budget {
    /// A budget continued from what was used before, for example by an earlier process.
    pub fn resumed(window: Window, at: Timestamp, used: u32) -> Self {
        Self(AtomicU64::new(pack(window.number(at), used)))
    }

    /// Takes one message from the budget of the window that holds `now`.
    ///
    /// # Errors
    /// [`Exhausted`] when `limit.messages` were taken in this window already; nothing is taken then.
    pub fn take(&self, limit: Limit, now: Timestamp) -> Result<(), Exhausted> {
        let window = limit.per.number(now);
        // Relaxed is enough: the word is the whole state and nothing else is published through it.
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            let (stored, used) = unpack(word);
            if window > stored {
                return (limit.messages > 0).then(|| pack(window, 1));
            }
            (used < limit.messages).then(|| pack(stored, used + 1))
        });
        match taken {
            Ok(_) => Ok(()),
            Err(_) => Err(Exhausted { retry_after_seconds: limit.per.seconds_left(now) }),
        }
    }

    /// Messages used in the window that holds `now`.
    pub fn used(&self, per: Window, now: Timestamp) -> u32 {
        let (stored, used) = unpack(self.0.load(Ordering::Relaxed));
        if per.number(now) > stored { 0 } else { used }
    }
}

const fn pack(window: u32, used: u32) -> u64 {
    (window as u64) << 32 | used as u64
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of the word are taken apart on purpose")]
const fn unpack(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

#[cfg(test)]
mod tests;
