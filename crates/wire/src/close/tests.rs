//! Codes and reasons that may travel, and the frames that carry them.

use super::{CloseError, CloseReason, REASON_BYTES_MAX, code, may_travel};

#[test]
fn exactly_the_registered_and_private_codes_travel() {
    for code in 0..=u16::MAX {
        let expected =
            (1000..=1014).contains(&code) && !(1004..=1006).contains(&code) || (3000..5000).contains(&code);
        assert_eq!(may_travel(code), expected, "{code}");
    }
    assert!(![code::NO_STATUS, code::ABNORMAL, code::TLS].into_iter().any(may_travel));
}

#[test]
fn payloads_are_read_as_the_rfc_says() {
    let check = |payload: &[u8], expected: Result<(Option<u16>, &str), CloseError>| {
        let read = CloseReason::parse(payload);
        let read = read.as_ref().map(|reason| (reason.code(), reason.reason())).map_err(|error| *error);
        assert_eq!(read, expected, "{payload:02x?}");
    };
    check(&[], Ok((None, "")));
    check(&[0x03], Err(CloseError::OneByte));
    check(&[0x03, 0xE8], Ok((Some(1000), "")));
    check(b"\x03\xE8bye", Ok((Some(1000), "bye")));
    check(&[0, 0], Err(CloseError::Code { code: 0 }));
    check(&[0x03, 0xED], Err(CloseError::Code { code: 1005 }));
    check(&[0x03, 0xED, 0xFF], Err(CloseError::Code { code: 1005 }));
    check(&[0x03, 0xE8, 0xFF], Err(CloseError::ReasonNotUtf8));
}

#[test]
fn a_reason_of_ours_is_cut_at_a_whole_character() {
    let reason = CloseReason::ours(code::POLICY, &"☃".repeat(50));
    assert_eq!(reason.reason(), "☃".repeat(41));
    assert_eq!(
        CloseReason::new(code::POLICY, &"x".repeat(124)),
        Err(CloseError::ReasonTooLong { bytes: 124 })
    );
    assert_eq!(CloseReason::new(code::ABNORMAL, ""), Err(CloseError::Code { code: 1006 }));
    assert_eq!(CloseReason::ours(code::ABNORMAL, "").code(), Some(code::INTERNAL));
}

#[test]
fn frames_carry_code_and_reason_masked_where_asked() {
    let reason = CloseReason::ours(1000, "bye");
    assert_eq!(reason.to_frame(None).as_bytes(), b"\x88\x05\x03\xE8bye");
    assert_eq!(
        reason.to_frame(Some([1, 2, 3, 4])).as_bytes(),
        [0x88, 0x85, 1, 2, 3, 4, 0x03 ^ 1, 0xE8 ^ 2, b'b' ^ 3, b'y' ^ 4, b'e' ^ 1]
    );
    assert_eq!(CloseReason::EMPTY.to_frame(None).as_bytes(), [0x88, 0]);
    let longest = CloseReason::ours(1000, &"x".repeat(REASON_BYTES_MAX));
    assert_eq!(longest.to_frame(Some([0; 4])).as_bytes().len(), 131);
}
