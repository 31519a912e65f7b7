//! Signing keys through their lives: published, signing, verifying, gone.
//!
//! A key's state follows from when it begins to sign and what the time is, so no clock has to strike for it: a new key is
//! published before it signs, so that whoever keeps the issuer's key set for a while knows it by then; the key
//! before it goes on verifying until nothing that it signed is valid any more. It does not know what a key is made of.

use crate::{
    command::{KeyPurpose, Refused, SigningKeyRecord},
    decide::needs,
    role::Permission,
    time::Timestamp,
    user::Actor,
};

/// How long a key is published before it signs, in milliseconds. Others may keep the key set for five minutes; twice that
/// forgives one fetch that failed.
pub const PUBLISHED_AHEAD_MS: i64 = 600_000;
/// The longest that anything signed with a key of [`KeyPurpose::AccessTokens`] is valid, in seconds; whoever sets
/// lifetimes is bounded by it. A day: a session that was opened with a token lives as long as the token, and a key
/// that was retired has to be kept for as long.
pub const LONGEST_TOKEN_SECONDS: i64 = 86_400;
/// Keys of one purpose that may be stored. A key that is over goes by itself; who reads a key set reads a bounded number,
/// our own gateways included, and a set of more would lock everybody out.
pub const STORED_MAX: usize = 16;

/// What a key does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// Published, not signing yet.
    Next,
    /// Signing.
    Current,
    /// Still verifying what it signed.
    Retired,
}

impl KeyState {
    /// The word used in REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Retired => "retired",
        }
    }
}

/// What one key does now, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What it does.
    pub state: KeyState,
    /// When it stops signing; `None` where no other key is to follow yet.
    pub signs_until: Option<Timestamp>,
    /// When nothing that it signed is valid any more; `None` like the above.
    pub verifies_until: Option<Timestamp>,
}

impl Standing {
    /// Whether nothing that the key signed can be valid any more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.state == KeyState::Retired && self.verifies_until.is_some_and(|until| until <= now)
    }
}

/// The order in which keys sign: by the time, and where two begin at once, by name.
fn turn(key: &SigningKeyRecord) -> (Timestamp, &str) {
    (key.signs_from, &key.kid)
}

/// What this key does among `keys`, the keys of its purpose.
pub fn standing(key: &SigningKeyRecord, keys: &[SigningKeyRecord], now: Timestamp) -> Standing {
    let later = keys.iter().filter(|other| turn(other) > turn(key));
    let signs_until = later.map(|other| other.signs_from).min();
    let state = match signs_until {
        _ if key.signs_from > now => KeyState::Next,
        Some(until) if until <= now => KeyState::Retired,
        _ => KeyState::Current,
    };
    let verifies_until = signs_until.map(|until| until.plus_millis(LONGEST_TOKEN_SECONDS * 1_000));
    Standing { state, signs_until, verifies_until }
}

/// The key that signs now: the last that has begun to, else, before any has, the first that will.
pub fn current<'k>(
    keys: impl IntoIterator<Item = &'k SigningKeyRecord> + Clone,
    now: Timestamp,
) -> Option<&'k SigningKeyRecord> {
    let begun = keys.clone().into_iter().filter(|key| key.signs_from <= now);
    begun.max_by_key(|key| turn(key)).or_else(|| keys.into_iter().min_by_key(|key| turn(key)))
}

fn of_issuer(keys: &[SigningKeyRecord]) -> Vec<SigningKeyRecord> {
    keys.iter().filter(|key| key.purpose == KeyPurpose::AccessTokens).cloned().collect()
}

/// Decides on a new key that takes over at its time. `keys` are all that are stored.
///
/// # Errors
/// [`Refused::Forbidden`]; [`Refused::Conflict`] while another key waits for its turn.
pub fn rotate(
    new: &SigningKeyRecord,
    keys: &[SigningKeyRecord],
    actor: &Actor,
    now: Timestamp,
) -> Result<(), Refused> {
    needs(actor, Permission::Administer)?;
    if keys.iter().filter(|key| key.purpose == new.purpose).count() >= STORED_MAX {
        return Err(Refused::conflict(format!(
            "There are {STORED_MAX} keys already. Wait until the oldest are over, or remove some."
        )));
    }
    let is_next = |key: &&SigningKeyRecord| key.purpose == KeyPurpose::AccessTokens && key.signs_from > now;
    match keys.iter().find(is_next) {
        Some(next) if new.purpose == KeyPurpose::AccessTokens => Err(Refused::conflict(format!(
            "A new key is published already and signs from {}. Wait until then, or remove it first.",
            next.signs_from.rfc3339()
        ))),
        _ => Ok(()),
    }
}

/// Decides on a key that is to be gone at once, and whether its successor begins to sign now.
///
/// # Errors
/// [`Refused::Forbidden`]; [`Refused::NotFound`]; [`Refused::Conflict`] where the key signs and nothing follows it.
pub fn remove(
    kid: &str,
    successor: Option<&SigningKeyRecord>,
    keys: &[SigningKeyRecord],
    actor: &Actor,
    now: Timestamp,
) -> Result<bool, Refused> {
    needs(actor, Permission::Administer)?;
    let keys = of_issuer(keys);
    let key = keys.iter().find(|key| key.kid == kid).ok_or(Refused::NotFound("signing key"))?;
    let signs = current(&keys, now).is_some_and(|current| current.kid == key.kid);
    if signs && successor.is_none() {
        return Err(Refused::conflict("This key signs. Another has to take over when it is removed."));
    }
    Ok(signs)
}

#[cfg(test)]
mod tests;
