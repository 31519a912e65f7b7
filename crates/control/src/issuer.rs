//! The authorization server's identity: issuer, audience, keys, and issuing access tokens with them. Beside it the key
//! that gateways sign for backends with, which is none of the issuer's.

use std::{collections::BTreeSet, sync::Arc};

use arc_swap::ArcSwap;
use tidegate_model::{
    command::{KeyPurpose, SigningKeyRecord},
    signing_key,
    snapshot::{BackendTokenFacts, IssuerFacts},
    time::Timestamp,
    user::Secret,
};
use tidegate_oauth::{
    Random,
    jwk::{BadKey, SigningKey, key_set},
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

/// The issuer's keys as they are stored, with what signs.
#[derive(Default)]
struct Keys {
    records: Vec<SigningKeyRecord>,
    /// In the order of the records.
    signing: Vec<SigningKey>,
    key_set: Arc<str>,
}

pub(crate) struct Issuer {
    url: String,
    audience: String,
    /// Replaced as a whole when keys come and go.
    keys: ArcSwap<Keys>,
}

impl Issuer {
    /// Without keys: nothing is issued and nothing believed before [`Issuer::know`].
    pub(crate) fn new(issuer: &str) -> Self {
        Self { url: issuer.to_owned(), audience: audience(issuer), keys: ArcSwap::default() }
    }

    /// Works with these keys from now on, of all that are stored. A key that is known already is not read again.
    pub(crate) fn know(&self, stored: Vec<SigningKeyRecord>) -> Result<(), BadKey> {
        let mut records = stored;
        records.retain(|record| record.purpose == KeyPurpose::AccessTokens);
        let before = self.keys.load();
        if before.records == records && !records.is_empty() {
            return Ok(());
        }
        let read = |record: &SigningKeyRecord| {
            let known = before.signing.iter().find(|key| key.kid() == record.kid);
            known.map_or_else(|| SigningKey::from_text(&record.private_key.0), |key| Ok(key.clone()))
        };
        let signing = records.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let key_set = key_set(&signing).into();
        self.keys.store(Arc::new(Keys { records, signing, key_set }));
        Ok(())
    }

    pub(crate) fn facts(&self) -> IssuerFacts {
        let keys = self.keys.load();
        IssuerFacts {
            issuer: self.url.clone(),
            audience: self.audience.clone(),
            jwks: keys.key_set.to_string(),
            keys: keys.records.iter().map(|record| record.kid.clone()).collect(),
        }
    }

    /// The keys as they are stored, newest first.
    pub(crate) fn records(&self) -> Vec<SigningKeyRecord> {
        self.keys.load().records.clone()
    }

    /// What tokens are signed with, of all keys that are published.
    pub(crate) fn algorithms(&self) -> Vec<&'static str> {
        let keys = self.keys.load();
        let names = keys.signing.iter().map(|key| key.algorithm().name());
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The key that signs at this time.
    fn signing_key(&self, now: Timestamp) -> Option<SigningKey> {
        let keys = self.keys.load();
        let current = signing_key::current(&keys.records, now)?;
        keys.signing.iter().find(|key| key.kid() == current.kid).cloned()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn key_set(&self) -> Arc<str> {
        Arc::clone(&self.keys.load().key_set)
    }

    /// An access token for a client.
    pub(crate) fn access_token(
        &self,
        client_id: &str,
        scope: &str,
        bound_to: Option<&str>,
        now: i64,
        random: &mut dyn Random,
    ) -> Result<String, CannotSign> {
        let key = self.signing_key(Timestamp::from_seconds(now)).ok_or(CannotSign)?;
        let (issuer, audience) = (self.url.as_str(), self.audience.as_str());
        let grant =
            Grant { issuer, audience, client_id, scope, now, lifetime: ACCESS_TOKEN_SECONDS, bound_to };
        issue(&key, &grant, random)
    }
}
