//! The operator's own certificate: two files that belong together.
//!
//! It does not read them.

use std::path::PathBuf;

use super::{Problem, problem};

/// The flag of the certificate's file, and its variable.
pub(crate) const TLS_CERT: (&str, &str) = ("--tls-cert", "TIDEGATE_TLS_CERT");
/// The flag of the key's file, and its variable.
pub(crate) const TLS_KEY: (&str, &str) = ("--tls-key", "TIDEGATE_TLS_KEY");

/// What was written.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct RawCertificate {
    /// PEM file with the certificate to show, and its chain behind it; read again when it changes [default: DIR/tls/cert.pem, made at the first start]
    #[arg(long, env = TLS_CERT.1, value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// PEM file with the certificate's private key [default: DIR/tls/key.pem]
    #[arg(long, env = TLS_KEY.1, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
}

/// Where the operator's pair is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnCertificate {
    /// The chain.
    pub(crate) certificate: PathBuf,
    /// The private key.
    pub(crate) key: PathBuf,
}

impl RawCertificate {
    /// What is meant: both files, or neither.
    pub(super) fn resolve(self) -> Result<Option<OwnCertificate>, Problem> {
        match (self.tls_cert, self.tls_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(OwnCertificate { certificate, key })),
            (Some(_), None) => Err(missing(TLS_KEY, "certificate")),
            (None, Some(_)) => Err(missing(TLS_CERT, "key")),
        }
    }
}

fn missing((flag, variable): (&str, &str), other: &str) -> Problem {
    problem(flag, variable, format!("is missing beside the {other}; name both files, or neither"))
}
