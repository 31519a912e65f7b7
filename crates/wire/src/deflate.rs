//! permessage-deflate (RFC 7692): what is offered and agreed, and the two coders of a leg whose compression ends here.
//!
//! A leg that is *terminated* looks to the relay as if nothing were compressed: [`Unpacker`] turns what the peer sends
//! into plain frames before they are judged, and [`Packer`] turns plain frames into compressed ones after. So limits,
//! UTF-8 and counters are always those of the messages themselves. Both ends agree on no context takeover: a coder's
//! memory (44 KiB to inflate, 256 KiB to deflate) is lent by a [`Pool`] for as long as a message is under way, and an
//! idle session owns none. It does not know sockets. Read next: `deflate/offer.rs`, then `unpack.rs` and `pack.rs`.

mod offer;
mod pack;
mod unpack;

use std::collections::HashMap;

use flate2::{Compress, Compression, Decompress};

pub use offer::{
    Agreed, BadExtensions, EXTENSIONS_MAX, OFFER_TO_BACKEND, Offer, accept, parse_answer, parse_offers,
};
pub use pack::Packer;
pub use unpack::{RATIO_FREE_BYTES, RATIO_MAX, Unpacker};

/// Payload bytes of the frames that coders make of long messages: large enough that headers cost nothing, small
/// enough that one message in each direction needs no more memory than a socket's buffer.
pub const CHUNK_BYTES: usize = 16 * 1024;
/// Sizes of windows, as powers of two. Eight is lawful, but the library cannot write it: such an offer is declined.
pub const WINDOW_BITS: std::ops::RangeInclusive<u8> = 9..=15;
/// What RFC 7692 section 7.2.1 takes off the end of a message, and section 7.2.2 puts back.
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];
/// Coders of each kind that a pool keeps when nobody uses them.
const KEPT_MAX: usize = 16;

/// Coders that no message uses at the moment. One for each thread.
#[derive(Default)]
pub struct Pool {
    inflaters: Vec<Decompress>,
    deflaters: HashMap<u8, Vec<Compress>>,
    chunks: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("inflaters", &self.inflaters.len()).finish_non_exhaustive()
    }
}

impl Pool {
    fn inflater(&mut self) -> Decompress {
        self.inflaters.pop().unwrap_or_else(|| Decompress::new_with_window_bits(false, *WINDOW_BITS.end()))
    }

    fn deflater(&mut self, window_bits: u8) -> Compress {
        let kept = self.deflaters.get_mut(&window_bits).and_then(Vec::pop);
        // The fastest level: on a gateway the network is cheaper than the processor.
        kept.unwrap_or_else(|| Compress::new_with_window_bits(Compression::fast(), false, window_bits))
    }

    fn chunk(&mut self) -> Vec<u8> {
        self.chunks.pop().unwrap_or_else(|| Vec::with_capacity(CHUNK_BYTES))
    }

    fn keep_inflater(&mut self, mut inflater: Decompress, chunk: Vec<u8>) {
        if self.inflaters.len() < KEPT_MAX {
            inflater.reset(false);
            self.inflaters.push(inflater);
        }
        self.keep_chunk(chunk);
    }

    fn keep_deflater(&mut self, window_bits: u8, mut deflater: Compress, chunk: Vec<u8>) {
        let kept = self.deflaters.entry(window_bits).or_default();
        if kept.len() < KEPT_MAX {
            deflater.reset();
            kept.push(deflater);
        }
        self.keep_chunk(chunk);
    }

    fn keep_chunk(&mut self, mut chunk: Vec<u8>) {
        if self.chunks.len() < KEPT_MAX {
            chunk.clear();
            self.chunks.push(chunk);
        }
    }
}

#[cfg(test)]
mod tests;
