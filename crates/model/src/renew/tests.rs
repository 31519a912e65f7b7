//! Who may give a session a fresh credential, and what comes of it.

use std::net::Ipv4Addr;

use super::*;
use crate::{
    admit::admit,
    endpoint::{Endpoint, Endpoints, Environment},
    headers::HeaderRules,
    id::{ApplicationId, SubscriptionId},
    issuer::AcceptedIssuers,
    lifecycle::State,
    policy::{application_policies, business_plans},
    protocol::Protocol,
    revocation::Mark,
    security::{Security, Way},
    snapshot::{ApiFacts, ApplicationFacts, ClientFacts, SnapshotParts, SubscriptionFacts},
};

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const SOON: Timestamp = NOW.plus_millis(5_000);
const LATER: Timestamp = NOW.plus_millis(3_600_000);

fn api_id() -> ApiId {
    ApiId::new(Timestamp(0), [1; 10])
}

fn world() -> SnapshotParts {
    let application = ApplicationId::new(Timestamp(0), [2; 10]);
    let client = |name: &str| ClientFacts {
        client_id: name.to_owned(),
        application,
        environment: Environment::Production,
        key_manager: None,
    };
    SnapshotParts {
        number: 1,
        apis: vec![ApiFacts {
            id: api_id(),
            name: "Echo".to_owned(),
            context: "/echo".to_owned(),
            version: "1.0".to_owned(),
            state: State::Published,
            is_default_version: false,
            revision: 1,
            endpoints: Endpoints { production: Some(Endpoint::new("ws://localhost:1")), sandbox: None },
            protocol: Protocol::default(),
            headers: HeaderRules::default(),
            mappings: Vec::new(),
            topics: crate::topic::Topics::default(),
            scopes: Vec::new(),
            security: Security::default(),
            issuers: AcceptedIssuers::default(),
            api_policy: None,
            notice: None,
        }],
        applications: vec![ApplicationFacts {
            id: application,
            name: "App".to_owned(),
            policy: "Unlimited".to_owned(),
            owner: None,
        }],
        clients: vec![client("one"), client("two")],
        subscriptions: vec![SubscriptionFacts {
            id: SubscriptionId::new(Timestamp(0), [3; 10]),
            application,
            api: api_id(),
            plan: "Gold".to_owned(),
        }],
        plans: business_plans(),
        application_policies: application_policies(),
        ..SnapshotParts::default()
    }
}

fn identity(client_id: &str, person: Option<u8>, expires_at: Timestamp) -> Identity {
    let marks = Marks {
        credential: Some(Mark::from([u8::try_from(expires_at.millis() % 200).unwrap() + 1; 8])),
        subject: person.map(|number| Mark::from([number; 8])),
        ..Marks::default()
    };
    Identity { client_id: client_id.to_owned(), expires_at, marks, ..Identity::default() }
}

fn held(person: Option<u8>) -> Grant {
    let snapshot = Snapshot::new(world());
    let identity = identity("one", person, SOON);
    let api = snapshot.api(api_id()).unwrap();
    admit(&snapshot, api, &identity, Way::OAuthHeader, Ipv4Addr::LOCALHOST.into()).unwrap()
}

fn fresh(client_id: &str, person: Option<u8>, expires_at: Timestamp) -> Fresh {
    Fresh::new(api_id(), &identity(client_id, person, expires_at))
}

#[test]
fn a_fresh_credential_moves_the_end_and_reads_the_plan_anew() {
    let mut parts = world();
    parts.subscriptions[0].plan = "Silver".to_owned();
    let (held, fresh) = (held(Some(1)), fresh("one", Some(1), LATER));
    let grant = fresh.renew(&Snapshot::new(parts), &held, NOW).unwrap();
    assert_eq!((grant.expires_at, grant.marks, grant.way), (LATER, fresh.marks, Way::OAuthHeader));
    assert_eq!((grant.plan_name(), grant.address), ("Silver", held.address));
    // The same once more changes nothing.
    assert_eq!(fresh.renew(&Snapshot::new(world()), &grant, NOW).unwrap().expires_at, LATER);
}

#[test]
fn a_session_is_its_clients_and_its_persons_alone() {
    let snapshot = Snapshot::new(world());
    for (held, fresh) in [
        (held(None), fresh("two", None, LATER)),
        (held(Some(1)), fresh("one", Some(2), LATER)),
        (held(Some(1)), fresh("one", None, LATER)),
        (held(None), fresh("one", Some(1), LATER)),
        (
            held(None),
            Fresh { key_manager: Some(KeyManagerId::new(NOW, [9; 10])), ..fresh("one", None, LATER) },
        ),
        (held(None), Fresh { api: ApiId::new(Timestamp(0), [9; 10]), ..fresh("one", None, LATER) }),
    ] {
        assert_eq!(fresh.renew(&snapshot, &held, NOW), Err(NotRenewed::NotTheirs));
    }
}

#[test]
fn what_ends_earlier_or_could_not_stay_changes_nothing() {
    let snapshot = Snapshot::new(world());
    let long = Grant { expires_at: LATER, ..held(None) };
    assert_eq!(fresh("one", None, SOON).renew(&snapshot, &long, NOW), Err(NotRenewed::Worse(LATER)));
    let mut blocked = world();
    blocked.apis[0].state = State::Blocked;
    let refused = fresh("one", None, LATER).renew(&Snapshot::new(blocked), &held(None), NOW);
    assert_eq!(refused, Err(NotRenewed::Unwelcome(Unwelcome::ApiBlocked)));
    let unknown = Fresh { signed_with: Some("gone".into()), ..fresh("one", None, LATER) };
    let refused = unknown.renew(&snapshot, &held(None), NOW);
    assert_eq!(refused, Err(NotRenewed::Unwelcome(Unwelcome::SigningKeyRemoved)));
}
