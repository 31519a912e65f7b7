//! Key managers and provided keys as rows, and the changes to them.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _,
    QueryOrder as _,
};
use tidegate_model::{
    command::{Command, CreateKeyManager, Outcome, ProvideKey, Refused, StoreFetchedKeys, UpdateKeyManager},
    decide::{self, folded},
    id::{ApplicationId, KeyManagerId},
    issuer::{FetchedKeys, Held, KeyManager, ProvidedKey},
    role::Permission,
    time::Timestamp,
};

use crate::{
    entity::{key_manager, provided_key},
    execute::{At, Done},
    reads::{environment, id, parsed, written},
    vault::Vault,
};

/// The place of a key manager's secret in the vault.
fn place(id: KeyManagerId) -> String {
    format!("key manager:{id}")
}

fn held(vault: &Vault, row: key_manager::Model) -> Result<Held, DbErr> {
    let fetched = row.jwks.zip(row.fetched_at).map(|(jwks, at)| FetchedKeys { jwks, at: Timestamp(at) });
    let mut manager: KeyManager = parsed(&row.body)?;
    if let Some(introspection) = &mut manager.trust.introspection {
        introspection.client_secret = vault.open(&place(manager.id), &introspection.client_secret)?;
    }
    Ok(Held { manager, fetched })
}

/// A key manager as it is written: its secret sealed.
fn sealed(vault: &Vault, manager: &KeyManager) -> Result<String, DbErr> {
    let mut manager = manager.clone();
    if let Some(introspection) = &mut manager.trust.introspection {
        introspection.client_secret = vault.seal(&place(manager.id), &introspection.client_secret)?;
    }
    written(&manager)
}

fn row(
    vault: &Vault,
    manager: &KeyManager,
    fetched: Option<FetchedKeys>,
) -> Result<key_manager::ActiveModel, DbErr> {
    let (jwks, fetched_at) = fetched.map(|fetched| (fetched.jwks, fetched.at.millis())).unzip();
    Ok(key_manager::ActiveModel {
        id: Set(manager.id.to_string()),
        name_key: Set(folded(&manager.name)),
        issuer: Set(manager.trust.issuer.clone()),
        body: Set(sealed(vault, manager)?),
        jwks: Set(jwks),
        fetched_at: Set(fetched_at),
    })
}

pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    vault: &Vault,
    id: KeyManagerId,
) -> Result<Option<Held>, DbErr> {
    let row = key_manager::Entity::find_by_id(id.to_string()).one(connection).await?;
    row.map(|row| held(vault, row)).transpose()
}

pub(crate) async fn all(connection: &impl ConnectionTrait, vault: &Vault) -> Result<Vec<Held>, DbErr> {
    let rows = key_manager::Entity::find().order_by_asc(key_manager::Column::NameKey).all(connection).await?;
    rows.into_iter().map(|row| held(vault, row)).collect()
}

/// The names of all key managers.
pub(crate) async fn names(connection: &impl ConnectionTrait, vault: &Vault) -> Result<Vec<String>, DbErr> {
    Ok(all(connection, vault).await?.into_iter().map(|held| held.manager.name).collect())
}

fn provided(row: &provided_key::Model) -> Result<ProvidedKey, DbErr> {
    Ok(ProvidedKey {
        key_manager: id(&row.key_manager_id)?,
        client_id: row.client_id.clone(),
        application: id(&row.application_id)?,
        environment: environment(&row.environment)?,
        created_at: Timestamp(row.created_at),
    })
}

/// What an application has provided, oldest first; `None`: what all have.
pub(crate) async fn provided_keys(
    connection: &impl ConnectionTrait,
    application: Option<ApplicationId>,
) -> Result<Vec<ProvidedKey>, DbErr> {
    use provided_key::{Column, Entity};
    let mut query = Entity::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::ClientId);
    if let Some(application) = application {
        query = query.filter(Column::ApplicationId.eq(application.to_string()));
    }
    query.all(connection).await?.iter().map(provided).collect()
}

impl At<'_> {
    pub(crate) async fn change_issuer(&self, command: Command) -> Done {
        match command {
            Command::CreateKeyManager(create) => self.create_key_manager(&create).await,
            Command::UpdateKeyManager(update) => self.update_key_manager(&update).await,
            Command::DeleteKeyManager { id, based_on } => self.delete_key_manager(id, based_on).await,
            Command::StoreFetchedKeys(fetched) => self.store_fetched_keys(fetched).await,
            Command::ProvideKey(provide) => self.provide_key(&provide).await,
            Command::WithdrawKey { application, key_manager, client_id } => {
                self.withdraw_key(application, key_manager, &client_id).await
            }
            _ => Err(DbErr::Custom("not a change to an issuer".to_owned()).into()),
        }
    }

    async fn kept(&self, action: &str, before: Option<&KeyManager>, after: &KeyManager) -> Done {
        let was = before.map(|before| written(&before.redacted())).transpose()?;
        let is = Some(written(&after.redacted())?);
        let change = self.told(action, &after.name);
        self.kept_as(&after.id.to_string(), &change, was, is).await?;
        self.bump().await?;
        Ok(Outcome::KeyManager(Box::new(after.clone())))
    }

    async fn managers(&self) -> Result<Vec<KeyManager>, DbErr> {
        Ok(all(self.db, self.vault).await?.into_iter().map(|held| held.manager).collect())
    }

    async fn create_key_manager(&self, create: &CreateKeyManager) -> Done {
        let others = self.managers().await?;
        let made = decide::create_key_manager(create, self.actor, self.now, &others)?;
        key_manager::Entity::insert(row(self.vault, &made, None)?).exec_without_returning(self.db).await?;
        self.kept("created", None, &made).await
    }

    async fn update_key_manager(&self, update: &UpdateKeyManager) -> Done {
        self.needs(Permission::Administer)?;
        let before = find(self.db, self.vault, update.id).await?.ok_or(Refused::NotFound("key manager"))?;
        let others = self.managers().await?;
        let after = decide::update_key_manager(&before.manager, update, self.actor, self.now, &others)?;
        // Keys are of an issuer at an address: those of another are none of its.
        let of = |manager: &KeyManager| (manager.trust.issuer.clone(), manager.trust.keys.clone());
        let fetched = before.fetched.filter(|_| of(&before.manager) == of(&after));
        key_manager::Entity::update(row(self.vault, &after, fetched)?).exec(self.db).await?;
        self.kept("changed", Some(&before.manager), &after).await
    }

    async fn delete_key_manager(&self, id: KeyManagerId, based_on: Option<u64>) -> Done {
        self.needs(Permission::Administer)?;
        let manager = find(self.db, self.vault, id).await?.ok_or(Refused::NotFound("key manager"))?.manager;
        decide::not_stale(manager.etag, based_on)?;
        key_manager::Entity::delete_by_id(id.to_string()).exec(self.db).await?;
        self.differs(&id.to_string(), ("deleted", &manager.name), Some(&manager.redacted()), None).await?;
        self.bump().await?;
        Ok(Outcome::Done)
    }

    async fn store_fetched_keys(&self, fetched: StoreFetchedKeys) -> Done {
        self.needs(Permission::Administer)?;
        let before = find(self.db, self.vault, fetched.id).await?.ok_or(Refused::NotFound("key manager"))?;
        decide::not_stale(before.manager.etag, Some(fetched.based_on))?;
        let changed = before.fetched.is_none_or(|before| before.jwks != fetched.jwks);
        let keys = FetchedKeys { jwks: fetched.jwks, at: self.now };
        key_manager::Entity::update(row(self.vault, &before.manager, Some(keys))?).exec(self.db).await?;
        if changed {
            self.noticed(&fetched.id.to_string(), "got new keys", &before.manager.name).await?;
        }
        Ok(Outcome::Done)
    }

    async fn provide_key(&self, provide: &ProvideKey) -> Done {
        let application = self.own_application(provide.application).await?;
        let held =
            find(self.db, self.vault, provide.key_manager).await?.ok_or(Refused::NotFound("key manager"))?;
        let place = (provide.key_manager.to_string(), provide.client_id.clone());
        let there = provided_key::Entity::find_by_id(place).one(self.db).await?;
        let there = there.as_ref().map(provided).transpose()?;
        let (now, manager) = (self.now, &held.manager);
        let key = decide::provide_key(provide, self.actor, now, &application, manager, there.as_ref())?;
        let row = provided_key::ActiveModel {
            key_manager_id: Set(key.key_manager.to_string()),
            client_id: Set(key.client_id.clone()),
            application_id: Set(key.application.to_string()),
            environment: Set(key.environment.as_str().to_owned()),
            created_at: Set(key.created_at.millis()),
        };
        provided_key::Entity::insert(row).exec_without_returning(self.db).await?;
        let detail = format!("{} of {}", key.client_id, manager.name);
        self.noticed(&application.id.to_string(), "provided a key", &detail).await?;
        Ok(Outcome::ProvidedKey(key))
    }

    async fn withdraw_key(&self, application: ApplicationId, of: KeyManagerId, client_id: &str) -> Done {
        self.own_application(application).await?;
        let place = (of.to_string(), client_id.to_owned());
        let row = provided_key::Entity::find_by_id(place.clone()).one(self.db).await?;
        row.filter(|row| row.application_id == application.to_string()).ok_or(Refused::NotFound("key"))?;
        provided_key::Entity::delete_by_id(place).exec(self.db).await?;
        self.noticed(&application.to_string(), "withdrew a key", client_id).await?;
        Ok(Outcome::Done)
    }
}
