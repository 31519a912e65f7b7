//! One HTTP/1.1 exchange: the WebSocket handshake (RFC 6455, section 4), or a request for a token.
//!
//! The handshake is an ordinary HTTP request here, so that a refusal can be read to its end and shown in words.

use std::{fmt, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    body::{Bytes, Incoming},
    upgrade::Upgraded,
};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use serde::Deserialize;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{handshake::derive_accept_key, protocol::Role},
};
use url::Url;

use super::trust;

/// Time to connect and be answered: as long as a person waits before he doubts.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Most of an answer that is read; a problem document is far shorter.
const BODY_BYTES_MAX: usize = 64 << 10;

/// An open WebSocket.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// What the handshake asks for.
pub(super) struct Opening<'a> {
    pub(super) url: &'a Url,
    pub(super) token: Option<String>,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) subprotocols: Vec<String>,
}

/// How the handshake was answered.
pub(super) enum Answer {
    /// With 101.
    Open { socket: Box<Socket>, subprotocol: Option<String> },
    /// With anything else.
    Refused(Refusal),
}

/// A refused handshake, for a person.
pub(super) struct Refusal {
    status: StatusCode,
    retry_after: Option<String>,
    problem: Problem,
}

/// What RFC 9457 says a problem tells.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub(crate) title: Option<String>,
    pub(crate) detail: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refused with {}", self.status)?;
        let Problem { title, detail, kind } = &self.problem;
        for text in [title, detail].into_iter().flatten() {
            write!(f, "\n  {text}")?;
        }
        if let Some(seconds) = &self.retry_after {
            write!(f, "\n  Try again in {seconds} s.")?;
        }
        kind.as_ref().map_or(Ok(()), |kind| write!(f, "\n  ({kind})"))
    }
}

/// Opens a WebSocket, or says why it was refused.
pub(super) async fn open(opening: &Opening<'_>, tls: &Arc<ClientConfig>) -> Result<Answer> {
    let mut nonce = [0; 16];
    aws_lc_rs::rand::fill(&mut nonce).ok().context("the system has no randomness")?;
    let key = STANDARD.encode(nonce);
    let mut request = Request::get(target(opening.url))
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, &key);
    if let Some(token) = &opening.token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if !opening.subprotocols.is_empty() {
        request = request.header(header::SEC_WEBSOCKET_PROTOCOL, opening.subprotocols.join(", "));
    }
    for (name, value) in &opening.headers {
        request = request.header(name, value);
    }
    let request = request
        .body(Full::default())
        .context("a header cannot be sent; look at --subprotocol and --token")?;
    let answer = timeout(TIMEOUT, exchange(opening.url, tls, request)).await;
    let response = answer.map_err(|_| too_slow(opening.url))??;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(Answer::Refused(refusal(response).await));
    }
    let text = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(header::SEC_WEBSOCKET_ACCEPT) != Some(derive_accept_key(key.as_bytes()).as_str()) {
        bail!(
            "{} answered 101 to another handshake than ours; it is no WebSocket backend",
            place(opening.url)
        );
    }
    let subprotocol = text(header::SEC_WEBSOCKET_PROTOCOL).map(str::to_owned);
    let stream = hyper::upgrade::on(response).await.context("the connection broke after the handshake")?;
    let socket = WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Client, None).await;
    Ok(Answer::Open { socket: Box::new(socket), subprotocol })
}

/// Posts a form and answers the status and the body.
pub(super) async fn post_form(
    url: &Url,
    tls: &Arc<ClientConfig>,
    authorization: &str,
    form: &str,
) -> Result<(StatusCode, Bytes)> {
    let request = Request::post(target(url))
        .header(header::AUTHORIZATION, authorization)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::copy_from_slice(form.as_bytes())))
        .context("the key's id or secret has characters that cannot be sent")?;
    call(url, tls, request).await
}

/// Sends a request to this address and answers the status and the body.
pub(crate) async fn call(
    url: &Url,
    tls: &Arc<ClientConfig>,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes)> {
    let answered = async {
        let response = exchange(url, tls, request).await?;
        let status = response.status();
        Ok((status, body(response).await))
    };
    timeout(TIMEOUT, answered).await.map_err(|_| too_slow(url))?
}

async fn exchange(
    url: &Url,
    tls: &Arc<ClientConfig>,
    mut request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>> {
    let authority = url.host_str().map(|host| match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    });
    let authority =
        HeaderValue::from_str(&authority.unwrap_or_default()).context("the address names no host")?;
    request.headers_mut().entry(header::HOST).or_insert(authority);
    let stream = connect(url, tls).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // Ends by itself when the exchange is over, or hands the stream to the upgrade.
    tokio::spawn(connection.with_upgrades());
    sender
        .send_request(request)
        .await
        .with_context(|| format!("{} does not answer like an HTTP server", place(url)))
}

/// A byte stream, plain or TLS.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn connect(url: &Url, tls: &Arc<ClientConfig>) -> Result<Box<dyn Stream>> {
    let host = url.host_str().context("the address names no host")?.trim_matches(['[', ']']);
    let secured = matches!(url.scheme(), "wss" | "https");
    let port = url.port_or_known_default().unwrap_or(if secured { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await;
    let stream = stream.with_context(|| format!("cannot connect to {}", place(url)))?;
    // A message is one small write that should leave at once; failing to say so only costs time.
    let _ = stream.set_nodelay(true);
    if !secured {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(host.to_owned()).context("the address names no host")?;
    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
    Ok(Box::new(stream.map_err(|error| trust::failure(&place(url), &error))?))
}

/// Path and query: what stands in a request line.
pub(crate) fn target(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

fn place(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

fn too_slow(url: &Url) -> anyhow::Error {
    anyhow::anyhow!("{} did not answer within {} s", place(url), TIMEOUT.as_secs())
}

async fn refusal(response: Response<Incoming>) -> Refusal {
    let status = response.status();
    let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.map(str::to_owned);
    // A refusal without a readable problem still has its status to show.
    let body = timeout(TIMEOUT, body(response)).await.unwrap_or_default();
    Refusal { status, retry_after, problem: serde_json::from_slice(&body).unwrap_or_default() }
}

async fn body(response: Response<Incoming>) -> Bytes {
    let limited = Limited::new(response.into_body(), BODY_BYTES_MAX).collect().await;
    limited.map(http_body_util::Collected::to_bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests;
