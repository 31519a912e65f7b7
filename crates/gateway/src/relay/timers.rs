//! A worker's timers: deadlines in monotonic time, expiries of credentials in wall time.
//!
//! Two heaps with lazy deletion: an entry that no longer stands for anything is passed over when it comes up, and
//! swept out before the dead outnumber the living. It does not know sessions, only their places.

use std::{cmp::Reverse, collections::BinaryHeap};

use tidegate_model::time::Timestamp;
use tidegate_wire::Micros;

/// Entries that are never worth sweeping.
const TIDY_FROM: usize = 1_024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Timers {
    deadlines: BinaryHeap<Reverse<(Micros, usize)>>,
    /// With the number of the session, since a place may have a new one by then.
    expiries: BinaryHeap<Reverse<(Timestamp, usize, u64)>>,
}

impl Timers {
    pub(super) fn arm(&mut self, at: Micros, place: usize) {
        self.deadlines.push(Reverse((at, place)));
    }

    pub(super) fn expire(&mut self, at: Timestamp, place: usize, number: u64) {
        self.expiries.push(Reverse((at, place, number)));
    }

    /// When something is due next.
    pub(super) fn next(&self, now: Micros, wall: Timestamp) -> Option<Micros> {
        let deadline = self.deadlines.peek().map(|Reverse((at, _))| *at);
        let expiry = self.expiries.peek().map(|Reverse((at, ..))| {
            let left = u64::try_from(at.millis() - wall.millis()).unwrap_or(0);
            now.plus(Micros::from_millis(left))
        });
        deadline.into_iter().chain(expiry).min()
    }

    /// The next deadline that has come.
    pub(super) fn due(&mut self, now: Micros) -> Option<(Micros, usize)> {
        let Reverse((at, _)) = *self.deadlines.peek()?;
        if at > now {
            return None;
        }
        self.deadlines.pop().map(|Reverse(entry)| entry)
    }

    /// The next credential that has expired, as place and number of its session.
    pub(super) fn expired(&mut self, wall: Timestamp) -> Option<(usize, u64)> {
        let Reverse((at, ..)) = *self.expiries.peek()?;
        if at > wall {
            return None;
        }
        self.expiries.pop().map(|Reverse((_, place, number))| (place, number))
    }

    /// Sweeps out what stands for nothing, when there is much of it.
    pub(super) fn tidy(
        &mut self,
        sessions: usize,
        is_armed: impl Fn(Micros, usize) -> bool,
        is_open: impl Fn(Timestamp, usize, u64) -> bool,
    ) {
        // Twice the living: each sweep is paid for by as many entries made since the last.
        let bound = TIDY_FROM + 4 * sessions;
        if self.deadlines.len() > bound {
            self.deadlines.retain(|Reverse((at, place))| is_armed(*at, *place));
        }
        if self.expiries.len() > bound {
            self.expiries.retain(|Reverse((at, place, number))| is_open(*at, *place, *number));
        }
    }
}

#[cfg(test)]
mod tests;
