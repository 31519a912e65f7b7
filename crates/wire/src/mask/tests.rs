//! Masking against the RFC's own words: byte `i` XOR key byte `i mod 4`.

use proptest::prelude::*;

use super::{apply, is_ascii_under, rotate};

fn slowly(key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    payload.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]).collect()
}

#[test]
fn the_example_of_the_rfc_is_masked_as_there() {
    // RFC 6455 section 5.7.
    let mut hello = *b"Hello";
    apply([0x37, 0xFA, 0x21, 0x3D], &mut hello);
    assert_eq!(hello, [0x7F, 0x9F, 0x4D, 0x51, 0x58]);
}

proptest! {
    #[test]
    fn masking_agrees_with_the_formula(key: [u8; 4], payload in proptest::collection::vec(any::<u8>(), 0..600)) {
        let mut fast = payload.clone();
        apply(key, &mut fast);
        prop_assert_eq!(&fast, &slowly(key, &payload));
        apply(key, &mut fast);
        prop_assert_eq!(fast, payload);
    }

    #[test]
    fn masking_in_pieces_is_masking_at_once(
        key: [u8; 4],
        payload in proptest::collection::vec(any::<u8>(), 0..100),
        at in 0_usize..100,
    ) {
        let at = at.min(payload.len());
        let mut pieces = payload.clone();
        let (head, tail) = pieces.split_at_mut(at);
        apply(key, head);
        apply(rotate(key, at as u64), tail);
        prop_assert_eq!(pieces, slowly(key, &payload));
    }

    #[test]
    fn ascii_shows_through_the_mask(
        key: [u8; 4],
        mut text in proptest::collection::vec(0_u8..128, 0..700),
        foreign in proptest::option::of((any::<proptest::sample::Index>(), 128_u8..)),
    ) {
        if let (Some((at, byte)), false) = (foreign, text.is_empty()) {
            let at = at.index(text.len());
            text[at] = byte;
        }
        prop_assert_eq!(is_ascii_under(key, &slowly(key, &text)), text.is_ascii());
    }
}
