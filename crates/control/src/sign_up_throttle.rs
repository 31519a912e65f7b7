//! How often people may sign up: a few from one network, and not many from everywhere, in each hour. Each costs a hash of
//! a password, a write and somebody's look.
//!
//! It knows no clock: times are arguments. Memory is bounded by what is let through.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tidegate_model::{network::Neighbour, time::Timestamp};

/// From one network in an hour: several people may share an address.
const OF_NETWORK: u32 = 10;
/// From everywhere in an hour: half of those who can wait at the same time.
const OF_ALL: u32 = 100;
/// In milliseconds.
const HOUR: i64 = 3_600_000;

#[derive(Debug)]
struct Hour {
    begun: Timestamp,
    all: u32,
    of_network: HashMap<Neighbour, u32>,
}

#[derive(Debug)]
pub(crate) struct SignUpThrottle(Mutex<Hour>);

impl Default for SignUpThrottle {
    fn default() -> Self {
        Self(Mutex::new(Hour { begun: Timestamp(0), all: 0, of_network: HashMap::new() }))
    }
}

impl SignUpThrottle {
    fn hour(&self) -> MutexGuard<'_, Hour> {
        // Never held across an await; a panic inside leaves counts that are still counts.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody signs up.
    ///
    /// # Errors
    /// The seconds to wait; this one does not take place and does not count.
    pub(crate) fn attempt(&self, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        let mut hour = self.hour();
        if now.millis() - hour.begun.millis() >= HOUR {
            *hour = Hour { begun: now, all: 0, of_network: HashMap::new() };
        }
        let network = Neighbour::from(address);
        let own = hour.of_network.get(&network).copied().unwrap_or_default();
        if own >= OF_NETWORK || hour.all >= OF_ALL {
            let left = hour.begun.millis() + HOUR - now.millis();
            return Err(u64::try_from(left).unwrap_or_default().div_ceil(1_000));
        }
        hour.all += 1;
        hour.of_network.insert(network, own + 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_is_let_through_a_few_times_an_hour_and_others_go_on() {
        let throttle = SignUpThrottle::default();
        let six = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        let start = Timestamp(HOUR * 500);
        for number in 0..OF_NETWORK {
            assert_eq!(throttle.attempt(six(u16::try_from(number).unwrap()), start), Ok(()));
        }
        assert_eq!(throttle.attempt(six(99), start.plus_millis(1_500)), Err(3_599));
        assert_eq!(throttle.attempt(IpAddr::from([192, 0, 2, 1]), start), Ok(()));
        assert_eq!(throttle.attempt(six(99), start.plus_millis(HOUR)), Ok(()));
    }

    #[test]
    fn many_networks_together_are_let_through_a_bounded_number_of_times() {
        let throttle = SignUpThrottle::default();
        let start = Timestamp(HOUR * 500);
        let passed = (0..1_000_u32).filter(|number| {
            let address = IpAddr::from(std::net::Ipv4Addr::from_bits(*number));
            throttle.attempt(address, start).is_ok()
        });
        assert_eq!(passed.count(), usize::try_from(OF_ALL).unwrap());
        assert!(throttle.hour().of_network.len() <= usize::try_from(OF_ALL).unwrap());
    }
}
