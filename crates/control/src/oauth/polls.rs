//! How often devices ask (RFC 8628, section 3.5): one that asks too soon is told to slow down, and has to wait longer from
//! then on.
//!
//! It knows no clock: times are arguments. What is remembered is a courtesy and no rule of security, so it is in memory,
//! bounded, and gone with a restart.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tidegate_model::time::Timestamp;
use tidegate_oauth::device::{INTERVAL_SECONDS, SLOW_DOWN_SECONDS};

use crate::room;

/// Devices that are remembered; one is about a hundred bytes.
const ENTRIES_MAX: usize = 10_000;
/// The longest that one has to wait between two questions, in milliseconds: its person should not.
const INTERVAL_MILLIS_MAX: i64 = 60_000;

#[derive(Debug, Clone, Copy)]
struct Poll {
    last: Timestamp,
    interval: i64,
    /// When the code is over.
    until: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Polls(Mutex<HashMap<String, Poll>>);

impl Polls {
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Poll>> {
        // Never held across an await; a panic inside leaves a map that is still a map.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the device with this code, which lives until then, has waited as long as it has to.
    pub(crate) fn is_in_time(&self, code_hash: &str, until: Timestamp, now: Timestamp) -> bool {
        let mut entries = self.entries();
        if let Some(poll) = entries.get_mut(code_hash) {
            let is_in_time = now.millis() - poll.last.millis() >= poll.interval;
            if !is_in_time {
                poll.interval = (poll.interval + SLOW_DOWN_SECONDS * 1_000).min(INTERVAL_MILLIS_MAX);
            }
            poll.last = now;
            return is_in_time;
        }
        room::make(&mut entries, ENTRIES_MAX, now, |poll| poll.until, |poll| poll.last);
        entries.insert(code_hash.to_owned(), Poll { last: now, interval: INTERVAL_SECONDS * 1_000, until });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000_000);

    #[test]
    fn who_asks_too_soon_waits_five_seconds_longer_each_time() {
        let polls = Polls::default();
        let until = START.plus_millis(600_000);
        let mut now = START;
        let mut after = |millis| {
            now = now.plus_millis(millis);
            polls.is_in_time("a", until, now)
        };
        assert!(after(0), "the first question may come at once");
        assert!(after(5_000));
        assert!(!after(4_999));
        assert!(!after(9_999), "ten seconds by now");
        assert!(after(15_000));
        assert!((0..100).all(|_| !after(1_000)));
        assert!(after(60_000), "a minute is the longest");
        assert!(polls.is_in_time("b", until, now), "each device has its own");
    }

    #[test]
    fn memory_is_bounded() {
        let polls = Polls::default();
        for number in 0..2 * i64::try_from(ENTRIES_MAX).unwrap() {
            let now = START.plus_millis(number);
            polls.is_in_time(&number.to_string(), now.plus_millis(600_000), now);
        }
        assert!(polls.entries().len() <= ENTRIES_MAX);
    }
}
