//! The data plane: every connection passes the phases listen, handshake, authenticate, admit, dial, relay, drain and
//! report, one file each, in this order.
//!
//! It knows WebSocket (`wire`), tokens (`oauth`) and the business (`model`); it never reads a database and never
//! calls the control plane to admit. What it decides with comes over the link, what it counts goes the same way.
//! Start reading at [`Gateway`], then `connection.rs` (the phases before the relay) and `relay.rs`.

mod admit;
mod answer;
mod authenticate;
mod certificate;
mod compression;
mod connection;
mod counter;
mod crowd;
mod dial;
mod drain;
mod handshake;
mod health;
mod http2;
mod lease;
mod link;
mod listen;
mod probe;
mod proof;
mod quota;
mod refusal;
mod relay;
mod renewal;
mod report;
mod revoked;
mod stream;
#[cfg(test)]
mod testing;
mod time;

use std::{
    io,
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rustls::{ServerConfig, server::ResolvesServerCert};
use tidegate_model::{
    forwarded::TrustedProxies,
    id::{BootId, SessionId},
    lease::WhenAlone,
    link::GatewayLink,
    network::Networks,
    port::{
        Clock, ConsoleDoor, Documents, Entropy, Messenger, NoDocument, PortError, Post, Probe, ProbeReport,
        ProbeRequest, Question, SharedBudgets,
    },
    user::Secret,
};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
};

use crate::{
    admit::Desk,
    connection::Client,
    crowd::{AddressPlace, Crowd},
    dial::{AddressRules, Dialler, DiallerParts},
    health::Checker,
    lease::{Common, Sharer},
    refusal::Refusal,
    relay::{Budgets, Commons, Workers},
    report::Reporter,
    revoked::Revoked,
    stream::Stream,
    time::Monotonic,
};

pub use dial::{Names, SystemNames};
pub use listen::Listener;
pub use refusal::problem_kinds;

/// Connections that may be in the phases before the relay at once. Each may wait for a slow backend for a minute;
/// beyond it clients are told 503 at once.
const HANDSHAKES_MAX: usize = 16_384;

/// TLS handshakes with clients at once. Each costs a fraction of a millisecond of a core, so it takes an attack to
/// have more under way; what is above it is dropped, since there is no way yet to say anything.
const SECURING_MAX: usize = 4_096;

/// Connections above their address's bound that are told so at once; the rest is dropped. Telling takes a second or two of
/// patience, and whoever has too many connections must not get more by it.
const TURNING_AWAY_MAX: usize = 256;

/// What others implement.
pub struct Ports {
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The way to the control plane.
    pub link: Arc<dyn GatewayLink>,
    /// What gateways know together of budgets; `None`: this one uses them alone.
    pub budgets: Option<Arc<dyn SharedBudgets>>,
    /// Told, once and on a thread that nothing else runs on, that the worker with this number is stuck for good. The
    /// gateway cannot help itself then: the process has to end, and somebody has to start it anew.
    pub stuck: Arc<dyn Fn(u16) + Send + Sync>,
}

/// What the configuration decides.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that an operator sets")]
pub struct Settings {
    /// What the types of problems begin with, without a final `/`.
    pub problem_base: String,
    /// Threads that carry sessions; `None`: one per core.
    pub workers: Option<NonZeroUsize>,
    /// Sessions that may be open at once; beyond it handshakes are refused. Over HTTP/2 each counts twice, since it
    /// takes twice the descriptors.
    pub sessions_max: usize,
    /// What becomes of budgets while other gateways cannot be asked.
    pub when_alone: WhenAlone,
    /// The product's own listeners, which are never dialled as a backend.
    pub own: Vec<SocketAddr>,
    /// The only networks that are dialled, and what lifts a built-in refusal; empty: all that are not refused.
    pub backend_allow: Networks,
    /// Networks that are never dialled.
    pub backend_deny: Networks,
    /// Who looks up the names of backends.
    pub names: Arc<dyn Names>,
    /// Credentials may be a part of the address, at APIs that accept them there.
    pub query_credentials: bool,
    /// Who may say for whom it connects.
    pub trusted: TrustedProxies,
    /// They say which certificate their client has shown, in `Client-Cert`, and let none of a client's own pass.
    pub client_cert: bool,
    /// Clients are asked for their certificate also while no API accepts one: tokens may be bound to it.
    pub ask_certificates: bool,
    /// They say it with a PROXY header, with which each of their connections must begin.
    pub proxy_protocol: bool,
    /// Connections that one client address may have at once; `None`: as many as there are places.
    pub connections_per_address: Option<NonZeroU32>,
    /// Bytes that may wait in the kernel for one direction of one socket; `None`: as the system likes.
    pub socket_buffer_bytes: Option<usize>,
}

/// Why the gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system gives no threads or event queues.
    #[error("the relay workers cannot start")]
    Workers(#[from] io::Error),
    /// The TLS library refuses its settings.
    #[error("TLS with backends cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// The gateway. Clones share everything.
#[derive(Clone)]
pub struct Gateway(Arc<Inner>);

/// The link's task; ends the gateway.
pub struct Running {
    inner: Arc<Inner>,
    ended: watch::Sender<bool>,
    talking: JoinHandle<()>,
    checking: JoinHandle<()>,
    sharing: Option<JoinHandle<()>>,
}

struct Inner {
    boot: BootId,
    next: AtomicU64,
    problem_base: String,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    desk: Arc<Desk>,
    budgets: Arc<Budgets>,
    dialler: Arc<Dialler>,
    workers: Arc<Workers>,
    reporter: Arc<Reporter>,
    handshaking: Semaphore,
    /// Places for sessions, from before the backend is dialled to the last byte.
    sessions: Arc<Semaphore>,
    /// Places for TLS handshakes with clients, and for PROXY headers.
    securing: Semaphore,
    /// Connections by their client's address.
    crowd: Arc<Crowd>,
    /// Places for those above their address's bound.
    turning_away: Semaphore,
    /// Places for connections over HTTP/2, each until its end.
    multiplexing: Semaphore,
    draining: watch::Sender<bool>,
    trusted: TrustedProxies,
    client_cert: bool,
    proxy_protocol: bool,
    socket_buffer_bytes: Option<usize>,
}

impl Gateway {
    /// Starts the workers and the talk over the link. Nobody is admitted before the first snapshot.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(ports: Ports, settings: Settings) -> Result<(Self, Running), StartError> {
        let Ports { clock, entropy, link, budgets: shared, stuck } = ports;
        let boot = BootId::new(clock.now(), entropy.id_bytes());
        let (revoked, monotonic) = (Arc::<Revoked>::default(), Monotonic::start());
        let common = shared.map(|shared| Common::new(shared, settings.when_alone));
        let budgets = Budgets::new(monotonic, common.as_ref().map(|common| Arc::clone(&common.fleet)));
        let reporter = Arc::new(Reporter::new(boot));
        let rules =
            AddressRules { own: settings.own, allow: settings.backend_allow, deny: settings.backend_deny };
        let dialler = Arc::new(Dialler::new(DiallerParts {
            rules,
            names: settings.names,
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            monotonic,
            socket_buffer_bytes: settings.socket_buffer_bytes,
        })?);
        let commons = Commons {
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            monotonic,
            budgets: Arc::clone(&budgets),
            reporter: Arc::clone(&reporter),
            revoked: Arc::clone(&revoked),
        };
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let workers = settings.workers.map_or_else(cores, NonZeroUsize::get);
        let inner = Arc::new(Inner {
            boot,
            next: AtomicU64::new(1),
            problem_base: settings.problem_base,
            dialler,
            clock,
            entropy,
            desk: Arc::new(Desk::new(settings.query_credentials, settings.ask_certificates, revoked, &link)),
            budgets,
            workers: Arc::new(Workers::start(workers, &commons, stuck)?),
            reporter,
            handshaking: Semaphore::new(HANDSHAKES_MAX),
            sessions: Arc::new(Semaphore::new(settings.sessions_max.min(Semaphore::MAX_PERMITS))),
            securing: Semaphore::new(SECURING_MAX),
            crowd: Crowd::new(settings.connections_per_address),
            turning_away: Semaphore::new(TURNING_AWAY_MAX),
            multiplexing: Semaphore::new(http2::CONNECTIONS_MAX),
            draining: watch::Sender::new(false),
            trusted: settings.trusted,
            client_cert: settings.client_cert,
            proxy_protocol: settings.proxy_protocol,
            socket_buffer_bytes: settings.socket_buffer_bytes,
        });
        Ok((Self(Arc::clone(&inner)), Running::begin(inner, link, common, monotonic)))
    }

    /// The settings of listeners with TLS, which present what this resolves. Clients are asked for a certificate while an
    /// API accepts one.
    ///
    /// # Errors
    /// The TLS library refuses its settings.
    pub fn tls(&self, certificate: Arc<dyn ResolvesServerCert>) -> Result<Arc<ServerConfig>, rustls::Error> {
        self.0.desk.asking().tls(certificate)
    }

    /// Accepts connections until the gateway drains.
    ///
    /// # Errors
    /// The socket cannot be used.
    pub async fn serve(&self, listener: Listener) -> io::Result<()> {
        listen::run(Arc::clone(&self.0), listener, self.0.draining.subscribe()).await
    }
}

impl Running {
    /// Begins what goes on beside connections: the talk with the control plane, the checks of backends, and the sharing of
    /// budgets.
    fn begin(
        inner: Arc<Inner>,
        link: Arc<dyn GatewayLink>,
        common: Option<Common>,
        monotonic: Monotonic,
    ) -> Self {
        let (dialler, clock, entropy) =
            (Arc::clone(&inner.dialler), Arc::clone(&inner.clock), Arc::clone(&inner.entropy));
        let checker = Checker::new(inner.boot, dialler, clock, entropy, monotonic);
        let (snapshots, told) = (watch::Sender::default(), watch::Sender::default());
        let targets = told.subscribe();
        let shared = watch::Sender::default();
        let sharing = shared.subscribe();
        let checking = tokio::spawn(checker.run(snapshots.subscribe(), told, inner.draining.subscribe()));
        let talk = link::Talk {
            boot: inner.boot,
            clock: Arc::clone(&inner.clock),
            link,
            snapshots,
            targets,
            sharing,
            desk: Arc::clone(&inner.desk),
            budgets: Arc::clone(&inner.budgets),
            workers: Arc::clone(&inner.workers),
            reporter: Arc::clone(&inner.reporter),
        };
        let (ended, is_ended) = watch::channel(false);
        let sharer = common.map(|common| Sharer::of(&inner, common, monotonic, shared));
        let sharing = sharer.map(|sharer| tokio::spawn(sharer.run(is_ended.clone())));
        let talking = tokio::spawn(talk.run(is_ended));
        Self { inner, ended, talking, checking, sharing }
    }

    /// Refuses new connections, says goodbye to every session, and returns when the last counts are on disk.
    /// Answers how many sessions had to be cut.
    pub async fn drain(self) -> usize {
        let cut = drain::run(&self.inner).await;
        self.ended.send_replace(true);
        let tasks =
            [(Some(self.talking), "link"), (Some(self.checking), "checks"), (self.sharing, "budgets")];
        for (task, what) in tasks {
            if let Some(task) = task
                && task.await.is_err()
            {
                tracing::error!(what, "a task of the gateway panicked");
            }
        }
        cut
    }
}

impl Inner {
    /// The id of a connection that `worker` will carry if it becomes a session.
    fn next_id(&self, worker: u16) -> SessionId {
        SessionId { boot: self.boot, worker, number: self.next.fetch_add(1, Ordering::Relaxed) }
    }

    fn refusal_when_full(&self) -> Refusal {
        if *self.draining.borrow() { Refusal::Restarting } else { Refusal::Overloaded }
    }
}

#[async_trait::async_trait]
impl Probe for Gateway {
    async fn probe(&self, request: ProbeRequest) -> ProbeReport {
        probe::run(&self.0, &request).await
    }
}

#[async_trait::async_trait]
impl Documents for Gateway {
    async fn document(&self, url: &str, bytes_max: usize) -> Result<Vec<u8>, NoDocument> {
        self.0.dialler.document(url, bytes_max).await
    }

    async fn document_for(
        &self,
        bearer: &Secret,
        url: &str,
        bytes_max: usize,
    ) -> Result<Vec<u8>, NoDocument> {
        self.0.dialler.document_for(bearer, url, bytes_max).await
    }

    async fn answer(&self, question: &Question<'_>, bytes_max: usize) -> Result<Vec<u8>, NoDocument> {
        self.0.dialler.answer_to(question, bytes_max).await
    }
}

#[async_trait::async_trait]
impl Messenger for Gateway {
    async fn post(&self, post: &Post<'_>) -> Result<(), NoDocument> {
        self.0.dialler.post(post).await
    }
}

#[async_trait::async_trait]
impl ConsoleDoor for Gateway {
    async fn open(&self, client: SocketAddr) -> Result<UnixStream, PortError> {
        let failed = |error| PortError::unavailable("the console's door cannot be opened", error);
        let (near, far) = UnixStream::pair().map_err(failed)?;
        far.set_nonblocking(true).map_err(failed)?;
        let far = tokio::net::UnixStream::from_std(far).map_err(failed)?;
        let inner = Arc::clone(&self.0);
        // Ends by itself: every phase has a deadline. The portal's listener is TLS, and so is the console's client.
        tokio::spawn(async move {
            let client = Client { address: client, is_tls: true, is_own_page: true };
            // The portal's connections are the portal's to count.
            let place = AddressPlace::uncounted();
            connection::carry(&inner, Stream::Unix(far), client, Some(place)).await;
        });
        Ok(near)
    }
}
