//! Frame headers of RFC 6455 section 5.2: reading them from any prefix, judging them, and writing them.
//!
//! It looks at 2 to 14 bytes and never at a payload; it does not know what frame came before (fragmentation is
//! [`crate::relay`]'s). Of extensions it knows the one bit of permessage-deflate (RFC 7692 section 6), where that was
//! agreed. Continue with [`crate::relay`].

use crate::close::CloseError;
use crate::mask::Key;

/// The longest header: two bytes, eight of length, four of mask.
pub const HEADER_BYTES_MAX: usize = 14;
/// The longest payload of a control frame (RFC 6455 section 5.5).
pub const CONTROL_PAYLOAD_MAX: usize = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of the message under way.
    Continuation = 0x0,
    /// The first frame of a text message.
    Text = 0x1,
    /// The first frame of a binary message.
    Binary = 0x2,
    /// The closing handshake.
    Close = 0x8,
    /// A ping.
    Ping = 0x9,
    /// A pong, asked for or not.
    Pong = 0xA,
}

impl Opcode {
    /// Whether frames of this kind may stand between the fragments of a message.
    #[must_use]
    pub const fn is_control(self) -> bool {
        self as u8 & 0x8 != 0
    }

    const fn from_nibble(nibble: u8) -> Option<Self> {
        Some(match nibble {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }
}

/// A frame header that passed [`scan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whether this is the message's last frame.
    pub fin: bool,
    /// The message is compressed: RSV1 of its first frame, where permessage-deflate was agreed.
    pub compressed: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// The masking key, if the payload is masked.
    pub key: Option<Key>,
    /// The length of the payload.
    pub payload_bytes: u64,
}

/// A frame that breaks RFC 6455 by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Section 5.2: a reserved bit without an extension that gives it a meaning.
    #[error("reserved bit set")]
    ReservedBit,
    /// Section 5.2: opcodes 3 to 7 and 11 to 15 are reserved.
    #[error("reserved opcode {opcode}")]
    ReservedOpcode {
        /// The opcode as written.
        opcode: u8,
    },
    /// Section 5.5: control frames are not fragmented.
    #[error("fragmented control frame")]
    FragmentedControl,
    /// Section 5.5: control frames carry at most 125 bytes.
    #[error("control frame longer than 125 bytes")]
    LongControl,
    /// Section 5.1: a client masks every frame.
    #[error("unmasked frame from the client")]
    Unmasked,
    /// Section 5.1: the other end never masks.
    #[error("masked frame from the backend")]
    Masked,
    /// Section 5.2: the shortest form of a length is the only one.
    #[error("length not in its shortest form")]
    LengthNotMinimal,
    /// Section 5.2: the highest bit of a 64-bit length is zero.
    #[error("length with the highest bit set")]
    LengthHighBit,
    /// Section 5.4: a continuation needs a message under way.
    #[error("continuation of no message")]
    StrayContinuation,
    /// Section 5.4: a message ends before the next begins.
    #[error("new message inside a fragmented one")]
    InterruptedMessage,
    /// Section 5.5.1 and 7.4.
    #[error(transparent)]
    Close(CloseError),
}

/// Reads a header from the front of `bytes`; `masked` says what the sender's role demands (section 5.1).
///
/// `Ok(None)` means that the bytes so far are lawful and more are needed. A violation is named as soon as the byte
/// that shows it is there. `Ok(Some((header, n)))`: the header took `n` bytes.
#[inline]
pub fn scan(bytes: &[u8], masked: bool) -> Result<Option<(Header, usize)>, FrameError> {
    scan_agreed(bytes, masked, false)
}

/// As [`scan`], where `deflate` says whether permessage-deflate was agreed: then the first frame of a message may have
/// RSV1 set, and no other may (RFC 7692 section 6).
#[inline]
pub fn scan_agreed(bytes: &[u8], masked: bool, deflate: bool) -> Result<Option<(Header, usize)>, FrameError> {
    let Some(&first) = bytes.first() else { return Ok(None) };
    let compressed = deflate && first & 0x40 != 0;
    if first & 0x70 != if compressed { 0x40 } else { 0 } {
        return Err(FrameError::ReservedBit);
    }
    let Some(opcode) = Opcode::from_nibble(first & 0x0F) else {
        return Err(FrameError::ReservedOpcode { opcode: first & 0x0F });
    };
    let fin = first & 0x80 != 0;
    if compressed && !matches!(opcode, Opcode::Text | Opcode::Binary) {
        return Err(FrameError::ReservedBit);
    }
    if opcode.is_control() && !fin {
        return Err(FrameError::FragmentedControl);
    }
    let Some(&second) = bytes.get(1) else { return Ok(None) };
    if opcode.is_control() && second & 0x7F > 125 {
        is_masked_as(second, masked)?;
        return Err(FrameError::LongControl);
    }
    let Some((payload_bytes, key, at)) = length_and_key(bytes, second, masked, true)? else {
        return Ok(None);
    };
    Ok(Some((Header { fin, compressed, opcode, key, payload_bytes }, at)))
}

/// As [`scan`], for a stream whose frames shall pass as they are: takes every header that says where its frame ends.
///
/// Reserved bits and opcodes, lengths that are not minimal, and long or fragmented control frames are let pass; a
/// reserved opcode is taken for a binary frame, or for a Ping, by its highest bit, and RSV1 for a compressed message.
/// Still refused are a wrong mask, a length that cannot be, and a Close that cannot be read.
#[cold]
pub fn scan_any(bytes: &[u8], masked: bool) -> Result<Option<(Header, usize)>, FrameError> {
    let Some(&first) = bytes.first() else { return Ok(None) };
    let nibble = first & 0x0F;
    let opcode = Opcode::from_nibble(nibble);
    let opcode = opcode.unwrap_or(if nibble & 0x8 == 0 { Opcode::Binary } else { Opcode::Ping });
    let (fin, compressed) = (first & 0x80 != 0, first & 0x40 != 0);
    if opcode == Opcode::Close && !fin {
        return Err(FrameError::FragmentedControl);
    }
    let Some(&second) = bytes.get(1) else { return Ok(None) };
    if opcode == Opcode::Close && second & 0x7F > 125 {
        return Err(FrameError::LongControl);
    }
    let Some((payload_bytes, key, at)) = length_and_key(bytes, second, masked, false)? else {
        return Ok(None);
    };
    Ok(Some((Header { fin, compressed, opcode, key, payload_bytes }, at)))
}

const fn is_masked_as(second: u8, masked: bool) -> Result<(), FrameError> {
    match (second & 0x80 != 0, masked) {
        (false, true) => Err(FrameError::Unmasked),
        (true, false) => Err(FrameError::Masked),
        _ => Ok(()),
    }
}

/// What follows the first byte: the payload's length, the mask, and where the payload begins.
#[inline]
fn length_and_key(
    bytes: &[u8],
    second: u8,
    masked: bool,
    minimal: bool,
) -> Result<Option<(u64, Option<Key>, usize)>, FrameError> {
    is_masked_as(second, masked)?;
    let least = |least| if minimal { least } else { 0 };
    let (payload_bytes, mut at) = match second & 0x7F {
        126 => match bytes.get(2..4) {
            Some(&[a, b]) => (long_enough(u64::from(u16::from_be_bytes([a, b])), least(126))?, 4),
            _ => return Ok(None),
        },
        127 => {
            if bytes.get(2).is_some_and(|byte| byte & 0x80 != 0) {
                return Err(FrameError::LengthHighBit);
            }
            match bytes.get(2..10) {
                Some(length) => {
                    let length =
                        length.try_into().map(u64::from_be_bytes).expect("the range has eight bytes");
                    (long_enough(length, least(1 << 16))?, 10)
                }
                None => return Ok(None),
            }
        }
        short => (u64::from(short), 2),
    };
    let key = if masked {
        let Some(&[a, b, c, d]) = bytes.get(at..at + 4) else { return Ok(None) };
        at += 4;
        Some([a, b, c, d])
    } else {
        None
    };
    Ok(Some((payload_bytes, key, at)))
}

const fn long_enough(length: u64, least: u64) -> Result<u64, FrameError> {
    if length < least { Err(FrameError::LengthNotMinimal) } else { Ok(length) }
}

impl Header {
    /// The payload's length as an index; beyond any buffer where the machine cannot address it.
    #[inline]
    pub(crate) fn payload_len(&self) -> usize {
        // Half of the address space leaves room to add an offset without wrapping.
        usize::try_from(self.payload_bytes).unwrap_or(usize::MAX).min(usize::MAX / 2)
    }

    /// Writes the header to the front of `out` and says how many bytes it took.
    ///
    /// `out` must have room for [`HEADER_BYTES_MAX`] bytes.
    pub fn encode_into(&self, out: &mut [u8]) -> usize {
        let mask_bit = if self.key.is_some() { 0x80 } else { 0 };
        let compressed = if self.compressed { 0x40 } else { 0 };
        out[0] = self.opcode as u8 | compressed | if self.fin { 0x80 } else { 0 };
        let [.., g, h] = self.payload_bytes.to_be_bytes();
        let mut at = match self.payload_bytes {
            0..=125 => {
                out[1] = mask_bit | h;
                2
            }
            126..=0xFFFF => {
                out[1] = mask_bit | 0x7E;
                out[2..4].copy_from_slice(&[g, h]);
                4
            }
            _ => {
                out[1] = mask_bit | 0x7F;
                out[2..10].copy_from_slice(&self.payload_bytes.to_be_bytes());
                10
            }
        };
        if let Some(key) = self.key {
            out[at..at + 4].copy_from_slice(&key);
            at += 4;
        }
        at
    }
}

#[cfg(test)]
mod tests;
