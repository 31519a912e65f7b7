//! The proofs that were taken, remembered for as long as they could be taken again, and in no more room than is known.
//!
//! It knows neither clock nor lock: time is an argument, and whoever shares one guards it.

use std::{collections::HashSet, mem};

use super::{ACCEPTED_SECONDS, BadProof, Proof};

/// Proofs remembered in one generation; two generations live. That is a thousand proofs a second, and with some 40 bytes each
/// 10 MiB at most. Beyond it proofs are refused: what is forgotten could be used again.
pub const REMEMBERED_MAX: usize = 131_072;

/// Two generations, each at least as long as a proof can be taken: the older is forgotten as a whole.
#[derive(Debug, Default)]
pub struct Seen {
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
    /// When the young one began, in seconds since the epoch.
    since: i64,
}

impl Seen {
    /// Takes a proof, once, at `now` in seconds since the epoch.
    ///
    /// # Errors
    /// [`BadProof::Replayed`]; [`BadProof::TooMany`] while no more can be remembered.
    pub fn take(&mut self, proof: &Proof, now: i64) -> Result<(), BadProof> {
        let age = now.saturating_sub(self.since);
        if age >= ACCEPTED_SECONDS {
            self.old = mem::take(&mut self.young);
            if age >= 2 * ACCEPTED_SECONDS {
                self.old.clear();
            }
            self.since = now;
        }
        let id = proof.replay_id;
        if self.young.contains(&id) || self.old.contains(&id) {
            return Err(BadProof::Replayed);
        }
        if self.young.len() >= REMEMBERED_MAX {
            return Err(BadProof::TooMany);
        }
        self.young.insert(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
