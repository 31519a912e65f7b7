//! Phase one and two: which certificate a client shows, in TLS or, behind a proxy that is trusted, in `Client-Cert`.
//!
//! It is asked for while an API accepts one, and never demanded: browsers ask people which to show. Nobody has to vouch
//! for it, since who it belongs to is looked up by its thumbprint; that the client holds its key, the handshake proves. It
//! does not know applications. Its invariant: what a header says of a certificate counts of trusted proxies alone, where an
//! operator says that these set it, and goes no further whoever said it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwap;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    server::{
        ResolvesServerCert, ServerSessionMemoryCache, StoresServerSessions,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, UnixTime};
use tidegate_model::{headers::is_same_name, lifecycle::State, security::Way, snapshot::Snapshot};
use tidegate_oauth::certificate::{CERTIFICATE_BYTES_MAX, told};

use crate::{Inner, connection::Client, handshake::Request};

/// Bytes of a client's certificate with its chain: they stay as long as its connection. Two authorities in between fit.
const CHAIN_BYTES_MAX: usize = 2 * CERTIFICATE_BYTES_MAX;
/// TLS sessions that clients may take up again: what the library keeps where nothing is said.
const RESUMABLE_MAX: usize = 256;
/// The protocols of the secured listeners (RFC 7301), the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// The headers in which proxies tell of a client's certificate and of its chain (RFC 9440).
const CLIENT_CERT: &str = "client-cert";
const CLIENT_CERT_CHAIN: &str = "client-cert-chain";

/// The thumbprint of a certificate that a client shows. Empty: a proxy told of one that cannot be read, which is nobody's.
pub(crate) type Thumbprint = Arc<str>;

/// Why a certificate opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadCertificate {
    /// No application has it.
    #[error("no application has this certificate; its developer can add it, or show the one that was added")]
    Unknown,
    /// Its time has not come.
    #[error("this certificate is not valid yet")]
    TooYoung,
    /// Its time is over.
    #[error("this certificate has expired; show the next one")]
    Expired,
    /// A token is bound to one, and none was shown.
    #[error("this token is bound to a certificate; show that in the handshake of TLS")]
    NotShown,
    /// A token is bound to another one.
    #[error("this token is bound to another certificate than the one that was shown")]
    Another,
}

/// Whether clients are asked for certificates, and the TLS sessions that they may take up again.
pub(crate) struct Asking {
    /// Also where no API of the snapshot accepts certificates: tokens may be bound to them.
    always: bool,
    is_asked: AtomicBool,
    algorithms: WebPkiSupportedAlgorithms,
    sessions: ArcSwap<ServerSessionMemoryCache>,
}

impl std::fmt::Debug for Asking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asking").field("is_asked", &self.is_asked).finish_non_exhaustive()
    }
}

impl Asking {
    /// `always`: whatever APIs accept.
    pub(crate) fn new(always: bool) -> Self {
        Self {
            always,
            is_asked: AtomicBool::new(always),
            algorithms: provider().signature_verification_algorithms,
            sessions: ArcSwap::from(ServerSessionMemoryCache::new(RESUMABLE_MAX)),
        }
    }

    /// Asks from now on where an API of the snapshot accepts certificates, and else not.
    pub(crate) fn decide(&self, snapshot: &Snapshot) {
        let mut apis = snapshot.apis();
        let is_asked = self.always
            || apis.any(|api| api.state != State::Retired && api.security.accepts(Way::MutualTls));
        if !self.is_asked.swap(is_asked, Ordering::Relaxed) && is_asked {
            // Whoever took up a session from before would not be asked.
            self.sessions.store(ServerSessionMemoryCache::new(RESUMABLE_MAX));
        }
    }

    /// The gateway's side of TLS 1.2 and 1.3.
    pub(crate) fn tls(
        self: &Arc<Self>,
        certificate: Arc<dyn ResolvesServerCert>,
    ) -> Result<Arc<ServerConfig>, rustls::Error> {
        let builder = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()?;
        let verifier = Arc::clone(self) as Arc<dyn ClientCertVerifier>;
        let mut config = builder.with_client_cert_verifier(verifier).with_cert_resolver(certificate);
        config.session_storage = Arc::clone(self) as Arc<dyn StoresServerSessions>;
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Arc::new(config))
    }
}

fn provider() -> CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

impl ClientCertVerifier for Asking {
    fn offer_client_auth(&self) -> bool {
        self.is_asked.load(Ordering::Relaxed)
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let chain: usize = intermediates.iter().map(|one| one.len()).sum();
        if end_entity.len() > CERTIFICATE_BYTES_MAX || end_entity.len() + chain > CHAIN_BYTES_MAX {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl StoresServerSessions for Asking {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.sessions.load().put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.sessions.load().get(key)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.sessions.load().take(key)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

/// Whose request it is: for whom its connection speaks, and which certificate that one has shown. `shown` is what the
/// connection itself did.
pub(crate) fn whose(
    inner: &Inner,
    request: &mut Request,
    connection: Client,
    shown: Option<&Thumbprint>,
) -> Client {
    let is_told = |name: &str| is_same_name(name, CLIENT_CERT) || is_same_name(name, CLIENT_CERT_CHAIN);
    let said: Vec<_> = request.headers.extract_if(.., |(name, _)| is_told(name)).collect();
    // A portal's page shows nothing, and a proxy's own certificate says nothing of its client.
    request.certificate = match inner.trusted.trusts(connection.address.ip()) {
        _ if connection.is_own_page => None,
        false => shown.cloned(),
        true => inner.client_cert.then(|| of_proxy(&said)).flatten(),
    };
    connection.behind(request, &inner.trusted)
}

/// What a proxy tells of its client's certificate.
fn of_proxy(said: &[(String, Vec<u8>)]) -> Option<Thumbprint> {
    let values = said.iter().filter(|(name, _)| name == CLIENT_CERT).map(|(_, value)| value.as_slice());
    told(values).map(Into::into)
}
