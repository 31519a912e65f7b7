//! Wrong secrets by the address they come from: who tries many has to wait.
//!
//! A secret has 256 random bits and cannot be guessed; this bounds what trying costs and how loud it is. It is by
//! source, never by whose secret is tried, so that nobody can be locked out by somebody elsewhere. IPv6 counts by /64. It
//! does not know what a secret is.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tidegate_model::{
    network::Neighbour,
    time::{MINUTE_MILLIS, Timestamp},
};

/// Wrong secrets in a minute after which a source waits for the minute's end: a fleet behind one address with an old key
/// notices it, a person never does.
pub(super) const FAILURES_MAX: u32 = 30;
/// Sources that are remembered, at some 50 bytes each. When there are more, one of them is forgotten for the next.
const SOURCES_MAX: usize = 16_384;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<Neighbour, Failures>>);

#[derive(Debug, Clone, Copy)]
struct Failures {
    /// Beginning of the minute.
    minute: Timestamp,
    count: u32,
}

impl Attempts {
    /// Seconds for which this source has to wait; `None`: it may try.
    pub(super) fn must_wait(&self, source: IpAddr, now: Timestamp) -> Option<u32> {
        let failures = self.held().get(&source.into()).copied()?;
        let left = failures.minute.plus_millis(MINUTE_MILLIS).millis() - now.millis();
        let waits = failures.minute == now.minute() && failures.count >= FAILURES_MAX;
        waits.then(|| u32::try_from((left + 999) / 1_000).unwrap_or(1).max(1))
    }

    /// A wrong secret came from there.
    pub(super) fn failed(&self, source: IpAddr, now: Timestamp) {
        let (source, minute) = (Neighbour::from(source), now.minute());
        let mut held = self.held();
        if held.len() >= SOURCES_MAX && !held.contains_key(&source) {
            held.retain(|_, failures| failures.minute == minute);
            if held.len() >= SOURCES_MAX
                && let Some(any) = held.keys().next().copied()
            {
                held.remove(&any);
            }
        }
        let failures = held.entry(source).or_insert(Failures { minute, count: 0 });
        if failures.minute != minute {
            *failures = Failures { minute, count: 0 };
        }
        failures.count = failures.count.saturating_add(1);
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Neighbour, Failures>> {
        // A std mutex: held for one look, never across an await.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_023_000);

    fn source(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn whoever_fails_often_waits_for_the_end_of_the_minute_and_nobody_else_does() {
        let attempts = Attempts::default();
        for _ in 0..FAILURES_MAX {
            assert_eq!(attempts.must_wait(source(1), NOW), None);
            attempts.failed(source(1), NOW);
        }
        assert_eq!(attempts.must_wait(source(1), NOW), Some(37));
        assert_eq!(attempts.must_wait(source(2), NOW), None);
        assert_eq!(attempts.must_wait(source(1), NOW.plus_millis(37_000)), None);
    }

    #[test]
    fn a_neighbourhood_of_ipv6_is_one_source() {
        let attempts = Attempts::default();
        for number in 0..FAILURES_MAX {
            attempts.failed(format!("2001:db8::{number:x}").parse().unwrap(), NOW);
        }
        let waits = |text: &str| attempts.must_wait(text.parse().unwrap(), NOW).is_some();
        assert!(waits("2001:db8::ffff:1"));
        assert!(!waits("2001:db8:0:1::1"));
    }

    #[test]
    fn memory_has_a_bound() {
        let attempts = Attempts::default();
        for number in 0..2 * u32::try_from(SOURCES_MAX).unwrap() {
            attempts.failed(source(number), NOW);
        }
        assert_eq!(attempts.held().len(), SOURCES_MAX);
        attempts.failed(source(u32::MAX), NOW.plus_millis(MINUTE_MILLIS));
        assert_eq!(attempts.held().len(), 1, "what is over is forgotten at once");
    }
}
