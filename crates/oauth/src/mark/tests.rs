//! Different things have different marks, the same thing always the same one.

use std::collections::HashSet;

use super::*;

#[test]
fn different_things_have_different_marks() {
    let (a, b) = ("https://a.test", "b");
    let marks = [
        token(a, b),
        token(b, a),
        token(a, ""),
        token("https://a.testb", ""),
        token("https://a.", "testb"),
        grant(a, b),
        subject(a, b),
        opaque(a, b),
        opaque("", "token"),
        token("", ""),
    ];
    assert_eq!(marks.iter().collect::<HashSet<_>>().len(), marks.len());
}

#[test]
fn a_mark_is_the_same_in_every_version() {
    // They are stored: another way to make them would forget what was revoked.
    let expected = [0x97, 0x47, 0xf6, 0x6f, 0x59, 0x79, 0x0b, 0x9a];
    assert_eq!(token("https://localhost:9443", "token-1"), expected);
}
