//! Workers that fail outside of any session: lost by a panic or by their queue of events, stalled, or both in a drain.
//!
//! What makes them fail comes in as an order that only tests can give. The watch is looked through by hand, with times
//! of the test's own.

use std::pin::pin;

use tidegate_model::{
    fact::{Batch, EndedBy},
    policy::Policy,
};
use tidegate_wire::close::code;

use super::*;
use crate::{relay::Order, relay::ring, relay::watch::Watch};

/// An unfragmented text frame `hi` of a client, masked with zeros.
const HI: [u8; 8] = [0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];
/// What a client is told when its worker is lost: Close, 24 bytes, 1011 and the reason.
const LOST: &[u8] = b"\x88\x1a\x03\xf3{\"reason\":\"worker_lost\"}";

/// Two workers and no watch.
struct Two {
    workers: Workers,
    commons: Commons,
    runtime: tokio::runtime::Runtime,
}

/// A session's two peers.
struct Pair {
    client: Peer,
    backend: Peer,
}

impl Two {
    fn new() -> Self {
        let commons = commons();
        let workers = Workers::unwatched(2, &commons).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let two = Self { workers, commons, runtime };
        two.soon(two.workers.decide(&Arc::new(Snapshot::new(world().0))));
        two
    }

    fn soon<F: Future>(&self, future: F) -> F::Output {
        let timely = async { tokio::time::timeout(PATIENCE, future).await };
        self.runtime.block_on(timely).expect("it happens in time")
    }

    /// A session that worker 0 takes when it comes to it.
    fn hand_over(&self, number: u64) -> Pair {
        self.hand_over_on(Legs::Plain, number)
    }

    fn hand_over_on(&self, legs: Legs, number: u64) -> Pair {
        let [(client, client_peer), (backend, backend_peer)] = Side::BOTH.map(|side| legs.pair(side));
        let handover = Handover {
            id: SessionId { boot: BootId::new(Timestamp(0), [1; 10]), worker: 0, number },
            grant: world().1,
            snapshot_number: 1,
            revocation_number: 0,
            opened_at: Timestamp(1_000),
            meter: Meter::default(),
            passes_compressed: false,
            in_use: None,
            held: None,
            legs: [client, backend],
            stage: None,
        };
        self.soon(self.workers.reserve(0)).unwrap().take(handover);
        Pair { client: client_peer, backend: backend_peer }
    }

    fn order(&self, order: Order) {
        let sent = self.soon(self.workers.doors[0].orders.send(order));
        assert!(sent.is_ok(), "it lives");
        ring(&self.workers.doors[0].waker);
    }

    /// Holds worker 0 in the middle of a turn until what this answers is dropped.
    fn hold(&self) -> mpsc::Sender<()> {
        let (hold, held) = mpsc::channel::<()>();
        let (begins, begun) = mpsc::channel();
        self.order(Order::Do(Box::new(move || {
            begins.send(()).unwrap();
            let _ = held.recv();
        })));
        begun.recv_timeout(PATIENCE).expect("it takes the order");
        hold
    }

    /// Waits until a worker has heard what was said to all and has nothing to do: its turn would else seem to last, by
    /// the time that a test gives the watch.
    fn rests(&self, worker: usize) {
        let (door, began) = (&self.workers.doors[worker], Instant::now());
        let has_heard = || door.heard.borrow().round == self.workers.word.borrow().round;
        while !has_heard() || door.pulse.turn().is_some() {
            assert!(began.elapsed() < PATIENCE);
            thread::yield_now();
        }
    }

    fn watch(&self) -> Watch {
        self.workers.watch(self.commons.monotonic.now(), Arc::new(|worker| panic!("{worker} is stuck")))
    }

    /// The records of so many sessions, and all counts until then.
    fn records(&self, sessions: usize) -> Batch {
        let mut all = Batch {
            boot: self.commons.boot(),
            number: 0,
            counts: Vec::new(),
            sessions: Vec::new(),
            usage: Vec::new(),
        };
        self.soon(async {
            loop {
                if let Some(batch) = self.commons.reporter.batch(1, Vec::new()) {
                    all.counts.extend(batch.counts.iter().cloned());
                    all.sessions.extend(batch.sessions.iter().cloned());
                }
                if all.sessions.len() >= sessions {
                    return;
                }
                self.commons.reporter.changed().await;
            }
        });
        all.sessions.sort_by_key(|session| session.id.number);
        all
    }
}

impl Commons {
    fn boot(&self) -> BootId {
        BootId::new(self.clock.now(), [1; 10])
    }
}

impl Pair {
    /// The client says `hi`, and the backend hears it.
    fn speaks(&mut self) {
        write_all(&mut self.client, &HI);
        assert_eq!(read_exactly(&mut self.backend, HI.len()).unwrap(), HI);
    }
}

fn write_all(peer: &mut Peer, bytes: &[u8]) {
    let (began, mut at) = (Instant::now(), 0);
    while at < bytes.len() {
        assert!(began.elapsed() < PATIENCE);
        match peer.write(&bytes[at..]) {
            Ok(some) => at += some,
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// So many bytes, or how it ended before.
fn read_exactly(peer: &mut Peer, len: usize) -> Result<Vec<u8>, Option<ErrorKind>> {
    let (began, mut all) = (Instant::now(), Vec::new());
    while all.len() < len {
        assert!(began.elapsed() < PATIENCE, "nothing comes after {all:?}");
        let mut bytes = vec![0; len - all.len()];
        match peer.read(&mut bytes) {
            Ok(0) => return Err(None),
            Ok(some) => all.extend(&bytes[..some]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                thread::park_timeout(Duration::from_micros(200));
            }
            Err(error) => return Err(Some(error.kind())),
        }
    }
    Ok(all)
}

/// What came until the end, and whether that was an orderly one.
fn read_to_end(peer: &mut Peer) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    loop {
        match read_exactly(peer, 1) {
            Ok(byte) => all.extend(byte),
            Err(end) => return (all, end.is_none()),
        }
    }
}

fn the_loss_ends_its_sessions_and_nothing_else(fail: Order) {
    let two = Two::new();
    let (mut one, mut other) = (two.hand_over(1), two.hand_over(2));
    one.speaks();
    other.speaks();
    other.speaks();
    assert_eq!(two.workers.load(), 2);
    // Behind what makes it fail waits one more session, in the same turn or the next.
    let hold = two.hold();
    two.order(fail);
    let mut waiting = two.hand_over(3);
    drop(hold);

    for pair in [&mut one, &mut other] {
        assert_eq!(read_to_end(&mut pair.client), (LOST.to_vec(), true));
        let (goodbye, is_orderly) = read_to_end(&mut pair.backend);
        assert!(is_orderly && goodbye.starts_with(b"\x88\x9a\x07\x07\x07\x07"), "{goodbye:?}");
    }
    let lost = two.records(2);
    let words = |batch: &Batch| {
        let of = |it: &tidegate_model::fact::SessionClosed| {
            (it.id.number, it.code, it.reason.clone(), it.by, it.counts.messages_from_clients)
        };
        batch.sessions.iter().map(of).collect::<Vec<_>>()
    };
    let said =
        |number, messages| (number, code::INTERNAL, "worker_lost".to_owned(), EndedBy::Gateway, messages);
    assert_eq!(words(&lost), [said(1, 1), said(2, 2)]);

    // The one that waited is carried by what the worker has become, and ends when its peers end it.
    waiting.speaks();
    assert_eq!(two.workers.load(), 1);
    assert_eq!(two.workers.choose(), Some(1), "the least loaded");
    write_all(&mut waiting.client, b"\x88\x82\0\0\0\0\x03\xe8");
    assert_eq!(read_exactly(&mut waiting.backend, 8).unwrap(), b"\x88\x82\x07\x07\x07\x07\x04\xef");
    write_all(&mut waiting.backend, b"\x88\x02\x03\xe8");
    assert_eq!(read_exactly(&mut waiting.client, 4).unwrap(), b"\x88\x02\x03\xe8");
    waiting.client.finish();
    waiting.backend.finish();
    let closed = two.records(1);
    assert_eq!((closed.sessions[0].id.number, closed.sessions[0].code), (3, 1000));
    let sum = |count: fn(&tidegate_model::fact::Counts) -> u64| -> u64 {
        lost.counts.iter().chain(&closed.counts).map(|(_, counts)| count(counts)).sum()
    };
    assert_eq!((sum(|it| it.sessions), sum(|it| it.messages_from_clients)), (3, 4), "each once");
    assert_eq!(two.workers.load(), 0);
    assert!(two.commons.reporter.presence().unwrap().is_empty(), "nobody is there");

    // It decides, and it drains.
    two.soon(two.workers.decide(&Arc::new(Snapshot::new(world().0))));
    assert_eq!(two.soon(two.workers.drain(farewell(), Micros::ZERO, Micros::from_secs(5))), 0);
}

fn farewell() -> Arc<Farewell> {
    Arc::new(crate::refusal::restart())
}

#[test]
fn a_worker_that_panics_loses_its_sessions_and_begins_anew() {
    the_loss_ends_its_sessions_and_nothing_else(Order::Do(Box::new(|| panic!("a test asked for it"))));
}

#[test]
fn a_worker_that_cannot_wait_for_events_loses_its_sessions_and_begins_anew() {
    the_loss_ends_its_sessions_and_nothing_else(Order::BeDeaf);
}

#[test]
fn over_tls_the_goodbye_of_a_lost_worker_is_an_orderly_end_too() {
    let two = Two::new();
    let mut pair = two.hand_over_on(Legs::Tls, 1);
    pair.speaks();
    two.order(Order::Do(Box::new(|| panic!("a test asked for it"))));
    assert_eq!(read_to_end(&mut pair.client), (LOST.to_vec(), true));
    assert!(read_to_end(&mut pair.backend).1);
    assert_eq!(two.records(1).sessions[0].counts.messages_from_clients, 1);
}

#[test]
fn a_frame_that_is_half_way_when_its_worker_is_lost_is_cut_off() {
    let two = Two::new();
    let mut pair = two.hand_over(1);
    // The half of a frame that the backend has got must not be taken for an end.
    write_all(&mut pair.client, &HI[..7]);
    assert_eq!(read_exactly(&mut pair.backend, 7).unwrap(), HI[..7]);
    two.order(Order::Do(Box::new(|| panic!("a test asked for it"))));
    assert_eq!(read_to_end(&mut pair.backend), (Vec::new(), false));
    assert_eq!(read_to_end(&mut pair.client), (LOST.to_vec(), true));
    let lost = two.records(1);
    assert!(lost.sessions[0].cut);
}

#[test]
fn a_worker_that_stalls_gets_no_sessions_and_holds_up_nobody() {
    let two = Two::new();
    let mut carried = two.hand_over(1);
    carried.speaks();
    let mut watch = two.watch();
    let hold = two.hold();
    // Whoever waits for it already, for a place or for its answer, waits until it is known to stall.
    // Of which the session stays.
    let parts = SnapshotParts { application_policies: vec![Policy::default()], ..world().0 };
    let snapshot = Arc::new(Snapshot::new(parts));
    let mut deciding = pin!(two.workers.decide(&snapshot));
    two.soon(async {
        tokio::select! {
            biased;
            () = &mut deciding => panic!("it cannot have answered"),
            () = async {} => {}
        }
    });
    two.rests(1);
    let mut now = two.commons.monotonic.now();
    for _ in 0..8 {
        now = now.plus(Micros::from_millis(250));
        watch.look(now);
    }
    two.soon(deciding);
    assert_eq!([0; 4].map(|_| two.workers.choose()), [Some(1); 4]);
    assert!(two.soon(two.workers.reserve(0)).is_err());
    assert!(two.soon(two.workers.reserve(1)).is_ok());
    two.soon(two.workers.decide(&snapshot));

    drop(hold);
    carried.speaks();
    now = now.plus(Micros::from_millis(250));
    watch.look(now);
    assert!(two.soon(two.workers.reserve(0)).is_ok(), "it is back");
    let chosen = [0; 2].map(|_| two.workers.choose());
    assert_eq!(chosen, [Some(1); 2], "the least loaded");
}

#[test]
fn a_worker_that_has_ended_does_not_stall() {
    let two = Two::new();
    assert_eq!(two.soon(two.workers.drain(farewell(), Micros::ZERO, Micros::from_secs(5))), 0);
    let (mut watch, mut now) = (two.watch(), two.commons.monotonic.now());
    for _ in 0..8 {
        now = now.plus(Micros::from_millis(250));
        watch.look(now);
    }
    assert!(two.workers.doors.iter().all(|door| !*door.is_stalled.borrow()));
}

#[test]
fn where_all_workers_stall_there_is_none_to_choose() {
    let two = Two::new();
    for door in &two.workers.doors {
        door.is_stalled.send_replace(true);
    }
    assert_eq!(two.workers.choose(), None);
}

#[test]
fn a_worker_that_stalls_does_not_hold_up_a_drain() {
    let two = Two::new();
    let mut carried = two.hand_over(1);
    carried.speaks();
    let hold = two.hold();
    let cut = two.soon(two.workers.drain(farewell(), Micros::ZERO, Micros::from_millis(100)));
    assert_eq!(cut, 1, "the session that nobody could end");
    drop(hold);
    // It comes to itself, and does what it was told: nothing of the session is lost but the patience of the drain.
    assert_eq!(read_to_end(&mut carried.client).0, b"\x88\x16\x03\xf4{\"reason\":\"restart\"}");
    assert_eq!(two.records(1).sessions[0].reason, "restart");
}

#[test]
fn a_worker_that_is_lost_in_a_drain_ends_it() {
    let two = Two::new();
    let mut carried = two.hand_over(1);
    carried.speaks();
    let long = Micros::from_secs(60);
    let mut draining = pin!(two.workers.drain(farewell(), Micros::ZERO, long));
    two.soon(async {
        tokio::select! {
            biased;
            _ = &mut draining => panic!("the client has not answered"),
            () = async {} => {}
        }
    });
    assert_eq!(read_exactly(&mut carried.client, 24).unwrap(), b"\x88\x16\x03\xf4{\"reason\":\"restart\"}");
    two.order(Order::Do(Box::new(|| panic!("a test asked for it"))));
    assert_eq!(two.soon(draining), 1);
    assert_eq!(two.records(1).sessions[0].reason, "restart", "what it was told first");
}
