//! Exactness: against an obvious model, over window edges, and from many threads.

use std::{collections::HashMap, sync::Arc, thread};

use proptest::prelude::*;

use super::*;

const fn per_minute(messages: u32) -> Limit {
    Limit { messages, per: Window::Minute }
}

#[test]
fn message_n_passes_and_message_n_plus_one_is_refused() {
    let budget = Budget::default();
    let now = Timestamp(1_700_000_000_000);
    for _ in 0..3 {
        budget.take(per_minute(3), now).unwrap();
    }
    let refused = budget.take(per_minute(3), now).unwrap_err();
    assert_eq!(refused.retry_after_seconds, 40, "13:33:20 plus 40 seconds is the next minute");
    assert_eq!(budget.used(Window::Minute, now), 3);
    budget.take(per_minute(3), Timestamp(1_700_000_040_000)).unwrap();
}

#[test]
fn a_limit_of_zero_refuses_everything() {
    assert!(Budget::default().take(per_minute(0), Timestamp(0)).is_err());
    assert!(Budget::default().take(per_minute(0), Timestamp(60_000)).is_err());
}

#[test]
fn a_clock_that_steps_back_gives_no_second_budget() {
    let budget = Budget::default();
    budget.take(per_minute(1), Timestamp(120_000)).unwrap();
    assert!(budget.take(per_minute(1), Timestamp(119_999)).is_err());
}

#[test]
fn many_threads_admit_exactly_the_limit() {
    let budget = Arc::new(Budget::default());
    let passed: usize = (0..4)
        .map(|_| {
            let budget = Arc::clone(&budget);
            thread::spawn(move || {
                (0..2_000).filter(|_| budget.take(per_minute(5_000), Timestamp(60_000)).is_ok()).count()
            })
        })
        .collect::<Vec<_>>()
        .into_iter()
        .map(|worker| worker.join().unwrap())
        .sum();
    assert_eq!(passed, 5_000);
}

proptest! {
    #[test]
    fn agrees_with_a_map_of_windows(limit in 0u32..6, day: bool, steps in prop::collection::vec(0i64..90_000, 1..80)) {
        let per = if day { Window::Day } else { Window::Minute };
        let limit = Limit { messages: limit, per };
        let (budget, mut model, mut now) = (Budget::default(), HashMap::<i64, u32>::new(), 1_800_000_000_000);
        for step in steps {
            now += if day { step * 700 } else { step };
            let used = model.entry(now / per.millis()).or_default();
            let passes = *used < limit.messages;
            *used += u32::from(passes);
            prop_assert_eq!(budget.take(limit, Timestamp(now)).is_ok(), passes);
            prop_assert_eq!(budget.used(per, Timestamp(now)), *used);
            let left = i64::from(per.seconds_left(Timestamp(now)));
            prop_assert!(left >= 1 && (now + left * 1_000) / per.millis() > now / per.millis());
        }
    }
}
