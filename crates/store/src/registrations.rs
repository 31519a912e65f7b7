//! Registration tokens and registered clients as rows, and the changes to them. What a token may is proven here, in the unit
//! that uses it: of many that use its last turn at once, one does.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _,
};
use tidegate_model::{
    application::{Application, Key},
    client::ClientSettings,
    command::{
        ChangeRegistration, ClientWish, Command, CreateKey, EndRegistration, Outcome, Refused, Register,
        RegistrationCommand, UpdateApplication, UpdateKey,
    },
    decide::{folded, registrations},
    id::{ApplicationId, RegistrationTokenId},
    policy::DEFAULT_APPLICATION_POLICY,
    registration::{Registered, Registration, RegistrationToken},
    role::Permission,
    user::{Actor, Secret, User},
};

use crate::{
    applications,
    entity::{self, registration, registration_token},
    execute::{At, Done},
    reads::{parsed, written},
    writer::Failed,
};

/// All registration tokens, in the order of their making: ids are UUIDs of version 7.
pub(crate) async fn tokens(connection: &impl ConnectionTrait) -> Result<Vec<RegistrationToken>, DbErr> {
    use registration_token::{Column, Entity};
    let rows = Entity::find().order_by_asc(Column::Id).all(connection).await?;
    rows.iter().map(|row| parsed(&row.body)).collect()
}

pub(crate) async fn token(
    connection: &impl ConnectionTrait,
    hash: &Secret,
) -> Result<Option<RegistrationToken>, DbErr> {
    use registration_token::{Column, Entity};
    let row = Entity::find().filter(Column::Hash.eq(hash.0.as_str())).one(connection).await?;
    row.map(|row| parsed(&row.body)).transpose()
}

/// A registered client with its application and key, whoever they belong to.
pub(crate) async fn registered(
    connection: &impl ConnectionTrait,
    client_id: &str,
) -> Result<Option<Registered>, DbErr> {
    let Some(row) = registration::Entity::find_by_id(client_id).one(connection).await? else {
        return Ok(None);
    };
    let registration: Registration = parsed(&row.body)?;
    let key = entity::key::Entity::find_by_id(client_id).one(connection).await?;
    let application = applications::find(connection, registration.application).await?;
    let (Some(key), Some(application)) = (key, application) else { return Ok(None) };
    Ok(Some(Registered { application, key: applications::key(&key)?, registration }))
}

fn token_row(token: &RegistrationToken) -> Result<registration_token::ActiveModel, DbErr> {
    Ok(registration_token::ActiveModel {
        id: Set(token.id.to_string()),
        hash: Set(token.hash.0.clone()),
        owner_id: Set(token.owner.to_string()),
        body: Set(written(token)?),
    })
}

fn row(registration: &Registration) -> Result<registration::ActiveModel, DbErr> {
    Ok(registration::ActiveModel {
        client_id: Set(registration.client_id.clone()),
        application_id: Set(registration.application.to_string()),
        body: Set(written(registration)?),
    })
}

impl At<'_> {
    pub(crate) async fn change_registration(&self, command: RegistrationCommand) -> Done {
        match command {
            RegistrationCommand::CreateToken(token) => self.create_registration_token(*token).await,
            RegistrationCommand::DeleteToken(id) => self.delete_registration_token(id).await,
            RegistrationCommand::Register(register) => self.register(*register).await,
            RegistrationCommand::Change(change) => self.change_registered(*change).await,
            RegistrationCommand::End(end) => self.end_registration(&end).await,
        }
    }

    async fn create_registration_token(&self, token: RegistrationToken) -> Done {
        let (created_by, created_at) = (self.actor.name.clone(), self.now);
        let token = RegistrationToken { used: 0, last_used_at: None, created_at, created_by, ..token };
        let owner = self.account(token.owner).await?.user;
        let count = registration_token::Entity::find().count(self.db).await?;
        registrations::create_token(&token, &owner, self.actor, self.now, count)?;
        registration_token::Entity::insert(token_row(&token)?).exec_without_returning(self.db).await?;
        let told = format!("{} for {}: {} clients", token.name, owner.username, token.uses_max);
        let told = ("made a registration token", told.as_str());
        self.differs(&token.id.to_string(), told, None, Some(&token.redacted())).await?;
        Ok(Outcome::RegistrationToken(Box::new(token)))
    }

    async fn delete_registration_token(&self, id: RegistrationTokenId) -> Done {
        self.needs(Permission::Administer)?;
        let row = registration_token::Entity::find_by_id(id.to_string()).one(self.db).await?;
        let token: RegistrationToken = parsed(&row.ok_or(Refused::NotFound("registration token"))?.body)?;
        registration_token::Entity::delete_by_id(id.to_string()).exec(self.db).await?;
        let told = ("deleted a registration token", token.name.as_str());
        self.differs(&id.to_string(), told, Some(&token.redacted()), None).await?;
        Ok(Outcome::Done)
    }

    /// The same, for a program that has shown by a token what it may do.
    fn for_program<'a>(&'a self, actor: &'a Actor) -> At<'a> {
        At { actor, ..*self }
    }

    async fn register(&self, register: Register) -> Done {
        let gone = Refused::NotFound("registration token");
        let token = token(self.db, &register.by).await?.ok_or(gone)?;
        let owner = self.account(token.owner).await?.user;
        let token = registrations::used(&token, &owner, self.now)?;
        registration_token::Entity::update(token_row(&token)?).exec(self.db).await?;
        let actor = Actor::program(format!("registration token {}", token.name), self.actor.address);
        let at = self.for_program(&actor);
        let wish = register.wish;
        let application = at
            .add_application(Application {
                id: register.application,
                name: at.free_name(&wish, &register.client_id, &owner, None).await?,
                description: String::new(),
                policy: DEFAULT_APPLICATION_POLICY.to_owned(),
                owner: Some(owner.id),
                owner_name: owner.username,
                demo: false,
                registered_by: Some(token.name),
                created_at: self.now,
                etag: 1,
            })
            .await?;
        let key = at
            .create_key(CreateKey {
                application: application.id,
                client_id: register.client_id.clone(),
                secret_hash: wish.secret_hash,
                environment: token.environment,
                grants: wish.grants,
                settings: wish.settings,
            })
            .await?;
        let registration = Registration {
            client_id: register.client_id,
            application: application.id,
            token_hash: register.token_hash,
            about: wish.about,
            created_at: self.now,
        };
        registration::Entity::insert(row(&registration)?).exec_without_returning(self.db).await?;
        let told = ("a client registered itself", registration.client_id.as_str());
        at.differs(&application.id.to_string(), told, None, Some(&registration.redacted())).await?;
        Ok(Outcome::Registered(Box::new(Registered { application, key, registration })))
    }

    /// The name that a client's application gets, of those that its owner has no other by.
    async fn free_name(
        &self,
        wish: &ClientWish,
        client_id: &str,
        owner: &User,
        own: Option<ApplicationId>,
    ) -> Result<String, Failed> {
        use entity::application::{Column, Entity};
        let Some(wished) = wish.name.as_deref() else {
            return Ok(registrations::name(None, client_id, &[]));
        };
        let twin = Entity::find()
            .filter(Column::Owner.eq(owner.id.to_string()))
            .filter(Column::NameKey.eq(folded(wished)))
            .one(self.db)
            .await?;
        let own = own.map(|id| id.to_string());
        let taken: Vec<_> =
            twin.into_iter().filter(|row| Some(&row.id) != own.as_ref()).map(|row| row.name_key).collect();
        Ok(registrations::name(Some(wished), client_id, &taken))
    }

    /// The client that looks after itself with this token. An unknown client and a wrong token are the same.
    async fn own_registration(&self, client_id: &str, token_hash: &Secret) -> Result<Registered, Failed> {
        let found = registered(self.db, client_id).await?;
        let found = found.filter(|found| found.registration.token_hash == *token_hash);
        Ok(found.ok_or(Refused::NotFound("registration"))?)
    }

    async fn change_registered(&self, change: ChangeRegistration) -> Done {
        let ChangeRegistration { client_id, token_hash, wish } = change;
        let before = self.own_registration(&client_id, &token_hash).await?;
        let actor = Actor::program(format!("client {client_id}"), self.actor.address);
        let at = self.for_program(&actor);
        let mut application = before.application;
        if let Some(owner) = application.owner {
            let owner = at.account(owner).await?.user;
            let name = at.free_name(&wish, &client_id, &owner, Some(application.id)).await?;
            if name != application.name {
                let Application { id, description, policy, .. } = application;
                let update = UpdateApplication { id, based_on: None, name, description, policy };
                application = at.update_application(update).await?;
            }
        }
        let mut key = before.key;
        let (grants, settings) = (wish.grants, kept_settings(wish.settings, &key));
        if (&grants, &settings) != (&key.grants, &key.settings) {
            let had_secret = key.settings.has_secret();
            let application = application.id;
            key = at
                .update_key(UpdateKey { application, client_id: client_id.clone(), grants, settings })
                .await?;
            if key.settings.has_secret() && !had_secret {
                key = at.replace_secret(application, &client_id, wish.secret_hash).await?;
            }
        }
        let registration = Registration { about: wish.about, ..before.registration.clone() };
        if registration != before.registration {
            registration::Entity::update(row(&registration)?).exec(self.db).await?;
            let told = ("a client changed its registration", client_id.as_str());
            let (was, is) = (before.registration.redacted(), registration.redacted());
            at.differs(&application.id.to_string(), told, Some(&was), Some(&is)).await?;
        }
        Ok(Outcome::Registered(Box::new(Registered { application, key, registration })))
    }

    async fn end_registration(&self, end: &EndRegistration) -> Done {
        let Registered { application, .. } = self.own_registration(&end.client_id, &end.token_hash).await?;
        let actor = Actor::program(format!("client {}", end.client_id), self.actor.address);
        let at = self.for_program(&actor);
        let (id, client_id) = (application.id, end.client_id.clone());
        if at.has_more_than(id, &client_id).await? {
            at.change_key(Command::DeleteKey { application: id, client_id }).await
        } else {
            at.delete_application(id).await
        }
    }

    /// Whether an application has something by which programs connect beside this client.
    async fn has_more_than(&self, application: ApplicationId, client_id: &str) -> Result<bool, DbErr> {
        use entity::{api_key, certificate, key, provided_key};
        let id = application.to_string();
        let keys = key::Entity::find().filter(key::Column::ApplicationId.eq(&id));
        let others = keys.filter(key::Column::ClientId.ne(client_id)).count(self.db).await?;
        let api_keys = api_key::Entity::find().filter(api_key::Column::ApplicationId.eq(&id));
        let certificates = certificate::Entity::find().filter(certificate::Column::ApplicationId.eq(&id));
        let provided = provided_key::Entity::find().filter(provided_key::Column::ApplicationId.eq(&id));
        Ok(others > 0
            || api_keys.count(self.db).await? > 0
            || certificates.count(self.db).await? > 0
            || provided.count(self.db).await? > 0)
    }
}

/// The settings that a client wishes, with those of its key that it cannot name.
fn kept_settings(wished: ClientSettings, key: &Key) -> ClientSettings {
    let ClientSettings { access_token_seconds, refresh_token_seconds, token_format, .. } = key.settings;
    ClientSettings { access_token_seconds, refresh_token_seconds, token_format, ..wished }
}
