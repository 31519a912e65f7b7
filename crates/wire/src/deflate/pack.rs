//! From the relay's plain frames to compressed ones, for a peer that agreed to them.
//!
//! Control frames and short messages pass as they are. Whatever the relay forwards is well formed, so nothing is
//! judged here. Its invariant: frames leave whole, so that a frame of our own may follow any call.

use flate2::{Compress, FlushCompress};

use super::{CHUNK_BYTES, Pool, TAIL};
use crate::frame::{HEADER_BYTES_MAX, Header, Opcode, scan};
use crate::mask::{self, Key};

/// Messages of fewer bytes are not worth it: the compressed form of so few is rarely shorter.
const WORTH_BYTES: u64 = 64;
/// Plain bytes that are unmasked at once.
const PIECE_BYTES: usize = 4 * 1024;

/// A message that is being deflated.
struct Message {
    deflater: Compress,
    held: Vec<u8>,
    opcode: Opcode,
    key: Option<Key>,
}

/// Where in the relay's stream it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Header,
    /// In a frame that passes as it is.
    Plain {
        left: u64,
    },
    /// In a frame of the message that is being deflated.
    Packed {
        left: u64,
        fin: bool,
    },
}

/// See the module.
pub struct Packer {
    masked: bool,
    window_bits: u8,
    at: At,
    carry: [u8; HEADER_BYTES_MAX],
    carried: usize,
    /// A message of several frames passes as it is.
    passing: bool,
    message: Option<Box<Message>>,
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Packer {
    /// For frames that are masked (to a backend) or not, with a window of at most so many bits. In a window that cannot
    /// be written (see [`super::WINDOW_BITS`]) nothing is compressed, which is always lawful.
    #[must_use]
    pub fn new(masked: bool, window_bits: u8) -> Self {
        Self {
            masked,
            window_bits,
            at: At::Header,
            carry: [0; HEADER_BYTES_MAX],
            carried: 0,
            passing: false,
            message: None,
        }
    }

    /// Takes all of `input` and appends what is ready of it.
    pub fn push(&mut self, mut input: &[u8], out: &mut Vec<u8>, pool: &mut Pool) {
        loop {
            let taken = match self.at {
                At::Packed { left: 0, fin } => {
                    self.frame_ended(fin, out, pool);
                    0
                }
                At::Plain { left: 0 } => {
                    self.at = At::Header;
                    0
                }
                _ if input.is_empty() => return,
                At::Header => self.header(input, out, pool),
                At::Plain { left } => {
                    let taken = within(left, input.len());
                    out.extend_from_slice(&input[..taken]);
                    self.at = At::Plain { left: left - taken as u64 };
                    taken
                }
                At::Packed { left, fin } => {
                    let taken = within(left, input.len()).min(PIECE_BYTES);
                    self.packed(&input[..taken], out);
                    self.at = At::Packed { left: left - taken as u64, fin };
                    taken
                }
            };
            input = &input[taken..];
        }
    }

    fn header(&mut self, input: &[u8], out: &mut Vec<u8>, pool: &mut Pool) -> usize {
        let before = self.carried;
        let taken = input.len().min(HEADER_BYTES_MAX - before);
        self.carry[before..before + taken].copy_from_slice(&input[..taken]);
        let Ok(scanned) = scan(&self.carry[..before + taken], self.masked) else {
            // The relay forwards nothing that is not a frame.
            debug_assert!(false, "not a frame");
            out.extend_from_slice(input);
            return input.len();
        };
        let Some((header, len)) = scanned else {
            self.carried = before + taken;
            return taken;
        };
        self.carried = 0;
        if self.packs(header) {
            let message = self.message.get_or_insert_with(|| {
                let (deflater, held) = (pool.deflater(self.window_bits), pool.chunk());
                Box::new(Message { deflater, held, opcode: header.opcode, key: None })
            });
            message.key = header.key;
            self.at = At::Packed { left: header.payload_bytes, fin: header.fin };
        } else {
            out.extend_from_slice(&self.carry[..len]);
            self.at = At::Plain { left: header.payload_bytes };
        }
        len - before
    }

    /// Whether the frame with this header is one of a message that is deflated.
    fn packs(&mut self, header: Header) -> bool {
        match header.opcode {
            Opcode::Text | Opcode::Binary => {
                let is_worth_it = !header.fin || header.payload_bytes >= WORTH_BYTES;
                self.passing = !is_worth_it || !super::WINDOW_BITS.contains(&self.window_bits);
                !self.passing
            }
            Opcode::Continuation => !self.passing,
            Opcode::Close | Opcode::Ping | Opcode::Pong => false,
        }
    }

    fn packed(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let Some(message) = &mut self.message else { return };
        let mut piece = [0; PIECE_BYTES];
        let piece = &mut piece[..input.len()];
        piece.copy_from_slice(input);
        if let Some(key) = &mut message.key {
            mask::apply(*key, piece);
            *key = mask::rotate(*key, input.len() as u64);
        }
        message.deflate(piece, FlushCompress::None, out);
    }

    fn frame_ended(&mut self, fin: bool, out: &mut Vec<u8>, pool: &mut Pool) {
        self.at = At::Header;
        if !fin {
            return;
        }
        let Some(mut message) = self.message.take() else { return };
        message.deflate(&[], FlushCompress::Sync, out);
        // RFC 7692 section 7.2.1: the four bytes that every flush ends with are not sent.
        debug_assert!(message.held.ends_with(&TAIL), "a flush ends with an empty block");
        let kept = message.held.len().saturating_sub(TAIL.len());
        message.give(kept, true, out);
        pool.keep_deflater(self.window_bits, message.deflater, message.held);
    }
}

impl Message {
    fn deflate(&mut self, mut input: &[u8], flush: FlushCompress, out: &mut Vec<u8>) {
        loop {
            if self.held.len() == CHUNK_BYTES {
                // The last four may turn out to be the tail.
                self.give(CHUNK_BYTES - TAIL.len(), false, out);
            }
            let before = self.deflater.total_in();
            // The library knows no failure here but a call without room, and there is room.
            let _ = self.deflater.compress_vec(input, &mut self.held, flush);
            let taken = usize::try_from(self.deflater.total_in() - before).unwrap_or(usize::MAX);
            input = input.get(taken..).unwrap_or_default();
            if input.is_empty() && self.held.len() < CHUNK_BYTES {
                return;
            }
        }
    }

    /// Writes the first `len` of the bytes that are held as a frame.
    fn give(&mut self, len: usize, fin: bool, out: &mut Vec<u8>) {
        let is_first = self.opcode != Opcode::Continuation;
        let opcode = std::mem::replace(&mut self.opcode, Opcode::Continuation);
        let mut head = [0; HEADER_BYTES_MAX];
        let header = Header { fin, compressed: is_first, opcode, key: self.key, payload_bytes: len as u64 };
        let head_bytes = header.encode_into(&mut head);
        out.extend_from_slice(&head[..head_bytes]);
        let at = out.len();
        out.extend_from_slice(&self.held[..len]);
        if let Some(key) = self.key {
            mask::apply(key, &mut out[at..]);
        }
        self.held.drain(..len);
    }
}

fn within(left: u64, len: usize) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(len)
}
