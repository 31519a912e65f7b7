//! How gateways find the addresses of an API's live endpoints, added up over all gateways.

use axum::extract::State;
use serde::Serialize;
use tidegate_model::{
    endpoint::{Endpoint, Environment},
    target::{LastCheck, TargetFacts, TargetState},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::read::viewed;
use crate::{
    authenticate::Caller,
    body::{Answer, InPath},
    feed::Told,
    problem::{Problem, ProblemDocument},
    state::Control,
};

/// A health check, and whether it was passed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LastCheck)]
pub(crate) struct LastCheckAnswer {
    at: String,
    ok: bool,
}

/// One address, over all gateways.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TargetHealth {
    url: String,
    /// `up`, `suspended`, `unhealthy`, or `unknown` where no gateway has tried or checked it yet. Where gateways find
    /// different things, the worst of them.
    state: &'static str,
    /// Gateways that know something of it.
    gateways: u32,
    /// Those among them that give it sessions.
    up: u32,
    /// Sessions that it failed in a row, on the gateway where it failed most.
    failures: u32,
    /// Seconds until the last gateway tries it again; 0 where it is not suspended.
    suspended_seconds: u32,
    /// Sessions open now, of every API with this address.
    sessions_open: u64,
    /// The newest; null where it was never checked.
    #[schema(required)]
    last_check: Option<LastCheckAnswer>,
}

/// The addresses of the endpoints that are live, in their order. An environment without an endpoint has none.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndpointsHealth {
    production: Vec<TargetHealth>,
    sandbox: Vec<TargetHealth>,
}

/// How gateways find the addresses of an API's live endpoints
///
/// Gateways tell it when something has changed, and not more often than once a second.
#[utoipa::path(get, path = "/apis/{id}/endpoints/health", tag = "apis", operation_id = "getEndpointsHealth",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = EndpointsHealth), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Answer<EndpointsHealth>, Problem> {
    let api = viewed(&inner, &caller, id).await?;
    let told = inner.feed.targets(api.id);
    let live = inner.feed.live_endpoints(api.id);
    let of = |environment| {
        let targets = live.of(environment).into_iter().flat_map(Endpoint::targets);
        targets.map(|url| summed(url, environment, &told, inner.now().millis())).collect()
    };
    Ok(Answer(EndpointsHealth { production: of(Environment::Production), sandbox: of(Environment::Sandbox) }))
}

/// What all gateways told of one address.
fn summed(url: &str, environment: Environment, told: &[Told], now: i64) -> TargetHealth {
    let mut sum = TargetHealth {
        url: url.to_owned(),
        state: "unknown",
        gateways: 0,
        up: 0,
        failures: 0,
        suspended_seconds: 0,
        sessions_open: 0,
        last_check: None,
    };
    let mut newest = None::<LastCheck>;
    for Told { facts, at } in told {
        let TargetFacts { failures, open, last_check, .. } = facts;
        if facts.url != url || facts.environment != environment {
            continue;
        }
        sum.gateways += 1;
        sum.failures = sum.failures.max(*failures);
        sum.sessions_open += u64::from(*open);
        newest = newest.into_iter().chain(*last_check).max_by_key(|check| check.at);
        let left = match facts.state {
            TargetState::Suspended { left_ms } => i64::from(left_ms) - now.saturating_sub(at.millis()),
            TargetState::Up | TargetState::Unhealthy => 0,
        };
        // A suspension ends by itself, and nobody tells.
        let state = match facts.state {
            TargetState::Unhealthy => "unhealthy",
            TargetState::Suspended { .. } if left > 0 => "suspended",
            TargetState::Up | TargetState::Suspended { .. } => "up",
        };
        sum.up += u32::from(state == "up");
        let seconds = u32::try_from(left.max(0).div_euclid(1_000) + i64::from(left % 1_000 > 0));
        sum.suspended_seconds = sum.suspended_seconds.max(seconds.unwrap_or(u32::MAX));
        let rank = |state| ["unknown", "up", "suspended", "unhealthy"].iter().position(|it| *it == state);
        if rank(state) > rank(sum.state) {
            sum.state = state;
        }
    }
    sum.last_check = newest.map(|check| LastCheckAnswer { at: check.at.rfc3339(), ok: check.ok });
    sum
}

#[cfg(test)]
mod tests;
