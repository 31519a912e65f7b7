//! One leg of a session: a non-blocking socket, its TLS state and its coder if it has them, and what is between them
//! and the relay.
//!
//! It does not know frames. Its invariant: it says "taken" only of bytes that the socket took (for TLS and coders:
//! once everything that holds them has left), so that the relay's goodbyes and its back-pressure are true. An idle
//! leg holds no buffer. Read next: `session.rs`.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::Shutdown,
    time::Duration,
};

use mio::{Interest, Registry, Token, event::Event};
use socket2::SockRef;
use tidegate_wire::relay::Violation;
use tokio::sync::oneshot;

use super::coder::{Coder, Lent};

/// A socket of either family.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(mio::net::TcpStream),
    /// One half of a pair within this process.
    Unix {
        socket: mio::net::UnixStream,
        /// Told when our half of the stream ends in order, dropped untold where it is cut: this kind of socket has no
        /// reset of its own.
        ended: Option<oneshot::Sender<()>>,
    },
}

impl Socket {
    /// `socket` must not block.
    pub(crate) fn unix(socket: std::os::unix::net::UnixStream, ended: Option<oneshot::Sender<()>>) -> Self {
        Self::Unix { socket: mio::net::UnixStream::from_std(socket), ended }
    }

    fn shut_down(&mut self) {
        // A peer that is gone already needs no goodbye.
        let _ = match self {
            Self::Tcp(socket) => socket.shutdown(Shutdown::Write),
            Self::Unix { socket, ended } => {
                let _ = ended.take().map(|ended| ended.send(()));
                socket.shutdown(Shutdown::Write)
            }
        };
    }
}

impl io::Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read(buf),
            Self::Unix { socket, .. } => socket.read(buf),
        }
    }
}

impl io::Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.write(buf),
            Self::Unix { socket, .. } => socket.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The TLS state of a leg.
#[derive(Debug)]
struct Tls {
    connection: rustls::Connection,
    /// Bytes of the relay inside records that the socket has not taken.
    sealed: usize,
    /// The close alert is among the records; the writing half is shut down behind it.
    closing: bool,
}

/// Bytes that wait at a leg.
#[derive(Debug, Default)]
struct Waiting {
    /// For the peer after a short write, and how many of them are written.
    kept: Vec<u8>,
    kept_from: usize,
    /// From the peer, that the relay has not judged: those behind the handshake, and those it delays.
    unread: Vec<u8>,
}

/// See the module.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent observations of one socket")]
pub(crate) struct Leg {
    /// `None` once closed.
    socket: Option<Socket>,
    tls: Option<Box<Tls>>,
    coder: Option<Box<Coder>>,
    /// None while nothing waits: an idle leg owns no buffer, and not the place for one either.
    waiting: Option<Box<Waiting>>,
    /// No "would block" since the last edge.
    readable: bool,
    writable: bool,
    /// The peer's end was announced with an edge: read on until it shows.
    hung_up: bool,
    finished: bool,
}

/// Why a leg gives no bytes.
#[derive(Debug)]
pub(super) enum NotRead {
    /// There are none now; an edge will announce more.
    NotNow,
    /// The connection is lost.
    Lost,
    /// The peer's compressed messages break a rule.
    Violated(Violation),
}

impl From<io::Error> for NotRead {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::WouldBlock { Self::NotNow } else { Self::Lost }
    }
}

impl Leg {
    pub(crate) fn new(
        socket: Socket,
        tls: Option<rustls::Connection>,
        mut early: Vec<u8>,
        coder: Option<Coder>,
    ) -> Self {
        let tls = tls.map(|connection| Box::new(Tls { connection, sealed: 0, closing: false }));
        let coder = coder.map(|mut coder| {
            coder.begin_with(std::mem::take(&mut early));
            Box::new(coder)
        });
        Self {
            socket: Some(socket),
            tls,
            coder,
            waiting: (!early.is_empty()).then(|| Box::new(Waiting { unread: early, ..Waiting::default() })),
            readable: true,
            writable: true,
            hung_up: false,
            finished: false,
        }
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        match &mut self.socket {
            Some(Socket::Tcp(socket)) => registry.register(socket, token, interest),
            Some(Socket::Unix { socket, .. }) => registry.register(socket, token, interest),
            None => Ok(()),
        }
    }

    /// An edge.
    pub(super) fn notice(&mut self, event: &Event) {
        let ended = event.is_read_closed() || event.is_error();
        self.hung_up |= ended;
        self.readable |= event.is_readable() || ended;
        self.writable |= event.is_writable() || event.is_write_closed();
    }

    /// Whether [`Leg::read`] may give something.
    #[inline]
    pub(super) fn may_read(&self) -> bool {
        self.has_unread()
            || (self.readable && self.socket.is_some())
            || self.coder.as_ref().is_some_and(|coder| coder.holds())
    }

    /// Whether [`Leg::flush`] may get rid of something.
    #[inline]
    pub(super) fn may_flush(&self) -> bool {
        self.writable && (self.has_kept() || self.tls.as_ref().is_some_and(|tls| tls.has_records()))
    }

    /// Reads what there is; `Ok(0)` is the end of the stream.
    #[inline]
    pub(super) fn read(&mut self, buf: &mut [u8], lent: &mut Lent) -> Result<usize, NotRead> {
        if self.has_unread() {
            return Ok(self.read_unread(buf));
        }
        match self.coder.take() {
            None => Ok(self.read_bytes(buf)?),
            Some(mut coder) => {
                let result = self.read_unpacked(&mut coder, buf, lent);
                self.coder = Some(coder);
                result
            }
        }
    }

    fn read_unpacked(
        &mut self,
        coder: &mut Coder,
        buf: &mut [u8],
        lent: &mut Lent,
    ) -> Result<usize, NotRead> {
        loop {
            if coder.holds() {
                let bytes = coder.unpack_waiting(buf, lent).map_err(NotRead::Violated)?;
                if bytes > 0 {
                    return Ok(bytes);
                }
            }
            let mut raw = std::mem::take(&mut lent.raw);
            let read = self.read_bytes(&mut raw);
            lent.raw = raw;
            let bytes = match read? {
                0 => return Ok(0),
                read => coder.unpack(read, buf, lent).map_err(NotRead::Violated)?,
            };
            if bytes > 0 {
                return Ok(bytes);
            }
        }
    }

    fn read_bytes(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some(socket) = &mut self.socket else { return Err(ErrorKind::WouldBlock.into()) };
        let result = match &mut self.tls {
            None => retried(|| socket.read(buf)),
            Some(tls) => tls.read(socket, buf),
        };
        match &result {
            // Edge-triggered: less than asked for means that nothing is left, and a new edge will come.
            Ok(bytes) if self.tls.is_none() && *bytes < buf.len() => self.readable = self.hung_up,
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
            _ => {}
        }
        if matches!(result, Ok(0)) {
            self.readable = false;
        }
        result
    }

    fn read_unread(&mut self, buf: &mut [u8]) -> usize {
        let Some(waiting) = &mut self.waiting else { return 0 };
        let bytes = waiting.unread.len().min(buf.len());
        buf[..bytes].copy_from_slice(&waiting.unread[..bytes]);
        waiting.unread.drain(..bytes);
        self.forget_empty();
        bytes
    }

    fn has_unread(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| !waiting.unread.is_empty())
    }

    fn has_kept(&self) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| !waiting.kept.is_empty())
    }

    fn forget_empty(&mut self) {
        self.waiting.take_if(|waiting| waiting.kept.is_empty() && waiting.unread.is_empty());
    }

    /// Takes back what the relay wants to judge later, in front of what has not been read.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        let waiting = self.waiting.get_or_insert_default();
        waiting.unread.splice(..0, bytes.iter().copied());
        self.forget_empty();
    }

    /// Writes, or keeps what the socket does not take; says how many bytes the socket took.
    #[inline]
    pub(super) fn write(&mut self, bytes: &[u8], lent: &mut Lent) -> io::Result<usize> {
        let Some(mut coder) = self.coder.take() else { return self.write_bytes(bytes) };
        let result = coder.pack(bytes, lent, |packed| self.write_bytes(packed));
        self.coder = Some(coder);
        result.map(|_| self.taken_inside())
    }

    /// The relay's bytes that were inside coded ones, once all of those have left.
    fn taken_inside(&mut self) -> usize {
        let is_drained = !self.has_kept() && !self.tls.as_ref().is_some_and(|tls| tls.has_records());
        let coder = self.coder.as_mut().filter(|_| is_drained);
        coder.map(|coder| std::mem::take(&mut coder.inside)).unwrap_or_default()
    }

    fn write_bytes(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let has_kept = self.has_kept();
        let Some(socket) = &mut self.socket else { return Ok(0) };
        if !self.writable || has_kept {
            self.waiting.get_or_insert_default().kept.extend_from_slice(bytes);
            return Ok(0);
        }
        let (accepted, taken) = match &mut self.tls {
            None => {
                let taken = written(socket, bytes)?;
                (taken, taken)
            }
            Some(tls) => tls.write(socket, bytes)?,
        };
        if accepted < bytes.len() {
            self.waiting.get_or_insert_default().kept.extend_from_slice(&bytes[accepted..]);
            self.writable = false;
        }
        if self.tls.as_ref().is_some_and(|tls| tls.has_records()) {
            self.writable = false;
        }
        Ok(taken)
    }

    /// Writes what was kept; says how many bytes the socket took.
    pub(super) fn flush(&mut self) -> io::Result<usize> {
        let taken = self.flush_bytes()?;
        Ok(if self.coder.is_some() { self.taken_inside() } else { taken })
    }

    fn flush_bytes(&mut self) -> io::Result<usize> {
        let Some(socket) = &mut self.socket else { return Ok(0) };
        let kept = self.waiting.as_ref().map_or(&[][..], |waiting| &waiting.kept[waiting.kept_from..]);
        let (accepted, taken) = match &mut self.tls {
            None => {
                let taken = written(socket, kept)?;
                (taken, taken)
            }
            Some(tls) => tls.write(socket, kept)?,
        };
        if let Some(waiting) = &mut self.waiting {
            waiting.kept_from += accepted;
            if waiting.kept_from == waiting.kept.len() {
                (waiting.kept, waiting.kept_from) = (Vec::new(), 0);
            }
        }
        self.forget_empty();
        let (has_kept, is_closing) = (self.has_kept(), self.tls.as_ref().is_some_and(|tls| tls.closing));
        let has_records = self.tls.as_ref().is_some_and(|tls| tls.has_records());
        if has_kept || has_records {
            self.writable = false;
        } else if is_closing && let Some(socket) = &mut self.socket {
            socket.shut_down();
        }
        Ok(taken)
    }

    /// Everything is written: ends our half of the stream.
    pub(super) fn finish(&mut self) {
        if self.finished {
            return;
        }
        self.finished = true;
        let Some(socket) = &mut self.socket else { return };
        if let Some(tls) = &mut self.tls {
            tls.connection.send_close_notify();
            tls.closing = true;
            // Where the alert does not fit now, `flush` sends it and then shuts down.
            if tls.write(socket, &[]).is_ok() && tls.has_records() {
                self.writable = false;
                return;
            }
        }
        socket.shut_down();
    }

    /// Closes the socket.
    pub(super) fn close(&mut self) {
        if self.socket.is_some() {
            self.finish();
            self.forget();
        }
    }

    /// Closes the socket so that it cannot look like an orderly end.
    pub(super) fn reset(&mut self) {
        if let Some(Socket::Tcp(socket)) = &self.socket {
            // Without it the peer sees an ordinary end; nothing better can be done then.
            let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
        self.forget();
    }

    fn forget(&mut self) {
        self.socket = None;
        self.tls = None;
        self.coder = None;
        self.waiting = None;
    }
}

impl Tls {
    fn has_records(&self) -> bool {
        self.connection.wants_write()
    }

    fn read(&mut self, socket: &mut Socket, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(buf) {
                // A stream that ends without the alert ends all the same: the relay knows whether a Close came.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => return result,
            }
            // Zero is the end of the stream; the reader says so in the next round.
            retried(|| self.connection.read_tls(socket))?;
            if let Err(error) = self.connection.process_new_packets() {
                // The alert that says what was wrong; the connection is lost either way.
                let _ = self.connection.write_tls(socket);
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
    }

    /// Seals as much as the bound on records allows, and writes records. Says how many bytes were sealed and how
    /// many of all sealed ones have left.
    fn write(&mut self, socket: &mut Socket, bytes: &[u8]) -> io::Result<(usize, usize)> {
        let (mut accepted, mut taken) = (0, 0);
        loop {
            if accepted < bytes.len() {
                let sealed = self.connection.writer().write(&bytes[accepted..])?;
                accepted += sealed;
                self.sealed += sealed;
            }
            while self.connection.wants_write() {
                match retried(|| self.connection.write_tls(socket)) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok((accepted, taken)),
                    Err(error) => return Err(error),
                }
            }
            taken += std::mem::take(&mut self.sealed);
            if accepted == bytes.len() {
                return Ok((accepted, taken));
            }
        }
    }
}

/// Writes until the socket takes no more.
fn written(socket: &mut Socket, bytes: &[u8]) -> io::Result<usize> {
    let mut at = 0;
    while at < bytes.len() {
        match retried(|| socket.write(&bytes[at..])) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(taken) => at += taken,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(at)
}

fn retried(mut io: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match io() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
