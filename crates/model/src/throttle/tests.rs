//! Exactness: against a slow and obvious model, over window edges, set clocks, and from many threads.

use std::{collections::HashMap, thread};

use proptest::prelude::*;

use super::*;
use crate::{time::DAY_MILLIS, topic::Direction};

const fn per_minute(amount: u64) -> Limit {
    Limit::messages(amount, Window::Minute)
}

const fn sliding(amount: u64, per: Window, burst: u64) -> Limit {
    Limit { counting: Counting::Sliding { burst }, ..Limit::messages(amount, per) }
}

/// Both clocks at a time of the wall clock after the epoch; they agree.
const fn at(millis: i64) -> Moment {
    Moment { wall: Timestamp(millis), micros: millis.unsigned_abs() * 1_000 }
}

fn passed(budget: &Budget, gauge: &Gauge, asked: u32, now: Moment) -> u32 {
    (0..asked).map(|_| u32::from(budget.take(gauge, 1, now).is_ok())).sum()
}

const fn used_up_for(retry_after_millis: u64) -> Exhausted {
    Exhausted { retry_after_millis, scarcity: Scarcity::Used }
}

#[test]
fn message_n_passes_and_message_n_plus_one_is_refused() {
    let (budget, gauge) = (Budget::default(), Gauge::from(per_minute(3)));
    let now = at(1_700_000_000_000);
    assert_eq!(passed(&budget, &gauge, 3, now), 3);
    assert_eq!(budget.refuses(&gauge, now), Some(used_up_for(40_000)));
    let refused = budget.take(&gauge, 1, now).unwrap_err();
    assert_eq!(refused.retry_after_seconds(), 40, "13:33:20 plus 40 seconds is the next minute");
    assert_eq!(budget.reading(&gauge, now).used, 3);
    budget.take(&gauge, 1, at(1_700_000_040_000)).unwrap();
}

#[test]
fn a_limit_of_zero_refuses_everything() {
    for per in Window::ALL {
        for limit in [Limit::messages(0, per), sliding(0, per, 5)] {
            let gauge = Gauge::from(limit);
            for now in [at(0), at(60_000), at(1_700_000_000_000)] {
                let refused = Budget::default().take(&gauge, 1, now).unwrap_err();
                assert!(refused.retry_after_seconds() <= 31 * 86_400, "{refused:?}");
            }
        }
    }
}

#[test]
fn bytes_may_go_over_by_the_last_message_however_it_was_split() {
    let limit = Limit { unit: Unit::Bytes, ..per_minute(1_000) };
    for frames in [vec![1_500], vec![1, 1_499], vec![500, 500, 500]] {
        let (budget, gauge, now) = (Budget::default(), Gauge::from(limit), at(60_000));
        budget.take(&gauge, 999, now).unwrap();
        budget.take(&gauge, frames[0], now).unwrap();
        frames[1..].iter().for_each(|frame| budget.add(&gauge, *frame, now));
        assert_eq!(budget.reading(&gauge, now).used, 2_499, "{frames:?}");
        assert!(budget.take(&gauge, 1, now).is_err(), "{frames:?}");
    }
    let limit = Limit { counting: Counting::Sliding { burst: 1_000 }, ..limit };
    let (budget, gauge) = (Budget::default(), Gauge::from(limit));
    budget.take(&gauge, 61_000, at(0)).unwrap();
    // 61,000 bytes of 1,000 a minute: a thousand may be owed, so the next begins after an hour, and a byte's time.
    assert!(budget.take(&gauge, 1, at(3_600_000)).is_err());
    assert!(budget.take(&gauge, 1, at(3_600_060)).is_ok());
}

#[test]
fn what_slides_comes_back_evenly() {
    let (budget, gauge) = (Budget::default(), Gauge::from(sliding(60, Window::Minute, 3)));
    assert_eq!(passed(&budget, &gauge, 9, at(5_000)), 3);
    assert_eq!(budget.refuses(&gauge, at(5_000)), Some(used_up_for(1_000)));
    assert_eq!(passed(&budget, &gauge, 9, at(5_999)), 0);
    assert_eq!(passed(&budget, &gauge, 9, at(6_000)), 1);
    assert_eq!(passed(&budget, &gauge, 9, at(8_500)), 2);
    assert_eq!(budget.refuses(&gauge, at(8_500)), Some(used_up_for(500)));
    assert_eq!(passed(&budget, &gauge, 9, at(100_000)), 3, "a long rest gives no more than the burst");
    // What a nanosecond cannot say is rounded against the client, once per message: seven a minute, exactly.
    let (budget, gauge) = (Budget::default(), Gauge::from(sliding(7, Window::Minute, 7)));
    assert_eq!(passed(&budget, &gauge, 9, at(1)), 7);
    assert_eq!(passed(&budget, &gauge, 9, at(60_000)), 6);
    assert_eq!(passed(&budget, &gauge, 9, at(60_002)), 1);
}

#[test]
fn a_clock_that_is_set_back_gives_no_second_budget_and_stops_nobody_for_long() {
    let (budget, gauge) = (Budget::default(), Gauge::from(per_minute(1)));
    budget.take(&gauge, 1, at(120_000)).unwrap();
    let refused = budget.take(&gauge, 1, at(119_999)).unwrap_err();
    assert_eq!(refused.retry_after_millis, 60_001, "the window that was there has to end");
    for per in Window::ALL {
        let gauge = Gauge::from(Limit::messages(2, per));
        let budget = Budget::default();
        // A year ahead by mistake, and back.
        budget.take(&gauge, 1, at(1_800_000_000_000 + 365 * DAY_MILLIS)).unwrap();
        let now = at(1_800_000_000_000);
        assert_eq!(passed(&budget, &gauge, 5, now), 1, "{per:?}: what was used stays used");
        let next = per.begin(per.number(now.wall) + 1);
        assert_eq!(passed(&budget, &gauge, 5, at(next.millis())), 2, "{per:?}: and the next window is whole");
    }
    // What slides does not look at the wall clock.
    let (budget, gauge) = (Budget::default(), Gauge::from(sliding(60, Window::Minute, 1)));
    budget.take(&gauge, 1, Moment { wall: Timestamp(0), micros: 5_000_000 }).unwrap();
    assert!(budget.take(&gauge, 1, Moment { wall: Timestamp(i64::MAX), micros: 5_999_999 }).is_err());
    assert!(budget.take(&gauge, 1, Moment { wall: Timestamp(-1), micros: 6_000_000 }).is_ok());
}

#[test]
fn many_threads_admit_exactly_the_limit() {
    for limit in [per_minute(5_000), sliding(1, Window::Minute, 5_000)] {
        let (budget, gauge) = (Budget::default(), Gauge::from(limit));
        let total: u32 = thread::scope(|scope| {
            let workers: Vec<_> =
                (0..4).map(|_| scope.spawn(|| passed(&budget, &gauge, 2_000, at(60_000)))).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        assert_eq!(total, 5_000, "{limit:?}");
    }
}

#[test]
fn what_is_given_back_was_never_taken() {
    for limit in [per_minute(2), sliding(60, Window::Minute, 2), Limit { unit: Unit::Bytes, ..per_minute(2) }]
    {
        let (budget, gauge, now) = (Budget::default(), Gauge::from(limit), at(90_000));
        budget.take(&gauge, 1, now).unwrap();
        for _ in 0..9 {
            budget.take(&gauge, 1, now).unwrap();
            budget.give_back(&gauge, 1, now);
        }
        assert_eq!(passed(&budget, &gauge, 5, now), 1, "{limit:?}");
    }
    // A colleague went on to the next minute: there is nothing to give back to, and nothing is won.
    let (budget, gauge) = (Budget::default(), Gauge::from(per_minute(2)));
    budget.take(&gauge, 1, at(59_999)).unwrap();
    budget.take(&gauge, 1, at(60_000)).unwrap();
    budget.give_back(&gauge, 1, at(59_999));
    assert_eq!(passed(&budget, &gauge, 5, at(60_000)), 1);
}

#[test]
fn a_resumed_budget_goes_on_where_it_was() {
    let then = DAY_MILLIS * 20_000 + 5;
    let limit = Limit::messages(10, Window::Day);
    let gauge = Gauge::from(limit);
    let used = Used::Calendar { window: 20_000, units: 8 };
    let resumed = |now| Budget::resumed(limit.shape(), used, Timestamp(then), now);
    let budget = resumed(at(then + 7));
    assert_eq!(budget.reading(&gauge, at(then)).used, 8);
    assert_eq!(passed(&budget, &gauge, 5, at(then)), 2);
    assert_eq!(budget.reading(&gauge, at(then + DAY_MILLIS)).used, 0);
    assert_eq!(passed(&budget, &gauge, 15, at(then + DAY_MILLIS)), 10);
    // A day later what was used is of no use.
    assert_eq!(passed(&resumed(at(then + DAY_MILLIS)), &gauge, 15, at(then + DAY_MILLIS)), 10);
    // A clock that was set back by less than a window gives nobody a second budget.
    assert_eq!(passed(&resumed(at(then - 10)), &gauge, 15, at(then - 10)), 2);
    // What slides went on sliding while nobody counted, and the clock that only goes forward began anew.
    let limit = sliding(24, Window::Day, 10);
    let now = Moment { wall: Timestamp(then + 3 * 3_600_000), micros: 17 };
    let used = Used::Sliding { clear_at: Timestamp(then + 8 * 3_600_000) };
    let budget = Budget::resumed(limit.shape(), used, Timestamp(then), now);
    assert_eq!(budget.reading(&limit.into(), now).used, 5);
    assert_eq!(passed(&budget, &limit.into(), 9, now), 5);
}

#[test]
fn a_limit_that_changes_counts_what_was_used_already() {
    let (budget, now) = (Budget::default(), at(60_000));
    let of = |amount| Gauge::from(per_minute(amount));
    assert_eq!(passed(&budget, &of(5), 9, now), 5);
    assert!(budget.take(&of(3), 1, now).is_err());
    assert_eq!(passed(&budget, &of(7), 9, now), 2);
    assert_eq!(budget.reading(&of(7), now).used, 7);
    // Five seconds of work are owed, whatever the rate is by which they are told.
    let (budget, of) = (Budget::default(), |amount| Gauge::from(sliding(amount, Window::Minute, 10)));
    assert_eq!(passed(&budget, &of(60), 5, now), 5);
    assert_eq!(passed(&budget, &of(120), 99, now), 0);
    assert_eq!(passed(&budget, &of(120), 99, at(62_500)), 5);
}

#[test]
fn a_used_up_budget_stays_used_up_at_the_edges_of_numbers() {
    for now in
        [i64::MIN, -1, 0, 4_102_444_800_000].map(|millis| Moment { wall: Timestamp(millis), micros: 0 })
    {
        for per in Window::ALL {
            let (budget, gauge) = (Budget::default(), Gauge::from(Limit::messages(1, per)));
            assert!(budget.take(&gauge, 1, now).is_ok(), "{now:?}");
            assert!(budget.take(&gauge, 1, now).unwrap_err().retry_after_millis >= 1, "{now:?}");
        }
    }
    for per in Window::ALL {
        let gauge = Gauge::from(Limit { unit: Unit::Bytes, ..Limit::messages(per.amount_max(), per) });
        let (budget, now) = (Budget::default(), at(60_000));
        budget.take(&gauge, u64::MAX, now).unwrap();
        budget.add(&gauge, u64::MAX, now);
        let used = budget.reading(&gauge, now).used;
        assert!(used > per.amount_max(), "{per:?}: nothing ran over into the window: {used}");
        assert!(budget.take(&gauge, 1, now).is_err(), "{per:?}");
    }
}

/// A budget as one would write it down: every message that passed, with when.
#[derive(Default)]
struct Slow {
    by_window: HashMap<u64, u64>,
    /// What a sliding budget owes, in nanoseconds, and when that was.
    owed: i128,
    micros: u64,
}

impl Slow {
    fn take(&mut self, limit: &Limit, units: u64, now: Moment) -> bool {
        match limit.counting {
            Counting::Calendar => {
                let used = self.by_window.entry(limit.per.number(now.wall)).or_default();
                let begins = *used < limit.amount;
                *used += if begins { units } else { 0 };
                begins
            }
            Counting::Sliding { burst } => {
                let nanos = |units: u64| {
                    let product = i128::from(units) * i128::from(limit.per.millis()) * 1_000_000;
                    (product + i128::from(limit.amount) - 1) / i128::from(limit.amount)
                };
                self.owed = (self.owed - i128::from(now.micros - self.micros) * 1_000).max(0);
                self.micros = now.micros;
                let most =
                    if limit.unit == Unit::Bytes { nanos(burst) } else { nanos(1) * i128::from(burst) };
                let begins = self.owed + nanos(1) <= most;
                self.owed += if begins { nanos(units) } else { 0 };
                begins
            }
        }
    }
}

fn any_limit() -> impl Strategy<Value = Limit> {
    let per = prop::sample::select(Window::ALL.to_vec());
    let counting =
        prop_oneof![Just(Counting::Calendar), (1u64..20).prop_map(|burst| Counting::Sliding { burst })];
    (1u64..50, per, counting, any::<bool>()).prop_map(|(amount, per, counting, bytes)| Limit {
        amount,
        unit: if bytes { Unit::Bytes } else { Unit::Messages },
        per,
        counting,
        direction: Direction::Both,
    })
}

proptest! {
    /// Every decision is the slow model's, and so is what is said about the next message: refused until the time that it
    /// was told, and not a millisecond longer.
    #[test]
    fn agrees_with_a_list_of_what_passed(
        limit in any_limit(),
        start in 0i64..4_000_000_000_000,
        steps in prop::collection::vec((0u64..1_500, 1u64..9), 1..80),
    ) {
        let (gauge, budget, mut slow) = (Gauge::from(limit), Budget::default(), Slow::default());
        let mut now = at(start);
        for (step, size) in steps {
            // Steps of thousandths of the window, so that every window has edges in a run.
            let micros = u64::try_from(limit.per.millis()).unwrap() * step;
            now.micros += micros;
            now.wall = Timestamp(i64::try_from(now.micros / 1_000).unwrap());
            let units = if limit.unit == Unit::Bytes { size } else { 1 };
            let refused = budget.refuses(&gauge, now);
            let begins = budget.take(&gauge, units, now);
            prop_assert_eq!(begins.err(), refused);
            prop_assert_eq!(begins.is_ok(), slow.take(&limit, units, now), "{:?} at {:?}", limit, now);
            if let Err(exhausted) = begins {
                let wait = exhausted.retry_after_millis;
                let later = |millis: u64| Moment {
                    wall: now.wall.plus_millis(i64::try_from(millis).unwrap()),
                    micros: now.micros + millis * 1_000,
                };
                prop_assert!(budget.refuses(&gauge, later(wait)).is_none(), "{:?} waits {}", limit, wait);
                prop_assert!(budget.refuses(&gauge, later(wait - 1)).is_some(), "{:?} waits {}", limit, wait);
            }
        }
    }

    /// Over any stretch of time no more passes than the burst and what came back meanwhile.
    #[test]
    fn what_slides_never_gives_more_than_burst_and_rate(
        amount in 1u64..5_000,
        burst in 1u64..40,
        steps in prop::collection::vec(0u64..40_000, 1..200),
    ) {
        let gauge = Gauge::from(sliding(amount, Window::Second, burst));
        let (budget, mut micros, mut when) = (Budget::default(), 1_000_000, Vec::new());
        for step in steps {
            micros += step;
            if budget.take(&gauge, 1, Moment { wall: Timestamp(0), micros }).is_ok() {
                when.push(micros);
            }
        }
        for (first, from) in when.iter().enumerate() {
            for (last, until) in when.iter().enumerate().skip(first) {
                let most = burst + (until - from) * 1_000 / gauge.one;
                prop_assert!((last - first + 1) as u64 <= most, "{} to {}", from, until);
            }
        }
    }

    /// A wall clock that is set about at will: no window that it shows gives more than its amount, between two settings of it.
    #[test]
    fn a_clock_that_is_set_at_will_gives_no_window_twice(
        amount in 1u64..6,
        per in prop::sample::select(Window::ALL.to_vec()),
        days in prop::collection::vec((-3i64..4, 0i64..3_000), 1..60),
    ) {
        let gauge = Gauge::from(Limit::messages(amount, per));
        let (budget, mut wall) = (Budget::default(), 1_800_000_000_000);
        let mut passed = HashMap::<u64, u64>::new();
        let mut is_set_forward = 0;
        for (leap, step) in days {
            // Forward by leaps, and back by them: what is used stays used, so each window that is entered anew by a leap
            // forward can give its amount once more, and no step back gives anything.
            let before = wall;
            wall += leap * DAY_MILLIS + step;
            is_set_forward += u64::from(per.number(Timestamp(wall)) > per.number(Timestamp(before)));
            let now = Moment { wall: Timestamp(wall), micros: 0 };
            let got = (0..amount + 2).filter(|_| budget.take(&gauge, 1, now).is_ok()).count() as u64;
            prop_assert!(got <= amount);
            *passed.entry(per.number(Timestamp(wall))).or_default() += got;
        }
        let total: u64 = passed.values().sum();
        prop_assert!(total <= amount * (1 + is_set_forward), "{} of {}, {} times forward", total, amount, is_set_forward);
    }
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
        let (budget, gauge) = (Budget::default(), Gauge::from(per_minute(u64::from(limit))));
        // Nobody is later than a minute: a worker that is, is taken for lost long before.
        let last = i64::from(WINDOWS - 1) * 10_000 + 60_000;
        let total: u32 = thread::scope(|scope| {
            let workers: Vec<_> = clocks
                .iter()
                .map(|steps| {
                    let (budget, gauge) = (&budget, &gauge);
                    scope.spawn(move || {
                        let (mut now, mut total) = (50_000, 0);
                        for step in steps {
                            now = (now + step).min(last);
                            total += passed(budget, gauge, 1, at(now));
                        }
                        // Everyone meets in the last window and wants more than there is.
                        total + passed(budget, gauge, limit, at(last))
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        let asked: usize = clocks.iter().map(Vec::len).sum();
        prop_assert_eq!(budget.reading(&gauge, at(last)).used, u64::from(limit), "the last window gave all it had");
        prop_assert!(total >= limit && total as usize <= limit as usize + asked, "what passed before was asked for");
        prop_assert!(total <= limit * 2, "no window gave more than its limit");
    }
}

proptest! {
    /// A reading says when another unit of what slides is back: not a millisecond before.
    #[test]
    fn a_unit_of_a_sliding_budget_is_back_when_its_reading_says(
        amount in 1..5_000_u64,
        burst in 1..40_u64,
        per in prop::sample::select(Window::ALL.to_vec()),
        steps in prop::collection::vec((0..8_u32, 0..5_000_i64), 1..20),
    ) {
        let (budget, gauge) = (Budget::default(), Gauge::from(sliding(amount, per, burst)));
        let mut now = 1_000_000;
        for (asked, pass) in steps {
            passed(&budget, &gauge, asked, at(now));
            let reading = budget.reading(&gauge, at(now));
            let Some(more_at) = reading.more_at.map(Timestamp::millis) else {
                prop_assert_eq!(reading.used, 0);
                continue;
            };
            prop_assert!(more_at > now);
            let used_at = |millis| budget.reading(&gauge, at(millis)).used;
            prop_assert_eq!(used_at(more_at - 1), reading.used);
            prop_assert!(used_at(more_at) < reading.used);
            if let Some(refused) = budget.refuses(&gauge, at(now)) {
                prop_assert_eq!(refused.retry_after_millis, (more_at - now).unsigned_abs());
            }
            now += pass;
        }
    }
}
