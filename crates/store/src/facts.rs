//! Facts as rows: batches recognised by run and number, counts added up per minute, sessions kept.
//!
//! The marking of a batch and the adding of its counts are one transaction, so a repeat adds nothing and a crash
//! loses nothing. Totals are summed from the minutes: an index covers them, and a second place could disagree.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, QuerySelect as _,
    sea_query::{Alias, Expr, ExprTrait as _, Func, OnConflict, SimpleExpr},
};
use tidegate_model::{
    alert::Watch,
    command::Refused,
    fact::{Appended, Batch, CountKey, Counts, Traffic, TrafficOf},
    time::Timestamp,
};

use crate::{
    alerts,
    entity::{boot, minute, session},
    reads::written,
    usage,
    writer::Failed,
};

/// Rows in one statement; SQLite binds at most 32,766 values and a minute has fourteen.
const ROWS_MAX: usize = 500;

pub(crate) async fn append(
    connection: &impl ConnectionTrait,
    batch: &Batch,
    watch: &Watch,
) -> Result<Appended, Failed> {
    let name = batch.boot.to_string();
    let number = signed(batch.number);
    let last = boot::Entity::find_by_id(&name).one(connection).await?.map_or(0, |row| row.last_number);
    if (1..=last).contains(&number) {
        return Ok(Appended::Repeated);
    }
    if number != last + 1 {
        return Err(Refused::conflict("a batch leaves a hole in the numbers of its run").into());
    }
    let row = boot::ActiveModel { boot: Set(name), last_number: Set(number) };
    boot::Entity::insert(row)
        .on_conflict(
            OnConflict::column(boot::Column::Boot).update_column(boot::Column::LastNumber).to_owned(),
        )
        .exec_without_returning(connection)
        .await?;
    for some in batch.counts.chunks(ROWS_MAX) {
        minute::Entity::insert_many(some.iter().map(|(key, counts)| row_of(key, counts)))
            .on_conflict(added())
            .exec_without_returning(connection)
            .await?;
    }
    for some in batch.sessions.chunks(ROWS_MAX) {
        let rows = some.iter().map(|closed| {
            Ok(session::ActiveModel {
                id: Set(closed.id.to_string()),
                api_id: Set(closed.api.to_string()),
                application_id: Set(closed.application.to_string()),
                opened_at: Set(closed.opened_at.millis()),
                closed_at: Set(closed.closed_at.millis()),
                body: Set(written(closed)?),
            })
        });
        session::Entity::insert_many(rows.collect::<Result<Vec<_>, DbErr>>()?)
            .exec_without_returning(connection)
            .await?;
    }
    usage::add(connection, &batch.usage).await?;
    alerts::make(connection, watch).await?;
    Ok(Appended::Stored)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn row_of(key: &CountKey, counts: &Counts) -> minute::ActiveModel {
    minute::ActiveModel {
        minute: Set(key.minute.millis()),
        api_id: Set(key.api.to_string()),
        application_id: Set(key.application.map(|application| application.to_string()).unwrap_or_default()),
        plan: Set(key.plan.clone()),
        sessions: Set(signed(counts.sessions)),
        messages_from_clients: Set(signed(counts.messages_from_clients)),
        messages_from_backends: Set(signed(counts.messages_from_backends)),
        bytes_from_clients: Set(signed(counts.bytes_from_clients)),
        bytes_from_backends: Set(signed(counts.bytes_from_backends)),
        refusals: Set(signed(counts.refusals)),
        dropped: Set(signed(counts.dropped)),
        delayed: Set(signed(counts.delayed)),
        beyond: Set(signed(counts.beyond)),
        notices: Set(signed(counts.notices)),
    }
}

const COUNTED: [minute::Column; 10] = [
    minute::Column::Sessions,
    minute::Column::MessagesFromClients,
    minute::Column::MessagesFromBackends,
    minute::Column::BytesFromClients,
    minute::Column::BytesFromBackends,
    minute::Column::Refusals,
    minute::Column::Dropped,
    minute::Column::Delayed,
    minute::Column::Beyond,
    minute::Column::Notices,
];

/// On a row that exists: what it has, plus what comes.
fn added() -> OnConflict {
    use minute::Column;
    let sums = COUNTED.map(|column| {
        let there = Expr::col((minute::Entity, column));
        let coming = Expr::col((Alias::new("excluded"), column));
        (column, there.add(coming))
    });
    OnConflict::columns([Column::Minute, Column::ApiId, Column::ApplicationId, Column::Plan])
        .values(sums)
        .to_owned()
}

#[derive(FromQueryResult)]
struct Summed {
    minute: i64,
    sessions: i64,
    messages_from_clients: i64,
    messages_from_backends: i64,
    bytes_from_clients: i64,
    bytes_from_backends: i64,
    refusals: i64,
    dropped: i64,
    delayed: i64,
    beyond: i64,
    notices: i64,
}

impl From<&Summed> for Counts {
    fn from(row: &Summed) -> Self {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        Self {
            sessions: count(row.sessions),
            messages_from_clients: count(row.messages_from_clients),
            messages_from_backends: count(row.messages_from_backends),
            bytes_from_clients: count(row.bytes_from_clients),
            bytes_from_backends: count(row.bytes_from_backends),
            refusals: count(row.refusals),
            dropped: count(row.dropped),
            delayed: count(row.delayed),
            beyond: count(row.beyond),
            notices: count(row.notices),
        }
    }
}

/// Sum of a column as a 64-bit number: PostgreSQL would answer a decimal, and nothing for no rows.
fn sum(column: minute::Column) -> SimpleExpr {
    let sum = Func::coalesce([Func::sum(Expr::col(column)).into(), Expr::val(0_i64)]);
    Expr::expr(sum).cast_as(Alias::new("bigint"))
}

pub(crate) async fn traffic(
    connection: &impl ConnectionTrait,
    of: TrafficOf,
    from: Timestamp,
) -> Result<Traffic, DbErr> {
    use minute::Column;
    let whose = match of {
        TrafficOf::Api(api) => Column::ApiId.eq(api.to_string()),
        TrafficOf::Application(application) => Column::ApplicationId.eq(application.to_string()),
    };
    let summed = |minute: SimpleExpr, when: Condition| {
        let select = minute::Entity::find().select_only().filter(whose.clone()).filter(when);
        COUNTED.iter().fold(select.expr_as(minute, "minute"), |select, column| {
            select.expr_as(sum(*column), sea_orm::IdenStatic::as_str(column))
        })
    };
    let recent = summed(Expr::col(Column::Minute), Condition::all().add(Column::Minute.gte(from.millis())))
        .group_by(Column::Minute)
        .order_by_asc(Column::Minute)
        .into_model::<Summed>()
        .all(connection)
        .await?;
    let totals = summed(Expr::val(0_i64), Condition::all()).into_model::<Summed>().one(connection).await?;
    Ok(Traffic {
        minutes: recent.iter().map(|row| (Timestamp(row.minute), row.into())).collect(),
        totals: totals.as_ref().map(Counts::from).unwrap_or_default(),
    })
}
