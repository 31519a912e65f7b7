//! The token endpoint (RFC 6749, section 3.2) as functions: reading the form, choosing the grant, and the shapes
//! of the answer. The caller looks the client up between [`read`] and [`decide`], and asks
//! [`Presented::proves`]; answers travel with `Cache-Control: no-store` (section 5.1).
//!
//! The grant that exists is client credentials (section 4.4): programs without a person. There is no password
//! grant and no implicit one (RFC 9700).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    client::{Method, Presented, from_basic, is_credential},
    dpop::BadProof,
    percent,
};

/// The client credentials grant, as written in `grant_type` and in a client's allowed grants.
pub const CLIENT_CREDENTIALS: &str = "client_credentials";
/// Every grant that is supported.
pub const SUPPORTED: [&str; 1] = [CLIENT_CREDENTIALS];
/// Largest form that is read, in bytes.
pub const FORM_BYTES_MAX: usize = 8_192;
/// Most parameters in a form; the grants we know use fewer than ten.
const PARAMETERS_MAX: usize = 64;
/// Longest `scope`, in bytes.
const SCOPE_BYTES_MAX: usize = 1_024;

/// Why no token is issued, as `error` of RFC 6749, section 5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenError {
    /// The form is not one, lacks or repeats a parameter.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The client is not known or did not prove itself.
    #[error("the client is not known or its secret is wrong")]
    InvalidClient,
    /// The client may not use the grant.
    #[error("this client may not use this grant")]
    UnauthorizedClient,
    /// No such grant.
    #[error("this grant is not supported; use client_credentials")]
    UnsupportedGrantType,
    /// The proof of possession is not one (RFC 9449, section 5).
    #[error(transparent)]
    InvalidProof(#[from] BadProof),
    /// A scope that the client may not have.
    #[error("a requested scope is unknown or malformed")]
    InvalidScope,
}

impl TokenError {
    /// The `error` code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidProof(_) => "invalid_dpop_proof",
            Self::InvalidScope => "invalid_scope",
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

/// A request for a token, its client not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// What the client presented.
    pub client: Presented,
    /// Requested scopes, each once, in order.
    pub scopes: Vec<String>,
}

/// Reads a request: the `Authorization` field, if any, and the form.
///
/// # Errors
/// [`TokenError`]: repeated or missing parameters, two ways of authentication, an unsupported grant.
pub fn read(authorization: Option<&str>, form: &str) -> Result<TokenRequest, TokenError> {
    if form.len() > FORM_BYTES_MAX {
        return Err(TokenError::InvalidRequest("the form is too large"));
    }
    let pairs = percent::form(form).ok_or(TokenError::InvalidRequest("the form is malformed"))?;
    if pairs.len() > PARAMETERS_MAX {
        return Err(TokenError::InvalidRequest("the form has too many parameters"));
    }
    // RFC 6749, section 3.2: none may stand twice, unknown ones are ignored, one without a value counts as absent.
    let mut parameters = BTreeMap::new();
    for (name, value) in pairs {
        if parameters.insert(name, value).is_some() {
            return Err(TokenError::InvalidRequest("a parameter is repeated"));
        }
    }
    let mut take = |name: &str| parameters.remove(name).filter(|value| !value.is_empty());
    let client = presented(authorization, take("client_id"), take("client_secret"))?;
    match take("grant_type").as_deref() {
        None => return Err(TokenError::InvalidRequest("grant_type is missing")),
        Some(CLIENT_CREDENTIALS) => {}
        Some(_) => return Err(TokenError::UnsupportedGrantType),
    }
    Ok(TokenRequest { client, scopes: scopes(take("scope").as_deref().unwrap_or_default())? })
}

fn presented(
    authorization: Option<&str>,
    client_id: Option<String>,
    client_secret: Option<String>,
) -> Result<Presented, TokenError> {
    match (authorization, client_id, client_secret) {
        (Some(_), _, Some(_)) => {
            Err(TokenError::InvalidRequest("use one way of client authentication, not two"))
        }
        (Some(value), client_id, None) => {
            let presented = from_basic(value).ok_or(TokenError::InvalidClient)?;
            match client_id {
                Some(named) if named != presented.client_id => {
                    Err(TokenError::InvalidRequest("client_id differs from the authenticated client"))
                }
                _ => Ok(presented),
            }
        }
        (None, Some(client_id), Some(client_secret))
            if is_credential(&client_id) && is_credential(&client_secret) =>
        {
            Ok(Presented { client_id, client_secret, method: Method::Post })
        }
        (None, _, _) => Err(TokenError::InvalidClient),
    }
}

/// `scope` of RFC 6749, section 3.3: printable tokens separated by single spaces.
fn scopes(text: &str) -> Result<Vec<String>, TokenError> {
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

/// Decides on the request of a client that proved itself and answers the scopes to grant: those it asked for, or
/// all that it may have when it asked for none (RFC 6749, section 3.3).
///
/// # Errors
/// [`TokenError::UnauthorizedClient`], [`TokenError::InvalidScope`].
pub fn decide(
    request: &TokenRequest,
    allowed_grants: &[String],
    allowed_scopes: &[String],
) -> Result<String, TokenError> {
    if !allowed_grants.iter().any(|grant| grant == CLIENT_CREDENTIALS) {
        return Err(TokenError::UnauthorizedClient);
    }
    if request.scopes.is_empty() {
        return Ok(allowed_scopes.join(" "));
    }
    if request.scopes.iter().any(|scope| !allowed_scopes.contains(scope)) {
        return Err(TokenError::InvalidScope);
    }
    Ok(request.scopes.join(" "))
}

/// The answer to a granted request (RFC 6749, section 5.1). Secret.
#[derive(Clone, Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// `Bearer`, or `DPoP` for one that is bound to a key.
    pub token_type: &'static str,
    /// Seconds until it ends.
    pub expires_in: i64,
    /// Granted scopes; left out when none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
}

impl TokenResponse {
    /// The answer with this token.
    pub const fn bearer(access_token: String, expires_in: i64, scope: String) -> Self {
        Self { access_token, token_type: "Bearer", expires_in, scope }
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
