//! Handshakes that a gateway must refuse, in front of a backend that records what reaches it.
//!
//! Each is sent as it stands, with bytes behind it. A tunnel is counted where the client's bytes came to the backend or
//! the backend's to the client; bytes are those of a client that was at fault, or that followed a faulty answer. The first
//! handshake of a run is a good one and has to pass, so that nothing is refused for another reason.

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    client::Target,
    handshake::{accept_key, field, head_bytes},
};

/// Time for an answer; a gateway that is still silent then keeps the client waiting.
const PATIENCE: Duration = Duration::from_millis(800);
/// Time for the last bytes to reach the backend.
const SETTLE: Duration = Duration::from_millis(100);
/// What a client sends behind its handshake.
const BYTES: &[u8] = b"HELLO";
/// How the recorder answers in a tunnel.
const ECHOED: &[u8] = b"RAW:";
/// A request that nobody may make, hidden in a body.
const HIDDEN: &str = "GET /secret/a HTTP/1.1\r\nHost: gw.test\r\n\r\n";
/// The key of RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// What came of all of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Refused {
    pub(crate) sent: usize,
    pub(crate) tunnels: usize,
    pub(crate) bytes: usize,
}

/// Keeps what gateways forward.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Record>>);

#[derive(Default)]
struct Record {
    heads: usize,
    behind: usize,
}

/// A handshake; the default is a good one.
#[derive(Clone)]
struct Ask {
    method: &'static str,
    path: &'static str,
    http: &'static str,
    host: &'static str,
    upgrade: Option<&'static str>,
    connection: Option<&'static str>,
    key: Option<&'static str>,
    version: Option<&'static str>,
    fields: String,
    line_end: &'static str,
    body: &'static str,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            method: "GET",
            path: "/ok101",
            http: "HTTP/1.1",
            host: "Host: gw.test\r\n",
            upgrade: Some("websocket"),
            connection: Some("Upgrade"),
            key: Some(KEY),
            version: Some("13"),
            fields: String::new(),
            line_end: "\r\n",
            body: "",
        }
    }
}

/// A good client, and a backend that is not.
fn of_backends() -> [Ask; 3] {
    ["/noacc", "/badacc", "/h2c"].map(|path| Ask { path, ..Ask::default() })
}

/// A client that is at fault.
fn of_clients() -> Vec<Ask> {
    let good = Ask::default;
    let with = |fields: &str| Ask { fields: fields.to_owned(), ..Ask::default() };
    let hidden_bytes = HIDDEN.len();
    vec![
        Ask {
            path: "/h2c",
            upgrade: Some("h2c"),
            connection: Some("Upgrade, HTTP2-Settings"),
            key: None,
            version: None,
            ..with("HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n")
        },
        Ask { method: "POST", body: "12345", ..with("Content-Length: 5\r\n") },
        Ask { body: HIDDEN, ..with(&format!("Content-Length: {hidden_bytes}\r\n")) },
        Ask { body: "0\r\n\r\n", ..with("Transfer-Encoding: chunked\r\n") },
        Ask { key: None, ..good() },
        Ask { key: Some("YWJj"), ..good() },
        with("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"),
        Ask { version: None, ..good() },
        Ask { version: Some("777"), ..good() },
        Ask { http: "HTTP/1.0", ..good() },
        Ask { host: "Host: gw.test\r\nHost: evil.test\r\n", ..good() },
        Ask { host: "", ..good() },
        with("X-A: b\r\n c\r\n"),
        with("X-A : b\r\n"),
        Ask { line_end: "\n", ..good() },
        Ask {
            method: "POST",
            upgrade: None,
            connection: Some("keep-alive"),
            body: "0\r\n\r\nGET /secret/a HTTP/1.1\r\nHost: gw.test\r\n\r\n",
            ..with("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")
        },
        with("X-A: b\0c\r\n"),
        with("X-A: b\rX-B: c\r\n"),
        with(&format!("X-A: {}\r\n", "a".repeat(64 << 10))),
        with(&(0..1_000).map(|number| format!("X-{number}: a\r\n")).collect::<Vec<_>>().concat()),
        Ask { connection: Some("keep-alive"), ..good() },
        with(": x\r\n"),
        with("Content-Length: +0\r\n"),
    ]
}

impl Ask {
    fn bytes(&self, base: &str, token: &str) -> Vec<u8> {
        let Self { method, path, http, host, fields, body, .. } = self;
        let mut head = format!("{method} {base}{path} {http}\r\n{host}");
        for (name, value) in [
            ("Upgrade", self.upgrade),
            ("Connection", self.connection),
            ("Sec-WebSocket-Key", self.key),
            ("Sec-WebSocket-Version", self.version),
        ] {
            head.extend(value.map(|value| format!("{name}: {value}\r\n")));
        }
        if !token.is_empty() {
            head.extend(["Authorization: Bearer ", token, "\r\n"]);
        }
        head.push_str(fields);
        head.push_str("\r\n");
        let mut bytes = head.replace("\r\n", self.line_end).into_bytes();
        bytes.extend_from_slice(body.as_bytes());
        bytes
    }
}

/// Sends all of them to a gateway in front of this recorder.
pub(crate) fn run(target: &Target, token: &str, recorder: &Recorder) -> Result<Refused> {
    let base = target.path().trim_end_matches('/');
    let sent = |ask: &Ask| -> Result<(bool, Record)> {
        recorder.taken();
        let is_tunnel = exchange(target.address(), &ask.bytes(base, token))?;
        thread::sleep(SETTLE);
        let record = recorder.taken();
        Ok((is_tunnel || record.behind > 0, record))
    };
    let (is_tunnel, _) = sent(&Ask::default())?;
    ensure!(is_tunnel, "a good handshake does not pass, so refusals say nothing");
    let mut refused = Refused::default();
    for (asks, is_client_at_fault) in [(of_backends().to_vec(), false), (of_clients(), true)] {
        for ask in asks {
            let (is_tunnel, record) = sent(&ask)?;
            refused.sent += 1;
            refused.tunnels += usize::from(is_tunnel);
            refused.bytes += record.behind + if is_client_at_fault { record.heads } else { 0 };
        }
    }
    Ok(refused)
}

/// Sends a handshake and bytes behind it; answers whether the backend's echo of them came back.
fn exchange(to: SocketAddr, handshake: &[u8]) -> Result<bool> {
    let mut socket = TcpStream::connect(to).context("the gateway takes no connection")?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut heard = Vec::new();
    for sent in [handshake, BYTES] {
        // A gateway may hang up before it has read all: that is a refusal too.
        if socket.write_all(sent).is_err() {
            break;
        }
        let mut piece = [0; 16 << 10];
        match socket.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => heard.extend_from_slice(&piece[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    Ok(heard.windows(ECHOED.len()).any(|window| window == ECHOED))
}

impl Recorder {
    /// Starts one on a free port; it ends with the process.
    pub(crate) fn start() -> Result<(Self, SocketAddr)> {
        let recorder = Self::default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let all = recorder.clone();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let recorder = all.clone();
                // A connection that fails has brought what it brought.
                thread::spawn(move || recorder.serve(socket));
            }
        });
        Ok((recorder, address))
    }

    /// What was recorded since the last time.
    fn taken(&self) -> Record {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, heads: usize, behind: usize) {
        let mut record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        record.heads += heads;
        record.behind += behind;
    }

    fn serve(&self, mut socket: TcpStream) -> io::Result<()> {
        let (mut bytes, mut piece) = (Vec::new(), vec![0; 64 << 10]);
        let length = loop {
            if let Some(length) = head_bytes(&bytes) {
                break length;
            }
            match socket.read(&mut piece)? {
                0 => return Ok(()),
                read => bytes.extend_from_slice(&piece[..read]),
            }
        };
        self.note(length, 0);
        let head = String::from_utf8_lossy(&bytes[..length]).into_owned();
        let Some(answer) = answer(&head) else {
            return socket
                .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        };
        socket.write_all(answer.as_bytes())?;
        let body = body_bytes(&head, &bytes[length..]);
        self.note(body, 0);
        let mut behind = bytes.split_off(length + body);
        loop {
            if !behind.is_empty() {
                self.note(0, behind.len());
                socket.write_all(&[ECHOED, &behind].concat())?;
            }
            match socket.read(&mut piece)? {
                0 => return Ok(()),
                read => behind = piece[..read].to_vec(),
            }
        }
    }
}

/// How much of what came with a head is its body, which is no part of a tunnel.
fn body_bytes(head: &str, behind: &[u8]) -> usize {
    const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
    if field(head, "transfer-encoding").is_some() {
        let end = behind.windows(LAST_CHUNK.len()).position(|window| window == LAST_CHUNK);
        return end.map_or(0, |end| end + LAST_CHUNK.len());
    }
    let length = field(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    behind.len().min(length)
}

/// What a path of the recorder answers.
fn answer(head: &str) -> Option<String> {
    let path = head.split(' ').nth(1)?;
    let protocol = if path.ends_with("/h2c") { "h2c" } else { "websocket" };
    let right = accept_key(field(head, "sec-websocket-key").unwrap_or_default());
    let accept = match path.rsplit('/').next()? {
        // The last one is asked for by who waits for the gateway to come up.
        "ok101" | "" => Some(right.as_str()),
        "badacc" => Some("AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        "noacc" | "h2c" => None,
        _ => return None,
    };
    let accept = accept.map(|accept| format!("Sec-WebSocket-Accept: {accept}\r\n")).unwrap_or_default();
    Some(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: {protocol}\r\nConnection: Upgrade\r\n{accept}\r\n"
    ))
}
