//! What is advertised works.

use serde_json::json;

use super::*;
use crate::{grant, jwk::SigningKey, token};

#[test]
fn the_document_names_what_there_is() {
    assert_eq!(
        serde_json::to_value(metadata("https://localhost:9443", vec!["ES256"], true)).unwrap(),
        json!({
            "issuer": "https://localhost:9443",
            "authorization_endpoint": "https://localhost:9443/oauth2/authorize",
            "token_endpoint": "https://localhost:9443/oauth2/token",
            "device_authorization_endpoint": "https://localhost:9443/oauth2/device_authorization",
            "revocation_endpoint": "https://localhost:9443/oauth2/revoke",
            "introspection_endpoint": "https://localhost:9443/oauth2/introspect",
            "userinfo_endpoint": "https://localhost:9443/oauth2/userinfo",
            "registration_endpoint": "https://localhost:9443/oauth2/register",
            "end_session_endpoint": "https://localhost:9443/oauth2/logout",
            "jwks_uri": "https://localhost:9443/oauth2/jwks",
            "scopes_supported": ["openid", "profile"],
            "grant_types_supported": ["client_credentials", "authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "token_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA", "Ed25519", "RS256"],
            "revocation_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
            "revocation_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA", "Ed25519", "RS256"],
            "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "Ed25519", "RS256"],
            "tls_client_certificate_bound_access_tokens": true,
            "introspection_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post", "private_key_jwt"],
            "introspection_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA", "Ed25519", "RS256"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "claims_supported": [
                "iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "at_hash", "preferred_username"
            ],
            "prompt_values_supported": ["none", "login", "consent"],
            "claims_parameter_supported": false,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
        })
    );
}

#[test]
fn every_advertised_grant_and_way_of_authentication_is_accepted() {
    let document = metadata("https://localhost:9443", vec!["ES256"], false);
    let key = SigningKey::generate(Algorithm::Es256, &crate::jwk::SystemRandom::new()).unwrap();
    let signed = key.signed(&json!({"alg": "ES256"}), &json!({"sub": "id"})).unwrap();
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let assertion = format!("&client_assertion_type={kind}&client_assertion={signed}");
    for grant_type in &document.grant_types_supported {
        for method in &document.token_endpoint_auth_methods_supported {
            let (authorization, body) = match *method {
                "client_secret_basic" => (Some("Basic aWQ6c2VjcmV0"), ""),
                "client_secret_post" => (None, "&client_id=id&client_secret=secret"),
                "none" => (None, "&client_id=id"),
                "private_key_jwt" => (None, &*assertion),
                other => panic!("{other} is advertised"),
            };
            let more = "&code=c&redirect_uri=https://a.test&code_verifier=v&refresh_token=r&device_code=d\
                &subject_token=t&subject_token_type=urn:ietf:params:oauth:token-type:access_token";
            let form = format!("grant_type={grant_type}{body}{more}");
            assert!(grant::read(authorization, &form).is_ok(), "{grant_type} {method}");
        }
    }
}

#[test]
fn the_advertised_algorithm_is_what_tokens_are_signed_with() {
    let key = SigningKey::generate(crate::jwk::Algorithm::Es256, &crate::jwk::SystemRandom::new()).unwrap();
    let grant =
        token::Grant { issuer: "i", audience: "a", client_id: "c", lifetime: 1, ..token::Grant::default() };
    let token = token::issue(&key, &grant, &mut crate::testing::counting()).unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    let names: Vec<_> =
        metadata("i", vec![key.algorithm().name()], false).id_token_signing_alg_values_supported;
    assert_eq!(names, [format!("{:?}", header.alg)]);
}
