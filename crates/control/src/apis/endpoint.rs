//! Endpoints as REST takes and gives them.

use serde::{Deserialize, Serialize};
use tidegate_model::{
    endpoint::{self, Balance, Endpoint, Endpoints, HealthCheck, Suspension},
    rule::FieldProblem,
};
use utoipa::ToSchema;

use super::credential::{CredentialAnswer, CredentialInput, TlsAnswer, TlsInput};
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

/// When addresses are asked without a client; what is absent takes its default.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HealthCheckInput {
    /// Milliseconds from one check to the next; 0: no checks.
    interval_ms: Option<u32>,
    /// Milliseconds that a check may take.
    timeout_ms: Option<u32>,
    /// Checks that fail in a row before an address gets no sessions.
    unhealthy_after: Option<u32>,
    /// Checks that succeed in a row before it gets sessions again.
    healthy_after: Option<u32>,
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
    /// How an address is chosen: `round_robin`, `failover`, `least_connections`, `sticky_client` or
    /// `sticky_header`.
    #[schema(example = "round_robin")]
    balance: Option<String>,
    /// The header by whose value `sticky_header` chooses.
    #[serde(default)]
    sticky_header: String,
    #[serde(default)]
    suspension: SuspensionInput,
    #[serde(default)]
    health: HealthCheckInput,
    #[serde(default)]
    tls: TlsInput,
    #[serde(default)]
    credential: CredentialInput,
    /// Milliseconds to look the name up and open the connection.
    connect_timeout_ms: Option<u32>,
    /// Milliseconds for the TLS handshake of a `wss` address.
    tls_timeout_ms: Option<u32>,
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
                let detail =
                    "Choose round_robin, failover, least_connections, sticky_client or sticky_header.";
                let pointer = format!("{pointer}/balance");
                Problem::Validation(vec![FieldProblem::new(pointer, "unknown_balance", detail)])
            })?,
        };
        let usual = Suspension::default();
        let checks = HealthCheck::default();
        Ok(Endpoint {
            url: self.url,
            others: self.others,
            balance,
            sticky_header: self.sticky_header,
            suspension: Suspension {
                after_failures: self.suspension.after_failures.unwrap_or(usual.after_failures),
                first_ms: self.suspension.first_ms.unwrap_or(usual.first_ms),
                max_ms: self.suspension.max_ms.unwrap_or(usual.max_ms),
            },
            health: HealthCheck {
                interval_ms: self.health.interval_ms.unwrap_or(checks.interval_ms),
                timeout_ms: self.health.timeout_ms.unwrap_or(checks.timeout_ms),
                unhealthy_after: self.health.unhealthy_after.unwrap_or(checks.unhealthy_after),
                healthy_after: self.health.healthy_after.unwrap_or(checks.healthy_after),
            },
            tls: Box::new(self.tls.into()),
            credential: Box::new(self.credential.into()),
            tls_timeout_ms: self.tls_timeout_ms.unwrap_or(endpoint::TLS_TIMEOUT.default),
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

/// When addresses are asked without a client.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = HealthCheck)]
pub(crate) struct HealthCheckAnswer {
    interval_ms: u32,
    timeout_ms: u32,
    unhealthy_after: u32,
    healthy_after: u32,
}

/// An endpoint with all its settings but its secrets.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Endpoint)]
pub(crate) struct EndpointAnswer {
    url: String,
    /// Further addresses of the same backend.
    others: Vec<String>,
    /// `round_robin`, `failover`, `least_connections`, `sticky_client` or `sticky_header`.
    balance: &'static str,
    sticky_header: String,
    suspension: SuspensionAnswer,
    health: HealthCheckAnswer,
    tls: TlsAnswer,
    credential: CredentialAnswer,
    connect_timeout_ms: u32,
    tls_timeout_ms: u32,
    handshake_timeout_ms: u32,
    idle_timeout_ms: u32,
    ping_interval_ms: u32,
    pong_timeout_ms: u32,
    lifetime_max_ms: u32,
}

impl From<Endpoint> for EndpointAnswer {
    fn from(endpoint: Endpoint) -> Self {
        let Suspension { after_failures, first_ms, max_ms } = endpoint.suspension;
        let HealthCheck { interval_ms, timeout_ms, unhealthy_after, healthy_after } = endpoint.health;
        Self {
            url: endpoint.url,
            others: endpoint.others,
            balance: endpoint.balance.as_str(),
            sticky_header: endpoint.sticky_header,
            suspension: SuspensionAnswer { after_failures, first_ms, max_ms },
            health: HealthCheckAnswer { interval_ms, timeout_ms, unhealthy_after, healthy_after },
            tls: (*endpoint.tls).into(),
            credential: (*endpoint.credential).into(),
            connect_timeout_ms: endpoint.connect_timeout_ms,
            tls_timeout_ms: endpoint.tls_timeout_ms,
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
