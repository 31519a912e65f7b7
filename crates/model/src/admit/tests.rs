//! Who may connect and who may stay, on one small world: two versions of an API, a prototype, a draft, a blocked
//! and a retired one; one application with a key for each environment.

use std::net::Ipv4Addr;

use uuid::Uuid;

use super::*;
use crate::{
    deny::{Denied, DenyFacts},
    endpoint::Endpoints,
    headers::HeaderRules,
    issuer::AcceptedIssuers,
    limit::{Limit, Window},
    policy::{api_policies, application_policies, business_plans},
    protocol::Protocol,
    security::Security,
    snapshot::{ClientFacts, SnapshotParts, SubscriptionFacts},
    topic::{Direction, Topic, Topics},
};

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const LATER: Timestamp = Timestamp(1_800_000_060_000);

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

const ECHO_1: u128 = 1;
const ECHO_2: u128 = 2;
const CHAT: u128 = 3;
const DRAFT: u128 = 4;
const HELD: u128 = 5;
const GONE: u128 = 6;

fn api_id(number: u128) -> ApiId {
    ApiId(Uuid::from_u128(number))
}

fn application_id(number: u128) -> ApplicationId {
    ApplicationId(Uuid::from_u128(number))
}

fn subscription_id(number: u128) -> SubscriptionId {
    SubscriptionId(Uuid::from_u128(number))
}

fn api(number: u128, name: &str, version: &str, state: State) -> ApiFacts {
    ApiFacts {
        id: api_id(number),
        name: name.to_owned(),
        context: format!("/{name}"),
        version: version.to_owned(),
        state,
        is_default_version: false,
        revision: 1,
        endpoints: Endpoints { production: Some(Endpoint::new("ws://production")), sandbox: None },
        protocol: Protocol::default(),
        headers: HeaderRules::default(),
        mappings: Vec::new(),
        topics: Topics::default(),
        scopes: Vec::new(),
        security: Security::default(),
        issuers: AcceptedIssuers::default(),
        api_policy: None,
        notice: None,
    }
}

fn client(client_id: &str, application: u128, environment: Environment) -> ClientFacts {
    ClientFacts {
        client_id: client_id.to_owned(),
        application: application_id(application),
        environment,
        key_manager: None,
    }
}

fn subscription(number: u128, api: u128, plan: &str) -> SubscriptionFacts {
    SubscriptionFacts {
        id: subscription_id(number),
        application: application_id(1),
        api: api_id(api),
        plan: plan.to_owned(),
    }
}

fn world() -> SnapshotParts {
    let second = ApiFacts { is_default_version: true, ..api(ECHO_2, "echo", "2.0", State::Published) };
    SnapshotParts {
        number: 7,
        apis: vec![
            api(ECHO_1, "echo", "1.0", State::Deprecated),
            second,
            api(CHAT, "chat", "1.0", State::Prototyped),
            api(DRAFT, "draft", "1.0", State::Created),
            api(HELD, "held", "1.0", State::Blocked),
            api(GONE, "gone", "1.0", State::Retired),
        ],
        applications: vec![ApplicationFacts {
            id: application_id(1),
            name: "Shop".to_owned(),
            policy: "20PerMin".to_owned(),
            owner: None,
        }],
        clients: vec![
            client("production", 1, Environment::Production),
            client("sandbox", 1, Environment::Sandbox),
            client("orphan", 9, Environment::Production),
        ],
        subscriptions: vec![
            subscription(1, ECHO_1, "Unlimited"),
            subscription(2, ECHO_2, "AsyncBronze"),
            subscription(3, HELD, "Gold"),
        ],
        plans: business_plans(),
        application_policies: application_policies(),
        api_policies: api_policies(),
        ..SnapshotParts::default()
    }
}

fn identity(client_id: &str) -> Identity {
    Identity {
        client_id: client_id.to_owned(),
        key_manager: None,
        subject: "someone".to_owned(),
        expires_at: LATER,
        ..Identity::default()
    }
}

fn admitted(parts: SnapshotParts, api: u128, client_id: &str) -> Result<Grant, Refusal> {
    let snapshot = Snapshot::new(parts);
    admit(&snapshot, snapshot.api(api_id(api)).unwrap(), &identity(client_id), Way::OAuthHeader, HERE)
}

/// The standing of a production session with `api`, opened in the world as it is, after `change`.
fn standing_after(
    api: u128,
    now: Timestamp,
    change: impl FnOnce(&mut SnapshotParts),
) -> Result<Grant, Unwelcome> {
    let held = admitted(world(), api, "production").unwrap();
    let mut parts = world();
    change(&mut parts);
    standing(&Snapshot::new(parts), &held, now)
}

fn state_of(parts: &mut SnapshotParts, api: u128, state: State) {
    parts.apis.iter_mut().find(|found| found.id == api_id(api)).unwrap().state = state;
}

#[test]
fn a_path_leads_to_an_api_and_a_topic_or_says_why_not() {
    let snapshot = Snapshot::new(world());
    let check = |path: &str, expected: Result<(u128, &str), Refusal>| {
        let found = locate(&snapshot, path).map(|(api, topic)| (api.id, topic));
        assert_eq!(found, expected.map(|(number, topic)| (api_id(number), topic)), "{path}");
    };
    check("/echo/1.0", Ok((ECHO_1, "")));
    check("/echo/1.0/rooms/7", Ok((ECHO_1, "/rooms/7")));
    check("/echo/2.0/", Ok((ECHO_2, "/")));
    check("/echo", Ok((ECHO_2, "")));
    check("/echo/rooms", Ok((ECHO_2, "/rooms")));
    check("/chat/1.0", Ok((CHAT, "")));
    check("/draft/1.0", Ok((DRAFT, "")));
    check("/chat", Err(Refusal::UnknownPath));
    check("/chat/1.00", Err(Refusal::UnknownPath));
    check("/ECHO/1.0", Err(Refusal::UnknownPath));
    check("/nothing/1.0", Err(Refusal::UnknownPath));
    check("/", Err(Refusal::UnknownPath));
    check("/held/1.0/x", Err(Refusal::Blocked));
    check("/gone/1.0", Err(Refusal::Retired));
    check("/echo//1.0", Err(Refusal::AmbiguousPath));
    check("/chat/../echo/1.0", Err(Refusal::AmbiguousPath));
    check("/held/%31.0", Err(Refusal::AmbiguousPath));
    check("", Err(Refusal::AmbiguousPath));
}

#[test]
fn a_versioned_address_is_never_hidden_by_a_default_version() {
    let mut parts = world();
    let mut nested = api(20, "echo/1.0", "9.9", State::Published);
    nested.is_default_version = true;
    parts.apis.insert(0, nested);
    let snapshot = Snapshot::new(parts);
    let (found, topic) = locate(&snapshot, "/echo/1.0").unwrap();
    assert_eq!((found.id, topic), (api_id(ECHO_1), ""));
    let (found, topic) = locate(&snapshot, "/echo/1.0/9.9").unwrap();
    assert_eq!((found.id, topic), (api_id(20), ""));
}

#[test]
fn a_default_version_that_is_blocked_refuses_at_both_its_addresses() {
    let mut parts = world();
    state_of(&mut parts, ECHO_2, State::Blocked);
    let snapshot = Snapshot::new(parts);
    for path in ["/echo", "/echo/rooms", "/echo/2.0"] {
        assert_eq!(locate(&snapshot, path).unwrap_err(), Refusal::Blocked, "{path}");
    }
    assert!(locate(&snapshot, "/echo/1.0").is_ok());
}

#[test]
fn admission_says_what_is_lacking() {
    let check = |api: u128, client_id: &str, expected: Result<Option<u128>, Refusal>| {
        let outcome = admitted(world(), api, client_id).map(|grant| grant.subscription);
        assert_eq!(outcome, expected.map(|found| found.map(subscription_id)), "{api} by {client_id}");
    };
    check(ECHO_1, "production", Ok(Some(1)));
    check(ECHO_2, "production", Ok(Some(2)));
    check(ECHO_2, "nobody", Err(Refusal::UnknownClient));
    check(ECHO_2, "", Err(Refusal::UnknownClient));
    check(ECHO_2, "PRODUCTION", Err(Refusal::UnknownClient));
    check(ECHO_2, "orphan", Err(Refusal::UnknownClient));
    check(DRAFT, "production", Err(Refusal::NoSubscription));
    check(ECHO_2, "sandbox", Err(Refusal::NoEndpoint(Environment::Sandbox)));
    check(CHAT, "production", Ok(None));
    check(CHAT, "sandbox", Err(Refusal::NoEndpoint(Environment::Sandbox)));
    check(CHAT, "nobody", Err(Refusal::UnknownClient));
    check(CHAT, "orphan", Err(Refusal::UnknownClient));
}

#[test]
fn a_key_reaches_the_endpoint_of_its_environment() {
    let mut parts = world();
    parts.apis[1].endpoints.sandbox = Some(Endpoint::new("ws://sandbox"));
    for (client_id, environment, url) in [
        ("production", Environment::Production, "ws://production"),
        ("sandbox", Environment::Sandbox, "ws://sandbox"),
    ] {
        let grant = admitted(parts.clone(), ECHO_2, client_id).unwrap();
        assert_eq!(grant.environment, environment);
        assert_eq!(grant.endpoint().unwrap().url, url);
    }
    parts.apis[1].endpoints.production = None;
    let refused = admitted(parts, ECHO_2, "production").unwrap_err();
    assert_eq!(refused, Refusal::NoEndpoint(Environment::Production));
    assert_eq!(refused.to_string(), "the API has no production endpoint");
}

#[test]
fn a_grant_carries_the_limits_of_plan_and_policy() {
    let check = |api: u128, plan: Option<&str>| {
        let grant = admitted(world(), api, "production").unwrap();
        let of_plan = plan.map(|name| business_plans().into_iter().find(|plan| plan.name == name).unwrap());
        assert_eq!(grant.plan.as_deref(), of_plan.as_ref());
        assert_eq!(grant.plan_name(), plan.unwrap_or_default());
        assert_eq!(*grant.application_policy, application_policies()[1]);
        assert_eq!(grant.expires_at, LATER);
        assert_eq!((grant.api_id(), grant.application_id()), (api_id(api), application_id(1)));
        assert_eq!(&*grant.client_id, "production");
    };
    check(ECHO_2, Some("AsyncBronze"));
    check(ECHO_1, Some("Unlimited"));
    check(CHAT, None);
}

#[test]
fn a_plan_or_policy_that_nobody_knows_lets_nobody_in() {
    let mut parts = world();
    parts.subscriptions[1].plan = "Platinum".to_owned();
    assert_eq!(admitted(parts, ECHO_2, "production").unwrap_err(), Refusal::UnknownPolicy);
    let mut parts = world();
    parts.application_policies.clear();
    assert_eq!(admitted(parts, ECHO_2, "production").unwrap_err(), Refusal::UnknownPolicy);
}

#[test]
fn a_prototype_is_counted_under_the_plan_of_a_subscription_from_before() {
    let mut parts = world();
    parts.subscriptions.push(subscription(4, CHAT, "Gold"));
    let grant = admitted(parts, CHAT, "production").unwrap();
    assert_eq!(grant.subscription, Some(subscription_id(4)));
    assert_eq!(grant.plan_name(), "Gold");
}

#[test]
fn a_session_stays_while_everything_it_stands_on_does() {
    let kept = standing_after(ECHO_2, NOW, |parts| parts.number += 1).unwrap();
    assert_eq!(kept, admitted(world(), ECHO_2, "production").unwrap());
}

#[test]
fn a_session_goes_when_something_it_stands_on_does() {
    let check = |name: &str, api: u128, change: &dyn Fn(&mut SnapshotParts), expected: Unwelcome| {
        assert_eq!(standing_after(api, NOW, change).unwrap_err(), expected, "{name}");
    };
    check("key deleted", ECHO_2, &|parts| parts.clients.clear(), Unwelcome::KeyRevoked);
    check("application deleted", ECHO_2, &|parts| parts.applications.clear(), Unwelcome::KeyRevoked);
    check("unsubscribed", ECHO_2, &|parts| parts.subscriptions.clear(), Unwelcome::SubscriptionEnded);
    check("blocked", ECHO_2, &|parts| state_of(parts, ECHO_2, State::Blocked), Unwelcome::ApiBlocked);
    check("retired", ECHO_2, &|parts| state_of(parts, ECHO_2, State::Retired), Unwelcome::ApiRetired);
    check("deleted", ECHO_2, &|parts| parts.apis.clear(), Unwelcome::ApiRetired);
    check("prototype blocked", CHAT, &|parts| state_of(parts, CHAT, State::Blocked), Unwelcome::ApiBlocked);
    let published = |parts: &mut SnapshotParts| state_of(parts, CHAT, State::Published);
    check("prototype published", CHAT, &published, Unwelcome::SubscriptionEnded);
    let both = |parts: &mut SnapshotParts| {
        state_of(parts, ECHO_2, State::Blocked);
        parts.subscriptions.clear();
    };
    check("blocked and unsubscribed", ECHO_2, &both, Unwelcome::ApiBlocked);
}

#[test]
fn a_session_goes_in_the_millisecond_its_credential_ends() {
    assert!(standing_after(ECHO_2, LATER.plus_millis(-1), |_| {}).is_ok());
    assert_eq!(standing_after(ECHO_2, LATER, |_| {}).unwrap_err(), Unwelcome::Expired);
    let everything_gone = |parts: &mut SnapshotParts| *parts = SnapshotParts::default();
    assert_eq!(standing_after(ECHO_2, LATER, everything_gone).unwrap_err(), Unwelcome::Expired);
}

#[test]
fn a_session_stays_through_what_forbids_nothing() {
    for state in [State::Created, State::Prototyped, State::Published, State::Deprecated] {
        let kept = standing_after(ECHO_2, NOW, |parts| state_of(parts, ECHO_2, state)).unwrap();
        assert_eq!(kept.api.state, state);
    }
    let moved = standing_after(ECHO_2, NOW, |parts| {
        parts.apis[1].revision = 2;
        parts.apis[1].endpoints = Endpoints::default();
    })
    .unwrap();
    assert_eq!((moved.api.revision, moved.endpoint()), (2, None), "a connected session keeps its connection");
}

#[test]
fn a_session_is_limited_by_the_plan_and_policy_of_now() {
    let changed = standing_after(ECHO_2, NOW, |parts| {
        parts.subscriptions[1].plan = "Gold".to_owned();
        parts.applications[0].policy = "10PerMin".to_owned();
    })
    .unwrap();
    assert_eq!((changed.plan_name(), &*changed.application_policy.name), ("Gold", "10PerMin"));
    let renumbered = standing_after(ECHO_2, NOW, |parts| {
        let plan = parts.plans.iter_mut().find(|plan| plan.name == "AsyncBronze").unwrap();
        plan.limits = vec![Limit::messages(1, Window::Day)];
    })
    .unwrap();
    assert_eq!(renumbered.plan.unwrap().limits, [Limit::messages(1, Window::Day)]);
}

#[test]
fn a_key_that_changed_its_application_is_judged_by_the_new_one() {
    let outcome = standing_after(ECHO_2, NOW, |parts| {
        parts.applications.push(ApplicationFacts {
            id: application_id(9),
            name: "Other".to_owned(),
            policy: "Unlimited".to_owned(),
            owner: None,
        });
        parts.clients[0].application = application_id(9);
    });
    assert_eq!(outcome.unwrap_err(), Unwelcome::SubscriptionEnded);
}

/// Every combination of what admission looks at: whoever is admitted may stay under the same snapshot, and is
/// admitted exactly when the rule in words says so.
#[test]
fn admission_and_standing_agree_in_every_world() {
    let mut worlds = 0;
    for state in crate::lifecycle::STATES {
        for bits in 0_u32..32 {
            let [known, owned, subscribed, production, sandbox] =
                [0, 1, 2, 3, 4].map(|bit| bits >> bit & 1 == 1);
            for environment in [Environment::Production, Environment::Sandbox] {
                let mut parts = world();
                let target = &mut parts.apis[1];
                target.state = state;
                target.endpoints.production = production.then(|| Endpoint::new("ws://p"));
                target.endpoints.sandbox = sandbox.then(|| Endpoint::new("ws://s"));
                parts.clients = vec![client("one", 1, environment)];
                parts.clients.truncate(usize::from(known));
                parts.applications.truncate(usize::from(owned));
                parts.subscriptions.truncate(if subscribed { 2 } else { 1 });
                let snapshot = Snapshot::new(parts);
                let open = !matches!(state, State::Blocked | State::Retired);
                let entitled = known && owned && (subscribed || state == State::Prototyped);
                let served = if environment == Environment::Production { production } else { sandbox };
                let outcome = locate(&snapshot, "/echo/2.0")
                    .and_then(|(api, _)| admit(&snapshot, api, &identity("one"), Way::OAuthHeader, HERE));
                let shown = format!("{state:?} {bits:05b} {environment:?}");
                assert_eq!(outcome.is_ok(), open && entitled && served, "{shown}");
                if let Ok(grant) = outcome {
                    assert_eq!(standing(&snapshot, &grant, NOW), Ok(grant), "{shown}");
                }
                worlds += 1;
            }
        }
    }
    assert_eq!(worlds, 6 * 32 * 2);
}

proptest::proptest! {
    #[test]
    fn a_located_topic_is_what_follows_the_address(path in "(/(echo|chat|held|gone|[12]\\.0|\\.\\.?|%[0-9a-f]{2}|[ -~]{0,3}|é)){0,5}") {
        let snapshot = Snapshot::new(world());
        if let Ok((api, topic)) = locate(&snapshot, &path) {
            let address = path.strip_suffix(topic).unwrap();
            let versioned = crate::route::base_path(&api.context, &api.version);
            proptest::prop_assert!(address == versioned || (api.is_default_version && address == api.context));
            proptest::prop_assert!(topic.is_empty() || topic.starts_with('/'));
        }
    }
}

fn api_key(number: u128, application: u128) -> crate::snapshot::ApiKeyFacts {
    crate::snapshot::ApiKeyFacts {
        id: crate::id::ApiKeyId(Uuid::from_u128(number)),
        hash: crate::user::Secret(format!("hash {number}")),
        application: application_id(application),
        environment: Environment::Production,
        expires_at: None,
        addresses: Vec::new(),
        referers: Vec::new(),
    }
}

#[test]
fn an_api_key_is_its_applications_until_it_is_deleted() {
    let mut parts = world();
    let application = parts.subscriptions.iter().find(|it| it.api == api_id(ECHO_1)).unwrap().application;
    parts.api_keys = vec![api_key(7, application.0.as_u128()), api_key(8, 99)];
    for api in &mut parts.apis {
        api.security.accepts.insert(Way::ApiKeyHeader);
    }
    let snapshot = Snapshot::new(parts.clone());
    let of = |number: u128| identity(&Uuid::from_u128(number).to_string());
    let api = || snapshot.api(api_id(ECHO_1)).unwrap();
    let held = admit(&snapshot, api(), &of(7), Way::ApiKeyHeader, HERE).unwrap();
    assert_eq!((held.application_id(), held.environment), (application, Environment::Production));
    assert_eq!(application_of(&snapshot, &of(7), Way::ApiKeyHeader), Some(application));
    // A key is no client and a client is no key, whatever they are called; nor is one whose application is gone.
    for (identity, way) in [
        (of(7), Way::OAuthHeader),
        (of(7), Way::Basic),
        (of(8), Way::ApiKeyHeader),
        (of(9), Way::ApiKeyQuery),
    ] {
        assert_eq!(admit(&snapshot, api(), &identity, way, HERE), Err(Refusal::UnknownClient), "{way:?}");
    }
    assert_eq!(standing(&snapshot, &held, NOW).unwrap(), held);
    let mut none = parts.clone();
    none.api_keys.clear();
    assert_eq!(standing(&Snapshot::new(none), &held, NOW), Err(Unwelcome::KeyRevoked));
    // Another place for the same kind is no reason to go, no place is.
    for (accepts, expected) in [
        (vec![Way::ApiKeyQuery, Way::OAuthHeader], Ok(())),
        (vec![Way::OAuthHeader], Err(Unwelcome::NotAccepted)),
    ] {
        let mut parts = parts.clone();
        for api in &mut parts.apis {
            api.security.accepts = accepts.iter().copied().collect();
        }
        let stands = standing(&Snapshot::new(parts), &held, NOW).map(drop);
        assert_eq!(stands, expected, "{accepts:?}");
    }
}

#[test]
fn a_deny_rule_keeps_out_at_the_handshake_and_ends_who_is_in() {
    let deny = |denied: Denied| DenyFacts { denied, is_inverted: false, subject: None };
    let at = HERE.to_string();
    for denied in [
        Denied::Api("/echo".to_owned()),
        Denied::Application(application_id(1)),
        Denied::Address(HERE),
        Denied::Range("203.0.113.0/24".parse().unwrap()),
    ] {
        let mut parts = world();
        parts.deny_rules.push(deny(denied.clone()));
        assert_eq!(admitted(parts, ECHO_2, "production"), Err(Refusal::Denied), "{denied:?} {at}");
        let outcome = standing_after(ECHO_2, NOW, |parts| parts.deny_rules.push(deny(denied)));
        assert_eq!(outcome.unwrap_err(), Unwelcome::Denied);
    }
    // A rule about somebody else changes nothing.
    let outcome = standing_after(ECHO_2, NOW, |parts| {
        parts.deny_rules.push(deny(Denied::Address("203.0.113.8".parse().unwrap())));
        parts.deny_rules.push(DenyFacts { is_inverted: true, ..deny(Denied::Address(HERE)) });
    });
    assert_eq!(outcome.map(|_| ()), Ok(()));
}

#[test]
fn an_api_and_a_topic_are_held_to_the_policies_that_they_name() {
    let topic = |path: &str, policy: Option<&str>| Topic {
        path: path.to_owned(),
        api_policy: policy.map(str::to_owned),
        ..Topic::default()
    };
    let limited = |of_api: Option<&str>, of_topic: Option<&str>| {
        let mut parts = world();
        parts.apis[0].api_policy = of_api.map(str::to_owned);
        parts.apis[0].topics.declared = vec![topic("/news", of_topic), topic("/*", None)];
        parts
    };
    let on = |parts: SnapshotParts, topic: &str| {
        let snapshot = Snapshot::new(parts);
        let api = snapshot.api(api_id(ECHO_1)).unwrap();
        let grant = admit(&snapshot, api, &identity("production"), Way::OAuthHeader, HERE)?;
        on_topic(&snapshot, grant, topic.into())
    };
    let names = |grant: &Grant| grant.policies().map(|policy| policy.name.clone()).collect::<Vec<_>>();
    let (api, of_topic) = (Some("50KPerMin"), Some("10KPerMin"));
    let held = on(limited(api, of_topic), "/news").unwrap();
    assert_eq!(names(&held), ["50KPerMin", "10KPerMin", "20PerMin", "Unlimited"]);
    assert_eq!(names(&on(limited(api, of_topic), "/other").unwrap()), ["50KPerMin", "20PerMin", "Unlimited"]);
    assert_eq!(names(&on(limited(None, of_topic), "/news").unwrap()), ["10KPerMin", "20PerMin", "Unlimited"]);
    // No policy must never mean no limit.
    for (api, topic) in [(Some("Gold"), None), (None, Some("Gold"))] {
        assert_eq!(on(limited(api, topic), "/news").unwrap_err(), Refusal::UnknownPolicy);
    }
    let after = |parts| standing(&Snapshot::new(parts), &held, NOW);
    assert_eq!(names(&after(limited(None, api)).unwrap()), ["50KPerMin", "20PerMin", "Unlimited"]);
    assert_eq!(names(&after(limited(None, None)).unwrap()), ["20PerMin", "Unlimited"]);
    let mut parts = limited(api, of_topic);
    parts.api_policies.clear();
    assert!(after(parts).is_err());
}

#[test]
fn a_topic_is_declared_or_not_there_and_its_direction_is_the_sessions() {
    let topic = |path: &str, direction| Topic { path: path.to_owned(), direction, ..Topic::default() };
    let declare = |parts: &mut SnapshotParts, declared: Vec<Topic>| {
        parts.apis[0].topics = Topics { declared, ..Topics::default() };
    };
    let mut parts = world();
    declare(&mut parts, vec![topic("/news", Direction::Subscribe)]);
    let snapshot = Snapshot::new(parts);
    let api = snapshot.api(api_id(ECHO_1)).unwrap();
    let admitted = || admit(&snapshot, api, &identity("production"), Way::OAuthHeader, HERE).unwrap();
    assert_eq!(has_topic(api, "/news"), Ok(()));
    for topic in ["", "/", "/new", "/news/more"] {
        assert_eq!(has_topic(api, topic), Err(Refusal::UnknownTopic), "{topic}");
        assert_eq!(on_topic(&snapshot, admitted(), topic.into()), Err(Refusal::UnknownTopic), "{topic}");
    }
    let held = on_topic(&snapshot, admitted(), "/news".into()).unwrap();
    assert_eq!((held.speech, &*held.topic), (Speech { client: false, backend: true }, "/news"));
    let after = |declared| {
        let mut parts = world();
        declare(&mut parts, declared);
        standing(&Snapshot::new(parts), &held, NOW).map(|grant| (grant.speech, grant.topic))
    };
    assert_eq!(after(Vec::new()), Ok((Speech::default(), "/news".into())));
    let publish = vec![topic("/{any}", Direction::Publish)];
    assert_eq!(after(publish), Ok((Speech { client: true, backend: false }, "/news".into())));
    assert_eq!(after(vec![topic("/old", Direction::Both)]), Err(Unwelcome::TopicGone));
}
