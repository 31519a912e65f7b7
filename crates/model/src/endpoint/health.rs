//! Active health checks: a gateway asks each address by itself, so that no client has to find out.

use serde::{Deserialize, Serialize};

use super::Bounds;

/// Time from one check to the next; 0: no checks. Off unless asked for: a check is a handshake that the backend sees.
pub const INTERVAL: Bounds = Bounds { default: 0, min: 0, max: 3_600_000 };
/// The least interval of checks that are on.
pub const INTERVAL_MIN: u32 = 100;
/// Time for a whole check, from the connection to the 101: what the connect timeout allows and a little more.
pub const TIMEOUT: Bounds = Bounds { default: 5_000, min: 10, max: 60_000 };
/// Checks that fail in a row before an address gets no sessions. Two: one lost packet is not an outage.
pub const UNHEALTHY_AFTER: Bounds = Bounds { default: 2, min: 1, max: 100 };
/// Checks that succeed in a row before it gets sessions again. Two: a backend that restarts may answer once too early.
pub const HEALTHY_AFTER: Bounds = Bounds { default: 2, min: 1, max: 100 };

/// See the module. Times are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct HealthCheck {
    /// See [`INTERVAL`].
    pub interval_ms: u32,
    /// See [`TIMEOUT`].
    pub timeout_ms: u32,
    /// See [`UNHEALTHY_AFTER`].
    pub unhealthy_after: u32,
    /// See [`HEALTHY_AFTER`].
    pub healthy_after: u32,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            interval_ms: INTERVAL.default,
            timeout_ms: TIMEOUT.default,
            unhealthy_after: UNHEALTHY_AFTER.default,
            healthy_after: HEALTHY_AFTER.default,
        }
    }
}

impl HealthCheck {
    /// Whether addresses are checked at all.
    pub const fn is_on(&self) -> bool {
        self.interval_ms > 0
    }
}
