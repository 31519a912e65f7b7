//! Sign-in providers and identities as rows, the changes to them, and who comes from one.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
};
use tidegate_model::{
    audit::Kind,
    command::{Command, Outcome, Refused},
    decide::{
        folded,
        providers::{self, Here, Met},
    },
    id::{ProviderId, UserId},
    provider::{Arrival, Arrive, Identity, SignInProvider},
    role::Permission,
    time::Timestamp,
    user::{Account, Actor, PortalSession, Secret, User, UserState},
};

use crate::{
    entity::{self, identity, sign_in_provider},
    execute::{At, Done},
    reads::{id, parsed, written},
    roles, users,
    vault::Vault,
    writer::Failed,
};

/// The place of a sign-in provider's secret in the vault.
fn place(id: ProviderId) -> String {
    format!("sign-in provider:{id}")
}

fn opened(vault: &Vault, row: &sign_in_provider::Model) -> Result<SignInProvider, DbErr> {
    let mut provider: SignInProvider = parsed(&row.body)?;
    let secret = &mut provider.trust.client_secret;
    *secret = vault.open(&place(provider.id), secret)?;
    Ok(provider)
}

fn row(vault: &Vault, provider: &SignInProvider) -> Result<sign_in_provider::ActiveModel, DbErr> {
    let mut sealed = provider.clone();
    sealed.trust.client_secret = vault.seal(&place(provider.id), &provider.trust.client_secret)?;
    Ok(sign_in_provider::ActiveModel {
        id: Set(provider.id.to_string()),
        name_key: Set(folded(&provider.name)),
        issuer: Set(provider.trust.issuer.clone()),
        body: Set(written(&sealed)?),
    })
}

pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    vault: &Vault,
    id: ProviderId,
) -> Result<Option<SignInProvider>, DbErr> {
    let row = sign_in_provider::Entity::find_by_id(id.to_string()).one(connection).await?;
    row.map(|row| opened(vault, &row)).transpose()
}

pub(crate) async fn all(
    connection: &impl ConnectionTrait,
    vault: &Vault,
) -> Result<Vec<SignInProvider>, DbErr> {
    use sign_in_provider::{Column, Entity};
    let rows = Entity::find().order_by_asc(Column::NameKey).all(connection).await?;
    rows.iter().map(|row| opened(vault, row)).collect()
}

/// As whom issuers know a person, oldest first.
pub(crate) async fn identities(
    connection: &impl ConnectionTrait,
    user: UserId,
) -> Result<Vec<Identity>, DbErr> {
    use identity::{Column, Entity};
    let theirs = Entity::find().filter(Column::UserId.eq(user.to_string()));
    let rows = theirs.order_by_asc(Column::CreatedAt).order_by_asc(Column::Issuer).all(connection).await?;
    let identity = |row: identity::Model| {
        let (user, created_at) = (id(&row.user_id)?, Timestamp(row.created_at));
        Ok(Identity { issuer: row.issuer, subject: row.subject, user, created_at })
    };
    rows.into_iter().map(identity).collect()
}

impl At<'_> {
    pub(crate) async fn change_provider(&self, command: Command) -> Done {
        match command {
            Command::CreateProvider(create) => {
                let others = all(self.db, self.vault).await?;
                let made =
                    providers::create(&create, self.actor, self.now, &others, &roles::all(self.db).await?)?;
                let row = row(self.vault, &made)?;
                sign_in_provider::Entity::insert(row).exec_without_returning(self.db).await?;
                self.kept_provider("created", None, made).await
            }
            Command::UpdateProvider(update) => {
                self.needs(Permission::Administer)?;
                let before = self.provider(update.id).await?;
                let others = all(self.db, self.vault).await?;
                let own = roles::all(self.db).await?;
                let after = providers::update(&before, &update, self.actor, self.now, &others, &own)?;
                sign_in_provider::Entity::update(row(self.vault, &after)?).exec(self.db).await?;
                if !providers::keeps_sessions(&before, &after) {
                    self.end_sessions_by(&before.trust.issuer).await?;
                }
                self.kept_provider("changed", Some(&before), after).await
            }
            Command::DeleteProvider { id, based_on } => {
                self.needs(Permission::Administer)?;
                let provider = self.provider(id).await?;
                providers::delete(&provider, based_on, self.actor)?;
                sign_in_provider::Entity::delete_by_id(id.to_string()).exec(self.db).await?;
                self.end_sessions_by(&provider.trust.issuer).await?;
                let told = ("deleted", provider.name.as_str());
                self.differs(&id.to_string(), told, Some(&provider.redacted()), None).await?;
                Ok(Outcome::Done)
            }
            Command::Arrive(arrive) => self.arrive(*arrive).await,
            _ => Err(DbErr::Custom("not a change to a sign-in provider".to_owned()).into()),
        }
    }

    async fn provider(&self, id: ProviderId) -> Result<SignInProvider, Failed> {
        let found = find(self.db, self.vault, id).await?;
        found.ok_or_else(|| Refused::NotFound("sign-in provider").into())
    }

    async fn kept_provider(
        &self,
        action: &str,
        before: Option<&SignInProvider>,
        after: SignInProvider,
    ) -> Done {
        let was = before.map(SignInProvider::redacted);
        let (subject, told) = (after.id.to_string(), (action, after.name.as_str()));
        self.differs(&subject, told, was.as_ref(), Some(&after.redacted())).await?;
        Ok(Outcome::Provider(Box::new(after)))
    }

    /// Ends the portal sessions of everybody whom this issuer knows.
    async fn end_sessions_by(&self, issuer: &str) -> Result<(), DbErr> {
        let known = identity::Entity::find().filter(identity::Column::Issuer.eq(issuer));
        let known = known.select_only().column(identity::Column::UserId).into_query();
        let theirs = entity::portal_session::Column::UserId.in_subquery(known);
        entity::portal_session::Entity::delete_many().filter(theirs).exec(self.db).await.map(drop)
    }

    async fn arrive(&self, arrive: Arrive) -> Done {
        let provider = find(self.db, self.vault, arrive.provider).await?.ok_or(Refused::SignedOut)?;
        self.let_requests_lapse().await?;
        let place = (provider.trust.issuer.clone(), arrive.subject.clone());
        let known = match identity::Entity::find_by_id(place).one(self.db).await? {
            Some(row) => Some(self.account(id(&row.user_id)?).await?),
            None => None,
        };
        let own_roles = roles::all(self.db).await?;
        let here = Here {
            known: known.as_ref().map(|account| &account.user),
            is_name_taken: users::by_name(self.db, &arrive.username).await?.is_some(),
            waiting: self.waiting().await?,
            administrators: self.administrators().await?,
            own_roles: &own_roles,
        };
        let user = match providers::arrive(&provider, &arrive, here, self.now)? {
            Met::Turned(arrival) => return Ok(Outcome::Arrived(arrival)),
            Met::Account(user) => *user,
        };
        match known {
            None => self.keep_newcomer(&provider, &arrive, &user).await?,
            Some(Account { user: was, password_hash }) if was != user => {
                self.keep_roles(&provider, &was, &user, password_hash).await?;
            }
            Some(_) => {}
        }
        if user.state != UserState::Active {
            return Ok(Outcome::Arrived(Arrival::Waiting));
        }
        self.keep_session(PortalSession { user: user.id, ..arrive.session }).await?;
        self.told_of(&user, Kind::SignIn, ("signed in", &format!("by {}", provider.name)), None, None)
            .await?;
        Ok(Outcome::Arrived(Arrival::In(Box::new(user))))
    }

    async fn waiting(&self) -> Result<u64, DbErr> {
        let waits = entity::user::Column::State.eq(UserState::Waiting.as_str());
        entity::user::Entity::find().filter(waits).count(self.db).await
    }

    async fn keep_newcomer(
        &self,
        provider: &SignInProvider,
        arrive: &Arrive,
        user: &User,
    ) -> Result<(), Failed> {
        let account = Account { user: user.clone(), password_hash: Secret::default() };
        entity::user::Entity::insert(users::user_row(&account)?).exec_without_returning(self.db).await?;
        let identity = identity::ActiveModel {
            issuer: Set(provider.trust.issuer.clone()),
            subject: Set(arrive.subject.clone()),
            user_id: Set(user.id.to_string()),
            created_at: Set(self.now.millis()),
        };
        identity::Entity::insert(identity).exec_without_returning(self.db).await?;
        let told = format!("{} by {}, as {}", user.username, provider.name, arrive.subject);
        Ok(self.told_of(user, Kind::User, ("came for the first time", &told), None, Some(user)).await?)
    }

    async fn keep_roles(
        &self,
        provider: &SignInProvider,
        was: &User,
        user: &User,
        password_hash: Secret,
    ) -> Result<(), Failed> {
        let account = Account { user: user.clone(), password_hash };
        entity::user::Entity::update(users::user_row(&account)?).exec(self.db).await?;
        let told = format!("{}, as {} says", user.username, provider.name);
        Ok(self.told_of(user, Kind::User, ("got other roles", &told), Some(was), Some(user)).await?)
    }

    /// An entry of the audit log by who comes in, of whom nothing was known when the command was given.
    async fn told_of(
        &self,
        user: &User,
        kind: Kind,
        told: (&str, &str),
        before: Option<&User>,
        after: Option<&User>,
    ) -> Result<(), DbErr> {
        let actor = Actor::person(user).at(self.actor.address);
        At { actor: &actor, kind, ..*self }.differs(&user.id.to_string(), told, before, after).await
    }
}
