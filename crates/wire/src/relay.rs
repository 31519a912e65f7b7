//! The relay of one session: a client, a backend, and what may pass between them, as a pure state machine.
//!
//! It does not know sockets or clocks and owns no payload: [`Relay::step`] looks at bytes that the driver has just
//! read and answers how many of them go to the other side as they are. A client's frames are masked, and so must
//! frames to a backend be; a backend's are not: the very bytes travel on.
//!
//! # The driver's contract
//!
//! 1. Before reading from a side put [`Relay::carry`]'s bytes (the begun header of the next frame, at most 13) at
//!    the front of the scratch and read behind them. If nothing could be read, forget the scratch.
//! 2. Give the scratch to [`Relay::step`]. Write `slice[..forward]` to the other side; look at [`Then`] for the
//!    rest. What the other side does not take at once the driver keeps, and sends before anything else to that
//!    side. An idle session keeps nothing.
//! 3. After each call of [`Relay::step`], [`Relay::eof`], [`Relay::reset`], [`Relay::close`],
//!    [`Relay::handle_timeout`] and [`Relay::wrote`], for both sides: write what [`Relay::poll_control`] gives
//!    (behind the kept bytes), then obey [`Relay::fate`]. Where [`Relay::may_notify`], write the client what
//!    [`Relay::poll_notice`] gives.
//! 4. Report with [`Relay::wrote`] every byte that a side's socket took, forwarded and control bytes alike: from
//!    them the relay knows when to stop reading the other side and when a goodbye is out.
//! 5. Read from a side if and only if [`Relay::reads`]. It may become true by any call, without a new edge from
//!    the operating system. Wake up at [`Relay::next_deadline`] and call [`Relay::handle_timeout`].
//! 6. When [`Relay::is_over`], drop both sockets and report [`Relay::counters`] and [`Relay::ending`].
//!
//! # How it ends
//!
//! | what happens | the one who did it is told | the other is told |
//! |---|---|---|
//! | Close from a side | the other's answer; after the grace its own code | the same code and reason |
//! | the client vanishes | – | 1001 |
//! | the backend vanishes | – | 1014 |
//! | the client breaks a rule | 1002, 1007, 1008 or 1009, after the answers owed to it | 1001 |
//! | the backend breaks a rule | the same | 1011 |
//! | a limit refuses a client's message | the limiter's reason, after the answers owed to it | 1001 |
//! | a limit refuses a backend's message | 1001 | the client: the limiter's reason |
//! | nothing moves for the idle time | 1001 | 1001 |
//! | a side does not answer our Ping | – | as if it had vanished |
//! | the session has lasted its time | 1001 | 1001 |
//! | [`Relay::close`] | what the caller says | what the caller says |
//!
//! A Close of ours goes out only at a frame boundary of what that side is being sent. Where a part of a frame is on
//! its way, its end is awaited within [`CLOSE_GRACE`] if it can still come; else that side is reset and the session
//! counts as *cut*. Read next: [`Limiter`] and `relay/flow.rs` (frames), `relay/ending.rs` (goodbyes).

mod ending;
mod flow;
mod keepalive;
mod limits;

use std::sync::Arc;

pub use ending::{CLOSE_GRACE, Cause, DRAIN_GRACE, Ending, Fate, Initiator, LINGER, Violation};
pub use flow::Counters;
pub use limits::{
    Admission, CONTROL_BURST, CONTROL_PER_SECOND, EMPTY_FRAGMENTS_MAX, FRAGMENTS_MAX, Limiter, Limits,
    MESSAGE_BYTES_MAX, MessageKind, MessageStart, PONG_TIMEOUT, Unlimited,
};

use crate::close::{CloseReason, ControlFrame};
use crate::frame::{HEADER_BYTES_MAX, Header, Opcode};
use crate::mask::Key;
use crate::time::Micros;
use ending::{End, Stage};
use flow::{Event, Flow};
use keepalive::Keepalive;

/// One of the two parties of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Who connected to us.
    Client,
    /// Whom we connected to.
    Backend,
}

impl Side {
    /// Both, client first.
    pub const BOTH: [Self; 2] = [Self::Client, Self::Backend];

    /// The party at the other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Backend,
            Self::Backend => Self::Client,
        }
    }
}

/// What became of a slice that was read from a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the forwarded bytes must be written to the other side"]
pub struct Verdict {
    /// `slice[..forward]` goes to the other side, untouched.
    pub forward: usize,
    /// `slice[..consumed]` is dealt with; never less than `forward`.
    pub consumed: usize,
    /// What to do with `slice[consumed..]`.
    pub then: Then,
}

/// What to do with the part of a slice that was not consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// There is none.
    Done,
    /// Write what is to be forwarded, then call again at once with the rest of the slice.
    Again,
    /// The limiter delays this side. Keep the rest, and call again with it (before reading more) once
    /// [`Relay::reads`] is true again.
    Wait,
}

/// The state of one session. Small and plain; see the module for how to drive it.
#[derive(Debug)]
pub struct Relay {
    limits: Arc<Limits>,
    /// What is read from the client and from the backend.
    flows: [Flow; 2],
    /// What is said to the client and to the backend.
    ends: [End; 2],
    stage: Stage,
    /// When a byte last moved.
    moved: Micros,
    ending: Option<Ending>,
    keepalive: Option<Box<Keepalive>>,
}

impl Relay {
    /// A session whose two handshakes are done.
    #[must_use]
    pub fn new(now: Micros, limits: Arc<Limits>) -> Self {
        let keepalive = Keepalive::for_limits(&limits, now);
        Self {
            limits,
            flows: [Flow::new(Side::Client), Flow::new(Side::Backend)],
            ends: [End::default(), End::default()],
            stage: Stage::Open,
            moved: now,
            ending: None,
            keepalive,
        }
    }

    /// Replaces the bounds; they hold from the next frame on.
    pub fn set_limits(&mut self, limits: Arc<Limits>) {
        if self.keepalive.is_none() {
            // Its age is counted from when it was last seen to move: nothing older is known.
            self.keepalive = Keepalive::for_limits(&limits, self.moved);
        }
        self.limits = limits;
    }

    /// What the limiter held back is judged anew: it may have another answer by now.
    pub fn ask_again(&mut self) {
        for flow in &mut self.flows {
            flow.delayed_until = Micros::ZERO;
        }
    }

    /// Copies the begun header of `side`'s next frame to the front of `scratch` and says how many bytes it has (at
    /// most 13). The next [`Relay::step`] for this side must be given them again in front of what was read.
    pub fn carry(&self, side: Side, scratch: &mut [u8]) -> usize {
        let carried = self.flow(side).carried();
        scratch[..carried.len()].copy_from_slice(carried);
        carried.len()
    }

    /// Judges bytes of `side`. The slice is the same afterwards.
    #[inline]
    pub fn step(&mut self, side: Side, now: Micros, slice: &mut [u8], limiter: &mut impl Limiter) -> Verdict {
        let awaited = self.keepalive.as_ref().and_then(|keepalive| keepalive.awaited(side));
        let outcome = self.flows[side as usize].step(now, slice, &self.limits, limiter, awaited);
        if !slice.is_empty() {
            if !outcome.is_idle {
                self.moved = now;
            }
            if let Some(keepalive) = &mut self.keepalive {
                keepalive.hear(side, now, outcome.is_answer);
            }
        }
        self.ends[side.other() as usize].owed += outcome.verdict.forward as u64;
        if let Some(event) = outcome.event {
            self.happened(side, now, &event);
        }
        outcome.verdict
    }

    /// `side` broke a rule below the frames that [`Relay::step`] sees: its compressed messages cannot be inflated. It
    /// ends as for a rule broken in a frame.
    pub fn violated(&mut self, side: Side, now: Micros, violation: Violation) {
        self.moved = now;
        self.flows[side as usize].go_blind();
        self.broken_by(side, now, violation);
    }

    /// `side`'s socket took `bytes` more of what it is owed.
    #[inline]
    pub fn wrote(&mut self, side: Side, now: Micros, bytes: usize) {
        let of_the_session = match &mut self.keepalive {
            None => bytes,
            Some(keepalive) => keepalive.of_the_session(side, now, bytes),
        };
        if of_the_session > 0 {
            self.moved = now;
        }
        let end = &mut self.ends[side as usize];
        end.owed = end.owed.saturating_sub(bytes as u64);
        if end.owed == 0 && end.said {
            self.progress();
        }
    }

    /// Whether the driver shall read from `side` now.
    #[inline]
    #[must_use]
    pub fn reads(&self, side: Side) -> bool {
        let (flow, end) = (self.flow(side), self.end(side));
        let room = self.end(side.other()).owed == 0 || !flow.forwards();
        room && !end.eof && end.fate <= Fate::Finish && flow.delayed_until == Micros::ZERO
    }

    /// The next frame of our own for `side`, once the stream to it stands at a frame boundary. `key` is asked only
    /// when a frame for a backend is really made; the key must be fresh and unpredictable (RFC 6455 section 5.3).
    #[inline]
    pub fn poll_control(&mut self, side: Side, key: impl FnOnce() -> Key) -> Option<ControlFrame> {
        if self.end(side).slot.is_some() {
            self.say(side, key)
        } else if self.keepalive.as_ref().is_some_and(|keepalive| keepalive.is_due(side)) {
            self.ask(side, key)
        } else {
            None
        }
    }

    /// Whether [`Relay::poll_notice`] has something to say now.
    #[inline]
    #[must_use]
    pub fn may_notify(&self) -> bool {
        self.flows.iter().any(|flow| flow.notify)
            && self.stage == Stage::Open
            && self.end(Side::Client).owed == 0
            && self.flow(Side::Backend).is_between_messages()
    }

    /// A text message of our own for the client, of whom a message was dropped as [`Admission::Notify`] says, or for whom.
    /// It is one whole frame, and comes once the stream to the client stands between two messages and
    /// everything before has left: so a client that does not read is told once, whatever is dropped meanwhile. It is not
    /// compressed, which RFC 7692 section 6 leaves to each message. `text` is asked only when it is really made, and may have nothing to say any more.
    #[cold]
    pub fn poll_notice(&mut self, text: impl FnOnce() -> Option<String>) -> Option<Vec<u8>> {
        if !self.may_notify() {
            return None;
        }
        for flow in &mut self.flows {
            flow.notify = false;
        }
        let text = text()?;
        let payload_bytes = text.len() as u64;
        let header = Header { fin: true, compressed: false, opcode: Opcode::Text, key: None, payload_bytes };
        let mut frame = vec![0; HEADER_BYTES_MAX];
        let start = header.encode_into(&mut frame);
        frame.truncate(start);
        frame.extend_from_slice(text.as_bytes());
        self.ends[Side::Client as usize].owed += frame.len() as u64;
        Some(frame)
    }

    /// What the driver does with `side`'s socket.
    #[inline]
    #[must_use]
    pub fn fate(&self, side: Side) -> Fate {
        self.end(side).fate
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ends.iter().all(|end| end.fate >= Fate::Gone)
    }

    /// Whether the session has begun to end.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// When [`Relay::handle_timeout`] wants to be called. It moves with every byte; a driver may keep an earlier
    /// timer and ask again when that fires.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Micros> {
        let stage = match self.stage {
            Stage::Open => {
                let idle = self.limits.idle.map(|idle| self.moved.plus(idle));
                let keepalive = self.keepalive.as_ref().and_then(|it| it.deadline(&self.limits));
                idle.into_iter().chain(keepalive).min()
            }
            Stage::Draining { until, .. } | Stage::Closing { until } | Stage::Lingering { until } => {
                Some(until)
            }
            Stage::Over => None,
        };
        let delays = self.flows.iter().map(|flow| flow.delayed_until).filter(|until| *until != Micros::ZERO);
        delays.chain(stage).min()
    }

    /// What passed from `side` to the other.
    #[must_use]
    pub fn counters(&self, side: Side) -> Counters {
        self.flow(side).counters
    }

    /// Who ended the session and how, from the moment it begins to end; final when [`Relay::is_over`].
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    fn flow(&self, side: Side) -> &Flow {
        &self.flows[side as usize]
    }

    fn end(&self, side: Side) -> &End {
        &self.ends[side as usize]
    }

    fn happened(&mut self, side: Side, now: Micros, event: &Event) {
        match *event {
            Event::Closed(reason) => self.closed_by(side, now, reason),
            Event::Broken(violation) => self.broken_by(side, now, violation),
            Event::Refused(reason) => self.refused(side, now, reason),
        }
    }
}

/// The reason that a session's other party is told, as short JSON.
pub(crate) fn because(code: u16, word: &str) -> CloseReason {
    CloseReason::ours(code, &format!(r#"{{"reason":"{word}"}}"#))
}

#[cfg(test)]
mod tests;
