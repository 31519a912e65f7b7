//! How a session ends: who is told what, who is waited for, and for how long.
//!
//! It does not know frames beyond "is the stream to that side at a boundary". Its invariants: each side is told at
//! most one Close; nothing follows it; every stage has a deadline, so every session ends.

use super::{Micros, Relay, Side, because};
use crate::close::{CloseError, CloseReason, ControlFrame, code};
use crate::frame::FrameError;
use crate::mask::Key;

/// How long a side may take to answer a Close, and how long the end of a frame under way is awaited. Three seconds
/// cover a slow mobile round trip with a retransmission; with [`DRAIN_GRACE`] and [`LINGER`] every socket is gone
/// five seconds after the first sign of an end.
pub const CLOSE_GRACE: Micros = Micros::from_secs(3);
/// How long a side that broke a rule may still get the answers owed to it before it is told. It ends sooner when
/// the other side answers its own Close: what it owed came before that.
pub const DRAIN_GRACE: Micros = Micros::from_secs(1);
/// How long bytes already said may take to leave, and how long a side may take to close its socket after ours: an
/// earlier close with unread bytes would reset the connection and take the Close frame with it.
pub const LINGER: Micros = Micros::from_secs(1);

/// What the driver does with a side's socket. It only ever grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It stays.
    #[default]
    Open,
    /// Everything for it is written: shut down its writing half, and go on reading (to the void) while
    /// [`Relay::reads`].
    Finish,
    /// Close it.
    Gone,
    /// Reset it (close with linger zero) and forget what is kept for it: it must not look like an orderly end.
    Reset,
}

/// Who ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Initiator {
    /// The client.
    Client,
    /// The backend.
    Backend,
    /// The gateway itself.
    Gateway,
}

impl From<Side> for Initiator {
    fn from(side: Side) -> Self {
        match side {
            Side::Client => Self::Client,
            Side::Backend => Self::Backend,
        }
    }
}

/// What made a session end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A Close frame.
    Closed,
    /// The end of the byte stream without a Close.
    Vanished,
    /// A reset or another failure of the socket.
    Reset,
    /// A broken rule.
    Violation(Violation),
    /// The limiter.
    Limit,
    /// Nothing moved for too long.
    Idle,
    /// It did not answer a Ping, nor say anything else.
    Silent,
    /// The session lasted as long as it may.
    Lifetime,
    /// [`Relay::close`]: expiry, block, shutdown, a fault of ours.
    Imposed,
}

/// A rule that a side broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A frame that RFC 6455 forbids: 1002, or 1007 where a close reason is not UTF-8.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Text that is not UTF-8: 1007.
    #[error("text is not valid UTF-8")]
    NotUtf8,
    /// A frame or message above its limit: 1009.
    #[error("message above the size limit")]
    TooBig,
    /// More fragments, or more empty ones, than a message may have: 1008.
    #[error("message in too many fragments")]
    TooManyFragments,
    /// More control frames than are free: 1008.
    #[error("too many control frames")]
    TooManyControlFrames,
    /// A compressed message that cannot be inflated: 1007.
    #[error("damaged compressed message")]
    BadCompression,
}

impl Violation {
    /// The close code for the side that broke the rule.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Frame(FrameError::Close(CloseError::ReasonNotUtf8))
            | Self::NotUtf8
            | Self::BadCompression => code::INVALID_PAYLOAD,
            Self::Frame(_) => code::PROTOCOL_ERROR,
            Self::TooBig => code::TOO_BIG,
            Self::TooManyFragments | Self::TooManyControlFrames => code::POLICY,
        }
    }

    /// One word for it, as in the reason of the Close.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Frame(FrameError::ReservedBit) => "reserved_bit",
            Self::Frame(FrameError::ReservedOpcode { .. }) => "reserved_opcode",
            Self::Frame(FrameError::FragmentedControl) => "fragmented_control",
            Self::Frame(FrameError::LongControl) => "long_control",
            Self::Frame(FrameError::Unmasked) => "unmasked",
            Self::Frame(FrameError::Masked) => "masked",
            Self::Frame(FrameError::LengthNotMinimal | FrameError::LengthHighBit) => "length",
            Self::Frame(FrameError::StrayContinuation | FrameError::InterruptedMessage) => "fragmentation",
            Self::Frame(FrameError::Close(CloseError::ReasonNotUtf8)) | Self::NotUtf8 => "utf8",
            Self::Frame(FrameError::Close(_)) => "close_frame",
            Self::TooBig => "message_size",
            Self::TooManyFragments => "fragments",
            Self::TooManyControlFrames => "control_frames",
            Self::BadCompression => "compression",
        }
    }
}

/// Who ended a session and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What the end is called: the code of the first Close said or passed on; 1005 for an empty one, 1006 where a
    /// side vanished.
    pub code: u16,
    /// Who ended it.
    pub initiator: Initiator,
    /// What made it end.
    pub cause: Cause,
    /// A side could not be told properly: it was left inside a frame, or did not take its Close in time.
    pub cut: bool,
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    /// The offender has its Close waiting until the answers owed to it have come.
    Draining {
        offender: Side,
        until: Micros,
    },
    /// Closes are said and answered.
    Closing {
        until: Micros,
    },
    /// Last bytes leave, sockets close.
    Lingering {
        until: Micros,
    },
    Over,
}

/// What is said to one side.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent observations; the stage is the enum")]
pub(super) struct End {
    /// Bytes given to the driver that the socket has not taken.
    pub(super) owed: u64,
    /// The Close to be said.
    pub(super) slot: Option<Box<CloseReason>>,
    /// The code of the Close that came from it, zero if that was empty.
    heard_code: u16,
    /// A Close came from it.
    heard: bool,
    /// Its Close was given to the driver.
    pub(super) said: bool,
    /// The slot waits for the drain.
    held: bool,
    /// It broke a rule: no answer of it is awaited.
    broken: bool,
    pub(super) eof: bool,
    pub(super) fate: Fate,
}

impl Relay {
    /// `side`'s byte stream ended in order.
    pub fn eof(&mut self, side: Side, now: Micros) {
        self.moved = now;
        let end = &mut self.ends[side as usize];
        end.eof = true;
        // It may have shut down only its writing half, and still read the Close that it waits for or that we owe it.
        let is_owed_close = end.slot.is_some() || (end.said && end.owed > 0);
        if end.fate == Fate::Open && end.heard {
            self.progress();
        } else if end.fate == Fate::Open && is_owed_close {
            end.broken = true;
            self.flows[side as usize].go_blind();
            self.give_up_on(side, now);
            self.progress();
        } else {
            self.vanished(side, now, Cause::Vanished);
        }
    }

    /// `side`'s socket failed: reset, or a write was refused.
    pub fn reset(&mut self, side: Side, now: Micros) {
        self.moved = now;
        self.ends[side as usize].eof = true;
        self.vanished(side, now, Cause::Reset);
    }

    /// Ends the session for a reason of the gateway's: each side is told its own at the next frame boundary. Does
    /// nothing when the session is ending already.
    pub fn close(&mut self, now: Micros, client: CloseReason, backend: CloseReason) {
        if self.stage == Stage::Open {
            self.begin(client.code().unwrap_or(code::NO_STATUS), Initiator::Gateway, Cause::Imposed);
            self.tell_both(now, client, backend);
        }
    }

    /// Does what is due at `now`; harmless when nothing is.
    pub fn handle_timeout(&mut self, now: Micros) {
        for flow in &mut self.flows {
            if flow.delayed_until <= now {
                flow.delayed_until = Micros::ZERO;
            }
        }
        match self.stage {
            Stage::Open if self.limits.idle.is_some_and(|idle| now >= self.moved.plus(idle)) => {
                self.begin(code::GOING_AWAY, Initiator::Gateway, Cause::Idle);
                let idle = because(code::GOING_AWAY, "idle");
                self.tell_both(now, idle, idle);
            }
            Stage::Open => self.check_presence(now),
            Stage::Draining { offender, until } if now >= until => self.release(offender, now),
            Stage::Closing { until } if now >= until => self.stop_waiting(now),
            Stage::Lingering { until } if now >= until => self.finish_now(),
            _ => {}
        }
    }

    /// A Close came from `side` (RFC 6455 section 5.5.1): it is passed on as it is, or was the answer awaited.
    pub(super) fn closed_by(&mut self, side: Side, now: Micros, reason: CloseReason) {
        let end = &mut self.ends[side as usize];
        end.heard = true;
        end.heard_code = reason.code().unwrap_or_default();
        match self.stage {
            Stage::Open => {
                self.begin(reason.code().unwrap_or(code::NO_STATUS), side.into(), Cause::Closed);
                self.stage = Stage::Closing { until: now.plus(CLOSE_GRACE) };
                self.tell(side.other(), reason);
            }
            Stage::Draining { offender, .. } => self.release(offender, now),
            // The answer to a Close passed on, or one that crossed it; after ours it stays here.
            Stage::Closing { .. } | Stage::Lingering { .. } if !self.is_told(side.other()) => {
                self.tell(side.other(), reason);
            }
            Stage::Closing { .. } | Stage::Lingering { .. } | Stage::Over => {}
        }
        self.progress();
    }

    /// `side` broke a rule: it is told after the answers owed to it, the other side at once.
    pub(super) fn broken_by(&mut self, side: Side, now: Micros, violation: Violation) {
        self.ends[side as usize].broken = true;
        if self.stage == Stage::Open {
            self.begin(violation.code(), side.into(), Cause::Violation(violation));
            let other = match side {
                Side::Client => because(code::GOING_AWAY, "client_protocol_error"),
                Side::Backend => because(code::INTERNAL, "backend_protocol_error"),
            };
            self.drain(side, now, because(violation.code(), violation.word()), other);
        } else {
            self.give_up_on(side, now);
        }
        self.progress();
    }

    /// The limiter ends the session at a message of `side`.
    pub(super) fn refused(&mut self, side: Side, now: Micros, reason: CloseReason) {
        match self.stage {
            Stage::Open => {
                self.begin(reason.code().unwrap_or(code::NO_STATUS), Initiator::Gateway, Cause::Limit);
                let backend = because(code::GOING_AWAY, "limit");
                match side {
                    Side::Client => self.drain(side, now, reason, backend),
                    Side::Backend => self.tell_both(now, reason, backend),
                }
            }
            // An answer owed that the limit does not allow either: no more of them will.
            Stage::Draining { offender, .. } => self.release(offender, now),
            _ => {}
        }
        self.progress();
    }

    /// Hands out the Close for `side` once the stream to it is at a boundary.
    #[cold]
    pub(super) fn say(&mut self, side: Side, key: impl FnOnce() -> Key) -> Option<ControlFrame> {
        if self.end(side).held || self.flow(side.other()).is_inside_frame() {
            return None;
        }
        let end = &mut self.ends[side as usize];
        let reason = end.slot.take()?;
        let frame = reason.to_frame((side == Side::Backend).then(key));
        end.said = true;
        end.owed += frame.as_bytes().len() as u64;
        Some(frame)
    }

    /// Moves the sockets on to their end as far as the state allows.
    pub(super) fn progress(&mut self) {
        let is_last = matches!(self.stage, Stage::Lingering { .. });
        for end in &mut self.ends {
            let answered = end.heard || end.broken || is_last;
            if end.fate == Fate::Open && end.said && end.owed == 0 && answered {
                end.fate = Fate::Finish;
            }
            if end.fate == Fate::Finish && end.eof {
                end.fate = Fate::Gone;
            }
        }
        if self.is_over() {
            self.stage = Stage::Over;
        } else if let Stage::Closing { until } = self.stage
            && self.ends.iter().all(|end| end.fate >= Fate::Finish)
        {
            self.stage = Stage::Lingering { until: until.min(self.moved.plus(LINGER)) };
        }
    }

    pub(super) fn vanished(&mut self, side: Side, now: Micros, cause: Cause) {
        if self.end(side).fate >= Fate::Gone {
            return;
        }
        let end = &mut self.ends[side as usize];
        (end.fate, end.slot, end.owed) = (Fate::Gone, None, 0);
        self.flows[side.other() as usize].lose_reader();
        self.flows[side as usize].go_blind();
        if self.stage == Stage::Open {
            self.begin(code::ABNORMAL, side.into(), cause);
            self.stage = Stage::Closing { until: now.plus(CLOSE_GRACE) };
            self.tell(
                side.other(),
                match side {
                    Side::Client => because(code::GOING_AWAY, "client_gone"),
                    Side::Backend => because(code::BAD_GATEWAY, "backend_gone"),
                },
            );
        } else {
            self.give_up_on(side, now);
        }
        self.progress();
    }

    /// During an end: no answer will come from `side`, so what the other side waits for must come from us.
    fn give_up_on(&mut self, side: Side, now: Micros) {
        let other = side.other();
        if self.flow(side).is_torn() {
            self.cut(other);
        }
        if let Stage::Draining { offender, .. } = self.stage {
            self.release(offender, now);
        }
        self.answer_for(side);
    }

    pub(super) fn begin(&mut self, code: u16, initiator: Initiator, cause: Cause) {
        self.ending = Some(Ending { code, initiator, cause, cut: false });
    }

    pub(super) fn tell_both(&mut self, now: Micros, client: CloseReason, backend: CloseReason) {
        self.stage = Stage::Closing { until: now.plus(CLOSE_GRACE) };
        self.tell(Side::Client, client);
        self.tell(Side::Backend, backend);
    }

    /// Tells the other side at once and the offender after what is still owed to it.
    fn drain(&mut self, offender: Side, now: Micros, reason: CloseReason, other: CloseReason) {
        self.stage = Stage::Draining { offender, until: now.plus(DRAIN_GRACE) };
        let end = &mut self.ends[offender as usize];
        (end.slot, end.held) = (Some(Box::new(reason)), true);
        self.tell(offender.other(), other);
        if self.end(offender.other()).fate >= Fate::Gone {
            self.release(offender, now);
        }
    }

    /// The drain is over: the offender is told.
    fn release(&mut self, offender: Side, now: Micros) {
        self.stage = Stage::Closing { until: now.plus(CLOSE_GRACE) };
        self.ends[offender as usize].held = false;
        if self.flow(offender.other()).is_torn() {
            self.cut(offender);
        }
        self.flows[offender.other() as usize].wind_down();
    }

    /// Puts a Close into `side`'s slot, or cuts it where no boundary can come any more.
    fn tell(&mut self, side: Side, reason: CloseReason) {
        if self.is_told(side) {
            return;
        }
        if self.flow(side.other()).is_torn() {
            self.cut(side);
            return;
        }
        self.flows[side.other() as usize].wind_down();
        self.ends[side as usize].slot = Some(Box::new(reason));
    }

    fn is_told(&self, side: Side) -> bool {
        let end = self.end(side);
        end.said || end.slot.is_some() || end.fate != Fate::Open
    }

    /// The answer that a side gets whose Close the other did not answer (RFC 6455 section 5.5.1: the code echoed).
    fn echo(&self, side: Side) -> CloseReason {
        match self.end(side).heard_code {
            0 => CloseReason::EMPTY,
            code => CloseReason::ours(code, ""),
        }
    }

    /// The grace is over: whoever has not been told is told now, or cut.
    fn stop_waiting(&mut self, now: Micros) {
        self.stage = Stage::Lingering { until: now.plus(LINGER) };
        for side in Side::BOTH {
            if self.end(side).fate != Fate::Open {
                continue;
            }
            if self.end(side).said {
                self.flows[side as usize].go_blind();
            } else if self.flow(side.other()).is_inside_frame() {
                self.cut(side);
            } else {
                self.tell(side, self.echo(side));
            }
        }
        self.progress();
    }

    /// The last deadline: sockets that took everything close, others are cut.
    fn finish_now(&mut self) {
        for side in Side::BOTH {
            let end = self.end(side);
            if end.fate < Fate::Gone && (end.owed > 0 || !end.said) {
                self.cut(side);
            }
            let end = &mut self.ends[side as usize];
            end.fate = end.fate.max(Fate::Gone);
        }
        self.stage = Stage::Over;
    }

    /// Gives a side up that cannot be told: it is reset, and nothing is heard from it.
    fn cut(&mut self, side: Side) {
        if self.end(side).fate >= Fate::Gone {
            return;
        }
        let end = &mut self.ends[side as usize];
        (end.fate, end.slot, end.owed) = (Fate::Reset, None, 0);
        self.flows[side as usize].go_blind();
        self.flows[side.other() as usize].lose_reader();
        if let Some(ending) = &mut self.ending {
            ending.cut = true;
        }
        self.answer_for(side);
    }

    /// Answers the other side's Close where `side` will not.
    fn answer_for(&mut self, side: Side) {
        let other = side.other();
        if self.end(other).heard && !self.is_told(other) {
            self.tell(other, self.echo(other));
        }
    }
}
