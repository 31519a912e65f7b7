//! One direction of a session: the frames that come from one side, judged as they pass.
//!
//! It knows the rules of RFC 6455 for frames and messages, the bounds, and the limiter; it does not know the other
//! direction, nor what is said when a rule is broken (`ending.rs`). Its invariant: bytes are forwarded in order and
//! only after they were judged, and every counter changes at the end of a frame, so that the way the bytes were cut
//! into slices changes neither verdict nor count.

use super::keepalive::{OwnPong, own_pong};
use super::limits::{Admission, Limiter, Limits, MessageKind, MessageStart};
use super::{Side, Then, Verdict, Violation};
use crate::close::CloseReason;
use crate::frame::{
    CONTROL_PAYLOAD_MAX, FrameError, HEADER_BYTES_MAX, Header, Opcode, scan_agreed, scan_any,
};
use crate::mask::{self, Key};
use crate::time::Micros;
use crate::utf8::{NotUtf8, Utf8};

/// What passed in one direction. Only whole frames and whole messages count; a Close frame, refused and dropped
/// messages are not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Data messages that passed whole.
    pub messages: u64,
    /// Payload bytes of the data frames.
    pub bytes: u64,
    /// Data frames.
    pub frames: u64,
    /// Pings and pongs.
    pub control_frames: u32,
    /// Data messages that the limiter had dropped.
    pub dropped: u32,
}

/// What becomes of a direction's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Judged and forwarded.
    Forward,
    /// Judged, but no further frame is forwarded: only the Close is looked for. The frame under way still goes to
    /// its end, for the other side's Close waits for that.
    Scan,
    /// Not looked at: the side has said its Close, cannot be believed, or is gone.
    Blind,
}

/// Something in the stream that concerns the session as a whole.
#[derive(Debug)]
pub(super) enum Event {
    /// The side said its Close.
    Closed(CloseReason),
    /// The side broke a rule.
    Broken(Violation),
    /// The limiter ends the session at a message of this side.
    Refused(CloseReason),
}

pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    /// Boxed because it comes at most a few times in a session's life.
    pub(super) event: Option<Box<Event>>,
    /// Nothing of the session's was in it: the Pong that answers a Ping of ours, or the begun header of a frame that
    /// may be one.
    pub(super) is_idle: bool,
    /// The Pong that was awaited has come, and nothing of it goes on.
    pub(super) is_answer: bool,
}

/// Why a slice is not walked any further.
enum Stop {
    Event(Box<Event>),
    Delay(Micros),
}

impl<E: Into<Violation>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Event(Box::new(Event::Broken(error.into())))
    }
}

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what is known of the frame under way; the mode is the enum"
)]
pub(super) struct Flow {
    /// Payload bytes of the current frame that have not come.
    left: u64,
    frame_bytes: u64,
    message_bytes: u64,
    /// Zero unless the limiter delays this side.
    pub(super) delayed_until: Micros,
    /// When the allowance of control frames will be whole again (a token bucket kept as one time).
    control_free_at: Micros,
    pub(super) counters: Counters,
    /// The payload of a Close frame while it comes; there is one in a session's life.
    close: Option<Box<ClosePayload>>,
    fragments: u32,
    empty_fragments: u16,
    /// The mask of the next payload byte.
    key: Key,
    utf8: Utf8,
    carry: [u8; HEADER_BYTES_MAX - 1],
    carry_len: u8,
    side: Side,
    pub(super) mode: Mode,
    opcode: Opcode,
    fin: bool,
    message: Option<MessageKind>,
    /// It is text that must be UTF-8.
    checks_text: bool,
    /// The message under way is discarded.
    dropping: bool,
    /// The current frame is forwarded.
    passing: bool,
    /// The client shall be told of a message of this side that was dropped.
    pub(super) notify: bool,
}

#[derive(Debug)]
struct ClosePayload {
    key: Key,
    len: usize,
    bytes: [u8; CONTROL_PAYLOAD_MAX],
}

impl Flow {
    pub(super) fn new(side: Side) -> Self {
        Self {
            left: 0,
            frame_bytes: 0,
            message_bytes: 0,
            delayed_until: Micros::ZERO,
            control_free_at: Micros::ZERO,
            counters: Counters::default(),
            close: None,
            fragments: 0,
            empty_fragments: 0,
            key: [0; 4],
            utf8: Utf8::default(),
            carry: [0; HEADER_BYTES_MAX - 1],
            carry_len: 0,
            side,
            mode: Mode::Forward,
            opcode: Opcode::Continuation,
            fin: true,
            message: None,
            checks_text: false,
            dropping: false,
            passing: false,
            notify: false,
        }
    }

    pub(super) fn carried(&self) -> &[u8] {
        &self.carry[..usize::from(self.carry_len)]
    }

    /// Whether what was forwarded ends inside a frame.
    pub(super) fn is_inside_frame(&self) -> bool {
        self.passing && self.left > 0
    }

    /// Whether what was forwarded ends between two messages.
    pub(super) fn is_between_messages(&self) -> bool {
        !self.is_inside_frame() && (self.message.is_none() || self.dropping)
    }

    /// Whether the frame under way can never be completed.
    pub(super) fn is_torn(&self) -> bool {
        self.mode == Mode::Blind && self.is_inside_frame()
    }

    /// Whether bytes that come now would go to the other side.
    #[inline]
    pub(super) fn forwards(&self) -> bool {
        self.mode == Mode::Forward || (self.mode == Mode::Scan && self.is_inside_frame())
    }

    /// The other side shall get a Close: forward to the next frame boundary and no further.
    pub(super) fn wind_down(&mut self) {
        if self.mode == Mode::Forward {
            self.mode = Mode::Scan;
            // What the limiter held back is read again, now only to find this side's Close.
            self.delayed_until = Micros::ZERO;
        }
    }

    /// The other side is gone: nothing is forwarded any more, but this side's Close is still looked for.
    pub(super) fn lose_reader(&mut self) {
        if self.mode == Mode::Forward {
            self.mode = Mode::Scan;
        }
        self.passing = false;
        self.delayed_until = Micros::ZERO;
    }

    /// Nothing more comes, or nothing that comes matters.
    pub(super) fn go_blind(&mut self) {
        self.mode = Mode::Blind;
        self.carry_len = 0;
        self.delayed_until = Micros::ZERO;
    }

    /// Walks the frames in `slice`.
    #[inline]
    pub(super) fn step(
        &mut self,
        now: Micros,
        slice: &mut [u8],
        limits: &Limits,
        limiter: &mut impl Limiter,
        awaited: Option<Key>,
    ) -> Outcome {
        self.carry_len = 0;
        if self.mode == Mode::Blind {
            return all(0, slice.len());
        }
        let (mut at, mut forward) = (0, 0);
        // Where the current frame began in this slice; none if it began in an earlier one.
        let mut start = None;
        loop {
            if self.left == 0 {
                let masked = self.side == Side::Client;
                let scanned = match scan_agreed(&slice[at..], masked, limits.deflate) {
                    Err(_) if !limits.frame_checks => scan_any(&slice[at..], masked),
                    scanned => scanned,
                };
                match scanned {
                    Ok(Some((header, header_bytes))) => {
                        start = Some(at);
                        let (payload, end) = (at + header_bytes, at + header_bytes + header.payload_len());
                        if self.is_plain(header) && end <= slice.len() {
                            match self.whole_message(now, header, &mut slice[payload..end], limits, limiter) {
                                Ok(true) => {
                                    (at, forward) = (end, end);
                                    continue;
                                }
                                Ok(false) => return hole(forward, end, slice.len()),
                                Err(stop) => return self.stop(stop, start, forward, slice.len()),
                            }
                        }
                        if let Some(nonce) = awaited
                            && header.opcode == Opcode::Pong
                        {
                            match own_pong(nonce, header, slice.get(payload..end)) {
                                OwnPong::Other => {}
                                OwnPong::Unknown => {
                                    self.keep(&slice[at..]);
                                    return Outcome { is_idle: at == 0, ..all(forward, slice.len()) };
                                }
                                OwnPong::Own => {
                                    let (is_idle, is_answer) = (at == 0, true);
                                    return Outcome { is_idle, is_answer, ..hole(forward, end, slice.len()) };
                                }
                            }
                        }
                        if let Err(stop) = self.begin(now, header, limits, limiter) {
                            return self.stop(stop, start, forward, slice.len());
                        }
                        at += header_bytes;
                    }
                    Ok(None) => {
                        self.keep(&slice[at..]);
                        return Outcome { is_idle: at == 0, ..all(forward, slice.len()) };
                    }
                    Err(error) => return self.stop(error.into(), Some(at), forward, slice.len()),
                }
            }
            let room = (slice.len() - at) as u64;
            let piece = usize::try_from(self.left.min(room)).expect("bounded by the slice's length");
            if let Err(stop) = self.payload(&mut slice[at..at + piece], limiter) {
                return self.stop(stop, start, forward, slice.len());
            }
            at += piece;
            if self.passing {
                forward = at;
            } else if self.mode == Mode::Forward {
                return hole(forward, at, slice.len());
            }
            if self.left > 0 {
                return all(forward, slice.len());
            }
            self.passing = false;
        }
    }

    /// Whether a frame begins and ends a data message, in a stream where nothing is under way.
    #[inline]
    fn is_plain(&self, header: Header) -> bool {
        let is_message = matches!(header.opcode, Opcode::Text | Opcode::Binary) && header.fin;
        is_message && self.message.is_none() && self.mode == Mode::Forward
    }

    /// Judges a message that lies whole in the slice, by far the most common case, without touching what describes
    /// a frame under way. Says whether it is forwarded. The same rules hold as in the general walk.
    #[inline]
    fn whole_message(
        &mut self,
        now: Micros,
        header: Header,
        payload: &mut [u8],
        limits: &Limits,
        limiter: &mut impl Limiter,
    ) -> Result<bool, Stop> {
        let bytes = header.payload_bytes;
        let is_text = header.opcode == Opcode::Text;
        let is_dropped = self.admit(now, header, is_text, limits, limiter)?;
        if is_text && limits.utf8 && !header.compressed {
            self.key = header.key.unwrap_or_default();
            self.text(payload)?;
            self.utf8.finish().map_err(Violation::from)?;
        }
        if is_dropped {
            self.counters.dropped = self.counters.dropped.saturating_add(1);
        } else {
            self.counters.frames += 1;
            self.counters.messages += 1;
            self.counters.bytes += bytes;
            limiter.passed(self.side, bytes);
        }
        Ok(!is_dropped)
    }

    /// Judges the first frame of a message by its header; says whether the limiter drops the message.
    #[inline]
    fn admit(
        &mut self,
        now: Micros,
        header: Header,
        is_text: bool,
        limits: &Limits,
        limiter: &mut impl Limiter,
    ) -> Result<bool, Stop> {
        let payload_bytes = header.payload_bytes;
        if payload_bytes > limits.frame_bytes_max || payload_bytes > limits.message_bytes_max {
            return Err(Violation::TooBig.into());
        }
        let kind = if is_text { MessageKind::Text } else { MessageKind::Binary };
        let message = MessageStart { from: self.side, kind, payload_bytes, is_whole: header.fin };
        match limiter.admit(now, message) {
            Admission::Pass => Ok(false),
            Admission::Drop => Ok(true),
            Admission::Notify => {
                self.notify = true;
                Ok(true)
            }
            Admission::Delay(until) => Err(Stop::Delay(until)),
            Admission::Close(reason) => Err(Stop::Event(Box::new(Event::Refused(reason)))),
        }
    }

    /// Judges a header in the light of what came before, and asks the limiter at a message's first.
    #[inline]
    fn begin(
        &mut self,
        now: Micros,
        header: Header,
        limits: &Limits,
        limiter: &mut impl Limiter,
    ) -> Result<(), Stop> {
        let bytes = header.payload_bytes;
        if header.opcode.is_control() {
            self.spend_control(now, limits)?;
            if bytes > limits.frame_bytes_max {
                // Only where frames are not checked: else a control frame is short.
                return Err(Violation::TooBig.into());
            }
            if header.opcode == Opcode::Close {
                let key = header.key.unwrap_or_default();
                self.close = Some(Box::new(ClosePayload { key, len: 0, bytes: [0; CONTROL_PAYLOAD_MAX] }));
            }
            self.passing = self.mode == Mode::Forward && header.opcode != Opcode::Close;
        } else {
            self.begin_data(now, header, limits, limiter)?;
            self.fin = header.fin;
            self.key = header.key.unwrap_or_default();
            self.passing = self.mode == Mode::Forward && !self.dropping;
        }
        self.opcode = header.opcode;
        self.frame_bytes = bytes;
        self.left = bytes;
        Ok(())
    }

    #[inline]
    fn begin_data(
        &mut self,
        now: Micros,
        header: Header,
        limits: &Limits,
        limiter: &mut impl Limiter,
    ) -> Result<(), Stop> {
        let bytes = header.payload_bytes;
        let kind = match header.opcode {
            Opcode::Text => MessageKind::Text,
            Opcode::Binary => MessageKind::Binary,
            // Nobody knows what it continues.
            _ if self.message.is_none() && !limits.frame_checks => MessageKind::Binary,
            _ => return self.begin_fragment(header, limits),
        };
        if self.message.is_some() && limits.frame_checks {
            // RFC 6455 section 5.4: fragments of two messages are not interleaved.
            return Err(FrameError::InterruptedMessage.into());
        }
        let is_text = kind == MessageKind::Text;
        self.dropping = if self.mode == Mode::Forward {
            self.admit(now, header, is_text, limits, limiter)?
        } else {
            // Nobody is asked about a message that is only scanned over.
            self.admit(now, header, is_text, limits, &mut super::Unlimited)?
        };
        self.message = Some(kind);
        self.checks_text = is_text && limits.utf8 && !header.compressed;
        self.message_bytes = bytes;
        self.fragments = 0;
        self.empty_fragments = u16::from(bytes == 0 && !header.fin);
        Ok(())
    }

    fn begin_fragment(&mut self, header: Header, limits: &Limits) -> Result<(), Stop> {
        if self.message.is_none() {
            return Err(FrameError::StrayContinuation.into());
        }
        let bytes = header.payload_bytes;
        let message_bytes = self.message_bytes.saturating_add(bytes);
        if bytes > limits.frame_bytes_max || message_bytes > limits.message_bytes_max {
            return Err(Violation::TooBig.into());
        }
        let fragments = self.fragments.saturating_add(1);
        let empty = self.empty_fragments.saturating_add(u16::from(bytes == 0 && !header.fin));
        // The first frame is a fragment as well.
        if fragments >= limits.fragments_max || empty > limits.empty_fragments_max {
            return Err(Violation::TooManyFragments.into());
        }
        (self.message_bytes, self.fragments, self.empty_fragments) = (message_bytes, fragments, empty);
        Ok(())
    }

    /// Control frames are free but bounded: a token bucket whose level is a time.
    fn spend_control(&mut self, now: Micros, limits: &Limits) -> Result<(), Violation> {
        let each = 1_000_000 / u64::from(limits.control_per_second.max(1));
        let full = now.plus(Micros::new(each.saturating_mul(u64::from(limits.control_burst))));
        let next = self.control_free_at.max(now).plus(Micros::new(each));
        if next > full {
            return Err(Violation::TooManyControlFrames);
        }
        self.control_free_at = next;
        Ok(())
    }

    /// Judges a piece of the current frame's payload, and the frame when it is the last piece.
    #[inline]
    fn payload(&mut self, piece: &mut [u8], limiter: &mut impl Limiter) -> Result<(), Stop> {
        let is_last = self.left == piece.len() as u64;
        if self.opcode.is_control() {
            if self.opcode == Opcode::Close {
                self.close_payload(piece, is_last)?;
            } else if is_last && self.passing {
                self.counters.control_frames = self.counters.control_frames.saturating_add(1);
            }
            self.left -= piece.len() as u64;
            return Ok(());
        }
        if self.checks_text {
            self.text(piece)?;
            if is_last && self.fin {
                self.utf8.finish().map_err(Violation::from)?;
            }
        }
        self.left -= piece.len() as u64;
        if is_last {
            self.frame_ended(limiter);
        }
        Ok(())
    }

    #[inline]
    fn frame_ended(&mut self, limiter: &mut impl Limiter) {
        if self.passing {
            self.counters.frames += 1;
            self.counters.bytes += self.frame_bytes;
            self.counters.messages += u64::from(self.fin);
            limiter.passed(self.side, self.frame_bytes);
        } else if self.fin && self.dropping {
            self.counters.dropped = self.counters.dropped.saturating_add(1);
        }
        if self.fin {
            self.message = None;
            self.checks_text = false;
        }
    }

    /// RFC 6455 section 8.1. A masked piece is unmasked in place, read, and masked again: both passes stay in the
    /// nearest cache, and most text is ASCII, which shows without unmasking.
    #[inline]
    fn text(&mut self, piece: &mut [u8]) -> Result<(), Violation> {
        if self.side == Side::Backend {
            return Ok(self.utf8.push(piece)?);
        }
        let key = self.key;
        self.key = mask::rotate(key, piece.len() as u64);
        if self.utf8.is_whole() && mask::is_ascii_under(key, piece) {
            return Ok(());
        }
        mask::apply(key, piece);
        let result = self.utf8.push(piece);
        mask::apply(key, piece);
        Ok(result?)
    }

    /// A Close is judged whole: until then nothing of it is forwarded, and then it goes out as a frame of ours.
    fn close_payload(&mut self, piece: &[u8], is_last: bool) -> Result<(), Stop> {
        let Some(close) = self.close.as_mut() else { return Ok(()) };
        close.bytes[close.len..close.len + piece.len()].copy_from_slice(piece);
        close.len += piece.len();
        if !is_last {
            return Ok(());
        }
        let (key, payload) = (close.key, &mut close.bytes[..close.len]);
        mask::apply(key, payload);
        let reason = CloseReason::parse(payload).map_err(FrameError::from)?;
        self.close = None;
        Err(Stop::Event(Box::new(Event::Closed(reason))))
    }

    /// Keeps the begun header of a frame.
    fn keep(&mut self, begun: &[u8]) {
        self.carry[..begun.len()].copy_from_slice(begun);
        self.carry_len = u8::try_from(begun.len()).expect("a header without its last byte has at most 13");
    }

    #[cold]
    fn stop(&mut self, stop: Stop, start: Option<usize>, forward: usize, len: usize) -> Outcome {
        let event = match stop {
            Stop::Delay(until) => {
                self.delayed_until = until.max(Micros::new(1));
                let verdict = Verdict { forward, consumed: forward, then: Then::Wait };
                return Outcome { verdict, event: None, is_idle: false, is_answer: false };
            }
            Stop::Event(event) => event,
        };
        // A frame that began in this slice was not forwarded; one that began earlier never will be whole.
        self.passing &= start.is_none();
        self.mode = match *event {
            // The side is honest and its Close can still be found: the refused message is scanned over.
            Event::Refused(_) => Mode::Scan,
            Event::Closed(_) | Event::Broken(_) => Mode::Blind,
        };
        let (consumed, then) = match *event {
            // Where the limiter is asked, what came before was forwarded: its message begins right there.
            Event::Refused(_) => (forward, Then::Again),
            _ => (len, Then::Done),
        };
        Outcome {
            verdict: Verdict { forward, consumed, then },
            event: Some(event),
            is_idle: false,
            is_answer: false,
        }
    }
}

/// A stretch that is not forwarded ends at `consumed`: the caller comes again with what follows it.
fn hole(forward: usize, consumed: usize, len: usize) -> Outcome {
    let then = if consumed < len { Then::Again } else { Then::Done };
    Outcome { verdict: Verdict { forward, consumed, then }, event: None, is_idle: false, is_answer: false }
}

fn all(forward: usize, consumed: usize) -> Outcome {
    Outcome {
        verdict: Verdict { forward, consumed, then: Then::Done },
        event: None,
        is_idle: false,
        is_answer: false,
    }
}

impl From<NotUtf8> for Violation {
    fn from(_: NotUtf8) -> Self {
        Self::NotUtf8
    }
}
