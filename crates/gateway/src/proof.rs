//! Phase three, where a token is bound to a key: the client shows with each handshake that the key is its own (RFC 9449).
//!
//! A proof is taken once: those that were seen are remembered for as long as they could be taken again, in this gateway
//! alone. What makes a proof right, `tidegate_oauth::dpop` says. It does not know APIs or subscriptions.

use std::{
    collections::HashSet,
    mem,
    sync::{Mutex, PoisonError},
};

use tidegate_model::{admit::Identity, time::Timestamp};
use tidegate_oauth::{
    bearer::Found,
    dpop::{self, ACCEPTED_SECONDS, Address, BadProof, Expected},
};

use crate::{connection::Client, handshake::Request, refusal::Refusal};

/// Proofs remembered in one generation; two generations live. That is a thousand handshakes a second with proofs, and with
/// some 40 bytes each 10 MiB at most. Beyond it such handshakes are refused: what is forgotten could be used again.
const REMEMBERED_MAX: usize = 131_072;
/// The method of a handshake. A stream of HTTP/2 that becomes a WebSocket counts as the same request (RFC 8441 moves the
/// handshake of RFC 6455, it does not replace it).
const METHOD: &str = "GET";

/// The proofs that were seen.
#[derive(Debug, Default)]
pub(crate) struct Proofs(Mutex<Seen>);

/// Two generations, each at least as long as a proof can be taken: the older is forgotten as a whole.
#[derive(Debug, Default)]
struct Seen {
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
    /// When the young one began, in seconds since the epoch.
    since: i64,
}

impl Proofs {
    /// Whether who presents the token may: it is bound to nothing, or to a key that the request proves.
    pub(crate) fn check(
        &self,
        identity: &Identity,
        found: &Found,
        request: &Request,
        client: Client,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let thumbprint = match (&identity.bound_to, found.is_dpop) {
            (None, false) => return Ok(()),
            (None, true) => return Err(BadProof::NotBound.into()),
            (Some(_), false) => return Err(BadProof::Needed.into()),
            (Some(thumbprint), true) => thumbprint,
        };
        let mut fields = request.headers.iter().filter(|(name, _)| name == "dpop");
        let (Some((_, proof)), None) = (fields.next(), fields.next()) else {
            return Err(BadProof::NotOne.into());
        };
        let proof = std::str::from_utf8(proof).map_err(|_| BadProof::Malformed)?.trim_matches([' ', '\t']);
        let address = Address::of(client.is_tls, &request.authority, &request.path);
        let expected = Expected { method: METHOD, address: &address, access_token: Some(&found.token) };
        let proof = dpop::verify(proof, &expected, now.seconds())?;
        if !proof.is_of(thumbprint) {
            return Err(BadProof::WrongKey.into());
        }
        // A std mutex: held for a look-up, never across an await or a verification.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(proof.replay_id, now.seconds())
    }
}

impl Seen {
    /// Takes a proof, once.
    fn take(&mut self, id: [u8; 32], now: i64) -> Result<(), Refusal> {
        let age = now.saturating_sub(self.since);
        if age >= ACCEPTED_SECONDS {
            self.old = mem::take(&mut self.young);
            if age >= 2 * ACCEPTED_SECONDS {
                self.old.clear();
            }
            self.since = now;
        }
        if self.young.contains(&id) || self.old.contains(&id) {
            return Err(BadProof::Replayed.into());
        }
        if self.young.len() >= REMEMBERED_MAX {
            return Err(Refusal::Overloaded);
        }
        self.young.insert(id);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
