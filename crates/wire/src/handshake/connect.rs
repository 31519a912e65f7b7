//! The opening handshake over HTTP/2, judged: an extended CONNECT (RFC 8441) in the place of the upgrade.
//!
//! There is no key and no `Upgrade` there; everything else that the upgrade's headers say stands in the same headers
//! and is judged by the same rules. It does not know frames of HTTP/2: it is given a request whose pseudo-headers
//! were read. Its invariant is that of [`super`].

use super::{Seen, UpgradeError, is_authority, split_target};
use crate::deflate::{Offer, parse_offers};

/// The parts of a request of HTTP/2 that say whether it is a handshake.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// `:method`.
    pub method: &'a str,
    /// `:protocol`.
    pub protocol: Option<&'a str>,
    /// `:authority`.
    pub authority: Option<&'a str>,
    /// `:path`; empty where there is none.
    pub path_and_query: &'a str,
    /// The client's half of the stream ends with the request.
    pub is_ended: bool,
}

/// A client's handshake that passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect<'a> {
    /// Host and port.
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
pub enum ConnectError {
    /// An ordinary request.
    #[error("method is not CONNECT")]
    Method,
    /// RFC 9110 section 9.3.6: it asks for a tunnel to somewhere.
    #[error("CONNECT without a protocol")]
    NoProtocol,
    /// RFC 8441 section 4: another protocol than `websocket`.
    #[error("protocol is not websocket")]
    Protocol,
    /// Nothing could ever come over it.
    #[error("the stream ends with the request")]
    Ended,
    /// RFC 9113 section 8.2.2.
    #[error("header of a connection over HTTP/1.1")]
    ConnectionHeader,
    /// What is wrong with it would be wrong with an upgrade as well.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
}

impl ConnectError {
    /// The HTTP status that refuses it: 400, 405 (with `Allow: CONNECT`) or 501. There is no 426, which has to name
    /// what to upgrade to, since a connection of HTTP/2 cannot be upgraded (RFC 9113 section 8.6).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            // As RFC 9220 section 3 asks of HTTP/3.
            Self::Protocol => 501,
            _ => 400,
        }
    }
}

/// Judges a client's handshake; [`super::raw::judge_fields`] goes before it.
pub fn judge<'a>(
    head: RequestHead<'a>,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<Connect<'a>, ConnectError> {
    if head.method != "CONNECT" {
        return Err(ConnectError::Method);
    }
    match head.protocol {
        // RFC 8441 section 5; the registry of upgrade tokens has no case.
        Some(protocol) if protocol.eq_ignore_ascii_case("websocket") => {}
        Some(_) => return Err(ConnectError::Protocol),
        None => return Err(ConnectError::NoProtocol),
    }
    if head.is_ended {
        return Err(ConnectError::Ended);
    }
    let Some((None, path_and_query)) = split_target(head.path_and_query) else {
        return Err(UpgradeError::Target.into());
    };
    let mut seen = Seen::default();
    for (name, value) in headers {
        seen.header(name, value)?;
    }
    if seen.upgrade.is_some() || seen.connection_upgrade {
        return Err(ConnectError::ConnectionHeader);
    }
    // A length of the messages to come cannot be known, and none would end the stream.
    if seen.has_length {
        return Err(UpgradeError::Body.into());
    }
    if !seen.is_version_13 {
        return Err(UpgradeError::Version.into());
    }
    // RFC 9113 section 8.3.1: where both are there, they name the same.
    let authority = match (head.authority, seen.host) {
        (Some(authority), Some(host)) if authority.eq_ignore_ascii_case(host) => authority,
        (Some(name), None) | (None, Some(name)) if is_authority(name) => name,
        _ => return Err(UpgradeError::Host.into()),
    };
    Ok(Connect {
        authority,
        path_and_query,
        subprotocols: seen.subprotocols,
        deflate: parse_offers(seen.extensions).map_err(|_| UpgradeError::Extensions)?,
    })
}

#[cfg(test)]
mod tests;
