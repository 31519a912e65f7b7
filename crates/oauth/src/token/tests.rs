//! Tokens that are accepted, and the catalogue of those that are not. Every refused token of the tables but the
//! broken ones carries a signature that our key really made, so that what refuses it is the rule in question.

use aws_lc_rs::{encoding::AsDer as _, rsa, signature::KeyPair as _};
use jsonwebtoken::{EncodingKey, crypto};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    jwk::{
        Algorithm::{self, Es256 as ES256},
        SystemRandom, key_set,
    },
    testing::counting,
};

const ISSUER: &str = "https://localhost:9443";
const AUDIENCE: &str = "https://localhost:9443/gateway";
const NOW: i64 = 1_800_000_000;

fn grant() -> Grant<'static> {
    Grant {
        issuer: ISSUER,
        audience: AUDIENCE,
        client_id: "client-1",
        scope: "a b",
        now: NOW,
        lifetime: 3_600,
        ..Grant::default()
    }
}

struct Fixture {
    key: SigningKey,
    verifier: AccessTokenVerifier,
}

fn fixture() -> Fixture {
    fixture_of(ES256)
}

fn fixture_of(algorithm: Algorithm) -> Fixture {
    let key = SigningKey::generate(algorithm, &SystemRandom::new()).unwrap();
    let verifier = AccessTokenVerifier::new(ISSUER, AUDIENCE, &key_set([&key])).unwrap();
    Fixture { key, verifier }
}

impl Fixture {
    fn signed(&self, header: &Value, claims: &Value) -> String {
        self.signed_text(&header.to_string(), &claims.to_string())
    }

    fn signed_text(&self, header: &str, claims: &str) -> String {
        self.key.compact(message(header, claims)).unwrap()
    }

    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": self.key.algorithm().name(), "kid": self.key.kid()})
    }

    #[track_caller]
    fn refuses(&self, token: &str, expected: BadToken, why: &str) {
        assert_eq!(self.verifier.verify(token, NOW), Err(expected), "{why}");
    }
}

fn message(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
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
    let mut random = counting();
    let token = issue(&key, &grant(), &mut random).unwrap();
    let claims = verifier.verify(&token, NOW).unwrap();
    let expected = Claims {
        iss: ISSUER.to_owned(),
        sub: "client-1".to_owned(),
        aud: Audience::One(AUDIENCE.to_owned()),
        client_id: "client-1".to_owned(),
        exp: NOW + 3_600,
        iat: NOW,
        nbf: None,
        jti: claims.jti.clone(),
        scope: "a b".to_owned(),
        cnf: None,
        grant_id: String::new(),
        source: None,
    };
    assert_eq!(claims, expected);
    assert!(verifier.verify(&token, NOW + 3_599).is_ok());
    assert_eq!(verifier.verify(&token, NOW + 3_600), Err(BadToken::Expired));
    let next = verifier.verify(&issue(&key, &grant(), &mut random).unwrap(), NOW).unwrap();
    assert_ne!(next.jti, claims.jti);
}

#[test]
fn a_token_says_that_it_is_an_access_token() {
    let f = fixture();
    let token = issue(&f.key, &grant(), &mut counting()).unwrap();
    let header = Parts::of(&token, TOKEN_BYTES_MAX).unwrap().header().unwrap();
    assert_eq!(Value::from(header), f.header());
}

#[test]
fn each_algorithm_signs_and_every_other_name_for_it_is_refused() {
    for algorithm in Algorithm::ALL {
        let f = fixture_of(algorithm);
        let restored = SigningKey::from_text(f.key.to_text().expose()).unwrap();
        assert_eq!((restored.kid(), restored.algorithm()), (f.key.kid(), algorithm));
        let token = issue(&restored, &grant(), &mut counting()).unwrap();
        assert!(f.verifier.verify(&token, NOW).is_ok(), "{algorithm:?}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let shorter = URL_SAFE_NO_PAD.encode(&URL_SAFE_NO_PAD.decode(signature).unwrap()[1..]);
        for signature in ["", &shorter, &URL_SAFE_NO_PAD.encode([0; 64]), &URL_SAFE_NO_PAD.encode([0; 256])] {
            f.refuses(&format!("{message}.{signature}"), BadToken::BadSignature, algorithm.name());
        }
        // T2: the key says what it signs with, and no other name is believed, though the signature is right.
        for name in
            ["none", "HS256", "ES256", "EdDSA", "Ed25519", "RS256", "PS256", "RS512", "ES384", "eddsa"]
        {
            let verdict = f.verifier.verify(&f.signed(&with(f.header(), "alg", json!(name)), &claims()), NOW);
            let expected = (name != algorithm.name()).then_some(BadToken::UnknownKey);
            assert_eq!(verdict.err(), expected, "{name} over {algorithm:?}");
        }
    }
}

#[test]
fn a_key_of_one_algorithm_never_answers_for_another_in_the_same_set() {
    let keys = Algorithm::ALL.map(|algorithm| fixture_of(algorithm).key);
    let verifier = AccessTokenVerifier::new(ISSUER, AUDIENCE, &key_set(&keys)).unwrap();
    for signer in &keys {
        for named in &keys {
            let header = json!({"typ": "at+jwt", "alg": named.algorithm().name(), "kid": named.kid()});
            let token = signer.compact(message(&header.to_string(), &claims().to_string())).unwrap();
            let expected = (signer.kid() != named.kid()).then_some(BadToken::BadSignature);
            assert_eq!(verifier.verify(&token, NOW).err(), expected, "{signer:?} as {named:?}");
        }
    }
}

#[test]
fn a_restored_key_signs_and_a_rotated_set_accepts_both() {
    let (old, new) = (fixture().key, fixture().key);
    let verifier = AccessTokenVerifier::new(ISSUER, AUDIENCE, &key_set([&new, &old])).unwrap();
    let restored = SigningKey::from_text(old.to_text().expose()).unwrap();
    for key in [&restored, &new] {
        assert!(verifier.verify(&issue(key, &grant(), &mut counting()).unwrap(), NOW).is_ok());
    }
    let after = AccessTokenVerifier::new(ISSUER, AUDIENCE, &key_set([&new])).unwrap();
    assert_eq!(
        after.verify(&issue(&old, &grant(), &mut counting()).unwrap(), NOW),
        Err(BadToken::UnknownKey)
    );
}

#[test]
fn what_the_rfcs_leave_open_is_accepted() {
    let f = fixture();
    let typed = |typ: &str| with(f.header(), "typ", json!(typ));
    let own_key =
        with(with(f.header(), "jwk", json!({"kty": "EC"})), "jku", json!("https://attacker.example/k"));
    for (header, claims) in [
        (f.header(), claims()),
        (typed("AT+JWT"), claims()),
        (typed("application/at+jwt"), claims()),
        (typed("Application/At+Jwt"), claims()),
        (own_key, claims()),
        (f.header(), with(claims(), "aud", json!(["x", AUDIENCE]))),
        (f.header(), with(claims(), "nbf", json!(NOW + SKEW_SECONDS))),
        (f.header(), with(claims(), "iat", json!(NOW + SKEW_SECONDS))),
        (f.header(), with(claims(), "exp", json!(NOW + 1))),
        (f.header(), with(claims(), "exp", json!(EXPIRY_MAX))),
        (f.header(), with(claims(), "other", json!({"a": [null, 1.5]}))),
    ] {
        assert!(f.verifier.verify(&f.signed(&header, &claims), NOW).is_ok(), "{header} {claims}");
    }
}

#[test]
fn headers_that_are_refused() {
    let f = fixture();
    let good = f.header();
    let alg = |name: &str| with(good.clone(), "alg", json!(name));
    let typ = |name: &str| with(good.clone(), "typ", json!(name));
    let kid = |name: &str| with(good.clone(), "kid", json!(name));
    for (header, expected) in [
        // T1, T2: the algorithm is the key's.
        (alg("none"), BadToken::UnknownKey),
        (alg("None"), BadToken::UnknownKey),
        (alg("nOnE"), BadToken::UnknownKey),
        (alg(""), BadToken::UnknownKey),
        (alg("HS256"), BadToken::UnknownKey),
        (alg("RS256"), BadToken::UnknownKey),
        (alg("ES384"), BadToken::UnknownKey),
        (alg("es256"), BadToken::UnknownKey),
        (alg("XX"), BadToken::UnknownKey),
        (without(good.clone(), "alg"), BadToken::Malformed),
        (with(good.clone(), "alg", json!(1)), BadToken::Malformed),
        (with(good.clone(), "alg", json!(["ES256"])), BadToken::Malformed),
        (with(good.clone(), "alg", json!(null)), BadToken::Malformed),
        // T4: the name of a key is a name, not a path, a query or an address.
        (kid("../../etc/passwd"), BadToken::UnknownKey),
        (kid("' OR 1=1"), BadToken::UnknownKey),
        (kid("https://attacker.example/key"), BadToken::UnknownKey),
        (kid(&format!("{}\0", f.key.kid())), BadToken::UnknownKey),
        (kid(&f.key.kid()[1..]), BadToken::UnknownKey),
        (kid(""), BadToken::UnknownKey),
        (kid(&"k".repeat(1_024 * 1_024)), BadToken::Malformed),
        (with(good.clone(), "kid", json!(null)), BadToken::Malformed),
        (without(good.clone(), "kid"), BadToken::UnknownKey),
        // T7: other kinds of token.
        (typ("JWT"), BadToken::WrongType),
        (typ("id_token"), BadToken::WrongType),
        (typ("rt+jwt"), BadToken::WrongType),
        (typ("application/application/at+jwt"), BadToken::WrongType),
        (typ("at+jwt "), BadToken::WrongType),
        (without(good.clone(), "typ"), BadToken::WrongType),
        (with(good.clone(), "typ", json!(true)), BadToken::Malformed),
        // Extensions.
        (with(good.clone(), "crit", json!(["b64"])), BadToken::WrongType),
        (with(good.clone(), "crit", json!([])), BadToken::WrongType),
        (with(good.clone(), "crit", json!(null)), BadToken::WrongType),
        (with(good.clone(), "b64", json!(false)), BadToken::WrongType),
    ] {
        f.refuses(&f.signed(&header, &claims()), expected, &format!("{header:.90}"));
    }
    let twice = good.to_string().replacen('{', r#"{"kid":"x","#, 1);
    for header in ["", "[]", "\"\"", &twice, "{", &format!(r#"["{}","ES256","at+jwt"]"#, f.key.kid())] {
        f.refuses(&f.signed_text(header, &claims().to_string()), BadToken::Malformed, header);
    }
}

#[test]
fn claims_that_are_refused() {
    let f = fixture();
    for (claims, expected) in [
        // T7: of somebody else, or for somebody else.
        (with(claims(), "iss", json!("https://other")), BadToken::WrongIssuer),
        (with(claims(), "iss", json!(format!("{ISSUER}/"))), BadToken::WrongIssuer),
        (with(claims(), "iss", json!("HTTPS://localhost:9443")), BadToken::WrongIssuer),
        (with(claims(), "iss", json!([ISSUER])), BadToken::Malformed),
        (with(claims(), "aud", json!("other")), BadToken::WrongAudience),
        (with(claims(), "aud", json!(ISSUER)), BadToken::WrongAudience),
        (with(claims(), "aud", json!(["other"])), BadToken::WrongAudience),
        (with(claims(), "aud", json!([])), BadToken::WrongAudience),
        (with(claims(), "aud", json!({"a": AUDIENCE})), BadToken::Malformed),
        (with(claims(), "aud", json!([AUDIENCE, 1])), BadToken::Malformed),
        // T5: exactly the type.
        (with(claims(), "exp", json!((NOW + 60).to_string())), BadToken::Malformed),
        (with(claims(), "exp", json!(1.9e9)), BadToken::Malformed),
        (with(claims(), "exp", json!(null)), BadToken::Malformed),
        (with(claims(), "exp", json!([NOW + 60])), BadToken::Malformed),
        (with(claims(), "exp", json!({"a": NOW + 60})), BadToken::Malformed),
        (with(claims(), "exp", json!(true)), BadToken::Malformed),
        (with(claims(), "exp", json!(u64::MAX)), BadToken::Malformed),
        (with(claims(), "exp", json!(EXPIRY_MAX + 1)), BadToken::Malformed),
        (with(claims(), "nbf", json!("soon")), BadToken::Malformed),
        (with(claims(), "nbf", json!(null)), BadToken::Malformed),
        (with(claims(), "nbf", json!(1.5)), BadToken::Malformed),
        (with(claims(), "iat", json!(NOW.to_string())), BadToken::Malformed),
        (with(claims(), "iat", json!(null)), BadToken::Malformed),
        (with(claims(), "sub", json!(1)), BadToken::Malformed),
        (with(claims(), "sub", json!("")), BadToken::Malformed),
        (with(claims(), "client_id", json!(["client-1"])), BadToken::Malformed),
        (with(claims(), "jti", json!("x".repeat(CLAIM_BYTES_MAX + 1))), BadToken::Malformed),
        (with(claims(), "scope", json!(["a"])), BadToken::Malformed),
        (with(claims(), "scope", json!(null)), BadToken::Malformed),
        // Bindings that are not understood.
        (with(claims(), "cnf", json!(null)), BadToken::Malformed),
        (with(claims(), "cnf", json!({})), BadToken::Malformed),
        (with(claims(), "cnf", json!("x")), BadToken::Malformed),
        (with(claims(), "cnf", json!({"jkt": 1})), BadToken::Malformed),
        (with(claims(), "cnf", json!({"x5t#S256": "x"})), BadToken::Malformed),
        (with(claims(), "cnf", json!({"jkt": "x", "x5t#S256": "x"})), BadToken::Malformed),
        (with(claims(), "cnf", json!({"kid": "x"})), BadToken::Malformed),
        (with(claims(), "cnf", json!("jkt")), BadToken::Malformed),
        (with(claims(), "cnf", json!({"jkt": ""})), BadToken::Malformed),
        (with(claims(), "cnf", json!({"x5t#S256": ""})), BadToken::Malformed),
        (with(claims(), "cnf", json!({"jkt": "x", "x5t#S256": "A".repeat(43)})), BadToken::Malformed),
        // Time.
        (with(claims(), "exp", json!(NOW)), BadToken::Expired),
        (with(claims(), "exp", json!(0)), BadToken::Expired),
        (with(claims(), "exp", json!(-1)), BadToken::Expired),
        (with(claims(), "exp", json!(i64::MIN)), BadToken::Expired),
        (with(claims(), "nbf", json!(NOW + SKEW_SECONDS + 1)), BadToken::NotYetValid),
        (with(claims(), "iat", json!(NOW + SKEW_SECONDS + 1)), BadToken::NotYetValid),
        (with(claims(), "iat", json!(i64::MAX)), BadToken::NotYetValid),
    ] {
        f.refuses(&f.signed(&f.header(), &claims), expected, &format!("{claims:.300}"));
    }
    for name in ["iss", "sub", "aud", "client_id", "exp", "iat", "jti"] {
        f.refuses(&f.signed(&f.header(), &without(claims(), name)), BadToken::Malformed, name);
    }
}

#[test]
fn claims_with_two_readings_are_refused() {
    let f = fixture();
    let plain = claims().to_string();
    let listed = json!([ISSUER, "client-1", AUDIENCE, "client-1", NOW + 60, NOW, NOW, "1", ""]).to_string();
    for claims in [
        plain.replacen('{', &format!("{{\"exp\":{},", NOW + 9_999), 1),
        plain.replacen('{', "{\"\\u0065xp\":1,", 1),
        plain.replacen('{', "{\"unknown\":1,\"unknown\":1,", 1),
        plain.replacen('{', "{\"deep\":{\"a\":1,\"a\":1},", 1),
        plain.replace(&(NOW + 60).to_string(), "1e400"),
        plain.replace(&(NOW + 60).to_string(), "NaN"),
        format!("{plain} {plain}"),
        format!("\u{feff}{plain}"),
        listed,
        String::new(),
    ] {
        f.refuses(&f.signed_text(&f.header().to_string(), &claims), BadToken::Malformed, &claims);
    }
}

#[test]
fn signatures_that_are_refused() {
    let f = fixture();
    let token = issue(&f.key, &grant(), &mut counting()).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let halves = |r: &[u8], s: &[u8]| encoded(&[r, s].concat());
    // DER as aws-lc writes it; the JOSE form is r and s side by side (RFC 7518, section 3.4).
    let pkcs8 = base64::engine::general_purpose::STANDARD.decode(f.key.to_text().expose()).unwrap();
    let der = aws_lc_rs::signature::EcdsaKeyPair::from_pkcs8(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        &pkcs8,
    )
    .map(|pair| pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap())
    .unwrap();
    let order = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";
    let order = URL_SAFE_NO_PAD.decode(order).unwrap();
    // 86 characters hold 64 bytes and four spare bits, which must be zero.
    let spare = |last: u8| char::from(last + 1);
    let trailing_bits = format!("{}{}", &signature[..85], spare(signature.as_bytes()[85]));
    for (why, signature, expected) in [
        ("empty", String::new(), BadToken::BadSignature),
        ("r = s = 0", encoded(&[0; 64]), BadToken::BadSignature),
        ("r = 0", halves(&[0; 32], &raw[32..]), BadToken::BadSignature),
        ("s = 0", halves(&raw[..32], &[0; 32]), BadToken::BadSignature),
        ("r = s = n", halves(&order, &order), BadToken::BadSignature),
        ("s and r", halves(&raw[32..], &raw[..32]), BadToken::BadSignature),
        ("truncated", encoded(&raw[..63]), BadToken::BadSignature),
        ("one byte more", encoded(&[&raw[..], &[0]].concat()), BadToken::BadSignature),
        (
            "leading zeros",
            halves(&[&[0], &raw[..32]].concat(), &[&[0], &raw[32..]].concat()),
            BadToken::BadSignature,
        ),
        ("DER", encoded(der.as_ref()), BadToken::BadSignature),
        ("padding", format!("{signature}=="), BadToken::Malformed),
        ("trailing bits", trailing_bits, BadToken::Malformed),
        ("another alphabet", format!("+/{}", &signature[2..]), BadToken::Malformed),
        ("a line break", format!("{signature}\n"), BadToken::Malformed),
    ] {
        f.refuses(&format!("{message}.{signature}"), expected, why);
    }
    let other = message.replacen('.', "A.", 1);
    f.refuses(&format!("{other}.{signature}"), BadToken::Malformed, "a header with trailing bytes");
    let foreign = self::message(&f.header().to_string(), &claims().to_string());
    f.refuses(&format!("{foreign}.{signature}"), BadToken::BadSignature, "the signature of another token");
}

#[test]
fn no_secret_made_of_the_public_key_signs() {
    // T2: HS256 keyed with what the issuer publishes.
    let f = fixture();
    let set = key_set([&f.key]);
    let jwk = serde_json::from_str::<Value>(&set).unwrap()["keys"][0].clone();
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let header = with(f.header(), "alg", json!("HS256"));
    let message = message(&header.to_string(), &claims().to_string());
    for secret in [set.as_bytes(), jwk.to_string().as_bytes(), f.key.kid().as_bytes(), &point, b""] {
        let secret = EncodingKey::from_secret(secret);
        let mac = crypto::sign(message.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).unwrap();
        f.refuses(&format!("{message}.{mac}"), BadToken::UnknownKey, "HS256");
        let honest_alg = self::message(&f.header().to_string(), &claims().to_string());
        let mac = crypto::sign(honest_alg.as_bytes(), &secret, jsonwebtoken::Algorithm::HS256).unwrap();
        f.refuses(&format!("{honest_alg}.{mac}"), BadToken::BadSignature, "an HMAC in place of ECDSA");
    }
}

#[test]
fn no_key_that_the_token_brings_is_used() {
    // T3: CVE-2018-0114. A stranger's key, signature and key set address; our kid or theirs.
    let (f, stranger) = (fixture(), fixture());
    let jwk = serde_json::from_str::<Value>(&key_set([&stranger.key])).unwrap()["keys"][0].clone();
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("http://127.0.0.1:9/jwks")),
        ("x5u", json!("http://127.0.0.1:9/cert")),
        ("x5c", json!(["MIIB"])),
    ] {
        let ours = with(f.header(), name, value.clone());
        f.refuses(&stranger.signed(&ours, &claims()), BadToken::BadSignature, name);
        let theirs = with(stranger.header(), name, value);
        f.refuses(&stranger.signed(&theirs, &claims()), BadToken::UnknownKey, name);
    }
}

#[test]
fn an_rsa_key_of_another_issuer_is_for_its_one_algorithm() {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
    let encoded = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let set = json!({"keys": [{"kty": "RSA", "kid": "r",
        "n": encoded(n.big_endian_without_leading_zero()), "e": encoded(e.big_endian_without_leading_zero())}]});
    let verifier = AccessTokenVerifier::new(ISSUER, AUDIENCE, &set.to_string()).unwrap();
    // The library signs with PKCS#1, which stands inside PKCS#8 after 26 bytes for this size.
    let pkcs8: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let key = EncodingKey::from_rsa_der(&pkcs8.as_ref()[26..]);
    for (name, algorithm, expected) in [
        ("RS256", jsonwebtoken::Algorithm::RS256, None),
        ("RS256", jsonwebtoken::Algorithm::PS256, Some(BadToken::BadSignature)),
        ("PS256", jsonwebtoken::Algorithm::PS256, Some(BadToken::UnknownKey)),
        ("RS512", jsonwebtoken::Algorithm::RS512, Some(BadToken::UnknownKey)),
        ("ES256", jsonwebtoken::Algorithm::RS256, Some(BadToken::UnknownKey)),
    ] {
        let message =
            message(&json!({"typ": "at+jwt", "alg": name, "kid": "r"}).to_string(), &claims().to_string());
        let signature = crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
        let verdict = verifier.verify(&format!("{message}.{signature}"), NOW);
        assert_eq!(verdict.err(), expected, "{name} signed as {algorithm:?}");
    }
}

#[test]
fn texts_that_are_no_token_are_refused() {
    let f = fixture();
    let token = issue(&f.key, &grant(), &mut counting()).unwrap();
    let parts: Vec<_> = token.split('.').collect();
    let json_form = json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]}).to_string();
    let unsecured = message(&json!({"alg": "none", "typ": "at+jwt"}).to_string(), &claims().to_string());
    for text in ["", ".", "..", "...", "a.b", "a.b.c.d", "é.é.é", "tgp_x", &json_form] {
        f.refuses(text, BadToken::Malformed, text);
    }
    for text in
        [format!(" {token}"), format!("{token} "), format!("{token}.{}", parts[2]), token.replace('.', "..")]
    {
        f.refuses(&text, BadToken::Malformed, &text);
    }
    f.refuses(&format!("{unsecured}."), BadToken::UnknownKey, "RFC 7515, appendix A.5");
    f.refuses(&format!("{}..{}", parts[0], parts[2]), BadToken::BadSignature, "detached payload");
}

#[test]
fn the_largest_token_is_read_and_one_byte_more_is_not() {
    let f = fixture();
    let sized = |filler: usize| f.signed(&f.header(), &with(claims(), "filler", json!("x".repeat(filler))));
    // Base64 grows by 4 bytes for 3, so one of three neighbours meets the bound exactly.
    let spare = (TOKEN_BYTES_MAX - sized(0).len()) * 3 / 4;
    let exact = (spare - 6..spare + 6).map(sized).find(|token| token.len() == TOKEN_BYTES_MAX).unwrap();
    assert!(f.verifier.verify(&exact, NOW).is_ok());
    f.refuses(&format!("{exact}A"), BadToken::Malformed, "too large");
}

#[test]
fn a_refusal_names_its_reason_and_nothing_of_the_token() {
    let f = fixture();
    let token = f.signed(&with(f.header(), "kid", json!("leaked-kid")), &claims());
    let refused = f.verifier.verify(&token, NOW).unwrap_err();
    assert_eq!(refused.error(), "invalid_token");
    let challenge = refused.challenge("tidegate");
    assert_eq!(
        challenge,
        r#"Bearer realm="tidegate", error="invalid_token", error_description="the token's key is not known""#
    );
    assert!(!format!("{challenge} {refused} {refused:?}").contains("leaked"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn noise_is_refused_and_never_panics(header: String, claims: String, signature in "[A-Za-z0-9_-]{0,90}", text: String) {
        let verifier = AccessTokenVerifier::new(ISSUER, AUDIENCE, "{\"keys\":[]}").unwrap();
        prop_assert!(verifier.verify(&text, NOW).is_err());
        let token = format!("{}.{signature}", message(&header, &claims));
        prop_assert!(verifier.verify(&token, NOW).is_err());
    }

    #[test]
    fn one_changed_character_is_refused(at: prop::sample::Index, letter in "[A-Za-z0-9_.-]") {
        let f = fixture();
        let token = issue(&f.key, &grant(), &mut counting()).unwrap();
        let at = at.index(token.len());
        prop_assume!(token[at..=at] != letter);
        let mut changed = token;
        changed.replace_range(at..=at, &letter);
        prop_assert!(f.verifier.verify(&changed, NOW).is_err());
    }
}
