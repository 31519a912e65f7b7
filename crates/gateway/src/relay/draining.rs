//! The end of a worker: who is to be told, at which pace, and when whoever is left is cut.
//!
//! It knows places of sessions, not sessions.

use std::{collections::VecDeque, sync::Arc};

use tidegate_wire::Micros;

use super::{Drain, Farewell};

/// See the module.
pub(super) struct Draining {
    farewell: Arc<Farewell>,
    /// Who is to be told, and when the next one is.
    queue: VecDeque<usize>,
    next_at: Micros,
    pace: Micros,
    cut_at: Micros,
    /// Sessions that did not end by themselves.
    pub(super) cut: usize,
}

impl Draining {
    pub(super) fn begin(drain: &Drain, queue: VecDeque<usize>, now: Micros) -> Self {
        let pace = Micros::new(drain.spread.get() / (queue.len() as u64).max(1));
        let farewell = Arc::clone(&drain.farewell);
        Self { farewell, queue, next_at: now, pace, cut_at: now.plus(drain.grace), cut: 0 }
    }

    /// One more, who came while the others were told.
    pub(super) fn add(&mut self, place: usize) {
        self.queue.push_back(place);
    }

    /// The next one whose turn it is, and what it is told.
    pub(super) fn next(&mut self, now: Micros) -> Option<(usize, Arc<Farewell>)> {
        if self.next_at > now {
            return None;
        }
        let place = self.queue.pop_front()?;
        self.next_at = self.next_at.plus(self.pace);
        Some((place, Arc::clone(&self.farewell)))
    }

    pub(super) fn is_time_up(&self, now: Micros) -> bool {
        self.cut_at <= now
    }

    /// When there is something to do next.
    pub(super) fn next_at(&self) -> Micros {
        if self.queue.is_empty() { self.cut_at } else { self.next_at }
    }
}
