//! The token endpoint (RFC 6749, section 3.2) as functions: reading the form, choosing the grant, and the shapes
//! of the answer. Looking a client up and hashing are the caller's.
//!
//! The grant that exists is client credentials (section 4.4): programs without a person. There is no password
//! grant and no implicit one (RFC 9700).

use serde::Serialize;

use crate::client::{CREDENTIAL_BYTES_MAX, Method, Presented, from_basic};

/// The client credentials grant, as written in `grant_type` and in a client's allowed grants.
pub const CLIENT_CREDENTIALS: &str = "client_credentials";
/// Every grant that is supported.
pub const SUPPORTED: [&str; 1] = [CLIENT_CREDENTIALS];
/// Largest form that is read, in bytes.
pub const FORM_BYTES_MAX: usize = 8_192;
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
            Self::InvalidScope => "invalid_scope",
        }
    }

    /// The HTTP status: 401 for a client that did not prove itself, else 400.
    pub const fn status(self) -> u16 {
        if matches!(self, Self::InvalidClient) { 401 } else { 400 }
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
    let [mut grant_type, mut client_id, mut client_secret, mut scope] = [const { None::<String> }; 4];
    let mut seen = Vec::new();
    for (name, value) in url::form_urlencoded::parse(form.as_bytes()) {
        if seen.contains(&name) {
            return Err(TokenError::InvalidRequest("a parameter is repeated"));
        }
        match &*name {
            "grant_type" => grant_type = Some(value.into_owned()),
            "client_id" => client_id = Some(value.into_owned()),
            "client_secret" => client_secret = Some(value.into_owned()),
            "scope" => scope = Some(value.into_owned()),
            // Unknown parameters are ignored (RFC 6749, section 3.2).
            _ => {}
        }
        seen.push(name);
    }
    let client = presented(authorization, client_id, client_secret)?;
    match grant_type.as_deref() {
        None | Some("") => return Err(TokenError::InvalidRequest("grant_type is missing")),
        Some(CLIENT_CREDENTIALS) => {}
        Some(_) => return Err(TokenError::UnsupportedGrantType),
    }
    Ok(TokenRequest { client, scopes: scopes(scope.as_deref().unwrap_or_default())? })
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
            if client_id.len() <= CREDENTIAL_BYTES_MAX && client_secret.len() <= CREDENTIAL_BYTES_MAX =>
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

/// Decides on the request of a client that proved itself and answers the scopes to grant.
///
/// # Errors
/// [`TokenError::UnauthorizedClient`], [`TokenError::InvalidScope`].
pub fn decide(
    request: &TokenRequest,
    allowed_grants: &[String],
    known_scopes: &[String],
) -> Result<String, TokenError> {
    if !allowed_grants.iter().any(|grant| grant == CLIENT_CREDENTIALS) {
        return Err(TokenError::UnauthorizedClient);
    }
    if request.scopes.iter().any(|scope| !known_scopes.contains(scope)) {
        return Err(TokenError::InvalidScope);
    }
    Ok(request.scopes.join(" "))
}

/// The answer to a granted request (RFC 6749, section 5.1). Secret.
#[derive(Clone, Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Seconds until it ends.
    pub expires_in: i64,
    /// Granted scopes; left out when none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
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
