//! Deny rules, for administrators: `/deny-rules`.
//!
//! A change is answered when every connected gateway refuses whom it names and has closed their sessions. What a rule
//! may be, `tidegate_model` says; people are named by their names here, and kept by their ids.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    command::{ChangeDenyRule, Command, Outcome},
    deny::{Denied, DenyRule, KINDS},
    id::{ApplicationId, DenyRuleId},
    role::Permission,
    rule::FieldProblem,
    time::Timestamp,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, Json, Tagged, if_match, required_if_match},
    list::List,
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
};

/// A deny rule as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DenyRuleInput)]
pub(crate) struct DenyRuleInput {
    /// `api`, `application`, `user`, `address` or `range`.
    #[schema(example = "range")]
    kind: String,
    /// The context of an API, for all its versions; the id of an application; a user's name; an IPv4 or IPv6 address; a
    /// range like `203.0.113.0/24` or `2001:db8::/32`.
    #[schema(example = "203.0.113.0/24")]
    value: String,
    /// Deny everybody but these; only of addresses and ranges. Such rules hold together: who is in none of them is denied.
    #[serde(default)]
    inverted: bool,
    /// Whether it holds; true when absent.
    enabled: Option<bool>,
    /// Why, for other administrators; at most 256 characters.
    #[serde(default)]
    reason: String,
}

/// A deny rule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DenyRule)]
pub(crate) struct DenyRuleAnswer {
    id: Uuid,
    /// `api`, `application`, `user`, `address` or `range`.
    kind: &'static str,
    /// As it is given when the rule is made.
    value: String,
    /// Name of the application, where it is about one.
    #[schema(required)]
    application_name: Option<String>,
    /// Everybody but these is denied.
    inverted: bool,
    /// Whether it holds.
    enabled: bool,
    /// Why, for administrators.
    reason: String,
    created_at: String,
    created_by: String,
    /// The entity tag that a change is based on.
    etag: u64,
}

/// What the rule is about, and a problem of the field where that cannot be read.
async fn denied(inner: &Inner, kind: &str, value: &str) -> Result<Denied, Problem> {
    let value = value.trim();
    let problem = |code, detail: &str| Problem::Validation(vec![FieldProblem::new("/value", code, detail)]);
    if KINDS.contains(&kind) && value.is_empty() {
        return Err(problem("required", "Say whom the rule is about."));
    }
    match kind {
        "api" => Ok(Denied::Api(value.to_owned())),
        "application" => {
            let id = value.parse().map_err(|_| problem("malformed", "Give the id of an application."))?;
            Ok(Denied::Application(ApplicationId(id)))
        }
        "user" => {
            let account = inner.ports.catalog.account(value).await?;
            let account = account.ok_or_else(|| problem("unknown_user", "There is no user of this name."))?;
            Ok(Denied::User(account.user.id))
        }
        "address" => {
            let detail = "Write an address like 203.0.113.7 or 2001:db8::7; a network is a range.";
            let address: std::net::IpAddr = value.parse().map_err(|_| problem("malformed", detail))?;
            Ok(Denied::Address(address.to_canonical()))
        }
        "range" => {
            let detail = "Write a range like 203.0.113.0/24 or 2001:db8::/32.";
            Ok(Denied::Range(value.parse().map_err(|_| problem("malformed", detail))?))
        }
        _ => {
            let detail = format!("Choose one of: {}.", KINDS.join(", "));
            Err(Problem::Validation(vec![FieldProblem::new("/kind", "unknown_kind", detail)]))
        }
    }
}

async fn answer(inner: &Inner, rule: DenyRule) -> Result<DenyRuleAnswer, Problem> {
    let DenyRule { id, denied, is_inverted, is_enabled, reason, created_at, created_by, etag } = rule;
    let (mut value, mut application_name) = (denied.value(), None);
    match denied {
        Denied::User(id) => {
            // Who was deleted a moment ago has taken the rule along.
            value = inner.ports.catalog.user(id).await?.map_or(value, |user| user.username);
        }
        Denied::Application(id) => {
            application_name = inner.ports.catalog.application(id).await?.map(|found| found.name);
        }
        Denied::Api(_) | Denied::Address(_) | Denied::Range(_) => {}
    }
    Ok(DenyRuleAnswer {
        id: id.0,
        kind: denied.word(),
        value,
        application_name,
        inverted: is_inverted,
        enabled: is_enabled,
        reason,
        created_at: created_at.rfc3339(),
        created_by,
        etag,
    })
}

fn made(outcome: Outcome) -> Result<DenyRule, Problem> {
    match outcome {
        Outcome::DenyRule(rule) => Ok(*rule),
        _ => Err(Problem::Internal("a command answered something else")),
    }
}

async fn found(inner: &Inner, id: Uuid) -> Result<DenyRule, Problem> {
    let rules = inner.ports.catalog.deny_rules().await?;
    rules.into_iter().find(|rule| rule.id.0 == id).ok_or(Problem::NotFound("deny rule"))
}

/// Deny rules, in the order of their making
#[utoipa::path(get, path = "/deny-rules", tag = "deny rules", operation_id = "listDenyRules",
    responses((status = 200, body = List<DenyRuleAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<Answer<List<DenyRuleAnswer>>, Problem> {
    caller.may(Permission::Administer)?;
    let mut answers = Vec::new();
    for rule in inner.ports.catalog.deny_rules().await? {
        answers.push(answer(&inner, rule).await?);
    }
    Ok(Answer(List::whole(answers)))
}

/// Deny an API, an application, a user, an address or a range
///
/// When this is answered, gateways refuse new connections of whom it names, with the problem `denied`, and have closed
/// their live sessions with 3003. What happens at the portals is not affected.
#[utoipa::path(post, path = "/deny-rules", tag = "deny rules", operation_id = "createDenyRule",
    request_body = DenyRuleInput,
    responses((status = 201, body = DenyRuleAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<DenyRuleInput>,
) -> Result<Created<Answer<DenyRuleAnswer>>, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let command = Command::CreateDenyRule(DenyRule {
        id: DenyRuleId::new(inner.now(), inner.ports.entropy.id_bytes()),
        denied: denied(&inner, &input.kind, &input.value).await?,
        is_inverted: input.inverted,
        is_enabled: input.enabled.unwrap_or(true),
        reason: input.reason,
        // The store says these.
        created_at: Timestamp::default(),
        created_by: String::new(),
        etag: 1,
    });
    let rule = made(inner.execute(&actor, command).await?)?;
    let place = format!("/api/v1/deny-rules/{}", rule.id);
    Ok(Created(place, Answer(answer(&inner, rule).await?)))
}

/// A deny rule
#[utoipa::path(get, path = "/deny-rules/{id}", tag = "deny rules", operation_id = "getDenyRule",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = DenyRuleAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<Tagged<DenyRuleAnswer>, Problem> {
    caller.may(Permission::Administer)?;
    let rule = found(&inner, id).await?;
    Ok(Tagged(rule.etag, answer(&inner, rule).await?))
}

/// Change a deny rule, or switch it on or off
#[utoipa::path(put, path = "/deny-rules/{id}", tag = "deny rules", operation_id = "updateDenyRule",
    params(("id" = Uuid, Path), ("If-Match" = String, Header)),
    request_body = DenyRuleInput,
    responses((status = 200, body = DenyRuleAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn update(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
    Json(input): Json<DenyRuleInput>,
) -> Result<Tagged<DenyRuleAnswer>, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let based_on = required_if_match(&headers)?;
    let command = Command::ChangeDenyRule(ChangeDenyRule {
        id: DenyRuleId(id),
        based_on,
        denied: denied(&inner, &input.kind, &input.value).await?,
        is_inverted: input.inverted,
        is_enabled: input.enabled.unwrap_or(true),
        reason: input.reason,
    });
    let rule = made(inner.execute(&actor, command).await?)?;
    Ok(Tagged(rule.etag, answer(&inner, rule).await?))
}

/// Delete a deny rule
#[utoipa::path(delete, path = "/deny-rules/{id}", tag = "deny rules", operation_id = "deleteDenyRule",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let actor = caller.may(Permission::Administer)?;
    let command = Command::DeleteDenyRule { id: DenyRuleId(id), based_on: if_match(&headers) };
    inner.execute(&actor, command).await?;
    Ok(StatusCode::NO_CONTENT)
}
