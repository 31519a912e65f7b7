//! Secrets stay hidden, and ownership is what it says.

use uuid::Uuid;

use super::*;

fn person(number: u128, roles: &[Role]) -> Actor {
    let roles = roles.iter().copied().collect();
    Actor::person(&User::new(UserId(Uuid::from_u128(number)), "sam".to_owned(), roles, Timestamp(0)))
}

#[test]
fn nothing_that_holds_a_secret_shows_it() {
    let secret = || Secret("hunter2".to_owned());
    let session = PortalSession {
        id: PortalSessionId(Uuid::nil()),
        token_hash: secret(),
        user: UserId(Uuid::nil()),
        csrf_token: secret(),
        created_at: Timestamp(0),
        expires_at: Timestamp(1),
        seen_at: Timestamp(0),
        address: None,
        browser: String::new(),
    };
    for shown in [format!("{:?}", secret()), format!("{:#?}", secret()), format!("{session:?}")] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn one_owns_what_is_ones_own_and_an_admin_owns_everything() {
    let (one, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
    for (actor, owns_one, owns_other) in [
        (person(1, &[Role::Subscriber]), true, false),
        (person(2, &[Role::Subscriber, Role::Creator, Role::Publisher]), false, true),
        (person(1, &[]), true, false),
        (person(3, &[Role::Admin]), true, true),
        (Actor::product(), true, true),
    ] {
        assert_eq!((actor.owns(one), actor.owns(other)), (owns_one, owns_other), "{actor:?}");
    }
}
