//! What the product says of itself to everyone: addresses, version, bounds. `GET /settings`.

use std::num::NonZeroU32;

use axum::extract::State;
use serde::Serialize;
use tidegate_model::{
    endpoint::{self, Bounds, health},
    forwarded::TrustedProxies,
    headers, mapping, protocol,
};
use tidegate_oauth::jwk::Algorithm;
use utoipa::ToSchema;

use crate::{body::Answer, problem::ProblemDocument, state::Control};

/// What pages and answers show, decided by the configuration and the listeners.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Public host name.
    pub host: String,
    /// Version of the product.
    pub version: String,
    /// Address of the portal, without a final `/`.
    pub portal_url: String,
    /// Address of the gateway's plain listener, without a final `/`.
    pub ws_url: String,
    /// Address of the gateway's TLS listener, without a final `/`.
    pub wss_url: String,
    /// `iss` of the tokens, and the base of problem types.
    pub issuer: String,
    /// Address of the echo backend, if there is one.
    pub echo_url: Option<String>,
    /// Whether there is demo data.
    pub demo: bool,
    /// The issuer's signing keys.
    pub keys: KeySettings,
    /// Who may say for whom it connects.
    pub trusted: TrustedProxies,
    /// They say which certificate their client has shown, in `Client-Cert` (RFC 9440), and let none of a client's own pass.
    pub client_cert: bool,
    /// Kinds of problems that gateways answer with, by the last word of their `type`, with their titles: their types
    /// lead to pages of this listener too.
    pub gateway_problems: Vec<(&'static str, &'static str)>,
}

/// How the issuer's signing keys are made and changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySettings {
    /// What new keys sign with.
    pub algorithm: Algorithm,
    /// After how many days another key takes over; `None`: only when somebody says so.
    pub rotate_after_days: Option<NonZeroU32>,
}

/// ES256: every library that follows RFC 9068 or OpenID Connect reads it, its tokens are a third shorter than those of
/// RS256, and it signs thirty times faster.
pub const SIGNING_ALGORITHM: Algorithm = Algorithm::Es256;
/// A quarter: often enough that whoever verifies has to follow the key set, and that a key that leaked unseen dies;
/// seldom enough that a rotation is never a surprise. (NIST SP 800-57 would let a signing key live for years.)
pub const ROTATE_AFTER_DAYS: NonZeroU32 = NonZeroU32::new(90).unwrap();

impl Default for KeySettings {
    fn default() -> Self {
        Self { algorithm: SIGNING_ALGORITHM, rotate_after_days: Some(ROTATE_AFTER_DAYS) }
    }
}

/// Default, least and greatest value, in the unit that the name says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bounds)]
pub(crate) struct BoundsAnswer {
    default: u32,
    min: u32,
    max: u32,
}

impl From<Bounds> for BoundsAnswer {
    fn from(Bounds { default, min, max }: Bounds) -> Self {
        Self { default, min, max }
    }
}

/// Bounds of an endpoint's settings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndpointBounds {
    connect_timeout_ms: BoundsAnswer,
    tls_timeout_ms: BoundsAnswer,
    handshake_timeout_ms: BoundsAnswer,
    idle_timeout_ms: BoundsAnswer,
    ping_interval_ms: BoundsAnswer,
    pong_timeout_ms: BoundsAnswer,
    lifetime_max_ms: BoundsAnswer,
    suspension_after_failures: BoundsAnswer,
    suspension_first_ms: BoundsAnswer,
    suspension_max_ms: BoundsAnswer,
    /// 0 for no checks; else at least 100.
    health_interval_ms: BoundsAnswer,
    health_timeout_ms: BoundsAnswer,
    health_unhealthy_after: BoundsAnswer,
    health_healthy_after: BoundsAnswer,
    /// Most addresses of one endpoint, the first included.
    targets_max: usize,
}

/// Bounds of an API's protocol.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProtocolBounds {
    message_bytes_max: BoundsAnswer,
    frame_bytes_max: BoundsAnswer,
}

/// Bounds of what passes to a backend beside the messages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PassingBounds {
    /// Rules for headers of one kind.
    header_rules_max: usize,
    /// Names that a value in braces can have.
    placeholders: Vec<&'static str>,
    mappings_max: usize,
}

/// What everyone may know of this installation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settings)]
pub(crate) struct SettingsAnswer {
    /// Always `Tidegate`.
    product: &'static str,
    version: String,
    host: String,
    portal_url: String,
    ws_url: String,
    wss_url: String,
    issuer: String,
    /// Where access tokens are asked for.
    token_url: String,
    /// The built-in echo backend, if there is one.
    #[schema(required)]
    echo_url: Option<String>,
    demo: bool,
    endpoint_bounds: EndpointBounds,
    protocol_bounds: ProtocolBounds,
    passing_bounds: PassingBounds,
}

/// What this installation is and where it answers
#[utoipa::path(get, path = "/settings", tag = "settings", operation_id = "getSettings",
    responses((status = 200, body = SettingsAnswer), (status = "default", body = ProblemDocument)), security(()))]
pub(crate) async fn get(State(Control(inner)): State<Control>) -> Answer<SettingsAnswer> {
    let settings = inner.settings.load();
    Answer(SettingsAnswer {
        product: "Tidegate",
        version: settings.version.clone(),
        host: settings.host.clone(),
        portal_url: settings.portal_url.clone(),
        ws_url: settings.ws_url.clone(),
        wss_url: settings.wss_url.clone(),
        issuer: settings.issuer.clone(),
        token_url: format!("{}/oauth2/token", settings.issuer),
        echo_url: settings.echo_url.clone(),
        demo: settings.demo,
        endpoint_bounds: EndpointBounds {
            connect_timeout_ms: endpoint::CONNECT_TIMEOUT.into(),
            tls_timeout_ms: endpoint::TLS_TIMEOUT.into(),
            handshake_timeout_ms: endpoint::HANDSHAKE_TIMEOUT.into(),
            idle_timeout_ms: endpoint::IDLE_TIMEOUT.into(),
            ping_interval_ms: endpoint::PING_INTERVAL.into(),
            pong_timeout_ms: endpoint::PONG_TIMEOUT.into(),
            lifetime_max_ms: endpoint::LIFETIME.into(),
            suspension_after_failures: endpoint::SUSPEND_AFTER.into(),
            suspension_first_ms: endpoint::SUSPEND_FIRST.into(),
            suspension_max_ms: endpoint::SUSPEND_MAX.into(),
            health_interval_ms: health::INTERVAL.into(),
            health_timeout_ms: health::TIMEOUT.into(),
            health_unhealthy_after: health::UNHEALTHY_AFTER.into(),
            health_healthy_after: health::HEALTHY_AFTER.into(),
            targets_max: endpoint::TARGETS_MAX,
        },
        protocol_bounds: ProtocolBounds {
            message_bytes_max: protocol::MESSAGE_BYTES.into(),
            frame_bytes_max: protocol::FRAME_BYTES.into(),
        },
        passing_bounds: PassingBounds {
            header_rules_max: headers::RULES_MAX,
            placeholders: headers::Placeholder::ALL.map(headers::Placeholder::as_str).to_vec(),
            mappings_max: mapping::MAPPINGS_MAX,
        },
    })
}
