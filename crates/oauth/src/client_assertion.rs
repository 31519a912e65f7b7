//! `private_key_jwt` (RFC 7523, section 3; `OpenID` Connect Core, section 9): a client proves who it is with a statement that
//! it signs for this one request, and shows no secret.
//!
//! Which keys are the client's, and which statements it has used, the caller's storage knows.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::{
    client::is_credential,
    json,
    jwk::{Algorithm, VerificationKey, client_key},
    jws::{self, Parts},
    token::SKEW_SECONDS,
};

/// `client_assertion_type` of the one kind that is known.
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Longest statement that is looked at, in bytes; one with an RSA signature of 4,096 bits has about 1,200.
pub const ASSERTION_BYTES_MAX: usize = 4_096;
/// How long one may be valid from now on, in seconds. It is made for one request and taken once, so most libraries say one to
/// ten minutes; Authlib says an hour unless it is told otherwise, and what is remembered of it until then is a row.
pub const LIFETIME_SECONDS_MAX: i64 = 3_600;
/// Most keys of a client: the one that signs, the next, and some to spare.
pub const CLIENT_KEYS_MAX: usize = 5;
/// Largest key set of a client, in bytes: five RSA keys with chains of certificates that nobody reads.
pub const CLIENT_KEY_SET_BYTES_MAX: usize = 16 * 1_024;
/// Longest `jti`, in bytes.
const JTI_BYTES_MAX: usize = 256;

/// Why the keys of a client cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BadKeys {
    /// Not a JSON Web Key Set.
    #[error("Give a JSON Web Key Set: an object with a list “keys”, at most 16 KiB.")]
    Set,
    /// None, or more than [`CLIENT_KEYS_MAX`].
    #[error("Give one to {CLIENT_KEYS_MAX} keys.")]
    Count,
    /// One has its private half.
    #[error(
        "A key in the set is a private one. Give the public halves, and make a new pair: this one is known now."
    )]
    Private,
    /// One is of a kind that is not accepted.
    #[error("A key in the set is none of P-256, Ed25519 or RSA of 2,048 bits and more for signatures.")]
    Kind,
    /// Two have one name.
    #[error("Two keys in the set have the same “kid”.")]
    Repeated,
}

/// The keys of a client.
#[derive(Debug)]
pub struct ClientKeys(Vec<VerificationKey>);

impl ClientKeys {
    /// From a key set document. A key without a `kid` has its thumbprint for one.
    ///
    /// # Errors
    /// [`BadKeys`].
    pub fn read(key_set: &str) -> Result<Self, BadKeys> {
        if key_set.len() > CLIENT_KEY_SET_BYTES_MAX {
            return Err(BadKeys::Set);
        }
        let set = json::object(key_set.as_bytes()).ok_or(BadKeys::Set)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(BadKeys::Set)?;
        if !(1..=CLIENT_KEYS_MAX).contains(&keys.len()) {
            return Err(BadKeys::Count);
        }
        let mut read: Vec<VerificationKey> = Vec::new();
        for key in keys {
            if key.get("d").is_some() || key.get("k").is_some() {
                return Err(BadKeys::Private);
            }
            let key = client_key(key).ok_or(BadKeys::Kind)?;
            if read.iter().any(|other| other.kid == key.kid) {
                return Err(BadKeys::Repeated);
            }
            read.push(key);
        }
        Ok(Self(read))
    }
}

/// What a right statement is remembered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Names this statement among all: a digest over client and `jti`, in base64url.
    pub replay_id: String,
    /// Seconds since the epoch when it is over, and need not be remembered.
    pub expires_at: i64,
}

/// The client that a statement claims to be of, before anything of it was verified: only to find the keys by.
pub(crate) fn claimed_client(assertion: &str) -> Option<String> {
    let claims = Parts::of(assertion, ASSERTION_BYTES_MAX)?.payload()?;
    text(&claims, "sub").filter(|client_id| is_credential(client_id)).map(str::to_owned)
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    members.get(name).and_then(Value::as_str)
}

/// Whether the statement is this client's, for one of these audiences, now; `None` when it is not, for whatever reason. It
/// has to be taken once: by its [`Taken::replay_id`].
pub fn verify(
    assertion: &str,
    client_id: &str,
    keys: &ClientKeys,
    audiences: &[&str],
    now: i64,
) -> Option<Taken> {
    let parts = Parts::of(assertion, ASSERTION_BYTES_MAX)?;
    let header = parts.header()?;
    // What else the client may sign with this key is none (RFC 8725, section 3.11).
    let is_plain = match header.get("typ") {
        None => true,
        Some(Value::String(typ)) => {
            ["jwt", "client-authentication+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known))
        }
        Some(_) => false,
    };
    if !is_plain || jws::is_extended(&header) {
        return None;
    }
    let key = match header.get("kid") {
        Some(kid) => keys.0.iter().find(|key| Some(&*key.kid) == kid.as_str())?,
        // Without a name it can only mean the one that there is.
        None => keys.0.first().filter(|_| keys.0.len() == 1)?,
    };
    let is_named = Algorithm::named(text(&header, "alg")?) == Some(key.algorithm);
    if !is_named || !key.verifies(parts.message(), &parts.signature()?) {
        return None;
    }
    let claims = parts.payload()?;
    if text(&claims, "iss")? != client_id || text(&claims, "sub")? != client_id {
        return None;
    }
    // One audience and no other: else whoever it was also meant for could present it here.
    let audience = match claims.get("aud")? {
        Value::String(one) => one.as_str(),
        Value::Array(some) if some.len() == 1 => some[0].as_str()?,
        _ => return None,
    };
    if !audiences.contains(&audience) {
        return None;
    }
    let seconds = |name: &str| match claims.get(name) {
        None => Some(None),
        Some(value) => value.as_i64().map(Some),
    };
    let expires_at = seconds("exp")??;
    let latest = now.saturating_add(SKEW_SECONDS);
    let is_of_now = expires_at > now && expires_at <= latest.saturating_add(LIFETIME_SECONDS_MAX);
    let has_begun = [seconds("iat")?, seconds("nbf")?].iter().flatten().all(|begin| *begin <= latest);
    if !is_of_now || !has_begun {
        return None;
    }
    let jti = text(&claims, "jti").filter(|jti| (1..=JTI_BYTES_MAX).contains(&jti.len()))?;
    let mut id = Sha256::new();
    for part in [client_id, jti] {
        id.update((part.len() as u64).to_be_bytes());
        id.update(part);
    }
    let replay_id = URL_SAFE_NO_PAD.encode(id.finalize());
    Some(Taken { replay_id, expires_at })
}

#[cfg(test)]
mod tests;
