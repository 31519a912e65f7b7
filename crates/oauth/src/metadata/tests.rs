//! What is advertised works.

use serde_json::json;

use super::*;
use crate::{grant, jwk::SigningKey, token};

#[test]
fn the_document_names_what_there_is() {
    assert_eq!(
        serde_json::to_value(metadata("https://localhost:9443")).unwrap(),
        json!({
            "issuer": "https://localhost:9443",
            "token_endpoint": "https://localhost:9443/oauth2/token",
            "jwks_uri": "https://localhost:9443/oauth2/jwks",
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "dpop_signing_alg_values_supported": ["ES256", "EdDSA", "RS256"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    );
}

#[test]
fn every_advertised_grant_and_way_of_authentication_is_accepted() {
    let document = metadata("https://localhost:9443");
    for grant_type in &document.grant_types_supported {
        for method in &document.token_endpoint_auth_methods_supported {
            let (authorization, body) = match *method {
                "client_secret_basic" => (Some("Basic aWQ6c2VjcmV0"), ""),
                "client_secret_post" => (None, "&client_id=id&client_secret=secret"),
                other => panic!("{other} is advertised"),
            };
            assert!(grant::read(authorization, &format!("grant_type={grant_type}{body}")).is_ok());
        }
    }
}

#[test]
fn the_advertised_algorithm_is_what_tokens_are_signed_with() {
    let key = SigningKey::generate(crate::jwk::Algorithm::Es256, &crate::jwk::SystemRandom::new()).unwrap();
    let grant = token::Grant {
        issuer: "i",
        audience: "a",
        client_id: "c",
        scope: "",
        now: 0,
        lifetime: 1,
        bound_to: None,
    };
    let token = token::issue(&key, &grant, &mut crate::testing::counting()).unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    let names: Vec<_> = metadata("i").id_token_signing_alg_values_supported;
    assert_eq!(names, [format!("{:?}", header.alg)]);
}
