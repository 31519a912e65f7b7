//! What was revoked, as every part of the gateway asks for it: handshakes, and the workers for their live sessions.
//!
//! The link adds; a handshake asks once, when its credential was believed; a worker is told the number of the newest and
//! asks for each of its sessions. A session that was admitted before a revocation came and reaches its worker after it is asked again
//! there, since it brings the number that it was admitted under. It does not know sockets or tokens.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use tidegate_model::revocation::{Revocable, Revocation, Revocations};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Revoked(RwLock<Revocations>);

impl Revoked {
    /// From now on nobody is admitted by these. Answers the number of the newest of all.
    pub(crate) fn add(&self, some: &[Revocation]) -> u64 {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.extend(some.iter().cloned());
        // The newest is as old as its way here.
        if let Some(newest) = some.last() {
            all.tidy(newest.at);
        }
        all.number()
    }

    /// The number of the newest.
    pub(crate) fn number(&self) -> u64 {
        self.all().number()
    }

    /// Whether a credential was revoked, by what it is, by what it belongs to, or by what it came of.
    pub(crate) fn hit(&self, credential: &Revocable<'_>) -> bool {
        self.all().hit(credential)
    }

    fn all(&self) -> RwLockReadGuard<'_, Revocations> {
        // A std lock: held for a few look-ups, by handshakes and not by messages; written when something is revoked.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}
