//! Rules by which each message has a key: what a session remembers of keys, and what it forgets.

use tidegate_model::topic::Direction;

use super::*;

const TOPIC: &str = "/rooms/7";

/// A grant under a rule, at a topic.
fn under_rule(expression: &str, limit: Limit) -> Grant {
    let mut parts = world(None, None);
    parts.custom_rules = vec![rule(expression, limit)];
    let snapshot = Snapshot::new(parts.clone());
    Grant { topic: TOPIC.into(), ..grant(&parts) }.under_rules(&snapshot)
}

fn message(from: Side, payload_bytes: u64) -> MessageStart {
    MessageStart { from, kind: MessageKind::Binary, payload_bytes, is_whole: true }
}

fn decides(meter: &mut Meter, from: Side, bytes: u64) -> bool {
    meter.at(NOW, Micros::ZERO);
    matches!(meter.admit(Micros::ZERO, message(from, bytes)), Admission::Pass)
}

#[test]
fn each_size_has_a_budget_and_sessions_share_them() {
    let budgets = budgets();
    let grant = under_rule("size < 100 ? string(size) : null", per_minute(2));
    let [mut one, mut other] = [(), ()].map(|()| budgets.meter(&grant));
    for bytes in 0..20 {
        assert!(decides(&mut one, Side::Client, bytes));
        assert!(decides(&mut other, Side::Backend, bytes));
    }
    // More keys than a session remembers; their budgets are whose they are.
    for bytes in 0..20 {
        assert!(!decides(&mut one, Side::Client, bytes), "{bytes}");
        assert!(!decides(&mut other, Side::Client, bytes), "{bytes}");
    }
    assert!(decides(&mut one, Side::Client, 100));
    assert_eq!(budgets.count(), 20);
    assert_eq!(one.shares.len(), 0, "what is under way is of nobody");
}

#[test]
fn what_is_used_of_a_key_is_told_though_the_session_forgets_it() {
    let budgets = budgets();
    let mut meter = budgets.meter(&under_rule("string(size)", per_minute(9)));
    for bytes in 0..30 {
        assert!(decides(&mut meter, Side::Client, bytes));
    }
    let mut used = Vec::new();
    meter.list_used(&mut used);
    budgets.used(&mut used);
    let told = budgets.tell(NOW);
    assert_eq!(told.len(), 30);
    assert!(
        told.iter().all(|usage| matches!(usage.used, tidegate_model::usage::Used::Calendar { units: 1, .. }))
    );
}

#[test]
fn bytes_of_later_frames_count_under_the_key_of_their_message() {
    let budgets = budgets();
    let bytes = Limit { unit: Unit::Bytes, ..per_minute(100) };
    let mut meter = budgets.meter(&under_rule("size > 10 ? direction : null", bytes));
    meter.at(NOW, Micros::ZERO);
    let mut begin = |from, bytes| {
        let start = MessageStart { is_whole: false, ..message(from, bytes) };
        let passes = matches!(meter.admit(Micros::ZERO, start), Admission::Pass);
        meter.passed(from, bytes);
        meter.passed(from, 70);
        passes
    };
    // The backend's go on beside the client's, each under its own key.
    assert!(begin(Side::Client, 30) && begin(Side::Backend, 5) && begin(Side::Backend, 20));
    assert!(!begin(Side::Client, 11), "thirty and seventy are a hundred");
    assert!(begin(Side::Backend, 11), "ninety are not");
    assert!(!begin(Side::Backend, 11));
}

#[test]
fn sessions_are_held_alike_by_what_rules_yield() {
    let grant = |expression: &str, limit| under_rule(expression, limit);
    let before = grant("topic", per_minute(2));
    assert!(is_held_alike(&before, &grant("topic", per_minute(2))));
    assert!(!is_held_alike(&before, &grant("topic", per_minute(3))));
    assert!(!is_held_alike(&before, &grant("'x'", per_minute(2))));
    assert!(!is_held_alike(&before, &grant("null", per_minute(2))));
}

#[test]
fn keys_that_nobody_holds_are_forgotten_where_there_are_many_and_with_their_rule() {
    let budgets = budgets();
    let mut parts = world(None, None);
    parts.custom_rules = vec![rule("topic", per_minute(2))];
    let snapshot = Snapshot::new(parts.clone());
    let at = |number: u32| {
        let topic = format!("/{number}").into();
        Grant { topic, ..grant(&parts) }.under_rules(&snapshot)
    };
    let mut kept = budgets.meter(&at(0));
    kept.passes(1, NOW);
    for number in 1..200_000 {
        drop(budgets.meter(&at(number)));
    }
    assert!(budgets.count() < 140_000, "{}", budgets.count());
    let mut again = budgets.meter(&at(0));
    again.passes(1, NOW);
    refused_by("Rule", 37, again.asks(NOW));
    budgets.forget_absent(&snapshot);
    assert!(budgets.count() > 1);
    drop((kept, again));
    budgets.forget_absent(&Snapshot::new(world(None, None)));
    assert_eq!(budgets.count(), 0);
}

#[test]
fn a_share_of_one_direction_counts_what_is_sent_in_it_alone() {
    let budgets = budgets();
    let limit = Limit { direction: Direction::Publish, ..per_minute(2) };
    let mut meter = budgets.meter(&under_rule("direction", limit));
    assert_eq!(meter.shares.len(), 1, "what backends say has no limit");
    meter.passes(2, NOW);
    refused_by("Rule", 37, meter.asks(NOW));
    assert!(decides(&mut meter, Side::Backend, 1));
}

#[test]
fn sessions_that_begin_are_counted_by_key_as_well() {
    let budgets = budgets();
    let connects = Limit { unit: Unit::Connects, ..per_minute(2) };
    let grant = under_rule("topic", connects);
    for _ in 0..2 {
        assert_eq!(budgets.connect(&budgets.meter(&grant), NOW), Ok(()));
    }
    let used_up = UsedUp { plan: "Rule".to_owned(), level: Level::Rule, ..gold(37) };
    assert_eq!(budgets.connect(&budgets.meter(&grant), NOW), Err(used_up));
    let elsewhere = under_rule("'other'", connects);
    assert_eq!(budgets.connect(&budgets.meter(&elsewhere), NOW), Ok(()));
}

/// What a rule that is asked for each message costs: `cargo nextest run -p tidegate-gateway --cargo-profile release
/// --no-capture -E 'test(/what_a_rule_costs/)'` prints it.
#[test]
fn what_a_rule_costs_a_message_is_printed() {
    const MESSAGES: u32 = if cfg!(debug_assertions) { 2_000 } else { 1_000_000 };
    let budgets = budgets();
    let plenty = per_minute(Window::Minute.amount_max());
    for expression in [
        "null",
        "topic",
        "size > 1024 ? topic : null",
        "topic.startsWith('/rooms/') && size > 1024 && api.name != '' ? topic : null",
        "size > 1024 ? {'key': topic, 'amount': 1000000} : null",
    ] {
        let mut meter = budgets.meter(&under_rule(expression, plenty));
        let began = std::time::Instant::now();
        for _ in 0..MESSAGES {
            assert!(decides(&mut meter, Side::Client, 2_000));
        }
        let a_message = began.elapsed() / MESSAGES;
        println!("{a_message:>10.0?} a message: {expression}");
    }
}
