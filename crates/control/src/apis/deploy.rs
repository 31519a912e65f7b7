//! Deployments: making the working copy live, and what was live before.

use axum::{extract::State, http::HeaderMap};
use serde::Serialize;
use tidegate_model::{
    api::Revision,
    command::{Command, Outcome},
    id::ApiId,
    role::Permission,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::read::viewed;
use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, if_match},
    list::List,
    problem::{Problem, ProblemDocument},
    state::Control,
};

/// An immutable copy of a design.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Revision)]
pub(crate) struct RevisionAnswer {
    /// From 1 within the API.
    number: u32,
    created_at: String,
    created_by: String,
    /// Whether gateways serve it now.
    live: bool,
    /// Its endpoints and plans in one line.
    summary: String,
}

impl From<Revision> for RevisionAnswer {
    fn from(revision: Revision) -> Self {
        let endpoints = &revision.design.endpoints;
        let mut parts = Vec::new();
        for (name, endpoint) in [("production", &endpoints.production), ("sandbox", &endpoints.sandbox)] {
            parts.extend(endpoint.as_ref().map(|endpoint| format!("{name} {}", endpoint.url)));
        }
        if !revision.design.plans.is_empty() {
            parts.push(format!("plans {}", revision.design.plans.join(", ")));
        }
        Self {
            number: revision.number,
            created_at: revision.created_at.rfc3339(),
            created_by: revision.created_by,
            live: revision.live,
            summary: parts.join("; "),
        }
    }
}

/// Make the working copy live
#[utoipa::path(post, path = "/apis/{id}/deployments", tag = "apis", operation_id = "deployApi",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 201, body = RevisionAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
) -> Result<Created<Answer<RevisionAnswer>>, Problem> {
    let actor = caller.may_either(Permission::ApiCreate, Permission::ApiPublish)?;
    let command = Command::DeployApi { id: ApiId(id), based_on: if_match(&headers) };
    let Outcome::Revision(revision) = inner.execute(&actor, command).await? else {
        return Err(Problem::Internal("a command answered something else"));
    };
    Ok(Created(format!("/api/v1/apis/{id}/revisions"), Answer((*revision).into())))
}

/// What was live, newest first
#[utoipa::path(get, path = "/apis/{id}/revisions", tag = "apis", operation_id = "listRevisions",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = List<RevisionAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Answer<List<RevisionAnswer>>, Problem> {
    let api = viewed(&inner, &caller, id).await?;
    let revisions = inner.ports.catalog.revisions(api.id).await?;
    Ok(Answer(List::whole(revisions.into_iter().map(RevisionAnswer::from).collect())))
}
