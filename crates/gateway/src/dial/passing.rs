//! What a backend gets beside the handshake itself: the client's headers as the API's rules have them, and what the
//! gateway says of the session.
//!
//! Credentials, what belongs to one hop or to the handshake, and what the client's `Connection` names stay behind,
//! whatever the rules say. Names are compared as lenient servers read them. Invariant: nothing that a person could name, or
//! a token carry, ends a line or pretends to be a part of the text around it.

use std::{borrow::Cow, net::IpAddr};

use tidegate_model::{
    admit::Grant,
    headers::{Forward, HeaderRules, Piece, Placeholder, is_gateways_own, is_same_name, pieces},
    port::Entropy,
    security::Way,
};

use super::trace::{Trace, TraceId};
use crate::handshake::Request;

/// The longest value that is set, in bytes: a header that common servers still take. What would be longer, by a topic
/// that stands in it many times, is not said.
const VALUE_BYTES_MAX: usize = 8 * 1024;

/// The session that is about to open, for whoever speaks of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening<'a> {
    pub(crate) grant: &'a Grant,
    /// Subject of the client's token.
    pub(crate) subject: &'a str,
    /// The topic as the client asked for it.
    pub(crate) topic: &'a str,
    /// The session's id.
    pub(crate) instance: &'a str,
    /// The client's address.
    pub(crate) address: IpAddr,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Passing<'a> {
    request: &'a Request,
    rules: &'a HeaderRules,
    trace: Trace,
    /// A signed word on who the client is, where the rules want it.
    assertion: Option<String>,
    /// The header that holds the client's API key.
    api_key_header: Option<&'a str>,
    /// What the rules have the gateway say.
    set: Vec<(&'a str, String)>,
}

impl<'a> Passing<'a> {
    pub(crate) fn new(
        request: &'a Request,
        opening: &Opening<'a>,
        assertion: Option<String>,
        entropy: &dyn Entropy,
    ) -> Self {
        let rules = &opening.grant.api.headers;
        let mut set = Vec::with_capacity(rules.set.len());
        for rule in rules.set.iter().filter(|rule| !is_gateways_own(&rule.name)) {
            if let Some(value) = filled(&rule.value, opening) {
                set.push((rule.name.as_str(), value));
            } else {
                tracing::debug!(header = rule.name, "a header that is set is too long and not said");
            }
        }
        let security = &opening.grant.api.security;
        let api_key_header = security.accepts(Way::ApiKeyHeader).then_some(security.api_key_header.as_str());
        Self { request, rules, trace: Trace::of(request, entropy), assertion, api_key_header, set }
    }

    pub(crate) const fn trace_id(&self) -> TraceId {
        self.trace.id()
    }

    /// Every header, by the name under which the backend gets it.
    pub(crate) fn headers(&self) -> Vec<(&str, Cow<'_, [u8]>)> {
        let named = named_by_connection(self.request);
        let mut headers = vec![("traceparent", Cow::Owned(self.trace.to_string().into_bytes()))];
        if let Some(assertion) = &self.assertion {
            headers.push(("X-JWT-Assertion", Cow::Borrowed(assertion.as_bytes())));
        }
        for (name, value) in &self.request.headers {
            let is_of_one_hop = is_gateways_own(name) || named.iter().any(|named| is_same_name(named, name));
            if let Some(name) = self.name_at_backend(name).filter(|_| !is_of_one_hop) {
                headers.push((name, Cow::Borrowed(value.as_slice())));
            }
        }
        let set = self.set.iter().map(|(name, value)| (*name, Cow::Borrowed(value.as_bytes())));
        headers.extend(set);
        headers
    }

    /// The name under which the rules let a header of the client pass.
    fn name_at_backend<'n>(&'n self, name: &'n str) -> Option<&'n str> {
        let HeaderRules { forward, allow, deny, rename, set, .. } = self.rules;
        let is_this = |other: &str| is_same_name(other, name);
        // Whoever sets a header sets it in every case: also where its value could not be said.
        let is_set = |name: &str| set.iter().any(|rule| is_same_name(&rule.name, name));
        if is_this("authorization")
            || self.api_key_header.is_some_and(is_this)
            || deny.iter().any(|denied| is_this(denied))
        {
            return None;
        }
        if is_this("tracestate") && !self.trace.continues() {
            return None;
        }
        if let Some(rule) = rename.iter().find(|rule| is_this(&rule.from)) {
            return Some(&*rule.to).filter(|to| !is_set(to) && !is_gateways_own(to));
        }
        // The name that another header gets is not the client's own to use.
        if is_set(name) || rename.iter().any(|rule| is_this(&rule.to)) {
            return None;
        }
        let passes_unnamed = *forward == Forward::All && !is_this("cookie");
        (passes_unnamed || allow.iter().any(|allowed| is_this(allowed))).then_some(name)
    }
}

/// The headers that the client's `Connection` names.
fn named_by_connection(request: &Request) -> Vec<Cow<'_, str>> {
    let connection = request.headers.iter().filter(|(name, _)| name == "connection");
    let options = connection.flat_map(|(_, value)| value.split(|byte| *byte == b','));
    options.map(|option| String::from_utf8_lossy(option.trim_ascii())).collect()
}

/// A value with its placeholders filled in; `None` where it is too long.
fn filled(template: &str, opening: &Opening<'_>) -> Option<String> {
    let pieces = pieces(template).ok()?;
    let is_alone = pieces.len() == 1;
    let mut filled = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Placeholder(placeholder) => fill(&mut filled, placeholder, opening, is_alone),
        }
        if filled.len() > VALUE_BYTES_MAX {
            return None;
        }
    }
    Some(filled)
}

fn fill(filled: &mut String, placeholder: Placeholder, opening: &Opening<'_>, is_alone: bool) {
    let Opening { grant, subject, topic, instance, address } = opening;
    let named = match placeholder {
        // These are the gateway's own words.
        Placeholder::ApplicationId => return filled.push_str(&grant.application.id.to_string()),
        Placeholder::Environment => return filled.push_str(grant.environment.as_str()),
        Placeholder::Session => return filled.push_str(instance),
        Placeholder::Address => return filled.push_str(&address.to_string()),
        // Encoded as it came.
        Placeholder::Topic => {
            return encode(filled, topic, |byte| is_plain(byte, is_alone) || b"/%".contains(&byte));
        }
        Placeholder::Subject => subject,
        Placeholder::ClientId => &*grant.client_id,
        Placeholder::Application => &grant.application.name,
        Placeholder::Plan => grant.plan_name(),
        Placeholder::Api => &grant.api.name,
        Placeholder::Version => &grant.api.version,
    };
    encode(filled, named, |byte| is_plain(byte, is_alone));
}

/// Whether a byte of a name stands in a value as it is. Alone it may hold what is visible but for `%` and what ends
/// an element of a list or a parameter; beside other text only what no text uses to part its pieces.
fn is_plain(byte: u8, is_alone: bool) -> bool {
    match byte {
        b'%' | b',' | b';' | b'"' => false,
        _ if is_alone => byte.is_ascii_graphic(),
        _ => byte.is_ascii_alphanumeric() || b"-._~".contains(&byte),
    }
}

/// What is not plain becomes `%XX` (RFC 3986 section 2.1).
fn encode(encoded: &mut String, text: &str, is_plain: impl Fn(u8) -> bool) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            let digits = [byte >> 4, byte & 0xf].map(|digit| char::from(DIGITS[usize::from(digit)]));
            encoded.push('%');
            encoded.extend(digits);
        }
    }
}

#[cfg(test)]
mod tests;
