//! Which headers of a client's handshake a backend gets, and which the gateway adds: rules of an API.
//!
//! Everything passes unless a rule says otherwise, except what belongs to one hop (RFC 9110 section 7.6.1), to the
//! handshake itself, to credentials, and what the gateway says by itself. It does not know how heads are written.

use serde::{Deserialize, Serialize};

/// Rules of one kind: more belong into the backend.
pub const RULES_MAX: usize = 32;
/// Longest name of a header, in bytes.
pub const HEADER_NAME_BYTES_MAX: usize = 128;
/// Longest value that is set, in bytes, before its placeholders are filled in.
pub const HEADER_VALUE_BYTES_MAX: usize = 1_024;

/// Headers that are the gateway's to say, or of one hop, or of the handshake, in lower case. No rule
/// touches them, and none of a client's goes on.
const GATEWAYS_OWN: [&str; 24] = [
    // A certificate is for the gateway, and a client's word on one is nobody's to believe.
    "client-cert",
    "client-cert-chain",
    "connection",
    "content-length",
    // A proof is for the gateway alone, as the token beside it.
    "dpop",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "max-forwards",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "traceparent",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-jwt-assertion",
    // Some servers route by these two instead of by the path that was admitted.
    "x-original-url",
    "x-real-ip",
    "x-request-id",
    "x-rewrite-url",
];
const GATEWAYS_OWN_FAMILIES: [&str; 3] = ["sec-websocket-", "x-forwarded-", "x-tidegate-"];

/// Whether two names are one to lenient servers, which read names without case and an underscore as a hyphen.
pub fn is_same_name(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one.bytes().zip(other.bytes()).all(|(one, other)| lenient(one) == lenient(other))
}

const fn lenient(byte: u8) -> u8 {
    if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() }
}

/// Whether a header of this name is not the client's to send and not a rule's to touch.
pub fn is_gateways_own(name: &str) -> bool {
    let is_of_family =
        |family: &&str| name.get(..family.len()).is_some_and(|begin| is_same_name(begin, family));
    GATEWAYS_OWN.iter().any(|own| is_same_name(own, name)) || GATEWAYS_OWN_FAMILIES.iter().any(is_of_family)
}

/// Which headers pass when no rule names them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forward {
    /// All of them.
    #[default]
    All,
    /// Only those that are allowed by name.
    Listed,
}

impl Forward {
    /// All, in the order a page shows them.
    pub const ALL: [Self; 2] = [Self::All, Self::Listed];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Listed => "listed",
        }
    }

    /// The value of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// A header that a backend gets under another name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rename {
    /// As the client calls it.
    pub from: String,
    /// As the backend calls it.
    pub to: String,
}

/// A header that a backend always gets, in place of the client's of that name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SetHeader {
    /// Its name.
    pub name: String,
    /// Its value, with placeholders in braces; see [`Placeholder`].
    pub value: String,
}

/// See the module. Names are compared by [`is_same_name`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct HeaderRules {
    /// Which pass when no rule names them.
    pub forward: Forward,
    /// These pass: all that do where only listed ones pass, and `Cookie`, which else stays behind as a credential.
    pub allow: Vec<String>,
    /// These never pass.
    pub deny: Vec<String>,
    /// These pass under another name.
    pub rename: Vec<Rename>,
    /// These are said by the gateway.
    pub set: Vec<SetHeader>,
    /// The gateway says who the client is in a signed token, `X-JWT-Assertion`.
    pub backend_jwt: bool,
}

impl HeaderRules {
    /// Whether a client's cookies go on, under any name.
    pub fn passes_cookies(&self) -> bool {
        let is_cookie = |name: &String| is_same_name(name, "cookie");
        let mut passed = self.allow.iter().chain(self.rename.iter().map(|rule| &rule.from));
        passed.any(is_cookie) && !self.deny.iter().any(is_cookie)
    }
}

/// What a value that is set can say of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Placeholder {
    /// `{subject}`: subject of the client's token.
    Subject,
    /// `{client_id}`: its OAuth client.
    ClientId,
    /// `{application}`: name of the application.
    Application,
    /// `{application_id}`: its id.
    ApplicationId,
    /// `{plan}`: business plan of the subscription; empty without one.
    Plan,
    /// `{environment}`: `production` or `sandbox`.
    Environment,
    /// `{api}`: name of the API.
    Api,
    /// `{version}`: its version.
    Version,
    /// `{topic}`: the topic as the client asked for it.
    Topic,
    /// `{session}`: id of the session.
    Session,
    /// `{address}`: the client's address.
    Address,
}

impl Placeholder {
    /// All, in the order a page shows them.
    pub const ALL: [Self; 11] = [
        Self::Subject,
        Self::ClientId,
        Self::Application,
        Self::ApplicationId,
        Self::Plan,
        Self::Environment,
        Self::Api,
        Self::Version,
        Self::Topic,
        Self::Session,
        Self::Address,
    ];

    /// Its name between the braces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::ClientId => "client_id",
            Self::Application => "application",
            Self::ApplicationId => "application_id",
            Self::Plan => "plan",
            Self::Environment => "environment",
            Self::Api => "api",
            Self::Version => "version",
            Self::Topic => "topic",
            Self::Session => "session",
            Self::Address => "address",
        }
    }

    /// The placeholder of this name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// A piece of a value that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'v> {
    /// Text as it stands.
    Text(&'v str),
    /// Something of the session.
    Placeholder(Placeholder),
}

/// Why a value cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// A brace without its partner.
    #[error("A “{{” needs its “}}”, with a name between them.")]
    Unbalanced,
    /// No placeholder of this name.
    #[error("There is no {{{0}}}.")]
    Unknown(String),
}

/// The pieces of a value.
///
/// # Errors
/// [`BadTemplate`].
pub fn pieces(value: &str) -> Result<Vec<Piece<'_>>, BadTemplate> {
    let mut pieces = Vec::new();
    let mut rest = value;
    while let Some(at) = rest.find(['{', '}']) {
        let (text, braced) = rest.split_at(at);
        let inside = braced.strip_prefix('{').and_then(|open| open.split_once('}'));
        let Some((name, after)) = inside else { return Err(BadTemplate::Unbalanced) };
        let placeholder =
            Placeholder::parse(name).ok_or_else(|| BadTemplate::Unknown(name.chars().take(40).collect()))?;
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        pieces.push(Piece::Placeholder(placeholder));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests;
