//! Whoever a snapshot does not touch would be answered as before, whatever was changed; and a change of one thing touches
//! those who live by it.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use proptest::prelude::*;
use uuid::Uuid;

use crate::{
    admit::{Grant, Identity, admit, on_topic, standing},
    deny::{Denied, DenyFacts},
    endpoint::{Endpoint, Endpoints, Environment},
    exchange::Source,
    headers::HeaderRules,
    id::{ApiId, ApiKeyId, ApplicationId, CertificateId, KeyManagerId, SubscriptionId, UserId},
    issuer::{AcceptedIssuers, ClaimNames, KeyManagerFacts, KeySource, RESIDENT, Trust},
    lifecycle::{STATES, State},
    limit::{Limit, Window},
    policy::{api_policies, application_policies, business_plans},
    protocol::Protocol,
    security::{Security, Way},
    snapshot::{
        ApiFacts, ApiKeyFacts, ApplicationFacts, CertificateFacts, ClientFacts, IssuerFacts, Snapshot,
        SnapshotParts, SubscriptionFacts,
    },
    time::Timestamp,
    topic::{Topic, Topics},
    user::Secret,
};

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const END: Timestamp = Timestamp(1_900_000_000_000);
const KEY_MANAGER: KeyManagerId = KeyManagerId(Uuid::from_u128(1));

fn api(number: u128, state: State) -> ApiFacts {
    ApiFacts {
        id: ApiId(Uuid::from_u128(number)),
        name: format!("api-{number}"),
        context: format!("/api-{number}"),
        version: "1.0".to_owned(),
        state,
        is_default_version: false,
        revision: 1,
        endpoints: Endpoints { production: Some(Endpoint::new("ws://backend")), sandbox: None },
        protocol: Protocol::default(),
        headers: HeaderRules::default(),
        mappings: Vec::new(),
        topics: Topics::default(),
        scopes: Vec::new(),
        security: Security { accepts: Way::ALL.into(), ..Security::default() },
        issuers: AcceptedIssuers::default(),
        api_policy: None,
        notice: None,
    }
}

/// Three APIs, two applications with a credential of every kind, and a subscription of each to each.
fn world() -> SnapshotParts {
    let mut parts = SnapshotParts {
        issuer: IssuerFacts { keys: vec!["first".to_owned(), "second".to_owned()], ..IssuerFacts::default() },
        key_managers: vec![KeyManagerFacts {
            id: KEY_MANAGER,
            name: "other".to_owned(),
            trust: trust(),
            jwks: String::new(),
        }],
        apis: vec![api(1, State::Published), api(2, State::Published), api(3, State::Prototyped)],
        plans: business_plans(),
        application_policies: application_policies(),
        api_policies: api_policies(),
        ..SnapshotParts::default()
    };
    for number in [1, 2] {
        let application = ApplicationId(Uuid::from_u128(number));
        let (name, policy) = (format!("application-{number}"), "20PerMin".to_owned());
        let owner = Some(UserId(Uuid::from_u128(number)));
        parts.applications.push(ApplicationFacts { id: application, name, policy, owner });
        let environment = Environment::Production;
        for key_manager in [None, Some(KEY_MANAGER)] {
            for client_id in [format!("client-{number}"), format!("source-{number}")] {
                parts.clients.push(ClientFacts { client_id, application, environment, key_manager });
            }
        }
        parts.api_keys.push(ApiKeyFacts {
            id: ApiKeyId(Uuid::from_u128(number)),
            hash: Secret(format!("hash-{number}")),
            application,
            environment,
            expires_at: None,
            addresses: Vec::new(),
            referers: Vec::new(),
        });
        parts.certificates.push(CertificateFacts {
            id: CertificateId(Uuid::from_u128(number)),
            thumbprint: format!("thumbprint-{number}"),
            application,
            environment,
            begins_at: Timestamp(0),
            expires_at: END,
        });
        for api in [1, 2] {
            parts.subscriptions.push(SubscriptionFacts {
                id: SubscriptionId(Uuid::from_u128(number * 10 + api)),
                application,
                api: ApiId(Uuid::from_u128(api)),
                plan: ["Gold", "Silver"][usize::try_from(number).unwrap() - 1].to_owned(),
            });
        }
    }
    parts
}

fn trust() -> Trust {
    Trust {
        issuer: "https://other".to_owned(),
        keys: KeySource::Inline(String::new()),
        audiences: Vec::new(),
        claims: ClaimNames::default(),
        algorithms: Vec::new(),
        requires_at_jwt: false,
        introspection: None,
        enabled: true,
    }
}

/// What a token was exchanged for that was issued to another client.
fn exchanged(number: u128, key_manager: Option<KeyManagerId>) -> Source {
    let signed_with = key_manager.is_none().then(|| "second".into());
    let [credential, subject] = [1, 2].map(|mark: u64| mark.to_be_bytes().into());
    Source { client_id: format!("source-{number}"), key_manager, credential, subject, signed_with }
}

/// Everybody who is in.
fn everybody(snapshot: &Snapshot) -> Vec<Grant> {
    let (mut all, address) = (Vec::new(), IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)));
    for api in snapshot.apis() {
        for number in [1, 2] {
            let id = Uuid::from_u128(number).to_string();
            let client = format!("client-{number}");
            let ids = [
                (client.clone(), None, None),
                (client.clone(), Some(KEY_MANAGER), None),
                (id, None, None),
                (client.clone(), None, Some(exchanged(number, None))),
                (client, None, Some(exchanged(number, Some(KEY_MANAGER)))),
            ];
            for (client_id, key_manager, source) in ids {
                let (expires_at, source) = (END, source.map(Arc::new));
                let signed_with = key_manager.is_none().then(|| "first".into());
                let identity = Identity {
                    client_id,
                    key_manager,
                    expires_at,
                    signed_with,
                    source,
                    ..Identity::default()
                };
                let admitted = |way| admit(snapshot, api, &identity, way, address).ok();
                let admitted = Way::ALL.into_iter().filter_map(admitted);
                all.extend(admitted.filter_map(|grant| on_topic(snapshot, grant, "/news".into()).ok()));
            }
        }
    }
    // Whether a credential is accepted is asked before it is looked at.
    all.retain(|held| standing(snapshot, held, NOW).is_ok());
    all
}

/// Changes one thing; which one is told by numbers.
fn change(parts: &mut SnapshotParts, what: u8, which: u8, how: u8) {
    fn of<T>(all: &mut [T], which: u8) -> Option<&mut T> {
        let count = all.len().max(1);
        all.get_mut(usize::from(which) % count)
    }
    fn remove<T>(all: &mut Vec<T>, which: u8) {
        if !all.is_empty() {
            all.remove(usize::from(which) % all.len());
        }
    }
    let application = ApplicationId(Uuid::from_u128(u128::from(how % 2) + 1));
    match what {
        0 => of(&mut parts.apis, which)
            .into_iter()
            .for_each(|api| api.state = STATES[usize::from(how) % STATES.len()]),
        1 => of(&mut parts.apis, which).into_iter().for_each(|api| {
            api.security.accepts.retain(|way| (*way as u8) % 3 != how % 3);
        }),
        2 => of(&mut parts.apis, which).into_iter().for_each(|api| {
            let topic =
                Topic { path: "/declared".to_owned(), is_open: how.is_multiple_of(2), ..Topic::default() };
            api.topics.declared.push(topic);
        }),
        3 => of(&mut parts.apis, which).into_iter().for_each(|api| {
            api.issuers = AcceptedIssuers::named(vec![[RESIDENT, "other"][usize::from(how) % 2].to_owned()]);
        }),
        4 => remove(&mut parts.apis, which),
        5 => of(&mut parts.applications, which).into_iter().for_each(|it| it.policy = "10PerMin".to_owned()),
        6 => of(&mut parts.applications, which).into_iter().for_each(|it| it.owner = None),
        7 => remove(&mut parts.applications, which),
        8 => of(&mut parts.clients, which).into_iter().for_each(|it| it.application = application),
        9 => of(&mut parts.clients, which).into_iter().for_each(|it| it.environment = Environment::Sandbox),
        10 => remove(&mut parts.clients, which),
        11 => of(&mut parts.api_keys, which).into_iter().for_each(|it| it.application = application),
        12 => remove(&mut parts.api_keys, which),
        13 => of(&mut parts.certificates, which).into_iter().for_each(|it| it.application = application),
        14 => remove(&mut parts.certificates, which),
        15 => of(&mut parts.subscriptions, which).into_iter().for_each(|it| it.plan = "Bronze".to_owned()),
        16 => of(&mut parts.subscriptions, which)
            .into_iter()
            .for_each(|it| it.id = SubscriptionId(Uuid::from_u128(u128::from(how) + 99))),
        17 => remove(&mut parts.subscriptions, which),
        18 => of(&mut parts.plans, which)
            .into_iter()
            .for_each(|plan| plan.limits = vec![Limit::messages(u64::from(how) + 1, Window::Minute)]),
        19 => remove(&mut parts.plans, which),
        20 => of(&mut parts.application_policies, which).into_iter().for_each(|policy| policy.limits.clear()),
        21 => remove(&mut parts.application_policies, which),
        22 => parts.key_managers.clear(),
        23 => remove(&mut parts.issuer.keys, which),
        24 => of(&mut parts.apis, which).into_iter().for_each(|api| {
            api.api_policy = (!how.is_multiple_of(3)).then(|| "10KPerMin".to_owned());
        }),
        25 => of(&mut parts.apis, which).into_iter().for_each(|api| {
            let path = ["/declared", "/news", "/*"][usize::from(how) % 3].to_owned();
            let api_policy = (!how.is_multiple_of(5)).then(|| "20KPerMin".to_owned());
            api.topics.declared.push(Topic { path, api_policy, is_open: true, ..Topic::default() });
        }),
        26 => of(&mut parts.api_policies, which)
            .into_iter()
            .for_each(|policy| policy.limits = vec![Limit::messages(u64::from(how) + 1, Window::Minute)]),
        27 => remove(&mut parts.api_policies, which),
        _ => parts.deny_rules.push(DenyFacts {
            denied: match how % 3 {
                0 => Denied::Application(application),
                1 => Denied::Address(IpAddr::V4(Ipv4Addr::new(203, 0, 113, how))),
                _ => Denied::User(UserId(Uuid::from_u128(u128::from(which % 3)))),
            },
            is_inverted: how % 3 == 1 && which.is_multiple_of(2),
            subject: None,
        }),
    }
}

proptest! {
    #[test]
    fn whoever_is_not_touched_is_answered_as_before(
        before in prop::collection::vec((0..29_u8, any::<u8>(), any::<u8>()), 0..4),
        changes in prop::collection::vec((0..29_u8, any::<u8>(), any::<u8>()), 0..3),
    ) {
        let mut parts = world();
        for (what, which, how) in before {
            change(&mut parts, what, which, how);
        }
        let earlier = Snapshot::new(parts.clone());
        let held = everybody(&earlier);
        for (what, which, how) in changes {
            change(&mut parts, what, which, how);
        }
        let (later, anew) = (Snapshot::after(parts.clone(), &earlier), Snapshot::new(parts));
        prop_assert!(later.follows(&earlier) && !anew.follows(&earlier) && !earlier.follows(&later));
        for held in held {
            let answer = standing(&later, &held, NOW);
            prop_assert_eq!(&standing(&anew, &held, NOW), &answer, "what is shared is the same");
            prop_assert!(later.touches(&held) || answer == Ok(held.clone()), "{:?} {:?}", answer, held);
        }
    }
}

/// How many of all are touched by one change.
fn touched(what: u8, which: u8) -> (usize, usize) {
    let mut parts = world();
    let earlier = Snapshot::new(parts.clone());
    change(&mut parts, what, which, 0);
    let later = Snapshot::after(parts, &earlier);
    let all = everybody(&earlier);
    (all.iter().filter(|held| later.touches(held)).count(), all.len())
}

#[test]
fn a_change_touches_those_who_live_by_it() {
    let (_, all) = touched(4, 0);
    let of_one_api = all / 3;
    assert_eq!(touched(4, 0).0, of_one_api, "an API");
    // Whoever presents nothing is of no application that anybody changes.
    let with_credential =
        everybody(&Snapshot::new(world())).iter().filter(|held| held.way != Way::None).count();
    assert_eq!(touched(7, 0).0, with_credential / 2, "an application");
    let plan =
        |name: &str| business_plans().iter().position(|plan| plan.name == name).unwrap().try_into().unwrap();
    assert_eq!(touched(19, plan("Bronze")).0, 0, "a plan that nobody has");
    assert!((1..all).contains(&touched(19, plan("Gold")).0), "a plan that some have");
    assert_eq!(touched(23, 0), (all, all), "a key that signs");
    // The second policy that ships is the topic's.
    let mut parts = world();
    change(&mut parts, 25, 1, 1);
    parts.apis[0].api_policy = Some("10KPerMin".to_owned());
    let earlier = Snapshot::new(parts.clone());
    for (which, of) in [(0, None), (1, Some(2)), (2, Some(1))] {
        let mut parts = parts.clone();
        change(&mut parts, 27, which, 0);
        let later = Snapshot::after(parts, &earlier);
        let all = everybody(&earlier);
        let touched: Vec<_> = all.iter().filter(|held| later.touches(held)).map(Grant::api_id).collect();
        let expected = all.iter().map(Grant::api_id).filter(|api| Some(api.0) == of.map(Uuid::from_u128));
        assert_eq!(touched, expected.collect::<Vec<_>>(), "the policy {which} of an API or topic");
    }
    let nobody = Snapshot::after(world(), &Snapshot::new(world()));
    assert!(!everybody(&nobody).iter().any(|held| nobody.touches(held)), "nothing");
}

#[test]
fn what_did_not_change_is_shared() {
    let mut parts = world();
    let earlier = Snapshot::new(parts.clone());
    change(&mut parts, 0, 0, 3);
    let later = Snapshot::after(parts, &earlier);
    let [first, second] = [1, 2].map(|number| ApiId(Uuid::from_u128(number)));
    let same = |id| Arc::ptr_eq(earlier.api(id).unwrap(), later.api(id).unwrap());
    assert_eq!((same(first), same(second)), (false, true));
    let name = |snapshot: &Snapshot| Arc::as_ptr(snapshot.shared_client(None, "client-1").unwrap().0);
    assert!(std::ptr::addr_eq(name(&earlier), name(&later)));
}
