//! Sign-ins that fail, counted by what, whom, from where and minute until they are written to the audit log.
//!
//! A stranger can fail without end, so memory, rows and writes are bounded: what is the same within a minute is one
//! entry, many addresses within one count are one without an address, and the log is written once in a while.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tidegate_model::{
    audit::{Attempt, Attempted},
    command::{Command, KeepAudit},
    id::UserId,
    time::Timestamp,
    user::Actor,
};

use crate::{
    problem::Problem,
    state::{Control, Inner},
};

/// Different attempts that are remembered between two writes; what comes beyond is counted without its address.
const ATTEMPTS_MAX: usize = 256;
/// Between two writes: what a power cut may take with it.
const PAUSE: Duration = Duration::from_secs(30);
/// Writes after which the log is also looked through for what is old: once an hour.
const FORGET_EVERY: u32 = 120;

#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<Attempt, u64>>);

impl Attempts {
    fn counts(&self) -> MutexGuard<'_, HashMap<Attempt, u64>> {
        // Never held across an await; a panic inside leaves a map that is still a map.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more of these.
    pub(crate) fn count(
        &self,
        what: Attempted,
        user: Option<(UserId, String)>,
        address: IpAddr,
        now: Timestamp,
    ) {
        let mut counts = self.counts();
        let mut attempt = Attempt { what, user, address: Some(address), minute: now.minute() };
        if counts.len() >= ATTEMPTS_MAX && !counts.contains_key(&attempt) {
            attempt = Attempt { user: None, address: None, ..attempt };
        }
        *counts.entry(attempt).or_default() += 1;
    }

    fn take(&self) -> Vec<(Attempt, u64)> {
        self.counts().drain().collect()
    }

    /// What could not be written waits for the next time.
    fn give_back(&self, taken: Vec<(Attempt, u64)>) {
        let mut counts = self.counts();
        for (attempt, times) in taken {
            *counts.entry(attempt).or_default() += times;
        }
    }
}

impl Inner {
    /// Writes what has been counted.
    pub(crate) async fn write_attempts(&self) -> Result<(), Problem> {
        let attempts = self.attempts.take();
        if attempts.is_empty() {
            return Ok(());
        }
        self.keep_audit(attempts, false).await
    }

    async fn keep_audit(&self, attempts: Vec<(Attempt, u64)>, forget: bool) -> Result<(), Problem> {
        let command = Command::KeepAudit(KeepAudit { attempts: attempts.clone(), forget });
        let kept = self.execute(&Actor::product(), command).await;
        if kept.is_err() {
            self.attempts.give_back(attempts);
        }
        kept.map(drop)
    }
}

impl Control {
    /// Writes attempts, and what was used last, once in a while, for as long as it is polled.
    pub(crate) async fn keep_writing(&self) -> Infallible {
        let mut round = 0_u32;
        loop {
            let inner = Arc::clone(&self.0);
            // Whatever fails was logged, and is tried again.
            let _ = if round.is_multiple_of(FORGET_EVERY) {
                inner.keep_audit(inner.attempts.take(), true).await
            } else {
                inner.write_attempts().await
            };
            let _ = inner.write_seen().await;
            round = round.wrapping_add(1);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_do_costs_bounded_memory_and_every_attempt_counts() {
        let attempts = Attempts::default();
        for number in 0..10_000_u32 {
            let address = IpAddr::from(std::net::Ipv4Addr::from_bits(number));
            attempts.count(Attempted::UnknownName, None, address, Timestamp(60_000));
        }
        let taken = attempts.take();
        assert_eq!(taken.len(), ATTEMPTS_MAX + 1);
        assert_eq!(taken.iter().map(|(_, times)| times).sum::<u64>(), 10_000);
        assert!(attempts.take().is_empty());
    }

    #[test]
    fn the_same_within_a_minute_is_one() {
        let attempts = Attempts::default();
        let here = IpAddr::from([127, 0, 0, 1]);
        for millis in [0, 1, 59_999, 60_000] {
            attempts.count(Attempted::LockedOut, None, here, Timestamp(millis));
        }
        let mut times: Vec<_> =
            attempts.take().into_iter().map(|(attempt, times)| (attempt.minute.millis(), times)).collect();
        times.sort_unstable();
        assert_eq!(times, [(0, 3), (60_000, 1)]);
    }
}
