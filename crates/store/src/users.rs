//! People, portal sessions, personal access tokens and signing keys as rows.

use std::collections::BTreeSet;

use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Expr, ExprTrait as _, LikeExpr},
};
use tidegate_model::{
    command::{KeyPurpose, Refused, SigningKeyRecord},
    id::UserId,
    port::{Page, PageRequest, UserQuery},
    role::{OwnRole, RoleName, Roles},
    time::Timestamp,
    user::{Account, PersonalToken, PortalSession, Presented, Secret, User, UserState},
};

use crate::{
    cursor, entity,
    reads::{containing, id, page, parsed, written},
    roles,
    vault::Vault,
    writer::Failed,
};

/// Names are compared without regard to ASCII case, so that nobody can register a look-alike by case.
pub(crate) fn username_key(username: &str) -> String {
    username.to_ascii_lowercase()
}

/// The person of a row, with what the roles mean now.
pub(crate) async fn account(
    connection: &impl ConnectionTrait,
    row: entity::user::Model,
) -> Result<Account, DbErr> {
    let given: BTreeSet<RoleName> = parsed(&row.roles)?;
    let has_own = given.iter().any(|name| name.shipped().is_none());
    let own = if has_own { roles::all(connection).await? } else { Vec::new() };
    read(row, &own)
}

fn read(row: entity::user::Model, own: &[OwnRole]) -> Result<Account, DbErr> {
    let user = User {
        id: id(&row.id)?,
        username: row.username,
        roles: Roles::of(parsed(&row.roles)?, own),
        demo: row.demo,
        created_at: Timestamp(row.created_at),
        state: UserState::parse(&row.state)
            .ok_or_else(|| DbErr::Type(format!("{:?} is no state of a user", row.state)))?,
        must_change_password: row.must_change_password,
        has_password: !row.password_hash.is_empty(),
        etag: u64::try_from(row.etag).unwrap_or_default(),
    };
    Ok(Account { user, password_hash: Secret(row.password_hash) })
}

/// Whether what belongs to this owner works: not where they are disabled, also since a moment ago.
pub(crate) async fn is_served(
    connection: &impl ConnectionTrait,
    owner: Option<UserId>,
) -> Result<bool, DbErr> {
    let Some(owner) = owner else { return Ok(true) };
    let row = entity::user::Entity::find_by_id(owner.to_string()).one(connection).await?;
    Ok(row.is_none_or(|row| row.state == UserState::Active.as_str()))
}

pub(crate) fn user_row(account: &Account) -> Result<entity::user::ActiveModel, DbErr> {
    let user = &account.user;
    Ok(entity::user::ActiveModel {
        id: Set(user.id.to_string()),
        username: Set(user.username.clone()),
        username_key: Set(username_key(&user.username)),
        password_hash: Set(account.password_hash.0.clone()),
        roles: Set(written(&user.roles)?),
        demo: Set(user.demo),
        created_at: Set(user.created_at.millis()),
        state: Set(user.state.as_str().to_owned()),
        must_change_password: Set(user.must_change_password),
        etag: Set(i64::try_from(user.etag).unwrap_or(i64::MAX)),
    })
}

/// The rows of people to whom one of these roles was given. Roles are an array of words in quotes.
pub(crate) fn holds_one_of<'n>(names: impl IntoIterator<Item = &'n RoleName>) -> Condition {
    let given = |name: &RoleName| {
        // A name has `_`, which would stand for any character.
        let pattern = LikeExpr::new(containing(&format!("\"{name}\""))).escape('\\');
        Expr::col(entity::user::Column::Roles).like(pattern)
    };
    names.into_iter().map(given).fold(Condition::any(), Condition::add)
}

pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    query: &UserQuery,
    request: &PageRequest,
) -> Result<Page<User>, DbErr> {
    use entity::user::Column;
    let place = cursor::read(request.cursor.as_deref());
    let mut condition = Condition::all().add(cursor::after(place, Column::UsernameKey, Column::Id));
    if !query.text.is_empty() {
        let pattern = LikeExpr::new(containing(&username_key(&query.text))).escape('\\');
        condition = condition.add(Expr::col(Column::UsernameKey).like(pattern));
    }
    if let Some(state) = query.state {
        condition = condition.add(Column::State.eq(state.as_str()));
    }
    let mut found = entity::user::Entity::find().filter(condition);
    let own = roles::all(connection).await?;
    if let Some(role) = &query.role {
        let means = |own: &&OwnRole| role.shipped().is_some_and(|role| own.means.contains(&role));
        let names = own.iter().filter(means).map(|own| &own.name);
        found = found.filter(holds_one_of(std::iter::once(role).chain(names)));
    }
    let rows = found
        .order_by_asc(Column::UsernameKey)
        .order_by_asc(Column::Id)
        .limit(u64::from(request.limit) + 1)
        .all(connection)
        .await?;
    let place = |row: &entity::user::Model| (row.username_key.clone(), row.id.clone());
    page(rows, request, place, |row| read(row.clone(), &own).map(|account| account.user))
}

pub(crate) async fn by_name(
    connection: &impl ConnectionTrait,
    username: &str,
) -> Result<Option<Account>, DbErr> {
    let row = entity::user::Entity::find()
        .filter(entity::user::Column::UsernameKey.eq(username_key(username)))
        .one(connection)
        .await?;
    match row {
        Some(row) => account(connection, row).await.map(Some),
        None => Ok(None),
    }
}

pub(crate) async fn portal_session(
    connection: &impl ConnectionTrait,
    token_hash: &Secret,
    now: Timestamp,
) -> Result<Option<PortalSession>, DbErr> {
    let row = entity::portal_session::Entity::find_by_id(token_hash.0.clone())
        .filter(entity::portal_session::Column::ExpiresAt.gt(now.millis()))
        .one(connection)
        .await?;
    row.map(session).transpose()
}

fn session(row: entity::portal_session::Model) -> Result<PortalSession, DbErr> {
    Ok(PortalSession {
        id: id(&row.id)?,
        token_hash: Secret(row.token_hash),
        user: id(&row.user_id)?,
        csrf_token: Secret(row.csrf_token),
        created_at: Timestamp(row.created_at),
        expires_at: Timestamp(row.expires_at),
        seen_at: Timestamp(row.seen_at),
        address: row.address.as_deref().and_then(|text| text.parse().ok()),
        browser: row.browser,
    })
}

pub(crate) async fn portal_sessions(
    connection: &impl ConnectionTrait,
    user: UserId,
    now: Timestamp,
) -> Result<Vec<PortalSession>, DbErr> {
    use entity::portal_session::Column;
    let rows = entity::portal_session::Entity::find()
        .filter(Column::UserId.eq(user.to_string()))
        .filter(Column::ExpiresAt.gt(now.millis()))
        .order_by_desc(Column::Id)
        .all(connection)
        .await?;
    rows.into_iter().map(session).collect()
}

/// Writes when something was presented last; what is gone meanwhile stays gone.
pub(crate) async fn keep_seen(
    connection: &impl ConnectionTrait,
    presented: &Presented,
    at: Timestamp,
) -> Result<(), DbErr> {
    match presented {
        Presented::Session(hash) => {
            use entity::portal_session::{Column, Entity};
            let of = Column::TokenHash.eq(hash.0.as_str());
            let seen = Entity::update_many().col_expr(Column::SeenAt, Expr::value(at.millis()));
            seen.filter(of).exec(connection).await?;
        }
        Presented::Token(token) => {
            use entity::token::{Column, Entity};
            let of = Column::Id.eq(token.to_string());
            let seen = Entity::update_many().col_expr(Column::SeenAt, Expr::value(at.millis()));
            seen.filter(of).exec(connection).await?;
        }
    }
    Ok(())
}

/// Refuses what is asked in a portal session of this person that has ended meanwhile.
pub(crate) async fn is_signed_in(
    db: &impl ConnectionTrait,
    session: &Secret,
    user: UserId,
    now: Timestamp,
) -> Result<(), Failed> {
    let found = portal_session(db, session, now).await?.filter(|session| session.user == user);
    found.map(drop).ok_or_else(|| Refused::SignedOut.into())
}

fn personal_token(row: entity::token::Model) -> Result<PersonalToken, DbErr> {
    Ok(PersonalToken {
        id: id(&row.id)?,
        user: id(&row.user_id)?,
        name: row.name,
        created_at: Timestamp(row.created_at),
        expires_at: row.expires_at.map(Timestamp),
        seen_at: row.seen_at.map(Timestamp),
        scopes: row.scopes.as_deref().map(parsed).transpose()?,
    })
}

pub(crate) async fn token(
    connection: &impl ConnectionTrait,
    token_hash: &Secret,
    now: Timestamp,
) -> Result<Option<PersonalToken>, DbErr> {
    use entity::token::Column;
    let row = entity::token::Entity::find()
        .filter(Column::TokenHash.eq(token_hash.0.as_str()))
        .filter(Condition::any().add(Column::ExpiresAt.is_null()).add(Column::ExpiresAt.gt(now.millis())))
        .one(connection)
        .await?;
    row.map(personal_token).transpose()
}

pub(crate) async fn tokens(
    connection: &impl ConnectionTrait,
    user: UserId,
) -> Result<Vec<PersonalToken>, DbErr> {
    let rows = entity::token::Entity::find()
        .filter(entity::token::Column::UserId.eq(user.to_string()))
        .order_by_asc(entity::token::Column::Id)
        .all(connection)
        .await?;
    rows.into_iter().map(personal_token).collect()
}

pub(crate) async fn keep_signing_key(
    connection: &impl ConnectionTrait,
    vault: &Vault,
    key: SigningKeyRecord,
) -> Result<(), DbErr> {
    let private_key = vault.seal(&key_place(&key.kid), &key.private_key)?.0;
    let row = entity::signing_key::ActiveModel {
        kid: Set(key.kid),
        private_key: Set(private_key),
        created_at: Set(key.created_at.millis()),
        purpose: Set(key.purpose.as_str().to_owned()),
        algorithm: Set(key.algorithm),
        signs_from: Set(key.signs_from.millis()),
    };
    entity::signing_key::Entity::insert(row).exec_without_returning(connection).await.map(drop)
}

/// The place of a private half in the vault.
fn key_place(kid: &str) -> String {
    format!("signing key:{kid}")
}

/// Seals what was written before there was a vault. Answers whether there was anything.
pub(crate) async fn seal_all(connection: &impl ConnectionTrait, vault: &Vault) -> Result<bool, DbErr> {
    let keys = entity::signing_key::Entity::find().all(connection).await?;
    for row in &keys {
        let sealed = vault.seal(&key_place(&row.kid), &Secret(row.private_key.clone()))?;
        let change = entity::signing_key::ActiveModel {
            kid: Unchanged(row.kid.clone()),
            private_key: Set(sealed.0),
            ..Default::default()
        };
        entity::signing_key::Entity::update(change).exec(connection).await?;
    }
    Ok(!keys.is_empty())
}

pub(crate) async fn signing_keys(
    connection: &impl ConnectionTrait,
    vault: &Vault,
) -> Result<Vec<SigningKeyRecord>, DbErr> {
    let rows = entity::signing_key::Entity::find()
        .order_by_desc(entity::signing_key::Column::CreatedAt)
        .order_by_asc(entity::signing_key::Column::Kid)
        .all(connection)
        .await?;
    let record = |row: entity::signing_key::Model| {
        let purpose = KeyPurpose::parse(&row.purpose)
            .ok_or_else(|| DbErr::Custom("a signing key without a known purpose".to_owned()))?;
        let private_key = vault.open(&key_place(&row.kid), &Secret(row.private_key))?;
        Ok(SigningKeyRecord {
            purpose,
            kid: row.kid,
            algorithm: row.algorithm,
            private_key,
            created_at: Timestamp(row.created_at),
            signs_from: Timestamp(row.signs_from),
        })
    };
    rows.into_iter().map(record).collect()
}
