//! Phase three, first half: from the credential to an identity.
//!
//! A snapshot names the issuer and its keys, so no call leaves the gateway. A signature costs more than all the rest
//! of a handshake: what was verified once is remembered by the digest of the token until it expires. The memory
//! belongs to one set of keys and is gone with it. It does not know APIs or subscriptions.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_lc_rs::digest::{SHA256, digest};
use tidegate_model::{
    admit::Identity, revocation::Marks, security::Way, snapshot::IssuerFacts, time::Timestamp,
};
use tidegate_oauth::{
    bearer::{self, BadCredential, Found, Place},
    jwk::BadKey,
    mark,
    token::{AccessTokenVerifier, BadToken, Claims},
};

use crate::{handshake::Request, refusal::Refusal};

/// Verified tokens remembered in one generation; two generations live. With some 300 bytes each it is 10 MiB at most,
/// for more clients than one gateway's handshakes see in a minute.
const REMEMBERED_MAX: usize = 16_384;

pub(crate) mod opaque;

type Digest = [u8; 32];

/// Verifies the tokens of one issuer.
#[derive(Debug)]
pub(crate) struct Verifier {
    facts: IssuerFacts,
    tokens: AccessTokenVerifier,
    remembered: Mutex<Remembered>,
}

/// Two generations: the older is forgotten as a whole when the younger is full, so forgetting costs nothing.
#[derive(Debug, Default)]
struct Remembered {
    young: HashMap<Digest, Arc<Identity>>,
    old: HashMap<Digest, Arc<Identity>>,
}

/// Finds the one credential of a request, which must be in a place that is accepted.
pub(crate) fn find(request: &Request, accepted: &[Way]) -> Result<Found, Refusal> {
    let authorization = request.headers.iter().filter(|(name, _)| name == "authorization");
    let authorization = authorization.map(|(_, value)| value.as_slice());
    let found = bearer::find(authorization, request.query.as_deref(), &request.subprotocols);
    let not_accepted = |presented| Refusal::NotAccepted { presented, accepted: accepted.into() };
    let found = found.map_err(|error| match error {
        BadCredential::Missing => not_accepted(None),
        error => error.into(),
    })?;
    let way = way(found.place);
    if accepted.contains(&way) { Ok(found) } else { Err(not_accepted(Some(way))) }
}

const fn way(place: Place) -> Way {
    match place {
        Place::Header => Way::OAuthHeader,
        Place::Query => Way::OAuthQuery,
        Place::Subprotocol => Way::OAuthSubprotocol,
    }
}

impl Verifier {
    pub(crate) fn new(facts: &IssuerFacts) -> Result<Self, BadKey> {
        Ok(Self {
            tokens: AccessTokenVerifier::new(&facts.issuer, &facts.audience, &facts.jwks)?,
            facts: facts.clone(),
            remembered: Mutex::default(),
        })
    }

    /// Whether it verifies by exactly these facts.
    pub(crate) fn is_for(&self, facts: &IssuerFacts) -> bool {
        self.facts == *facts
    }

    /// Who presents the token.
    pub(crate) fn identify(&self, token: &str, now: Timestamp) -> Result<Arc<Identity>, BadToken> {
        let digest: Digest =
            digest(&SHA256, token.as_bytes()).as_ref().try_into().expect("a SHA-256 has 32 bytes");
        if let Some(identity) = self.remembered().find(&digest) {
            let is_valid = identity.expires_at > now;
            return if is_valid { Ok(identity) } else { Err(BadToken::Expired) };
        }
        let (claims, key) = self.tokens.verify_with_key(token, now.seconds())?;
        let marks = marks(&claims);
        let identity = Arc::new(Identity {
            marks,
            client_id: claims.client_id,
            subject: claims.sub,
            expires_at: Timestamp::from_seconds(claims.exp),
            signed_with: Some(key),
            bound_to: claims.cnf.map(|cnf| cnf.jkt.into()),
        });
        self.remembered().add(digest, Arc::clone(&identity));
        Ok(identity)
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        // A std mutex: held for a look-up, never across an await or a verification.
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By what a token can be revoked.
fn marks(claims: &Claims) -> Marks {
    let issuer = claims.iss.as_str();
    let grant = Some(&claims.grant_id).filter(|id| !id.is_empty());
    Marks {
        credential: Some(mark::token(issuer, &claims.jti).into()),
        grant: grant.map(|id| mark::grant(issuer, id).into()),
        subject: Some(mark::subject(issuer, &claims.sub).into()),
        issued_at: Timestamp::from_seconds(claims.iat),
    }
}

impl Remembered {
    fn find(&mut self, digest: &Digest) -> Option<Arc<Identity>> {
        if let Some(identity) = self.young.get(digest) {
            return Some(Arc::clone(identity));
        }
        // What is still used moves on to the young generation.
        let identity = self.old.remove(digest)?;
        self.add(*digest, Arc::clone(&identity));
        Some(identity)
    }

    fn add(&mut self, digest: Digest, identity: Arc<Identity>) {
        if self.young.len() >= REMEMBERED_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, identity);
    }
}

#[cfg(test)]
mod tests;
