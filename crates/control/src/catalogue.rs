//! The catalogue of the developer portal, open to everyone, and the plans there are.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tidegate_model::{
    api::Api,
    id::ApiId,
    lifecycle,
    limit::{Counting, Limit as PolicyLimit},
    policy::Policy,
    port::ApiQuery,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    apis::answer::{Urls, urls},
    body::{Answer, InPath, InQuery},
    list::{Limit, List, page},
    problem::{Problem, ProblemDocument},
    settings::Settings,
    state::Control,
};

/// How much of what passes in which time.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Limit)]
pub(crate) struct LimitAnswer {
    /// So much passes in one window; of messages, the next one is beyond the limit.
    amount: u64,
    /// `messages`, `bytes` (of messages' payload) or `connects` (sessions that begin).
    unit: &'static str,
    /// `second`, `minute`, `hour`, `day` or `month`.
    per: &'static str,
    /// `calendar`: each window begins with the whole amount. `sliding`: what was used comes back evenly.
    counting: &'static str,
    /// Of a sliding limit: how many units may come at once after a rest.
    #[schema(required)]
    burst: Option<u64>,
    /// Whose messages count: `publish` (clients'), `subscribe` (backends') or `both`.
    direction: &'static str,
}

impl From<&PolicyLimit> for LimitAnswer {
    fn from(limit: &PolicyLimit) -> Self {
        let (counting, burst) = match limit.counting {
            Counting::Calendar => ("calendar", None),
            Counting::Sliding { burst } => ("sliding", Some(burst)),
        };
        Self {
            amount: limit.amount,
            unit: limit.unit.as_str(),
            per: limit.per.as_str(),
            counting,
            burst,
            direction: limit.direction.as_str(),
        }
    }
}

/// A business plan or an application policy.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Plan)]
pub(crate) struct PlanAnswer {
    name: String,
    display_name: String,
    description: String,
    /// All of them hold; none: unlimited.
    limits: Vec<LimitAnswer>,
    /// What becomes of a message beyond a limit: `close` (the session, with 4429), `delay` or `drop`.
    on_excess: &'static str,
    unlimited: bool,
}

impl From<&Policy> for PlanAnswer {
    fn from(plan: &Policy) -> Self {
        Self {
            name: plan.name.clone(),
            display_name: plan.name.clone(),
            description: plan.description.clone(),
            limits: plan.limits.iter().map(LimitAnswer::from).collect(),
            on_excess: plan.on_excess.as_str(),
            unlimited: plan.limits.is_empty(),
        }
    }
}

/// Business plans
#[utoipa::path(get, path = "/plans", tag = "plans", operation_id = "listPlans", security(()),
    responses((status = 200, body = List<PlanAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn plans(
    State(Control(inner)): State<Control>,
) -> Result<Answer<List<PlanAnswer>>, Problem> {
    let plans = inner.ports.catalog.plans().await?;
    Ok(Answer(List::whole(plans.iter().map(PlanAnswer::from).collect())))
}

/// Application policies
#[utoipa::path(get, path = "/application-policies", tag = "plans", operation_id = "listApplicationPolicies", security(()),
    responses((status = 200, body = List<PlanAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn policies(
    State(Control(inner)): State<Control>,
) -> Result<Answer<List<PlanAnswer>>, Problem> {
    let policies = inner.ports.catalog.application_policies().await?;
    Ok(Answer(List::whole(policies.iter().map(PlanAnswer::from).collect())))
}

/// An API as developers see it: nothing of its backends.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CatalogueApi {
    id: Uuid,
    name: String,
    context: String,
    version: String,
    description: String,
    /// `published` or `prototyped`.
    state: String,
    plans: Vec<PlanAnswer>,
    is_default_version: bool,
    urls: Urls,
    demo: bool,
}

fn answer(settings: &Settings, api: Api, plans: &[Policy]) -> CatalogueApi {
    let urls = urls(settings, &api);
    // What is live decides, not what someone is working on.
    let design = api.live.map_or(api.design, |live| live.design);
    CatalogueApi {
        id: api.id.0,
        urls,
        plans: plans.iter().filter(|plan| design.plans.contains(&plan.name)).map(PlanAnswer::from).collect(),
        description: design.description,
        state: api.state.as_str().to_owned(),
        is_default_version: api.is_default_version,
        demo: api.demo,
        name: api.name,
        context: api.context,
        version: api.version,
    }
}

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CatalogueQuery {
    /// Words that name, context or version contain.
    q: Option<String>,
    /// Most entries, 1 to 200; 50 when not given.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<Limit>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Published APIs
#[utoipa::path(get, path = "/catalogue", tag = "catalogue", operation_id = "listCatalogue", params(CatalogueQuery),
    security(()),
    responses((status = 200, body = List<CatalogueApi>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    InQuery(query): InQuery<CatalogueQuery>,
) -> Result<Answer<List<CatalogueApi>>, Problem> {
    let states = lifecycle::STATES.into_iter().filter(|state| state.is_listed()).collect();
    let asked = ApiQuery { text: query.q.unwrap_or_default(), states };
    let found = inner.ports.catalog.apis(&asked, &page(query.limit, query.cursor)).await?;
    let (plans, settings) = (inner.ports.catalog.plans().await?, inner.settings.load_full());
    let items = found.items.into_iter().map(|api| answer(&settings, api, &plans));
    Ok(Answer(List { items: items.collect(), next: found.next }))
}

/// A published API
#[utoipa::path(get, path = "/catalogue/{id}", tag = "catalogue", operation_id = "getCatalogueApi", security(()),
    params(("id" = Uuid, Path)),
    responses((status = 200, body = CatalogueApi), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    InPath(id): InPath<Uuid>,
) -> Result<Answer<CatalogueApi>, Problem> {
    let api = inner.ports.catalog.api(ApiId(id)).await?.filter(|api| api.state.is_listed());
    let api = api.ok_or(Problem::NotFound("API"))?;
    let plans = inner.ports.catalog.plans().await?;
    Ok(Answer(answer(&inner.settings.load(), api, &plans)))
}
