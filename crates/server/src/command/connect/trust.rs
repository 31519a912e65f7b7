//! Whom the client believes: the system's certificates, the data folder's own, and what `--ca` adds. And what it says of
//! whom it does not: the TLS library's own words are for programmers.

use std::{io, path::Path, sync::Arc};

use anyhow::{Context as _, Result, anyhow};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _};

use crate::data_folder::DataFolder;

/// The client's side of TLS.
pub(crate) fn client(
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

/// Why there is no TLS with `place`: one sentence with the way out.
pub(super) fn failure(place: &str, error: &io::Error) -> anyhow::Error {
    match error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(found)) => {
            let (reason, way_out) = distrust(found);
            anyhow!("{place} is not trusted: {reason}; {way_out}, or trust any certificate with --insecure")
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            anyhow!("{place} does not speak TLS; try the address with ws:// or http://")
        }
        Some(other) => anyhow!("{place} refuses TLS with this client: {other}"),
        None => anyhow!("{place} broke the connection off before TLS was agreed on: {error}"),
    }
}

/// What is wrong with a certificate, and what to do about it.
fn distrust(found: &CertificateError) -> (&'static str, &'static str) {
    let vouch = "name the certificate of its issuer, or its own, with --ca FILE, or the data folder of its Tidegate with \
                 --data DIR";
    match found {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            ("nobody that is trusted here has issued its certificate", vouch)
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("its certificate has expired", "have it renewed")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("its certificate is not valid yet", "look at the clocks of both machines")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ("its certificate is for another name", "connect by a name that the certificate has")
        }
        _ => ("its certificate is not one that a server can show", "have it replaced"),
    }
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
