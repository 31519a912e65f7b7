//! Targets: how one gateway finds the addresses of the endpoints that it serves.
//!
//! A gateway tells it over the link, at a slow pace and when something has changed; the control plane adds it up. It
//! does not know how an address is checked.

use serde::{Deserialize, Serialize};

use crate::{endpoint::Environment, id::ApiId, time::Timestamp};

/// Whether an address gets sessions, as one gateway finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TargetState {
    /// It does.
    Up,
    /// It failed sessions too often and is left alone for a while.
    Suspended {
        /// How long it still is, from the moment that this was told.
        left_ms: u32,
    },
    /// It failed its health checks.
    Unhealthy,
}

/// A check that an address passed or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastCheck {
    /// When it ended.
    pub at: Timestamp,
    /// Whether the backend answered 101 in time.
    pub ok: bool,
}

/// One address of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetFacts {
    /// Whose endpoint.
    pub api: ApiId,
    /// Which one.
    pub environment: Environment,
    /// The address.
    pub url: String,
    /// Whether it gets sessions.
    pub state: TargetState,
    /// Sessions that it failed in a row.
    pub failures: u32,
    /// Sessions open now, of every API with this address.
    pub open: u32,
    /// None yet, or none at all.
    pub last_check: Option<LastCheck>,
}
