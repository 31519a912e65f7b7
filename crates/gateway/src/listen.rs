//! Phase one: accepting connections, plain or TLS, bounded in number, in patience and by address.
//!
//! Where proxies are to say for whom they connect, that comes before everything else, TLS included, and of trusted
//! addresses alone. It does not know what is asked on a connection. A full house answers 503 rather than letting its
//! clients wait for their own timeouts. Read next: `listen/proxy_header.rs`, then `connection.rs`.

mod proxy_header;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::ServerConfig;
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, TlsStream};

use crate::{
    Inner,
    connection::{self, Client},
    drain,
    refusal::Refusal,
    stream::{Stream, prepare},
};
use proxy_header::ProxyHeader;

pub(crate) use proxy_header::Origin;

/// How long a TLS handshake may take: a few round trips of the worst mobile link.
const TLS_DEADLINE: Duration = Duration::from_secs(10);
/// How long a trusted proxy may take to say for whom it connects. It says so with its first packet; five seconds allow for
/// two that are lost on the way (section 2 of the protocol asks for three).
const PROXY_HEADER_DEADLINE: Duration = Duration::from_secs(5);
/// What of a PROXY header is looked at once; most fit.
const PROXY_HEADER_GLANCE: usize = 256;
/// How long to wait after the system refused to accept (out of descriptors), so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A bound socket, with certificate and protocols where it speaks TLS.
#[derive(Debug)]
pub struct Listener {
    /// Listening and non-blocking.
    pub socket: std::net::TcpListener,
    /// `None`: plain.
    pub tls: Option<Arc<ServerConfig>>,
}

/// Accepts until `draining`.
pub(crate) async fn run(
    inner: Arc<Inner>,
    listener: Listener,
    mut draining: watch::Receiver<bool>,
) -> io::Result<()> {
    let socket = TcpListener::from_std(listener.socket)?;
    prepare(&socket, inner.socket_buffer_bytes);
    let acceptor = listener.tls.map(TlsAcceptor::from);
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = drain::is_said(&mut draining) => return Ok(()),
        };
        match accepted {
            Ok((stream, address)) => {
                let (inner, acceptor) = (Arc::clone(&inner), acceptor.clone());
                // Ends by itself: every phase has a deadline, and a drain refuses what has none left.
                tokio::spawn(async move { received(&inner, stream, address, acceptor.as_ref()).await });
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a connection could not be accepted"
                );
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Everything before the first byte of HTTP.
async fn received(
    inner: &Arc<Inner>,
    mut stream: TcpStream,
    address: SocketAddr,
    acceptor: Option<&TlsAcceptor>,
) {
    let speaks_for_others = inner.proxy_protocol && inner.trusted.trusts(address.ip());
    let mut client = Client { address, is_tls: acceptor.is_some(), is_own_page: false };
    let mut draining = inner.draining.subscribe();
    let ready = async {
        let waits = acceptor.is_some() || speaks_for_others;
        let _securing = if waits { Some(inner.securing.try_acquire().ok()?) } else { None };
        if speaks_for_others {
            client = client.announced(origin(&mut stream, address).await?);
        }
        // A trusted proxy says in the head for whom it connects; that one is counted then.
        let is_proxy = inner.trusted.trusts(client.address.ip());
        let place = if is_proxy { None } else { Some(inner.crowd.place(client.address.ip())) };
        let turning_away = match place {
            Some(Err(_)) => Some(inner.turning_away.try_acquire().ok()?),
            _ => None,
        };
        Some((secured(stream, acceptor).await?, place.transpose(), turning_away))
    };
    let ready = tokio::select! {
        // In this order: what needs no waiting is told why it is refused.
        biased;
        ready = ready => ready,
        // Nothing was said yet, and a TLS client cannot be told anything before its handshake.
        () = drain::is_said(&mut draining) => None,
    };
    match ready {
        Some((stream, Ok(place), _)) => connection::carry(inner, stream, client, place).await,
        Some((stream, Err(_), _turning_away)) => {
            connection::refuse(inner, stream, client, inner.next_id(0), &Refusal::Crowded).await;
        }
        None => {}
    }
}

/// For whom a trusted proxy connects. `None` where it does not say so as it must: that is nobody to serve.
async fn origin(stream: &mut TcpStream, proxy: SocketAddr) -> Option<Origin> {
    match timeout(PROXY_HEADER_DEADLINE, header(stream)).await {
        Ok(Ok(header)) => Some(header.origin),
        Ok(Err(error)) => {
            tracing::info!(%proxy, %error, "a proxy's connection was dropped");
            None
        }
        Err(_) => {
            tracing::info!(%proxy, "a proxy's connection was dropped: the PROXY header did not come in time");
            None
        }
    }
}

/// Reads a PROXY header and nothing behind it.
async fn header(stream: &mut TcpStream) -> io::Result<ProxyHeader> {
    let (mut bytes, mut glance) = (Vec::new(), [0; PROXY_HEADER_GLANCE]);
    loop {
        let (before, seen) = (bytes.len(), stream.peek(&mut glance).await?);
        if seen == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&glance[..seen]);
        let found = proxy_header::parse(&bytes).map_err(io::Error::other)?;
        // While it is not whole, all that was seen belongs to it.
        let own = found.as_ref().map_or(seen, |header| header.len - before);
        stream.read_exact(&mut glance[..own]).await?;
        if let Some(header) = found {
            return Ok(header);
        }
    }
}

async fn secured(stream: TcpStream, acceptor: Option<&TlsAcceptor>) -> Option<Stream> {
    let Some(acceptor) = acceptor else { return Some(Stream::Tcp(stream)) };
    match timeout(TLS_DEADLINE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(Stream::Tls(Box::new(TlsStream::Server(stream)))),
        // Scanners and people who distrust the certificate; they were told by the alert.
        Ok(Err(error)) => {
            tracing::debug!(error = &error as &dyn std::error::Error, "TLS with a client failed");
            None
        }
        Err(_) => None,
    }
}
