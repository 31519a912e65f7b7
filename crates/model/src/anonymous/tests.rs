//! Where no credential is enough, and as whom such a session is admitted and stays.

use std::net::Ipv4Addr;

use super::*;
use crate::{
    admit::{Unwelcome, admit, on_topic, standing},
    endpoint::{Endpoint, Endpoints},
    headers::HeaderRules,
    id::ApiId,
    issuer::AcceptedIssuers,
    lifecycle::State,
    protocol::Protocol,
    security::Security,
    snapshot::{Snapshot, SnapshotParts},
    topic::{Direction, Topic, Topics},
};

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const END: Timestamp = Timestamp(1_900_000_000_000);

fn topic(path: &str, is_open: bool, direction: Direction, [publish, subscribe]: [&[&str]; 2]) -> Topic {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Topic {
        path: path.to_owned(),
        is_open,
        direction,
        publish_scopes: owned(publish),
        subscribe_scopes: owned(subscribe),
        ..Topic::default()
    }
}

fn api(is_open: bool, declared: Vec<Topic>) -> ApiFacts {
    let mut security = Security::default();
    if is_open {
        security.accepts.insert(Way::None);
    }
    ApiFacts {
        id: ApiId(Uuid::from_u128(1)),
        name: "Api".to_owned(),
        context: "/api".to_owned(),
        version: "1.0".to_owned(),
        state: State::Published,
        is_default_version: false,
        revision: 1,
        endpoints: Endpoints { production: None, sandbox: Some(Endpoint::new("ws://backend.test")) },
        protocol: Protocol::default(),
        headers: HeaderRules::default(),
        mappings: Vec::new(),
        topics: Topics { declared, ..Topics::default() },
        scopes: Vec::new(),
        security,
        issuers: AcceptedIssuers::default(),
        api_policy: None,
        notice: None,
    }
}

fn snapshot(api: &ApiFacts) -> Snapshot {
    Snapshot::new(SnapshotParts { apis: vec![api.clone()], ..SnapshotParts::default() })
}

#[test]
fn an_api_is_open_where_its_topics_leave_something_to_do_without_a_scope() {
    use Direction::{Both, Publish, Subscribe};
    let topics = || {
        vec![
            topic("/free", false, Both, [&[], &[]]),
            topic("/listen", false, Both, [&["write"], &[]]),
            topic("/guarded", false, Both, [&["write"], &["read"]]),
            topic("/news", false, Subscribe, [&[], &["read"]]),
            topic("/votes", false, Publish, [&[], &["read"]]),
        ]
    };
    for (path, expected) in [
        ("/free", true),
        ("/listen", true),
        ("/guarded", false),
        ("/news", false),
        ("/votes", true),
        ("/nothing", false),
    ] {
        assert_eq!(may_enter(&api(true, topics()), path), expected, "{path}");
        assert!(!may_enter(&api(false, topics()), path), "{path}");
    }
    assert!(may_enter(&api(true, Vec::new()), "/any"));
    assert!(!may_enter(&api(false, Vec::new()), "/any"));
}

#[test]
fn a_topic_is_open_by_itself_and_opens_no_other() {
    let both = Direction::Both;
    let api = api(
        false,
        vec![
            topic("/open", true, both, [&[], &[]]),
            topic("/open/*", false, both, [&[], &[]]),
            topic("/guarded", true, both, [&["write"], &["read"]]),
        ],
    );
    let expected = [("/open", true), ("/open/", false), ("/open/x", false), ("/guarded", false), ("", false)];
    for (path, expected) in expected {
        assert_eq!(may_enter(&api, path), expected, "{path:?}");
    }
}

#[test]
fn nobody_in_particular_is_admitted_without_a_subscription_and_held_to_the_limit_of_everybody() {
    let api = api(true, Vec::new());
    let snapshot = snapshot(&api);
    let live = snapshot.api(api.id).unwrap();
    let grant = admit(&snapshot, live, &identity(NOW, END), Way::None, Ipv4Addr::LOCALHOST.into()).unwrap();
    assert_eq!((grant.application_id(), &*grant.client_id), (APPLICATION, NAME));
    assert_eq!((grant.subscription, grant.plan_name()), (None, PLAN));
    assert_eq!(grant.plan.map(|plan| plan.limits.clone()), Some(vec![LIMIT]));
    assert_eq!((&*grant.application_policy.limits, grant.environment), (&[][..], Environment::Sandbox));
}

#[test]
fn a_session_stays_while_its_topic_is_open_on_the_endpoint_that_it_has() {
    let before = api(true, Vec::new());
    let first = snapshot(&before);
    let live = first.api(before.id).unwrap();
    let held = admit(&first, live, &identity(NOW, END), Way::None, Ipv4Addr::LOCALHOST.into()).unwrap();
    let held = on_topic(&first, held, "/news".into()).unwrap();
    let mut other = api(false, vec![topic("/news", true, Direction::Both, [&[], &[]])]);
    other.endpoints.production = Some(Endpoint::new("ws://production.test"));
    let stays = standing(&snapshot(&other), &held, NOW).unwrap();
    assert_eq!(stays.environment, Environment::Sandbox);
    other.topics.declared[0].is_open = false;
    assert_eq!(standing(&snapshot(&other), &held, NOW), Err(Unwelcome::NotAccepted));
    other.security.accepts.insert(Way::None);
    assert!(standing(&snapshot(&other), &held, NOW).is_ok());
    other.topics.declared[0].publish_scopes = vec!["write".to_owned()];
    let listens = standing(&snapshot(&other), &held, NOW).unwrap();
    assert_eq!((listens.speech.client, listens.speech.backend), (false, true));
    other.topics.declared[0].subscribe_scopes = vec!["read".to_owned()];
    assert_eq!(standing(&snapshot(&other), &held, NOW), Err(Unwelcome::NotAccepted));
}
