//! Opaque tokens of another issuer, which the gateway asks about: what opens, what does not, and how often is asked.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use tidegate_model::{
    endpoint::Environment,
    id::KeyManagerId,
    issuer::{AcceptedIssuers, Algorithm, ClaimNames, Introspection, KeyManagerFacts, KeySource, Trust},
    snapshot::ClientFacts,
    user::Secret,
};
use tidegate_oauth::secret::{self, Kind};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    backend::Backend,
    client::{Answer, Ask},
    rig::Rig,
    world::{LIFETIME, NOW, PATH, World},
};

/// An introspection endpoint that the test plays.
struct Issuer {
    url: String,
    asked: Arc<AtomicUsize>,
    /// What it answers, and the last question.
    says: Arc<Mutex<(String, String)>>,
}

impl Issuer {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/introspect", listener.local_addr().unwrap());
        let (asked, says) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<(String, String)>>::default());
        let (counted, spoken) = (Arc::clone(&asked), Arc::clone(&says));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut question = Vec::new();
                // The form stands behind the head, and its end is known.
                while !String::from_utf8_lossy(&question).ends_with("token_type_hint=access_token") {
                    if stream.read_buf(&mut question).await.unwrap_or(0) == 0 {
                        break;
                    }
                }
                counted.fetch_add(1, Ordering::SeqCst);
                let answer = {
                    let mut spoken = spoken.lock().unwrap();
                    spoken.1 = String::from_utf8_lossy(&question).into_owned();
                    spoken.0.clone()
                };
                // Whoever asked may be gone by now.
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { url, asked, says }
    }

    fn answers(&self, status: &str, body: &str) {
        let text = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        self.says.lock().unwrap().0 = text;
    }

    fn says_of_it(&self, changed: &Value) {
        let mut word = json!({"active": true, "client_id": "their-client", "sub": "user-7", "token_type": "Bearer",
            "exp": NOW.seconds() + LIFETIME});
        for (name, value) in changed.as_object().unwrap() {
            word[name] = value.clone();
        }
        self.answers("200 OK", &word.to_string());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn facts(number: u8, url: &str) -> KeyManagerFacts {
    KeyManagerFacts {
        id: KeyManagerId::new(NOW, [number; 10]),
        name: format!("Issuer {number}"),
        trust: Trust {
            issuer: format!("https://{number}.example"),
            keys: KeySource::Jwks("https://1.example/jwks".to_owned()),
            audiences: vec!["tidegate".to_owned()],
            claims: ClaimNames::default(),
            algorithms: Algorithm::ALL.to_vec(),
            requires_at_jwt: false,
            introspection: Some(Introspection {
                url: url.to_owned(),
                client_id: "gate:way".to_owned(),
                client_secret: Secret("s3 cret".to_owned()),
            }),
            enabled: true,
        },
        jwks: r#"{"keys":[]}"#.to_owned(),
    }
}

async fn stage() -> (Issuer, Backend, World, Rig) {
    let (issuer, backend) = (Issuer::start().await, Backend::echo().await);
    issuer.says_of_it(&json!({}));
    let mut world = World::new(&backend.url());
    world.parts.key_managers.push(facts(1, &issuer.url));
    world.parts.clients.push(ClientFacts {
        client_id: "their-client".to_owned(),
        application: world.parts.applications[0].id,
        environment: Environment::Production,
        key_manager: Some(world.parts.key_managers[0].id),
    });
    let rig = Rig::start(&mut world).await;
    (issuer, backend, world, rig)
}

#[track_caller]
fn is_refused(answer: &Answer, status: u16, problem: &str, why: &str) {
    assert_eq!((answer.status, &*answer.problem()), (status, problem), "{why}: {}", answer.head.text);
}

#[tokio::test]
async fn an_opaque_token_is_asked_about_once_a_minute() {
    let (issuer, _backend, _world, rig) = stage().await;
    let ask = Ask::to(PATH).bearer("opaque-token");
    rig.open(&ask).await.echo("first").await;
    let question = issuer.says.lock().unwrap().1.clone();
    // RFC 6749, section 2.3.1: each is encoded before they are joined.
    assert!(question.contains("authorization: Basic Z2F0ZSUzQXdheTpzMytjcmV0"), "{question}");
    assert!(question.ends_with("token=opaque-token&token_type_hint=access_token"), "{question}");
    rig.clock.forward(59_999);
    rig.open(&ask).await.echo("from memory").await;
    assert_eq!(issuer.asked(), 1);
    // Revoked by its issuer: within the minute nobody knows, after it nothing opens.
    issuer.answers("200 OK", r#"{"active":false}"#);
    rig.clock.forward(1);
    is_refused(&rig.ask(&ask).await, 401, "credential-expired", "revoked");
    assert_eq!(issuer.asked(), 2);
    is_refused(&rig.ask(&ask).await, 401, "credential-expired", "revoked");
    assert_eq!(issuer.asked(), 2, "a bad word holds as well");
    issuer.says_of_it(&json!({}));
    rig.clock.forward(10_000);
    rig.open(&ask).await.echo("but not for long").await;
}

#[tokio::test]
async fn what_an_issuer_does_not_say_opens_nothing() {
    let (issuer, _backend, mut world, rig) = stage().await;
    for (number, (status, body)) in [
        ("500 Internal Server Error", ""),
        ("401 Unauthorized", r#"{"active":true}"#),
        ("302 Found", ""),
        ("200 OK", &*"x".repeat(70_000)),
    ]
    .into_iter()
    .enumerate()
    {
        issuer.answers(status, body);
        let answer = rig.ask(&Ask::to(PATH).bearer(&format!("away-{number}"))).await;
        is_refused(&answer, 503, "issuer-away", status);
        assert!(answer.head.text.contains("Retry-After"), "{status}");
    }
    let unsaid = [
        json!({"active": "true"}),
        json!({"aud": "other"}),
        json!({"client_id": "nobody"}),
        json!({"iss": "https://2.example"}),
        json!({"token_type": "refresh_token"}),
        json!({"exp": NOW.seconds()}),
    ];
    for (number, word) in unsaid.iter().enumerate() {
        issuer.says_of_it(word);
        let answer = rig.ask(&Ask::to(PATH).bearer(&format!("bad-{number}"))).await;
        assert_eq!(answer.status, 401, "{word}: {}", answer.head.text);
    }
    issuer.says_of_it(&json!({}));
    let before = issuer.asked();
    // Not accepted at this API, or one of two that could be meant: nobody is shown the token.
    world.api().issuers = AcceptedIssuers::named(vec!["resident".to_owned()]);
    rig.decide(&mut world).await;
    is_refused(&rig.ask(&Ask::to(PATH).bearer("mine")).await, 401, "credential-invalid", "not accepted");
    world.api().issuers = AcceptedIssuers::default();
    world.parts.key_managers.push(facts(2, &issuer.url));
    rig.decide(&mut world).await;
    is_refused(&rig.ask(&Ask::to(PATH).bearer("mine")).await, 401, "credential-invalid", "two of them");
    assert_eq!(issuer.asked(), before);
    world.api().issuers = AcceptedIssuers::named(vec!["Issuer 1".to_owned()]);
    rig.decide(&mut world).await;
    rig.open(&Ask::to(PATH).bearer("mine")).await.echo("one of them").await;
}

#[tokio::test]
async fn what_an_issuer_says_that_a_token_is_bound_to_has_to_be_shown() {
    let (issuer, backend, _world, rig) = stage().await;
    for (number, cnf) in
        [json!({"x5t#S256": "A".repeat(43)}), json!({"jkt": "A".repeat(43)})].into_iter().enumerate()
    {
        issuer.says_of_it(&json!({"cnf": cnf}));
        let answer = rig.ask(&Ask::to(PATH).bearer(&format!("bound-{number}"))).await;
        is_refused(&answer, 401, "proof-invalid", "nothing is shown");
        assert!(answer.head.one("www-authenticate").contains("error=\"invalid_token\""));
    }
    assert!(backend.seen.borrow().heads.is_empty());
}

#[tokio::test]
async fn many_that_present_one_token_are_one_question() {
    let (issuer, _backend, _world, rig) = stage().await;
    let ask = Ask::to(PATH).bearer("shared");
    let opened = futures_util::future::join_all((0..20).map(|_| rig.open(&ask))).await;
    assert_eq!((opened.len(), issuer.asked()), (20, 1));
}

#[tokio::test]
async fn an_issuer_at_a_forbidden_address_is_not_asked() {
    let (_issuer, _backend, mut world, rig) = stage().await;
    for url in
        ["http://169.254.169.254/introspect", "http://[fe80::1]/introspect", "http://0.0.0.0:1/introspect"]
    {
        world.parts.key_managers[0] = facts(1, url);
        rig.decide(&mut world).await;
        is_refused(&rig.ask(&Ask::to(PATH).bearer("opaque")).await, 503, "issuer-away", url);
    }
}

#[tokio::test]
async fn a_secret_of_ours_is_shown_to_no_issuer() {
    let (issuer, _backend, _world, rig) = stage().await;
    let mut random = |bytes: &mut [u8]| bytes.fill(7);
    for kind in Kind::ALL {
        let secret = secret::generate(kind, &mut random);
        // As a whole, and as somebody would who lost the end of it.
        for shown in [&*secret, &secret[..secret.len() - 1]] {
            let answer = rig.ask(&Ask::to(PATH).bearer(shown)).await;
            is_refused(&answer, 401, "credential-invalid", shown);
        }
    }
    assert_eq!(issuer.asked(), 0);
}
