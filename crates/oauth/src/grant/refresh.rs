//! Refresh tokens (RFC 6749, section 6): each is exchanged for the next one, and is then used up (RFC 9700, section
//! 4.14.2).

use std::fmt;

use super::{TokenError, granted, scopes};
use crate::{
    form::Parameters,
    secret::{self, Kind},
};

/// One answer for all reasons, so that nothing is learnt by trying.
pub const INVALID: TokenError =
    TokenError::InvalidGrant("the refresh token is unknown, used, expired, revoked, or another client's");

/// It is bound to the key of a proof (RFC 9449, section 5) or to a certificate (RFC 8705, section 4), and there is no such one.
pub const NOT_HELD: TokenError = TokenError::InvalidGrant(
    "the refresh token is bound; send a DPoP proof by its key, or show its certificate",
);

/// What is presented.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    /// The token. Secret.
    pub refresh_token: String,
    /// Scopes of the access token; none: as before.
    pub scopes: Vec<String>,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

pub(super) fn read(parameters: &mut Parameters) -> Result<Asked, TokenError> {
    Ok(Asked {
        refresh_token: parameters.needed("refresh_token", "refresh_token is missing")?,
        scopes: scopes(&parameters.take("scope").unwrap_or_default())?,
    })
}

impl Asked {
    /// The hash under which the token would be stored.
    ///
    /// # Errors
    /// [`INVALID`] for what was never a refresh token of ours.
    pub fn token_hash(&self) -> Result<String, TokenError> {
        let text = self.refresh_token.as_str();
        if secret::is_well_formed(Kind::RefreshToken, text) { Ok(secret::hash(text)) } else { Err(INVALID) }
    }

    /// The scopes of the access token: never more than the person allowed.
    ///
    /// # Errors
    /// [`TokenError::InvalidScope`].
    pub fn narrowed(&self, allowed: &str) -> Result<String, TokenError> {
        let allowed: Vec<_> =
            allowed.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        granted(&self.scopes, &allowed)
    }
}
