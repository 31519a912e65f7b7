//! The portal's listener: TLS, HTTP/1.1 and HTTP/2, bounded in connections and in patience.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, Request, request::Parts},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tidegate_oauth::certificate::told;
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::{leftover::Leftover, problem::Problem, router::build, settings::Settings, state::Control};

/// The header in which proxies tell of a client's certificate (RFC 9440).
const CLIENT_CERT: &str = "client-cert";
/// Connections at the same time. A browser holds a handful; the rest waits in the kernel's queue.
const CONNECTIONS_MAX: usize = 4_096;
/// How long a TLS handshake may take.
const TLS_PATIENCE: Duration = Duration::from_secs(10);
/// How long a request head may take.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);
/// How long running requests may take at the end.
const END_PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait after the system refused to accept (out of descriptors), so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the listener needs beside the control plane.
pub struct Serving {
    /// The bound socket.
    pub listener: TcpListener,
    /// Certificate and protocols.
    pub tls: Arc<rustls::ServerConfig>,
}

/// The address a request came from; a listener of one's own puts it into the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The thumbprint of the certificate that the client of a request has shown, where a trusted proxy tells of one; a listener of
/// one's own puts it into the request's extensions. Empty: of one that cannot be read.
#[derive(Debug, Clone)]
pub struct Shown(pub Arc<str>);

/// What a request says of its client's certificate, if it comes from who may say that.
fn shown(settings: &Settings, headers: &HeaderMap, peer: IpAddr) -> Option<Shown> {
    let is_believed = settings.client_cert && settings.trusted.trusts(peer);
    let values = headers.get_all(CLIENT_CERT).iter().map(HeaderValue::as_bytes);
    told(values).filter(|_| is_believed).map(|thumbprint| Shown(thumbprint.into()))
}

/// The address a request came from, in a handler.
pub(crate) struct ClientAddress(pub(crate) SocketAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<Peer>().ok_or(Problem::Internal("a request without address"))?;
        Ok(Self(peer.0))
    }
}

impl Control {
    /// All addresses of the portal's listener, for a listener of one's own.
    pub fn router(&self) -> axum::Router {
        build(self.clone())
    }

    /// The client that a trusted proxy speaks for, or who connected.
    fn client_of(&self, request: &Request<Incoming>, peer: SocketAddr) -> SocketAddr {
        let reported = request.headers().get_all("x-forwarded-for").iter();
        let reported: Vec<_> = reported.filter_map(|value| value.to_str().ok()).collect();
        let ip = self.0.settings.load().trusted.client(peer.ip(), reported.into_iter());
        SocketAddr::new(ip, peer.port())
    }

    /// The certificate of the client that a trusted proxy speaks for.
    fn shown_in(&self, request: &Request<Incoming>, peer: SocketAddr) -> Option<Shown> {
        shown(&self.0.settings.load(), request.headers(), peer.ip())
    }

    /// Serves the portal's listener until `shutdown` resolves, then lets running requests end.
    pub async fn serve(&self, serving: Serving, shutdown: impl Future<Output = ()> + Send) {
        let router = self.router();
        let acceptor = TlsAcceptor::from(serving.tls);
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let graceful = GracefulShutdown::new();
        let mut server = auto::Builder::new(TokioExecutor::new());
        server.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE);
        server.http2().timer(TokioTimer::new());
        let server = Arc::new(server);
        let mut shutdown = std::pin::pin!(shutdown);
        let mut writing = std::pin::pin!(self.keep_writing());
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
            let (stream, address) = tokio::select! {
                () = &mut shutdown => break,
                never = &mut writing => match never {},
                accepted = serving.listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                        continue;
                    }
                },
            };
            let (acceptor, router, server) = (acceptor.clone(), router.clone(), Arc::clone(&server));
            let control = self.clone();
            let watcher = graceful.watcher();
            tokio::spawn(async move {
                let _place = place;
                let Ok(Ok(stream)) = timeout(TLS_PATIENCE, acceptor.accept(stream)).await else { return };
                let service = service_fn(move |mut request: Request<Incoming>| {
                    let client = control.client_of(&request, address);
                    request.extensions_mut().insert(Peer(client));
                    if let Some(shown) = control.shown_in(&request, address) {
                        request.extensions_mut().insert(shown);
                    }
                    let router = router.clone();
                    async move {
                        Ok::<_, Infallible>(
                            router
                                .oneshot(request.map(|body| axum::body::Body::new(Leftover::new(body))))
                                .await
                                .unwrap_or_else(|never| match never {}),
                        )
                    }
                });
                let connection =
                    server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
                // What goes wrong on a connection is its client's to know; there is nothing to do about it.
                let _ = watcher.watch(connection).await;
            });
        }
        let _ = timeout(END_PATIENCE, graceful.shutdown()).await;
        // What cannot be written now is told in the log.
        let _ = self.0.write_attempts().await;
        let _ = self.0.write_seen().await;
    }
}

#[cfg(test)]
mod tests;
