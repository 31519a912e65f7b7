//! Making, changing and deleting APIs.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use tidegate_model::{
    api::{Api, Design},
    command::{Command, CreateApi, CreateVersion, Outcome, UpdateApi},
    id::ApiId,
    issuer::AcceptedIssuers,
    notice::Notice,
    role::Permission,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    answer::{ApiAnswer, api_answer},
    endpoint::EndpointsInput,
    passing::{HeadersInput, MappingBody},
    protocol::ProtocolInput,
    read::viewed,
    scopes::{self, ScopeInput},
    security::SecurityInput,
    topics::TopicsInput,
};
use crate::{
    authenticate::Caller,
    body::{Created, InPath, Json, Tagged, if_match, required_if_match},
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
};

/// An API to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewApi {
    #[schema(example = "EchoWebSocket")]
    name: String,
    #[schema(example = "/echowebsocket")]
    context: String,
    #[schema(example = "1.0")]
    version: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    endpoints: EndpointsInput,
    #[serde(default)]
    protocol: ProtocolInput,
    /// What a client is told of messages that were dropped because a policy says `notify`: a JSON object that it gets as a
    /// text message, once a second at most. The strings `$policy`, `$level`, `$direction` and `$retry_after` stand for what they
    /// say. At most 1,024 bytes. Absent: nothing.
    #[schema(value_type = Option<Object>)]
    notice: Option<Map<String, Value>>,
    #[serde(default)]
    headers: HeadersInput,
    /// Under which paths a backend's topics are; the first that fits decides.
    #[serde(default)]
    mappings: Vec<MappingBody>,
    /// Who may send on which topic.
    #[serde(default)]
    topics: TopicsInput,
    /// What topics may ask tokens for.
    #[serde(default)]
    scopes: Vec<ScopeInput>,
    #[serde(default)]
    security: SecurityInput,
    /// Whose tokens are accepted: names of key managers, and `resident` for our own; `all` alone, and absent: those of all.
    issuers: Option<Vec<String>>,
    /// Names of business plans.
    #[serde(default)]
    plans: Vec<String>,
    /// Name of the API policy that all who use the API are held to together. Absent: none.
    #[schema(example = "10KPerMin")]
    api_policy: Option<String>,
    /// Publish at once; needs an endpoint and a plan. All of it happens, or nothing.
    #[serde(default)]
    publish: bool,
}

/// The working copy of an API.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateApi)]
pub(crate) struct ApiChange {
    description: String,
    endpoints: EndpointsInput,
    /// Compression, checks and sizes; absent: as before.
    protocol: Option<ProtocolInput>,
    /// What clients are told of messages that were dropped; null: nothing. Absent: as before.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    notice: Change<Map<String, Value>>,
    /// Which headers a backend gets; absent: as before.
    headers: Option<HeadersInput>,
    /// Under which paths a backend's topics are; absent: as before.
    mappings: Option<Vec<MappingBody>>,
    /// Who may send on which topic; absent: as before.
    topics: Option<TopicsInput>,
    /// What topics may ask tokens for; absent: as before.
    scopes: Option<Vec<ScopeInput>>,
    /// How clients prove who they are; absent: as before.
    security: Option<SecurityInput>,
    /// Whose tokens are accepted: names of key managers, and `resident` for our own; `all` alone: those of all. Absent:
    /// as before.
    issuers: Option<Vec<String>>,
    /// Names of business plans.
    plans: Vec<String>,
    /// Name of the API policy that all who use the API are held to together; null: none. Absent: as before.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    api_policy: Change<String>,
    /// Whether it answers without a version as well, from when it is live; until then the one that does goes on. Absent:
    /// as before.
    is_default_version: Option<bool>,
}

/// What becomes of something that may be missing: null is a value here, and what is absent stays.
#[derive(Debug, Default)]
enum Change<T> {
    #[default]
    Keeps,
    Becomes(Option<T>),
}

impl<T> Change<T> {
    /// What it is from now on.
    fn applied_to<B>(self, before: Option<B>, read: impl FnOnce(Option<T>) -> Option<B>) -> Option<B> {
        match self {
            Self::Keeps => before,
            Self::Becomes(value) => read(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Option::deserialize(value).map(Self::Becomes)
    }
}

fn notice(shape: Option<Map<String, Value>>) -> Option<Arc<Notice>> {
    shape.map(|shape| Arc::new(Notice::of(shape)))
}

/// A new version of an API.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVersion {
    #[schema(example = "2.0")]
    version: String,
    /// Make it the default version when it goes live; until then the present one answers.
    #[serde(default)]
    default: bool,
}

fn made(outcome: Outcome) -> Result<Api, Problem> {
    match outcome {
        Outcome::Api(api) => Ok(*api),
        _ => Err(Problem::Internal("a command answered something else")),
    }
}

fn shown(inner: &Inner, api: Api) -> Tagged<ApiAnswer> {
    Tagged(api.etag, api_answer(&inner.settings.load(), api))
}

/// Make an API, and publish it at once when asked
#[utoipa::path(post, path = "/apis", tag = "apis", operation_id = "createApi", request_body = NewApi,
    responses((status = 201, body = ApiAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<NewApi>,
) -> Result<Created<Tagged<ApiAnswer>>, Problem> {
    let actor = caller.may(Permission::ApiCreate)?;
    if input.publish {
        caller.may(Permission::ApiPublish)?;
    }
    let own_roles = inner.ports.catalog.own_roles().await?;
    let command = Command::CreateApi(CreateApi {
        id: ApiId::new(inner.now(), inner.ports.entropy.id_bytes()),
        name: input.name,
        context: input.context,
        version: input.version,
        design: Design {
            description: input.description,
            endpoints: input.endpoints.meant()?,
            protocol: input.protocol.meant()?,
            notice: notice(input.notice),
            headers: input.headers.meant()?,
            mappings: input.mappings.into_iter().map(Into::into).collect(),
            topics: input.topics.meant()?,
            scopes: scopes::meant(input.scopes, &own_roles)?,
            security: input.security.meant()?,
            issuers: input.issuers.map(AcceptedIssuers::named).unwrap_or_default(),
            plans: input.plans,
            api_policy: input.api_policy,
        },
        publish: input.publish,
        demo: false,
    });
    let api = made(inner.execute(&actor, command).await?)?;
    Ok(Created(format!("/api/v1/apis/{}", api.id), shown(&inner, api)))
}

/// Replace the working copy
#[utoipa::path(put, path = "/apis/{id}", tag = "apis", operation_id = "updateApi", request_body = ApiChange,
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = ApiAnswer), (status = 412, body = ProblemDocument),
        (status = "default", body = ProblemDocument)))]
pub(crate) async fn update(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
    Json(input): Json<ApiChange>,
) -> Result<Tagged<ApiAnswer>, Problem> {
    let actor = caller.may_either(Permission::ApiCreate, Permission::ApiPublish)?;
    let based_on = required_if_match(&headers)?;
    let before = viewed(&inner, &caller, id).await?.design;
    let command = Command::UpdateApi(UpdateApi {
        id: ApiId(id),
        based_on,
        design: Design {
            description: input.description,
            endpoints: input.endpoints.meant()?,
            protocol: input.protocol.map_or(Ok(before.protocol), ProtocolInput::meant)?,
            notice: input.notice.applied_to(before.notice, notice),
            headers: input.headers.map_or(Ok(before.headers), HeadersInput::meant)?,
            mappings: input
                .mappings
                .map_or(before.mappings, |mappings| mappings.into_iter().map(Into::into).collect()),
            topics: input.topics.map_or(Ok(before.topics), TopicsInput::meant)?,
            scopes: match input.scopes {
                Some(scopes) => scopes::meant(scopes, &inner.ports.catalog.own_roles().await?)?,
                None => before.scopes,
            },
            security: input.security.map_or(Ok(before.security), SecurityInput::meant)?,
            issuers: input.issuers.map_or(before.issuers, AcceptedIssuers::named),
            plans: input.plans,
            api_policy: input.api_policy.applied_to(before.api_policy, |name| name),
        },
        is_default_version: input.is_default_version,
    });
    Ok(shown(&inner, made(inner.execute(&actor, command).await?)?))
}

/// Delete an API
///
/// One that has subscriptions is refused with 409 until it is retired, which ends them.
#[utoipa::path(delete, path = "/apis/{id}", tag = "apis", operation_id = "deleteApi",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let actor = caller.may(Permission::ApiCreate)?;
    let command = Command::DeleteApi { id: ApiId(id), based_on: if_match(&headers) };
    inner.execute(&actor, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a new version of an API, with a copy of its working copy
#[utoipa::path(post, path = "/apis/{id}/versions", tag = "apis", operation_id = "createVersion",
    request_body = NewVersion, params(("id" = Uuid, Path)),
    responses((status = 201, body = ApiAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn new_version(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    Json(input): Json<NewVersion>,
) -> Result<Created<Tagged<ApiAnswer>>, Problem> {
    let actor = caller.may(Permission::ApiCreate)?;
    let command = Command::CreateVersion(CreateVersion {
        source: ApiId(id),
        id: ApiId::new(inner.now(), inner.ports.entropy.id_bytes()),
        version: input.version,
        default: input.default,
    });
    let api = made(inner.execute(&actor, command).await?)?;
    Ok(Created(format!("/api/v1/apis/{}", api.id), shown(&inner, api)))
}
