//! *Test endpoint*: the steps of a dial, one by one, told to a person.
//!
//! They are the steps of `dial.rs`, with the same rules and time limits, so that what works here works for a session.
//! At the end a Ping goes to the backend and its Pong is awaited. It does not know APIs.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tidegate_model::{
    endpoint::{Credential, Endpoint},
    port::{ProbeReport, ProbeRequest, ProbeStep, ProbeStepReport},
};
use tidegate_wire::{
    frame::{Opcode, scan},
    mask,
};
use tokio::{
    io::AsyncReadExt as _,
    time::{self, timeout},
};

use crate::{
    Inner,
    dial::{Asker, Backend, DialError, Tail, Target, connect_timeout},
    refusal::sentence,
};

/// What the Ping carries; a Pong brings it back (RFC 6455 section 5.5.3).
const PING_PAYLOAD: &[u8; 8] = b"tidegate";
/// Bytes read while a Pong is awaited: a backend that talks first is let talk a while.
const PONG_WITHIN_BYTES: usize = 256 * 1024;

/// The report while it is written.
struct Report {
    steps: Vec<ProbeStepReport>,
    since: Instant,
}

impl Report {
    fn new() -> Self {
        Self { steps: Vec::new(), since: Instant::now() }
    }

    fn note(&mut self, step: ProbeStep, ok: bool, detail: String) {
        let now = Instant::now();
        let micros = u64::try_from((now - self.since).as_micros()).unwrap_or(u64::MAX);
        self.since = now;
        self.steps.push(ProbeStepReport { step, ok, micros, detail });
    }

    fn passed(&mut self, step: ProbeStep, detail: impl Into<String>) {
        self.note(step, true, detail.into());
    }

    fn failed(mut self, step: ProbeStep, error: DialError, advice: impl Into<String>) -> ProbeReport {
        self.note(step, false, sentence(&error.to_string()));
        ProbeReport { steps: self.steps, advice: Some(advice.into()) }
    }
}

/// Tries the endpoint.
pub(crate) async fn run(inner: &Inner, request: &ProbeRequest) -> ProbeReport {
    let endpoint = &request.endpoint;
    let mut report = Report::new();
    let target = match Target::parse(&endpoint.url) {
        Ok(target) => target,
        Err(error) => {
            return report.failed(ProbeStep::Parse, error, "Enter an address like ws://host:port/path.");
        }
    };
    report.passed(ProbeStep::Parse, format!("Understood: {} {}.", target.url.scheme(), target.place()));
    let shown = match inner.dialler.shown(&endpoint.credential).await {
        Ok(shown) => shown,
        Err(error) => return report.failed(ProbeStep::Credential, error, advice(error, &target, endpoint)),
    };
    let has_token = matches!(*endpoint.credential, Credential::OAuth { .. });
    if has_token {
        report.passed(ProbeStep::Credential, "The authorization server gave a token.");
    }
    let deadline = time::Instant::now() + connect_timeout(endpoint);
    let addresses = match time::timeout_at(deadline, inner.dialler.resolve(&target)).await {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => return report.failed(ProbeStep::Resolve, error, advice(error, &target, endpoint)),
        Err(_) => {
            let error = DialError::ConnectTimeout;
            return report.failed(
                ProbeStep::Resolve,
                error,
                "Names are looked up too slowly; look at the name server.",
            );
        }
    };
    report.passed(ProbeStep::Resolve, format!("Found {}.", listed(&addresses)));
    let stream = match inner.dialler.connect(&addresses, deadline).await {
        Ok((stream, address)) => {
            report.passed(ProbeStep::Connect, format!("Connected to {address}."));
            stream
        }
        Err(error) => return report.failed(ProbeStep::Connect, error, advice(error, &target, endpoint)),
    };
    let stream = match inner.dialler.secure(endpoint, &target, stream).await {
        Ok(stream) => stream,
        Err(error) => return report.failed(ProbeStep::Tls, error, advice(error, &target, endpoint)),
    };
    if target.is_tls && endpoint.tls.verify {
        report.passed(ProbeStep::Tls, "TLS is established and the certificate is trusted.");
    } else if target.is_tls {
        report.passed(
            ProbeStep::Tls,
            "TLS is established; the certificate was not checked, as the endpoint says.",
        );
    }
    let instance = inner.next_id(0).to_string();
    let asker = Asker { request: None, client: None, proto: "http", instance: &instance, passing: None };
    let tail = Tail::default();
    let asked = inner.dialler.ask(endpoint, &target, stream, &asker, &tail, shown.as_ref()).await;
    let asked = match asked {
        // A token that was kept may be refused; a session would then try a new one as well.
        Err(DialError::Refused { status: 401 }) if has_token => {
            inner.dialler.dial_one(&endpoint.url, endpoint, &asker, &tail).await
        }
        asked => asked,
    };
    let backend = match asked {
        Ok(backend) => backend,
        Err(error) => return report.failed(ProbeStep::Handshake, error, advice(error, &target, endpoint)),
    };
    report.passed(ProbeStep::Handshake, "The backend answered 101, with a correct accept key.");
    ping(inner, endpoint, backend, report).await
}

async fn ping(inner: &Inner, endpoint: &Endpoint, backend: Backend, mut report: Report) -> ProbeReport {
    let mut key = [0; 4];
    inner.entropy.fill(&mut key);
    let limit = Duration::from_millis(endpoint.handshake_timeout_ms.into());
    match timeout(limit, round_trip(backend, key)).await {
        Ok(true) => {
            report.passed(ProbeStep::Ping, "A Ping came back.");
            ProbeReport { steps: report.steps, advice: None }
        }
        Ok(false) => {
            let advice =
                "The handshake works, so sessions will open; look at the backend's log for why it hung up.";
            report.failed(ProbeStep::Ping, DialError::Gone, advice)
        }
        Err(_) => {
            let advice = "The handshake works, so sessions will open; a backend should answer a Ping with a Pong \
                          (RFC 6455, section 5.5.2).";
            report.failed(ProbeStep::Ping, DialError::HandshakeTimeout, advice)
        }
    }
}

/// Whether a Pong came before the stream ended.
async fn round_trip(backend: Backend, key: mask::Key) -> bool {
    let Backend { mut stream, early: mut bytes, .. } = backend;
    let mut payload = *PING_PAYLOAD;
    mask::apply(key, &mut payload);
    let mut frame = [0; 14];
    frame[..2].copy_from_slice(&[0x89, 0x88]);
    frame[2..6].copy_from_slice(&key);
    frame[6..].copy_from_slice(&payload);
    if stream.write_all_flushed(&frame).await.is_err() {
        return false;
    }
    let mut read = 0;
    loop {
        while let Ok(Some((header, len))) = scan(&bytes, false) {
            let payload = usize::try_from(header.payload_bytes).unwrap_or(usize::MAX);
            let end = len.saturating_add(payload);
            if header.opcode == Opcode::Pong && bytes.get(len..end) == Some(PING_PAYLOAD) {
                return true;
            }
            if header.opcode == Opcode::Close || end > bytes.len() {
                break;
            }
            bytes.drain(..end);
        }
        match stream.read_buf(&mut bytes).await {
            Ok(some @ 1..) if read + some <= PONG_WITHIN_BYTES => read += some,
            _ => return false,
        }
    }
}

fn listed(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ")
}

/// What to try next.
fn advice(error: DialError, target: &Target, endpoint: &Endpoint) -> String {
    let place = target.place();
    match error {
        DialError::BadUrl => "Enter an address like ws://host:port/path.".to_owned(),
        DialError::Forbidden => {
            "Link-local and metadata addresses, Tidegate's own listeners and what this machine's operator does not \
             allow are never dialled; enter the address of the backend itself."
                .to_owned()
        }
        DialError::Unresolved => "Check the spelling of the name, and whether this machine can look it up.".to_owned(),
        DialError::Unreachable => format!(
            "Check that the backend runs and listens on {place}, and that no firewall stands between.{}",
            if target.url.host_str() == Some("localhost") { " localhost is the machine Tidegate runs on." } else { "" }
        ),
        DialError::ConnectTimeout => format!(
            "Nothing answered within {} ms. Check address and port, or give it more time.",
            endpoint.connect_timeout_ms
        ),
        DialError::TlsTimeout => format!(
            "The connection is open, but TLS was not established within {} ms. Check that TLS is spoken there, or give \
             it more time.",
            endpoint.tls_timeout_ms
        ),
        DialError::Untrusted(why) => why.advice().to_owned(),
        DialError::BadTrust(which) => which.advice().to_owned(),
        DialError::NoToken(why) => why.advice(),
        DialError::HandshakeTimeout => format!(
            "The connection is open, but no answer came within {} ms. Check that a WebSocket backend listens there, \
             or give it more time.",
            endpoint.handshake_timeout_ms
        ),
        DialError::Refused { status: 401 | 403 } => match *endpoint.credential {
            Credential::None => "The backend asks for a credential of its own, or does not accept this origin. The \
                                 endpoint has no credential: set one."
                .to_owned(),
            _ => "The backend does not accept the endpoint's credential, or this origin.".to_owned(),
        },
        DialError::Refused { status: 404 } => "Check the path of the address.".to_owned(),
        DialError::Refused { .. } => {
            "An HTTP server answered, but not as a WebSocket backend. Check port and path.".to_owned()
        }
        DialError::Malformed => "Something answered that is not a WebSocket backend. Check port and path.".to_owned(),
        DialError::Gone => format!(
            "The connection was closed without an answer. {}",
            if target.is_tls {
                "Look at the backend's log; it may ask for a client certificate of ours."
            } else { "If the backend speaks TLS, use wss://." }
        ),
    }
}
