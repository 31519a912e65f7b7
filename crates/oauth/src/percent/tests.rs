//! Strict decoding: what comes out was surely meant.

use proptest::prelude::*;

use super::*;

#[test]
fn escapes_are_decoded_and_broken_ones_refused() {
    for (text, expected) in [
        ("", Some("")),
        ("a+b%20c", Some("a+b c")),
        ("%C3%a9%2B", Some("é+")),
        ("é", Some("é")),
        ("%", None),
        ("%4", None),
        ("%4g", None),
        ("%+1", None),
        ("% 1", None),
        ("%é", None),
        ("%ff", None),
        ("%c3", None),
    ] {
        assert_eq!(decoded(text, Plus::Itself).as_deref(), expected, "{text}");
    }
    assert_eq!(decoded("a+b", Plus::Space).as_deref(), Some("a b"));
}

#[test]
fn a_form_is_a_list_of_pairs() {
    let owned =
        |pairs: &[(&str, &str)]| Some(pairs.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect());
    assert_eq!(form("a=1&&b&c==+&"), owned(&[("a", "1"), ("b", ""), ("c", "= ")]));
    assert_eq!(form(""), owned(&[]));
    assert_eq!(form("a=1&b=%"), None);
}

proptest! {
    #[test]
    fn any_text_comes_back_after_encoding(text: String) {
        let encoded = text.bytes().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02X}"));
        prop_assert_eq!(decoded(&encoded, Plus::Space), Some(text));
    }

    #[test]
    fn noise_never_panics(text in "[%+&=0-9a-gé]{0,40}") {
        let _ = form(&text);
    }
}
