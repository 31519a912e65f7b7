//! Opaque secrets of ours: client secrets, codes, refresh tokens, opaque access tokens, personal access tokens, portal
//! sessions, CSRF tokens, tokens of registrations.
//!
//! A secret is a prefix that names its kind, 32 random bytes in base64url and six hex digits of a checksum, so
//! that secret scanners find leaked ones without false alarms. Stored is only a SHA-256: the input has 256 bits
//! of entropy, so a slow hash would add cost and no safety.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::Random;

/// Random bytes in a secret.
const ENTROPY_BYTES: usize = 32;
/// Hex digits of the checksum: three bytes of a SHA-256.
const CHECKSUM_DIGITS: usize = 6;

/// Characters that are shown again later.
const RECOGNISABLE_CHARS: usize = 10;

/// What a secret is for; its prefix says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `client_secret` of an OAuth client.
    ClientSecret,
    /// Personal access token for the REST API.
    PersonalToken,
    /// Cookie of a portal session.
    PortalSession,
    /// Anti-forgery token of a portal session.
    Csrf,
    /// Authorization code.
    Code,
    /// Refresh token.
    RefreshToken,
    /// Access token that says nothing by itself.
    AccessToken,
    /// API key of an application.
    ApiKey,
    /// One-time ticket for a WebSocket.
    Ticket,
    /// What a device waits with for a person.
    DeviceCode,
    /// What a browser holds while its person signs in at another issuer.
    SignIn,
    /// With what a client may register itself (`initial access token` of RFC 7591, section 1.2).
    Registering,
    /// With what a client looks after its registration (`registration access token`, there).
    Registration,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::ClientSecret,
        Self::PersonalToken,
        Self::PortalSession,
        Self::Csrf,
        Self::Code,
        Self::RefreshToken,
        Self::AccessToken,
        Self::ApiKey,
        Self::Ticket,
        Self::DeviceCode,
        Self::SignIn,
        Self::Registering,
        Self::Registration,
    ];

    /// The prefix, with its underscore.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::ClientSecret => "tgs_",
            Self::PersonalToken => "tgp_",
            Self::PortalSession => "tgw_",
            Self::Csrf => "tgx_",
            Self::Code => "tgc_",
            Self::RefreshToken => "tgr_",
            Self::AccessToken => "tga_",
            Self::ApiKey => "tgk_",
            Self::Ticket => "tgt_",
            Self::DeviceCode => "tgd_",
            Self::SignIn => "tgn_",
            Self::Registering => "tgi_",
            Self::Registration => "tgm_",
        }
    }
}

/// A new secret of a kind.
pub fn generate(kind: Kind, random: &mut dyn Random) -> String {
    let mut bytes = [0; ENTROPY_BYTES];
    random.fill(&mut bytes);
    let mut secret = format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes));
    let sum = checksum(&secret);
    secret.push_str(&sum);
    secret
}

/// Whether a text has the shape of a secret of this kind, its checksum included. Says nothing about whether it
/// was ever handed out; it spares a look-up for typing errors and foreign tokens.
pub fn is_well_formed(kind: Kind, text: &str) -> bool {
    let Some((body, sum)) = text.len().checked_sub(CHECKSUM_DIGITS).and_then(|at| text.split_at_checked(at))
    else {
        return false;
    };
    let entropy = body.strip_prefix(kind.prefix()).and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok());
    entropy.is_some_and(|bytes| bytes.len() == ENTROPY_BYTES) && checksum(body) == sum
}

/// Whether a text says that it is a secret of this kind, be it one or not.
pub fn claims_to_be(kind: Kind, text: &str) -> bool {
    text.starts_with(kind.prefix())
}

/// Whether a text says that it is a secret of ours, of whatever kind: shown to nobody else, even mistyped.
pub fn claims_to_be_ours(text: &str) -> bool {
    Kind::ALL.into_iter().any(|kind| claims_to_be(kind, text))
}

/// The beginning of a secret by which its owner knows it again: the kind's prefix and six characters, which leave 220
/// bits unsaid.
pub fn recognisable(secret: &str) -> &str {
    secret.get(..RECOGNISABLE_CHARS).unwrap_or_default()
}

/// What is stored of a secret: SHA-256 in base64url.
pub fn hash(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

/// Whether `secret` is the one whose [`hash`] was stored, in time that does not depend on where they differ.
pub fn matches(secret: &str, stored: &str) -> bool {
    equal(&hash(secret), stored)
}

/// Whether two secrets are equal, in time that depends on their length alone.
pub fn equal(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// A keyed digest of a text, in base64url: for what a page of ours must bring back unchanged. The key is a secret of
/// this module, so that only who knows it makes the same.
pub fn seal(key: &str, purpose: &str, text: &str) -> String {
    use aws_lc_rs::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    // No purpose has a NUL, so that no two pairs of purpose and text are the same bytes.
    let tag = hmac::sign(&key, [purpose.as_bytes(), &[0], text.as_bytes()].concat().as_slice());
    URL_SAFE_NO_PAD.encode(tag)
}

fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let [first, second, third, ..]: [u8; 32] = digest.into();
    format!("{first:02x}{second:02x}{third:02x}")
}

#[cfg(test)]
mod tests;
