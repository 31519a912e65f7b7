//! Cursors name the place they were written for, and anything else names a place or the beginning.

use proptest::prelude::*;

use super::*;

#[test]
fn a_cursor_fits_its_own_bound_for_the_longest_name() {
    for character in ["a", "\"", "\\", "é", "😀", "i̇"] {
        let key = character.repeat(tidegate_model::rule::APPLICATION_NAME_CHARS_MAX);
        let id = "01a3185c-a208-7000-8000-000000000014";
        let place = read(Some(&write(&key, id)));
        assert_eq!(place, Some((key, id.to_owned())), "{character}");
    }
}

proptest! {
    #[test]
    fn a_cursor_names_the_place_it_was_written_for(key in "\\PC{0,60}", id in "[0-9a-f-]{36}") {
        let cursor = write(&key, &id);
        prop_assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        prop_assert_eq!(read(Some(&cursor)), Some((key, id)));
    }

    #[test]
    fn anything_may_be_presented_as_a_cursor(forged in "\\PC{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        read(Some(&forged));
        read(Some(&URL_SAFE_NO_PAD.encode(bytes)));
    }
}
