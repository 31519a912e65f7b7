//! Certificates of clients, over real TLS: who gets in by one, who is asked for one, that its key has to be there, and that
//! what proxies and clients say of certificates counts as it should.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{
    ClientConfig, HandshakeKind, SignatureScheme, SupportedProtocolVersion,
    client::ResolvesClientCert,
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tidegate_model::{
    deny::{Denied, DenyFacts},
    endpoint::Environment,
    forwarded::TrustedProxies,
    id::CertificateId,
    lifecycle::State,
    security::Way,
    snapshot::CertificateFacts,
};
use tidegate_oauth::certificate::thumbprint;
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    backend::Backend,
    client::{self, Ask, Client, because},
    http2::peer,
    rig::{self, Rig},
    soon,
    world::{NOW, PATH, World},
};

pub(crate) const BOTH: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A self-signed certificate and its key.
pub(crate) struct Pair {
    pub(crate) der: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Pair {
    pub(crate) fn make(algorithm: &'static rcgen::SignatureAlgorithm) -> Self {
        let params = rcgen::CertificateParams::new(vec!["station.test".to_owned()]).unwrap();
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        Self { der: params.self_signed(&key).unwrap().der().clone(), key: key.serialize_der() }
    }

    pub(crate) fn new() -> Self {
        Self::make(&rcgen::PKCS_ECDSA_P256_SHA256)
    }

    /// What the gateway knows of it: the world's application has it.
    pub(crate) fn facts(&self, world: &World, number: u8) -> CertificateFacts {
        CertificateFacts {
            id: CertificateId::new(NOW, [number; 10]),
            thumbprint: thumbprint(&self.der),
            application: world.parts.applications[0].id,
            environment: Environment::Production,
            begins_at: NOW,
            expires_at: NOW.plus_millis(60_000),
        }
    }

    /// Its value of `Client-Cert`.
    pub(crate) fn header(&self) -> String {
        format!(":{}:", STANDARD.encode(&self.der))
    }
}

/// What a client shows, and whether it was asked.
#[derive(Debug)]
struct Shows {
    key: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
}

impl ResolvesClientCert for Shows {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A client of TLS: one of these takes up its own sessions again.
pub(crate) struct Shower {
    shows: Arc<Shows>,
    config: Arc<ClientConfig>,
}

impl Shower {
    fn new(
        version: &'static SupportedProtocolVersion,
        chain: Vec<CertificateDer<'static>>,
        key: &[u8],
    ) -> Self {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.to_vec()));
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
        Self::of(version, Some(Arc::new(CertifiedKey::new(chain, key))))
    }

    pub(crate) fn with(version: &'static SupportedProtocolVersion, pair: &Pair) -> Self {
        Self::new(version, vec![pair.der.clone()], &pair.key)
    }

    pub(crate) fn without(version: &'static SupportedProtocolVersion) -> Self {
        Self::of(version, None)
    }

    fn of(version: &'static SupportedProtocolVersion, key: Option<Arc<CertifiedKey>>) -> Self {
        let shows = Arc::new(Shows { key, asked: AtomicBool::new(false) });
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
        let config =
            builder.with_root_certificates(rig::roots()).with_client_cert_resolver(Arc::clone(&shows) as _);
        Self { shows, config: Arc::new(config) }
    }

    /// In TLS 1.3 a client that is refused learns it only when it reads.
    pub(crate) async fn connect(
        &self,
        rig: &Rig,
        protocol: Option<&str>,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = protocol.map(|it| it.as_bytes().to_vec()).into_iter().collect();
        let stream = TcpStream::connect(rig.secure_address()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        soon("TLS", TlsConnector::from(Arc::new(config)).connect(name, stream)).await
    }

    pub(crate) async fn open(&self, rig: &Rig, ask: &Ask) -> Client {
        client::open(Box::new(self.connect(rig, None).await.unwrap()), ask).await
    }

    pub(crate) async fn ask(&self, rig: &Rig, ask: &Ask) -> client::Answer {
        client::ask(Box::new(self.connect(rig, None).await.unwrap()), &ask.bytes()).await
    }

    /// Whether the gateway asks for a certificate now.
    pub(crate) async fn is_asked(&self, rig: &Rig) -> bool {
        self.shows.asked.store(false, Ordering::Relaxed);
        let (_, connection) = self.connect(rig, None).await.unwrap().into_inner();
        drop(connection);
        self.shows.asked.load(Ordering::Relaxed)
    }
}

/// An API that takes certificates and access tokens, and an application with this certificate.
async fn started(pair: &Pair) -> (Backend, World, Rig) {
    started_with(pair, |_| {}).await
}

async fn started_with(
    pair: &Pair,
    change: impl FnOnce(&mut tidegate_gateway::Settings),
) -> (Backend, World, Rig) {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().security.accepts = [Way::MutualTls, Way::OAuthHeader, Way::ApiKeyHeader].into();
    world.parts.certificates = vec![pair.facts(&world, 1)];
    let rig = Rig::with(&mut world, change).await;
    (backend, world, rig)
}

fn plain() -> Ask {
    Ask::to(PATH)
}

#[tokio::test]
async fn a_certificate_opens_a_session_and_stays_here() {
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ED25519, &rcgen::PKCS_RSA_SHA256] {
        let pair = Pair::make(algorithm);
        let (backend, world, rig) = started(&pair).await;
        for version in BOTH {
            let mut client = Shower::with(version, &pair).open(&rig, &plain()).await;
            client.echo("hello").await;
            client.leave().await;
            let head = backend.last_head().text.to_ascii_lowercase();
            let id = world.parts.certificates[0].id.to_string();
            for shown in ["cert", &thumbprint(&pair.der).to_ascii_lowercase(), &id] {
                assert!(!head.contains(shown), "{shown}: {head}");
            }
        }
        rig.control.until("both are told", |told| told.sessions().len() == 2).await;
        for session in rig.control.told.borrow().sessions() {
            assert_eq!(session.application, world.parts.applications[0].id);
        }
    }
}

#[tokio::test]
async fn each_stream_of_a_connection_is_by_its_certificate() {
    let pair = Pair::new();
    let (_backend, _world, rig) = started(&pair).await;
    let stream = Shower::with(&TLS13, &pair).connect(&rig, Some("h2")).await.unwrap();
    let connection = peer::Connection::over(Box::new(stream)).await;
    for _ in 0..2 {
        connection.session(&peer::Ask::to(PATH)).await.echo("hello").await;
    }
    let stream = Shower::without(&TLS13).connect(&rig, Some("h2")).await.unwrap();
    let connection = peer::Connection::over(Box::new(stream)).await;
    let refused = connection.ask(&peer::Ask::to(PATH)).await;
    assert_eq!((refused.status, &*refused.problem()), (401, "credential-missing"));
}

/// Browsers ask people which certificate to show: not for nothing.
#[tokio::test]
async fn nobody_is_asked_unless_an_api_takes_certificates() {
    let pair = Pair::new();
    let (_backend, mut world, rig) = started(&pair).await;
    let clients = BOTH.map(Shower::without);
    for (ways, expected) in [
        (vec![Way::OAuthHeader, Way::MutualTls], true),
        (vec![Way::OAuthHeader], false),
        (vec![Way::MutualTls], true),
    ] {
        world.api().security.accepts = ways.into_iter().collect();
        rig.decide(&mut world).await;
        for client in &clients {
            assert_eq!(client.is_asked(&rig).await, expected);
        }
    }
    world.api().state = State::Retired;
    rig.decide(&mut world).await;
    assert!(!clients[0].is_asked(&rig).await, "it serves nobody any more");
}

/// A client that goes on from a TLS session in which nobody asked would never be asked.
#[tokio::test]
async fn a_client_is_asked_also_where_it_was_connected_before_anybody_asked() {
    let pair = Pair::new();
    let (_backend, mut world, rig) = started(&pair).await;
    world.api().security.accepts = [Way::OAuthHeader].into();
    rig.decide(&mut world).await;
    let clients = BOTH.map(|version| Shower::with(version, &pair));
    for client in &clients {
        client.open(&rig, &Ask::usual(&world)).await.leave().await;
    }
    world.api().security.accepts = [Way::MutualTls].into();
    rig.decide(&mut world).await;
    for client in &clients {
        client.open(&rig, &plain()).await.leave().await;
    }
}

#[tokio::test]
async fn a_session_of_tls_that_is_taken_up_again_keeps_its_certificate() {
    let pair = Pair::new();
    let (_backend, mut world, rig) = started(&pair).await;
    for version in BOTH {
        let shower = Shower::with(version, &pair);
        // What it takes to go on comes with the first bytes.
        shower.open(&rig, &plain()).await.leave().await;
        let stream = shower.connect(&rig, None).await.unwrap();
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed), "{version:?}");
        client::open(Box::new(stream), &plain()).await.echo("hello").await;
        // It is looked up anew all the same.
        let kept = world.parts.certificates.pop().unwrap();
        rig.decide(&mut world).await;
        shower.ask(&rig, &plain()).await.is_problem(401, "credential-invalid");
        world.parts.certificates.push(kept);
        rig.decide(&mut world).await;
    }
}

#[tokio::test]
async fn who_shows_none_or_a_strangers_is_refused() {
    let pair = Pair::new();
    let (backend, _world, rig) = started(&pair).await;
    for version in BOTH {
        Shower::without(version).ask(&rig, &plain()).await.is_problem(401, "credential-missing");
        let stranger = Shower::with(version, &Pair::new());
        let refused = stranger.ask(&rig, &plain()).await;
        refused.is_problem(401, "credential-invalid");
        assert!(refused.head.one("www-authenticate").starts_with("Bearer"));
    }
    rig.ask(&plain()).await.is_problem(401, "credential-missing");
    assert!(backend.seen.borrow().heads.is_empty());
}

/// Certificates are public. Whoever has one without its key gets no connection.
#[tokio::test]
async fn a_certificate_without_its_key_is_worth_nothing() {
    let (pair, other) = (Pair::new(), Pair::new());
    let (backend, _world, rig) = started(&pair).await;
    for version in BOTH {
        let thief = Shower::new(version, vec![pair.der.clone()], &other.key);
        if let Ok(mut stream) = thief.connect(&rig, None).await {
            let read = soon("the alert", stream.read(&mut [0])).await;
            assert!(read.is_err(), "{version:?}: {read:?}");
        }
    }
    assert!(backend.seen.borrow().heads.is_empty());
}

#[tokio::test]
async fn what_a_client_shows_is_bounded() {
    let pair = Pair::new();
    let (_backend, _world, rig) = started(&pair).await;
    let chain = |bytes: usize| vec![pair.der.clone(), CertificateDer::from(vec![0x30; bytes])];
    let long = Shower::new(&TLS13, chain(20_000), &pair.key);
    let mut stream = long.connect(&rig, None).await.unwrap();
    let read = soon("the alert", stream.read(&mut [0])).await;
    assert!(read.is_err(), "{read:?}");
    // What is between it and an authority is nobody's to look at.
    Shower::new(&TLS13, chain(2_000), &pair.key).open(&rig, &plain()).await.leave().await;
}

#[tokio::test]
async fn a_certificate_is_no_good_before_and_after_its_time_and_its_sessions_end_with_it() {
    let (pair, next) = (Pair::new(), Pair::new());
    let (_backend, mut world, rig) = started(&pair).await;
    let begins_at = NOW.plus_millis(30_000);
    let facts = next.facts(&world, 2);
    world.parts.certificates.push(CertificateFacts {
        begins_at,
        expires_at: NOW.plus_millis(90_000),
        ..facts
    });
    rig.decide(&mut world).await;
    let (old, new) = (Shower::with(&TLS13, &pair), Shower::with(&TLS13, &next));
    new.ask(&rig, &plain()).await.is_problem(401, "credential-invalid");
    let mut ending = old.open(&rig, &plain()).await;
    rig.clock.forward(30_000);
    let mut lasting = new.open(&rig, &plain()).await;
    rig.clock.forward(30_000);
    assert_eq!(ending.closed().await, because(3000, "expired"));
    old.ask(&rig, &plain()).await.is_problem(401, "credential-expired");
    lasting.echo("it has half a minute more").await;
}

#[tokio::test]
async fn a_session_ends_with_its_certificate_its_subscription_and_what_its_api_takes() {
    let (one, two) = (Pair::new(), Pair::new());
    let (_backend, mut world, rig) = started(&one).await;
    let facts = two.facts(&world, 2);
    world.parts.certificates.push(facts);
    rig.decide(&mut world).await;
    let (first, second) = (Shower::with(&TLS13, &one), Shower::with(&TLS12, &two));
    let mut removed = first.open(&rig, &plain()).await;
    let mut other = second.open(&rig, &plain()).await;
    world.parts.certificates.remove(0);
    rig.decide(&mut world).await;
    assert_eq!(removed.closed().await, because(3000, "key_revoked"));
    other.echo("another certificate of the application").await;
    world.parts.deny_rules = vec![DenyFacts {
        denied: Denied::Application(world.parts.applications[0].id),
        is_inverted: false,
        subject: None,
    }];
    rig.decide(&mut world).await;
    assert_eq!(other.closed().await, because(3003, "denied"));
    world.parts.deny_rules.clear();
    rig.decide(&mut world).await;
    let mut other = second.open(&rig, &plain()).await;
    world.api().security.accepts.remove(&Way::MutualTls);
    rig.decide(&mut world).await;
    assert_eq!(other.closed().await, because(3000, "credential_not_accepted"));
    world.api().security.accepts.insert(Way::MutualTls);
    rig.decide(&mut world).await;
    let mut other = second.open(&rig, &plain()).await;
    world.parts.subscriptions.clear();
    rig.decide(&mut world).await;
    assert_eq!(other.closed().await, because(3003, "subscription_ended"));
}

#[tokio::test]
async fn no_other_credential_hides_a_certificate_nor_a_certificate_another() {
    let pair = Pair::new();
    let (backend, mut world, rig) = started(&pair).await;
    let (own, strange) = (Shower::with(&TLS13, &pair), Shower::with(&TLS13, &Pair::new()));
    for shower in [&own, &strange] {
        for ask in [
            Ask::usual(&world),
            plain().bearer("nonsense"),
            plain().with("ApiKey", "tgk_nonsense"),
            Ask::to(&format!("{PATH}?access_token={}", world.token())),
        ] {
            shower.ask(&rig, &ask).await.is_problem(400, "credential-several");
        }
    }
    assert!(backend.seen.borrow().heads.is_empty());
    // To an API that takes none it is a matter of the connection, which may be there for others as well.
    let mut other = crate::world::api(2, "/open", &backend.url());
    other.security.accepts = [Way::MutualTls].into();
    world.parts.apis.push(other);
    world.api().security.accepts = [Way::OAuthHeader].into();
    rig.decide(&mut world).await;
    for shower in [&own, &strange] {
        shower.open(&rig, &Ask::usual(&world)).await.leave().await;
        shower.ask(&rig, &plain()).await.is_problem(401, "credential-missing");
    }
}

/// A browser shows a certificate for every page that asks.
#[tokio::test]
async fn a_page_is_named_where_a_browser_shows_a_certificate() {
    let pair = Pair::new();
    let (_backend, mut world, rig) = started(&pair).await;
    let shower = Shower::with(&TLS13, &pair);
    let ask = plain().with("Origin", "https://evil.test");
    shower.ask(&rig, &ask).await.is_problem(403, "origin-refused");
    world.api().security.origins = vec!["https://app.test".to_owned()];
    rig.decide(&mut world).await;
    shower.ask(&rig, &ask).await.is_problem(403, "origin-refused");
    shower.open(&rig, &plain().with("Origin", "https://app.test")).await.leave().await;
}

#[tokio::test]
async fn a_proxy_says_which_certificate_its_client_has_shown() {
    let pair = Pair::new();
    let (backend, _world, rig) = started_with(&pair, |settings| {
        settings.trusted = TrustedProxies::parse("127.0.0.1").unwrap();
        settings.client_cert = true;
    })
    .await;
    let told = plain().with("Client-Cert", &pair.header()).with("Client-Cert-Chain", ":AAAA:");
    for ask in [told.clone(), told.clone().with("X-Forwarded-For", "192.0.2.7")] {
        rig.open(&ask).await.echo("hello").await;
        assert!(!backend.last_head().text.to_ascii_lowercase().contains("client-cert"));
    }
    rig.ask(&plain()).await.is_problem(401, "credential-missing");
    let stranger = Pair::new().header();
    for value in [
        &*stranger,
        "",
        ":",
        "nonsense",
        pair.header().trim_end_matches(':'),
        &format!("{0}, {0}", pair.header()),
    ] {
        rig.ask(&plain().with("Client-Cert", value)).await.is_problem(401, "credential-invalid");
    }
    let twice = told.clone().with("client-cert", &pair.header());
    rig.ask(&twice).await.is_problem(401, "credential-invalid");
    // Servers that read an underscore as a hyphen would take this for the proxy's word.
    rig.ask(&plain().with("Client_Cert", &pair.header())).await.is_problem(401, "credential-missing");
    rig.ask(&told.bearer("nonsense")).await.is_problem(400, "credential-several");
}

/// Whoever has seen a certificate could send it in a header.
#[tokio::test]
async fn of_nobody_else_a_header_is_believed_and_it_goes_no_further() {
    let pair = Pair::new();
    let changes: [fn(&mut tidegate_gateway::Settings); 3] = [
        |_| {},
        |settings| {
            settings.trusted = TrustedProxies::parse("10.0.0.0/8").unwrap();
            settings.client_cert = true;
        },
        // A proxy that is trusted for addresses may hand on what its clients say.
        |settings| settings.trusted = TrustedProxies::parse("127.0.0.1").unwrap(),
    ];
    for change in changes {
        let (backend, world, rig) = started_with(&pair, change).await;
        let told = |ask: Ask| ask.with("Client-Cert", &pair.header()).with("client_cert", &pair.header());
        rig.ask(&told(plain())).await.is_problem(401, "credential-missing");
        rig.open(&told(Ask::usual(&world))).await.leave().await;
        let head = backend.last_head().text.to_ascii_lowercase();
        assert!(!head.contains("client-cert") && !head.contains("client_cert"), "{head}");
    }
}

/// Else all clients of a proxy that shows a certificate of its own would be that one.
#[tokio::test]
async fn a_proxys_own_certificate_says_nothing_of_its_clients() {
    let pair = Pair::new();
    for client_cert in [false, true] {
        let (_backend, _world, rig) = started_with(&pair, |settings| {
            settings.trusted = TrustedProxies::parse("127.0.0.1").unwrap();
            settings.client_cert = client_cert;
        })
        .await;
        Shower::with(&TLS13, &pair).ask(&rig, &plain()).await.is_problem(401, "credential-missing");
    }
}
