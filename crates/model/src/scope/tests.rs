//! Who gets which scope: by what the application reaches, by roles, and by every definition of a name.

use uuid::Uuid;

use super::*;
use crate::{
    endpoint::Endpoints,
    headers::HeaderRules,
    id::{ApiId, SubscriptionId},
    issuer::AcceptedIssuers,
    protocol::Protocol,
    security::Security,
    snapshot::{SnapshotParts, SubscriptionFacts},
    topic::{Topic, Topics},
};

const APPLICATION: ApplicationId = ApplicationId(Uuid::from_u128(1));

fn scope(name: &str, roles: &[Role]) -> Scope {
    Scope {
        name: name.to_owned(),
        roles: roles.iter().copied().map(RoleName::from).collect(),
        ..Scope::default()
    }
}

/// An API whose one topic asks for the scopes that it defines.
fn api(number: u128, state: State, scopes: Vec<Scope>) -> ApiFacts {
    let publish_scopes = scopes.iter().map(|scope| scope.name.clone()).collect();
    let declared = vec![Topic { path: "/*".to_owned(), publish_scopes, ..Topic::default() }];
    ApiFacts {
        id: ApiId(Uuid::from_u128(number)),
        name: format!("Api{number}"),
        context: format!("/api{number}"),
        version: "1.0".to_owned(),
        state,
        is_default_version: false,
        revision: 1,
        endpoints: Endpoints::default(),
        protocol: Protocol::default(),
        headers: HeaderRules::default(),
        mappings: Vec::new(),
        topics: Topics { declared, ..Topics::default() },
        scopes,
        security: Security::default(),
        issuers: AcceptedIssuers::default(),
        api_policy: None,
        notice: None,
    }
}

/// The application is subscribed to the first API alone.
fn granted(apis: Vec<ApiFacts>, held: &[Role]) -> Vec<String> {
    let subscription = SubscriptionFacts {
        id: SubscriptionId(Uuid::from_u128(1)),
        application: APPLICATION,
        api: apis[0].id,
        plan: "Gold".to_owned(),
    };
    let snapshot =
        Snapshot::new(SnapshotParts { apis, subscriptions: vec![subscription], ..SnapshotParts::default() });
    grantable(&snapshot, APPLICATION, &held.iter().copied().collect())
}

#[test]
fn a_client_gets_what_its_subscriptions_reach_and_what_needs_none() {
    let apis = || {
        vec![
            api(1, State::Published, vec![scope("write", &[]), scope("admin", &[Role::Publisher])]),
            api(2, State::Published, vec![scope("other", &[])]),
            api(3, State::Prototyped, vec![scope("try", &[])]),
        ]
    };
    assert_eq!(granted(apis(), &[]), ["try", "write"]);
    assert_eq!(granted(apis(), &[Role::Subscriber]), ["try", "write"]);
    assert_eq!(granted(apis(), &[Role::Subscriber, Role::Publisher]), ["admin", "try", "write"]);
    assert_eq!(granted(apis(), &[Role::Admin]), ["admin", "try", "write"]);
}

#[test]
fn a_name_that_another_api_defines_is_had_by_whom_both_allow() {
    let second = |roles: &[Role]| api(2, State::Published, vec![scope("write", roles)]);
    let first = || api(1, State::Published, vec![scope("write", &[])]);
    assert_eq!(granted(vec![first(), second(&[])], &[Role::Subscriber]), ["write"]);
    assert_eq!(granted(vec![first(), second(&[Role::Publisher])], &[Role::Subscriber]), [""; 0]);
    assert_eq!(granted(vec![first(), second(&[Role::Publisher])], &[Role::Publisher]), ["write"]);
}

#[test]
fn a_name_that_nobody_defines_is_nobodys() {
    let mut undefined = api(1, State::Published, vec![scope("write", &[])]);
    undefined.scopes.clear();
    assert_eq!(granted(vec![undefined], &[Role::Admin]), [""; 0]);
}
