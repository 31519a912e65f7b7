//! The addresses of an endpoint: which one is tried first, which are left alone, and what each carries.
//!
//! Every gateway keeps its own account of failures and of open sessions, by address, so that two APIs with the same
//! backend learn from each other. Times are arguments; it does not know sockets.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_lc_rs::digest::{SHA256, digest};
use tidegate_model::endpoint::{Balance, Endpoint, Suspension};
use tidegate_wire::Micros;

/// Addresses that are remembered; beyond it those without sessions and without failures are forgotten.
const REMEMBERED_MAX: usize = 4_096;

/// What is known of one address.
#[derive(Debug, Default)]
struct Target {
    open: AtomicUsize,
    health: Mutex<Health>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Health {
    /// In a row.
    failures: u32,
    suspended_until: Micros,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    by_url: Mutex<HashMap<String, Arc<Target>>>,
    turn: AtomicUsize,
}

/// A session's place at its address; given back when dropped.
#[derive(Debug)]
pub(crate) struct InUse(Arc<Target>);

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An address to try.
#[derive(Debug)]
pub(crate) struct Candidate<'e> {
    pub(crate) url: &'e str,
    target: Arc<Target>,
}

impl Targets {
    /// The addresses to try, in order. One that is suspended is left out as long as another is left; where all are,
    /// asking is better than refusing. `sticks_to` is what a sticky balance goes by; others do not look at it.
    pub(crate) fn order<'e>(
        &self,
        endpoint: &'e Endpoint,
        sticks_to: &[u8],
        now: Micros,
    ) -> Vec<Candidate<'e>> {
        let mut candidates: Vec<_> =
            endpoint.targets().map(|url| Candidate { url, target: self.target(url) }).collect();
        let is_in = |candidate: &Candidate<'_>| candidate.target.health().suspended_until <= now;
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

    fn target(&self, url: &str) -> Arc<Target> {
        let mut by_url = self.by_url();
        if let Some(target) = by_url.get(url) {
            return Arc::clone(target);
        }
        if by_url.len() >= REMEMBERED_MAX {
            by_url.retain(|_, target| Arc::strong_count(target) > 1 || *target.health() != Health::default());
        }
        Arc::clone(by_url.entry(url.to_owned()).or_default())
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
    fn health(&self) -> MutexGuard<'_, Health> {
        // A std mutex: held for two numbers, never across an await.
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Candidate<'_> {
    /// It took the session.
    pub(crate) fn succeeded(&self) -> InUse {
        *self.target.health() = Health::default();
        self.target.open.fetch_add(1, Ordering::Relaxed);
        InUse(Arc::clone(&self.target))
    }

    /// It failed at `now`.
    pub(crate) fn failed(&self, suspension: Suspension, now: Micros) {
        let mut health = self.target.health();
        health.failures = health.failures.saturating_add(1);
        let length = suspension.length(health.failures);
        if length > 0 {
            health.suspended_until = now.plus(Micros::from_millis(length.into()));
            drop(health);
            tracing::warn!(millis = length, "a backend's address is suspended");
        }
    }
}

#[cfg(test)]
mod tests;
