//! Guessing passwords is slowed down: after a few failures in a row a name from an address, and an address as a
//! whole, have to wait, longer each time. Nobody can lock someone else out from another address.
//!
//! It knows no clock: times are arguments. Memory is bounded; what is forgotten first is what waited longest.

use std::{collections::HashMap, net::IpAddr, sync::Mutex};

use tidegate_model::time::Timestamp;

/// Failures that cost nothing: people mistype.
const FREE_FAILURES: u32 = 5;
/// Failures of an address over all names that cost nothing; several people may share an address.
const FREE_FAILURES_OF_ADDRESS: u32 = 50;
/// The first wait, in milliseconds; it doubles with each further failure.
const FIRST_WAIT_MILLIS: i64 = 1_000;
/// The longest wait, in milliseconds.
const LONGEST_WAIT_MILLIS: i64 = 15 * 60_000;
/// Entries kept; one is about a hundred bytes.
const ENTRIES_MAX: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Who {
    NameFrom(String, IpAddr),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
    blocked_until: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct SignInThrottle(Mutex<HashMap<Who, Failures>>);

impl SignInThrottle {
    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<Who, Failures>> {
        // Never held across an await; a panic inside leaves a map that is still a map.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Seconds to wait before the next try, if any.
    pub(crate) fn wait(&self, username: &str, address: IpAddr, now: Timestamp) -> Option<u64> {
        let entries = self.entries();
        let until = keys(username, address)
            .iter()
            .filter_map(|(who, _)| entries.get(who))
            .map(|failures| failures.blocked_until)
            .max()?;
        let left = until.millis() - now.millis();
        (left > 0).then(|| u64::try_from(left).unwrap_or_default().div_ceil(1_000))
    }

    /// A try failed.
    pub(crate) fn failed(&self, username: &str, address: IpAddr, now: Timestamp) {
        let mut entries = self.entries();
        if entries.len() >= ENTRIES_MAX {
            forget(&mut entries, now);
        }
        for (who, free) in keys(username, address) {
            let nothing = Failures { count: 0, last: now, blocked_until: now };
            let failures = entries.entry(who).or_insert(nothing);
            if now.millis() - failures.last.millis() > LONGEST_WAIT_MILLIS {
                *failures = nothing;
            }
            failures.count += 1;
            failures.last = now;
            if failures.count >= free {
                let doublings = (failures.count - free).min(16);
                let wait = FIRST_WAIT_MILLIS.saturating_mul(1 << doublings).min(LONGEST_WAIT_MILLIS);
                failures.blocked_until = now.plus_millis(wait);
            }
        }
    }

    /// A try succeeded: the name's own count from this address begins anew.
    pub(crate) fn succeeded(&self, username: &str, address: IpAddr) {
        let [(name, _), _] = keys(username, address);
        self.entries().remove(&name);
    }
}

fn keys(username: &str, address: IpAddr) -> [(Who, u32); 2] {
    [
        (Who::NameFrom(username.to_ascii_lowercase(), address), FREE_FAILURES),
        (Who::Address(address), FREE_FAILURES_OF_ADDRESS),
    ]
}

fn forget(entries: &mut HashMap<Who, Failures>, now: Timestamp) {
    entries.retain(|_, failures| failures.blocked_until > now);
    if entries.len() >= ENTRIES_MAX {
        let mut ends: Vec<_> = entries.values().map(|failures| failures.blocked_until).collect();
        ends.sort_unstable();
        let middle = ends[ends.len() / 2];
        entries.retain(|_, failures| failures.blocked_until > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    #[test]
    fn waits_double_after_the_free_failures_and_concern_one_address() {
        let throttle = SignInThrottle::default();
        let mut now = Timestamp(1_000_000);
        for _ in 1..FREE_FAILURES {
            throttle.failed("Anna", HERE, now);
            assert_eq!(throttle.wait("anna", HERE, now), None);
        }
        for expected in [1, 2, 4, 8] {
            throttle.failed("anna", HERE, now);
            assert_eq!(throttle.wait("ANNA", HERE, now), Some(expected));
            now = now.plus_millis(i64::try_from(expected).unwrap() * 1_000);
            assert_eq!(throttle.wait("anna", HERE, now), None);
        }
        assert_eq!(throttle.wait("anna", THERE, now), None, "nobody is locked out from elsewhere");
        throttle.succeeded("anna", HERE);
        throttle.failed("anna", HERE, now);
        assert_eq!(throttle.wait("anna", HERE, now), None, "a success begins anew");
    }

    #[test]
    fn an_address_that_tries_many_names_waits_and_memory_is_bounded() {
        let throttle = SignInThrottle::default();
        let now = Timestamp(1_000_000);
        for number in 0..ENTRIES_MAX + 100 {
            throttle.failed(&format!("user{number}"), HERE, now);
        }
        assert_eq!(throttle.wait("someone", HERE, now), Some(900));
        assert!(throttle.entries().len() <= ENTRIES_MAX + 1);
    }
}
