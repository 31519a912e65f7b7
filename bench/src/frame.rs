//! Frames of RFC 6455, whole ones: enough for a client and a backend that are honest to each other.
//!
//! Written apart from the product's own codec on purpose: a client that shared it would share its mistakes.

/// A text message in one frame (FIN and opcode 1).
pub(crate) const TEXT: u8 = 0x81;
/// A Close frame.
pub(crate) const CLOSE: u8 = 0x88;
/// A Ping frame.
pub(crate) const PING: u8 = 0x89;
/// A Pong frame.
pub(crate) const PONG: u8 = 0x8a;

/// The mask of one frame.
pub(crate) type Key = [u8; 4];

/// A frame that is there to its end, its payload unmasked.
pub(crate) struct Frame<'b> {
    /// FIN, reserved bits and opcode.
    pub(crate) first: u8,
    pub(crate) payload: &'b mut [u8],
    /// Length of header and payload.
    pub(crate) bytes: usize,
    pub(crate) is_masked: bool,
}

/// The first frame of `bytes`, if all of it has arrived.
pub(crate) fn first(bytes: &mut [u8]) -> Option<Frame<'_>> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (payload_bytes, extended) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 2),
        127 => (usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?, 8),
        short => (usize::from(short), 0),
    };
    let is_masked = second & 0x80 != 0;
    let start: usize = 2 + extended + if is_masked { 4 } else { 0 };
    let end = start.checked_add(payload_bytes)?;
    if bytes.len() < end {
        return None;
    }
    if is_masked {
        let key: Key = bytes.get(start - 4..start)?.try_into().ok()?;
        mask(&mut bytes[start..end], key);
    }
    Some(Frame { first, payload: &mut bytes[start..end], bytes: end, is_masked })
}

/// Appends a frame; with a key as a client sends it, without as a backend does.
pub(crate) fn append(out: &mut Vec<u8>, first: u8, key: Option<Key>, payload: &[u8]) {
    let is_masked = if key.is_some() { 0x80 } else { 0 };
    out.push(first);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ 0..=125), _) => out.push(is_masked | short),
        (_, Ok(medium)) => {
            out.push(is_masked | 0x7e);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(is_masked | 0x7f);
            out.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(key.as_ref().map_or(&[][..], |key| &key[..]));
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = key {
        mask(&mut out[start..], key);
    }
}

fn mask(payload: &mut [u8], key: Key) {
    for (byte, key) in payload.iter_mut().zip(key.into_iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_comes_back_as_it_was_and_not_before_its_last_byte() {
        for length in [0, 5, 125, 126, 65_535, 65_536] {
            for key in [None, Some([9, 8, 7, 6])] {
                let payload: Vec<u8> = (0_u8..=255).cycle().take(length).collect();
                let mut bytes = Vec::new();
                append(&mut bytes, TEXT, key, &payload);
                let whole = bytes.len();
                assert!(first(&mut bytes[..whole - 1]).is_none());
                let frame = first(&mut bytes).expect("the whole frame is there");
                assert_eq!((frame.first, frame.bytes, frame.is_masked), (TEXT, whole, key.is_some()));
                assert_eq!(frame.payload, payload);
            }
        }
    }

    #[test]
    fn the_masked_hello_of_the_rfc_is_read() {
        let mut bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        assert_eq!(first(&mut bytes).map(|frame| frame.payload.to_vec()), Some(b"Hello".to_vec()));
    }
}
