//! The first start: users with generated passwords, kept in `DIR/first-start.json` for their owner.
//!
//! What is generated is on disk before it is used, and the catalog is made to match the file; so a start that is
//! cut at any moment is finished by the next one. What a person changed since is left alone. See `demo`.

mod demo;

use std::{collections::BTreeMap, fs, io};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    command::{Command, Outcome},
    id::UserId,
    port::{Catalog, Clock, Entropy, PageRequest, UserQuery},
    role::Role,
    user::{Account, Actor, Secret, User, UserState},
};

pub(crate) use demo::keep_up as keep_up_demo;

use crate::data_folder::{DataFolder, write_durably};

/// What the product made at first start and has to tell its owner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Users by name.
    #[serde(default)]
    pub(crate) users: BTreeMap<String, Person>,
    /// The demo's key.
    #[serde(default)]
    pub(crate) demo: Option<DemoKey>,
}

/// A user of the first start.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    /// The generated password; absent when it was chosen by the operator or replaced since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<String>,
    /// What the person may be.
    pub(crate) roles: Vec<Role>,
}

/// What `tidegate connect --demo` presents.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DemoKey {
    /// OAuth client.
    pub(crate) client_id: String,
    /// Its secret.
    pub(crate) client_secret: String,
    /// Where the demo API answers.
    pub(crate) url_path: String,
    /// Addresses of the echo backend that the demo API may point to because we pointed it there.
    #[serde(default)]
    pub(crate) echo: Vec<String>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("roles", &self.roles).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for DemoKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DemoKey").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Record {
    /// What the folder holds; nothing before the first start.
    pub(crate) fn read(folder: &DataFolder) -> Result<Self> {
        let path = folder.first_start();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => bail!("cannot read {}: {error}", path.display()),
        };
        let readable = serde_json::from_slice(&text);
        readable.with_context(|| format!("{} is not readable; move it away and start again", path.display()))
    }

    /// Puts it on disk.
    pub(crate) fn write(&self, folder: &DataFolder) -> Result<()> {
        let path = folder.first_start();
        let text = serde_json::to_vec_pretty(self)?;
        write_durably(&path, &text, 0o600).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// What the first start works with.
pub(crate) struct FirstStart<'a> {
    /// The data folder, locked.
    pub(crate) folder: &'a DataFolder,
    /// The records.
    pub(crate) catalog: &'a dyn Catalog,
    /// Now.
    pub(crate) clock: &'a dyn Clock,
    /// Passwords and ids.
    pub(crate) entropy: &'a dyn Entropy,
}

impl FirstStart<'_> {
    /// `admin`, who holds all roles, with the password the operator chose or a generated one. Whoever was deleted is not
    /// made again: somebody else administers then.
    pub(crate) async fn admin(&self, chosen: Option<&Secret>) -> Result<()> {
        let name = "admin";
        if self.catalog.account(name).await?.is_none() && self.somebody_administers().await? {
            return forget_password(self.folder, name);
        }
        let Some(chosen) = chosen else {
            return self.person(name, &[Role::Admin], false).await.map(drop);
        };
        match self.catalog.account(name).await? {
            Some(account) if tidegate_control::password_matches(&chosen.0, &account.password_hash.0) => {
                Ok(())
            }
            Some(_) => {
                let password_hash = hash(&chosen.0, self.entropy)?;
                let username = name.to_owned();
                self.execute(Command::SetPassword { username, password_hash, one_time: false }).await?;
                forget_password(self.folder, name)
            }
            None => {
                let mut record = Record::read(self.folder)?;
                record.users.insert(name.to_owned(), Person { password: None, roles: vec![Role::Admin] });
                record.write(self.folder)?;
                self.create(name, &[Role::Admin], false, &chosen.0).await.map(drop)
            }
        }
    }

    async fn somebody_administers(&self) -> Result<bool> {
        let query = UserQuery {
            role: Some(Role::Admin.into()),
            state: Some(UserState::Active),
            ..UserQuery::default()
        };
        let page = PageRequest { limit: 1, cursor: None };
        Ok(!self.catalog.users(&query, &page).await?.items.is_empty())
    }

    /// A user who exists afterwards, with a generated password if he did not exist before.
    async fn person(&self, name: &str, roles: &[Role], demo: bool) -> Result<User> {
        if let Some(account) = self.catalog.account(name).await? {
            return Ok(account.user);
        }
        let mut record = Record::read(self.folder)?;
        let noted = record.users.get(name).and_then(|person| person.password.clone());
        let password = if let Some(password) = noted {
            password
        } else {
            let password = tidegate_control::generate_password(self.entropy);
            let person = Person { password: Some(password.clone()), roles: roles.to_vec() };
            record.users.insert(name.to_owned(), person);
            record.write(self.folder)?;
            password
        };
        self.create(name, roles, demo, &password).await
    }

    async fn create(&self, name: &str, roles: &[Role], demo: bool, password: &str) -> Result<User> {
        let now = self.clock.now();
        let id = UserId::new(now, self.entropy.id_bytes());
        let user = User { demo, ..User::new(id, name.to_owned(), roles.iter().copied().collect(), now) };
        let password_hash = hash(password, self.entropy)?;
        self.execute(Command::CreateUser(Account { user: user.clone(), password_hash })).await?;
        tracing::info!(user = name, "made a user");
        Ok(user)
    }

    async fn execute(&self, command: Command) -> Result<Outcome> {
        Ok(self.catalog.execute(&Actor::product(), self.clock.now(), command).await?)
    }
}

/// A password that does not hold any more is not shown any more.
pub(crate) fn forget_password(folder: &DataFolder, username: &str) -> Result<()> {
    let mut record = Record::read(folder)?;
    let forgotten = record.users.get_mut(username).and_then(|person| person.password.take());
    if forgotten.is_some() { record.write(folder) } else { Ok(()) }
}

/// What the catalog keeps of a password.
pub(crate) fn hash(password: &str, entropy: &dyn Entropy) -> Result<Secret> {
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    Ok(Secret(tidegate_control::hash_password(password, salt)?))
}

#[cfg(test)]
mod tests;
