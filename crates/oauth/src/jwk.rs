//! Keys: our signing key, and public keys (ours and other issuers') as a JSON Web Key Set (RFC 7517).
//!
//! `jsonwebtoken` reads and writes keys in the JOSE format, thumbprints included. Signatures are made and checked on aws-lc
//! itself, because its keys are parsed once: an ES256 check then costs 75 µs instead of the library's 128 µs, which
//! parses the key again for every token.
//!
//! Ignorant of tokens; those are in [`crate::token`].

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
        RsaPublicKeyComponents,
    },
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use serde::Serialize;
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

/// Signing failed; our fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token could not be signed")]
pub struct CannotSign;

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

/// What a key signs with. It belongs to the key; what a token's header says must equal it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518, section 3.4): small to carry and quick to sign with.
    Es256,
    /// Ed25519 (RFC 8037, section 3.1): the smallest and quickest, not read by every library yet.
    EdDsa,
    /// RSA with PKCS #1 v1.5 and SHA-256 (RFC 7518, section 3.3): what every library reads; large and slow to sign with.
    Rs256,
}

impl Algorithm {
    /// All that are known.
    pub const ALL: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];

    /// The value of `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// What others may write in `alg`: RFC 9864 says `Ed25519` for what was the only use of `EdDSA`.
    pub const NAMES: [&str; 4] = ["ES256", "EdDSA", "Ed25519", "RS256"];

    /// The algorithm of one of [`Algorithm::NAMES`], exactly as it is written.
    pub fn named(name: &str) -> Option<Self> {
        let name = if name == "Ed25519" { Self::EdDsa.name() } else { name };
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// The pair as aws-lc signs with it, parsed once.
enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

/// A signing key of ours. It has one algorithm and signs with no other.
#[derive(Clone)]
pub struct SigningKey {
    pkcs8: Vec<u8>,
    pair: Arc<Pair>,
    public: Jwk,
    kid: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A new key, from the system's randomness. An RSA key takes some hundred milliseconds.
    ///
    /// # Errors
    /// [`BadKey::Generate`].
    pub fn generate(algorithm: Algorithm, random: &SystemRandom) -> Result<Self, BadKey> {
        let pkcs8 = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, random)
                .map(|document| document.as_ref().to_vec()),
            Algorithm::EdDsa => {
                Ed25519KeyPair::generate_pkcs8(random).map(|document| document.as_ref().to_vec())
            }
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048)
                .and_then(|pair| pair.as_der().map(|document| document.as_ref().to_vec())),
        };
        Self::from_pkcs8(&pkcs8.map_err(|_| BadKey::Generate)?)
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
        let pair = Pair::read(pkcs8).ok_or(BadKey::Stored)?;
        let mut public: Jwk = serde_json::from_value(pair.public()).map_err(|_| BadKey::Stored)?;
        let kid = public.thumbprint(ThumbprintHash::SHA256).map_err(|_| BadKey::Stored)?;
        public.common.key_id = Some(kid.clone());
        Ok(Self { pkcs8: pkcs8.to_vec(), pair: Arc::new(pair), public, kid })
    }

    /// RFC 7638 thumbprint; `kid` of the tokens signed with it.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The only algorithm that it signs with.
    pub fn algorithm(&self) -> Algorithm {
        match *self.pair {
            Pair::Es256(_) => Algorithm::Es256,
            Pair::EdDsa(_) => Algorithm::EdDsa,
            Pair::Rs256(_) => Algorithm::Rs256,
        }
    }

    /// The public half as a JSON Web Key, as a set publishes it.
    pub const fn public(&self) -> &Jwk {
        &self.public
    }

    /// A JWS in compact form (RFC 7515, section 3.1) over this payload. `alg` and `kid` are this key's, beside the
    /// `typ`.
    ///
    /// # Errors
    /// [`CannotSign`] when the library refuses.
    pub fn jws(&self, typ: &str, payload: &impl Serialize) -> Result<String, CannotSign> {
        self.signed(
            &serde_json::json!({"typ": typ, "alg": self.algorithm().name(), "kid": self.kid}),
            payload,
        )
    }

    /// A JWS in compact form with this header, as clients make proofs and assertions.
    ///
    /// # Errors
    /// [`CannotSign`] when the library refuses.
    pub fn signed(&self, header: &Value, payload: &impl Serialize) -> Result<String, CannotSign> {
        let payload = serde_json::to_vec(payload).map_err(|_| CannotSign)?;
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        self.compact(format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload)))
    }

    /// The message with its signature.
    pub(crate) fn compact(&self, message: String) -> Result<String, CannotSign> {
        let signature = self.pair.sign(message.as_bytes())?;
        let mut token = message;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl Pair {
    /// Checks what the library checks: curve, range, and that both halves belong together.
    fn read(pkcs8: &[u8]) -> Option<Self> {
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8) {
            return Some(Self::Es256(pair));
        }
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(pkcs8) {
            return Some(Self::EdDsa(pair));
        }
        let pair = RsaKeyPair::from_pkcs8(pkcs8).ok()?;
        (pair.public_modulus_len() * 8 >= RSA_BITS_MIN).then_some(Self::Rs256(pair))
    }

    fn public(&self) -> Value {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Es256(pair) => {
                // SEC 1, section 2.3.3: 4, then both coordinates.
                let (x, y) = pair.public_key().as_ref()[1..].split_at(COORDINATE_BYTES);
                serde_json::json!({"kty": "EC", "crv": "P-256", "x": part(x), "y": part(y), "alg": "ES256", "use": "sig"})
            }
            Self::EdDsa(pair) => {
                let x = part(pair.public_key().as_ref());
                serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA", "use": "sig"})
            }
            Self::Rs256(pair) => {
                let key = pair.public_key();
                let n = part(key.modulus().big_endian_without_leading_zero());
                let e = part(key.exponent().big_endian_without_leading_zero());
                serde_json::json!({"kty": "RSA", "n": n, "e": e, "alg": "RS256", "use": "sig"})
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CannotSign> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Self::EdDsa(pair) => return Ok(pair.sign(message).as_ref().to_vec()),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map(|()| signature)
            }
        }
        .map_err(|_| CannotSign)
    }
}

/// The key set document of these keys, as `jwks_uri` publishes it: public parts only.
pub fn key_set<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> String {
    let set = JwkSet { keys: keys.into_iter().map(|key| key.public.clone()).collect() };
    serde_json::to_string(&set).expect("a set of text fields always serialises")
}

/// A key that tokens are verified with.
#[derive(Debug)]
pub(crate) struct VerificationKey {
    pub(crate) kid: Arc<str>,
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
        let (jwk, algorithm, key) = public(value)?;
        Some(Self { kid: named(jwk.common.key_id?)?, algorithm, key })
    }
}

/// The same for a key that a client registers. One without a name has its thumbprint for one.
pub(crate) fn client_key(value: &Value) -> Option<VerificationKey> {
    let (jwk, algorithm, key) = public(value)?;
    let kid = match &jwk.common.key_id {
        Some(kid) => kid.clone(),
        None => jwk.thumbprint(ThumbprintHash::SHA256).ok()?,
    };
    Some(VerificationKey { kid: named(kid)?, algorithm, key })
}

fn named(kid: String) -> Option<Arc<str>> {
    (1..=KID_BYTES_MAX).contains(&kid.len()).then(|| kid.into())
}

/// A public key for signatures, of a kind and strength that is accepted.
fn public(value: &Value) -> Option<(Jwk, Algorithm, ParsedPublicKey)> {
    // Whoever published the private half (RFC 7518, sections 6.2.2 and 6.3.2) lost the key.
    if value.get("d").is_some() {
        return None;
    }
    let jwk: Jwk = serde_json::from_value(value.clone()).ok()?;
    if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return None;
    }
    let (algorithm, key) = public_key(&jwk.algorithm)?;
    // A key that names an algorithm is for that one alone (RFC 7517, section 4.4).
    if value.get("alg").is_some_and(|named| named.as_str().and_then(Algorithm::named) != Some(algorithm)) {
        return None;
    }
    Some((jwk, algorithm, key))
}

/// The key of a proof of possession, which brings it along.
pub(crate) struct ProofKey {
    pub(crate) algorithm: Algorithm,
    /// RFC 7638 thumbprint.
    pub(crate) thumbprint: String,
    key: ParsedPublicKey,
}

impl ProofKey {
    /// Whether `signature` is this key's over `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }

    /// `None` for a key that is private, or of a kind, strength or purpose that proofs are not verified with.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let (jwk, algorithm, key) = public(value)?;
        Some(Self { algorithm, thumbprint: jwk.thumbprint(ThumbprintHash::SHA256).ok()?, key })
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
