//! The lives of keys on a line of time.

use super::*;
use crate::{role::Role, user::Secret};

const DAY: i64 = LONGEST_TOKEN_SECONDS * 1_000;

fn key(kid: &str, signs_from: i64) -> SigningKeyRecord {
    SigningKeyRecord {
        purpose: KeyPurpose::AccessTokens,
        kid: kid.to_owned(),
        algorithm: "ES256".to_owned(),
        private_key: Secret(String::new()),
        created_at: Timestamp(0),
        signs_from: Timestamp(signs_from),
    }
}

fn state(kid: &str, keys: &[SigningKeyRecord], now: i64) -> &'static str {
    let key = keys.iter().find(|key| key.kid == kid).unwrap();
    standing(key, keys, Timestamp(now)).state.as_str()
}

#[test]
fn a_key_is_next_then_current_then_retired_then_over() {
    let keys = [key("b", 2_000), key("a", 1_000)];
    for (now, a, b) in [
        (999, "next", "next"),
        (1_000, "current", "next"),
        (1_999, "current", "next"),
        (2_000, "retired", "current"),
        (2_000 + DAY, "retired", "current"),
    ] {
        assert_eq!((state("a", &keys, now), state("b", &keys, now)), (a, b), "{now}");
    }
    let first = standing(&keys[1], &keys, Timestamp(2_000));
    assert_eq!(
        (first.signs_until, first.verifies_until),
        (Some(Timestamp(2_000)), Some(Timestamp(2_000 + DAY)))
    );
    assert!(!first.is_over(Timestamp(1_999 + DAY)) && first.is_over(Timestamp(2_000 + DAY)));
    let last = standing(&keys[0], &keys, Timestamp(i64::MAX));
    assert_eq!(
        (last.state, last.signs_until, last.is_over(Timestamp(i64::MAX))),
        (KeyState::Current, None, false)
    );
}

#[test]
fn exactly_one_key_signs_at_any_time() {
    let keys = [key("a", 5), key("b", 5), key("c", 7), key("d", 7)];
    for (now, expected) in [(0, "a"), (5, "b"), (6, "b"), (7, "d"), (8, "d")] {
        assert_eq!(current(&keys, Timestamp(now)).unwrap().kid, expected, "{now}");
        let signing = keys.iter().filter(|key| state(&key.kid, &keys, now) == "current").count();
        assert_eq!(signing, usize::from(now >= 5), "{now}");
    }
    assert_eq!(current(&[], Timestamp(0)), None);
}

#[test]
fn a_rotation_waits_for_the_one_before_it() {
    let keys = [key("a", 0), key("b", 100)];
    let product = Actor::product();
    assert!(matches!(rotate(&key("c", 50), &keys, &product, Timestamp(99)), Err(Refused::Conflict { .. })));
    assert_eq!(rotate(&key("c", 150), &keys, &product, Timestamp(100)), Ok(()));
    let backends = SigningKeyRecord { purpose: KeyPurpose::BackendTokens, ..key("z", 100) };
    let mut many: Vec<_> = (0..16).map(|number| key(&format!("k{number}"), number)).collect();
    assert!(matches!(rotate(&key("c", 150), &many, &product, Timestamp(100)), Err(Refused::Conflict { .. })));
    many.pop();
    assert_eq!(rotate(&key("c", 150), &many, &product, Timestamp(100)), Ok(()));
    assert_eq!(rotate(&key("c", 150), &[key("a", 0), backends], &product, Timestamp(50)), Ok(()));
}

#[test]
fn the_key_that_signs_is_removed_only_for_another() {
    let keys = [key("old", 0), key("now", 10), key("next", 100)];
    let (product, at) = (Actor::product(), Timestamp(50));
    for (kid, successor, expected) in [
        ("old", None, Ok(false)),
        ("next", None, Ok(false)),
        ("old", Some(key("new", 50)), Ok(false)),
        ("now", Some(key("new", 50)), Ok(true)),
        ("nobody", Some(key("new", 50)), Err(Refused::NotFound("signing key"))),
    ] {
        assert_eq!(remove(kid, successor.as_ref(), &keys, &product, at), expected, "{kid}");
    }
    assert!(matches!(remove("now", None, &keys, &product, at), Err(Refused::Conflict { .. })));
    let backends = SigningKeyRecord { purpose: KeyPurpose::BackendTokens, ..key("z", 0) };
    assert_eq!(remove("z", None, &[backends], &product, at), Err(Refused::NotFound("signing key")));
}

#[test]
fn keys_are_the_administrators() {
    let keys = [key("a", 0)];
    for role in [Role::Creator, Role::Publisher, Role::Subscriber, Role::Observer] {
        let actor = Actor { roles: [role].into(), ..Actor::product() };
        let forbidden = Refused::Forbidden(Permission::Administer);
        assert_eq!(rotate(&key("b", 1), &keys, &actor, Timestamp(0)), Err(forbidden.clone()));
        assert_eq!(remove("a", Some(&key("b", 1)), &keys, &actor, Timestamp(0)), Err(forbidden));
    }
}
