//! Devices that wait for a person, as rows, and the commands about them.
//!
//! One that is allowed leaves its row for the code of an authorization, which knows of being used.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Expr,
};
use tidegate_model::{
    authorization::Authorize,
    command::Refused,
    device::{DEVICE_CODES_MAX, DenyDevice, DeviceCode, REMEMBERED_MILLIS},
    rule::FieldProblem,
    time::Timestamp,
    user::Secret,
};

use crate::{
    authorizations,
    entity::device_code::{ActiveModel, Column, Entity, Model},
    users,
    writer::Failed,
};

fn device_code(row: Model) -> DeviceCode {
    DeviceCode {
        code_hash: Secret(row.code_hash),
        user_code_hash: Secret(row.user_code_hash),
        client_id: row.client_id,
        scope: row.scope,
        created_at: Timestamp(row.created_at),
        expires_at: Timestamp(row.expires_at),
        denied_at: row.denied_at.map(Timestamp),
    }
}

pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    code_hash: &Secret,
) -> Result<Option<DeviceCode>, DbErr> {
    Ok(Entity::find_by_id(&code_hash.0).one(connection).await?.map(device_code))
}

pub(crate) async fn by_user_code(
    connection: &impl ConnectionTrait,
    user_code_hash: &Secret,
) -> Result<Option<DeviceCode>, DbErr> {
    let found = Entity::find().filter(Column::UserCodeHash.eq(user_code_hash.0.as_str()));
    Ok(found.one(connection).await?.map(device_code))
}

/// Keeps a device that waits; what is long over, and the oldest of a client that has too many, go.
pub(crate) async fn keep(db: &DatabaseTransaction, now: Timestamp, code: DeviceCode) -> Result<(), Failed> {
    let over = now.plus_millis(-REMEMBERED_MILLIS).millis();
    Entity::delete_many().filter(Column::ExpiresAt.lte(over)).exec(db).await?;
    if by_user_code(db, &code.user_code_hash).await?.is_some() {
        let problem = FieldProblem::new("", "duplicate", "Another device shows this code.");
        return Err(Refused::Duplicate(problem).into());
    }
    let waiting = Entity::find()
        .filter(Column::ClientId.eq(code.client_id.as_str()))
        .filter(Column::ExpiresAt.gt(now.millis()));
    let count = waiting.clone().count(db).await?;
    if count >= DEVICE_CODES_MAX {
        let oldest =
            waiting.order_by_asc(Column::CreatedAt).limit(count + 1 - DEVICE_CODES_MAX).all(db).await?;
        let oldest = oldest.into_iter().map(|row| row.code_hash);
        Entity::delete_many().filter(Column::CodeHash.is_in(oldest)).exec(db).await?;
    }
    let row = ActiveModel {
        code_hash: Set(code.code_hash.0),
        user_code_hash: Set(code.user_code_hash.0),
        client_id: Set(code.client_id),
        scope: Set(code.scope),
        created_at: Set(code.created_at.millis()),
        expires_at: Set(code.expires_at.millis()),
        denied_at: Set(None),
    };
    Ok(Entity::insert(row).exec_without_returning(db).await.map(drop)?)
}

async fn waiting(db: &DatabaseTransaction, now: Timestamp, code_hash: &Secret) -> Result<DeviceCode, Failed> {
    let found = find(db, code_hash).await?.filter(|code| code.waits(now));
    found.ok_or_else(|| Refused::NotFound("device").into())
}

/// Allows a device that waits: from now on its code is one of an authorization.
pub(crate) async fn allow(db: &DatabaseTransaction, now: Timestamp, given: Authorize) -> Result<(), Failed> {
    let code = waiting(db, now, &given.code.code_hash).await?;
    if code.client_id != given.authorization.client_id || code.scope != given.authorization.scope {
        return Err(Refused::NotFound("device").into());
    }
    Entity::delete_by_id(code.code_hash.0).exec(db).await?;
    authorizations::authorize(db, now, given).await
}

/// Denies a device that waits, and says which client it is of.
pub(crate) async fn deny(
    db: &DatabaseTransaction,
    now: Timestamp,
    denied: &DenyDevice,
) -> Result<String, Failed> {
    let code = waiting(db, now, &denied.code_hash).await?;
    users::is_signed_in(db, &denied.session, denied.user, now).await?;
    Entity::update_many()
        .col_expr(Column::DeniedAt, Expr::value(now.millis()))
        .filter(Column::CodeHash.eq(code.code_hash.0))
        .exec(db)
        .await?;
    Ok(code.client_id)
}
