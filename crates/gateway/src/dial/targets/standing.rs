//! How an address stands: failures of sessions in a row with the suspension that they bring, and what checks have found.
//!
//! The two do not know each other: an address gets sessions when neither says no.

use tidegate_model::{
    endpoint::{HealthCheck, Suspension},
    target::{LastCheck, TargetState},
};
use tidegate_wire::Micros;

/// See the module. A blank one is what is known of an address that nobody has gone to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// Sessions that failed in a row.
    pub(super) failures: u32,
    suspended_until: Micros,
    is_unhealthy: bool,
    /// Checks in a row that speak for the other health than the present one.
    against: u32,
    pub(super) last_check: Option<LastCheck>,
}

impl Standing {
    /// Whether it gets sessions.
    pub(super) fn is_in(self, now: Micros) -> bool {
        !self.is_unhealthy && self.suspended_until <= now
    }

    pub(super) fn is_blank(&self) -> bool {
        *self == Self::default()
    }

    /// What others are told.
    pub(super) fn state(self, now: Micros) -> TargetState {
        let left = self.suspended_until.since(now);
        if self.is_unhealthy {
            TargetState::Unhealthy
        } else if left > Micros::ZERO {
            let left_ms = u32::try_from(left.to_duration().as_millis()).unwrap_or(u32::MAX).max(1);
            TargetState::Suspended { left_ms }
        } else {
            TargetState::Up
        }
    }

    /// It took a session.
    pub(super) fn succeeded(&mut self) {
        (self.failures, self.suspended_until) = (0, Micros::ZERO);
    }

    /// It failed a session at `now`. Answers the milliseconds that it is suspended for, 0 where it is not.
    pub(super) fn failed(&mut self, suspension: Suspension, now: Micros) -> u32 {
        self.failures = self.failures.saturating_add(1);
        let length = suspension.length(self.failures);
        if length > 0 {
            self.suspended_until = now.plus(Micros::from_millis(length.into()));
        }
        length
    }

    /// A check has ended. Answers the new health where that changed it.
    pub(super) fn checked(&mut self, rule: HealthCheck, check: LastCheck) -> Option<bool> {
        self.last_check = Some(check);
        if check.ok != self.is_unhealthy {
            self.against = 0;
            return None;
        }
        self.against = self.against.saturating_add(1);
        let enough = if check.ok { rule.healthy_after } else { rule.unhealthy_after };
        if self.against < enough {
            return None;
        }
        (self.against, self.is_unhealthy) = (0, !check.ok);
        Some(check.ok)
    }

    /// There are no checks any more.
    pub(super) fn unchecked(&mut self) {
        (self.is_unhealthy, self.against, self.last_check) = (false, 0, None);
    }
}
