//! Who may stay: the sessions of a worker are asked again when a snapshot or a revocation comes.
//!
//! It goes through them some at a time (`review.rs`), one part in each turn, and tells when everybody was asked. The
//! rules are `tidegate_model`'s; it knows neither the link nor how a session is closed.

use tidegate_model::admit::{Grant, Unwelcome, standing};

use super::{super::meter::is_held_alike, Worker};
use crate::refusal;

impl Worker {
    /// Goes on with asking who may stay.
    pub(super) fn review_some(&mut self) {
        if !self.review.is_under_way() {
            return;
        }
        self.review.begin_turn();
        while let Some(place) = self.review.step() {
            let Some(session) = self.sessions.get(place) else { continue };
            let grant = &session.record.grant;
            let is_revoked = || self.commons.revoked.hit(&grant.revocable());
            let may_stay = if self.review.looks_for_revoked() && is_revoked() {
                self.close(place, &refusal::unwelcome(Unwelcome::Revoked));
                false
            } else {
                let is_asked = || self.review.asks_all() || self.snapshot.touches(grant);
                !(self.review.asks() && is_asked()) || self.ask_again(place)
            };
            if !may_stay {
                self.review.has_closed();
            }
        }
        if !self.review.is_under_way() {
            self.tell_reviewed();
        }
    }

    /// Everybody was asked for all that was heard.
    pub(super) fn tell_reviewed(&mut self) {
        self.review.end();
        let (round, revoked) = (self.round, self.revoked);
        self.inside.heard.send_modify(|heard| (heard.round, heard.revoked) = (round, revoked));
    }

    /// Whether a session may stay under the present snapshot, and what it is allowed from now on; one that may not is
    /// closed.
    pub(super) fn ask_again(&mut self, place: usize) -> bool {
        let Some(session) = self.sessions.get_mut(place) else { return true };
        let held = &session.record.grant;
        let grant = match standing(&self.snapshot, held, self.wall) {
            Ok(grant) => grant,
            Err(unwelcome) => {
                let farewell = refusal::unwelcome(unwelcome);
                self.close(place, &farewell);
                return false;
            }
        };
        self.allow(place, grant);
        true
    }

    /// What a session is allowed from now on.
    pub(super) fn allow(&mut self, place: usize, grant: Grant) {
        let Some(session) = self.sessions.get_mut(place) else { return };
        let held = &session.record.grant;
        let has_other_budget = !is_held_alike(&grant, held);
        let before = session.bounds();
        if has_other_budget {
            // What passed so far belongs to the plan of until now.
            session.unreported(self.ledger.minute).into_iter().for_each(|counts| self.ledger.add(counts));
            session.meter.list_used(&mut self.ledger.used);
            session.count_by(self.commons.budgets.meter_of_open(&grant));
        }
        session.meter.hear(&grant);
        session.record.grant = grant;
        let after = session.bounds();
        let limits = (before != after).then(|| self.limits_of(after));
        if has_other_budget || limits.is_some() {
            self.serve(place, |session, turn| {
                if let Some(limits) = limits {
                    session.set_limits(limits);
                }
                session.pump(turn)
            });
        }
    }
}
