//! The authorization endpoint (RFC 6749, section 4.1; `OpenID` Connect Core, section 3.1.2) as functions: reading a
//! request, and the address that an answer goes to.
//!
//! Two kinds of failures are kept apart by their types: [`Local`], after which nobody knows where the browser may be
//! sent, so the person is told; and [`AuthorizeError`], which goes back to the client. It does not know clients,
//! people or pages.

use std::collections::BTreeMap;

use crate::{
    client::is_credential,
    grant::scopes,
    percent, pkce,
    redirect::{self, REDIRECT_BYTES_MAX},
};

/// Longest query that is read, in bytes.
pub const QUERY_BYTES_MAX: usize = 8_192;
/// Most parameters; the protocols we know have about twenty.
const PARAMETERS_MAX: usize = 64;
/// Longest `state`, in bytes.
const STATE_BYTES_MAX: usize = 2_048;
/// Longest `nonce`, in bytes.
const NONCE_BYTES_MAX: usize = 512;

/// Why a request is answered to the person and not to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Local {
    /// The query cannot be read.
    #[error("The request cannot be read. Its query is too long, or an escape in it is broken.")]
    Malformed,
    /// No client, several, or none that could be one.
    #[error("The request does not say which application asks (client_id).")]
    Client,
    /// No address to go back to, or several.
    #[error("The request does not say where to go back to (redirect_uri).")]
    Redirect,
}

/// Why a request is refused, as `error` of RFC 6749, section 4.1.2.1, and `OpenID` Connect Core, section 3.1.2.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum AuthorizeError {
    /// A parameter is missing, repeated or wrong.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The client may not use the grant.
    #[error("this client may not use authorization_code")]
    UnauthorizedClient,
    /// Only codes are given.
    #[error("only response_type=code is supported")]
    UnsupportedResponseType,
    /// A scope that the client may not have.
    #[error("a requested scope is unknown or malformed")]
    InvalidScope,
    /// The person said no.
    #[error("the person did not allow it")]
    AccessDenied,
    /// The person would have to sign in, and must not be asked.
    #[error("nobody is signed in")]
    LoginRequired,
    /// The person would have to be asked, and must not be.
    #[error("the person has not allowed this yet")]
    ConsentRequired,
    /// `request`.
    #[error("request objects are not supported")]
    RequestNotSupported,
    /// `request_uri`.
    #[error("request_uri is not supported")]
    RequestUriNotSupported,
    /// Our fault.
    #[error("something went wrong on our side")]
    ServerError,
}

impl AuthorizeError {
    /// The `error` code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::ServerError => "server_error",
        }
    }
}

/// What has to be asked of the person whatever is remembered (`prompt`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Ask nothing: answer an error instead.
    pub none: bool,
    /// Ask for the password again.
    pub login: bool,
    /// Ask for consent again.
    pub consent: bool,
}

/// Where an answer goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTo {
    /// Who asks.
    pub client_id: String,
    /// Where to; not checked yet.
    pub redirect_uri: String,
    /// To be repeated.
    pub state: Option<String>,
}

impl ReturnTo {
    /// The address with a code (RFC 6749, section 4.1.2) and the issuer (RFC 9207).
    pub fn with_code(&self, code: &str, issuer: &str) -> String {
        self.address(&[("code", code)], issuer)
    }

    /// The address with an error.
    pub fn with_error(&self, error: AuthorizeError, issuer: &str) -> String {
        self.address(&[("error", error.code()), ("error_description", &error.to_string())], issuer)
    }

    fn address(&self, answer: &[(&str, &str)], issuer: &str) -> String {
        let mut parameters = answer.to_vec();
        if let Some(state) = &self.state {
            parameters.push(("state", state));
        }
        parameters.push(("iss", issuer));
        redirect::with_query(&self.redirect_uri, &parameters)
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Scopes, each once, in order.
    pub scopes: Vec<String>,
    /// S256 challenge.
    pub challenge: String,
    /// To be repeated in the ID token.
    pub nonce: Option<String>,
    /// What to ask the person again.
    pub prompt: Prompt,
    /// Oldest sign-in that is good enough, in seconds.
    pub max_age: Option<u64>,
}

/// A request, half read: where its answer goes, and the rest.
#[derive(Debug)]
pub struct AuthorizeRequest {
    /// Where the answer goes.
    pub to: ReturnTo,
    /// `None` for one that stands twice.
    parameters: BTreeMap<String, Option<String>>,
}

/// Reads as much of a query as says where its answer goes.
///
/// # Errors
/// [`Local`].
pub fn read(query: &str) -> Result<AuthorizeRequest, Local> {
    if query.len() > QUERY_BYTES_MAX {
        return Err(Local::Malformed);
    }
    let pairs = percent::form(query).filter(|pairs| pairs.len() <= PARAMETERS_MAX).ok_or(Local::Malformed)?;
    let mut parameters: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (name, value) in pairs {
        parameters.entry(name).and_modify(|one| *one = None).or_insert(Some(value));
    }
    let once = |name: &str| parameters.get(name).cloned().flatten().filter(|value| !value.is_empty());
    let client_id = once("client_id").filter(|id| is_credential(id)).ok_or(Local::Client)?;
    let redirect_uri = once("redirect_uri").filter(|uri| uri.len() <= REDIRECT_BYTES_MAX);
    let redirect_uri = redirect_uri.ok_or(Local::Redirect)?;
    let state = once("state").filter(|state| state.len() <= STATE_BYTES_MAX);
    Ok(AuthorizeRequest { to: ReturnTo { client_id, redirect_uri, state }, parameters })
}

impl AuthorizeRequest {
    /// What is asked for. To be called when it is known that the answer may go where [`AuthorizeRequest::to`] says.
    ///
    /// # Errors
    /// [`AuthorizeError`].
    pub fn asked(&self) -> Result<Asked, AuthorizeError> {
        use AuthorizeError::InvalidRequest;
        if self.parameters.values().any(Option::is_none) {
            return Err(InvalidRequest("a parameter is repeated"));
        }
        let take = |name: &str| {
            self.parameters.get(name).and_then(Option::as_deref).filter(|value| !value.is_empty())
        };
        if take("request").is_some() {
            return Err(AuthorizeError::RequestNotSupported);
        }
        if take("request_uri").is_some() {
            return Err(AuthorizeError::RequestUriNotSupported);
        }
        match take("response_type") {
            Some("code") => {}
            Some(_) => return Err(AuthorizeError::UnsupportedResponseType),
            None => return Err(InvalidRequest("response_type is missing")),
        }
        if take("response_mode").is_some_and(|mode| mode != "query") {
            return Err(InvalidRequest("only response_mode=query is supported"));
        }
        if take("state").is_some_and(|state| state.len() > STATE_BYTES_MAX) {
            return Err(InvalidRequest("state is too long"));
        }
        // RFC 7636, section 4.3: without a method it would be `plain`.
        match take("code_challenge_method") {
            Some(pkce::METHOD) => {}
            Some(_) => return Err(InvalidRequest("only code_challenge_method=S256 is supported")),
            None => return Err(InvalidRequest("code_challenge_method is missing; use S256")),
        }
        let challenge = take("code_challenge").ok_or(InvalidRequest("code_challenge is missing"))?;
        if !pkce::is_challenge(challenge) {
            return Err(InvalidRequest("code_challenge is not an S256 challenge"));
        }
        let nonce = take("nonce");
        if nonce.is_some_and(|nonce| nonce.len() > NONCE_BYTES_MAX) {
            return Err(InvalidRequest("nonce is too long"));
        }
        let max_age = take("max_age").map(str::parse).transpose();
        Ok(Asked {
            scopes: scopes(take("scope").unwrap_or_default()).map_err(|_| AuthorizeError::InvalidScope)?,
            challenge: challenge.to_owned(),
            nonce: nonce.map(str::to_owned),
            prompt: prompt(take("prompt").unwrap_or_default())?,
            max_age: max_age.map_err(|_| InvalidRequest("max_age is not a number of seconds"))?,
        })
    }

    /// The query without what makes a person sign in again: for the way back from having done so.
    pub fn query_after_sign_in(&self) -> String {
        let mut query = String::new();
        for (name, value) in &self.parameters {
            let Some(value) = value else { continue };
            let value = match name.as_str() {
                "max_age" => continue,
                "prompt" => {
                    let left = value.split(' ').filter(|word| *word != "login").collect::<Vec<_>>();
                    left.join(" ")
                }
                _ => value.clone(),
            };
            if !query.is_empty() {
                query.push('&');
            }
            percent::encode(name, &mut query);
            query.push('=');
            percent::encode(&value, &mut query);
        }
        query
    }
}

fn prompt(text: &str) -> Result<Prompt, AuthorizeError> {
    let mut prompt = Prompt::default();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match word {
            "none" => prompt.none = true,
            "login" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return Err(AuthorizeError::InvalidRequest("prompt is none, login or consent")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent) {
        return Err(AuthorizeError::InvalidRequest("prompt=none stands alone"));
    }
    Ok(prompt)
}

#[cfg(test)]
mod tests;
