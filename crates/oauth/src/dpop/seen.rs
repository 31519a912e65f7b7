//! The proofs that were taken, remembered for as long as they could be taken again, and in no more room than is known.
//!
//! It knows neither clock nor lock: time is an argument, and whoever shares one guards it.

use std::{
    collections::{HashMap, HashSet},
    mem,
};

use super::{ACCEPTED_SECONDS, BadProof, Proof};

/// Proofs remembered in one generation; two generations live. That is a thousand proofs a second, and with some 40 bytes each
/// 10 MiB at most. Beyond it proofs are refused: what is forgotten could be used again.
pub const REMEMBERED_MAX: usize = 131_072;
/// Proofs of one client in a generation: a hundred a second, and an eighth of the room. One that makes more of them than it
/// has uses for stands in nobody's way but its own.
pub const REMEMBERED_OF_CLIENT_MAX: usize = REMEMBERED_MAX / 8;

/// Two generations, each at least as long as a proof can be taken: the older is forgotten as a whole.
#[derive(Debug, Default)]
pub struct Seen {
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
    /// How many of the young ones are whose.
    of_clients: HashMap<Box<str>, usize>,
    /// When the young one began, in seconds since the epoch.
    since: i64,
}

impl Seen {
    /// Takes a proof of this client, once, at `now` in seconds since the epoch. To be asked when everything else that the
    /// client presents has been believed: what a stranger sends is not worth remembering.
    ///
    /// # Errors
    /// [`BadProof::Replayed`]; [`BadProof::TooMany`] while no more can be remembered, of this client or at all.
    pub fn take(&mut self, proof: &Proof, client_id: &str, now: i64) -> Result<(), BadProof> {
        let age = now.saturating_sub(self.since);
        if age >= ACCEPTED_SECONDS {
            self.old = mem::take(&mut self.young);
            self.of_clients.clear();
            if age >= 2 * ACCEPTED_SECONDS {
                self.old.clear();
            }
            self.since = now;
        }
        let id = proof.replay_id;
        if self.young.contains(&id) || self.old.contains(&id) {
            return Err(BadProof::Replayed);
        }
        let theirs = self.of_clients.get(client_id).copied().unwrap_or_default();
        if self.young.len() >= REMEMBERED_MAX || theirs >= REMEMBERED_OF_CLIENT_MAX {
            return Err(BadProof::TooMany);
        }
        self.young.insert(id);
        self.of_clients.insert(client_id.into(), theirs + 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
