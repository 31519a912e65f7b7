//! Backend tokens verify with the published key by another library, and never as access tokens.

use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};

use super::*;
use crate::{
    jwk::{Algorithm, SystemRandom, key_set},
    testing::counting,
    token::{AccessTokenVerifier, BadToken},
};

const ISSUER: &str = "https://issuer.test/backend";
const NOW: i64 = 1_800_000_000;

fn assertion() -> Assertion<'static> {
    Assertion {
        aud: "/echo/1.0",
        sub: "ada \"\r\n",
        client_id: "client",
        application: "App",
        application_id: "app-1",
        plan: "Gold",
        api: "Echo",
        api_id: "api-1",
        version: "1.0",
        environment: "production",
        session: "boot-1-42",
    }
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap()
}

#[test]
fn a_backend_token_says_all_of_it_and_verifies_with_the_published_key() {
    let key = key();
    let signer = AssertionSigner::new(ISSUER, &key);
    let token = signer.sign(&assertion(), NOW, &mut counting()).unwrap();
    let set: JwkSet = serde_json::from_str(&key_set([&key])).unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("backend+jwt"));
    let published = set.find(&header.kid.unwrap()).unwrap();
    let mut rules = Validation::new(jsonwebtoken::Algorithm::ES256);
    rules.set_audience(&["/echo/1.0"]);
    rules.set_issuer(&[ISSUER]);
    rules.validate_exp = false;
    let decoding = DecodingKey::from_jwk(published).unwrap();
    let read = jsonwebtoken::decode::<Value>(&token, &decoding, &rules).unwrap().claims;
    let jti = read["jti"].as_str().unwrap();
    assert_eq!(jti.len(), 22);
    assert_eq!(
        read,
        json!({
            "iss": ISSUER, "aud": "/echo/1.0", "sub": "ada \"\r\n", "client_id": "client", "application": "App",
            "application_id": "app-1", "plan": "Gold", "api": "Echo", "api_id": "api-1", "version": "1.0",
            "environment": "production", "session": "boot-1-42", "iat": NOW, "exp": NOW + 60, "jti": jti,
        })
    );
    let another = signer.sign(&assertion(), NOW, &mut |bytes: &mut [u8]| bytes.fill(1)).unwrap();
    assert_ne!(token, another, "each has an id of its own");
}

#[test]
fn a_backend_token_is_never_an_access_token() {
    let (key, own) = (key(), key());
    let assertion = Assertion { aud: "https://gateway.test", ..assertion() };
    let token = |issuer: &str, key: &SigningKey| {
        AssertionSigner::new(issuer, key).sign(&assertion, NOW, &mut counting()).unwrap()
    };
    let verifier = |keys: &[&SigningKey], issuer: &str| {
        let set = key_set(keys.iter().copied());
        AccessTokenVerifier::new(issuer, "https://gateway.test", &set).unwrap()
    };
    // Its type alone is enough, even where key, issuer and audience were the same.
    assert_eq!(verifier(&[&key], ISSUER).verify(&token(ISSUER, &key), NOW), Err(BadToken::WrongType));
    assert_eq!(
        verifier(&[&own], "https://issuer.test").verify(&token(ISSUER, &key), NOW),
        Err(BadToken::WrongType)
    );
}

#[test]
fn a_signer_shows_no_key() {
    let key = key();
    let shown = format!("{:?}", AssertionSigner::new(ISSUER, &key));
    assert_eq!(shown, format!("AssertionSigner {{ issuer: {ISSUER:?}, .. }}"));
}
