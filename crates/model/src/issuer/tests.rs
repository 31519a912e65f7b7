//! Whose tokens an API accepts, and what is held of an issuer.

use uuid::Uuid;

use super::*;

fn manager(keys: KeySource) -> KeyManager {
    KeyManager {
        id: KeyManagerId(Uuid::from_u128(1)),
        name: "Issuer".to_owned(),
        trust: Trust {
            issuer: "https://issuer.example".to_owned(),
            keys,
            audiences: vec!["tidegate".to_owned()],
            claims: ClaimNames::default(),
            algorithms: Algorithm::ALL.to_vec(),
            requires_at_jwt: false,
            introspection: None,
            enabled: true,
        },
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
        etag: 1,
    }
}

#[test]
fn an_api_accepts_all_or_those_that_it_names() {
    let named =
        |names: &[&str]| AcceptedIssuers::named(names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(named(&[ALL]), AcceptedIssuers::default());
    assert!(named(&[ALL]).accepts(RESIDENT) && named(&[ALL]).accepts("Issuer"));
    assert!(named(&["Issuer"]).accepts("Issuer"));
    assert!(!named(&["Issuer"]).accepts("issuer") && !named(&["Issuer"]).accepts(RESIDENT));
    assert!(!named(&[]).accepts(RESIDENT));
    for names in [&[ALL][..], &[], &["a", "b"]] {
        assert_eq!(named(names).names(), names);
    }
}

#[test]
fn a_design_from_before_accepts_all() {
    let read: AcceptedIssuers = serde_json::from_str("null").unwrap();
    assert_eq!(read, AcceptedIssuers::default());
}

#[test]
fn keys_are_those_given_or_those_fetched_and_none_before() {
    let fetched = || Some(FetchedKeys { jwks: "fetched".to_owned(), at: Timestamp(2) });
    let by_url = || manager(KeySource::Jwks("https://issuer.example/jwks".to_owned()));
    assert_eq!(Held { manager: by_url(), fetched: fetched() }.key_set(), "fetched");
    assert_eq!(Held { manager: by_url(), fetched: None }.key_set(), r#"{"keys":[]}"#);
    let inline = manager(KeySource::Inline("given".to_owned()));
    assert_eq!(Held { manager: inline, fetched: fetched() }.key_set(), "given");
}

#[test]
fn no_algorithm_is_none_or_signs_with_a_shared_secret() {
    for name in ["none", "None", "HS256", "HS512", "es256", ""] {
        assert_eq!(Algorithm::parse(name), None, "{name}");
    }
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::parse(algorithm.as_str()), Some(algorithm));
        assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
    }
}
