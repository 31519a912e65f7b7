//! Everything in one process: records in SQLite, gateway and control plane joined by a link of channels.
//!
//! Nothing is decided here. The order matters, though: the folder is ours before anything is written, ports are
//! taken before anything is made, and what is listened on is told when everything answers. At the end the gateway
//! lets go first, so that its last facts still find the control plane.

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use rustls::ServerConfig;
use serde::Serialize;
use tidegate_control::{Control, Serving};
use tidegate_gateway::{Gateway, Listener, SystemNames};
use tidegate_model::{link, port::SharedBudgets};
use tidegate_store::SqliteCatalog;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use crate::{
    banner,
    certificate::{Presented, Source, Watch},
    clock::{SystemClock, SystemEntropy},
    command::echo,
    config::{Bound, Serve},
    data_folder::{DataFolder, write_durably},
    first_start::{FirstStart, Record, keep_up_demo},
    portal_assets,
    shutdown::{self, Stuck},
};

/// How often signing keys are looked after: keys live for days, and one that is over for a minute harms nobody.
const KEYS_BEAT: Duration = Duration::from_mins(1);
/// Descriptors for everything but sessions: the database, listeners, the portal's connections, handshakes under way.
const DESCRIPTORS_KEPT: usize = 512;
/// The client's socket and the backend's.
const DESCRIPTORS_PER_SESSION: usize = 2;

/// What is listened on, under the public name: `DIR/addresses.json`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Addresses {
    /// Portals, REST API and authorization server.
    pub(crate) portal: String,
    /// The gateway without TLS.
    pub(crate) ws: String,
    /// The gateway with TLS.
    pub(crate) wss: String,
    /// The echo backend, if there is one.
    pub(crate) echo: Option<String>,
}

/// Runs until a signal comes or the gateway is stuck, then lets everything end in order; answers what the process ends
/// with.
pub(crate) async fn run(config: Serve) -> Result<ExitCode> {
    let folder = DataFolder::at(&config.data);
    let _lock = folder.lock()?;
    forget_addresses(&folder)?;
    let descriptors = raise_descriptor_limit();
    let sockets = Sockets::bind(&config)?;
    let addresses = sockets.addresses(&config.host);
    let source = certificate_source(&config, &folder);
    let watch = Watch::start(source.clone(), &config.host).await?;
    let certificate = watch.presented();
    let secrets_key = config.secrets_key.clone().unwrap_or_else(|| folder.secrets_key());
    let catalog = Arc::new(SqliteCatalog::open_with_key(&folder.database(), &secrets_key).await?);
    first_start(&folder, &catalog, &config, &addresses).await?;

    let (gateway_link, control_link) = link::channel();
    let stuck = Stuck::default();
    let ports = tidegate_gateway::Ports {
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy::default()),
        link: Arc::new(gateway_link),
        budgets: shared_budgets(&config),
        stuck: Arc::new({
            let stuck = stuck.clone();
            move |_| stuck.say()
        }),
    };
    let (gateway, running) =
        Gateway::start(ports, gateway_settings(&config, &addresses, &sockets, descriptors)?)?;
    let ports = tidegate_control::Ports {
        catalog: Arc::clone(&catalog) as _,
        events: Arc::clone(&catalog) as _,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy::default()),
        probe: Arc::new(gateway.clone()),
        outbox: Arc::clone(&catalog) as _,
        documents: Arc::new(gateway.clone()),
        messenger: Arc::new(gateway.clone()),
        console: Arc::new(gateway.clone()),
    };
    let control =
        Control::start(ports, control_settings(&config, &addresses), portal_assets::assets()).await?;
    let feed = tokio::spawn({
        let control = control.clone();
        async move { control.feed(Arc::new(control_link)).await }
    });
    let tending = tokio::spawn(tend_keys(control.clone()));
    let keeping = tokio::spawn({
        let control = control.clone();
        async move { control.keep_keys().await }
    });
    let telling = tokio::spawn({
        let control = control.clone();
        async move { control.deliver_alerts().await }
    });
    let mut accepting = JoinSet::new();
    let gateway_tls = gateway.tls(Arc::clone(&certificate) as _)?;
    let plain = sockets.ws.listeners.into_iter().map(|socket| Listener { socket, tls: None });
    let secured = sockets.wss.listeners.into_iter();
    let secured = secured.map(|socket| Listener { socket, tls: Some(Arc::clone(&gateway_tls)) });
    for listener in plain.chain(secured) {
        let gateway = gateway.clone();
        accepting.spawn(async move { gateway.serve(listener).await });
    }
    let portal = Portal::start(&control, sockets.portal, &certificate)?;
    let watching = tokio::spawn(watch.run());
    let echo = sockets.echo.map(|bound| tokio::spawn(echo::serve(bound.listeners)));

    write_durably(&folder.addresses(), &serde_json::to_vec_pretty(&addresses)?, 0o644)
        .with_context(|| format!("cannot write {}", folder.addresses().display()))?;
    banner::print(&addresses, &folder, &source, &Record::read(&folder)?, config.demo);
    let code = shutdown::signal_or_stuck(&stuck).await?;

    tracing::info!("stopping");
    forget_addresses(&folder)?;
    let cut = running.drain().await;
    tracing::info!(cut, "the gateway has let go of its sessions");
    portal.stop().await;
    if let Some(echo) = echo {
        echo.abort();
    }
    // The gateway's end of the link is gone with the gateway, and with it the feed ends; it holds nothing unsaved.
    feed.abort();
    tending.abort();
    keeping.abort();
    telling.abort();
    watching.abort();
    tracing::info!("stopped");
    Ok(code)
}

/// Where gateways know together what they use of budgets; nothing is connected yet.
fn shared_budgets(config: &Serve) -> Option<Arc<dyn SharedBudgets>> {
    let redis = config.redis.at.clone()?;
    tracing::info!(redis = redis.place(), "budgets are to be shared with other gateways");
    Some(redis as Arc<dyn SharedBudgets>)
}

/// Looks after the signing keys until it is stopped; a change is one command, so that stopping breaks none.
async fn tend_keys(control: Control) {
    let mut beat = tokio::time::interval(KEYS_BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        control.tend_keys().await;
    }
}

/// The portal's listener at work: one task per socket, all ended by one word.
struct Portal {
    stop: watch::Sender<bool>,
    listening: JoinSet<()>,
}

impl Portal {
    fn start(control: &Control, bound: Bound, certificate: &Arc<Presented>) -> Result<Self> {
        let tls = tls(certificate, &[b"h2", b"http/1.1"]);
        let (stop, _) = watch::channel(false);
        let mut listening = JoinSet::new();
        for listener in bound.listeners {
            let serving = Serving { listener: TcpListener::from_std(listener)?, tls: Arc::clone(&tls) };
            let (control, mut stopped) = (control.clone(), stop.subscribe());
            // An error means that the sender is gone, and with it who could say it.
            let until = async move { drop(stopped.wait_for(|stop| *stop).await) };
            listening.spawn(async move { control.serve(serving, until).await });
        }
        Ok(Self { stop, listening })
    }

    /// Running requests end, new ones do not begin.
    async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.listening.join_next().await.is_some() {}
    }
}

/// Where the listeners' certificate is.
fn certificate_source(config: &Serve, folder: &DataFolder) -> Source {
    let ours = || Source::Folder { folder: folder.clone(), host: config.host.clone() };
    config.certificate.clone().map_or_else(ours, Source::Own)
}

/// The server's side of TLS 1.2 and 1.3 with these protocols (RFC 7301), the preferred first.
fn tls(certificate: &Arc<Presented>, protocols: &[&[u8]]) -> Arc<ServerConfig> {
    let resolver = Arc::clone(certificate) as Arc<dyn rustls::server::ResolvesServerCert>;
    let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(resolver);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}

/// Every port, taken before anything is made.
struct Sockets {
    portal: Bound,
    ws: Bound,
    wss: Bound,
    echo: Option<Bound>,
}

impl Sockets {
    fn bind(config: &Serve) -> Result<Self> {
        let echo = config.echo.as_ref().map(crate::config::Listen::bind).transpose()?;
        let (portal, ws, wss) = (config.portal.bind()?, config.ws.bind()?, config.wss.bind()?);
        Ok(Self { portal, ws, wss, echo })
    }

    fn addresses(&self, host: &str) -> Addresses {
        Addresses {
            portal: address("https", host, self.portal.port),
            ws: address("ws", host, self.ws.port),
            wss: address("wss", host, self.wss.port),
            // Only this machine reaches it, whatever the public name is.
            echo: self.echo.as_ref().map(|echo| address("ws", "localhost", echo.port)),
        }
    }
}

/// An address as a browser shows it: without the port that its scheme implies.
fn address(scheme: &str, host: &str, port: u16) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    match (scheme, port) {
        ("https" | "wss", 443) | ("ws", 80) => format!("{scheme}://{host}"),
        _ => format!("{scheme}://{host}:{port}"),
    }
}

/// What the gateway is told: how much it may carry, and what it must never dial.
fn gateway_settings(
    config: &Serve,
    addresses: &Addresses,
    sockets: &Sockets,
    descriptors: usize,
) -> Result<tidegate_gateway::Settings> {
    let own = [&sockets.portal, &sockets.ws, &sockets.wss].into_iter().flat_map(|bound| &bound.listeners);
    Ok(tidegate_gateway::Settings {
        problem_base: addresses.portal.clone(),
        workers: config.workers,
        trusted: config.clients.trusted.clone(),
        proxy_protocol: config.clients.proxy_protocol,
        client_cert: config.clients.client_cert,
        ask_certificates: config.clients.ask_certificates,
        query_credentials: config.clients.query_credentials,
        connections_per_address: config.clients.connections_per_address,
        socket_buffer_bytes: config.socket_buffer_bytes,
        sessions_max: descriptors.saturating_sub(DESCRIPTORS_KEPT) / DESCRIPTORS_PER_SESSION,
        backend_allow: config.backends.allow.clone(),
        backend_deny: config.backends.deny.clone(),
        when_alone: config.redis.when_alone,
        names: Arc::new(SystemNames),
        own: own.map(std::net::TcpListener::local_addr).collect::<Result<_, _>>()?,
    })
}

fn control_settings(config: &Serve, addresses: &Addresses) -> tidegate_control::Settings {
    tidegate_control::Settings {
        host: config.host.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        portal_url: addresses.portal.clone(),
        ws_url: addresses.ws.clone(),
        wss_url: addresses.wss.clone(),
        issuer: addresses.portal.clone(),
        echo_url: addresses.echo.clone(),
        demo: config.demo,
        keys: config.keys,
        trusted: config.clients.trusted.clone(),
        client_cert: config.clients.client_cert,
        gateway_problems: tidegate_gateway::problem_kinds(),
    }
}

async fn first_start(
    folder: &DataFolder,
    catalog: &SqliteCatalog,
    config: &Serve,
    addresses: &Addresses,
) -> Result<()> {
    let entropy = SystemEntropy::default();
    let start = FirstStart { folder, catalog, clock: &SystemClock, entropy: &entropy };
    start.admin(config.admin_password.as_ref()).await?;
    match addresses.echo.as_deref().filter(|_| config.demo) {
        Some(echo) => keep_up_demo(&start, echo).await,
        None => Ok(()),
    }
}

/// Addresses are told while they are listened on, and not by what an earlier, killed process left.
fn forget_addresses(folder: &DataFolder) -> Result<()> {
    match std::fs::remove_file(folder.addresses()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.addresses().display()))
        }
        _ => Ok(()),
    }
}

/// Allows as many descriptors as the system lets us; answers how many. A session takes two; shells allow a process
/// 1,024 at first, and far more when it asks.
fn raise_descriptor_limit() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let allowed =
        |limit: Option<u64>| limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    if current == maximum {
        return allowed(current);
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => {
            tracing::debug!(?current, ?maximum, "raised the limit of open files");
            allowed(maximum)
        }
        Err(error) => {
            tracing::warn!(%error, ?current, "the limit of open files stays as it is");
            allowed(current)
        }
    }
}
