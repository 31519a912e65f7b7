//! *Test endpoint*: a real handshake with a backend, through the gateway's own dial, reported step by step.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tidegate_model::{
    endpoint::Endpoint,
    port::{ProbeReport, ProbeRequest},
    role::Permission,
    rule::{self, FieldProblem},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::read::viewed;
use crate::{
    authenticate::Caller,
    body::{Answer, InPath, Json},
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
};

/// What to try. Without `url` the API's own endpoint is tried; with it the saved trust and credential go along only
/// where scheme, host and port are those of the endpoint.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProbeRequest)]
pub(crate) struct EndpointTest {
    /// `production` or `sandbox`; the first declared when absent.
    environment: Option<String>,
    /// An address that is not saved yet.
    url: Option<String>,
    connect_timeout_ms: Option<u32>,
    tls_timeout_ms: Option<u32>,
    handshake_timeout_ms: Option<u32>,
}

/// How one step went.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProbeStep)]
pub(crate) struct ProbeStepAnswer {
    /// `parse`, `credential` (a token is asked for), `resolve`, `connect`, `tls`, `handshake` or `ping`.
    step: &'static str,
    ok: bool,
    millis: f64,
    detail: String,
}

/// What a test found: the steps up to the first that failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProbeReport)]
pub(crate) struct ProbeAnswer {
    url: String,
    /// `ok` or `failed`.
    outcome: &'static str,
    steps: Vec<ProbeStepAnswer>,
    /// What to try next; null when it went well.
    #[schema(required)]
    advice: Option<String>,
}

fn answer(url: String, report: ProbeReport) -> ProbeAnswer {
    let outcome = if report.is_ok() { "ok" } else { "failed" };
    let step = |step: tidegate_model::port::ProbeStepReport| ProbeStepAnswer {
        step: step.step.as_str(),
        ok: step.ok,
        // Microseconds of a test fit a double exactly.
        millis: u32::try_from(step.micros).map_or(f64::from(u32::MAX), f64::from) / 1_000.0,
        detail: step.detail,
    };
    ProbeAnswer { url, outcome, steps: report.steps.into_iter().map(step).collect(), advice: report.advice }
}

async fn probe(inner: &Inner, endpoint: Endpoint) -> Result<Answer<ProbeAnswer>, Problem> {
    let mut problems = Vec::new();
    rule::endpoint("", &endpoint, &mut problems);
    if !problems.is_empty() {
        return Err(Problem::Validation(problems));
    }
    let url = endpoint.url.clone();
    let report = inner.ports.probe.probe(ProbeRequest { endpoint }).await;
    Ok(Answer(answer(url, report)))
}

impl EndpointTest {
    fn timed(&self, saved: Endpoint) -> Endpoint {
        Endpoint {
            connect_timeout_ms: self.connect_timeout_ms.unwrap_or(saved.connect_timeout_ms),
            tls_timeout_ms: self.tls_timeout_ms.unwrap_or(saved.tls_timeout_ms),
            handshake_timeout_ms: self.handshake_timeout_ms.unwrap_or(saved.handshake_timeout_ms),
            ..saved
        }
    }

    /// What is meant, beside what is saved; `None`: nothing is.
    fn meant(&self, saved: Option<Endpoint>) -> Option<Endpoint> {
        let saved = match (&self.url, saved) {
            (None, saved) => saved?,
            (Some(url), Some(saved)) => saved.at(url),
            (Some(url), None) => Endpoint::new(url),
        };
        Some(self.timed(saved))
    }
}

/// Try an endpoint before an API exists
#[utoipa::path(post, path = "/endpoints/test", tag = "apis", operation_id = "testEndpoint", request_body = EndpointTest,
    responses((status = 200, body = ProbeAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn url(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<EndpointTest>,
) -> Result<Answer<ProbeAnswer>, Problem> {
    caller.may(Permission::ApiCreate)?;
    let missing =
        || Problem::Validation(vec![FieldProblem::new("/url", "required", "Enter an address to try.")]);
    probe(&inner, input.meant(None).ok_or_else(missing)?).await
}

/// Try an endpoint of an API
#[utoipa::path(post, path = "/apis/{id}/endpoints/test", tag = "apis", operation_id = "testApiEndpoint",
    request_body = EndpointTest, params(("id" = Uuid, Path)),
    responses((status = 200, body = ProbeAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn of_api(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    Json(input): Json<EndpointTest>,
) -> Result<Answer<ProbeAnswer>, Problem> {
    caller.may_either(Permission::ApiCreate, Permission::ApiPublish)?;
    let api = viewed(&inner, &caller, id).await?;
    let endpoints = api.design.endpoints;
    let saved = match input.environment.as_deref() {
        None => endpoints.production.or(endpoints.sandbox),
        Some("production") => endpoints.production,
        Some("sandbox") => endpoints.sandbox,
        Some(_) => {
            let detail = "Choose production or sandbox.";
            let problem = FieldProblem::new("/environment", "unknown_environment", detail);
            return Err(Problem::Validation(vec![problem]));
        }
    };
    let endpoint = input.meant(saved);
    let missing = || Problem::Conflict("This environment has no endpoint to try. Add one first.".to_owned());
    probe(&inner, endpoint.ok_or_else(missing)?).await
}
