//! Raw heads: what parsers forgive is refused, at the byte that shows it and however the head is cut.

use proptest::prelude::*;

use super::{FIELDS_MAX, HEAD_BYTES_MAX, REQUEST_LINE_BYTES_MAX, RawHead, RawHeadError, judge_fields};

fn at_once(head: &[u8]) -> Result<Option<usize>, RawHeadError> {
    RawHead::new().judge(head)
}

fn bytewise(head: &[u8]) -> Result<Option<usize>, RawHeadError> {
    let mut raw = RawHead::new();
    for end in 0..=head.len() {
        if let Some(len) = raw.judge(&head[..end])? {
            return Ok(Some(len));
        }
    }
    Ok(None)
}

#[test]
fn a_head_ends_at_its_empty_line_and_not_before() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\n\r\n";
    let mut with_frames = head.to_vec();
    with_frames.extend_from_slice(&[0x81, 0x80, 0, 0, 0, 0]);
    assert_eq!(at_once(&with_frames), Ok(Some(head.len())));
    assert_eq!(bytewise(&with_frames), Ok(Some(head.len())));
    assert_eq!(at_once(&head[..head.len() - 1]), Ok(None));
}

#[test]
fn what_parsers_forgive_is_refused() {
    use RawHeadError as E;
    for (head, error) in [
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", E::BareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\n\n", E::BareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", E::BareCarriageReturn),
        ("GET / HTTP/1.1\r\nHost: a\r\n\rx", E::BareCarriageReturn),
        ("GET / HTTP/1.1\r\nHost: a\0\r\n\r\n", E::ControlByte),
        ("GET / HTTP/1.1\r\nHost: a\u{7f}\r\n\r\n", E::ControlByte),
        ("GET / HTTP/1.1\r\nSec-WebSocket-Version: 13\t\r\n\r\n", E::ControlByte),
        ("GET /\u{e9} HTTP/1.1\r\n\r\n", E::NotAscii),
        ("GET / HTTP/1.1\r\nX: \u{e9}\r\n\r\n", E::NotAscii),
        ("\r\nGET / HTTP/1.1\r\n\r\n", E::EmptyRequestLine),
        ("GET  / HTTP/1.1\r\n\r\n", E::RequestLine),
        ("GET /\r\n\r\n", E::RequestLine),
        ("GET / HTTP/1.1 \r\n\r\n", E::RequestLine),
        (" GET / HTTP/1.1\r\n\r\n", E::RequestLine),
        ("GET / /x HTTP/1.1\r\n\r\n", E::RequestLine),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", E::LeadingBlank),
        ("GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", E::Folded),
        ("GET / HTTP/1.1\r\n: a\r\n\r\n", E::EmptyName),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", E::BlankInName),
        ("GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", E::ControlByte),
        ("GET / HTTP/1.1\r\nHo st: a\r\n\r\n", E::BlankInName),
        ("GET / HTTP/1.1\r\nHo(st: a\r\n\r\n", E::Name),
        ("GET / HTTP/1.1\r\nHost\r\n\r\n", E::Name),
        ("GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\n\r\n", E::DuplicateHost),
    ] {
        assert_eq!(at_once(head.as_bytes()), Err(error), "{head:?}");
        assert_eq!(bytewise(head.as_bytes()), Err(error), "{head:?}, byte by byte");
        assert_eq!(error.status(), 400);
    }
}

#[test]
fn sizes_are_bounded_before_the_head_is_whole() {
    let long_target = format!("GET /{} HTTP/1.1\r\n", "x".repeat(REQUEST_LINE_BYTES_MAX));
    let refused = at_once(&long_target.as_bytes()[..=REQUEST_LINE_BYTES_MAX]).unwrap_err();
    assert_eq!((refused, refused.status()), (RawHeadError::TargetTooLong, 414));
    let long_value = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(HEAD_BYTES_MAX));
    let refused = at_once(long_value.as_bytes()).unwrap_err();
    assert_eq!((refused, refused.status()), (RawHeadError::TooLarge, 431));
    let fields = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(count));
    assert_eq!(at_once(fields(FIELDS_MAX).as_bytes()), Ok(Some(fields(FIELDS_MAX).len())));
    let refused = at_once(fields(FIELDS_MAX + 1).as_bytes()).unwrap_err();
    assert_eq!((refused, refused.status()), (RawHeadError::TooManyFields, 431));
}

proptest! {
    #[test]
    fn cutting_changes_nothing(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just(&b"GET / HTTP/1.1\r\n"[..]),
                Just(&b"Host: a\r\n"[..]),
                Just(&b"X: y\r\n"[..]),
                Just(&b"\r\n"[..]),
                Just(&b" "[..]),
                Just(&b"\n"[..]),
                Just(&b":"[..]),
                Just(&b"\r"[..]),
                Just(&b"\xFF"[..]),
            ],
            0..12,
        ),
    ) {
        let head = pieces.concat();
        prop_assert_eq!(bytewise(&head), at_once(&head));
    }
}

#[test]
fn fields_without_lines_are_judged_by_the_same_bounds() {
    use RawHeadError as E;
    let judged = |target: &str, fields: &[(&str, &str)]| {
        judge_fields(target, fields.iter().map(|(name, value)| (*name, value.as_bytes())))
    };
    assert_eq!(judged("/", &[("host", "a"), ("x-empty", ""), ("x", "a b ~")]), Ok(()));
    assert_eq!(judged(&"/".repeat(REQUEST_LINE_BYTES_MAX + 1), &[]), Err(E::TargetTooLong));
    assert_eq!(judged("/", &[("x", "y"); FIELDS_MAX]), Ok(()));
    assert_eq!(judged("/", &[("x", "y"); FIELDS_MAX + 1]), Err(E::TooManyFields));
    assert_eq!(judged("/", &[("x", &"y".repeat(HEAD_BYTES_MAX))]), Err(E::TooLarge));
    assert_eq!(judged("/", &[("x y", "")]), Err(E::Name));
    assert_eq!(judged("/", &[("", "")]), Err(E::Name));
    for value in ["a\r\n", "a\tbcd", "a\0bcd", "a\x7fbc"] {
        assert_eq!(judged("/", &[("x", value)]), Err(E::ControlByte), "{value:?}");
    }
    assert_eq!(judged("/", &[("x", "café")]), Err(E::NotAscii));
    assert_eq!(judged("/", &[("host", "a"), ("Host", "a")]), Err(E::DuplicateHost));
}
