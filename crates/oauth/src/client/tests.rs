//! Who is there, and how it is said.

use proptest::prelude::*;

use super::*;
use crate::{secret::Kind, testing::counting};

fn basic(user_and_password: &str) -> String {
    format!("Basic {}", STANDARD.encode(user_and_password))
}

#[test]
fn basic_is_decoded_as_the_rfc_says() {
    for (value, id, secret) in [
        (format!("bAsIc {}", STANDARD.encode("a%20b:s%3A%2Bc")), "a b", "s:+c"),
        (basic("a+b:c:d"), "a b", "c:d"),
        (basic("a&b=c:d&e"), "a&b=c", "d&e"),
        // RFC 6749, section 2.3.1.
        (
            "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3".to_owned(),
            "s6BhdRkqt3",
            "7Fjfp0ZBr1KtDRbnfVdmIw",
        ),
    ] {
        let presented = from_basic(&value).unwrap();
        assert_eq!(presented.client_id, id);
        assert!(presented.proof == Proof::Secret(secret.to_owned(), Method::Basic));
        assert!(!format!("{presented:?}").contains(secret));
    }
}

#[test]
fn the_longest_credentials_fit_however_they_are_escaped() {
    let longest = "%41".repeat(CREDENTIAL_BYTES_MAX);
    assert!(from_basic(&basic(&format!("{longest}:{longest}"))).is_some());
    assert!(from_basic(&basic(&format!("{longest}%41:s"))).is_none());
}

#[test]
fn what_is_not_basic_is_not_guessed_at() {
    let long = basic(&format!("id:{}", "s".repeat(CREDENTIAL_BYTES_MAX + 1)));
    for bad in [
        "",
        "Basic",
        "Basic ",
        "Bearer abc",
        "Basic !!!",
        "Basic aWQ6c2VjcmV0=",
        "Basic aWQ6c2Vj cmV0",
        &long,
        &basic("no colon"),
        &basic(":secret"),
        &basic("id:"),
        &basic("id:%zz"),
        &basic("id:%0a"),
        &basic("id:é"),
        &format!("Basic {}", STANDARD.encode(b"id:\xff")),
        &"Basic ".repeat(1_000),
    ] {
        assert!(from_basic(bad).is_none(), "{bad:.40}");
    }
}

#[test]
fn a_client_proves_itself_with_its_own_secret_only() {
    let client_secret = secret::generate(Kind::ClientSecret, &mut counting());
    let client_id = new_client_id(&mut counting());
    assert!(is_credential(&client_id) && is_credential(&client_secret));
    let stored = secret::hash(&client_secret);
    let presented = from_basic(&basic(&format!("{client_id}:{client_secret}"))).unwrap();
    assert_eq!(presented.client_id, client_id);
    assert!(presented.proves(Some(&stored)));
    assert!(
        !presented.proves(None) && !presented.proves(Some("")) && !presented.proves(Some(&client_secret))
    );
    let silent = Presented { client_id, proof: Proof::None };
    for stored in [None, Some(""), Some(&*stored), Some(&*secret::hash(""))] {
        assert!(!silent.proves(stored), "no secret proves nothing");
    }
}

#[test]
fn client_identifiers_differ_and_need_no_escaping() {
    let mut random = counting();
    let (one, other) = (new_client_id(&mut random), new_client_id(&mut random));
    assert_ne!(one, other);
    assert!(one.len() == 24 && one.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
}

proptest! {
    #[test]
    fn never_panics(value: String, inner: Vec<u8>) {
        let _ = from_basic(&value);
        let _ = from_basic(&format!("Basic {}", STANDARD.encode(inner)));
    }
}
