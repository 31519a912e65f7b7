//! One table per field: what is accepted, and which code a refusal carries.

use super::*;

fn codes(check: impl Fn(&mut Problems)) -> Vec<&'static str> {
    let mut problems = Vec::new();
    check(&mut problems);
    problems.into_iter().map(|problem| problem.code).collect()
}

#[test]
fn names() {
    for (text, expected) in [
        ("EchoWebSocket", vec![]),
        ("Grüße an alle", vec![]),
        ("", vec!["required"]),
        (" x", vec!["stray_space"]),
        ("a  b", vec!["stray_space"]),
        ("a/b", vec!["illegal_character"]),
        ("a\u{7}", vec!["illegal_character"]),
        (&"é".repeat(50), vec![]),
        (&"é".repeat(51), vec!["too_long"]),
    ] {
        assert_eq!(codes(|p| name("/name", text, p)), expected, "{text:?}");
    }
    for bad in RESERVED.chars() {
        assert_eq!(codes(|p| name("/name", &format!("a{bad}b"), p)), ["illegal_character"], "{bad:?}");
    }
}

#[test]
fn versions() {
    for (text, expected) in [
        ("1.0", vec![]),
        ("v2-beta_3", vec![]),
        ("", vec!["required"]),
        ("1 0", vec!["illegal_character"]),
        ("1/0", vec!["illegal_character"]),
        ("..", vec!["illegal_character"]),
        ("één", vec!["illegal_character"]),
        (&"1".repeat(31), vec!["too_long"]),
    ] {
        assert_eq!(codes(|p| version("/version", text, p)), expected, "{text:?}");
    }
}

#[test]
fn contexts() {
    for (text, expected) in [
        ("/echowebsocket", vec![]),
        ("/a/{version}/b", vec![]),
        ("/a(b)", vec![]),
        ("", vec!["required"]),
        ("/", vec!["required"]),
        ("/a/", vec!["trailing_slash"]),
        ("/a//b", vec!["empty_segment"]),
        ("/a/../b", vec!["empty_segment"]),
        ("/a b", vec!["illegal_character"]),
        ("/a?b", vec!["illegal_character"]),
        ("/t/a", vec!["reserved"]),
        ("/a/t/b", vec!["reserved"]),
        ("/a/{version}/{version}", vec!["version_template"]),
        ("/a/x{version}", vec!["version_template"]),
        ("/a/{b}", vec!["version_template"]),
        ("/a)b(", vec!["unbalanced"]),
        ("/a(b", vec!["unbalanced"]),
        (&format!("/{}", "a".repeat(199)), vec![]),
        (&format!("/{}", "a".repeat(200)), vec!["too_long"]),
    ] {
        assert_eq!(codes(|p| context("/context", text, p)), expected, "{text:?}");
    }
    assert_eq!(normal_context("echo"), "/echo");
    assert_eq!(normal_context("/echo"), "/echo");
}

#[test]
fn endpoint_addresses() {
    for (text, expected) in [
        ("ws://localhost:9098", vec![]),
        ("wss://echo.example:443/path?x=1", vec![]),
        ("ws://[::1]:80/", vec![]),
        ("", vec!["required"]),
        ("http://a", vec!["scheme"]),
        ("WS://a", vec!["scheme"]),
        ("ws:/a", vec!["scheme"]),
        ("ws://", vec!["malformed"]),
        ("ws://a b", vec!["illegal_character"]),
        ("ws://u:p@a", vec!["credentials"]),
        ("ws://a/#x", vec!["fragment"]),
        ("ws://a:0/", vec!["port"]),
        ("ws://a:99999/", vec!["malformed"]),
    ] {
        assert_eq!(codes(|p| endpoint_url("/url", text, p)), expected, "{text:?}");
    }
}

#[test]
fn timeouts_have_bounds_that_hold_their_defaults() {
    for bounds in [CONNECT_TIMEOUT, HANDSHAKE_TIMEOUT, IDLE_TIMEOUT] {
        assert!(bounds.min <= bounds.default && bounds.default <= bounds.max);
    }
    let mut endpoint = Endpoint::new("ws://a");
    assert_eq!(codes(|p| super::endpoint("", &endpoint, p)), Vec::<&str>::new());
    endpoint.idle_timeout_ms = IDLE_TIMEOUT.max + 1;
    endpoint.connect_timeout_ms = CONNECT_TIMEOUT.min - 1;
    assert_eq!(codes(|p| super::endpoint("", &endpoint, p)), ["out_of_range", "out_of_range"]);
}
