//! Token exchange (RFC 8693): a client presents a person's access token and gets one of its own for the same person, for
//! as much or less. Impersonation alone (section 1.1): nobody acts beside the client, so actor tokens are refused.
//!
//! What is wrong with a token that is presented is `invalid_request` here, not `invalid_grant` (section 2.2.2). Who may exchange
//! whose token is the caller's to say.

use std::fmt;

use super::{TokenError, granted, scopes};
use crate::form::Parameters;

/// One answer for all that makes a token worth nothing, so that nothing is learnt by trying.
pub const INVALID: TokenError = TokenError::InvalidRequest(
    "the subject_token is unknown, expired, revoked, or not an access token of a person",
);

/// It is bound to the key of a proof (RFC 9449) or to a certificate (RFC 8705), and there is no such one.
pub const NOT_HELD: TokenError = TokenError::InvalidRequest(
    "the subject_token is bound; send a DPoP proof by its key, or show its certificate",
);

/// It came of an exchange itself.
pub const EXCHANGED: TokenError =
    TokenError::InvalidRequest("the subject_token was exchanged before; exchange the one that it came of");

/// A JWT is asked for by a client whose tokens are opaque.
pub const NO_JWT: TokenError =
    TokenError::InvalidRequest("this client has opaque tokens; ask for the token type access_token");

/// Kinds of tokens (section 3), of those that exist here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenType {
    /// An access token, readable or not.
    AccessToken,
    /// An access token that is a JWT.
    Jwt,
}

impl TokenType {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::AccessToken, Self::Jwt].into_iter().find(|known| known.as_str() == name)
    }
}

/// What is presented, and what is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    /// The token. Secret.
    pub subject_token: String,
    /// What it is said to be.
    pub subject_token_type: TokenType,
    /// What is wanted for it.
    pub requested_token_type: TokenType,
    /// For whom: every `audience` and `resource`; none: for whom there is.
    targets: Vec<String>,
    /// Scopes, each once, in order; none: all that may be had.
    pub scopes: Vec<String>,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("subject_token_type", &self.subject_token_type)
            .field("requested_token_type", &self.requested_token_type)
            .field("targets", &self.targets)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

pub(super) fn read(parameters: &mut Parameters) -> Result<Asked, TokenError> {
    let subject_token = parameters.needed("subject_token", "subject_token is missing")?;
    let kind = parameters.needed("subject_token_type", "subject_token_type is missing")?;
    let detail = "subject_token_type must be that of an access_token or a jwt";
    let subject_token_type = TokenType::parse(&kind).ok_or(TokenError::InvalidRequest(detail))?;
    let requested_token_type = match parameters.take("requested_token_type") {
        None => TokenType::AccessToken,
        Some(kind) => {
            let detail = "requested_token_type must be that of an access_token or a jwt";
            TokenType::parse(&kind).ok_or(TokenError::InvalidRequest(detail))?
        }
    };
    if parameters.take("actor_token").is_some() || parameters.take("actor_token_type").is_some() {
        let detail = "actor tokens are not taken: who acts is the client, which proves itself";
        return Err(TokenError::InvalidRequest(detail));
    }
    let mut targets = parameters.take_all("audience");
    targets.extend(parameters.take_all("resource"));
    let scopes = scopes(&parameters.take("scope").unwrap_or_default())?;
    Ok(Asked { subject_token, subject_token_type, requested_token_type, targets, scopes })
}

impl Asked {
    /// Whether the token that is asked for is for this audience and no other.
    ///
    /// # Errors
    /// [`TokenError::InvalidTarget`].
    pub fn is_for(&self, audience: &str) -> Result<(), TokenError> {
        if self.targets.iter().all(|target| target == audience) {
            Ok(())
        } else {
            Err(TokenError::InvalidTarget)
        }
    }

    /// The scopes of the new token: never one that the old one does not have, or that the client may not have.
    ///
    /// # Errors
    /// [`TokenError::InvalidScope`].
    pub fn narrowed(&self, held: &[String], allowed: &[String]) -> Result<String, TokenError> {
        let both: Vec<_> = held.iter().filter(|scope| allowed.contains(scope)).cloned().collect();
        granted(&self.scopes, &both)
    }
}
