//! A peer that does what a gateway does that sees messages: the library tungstenite on both sides, each message read
//! whole and written again. It checks nothing and counts nothing.
//!
//! There are two ways to write such a relay, and they are far apart where several messages are in flight: to send each
//! message when it is there, or to let the library gather what is there before it writes. Both are peers.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    accept_async, client_async,
    tungstenite::{Error, Message},
};

/// Serves until the process ends.
pub(crate) fn serve(listen: SocketAddr, backend: SocketAddr, gathers: bool) -> Result<()> {
    ensure!(listen.ip().is_loopback(), "{listen} is not a loopback address; this relay answers anybody");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
        loop {
            let (client, _) = listener.accept().await?;
            // A session that fails is its client's to notice.
            tokio::spawn(relay(client, backend, gathers));
        }
    })
}

async fn relay(client: TcpStream, backend: SocketAddr, gathers: bool) -> Result<()> {
    client.set_nodelay(true)?;
    let (to_client, from_client) = accept_async(client).await?.split();
    let backend_socket = TcpStream::connect(backend).await?;
    backend_socket.set_nodelay(true)?;
    let (backend, _) = client_async(format!("ws://{backend}/"), backend_socket).await?;
    let (to_backend, from_backend) = backend.split();
    tokio::select! {
        ended = pass(from_client, to_backend, gathers) => ended,
        ended = pass(from_backend, to_client, gathers) => ended,
    }
}

async fn pass(
    from: impl Stream<Item = Result<Message, Error>>,
    to: impl Sink<Message, Error = Error>,
    gathers: bool,
) -> Result<()> {
    let to = to.sink_map_err(anyhow::Error::from);
    if gathers {
        return data(from).forward(to).await;
    }
    let (mut from, mut to) = (std::pin::pin!(data(from)), std::pin::pin!(to));
    while let Some(message) = from.next().await {
        to.send(message?).await?;
    }
    Ok(())
}

/// Messages alone: the library itself answers pings.
fn data(
    messages: impl Stream<Item = Result<Message, Error>>,
) -> impl Stream<Item = Result<Message, anyhow::Error>> {
    messages.filter_map(async |message| match message {
        Ok(Message::Ping(_) | Message::Pong(_)) => None,
        other => Some(other.map_err(Into::into)),
    })
}
