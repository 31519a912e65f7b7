//! Topics that an API declares, who may send on each, and which scopes a token needs for it.
//!
//! *Publish* is what a client sends to the backend, *subscribe* what the backend sends to the client. An API that
//! declares none has one topic, everything below its path, open both ways. One connection has one topic, the first
//! declared one that its path fits. It does not know sockets; that a side is silent is kept by the relay's limiter.

use serde::{Deserialize, Serialize};

use crate::mapping::{self, BadMapping};

/// Most topics that one API may declare: a handshake looks them through.
pub const TOPICS_MAX: usize = 128;
/// Longest path of a topic, in bytes.
pub const TOPIC_BYTES_MAX: usize = 512;
/// Longest description of a topic, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 512;

/// Who may send on a topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Client and backend.
    #[default]
    Both,
    /// The client alone.
    Publish,
    /// The backend alone.
    Subscribe,
}

impl Direction {
    /// All, in the order in which a page shows them.
    pub const ALL: [Self; 3] = [Self::Both, Self::Publish, Self::Subscribe];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Publish => "publish",
            Self::Subscribe => "subscribe",
        }
    }

    /// The value of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// What becomes of a message that a client sends where it may not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misdirected {
    /// The session is closed with 1008: whoever wrote the client learns of it.
    #[default]
    Close,
    /// It is read and discarded, and the session goes on.
    Drop,
}

impl Misdirected {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Close, Self::Drop];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Drop => "drop",
        }
    }

    /// The value of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// A topic as it is declared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Topic {
    /// Its path, with parameters as whole segments: `/rooms/{room}`. A last segment `*` takes all that follows.
    pub path: String,
    /// What it is.
    pub description: String,
    /// Who may send.
    pub direction: Direction,
    /// Whoever presents no credential may use it, whatever the API asks of others.
    #[serde(default)]
    pub is_open: bool,
    /// A token needs one of these for the client to send; none: it needs none.
    #[serde(default)]
    pub publish_scopes: Vec<String>,
    /// A token needs one of these for the client to be sent to; none: it needs none.
    #[serde(default)]
    pub subscribe_scopes: Vec<String>,
    /// Name of the API policy that all on the topic are held to together; `None`: no limit of its own.
    #[serde(default)]
    pub api_policy: Option<String>,
}

impl Topic {
    /// Why the path makes no sense.
    ///
    /// # Errors
    /// [`BadMapping`]: a topic is written as in a mapping.
    pub fn check_path(&self) -> Result<(), BadMapping> {
        mapping::check_topic(&self.path)
    }

    /// Who may send, by the direction and by the scopes that a token has. A token that may only listen to a topic of
    /// both directions opens a session on which its client is silent.
    ///
    /// # Errors
    /// [`NeedsScope`] where the token may do nothing at all.
    pub fn speech(&self, has: &[String]) -> Result<Speech, NeedsScope<'_>> {
        let holds = |needed: &[String]| needed.is_empty() || needed.iter().any(|scope| has.contains(scope));
        let speech = Speech {
            client: self.direction != Direction::Subscribe && holds(&self.publish_scopes),
            backend: self.direction != Direction::Publish && holds(&self.subscribe_scopes),
        };
        if speech.client || speech.backend {
            return Ok(speech);
        }
        let listens = if self.direction == Direction::Publish { &[] } else { &*self.subscribe_scopes };
        let speaks = if self.direction == Direction::Subscribe { &[] } else { &*self.publish_scopes };
        let speaks = speaks.iter().filter(|scope| !listens.contains(scope));
        Err(NeedsScope(listens.iter().chain(speaks).map(String::as_str).collect()))
    }
}

/// A token has none of the scopes of which it needs one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedsScope<'t>(
    /// One of these would do; those to listen with first.
    pub Vec<&'t str>,
);

/// Who may send on a session's topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Speech {
    /// The client's messages pass.
    pub client: bool,
    /// The backend's messages pass.
    pub backend: bool,
}

impl Default for Speech {
    fn default() -> Self {
        Self { client: true, backend: true }
    }
}

/// The topics of an API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Topics {
    /// Those that are declared, tried in their order; none: every path is a topic, open both ways.
    pub declared: Vec<Topic>,
    /// What becomes of a message that a client sends where it may not.
    pub misdirected: Misdirected,
}

/// What a path below the API is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'t> {
    /// The API declares no topics.
    Undeclared,
    /// A declared one.
    Declared(&'t Topic),
    /// None of those that are declared.
    Unknown,
}

impl Topics {
    /// What `topic` is; empty or beginning with `/`.
    pub fn find(&self, topic: &str) -> Found<'_> {
        if self.declared.is_empty() {
            return Found::Undeclared;
        }
        let topic = if topic.is_empty() { "/" } else { topic };
        let found = self.declared.iter().find(|declared| mapping::fits(&declared.path, topic));
        found.map_or(Found::Unknown, Found::Declared)
    }
}

#[cfg(test)]
mod tests;
