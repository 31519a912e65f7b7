//! Channels of alerts as rows, and what they are to be told: written with the alert, read when it is due, and how each try went.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::Query,
};
use tidegate_model::{
    alert::{
        Alert, AlertsOf,
        channel::{
            Channel, ChannelOf, Delivery, DeliveryState, Due, MailServer, MailSettings, PROBLEM_CHARS_MAX,
            Target, Tried, again_at,
        },
    },
    command::{Outcome, Refused},
    decide,
    id::ChannelId,
    port::{Outbox, Page, PageRequest, PortError},
    role::Permission,
    rule::FieldProblem,
    time::Timestamp,
};

use crate::{
    cursor,
    entity::{
        alert, alert_channel, application,
        delivery::{ActiveModel, Column, Entity, Model},
        mail,
    },
    execute::{At, Done},
    reads::{page, parsed, written},
    sqlite::SqliteCatalog,
    vault::Vault,
    writer::{Failed, trouble},
};

/// The place of a channel's secret in the vault.
fn place(id: ChannelId) -> String {
    format!("alert channel:{id}")
}

fn opened(vault: &Vault, row: &alert_channel::Model) -> Result<Channel, DbErr> {
    let mut channel: Channel = parsed(&row.body)?;
    if let Target::Webhook { secret, .. } = &mut channel.target {
        *secret = vault.open(&place(channel.id), secret)?;
    }
    Ok(channel)
}

fn row(vault: &Vault, channel: &Channel) -> Result<alert_channel::ActiveModel, DbErr> {
    let mut sealed = channel.clone();
    if let Target::Webhook { secret, .. } = &mut sealed.target {
        *secret = vault.seal(&place(channel.id), secret)?;
    }
    let (application, api) = match channel.of {
        ChannelOf::Everyone => (None, None),
        ChannelOf::Application(id) => (Some(id.to_string()), None),
        ChannelOf::Api(id) => (None, Some(id.to_string())),
    };
    Ok(alert_channel::ActiveModel {
        id: Set(channel.id.to_string()),
        about: Set(channel.of.name()),
        kind: Set(channel.target.kind().to_owned()),
        application_id: Set(application),
        api_id: Set(api),
        body: Set(written(&sealed)?),
    })
}

/// Writes what channels are to be told of alerts that were made.
pub(crate) async fn tell(
    connection: &impl ConnectionTrait,
    made: &[Alert],
    now: Timestamp,
) -> Result<(), DbErr> {
    for alert in made {
        let about: Vec<_> = ChannelOf::told(alert).into_iter().map(ChannelOf::name).collect();
        let told = alert_channel::Entity::find().filter(alert_channel::Column::About.is_in(about));
        for channel in told.all(connection).await? {
            let waiting = ActiveModel {
                channel_id: Set(channel.id),
                alert_id: Set(alert.id.to_string()),
                state: Set(DeliveryState::Waiting.as_str().to_owned()),
                tries: Set(0),
                due_at: Set(now.millis()),
                tried_at: Set(None),
                problem: Set(String::new()),
            };
            Entity::insert(waiting).exec_without_returning(connection).await?;
        }
    }
    Ok(())
}

/// Rows with the alerts that they are about. One that was forgotten meanwhile has taken its deliveries along.
async fn with_alerts(
    connection: &impl ConnectionTrait,
    rows: Vec<Model>,
) -> Result<Vec<(Model, alert::Model)>, DbErr> {
    let ids = rows.iter().map(|row| row.alert_id.as_str());
    let found = alert::Entity::find().filter(alert::Column::Id.is_in(ids)).all(connection).await?;
    let mut alerts: HashMap<_, _> = found.into_iter().map(|alert| (alert.id.clone(), alert)).collect();
    Ok(rows.into_iter().filter_map(|row| alerts.remove(&row.alert_id).map(|alert| (row, alert))).collect())
}

fn delivery((row, alert): &(Model, alert::Model)) -> Result<Delivery, DbErr> {
    let state = DeliveryState::ALL.into_iter().find(|state| state.as_str() == row.state);
    Ok(Delivery {
        alert: parsed(&alert.body)?,
        state: state.ok_or_else(|| DbErr::Type(format!("{:?} is no state of a delivery", row.state)))?,
        tries: u32::try_from(row.tries).unwrap_or_default(),
        due_at: Timestamp(row.due_at),
        tried_at: row.tried_at.map(Timestamp),
        problem: row.problem.clone(),
    })
}

fn is_due(now: Timestamp) -> Condition {
    Condition::all()
        .add(Column::State.eq(DeliveryState::Waiting.as_str()))
        .add(Column::DueAt.lte(now.millis()))
}

/// The row that there is one of.
const ROW: i32 = 1;
/// The place of the mail server's password in the vault.
const MAIL: &str = "mail server";

async fn mail(connection: &impl ConnectionTrait, vault: &Vault) -> Result<MailSettings, DbErr> {
    let row = mail::Entity::find_by_id(ROW).one(connection).await?;
    let row = row.ok_or_else(|| DbErr::Custom("the row of the mail server is missing".to_owned()))?;
    let mut settings: MailSettings = parsed(&row.body)?;
    if let Some(server) = &mut settings.server {
        server.password = vault.open(MAIL, &server.password)?;
    }
    Ok(settings)
}

#[async_trait::async_trait]
impl Outbox for SqliteCatalog {
    async fn channel(&self, id: ChannelId) -> Result<Option<Channel>, PortError> {
        let row =
            alert_channel::Entity::find_by_id(id.to_string()).one(&self.readers).await.map_err(trouble)?;
        row.map(|row| opened(&self.vault, &row)).transpose().map_err(trouble)
    }

    async fn channels(&self, of: AlertsOf, about: Option<ChannelOf>) -> Result<Vec<Channel>, PortError> {
        use alert_channel::Column;
        let mut condition = Condition::all();
        if let AlertsOf::Person { owner, of_apis } = of {
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
        if let Some(about) = about {
            condition = condition.add(Column::About.eq(about.name()));
        }
        let found = alert_channel::Entity::find().filter(condition).order_by_asc(Column::Id);
        let rows = found.all(&self.readers).await.map_err(trouble)?;
        rows.iter().map(|row| opened(&self.vault, row)).collect::<Result<_, _>>().map_err(trouble)
    }

    async fn deliveries(
        &self,
        channel: ChannelId,
        request: &PageRequest,
    ) -> Result<Page<Delivery>, PortError> {
        let mut condition = Condition::all().add(Column::ChannelId.eq(channel.to_string()));
        if let Some((_, last)) = cursor::read(request.cursor.as_deref()) {
            condition = condition.add(Column::AlertId.lt(last));
        }
        let found = Entity::find()
            .filter(condition)
            .order_by_desc(Column::AlertId)
            .limit(u64::from(request.limit) + 1);
        let rows = found.all(&self.readers).await.map_err(trouble)?;
        let rows = with_alerts(&self.readers, rows).await.map_err(trouble)?;
        page(rows, request, |(row, _)| (String::new(), row.alert_id.clone()), delivery).map_err(trouble)
    }

    async fn due_channels(&self, now: Timestamp, most: u64) -> Result<Vec<ChannelId>, PortError> {
        let due = Entity::find()
            .select_only()
            .column(Column::ChannelId)
            .filter(is_due(now))
            .group_by(Column::ChannelId)
            .order_by_asc(Column::DueAt.min())
            .limit(most)
            .into_tuple::<String>();
        let found = due.all(&self.readers).await.map_err(trouble)?;
        found.iter().map(|text| crate::reads::id(text)).collect::<Result<_, _>>().map_err(trouble)
    }

    async fn due(&self, channel: ChannelId, now: Timestamp) -> Result<Option<Due>, PortError> {
        let first = Entity::find()
            .filter(is_due(now).add(Column::ChannelId.eq(channel.to_string())))
            .order_by_asc(Column::DueAt)
            .order_by_asc(Column::AlertId);
        let first = first.one(&self.readers).await.map_err(trouble)?;
        let found = with_alerts(&self.readers, Vec::from_iter(first)).await.map_err(trouble)?;
        let Some(found) = found.first() else { return Ok(None) };
        let alert = delivery(found).map_err(trouble)?.alert;
        Ok(self.channel(channel).await?.map(|channel| Due { channel, alert }))
    }

    async fn mail(&self) -> Result<MailSettings, PortError> {
        mail(&self.readers, &self.vault).await.map_err(trouble)
    }
}

impl At<'_> {
    /// Whether whoever acts may have a channel of these alerts, and may know of it.
    async fn owns_alerts(&self, of: ChannelOf) -> Result<(), Failed> {
        match of {
            ChannelOf::Everyone => self.needs(Permission::Administer)?,
            ChannelOf::Application(id) => self.own_application(id).await.map(drop)?,
            ChannelOf::Api(id) => {
                self.needs(Permission::ApiPublish)?;
                self.api(id).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn create_channel(&self, mut channel: Channel) -> Done {
        decide::no_problems(channel.problems())?;
        self.owns_alerts(channel.of).await?;
        let (about, kind) = (channel.of.name(), channel.target.kind());
        let same = alert_channel::Entity::find()
            .filter(alert_channel::Column::About.eq(about.as_str()))
            .filter(alert_channel::Column::Kind.eq(kind));
        if same.count(self.db).await? > 0 {
            let detail =
                "There is a channel of this kind for these alerts. Delete it first, or let it go on.";
            return Err(Refused::Duplicate(FieldProblem::new("", "duplicate", detail)).into());
        }
        (channel.created_at, channel.created_by) = (self.now, self.actor.name.clone());
        alert_channel::Entity::insert(row(self.vault, &channel)?).exec_without_returning(self.db).await?;
        let told = ("made a channel of alerts", kind);
        self.differs(&about, told, None, Some(&channel.redacted())).await?;
        Ok(Outcome::AlertChannel(Box::new(channel)))
    }

    pub(crate) async fn delete_channel(&self, id: ChannelId) -> Done {
        let missing = || Refused::NotFound("alert channel");
        let row =
            alert_channel::Entity::find_by_id(id.to_string()).one(self.db).await?.ok_or_else(missing)?;
        let channel = opened(self.vault, &row)?;
        self.owns_alerts(channel.of).await.map_err(|_| missing())?;
        alert_channel::Entity::delete_by_id(row.id).exec(self.db).await?;
        let told = ("deleted a channel of alerts", channel.target.kind());
        self.differs(&channel.of.name(), told, Some(&channel.redacted()), None).await?;
        Ok(Outcome::Done)
    }

    /// Writes how a try went. What was deleted meanwhile needs nothing.
    pub(crate) async fn keep_try(&self, tried: Tried) -> Done {
        self.needs(Permission::Administer)?;
        let key = (tried.channel.to_string(), tried.alert.to_string());
        let Some(was) = Entity::find_by_id(key.clone()).one(self.db).await? else {
            return Ok(Outcome::Done);
        };
        let tries = was.tries.saturating_add(1);
        let again = again_at(u32::try_from(tries).unwrap_or(u32::MAX), self.now);
        let (state, due_at) = match (&tried.problem, again) {
            (None, _) => (DeliveryState::Delivered, was.due_at),
            (Some(_), Some(at)) => (DeliveryState::Waiting, at.millis()),
            (Some(_), None) => (DeliveryState::GivenUp, was.due_at),
        };
        let problem: String = tried.problem.unwrap_or_default().chars().take(PROBLEM_CHARS_MAX).collect();
        let is = ActiveModel {
            channel_id: Unchanged(key.0),
            alert_id: Unchanged(key.1),
            state: Set(state.as_str().to_owned()),
            tries: Set(tries),
            due_at: Set(due_at),
            tried_at: Set(Some(self.now.millis())),
            problem: Set(problem),
        };
        Entity::update(is).exec(self.db).await?;
        Ok(Outcome::Done)
    }

    pub(crate) async fn change_mail(&self, based_on: Option<u64>, server: Option<MailServer>) -> Done {
        let was = mail(self.db, self.vault).await?;
        let is = decide::alerts::change_mail(&was, based_on, server, self.actor)?;
        let mut sealed = is.clone();
        if let Some(server) = &mut sealed.server {
            server.password = self.vault.seal(MAIL, &server.password)?;
        }
        let row = mail::ActiveModel { id: Unchanged(ROW), body: Set(written(&sealed)?) };
        mail::Entity::update(row).exec(self.db).await?;
        let shown = |settings: &MailSettings| settings.server.as_ref().map(MailServer::redacted);
        let told = if is.server.is_some() { "set the mail server" } else { "took the mail server away" };
        self.differs("mail", (told, ""), shown(&was).as_ref(), shown(&is).as_ref()).await?;
        Ok(Outcome::Mail(Box::new(is)))
    }
}
