//! The backend's answer to our handshake, judged: only a 101 that is right in every part opens a tunnel.
//!
//! It does not know what the client is told instead (the gateway's refusals do). We offer a backend the client's
//! subprotocols, or some of them, and permessage-deflate where the API wants it.

use super::{HandshakeKey, accept_key, list, visible};
use crate::deflate::{Agreed, Offer, parse_answer};

/// A backend's 101 that passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted<'a> {
    /// The subprotocol that the backend chose, if any.
    pub subprotocol: Option<&'a str>,
    /// What the backend agreed to of permessage-deflate, if anything.
    pub deflate: Option<Agreed>,
}

/// An answer that opens no tunnel. Always the backend's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Not a 101.
    #[error("backend answered {status} instead of 101")]
    Status {
        /// The status it gave.
        status: u16,
    },
    /// RFC 6455 section 4.1: `Upgrade: websocket` alone.
    #[error("backend's upgrade header does not name websocket alone")]
    Upgrade,
    /// RFC 6455 section 4.1.
    #[error("backend's connection header does not name upgrade")]
    Connection,
    /// RFC 6455 section 4.1: exactly one accept key, and the one that answers ours.
    #[error("backend's accept key is missing, repeated or wrong")]
    Accept,
    /// RFC 6455 section 4.1: it chose what was not offered.
    #[error("backend chose a subprotocol that was not offered")]
    Subprotocol,
    /// RFC 6455 section 4.1: it chose what was not offered, or with other parameters (RFC 7692 section 7.1).
    #[error("backend chose an extension that was not offered")]
    Extension,
    /// A 101 has no body (RFC 9110 section 15.2).
    #[error("backend's 101 announces a body")]
    Body,
}

/// Judges the head of a backend's answer to the handshake that carried `key` and offered `subprotocols` and `deflate`.
pub fn judge<'a>(
    status: u16,
    headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    key: &HandshakeKey,
    subprotocols: &[&str],
    deflate: &[Offer],
) -> Result<Accepted<'a>, AnswerError> {
    if status != 101 {
        return Err(AnswerError::Status { status });
    }
    let expected = accept_key(key);
    let (mut upgrade, mut connection, mut accept, mut subprotocol) = (None, false, None, None);
    let mut agreed = None;
    for (name, value) in headers {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("upgrade") {
            let is_websocket = visible(value).is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
            upgrade = Some(is_websocket && upgrade.is_none());
        } else if is("connection") {
            let options = visible(value).ok_or(AnswerError::Connection)?;
            connection |= list(options).any(|option| option.eq_ignore_ascii_case("upgrade"));
        } else if is("sec-websocket-accept") {
            // Base64 is compared with its case: a lower-cased value is another value.
            accept = Some(value.trim_ascii() == expected.as_bytes() && accept.is_none());
        } else if is("sec-websocket-protocol") {
            let chosen = visible(value).ok_or(AnswerError::Subprotocol)?;
            if subprotocol.replace(chosen).is_some() || !subprotocols.contains(&chosen) {
                return Err(AnswerError::Subprotocol);
            }
        } else if is("sec-websocket-extensions") {
            let answer = visible(value).and_then(parse_answer).ok_or(AnswerError::Extension)?;
            if agreed.replace(answer).is_some() || !deflate.iter().any(|offer| answer.answers(offer)) {
                return Err(AnswerError::Extension);
            }
        } else if is("transfer-encoding") || (is("content-length") && value.trim_ascii() != b"0") {
            return Err(AnswerError::Body);
        }
    }
    if upgrade != Some(true) {
        return Err(AnswerError::Upgrade);
    }
    if !connection {
        return Err(AnswerError::Connection);
    }
    if accept != Some(true) {
        return Err(AnswerError::Accept);
    }
    Ok(Accepted { subprotocol, deflate: agreed })
}

#[cfg(test)]
mod tests;
