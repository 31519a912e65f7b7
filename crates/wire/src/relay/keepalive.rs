//! Whether a side is still there, and how long a session may last.
//!
//! A side that has said nothing for the ping interval is asked with a Ping of ours (RFC 6455 section 5.5.2), at a
//! frame boundary like every frame of ours. Its Pong stays here, told by its payload; all others pass. A side that
//! says nothing at all until the pong timeout is treated as gone. Pings and their Pongs are no sign of life of the
//! *session*: the idle time goes on. It does not know what the other side is told (`ending.rs`).

use super::ending::{Cause, Stage};
use super::{Initiator, Limits, Relay, Side, because};
use crate::close::{ControlFrame, code};
use crate::frame::Header;
use crate::mask::{self, Key};
use crate::time::Micros;

/// What is kept of a session that asks, or that has a longest life; others own nothing of it.
#[derive(Debug)]
pub(super) struct Keepalive {
    /// Of the client and of the backend.
    presence: [Presence; 2],
    opened: Micros,
    /// The latest time that was told.
    latest: Micros,
}

/// What is known of one side's presence.
#[derive(Clone, Copy, Debug, Default)]
struct Presence {
    /// When it last said anything.
    heard: Micros,
    /// It shall be asked.
    due: bool,
    /// When it was asked, zero if it was not since it was heard.
    asked: Micros,
    /// What its Pong is known by.
    awaited: Option<Key>,
    /// Bytes of a Ping among those that its socket has not taken.
    owed: u8,
}

/// What a Pong is to us.
pub(super) enum OwnPong {
    /// Somebody else's; it passes.
    Other,
    /// It cannot be told yet.
    Unknown,
    /// The answer to our Ping; it stays here.
    Own,
}

impl Presence {
    fn is_asked(&self) -> bool {
        self.asked != Micros::ZERO
    }
}

impl Keepalive {
    /// What a session with these bounds needs.
    pub(super) fn for_limits(limits: &Limits, now: Micros) -> Option<Box<Self>> {
        let is_needed = limits.ping_interval.is_some() || limits.lifetime.is_some();
        let presence = [Presence { heard: now, ..Presence::default() }; 2];
        is_needed.then(|| Box::new(Self { presence, opened: now, latest: now }))
    }

    /// A side says something, perhaps the Pong that was awaited.
    pub(super) fn hear(&mut self, side: Side, now: Micros, is_answer: bool) {
        let presence = &mut self.presence[side as usize];
        (presence.heard, presence.asked) = (now, Micros::ZERO);
        if is_answer {
            presence.awaited = None;
        }
        self.latest = now;
    }

    /// What the Pong to the last Ping of ours is known by, while it has not come.
    pub(super) fn awaited(&self, side: Side) -> Option<Key> {
        self.presence[side as usize].awaited
    }

    /// How many of `bytes` that `side`'s socket took were not a Ping of ours.
    pub(super) fn of_the_session(&mut self, side: Side, now: Micros, bytes: usize) -> usize {
        self.latest = now;
        let owed = &mut self.presence[side as usize].owed;
        let own = bytes.min(usize::from(*owed));
        *owed = owed.saturating_sub(u8::try_from(own).unwrap_or(u8::MAX));
        bytes - own
    }

    pub(super) fn is_due(&self, side: Side) -> bool {
        self.presence[side as usize].due
    }

    /// When something is due here, while the session is open.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<Micros> {
        let lifetime = limits.lifetime.map(|lifetime| self.opened.plus(lifetime));
        let sides = self.presence.iter().filter_map(|presence| {
            let interval = limits.ping_interval?;
            // One that is due waits for a frame boundary, which comes by itself or not at all.
            let asked = || presence.asked.plus(limits.pong_timeout);
            let silent = || presence.heard.plus(interval);
            (!presence.due).then(|| if presence.is_asked() { asked() } else { silent() })
        });
        sides.chain(lifetime).min()
    }
}

impl Relay {
    /// Whether a Ping waits to be said; [`Relay::poll_control`] gives it.
    #[inline]
    #[must_use]
    pub fn wants_to_ask(&self) -> bool {
        let keepalive = self.keepalive.as_ref();
        keepalive.is_some_and(|keepalive| keepalive.presence.iter().any(|presence| presence.due))
    }

    /// Does what is due at `now`, while the session is open.
    pub(super) fn check_presence(&mut self, now: Micros) {
        let Some(keepalive) = &mut self.keepalive else { return };
        keepalive.latest = now;
        if self.limits.lifetime.is_some_and(|lifetime| now >= keepalive.opened.plus(lifetime)) {
            self.begin(code::GOING_AWAY, Initiator::Gateway, Cause::Lifetime);
            let over = because(code::GOING_AWAY, "lifetime");
            return self.tell_both(now, over, over);
        }
        let Some(interval) = self.limits.ping_interval else { return };
        let mut silent = None;
        for side in Side::BOTH {
            let presence = &mut keepalive.presence[side as usize];
            if presence.due {
                continue;
            }
            // Whoever is not read, since the limiter delays it, cannot be heard: its silence is ours.
            if self.flows[side as usize].delayed_until != Micros::ZERO {
                (presence.heard, presence.asked) = (now, Micros::ZERO);
                continue;
            }
            if presence.is_asked() {
                if now >= presence.asked.plus(self.limits.pong_timeout) {
                    silent = silent.or(Some(side));
                }
            } else if now >= presence.heard.plus(interval) {
                (presence.due, presence.asked) = (true, now);
            }
        }
        if let Some(side) = silent {
            self.vanished(side, now, Cause::Silent);
        }
    }

    /// The Ping for `side`, once the stream to it stands at a boundary. `key` becomes what its Pong is known by.
    #[cold]
    pub(super) fn ask(&mut self, side: Side, key: impl FnOnce() -> Key) -> Option<ControlFrame> {
        let keepalive = self.keepalive.as_mut()?;
        let presence = &mut keepalive.presence[side as usize];
        if self.stage != Stage::Open {
            presence.due = false;
            return None;
        }
        if self.flows[side.other() as usize].is_inside_frame() {
            return None;
        }
        let nonce = key();
        let frame = ControlFrame::ping(nonce, (side == Side::Backend).then_some(nonce));
        let bytes = frame.as_bytes().len();
        presence.due = false;
        // It may have waited for the boundary: its answer is awaited from now on.
        presence.asked = presence.asked.max(keepalive.latest);
        presence.owed = u8::try_from(bytes).expect("a Ping of ours has at most ten bytes");
        presence.awaited = Some(nonce);
        self.ends[side as usize].owed += bytes as u64;
        Some(frame)
    }
}

/// Whether a Pong answers a Ping of ours. It is judged whole, and is short enough to be kept until it is.
#[cold]
pub(super) fn own_pong(nonce: Key, header: Header, payload: Option<&[u8]>) -> OwnPong {
    if header.payload_bytes != nonce.len() as u64 {
        return OwnPong::Other;
    }
    let Some(payload) = payload else { return OwnPong::Unknown };
    let mut said = nonce;
    said.copy_from_slice(payload);
    mask::apply(header.key.unwrap_or_default(), &mut said);
    if said == nonce { OwnPong::Own } else { OwnPong::Other }
}
