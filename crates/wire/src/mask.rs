//! Masking of RFC 6455 section 5.3: payload byte `i` is the plain byte XOR key byte `i mod 4`.
//!
//! It works on eight bytes at a time; the tail is done bytewise. It does not know frames. Keys come from outside.

/// A masking key as it stands in a frame header.
pub type Key = [u8; 4];

/// The key as it applies from payload index `index` on.
#[must_use]
pub fn rotate(key: Key, index: u64) -> Key {
    match index & 3 {
        0 => key,
        1 => [key[1], key[2], key[3], key[0]],
        2 => [key[2], key[3], key[0], key[1]],
        _ => [key[3], key[0], key[1], key[2]],
    }
}

/// Masks or unmasks `payload` in place (the operation is its own inverse); `key` is the key for its first byte.
pub fn apply(key: Key, payload: &mut [u8]) {
    let wide = wide(key);
    let (words, tail) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, k) in tail.iter_mut().zip(key.iter().cycle()) {
        *byte ^= k;
    }
}

/// Whether every byte of `payload`, once unmasked, is ASCII. Reads only, so the common text costs one pass.
pub(crate) fn is_ascii_under(key: Key, payload: &[u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let wide = wide(key);
    let (words, tail) = payload.as_chunks::<8>();
    // The blocks let the compiler use wide registers inside and still stop early at the first foreign block.
    for block in words.chunks(32) {
        let high = block.iter().fold(0, |seen, word| seen | (u64::from_ne_bytes(*word) ^ wide));
        if high & HIGH != 0 {
            return false;
        }
    }
    tail.iter().zip(key.iter().cycle()).all(|(byte, k)| (byte ^ k).is_ascii())
}

fn wide(key: Key) -> u64 {
    let [a, b, c, d] = key;
    u64::from_ne_bytes([a, b, c, d, a, b, c, d])
}

#[cfg(test)]
mod tests;
