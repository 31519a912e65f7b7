//! The certificate of portals and gateway: made at first start, renewed by itself, or the operator's own.
//!
//! What Tidegate makes says so in a first line, for whom and until when; a file without that line is the
//! operator's and is never touched. The key is written first: a crash between the two files leaves a pair that
//! does not match, and is made anew.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};
use rustls::{crypto::aws_lc_rs, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tidegate_model::time::{DAY_MILLIS, Timestamp};

use crate::data_folder::{DataFolder, write_durably};

/// How long a certificate lasts: 397 days, the most that browsers accept.
const VALID_DAYS: i64 = 397;
/// A start within this many days of the end makes a new one: a month is enough for someone to restart.
const RENEW_DAYS: i64 = 30;
/// Certificates begin a day early, for machines whose clock is behind.
const EARLY_DAYS: i64 = 1;
/// Begins the first line of what Tidegate made.
const MARK: &str = "Made by Tidegate for ";

/// A certificate that cannot be used; one line that says how to mend it.
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
    /// The operator's files do not hold what they should.
    #[error("{} and {} are not a certificate and its key ({detail}); correct them, or delete both for a new pair", .certificate.display(), .key.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The library could not make one.
    #[error("cannot make a certificate for {host}: {source}")]
    Make {
        /// For which name.
        host: String,
        /// Why.
        source: rcgen::Error,
    },
}

/// The certificate to present, made or renewed when it is ours and has to be.
pub(crate) fn ready(
    folder: &DataFolder,
    host: &str,
    now: Timestamp,
) -> Result<Arc<CertifiedKey>, CertificateError> {
    let (certificate, key) = (read(&folder.certificate())?, read(&folder.key())?);
    let unusable = |detail: String| CertificateError::Unusable {
        certificate: folder.certificate(),
        key: folder.key(),
        detail,
    };
    let made = certificate.as_deref().or(key.as_deref()).map(made_for);
    match (&certificate, &key) {
        (None, None) => make(folder, host, now),
        (Some(certificate), Some(key)) => match (made.flatten(), load(certificate, key)) {
            (None, loaded) => loaded.map_err(unusable),
            (Some((name, until)), Ok(pair))
                if name == host && until > now.plus_millis(RENEW_DAYS * DAY_MILLIS) =>
            {
                Ok(pair)
            }
            (Some(_), _) => make(folder, host, now),
        },
        _ if made.flatten().is_some() => make(folder, host, now),
        _ => Err(unusable("one of them is missing".to_owned())),
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
    load(&certificate, &key).map_err(|detail| CertificateError::Unusable {
        certificate: folder.certificate(),
        key: folder.key(),
        detail,
    })
}

fn load(certificate: &str, key: &str) -> Result<Arc<CertifiedKey>, String> {
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| error.to_string())?;
    let key = aws_lc_rs::sign::any_supported_type(&key).map_err(|error| error.to_string())?;
    let pair = CertifiedKey::new(chain, key);
    pair.end_entity_cert().map_err(|error| error.to_string())?;
    pair.keys_match().map_err(|error| error.to_string())?;
    Ok(Arc::new(pair))
}

#[cfg(test)]
mod tests;
