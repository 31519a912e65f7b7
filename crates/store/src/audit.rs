//! The audit log as rows of `changes`: keeping entries, counting attempts, forgetting, reading.

use std::net::IpAddr;

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Expr, ExprTrait as _, Func, LikeExpr},
};
use tidegate_model::{
    audit::{ATTEMPTS_MAX, Attempt, AuditQuery, Entry, EntryDetail, KEPT_MILLIS, Kind},
    port::{Page, PageRequest},
    time::Timestamp,
    user::Actor,
};

use crate::{
    entity::change::{ActiveModel, Column, Entity, Model},
    reads::{containing, id, page},
};

/// An entry to be kept.
pub(crate) struct Kept<'a> {
    pub(crate) at: Timestamp,
    pub(crate) actor: &'a Actor,
    pub(crate) kind: Kind,
    pub(crate) object: &'a str,
    pub(crate) action: &'a str,
    pub(crate) detail: &'a str,
    /// JSON without secrets.
    pub(crate) before: Option<String>,
    /// JSON without secrets.
    pub(crate) after: Option<String>,
}

pub(crate) async fn keep(connection: &impl ConnectionTrait, kept: Kept<'_>) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: NotSet,
        subject: Set(kept.object.to_owned()),
        at: Set(kept.at.millis()),
        actor: Set(kept.actor.name.clone()),
        action: Set(kept.action.to_owned()),
        detail: Set(kept.detail.to_owned()),
        before_body: Set(kept.before),
        after_body: Set(kept.after),
        kind: Set(kept.kind.as_str().to_owned()),
        actor_id: Set(kept.actor.user.map(|user| user.to_string())),
        address: Set(kept.actor.address.map(|address| address.to_string())),
        times: Set(1),
        attempt: Set(None),
    };
    Entity::insert(row).exec_without_returning(connection).await.map(drop)
}

/// Adds to the entry of the same attempt in the same minute, or begins one.
pub(crate) async fn count(
    connection: &impl ConnectionTrait,
    attempt: &Attempt,
    times: u64,
) -> Result<(), DbErr> {
    let times = i64::try_from(times).unwrap_or(i64::MAX);
    let (user, name) = attempt.user.clone().map_or((None, String::new()), |(user, name)| (Some(user), name));
    let user = user.map(|user| user.to_string());
    let address = attempt.address.map(|address| address.to_string());
    let key = serde_json::json!([attempt.minute.millis(), attempt.what.action(), user, address]).to_string();
    let more = Entity::update_many()
        .col_expr(Column::Times, Expr::col(Column::Times).add(times))
        .filter(Column::Attempt.eq(key.as_str()))
        .exec(connection)
        .await?;
    if more.rows_affected > 0 {
        return Ok(());
    }
    let row = ActiveModel {
        id: NotSet,
        subject: Set(user.clone().unwrap_or_default()),
        at: Set(attempt.minute.millis()),
        actor: Set(name),
        action: Set(attempt.what.action().to_owned()),
        detail: Set(String::new()),
        before_body: Set(None),
        after_body: Set(None),
        kind: Set(attempt.what.kind().as_str().to_owned()),
        actor_id: Set(user),
        address: Set(address),
        times: Set(times),
        attempt: Set(Some(key)),
    };
    Entity::insert(row).exec_without_returning(connection).await.map(drop)
}

/// Forgets what is older than it has to be kept, and attempts beyond their bound.
pub(crate) async fn forget(connection: &impl ConnectionTrait, now: Timestamp) -> Result<(), DbErr> {
    let over = Column::At.lt(now.plus_millis(-KEPT_MILLIS).millis());
    Entity::delete_many().filter(over).exec(connection).await?;
    let first_too_many = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Attempt.is_not_null())
        .order_by_desc(Column::Id)
        .offset(ATTEMPTS_MAX)
        .limit(1)
        .into_tuple::<i64>()
        .one(connection)
        .await?;
    if let Some(first) = first_too_many {
        let beyond = Condition::all().add(Column::Attempt.is_not_null()).add(Column::Id.lte(first));
        Entity::delete_many().filter(beyond).exec(connection).await?;
    }
    Ok(())
}

fn entry(row: &Model) -> Result<Entry, DbErr> {
    let user = row.actor_id.as_deref().map(id).transpose()?;
    Ok(Entry {
        number: u64::try_from(row.id).unwrap_or_default(),
        at: Timestamp(row.at),
        by: row.actor.clone(),
        user,
        address: row.address.as_deref().and_then(|text| text.parse::<IpAddr>().ok()),
        kind: Kind::parse(&row.kind),
        object: row.subject.clone(),
        action: row.action.clone(),
        detail: row.detail.clone(),
        times: u64::try_from(row.times).unwrap_or(1),
    })
}

pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    query: &AuditQuery,
    request: &PageRequest,
) -> Result<Page<Entry>, DbErr> {
    let lower = |column: Column| Expr::expr(Func::lower(Expr::col(column)));
    let mut condition = Condition::all();
    let place = crate::cursor::read(request.cursor.as_deref()).and_then(|(_, id)| id.parse::<i64>().ok());
    if let Some(place) = place {
        condition = condition.add(Column::Id.lt(place));
    }
    if let Some(by) = &query.by {
        condition = condition.add(lower(Column::Actor).eq(by.to_ascii_lowercase()));
    }
    if let Some(kind) = query.kind {
        condition = condition.add(Column::Kind.eq(kind.as_str()));
    }
    if let Some(object) = &query.object {
        let pattern = LikeExpr::new(containing(&object.to_ascii_lowercase())).escape('\\');
        let told = lower(Column::Detail).like(pattern);
        condition = condition.add(Condition::any().add(Column::Subject.eq(object.as_str())).add(told));
    }
    if let Some(from) = query.from {
        condition = condition.add(Column::At.gte(from.millis()));
    }
    if let Some(until) = query.until {
        condition = condition.add(Column::At.lt(until.millis()));
    }
    let rows = Entity::find()
        .filter(condition)
        .order_by_desc(Column::Id)
        .limit(u64::from(request.limit) + 1)
        .all(connection)
        .await?;
    page(rows, request, |row| (String::new(), row.id.to_string()), entry)
}

pub(crate) async fn one(
    connection: &impl ConnectionTrait,
    number: u64,
) -> Result<Option<EntryDetail>, DbErr> {
    let Ok(number) = i64::try_from(number) else { return Ok(None) };
    let row = Entity::find_by_id(number).one(connection).await?;
    row.map(|row| {
        let entry = entry(&row)?;
        Ok(EntryDetail { entry, before: row.before_body, after: row.after_body })
    })
    .transpose()
}
