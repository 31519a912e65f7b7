//! What rules are to sessions: on the small world of admission.

use std::net::Ipv4Addr;

use uuid::Uuid;

use super::*;
use crate::{
    admit::{Identity, admit, on_topic, standing},
    endpoint::{Endpoint, Endpoints, Environment},
    id::{ApiId, ApplicationId},
    lifecycle::State,
    limit::Window,
    policy::application_policies,
    security::Way,
    snapshot::{ClientFacts, SnapshotParts},
};

fn id(number: u8) -> CustomRuleId {
    CustomRuleId::new(Timestamp(0), [number; 10])
}

fn rule(number: u8, expression: &str) -> CustomRuleFacts {
    let limits = vec![Limit::messages(5, Window::Minute)];
    let policy = Policy { name: format!("Rule{number}"), limits, ..Policy::default() };
    CustomRuleFacts { id: id(number), policy, expression: expression.to_owned() }
}

fn world(rules: &[CustomRuleFacts]) -> SnapshotParts {
    let application = ApplicationFacts {
        id: ApplicationId(Uuid::from_u128(1)),
        name: "Shop".to_owned(),
        policy: "Unlimited".to_owned(),
        owner: None,
    };
    let api = serde_json::json!({
        "id": Uuid::from_u128(2), "name": "Echo", "context": "/echo", "version": "1.0", "state": State::Prototyped,
        "is_default_version": false, "revision": 1,
        "endpoints": Endpoints { production: Some(Endpoint::new("ws://backend")), sandbox: None },
    });
    SnapshotParts {
        number: 1,
        apis: vec![serde_json::from_value(api).unwrap()],
        clients: vec![ClientFacts {
            client_id: "client".to_owned(),
            application: application.id,
            environment: Environment::Production,
            key_manager: None,
        }],
        applications: vec![application],
        application_policies: application_policies(),
        custom_rules: rules.to_vec(),
        ..SnapshotParts::default()
    }
}

fn granted(snapshot: &Snapshot) -> Grant {
    let api = snapshot.api(ApiId(Uuid::from_u128(2))).unwrap();
    let identity =
        Identity { client_id: "client".to_owned(), expires_at: Timestamp(i64::MAX), ..Identity::default() };
    let address = Ipv4Addr::new(203, 0, 113, 7).into();
    let grant = admit(snapshot, api, &identity, Way::OAuthHeader, address).unwrap();
    on_topic(snapshot, grant, "/rooms/7".into()).unwrap().under_rules(snapshot)
}

fn told(grant: &Grant) -> Vec<String> {
    let one = |held: &HeldRule| match &held.judged {
        Judged::Applies(found, direction) => {
            let amount = found.amount.map_or(String::new(), |amount| format!(" {amount}"));
            format!("{} {}{amount} {}", held.rule.policy.name, found.key, direction.as_str())
        }
        Judged::EachMessage(_) => format!("{} each message", held.rule.policy.name),
        Judged::Failed(failed) => format!("{}: {failed}", held.rule.policy.name),
    };
    grant.rules.iter().map(one).collect()
}

#[test]
fn a_session_is_held_to_what_yields_a_key_for_it() {
    let rules = [
        rule(1, "topic"),
        rule(2, "address == '10.0.0.1' ? 'local' : null"),
        rule(3, "direction == 'publish' ? application.name : 'all'"),
        rule(4, "direction == 'publish' ? api.name : null"),
        rule(5, "size > 1024 ? topic : null"),
        rule(6, "claims.tenant"),
        rule(7, "{'key': api.context, 'amount': size(topic)}"),
        rule(8, "user"),
    ];
    let held = told(&granted(&Snapshot::new(world(&rules))));
    assert_eq!(
        held,
        [
            "Rule1 /rooms/7 both",
            "Rule3 Shop publish",
            "Rule3 all subscribe",
            "Rule4 Echo publish",
            "Rule5 each message",
            "Rule6: there is no “tenant”",
            "Rule7 /echo 8 both",
        ]
    );
    let session = &granted(&Snapshot::new(world(&rules))).rules[4];
    let Judged::EachMessage(circumstances) = &session.judged else { panic!() };
    let judged =
        |size| session.rule.judge(&circumstances.facts(Some(size), Some(Direction::Publish))).unwrap();
    assert_eq!(judged(1_024), None);
    assert_eq!(&*judged(1_025).unwrap().key, "/rooms/7");
}

#[test]
fn an_amount_takes_the_place_of_the_only_one_and_is_bounded() {
    let found = |amount| Found { key: "k".into(), amount };
    let mut facts = rule(1, "{'key': topic, 'amount': 7}");
    let amounts =
        |rule: &Rule, found: &Found| rule.limits(found).map(|limit| limit.amount).collect::<Vec<_>>();
    let one = Rule::new(facts.clone());
    assert_eq!(amounts(&one, &found(Some(7))), [7]);
    assert_eq!(amounts(&one, &found(None)), [5]);
    assert_eq!(amounts(&one, &found(Some(u64::MAX))), [Window::Minute.amount_max()]);
    facts.policy.limits.push(Limit::messages(9, Window::Hour));
    let failed = Rule::new(facts).judge(&Facts { topic: "/a", ..Facts::default() }).unwrap_err();
    assert_eq!(failed.0, "it yields an amount, and its rule has not one limit");
}

#[test]
fn what_cannot_be_read_fails_and_does_nothing_else() {
    let snapshot = Snapshot::new(world(&[rule(1, "topic +"), rule(2, "topic")]));
    let held = told(&granted(&snapshot));
    assert_eq!(held, ["Rule1: The expression ends too early.", "Rule2 /rooms/7 both"]);
}

#[test]
fn a_change_of_rules_touches_everybody_and_what_stays_is_not_read_again() {
    let first = Snapshot::new(world(&[rule(1, "topic"), rule(2, "address")]));
    let held = granted(&first);
    let same = Snapshot::after(world(&[rule(1, "topic"), rule(2, "address")]), &first);
    assert!(!same.touches(&held));
    assert!(Arc::ptr_eq(&same.custom_rules()[0], &first.custom_rules()[0]));
    let changed = Snapshot::after(world(&[rule(1, "topic"), rule(2, "api.name")]), &first);
    assert!(changed.touches(&held));
    assert!(Arc::ptr_eq(&changed.custom_rules()[0], &first.custom_rules()[0]));
    let grant = standing(&changed, &held, Timestamp(0)).unwrap();
    assert_eq!(told(&grant), ["Rule1 /rooms/7 both", "Rule2 Echo both"]);
    let none = Snapshot::after(world(&[]), &changed);
    assert!(none.touches(&grant));
    assert!(standing(&none, &grant, Timestamp(0)).unwrap().rules.is_empty());
}

#[test]
fn only_what_rules_look_at_is_kept_of_sessions() {
    let looked_at = |expression| Snapshot::new(world(&[rule(1, expression)])).looked_at().clone();
    assert!(looked_at("topic + address").is_empty());
    assert!(looked_at("user").has_user());
    let claims = looked_at("has(claims.tenant) ? claims.tenant : null");
    assert_eq!(claims.claims().iter().map(|name| &**name).collect::<Vec<_>>(), ["tenant"]);
}
