//! The shell of the portal, its assets, and the pages that problem types link to.
//!
//! It knows the portal as a bag of files; what is in them is the portal's. Every answer of the listener gets its
//! security headers and request id here.

use std::{borrow::Cow, sync::Arc};

use axum::{
    extract::{Path, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};

use tidegate_model::audit::Attempted;

use crate::{
    authenticate::address_of,
    oauth::ClientRefused,
    problem::{KINDS, Problem, finish},
    state::Control,
};

/// A file of the built portal.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its bytes.
    pub bytes: Cow<'static, [u8]>,
    /// Its media type.
    pub content_type: String,
    /// Its entity tag, without quotes.
    pub etag: String,
}

/// Finds a file of the built portal by its path, without a leading `/`.
pub type Assets = Arc<dyn Fn(&str) -> Option<Asset> + Send + Sync>;

/// What a browser is told when the portal was not built.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><title>Tidegate</title><h1>The portal is not built</h1>\
<p>This binary was built without the portal. Run <code>cargo xtask run</code>, which builds both.</p></html>";

/// The portal's page, whichever of its addresses was asked for.
pub(crate) async fn shell(State(Control(inner)): State<Control>, request: Request) -> Response {
    match (inner.assets)("index.html") {
        Some(asset) => file(&request, asset, "no-cache"),
        None => (StatusCode::SERVICE_UNAVAILABLE, Html(NOT_BUILT)).into_response(),
    }
}

/// A file with a hash in its name: it never changes.
pub(crate) async fn asset(State(Control(inner)): State<Control>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    match (inner.assets)(&path) {
        Some(asset) => file(&request, asset, "public, max-age=31536000, immutable"),
        None => Problem::NotFound("file").into_response(),
    }
}

/// Any other address: a file of the portal's root, or nothing; a person is told so by the portal's own page.
pub(crate) async fn other(State(Control(inner)): State<Control>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    match (inner.assets)(&path) {
        Some(asset) if path != "index.html" => file(&request, asset, "public, max-age=3600"),
        _ if wants_html(&request) => match (inner.assets)("index.html") {
            Some(asset) => (StatusCode::NOT_FOUND, file(&request, asset, "no-store")).into_response(),
            None => Problem::NotFound("page").into_response(),
        },
        _ => Problem::NotFound("page").into_response(),
    }
}

fn wants_html(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn file(request: &Request, asset: Asset, cache: &'static str) -> Response {
    let etag = format!("\"{}\"", asset.etag);
    let known =
        request.headers().get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
    let fields = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, cache.to_owned()),
        (header::ETAG, etag),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, fields).into_response();
    }
    (fields, asset.bytes.into_owned()).into_response()
}

/// A page about a kind of problem, of REST or of a gateway.
pub(crate) async fn problem_kind(
    State(Control(inner)): State<Control>,
    Path(kind): Path<String>,
) -> Response {
    let rest = KINDS.iter().find(|(word, ..)| *word == kind);
    let rest = rest.map(|(word, status, title, text)| (*word, *title, format!("{text} Status {status}.")));
    let gateways = || {
        let settings = inner.settings.load();
        let found = settings.gateway_problems.iter().find(|(word, _)| *word == kind)?;
        let text =
            "A gateway refused a WebSocket handshake; the detail of the answer says why and what to do.";
        Some((found.0, found.1, text.to_owned()))
    };
    let Some((word, title, text)) = rest.or_else(gateways) else {
        return Problem::NotFound("kind of problem").into_response();
    };
    Html(format!(
        "<!doctype html><html lang=\"en\"><title>{title}</title><h1>{title}</h1><p>{text}</p>\
         <p>Kind <code>{word}</code>.</p></html>"
    ))
    .into_response()
}

/// Methods that an address does not take.
pub(crate) async fn no_method() -> Problem {
    Problem::MethodNotAllowed
}

/// The outermost layer: a request id, problems written out, security headers.
pub(crate) async fn envelope(
    State(Control(inner)): State<Control>,
    request: Request,
    next: Next,
) -> Response {
    const ID: HeaderName = HeaderName::from_static("x-request-id");
    let mut bytes = [0; 10];
    inner.ports.entropy.fill(&mut bytes);
    let id: String = tidegate_model::id::TokenId::new(inner.now(), bytes).0.simple().to_string();
    let settings = inner.settings.load_full();
    let address = address_of(request.extensions());
    let mut response = finish(next.run(request).await, &settings.portal_url, &id);
    if let (Some(address), Some(ClientRefused)) = (address, response.extensions().get()) {
        inner.attempts.count(Attempted::ClientRefused, None, address, inner.now());
    }
    let headers = response.headers_mut();
    let secure = settings.portal_url.strip_prefix("https://").unwrap_or_default();
    let policy = format!(
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
         connect-src 'self' wss://{secure}; object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    );
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        // A page that says more of itself knows better.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    }
    // On localhost it would bind every other project on this machine to our self-signed certificate.
    if settings.host != "localhost" {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(ID, id);
    }
    response
}
