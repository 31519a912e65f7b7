//! Several budgets at once: what counts where, and that what one refuses costs the others nothing.

use std::thread;

use proptest::prelude::*;

use super::*;
use crate::{
    holder::{BudgetKey, Holder},
    id::ApplicationId,
    limit::{Counting, Window},
    time::Timestamp,
};

const fn at(millis: i64) -> Moment {
    Moment { wall: Timestamp(millis), micros: millis.unsigned_abs() * 1_000 }
}

const fn message(from: Sender, bytes: u64) -> Event {
    Event::Message { from, bytes }
}

const ONE: Event = message(Sender::Client, 1);

fn shares(limits: &[Limit]) -> Shares {
    let policy = |place: usize| Policy { name: format!("policy {place}"), ..Policy::default() };
    let share = |(place, limit): (usize, &Limit)| {
        let holder = Holder::Application(ApplicationId::new(Timestamp(0), [1; 10]));
        let tally = Tally::new(BudgetKey { holder, shape: limit.shape() }, None);
        Share::new(Arc::new(tally), *limit, Arc::new(policy(place)))
    };
    limits.iter().enumerate().map(share).collect()
}

/// What is used of each.
fn used(shares: &Shares, now: Moment) -> Vec<u64> {
    shares.0.iter().map(|share| share.tally.budget().reading(&share.gauge, now).used).collect()
}

#[test]
fn what_one_budget_refuses_costs_the_others_nothing() {
    let limits = [
        Limit::messages(9, Window::Minute),
        Limit { unit: Unit::Bytes, ..Limit::messages(30, Window::Hour) },
        Limit { counting: Counting::Sliding { burst: 9 }, ..Limit::messages(60, Window::Minute) },
        Limit::messages(4, Window::Day),
    ];
    let (shares, now) = (shares(&limits), at(120_000));
    for _ in 0..4 {
        shares.begin(message(Sender::Client, 5), now).unwrap();
    }
    for _ in 0..9 {
        let refused = shares.begin(message(Sender::Client, 5), now).unwrap_err();
        let told = (&*refused.policy.name, refused.level, refused.limit);
        assert_eq!(told, ("policy 3", Level::Application, &limits[3]));
    }
    assert_eq!(used(&shares, now), [4, 20, 4, 4]);
}

#[test]
fn what_only_counts_refuses_nothing_and_counts_what_the_others_let_pass() {
    let minute = |amount| Limit::messages(amount, Window::Minute);
    let sliding = Limit { counting: Counting::Sliding { burst: 2 }, ..minute(60) };
    let share = |(limit, on_excess): (Limit, Excess)| {
        let holder = Holder::Application(ApplicationId::new(Timestamp(0), [1; 10]));
        let tally = Tally::new(BudgetKey { holder, shape: limit.shape() }, None);
        Share::new(Arc::new(tally), limit, Arc::new(Policy { on_excess, ..Policy::default() }))
    };
    let limits = [(minute(2), Excess::Count), (sliding, Excess::Count), (minute(4), Excess::Drop)];
    let shares: Shares = limits.into_iter().map(share).collect();
    let now = at(60_000);
    let passed: Vec<_> = (0..5).map(|_| shares.begin(ONE, now).ok()).collect();
    let [within, beyond] = [Some(Passed::Within), Some(Passed::Beyond)];
    assert_eq!(passed, [within, within, beyond, beyond, None]);
    // By the calendar all that passed; what slides, only what conforms: so it is within again in time.
    assert_eq!(used(&shares, now), [4, 2, 4]);
    assert_eq!(shares.begin(ONE, at(120_000)).ok(), Some(Passed::Within));
    assert_eq!(used(&shares, at(120_000)), [1, 1, 1]);
}

#[test]
fn of_several_that_refuse_the_longest_speaks() {
    let shares = shares(&[
        Limit::messages(1, Window::Second),
        Limit::messages(1, Window::Day),
        Limit::messages(1, Window::Hour),
    ]);
    shares.begin(ONE, at(5)).unwrap();
    let refused = shares.begin(ONE, at(5)).unwrap_err();
    assert_eq!((&*refused.policy.name, refused.exhausted.retry_after_seconds()), ("policy 1", 86_400));
    assert_eq!(shares.refused(ONE, at(5)).unwrap().limit.per, Window::Day);
}

#[test]
fn each_limit_counts_its_own() {
    let with = |unit, direction| Limit { unit, direction, ..Limit::messages(1_000, Window::Day) };
    let shares = shares(&[
        with(Unit::Messages, Direction::Both),
        with(Unit::Messages, Direction::Publish),
        with(Unit::Messages, Direction::Subscribe),
        with(Unit::Bytes, Direction::Both),
        with(Unit::Bytes, Direction::Publish),
        with(Unit::Bytes, Direction::Subscribe),
        with(Unit::Connects, Direction::Both),
    ]);
    assert!(shares.count_bytes() && !shares.is_empty());
    shares.begin(Event::Connect, at(0)).unwrap();
    shares.begin(message(Sender::Client, 10), at(0)).unwrap();
    shares.begin(message(Sender::Client, 0), at(0)).unwrap();
    shares.begin(message(Sender::Backend, 100), at(0)).unwrap();
    shares.more(Sender::Backend, 7, at(0));
    shares.more(Sender::Client, 3, at(0));
    assert_eq!(used(&shares, at(0)), [3, 2, 1, 120, 13, 107, 1]);
}

#[test]
fn a_limit_on_sessions_refuses_no_message() {
    let shares = shares(&[Limit { unit: Unit::Connects, ..Limit::messages(1, Window::Minute) }]);
    shares.begin(Event::Connect, at(0)).unwrap();
    assert!(shares.begin(Event::Connect, at(0)).is_err() && shares.refused(Event::Connect, at(0)).is_some());
    assert!(
        shares.begin(ONE, at(0)).is_ok() && shares.refused(ONE, at(0)).is_none() && !shares.count_bytes()
    );
    assert!(Shares::default().is_empty() && Shares::default().begin(Event::Connect, at(0)).is_ok());
}

#[test]
fn sessions_on_several_threads_pass_exactly_what_the_narrowest_gives() {
    let shares = shares(&[Limit::messages(700, Window::Day), Limit::messages(5_000, Window::Day)]);
    let total: usize = thread::scope(|scope| {
        let worker = || (0..1_000).filter(|_| shares.begin(ONE, at(0)).is_ok()).count();
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!((total, used(&shares, at(0))), (700, vec![700, 700]));
}

proptest! {
    /// Whatever the limits: a message passes when each of them would let it pass alone, given what passed.
    #[test]
    fn together_they_decide_as_each_alone(
        limits in prop::collection::vec((1u64..8, prop::sample::select(Window::ALL.to_vec()), any::<bool>(), any::<bool>()), 0..5),
        steps in prop::collection::vec((0i64..40_000, 0u64..4, any::<bool>()), 1..60),
    ) {
        let limits: Vec<Limit> = limits
            .into_iter()
            .map(|(amount, per, bytes, publish)| Limit {
                unit: if bytes { Unit::Bytes } else { Unit::Messages },
                direction: if publish { Direction::Publish } else { Direction::Both },
                ..Limit::messages(amount, per)
            })
            .collect();
        let together = shares(&limits);
        let mut alone: Vec<(u64, u64)> = vec![(0, 0); limits.len()];
        let mut now = 1_000_000_000_000;
        for (step, bytes, client) in steps {
            now += step;
            let from = if client { Sender::Client } else { Sender::Backend };
            let counting = |limit: &Limit| limit.direction == Direction::Both || client;
            for (limit, (window, used)) in limits.iter().zip(&mut alone) {
                let number = limit.per.number(Timestamp(now));
                if *window != number {
                    (*window, *used) = (number, 0);
                }
            }
            let passes = limits.iter().zip(&alone).all(|(limit, (_, used))| !counting(limit) || *used < limit.amount);
            prop_assert_eq!(together.begin(message(from, bytes), at(now)).is_ok(), passes);
            for (limit, (_, used)) in limits.iter().zip(&mut alone) {
                let cost = if limit.unit == Unit::Bytes { bytes } else { 1 };
                *used += if passes && counting(limit) { cost } else { 0 };
            }
            prop_assert_eq!(used(&together, at(now)), alone.iter().map(|(_, used)| *used).collect::<Vec<_>>());
        }
    }
}
