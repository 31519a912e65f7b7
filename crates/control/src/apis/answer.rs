//! An API as REST shows it.

use serde::Serialize;
use serde_json::{Map, Value};
use tidegate_model::{
    api::Api,
    lifecycle::{Event, Missing, missing},
    route::{base_path, default_path},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    endpoint::EndpointsAnswer,
    passing::{HeadersAnswer, MappingBody},
    protocol::ProtocolAnswer,
    scopes::ScopeAnswer,
    security::SecurityAnswer,
    topics::TopicsAnswer,
};
use crate::settings::Settings;

/// Where clients connect to.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ApiUrls)]
pub(crate) struct Urls {
    ws: String,
    wss: String,
    /// Without the version; only of the default version, and of one that will be when it goes live.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_ws: Option<String>,
    /// Without the version; only of the default version, and of one that will be when it goes live.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_wss: Option<String>,
}

pub(crate) fn urls(settings: &Settings, api: &Api) -> Urls {
    let path = base_path(&api.context, &api.version);
    let default = api.is_default_version.then(|| default_path(&api.context));
    Urls {
        ws: format!("{}{path}", settings.ws_url),
        wss: format!("{}{path}", settings.wss_url),
        default_ws: default.as_ref().map(|path| format!("{}{path}", settings.ws_url)),
        default_wss: default.as_ref().map(|path| format!("{}{path}", settings.wss_url)),
    }
}

/// What is live.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Live)]
pub(crate) struct LiveAnswer {
    revision: u32,
    deployed_at: String,
}

/// A field in which the working copy differs from what is live.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Difference)]
pub(crate) struct DifferenceAnswer {
    #[schema(example = "endpoints.production.url")]
    field: String,
    #[schema(required)]
    live: Option<String>,
    #[schema(required)]
    working: Option<String>,
}

/// Something that is missing before the API can be published.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Missing)]
pub(crate) struct MissingAnswer {
    /// `endpoint` or `plan`.
    what: &'static str,
    /// What to do about it.
    detail: &'static str,
}

impl From<Missing> for MissingAnswer {
    fn from(item: Missing) -> Self {
        let what = match item {
            Missing::Endpoint => "endpoint",
            Missing::Plan => "plan",
        };
        Self { what, detail: item.detail() }
    }
}

/// An API.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Api)]
pub(crate) struct ApiAnswer {
    id: Uuid,
    name: String,
    context: String,
    version: String,
    description: String,
    /// `created`, `prototyped`, `published`, `blocked`, `deprecated` or `retired`.
    state: String,
    /// Who made it.
    owner: String,
    /// Whether it answers without the version as well; while nothing of it is live, whether it will.
    is_default_version: bool,
    demo: bool,
    created_at: String,
    updated_at: String,
    /// The working copy's endpoints.
    endpoints: EndpointsAnswer,
    /// The working copy's compression, checks and sizes.
    protocol: ProtocolAnswer,
    /// What clients are told of messages that were dropped, by the working copy; null: nothing.
    #[schema(required, value_type = Option<Object>)]
    notice: Option<Map<String, Value>>,
    /// Which headers a backend gets, by the working copy.
    headers: HeadersAnswer,
    /// The working copy's topic mappings.
    mappings: Vec<MappingBody>,
    /// Who may send on which topic, by the working copy.
    topics: TopicsAnswer,
    /// What topics may ask tokens for, by the working copy.
    scopes: Vec<ScopeAnswer>,
    /// How clients prove who they are, by the working copy.
    security: SecurityAnswer,
    /// Whose tokens are accepted: names of key managers, `resident` for our own; `all` alone: those of all.
    issuers: Vec<String>,
    /// The working copy's plans.
    plans: Vec<String>,
    /// Name of the working copy's API policy, which all who use the API are held to together; null: none.
    #[schema(required)]
    api_policy: Option<String>,
    urls: Urls,
    /// The revision that gateways serve; null when none.
    #[schema(required)]
    live: Option<LiveAnswer>,
    /// In what the working copy differs from what is live.
    differs: Vec<DifferenceAnswer>,
    /// What is missing to publish it.
    missing: Vec<MissingAnswer>,
    /// For `If-Match`.
    etag: String,
}

pub(crate) fn api_answer(settings: &Settings, api: Api) -> ApiAnswer {
    let differs = api.differences().into_iter().map(|difference| DifferenceAnswer {
        field: difference.field,
        live: difference.live,
        working: difference.working,
    });
    ApiAnswer {
        id: api.id.0,
        urls: urls(settings, &api),
        differs: differs.collect(),
        missing: missing(&api.design, Event::Publish).into_iter().map(MissingAnswer::from).collect(),
        state: api.state.as_str().to_owned(),
        owner: api.owner_name,
        is_default_version: api.is_default_version,
        demo: api.demo,
        created_at: api.created_at.rfc3339(),
        updated_at: api.updated_at.rfc3339(),
        endpoints: api.design.endpoints.into(),
        protocol: api.design.protocol.into(),
        notice: api.design.notice.map(|notice| notice.shape().clone()),
        headers: api.design.headers.into(),
        mappings: api.design.mappings.into_iter().map(MappingBody::from).collect(),
        topics: api.design.topics.into(),
        scopes: api.design.scopes.into_iter().map(ScopeAnswer::from).collect(),
        security: api.design.security.into(),
        live: api
            .live
            .map(|live| LiveAnswer { revision: live.revision, deployed_at: live.deployed_at.rfc3339() }),
        description: api.design.description,
        issuers: api.design.issuers.names(),
        plans: api.design.plans,
        api_policy: api.design.api_policy,
        name: api.name,
        context: api.context,
        version: api.version,
        etag: api.etag.to_string(),
    }
}
