//! API keys of an application: secrets that it presents as they are. Answered once and stored as a hash.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    application::ApiKey,
    command::{Command, Outcome},
    id::ApiKeyId,
    rule::FieldProblem,
    time::{DAY_MILLIS, Timestamp},
    user::Secret,
};
use tidegate_oauth::secret::{self, Kind};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{keys::environment, own};
use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, Json},
    list::List,
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
};

/// Longest life, in days: ten years. Who wants a longer one takes none.
const DAYS_MAX: u32 = 3_650;

/// An API key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApiKey {
    /// What you call it.
    #[schema(example = "Weather station")]
    name: String,
    /// `production` or `sandbox`.
    #[serde(rename = "type")]
    #[schema(example = "production")]
    environment: String,
    /// Days until it ends; absent: when you delete it.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<u32>,
    /// Addresses and networks from which it may be used, like `192.0.2.0/24` or `2001:db8::/32`; empty: from everywhere.
    #[serde(default)]
    addresses: Vec<String>,
    /// Origins of the web pages from which it may be used, like `https://app.example.com` or `https://*.example.com`;
    /// empty: from every page. Compared with `Origin`, and where there is none with `Referer`.
    #[serde(default)]
    referers: Vec<String>,
}

/// An API key as it is listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct ApiKeyAnswer {
    id: Uuid,
    name: String,
    /// How the key begins.
    #[schema(example = "tgk_h3Jk9s")]
    prefix: String,
    #[serde(rename = "type")]
    environment: &'static str,
    created_at: String,
    #[schema(required)]
    expires_at: Option<String>,
    addresses: Vec<String>,
    referers: Vec<String>,
}

/// An API key with its secret, shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKeyWithSecret)]
pub(crate) struct NewApiKeyAnswer {
    #[serde(flatten)]
    listed: ApiKeyAnswer,
    /// It is not shown again.
    key: String,
}

impl From<ApiKey> for ApiKeyAnswer {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.0,
            name: key.name,
            prefix: key.prefix,
            environment: key.environment.as_str(),
            created_at: key.created_at.rfc3339(),
            expires_at: key.expires_at.map(Timestamp::rfc3339),
            addresses: key.addresses,
            referers: key.referers,
        }
    }
}

/// A new secret, what is known of it later, and its hash.
fn made_up(inner: &Inner) -> (String, String, Secret) {
    let key = secret::generate(Kind::ApiKey, &mut inner.random());
    let (prefix, hash) = (secret::recognisable(&key).to_owned(), Secret(secret::hash(&key)));
    (key, prefix, hash)
}

fn answer(outcome: Outcome, key: String) -> Result<NewApiKeyAnswer, Problem> {
    match outcome {
        Outcome::ApiKey(made) => Ok(NewApiKeyAnswer { listed: (*made).into(), key }),
        _ => Err(Problem::Internal("a command answered something else")),
    }
}

/// Make an API key
#[utoipa::path(post, path = "/applications/{id}/api-keys", tag = "keys", operation_id = "createApiKey",
    request_body = NewApiKey, params(("id" = Uuid, Path)),
    responses((status = 201, body = NewApiKeyAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    Json(input): Json<NewApiKey>,
) -> Result<Created<Answer<NewApiKeyAnswer>>, Problem> {
    let application = own(&inner, &caller, id).await?.id;
    let expires_at = match input.expires_in_days {
        None => None,
        Some(days) if (1..=DAYS_MAX).contains(&days) => {
            Some(inner.now().plus_millis(i64::from(days) * DAY_MILLIS))
        }
        Some(_) => {
            let detail = format!("Choose between 1 and {DAYS_MAX} days.");
            let problem = FieldProblem::new("/expires_in_days", "out_of_range", detail);
            return Err(Problem::Validation(vec![problem]));
        }
    };
    let (key, prefix, hash) = made_up(&inner);
    let command = Command::CreateApiKey(ApiKey {
        id: ApiKeyId::new(inner.now(), inner.ports.entropy.id_bytes()),
        application,
        environment: environment(&input.environment)?,
        name: input.name,
        prefix,
        hash,
        expires_at,
        addresses: input.addresses,
        referers: input.referers,
        created_at: inner.now(),
    });
    let made = answer(inner.execute(&caller.actor(), command).await?, key)?;
    Ok(Created(format!("/api/v1/applications/{id}/api-keys"), Answer(made)))
}

/// API keys of an application
#[utoipa::path(get, path = "/applications/{id}/api-keys", tag = "keys", operation_id = "listApiKeys",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = List<ApiKeyAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Answer<List<ApiKeyAnswer>>, Problem> {
    let application = own(&inner, &caller, id).await?;
    let keys = inner.ports.catalog.api_keys(application.id).await?;
    Ok(Answer(List::whole(keys.into_iter().map(ApiKeyAnswer::from).collect())))
}

/// Put a new secret in place of an API key, under a new id; the old one stops working and its live sessions are closed
#[utoipa::path(post, path = "/applications/{id}/api-keys/{key_id}/secret", tag = "keys", operation_id = "renewApiKey",
    params(("id" = Uuid, Path), ("key_id" = Uuid, Path)),
    responses((status = 200, body = NewApiKeyAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn replace(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath((id, key_id)): InPath<(Uuid, Uuid)>,
) -> Result<Answer<NewApiKeyAnswer>, Problem> {
    let application = own(&inner, &caller, id).await?.id;
    let (key, prefix, hash) = made_up(&inner);
    let next = ApiKeyId::new(inner.now(), inner.ports.entropy.id_bytes());
    let command = Command::ReplaceApiKey { application, id: ApiKeyId(key_id), next, prefix, hash };
    Ok(Answer(answer(inner.execute(&caller.actor(), command).await?, key)?))
}

/// Delete an API key; its live sessions are closed
#[utoipa::path(delete, path = "/applications/{id}/api-keys/{key_id}", tag = "keys", operation_id = "deleteApiKey",
    params(("id" = Uuid, Path), ("key_id" = Uuid, Path)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath((id, key_id)): InPath<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    let application = own(&inner, &caller, id).await?.id;
    let command = Command::DeleteApiKey { application, id: ApiKeyId(key_id) };
    inner.execute(&caller.actor(), command).await?;
    Ok(StatusCode::NO_CONTENT)
}
