//! The gateway's two clocks: monotonic time for deadlines, kept here, and the wall clock for windows and expiry,
//! which is a port.
//!
//! The only place that reads the system's monotonic clock; workers read it once per turn of their loop.

use std::time::Instant;

use tidegate_wire::Micros;

/// Microseconds since the gateway started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Monotonic(Instant);

impl Monotonic {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Micros {
        Micros::from(self.0.elapsed())
    }
}
