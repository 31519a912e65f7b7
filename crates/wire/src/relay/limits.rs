//! The bounds of a session, and the question that the relay asks before a message may pass.
//!
//! It does not know budgets, plans or windows: whoever implements [`Limiter`] does. The relay is generic over it,
//! so that asking costs a direct call. Read [`super`] for what each answer leads to.

use super::Side;
use crate::close::CloseReason;
use crate::time::Micros;

/// The largest message that passes unless configured otherwise: the largest of Autobahn's limit cases (16 MiB).
pub const MESSAGE_BYTES_MAX: u64 = 16 << 20;
/// Fragments of one message: Autobahn's limit cases send 65,536; one fragment costs nanoseconds and no memory, so
/// twice that is generous to the honest and still ends a storm.
pub const FRAGMENTS_MAX: u32 = 131_072;
/// Empty fragments of one message: encoders open or end a message with one, nobody needs more than a few.
pub const EMPTY_FRAGMENTS_MAX: u16 = 256;
/// Control frames that may come at once: a reader that was stalled for a while answers its pings in one go.
pub const CONTROL_BURST: u32 = 1_000;
/// Control frames a second in the long run: twenty times what the busiest heartbeat sends.
pub const CONTROL_PER_SECOND: u32 = 100;

/// How long a side may take to answer a Ping: the slowest round trip of a mobile network and then some.
pub const PONG_TIMEOUT: Micros = Micros::from_secs(10);

/// What one session may do; shared by all sessions of an API and replaced as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Payload bytes of one message, over all its fragments.
    pub message_bytes_max: u64,
    /// Payload bytes of one data frame.
    pub frame_bytes_max: u64,
    /// Fragments of one message.
    pub fragments_max: u32,
    /// Fragments without payload of one message, the last one not counted.
    pub empty_fragments_max: u16,
    /// Control frames that may come at once from one side.
    pub control_burst: u32,
    /// Control frames a second from one side in the long run.
    pub control_per_second: u32,
    /// Frames must obey RFC 6455 section 5. Else they pass as they are: see [`crate::frame::scan_any`] for what is still
    /// refused; fragments without a message, and messages inside of one, count as messages of their own.
    pub frame_checks: bool,
    /// Text must be UTF-8 (RFC 6455 section 8.1). Compressed text cannot be checked as it passes.
    pub utf8: bool,
    /// The two sides agreed on permessage-deflate with each other: messages may be compressed, and pass as they are.
    pub deflate: bool,
    /// End the session when no byte moved for so long, in either direction; `None` for never. Pings of ours and what
    /// answers them do not count.
    pub idle: Option<Micros>,
    /// Ask a side that said nothing for so long whether it is there; `None` for never.
    pub ping_interval: Option<Micros>,
    /// How long it may stay silent after that.
    pub pong_timeout: Micros,
    /// End the session when it has lasted so long; `None` for never.
    pub lifetime: Option<Micros>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: MESSAGE_BYTES_MAX,
            frame_bytes_max: MESSAGE_BYTES_MAX,
            fragments_max: FRAGMENTS_MAX,
            empty_fragments_max: EMPTY_FRAGMENTS_MAX,
            control_burst: CONTROL_BURST,
            control_per_second: CONTROL_PER_SECOND,
            frame_checks: true,
            utf8: true,
            deflate: false,
            idle: None,
            ping_interval: None,
            pong_timeout: PONG_TIMEOUT,
            lifetime: None,
        }
    }
}

/// Text or binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8, checked.
    Text,
    /// Any bytes.
    Binary,
}

/// What is known of a data message when the header of its first frame has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageStart {
    /// Who sends it.
    pub from: Side,
    /// Text or binary.
    pub kind: MessageKind,
    /// Payload bytes of the first frame.
    pub payload_bytes: u64,
    /// Whether the first frame is the whole message.
    pub is_whole: bool,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is forwarded.
    Pass,
    /// It is read and discarded whole, continuation frames included; control frames between them pass.
    Drop,
    /// As [`Admission::Drop`], and the client shall be told so: see [`super::Relay::poll_notice`].
    Notify,
    /// Nothing more is judged from this side before the given time; then the limiter is asked again.
    Delay(Micros),
    /// It is not forwarded, everything before it is; the client is told this reason, the backend 1001.
    Close(CloseReason),
}

/// Decides over each data message, in both directions. Control frames are not its business.
pub trait Limiter {
    /// Asked once for each message, when the header of its first frame has been read and nothing of it forwarded
    /// (again for the same message only after a [`Admission::Delay`]).
    fn admit(&mut self, now: Micros, message: MessageStart) -> Admission;

    /// Told of the payload bytes of each data frame that passed whole.
    fn passed(&mut self, from: Side, payload_bytes: u64) {
        let _ = (from, payload_bytes);
    }
}

/// No limit at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlimited;

impl Limiter for Unlimited {
    fn admit(&mut self, _: Micros, _: MessageStart) -> Admission {
        Admission::Pass
    }
}
