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
/// Silence of one side after which the gateway asks it with a Ping; 0: never. Off unless asked for: most clients and
/// backends have a heartbeat of their own, and one that has none may be a device that pays for each byte.
pub const PING_INTERVAL: Bounds = Bounds { default: 0, min: 0, max: 86_400_000 };
/// Time to answer a Ping (or to say anything else) before a side counts as gone: the slowest round trip of a mobile
/// network and then some.
pub const PONG_TIMEOUT: Bounds = Bounds { default: 10_000, min: 100, max: 600_000 };
/// The longest life of a session; 0: none. Off unless asked for: nobody likes to be cut off.
pub const LIFETIME: Bounds = Bounds { default: 0, min: 0, max: 604_800_000 };
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

/// Addresses of one endpoint, the first included: more are better balanced by a name with several addresses.
pub const TARGETS_MAX: usize = 16;
/// Failures in a row after which a target is suspended. One is what the specification's product counts; a target
/// that refuses one connection in a hundred would then be out most of the time.
pub const SUSPEND_AFTER: Bounds = Bounds { default: 3, min: 0, max: 100 };
/// The first suspension. Thirty seconds is the specification's default.
pub const SUSPEND_FIRST: Bounds = Bounds { default: 30_000, min: 100, max: 3_600_000 };
/// The longest suspension, reached by doubling: five minutes keep a target that came back out for no longer.
pub const SUSPEND_MAX: Bounds = Bounds { default: 300_000, min: 100, max: 86_400_000 };

/// How a target is chosen where an endpoint has several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// The first that works; the others are for when it does not.
    Failover,
    /// In turn.
    #[default]
    RoundRobin,
    /// The one with the fewest open sessions of this gateway.
    LeastConnections,
    /// The same for all sessions from one client address, as long as it works.
    StickyClient,
}

impl Balance {
    /// All, in the order a page shows them.
    pub const ALL: [Self; 4] = [Self::Failover, Self::RoundRobin, Self::LeastConnections, Self::StickyClient];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failover => "failover",
            Self::RoundRobin => "round_robin",
            Self::LeastConnections => "least_connections",
            Self::StickyClient => "sticky_client",
        }
    }

    /// The balance of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// When a target that fails is left alone for a while, as long as another is left. Times are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Suspension {
    /// See [`SUSPEND_AFTER`]; 0: never.
    pub after_failures: u32,
    /// See [`SUSPEND_FIRST`]; it doubles with each further failure.
    pub first_ms: u32,
    /// See [`SUSPEND_MAX`].
    pub max_ms: u32,
}

impl Default for Suspension {
    fn default() -> Self {
        Self {
            after_failures: SUSPEND_AFTER.default,
            first_ms: SUSPEND_FIRST.default,
            max_ms: SUSPEND_MAX.default,
        }
    }
}

impl Suspension {
    /// How long a target is suspended after so many failures in a row, in milliseconds; 0: not at all.
    pub fn length(self, failures: u32) -> u32 {
        if self.after_failures == 0 || failures < self.after_failures {
            return 0;
        }
        let doublings = failures - self.after_failures;
        let grown = u64::from(self.first_ms) << doublings.min(32);
        u32::try_from(grown).unwrap_or(u32::MAX).min(self.max_ms.max(self.first_ms))
    }
}

/// Backend addresses with their timeouts. All times are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// `ws://` or `wss://` address.
    pub url: String,
    /// Further addresses of the same backend; see [`TARGETS_MAX`].
    #[serde(default)]
    pub others: Vec<String>,
    /// How one of the addresses is chosen.
    #[serde(default)]
    pub balance: Balance,
    /// When an address that fails is left alone.
    #[serde(default)]
    pub suspension: Suspension,
    /// See [`CONNECT_TIMEOUT`].
    pub connect_timeout_ms: u32,
    /// See [`HANDSHAKE_TIMEOUT`].
    pub handshake_timeout_ms: u32,
    /// See [`IDLE_TIMEOUT`].
    pub idle_timeout_ms: u32,
    /// See [`PING_INTERVAL`].
    #[serde(default)]
    pub ping_interval_ms: u32,
    /// See [`PONG_TIMEOUT`].
    #[serde(default = "pong_timeout")]
    pub pong_timeout_ms: u32,
    /// See [`LIFETIME`].
    #[serde(default)]
    pub lifetime_max_ms: u32,
}

/// Of endpoints from before there was one.
const fn pong_timeout() -> u32 {
    PONG_TIMEOUT.default
}

impl Endpoint {
    /// An endpoint with the default timeouts.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            others: Vec::new(),
            balance: Balance::default(),
            suspension: Suspension::default(),
            connect_timeout_ms: CONNECT_TIMEOUT.default,
            handshake_timeout_ms: HANDSHAKE_TIMEOUT.default,
            idle_timeout_ms: IDLE_TIMEOUT.default,
            ping_interval_ms: PING_INTERVAL.default,
            pong_timeout_ms: PONG_TIMEOUT.default,
            lifetime_max_ms: LIFETIME.default,
        }
    }
}

impl Endpoint {
    /// All addresses, the first one first.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.url.as_str()).chain(self.others.iter().map(String::as_str))
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
