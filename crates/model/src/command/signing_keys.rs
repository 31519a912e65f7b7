//! Signing keys, as commands and storage have them.

use crate::{time::Timestamp, user::Secret};

/// What a signing key signs, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// Access tokens, which clients present to gateways.
    AccessTokens,
    /// Backend tokens, which gateways present to backends.
    BackendTokens,
}

impl KeyPurpose {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::AccessTokens, Self::BackendTokens];

    /// The word used in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessTokens => "access_tokens",
            Self::BackendTokens => "backend_tokens",
        }
    }

    /// The value of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// A signing key as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeyRecord {
    /// What it signs.
    pub purpose: KeyPurpose,
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs with, as `alg` of a token names it.
    pub algorithm: String,
    /// Private key, PKCS#8 PEM or base64, as the `oauth` crate writes it.
    pub private_key: Secret,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it begins to sign; it is published from the beginning.
    pub signs_from: Timestamp,
}
