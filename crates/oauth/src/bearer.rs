//! Finding the bearer credential of a handshake (RFC 6750, section 2): in `Authorization`, in the `access_token`
//! query parameter, or in `Sec-WebSocket-Protocol` as `bearer` followed by the token.
//!
//! What is found is taken out of what is forwarded. Several at once are refused, so that none hides another.

use std::fmt;

use crate::percent::{self, Plus};

/// Why the credential cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BadCredential {
    /// None was presented.
    #[error("no credential was presented")]
    Missing,
    /// More than one was presented (RFC 6750, section 2: must not).
    #[error("more than one credential was presented")]
    Several,
    /// `Authorization` is not `Bearer` with one token.
    #[error("the Authorization field is not Bearer with one token")]
    NotBearer,
    /// The token has characters that no token has.
    #[error("the credential is malformed")]
    Malformed,
}

impl BadCredential {
    /// `error` of RFC 6750, section 3.1; none where no bearer credential was presented at all.
    pub const fn error(self) -> Option<&'static str> {
        match self {
            Self::Missing | Self::NotBearer => None,
            Self::Several => Some("invalid_request"),
            Self::Malformed => Some("invalid_token"),
        }
    }

    /// The value of `WWW-Authenticate` for it.
    pub fn challenge(self, realm: &str) -> String {
        match self.error() {
            None => challenge(realm, None),
            Some(error) => challenge(realm, Some((error, &self.to_string()))),
        }
    }
}

/// The value of `WWW-Authenticate` (RFC 6750, section 3): the realm and, where a credential was presented, its
/// error and a description. What cannot stand between quotes is left out.
pub fn challenge(realm: &str, refused: Option<(&str, &str)>) -> String {
    let quoted = |text: &str| {
        text.chars().filter(|c| matches!(c, ' '..='~') && !"\"\\".contains(*c)).collect::<String>()
    };
    let realm = quoted(realm);
    match refused {
        None => format!("Bearer realm=\"{realm}\""),
        Some((error, description)) => format!(
            "Bearer realm=\"{realm}\", error=\"{}\", error_description=\"{}\"",
            quoted(error),
            quoted(description)
        ),
    }
}

/// Where a credential was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// `Authorization: Bearer`.
    Header,
    /// `access_token` in the query.
    Query,
    /// `Sec-WebSocket-Protocol: bearer, <token>`.
    Subprotocol,
}

/// A credential and what is left of the request without it.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// The token. Secret.
    pub token: String,
    /// Where it was.
    pub place: Place,
    /// It came as `Authorization: DPoP` (RFC 9449, section 7.1), so a proof has to be beside it.
    pub is_dpop: bool,
    /// The query without `access_token`, byte for byte otherwise; `None` when nothing is left or there was none.
    pub query: Option<String>,
    /// The offered subprotocols without the credential pair.
    pub subprotocols: Vec<String>,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Finds the one credential of a request.
///
/// # Errors
/// [`BadCredential`].
pub fn find<'a>(
    authorization: impl IntoIterator<Item = &'a [u8]>,
    query: Option<&str>,
    subprotocols: &[String],
) -> Result<Found, BadCredential> {
    let mut found: Option<(String, Place)> = None;
    let mut add = |token: String, place| match found.replace((token, place)) {
        None => Ok(()),
        Some(_) => Err(BadCredential::Several),
    };
    let mut is_dpop = false;
    for value in authorization {
        let token;
        (token, is_dpop) = from_header(value)?;
        add(token, Place::Header)?;
    }
    let mut kept = Vec::new();
    for pair in query.into_iter().flat_map(|query| query.split('&')) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if percent::decoded(name, Plus::Itself).as_deref() == Some("access_token") {
            add(percent::decoded(value, Plus::Itself).ok_or(BadCredential::Malformed)?, Place::Query)?;
        } else {
            kept.push(pair);
        }
    }
    let mut rest = subprotocols.to_vec();
    // Every `bearer` announces a credential, a second one as well.
    while let Some(at) = rest.iter().position(|offer| offer.eq_ignore_ascii_case("bearer")) {
        if at + 1 >= rest.len() {
            return Err(BadCredential::Malformed);
        }
        add(rest.remove(at + 1), Place::Subprotocol)?;
        rest.remove(at);
    }
    let (token, place) = found.ok_or(BadCredential::Missing)?;
    if !is_b64token(&token) {
        return Err(BadCredential::Malformed);
    }
    let query = (!kept.is_empty()).then(|| kept.join("&")).filter(|query| !query.is_empty());
    Ok(Found { token, place, is_dpop, query, subprotocols: rest })
}

/// The token, and whether a proof has to be beside it.
fn from_header(value: &[u8]) -> Result<(String, bool), BadCredential> {
    let text = std::str::from_utf8(value).map_err(|_| BadCredential::Malformed)?.trim_matches([' ', '\t']);
    let (scheme, token) = text.split_once(' ').ok_or(BadCredential::NotBearer)?;
    let is_dpop = scheme.eq_ignore_ascii_case("dpop");
    if !is_dpop && !scheme.eq_ignore_ascii_case("bearer") {
        return Err(BadCredential::NotBearer);
    }
    Ok((token.trim_start_matches(' ').to_owned(), is_dpop))
}

/// `b64token` of RFC 6750, section 2.1.
fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

#[cfg(test)]
mod tests;
