//! Four levels at once: whose budget each is, what they cost each other, and what a change of the design leaves.

use tidegate_model::{
    admit::on_topic,
    group::Group,
    id::{ApiId, ApplicationId},
    topic::{Topic, Topics},
};

use super::{
    super::super::budgets::{Full, OfWhom},
    *,
};

fn topic(path: &str, policy: Option<&str>) -> Topic {
    Topic { path: path.to_owned(), api_policy: policy.map(str::to_owned), ..Topic::default() }
}

/// One API under the policy Api, whose rooms are under the policy Topic; the plan and the application have no limit.
fn limited(of_api: impl Into<Option<Limit>>, of_topic: impl Into<Option<Limit>>) -> SnapshotParts {
    let mut parts = world(None, None);
    parts.api_policies = vec![plan("Api", of_api), plan("Topic", of_topic)];
    parts.apis[0].api_policy = Some("Api".to_owned());
    let declared = vec![topic("/rooms/{room}", Some("Topic")), topic("/*", None)];
    parts.apis[0].topics = Topics { declared, ..Topics::default() };
    parts
}

fn grant_on(parts: &SnapshotParts, topic: &str) -> Grant {
    let snapshot = Snapshot::new(parts.clone());
    on_topic(&snapshot, grant(parts), topic.into()).unwrap().under_rules(&snapshot)
}

/// The same API, used by somebody else.
fn by_another(mut grant: Grant) -> Grant {
    let mut application = (*grant.application).clone();
    application.id = ApplicationId::new(NOW, [8; 10]);
    (grant.application, grant.subscription) =
        (Arc::new(application), Some(SubscriptionId::new(NOW, [8; 10])));
    grant
}

#[test]
fn an_api_is_one_budget_over_all_who_use_it_whatever_their_topic() {
    let budgets = budgets();
    let parts = limited(per_minute(6), None);
    let ours = grant_on(&parts, "/rooms/1");
    let theirs = by_another(grant_on(&parts, "/other"));
    let mut nobody = grant_on(&parts, "/rooms/2");
    (nobody.subscription, nobody.way, nobody.plan) = (None, Way::None, None);
    for grant in [&ours, &theirs, &nobody] {
        budgets.meter(grant).passes(2, NOW);
    }
    for grant in [&ours, &theirs, &nobody] {
        refused_by("Api", 37, budgets.meter(grant).asks(NOW));
        let used_up = UsedUp { plan: "Api".to_owned(), level: Level::Api, ..gold(37) };
        assert_eq!(budgets.connect(&budgets.meter(grant), NOW), Err(used_up));
    }
    let mut elsewhere = parts;
    elsewhere.apis[0].id = ApiId::new(NOW, [9; 10]);
    elsewhere.subscriptions[0].api = elsewhere.apis[0].id;
    budgets.meter(&grant_on(&elsewhere, "/rooms/1")).passes(6, NOW);
}

#[test]
fn a_topic_is_one_budget_over_all_who_are_on_it_and_the_apis_holds_besides() {
    let budgets = budgets();
    let parts = limited(per_minute(5), per_minute(3));
    let [first, second, other] = ["/rooms/1", "/rooms/2", "/other"].map(|topic| grant_on(&parts, topic));
    budgets.meter(&first).passes(2, NOW);
    budgets.meter(&by_another(second.clone())).passes(1, NOW);
    refused_by("Topic", 37, budgets.meter(&first).asks(NOW));
    refused_by("Topic", 37, budgets.meter(&second).asks(NOW));
    budgets.meter(&other).passes(2, NOW);
    refused_by("Api", 37, budgets.meter(&other).asks(NOW));
}

#[test]
fn what_one_level_refuses_costs_the_others_nothing() {
    for refusing in Level::ALL {
        let budgets = budgets();
        let of = |level| per_minute(if level == refusing { 2 } else { 5 });
        let mut parts = limited(of(Level::Api), of(Level::Topic));
        parts.application_policies[0].limits = vec![of(Level::Application)];
        parts.plans[0].limits = vec![of(Level::Subscription)];
        parts.custom_rules = vec![rule("topic", of(Level::Rule))];
        let name = match refusing {
            Level::Api => "Api",
            Level::Topic => "Topic",
            Level::Application => "Policy",
            Level::Subscription => "Gold",
            Level::Rule => "Rule",
        };
        let mut meter = budgets.meter(&grant_on(&parts, "/rooms/1"));
        meter.passes(2, NOW);
        for _ in 0..9 {
            refused_by(name, 37, meter.asks(NOW));
        }
        // With more there, each of the other four has three of its five left.
        let [policies, application, plan] =
            [&mut parts.api_policies, &mut parts.application_policies, &mut parts.plans];
        match refusing {
            Level::Api => policies[0].limits.clear(),
            Level::Topic => policies[1].limits.clear(),
            Level::Application => application[0].limits.clear(),
            Level::Subscription => plan[0].limits.clear(),
            Level::Rule => parts.custom_rules.clear(),
        }
        let mut meter = budgets.meter(&grant_on(&parts, "/rooms/1"));
        meter.passes(3, NOW);
        assert!(meter.asks(NOW).is_err(), "{refusing:?}");
    }
}

#[test]
fn a_topic_keeps_what_was_used_while_it_is_declared_wherever_it_stands() {
    let budgets = budgets();
    let mut parts = limited(None, per_minute(3));
    budgets.meter(&grant_on(&parts, "/rooms/1")).passes(2, NOW);
    parts.apis[0].topics.declared.insert(0, topic("/first", None));
    budgets.forget_absent(&Snapshot::new(parts.clone()));
    let mut meter = budgets.meter(&grant_on(&parts, "/rooms/1"));
    meter.passes(1, NOW);
    refused_by("Topic", 37, meter.asks(NOW));
    assert_eq!(budgets.count(), 1);
    parts.apis[0].topics.declared.clear();
    budgets.forget_absent(&Snapshot::new(parts));
    assert_eq!(budgets.count(), 0);
}

#[test]
fn a_session_is_counted_anew_when_its_topic_is_declared_as_another() {
    let mut parts = limited(per_minute(9), per_minute(3));
    let before = grant_on(&parts, "/rooms/1");
    assert!(is_held_alike(&before, &grant_on(&parts, "/rooms/1")));
    assert!(is_held_alike(&before, &grant_on(&parts, "/rooms/2")), "both are of one topic");
    assert!(!is_held_alike(&before, &grant_on(&parts, "/other")));
    parts.apis[0].topics.declared.insert(0, topic("/*", Some("Topic")));
    assert!(!is_held_alike(&before, &grant_on(&parts, "/rooms/1")), "the same policy, of another topic");
    let mut unlimited = limited(per_minute(9), per_minute(3));
    unlimited.apis[0].api_policy = None;
    assert!(!is_held_alike(&before, &grant_on(&unlimited, "/rooms/1")));
}

#[test]
fn sessions_at_once_are_bounded_at_every_level() {
    let budgets = budgets();
    let mut parts = limited(None, None);
    (parts.api_policies[0].sessions_max, parts.api_policies[1].sessions_max) = (Some(3), Some(2));
    let open = |grant: Grant| {
        let mut meter = budgets.meter(&grant);
        budgets.seat(&mut meter, &grant).map(|()| meter)
    };
    let full = |plan: &str, level, sessions_max| Full {
        plan: plan.to_owned(),
        level,
        sessions_max,
        of: OfWhom::All,
    };
    let room = open(grant_on(&parts, "/rooms/1")).unwrap();
    let other_room = open(by_another(grant_on(&parts, "/rooms/2"))).unwrap();
    assert_eq!(open(grant_on(&parts, "/rooms/1")).unwrap_err(), full("Topic", Level::Topic, 2));
    // Who was refused at the topic has no place of the API either.
    let other = open(grant_on(&parts, "/other")).unwrap();
    assert_eq!(open(grant_on(&parts, "/other")).unwrap_err(), full("Api", Level::Api, 3));
    drop(room);
    assert!(open(grant_on(&parts, "/rooms/1")).is_ok());
    drop((other_room, other));
}

/// A group of those who come from the address of the tests.
fn inside(messages: u64) -> Group {
    Group {
        name: "Inside".to_owned(),
        conditions: serde_json::from_str(r#"[{"kind": "address", "any_of": ["127.0.0.0/8"]}]"#).unwrap(),
        limits: vec![per_minute(messages)],
        ..Group::default()
    }
}

#[test]
fn a_group_has_a_budget_of_its_own_that_lasts_as_long_as_it_does() {
    let budgets = budgets();
    let mut parts = limited(per_minute(3), per_minute(9));
    parts.api_policies[0].groups = vec![inside(5)];
    let within = grant_on(&parts, "/other");
    let mut outside = grant_on(&parts, "/other");
    outside.address = [192, 0, 2, 1].into();
    assert!(!is_held_alike(&within, &outside));
    budgets.meter(&within).passes(4, NOW);
    budgets.meter(&outside).passes(3, NOW);
    refused_by("Api", 37, budgets.meter(&outside).asks(NOW));
    budgets.meter(&by_another(within.clone())).passes(1, NOW);
    refused_by("Api", 37, budgets.meter(&within).asks(NOW));
    // More in the group, and what was used stays used.
    parts.api_policies[0].groups = vec![inside(6)];
    budgets.forget_absent(&Snapshot::new(parts.clone()));
    let mut meter = budgets.meter(&grant_on(&parts, "/other"));
    meter.passes(1, NOW);
    refused_by("Api", 37, meter.asks(NOW));
    // Both hold: the topic's policy has no group.
    let mut room = budgets.meter(&grant_on(&parts, "/rooms/1"));
    refused_by("Api", 37, room.asks(NOW));
    assert_eq!(budgets.count(), 3);
    parts.api_policies[0].groups.clear();
    budgets.forget_absent(&Snapshot::new(parts));
    assert_eq!(budgets.count(), 2, "the group is gone");
}
