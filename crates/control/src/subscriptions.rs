//! Subscriptions, the developer's side: `/subscriptions`.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    application::Subscription,
    command::{Command, CreateSubscription, Outcome},
    id::{ApiId, ApplicationId, SubscriptionId},
    port::SubscriptionQuery,
    role::Permission,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    apis::answer::{Urls, urls},
    authenticate::Caller,
    body::{Answer, Created, InPath, InQuery, Json},
    list::{Limit, List, page},
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
    usage::{UsageAnswer, Usages},
};

/// A subscription to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSubscription {
    /// One of your applications.
    application_id: Uuid,
    /// A published API.
    api_id: Uuid,
    /// One of the plans the API offers.
    #[schema(example = "Gold")]
    plan: String,
}

/// The application of a subscription.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubscribedApplication {
    id: Uuid,
    name: String,
}

/// The API of a subscription.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubscribedApi {
    id: Uuid,
    name: String,
    context: String,
    version: String,
    urls: Urls,
}

/// A subscription.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Subscription)]
pub(crate) struct SubscriptionAnswer {
    id: Uuid,
    application: SubscribedApplication,
    api: SubscribedApi,
    plan: String,
    /// What is used of the plan. Null where gateways do not know it.
    #[schema(required)]
    usage: Option<UsageAnswer>,
    created_at: String,
}

async fn answer(
    inner: &Inner,
    usages: &Usages,
    subscription: Subscription,
) -> Result<Option<SubscriptionAnswer>, Problem> {
    let api = inner.ports.catalog.api(subscription.api).await?;
    let application = inner.ports.catalog.application(subscription.application).await?;
    // Either may have been deleted since the list was read.
    let (Some(api), Some(application)) = (api, application) else { return Ok(None) };
    Ok(Some(SubscriptionAnswer {
        id: subscription.id.0,
        application: SubscribedApplication { id: application.id.0, name: application.name },
        api: SubscribedApi {
            id: api.id.0,
            urls: urls(&inner.settings.load(), &api),
            name: api.name,
            context: api.context,
            version: api.version,
        },
        usage: usages.under(inner, &subscription),
        plan: subscription.plan,
        created_at: subscription.created_at.rfc3339(),
    }))
}

/// Subscribe an application to an API
#[utoipa::path(post, path = "/subscriptions", tag = "subscriptions", operation_id = "createSubscription",
    request_body = NewSubscription,
    responses((status = 201, body = SubscriptionAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<NewSubscription>,
) -> Result<Created<Answer<SubscriptionAnswer>>, Problem> {
    let actor = caller.may(Permission::AppManage)?;
    let command = Command::CreateSubscription(CreateSubscription {
        id: SubscriptionId::new(inner.now(), inner.ports.entropy.id_bytes()),
        application: ApplicationId(input.application_id),
        api: ApiId(input.api_id),
        plan: input.plan,
    });
    let Outcome::Subscription(made) = inner.execute(&actor, command).await? else {
        return Err(Problem::Internal("a command answered something else"));
    };
    let place = format!("/api/v1/subscriptions/{}", made.id);
    let usages = Usages::of(&inner, std::slice::from_ref(&made)).await?;
    let shown = answer(&inner, &usages, made).await?.ok_or(Problem::NotFound("subscription"))?;
    Ok(Created(place, Answer(shown)))
}

/// Which subscriptions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SubscriptionsQuery {
    /// Of this application.
    application_id: Option<Uuid>,
    /// To this API.
    api_id: Option<Uuid>,
    /// Most entries, 1 to 200; 50 when not given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Subscriptions of your applications
#[utoipa::path(get, path = "/subscriptions", tag = "subscriptions", operation_id = "listSubscriptions",
    params(SubscriptionsQuery),
    responses((status = 200, body = List<SubscriptionAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InQuery(query): InQuery<SubscriptionsQuery>,
) -> Result<Answer<List<SubscriptionAnswer>>, Problem> {
    let actor = caller.may(Permission::AppManage)?;
    let asked = SubscriptionQuery {
        application: query.application_id.map(ApplicationId),
        api: query.api_id.map(ApiId),
        owner: (!actor.may(Permission::Administer)).then_some(caller.user.id),
    };
    let found = inner.ports.catalog.subscriptions(asked, &page(query.limit, query.cursor)).await?;
    let usages = Usages::of(&inner, &found.items).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for subscription in found.items {
        items.extend(answer(&inner, &usages, subscription).await?);
    }
    Ok(Answer(List { items, next: found.next }))
}

/// End a subscription; its live sessions are closed
#[utoipa::path(delete, path = "/subscriptions/{id}", tag = "subscriptions", operation_id = "deleteSubscription",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "Ended"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<StatusCode, Problem> {
    let actor = caller.may(Permission::AppManage)?;
    inner.execute(&actor, Command::DeleteSubscription { id: SubscriptionId(id) }).await?;
    Ok(StatusCode::NO_CONTENT)
}
