//! Documents of issuers: what is asked, and what is not taken for an answer.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;
use crate::testing::dialler;

/// What is made of this answer, and what was asked.
async fn asked(answer: String) -> (Result<Vec<u8>, NoDocument>, String) {
    asked_by(answer, "\r\n\r\n", async |dialler, url| dialler.document(&url, 100).await).await
}

/// The same for whoever asks so, until the question has this end.
async fn asked_by<R>(answer: String, end: &str, ask: impl AsyncFnOnce(Dialler, String) -> R) -> (R, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys?tenant=1", listener.local_addr().unwrap());
    let answering = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut question = Vec::new();
        while !question.ends_with(end.as_bytes()) {
            stream.read_buf(&mut question).await.unwrap();
        }
        // Whoever has read enough hangs up.
        let _ = stream.write_all(answer.as_bytes()).await;
        String::from_utf8(question).unwrap()
    };
    tokio::join!(ask(dialler(), url), answering)
}

#[tokio::test]
async fn a_token_is_presented_and_a_client_proves_itself_as_its_issuer_takes_it() {
    let good = || "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_owned();
    let bearer = Secret("their-token".to_owned());
    let (document, question) =
        asked_by(good(), "\r\n\r\n", async |dialler, url| dialler.document_for(&bearer, &url, 100).await)
            .await;
    assert_eq!(document.as_deref(), Ok(&b"{}"[..]));
    assert!(question.contains("authorization: Bearer their-token\r\n"), "{question}");
    let broken = Secret("their\r\ntoken: x".to_owned());
    assert_eq!(dialler().document_for(&broken, "http://localhost/", 1).await, Err(NoDocument::Malformed));

    let secret = Secret("a secret&".to_owned());
    let form = [("grant_type", "authorization_code"), ("code", "a b")];
    for (posts_secret, end, proof) in [
        (false, "code=a+b", "authorization: Basic dGhlaXI6YStzZWNyZXQlMjY=\r\n"),
        (true, "client_secret=a+secret%26", "client_id=their&"),
    ] {
        let (answer, question) = asked_by(good(), end, async |dialler, url| {
            let (url, client_secret) = (url.as_str(), &secret);
            let question = Question { url, form: &form, client_id: "their", client_secret, posts_secret };
            dialler.answer_to(&question, 100).await
        })
        .await;
        assert_eq!(answer.as_deref(), Ok(&b"{}"[..]));
        assert!(question.starts_with("POST /keys?tenant=1 HTTP/1.1\r\n"), "{question}");
        assert!(question.contains("grant_type=authorization_code&code=a+b"), "{question}");
        assert!(question.contains(proof), "{question}");
        assert_eq!(question.contains("Basic"), !posts_secret, "{question}");
    }
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
