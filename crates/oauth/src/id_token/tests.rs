//! ID tokens are read back as hints, and as nothing else.

use super::*;
use crate::{
    jwk::{Algorithm, SystemRandom, key_set},
    token::{AccessTokenVerifier, BadToken, Grant},
};

const ISSUER: &str = "https://localhost:9443";
const NOW: i64 = 1_800_000_000;

fn person() -> Person<'static> {
    Person {
        issuer: ISSUER,
        subject: "person",
        client_id: "client",
        auth_time: NOW - 5,
        nonce: Some("n"),
        username: None,
        now: NOW,
    }
}

fn claims(token: &str) -> serde_json::Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[test]
fn it_says_who_for_whom_and_with_which_access_token() {
    let key = SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap();
    // The example of OpenID Connect Core, appendix A.4, whose at_hash is known.
    let access = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    let found = claims(&issue(&key, &person(), access).unwrap());
    let expected = serde_json::json!({
        "iss": ISSUER, "sub": "person", "aud": "client", "azp": "client", "exp": NOW + ID_TOKEN_SECONDS, "iat": NOW,
        "auth_time": NOW - 5, "nonce": "n", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
    });
    assert_eq!(found, expected);
    for (algorithm, bytes) in [(Algorithm::Rs256, 16), (Algorithm::EdDsa, 32)] {
        let key = SigningKey::generate(algorithm, &SystemRandom::new()).unwrap();
        let found = claims(&issue(&key, &person(), access).unwrap());
        let half = URL_SAFE_NO_PAD.decode(found["at_hash"].as_str().unwrap()).unwrap();
        assert_eq!(half.len(), bytes, "{algorithm:?}");
    }
    let quiet = Person { nonce: None, username: Some("ada"), ..person() };
    let found = claims(&issue(&key, &quiet, access).unwrap());
    assert_eq!((found.get("nonce"), found["preferred_username"].as_str()), (None, Some("ada")));
}

#[test]
fn it_opens_no_gateway() {
    let key = SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap();
    let set = key_set([&key]);
    let token = issue(&key, &person(), "x").unwrap();
    let verifier = AccessTokenVerifier::new(ISSUER, "client", &set).unwrap();
    assert_eq!(verifier.verify(&token, NOW), Err(BadToken::WrongType));
}

#[test]
fn a_hint_is_a_token_of_ours_of_any_age() {
    let [ours, theirs] =
        [0, 1].map(|_| SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap());
    let hints = Hints::new(ISSUER, &key_set([&ours])).unwrap();
    let token = issue(&ours, &Person { now: 5, ..person() }, "x").unwrap();
    let expected = Hint { subject: "person".to_owned(), client_id: "client".to_owned() };
    assert_eq!(hints.read(&token), Some(expected));
    let grant = Grant {
        issuer: ISSUER,
        audience: "a",
        client_id: "client",
        subject: "person",
        now: NOW,
        lifetime: 60,
        ..Grant::default()
    };
    let access = crate::token::issue(&ours, &grant, &mut |bytes: &mut [u8]| bytes.fill(5)).unwrap();
    let changed = token.replacen('.', ".e", 1);
    for wrong in [
        issue(&theirs, &person(), "x").unwrap(),
        issue(&ours, &Person { issuer: "https://other", ..person() }, "x").unwrap(),
        access,
        changed,
        "a.b.c".to_owned(),
        String::new(),
        "x".repeat(TOKEN_BYTES_MAX + 1),
    ] {
        assert_eq!(hints.read(&wrong), None, "{wrong}");
    }
}
