//! The catalogue of the developer portal, open to everyone.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tidegate_model::{
    api::Api,
    id::ApiId,
    lifecycle,
    policy::{KeptPolicy, PolicyKind},
    port::ApiQuery,
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    apis::answer::{Urls, urls},
    body::{Answer, InPath, InQuery},
    list::{Limit, List, page},
    policies::PlanAnswer,
    problem::{Problem, ProblemDocument},
    settings::Settings,
    state::Control,
};

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

fn answer(settings: &Settings, api: Api, plans: &[KeptPolicy]) -> CatalogueApi {
    let urls = urls(settings, &api);
    // What is live decides, not what someone is working on.
    let design = api.live.map_or(api.design, |live| live.design);
    CatalogueApi {
        id: api.id.0,
        urls,
        plans: plans
            .iter()
            .filter(|plan| design.plans.contains(&plan.policy.name))
            .map(PlanAnswer::from)
            .collect(),
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
    let (plans, settings) =
        (inner.ports.catalog.policies(PolicyKind::Business).await?, inner.settings.load_full());
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
    let plans = inner.ports.catalog.policies(PolicyKind::Business).await?;
    Ok(Answer(answer(&inner.settings.load(), api, &plans)))
}
