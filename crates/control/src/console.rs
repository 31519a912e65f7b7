//! The console's door: a WebSocket on the portal's own listener, for pages that cannot open another origin's.
//!
//! The upgrade is repeated to the gateway as if its client had connected to the plain listener, and then bytes are
//! passed. A browser cannot read a refused handshake, so a refusal is accepted here and closed at once with the
//! code and the reason.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use sha1::{Digest as _, Sha1};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::UnixStream,
    time::timeout,
};

use crate::{
    authenticate::from_own_origin,
    problem::Problem,
    serve::ClientAddress,
    state::{Control, Inner},
};

#[cfg(test)]
mod tests;

/// How long the gateway may take, its dialling of the backend included.
const ANSWER_PATIENCE: Duration = Duration::from_secs(130);
/// Largest answer head and problem that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 32 * 1_024;
/// Longest reason of a Close, in bytes (RFC 6455, section 5.5).
const REASON_BYTES_MAX: usize = 123;
/// Most fields in an answer head.
const FIELDS_MAX: usize = 64;

const PROTOCOL: HeaderName = header::SEC_WEBSOCKET_PROTOCOL;

/// What the gateway said.
struct Said {
    status: u16,
    accept: Option<HeaderValue>,
    protocol: Option<HeaderValue>,
    /// Seconds until another try may succeed.
    retry_after: Option<u32>,
    /// Bytes behind the head: frames, or the problem.
    rest: Vec<u8>,
}

/// `GET /console/{context}/{version}[/{topic}]`.
pub(crate) async fn open(
    State(Control(inner)): State<Control>,
    ClientAddress(address): ClientAddress,
    request: Request,
) -> Result<Response, Problem> {
    from_own_origin(&inner, request.headers())?;
    let (mut parts, _) = request.into_parts();
    let head = upgrade_head(&inner, &parts.uri, &parts.headers)?;
    let upgrade = parts.extensions.remove::<OnUpgrade>().ok_or_else(not_websocket)?;
    let stream = inner.ports.console.open(address).await?;
    let stream = stream.set_nonblocking(true).and_then(|()| UnixStream::from_std(stream));
    let mut stream = stream.map_err(|_| Problem::Internal("the console's stream cannot be used"))?;
    let said = timeout(ANSWER_PATIENCE, ask(&mut stream, &head)).await.ok().flatten();
    let said = said.ok_or(Problem::Internal("the gateway gave no answer to the console"))?;
    if said.status == 101 {
        let rest = said.rest;
        tokio::spawn(async move {
            let Ok(upgraded) = upgrade.await else { return };
            let mut client = TokioIo::new(upgraded);
            if client.write_all(&rest).await.is_ok() {
                // How it ended is between the two ends; both are closed when this returns.
                let _ = copy_bidirectional(&mut client, &mut stream).await;
            }
        });
        return Ok(switching(said.accept, said.protocol));
    }
    let close = close_frame(&said);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let mut client = TokioIo::new(upgraded);
        if client.write_all(&close).await.is_ok() {
            // The browser answers the Close; reading it lets ours arrive before the connection ends.
            let mut answer = [0; 256];
            let _ = timeout(Duration::from_secs(1), client.read(&mut answer)).await;
            let _ = client.shutdown().await;
        }
    });
    let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    let accept = HeaderValue::from_str(&accept_key(key)).ok();
    Ok(switching(accept, first_offer(&parts.headers)))
}

fn not_websocket() -> Problem {
    Problem::Malformed(
        "This address is opened as a WebSocket, from the console of the developer portal.".to_owned(),
    )
}

/// The upgrade as the gateway gets it: what a WebSocket client sends, and nothing of the portal's session.
fn upgrade_head(inner: &Inner, uri: &axum::http::Uri, headers: &HeaderMap) -> Result<Vec<u8>, Problem> {
    let target = uri.path_and_query().map(axum::http::uri::PathAndQuery::as_str).unwrap_or_default();
    let target =
        target.strip_prefix("/console").filter(|target| target.starts_with('/')).ok_or_else(not_websocket)?;
    let is = |name: HeaderName, value: &str| {
        headers
            .get(name)
            .and_then(|found| found.to_str().ok())
            .is_some_and(|found| found.split(',').any(|word| word.trim().eq_ignore_ascii_case(value)))
    };
    if !is(header::UPGRADE, "websocket") || !is(header::CONNECTION, "upgrade") {
        return Err(not_websocket());
    }
    let settings = inner.settings.load();
    let host = settings.ws_url.split("://").nth(1).unwrap_or(settings.host.as_str());
    let mut head =
        format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
            .into_bytes();
    let passed = [
        header::SEC_WEBSOCKET_KEY,
        header::SEC_WEBSOCKET_VERSION,
        PROTOCOL,
        header::ORIGIN,
        header::USER_AGENT,
    ];
    for name in passed {
        for value in headers.get_all(&name) {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
    }
    head.extend_from_slice(b"\r\n");
    Ok(head)
}

async fn ask(stream: &mut UnixStream, head: &[u8]) -> Option<Said> {
    stream.write_all(head).await.ok()?;
    let mut bytes = Vec::new();
    loop {
        let ended = stream.read_buf(&mut bytes).await.ok()? == 0;
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut parsed = httparse::Response::new(&mut fields);
        if let httparse::Status::Complete(len) = parsed.parse(&bytes).ok()? {
            let field = |name: &str| {
                let found = parsed.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
                found.and_then(|field| HeaderValue::from_bytes(field.value).ok())
            };
            let status = parsed.code?;
            let (accept, protocol) = (field("sec-websocket-accept"), field("sec-websocket-protocol"));
            let retry_after = field("retry-after").and_then(|wait| wait.to_str().ok()?.parse().ok());
            if status == 101 || ended || bytes.len() > ANSWER_BYTES_MAX {
                return Some(Said { status, accept, protocol, retry_after, rest: bytes.split_off(len) });
            }
        }
        if ended || bytes.len() > ANSWER_BYTES_MAX {
            return None;
        }
    }
}

fn switching(accept: Option<HeaderValue>, protocol: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Some(accept) = accept {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(protocol) = protocol {
        headers.insert(PROTOCOL, protocol);
    }
    response
}

/// A browser that offers subprotocols expects one of them in the answer.
fn first_offer(headers: &HeaderMap) -> Option<HeaderValue> {
    let offered = headers.get(PROTOCOL)?.to_str().ok()?;
    HeaderValue::from_str(offered.split(',').next()?.trim()).ok()
}

/// The value of `Sec-WebSocket-Accept` for a key (RFC 6455, section 4.2.2).
fn accept_key(key: &[u8]) -> String {
    let hash = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    STANDARD.encode(hash)
}

/// An unmasked Close frame with the code for the gateway's status, the problem's kind and title, and how long to
/// wait.
fn close_frame(said: &Said) -> Vec<u8> {
    let problem: serde_json::Value = serde_json::from_slice(&said.rest).unwrap_or_default();
    let text = |name: &str| problem.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let kind = text("type").rsplit('/').next().unwrap_or_default();
    let code: u16 = match (said.status, kind) {
        (_, "api-retired") => 3003,
        (_, "restarting") => 1012,
        (_, "overloaded" | "not-ready" | "stalled") => 1013,
        (401, _) => 3000,
        (403, _) => 3003,
        (429, _) => 4429,
        (500, _) => 1011,
        (502..=504, _) => 1014,
        _ => 1008,
    };
    let mut told = serde_json::json!({"reason": kind});
    if let Some(seconds) = said.retry_after {
        told["retry_after"] = seconds.into();
    }
    let short = told.to_string();
    told["title"] = text("title").into();
    let reason = [told.to_string(), short].into_iter().find(|reason| reason.len() <= REASON_BYTES_MAX);
    let reason = reason.unwrap_or_default();
    // The reason is within a control frame, so its length fits the seven bits of the second byte.
    let mut frame = vec![0x88, u8::try_from(2 + reason.len()).unwrap_or(2)];
    frame.extend_from_slice(&code.to_be_bytes());
    frame.extend_from_slice(reason.as_bytes());
    frame
}
