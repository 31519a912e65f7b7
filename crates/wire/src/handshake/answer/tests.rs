//! Answers of backends: one that passes, and every way in which one is refused.

use super::super::{HandshakeKey, accept_key};
use super::{Accepted, AnswerError, judge};
use crate::deflate::parse_offers;

const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const GOOD: [(&str, &str); 3] =
    [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", ACCEPT)];

fn judged<'a>(status: u16, headers: &[(&'a str, &'a str)]) -> Result<Accepted<'a>, AnswerError> {
    let key = HandshakeKey::from_nonce(*b"the sample nonce");
    assert_eq!(accept_key(&key), ACCEPT);
    let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
    judge(status, headers, &key, &["chat", "superchat"], &[])
}

#[test]
fn a_right_answer_opens_the_tunnel() {
    assert_eq!(judged(101, &GOOD), Ok(Accepted { subprotocol: None, deflate: None }));
    let mut headers = GOOD.to_vec();
    headers.push(("sec-websocket-protocol", "superchat"));
    assert_eq!(judged(101, &headers), Ok(Accepted { subprotocol: Some("superchat"), deflate: None }));
}

#[test]
fn compression_is_agreed_as_it_was_offered_or_not_at_all() {
    let key = HandshakeKey::from_nonce(*b"the sample nonce");
    let offers = parse_offers(["permessage-deflate; server_no_context_takeover"]).unwrap();
    for (answers, expected) in [
        (vec![], Ok(None)),
        (vec!["permessage-deflate; server_no_context_takeover"], Ok(Some(true))),
        (vec!["permessage-deflate"], Err(AnswerError::Extension)),
        (vec!["permessage-deflate; server_no_context_takeover; x"], Err(AnswerError::Extension)),
        (vec!["permessage-bzip2"], Err(AnswerError::Extension)),
        (vec!["permessage-deflate; server_no_context_takeover"; 2], Err(AnswerError::Extension)),
    ] {
        let headers = GOOD.iter().copied().chain(answers.iter().map(|it| ("Sec-WebSocket-Extensions", *it)));
        let headers = headers.map(|(name, value)| (name, value.as_bytes()));
        let judged = judge(101, headers, &key, &[], &offers);
        let seen = judged.map(|it| it.deflate.map(|agreed| agreed.server_no_context_takeover));
        assert_eq!(seen, expected, "{answers:?}");
    }
}

#[test]
fn any_other_status_opens_none() {
    for status in [100, 103, 200, 201, 204, 302, 304, 307, 403, 426, 500] {
        assert_eq!(judged(status, &GOOD), Err(AnswerError::Status { status }));
    }
}

#[test]
fn a_101_that_is_wrong_in_any_part_opens_none() {
    for (name, value, error) in [
        ("Upgrade", "", AnswerError::Upgrade),
        ("Upgrade", "h2c", AnswerError::Upgrade),
        ("Upgrade", "websocket, h2c", AnswerError::Upgrade),
        ("+Upgrade", "websocket", AnswerError::Upgrade),
        ("Connection", "", AnswerError::Connection),
        ("Connection", "close", AnswerError::Connection),
        ("Sec-WebSocket-Accept", "", AnswerError::Accept),
        ("Sec-WebSocket-Accept", "s3pplmbitxaq9kygzzhzrbk+xoo=", AnswerError::Accept),
        ("Sec-WebSocket-Accept", "HSmrc0sMlYUkAGmm5OPpG2HaGWk=", AnswerError::Accept),
        ("+Sec-WebSocket-Accept", ACCEPT, AnswerError::Accept),
        ("+Sec-WebSocket-Protocol", "mqtt", AnswerError::Subprotocol),
        ("+Sec-WebSocket-Protocol", "chat, superchat", AnswerError::Subprotocol),
        ("+Sec-WebSocket-Protocol", "Chat", AnswerError::Subprotocol),
        ("+Sec-WebSocket-Extensions", "permessage-deflate", AnswerError::Extension),
        ("+Transfer-Encoding", "chunked", AnswerError::Body),
        ("+Content-Length", "5", AnswerError::Body),
    ] {
        let mut headers = GOOD.to_vec();
        if let Some(name) = name.strip_prefix('+') {
            headers.push((name, value));
        } else {
            headers.retain(|(known, _)| *known != name);
            if !value.is_empty() {
                headers.push((name, value));
            }
        }
        assert_eq!(judged(101, &headers), Err(error), "{name}: {value}");
    }
}
