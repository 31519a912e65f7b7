//! What was counted on its way: nothing lost, nothing doubled, whatever comes in which order.

use std::time::Duration;

use proptest::prelude::*;
use tidegate_model::{fact::EndedBy, id::SessionId};
use tokio::time::timeout;

use super::*;
use crate::refusal::Refusal;

const NOW: Timestamp = Timestamp(1_800_000_023_000);
const MINUTE: Timestamp = Timestamp(1_800_000_000_000);

fn boot() -> BootId {
    BootId::new(NOW, [9; 10])
}

fn api(number: u8) -> ApiId {
    ApiId::new(NOW, [number; 10])
}

fn application(number: u8) -> ApplicationId {
    ApplicationId::new(NOW, [number; 10])
}

fn key(of: u8, minute: i64) -> CountKey {
    CountKey {
        minute: MINUTE.plus_millis(60_000 * minute),
        api: api(of),
        application: Some(application(of)),
        plan: "Gold".to_owned(),
    }
}

fn messages(count: u64) -> Counts {
    Counts { messages_from_clients: count, bytes_from_clients: 10 * count, ..Counts::default() }
}

fn closed(number: u64) -> SessionClosed {
    SessionClosed {
        id: SessionId { boot: boot(), worker: 0, number },
        api: api(1),
        application: application(1),
        plan: String::new(),
        opened_at: NOW,
        closed_at: NOW,
        counts: messages(1),
        code: 1000,
        reason: String::new(),
        by: EndedBy::Client,
        cut: false,
    }
}

/// What a worker reports: counts of an API in a minute, records of sessions, changes of presence.
fn ledger(
    counts: &[(u8, i64, u64)],
    sessions: impl IntoIterator<Item = u64>,
    opened: &[(u8, i64)],
) -> Ledger {
    let mut ledger = Ledger::default();
    for &(of, minute, count) in counts {
        ledger.counts.entry(key(of, minute)).or_default().add(&messages(count));
    }
    ledger.closed.extend(sessions.into_iter().map(closed));
    for &(of, change) in opened {
        *ledger.opened.entry((api(of), application(of))).or_default() += change;
    }
    ledger
}

fn numbers(batch: &Batch) -> Vec<u64> {
    batch.sessions.iter().map(|session| session.id.number).collect()
}

#[test]
fn nothing_counted_is_no_batch() {
    let reporter = Reporter::new(boot());
    assert_eq!(reporter.batch(1, Vec::new()), None);
    reporter.add(Ledger::default());
    reporter.add(ledger(&[], [], &[(1, 1)]));
    assert_eq!(reporter.batch(1, Vec::new()), None, "presence travels by itself");
}

#[test]
fn what_was_added_is_taken_once() {
    let reporter = Reporter::new(boot());
    reporter.add(ledger(&[(1, 0, 3), (2, 0, 1)], [7], &[]));
    reporter.add(ledger(&[(1, 0, 2), (1, 1, 4)], [8], &[]));
    let batch = reporter.batch(5, Vec::new()).unwrap();
    assert_eq!((batch.boot, batch.number), (boot(), 5));
    let mut counts = batch.counts.clone();
    counts.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    let mut expected = vec![(key(1, 0), messages(5)), (key(2, 0), messages(1)), (key(1, 1), messages(4))];
    expected.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(counts, expected);
    assert_eq!(numbers(&batch), [7, 8]);
    assert_eq!(reporter.batch(6, Vec::new()), None);
}

#[test]
fn refusals_are_counted_for_those_they_belong_to() {
    let reporter = Reporter::new(boot());
    let refused = |api, application, plan: &str| NotAdmitted {
        refusal: Refusal::NotReady,
        api,
        application,
        plan: plan.to_owned(),
        quota: None,
        pending: None,
    };
    reporter.refused(&refused(None, None, ""), NOW);
    assert_eq!(reporter.batch(1, Vec::new()), None, "nobody's refusal is not counted");
    reporter.refused(&refused(Some(api(1)), None, ""), NOW);
    reporter.refused(&refused(Some(api(1)), Some(application(1)), "Gold"), NOW);
    reporter.refused(&refused(Some(api(1)), Some(application(1)), "Gold"), NOW);
    let counts: HashMap<_, _> = reporter.batch(1, Vec::new()).unwrap().counts.iter().cloned().collect();
    let refusals = |refusals| Counts { refusals, ..Counts::default() };
    let unknown = CountKey { minute: MINUTE, api: api(1), application: None, plan: String::new() };
    assert_eq!(counts, HashMap::from([(unknown, refusals(1)), (key(1, 0), refusals(2))]));
}

#[test]
fn records_travel_in_batches_of_bounded_size() {
    let reporter = Reporter::new(boot());
    let total = 2 * CLOSED_PER_BATCH as u64 + 5;
    reporter.add(ledger(&[(1, 0, 1)], 0..total, &[]));
    let (mut seen, mut sizes) = (Vec::new(), Vec::new());
    while let Some(batch) = reporter.batch(sizes.len() as u64 + 1, Vec::new()) {
        sizes.push(batch.sessions.len());
        seen.extend(numbers(&batch));
    }
    assert_eq!(sizes, [CLOSED_PER_BATCH, CLOSED_PER_BATCH, 5]);
    assert_eq!(seen, (0..total).collect::<Vec<_>>());
}

#[test]
fn a_control_plane_that_is_away_costs_records_beyond_the_bound_but_no_count() {
    let reporter = Reporter::new(boot());
    let (rounds, each) = (10, CLOSED_MAX as u64 / 10 + 5);
    for round in 0..rounds {
        reporter.add(ledger(&[(1, 0, each)], round * each..(round + 1) * each, &[]));
    }
    let (mut records, mut counted, mut number) = (0, Counts::default(), 0);
    while let Some(batch) = reporter.batch(number + 1, Vec::new()) {
        number = batch.number;
        records += batch.sessions.len();
        batch.counts.iter().for_each(|(_, counts)| counted.add(counts));
    }
    assert_eq!((records, counted.messages_from_clients), (CLOSED_MAX, rounds * each));
    // There is room again.
    reporter.add(ledger(&[], [1], &[]));
    assert_eq!(numbers(&reporter.batch(number + 1, Vec::new()).unwrap()), [1]);
}

#[test]
fn presence_is_told_when_it_changed() {
    let reporter = Reporter::new(boot());
    let open = |of, open| OpenSessions { api: api(of), application: application(of), open };
    assert_eq!(reporter.presence(), None);
    reporter.add(ledger(&[], [], &[(1, 2), (2, 1)]));
    let mut told = reporter.presence().unwrap();
    told.sort_unstable_by_key(|it| it.open);
    assert_eq!(told, [open(2, 1), open(1, 2)]);
    assert_eq!(reporter.presence(), None, "told once");
    reporter.add(ledger(&[(1, 0, 1)], [], &[]));
    assert_eq!(reporter.presence(), None, "a message changes no presence");
    // The workers' reports come in any order.
    reporter.add(ledger(&[], [], &[(2, -1)]));
    reporter.add(ledger(&[], [], &[(1, -1)]));
    assert_eq!(reporter.presence(), Some(vec![open(1, 1)]));
    reporter.add(ledger(&[], [], &[(1, -1)]));
    assert_eq!(reporter.presence(), Some(Vec::new()), "nobody is there any more, and that is told");
}

#[tokio::test]
async fn whoever_waits_is_woken_by_each_kind_of_news() {
    let reporter = Reporter::new(boot());
    let soon = Duration::from_secs(20);
    reporter.add(ledger(&[(1, 0, 1)], [], &[]));
    timeout(soon, reporter.changed()).await.expect("news that came before the wait");
    let refused = NotAdmitted {
        refusal: Refusal::NotReady,
        api: Some(api(1)),
        application: None,
        plan: String::new(),
        quota: None,
        pending: None,
    };
    let waiting = async {
        tokio::join!(reporter.changed(), async { reporter.refused(&refused, NOW) });
    };
    timeout(soon, waiting).await.expect("news that came during the wait");
}

/// What happens to a reporter.
#[derive(Debug, Clone)]
enum Act {
    Add { counts: Vec<(u8, i64, u64)>, sessions: u16, opened: Vec<(u8, i64)> },
    Refuse(u8),
    Take,
}

fn act() -> impl Strategy<Value = Act> {
    let counts = proptest::collection::vec((0..3_u8, 0..3_i64, 1..9_u64), 0..5);
    let opened = proptest::collection::vec((0..3_u8, -2..3_i64), 0..4);
    prop_oneof![
        4 => (counts, 0..1_500_u16, opened)
            .prop_map(|(counts, sessions, opened)| Act::Add { counts, sessions, opened }),
        1 => (0..3_u8).prop_map(Act::Refuse),
        3 => Just(Act::Take),
    ]
}

#[derive(Default)]
struct Totals {
    counts: HashMap<CountKey, Counts>,
    sessions: Vec<u64>,
}

impl Totals {
    fn take(&mut self, batch: &Batch) {
        for (key, counts) in &batch.counts {
            assert!(!counts.is_empty());
            self.counts.entry(key.clone()).or_default().add(counts);
        }
        self.sessions.extend(numbers(batch));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_is_lost_and_nothing_doubled(acts in proptest::collection::vec(act(), 1..30)) {
        let reporter = Reporter::new(boot());
        let (mut expected, mut got, mut number, mut next) = (Totals::default(), Totals::default(), 0, 0);
        let mut present = HashMap::<u8, i64>::new();
        for act in acts {
            match act {
                Act::Add { counts, sessions, opened } => {
                    for &(of, minute, count) in &counts {
                        expected.counts.entry(key(of, minute)).or_default().add(&messages(count));
                    }
                    let range = next..next + u64::from(sessions);
                    next = range.end;
                    expected.sessions.extend(range.clone());
                    for &(of, change) in &opened {
                        *present.entry(of).or_default() += change;
                    }
                    reporter.add(ledger(&counts, range, &opened));
                }
                Act::Refuse(of) => {
                    let key = key(of, 0);
                    expected.counts.entry(key.clone()).or_default().refusals += 1;
                    let (api, application, plan) = (Some(key.api), key.application, key.plan);
                    reporter.refused(&NotAdmitted { refusal: Refusal::NotReady, api, application, plan, quota: None, pending: None }, NOW);
                }
                Act::Take => {
                    if let Some(batch) = reporter.batch(number + 1, Vec::new()) {
                        number += 1;
                        got.take(&batch);
                    }
                }
            }
        }
        while let Some(batch) = reporter.batch(number + 1, Vec::new()) {
            number += 1;
            got.take(&batch);
        }
        prop_assert_eq!(got.counts, expected.counts);
        prop_assert_eq!(got.sessions, expected.sessions);
        let waiting = reporter.waiting();
        for (of, open) in present {
            prop_assert_eq!(waiting.open.get(&(api(of), application(of))).copied().unwrap_or(0), open);
        }
    }
}
