//! The bridge between a stream of HTTP/2 and one half of a Unix socket pair, whose other half is a worker's leg.
//!
//! So a session over HTTP/2 is a session like any other: whatever a worker does for a client's socket it does here.
//! The bridge moves bytes and the ways in which a stream can end, which RFC 8441 section 5.1 maps: an orderly end is
//! `END_STREAM`, a cut one is `RST_STREAM` with CANCEL, and a client's reset or a lost connection closes our half. It
//! does not know frames of WebSocket. Its invariant: it holds at most a stream's window of one direction and a chunk
//! of the other, and nothing for a stream on which nothing moves.

use std::{future::poll_fn, io::ErrorKind, net::Shutdown, pin::pin, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};
use h2::{Reason, RecvStream, SendStream};
use socket2::SockRef;
use tidegate_wire::relay;
use tokio::{net::UnixStream, sync::oneshot, time::timeout};

/// Bytes that are read from a worker at once: a frame of DATA of the usual size.
const CHUNK_BYTES: usize = 16 * 1024;
/// How long what a worker has already said may take to leave once the worker has ended, and how long the client may
/// take to end its half then: what the relay gives every other socket.
const LINGER: Duration = relay::LINGER.to_duration();

/// The stream is gone: reset by the client, or with its connection.
#[derive(Debug)]
struct Lost;

impl From<h2::Error> for Lost {
    fn from(_: h2::Error) -> Self {
        Self
    }
}

/// What comes from the client. Frames of DATA are copied together as they come, since the library keeps some hundred
/// bytes for each; the window is given back as their bytes leave.
pub(super) struct Inbound {
    body: RecvStream,
    /// Not taken by the worker yet; at most a stream's window, and no buffer while it is empty.
    waiting: BytesMut,
    /// The client has ended its half.
    has_ended: bool,
}

impl Inbound {
    pub(super) fn new(body: RecvStream) -> Self {
        Self { has_ended: body.is_end_stream(), body, waiting: BytesMut::new() }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.has_ended
    }

    /// Keeps what comes before it may pass. Returns when the client is gone, or has said that it will say no more.
    pub(super) async fn gather(&mut self) {
        while let Ok(Some(bytes)) = self.next().await {
            self.waiting.extend_from_slice(&bytes);
        }
    }

    /// More from the client; `None` at the end of its half.
    async fn next(&mut self) -> Result<Option<Bytes>, Lost> {
        let next = self.body.data().await.transpose()?;
        self.has_ended |= next.is_none();
        Ok(next)
    }

    /// Moves everything to the worker, until the client has ended its half or the worker takes no more.
    async fn pour(&mut self, socket: &UnixStream) -> Result<(), Lost> {
        loop {
            tokio::select! {
                next = self.next(), if !self.has_ended => {
                    if let Some(bytes) = next? {
                        let taken = if self.waiting.is_empty() { self.give(socket, &bytes) } else { Some(0) };
                        let Some(taken) = taken else { return Ok(()) };
                        self.waiting.extend_from_slice(&bytes[taken..]);
                    }
                }
                _ = socket.writable(), if !self.waiting.is_empty() => {
                    let waiting = std::mem::take(&mut self.waiting);
                    let Some(taken) = self.give(socket, &waiting) else { return Ok(()) };
                    self.waiting = waiting;
                    self.waiting.advance(taken);
                    if self.waiting.is_empty() {
                        self.waiting = BytesMut::new();
                    }
                }
                else => {
                    // A worker that is gone needs no goodbye.
                    let _ = SockRef::from(socket).shutdown(Shutdown::Write);
                    return Ok(());
                }
            }
        }
    }

    /// Writes what the worker takes now, and lets the client send as much more. `None`: it will take nothing more.
    fn give(&mut self, socket: &UnixStream, bytes: &[u8]) -> Option<usize> {
        match socket.try_write(bytes) {
            Ok(taken) => {
                // A stream that is gone has no window; whoever reads it next learns that.
                let _ = self.body.flow_control().release_capacity(taken);
                Some(taken)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Some(0),
            Err(_) => None,
        }
    }
}

/// See the module.
pub(super) struct Bridge {
    socket: UnixStream,
    inbound: Inbound,
    outbound: SendStream<Bytes>,
    /// The worker has ended its half in order; an error: it was cut.
    ended: oneshot::Receiver<()>,
}

impl Bridge {
    pub(super) fn new(
        socket: UnixStream,
        inbound: Inbound,
        outbound: SendStream<Bytes>,
        ended: oneshot::Receiver<()>,
    ) -> Self {
        Self { socket, inbound, outbound, ended }
    }

    /// Moves bytes until both halves have ended, or one of them is lost. Dropping the future closes both.
    pub(super) async fn run(self) {
        let Self { socket, mut inbound, mut outbound, ended } = self;
        let mut pouring = pin!(inbound.pour(&socket));
        let mut saying = pin!(say(&socket, &mut outbound, ended));
        let mut has_poured = false;
        loop {
            tokio::select! {
                poured = &mut pouring, if !has_poured => match poured {
                    Ok(()) => has_poured = true,
                    // The end of our half of the pair tells the worker.
                    Err(Lost) => return,
                },
                said = &mut saying => {
                    if said.is_ok() && !has_poured {
                        // The library tells a client that still has not ended its half that nobody listens.
                        let _ = timeout(LINGER, pouring).await;
                    }
                    return;
                }
            }
        }
    }
}

/// Moves everything to the client, then the end of it as it was meant.
async fn say(
    socket: &UnixStream,
    outbound: &mut SendStream<Bytes>,
    mut ended: oneshot::Receiver<()>,
) -> Result<(), Lost> {
    let is_whole = {
        let mut moving = pin!(chunks(socket, outbound));
        tokio::select! {
            moved = &mut moving => {
                moved?;
                ended.await.is_ok()
            }
            // What is cut is not waited for.
            in_order = &mut ended => in_order.is_ok() && match timeout(LINGER, moving).await {
                Ok(moved) => moved.map(|()| true)?,
                Err(_) => false,
            },
        }
    };
    if is_whole {
        Ok(outbound.send_data(Bytes::new(), true)?)
    } else {
        outbound.send_reset(Reason::CANCEL);
        Err(Lost)
    }
}

async fn chunks(socket: &UnixStream, outbound: &mut SendStream<Bytes>) -> Result<(), Lost> {
    loop {
        tokio::select! {
            _ = socket.readable() => {}
            _ = poll_fn(|cx| outbound.poll_reset(cx)) => return Err(Lost),
        }
        let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
        match socket.try_read_buf(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => continue,
            // The worker has gone with bytes of the client unread; what it said before was read.
            Err(_) => return Ok(()),
        }
        // What waits for the connection is counted by its bytes, so it must not hold a whole chunk's memory.
        let mut chunk =
            if chunk.len() < CHUNK_BYTES / 2 { Bytes::copy_from_slice(&chunk) } else { chunk.freeze() };
        while !chunk.is_empty() {
            let room = room(outbound, chunk.len()).await?;
            outbound.send_data(chunk.split_to(room.min(chunk.len())), false)?;
        }
    }
}

/// Waits for room in the client's window. It is asked for only by what is there to be sent: a stream on which nothing
/// moves holds nothing of the window that all share.
async fn room(outbound: &mut SendStream<Bytes>, bytes: usize) -> Result<usize, Lost> {
    outbound.reserve_capacity(bytes);
    while outbound.capacity() == 0 {
        poll_fn(|cx| outbound.poll_capacity(cx)).await.ok_or(Lost)??;
    }
    Ok(outbound.capacity())
}
