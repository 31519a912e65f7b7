//! What is told: the whole of it, once, and only to whom backends may be.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;
use crate::testing::dialler;

const BODY: &str = r#"{"type":"alert"}"#;

fn told(url: &str) -> Post<'_> {
    Post { url, headers: &[("content-type", "application/json"), ("webhook-id", "one")], body: BODY }
}

/// What is made of this answer, and what was told.
async fn answered(answer: &str) -> (Result<(), NoDocument>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?of=1", listener.local_addr().unwrap());
    let answering = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = Vec::new();
        while !question.ends_with(BODY.as_bytes()) {
            stream.read_buf(&mut question).await.unwrap();
        }
        // Whoever has read enough hangs up.
        let _ = stream.write_all(answer.as_bytes()).await;
        String::from_utf8(question).unwrap()
    };
    let (dialler, told) = (dialler(), told(&url));
    tokio::join!(dialler.post(&told), answering)
}

#[tokio::test]
async fn what_is_told_was_taken_where_the_answer_is_a_2xx_whatever_it_brings() {
    let (taken, question) = answered("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK").await;
    assert_eq!(taken, Ok(()));
    assert!(question.starts_with("POST /hook?of=1 HTTP/1.1\r\n"), "{question}");
    for line in ["webhook-id: one\r\n", "content-type: application/json\r\n", "content-length: 16\r\n"] {
        assert!(question.contains(line), "{question}");
    }
    let endless = format!("HTTP/1.1 202 Accepted\r\n\r\n{}", "x".repeat(1 << 20));
    assert_eq!(answered(&endless).await.0, Ok(()));
    assert_eq!(answered("HTTP/1.1 204 No Content\r\n\r\n").await.0, Ok(()));
    for (answer, expected) in [
        ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\n\r\n", NoDocument::Refused { status: 302 }),
        ("HTTP/1.1 500 Internal Server Error\r\n\r\n", NoDocument::Refused { status: 500 }),
        ("SSH-2.0-OpenSSH\r\n", NoDocument::Malformed),
        ("", NoDocument::Unreachable),
    ] {
        assert_eq!(answered(answer).await.0, Err(expected), "{answer}");
    }
}

#[tokio::test]
async fn addresses_that_no_backend_has_are_told_nothing() {
    for url in ["http://169.254.169.254/", "http://0.0.0.0/", "https://[fd00:ec2::254]/"] {
        assert_eq!(dialler().post(&told(url)).await, Err(NoDocument::Forbidden), "{url}");
    }
    for url in ["file:///etc/passwd", "ws://localhost/", "x"] {
        assert_eq!(dialler().post(&told(url)).await, Err(NoDocument::BadUrl), "{url}");
    }
}
