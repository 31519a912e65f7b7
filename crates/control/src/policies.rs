//! Business plans, application policies and API policies: `/plans`, `/application-policies`, `/api-policies`, and all of
//! them as one document, `/policies`. Read next: `policies/of_apis.rs`.
//!
//! A change is answered when every connected gateway holds its live sessions to it. What a policy may be and what keeps one
//! from being deleted, `tidegate_model` says.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    command::{ChangePolicy, Command, ImportPolicies, Imported, Outcome},
    policy::{Excess, KeptPolicy, Policy, PolicyKind},
    role::Permission,
    rule::FieldProblem,
};
use utoipa::ToSchema;

mod groups;
mod limits;
pub(crate) mod of_apis;
mod terms;

use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, Json, Tagged, if_match, required_if_match},
    list::List,
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
};
use groups::{GroupAnswer, GroupInput};
use limits::limit_input;
use terms::BillingDocument;

pub(crate) use limits::{LimitAnswer, LimitInput, limit};

/// A business plan, an application policy or an API policy.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Plan)]
pub(crate) struct PlanAnswer {
    name: String,
    display_name: String,
    description: String,
    /// All of them hold; none: unlimited.
    limits: Vec<LimitAnswer>,
    /// What becomes of a message beyond a limit: `close` (the session, with 4429), `delay`, `drop`, `notify`
    /// (dropped, and the client is told) or `count` (it passes).
    on_excess: &'static str,
    /// The most sessions that are open at once: of each subscription under a plan, of each application that has a policy, of each
    /// API and topic that names one. Null: any number.
    #[schema(required)]
    sessions_max: Option<u32>,
    /// The most of them of one user: whom the token speaks for, else the application, and without a credential the address.
    /// Null: any number.
    #[schema(required)]
    sessions_per_user_max: Option<u32>,
    /// The most of them from one address, or one /64 network of IPv6. Null: any number.
    #[schema(required)]
    sessions_per_address_max: Option<u32>,
    /// The largest message in bytes, where it is less than what the API takes. Null: as the API says.
    #[schema(required)]
    message_bytes_max: Option<u32>,
    /// A session without a message for so long ends, where it is less than what the endpoint says. Null: as the endpoint says.
    #[schema(required)]
    idle_timeout_ms: Option<u32>,
    /// A session ends after so long in any case, where it is less than what the endpoint says. Null: as the endpoint says.
    #[schema(required)]
    lifetime_max_ms: Option<u32>,
    /// Of a plan: roles of which whoever subscribes has to hold one. Empty: everybody may.
    roles: Vec<String>,
    /// Of a plan: what it costs. Null: it is free.
    #[schema(required)]
    billing: Option<BillingDocument>,
    /// Of an API policy: sessions that other limits hold for, in order; the first counts that a session is in.
    groups: Vec<GroupAnswer>,
    /// There is no limit on what passes.
    unlimited: bool,
    /// The entity tag that a change is based on.
    etag: u64,
}

impl From<&KeptPolicy> for PlanAnswer {
    fn from(KeptPolicy { policy, etag }: &KeptPolicy) -> Self {
        Self {
            name: policy.name.clone(),
            display_name: policy.name.clone(),
            description: policy.description.clone(),
            limits: policy.limits.iter().map(LimitAnswer::from).collect(),
            on_excess: policy.on_excess.as_str(),
            sessions_max: policy.sessions_max,
            sessions_per_user_max: policy.sessions_per_user_max,
            sessions_per_address_max: policy.sessions_per_address_max,
            groups: policy.groups.iter().map(GroupAnswer::from).collect(),
            message_bytes_max: policy.message_bytes_max,
            idle_timeout_ms: policy.idle_timeout_ms,
            lifetime_max_ms: policy.lifetime_max_ms,
            roles: terms::names(&policy.terms),
            billing: policy.terms.billing.as_ref().map(BillingDocument::from),
            unlimited: policy.limits.is_empty() && policy.groups.iter().all(|group| group.limits.is_empty()),
            etag: *etag,
        }
    }
}

/// A business plan, an application policy or an API policy as it is to be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlanInput)]
pub(crate) struct PlanInput {
    /// Unique among its kind whatever the case; letters, digits, `.`, `-` and `_`, at most 50. It does not change: in a
    /// change it is that of the address.
    #[schema(example = "Platinum")]
    name: String,
    /// One sentence for whoever chooses; at most 512 characters.
    #[serde(default)]
    description: String,
    /// All of them hold; none: unlimited. At most 8, each of another unit, window, way of counting or direction.
    limits: Vec<LimitInput>,
    /// What becomes of a message beyond a limit: `close` (the session, with 4429; when absent), `delay` (the sender is
    /// not read until there is more; what would wait for more than a minute closes the session), `drop`, `notify` (dropped, and
    /// the client is told in the notice that its API declares) or `count` (it passes, and more is used than
    /// the limit).
    on_excess: Option<String>,
    /// The most sessions that are open at once: of each subscription under a plan, of each application that has a policy, of each
    /// API and topic that names one. Absent: any number.
    sessions_max: Option<u32>,
    /// The most of them of one user: whom the token speaks for, else the application, and without a credential the address.
    sessions_per_user_max: Option<u32>,
    /// The most of them from one address, or one /64 network of IPv6.
    sessions_per_address_max: Option<u32>,
    /// The largest message in bytes, where it is less than what the API takes.
    message_bytes_max: Option<u32>,
    /// A session without a message for so long ends, where it is less than what the endpoint says.
    idle_timeout_ms: Option<u32>,
    /// A session ends after so long in any case, where it is less than what the endpoint says.
    lifetime_max_ms: Option<u32>,
    /// Of a business plan only: roles of which whoever subscribes has to hold one, at most 20. Empty or absent: everybody
    /// may. Subscriptions that are there stay.
    #[serde(default)]
    roles: Vec<String>,
    /// Of a business plan only: what it costs. Absent: it is free.
    billing: Option<BillingDocument>,
    /// Of an API policy, and only of one: sessions that other limits hold for, in order; at most 16.
    #[serde(default)]
    groups: Vec<GroupInput>,
}

/// All policies as one document, to be kept or carried elsewhere.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicyDocument)]
pub(crate) struct PolicyDocument {
    /// Business plans.
    #[serde(default)]
    plans: Vec<PlanInput>,
    /// Application policies.
    #[serde(default)]
    application_policies: Vec<PlanInput>,
    /// API policies.
    #[serde(default)]
    api_policies: Vec<PlanInput>,
}

/// What an import came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Imported)]
pub(crate) struct ImportedAnswer {
    /// Policies that were not there.
    created: u32,
    /// Policies that were otherwise.
    changed: u32,
    /// Policies that were so already.
    unchanged: u32,
}

/// One of some values by its word, or a problem of the field.
pub(crate) fn word<T: Copy>(
    pointer: &str,
    told: Option<&str>,
    values: &[T],
    as_str: impl Fn(T) -> &'static str,
    problems: &mut Vec<FieldProblem>,
) -> Option<T> {
    let Some(told) = told else { return values.first().copied() };
    let found = values.iter().copied().find(|value| as_str(*value) == told);
    if found.is_none() {
        let words: Vec<_> = values.iter().map(|value| as_str(*value)).collect();
        let detail = format!("Choose one of: {}.", words.join(", "));
        problems.push(FieldProblem::new(pointer, "unknown_word", detail));
    }
    found
}

/// The policy that is told of at a pointer, and problems of words that say nothing.
fn policy(at: &str, input: PlanInput, problems: &mut Vec<FieldProblem>) -> Policy {
    let excess = format!("{at}/on_excess");
    let on_excess = word(&excess, input.on_excess.as_deref(), &Excess::ALL, Excess::as_str, problems);
    let limits = input.limits.iter().enumerate();
    let limits: Vec<_> =
        limits.filter_map(|(place, one)| limit(&format!("{at}/limits/{place}"), one, problems)).collect();
    let on_excess = on_excess.unwrap_or_default();
    let groups = input.groups.into_iter().enumerate();
    let groups = groups.map(|(place, one)| groups::group(&format!("{at}/groups/{place}"), one, problems));
    let groups = groups.collect();
    let PlanInput {
        name,
        description,
        sessions_max,
        sessions_per_user_max,
        sessions_per_address_max,
        message_bytes_max,
        idle_timeout_ms,
        lifetime_max_ms,
        roles,
        billing,
        ..
    } = input;
    Policy {
        name,
        description,
        limits,
        on_excess,
        sessions_max,
        sessions_per_user_max,
        sessions_per_address_max,
        message_bytes_max,
        idle_timeout_ms,
        lifetime_max_ms,
        terms: terms::terms(at, &roles, billing, problems),
        groups,
    }
}

fn only_policy(input: PlanInput) -> Result<Policy, Problem> {
    let mut problems = Vec::new();
    let policy = policy("", input, &mut problems);
    if problems.is_empty() { Ok(policy) } else { Err(Problem::Validation(problems)) }
}

impl From<KeptPolicy> for PlanInput {
    fn from(KeptPolicy { policy, .. }: KeptPolicy) -> Self {
        Self {
            limits: policy.limits.iter().map(limit_input).collect(),
            groups: policy.groups.iter().map(GroupInput::from).collect(),
            on_excess: Some(policy.on_excess.as_str().to_owned()),
            sessions_max: policy.sessions_max,
            sessions_per_user_max: policy.sessions_per_user_max,
            sessions_per_address_max: policy.sessions_per_address_max,
            message_bytes_max: policy.message_bytes_max,
            idle_timeout_ms: policy.idle_timeout_ms,
            lifetime_max_ms: policy.lifetime_max_ms,
            roles: terms::names(&policy.terms),
            billing: policy.terms.billing.as_ref().map(BillingDocument::from),
            name: policy.name,
            description: policy.description,
        }
    }
}

impl Inner {
    async fn policy_list(&self, kind: PolicyKind) -> Result<Answer<List<PlanAnswer>>, Problem> {
        let policies = self.ports.catalog.policies(kind).await?;
        Ok(Answer(List::whole(policies.iter().map(PlanAnswer::from).collect())))
    }

    async fn one_policy(&self, kind: PolicyKind, name: &str) -> Result<Tagged<PlanAnswer>, Problem> {
        let policies = self.ports.catalog.policies(kind).await?;
        let found = policies.iter().find(|kept| kept.policy.name == name);
        let found = found.ok_or(Problem::NotFound(kind.noun()))?;
        Ok(Tagged(found.etag, found.into()))
    }

    async fn create_policy(
        &self,
        caller: &Caller,
        kind: PolicyKind,
        input: PlanInput,
    ) -> Result<Created<Answer<PlanAnswer>>, Problem> {
        let actor = caller.may(Permission::Administer)?;
        let command = Command::CreatePolicy(kind, only_policy(input)?);
        let kept = made(self.execute(&actor, command).await?)?;
        Ok(Created(place(kind, &kept.policy.name), Answer((&kept).into())))
    }

    async fn change_policy(
        &self,
        caller: &Caller,
        kind: PolicyKind,
        name: &str,
        headers: &HeaderMap,
        input: PlanInput,
    ) -> Result<Tagged<PlanAnswer>, Problem> {
        let actor = caller.may(Permission::Administer)?;
        let based_on = required_if_match(headers)?;
        if input.name != name {
            let detail = format!("A name does not change: make another {}.", kind.noun());
            return Err(Problem::Validation(vec![FieldProblem::new("/name", "unchangeable", detail)]));
        }
        let policy = only_policy(input)?;
        let command = Command::ChangePolicy(ChangePolicy { kind, based_on, policy });
        let kept = made(self.execute(&actor, command).await?)?;
        Ok(Tagged(kept.etag, (&kept).into()))
    }

    async fn delete_policy(
        &self,
        caller: &Caller,
        kind: PolicyKind,
        name: String,
        headers: &HeaderMap,
    ) -> Result<StatusCode, Problem> {
        let actor = caller.may(Permission::Administer)?;
        let command = Command::DeletePolicy { kind, name, based_on: if_match(headers) };
        self.execute(&actor, command).await?;
        Ok(StatusCode::NO_CONTENT)
    }
}

fn made(outcome: Outcome) -> Result<KeptPolicy, Problem> {
    match outcome {
        Outcome::Policy(kept) => Ok(*kept),
        _ => Err(Problem::Internal("a command answered something else")),
    }
}

/// Where a policy is found; its name needs no escapes.
fn place(kind: PolicyKind, name: &str) -> String {
    let list = match kind {
        PolicyKind::Business => "plans",
        PolicyKind::Application => "application-policies",
        PolicyKind::Api => "api-policies",
    };
    format!("/api/v1/{list}/{name}")
}

/// Business plans
#[utoipa::path(get, path = "/plans", tag = "plans", operation_id = "listPlans", security(()),
    responses((status = 200, body = List<PlanAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn plans(
    State(Control(inner)): State<Control>,
) -> Result<Answer<List<PlanAnswer>>, Problem> {
    inner.policy_list(PolicyKind::Business).await
}

/// Make a business plan
#[utoipa::path(post, path = "/plans", tag = "plans", operation_id = "createPlan", request_body = PlanInput,
    responses((status = 201, body = PlanAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create_plan(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<PlanInput>,
) -> Result<Created<Answer<PlanAnswer>>, Problem> {
    inner.create_policy(&caller, PolicyKind::Business, input).await
}

/// A business plan
#[utoipa::path(get, path = "/plans/{name}", tag = "plans", operation_id = "getPlan", security(()),
    params(("name" = String, Path)),
    responses((status = 200, body = PlanAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn plan(
    State(Control(inner)): State<Control>,
    InPath(name): InPath<String>,
) -> Result<Tagged<PlanAnswer>, Problem> {
    inner.one_policy(PolicyKind::Business, &name).await
}

/// Change a business plan
///
/// When this is answered, gateways hold the live sessions of all subscriptions under it to the new limits. None is closed by
/// the change itself, and a limit whose number changes goes on with what was used in its window.
#[utoipa::path(put, path = "/plans/{name}", tag = "plans", operation_id = "updatePlan",
    params(("name" = String, Path), ("If-Match" = String, Header)), request_body = PlanInput,
    responses((status = 200, body = PlanAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn update_plan(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(name): InPath<String>,
    headers: HeaderMap,
    Json(input): Json<PlanInput>,
) -> Result<Tagged<PlanAnswer>, Problem> {
    inner.change_policy(&caller, PolicyKind::Business, &name, &headers, input).await
}

/// Delete a business plan that nothing uses
///
/// A plan under which there are subscriptions, or that an API offers in its working copy or live, is not deleted (409).
#[utoipa::path(delete, path = "/plans/{name}", tag = "plans", operation_id = "deletePlan",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete_plan(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(name): InPath<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    inner.delete_policy(&caller, PolicyKind::Business, name, &headers).await
}

/// Application policies
#[utoipa::path(get, path = "/application-policies", tag = "plans", operation_id = "listApplicationPolicies", security(()),
    responses((status = 200, body = List<PlanAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn application_policies(
    State(Control(inner)): State<Control>,
) -> Result<Answer<List<PlanAnswer>>, Problem> {
    inner.policy_list(PolicyKind::Application).await
}

/// Make an application policy
#[utoipa::path(post, path = "/application-policies", tag = "plans", operation_id = "createApplicationPolicy",
    request_body = PlanInput,
    responses((status = 201, body = PlanAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create_application_policy(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<PlanInput>,
) -> Result<Created<Answer<PlanAnswer>>, Problem> {
    inner.create_policy(&caller, PolicyKind::Application, input).await
}

/// An application policy
#[utoipa::path(get, path = "/application-policies/{name}", tag = "plans", operation_id = "getApplicationPolicy",
    security(()), params(("name" = String, Path)),
    responses((status = 200, body = PlanAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn application_policy(
    State(Control(inner)): State<Control>,
    InPath(name): InPath<String>,
) -> Result<Tagged<PlanAnswer>, Problem> {
    inner.one_policy(PolicyKind::Application, &name).await
}

/// Change an application policy
///
/// When this is answered, gateways hold the live sessions of all applications that have it to the new limits. None is closed
/// by the change itself, and a limit whose number changes goes on with what was used in its window.
#[utoipa::path(put, path = "/application-policies/{name}", tag = "plans", operation_id = "updateApplicationPolicy",
    params(("name" = String, Path), ("If-Match" = String, Header)), request_body = PlanInput,
    responses((status = 200, body = PlanAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn update_application_policy(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(name): InPath<String>,
    headers: HeaderMap,
    Json(input): Json<PlanInput>,
) -> Result<Tagged<PlanAnswer>, Problem> {
    inner.change_policy(&caller, PolicyKind::Application, &name, &headers, input).await
}

/// Delete an application policy that nothing uses
///
/// A policy that applications have is not deleted (409), nor is `Unlimited`, which new ones have.
#[utoipa::path(delete, path = "/application-policies/{name}", tag = "plans", operation_id = "deleteApplicationPolicy",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete_application_policy(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(name): InPath<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    inner.delete_policy(&caller, PolicyKind::Application, name, &headers).await
}

/// All business plans, application policies and API policies as a document
#[utoipa::path(get, path = "/policies", tag = "plans", operation_id = "exportPolicies",
    responses((status = 200, body = PolicyDocument), (status = "default", body = ProblemDocument)))]
pub(crate) async fn export(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<Answer<PolicyDocument>, Problem> {
    caller.may(Permission::Administer)?;
    let all = async |kind| -> Result<Vec<PlanInput>, Problem> {
        Ok(inner.ports.catalog.policies(kind).await?.into_iter().map(PlanInput::from).collect())
    };
    Ok(Answer(PolicyDocument {
        plans: all(PolicyKind::Business).await?,
        application_policies: all(PolicyKind::Application).await?,
        api_policies: all(PolicyKind::Api).await?,
    }))
}

/// Make and change business plans, application policies and API policies by a document
///
/// What is not there is made, what is there and differs is changed, what the document does not tell of stays. All of it
/// happens or none: a problem names its place in the document.
#[utoipa::path(post, path = "/policies", tag = "plans", operation_id = "importPolicies", request_body = PolicyDocument,
    responses((status = 200, body = ImportedAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn import(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(document): Json<PolicyDocument>,
) -> Result<Answer<ImportedAnswer>, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let mut problems = Vec::new();
    let mut policies = |kind: PolicyKind, told: Vec<PlanInput>| -> Vec<Policy> {
        let (list, told) = (kind.plural(), told.into_iter().enumerate());
        told.map(|(place, one)| policy(&format!("/{list}/{place}"), one, &mut problems)).collect()
    };
    let plans = policies(PolicyKind::Business, document.plans);
    let application_policies = policies(PolicyKind::Application, document.application_policies);
    let api_policies = policies(PolicyKind::Api, document.api_policies);
    if !problems.is_empty() {
        return Err(Problem::Validation(problems));
    }
    let command = Command::ImportPolicies(ImportPolicies { plans, application_policies, api_policies });
    match inner.execute(&actor, command).await? {
        Outcome::Imported(Imported { created, changed, unchanged }) => {
            Ok(Answer(ImportedAnswer { created, changed, unchanged }))
        }
        _ => Err(Problem::Internal("a command answered something else")),
    }
}
