//! Keys that an application has provided: clients of other issuers whose tokens are its own.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    command::{Command, Outcome, ProvideKey},
    id::KeyManagerId,
    issuer::ProvidedKey,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{keys::environment, own};
use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, Json},
    list::List,
    problem::{Problem, ProblemDocument},
    state::Control,
};

/// A client of another issuer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProvidedKey {
    /// The issuer: one of `GET /issuers`.
    key_manager: Uuid,
    /// The issuer's name for the client, as its tokens say it.
    client_id: String,
    /// `production` or `sandbox`.
    #[serde(rename = "type")]
    #[schema(example = "production")]
    environment: String,
}

/// A client of another issuer that is the application's own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProvidedKey)]
pub(crate) struct ProvidedKeyAnswer {
    key_manager: Uuid,
    client_id: String,
    #[serde(rename = "type")]
    environment: &'static str,
    created_at: String,
}

impl From<ProvidedKey> for ProvidedKeyAnswer {
    fn from(key: ProvidedKey) -> Self {
        Self {
            key_manager: key.key_manager.0,
            client_id: key.client_id,
            environment: key.environment.as_str(),
            created_at: key.created_at.rfc3339(),
        }
    }
}

/// Provide a client of another issuer as the application's own
///
/// Tokens of this issuer that name the client open what the application is subscribed to. Its secret is not asked for.
#[utoipa::path(post, path = "/applications/{id}/provided-keys", tag = "keys", operation_id = "provideKey",
    request_body = NewProvidedKey, params(("id" = Uuid, Path)),
    responses((status = 201, body = ProvidedKeyAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    Json(input): Json<NewProvidedKey>,
) -> Result<Created<Answer<ProvidedKeyAnswer>>, Problem> {
    let application = own(&inner, &caller, id).await?.id;
    let environment = environment(&input.environment)?;
    let (key_manager, client_id) = (KeyManagerId(input.key_manager), input.client_id);
    let command = Command::ProvideKey(ProvideKey { key_manager, client_id, application, environment });
    let Outcome::ProvidedKey(key) = inner.execute(&caller.actor(), command).await? else {
        return Err(Problem::Internal("a command answered something else"));
    };
    let place = format!("/api/v1/applications/{id}/provided-keys");
    Ok(Created(place, Answer(key.into())))
}

/// Clients of other issuers that are the application's own
#[utoipa::path(get, path = "/applications/{id}/provided-keys", tag = "keys", operation_id = "listProvidedKeys",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = List<ProvidedKeyAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Answer<List<ProvidedKeyAnswer>>, Problem> {
    let application = own(&inner, &caller, id).await?;
    let keys = inner.ports.catalog.provided_keys(application.id).await?;
    Ok(Answer(List::whole(keys.into_iter().map(ProvidedKeyAnswer::from).collect())))
}

/// Take a provided key back; its live sessions are closed
#[utoipa::path(delete, path = "/applications/{id}/provided-keys/{key_manager}/{client_id}", tag = "keys",
    operation_id = "withdrawKey",
    params(("id" = Uuid, Path), ("key_manager" = Uuid, Path), ("client_id" = String, Path)),
    responses((status = 204, description = "Withdrawn"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath((id, key_manager, client_id)): InPath<(Uuid, Uuid, String)>,
) -> Result<StatusCode, Problem> {
    let application = own(&inner, &caller, id).await?.id;
    let key_manager = KeyManagerId(key_manager);
    inner.execute(&caller.actor(), Command::WithdrawKey { application, key_manager, client_id }).await?;
    Ok(StatusCode::NO_CONTENT)
}
