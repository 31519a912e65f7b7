//! Clients of a gateway, many on one thread: opened a few at a time, then told of every message that arrives.
//!
//! A client that is refused, closed or lost ends the measurement: a figure without it would be of something else.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use url::Url;

use crate::{
    frame::{self, Key},
    wire::{Scratch, Wire, accept_key, field, head_bytes},
};

/// Handshakes under way at once.
const OPENING_MAX: usize = 64;
/// Time to open all.
const OPEN_WITHIN: Duration = Duration::from_mins(2);
/// Events taken at once.
const EVENTS_MAX: usize = 1_024;
/// The key of every handshake: the backend's cost does not depend on it, and nobody caches these answers.
const HANDSHAKE_KEY: &str = "dGlkZWdhdGUtYmVuY2ghIQ==";

/// Where clients connect to, and what they say first.
pub(crate) struct Target {
    address: SocketAddr,
    request: Vec<u8>,
}

/// Clients on one event loop.
pub(crate) struct Clients {
    poll: Poll,
    events: Events,
    scratch: Scratch,
    all: Vec<Client>,
    keys: Keys,
}

struct Client {
    wire: Wire,
    is_open: bool,
}

impl Target {
    /// A `ws://` address on this machine, with a token if one is needed.
    pub(crate) fn new(url: &str, token: Option<&str>) -> Result<Self> {
        let url = Url::parse(url).with_context(|| format!("“{url}” is not an address"))?;
        ensure!(
            url.scheme() == "ws",
            "{url} does not begin with ws://; the measurement is of the relay, not of TLS"
        );
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80));
        let found = (host.trim_matches(['[', ']']), port).to_socket_addrs();
        let mut found: Vec<_> = found.with_context(|| format!("{host} has no address"))?.collect();
        found.sort_by_key(SocketAddr::is_ipv6);
        let address = found.into_iter().find(|address| address.ip().is_loopback());
        let address =
            address.with_context(|| format!("{host} is not this machine; only loopback is loaded"))?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let authorization =
            token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!(
            "GET {}{query} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {HANDSHAKE_KEY}\r\nSec-WebSocket-Version: 13\r\n{authorization}\r\n",
            url.path(),
        );
        Ok(Self { address, request: request.into_bytes() })
    }
}

impl Clients {
    /// Opens so many sessions.
    pub(crate) fn open(target: &Target, count: u32) -> Result<Self> {
        let count = usize::try_from(count)?;
        let mut opening = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_MAX),
            scratch: Scratch::default(),
            all: Vec::with_capacity(count),
            keys: Keys(0x9e37_79b9_7f4a_7c15),
        };
        let deadline = Instant::now() + OPEN_WITHIN;
        loop {
            let open = opening.all.iter().filter(|client| client.is_open).count();
            if open == count {
                return Ok(opening);
            }
            ensure!(Instant::now() < deadline, "only {open} of {count} sessions opened");
            while opening.all.len() < count && opening.all.len() - open < OPENING_MAX {
                opening.begin(target).with_context(|| format!("session {}", opening.all.len()))?;
            }
            opening
                .turn(Duration::from_millis(100), |_, _, _| bail!("a message came before one was sent"))?;
        }
    }

    fn begin(&mut self, target: &Target) -> io::Result<()> {
        let mut socket = TcpStream::connect(target.address)?;
        socket.set_nodelay(true)?;
        let token = Token(self.all.len());
        self.poll.registry().register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        let mut wire = Wire::new(socket);
        wire.send(&target.request)?;
        self.all.push(Client { wire, is_open: false });
        Ok(())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Sends a text message.
    pub(crate) fn send(&mut self, place: usize, payload: &[u8]) -> Result<()> {
        let mut bytes = Vec::with_capacity(payload.len() + 14);
        frame::append(&mut bytes, frame::TEXT, Some(self.keys.next()), payload);
        Ok(self.all[place].wire.send(&bytes)?)
    }

    /// Waits for something to happen, at most so long. `heard` gets a message with the place of its client, and may
    /// leave a payload to be sent by that client.
    pub(crate) fn turn(
        &mut self,
        patience: Duration,
        mut heard: impl FnMut(usize, &[u8], &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        let mut reply = Vec::new();
        for event in &self.events {
            let place = event.token().0;
            let keys = &mut self.keys;
            let Client { wire, is_open } = &mut self.all[place];
            let mut receive = || -> io::Result<bool> {
                wire.flush()?;
                wire.receive(&mut self.scratch, |bytes, out| {
                    let mut taken = 0;
                    if !*is_open {
                        let Some(length) = opened(bytes)? else { return Ok(0) };
                        *is_open = true;
                        taken = length;
                    }
                    while let Some(frame) = frame::first(&mut bytes[taken..]) {
                        match frame.first {
                            frame::CLOSE => return Err(closed(frame.payload)),
                            frame::PING => frame::append(out, frame::PONG, Some(keys.next()), frame.payload),
                            frame::PONG => {}
                            _ => {
                                reply.clear();
                                heard(place, frame.payload, &mut reply).map_err(io::Error::other)?;
                                if !reply.is_empty() {
                                    frame::append(out, frame::TEXT, Some(keys.next()), &reply);
                                }
                            }
                        }
                        taken += frame.bytes;
                    }
                    Ok(taken)
                })
            };
            let ended = receive().with_context(|| format!("session {place}"))?;
            ensure!(!ended, "session {place} was ended without a Close");
        }
        Ok(())
    }

    /// Ends all of them at once.
    pub(crate) fn abort(self) {
        self.all.into_iter().for_each(|client| client.wire.abort());
    }
}

/// The length of the answer's head, once it is there; anything but a good 101 is an error.
fn opened(bytes: &[u8]) -> io::Result<Option<usize>> {
    let Some(length) = head_bytes(bytes) else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..length]);
    let status = head.lines().next().unwrap_or_default();
    if !status.starts_with("HTTP/1.1 101") {
        let problem = String::from_utf8_lossy(&bytes[length..]);
        return Err(io::Error::other(format!("the handshake was refused: {status} {problem}")));
    }
    if field(&head, "sec-websocket-accept") != Some(&accept_key(HANDSHAKE_KEY)) {
        return Err(io::Error::other("the answer to the handshake has a wrong accept key"));
    }
    Ok(Some(length))
}

fn closed(payload: &[u8]) -> io::Error {
    let (code, reason) = payload.split_at(payload.len().min(2));
    let code = <[u8; 2]>::try_from(code).map_or(1_005, u16::from_be_bytes);
    io::Error::other(format!("closed with {code} {}", String::from_utf8_lossy(reason)))
}

/// Masks: xorshift64*, since nothing here needs a secret, only what differs from frame to frame.
struct Keys(u64);

impl Keys {
    fn next(&mut self) -> Key {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let [.., a, b, c, d] = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes();
        [a, b, c, d]
    }
}
