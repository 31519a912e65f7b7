//! What a registration token is worth.

use super::*;
use crate::role::Role;

fn person(roles: &[Role], state: UserState) -> User {
    let id = UserId::new(Timestamp(0), [1; 10]);
    let user = User::new(id, "ada".to_owned(), roles.iter().copied().collect(), Timestamp(0));
    User { state, ..user }
}

#[test]
fn a_token_is_good_until_its_end_its_last_use_or_its_owner() {
    let owner = person(&[Role::Subscriber], UserState::Active);
    let token = RegistrationToken {
        id: RegistrationTokenId::new(Timestamp(0), [2; 10]),
        name: "Fleet".to_owned(),
        prefix: "tgi_123456".to_owned(),
        hash: Secret("hash".to_owned()),
        owner: owner.id,
        environment: Environment::Production,
        uses_max: 2,
        used: 1,
        last_used_at: None,
        expires_at: Timestamp(1_000),
        created_at: Timestamp(0),
        created_by: "admin".to_owned(),
    };
    assert_eq!(token.state(&owner, Timestamp(999)), TokenState::Active);
    assert_eq!(token.state(&owner, Timestamp(1_000)), TokenState::Expired);
    let used = RegistrationToken { used: 2, ..token.clone() };
    assert_eq!(used.state(&owner, Timestamp(0)), TokenState::UsedUp);
    for (roles, state) in [
        (&[Role::Subscriber][..], UserState::Disabled),
        (&[Role::Creator, Role::Observer], UserState::Active),
        (&[], UserState::Active),
    ] {
        assert_eq!(token.state(&person(roles, state), Timestamp(0)), TokenState::OwnerMayNot, "{roles:?}");
    }
    assert!(token.redacted().hash.0.is_empty());
}
