//! How an API treats the WebSocket protocol itself: compression, the check of text, the sizes of messages.
//!
//! Part of a design; gateways obey the live revision's. The names and the bounds are shown in the portal and checked
//! by REST; the defaults are argued beside them. It does not know frames.

use serde::{Deserialize, Serialize};

use crate::endpoint::Bounds;

/// Payload bytes of one message over all its fragments. 16 MiB is the largest of the usual conformance suites and
/// what common libraries take; 125 bytes is what a control frame may carry, and no message needs less.
pub const MESSAGE_BYTES: Bounds = Bounds { default: 16 << 20, min: 125, max: 1 << 30 };
/// Payload bytes of one frame. Not less than a message by default: a frame is streamed and costs no memory.
pub const FRAME_BYTES: Bounds = Bounds { default: 16 << 20, min: 125, max: 1 << 30 };

/// What becomes of permessage-deflate (RFC 7692).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Neither side is offered it: every message is looked at and nothing is spent.
    #[default]
    Off,
    /// Client and backend agree on it with each other; compressed messages pass unread, their text unchecked.
    Pass,
    /// It ends at the gateway, on either leg: every message is looked at, for the price of a coder.
    Terminate,
}

impl Compression {
    /// All, in the order a page shows them.
    pub const ALL: [Self; 3] = [Self::Off, Self::Pass, Self::Terminate];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Pass => "pass",
            Self::Terminate => "terminate",
        }
    }

    /// The compression of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Protocol {
    /// What becomes of permessage-deflate.
    pub compression: Compression,
    /// Frames must obey RFC 6455 section 5: reserved bits, opcodes, fragmentation, control frames, minimal lengths; a
    /// side that breaks a rule ends the session with 1002. Off: such frames pass as they are. Masks, Close frames and
    /// sizes are always checked, and all frames are where compression ends at the gateway.
    pub frame_checks: bool,
    /// Text messages must be UTF-8 (RFC 6455 section 8.1); others end the session with 1007.
    pub utf8_check: bool,
    /// See [`MESSAGE_BYTES`]; a larger one ends the session with 1009.
    pub message_bytes_max: u32,
    /// See [`FRAME_BYTES`]; a larger one ends the session with 1009.
    pub frame_bytes_max: u32,
}

impl Default for Protocol {
    fn default() -> Self {
        Self {
            compression: Compression::default(),
            frame_checks: true,
            utf8_check: true,
            message_bytes_max: MESSAGE_BYTES.default,
            frame_bytes_max: FRAME_BYTES.default,
        }
    }
}
