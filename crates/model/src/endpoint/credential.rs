//! What a gateway shows a backend to prove who it is: the backend's own credential, never the client's.
//!
//! Secrets are given once and never answered: a change that leaves one out means "as before"
//! ([`Credential::keep_secret`]). It does not know how a credential is sent.

use serde::{Deserialize, Serialize};

use crate::user::Secret;

/// Longest text of a credential, in bytes: a token of another issuer may be long, a header's line may not be longer
/// than common servers take.
pub const CREDENTIAL_BYTES_MAX: usize = 4_096;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Credential {
    /// None.
    #[default]
    None,
    /// `Authorization: Basic` (RFC 7617).
    Basic {
        /// User name; it has no colon.
        username: String,
        /// Password.
        password: Secret,
    },
    /// One header with a secret value, such as `X-Api-Key`.
    Header {
        /// Name of the header.
        name: String,
        /// Its value.
        value: Secret,
    },
    /// `Authorization: Bearer` with a token of the client credentials grant (RFC 6749 section 4.4), fetched by the
    /// gateway and again before it expires.
    #[serde(rename = "oauth")]
    OAuth {
        /// Where tokens are asked for: `https://`, or `http://`.
        token_url: String,
        /// The gateway's OAuth client there.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
        /// Scopes to ask for, with spaces between them; may be empty.
        scope: String,
    },
}

impl Credential {
    /// The word used in REST and storage.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic { .. } => "basic",
            Self::Header { .. } => "header",
            Self::OAuth { .. } => "oauth",
        }
    }

    /// Its secret, if its kind has one.
    pub const fn secret(&self) -> Option<&Secret> {
        match self {
            Self::None => None,
            Self::Basic { password: secret, .. }
            | Self::Header { value: secret, .. }
            | Self::OAuth { client_secret: secret, .. } => Some(secret),
        }
    }

    /// The same, to be changed.
    pub(super) const fn secret_mut(&mut self) -> Option<&mut Secret> {
        match self {
            Self::None => None,
            Self::Basic { password: secret, .. }
            | Self::Header { value: secret, .. }
            | Self::OAuth { client_secret: secret, .. } => Some(secret),
        }
    }

    /// Whom the secret is shown: a secret is only kept for the same one, so that nobody can have it sent elsewhere.
    fn shown_to(&self) -> Option<(&str, &str)> {
        match self {
            Self::None => None,
            Self::Basic { username, .. } => Some((username, "")),
            Self::Header { name, .. } => Some((name, "")),
            Self::OAuth { token_url, client_id, .. } => Some((client_id, token_url)),
        }
    }

    /// Takes the secret of `before` where none is given and everything else says that it is the same credential.
    pub(super) fn keep_secret(&mut self, before: &Self) {
        let is_same = self.as_str() == before.as_str() && self.shown_to() == before.shown_to();
        let kept = before.secret().filter(|_| is_same).cloned();
        if let (Some(secret), Some(kept)) = (self.secret_mut(), kept)
            && secret.0.is_empty()
        {
            *secret = kept;
        }
    }
}
