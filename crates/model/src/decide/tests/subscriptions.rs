//! Who may subscribe to what, under which plan, and that no API is deleted under its subscribers.

use std::collections::BTreeSet;

use super::*;
use crate::role::{OwnRole, Roles};

#[test]
fn an_api_that_has_subscriptions_is_not_deleted_under_its_subscribers() {
    for state in STATES {
        check(delete_api(&api("1.0", state), None, &person(Role::Creator), 0), "ok");
        let in_use = if state == State::Retired { "ok" } else { "conflict" };
        check(delete_api(&api("1.0", state), None, &admin(), 1), in_use);
    }
    let refused = |state: State, subscriptions: u64| {
        delete_api(&api("1.0", state), None, &admin(), subscriptions).unwrap_err().to_string()
    };
    let expected = "Echo 1.0 has 1 subscription, and only retiring it ends them. From published to retired: deprecate, \
                    then retire. Then delete it.";
    assert_eq!(refused(State::Published, 1), expected);
    let many = refused(State::Published, 12);
    assert!(many.starts_with("Echo 1.0 has 12 subscriptions, and"), "{many}");
    for role in [Role::Publisher, Role::Subscriber, Role::Observer] {
        check(delete_api(&api("1.0", State::Created), None, &person(role), 0), "needs api_create");
    }
}

#[test]
fn the_moves_that_a_refused_deletion_names_lead_to_where_it_is_allowed() {
    for state in STATES.into_iter().filter(|state| *state != State::Retired) {
        let refused = delete_api(&api("1.0", state), None, &admin(), 1).unwrap_err().to_string();
        let named = refused.split("to retired: ").nth(1).unwrap().trim_end_matches(". Then delete it.");
        let mut moved = api("1.0", state);
        for event in named.split(", then ") {
            moved = move_api(&moved, &step(event.parse().unwrap()), &admin(), NOW, &[]).unwrap().api;
        }
        check(delete_api(&moved, None, &admin(), 1), "ok");
    }
}

fn application(owner: Option<UserId>) -> Application {
    Application {
        id: ApplicationId(Uuid::from_u128(1)),
        name: "Shop".to_owned(),
        description: String::new(),
        policy: "Unlimited".to_owned(),
        owner,
        owner_name: "someone".to_owned(),
        demo: false,
        registered_by: None,
        created_at: THEN,
        etag: 1,
    }
}

/// Of a plan for everybody.
const FREE: Terms = Terms { roles: BTreeSet::new(), billing: None };

fn wish(plan: &str) -> CreateSubscription {
    CreateSubscription {
        id: SubscriptionId(Uuid::from_u128(1)),
        application: ApplicationId(Uuid::from_u128(1)),
        api: api_id(1),
        plan: plan.to_owned(),
    }
}

#[test]
fn a_subscription_needs_a_published_api_and_a_plan_that_is_live() {
    let subscriber = person(Role::Subscriber);
    let check = |api: &Api, plan: &str, exists: bool, expected: &str| {
        let outcome =
            create_subscription(&wish(plan), &subscriber, &application(subscriber.user), api, exists, &FREE);
        check(outcome, expected);
    };
    for (state, expected) in [
        (State::Created, "no API"),
        (State::Prototyped, "conflict"),
        (State::Published, "ok"),
        (State::Blocked, "no API"),
        (State::Deprecated, "no API"),
        (State::Retired, "no API"),
    ] {
        check(&api("1.0", state), "Gold", false, expected);
    }
    let mut published = api("1.0", State::Published);
    check(&published, "Gold", true, "duplicate /api_id");
    check(&published, "Unlimited", false, "invalid /plan unknown_plan");
    check(&published, "gold", false, "invalid /plan unknown_plan");
    published.design.plans = vec!["Unlimited".to_owned()];
    check(&published, "Unlimited", false, "invalid /plan unknown_plan");
    check(&published, "Gold", false, "ok");
}

#[test]
fn a_subscription_is_made_by_the_owner_of_the_application_or_an_admin() {
    let published = api("1.0", State::Published);
    let someone = person(Role::Subscriber);
    let other = Actor { user: Some(UserId(Uuid::from_u128(77))), ..person(Role::Subscriber) };
    let check = |actor: &Actor, owner: Option<UserId>, expected: &str| {
        let made = create_subscription(&wish("Gold"), actor, &application(owner), &published, false, &FREE);
        check(made, expected);
    };
    check(&someone, someone.user, "ok");
    check(&other, someone.user, "no application");
    check(&admin(), someone.user, "ok");
    check(&admin(), None, "ok");
    check(&Actor::product(), None, "ok");
    check(&someone, None, "no application");
    check(&person(Role::Creator), person(Role::Creator).user, "needs app_manage");
    check(&person(Role::Publisher), None, "needs app_manage");
}

#[test]
fn a_plan_may_be_for_people_of_some_roles() {
    let published = api("1.0", State::Published);
    let named = |names: &[&str]| names.iter().map(|name| RoleName::parse(name).unwrap()).collect();
    let partner = OwnRole {
        name: RoleName::parse("partner").unwrap(),
        description: String::new(),
        means: [Role::Subscriber].into(),
        etag: 1,
    };
    let of = |names: &[&str]| {
        let roles = Roles::of(named(names), std::slice::from_ref(&partner));
        Actor { roles, ..person(Role::Subscriber) }
    };
    for (for_whom, who, expected) in [
        (&["partner"][..], of(&["partner"]), "ok"),
        (&["partner"], of(&["subscriber"]), "invalid /plan not_for_you"),
        (&["partner", "publisher"], of(&["subscriber", "publisher"]), "ok"),
        // What an own role means is held as well.
        (&["subscriber"], of(&["partner"]), "ok"),
        (&["partner"], admin(), "ok"),
        (&["partner"], of(&["creator"]), "needs app_manage"),
    ] {
        let terms = Terms { roles: named(for_whom), billing: None };
        let owned = application(who.user);
        check(create_subscription(&wish("Gold"), &who, &owned, &published, false, &terms), expected);
    }
    let terms = Terms { roles: named(&["partner", "reseller"]), billing: None };
    let someone = person(Role::Subscriber);
    let refused =
        create_subscription(&wish("Gold"), &someone, &application(someone.user), &published, false, &terms);
    let Err(Refused::Invalid(problems)) = refused else { panic!("it is for others") };
    assert!(problems[0].detail.starts_with("Gold is for people with the role partner or reseller."));
}
