//! Frames of RFC 6455: headers that may arrive in pieces, and masking from any offset. Payloads are streamed, never
//! collected, so that a long message costs this side no more than its bytes.
//!
//! Written apart from the product's own codec on purpose: a client that shared it would share its mistakes.

/// Opcode of a text message.
pub(crate) const TEXT: u8 = 1;
/// Opcode of a binary message.
pub(crate) const BINARY: u8 = 2;
/// Opcode of a Close frame.
pub(crate) const CLOSE: u8 = 8;
/// Opcode of a Ping frame.
pub(crate) const PING: u8 = 9;
/// Opcode of a Pong frame.
pub(crate) const PONG: u8 = 10;

/// Longest header: two bytes, a length of eight, a key of four.
const HEADER_BYTES_MAX: usize = 14;
/// FIN, the last frame of a message.
const FIN: u8 = 0x80;

/// The mask of one frame.
pub(crate) type Key = [u8; 4];

/// What stands in front of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// FIN, reserved bits and opcode.
    pub(crate) first: u8,
    /// What the payload is masked with, by a client.
    pub(crate) key: Option<Key>,
    /// Bytes that follow.
    pub(crate) payload_bytes: usize,
}

impl Header {
    /// The header of a message in one frame.
    pub(crate) fn whole(opcode: u8, key: Option<Key>, payload_bytes: usize) -> Self {
        Self { first: FIN | opcode, key, payload_bytes }
    }

    /// What kind of frame it is.
    pub(crate) fn opcode(self) -> u8 {
        self.first & 0x0f
    }

    /// Whether it is a Close, a Ping or a Pong.
    pub(crate) fn is_control(self) -> bool {
        self.opcode() >= CLOSE
    }

    /// Whether a message ends with it.
    pub(crate) fn is_last_of_message(self) -> bool {
        !self.is_control() && self.first & FIN != 0
    }

    /// Appends it as it travels.
    pub(crate) fn append(self, out: &mut Vec<u8>) {
        let is_masked = if self.key.is_some() { 0x80 } else { 0 };
        out.push(self.first);
        match (u8::try_from(self.payload_bytes), u16::try_from(self.payload_bytes)) {
            (Ok(short @ 0..=125), _) => out.push(is_masked | short),
            (_, Ok(medium)) => {
                out.push(is_masked | 0x7e);
                out.extend_from_slice(&medium.to_be_bytes());
            }
            _ => {
                out.push(is_masked | 0x7f);
                out.extend_from_slice(&(self.payload_bytes as u64).to_be_bytes());
            }
        }
        out.extend_from_slice(self.key.as_ref().map_or(&[][..], |key| &key[..]));
    }
}

/// Appends a whole frame; with a key as a client sends it, without as a backend does.
pub(crate) fn append(out: &mut Vec<u8>, opcode: u8, key: Option<Key>, payload: &[u8]) {
    Header::whole(opcode, key, payload.len()).append(out);
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = key {
        mask(&mut out[start..], key, 0);
    }
}

/// Masks or unmasks a piece of a payload that begins at this offset of it.
pub(crate) fn mask(piece: &mut [u8], mut key: Key, offset: usize) {
    let turn = offset % key.len();
    key.rotate_left(turn);
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (eights, rest) = piece.as_chunks_mut::<8>();
    for eight in eights {
        *eight = (u64::from_ne_bytes(*eight) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.into_iter().cycle()) {
        *byte ^= key;
    }
}

/// Collects a header.
#[derive(Debug, Default)]
pub(crate) struct HeaderReader {
    bytes: [u8; HEADER_BYTES_MAX],
    have: usize,
}

impl HeaderReader {
    /// Takes bytes off the front of `input`; answers the header once it is whole.
    pub(crate) fn take(&mut self, input: &mut &[u8]) -> Option<Header> {
        loop {
            let needed = self.needed();
            if self.have == needed {
                self.have = 0;
                return Some(self.read());
            }
            let (piece, rest) = input.split_at(input.len().min(needed - self.have));
            if piece.is_empty() {
                return None;
            }
            self.bytes[self.have..][..piece.len()].copy_from_slice(piece);
            self.have += piece.len();
            *input = rest;
        }
    }

    fn needed(&self) -> usize {
        if self.have < 2 {
            return 2;
        }
        let length = match self.bytes[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        2 + length + if self.bytes[1] & 0x80 == 0 { 0 } else { 4 }
    }

    fn read(&self) -> Header {
        let [first, second, ..] = self.bytes;
        let (payload_bytes, end) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(self.at(2))), 4),
            127 => (u64::from_be_bytes(self.at(2)), 10),
            short => (u64::from(short), 2),
        };
        let key = (second & 0x80 != 0).then(|| self.at(end));
        // A length beyond what memory could hold never ends, which is what the peer then gets.
        Header { first, key, payload_bytes: usize::try_from(payload_bytes).unwrap_or(usize::MAX) }
    }

    fn at<const N: usize>(&self, start: usize) -> [u8; N] {
        std::array::from_fn(|place| self.bytes[start + place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_comes_back_as_it_was_wherever_it_is_cut() {
        for payload_bytes in [0, 5, 125, 126, 65_535, 65_536] {
            for key in [None, Some([9, 8, 7, 6])] {
                let header = Header::whole(BINARY, key, payload_bytes);
                let mut bytes = Vec::new();
                header.append(&mut bytes);
                for cut in 0..bytes.len() {
                    let (mut front, mut back) = bytes.split_at(cut);
                    let mut reader = HeaderReader::default();
                    assert_eq!(reader.take(&mut front), None);
                    assert_eq!(reader.take(&mut back), Some(header));
                    assert!(back.is_empty());
                }
            }
        }
    }

    #[test]
    fn the_masked_hello_of_the_rfc_is_read_in_two_pieces() {
        let mut hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let header = HeaderReader::default().take(&mut &hello[..]);
        let key = [0x37, 0xfa, 0x21, 0x3d];
        assert_eq!(header, Some(Header::whole(TEXT, Some(key), 5)));
        mask(&mut hello[6..9], key, 0);
        mask(&mut hello[9..], key, 3);
        assert_eq!(&hello[6..], b"Hello");
    }
}
