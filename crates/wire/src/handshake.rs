//! The opening handshake of RFC 6455 section 4, both judged: what a client asks and what a backend answers.
//!
//! It does not parse HTTP and does not know routes or credentials: it is given a parsed head. What parsers forgive
//! is looked for before them in [`raw`]; the answer of a backend is judged in [`answer`], a client's handshake over HTTP/2
//! in [`connect`]. Its invariant: whatever
//! it accepts is one WebSocket handshake and nothing else that any reader could take it for.

pub mod answer;
pub mod connect;
pub mod raw;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use crate::deflate::{Offer, parse_offers};

/// The version that this product speaks, and what a 426 names (RFC 6455 section 4.4).
pub const VERSION: &str = "13";
/// Subprotocols that one handshake may offer; libraries offer one to three, a token as a subprotocol adds two.
pub const SUBPROTOCOLS_MAX: usize = 32;
/// `Sec-WebSocket-Extensions` lines that one handshake may have; browsers send one.
pub const EXTENSION_LINES_MAX: usize = 8;

/// RFC 6455 section 1.3.
const ACCEPT_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A `Sec-WebSocket-Key`: the base64 form of sixteen bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandshakeKey([u8; 24]);

impl HandshakeKey {
    /// Reads a key as it stands in a header.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let text: [u8; 24] = value.try_into().ok()?;
        let nonce = STANDARD.decode(text).ok()?;
        (nonce.len() == 16).then_some(Self(text))
    }

    /// A key for a handshake of our own; the sixteen bytes must be random (RFC 6455 section 4.1).
    #[must_use]
    pub fn from_nonce(nonce: [u8; 16]) -> Self {
        let mut text = [0; 24];
        STANDARD.encode_slice(nonce, &mut text).expect("sixteen bytes have 24 characters of base64");
        Self(text)
    }

    /// The header's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("base64 is ASCII")
    }
}

/// The `Sec-WebSocket-Accept` that answers a key (RFC 6455 section 4.2.2).
#[must_use]
pub fn accept_key(key: &HandshakeKey) -> String {
    STANDARD.encode(Sha1::new().chain_update(key.0).chain_update(ACCEPT_GUID).finalize())
}

/// The parts of a request head that say whether it is a handshake.
#[derive(Clone, Copy, Debug)]
pub struct RequestLine<'a> {
    /// The method as written.
    pub method: &'a str,
    /// The request target as written.
    pub target: &'a str,
    /// The minor version of HTTP/1; other major versions never come here.
    pub http1_minor: u8,
}

/// A client's handshake that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade<'a> {
    /// The client's key.
    pub key: HandshakeKey,
    /// Host and port: of the target in absolute form, else of `Host` (RFC 9112 section 3.2.2).
    pub authority: &'a str,
    /// Path and query, as written.
    pub path_and_query: &'a str,
    /// The subprotocols offered, in order.
    pub subprotocols: Vec<&'a str>,
    /// The usable offers of permessage-deflate, in order. Other extensions are passed over.
    pub deflate: Vec<Offer>,
}

/// A request that is not a handshake we accept. Always the client's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    /// RFC 6455 section 4.1: the method is GET.
    #[error("method is not GET")]
    Method,
    /// RFC 6455 section 4.1: HTTP/1.1.
    #[error("HTTP version is not 1.1")]
    HttpVersion,
    /// The target is neither a path nor an absolute URL with a host.
    #[error("request target is neither a path nor an absolute URL")]
    Target,
    /// RFC 9112 section 3.2: exactly one `Host`, and a lawful one.
    #[error("not exactly one valid Host header")]
    Host,
    /// A header value that is not visible ASCII.
    #[error("header {header} is not visible ASCII")]
    HeaderValue {
        /// The header's name.
        header: &'static str,
    },
    /// An ordinary request.
    #[error("no upgrade asked for")]
    NotAnUpgrade,
    /// RFC 6455 section 4.2.1: `Upgrade: websocket`, and nothing beside it.
    #[error("upgrade header does not name websocket alone")]
    Upgrade,
    /// RFC 6455 section 4.2.1.
    #[error("connection header does not name upgrade")]
    Connection,
    /// RFC 6455 section 4.2.1.
    #[error("not exactly one key of sixteen bytes")]
    Key,
    /// RFC 6455 section 4.4: another version; the answer names ours.
    #[error("websocket version is not 13")]
    Version,
    /// A body has no place in a handshake: where it ends is what smuggling is made of.
    #[error("handshake with a body")]
    Body,
    /// RFC 6455 section 4.1: subprotocols are tokens, each once.
    #[error("malformed list of subprotocols")]
    Subprotocols,
    /// RFC 6455 section 9.1.
    #[error("malformed list of extensions")]
    Extensions,
    /// More offers than [`SUBPROTOCOLS_MAX`] or [`EXTENSION_LINES_MAX`].
    #[error("too many subprotocols or extensions offered")]
    TooManyOffers,
}

impl UpgradeError {
    /// The HTTP status that refuses it: 400, 405 (with `Allow: GET`) or 426 (with [`VERSION`] and `Upgrade`).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            // A plain GET is asked to upgrade (RFC 9110 section 15.5.22), a foreign version is told ours.
            Self::NotAnUpgrade | Self::Version => 426,
            _ => 400,
        }
    }
}

/// Judges a client's handshake. Header names are compared without case; values are as written, less outer blanks.
pub fn judge<'a>(
    line: RequestLine<'a>,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<Upgrade<'a>, UpgradeError> {
    if line.method != "GET" {
        return Err(UpgradeError::Method);
    }
    if line.http1_minor != 1 {
        return Err(UpgradeError::HttpVersion);
    }
    let (target_authority, path_and_query) = split_target(line.target).ok_or(UpgradeError::Target)?;
    let mut seen = Seen::default();
    for (name, value) in headers {
        seen.header(name, value)?;
    }
    let host = seen.host.ok_or(UpgradeError::Host)?;
    match seen.upgrade {
        Some(true) => {}
        Some(false) => return Err(UpgradeError::Upgrade),
        None => return Err(UpgradeError::NotAnUpgrade),
    }
    if !seen.connection_upgrade {
        return Err(UpgradeError::Connection);
    }
    if !seen.is_version_13 {
        return Err(UpgradeError::Version);
    }
    Ok(Upgrade {
        key: seen.key.ok_or(UpgradeError::Key)?,
        authority: target_authority.unwrap_or(host),
        path_and_query,
        subprotocols: seen.subprotocols,
        deflate: parse_offers(seen.extensions).map_err(|_| UpgradeError::Extensions)?,
    })
}

/// What the headers said so far.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent findings, not states of one thing")]
struct Seen<'a> {
    host: Option<&'a str>,
    upgrade: Option<bool>,
    connection_upgrade: bool,
    key: Option<HandshakeKey>,
    has_version: bool,
    is_version_13: bool,
    has_length: bool,
    subprotocols: Vec<&'a str>,
    extensions: Vec<&'a str>,
}

impl<'a> Seen<'a> {
    fn header(&mut self, name: &str, value: &'a [u8]) -> Result<(), UpgradeError> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("host") {
            let host = text("Host", value)?;
            if self.host.replace(host).is_some() || !is_authority(host) {
                return Err(UpgradeError::Host);
            }
        } else if is("upgrade") {
            // A second protocol beside it (h2c above all) is how tunnels are smuggled: one line, one token.
            let is_websocket = text("Upgrade", value)?.eq_ignore_ascii_case("websocket");
            self.upgrade = Some(is_websocket && self.upgrade.is_none());
        } else if is("connection") {
            let options = text("Connection", value)?;
            self.connection_upgrade |= list(options).any(|option| option.eq_ignore_ascii_case("upgrade"));
        } else if is("sec-websocket-key") {
            let key = HandshakeKey::parse(value.trim_ascii()).ok_or(UpgradeError::Key)?;
            if self.key.replace(key).is_some() {
                return Err(UpgradeError::Key);
            }
        } else if is("sec-websocket-version") {
            self.is_version_13 = !self.has_version && value.trim_ascii() == VERSION.as_bytes();
            self.has_version = true;
        } else if is("transfer-encoding") {
            return Err(UpgradeError::Body);
        } else if is("content-length") {
            if self.has_length || value != b"0" {
                return Err(UpgradeError::Body);
            }
            self.has_length = true;
        } else if is("sec-websocket-protocol") {
            self.offer(text("Sec-WebSocket-Protocol", value)?)?;
        } else if is("sec-websocket-extensions") {
            if self.extensions.len() == EXTENSION_LINES_MAX {
                return Err(UpgradeError::TooManyOffers);
            }
            self.extensions.push(text("Sec-WebSocket-Extensions", value)?);
        }
        Ok(())
    }

    fn offer(&mut self, offers: &'a str) -> Result<(), UpgradeError> {
        for offer in list(offers) {
            if !is_token(offer) || self.subprotocols.contains(&offer) {
                return Err(UpgradeError::Subprotocols);
            }
            if self.subprotocols.len() == SUBPROTOCOLS_MAX {
                return Err(UpgradeError::TooManyOffers);
            }
            self.subprotocols.push(offer);
        }
        Ok(())
    }
}

/// Splits a target in origin form or absolute form into an authority, if it names one, and path with query.
fn split_target(target: &str) -> Option<(Option<&str>, &str)> {
    if !target.bytes().all(|byte| byte.is_ascii_graphic()) || target.contains('#') {
        return None;
    }
    if target.starts_with('/') {
        return Some((None, target));
    }
    let (scheme, rest) = target.split_once("://")?;
    if !["http", "https", "ws", "wss"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = match path {
        "" => "/",
        path if path.starts_with('/') => path,
        _ => return None,
    };
    (is_authority(authority)).then_some((Some(authority), path))
}

/// Host and optional port, nothing else: no list, no user, no path (RFC 3986 section 3.2).
fn is_authority(authority: &str) -> bool {
    let host_end = match authority.rfind(']') {
        Some(end) => end + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(host_end);
    let is_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)),
    };
    let is_port = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    is_host && is_port
}

/// The value as text without outer blanks, if all of it is visible ASCII, blanks and tabs.
fn text<'a>(header: &'static str, value: &'a [u8]) -> Result<&'a str, UpgradeError> {
    visible(value).ok_or(UpgradeError::HeaderValue { header })
}

fn visible(value: &[u8]) -> Option<&str> {
    let value = value.trim_ascii();
    let is_visible = value.iter().all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t'));
    if is_visible { std::str::from_utf8(value).ok() } else { None }
}

/// The elements of a comma-separated list, less outer blanks (RFC 9110 section 5.6.1, without its leniencies).
pub(crate) fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(|element| element.trim_matches([' ', '\t']))
}

/// RFC 9110 section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
