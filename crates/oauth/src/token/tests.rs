//! Tokens that are accepted, and the catalogue of those that are not.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    jwk::{SystemRandom, key_set},
    testing::counting,
};

const ISSUER: &str = "https://localhost:9443";
const AUDIENCE: &str = "https://localhost:9443/gateway";
const NOW: i64 = 1_800_000_000;

fn grant() -> Grant<'static> {
    Grant { issuer: ISSUER, audience: AUDIENCE, client_id: "client-1", scope: "", now: NOW, lifetime: 3_600 }
}

struct Fixture {
    key: SigningKey,
    verifier: AccessTokenVerifier,
}

fn fixture() -> Fixture {
    let key = SigningKey::generate(&SystemRandom::new()).unwrap();
    let verifier = AccessTokenVerifier::new(ISSUER, AUDIENCE, &key_set(std::slice::from_ref(&key))).unwrap();
    Fixture { key, verifier }
}

impl Fixture {
    fn signed(&self, header: &Value, claims: &Value) -> String {
        self.signed_text(&header.to_string(), &claims.to_string())
    }

    fn signed_text(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), self.key.encoding(), Algorithm::ES256).unwrap();
        format!("{message}.{signature}")
    }

    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "ES256", "kid": self.key.kid()})
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "client-1", "aud": AUDIENCE, "client_id": "client-1",
           "exp": NOW + 60, "iat": NOW, "jti": "1"})
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    value[name] = new;
    value
}

fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().unwrap().remove(name);
    value
}

#[test]
fn an_issued_token_is_accepted_until_it_expires() {
    let Fixture { key, verifier } = fixture();
    let token = issue(&key, &grant(), &mut counting()).unwrap();
    let claims = verifier.verify(&token, NOW).unwrap();
    assert_eq!((claims.client_id.as_str(), claims.exp), ("client-1", NOW + 3_600));
    assert!(verifier.verify(&token, NOW + 3_599).is_ok());
    assert_eq!(verifier.verify(&token, NOW + 3_600), Err(BadToken::Expired));
    let again = SigningKey::from_text(key.to_text().expose()).unwrap();
    assert_eq!(again.kid(), key.kid());
    assert!(!format!("{key:?}").contains(key.to_text().expose()));
}

#[test]
fn headers_that_are_refused() {
    let f = fixture();
    let good = f.header();
    assert!(f.verifier.verify(&f.signed(&good, &claims()), NOW).is_ok());
    assert!(
        f.verifier
            .verify(&f.signed(&with(good.clone(), "typ", json!("application/AT+JWT")), &claims()), NOW)
            .is_ok()
    );
    for (header, expected) in [
        (with(good.clone(), "alg", json!("none")), BadToken::UnknownKey),
        (with(good.clone(), "alg", json!("nOnE")), BadToken::UnknownKey),
        (with(good.clone(), "alg", json!("HS256")), BadToken::UnknownKey),
        (with(good.clone(), "alg", json!("RS256")), BadToken::UnknownKey),
        (with(good.clone(), "alg", json!("es256")), BadToken::UnknownKey),
        (without(good.clone(), "alg"), BadToken::Malformed),
        (with(good.clone(), "alg", json!(1)), BadToken::Malformed),
        (with(good.clone(), "typ", json!("JWT")), BadToken::WrongType),
        (with(good.clone(), "typ", json!("id_token")), BadToken::WrongType),
        (without(good.clone(), "typ"), BadToken::WrongType),
        (with(good.clone(), "kid", json!("../../etc/passwd")), BadToken::UnknownKey),
        (with(good.clone(), "kid", json!("' OR 1=1")), BadToken::UnknownKey),
        (without(good.clone(), "kid"), BadToken::UnknownKey),
        (with(good.clone(), "crit", json!(["b64"])), BadToken::WrongType),
        (with(good.clone(), "b64", json!(false)), BadToken::WrongType),
    ] {
        assert_eq!(f.verifier.verify(&f.signed(&header, &claims()), NOW), Err(expected), "{header}");
    }
    let own_key = with(good, "jwk", json!({"kty": "EC"}));
    assert!(
        f.verifier.verify(&f.signed(&own_key, &claims()), NOW).is_ok(),
        "a key in the token is not looked at"
    );
}

#[test]
fn claims_that_are_refused() {
    let f = fixture();
    for (claims, expected) in [
        (with(claims(), "iss", json!("https://other")), BadToken::WrongIssuer),
        (with(claims(), "aud", json!("other")), BadToken::WrongAudience),
        (with(claims(), "aud", json!(["other"])), BadToken::WrongAudience),
        (with(claims(), "aud", json!({"a": AUDIENCE})), BadToken::Malformed),
        (with(claims(), "aud", json!([1])), BadToken::Malformed),
        (with(claims(), "exp", json!((NOW + 60).to_string())), BadToken::Malformed),
        (with(claims(), "exp", json!(1.5e9)), BadToken::Malformed),
        (with(claims(), "exp", json!(null)), BadToken::Malformed),
        (with(claims(), "exp", json!([NOW + 60])), BadToken::Malformed),
        (with(claims(), "exp", json!(-1)), BadToken::Expired),
        (with(claims(), "exp", json!(NOW)), BadToken::Expired),
        (with(claims(), "nbf", json!(NOW + 61)), BadToken::NotYetValid),
        (with(claims(), "nbf", json!("soon")), BadToken::Malformed),
        (with(claims(), "iat", json!(NOW + 61)), BadToken::NotYetValid),
        (with(claims(), "sub", json!("")), BadToken::Malformed),
        (with(claims(), "jti", json!("x".repeat(2_000))), BadToken::Malformed),
        (without(claims(), "iss"), BadToken::Malformed),
        (without(claims(), "aud"), BadToken::Malformed),
        (without(claims(), "exp"), BadToken::Malformed),
        (without(claims(), "sub"), BadToken::Malformed),
        (without(claims(), "client_id"), BadToken::Malformed),
    ] {
        assert_eq!(f.verifier.verify(&f.signed(&f.header(), &claims), NOW), Err(expected), "{claims}");
    }
    let several = with(claims(), "aud", json!(["x", AUDIENCE]));
    assert!(f.verifier.verify(&f.signed(&f.header(), &several), NOW).is_ok());
    assert!(f.verifier.verify(&f.signed(&f.header(), &with(claims(), "nbf", json!(NOW + 60))), NOW).is_ok());
    let twice = claims().to_string().replacen('{', &format!("{{\"exp\":{},", NOW + 9_999), 1);
    let token = f.signed_text(&f.header().to_string(), &twice);
    assert_eq!(f.verifier.verify(&token, NOW), Err(BadToken::Malformed), "a claim that stands twice");
}

#[test]
fn signatures_that_are_refused() {
    let f = fixture();
    let token = issue(&f.key, &grant(), &mut counting()).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let zero = URL_SAFE_NO_PAD.encode([0; 64]);
    let truncated = URL_SAFE_NO_PAD.encode(&raw[..63]);
    for (signature, expected) in [
        (String::new(), BadToken::BadSignature),
        (zero, BadToken::BadSignature),
        (truncated, BadToken::BadSignature),
        (format!("{signature}=="), BadToken::Malformed),
        (signature.replace(['-', '_'], "+"), BadToken::Malformed),
        (format!("{signature}.x"), BadToken::Malformed),
    ] {
        if signature == token.rsplit_once('.').unwrap().1 {
            continue;
        }
        let refused = f.verifier.verify(&format!("{message}.{signature}"), NOW).unwrap_err();
        assert!(refused == expected || refused == BadToken::BadSignature, "{signature}: {refused:?}");
    }
    let stranger = fixture();
    assert_eq!(stranger.verifier.verify(&token, NOW), Err(BadToken::UnknownKey));
    for bad in ["", ".", "..", "a.b", "a.b.c.d", &"a".repeat(TOKEN_BYTES_MAX + 1)] {
        assert_eq!(f.verifier.verify(bad, NOW), Err(BadToken::Malformed), "{bad:.9}");
    }
}

#[test]
fn key_sets_that_cannot_be_used() {
    let f = fixture();
    let key: Value = serde_json::from_str(&key_set(&[f.key])).unwrap();
    let twice = json!({"keys": [key["keys"][0], key["keys"][0]]}).to_string();
    for bad in ["", "{}", "[]", &twice, &format!("{{\"keys\":[{}]}}", " ".repeat(70_000))] {
        assert!(AccessTokenVerifier::new(ISSUER, AUDIENCE, bad).is_err(), "{bad:.40}");
    }
    let passed_over = json!({"keys": [{"kty": "oct", "k": "AAAA", "kid": "1", "alg": "HS256"}]}).to_string();
    assert!(AccessTokenVerifier::new(ISSUER, AUDIENCE, &passed_over).unwrap().keys.is_empty());
}

#[test]
fn the_signature_sample_of_the_rfc_verifies() {
    // RFC 7515, appendix A.3.
    let jwk = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "a3",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]});
    let keys = verification_keys(&jwk.to_string()).unwrap();
    let message = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert!(keys[0].verifies(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn never_panics_and_never_accepts_noise(token in "[A-Za-z0-9_.=-]{0,200}") {
        let f = AccessTokenVerifier::new(ISSUER, AUDIENCE, "{\"keys\":[]}").unwrap();
        prop_assert!(f.verify(&token, NOW).is_err());
    }
}
