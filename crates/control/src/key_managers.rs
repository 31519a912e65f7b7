//! Key managers: other issuers whose tokens are accepted. `/key-managers` for administrators; `/issuers` tells everyone
//! who is signed in which there are.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_model::{
    command::{Command, CreateKeyManager, Outcome, UpdateKeyManager},
    id::KeyManagerId,
    issuer::{Algorithm, ClaimNames, Held, Introspection, KeyManager, KeySource, Trust},
    role::Permission,
    rule::FieldProblem,
    time::Timestamp,
    user::Secret,
};
use tidegate_oauth::issuer::usable_keys;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, Json, Tagged, if_match, required_if_match},
    keeper,
    list::List,
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
};

/// Where the keys of an issuer come from: exactly one of these.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = KeySource)]
pub(crate) struct KeySourceBody {
    /// Its discovery document, which says where they are. It must be of the same issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://issuer.example.com/.well-known/openid-configuration")]
    discovery_url: Option<String>,
    /// Where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jwks_url: Option<String>,
    /// Themselves, a JSON Web Key Set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    jwks: Option<Value>,
}

impl KeySourceBody {
    fn meant(self, problems: &mut Vec<FieldProblem>) -> KeySource {
        match (self.discovery_url, self.jwks_url, self.jwks) {
            (Some(url), None, None) => KeySource::Discovery(url),
            (None, Some(url), None) => KeySource::Jwks(url),
            (None, None, Some(jwks)) => {
                let jwks = jwks.to_string();
                if let Err(error) = usable_keys(&jwks) {
                    let detail = format!("Give a JSON Web Key Set with a key for signatures: {error}.");
                    problems.push(FieldProblem::new("/keys/jwks", "malformed", detail));
                }
                KeySource::Inline(jwks)
            }
            _ => {
                let detail = "Give one of discovery_url, jwks_url and jwks.";
                problems.push(FieldProblem::new("/keys", "required", detail));
                KeySource::Inline(String::new())
            }
        }
    }
}

impl From<KeySource> for KeySourceBody {
    fn from(source: KeySource) -> Self {
        let none = Self::default();
        match source {
            KeySource::Discovery(url) => Self { discovery_url: Some(url), ..none },
            KeySource::Jwks(url) => Self { jwks_url: Some(url), ..none },
            KeySource::Inline(jwks) => Self { jwks: serde_json::from_str(&jwks).ok(), ..none },
        }
    }
}

/// Which claims of a token say what; what is absent has its default.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimNamesInput)]
pub(crate) struct ClaimsInput {
    /// The OAuth client; `client_id` when absent, many issuers say `azp`.
    #[schema(example = "client_id")]
    client_id: Option<String>,
    /// Scopes; `scope` when absent, some issuers say `scp`.
    #[schema(example = "scope")]
    scope: Option<String>,
    /// Whom the token speaks for; `sub` when absent.
    #[schema(example = "sub")]
    subject: Option<String>,
}

/// How tokens that are not JWTs are asked for (RFC 7662).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntrospectionInput {
    #[schema(example = "https://issuer.example.com/oauth2/introspect")]
    url: String,
    client_id: String,
    /// Absent: as before, where address and client are as before.
    client_secret: Option<String>,
}

/// What is decided about another issuer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateKeyManager)]
pub(crate) struct KeyManagerChange {
    /// `iss` of its tokens, compared byte by byte.
    #[schema(example = "https://issuer.example.com")]
    issuer: String,
    keys: KeySourceBody,
    /// A token must name one of these in `aud`.
    audiences: Vec<String>,
    #[serde(default)]
    claims: ClaimsInput,
    /// What its tokens may be signed with: `ES256`, `EdDSA`, `RS256`; all of them when absent.
    algorithms: Option<Vec<String>>,
    /// Accept only tokens whose header says `at+jwt` (RFC 9068).
    #[serde(default)]
    requires_at_jwt: bool,
    introspection: Option<IntrospectionInput>,
    /// Whether its tokens are accepted; `true` when absent.
    enabled: Option<bool>,
}

/// A key manager to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKeyManager {
    /// Unique, and never changed: APIs refer to it.
    #[schema(example = "Corporate SSO")]
    name: String,
    /// `iss` of its tokens, compared byte by byte.
    #[schema(example = "https://issuer.example.com")]
    issuer: String,
    keys: KeySourceBody,
    /// A token must name one of these in `aud`.
    audiences: Vec<String>,
    #[serde(default)]
    claims: ClaimsInput,
    /// What its tokens may be signed with: `ES256`, `EdDSA`, `RS256`; all of them when absent.
    algorithms: Option<Vec<String>>,
    /// Accept only tokens whose header says `at+jwt` (RFC 9068).
    #[serde(default)]
    requires_at_jwt: bool,
    introspection: Option<IntrospectionInput>,
    /// Whether its tokens are accepted; `true` when absent.
    enabled: Option<bool>,
}

impl NewKeyManager {
    fn split(self) -> (String, KeyManagerChange) {
        let Self {
            name,
            issuer,
            keys,
            audiences,
            claims,
            algorithms,
            requires_at_jwt,
            introspection,
            enabled,
        } = self;
        let change = KeyManagerChange {
            issuer,
            keys,
            audiences,
            claims,
            algorithms,
            requires_at_jwt,
            introspection,
            enabled,
        };
        (name, change)
    }
}

impl KeyManagerChange {
    fn meant(self) -> Result<Trust, Problem> {
        let mut problems = Vec::new();
        let mut algorithms = Vec::new();
        let named = self.algorithms.unwrap_or_else(|| Algorithm::ALL.map(|it| it.as_str().to_owned()).into());
        for (place, name) in named.iter().enumerate() {
            if let Some(algorithm) = Algorithm::parse(name) {
                algorithms.push(algorithm);
            } else {
                let detail = "Choose from ES256, EdDSA and RS256.";
                problems.push(FieldProblem::new(format!("/algorithms/{place}"), "unknown_algorithm", detail));
            }
        }
        let keys = self.keys.meant(&mut problems);
        if !problems.is_empty() {
            return Err(Problem::Validation(problems));
        }
        let usual = ClaimNames::default();
        Ok(Trust {
            issuer: self.issuer,
            keys,
            audiences: self.audiences,
            claims: ClaimNames {
                client_id: self.claims.client_id.unwrap_or(usual.client_id),
                scope: self.claims.scope.unwrap_or(usual.scope),
                subject: self.claims.subject.unwrap_or(usual.subject),
            },
            algorithms,
            requires_at_jwt: self.requires_at_jwt,
            introspection: self.introspection.map(|it| Introspection {
                url: it.url,
                client_id: it.client_id,
                client_secret: Secret(it.client_secret.unwrap_or_default()),
            }),
            enabled: self.enabled.unwrap_or(true),
        })
    }
}

/// Which claims of a token say what.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClaimNames)]
pub(crate) struct ClaimsAnswer {
    client_id: String,
    scope: String,
    subject: String,
}

/// How tokens that are not JWTs are asked for. The secret is not told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Introspection)]
pub(crate) struct IntrospectionAnswer {
    url: String,
    client_id: String,
}

/// A key that tokens of the issuer are verified with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IssuerKey)]
pub(crate) struct IssuerKeyAnswer {
    kid: String,
    algorithm: &'static str,
}

/// The keys that are held of an issuer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldKeys {
    keys: Vec<IssuerKeyAnswer>,
    /// When they were fetched last; `null` where they are given by value, or were never fetched.
    #[schema(required)]
    fetched_at: Option<String>,
    /// When it was tried last since the product started.
    #[schema(required)]
    tried_at: Option<String>,
    /// Why the last try failed. The keys that are held stay in use.
    #[schema(required)]
    problem: Option<String>,
}

/// A key manager: another issuer whose tokens are accepted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeyManager)]
pub(crate) struct KeyManagerAnswer {
    id: Uuid,
    name: String,
    issuer: String,
    keys: KeySourceBody,
    audiences: Vec<String>,
    claims: ClaimsAnswer,
    algorithms: Vec<&'static str>,
    requires_at_jwt: bool,
    #[schema(required)]
    introspection: Option<IntrospectionAnswer>,
    enabled: bool,
    held: HeldKeys,
    created_at: String,
    updated_at: String,
    /// For `If-Match`.
    etag: String,
}

fn shown(inner: &Inner, held: Held) -> KeyManagerAnswer {
    // What was stored could be read; a set that is held since an older release may hold a kind that is read no more.
    let keys = usable_keys(held.key_set()).unwrap_or_default();
    let attempt = inner.keeper.attempt(held.manager.id);
    let problem = attempt.as_ref().and_then(|attempt| attempt.failed.as_ref()).map(ToString::to_string);
    let told = HeldKeys {
        keys: keys.into_iter().map(|(kid, algorithm)| IssuerKeyAnswer { kid, algorithm }).collect(),
        fetched_at: held.fetched.map(|fetched| fetched.at.rfc3339()),
        tried_at: attempt.map(|attempt| attempt.at.rfc3339()),
        problem,
    };
    let KeyManager { id, name, trust, created_at, updated_at, etag } = held.manager;
    let ClaimNames { client_id, scope, subject } = trust.claims;
    KeyManagerAnswer {
        id: id.0,
        name,
        issuer: trust.issuer,
        keys: trust.keys.into(),
        audiences: trust.audiences,
        claims: ClaimsAnswer { client_id, scope, subject },
        algorithms: trust.algorithms.into_iter().map(Algorithm::as_str).collect(),
        requires_at_jwt: trust.requires_at_jwt,
        introspection: trust
            .introspection
            .map(|Introspection { url, client_id, .. }| IntrospectionAnswer { url, client_id }),
        enabled: trust.enabled,
        held: told,
        created_at: Timestamp::rfc3339(created_at),
        updated_at: Timestamp::rfc3339(updated_at),
        etag: etag.to_string(),
    }
}

async fn found(inner: &Inner, id: Uuid) -> Result<Held, Problem> {
    inner.ports.catalog.key_manager(KeyManagerId(id)).await?.ok_or(Problem::NotFound("key manager"))
}

/// The key manager after a change, with its keys where they can be had at once.
async fn after(inner: &Inner, outcome: Outcome) -> Result<Tagged<KeyManagerAnswer>, Problem> {
    let Outcome::KeyManager(manager) = outcome else {
        return Err(Problem::Internal("a command answered something else"));
    };
    if manager.trust.enabled {
        keeper::fetch(inner, &manager).await;
    }
    let held = found(inner, manager.id.0).await?;
    Ok(Tagged(held.manager.etag, shown(inner, held)))
}

/// Make a key manager
///
/// Its keys are fetched at once; where that fails, the answer says why, and it is tried again every minute.
#[utoipa::path(post, path = "/key-managers", tag = "key managers", operation_id = "createKeyManager",
    request_body = NewKeyManager,
    responses((status = 201, body = KeyManagerAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<NewKeyManager>,
) -> Result<Created<Tagged<KeyManagerAnswer>>, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let id = KeyManagerId::new(inner.now(), inner.ports.entropy.id_bytes());
    let (name, change) = input.split();
    let command = Command::CreateKeyManager(CreateKeyManager { id, name, trust: change.meant()? });
    let made = after(&inner, inner.execute(&actor, command).await?).await?;
    Ok(Created(format!("/api/v1/key-managers/{id}"), made))
}

/// Key managers
#[utoipa::path(get, path = "/key-managers", tag = "key managers", operation_id = "listKeyManagers",
    responses((status = 200, body = List<KeyManagerAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<Answer<List<KeyManagerAnswer>>, Problem> {
    caller.may(Permission::Administer)?;
    let all = inner.ports.catalog.key_managers().await?;
    Ok(Answer(List::whole(all.into_iter().map(|held| shown(&inner, held)).collect())))
}

/// A key manager
#[utoipa::path(get, path = "/key-managers/{id}", tag = "key managers", operation_id = "getKeyManager",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = KeyManagerAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Tagged<KeyManagerAnswer>, Problem> {
    caller.may(Permission::Administer)?;
    let held = found(&inner, id).await?;
    Ok(Tagged(held.manager.etag, shown(&inner, held)))
}

/// Change a key manager
///
/// Keys that were fetched stay where issuer and address of the keys do; else they are fetched anew.
#[utoipa::path(put, path = "/key-managers/{id}", tag = "key managers", operation_id = "updateKeyManager",
    request_body = KeyManagerChange, params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = KeyManagerAnswer), (status = 412, body = ProblemDocument),
        (status = "default", body = ProblemDocument)))]
pub(crate) async fn update(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
    Json(input): Json<KeyManagerChange>,
) -> Result<Tagged<KeyManagerAnswer>, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let based_on = required_if_match(&headers)?;
    let id = KeyManagerId(id);
    let command = Command::UpdateKeyManager(UpdateKeyManager { id, based_on, trust: input.meant()? });
    after(&inner, inner.execute(&actor, command).await?).await
}

/// Delete a key manager
///
/// Keys that applications have provided of it go with it, and sessions by its tokens are closed.
#[utoipa::path(delete, path = "/key-managers/{id}", tag = "key managers", operation_id = "deleteKeyManager",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let command = Command::DeleteKeyManager { id: KeyManagerId(id), based_on: if_match(&headers) };
    inner.execute(&actor, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Fetch the keys of a key manager now
#[utoipa::path(post, path = "/key-managers/{id}/refresh", tag = "key managers", operation_id = "refreshKeyManager",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = KeyManagerAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn refresh(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Tagged<KeyManagerAnswer>, Problem> {
    caller.may(Permission::Administer)?;
    keeper::fetch(&inner, &found(&inner, id).await?.manager).await;
    let held = found(&inner, id).await?;
    Ok(Tagged(held.manager.etag, shown(&inner, held)))
}

/// An issuer whose tokens are accepted beside our own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Issuer)]
pub(crate) struct IssuerAnswer {
    /// The key manager.
    id: Uuid,
    name: String,
    issuer: String,
}

/// Issuers whose tokens are accepted beside our own
#[utoipa::path(get, path = "/issuers", tag = "key managers", operation_id = "listIssuers",
    responses((status = 200, body = List<IssuerAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn issuers(
    State(Control(inner)): State<Control>,
    _: Caller,
) -> Result<Answer<List<IssuerAnswer>>, Problem> {
    let all = inner.ports.catalog.key_managers().await?.into_iter().map(|held| held.manager);
    let accepted = all.filter(|manager| manager.trust.enabled).map(|manager| IssuerAnswer {
        id: manager.id.0,
        name: manager.name,
        issuer: manager.trust.issuer,
    });
    Ok(Answer(List::whole(accepted.collect())))
}
