//! What a backend is really shown: Basic, a header, and tokens of an authorization server that the test plays.

use std::{
    collections::VecDeque,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use tidegate_model::{
    endpoint::Credential,
    headers::SetHeader,
    port::{Probe as _, ProbeRequest, ProbeStep},
    user::Secret,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

use crate::{
    backend::Backend,
    client::Ask,
    rig::Rig,
    secure_backend::{Authority, SecureBackend},
    soon,
    world::World,
};

fn world(backend: &Backend, credential: Credential) -> World {
    let mut world = World::new(&backend.url());
    *world.production().credential = credential;
    world
}

#[tokio::test]
async fn a_basic_credential_is_shown_and_the_clients_own_is_not() {
    let backend = Backend::echo().await;
    let password = Secret("open sesame".to_owned());
    let mut world = world(&backend, Credential::Basic { username: "Aladdin".to_owned(), password });
    let rig = Rig::start(&mut world).await;
    rig.open(&Ask::usual(&world)).await.echo("hello").await;
    // RFC 7617, section 2.
    assert_eq!(backend.head().all("authorization"), ["Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]);
}

#[tokio::test]
async fn a_header_is_shown_in_place_of_the_clients_in_any_spelling() {
    let backend = Backend::echo().await;
    let value = Secret("of the gateway".to_owned());
    let mut world = world(&backend, Credential::Header { name: "X-Api-Key".to_owned(), value });
    let rig = Rig::start(&mut world).await;
    let ask = Ask::usual(&world).with("x-api-key", "of the client").with("X_Api_Key", "of the client");
    rig.open(&ask).await.echo("hello").await;
    let head = backend.head();
    assert_eq!(head.all("x-api-key"), ["of the gateway"]);
    assert!(!head.text.contains("of the client"), "{}", head.text);
}

#[tokio::test]
async fn a_credential_stands_for_what_a_rule_would_set() {
    let backend = Backend::echo().await;
    let value = Secret("of the gateway".to_owned());
    let mut world = world(&backend, Credential::Header { name: "X-Api-Key".to_owned(), value });
    let rule = SetHeader { name: "x_api_key".to_owned(), value: "of a rule".to_owned() };
    world.api().headers.set = vec![rule];
    let rig = Rig::start(&mut world).await;
    rig.open(&Ask::usual(&world)).await.echo("hello").await;
    let head = backend.head();
    assert_eq!(head.all("x-api-key"), ["of the gateway"]);
    assert!(!head.text.contains("of a rule"), "{}", head.text);
}

/// An authorization server that gives `token-1`, `token-2` and so on, or what it is told to say.
struct Issuer {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    next: Arc<Mutex<VecDeque<String>>>,
    serving: JoinHandle<()>,
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

impl Issuer {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, next) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<VecDeque<String>>>::default());
        let (seen, said) = (Arc::clone(&asked), Arc::clone(&next));
        let serving = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                // The body ends with this form's only field.
                while !request.ends_with(b"grant_type=client_credentials&scope=chat+admin") {
                    if stream.read_buf(&mut request).await.unwrap() == 0 {
                        break;
                    }
                }
                let number = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(String::from_utf8(request).unwrap());
                    seen.len()
                };
                let usual = || {
                    let token = format!(
                        r#"{{"access_token":"token-{number}","token_type":"Bearer","expires_in":600}}"#
                    );
                    answer("200 OK", &token)
                };
                let say = said.lock().unwrap().pop_front().unwrap_or_else(usual);
                stream.write_all(say.as_bytes()).await.unwrap();
            }
        });
        Self { port, asked, next, serving }
    }

    fn credential(&self) -> Credential {
        Credential::OAuth {
            token_url: format!("http://localhost:{}/token", self.port),
            client_id: "gateway".to_owned(),
            client_secret: Secret("s3cret".to_owned()),
            scope: "chat admin".to_owned(),
        }
    }

    fn says_next(&self, answer: String) {
        self.next.lock().unwrap().push_back(answer);
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_and_again_before_it_expires() {
    let (backend, issuer) = (Backend::echo().await, Issuer::start().await);
    let mut world = world(&backend, issuer.credential());
    let rig = Rig::start(&mut world).await;
    let shown = || backend.last_head().one("authorization").to_owned();
    for _ in 0..3 {
        rig.open(&Ask::usual(&world)).await.echo("hello").await;
        assert_eq!(shown(), "Bearer token-1");
    }
    let asked = issuer.asked();
    assert_eq!(asked.len(), 1);
    let head = asked[0].to_ascii_lowercase();
    assert!(head.starts_with("post /token http/1.1\r\n"), "{head}");
    assert!(asked[0].contains("Basic Z2F0ZXdheTpzM2NyZXQ="), "{head}");
    // In the last tenth of its ten minutes.
    rig.clock.forward(9 * 60_000 + 1);
    rig.open(&Ask::usual(&world)).await.echo("hello").await;
    assert_eq!((shown(), issuer.asked().len()), ("Bearer token-2".to_owned(), 2));
}

#[tokio::test]
async fn a_kept_token_that_the_backend_refuses_is_replaced_once() {
    let (backend, issuer) = (Backend::bind().await, Issuer::start().await);
    let mut world = world(&backend, issuer.credential());
    let rig = Rig::start(&mut world).await;
    let ask = Ask::usual(&world);
    let accepting = async {
        let mut visit = backend.next().await;
        visit.accept("").await;
        visit
    };
    let (_client, visit) = tokio::join!(rig.open(&ask), accepting);
    assert_eq!(visit.head.one("authorization"), "Bearer token-1");
    rig.clock.forward(60_000);
    let refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    let refusing_once = async {
        let mut refused = backend.next().await;
        refused.frames.write(refusal.as_bytes()).await;
        let mut visit = backend.next().await;
        visit.accept("").await;
        (refused, visit)
    };
    let (_client, (refused, visit)) = tokio::join!(rig.open(&ask), refusing_once);
    assert_eq!(refused.head.one("authorization"), "Bearer token-1");
    assert_eq!(visit.head.one("authorization"), "Bearer token-2");
    // A new token is no better a moment later, and every handshake would ask for one.
    let refusing = async {
        let mut refused = backend.next().await;
        refused.frames.write(refusal.as_bytes()).await;
        refused
    };
    let (answer, _refused) = tokio::join!(rig.ask(&ask), refusing);
    assert_eq!((answer.status, &*answer.problem()), (502, "backend-refused"));
    assert_eq!(issuer.asked().len(), 2);
}

#[tokio::test]
async fn without_a_token_nobody_is_dialled_and_the_tester_learns_why() {
    let (backend, issuer) = (Backend::bind().await, Issuer::start().await);
    let mut world = world(&backend, issuer.credential());
    let rig = Rig::start(&mut world).await;
    let redirect = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n";
    let huge = answer("200 OK", &format!(r#"{{"access_token":"{}"}}"#, "a".repeat(100_000)));
    for (said, advice) in [
        (answer("401 Unauthorized", r#"{"error":"invalid_client"}"#), "client id, secret and scope"),
        (answer("500 Internal Server Error", "{}"), "answered 500"),
        (redirect.to_owned(), "redirects are not followed"),
        (answer("200 OK", "<html>"), "no bearer token"),
        (huge, "no bearer token"),
        ("SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned(), "no bearer token"),
        (String::new(), "Nothing answers"),
    ] {
        issuer.says_next(said.clone());
        issuer.says_next(said.clone());
        let answer = rig.ask(&Ask::usual(&world)).await;
        assert_eq!((answer.status, &*answer.problem()), (502, "backend-credential"), "{advice}");
        let endpoint = world.production().clone();
        let report = soon("a report", rig.gateway.probe(ProbeRequest { endpoint })).await;
        assert_eq!(report.steps.last().unwrap().step, ProbeStep::Credential, "{report:?}");
        let told = report.advice.unwrap();
        assert!(told.contains(advice), "{told}");
        assert!(!String::from_utf8_lossy(&answer.body).contains(advice));
    }
    backend.saw_nothing().await;
}

#[tokio::test]
async fn an_issuer_obeys_the_rules_for_addresses_of_backends() {
    let (backend, issuer) = (Backend::bind().await, Issuer::start().await);
    let stranger = SecureBackend::echo(&Authority::new().issue("localhost")).await;
    for (token_url, advice) in [
        ("http://169.254.169.254/token".to_owned(), "never dialled"),
        (stranger.url("localhost").replace("wss:", "https:"), "certificate is not trusted"),
        ("ftp://localhost/token".to_owned(), "token URL like"),
    ] {
        let Credential::OAuth { client_id, client_secret, scope, .. } = issuer.credential() else {
            panic!("it is one of these")
        };
        let credential = Credential::OAuth { token_url, client_id, client_secret, scope };
        let mut world = world(&backend, credential);
        let rig = Rig::start(&mut world).await;
        let answer = rig.ask(&Ask::usual(&world)).await;
        assert_eq!((answer.status, &*answer.problem()), (502, "backend-credential"));
        let endpoint = world.production().clone();
        let report = soon("a report", rig.gateway.probe(ProbeRequest { endpoint })).await;
        let told = report.advice.unwrap();
        assert!(told.contains(advice), "{told}");
    }
    backend.saw_nothing().await;
}
