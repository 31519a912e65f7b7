//! Alerts as rows: made in the transaction that adds what was used, read by whom they concern, forgotten.
//!
//! Up to which threshold there was an alert is noted in the budget's own row, and goes with its window: so that the bound on
//! alerts that are kept brings none back. The unique key of alerts stands behind it.

use std::collections::HashMap;

use aws_lc_rs::digest;
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::Query,
};
use tidegate_model::{
    alert::{ALERTS_MAX, Alert, AlertQuery, AlertSettings, AlertsOf, KEPT_MILLIS, Watch, Watched},
    command::{AlertCommand, Outcome},
    decide,
    id::AlertId,
    port::{Page, PageRequest},
    time::Timestamp,
};

use crate::{
    cursor,
    entity::{
        alert::{ActiveModel, Column, Entity},
        alert_settings, application, budget,
    },
    execute::{At, Done},
    outbox,
    reads::{page, parsed, written},
};

/// The row that there is one of.
const ROW: i32 = 1;
/// Holders asked for in one statement.
const ROWS_MAX: usize = 500;

pub(crate) async fn settings(connection: &impl ConnectionTrait) -> Result<AlertSettings, DbErr> {
    let row = alert_settings::Entity::find_by_id(ROW).one(connection).await?;
    let row = row.ok_or_else(|| DbErr::Custom("the row of alert settings is missing".to_owned()))?;
    parsed(&row.body)
}

/// Makes the alerts that are due, once what was used is added; answers them.
pub(crate) async fn make(connection: &impl ConnectionTrait, watch: &Watch) -> Result<Vec<Alert>, DbErr> {
    if watch.limits.is_empty() {
        return Ok(Vec::new());
    }
    let settings = settings(connection).await?;
    let mut watched = HashMap::new();
    for one in watch.limits.iter().filter(|one| settings.windows.contains(&one.limit.per)) {
        watched.insert((written(&one.key.holder)?, written(&one.key.shape)?), one);
    }
    let mut made = Vec::new();
    let holders: Vec<_> = watched.keys().map(|(holder, _)| holder.as_str()).collect();
    for some in holders.chunks(ROWS_MAX) {
        let rows = budget::Entity::find().filter(budget::Column::Holder.is_in(some.iter().copied()));
        for row in rows.all(connection).await? {
            if let Some(one) = watched.get(&(row.holder.clone(), row.shape.clone())) {
                made.extend(make_of(connection, &settings, one, &row, watch.now).await?);
            }
        }
    }
    if !made.is_empty() {
        outbox::tell(connection, &made, watch.now).await?;
        forget(connection, watch.now).await?;
    }
    Ok(made)
}

async fn make_of(
    connection: &impl ConnectionTrait,
    settings: &AlertSettings,
    one: &Watched,
    row: &budget::Model,
    now: Timestamp,
) -> Result<Vec<Alert>, DbErr> {
    let used = u64::try_from(row.units).unwrap_or_default();
    let alerted = u8::try_from(row.alerted).unwrap_or(u8::MAX);
    let reached: Vec<_> = settings.reached(used, one.limit.amount, alerted).collect();
    let Some(highest) = reached.last() else { return Ok(Vec::new()) };
    let mut made = Vec::with_capacity(reached.len());
    for threshold in &reached {
        let same = Entity::find()
            .filter(Column::Holder.eq(row.holder.as_str()))
            .filter(Column::Shape.eq(row.shape.as_str()))
            .filter(Column::Period.eq(row.period))
            .filter(Column::Threshold.eq(i32::from(*threshold)));
        // A clock that went to another window and came back has taken the note along.
        if same.one(connection).await?.is_some() {
            continue;
        }
        let window = u64::try_from(row.period).unwrap_or_default();
        let id = AlertId::new(now, distinct(row, *threshold));
        let alert = one.alert(id, now, window, *threshold, used);
        Entity::insert(row_of(row, &alert)?).exec_without_returning(connection).await?;
        made.push(alert);
    }
    let noted = budget::ActiveModel {
        holder: Unchanged(row.holder.clone()),
        shape: Unchanged(row.shape.clone()),
        alerted: Set(i32::from(*highest)),
        ..Default::default()
    };
    budget::Entity::update(noted).exec(connection).await?;
    Ok(made)
}

/// Bytes that no other alert of the same moment has.
fn distinct(row: &budget::Model, threshold: u8) -> [u8; 10] {
    let text = format!("{} {} {} {threshold}", row.holder, row.shape, row.period);
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    std::array::from_fn(|place| hash.as_ref()[place])
}

fn row_of(row: &budget::Model, alert: &Alert) -> Result<ActiveModel, DbErr> {
    Ok(ActiveModel {
        id: Set(alert.id.to_string()),
        holder: Set(row.holder.clone()),
        shape: Set(row.shape.clone()),
        period: Set(row.period),
        threshold: Set(i32::from(alert.threshold)),
        at: Set(alert.at.millis()),
        api_id: Set(alert.api.as_ref().map(|api| api.id.to_string())),
        application_id: Set(alert.application.as_ref().map(|application| application.id.to_string())),
        body: Set(written(alert)?),
    })
}

/// Forgets what was kept long enough, and what is beyond the bound.
async fn forget(connection: &impl ConnectionTrait, now: Timestamp) -> Result<(), DbErr> {
    let over = Column::At.lt(now.plus_millis(-KEPT_MILLIS).millis());
    Entity::delete_many().filter(over).exec(connection).await?;
    let first_too_many = Entity::find()
        .select_only()
        .column(Column::Id)
        .order_by_desc(Column::Id)
        .offset(ALERTS_MAX)
        .limit(1)
        .into_tuple::<String>()
        .one(connection)
        .await?;
    if let Some(first) = first_too_many {
        Entity::delete_many().filter(Column::Id.lte(first)).exec(connection).await?;
    }
    Ok(())
}

pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    query: &AlertQuery,
    request: &PageRequest,
) -> Result<Page<Alert>, DbErr> {
    let mut condition = Condition::all();
    // Ids are UUIDs of version 7: their order is the order of creation.
    if let Some((_, last)) = cursor::read(request.cursor.as_deref()) {
        condition = condition.add(Column::Id.lt(last));
    }
    if let AlertsOf::Person { owner, of_apis } = query.of {
        let owned = Query::select()
            .column(application::Column::Id)
            .from(application::Entity)
            .and_where(application::Column::Owner.eq(owner.to_string()))
            .to_owned();
        let mut theirs = Condition::any().add(Column::ApplicationId.in_subquery(owned));
        if of_apis {
            theirs = theirs.add(Column::ApiId.is_not_null());
        }
        condition = condition.add(theirs);
    }
    if let Some(application) = query.application {
        condition = condition.add(Column::ApplicationId.eq(application.to_string()));
    }
    if let Some(api) = query.api {
        condition = condition.add(Column::ApiId.eq(api.to_string()));
    }
    let rows = Entity::find()
        .filter(condition)
        .order_by_desc(Column::Id)
        .limit(u64::from(request.limit) + 1)
        .all(connection)
        .await?;
    page(rows, request, |row| (String::new(), row.id.clone()), |row| parsed(&row.body))
}

impl At<'_> {
    pub(crate) async fn change_alerts(&self, command: AlertCommand) -> Done {
        match command {
            AlertCommand::ChangeSettings { based_on, thresholds, windows } => {
                let was = settings(self.db).await?;
                let is = decide::alerts::change_settings(&was, (based_on, thresholds, windows), self.actor)?;
                let row = alert_settings::ActiveModel { id: Unchanged(ROW), body: Set(written(&is)?) };
                alert_settings::Entity::update(row).exec(self.db).await?;
                self.differs("alerts", ("changed when alerts are made", ""), Some(&was), Some(&is)).await?;
                Ok(Outcome::AlertSettings(is))
            }
            AlertCommand::CreateChannel(channel) => self.create_channel(*channel).await,
            AlertCommand::DeleteChannel { id } => self.delete_channel(id).await,
            AlertCommand::KeepTry(tried) => self.keep_try(tried).await,
            AlertCommand::ChangeMail { based_on, server } => {
                self.change_mail(based_on, server.map(|server| *server)).await
            }
        }
    }
}
