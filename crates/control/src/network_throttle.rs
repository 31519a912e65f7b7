//! How often something may be done that costs: a few times from one network, and not many from everywhere, in each window.
//!
//! It knows no clock: times are arguments. Memory is bounded by what is let through.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tidegate_model::{network::Neighbour, time::Timestamp};

/// How often, and in what time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Often {
    /// From one network in a window: several people may share an address.
    pub(crate) of_network: u32,
    /// From everywhere in a window.
    pub(crate) of_all: u32,
    /// A window's length, in milliseconds.
    pub(crate) window: i64,
}

#[derive(Debug)]
struct Window {
    begun: Timestamp,
    all: u32,
    of_network: HashMap<Neighbour, u32>,
}

#[derive(Debug)]
pub(crate) struct NetworkThrottle {
    often: Often,
    window: Mutex<Window>,
}

impl NetworkThrottle {
    pub(crate) fn new(often: Often) -> Self {
        let window = Window { begun: Timestamp(0), all: 0, of_network: HashMap::new() };
        Self { often, window: Mutex::new(window) }
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        // Never held across an await; a panic inside leaves counts that are still counts.
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody does it.
    ///
    /// # Errors
    /// The seconds to wait; this one does not take place and does not count.
    pub(crate) fn attempt(&self, address: IpAddr, now: Timestamp) -> Result<(), u64> {
        let Often { of_network, of_all, window: length } = self.often;
        let mut window = self.window();
        if now.millis() - window.begun.millis() >= length {
            *window = Window { begun: now, all: 0, of_network: HashMap::new() };
        }
        let network = Neighbour::from(address);
        let own = window.of_network.get(&network).copied().unwrap_or_default();
        if own >= of_network || window.all >= of_all {
            let left = window.begun.millis() + length - now.millis();
            return Err(u64::try_from(left).unwrap_or_default().div_ceil(1_000));
        }
        window.all += 1;
        window.of_network.insert(network, own + 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const OFTEN: Often = Often { of_network: 10, of_all: 100, window: HOUR };

    #[test]
    fn one_network_is_let_through_a_few_times_in_a_window_and_others_go_on() {
        let throttle = NetworkThrottle::new(OFTEN);
        let six = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        let start = Timestamp(HOUR * 500);
        for number in 0..OFTEN.of_network {
            assert_eq!(throttle.attempt(six(u16::try_from(number).unwrap()), start), Ok(()));
        }
        assert_eq!(throttle.attempt(six(99), start.plus_millis(1_500)), Err(3_599));
        assert_eq!(throttle.attempt(IpAddr::from([192, 0, 2, 1]), start), Ok(()));
        assert_eq!(throttle.attempt(six(99), start.plus_millis(HOUR)), Ok(()));
    }

    #[test]
    fn many_networks_together_are_let_through_a_bounded_number_of_times() {
        let throttle = NetworkThrottle::new(OFTEN);
        let start = Timestamp(HOUR * 500);
        let passed = (0..1_000_u32).filter(|number| {
            let address = IpAddr::from(std::net::Ipv4Addr::from_bits(*number));
            throttle.attempt(address, start).is_ok()
        });
        assert_eq!(passed.count(), usize::try_from(OFTEN.of_all).unwrap());
        assert!(throttle.window().of_network.len() <= usize::try_from(OFTEN.of_all).unwrap());
    }
}
