//! Who makes registration tokens, what they may be, and how applications of clients are called.

use super::*;
use crate::{
    endpoint::Environment,
    id::{RegistrationTokenId, UserId},
    role::Role,
    user::Secret,
};

fn person(role: Role) -> User {
    User::new(UserId::new(Timestamp(0), [1; 10]), "ada".to_owned(), [role].into(), Timestamp(0))
}

fn token() -> RegistrationToken {
    RegistrationToken {
        id: RegistrationTokenId::new(Timestamp(0), [2; 10]),
        name: "Fleet".to_owned(),
        prefix: String::new(),
        hash: Secret::default(),
        owner: UserId::new(Timestamp(0), [1; 10]),
        environment: Environment::Production,
        uses_max: 1,
        used: 0,
        last_used_at: None,
        expires_at: Timestamp(1),
        created_at: Timestamp(0),
        created_by: String::new(),
    }
}

#[test]
fn administrators_make_tokens_for_who_may_have_applications() {
    let (admin, owner) = (Actor::person(&person(Role::Admin)), person(Role::Subscriber));
    let create = |token: &RegistrationToken, owner: &User, actor: &Actor, count| {
        create_token(token, owner, actor, Timestamp(0), count)
    };
    assert_eq!(create(&token(), &owner, &admin, 0), Ok(()));
    for role in [Role::Creator, Role::Publisher, Role::Subscriber, Role::Observer] {
        let refused = create(&token(), &owner, &Actor::person(&person(role)), 0);
        assert_eq!(refused, Err(Refused::Forbidden(Permission::Administer)));
    }
    let full = create(&token(), &owner, &admin, REGISTRATION_TOKENS_MAX as u64);
    assert!(matches!(full, Err(Refused::Conflict { .. })));
    for (wrong, owner, pointer) in [
        (RegistrationToken { name: " ".to_owned(), ..token() }, Role::Subscriber, "/name"),
        (RegistrationToken { uses_max: 0, ..token() }, Role::Subscriber, "/uses_max"),
        (RegistrationToken { uses_max: USES_MAX + 1, ..token() }, Role::Subscriber, "/uses_max"),
        (RegistrationToken { expires_at: Timestamp(0), ..token() }, Role::Subscriber, "/expires_in_days"),
        (
            RegistrationToken { expires_at: Timestamp(LIFETIME_MILLIS_MAX + 1), ..token() },
            Role::Subscriber,
            "/expires_in_days",
        ),
        (token(), Role::Creator, "/owner"),
    ] {
        let Err(Refused::Invalid(problems)) = create(&wrong, &person(owner), &admin, 0) else {
            panic!("{wrong:?}")
        };
        assert_eq!(problems[0].pointer, pointer);
    }
}

#[test]
fn each_use_counts_until_none_is_left() {
    let owner = person(Role::Subscriber);
    let after = used(&token(), &owner, Timestamp(0)).unwrap();
    assert_eq!((after.used, after.last_used_at), (1, Some(Timestamp(0))));
    let gone = Err(Refused::NotFound("registration token"));
    assert_eq!(used(&after, &owner, Timestamp(0)), gone);
    assert_eq!(used(&token(), &owner, Timestamp(1)), gone);
    assert_eq!(used(&token(), &person(Role::Observer), Timestamp(0)), gone);
}

#[test]
fn copies_of_a_program_are_told_apart() {
    let taken = [folded("Sensor"), folded(&"x".repeat(APPLICATION_NAME_CHARS_MAX))];
    assert_eq!(name(Some("Meter"), "abcdefgh", &taken), "Meter");
    assert_eq!(name(Some("SENSOR"), "abcdefgh", &taken), "SENSOR (abcdef)");
    assert_eq!(name(None, "abcdefgh", &taken), "Client abcdefgh");
    let long = name(Some(&"x".repeat(APPLICATION_NAME_CHARS_MAX)), "abcdefgh", &taken);
    assert_eq!(long.chars().count(), APPLICATION_NAME_CHARS_MAX);
    assert!(long.ends_with("x (abcdef)"));
}
