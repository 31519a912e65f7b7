//! Nobody takes the last administrator away, and nobody is left with somebody else's applications by accident.

use uuid::Uuid;

use super::*;
use crate::{
    id::{ApplicationId, UserId},
    role::Role,
    time::Timestamp,
};

fn user(number: u128, roles: &[Role]) -> User {
    let roles = roles.iter().copied().collect();
    User::new(UserId(Uuid::from_u128(number)), format!("user{number}"), roles, Timestamp(0))
}

fn change(user: &User, roles: &[Role], state: UserState) -> ChangeUser {
    ChangeUser {
        id: user.id,
        based_on: None,
        roles: roles.iter().map(|role| RoleName::from(*role)).collect(),
        state,
        subject: crate::revocation::Mark::from([7; 8]),
    }
}

fn application(name: &str) -> Application {
    Application {
        id: ApplicationId(Uuid::nil()),
        name: name.to_owned(),
        description: String::new(),
        policy: "Unlimited".to_owned(),
        owner: None,
        owner_name: String::new(),
        demo: false,
        registered_by: None,
        created_at: Timestamp(0),
        etag: 1,
    }
}

#[test]
fn the_last_administrator_stays_one() {
    let (last, boss) = (user(1, &[Role::Admin]), Actor::product());
    for command in [
        change(&last, &[], UserState::Active),
        change(&last, &[Role::Creator], UserState::Active),
        change(&last, &[Role::Admin], UserState::Disabled),
    ] {
        assert!(
            matches!(change_user(&last, &command, &[], &boss, 1), Err(Refused::Conflict { .. })),
            "{command:?}"
        );
        assert!(change_user(&last, &command, &[], &boss, 2).is_ok(), "{command:?}");
    }
    assert!(
        change_user(&last, &change(&last, &[Role::Admin, Role::Creator], UserState::Active), &[], &boss, 1)
            .is_ok()
    );
    assert!(matches!(delete_user(&last, None, &boss, 1, &[], None), Err(Refused::Conflict { .. })));
    assert!(delete_user(&last, None, &boss, 2, &[], None).is_ok());
    // One who is disabled administers nothing, and so is not the last.
    let off = User { state: UserState::Disabled, ..user(2, &[Role::Admin]) };
    assert!(delete_user(&off, None, &boss, 1, &[], None).is_ok());
}

#[test]
fn only_an_administrator_changes_users_and_not_away_from_under_himself() {
    let (one, other) = (user(1, &[Role::Admin]), user(2, &[Role::Admin]));
    let own = Actor::person(&one);
    assert!(change_user(&one, &change(&one, &[Role::Admin], UserState::Disabled), &[], &own, 2).is_err());
    assert!(delete_user(&one, None, &own, 2, &[], None).is_err());
    assert!(change_user(&other, &change(&other, &[], UserState::Disabled), &[], &own, 2).is_ok());
    for role in [Role::Creator, Role::Publisher, Role::Subscriber, Role::Observer] {
        let actor = Actor::person(&user(3, &[role]));
        let forbidden = Err(Refused::Forbidden(Permission::Administer));
        let refused = change_user(&other, &change(&other, &[], UserState::Active), &[], &actor, 2).map(drop);
        assert_eq!(refused, forbidden, "{role:?}");
        assert_eq!(delete_user(&other, None, &actor, 2, &[], None), forbidden, "{role:?}");
        assert_eq!(create_user(&other, &actor, &[]), forbidden, "{role:?}");
    }
}

#[test]
fn applications_go_to_an_heir_who_has_none_of_their_names() {
    let (gone, boss) = (user(1, &[Role::Subscriber]), Actor::product());
    let heir = user(2, &[Role::Subscriber]);
    let owned = [application("Shop"), application("Till")];
    let refused = delete_user(&gone, None, &boss, 1, &owned, None).unwrap_err();
    assert!(matches!(refused, Refused::Conflict { detail, .. } if detail.contains("2 applications")));
    assert!(delete_user(&gone, None, &boss, 1, &owned, Some((&heir, &[]))).is_ok());
    let theirs = [application("SHOP")];
    let refused = delete_user(&gone, None, &boss, 1, &owned, Some((&heir, &theirs))).unwrap_err();
    assert!(matches!(refused, Refused::Conflict { detail, .. } if detail.contains("“Shop”")));
    let refused = delete_user(&gone, None, &boss, 1, &owned, Some((&gone, &owned))).unwrap_err();
    assert!(matches!(refused, Refused::Invalid(_)));
}

#[test]
fn what_changed_is_told_in_words() {
    let before = user(1, &[Role::Creator, Role::Observer]);
    let command = change(&before, &[Role::Creator, Role::Publisher], UserState::Disabled);
    let (after, told) = change_user(&before, &command, &[], &Actor::product(), 1).unwrap();
    assert_eq!(told, "user1: Given: publisher. Taken: observer. From active to disabled.");
    assert_eq!((after.etag, after.state), (2, UserState::Disabled));
    let stale = ChangeUser { based_on: Some(2), ..command };
    assert_eq!(change_user(&before, &stale, &[], &Actor::product(), 1), Err(Refused::Stale { current: 1 }));
}
