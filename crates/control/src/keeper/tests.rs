//! Whose keys are due: by age, by failure, by wish; and never twice at once.

use tidegate_model::issuer::{Algorithm, ClaimNames, FetchedKeys, Trust};
use uuid::Uuid;

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn held(number: u128, change: impl FnOnce(&mut Held)) -> Held {
    let mut held = Held {
        manager: KeyManager {
            id: KeyManagerId(Uuid::from_u128(number)),
            name: format!("Issuer {number}"),
            trust: Trust {
                issuer: format!("https://{number}.example"),
                keys: KeySource::Jwks(format!("https://{number}.example/jwks")),
                audiences: vec!["tidegate".to_owned()],
                claims: ClaimNames::default(),
                algorithms: Algorithm::ALL.to_vec(),
                requires_at_jwt: false,
                introspection: None,
                enabled: true,
            },
            created_at: NOW,
            updated_at: NOW,
            etag: 1,
        },
        fetched: Some(FetchedKeys { jwks: "keys".to_owned(), at: NOW }),
    };
    change(&mut held);
    held
}

fn tried(keeper: &Keeper, number: u128, failed: Option<NoKeys>) {
    let attempt = Attempt { at: NOW, failed };
    keeper.state().attempts.insert(KeyManagerId(Uuid::from_u128(number)), attempt);
}

#[track_caller]
fn is_due(keeper: &Keeper, held: Held, after_millis: i64, expected: bool) {
    let due = keeper.due(vec![held], NOW.plus_millis(after_millis));
    assert_eq!(due.len() == 1, expected, "after {after_millis} ms");
}

#[test]
fn keys_are_due_by_age_and_after_a_failure_and_when_nobody_asked_yet() {
    let keeper = Keeper::default();
    is_due(&keeper, held(1, |_| {}), 0, true);
    tried(&keeper, 1, None);
    is_due(&keeper, held(1, |_| {}), FRESH_MILLIS - 1, false);
    is_due(&keeper, held(1, |_| {}), FRESH_MILLIS, true);
    // They were of another address, and are gone.
    is_due(&keeper, held(1, |held| held.fetched = None), 1, true);
    tried(&keeper, 1, Some(NoKeys::NotStored));
    is_due(&keeper, held(1, |_| {}), RETRY_MILLIS - 1, false);
    is_due(&keeper, held(1, |_| {}), RETRY_MILLIS, true);
}

#[test]
fn what_has_no_address_is_switched_off_or_under_way_is_never_due() {
    let keeper = Keeper::default();
    is_due(&keeper, held(1, |held| held.manager.trust.keys = KeySource::Inline(String::new())), 0, false);
    is_due(&keeper, held(1, |held| held.manager.trust.enabled = false), 0, false);
    keeper.state().under_way.insert(KeyManagerId(Uuid::from_u128(1)));
    is_due(&keeper, held(1, |_| {}), 0, false);
}

#[test]
fn a_wish_is_heard_but_not_more_often_than_its_time() {
    let keeper = Keeper::default();
    let id = KeyManagerId(Uuid::from_u128(1));
    tried(&keeper, 1, None);
    is_due(&keeper, held(1, |_| {}), 1, false);
    keeper.wish(id);
    is_due(&keeper, held(1, |_| {}), 1, true);
    is_due(&keeper, held(1, |_| {}), 1, false);
    keeper.wish(id);
    is_due(&keeper, held(1, |_| {}), WISH_EVERY_MILLIS, false);
    // It was too early, and is not forgotten.
    is_due(&keeper, held(1, |_| {}), WISH_EVERY_MILLIS + 1, true);
}

#[test]
fn what_is_known_of_a_key_manager_goes_with_it() {
    let keeper = Keeper::default();
    tried(&keeper, 1, None);
    assert!(keeper.attempt(KeyManagerId(Uuid::from_u128(1))).is_some());
    keeper.due(Vec::new(), NOW);
    assert!(keeper.attempt(KeyManagerId(Uuid::from_u128(1))).is_none());
}
