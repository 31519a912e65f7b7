//! Where a peer's compression ends: between its leg's bytes and the relay.
//!
//! It holds what was read and does not fit yet, and remembers how many of the relay's bytes are inside what the
//! socket has not taken. What the coders themselves need for a message is lent by the worker's [`Lent`].

use tidegate_wire::{
    deflate::{Packer, Pool, Unpacker},
    relay::Violation,
};

/// Read at once from a peer that compresses. It may become far more; the scratch bounds how much of it at once.
const RAW_BYTES: usize = 16 * 1024;

/// What a worker lends to coders.
pub(super) struct Lent {
    pool: Pool,
    pub(super) raw: Box<[u8]>,
    packed: Vec<u8>,
}

impl Default for Lent {
    fn default() -> Self {
        Self { pool: Pool::default(), raw: vec![0; RAW_BYTES].into_boxed_slice(), packed: Vec::new() }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Coder {
    unpacker: Unpacker,
    packer: Packer,
    /// Read and not unpacked, for lack of room.
    waiting: Vec<u8>,
    /// Bytes of the relay inside what the socket has not taken.
    pub(super) inside: usize,
}

impl Coder {
    /// For a client or a backend, to which frames go in a window of so many bits.
    pub(crate) fn new(is_client: bool, window_bits: u8) -> Self {
        Self {
            unpacker: Unpacker::new(is_client),
            packer: Packer::new(!is_client, window_bits),
            waiting: Vec::new(),
            inside: 0,
        }
    }

    /// Bytes from the peer that come before any that are read.
    pub(super) fn begin_with(&mut self, early: Vec<u8>) {
        self.waiting = early;
    }

    /// Whether there are frames without reading.
    pub(super) fn holds(&self) -> bool {
        !self.waiting.is_empty() || self.unpacker.holds()
    }

    /// Plain frames of what waits.
    pub(super) fn unpack_waiting(&mut self, out: &mut [u8], lent: &mut Lent) -> Result<usize, Violation> {
        let moved = self.unpacker.push(&self.waiting, out, &mut lent.pool)?;
        if moved.consumed == self.waiting.len() {
            self.waiting = Vec::new();
        } else {
            self.waiting.drain(..moved.consumed);
        }
        Ok(moved.produced)
    }

    /// Plain frames of the first `len` bytes of the lent buffer.
    pub(super) fn unpack(&mut self, len: usize, out: &mut [u8], lent: &mut Lent) -> Result<usize, Violation> {
        let moved = self.unpacker.push(&lent.raw[..len], out, &mut lent.pool)?;
        self.waiting.extend_from_slice(&lent.raw[moved.consumed..len]);
        Ok(moved.produced)
    }

    /// The frames for the peer that plain ones become, handed to `write`.
    pub(super) fn pack<T>(&mut self, plain: &[u8], lent: &mut Lent, write: impl FnOnce(&[u8]) -> T) -> T {
        self.inside += plain.len();
        lent.packed.clear();
        self.packer.push(plain, &mut lent.packed, &mut lent.pool);
        write(&lent.packed)
    }
}
