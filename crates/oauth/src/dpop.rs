//! Proofs of possession (RFC 9449): whoever presents a token that is bound to a key shows, with a signature over this very
//! request, that the key is theirs.
//!
//! [`verify`] does not remember which proofs it has seen: [`Seen`] does, and takes each once. Where the proof was found, and what the token says, is the caller's as well.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{
    jwk::{Algorithm, ProofKey},
    jws::{self, Parts},
    token::SKEW_SECONDS,
};

mod seen;

pub use seen::{REMEMBERED_MAX, REMEMBERED_OF_CLIENT_MAX, Seen};

/// Longest proof that is looked at, in bytes; one with an RSA key of 4,096 bits has about 1,800.
pub const PROOF_BYTES_MAX: usize = 4_096;
/// How old a proof may be, in seconds: it is made for one request, and a minute is what slow networks and clocks need.
pub const PROOF_SECONDS: i64 = 60;
/// For how long after its `iat` a proof can be accepted anywhere: how long it has to be remembered that it was.
pub const ACCEPTED_SECONDS: i64 = PROOF_SECONDS + SKEW_SECONDS;
/// Longest `jti`, in bytes; 96 random bits are 16 (RFC 9449, section 4.2).
const JTI_BYTES_MAX: usize = 256;
/// Longest `htu`, in bytes.
const ADDRESS_BYTES_MAX: usize = 2_048;

/// Why a proof is refused. None repeats anything of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BadProof {
    /// None came, or more than one.
    #[error("send exactly one DPoP header with the token")]
    NotOne,
    /// Not a JWT of the shape that is accepted.
    #[error("the DPoP proof is malformed")]
    Malformed,
    /// `typ` is not `dpop+jwt`, or there are critical extensions.
    #[error("this is not a DPoP proof")]
    WrongType,
    /// Another algorithm than the key's, or none that is known.
    #[error("the DPoP proof has an algorithm that is not accepted for its key")]
    WrongAlgorithm,
    /// The key is none, is private, or cannot be used.
    #[error("the key in the DPoP proof cannot be used")]
    BadKey,
    /// The signature is wrong.
    #[error("the signature of the DPoP proof is wrong")]
    BadSignature,
    /// `htm` is another method.
    #[error("the DPoP proof is for another method")]
    WrongMethod,
    /// `htu` is another address.
    #[error("the DPoP proof is for another address")]
    WrongAddress,
    /// `ath` is missing or another token's.
    #[error("the DPoP proof is for another token")]
    WrongToken,
    /// Made too long ago, or in the future.
    #[error("the DPoP proof is not of now; make one for each request")]
    NotOfNow,
    /// Seen before.
    #[error("the DPoP proof was used already; make one for each request")]
    Replayed,
    /// More proofs than can be remembered.
    #[error("too many DPoP proofs at once; try again in a minute")]
    TooMany,
    /// The token is bound to another key.
    #[error("the token is bound to another key than the proof's")]
    WrongKey,
    /// The token is bound, and came without a proof.
    #[error("the token is bound to a key; present it as “Authorization: DPoP” with a proof")]
    Needed,
    /// The token is not bound.
    #[error("the token is not bound to a key; present it as “Authorization: Bearer”")]
    NotBound,
}

impl BadProof {
    /// `error` of RFC 9449, section 7.1: the token's fault or the proof's.
    pub const fn error(self) -> &'static str {
        match self {
            Self::Needed | Self::NotBound | Self::WrongKey => "invalid_token",
            _ => "invalid_dpop_proof",
        }
    }

    /// The value of `WWW-Authenticate` for it, with the algorithms that proofs may have.
    pub fn challenge(self, realm: &str) -> String {
        let description: String = self.to_string().chars().filter(char::is_ascii).collect();
        let (error, algorithms) = (self.error(), Algorithm::NAMES.join(" "));
        format!(
            "DPoP realm=\"{realm}\", error=\"{error}\", error_description=\"{description}\", algs=\"{algorithms}\""
        )
    }
}

/// What a proof has to be for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'e> {
    /// The request's method.
    pub method: &'e str,
    /// The request's address.
    pub address: &'e Address,
    /// The access token beside it; `None` where one is asked for.
    pub access_token: Option<&'e str>,
}

/// An address without query and fragment, in one spelling (RFC 9449, section 4.3). The schemes of WebSocket count as those of
/// HTTP under them (RFC 6455, section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    is_secure: bool,
    authority: String,
    path: String,
}

impl Address {
    /// The address of a request: whether it came over TLS, the authority as the client wrote it, and the path.
    pub fn of(is_secure: bool, authority: &str, path: &str) -> Self {
        let authority = authority.to_ascii_lowercase();
        let usual = if is_secure { ":443" } else { ":80" };
        let authority = authority.strip_suffix(usual).unwrap_or(&authority).to_owned();
        Self { is_secure, authority, path: if path.is_empty() { "/".to_owned() } else { path.to_owned() } }
    }

    /// The address that a text is; `None` when it is none, or one with a user in it.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > ADDRESS_BYTES_MAX || !text.bytes().all(|byte| matches!(byte, b'!'..=b'~')) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "https" | "wss" => true,
            "http" | "ws" => false,
            _ => return None,
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.is_empty() || authority.contains(['@', '\\']) {
            return None;
        }
        Some(Self::of(is_secure, authority, path))
    }

    /// Whether a client that names `said` can have meant this address. What came without TLS may have left the client
    /// with it: a proxy in front ends it.
    fn is_meant_by(&self, said: &Self) -> bool {
        if self.is_secure || !said.is_secure {
            return self == said;
        }
        self.path == said.path && Self::of(true, &self.authority, "").authority == said.authority
    }
}

/// A proof that is what it has to be, but for having been seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// RFC 7638 thumbprint of the key: what a token's `cnf.jkt` has to be.
    pub thumbprint: String,
    /// Names this proof among all: a digest over key and `jti`.
    pub replay_id: [u8; 32],
    /// When it was made, in seconds since the epoch.
    pub issued_at: i64,
}

impl Proof {
    /// Whether the token that is bound to the key of this thumbprint is the holder's.
    pub fn is_of(&self, thumbprint: &str) -> bool {
        self.thumbprint.as_bytes().ct_eq(thumbprint.as_bytes()).into()
    }
}

/// Verifies a proof at `now`, in seconds since the epoch (RFC 9449, section 4.3).
///
/// # Errors
/// [`BadProof`], the first reason found.
pub fn verify(proof: &str, expected: &Expected<'_>, now: i64) -> Result<Proof, BadProof> {
    let parts = Parts::of(proof, PROOF_BYTES_MAX).ok_or(BadProof::Malformed)?;
    let key = key(&parts.header().ok_or(BadProof::Malformed)?)?;
    if !key.verifies(parts.message(), &parts.signature().ok_or(BadProof::Malformed)?) {
        return Err(BadProof::BadSignature);
    }
    let claims = parts.payload().ok_or(BadProof::Malformed)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let jti =
        text("jti").filter(|jti| (1..=JTI_BYTES_MAX).contains(&jti.len())).ok_or(BadProof::Malformed)?;
    let issued_at = claims.get("iat").and_then(Value::as_i64).ok_or(BadProof::Malformed)?;
    if text("htm").ok_or(BadProof::Malformed)? != expected.method {
        return Err(BadProof::WrongMethod);
    }
    let said = Address::parse(text("htu").ok_or(BadProof::Malformed)?).ok_or(BadProof::WrongAddress)?;
    if !expected.address.is_meant_by(&said) {
        return Err(BadProof::WrongAddress);
    }
    if issued_at < now.saturating_sub(PROOF_SECONDS) || issued_at > now.saturating_add(SKEW_SECONDS) {
        return Err(BadProof::NotOfNow);
    }
    if let Some(token) = expected.access_token {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()));
        let is_this = text("ath").is_some_and(|ath| ath.as_bytes().ct_eq(digest.as_bytes()).into());
        if !is_this {
            return Err(BadProof::WrongToken);
        }
    }
    let thumbprint = key.thumbprint;
    let mut id = Sha256::new_with_prefix(thumbprint.as_bytes());
    id.update(jti.as_bytes());
    Ok(Proof { thumbprint, replay_id: id.finalize().into(), issued_at })
}

/// The key in the header, whose algorithm must be the one that the header names.
fn key(header: &Map<String, Value>) -> Result<ProofKey, BadProof> {
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    if !text("typ").is_some_and(|typ| typ.eq_ignore_ascii_case("dpop+jwt")) {
        return Err(BadProof::WrongType);
    }
    if jws::is_extended(header) {
        return Err(BadProof::WrongType);
    }
    let algorithm = text("alg").and_then(Algorithm::named).ok_or(BadProof::WrongAlgorithm)?;
    let key = ProofKey::read(header.get("jwk").ok_or(BadProof::BadKey)?).ok_or(BadProof::BadKey)?;
    if key.algorithm == algorithm { Ok(key) } else { Err(BadProof::WrongAlgorithm) }
}

#[cfg(test)]
mod tests;
