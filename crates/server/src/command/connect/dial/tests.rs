//! What a person is told who meets a certificate that cannot be trusted, or no TLS at all.

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::PrivateKeyDer;
use tokio::{io::AsyncWriteExt as _, net::TcpListener};
use tokio_rustls::TlsAcceptor;

use super::*;

/// The provider is one of the whole process; whichever test is first chooses it.
fn choose_provider() {
    let _ = aws_lc_rs::default_provider().install_default();
}

/// What is told of a TLS listener at `localhost` with a certificate made like this.
async fn told(name: &str, change: impl FnOnce(&mut CertificateParams), options: Options<'_>) -> String {
    choose_provider();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    if let Some(path) = options.ca {
        std::fs::write(path, certificate.pem()).unwrap();
    }
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = Url::parse(&format!("wss://localhost:{}/", listener.local_addr().unwrap().port())).unwrap();
    let tls = trust::client(options.ca, None, options.insecure).unwrap();
    let answering = async {
        let (stream, _) = listener.accept().await.unwrap();
        // Half of these clients go away in the middle.
        let _ = TlsAcceptor::from(Arc::new(config)).accept(stream).await;
    };
    let (answer, ()) = tokio::join!(connect(&url, &tls), answering);
    let text = answer.map_or_else(|error| format!("{error:#}"), |_| "connected".to_owned());
    text.replace(&place(&url), "HOST")
}

#[derive(Clone, Copy, Default)]
struct Options<'a> {
    ca: Option<&'a std::path::Path>,
    insecure: bool,
}

const INSECURE: &str = ", or trust any certificate with --insecure";

#[tokio::test]
async fn a_certificate_of_an_unknown_issuer_is_told_in_one_sentence_with_the_ways_out() {
    let expected = "HOST is not trusted: nobody that is trusted here has issued its certificate; name the certificate \
                    of its issuer, or its own, with --ca FILE, or the data folder of its Tidegate with --data DIR";
    let text = told("localhost", |_| {}, Options::default()).await;
    assert_eq!(text, format!("{expected}{INSECURE}"));
    let place = tempfile::tempdir().unwrap();
    let ca = place.path().join("ca.pem");
    let named = Options { ca: Some(&ca), insecure: false };
    assert_eq!(told("localhost", |_| {}, named).await, "connected");
    assert_eq!(told("localhost", |_| {}, Options { ca: None, insecure: true }).await, "connected");
}

#[tokio::test]
async fn other_faults_of_a_certificate_have_ways_out_that_help() {
    let place = tempfile::tempdir().unwrap();
    let ca = place.path().join("ca.pem");
    let named = Options { ca: Some(&ca), insecure: false };
    let text = told("elsewhere.test", |_| {}, named).await;
    let expected = "HOST is not trusted: its certificate is for another name; connect by a name that the certificate has";
    assert_eq!(text, format!("{expected}{INSECURE}"));
    let text = told("localhost", |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1), named).await;
    let expected = "HOST is not trusted: its certificate has expired; have it renewed";
    assert_eq!(text, format!("{expected}{INSECURE}"));
    let authority = |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let text = told("localhost", authority, named).await;
    let expected = "HOST is not trusted: its certificate is not one that a server can show; have it replaced";
    assert_eq!(text, format!("{expected}{INSECURE}"));
}

#[tokio::test]
async fn a_listener_without_tls_is_told_as_that() {
    choose_provider();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = Url::parse(&format!("wss://localhost:{}/", listener.local_addr().unwrap().port())).unwrap();
    let tls = trust::client(None, None, false).unwrap();
    for (said, expected) in [
        (
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "HOST does not speak TLS; try the address with ws:// or http://",
        ),
        ("", "HOST broke the connection off before TLS was agreed on: "),
    ] {
        let answering = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(said.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        };
        let (answer, ()) = tokio::join!(connect(&url, &tls), answering);
        let text = format!("{:#}", answer.err().unwrap()).replace(&place(&url), "HOST");
        assert!(text.starts_with(expected), "{text}");
    }
}
