//! How soon sessions end that only listen, when what they live by ends: their tokens are revoked or expire, their
//! subscription is taken away, their API is blocked.
//!
//! Nobody says anything meanwhile, neither the clients nor the backend, so that no message can be what makes the gateway
//! look. The clock of a session runs from when the order was sent (for a token that expires: from its `exp`) until its
//! client has read the whole Close; that the gateway closes while it has not answered the order yet is not held against it,
//! nor counted for it. A session that is not closed, or for another reason, is a failure.

use std::{
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    client::{Clients, Keys, Target},
    frame::{self, CLOSE, HeaderReader, PING, PONG},
    histogram::Histogram,
    rest::Rest,
    stream::Stream,
    subject::{Developer, Subject},
};

/// Lifetime of the tokens that expire, the shortest that a key can have: every session has to be open within it.
const TOKEN_SECONDS: u64 = 60;
/// What was not closed by then, never is.
const CLOSED_WITHIN: Duration = Duration::from_secs(20);

/// What ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// All tokens of the key are revoked.
    Revoked,
    /// The token expires.
    Expired,
    /// The subscription is taken away.
    Unsubscribed,
    /// The API is blocked.
    Blocked,
}

/// What came of it.
pub(crate) struct Ended {
    /// From the order, or the end of the token, to the Close at the client.
    pub(crate) times: Histogram,
    /// From the order to its answer; `None`: nobody was asked.
    pub(crate) answered_in: Option<Duration>,
    /// Sessions that were closed before the order was answered.
    pub(crate) before_the_answer: usize,
}

/// One client while it listens.
#[derive(Default)]
struct Listener {
    reader: HeaderReader,
    /// The payload of the frame under way.
    frame: Option<(frame::Header, Vec<u8>)>,
}

/// When each was closed, and who was closed wrongly.
struct Heard {
    why: Why,
    all: Vec<Listener>,
    keys: Keys,
    closed: Vec<Instant>,
}

impl Why {
    /// The Close that says so: code, and word of the reason.
    const fn farewell(self) -> (u16, &'static str) {
        match self {
            Self::Revoked => (3000, "revoked"),
            Self::Expired => (3000, "expired"),
            Self::Unsubscribed => (3003, "subscription_ended"),
            Self::Blocked => (3003, "api_blocked"),
        }
    }

    fn order(self, rest: &mut Rest, developer: &Developer) -> Result<()> {
        let (method, path, body) = match self {
            Self::Revoked => ("DELETE", developer.tokens_path(), Value::Null),
            Self::Unsubscribed => ("DELETE", developer.subscription_path(), Value::Null),
            Self::Blocked => ("POST", developer.lifecycle_path(), serde_json::json!({ "event": "block" })),
            Self::Expired => return Ok(()),
        };
        rest.call(method, &path, &body).map(|_| ())
    }
}

/// Opens sessions of a developer of their own, ends what they live by, and waits for their Closes.
pub(crate) fn run(subject: &mut Subject, why: Why, sessions: usize) -> Result<Ended> {
    let developer = subject.developer((why == Why::Expired).then_some(TOKEN_SECONDS))?;
    let ended = subject.target_of(&developer).and_then(|(token, target)| {
        let rest = subject.rest()?;
        listen(rest, &developer, &token, &target, why, sessions)
    });
    // What was made goes away also when it failed.
    let rest = subject.rest()?;
    let gone = developer.clear(rest, why == Why::Blocked && ended.is_ok());
    let ended = ended?;
    gone.map(|()| ended)
}

fn listen(
    rest: &mut Rest,
    developer: &Developer,
    token: &str,
    target: &Target,
    why: Why,
    sessions: usize,
) -> Result<Ended> {
    let mut clients = Clients::open(target, sessions)?;
    let mut heard = Heard::new(why, sessions);
    let due = (why == Why::Expired).then(|| end_of(token)).transpose()?;
    ensure!(
        due.is_none_or(|due| due > Instant::now()),
        "{sessions} sessions did not open within the {TOKEN_SECONDS} s that a token lives"
    );
    // The connection to REST is there, so that it is no part of the time.
    rest.call("GET", "/settings", &Value::Null)?;
    let (began, answered) = thread::scope(|scope| -> Result<_> {
        let began = due.unwrap_or_else(Instant::now);
        let ordered = scope.spawn(move || why.order(rest, developer).map(|()| Instant::now()));
        let deadline = began + CLOSED_WITHIN;
        while heard.closed.len() < sessions {
            let now = Instant::now();
            ensure!(now < deadline, "only {} of {sessions} sessions were closed", heard.closed.len());
            clients.turn(Some(deadline - now), |place, bytes, stream| heard.hear(place, bytes, stream))?;
        }
        let Ok(answered) = ordered.join() else { bail!("the caller of REST panicked") };
        Ok((began, answered?))
    })?;
    clients.abort();
    let mut times = Histogram::default();
    for at in &heard.closed {
        ensure!(*at >= began, "a session was closed before its time");
        times.add(*at - began);
    }
    let before_the_answer = heard.closed.iter().filter(|at| **at <= answered).count();
    let answered_in = due.is_none().then(|| answered - began);
    Ok(Ended { times, answered_in, before_the_answer })
}

/// When a token expires, by the clock that measures.
fn end_of(token: &str) -> Result<Instant> {
    let claims = token.split('.').nth(1).context("the token is no JWT")?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?;
    let exp = claims["exp"].as_u64().context("the token says no end")?;
    let left = (UNIX_EPOCH + Duration::from_secs(exp)).duration_since(SystemTime::now());
    Ok(Instant::now() + left.context("the token has expired already")?)
}

impl Heard {
    fn new(why: Why, sessions: usize) -> Self {
        let mut all = Vec::new();
        all.resize_with(sessions, Listener::default);
        Self { why, all, keys: Keys::default(), closed: Vec::with_capacity(sessions) }
    }

    fn hear(&mut self, place: usize, mut bytes: &[u8], stream: &mut Stream) -> Result<()> {
        let listener = &mut self.all[place];
        loop {
            let Some((header, payload)) = &mut listener.frame else {
                let Some(header) = listener.reader.take(&mut bytes) else { return Ok(()) };
                ensure!(header.is_control(), "a message came where nobody speaks");
                listener.frame = Some((header, Vec::new()));
                continue;
            };
            let (piece, rest) = bytes.split_at(bytes.len().min(header.payload_bytes - payload.len()));
            payload.extend_from_slice(piece);
            bytes = rest;
            if payload.len() < header.payload_bytes {
                return Ok(());
            }
            let Some((header, payload)) = listener.frame.take() else { return Ok(()) };
            match header.opcode() {
                PING => stream.send(&self.keys.framed(PONG, &payload))?,
                CLOSE => {
                    is_said(self.why, &payload)?;
                    self.closed.push(Instant::now());
                    stream.send(&self.keys.framed(CLOSE, &payload[..2]))?;
                    stream.may_end = true;
                }
                _ => {}
            }
        }
    }
}

/// Whether a Close says what has ended.
fn is_said(why: Why, payload: &[u8]) -> Result<()> {
    let (code, word) = why.farewell();
    let said = payload.split_at_checked(2).and_then(|(said, reason)| {
        let reason: Value = serde_json::from_slice(reason).ok()?;
        Some(u16::from_be_bytes([said[0], said[1]]) == code && reason["reason"] == word)
    });
    ensure!(said == Some(true), "closed by {:?} and not by {code} {word}", String::from_utf8_lossy(payload));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_close_that_says_why_is_one() {
        let close = |code: u16, reason: &str| [&code.to_be_bytes()[..], reason.as_bytes()].concat();
        assert!(is_said(Why::Revoked, &close(3000, r#"{"reason":"revoked"}"#)).is_ok());
        for wrong in [
            close(3000, r#"{"reason":"expired"}"#),
            close(3003, r#"{"reason":"revoked"}"#),
            close(1000, ""),
            Vec::new(),
        ] {
            assert!(is_said(Why::Revoked, &wrong).is_err(), "{wrong:?}");
        }
    }
}
