//! Close frames: which codes may travel, what a reason may be, and the payload that carries both.
//!
//! It does not know who closes whom or when; that is [`crate::relay`]. Reasons of our own are short JSON
//! (`{"reason":"idle"}`), reasons of the two sides are any UTF-8 that fits.

use crate::frame::{CONTROL_PAYLOAD_MAX, FrameError, Header, Opcode};
use crate::mask::{self, Key};

/// The close codes that this product gives a meaning to.
pub mod code {
    /// The purpose was fulfilled.
    pub const NORMAL: u16 = 1000;
    /// That side goes away: the client left, or nothing moved for too long.
    pub const GOING_AWAY: u16 = 1001;
    /// A frame broke RFC 6455.
    pub const PROTOCOL_ERROR: u16 = 1002;
    /// A Close frame without a code stands for this one; it never travels.
    pub const NO_STATUS: u16 = 1005;
    /// The connection ended without a Close frame; it never travels.
    pub const ABNORMAL: u16 = 1006;
    /// Text that is not UTF-8.
    pub const INVALID_PAYLOAD: u16 = 1007;
    /// A rule of ours that no more exact code fits.
    pub const POLICY: u16 = 1008;
    /// A frame or message above the size limit.
    pub const TOO_BIG: u16 = 1009;
    /// Something on our side of the client went wrong.
    pub const INTERNAL: u16 = 1011;
    /// Restart or redeploy: connect again.
    pub const RESTART: u16 = 1012;
    /// Overload: connect again later.
    pub const TRY_AGAIN: u16 = 1013;
    /// The backend is gone.
    pub const BAD_GATEWAY: u16 = 1014;
    /// The TLS handshake failed; it never travels.
    pub const TLS: u16 = 1015;
    /// The credential expired or was revoked.
    pub const UNAUTHORIZED: u16 = 3000;
    /// The subscription or the API no longer allows the session.
    pub const FORBIDDEN: u16 = 3003;
    /// A limit of the plan was reached.
    pub const LIMIT: u16 = 4429;
}

/// The longest reason: a control frame's payload less the two bytes of the code (RFC 6455 section 5.5).
pub const REASON_BYTES_MAX: usize = CONTROL_PAYLOAD_MAX - 2;
/// The longest Close frame on the wire: header, mask, payload.
pub const CLOSE_FRAME_BYTES_MAX: usize = 2 + 4 + CONTROL_PAYLOAD_MAX;

/// Whether a code may stand in a Close frame (RFC 6455 section 7.4 and the registry it founded: 1012 to 1014 were
/// registered later).
#[must_use]
pub const fn may_travel(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// What a Close frame says: a code and a reason, or nothing at all (an empty frame).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CloseReason {
    /// Zero stands for an empty Close frame.
    code: u16,
    len: u8,
    text: [u8; REASON_BYTES_MAX],
}

impl CloseReason {
    /// An empty Close frame.
    pub const EMPTY: Self = Self { code: 0, len: 0, text: [0; REASON_BYTES_MAX] };

    /// A code that may travel and a reason that fits.
    pub fn new(code: u16, reason: &str) -> Result<Self, CloseError> {
        if !may_travel(code) {
            return Err(CloseError::Code { code });
        }
        if reason.len() > REASON_BYTES_MAX {
            return Err(CloseError::ReasonTooLong { bytes: reason.len() });
        }
        Ok(Self::assemble(code, reason))
    }

    /// A code that may travel and a reason, cut at the last whole character that fits.
    ///
    /// For codes written in our own source: one that may not travel becomes 1011 instead of reaching the wire.
    #[must_use]
    pub fn ours(code: u16, reason: &str) -> Self {
        let code = if may_travel(code) { code } else { code::INTERNAL };
        let fits = reason.floor_char_boundary(REASON_BYTES_MAX);
        Self::assemble(code, &reason[..fits])
    }

    /// Reads the unmasked payload of a Close frame.
    pub fn parse(payload: &[u8]) -> Result<Self, CloseError> {
        match payload {
            [] => Ok(Self::EMPTY),
            [_] => Err(CloseError::OneByte),
            [high, low, reason @ ..] => {
                // The code is judged first: 1002 names the deeper mistake.
                let code = u16::from_be_bytes([*high, *low]);
                if !may_travel(code) {
                    return Err(CloseError::Code { code });
                }
                Self::new(code, std::str::from_utf8(reason).map_err(|_| CloseError::ReasonNotUtf8)?)
            }
        }
    }

    /// The code, unless the frame is empty.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        (self.code != 0).then_some(self.code)
    }

    /// The reason, possibly empty.
    #[must_use]
    pub fn reason(&self) -> &str {
        std::str::from_utf8(self.text()).expect("a reason is only ever made from a str")
    }

    /// The whole frame, masked when a key is given (towards a backend).
    #[must_use]
    pub fn to_frame(&self, key: Option<Key>) -> ControlFrame {
        let mut payload = [0; CONTROL_PAYLOAD_MAX];
        let len = if self.code == 0 { 0 } else { 2 + usize::from(self.len) };
        payload[..2].copy_from_slice(&self.code.to_be_bytes());
        payload[2..2 + usize::from(self.len)].copy_from_slice(self.text());
        ControlFrame::new(Opcode::Close, key, &payload[..len])
    }

    fn assemble(code: u16, reason: &str) -> Self {
        let mut text = [0; REASON_BYTES_MAX];
        text[..reason.len()].copy_from_slice(reason.as_bytes());
        let len = u8::try_from(reason.len()).expect("callers bound the reason by 123 bytes");
        Self { code, len, text }
    }

    fn text(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }
}

impl std::fmt::Debug for CloseReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CloseReason({:?}, {:?})", self.code(), self.reason())
    }
}

/// A Close frame's payload that breaks the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseError {
    /// RFC 6455 section 5.5.1: a body has at least the two bytes of a code.
    #[error("close payload of one byte")]
    OneByte,
    /// RFC 6455 section 7.4.2.
    #[error("close code {code} may not travel")]
    Code {
        /// The code as written.
        code: u16,
    },
    /// RFC 6455 section 5.5.1: the reason is UTF-8.
    #[error("close reason is not valid UTF-8")]
    ReasonNotUtf8,
    /// RFC 6455 section 5.5: control payloads have at most 125 bytes.
    #[error("close reason of {bytes} bytes")]
    ReasonTooLong {
        /// The length asked for.
        bytes: usize,
    },
}

/// One control frame of ours, ready to be written. Lives on the stack for the moment of writing it.
#[derive(Clone, Copy, Debug)]
pub struct ControlFrame {
    bytes: [u8; CLOSE_FRAME_BYTES_MAX],
    len: u8,
}

impl ControlFrame {
    /// The bytes for the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// A Ping that asks a side whether it is there; its Pong is known by the nonce.
    pub(crate) fn ping(nonce: Key, key: Option<Key>) -> Self {
        Self::new(Opcode::Ping, key, &nonce)
    }

    fn new(opcode: Opcode, key: Option<Key>, payload: &[u8]) -> Self {
        let header =
            Header { fin: true, compressed: false, opcode, key, payload_bytes: payload.len() as u64 };
        let mut bytes = [0; CLOSE_FRAME_BYTES_MAX];
        let start = header.encode_into(&mut bytes);
        let end = start + payload.len();
        bytes[start..end].copy_from_slice(payload);
        if let Some(key) = key {
            mask::apply(key, &mut bytes[start..end]);
        }
        Self { bytes, len: u8::try_from(end).expect("a control frame has at most 131 bytes") }
    }
}

impl From<CloseError> for FrameError {
    fn from(error: CloseError) -> Self {
        Self::Close(error)
    }
}

#[cfg(test)]
mod tests;
