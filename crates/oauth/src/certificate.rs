//! Certificates that clients show in TLS: their thumbprint, and what of one is told when it is registered.
//!
//! A certificate is known by the SHA-256 of its DER (`x5t#S256`, RFC 8705 section 3.1), so nobody has to vouch for it.
//! That whoever shows it holds its key, TLS proves. It does not know TLS.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use sha2::{Digest as _, Sha256};
use x509_parser::{
    certificate::X509Certificate,
    oid_registry::{
        OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_NIST_EC_P521, OID_PKCS1_RSAENCRYPTION,
        OID_SIG_ED25519,
    },
    pem::Pem,
    prelude::FromDer as _,
    public_key::PublicKey,
    x509::{SubjectPublicKeyInfo, X509Version},
};

/// Longest certificate as DER, in bytes. One with an RSA key of 4,096 bits and many names has three thousand; a gateway
/// keeps what it was shown for as long as the connection lives.
pub const CERTIFICATE_BYTES_MAX: usize = 8 * 1024;
/// Longest PEM text that is read, in bytes: base64 of the above with its lines, and some words around it.
const PEM_BYTES_MAX: usize = 16 * 1024;
/// Longest name of a subject that is kept, in characters: it is for people to read.
const SUBJECT_CHARS_MAX: usize = 200;
/// Bits of RSA keys that TLS libraries verify signatures of.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// What is told of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// See [`thumbprint`].
    pub thumbprint: String,
    /// Whom it names, as text; shortened where it is long.
    pub subject: String,
    /// Seconds since the epoch at which it begins to be valid.
    pub begins_at: i64,
    /// The last second since the epoch at which it is valid (RFC 5280, section 4.1.2.5).
    pub ends_at: i64,
}

/// Why a text is no certificate that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum BadCertificate {
    /// Not PEM.
    #[error("this is not a certificate as PEM; it begins with -----BEGIN CERTIFICATE-----")]
    NotPem,
    /// A private key is in it.
    #[error("a private key is in this text; keep that to yourself, and paste the certificate alone")]
    PrivateKey,
    /// More than one.
    #[error("more than one certificate is in this text; paste the client's own, without its chain")]
    Several,
    /// Longer than [`CERTIFICATE_BYTES_MAX`].
    #[error("the certificate has more than {CERTIFICATE_BYTES_MAX} bytes")]
    TooLong,
    /// Not X.509.
    #[error("this certificate cannot be read")]
    Malformed,
    /// X.509, but older than version 3, which TLS libraries do not take.
    #[error("this certificate is not of version 3 of X.509; make one that is")]
    Version,
    /// A key that no TLS handshake with us can use.
    #[error("the key must be RSA of 2,048 to 8,192 bits, ECDSA on P-256, P-384 or P-521, or Ed25519")]
    Key,
}

/// By what a certificate is known: the SHA-256 of its DER, in base64url.
pub fn thumbprint(der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(der))
}

/// Whether a text has the shape of a [`thumbprint`].
pub fn is_thumbprint(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// The certificate in a PEM text (RFC 7468): one, of version 3, with a key that can sign in TLS.
///
/// # Errors
/// [`BadCertificate`].
pub fn from_pem(text: &str) -> Result<Certificate, BadCertificate> {
    if text.len() > PEM_BYTES_MAX {
        return Err(if text.contains("PRIVATE KEY") {
            BadCertificate::PrivateKey
        } else {
            BadCertificate::TooLong
        });
    }
    if text.contains("PRIVATE KEY-----") {
        return Err(BadCertificate::PrivateKey);
    }
    let mut blocks = Pem::iter_from_buffer(text.as_bytes());
    let block = blocks.next().and_then(Result::ok).filter(|block| block.label == "CERTIFICATE");
    let block = block.ok_or(BadCertificate::NotPem)?;
    // Words around it are no harm; another block, or the beginning of one, is.
    if text.matches("-----BEGIN").count() > 1 {
        return Err(BadCertificate::Several);
    }
    from_der(&block.contents)
}

fn from_der(der: &[u8]) -> Result<Certificate, BadCertificate> {
    if der.len() > CERTIFICATE_BYTES_MAX {
        return Err(BadCertificate::TooLong);
    }
    let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| BadCertificate::Malformed)?;
    if !rest.is_empty() {
        return Err(BadCertificate::Malformed);
    }
    if parsed.version() != X509Version::V3 {
        return Err(BadCertificate::Version);
    }
    if !can_sign(parsed.public_key()) {
        return Err(BadCertificate::Key);
    }
    let subject = parsed.subject().to_string();
    Ok(Certificate {
        thumbprint: thumbprint(der),
        subject: subject.chars().filter(|char| !char.is_control()).take(SUBJECT_CHARS_MAX).collect(),
        begins_at: parsed.validity().not_before.timestamp(),
        ends_at: parsed.validity().not_after.timestamp(),
    })
}

fn can_sign(key: &SubjectPublicKeyInfo<'_>) -> bool {
    let algorithm = &key.algorithm.algorithm;
    if *algorithm == OID_PKCS1_RSAENCRYPTION {
        return matches!(key.parsed(), Ok(PublicKey::RSA(rsa)) if RSA_BITS.contains(&rsa.key_size()));
    }
    if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let curve = key.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
        return curve.is_some_and(|curve| [OID_EC_P256, OID_NIST_EC_P384, OID_NIST_EC_P521].contains(&curve));
    }
    *algorithm == OID_SIG_ED25519
}

/// The DER in a value of `Client-Cert`, a byte sequence of structured fields (RFC 9440 section 2.1; RFC 9651, section
/// 3.3.5). It is not looked into.
///
/// # Errors
/// [`BadCertificate::Malformed`], [`BadCertificate::TooLong`].
pub fn from_header(value: &[u8]) -> Result<Vec<u8>, BadCertificate> {
    let encoded = value.trim_ascii().strip_prefix(b":").and_then(|value| value.strip_suffix(b":"));
    let encoded = encoded.ok_or(BadCertificate::Malformed)?;
    let der = STANDARD.decode(encoded).map_err(|_| BadCertificate::Malformed)?;
    match der.len() {
        0 => Err(BadCertificate::Malformed),
        1..=CERTIFICATE_BYTES_MAX => Ok(der),
        _ => Err(BadCertificate::TooLong),
    }
}

/// The thumbprint of the certificate that a proxy tells of, by all values of `Client-Cert` in a request. Empty where it tells of
/// one that cannot be read, or of several: that is nobody's. `None`: of none.
pub fn told<'v>(mut values: impl Iterator<Item = &'v [u8]>) -> Option<String> {
    match (values.next(), values.next()) {
        (None, _) => None,
        (Some(value), None) => Some(from_header(value).map(|der| thumbprint(&der)).unwrap_or_default()),
        (Some(_), Some(_)) => Some(String::new()),
    }
}

#[cfg(test)]
mod tests;
