//! `tidegate user`: for people who stand at the machine and not at the portal.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use tidegate_model::{
    command::{Command, Refused},
    port::{Catalog as _, Clock as _, CommandError},
    user::Actor,
};
use tidegate_store::SqliteCatalog;

use crate::{
    clock::{SystemClock, SystemEntropy},
    config::usual_data_folder,
    data_folder::{DataFolder, FolderError},
    first_start,
};

/// What to do with users.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum UserCommand {
    /// Make a new password for a user and print it, once; works while `tidegate serve` runs
    Reset {
        /// The user's name
        #[arg(value_name = "NAME")]
        name: String,
        /// The data folder
        #[arg(long, env = "TIDEGATE_DATA", value_name = "DIR")]
        data: Option<PathBuf>,
        /// File with the key of the secrets [default: secrets.key in the data folder]
        #[arg(long, env = "TIDEGATE_SECRETS_KEY_FILE", value_name = "FILE")]
        secrets_key_file: Option<PathBuf>,
    },
}

impl UserCommand {
    /// Does it.
    pub(crate) async fn run(self) -> Result<ExitCode> {
        let Self::Reset { name, data, secrets_key_file } = self;
        let folder = data.or_else(usual_data_folder).context("name the data folder with --data DIR")?;
        let folder = DataFolder::at(folder);
        if !folder.database().exists() {
            bail!(
                "there is no Tidegate data in {}; name its folder with --data DIR",
                folder.path().display()
            );
        }
        let secrets_key = secrets_key_file.unwrap_or_else(|| folder.secrets_key());
        // Where none runs, none begins meanwhile. Beside one that runs, its records stay as it made them.
        let (catalog, _lock) = match folder.lock() {
            Ok(lock) => (SqliteCatalog::open_with_key(&folder.database(), &secrets_key).await?, Some(lock)),
            Err(FolderError::InUse { .. }) => {
                (SqliteCatalog::open_beside(&folder.database(), &secrets_key).await?, None)
            }
            Err(error) => return Err(error.into()),
        };
        let entropy = SystemEntropy::default();
        let password = tidegate_control::generate_password(&entropy);
        let password_hash = first_start::hash(&password, &entropy)?;
        let command = Command::SetPassword { username: name.clone(), password_hash, one_time: false };
        match catalog.execute(&Actor::product(), SystemClock.now(), command).await {
            Err(CommandError::Refused(Refused::NotFound(_))) => {
                bail!("there is no user “{name}” in {}", folder.path().display())
            }
            result => result?,
        };
        first_start::forget_password(&folder, &name)?;
        println!("{password}");
        eprintln!(
            "That is the new password of {name}; it is not kept anywhere. The old one and open sign-ins have ended."
        );
        Ok(ExitCode::SUCCESS)
    }
}
