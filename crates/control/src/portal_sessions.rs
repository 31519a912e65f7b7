//! Portal sessions: where somebody is signed in, and signing out there. One's own at `/account/sessions`, those of
//! others, for administrators, at `/users/{id}/sessions`.

use axum::{extract::State, http::StatusCode};
use serde::Serialize;
use tidegate_model::{
    command::{Command, EndPortalSessions, WhichSessions},
    id::{PortalSessionId, UserId},
    user::PortalSession,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    authenticate::Caller,
    body::{Answer, InPath},
    list::List,
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
};

/// A signed-in browser.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PortalSession)]
pub(crate) struct PortalSessionAnswer {
    id: Uuid,
    /// When it began, RFC 3339.
    created_at: String,
    /// When it was used last, within half a minute.
    seen_at: String,
    /// When it ends.
    expires_at: String,
    /// The address that it began from.
    #[schema(required)]
    address: Option<String>,
    /// What the browser says of itself, shortened.
    browser: String,
    /// The call was made in it.
    current: bool,
}

async fn listed(
    inner: &Inner,
    caller: &Caller,
    user: UserId,
) -> Result<Answer<List<PortalSessionAnswer>>, Problem> {
    inner.write_seen().await?;
    let current = caller.session.as_ref().map(|session| session.id);
    let found = inner.ports.catalog.portal_sessions(user, inner.now()).await?;
    let items = found.into_iter().map(|session: PortalSession| PortalSessionAnswer {
        id: session.id.0,
        created_at: session.created_at.rfc3339(),
        seen_at: session.seen_at.rfc3339(),
        expires_at: session.expires_at.rfc3339(),
        address: session.address.map(|address| address.to_string()),
        browser: session.browser,
        current: current == Some(session.id),
    });
    Ok(Answer(List::whole(items.collect())))
}

async fn ended(
    inner: &Inner,
    caller: &Caller,
    user: UserId,
    which: WhichSessions,
) -> Result<StatusCode, Problem> {
    let command = Command::EndPortalSessions(EndPortalSessions { user, which });
    inner.execute(&caller.actor(), command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where you are signed in, newest first
#[utoipa::path(get, path = "/account/sessions", tag = "session", operation_id = "listOwnSessions",
    responses((status = 200, body = List<PortalSessionAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list_own(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<Answer<List<PortalSessionAnswer>>, Problem> {
    listed(&inner, &caller, caller.user.id).await
}

/// Sign out everywhere else
///
/// All of your portal sessions end but the one that the call is made in. Personal access tokens stay.
#[utoipa::path(delete, path = "/account/sessions", tag = "session", operation_id = "endOtherSessions",
    responses((status = 204, description = "Signed out"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn end_others(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let kept = caller.session.as_ref().map(|session| session.id);
    ended(&inner, &caller, caller.user.id, WhichSessions::AllBut(kept)).await
}

/// Sign out in one browser
#[utoipa::path(delete, path = "/account/sessions/{id}", tag = "session", operation_id = "endOwnSession",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "Signed out"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn end_own(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<StatusCode, Problem> {
    ended(&inner, &caller, caller.user.id, WhichSessions::One(PortalSessionId(id))).await
}

/// Where a user is signed in, newest first
#[utoipa::path(get, path = "/users/{id}/sessions", tag = "users", operation_id = "listSessionsOfUser",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = List<PortalSessionAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list_of_user(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Answer<List<PortalSessionAnswer>>, Problem> {
    let user = inner.ports.catalog.user(UserId(id)).await?.ok_or(Problem::NotFound("user"))?;
    listed(&inner, &caller, user.id).await
}

/// Sign a user out everywhere
///
/// Personal access tokens stay.
#[utoipa::path(delete, path = "/users/{id}/sessions", tag = "users", operation_id = "endSessionsOfUser",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "Signed out"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn end_all_of_user(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<StatusCode, Problem> {
    ended(&inner, &caller, UserId(id), WhichSessions::AllBut(None)).await
}

/// Sign a user out in one browser
#[utoipa::path(delete, path = "/users/{id}/sessions/{session_id}", tag = "users", operation_id = "endSessionOfUser",
    params(("id" = Uuid, Path), ("session_id" = Uuid, Path)),
    responses((status = 204, description = "Signed out"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn end_one_of_user(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath((id, session)): InPath<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    ended(&inner, &caller, UserId(id), WhichSessions::One(PortalSessionId(session))).await
}
