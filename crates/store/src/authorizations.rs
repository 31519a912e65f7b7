//! Authorizations, codes, refresh tokens, opaque access tokens and consents as rows, and the commands about them.
//!
//! Each command runs in the savepoint of its writer, one after the other: of a hundred that present the same token, the
//! first finds it unused. It does not judge who presents what; that was done before the command was made.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _, Statement,
    sea_query::{Expr, Query},
};
use tidegate_model::{
    authorization::{
        Authorization, Authorize, Code, OPAQUE_TOKENS_MAX, OpaqueToken, REMEMBERED_MILLIS, RedeemCode,
        Redeemed, RefreshToken, Renew,
    },
    command::Refused,
    id::{AuthorizationId, UserId},
    opaque::OpaqueTokenFacts,
    revocation::Revoked,
    rule::FieldProblem,
    time::Timestamp,
    user::{Secret, UserState},
};
use tidegate_oauth::mark;

use crate::{
    entity,
    reads::{OPAQUE_TOKEN_NUMBER, id, next_number, parsed, written},
    revocations, users,
    writer::Failed,
};

pub(crate) fn authorization(row: entity::authorization::Model) -> Result<Authorization, DbErr> {
    Ok(Authorization {
        id: id(&row.id)?,
        client_id: row.client_id,
        user: id(&row.user_id)?,
        scope: row.scope,
        auth_time: Timestamp(row.auth_time),
        nonce: row.nonce,
        mark: row.mark,
        created_at: Timestamp(row.created_at),
        expires_at: Timestamp(row.expires_at),
        ended_at: row.ended_at.map(Timestamp),
    })
}

pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    id: AuthorizationId,
) -> Result<Option<Authorization>, DbErr> {
    by_text(connection, &id.to_string()).await
}

async fn by_text(connection: &impl ConnectionTrait, id: &str) -> Result<Option<Authorization>, DbErr> {
    let row = entity::authorization::Entity::find_by_id(id).one(connection).await?;
    row.map(authorization).transpose()
}

pub(crate) async fn code(
    connection: &impl ConnectionTrait,
    code_hash: &Secret,
) -> Result<Option<(Code, Authorization)>, DbErr> {
    let Some(row) = entity::code::Entity::find_by_id(&code_hash.0).one(connection).await? else {
        return Ok(None);
    };
    let of = by_text(connection, &row.authorization_id).await?;
    let code = Code {
        code_hash: Secret(row.code_hash),
        redirect_uri: row.redirect_uri,
        challenge: row.challenge,
        expires_at: Timestamp(row.expires_at),
        used_at: row.used_at.map(Timestamp),
    };
    Ok(of.map(|of| (code, of)))
}

pub(crate) async fn refresh_token(
    connection: &impl ConnectionTrait,
    token_hash: &Secret,
) -> Result<Option<(RefreshToken, Authorization)>, DbErr> {
    let Some(row) = entity::refresh_token::Entity::find_by_id(&token_hash.0).one(connection).await? else {
        return Ok(None);
    };
    let of = by_text(connection, &row.authorization_id).await?;
    let token = RefreshToken {
        token_hash: Secret(row.token_hash),
        expires_at: Timestamp(row.expires_at),
        used_at: row.used_at.map(Timestamp),
        bound_to: row.bound_to,
    };
    Ok(of.map(|of| (token, of)))
}

fn opaque(row: entity::opaque_token::Model) -> Result<OpaqueToken, DbErr> {
    Ok(OpaqueToken {
        token_hash: Secret(row.token_hash),
        client_id: row.client_id,
        authorization: row.authorization_id.as_deref().map(id).transpose()?,
        subject: row.subject,
        scope: row.scope,
        issued_at: Timestamp(row.issued_at),
        expires_at: Timestamp(row.expires_at),
        source: row.source.as_deref().map(parsed).transpose()?,
    })
}

pub(crate) async fn opaque_token(
    connection: &impl ConnectionTrait,
    token_hash: &Secret,
    now: Timestamp,
) -> Result<Option<OpaqueToken>, DbErr> {
    let row = entity::opaque_token::Entity::find_by_id(&token_hash.0)
        .filter(entity::opaque_token::Column::ExpiresAt.gt(now.millis()))
        .one(connection)
        .await?;
    row.map(opaque).transpose()
}

/// Those with a number above this one that live now, as gateways know them.
pub(crate) async fn opaque_facts(
    connection: &impl ConnectionTrait,
    after: u64,
    now: Timestamp,
) -> Result<Vec<OpaqueTokenFacts>, DbErr> {
    use entity::opaque_token::{Column, Entity};
    let rows = Entity::find()
        .filter(Column::Number.gt(i64::try_from(after).unwrap_or(i64::MAX)))
        .filter(Column::ExpiresAt.gt(now.millis()))
        .order_by_asc(Column::Number)
        .all(connection)
        .await?;
    let facts = |row: entity::opaque_token::Model| {
        Ok(OpaqueTokenFacts {
            number: u64::try_from(row.number).unwrap_or_default(),
            token_hash: Secret(row.token_hash),
            client_id: row.client_id,
            subject: row.subject,
            grant_id: row.authorization_id,
            scope: row.scope,
            issued_at: Timestamp(row.issued_at),
            expires_at: Timestamp(row.expires_at),
            source: row.source.as_deref().map(parsed).transpose()?,
        })
    };
    rows.into_iter().map(facts).collect()
}

pub(crate) async fn consent(
    connection: &impl ConnectionTrait,
    user: UserId,
    client_id: &str,
) -> Result<Option<Vec<String>>, DbErr> {
    let place = (user.to_string(), client_id.to_owned());
    let row = entity::consent::Entity::find_by_id(place).one(connection).await?;
    row.map(|row| parsed(&row.scopes)).transpose()
}

/// Keeps an authorization and its code, and the consent where it was asked for. Forgets what nobody can present any more.
pub(crate) async fn authorize(
    db: &DatabaseTransaction,
    now: Timestamp,
    authorize: Authorize,
) -> Result<(), Failed> {
    forget(db, now).await?;
    let Authorize { authorization: given, code, session, remember } = authorize;
    users::is_signed_in(db, &session, given.user, now).await?;
    let (user_id, client_id) = (given.user.to_string(), given.client_id.clone());
    if remember {
        let mut scopes = consent(db, given.user, &client_id).await?.unwrap_or_default();
        scopes.extend(given.scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned));
        scopes.sort_unstable();
        scopes.dedup();
        entity::consent::Entity::delete_by_id((user_id.clone(), client_id.clone())).exec(db).await?;
        let row = entity::consent::ActiveModel {
            user_id: Set(user_id.clone()),
            client_id: Set(client_id.clone()),
            scopes: Set(written(&scopes)?),
            at: Set(now.millis()),
        };
        entity::consent::Entity::insert(row).exec_without_returning(db).await?;
    }
    let row = entity::authorization::ActiveModel {
        id: Set(given.id.to_string()),
        client_id: Set(client_id),
        user_id: Set(user_id),
        scope: Set(given.scope),
        auth_time: Set(given.auth_time.millis()),
        nonce: Set(given.nonce),
        mark: Set(given.mark),
        created_at: Set(given.created_at.millis()),
        expires_at: Set(given.expires_at.millis()),
        ended_at: Set(None),
    };
    entity::authorization::Entity::insert(row).exec_without_returning(db).await?;
    let row = entity::code::ActiveModel {
        code_hash: Set(code.code_hash.0),
        authorization_id: Set(given.id.to_string()),
        redirect_uri: Set(code.redirect_uri),
        challenge: Set(code.challenge),
        expires_at: Set(code.expires_at.millis()),
        used_at: Set(None),
    };
    entity::code::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Forgets authorizations that ended long enough ago or that nothing ever came from, each with all that is its own, and
/// refresh tokens that expired unused long enough ago.
async fn forget(db: &DatabaseTransaction, now: Timestamp) -> Result<(), DbErr> {
    for statement in forgetting(db.get_database_backend(), now) {
        db.execute_raw(statement).await?;
    }
    Ok(())
}

fn forgetting(backend: DbBackend, now: Timestamp) -> [Statement; 3] {
    use entity::{authorization, code, refresh_token};
    let over = now.plus_millis(-REMEMBERED_MILLIS).millis();
    let gone = Condition::any()
        .add(authorization::Column::ExpiresAt.lte(over))
        .add(authorization::Column::EndedAt.lte(over));
    // A used one is kept as long as its authorization: whoever stole it may come late.
    let never_redeemed = Query::select()
        .column(code::Column::AuthorizationId)
        .from(code::Entity)
        .and_where(code::Column::ExpiresAt.lte(over))
        .and_where(code::Column::UsedAt.is_null())
        .to_owned();
    let unused = Condition::all()
        .add(refresh_token::Column::ExpiresAt.lte(over))
        .add(refresh_token::Column::UsedAt.is_null());
    [
        authorization::Entity::delete_many().filter(gone).build(backend),
        authorization::Entity::delete_many()
            .filter(authorization::Column::Id.in_subquery(never_redeemed))
            .build(backend),
        refresh_token::Entity::delete_many().filter(unused).build(backend),
    ]
}

fn gone() -> Failed {
    Refused::NotFound("authorization").into()
}

/// Whether a code or a refresh token of this client can be used. One that was used before is none, and ends what came
/// from it.
async fn is_fresh(
    db: &DatabaseTransaction,
    now: Timestamp,
    of: &Authorization,
    client_id: &str,
    used_at: Option<Timestamp>,
    expires_at: Timestamp,
) -> Result<bool, Failed> {
    if of.client_id != client_id || of.ended_at.is_some() {
        return Err(gone());
    }
    // Who was disabled since the token was signed: nobody has seen it yet, and nobody will.
    let person = entity::user::Entity::find_by_id(of.user.to_string()).one(db).await?;
    person.filter(|person| person.state == UserState::Active.as_str()).ok_or_else(gone)?;
    if used_at.is_some() {
        end(db, now, of).await?;
        return Ok(false);
    }
    if expires_at <= now { Err(gone()) } else { Ok(true) }
}

/// Uses a code up, or ends what came from one that was used before.
pub(crate) async fn redeem(
    db: &DatabaseTransaction,
    now: Timestamp,
    command: RedeemCode,
) -> Result<Redeemed, Failed> {
    let (code, of) = code(db, &command.code_hash).await?.ok_or_else(gone)?;
    if !is_fresh(db, now, &of, &command.client_id, code.used_at, code.expires_at).await? {
        return Ok(Redeemed::Replayed(of.id));
    }
    entity::code::Entity::update_many()
        .col_expr(entity::code::Column::UsedAt, Expr::value(now.millis()))
        .filter(entity::code::Column::CodeHash.eq(code.code_hash.0))
        .exec(db)
        .await?;
    keep_tokens(db, now, &of, command.refresh, command.access).await?;
    Ok(Redeemed::Granted(Box::new(of)))
}

/// Exchanges a refresh token for the next one, or ends what came from one that was used before.
pub(crate) async fn renew(
    db: &DatabaseTransaction,
    now: Timestamp,
    command: Renew,
) -> Result<Redeemed, Failed> {
    let (token, of) = refresh_token(db, &command.token_hash).await?.ok_or_else(gone)?;
    let expires_at = token.expires_at.min(of.expires_at);
    if !is_fresh(db, now, &of, &command.client_id, token.used_at, expires_at).await? {
        return Ok(Redeemed::Replayed(of.id));
    }
    entity::refresh_token::Entity::update_many()
        .col_expr(entity::refresh_token::Column::UsedAt, Expr::value(now.millis()))
        .filter(entity::refresh_token::Column::TokenHash.eq(token.token_hash.0))
        .exec(db)
        .await?;
    keep_tokens(db, now, &of, Some(command.next), command.access).await?;
    Ok(Redeemed::Granted(Box::new(of)))
}

async fn keep_tokens(
    db: &DatabaseTransaction,
    now: Timestamp,
    of: &Authorization,
    refresh: Option<RefreshToken>,
    access: Option<OpaqueToken>,
) -> Result<(), Failed> {
    if let Some(refresh) = refresh {
        let row = entity::refresh_token::ActiveModel {
            token_hash: Set(refresh.token_hash.0),
            authorization_id: Set(of.id.to_string()),
            expires_at: Set(refresh.expires_at.min(of.expires_at).millis()),
            used_at: Set(None),
            bound_to: Set(refresh.bound_to),
        };
        entity::refresh_token::Entity::insert(row).exec_without_returning(db).await?;
    }
    if let Some(access) = access {
        keep_access_token(db, now, access).await?;
    }
    Ok(())
}

/// Keeps an access token; expired ones, and the oldest of a client that has too many, go.
pub(crate) async fn keep_access_token(
    db: &DatabaseTransaction,
    now: Timestamp,
    token: OpaqueToken,
) -> Result<(), DbErr> {
    use entity::opaque_token::{ActiveModel, Column, Entity};
    Entity::delete_many().filter(Column::ExpiresAt.lte(now.millis())).exec(db).await?;
    let held = Entity::find().filter(Column::ClientId.eq(token.client_id.as_str()));
    let count = held.clone().count(db).await?;
    if count >= OPAQUE_TOKENS_MAX {
        let oldest = held.order_by_asc(Column::IssuedAt).limit(count + 1 - OPAQUE_TOKENS_MAX).all(db).await?;
        let oldest = oldest.into_iter().map(|row| row.token_hash);
        Entity::delete_many().filter(Column::TokenHash.is_in(oldest)).exec(db).await?;
    }
    let number = next_number(db, OPAQUE_TOKEN_NUMBER).await?;
    let row = ActiveModel {
        number: Set(number),
        token_hash: Set(token.token_hash.0),
        client_id: Set(token.client_id),
        authorization_id: Set(token.authorization.map(|id| id.to_string())),
        subject: Set(token.subject),
        scope: Set(token.scope),
        issued_at: Set(token.issued_at.millis()),
        expires_at: Set(token.expires_at.millis()),
        source: Set(token.source.as_ref().map(written).transpose()?),
    };
    Entity::insert(row).exec_without_returning(db).await.map(drop)
}

/// Remembers that a client's statement was used, while it could be shown again; refused when it was used before.
pub(crate) async fn use_assertion(
    db: &DatabaseTransaction,
    now: Timestamp,
    replay_id: String,
    expires_at: Timestamp,
) -> Result<(), Failed> {
    use entity::used_assertion::{ActiveModel, Column, Entity};
    Entity::delete_many().filter(Column::ExpiresAt.lte(now.millis())).exec(db).await?;
    if Entity::find_by_id(&replay_id).one(db).await?.is_some() {
        let problem = FieldProblem::new("", "duplicate", "The statement was used before.");
        return Err(Refused::Duplicate(problem).into());
    }
    let row = ActiveModel { replay_id: Set(replay_id), expires_at: Set(expires_at.millis()) };
    Ok(Entity::insert(row).exec_without_returning(db).await.map(drop)?)
}

/// Ends an access token, if there is one, and what lives by it.
pub(crate) async fn end_access_token(
    db: &DatabaseTransaction,
    now: Timestamp,
    token_hash: &Secret,
) -> Result<(), DbErr> {
    use entity::opaque_token::Entity;
    let Some(row) = Entity::find_by_id(&token_hash.0).one(db).await? else { return Ok(()) };
    Entity::delete_by_id(&token_hash.0).exec(db).await?;
    let what = Revoked::Credential(mark::access_token(&row.token_hash).into());
    revocations::keep(db, now, &[what], Timestamp(row.expires_at)).await
}

/// Ends an authorization that stands, the access tokens of it, and what lives by them.
pub(crate) async fn end(db: &DatabaseTransaction, now: Timestamp, of: &Authorization) -> Result<(), DbErr> {
    use entity::authorization::Column;
    entity::authorization::Entity::update_many()
        .col_expr(Column::EndedAt, Expr::value(now.millis()))
        .filter(Column::Id.eq(of.id.to_string()))
        .exec(db)
        .await?;
    let theirs = entity::opaque_token::Column::AuthorizationId.eq(of.id.to_string());
    entity::opaque_token::Entity::delete_many().filter(theirs).exec(db).await?;
    if let Ok(mark) = of.mark.parse() {
        // No token of it is issued from now on, and none lives longer than the longest.
        let until = of.expires_at.min(revocations::all_over(now));
        revocations::keep(db, now, &[Revoked::Grant(mark)], until).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
