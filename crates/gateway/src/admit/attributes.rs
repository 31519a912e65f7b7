//! What a session that begins keeps of its request for policies to look at: the rest of it is gone when it is open.
//!
//! What its API says is an API key is none of it. It does not know who looks, nor at what values.

use std::sync::Arc;

use tidegate_model::{
    admit::Identity,
    attribute::{Attributes, LookedAt},
    headers::is_same_name,
    snapshot::ApiFacts,
};
use tidegate_oauth::percent::{Plus, decoded};

use crate::handshake::Request;

/// See the module. `query` is what is left of the query without the credential.
pub(super) fn attributes(
    looked_at: &LookedAt,
    api: &ApiFacts,
    request: &Request,
    query: Option<&str>,
    identity: &Identity,
) -> Option<Arc<Attributes>> {
    // Whether the API accepts keys or not: what it calls one may be one.
    let security = &api.security;
    let headers = request.headers.iter().filter(|(name, _)| !is_same_name(name, &security.api_key_header));
    let headers = headers.map(|(name, value)| (name.as_str(), value.as_slice()));
    let query = query.filter(|_| looked_at.has_parameters()).unwrap_or_default();
    let parameters = query.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decoded(name, Plus::Itself)?, decoded(value, Plus::Itself)?))
    });
    let parameters = parameters.filter(|(name, _)| *name != security.api_key_query);
    Attributes::of(looked_at, headers, parameters, identity)
}
