//! A session's share of the budgets: which counts first, what survives a new snapshot, and what is forgotten.

use tidegate_model::{
    admit::{Identity, admit},
    endpoint::Environment,
    lifecycle::State,
    plan::Plan,
    snapshot::{ClientFacts, SnapshotParts, SubscriptionFacts},
};
use tidegate_wire::{Side, close::CloseReason, relay::MessageKind};

use super::*;
use crate::testing;

/// 23 seconds into a minute.
const NOW: Timestamp = Timestamp(1_800_000_023_000);
const NEXT_MINUTE: Timestamp = Timestamp(1_800_000_060_000);

const fn per_minute(messages: u32) -> Limit {
    Limit { messages, per: Window::Minute }
}

const fn per_day(messages: u32) -> Limit {
    Limit { messages, per: Window::Day }
}

fn plan(name: &str, limit: impl Into<Option<Limit>>) -> Plan {
    Plan { name: name.to_owned(), description: String::new(), limit: limit.into() }
}

/// One API, one application with one key, subscribed under the plan Gold.
fn world(gold: impl Into<Option<Limit>>, policy: impl Into<Option<Limit>>) -> SnapshotParts {
    let (api, application) = (testing::api(), testing::application());
    let subscription = SubscriptionFacts {
        id: SubscriptionId::new(NOW, [3; 10]),
        application: application.id,
        api: api.id,
        plan: "Gold".to_owned(),
    };
    let client = ClientFacts {
        key_manager: None,
        client_id: "client".to_owned(),
        application: application.id,
        environment: Environment::Production,
    };
    SnapshotParts {
        number: 1,
        apis: vec![api],
        applications: vec![application],
        clients: vec![client],
        subscriptions: vec![subscription],
        plans: vec![plan("Gold", gold), plan("Silver", per_minute(3))],
        application_policies: vec![plan("Policy", policy)],
        ..SnapshotParts::default()
    }
}

fn grant(parts: &SnapshotParts) -> Grant {
    let snapshot = Snapshot::new(parts.clone());
    let api = Arc::clone(snapshot.api(parts.apis[0].id).unwrap());
    let identity = Identity {
        key_manager: None,
        client_id: "client".to_owned(),
        subject: "client".to_owned(),
        expires_at: Timestamp(i64::MAX),
        ..Identity::default()
    };
    admit(
        &snapshot,
        &api,
        &identity,
        tidegate_model::security::Way::OAuthHeader,
        std::net::Ipv4Addr::LOCALHOST.into(),
    )
    .unwrap()
}

impl Meter {
    /// Asks for a message; what refuses it says why.
    fn asks(&mut self, at: Timestamp) -> Result<(), CloseReason> {
        self.at(at);
        let message =
            MessageStart { from: Side::Client, kind: MessageKind::Text, payload_bytes: 1, is_whole: true };
        match self.admit(Micros::ZERO, message) {
            Admission::Pass => Ok(()),
            Admission::Close(reason) => Err(reason),
            other => panic!("a meter passes or closes, not {other:?}"),
        }
    }

    #[track_caller]
    fn passes(&mut self, messages: u32, at: Timestamp) {
        for message in 1..=messages {
            assert_eq!(self.asks(at), Ok(()), "message {message} of {messages}");
        }
    }
}

#[track_caller]
fn refused_by(name: &str, retry_after: u32, refusal: Result<(), CloseReason>) {
    let reason = refusal.expect_err("the limit is reached");
    let expected = format!(r#"{{"reason":"quota","plan":"{name}","retry_after":{retry_after}}}"#);
    assert_eq!((reason.code(), reason.reason()), (Some(4429), &*expected));
}

#[test]
fn n_messages_pass_and_the_next_one_does_not() {
    let budgets = Budgets::default();
    let mut meter = budgets.meter(&grant(&world(per_minute(5), None)));
    meter.passes(5, NOW);
    for _ in 0..3 {
        refused_by("Gold", 37, meter.asks(NOW));
    }
    meter.passes(5, NEXT_MINUTE);
    refused_by("Gold", 60, meter.asks(NEXT_MINUTE));
}

#[test]
fn the_sessions_of_a_subscription_share_one_budget() {
    let budgets = Budgets::default();
    let grant = grant(&world(per_minute(5), None));
    let mut meters = [budgets.meter(&grant), budgets.meter(&grant)];
    meters[0].passes(3, NOW);
    meters[1].passes(2, NOW);
    refused_by("Gold", 37, meters[0].asks(NOW));
    refused_by("Gold", 37, meters[1].asks(NOW));
    refused_by("Gold", 37, budgets.meter(&grant).asks(NOW));
}

#[test]
fn what_the_application_refuses_costs_the_plan_nothing() {
    let budgets = Budgets::default();
    let parts = world(per_minute(5), per_minute(2));
    let mut meter = budgets.meter(&grant(&parts));
    meter.passes(2, NOW);
    for _ in 0..9 {
        refused_by("Policy", 37, meter.asks(NOW));
    }
    // Without the policy the plan has three of its five left.
    let mut unlimited = budgets.meter(&grant(&world(per_minute(5), None)));
    unlimited.passes(3, NOW);
    refused_by("Gold", 37, unlimited.asks(NOW));
}

#[test]
fn what_the_plan_refuses_costs_the_application_nothing() {
    let budgets = Budgets::default();
    let mut meter = budgets.meter(&grant(&world(per_minute(2), per_minute(5))));
    meter.passes(2, NOW);
    for _ in 0..9 {
        refused_by("Gold", 37, meter.asks(NOW));
    }
    // Its other subscriptions have the other three.
    let mut unlimited = budgets.meter(&grant(&world(None, per_minute(5))));
    unlimited.passes(3, NOW);
    refused_by("Policy", 37, unlimited.asks(NOW));
}

#[test]
fn without_limits_everything_passes() {
    let budgets = Budgets::default();
    let mut meter = budgets.meter(&grant(&world(None, None)));
    meter.passes(10_000, NOW);
    assert_eq!(meter.used_up(NOW), None);
    assert!(budgets.held().budgets.is_empty(), "what has no limit has no budget");
    Meter::default().passes(10_000, NOW);
}

#[test]
fn used_up_says_so_before_a_session_opens() {
    let budgets = Budgets::default();
    let grant = grant(&world(per_minute(1), per_day(7)));
    assert_eq!(budgets.meter(&grant).used_up(NOW), None);
    budgets.meter(&grant).passes(1, NOW);
    let used_up = UsedUp { plan: "Gold".to_owned(), retry_after_seconds: 37 };
    assert_eq!(budgets.meter(&grant).used_up(NOW), Some(used_up));
    assert_eq!(budgets.meter(&grant).used_up(NEXT_MINUTE), None);
    for minute in 1..7 {
        budgets.meter(&grant).passes(1, NOW.plus_millis(minute * 60_000));
    }
    // The seventh message of the day was the last, whatever the minute says.
    let later = NOW.plus_millis(3_600_000);
    let of_the_day = budgets.meter(&grant).used_up(later).unwrap();
    assert_eq!(
        (&*of_the_day.plan, of_the_day.retry_after_seconds),
        ("Policy", Window::Day.seconds_left(later))
    );
}

#[test]
fn a_limit_of_zero_lets_nobody_in() {
    let meter = Budgets::default().meter(&grant(&world(per_minute(0), None)));
    assert!(meter.used_up(NOW).is_some());
}

#[test]
fn another_plan_goes_on_with_what_was_used() {
    let budgets = Budgets::default();
    let mut parts = world(per_minute(5), None);
    budgets.meter(&grant(&parts)).passes(2, NOW);
    "Silver".clone_into(&mut parts.subscriptions[0].plan);
    let mut silver = budgets.meter(&grant(&parts));
    silver.passes(1, NOW);
    refused_by("Silver", 37, silver.asks(NOW));
}

#[test]
fn a_budget_of_days_does_not_continue_one_of_minutes() {
    let budgets = Budgets::default();
    budgets.meter(&grant(&world(per_minute(5), None))).passes(5, NOW);
    let mut by_day = budgets.meter(&grant(&world(per_day(2), None)));
    by_day.passes(2, NOW);
    assert!(by_day.asks(NOW).is_err());
    refused_by("Gold", 37, budgets.meter(&grant(&world(per_minute(5), None))).asks(NOW));
}

#[test]
fn a_limit_that_was_raised_has_the_difference_left() {
    let budgets = Budgets::default();
    budgets.meter(&grant(&world(per_minute(5), None))).passes(5, NOW);
    let mut raised = budgets.meter(&grant(&world(per_minute(8), None)));
    raised.passes(3, NOW);
    refused_by("Gold", 37, raised.asks(NOW));
    refused_by("Gold", 37, budgets.meter(&grant(&world(per_minute(4), None))).asks(NOW));
}

#[test]
fn budgets_of_what_exists_survive_a_snapshot_and_others_are_forgotten() {
    let budgets = Budgets::default();
    let parts = world(per_minute(5), per_minute(9));
    budgets.meter(&grant(&parts)).passes(5, NOW);
    budgets.forget_absent(&Snapshot::new(parts.clone()));
    refused_by("Gold", 37, budgets.meter(&grant(&parts)).asks(NOW));
    assert_eq!(budgets.held().budgets.len(), 2);

    let mut unsubscribed = parts.clone();
    unsubscribed.subscriptions.clear();
    budgets.forget_absent(&Snapshot::new(unsubscribed));
    assert_eq!(budgets.held().budgets.len(), 1, "the application is still there");

    budgets.forget_absent(&Snapshot::new(SnapshotParts::default()));
    assert!(budgets.held().budgets.is_empty());
}

#[test]
fn budgets_of_addresses_are_forgotten_when_there_are_many_but_for_those_in_use() {
    let budgets = Budgets::default();
    let parts = world(None, None);
    let mut nobody = grant(&parts);
    (nobody.subscription, nobody.way, nobody.plan_limit) = (None, Way::None, Some(per_minute(1)));
    let mut from = |number: u32| {
        nobody.address = number.to_be_bytes().into();
        budgets.meter(&nobody)
    };
    let mut stays = from(1);
    stays.passes(1, NOW);
    for number in 2..=u32::try_from(BUDGETS_SWEPT_FROM).unwrap() + 1 {
        drop(from(number));
    }
    assert_eq!(budgets.held().budgets.len(), 2, "the one in use and the last");
    let same = from(1);
    assert!(same.used_up(NOW).is_some(), "a second session of the address has no more");
    budgets.forget_absent(&Snapshot::new(parts));
    assert_eq!(budgets.held().budgets.len(), 2, "a change of something else gives nobody new messages");
    budgets.forget_absent(&Snapshot::new(SnapshotParts::default()));
    assert!(budgets.held().budgets.is_empty());
}

#[test]
fn a_new_subscription_in_the_place_of_an_old_one_has_its_own_budget() {
    let budgets = Budgets::default();
    let mut parts = world(per_minute(5), None);
    budgets.meter(&grant(&parts)).passes(5, NOW);
    parts.subscriptions[0].id = SubscriptionId::new(NOW, [4; 10]);
    budgets.meter(&grant(&parts)).passes(5, NOW);
    budgets.forget_absent(&Snapshot::new(parts.clone()));
    assert_eq!(budgets.held().budgets.len(), 1);
    refused_by("Gold", 37, budgets.meter(&grant(&parts)).asks(NOW));
}

#[test]
fn a_prototype_without_subscription_is_held_to_the_application_alone() {
    let budgets = Budgets::default();
    let mut parts = world(per_minute(1), per_minute(2));
    parts.subscriptions.clear();
    parts.apis[0].state = State::Prototyped;
    let mut meter = budgets.meter(&grant(&parts));
    meter.passes(2, NOW);
    refused_by("Policy", 37, meter.asks(NOW));
}
