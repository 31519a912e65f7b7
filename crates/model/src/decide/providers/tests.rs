//! Who comes from a provider gets their own account or none, and never somebody else's.

use uuid::Uuid;

use super::*;
use crate::{
    id::{PortalSessionId, ProviderId, UserId},
    provider::{RoleClaim, RoleValue},
    user::{PortalSession, Secret},
};

const NOW: Timestamp = Timestamp(1_000);

fn provider(change: impl FnOnce(&mut SignInTrust)) -> SignInProvider {
    let mut trust = SignInTrust {
        issuer: "https://sso.example".to_owned(),
        discovery_url: "https://sso.example/.well-known/openid-configuration".to_owned(),
        client_id: "tidegate".to_owned(),
        client_secret: Secret("hush".to_owned()),
        scopes: vec!["profile".to_owned()],
        username_claim: "preferred_username".to_owned(),
        roles: [Role::Subscriber.into()].into(),
        role_claim: None,
        newcomers: Newcomers::Enter,
        enabled: true,
    };
    change(&mut trust);
    let (id, name) = (ProviderId(Uuid::nil()), "SSO".to_owned());
    SignInProvider { id, name, trust, created_at: NOW, updated_at: NOW, etag: 3 }
}

fn claim() -> RoleClaim {
    let values = [("staff", Role::Creator), ("boss", Role::Admin)];
    let values =
        values.map(|(value, role)| RoleValue { value: value.to_owned(), roles: [role.into()].into() });
    RoleClaim { name: "groups".to_owned(), values: values.into() }
}

fn coming(username: &str, role_values: &[&str]) -> Arrive {
    let session = PortalSession {
        id: PortalSessionId(Uuid::nil()),
        token_hash: Secret::default(),
        user: UserId(Uuid::nil()),
        csrf_token: Secret::default(),
        created_at: NOW,
        expires_at: NOW,
        seen_at: NOW,
        address: None,
        browser: String::new(),
    };
    Arrive {
        provider: ProviderId(Uuid::nil()),
        based_on: 3,
        subject: "248289761001".to_owned(),
        username: username.to_owned(),
        role_values: role_values.iter().map(|value| (*value).to_owned()).collect(),
        id: UserId(Uuid::from_u128(9)),
        session,
    }
}

const NOBODY: Here<'static> =
    Here { known: None, is_name_taken: false, waiting: 0, administrators: 1, own_roles: &[] };

fn account(met: Result<Met, Refused>) -> User {
    match met {
        Ok(Met::Account(user)) => *user,
        other => panic!("{other:?}"),
    }
}

#[test]
fn somebody_new_is_made_turned_away_or_made_to_wait() {
    let made = account(arrive(&provider(|_| {}), &coming("ada", &["boss"]), NOBODY, NOW));
    assert_eq!((made.username.as_str(), made.state, made.has_password), ("ada", UserState::Active, false));
    assert_eq!(made.roles, [Role::Subscriber].into(), "no claim says roles");
    let waits = provider(|trust| {
        trust.newcomers = Newcomers::Wait;
        trust.role_claim = Some(claim());
    });
    let made = account(arrive(&waits, &coming("ada", &["staff", "elsewhere"]), NOBODY, NOW));
    assert_eq!((made.state, made.roles), (UserState::Waiting, [Role::Creator, Role::Subscriber].into()));
    let full = Here { waiting: WAITING_MAX, ..NOBODY };
    let taken = Here { is_name_taken: true, ..NOBODY };
    for (provider, name, here, expected) in [
        (&waits, "ada", full, Arrival::Full),
        (&waits, "ada", taken, Arrival::NameTaken),
        (&waits, "", NOBODY, Arrival::NoName),
        (&waits, "<ada>", NOBODY, Arrival::NoName),
        // Who would not be let in anyway is not told whether the name is somebody's.
        (&provider_that_refuses(), "ada", taken, Arrival::Unknown),
    ] {
        assert_eq!(arrive(provider, &coming(name, &[]), here, NOW), Ok(Met::Turned(expected)));
    }
}

fn provider_that_refuses() -> SignInProvider {
    provider(|trust| trust.newcomers = Newcomers::Refused)
}

#[test]
fn who_is_known_comes_in_as_the_account_stands() {
    let id = UserId(Uuid::from_u128(4));
    let known = User::new(id, "ada".to_owned(), [Role::Publisher].into(), NOW);
    let here = |known| Here { known: Some(known), is_name_taken: true, ..NOBODY };
    let refuses = provider_that_refuses();
    // Another name at the issuer changes nothing here.
    assert_eq!(account(arrive(&refuses, &coming("eve", &["boss"]), here(&known), NOW)), known);
    let waiting = User { state: UserState::Waiting, ..known.clone() };
    let met = arrive(&refuses, &coming("ada", &[]), here(&waiting), NOW);
    assert_eq!(met, Ok(Met::Turned(Arrival::Waiting)));
    let off = User { state: UserState::Disabled, ..known.clone() };
    let met = arrive(&refuses, &coming("ada", &[]), here(&off), NOW);
    let expected = Arrival::Disabled { user: known.id, username: "ada".to_owned() };
    assert_eq!(met, Ok(Met::Turned(expected)));
}

#[test]
fn with_a_claim_of_roles_they_are_read_anew_and_the_last_administrator_stays_one() {
    let reads = provider(|trust| trust.role_claim = Some(claim()));
    let id = UserId(Uuid::from_u128(4));
    let known = User::new(id, "ada".to_owned(), [Role::Admin, Role::Publisher].into(), NOW);
    let here = |administrators| Here { known: Some(&known), administrators, ..NOBODY };
    let user = account(arrive(&reads, &coming("ada", &["staff"]), here(2), NOW));
    assert_eq!((user.roles, user.etag), ([Role::Creator, Role::Subscriber].into(), known.etag + 1));
    let user = account(arrive(&reads, &coming("ada", &[]), here(1), NOW));
    assert_eq!(user.roles, [Role::Admin, Role::Subscriber].into());
    // One without a password is not the one on whom it all depends.
    let without = User { has_password: false, ..known.clone() };
    let here = Here { known: Some(&without), ..NOBODY };
    assert_eq!(account(arrive(&reads, &coming("ada", &[]), here, NOW)).roles, [Role::Subscriber].into());
}

#[test]
fn nobody_comes_in_by_rules_that_were_changed_meanwhile() {
    let off = provider(|trust| trust.enabled = false);
    assert_eq!(arrive(&off, &coming("ada", &[]), NOBODY, NOW), Err(Refused::SignedOut));
    let late = Arrive { based_on: 2, ..coming("ada", &[]) };
    assert_eq!(arrive(&provider(|_| {}), &late, NOBODY, NOW), Err(Refused::SignedOut));
}

#[test]
fn a_secret_stays_where_it_goes_to_the_same_place_and_nowhere_else() {
    let before = provider(|_| {});
    let changed = |change: fn(&mut SignInTrust)| {
        let mut trust = before.trust.clone();
        trust.client_secret = Secret::default();
        change(&mut trust);
        let command =
            UpdateProvider { id: before.id, based_on: Some(3), name: "Corporate".to_owned(), trust };
        update(&before, &command, &Actor::product(), NOW, std::slice::from_ref(&before), &[])
    };
    let kept = changed(|trust| trust.enabled = false).unwrap();
    assert_eq!((kept.trust.client_secret, kept.etag), (before.trust.client_secret.clone(), 4));
    for change in [
        (|trust| trust.issuer.push('x')) as fn(&mut SignInTrust),
        |trust| trust.discovery_url = "https://evil.example/".to_owned(),
        |trust| trust.client_id = "other".to_owned(),
    ] {
        assert!(
            matches!(changed(change), Err(Refused::Invalid(problems)) if problems[0].pointer == "/client_secret")
        );
    }
}

#[test]
fn names_and_issuers_are_each_of_one_provider_and_administrators_alone_decide() {
    let (there, boss) = (provider(|_| {}), Actor::product());
    let make = |name: &str, issuer: &str, actor: &Actor| {
        let trust = SignInTrust { issuer: issuer.to_owned(), ..there.trust.clone() };
        let command = CreateProvider { id: ProviderId(Uuid::from_u128(2)), name: name.to_owned(), trust };
        create(&command, actor, NOW, std::slice::from_ref(&there), &[])
    };
    assert!(make("Else", "https://else.example", &boss).is_ok());
    for (name, issuer, pointer) in
        [("sso", "https://else.example", "/name"), ("Else", "https://sso.example", "/issuer")]
    {
        assert!(
            matches!(make(name, issuer, &boss), Err(Refused::Duplicate(problem)) if problem.pointer == pointer)
        );
    }
    let ada = User::new(UserId(Uuid::nil()), "ada".to_owned(), [Role::Creator].into(), NOW);
    let ada = Actor::person(&ada);
    assert_eq!(make("Else", "https://else.example", &ada), Err(Refused::Forbidden(Permission::Administer)));
    assert_eq!(delete(&there, None, &ada), Err(Refused::Forbidden(Permission::Administer)));
    assert_eq!(delete(&there, Some(1), &boss), Err(Refused::Stale { current: 3 }));
}
