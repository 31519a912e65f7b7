//! `tidegate echo`: the sample backend, which sends back every message. `serve` runs the same one for the demo.
//!
//! It answers anybody who reaches it, so everything that a peer could make grow is bounded.

use std::{net::TcpListener as StdListener, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Result;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};
use tokio_tungstenite::{
    accept_hdr_async_with_config,
    tungstenite::{
        handshake::server::{ErrorResponse, Request, Response},
        http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL},
        protocol::WebSocketConfig,
    },
};

use crate::{config::Listen, shutdown};

/// Largest message sent back: what common WebSocket libraries take by default.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// Read buffer of a connection. Small, since a demo may hold thousands of idle ones.
const READ_BUFFER_BYTES: usize = 4 << 10;
/// Connections at once; one more waits in the kernel. Above the sessions of any demo, below a common `ulimit -n`.
const CONNECTIONS_MAX: usize = 16_384;
/// Time to finish a handshake; the peer is on this machine or near.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after the system refused to accept, mostly for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Where to listen.
#[derive(Debug, clap::Args)]
pub(crate) struct Echo {
    /// Where to listen: PORT, IP:PORT or localhost:PORT; port 0 takes a free one
    #[arg(long, env = "TIDEGATE_ECHO", value_name = "ADDR", default_value = "localhost:9098")]
    listen: String,
}

impl Echo {
    /// Serves until a signal comes.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let bound = Listen::parse("--listen", "TIDEGATE_ECHO", &self.listen)
            .map_err(|problem| anyhow::anyhow!("{problem}"))?
            .bind()?;
        println!("Echo backend at ws://localhost:{}", bound.port);
        tokio::select! {
            () = serve(bound.listeners) => {}
            signal = shutdown::signal() => signal?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Sends back every message that comes in on these sockets, for as long as it is polled; dropping it closes all.
pub(crate) async fn serve(listeners: Vec<StdListener>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut sockets = JoinSet::new();
    for listener in listeners {
        match TcpListener::from_std(listener) {
            Ok(listener) => drop(sockets.spawn(accept(listener, Arc::clone(&room)))),
            Err(error) => tracing::error!(%error, "the echo backend cannot listen"),
        }
    }
    while sockets.join_next().await.is_some() {}
}

async fn accept(listener: TcpListener, room: Arc<Semaphore>) {
    let mut connections = JoinSet::new();
    // The semaphore is never closed.
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => drop(connections.spawn(async move {
                send_back(stream).await;
                drop(place);
            })),
            Err(error) => {
                tracing::warn!(%error, "the echo backend cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One connection to its end. Its errors are the peer's affair.
async fn send_back(stream: TcpStream) {
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0);
    // Answers go out as they are written; waiting for more to send would only add to every round trip.
    let _ = stream.set_nodelay(true);
    let handshake = accept_hdr_async_with_config(stream, choose_subprotocol, Some(limits));
    let Ok(Ok(socket)) = timeout(HANDSHAKE_TIMEOUT, handshake).await else { return };
    let (mut out, mut messages) = socket.split();
    while let Some(Ok(message)) = messages.next().await {
        // Pings are answered and closes are completed by the library on the next read.
        if (message.is_text() || message.is_binary()) && out.send(message).await.is_err() {
            return;
        }
    }
    let _ = out.close().await;
}

/// The first subprotocol that is offered is spoken: an echo speaks all of them.
#[expect(
    clippy::result_large_err,
    clippy::unnecessary_wraps,
    reason = "the library's callback has this shape"
)]
fn choose_subprotocol(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offered = request.headers().get(SEC_WEBSOCKET_PROTOCOL).and_then(|offer| offer.to_str().ok());
    let first = offered.and_then(|offer| offer.split(',').map(str::trim).find(|name| !name.is_empty()));
    if let Some(first) = first.and_then(|first| HeaderValue::from_str(first).ok()) {
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, first);
    }
    Ok(response)
}
