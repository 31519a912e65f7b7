//! Ending access tokens before their time: one that is pasted, and all of a key.
//!
//! The answer comes when no connected gateway admits them any more and their live sessions are closed. It knows no
//! gateway; the feed tells them.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    client::ACCESS_TOKEN_SECONDS,
    command::Command,
    revocation::{Revoke, Revoked},
    role::Permission,
    rule::FieldProblem,
    time::Timestamp,
};
use tidegate_oauth::{
    mark,
    token::{BadToken, SKEW_SECONDS},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    applications::own,
    authenticate::Caller,
    body::{Answer, InPath, Json},
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
};

/// An access token to be ended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRevocation {
    /// The access token, as a client presents it.
    token: String,
}

/// A token that has ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Revocation)]
pub(crate) struct RevocationAnswer {
    /// The key that it was issued to.
    client_id: String,
    /// When it would have ended by itself.
    expires_at: String,
}

/// End an access token; its live sessions are closed
#[utoipa::path(post, path = "/revocations", tag = "tokens", operation_id = "revokeToken", request_body = NewRevocation,
    responses((status = 200, body = RevocationAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<NewRevocation>,
) -> Result<Answer<RevocationAnswer>, Problem> {
    let actor = caller.may(Permission::AppManage)?;
    let claims = inner.issuer.verify(input.token.trim(), inner.now().seconds()).map_err(|error| {
        let detail = match error {
            BadToken::Expired => "The token has expired already; nobody can use it.",
            _ => "This is no access token of Tidegate. Paste it whole, without the word Bearer.",
        };
        Problem::Validation(vec![FieldProblem::new("/token", "no_token", detail)])
    })?;
    // A key that was deleted has taken its tokens along; there is nothing left to end, and nobody to ask whose it was.
    let command = Command::Revoke(Revoke {
        what: vec![Revoked::Credential(mark::token(&claims.iss, &claims.jti).into())],
        until: Timestamp::from_seconds(claims.exp),
        client_id: Some(claims.client_id.clone()),
    });
    inner.execute(&actor, command).await?;
    let expires_at = Timestamp::from_seconds(claims.exp).rfc3339();
    Ok(Answer(RevocationAnswer { client_id: claims.client_id, expires_at }))
}

/// End all access tokens of a key that were issued until now; their live sessions are closed
#[utoipa::path(delete, path = "/applications/{id}/keys/{client_id}/tokens", tag = "keys", operation_id = "revokeTokens",
    params(("id" = Uuid, Path), ("client_id" = String, Path)),
    responses((status = 204, description = "Ended"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn of_key(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath((id, client_id)): InPath<(Uuid, String)>,
) -> Result<StatusCode, Problem> {
    let application = own(&inner, &caller, id).await?;
    let key = inner.ports.catalog.key(&client_id).await?.filter(|key| key.application == application.id);
    let key = key.ok_or(Problem::NotFound("key"))?;
    let command = Command::Revoke(Revoke {
        what: vec![Revoked::Client(key.client_id.as_str().into())],
        until: longest(&inner),
        client_id: Some(key.client_id),
    });
    inner.execute(&caller.actor(), command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// When every access token that exists now has ended by itself, whatever its key's settings were when it was issued.
pub(crate) fn longest(inner: &Inner) -> Timestamp {
    inner.now().plus_millis((i64::from(ACCESS_TOKEN_SECONDS.max) + SKEW_SECONDS) * 1_000)
}
