//! What sign-in providers say of themselves: their discovery documents and keys, fetched when somebody wants to sign in
//! and remembered for a while.
//!
//! Strangers can want to sign in without end; a provider is asked once in ten minutes, and again only where a key is not
//! known, at a bounded rate. While it is away, what is known of it stays in use. It knows no HTTP; documents come over
//! the port that the keys of other issuers come over.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tidegate_model::{id::ProviderId, provider::SignInProvider, time::Timestamp};
use tidegate_oauth::relying_party::{Endpoints, endpoints};

use crate::{
    keeper::{NoKeys, discovery, key_set, usable},
    state::Inner,
};

/// Age at which a provider is asked again, as for the keys of other issuers.
const FRESH_MILLIS: i64 = 600_000;
/// Time between two questions to a provider that did not answer, or whose keys are not the right ones.
const RETRY_MILLIS: i64 = 10_000;
/// Providers that are remembered. There are fewer at a time; whoever makes and deletes many has the rest forgotten.
const KNOWN_MAX: usize = 64;

/// What is known of a provider.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) endpoints: Endpoints,
    /// The key set as text.
    pub(crate) keys: String,
}

#[derive(Debug, Default)]
struct Slot {
    /// Of which settings: others are asked for anew.
    etag: u64,
    known: Option<(Arc<Known>, Timestamp)>,
    /// The last question, and why it failed.
    asked: Option<(Timestamp, Option<NoKeys>)>,
}

/// What is known of all of them, in memory.
#[derive(Debug, Default)]
pub(crate) struct KnownProviders(Mutex<HashMap<ProviderId, Arc<tokio::sync::Mutex<Slot>>>>);

/// How new it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// As remembered.
    Usual,
    /// Asked for once more, since a key is not in it; not more often than every ten seconds.
    OtherKeys,
    /// Asked for now, by an administrator.
    Now,
}

impl KnownProviders {
    fn slot(&self, id: ProviderId) -> Arc<tokio::sync::Mutex<Slot>> {
        // Never held across an await; a panic inside leaves a map that is still a map.
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= KNOWN_MAX && !slots.contains_key(&id) {
            slots.clear();
        }
        Arc::clone(slots.entry(id).or_default())
    }

    /// What this provider says of itself.
    ///
    /// # Errors
    /// [`NoKeys`] where it cannot be had and nothing is remembered, or, for [`Wanted::Now`], where it cannot be had.
    pub(crate) async fn of(
        &self,
        inner: &Inner,
        provider: &SignInProvider,
        wanted: Wanted,
    ) -> Result<Arc<Known>, NoKeys> {
        let slot = self.slot(provider.id);
        // Whoever comes meanwhile waits for the same answer. The port bounds the time.
        let mut slot = slot.lock().await;
        if slot.etag != provider.etag {
            *slot = Slot { etag: provider.etag, ..Slot::default() };
        }
        let now = inner.now();
        let since = |at: &Timestamp| now.millis() - at.millis();
        let is_fresh = slot.known.as_ref().is_some_and(|(_, at)| since(at) < FRESH_MILLIS);
        let is_early = slot.asked.as_ref().is_some_and(|(at, _)| since(at) < RETRY_MILLIS);
        let asks = match wanted {
            Wanted::Now => true,
            Wanted::OtherKeys => !is_early,
            Wanted::Usual => !is_fresh && !is_early,
        };
        if asks {
            let found = fetch(inner, provider).await;
            slot.asked = Some((now, found.as_ref().err().copied()));
            match found {
                Ok(known) => slot.known = Some((Arc::new(known), now)),
                Err(error) => {
                    let reason = &error as &dyn std::error::Error;
                    tracing::warn!(
                        error = reason,
                        provider = provider.name,
                        "a sign-in provider cannot be asked"
                    );
                    if wanted == Wanted::Now {
                        return Err(error);
                    }
                }
            }
        }
        match (&slot.known, &slot.asked) {
            (Some((known, _)), _) => Ok(Arc::clone(known)),
            (None, Some((_, Some(error)))) => Err(*error),
            (None, _) => Err(NoKeys::NotStored),
        }
    }
}

async fn fetch(inner: &Inner, provider: &SignInProvider) -> Result<Known, NoKeys> {
    let document = discovery(inner, &provider.trust.discovery_url).await?;
    let endpoints = endpoints(&document, &provider.trust.issuer).map_err(NoKeys::BadDiscovery)?;
    let named = [&endpoints.authorization, &endpoints.token, &endpoints.keys];
    for address in named.into_iter().chain(&endpoints.userinfo) {
        usable(address)?;
    }
    let keys = key_set(inner, &endpoints.keys).await?;
    Ok(Known { endpoints, keys })
}
