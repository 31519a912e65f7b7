//! The authorization server's identity: issuer, audience, keys, and issuing access tokens with them. Beside it the key
//! that gateways sign for backends with, which is none of the issuer's.

use tidegate_model::{
    snapshot::{BackendTokenFacts, IssuerFacts},
    user::Secret,
};
use tidegate_oauth::{
    Random,
    jwk::{SigningKey, key_set},
    token::{CannotSign, Grant, issue},
};

/// How long an access token lives, in seconds: an hour is the field's default, long enough for a session to be worth
/// opening and short enough that a leaked one dies by itself.
pub const ACCESS_TOKEN_SECONDS: i64 = 3_600;

/// The audience of access tokens for gateways of this issuer.
pub fn audience(issuer: &str) -> String {
    format!("{issuer}/gateway")
}

/// The issuer of backend tokens of this issuer's gateways.
pub(crate) fn backend_issuer(issuer: &str) -> String {
    format!("{issuer}/backend")
}

/// The keys of backend tokens.
pub(crate) struct BackendKeys {
    facts: Option<BackendTokenFacts>,
    key_set: String,
}

impl BackendKeys {
    /// Of keys as they are stored, newest first; the newest signs.
    pub(crate) fn new(issuer: &str, keys: &[SigningKey]) -> Self {
        let facts = keys.first().map(|key| BackendTokenFacts {
            issuer: backend_issuer(issuer),
            key: Secret(key.to_text().expose().to_owned()),
        });
        Self { facts, key_set: key_set(keys) }
    }

    pub(crate) const fn facts(&self) -> Option<&BackendTokenFacts> {
        self.facts.as_ref()
    }

    /// The public halves.
    pub(crate) fn key_set(&self) -> &str {
        &self.key_set
    }
}

pub(crate) struct Issuer {
    url: String,
    audience: String,
    key_set: String,
    /// Newest first; the newest signs.
    keys: Vec<SigningKey>,
}

impl Issuer {
    pub(crate) fn new(issuer: &str, keys: Vec<SigningKey>) -> Self {
        Self { url: issuer.to_owned(), audience: audience(issuer), key_set: key_set(&keys), keys }
    }

    pub(crate) fn facts(&self) -> IssuerFacts {
        IssuerFacts { issuer: self.url.clone(), audience: self.audience.clone(), jwks: self.key_set.clone() }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn key_set(&self) -> &str {
        &self.key_set
    }

    /// An access token for a client.
    pub(crate) fn access_token(
        &self,
        client_id: &str,
        scope: &str,
        now: i64,
        random: &mut dyn Random,
    ) -> Result<String, CannotSign> {
        let key = self.keys.first().ok_or(CannotSign)?;
        let (issuer, audience) = (self.url.as_str(), self.audience.as_str());
        let grant = Grant { issuer, audience, client_id, scope, now, lifetime: ACCESS_TOKEN_SECONDS };
        issue(key, &grant, random)
    }
}
