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

#[test]
fn a_resumed_budget_goes_on_where_it_was() {
    let at = Timestamp(86_400_000 * 20_000 + 5);
    let limit = Limit { messages: 10, per: Window::Day };
    let budget = Budget::resumed(Window::Day, at, 8);
    assert_eq!(budget.used(Window::Day, at), 8);
    assert_eq!((0..5).filter(|_| budget.take(limit, at).is_ok()).count(), 2);
    let tomorrow = at.plus_millis(86_400_000);
    assert_eq!(budget.used(Window::Day, tomorrow), 0);
    assert_eq!((0..15).filter(|_| budget.take(limit, tomorrow).is_ok()).count(), 10);
}

#[test]
fn a_limit_that_changes_counts_what_was_used_already() {
    let (budget, now) = (Budget::default(), Timestamp(60_000));
    assert_eq!((0..9).filter(|_| budget.take(per_minute(5), now).is_ok()).count(), 5);
    assert!(budget.take(per_minute(3), now).is_err());
    assert_eq!((0..9).filter(|_| budget.take(per_minute(7), now).is_ok()).count(), 2);
    assert_eq!(budget.used(Window::Minute, now), 7);
}

#[test]
fn a_used_up_budget_stays_used_up_at_the_edges_of_numbers() {
    for now in [i64::MIN, -1, 0, i64::MAX].map(Timestamp) {
        for per in [Window::Minute, Window::Day] {
            let (budget, limit) = (Budget::default(), Limit { messages: 1, per });
            assert!(budget.take(limit, now).is_ok(), "{now:?}");
            assert!(budget.take(limit, now).unwrap_err().retry_after_seconds >= 1, "{now:?}");
        }
    }
    let full = Budget::resumed(Window::Minute, Timestamp(60_000), u32::MAX - 1);
    assert!(full.take(per_minute(u32::MAX), Timestamp(60_000)).is_ok());
    assert!(full.take(per_minute(u32::MAX), Timestamp(60_000)).is_err());
    assert_eq!(full.used(Window::Minute, Timestamp(60_000)), u32::MAX, "nothing ran over into the window");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Threads with clocks of their own, which only agree to go forward: whoever is late counts in the window of
    /// those ahead, so a window never has more than its limit, and no message within the limit is refused.
    #[test]
    fn several_threads_over_several_windows_pass_exactly_the_limit(
        limit in 1u32..200,
        clocks in prop::collection::vec(prop::collection::vec(0i64..40_000, 0..60), 2..5),
    ) {
        const WINDOWS: u32 = 6;
        let budget = Budget::default();
        let last = Timestamp(i64::from(WINDOWS - 1) * 60_000);
        let passed: usize = thread::scope(|scope| {
            let workers: Vec<_> = clocks
                .iter()
                .map(|steps| {
                    let budget = &budget;
                    scope.spawn(move || {
                        let mut now = Timestamp(0);
                        let mut passed = 0;
                        for step in steps {
                            now = now.plus_millis(*step).min(last);
                            passed += usize::from(budget.take(per_minute(limit), now).is_ok());
                        }
                        // Everyone meets in the last window and wants more than there is.
                        passed + (0..limit).filter(|_| budget.take(per_minute(limit), last).is_ok()).count()
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        let asked: usize = clocks.iter().map(Vec::len).sum();
        prop_assert_eq!(budget.used(Window::Minute, last), limit, "the last window gave all it had");
        prop_assert!(passed >= limit as usize);
        prop_assert!(passed <= limit as usize + asked, "what passed before was asked for");
        prop_assert!(passed <= (limit * WINDOWS) as usize, "no window gave more than its limit");
    }
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
