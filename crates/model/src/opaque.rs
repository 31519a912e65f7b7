//! Access tokens that say nothing by themselves, as gateways know them: by hash, with what each stands for.
//!
//! They travel by themselves and not in the snapshot: issuing one changes nothing for anybody else, so it costs one message.
//! The store numbers them, and gateways drop the same ones as the store does: the oldest of a client that has too many. What
//! is ended before its time is told as a revocation. It knows no hash function and no link.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::{authorization::OPAQUE_TOKENS_MAX, exchange::Source, time::Timestamp, user::Secret};

/// What an access token stands for that says nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpaqueTokenFacts {
    /// Grows with each, and is never given twice. Who has seen one has seen all before it.
    pub number: u64,
    /// Hash of the token, as the `oauth` crate makes it.
    pub token_hash: Secret,
    /// OAuth client.
    pub client_id: String,
    /// Subject.
    pub subject: String,
    /// Where it came from, if from an authorization; `grant_id` of a token that says it.
    pub grant_id: Option<String>,
    /// Scopes separated by spaces.
    pub scope: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The token that it was exchanged for, if it was.
    #[serde(default)]
    pub source: Option<Source>,
}

/// All that are known, found by hash.
#[derive(Debug, Default)]
pub struct OpaqueTokens {
    number: u64,
    all: BTreeMap<u64, OpaqueTokenFacts>,
    numbers: HashMap<Secret, u64>,
    /// By client, the oldest first. Numbers of tokens that are gone may be among them.
    of_clients: HashMap<String, VecDeque<u64>>,
    /// Grown beyond this, those that have expired go.
    tidy_at: usize,
}

/// Tokens that are never worth sweeping: some 300 KiB.
const TIDY_FROM: usize = 1_024;

impl OpaqueTokens {
    /// The number of the newest that was ever added.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The token with this hash; expired ones may be found.
    pub fn find(&self, token_hash: &Secret) -> Option<&OpaqueTokenFacts> {
        self.numbers.get(token_hash).and_then(|number| self.all.get(number))
    }

    /// Those with a number above this one, in their order.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &OpaqueTokenFacts> {
        self.all.range(number.saturating_add(1)..).map(|(_, token)| token)
    }

    /// Adds one, in the order of numbers; one that is not newer than all others changes nothing. The oldest of its client go
    /// where there would be too many.
    pub fn add(&mut self, token: OpaqueTokenFacts) {
        if token.number <= self.number {
            return;
        }
        self.number = token.number;
        if self.all.len() > self.tidy_at.max(TIDY_FROM) {
            self.tidy(token.issued_at);
        }
        let theirs = self.of_clients.entry(token.client_id.clone()).or_default();
        let most = usize::try_from(OPAQUE_TOKENS_MAX).unwrap_or(usize::MAX);
        if theirs.len() >= most {
            // As the store does: first those that have expired, then the oldest.
            let (all, now) = (&self.all, token.issued_at);
            let is_over = |number: &u64| all.get(number).is_none_or(|held| held.expires_at <= now);
            let over: Vec<_> = theirs.iter().copied().filter(is_over).collect();
            theirs.retain(|number| !over.contains(number));
            let many = (theirs.len() + 1).saturating_sub(most);
            for number in over.into_iter().chain(theirs.drain(..many)) {
                if let Some(gone) = self.all.remove(&number) {
                    self.numbers.remove(&gone.token_hash);
                }
            }
        }
        theirs.push_back(token.number);
        self.numbers.insert(token.token_hash.clone(), token.number);
        self.all.insert(token.number, token);
    }

    /// Forgets those that have expired: each sweep is paid for by as many additions.
    fn tidy(&mut self, now: Timestamp) {
        self.all.retain(|_, token| token.expires_at > now);
        let all = &self.all;
        self.numbers.retain(|_, number| all.contains_key(number));
        self.of_clients.retain(|_, theirs| {
            theirs.retain(|number| all.contains_key(number));
            !theirs.is_empty()
        });
        self.tidy_at = self.all.len() * 2;
    }
}

impl Extend<OpaqueTokenFacts> for OpaqueTokens {
    fn extend<I: IntoIterator<Item = OpaqueTokenFacts>>(&mut self, some: I) {
        for token in some {
            self.add(token);
        }
    }
}

#[cfg(test)]
mod tests;
