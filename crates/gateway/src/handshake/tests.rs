//! Who asks whether the gateway lives, who wants a ticket, and who only looks like it.

use super::*;

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// What is made of a request line with these header lines.
fn made_of(line: &str, headers: &str) -> String {
    let head = format!("{line}\r\n{headers}\r\n");
    assert_eq!(RawHead::new().judge(head.as_bytes()), Ok(Some(head.len())), "{line}");
    match judge(head.as_bytes(), Vec::new()) {
        Ok(Asked::Health { wants_body: true }) => "health".to_owned(),
        Ok(Asked::Health { wants_body: false }) => "health, no body".to_owned(),
        Ok(Asked::Ticket { request, wants }) => {
            format!("{wants:?} of {} at {}", request.path, request.authority)
        }
        Ok(Asked::Handshake { request, .. }) => format!("handshake at {}", request.path),
        Err(NoRequest::Refused(refusal)) => refusal.status().to_string(),
        Err(NoRequest::Gone) => "gone".to_owned(),
    }
}

#[test]
fn health_is_asked_for_in_both_versions_by_get_and_head() {
    for (line, headers, expected) in [
        ("GET /health HTTP/1.1", "Host: a\r\n", "health"),
        ("HEAD /health HTTP/1.1", "Host: a\r\n", "health, no body"),
        ("GET /health HTTP/1.0", "", "health"),
        ("HEAD /health HTTP/1.0", "", "health, no body"),
        ("GET /health HTTP/1.0", "Host: a\r\nConnection: keep-alive\r\n", "health"),
        ("OPTIONS /health HTTP/1.0", "", "405"),
        ("POST /health HTTP/1.1", "Host: a\r\n", "405"),
    ] {
        assert_eq!(made_of(line, headers), expected, "{line} {headers:?}");
    }
}

#[test]
fn what_is_unlawful_elsewhere_is_unlawful_here() {
    for (line, headers) in [
        ("GET /health HTTP/1.1", ""),
        ("HEAD /health HTTP/1.1", "Host: a\r\nContent-Length: 5\r\n"),
        ("GET /health HTTP/1.0", "Transfer-Encoding: chunked\r\n"),
        ("GET /health HTTP/1.0", "Host: a b\r\n"),
        ("GET /health HTTP/1.0", "Upgrade: websocket\r\n"),
    ] {
        let made = made_of(line, headers);
        assert!(["400", "405"].contains(&made.as_str()), "{made} of {line} {headers:?}");
    }
}

#[test]
fn a_handshake_is_no_question_for_health_and_nothing_else_is_either() {
    let with_host = format!("Host: a\r\n{UPGRADE}");
    for (line, headers, expected) in [
        ("GET /health HTTP/1.1", with_host.as_str(), "handshake at /health"),
        ("GET /health HTTP/1.0", &with_host, "400"),
        ("GET /health HTTP/1.0", UPGRADE, "400"),
        ("HEAD /health HTTP/1.1", &with_host, "405"),
        ("GET /health/ HTTP/1.1", "Host: a\r\n", "426"),
        ("GET /healthy HTTP/1.0", "", "400"),
    ] {
        assert_eq!(made_of(line, headers), expected, "{line}");
    }
}

#[test]
fn an_answer_without_its_body_says_the_same_of_it() {
    let (whole, head) = (healthy(true).to_http1(), healthy(false).to_http1());
    assert_eq!(whole, [head.as_slice(), b"ok\n"].concat());
}

#[test]
fn tickets_are_wanted_at_the_gateways_own_address_by_lawful_requests() {
    for (line, headers, expected) in [
        (
            "POST /.tidegate/tickets/a/1?x HTTP/1.1",
            "Host: a:1\r\n",
            "Ticket of /.tidegate/tickets/a/1 at a:1",
        ),
        ("OPTIONS /.tidegate/tickets/ HTTP/1.1", "Host: a\r\n", "Leave of /.tidegate/tickets/ at a"),
        ("POST /.tidegate/ticketsa/1 HTTP/1.1", "Host: a\r\n", "405"),
        ("POST /.tidegate/tickets HTTP/1.1", "Host: a\r\n", "405"),
        ("POST http://a/.tidegate/tickets/a/1 HTTP/1.1", "Host: a\r\n", "405"),
        ("GET /.tidegate/tickets/a/1 HTTP/1.1", "Host: a\r\n", "426"),
        ("POST /.tidegate/tickets/a/1 HTTP/1.0", "Host: a\r\n", "400"),
        ("POST /.tidegate/tickets/a/1 HTTP/1.1", "", "400"),
        ("POST /.tidegate/tickets/a/1 HTTP/1.1", "Host: a b\r\n", "400"),
        ("POST /.tidegate/tickets/a/1 HTTP/1.1", "Host: a\r\nContent-Length: 1\r\n", "400"),
        (
            "POST /.tidegate/tickets/a/1 HTTP/1.1",
            "Host: a\r\nContent-Length: 0\r\n",
            "Ticket of /.tidegate/tickets/a/1 at a",
        ),
        ("POST /.tidegate/tickets/a/1 HTTP/1.1", "Host: a\r\nTransfer-Encoding: chunked\r\n", "400"),
    ] {
        assert_eq!(made_of(line, headers), expected, "{line} {headers}");
    }
    let upgrade = format!("Host: a\r\n{UPGRADE}");
    assert_eq!(made_of("POST /.tidegate/tickets/a/1 HTTP/1.1", &upgrade), "405");
}
