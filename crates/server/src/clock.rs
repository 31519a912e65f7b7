//! The wall clock and the system's randomness: the only place of the product that asks for either.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use tidegate_model::{
    port::{Clock, Entropy},
    time::Timestamp,
};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let nanos = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
        Timestamp(i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX))
    }
}

/// The cryptography library's generator, seeded by the system.
#[derive(Debug, Clone, Default)]
pub(crate) struct SystemEntropy(SystemRandom);

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0
            .fill(bytes)
            .expect("the library's generator fails only where the system has no randomness at all");
    }
}
