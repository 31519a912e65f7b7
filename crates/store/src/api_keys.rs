//! Changes to the API keys of an application.

use sea_orm::EntityTrait as _;
use tidegate_model::{
    application::{API_KEYS_MAX, ApiKey},
    command::{Command, Outcome, Refused},
    id::{ApiKeyId, ApplicationId},
    rule,
};

use crate::{
    applications, entity,
    execute::{At, Done},
    writer::Failed,
};

impl At<'_> {
    pub(crate) async fn change_api_key(&self, command: Command) -> Done {
        match command {
            Command::CreateApiKey(key) => self.create_api_key(ApiKey { created_at: self.now, ..key }).await,
            Command::ReplaceApiKey { application, id, next, prefix, hash } => {
                let before = self.own_api_key(application, id).await?;
                let key = ApiKey { id: next, prefix, hash, created_at: self.now, ..before };
                if key.expires_at.is_some_and(|end| end <= self.now) {
                    let detail = "This key has expired. Delete it and make another.";
                    return Err(Refused::conflict(detail).into());
                }
                entity::api_key::Entity::delete_by_id(id.to_string()).exec(self.db).await?;
                self.keep_api_key(&key, "replaced an API key").await
            }
            Command::DeleteApiKey { application, id } => {
                let key = self.own_api_key(application, id).await?;
                entity::api_key::Entity::delete_by_id(id.to_string()).exec(self.db).await?;
                let told = ("deleted an API key", key.name.as_str());
                self.differs(&application.to_string(), told, Some(&key.redacted()), None).await?;
                self.bump().await?;
                Ok(Outcome::Done)
            }
            _ => Err(sea_orm::DbErr::Custom("not a change to an API key".to_owned()).into()),
        }
    }

    async fn create_api_key(&self, key: ApiKey) -> Done {
        let application = self.own_application(key.application).await?;
        let mut problems = Vec::new();
        rule::api_key(&key, self.now, &mut problems);
        if !problems.is_empty() {
            return Err(Refused::Invalid(problems).into());
        }
        if applications::api_keys(self.db, application.id).await?.len() >= API_KEYS_MAX {
            let detail = format!("An application has at most {API_KEYS_MAX} API keys. Delete one first.");
            return Err(Refused::conflict(detail).into());
        }
        self.keep_api_key(&key, "made an API key").await
    }

    async fn keep_api_key(&self, key: &ApiKey, action: &str) -> Done {
        let row = applications::api_key_row(key)?;
        entity::api_key::Entity::insert(row).exec_without_returning(self.db).await?;
        self.differs(&key.application.to_string(), (action, &key.name), None, Some(&key.redacted())).await?;
        self.bump().await?;
        Ok(Outcome::ApiKey(Box::new(key.clone())))
    }

    async fn own_api_key(&self, application: ApplicationId, id: ApiKeyId) -> Result<ApiKey, Failed> {
        self.own_application(application).await?;
        let keys = applications::api_keys(self.db, application).await?;
        keys.into_iter().find(|key| key.id == id).ok_or_else(|| Refused::NotFound("API key").into())
    }
}
