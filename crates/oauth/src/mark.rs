//! Marks: eight bytes by which a credential, or what it belongs to, can be named without being known.
//!
//! They are the beginning of a SHA-256 over the kind and its parts, each with its length before it, so that no two
//! different things have the same input. Who revokes and who verifies make the same marks here. They are
//! no proof of anything: to have a mark is not to have the credential, and nobody is let in by one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// A mark.
pub type Mark = [u8; 8];

/// Of a token that says who issued it and which one it is (`iss` and `jti`, RFC 7519, section 4.1).
pub fn token(issuer: &str, jti: &str) -> Mark {
    mark("token", &[issuer, jti])
}

/// Of a token of another issuer, which is named by its bytes where it has no `jti`.
pub fn of_another(issuer: &str, jti: Option<&str>, token: &str) -> Mark {
    match jti {
        Some(jti) => self::token(issuer, jti),
        None => opaque("token of another issuer", &URL_SAFE_NO_PAD.encode(Sha256::digest(token))),
    }
}

/// Of a credential that says nothing: the hash of an opaque token, or the public id of a key. With the kind before it where two
/// kinds could look alike.
pub fn opaque(kind: &str, text: &str) -> Mark {
    mark("opaque", &[kind, text])
}

/// Of an opaque access token of ours, by the hash of it.
pub fn access_token(hash: &str) -> Mark {
    opaque("access token", hash)
}

/// Of a personal access token, by its id: what was bought with it ends with it.
pub fn personal_token(id: &str) -> Mark {
    opaque("personal access token", id)
}

/// Of a grant that outlives its access tokens: a refresh family, by the issuer and its id (`grant_id` in a token).
pub fn grant(issuer: &str, id: &str) -> Mark {
    mark("grant", &[issuer, id])
}

/// Of whom a token speaks for (`iss` and `sub`).
pub fn subject(issuer: &str, subject: &str) -> Mark {
    mark("subject", &[issuer, subject])
}

fn mark(kind: &str, parts: &[&str]) -> Mark {
    let mut hash = Sha256::new();
    for part in [kind].iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let hash: [u8; 32] = hash.finalize().into();
    std::array::from_fn(|place| hash[place])
}

#[cfg(test)]
mod tests;
