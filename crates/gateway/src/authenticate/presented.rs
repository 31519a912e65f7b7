//! Which credential a client presents, and what of its request is left without it.
//!
//! All places are looked at, always. More than one credential is refused, so that a bad one is never hidden by a good
//! one, and what is in a place that the API does not accept is refused as well: it is never passed on as something
//! else. It does not know whether a credential is good.

use std::fmt;

use tidegate_model::{
    headers::is_same_name,
    security::{Security, Way},
};
use tidegate_oauth::{
    bearer::{self, BadCredential, Place},
    client,
    percent::{self, Plus},
    secret::{self, Kind},
};

use crate::{handshake::Request, refusal::Refusal};

/// A credential. Secret.
pub(crate) enum Credential {
    /// An access token.
    Token {
        token: String,
        /// It came as `Authorization: DPoP` (RFC 9449, section 7.1), so a proof has to be beside it.
        is_dpop: bool,
    },
    /// An API key.
    ApiKey(String),
    /// The id and secret of a key.
    Client(client::Presented),
}

/// The one credential of a request.
pub(crate) struct Presented {
    pub(crate) credential: Credential,
    pub(crate) way: Way,
    /// The query without the credential, byte for byte otherwise; `None` when nothing is left or there was none.
    pub(crate) query: Option<String>,
    /// The subprotocols offered, without the credential.
    pub(crate) subprotocols: Vec<String>,
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("way", &self.way).finish_non_exhaustive()
    }
}

/// Finds the one credential of a request, which must be in a place that is `accepted`; `security` says how the API calls
/// those places.
pub(crate) fn find(request: &Request, security: &Security, accepted: &[Way]) -> Result<Presented, Refusal> {
    let mut found = Vec::new();
    let query = request.query.as_deref().map(|query| keys_of_query(query, security, accepted, &mut found));
    let query = query.transpose()?.filter(|query| !query.is_empty());
    for (name, value) in &request.headers {
        if is_same_name(name, &security.api_key_header)
            && (accepted.contains(&Way::ApiKeyHeader) || is_ours(value))
        {
            let key = std::str::from_utf8(value).map_err(|_| BadCredential::Malformed)?;
            found.push((Credential::ApiKey(key.trim().to_owned()), Way::ApiKeyHeader));
        }
    }
    let authorization = request.headers.iter().filter(|(name, _)| name == "authorization");
    let (passwords, others): (Vec<_>, Vec<_>) =
        authorization.map(|(_, value)| value.as_slice()).partition(|value| is_basic(value));
    for value in passwords {
        let text = std::str::from_utf8(value).ok().and_then(|text| client::from_basic(text.trim()));
        found.push((Credential::Client(text.ok_or(BadCredential::Malformed)?), Way::Basic));
    }
    let (query, subprotocols) = match bearer::find(others, query.as_deref(), &request.subprotocols) {
        Ok(bearer::Found { token, place, is_dpop, query, subprotocols }) => {
            found.push((Credential::Token { token, is_dpop }, way(place)));
            (query, subprotocols)
        }
        Err(BadCredential::Missing) => (query, request.subprotocols.clone()),
        Err(error) => return Err(error.into()),
    };
    let not_accepted = |presented| Refusal::NotAccepted { presented, accepted: accepted.into() };
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (None, _) => Err(not_accepted(None)),
        (Some(_), Some(_)) => Err(BadCredential::Several.into()),
        (Some((_, way)), None) if !accepted.contains(&way) => Err(not_accepted(Some(way))),
        (Some((credential, way)), None) => Ok(Presented { credential, way, query, subprotocols }),
    }
}

/// Takes API keys out of a query.
fn keys_of_query(
    query: &str,
    security: &Security,
    accepted: &[Way],
    found: &mut Vec<(Credential, Way)>,
) -> Result<String, Refusal> {
    let mut kept = Vec::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let is_named = percent::decoded(name, Plus::Itself).as_deref() == Some(&*security.api_key_query);
        if !is_named {
            kept.push(pair);
            continue;
        }
        let key = percent::decoded(value, Plus::Itself).ok_or(BadCredential::Malformed)?;
        // Where no key is accepted, the name may mean something else to the backend.
        if accepted.contains(&Way::ApiKeyQuery) || is_ours(key.as_bytes()) {
            found.push((Credential::ApiKey(key), Way::ApiKeyQuery));
        } else {
            kept.push(pair);
        }
    }
    Ok(kept.join("&"))
}

/// Whether something is a key of ours: a backend of an API that takes none must not get to see it.
fn is_ours(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| secret::claims_to_be(Kind::ApiKey, text.trim()))
}

/// Whether a value of `Authorization` has the scheme Basic, be it well-formed or not.
pub(crate) fn is_basic(value: &[u8]) -> bool {
    let value = value.trim_ascii_start();
    let scheme = value.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    scheme.eq_ignore_ascii_case(b"basic")
}

const fn way(place: Place) -> Way {
    match place {
        Place::Header => Way::OAuthHeader,
        Place::Query => Way::OAuthQuery,
        Place::Subprotocol => Way::OAuthSubprotocol,
    }
}

#[cfg(test)]
mod tests;
