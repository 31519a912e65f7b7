//! Keys of an application: its OAuth client for each environment. A secret is answered once and stored as a hash.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    application::Key,
    client::{CLIENT_CREDENTIALS, ClientAuthentication, ClientKind, ClientSettings, TokenFormat},
    command::{Command, CreateKey, Outcome, UpdateKey},
    endpoint::Environment,
    role::Permission,
    rule::FieldProblem,
    user::Secret,
};
use tidegate_oauth::{
    client::new_client_id,
    secret::{self, Kind},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::own;
use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, Json},
    list::List,
    oauth::issue::for_owner,
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
    #[serde(flatten)]
    told: KeyFields,
}

/// What a key's client is told to be. What is absent stays, and has its default in a new key.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeyChange)]
pub(crate) struct KeyFields {
    /// OAuth grants it may use, of `client_credentials`, `authorization_code`, `refresh_token`,
    /// `urn:ietf:params:oauth:grant-type:device_code` and `urn:ietf:params:oauth:grant-type:token-exchange`. In a new key:
    /// `client_credentials`, and none in one without a secret.
    grants: Option<Vec<String>>,
    /// `confidential`: a program with a secret; `browser`: a page; `native`: a program on somebody's device. The latter
    /// two have no secret; a key that becomes one of them loses it.
    client_type: Option<String>,
    /// How a confidential client proves who it is: with its `secret`, or with `private_key_jwt`, a statement that it signs for
    /// each request (RFC 7523). One that signs has no secret.
    authentication: Option<String>,
    /// The public keys that a client signs with, as a JSON Web Key Set (RFC 7517): one to five of P-256, Ed25519 or RSA.
    #[schema(value_type = Option<Object>)]
    jwks: Option<serde_json::Value>,
    /// Where browsers may be sent back to with a code, compared character for character; at most 20. The port of a native
    /// client's `http://127.0.0.1` or `http://[::1]` may be any.
    redirect_uris: Option<Vec<String>>,
    /// Where browsers may be sent to after signing out; at most 20.
    post_logout_redirect_uris: Option<Vec<String>>,
    /// Lifetime of access tokens in seconds, 60 to 86,400; 3,600 in a new key.
    access_token_seconds: Option<u32>,
    /// Lifetime of refresh tokens in seconds, 300 to 7,776,000, begun anew by each; 86,400 in a new key.
    refresh_token_seconds: Option<u32>,
    /// `jwt`: readable by whoever has the issuer's keys; `opaque`: random characters.
    token_format: Option<String>,
    /// Whether access tokens are bound to the certificate that the client shows where it asks for them (RFC 8705): they
    /// open nothing on a connection without it. The portal sees certificates behind a proxy that says so.
    certificate_bound_tokens: Option<bool>,
}

impl KeyFields {
    /// The settings with what is said here.
    fn over(&self, before: ClientSettings) -> Result<ClientSettings, Problem> {
        let mut problems = Vec::new();
        let mut settings = before;
        if let Some(word) = &self.client_type {
            if let Some(kind) = ClientKind::parse(word) {
                settings.kind = kind;
            } else {
                let detail = "Choose confidential, browser or native.";
                problems.push(FieldProblem::new("/client_type", "unknown_client_type", detail));
            }
        }
        if let Some(word) = &self.authentication {
            if let Some(way) = ClientAuthentication::parse(word) {
                settings.authentication = way;
            } else {
                let detail = "Choose secret or private_key_jwt.";
                problems.push(FieldProblem::new("/authentication", "unknown_authentication", detail));
            }
        }
        if let Some(word) = &self.token_format {
            if let Some(format) = TokenFormat::parse(word) {
                settings.token_format = format;
            } else {
                let detail = "Choose jwt or opaque.";
                problems.push(FieldProblem::new("/token_format", "unknown_token_format", detail));
            }
        }
        if !problems.is_empty() {
            return Err(Problem::Validation(problems));
        }
        if let Some(jwks) = &self.jwks {
            settings.jwks = jwks.to_string();
        }
        // Keys that nothing is proven with are not kept.
        if settings.authentication == ClientAuthentication::Secret {
            settings.jwks.clear();
        }
        if let Some(uris) = &self.redirect_uris {
            settings.redirect_uris.clone_from(uris);
        }
        if let Some(uris) = &self.post_logout_redirect_uris {
            settings.post_logout_redirect_uris.clone_from(uris);
        }
        settings.certificate_bound_tokens =
            self.certificate_bound_tokens.unwrap_or(settings.certificate_bound_tokens);
        settings.access_token_seconds = self.access_token_seconds.unwrap_or(settings.access_token_seconds);
        settings.refresh_token_seconds = self.refresh_token_seconds.unwrap_or(settings.refresh_token_seconds);
        Ok(settings)
    }
}

/// A key as it is listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub(crate) struct KeyAnswer {
    client_id: String,
    #[serde(rename = "type")]
    environment: &'static str,
    grants: Vec<String>,
    /// `confidential`, `browser` or `native`.
    client_type: &'static str,
    /// `secret`, which browser and native clients have none of, or `private_key_jwt`.
    authentication: &'static str,
    /// The public keys of a client that signs; `null` for one that does not.
    #[schema(value_type = Option<Object>, required)]
    jwks: Option<serde_json::Value>,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    access_token_seconds: u32,
    refresh_token_seconds: u32,
    /// `jwt` or `opaque`.
    token_format: &'static str,
    /// Whether access tokens are bound to the client's certificate.
    certificate_bound_tokens: bool,
    created_at: String,
}

/// A key with its secret, shown this once; without one where the client cannot keep it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeyWithSecret)]
pub(crate) struct NewKeyAnswer {
    #[serde(flatten)]
    listed: KeyAnswer,
    /// It is not shown again. `null` for a client without a secret.
    #[schema(required)]
    client_secret: Option<String>,
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
            client_type: key.settings.kind.as_str(),
            authentication: key.settings.authentication.as_str(),
            jwks: serde_json::from_str(&key.settings.jwks).ok(),
            redirect_uris: key.settings.redirect_uris,
            post_logout_redirect_uris: key.settings.post_logout_redirect_uris,
            access_token_seconds: key.settings.access_token_seconds,
            refresh_token_seconds: key.settings.refresh_token_seconds,
            token_format: key.settings.token_format.as_str(),
            certificate_bound_tokens: key.settings.certificate_bound_tokens,
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

/// The environment of this word.
pub(crate) fn environment(word: &str) -> Result<Environment, Problem> {
    Environment::parse(word).ok_or_else(|| {
        let problem = FieldProblem::new("/type", "unknown_type", "Choose production or sandbox.");
        Problem::Validation(vec![problem])
    })
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
    let environment = environment(&input.environment)?;
    let settings = input.told.over(ClientSettings::default())?;
    let is_public = settings.kind.is_public();
    let client_secret =
        settings.has_secret().then(|| secret::generate(Kind::ClientSecret, &mut inner.random()));
    let own_grants = || if is_public { Vec::new() } else { vec![CLIENT_CREDENTIALS.to_owned()] };
    let command = Command::CreateKey(CreateKey {
        application: application.id,
        client_id: new_client_id(&mut inner.random()),
        secret_hash: client_secret.as_deref().map(|text| Secret(secret::hash(text))).unwrap_or_default(),
        environment,
        grants: input.told.grants.unwrap_or_else(own_grants),
        settings,
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
    Ok(Answer(NewKeyAnswer { listed: key.into(), client_secret: Some(client_secret) }))
}

/// Change what the client of a key is told to be
#[utoipa::path(patch, path = "/applications/{id}/keys/{client_id}", tag = "keys", operation_id = "updateKey",
    request_body = KeyFields, params(("id" = Uuid, Path), ("client_id" = String, Path)),
    responses((status = 200, body = KeyAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn update(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath((id, client_id)): InPath<(Uuid, String)>,
    Json(input): Json<KeyFields>,
) -> Result<Answer<KeyAnswer>, Problem> {
    let application = own(&inner, &caller, id).await?;
    let key = inner.ports.catalog.key(&client_id).await?.filter(|key| key.application == application.id);
    let key = key.ok_or(Problem::NotFound("key"))?;
    let settings = input.over(key.settings)?;
    let grants = input.grants.unwrap_or(key.grants);
    let command = Command::UpdateKey(UpdateKey { application: application.id, client_id, grants, settings });
    Ok(Answer(made(inner.execute(&caller.actor(), command).await?)?.into()))
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
    if key.settings.certificate_bound_tokens {
        let detail = "Access tokens of this key are bound to the certificate of its client, which has to ask for them itself.";
        return Err(Problem::Conflict(detail.to_owned()));
    }
    let issued = for_owner(&inner, &key).await?;
    if let Some(opaque) = issued.opaque {
        inner.execute(&caller.actor(), Command::KeepAccessToken(opaque)).await?;
    }
    let (access_token, expires_in) = (issued.token, issued.seconds);
    Ok(Answer(AccessTokenAnswer { access_token, token_type: "Bearer", expires_in }))
}
