//! API policies, `/api-policies`: what all who use an API are held to together, and all who are on one of its topics.
//!
//! Beside `policies.rs`, which says what a policy is in REST.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use tidegate_model::{policy::PolicyKind, role::Permission};

use super::{PlanAnswer, PlanInput};
use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, Json, Tagged},
    list::List,
    problem::{Problem, ProblemDocument},
    state::Control,
};

/// API policies: what APIs and topics may name
#[utoipa::path(get, path = "/api-policies", tag = "plans", operation_id = "listApiPolicies",
    responses((status = 200, body = List<PlanAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<Answer<List<PlanAnswer>>, Problem> {
    caller.may(Permission::ApiView)?;
    inner.policy_list(PolicyKind::Api).await
}

/// Make an API policy
#[utoipa::path(post, path = "/api-policies", tag = "plans", operation_id = "createApiPolicy",
    request_body = PlanInput,
    responses((status = 201, body = PlanAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<PlanInput>,
) -> Result<Created<Answer<PlanAnswer>>, Problem> {
    inner.create_policy(&caller, PolicyKind::Api, input).await
}

/// An API policy
#[utoipa::path(get, path = "/api-policies/{name}", tag = "plans", operation_id = "getApiPolicy",
    params(("name" = String, Path)),
    responses((status = 200, body = PlanAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn one(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(name): InPath<String>,
) -> Result<Tagged<PlanAnswer>, Problem> {
    caller.may(Permission::ApiView)?;
    inner.one_policy(PolicyKind::Api, &name).await
}

/// Change an API policy
///
/// When this is answered, gateways hold the live sessions of all APIs and topics that name it to the new limits. None is closed
/// by the change itself, and a limit whose number changes goes on with what was used in its window.
#[utoipa::path(put, path = "/api-policies/{name}", tag = "plans", operation_id = "updateApiPolicy",
    params(("name" = String, Path), ("If-Match" = String, Header)), request_body = PlanInput,
    responses((status = 200, body = PlanAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn update(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(name): InPath<String>,
    headers: HeaderMap,
    Json(input): Json<PlanInput>,
) -> Result<Tagged<PlanAnswer>, Problem> {
    inner.change_policy(&caller, PolicyKind::Api, &name, &headers, input).await
}

/// Delete an API policy that nothing uses
///
/// A policy that an API or a topic names, in its working copy or live, is not deleted (409).
#[utoipa::path(delete, path = "/api-policies/{name}", tag = "plans", operation_id = "deleteApiPolicy",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(name): InPath<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    inner.delete_policy(&caller, PolicyKind::Api, name, &headers).await
}
