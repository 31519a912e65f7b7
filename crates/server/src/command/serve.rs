//! `tidegate serve`: portals, REST API and gateway in one process, until a signal comes.

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    config::{ADMIN_PASSWORD, RawServe},
    shape::all_in_one,
};

/// Resolves the configuration and runs.
pub(crate) async fn run(raw: RawServe) -> Result<ExitCode> {
    let config = raw.resolve(std::env::var(ADMIN_PASSWORD).ok())?;
    all_in_one::run(config).await
}
