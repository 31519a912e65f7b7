//! ID tokens (`OpenID` Connect Core, section 2): who the person is, told to the client. Never an access token: another
//! `typ` and another audience, each of which alone makes the verifier of [`crate::token`] refuse it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use sha2::{Digest, Sha256, Sha512};

use crate::{
    jwk::{Algorithm, BadKey, SigningKey, VerificationKey, verification_keys},
    jws::{self, Parts},
    token::{CannotSign, TOKEN_BYTES_MAX},
};

/// How long an ID token is valid, in seconds. It is read once, when it arrives; as a hint for signing out it is
/// accepted later as well.
pub const ID_TOKEN_SECONDS: i64 = 3_600;
/// `typ` of an ID token.
pub const ID_TOKEN_TYPE: &str = "JWT";

/// What an ID token says.
#[derive(Debug, Clone, Copy)]
pub struct Person<'p> {
    /// Issuer URL.
    pub issuer: &'p str,
    /// The person's id.
    pub subject: &'p str,
    /// The client that it is for.
    pub client_id: &'p str,
    /// When the person proved who they are, in seconds since the epoch.
    pub auth_time: i64,
    /// As the client sent it.
    pub nonce: Option<&'p str>,
    /// The name that the person signs in with, where the client may know it.
    pub username: Option<&'p str>,
    /// Seconds since the epoch.
    pub now: i64,
}

#[derive(Serialize)]
struct Claims<'p> {
    iss: &'p str,
    sub: &'p str,
    aud: &'p str,
    azp: &'p str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'p str>,
    at_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'p str>,
}

/// An ID token beside this access token.
///
/// # Errors
/// [`CannotSign`].
pub fn issue(key: &SigningKey, person: &Person<'_>, access_token: &str) -> Result<String, CannotSign> {
    let claims = Claims {
        iss: person.issuer,
        sub: person.subject,
        aud: person.client_id,
        azp: person.client_id,
        exp: person.now.saturating_add(ID_TOKEN_SECONDS),
        iat: person.now,
        auth_time: person.auth_time,
        nonce: person.nonce,
        at_hash: half_hash(key.algorithm(), access_token),
        preferred_username: person.username,
    };
    key.jws(ID_TOKEN_TYPE, &claims)
}

/// `at_hash` (section 3.1.3.6): the left half of the hash that belongs to the signature's algorithm.
pub(crate) fn half_hash(algorithm: Algorithm, access_token: &str) -> String {
    let bytes = access_token.as_bytes();
    match algorithm {
        Algorithm::Es256 | Algorithm::Rs256 => URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..16]),
        // RFC 8032, section 5.1: Ed25519 hashes with SHA-512.
        Algorithm::EdDsa => URL_SAFE_NO_PAD.encode(&Sha512::digest(bytes)[..32]),
    }
}

/// Whom an ID token of ours was about, and for which client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The person's id.
    pub subject: String,
    /// The client.
    pub client_id: String,
}

/// Reads ID tokens of one issuer that are handed back as a hint (`OpenID` Connect RP-Initiated Logout, section 2): also
/// expired ones, since a session outlives them.
#[derive(Debug)]
pub struct Hints {
    issuer: String,
    keys: Vec<VerificationKey>,
}

impl Hints {
    /// From the issuer's key set document.
    ///
    /// # Errors
    /// [`BadKey::Set`] when the document cannot be used.
    pub fn new(issuer: &str, key_set: &str) -> Result<Self, BadKey> {
        Ok(Self { issuer: issuer.to_owned(), keys: verification_keys(key_set)? })
    }

    /// What the token says; `None` when it is none of ours.
    pub fn read(&self, token: &str) -> Option<Hint> {
        let parts = Parts::of(token, TOKEN_BYTES_MAX)?;
        let (header, claims) = (parts.header()?, parts.payload()?);
        let text = |name: &str| claims.get(name).and_then(serde_json::Value::as_str);
        if header.get("typ")?.as_str()? != ID_TOKEN_TYPE || jws::is_extended(&header) {
            return None;
        }
        let key = self
            .keys
            .iter()
            .find(|key| Some(&*key.kid) == header.get("kid").and_then(serde_json::Value::as_str))?;
        let is_ours = header.get("alg")?.as_str()? == key.algorithm.name()
            && key.verifies(parts.message(), &parts.signature()?)
            && text("iss")? == self.issuer;
        is_ours.then_some(())?;
        Some(Hint { subject: text("sub")?.to_owned(), client_id: text("aud")?.to_owned() })
    }
}

#[cfg(test)]
mod tests;
