//! Handshakes over HTTP/2: what passes, and every way in which one is refused.

use super::*;

const GOOD: RequestHead<'_> = RequestHead {
    method: "CONNECT",
    protocol: Some("websocket"),
    authority: Some("gateway.test:8099"),
    path_and_query: "/echo/1.0?x=1",
    is_ended: false,
};

fn judged<'a>(head: RequestHead<'a>, headers: &[(&'a str, &'a str)]) -> Result<Connect<'a>, ConnectError> {
    let version = ("sec-websocket-version", "13");
    let headers = headers.iter().chain([&version]).map(|(name, value)| (*name, value.as_bytes()));
    judge(head, headers)
}

#[test]
fn a_connect_for_websocket_is_accepted() {
    let offers = [
        ("sec-websocket-protocol", "chat, bearer"),
        ("sec-websocket-protocol", "x"),
        ("sec-websocket-extensions", "permessage-deflate; client_max_window_bits"),
        ("host", "Gateway.test:8099"),
    ];
    let connect = judged(GOOD, &offers).unwrap();
    assert_eq!(
        (connect.authority, connect.path_and_query),
        ("gateway.test:8099", "/echo/1.0?x=1"),
        "as written"
    );
    assert_eq!((connect.subprotocols, connect.deflate.len()), (vec!["chat", "bearer", "x"], 1));
    let by_host = judged(RequestHead { authority: None, ..GOOD }, &[("host", "a.test")]).unwrap();
    assert_eq!(by_host.authority, "a.test");
}

#[test]
fn a_request_that_is_no_such_connect_is_refused() {
    use ConnectError as E;
    use UpgradeError as U;
    for (head, expected, status) in [
        (RequestHead { method: "GET", protocol: None, ..GOOD }, E::Method, 405),
        (RequestHead { protocol: None, ..GOOD }, E::NoProtocol, 400),
        (RequestHead { protocol: Some("connect-udp"), ..GOOD }, E::Protocol, 501),
        (RequestHead { protocol: Some("websocket, h2c"), ..GOOD }, E::Protocol, 501),
        (RequestHead { is_ended: true, ..GOOD }, E::Ended, 400),
        (RequestHead { path_and_query: "", ..GOOD }, E::Upgrade(U::Target), 400),
        (RequestHead { path_and_query: "*", ..GOOD }, E::Upgrade(U::Target), 400),
        (RequestHead { path_and_query: "/a b", ..GOOD }, E::Upgrade(U::Target), 400),
        (RequestHead { path_and_query: "http://a.test/b", ..GOOD }, E::Upgrade(U::Target), 400),
        (RequestHead { authority: None, ..GOOD }, E::Upgrade(U::Host), 400),
        (RequestHead { authority: Some("u@gateway.test"), ..GOOD }, E::Upgrade(U::Host), 400),
    ] {
        assert_eq!(judged(head, &[]).unwrap_err(), expected, "{head:?}");
        assert_eq!(expected.status(), status);
    }
}

#[test]
fn headers_are_judged_as_those_of_an_upgrade() {
    use ConnectError as E;
    use UpgradeError as U;
    for (name, value, expected) in [
        ("host", "other.test", E::Upgrade(U::Host)),
        ("upgrade", "websocket", E::ConnectionHeader),
        ("connection", "Upgrade", E::ConnectionHeader),
        ("content-length", "0", E::Upgrade(U::Body)),
        ("content-length", "5", E::Upgrade(U::Body)),
        ("transfer-encoding", "chunked", E::Upgrade(U::Body)),
        ("sec-websocket-version", "13", E::Upgrade(U::Version)),
        ("sec-websocket-protocol", "a, a", E::Upgrade(U::Subprotocols)),
        ("sec-websocket-extensions", "permessage-deflate;", E::Upgrade(U::Extensions)),
    ] {
        assert_eq!(judged(GOOD, &[(name, value)]).unwrap_err(), expected, "{name}: {value}");
        assert_eq!(expected.status(), 400);
    }
    assert_eq!(judge(GOOD, []).unwrap_err(), E::Upgrade(U::Version), "no version");
}
