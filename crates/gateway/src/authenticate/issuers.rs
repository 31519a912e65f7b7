//! Tokens of other issuers: one verifier for each key manager, chosen by the `iss` that a token claims.
//!
//! What chooses is not believed: the chosen verifier asks for the same `iss` again in what was signed, and looks keys
//! up among its issuer's alone. A token of a key that is not there makes the gateway ask for the issuer's keys anew,
//! at a bounded rate, and the handshake wait a moment for them: so an issuer may sign with a new key at once. It does
//! not know how keys are fetched.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tidegate_model::{
    admit::Identity,
    attribute::{Claims, KeptClaims},
    id::KeyManagerId,
    issuer::{Algorithm, KeyManagerFacts},
    port::Clock,
    revocation::Marks,
    snapshot::ApiFacts,
    time::Timestamp,
    user::Secret,
};
use tidegate_oauth::{
    issuer::{DOCUMENT_BYTES_MAX, IssuerVerifier, Rules, Verified, claimed_issuer, is_jwt},
    mark, secret,
    token::BadToken,
};
use tokio::sync::{Notify, Semaphore};

use super::{REMEMBERED_MAX, Remembered, binding, digest_of, introspected::Introspected};
use crate::dial::Dialler;

/// Time between two wishes for the keys of one issuer: whoever makes up keys by the thousand makes the issuer be asked
/// six times a minute.
const WISH_EVERY_MILLIS: i64 = 10_000;
/// How long a handshake waits for keys that were wished for: an issuer answers in a fraction of it, and a client that
/// made its key up learns of its refusal soon enough.
pub(crate) const KEYS_WITHIN: Duration = Duration::from_secs(3);
/// Handshakes that may wait for keys at once; beyond it they are refused at once.
const WAITING_MAX: usize = 256;

/// One key manager's verifier and what it has verified.
#[derive(Debug)]
pub(crate) struct Other {
    facts: KeyManagerFacts,
    /// The claims that are looked at; what is remembered has no others.
    claims: KeptClaims,
    /// `None`: its keys cannot be read, hence nothing of it is believed.
    verifier: Option<IssuerVerifier>,
    remembered: Mutex<Remembered>,
    /// What was said of opaque tokens.
    opaque: Introspected,
}

impl Other {
    fn new(facts: &KeyManagerFacts, claims: &KeptClaims) -> Self {
        let trust = &facts.trust;
        let rules = Rules {
            issuer: trust.issuer.clone(),
            audiences: trust.audiences.clone(),
            client_id: trust.claims.client_id.clone(),
            scope: trust.claims.scope.clone(),
            subject: trust.claims.subject.clone(),
            algorithms: trust.algorithms.iter().copied().map(Algorithm::as_str).map(str::to_owned).collect(),
            requires_at_jwt: trust.requires_at_jwt,
        };
        let verifier = IssuerVerifier::new(rules, &facts.jwks).inspect_err(|error| {
            let error = error as &dyn std::error::Error;
            tracing::error!(error, key_manager = facts.name, "the keys of an issuer cannot be used");
        });
        Self {
            facts: facts.clone(),
            claims: claims.clone(),
            verifier: verifier.ok(),
            remembered: Mutex::new(Remembered::new(REMEMBERED_MAX)),
            opaque: Introspected::default(),
        }
    }

    pub(crate) fn id(&self) -> KeyManagerId {
        self.facts.id
    }

    /// Who presents the token.
    pub(crate) fn identify(&self, token: &str, now: Timestamp) -> Result<Arc<Identity>, BadToken> {
        let digest = digest_of(token);
        // A std mutex: held for a look-up, never across an await or a verification.
        let remembered = || self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(identity) = remembered().keep(&digest) {
            return if identity.expires_at > now { Ok(identity) } else { Err(BadToken::Expired) };
        }
        let verified = self.verifier.as_ref().ok_or(BadToken::UnknownKey)?.verify(token, now.seconds())?;
        let identity = Arc::new(self.identity(verified, token));
        remembered().add(digest, Arc::clone(&identity));
        Ok(identity)
    }

    /// What the issuer said of an opaque token, while it holds.
    pub(crate) fn said_of(&self, token: &str, now: Timestamp) -> Option<Result<Arc<Identity>, BadToken>> {
        self.opaque.said(&digest_of(token), now)
    }

    /// Asks the issuer of an opaque token. Answers whether it has said something: if not, it is away, or slow.
    pub(crate) async fn introspect(&self, dialler: &Dialler, token: &Secret, clock: &dyn Clock) -> bool {
        let (Some(at), Some(verifier)) = (&self.facts.trust.introspection, &self.verifier) else {
            return false;
        };
        let digest = digest_of(&token.0);
        let Some(_turn) = self.opaque.turn(digest).await else { return false };
        if self.opaque.said(&digest, clock.now()).is_some() {
            return true;
        }
        let Ok(answer) = dialler.introspect(at, &token.0, DOCUMENT_BYTES_MAX).await else { return false };
        let now = clock.now();
        let word = verifier.introspected(&answer, now.seconds());
        self.opaque.say(digest, word.map(|verified| Arc::new(self.identity(verified, &token.0))), now);
        true
    }

    fn identity(&self, verified: Verified, token: &str) -> Identity {
        Identity {
            marks: self.marks(&verified, token),
            claims: Claims::of(&verified.claims, &self.claims),
            client_id: verified.client_id,
            key_manager: Some(self.facts.id),
            scopes: verified.scopes.into(),
            subject: verified.subject,
            expires_at: Timestamp::from_seconds(verified.expires_at),
            signed_with: None,
            bound_to: verified.bound_to.map(binding),
            source: None,
        }
    }

    /// By what a token of this issuer can be revoked here.
    fn marks(&self, verified: &Verified, token: &str) -> Marks {
        let issuer = self.facts.trust.issuer.as_str();
        Marks {
            credential: Some(mark::of_another(issuer, verified.token_id.as_deref(), token).into()),
            grant: None,
            // A client's own token speaks for nobody.
            subject: (verified.subject != verified.client_id)
                .then(|| mark::subject(issuer, &verified.subject).into()),
            issued_at: verified.issued_at.map(Timestamp::from_seconds).unwrap_or_default(),
        }
    }
}

/// The verifiers of all key managers.
#[derive(Debug, Default)]
pub(crate) struct Issuers(HashMap<String, Arc<Other>>);

impl Issuers {
    /// Of these key managers. A verifier and what it remembers stay while nothing of its key manager changes, nor the claims
    /// that are looked at.
    pub(crate) fn of(all: &[KeyManagerFacts], claims: &KeptClaims, before: Option<&Self>) -> Self {
        let kept = |facts: &KeyManagerFacts| {
            let other = before?.0.get(&facts.trust.issuer)?;
            (other.facts == *facts && other.claims == *claims).then(|| Arc::clone(other))
        };
        let one =
            |facts: &KeyManagerFacts| kept(facts).unwrap_or_else(|| Arc::new(Other::new(facts, claims)));
        Self(all.iter().map(|facts| (facts.trust.issuer.clone(), one(facts))).collect())
    }

    /// The verifier of the issuer that the token claims, if it is another than ours.
    pub(crate) fn choose(&self, token: &str) -> Option<&Arc<Other>> {
        // Most gateways have no key manager; then no token is looked at twice.
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&claimed_issuer(token)?)
    }
}

impl Issuers {
    /// Whether this very verifier is in use.
    pub(crate) fn has(&self, other: &Arc<Other>) -> bool {
        self.0.get(&other.facts.trust.issuer).is_some_and(|it| Arc::ptr_eq(it, other))
    }

    /// Who is asked of a token that is no JWT, at this API: the one issuer that it accepts and that can be asked. Where
    /// there are several, none is: a token must not be shown to somebody else than its issuer. So is no secret of ours that
    /// somebody put where a token belongs.
    pub(crate) fn knows_opaque(&self, token: &str, api: &ApiFacts) -> Option<&Arc<Other>> {
        if self.0.is_empty() || is_jwt(token) || secret::claims_to_be_ours(token) {
            return None;
        }
        let asked = |other: &&Arc<Other>| {
            other.facts.trust.introspection.is_some() && api.issuers.accepts(&other.facts.name)
        };
        let mut others = self.0.values().filter(asked);
        let (first, second) = (others.next(), others.next());
        first.filter(|_| second.is_none())
    }
}

/// Wishes for the keys of issuers, until somebody passes them on.
#[derive(Debug)]
pub(crate) struct Wishes {
    state: Mutex<WishState>,
    made: Notify,
    waiting: Semaphore,
}

#[derive(Debug, Default)]
struct WishState {
    last: HashMap<KeyManagerId, Timestamp>,
    new: Vec<KeyManagerId>,
}

impl Default for Wishes {
    fn default() -> Self {
        Self { state: Mutex::default(), made: Notify::new(), waiting: Semaphore::new(WAITING_MAX) }
    }
}

impl Wishes {
    /// Wishes for the keys of this issuer, unless that was done just now. Answers whether waiting for them makes sense.
    pub(crate) fn wish(&self, of: KeyManagerId, now: Timestamp) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let last = state.last.get(&of).copied();
        let is_due = last.is_none_or(|last| now >= last.plus_millis(WISH_EVERY_MILLIS));
        if is_due {
            state.last.insert(of, now);
            state.new.push(of);
            self.made.notify_one();
            return true;
        }
        let within = i64::try_from(KEYS_WITHIN.as_millis()).unwrap_or_default();
        last.is_some_and(|last| now < last.plus_millis(within))
    }

    /// A place among those that wait.
    pub(crate) fn waiting(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.waiting.try_acquire().ok()
    }

    /// The wishes since the last call; waits for one. Dropping the future loses none.
    pub(crate) async fn next(&self) -> Vec<KeyManagerId> {
        loop {
            let new = std::mem::take(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).new);
            if !new.is_empty() {
                return new;
            }
            self.made.notified().await;
        }
    }
}

#[cfg(test)]
mod tests;
