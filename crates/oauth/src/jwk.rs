//! Keys: our signing key, and other people's (and our own) public keys as a JSON Web Key Set (RFC 7517).

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};

/// Largest key set that is read, in bytes; a dozen keys need less than 8 KiB.
pub const KEY_SET_BYTES_MAX: usize = 64 * 1_024;
/// Most keys that are read from a set.
pub const KEYS_MAX: usize = 32;

/// A key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// The system gave no randomness, or the library refused.
    #[error("a signing key could not be made")]
    Generate,
    /// The stored private key cannot be read back.
    #[error("the stored signing key cannot be read")]
    Stored,
    /// The key set is not one, is too large, or names a key twice.
    #[error("the key set cannot be used")]
    Set,
}

/// Our signing key: ES256 (ECDSA on P-256 with SHA-256), small to carry and quick to sign with.
pub struct SigningKey {
    pkcs8: Vec<u8>,
    encoding: EncodingKey,
    public: Jwk,
    kid: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A new key.
    pub fn generate() -> Result<Self, BadKey> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| BadKey::Generate)?;
        Self::from_pkcs8(document.as_ref())
    }

    /// The key that [`SigningKey::to_text`] wrote.
    pub fn from_text(text: &str) -> Result<Self, BadKey> {
        Self::from_pkcs8(&STANDARD.decode(text).map_err(|_| BadKey::Stored)?)
    }

    /// The private key for storage: PKCS#8 in base64. Secret.
    pub fn to_text(&self) -> String {
        STANDARD.encode(&self.pkcs8)
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, BadKey> {
        let encoding = EncodingKey::from_ec_der(pkcs8);
        let mut public = Jwk::from_encoding_key(&encoding, Algorithm::ES256).map_err(|_| BadKey::Stored)?;
        let kid = public.thumbprint(ThumbprintHash::SHA256).map_err(|_| BadKey::Stored)?;
        public.common.key_id = Some(kid.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { pkcs8: pkcs8.to_vec(), encoding, public, kid })
    }

    /// RFC 7638 thumbprint; `kid` of the tokens signed with it.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(crate) const fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }
}

/// The key set document of these keys, as `/oauth2/jwks` publishes it: public parts only.
pub fn key_set(keys: &[SigningKey]) -> String {
    let set = JwkSet { keys: keys.iter().map(|key| key.public.clone()).collect() };
    // A set of plain text fields always serialises.
    serde_json::to_string(&set).unwrap_or_else(|_| "{\"keys\":[]}".to_owned())
}

/// A key that tokens are verified with; its algorithm is the key's, never the token's.
pub(crate) struct VerificationKey {
    pub(crate) kid: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

/// The usable keys of a set. Keys of kinds that we do not verify with are passed over.
pub(crate) fn verification_keys(text: &str) -> Result<Vec<VerificationKey>, BadKey> {
    if text.len() > KEY_SET_BYTES_MAX {
        return Err(BadKey::Set);
    }
    let set: JwkSet = serde_json::from_str(text).map_err(|_| BadKey::Set)?;
    if set.keys.len() > KEYS_MAX {
        return Err(BadKey::Set);
    }
    let mut keys: Vec<VerificationKey> = Vec::new();
    for jwk in &set.keys {
        let Some(kid) = jwk.common.key_id.clone() else { continue };
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
                Algorithm::ES256
            }
            AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
                Algorithm::EdDSA
            }
            AlgorithmParameters::RSA(_) => Algorithm::RS256,
            _ => continue,
        };
        if jwk.common.key_algorithm.is_some_and(|named| format!("{named:?}") != format!("{algorithm:?}")) {
            continue;
        }
        if keys.iter().any(|other| other.kid == kid) {
            return Err(BadKey::Set);
        }
        let Ok(key) = DecodingKey::from_jwk(jwk) else { continue };
        keys.push(VerificationKey { kid, algorithm, key });
    }
    Ok(keys)
}
