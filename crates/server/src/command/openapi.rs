//! `tidegate openapi`: the document that describes the REST API, as the control plane generates it.

use std::{io::Write as _, process::ExitCode};

use anyhow::Result;

/// Prints the document.
pub(crate) fn run() -> Result<ExitCode> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(tidegate_control::openapi_json().as_bytes())?;
    stdout.flush()?;
    Ok(ExitCode::SUCCESS)
}
