//! The relay on real sockets: the scenarios that the simulation plays, each on a worker of its own.
//!
//! What a scenario needs beyond the product's own doors (bounds, a scripted limiter, the report of the relay) comes
//! in with the handover, as [`Stage`] and [`Script`]. The legs are plain or TLS: the stories are the same.

mod faults;
mod peer;
mod standing;

use std::{
    collections::VecDeque,
    io::ErrorKind,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use tidegate_model::{
    admit::Grant,
    endpoint::Environment,
    id::{BootId, SessionId},
    lifecycle::State,
    policy::Policy,
    port::{Clock, Entropy},
    snapshot::{ApiFacts, ApplicationFacts, ClientFacts, Snapshot, SnapshotParts},
    time::Timestamp,
};
use tidegate_wire::{
    Admission, Limiter as _, Limits, MessageStart, Micros, Side,
    close::CloseReason,
    relay::{Counters, Ending},
    scenarios::{Act, Budget, Driver, Report, Scenario, StreamEnd, all, run},
};

use super::{Budgets, Commons, Farewell, Handover, Meter, Workers};
use crate::{report::Reporter, testing, time::Monotonic};

use peer::{Legs, Peer};

/// How long a peer waits for bytes that must come.
const PATIENCE: Duration = Duration::from_secs(15);
/// Half of the scenarios end within this beside the pauses they name: goodbyes go out at once, not when a grace of
/// a second is over. The half, since a busy machine may hold up any single one.
const USUAL: Duration = Duration::from_millis(500);
/// Scenarios played at the same time: most of them wait for a grace to pass.
const AT_ONCE: usize = 8;

/// What a scenario brings to its session.
pub(crate) struct Stage {
    pub(crate) limits: Arc<Limits>,
    reports: mpsc::Sender<Report>,
}

impl Stage {
    pub(crate) fn report(&self, counters: [Counters; 2], ending: Ending) {
        // Nobody listens any more where the scenario has failed already.
        let _ = self.reports.send(Report { counters, ending });
    }
}

/// The scenario's limiter.
#[derive(Debug)]
pub(crate) struct Script(Budget);

impl Script {
    pub(crate) fn admit(&mut self, now: Micros, message: MessageStart) -> Admission {
        self.0.admit(now, message)
    }
}

struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// The same bytes always: mask keys need no secrecy here.
struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// One session on a worker of its own, with a peer at each end.
struct Sockets {
    workers: Workers,
    peers: [Option<Peer>; 2],
    /// What was read from each peer's socket and not asked for yet.
    inboxes: [VecDeque<u8>; 2],
    reports: mpsc::Receiver<Report>,
    runtime: tokio::runtime::Runtime,
}

fn commons() -> Commons {
    let boot = BootId::new(Timestamp(0), [1; 10]);
    Commons {
        clock: Arc::new(At(Timestamp(1_000))),
        entropy: Arc::new(Sevens),
        monotonic: Monotonic::start(),
        budgets: Budgets::new(Monotonic::start(), None),
        reporter: Arc::new(Reporter::new(boot)),
        revoked: Arc::default(),
    }
}

/// A world with one API, one application and one client of it, and a session's grant in it.
fn world() -> (SnapshotParts, Grant) {
    let api = ApiFacts { state: State::Prototyped, ..testing::api() };
    let application = ApplicationFacts { policy: String::new(), ..testing::application() };
    let client = ClientFacts {
        key_manager: None,
        client_id: "client".into(),
        application: application.id,
        environment: Environment::Production,
    };
    let grant = testing::grant(api.clone(), application.clone());
    let parts = SnapshotParts {
        number: 1,
        apis: vec![api],
        applications: vec![application],
        clients: vec![client],
        // That of the application: whose policy is not known may not stay.
        application_policies: vec![Policy::default()],
        ..SnapshotParts::default()
    };
    (parts, grant)
}

impl Sockets {
    fn new(scenario: &Scenario, legs: Legs) -> Self {
        let workers = Workers::unwatched(1, &commons()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (parts, grant) = world();
        let [(client, client_peer), (backend, backend_peer)] = Side::BOTH.map(|side| legs.pair(side));
        let (sender, reports) = mpsc::channel();
        let mut meter = Meter::default();
        meter.script = Some(Script(Budget { left: scenario.budget }));
        let handover = Handover {
            id: SessionId { boot: BootId::new(Timestamp(0), [1; 10]), worker: 0, number: 1 },
            grant,
            snapshot_number: 1,
            revocation_number: 0,
            opened_at: Timestamp(1_000),
            meter,
            passes_compressed: false,
            in_use: None,
            held: None,
            legs: [client, backend],
            stage: Some(Stage { limits: Arc::new(scenario.limits.clone()), reports: sender }),
        };
        runtime.block_on(async {
            workers.decide(&Arc::new(Snapshot::new(parts))).await;
            workers.reserve(0).await.unwrap().take(handover);
        });
        let inboxes = [VecDeque::new(), VecDeque::new()];
        Self { workers, peers: [Some(client_peer), Some(backend_peer)], inboxes, reports, runtime }
    }

    /// Reads once from a peer's socket into its inbox; says whether bytes came.
    fn collect(&mut self, side: Side) -> Result<bool, StreamEnd> {
        let Some(peer) = &mut self.peers[side as usize] else { return Err(StreamEnd::Reset) };
        let mut bytes = vec![0; 64 * 1024];
        match peer.read(&mut bytes) {
            Ok(0) => Err(StreamEnd::Fin),
            Ok(some) => {
                self.inboxes[side as usize].extend(&bytes[..some]);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(_) => Err(StreamEnd::Reset),
        }
    }
}

impl Driver for Sockets {
    fn send(&mut self, side: Side, bytes: &[u8]) {
        let (began, mut at) = (Instant::now(), 0);
        while at < bytes.len() {
            assert!(began.elapsed() < PATIENCE, "{side:?} cannot write");
            let Some(peer) = &mut self.peers[side as usize] else { return };
            match peer.write(&bytes[at..]) {
                Ok(some) => at += some,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    // The other peer takes what comes, or the gateway would rightly stop reading. Its end is for
                    // the scenario to see.
                    let _ = self.collect(side.other());
                    thread::yield_now();
                }
                Err(_) => return,
            }
        }
    }

    fn finish(&mut self, side: Side) {
        if let Some(peer) = &mut self.peers[side as usize] {
            peer.finish();
        }
    }

    fn reset(&mut self, side: Side) {
        if let Some(peer) = self.peers[side as usize].take() {
            peer.reset();
        }
    }

    fn receive(&mut self, side: Side, bytes: &mut [u8]) -> Result<(), StreamEnd> {
        let began = Instant::now();
        while self.inboxes[side as usize].len() < bytes.len() {
            match self.collect(side) {
                Ok(true) => {}
                Ok(false) if began.elapsed() > PATIENCE => return Err(StreamEnd::TimedOut),
                // A peer that waits must not keep the worker from the processor.
                Ok(false) => thread::park_timeout(Duration::from_micros(200)),
                Err(end) => {
                    // What a real peer does next.
                    self.finish(side);
                    return Err(end);
                }
            }
        }
        let got: Vec<u8> = self.inboxes[side as usize].drain(..bytes.len()).collect();
        bytes.copy_from_slice(&got);
        Ok(())
    }

    fn impose(&mut self, client: CloseReason, backend: CloseReason) {
        let farewell = Arc::new(Farewell { word: "imposed", client, backend });
        let long = Micros::from_secs(60);
        // The worker answers when it has ended; what it does meanwhile is the scenario.
        let mut draining = Box::pin(self.workers.drain(farewell, Micros::ZERO, long));
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                _ = &mut draining => {}
                () = async {} => {}
            }
        });
    }

    fn pause(&mut self, span: Micros) {
        // The scenario's own time: here it is real.
        thread::park_timeout(span.to_duration());
    }

    fn report(&mut self) -> Report {
        for side in Side::BOTH {
            self.finish(side);
        }
        self.reports.recv_timeout(PATIENCE).expect("the session ends")
    }
}

fn play(legs: Legs) {
    let scenarios = all();
    let (next, problems, spans) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let began = Instant::now();
                    let problem = run(scenario, &mut Sockets::new(scenario, legs)).err();
                    problems.lock().unwrap().extend(problem);
                    spans.lock().unwrap().push(began.elapsed().saturating_sub(pauses(scenario)));
                }
            });
        }
    });
    let problems = problems.into_inner().unwrap();
    assert!(problems.is_empty(), "{} scenarios failed:\n{}", problems.len(), problems.join("\n"));
    let mut spans = spans.into_inner().unwrap();
    spans.sort_unstable();
    let half = spans[spans.len() / 2];
    assert!(half < USUAL, "half of the scenarios took longer than {half:?} beside their pauses");
}

/// The time that a scenario lets pass on purpose.
fn pauses(scenario: &Scenario) -> Duration {
    let pause = |act: &Act| if let Act::Pause(span) = act { span.to_duration() } else { Duration::ZERO };
    scenario.acts.iter().map(pause).sum()
}

#[test]
fn every_scenario_holds_on_plain_sockets() {
    play(Legs::Plain);
}

#[test]
fn every_scenario_holds_on_tls_sockets() {
    play(Legs::Tls);
}

#[test]
fn a_session_is_small() {
    // Ten thousand idle ones are ten of these megabytes, and little more: an idle leg owns no buffer.
    let bytes = size_of::<super::session::Session>() + size_of::<super::session::Record>();
    assert!(bytes <= 1032, "{bytes} bytes");
}
