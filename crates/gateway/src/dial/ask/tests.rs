//! What a backend is asked in a client's name, and which of its answers open a session.

use std::net::IpAddr;

use tidegate_wire::handshake::accept_key;
use tokio::net::UnixStream;

use super::*;
use crate::testing::request;

const NONCE: [u8; 16] = [7; 16];
const INSTANCE: &str = "boot-1-42";

/// A head taken apart: the request line, and name (in lower case) with value of every header.
fn asked(url: &str, request: Option<&Request>, tail: &Tail<'_>) -> (String, Vec<(String, String)>) {
    let asker = Asker {
        request,
        client: request.map(|_| IpAddr::from([192, 0, 2, 7])),
        proto: "https",
        instance: INSTANCE,
        passing: None,
    };
    let question = Question::new(&Url::parse(url).unwrap(), &asker, tail, None, NONCE);
    let head = String::from_utf8(question.head).unwrap();
    let head = head.strip_suffix("\r\n\r\n").expect("a head ends once");
    let mut lines = head.split("\r\n");
    let request_line = lines.next().unwrap().to_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").expect("a header has a value");
        assert!(!value.contains(['\r', '\n', '\0']), "{line:?}");
        (name.to_ascii_lowercase(), value.to_owned())
    };
    (request_line, lines.map(header).collect())
}

fn headers_of(request: &Request) -> Vec<(String, String)> {
    asked("ws://backend.test/", Some(request), &Tail::default()).1
}

fn values<'h>(headers: &'h [(String, String)], name: &str) -> Vec<&'h str> {
    headers.iter().filter(|header| header.0 == name).map(|header| &*header.1).collect()
}

#[test]
fn a_question_of_the_gateways_own_is_short() {
    let key = HandshakeKey::from_nonce(NONCE);
    let asker = Asker { request: None, client: None, proto: "http", instance: INSTANCE, passing: None };
    let url = Url::parse("ws://backend.test/chat").unwrap();
    let question = Question::new(&url, &asker, &Tail::default(), None, NONCE);
    let expected = format!(
        "GET /chat HTTP/1.1\r\nHost: backend.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\nX-Request-Id: {INSTANCE}\r\n\r\n",
        key.as_str()
    );
    assert_eq!(String::from_utf8(question.head).unwrap(), expected);
}

#[test]
fn the_gateway_says_who_its_client_is() {
    let headers = headers_of(&request(&[("Host", "gateway.test:9099")]));
    for (name, value) in [
        ("host", "backend.test"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "gateway.test:9099"),
        ("x-request-id", INSTANCE),
    ] {
        assert_eq!(values(&headers, name), [value], "{name}");
    }
}

#[test]
fn subprotocols_are_offered_as_the_client_did() {
    let offers = ["chat".to_owned(), "superchat".to_owned()];
    let tail = Tail { subprotocols: &offers, ..Tail::default() };
    let (_, headers) = asked("ws://backend.test", Some(&request(&[])), &tail);
    assert_eq!(values(&headers, "sec-websocket-protocol"), ["chat, superchat"]);
    assert_eq!(values(&headers_of(&request(&[])), "sec-websocket-protocol"), [""; 0]);
}

#[test]
fn topic_and_query_follow_the_endpoints_own() {
    for (url, topic, query, target) in [
        ("ws://b.test", "", None, "/"),
        ("ws://b.test/", "", None, "/"),
        ("ws://b.test/chat", "", None, "/chat"),
        ("ws://b.test/chat/", "", None, "/chat/"),
        ("ws://b.test", "/news", None, "/news"),
        ("ws://b.test/chat", "/news/a%20b", None, "/chat/news/a%20b"),
        ("ws://b.test/chat/", "/news", None, "/chat/news"),
        ("ws://b.test/chat//", "/news", None, "/chat/news"),
        ("ws://b.test/chat", "/", None, "/chat/"),
        ("ws://b.test/chat", "", Some("a=1"), "/chat?a=1"),
        ("ws://b.test/chat?key=k", "", None, "/chat?key=k"),
        ("ws://b.test/chat?key=k", "/news", Some("a=1&b=2"), "/chat/news?key=k&a=1&b=2"),
        ("ws://b.test/chat?", "", Some("a=1"), "/chat?a=1"),
        ("ws://b.test/chat", "", Some(""), "/chat"),
        ("ws://b.test/chat", "", Some("%61=%2f?x"), "/chat?%61=%2f?x"),
        ("ws://b.test/a b#fragment", "", None, "/a%20b"),
        ("ws://b.test/chat?key=k", "/rooms?room=7", Some("a=1"), "/chat/rooms?key=k&room=7&a=1"),
        ("ws://b.test/chat", "/?room=7", None, "/chat/?room=7"),
        ("ws://b.test/chat?", "", Some("&&a=1&"), "/chat?&&a=1&"),
    ] {
        let (line, _) = asked(url, None, &Tail { topic, query, ..Tail::default() });
        assert_eq!(line, format!("GET {target} HTTP/1.1"), "{url} with {topic:?} and {query:?}");
    }
}

#[test]
fn a_client_does_not_name_again_what_the_api_says_of_a_parameter() {
    let topic = "/rooms?room=7&of=x";
    for (query, target) in [
        ("room=8", "/rooms?key=k&room=7&of=x"),
        ("a=1&room=8&b=2", "/rooms?key=k&room=7&of=x&a=1&b=2"),
        ("key=other&room", "/rooms?key=k&room=7&of=x"),
        ("%72oom=8&roo%6D=9", "/rooms?key=k&room=7&of=x"),
        ("a=1;room=8&b=2", "/rooms?key=k&room=7&of=x&b=2"),
        // Other names.
        ("rooms=8&Room=9&room%20=1", "/rooms?key=k&room=7&of=x&rooms=8&Room=9&room%20=1"),
        ("a=room=8", "/rooms?key=k&room=7&of=x&a=room=8"),
    ] {
        let tail = Tail { topic, query: Some(query), ..Tail::default() };
        let (line, _) = asked("ws://b.test/?key=k", None, &tail);
        assert_eq!(line, format!("GET {target} HTTP/1.1"), "{query:?}");
    }
}

#[test]
fn host_is_the_backends_with_a_port_that_is_not_usual() {
    for (url, host) in [
        ("ws://backend.test/", "backend.test"),
        ("ws://backend.test:80/", "backend.test"),
        ("wss://backend.test:443/", "backend.test"),
        ("wss://backend.test:80/", "backend.test:80"),
        ("ws://backend.test:8080/", "backend.test:8080"),
        ("ws://BACKEND.test/", "backend.test"),
        ("ws://127.0.0.1:9000/", "127.0.0.1:9000"),
        ("ws://[::1]:9000/", "[::1]:9000"),
        ("ws://[::1]/", "[::1]"),
    ] {
        let (_, headers) = asked(url, None, &Tail::default());
        assert_eq!(values(&headers, "host"), [host], "{url}");
    }
}

fn question(offers: &[&str]) -> Question {
    let offers: Vec<String> = offers.iter().map(|&offer| offer.to_owned()).collect();
    let asker = Asker { request: None, client: None, proto: "http", instance: INSTANCE, passing: None };
    let tail = Tail { subprotocols: &offers, ..Tail::default() };
    Question::new(&Url::parse("ws://backend.test").unwrap(), &asker, &tail, None, NONCE)
}

fn accept() -> String {
    accept_key(&HandshakeKey::from_nonce(NONCE))
}

/// A right answer with these lines added.
fn switching(more: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{more}\r\n",
        accept()
    )
}

#[test]
fn a_right_answer_opens_a_session() {
    let question = question(&["chat", "superchat"]);
    for (answer, subprotocol) in [
        (switching(""), None),
        (switching("Sec-WebSocket-Protocol: superchat\r\n"), Some("superchat")),
        (switching("Server: any\r\nContent-Length: 0\r\n"), None),
        (switching("").replace("Upgrade: websocket", "uPGRADE: WebSocket"), None),
        (switching("").replace("Connection: Upgrade", "Connection: keep-alive, upgrade"), None),
        (switching("").replace(" Switching Protocols", ""), None),
    ] {
        let judged = question.judge(answer.as_bytes()).unwrap();
        assert_eq!(
            judged,
            Some((answer.len(), Chosen { subprotocol: subprotocol.map(str::to_owned), deflate: None })),
            "{answer}"
        );
    }
}

#[test]
fn an_answer_that_is_not_whole_is_waited_for() {
    let question = question(&["chat"]);
    let answer = switching("Sec-WebSocket-Protocol: chat\r\n");
    for end in 0..answer.len() {
        assert_eq!(question.judge(&answer.as_bytes()[..end]), Ok(None), "{end} bytes of it");
    }
}

#[test]
fn every_other_status_is_a_refusal() {
    let question = question(&[]);
    for status in [100, 103, 200, 201, 204, 301, 304, 307, 400, 401, 403, 404, 426, 500, 502, 503] {
        let plain = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n");
        let dressed = switching("").replace("101", &status.to_string());
        for answer in [plain, dressed] {
            assert_eq!(question.judge(answer.as_bytes()), Err(DialError::Refused { status }), "{answer}");
        }
    }
}

#[test]
fn an_answer_that_is_wrong_in_any_part_opens_nothing() {
    let question = question(&["chat"]);
    let right = switching("");
    let accept = accept();
    let other = accept_key(&HandshakeKey::from_nonce([8; 16]));
    for (answer, why) in [
        (right.replace(&accept, &other), "the accept key of another question"),
        (right.replace(&accept, &accept.to_ascii_lowercase()), "an accept key in lower case"),
        (right.replace("Sec-WebSocket-Accept", "X"), "no accept key"),
        (switching(&format!("Sec-WebSocket-Accept: {accept}\r\n")), "two accept keys"),
        (right.replace("Upgrade: websocket\r\n", ""), "no upgrade"),
        (right.replace("Upgrade: websocket", "Upgrade: h2c"), "another upgrade"),
        (switching("Upgrade: h2c\r\n"), "a second upgrade"),
        (right.replace("Connection: Upgrade\r\n", ""), "no connection"),
        (right.replace("Connection: Upgrade", "Connection: close"), "another connection"),
        (switching("Sec-WebSocket-Protocol: superchat\r\n"), "a subprotocol that was not offered"),
        (switching("Sec-WebSocket-Protocol: Chat\r\n"), "a subprotocol in another case"),
        (switching("Sec-WebSocket-Protocol: chat, chat\r\n"), "two subprotocols"),
        (switching("Sec-WebSocket-Extensions: permessage-deflate\r\n"), "an extension"),
        (switching("Content-Length: 5\r\n"), "a body"),
        (switching("Transfer-Encoding: chunked\r\n"), "a coded body"),
        (right.replace("\r\n", "\n"), "bare line feeds"),
        (right.replacen("\r\n", "\n", 1), "one bare line feed"),
        (format!("\n{right}"), "a bare line feed before it"),
        (right.replace("HTTP/1.1", "HTTP/1.0"), "HTTP/1.0"),
        (right.replace("HTTP/1.1", "HTTP/2"), "HTTP/2"),
        (right.replace("HTTP/1.1", "ICY"), "another protocol"),
        (right.replace("Upgrade: websocket", "Upgrade : websocket"), "a blank behind a name"),
        (right.replace("Upgrade: websocket", "Upgrade: web\0socket"), "a NUL"),
        (switching(" folded: yes\r\n"), "a folded line"),
        (switching(&"X: y\r\n".repeat(FIELDS_MAX)), "more headers than are read"),
        ("\x16\x03\x01\x02\0\x01\0\x01\u{fc}\r\n\r\n".to_owned(), "TLS where none was expected"),
        ("SSH-2.0-OpenSSH_9.6\r\n".to_owned(), "another server"),
    ] {
        assert_eq!(question.judge(answer.as_bytes()), Err(DialError::Malformed), "{why}: {answer:?}");
    }
}

/// Asks somebody who answers with these bytes, in these pieces, and goes.
async fn ask(pieces: Vec<Vec<u8>>) -> Result<Backend, DialError> {
    let (near, mut far) = UnixStream::pair().unwrap();
    let question = question(&["chat"]);
    let head = question.head.clone();
    let answering = async move {
        let mut read = vec![0; head.len()];
        far.read_exact(&mut read).await.unwrap();
        assert_eq!(read, head);
        for piece in pieces {
            // Whoever asked may have heard enough.
            if far.write_all(&piece).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(question.ask(Stream::Unix(near)), answering).0
}

#[tokio::test]
async fn what_follows_the_answer_is_kept() {
    let behind = b"\x81\x05hello\x82\x00".to_vec();
    let whole = [switching("Sec-WebSocket-Protocol: chat\r\n").into_bytes(), behind.clone()].concat();
    for size in [1, 7, whole.len()] {
        let mut backend = ask(whole.chunks(size).map(<[u8]>::to_vec).collect()).await.unwrap();
        assert_eq!(backend.chosen.subprotocol.as_deref(), Some("chat"));
        let mut rest = std::mem::take(&mut backend.early);
        backend.stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, behind, "in pieces of {size}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let line = b"X-Filler: ....................................................\r\n".to_vec();
    let endless = std::iter::once(b"HTTP/1.1 101 Switching Protocols\r\nX: ".to_vec());
    let filler = vec![b'.'; 1_000];
    let one_long_line = endless.chain(std::iter::repeat_n(filler, 40)).collect();
    assert_eq!(ask(one_long_line).await.unwrap_err(), DialError::Malformed);
    let many_lines = std::iter::once(b"HTTP/1.1 200 OK\r\n".to_vec()).chain(std::iter::repeat_n(line, 400));
    assert_eq!(ask(many_lines.collect()).await.unwrap_err(), DialError::Malformed);
}

#[tokio::test]
async fn a_backend_that_goes_without_an_answer_is_gone() {
    assert_eq!(ask(Vec::new()).await.unwrap_err(), DialError::Gone);
    let half = switching("").into_bytes()[..40].to_vec();
    assert_eq!(ask(vec![half]).await.unwrap_err(), DialError::Gone);
}
