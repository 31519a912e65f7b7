//! Executing what concerns users: making, changing and deleting them, and their passwords.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, Condition, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _,
};
use tidegate_model::{
    application::Application,
    command::{ChangeUser, EndPortalSessions, Outcome, Refused, WhichSessions},
    decide::people,
    id::UserId,
    revocation::{Mark, Revoked},
    role::Role,
    rule::FieldProblem,
    user::{Account, PortalSession, Secret, User, UserState},
};

use super::{At, Done};
use crate::{
    applications, entity,
    reads::{id, parsed},
    revocations, roles, users,
    writer::Failed,
};

impl At<'_> {
    pub(super) async fn create_user(&self, account: &Account) -> Done {
        people::create_user(&account.user, self.actor, &roles::all(self.db).await?)?;
        if users::by_name(self.db, &account.user.username).await?.is_some() {
            let detail = format!("There is a user “{}” already.", account.user.username);
            return Err(Refused::Duplicate(FieldProblem::new("/username", "duplicate", detail)).into());
        }
        entity::user::Entity::insert(users::user_row(account)?).exec_without_returning(self.db).await?;
        let told = ("created", account.user.username.as_str());
        self.differs(&account.user.id.to_string(), told, None, Some(&account.user)).await?;
        Ok(Outcome::User(account.user.clone()))
    }

    pub(super) async fn set_password(&self, username: &str, password_hash: Secret, one_time: bool) -> Done {
        let found = users::by_name(self.db, username).await?.ok_or(Refused::NotFound("user"))?;
        let user = User { must_change_password: one_time, has_password: true, ..found.user };
        let account = Account { user, password_hash };
        entity::user::Entity::update(users::user_row(&account)?).exec(self.db).await?;
        self.end_sessions(account.user.id).await?;
        self.note(&account.user.id.to_string(), "got a new password", &account.user.username).await?;
        Ok(Outcome::User(account.user))
    }

    pub(super) async fn choose_password(
        &self,
        password_hash: Secret,
        verified: &Secret,
        session: PortalSession,
    ) -> Done {
        let own = self.actor.user.filter(|own| *own == session.user).ok_or(Refused::NotFound("user"))?;
        let found = self.account(own).await?;
        if found.password_hash != *verified {
            return Err(Refused::SignedOut.into());
        }
        let user = User { must_change_password: false, ..found.user };
        let account = Account { user, password_hash };
        entity::user::Entity::update(users::user_row(&account)?).exec(self.db).await?;
        self.end_sessions(own).await?;
        self.open_session(session, &account.password_hash).await?;
        self.note(&own.to_string(), "chose a new password", &account.user.username).await?;
        Ok(Outcome::User(account.user))
    }

    pub(super) async fn change_user(&self, change: ChangeUser) -> Done {
        let found = self.account(change.id).await?;
        let administrators = self.administrators().await?;
        let own = roles::all(self.db).await?;
        let (user, told) = people::change_user(&found.user, &change, &own, self.actor, administrators)?;
        let (was, is) = (found.user.state, user.state);
        let account = Account { user, password_hash: found.password_hash };
        let before = found.user;
        entity::user::Entity::update(users::user_row(&account)?).exec(self.db).await?;
        if is == UserState::Disabled {
            self.end_sessions(account.user.id).await?;
            self.end_tokens(change.subject).await?;
        }
        let subject = account.user.id.to_string();
        self.differs(&subject, ("changed a user", &told), Some(&before), Some(&account.user)).await?;
        if was != is {
            // Gateways learn which keys are refused from now on.
            self.bump().await?;
        }
        Ok(Outcome::User(account.user))
    }

    pub(super) async fn delete_user(
        &self,
        user: UserId,
        based_on: Option<u64>,
        heir: Option<UserId>,
        subject: Mark,
    ) -> Done {
        let Account { user, .. } = self.account(user).await?;
        let owned = self.owned(user.id).await?;
        let heir = match heir {
            None => None,
            Some(heir) => {
                let row = entity::user::Entity::find_by_id(heir.to_string()).one(self.db).await?;
                let unknown =
                    || FieldProblem::new("/applications_to", "unknown_user", "There is no such user.");
                let heir = row.ok_or_else(|| Refused::Invalid(vec![unknown()]))?;
                let heir = users::account(self.db, heir).await?.user;
                let theirs = self.owned(heir.id).await?;
                Some((heir, theirs))
            }
        };
        let administrators = self.administrators().await?;
        let handed = heir.as_ref().map(|(heir, theirs)| (heir, theirs.as_slice()));
        people::delete_user(&user, based_on, self.actor, administrators, &owned, handed)?;
        if let Some((heir, _)) = &heir {
            for application in &owned {
                let etag = application.etag + 1;
                let (owner, owner_name) = (Some(heir.id), heir.username.clone());
                let handed = Application { owner, owner_name, etag, ..application.clone() };
                entity::application::Entity::update(applications::row(&handed)?).exec(self.db).await?;
                let detail = format!("{}: from {} to {}", handed.name, user.username, heir.username);
                let (told, handed) = (("handed over", detail.as_str()), &handed);
                self.differs(&handed.id.to_string(), told, Some(application), Some(handed)).await?;
            }
        }
        self.end_tokens(subject).await?;
        entity::user::Entity::delete_by_id(user.id.to_string()).exec(self.db).await?;
        let action = if user.state == UserState::Waiting {
            "refused somebody who signed up"
        } else {
            "deleted a user"
        };
        let told = (action, user.username.as_str());
        self.differs(&user.id.to_string(), told, Some(&user), None).await?;
        self.bump().await?;
        Ok(Outcome::Done)
    }

    pub(super) async fn open_session(&self, session: PortalSession, verified: &Secret) -> Result<(), Failed> {
        // Who was disabled, or got another password, while the old one was being checked does not get in.
        let owner = entity::user::Entity::find_by_id(session.user.to_string()).one(self.db).await?;
        let owner = owner.filter(|owner| owner.state == UserState::Active.as_str());
        if owner.ok_or(Refused::NotFound("user"))?.password_hash != verified.0 {
            return Err(Refused::SignedOut.into());
        }
        Ok(self.keep_session(session).await?)
    }

    /// Begins a portal session of somebody who may sign in; those that are over make room.
    pub(crate) async fn keep_session(&self, session: PortalSession) -> Result<(), DbErr> {
        let over = entity::portal_session::Column::ExpiresAt.lte(self.now.millis());
        entity::portal_session::Entity::delete_many().filter(over).exec(self.db).await?;
        let row = entity::portal_session::ActiveModel {
            token_hash: Set(session.token_hash.0),
            user_id: Set(session.user.to_string()),
            csrf_token: Set(session.csrf_token.0),
            created_at: Set(session.created_at.millis()),
            expires_at: Set(session.expires_at.millis()),
            id: Set(session.id.to_string()),
            address: Set(session.address.map(|address| address.to_string())),
            browser: Set(session.browser),
            seen_at: Set(session.seen_at.millis()),
        };
        entity::portal_session::Entity::insert(row).exec_without_returning(self.db).await?;
        Ok(())
    }

    pub(super) async fn end_portal_sessions(&self, end: EndPortalSessions) -> Result<(), Failed> {
        use entity::portal_session::{Column, Entity};
        people::end_portal_sessions(end.user, self.actor)?;
        let Account { user, .. } = self.account(end.user).await?;
        let mut which = Condition::all().add(Column::UserId.eq(user.id.to_string()));
        which = match end.which {
            WhichSessions::One(one) => which.add(Column::Id.eq(one.to_string())),
            WhichSessions::AllBut(Some(kept)) => which.add(Column::Id.ne(kept.to_string())),
            WhichSessions::AllBut(None) => which,
        };
        let ended = Entity::delete_many().filter(which).exec(self.db).await?.rows_affected;
        match end.which {
            WhichSessions::One(_) if ended == 0 => return Err(Refused::NotFound("portal session").into()),
            _ if ended == 0 => return Ok(()),
            _ => {}
        }
        let noun = if ended == 1 { "portal session" } else { "portal sessions" };
        let told = format!("{}: {ended} {noun}", user.username);
        Ok(self.note(&user.id.to_string(), "signed out elsewhere", &told).await?)
    }

    pub(crate) async fn account(&self, user: UserId) -> Result<Account, Failed> {
        let row = entity::user::Entity::find_by_id(user.to_string()).one(self.db).await?;
        Ok(users::account(self.db, row.ok_or(Refused::NotFound("user"))?).await?)
    }

    async fn end_sessions(&self, user: UserId) -> Result<(), Failed> {
        let theirs = entity::portal_session::Column::UserId.eq(user.to_string());
        entity::portal_session::Entity::delete_many().filter(theirs).exec(self.db).await?;
        Ok(())
    }

    /// Ends the access tokens that speak for a person.
    async fn end_tokens(&self, subject: Mark) -> Result<(), Failed> {
        let until = revocations::all_over(self.now);
        Ok(revocations::keep(self.db, self.now, &[Revoked::Subject(subject)], until).await?)
    }

    async fn owned(&self, user: UserId) -> Result<Vec<Application>, Failed> {
        let theirs = entity::application::Column::Owner.eq(user.to_string());
        let rows = entity::application::Entity::find().filter(theirs).all(self.db).await?;
        Ok(rows.iter().map(|row| parsed(&row.body)).collect::<Result<_, _>>()?)
    }

    /// How many people administer the product who may sign in with a password.
    pub(crate) async fn administrators(&self) -> Result<u64, Failed> {
        use entity::user::{Column, Entity};
        let active = Entity::find().filter(Column::State.eq(UserState::Active.as_str()));
        let with_password = active.filter(Column::PasswordHash.ne(""));
        Ok(with_password.filter(users::holds_one_of([&Role::Admin.into()])).count(self.db).await?)
    }
}

/// The users whose keys gateways and the authorization server do not know, as the application rows name them.
pub(crate) async fn disabled(
    connection: &impl sea_orm::ConnectionTrait,
) -> Result<Vec<UserId>, sea_orm::DbErr> {
    let off = entity::user::Column::State.ne(UserState::Active.as_str());
    let rows = entity::user::Entity::find().filter(off).all(connection).await?;
    rows.iter().map(|row| id(&row.id)).collect()
}
