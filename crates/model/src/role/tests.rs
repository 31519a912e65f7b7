//! The table of permissions, as a promise.

use std::collections::BTreeSet;

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
        let roles: Roles = roles.iter().copied().collect();
        assert_eq!(roles.permissions().into_iter().collect::<Vec<_>>(), expected, "{roles:?}");
    }
}

#[test]
fn an_admin_holds_every_permission_and_each_is_held_by_whom_the_table_says() {
    for permission in Roles::from([Role::Admin]).permissions() {
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

#[test]
fn a_name_is_small_letters_digits_and_a_few_signs_and_begins_with_a_letter() {
    for good in ["a", "admin", "team-7", "a.b_c", &"x".repeat(NAME_CHARS_MAX)] {
        assert_eq!(RoleName::parse(good).map(|name| name.to_string()).as_deref(), Some(good));
    }
    for bad in ["", "Admin", "7up", "-a", "a b", "a\"", "a%", "rôle", "a\n", &"x".repeat(NAME_CHARS_MAX + 1)]
    {
        assert_eq!(RoleName::parse(bad), None, "{bad:?}");
    }
}

#[test]
fn an_own_role_is_what_it_means_and_its_name() {
    let name = |text| RoleName::parse(text).unwrap();
    let own = [OwnRole {
        name: name("partner"),
        description: String::new(),
        means: [Role::Publisher, Role::Observer].into(),
        etag: 1,
    }];
    let held = Roles::of([name("partner"), name("gone")].into(), &own);
    assert_eq!(held.permissions(), [Permission::ApiView, Permission::ApiPublish].into());
    assert!(held.contains(Role::Observer) && !held.contains(Role::Admin));
    // By what was given, and by what that means.
    for (asked, is_held) in [("partner", true), ("gone", true), ("publisher", true), ("creator", false)] {
        assert_eq!(held.has_one_of(&[name(asked)].into()), is_held, "{asked}");
    }
    assert!(!held.has_one_of(&BTreeSet::new()));
    // The name of a role that ships means that role, whatever else is told of it.
    let liar = OwnRole { name: name("observer"), means: [Role::Creator].into(), ..own[0].clone() };
    assert_eq!(Roles::of([name("observer")].into(), &[liar]), Roles::from([Role::Observer]));
    assert_eq!(serde_json::to_string(&held).unwrap(), r#"["gone","partner"]"#);
}
