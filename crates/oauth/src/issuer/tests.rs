//! Tokens of another issuer that are believed, and the catalogue of those that are not. Each refused token carries a
//! signature that the issuer's key really made, unless the signature is what is wrong.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::crypto;
use serde_json::json;

use super::*;
use crate::jwk::{Algorithm, SigningKey, SystemRandom, key_set};

const ISSUER: &str = "https://issuer.example";
const NOW: i64 = 1_800_000_000;

fn rules() -> Rules {
    Rules {
        issuer: ISSUER.to_owned(),
        audiences: vec!["https://gateway".to_owned(), "tidegate".to_owned()],
        client_id: "azp".to_owned(),
        scope: "scp".to_owned(),
        subject: "sub".to_owned(),
        algorithms: ["ES256", "EdDSA", "RS256"].map(str::to_owned).to_vec(),
        requires_at_jwt: false,
    }
}

struct Fixture {
    key: SigningKey,
    verifier: IssuerVerifier,
}

fn fixture(change: impl FnOnce(&mut Rules)) -> Fixture {
    let key = SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap();
    let mut rules = rules();
    change(&mut rules);
    let verifier = IssuerVerifier::new(rules, &key_set([&key])).unwrap();
    Fixture { key, verifier }
}

impl Fixture {
    fn header(&self) -> Value {
        json!({"typ": "JWT", "alg": "ES256", "kid": self.key.kid()})
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        self.key.compact(message).unwrap()
    }

    fn judged(&self, header: &Value, claims: &Value) -> Result<Verified, BadToken> {
        self.verifier.verify(&self.signed(header, claims), NOW)
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a table's row is given away")]
    fn header_is(&self, name: &str, value: Option<Value>, expected: Result<(), BadToken>) {
        let judged = self.judged(&with(self.header(), name, value.clone()), &claims());
        assert_eq!(judged.map(drop), expected, "{name}: {value:?}");
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a table's row is given away")]
    fn claim_is(&self, name: &str, value: Option<Value>, expected: Result<(), BadToken>) {
        let judged = self.judged(&self.header(), &with(claims(), name, value.clone()));
        assert_eq!(judged.map(drop), expected, "{name}: {value:?}");
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "user-7", "aud": "tidegate", "azp": "client-1", "scp": "read write read",
           "exp": NOW + 60, "iat": NOW, "jti": "t1"})
}

fn with(mut value: Value, name: &str, new: Option<Value>) -> Value {
    match new {
        Some(new) => value[name] = new,
        None => drop(value.as_object_mut().unwrap().remove(name)),
    }
    value
}

#[test]
fn a_token_is_read_by_the_names_that_were_set() {
    let f = fixture(|_| {});
    let verified = f.judged(&f.header(), &claims()).unwrap();
    let expected = Verified {
        client_id: "client-1".to_owned(),
        subject: "user-7".to_owned(),
        scopes: vec!["read".to_owned(), "write".to_owned()],
        expires_at: NOW + 60,
        issued_at: Some(NOW),
        token_id: Some("t1".to_owned()),
        bound_to: None,
        kid: Some(f.key.kid().into()),
        claims: claims().as_object().unwrap().clone(),
    };
    assert_eq!(verified, expected);
    let listed = f.judged(&f.header(), &with(claims(), "scp", Some(json!(["a", "b", "a"])))).unwrap();
    assert_eq!(listed.scopes, ["a", "b"]);
    let lean = json!({"iss": ISSUER, "aud": ["x", "https://gateway"], "azp": "c", "exp": NOW + 1});
    let lean = f.judged(&f.header(), &lean).unwrap();
    assert_eq!((&*lean.subject, lean.scopes.len(), lean.issued_at), ("c", 0, None));
}

#[test]
fn another_type_of_token_is_refused() {
    use BadToken::WrongType;
    let f = fixture(|_| {});
    for accepted in [None, Some(json!("JWT")), Some(json!("jwt")), Some(json!("at+jwt"))] {
        f.header_is("typ", accepted, Ok(()));
    }
    for other in ["id+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "rt+jwt", "", "JWT "] {
        f.header_is("typ", Some(json!(other)), Err(WrongType));
    }
    f.header_is("typ", Some(json!(7)), Err(BadToken::Malformed));
    for (name, value) in [
        ("nonce", json!("n")),
        ("at_hash", json!("h")),
        ("c_hash", json!("h")),
        ("events", json!({})),
        ("typ", json!("ID")),
        ("typ", json!("Refresh")),
        ("typ", json!(1)),
        ("token_use", json!("id")),
    ] {
        f.claim_is(name, Some(value), Err(WrongType));
    }
    f.claim_is("typ", Some(json!("Bearer")), Ok(()));
    f.claim_is("token_use", Some(json!("access")), Ok(()));

    let strict = fixture(|rules| rules.requires_at_jwt = true);
    for accepted in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        strict.header_is("typ", Some(json!(accepted)), Ok(()));
    }
    strict.header_is("typ", Some(json!("JWT")), Err(WrongType));
    strict.header_is("typ", None, Err(WrongType));
}

#[test]
fn issuer_and_audience_are_compared_byte_by_byte() {
    use BadToken::{Malformed, WrongAudience, WrongIssuer};
    let f = fixture(|_| {});
    for other in ["https://issuer.example/", "https://ISSUER.example", "https://issuer.exampl", ""] {
        f.claim_is("iss", Some(json!(other)), Err(WrongIssuer));
    }
    f.claim_is("iss", None, Err(Malformed));
    f.claim_is("iss", Some(json!([ISSUER])), Err(Malformed));
    for other in [json!("Tidegate"), json!("tidegate "), json!([]), json!(["client-1"]), json!("")] {
        f.claim_is("aud", Some(other), Err(WrongAudience));
    }
    f.claim_is("aud", None, Err(WrongAudience));
    for bad in [json!({"tidegate": true}), json!(7), json!(["tidegate", 7]), json!(null)] {
        f.claim_is("aud", Some(bad), Err(Malformed));
    }
}

#[test]
fn the_algorithm_is_the_keys_own_and_must_be_on_the_list() {
    use BadToken::{Malformed, UnknownKey};
    let f = fixture(|_| {});
    for other in ["none", "None", "nOnE", "HS256", "RS256", "ES384", "EdDSA", "Ed25519", ""] {
        f.header_is("alg", Some(json!(other)), Err(UnknownKey));
    }
    f.header_is("alg", None, Err(Malformed));
    f.header_is("alg", Some(json!(["ES256"])), Err(Malformed));
    let not_listed = fixture(|rules| rules.algorithms = vec!["RS256".to_owned()]);
    not_listed.header_is("alg", Some(json!("ES256")), Err(UnknownKey));
    not_listed.header_is("alg", Some(json!("RS256")), Err(UnknownKey));

    // Signed with a secret that everyone knows: the public key.
    let header = json!({"typ": "JWT", "alg": "HS256", "kid": f.key.kid()});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(&claims()));
    let secret = jsonwebtoken::EncodingKey::from_secret(key_set([&f.key]).as_bytes());
    let mac = crypto::sign(message.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).unwrap();
    assert_eq!(f.verifier.verify(&format!("{message}.{mac}"), NOW), Err(UnknownKey));
}

#[test]
fn a_key_is_found_by_its_name_among_the_issuers_own_and_nowhere_else() {
    use BadToken::{BadSignature, Malformed, UnknownKey, WrongType};
    let f = fixture(|_| {});
    let long = "k".repeat(2_000);
    for other in ["../../etc/passwd", "' OR 1=1", "\0", "https://evil.example/key", "", &long] {
        f.header_is("kid", Some(json!(other)), Err(UnknownKey));
    }
    f.header_is("kid", Some(json!("k".repeat(1 << 20))), Err(Malformed));
    f.header_is("kid", None, Err(UnknownKey));
    f.header_is("kid", Some(json!(7)), Err(Malformed));
    // Another issuer's key under the name of this one's.
    let evil = fixture(|_| {});
    let forged = evil.signed(&f.header(), &claims());
    assert_eq!(f.verifier.verify(&forged, NOW), Err(BadSignature));
    for (name, value) in [
        ("jwk", json!({"kty": "EC"})),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MII"])),
    ] {
        let header = with(evil.header(), name, Some(value));
        assert_eq!(f.verifier.verify(&evil.signed(&header, &claims()), NOW), Err(UnknownKey), "{name}");
    }
    f.header_is("crit", Some(json!(["exp"])), Err(WrongType));
    f.header_is("b64", Some(json!(false)), Err(WrongType));
}

#[test]
fn claims_have_their_types_and_times_hold() {
    use BadToken::{Expired, Malformed, NotYetValid};
    let f = fixture(|_| {});
    for bad in
        [json!("1800000060"), json!(1.8e9), json!(-1), json!([NOW]), json!(null), json!(EXPIRY_MAX + 1)]
    {
        f.claim_is("exp", Some(bad), Err(Malformed));
    }
    f.claim_is("exp", None, Err(Malformed));
    f.claim_is("exp", Some(json!(NOW)), Err(Expired));
    for name in ["iat", "nbf"] {
        f.claim_is(name, Some(json!(NOW + SKEW_SECONDS)), Ok(()));
        f.claim_is(name, Some(json!(NOW + SKEW_SECONDS + 1)), Err(NotYetValid));
        f.claim_is(name, Some(json!("now")), Err(Malformed));
    }
    for name in ["azp", "sub", "jti"] {
        for bad in [json!(""), json!(7), json!(["client-1"]), json!("x".repeat(1_025))] {
            f.claim_is(name, Some(bad), Err(Malformed));
        }
    }
    f.claim_is("azp", None, Err(Malformed));
    f.claim_is("scp", Some(json!({"read": true})), Err(Malformed));
    f.claim_is("scp", Some(json!([1])), Err(Malformed));
    let many: Vec<_> = (0..300).map(|number| number.to_string()).collect();
    let verified = f.judged(&f.header(), &with(claims(), "scp", Some(json!(many)))).unwrap();
    assert_eq!(verified.scopes.len(), SCOPES_MAX);
}

#[test]
fn a_token_that_is_bound_says_to_what_and_is_useless_where_it_says_something_else() {
    let f = fixture(|_| {});
    let bound = |cnf: Value| f.judged(&f.header(), &with(claims(), "cnf", Some(cnf)));
    let of_key = bound(json!({"jkt": "thumbprint"})).unwrap().bound_to;
    assert_eq!(of_key, Some(Confirmation::Key("thumbprint".to_owned())));
    let hash = "A".repeat(43);
    let of_certificate = bound(json!({"x5t#S256": hash})).unwrap().bound_to;
    assert_eq!(of_certificate, Some(Confirmation::Certificate(hash.clone())));
    for unknown in [
        json!({"x5t#S256": ""}),
        json!({"x5t#S256": "hash"}),
        json!({"x5t#S256": "=".repeat(43)}),
        json!({"jkt": "thumbprint", "x5t#S256": hash}),
        json!({"x5t#S1": hash}),
        json!("jkt"),
        json!({"jkt": ""}),
        json!({"jkt": 7}),
        json!({}),
        json!("thumbprint"),
        json!(null),
    ] {
        assert_eq!(bound(unknown.clone()), Err(BadToken::WrongType), "{unknown}");
    }
}

#[test]
fn a_token_has_one_spelling() {
    let f = fixture(|_| {});
    let token = f.signed(&f.header(), &claims());
    assert!(f.verifier.verify(&token, NOW).is_ok());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let zeros = URL_SAFE_NO_PAD.encode([0; 64]);
    for (bad, expected) in [
        (format!("{token}="), BadToken::Malformed),
        (format!("{message}."), BadToken::BadSignature),
        (format!("{message}.{zeros}"), BadToken::BadSignature),
        (format!("{message}.{}", &signature[..80]), BadToken::BadSignature),
        (format!("{token}.x"), BadToken::Malformed),
        (message.to_owned(), BadToken::Malformed),
        (String::new(), BadToken::Malformed),
        ("a".repeat(TOKEN_BYTES_MAX + 1), BadToken::Malformed),
    ] {
        assert_eq!(f.verifier.verify(&bad, NOW), Err(expected), "{bad}");
    }
    let twice = r#"{"iss":"https://issuer.example","iss":"https://issuer.example"}"#;
    let twice =
        format!("{}.{}.", URL_SAFE_NO_PAD.encode(f.header().to_string()), URL_SAFE_NO_PAD.encode(twice));
    assert_eq!(claimed_issuer(&twice), None);
}

#[test]
fn the_claimed_issuer_is_read_from_what_looks_like_a_token() {
    let f = fixture(|_| {});
    let token = f.signed(&f.header(), &claims());
    assert_eq!(claimed_issuer(&token).as_deref(), Some(ISSUER));
    assert!(is_jwt(&token));
    for opaque in ["", "abc", "a.b.c", "tg_opaque.token", &"x".repeat(TOKEN_BYTES_MAX + 1)] {
        assert_eq!(claimed_issuer(opaque), None, "{opaque}");
        assert!(!is_jwt(opaque), "{opaque}");
    }
}

#[test]
fn what_an_issuer_says_of_an_opaque_token_is_judged_as_a_token() {
    use BadToken::{Expired, Malformed, WrongAudience, WrongIssuer, WrongType};
    let f = fixture(|_| {});
    let answer = with(claims(), "active", Some(json!(true)));
    let told = |answer: &Value| f.verifier.introspected(answer.to_string().as_bytes(), NOW);
    let verified = told(&answer).unwrap();
    assert_eq!((&*verified.client_id, verified.kid), ("client-1", None));
    for (name, value, expected) in [
        ("active", Some(json!(false)), Expired),
        ("active", Some(json!("true")), Malformed),
        ("active", None, Malformed),
        ("iss", Some(json!("https://other.example")), WrongIssuer),
        ("aud", Some(json!("other")), WrongAudience),
        ("exp", None, Malformed),
        ("exp", Some(json!(NOW)), Expired),
        ("azp", None, Malformed),
        ("token_type", Some(json!("refresh_token")), WrongType),
        ("token_type", Some(json!("DPoP")), WrongType),
    ] {
        assert_eq!(told(&with(answer.clone(), name, value)), Err(expected), "{name}");
    }
    for name in ["iss", "aud"] {
        assert!(told(&with(answer.clone(), name, None)).is_ok(), "{name} may be left out");
    }
    for bad in [&b""[..], b"[]", b"true", b"{\"active\":true,\"active\":true}"] {
        assert_eq!(f.verifier.introspected(bad, NOW), Err(Malformed));
    }
}

#[test]
fn a_discovery_document_speaks_for_its_own_issuer() {
    let document = json!({"issuer": ISSUER, "jwks_uri": "https://issuer.example/jwks"});
    let read = |document: &Value| keys_address(document.to_string().as_bytes(), ISSUER);
    assert_eq!(read(&document).as_deref(), Ok("https://issuer.example/jwks"));
    let other = with(document.clone(), "issuer", Some(json!("https://issuer.example/")));
    assert_eq!(read(&other), Err(BadDocument::OtherIssuer));
    for (name, value) in [("issuer", None), ("jwks_uri", None), ("jwks_uri", Some(json!(["https://a"])))] {
        assert_eq!(read(&with(document.clone(), name, value)), Err(BadDocument::Malformed), "{name}");
    }
    assert_eq!(keys_address(b"<html>", ISSUER), Err(BadDocument::Malformed));
}

#[test]
fn only_a_set_with_a_usable_key_is_one() {
    let f = fixture(|_| {});
    let keys = usable_keys(&key_set([&f.key])).unwrap();
    assert_eq!(keys, [(f.key.kid().to_owned(), "ES256")]);
    let secret = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}]}).to_string();
    for (text, expected) in [
        (r#"{"keys":[]}"#, BadDocument::NoKeys),
        (&*secret, BadDocument::NoKeys),
        ("{}", BadDocument::KeySet),
        ("nothing", BadDocument::KeySet),
    ] {
        assert_eq!(usable_keys(text), Err(expected), "{text}");
    }
    let many = json!({"keys": vec![json!({"kty": "oct"}); 10_000]}).to_string();
    assert_eq!(usable_keys(&many), Err(BadDocument::KeySet));
}
