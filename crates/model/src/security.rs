//! How clients prove to an API who they are, and from which web pages they may: settings of a design.
//!
//! It does not know how a credential is found or checked. Invariant of origins: what a browser sends by itself never
//! opens a session for a page that the API does not name.

mod origin;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::headers::is_same_name;

pub use origin::{ANY_ORIGIN, BadOrigin, check_origin, check_page};

/// Origins that one API may name: an API is for a handful of sites, and each handshake from a page walks the list.
pub const ORIGINS_MAX: usize = 64;
/// Longest origin, in bytes: a host name has 253 at most.
pub const ORIGIN_BYTES_MAX: usize = 300;

/// The header that holds an API key, where an API says no other: the usual one of other gateways.
pub const API_KEY_HEADER: &str = "ApiKey";
/// The query parameter that holds an API key, where an API says no other.
pub const API_KEY_QUERY: &str = "apikey";
/// The query parameter that holds a ticket, and the subprotocol that announces one.
pub const TICKET_NAME: &str = "ticket";
/// Longest name of a query parameter, in bytes.
pub const QUERY_NAME_BYTES_MAX: usize = 64;

/// A kind of credential in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// An access token in `Authorization: Bearer` (RFC 6750 section 2.1).
    #[serde(rename = "oauth_header")]
    OAuthHeader,
    /// An access token in the query, `access_token` (RFC 6750 section 2.3).
    #[serde(rename = "oauth_query")]
    OAuthQuery,
    /// An access token as a subprotocol behind `bearer`.
    #[serde(rename = "oauth_subprotocol")]
    OAuthSubprotocol,
    /// An API key in a header, whose name the API says.
    ApiKeyHeader,
    /// An API key in the query, under a name that the API says.
    ApiKeyQuery,
    /// `Authorization: Basic` (RFC 7617) with the id and the secret of an application's key.
    Basic,
    /// A one-time ticket, in the query as `ticket` or as a subprotocol behind `ticket`.
    Ticket,
    /// The certificate that the client shows in TLS, or that a trusted proxy says it has shown.
    MutualTls,
    /// Nothing at all: whoever comes is let in.
    None,
}

impl Way {
    /// All, in the order in which a page shows them.
    pub const ALL: [Self; 9] = [
        Self::OAuthHeader,
        Self::OAuthQuery,
        Self::OAuthSubprotocol,
        Self::ApiKeyHeader,
        Self::ApiKeyQuery,
        Self::Basic,
        Self::Ticket,
        Self::MutualTls,
        Self::None,
    ];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OAuthHeader => "oauth_header",
            Self::OAuthQuery => "oauth_query",
            Self::OAuthSubprotocol => "oauth_subprotocol",
            Self::ApiKeyHeader => "api_key_header",
            Self::ApiKeyQuery => "api_key_query",
            Self::Basic => "basic",
            Self::Ticket => "ticket",
            Self::MutualTls => "mutual_tls",
            Self::None => "none",
        }
    }

    /// The value of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// The kind of the credential, wherever it is.
    pub const fn kind(self) -> Kind {
        match self {
            Self::OAuthHeader | Self::OAuthQuery | Self::OAuthSubprotocol => Kind::OAuth,
            Self::ApiKeyHeader | Self::ApiKeyQuery => Kind::ApiKey,
            Self::Basic => Kind::Basic,
            Self::Ticket => Kind::Ticket,
            Self::MutualTls => Kind::Certificate,
            Self::None => Kind::None,
        }
    }

    /// Whether the credential is a part of an address: such ones end up in logs and histories of others. A ticket is
    /// used up by then.
    pub const fn is_in_query(self) -> bool {
        matches!(self, Self::OAuthQuery | Self::ApiKeyQuery)
    }
}

/// A kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An access token.
    OAuth,
    /// An API key.
    ApiKey,
    /// A name and a password.
    Basic,
    /// A one-time ticket.
    Ticket,
    /// A certificate of TLS.
    Certificate,
    /// None.
    None,
}

impl Kind {
    /// Whether a browser may present it by itself, for whatever page asks.
    pub const fn is_ambient(self) -> bool {
        match self {
            Self::OAuth | Self::ApiKey | Self::Ticket | Self::None => false,
            // A browser that was given them once repeats them for every page.
            Self::Basic | Self::Certificate => true,
        }
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {
    /// Which credentials are accepted, and where.
    pub accepts: BTreeSet<Way>,
    /// The header that holds an API key.
    pub api_key_header: String,
    /// The query parameter that holds an API key.
    pub api_key_query: String,
    /// From which web pages a browser may connect: exact origins, one wildcard label, `null`, or `*` for all. Empty: from
    /// all, unless the browser presents something by itself, and then from none.
    pub origins: Vec<String>,
}

impl Default for Security {
    /// A ticket, and an access token in every place where one may be: the query included, since a browser's WebSocket has no other
    /// place but the subprotocol, and the first steps of many clients put it there.
    fn default() -> Self {
        Self {
            accepts: BTreeSet::from([Way::OAuthHeader, Way::OAuthQuery, Way::OAuthSubprotocol, Way::Ticket]),
            api_key_header: API_KEY_HEADER.to_owned(),
            api_key_query: API_KEY_QUERY.to_owned(),
            origins: Vec::new(),
        }
    }
}

impl Security {
    /// Whether a credential of this kind is accepted in this place.
    pub fn accepts(&self, way: Way) -> bool {
        self.accepts.contains(&way)
    }

    /// Whether a credential of this kind is accepted in any place.
    pub fn accepts_kind(&self, kind: Kind) -> bool {
        self.accepts.iter().any(|way| way.kind() == kind)
    }

    /// Whether a header of this name holds a client's API key, and so is nobody else's to see.
    pub fn is_api_key_header(&self, name: &str) -> bool {
        self.accepts(Way::ApiKeyHeader) && is_same_name(name, &self.api_key_header)
    }

    /// Whether a page of this origin may connect; `presented` are the values of `Origin`, as they came.
    ///
    /// A program that is no browser sends none, and could send any: it is not stopped here. `is_ambient` says that the
    /// browser presented something by itself, a password, a certificate or a cookie: then the page must be named.
    pub fn permits_origin<'o>(
        &self,
        presented: impl IntoIterator<Item = &'o [u8]>,
        is_ambient: bool,
    ) -> bool {
        let mut presented = presented.into_iter();
        let (Some(origin), another) = (presented.next(), presented.next()) else { return true };
        if another.is_some() {
            return false;
        }
        let Ok(origin) = std::str::from_utf8(origin) else { return false };
        if self.origins.is_empty() {
            return !is_ambient;
        }
        self.origins.iter().any(|listed| match listed.as_str() {
            ANY_ORIGIN => !is_ambient,
            listed => origin::is_of(origin, listed),
        })
    }
}

/// Whether one of the entries, each of which passed [`check_page`], names the page of this origin.
pub fn is_page_of(entries: &[String], origin: &str) -> bool {
    entries.iter().any(|entry| origin::is_of(origin, entry))
}

#[cfg(test)]
mod tests;
