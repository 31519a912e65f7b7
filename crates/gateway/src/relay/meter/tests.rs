//! A session's share of the budgets: which counts first, what survives a new snapshot, and what is forgotten.

use tidegate_model::{
    admit::{Identity, admit},
    custom_rule::CustomRuleFacts,
    endpoint::Environment,
    id::{CustomRuleId, SubscriptionId},
    lifecycle::State,
    limit::{Counting, Limit, Unit, Window},
    snapshot::{ClientFacts, Snapshot, SnapshotParts, SubscriptionFacts},
};
use tidegate_wire::{Side, close::CloseReason, relay::MessageKind};

use super::{super::budgets::Budgets, *};
use crate::{testing, time::Monotonic};

mod levels;
mod ruled;
mod scenarios;

/// 23 seconds into a minute.
pub(in crate::relay) const NOW: Timestamp = Timestamp(1_800_000_023_000);
const NEXT_MINUTE: Timestamp = Timestamp(1_800_000_060_000);

pub(in crate::relay) const fn per_minute(messages: u64) -> Limit {
    Limit::messages(messages, Window::Minute)
}

const fn per_day(messages: u64) -> Limit {
    Limit::messages(messages, Window::Day)
}

pub(in crate::relay) fn plan(name: &str, limit: impl Into<Option<Limit>>) -> Policy {
    Policy { name: name.to_owned(), limits: limit.into().into_iter().collect(), ..Policy::default() }
}

/// A rule of this expression.
fn rule(expression: &str, limit: Limit) -> CustomRuleFacts {
    let id = CustomRuleId::new(NOW, [7; 10]);
    CustomRuleFacts { id, policy: plan("Rule", limit), expression: expression.to_owned() }
}

fn gold(retry_after_seconds: u32) -> UsedUp {
    let (plan, level) = ("Gold".to_owned(), Level::Subscription);
    UsedUp { plan, level, retry_after_seconds, scarcity: Scarcity::Used }
}

pub(in crate::relay) fn budgets() -> Arc<Budgets> {
    Budgets::new(Monotonic::start(), None)
}

/// One API, one application with one key, subscribed under the plan Gold.
pub(in crate::relay) fn world(
    gold: impl Into<Option<Limit>>,
    policy: impl Into<Option<Limit>>,
) -> SnapshotParts {
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

pub(in crate::relay) fn grant(parts: &SnapshotParts) -> Grant {
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
    pub(in crate::relay) fn asks(&mut self, at: Timestamp) -> Result<(), CloseReason> {
        self.at(at, Micros::ZERO);
        let message =
            MessageStart { from: Side::Client, kind: MessageKind::Text, payload_bytes: 1, is_whole: true };
        match self.admit(Micros::ZERO, message) {
            Admission::Pass => Ok(()),
            Admission::Close(reason) => Err(reason),
            other => panic!("a meter passes or closes, not {other:?}"),
        }
    }

    #[track_caller]
    pub(in crate::relay) fn passes(&mut self, messages: u32, at: Timestamp) {
        for message in 1..=messages {
            assert_eq!(self.asks(at), Ok(()), "message {message} of {messages}");
        }
    }
}

#[track_caller]
pub(in crate::relay) fn refused_by(name: &str, retry_after: u32, refusal: Result<(), CloseReason>) {
    let reason = refusal.expect_err("the limit is reached");
    let level = match name {
        "Policy" => r#","level":"application""#,
        "Api" => r#","level":"api""#,
        "Topic" => r#","level":"topic""#,
        "Rule" => r#","level":"rule""#,
        _ => "",
    };
    let expected = format!(r#"{{"reason":"quota","plan":"{name}"{level},"retry_after":{retry_after}}}"#);
    assert_eq!((reason.code(), reason.reason()), (Some(4429), &*expected));
}

#[test]
fn n_messages_pass_and_the_next_one_does_not() {
    let budgets = budgets();
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
    let budgets = budgets();
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
    let budgets = budgets();
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
    let budgets = budgets();
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
    let budgets = budgets();
    let mut meter = budgets.meter(&grant(&world(None, None)));
    meter.passes(10_000, NOW);
    assert_eq!(budgets.connect(&meter, NOW), Ok(()));
    assert_eq!(budgets.count(), 0, "what has no limit has no budget");
    Meter::default().passes(10_000, NOW);
}

#[test]
fn used_up_says_so_before_a_session_opens() {
    let budgets = budgets();
    let grant = grant(&world(per_minute(1), per_day(7)));
    let connect = |at| budgets.connect(&budgets.meter(&grant), at);
    assert_eq!(connect(NOW), Ok(()));
    budgets.meter(&grant).passes(1, NOW);
    let used_up = gold(37);
    assert_eq!(connect(NOW), Err(used_up));
    assert_eq!(connect(NEXT_MINUTE), Ok(()));
    for minute in 1..7 {
        budgets.meter(&grant).passes(1, NOW.plus_millis(minute * 60_000));
    }
    // The seventh message of the day was the last, whatever the minute says.
    let later = NOW.plus_millis(3_600_000);
    let of_the_day = connect(later).unwrap_err();
    // 1,800,000,000 is 08:00 of its day.
    assert_eq!((&*of_the_day.plan, of_the_day.retry_after_seconds), ("Policy", 15 * 3_600 - 23));
}

#[test]
fn a_limit_of_zero_lets_nobody_in() {
    let budgets = budgets();
    assert!(budgets.connect(&budgets.meter(&grant(&world(per_minute(0), None))), NOW).is_err());
}

#[test]
fn another_plan_goes_on_with_what_was_used() {
    let budgets = budgets();
    let mut parts = world(per_minute(5), None);
    budgets.meter(&grant(&parts)).passes(2, NOW);
    "Silver".clone_into(&mut parts.subscriptions[0].plan);
    let mut silver = budgets.meter(&grant(&parts));
    silver.passes(1, NOW);
    refused_by("Silver", 37, silver.asks(NOW));
}

#[test]
fn a_budget_of_days_does_not_continue_one_of_minutes() {
    let budgets = budgets();
    budgets.meter(&grant(&world(per_minute(5), None))).passes(5, NOW);
    let mut by_day = budgets.meter(&grant(&world(per_day(2), None)));
    by_day.passes(2, NOW);
    assert!(by_day.asks(NOW).is_err());
    refused_by("Gold", 37, budgets.meter(&grant(&world(per_minute(5), None))).asks(NOW));
}

#[test]
fn a_limit_that_was_raised_has_the_difference_left() {
    let budgets = budgets();
    budgets.meter(&grant(&world(per_minute(5), None))).passes(5, NOW);
    let mut raised = budgets.meter(&grant(&world(per_minute(8), None)));
    raised.passes(3, NOW);
    refused_by("Gold", 37, raised.asks(NOW));
    refused_by("Gold", 37, budgets.meter(&grant(&world(per_minute(4), None))).asks(NOW));
}

#[test]
fn a_prototype_without_subscription_is_held_to_the_application_alone() {
    let budgets = budgets();
    let mut parts = world(per_minute(1), per_minute(2));
    parts.subscriptions.clear();
    parts.apis[0].state = State::Prototyped;
    let mut meter = budgets.meter(&grant(&parts));
    meter.passes(2, NOW);
    refused_by("Policy", 37, meter.asks(NOW));
}

/// The meter of a session under a plan with these limits.
fn under(budgets: &Arc<Budgets>, limits: &[Limit], on_excess: Excess) -> Meter {
    let mut parts = world(None, None);
    (parts.plans[0].limits, parts.plans[0].on_excess) = (limits.to_vec(), on_excess);
    budgets.meter(&grant(&parts))
}

#[test]
fn a_policy_says_what_becomes_of_a_message_too_many() {
    let message = |from| MessageStart { from, kind: MessageKind::Binary, payload_bytes: 10, is_whole: true };
    let sliding = Limit { counting: Counting::Sliding { burst: 1 }, ..per_minute(120) };
    for (limit, delay) in [(per_minute(1), 37_000_u32), (sliding, 500)] {
        for on_excess in Excess::ALL {
            let budgets = budgets();
            let mut meter = under(&budgets, &[limit], on_excess);
            let now = Micros::from_secs(9);
            meter.at(NOW, now);
            assert_eq!(meter.admit(now, message(Side::Backend)), Admission::Pass);
            let expected = match on_excess {
                Excess::Close => Admission::Close(quota_close(&gold(delay.div_ceil(1_000)))),
                Excess::Delay => Admission::Delay(now.plus(Micros::from_millis(u64::from(delay)))),
                // Its API declares no notice.
                Excess::Drop | Excess::Notify => Admission::Drop,
                Excess::Count => Admission::Pass,
            };
            assert_eq!(meter.admit(now, message(Side::Client)), expected, "{limit:?}");
            // Whose messages wait or are dropped may come in; whoever would be closed at once may not.
            let connects = budgets.connect(&meter, NOW);
            assert_eq!(connects.is_err(), on_excess == Excess::Close, "{limit:?}");
        }
    }
}

#[test]
fn bytes_of_later_frames_count_and_of_the_first_only_once() {
    let budgets = budgets();
    let bytes = Limit { unit: Unit::Bytes, ..per_minute(100) };
    let mut meter = under(&budgets, &[bytes], Excess::Close);
    let first = |payload_bytes, is_whole| MessageStart {
        from: Side::Client,
        kind: MessageKind::Binary,
        payload_bytes,
        is_whole,
    };
    meter.at(NOW, Micros::ZERO);
    for message in [first(40, true), first(20, false)] {
        assert_eq!(meter.admit(Micros::ZERO, message), Admission::Pass);
        meter.passed(Side::Client, message.payload_bytes);
    }
    // Beside them the other side talks, too.
    let answer = MessageStart { from: Side::Backend, ..first(9, true) };
    assert_eq!(meter.admit(Micros::ZERO, answer), Admission::Pass);
    meter.passed(Side::Client, 30);
    meter.passed(Side::Backend, 9);
    assert_eq!(meter.admit(Micros::ZERO, first(1, true)), Admission::Pass, "99 of 100 were used");
    assert!(matches!(meter.admit(Micros::ZERO, first(0, true)), Admission::Close(_)), "and now all");
}

#[test]
fn a_frame_under_way_counts_once_when_the_policies_change() {
    let budgets = budgets();
    let bytes = Limit { unit: Unit::Bytes, ..per_minute(100) };
    let mut before = under(&budgets, &[bytes], Excess::Close);
    before.at(NOW, Micros::ZERO);
    let start = |payload_bytes| MessageStart {
        from: Side::Client,
        kind: MessageKind::Binary,
        payload_bytes,
        is_whole: true,
    };
    assert_eq!(before.admit(Micros::ZERO, start(60)), Admission::Pass);
    let mut after = under(&budgets, &[Limit { amount: 110, ..bytes }], Excess::Close);
    after.go_on_from(&before);
    after.at(NOW, Micros::ZERO);
    after.passed(Side::Client, 60);
    assert_eq!(after.admit(Micros::ZERO, start(50)), Admission::Pass, "60 of 110 were used");
    assert!(matches!(after.admit(Micros::ZERO, start(0)), Admission::Close(_)), "and now all");
}

#[test]
fn a_plan_may_bound_how_many_sessions_begin() {
    let budgets = budgets();
    let connects = Limit { unit: Unit::Connects, ..per_minute(2) };
    let mut meter = under(&budgets, &[connects, per_day(3)], Excess::Drop);
    for _ in 0..2 {
        assert_eq!(budgets.connect(&meter, NOW), Ok(()));
    }
    let used_up = gold(37);
    assert_eq!(budgets.connect(&meter, NOW), Err(used_up));
    meter.passes(3, NOW);
    assert_eq!(budgets.connect(&meter, NEXT_MINUTE), Ok(()));
}
