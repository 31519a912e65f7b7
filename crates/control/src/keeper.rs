//! Keeps the keys of other issuers fresh: on a schedule, and when gateways meet a key that they do not know.
//!
//! What cannot be had, or cannot be used, changes nothing: the keys that are held stay, and their age is shown. It
//! knows no HTTP; documents come over a port that obeys the gateway's own rules for addresses.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tidegate_model::{
    command::{Command, StoreFetchedKeys},
    id::KeyManagerId,
    issuer::{Held, KeyManager, KeySource},
    port::NoDocument,
    rule,
    time::Timestamp,
    user::Actor,
};
use tidegate_oauth::issuer::{BadDocument, DOCUMENT_BYTES_MAX, keys_address, usable_keys};
use tokio::sync::Notify;

use crate::state::{Control, Inner};

/// Age at which keys are fetched again: an issuer that takes a key away wants it gone within minutes, and asking more
/// often than a browser's cache would is no friendly thing.
const FRESH_MILLIS: i64 = 600_000;
/// Time between two tries of an issuer that does not answer.
const RETRY_MILLIS: i64 = 60_000;
/// Time between two fetches that gateways wish for: one issuer is asked six times a minute, whoever makes keys up.
const WISH_EVERY_MILLIS: i64 = 10_000;
/// How often is looked whose keys are due.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Why the keys of an issuer could not be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoKeys {
    #[error("discovery document: {0}")]
    Discovery(NoDocument),
    #[error("{0}")]
    BadDiscovery(BadDocument),
    #[error("the discovery document names an address that cannot be used: it must begin with https://")]
    BadAddress,
    #[error("key set: {0}")]
    KeySet(NoDocument),
    #[error("{0}")]
    BadKeySet(BadDocument),
    #[error("the keys could not be stored")]
    NotStored,
}

/// The last time that the keys of an issuer were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) at: Timestamp,
    pub(crate) failed: Option<NoKeys>,
}

#[derive(Debug, Default)]
struct State {
    attempts: HashMap<KeyManagerId, Attempt>,
    under_way: HashSet<KeyManagerId>,
    wished: HashSet<KeyManagerId>,
    /// When a wish was granted last. The schedule's own fetches are not counted: an issuer that changes its keys right
    /// after one is asked at once.
    granted: HashMap<KeyManagerId, Timestamp>,
}

/// What is known of fetches; in memory, since what was fetched is stored.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    state: Mutex<State>,
    wish: Notify,
}

impl Keeper {
    fn state(&self) -> MutexGuard<'_, State> {
        // Never held across an await.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A gateway met a key of this issuer that it does not know.
    pub(crate) fn wish(&self, of: KeyManagerId) {
        self.state().wished.insert(of);
        self.wish.notify_one();
    }

    pub(crate) fn attempt(&self, of: KeyManagerId) -> Option<Attempt> {
        self.state().attempts.get(&of).cloned()
    }

    /// Whose keys are due. What is not there any more is forgotten.
    fn due(&self, all: Vec<Held>, now: Timestamp) -> Vec<KeyManager> {
        let mut state = self.state();
        let there: HashSet<_> = all.iter().map(|held| held.manager.id).collect();
        state.attempts.retain(|id, _| there.contains(id));
        state.granted.retain(|id, _| there.contains(id));
        state.wished.retain(|id| there.contains(id));
        let is_due = |held: &Held| {
            let id = held.manager.id;
            let trust = &held.manager.trust;
            if trust.keys.url().is_none() || !trust.enabled || state.under_way.contains(&id) {
                return false;
            }
            let since = |at: Timestamp| now.millis() - at.millis();
            let is_grantable = state.granted.get(&id).is_none_or(|at| since(*at) >= WISH_EVERY_MILLIS);
            match (state.attempts.get(&id), &held.fetched) {
                _ if state.wished.contains(&id) && is_grantable => true,
                (Some(Attempt { at, failed: Some(_) }), _) => since(*at) >= RETRY_MILLIS,
                (Some(Attempt { at, failed: None }), Some(_)) => since(*at) >= FRESH_MILLIS,
                // Not asked since the start: what was stored may be a minute or a year old.
                (None, _) | (Some(_), None) => true,
            }
        };
        let due: Vec<_> = all.into_iter().filter(is_due).map(|held| held.manager).collect();
        for manager in &due {
            // A wish that is too early stays, until it is due.
            if state.wished.remove(&manager.id) {
                state.granted.insert(manager.id, now);
            }
        }
        due
    }
}

impl Control {
    /// Keeps the keys of other issuers fresh, for as long as it is polled.
    pub async fn keep_keys(&self) {
        loop {
            match self.0.ports.catalog.key_managers().await {
                Ok(all) => {
                    for manager in self.0.keeper.due(all, self.0.now()) {
                        let inner = std::sync::Arc::clone(&self.0);
                        // One issuer that takes its time holds up no other. Bounded by the time of the port, and one
                        // for each key manager at most; dropping it loses a try.
                        tokio::spawn(async move { fetch(&inner, &manager).await });
                    }
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "the key managers cannot be read");
                }
            }
            // A wish during the look is not lost: the permit of a notify waits.
            let _ = tokio::time::timeout(LOOK_EVERY, self.0.keeper.wish.notified()).await;
        }
    }
}

/// Fetches the keys of this issuer now, unless that is under way already.
pub(crate) async fn fetch(inner: &Inner, manager: &KeyManager) {
    if manager.trust.keys.url().is_none() || !inner.keeper.state().under_way.insert(manager.id) {
        return;
    }
    let _done = UnderWay { keeper: &inner.keeper, id: manager.id };
    let failed = match keys(inner, manager).await {
        Ok(jwks) => store(inner, manager, jwks).await.err(),
        Err(error) => Some(error),
    };
    if let Some(error) = &failed {
        let error = error as &dyn std::error::Error;
        tracing::warn!(error, key_manager = manager.name, "the keys of an issuer cannot be fetched");
    }
    let attempt = Attempt { at: inner.now(), failed };
    inner.keeper.state().attempts.insert(manager.id, attempt);
}

/// Ends the mark on every way out, also where the task is dropped.
struct UnderWay<'k> {
    keeper: &'k Keeper,
    id: KeyManagerId,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.keeper.state().under_way.remove(&self.id);
    }
}

async fn keys(inner: &Inner, manager: &KeyManager) -> Result<String, NoKeys> {
    let address = match &manager.trust.keys {
        KeySource::Discovery(url) => {
            let document = discovery(inner, url).await?;
            let address = keys_address(&document, &manager.trust.issuer).map_err(NoKeys::BadDiscovery)?;
            usable(&address)?;
            address
        }
        KeySource::Jwks(url) => url.clone(),
        // Never asked for.
        KeySource::Inline(jwks) => return Ok(jwks.clone()),
    };
    key_set(inner, &address).await
}

/// A discovery document.
pub(crate) async fn discovery(inner: &Inner, url: &str) -> Result<Vec<u8>, NoKeys> {
    inner.ports.documents.document(url, DOCUMENT_BYTES_MAX).await.map_err(NoKeys::Discovery)
}

/// Whether an address that a discovery document names may be asked.
pub(crate) fn usable(address: &str) -> Result<(), NoKeys> {
    let mut problems = Vec::new();
    rule::issuer_url("", address, &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(NoKeys::BadAddress) }
}

/// The key set at this address, in which something can be verified with.
pub(crate) async fn key_set(inner: &Inner, address: &str) -> Result<String, NoKeys> {
    let found = inner.ports.documents.document(address, DOCUMENT_BYTES_MAX).await;
    let bytes = found.map_err(NoKeys::KeySet)?;
    let jwks = String::from_utf8(bytes).map_err(|_| NoKeys::BadKeySet(BadDocument::KeySet))?;
    usable_keys(&jwks).map_err(NoKeys::BadKeySet)?;
    Ok(jwks)
}

async fn store(inner: &Inner, manager: &KeyManager, jwks: String) -> Result<(), NoKeys> {
    let (id, based_on) = (manager.id, manager.etag);
    let command = Command::StoreFetchedKeys(StoreFetchedKeys { id, based_on, jwks });
    inner.execute(&Actor::product(), command).await.map(drop).map_err(|_| NoKeys::NotStored)
}

#[cfg(test)]
mod tests;
