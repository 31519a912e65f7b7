//! Alerts: `/alerts`, for whom they concern, and when they are made: `/alerts/settings`.

use axum::{extract::State, http::HeaderMap};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    alert::{Alert, AlertQuery, AlertSettings, AlertsOf},
    command::{AlertCommand, Command, Outcome},
    id::{ApiId, ApplicationId},
    limit::Window,
    role::Permission,
    rule::FieldProblem,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    authenticate::Caller,
    body::{Answer, InQuery, Json, Tagged, required_if_match},
    list::{Limit, List, page},
    policies::LimitAnswer,
    problem::{Problem, ProblemDocument},
    state::Control,
};

/// The application of an alert, by its name at that time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertedApplication {
    id: Uuid,
    name: String,
}

/// The API of an alert, by its name at that time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertedApi {
    id: Uuid,
    name: String,
    version: String,
}

/// A part of a limit was used.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alert)]
pub(crate) struct AlertAnswer {
    id: Uuid,
    /// When it was made, RFC 3339.
    at: String,
    /// Against whom the policy is held: `api`, `topic`, `application` or `subscription`.
    level: &'static str,
    /// Name of the plan or policy.
    policy: String,
    /// The limit at that time.
    limit: LimitAnswer,
    /// In percent of the limit.
    threshold: u8,
    /// Units used by then.
    used: u64,
    /// When all of the limit is there again, RFC 3339.
    renewed_at: String,
    /// The application that is held to it; null of an API and a topic.
    #[schema(required)]
    application: Option<AlertedApplication>,
    /// The API; null of an application's own policy.
    #[schema(required)]
    api: Option<AlertedApi>,
    /// The topic as it is declared; null of all but a topic.
    #[schema(required)]
    topic: Option<String>,
}

impl From<Alert> for AlertAnswer {
    fn from(alert: Alert) -> Self {
        Self {
            id: alert.id.0,
            at: alert.at.rfc3339(),
            level: alert.level().as_str(),
            limit: LimitAnswer::from(&alert.limit),
            threshold: alert.threshold,
            used: alert.used,
            renewed_at: alert.renewed_at().rfc3339(),
            topic: alert.topic().map(str::to_owned),
            application: alert.application.map(|it| AlertedApplication { id: it.id.0, name: it.name }),
            api: alert.api.map(|it| AlertedApi { id: it.id.0, name: it.name, version: it.version }),
            policy: alert.policy,
        }
    }
}

/// Which alerts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertsQuery {
    /// About this application or its subscriptions.
    application_id: Option<Uuid>,
    /// About this API, its topics or its subscriptions.
    api_id: Option<Uuid>,
    /// Most entries, 1 to 200; 50 when not given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Alerts, newest first
///
/// A developer sees those of own applications and their subscriptions; who may view APIs, those about an API; an administrator
/// all. They are kept for 31 days, at most 50,000.
#[utoipa::path(get, path = "/alerts", tag = "alerts", operation_id = "listAlerts", params(AlertsQuery),
    responses((status = 200, body = List<AlertAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InQuery(query): InQuery<AlertsQuery>,
) -> Result<Answer<List<AlertAnswer>>, Problem> {
    let actor = caller.may_either(Permission::AppManage, Permission::ApiView)?;
    let of = if actor.may(Permission::Administer) {
        AlertsOf::Everyone
    } else {
        AlertsOf::Person { owner: caller.user.id, of_apis: actor.may(Permission::ApiView) }
    };
    let asked =
        AlertQuery { of, application: query.application_id.map(ApplicationId), api: query.api_id.map(ApiId) };
    let found = inner.ports.catalog.alerts(&asked, &page(query.limit, query.cursor)).await?;
    Ok(Answer(List { items: found.items.into_iter().map(AlertAnswer::from).collect(), next: found.next }))
}

/// When alerts are made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AlertSettings)]
pub(crate) struct AlertSettingsBody {
    /// In percent of a limit, 1 to 100, at most five; none: no alerts.
    thresholds: Vec<u8>,
    /// Of limits over these windows: `minute`, `hour`, `day`, `month`.
    windows: Vec<String>,
}

fn answer(settings: AlertSettings) -> Tagged<AlertSettingsBody> {
    let windows = settings.windows.into_iter().map(|window| window.as_str().to_owned()).collect();
    Tagged(settings.etag, AlertSettingsBody { thresholds: settings.thresholds, windows })
}

/// When alerts are made
#[utoipa::path(get, path = "/alerts/settings", tag = "alerts", operation_id = "getAlertSettings",
    responses((status = 200, body = AlertSettingsBody), (status = "default", body = ProblemDocument)))]
pub(crate) async fn settings(
    State(Control(inner)): State<Control>,
) -> Result<Tagged<AlertSettingsBody>, Problem> {
    Ok(answer(inner.ports.catalog.alert_settings().await?))
}

/// Change when alerts are made
///
/// It holds from the next message on. What was told of a window already is not told again.
#[utoipa::path(put, path = "/alerts/settings", tag = "alerts", operation_id = "updateAlertSettings",
    params(("If-Match" = String, Header)), request_body = AlertSettingsBody,
    responses((status = 200, body = AlertSettingsBody), (status = "default", body = ProblemDocument)))]
pub(crate) async fn update_settings(
    State(Control(inner)): State<Control>,
    caller: Caller,
    headers: HeaderMap,
    Json(input): Json<AlertSettingsBody>,
) -> Result<Tagged<AlertSettingsBody>, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let based_on = required_if_match(&headers)?;
    let (mut windows, mut problems) = (Vec::new(), Vec::new());
    for (place, word) in input.windows.iter().enumerate() {
        let known = Window::ALL.into_iter().find(|window| window.as_str() == word);
        windows.extend(known);
        if known.is_none() {
            let detail = "Choose from minute, hour, day and month.";
            problems.push(FieldProblem::new(format!("/windows/{place}"), "unknown_window", detail));
        }
    }
    if !problems.is_empty() {
        return Err(Problem::Validation(problems));
    }
    let change = AlertCommand::ChangeSettings { based_on, thresholds: input.thresholds, windows };
    match inner.execute(&actor, Command::Alert(change)).await? {
        Outcome::AlertSettings(settings) => Ok(answer(settings)),
        _ => Err(Problem::Internal("a command answered something else")),
    }
}
