//! The backend: sends back every message. One thread, one event loop.
//!
//! It is honest and trusts its peer: what it cannot read ends the connection. Its own cost is never part of a
//! figure, since it lives in another process than the gateway.

use std::{
    io,
    net::SocketAddr,
    thread::{self, JoinHandle},
};

use anyhow::{Context as _, Result, ensure};
use mio::{Events, Interest, Poll, Token, net::TcpListener};
use socket2::{Domain, Protocol, Socket, Type};

use crate::{
    frame,
    wire::{Scratch, Wire, accept_key, field, head_bytes},
};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4_096;
/// Events taken at once.
const EVENTS_MAX: usize = 1_024;
/// The token of the listener; connections use small numbers.
const LISTENER: Token = Token(usize::MAX);

/// A bound backend.
pub(crate) struct Echo {
    listener: TcpListener,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

struct Connection {
    wire: Wire,
    is_open: bool,
}

/// Binds a backend.
pub(crate) fn listen(address: SocketAddr) -> Result<Echo> {
    ensure!(address.ip().is_loopback(), "{address} is not a loopback address; this backend answers anybody");
    let bound = || -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(TcpListener::from_std(socket.into()))
    };
    let listener = bound().with_context(|| format!("cannot listen on {address}"))?;
    Ok(Echo { address: listener.local_addr()?, listener })
}

impl Echo {
    /// Serves on a thread that ends with the process.
    pub(crate) fn spawn(self) -> JoinHandle<Result<()>> {
        thread::spawn(move || self.serve())
    }

    /// Serves until the process ends.
    pub(crate) fn serve(mut self) -> Result<()> {
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(EVENTS_MAX);
        let mut scratch = Scratch::default();
        let mut connections: Vec<Option<Connection>> = Vec::new();
        let mut free: Vec<usize> = Vec::new();
        poll.registry().register(&mut self.listener, LISTENER, Interest::READABLE)?;
        loop {
            match poll.poll(&mut events, None) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                if event.token() == LISTENER {
                    while let Ok((mut socket, _)) = self.listener.accept() {
                        // Small messages must not wait for one another; a socket that cannot do it still works.
                        let _ = socket.set_nodelay(true);
                        let place = free.pop().unwrap_or(connections.len());
                        let both = Interest::READABLE | Interest::WRITABLE;
                        poll.registry().register(&mut socket, Token(place), both)?;
                        let connection = Some(Connection { wire: Wire::new(socket), is_open: false });
                        match connections.get_mut(place) {
                            Some(found) => *found = connection,
                            None => connections.push(connection),
                        }
                    }
                    continue;
                }
                let place = event.token().0;
                let Some(connection) = connections.get_mut(place).and_then(Option::as_mut) else { continue };
                // A connection that fails is its client's to notice.
                if connection.serve(&mut scratch).unwrap_or(true) {
                    connections[place] = None;
                    free.push(place);
                }
            }
        }
    }
}

impl Connection {
    /// Deals with all there is; answers whether it is over.
    fn serve(&mut self, scratch: &mut Scratch) -> io::Result<bool> {
        self.wire.flush()?;
        let Self { wire, is_open } = self;
        let mut is_over = false;
        let ended = wire.receive(scratch, |bytes, out| {
            let mut taken = 0;
            if !*is_open {
                let Some(length) = head_bytes(bytes) else { return Ok(0) };
                out.extend_from_slice(switching(&String::from_utf8_lossy(&bytes[..length]))?.as_bytes());
                *is_open = true;
                taken = length;
            }
            while let Some(frame) = frame::first(&mut bytes[taken..]) {
                if !frame.is_masked {
                    return Err(io::Error::other("a client must mask its frames"));
                }
                let first = if frame.first == frame::PING { frame::PONG } else { frame.first };
                frame::append(out, first, None, frame.payload);
                is_over |= first == frame::CLOSE;
                taken += frame.bytes;
            }
            Ok(taken)
        })?;
        Ok(ended || is_over)
    }
}

fn switching(head: &str) -> io::Result<String> {
    let key =
        field(head, "sec-websocket-key").ok_or_else(|| io::Error::other("this is no WebSocket handshake"))?;
    Ok(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept_key(key)
    ))
}
