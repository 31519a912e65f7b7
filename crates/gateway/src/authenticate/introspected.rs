//! What an issuer said of opaque tokens (RFC 7662), remembered for a while so that it is not asked at every handshake.
//!
//! A good word holds for a minute at most, so a token that its issuer revoked opens nothing after that. A bad one holds
//! for seconds, in a memory of its own: whoever makes tokens up by the thousand crowds out no good word. An issuer that
//! does not answer has said nothing, and nothing opens. One question is asked for a token, however many present it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidegate_model::{admit::Identity, time::Timestamp};
use tidegate_oauth::token::BadToken;
use tokio::sync::{Mutex as AsyncMutex, Semaphore, SemaphorePermit};

use super::{Digest, generations::Generations};

/// How long a good word holds: what the documentation promises as the longest life of a token after its issuer
/// revoked it, for new handshakes.
pub(super) const GOOD_MILLIS: i64 = 60_000;
/// How long a bad word holds: it keeps a client that tries again and again from its issuer, and one that was too early
/// waits no longer than a person does.
pub(super) const BAD_MILLIS: i64 = 10_000;
/// Good words in one generation; two live. As many as verified tokens.
const GOOD_MAX: usize = 16_384;
/// Bad words in one generation; two live.
const BAD_MAX: usize = 4_096;
/// Questions under way at one issuer. Beyond it handshakes are refused at once: an issuer that slow is away.
const ASKING_MAX: usize = 64;

type Word = Result<Arc<Identity>, BadToken>;

/// Words of one kind, each with the time until which it holds.
type Words<T> = Generations<(T, Timestamp)>;

fn still<T: Clone>(words: &Words<T>, digest: &Digest, now: Timestamp) -> Option<T> {
    let (word, until) = words.find(digest)?;
    (*until > now).then(|| word.clone())
}

/// See the module.
#[derive(Debug)]
pub(super) struct Introspected {
    words: Mutex<(Words<Arc<Identity>>, Words<BadToken>)>,
    /// Tokens that are being asked for. Whoever comes second waits for the first, and finds the word.
    under_way: Mutex<HashMap<Digest, Arc<AsyncMutex<()>>>>,
    asking: Semaphore,
}

impl Default for Introspected {
    fn default() -> Self {
        Self {
            words: Mutex::new((Words::new(GOOD_MAX), Words::new(BAD_MAX))),
            under_way: Mutex::default(),
            asking: Semaphore::new(ASKING_MAX),
        }
    }
}

impl Introspected {
    fn words(&self) -> MutexGuard<'_, (Words<Arc<Identity>>, Words<BadToken>)> {
        // A std mutex: held for a look-up, never across an await.
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was said, while it holds.
    pub(super) fn said(&self, digest: &Digest, now: Timestamp) -> Option<Word> {
        let words = self.words();
        let good = still(&words.0, digest, now)
            .map(|identity| if identity.expires_at > now { Ok(identity) } else { Err(BadToken::Expired) });
        good.or_else(|| still(&words.1, digest, now).map(Err))
    }

    /// Remembers a word.
    pub(super) fn say(&self, digest: Digest, word: Word, now: Timestamp) {
        let mut words = self.words();
        match word {
            Ok(identity) => words.0.add(digest, (identity, now.plus_millis(GOOD_MILLIS))),
            Err(error) => words.1.add(digest, (error, now.plus_millis(BAD_MILLIS))),
        }
    }

    /// The turn to ask for this token: after whoever asks for it now. `None`: too many are asked for already.
    pub(super) async fn turn(&self, digest: Digest) -> Option<Turn<'_>> {
        let asking = self.asking.try_acquire().ok()?;
        let lock = {
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(under_way.entry(digest).or_default())
        };
        let held = Arc::clone(&lock).lock_owned().await;
        Some(Turn { opaque: self, digest, lock, _held: held, _asking: asking })
    }
}

/// Ends with its owner; the last one for a token forgets that it is asked for.
pub(super) struct Turn<'o> {
    opaque: &'o Introspected,
    digest: Digest,
    lock: Arc<AsyncMutex<()>>,
    _held: tokio::sync::OwnedMutexGuard<()>,
    _asking: SemaphorePermit<'o>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut under_way = self.opaque.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        // The map, this turn and its guard: whoever waits besides holds another, and forgets it in its turn.
        if Arc::strong_count(&self.lock) <= 3 {
            under_way.remove(&self.digest);
        }
    }
}

#[cfg(test)]
mod tests;
