//! Facts: what gateways count and report, in numbered batches, and how they are read back.
//!
//! Dashboards, quota pages and invoices read the same rows, so they agree. A message is counted when it was
//! let through; bytes are payload bytes of data messages.

use serde::{Deserialize, Serialize};

use crate::{
    id::{ApiId, ApplicationId, BootId, SessionId},
    time::Timestamp,
    usage::Usage,
};

/// What the counts of one row belong to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CountKey {
    /// Beginning of the minute.
    pub minute: Timestamp,
    /// The API.
    pub api: ApiId,
    /// The application; `None` when a refusal happened before it was known.
    pub application: Option<ApplicationId>,
    /// Name of the business plan; empty when none.
    pub plan: String,
}

/// Counts that add up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Sessions opened.
    pub sessions: u64,
    /// Data messages from clients that were let through.
    pub messages_from_clients: u64,
    /// Data messages from backends that were let through.
    pub messages_from_backends: u64,
    /// Payload bytes of those from clients.
    pub bytes_from_clients: u64,
    /// Payload bytes of those from backends.
    pub bytes_from_backends: u64,
    /// Handshakes refused, sessions closed because a limit was reached or a client sent where it may not, and messages
    /// dropped where their side may not send.
    pub refusals: u64,
    /// Messages beyond a limit whose policy drops them.
    #[serde(default)]
    pub dropped: u64,
    /// Messages beyond a limit whose policy lets them wait, each once; whoever passed afterwards counts there as well.
    #[serde(default)]
    pub delayed: u64,
    /// Messages beyond a limit whose policy only counts them: they passed, and count there as well.
    #[serde(default)]
    pub beyond: u64,
    /// Notices by which clients were told of what was dropped.
    #[serde(default)]
    pub notices: u64,
}

impl Counts {
    /// Adds `other` to this.
    pub fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.messages_from_clients += other.messages_from_clients;
        self.messages_from_backends += other.messages_from_backends;
        self.bytes_from_clients += other.bytes_from_clients;
        self.bytes_from_backends += other.bytes_from_backends;
        self.refusals += other.refusals;
        self.dropped += other.dropped;
        self.delayed += other.delayed;
        self.beyond += other.beyond;
        self.notices += other.notices;
    }

    /// What was counted since `before`, which was counted earlier of the same.
    #[must_use]
    pub const fn since(&self, before: &Self) -> Self {
        Self {
            sessions: self.sessions - before.sessions,
            messages_from_clients: self.messages_from_clients - before.messages_from_clients,
            messages_from_backends: self.messages_from_backends - before.messages_from_backends,
            bytes_from_clients: self.bytes_from_clients - before.bytes_from_clients,
            bytes_from_backends: self.bytes_from_backends - before.bytes_from_backends,
            refusals: self.refusals - before.refusals,
            dropped: self.dropped - before.dropped,
            delayed: self.delayed - before.delayed,
            beyond: self.beyond - before.beyond,
            notices: self.notices - before.notices,
        }
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Who ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The client.
    Client,
    /// The backend.
    Backend,
    /// The gateway: limit, expiry, block, shutdown. A broken rule is an end by the side that broke it.
    Gateway,
}

impl EndedBy {
    /// The word used in storage and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Backend => "backend",
            Self::Gateway => "gateway",
        }
    }
}

/// A session from open to the last byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClosed {
    /// The session.
    pub id: SessionId,
    /// The API.
    pub api: ApiId,
    /// The application.
    pub application: ApplicationId,
    /// Name of the business plan; empty when none.
    pub plan: String,
    /// When the client got its 101.
    pub opened_at: Timestamp,
    /// When the last byte passed.
    pub closed_at: Timestamp,
    /// All of the session; `sessions` is 1.
    pub counts: Counts,
    /// Close code the client saw or sent; 1006 when there was none.
    pub code: u16,
    /// Short reason word, for example `quota`, `expired`; empty when the peers ended it.
    pub reason: String,
    /// Who ended it.
    pub by: EndedBy,
    /// Whether a message was cut because it could not end in time.
    pub cut: bool,
}

/// A numbered batch of facts. Numbers begin at 1 in each run of a gateway and have no holes; a repeat carries
/// the same number and the same facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The gateway's run.
    pub boot: BootId,
    /// Number within the run.
    pub number: u64,
    /// Counts to add.
    pub counts: Vec<(CountKey, Counts)>,
    /// Sessions that ended.
    pub sessions: Vec<SessionClosed>,
    /// What was used of budgets since it was told last.
    pub usage: Vec<Usage>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It was new; its facts are on disk.
    Stored,
    /// It was stored before; nothing was added.
    Repeated,
}

/// Whose traffic is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrafficOf {
    /// All applications of an API.
    Api(ApiId),
    /// All APIs of an application.
    Application(ApplicationId),
}

/// Traffic read back: counts per minute within the asked span, and the sum since creation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Minutes that have counts, oldest first; a minute without any is absent.
    pub minutes: Vec<(Timestamp, Counts)>,
    /// Everything since creation.
    pub totals: Counts,
}

/// Open sessions of one API and application, as one gateway sees them now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSessions {
    /// The API.
    pub api: ApiId,
    /// The application.
    pub application: ApplicationId,
    /// How many.
    pub open: u32,
}
