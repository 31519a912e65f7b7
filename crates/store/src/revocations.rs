//! Revocations as rows: one for each thing that ended, under a number that grows.
//!
//! Whoever executes a command that ends something calls [`keep`] in the same unit. It does not know who may.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
};
use tidegate_model::{
    client::ACCESS_TOKEN_SECONDS,
    revocation::{Revocation, Revoked},
    time::Timestamp,
};
use tidegate_oauth::token::SKEW_SECONDS;

use crate::entity::revocation::{ActiveModel, Column, Entity, Model};

/// Ends these, and clears away what nothing needs any more. What was revoked before gets a new number, so that
/// gateways hear of its later time, and is remembered until the later of both ends.
pub(crate) async fn keep(
    connection: &impl ConnectionTrait,
    now: Timestamp,
    what: &[Revoked],
    until: Timestamp,
) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::Until.lte(now.millis())).exec(connection).await?;
    for what in what {
        let (kind, name) = (what.word(), what.name());
        let same = Condition::all().add(Column::Kind.eq(kind)).add(Column::Name.eq(name.as_str()));
        let before = Entity::find().filter(same).one(connection).await?;
        if let Some(before) = &before {
            Entity::delete_by_id(before.number).exec(connection).await?;
        }
        let row = ActiveModel {
            number: NotSet,
            kind: Set(kind.to_owned()),
            name: Set(name),
            at: Set(now.millis()),
            until: Set(before.map_or(until.millis(), |before| before.until.max(until.millis()))),
        };
        Entity::insert(row).exec_without_returning(connection).await?;
    }
    Ok(())
}

/// When every access token that exists now has ended by itself, whatever its key's settings were when it was issued.
pub(crate) fn all_over(now: Timestamp) -> Timestamp {
    now.plus_millis((i64::from(ACCESS_TOKEN_SECONDS.max) + SKEW_SECONDS) * 1_000)
}

/// What has a number above this one and is not to be forgotten yet.
pub(crate) async fn since(
    connection: &impl ConnectionTrait,
    number: u64,
    now: Timestamp,
) -> Result<Vec<Revocation>, DbErr> {
    let rows = Entity::find()
        .filter(Column::Number.gt(i64::try_from(number).unwrap_or(i64::MAX)))
        .filter(Column::Until.gt(now.millis()))
        .order_by_asc(Column::Number)
        .all(connection)
        .await?;
    rows.iter().map(revocation).collect()
}

fn revocation(row: &Model) -> Result<Revocation, DbErr> {
    let what = Revoked::parse(&row.kind, &row.name);
    Ok(Revocation {
        number: u64::try_from(row.number).unwrap_or_default(),
        what: what.map_err(|error| DbErr::Type(format!("{} {}: {error}", row.kind, row.name)))?,
        at: Timestamp(row.at),
        until: Timestamp(row.until),
    })
}
