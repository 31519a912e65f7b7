//! Client credentials (RFC 6749, section 4.4): a program asks for itself. No refresh token (section 4.4.3).

use super::{TokenError, scopes};
use crate::form::Parameters;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Scopes, each once, in order.
    pub scopes: Vec<String>,
}

pub(super) fn read(parameters: &mut Parameters) -> Result<Asked, TokenError> {
    Ok(Asked { scopes: scopes(&parameters.take("scope").unwrap_or_default())? })
}
