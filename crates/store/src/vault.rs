//! Secrets that have to be read back (a backend's password, a signing key's private half), sealed for the database:
//! AES-256-GCM (NIST SP 800-38D) under a key that is in a file beside the database and never in it.
//!
//! A sealed text names the scheme and the key, and is bound to whose secret it is, so that one cannot be put in the
//! place of another. A key that is missing or another one is an error that names the file; a key is made only where
//! nothing is sealed yet. See `docs/decisions/0019-secrets-are-sealed.md`.

use std::{
    fs::OpenOptions,
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    digest, rand,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sea_orm::DbErr;
use tidegate_model::user::Secret;

/// How every sealed text begins. No secret of ours begins so by itself: what does is sealed as any other.
const SCHEME: &str = "sealed:1:";
/// How the key's file begins, so that a wrong file is told from a wrong key.
const FILE_HEAD: &str = "tidegate-secrets-key-1 ";
/// Bytes of a key of AES-256.
const KEY_BYTES: usize = 32;
/// Bytes of a nonce of GCM. Random ones are safe for 2^32 texts under one key (SP 800-38D section 8.3).
const NONCE_BYTES: usize = 12;
/// Largest key file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1_024;

/// Why the key of the secrets cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The database is sealed, and its key is not there.
    #[error(
        "the secrets in the database are sealed, and their key {} is not there; put the file back, or name it with \
         --secrets-key-file (TIDEGATE_SECRETS_KEY_FILE)",
        .0.display()
    )]
    Missing(PathBuf),
    /// The database is sealed with another key.
    #[error(
        "{} is not the key that the secrets in the database are sealed with; put the right file back, or name it with \
         --secrets-key-file (TIDEGATE_SECRETS_KEY_FILE)",
        .0.display()
    )]
    Wrong(PathBuf),
    /// The file is something else.
    #[error("{} is no key of Tidegate's secrets; put the right file back", .0.display())]
    Unreadable(PathBuf),
    /// The file cannot be read or made.
    #[error("cannot use the key of the secrets {}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Seals and opens.
pub(crate) struct Vault {
    key: RandomizedNonceKey,
    /// Names the key in sealed texts: eight characters of its SHA-256.
    name: String,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Vault {
    /// The key in this file, or `None` where there is no file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, KeyError> {
        let mut text = String::new();
        match std::fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(KeyError::File { path: path.to_owned(), source }),
        }
        let encoded = text.trim().strip_prefix(FILE_HEAD);
        let bytes = encoded.and_then(|encoded| URL_SAFE_NO_PAD.decode(encoded).ok());
        let vault = bytes.and_then(|bytes| Self::of(&bytes));
        vault.map(Some).ok_or_else(|| KeyError::Unreadable(path.to_owned()))
    }

    /// Makes a key and its file, for its owner alone; the file is on disk when this returns.
    pub(crate) fn make(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File { path: path.to_owned(), source };
        let mut bytes = [0; KEY_BYTES];
        rand::fill(&mut bytes).map_err(|_| failed(io::Error::other("no randomness")))?;
        let vault = Self::of(&bytes).ok_or_else(|| failed(io::Error::other("no key")))?;
        let text = format!("{FILE_HEAD}{}\n", URL_SAFE_NO_PAD.encode(bytes));
        appear(path, text.as_bytes()).map_err(failed)?;
        Ok(vault)
    }

    /// Takes away a file that a start left behind that was cut before anything was written to it. Only for a database in
    /// which nothing is sealed.
    pub(crate) fn clear_stump(path: &Path) -> Result<(), KeyError> {
        match std::fs::metadata(path) {
            Ok(found) if found.is_file() && found.len() == 0 => {
                std::fs::remove_file(path).map_err(|source| KeyError::File { path: path.to_owned(), source })
            }
            _ => Ok(()),
        }
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes).ok()?;
        let digest = digest::digest(&digest::SHA256, bytes);
        let name = URL_SAFE_NO_PAD.encode(digest.as_ref().first_chunk::<6>()?);
        Some(Self { key, name })
    }

    /// The secret sealed for this place, `api:…` or `signing key:…`; nothing stays nothing.
    pub(crate) fn seal(&self, place: &str, secret: &Secret) -> Result<Secret, DbErr> {
        if secret.0.is_empty() {
            return Ok(Secret::default());
        }
        let mut sealed = secret.0.clone().into_bytes();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(place.as_bytes()), &mut sealed)
            .map_err(|_| DbErr::Custom("a secret could not be sealed".to_owned()))?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut sealed);
        Ok(Secret(format!("{SCHEME}{}:{}", self.name, URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// Seals each of these secrets, all for one place.
    pub(crate) fn seal_each<'s>(
        &self,
        place: &str,
        mut secrets: impl Iterator<Item = &'s mut Secret>,
    ) -> Result<(), DbErr> {
        secrets.try_for_each(|secret| self.seal(place, secret).map(|sealed| *secret = sealed))
    }

    /// Opens each of these secrets, all sealed for one place.
    pub(crate) fn open_each<'s>(
        &self,
        place: &str,
        mut secrets: impl Iterator<Item = &'s mut Secret>,
    ) -> Result<(), DbErr> {
        secrets.try_for_each(|secret| self.open(place, secret).map(|opened| *secret = opened))
    }

    /// The secret that was sealed for this place.
    pub(crate) fn open(&self, place: &str, sealed: &Secret) -> Result<Secret, DbErr> {
        if sealed.0.is_empty() {
            return Ok(Secret::default());
        }
        let damaged = || DbErr::Custom("a sealed secret cannot be opened".to_owned());
        let rest = sealed.0.strip_prefix(SCHEME).and_then(|rest| rest.split_once(':'));
        let (_, encoded) = rest.filter(|(name, _)| *name == self.name).ok_or_else(damaged)?;
        let mut bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| damaged())?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_BYTES).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let opened =
            self.key.open_in_place(nonce, Aad::from(place.as_bytes()), sealed).map_err(|_| damaged())?;
        String::from_utf8(opened.to_vec()).map(Secret).map_err(|_| damaged())
    }
}

/// Makes a file that is there whole or not at all, whenever it is cut, and never in the place of one that is there.
fn appear(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut word = [0; 8];
    rand::fill(&mut word).map_err(|_| io::Error::other("no randomness"))?;
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{:016x}", u64::from_be_bytes(word)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    // A second name and not a move, which would take the place of a file that is there.
    let made = file
        .write_all(content)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::hard_link(&draft, path));
    // A draft that stays behind is a key that nothing is sealed with.
    let _ = std::fs::remove_file(&draft);
    made?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests;
