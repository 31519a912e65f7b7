//! A connection that speaks HTTP/2: many streams, each of which may become a session (RFC 8441).
//!
//! It accepts streams, bounds what one connection may cost, and knows when to leave. What is asked on a stream is
//! `http2/stream.rs`, how a stream meets its worker `http2/bridge.rs`. It knows neither routes nor frames of
//! WebSocket. Its invariant: whatever a client does, a connection costs no more than the constants below say.

mod bridge;
mod paced;
mod stream;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{Reason, RecvStream, server::SendResponse};
use tidegate_wire::handshake::raw::HEAD_BYTES_MAX;
use tokio::{
    sync::SemaphorePermit,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    Inner, answer::Answer, certificate::Thumbprint, connection::Client, crowd::AddressPlace, drain,
    handshake::HEAD_DEADLINE, stream::Stream,
};
use bridge::Bridge;
use paced::Paced;

/// Connections over HTTP/2 at once. Each carries a session at least, or is among the handshakes.
pub(crate) const CONNECTIONS_MAX: usize = 65_536;

/// Streams that a connection may have open: what RFC 9113 section 6.5.2 asks for at least. A client that wants more
/// sessions opens another connection, which spreads them over more tasks as well.
const STREAMS_MAX: u32 = 100;
/// Bytes of a stream that its worker has not taken. Each costs memory of ours, so it is half of what a stream may
/// cost; a client on a line of 100 ms gets 2.5 megabit a second and session out of it.
const STREAM_WINDOW: u32 = 32 * 1024;
/// Bytes of all streams together: enough for every stream's window, so that one whose backend does not read stalls no
/// other.
const CONNECTION_WINDOW: u32 = STREAMS_MAX * STREAM_WINDOW;
/// Bytes of a stream that wait for the connection to be written: a frame of the usual size.
const SEND_BYTES_MAX: usize = 16 * 1024;
/// What small frames of DATA may cost beyond their bytes before their streams have taken them, by the library's count
/// of 256 bytes a frame: a full turn of [`paced::TURN_BYTES`] in the smallest frames that carry a message, twice.
const FRAMING_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The library's bound on a list of headers. Above it a stream gets a bare 431; below it the bound that holds for
/// every client refuses with a problem.
const HEADER_LIST_BYTES_MAX: usize = 2 * HEAD_BYTES_MAX;
/// Streams that were reset before they were accepted here (CVE-2023-44487).
const UNACCEPTED_RESETS_MAX: usize = 20;
/// Streams that a client may make the library reset in a connection's life, by errors (CVE-2025-8671) or by opening
/// too many: clients that did not wait for our SETTINGS may lawfully send some hundred.
const PROVOKED_RESETS_MAX: usize = 1_024;
/// Streams that we reset and still know, so that what comes late for them is no error: a session resets one at most.
const KNOWN_RESETS_MAX: usize = STREAMS_MAX as usize;
/// Streams that a client may withdraw before they are answered: each may have cost a backend a connection. One that is
/// answered makes up for one that was withdrawn. A page that is left withdraws what it has open, and no more.
const WITHDRAWN_MAX: u32 = STREAMS_MAX;
/// How long a connection stays without a stream: a page that comes back within a minute saves two round trips.
const IDLE_DEADLINE: Duration = Duration::from_mins(1);
/// How long a client may take to close after the last stream of a connection that leaves.
const LEAVING_DEADLINE: Duration = Duration::from_secs(1);

/// How far a stream has come.
enum Outcome {
    /// It was told 200, and is to be bridged to its worker.
    Session(Box<Bridge>),
    /// It was told something else, and that is its end.
    Refused,
    /// The client went before it was told anything.
    Withdrawn,
    /// Its session is over.
    Over,
}

/// What a connection holds while it has no stream: then it is in the phases before the relay like any other.
#[expect(dead_code, reason = "they are given back by being dropped")]
struct Waiting<'i> {
    handshaking: SemaphorePermit<'i>,
    /// Each stream has its own.
    address_place: Option<AddressPlace>,
}

/// See the module.
struct Connection<'i> {
    inner: &'i Arc<Inner>,
    client: Client,
    /// What the client has shown in TLS.
    certificate: Option<Thumbprint>,
    library: h2::server::Connection<Paced<Stream>, Bytes>,
    /// Each ends by itself: phases have deadlines, sessions end with their worker, and all with the connection.
    streams: JoinSet<Outcome>,
    /// `None` while it has streams.
    waiting: Option<Waiting<'i>>,
    /// The connection itself counts for its client's address, and not only its streams.
    is_counted: bool,
    /// Since the last stream ended, or since it leaves.
    idle_since: Instant,
    is_leaving: bool,
    withdrawn: u32,
}

/// Carries a connection to its end. `address_place` as in [`crate::connection::carry`].
pub(crate) async fn carry(
    inner: &Arc<Inner>,
    stream: Stream,
    client: Client,
    address_place: Option<AddressPlace>,
) {
    // Nothing can be said before the client has said its preface; whoever finds no place is dropped.
    let (Ok(_place), Ok(handshaking)) = (inner.multiplexing.try_acquire(), inner.handshaking.try_acquire())
    else {
        return;
    };
    let certificate = stream.certificate();
    let mut draining = inner.draining.subscribe();
    let library = tokio::select! {
        begun = timeout(HEAD_DEADLINE, settings().handshake(Paced::new(stream))) => begun,
        () = drain::is_said(&mut draining) => return,
    };
    let Ok(Ok(library)) = library else { return };
    let connection = Connection {
        inner,
        client,
        certificate,
        library,
        streams: JoinSet::new(),
        is_counted: address_place.is_some(),
        waiting: Some(Waiting { handshaking, address_place }),
        idle_since: Instant::now(),
        is_leaving: false,
        withdrawn: 0,
    };
    connection.run().await;
}

/// Gives this answer to whatever is asked on a connection, and ends it.
pub(crate) async fn refuse(stream: Stream, answer: &Answer) {
    let Ok(Ok(mut library)) = timeout(HEAD_DEADLINE, settings().handshake(Paced::new(stream))).await else {
        return;
    };
    let refusing = async {
        while let Some(Ok((_, respond))) = library.accept().await {
            stream::say(respond, answer);
            library.graceful_shutdown();
        }
    };
    // However it ends, the connection ends.
    let _ = timeout(HEAD_DEADLINE, refusing).await;
}

fn settings() -> h2::server::Builder {
    let mut settings = h2::server::Builder::new();
    settings
        .enable_connect_protocol()
        .max_concurrent_streams(STREAMS_MAX)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buffer_size(SEND_BYTES_MAX)
        .data_frame_budget(FRAMING_BYTES_MAX)
        .max_header_list_size(u32::try_from(HEADER_LIST_BYTES_MAX).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(UNACCEPTED_RESETS_MAX)
        .max_local_error_reset_streams(Some(PROVOKED_RESETS_MAX))
        .max_concurrent_reset_streams(KNOWN_RESETS_MAX);
    settings
}

impl<'i> Connection<'i> {
    async fn run(mut self) {
        let mut draining = self.inner.draining.subscribe();
        loop {
            let patience = if self.is_leaving { LEAVING_DEADLINE } else { IDLE_DEADLINE };
            tokio::select! {
                accepted = self.library.accept() => match accepted {
                    Some(Ok((request, respond))) => self.begin(request, respond),
                    // Streams that are left see it as well, and tell their workers.
                    Some(Err(_)) | None => return,
                },
                Some(ended) = self.streams.join_next() => {
                    // A task that panicked has withdrawn its stream as well.
                    if !self.go_on(ended.unwrap_or(Outcome::Withdrawn)) {
                        return self.cut().await;
                    }
                }
                () = drain::is_said(&mut draining), if !self.is_leaving => self.leave(),
                () = sleep_until(self.idle_since + patience), if self.streams.is_empty() => {
                    if self.is_leaving {
                        return;
                    }
                    self.leave();
                }
            }
        }
    }

    fn begin(&mut self, request: http::Request<RecvStream>, respond: SendResponse<Bytes>) {
        self.waiting = None;
        let (inner, client, certificate) = (Arc::clone(self.inner), self.client, self.certificate.clone());
        self.streams.spawn(async move { stream::carry(&inner, request, respond, client, certificate).await });
    }

    /// Goes on from there; `false`: one too many was withdrawn.
    fn go_on(&mut self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Session(bridge) => {
                self.withdrawn = self.withdrawn.saturating_sub(1);
                self.streams.spawn(async move {
                    bridge.run().await;
                    Outcome::Over
                });
            }
            Outcome::Refused => self.withdrawn = self.withdrawn.saturating_sub(1),
            Outcome::Withdrawn => self.withdrawn += 1,
            Outcome::Over => {}
        }
        if self.streams.is_empty() {
            self.idle_since = Instant::now();
            self.waiting = self.wait();
            if self.waiting.is_none() {
                self.leave();
            }
        }
        self.withdrawn <= WITHDRAWN_MAX
    }

    fn wait(&self) -> Option<Waiting<'i>> {
        let handshaking = self.inner.handshaking.try_acquire().ok()?;
        let counted = || self.inner.crowd.place(self.client.address.ip());
        Some(Waiting { handshaking, address_place: self.is_counted.then(counted).transpose().ok()? })
    }

    /// No more streams, please; those that are open go on.
    fn leave(&mut self) {
        if !self.is_leaving {
            self.is_leaving = true;
            self.idle_since = Instant::now();
            self.library.graceful_shutdown();
        }
    }

    /// An end that is said, and not discussed.
    async fn cut(mut self) {
        tracing::debug!(client = %self.client.address, "a connection withdraws too many streams");
        self.library.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
        // However it ends, the connection ends.
        let _ = timeout(LEAVING_DEADLINE, std::future::poll_fn(|cx| self.library.poll_closed(cx))).await;
    }
}
