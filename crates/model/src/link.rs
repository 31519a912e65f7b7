//! The link: everything that passes between the control plane and a gateway, as versioned messages, and its
//! one-process form, a pair of bounded channels.
//!
//! Down go snapshots, revocations, opaque tokens and answers, up go numbered batches of facts, presence and how
//! addresses of backends do. Tickets are asked about and answered. A gateway repeats a batch until
//! it is told that the batch is on disk, so that nothing is lost and nothing counted twice.

use std::sync::Arc;

use async_channel::{Receiver, Sender};

use crate::{
    fact::{Batch, OpenSessions},
    id::{BootId, KeyManagerId},
    opaque::OpaqueTokenFacts,
    revocation::Revocation,
    sharing::Sharing,
    snapshot::Snapshot,
    target::TargetFacts,
    ticket::{Answer, Ask},
    usage::Usage,
};

/// Version of the messages; a peer with another major refuses to talk rather than misread.
pub const PROTOCOL_VERSION: u32 = 1;

/// Messages that may wait in one direction. The sender waits beyond it; a gateway sends a few per second, so
/// this is minutes of a stalled peer.
const WAITING_MAX: usize = 256;

/// From the control plane to a gateway.
#[derive(Debug, Clone)]
pub enum Down {
    /// Decide with this from now on.
    Snapshot(Arc<Snapshot>),
    /// These credentials have ended, in the order of their numbers. A gateway is told all of them before its first
    /// snapshot, in as many messages as it takes, and from then on what is new.
    Revoked(Arc<[Revocation]>),
    /// These access tokens were issued, in the order of their numbers. A gateway is told all that live before its first
    /// snapshot, and from then on what is new.
    OpaqueTokens(Arc<[OpaqueTokenFacts]>),
    /// What was used of these budgets before, by all gateways. A gateway is told of all that are not over before its first
    /// snapshot, in as many messages as it takes, and goes on with it.
    Used(Arc<[Usage]>),
    /// The batch of this run with this number, and all before it, are on disk.
    BatchStored {
        /// The run.
        boot: BootId,
        /// The number.
        number: u64,
    },
    /// The answer to what this gateway asked under this number.
    Answer {
        /// The number that it asked under.
        number: u64,
        /// What is answered.
        answer: Answer,
    },
}

/// From a gateway to the control plane.
#[derive(Debug, Clone)]
pub enum Up {
    /// First message: who this is.
    Hello {
        /// Version of the messages this gateway speaks.
        protocol: u32,
        /// This run.
        boot: BootId,
    },
    /// The snapshot with this number decides from now on, for new and live sessions.
    Applied {
        /// The snapshot's number.
        number: u64,
    },
    /// Nobody is admitted any more, and no session lives on, by what was revoked up to this number.
    Revoked {
        /// The number of the last revocation.
        number: u64,
    },
    /// A token came that this issuer signed with a key that is not in the snapshot. Said at a bounded rate.
    KeysWanted {
        /// The key manager.
        key_manager: KeyManagerId,
    },
    /// The access tokens up to this number open sessions.
    OpaqueTokens {
        /// The number of the last token.
        number: u64,
    },
    /// Facts to store.
    Batch(Arc<Batch>),
    /// Sessions open now, all of them.
    Presence(Vec<OpenSessions>),
    /// How this gateway finds the addresses of endpoints, those that it knows something of; replaces what was said
    /// before.
    Targets(Vec<TargetFacts>),
    /// How this gateway shares budgets, where it does; replaces what was said before.
    Sharing(Sharing),
    /// A question about a ticket. It is answered under its number; a gateway that hears nothing in time has no answer.
    Ask {
        /// Different for each question of a run.
        number: u64,
        /// What is asked.
        ask: Ask,
    },
}

/// The other end is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the link is closed")]
pub struct LinkClosed;

/// A gateway's end of the link.
#[async_trait::async_trait]
pub trait GatewayLink: Send + Sync + 'static {
    /// Sends a message; waits while too many are under way.
    async fn send(&self, message: Up) -> Result<(), LinkClosed>;
    /// The next message; waits for one. Dropping the future loses nothing.
    async fn next(&self) -> Result<Down, LinkClosed>;
}

/// The control plane's end of one gateway's link.
#[async_trait::async_trait]
pub trait ControlLink: Send + Sync + 'static {
    /// Sends a message; waits while too many are under way.
    async fn send(&self, message: Down) -> Result<(), LinkClosed>;
    /// The next message; waits for one. Dropping the future loses nothing.
    async fn next(&self) -> Result<Up, LinkClosed>;
}

/// One end of the one-process link.
#[derive(Debug, Clone)]
pub struct ChannelEnd<Out, In> {
    out: Sender<Out>,
    incoming: Receiver<In>,
}

/// The two ends of a link within one process.
pub fn channel() -> (ChannelEnd<Up, Down>, ChannelEnd<Down, Up>) {
    let (up_out, up_in) = async_channel::bounded(WAITING_MAX);
    let (down_out, down_in) = async_channel::bounded(WAITING_MAX);
    (ChannelEnd { out: up_out, incoming: down_in }, ChannelEnd { out: down_out, incoming: up_in })
}

impl<Out: Send, In: Send> ChannelEnd<Out, In> {
    async fn pass(&self, message: Out) -> Result<(), LinkClosed> {
        self.out.send(message).await.map_err(|_| LinkClosed)
    }

    async fn take(&self) -> Result<In, LinkClosed> {
        self.incoming.recv().await.map_err(|_| LinkClosed)
    }
}

#[async_trait::async_trait]
impl GatewayLink for ChannelEnd<Up, Down> {
    async fn send(&self, message: Up) -> Result<(), LinkClosed> {
        self.pass(message).await
    }

    async fn next(&self) -> Result<Down, LinkClosed> {
        self.take().await
    }
}

#[async_trait::async_trait]
impl ControlLink for ChannelEnd<Down, Up> {
    async fn send(&self, message: Down) -> Result<(), LinkClosed> {
        self.pass(message).await
    }

    async fn next(&self) -> Result<Up, LinkClosed> {
        self.take().await
    }
}

#[cfg(test)]
mod tests;
