//! Endpoints as REST takes and gives them.

use serde::{Deserialize, Serialize};
use tidegate_model::{
    endpoint::{self, Balance, Endpoint, Endpoints, Suspension},
    rule::FieldProblem,
};
use utoipa::ToSchema;

use crate::problem::Problem;

/// When an address that fails is left alone; what is absent takes its default.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SuspensionInput {
    /// Failures in a row; 0: never.
    after_failures: Option<u32>,
    /// Milliseconds of the first suspension; it doubles with each further failure.
    first_ms: Option<u32>,
    /// Milliseconds of the longest suspension.
    max_ms: Option<u32>,
}

/// An endpoint as it is given: what is absent takes its default.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointInput {
    /// `ws://` or `wss://` address of the backend.
    #[schema(example = "ws://localhost:9098")]
    url: String,
    /// Further addresses of the same backend, up to 15.
    #[serde(default)]
    others: Vec<String>,
    /// How an address is chosen: `round_robin`, `failover`, `least_connections` or `sticky_client`.
    #[schema(example = "round_robin")]
    balance: Option<String>,
    #[serde(default)]
    suspension: SuspensionInput,
    /// Milliseconds to open the connection.
    connect_timeout_ms: Option<u32>,
    /// Milliseconds for the backend to answer the handshake.
    handshake_timeout_ms: Option<u32>,
    /// Milliseconds without any frame after which a session is closed.
    idle_timeout_ms: Option<u32>,
    /// Milliseconds of silence after which a side is asked with a Ping; 0: never.
    ping_interval_ms: Option<u32>,
    /// Milliseconds that the answer may take.
    pong_timeout_ms: Option<u32>,
    /// Milliseconds after which a session is closed whatever it does; 0: never.
    lifetime_max_ms: Option<u32>,
}

impl EndpointInput {
    /// What is meant; bounds are the business's to check.
    fn meant(self, pointer: &str) -> Result<Endpoint, Problem> {
        let balance = match self.balance.as_deref() {
            None => Balance::default(),
            Some(word) => Balance::parse(word).ok_or_else(|| {
                let detail = "Choose round_robin, failover, least_connections or sticky_client.";
                let pointer = format!("{pointer}/balance");
                Problem::Validation(vec![FieldProblem::new(pointer, "unknown_balance", detail)])
            })?,
        };
        let usual = Suspension::default();
        Ok(Endpoint {
            url: self.url,
            others: self.others,
            balance,
            suspension: Suspension {
                after_failures: self.suspension.after_failures.unwrap_or(usual.after_failures),
                first_ms: self.suspension.first_ms.unwrap_or(usual.first_ms),
                max_ms: self.suspension.max_ms.unwrap_or(usual.max_ms),
            },
            connect_timeout_ms: self.connect_timeout_ms.unwrap_or(endpoint::CONNECT_TIMEOUT.default),
            handshake_timeout_ms: self.handshake_timeout_ms.unwrap_or(endpoint::HANDSHAKE_TIMEOUT.default),
            idle_timeout_ms: self.idle_timeout_ms.unwrap_or(endpoint::IDLE_TIMEOUT.default),
            ping_interval_ms: self.ping_interval_ms.unwrap_or(endpoint::PING_INTERVAL.default),
            pong_timeout_ms: self.pong_timeout_ms.unwrap_or(endpoint::PONG_TIMEOUT.default),
            lifetime_max_ms: self.lifetime_max_ms.unwrap_or(endpoint::LIFETIME.default),
        })
    }
}

/// The endpoints of an API as they are given.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointsInput {
    /// For production keys.
    production: Option<EndpointInput>,
    /// For sandbox keys.
    sandbox: Option<EndpointInput>,
}

impl EndpointsInput {
    /// What is meant.
    pub(crate) fn meant(self) -> Result<Endpoints, Problem> {
        let one = |given: Option<EndpointInput>, pointer| given.map(|given| given.meant(pointer)).transpose();
        Ok(Endpoints {
            production: one(self.production, "/endpoints/production")?,
            sandbox: one(self.sandbox, "/endpoints/sandbox")?,
        })
    }
}

/// When an address that fails is left alone.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Suspension)]
pub(crate) struct SuspensionAnswer {
    after_failures: u32,
    first_ms: u32,
    max_ms: u32,
}

/// An endpoint with all its settings.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Endpoint)]
pub(crate) struct EndpointAnswer {
    url: String,
    /// Further addresses of the same backend.
    others: Vec<String>,
    /// `round_robin`, `failover`, `least_connections` or `sticky_client`.
    balance: &'static str,
    suspension: SuspensionAnswer,
    connect_timeout_ms: u32,
    handshake_timeout_ms: u32,
    idle_timeout_ms: u32,
    ping_interval_ms: u32,
    pong_timeout_ms: u32,
    lifetime_max_ms: u32,
}

impl From<Endpoint> for EndpointAnswer {
    fn from(endpoint: Endpoint) -> Self {
        let Suspension { after_failures, first_ms, max_ms } = endpoint.suspension;
        Self {
            url: endpoint.url,
            others: endpoint.others,
            balance: endpoint.balance.as_str(),
            suspension: SuspensionAnswer { after_failures, first_ms, max_ms },
            connect_timeout_ms: endpoint.connect_timeout_ms,
            handshake_timeout_ms: endpoint.handshake_timeout_ms,
            idle_timeout_ms: endpoint.idle_timeout_ms,
            ping_interval_ms: endpoint.ping_interval_ms,
            pong_timeout_ms: endpoint.pong_timeout_ms,
            lifetime_max_ms: endpoint.lifetime_max_ms,
        }
    }
}

/// The endpoints of an API; an absent one is not declared.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Endpoints)]
pub(crate) struct EndpointsAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    production: Option<EndpointAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<EndpointAnswer>,
}

impl From<Endpoints> for EndpointsAnswer {
    fn from(endpoints: Endpoints) -> Self {
        Self {
            production: endpoints.production.map(EndpointAnswer::from),
            sandbox: endpoints.sandbox.map(EndpointAnswer::from),
        }
    }
}
