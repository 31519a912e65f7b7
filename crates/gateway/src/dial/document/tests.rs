//! Documents of issuers: what is asked, and what is not taken for an answer.

use std::sync::Arc;

use tidegate_model::{
    port::{Clock, Entropy},
    time::Timestamp,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;
use crate::dial::{AddressRules, DiallerParts, SystemNames};

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
}

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn dialler() -> Dialler {
    let parts = DiallerParts {
        rules: AddressRules::default(),
        names: Arc::new(SystemNames),
        clock: Arc::new(Still),
        entropy: Arc::new(Still),
        monotonic: crate::time::Monotonic::start(),
        socket_buffer_bytes: None,
    };
    Dialler::new(parts).unwrap()
}

/// What is made of this answer, and what was asked.
async fn asked(answer: String) -> (Result<Vec<u8>, NoDocument>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys?tenant=1", listener.local_addr().unwrap());
    let answering = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = Vec::new();
        while !question.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut question).await.unwrap();
        }
        // Whoever has read enough hangs up.
        let _ = stream.write_all(answer.as_bytes()).await;
        String::from_utf8(question).unwrap()
    };
    let dialler = dialler();
    tokio::join!(dialler.document(&url, 100), answering)
}

#[tokio::test]
async fn a_document_is_what_a_200_brings_within_its_bound() {
    let (document, question) = asked("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_owned()).await;
    assert_eq!(document.as_deref(), Ok(&b"{}"[..]));
    assert!(question.starts_with("GET /keys?tenant=1 HTTP/1.1\r\n"), "{question}");
    assert!(!question.to_lowercase().contains("authorization"), "{question}");
    for (answer, expected) in [
        (
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\n\r\n".to_owned(),
            NoDocument::Refused { status: 302 },
        ),
        ("HTTP/1.1 404 Not Found\r\n\r\n".to_owned(), NoDocument::Refused { status: 404 }),
        (format!("HTTP/1.1 200 OK\r\ncontent-length: 101\r\n\r\n{}", "x".repeat(101)), NoDocument::Malformed),
        (format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", u64::MAX), NoDocument::Malformed),
        (format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1 << 20)), NoDocument::Malformed),
        ("SSH-2.0-OpenSSH\r\n".to_owned(), NoDocument::Malformed),
        (String::new(), NoDocument::Unreachable),
    ] {
        let shown = answer.chars().take(60).collect::<String>();
        assert_eq!(asked(answer).await.0, Err(expected), "{shown}");
    }
}

#[tokio::test]
async fn addresses_that_no_issuer_has_are_not_connected_to() {
    for url in [
        "http://169.254.169.254/latest/meta-data",
        "http://100.100.100.200/",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fe80::1]/",
        "http://0.0.0.0/",
        "http://2852039166/",
    ] {
        assert_eq!(dialler().document(url, 100).await, Err(NoDocument::Forbidden), "{url}");
    }
    for url in ["file:///etc/passwd", "ftp://localhost/", "ws://localhost/", "http://user:x@localhost/", "x"]
    {
        assert_eq!(dialler().document(url, 100).await, Err(NoDocument::BadUrl), "{url}");
    }
}
