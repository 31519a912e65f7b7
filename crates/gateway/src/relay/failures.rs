//! What is said of custom rules that fail: once a minute of each, and how often it was.
//!
//! A rule that fails applies to nobody, and nobody but an administrator can help it. It does not know why a rule is asked.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use tidegate_model::{custom_rule::Rule, expression::Failed, id::CustomRuleId};
use tidegate_wire::Micros;

/// How long a rule is not spoken of again.
const SILENCE: Micros = Micros::from_secs(60);
/// Rules that are remembered; there are far fewer at a time, and those that were deleted are forgotten with the others.
const REMEMBERED_MAX: usize = 1_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<CustomRuleId, Told>>);

#[derive(Debug, Default)]
struct Told {
    /// From when on it may be spoken of again.
    until: Micros,
    /// How often it failed since.
    times: u64,
}

impl Failures {
    /// It failed once more. Sessions ask when they begin, and for messages once a minute at most.
    pub(super) fn tell(&self, rule: &Rule, failed: &Failed, now: Micros) {
        if let Some(times) = self.count(rule.id, now) {
            let name = &rule.policy.name;
            tracing::warn!(rule = %name, times, reason = %failed, "a custom rule cannot be judged, and does not apply");
        }
    }

    /// How often it failed that was not said, where it is to be said now.
    fn count(&self, id: CustomRuleId, now: Micros) -> Option<u64> {
        // Held for one look-up; never across a wait.
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED_MAX {
            all.clear();
        }
        let told = all.entry(id).or_default();
        told.times += 1;
        if now < told.until {
            return None;
        }
        told.until = now.plus(SILENCE);
        Some(std::mem::take(&mut told.times))
    }
}

#[cfg(test)]
mod tests {
    use tidegate_model::time::Timestamp;

    use super::*;

    #[test]
    fn a_rule_that_fails_is_spoken_of_once_a_minute_with_how_often_it_was() {
        let [one, other] = [1, 2].map(|number| CustomRuleId::new(Timestamp(0), [number; 10]));
        let failures = Failures::default();
        assert_eq!(failures.count(one, Micros::from_secs(5)), Some(1));
        for second in [5, 6, 64] {
            assert_eq!(failures.count(one, Micros::from_secs(second)), None);
        }
        assert_eq!(failures.count(other, Micros::from_secs(64)), Some(1));
        assert_eq!(failures.count(one, Micros::from_secs(65)), Some(4));
    }
}
