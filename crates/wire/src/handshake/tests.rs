//! Handshakes of clients: what passes, and every way in which one is refused.

use super::{HandshakeKey, RequestLine, Upgrade, UpgradeError, accept_key, judge};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const GOOD: [(&str, &str); 5] = [
    ("Host", "gateway.test:9099"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Version", "13"),
];

fn line(method: &'static str, target: &'static str) -> RequestLine<'static> {
    RequestLine { method, target, http1_minor: 1 }
}

fn judged<'a>(line: RequestLine<'a>, headers: &[(&'a str, &'a str)]) -> Result<Upgrade<'a>, UpgradeError> {
    judge(line, headers.iter().map(|(name, value)| (*name, value.as_bytes())))
}

/// The good handshake with one header replaced (an empty value: taken away), or added where the name has a `+`.
fn with<'a>(name: &'a str, value: &'a str) -> Result<Upgrade<'a>, UpgradeError> {
    let mut headers: Vec<(&str, &str)> = GOOD.to_vec();
    if let Some(name) = name.strip_prefix('+') {
        headers.push((name, value));
    } else {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        if !value.is_empty() {
            headers.push((name, value));
        }
    }
    judged(line("GET", "/echo/1.0?x=1"), &headers)
}

#[test]
fn the_example_of_the_rfc_is_accepted_with_its_accept_key() {
    // RFC 6455 section 1.3.
    let upgrade = judged(line("GET", "/echo/1.0?x=1"), &GOOD).unwrap();
    assert_eq!(accept_key(&upgrade.key), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!((upgrade.authority, upgrade.path_and_query), ("gateway.test:9099", "/echo/1.0?x=1"));
    assert_eq!(HandshakeKey::from_nonce(*b"the sample nonce").as_str(), KEY);
}

#[test]
fn lawful_variations_pass() {
    for (name, value) in [
        ("upgrade", "WebSocket"),
        ("connection", "keep-alive, Upgrade"),
        ("CONNECTION", "upgrade"),
        ("+Content-Length", "0"),
        ("+Connection", "keep-alive"),
        ("+Origin", "https://portal.test"),
        ("Host", "[::1]:9099"),
        ("Host", "127.0.0.1"),
        ("+Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits"),
    ] {
        assert!(with(name, value).is_ok(), "{name}: {value}: {:?}", with(name, value));
    }
}

#[test]
fn everything_else_is_refused_with_its_status() {
    use UpgradeError as E;
    for (name, value, error, status) in [
        ("Upgrade", "", E::NotAnUpgrade, 426),
        ("Upgrade", "h2c", E::Upgrade, 400),
        ("Upgrade", "websocket, h2c", E::Upgrade, 400),
        ("+Upgrade", "h2c", E::Upgrade, 400),
        ("+Upgrade", "websocket", E::Upgrade, 400),
        ("Connection", "", E::Connection, 400),
        ("Connection", "keep-alive", E::Connection, 400),
        ("Connection", "upgraded", E::Connection, 400),
        ("Sec-WebSocket-Key", "", E::Key, 400),
        ("Sec-WebSocket-Key", "AQID", E::Key, 400),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAA", E::Key, 400),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAAA=", E::Key, 400),
        ("Sec-WebSocket-Key", "not base64 at all ======", E::Key, 400),
        ("+Sec-WebSocket-Key", KEY, E::Key, 400),
        ("Sec-WebSocket-Version", "", E::Version, 426),
        ("Sec-WebSocket-Version", "8", E::Version, 426),
        ("Sec-WebSocket-Version", "777", E::Version, 426),
        ("Sec-WebSocket-Version", "13, 8", E::Version, 426),
        ("+Sec-WebSocket-Version", "13", E::Version, 426),
        ("+Content-Length", "1", E::Body, 400),
        ("+Content-Length", "+0", E::Body, 400),
        ("+Content-Length", "0, 0", E::Body, 400),
        ("+Content-Length", "00", E::Body, 400),
        ("+Transfer-Encoding", "chunked", E::Body, 400),
        ("+Transfer-Encoding", "identity", E::Body, 400),
        ("Host", "", E::Host, 400),
        ("+Host", "gateway.test:9099", E::Host, 400),
        ("Host", "a, b", E::Host, 400),
        ("Host", "user@gateway.test", E::Host, 400),
        ("Host", "gateway.test:99999", E::Host, 400),
        ("Host", "gateway.test/path", E::Host, 400),
        ("+Sec-WebSocket-Protocol", "chat,, super", E::Subprotocols, 400),
        ("+Sec-WebSocket-Protocol", "chat, chat", E::Subprotocols, 400),
        ("+Sec-WebSocket-Protocol", "two words", E::Subprotocols, 400),
        ("+Sec-WebSocket-Protocol", "ch\u{e9}t", E::HeaderValue { header: "Sec-WebSocket-Protocol" }, 400),
    ] {
        let refused = with(name, value).unwrap_err();
        assert_eq!((refused, refused.status()), (error, status), "{name}: {value}");
    }
}

#[test]
fn a_second_length_is_a_body_even_when_both_are_zero() {
    let mut headers = GOOD.to_vec();
    headers.extend([("Content-Length", "0"), ("content-length", "0")]);
    assert_eq!(judged(line("GET", "/"), &headers), Err(UpgradeError::Body));
}

#[test]
fn methods_versions_and_targets_are_judged() {
    for method in ["POST", "HEAD", "OPTIONS", "CONNECT", "PRI", "get"] {
        let refused = judged(line(method, "/"), &GOOD).unwrap_err();
        assert_eq!((refused, refused.status()), (UpgradeError::Method, 405), "{method}");
    }
    let old = RequestLine { http1_minor: 0, ..line("GET", "/") };
    assert_eq!(judged(old, &GOOD), Err(UpgradeError::HttpVersion));
    for target in
        ["*", "gateway.test:80", "ftp://a/b", "http://", "http://a?b", "/a#b", "/a b", "", "//\u{e9}"]
    {
        assert_eq!(judged(line("GET", target), &GOOD), Err(UpgradeError::Target), "{target}");
    }
}

#[test]
fn a_target_in_absolute_form_wins_over_host() {
    let upgrade = judged(line("GET", "ws://other.test:81/echo?x"), &GOOD).unwrap();
    assert_eq!((upgrade.authority, upgrade.path_and_query), ("other.test:81", "/echo?x"));
    let upgrade = judged(line("GET", "http://other.test"), &GOOD).unwrap();
    assert_eq!((upgrade.authority, upgrade.path_and_query), ("other.test", "/"));
}

#[test]
fn offers_are_kept_in_order_and_bounded() {
    let many: Vec<String> = (0..40).map(|n| format!("p{n}")).collect();
    let mut headers = GOOD.to_vec();
    headers.push(("Sec-WebSocket-Protocol", "bearer, eyJ.a-b_c.d"));
    headers.push(("sec-websocket-protocol", "chat"));
    let upgrade = judged(line("GET", "/"), &headers).unwrap();
    assert_eq!(upgrade.subprotocols, ["bearer", "eyJ.a-b_c.d", "chat"]);
    let offers = many.join(",");
    assert_eq!(with("+Sec-WebSocket-Protocol", &offers), Err(UpgradeError::TooManyOffers));
    let mut headers = GOOD.to_vec();
    headers.extend([("Sec-WebSocket-Extensions", "x"); 9]);
    assert_eq!(judged(line("GET", "/"), &headers), Err(UpgradeError::TooManyOffers));
}
