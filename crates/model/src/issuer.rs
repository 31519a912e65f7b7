//! Key managers: other issuers whose access tokens are accepted beside our own, and the clients of theirs that
//! applications have provided.
//!
//! A key manager says by which keys, for which audiences and from which claims a token is read. Its keys are fetched
//! by the control plane or given by value and travel in the snapshot, so that gateways verify without asking anybody.
//! It knows no token and no HTTP; what a key set or a discovery document looks like is the `oauth` crate's.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    endpoint::Environment,
    id::{ApplicationId, KeyManagerId},
    time::Timestamp,
    user::Secret,
};

/// What an API calls our own authorization server where it lists whose tokens it accepts. No key manager has this name.
pub const RESIDENT: &str = "resident";

/// What stands alone where an API accepts the tokens of all. No key manager has this name.
pub const ALL: &str = "all";

/// Longest name of a key manager, in characters (the specification's product takes as many).
pub const NAME_CHARS_MAX: usize = 100;
/// Longest issuer, in bytes: it stands in each token.
pub const ISSUER_BYTES_MAX: usize = 512;
/// Most audiences of one key manager; an issuer names a gateway by one, and by a second while it is renamed.
pub const AUDIENCES_MAX: usize = 16;
/// Longest audience, name of a claim, or client id, in bytes.
pub const CLAIM_BYTES_MAX: usize = 256;
/// Most key managers: each handshake with one of their tokens looks them through.
pub const KEY_MANAGERS_MAX: usize = 64;
/// Largest key set given by value, in bytes: what the `oauth` crate reads.
pub const KEY_SET_BYTES_MAX: usize = 64 * 1_024;
/// Longest secret for introspection, in bytes.
pub const SECRET_BYTES_MAX: usize = 4_096;

/// What a token may be signed with. `none` and what signs with a shared secret are not in it and never will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSA (PKCS #1 v1.5) with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
}

impl Algorithm {
    /// All of them, and what a key manager accepts unless it says less.
    pub const ALL: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];

    /// The name in JOSE headers (RFC 7518, RFC 8037).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

/// Where an issuer's public keys come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// Its discovery document (OpenID Discovery, RFC 8414), which says where they are.
    Discovery(String),
    /// Where they are.
    Jwks(String),
    /// Themselves, a JSON Web Key Set (RFC 7517) as text.
    Inline(String),
}

impl KeySource {
    /// What is fetched; `None` where nothing is.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Discovery(url) | Self::Jwks(url) => Some(url),
            Self::Inline(_) => None,
        }
    }
}

/// Which claims of a token say what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimNames {
    /// The OAuth client.
    pub client_id: String,
    /// Scopes: text separated by spaces, or a list.
    pub scope: String,
    /// Whom the token speaks for.
    pub subject: String,
}

impl Default for ClaimNames {
    /// The names of RFC 9068.
    fn default() -> Self {
        let [client_id, scope, subject] = ["client_id", "scope", "sub"].map(str::to_owned);
        Self { client_id, scope, subject }
    }
}

/// How tokens that are not JWTs are asked for (RFC 7662).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introspection {
    /// The introspection endpoint.
    pub url: String,
    /// As whom the gateway asks.
    pub client_id: String,
    /// With which secret. Never answered.
    pub client_secret: Secret,
}

/// What is decided about another issuer: everything of a [`KeyManager`] that people set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// `iss` of its tokens, compared byte by byte.
    pub issuer: String,
    /// Where its keys come from.
    pub keys: KeySource,
    /// A token must name one of these in `aud`.
    pub audiences: Vec<String>,
    /// Which claims say what.
    pub claims: ClaimNames,
    /// What its tokens may be signed with; a key's own algorithm holds besides.
    pub algorithms: Vec<Algorithm>,
    /// Only tokens whose header says `at+jwt` (RFC 9068); else `JWT` and none as well, which most issuers say.
    pub requires_at_jwt: bool,
    /// How tokens that are not JWTs are asked for; `None`: they are refused.
    pub introspection: Option<Introspection>,
    /// Whether its tokens are accepted at all.
    pub enabled: bool,
}

/// Another issuer whose tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyManager {
    /// Identifier.
    pub id: KeyManagerId,
    /// Unique without regard to case, never changed: APIs refer to it.
    pub name: String,
    /// What is decided about it.
    pub trust: Trust,
    /// When it was made.
    pub created_at: Timestamp,
    /// When people changed it last.
    pub updated_at: Timestamp,
    /// Grows by one with every change of people; fetched keys leave it.
    pub etag: u64,
}

impl KeyManager {
    /// The same without secrets, for records that others may read.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let mut copy = self.clone();
        if let Some(introspection) = &mut copy.trust.introspection {
            introspection.client_secret = Secret::default();
        }
        copy
    }
}

/// Keys as they were fetched last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedKeys {
    /// The key set as text.
    pub jwks: String,
    /// When it was fetched last, whether or not it had changed.
    pub at: Timestamp,
}

/// A key manager with the keys that are held of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The key manager.
    pub manager: KeyManager,
    /// `None`: none were fetched yet, or they are given by value.
    pub fetched: Option<FetchedKeys>,
}

impl Held {
    /// The key set that tokens are verified with; an empty one while there is none.
    pub fn key_set(&self) -> &str {
        match (&self.manager.trust.keys, &self.fetched) {
            (KeySource::Inline(jwks), _) => jwks,
            (_, Some(fetched)) => &fetched.jwks,
            (_, None) => r#"{"keys":[]}"#,
        }
    }
}

/// A client of another issuer that an application has provided as its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvidedKey {
    /// Whose client.
    pub key_manager: KeyManagerId,
    /// The issuer's name for it.
    pub client_id: String,
    /// The application that it is.
    pub application: ApplicationId,
    /// Which endpoint its sessions reach.
    pub environment: Environment,
    /// When it was provided.
    pub created_at: Timestamp,
}

/// Another issuer as a gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyManagerFacts {
    /// Identifier.
    pub id: KeyManagerId,
    /// Name, by which APIs refer to it.
    pub name: String,
    /// What is decided about it; the keys are in `jwks`.
    pub trust: Trust,
    /// The key set as text.
    pub jwks: String,
}

impl From<Held> for KeyManagerFacts {
    fn from(held: Held) -> Self {
        let jwks = held.key_set().to_owned();
        let KeyManager { id, name, trust, .. } = held.manager;
        Self { id, name, trust, jwks }
    }
}

/// Whose tokens an API accepts, by the names of key managers and [`RESIDENT`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AcceptedIssuers(
    /// `None`: those of every issuer that is there, or comes.
    pub Option<BTreeSet<String>>,
);

impl AcceptedIssuers {
    /// Of these names; [`ALL`] alone is all of them.
    pub fn named(names: Vec<String>) -> Self {
        if names == [ALL] { Self(None) } else { Self(Some(names.into_iter().collect())) }
    }

    /// The names, [`ALL`] for all of them.
    pub fn names(&self) -> Vec<String> {
        self.0.as_ref().map_or_else(|| vec![ALL.to_owned()], |names| names.iter().cloned().collect())
    }

    /// Whether tokens of the issuer of this name are accepted.
    pub fn accepts(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(name))
    }
}

#[cfg(test)]
mod tests;
