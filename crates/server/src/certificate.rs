//! The certificate of portals and gateway: made at first start, renewed by itself, or the operator's own.
//!
//! What Tidegate makes says so in a first line, for whom and until when; a file without that line is the
//! operator's and is never touched. The key is written first: a crash between the two files leaves a pair that
//! does not match, and is made anew. How a new pair reaches the listeners is in `certificate/presented.rs`.

mod presented;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};
use rustls::{InconsistentKeys, crypto::aws_lc_rs, sign::CertifiedKey};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject as _},
};
use tidegate_model::time::{DAY_MILLIS, Timestamp};

use crate::{
    config::{OwnCertificate, Problem, Problems, TLS_CERT, TLS_KEY},
    data_folder::{DataFolder, write_durably},
};

pub(crate) use presented::{Presented, Watch};

/// How long a certificate lasts: 397 days, the most that browsers accept.
const VALID_DAYS: i64 = 397;
/// A start within this many days of the end makes a new one: a month is enough for someone to restart.
const RENEW_DAYS: i64 = 30;
/// Certificates begin a day early, for machines whose clock is behind.
const EARLY_DAYS: i64 = 1;
/// Begins the first line of what Tidegate made.
const MARK: &str = "Made by Tidegate for ";

/// A certificate that cannot be used; one line that says how to mend it, or one for each of the operator's files.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    /// A file cannot be read or written.
    #[error("cannot use {}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The files in the data folder do not hold what they should.
    #[error("{} and {} are not a certificate and its key ({detail}); correct them, or delete both for a new pair", .certificate.display(), .key.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The files that the operator named do not.
    #[error(transparent)]
    Own(#[from] Problems),
    /// The library could not make one.
    #[error("cannot make a certificate for {host}: {source}")]
    Make {
        /// For which name.
        host: String,
        /// Why.
        source: rcgen::Error,
    },
}

/// What is wrong with the content of two files.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum BadPair {
    #[error("there is no certificate in PEM form")]
    NoCertificate,
    #[error("the certificate cannot be read: {0}")]
    Certificate(String),
    #[error("there is no private key in PEM form, or it is encrypted")]
    NoKey,
    #[error("the private key cannot be used: {0}")]
    Key(String),
    #[error("the key belongs to another certificate; the first one in the file must be its own")]
    Mismatch,
}

/// Where the certificate is.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// In the data folder, where one is made if there is none.
    Folder {
        /// The folder.
        folder: DataFolder,
        /// For which name it is made.
        host: String,
    },
    /// Where the operator says.
    Own(OwnCertificate),
}

impl Source {
    /// The certificate to present, made or renewed when it is ours and has to be.
    pub(crate) fn ready(&self, now: Timestamp) -> Result<Arc<CertifiedKey>, CertificateError> {
        match self {
            Self::Folder { folder, host } => ready(folder, host, now),
            Self::Own(own) => Ok(read_own(own)?),
        }
    }

    /// The certificate as it is. Nothing is made: whoever replaces two files has one of each for a moment.
    fn read(&self) -> Result<Arc<CertifiedKey>, CertificateError> {
        match self {
            Self::Folder { folder, .. } => {
                let (certificate, key) = (read(&folder.certificate())?, read(&folder.key())?);
                let unusable = |detail: String| unusable(folder, detail);
                let (Some(certificate), Some(key)) = (certificate, key) else {
                    return Err(unusable(MISSING.to_owned()));
                };
                load(&certificate, &key).map_err(|bad| unusable(bad.to_string()))
            }
            Self::Own(own) => Ok(read_own(own)?),
        }
    }

    /// The certificate's file, and the key's.
    pub(crate) fn files(&self) -> [PathBuf; 2] {
        match self {
            Self::Folder { folder, .. } => [folder.certificate(), folder.key()],
            Self::Own(own) => [own.certificate.clone(), own.key.clone()],
        }
    }
}

/// One of two files is not there.
const MISSING: &str = "one of them is missing";

fn unusable(folder: &DataFolder, detail: String) -> CertificateError {
    CertificateError::Unusable { certificate: folder.certificate(), key: folder.key(), detail }
}

/// The operator's pair, or all that is wrong with it.
fn read_own(own: &OwnCertificate) -> Result<Arc<CertifiedKey>, Problems> {
    let problem = |(flag, variable), path: &Path, detail: &str| Problem {
        key: format!("{flag} ({variable})"),
        detail: format!("{}: {detail}", path.display()),
    };
    let text = |setting, path: &Path| {
        fs::read_to_string(path).map_err(|error| problem(setting, path, &error.to_string()))
    };
    let (certificate, key) = match (text(TLS_CERT, &own.certificate), text(TLS_KEY, &own.key)) {
        (Ok(certificate), Ok(key)) => (certificate, key),
        (certificate, key) => {
            return Err(Problems([certificate.err(), key.err()].into_iter().flatten().collect()));
        }
    };
    load(&certificate, &key).map_err(|bad| {
        let (setting, path) = match bad {
            BadPair::NoCertificate | BadPair::Certificate(_) => (TLS_CERT, &own.certificate),
            BadPair::NoKey | BadPair::Key(_) | BadPair::Mismatch => (TLS_KEY, &own.key),
        };
        Problems(vec![problem(setting, path, &bad.to_string())])
    })
}

fn ready(folder: &DataFolder, host: &str, now: Timestamp) -> Result<Arc<CertifiedKey>, CertificateError> {
    let (certificate, key) = (read(&folder.certificate())?, read(&folder.key())?);
    let unusable = |detail: String| unusable(folder, detail);
    let mut there = [&certificate, &key].into_iter().flatten();
    // One file of the operator's makes both his: the other is about to be replaced, or to be put back.
    let is_ours = there.all(|pem| made_for(pem).is_some());
    match (&certificate, &key) {
        (Some(certificate), Some(key)) => match (made_for(certificate), load(certificate, key)) {
            (Some((name, until)), Ok(pair))
                if name == host && until > now.plus_millis(RENEW_DAYS * DAY_MILLIS) =>
            {
                Ok(pair)
            }
            _ if is_ours => make(folder, host, now),
            (_, loaded) => loaded.map_err(|bad| unusable(bad.to_string())),
        },
        _ if is_ours => make(folder, host, now),
        _ => Err(unusable(MISSING.to_owned())),
    }
}

/// The content of a file, `None` where there is none.
fn read(path: &Path) -> Result<Option<String>, CertificateError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CertificateError::File { path: path.to_owned(), source }),
    }
}

/// The name and the end that the first line tells, in a file of ours.
fn made_for(pem: &str) -> Option<(&str, Timestamp)> {
    let line = pem.lines().next()?.strip_prefix(MARK)?;
    let (host, rest) = line.split_once(", until ")?;
    let until = rest.split(['.', ';']).next()?.trim();
    let until = time::OffsetDateTime::parse(until, &time::format_description::well_known::Rfc3339).ok()?;
    Some((host, Timestamp::from_seconds(until.unix_timestamp())))
}

fn make(folder: &DataFolder, host: &str, now: Timestamp) -> Result<Arc<CertifiedKey>, CertificateError> {
    let failed = |source| CertificateError::Make { host: host.to_owned(), source };
    let at = |days: i64| {
        let at = now.plus_millis(days * DAY_MILLIS).to_utc().unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
        at.replace_nanosecond(0).unwrap_or(at)
    };
    let mut names = vec![host.to_owned()];
    names
        .extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned).into_iter().filter(|name| name != host));
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, host);
    params.not_before = at(-EARLY_DAYS);
    params.not_after = at(VALID_DAYS - EARLY_DAYS);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // RFC 5280, section 4.1.2.2: positive, at most 20 octets.
    params.serial_number = Some(rcgen::SerialNumber::from(u64::try_from(now.millis()).unwrap_or(1)));
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?.pem();
    let until = Timestamp::from_seconds(params.not_after.unix_timestamp());
    let until = until.to_utc().and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok());
    let mark = format!(
        "{MARK}{host}, until {}; replace cert.pem and key.pem with your own to use another.\n",
        until.unwrap_or_default()
    );
    let (certificate, key) = (mark.clone() + &certificate, mark + &key.serialize_pem());
    for (path, content, mode) in [(folder.key(), &key, 0o600), (folder.certificate(), &certificate, 0o644)] {
        write_durably(&path, content.as_bytes(), mode)
            .map_err(|source| CertificateError::File { path, source })?;
    }
    tracing::info!(host, "made a certificate");
    load(&certificate, &key).map_err(|bad| unusable(folder, bad.to_string()))
}

fn load(certificate: &str, key: &str) -> Result<Arc<CertifiedKey>, BadPair> {
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| BadPair::Certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(BadPair::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| match error {
        pem::Error::NoItemsFound => BadPair::NoKey,
        other => BadPair::Key(other.to_string()),
    })?;
    let key = aws_lc_rs::sign::any_supported_type(&key).map_err(|error| BadPair::Key(error.to_string()))?;
    let pair = CertifiedKey::new(chain, key);
    pair.keys_match().map_err(|error| match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => BadPair::Mismatch,
        other => BadPair::Certificate(other.to_string()),
    })?;
    Ok(Arc::new(pair))
}

#[cfg(test)]
mod tests;
