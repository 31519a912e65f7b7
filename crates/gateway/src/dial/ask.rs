//! The handshake with a backend: what is asked in the client's name, and the answer until it is judged.
//!
//! Everything a gateway says about its client is its own: the client cannot add or remove it. Which of the client's
//! headers go on is `passing.rs`'s to say. It does not know addresses or time limits.

use std::io::{self, ErrorKind};

use tidegate_model::{
    endpoint::{Balance, Endpoint},
    headers::is_same_name,
};
use tidegate_wire::{
    deflate::{Agreed, Offer},
    handshake::{
        HandshakeKey, VERSION,
        answer::{self, AnswerError},
        raw::FIELDS_MAX,
    },
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::{Url, form_urlencoded};

use super::{Backend, DialError, Distrust, Shown, passing::Passing};
use crate::{handshake::Request, stream::Stream};

/// The largest head of a backend's answer: as much as a client's request may have.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// What is asked of the socket at once.
const READ_BYTES: usize = 2 * 1024;

/// What a backend is asked.
pub(crate) struct Question {
    head: Vec<u8>,
    key: HandshakeKey,
    subprotocols: Vec<String>,
    deflate: Vec<Offer>,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    /// The client's handshake; none when the gateway asks for itself.
    pub(crate) request: Option<&'a Request>,
    /// The client's address.
    pub(crate) client: Option<std::net::IpAddr>,
    /// `https` where the client came over TLS.
    pub(crate) proto: &'static str,
    /// The session's id.
    pub(crate) instance: &'a str,
    /// What passes beside the handshake; none when the gateway asks for itself.
    pub(crate) passing: Option<&'a Passing<'a>>,
}

impl Asker<'_> {
    /// What a sticky balance goes by: the client's address, or what a header of its handshake says.
    pub(crate) fn sticks_to(&self, endpoint: &Endpoint) -> Vec<u8> {
        let said = || {
            let headers = &self.request.as_ref()?.headers;
            headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(&endpoint.sticky_header))
        };
        match endpoint.balance {
            Balance::StickyHeader if let Some((_, value)) = said() => value.clone(),
            Balance::StickyClient | Balance::StickyHeader => {
                self.client.map(|client| client.to_string()).unwrap_or_default().into_bytes()
            }
            Balance::Failover | Balance::RoundRobin | Balance::LeastConnections => Vec::new(),
        }
    }
}

/// What follows the endpoint's URL.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tail<'a> {
    /// Appended to the path; empty or beginning with `/`. One that was mapped may have a query.
    pub(crate) topic: &'a str,
    /// Appended to the query.
    pub(crate) query: Option<&'a str>,
    /// The subprotocols to offer.
    pub(crate) subprotocols: &'a [String],
    /// The compression to offer.
    pub(crate) deflate: &'a [Offer],
}

/// What a backend chose of what it was offered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) subprotocol: Option<String>,
    pub(crate) deflate: Option<Agreed>,
}

impl Question {
    /// What is `shown` stands for every other header of that name, whoever set it.
    pub(crate) fn new(
        url: &Url,
        asker: &Asker<'_>,
        tail: &Tail<'_>,
        shown: Option<&Shown>,
        nonce: [u8; 16],
    ) -> Self {
        let key = HandshakeKey::from_nonce(nonce);
        let mut head = Vec::with_capacity(1_024);
        head.extend_from_slice(format!("GET {} HTTP/1.1\r\n", target(url, tail)).as_bytes());
        let mut line = |name: &str, value: &[u8]| {
            // Nothing that comes here can hold a line end; what would, goes no further.
            if [name.as_bytes(), value].iter().any(|text| text.iter().any(|byte| b"\r\n\0".contains(byte))) {
                debug_assert!(false, "a header with a line end");
                return tracing::error!("a header with a line end is not sent");
            }
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        };
        line("Host", host(url).as_bytes());
        line("Upgrade", b"websocket");
        line("Connection", b"Upgrade");
        line("Sec-WebSocket-Key", key.as_str().as_bytes());
        line("Sec-WebSocket-Version", VERSION.as_bytes());
        if !tail.subprotocols.is_empty() {
            line("Sec-WebSocket-Protocol", tail.subprotocols.join(", ").as_bytes());
        }
        if !tail.deflate.is_empty() {
            let offers: Vec<_> = tail.deflate.iter().map(ToString::to_string).collect();
            line("Sec-WebSocket-Extensions", offers.join(", ").as_bytes());
        }
        if let Some(client) = asker.client {
            line("X-Forwarded-For", client.to_string().as_bytes());
        }
        line("X-Request-Id", asker.instance.as_bytes());
        if let Some(request) = asker.request {
            line("X-Forwarded-Proto", asker.proto.as_bytes());
            line("X-Forwarded-Host", request.authority.as_bytes());
        }
        let is_shown = |name: &str| shown.is_some_and(|shown| is_same_name(&shown.name, name));
        for (name, value) in asker.passing.map(Passing::headers).unwrap_or_default() {
            if !is_shown(name) {
                line(name, &value);
            }
        }
        if let Some(Shown { name, value, .. }) = shown {
            line(name, value);
        }
        head.extend_from_slice(b"\r\n");
        Self { head, key, subprotocols: tail.subprotocols.to_vec(), deflate: tail.deflate.to_vec() }
    }

    /// Asks, and judges the answer.
    pub(crate) async fn ask(&self, mut stream: Stream) -> Result<Backend, DialError> {
        let gone = |error: io::Error| {
            if Distrust::is_of_ours(&error) { DialError::Untrusted(Distrust::Ours) } else { DialError::Gone }
        };
        stream.write_all(&self.head).await.map_err(gone)?;
        stream.flush().await.map_err(gone)?;
        let mut bytes = Vec::with_capacity(READ_BYTES);
        loop {
            match self.judge(&bytes)? {
                Some((head_bytes, chosen)) => {
                    let early = bytes.split_off(head_bytes);
                    return Ok(Backend { stream, early, chosen, in_use: None });
                }
                None if bytes.len() >= ANSWER_BYTES_MAX => return Err(DialError::Malformed),
                None => {}
            }
            bytes.reserve(READ_BYTES);
            match (&mut stream).take(READ_BYTES as u64).read_buf(&mut bytes).await {
                Ok(0) => return Err(DialError::Gone),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(gone(error)),
            }
        }
    }

    /// `None`: the head is not whole yet. Else its length and what was chosen.
    fn judge(&self, bytes: &[u8]) -> Result<Option<(usize, Chosen)>, DialError> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut parsed = httparse::Response::new(&mut fields);
        let head_bytes = match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(head_bytes)) => head_bytes,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(DialError::Malformed),
        };
        // RFC 9112 section 2.2: the parser forgives a bare line feed, and another reader may not.
        let head = &bytes[..head_bytes];
        let is_bare = |at: usize| head[at] == b'\n' && (at == 0 || head[at - 1] != b'\r');
        let (Some(status), Some(1), false) = (parsed.code, parsed.version, (0..head_bytes).any(is_bare))
        else {
            return Err(DialError::Malformed);
        };
        let headers = parsed.headers.iter().map(|field| (field.name, field.value));
        let offered: Vec<&str> = self.subprotocols.iter().map(String::as_str).collect();
        match answer::judge(status, headers, &self.key, &offered, &self.deflate) {
            Ok(accepted) => {
                let subprotocol = accepted.subprotocol.map(str::to_owned);
                Ok(Some((head_bytes, Chosen { subprotocol, deflate: accepted.deflate })))
            }
            Err(AnswerError::Status { status }) => Err(DialError::Refused { status }),
            Err(_) => Err(DialError::Malformed),
        }
    }
}

/// The endpoint's path with the topic behind it, and the queries: the endpoint's, the mapping's, the client's.
///
/// What the API says of a parameter stands: the client's of the same name does not go on, since backends differ on which
/// of two they read.
fn target(url: &Url, tail: &Tail<'_>) -> String {
    let (topic, mapped) = tail.topic.split_once('?').unwrap_or((tail.topic, ""));
    let path = if topic.is_empty() { url.path() } else { url.path().trim_end_matches('/') };
    let own = [url.query().unwrap_or_default(), mapped];
    let taken: Vec<String> = own.into_iter().flat_map(parameters).flat_map(names).collect();
    let own = own.into_iter().filter(|query| !query.is_empty());
    let is_free = |parameter: &&str| !names(parameter).any(|name| taken.contains(&name));
    let clients = tail.query.filter(|query| !query.is_empty());
    // Where nothing of it is taken, it goes on byte for byte.
    let (whole, free) = if taken.is_empty() { (clients, "") } else { (None, clients.unwrap_or_default()) };
    let mut target = format!("{path}{topic}");
    for (place, query) in own.chain(whole).chain(parameters(free).filter(is_free)).enumerate() {
        target.push(if place == 0 { '?' } else { '&' });
        target.push_str(query);
    }
    target
}

fn parameters(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|parameter| !parameter.is_empty())
}

/// The names that a backend may read in a parameter: some still take `;` for `&`.
fn names(parameter: &str) -> impl Iterator<Item = String> {
    parameter
        .split(';')
        .filter_map(|part| form_urlencoded::parse(part.as_bytes()).next())
        .map(|(name, _)| name.into())
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests;
