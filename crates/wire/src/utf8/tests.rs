//! The validator against the standard library's, with the text cut at every byte, and its failing at once.

use proptest::prelude::*;

use super::{NotUtf8, Utf8};

fn in_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<(), NotUtf8> {
    let mut utf8 = Utf8::default();
    pieces.into_iter().try_for_each(|piece| utf8.push(piece))?;
    utf8.finish()
}

#[test]
fn text_passes_however_it_is_cut() {
    let text = "aé☃𝄞\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}".as_bytes();
    for first in 0..=text.len() {
        for second in first..=text.len() {
            let pieces = [&text[..first], &text[first..second], &text[second..]];
            assert_eq!(in_pieces(pieces), Ok(()), "cut at {first} and {second}");
        }
    }
}

#[test]
fn a_wrong_byte_is_refused_as_soon_as_it_comes() {
    // The bytes, and how many of them are still the beginning of something lawful.
    for (bytes, lawful) in [
        (&[0x80][..], 0),
        (&[0xC0], 0),
        (&[0xC1], 0),
        (&[0xC3, 0x28], 1),
        (&[0xE0, 0x9F], 1),
        (&[0xE2, 0x98, 0x28], 2),
        (&[0xED, 0xA0], 1),
        (&[0xF0, 0x8F], 1),
        (&[0xF4, 0x90], 1),
        (&[0xF0, 0x9D, 0x84, 0x28], 3),
        (&[0xF5], 0),
        (&[0xFF], 0),
    ] {
        let mut utf8 = Utf8::default();
        for (at, byte) in bytes.iter().enumerate() {
            let expected = if at < lawful { Ok(()) } else { Err(NotUtf8) };
            assert_eq!(utf8.push(&[*byte]), expected, "{bytes:02x?} at {at}");
        }
    }
}

#[test]
fn a_character_that_was_only_begun_is_refused_at_the_end() {
    for begun in [&[0xC3][..], &[0xE2, 0x98], &[0xF0, 0x9D, 0x84]] {
        assert_eq!(in_pieces([begun]), Err(NotUtf8), "{begun:02x?}");
    }
}

proptest! {
    #[test]
    fn any_cut_of_any_bytes_is_judged_as_the_standard_library_does(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..20),
            ".{0,20}".prop_map(String::into_bytes),
            (".{0,9}", proptest::collection::vec(any::<u8>(), 0..3), ".{0,9}")
                .prop_map(|(a, b, c)| [a.as_bytes(), &b, c.as_bytes()].concat()),
        ],
        size in 1_usize..7,
    ) {
        let expected = std::str::from_utf8(&bytes).map(|_| ()).map_err(|_| NotUtf8);
        prop_assert_eq!(in_pieces(bytes.chunks(size)), expected);
    }
}
