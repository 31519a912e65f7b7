//! Keys of an application: its OAuth client for each environment. A secret is answered once and stored as a hash.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    application::Key,
    command::{Command, CreateKey, Outcome},
    endpoint::Environment,
    role::Permission,
    rule::FieldProblem,
    user::Secret,
};
use tidegate_oauth::{
    client::new_client_id,
    grant::CLIENT_CREDENTIALS,
    secret::{self, Kind},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::own;
use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, Json},
    issuer::ACCESS_TOKEN_SECONDS,
    list::List,
    oauth::access_token,
    problem::{Problem, ProblemDocument},
    state::Control,
};

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKey {
    /// `production` or `sandbox`.
    #[serde(rename = "type")]
    #[schema(example = "production")]
    environment: String,
    /// OAuth grants it may use; `client_credentials` when absent.
    grants: Option<Vec<String>>,
}

/// A key as it is listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyAnswer {
    client_id: String,
    #[serde(rename = "type")]
    environment: &'static str,
    grants: Vec<String>,
    created_at: String,
}

/// A key with its secret, shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeyWithSecret)]
pub(crate) struct NewKeyAnswer {
    #[serde(flatten)]
    listed: KeyAnswer,
    /// It is not shown again.
    client_secret: String,
}

/// An access token for the owner.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessToken)]
pub(crate) struct AccessTokenAnswer {
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// Seconds until it ends.
    expires_in: i64,
}

impl From<Key> for KeyAnswer {
    fn from(key: Key) -> Self {
        Self {
            client_id: key.client_id,
            environment: key.environment.as_str(),
            grants: key.grants,
            created_at: key.created_at.rfc3339(),
        }
    }
}

fn made(outcome: Outcome) -> Result<Key, Problem> {
    match outcome {
        Outcome::Key(key) => Ok(key),
        _ => Err(Problem::Internal("a command answered something else")),
    }
}

/// Make the key of an application for an environment
#[utoipa::path(post, path = "/applications/{id}/keys", tag = "keys", operation_id = "createKey", request_body = NewKey,
    params(("id" = Uuid, Path)),
    responses((status = 201, body = NewKeyAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    Json(input): Json<NewKey>,
) -> Result<Created<Answer<NewKeyAnswer>>, Problem> {
    let application = own(&inner, &caller, id).await?;
    let environment = match input.environment.as_str() {
        "production" => Environment::Production,
        "sandbox" => Environment::Sandbox,
        _ => {
            let problem = FieldProblem::new("/type", "unknown_type", "Choose production or sandbox.");
            return Err(Problem::Validation(vec![problem]));
        }
    };
    let client_secret = secret::generate(Kind::ClientSecret, &mut inner.random());
    let command = Command::CreateKey(CreateKey {
        application: application.id,
        client_id: new_client_id(&mut inner.random()),
        secret_hash: Secret(secret::hash(&client_secret)),
        environment,
        grants: input.grants.unwrap_or_else(|| vec![CLIENT_CREDENTIALS.to_owned()]),
    });
    let key = made(inner.execute(&caller.actor(), command).await?)?;
    let place = format!("/api/v1/applications/{id}/keys");
    Ok(Created(place, Answer(NewKeyAnswer { listed: key.into(), client_secret })))
}

/// Keys of an application
#[utoipa::path(get, path = "/applications/{id}/keys", tag = "keys", operation_id = "listKeys", params(("id" = Uuid, Path)),
    responses((status = 200, body = List<KeyAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Answer<List<KeyAnswer>>, Problem> {
    let application = own(&inner, &caller, id).await?;
    let keys = inner.ports.catalog.keys(application.id).await?;
    Ok(Answer(List::whole(keys.into_iter().map(KeyAnswer::from).collect())))
}

/// Replace the secret of a key; the old one stops working
#[utoipa::path(post, path = "/applications/{id}/keys/{client_id}/secret", tag = "keys", operation_id = "renewSecret",
    params(("id" = Uuid, Path), ("client_id" = String, Path)),
    responses((status = 200, body = NewKeyAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn replace_secret(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath((id, client_id)): InPath<(Uuid, String)>,
) -> Result<Answer<NewKeyAnswer>, Problem> {
    let application = own(&inner, &caller, id).await?.id;
    let client_secret = secret::generate(Kind::ClientSecret, &mut inner.random());
    let secret_hash = Secret(secret::hash(&client_secret));
    let command = Command::ReplaceSecret { application, client_id, secret_hash };
    let key = made(inner.execute(&caller.actor(), command).await?)?;
    Ok(Answer(NewKeyAnswer { listed: key.into(), client_secret }))
}

/// Delete a key; its live sessions are closed
#[utoipa::path(delete, path = "/applications/{id}/keys/{client_id}", tag = "keys", operation_id = "deleteKey",
    params(("id" = Uuid, Path), ("client_id" = String, Path)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath((id, client_id)): InPath<(Uuid, String)>,
) -> Result<StatusCode, Problem> {
    let application = own(&inner, &caller, id).await?.id;
    inner.execute(&caller.actor(), Command::DeleteKey { application, client_id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An access token for a key of yours, without its secret
#[utoipa::path(post, path = "/applications/{id}/keys/{client_id}/token", tag = "keys", operation_id = "issueToken",
    params(("id" = Uuid, Path), ("client_id" = String, Path)),
    responses((status = 200, body = AccessTokenAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn token(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath((id, client_id)): InPath<(Uuid, String)>,
) -> Result<Answer<AccessTokenAnswer>, Problem> {
    caller.may(Permission::AppManage)?;
    let application = own(&inner, &caller, id).await?;
    let key = inner.ports.catalog.key(&client_id).await?.filter(|key| key.application == application.id);
    let key = key.ok_or(Problem::NotFound("key"))?;
    let access_token = access_token(&inner, &key.client_id, "", None)?;
    Ok(Answer(AccessTokenAnswer { access_token, token_type: "Bearer", expires_in: ACCESS_TOKEN_SECONDS }))
}
