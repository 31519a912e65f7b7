//! The gateway with what stands around it: listeners, clock, randomness, and the control plane's end of the link.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, Once, OnceLock,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
        mpsc,
    },
};

use rustls::{
    ClientConfig, RootCertStore,
    sign::{CertifiedKey, SingleCertAndKey},
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tidegate_gateway::{Gateway, Listener, Ports, Running, Settings, SystemNames};
use tidegate_model::{
    fact::{Batch, CountKey, Counts, OpenSessions, SessionClosed},
    forwarded::TrustedProxies,
    id::{BootId, KeyManagerId},
    lease::WhenAlone,
    link::{self, ChannelEnd, ControlLink as _, Down, GatewayLink, Up},
    network::Networks,
    port::{Clock, Entropy},
    revocation::{Revocation, Revoked},
    snapshot::Snapshot,
    target::TargetFacts,
    ticket::{self, Redemption, Ticket},
    time::Timestamp,
    user::Secret,
};
use tokio::{net::TcpStream, sync::watch, task::JoinHandle};
use tokio_rustls::TlsConnector;

use crate::{
    client::{self, Answer, Ask, Client},
    lean,
    socket::{Duplex, Frames},
    soon,
    world::{NOW, World},
};

/// A clock that stands until it is moved. It can fail the worker with the number 0, which reads it once per turn, and
/// knows what that worker has cost until its last reading.
pub(crate) struct Hands {
    at: AtomicI64,
    fault: Mutex<Option<Fault>>,
    readings: AtomicU64,
    allocations: AtomicU64,
}

/// What the worker with the number 0 has cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Readings of the clock.
    pub(crate) readings: u64,
    pub(crate) allocations: u64,
}

/// What happens to a worker that reads the clock.
pub(crate) enum Fault {
    /// It panics, once.
    Panic,
    /// It waits until the other end is dropped.
    Stall(mpsc::Receiver<()>),
}

impl Hands {
    fn new() -> Self {
        Self {
            at: AtomicI64::new(NOW.millis()),
            fault: Mutex::default(),
            readings: AtomicU64::default(),
            allocations: AtomicU64::default(),
        }
    }

    pub(crate) fn forward(&self, millis: i64) {
        self.at.fetch_add(millis, Ordering::Relaxed);
    }

    pub(crate) fn cost(&self) -> Cost {
        let [readings, allocations] =
            [&self.readings, &self.allocations].map(|it| it.load(Ordering::Relaxed));
        Cost { readings, allocations }
    }

    /// The next turn of the first worker fails.
    pub(crate) fn fail(&self, fault: Fault) {
        *self.fault.lock().unwrap() = Some(fault);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        if std::thread::current().name() == Some("relay-0") {
            self.readings.fetch_add(1, Ordering::Relaxed);
            self.allocations.store(lean::allocations(), Ordering::Relaxed);
            let fault = self.fault.lock().unwrap().take();
            match fault {
                Some(Fault::Panic) => panic!("a failure that the test asked for"),
                Some(Fault::Stall(until)) => assert!(until.recv().is_err(), "the other end is only dropped"),
                None => {}
            }
        }
        Timestamp(self.at.load(Ordering::Relaxed))
    }
}

/// Different bytes at every call, the same in every run. It can be told to fail where mask keys are made.
#[derive(Default)]
pub(crate) struct Counting {
    next: AtomicU64,
    fails_at_keys: AtomicBool,
}

impl Counting {
    pub(crate) fn fail_at_keys(&self, fails: bool) {
        self.fails_at_keys.store(fails, Ordering::Relaxed);
    }
}

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let is_key = bytes.len() == 4;
        assert!(!(is_key && self.fails_at_keys.load(Ordering::Relaxed)), "a failure that the test asked for");
        for chunk in bytes.chunks_mut(8) {
            // Splitmix.
            let mut word = self.next.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_be_bytes()[..chunk.len()]);
        }
    }
}

/// What the gateway has told the control plane.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) hellos: Vec<(u32, BootId)>,
    pub(crate) applied: Vec<u64>,
    /// The number up to which revocations hold.
    pub(crate) revoked: u64,
    /// The number up to which opaque tokens open sessions.
    pub(crate) opaque_tokens: u64,
    /// As they came, repeats included.
    pub(crate) batches: Vec<Arc<Batch>>,
    /// Whose keys were wished for.
    pub(crate) keys_wanted: Vec<KeyManagerId>,
    pub(crate) presence: Vec<Vec<OpenSessions>>,
    /// The last word on addresses of backends.
    pub(crate) targets: Vec<TargetFacts>,
    /// How many questions about tickets it had.
    pub(crate) asks: u64,
}

impl Told {
    /// Each batch once. Their numbers have no holes, and a repeat says the same.
    pub(crate) fn distinct(&self) -> Vec<&Batch> {
        let mut distinct: Vec<&Batch> = Vec::new();
        for batch in &self.batches {
            match distinct.last() {
                Some(last) if last.number == batch.number => {
                    assert_eq!(*last, &**batch, "a repeat says the same");
                }
                _ => {
                    assert_eq!(batch.number, distinct.len() as u64 + 1, "numbers have no holes");
                    distinct.push(batch);
                }
            }
        }
        distinct
    }

    /// Counts by row, as a store would add them up.
    pub(crate) fn rows(&self) -> Vec<(CountKey, Counts)> {
        let mut rows = std::collections::BTreeMap::<CountKey, Counts>::new();
        for (key, counts) in self.distinct().iter().flat_map(|batch| &batch.counts) {
            rows.entry(key.clone()).or_default().add(counts);
        }
        rows.into_iter().collect()
    }

    pub(crate) fn totals(&self) -> Counts {
        let mut totals = Counts::default();
        self.rows().iter().for_each(|(_, counts)| totals.add(counts));
        totals
    }

    pub(crate) fn sessions(&self) -> Vec<SessionClosed> {
        self.distinct().iter().flat_map(|batch| batch.sessions.clone()).collect()
    }

    /// Sessions open by the last word on it.
    pub(crate) fn open(&self) -> u32 {
        self.presence.last().map_or(0, |open| open.iter().map(|it| it.open).sum())
    }
}

/// The control plane's end of the link.
pub(crate) struct Control {
    link: Arc<ChannelEnd<Down, Up>>,
    pub(crate) told: Arc<watch::Sender<Told>>,
    acknowledges: Arc<AtomicBool>,
    /// Nobody answers questions about tickets.
    pub(crate) tickets_away: Arc<AtomicBool>,
    _listening: JoinHandle<()>,
}

impl Control {
    fn new(link: ChannelEnd<Down, Up>) -> Self {
        let (link, told, acknowledges) =
            (Arc::new(link), Arc::<watch::Sender<Told>>::default(), Arc::new(AtomicBool::new(true)));
        let tickets = Tickets::default();
        let tickets_away = Arc::clone(&tickets.is_away);
        let all = (Arc::clone(&link), Arc::clone(&told), Arc::clone(&acknowledges));
        let listening = tokio::spawn(listen(all.0, all.1, all.2, tickets));
        Self { link, told, acknowledges, tickets_away, _listening: listening }
    }

    /// Batches are not acknowledged from now on.
    pub(crate) fn hold(&self) {
        self.acknowledges.store(false, Ordering::SeqCst);
    }

    /// Batches are acknowledged from now on, beginning with this one.
    pub(crate) async fn release(&self, batch: &Batch) {
        self.acknowledges.store(true, Ordering::SeqCst);
        acknowledge(&self.link, batch).await;
    }

    pub(crate) async fn send(&self, message: Down) {
        self.link.send(message).await.unwrap();
    }

    /// Waits until enough was told.
    pub(crate) async fn until(&self, what: &str, is_enough: impl Fn(&Told) -> bool) {
        let mut told = self.told.subscribe();
        drop(soon(what, told.wait_for(|told| is_enough(told))).await.expect("the sender is held"));
    }
}

/// Tickets as something that keeps them would, without a clock.
#[derive(Default)]
struct Tickets {
    kept: HashMap<Secret, (Ticket, bool)>,
    is_away: Arc<AtomicBool>,
}

impl Tickets {
    /// `None`: nobody answers.
    fn answer(&mut self, ask: ticket::Ask) -> Option<ticket::Answer> {
        if self.is_away.load(Ordering::SeqCst) {
            return None;
        }
        Some(match ask {
            ticket::Ask::Keep(ticket) => {
                self.kept.insert(ticket.hash.clone(), (*ticket, false));
                ticket::Answer::Kept
            }
            ticket::Ask::Redeem { hash, api } => {
                let found = self.kept.get_mut(&hash).filter(|(ticket, _)| ticket.api == api);
                ticket::Answer::Redeemed(match found {
                    None => Redemption::Unknown,
                    Some((_, true)) => Redemption::Used,
                    Some((ticket, used)) => {
                        *used = true;
                        Redemption::Good(Box::new(ticket.identity.clone()))
                    }
                })
            }
        })
    }
}

async fn listen(
    link: Arc<ChannelEnd<Down, Up>>,
    told: Arc<watch::Sender<Told>>,
    acknowledges: Arc<AtomicBool>,
    mut tickets: Tickets,
) {
    while let Ok(message) = link.next().await {
        match message {
            Up::Hello { protocol, boot } => told.send_modify(|told| told.hellos.push((protocol, boot))),
            Up::Applied { number } => told.send_modify(|told| told.applied.push(number)),
            Up::Revoked { number } => told.send_modify(|told| told.revoked = number),
            Up::KeysWanted { key_manager } => told.send_modify(|told| told.keys_wanted.push(key_manager)),
            Up::OpaqueTokens { number } => told.send_modify(|told| told.opaque_tokens = number),
            Up::Presence(open) => told.send_modify(|told| told.presence.push(open)),
            Up::Targets(targets) => told.send_modify(|told| told.targets = targets),
            // What it says is tried with a real Redis, behind the whole product.
            Up::Sharing(_) => {}
            Up::Ask { number, ask } => {
                told.send_modify(|told| told.asks += 1);
                if let Some(answer) = tickets.answer(ask) {
                    // As below.
                    let _ = link.send(Down::Answer { number, answer }).await;
                }
            }
            Up::Batch(batch) => {
                // Kept first: whoever knows of the acknowledgement finds the batch here.
                told.send_modify(|told| told.batches.push(Arc::clone(&batch)));
                if acknowledges.load(Ordering::SeqCst) {
                    acknowledge(&link, &batch).await;
                }
            }
        }
    }
}

async fn acknowledge(link: &ChannelEnd<Down, Up>, batch: &Batch) {
    // A gateway that has ended needs to know nothing any more.
    let _ = link.send(Down::BatchStored { boot: batch.boot, number: batch.number }).await;
}

/// What the TLS listeners present, and the settings of clients that trust it.
struct Tls {
    server: Arc<SingleCertAndKey>,
    roots: RootCertStore,
    client: Arc<ClientConfig>,
}

/// Whom clients of the TLS listeners trust.
pub(crate) fn roots() -> RootCertStore {
    tls().roots.clone()
}

fn tls() -> &'static Tls {
    static TLS: OnceLock<Tls> = OnceLock::new();
    TLS.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let provider = || Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let client = client.unwrap().with_root_certificates(roots.clone()).with_no_client_auth();
        let server = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
        Tls { server: Arc::new(server), roots, client: Arc::new(client) }
    })
}

/// Workers tell of a panic in one line. With a trace of where it came from it can take a second on a busy machine, and
/// a worker that is busy for a second stalls.
pub(crate) fn short_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            match thread.name() {
                Some(name) if name.starts_with("relay-") => eprintln!("{name}: {panic}"),
                _ => usual(panic),
            }
        }));
    });
}

/// See the module.
pub(crate) struct Rig {
    pub(crate) gateway: Gateway,
    pub(crate) control: Control,
    pub(crate) clock: Arc<Hands>,
    pub(crate) entropy: Arc<Counting>,
    pub(crate) ws: SocketAddr,
    wss: SocketAddr,
    running: Running,
    serving: Vec<JoinHandle<io::Result<()>>>,
}

fn listener() -> (Listener, SocketAddr) {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_nonblocking(true).unwrap();
    let address = socket.local_addr().unwrap();
    (Listener { socket, tls: None }, address)
}

impl Rig {
    /// Two workers, deciding with the world.
    pub(crate) async fn start(world: &mut World) -> Self {
        Self::with(world, |_| {}).await
    }

    /// With other settings.
    pub(crate) async fn with(world: &mut World, change: impl FnOnce(&mut Settings)) -> Self {
        let rig = Self::unready(change);
        rig.decide(world).await;
        rig
    }

    /// Before the first snapshot.
    pub(crate) fn unready(change: impl FnOnce(&mut Settings)) -> Self {
        let (ours, theirs) = link::channel();
        Self::joined(Arc::new(ours), theirs, change)
    }

    /// Over a link of the test's own, beside which nobody listens.
    pub(crate) fn over(link: Arc<dyn GatewayLink>) -> Self {
        Self::joined(link, link::channel().1, |_| {})
    }

    fn joined(
        link: Arc<dyn GatewayLink>,
        theirs: ChannelEnd<Down, Up>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let (clock, entropy) = (Arc::new(Hands::new()), Arc::<Counting>::default());
        let ports = Ports {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Arc::clone(&entropy) as Arc<dyn Entropy>,
            link,
            budgets: None,
            stuck: Arc::new(|worker| panic!("worker {worker} is stuck")),
        };
        let ((plain, ws), (mut secure, wss)) = (listener(), listener());
        let mut settings = Settings {
            problem_base: "https://problems.test".to_owned(),
            workers: NonZeroUsize::new(2),
            sessions_max: 1_000,
            query_credentials: true,
            trusted: TrustedProxies::default(),
            client_cert: false,
            ask_certificates: false,
            proxy_protocol: false,
            connections_per_address: None,
            socket_buffer_bytes: None,
            own: vec![ws, wss],
            backend_allow: Networks::default(),
            backend_deny: Networks::default(),
            names: Arc::new(SystemNames),
            when_alone: WhenAlone::default(),
        };
        change(&mut settings);
        let (gateway, running) = Gateway::start(ports, settings).unwrap();
        secure.tls = Some(gateway.tls(Arc::clone(&tls().server) as _).unwrap());
        let serving = [plain, secure].map(|listener| {
            let gateway = gateway.clone();
            tokio::spawn(async move { gateway.serve(listener).await })
        });
        let control = Control::new(theirs);
        Self { gateway, control, clock, entropy, ws, wss, running, serving: serving.into() }
    }

    /// The next snapshot; it decides when this returns.
    pub(crate) async fn decide(&self, world: &mut World) {
        world.parts.number += 1;
        let number = world.parts.number;
        self.control.send(Down::Snapshot(Arc::new(Snapshot::new(world.parts.clone())))).await;
        self.control.until("a snapshot decides", |told| told.applied.contains(&number)).await;
    }

    /// These have ended, and the gateway has said that it holds to it.
    pub(crate) async fn revoke(&self, what: impl IntoIterator<Item = Revoked>) {
        let (at, before) = (self.clock.now(), self.control.told.borrow().revoked);
        let revocation = |(number, what)| Revocation { number, what, at, until: at.plus_millis(3_600_000) };
        let some: Arc<[_]> = (before + 1..).zip(what).map(revocation).collect();
        let last = some.last().expect("something is revoked").number;
        self.control.send(Down::Revoked(some)).await;
        self.control.until("revocations hold", |told| told.revoked >= last).await;
    }

    pub(crate) fn plain_address(&self) -> SocketAddr {
        self.ws
    }

    pub(crate) fn secure_address(&self) -> SocketAddr {
        self.wss
    }

    pub(crate) async fn plain(&self) -> Box<dyn Duplex> {
        Box::new(TcpStream::connect(self.ws).await.unwrap())
    }

    pub(crate) async fn secure(&self) -> Box<dyn Duplex> {
        Self::secured(TcpStream::connect(self.wss).await.unwrap(), &[]).await
    }

    /// Over TLS, with one of these protocols (RFC 7301).
    pub(crate) async fn secure_by(&self, protocols: &[&str]) -> Box<dyn Duplex> {
        Self::secured(TcpStream::connect(self.wss).await.unwrap(), protocols).await
    }

    /// TLS over a connection that may have said something before it.
    pub(crate) async fn secured(stream: TcpStream, protocols: &[&str]) -> Box<dyn Duplex> {
        let mut client = ClientConfig::clone(&tls().client);
        client.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        let connecting = TlsConnector::from(Arc::new(client)).connect(name, stream);
        let stream = soon("TLS", connecting).await.unwrap();
        let chosen = stream.get_ref().1.alpn_protocol();
        assert_eq!(chosen, protocols.first().map(|first| first.as_bytes()), "the first is chosen");
        Box::new(stream)
    }

    /// Asks what must be refused.
    pub(crate) async fn ask(&self, ask: &Ask) -> Answer {
        client::ask(self.plain().await, &ask.bytes()).await
    }

    /// A client that has asked and reads no answer yet.
    pub(crate) async fn asking(&self, ask: &Ask) -> Frames {
        let mut client = Frames::of_client(self.plain().await);
        client.write(&ask.bytes()).await;
        client
    }

    /// Opens a session.
    pub(crate) async fn open(&self, ask: &Ask) -> Client {
        client::open(self.plain().await, ask).await
    }

    /// Ends the gateway; answers how many sessions were cut, and what was told until the end.
    pub(crate) async fn drain(self) -> (usize, Arc<watch::Sender<Told>>) {
        let Self { control, running, serving, .. } = self;
        let cut = soon("the drain", running.drain()).await;
        for serving in serving {
            soon("the listener's end", serving).await.unwrap().unwrap();
        }
        (cut, control.told)
    }

    /// The end of the gateway, for whoever watches it.
    pub(crate) fn into_parts(self) -> (Gateway, Control, Running, Vec<JoinHandle<io::Result<()>>>) {
        (self.gateway, self.control, self.running, self.serving)
    }
}
