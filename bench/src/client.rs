//! Clients of a gateway, many on one thread: opened a few at a time, then told of every piece that arrives.
//!
//! A client that is refused or lost ends the measurement: a figure without it would be of something else. What the
//! pieces mean is for who measures to know.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use mio::{Events, Interest, Poll, Registry, Token};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use url::Url;

use crate::{
    frame::{self, Key},
    handshake,
    stream::Stream,
};

/// Handshakes under way at once.
const OPENING_MAX: usize = 64;
/// Time to open all.
const OPEN_WITHIN: Duration = Duration::from_mins(2);
/// Events taken at once.
const EVENTS_MAX: usize = 1_024;
/// Read at once.
const BUFFER_BYTES: usize = 256 << 10;
/// Addresses that clients come from, beginning with 127.0.0.2: many from one would use up its ports, or a gateway's
/// patience with one address.
const SOURCES: u32 = 32;

/// Where clients connect to, and what they say first.
pub(crate) struct Target {
    address: SocketAddr,
    host: String,
    path: String,
    tls: Option<Arc<ClientConfig>>,
    /// What is sent, in turn.
    requests: Vec<Vec<u8>>,
}

/// One client, from its first byte.
pub(crate) struct Client {
    pub(crate) stream: Stream,
    /// The answer to its handshake until it is whole; `None` when the session is open.
    answer: Option<Vec<u8>>,
}

/// Clients on one event loop.
pub(crate) struct Clients {
    poll: Poll,
    events: Events,
    buffer: Box<[u8]>,
    all: Vec<Client>,
}

impl Target {
    /// An address on this machine; `wss://` needs to know whom to trust.
    pub(crate) fn new(url: &str, tls: Option<Arc<ClientConfig>>) -> Result<Self> {
        let url = Url::parse(url).with_context(|| format!("“{url}” is not an address"))?;
        let tls = match (url.scheme(), tls) {
            ("ws", _) => None,
            ("wss", Some(tls)) => Some(tls),
            _ => bail!("{url} is neither ws:// nor a wss:// whose certificate is known"),
        };
        let (name, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80));
        let found = (name.trim_matches(['[', ']']), port).to_socket_addrs();
        let mut found: Vec<_> = found.with_context(|| format!("{name} has no address"))?.collect();
        found.sort_by_key(SocketAddr::is_ipv6);
        let address = found.into_iter().find(|address| address.ip().is_loopback());
        let address =
            address.with_context(|| format!("{name} is not this machine; only loopback is loaded"))?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let (host, path) = (format!("{name}:{port}"), format!("{}{query}", url.path()));
        let requests = vec![handshake::request(&path, &host, "")];
        Ok(Self { address, host, path, tls, requests })
    }

    /// The same with access tokens, one client after another showing the next.
    pub(crate) fn with_tokens<'t>(mut self, tokens: impl IntoIterator<Item = &'t str>) -> Self {
        let field = |token: &str| format!("Authorization: Bearer {token}\r\n");
        self.requests = tokens
            .into_iter()
            .map(|token| handshake::request(&self.path, &self.host, &field(token)))
            .collect();
        self
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The path of the session, with its query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Begins a session, the one of this number.
    pub(crate) fn begin(&self, number: usize, registry: &Registry, token: Token) -> Result<Client> {
        let begun = || -> io::Result<Stream> {
            let source = Ipv4Addr::new(127, 0, 0, 2).to_bits() + u32::try_from(number).unwrap_or(0) % SOURCES;
            let mut stream = Stream::connect(self.address, Some(source.into()))?;
            if let Some(tls) = &self.tls {
                let name = self.host.rsplit_once(':').map_or("", |(name, _)| name).to_owned();
                stream.encrypt(tls, ServerName::try_from(name).map_err(io::Error::other)?)?;
            }
            let both = Interest::READABLE | Interest::WRITABLE;
            registry.register(&mut stream.socket, token, both)?;
            stream.send(&self.requests[number % self.requests.len()])?;
            Ok(stream)
        };
        let stream = begun().with_context(|| format!("session {number}"))?;
        Ok(Client { stream, answer: Some(Vec::new()) })
    }
}

impl Client {
    /// Whether its handshake is done.
    pub(crate) fn is_open(&self) -> bool {
        self.answer.is_none()
    }

    /// Takes what arrived for the handshake; answers what lies behind it.
    pub(crate) fn opening<'b>(&mut self, bytes: &'b [u8]) -> io::Result<&'b [u8]> {
        let Some(answer) = &mut self.answer else { return Ok(bytes) };
        let before = answer.len();
        answer.extend_from_slice(bytes);
        let Some(length) = handshake::opened(answer)? else { return Ok(&[]) };
        self.answer = None;
        Ok(&bytes[length - before..])
    }
}

impl Clients {
    /// Opens so many sessions.
    pub(crate) fn open(target: &Target, count: usize) -> Result<Self> {
        let mut clients = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_MAX),
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            all: Vec::with_capacity(count),
        };
        let deadline = Instant::now() + OPEN_WITHIN;
        loop {
            let open = clients.all.iter().filter(|client| client.is_open()).count();
            if open == count {
                return Ok(clients);
            }
            ensure!(Instant::now() < deadline, "only {open} of {count} sessions opened");
            while clients.all.len() < count && clients.all.len() - open < OPENING_MAX {
                let number = clients.all.len();
                clients.all.push(target.begin(number, clients.poll.registry(), Token(number))?);
            }
            let patience = Some(Duration::from_millis(100));
            clients.turn(patience, |_, _, _| bail!("a message came before one was sent"))?;
        }
    }

    /// Where something else can be made to wake [`Clients::turn`], under a token above all places.
    pub(crate) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The stream of one.
    pub(crate) fn stream(&mut self, place: usize) -> &mut Stream {
        &mut self.all[place].stream
    }

    /// Waits for something to happen, at most so long. `heard` gets what arrived for the client of a place, and the
    /// stream to answer on.
    pub(crate) fn turn(
        &mut self,
        patience: Option<Duration>,
        mut heard: impl FnMut(usize, &[u8], &mut Stream) -> Result<()>,
    ) -> Result<()> {
        match self.poll.poll(&mut self.events, patience) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &self.events {
            let place = event.token().0;
            let Some(client) = self.all.get_mut(place) else { continue };
            let session = || format!("session {place}");
            let has_ended = client.stream.may_end;
            match client.stream.flush() {
                Err(_) if has_ended => continue,
                flushed => flushed.with_context(session)?,
            }
            loop {
                let read = match client.stream.read(&mut self.buffer) {
                    Ok(None) => break,
                    Ok(Some(0)) | Err(_) if client.stream.may_end => break,
                    read => read.with_context(session)?.unwrap_or_default(),
                };
                ensure!(read > 0, "session {place} was ended without a Close");
                let bytes = client.opening(&self.buffer[..read]).with_context(session)?;
                if !bytes.is_empty() {
                    heard(place, bytes, &mut client.stream).with_context(session)?;
                }
                if client.stream.is_drained(read, self.buffer.len()) && !event.is_read_closed() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Ends all of them at once.
    pub(crate) fn abort(self) {
        self.all.into_iter().for_each(|client| client.stream.abort());
    }
}

/// Masks: xorshift64*, since nothing here needs a secret, only what differs from frame to frame.
pub(crate) struct Keys(u64);

impl Default for Keys {
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl Keys {
    /// The next mask.
    pub(crate) fn next(&mut self) -> Key {
        let [.., a, b, c, d] = self.number().to_le_bytes();
        [a, b, c, d]
    }

    /// The next number in 0..1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
    pub(crate) fn fraction(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A whole frame as a client sends it.
    pub(crate) fn framed(&mut self, opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(payload.len() + 14);
        frame::append(&mut bytes, opcode, Some(self.next()), payload);
        bytes
    }
}
