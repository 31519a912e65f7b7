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
    id_token::{Hint, Hints},
    jwk::{BadKey, SigningKey, key_set},
    token::{AccessTokenVerifier, BadToken, CannotSign, Claims, Grant, issue},
};

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
    /// `None` before any are known.
    own: Option<Own>,
}

/// For tokens of ours that come back.
struct Own {
    access: AccessTokenVerifier,
    hints: Hints,
}

pub(crate) struct Issuer {
    url: String,
    audience: String,
    /// Replaced as a whole when keys come and go.
    keys: ArcSwap<Keys>,
}

// All that may be stored, and one that follows another at once, can be read back by whoever reads our key set.
const _: () = assert!(tidegate_model::signing_key::STORED_MAX < tidegate_oauth::jwk::KEYS_MAX);

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
        let key_set = key_set(&signing);
        let own = Own {
            access: AccessTokenVerifier::new(&self.url, &self.audience, &key_set)?,
            hints: Hints::new(&self.url, &key_set)?,
        };
        self.keys.store(Arc::new(Keys { records, signing, key_set: key_set.into(), own: Some(own) }));
        Ok(())
    }

    /// The audience of access tokens.
    pub(crate) fn audience(&self) -> &str {
        &self.audience
    }

    /// The claims of an access token of ours that is valid now.
    pub(crate) fn verify(&self, token: &str, now: i64) -> Result<Claims, BadToken> {
        self.verify_with_key(token, now).map(|(claims, _)| claims)
    }

    /// The same, and the name of the key that signed it.
    pub(crate) fn verify_with_key(&self, token: &str, now: i64) -> Result<(Claims, Arc<str>), BadToken> {
        self.keys.load().own.as_ref().ok_or(BadToken::Unknown)?.access.verify_with_key(token, now)
    }

    /// Whether a key of this name is among those that are published.
    pub(crate) fn has_key(&self, kid: &str) -> bool {
        self.keys.load().records.iter().any(|record| record.kid == kid)
    }

    /// What an ID token of ours says, at any age.
    pub(crate) fn hint(&self, token: &str) -> Option<Hint> {
        self.keys.load().own.as_ref()?.hints.read(token)
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
    pub(crate) fn signing_key(&self, now: Timestamp) -> Option<SigningKey> {
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

    /// An access token for what is said of client, subject, scope and lifetime; the rest is this issuer's.
    pub(crate) fn access_token(
        &self,
        grant: &Grant<'_>,
        is_for_userinfo: bool,
        random: &mut dyn Random,
    ) -> Result<String, CannotSign> {
        let key = self.signing_key(Timestamp::from_seconds(grant.now)).ok_or(CannotSign)?;
        let userinfo = format!("{}/oauth2/userinfo", self.url);
        let also = is_for_userinfo.then_some(userinfo.as_str());
        issue(&key, &Grant { issuer: &self.url, audience: &self.audience, also, ..*grant }, random)
    }
}
