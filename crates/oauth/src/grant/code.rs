//! Authorization code (RFC 6749, section 4.1.3) with PKCE (RFC 7636), which every client must use.

use std::fmt;

use super::TokenError;
use crate::{
    form::Parameters,
    pkce,
    secret::{self, Kind},
};

/// One answer for all reasons, so that nothing is learnt by trying.
pub const INVALID: TokenError =
    TokenError::InvalidGrant("the code is unknown, used, expired, or was given for another request");

/// What is presented.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    /// The code. Secret.
    pub code: String,
    /// As it was at the authorization endpoint.
    pub redirect_uri: String,
    /// The verifier. Secret.
    pub verifier: String,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("redirect_uri", &self.redirect_uri).finish_non_exhaustive()
    }
}

pub(super) fn read(parameters: &mut Parameters) -> Result<Asked, TokenError> {
    Ok(Asked {
        code: parameters.needed("code", "code is missing")?,
        redirect_uri: parameters.needed("redirect_uri", "redirect_uri is missing")?,
        verifier: parameters.needed("code_verifier", "code_verifier is missing")?,
    })
}

impl Asked {
    /// The hash under which the code would be stored.
    ///
    /// # Errors
    /// [`INVALID`] for what was never a code of ours.
    pub fn code_hash(&self) -> Result<String, TokenError> {
        if secret::is_well_formed(Kind::Code, &self.code) {
            Ok(secret::hash(&self.code))
        } else {
            Err(INVALID)
        }
    }

    /// Whether what is presented belongs to what the code was given for.
    ///
    /// # Errors
    /// [`INVALID`].
    pub fn belongs_to(&self, redirect_uri: &str, challenge: &str) -> Result<(), TokenError> {
        if self.redirect_uri == redirect_uri && pkce::proves(&self.verifier, challenge) {
            Ok(())
        } else {
            Err(INVALID)
        }
    }
}
