//! How what several gateways tell of one address is added up.

use tidegate_model::{id::ApiId, time::Timestamp};

use super::*;

const URL: &str = "ws://backend";
const TOLD_AT: Timestamp = Timestamp(1_000_000);

fn told(state: TargetState, failures: u32, check: Option<(i64, bool)>) -> Told {
    let last_check = check.map(|(at, ok)| LastCheck { at: Timestamp(at), ok });
    let facts = TargetFacts {
        api: ApiId(Uuid::nil()),
        environment: Environment::Production,
        url: URL.to_owned(),
        state,
        failures,
        open: 3,
        last_check,
    };
    Told { facts, at: TOLD_AT }
}

fn after(told: &[Told], millis: i64) -> TargetHealth {
    summed(URL, Environment::Production, told, TOLD_AT.millis() + millis)
}

#[test]
fn nothing_told_is_unknown() {
    let sum = after(&[], 0);
    assert_eq!((sum.state, sum.gateways, sum.sessions_open), ("unknown", 0, 0));
    let other = [told(TargetState::Up, 0, None)];
    assert_eq!(summed(URL, Environment::Sandbox, &other, 0).state, "unknown", "another environment");
    assert_eq!(summed("ws://other", Environment::Production, &other, 0).state, "unknown", "another address");
}

#[test]
fn the_worst_is_shown_and_numbers_are_added() {
    let mut all = vec![told(TargetState::Up, 0, Some((5, true)))];
    let sum = after(&all, 0);
    assert_eq!((sum.state, sum.gateways, sum.up, sum.sessions_open), ("up", 1, 1, 3));
    all.push(told(TargetState::Suspended { left_ms: 1_500 }, 4, Some((7, false))));
    let sum = after(&all, 0);
    assert_eq!((sum.state, sum.gateways, sum.up, sum.sessions_open), ("suspended", 2, 1, 6));
    assert_eq!((sum.failures, sum.suspended_seconds), (4, 2));
    assert!(!sum.last_check.unwrap().ok, "the newest check");
    all.push(told(TargetState::Unhealthy, 0, None));
    assert_eq!(after(&all, 0).state, "unhealthy");
}

#[test]
fn a_suspension_ends_by_itself() {
    let one = [told(TargetState::Suspended { left_ms: 1_500 }, 4, None)];
    assert_eq!((after(&one, 499).state, after(&one, 499).suspended_seconds), ("suspended", 2));
    assert_eq!((after(&one, 500).state, after(&one, 500).suspended_seconds), ("suspended", 1));
    assert_eq!((after(&one, 1_500).state, after(&one, 1_500).suspended_seconds), ("up", 0));
    assert_eq!(after(&one, 1_500).up, 1);
}
