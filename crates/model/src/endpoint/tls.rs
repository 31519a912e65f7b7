//! How a gateway trusts a `wss` backend, and how it shows who it is itself.
//!
//! It does not know certificates: those are text here, looked at when they are saved and used by gateways.

use serde::{Deserialize, Serialize};

use crate::user::Secret;

/// Longest text of certificates, in bytes: a chain of five, or a company's bundle of authorities.
pub const CERTIFICATES_BYTES_MAX: usize = 65_536;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct BackendTls {
    /// The backend's certificate is checked: chain, name and time. Off means that anybody in between can read and
    /// change everything.
    pub verify: bool,
    /// Certificates (PEM) of the authorities that are trusted; empty: those of the gateway's machine.
    pub authorities: String,
    /// The name that is asked for and must be certified; empty: the address's host.
    pub server_name: String,
    /// The gateway's own certificate with its chain (PEM); empty: none is shown.
    pub client_certificate: String,
    /// The key of that certificate (PEM).
    pub client_key: Secret,
}

impl Default for BackendTls {
    fn default() -> Self {
        Self {
            verify: true,
            authorities: String::new(),
            server_name: String::new(),
            client_certificate: String::new(),
            client_key: Secret(String::new()),
        }
    }
}

impl BackendTls {
    /// Takes the key of `before` where none is given and the certificate is the same.
    pub(super) fn keep_secret(&mut self, before: &Self) {
        if self.client_key.0.is_empty() && self.client_certificate == before.client_certificate {
            self.client_key = before.client_key.clone();
        }
    }
}
