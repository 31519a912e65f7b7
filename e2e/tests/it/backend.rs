//! Backends of the tests' own: one that echoes and records, and several that misbehave before the handshake is done.
//!
//! A text asks the echo for more than an echo: `close CODE REASON`, `say N PADDING` for N messages, `hush` for none.

use std::{
    any::Any,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::{AbortHandle, JoinSet},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::{
    accept_hdr_async_with_config,
    tungstenite::{
        Message,
        handshake::{
            derive_accept_key,
            server::{ErrorResponse, Request, Response},
        },
        protocol::{CloseFrame, WebSocketConfig},
    },
};

use crate::{
    portal::Count,
    wait::{PATIENCE, until},
};

/// One connection as its backend saw it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Target and headers of the handshake.
    pub(crate) head: String,
    /// Data messages that came.
    pub(crate) received: Count,
    /// Data messages that were sent.
    pub(crate) sent: Count,
    /// Payloads of the pings that came.
    pub(crate) pings: Vec<Vec<u8>>,
    /// Code and reason of the Close that came, if one did.
    pub(crate) close: Option<(u16, String)>,
    pub(crate) is_over: bool,
}

/// Where one connection is recorded.
struct Record {
    all: Arc<Mutex<Vec<Seen>>>,
    number: usize,
}

impl Record {
    fn note<T>(&self, what: impl FnOnce(&mut Seen) -> T) -> T {
        what(&mut self.all.lock().unwrap()[self.number])
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.note(|seen| seen.is_over = true);
    }
}

type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A backend that listens for as long as this lives.
pub(crate) struct Backend {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: Option<AbortHandle>,
    /// What must stay open for the backend to be what it is.
    _held: Box<dyn Any + Send>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.iter().for_each(AbortHandle::abort);
    }
}

fn bound() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

impl Backend {
    /// Sends back every data message.
    pub(crate) fn echo() -> Self {
        Self::serving(|stream, record| Box::pin(speak(stream, record)))
    }

    /// The same over TLS, with this certificate for `localhost`.
    pub(crate) fn secured(certificate: &Path, key: &Path) -> Self {
        let chain = CertificateDer::pem_file_iter(certificate).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(key).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let acceptor =
            TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap()));
        Self::serving(move |stream, record| {
            let acceptor = acceptor.clone();
            Box::pin(async move {
                // One that does not trust the certificate leaves here.
                if let Ok(stream) = acceptor.accept(stream).await {
                    speak(stream, record).await;
                }
            })
        })
    }

    /// Accepts connections and says nothing.
    pub(crate) fn silent() -> Self {
        Self::serving(|mut stream, _record| {
            Box::pin(async move {
                // Reads to the end, so that the connection is held and its end is seen.
                let _ = stream.read_to_end(&mut Vec::new()).await;
            })
        })
    }

    /// Answers every handshake with this.
    pub(crate) fn answering(answer: &'static str) -> Self {
        Self::serving(move |mut stream, record| {
            Box::pin(async move {
                let Some(head) = request_head(&mut stream).await else { return };
                record.note(|seen| seen.head = head);
                // The gateway may have seen enough and left.
                let _ = stream.write_all(answer.as_bytes()).await;
            })
        })
    }

    /// Accepts the handshake, sends these bytes and is gone.
    pub(crate) fn saying(bytes: Vec<u8>) -> Self {
        Self::serving(move |mut stream, _record| {
            let bytes = bytes.clone();
            Box::pin(async move {
                accept(&mut stream).await;
                // The gateway may have seen enough and left.
                let _ = stream.write_all(&bytes).await;
            })
        })
    }

    /// Accepts the handshake, then says nothing and answers nothing: it costs next to nothing.
    pub(crate) fn holding() -> Self {
        Self::serving(|mut stream, _record| {
            Box::pin(async move {
                accept(&mut stream).await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            })
        })
    }

    /// A port that refuses connections, held so that nobody else takes it.
    pub(crate) fn dead() -> Self {
        let (socket, address) = bound();
        Self { address, seen: Arc::default(), task: None, _held: Box::new(socket) }
    }

    /// Its queue of connections is full: the next one is never accepted, and nobody says so.
    pub(crate) async fn full() -> Self {
        let (socket, address) = bound();
        let listener = socket.listen(1).unwrap();
        let mut waiting = Vec::new();
        let patience = Duration::from_millis(300);
        while let Ok(stream) = timeout(patience, TcpStream::connect(address)).await {
            waiting.push(stream.unwrap());
        }
        Self { address, seen: Arc::default(), task: None, _held: Box::new((listener, waiting)) }
    }

    fn serving(serve: impl Fn(TcpStream, Record) -> Serving + Send + 'static) -> Self {
        let (socket, address) = bound();
        let listener = socket.listen(4_096).unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let all = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let number = {
                    let mut all = all.lock().unwrap();
                    all.push(Seen::default());
                    all.len() - 1
                };
                open.spawn(serve(stream, Record { all: Arc::clone(&all), number }));
            }
        });
        Self { address, seen, task: Some(task.abort_handle()), _held: Box::new(()) }
    }

    /// Its `ws` address.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The same with TLS, whether it speaks that or not; by name, as a certificate has it.
    pub(crate) fn secured_url(&self) -> String {
        format!("wss://localhost:{}", self.port())
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Every connection so far, in the order of their coming.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Messages received over all connections.
    pub(crate) fn received(&self) -> Count {
        let seen = self.seen.lock().unwrap();
        seen.iter().fold(Count::default(), |sum, seen| Count {
            messages: sum.messages + seen.received.messages,
            bytes: sum.bytes + seen.received.bytes,
        })
    }

    /// Waits until every connection has ended.
    pub(crate) async fn is_over(&self) {
        let is_over = || self.seen.lock().unwrap().iter().all(|seen| seen.is_over);
        until("the end of the backend's connections", PATIENCE, async || is_over().then_some(())).await;
    }

    /// The only connection as it was at its end.
    pub(crate) async fn only(&self) -> Seen {
        self.is_over().await;
        let [seen] = self.seen().try_into().unwrap();
        seen
    }
}

/// The head of a request, unless whoever asks leaves before its end.
async fn request_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut head).await, Ok(1..)) {
            return None;
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// Says 101, if whoever asks stays that long.
async fn accept(stream: &mut TcpStream) {
    let Some(request) = request_head(stream).await else { return };
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    );
    let _ = stream.write_all(head.as_bytes()).await;
}

/// One connection of the echo, to its end.
#[expect(clippy::result_large_err, reason = "the library's callback has this shape")]
async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, record: Record) {
    let small = 16 << 10;
    let config =
        WebSocketConfig::default().read_buffer_size(small).max_message_size(None).max_frame_size(None);
    let head = |request: &Request, response: Response| {
        record.note(|seen| seen.head = format!("{} {:?}", request.uri(), request.headers()));
        Ok::<_, ErrorResponse>(response)
    };
    let Ok(mut socket) = accept_hdr_async_with_config(stream, head, Some(config)).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        for answer in record.note(|seen| hear(message, seen)) {
            let data = (answer.is_text() || answer.is_binary()).then_some(answer.len());
            if socket.send(answer).await.is_err() {
                return;
            }
            record.note(|seen| data.into_iter().for_each(|bytes| seen.sent.add(bytes)));
        }
    }
}

/// Notes a message and answers what to send back.
fn hear(message: Message, seen: &mut Seen) -> Vec<Message> {
    if message.is_text() || message.is_binary() {
        seen.received.add(message.len());
    }
    match &message {
        Message::Text(text) => match text.split_once(' ') {
            Some(("close", rest)) => {
                let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                let code = code.parse::<u16>().unwrap().into();
                vec![Message::Close(Some(CloseFrame { code, reason: reason.into() }))]
            }
            Some(("say", rest)) => {
                let (count, padding) = rest.split_once(' ').unwrap_or((rest, ""));
                let text = |number| format!("{number} {padding}");
                (0..count.parse::<u32>().unwrap())
                    .map(|number| Message::text(text(number).trim_end()))
                    .collect()
            }
            Some(("hush", _)) => Vec::new(),
            _ => vec![message],
        },
        Message::Binary(_) => vec![message],
        Message::Ping(payload) => {
            seen.pings.push(payload.to_vec());
            Vec::new()
        }
        Message::Close(frame) => {
            let frame = frame.as_ref();
            seen.close =
                Some(frame.map_or((1005, String::new()), |it| (it.code.into(), it.reason.to_string())));
            Vec::new()
        }
        Message::Pong(_) | Message::Frame(_) => Vec::new(),
    }
}
