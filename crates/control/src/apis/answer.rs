//! An API as REST shows it, and an endpoint as REST takes and shows it.

use serde::{Deserialize, Serialize};
use tidegate_model::{
    api::Api,
    endpoint::{self, Endpoint, Endpoints},
    lifecycle::{Event, Missing, missing},
    route::{base_path, default_path},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::protocol::ProtocolAnswer;
use crate::settings::Settings;

/// An endpoint as it is given: what is absent takes its default.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointInput {
    /// `ws://` or `wss://` address of the backend.
    #[schema(example = "ws://localhost:9098")]
    url: String,
    /// Milliseconds to open the connection.
    connect_timeout_ms: Option<u32>,
    /// Milliseconds for the backend to answer the handshake.
    handshake_timeout_ms: Option<u32>,
    /// Milliseconds without any frame after which a session is closed.
    idle_timeout_ms: Option<u32>,
}

impl From<EndpointInput> for Endpoint {
    fn from(input: EndpointInput) -> Self {
        Self {
            url: input.url,
            connect_timeout_ms: input.connect_timeout_ms.unwrap_or(endpoint::CONNECT_TIMEOUT.default),
            handshake_timeout_ms: input.handshake_timeout_ms.unwrap_or(endpoint::HANDSHAKE_TIMEOUT.default),
            idle_timeout_ms: input.idle_timeout_ms.unwrap_or(endpoint::IDLE_TIMEOUT.default),
        }
    }
}

/// The endpoints of an API as they are given.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointsInput {
    /// For production keys.
    production: Option<EndpointInput>,
    /// For sandbox keys.
    sandbox: Option<EndpointInput>,
}

impl From<EndpointsInput> for Endpoints {
    fn from(input: EndpointsInput) -> Self {
        Self { production: input.production.map(Endpoint::from), sandbox: input.sandbox.map(Endpoint::from) }
    }
}

/// An endpoint with all its settings.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Endpoint)]
pub(crate) struct EndpointAnswer {
    url: String,
    connect_timeout_ms: u32,
    handshake_timeout_ms: u32,
    idle_timeout_ms: u32,
}

impl From<Endpoint> for EndpointAnswer {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            url: endpoint.url,
            connect_timeout_ms: endpoint.connect_timeout_ms,
            handshake_timeout_ms: endpoint.handshake_timeout_ms,
            idle_timeout_ms: endpoint.idle_timeout_ms,
        }
    }
}

/// The endpoints of an API; an absent one is not declared.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Endpoints)]
pub(crate) struct EndpointsAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    production: Option<EndpointAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<EndpointAnswer>,
}

/// Where clients connect to.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ApiUrls)]
pub(crate) struct Urls {
    ws: String,
    wss: String,
    /// Without the version; only of the default version.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_ws: Option<String>,
    /// Without the version; only of the default version.
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
    is_default_version: bool,
    demo: bool,
    created_at: String,
    updated_at: String,
    /// The working copy's endpoints.
    endpoints: EndpointsAnswer,
    /// The working copy's compression, checks and sizes.
    protocol: ProtocolAnswer,
    /// The working copy's plans.
    plans: Vec<String>,
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
        endpoints: EndpointsAnswer {
            production: api.design.endpoints.production.map(EndpointAnswer::from),
            sandbox: api.design.endpoints.sandbox.map(EndpointAnswer::from),
        },
        protocol: api.design.protocol.into(),
        live: api
            .live
            .map(|live| LiveAnswer { revision: live.revision, deployed_at: live.deployed_at.rfc3339() }),
        description: api.design.description,
        plans: api.design.plans,
        name: api.name,
        context: api.context,
        version: api.version,
        etag: api.etag.to_string(),
    }
}
