//! The lifecycle of an API: where it is, which moves are possible, and moving it.

use std::str::FromStr as _;

use axum::{extract::State, http::HeaderMap};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    command::{Command, MoveApi, Outcome},
    fact::TrafficOf,
    id::ApiId,
    lifecycle::{Event, State as LifecycleState, missing},
    role::Permission,
    rule::FieldProblem,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    answer::{ApiAnswer, MissingAnswer, api_answer},
    read::viewed,
};
use crate::{
    authenticate::Caller,
    body::{InPath, Json, Tagged, if_match},
    problem::{Problem, ProblemDocument},
    state::Control,
};

/// A move that leaves the present state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Move)]
pub(crate) struct MoveAnswer {
    /// `publish`, `demote`, `prototype`, `block`, `republish`, `deprecate` or `retire`.
    event: &'static str,
    /// The state it leads to.
    to: &'static str,
    /// Whether you may do it and nothing is missing.
    allowed: bool,
    /// What is missing.
    needs: Vec<MissingAnswer>,
    /// What it does, in one sentence.
    effect: &'static str,
    /// Live sessions that it closes.
    sessions_affected: u64,
}

/// A move that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryEntry)]
pub(crate) struct MovedAnswer {
    at: String,
    by: String,
    /// Null for the creation.
    #[schema(required)]
    event: Option<&'static str>,
    #[schema(required)]
    from: Option<&'static str>,
    to: &'static str,
}

/// Where an API is in its life.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lifecycle)]
pub(crate) struct LifecycleAnswer {
    state: &'static str,
    moves: Vec<MoveAnswer>,
    /// Newest first.
    history: Vec<MovedAnswer>,
}

/// The lifecycle of an API
#[utoipa::path(get, path = "/apis/{id}/lifecycle", tag = "apis", operation_id = "getLifecycle",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = LifecycleAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Tagged<LifecycleAnswer>, Problem> {
    let api = viewed(&inner, &caller, id).await?;
    let may = caller.may(Permission::ApiPublish).is_ok();
    let open = inner.feed.open_sessions(TrafficOf::Api(api.id));
    let moves = api.state.moves().iter().map(|(event, to)| {
        let needs = missing(&api.design, *event);
        MoveAnswer {
            event: event.as_str(),
            to: to.as_str(),
            allowed: may && needs.is_empty(),
            needs: needs.into_iter().map(MissingAnswer::from).collect(),
            effect: event.effect(),
            sessions_affected: if matches!(event, Event::Block | Event::Retire) { open } else { 0 },
        }
    });
    let history = inner.ports.catalog.moves(api.id).await?.into_iter().map(|moved| MovedAnswer {
        at: moved.at.rfc3339(),
        by: moved.by,
        event: moved.event.map(Event::as_str),
        from: moved.from.map(LifecycleState::as_str),
        to: moved.to.as_str(),
    });
    let answer =
        LifecycleAnswer { state: api.state.as_str(), moves: moves.collect(), history: history.collect() };
    Ok(Tagged(api.etag, answer))
}

/// A move to do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LifecycleChange)]
pub(crate) struct NewMove {
    /// `publish`, `demote`, `prototype`, `block`, `republish`, `deprecate` or `retire`.
    event: String,
    /// On publish: deprecate the other published versions.
    #[serde(default)]
    deprecate_old_versions: bool,
    /// On publish: do not take over the subscriptions of the deprecated version.
    #[serde(default)]
    require_resubscription: bool,
}

/// Move an API through its lifecycle
#[utoipa::path(post, path = "/apis/{id}/lifecycle", tag = "apis", operation_id = "changeLifecycle", request_body = NewMove,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = ApiAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn change(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
    Json(input): Json<NewMove>,
) -> Result<Tagged<ApiAnswer>, Problem> {
    let actor = caller.may(Permission::ApiPublish)?;
    let event = Event::from_str(&input.event).map_err(|_| {
        let detail = "Choose one of publish, demote, prototype, block, republish, deprecate, retire.";
        Problem::Validation(vec![FieldProblem::new("/event", "unknown_event", detail)])
    })?;
    let command = Command::MoveApi(MoveApi {
        id: ApiId(id),
        based_on: if_match(&headers),
        event,
        deprecate_old_versions: input.deprecate_old_versions,
        require_resubscription: input.require_resubscription,
    });
    let Outcome::Api(api) = inner.execute(&actor, command).await? else {
        return Err(Problem::Internal("a command answered something else"));
    };
    Ok(Tagged(api.etag, api_answer(&inner.settings.load(), *api)))
}
