//! What a browser is told when the gateway refuses: a Close with the code and the reason.

use serde_json::{Value, json};

use super::{REASON_BYTES_MAX, Said, close_frame};

/// The code and the reason for a refusal of this kind.
fn told(status: u16, kind: &str, title: &str, retry_after: Option<u32>) -> (u16, Value) {
    let problem = json!({"type": format!("https://localhost:9443/problems/{kind}"), "title": title});
    let rest = problem.to_string().into_bytes();
    let frame = close_frame(&Said { status, accept: None, protocol: None, retry_after, rest });
    let [first, len, high, low, reason @ ..] = frame.as_slice() else { panic!("a short frame") };
    assert_eq!((*first, usize::from(*len)), (0x88, 2 + reason.len()));
    assert!(reason.len() <= REASON_BYTES_MAX);
    (u16::from_be_bytes([*high, *low]), serde_json::from_slice(reason).unwrap())
}

#[test]
fn each_refusal_has_the_code_of_a_session_that_ends_for_the_same_reason() {
    for (status, kind, code) in [
        (401, "credential-expired", 3000),
        (403, "api-blocked", 3003),
        (404, "api-retired", 3003),
        (404, "unknown-api", 1008),
        (429, "quota", 4429),
        (500, "internal", 1011),
        (502, "backend-unreachable", 1014),
        (503, "restarting", 1012),
        (503, "overloaded", 1013),
        (503, "stalled", 1013),
        (504, "backend-handshake-timeout", 1014),
    ] {
        assert_eq!(told(status, kind, "Why", None), (code, json!({"reason": kind, "title": "Why"})));
    }
}

#[test]
fn the_time_to_wait_is_told_even_where_the_title_is_too_long() {
    let short = json!({"reason": "quota", "retry_after": 37});
    assert_eq!(told(429, "quota", &"x".repeat(200), Some(37)), (4429, short));
}
