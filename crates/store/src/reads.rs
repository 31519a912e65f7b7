//! The reading half of the catalog: rows to nouns.

use std::{collections::HashSet, sync::Arc};

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, TransactionTrait as _,
    sea_query::{Expr, ExprTrait as _, LikeExpr},
};
use serde::de::DeserializeOwned;
use tidegate_model::{
    alert::{Alert, AlertQuery, AlertSettings, Watch},
    api::{Api, Change, Design, Moved, Revision},
    application::{ApiKey, Application, Certificate, Key, Subscription},
    audit::{AuditQuery, Entry, EntryDetail},
    authorization::{AllowedClient, Authorization, Code, OpaqueToken, RefreshToken},
    command::{Command, Outcome, SigningKeyRecord},
    custom_rule::CustomRule,
    decide::folded,
    deny::DenyRule,
    device::DeviceCode,
    endpoint::Environment,
    fact::{Appended, Batch, Traffic, TrafficOf},
    id::{ApiId, ApplicationId, AuthorizationId, KeyManagerId, ProviderId, SubscriptionId, UserId},
    issuer::{Held, KeyManagerFacts, ProvidedKey},
    lifecycle::State,
    opaque::OpaqueTokenFacts,
    policy::{KeptPolicy, PolicyKind},
    port::{
        ApiQuery, Catalog, CommandError, EventLog, Page, PageRequest, PortError, SubscriptionQuery, UserQuery,
    },
    provider::{Identity, SignInProvider},
    registration::{Registered, RegistrationToken},
    revocation::Revocation,
    role::OwnRole,
    security::Way,
    sign_up::SignUp,
    snapshot::{
        ApiFacts, ApiKeyFacts, ApplicationFacts, CertificateFacts, ClientFacts, ClientSecretFacts,
        SnapshotParts, SubscriptionFacts,
    },
    time::Timestamp,
    usage::{Usage, UsageOf},
    user::{Account, Actor, PersonalToken, PortalSession, Secret, User},
};

use crate::{
    alerts, allowed, apis, applications, audit, authorizations, certificates, cursor, custom_rules,
    deny_rules, device_codes, entity, execute, facts, issuers, policies, providers, registrations,
    revocations, roles, sqlite::SqliteCatalog, usage, users, vault::Vault, writer::trouble,
};

/// Name of the row that counts changes that gateways can notice.
pub(crate) const SNAPSHOT_NUMBER: &str = "snapshot_number";
/// Name of the row that counts access tokens that say nothing by themselves.
pub(crate) const OPAQUE_TOKEN_NUMBER: &str = "opaque_token_number";

/// Counts one more under this name. Answers its number, which nobody else has got or will get.
pub(crate) async fn next_number(db: &impl ConnectionTrait, name: &str) -> Result<i64, DbErr> {
    use entity::meta::{Column, Entity};
    Entity::update_many()
        .col_expr(Column::Value, Expr::col(Column::Value).add(1))
        .filter(Column::Name.eq(name))
        .exec(db)
        .await?;
    let row = Entity::find_by_id(name).one(db).await?;
    row.map(|row| row.value).ok_or_else(|| DbErr::Custom(format!("the database does not count {name}")))
}

pub(crate) fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, DbErr> {
    serde_json::from_str(text).map_err(|error| DbErr::Json(error.to_string()))
}

pub(crate) fn written<T: serde::Serialize>(noun: &T) -> Result<String, DbErr> {
    serde_json::to_string(noun).map_err(|error| DbErr::Json(error.to_string()))
}

pub(crate) fn id<T: std::str::FromStr>(text: &str) -> Result<T, DbErr> {
    text.parse().map_err(|_| DbErr::Type(format!("{text:?} is not an id")))
}

pub(crate) fn environment(word: &str) -> Result<Environment, DbErr> {
    Environment::parse(word).ok_or_else(|| DbErr::Type(format!("{word:?} is no environment")))
}

/// The rows of one page, of which one more than asked for was fetched.
pub(crate) fn page<R, T>(
    mut rows: Vec<R>,
    request: &PageRequest,
    place: impl Fn(&R) -> (String, String),
    noun: impl Fn(&R) -> Result<T, DbErr>,
) -> Result<Page<T>, DbErr> {
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| {
        let (key, id) = place(row);
        cursor::write(&key, &id)
    });
    Ok(Page { items: rows.iter().map(noun).collect::<Result<_, _>>()?, next })
}

/// The text as part of a pattern that means it literally, with `\` as the escape.
pub(crate) fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// The pattern of texts that contain the word, whatever characters it has.
pub(crate) fn containing(word: &str) -> String {
    format!("%{}%", literal(word))
}

/// An API as gateways know it: one that is live, or one that was retired, which has nothing but its name and address.
fn api_facts(api: Api) -> Option<ApiFacts> {
    let is_retired = api.state == State::Retired;
    let (revision, design) = match api.live {
        Some(live) if !is_retired => (live.revision, live.design),
        _ if is_retired => (api.revisions, Design::default()),
        _ => return None,
    };
    Some(ApiFacts {
        id: api.id,
        name: api.name,
        context: api.context,
        version: api.version,
        state: api.state,
        is_default_version: api.is_default_version,
        revision,
        endpoints: design.endpoints,
        protocol: design.protocol,
        notice: design.notice,
        headers: design.headers,
        mappings: design.mappings,
        topics: design.topics,
        scopes: design.scopes,
        security: design.security,
        issuers: design.issuers,
        api_policy: design.api_policy,
    })
}

fn api_key_facts(key: ApiKey) -> ApiKeyFacts {
    let ApiKey { id, application, environment, hash, expires_at, addresses, referers, .. } = key;
    ApiKeyFacts { id, hash, application, environment, expires_at, addresses, referers }
}

fn certificate_facts(certificate: Certificate) -> CertificateFacts {
    let Certificate { id, application, environment, thumbprint, begins_at, expires_at, .. } = certificate;
    CertificateFacts { id, thumbprint, application, environment, begins_at, expires_at }
}

async fn snapshot_parts(connection: &impl ConnectionTrait, vault: &Vault) -> Result<SnapshotParts, DbErr> {
    let number = entity::meta::Entity::find_by_id(SNAPSHOT_NUMBER).one(connection).await?;
    let mut parts = SnapshotParts {
        number: number.and_then(|row| u64::try_from(row.value).ok()).unwrap_or_default(),
        plans: policies::facts(connection, PolicyKind::Business).await?,
        application_policies: policies::facts(connection, PolicyKind::Application).await?,
        api_policies: policies::facts(connection, PolicyKind::Api).await?,
        ..SnapshotParts::default()
    };
    for row in entity::api::Entity::find().all(connection).await? {
        let api = apis::opened(vault, &row.body)?;
        parts.apis.extend(api_facts(api));
    }
    let disabled = crate::execute::disabled(connection).await?;
    let mut without_keys = HashSet::new();
    for row in entity::application::Entity::find().all(connection).await? {
        let application: Application = parsed(&row.body)?;
        if application.owner.is_some_and(|owner| disabled.contains(&owner)) {
            without_keys.insert(application.id);
        }
        let Application { id, name, policy, owner, .. } = application;
        parts.applications.push(ApplicationFacts { id, name, policy, owner });
    }
    let takes_passwords = parts.apis.iter().any(|api| api.security.accepts(Way::Basic));
    for row in entity::key::Entity::find().all(connection).await? {
        let key = applications::key(&row)?;
        let (client_id, application, environment) = (key.client_id, key.application, key.environment);
        if without_keys.contains(&application) {
            continue;
        }
        if takes_passwords && key.settings.has_secret() {
            let (client_id, hash) = (client_id.clone(), key.secret_hash);
            parts.client_secrets.push(ClientSecretFacts { client_id, hash });
        }
        parts.clients.push(ClientFacts { client_id, application, environment, key_manager: None });
    }
    for row in entity::api_key::Entity::find().all(connection).await? {
        let key = api_key_facts(parsed(&row.body)?);
        if !without_keys.contains(&key.application) {
            parts.api_keys.push(key);
        }
    }
    for row in entity::certificate::Entity::find().all(connection).await? {
        let certificate = certificate_facts(parsed(&row.body)?);
        if !without_keys.contains(&certificate.application) {
            parts.certificates.push(certificate);
        }
    }
    for key in issuers::provided_keys(connection, None).await? {
        let ProvidedKey { key_manager, client_id, application, environment, .. } = key;
        if without_keys.contains(&application) {
            continue;
        }
        let key_manager = Some(key_manager);
        parts.clients.push(ClientFacts { client_id, application, environment, key_manager });
    }
    let managers = issuers::all(connection, vault).await?;
    let accepted = managers.into_iter().filter(|held| held.manager.trust.enabled);
    parts.key_managers = accepted.map(KeyManagerFacts::from).collect();
    for row in entity::subscription::Entity::find().all(connection).await? {
        let found = applications::subscription(&row)?;
        let Subscription { id, application, api, plan, .. } = found;
        parts.subscriptions.push(SubscriptionFacts { id, application, api, plan });
    }
    parts.deny_rules = deny_rules::facts(connection).await?;
    parts.custom_rules = custom_rules::facts(connection).await?;
    Ok(parts)
}

#[derive(FromQueryResult)]
struct Counted {
    api_id: String,
    subscriptions: i64,
}

#[async_trait::async_trait]
impl Catalog for SqliteCatalog {
    async fn execute(
        &self,
        actor: &Actor,
        now: Timestamp,
        command: Command,
    ) -> Result<Outcome, CommandError> {
        let (actor, vault) = (actor.clone(), Arc::clone(&self.vault));
        let done = self.writer.execute(move |savepoint| {
            Box::pin(async move { crate::execute::execute(savepoint, &vault, &actor, now, command).await })
        });
        Ok(done.await?)
    }

    async fn api(&self, id: ApiId) -> Result<Option<Api>, PortError> {
        apis::find(&self.readers, &self.vault, id).await.map_err(trouble)
    }

    async fn apis(&self, query: &ApiQuery, request: &PageRequest) -> Result<Page<Api>, PortError> {
        use entity::api::Column;
        let mut condition = Condition::all().add(cursor::after(
            cursor::read(request.cursor.as_deref()),
            Column::NameKey,
            Column::Id,
        ));
        for word in folded(&query.text).split_whitespace() {
            let pattern = || LikeExpr::new(containing(word)).escape('\\');
            let contains = Condition::any()
                .add(Expr::col(Column::NameKey).like(pattern()))
                .add(Expr::col(Column::ContextKey).like(pattern()))
                .add(Expr::col(Column::PathKey).like(pattern()));
            condition = condition.add(contains);
        }
        if !query.states.is_empty() {
            condition = condition.add(Column::State.is_in(query.states.iter().map(|state| state.as_str())));
        }
        let rows = entity::api::Entity::find()
            .filter(condition)
            .order_by_asc(Column::NameKey)
            .order_by_asc(Column::Id)
            .limit(u64::from(request.limit) + 1)
            .all(&self.readers)
            .await
            .map_err(trouble)?;
        let noun = |row: &entity::api::Model| apis::opened(&self.vault, &row.body);
        page(rows, request, |row| (row.name_key.clone(), row.id.clone()), noun).map_err(trouble)
    }

    async fn revisions(&self, api: ApiId) -> Result<Vec<Revision>, PortError> {
        // One read transaction, so that what is live and the revisions belong together.
        let transaction = self.readers.begin().await.map_err(trouble)?;
        apis::revisions(&transaction, &self.vault, api).await.map_err(trouble)
    }

    async fn moves(&self, api: ApiId) -> Result<Vec<Moved>, PortError> {
        apis::moves(&self.readers, api).await.map_err(trouble)
    }

    async fn audit(&self, query: &AuditQuery, request: &PageRequest) -> Result<Page<Entry>, PortError> {
        audit::list(&self.readers, query, request).await.map_err(trouble)
    }

    async fn audit_entry(&self, number: u64) -> Result<Option<EntryDetail>, PortError> {
        audit::one(&self.readers, number).await.map_err(trouble)
    }

    async fn changes(&self, api: ApiId, limit: u32) -> Result<Vec<Change>, PortError> {
        apis::changes(&self.readers, api, limit).await.map_err(trouble)
    }

    async fn application(&self, id: ApplicationId) -> Result<Option<Application>, PortError> {
        applications::find(&self.readers, id).await.map_err(trouble)
    }

    async fn applications(
        &self,
        owner: Option<UserId>,
        request: &PageRequest,
    ) -> Result<Page<Application>, PortError> {
        use entity::application::Column;
        let place = cursor::read(request.cursor.as_deref());
        let mut condition = Condition::all().add(cursor::after(place, Column::NameKey, Column::Id));
        if let Some(owner) = owner {
            condition = condition.add(Column::Owner.eq(owner.to_string()));
        }
        let rows = entity::application::Entity::find()
            .filter(condition)
            .order_by_asc(Column::NameKey)
            .order_by_asc(Column::Id)
            .limit(u64::from(request.limit) + 1)
            .all(&self.readers)
            .await
            .map_err(trouble)?;
        page(rows, request, |row| (row.name_key.clone(), row.id.clone()), |row| parsed(&row.body))
            .map_err(trouble)
    }

    async fn keys(&self, application: ApplicationId) -> Result<Vec<Key>, PortError> {
        applications::keys(&self.readers, application).await.map_err(trouble)
    }

    async fn key(&self, client_id: &str) -> Result<Option<Key>, PortError> {
        let row = entity::key::Entity::find_by_id(client_id).one(&self.readers).await.map_err(trouble)?;
        let Some(key) = row.map(|row| applications::key(&row)).transpose().map_err(trouble)? else {
            return Ok(None);
        };
        let application = applications::find(&self.readers, key.application).await.map_err(trouble)?;
        let owner = application.and_then(|application| application.owner);
        let is_served = users::is_served(&self.readers, owner).await.map_err(trouble)?;
        Ok(Some(key).filter(|_| is_served))
    }

    async fn registration_tokens(&self) -> Result<Vec<RegistrationToken>, PortError> {
        registrations::tokens(&self.readers).await.map_err(trouble)
    }

    async fn registration_token(&self, hash: &Secret) -> Result<Option<RegistrationToken>, PortError> {
        registrations::token(&self.readers, hash).await.map_err(trouble)
    }

    async fn registered(&self, client_id: &str) -> Result<Option<Registered>, PortError> {
        let Some(found) = registrations::registered(&self.readers, client_id).await.map_err(trouble)? else {
            return Ok(None);
        };
        let is_served = users::is_served(&self.readers, found.application.owner).await.map_err(trouble)?;
        Ok(Some(found).filter(|_| is_served))
    }

    async fn api_keys(&self, application: ApplicationId) -> Result<Vec<ApiKey>, PortError> {
        applications::api_keys(&self.readers, application).await.map_err(trouble)
    }

    async fn certificates(&self, application: ApplicationId) -> Result<Vec<Certificate>, PortError> {
        certificates::of_application(&self.readers, application).await.map_err(trouble)
    }

    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, PortError> {
        let found = entity::subscription::Entity::find_by_id(id.to_string()).one(&self.readers).await;
        found.map_err(trouble)?.map(|row| applications::subscription(&row)).transpose().map_err(trouble)
    }

    async fn subscriptions(
        &self,
        query: SubscriptionQuery,
        request: &PageRequest,
    ) -> Result<Page<Subscription>, PortError> {
        use entity::subscription::Column;
        // Ids are UUIDs of version 7: their order is the order of creation.
        let place = cursor::read(request.cursor.as_deref());
        let mut condition = Condition::all();
        if let Some((_, last)) = place {
            condition = condition.add(Column::Id.gt(last));
        }
        if let Some(application) = query.application {
            condition = condition.add(Column::ApplicationId.eq(application.to_string()));
        }
        if let Some(api) = query.api {
            condition = condition.add(Column::ApiId.eq(api.to_string()));
        }
        if let Some(owner) = query.owner {
            let owned = sea_orm::sea_query::Query::select()
                .column(entity::application::Column::Id)
                .from(entity::application::Entity)
                .and_where(entity::application::Column::Owner.eq(owner.to_string()))
                .to_owned();
            condition = condition.add(Column::ApplicationId.in_subquery(owned));
        }
        let rows = entity::subscription::Entity::find()
            .filter(condition)
            .order_by_asc(Column::Id)
            .limit(u64::from(request.limit) + 1)
            .all(&self.readers)
            .await
            .map_err(trouble)?;
        page(rows, request, |row| (String::new(), row.id.clone()), applications::subscription)
            .map_err(trouble)
    }

    async fn subscription_counts(&self) -> Result<Vec<(ApiId, u64)>, PortError> {
        use entity::subscription::Column;
        let rows = entity::subscription::Entity::find()
            .select_only()
            .column(Column::ApiId)
            .column_as(Column::Id.count(), "subscriptions")
            .group_by(Column::ApiId)
            .into_model::<Counted>()
            .all(&self.readers)
            .await
            .map_err(trouble)?;
        rows.iter()
            .map(|row| Ok((id(&row.api_id)?, u64::try_from(row.subscriptions).unwrap_or_default())))
            .collect::<Result<_, _>>()
            .map_err(trouble)
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, PortError> {
        let row =
            entity::user::Entity::find_by_id(id.to_string()).one(&self.readers).await.map_err(trouble)?;
        let Some(row) = row else { return Ok(None) };
        users::account(&self.readers, row).await.map(|account| Some(account.user)).map_err(trouble)
    }

    async fn users(&self, query: &UserQuery, request: &PageRequest) -> Result<Page<User>, PortError> {
        users::list(&self.readers, query, request).await.map_err(trouble)
    }

    async fn account(&self, username: &str) -> Result<Option<Account>, PortError> {
        users::by_name(&self.readers, username).await.map_err(trouble)
    }

    async fn sign_in_provider(&self, id: ProviderId) -> Result<Option<SignInProvider>, PortError> {
        providers::find(&self.readers, &self.vault, id).await.map_err(trouble)
    }

    async fn sign_in_providers(&self) -> Result<Vec<SignInProvider>, PortError> {
        providers::all(&self.readers, &self.vault).await.map_err(trouble)
    }

    async fn identities(&self, user: UserId) -> Result<Vec<Identity>, PortError> {
        providers::identities(&self.readers, user).await.map_err(trouble)
    }

    async fn sign_up(&self) -> Result<SignUp, PortError> {
        execute::sign_up::find(&self.readers).await.map_err(trouble)
    }

    async fn portal_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<PortalSession>, PortError> {
        users::portal_sessions(&self.readers, user, now).await.map_err(trouble)
    }

    async fn portal_session(
        &self,
        token_hash: &Secret,
        now: Timestamp,
    ) -> Result<Option<PortalSession>, PortError> {
        users::portal_session(&self.readers, token_hash, now).await.map_err(trouble)
    }

    async fn token(&self, token_hash: &Secret, now: Timestamp) -> Result<Option<PersonalToken>, PortError> {
        users::token(&self.readers, token_hash, now).await.map_err(trouble)
    }

    async fn tokens(&self, user: UserId) -> Result<Vec<PersonalToken>, PortError> {
        users::tokens(&self.readers, user).await.map_err(trouble)
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>, PortError> {
        users::signing_keys(&self.readers, &self.vault).await.map_err(trouble)
    }

    async fn code(&self, code_hash: &Secret) -> Result<Option<(Code, Authorization)>, PortError> {
        authorizations::code(&self.readers, code_hash).await.map_err(trouble)
    }

    async fn device_code(&self, code_hash: &Secret) -> Result<Option<DeviceCode>, PortError> {
        device_codes::find(&self.readers, code_hash).await.map_err(trouble)
    }

    async fn device_code_of(&self, user_code_hash: &Secret) -> Result<Option<DeviceCode>, PortError> {
        device_codes::by_user_code(&self.readers, user_code_hash).await.map_err(trouble)
    }

    async fn refresh_token(
        &self,
        token_hash: &Secret,
    ) -> Result<Option<(RefreshToken, Authorization)>, PortError> {
        authorizations::refresh_token(&self.readers, token_hash).await.map_err(trouble)
    }

    async fn authorization(&self, id: AuthorizationId) -> Result<Option<Authorization>, PortError> {
        authorizations::find(&self.readers, id).await.map_err(trouble)
    }

    async fn opaque_token(
        &self,
        token_hash: &Secret,
        now: Timestamp,
    ) -> Result<Option<OpaqueToken>, PortError> {
        authorizations::opaque_token(&self.readers, token_hash, now).await.map_err(trouble)
    }

    async fn consent(&self, user: UserId, client_id: &str) -> Result<Option<Vec<String>>, PortError> {
        authorizations::consent(&self.readers, user, client_id).await.map_err(trouble)
    }

    async fn allowed_clients(&self, user: UserId, now: Timestamp) -> Result<Vec<AllowedClient>, PortError> {
        allowed::clients(&self.readers, user, now).await.map_err(trouble)
    }

    async fn key_manager(&self, id: KeyManagerId) -> Result<Option<Held>, PortError> {
        issuers::find(&self.readers, &self.vault, id).await.map_err(trouble)
    }

    async fn key_managers(&self) -> Result<Vec<Held>, PortError> {
        issuers::all(&self.readers, &self.vault).await.map_err(trouble)
    }

    async fn provided_keys(&self, application: ApplicationId) -> Result<Vec<ProvidedKey>, PortError> {
        issuers::provided_keys(&self.readers, Some(application)).await.map_err(trouble)
    }

    async fn own_roles(&self) -> Result<Vec<OwnRole>, PortError> {
        roles::all(&self.readers).await.map_err(trouble)
    }

    async fn policies(&self, kind: PolicyKind) -> Result<Vec<KeptPolicy>, PortError> {
        policies::all(&self.readers, kind).await.map_err(trouble)
    }

    async fn alert_settings(&self) -> Result<AlertSettings, PortError> {
        alerts::settings(&self.readers).await.map_err(trouble)
    }

    async fn alerts(&self, query: &AlertQuery, request: &PageRequest) -> Result<Page<Alert>, PortError> {
        alerts::list(&self.readers, query, request).await.map_err(trouble)
    }

    async fn deny_rules(&self) -> Result<Vec<DenyRule>, PortError> {
        deny_rules::all(&self.readers).await.map_err(trouble)
    }
    async fn custom_rules(&self) -> Result<Vec<CustomRule>, PortError> {
        custom_rules::all(&self.readers).await.map_err(trouble)
    }

    async fn revocations(&self, after: u64, now: Timestamp) -> Result<Vec<Revocation>, PortError> {
        revocations::since(&self.readers, after, now).await.map_err(trouble)
    }

    async fn opaque_tokens(&self, after: u64, now: Timestamp) -> Result<Vec<OpaqueTokenFacts>, PortError> {
        authorizations::opaque_facts(&self.readers, after, now).await.map_err(trouble)
    }

    async fn snapshot_parts(&self) -> Result<SnapshotParts, PortError> {
        // One read transaction, so that number and records belong together.
        let transaction = self.readers.begin().await.map_err(trouble)?;
        snapshot_parts(&transaction, &self.vault).await.map_err(trouble)
    }

    async fn check(&self) -> Result<(), PortError> {
        let work = self.writer.execute(|_| Box::pin(async { Ok(()) }));
        work.await.map_err(|failed| match CommandError::from(failed) {
            CommandError::Port(error) => error,
            CommandError::Refused(_) => PortError::internal("an empty change was refused"),
        })?;
        self.readers.ping().await.map_err(trouble)
    }
}

#[async_trait::async_trait]
impl EventLog for SqliteCatalog {
    async fn append_watched(&self, batch: &Batch, watch: &Watch) -> Result<Appended, PortError> {
        let (batch, watch) = (batch.clone(), watch.clone());
        let appended = self.writer.execute(move |savepoint| {
            Box::pin(async move { facts::append(savepoint, &batch, &watch).await })
        });
        appended.await.map_err(|failed| match CommandError::from(failed) {
            CommandError::Port(error) => error,
            CommandError::Refused(_) => {
                PortError::internal("a batch leaves a hole in the numbers of its run")
            }
        })
    }

    async fn traffic(&self, of: TrafficOf, from: Timestamp) -> Result<Traffic, PortError> {
        // One read transaction, so that minutes and totals belong together.
        let transaction = self.readers.begin().await.map_err(trouble)?;
        facts::traffic(&transaction, of, from).await.map_err(trouble)
    }

    async fn usage(&self, of: UsageOf<'_>, now: Timestamp) -> Result<Vec<Usage>, PortError> {
        usage::read(&self.readers, of, now).await.map_err(trouble)
    }
}
