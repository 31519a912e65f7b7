//! Device code (RFC 8628, section 3.4): a device asks whether the person has answered.

use std::fmt;

use super::TokenError;
use crate::{
    form::Parameters,
    secret::{self, Kind},
};

/// One answer for all reasons, so that nothing is learnt by trying.
pub const INVALID: TokenError =
    TokenError::InvalidGrant("the device code is unknown, used, or was given to another client");

/// What is presented.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    /// The code. Secret.
    pub device_code: String,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").finish_non_exhaustive()
    }
}

pub(super) fn read(parameters: &mut Parameters) -> Result<Asked, TokenError> {
    Ok(Asked { device_code: parameters.needed("device_code", "device_code is missing")? })
}

impl Asked {
    /// The hash under which the code would be stored.
    ///
    /// # Errors
    /// [`INVALID`] for what was never a device code of ours.
    pub fn code_hash(&self) -> Result<String, TokenError> {
        if secret::is_well_formed(Kind::DeviceCode, &self.device_code) {
            Ok(secret::hash(&self.device_code))
        } else {
            Err(INVALID)
        }
    }
}
