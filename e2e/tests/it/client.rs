//! WebSocket clients: the handshake written by hand, so that a refusal is read to its last byte, and behind it either
//! a library's frames ([`Client`]) or bytes as a test wants them ([`Raw`]). It counts what it sends and gets.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{CloseFrame, Role, WebSocketConfig},
    },
};

use crate::{
    portal::{Count, problem},
    wait::{PATIENCE, within},
};

/// What asks for an upgrade, with the key of RFC 6455, section 1.3.
const UPGRADE: [&str; 4] = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];
/// What its example says must be answered.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A byte stream of any kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A handshake to be made.
#[derive(Clone)]
pub(crate) struct Opening {
    url: String,
    method: &'static str,
    target: Option<String>,
    headers: Vec<(String, String)>,
    is_upgrade: bool,
    trust: Option<Arc<ClientConfig>>,
    socket: Option<PathBuf>,
    first: Vec<u8>,
}

/// The answer to a handshake.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    /// What came behind the head.
    rest: Vec<u8>,
    stream: Box<dyn Stream>,
}

/// A refused handshake.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) text: String,
}

impl Opening {
    /// A plain WebSocket handshake with this URL, `ws` or `wss`.
    pub(crate) fn to(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            method: "GET",
            target: None,
            headers: Vec::new(),
            is_upgrade: true,
            trust: None,
            socket: None,
            first: Vec::new(),
        }
    }

    /// The token in the header.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// The token in the query.
    pub(crate) fn in_query(mut self, token: &str) -> Self {
        let sign = if self.url.contains('?') { '&' } else { '?' };
        self.url = format!("{}{sign}access_token={token}", self.url);
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    /// Sends this as the request's target instead of the URL's.
    pub(crate) fn target(mut self, target: &str) -> Self {
        self.target = Some(target.to_owned());
        self
    }

    /// Without anything that asks for an upgrade.
    pub(crate) fn no_upgrade(mut self) -> Self {
        self.is_upgrade = false;
        self
    }

    /// Whom to trust for `wss`.
    pub(crate) fn trust(mut self, trust: Arc<ClientConfig>) -> Self {
        self.trust = Some(trust);
        self
    }

    /// Connects to this socket of a proxy instead of the URL's host.
    pub(crate) fn through(mut self, socket: PathBuf) -> Self {
        self.socket = Some(socket);
        self
    }

    /// Sends these bytes before everything else.
    pub(crate) fn behind(mut self, first: &[u8]) -> Self {
        self.first = first.to_vec();
        self
    }

    /// Sends the handshake and reads the head of the answer.
    pub(crate) async fn answered(&self) -> Answered {
        within("the answer to a handshake", PATIENCE, self.exchange()).await
    }

    /// Opens the WebSocket.
    pub(crate) async fn open(&self) -> Client {
        self.answered().await.client().await
    }

    /// The refusal, which must come.
    pub(crate) async fn refused(&self) -> Refused {
        let Answered { status, headers, mut rest, mut stream } = self.answered().await;
        assert_ne!(status, 101, "it was not refused");
        let len: usize = headers["content-length"].parse().unwrap();
        while rest.len() < len {
            assert_ne!(stream.read_buf(&mut rest).await.unwrap(), 0, "the body broke off");
        }
        Refused { status, headers, text: String::from_utf8(rest).unwrap() }
    }

    /// Whether the connection ends without an answer, which it must where this is asked.
    pub(crate) async fn is_dropped(&self) -> bool {
        let mut stream = within("the handshake is sent", PATIENCE, self.ask()).await;
        let mut answer = Vec::new();
        // The end may be a reset.
        let _ = within("the connection's end", PATIENCE, stream.read_to_end(&mut answer)).await;
        answer.is_empty()
    }

    async fn exchange(&self) -> Answered {
        read_head(self.ask().await).await
    }

    async fn ask(&self) -> Box<dyn Stream> {
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let (authority, path) = rest.split_once('/').unwrap();
        let mut stream = self.connect(scheme, authority).await;
        let target = self.target.clone().unwrap_or_else(|| format!("/{path}"));
        let mut head = vec![format!("{} {target} HTTP/1.1", self.method), format!("Host: {authority}")];
        if self.is_upgrade {
            head.extend(UPGRADE.map(str::to_owned));
        }
        head.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        stream.write_all((head.join("\r\n") + "\r\n\r\n").as_bytes()).await.unwrap();
        stream
    }

    async fn connect(&self, scheme: &str, authority: &str) -> Box<dyn Stream> {
        let mut stream: Box<dyn Stream> = if let Some(socket) = &self.socket {
            Box::new(UnixStream::connect(socket).await.unwrap())
        } else {
            let stream = TcpStream::connect(authority).await.unwrap();
            stream.set_nodelay(true).unwrap();
            Box::new(stream)
        };
        stream.write_all(&self.first).await.unwrap();
        if scheme == "ws" {
            return stream;
        }
        let trust = self.trust.clone().expect("wss needs someone to trust");
        let host = authority.split(':').next().unwrap().to_owned();
        let name = ServerName::try_from(host).unwrap();
        Box::new(TlsConnector::from(trust).connect(name, stream).await.unwrap())
    }
}

async fn read_head(mut stream: Box<dyn Stream>) -> Answered {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let read = stream.read_buf(&mut bytes).await.unwrap();
        assert_ne!(read, 0, "no answer, only {:?}", String::from_utf8_lossy(&bytes));
    };
    let rest = bytes.split_off(end + 4);
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
    Answered { status, headers, rest, stream }
}

impl Answered {
    /// The open WebSocket.
    pub(crate) async fn client(self) -> Client {
        let Raw { stream, unread } = self.raw().await;
        let small = 16 << 10;
        let config =
            WebSocketConfig::default().read_buffer_size(small).max_message_size(None).max_frame_size(None);
        let socket = WebSocketStream::from_partially_read(stream, unread, Role::Client, Some(config)).await;
        Client { socket, sent: Count::default(), received: Count::default() }
    }

    /// The open connection, byte by byte.
    pub(crate) async fn raw(mut self) -> Raw {
        if self.status != 101 {
            // The body says why; it ends with the connection.
            let _ = self.stream.read_to_end(&mut self.rest).await;
            panic!("refused with {}: {}", self.status, String::from_utf8_lossy(&self.rest));
        }
        assert_eq!(self.headers["sec-websocket-accept"], ACCEPT);
        Raw { stream: self.stream, unread: self.rest }
    }
}

impl Refused {
    /// Checks the problem document and answers the last word of its type.
    pub(crate) fn problem(&self) -> String {
        problem(self.status, &self.headers["content-type"], &self.text)
    }
}

/// An open WebSocket.
pub(crate) struct Client {
    socket: WebSocketStream<Box<dyn Stream>>,
    /// Data messages sent, and received.
    pub(crate) sent: Count,
    pub(crate) received: Count,
}

impl Client {
    /// Sends a message; answers whether the connection took it.
    pub(crate) async fn tries(&mut self, message: Message) -> bool {
        let data = message.is_text() || message.is_binary();
        let len = message.len();
        let taken =
            within("the connection takes a message", PATIENCE, self.socket.send(message)).await.is_ok();
        if data && taken {
            self.sent.add(len);
        }
        taken
    }

    pub(crate) async fn send(&mut self, message: Message) {
        assert!(self.tries(message).await, "the connection is gone");
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    /// The next message; `None` where the connection ended without a Close.
    pub(crate) async fn hears(&mut self, patience: Duration) -> Option<Message> {
        let message = within("a message", patience, self.socket.next()).await?.ok()?;
        if message.is_text() || message.is_binary() {
            self.received.add(message.len());
        }
        Some(message)
    }

    /// The next message, which must come.
    pub(crate) async fn next(&mut self) -> Message {
        self.hears(PATIENCE).await.expect("the connection is gone")
    }

    /// Sends a text, which must come back.
    pub(crate) async fn echo(&mut self, text: &str) {
        self.text(text).await;
        assert_eq!(self.next().await, Message::text(text));
    }

    /// Reads to the Close, and says what it said; `None` where the connection ended without one.
    pub(crate) async fn hears_close(&mut self, patience: Duration) -> Option<(u16, String)> {
        let close = within("a Close", patience, async {
            loop {
                if let Message::Close(frame) = self.hears(patience).await? {
                    return Some(frame);
                }
            }
        });
        let frame = close.await?;
        Some(frame.map_or((1005, String::new()), |frame| (frame.code.into(), frame.reason.to_string())))
    }

    /// Answers a Close that was heard, and reads to the end of the connection.
    pub(crate) async fn ends(&mut self) {
        within("the end of the connection", PATIENCE, async { while self.socket.next().await.is_some() {} })
            .await;
    }

    /// The Close, its answer, and the end of the connection.
    pub(crate) async fn closed_within(&mut self, patience: Duration) -> Option<(u16, String)> {
        let close = self.hears_close(patience).await?;
        self.ends().await;
        Some(close)
    }

    /// See [`Self::closed_within`]; the Close must come.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        self.closed_within(PATIENCE).await.expect("a Close, and not the bare end of the connection")
    }

    /// Says goodbye with this code and reason, and answers what comes back.
    pub(crate) async fn close_with(&mut self, code: u16, reason: &str) -> (u16, String) {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        self.send(Message::Close(Some(frame))).await;
        self.closed().await
    }

    /// Says goodbye as a well-behaved client does.
    pub(crate) async fn leave(mut self) -> (Count, Count) {
        assert_eq!(self.close_with(1000, "").await.0, 1000);
        (self.sent, self.received)
    }
}

/// An open connection, byte by byte.
pub(crate) struct Raw {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
}

/// A frame as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// FIN, reserved bits and opcode.
    pub(crate) first: u8,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// Code and reason of a Close.
    pub(crate) fn close(&self) -> (u16, &str) {
        assert_eq!(self.first, 0x88, "not a Close: {self:?}");
        (u16::from_be_bytes([self.payload[0], self.payload[1]]), str::from_utf8(&self.payload[2..]).unwrap())
    }
}

impl Raw {
    /// Sends bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        within("the connection takes bytes", PATIENCE, self.stream.write_all(bytes)).await.unwrap();
    }

    /// The next frame; `None` at the end of the connection.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        within("a frame", PATIENCE, async {
            loop {
                if let Some((frame, len)) = parse(&self.unread) {
                    self.unread.drain(..len);
                    return Some(frame);
                }
                if !matches!(self.stream.read_buf(&mut self.unread).await, Ok(1..)) {
                    return None;
                }
            }
        })
        .await
    }

    /// The connection ends without another frame.
    pub(crate) async fn is_over(&mut self) {
        assert_eq!(self.frame().await, None);
    }
}

/// A masked frame, as clients send them (RFC 6455, section 5.2).
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x12, 0x34, 0x56, 0x78];
    let mut bytes = vec![first];
    match payload.len() {
        len @ ..=125 => bytes.push(0x80 | u8::try_from(len).unwrap()),
        len => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&key);
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// The first frame of unmasked bytes and its length, if it is whole.
fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let [first, second] = *bytes.first_chunk()?;
    assert_eq!(second & 0x80, 0, "a frame for a client is not masked");
    let (start, len) = match second {
        126 => (4, u16::from_be_bytes(*bytes[2..].first_chunk()?).into()),
        127 => (10, usize::try_from(u64::from_be_bytes(*bytes[2..].first_chunk()?)).unwrap()),
        len => (2, len.into()),
    };
    let payload = bytes.get(start..start + len)?.to_vec();
    Some((Frame { first, payload }, start + len))
}
