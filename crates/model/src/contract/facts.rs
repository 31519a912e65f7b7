//! Facts: a batch is added once, nothing of it is lost, and every sum is the sum of what was added.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use futures_util::future::{join, join_all};

use super::*;
use crate::{
    fact::{Appended, Batch, CountKey, Counts, EndedBy, SessionClosed, Traffic, TrafficOf},
    id::{BootId, SessionId},
};

fn boot(number: u128) -> BootId {
    BootId(Uuid::from_u128(0xb007_0000 + number))
}

fn api(number: u128) -> ApiId {
    ApiId(Uuid::from_u128(0xa0 + number))
}

fn application(number: u128) -> ApplicationId {
    ApplicationId(Uuid::from_u128(0xc0 + number))
}

fn minute(number: i64) -> Timestamp {
    START.minute().plus_millis(number * 60_000)
}

/// Ten different counts, so that none can stand in another's place.
fn counts(unit: u64) -> Counts {
    Counts {
        sessions: unit,
        messages_from_clients: unit * 10,
        messages_from_backends: unit * 100,
        bytes_from_clients: unit * 1_000,
        bytes_from_backends: unit * 10_000,
        refusals: unit * 100_000,
        dropped: unit * 1_000_000,
        delayed: unit * 10_000_000,
        beyond: unit * 100_000_000,
        notices: unit * 1_000_000_000,
    }
}

fn key(at: i64, api_number: u128, application_number: u128) -> CountKey {
    CountKey {
        minute: minute(at),
        api: api(api_number),
        application: Some(application(application_number)),
        plan: "Gold".to_owned(),
    }
}

fn batch(run: u128, number: u64, counts: Vec<(CountKey, Counts)>) -> Batch {
    Batch { boot: boot(run), number, counts, sessions: Vec::new(), usage: Vec::new() }
}

fn closed(run: u128, number: u64) -> SessionClosed {
    SessionClosed {
        id: SessionId { boot: boot(run), worker: 1, number },
        api: api(1),
        application: application(1),
        plan: "Gold".to_owned(),
        opened_at: START,
        closed_at: START.plus_millis(5_000),
        counts: counts(1),
        code: 1_000,
        reason: String::new(),
        by: EndedBy::Client,
        cut: false,
    }
}

async fn of_api(port: &impl EventLog, number: u128, from: Timestamp) -> Traffic {
    port.traffic(TrafficOf::Api(api(number)), from).await.unwrap()
}

async fn of_application(port: &impl EventLog, number: u128) -> Traffic {
    port.traffic(TrafficOf::Application(application(number)), Timestamp(0)).await.unwrap()
}

fn sum<'c>(all: impl IntoIterator<Item = &'c Counts>) -> Counts {
    let mut sum = Counts::default();
    all.into_iter().for_each(|counts| sum.add(counts));
    sum
}

pub async fn a_repeated_batch_adds_nothing(ground: &impl Ground) {
    let port = ground.open().await;
    let mut first = batch(1, 1, vec![(key(0, 1, 1), counts(1))]);
    first.sessions.push(closed(1, 1));
    let second = batch(1, 2, vec![(key(0, 1, 1), counts(2))]);
    for (batch, expected) in [
        (&first, Appended::Stored),
        (&first, Appended::Repeated),
        (&second, Appended::Stored),
        (&second, Appended::Repeated),
        (&first, Appended::Repeated),
    ] {
        assert_eq!(port.append(batch).await.unwrap(), expected, "{}", batch.number);
    }
    let expected = Traffic { minutes: vec![(minute(0), counts(3))], totals: counts(3) };
    assert_eq!(of_api(&port, 1, minute(0)).await, expected);
    let empty = batch(1, 3, Vec::new());
    assert_eq!(port.append(&empty).await.unwrap(), Appended::Stored, "an empty batch has a number as well");
    assert_eq!(port.append(&empty).await.unwrap(), Appended::Repeated);
}

pub async fn a_batch_that_leaves_a_hole_is_refused(ground: &impl Ground) {
    let port = ground.open().await;
    let send = async |number: u64| port.append(&batch(1, number, vec![(key(0, 1, 1), counts(1))])).await;
    for number in [0, 2, 3, u64::MAX] {
        let refused = send(number).await.unwrap_err();
        assert!(!refused.is_unavailable(), "trying {number} again does not help");
    }
    assert_eq!(of_api(&port, 1, minute(0)).await, Traffic::default());
    assert_eq!(send(1).await.unwrap(), Appended::Stored);
    for number in [0, 3, u64::MAX] {
        assert!(!send(number).await.unwrap_err().is_unavailable(), "{number}");
    }
    assert_eq!(send(2).await.unwrap(), Appended::Stored);
    assert_eq!(of_api(&port, 1, minute(0)).await.totals, counts(2));
}

pub async fn runs_are_numbered_each_by_itself(ground: &impl Ground) {
    let port = ground.open().await;
    for (run, number) in [(1, 1), (2, 1), (2, 2), (1, 2), (3, 1), (2, 3)] {
        let one = batch(run, number, vec![(key(0, run, 1), counts(1))]);
        assert_eq!(port.append(&one).await.unwrap(), Appended::Stored, "{run}: {number}");
    }
    let alone = batch(4, 2, vec![(key(0, 4, 1), counts(1))]);
    assert!(port.append(&alone).await.is_err(), "another run's number is no place to go on from");
    for (run, sent) in [(1, 2), (2, 3), (3, 1), (4, 0)] {
        assert_eq!(of_api(&port, run, minute(0)).await.totals, counts(sent), "{run}");
    }
    assert_eq!(of_application(&port, 1).await.totals, counts(6));
}

pub async fn counts_of_a_minute_add_up_and_minutes_are_in_order(ground: &impl Ground) {
    let port = ground.open().await;
    let other_plan = CountKey { plan: String::new(), ..key(5, 1, 1) };
    let rows = vec![
        (key(7, 1, 1), counts(1)),
        (key(5, 1, 1), counts(2)),
        (key(5, 1, 2), counts(4)),
        (other_plan, counts(8)),
        (key(5, 1, 1), counts(16)),
        (key(5, 2, 1), counts(1_000)),
    ];
    port.append(&batch(1, 1, rows)).await.unwrap();
    port.append(&batch(1, 2, vec![(key(6, 1, 1), counts(32)), (key(7, 1, 1), counts(64))])).await.unwrap();
    let minutes = [(minute(5), counts(30)), (minute(6), counts(32)), (minute(7), counts(65))];
    for (from, shown) in
        [(0, &minutes[..]), (5, &minutes[..]), (6, &minutes[1..]), (7, &minutes[2..]), (8, &[])]
    {
        let found = of_api(&port, 1, minute(from)).await;
        assert_eq!(found, Traffic { minutes: shown.to_vec(), totals: counts(127) }, "from minute {from}");
    }
    assert_eq!(of_application(&port, 2).await.minutes, [(minute(5), counts(4))]);
    let nobody = port.traffic(TrafficOf::Api(ApiId(nowhere())), Timestamp(0)).await.unwrap();
    assert_eq!(nobody, Traffic::default());
}

pub async fn totals_are_the_sum_of_everything(ground: &impl Ground) {
    let port = ground.open().await;
    let mut word = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: u64| {
        // xorshift: the same numbers in every run.
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        word % below
    };
    let mut model = BTreeMap::<(ApiId, ApplicationId, Timestamp), Counts>::new();
    let mut numbers = [0_u64; 3];
    for _ in 0..40 {
        let run = usize::try_from(next(3)).unwrap();
        numbers[run] += 1;
        let rows: Vec<_> = (0..next(12))
            .map(|_| {
                let (at, api, application) = (next(6), next(3), next(3));
                (key(i64::try_from(at).unwrap(), api.into(), application.into()), counts(next(1_000)))
            })
            .collect();
        for (key, counts) in &rows {
            model.entry((key.api, key.application.unwrap(), key.minute)).or_default().add(counts);
        }
        let one = batch(run as u128, numbers[run], rows);
        for expected in [Appended::Stored, Appended::Repeated] {
            assert_eq!(port.append(&one).await.unwrap(), expected);
        }
    }
    for number in 0..3 {
        for (found, whose) in [
            (of_api(&port, number, Timestamp(0)).await, TrafficOf::Api(api(number))),
            (of_application(&port, number).await, TrafficOf::Application(application(number))),
        ] {
            let mut minutes = BTreeMap::<Timestamp, Counts>::new();
            for ((api, application, minute), counts) in &model {
                if whose == TrafficOf::Api(*api) || whose == TrafficOf::Application(*application) {
                    minutes.entry(*minute).or_default().add(counts);
                }
            }
            let totals = sum(minutes.values());
            assert_eq!(found, Traffic { minutes: minutes.into_iter().collect(), totals }, "{whose:?}");
        }
    }
}

pub async fn a_refusal_without_application_counts_for_the_api(ground: &impl Ground) {
    let port = ground.open().await;
    let refusal = Counts { refusals: 1, ..Counts::default() };
    let unknown = CountKey { application: None, plan: String::new(), ..key(0, 1, 1) };
    port.append(&batch(1, 1, vec![(unknown.clone(), refusal), (key(0, 1, 1), refusal)])).await.unwrap();
    port.append(&batch(1, 2, vec![(unknown, refusal)])).await.unwrap();
    assert_eq!(of_api(&port, 1, minute(0)).await.totals.refusals, 3);
    assert_eq!(of_application(&port, 1).await.totals.refusals, 1);
}

pub async fn a_batch_of_any_size_is_stored_whole(ground: &impl Ground) {
    let port = ground.open().await;
    let rows = (0..1_201).map(|at| (key(at, 1, 1), counts(1))).collect();
    let sessions = (1..=1_201).map(|number| closed(1, number)).collect();
    let large = Batch { sessions, ..batch(1, 1, rows) };
    assert_eq!(port.append(&large).await.unwrap(), Appended::Stored);
    assert_eq!(port.append(&large).await.unwrap(), Appended::Repeated);
    let found = of_api(&port, 1, Timestamp(0)).await;
    assert_eq!((found.minutes.len(), found.totals), (1_201, counts(1_201)));
}

pub async fn the_same_batch_sent_many_times_at_once_is_added_once(ground: &impl Ground) {
    let port = ground.open().await;
    for number in 1..=5 {
        let one = batch(1, number, vec![(key(0, 1, 1), counts(1))]);
        let outcomes = join_all((0..12).map(|_| port.append(&one))).await;
        let stored = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Appended::Stored))).count();
        let repeated = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Appended::Repeated))).count();
        assert_eq!((stored, repeated), (1, 11));
    }
    // What is sent in order without waiting for answers is stored in order.
    let line: Vec<_> = (6..=40).map(|number| batch(1, number, vec![(key(0, 1, 1), counts(1))])).collect();
    for outcome in join_all(line.iter().map(|one| port.append(one))).await {
        assert_eq!(outcome.unwrap(), Appended::Stored);
    }
    assert_eq!(of_api(&port, 1, minute(0)).await.totals, counts(40));
}

pub async fn minutes_and_totals_are_of_one_moment(ground: &impl Ground) {
    let port = ground.open().await;
    let over = AtomicBool::new(false);
    let sending = async {
        for number in 1..=150 {
            let rows = vec![(key(i64::try_from(number % 7).unwrap(), 1, 1), counts(1))];
            port.append(&batch(1, number, rows)).await.unwrap();
        }
        over.store(true, Ordering::Relaxed);
    };
    let reading = async {
        while !over.load(Ordering::Relaxed) {
            let found = of_api(&port, 1, Timestamp(0)).await;
            assert_eq!(sum(found.minutes.iter().map(|(_, counts)| counts)), found.totals);
        }
    };
    join(sending, reading).await;
    assert_eq!(of_api(&port, 1, Timestamp(0)).await.totals, counts(150));
}

pub async fn facts_are_there_after_reopening_and_after_a_kill(ground: &impl Ground) {
    let port = ground.open().await;
    let mut one = batch(1, 1, vec![(key(0, 1, 1), counts(3))]);
    one.sessions.push(closed(1, 1));
    port.append(&one).await.unwrap();
    let before = of_api(&port, 1, minute(0)).await;
    let killed = ground.open_as_after_a_kill().await;
    assert_eq!(of_api(&killed, 1, minute(0)).await, before);
    assert_eq!(
        killed.append(&one).await.unwrap(),
        Appended::Repeated,
        "the number is remembered with the facts"
    );
    drop(port);
    let reopened = ground.open().await;
    assert_eq!(of_api(&reopened, 1, minute(0)).await, before);
    assert_eq!(reopened.append(&one).await.unwrap(), Appended::Repeated);
    let next = batch(1, 2, vec![(key(0, 1, 1), counts(4))]);
    assert_eq!(reopened.append(&next).await.unwrap(), Appended::Stored);
    assert_eq!(of_api(&reopened, 1, minute(0)).await.totals, counts(7));
}

pub async fn facts_outlive_what_they_are_about(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let (api, application) = (there.draft.id, there.shop.id);
    let key = CountKey { minute: minute(0), api, application: Some(application), plan: "Gold".to_owned() };
    stage.port.append(&batch(1, 1, vec![(key, counts(5))])).await.unwrap();
    stage.done(Command::DeleteApi { id: api, based_on: None }).await;
    stage.done(Command::DeleteApplication { id: application }).await;
    for whose in [TrafficOf::Api(api), TrafficOf::Application(application)] {
        assert_eq!(stage.port.traffic(whose, Timestamp(0)).await.unwrap().totals, counts(5));
    }
}
