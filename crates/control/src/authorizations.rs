//! What one has allowed clients oneself, and withdrawing it: `/account/authorizations`.

use axum::{extract::State, http::StatusCode};
use serde::Serialize;
use tidegate_model::{authorization::Withdraw, command::Command};
use utoipa::ToSchema;

use crate::{
    authenticate::Caller,
    body::{Answer, InPath},
    list::List,
    problem::{Problem, ProblemDocument},
    state::Control,
};

/// A client that may do something in your name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AllowedClient)]
pub(crate) struct AllowedAnswer {
    client_id: String,
    /// The application that it is of.
    application: String,
    /// Whose that is; empty where nobody's.
    owner: String,
    /// What it may beside connecting, in order.
    scopes: Vec<String>,
    /// When it was allowed first, of what still stands, RFC 3339.
    since: String,
    /// When it was allowed last.
    last: String,
}

/// What you have allowed, the last first
///
/// Clients that may connect in your name, on devices as well, and those that need not ask you again.
#[utoipa::path(get, path = "/account/authorizations", tag = "session", operation_id = "listOwnAuthorizations",
    responses((status = 200, body = List<AllowedAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<Answer<List<AllowedAnswer>>, Problem> {
    let found = inner.ports.catalog.allowed_clients(caller.user.id, inner.now()).await?;
    let items = found.into_iter().map(|client| AllowedAnswer {
        client_id: client.client_id,
        application: client.application,
        owner: client.owner_name,
        scopes: client.scopes,
        since: client.since.rfc3339(),
        last: client.last.rfc3339(),
    });
    Ok(Answer(List::whole(items.collect())))
}

/// Withdraw what you have allowed a client
///
/// All tokens that it has of you end at once, with the sessions that live by them, and it has to ask you again.
#[utoipa::path(delete, path = "/account/authorizations/{client_id}", tag = "session",
    operation_id = "withdrawAuthorization", params(("client_id" = String, Path)),
    responses((status = 204, description = "Withdrawn"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn withdraw(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(client_id): InPath<String>,
) -> Result<StatusCode, Problem> {
    let command = Command::Withdraw(Withdraw { user: caller.user.id, client_id });
    inner.execute(&caller.actor(), command).await?;
    Ok(StatusCode::NO_CONTENT)
}
