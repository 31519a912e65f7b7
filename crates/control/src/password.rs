//! Passwords: Argon2id (RFC 9106) with the parameters that OWASP names as the least, off the async threads and few at
//! a time, since each takes 19 MiB and tens of milliseconds.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tidegate_model::port::Entropy;
use tokio::sync::Semaphore;

use crate::{problem::Problem, state::Inner};

/// Hashes at the same time; two cores cannot do more, and each takes its memory.
pub(crate) const CONCURRENT_HASHES: usize = 2;
/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19 * 1_024;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;

/// What a password is checked against when there is no such user, so that the answer takes as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$8sF0Q2QmmGkr9Tq8Wl1Q4m9f5Yl4p1qv3dA0jzB8tzo";

/// Hashing failed; our fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct HashError;

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| HashError)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The PHC string of a password with this salt.
///
/// # Errors
/// [`HashError`].
pub fn hash_password(password: &str, salt: [u8; 16]) -> Result<String, HashError> {
    let hash: PasswordHash =
        argon2()?.hash_password_with_salt(password.as_bytes(), &salt).map_err(|_| HashError)?;
    Ok(hash.to_string())
}

/// Whether the password is the one of the PHC string. Takes tens of milliseconds of a core.
pub fn password_matches(password: &str, phc: &str) -> bool {
    let Ok(hash) = PasswordHash::new(phc) else { return false };
    argon2().is_ok_and(|argon2| argon2.verify_password(password.as_bytes(), &hash).is_ok())
}

/// The PHC string of a new password, hashed off the async threads.
pub(crate) async fn hash(inner: &Inner, password: String) -> Result<String, Problem> {
    const FAILED: Problem = Problem::Internal("a password could not be hashed");
    let mut salt = [0; 16];
    inner.ports.entropy.fill(&mut salt);
    let permit = Arc::clone(&inner.hashing).acquire_owned().await.map_err(|_| FAILED)?;
    let hashed = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        hash_password(&password, salt)
    });
    hashed.await.map_err(|_| FAILED)?.map_err(|_| FAILED)
}

/// A password of 100 bits that can be read aloud and typed: five groups of four, of letters and digits of which no two
/// can be taken for one another (Crockford's base 32).
pub fn generate_password(entropy: &dyn Entropy) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut bytes = [0_u8; 20];
    entropy.fill(&mut bytes);
    let letters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// Whether the password is the one of the PHC string; without one it works as long and answers no.
pub(crate) async fn verify(hashing: &Arc<Semaphore>, password: String, phc: Option<String>) -> bool {
    // The semaphore is never closed.
    let Ok(permit) = Arc::clone(hashing).acquire_owned().await else { return false };
    let verified = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let known = phc.is_some();
        let text = phc.unwrap_or_else(|| NOBODY.to_owned());
        password_matches(&password, &text) && known
    });
    verified.await.unwrap_or(false)
}
