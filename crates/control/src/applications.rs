//! Applications and their keys, the developer's side: `/applications`.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    application::Application,
    command::{Command, CreateApplication, Outcome, UpdateApplication},
    fact::TrafficOf,
    id::ApplicationId,
    policy::DEFAULT_APPLICATION_POLICY,
    role::Permission,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, InQuery, Json, Tagged, required_if_match},
    list::{List, PageQuery},
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
    traffic::{self, TrafficAnswer, TrafficQuery},
    usage::{self, UsageAnswer},
};

pub(crate) mod api_keys;
pub(crate) mod certificates;
pub(crate) mod keys;
pub(crate) mod provided_keys;

/// An application to be made, or what it is to become.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApplicationInput)]
pub(crate) struct ApplicationInput {
    #[schema(example = "My client")]
    name: String,
    #[serde(default)]
    description: String,
    /// Name of an application policy; `Unlimited` when absent.
    policy: Option<String>,
}

/// An application.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Application)]
pub(crate) struct ApplicationAnswer {
    id: Uuid,
    name: String,
    description: String,
    policy: String,
    owner: String,
    created_at: String,
    demo: bool,
    /// Name of the registration token by which its client registered itself; `null` where somebody made it.
    #[schema(required)]
    registered_by: Option<String>,
    /// For `If-Match`.
    etag: String,
}

impl From<Application> for ApplicationAnswer {
    fn from(application: Application) -> Self {
        Self {
            id: application.id.0,
            name: application.name,
            description: application.description,
            policy: application.policy,
            owner: application.owner_name,
            created_at: application.created_at.rfc3339(),
            demo: application.demo,
            registered_by: application.registered_by,
            etag: application.etag.to_string(),
        }
    }
}

fn tagged(application: Application) -> Tagged<ApplicationAnswer> {
    Tagged(application.etag, application.into())
}

fn made(outcome: Outcome) -> Result<Application, Problem> {
    match outcome {
        Outcome::Application(application) => Ok(application),
        _ => Err(Problem::Internal("a command answered something else")),
    }
}

/// One of the caller's applications; of anyone for an administrator.
pub(crate) async fn own(inner: &Inner, caller: &Caller, id: Uuid) -> Result<Application, Problem> {
    let actor = caller.may(Permission::AppManage)?;
    let found = inner.ports.catalog.application(ApplicationId(id)).await?.filter(|application| {
        match application.owner {
            Some(owner) => actor.owns(owner),
            None => actor.may(Permission::Administer),
        }
    });
    found.ok_or(Problem::NotFound("application"))
}

/// Make an application
#[utoipa::path(post, path = "/applications", tag = "applications", operation_id = "createApplication",
    request_body = ApplicationInput,
    responses((status = 201, body = ApplicationAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<ApplicationInput>,
) -> Result<Created<Tagged<ApplicationAnswer>>, Problem> {
    let actor = caller.may(Permission::AppManage)?;
    let command = Command::CreateApplication(CreateApplication {
        id: ApplicationId::new(inner.now(), inner.ports.entropy.id_bytes()),
        name: input.name,
        description: input.description,
        policy: input.policy.unwrap_or_else(|| DEFAULT_APPLICATION_POLICY.to_owned()),
        demo: false,
    });
    let application = made(inner.execute(&actor, command).await?)?;
    Ok(Created(format!("/api/v1/applications/{}", application.id), tagged(application)))
}

/// Your applications, by name; an administrator sees everyone's
#[utoipa::path(get, path = "/applications", tag = "applications", operation_id = "listApplications", params(PageQuery),
    responses((status = 200, body = List<ApplicationAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Answer<List<ApplicationAnswer>>, Problem> {
    let actor = caller.may(Permission::AppManage)?;
    let owner = (!actor.may(Permission::Administer)).then_some(caller.user.id);
    let found = inner.ports.catalog.applications(owner, &query.into()).await?;
    let items = found.items.into_iter().map(ApplicationAnswer::from).collect();
    Ok(Answer(List { items, next: found.next }))
}

/// An application
#[utoipa::path(get, path = "/applications/{id}", tag = "applications", operation_id = "getApplication",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = ApplicationAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Tagged<ApplicationAnswer>, Problem> {
    Ok(tagged(own(&inner, &caller, id).await?))
}

/// Change an application
#[utoipa::path(put, path = "/applications/{id}", tag = "applications", operation_id = "updateApplication",
    request_body = ApplicationInput, params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = ApplicationAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn update(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
    Json(input): Json<ApplicationInput>,
) -> Result<Tagged<ApplicationAnswer>, Problem> {
    let application = own(&inner, &caller, id).await?;
    let based_on = required_if_match(&headers)?;
    let command = Command::UpdateApplication(UpdateApplication {
        id: application.id,
        based_on,
        name: input.name,
        description: input.description,
        policy: input.policy.unwrap_or(application.policy),
    });
    Ok(tagged(made(inner.execute(&caller.actor(), command).await?)?))
}

/// Delete an application with its keys and subscriptions; its live sessions are closed
#[utoipa::path(delete, path = "/applications/{id}", tag = "applications", operation_id = "deleteApplication",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<StatusCode, Problem> {
    let actor = caller.may(Permission::AppManage)?;
    inner.execute(&actor, Command::DeleteApplication { id: ApplicationId(id) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Traffic of an application over all APIs
#[utoipa::path(get, path = "/applications/{id}/traffic", tag = "applications", operation_id = "getApplicationTraffic",
    params(("id" = Uuid, Path), TrafficQuery),
    responses((status = 200, body = TrafficAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn traffic(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    InQuery(query): InQuery<TrafficQuery>,
) -> Result<Answer<TrafficAnswer>, Problem> {
    let application = own(&inner, &caller, id).await?;
    Ok(Answer(traffic::read(&inner, TrafficOf::Application(application.id), &query).await?))
}

/// What an application has used of its policy, over all its subscriptions
#[utoipa::path(get, path = "/applications/{id}/usage", tag = "applications", operation_id = "getApplicationUsage",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = UsageAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn usage(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Answer<UsageAnswer>, Problem> {
    let application = own(&inner, &caller, id).await?;
    let usage = usage::of_application(&inner, application.id, &application.policy).await?;
    Ok(Answer(usage.ok_or(Problem::NotFound("application policy"))?))
}
