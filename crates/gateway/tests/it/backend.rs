//! Backends: some that serve by themselves, and one that waits for the test to play it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::{
    socket::{BINARY, CLOSE, Duplex, Frames, Head, PING, PONG, TEXT},
    soon,
};

/// A listening socket, and whoever serves it.
pub(crate) struct Backend {
    listener: Arc<TcpListener>,
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<watch::Sender<Seen>>,
    serving: Option<JoinHandle<()>>,
}

/// What a serving backend has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) heads: Vec<Head>,
    /// Data messages.
    pub(crate) messages: u64,
    /// Goodbyes, in their order.
    pub(crate) closes: Vec<(u16, String)>,
}

/// One connection to a backend.
pub(crate) struct Visit {
    pub(crate) head: Head,
    pub(crate) frames: Frames,
}

const UNAVAILABLE: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

/// What a serving backend does.
#[derive(Debug, Clone)]
enum Manner {
    /// Says everything again.
    Echo,
    /// Takes everything.
    Sink,
    /// Takes everything and answers no Ping.
    Rude,
    /// Says everything again while the switch is on, and answers 503 while it is off.
    Moody(Arc<AtomicBool>),
    /// Answers the handshake with this and hangs up when the other side does.
    Answer(&'static str),
}

impl Backend {
    /// One that waits for the test: see [`Backend::next`].
    pub(crate) async fn bind() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener: Arc::new(listener), address, seen: Arc::default(), serving: None }
    }

    pub(crate) async fn echo() -> Self {
        Self::bind().await.serve(Manner::Echo)
    }

    /// An echo whose own sockets hold next to nothing.
    pub(crate) async fn tight_echo(buffer_bytes: usize) -> Self {
        let backend = Self::bind().await;
        // Connections inherit it from their listener.
        let socket = socket2::SockRef::from(&*backend.listener);
        socket.set_recv_buffer_size(buffer_bytes).unwrap();
        socket.set_send_buffer_size(buffer_bytes).unwrap();
        backend.serve(Manner::Echo)
    }

    pub(crate) async fn sink() -> Self {
        Self::bind().await.serve(Manner::Sink)
    }

    pub(crate) async fn sink_without_pong() -> Self {
        Self::bind().await.serve(Manner::Rude)
    }

    /// An echo that answers 503 while the switch is off.
    pub(crate) async fn moody(works: Arc<AtomicBool>) -> Self {
        Self::bind().await.serve(Manner::Moody(works))
    }

    /// `ACCEPT` in the answer stands for the right accept key.
    pub(crate) async fn answering(answer: &'static str) -> Self {
        Self::bind().await.serve(Manner::Answer(answer))
    }

    fn serve(mut self, manner: Manner) -> Self {
        let (listener, seen) = (Arc::clone(&self.listener), Arc::clone(&self.seen));
        self.serving = Some(tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(attend(Box::new(stream), manner.clone(), Arc::clone(&seen)));
            }
        }));
        self
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/", self.address)
    }

    /// The next connection, with its head read.
    pub(crate) async fn next(&self) -> Visit {
        let (stream, _) = soon("a connection", self.listener.accept()).await.unwrap();
        Visit::begin(Box::new(stream)).await.expect("a head comes")
    }

    /// Answers the next connection whatever it asks, and lets it go.
    pub(crate) async fn answers_at_once(&self, answer: &str) {
        let (stream, _) = soon("a connection", self.listener.accept()).await.unwrap();
        let mut frames = Frames::of_backend(Box::new(stream));
        frames.write(answer.as_bytes()).await;
        frames.rest().await;
    }

    /// Nobody has connected: a connection made now is the first one to come out of the queue.
    pub(crate) async fn saw_nothing(&self) {
        assert!(self.serving.is_none(), "who serves takes the connection away");
        let probe = TcpStream::connect(self.address).await.unwrap();
        let (_, first) = soon("the test's own connection", self.listener.accept()).await.unwrap();
        assert_eq!(first, probe.local_addr().unwrap(), "somebody was here before");
    }

    /// Waits until a serving backend has seen enough.
    pub(crate) async fn until(&self, what: &str, is_enough: impl Fn(&Seen) -> bool) {
        let mut seen = self.seen.subscribe();
        let waited = soon(what, seen.wait_for(|seen| is_enough(seen))).await;
        drop(waited.expect("a backend lives as long as its test"));
    }

    /// The head of the only connection so far.
    pub(crate) fn head(&self) -> Head {
        let seen = self.seen.borrow();
        assert_eq!(seen.heads.len(), 1, "one connection");
        seen.heads[0].clone()
    }

    /// The head of the last connection so far.
    pub(crate) fn last_head(&self) -> Head {
        self.seen.borrow().heads.last().expect("a connection").clone()
    }
}

async fn attend(stream: Box<dyn Duplex>, manner: Manner, seen: Arc<watch::Sender<Seen>>) {
    // A test's own look, or a client that went.
    let Some(mut visit) = Visit::begin(stream).await else { return };
    seen.send_modify(|seen| seen.heads.push(visit.head.clone()));
    let answer = match &manner {
        Manner::Answer(answer) => Some(*answer),
        Manner::Moody(works) if !works.load(Ordering::SeqCst) => Some(UNAVAILABLE),
        _ => None,
    };
    if let Some(answer) = answer {
        let answer =
            answer.replace("ACCEPT", &derive_accept_key(visit.head.one("sec-websocket-key").as_bytes()));
        visit.frames.write(answer.as_bytes()).await;
        visit.frames.rest().await;
        return;
    }
    converse(visit, &manner, &seen).await;
}

/// Echoes to one visitor.
pub(crate) async fn serve_echo(visit: Visit) {
    converse(visit, &Manner::Echo, &Arc::default()).await;
}

async fn converse(mut visit: Visit, manner: &Manner, seen: &watch::Sender<Seen>) {
    visit.accept("").await;
    while let Some(frame) = visit.frames.next().await {
        match frame.opcode {
            TEXT | BINARY => {
                seen.send_modify(|seen| seen.messages += 1);
                if matches!(manner, Manner::Echo | Manner::Moody(_)) {
                    visit.frames.send(frame.opcode, &frame.payload).await;
                }
            }
            PING if !matches!(manner, Manner::Rude) => {
                visit.frames.send(PONG, &frame.payload).await;
            }
            CLOSE => {
                let close = visit.frames.farewell(&frame).await;
                seen.send_modify(|seen| seen.closes.push(close));
                return;
            }
            _ => {}
        }
    }
}

impl Visit {
    /// Reads the head.
    pub(crate) async fn begin(stream: Box<dyn Duplex>) -> Option<Self> {
        let mut frames = Frames::of_backend(stream);
        let head = frames.head().await?;
        Some(Self { head, frames })
    }

    /// Answers 101, with these header lines more.
    pub(crate) async fn accept(&mut self, more: &str) {
        let answer = self.switching(more);
        self.frames.write(answer.as_bytes()).await;
    }

    /// The right answer.
    pub(crate) fn switching(&self, more: &str) -> String {
        let accept = derive_accept_key(self.head.one("sec-websocket-key").as_bytes());
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
        )
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}
