//! A client: what it asks, and what it is answered.

use serde_json::Value;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::{
    socket::{Duplex, Frames, Head},
    world::{PATH, World},
};

/// A key as a browser would send it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A request, a right handshake unless it was changed.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) version: &'static str,
    pub(crate) headers: Vec<(String, String)>,
    /// Bytes right behind the head.
    pub(crate) behind: Vec<u8>,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

/// A client whose handshake was answered with 101.
pub(crate) struct Client {
    pub(crate) head: Head,
    pub(crate) frames: Frames,
}

impl Ask {
    pub(crate) fn to(target: &str) -> Self {
        let mut ask = Self {
            method: "GET",
            target: target.to_owned(),
            version: "HTTP/1.1",
            headers: Vec::new(),
            behind: Vec::new(),
        };
        for (name, value) in [
            ("Host", "gateway.test:9099"),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", KEY),
            ("Sec-WebSocket-Version", "13"),
        ] {
            ask = ask.with(name, value);
        }
        ask
    }

    /// What a usual client of the world asks.
    pub(crate) fn usual(world: &World) -> Self {
        Self::to(PATH).bearer(&world.token())
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|header| header.0 != name);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.with("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn behind(mut self, bytes: &[u8]) -> Self {
        self.behind.extend_from_slice(bytes);
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} {}\r\n", self.method, self.target, self.version);
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.behind].concat()
    }
}

impl Answer {
    /// The last word of the problem's type.
    #[track_caller]
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.head.one("content-type"), "application/problem+json", "{}", self.head.text);
        let problem: Value = serde_json::from_slice(&self.body).expect("a problem is JSON");
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["instance"], self.head.one("x-request-id"));
        let kind = problem["type"].as_str().unwrap();
        kind.strip_prefix("https://problems.test/problems/").expect("a type has the base").to_owned()
    }
}

impl Answer {
    /// It has this status, and its problem is of this kind.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, kind: &str) {
        assert_eq!((self.status, self.problem().as_str()), (status, kind));
    }
}

/// Sends bytes and reads a whole answer, which must be the last thing on the connection.
pub(crate) async fn ask(stream: Box<dyn Duplex>, bytes: &[u8]) -> Answer {
    let mut frames = Frames::of_client(stream);
    frames.write(bytes).await;
    answer(&mut frames).await
}

/// Reads a whole answer, which must be the last thing on the connection.
pub(crate) async fn answer(frames: &mut Frames) -> Answer {
    let head = frames.head().await.expect("an answer comes");
    let status = head.start.split(' ').nth(1).unwrap().parse().unwrap();
    assert_ne!(status, 101, "{}", head.text);
    assert_eq!(head.one("connection").rsplit(", ").next(), Some("close"), "{}", head.text);
    let body = frames.rest().await;
    assert_eq!(head.one("content-length"), body.len().to_string());
    Answer { status, head, body }
}

/// Sends a handshake that must be answered with 101.
pub(crate) async fn open(stream: Box<dyn Duplex>, ask: &Ask) -> Client {
    let mut frames = Frames::of_client(stream);
    frames.write(&ask.bytes()).await;
    switched(frames).await
}

/// Reads the 101 that must come.
pub(crate) async fn switched(mut frames: Frames) -> Client {
    let head = frames.head().await.expect("an answer comes");
    if !is_switch(&head) {
        let body = frames.rest().await;
        panic!("{}{}", head.text, String::from_utf8_lossy(&body));
    }
    client(head, frames)
}

/// Reads the answer; `None` where it is a refusal.
pub(crate) async fn may_have_switched(mut frames: Frames) -> Option<Client> {
    let head = frames.head().await.expect("an answer comes");
    is_switch(&head).then(|| client(head, frames))
}

fn is_switch(head: &Head) -> bool {
    head.start.starts_with("HTTP/1.1 101 ")
}

fn client(head: Head, frames: Frames) -> Client {
    assert_eq!(head.one("sec-websocket-accept"), derive_accept_key(KEY.as_bytes()));
    assert!(head.one("upgrade").eq_ignore_ascii_case("websocket"), "{}", head.text);
    assert!(head.one("connection").eq_ignore_ascii_case("upgrade"), "{}", head.text);
    Client { head, frames }
}

impl Client {
    /// The worker that carries the session, as its id tells.
    pub(crate) fn worker(&self) -> u16 {
        self.head.one("x-request-id").split('-').nth(1).unwrap().parse().unwrap()
    }

    /// Says something and hears it again.
    pub(crate) async fn echo(&mut self, text: &str) {
        self.frames.say(text).await;
        assert_eq!(self.frames.hear().await, text);
    }

    /// The goodbye that comes next.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        self.frames.closed().await
    }

    /// Says goodbye and waits for the answer and the end of the stream.
    pub(crate) async fn leave(mut self) {
        self.frames.close(1000, "done").await;
        assert_eq!(self.frames.closed().await, (1000, "done".to_owned()));
        assert_eq!(self.frames.rest().await, b"");
    }
}

/// The reason of a goodbye that has one word.
pub(crate) fn because(code: u16, word: &str) -> (u16, String) {
    (code, format!(r#"{{"reason":"{word}"}}"#))
}
