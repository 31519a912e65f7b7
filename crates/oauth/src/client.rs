//! OAuth clients: their identifiers, and how they prove who they are at the token endpoint (RFC 6749, section
//! 2.3): `client_secret_basic`, `client_secret_post` or `private_key_jwt`, never two at once, or `none` for a client that
//! cannot keep a secret. What a request presents is gathered in [`crate::form`], which sees all of it.
//!
//! Secrets are made, hashed and compared in [`crate::secret`]; who the client is, only the caller's storage knows.

use std::fmt;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

use crate::{
    Random,
    percent::{self, Plus},
    secret,
};

/// Longest client identifier or secret that is looked at, in bytes.
pub const CREDENTIAL_BYTES_MAX: usize = 256;
/// Longest base64 of a Basic credential: two parts and a colon, each byte an escape of three, four bytes for three.
const BASIC_BYTES_MAX: usize = (2 * 3 * CREDENTIAL_BYTES_MAX + 1).div_ceil(3) * 4;

/// A new client identifier: 18 random bytes in base64url. Not secret, not guessable by accident.
pub fn new_client_id(random: &mut dyn Random) -> String {
    let mut bytes = [0; 18];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whether a text can be a client identifier or secret: printable ASCII (RFC 6749, appendices A.1 and A.2), and
/// not without bound. Worth asking before storage is.
pub fn is_credential(text: &str) -> bool {
    (1..=CREDENTIAL_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// How a client proved itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `Authorization: Basic`.
    Basic,
    /// `client_id` and `client_secret` in the body.
    Post,
    /// A statement that the client signed (RFC 7523).
    PrivateKeyJwt,
    /// `client_id` in the body and nothing more: what a client without a secret can do.
    None,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Basic, Self::Post, Self::PrivateKeyJwt, Self::None];

    /// As written in metadata, of servers and of clients.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::None => "none",
        }
    }

    /// The way of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

/// The proof that a client presented.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// A secret, in this way.
    Secret(String, Method),
    /// A signed statement; see [`crate::client_assertion`].
    Assertion(String),
    /// None.
    None,
}

/// What a client presented.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    /// Identifier.
    pub client_id: String,
    /// Its proof.
    pub proof: Proof,
}

impl Presented {
    /// How it was presented.
    pub const fn method(&self) -> Method {
        match &self.proof {
            Proof::Secret(_, method) => *method,
            Proof::Assertion(_) => Method::PrivateKeyJwt,
            Proof::None => Method::None,
        }
    }

    /// Whether the secret is the one whose [`secret::hash`] was stored; `stored` is `None` for an unknown client.
    /// Hashes in every case, so that the time of the answer does not tell which clients exist. Without a secret, nothing
    /// is proven: whether that is enough is the caller's to say.
    pub fn proves(&self, stored: Option<&str>) -> bool {
        let presented = match &self.proof {
            Proof::Secret(secret, _) => secret.as_str(),
            Proof::Assertion(_) | Proof::None => "",
        };
        let is_right = secret::matches(presented, stored.unwrap_or_default());
        is_right && !presented.is_empty()
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("method", &self.method()).finish_non_exhaustive()
    }
}

/// Reads `Authorization: Basic` (RFC 7617) with form-encoded parts (RFC 6749, section 2.3.1).
/// `None` when the field is not Basic or cannot be read.
pub fn from_basic(value: &str) -> Option<Presented> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > BASIC_BYTES_MAX {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim_matches(' ')).ok()?).ok()?;
    let (client_id, client_secret) = decoded.split_once(':')?;
    let part = |text| percent::decoded(text, Plus::Space).filter(|text| is_credential(text));
    let proof = Proof::Secret(part(client_secret)?, Method::Basic);
    Some(Presented { client_id: part(client_id)?, proof })
}

#[cfg(test)]
mod tests;
