//! Phase two: the head of the request, read from the socket under a deadline and judged before anything is looked up.
//!
//! The raw check of `tidegate_wire` sees every byte first, then `httparse` reads the head, then `tidegate_wire` says
//! whether it is a WebSocket handshake. Bytes behind the head stay here until the backend has said 101. It does not
//! know routes or credentials.

use std::time::Duration;

use tidegate_wire::{
    deflate::{Agreed, Offer},
    handshake::{
        self, HandshakeKey, RequestLine, Upgrade, UpgradeError,
        raw::{FIELDS_MAX, RawHead},
    },
};
use tokio::{io::AsyncReadExt as _, time::timeout};

use crate::{
    answer::Answer, certificate::Thumbprint, counter::Wants, quota::Fields, refusal::Refusal, stream::Stream,
};

/// Time for the whole head. A browser sends it in one segment; ten seconds allow for a bad mobile link and end a
/// client that sends a byte a second long before it is a burden.
pub(crate) const HEAD_DEADLINE: Duration = Duration::from_secs(10);
/// What is asked of the socket at once: most heads fit, and what comes behind a head is bounded by it.
const READ_BYTES: usize = 2 * 1024;

/// A client's handshake, whichever version of HTTP it came over.
#[derive(Debug)]
pub(crate) struct Request {
    /// Host and port as the client wrote them.
    pub(crate) authority: String,
    /// Path without query.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    /// The subprotocols offered, in order.
    pub(crate) subprotocols: Vec<String>,
    /// The offers of permessage-deflate, in order.
    pub(crate) deflate: Vec<Offer>,
    /// Every header as written, names in lower case.
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    /// The certificate that the client shows, as its connection or a trusted proxy says.
    pub(crate) certificate: Option<Thumbprint>,
}

/// What a client asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// A WebSocket.
    Handshake {
        request: Box<Request>,
        key: HandshakeKey,
        /// What came behind the head.
        early: Vec<u8>,
    },
    /// Whether the gateway lives.
    Health {
        /// It was a GET, and not a HEAD.
        wants_body: bool,
    },
    /// A ticket, or leave to ask for one.
    Ticket { request: Box<Request>, wants: Wants },
}

/// Why there is no request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoRequest {
    /// The client is gone; there is nobody to answer.
    Gone,
    /// It is refused.
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for NoRequest {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// Reads and judges a request.
pub(crate) async fn read(stream: &mut Stream) -> Result<Asked, NoRequest> {
    timeout(HEAD_DEADLINE, head(stream)).await.map_err(|_| Refusal::Slow)?
}

async fn head(stream: &mut Stream) -> Result<Asked, NoRequest> {
    let mut bytes = Vec::with_capacity(READ_BYTES);
    let mut raw = RawHead::new();
    loop {
        if let Some(len) = raw.judge(&bytes).map_err(Refusal::from)? {
            let early = bytes.split_off(len);
            return judge(&bytes, early);
        }
        bytes.reserve(READ_BYTES);
        match (&mut *stream).take(READ_BYTES as u64).read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return Err(NoRequest::Gone),
            Ok(_) => {}
        }
    }
}

fn judge(head: &[u8], early: Vec<u8>) -> Result<Asked, NoRequest> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut parsed = httparse::Request::new(&mut fields);
    let (Ok(httparse::Status::Complete(_)), Some(method), Some(target), Some(http1_minor)) =
        (parsed.parse(head), parsed.method, parsed.path, parsed.version)
    else {
        return Err(Refusal::NotHttp.into());
    };
    let headers = || parsed.headers.iter().map(|field| (field.name, field.value));
    let line = RequestLine { method, target, http1_minor };
    if is_health(line, headers) {
        return Ok(Asked::Health { wants_body: method == "GET" });
    }
    if let Some(wants) = Wants::of(method, path_of(target)) {
        // What is lawful in a request is judged as ever; only that it asks for no upgrade is right here.
        let judged = handshake::judge(RequestLine { method: "GET", ..line }, headers());
        return match judged {
            Err(UpgradeError::NotAnUpgrade) => {
                let host = headers().find(|(name, _)| name.eq_ignore_ascii_case("host"));
                let authority = host.and_then(|(_, value)| std::str::from_utf8(value).ok());
                let request =
                    Request::new(authority.unwrap_or_default().trim(), target, &[], Vec::new(), headers());
                Ok(Asked::Ticket { request: Box::new(request), wants })
            }
            Err(error) => Err(error.into()),
            Ok(_) => Err(UpgradeError::Method.into()),
        };
    }
    let upgrade = handshake::judge(line, headers())?;
    let Upgrade { key, authority, path_and_query, subprotocols, deflate } = upgrade;
    let request = Request::new(authority, path_and_query, &subprotocols, deflate, headers());
    Ok(Asked::Handshake { request: Box::new(request), key, early })
}

impl Request {
    pub(crate) fn new<'h>(
        authority: &str,
        path_and_query: &str,
        subprotocols: &[&str],
        deflate: Vec<Offer>,
        headers: impl Iterator<Item = (&'h str, &'h [u8])>,
    ) -> Self {
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (path_and_query, None),
        };
        Self {
            authority: authority.to_owned(),
            path: path.to_owned(),
            query,
            subprotocols: subprotocols.iter().map(|&offer| offer.to_owned()).collect(),
            deflate,
            headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec())).collect(),
            certificate: None,
        }
    }
}

/// A target without its query.
fn path_of(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}

/// Whether it is an ordinary request that asks whether the gateway lives. Health checks of proxies speak HTTP/1.0, which
/// knows no `Host`, or send a HEAD; what else is lawful in a request is judged as ever.
fn is_health<'h, H>(line: RequestLine<'h>, headers: impl Fn() -> H) -> bool
where
    H: Iterator<Item = (&'h str, &'h [u8])>,
{
    if line.target != "/health" || !matches!(line.method, "GET" | "HEAD") {
        return false;
    }
    let has = |wanted: &str| headers().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    match handshake::judge(RequestLine { method: "GET", http1_minor: 1, ..line }, headers()) {
        Err(UpgradeError::NotAnUpgrade) => true,
        Err(UpgradeError::Host) => line.http1_minor == 0 && !has("host") && !has("upgrade"),
        Ok(_) | Err(_) => false,
    }
}

/// The answer that makes the client's connection a WebSocket.
pub(crate) fn switching(
    key: &HandshakeKey,
    subprotocol: Option<&str>,
    deflate: Option<&Agreed>,
    quota: Option<&Fields>,
    instance: &str,
) -> Vec<u8> {
    let extensions = deflate.map(|it| format!("Sec-WebSocket-Extensions: {it}\r\n")).unwrap_or_default();
    let protocol = subprotocol.map(|it| format!("Sec-WebSocket-Protocol: {it}\r\n")).unwrap_or_default();
    let quota = quota.map(|it| it.headers().map(|(name, value)| format!("{name}: {value}\r\n")).concat());
    let quota = quota.unwrap_or_default();
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{protocol}{extensions}{quota}X-Request-Id: {instance}\r\n\r\n",
        handshake::accept_key(key),
    )
    .into_bytes()
}

/// The answer to whoever asks whether the gateway lives. Without its body it says how long that would be (RFC 9110
/// section 9.3.2).
pub(crate) fn healthy(wants_body: bool) -> Answer {
    Answer {
        status: 200,
        headers: Vec::new(),
        content_type: "text/plain",
        body: "ok\n".to_owned(),
        is_head_only: !wants_body,
    }
}

#[cfg(test)]
mod tests;
