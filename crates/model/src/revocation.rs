//! Revocations: credentials that end before their time, and the one way to say so.
//!
//! Whoever ends something says [`Revoked`] in a [`crate::command::Command::Revoke`], or lets the store write it within
//! a command of its own: an access token that was handed back, the tokens of a grant (a refresh family) that was used
//! twice, all tokens of an OAuth client or of a person. The store numbers them, the link carries them to every gateway,
//! handshakes with what they name are refused and live sessions are closed. What a snapshot shows by no longer having
//! it (a deleted key or application, a removed signing key) needs no revocation.
//!
//! A session remembers its credential as [`Marks`]: hashes of eight bytes, made by the `oauth` crate (this one knows
//! no hash). Two credentials with the same mark would end together; with 64 bits, a million revocations and a hundred
//! thousand sessions, that happens once in 200 million such gateways, and it can never keep alive what was
//! revoked. What a revocation names and whom it hits are pure functions; it does not know sockets, tables or the link.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    num::NonZeroU64,
    str::FromStr,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{exchange::Source, time::Timestamp};

/// Names a credential, or what it belongs to, without being it: eight bytes of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(NonZeroU64);

impl From<[u8; 8]> for Mark {
    fn from(hash: [u8; 8]) -> Self {
        // No mark is zero, so that "none" costs a session nothing.
        Self(NonZeroU64::new(u64::from_be_bytes(hash)).unwrap_or(NonZeroU64::MIN))
    }
}

/// As it is stored: sixteen hexadecimal digits.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The text is no mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a mark of sixteen hexadecimal digits")]
pub struct NoMark;

impl FromStr for Mark {
    type Err = NoMark;
    fn from_str(text: &str) -> Result<Self, NoMark> {
        if text.len() != 16 || text.bytes().any(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NoMark);
        }
        u64::from_str_radix(text, 16).ok().and_then(NonZeroU64::new).map(Self).ok_or(NoMark)
    }
}

/// What of a credential can be revoked. A live session keeps one of these, so it stays small: 32 bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// The credential itself: a token by issuer and `jti`, an opaque one by its bytes, an API key by its id.
    pub credential: Option<Mark>,
    /// The grant that it came from, if it came from one that lasts.
    pub grant: Option<Mark>,
    /// Whom it speaks for, by issuer and `sub`.
    pub subject: Option<Mark>,
    /// When it was issued, in whole seconds as tokens say it. What does not say it counts as issued at the epoch.
    pub issued_at: Timestamp,
}

/// A credential as revocations are asked about it.
#[derive(Debug, Clone, Copy)]
pub struct Revocable<'c> {
    /// The client of ours that it was issued to; `None`: another issuer's, which no revocation names.
    pub client_id: Option<&'c str>,
    /// By what it can be revoked.
    pub marks: &'c Marks,
    /// What it was exchanged for, with which it ends.
    pub source: Option<&'c Source>,
}

/// What ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub enum Revoked {
    /// This credential.
    Credential(Mark),
    /// Every credential of this grant, also those that are issued later.
    Grant(Mark),
    /// Every credential of this OAuth client that was issued until the revocation.
    Client(Arc<str>),
    /// Every credential for this subject that was issued until the revocation.
    Subject(Mark),
}

impl Revoked {
    /// The word used in storage and logs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Credential(_) => "credential",
            Self::Grant(_) => "grant",
            Self::Client(_) => "client",
            Self::Subject(_) => "subject",
        }
    }

    /// What is named, as storage holds it beside [`Revoked::word`]. Not secret.
    pub fn name(&self) -> String {
        match self {
            Self::Credential(mark) | Self::Grant(mark) | Self::Subject(mark) => mark.to_string(),
            Self::Client(client_id) => client_id.to_string(),
        }
    }

    /// The value of a word and a name.
    ///
    /// # Errors
    /// [`NoMark`] for an unknown word, or a name that does not belong to it.
    pub fn parse(word: &str, name: &str) -> Result<Self, NoMark> {
        Ok(match word {
            "credential" => Self::Credential(name.parse()?),
            "grant" => Self::Grant(name.parse()?),
            "client" => Self::Client(name.into()),
            "subject" => Self::Subject(name.parse()?),
            _ => return Err(NoMark),
        })
    }
}

/// A revocation as it is stored and sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Grows by at least one with each, and is never given twice. Who has seen one has seen all before it.
    pub number: u64,
    /// What ends.
    pub what: Revoked,
    /// When it was revoked. Clients and subjects lose what was issued until then, to the second: what is
    /// issued within the same second is lost as well.
    pub at: Timestamp,
    /// From when it can be forgotten: nothing that it names is valid by itself any more.
    pub until: Timestamp,
}

/// The order to end something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoke {
    /// What ends, together or not at all.
    pub what: Vec<Revoked>,
    /// The latest end of anything that it names; see [`Revocation::until`].
    pub until: Timestamp,
    /// The OAuth client whose credentials they are: whoever owns its application may end them. `None`: only
    /// administrators and the product may.
    pub client_id: Option<String>,
}

impl Revoke {
    /// As the product itself, which has made sure that it may.
    pub fn all(what: Vec<Revoked>, until: Timestamp) -> Self {
        Self { what, until, client_id: None }
    }
}

/// Everything that is revoked, found by what a session remembers.
#[derive(Debug, Default)]
pub struct Revocations {
    number: u64,
    all: BTreeMap<u64, Revocation>,
    /// By what, the latest time of revocation.
    marks: HashMap<(Kind, Mark), Timestamp>,
    clients: HashMap<Arc<str>, Timestamp>,
    /// Grown beyond this, what can be forgotten is forgotten.
    tidy_at: usize,
}

/// Revocations that are never worth sweeping: some 100 KiB.
const TIDY_FROM: usize = 1_024;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Credential,
    Grant,
    Subject,
}

impl Revocations {
    /// The number of the newest that was ever added.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Adds one. Repeats change nothing.
    pub fn add(&mut self, revocation: Revocation) {
        self.number = self.number.max(revocation.number);
        let latest = match &revocation.what {
            Revoked::Client(client_id) => self.clients.entry(Arc::clone(client_id)).or_default(),
            what => match marked(what) {
                Some(key) => self.marks.entry(key).or_default(),
                None => return,
            },
        };
        *latest = revocation.at.max(*latest);
        self.all.insert(revocation.number, revocation);
    }

    /// Forgets what can be, when there is much of it: each sweep is paid for by as many additions.
    pub fn tidy(&mut self, now: Timestamp) {
        if self.all.len() <= self.tidy_at.max(TIDY_FROM) {
            return;
        }
        let all = std::mem::take(&mut self.all);
        *self = Self { number: self.number, ..Self::default() };
        self.extend(all.into_values().filter(|revocation| revocation.until > now));
        self.tidy_at = self.all.len() * 2;
    }

    /// Those with a number above this one, in their order.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &Revocation> {
        self.all.range(number.saturating_add(1)..).map(|(_, revocation)| revocation)
    }

    /// Whether a credential was revoked, by what it is, by what it belongs to, or by what it came of.
    pub fn hit(&self, credential: &Revocable<'_>) -> bool {
        if self.all.is_empty() {
            return false;
        }
        let &Revocable { client_id, marks, source } = credential;
        let named = |kind: Kind, mark: Option<Mark>| mark.and_then(|mark| self.marks.get(&(kind, mark)));
        let was_issued_until = |at: &Timestamp| marks.issued_at <= *at;
        let is_client_hit = |client_id: Option<&str>| {
            client_id.and_then(|client_id| self.clients.get(client_id)).is_some_and(was_issued_until)
        };
        named(Kind::Credential, marks.credential).is_some()
            || named(Kind::Grant, marks.grant).is_some()
            || named(Kind::Subject, marks.subject).is_some_and(was_issued_until)
            || is_client_hit(client_id)
            || source.is_some_and(|source| {
                named(Kind::Credential, Some(source.credential)).is_some()
                    || is_client_hit(source.revocable_client())
            })
    }
}

impl FromIterator<Revocation> for Revocations {
    fn from_iter<I: IntoIterator<Item = Revocation>>(some: I) -> Self {
        let mut all = Self::default();
        all.extend(some);
        all
    }
}

impl Extend<Revocation> for Revocations {
    fn extend<I: IntoIterator<Item = Revocation>>(&mut self, some: I) {
        for revocation in some {
            self.add(revocation);
        }
    }
}

fn marked(what: &Revoked) -> Option<(Kind, Mark)> {
    match *what {
        Revoked::Credential(mark) => Some((Kind::Credential, mark)),
        Revoked::Grant(mark) => Some((Kind::Grant, mark)),
        Revoked::Subject(mark) => Some((Kind::Subject, mark)),
        Revoked::Client(_) => None,
    }
}

#[cfg(test)]
mod tests;
