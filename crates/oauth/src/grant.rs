//! The token endpoint (RFC 6749, section 3.2) as functions: reading the form, choosing the grant, and the shapes
//! of the answer. The caller looks the client up after [`read`], and asks
//! [`Presented::proves`]; answers travel with `Cache-Control: no-store` (section 5.1).
//!
//! Each grant is a file. There is no password grant and no implicit one (RFC 9700).

use serde::Serialize;

use crate::{client::Presented, dpop::BadProof, form};

pub mod client_credentials;
pub mod code;
pub mod device;
pub mod refresh;
pub mod token_exchange;

pub use crate::form::FORM_BYTES_MAX;

/// Longest `scope`, in bytes.
const SCOPE_BYTES_MAX: usize = 1_024;

/// The grants that are supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantType {
    /// A program without a person (section 4.4).
    ClientCredentials,
    /// A code from a browser (section 4.1).
    AuthorizationCode,
    /// Going on from an earlier grant (section 6).
    RefreshToken,
    /// A person on another screen (RFC 8628).
    DeviceCode,
    /// A person's token for one of the client's own (RFC 8693).
    TokenExchange,
}

impl GrantType {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::ClientCredentials,
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::DeviceCode,
        Self::TokenExchange,
    ];

    /// As written in `grant_type`, in a client's allowed grants and in metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }

    /// The grant of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }
}

/// Why no token is issued, as `error` of RFC 6749, section 5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenError {
    /// The form is not one, lacks or repeats a parameter.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The client is not known or did not prove itself.
    #[error("the client is not known, or has not proven that it is the one")]
    InvalidClient,
    /// What was presented is unknown, used up, expired, revoked, or somebody else's. Which of these is not told.
    #[error("{0}")]
    InvalidGrant(&'static str),
    /// The client may not use the grant.
    #[error("this client may not use this grant")]
    UnauthorizedClient,
    /// No such grant.
    #[error("this grant is not supported; the metadata names those that are")]
    UnsupportedGrantType,
    /// The proof of possession is not one (RFC 9449, section 5).
    #[error(transparent)]
    InvalidProof(#[from] BadProof),
    /// The person has not answered yet (RFC 8628, section 3.5, as the three that follow).
    #[error("the person has not answered yet; ask again after the interval")]
    AuthorizationPending,
    /// The device asks too often.
    #[error("that was too soon; wait five seconds longer between two questions from now on")]
    SlowDown,
    /// The person did not allow it.
    #[error("the person did not allow it")]
    AccessDenied,
    /// Nobody answered in time.
    #[error("nobody answered in time; begin again")]
    ExpiredToken,
    /// A scope that the client may not have.
    #[error("a requested scope is unknown or malformed")]
    InvalidScope,
    /// A token for somebody for whom none is issued (RFC 8693, section 2.2.2).
    #[error("tokens are issued for the gateway alone; leave audience and resource out, or name it")]
    InvalidTarget,
}

impl TokenError {
    /// The `error` code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidProof(_) => "invalid_dpop_proof",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::AccessDenied => "access_denied",
            Self::ExpiredToken => "expired_token",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
        }
    }

    /// The HTTP status: 401 for a client that did not prove itself, else 400.
    pub const fn status(self) -> u16 {
        if matches!(self, Self::InvalidClient) { 401 } else { 400 }
    }

    /// The value of `WWW-Authenticate`, which a 401 must carry (RFC 9110, section 15.5.2) and which names Basic, the
    /// one way of authentication that HTTP knows of ours (RFC 6749, section 5.2).
    pub const fn challenge(self) -> Option<&'static str> {
        if matches!(self, Self::InvalidClient) {
            Some("Basic realm=\"oauth2\", charset=\"UTF-8\"")
        } else {
            None
        }
    }
}

/// What is asked for, by grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// See [`client_credentials`].
    ClientCredentials(client_credentials::Asked),
    /// See [`code`].
    AuthorizationCode(code::Asked),
    /// See [`refresh`].
    RefreshToken(refresh::Asked),
    /// See [`device`].
    DeviceCode(device::Asked),
    /// See [`token_exchange`].
    TokenExchange(token_exchange::Asked),
}

impl Asked {
    /// Which grant.
    pub const fn grant_type(&self) -> GrantType {
        match self {
            Self::ClientCredentials(_) => GrantType::ClientCredentials,
            Self::AuthorizationCode(_) => GrantType::AuthorizationCode,
            Self::RefreshToken(_) => GrantType::RefreshToken,
            Self::DeviceCode(_) => GrantType::DeviceCode,
            Self::TokenExchange(_) => GrantType::TokenExchange,
        }
    }
}

/// A request for a token, its client not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// What the client presented.
    pub client: Presented,
    /// What it asks for.
    pub asked: Asked,
}

/// Reads a request: the `Authorization` field, if any, and the form.
///
/// # Errors
/// [`TokenError`]: repeated or missing parameters, two ways of authentication, an unsupported grant.
pub fn read(authorization: Option<&str>, form: &str) -> Result<TokenRequest, TokenError> {
    let (client, mut parameters) = form::read(authorization, form)?;
    let name = parameters.needed("grant_type", "grant_type is missing")?;
    let asked = match GrantType::parse(&name).ok_or(TokenError::UnsupportedGrantType)? {
        GrantType::ClientCredentials => Asked::ClientCredentials(client_credentials::read(&mut parameters)?),
        GrantType::AuthorizationCode => Asked::AuthorizationCode(code::read(&mut parameters)?),
        GrantType::RefreshToken => Asked::RefreshToken(refresh::read(&mut parameters)?),
        GrantType::DeviceCode => Asked::DeviceCode(device::read(&mut parameters)?),
        GrantType::TokenExchange => Asked::TokenExchange(token_exchange::read(&mut parameters)?),
    };
    Ok(TokenRequest { client, asked })
}

/// Whether the client may use the grant.
///
/// # Errors
/// [`TokenError::UnauthorizedClient`].
pub fn is_allowed(grant: GrantType, allowed: &[String]) -> Result<(), TokenError> {
    if allowed.iter().any(|one| one == grant.as_str()) { Ok(()) } else { Err(TokenError::UnauthorizedClient) }
}

/// `scope` of RFC 6749, section 3.3: printable tokens separated by single spaces. Each once, in order.
pub(crate) fn scopes(text: &str) -> Result<Vec<String>, TokenError> {
    if text.len() > SCOPE_BYTES_MAX {
        return Err(TokenError::InvalidScope);
    }
    let mut scopes: Vec<String> = Vec::new();
    for scope in text.split(' ').filter(|scope| !scope.is_empty()) {
        if !scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
            return Err(TokenError::InvalidScope);
        }
        if !scopes.iter().any(|other| other == scope) {
            scopes.push(scope.to_owned());
        }
    }
    Ok(scopes)
}

/// The scopes to grant: those that are asked for, or all that may be had when none is (RFC 6749, section 3.3).
///
/// # Errors
/// [`TokenError::InvalidScope`] when one is asked for that may not be had.
pub fn granted(asked: &[String], allowed: &[String]) -> Result<String, TokenError> {
    if asked.is_empty() {
        return Ok(allowed.join(" "));
    }
    if asked.iter().any(|scope| !allowed.contains(scope)) {
        return Err(TokenError::InvalidScope);
    }
    Ok(asked.join(" "))
}

/// The answer to a granted request (RFC 6749, section 5.1; `OpenID` Connect Core, section 3.1.3.3). Secret.
#[derive(Clone, Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// What kind of token it is, where one was exchanged for it (RFC 8693, section 2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<&'static str>,
    /// `Bearer`, or `DPoP` for one that is bound to a key.
    pub token_type: &'static str,
    /// Seconds until it ends.
    pub expires_in: i64,
    /// Granted scopes; left out when none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// What to go on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// Who the person is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

impl TokenResponse {
    /// The answer with this token.
    pub const fn bearer(access_token: String, expires_in: i64, scope: String) -> Self {
        Self {
            access_token,
            issued_token_type: None,
            token_type: "Bearer",
            expires_in,
            scope,
            refresh_token: None,
            id_token: None,
        }
    }

    /// The same, for a token that is bound to the client's key (RFC 9449, section 5).
    #[must_use]
    pub fn bound(self) -> Self {
        Self { token_type: "DPoP", ..self }
    }
}

/// The answer to a refused request (RFC 6749, section 5.2).
#[derive(Debug, Clone, Serialize)]
pub struct TokenErrorResponse {
    /// Code.
    pub error: &'static str,
    /// Sentence.
    pub error_description: String,
}

impl From<TokenError> for TokenErrorResponse {
    fn from(error: TokenError) -> Self {
        Self { error: error.code(), error_description: error.to_string() }
    }
}

#[cfg(test)]
mod tests;
