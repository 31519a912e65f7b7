//! What was used of budgets: told once it adds up over all gateways, and nothing of it is lost.

use std::collections::HashMap;

use super::*;
use crate::{
    fact::{Appended, Batch},
    holder::{BudgetKey, Holder},
    id::BootId,
    limit::{Counting, Limit, Window},
    usage::{Usage, UsageOf, Used},
};

const HOUR: i64 = 3_600_000;

fn holder(number: u128) -> Holder {
    let api = ApiId(Uuid::from_u128(0xa0));
    match number {
        // Of the same API, and others than it: a group of its policy, and one of a topic's.
        2 => Holder::Group { api, path: None, name: "Inside".into() },
        3 => Holder::Group { api, path: Some("/*".into()), name: "Inside".into() },
        _ => Holder::Application(ApplicationId(Uuid::from_u128(0xc0 + number))),
    }
}

/// By the calendar, or sliding.
fn limit(per: Window, slides: bool) -> Limit {
    let counting = if slides { Counting::Sliding { burst: 10 } } else { Counting::Calendar };
    Limit { counting, ..Limit::messages(10, per) }
}

/// Units of the hour that begins so many hours after the start, told then.
fn units(whose: u128, hours: i64, units: u64) -> Usage {
    let at = START.plus_millis(hours * HOUR + 5);
    let shape = limit(Window::Hour, false).shape();
    let used = Used::Calendar { window: Window::Hour.number(at), units };
    Usage { key: BudgetKey { holder: holder(whose), shape }, used, at }
}

/// A debt until so many hours after the start, told so many after it.
fn debt(whose: u128, told: i64, until: i64) -> Usage {
    let shape = limit(Window::Hour, true).shape();
    let used = Used::Sliding { clear_at: START.plus_millis(until * HOUR) };
    Usage { key: BudgetKey { holder: holder(whose), shape }, used, at: START.plus_millis(told * HOUR) }
}

fn batch(run: u128, number: u64, usage: Vec<Usage>) -> Batch {
    let boot = BootId(Uuid::from_u128(0xb007_0000 + run));
    Batch { boot, number, counts: Vec::new(), sessions: Vec::new(), usage }
}

async fn everyone(port: &impl EventLog, now: Timestamp) -> Vec<Usage> {
    port.usage(UsageOf::Everyone, now).await.unwrap()
}

pub async fn what_gateways_used_adds_up_once(ground: &impl Ground) {
    let port = ground.open().await;
    let other = Usage {
        key: BudgetKey { shape: limit(Window::Day, false).shape(), ..units(1, 0, 1).key },
        ..units(1, 0, 8)
    };
    let told = [
        batch(1, 1, vec![units(1, 0, 1), units(2, 0, 50)]),
        batch(2, 1, vec![units(1, 0, 2)]),
        batch(1, 2, vec![units(1, 0, 4), other.clone()]),
    ];
    for expected in [Appended::Stored, Appended::Repeated] {
        for batch in &told {
            assert_eq!(port.append(batch).await.unwrap(), expected);
        }
    }
    let found = port.usage(UsageOf::Holders(&[holder(1), holder(3)]), START).await.unwrap();
    let of = |shape| found.iter().find(|usage| usage.key.shape == shape).unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(*of(limit(Window::Hour, false).shape()), units(1, 0, 7));
    assert_eq!(*of(limit(Window::Day, false).shape()), other);
    assert_eq!(port.usage(UsageOf::Holders(&[holder(2)]), START).await.unwrap(), [units(2, 0, 50)]);
    assert_eq!(port.usage(UsageOf::Holders(&[]), START).await.unwrap(), []);
    assert_eq!(everyone(&port, START).await.len(), 3);
}

pub async fn a_later_window_takes_the_place_of_an_earlier_one(ground: &impl Ground) {
    let port = ground.open().await;
    port.append(&batch(1, 1, vec![units(1, 0, 9), debt(1, 0, 3)])).await.unwrap();
    port.append(&batch(1, 2, vec![units(1, 1, 2), debt(1, 1, 2)])).await.unwrap();
    // Another gateway tells late of the hour before.
    let late = Usage { at: START.plus_millis(HOUR + 9), ..units(1, 0, 4) };
    port.append(&batch(2, 1, vec![late.clone()])).await.unwrap();
    let found = everyone(&port, START.plus_millis(HOUR)).await;
    assert!(found.contains(&Usage { at: late.at, ..units(1, 1, 2) }), "{found:?}");
    assert!(found.contains(&debt(1, 1, 3)), "{found:?}");
}

pub async fn what_is_known_is_what_the_model_says(ground: &impl Ground) {
    let port = ground.open().await;
    let mut word = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: u64| {
        // xorshift: the same numbers in every run.
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        word % below
    };
    let mut known = HashMap::<BudgetKey, Usage>::new();
    for number in 1..=120 {
        // Now and then a clock is far ahead.
        let ahead = if next(6) == 0 { 24 * 400 } else { 0 };
        let hours = i64::try_from(next(4)).unwrap() + ahead;
        let whose = u128::from(next(3));
        let until = hours + i64::try_from(next(5)).unwrap();
        let told = if next(2) == 0 { units(whose, hours, next(9)) } else { debt(whose, hours, until) };
        port.append(&batch(1, number, vec![told.clone()])).await.unwrap();
        let now = known.remove(&told.key).map_or_else(|| told.clone(), |usage| usage.then(&told));
        known.insert(told.key.clone(), now);
        // Every row here ends after the epoch; those that were forgotten meanwhile begin anew.
        let found = everyone(&port, Timestamp(0)).await;
        known.retain(|key, _| found.iter().any(|usage| usage.key == *key));
        for usage in found {
            assert_eq!(known.get(&usage.key), Some(&usage), "after {number}: {told:?}");
        }
        assert!(known.contains_key(&told.key), "what was told last is known");
    }
}

pub async fn what_is_over_is_not_read_and_is_forgotten_later(ground: &impl Ground) {
    let port = ground.open().await;
    port.append(&batch(1, 1, vec![units(1, 0, 9), debt(1, 0, 2)])).await.unwrap();
    let hour = |hours: i64| START.plus_millis(hours * HOUR);
    let begin = Window::Hour.begin(Window::Hour.number(hour(1)));
    assert_eq!(everyone(&port, begin.plus_millis(-1)).await.len(), 2);
    assert_eq!(everyone(&port, begin).await, [debt(1, 0, 2)]);
    assert_eq!(everyone(&port, hour(2)).await, []);
    // A clock that is set back finds them, until an hour has passed.
    port.append(&batch(1, 2, vec![units(2, 1, 1)])).await.unwrap();
    assert_eq!(everyone(&port, START).await.len(), 3);
    port.append(&batch(1, 3, vec![units(3, 9, 1)])).await.unwrap();
    assert_eq!(everyone(&port, START).await, [units(3, 9, 1)]);
}

pub async fn a_batch_of_any_size_tells_of_all_its_budgets(ground: &impl Ground) {
    let port = ground.open().await;
    for number in 1..=2 {
        let all = (0..1_201).map(|whose| units(whose, 0, 3)).collect();
        port.append(&batch(1, number, all)).await.unwrap();
    }
    let found = everyone(&port, START).await;
    assert_eq!(found.len(), 1_201);
    assert!(found.iter().all(|usage| usage.used == units(0, 0, 6).used));
}

pub async fn what_was_used_is_there_after_a_kill(ground: &impl Ground) {
    let port = ground.open().await;
    port.append(&batch(1, 1, vec![units(1, 0, 3), debt(1, 0, 3)])).await.unwrap();
    let killed = ground.open_as_after_a_kill().await;
    assert_eq!(everyone(&killed, START).await.len(), 2);
    killed.append(&batch(2, 1, vec![units(1, 0, 4)])).await.unwrap();
    assert!(everyone(&killed, START).await.contains(&units(1, 0, 7)));
}
