//! A backend over TLS with an authority of the test's own, which may ask for certificates of its visitors.

use std::{net::Ipv4Addr, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{io::AsyncWriteExt as _, net::TcpListener};
use tokio_rustls::TlsAcceptor;

use crate::{
    backend::{Visit, serve_echo},
    soon,
};

/// Who signs certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

/// A certificate and its key, both as PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub(crate) fn issue(&self, name: &str) -> Pair {
        let (params, key) =
            (CertificateParams::new([name.to_owned()]).unwrap(), KeyPair::generate().unwrap());
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// Lets in who shows a certificate of this authority.
    fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build().unwrap()
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Echoes to whoever gets through TLS.
pub(crate) struct SecureBackend {
    port: u16,
    serving: tokio::task::JoinHandle<()>,
}

impl SecureBackend {
    pub(crate) async fn echo(pair: &Pair) -> Self {
        Self::start(pair, None, rustls::ALL_VERSIONS).await
    }

    /// For visitors who show a certificate of `visitors`.
    pub(crate) async fn for_visitors(
        pair: &Pair,
        visitors: &Authority,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Self {
        Self::start(pair, Some(visitors.verifier()), versions).await
    }

    async fn start(
        pair: &Pair,
        visitors: Option<Arc<dyn ClientCertVerifier>>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Self {
        let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        let config =
            ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions).unwrap();
        let config = match visitors {
            Some(visitors) => config.with_client_cert_verifier(visitors),
            None => config.with_no_client_auth(),
        };
        let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(vec![certificate], key).unwrap()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let stream = match soon("TLS", acceptor.accept(stream).into_fallible()).await {
                        Ok(stream) => stream,
                        Err((_, mut stream)) => {
                            // Who does not go through with TLS is not served, but hears why: unread bytes would
                            // become a reset that overtakes the alert.
                            let _ = stream.shutdown().await;
                            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                            return;
                        }
                    };
                    if let Some(visit) = Visit::begin(Box::new(stream)).await {
                        serve_echo(visit).await;
                    }
                });
            }
        });
        Self { port, serving }
    }

    pub(crate) fn url(&self, host: &str) -> String {
        format!("wss://{host}:{}/", self.port)
    }
}

impl Drop for SecureBackend {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
