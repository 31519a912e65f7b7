//! What the authorization server says of itself: RFC 8414 and `OpenID` Connect Discovery. Nothing is advertised
//! that does not work.

use serde::Serialize;

use crate::{grant::SUPPORTED, jwk::Algorithm};

/// The discovery document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Metadata {
    /// `iss` of the tokens.
    pub issuer: String,
    /// Where tokens are asked for.
    pub token_endpoint: String,
    /// Where the public keys are.
    pub jwks_uri: String,
    /// Grants.
    pub grant_types_supported: Vec<&'static str>,
    /// No flow with a browser yet, hence none.
    pub response_types_supported: Vec<&'static str>,
    /// Client authentication.
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// What proofs of possession may be signed with (RFC 9449, section 5.1).
    pub dpop_signing_alg_values_supported: Vec<&'static str>,
    /// Required by `OpenID` Connect Discovery.
    pub subject_types_supported: Vec<&'static str>,
    /// Required by `OpenID` Connect Discovery.
    pub id_token_signing_alg_values_supported: Vec<&'static str>,
}

/// The document of the issuer at this URL (without a final `/`).
pub fn metadata(issuer: &str) -> Metadata {
    Metadata {
        issuer: issuer.to_owned(),
        token_endpoint: format!("{issuer}/oauth2/token"),
        jwks_uri: format!("{issuer}/oauth2/jwks"),
        grant_types_supported: SUPPORTED.to_vec(),
        response_types_supported: Vec::new(),
        token_endpoint_auth_methods_supported: vec!["client_secret_basic", "client_secret_post"],
        dpop_signing_alg_values_supported: Algorithm::ALL.map(Algorithm::name).to_vec(),
        subject_types_supported: vec!["public"],
        id_token_signing_alg_values_supported: vec!["ES256"],
    }
}

#[cfg(test)]
mod tests;
