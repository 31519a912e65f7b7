//! Guessing passwords and codes of devices is slowed down: after a few failures in a row a name from an address, a person
//! who types codes, and an address as a whole, have to wait, longer each time. Nobody can lock someone else out from another
//! address.
//!
//! It knows no clock: times are arguments. Memory is bounded; what is forgotten first is what waited longest.

use std::{collections::HashMap, net::IpAddr, sync::Mutex};

use tidegate_model::{id::UserId, network::Neighbour, time::Timestamp};

use crate::room;

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
    NameFrom(String, Neighbour),
    /// From wherever: who types codes is signed in.
    Person(UserId),
    Address(Neighbour),
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
    blocked_until: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct GuessThrottle(Mutex<HashMap<Who, Failures>>);

impl GuessThrottle {
    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<Who, Failures>> {
        // Never held across an await; a panic inside leaves a map that is still a map.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A try begins, and counts as a failure until it [`succeeded`](Self::succeeded): many at once are no way around.
    ///
    /// # Errors
    /// The seconds to wait; the try does not take place and does not count.
    pub(crate) fn attempt(&self, username: &str, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        self.count(of_name(username, address), now)
    }

    /// The same for somebody who types the code of a device, until it [`was_right`](Self::code_was_right).
    ///
    /// # Errors
    /// The seconds to wait.
    pub(crate) fn attempt_code(&self, user: UserId, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        self.count(of_person(user, address), now)
    }

    fn count(&self, keys: Guesser, now: Timestamp) -> Result<(), u64> {
        let mut entries = self.entries();
        let until =
            keys.iter().filter_map(|(who, _)| entries.get(who)).map(|found| found.blocked_until).max();
        let left = until.map_or(0, |until| until.millis() - now.millis());
        if left > 0 {
            return Err(u64::try_from(left).unwrap_or_default().div_ceil(1_000));
        }
        let ends = |failures: &Failures| failures.blocked_until;
        room::make(&mut entries, ENTRIES_MAX, now, ends, ends);
        for (who, free) in keys {
            let nothing = Failures { count: 0, last: now, blocked_until: now };
            let failures = entries.entry(who).or_insert(nothing);
            // From the end of a wait: else whoever sits out the longest would begin anew.
            let free_since = failures.last.max(failures.blocked_until);
            if now.millis() - free_since.millis() > LONGEST_WAIT_MILLIS {
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
        Ok(())
    }

    /// The try succeeded: the name's own count from this address begins anew, and the address has one failure less.
    pub(crate) fn succeeded(&self, username: &str, address: IpAddr) {
        self.forgive(of_name(username, address));
    }

    /// The code was one: the person's own count begins anew, and the address has one failure less.
    pub(crate) fn code_was_right(&self, user: UserId, address: IpAddr) {
        self.forgive(of_person(user, address));
    }

    fn forgive(&self, [(name, _), (whole, free)]: Guesser) {
        let mut entries = self.entries();
        entries.remove(&name);
        if let Some(failures) = entries.get_mut(&whole) {
            failures.count = failures.count.saturating_sub(1);
            if failures.count < free {
                failures.blocked_until = failures.last;
            }
        }
    }
}

/// Whose failures are counted, and how many of each cost nothing.
type Guesser = [(Who, u32); 2];

fn of_name(username: &str, address: IpAddr) -> Guesser {
    let address = Neighbour::from(address);
    [
        (Who::NameFrom(username.to_ascii_lowercase(), address), FREE_FAILURES),
        (Who::Address(address), FREE_FAILURES_OF_ADDRESS),
    ]
}

fn of_person(user: UserId, address: IpAddr) -> Guesser {
    [(Who::Person(user), FREE_FAILURES), (Who::Address(address.into()), FREE_FAILURES_OF_ADDRESS)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    #[test]
    fn waits_double_after_the_free_failures_and_concern_one_address() {
        let throttle = GuessThrottle::default();
        let mut now = Timestamp(1_000_000);
        for name in ["Anna", "anna", "ANNA", "aNNa"] {
            assert_eq!(throttle.attempt(name, HERE, now), Ok(()));
        }
        for expected in [1, 2, 4, 8] {
            assert_eq!(throttle.attempt("anna", HERE, now), Ok(()));
            assert_eq!(throttle.attempt("ANNA", HERE, now), Err(expected));
            assert_eq!(throttle.attempt("anna", HERE, now), Err(expected), "a refused try does not count");
            assert_eq!(throttle.attempt("bert", HERE, now), Ok(()), "others may still sign in from here");
            throttle.succeeded("bert", HERE);
            now = now.plus_millis(i64::try_from(expected).unwrap() * 1_000);
        }
        assert_eq!(throttle.attempt("anna", HERE, now), Ok(()));
        assert_eq!(throttle.attempt("anna", THERE, now), Ok(()), "nobody is locked out from elsewhere");
        throttle.succeeded("anna", HERE);
        assert_eq!(throttle.attempt("anna", HERE, now), Ok(()), "a success begins anew");
    }

    #[test]
    fn whoever_sits_out_the_longest_wait_has_one_try_and_waits_as_long_again() {
        let throttle = GuessThrottle::default();
        let mut now = Timestamp(1_000_000);
        let mut waited = 0;
        for _ in 0..40 {
            if let Err(seconds) = throttle.attempt("anna", HERE, now) {
                waited = seconds;
                // A little late.
                now = now.plus_millis(i64::try_from(seconds).unwrap() * 1_000 + 1);
            }
        }
        assert_eq!(waited, 900);
        assert_eq!(throttle.attempt("anna", HERE, now), Ok(()));
        assert_eq!(throttle.attempt("anna", HERE, now), Err(900));
        // After as long a rest without a try all is forgotten.
        now = now.plus_millis(2 * LONGEST_WAIT_MILLIS + 1);
        for _ in 0..5 {
            assert_eq!(throttle.attempt("anna", HERE, now), Ok(()));
        }
    }

    #[test]
    fn many_tries_at_once_are_counted_before_one_of_them_is_answered() {
        let throttle = GuessThrottle::default();
        let now = Timestamp(1_000_000);
        let let_through = (0..1_000).filter(|_| throttle.attempt("anna", HERE, now).is_ok()).count();
        assert_eq!(let_through, 5);
    }

    #[test]
    fn addresses_of_one_network_of_ipv6_are_one_and_mapped_ones_are_what_they_map() {
        let throttle = GuessThrottle::default();
        let now = Timestamp(1_000_000);
        for host in 1..=5_u16 {
            let address = IpAddr::from([0x2001, 0xdb8, 1, 1, 0, 0, 0, host]);
            assert_eq!(throttle.attempt("anna", address, now), Ok(()));
        }
        assert_eq!(throttle.attempt("anna", IpAddr::from([0x2001, 0xdb8, 1, 1, 9, 9, 9, 9]), now), Err(1));
        assert_eq!(throttle.attempt("anna", IpAddr::from([0x2001, 0xdb8, 1, 2, 0, 0, 0, 1]), now), Ok(()));
        for _ in 0..5 {
            assert_eq!(throttle.attempt("anna", THERE, now), Ok(()));
        }
        assert_eq!(throttle.attempt("anna", "::ffff:10.0.0.1".parse().unwrap(), now), Err(1));
    }

    #[test]
    fn who_types_codes_waits_wherever_they_are() {
        let throttle = GuessThrottle::default();
        let (now, user) = (Timestamp(1_000_000), UserId(uuid::Uuid::from_u128(1)));
        for last in 0..5_u8 {
            assert_eq!(throttle.attempt_code(user, IpAddr::from([10, 0, 0, last]), now), Ok(()));
        }
        assert_eq!(throttle.attempt_code(user, THERE, now), Err(1));
        assert_eq!(throttle.attempt_code(UserId(uuid::Uuid::from_u128(2)), THERE, now), Ok(()));
        assert_eq!(throttle.attempt("anna", THERE, now), Ok(()), "no password was guessed");
        throttle.code_was_right(user, THERE);
        assert_eq!(throttle.attempt_code(user, THERE, now), Ok(()), "a success begins anew");
    }

    #[test]
    fn an_address_that_tries_many_names_waits_and_memory_is_bounded() {
        let throttle = GuessThrottle::default();
        let mut now = Timestamp(1_000_000);
        let tried = (0..1_000).filter(|number| throttle.attempt(&format!("user{number}"), HERE, now).is_ok());
        assert_eq!(tried.count(), 50);
        assert_eq!(throttle.attempt("someone", HERE, now), Err(1));
        for number in 0..u32::try_from(ENTRIES_MAX).unwrap() + 100 {
            now = now.plus_millis(1);
            let _ = throttle.attempt("anna", IpAddr::from(std::net::Ipv4Addr::from_bits(number)), now);
        }
        assert!(throttle.entries().len() <= ENTRIES_MAX + 1);
    }
}
