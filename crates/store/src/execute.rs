//! Executing commands: load what is named, let `model::decide` decide, write the decision and its audit entry.
//!
//! Everything here runs within the savepoint that the writer opened; an error leaves nothing behind. Unique columns
//! stand behind the decisions, for what two processes could do at once.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DatabaseTransaction, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, SqlErr,
};
use serde::Serialize;
use tidegate_model::{
    api::{Api, Change},
    application::{Application, Subscription},
    audit::Kind,
    command::{Command, CreateApplication, CreateSubscription, Outcome, Refused, UpdateApplication},
    decide::{self, Decision, SubscriptionEffect, folded},
    id::{ApiId, ApplicationId, SubscriptionId, TokenId},
    policy::PolicyKind,
    revocation::Revoked,
    role::Permission,
    rule::{self, FieldProblem},
    signing_key,
    time::Timestamp,
    user::Actor,
};
use tidegate_oauth::mark;

use crate::{
    apis, applications,
    audit::{self, Kept},
    entity, issuers, policies,
    reads::{SNAPSHOT_NUMBER, id, next_number, written},
    revocations, roles, users,
    vault::Vault,
    writer::Failed,
};

mod authorizations;
mod keys;
mod people;
mod revoke;
pub(crate) mod sign_up;

pub(crate) use people::disabled;

pub(crate) type Done = Result<Outcome, Failed>;

/// What a command works with.
pub(crate) struct At<'a> {
    pub(crate) db: &'a DatabaseTransaction,
    pub(crate) vault: &'a Vault,
    pub(crate) actor: &'a Actor,
    pub(crate) now: Timestamp,
    /// What entries of the audit log are about.
    pub(crate) kind: Kind,
}

pub(crate) async fn execute(
    db: &DatabaseTransaction,
    vault: &Vault,
    actor: &Actor,
    now: Timestamp,
    command: Command,
) -> Done {
    let at = At { db, vault, actor, now, kind: Kind::of(&command) };
    let done = match command {
        Command::CreateApi(_)
        | Command::UpdateApi(_)
        | Command::DeleteApi { .. }
        | Command::MoveApi(_)
        | Command::DeployApi { .. }
        // Whole APIs are held across its waits; other commands need not carry the room for them.
        | Command::CreateVersion(_) => Box::pin(at.change_api(command)).await,
        Command::CreateApplication(create) => at.create_application(create).await,
        Command::UpdateApplication(update) => at.update_application(update).await.map(Outcome::Application),
        Command::DeleteApplication { id } => at.delete_application(id).await,
        Command::CreateKey(_)
        | Command::UpdateKey(_)
        | Command::ReplaceSecret { .. }
        | Command::DeleteKey { .. } => at.change_key(command).await,
        Command::CreateApiKey(_) | Command::ReplaceApiKey { .. } | Command::DeleteApiKey { .. } => {
            at.change_api_key(command).await
        }
        Command::Registration(change) => Box::pin(at.change_registration(change)).await,
        Command::AddCertificate(_) | Command::DeleteCertificate { .. } => at.change_certificate(command).await,
        Command::CreateSubscription(create) => at.create_subscription(create).await,
        Command::DeleteSubscription { id } => {
            let row = entity::subscription::Entity::find_by_id(id.to_string()).one(db).await?;
            let row = row.ok_or(Refused::NotFound("subscription"))?;
            let found = applications::subscription(&row)?;
            at.own_application(found.application).await.map_err(|failed| match failed {
                Failed::Refused(Refused::NotFound(_)) => Refused::NotFound("subscription").into(),
                other => other,
            })?;
            entity::subscription::Entity::delete_by_id(row.id).exec(db).await?;
            at.differs(&found.api.to_string(), ("ended a subscription", &found.plan), Some(&found), None).await?;
            at.bump().await?;
            Ok(Outcome::Done)
        }
        Command::Authorize(_)
        | Command::KeepDeviceCode(_)
        | Command::AllowDevice(_)
        | Command::DenyDevice(_)
        | Command::RedeemCode(_)
        | Command::Renew(_)
        | Command::EndAuthorization(_)
        | Command::Withdraw(_)
        | Command::KeepAccessToken(_)
        | Command::UseAssertion { .. }
        | Command::EndAccessToken { .. } => at.change_authorization(command).await,
        Command::CreateDenyRule(_) | Command::ChangeDenyRule(_) | Command::DeleteDenyRule { .. } => {
            at.change_deny_rule(command).await
        }
        Command::CreatePolicy(..)
        | Command::ChangePolicy(_)
        | Command::DeletePolicy { .. }
        | Command::ImportPolicies(_) => Box::pin(at.change_policy(command)).await,
        Command::CustomRule(change) => Box::pin(at.change_custom_rule(change)).await,
        Command::ChangeRole(change) => Box::pin(at.change_role(change)).await,
        Command::Alert(change) => at.change_alerts(change).await,
        Command::KeepTicket(_) | Command::RedeemTicket { .. } => at.change_ticket(command).await,
        Command::CreateProvider(_)
        | Command::UpdateProvider(_)
        | Command::DeleteProvider { .. }
        | Command::Arrive(_) => Box::pin(at.change_provider(command)).await,
        Command::ChangeSignUp(change) => at.change_sign_up(change).await,
        Command::AskForAccount(asked) => at.ask_for_account(asked).await,
        Command::Revoke(revoke) => at.revoke(&revoke).await,
        Command::CreateKeyManager(_)
        | Command::UpdateKeyManager(_)
        | Command::DeleteKeyManager { .. }
        | Command::StoreFetchedKeys(_)
        | Command::ProvideKey(_)
        | Command::WithdrawKey { .. } => Box::pin(at.change_issuer(command)).await,
        other => at.change_account(other).await,
    };
    done.map_err(constrained)
}

/// A column refused what the decision allowed: another process was quicker, or who signs in is not there any more.
fn constrained(failed: Failed) -> Failed {
    let Failed::Database(error) = failed else { return failed };
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            let problem =
                FieldProblem::new("", "duplicate", "Something with this name was made at the same moment.");
            Refused::Duplicate(problem).into()
        }
        // Only portal sessions and tokens name something that was not loaded before: their user.
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => Refused::NotFound("user").into(),
        _ => Failed::Database(error),
    }
}

impl At<'_> {
    /// An entry of the audit log.
    pub(crate) fn told(&self, action: &str, detail: &str) -> Change {
        let by = self.actor.name.clone();
        Change { at: self.now, by, action: action.to_owned(), detail: detail.to_owned() }
    }

    pub(crate) fn needs(&self, permission: Permission) -> Result<(), Refused> {
        if self.actor.may(permission) { Ok(()) } else { Err(Refused::Forbidden(permission)) }
    }

    async fn note(&self, subject: &str, action: &str, detail: &str) -> Result<(), DbErr> {
        self.kept_as(subject, &self.told(action, detail), None, None).await
    }

    /// An entry of the audit log with records before and after, which hold no secret any more.
    pub(crate) async fn kept_as(
        &self,
        object: &str,
        change: &Change,
        before: Option<String>,
        after: Option<String>,
    ) -> Result<(), DbErr> {
        let (action, detail) = (change.action.as_str(), change.detail.as_str());
        let (at, actor, kind) = (self.now, self.actor, self.kind);
        audit::keep(self.db, Kept { at, actor, kind, object, action, detail, before, after }).await
    }

    /// The same for a record that differs, or that is only on one side.
    pub(crate) async fn differs<T: Serialize>(
        &self,
        object: &str,
        (action, detail): (&str, &str),
        before: Option<&T>,
        after: Option<&T>,
    ) -> Result<(), DbErr> {
        let (before, after) = (before.map(written).transpose()?, after.map(written).transpose()?);
        self.kept_as(object, &self.told(action, detail), before, after).await
    }

    /// A note about a change that gateways have to notice.
    pub(crate) async fn noticed(&self, subject: &str, action: &str, detail: &str) -> Result<(), DbErr> {
        self.note(subject, action, detail).await?;
        self.bump().await
    }

    pub(crate) async fn bump(&self) -> Result<(), DbErr> {
        next_number(self.db, SNAPSHOT_NUMBER).await.map(drop)
    }

    pub(crate) async fn api(&self, id: ApiId) -> Result<Api, Failed> {
        apis::find(self.db, self.vault, id).await?.ok_or_else(|| Refused::NotFound("API").into())
    }

    async fn change_api(&self, command: Command) -> Done {
        let (db, actor, now) = (self.db, self.actor, self.now);
        match command {
            Command::CreateApi(create) => {
                let context = rule::normal_context(&create.context);
                let neighbours =
                    apis::neighbours(db, self.vault, &create.name, &context, &create.version).await?;
                let known = policies::known(db).await?;
                let decided = decide::create_api(&create, actor, now, &neighbours, known.as_ref())?;
                decide::known_issuers(&create.design, &issuers::names(db, self.vault).await?)?;
                decide::roles::known_to_scopes(&create.design, &roles::all(db).await?)?;
                self.write(None, decided).await
            }
            Command::UpdateApi(update) => {
                let api = self.api(update.id).await?;
                let siblings = apis::siblings(db, self.vault, &api).await?;
                let known = policies::known(db).await?;
                let decided = decide::update_api(&api, &update, actor, now, &siblings, known.as_ref())?;
                decide::known_issuers(&update.design, &issuers::names(db, self.vault).await?)?;
                decide::roles::known_to_scopes(&update.design, &roles::all(db).await?)?;
                self.write(Some(&api), decided).await
            }
            Command::MoveApi(step) => {
                let api = self.api(step.id).await?;
                let siblings = apis::siblings(db, self.vault, &api).await?;
                let decided = decide::move_api(&api, &step, actor, now, &siblings)?;
                self.write(Some(&api), decided).await
            }
            Command::DeployApi { id, based_on } => {
                let api = self.api(id).await?;
                let siblings = apis::siblings(db, self.vault, &api).await?;
                let decided = decide::deploy_api(&api, based_on, actor, now, &siblings)?;
                let revision = decided.revision.clone();
                self.write(Some(&api), decided).await?;
                let revision =
                    revision.ok_or_else(|| DbErr::Custom("a deployment without revision".to_owned()))?;
                Ok(Outcome::Revision(Box::new(revision)))
            }
            Command::CreateVersion(create) => {
                let source = self.api(create.source).await?;
                let mut versions = apis::siblings(db, self.vault, &source).await?;
                versions.push(source.clone());
                versions.extend(
                    apis::neighbours(db, self.vault, &source.name, &source.context, &create.version).await?,
                );
                versions.sort_by_key(|api| api.id);
                versions.dedup_by_key(|api| api.id);
                let decided = decide::create_version(&source, &create, actor, now, &versions)?;
                self.write(None, decided).await
            }
            Command::DeleteApi { id, based_on } => {
                let api = self.api(id).await?;
                let subscribed = entity::subscription::Column::ApiId.eq(id.to_string());
                let subscriptions = entity::subscription::Entity::find().filter(subscribed).count(db).await?;
                decide::delete_api(&api, based_on, actor, subscriptions)?;
                entity::api::Entity::delete_by_id(id.to_string()).exec(db).await?;
                let told = format!("{} {}", api.name, api.version);
                self.differs(&id.to_string(), ("deleted", &told), Some(&api.redacted()), None).await?;
                self.bump().await?;
                Ok(Outcome::Done)
            }
            _ => Err(DbErr::Custom("not a change to an API".to_owned()).into()),
        }
    }

    async fn write(&self, before: Option<&Api>, decided: Decision) -> Done {
        let db = self.db;
        // The default flag moves: those who lose it are written first.
        for (sibling, change) in &decided.siblings {
            let was = apis::find(db, self.vault, sibling.id)
                .await?
                .map(|api| written(&api.redacted()))
                .transpose()?;
            entity::api::Entity::update(apis::row(self.vault, sibling)?).exec(db).await?;
            let is = Some(written(&sibling.redacted())?);
            self.kept_as(&sibling.id.to_string(), change, was, is).await?;
        }
        if before.is_some() {
            entity::api::Entity::update(apis::row(self.vault, &decided.api)?).exec(db).await?;
        } else {
            entity::api::Entity::insert(apis::row(self.vault, &decided.api)?)
                .exec_without_returning(db)
                .await?;
        }
        if let Some(revision) = &decided.revision {
            apis::keep_revision(db, self.vault, decided.api.id, revision).await?;
        }
        for (api, moved) in &decided.moves {
            apis::keep_move(db, *api, moved).await?;
        }
        self.write_subscriptions(&decided).await?;
        let was = before.map(|api| written(&api.redacted())).transpose()?;
        let is = written(&decided.api.redacted())?;
        self.kept_as(&decided.api.id.to_string(), &decided.change, was, Some(is)).await?;
        self.bump().await?;
        Ok(Outcome::Api(Box::new(decided.api)))
    }

    async fn write_subscriptions(&self, decided: &Decision) -> Result<(), Failed> {
        use entity::subscription::{Column, Entity};
        let db = self.db;
        let of = |api: ApiId| Column::ApiId.eq(api.to_string());
        match decided.subscriptions {
            SubscriptionEffect::Keep => {}
            SubscriptionEffect::EndAll => {
                Entity::delete_many().filter(of(decided.api.id)).exec(db).await?;
            }
            SubscriptionEffect::CopyFrom(source) => {
                let there = Entity::find().filter(of(decided.api.id)).all(db).await?;
                let served = decided.api.live.as_ref().map_or(&[][..], |live| &live.design.plans);
                for row in Entity::find().filter(of(source)).all(db).await? {
                    let offered = served.contains(&row.plan);
                    if !offered || there.iter().any(|other| other.application_id == row.application_id) {
                        continue;
                    }
                    let copied = entity::subscription::ActiveModel {
                        id: Set(derived_id(&row.id, decided.api.id, self.now)?.to_string()),
                        application_id: Set(row.application_id),
                        api_id: Set(decided.api.id.to_string()),
                        plan: Set(row.plan),
                        created_at: Set(self.now.millis()),
                    };
                    Entity::insert(copied).exec_without_returning(db).await?;
                }
            }
        }
        Ok(())
    }

    pub(crate) async fn own_application(&self, id: ApplicationId) -> Result<Application, Failed> {
        let found = applications::find(self.db, id).await?.filter(|application| match application.owner {
            Some(owner) => self.actor.owns(owner),
            None => self.actor.may(Permission::Administer),
        });
        found.ok_or_else(|| Refused::NotFound("application").into())
    }

    async fn application_rules(&self, application: &Application) -> Result<(), Failed> {
        use entity::application::Column;
        let mut problems = Vec::new();
        rule::application(&application.name, &application.description, &mut problems);
        let known = policies::names(self.db, PolicyKind::Application).await?;
        if !known.contains(&application.policy) {
            let detail = format!("Choose one of: {}.", known.join(", "));
            problems.push(FieldProblem::new("/policy", "unknown_policy", detail));
        }
        if !problems.is_empty() {
            return Err(Refused::Invalid(problems).into());
        }
        let twin = entity::application::Entity::find()
            .filter(Column::Owner.eq(application.owner.map(|owner| owner.to_string()).unwrap_or_default()))
            .filter(Column::NameKey.eq(folded(&application.name)))
            .filter(Column::Id.ne(application.id.to_string()))
            .one(self.db)
            .await?;
        if twin.is_some() {
            let detail = format!("You have an application named “{}” already.", application.name);
            return Err(Refused::Duplicate(FieldProblem::new("/name", "duplicate", detail)).into());
        }
        Ok(())
    }

    async fn create_application(&self, create: CreateApplication) -> Done {
        if !self.actor.may(Permission::AppManage) {
            return Err(Refused::Forbidden(Permission::AppManage).into());
        }
        let application = Application {
            id: create.id,
            name: create.name,
            description: create.description,
            policy: create.policy,
            owner: self.actor.user,
            owner_name: self.actor.name.clone(),
            demo: create.demo,
            registered_by: None,
            created_at: self.now,
            etag: 1,
        };
        self.add_application(application).await.map(Outcome::Application)
    }

    pub(crate) async fn add_application(&self, application: Application) -> Result<Application, Failed> {
        self.application_rules(&application).await?;
        entity::application::Entity::insert(applications::row(&application)?)
            .exec_without_returning(self.db)
            .await?;
        let told = ("created", application.name.as_str());
        self.differs(&application.id.to_string(), told, None, Some(&application)).await?;
        self.bump().await?;
        Ok(application)
    }

    pub(crate) async fn update_application(&self, update: UpdateApplication) -> Result<Application, Failed> {
        let before = self.own_application(update.id).await?;
        decide::not_stale(before.etag, update.based_on)?;
        let application = Application {
            name: update.name,
            description: update.description,
            policy: update.policy,
            etag: before.etag + 1,
            ..before.clone()
        };
        self.application_rules(&application).await?;
        entity::application::Entity::update(applications::row(&application)?).exec(self.db).await?;
        let told = ("changed", application.name.as_str());
        self.differs(&application.id.to_string(), told, Some(&before), Some(&application)).await?;
        self.bump().await?;
        Ok(application)
    }

    pub(crate) async fn delete_application(&self, id: ApplicationId) -> Done {
        let application = self.own_application(id).await?;
        entity::application::Entity::delete_by_id(id.to_string()).exec(self.db).await?;
        let told = ("deleted", application.name.as_str());
        self.differs(&id.to_string(), told, Some(&application), None).await?;
        self.bump().await?;
        Ok(Outcome::Done)
    }

    async fn create_subscription(&self, create: CreateSubscription) -> Done {
        use entity::subscription::Column;
        let missing = |noun| Failed::from(Refused::NotFound(noun));
        let application = applications::find(self.db, create.application).await?;
        let application = application.ok_or_else(|| missing("application"))?;
        let api = apis::find(self.db, self.vault, create.api).await?.ok_or_else(|| missing("API"))?;
        let twin = entity::subscription::Entity::find()
            .filter(Column::ApplicationId.eq(create.application.to_string()))
            .filter(Column::ApiId.eq(create.api.to_string()))
            .one(self.db)
            .await?;
        let terms = policies::terms(self.db, &create.plan).await?;
        decide::create_subscription(&create, self.actor, &application, &api, twin.is_some(), &terms)?;
        let subscription = Subscription {
            id: create.id,
            application: create.application,
            api: create.api,
            plan: create.plan,
            created_at: self.now,
        };
        let row = applications::subscription_row(&subscription);
        entity::subscription::Entity::insert(row).exec_without_returning(self.db).await?;
        let detail = format!("{} under {}", application.name, subscription.plan);
        self.differs(&api.id.to_string(), ("subscribed", &detail), None, Some(&subscription)).await?;
        self.bump().await?;
        Ok(Outcome::Subscription(subscription))
    }

    async fn change_account(&self, command: Command) -> Done {
        let db = self.db;
        match command {
            Command::CreateUser(account) => return self.create_user(&account).await,
            Command::ChangeUser(change) => return self.change_user(change).await,
            Command::DeleteUser { id, based_on, heir, subject } => {
                return self.delete_user(id, based_on, heir, subject).await;
            }
            Command::SetPassword { username, password_hash, one_time } => {
                return self.set_password(&username, password_hash, one_time).await;
            }
            Command::ChoosePassword { password_hash, verified, session } => {
                return self.choose_password(password_hash, &verified, session).await;
            }
            Command::OpenPortalSession { session, verified } => {
                let user = session.user.to_string();
                self.open_session(session, &verified).await?;
                self.note(&user, "signed in", "").await?;
            }
            Command::ClosePortalSession { token_hash } => {
                let row = entity::portal_session::Entity::find_by_id(token_hash.0).one(db).await?;
                if let Some(row) = row {
                    entity::portal_session::Entity::delete_by_id(row.token_hash).exec(db).await?;
                    self.note(&row.user_id, "signed out", "").await?;
                }
            }
            Command::EndPortalSessions(end) => self.end_portal_sessions(end).await?,
            Command::KeepSeen(seen) => {
                for (presented, at) in &seen {
                    users::keep_seen(db, presented, *at).await?;
                }
            }
            Command::KeepAudit(kept) => {
                for (attempt, times) in &kept.attempts {
                    audit::count(db, attempt, *times).await?;
                }
                if kept.forget {
                    audit::forget(db, self.now).await?;
                }
            }
            Command::CreateToken { token, token_hash, session } => {
                if let Some(session) = &session {
                    users::is_signed_in(db, session, token.user, self.now).await?;
                }
                let row = entity::token::ActiveModel {
                    id: Set(token.id.to_string()),
                    token_hash: Set(token_hash.0),
                    user_id: Set(token.user.to_string()),
                    name: Set(token.name.clone()),
                    created_at: Set(token.created_at.millis()),
                    expires_at: Set(token.expires_at.map(Timestamp::millis)),
                    seen_at: Set(None),
                    scopes: Set(token.scopes.as_ref().map(written).transpose()?),
                };
                entity::token::Entity::insert(row).exec_without_returning(db).await?;
                self.note(&token.user.to_string(), "made a personal access token", &token.name).await?;
            }
            Command::DeleteToken { id } => {
                self.delete_token(id).await?;
            }
            other => return self.change_signing_keys(other).await,
        }
        Ok(Outcome::Done)
    }

    async fn delete_token(&self, id: TokenId) -> Result<(), Failed> {
        let db = self.db;
        let row = entity::token::Entity::find_by_id(id.to_string()).one(db).await?;
        let own =
            |row: &entity::token::Model| self.actor.user.is_some_and(|user| user.to_string() == row.user_id);
        let row = row.filter(own).ok_or(Refused::NotFound("token"))?;
        entity::token::Entity::delete_by_id(row.id).exec(db).await?;
        // Sessions of tickets that were bought with it live no longer than an access token.
        let what = Revoked::Grant(mark::personal_token(&id.to_string()).into());
        revocations::keep(db, self.now, &[what], revocations::all_over(self.now)).await?;
        self.note(&row.user_id, "deleted a personal access token", &row.name).await?;
        Ok(())
    }

    async fn change_signing_keys(&self, command: Command) -> Done {
        const ISSUER: &str = "authorization server";
        let db = self.db;
        match command {
            Command::StoreSigningKey(key) => {
                let kid = key.kid.clone();
                users::keep_signing_key(db, self.vault, key).await?;
                self.noticed(ISSUER, "made a signing key", &kid).await?;
            }
            Command::RotateSigningKey(key) => {
                signing_key::rotate(&key, &users::signing_keys(db, self.vault).await?, self.actor, self.now)?;
                let detail =
                    format!("{} ({}) signs from {}", key.kid, key.algorithm, key.signs_from.rfc3339());
                users::keep_signing_key(db, self.vault, key).await?;
                self.noticed(ISSUER, "rotated the signing key", &detail).await?;
            }
            Command::RemoveSigningKey { kid, successor } => {
                let keys = users::signing_keys(db, self.vault).await?;
                let signs = signing_key::remove(&kid, successor.as_ref(), &keys, self.actor, self.now)?;
                entity::signing_key::Entity::delete_by_id(&kid).exec(db).await?;
                let successor = successor.filter(|_| signs);
                let follows = successor.as_ref().map(|key| format!("; {} signs now", key.kid));
                let detail = format!("{kid}{}", follows.unwrap_or_default());
                if let Some(key) = successor {
                    users::keep_signing_key(db, self.vault, key).await?;
                }
                self.noticed(ISSUER, "removed a signing key", &detail).await?;
            }
            _ => return Err(DbErr::Custom("a command without a place".to_owned()).into()),
        }
        Ok(Outcome::Done)
    }
}

/// The id of a copied subscription: the same copy at the same time has the same id, ids of one API do not collide,
/// and, as of all subscriptions, their order is the order of creation.
fn derived_id(source: &str, api: ApiId, now: Timestamp) -> Result<SubscriptionId, DbErr> {
    let source: SubscriptionId = id(source)?;
    let (source, api) = (source.0.into_bytes(), api.0.into_bytes());
    // What follows the time in an id of version 7 is what differs between two of them.
    Ok(SubscriptionId::new(now, std::array::from_fn(|place| source[place + 6] ^ api[place + 6])))
}
