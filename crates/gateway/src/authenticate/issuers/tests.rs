//! Wishes at a bounded rate, and memories that stay while nothing of their key manager changes.

use tidegate_model::issuer::{ClaimNames, KeySource, Trust};

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn facts(number: u8) -> KeyManagerFacts {
    KeyManagerFacts {
        id: id(number),
        name: format!("Issuer {number}"),
        trust: Trust {
            issuer: format!("https://{number}.example"),
            keys: KeySource::Jwks("https://issuer.example/jwks".to_owned()),
            audiences: vec!["tidegate".to_owned()],
            claims: ClaimNames::default(),
            algorithms: Algorithm::ALL.to_vec(),
            requires_at_jwt: false,
            introspection: None,
            enabled: true,
        },
        jwks: r#"{"keys":[]}"#.to_owned(),
    }
}

fn id(number: u8) -> KeyManagerId {
    KeyManagerId::new(NOW, [number; 10])
}

#[test]
fn a_verifier_stays_while_nothing_of_its_key_manager_changes() {
    let first = Issuers::of(&[facts(1), facts(2)], &KeptClaims::default(), None);
    let changed = KeyManagerFacts { jwks: "{}".to_owned(), ..facts(2) };
    let second = Issuers::of(&[facts(1), changed, facts(3)], &KeptClaims::default(), Some(&first));
    let of = |issuers: &Issuers, number: u8| Arc::clone(&issuers.0[&format!("https://{number}.example")]);
    assert!(second.has(&of(&first, 1)));
    assert!(!second.has(&of(&first, 2)));
    let third = Issuers::of(&[facts(2)], &KeptClaims::default(), Some(&second));
    assert!(!third.has(&of(&second, 1)) && !third.has(&of(&second, 2)));
}

#[tokio::test]
async fn wishes_come_once_in_their_time_and_none_is_lost() {
    let wishes = Wishes::default();
    let at = |millis| NOW.plus_millis(millis);
    assert!(wishes.wish(id(1), at(0)));
    assert!(wishes.wish(id(1), at(2_999)), "the keys may come yet");
    assert!(!wishes.wish(id(1), at(3_000)), "they did not");
    assert!(wishes.wish(id(2), at(3_000)), "another issuer is another wish");
    assert!(!wishes.wish(id(1), at(9_999)));
    assert_eq!(wishes.next().await, [id(1), id(2)]);
    assert!(wishes.wish(id(1), at(10_000)));
    assert_eq!(wishes.next().await, [id(1)]);
}

#[test]
fn those_that_wait_have_a_bound() {
    let wishes = Wishes::default();
    let places: Vec<_> = (0..WAITING_MAX).map(|_| wishes.waiting().unwrap()).collect();
    assert!(wishes.waiting().is_none());
    drop(places);
    assert!(wishes.waiting().is_some());
}
