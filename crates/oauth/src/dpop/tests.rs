//! Proofs that are accepted, and the catalogue of those that are not. Every refused one but the broken ones carries a
//! signature that its key really made, so that what refuses it is the rule in question.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::jwk::{SigningKey, SystemRandom, key_set};

const NOW: i64 = 1_800_000_000;
const TOKEN: &str = "header.payload.signature";
const HTU: &str = "https://gateway.test:8099/echo/1.0";

fn new_key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &SystemRandom::new()).unwrap()
}

fn public(key: &SigningKey) -> Value {
    let set: Value = serde_json::from_str(&key_set([key])).unwrap();
    set["keys"][0].clone()
}

fn header(key: &SigningKey) -> Value {
    json!({"typ": "dpop+jwt", "alg": key.algorithm().name(), "jwk": public(key)})
}

fn claims() -> Value {
    let ath = URL_SAFE_NO_PAD.encode(Sha256::digest(TOKEN.as_bytes()));
    json!({"jti": "proof-1", "htm": "GET", "htu": HTU, "iat": NOW, "ath": ath})
}

fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    key.compact(format!("{}.{}", part(header), part(claims))).unwrap()
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    value[name] = new;
    value
}

fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().unwrap().remove(name);
    value
}

fn verdict(proof: &str) -> Result<Proof, BadProof> {
    let address = Address::of(true, "gateway.test:8099", "/echo/1.0");
    verify(proof, &Expected { method: "GET", address: &address, access_token: Some(TOKEN) }, NOW)
}

#[test]
fn a_proof_of_each_algorithm_names_its_key() {
    for algorithm in Algorithm::ALL {
        let key = new_key(algorithm);
        let proof = verdict(&signed(&key, &header(&key), &claims())).unwrap();
        assert!(proof.is_of(key.kid()) && !proof.is_of("") && !proof.is_of(&key.kid()[1..]));
        let again = verdict(&signed(&key, &header(&key), &claims())).unwrap();
        assert_eq!(proof.replay_id, again.replay_id, "another signature is no other proof");
        let next = verdict(&signed(&key, &header(&key), &with(claims(), "jti", json!("proof-2")))).unwrap();
        assert_ne!(proof.replay_id, next.replay_id);
        // As RFC 9864 calls one of them.
        let renamed = verdict(&signed(&key, &with(header(&key), "alg", json!("Ed25519")), &claims()));
        assert_eq!(renamed.is_ok(), algorithm == Algorithm::EdDsa);
    }
}

#[test]
fn the_sample_of_the_rfc_is_accepted() {
    // RFC 9449, figures 1 and 12: at the token endpoint, and with an access token.
    let asked = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOX\
        pDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6I\
        lAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29\
        tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK\
        70nfbV37xRZT3Lg";
    let address = Address::of(true, "server.example.com", "/token");
    let expected = Expected { method: "POST", address: &address, access_token: None };
    let proof = verify(asked, &expected, 1_562_262_616).unwrap();
    assert_eq!(proof.thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I", "figure 9");
}

#[test]
fn headers_that_are_refused() {
    let key = new_key(Algorithm::Es256);
    let good = header(&key);
    let other = new_key(Algorithm::EdDsa);
    for (name, header, expected) in [
        ("no typ", without(good.clone(), "typ"), BadProof::WrongType),
        ("typ of a token", with(good.clone(), "typ", json!("at+jwt")), BadProof::WrongType),
        ("typ JWT", with(good.clone(), "typ", json!("JWT")), BadProof::WrongType),
        ("typ that is no text", with(good.clone(), "typ", json!(1)), BadProof::WrongType),
        ("critical extension", with(good.clone(), "crit", json!(["x"])), BadProof::WrongType),
        ("unencoded payload", with(good.clone(), "b64", json!(false)), BadProof::WrongType),
        ("no alg", without(good.clone(), "alg"), BadProof::WrongAlgorithm),
        ("alg none", with(good.clone(), "alg", json!("none")), BadProof::WrongAlgorithm),
        ("alg HS256", with(good.clone(), "alg", json!("HS256")), BadProof::WrongAlgorithm),
        ("alg of another key", with(good.clone(), "alg", json!("RS256")), BadProof::WrongAlgorithm),
        ("alg in lower case", with(good.clone(), "alg", json!("es256")), BadProof::WrongAlgorithm),
        ("no key", without(good.clone(), "jwk"), BadProof::BadKey),
        (
            "kid in place of the key",
            with(without(good.clone(), "jwk"), "kid", json!(key.kid())),
            BadProof::BadKey,
        ),
        ("key that is no object", with(good.clone(), "jwk", json!("x")), BadProof::BadKey),
        ("private key", with(good.clone(), "jwk", with(public(&key), "d", json!("AA"))), BadProof::BadKey),
        ("symmetric key", with(good.clone(), "jwk", json!({"kty": "oct", "k": "AAAA"})), BadProof::BadKey),
        (
            "key of another curve",
            with(good.clone(), "jwk", with(public(&key), "crv", json!("P-384"))),
            BadProof::BadKey,
        ),
        (
            "key for encryption",
            with(good.clone(), "jwk", with(public(&key), "use", json!("enc"))),
            BadProof::BadKey,
        ),
        (
            "key of somebody else",
            with(good.clone(), "jwk", public(&new_key(Algorithm::Es256))),
            BadProof::BadSignature,
        ),
        ("key of another kind", with(header(&other), "alg", json!("EdDSA")), BadProof::BadSignature),
    ] {
        assert_eq!(verdict(&signed(&key, &header, &claims())), Err(expected), "{name}");
    }
}

#[test]
fn claims_that_are_refused() {
    let key = new_key(Algorithm::Es256);
    let ath = |text: &str| json!(URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes())));
    for (name, claims, expected) in [
        ("no jti", without(claims(), "jti"), BadProof::Malformed),
        ("empty jti", with(claims(), "jti", json!("")), BadProof::Malformed),
        ("jti without bound", with(claims(), "jti", json!("x".repeat(257))), BadProof::Malformed),
        ("jti that is a number", with(claims(), "jti", json!(1)), BadProof::Malformed),
        ("no htm", without(claims(), "htm"), BadProof::Malformed),
        ("htm POST", with(claims(), "htm", json!("POST")), BadProof::WrongMethod),
        ("htm in lower case", with(claims(), "htm", json!("get")), BadProof::WrongMethod),
        ("no htu", without(claims(), "htu"), BadProof::Malformed),
        (
            "another host",
            with(claims(), "htu", json!("https://other.test:8099/echo/1.0")),
            BadProof::WrongAddress,
        ),
        (
            "another port",
            with(claims(), "htu", json!("https://gateway.test/echo/1.0")),
            BadProof::WrongAddress,
        ),
        (
            "another path",
            with(claims(), "htu", json!("https://gateway.test:8099/echo/2.0")),
            BadProof::WrongAddress,
        ),
        ("a path below", with(claims(), "htu", json!(format!("{HTU}/x"))), BadProof::WrongAddress),
        ("no path", with(claims(), "htu", json!("https://gateway.test:8099")), BadProof::WrongAddress),
        ("without TLS", with(claims(), "htu", json!(HTU.replace("https", "http"))), BadProof::WrongAddress),
        ("another scheme", with(claims(), "htu", json!(HTU.replace("https", "ftp"))), BadProof::WrongAddress),
        (
            "a user before the host",
            with(claims(), "htu", json!("https://x@gateway.test:8099/echo/1.0")),
            BadProof::WrongAddress,
        ),
        ("a path alone", with(claims(), "htu", json!("/echo/1.0")), BadProof::WrongAddress),
        ("no iat", without(claims(), "iat"), BadProof::Malformed),
        ("iat as text", with(claims(), "iat", json!(NOW.to_string())), BadProof::Malformed),
        ("iat as fraction", with(claims(), "iat", json!(1.8e9)), BadProof::Malformed),
        ("too old", with(claims(), "iat", json!(NOW - PROOF_SECONDS - 1)), BadProof::NotOfNow),
        ("of the future", with(claims(), "iat", json!(NOW + SKEW_SECONDS + 1)), BadProof::NotOfNow),
        ("iat without bound", with(claims(), "iat", json!(i64::MAX)), BadProof::NotOfNow),
        ("no ath", without(claims(), "ath"), BadProof::WrongToken),
        ("ath of another token", with(claims(), "ath", ath("another")), BadProof::WrongToken),
        ("ath of nothing", with(claims(), "ath", ath("")), BadProof::WrongToken),
        ("the token itself as ath", with(claims(), "ath", json!(TOKEN)), BadProof::WrongToken),
        ("ath that is no text", with(claims(), "ath", json!([1])), BadProof::WrongToken),
    ] {
        assert_eq!(verdict(&signed(&key, &header(&key), &claims)), Err(expected), "{name}");
    }
}

#[test]
fn texts_and_signatures_that_are_refused() {
    let key = new_key(Algorithm::Es256);
    let proof = signed(&key, &header(&key), &claims());
    let (message, signature) = proof.rsplit_once('.').unwrap();
    let twice = claims().to_string().replacen('{', r#"{"htm":"GET","#, 1);
    let twice = format!("{}.{}", message.split_once('.').unwrap().0, URL_SAFE_NO_PAD.encode(twice));
    for (name, proof, expected) in [
        ("nothing", String::new(), BadProof::Malformed),
        ("two parts", message.to_owned(), BadProof::Malformed),
        ("four parts", format!("{proof}.x"), BadProof::Malformed),
        ("two proofs", format!("{proof}, {proof}"), BadProof::Malformed),
        ("without bound", format!("{proof}{}", "A".repeat(PROOF_BYTES_MAX)), BadProof::Malformed),
        ("padding", format!("{proof}=="), BadProof::Malformed),
        ("no signature", format!("{message}."), BadProof::BadSignature),
        ("zeros", format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 64])), BadProof::BadSignature),
        ("truncated", format!("{message}.{}", &signature[..84]), BadProof::BadSignature),
        ("a claim twice", key.compact(twice).unwrap(), BadProof::Malformed),
    ] {
        assert_eq!(verdict(&proof), Err(expected), "{name}");
    }
}

#[test]
fn an_address_has_one_meaning_however_it_is_spelt() {
    let at = |is_secure, authority| Address::of(is_secure, authority, "/echo/1.0");
    for (address, said, is_meant) in [
        (at(true, "gateway.test"), "https://gateway.test/echo/1.0", true),
        (at(true, "gateway.test"), "wss://GATEWAY.test:443/echo/1.0?access=1#x", true),
        (at(true, "Gateway.test:443"), "HTTPS://gateway.test/echo/1.0", true),
        (at(true, "gateway.test"), "https://gateway.test/Echo/1.0", false),
        (at(true, "gateway.test"), "http://gateway.test/echo/1.0", false),
        (at(false, "gateway.test"), "ws://gateway.test:80/echo/1.0", true),
        (at(false, "gateway.test"), "https://gateway.test:443/echo/1.0", true),
        (at(false, "gateway.test:9099"), "https://gateway.test:9099/echo/1.0", true),
        (at(false, "gateway.test:9099"), "https://gateway.test/echo/1.0", false),
        (Address::of(true, "gateway.test", ""), "https://gateway.test", true),
    ] {
        assert_eq!(address.is_meant_by(&Address::parse(said).unwrap()), is_meant, "{said}");
    }
    for text in [
        "",
        "https://",
        "https:///x",
        "gateway.test",
        "https://a b/",
        "https://ä/",
        &"https://a/".repeat(300),
    ] {
        assert_eq!(Address::parse(text), None, "{text:.40}");
    }
}

#[test]
fn a_refusal_says_whose_fault_it_is() {
    assert_eq!(
        BadProof::NotOfNow.challenge("tidegate"),
        "DPoP realm=\"tidegate\", error=\"invalid_dpop_proof\", error_description=\"the DPoP proof is not of now; make one \
         for each request\", algs=\"ES256 EdDSA Ed25519 RS256\""
    );
    for token in [BadProof::Needed, BadProof::NotBound, BadProof::WrongKey] {
        let challenge = token.challenge("r");
        assert!(challenge.contains("\"invalid_token\"") && challenge.is_ascii(), "{challenge}");
    }
}

proptest! {
    #[test]
    fn noise_never_panics(text: String, address: String) {
        let _ = verdict(&text);
        let _ = Address::parse(&address);
    }
}
