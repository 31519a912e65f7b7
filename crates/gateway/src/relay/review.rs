//! A walk over all sessions of a worker: who may stay by a new snapshot, and by what was revoked.
//!
//! It goes on in every turn of the loop, some sessions at a time, so that no message waits for thousands of
//! sessions to be asked. A session is looked at once from where the walk stood when the last news came. It knows places,
//! not sessions.

/// What one turn spends: a session that is asked costs one, about a microsecond, so that a message that comes meanwhile
/// waits for a quarter of a millisecond.
const EFFORT_PER_TURN: u32 = 256;
/// What closing a session costs: two system calls and what they wake.
const CLOSING: u32 = 12;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Review {
    next: usize,
    left: usize,
    /// Places that there were when the last news came; whoever takes a later one is asked then.
    places: usize,
    effort: u32,
    /// Sessions are asked for what the snapshot allows: those that it touches.
    asks: bool,
    /// All of them are.
    asks_all: bool,
    /// Everybody is asked for what was revoked.
    looks_for_revoked: bool,
}

impl Review {
    /// Whom the present snapshot touches is asked, or everybody: what touches whom is known between two snapshots, and not
    /// where one was missed or is not done with.
    pub(super) fn ask(&mut self, places: usize, all: bool) {
        self.asks_all |= all || self.asks;
        self.asks = true;
        (self.left, self.places) = (places, places);
    }

    /// Everybody is asked for what was revoked, too.
    pub(super) fn look_for_revoked(&mut self, places: usize) {
        self.looks_for_revoked = true;
        (self.left, self.places) = (places, places);
    }

    /// Whether there is anybody left to ask.
    pub(super) fn is_under_way(&self) -> bool {
        self.left > 0
    }

    /// Whether sessions are asked for what the snapshot allows.
    pub(super) fn asks(&self) -> bool {
        self.asks
    }

    /// Whether those are asked as well that the snapshot does not touch.
    pub(super) fn asks_all(&self) -> bool {
        self.asks_all
    }

    /// Whether sessions are asked for what was revoked.
    pub(super) fn looks_for_revoked(&self) -> bool {
        self.looks_for_revoked
    }

    /// A turn begins.
    pub(super) fn begin_turn(&mut self) {
        self.effort = EFFORT_PER_TURN;
    }

    /// The last session that was looked at is closed.
    pub(super) fn has_closed(&mut self) {
        self.effort = self.effort.saturating_sub(CLOSING);
    }

    /// The next place to look at in this turn.
    pub(super) fn step(&mut self) -> Option<usize> {
        if self.left == 0 || self.effort == 0 {
            return None;
        }
        self.effort -= 1;
        self.left -= 1;
        let place = if self.next < self.places { self.next } else { 0 };
        self.next = place + 1;
        Some(place)
    }

    /// Everybody was asked. What comes next begins anew.
    pub(super) fn end(&mut self) {
        *self = Self { next: self.next, ..Self::default() };
    }
}

#[cfg(test)]
mod tests;
