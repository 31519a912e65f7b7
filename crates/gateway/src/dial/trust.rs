//! How `wss` backends are trusted, and what the gateway shows them: TLS settings made of an endpoint's, once for all
//! endpoints that have the same.
//!
//! They are made at first use, since a snapshot with a thousand endpoints must not wait for a thousand bundles. Kept is
//! a bounded number; sessions of a set that was forgotten go on. It does not know sockets.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, ServerName, UnixTime,
    pem::{self, PemObject as _},
};
use tidegate_model::endpoint::BackendTls;

/// Sets of settings that are kept: far more than one operator has kinds of backends, and some ten megabytes at most
/// where each has a bundle of its own.
const KEPT_MAX: usize = 256;

/// Which setting of an endpoint's TLS cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum BadTrust {
    Authorities,
    ServerName,
    ClientCertificate,
    ClientKey,
    /// Certificate and key are not of each other.
    Pair,
}

impl BadTrust {
    /// What to do about it, for people who may see the settings.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Authorities => {
                "The endpoint's authorities hold no certificate that can be read. Paste them as PEM: -----BEGIN \
                 CERTIFICATE----- and so on."
            }
            Self::ServerName => {
                "The endpoint's server name is neither a host name nor an address. Enter one like \
                 backend.example.com."
            }
            Self::ClientCertificate => {
                "The endpoint's client certificate cannot be read. Paste it as PEM, followed by its chain."
            }
            Self::ClientKey => {
                "The key of the endpoint's client certificate cannot be read. Paste it as PEM, not encrypted: \
                 -----BEGIN PRIVATE KEY----- and so on."
            }
            Self::Pair => {
                "The key is not that of the client certificate. Paste the two that belong together."
            }
        }
    }
}

/// Why TLS with a backend was not established.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Distrust {
    /// It does not speak TLS, or none that we speak.
    NoTls,
    /// Nobody whom we trust vouches for its certificate.
    Issuer,
    /// The certificate is somebody else's.
    Name,
    /// The certificate is too old or too young.
    Time,
    /// The certificate is bad in another way.
    Certificate,
    /// It asks for a certificate of ours, or does not accept the one that it got.
    Ours,
}

impl Distrust {
    /// Of a failed handshake.
    pub(crate) fn of(error: &io::Error) -> Self {
        match cause(error) {
            Some(rustls::Error::InvalidCertificate(error)) => match error {
                // The signature is that of an authority which has the name of one that is trusted, and another key.
                CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Issuer,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    Self::Name
                }
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. } => Self::Time,
                _ => Self::Certificate,
            },
            Some(rustls::Error::AlertReceived(alert)) if is_of_ours(*alert) => Self::Ours,
            _ => Self::NoTls,
        }
    }

    /// Whether a connection ended since the backend did not like our certificate: in TLS 1.3 it says so only after the
    /// handshake.
    pub(crate) fn is_of_ours(error: &io::Error) -> bool {
        matches!(cause(error), Some(rustls::Error::AlertReceived(alert)) if is_of_ours(*alert))
    }

    /// What to do about it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::NoTls => {
                "No TLS could be agreed with what answers there. For a backend without TLS use ws://; else look at its \
                 log: it must speak TLS 1.2 or 1.3."
            }
            Self::Issuer => {
                "The certificate must be issued by an authority that this machine trusts, or by one of the \
                 endpoint's own authorities. Add the one that issued it there."
            }
            Self::Name => {
                "The certificate is not for this host. Enter the name that it is for as the endpoint's server \
                 name, or give the backend a certificate for its address."
            }
            Self::Time => {
                "The certificate has expired, or is not valid yet. Renew it, and look at both clocks."
            }
            Self::Certificate => "The certificate cannot be used. Give the backend another one.",
            Self::Ours => {
                "The backend asks for a client certificate, or does not accept the endpoint's. Set the one that it \
                 expects."
            }
        }
    }
}

fn cause(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn is_of_ours(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
            | AlertDescription::NoCertificate
            // What TLS 1.2 says where a certificate was asked for and none came.
            | AlertDescription::HandshakeFailure
    )
}

/// What is the same for all endpoints with the same settings: the name is asked for anew each time.
type Kept = HashMap<BackendTls, Result<Arc<ClientConfig>, BadTrust>>;

/// See the module.
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    /// The machine's own.
    roots: Arc<RootCertStore>,
    /// Of endpoints that have no settings of their own, which are nearly all.
    usual: Arc<ClientConfig>,
    kept: Mutex<Kept>,
}

impl Trust {
    /// Reads the machine's roots.
    pub(crate) fn new() -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let roots = Arc::new(machines_roots());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let usual = builder.with_root_certificates(Arc::clone(&roots)).with_no_client_auth();
        Ok(Self { provider, roots, usual: Arc::new(http1(usual)), kept: Mutex::default() })
    }

    /// The settings of whoever has none of its own.
    pub(crate) fn usual(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.usual)
    }

    /// The settings of an endpoint, and the name to ask for, where it has one of its own.
    pub(crate) fn of(
        &self,
        tls: &BackendTls,
    ) -> Result<(Arc<ClientConfig>, Option<ServerName<'static>>), BadTrust> {
        let name = Some(&tls.server_name).filter(|name| !name.is_empty()).cloned();
        let name = name.map(ServerName::try_from).transpose().map_err(|_| BadTrust::ServerName)?;
        let key = BackendTls { server_name: String::new(), ..tls.clone() };
        if key == BackendTls::default() {
            return Ok((self.usual(), name));
        }
        // A std mutex: held for a look-up, and once per kind of backend while its bundle is read; never across an await.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.contains_key(&key) {
            if kept.len() >= KEPT_MAX {
                // Rare, and cheap to make again: no account of who was used last.
                kept.clear();
            }
            let made = self.make(&key).map(Arc::new);
            kept.insert(key.clone(), made);
        }
        let config = kept.get(&key).cloned().unwrap_or(Err(BadTrust::Authorities))?;
        Ok((config, name))
    }

    fn make(&self, tls: &BackendTls) -> Result<ClientConfig, BadTrust> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|_| BadTrust::Authorities)?;
        let builder = if tls.verify {
            builder.with_root_certificates(self.roots(tls)?)
        } else {
            tracing::warn!("the certificates of a backend are not checked: its endpoint says so");
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(Arc::clone(&self.provider))))
        };
        if tls.client_certificate.is_empty() {
            return Ok(http1(builder.with_no_client_auth()));
        }
        let chain = certificates(&tls.client_certificate).ok_or(BadTrust::ClientCertificate)?;
        let key = PrivateKeyDer::from_pem_slice(tls.client_key.0.as_bytes());
        let config = builder.with_client_auth_cert(chain, key.map_err(|_| BadTrust::ClientKey)?);
        config.map(http1).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => BadTrust::Pair,
            rustls::Error::InvalidCertificate(_) => BadTrust::ClientCertificate,
            _ => BadTrust::ClientKey,
        })
    }

    fn roots(&self, tls: &BackendTls) -> Result<Arc<RootCertStore>, BadTrust> {
        if tls.authorities.is_empty() {
            return Ok(Arc::clone(&self.roots));
        }
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&tls.authorities).ok_or(BadTrust::Authorities)? {
            roots.add(certificate).map_err(|_| BadTrust::Authorities)?;
        }
        Ok(Arc::new(roots))
    }
}

/// At least one, and none that cannot be read.
fn certificates(text: &str) -> Option<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    found.ok().filter(|found| !found.is_empty())
}

/// WebSocket handshakes go over HTTP/1.1.
fn http1(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

fn machines_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (_, ignored) = roots.add_parsable_certificates(found.certs);
    if roots.is_empty() || ignored > 0 || !found.errors.is_empty() {
        tracing::warn!(
            trusted = roots.len(),
            ignored,
            errors = found.errors.len(),
            "some of the machine's certificates cannot be read; wss backends may not be trusted"
        );
    }
    roots
}

/// Believes everybody, where an endpoint says that its backend's certificate is not checked.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
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

    // A signature under a certificate that nobody vouches for says nothing either.
    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
