//! Reading APIs: the list, one of them, its changes, traffic and subscriptions.

use std::{collections::HashMap, str::FromStr as _};

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tidegate_model::{
    api::Api,
    fact::TrafficOf,
    id::ApiId,
    lifecycle,
    port::{ApiQuery, SubscriptionQuery},
    role::Permission,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::answer::{ApiAnswer, api_answer};
use crate::{
    authenticate::Caller,
    body::{Answer, InPath, InQuery, Tagged, UpTo},
    list::{Limit, List, PageQuery, page},
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
    traffic::{self, TrafficAnswer, TrafficQuery},
    usage::{UsageAnswer, Usages},
};

/// Entries of the audit log that are shown.
const CHANGES_MAX: u32 = 100;

/// Which APIs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ApisQuery {
    /// Words that name, context or version contain.
    q: Option<String>,
    /// Only this lifecycle state.
    state: Option<String>,
    /// Most entries, 1 to 200; 50 when not given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// An API in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiSummary {
    id: Uuid,
    name: String,
    context: String,
    version: String,
    state: String,
    owner: String,
    is_default_version: bool,
    demo: bool,
    updated_at: String,
    /// Sessions open now.
    sessions_open: u64,
    /// Subscriptions to it.
    subscriptions: u64,
    /// Whether the working copy differs from what is live.
    differs: bool,
}

/// APIs, by name
#[utoipa::path(get, path = "/apis", tag = "apis", operation_id = "listApis", params(ApisQuery),
    responses((status = 200, body = List<ApiSummary>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InQuery(query): InQuery<ApisQuery>,
) -> Result<Answer<List<ApiSummary>>, Problem> {
    caller.may(Permission::ApiView)?;
    let state = query.state.as_deref().filter(|state| !state.is_empty()).map(lifecycle::State::from_str);
    let state =
        state.transpose().map_err(|_| Problem::Malformed("There is no such lifecycle state.".to_owned()))?;
    let asked = ApiQuery { text: query.q.unwrap_or_default(), states: state.into_iter().collect() };
    let found = inner.ports.catalog.apis(&asked, &page(query.limit, query.cursor)).await?;
    let subscribed: HashMap<_, _> = inner.ports.catalog.subscription_counts().await?.into_iter().collect();
    let open = inner.feed.open_by_api();
    let summary = |api: Api| ApiSummary {
        id: api.id.0,
        state: api.state.as_str().to_owned(),
        is_default_version: api.is_default_version,
        demo: api.demo,
        updated_at: api.updated_at.rfc3339(),
        sessions_open: open.get(&api.id).copied().unwrap_or_default(),
        subscriptions: subscribed.get(&api.id).copied().unwrap_or_default(),
        differs: !api.differences().is_empty(),
        owner: api.owner_name,
        name: api.name,
        context: api.context,
        version: api.version,
    };
    Ok(Answer(List { items: found.items.into_iter().map(summary).collect(), next: found.next }))
}

/// The API, if the caller may see APIs that are not public.
pub(super) async fn viewed(inner: &Inner, caller: &Caller, id: Uuid) -> Result<Api, Problem> {
    caller.may(Permission::ApiView)?;
    inner.ports.catalog.api(ApiId(id)).await?.ok_or(Problem::NotFound("API"))
}

/// An API
#[utoipa::path(get, path = "/apis/{id}", tag = "apis", operation_id = "getApi", params(("id" = Uuid, Path)),
    responses((status = 200, body = ApiAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Tagged<ApiAnswer>, Problem> {
    let api = viewed(&inner, &caller, id).await?;
    Ok(Tagged(api.etag, api_answer(&inner.settings.load(), api)))
}

/// How many entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangesQuery {
    /// Most entries, 1 to 100; 100 when not given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<UpTo<CHANGES_MAX>>,
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Change)]
pub(crate) struct ChangeAnswer {
    at: String,
    by: String,
    action: String,
    detail: String,
}

/// What was done to an API, newest first
#[utoipa::path(get, path = "/apis/{id}/changes", tag = "apis", operation_id = "listChanges",
    params(("id" = Uuid, Path), ChangesQuery),
    responses((status = 200, body = List<ChangeAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn changes(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    InQuery(query): InQuery<ChangesQuery>,
) -> Result<Answer<List<ChangeAnswer>>, Problem> {
    let api = viewed(&inner, &caller, id).await?;
    let limit = query.limit.map_or(CHANGES_MAX, |limit| limit.0);
    let found = inner.ports.catalog.changes(api.id, limit).await?;
    let items = found.into_iter().map(|change| ChangeAnswer {
        at: change.at.rfc3339(),
        by: change.by,
        action: change.action,
        detail: change.detail,
    });
    Ok(Answer(List::whole(items.collect())))
}

/// Traffic of an API over all applications
#[utoipa::path(get, path = "/apis/{id}/traffic", tag = "apis", operation_id = "getApiTraffic",
    params(("id" = Uuid, Path), TrafficQuery),
    responses((status = 200, body = TrafficAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn traffic(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    InQuery(query): InQuery<TrafficQuery>,
) -> Result<Answer<TrafficAnswer>, Problem> {
    let api = viewed(&inner, &caller, id).await?;
    Ok(Answer(traffic::read(&inner, TrafficOf::Api(api.id), &query).await?))
}

/// Who subscribed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubscriberAnswer {
    id: Uuid,
    name: String,
    owner: String,
}

/// A subscription, seen from the API.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiSubscription {
    id: Uuid,
    application: SubscriberAnswer,
    plan: String,
    /// What is used of the plan. Null where gateways do not know it.
    #[schema(required)]
    usage: Option<UsageAnswer>,
    created_at: String,
}

/// Subscriptions to an API
#[utoipa::path(get, path = "/apis/{id}/subscriptions", tag = "apis", operation_id = "listApiSubscriptions",
    params(("id" = Uuid, Path), PageQuery),
    responses((status = 200, body = List<ApiSubscription>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn subscriptions(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Answer<List<ApiSubscription>>, Problem> {
    let api = viewed(&inner, &caller, id).await?;
    let asked = SubscriptionQuery { api: Some(api.id), ..SubscriptionQuery::default() };
    let found = inner.ports.catalog.subscriptions(asked, &query.into()).await?;
    let usages = Usages::of(&inner, &found.items).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for subscription in found.items {
        let Some(application) = inner.ports.catalog.application(subscription.application).await? else {
            continue;
        };
        items.push(ApiSubscription {
            id: subscription.id.0,
            application: SubscriberAnswer {
                id: application.id.0,
                name: application.name,
                owner: application.owner_name,
            },
            usage: usages.under(&inner, &subscription),
            plan: subscription.plan,
            created_at: subscription.created_at.rfc3339(),
        });
    }
    Ok(Answer(List { items, next: found.next }))
}
