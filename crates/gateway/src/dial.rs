//! Phase four: the backend's connection, before the client gets its 101.
//!
//! The steps (understand, resolve, connect, secure, ask) are called one by one by the probe, and together by a
//! session's admission and a health check; so *Test endpoint* tells what a session would meet. Three time limits hold:
//! over name and connection, over TLS, over the handshake. A credential's token is fetched before, with limits of its
//! own. What goes wrong is one of [`DialError`], which names no address. It does not know who asks; see `dial/ask.rs`
//! for the question, `dial/passing.rs` for what passes beside it, `dial/credential.rs` for what a backend is shown,
//! `dial/address.rs` for what is never dialled, `dial/trust.rs` for TLS.

mod address;
mod ask;
mod assertion;
mod credential;
mod document;
mod exchange;
mod names;
mod passing;
mod post;
mod targets;
mod token;
mod trace;
mod trust;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tidegate_model::{
    endpoint::Endpoint,
    port::{Clock, Entropy},
};
use tidegate_wire::Micros;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_rustls::{TlsConnector, TlsStream};
use url::{Host, Url};

pub(crate) use address::AddressRules;
pub(crate) use ask::{Asker, Chosen, Question, Tail};
pub(crate) use assertion::Assertions;
pub(crate) use credential::Shown;
pub use names::{Names, SystemNames};
pub(crate) use passing::{Opening, Passing};
pub(crate) use targets::{InUse, Targets, Way};
use token::{NoToken, Tokens};
use trust::{BadTrust, Distrust, Trust};

use crate::{
    stream::{Stream, prepare},
    time::Monotonic,
};

/// Addresses of one name that are tried: more are a misconfiguration or an attack on the time limit.
const ADDRESSES_MAX: usize = 8;

/// How long a client may wait for one address after another; the last one tried has its own limits. A browser gives
/// up by itself after a minute or two.
const FAILOVER_WITHIN: Micros = Micros::from_secs(20);

/// Why a backend cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub(crate) enum DialError {
    #[error("the backend's address is not a ws or wss URL with a host")]
    BadUrl,
    #[error("the backend's name leads to an address that is not allowed")]
    Forbidden,
    #[error("the backend's name has no address")]
    Unresolved,
    #[error("the backend does not accept connections")]
    Unreachable,
    #[error("the backend did not accept the connection within its connect timeout")]
    ConnectTimeout,
    #[error("the backend did not do its part of TLS within its TLS timeout")]
    TlsTimeout,
    #[error("the backend's TLS certificate is not trusted, or it does not speak TLS")]
    Untrusted(Distrust),
    #[error("the TLS settings for the backend cannot be used")]
    BadTrust(BadTrust),
    #[error("the gateway did not get its credential for the backend")]
    NoToken(NoToken),
    #[error("the backend did not answer within its handshake timeout")]
    HandshakeTimeout,
    #[error("the backend answered with status {status} instead of 101")]
    Refused { status: u16 },
    #[error("the backend's answer is not a correct WebSocket handshake")]
    Malformed,
    #[error("the backend closed the connection before it answered")]
    Gone,
}

impl DialError {
    /// One of each, for lists.
    pub(crate) const ALL: [Self; 14] = [
        Self::BadUrl,
        Self::Forbidden,
        Self::Unresolved,
        Self::Unreachable,
        Self::ConnectTimeout,
        Self::TlsTimeout,
        Self::Untrusted(Distrust::Issuer),
        Self::BadTrust(BadTrust::Pair),
        Self::NoToken(NoToken::Unreachable),
        Self::NoToken(NoToken::Timeout),
        Self::HandshakeTimeout,
        Self::Refused { status: 200 },
        Self::Malformed,
        Self::Gone,
    ];

    /// Whether it took too long.
    pub(crate) fn is_timeout(self) -> bool {
        matches!(
            self,
            Self::ConnectTimeout
                | Self::TlsTimeout
                | Self::HandshakeTimeout
                | Self::NoToken(NoToken::Timeout)
        )
    }

    /// Whether another address may do better; else it is what the backend itself says, or what the settings cause.
    pub(crate) fn is_of_the_address(self) -> bool {
        match self {
            Self::Refused { status } => !(400..=499).contains(&status),
            Self::BadUrl | Self::Forbidden | Self::BadTrust(_) | Self::NoToken(_) => false,
            Self::Unresolved
            | Self::Unreachable
            | Self::ConnectTimeout
            | Self::TlsTimeout
            | Self::Untrusted(_)
            | Self::HandshakeTimeout
            | Self::Malformed
            | Self::Gone => true,
        }
    }
}

impl From<NoToken> for DialError {
    fn from(error: NoToken) -> Self {
        Self::NoToken(error)
    }
}

/// A backend that said 101.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) stream: Stream,
    /// Bytes behind its answer.
    pub(crate) early: Vec<u8>,
    /// What it chose of what it was offered.
    pub(crate) chosen: Chosen,
    /// Its place at the address that it came from; none for a probe.
    pub(crate) in_use: Option<InUse>,
}

/// An endpoint's URL, understood.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) port: u16,
    pub(crate) is_tls: bool,
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, DialError> {
        Self::of(Url::parse(url).map_err(|_| DialError::BadUrl)?, "ws", "wss")
    }

    /// A URL of one of these schemes.
    fn of(url: Url, plain: &str, secure: &str) -> Result<Self, DialError> {
        let is_tls = match url.scheme() {
            scheme if scheme == plain => false,
            scheme if scheme == secure => true,
            _ => return Err(DialError::BadUrl),
        };
        let port = url.port_or_known_default().ok_or(DialError::BadUrl)?;
        if url.host().is_none() || !url.username().is_empty() || url.password().is_some() {
            return Err(DialError::BadUrl);
        }
        Ok(Self { url, port, is_tls })
    }

    /// Host and port, for people who may see them.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.url.host_str().unwrap_or_default(), self.port)
    }
}

/// Dials backends.
pub(crate) struct Dialler {
    rules: AddressRules,
    names: Arc<dyn Names>,
    trust: Trust,
    tokens: Tokens,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    monotonic: Monotonic,
    targets: Targets,
    socket_buffer_bytes: Option<usize>,
}

/// What a dialler is made of.
pub(crate) struct DiallerParts {
    pub(crate) rules: AddressRules,
    pub(crate) names: Arc<dyn Names>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) monotonic: Monotonic,
    pub(crate) socket_buffer_bytes: Option<usize>,
}

impl Dialler {
    pub(crate) fn new(parts: DiallerParts) -> Result<Self, rustls::Error> {
        let DiallerParts { rules, names, clock, entropy, monotonic, socket_buffer_bytes } = parts;
        let (trust, tokens, targets) = (Trust::new()?, Tokens::default(), Targets::default());
        Ok(Self { rules, names, trust, tokens, clock, entropy, monotonic, targets, socket_buffer_bytes })
    }

    /// What is known of addresses.
    pub(crate) fn targets(&self) -> &Targets {
        &self.targets
    }

    /// All steps at one address of the endpoint after another, until one answers 101 or the answer is the backend's
    /// own no.
    pub(crate) async fn dial(
        &self,
        endpoint: &Endpoint,
        asker: &Asker<'_>,
        tail: &Tail<'_>,
    ) -> Result<Backend, DialError> {
        let began = self.monotonic.now();
        let mut last = DialError::Unreachable;
        for candidate in self.targets.order(endpoint, &asker.sticks_to(endpoint), began) {
            match self.dial_one(candidate.url, endpoint, asker, tail).await {
                Ok(backend) => return Ok(Backend { in_use: Some(candidate.succeeded()), ..backend }),
                Err(error) if !error.is_of_the_address() => return Err(error),
                Err(error) => last = error,
            }
            let now = self.monotonic.now();
            candidate.failed(endpoint.suspension, now);
            if now.since(began) > FAILOVER_WITHIN {
                break;
            }
        }
        Err(last)
    }

    /// All steps at one address, within the endpoint's time limits. A backend that refuses a token which was kept is
    /// asked once more, with a new one.
    pub(crate) async fn dial_one(
        &self,
        url: &str,
        endpoint: &Endpoint,
        asker: &Asker<'_>,
        tail: &Tail<'_>,
    ) -> Result<Backend, DialError> {
        let target = Target::parse(url)?;
        let shown = self.shown(&endpoint.credential).await?;
        let first = self.attempt(&target, endpoint, asker, tail, shown.as_ref()).await;
        if !matches!(first, Err(DialError::Refused { status: 401 })) {
            return first;
        }
        match self.shown_instead(&endpoint.credential, shown.as_ref()).await? {
            Some(instead) => self.attempt(&target, endpoint, asker, tail, Some(&instead)).await,
            None => first,
        }
    }

    async fn attempt(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        asker: &Asker<'_>,
        tail: &Tail<'_>,
        shown: Option<&Shown>,
    ) -> Result<Backend, DialError> {
        let connected = async {
            let addresses = self.resolve(target).await?;
            self.connect(&addresses, Instant::now() + connect_timeout(endpoint)).await
        };
        let connected = timeout(connect_timeout(endpoint), connected).await;
        let (stream, _) = connected.map_err(|_| DialError::ConnectTimeout)??;
        let stream = self.secure(endpoint, target, stream).await?;
        self.ask(endpoint, target, stream, asker, tail, shown).await
    }

    /// The addresses of the target's host that may be dialled.
    pub(crate) async fn resolve(&self, target: &Target) -> Result<Vec<SocketAddr>, DialError> {
        let port = target.port;
        let found: Vec<SocketAddr> = match target.url.host().ok_or(DialError::BadUrl)? {
            Host::Ipv4(ip) => vec![(ip, port).into()],
            Host::Ipv6(ip) => vec![(ip, port).into()],
            Host::Domain(name) => match name.parse::<IpAddr>() {
                // The scheme is not one of those whose hosts the URL parser reads as addresses.
                Ok(ip) => vec![(ip, port).into()],
                Err(_) => self.names.lookup(name, port).await.map_err(|_| DialError::Unresolved)?,
            },
        };
        if found.is_empty() {
            return Err(DialError::Unresolved);
        }
        let allowed = found.into_iter().filter(|address| self.rules.allow(*address));
        let allowed: Vec<_> = allowed.take(ADDRESSES_MAX).collect();
        if allowed.is_empty() { Err(DialError::Forbidden) } else { Ok(allowed) }
    }

    /// A TCP connection to the first address that takes one; each gets its share of the time that is left.
    pub(crate) async fn connect(
        &self,
        addresses: &[SocketAddr],
        deadline: Instant,
    ) -> Result<(TcpStream, SocketAddr), DialError> {
        let mut last = DialError::Unreachable;
        for (tried, address) in addresses.iter().enumerate() {
            let now = Instant::now();
            let left = u32::try_from(addresses.len() - tried).unwrap_or(1);
            let share = now + deadline.saturating_duration_since(now) / left;
            match timeout_at(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    prepare(&stream, self.socket_buffer_bytes);
                    return Ok((stream, *address));
                }
                Ok(Err(_)) => last = DialError::Unreachable,
                Err(_) => last = DialError::ConnectTimeout,
            }
        }
        Err(last)
    }

    /// TLS where the URL asks for it, as the endpoint wants it and within its time limit.
    pub(crate) async fn secure(
        &self,
        endpoint: &Endpoint,
        target: &Target,
        stream: TcpStream,
    ) -> Result<Stream, DialError> {
        if !target.is_tls {
            return Ok(Stream::Tcp(stream));
        }
        let (config, name) = self.trust.of(&endpoint.tls).map_err(DialError::BadTrust)?;
        let limit = Duration::from_millis(endpoint.tls_timeout_ms.into());
        timeout(limit, self.secure_with(target, stream, config, name))
            .await
            .map_err(|_| DialError::TlsTimeout)?
    }

    /// The same with these settings, and without a limit; `name` stands for the URL's host.
    async fn secure_with(
        &self,
        target: &Target,
        stream: TcpStream,
        config: Arc<ClientConfig>,
        name: Option<ServerName<'static>>,
    ) -> Result<Stream, DialError> {
        if !target.is_tls {
            return Ok(Stream::Tcp(stream));
        }
        let host = || target.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = name.map_or_else(|| ServerName::try_from(host()), Ok).map_err(|_| DialError::BadUrl)?;
        let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|error| {
            tracing::debug!(error = &error as &dyn std::error::Error, "TLS with a backend failed");
            DialError::Untrusted(Distrust::of(&error))
        })?;
        Ok(Stream::Tls(Box::new(TlsStream::Client(stream))))
    }

    /// The WebSocket handshake, within the endpoint's time limit for it.
    pub(crate) async fn ask(
        &self,
        endpoint: &Endpoint,
        target: &Target,
        stream: Stream,
        asker: &Asker<'_>,
        tail: &Tail<'_>,
        shown: Option<&Shown>,
    ) -> Result<Backend, DialError> {
        let mut nonce = [0; 16];
        self.entropy.fill(&mut nonce);
        let question = Question::new(&target.url, asker, tail, shown, nonce);
        let limit = Duration::from_millis(endpoint.handshake_timeout_ms.into());
        timeout(limit, question.ask(stream)).await.map_err(|_| DialError::HandshakeTimeout)?
    }
}

pub(crate) fn connect_timeout(endpoint: &Endpoint) -> Duration {
    Duration::from_millis(endpoint.connect_timeout_ms.into())
}
