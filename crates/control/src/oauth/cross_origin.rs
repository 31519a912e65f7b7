//! Which endpoints pages of other origins may call and read (the Fetch standard's CORS protocol): a client that is a page
//! redeems its code from there.
//!
//! Everybody may, and never with cookies: no endpoint here looks at one, `*` forbids browsers to send them, and what a page
//! presents it has to know (a code with its verifier, a token). Introspection and REST are none of these endpoints.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};

use crate::state::Control;

/// What a page may send beside what every page may.
const SENT: HeaderValue = HeaderValue::from_static("authorization, content-type, dpop");
/// What a page may read beside the body.
const READ: HeaderValue = HeaderValue::from_static("www-authenticate, dpop-nonce, retry-after");
/// How long a browser may remember that it may, in seconds; more than two hours Chromium does not.
const REMEMBERED_SECONDS: HeaderValue = HeaderValue::from_static("7200");
const EVERYONE: HeaderValue = HeaderValue::from_static("*");
const PREFLIGHT: HeaderName = header::ACCESS_CONTROL_REQUEST_METHOD;

/// The same endpoint for pages of every origin. `methods` are those that it takes.
pub(crate) fn open(endpoint: MethodRouter<Control>, methods: &'static str) -> MethodRouter<Control> {
    endpoint
        .options(move |headers: HeaderMap| async move { options(&headers, methods) })
        .layer(axum::middleware::map_response(readable))
}

async fn readable(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, EVERYONE);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READ);
    response
}

fn options(headers: &HeaderMap, methods: &'static str) -> Response {
    let methods = HeaderValue::from_static(methods);
    if !headers.contains_key(PREFLIGHT) {
        return (StatusCode::NO_CONTENT, [(header::ALLOW, methods)]).into_response();
    }
    let told = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, SENT),
        (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED_SECONDS),
    ];
    (StatusCode::NO_CONTENT, told).into_response()
}
