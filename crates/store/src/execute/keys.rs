//! Executing changes to keys, which are OAuth clients of applications.

use sea_orm::{DbErr, EntityTrait as _};
use tidegate_model::{
    application::Key,
    client::{self, ClientKind, ClientSettings},
    command::{Command, CreateKey, Outcome, Refused, UpdateKey},
    decide,
    id::ApplicationId,
    rule::FieldProblem,
    user::Secret,
};
use tidegate_oauth::{client_assertion::ClientKeys, grant::GrantType, redirect};

use super::{At, Done};
use crate::{applications, entity, writer::Failed};

impl At<'_> {
    pub(crate) async fn change_key(&self, command: Command) -> Done {
        match command {
            Command::CreateKey(create) => self.create_key(create).await.map(Outcome::Key),
            Command::UpdateKey(update) => self.update_key(update).await.map(Outcome::Key),
            Command::ReplaceSecret { application, client_id, secret_hash } => {
                self.replace_secret(application, &client_id, secret_hash).await.map(Outcome::Key)
            }
            Command::DeleteKey { application, client_id } => {
                let key = self.own_key(application, &client_id).await?;
                entity::key::Entity::delete_by_id(&client_id).exec(self.db).await?;
                let told = ("deleted a key", client_id.as_str());
                self.differs(&application.to_string(), told, Some(&key.redacted()), None).await?;
                self.bump().await?;
                Ok(Outcome::Done)
            }
            _ => Err(DbErr::Custom("not a change to a key".to_owned()).into()),
        }
    }

    async fn own_key(&self, application: ApplicationId, client_id: &str) -> Result<Key, Failed> {
        self.own_application(application).await?;
        let row = entity::key::Entity::find_by_id(client_id).one(self.db).await?;
        let row = row
            .filter(|row| row.application_id == application.to_string())
            .ok_or(Refused::NotFound("key"))?;
        Ok(applications::key(&row)?)
    }

    pub(crate) async fn create_key(&self, create: CreateKey) -> Result<Key, Failed> {
        let application = self.own_application(create.application).await?;
        client_rules(&create.grants, &create.settings)?;
        let there = applications::keys(self.db, application.id).await?;
        if there.iter().any(|key| key.environment == create.environment) {
            let detail = format!(
                "{} has a {} key already. Replace its secret, or delete it first.",
                application.name,
                create.environment.as_str()
            );
            return Err(Refused::Duplicate(FieldProblem::new("/type", "duplicate", detail)).into());
        }
        let key = Key {
            client_id: create.client_id,
            secret_hash: create.secret_hash,
            application: create.application,
            environment: create.environment,
            grants: create.grants,
            settings: create.settings,
            created_at: self.now,
        };
        entity::key::Entity::insert(applications::key_row(&key)?).exec_without_returning(self.db).await?;
        let told = ("made a key", key.environment.as_str());
        self.differs(&application.id.to_string(), told, None, Some(&key.redacted())).await?;
        self.bump().await?;
        Ok(key)
    }

    pub(crate) async fn update_key(&self, update: UpdateKey) -> Result<Key, Failed> {
        let mut key = self.own_key(update.application, &update.client_id).await?;
        client_rules(&update.grants, &update.settings)?;
        let before = key.redacted();
        (key.grants, key.settings) = (update.grants, update.settings);
        // A secret that must not be used any more is not kept.
        if !key.settings.has_secret() {
            key.secret_hash = Secret::default();
        }
        entity::key::Entity::update(applications::key_row(&key)?).exec(self.db).await?;
        let told = ("changed a key", update.client_id.as_str());
        self.differs(&update.application.to_string(), told, Some(&before), Some(&key.redacted())).await?;
        self.bump().await?;
        Ok(key)
    }

    pub(crate) async fn replace_secret(
        &self,
        application: ApplicationId,
        client_id: &str,
        secret_hash: Secret,
    ) -> Result<Key, Failed> {
        let mut key = self.own_key(application, client_id).await?;
        if !key.settings.has_secret() {
            let detail = "This client has no secret. Make it a confidential one that proves itself with a secret first.";
            return Err(Refused::conflict(detail).into());
        }
        key.secret_hash = secret_hash;
        entity::key::Entity::update(applications::key_row(&key)?).exec(self.db).await?;
        // Gateways know it where an API accepts it as a password.
        self.noticed(&application.to_string(), "replaced a secret", client_id).await?;
        Ok(key)
    }
}

/// What a client may be told to be.
fn client_rules(grants: &[String], settings: &ClientSettings) -> Result<(), Refused> {
    let known = GrantType::ALL.map(GrantType::as_str);
    let is_registrable = |uri: &str, kind| {
        let place = match kind {
            ClientKind::Native => redirect::Place::Device,
            ClientKind::Confidential | ClientKind::Browser => redirect::Place::Web,
        };
        redirect::is_registrable(uri, place).map_err(|error| error.to_string())
    };
    let are_keys = |jwks: &str| ClientKeys::read(jwks).map(drop).map_err(|error| error.to_string());
    decide::no_problems(client::problems(grants, settings, &known, is_registrable, are_keys))
}
