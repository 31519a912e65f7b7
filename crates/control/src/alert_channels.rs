//! Channels by which people are told of alerts, webhooks and mails: `/alert-channels`.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    alert::{
        AlertsOf,
        channel::{Channel, ChannelOf, Delivery, DeliveryState, Target},
    },
    command::{AlertCommand, Command, Outcome},
    id::{ApiId, ApplicationId, ChannelId},
    role::Permission,
    rule::FieldProblem,
    time::Timestamp,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    alerts::AlertAnswer,
    authenticate::Caller,
    body::{Answer, Created, InPath, InQuery, Json},
    list::{List, PageQuery},
    outbox,
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
};

/// A channel to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAlertChannel {
    /// For the alerts about one of your applications and its subscriptions.
    application_id: Option<Uuid>,
    /// For the alerts about an API, its topics and its subscriptions. Neither of both: all alerts, for administrators.
    api_id: Option<Uuid>,
    /// `webhook` or `email`. There is one of each for the same alerts.
    #[schema(example = "webhook")]
    kind: String,
    /// Of a webhook: where. `https://`, and `http://` on this machine alone.
    #[schema(example = "https://hooks.example.com/tidegate")]
    url: Option<String>,
    /// Of mails: 1 to 5 addresses.
    addresses: Option<Vec<String>>,
}

/// A channel. The secret of a webhook is not told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertChannel)]
pub(crate) struct AlertChannelAnswer {
    id: Uuid,
    /// Null where it is not for one application.
    #[schema(required)]
    application_id: Option<Uuid>,
    /// Null where it is not for one API.
    #[schema(required)]
    api_id: Option<Uuid>,
    /// `webhook` or `email`.
    kind: &'static str,
    /// Null of mails.
    #[schema(required)]
    url: Option<String>,
    /// Empty of a webhook.
    addresses: Vec<String>,
    created_at: String,
    created_by: String,
}

impl From<Channel> for AlertChannelAnswer {
    fn from(channel: Channel) -> Self {
        let (application_id, api_id) = match channel.of {
            ChannelOf::Everyone => (None, None),
            ChannelOf::Application(id) => (Some(id.0), None),
            ChannelOf::Api(id) => (None, Some(id.0)),
        };
        let kind = channel.target.kind();
        let (url, addresses) = match channel.target {
            Target::Webhook { url, .. } => (Some(url), Vec::new()),
            Target::Email { addresses } => (None, addresses),
        };
        Self {
            id: channel.id.0,
            application_id,
            api_id,
            kind,
            url,
            addresses,
            created_at: channel.created_at.rfc3339(),
            created_by: channel.created_by,
        }
    }
}

/// A channel with the secret of its webhook, shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AlertChannelWithSecret)]
pub(crate) struct NewAlertChannelAnswer {
    #[serde(flatten)]
    listed: AlertChannelAnswer,
    /// With what requests are signed. It is not shown again. Null of mails.
    #[schema(required)]
    secret: Option<String>,
}

/// How far the telling of an alert has come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(crate) struct DeliveryAnswer {
    alert: AlertAnswer,
    /// `waiting`, `delivered` or `given_up`.
    state: &'static str,
    /// How often it was tried.
    tries: u32,
    /// When it was tried last.
    #[schema(required)]
    tried_at: Option<String>,
    /// When it is tried next; null where it is not.
    #[schema(required)]
    next_at: Option<String>,
    /// Why it was not taken, at the last try.
    #[schema(required)]
    problem: Option<String>,
}

impl From<Delivery> for DeliveryAnswer {
    fn from(delivery: Delivery) -> Self {
        let waits = delivery.state == DeliveryState::Waiting;
        Self {
            alert: delivery.alert.into(),
            state: delivery.state.as_str(),
            tries: delivery.tries,
            tried_at: delivery.tried_at.map(Timestamp::rfc3339),
            next_at: waits.then(|| delivery.due_at.rfc3339()),
            problem: Some(delivery.problem).filter(|problem| !problem.is_empty()),
        }
    }
}

/// Of whom; nothing is about one application and one API at once.
fn of(application: Option<Uuid>, api: Option<Uuid>) -> Result<ChannelOf, Problem> {
    match (application, api) {
        (None, None) => Ok(ChannelOf::Everyone),
        (Some(id), None) => Ok(ChannelOf::Application(ApplicationId(id))),
        (None, Some(id)) => Ok(ChannelOf::Api(ApiId(id))),
        (Some(_), Some(_)) => Err(wrong("/api_id", "one_of", "Give an application or an API, and not both.")),
    }
}

fn wrong(pointer: &str, code: &'static str, detail: &str) -> Problem {
    Problem::Validation(vec![FieldProblem::new(pointer, code, detail)])
}

/// Whose channels somebody may know of: those that they may make.
fn seen_by(caller: &Caller) -> Result<AlertsOf, Problem> {
    let actor = caller.may_either(Permission::AppManage, Permission::ApiPublish)?;
    Ok(if actor.may(Permission::Administer) {
        AlertsOf::Everyone
    } else {
        AlertsOf::Person { owner: caller.user.id, of_apis: actor.may(Permission::ApiPublish) }
    })
}

/// One that the caller may know of.
async fn own(inner: &Inner, caller: &Caller, id: Uuid) -> Result<Channel, Problem> {
    const MISSING: Problem = Problem::NotFound("alert channel");
    let found = inner.ports.outbox.channel(ChannelId(id)).await?.ok_or(MISSING)?;
    let seen = inner.ports.outbox.channels(seen_by(caller)?, Some(found.of)).await?;
    seen.into_iter().find(|one| one.id == found.id).ok_or(MISSING)
}

/// Make a channel of alerts
///
/// From now on each new alert is told on it: to a webhook by a POST that is signed as
/// [Standard Webhooks](https://www.standardwebhooks.com) has it, or by a mail.
#[utoipa::path(post, path = "/alert-channels", tag = "alerts", operation_id = "createAlertChannel",
    request_body = NewAlertChannel,
    responses((status = 201, body = NewAlertChannelAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<NewAlertChannel>,
) -> Result<Created<Answer<NewAlertChannelAnswer>>, Problem> {
    let of = of(input.application_id, input.api_id)?;
    let target = match (&*input.kind, input.url, input.addresses) {
        ("webhook", url, None) => {
            Target::Webhook { url: url.unwrap_or_default(), secret: outbox::new_secret(&inner) }
        }
        ("email", None, addresses) => Target::Email { addresses: addresses.unwrap_or_default() },
        ("webhook", _, Some(_)) => return Err(wrong("/addresses", "unknown_field", "A webhook has a url.")),
        ("email", Some(_), _) => return Err(wrong("/url", "unknown_field", "Mails have addresses.")),
        _ => return Err(wrong("/kind", "unknown_kind", "Choose from webhook and email.")),
    };
    let channel = Channel {
        id: ChannelId::new(inner.now(), inner.ports.entropy.id_bytes()),
        of,
        target,
        // The store says these.
        created_at: inner.now(),
        created_by: String::new(),
    };
    let command = Command::Alert(AlertCommand::CreateChannel(Box::new(channel)));
    let Outcome::AlertChannel(made) = inner.execute(&caller.actor(), command).await? else {
        return Err(Problem::Internal("a command answered something else"));
    };
    let place = format!("/api/v1/alert-channels/{}", made.id);
    let secret = match &made.target {
        Target::Webhook { secret, .. } => Some(secret.0.clone()),
        Target::Email { .. } => None,
    };
    Ok(Created(place, Answer(NewAlertChannelAnswer { listed: (*made).into(), secret })))
}

/// Which channels.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertChannelsQuery {
    /// Those of this application.
    application_id: Option<Uuid>,
    /// Those of this API.
    api_id: Option<Uuid>,
}

/// Channels of alerts, oldest first
///
/// Those of one's own applications; of APIs, for who publishes; all, for administrators.
#[utoipa::path(get, path = "/alert-channels", tag = "alerts", operation_id = "listAlertChannels",
    params(AlertChannelsQuery),
    responses((status = 200, body = List<AlertChannelAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InQuery(query): InQuery<AlertChannelsQuery>,
) -> Result<Answer<List<AlertChannelAnswer>>, Problem> {
    let about = match of(query.application_id, query.api_id)? {
        ChannelOf::Everyone => None,
        about => Some(about),
    };
    let found = inner.ports.outbox.channels(seen_by(&caller)?, about).await?;
    Ok(Answer(List::whole(found.into_iter().map(AlertChannelAnswer::from).collect())))
}

/// Delete a channel, with what it was still to tell
#[utoipa::path(delete, path = "/alert-channels/{id}", tag = "alerts", operation_id = "deleteAlertChannel",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<StatusCode, Problem> {
    let command = Command::Alert(AlertCommand::DeleteChannel { id: ChannelId(id) });
    inner.execute(&caller.actor(), command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a channel has told and is to tell, newest first
#[utoipa::path(get, path = "/alert-channels/{id}/deliveries", tag = "alerts", operation_id = "listDeliveries",
    params(("id" = Uuid, Path), PageQuery),
    responses((status = 200, body = List<DeliveryAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn deliveries(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Answer<List<DeliveryAnswer>>, Problem> {
    let channel = own(&inner, &caller, id).await?;
    let found = inner.ports.outbox.deliveries(channel.id, &query.into()).await?;
    Ok(Answer(List { items: found.items.into_iter().map(DeliveryAnswer::from).collect(), next: found.next }))
}

/// How a test went.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelTest {
    /// It was taken.
    taken: bool,
    /// Why it was not.
    #[schema(required)]
    problem: Option<String>,
}

impl ChannelTest {
    pub(crate) fn of(told: Result<(), String>) -> Self {
        Self { taken: told.is_ok(), problem: told.err() }
    }
}

/// Tell a test on a channel, and how it went
///
/// As an alert is told, of the type `test`, once and at once.
#[utoipa::path(post, path = "/alert-channels/{id}/test", tag = "alerts", operation_id = "testAlertChannel",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = ChannelTest), (status = "default", body = ProblemDocument)))]
pub(crate) async fn test(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Answer<ChannelTest>, Problem> {
    let channel = own(&inner, &caller, id).await?;
    let name = ChannelId::new(inner.now(), inner.ports.entropy.id_bytes()).to_string();
    let told = outbox::test(&inner, &channel, name).await;
    let busy = "Something is being told on this channel. Try again in a moment.";
    Ok(Answer(ChannelTest::of(told.ok_or_else(|| Problem::Conflict(busy.to_owned()))?)))
}
