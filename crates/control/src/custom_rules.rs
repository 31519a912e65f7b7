//! Custom rules, for administrators: `/custom-rules`, and `/custom-rules/test`, where an expression is tried against a sample.
//!
//! A change is answered when every connected gateway holds its live sessions to it. What an expression may say and what it
//! yields, `tidegate_model` says: here and at gateways by the same code.

use std::net::IpAddr;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    attribute::{Claims, LookedAt},
    command::{ChangeCustomRule, Command, CustomRuleCommand, Outcome},
    custom_rule::CustomRule,
    decide::custom_rules,
    expression::{Asked, Expression, Facts, Looks},
    id::CustomRuleId,
    policy::{Excess, Policy},
    role::Permission,
    rule::FieldProblem,
    time::Timestamp,
    topic::Direction,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, Json, Tagged, if_match, required_if_match},
    list::List,
    policies::{LimitAnswer, LimitInput, limit, word},
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
};

/// A custom rule as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CustomRuleInput)]
pub(crate) struct CustomRuleInput {
    /// Unique whatever the case; letters, digits, `.`, `-` and `_`, at most 50. Clients that are held to it are told it.
    #[schema(example = "PerPerson")]
    name: String,
    /// One sentence for other administrators; at most 512 characters.
    #[serde(default)]
    description: String,
    /// Yields the key, in CEL over `user`, `application`, `api`, `topic`, `address`, `claims`, `size` and `direction`; at most
    /// 1,024 bytes. Whoever has the same key shares a budget for each limit; `null`, `false` and an empty text say that the rule
    /// does not apply. A map of `key` and `amount` names the amount as well, of the only limit.
    #[schema(example = "size > 65536 ? user : null")]
    expression: String,
    /// All of them hold for each key. From 1 to 8, each of another unit, window, way of counting or direction.
    limits: Vec<LimitInput>,
    /// What becomes of a message beyond a limit: `close` (when absent), `delay`, `drop`, `notify` or `count`, as of a plan.
    on_excess: Option<String>,
    /// Whether it holds; true when absent.
    enabled: Option<bool>,
}

/// What an expression looks at, and so when it is asked.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CustomRuleAsked)]
enum AskedAnswer {
    /// Once for each session, when it begins and when something changes.
    Session,
    /// As `session`, for each direction.
    Direction,
    /// For each message.
    Message,
}

impl From<&Looks> for AskedAnswer {
    fn from(looks: &Looks) -> Self {
        match looks.asked {
            Asked::Message => Self::Message,
            Asked::Direction => Self::Direction,
            Asked::Session => Self::Session,
        }
    }
}

/// A custom rule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomRule)]
pub(crate) struct CustomRuleAnswer {
    id: Uuid,
    name: String,
    description: String,
    /// Yields the key.
    expression: String,
    /// All of them hold for each key.
    limits: Vec<LimitAnswer>,
    /// What becomes of a message beyond a limit: `close`, `delay`, `drop`, `notify` or `count`.
    on_excess: &'static str,
    /// Whether it holds.
    enabled: bool,
    /// When the expression is asked: once for each `session`, for each `direction` of one, or for each `message`. Null of one that
    /// cannot be read.
    #[schema(required)]
    asked_for_each: Option<AskedAnswer>,
    created_at: String,
    created_by: String,
    /// The entity tag that a change is based on.
    etag: u64,
}

impl From<CustomRule> for CustomRuleAnswer {
    fn from(rule: CustomRule) -> Self {
        let CustomRule { id, policy, expression, is_enabled, created_at, created_by, etag } = rule;
        Self {
            id: id.0,
            asked_for_each: Expression::compile(&expression).ok().map(|read| read.looks().into()),
            name: policy.name,
            description: policy.description,
            expression,
            limits: policy.limits.iter().map(LimitAnswer::from).collect(),
            on_excess: policy.on_excess.as_str(),
            enabled: is_enabled,
            created_at: created_at.rfc3339(),
            created_by,
            etag,
        }
    }
}

/// A session and a message as an expression may find them.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = CustomRuleSample)]
pub(crate) struct SampleInput {
    /// Whom the credential speaks for; empty: for nobody but the application.
    user: String,
    application: ApplicationInput,
    api: ApiInput,
    /// What follows the API's path, beginning with `/`; or empty.
    #[schema(example = "/rooms/7")]
    topic: String,
    /// An IPv4 or IPv6 address; 192.0.2.1 when absent.
    address: Option<String>,
    /// What the token says.
    #[schema(value_type = Object)]
    claims: serde_json::Map<String, serde_json::Value>,
    /// Payload bytes of the message's first frame.
    size: u64,
    /// Who sends: `publish` (the client; when absent) or `subscribe` (the backend).
    direction: Option<String>,
}

/// The application of a sample.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = CustomRuleSampleApplication)]
pub(crate) struct ApplicationInput {
    id: String,
    name: String,
}

/// The API of a sample.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = CustomRuleSampleApi)]
pub(crate) struct ApiInput {
    name: String,
    version: String,
    /// With its leading `/`.
    context: String,
}

/// An expression to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CustomRuleTest)]
pub(crate) struct TestInput {
    expression: String,
    #[serde(default)]
    sample: SampleInput,
}

/// What an expression yields for a sample.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomRuleTested)]
pub(crate) struct TestedAnswer {
    /// The key. Null: the rule does not apply.
    #[schema(required)]
    key: Option<String>,
    /// The amount, where it names one.
    #[schema(required)]
    amount: Option<u64>,
    /// Why the rule does not apply though the expression does not say so. Null: nothing went wrong.
    #[schema(required)]
    error: Option<String>,
    /// When the expression is asked: once for each `session`, for each `direction` of one, or for each `message`.
    asked_for_each: AskedAnswer,
    /// The claims that it looks at, which sessions keep from when a rule does.
    claims: Vec<String>,
}

/// The policy of a rule, and problems of words that say nothing.
fn policy(input: &CustomRuleInput) -> Result<Policy, Problem> {
    let mut problems = Vec::new();
    let on_excess =
        word("/on_excess", input.on_excess.as_deref(), &Excess::ALL, Excess::as_str, &mut problems);
    let limits = input.limits.iter().enumerate();
    let limits: Vec<_> =
        limits.filter_map(|(place, one)| limit(&format!("/limits/{place}"), one, &mut problems)).collect();
    if !problems.is_empty() {
        return Err(Problem::Validation(problems));
    }
    let (name, description) = (input.name.clone(), input.description.clone());
    Ok(Policy { name, description, limits, on_excess: on_excess.unwrap_or_default(), ..Policy::default() })
}

fn made(outcome: Outcome) -> Result<CustomRule, Problem> {
    match outcome {
        Outcome::CustomRule(rule) => Ok(*rule),
        _ => Err(Problem::Internal("a command answered something else")),
    }
}

async fn found(inner: &Inner, id: Uuid) -> Result<CustomRule, Problem> {
    let rules = inner.ports.catalog.custom_rules().await?;
    rules.into_iter().find(|rule| rule.id.0 == id).ok_or(Problem::NotFound("custom rule"))
}

/// Custom rules, in the order of their making
#[utoipa::path(get, path = "/custom-rules", tag = "custom rules", operation_id = "listCustomRules",
    responses((status = 200, body = List<CustomRuleAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<Answer<List<CustomRuleAnswer>>, Problem> {
    caller.may(Permission::Administer)?;
    let rules = inner.ports.catalog.custom_rules().await?;
    Ok(Answer(List::whole(rules.into_iter().map(CustomRuleAnswer::from).collect())))
}

/// Make a custom rule: limits for each key that an expression yields
///
/// When this is answered, gateways hold live sessions and new ones to it, at all APIs. What it looks at of users and claims is known of
/// sessions that begin from now on.
#[utoipa::path(post, path = "/custom-rules", tag = "custom rules", operation_id = "createCustomRule",
    request_body = CustomRuleInput,
    responses((status = 201, body = CustomRuleAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<CustomRuleInput>,
) -> Result<Created<Answer<CustomRuleAnswer>>, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let command = CustomRuleCommand::Create(CustomRule {
        id: CustomRuleId::new(inner.now(), inner.ports.entropy.id_bytes()),
        policy: policy(&input)?,
        expression: input.expression,
        is_enabled: input.enabled.unwrap_or(true),
        // The store says these.
        created_at: Timestamp::default(),
        created_by: String::new(),
        etag: 1,
    });
    let rule = made(inner.execute(&actor, Command::CustomRule(command)).await?)?;
    let place = format!("/api/v1/custom-rules/{}", rule.id);
    Ok(Created(place, Answer(rule.into())))
}

/// A custom rule
#[utoipa::path(get, path = "/custom-rules/{id}", tag = "custom rules", operation_id = "getCustomRule",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = CustomRuleAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Tagged<CustomRuleAnswer>, Problem> {
    caller.may(Permission::Administer)?;
    let rule = found(&inner, id).await?;
    Ok(Tagged(rule.etag, rule.into()))
}

/// Change a custom rule, or switch it on or off
///
/// When this is answered, gateways hold live sessions to it. A limit whose amount changes goes on with what was used of each key.
#[utoipa::path(put, path = "/custom-rules/{id}", tag = "custom rules", operation_id = "updateCustomRule",
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    request_body = CustomRuleInput,
    responses((status = 200, body = CustomRuleAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn update(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
    Json(input): Json<CustomRuleInput>,
) -> Result<Tagged<CustomRuleAnswer>, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let based_on = required_if_match(&headers)?;
    let command = CustomRuleCommand::Change(ChangeCustomRule {
        id: CustomRuleId(id),
        based_on,
        policy: policy(&input)?,
        expression: input.expression,
        is_enabled: input.enabled.unwrap_or(true),
    });
    let rule = made(inner.execute(&actor, Command::CustomRule(command)).await?)?;
    Ok(Tagged(rule.etag, rule.into()))
}

/// Delete a custom rule
#[utoipa::path(delete, path = "/custom-rules/{id}", tag = "custom rules", operation_id = "deleteCustomRule",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let command = CustomRuleCommand::Delete { id: CustomRuleId(id), based_on: if_match(&headers) };
    inner.execute(&actor, Command::CustomRule(command)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Try an expression against a sample
///
/// Nothing is kept. An expression that cannot be read is a problem of its field, with line and column.
#[utoipa::path(post, path = "/custom-rules/test", tag = "custom rules", operation_id = "testCustomRule",
    request_body = TestInput,
    responses((status = 200, body = TestedAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn test(
    caller: Caller,
    Json(input): Json<TestInput>,
) -> Result<Answer<TestedAnswer>, Problem> {
    caller.may(Permission::Administer)?;
    let TestInput { expression, sample } = input;
    let mut problems = Vec::new();
    let address = sample.address.as_deref().unwrap_or("192.0.2.1").trim().parse::<IpAddr>();
    if address.is_err() {
        let detail = "Write an address like 203.0.113.7 or 2001:db8::7.";
        problems.push(FieldProblem::new("/sample/address", "malformed", detail));
    }
    let directions = [Direction::Publish, Direction::Subscribe];
    let (at, told) = ("/sample/direction", sample.direction.as_deref());
    let direction = word(at, told, &directions, Direction::as_str, &mut problems);
    let expression = custom_rules::expression(&expression).map_err(|problem| problems.push(problem)).ok();
    let (Some(expression), true) = (expression, problems.is_empty()) else {
        return Err(Problem::Validation(problems));
    };
    let looks = expression.looks();
    let mut looked_at = LookedAt::default();
    looks.claims.iter().for_each(|claim| looked_at.add_claim(claim));
    // As a gateway would keep them of a token.
    let claims = Claims::of(&sample.claims, looked_at.claims());
    let judged = expression.judge(&Facts {
        user: &sample.user,
        application: (&sample.application.id, &sample.application.name),
        api: (&sample.api.name, &sample.api.version, &sample.api.context),
        topic: &sample.topic,
        address: address.ok(),
        claims: Some(&claims),
        size: Some(sample.size),
        direction,
    });
    let (found, error) = match judged {
        Ok(found) => (found, None),
        Err(failed) => (None, Some(failed.0)),
    };
    Ok(Answer(TestedAnswer {
        key: found.as_ref().map(|found| found.key.to_string()),
        amount: found.and_then(|found| found.amount),
        error,
        asked_for_each: looks.into(),
        claims: looks.claims.clone(),
    }))
}
