//! Which credential a client presents, and what of its request is left without it.
//!
//! All places are looked at, always. More than one credential is refused, so that a bad one is never hidden by a good
//! one, and what is in a place that the API does not accept is refused as well: it is never passed on as something
//! else. It does not know whether a credential is good.

use std::{fmt, sync::Arc};

use tidegate_model::{
    headers::is_same_name,
    security::{Security, TICKET_NAME, Way},
};
use tidegate_oauth::{
    bearer::{self, BadCredential, Place},
    client,
    percent::{self, Plus},
    secret::{self, Kind},
};

use crate::{certificate::Thumbprint, handshake::Request, refusal::Refusal};

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
    /// A one-time ticket.
    Ticket(String),
    /// The thumbprint of a certificate whose key the client has proved to hold.
    Certificate(Thumbprint),
    /// None, where none is needed.
    Nothing,
}

/// The one credential of a request.
pub(crate) struct Presented {
    pub(crate) credential: Credential,
    pub(crate) way: Way,
    /// A certificate was shown as well, at an API that accepts those: it is a second credential, unless it is what this one is
    /// bound to.
    pub(crate) is_beside_certificate: bool,
    /// The query without the credential, byte for byte otherwise; `None` when nothing is left or there was none.
    pub(crate) query: Option<String>,
    /// The subprotocols offered, without the credential.
    pub(crate) subprotocols: Vec<String>,
    /// The subprotocol that announced the credential, where one did: a browser wants one of its offers chosen.
    pub(crate) announced: Option<String>,
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
    let offers = tickets_of_subprotocols(&request.subprotocols, &mut found);
    let (query, subprotocols) = match bearer::find(others, query.as_deref(), &offers) {
        Ok(bearer::Found { token, place, is_dpop, query, subprotocols }) => {
            found.push((Credential::Token { token, is_dpop }, way(place)));
            (query, subprotocols)
        }
        Err(BadCredential::Missing) => (query, offers),
        Err(error) => return Err(error.into()),
    };
    // Where no API of ours asks, a certificate is a matter of the connection and no credential: it may be there for another.
    let mut is_beside_certificate = false;
    if let Some(shown) = request.certificate.as_ref().filter(|_| accepted.contains(&Way::MutualTls)) {
        match &found[..] {
            [(Credential::Token { .. } | Credential::Ticket(_), way)] if accepted.contains(way) => {
                is_beside_certificate = true;
            }
            _ => found.push((Credential::Certificate(Arc::clone(shown)), Way::MutualTls)),
        }
    }
    let not_accepted = |presented| Refusal::NotAccepted { presented, accepted: accepted.into() };
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        // Whoever presents something is judged by it, here as well: a bad credential is never taken for none.
        (None, _) if accepted.contains(&Way::None) => {
            let (credential, way) = (Credential::Nothing, Way::None);
            Ok(Presented { credential, way, is_beside_certificate, query, subprotocols, announced: None })
        }
        (None, _) => Err(not_accepted(None)),
        (Some(_), Some(_)) => Err(BadCredential::Several.into()),
        (Some((_, way)), None) if !accepted.contains(&way) => Err(not_accepted(Some(way))),
        (Some((credential, way)), None) => {
            let is_taken = |offer: &&String| announces(offer, way) && !subprotocols.contains(offer);
            let announced = request.subprotocols.iter().find(is_taken).cloned();
            Ok(Presented { credential, way, is_beside_certificate, query, subprotocols, announced })
        }
    }
}

/// Whether a subprotocol says that a credential of this kind follows it.
fn announces(offer: &str, way: Way) -> bool {
    match way {
        Way::OAuthSubprotocol => offer.eq_ignore_ascii_case("bearer"),
        Way::Ticket => offer.eq_ignore_ascii_case(TICKET_NAME),
        _ => false,
    }
}

/// Takes tickets out of subprotocols, with the word that announces each; what else has that name is the backend's.
fn tickets_of_subprotocols(offers: &[String], found: &mut Vec<(Credential, Way)>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(offers.len());
    for offer in offers {
        if secret::claims_to_be(Kind::Ticket, offer) {
            found.push((Credential::Ticket(offer.clone()), Way::Ticket));
            kept.pop_if(|before| before.eq_ignore_ascii_case(TICKET_NAME));
        } else {
            kept.push(offer.clone());
        }
    }
    kept
}

/// Takes API keys and tickets out of a query.
fn keys_of_query(
    query: &str,
    security: &Security,
    accepted: &[Way],
    found: &mut Vec<(Credential, Way)>,
) -> Result<String, Refusal> {
    let mut kept = Vec::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = percent::decoded(name, Plus::Itself);
        // What has the name and is no ticket of ours is the backend's.
        if name.as_deref() == Some(TICKET_NAME)
            && let Some(ticket) = percent::decoded(value, Plus::Itself)
            && secret::claims_to_be(Kind::Ticket, &ticket)
        {
            found.push((Credential::Ticket(ticket), Way::Ticket));
            continue;
        }
        if name.as_deref() != Some(&*security.api_key_query) {
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
