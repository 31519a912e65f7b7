//! What the authorization server says of itself: RFC 8414 and `OpenID` Connect Discovery. Nothing is advertised
//! that does not work.

use serde::Serialize;

use crate::{client::Method, grant::GrantType, jwk::Algorithm, pkce};

/// Scopes about the person that are known to every client.
pub const PERSON_SCOPES: [&str; 2] = ["openid", "profile"];

/// The discovery document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(clippy::struct_excessive_bools, reason = "the RFC's own fields")]
pub struct Metadata {
    /// `iss` of the tokens.
    pub issuer: String,
    /// Where browsers ask for codes.
    pub authorization_endpoint: String,
    /// Where tokens are asked for.
    pub token_endpoint: String,
    /// Where devices begin (RFC 8628, section 4).
    pub device_authorization_endpoint: String,
    /// Where tokens are ended.
    pub revocation_endpoint: String,
    /// Where a client asks what a token of its own stands for.
    pub introspection_endpoint: String,
    /// Where an access token is exchanged for what it says of the person.
    pub userinfo_endpoint: String,
    /// Where clients register themselves (RFC 7591, section 3).
    pub registration_endpoint: String,
    /// Where browsers are sent to sign out.
    pub end_session_endpoint: String,
    /// Where the public keys are.
    pub jwks_uri: String,
    /// Scopes about the person.
    pub scopes_supported: Vec<&'static str>,
    /// Grants.
    pub grant_types_supported: Vec<&'static str>,
    /// Answers of the authorization endpoint.
    pub response_types_supported: Vec<&'static str>,
    /// How they come.
    pub response_modes_supported: Vec<&'static str>,
    /// PKCE.
    pub code_challenge_methods_supported: Vec<&'static str>,
    /// RFC 9207.
    pub authorization_response_iss_parameter_supported: bool,
    /// Client authentication.
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// What clients may sign their statements with.
    pub token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// What proofs of possession may be signed with (RFC 9449, section 5.1).
    pub dpop_signing_alg_values_supported: Vec<&'static str>,
    /// Whether a client's access tokens can be bound to its certificate (RFC 8705, section 3.3).
    pub tls_client_certificate_bound_access_tokens: bool,
    /// Client authentication.
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    /// What clients may sign their statements with.
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// Client authentication.
    pub introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    /// What clients may sign their statements with.
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// Required by `OpenID` Connect Discovery.
    pub subject_types_supported: Vec<&'static str>,
    /// Required by `OpenID` Connect Discovery.
    pub id_token_signing_alg_values_supported: Vec<&'static str>,
    /// What ID tokens and userinfo say.
    pub claims_supported: Vec<&'static str>,
    /// Values of `prompt`.
    pub prompt_values_supported: Vec<&'static str>,
    /// Not read.
    pub claims_parameter_supported: bool,
    /// Not read.
    pub request_parameter_supported: bool,
    /// Not read; `true` where it is absent.
    pub request_uri_parameter_supported: bool,
}

/// The document of the issuer at this URL (without a final `/`), whose keys sign with these algorithms, and which sees the
/// certificates of its clients or not.
pub fn metadata(issuer: &str, algorithms: Vec<&'static str>, sees_certificates: bool) -> Metadata {
    let at = |path: &str| format!("{issuer}/oauth2/{path}");
    // The last proves nothing, which is not enough to ask what a token stands for.
    let every_way = Method::ALL.map(Method::as_str);
    let signatures = Algorithm::NAMES.to_vec();
    Metadata {
        issuer: issuer.to_owned(),
        authorization_endpoint: at("authorize"),
        token_endpoint: at("token"),
        device_authorization_endpoint: at("device_authorization"),
        revocation_endpoint: at("revoke"),
        introspection_endpoint: at("introspect"),
        userinfo_endpoint: at("userinfo"),
        registration_endpoint: at("register"),
        end_session_endpoint: at("logout"),
        jwks_uri: at("jwks"),
        scopes_supported: PERSON_SCOPES.to_vec(),
        grant_types_supported: GrantType::ALL.map(GrantType::as_str).to_vec(),
        response_types_supported: vec!["code"],
        response_modes_supported: vec!["query"],
        code_challenge_methods_supported: vec![pkce::METHOD],
        authorization_response_iss_parameter_supported: true,
        token_endpoint_auth_methods_supported: every_way.to_vec(),
        token_endpoint_auth_signing_alg_values_supported: signatures.clone(),
        revocation_endpoint_auth_methods_supported: every_way.to_vec(),
        revocation_endpoint_auth_signing_alg_values_supported: signatures.clone(),
        dpop_signing_alg_values_supported: signatures.clone(),
        tls_client_certificate_bound_access_tokens: sees_certificates,
        introspection_endpoint_auth_methods_supported: every_way[..3].to_vec(),
        introspection_endpoint_auth_signing_alg_values_supported: signatures,
        subject_types_supported: vec!["public"],
        id_token_signing_alg_values_supported: algorithms,
        claims_supported: vec![
            "iss",
            "sub",
            "aud",
            "azp",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "at_hash",
            "preferred_username",
        ],
        prompt_values_supported: vec!["none", "login", "consent"],
        claims_parameter_supported: false,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
    }
}

#[cfg(test)]
mod tests;
