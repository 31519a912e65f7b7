//! Opaque secrets of ours: client secrets, personal access tokens, portal sessions, CSRF tokens.
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
}

impl Kind {
    /// The prefix, with its underscore.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::ClientSecret => "tgs_",
            Self::PersonalToken => "tgp_",
            Self::PortalSession => "tgw_",
            Self::Csrf => "tgx_",
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
    let Some(split) = text.len().checked_sub(CHECKSUM_DIGITS) else { return false };
    text.starts_with(kind.prefix())
        && text.is_ascii()
        && text[..split] != *kind.prefix()
        && checksum(&text[..split]) == text[split..]
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

fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let [first, second, third, ..]: [u8; 32] = digest.into();
    format!("{first:02x}{second:02x}{third:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting() -> impl Random {
        let mut next = 0_u8;
        move |bytes: &mut [u8]| {
            bytes.fill_with(|| {
                next = next.wrapping_add(1);
                next
            })
        }
    }

    #[test]
    fn a_secret_is_well_formed_only_as_a_whole_and_for_its_kind() {
        let mut random = counting();
        let secret = generate(Kind::PersonalToken, &mut random);
        assert!(is_well_formed(Kind::PersonalToken, &secret));
        assert!(!is_well_formed(Kind::ClientSecret, &secret));
        for bad in [
            "",
            "tgp_",
            "tgp_é00000",
            &secret[1..],
            &secret[..secret.len() - 1],
            &secret.replace("tgp", "tgP"),
        ] {
            assert!(!is_well_formed(Kind::PersonalToken, bad), "{bad}");
        }
        assert_ne!(generate(Kind::PersonalToken, &mut random), secret);
    }

    #[test]
    fn only_the_secret_itself_matches_its_hash() {
        let secret = generate(Kind::ClientSecret, &mut counting());
        let stored = hash(&secret);
        assert!(matches(&secret, &stored) && !stored.contains(&secret));
        assert!(!matches(&secret[1..], &stored) && !matches("", &stored) && !matches(&secret, ""));
    }
}
