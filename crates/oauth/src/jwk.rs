//! Keys: our signing key, and public keys (ours and other issuers') as a JSON Web Key Set (RFC 7517).
//!
//! `jsonwebtoken` reads and writes the JOSE formats: JWK, thumbprint, encoding of what is signed. The signature is
//! checked on aws-lc itself, because its [`ParsedPublicKey`] is parsed once per key set: an ES256 check then costs
//! 75 µs instead of the library's 128 µs, which parses the key again for every token.
//!
//! Ignorant of tokens; those are in [`crate::token`].

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{
    EncodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use serde_json::Value;

use crate::json;

pub use aws_lc_rs::rand::SystemRandom;

/// Largest key set that is read, in bytes; a dozen keys need less than 8 KiB.
pub const KEY_SET_BYTES_MAX: usize = 64 * 1_024;
/// Most keys that are read from a set: large issuers publish fewer than ten.
pub const KEYS_MAX: usize = 32;
/// Longest `kid`; a thumbprint has 43 bytes.
const KID_BYTES_MAX: usize = 256;
/// Smallest RSA modulus, in bits (RFC 7518, section 3.3).
const RSA_BITS_MIN: usize = 2_048;
/// Length of a coordinate on P-256 and of a key on Ed25519.
const COORDINATE_BYTES: usize = 32;

/// A key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
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

/// A private key as it is stored: PKCS#8 in base64. Its Debug hides it, and it has no Display.
#[derive(Clone)]
pub struct PrivateKeyText(String);

impl PrivateKeyText {
    /// The text, for the one place that stores it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateKeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKeyText(…)")
    }
}

/// Our signing key: ES256 (ECDSA on P-256 with SHA-256), small to carry and quick to sign with.
#[derive(Clone)]
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
    /// A new key, from the system's randomness.
    ///
    /// # Errors
    /// [`BadKey::Generate`].
    pub fn generate(random: &SystemRandom) -> Result<Self, BadKey> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random)
            .map_err(|_| BadKey::Generate)?;
        Self::from_pkcs8(document.as_ref())
    }

    /// The key that [`SigningKey::to_text`] wrote.
    ///
    /// # Errors
    /// [`BadKey::Stored`].
    pub fn from_text(text: &str) -> Result<Self, BadKey> {
        Self::from_pkcs8(&STANDARD.decode(text).map_err(|_| BadKey::Stored)?)
    }

    /// The private key for storage.
    pub fn to_text(&self) -> PrivateKeyText {
        PrivateKeyText(STANDARD.encode(&self.pkcs8))
    }

    fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, BadKey> {
        // Checks curve, range and that both halves belong together; the library does so at first use only.
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| BadKey::Stored)?;
        let encoding = EncodingKey::from_ec_der(pkcs8);
        let mut public =
            Jwk::from_encoding_key(&encoding, jsonwebtoken::Algorithm::ES256).map_err(|_| BadKey::Stored)?;
        let kid = public.thumbprint(ThumbprintHash::SHA256).map_err(|_| BadKey::Stored)?;
        public.common.key_id = Some(kid.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { pkcs8: pkcs8.to_vec(), encoding, public, kid })
    }

    /// RFC 7638 thumbprint; `kid` of the tokens signed with it.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key as aws-lc signs with it, parsed.
    pub(crate) fn pair(&self) -> Result<EcdsaKeyPair, BadKey> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.pkcs8).map_err(|_| BadKey::Stored)
    }

    pub(crate) const fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }
}

/// The key set document of these keys, as `jwks_uri` publishes it: public parts only.
pub fn key_set<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> String {
    let set = JwkSet { keys: keys.into_iter().map(|key| key.public.clone()).collect() };
    serde_json::to_string(&set).expect("a set of text fields always serialises")
}

/// What a key signs with. It belongs to the key; what a token's header says must equal it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Es256,
    EdDsa,
    Rs256,
}

impl Algorithm {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

/// A key that tokens are verified with.
#[derive(Debug)]
pub(crate) struct VerificationKey {
    pub(crate) kid: String,
    pub(crate) algorithm: Algorithm,
    key: ParsedPublicKey,
}

impl VerificationKey {
    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }

    /// `None` for a key of a kind, strength or purpose that tokens are not verified with.
    fn read(value: &Value) -> Option<Self> {
        // Whoever published the private half (RFC 7518, sections 6.2.2 and 6.3.2) lost the key.
        if value.get("d").is_some() {
            return None;
        }
        let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
        if jwk.common.public_key_use.is_some_and(|purpose| purpose != PublicKeyUse::Signature) {
            return None;
        }
        let kid = jwk.common.key_id.filter(|kid| !kid.is_empty() && kid.len() <= KID_BYTES_MAX)?;
        let (algorithm, key) = public_key(&jwk.algorithm)?;
        // A key that names an algorithm is for that one alone (RFC 7517, section 4.4).
        if value.get("alg").is_some_and(|named| named.as_str() != Some(algorithm.name())) {
            return None;
        }
        Some(Self { kid, algorithm, key })
    }
}

fn public_key(parameters: &AlgorithmParameters) -> Option<(Algorithm, ParsedPublicKey)> {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let coordinate = |text: &str| bytes(text).filter(|bytes| bytes.len() == COORDINATE_BYTES);
    match parameters {
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => {
            // SEC 1, section 2.3.3: an uncompressed point. aws-lc checks that it is on the curve.
            let point = [vec![4], coordinate(&point.x)?, coordinate(&point.y)?].concat();
            let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).ok()?;
            Some((Algorithm::Es256, key))
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            let key = ParsedPublicKey::new(&ED25519, coordinate(&pair.x)?).ok()?;
            Some((Algorithm::EdDsa, key))
        }
        AlgorithmParameters::RSA(rsa) => {
            let (n, e) = (bytes(&rsa.n)?, bytes(&rsa.e)?);
            let leading_zeros = n.first()?.leading_zeros() as usize;
            // Eight of them are a byte that a canonical number does not have (RFC 7518, section 2).
            if leading_zeros == 8 || n.len() * 8 - leading_zeros < RSA_BITS_MIN {
                return None;
            }
            let key =
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?;
            Some((Algorithm::Rs256, key))
        }
        _ => None,
    }
}

/// The usable keys of a set; the others are passed over (RFC 7517, section 5).
pub(crate) fn verification_keys(text: &str) -> Result<Vec<VerificationKey>, BadKey> {
    if text.len() > KEY_SET_BYTES_MAX {
        return Err(BadKey::Set);
    }
    let set = json::object(text.as_bytes()).ok_or(BadKey::Set)?;
    let keys = set.get("keys").and_then(Value::as_array).filter(|keys| keys.len() <= KEYS_MAX);
    let mut usable: Vec<VerificationKey> = Vec::new();
    for key in keys.ok_or(BadKey::Set)?.iter().filter_map(VerificationKey::read) {
        // Two keys of one name: which one a token means would be a matter of order.
        if usable.iter().any(|other| other.kid == key.kid) {
            return Err(BadKey::Set);
        }
        usable.push(key);
    }
    Ok(usable)
}

#[cfg(test)]
mod tests;
