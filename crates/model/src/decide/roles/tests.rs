//! Own roles are administrators' to make, mean nothing that makes an administrator, and stay while they are used.

use super::*;

fn role(name: &str, means: &[Role]) -> OwnRole {
    let (name, means) = (RoleName::parse(name).unwrap(), means.iter().copied().collect());
    OwnRole { name, description: String::new(), means, etag: 3 }
}

fn person(role: Role) -> Actor {
    Actor { roles: [role].into(), ..Actor::product() }
}

#[test]
fn only_administrators_make_change_and_delete_roles() {
    let partner = role("partner", &[Role::Observer]);
    for actor in [Role::Creator, Role::Publisher, Role::Subscriber, Role::Observer].map(person) {
        let needs = Refused::Forbidden(Permission::Administer);
        assert_eq!(create(partner.clone(), &actor, &[]), Err(needs.clone()));
        assert_eq!(update(&partner, None, String::new(), BTreeSet::new(), &actor), Err(needs.clone()));
        assert_eq!(delete(&partner, None, &actor, &Usage::default()), Err(needs));
    }
}

/// What an own role means is bounded by what its holder may: not by what somebody else meant.
#[test]
fn whoever_holds_an_own_role_administers_nothing() {
    let admin = Actor::product();
    let refused = create(role("boss", &[Role::Creator, Role::Admin]), &admin, &[]).unwrap_err();
    let Refused::Invalid(problems) = refused else { panic!("{refused:?}") };
    assert_eq!((problems[0].pointer.as_str(), problems[0].code), ("/means", "admin"));
    let was = role("boss", &[]);
    assert!(update(&was, Some(3), String::new(), [Role::Admin].into(), &admin).is_err());
}

#[test]
fn there_are_so_many_and_no_more_and_a_description_is_bounded() {
    let admin = Actor::product();
    let all: Vec<_> = (0..OWN_ROLES_MAX).map(|number| role(&format!("role{number}"), &[])).collect();
    assert!(matches!(create(role("more", &[]), &admin, &all), Err(Refused::Conflict { .. })));
    assert!(create(role("more", &[]), &admin, &all[1..]).is_ok());
    let long = |count| OwnRole { description: "é".repeat(count), ..role("long", &[]) };
    assert!(create(long(DESCRIPTION_CHARS_MAX), &admin, &[]).is_ok());
    assert!(create(long(DESCRIPTION_CHARS_MAX + 1), &admin, &[]).is_err());
}

#[test]
fn who_uses_a_role_is_told_by_count_and_name() {
    let apis = (0..7).map(|number| format!("Api {number}")).collect();
    let (providers, plans) = (vec!["Okta".to_owned()], vec!["Gold".to_owned()]);
    let usage = Usage { users: 2, apis, providers, plans };
    let refused = delete(&role("partner", &[]), Some(3), &Actor::product(), &usage).unwrap_err();
    let Refused::Conflict { detail, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(
        detail,
        "partner is in use: 2 users with it, 7 APIs with a scope for it (Api 0, Api 1, Api 2, Api 3, Api 4, …), \
         1 sign-in provider that gives it (Okta), 1 business plan for it (Gold). Take it from all of them first."
    );
}
