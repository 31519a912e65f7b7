//! The table of permissions, as a promise.

use super::*;

#[test]
fn a_creator_alone_does_not_publish_and_a_publisher_alone_does_not_create() {
    use Permission::{Administer, ApiCreate, ApiPublish, ApiView, AppManage};
    for (roles, expected) in [
        (&[][..], &[][..]),
        (&[Role::Creator], &[ApiView, ApiCreate]),
        (&[Role::Publisher], &[ApiView, ApiPublish]),
        (&[Role::Creator, Role::Publisher], &[ApiView, ApiCreate, ApiPublish]),
        (&[Role::Subscriber], &[AppManage]),
        (&[Role::Observer], &[ApiView]),
        (&[Role::Observer, Role::Subscriber], &[ApiView, AppManage]),
        (&[Role::Admin], &[ApiView, ApiCreate, ApiPublish, AppManage, Administer]),
    ] {
        let roles: BTreeSet<_> = roles.iter().copied().collect();
        assert_eq!(permissions(&roles).into_iter().collect::<Vec<_>>(), expected, "{roles:?}");
    }
}

#[test]
fn an_admin_holds_every_permission_and_each_is_held_by_whom_the_table_says() {
    for permission in permissions(&BTreeSet::from([Role::Admin])) {
        let holders: Vec<_> = permission.held_by().collect();
        assert_eq!(holders[0], Role::Admin);
        for role in ROLES {
            assert_eq!(holders.contains(&role), role.permissions().contains(&permission), "{role:?}");
        }
    }
}

#[test]
fn every_role_is_read_back_as_written() {
    for role in ROLES {
        assert_eq!(role.as_str().parse(), Ok(role));
        assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{}\"", role.as_str()));
    }
    assert_eq!("Admin".parse::<Role>(), Err(UnknownRole));
}
