//! Endpoints: where a backend answers, and how long a gateway waits for it.
//!
//! The names and the bounds are shown in the portal and checked by REST; the defaults are argued beside them.

mod credential;
pub mod health;
mod tls;

pub use credential::{CREDENTIAL_BYTES_MAX, Credential};
pub use health::HealthCheck;
pub use tls::{BackendTls, CERTIFICATES_BYTES_MAX};

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::user::Secret;

/// Time to look the name up and open the TCP connection to one address. Five seconds is longer than three lost
/// SYN packets with their retransmissions (1 s + 2 s) and still short enough for a person to wait.
pub const CONNECT_TIMEOUT: Bounds = Bounds { default: 5_000, min: 10, max: 60_000 };
/// Time for the TLS handshake of a `wss` address: three round trips and a slow certificate check.
pub const TLS_TIMEOUT: Bounds = Bounds { default: 5_000, min: 10, max: 60_000 };
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
    /// The same for all sessions whose handshake has the same value of one header, as long as it works; for those
    /// without it as [`Balance::StickyClient`].
    StickyHeader,
}

impl Balance {
    /// All, in the order a page shows them.
    pub const ALL: [Self; 5] =
        [Self::Failover, Self::RoundRobin, Self::LeastConnections, Self::StickyClient, Self::StickyHeader];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failover => "failover",
            Self::RoundRobin => "round_robin",
            Self::LeastConnections => "least_connections",
            Self::StickyClient => "sticky_client",
            Self::StickyHeader => "sticky_header",
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
    /// The header of [`Balance::StickyHeader`].
    #[serde(default)]
    pub sticky_header: String,
    /// When an address that fails is left alone.
    #[serde(default)]
    pub suspension: Suspension,
    /// Whether addresses are asked without a client.
    #[serde(default)]
    pub health: HealthCheck,
    /// How a `wss` backend is trusted.
    #[serde(default)]
    pub tls: Box<BackendTls>,
    /// What the backend is shown.
    #[serde(default)]
    pub credential: Box<Credential>,
    /// See [`CONNECT_TIMEOUT`].
    pub connect_timeout_ms: u32,
    /// See [`TLS_TIMEOUT`].
    #[serde(default = "tls_timeout")]
    pub tls_timeout_ms: u32,
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
const fn tls_timeout() -> u32 {
    TLS_TIMEOUT.default
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
            sticky_header: String::new(),
            suspension: Suspension::default(),
            health: HealthCheck::default(),
            tls: Box::default(),
            credential: Box::default(),
            connect_timeout_ms: CONNECT_TIMEOUT.default,
            tls_timeout_ms: TLS_TIMEOUT.default,
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

impl Endpoint {
    /// Takes the secrets of `before` where none are given for the same credential. A credential is not kept for an
    /// address that did not have it, so that nobody can have one sent to a machine of theirs.
    fn keep_secrets(&mut self, before: &Self) {
        let known: HashSet<_> = before.targets().map(origin).collect();
        if self.targets().all(|url| known.contains(&origin(url))) {
            self.credential.keep_secret(&before.credential);
        }
        self.tls.keep_secret(&before.tls);
    }

    /// The same endpoint at another address alone, for a test of that address. Trust and credential go along where it
    /// has scheme, host and port of one that has them: what is secret is never sent elsewhere.
    #[must_use]
    pub fn at(&self, url: impl Into<String>) -> Self {
        let url = url.into();
        let is_known = self.targets().any(|known| origin(known).is_some_and(|it| Some(it) == origin(&url)));
        let (tls, credential) = if is_known {
            (self.tls.clone(), self.credential.clone())
        } else {
            (Box::default(), Box::default())
        };
        Self { url, others: Vec::new(), tls, credential, ..self.clone() }
    }

    fn secrets_mut(&mut self) -> impl Iterator<Item = &mut Secret> {
        self.credential.secret_mut().into_iter().chain([&mut self.tls.client_key])
    }
}

/// Scheme, host and port.
fn origin(url: &str) -> Option<(String, Option<String>, Option<u16>)> {
    let url = Url::parse(url).ok()?;
    Some((url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default()))
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

    /// Takes the secrets of `before` where none are given: a change never has to repeat them.
    pub fn keep_secrets(&mut self, before: &Self) {
        for (now, before) in
            [(&mut self.production, &before.production), (&mut self.sandbox, &before.sandbox)]
        {
            if let (Some(now), Some(before)) = (now, before) {
                now.keep_secrets(before);
            }
        }
    }

    /// Forgets every secret, for records that others may read.
    pub fn redact(&mut self) {
        self.secrets_mut().for_each(|secret| secret.0.clear());
    }

    /// Every secret, for a store that keeps them sealed. Some may be empty.
    pub fn secrets_mut(&mut self) -> impl Iterator<Item = &mut Secret> {
        self.production.iter_mut().chain(&mut self.sandbox).flat_map(Endpoint::secrets_mut)
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

    /// The environment of this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Production, Self::Sandbox].into_iter().find(|it| it.as_str() == word)
    }
}

#[cfg(test)]
mod tests;
