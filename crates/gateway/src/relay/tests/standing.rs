//! Many sessions on one worker, asked who may stay: whom news touches is closed and nobody else, and what the asking costs.
//!
//! Each session is a socket whose ends are its client and its backend at once: what the gateway says to one, the other
//! answers. One more session has peers that talk, so that it is seen what a message waits for.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
    sync::atomic::AtomicBool,
};

use tidegate_model::{
    admit::{Identity, admit},
    fact::SessionClosed,
    id::{ApplicationId, SubscriptionId},
    limit::{Limit, Window},
    policy::Policy,
    revocation::{Mark, Marks, Revocation, Revoked},
    security::Way,
    snapshot::SubscriptionFacts,
};

use super::*;
use crate::relay::{Leg, Socket};

/// Sessions of one client.
const OF_ONE_CLIENT: usize = 10;
/// Rounds that medians are made of.
const ROUNDS: usize = 21;

struct Crowded {
    commons: Commons,
    workers: Workers,
    runtime: tokio::runtime::Runtime,
    parts: SnapshotParts,
    snapshot: Arc<Snapshot>,
}

fn name(client: usize) -> String {
    format!("client-{client}")
}

fn random(number: usize) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    bytes
}

/// The mark of a session's own token.
fn mark(session: usize) -> Mark {
    (session as u64 + 1).to_be_bytes().into()
}

impl Crowded {
    /// So many sessions, each client with its application, subscription and limits.
    fn new(sessions: usize) -> Self {
        let (mut parts, _) = world();
        let api = ApiFacts { state: State::Published, ..parts.apis[0].clone() };
        let limits = vec![Limit::messages(5_000, Window::Minute)];
        let plan = |name: &str| Policy { name: name.to_owned(), limits: limits.clone(), ..Policy::default() };
        (parts.plans, parts.application_policies) =
            (vec![plan("Gold"), plan("Silver")], vec![plan("Policy")]);
        (parts.apis, parts.clients, parts.applications) = (vec![api.clone()], Vec::new(), Vec::new());
        for client in 0..sessions.div_ceil(OF_ONE_CLIENT) {
            let application = ApplicationFacts {
                id: ApplicationId::new(Timestamp(9), random(client)),
                ..testing::application()
            };
            let (api, id) = (api.id, SubscriptionId::new(Timestamp(9), random(client)));
            parts.subscriptions.push(SubscriptionFacts {
                id,
                application: application.id,
                api,
                plan: "Gold".into(),
            });
            parts.clients.push(ClientFacts {
                client_id: name(client),
                application: application.id,
                environment: Environment::Production,
                key_manager: None,
            });
            parts.applications.push(application);
        }
        let commons = commons();
        let workers = Workers::unwatched(1, &commons).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let snapshot = Arc::new(Snapshot::new(parts.clone()));
        let mut crowded = Self { commons, workers, runtime, parts, snapshot };
        crowded.decide();
        for session in 0..sessions {
            let (client, backend) = UnixStream::pair().unwrap();
            crowded.take(session, [client, backend], crowded.meter_of(session));
        }
        crowded.wait_for(sessions);
        crowded
    }

    /// Workers decide with what the parts say now.
    fn decide(&mut self) {
        self.snapshot = Arc::new(Snapshot::after(self.parts.clone(), &self.snapshot));
        self.runtime.block_on(self.workers.decide(&self.snapshot));
    }

    /// As [`Self::decide`], where workers have missed the snapshot before.
    fn decide_after_another(&mut self) {
        self.snapshot = Arc::new(Snapshot::after(self.parts.clone(), &self.snapshot));
        self.decide();
    }

    fn grant(&self, session: usize) -> Grant {
        let identity = Identity {
            client_id: name((session / OF_ONE_CLIENT).min(self.parts.clients.len() - 1)),
            expires_at: Timestamp(i64::MAX),
            marks: Marks { credential: Some(mark(session)), ..Marks::default() },
            ..Identity::default()
        };
        let api = self.snapshot.apis().next().unwrap();
        admit(&self.snapshot, api, &identity, Way::OAuthHeader, std::net::Ipv4Addr::LOCALHOST.into()).unwrap()
    }

    fn meter_of(&self, session: usize) -> Meter {
        self.commons.budgets.meter(&self.grant(session))
    }

    fn take(&self, session: usize, legs: [UnixStream; 2], meter: Meter) {
        let leg = |socket: UnixStream| {
            socket.set_nonblocking(true).unwrap();
            Leg::new(Socket::unix(socket, None), None, Vec::new(), None)
        };
        let number = session as u64 + 1;
        let handover = Handover {
            id: SessionId { boot: BootId::new(Timestamp(0), [1; 10]), worker: 0, number },
            grant: self.grant(session),
            meter,
            snapshot_number: 1,
            revocation_number: u64::MAX,
            opened_at: Timestamp(1_000),
            passes_compressed: false,
            in_use: None,
            held: None,
            legs: legs.map(leg),
            stage: None,
        };
        self.runtime.block_on(self.workers.reserve(0)).unwrap().take(handover);
    }

    fn revoke(&self, number: u64, what: Revoked) {
        let revocation = Revocation { number, what, at: Timestamp(2_000), until: Timestamp(i64::MAX) };
        let number = self.commons.revoked.add(&[revocation]);
        self.runtime.block_on(self.workers.revoke(number));
    }

    /// The records of so many sessions.
    fn records(&self, sessions: usize) -> Vec<SessionClosed> {
        let mut all = Vec::new();
        let reporter = &self.commons.reporter;
        self.runtime.block_on(async {
            while all.len() < sessions {
                match reporter.batch(1, Vec::new()) {
                    Some(batch) => all.extend(batch.sessions.iter().cloned()),
                    None => tokio::time::timeout(PATIENCE, reporter.changed()).await.expect("they are told"),
                }
            }
        });
        all
    }

    /// Waits until so many are carried.
    fn wait_for(&self, sessions: usize) {
        let began = Instant::now();
        while self.workers.load() != sessions {
            assert!(began.elapsed() < PATIENCE, "{} are carried", self.workers.load());
            thread::park_timeout(Duration::from_millis(1));
        }
    }
}

#[test]
fn whom_news_touches_is_closed_and_nobody_else() {
    // More than one turn looks at, and many more than one turn closes.
    let mut crowded = Crowded::new(1_500);
    crowded.revoke(1, Revoked::Credential(mark(700)));
    crowded.wait_for(1_499);
    crowded.revoke(2, Revoked::Client(name(3).into()));
    crowded.wait_for(1_499 - OF_ONE_CLIENT);
    // Old news finds nobody again, and no news touches nobody.
    crowded.revoke(3, Revoked::Client("nobody".into()));
    crowded.decide();
    assert_eq!(crowded.workers.load(), 1_499 - OF_ONE_CLIENT);
    crowded.parts.subscriptions.truncate(120);
    crowded.decide();
    crowded.wait_for(1_200 - 1 - OF_ONE_CLIENT);
    crowded.parts.subscriptions.truncate(100);
    crowded.decide_after_another();
    crowded.wait_for(1_000 - 1 - OF_ONE_CLIENT);
    let records = crowded.records(1_500 - 989);
    let ended = |word: &str| records.iter().filter(|it| it.reason == word).count();
    assert_eq!((ended("revoked"), ended("subscription_ended")), (1 + OF_ONE_CLIENT, 500));
}

/// What one message waits for, while others are asked about: sent by a client, until its backend has it.
fn talk(
    ends: &AtomicBool,
    client: &mut UnixStream,
    backend: &mut UnixStream,
    waits: &mpsc::Sender<Duration>,
) {
    // An unfragmented text frame `hi`, masked with zeros.
    let frame = [0x81, 0x82, 0, 0, 0, 0, b'h', b'i'];
    let mut heard = frame;
    while !ends.load(Ordering::Relaxed) {
        let began = Instant::now();
        client.write_all(&frame).unwrap();
        backend.read_exact(&mut heard).unwrap();
        waits.send(began.elapsed()).unwrap();
    }
}

/// The longest of those until now, and of the one under way.
fn the_longest(waits: &mpsc::Receiver<Duration>) -> Duration {
    let under_way = waits.recv_timeout(PATIENCE).expect("a message comes through");
    waits.try_iter().max().map_or(under_way, |longest| longest.max(under_way))
}

/// Says that it ends, also to whoever waits for it while this test fails.
struct Ends<'e>(&'e AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

/// How many sessions are asked, where it is a measurement: ten thousand, as far as descriptors allow.
const MEASURED: &str = "TIDEGATE_MEASURE_SESSIONS";

/// With [`MEASURED`] set, and in a release build, the time that it takes is held against what is wanted: medians of rounds,
/// since other work of the machine falls into any single one.
#[test]
fn everybody_is_asked_in_time_and_no_message_waits_for_it() {
    let measured = std::env::var(MEASURED).ok().and_then(|sessions| sessions.parse().ok());
    let sessions = measured.unwrap_or(300);
    let crowded = Crowded::new(sessions);
    let (mut client, near) = UnixStream::pair().unwrap();
    let (mut backend, far) = UnixStream::pair().unwrap();
    // No limit: it speaks more than any plan allows.
    crowded.take(sessions, [near, far], Meter::default());
    crowded.wait_for(sessions + 1);
    let (says, waits) = mpsc::channel();
    let ends = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| talk(&ends, &mut client, &mut backend, &says));
        let saying = Ends(&ends);
        let mut number = 0;
        let mut measure = |what: &str, news: &mut dyn FnMut(u64)| {
            let (mut took, mut longest, mut usual) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                number += 1;
                waits.try_iter().for_each(drop);
                let began = Instant::now();
                news(number);
                let span = began.elapsed();
                longest.push(the_longest(&waits));
                took.push(span);
                thread::park_timeout(span);
                usual.push(the_longest(&waits));
            }
            let (took, longest, usual) = (median(took), median(longest), median(usual));
            println!(
                "{what}: {sessions} sessions asked in {took:?}; the longest wait of a message {longest:?}, {usual:?} otherwise"
            );
            (took, longest)
        };
        let revoked = measure("a token that nobody has is revoked", &mut |number| {
            crowded.revoke(number, Revoked::Credential(mark(usize::try_from(number).unwrap() + 20_000)));
        });
        // Made before: the control plane's side of a change is none of the worker's.
        let mut parts = crowded.parts.clone();
        let mut made = vec![Arc::clone(&crowded.snapshot)];
        for round in 0..ROUNDS {
            parts.subscriptions[0].plan = ["Silver", "Gold"][round % 2].into();
            made.push(Arc::new(Snapshot::after(parts.clone(), &made[round])));
        }
        // Dropping one costs as well.
        let mut next = made.iter().skip(1);
        let touched = measure("a snapshot that touches ten of them", &mut |_| {
            crowded.runtime.block_on(crowded.workers.decide(next.next().expect("one for each round")));
        });
        let unrelated: Vec<_> = (0..ROUNDS).map(|_| Arc::new(Snapshot::new(parts.clone()))).collect();
        let mut next = unrelated.iter();
        let (_, waited) = measure("a snapshot that may touch all of them", &mut |_| {
            crowded.runtime.block_on(crowded.workers.decide(next.next().expect("one for each round")));
        });
        drop(saying);
        for (took, longest) in [revoked, touched, (Duration::ZERO, waited)] {
            let is_quick = took <= Duration::from_millis(5) && longest <= Duration::from_millis(1);
            assert!(measured.is_none() || is_quick, "{took:?}, {longest:?}");
        }
        assert_eq!(crowded.workers.load(), sessions + 1, "nobody was touched");
    });
}
