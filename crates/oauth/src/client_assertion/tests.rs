//! What is no statement of this client for this server proves nothing.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::jwk::{Algorithm, SigningKey, SystemRandom, key_set};

const ISSUER: &str = "https://issuer.test";
const NOW: i64 = 1_800_000_000;

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &SystemRandom::new()).unwrap()
}

fn claims() -> Value {
    json!({"iss": "client", "sub": "client", "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "1"})
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    if new.is_null() {
        value.as_object_mut().unwrap().remove(name);
    } else {
        value[name] = new;
    }
    value
}

fn judged(key: &SigningKey, header: &Value, claims: &Value) -> Option<Taken> {
    let keys = ClientKeys::read(&key_set([key])).unwrap();
    verify(&key.signed(header, claims).unwrap(), "client", &keys, &[ISSUER], NOW)
}

#[test]
fn a_statement_of_any_algorithm_proves_the_client_and_is_named_by_it() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let header = json!({"alg": algorithm.name(), "kid": key.kid()});
        let taken = judged(&key, &header, &claims()).unwrap();
        assert_eq!((taken.expires_at, taken.replay_id.len()), (NOW + 60, 43));
        assert_eq!(judged(&key, &header, &claims()).unwrap(), taken, "the same again has the same name");
        let other = judged(&key, &header, &with(claims(), "jti", json!("2"))).unwrap();
        assert_ne!(other.replay_id, taken.replay_id);
        for typ in ["JWT", "jwt", "client-authentication+jwt"] {
            let header = json!({"alg": algorithm.name(), "typ": typ});
            assert!(judged(&key, &header, &with(claims(), "aud", json!([ISSUER]))).is_some(), "{typ}");
        }
        if algorithm == Algorithm::EdDsa {
            // As RFC 9864 has it, and libraries that follow it.
            assert!(judged(&key, &json!({"alg": "Ed25519"}), &claims()).is_some());
            let text = key_set([&key]).replace("\"EdDSA\"", "\"Ed25519\"");
            ClientKeys::read(&text).unwrap();
        } else {
            assert_eq!(judged(&key, &json!({"alg": "Ed25519"}), &claims()), None);
        }
        let text = key.signed(&header, &claims()).unwrap();
        assert_eq!(claimed_client(&text).as_deref(), Some("client"));
    }
}

#[test]
fn what_is_not_this_clients_for_this_server_now_proves_nothing() {
    let key = key(Algorithm::Es256);
    let header = json!({"alg": "ES256", "kid": key.kid()});
    for (name, value) in [
        ("iss", json!("other")),
        ("iss", json!(null)),
        ("sub", json!("other")),
        ("sub", json!(null)),
        ("sub", json!(["client"])),
        ("aud", json!("https://other.test")),
        ("aud", json!([ISSUER, "https://other.test"])),
        ("aud", json!([])),
        ("aud", json!({"x": ISSUER})),
        ("aud", json!(null)),
        ("exp", json!(NOW)),
        ("exp", json!(NOW + LIFETIME_SECONDS_MAX + SKEW_SECONDS + 1)),
        ("exp", json!("1800000060")),
        ("exp", json!(null)),
        ("iat", json!(NOW + SKEW_SECONDS + 1)),
        ("iat", json!("x")),
        ("nbf", json!(NOW + SKEW_SECONDS + 1)),
        ("jti", json!("")),
        ("jti", json!(1)),
        ("jti", json!("x".repeat(257))),
        ("jti", json!(null)),
    ] {
        assert_eq!(judged(&key, &header, &with(claims(), name, value.clone())), None, "{name} {value}");
    }
    for (name, value) in [
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("alg", json!("RS256")),
        ("alg", json!(null)),
        ("kid", json!("other")),
        ("kid", json!(1)),
        ("typ", json!("at+jwt")),
        ("typ", json!("dpop+jwt")),
        ("typ", json!(1)),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
    ] {
        assert_eq!(
            judged(&key, &with(header.clone(), name, value.clone()), &claims()),
            None,
            "{name} {value}"
        );
    }
    let keys = ClientKeys::read(&key_set([&key])).unwrap();
    let forged = self::key(Algorithm::Es256).signed(&header, &claims()).unwrap();
    assert_eq!(verify(&forged, "client", &keys, &[ISSUER], NOW), None, "another's signature");
    let two = ClientKeys::read(&key_set([&key, &self::key(Algorithm::EdDsa)])).unwrap();
    let nameless = key.signed(&json!({"alg": "ES256"}), &claims()).unwrap();
    assert_eq!(verify(&nameless, "client", &two, &[ISSUER], NOW), None, "which of the two?");
    for text in ["", ".", "..", "a.b.c", &"a.".repeat(3_000)] {
        assert_eq!((verify(text, "client", &keys, &[ISSUER], NOW), claimed_client(text)), (None, None));
    }
}

#[test]
fn only_public_keys_of_a_kind_that_is_accepted_are_registered() {
    let good: Value = serde_json::from_str(&key_set([&key(Algorithm::Es256)])).unwrap();
    let one = &good["keys"][0];
    for (set, expected) in [
        (json!([]), BadKeys::Set),
        (json!({"keys": {}}), BadKeys::Set),
        (json!({"keys": []}), BadKeys::Count),
        (json!({"keys": vec![one; CLIENT_KEYS_MAX + 1]}), BadKeys::Count),
        (json!({"keys": [one, one]}), BadKeys::Repeated),
        (json!({"keys": [with(one.clone(), "d", json!("AA"))]}), BadKeys::Private),
        (json!({"keys": [{"kty": "oct", "k": "AA"}]}), BadKeys::Private),
        (json!({"keys": [with(one.clone(), "use", json!("enc"))]}), BadKeys::Kind),
        (json!({"keys": [with(one.clone(), "crv", json!("P-384"))]}), BadKeys::Kind),
        (json!({"keys": ["x"]}), BadKeys::Kind),
    ] {
        assert_eq!(ClientKeys::read(&set.to_string()).unwrap_err(), expected, "{set}");
    }
    assert_eq!(ClientKeys::read(&" ".repeat(CLIENT_KEY_SET_BYTES_MAX + 1)).unwrap_err(), BadKeys::Set);
    let nameless = json!({"keys": [with(one.clone(), "kid", json!(null))]});
    assert_eq!(&*ClientKeys::read(&nameless.to_string()).unwrap().0[0].kid, one["kid"].as_str().unwrap());
}

proptest! {
    #[test]
    fn never_panics(text in "[a-zA-Z0-9_.-]{0,80}", set in "[a-z0-9\\[\\]{}\":,]{0,60}") {
        let keys = ClientKeys::read(&key_set([&key(Algorithm::EdDsa)])).unwrap();
        let _ = verify(&text, "client", &keys, &[ISSUER], NOW);
        let _ = ClientKeys::read(&set);
    }
}
