//! Whom the client believes: the system's certificates, the data folder's own, and what `--ca` adds.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};

use crate::data_folder::DataFolder;

/// The client's side of TLS.
pub(super) fn client(
    ca: Option<&Path>,
    folder: Option<&DataFolder>,
    insecure: bool,
) -> Result<Arc<ClientConfig>> {
    if insecure {
        let anyone = Arc::new(Anyone(aws_lc_rs::default_provider()));
        let config = ClientConfig::builder().dangerous().with_custom_certificate_verifier(anyone);
        return Ok(Arc::new(config.with_no_client_auth()));
    }
    let mut roots = RootCertStore::empty();
    // A machine without a certificate store can still be a client of its own Tidegate.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = folder.map(DataFolder::certificate).filter(|path| path.exists()) {
        roots.add_parsable_certificates(certificates(&path)?);
    }
    if let Some(path) = ca {
        for certificate in certificates(path)? {
            roots.add(certificate).with_context(|| format!("--ca {}: cannot be trusted", path.display()))?;
        }
    }
    Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    read.with_context(|| format!("cannot read certificates from {}", path.display()))
}

/// Believes everybody, as `--insecure` asks for; signatures are still checked.
#[derive(Debug)]
struct Anyone(CryptoProvider);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
