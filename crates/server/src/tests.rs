//! What a command that failed says.

use std::{io, path::PathBuf};

use anyhow::Context as _;

use super::*;
use crate::data_folder::FolderError;

/// The system's own error: permission denied.
fn denied() -> io::Error {
    io::Error::from_raw_os_error(13)
}

#[test]
fn a_cause_that_is_said_already_is_not_repeated_in_other_letters() {
    let folder = FolderError::Write { path: PathBuf::from("/data"), source: denied() };
    let expected = "cannot write to the folder /data: permission denied; make it writable for this user, or choose \
                    another folder with --data DIR (TIDEGATE_DATA)";
    assert_eq!(one_line(&folder.into()), expected);
    let twice = anyhow::Error::new(denied()).context("Permission denied (os error 13) where it matters");
    assert_eq!(one_line(&twice), "Permission denied (os error 13) where it matters");
}

#[test]
fn a_cause_that_is_news_is_told() {
    let error = Err::<(), _>(denied()).context("cannot write /data/first-start.json").context("no start");
    let expected = "no start: cannot write /data/first-start.json: Permission denied (os error 13)";
    assert_eq!(one_line(&error.unwrap_err()), expected);
    let unfinished = anyhow::Error::new(denied()).context("Denied (os error 13");
    assert_eq!(one_line(&unfinished), "Denied (os error 13: Permission denied (os error 13)");
}
