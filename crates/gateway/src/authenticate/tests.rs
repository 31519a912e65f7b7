//! Tokens remembered and forgotten.

use tidegate_oauth::{
    jwk::{Algorithm, SigningKey, SystemRandom, key_set},
    token::{Grant, issue},
};

use super::*;

const ISSUER: &str = "https://localhost:9443";
const AUDIENCE: &str = "https://localhost:9443/gateway";
const NOW: Timestamp = Timestamp(1_800_000_000_000);
const LIFETIME_SECONDS: i64 = 60;

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap()
}

fn facts(key: &SigningKey) -> IssuerFacts {
    IssuerFacts {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        jwks: key_set([key]),
        keys: vec![key.kid().to_owned()],
    }
}

fn token(key: &SigningKey) -> String {
    let grant = Grant {
        issuer: ISSUER,
        audience: AUDIENCE,
        client_id: "client",
        scope: "",
        now: NOW.seconds(),
        lifetime: LIFETIME_SECONDS,
        ..Grant::default()
    };
    issue(key, &grant, &mut |bytes: &mut [u8]| bytes.fill(5)).unwrap()
}

fn identity(name: &str) -> Arc<Identity> {
    Arc::new(Identity {
        client_id: name.to_owned(),
        key_manager: None,
        subject: name.to_owned(),
        expires_at: NOW,
        ..Identity::default()
    })
}

fn digest_number(number: usize) -> Digest {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    digest
}

#[test]
fn a_verified_token_is_verified_once() {
    let key = key();
    let verifier = Verifier::new(&facts(&key), &KeptClaims::default()).unwrap();
    let token = token(&key);
    let first = verifier.identify(&token, NOW).unwrap();
    assert_eq!((&*first.client_id, &*first.subject), ("client", "client"));
    assert_eq!(first.expires_at, NOW.plus_millis(LIFETIME_SECONDS * 1_000));
    let again = verifier.identify(&token, NOW).unwrap();
    assert!(Arc::ptr_eq(&first, &again), "the second time it comes from memory");
    assert_eq!(verifier.remembered().lengths(), [1, 0]);
}

#[test]
fn a_token_that_was_refused_is_not_remembered() {
    let (ours, theirs) = (key(), key());
    let verifier = Verifier::new(&facts(&ours), &KeptClaims::default()).unwrap();
    let late = NOW.plus_millis(LIFETIME_SECONDS * 1_000);
    assert_eq!(verifier.identify("nonsense", NOW), Err(BadToken::Malformed));
    assert_eq!(verifier.identify(&token(&theirs), NOW), Err(BadToken::UnknownKey));
    assert_eq!(verifier.identify(&token(&ours), late), Err(BadToken::Expired));
    assert_eq!(verifier.remembered().lengths(), [0, 0]);
}

#[test]
fn a_remembered_token_ends_at_the_same_millisecond_as_a_fresh_one() {
    let key = key();
    let token = token(&key);
    let end = NOW.plus_millis(LIFETIME_SECONDS * 1_000);
    for is_remembered in [false, true] {
        let verifier = || {
            let verifier = Verifier::new(&facts(&key), &KeptClaims::default()).unwrap();
            if is_remembered {
                verifier.identify(&token, NOW).unwrap();
            }
            verifier
        };
        assert!(verifier().identify(&token, end.plus_millis(-1)).is_ok(), "remembered: {is_remembered}");
        assert_eq!(verifier().identify(&token, end), Err(BadToken::Expired), "remembered: {is_remembered}");
    }
}

#[test]
fn what_was_verified_is_gone_with_its_keys() {
    let (before, after) = (key(), key());
    let verifier = Verifier::new(&facts(&before), &KeptClaims::default()).unwrap();
    verifier.identify(&token(&before), NOW).unwrap();
    assert!(verifier.is_for(&facts(&before), &KeptClaims::default()));
    assert!(!verifier.is_for(&facts(&after), &KeptClaims::default()));
    assert!(
        !verifier
            .is_for(&IssuerFacts { audience: "other".to_owned(), ..facts(&before) }, &KeptClaims::default())
    );
    assert!(
        !verifier
            .is_for(&IssuerFacts { issuer: "other".to_owned(), ..facts(&before) }, &KeptClaims::default())
    );
    let next = Verifier::new(&facts(&after), &KeptClaims::default()).unwrap();
    assert_eq!(next.identify(&token(&before), NOW), Err(BadToken::UnknownKey));
}

#[test]
fn keys_that_cannot_be_read_make_no_verifier() {
    let bad = IssuerFacts { jwks: "no keys".to_owned(), ..IssuerFacts::default() };
    assert_eq!(Verifier::new(&bad, &KeptClaims::default()).err(), Some(BadKey::Set));
}

#[test]
fn what_is_used_outlives_what_is_not() {
    let mut remembered = Remembered::new(REMEMBERED_MAX);
    let (used, unused) = (digest_number(0), digest_number(1));
    remembered.add(used, identity("used"));
    remembered.add(unused, identity("unused"));
    let mut next = 2;
    // Two generations pass by; one token is asked for in each.
    for _ in 0..2 {
        for _ in 0..REMEMBERED_MAX {
            remembered.add(digest_number(next), identity("other"));
            next += 1;
        }
        assert_eq!(remembered.keep(&used).map(|it| it.client_id.clone()).as_deref(), Some("used"));
    }
    assert_eq!(remembered.keep(&unused), None);
    assert_eq!(remembered.keep(&digest_number(next - 1)).unwrap().client_id, "other");
}

#[test]
fn memory_has_a_bound() {
    let mut remembered = Remembered::new(REMEMBERED_MAX);
    for number in 0..3 * REMEMBERED_MAX {
        remembered.add(digest_number(number), identity("any"));
        // What moves from the old generation to the young one must not raise the bound.
        remembered.keep(&digest_number(number / 2));
    }
    assert!(remembered.lengths().into_iter().all(|length| length <= REMEMBERED_MAX));
}
