//! Endpoints: where a backend answers, and how long a gateway waits for it.
//!
//! The names and the bounds are shown in the portal and checked by REST; the defaults are argued beside them.

use serde::{Deserialize, Serialize};

/// Time to open the TCP connection (and TLS, for `wss`) to one address. Five seconds is longer than three lost
/// SYN packets with their retransmissions (1 s + 2 s) and still short enough for a person to wait.
pub const CONNECT_TIMEOUT: Bounds = Bounds { default: 5_000, min: 10, max: 60_000 };
/// Time for the backend to answer the WebSocket handshake after the connection is open. Backends that look a
/// user up before they answer need more than a connect does.
pub const HANDSHAKE_TIMEOUT: Bounds = Bounds { default: 10_000, min: 10, max: 60_000 };
/// Time without any frame in either direction after which the session is closed. Fifteen minutes: longer than
/// the ping interval of every common client library, short enough to free the sockets of vanished peers.
pub const IDLE_TIMEOUT: Bounds = Bounds { default: 900_000, min: 100, max: 86_400_000 };
/// Longest URL accepted, in bytes: what common HTTP implementations take as a request line.
pub const URL_BYTES_MAX: usize = 2_048;

/// Default, least and greatest value of a setting, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Used when the setting is not given.
    pub default: u32,
    /// Least value accepted.
    pub min: u32,
    /// Greatest value accepted.
    pub max: u32,
}

/// One backend address with its timeouts. All times are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// `ws://` or `wss://` address.
    pub url: String,
    /// See [`CONNECT_TIMEOUT`].
    pub connect_timeout_ms: u32,
    /// See [`HANDSHAKE_TIMEOUT`].
    pub handshake_timeout_ms: u32,
    /// See [`IDLE_TIMEOUT`].
    pub idle_timeout_ms: u32,
}

impl Endpoint {
    /// An endpoint with the default timeouts.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connect_timeout_ms: CONNECT_TIMEOUT.default,
            handshake_timeout_ms: HANDSHAKE_TIMEOUT.default,
            idle_timeout_ms: IDLE_TIMEOUT.default,
        }
    }
}

/// The endpoints of an API: one for production keys, one for sandbox keys, either may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Endpoints {
    /// Serves sessions of production keys.
    pub production: Option<Endpoint>,
    /// Serves sessions of sandbox keys.
    pub sandbox: Option<Endpoint>,
}

impl Endpoints {
    /// The endpoint that sessions with a key of this type use.
    pub fn of(&self, environment: Environment) -> Option<&Endpoint> {
        match environment {
            Environment::Production => self.production.as_ref(),
            Environment::Sandbox => self.sandbox.as_ref(),
        }
    }

    /// Whether no endpoint is declared at all.
    pub fn is_empty(&self) -> bool {
        self.production.is_none() && self.sandbox.is_none()
    }
}

/// What a key is for, and so which endpoint its sessions reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Real traffic.
    Production,
    /// Trials.
    Sandbox,
}

impl Environment {
    /// The word used in REST, storage and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        }
    }
}
