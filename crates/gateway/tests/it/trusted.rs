//! Backends over TLS that are trusted. What the gateway trusts are the machine's own roots, so the test runs itself
//! once more as a process whose roots are a certificate of its own.

use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tidegate_model::{
    endpoint::Endpoint,
    port::{Probe as _, ProbeRequest},
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{
    backend::Visit,
    client::{self, Ask},
    rig::Rig,
    socket::{BINARY, PING, PONG, encode},
    soon,
    world::World,
};

/// Where certificate and key are, in the second process.
const FOLDER: &str = "TIDEGATE_TEST_TLS";

#[test]
fn a_trusted_backend_is_reached_over_tls() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(stories(Path::new(&folder)));
    }
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("trusted-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let itself = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "trusted::a_trusted_backend_is_reached_over_tls", "--nocapture"])
        .env(FOLDER, &folder)
        .env("SSL_CERT_FILE", folder.join("cert.pem"))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8_lossy(&itself.stdout);
    assert!(
        itself.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&itself.stderr)
    );
}

/// A TLS listener; each connection is the test's to play.
struct Secure {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Secure {
    async fn bind(folder: &Path) -> Self {
        let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        Self { listener, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }

    fn url(&self, host: &str) -> String {
        format!("wss://{host}:{}/", self.listener.local_addr().unwrap().port())
    }

    /// The next connection; `None` where the other side does not go through with TLS.
    async fn next(&self) -> Option<Visit> {
        let (stream, _) = soon("a connection", self.listener.accept()).await.unwrap();
        let stream = soon("TLS", self.acceptor.accept(stream)).await.ok()?;
        Visit::begin(Box::new(stream)).await
    }
}

async fn stories(folder: &Path) {
    let backend = Secure::bind(folder).await;
    sessions(&backend).await;
    another_name(&backend).await;
    probed(&backend).await;
}

async fn sessions(backend: &Secure) {
    let mut world = World::new(&backend.url("localhost"));
    let rig = Rig::start(&mut world).await;
    let early = encode(1, b"early", Some([1, 2, 3, 4]));
    let ask = Ask::usual(&world).behind(&early);
    for stream in [rig.plain().await, rig.secure().await] {
        let answering = async {
            let mut visit = backend.next().await.expect("the gateway trusts it");
            let answer = visit.switching("");
            let welcome = visit.frames.frame(1, b"welcome");
            visit.frames.write(&[answer.as_bytes(), &welcome].concat()).await;
            visit
        };
        let (mut client, mut visit) = tokio::join!(client::open(stream, &ask), answering);
        assert_eq!(visit.frames.hear().await, "early");
        assert_eq!(client.frames.hear().await, "welcome");
        let large = vec![0x5a; 500_000];
        let sending = client.frames.send(BINARY, &large);
        let ((), received) = tokio::join!(sending, visit.frames.next());
        assert!(received.unwrap().payload == large);
        let sending = visit.frames.send(BINARY, &large);
        let ((), received) = tokio::join!(sending, client.frames.next());
        assert!(received.unwrap().payload == large);
        client.frames.close(1000, "done").await;
        assert_eq!(visit.frames.closed().await, (1000, "done".to_owned()));
        assert_eq!(client.closed().await, (1000, "done".to_owned()));
        assert_eq!(visit.frames.rest().await, b"");
    }
}

async fn another_name(backend: &Secure) {
    let mut world = World::new(&backend.url("127.0.0.1"));
    let rig = Rig::start(&mut world).await;
    let ask = Ask::usual(&world);
    let (refused, visit) = tokio::join!(rig.ask(&ask), backend.next());
    assert_eq!((refused.status, &*refused.problem()), (502, "backend-untrusted"));
    assert!(visit.is_none(), "nothing was asked");
}

async fn probed(backend: &Secure) {
    let rig = Rig::unready(|_| {});
    let answering = async {
        let mut visit = backend.next().await.expect("the gateway trusts it");
        visit.accept("").await;
        let ping = visit.frames.next().await.unwrap();
        assert_eq!(ping.opcode, PING);
        visit.frames.send(PONG, &ping.payload).await;
        visit
    };
    let endpoint = Endpoint::new(backend.url("localhost"));
    let (report, _visit) = tokio::join!(rig.gateway.probe(ProbeRequest { endpoint }), answering);
    assert!(report.is_ok(), "{report:?}");
    assert!(report.steps.iter().any(|step| step.step == tidegate_model::port::ProbeStep::Tls));
}
