//! One-time tickets: what a web page buys with its access token and puts where a browser lets it put something, into the
//! address of a WebSocket or among its subprotocols.
//!
//! Whoever sells a ticket has checked who buys it, and the ticket opens one session as that identity, for as long as
//! what bought it is good. Gateways sell and redeem over the link, so that whatever keeps the tickets decides alone which
//! of many that present the same one was first. It knows hashes of tickets, never the tickets.

use crate::{
    admit::Identity,
    id::{ApiId, ApplicationId},
    time::Timestamp,
    user::Secret,
};

/// How long a ticket waits to be used, in milliseconds: a page opens its socket at once, and half a minute allows for a
/// bad mobile link. A ticket that ended up in a log is worth nothing by then.
pub const TICKET_MILLIS: i64 = 30_000;
/// Tickets of one application that wait at a time. A page uses its ticket a round trip after it bought it, so this is
/// thousands of sockets a second for an application whose pages do, and it bounds what one whose pages do not can make
/// others keep and count.
pub const TICKETS_MAX: u64 = 1_000;

/// A ticket that was sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Hash of it, as the `oauth` crate makes it.
    pub hash: Secret,
    /// The one API that it opens.
    pub api: ApiId,
    /// Whose it is.
    pub application: ApplicationId,
    /// As whom its session is admitted. The end of what bought it is the end of the session.
    pub identity: Identity,
    /// When it is worth nothing any more.
    pub expires_at: Timestamp,
}

/// What a gateway asks about tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Keep this one. Answered with [`Answer::Kept`] or [`Answer::TooMany`].
    Keep(Box<Ticket>),
    /// Somebody presents one. Answered with [`Answer::Redeemed`].
    Redeem {
        /// Hash of what is presented.
        hash: Secret,
        /// At which API.
        api: ApiId,
    },
}

/// The answer to an [`Ask`], on disk before it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is kept.
    Kept,
    /// Its application has [`TICKETS_MAX`] already.
    TooMany,
    /// What was presented is worth this.
    Redeemed(Redemption),
    /// Nobody can say now.
    Unavailable,
}

/// What a ticket that is presented is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redemption {
    /// A session as this identity, and it is used up.
    Good(Box<Identity>),
    /// It opened a session before.
    Used,
    /// Nothing: it was never sold, or for another API, or has expired.
    Unknown,
}
