//! The certificate of the listeners: the operator's own, replaced while sessions are open, and versions of TLS.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::{
    client::Opening,
    product::{Product, run, serve},
    wait::{PATIENCE, until, within},
};

/// A new certificate reaches listeners within seconds; on a busy machine it may take longer.
const SOON: Duration = Duration::from_secs(30);

/// A certificate for `localhost` and its key, in files.
struct Pair {
    _folder: TempDir,
    certificate: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn make() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("own.pem"), folder.path().join("own.key"));
        fs::write(&certificate, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        Self { _folder: folder, certificate, key }
    }

    fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(&self.certificate).unwrap()
    }

    /// Puts these files where the others' are.
    fn replace(&self, certificate: &Path, key: &Path) {
        fs::copy(&self.certificate, certificate).unwrap();
        fs::copy(&self.key, key).unwrap();
    }
}

/// What a client saw of TLS.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    certificate: CertificateDer<'static>,
    version: ProtocolVersion,
    protocol: Option<Vec<u8>>,
}

/// A TLS handshake of one that trusts all of these.
async fn shown(
    url: &str,
    trusted: &[CertificateDer<'static>],
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&[u8]],
) -> Shown {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add(certificate.clone()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let stream = TcpStream::connect(url.split_once("://").unwrap().1).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let stream = within("TLS", PATIENCE, connecting).await.unwrap();
    let tls = stream.get_ref().1;
    Shown {
        certificate: tls.peer_certificates().unwrap()[0].clone().into_owned(),
        version: tls.protocol_version().unwrap(),
        protocol: tls.alpn_protocol().map(<[u8]>::to_vec),
    }
}

async fn certificate_at(url: &str, trusted: &[CertificateDer<'static>]) -> CertificateDer<'static> {
    shown(url, trusted, rustls::ALL_VERSIONS, &[]).await.certificate
}

#[tokio::test]
async fn a_replaced_certificate_reaches_new_handshakes_and_no_open_session() {
    let (old, new) = (Pair::make(), Pair::make());
    let product = Product::start_showing(&old.certificate, &old.key).await;
    assert!(!product.data().join("tls/key.pem").exists(), "none is made where none is needed");
    let admin = product.portal.admin().await;
    let api = admin.publish("Certified", json!({"production": {"url": product.at.echo}})).await;
    let access = admin.access("Certified", &api, "Unlimited").await;
    let trust = product.trust();
    let mut live = Opening::to(&api.wss).bearer(&access.token).trust(trust).open().await;
    live.echo("under the old certificate").await;

    let both = [old.der(), new.der()];
    for url in [&product.at.wss, &product.at.portal] {
        assert_eq!(certificate_at(url, &both).await, old.der(), "{url}");
    }
    new.replace(&old.certificate, &old.key);
    for url in [&product.at.wss, &product.at.portal] {
        until("the new certificate", SOON, async || {
            (certificate_at(url, &both).await == new.der()).then_some(())
        })
        .await;
    }
    live.echo("the session goes on").await;
    // `product.certificate()` is the new one now.
    let renewed = Opening::to(&api.wss).bearer(&access.token).trust(product.trust());
    renewed.open().await.echo("under the new certificate").await;
    live.leave().await;
}

#[tokio::test]
async fn a_broken_pair_keeps_the_one_before_and_is_told_of() {
    let (old, new) = (Pair::make(), Pair::make());
    let first = old.der();
    let product = Product::start_showing(&old.certificate, &old.key).await;
    let both = [first.clone(), new.der()];
    let says = async |words: &str| {
        until(words, SOON, async || product.logged().contains(words).then_some(())).await;
        assert_eq!(certificate_at(&product.at.wss, &both).await, first, "{words}");
        assert_eq!(certificate_at(&product.at.portal, &both).await, first, "{words}");
    };
    fs::copy(&new.certificate, &old.certificate).unwrap();
    says("the key belongs to another certificate").await;
    // At once where one asks for it.
    fs::write(&old.key, "no key").unwrap();
    product.ask_to_reread();
    says("there is no private key in PEM form").await;
    fs::remove_file(&old.certificate).unwrap();
    product.ask_to_reread();
    says("No such file").await;
    assert!(!product.logged().contains("PRIVATE"), "no key is ever logged");

    new.replace(&old.certificate, &old.key);
    product.ask_to_reread();
    until("the new certificate", SOON, async || {
        (certificate_at(&product.at.wss, &both).await == new.der()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_pair_in_the_data_folder_may_be_replaced_while_it_is_used() {
    let mut product = Product::start().await;
    let made = CertificateDer::from_pem_file(product.certificate()).unwrap();
    let own = Pair::make();
    own.replace(&product.certificate(), &product.data().join("tls/key.pem"));
    let both = [made, own.der()];
    until("the operator's certificate", SOON, async || {
        (certificate_at(&product.at.wss, &both).await == own.der()).then_some(())
    })
    .await;
    product.restart().await;
    assert_eq!(certificate_at(&product.at.wss, &both).await, own.der(), "and after a restart");
}

#[tokio::test]
async fn tls_is_version_1_2_or_1_3() {
    let pair = Pair::make();
    let product = Product::start_showing(&pair.certificate, &pair.key).await;
    let trusted = [pair.der()];
    for (versions, version) in [
        (&[&version::TLS12][..], ProtocolVersion::TLSv1_2),
        (&[&version::TLS13], ProtocolVersion::TLSv1_3),
        (rustls::ALL_VERSIONS, ProtocolVersion::TLSv1_3),
    ] {
        for url in [&product.at.wss, &product.at.portal] {
            let shown = shown(url, &trusted, versions, &[b"http/1.1"]).await;
            assert_eq!(
                (shown.version, shown.protocol.as_deref()),
                (version, Some(&b"http/1.1"[..])),
                "{url}"
            );
        }
    }
}

#[tokio::test]
async fn files_that_are_no_certificate_are_told_at_the_start() {
    let (pair, other) = (Pair::make(), Pair::make());
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere.pem");
    for (certificate, key, lines) in [
        (Some(&pair.certificate), None, &["--tls-key (TIDEGATE_TLS_KEY): is missing"][..]),
        (Some(&pair.certificate), Some(&other.key), &["--tls-key (TIDEGATE_TLS_KEY): "]),
        (
            Some(&nowhere),
            Some(&nowhere),
            &["--tls-cert (TIDEGATE_TLS_CERT): ", "--tls-key (TIDEGATE_TLS_KEY): "],
        ),
    ] {
        let mut command = serve(&folder.path().join("data"));
        for (flag, path) in [("--tls-cert", certificate), ("--tls-key", key)] {
            if let Some(path) = path {
                command.arg(flag).arg(path);
            }
        }
        let output = run(command).await;
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        let told: Vec<_> = text.lines().filter(|line| line.starts_with("tidegate: ")).collect();
        assert_eq!(told.len(), lines.len(), "{text}");
        for (told, line) in told.iter().zip(lines) {
            assert!(told.contains(line), "{line} is missing: {text}");
        }
    }
}
