//! The data folder: one process at a time, files written whole or not at all.
//!
//! It knows where things are and not what they mean. The lock is held by the open file for the life of the
//! process, so that a killed process leaves nothing behind to clean up.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// How every message about the folder ends.
const CHOOSE: &str = "choose another folder with --data DIR (TIDEGATE_DATA)";

/// Why a folder cannot be used; one line that says how to mend it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// Something else has this name.
    #[error("{} is not a folder; {CHOOSE}", .0.display())]
    NotAFolder(PathBuf),
    /// It cannot be made.
    #[error("cannot create the folder {}: {}; {CHOOSE}", .path.display(), plain(.source))]
    Create {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write to the folder {}: {}; make it writable for this user, or {CHOOSE}", .path.display(), plain(.source))]
    Write {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has it.
    #[error("the folder {} is in use by another Tidegate{}; stop that one, or {CHOOSE}", .path.display(), holder(*.process))]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Which process, if it said so.
        process: Option<u32>,
    },
}

/// The system's words without the number of the error.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

fn holder(process: Option<u32>) -> String {
    process.map_or_else(String::new, |process| format!(" (process {process})"))
}

/// A folder and where its files are. Taking it for oneself is [`DataFolder::lock`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFolder(PathBuf);

/// The folder belongs to this process for as long as this lives.
#[derive(Debug)]
pub(crate) struct FolderLock {
    _file: File,
}

impl DataFolder {
    /// The folder at this path, which need not exist.
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self(std::path::absolute(&path).unwrap_or(path))
    }

    /// The path itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("tidegate.db")
    }

    /// The key that secrets in the database are sealed with, unless the operator keeps it elsewhere.
    pub(crate) fn secrets_key(&self) -> PathBuf {
        self.0.join("secrets.key")
    }

    /// What is listened on, for tools.
    pub(crate) fn addresses(&self) -> PathBuf {
        self.0.join("addresses.json")
    }

    /// Users and passwords of the first start.
    pub(crate) fn first_start(&self) -> PathBuf {
        self.0.join("first-start.json")
    }

    /// The certificate chain.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.join("tls/cert.pem")
    }

    /// The certificate's private key.
    pub(crate) fn key(&self) -> PathBuf {
        self.0.join("tls/key.pem")
    }

    /// Makes the folder where it lacks, for its owner alone, and takes it for this process.
    pub(crate) fn lock(&self) -> Result<FolderLock, FolderError> {
        let path = self.0.clone();
        if path.exists() && !path.is_dir() {
            return Err(FolderError::NotAFolder(path));
        }
        if let Err(source) = DirBuilder::new().recursive(true).mode(0o700).create(&path) {
            if source.kind() == io::ErrorKind::NotADirectory {
                let file = path.ancestors().find(|place| place.is_file()).unwrap_or(&path).to_path_buf();
                return Err(FolderError::NotAFolder(file));
            }
            return Err(FolderError::Create { path, source });
        }
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"));
        let mut file = opened.map_err(|source| FolderError::Write { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Who holds it is a courtesy; a lock without a readable number is still a lock.
                let process = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(FolderError::InUse { path, process });
            }
            Err(TryLockError::Error(source)) => return Err(FolderError::Write { path, source }),
        }
        let noted = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        noted.map_err(|source| FolderError::Write { path, source })?;
        Ok(FolderLock { _file: file })
    }
}

/// Writes a file so that after a crash at any moment the old content or the new is there, whole, and after the
/// return the new one, also after a loss of power.
pub(crate) fn write_durably(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let draft = folder.join(format!(".{name}.{}", std::process::id()));
    let written = write_draft(&draft, content, mode).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // The first error is the one to tell; a draft that stays behind harms nobody.
        let _ = fs::remove_file(&draft);
    }
    written?;
    File::open(folder)?.sync_all()
}

fn write_draft(draft: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(draft)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
