//! Backend tokens: what the gateway tells a backend of its client, signed (`X-JWT-Assertion`).
//!
//! One is never an access token: another key, another `typ`, another issuer and another audience, each of which alone
//! makes the verifier of [`crate::token`] refuse it. Ignorant of headers and of who may ask.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use crate::{Random, jwk::SigningKey, token::CannotSign};

/// How long a backend token is valid, in seconds: it is checked when the handshake arrives, and a minute forgives clocks
/// that differ and an address that answers only after others did not.
pub const BACKEND_TOKEN_SECONDS: i64 = 60;
/// `typ` of a backend token (RFC 8725, section 3.11).
pub const BACKEND_TOKEN_TYPE: &str = "backend+jwt";

/// What a backend token says. The names are those of the placeholders of header rules, but for those that are
/// registered (RFC 7519).
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Assertion<'a> {
    /// The API's address at the gateway: its context and version.
    pub aud: &'a str,
    /// Subject of the client's token.
    pub sub: &'a str,
    /// OAuth client.
    pub client_id: &'a str,
    /// Name of the application.
    pub application: &'a str,
    /// Its id.
    pub application_id: &'a str,
    /// Business plan; empty without a subscription.
    pub plan: &'a str,
    /// Name of the API.
    pub api: &'a str,
    /// Its id.
    pub api_id: &'a str,
    /// Its version.
    pub version: &'a str,
    /// `production` or `sandbox`.
    pub environment: &'a str,
    /// Id of the session.
    pub session: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    #[serde(flatten)]
    assertion: &'a Assertion<'a>,
    iat: i64,
    exp: i64,
    jti: &'a str,
}

/// Signs backend tokens.
pub struct AssertionSigner {
    issuer: String,
    /// The encoded header, the same for all.
    header: String,
    key: SigningKey,
}

impl fmt::Debug for AssertionSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionSigner").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl AssertionSigner {
    /// Signs as this issuer with this key.
    pub fn new(issuer: &str, key: &SigningKey) -> Self {
        let alg = key.algorithm().name();
        let header = serde_json::json!({"typ": BACKEND_TOKEN_TYPE, "alg": alg, "kid": key.kid()});
        Self {
            issuer: issuer.to_owned(),
            header: URL_SAFE_NO_PAD.encode(header.to_string()),
            key: key.clone(),
        }
    }

    /// A token that is valid from `now`, in seconds since the epoch.
    ///
    /// # Errors
    /// [`CannotSign`].
    pub fn sign(
        &self,
        assertion: &Assertion<'_>,
        now: i64,
        random: &mut dyn Random,
    ) -> Result<String, CannotSign> {
        let mut id = [0; 16];
        random.fill(&mut id);
        let claims = Claims {
            iss: &self.issuer,
            assertion,
            iat: now,
            exp: now.saturating_add(BACKEND_TOKEN_SECONDS),
            jti: &URL_SAFE_NO_PAD.encode(id),
        };
        let claims = serde_json::to_vec(&claims).map_err(|_| CannotSign)?;
        self.key.compact(format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(claims)))
    }
}

#[cfg(test)]
mod tests;
