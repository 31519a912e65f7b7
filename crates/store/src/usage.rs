//! What was used of budgets as rows: one for each, which takes up what gateways tell by the rules of `model::usage`.
//!
//! It is part of the transaction that marks a batch, so that a repeat adds nothing. `period` is the number of a calendar
//! window, or the millisecond at which nothing is owed any more.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _,
    sea_query::{Alias, CaseStatement, Cond, Expr, ExprTrait as _, OnConflict, SimpleExpr},
};
use tidegate_model::{
    holder::{BudgetKey, Holder},
    limit::Shape,
    time::{MINUTE_MILLIS, Timestamp},
    usage::{Usage, UsageOf, Used},
};

use crate::{
    entity::budget::{self, Column},
    reads::{parsed, written},
};

/// Rows in one statement: seven values each, of 32,766 that SQLite binds at most.
const ROWS_MAX: usize = 500;
/// For how many milliseconds a row is kept that means nothing any more: for a clock that is set back by as much.
const KEPT_MILLIS: i64 = 60 * MINUTE_MILLIS;

pub(crate) async fn add(connection: &impl ConnectionTrait, told: &[Usage]) -> Result<(), DbErr> {
    let Some(now) = told.iter().map(|usage| usage.at).max() else { return Ok(()) };
    for some in told.chunks(ROWS_MAX) {
        let rows = some.iter().map(row_of).collect::<Result<Vec<_>, _>>()?;
        budget::Entity::insert_many(rows).on_conflict(then()).exec_without_returning(connection).await?;
    }
    budget::Entity::delete_many()
        .filter(Column::EndsAt.lt(now.plus_millis(-KEPT_MILLIS).millis()))
        .exec(connection)
        .await?;
    Ok(())
}

pub(crate) async fn read(
    connection: &impl ConnectionTrait,
    of: UsageOf<'_>,
    now: Timestamp,
) -> Result<Vec<Usage>, DbErr> {
    let found = budget::Entity::find().filter(Column::EndsAt.gt(now.millis()));
    let found = match of {
        UsageOf::Everyone => found,
        UsageOf::Holders(some) => {
            let holders = some.iter().map(written).collect::<Result<Vec<_>, _>>()?;
            found.filter(Column::Holder.is_in(holders))
        }
    };
    found.all(connection).await?.iter().map(usage_of).collect()
}

fn row_of(usage: &Usage) -> Result<budget::ActiveModel, DbErr> {
    let Usage { key: BudgetKey { holder, shape }, used, at } = usage;
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let (period, units) = match *used {
        Used::Calendar { window, units } => (signed(window), signed(units)),
        Used::Sliding { clear_at } => (clear_at.millis(), 0),
    };
    let span = used.span(*shape);
    Ok(budget::ActiveModel {
        holder: Set(written(holder)?),
        shape: Set(written(shape)?),
        period: Set(period),
        units: Set(units),
        begins_at: Set(span.begins_at.millis()),
        ends_at: Set(span.ends_at.millis()),
        told_at: Set(at.millis()),
        alerted: Set(0),
    })
}

fn usage_of(row: &budget::Model) -> Result<Usage, DbErr> {
    let (holder, shape): (Holder, Shape) = (parsed(&row.holder)?, parsed(&row.shape)?);
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    let used = if shape.slides() {
        Used::Sliding { clear_at: Timestamp(row.period) }
    } else {
        Used::Calendar { window: count(row.period), units: count(row.units) }
    };
    Ok(Usage { key: BudgetKey { holder, shape }, used, at: Timestamp(row.told_at) })
}

/// [`Usage::then`], on a row that exists.
fn then() -> OnConflict {
    let there = |column: Column| Expr::col((budget::Entity, column));
    let told = |column: Column| Expr::col((Alias::new("excluded"), column));
    let is_newer = || {
        let is_lost = there(Column::BeginsAt).gt(told(Column::ToldAt).add(MINUTE_MILLIS));
        Cond::any().add(told(Column::Period).gt(there(Column::Period))).add(is_lost)
    };
    let is_same = || Cond::all().add(told(Column::Period).eq(there(Column::Period)));
    let newest = |column: Column| -> (Column, SimpleExpr) {
        (column, CaseStatement::new().case(is_newer(), told(column)).finally(there(column)).into())
    };
    let sum = there(Column::Units).add(told(Column::Units));
    let units = CaseStatement::new()
        .case(is_same(), sum)
        .case(is_newer(), told(Column::Units))
        .finally(there(Column::Units));
    OnConflict::columns([Column::Holder, Column::Shape])
        .values([
            (Column::Units, units.into()),
            newest(Column::Period),
            newest(Column::BeginsAt),
            newest(Column::EndsAt),
            newest(Column::Alerted),
        ])
        .value(Column::ToldAt, told(Column::ToldAt))
        .to_owned()
}
