//! Access tokens for backends, by the client credentials grant (RFC 6749 section 4.4): kept until shortly before they
//! expire, and fetched once for all handshakes that wait.
//!
//! Who comes first fetches; the others wait for it and take what it got, an error included. A token that is about to
//! expire is renewed by one handshake while the others go on with it. The fetch itself is in `token/fetch.rs`; this file
//! does not know HTTP.

mod fetch;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidegate_model::{endpoint::Credential, port::Clock, time::Timestamp};
use tokio::sync::Mutex as AsyncMutex;

/// Tokens that are kept: one per authorization server, client and scope.
const KEPT_MAX: usize = 1_024;
/// The life of a token whose issuer does not say (RFC 6749 section 5.1 only recommends it).
const LIFETIME_UNSAID_MILLIS: i64 = 300_000;
/// The longest life that is believed: a token that was revoked is noticed by the backend's 401 anyway.
const LIFETIME_MAX_MILLIS: i64 = 86_400_000;
/// A token is renewed in the last tenth of its life, at most so long before its end: the slowest handshake with a
/// backend, and what two clocks differ by.
const RENEW_BEFORE_MILLIS: i64 = 60_000;
/// A token younger than this that a backend refuses is not at fault: the next one would not be better, and every
/// handshake would ask for one.
const YOUNG_MILLIS: i64 = 5_000;

/// Why there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NoToken {
    /// The token URL cannot be used.
    BadUrl,
    /// Its address may not be dialled.
    Forbidden,
    /// Nobody answers there.
    Unreachable,
    /// Its TLS is not trusted.
    Untrusted,
    /// It did not answer in time.
    Timeout,
    /// It answered with this status.
    Refused { status: u16 },
    /// Its answer holds no token that can be used.
    Malformed,
}

impl NoToken {
    /// What to do about it, for people who may see the settings.
    pub(crate) fn advice(self) -> String {
        match self {
            Self::BadUrl => "Enter a token URL like https://issuer.example.com/oauth2/token.".to_owned(),
            Self::Forbidden => {
                "The token URL leads to an address that is never dialled: link-local and metadata addresses, \
                 Tidegate's own listeners, and what this machine's operator does not allow."
                    .to_owned()
            }
            Self::Unreachable => {
                "Nothing answers at the token URL. Check host and port, and whether the authorization server runs."
                    .to_owned()
            }
            Self::Untrusted => {
                "The authorization server's certificate is not trusted. It must be issued by an authority that this \
                 machine trusts."
                    .to_owned()
            }
            Self::Timeout => "The authorization server did not answer in time. Look at its log.".to_owned(),
            Self::Refused { status: status @ (400 | 401 | 403) } => format!(
                "The authorization server answered {status}. Check client id, secret and scope, and that the client \
                 may use the client credentials grant."
            ),
            Self::Refused { status } => format!(
                "The authorization server answered {status} instead of a token. Check the token URL; redirects are \
                 not followed."
            ),
            Self::Malformed => {
                "The answer at the token URL is no bearer token (RFC 6749, section 5.1). Check the token URL."
                    .to_owned()
            }
        }
    }
}

/// An access token. Its Debug hides it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(Arc<str>);

impl Token {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What an issuer gave.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    token: Token,
    /// `None`: it did not say.
    lifetime_millis: Option<i64>,
}

#[derive(Debug, Clone)]
struct Kept {
    token: Token,
    since: Timestamp,
    renew_at: Timestamp,
    expires_at: Timestamp,
}

impl Kept {
    fn new(issued: Issued, now: Timestamp) -> Self {
        let lifetime = issued.lifetime_millis.unwrap_or(LIFETIME_UNSAID_MILLIS).clamp(0, LIFETIME_MAX_MILLIS);
        let early = (lifetime / 10).min(RENEW_BEFORE_MILLIS);
        Self {
            token: issued.token,
            since: now,
            renew_at: now.plus_millis(lifetime - early),
            expires_at: now.plus_millis(lifetime),
        }
    }
}

/// One credential's token.
#[derive(Debug, Default)]
struct Slot {
    kept: Mutex<Option<Kept>>,
    /// Held by whoever fetches.
    flight: AsyncMutex<()>,
    /// How many fetches have ended, and how the last one failed.
    ended: Mutex<(u64, Option<NoToken>)>,
}

impl Slot {
    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        // A std mutex: held for a clone, never across an await.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, (u64, Option<NoToken>)> {
        // A std mutex, as above.
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn valid(&self, now: Timestamp) -> Option<Kept> {
        self.kept().clone().filter(|kept| now < kept.expires_at)
    }

    async fn fetched<F>(&self, clock: &dyn Clock, fetch: impl FnOnce() -> F) -> Result<Token, NoToken>
    where
        F: Future<Output = Result<Issued, NoToken>>,
    {
        let issued = fetch().await;
        let kept = issued.map(|issued| Kept::new(issued, clock.now()));
        let mut ended = self.ended();
        *ended = (ended.0 + 1, kept.as_ref().err().copied());
        drop(ended);
        let kept = kept?;
        *self.kept() = Some(kept.clone());
        Ok(kept.token)
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<HashMap<Credential, Arc<Slot>>>);

impl Tokens {
    /// The credential's token; `fetch` gets one where there is none that lasts.
    pub(crate) async fn get<F>(
        &self,
        credential: &Credential,
        clock: &dyn Clock,
        fetch: impl FnOnce() -> F,
    ) -> Result<Token, NoToken>
    where
        F: Future<Output = Result<Issued, NoToken>>,
    {
        let slot = self.slot(credential);
        let now = clock.now();
        if let Some(kept) = slot.valid(now) {
            let renewing = if now < kept.renew_at { None } else { slot.flight.try_lock().ok() };
            let Some(_flight) = renewing else { return Ok(kept.token) };
            // A failed renewal harms nobody yet.
            return Ok(slot.fetched(clock, fetch).await.unwrap_or(kept.token));
        }
        let before = slot.ended().0;
        let _flight = slot.flight.lock().await;
        let (ended, failed) = *slot.ended();
        if ended != before
            && let Some(failed) = failed
        {
            return Err(failed);
        }
        if let Some(kept) = slot.valid(clock.now()) {
            return Ok(kept.token);
        }
        slot.fetched(clock, fetch).await
    }

    /// A backend refused this token. Answers whether asking for another one is worth it.
    pub(crate) fn forget(&self, credential: &Credential, refused: &Token, now: Timestamp) -> bool {
        let slot = self.slot(credential);
        let mut kept = slot.kept();
        match &*kept {
            Some(newer) if newer.token != *refused => true,
            Some(same) if now < same.since.plus_millis(YOUNG_MILLIS) => false,
            _ => {
                *kept = None;
                true
            }
        }
    }

    fn slot(&self, credential: &Credential) -> Arc<Slot> {
        // A std mutex: held for a look-up, never across an await.
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(credential) {
            return Arc::clone(slot);
        }
        if slots.len() >= KEPT_MAX {
            // Those that nobody waits for; they are fetched again.
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(credential.clone()).or_default())
    }
}

#[cfg(test)]
mod tests;
