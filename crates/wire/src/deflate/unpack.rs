//! From a peer's compressed messages to plain frames, for the relay to judge as if they had come so.
//!
//! Frames of messages that are not compressed, control frames, and everything that breaks a rule pass as they are:
//! the relay judges them. What a compressed message becomes is held until it fills a chunk or ends, so a short
//! message stays one frame. Its invariant: never more than a chunk is held, whatever the input would inflate to; the
//! caller's buffer decides how much is inflated at once.

use flate2::{Decompress, FlushDecompress, Status};

use super::{CHUNK_BYTES, Pool, TAIL};
use crate::frame::{HEADER_BYTES_MAX, Header, Opcode, scan_agreed};
use crate::mask::{self, Key};
use crate::relay::Violation;

/// How many times longer than its compressed form a message may be, beyond [`RATIO_FREE_BYTES`]: text of machines
/// reaches 50, a bomb 1,032.
pub const RATIO_MAX: u64 = 250;
/// Bytes that a message may always have: short runs of one letter compress as well as any bomb.
pub const RATIO_FREE_BYTES: u64 = 1 << 20;
/// Compressed bytes that are unmasked at once.
const PIECE_BYTES: usize = 4 * 1024;
/// The least room for output that lets every call move something.
const ROOM_BYTES_MIN: usize = CHUNK_BYTES + HEADER_BYTES_MAX;
/// A message that is being inflated.
struct Message {
    inflater: Decompress,
    /// What was inflated and not given out.
    held: Vec<u8>,
    /// What its next frame is.
    opcode: Opcode,
    /// The mask of the next byte, and of the frames made of it.
    key: Option<Key>,
    taken: u64,
    made: u64,
}

/// Where in the peer's stream it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Before a header.
    Header,
    /// In a frame that passes as it is.
    Plain { left: u64 },
    /// In a frame of the compressed message.
    Packed { left: u64, fin: bool },
    /// Behind the last frame of the compressed message, with so much of the tail fed.
    Tail { fed: usize },
    /// A rule is broken: the rest passes as it is, and the relay says which.
    Broken,
    /// The compressed data breaks one; said when everything before it was given out.
    Failed(Violation),
}

/// See the module.
pub struct Unpacker {
    /// The peer masks.
    masked: bool,
    at: At,
    carry: [u8; HEADER_BYTES_MAX],
    carried: usize,
    message: Option<Box<Message>>,
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacker").field("at", &self.at).finish_non_exhaustive()
    }
}

/// How much a call took of its input and made of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Input bytes that are dealt with.
    pub consumed: usize,
    /// Output bytes.
    pub produced: usize,
}

impl Unpacker {
    /// For a peer that masks its frames (a client) or does not.
    #[must_use]
    pub fn new(masked: bool) -> Self {
        Self { masked, at: At::Header, carry: [0; HEADER_BYTES_MAX], carried: 0, message: None }
    }

    /// Takes from `input` what fits into `out`, which has at least 17 KiB. Where not all was taken, call again with
    /// the rest once `out` was emptied; with an empty `input` it goes on with what it holds.
    ///
    /// # Errors
    /// [`Violation`]: the compressed data is damaged, or grows beyond [`RATIO_MAX`].
    pub fn push(&mut self, input: &[u8], out: &mut [u8], pool: &mut Pool) -> Result<Moved, Violation> {
        debug_assert!(out.len() >= ROOM_BYTES_MIN);
        let mut moved = Moved::default();
        loop {
            let before = self.at;
            let (rest, room) = (&input[moved.consumed..], &mut out[moved.produced..]);
            let step = match before {
                At::Header => self.header(rest, room, pool),
                At::Plain { left } => self.plain(left, rest, room),
                At::Packed { left: 0, fin } => {
                    self.at = if fin { At::Tail { fed: 0 } } else { At::Header };
                    Moved::default()
                }
                At::Packed { left, fin } => self.packed(left, fin, rest, room),
                At::Tail { fed } => Moved { consumed: 0, produced: self.tail(fed, room, pool) },
                At::Broken => copy(rest, room),
                At::Failed(violation) if moved == Moved::default() => return Err(violation),
                At::Failed(_) => return Ok(moved),
            };
            moved.consumed += step.consumed;
            moved.produced += step.produced;
            if step == Moved::default() && self.at == before {
                return Ok(moved);
            }
        }
    }

    /// Whether a call with an empty input would give something out.
    #[must_use]
    pub fn holds(&self) -> bool {
        matches!(self.at, At::Tail { .. } | At::Packed { left: 0, .. } | At::Failed(_))
            || self.message.as_ref().is_some_and(|message| message.held.len() == CHUNK_BYTES)
    }

    /// Reads a header. One of a frame that passes as it is goes out at once.
    fn header(&mut self, input: &[u8], out: &mut [u8], pool: &mut Pool) -> Moved {
        if input.is_empty() || out.len() < HEADER_BYTES_MAX {
            return Moved::default();
        }
        let before = self.carried;
        let taken = input.len().min(HEADER_BYTES_MAX - before);
        self.carry[before..before + taken].copy_from_slice(&input[..taken]);
        match scan_agreed(&self.carry[..before + taken], self.masked, true) {
            Ok(None) => {
                self.carried = before + taken;
                Moved { consumed: taken, produced: 0 }
            }
            Ok(Some((header, len))) => {
                self.carried = 0;
                let consumed = len - before;
                let continues = self.message.is_some() && header.opcode == Opcode::Continuation;
                if continues || (header.compressed && self.message.is_none()) {
                    self.begin(header, pool);
                    return Moved { consumed, produced: 0 };
                }
                self.at = At::Plain { left: header.payload_bytes };
                out[..len].copy_from_slice(&self.carry[..len]);
                Moved { consumed, produced: len }
            }
            Err(_) => {
                self.at = At::Broken;
                self.carried = 0;
                out[..before + taken].copy_from_slice(&self.carry[..before + taken]);
                Moved { consumed: taken, produced: before + taken }
            }
        }
    }

    fn begin(&mut self, header: Header, pool: &mut Pool) {
        let message = self.message.get_or_insert_with(|| {
            let (inflater, held) = (pool.inflater(), pool.chunk());
            Box::new(Message { inflater, held, opcode: header.opcode, key: None, taken: 0, made: 0 })
        });
        message.key = header.key;
        self.at = At::Packed { left: header.payload_bytes, fin: header.fin };
    }

    fn plain(&mut self, left: u64, input: &[u8], out: &mut [u8]) -> Moved {
        let most = usize::try_from(left).unwrap_or(usize::MAX);
        let moved = copy(&input[..input.len().min(most)], out);
        let left = left - moved.consumed as u64;
        self.at = if left == 0 { At::Header } else { At::Plain { left } };
        moved
    }

    /// Inflates one piece of a frame's payload.
    fn packed(&mut self, left: u64, fin: bool, input: &[u8], out: &mut [u8]) -> Moved {
        let Some(message) = &mut self.message else { return Moved::default() };
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES);
        let mut piece = [0; PIECE_BYTES];
        let piece = &mut piece[..input.len().min(most)];
        piece.copy_from_slice(&input[..piece.len()]);
        if let Some(key) = message.key {
            mask::apply(key, piece);
        }
        let mut produced = 0;
        let mut consumed = 0;
        loop {
            if message.held.len() == CHUNK_BYTES {
                match message.give(false, &mut out[produced..]) {
                    Some(bytes) => produced += bytes,
                    None => break,
                }
            }
            match message.inflate(&piece[consumed..]) {
                Ok(taken) => consumed += taken,
                Err(violation) => {
                    self.at = At::Failed(violation);
                    return Moved { consumed, produced };
                }
            }
            if message.held.len() < CHUNK_BYTES {
                // All of the piece is in, and all of what it makes is out of the inflater.
                break;
            }
        }
        if let Some(key) = &mut message.key {
            *key = mask::rotate(*key, consumed as u64);
        }
        self.at = At::Packed { left: left - consumed as u64, fin };
        Moved { consumed, produced }
    }

    /// Ends the message as far as there is room for its last frames.
    fn tail(&mut self, mut fed: usize, out: &mut [u8], pool: &mut Pool) -> usize {
        let Some(message) = &mut self.message else { return 0 };
        let mut produced = 0;
        loop {
            if message.held.len() == CHUNK_BYTES {
                match message.give(false, &mut out[produced..]) {
                    Some(bytes) => produced += bytes,
                    None => break,
                }
            }
            match message.inflate(&TAIL[fed..]) {
                Ok(taken) => fed += taken,
                Err(violation) => {
                    self.at = At::Failed(violation);
                    break;
                }
            }
            self.at = At::Tail { fed };
            if message.held.len() < CHUNK_BYTES {
                let Some(bytes) = message.give(true, &mut out[produced..]) else { break };
                produced += bytes;
                self.at = At::Header;
                if let Some(message) = self.message.take() {
                    pool.keep_inflater(message.inflater, message.held);
                }
                break;
            }
        }
        produced
    }
}

impl Message {
    /// Inflates until the input is used up or the chunk is full; says how much was used.
    fn inflate(&mut self, input: &[u8]) -> Result<usize, Violation> {
        let mut used = 0;
        loop {
            let (taken_before, made_before) = (self.inflater.total_in(), self.inflater.total_out());
            let status = self.inflater.decompress_vec(&input[used..], &mut self.held, FlushDecompress::None);
            let status = status.map_err(|_| Violation::BadCompression)?;
            let taken = self.inflater.total_in() - taken_before;
            let made = self.inflater.total_out() - made_before;
            self.taken += taken;
            self.made += made;
            if self.made > RATIO_FREE_BYTES && self.made / RATIO_MAX > self.taken {
                return Err(Violation::TooBig);
            }
            used += usize::try_from(taken).unwrap_or(usize::MAX);
            if status == Status::StreamEnd {
                // RFC 7692 section 7.2.3.4: a last block ends a stream, not the message.
                self.inflater.reset(false);
            }
            if used == input.len() || self.held.len() == CHUNK_BYTES {
                return Ok(used);
            }
            if taken == 0 && made == 0 && status != Status::StreamEnd {
                return Err(Violation::BadCompression);
            }
        }
    }

    /// Writes what is held as a frame, if there is room for it.
    fn give(&mut self, fin: bool, out: &mut [u8]) -> Option<usize> {
        if out.len() < HEADER_BYTES_MAX + self.held.len() {
            return None;
        }
        let opcode = std::mem::replace(&mut self.opcode, Opcode::Continuation);
        let header =
            Header { fin, compressed: false, opcode, key: self.key, payload_bytes: self.held.len() as u64 };
        let at = header.encode_into(out);
        let end = at + self.held.len();
        out[at..end].copy_from_slice(&self.held);
        if let Some(key) = self.key {
            mask::apply(key, &mut out[at..end]);
        }
        self.held.clear();
        Some(end)
    }
}

fn copy(input: &[u8], out: &mut [u8]) -> Moved {
    let bytes = input.len().min(out.len());
    out[..bytes].copy_from_slice(&input[..bytes]);
    Moved { consumed: bytes, produced: bytes }
}
