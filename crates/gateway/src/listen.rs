//! Phase one: accepting connections, plain or TLS, bounded in number and in patience.
//!
//! It does not know what is asked on a connection. A full house answers 503 rather than letting its clients wait for
//! their own timeouts. Read next: `connection.rs`.

use std::{io, sync::Arc, time::Duration};

use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, TlsStream};

use crate::{
    Inner,
    connection::{self, Client},
    drain,
    stream::{Stream, prepare},
};

/// How long a TLS handshake may take: a few round trips of the worst mobile link.
const TLS_DEADLINE: Duration = Duration::from_secs(10);
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
                tokio::spawn(async move {
                    let mut draining = inner.draining.subscribe();
                    let stream = tokio::select! {
                        stream = secured(&inner, stream, acceptor.as_ref()) => stream,
                        // Nothing was said yet, and a TLS client cannot be told anything before its handshake.
                        () = drain::is_said(&mut draining), if acceptor.is_some() => None,
                    };
                    let Some(stream) = stream else { return };
                    let client = Client { address, is_tls: acceptor.is_some() };
                    connection::carry(&inner, stream, client).await;
                });
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

async fn secured(inner: &Inner, stream: TcpStream, acceptor: Option<&TlsAcceptor>) -> Option<Stream> {
    prepare(&stream, inner.socket_buffer_bytes);
    let Some(acceptor) = acceptor else { return Some(Stream::Tcp(stream)) };
    let _securing = inner.securing.try_acquire().ok()?;
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
