//! What was told adds up to what was used, whatever is killed and whichever clock is set.

use proptest::prelude::*;

use super::*;
use crate::{holder::Holder, id::ApplicationId, limit::Counting, throttle::Gauge};

const HOUR: i64 = 60 * MINUTE_MILLIS;
/// 08:00:23 of some day.
const NOW: i64 = 1_800_000_023_000;

fn key(limit: &Limit) -> BudgetKey {
    let holder = Holder::Application(ApplicationId::new(Timestamp(NOW), [1; 10]));
    BudgetKey { holder, shape: limit.shape() }
}

/// The clocks of a process that began at `began`.
fn moment(now: i64, began: i64) -> Moment {
    Moment { wall: Timestamp(now), micros: now.abs_diff(began) * 1_000 }
}

fn sliding(amount: u64, per: Window, burst: u64) -> Limit {
    Limit { counting: Counting::Sliding { burst }, ..Limit::messages(amount, per) }
}

/// How many pass of so many that are tried.
fn passed(tally: &Tally, limit: Limit, tried: u64, now: Moment) -> u64 {
    (0..tried).map(|_| u64::from(tally.budget().take(&Gauge::from(limit), 1, now).is_ok())).sum()
}

/// As a store does: what is known, with what was told.
fn keep(known: &mut Option<Usage>, told: Option<Usage>) {
    if let Some(told) = told {
        *known = Some(known.take().map_or_else(|| told.clone(), |known| known.then(&told)));
    }
}

#[test]
fn what_was_told_once_is_not_told_again() {
    let limit = Limit::messages(10, Window::Day);
    let (tally, now) = (Arc::new(Tally::new(key(&limit), None)), moment(NOW, NOW));
    assert_eq!(tally.tell(now), None, "nothing was used");
    assert_eq!(passed(&tally, limit, 3, now), 3);
    let of = |units| Some(Used::Calendar { window: Window::Day.number(Timestamp(NOW)), units });
    assert_eq!(tally.tell(now).map(|usage| usage.used), of(3));
    assert_eq!(tally.tell(now), None);
    assert_eq!(passed(&tally, limit, 2, now), 2);
    assert_eq!(tally.tell(now).map(|usage| usage.used), of(2));
    // Given back after it was told: what is taken then was told already.
    let gauge = Gauge::from(limit);
    tally.budget().take(&gauge, 1, now).unwrap();
    assert_eq!(tally.tell(now).map(|usage| usage.used), of(1));
    tally.budget().give_back(&gauge, 1, now);
    assert_eq!(tally.tell(now), None);
    tally.budget().take(&gauge, 1, now).unwrap();
    assert_eq!(tally.tell(now), None);
    tally.budget().take(&gauge, 1, now).unwrap();
    assert_eq!(tally.tell(now).map(|usage| usage.used), of(1));
}

#[test]
fn a_tally_is_on_a_list_once_until_it_is_told() {
    let mut list = Vec::new();
    let tally = Arc::new(Tally::new(key(&Limit::messages(10, Window::Minute)), None));
    tally.list(&mut list);
    tally.list(&mut list);
    assert_eq!(list.len(), 1);
    tally.tell(moment(NOW, NOW));
    tally.list(&mut list);
    assert_eq!(list.len(), 2);
    Arc::new(Tally::new(key(&Limit::messages(10, Window::Second)), None)).list(&mut list);
    assert_eq!(list.len(), 2, "a second is over before it could be told");
}

#[test]
fn a_debt_is_paid_off_while_nobody_counts_and_by_no_clock_that_was_set_back() {
    let limit = sliding(24, Window::Day, 10);
    let tally = Tally::new(key(&limit), None);
    let began = NOW - 5_000;
    assert_eq!(passed(&tally, limit, 20, moment(NOW, began)), 10);
    let told = tally.tell(moment(NOW, began)).unwrap();
    assert_eq!(told.used, Used::Sliding { clear_at: Timestamp(NOW + 10 * HOUR) });
    for (hours, left) in [(0, 0), (3, 3), (10, 10), (99, 10), (-2, 0)] {
        let again = moment(NOW + hours * HOUR, NOW + hours * HOUR - 17);
        let resumed = Tally::resumed(&told, again, None);
        assert_eq!(resumed.tell(again), None, "it was told");
        assert_eq!(passed(&resumed, limit, 20, again), left, "after {hours} hours");
    }
    // A clock set back makes nobody wait longer than the debt was when it was told.
    let back = moment(NOW - 99 * HOUR, NOW - 99 * HOUR);
    let resumed = Tally::resumed(&told, back, None);
    let refused = resumed.budget().refuses(&Gauge::from(limit), back).unwrap();
    assert_eq!(refused.retry_after_seconds(), 3_600);
}

#[test]
fn a_window_takes_the_place_of_an_earlier_one_and_of_one_that_no_clock_comes_to() {
    let limit = Limit::messages(10, Window::Hour);
    let at = |hours: i64, units| Usage {
        key: key(&limit),
        used: Used::Calendar { window: Window::Hour.number(Timestamp(NOW + hours * HOUR)), units },
        at: Timestamp(NOW + hours * HOUR),
    };
    assert_eq!(at(0, 3).then(&at(0, 4)), at(0, 7));
    assert_eq!(at(0, 3).then(&at(1, 4)), at(1, 4));
    // Told late, by another gateway: of no use.
    let late = Usage { at: Timestamp(NOW + HOUR), ..at(0, 3) };
    assert_eq!(at(1, 4).then(&late), Usage { at: late.at, ..at(1, 4) });
    // Told by a clock that was set back by a year.
    assert_eq!(at(24 * 365, 4).then(&at(0, 3)), at(0, 3));
    // So for debts.
    let owes = |told: i64, until: i64| Usage {
        key: key(&sliding(10, Window::Hour, 10)),
        used: Used::Sliding { clear_at: Timestamp(NOW + until * HOUR) },
        at: Timestamp(NOW + told * HOUR),
    };
    assert_eq!(owes(0, 3).then(&owes(1, 2)), owes(1, 3));
    assert_eq!(owes(0, 3).then(&owes(1, 4)), owes(1, 4));
    assert_eq!(owes(24 * 365, 24 * 365 + 3).then(&owes(0, 2)), owes(0, 2));
}

#[test]
fn a_limit_is_read_as_gateways_count_it_and_one_of_another_shape_not_at_all() {
    let limit = Limit::messages(10, Window::Hour);
    let window = Window::Hour.number(Timestamp(NOW));
    let usage = Usage { key: key(&limit), used: Used::Calendar { window, units: 7 }, at: Timestamp(NOW) };
    assert_eq!(usage.units(&Limit { amount: 3, ..limit }, Timestamp(NOW)), Some(7));
    assert_eq!(usage.units(&limit, Timestamp(NOW + HOUR)), Some(0));
    assert_eq!(usage.units(&Limit::messages(10, Window::Day), Timestamp(NOW)), None);
}

#[derive(Debug, Clone)]
enum Step {
    Take(u64),
    Tell,
    /// The process ends, after it told or without, and another one begins.
    Restart(bool),
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..6_u64).prop_map(Step::Take),
        2 => Just(Step::Tell),
        2 => any::<bool>().prop_map(Step::Restart),
        2 => prop_oneof![1..2_000_i64, 1..3 * HOUR].prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    /// With ends that tell, restarts change nothing; without, never more is given again than was not told.
    #[test]
    fn a_budget_over_restarts_is_the_budget_of_a_process_that_never_ended(
        steps in steps(),
        limit in prop_oneof![
            Just(Limit::messages(9, Window::Hour)),
            Just(Limit::messages(20, Window::Day)),
            Just(sliding(12, Window::Hour, 7)),
        ],
    ) {
        let (mut now, mut began, eternal) = (NOW, NOW, NOW);
        let (mut tally, steady) = (Tally::new(key(&limit), None), Tally::new(key(&limit), None));
        let (mut known, mut untold, mut lost) = (None, 0, 0);
        for step in steps {
            match step {
                Step::Take(tried) => {
                    let passes = passed(&tally, limit, tried, moment(now, began));
                    let expected = passed(&steady, limit, tried, moment(now, eternal));
                    // A debt that is rounded up to a millisecond may be paid off by one message fewer.
                    let slack = u64::from(limit.shape().slides());
                    prop_assert!(passes + slack >= expected, "{passes} of {expected}");
                    prop_assert!(passes <= expected + lost + slack, "{passes} of {expected} and {lost}");
                    untold += passes;
                }
                Step::Tell => {
                    keep(&mut known, tally.tell(moment(now, began)));
                    untold = 0;
                }
                Step::Restart(tells) => {
                    if tells {
                        keep(&mut known, tally.tell(moment(now, began)));
                    } else {
                        lost += untold;
                    }
                    (untold, began) = (0, now - 3_000);
                    let again = moment(now, began);
                    tally = known.as_ref().map_or_else(
                        || Tally::new(key(&limit), None),
                        |usage| Tally::resumed(usage, again, None),
                    );
                }
                Step::Pass(millis) => now += millis,
            }
        }
    }
}
