//! The backend: sends back every message, piece by piece as it arrives. One thread, one event loop.
//!
//! A first text message can ask for something else: [`STREAM`] and a size for binary messages without end, [`SINK`] for
//! silence. It is honest and trusts its peer: what it cannot read ends the connection. Its own cost is never part of a
//! figure, since it lives in another process than the gateway.

use std::{io, net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use mio::{Events, Interest, Poll, Token, net::TcpListener};
use socket2::{Domain, Protocol, Socket, Type};

use crate::{
    frame::{self, BINARY, CLOSE, Header, HeaderReader, PING, PONG, TEXT},
    handshake::{head_bytes, switching},
    stream::Stream,
};

/// Asks for messages of so many bytes.
pub(crate) const STREAM: &str = "!bench stream ";
/// Asks for no answer.
pub(crate) const SINK: &str = "!bench sink";

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4_096;
/// Events taken at once.
const EVENTS_MAX: usize = 1_024;
/// The token of the listener; connections use small numbers.
const LISTENER: Token = Token(usize::MAX);
/// Read at once.
const BUFFER_BYTES: usize = 256 << 10;
/// Written at once to one stream, so that all get their turn.
const STREAM_BYTES: usize = 64 << 10;

/// A bound backend.
pub(crate) struct Echo {
    listener: TcpListener,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

/// What a connection is for.
enum Purpose {
    /// It has not said who it is.
    Handshake(Vec<u8>),
    /// Nothing was sent yet.
    Fresh,
    Echo,
    Sink,
    /// Messages without end, made once, and how far they were sent.
    Stream {
        block: Vec<u8>,
        sent: usize,
    },
}

struct Connection {
    stream: Stream,
    purpose: Purpose,
    reader: HeaderReader,
    /// The frame under way and how much of it was dealt with.
    frame: Option<(Header, usize)>,
    is_over: bool,
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
    /// Serves until the process ends.
    pub(crate) fn serve(mut self) -> Result<()> {
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(EVENTS_MAX);
        let (mut buffer, mut out) = (vec![0; BUFFER_BYTES], Vec::new());
        let mut connections: Vec<Option<Connection>> = Vec::new();
        let mut free: Vec<usize> = Vec::new();
        // Places whose stream the socket took: no edge will come for them.
        let mut streaming: Vec<usize> = Vec::new();
        poll.registry().register(&mut self.listener, LISTENER, Interest::READABLE)?;
        loop {
            let patience = if streaming.is_empty() { None } else { Some(Duration::ZERO) };
            match poll.poll(&mut events, patience) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            let mut ready = std::mem::take(&mut streaming);
            for event in &events {
                if event.token() == LISTENER {
                    self.accept(&poll, &mut connections, &mut free)?;
                } else {
                    ready.push(event.token().0);
                }
            }
            ready.sort_unstable();
            ready.dedup();
            for place in ready {
                let Some(connection) = connections.get_mut(place).and_then(Option::as_mut) else { continue };
                // A connection that fails is its client's to notice.
                if connection.serve(&mut buffer, &mut out).unwrap_or(true) {
                    connections[place] = None;
                    free.push(place);
                } else if matches!(connection.purpose, Purpose::Stream { .. })
                    && !connection.stream.has_unsent()
                {
                    streaming.push(place);
                }
            }
        }
    }

    fn accept(
        &mut self,
        poll: &Poll,
        connections: &mut Vec<Option<Connection>>,
        free: &mut Vec<usize>,
    ) -> io::Result<()> {
        while let Ok((mut socket, _)) = self.listener.accept() {
            // Small messages must not wait for one another; a socket that cannot do it still works.
            let _ = socket.set_nodelay(true);
            let place = free.pop().unwrap_or(connections.len());
            poll.registry().register(&mut socket, Token(place), Interest::READABLE | Interest::WRITABLE)?;
            let connection = Some(Connection {
                stream: Stream::of(socket),
                purpose: Purpose::Handshake(Vec::new()),
                reader: HeaderReader::default(),
                frame: None,
                is_over: false,
            });
            match connections.get_mut(place) {
                Some(found) => *found = connection,
                None => connections.push(connection),
            }
        }
        Ok(())
    }
}

impl Connection {
    /// Deals with all there is; answers whether it is over. What its socket does not take stops the reading.
    fn serve(&mut self, buffer: &mut [u8], out: &mut Vec<u8>) -> io::Result<bool> {
        self.stream.flush()?;
        if let Purpose::Stream { block, sent } = &mut self.purpose
            && !self.stream.has_unsent()
        {
            let end = block.len().min(*sent + STREAM_BYTES);
            self.stream.send(&block[*sent..end])?;
            *sent = end % block.len();
        }
        while !self.stream.has_unsent() {
            if self.is_over {
                return Ok(true);
            }
            let Some(read) = self.stream.read(buffer)? else { break };
            if read == 0 {
                return Ok(true);
            }
            out.clear();
            self.take(&mut buffer[..read], out)?;
            self.stream.send(out)?;
        }
        Ok(false)
    }

    fn take(&mut self, bytes: &mut [u8], out: &mut Vec<u8>) -> io::Result<()> {
        let Purpose::Handshake(head) = &mut self.purpose else { return self.frames(bytes, out) };
        head.extend_from_slice(bytes);
        let Some(length) = head_bytes(head) else { return Ok(()) };
        out.extend_from_slice(switching(&String::from_utf8_lossy(&head[..length]))?.as_bytes());
        let mut rest = head.split_off(length);
        self.purpose = Purpose::Fresh;
        self.frames(&mut rest, out)
    }

    fn frames(&mut self, mut bytes: &mut [u8], out: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let Some((header, done)) = self.frame else {
                let mut front = &*bytes;
                let Some(header) = self.reader.take(&mut front) else { return Ok(()) };
                let used = bytes.len() - front.len();
                bytes = &mut bytes[used..];
                self.begin(header, bytes, out)?;
                continue;
            };
            let (piece, rest) = bytes.split_at_mut(bytes.len().min(header.payload_bytes - done));
            if self.is_answered(header) {
                let start = out.len();
                out.extend_from_slice(piece);
                frame::mask(&mut out[start..], header.key.unwrap_or_default(), done);
            }
            let done = done + piece.len();
            bytes = rest;
            self.frame = (done < header.payload_bytes).then_some((header, done));
            if self.frame.is_some() {
                return Ok(());
            }
            self.is_over |= header.opcode() == CLOSE;
        }
    }

    /// A frame begins: the header of its answer.
    fn begin(&mut self, header: Header, payload: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        if header.key.is_none() {
            return Err(io::Error::other("a client must mask its frames"));
        }
        if matches!(self.purpose, Purpose::Fresh) && !header.is_control() {
            self.purpose = asked(header, payload).unwrap_or(Purpose::Echo);
        }
        if self.is_answered(header) {
            let first = if header.opcode() == PING { 0x80 | PONG } else { header.first };
            Header { first, key: None, ..header }.append(out);
        }
        self.frame = Some((header, 0));
        Ok(())
    }

    fn is_answered(&self, header: Header) -> bool {
        header.opcode() != PONG && (header.is_control() || matches!(self.purpose, Purpose::Echo))
    }
}

/// What a first message asks for, if anything.
fn asked(header: Header, payload: &[u8]) -> Option<Purpose> {
    if header.opcode() != TEXT {
        return None;
    }
    let mut words = payload.get(..header.payload_bytes)?.to_vec();
    frame::mask(&mut words, header.key?, 0);
    let words = String::from_utf8(words).ok()?;
    if words == SINK {
        return Some(Purpose::Sink);
    }
    let bytes: usize = words.strip_prefix(STREAM)?.parse().ok()?;
    Some(Purpose::Stream { block: block(None, bytes), sent: 0 })
}

/// Binary messages of this size, so many that one write need not be a part of one.
pub(crate) fn block(key: Option<frame::Key>, message_bytes: usize) -> Vec<u8> {
    let payload = vec![b'x'; message_bytes];
    let mut block = Vec::new();
    while block.len() < 2 * STREAM_BYTES {
        frame::append(&mut block, BINARY, key, &payload);
    }
    block
}
