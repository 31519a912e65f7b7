//! The addresses of an endpoint: which one is tried first, which are left alone, and what each carries.
//!
//! Every gateway keeps its own account: of open sessions by address, of failures and checks by address and by what the
//! endpoint has of its own ([`Way`]), so that two APIs with the same backend learn from each other, and one with a wrong
//! password spoils nothing for the other. Times are arguments; it does not know sockets. Read next: `health.rs`.

mod standing;

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_lc_rs::digest::{SHA256, digest};
use tidegate_model::{
    endpoint::{Balance, Endpoint, HealthCheck, Suspension},
    target::{LastCheck, TargetState},
};
use tidegate_wire::Micros;
use tokio::sync::Notify;

use standing::Standing;

/// Addresses that are remembered; beyond it those without sessions and without failures are forgotten.
const REMEMBERED_MAX: usize = 4_096;
/// Ways that are remembered of one address; beyond it all but the last are forgotten.
const WAYS_MAX: usize = 64;

/// What an endpoint has of its own on the way to an address: trust, credential, health checks. It is a hash of these, of
/// this process alone, so it holds no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Way(u64);

/// What is known of one address.
#[derive(Debug, Default)]
struct Target {
    open: AtomicUsize,
    standings: Mutex<HashMap<Way, Standing>>,
    /// Told when something has changed that others want to know.
    changed: Arc<Notify>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    by_url: Mutex<HashMap<String, Arc<Target>>>,
    turn: AtomicUsize,
    ways: RandomState,
    changed: Arc<Notify>,
}

/// A session's place at its address; given back when dropped.
#[derive(Debug)]
pub(crate) struct InUse(Arc<Target>);

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.changed.notify_one();
    }
}

/// An address to try.
#[derive(Debug)]
pub(crate) struct Candidate<'e> {
    pub(crate) url: &'e str,
    way: Way,
    target: Arc<Target>,
}

/// What is known of an address on one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) state: TargetState,
    pub(crate) failures: u32,
    pub(crate) open: u32,
    pub(crate) last_check: Option<LastCheck>,
}

impl Targets {
    /// The addresses to try, in order. One that is suspended or unhealthy is left out as long as another is left; where
    /// all are, asking is better than refusing. `sticks_to` is what a sticky balance goes by; others do not look at it.
    pub(crate) fn order<'e>(
        &self,
        endpoint: &'e Endpoint,
        sticks_to: &[u8],
        now: Micros,
    ) -> Vec<Candidate<'e>> {
        let way = self.way(endpoint);
        let mut candidates: Vec<_> = endpoint.targets().map(|url| self.candidate(url, way)).collect();
        let is_in = |candidate: &Candidate<'_>| candidate.target.standing(way).is_in(now);
        if candidates.iter().any(is_in) {
            candidates.retain(is_in);
        }
        match endpoint.balance {
            Balance::Failover => {}
            Balance::RoundRobin => {
                let first = self.turn.fetch_add(1, Ordering::Relaxed) % candidates.len();
                candidates.rotate_left(first);
            }
            Balance::LeastConnections => {
                // Among equals the next in turn, so that idle addresses share.
                let first = self.turn.fetch_add(1, Ordering::Relaxed) % candidates.len();
                candidates.rotate_left(first);
                candidates.sort_by_key(|candidate| candidate.target.open.load(Ordering::Relaxed));
            }
            Balance::StickyClient | Balance::StickyHeader => {
                candidates.sort_by_cached_key(|candidate| weight(candidate.url, sticks_to));
            }
        }
        candidates
    }

    /// How this endpoint goes to its addresses.
    pub(crate) fn way(&self, endpoint: &Endpoint) -> Way {
        Way(self.ways.hash_one((&endpoint.tls, &endpoint.credential, endpoint.health)))
    }

    /// A check of the address has ended. Answers the new health where that changed it.
    pub(crate) fn checked(&self, url: &str, way: Way, rule: HealthCheck, check: LastCheck) -> Option<bool> {
        self.target(url).with(way, |standing| standing.checked(rule, check))
    }

    /// The address is checked no more on this way: what checks have found does not count any more.
    pub(crate) fn unchecked(&self, url: &str, way: Way) {
        self.target(url).with(way, Standing::unchecked);
    }

    /// What is known of an address; `None`: nothing, nobody has gone there.
    pub(crate) fn known(&self, url: &str, way: Way, now: Micros) -> Option<Known> {
        let target = self.by_url().get(url).map(Arc::clone)?;
        let standing = target.standing(way);
        let open = u32::try_from(target.open.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        let Standing { failures, last_check, .. } = standing;
        Some(Known { state: standing.state(now), failures, open, last_check })
    }

    /// Waits until something was noted since the last wait. Dropping the future loses nothing.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn candidate<'e>(&self, url: &'e str, way: Way) -> Candidate<'e> {
        Candidate { url, way, target: self.target(url) }
    }

    fn target(&self, url: &str) -> Arc<Target> {
        let mut by_url = self.by_url();
        if let Some(target) = by_url.get(url) {
            return Arc::clone(target);
        }
        if by_url.len() >= REMEMBERED_MAX {
            by_url.retain(|_, target| Arc::strong_count(target) > 1 || !target.is_forgettable());
        }
        let blank = || Arc::new(Target { changed: Arc::clone(&self.changed), ..Target::default() });
        Arc::clone(by_url.entry(url.to_owned()).or_insert_with(blank))
    }

    fn by_url(&self) -> MutexGuard<'_, HashMap<String, Arc<Target>>> {
        // A std mutex: held for a few look-ups of a handshake, never across an await.
        self.by_url.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rendezvous hashing: the same client meets the same address, and an address that leaves moves only its own clients.
fn weight(url: &str, sticks_to: &[u8]) -> [u8; 32] {
    let key = [sticks_to, b"\n", url.as_bytes()].concat();
    digest(&SHA256, &key).as_ref().try_into().expect("a SHA-256 has 32 bytes")
}

impl Target {
    fn standings(&self) -> MutexGuard<'_, HashMap<Way, Standing>> {
        // A std mutex: held for a few numbers, never across an await.
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self, way: Way) -> Standing {
        self.standings().get(&way).copied().unwrap_or_default()
    }

    fn is_forgettable(&self) -> bool {
        self.standings().is_empty()
    }

    fn with<T>(&self, way: Way, change: impl FnOnce(&mut Standing) -> T) -> T {
        let mut standings = self.standings();
        let standing = standings.entry(way).or_default();
        let answer = change(standing);
        if standing.is_blank() {
            standings.remove(&way);
        } else if standings.len() > WAYS_MAX {
            // Of endpoints that were changed time and again; a few failures forgotten harm nobody.
            standings.retain(|known, _| *known == way);
        }
        drop(standings);
        self.changed.notify_one();
        answer
    }
}

impl Candidate<'_> {
    /// It took the session.
    pub(crate) fn succeeded(&self) -> InUse {
        self.target.open.fetch_add(1, Ordering::Relaxed);
        self.target.with(self.way, Standing::succeeded);
        InUse(Arc::clone(&self.target))
    }

    /// It failed at `now`.
    pub(crate) fn failed(&self, suspension: Suspension, now: Micros) {
        let length = self.target.with(self.way, |standing| standing.failed(suspension, now));
        if length > 0 {
            tracing::warn!(millis = length, "a backend's address is suspended");
        }
    }
}

#[cfg(test)]
mod tests;
