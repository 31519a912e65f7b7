//! Roles: `/roles`, those that ship and the installation's own; and roles by name as other resources of REST take them.

use std::collections::BTreeSet;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    command::{ChangeRole, Command, Outcome},
    decide::roles::unknown,
    role::{OwnRole, Permission, ROLES, Role, RoleName, Roles},
    rule::FieldProblem,
};
use utoipa::ToSchema;

use crate::{
    authenticate::Caller,
    body::{Answer, Created, InPath, Json, Tagged, if_match, required_if_match},
    list::List,
    problem::{Problem, ProblemDocument},
    state::{Control, Inner},
};

/// A role of the installation's own, to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRole {
    /// Small letters, digits and `-`, `_`, `.`, the first a letter; at most 64. It never changes.
    #[schema(example = "partner")]
    name: String,
    /// Who is meant by it; at most 512 characters.
    #[serde(default)]
    description: String,
    /// The roles that whoever holds it holds as well, of `creator`, `publisher`, `subscriber`, `observer`; none: its name alone
    /// counts, where a scope asks for it.
    #[serde(default)]
    means: Vec<String>,
}

/// What an own role means from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleChange {
    /// Who is meant by it; at most 512 characters.
    #[serde(default)]
    description: String,
    /// The roles that whoever holds it holds as well, of `creator`, `publisher`, `subscriber`, `observer`.
    means: Vec<String>,
}

/// A role.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Role)]
pub(crate) struct RoleAnswer {
    name: String,
    description: String,
    /// The roles that ship which whoever holds it holds as well; of one that ships, none.
    means: Vec<&'static str>,
    /// It ships with the product, and neither changes nor goes.
    ships: bool,
    /// What whoever holds it may do, of `api_view`, `api_create`, `api_publish`, `app_manage`, `administer`.
    permissions: Vec<&'static str>,
    /// For `If-Match`.
    etag: String,
}

fn shown(name: &RoleName, own: Option<&OwnRole>) -> RoleAnswer {
    let (description, means) = match own {
        Some(own) => (own.description.clone(), own.means.iter().map(|role| role.as_str()).collect()),
        None => (String::new(), Vec::new()),
    };
    let held = Roles::of(BTreeSet::from([name.clone()]), own.map_or(&[], std::slice::from_ref));
    RoleAnswer {
        name: name.to_string(),
        description,
        means,
        ships: own.is_none(),
        permissions: held.permissions().into_iter().map(Permission::as_str).collect(),
        // What ships never changes.
        etag: own.map_or(1, |own| own.etag).to_string(),
    }
}

fn made(outcome: Outcome) -> Result<Tagged<RoleAnswer>, Problem> {
    match outcome {
        Outcome::Role(role) => Ok(Tagged(role.etag, shown(&role.name, Some(&role)))),
        _ => Err(Problem::Internal("a command answered something else")),
    }
}

/// The role of this name, one that ships or one of these.
pub(crate) fn known(word: &str, own: &[OwnRole]) -> Option<RoleName> {
    RoleName::parse(word).filter(|name| name.shipped().is_some() || own.iter().any(|own| own.name == *name))
}

/// The roles that these words name; problems are named under `at`. `own` are all own roles.
pub(crate) fn named(
    at: &str,
    words: &[String],
    own: &[OwnRole],
    problems: &mut Vec<FieldProblem>,
) -> BTreeSet<RoleName> {
    let mut found = BTreeSet::new();
    for (place, word) in words.iter().enumerate() {
        let pointer = format!("{at}/{place}");
        match known(word, own) {
            Some(role) if found.insert(role.clone()) => {}
            Some(_) => problems.push(FieldProblem::new(pointer, "repeated", "This role stands twice.")),
            None => problems.push(FieldProblem::new(pointer, "unknown_role", unknown(word, own))),
        }
    }
    found
}

/// Roles as REST tells them.
pub(crate) fn words(names: &BTreeSet<RoleName>) -> Vec<String> {
    names.iter().map(RoleName::to_string).collect()
}

/// The roles that an own one is to mean. Others than those that ship cannot be meant, so that a meaning is never a chain.
fn meaning(words: &[String], problems: &mut Vec<FieldProblem>) -> BTreeSet<Role> {
    let names = named("/means", words, &[], problems);
    names.iter().filter_map(RoleName::shipped).collect()
}

/// Roles, those that ship first
#[utoipa::path(get, path = "/roles", tag = "users", operation_id = "listRoles",
    responses((status = 200, body = List<RoleAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(State(Control(inner)): State<Control>) -> Result<Answer<List<RoleAnswer>>, Problem> {
    let own = inner.ports.catalog.own_roles().await?;
    let shipped = ROLES.map(|role| shown(&role.into(), None));
    let own = own.iter().map(|own| shown(&own.name, Some(own)));
    Ok(Answer(List::whole(shipped.into_iter().chain(own).collect())))
}

async fn found(inner: &Inner, name: &str) -> Result<(u64, RoleAnswer), Problem> {
    let own = inner.ports.catalog.own_roles().await?;
    let name = known(name, &own).ok_or(Problem::NotFound("role"))?;
    let own = own.iter().find(|own| own.name == name);
    Ok((own.map_or(1, |own| own.etag), shown(&name, own)))
}

/// A role
#[utoipa::path(get, path = "/roles/{name}", tag = "users", operation_id = "getRole", params(("name" = String, Path)),
    responses((status = 200, body = RoleAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    InPath(name): InPath<String>,
) -> Result<Tagged<RoleAnswer>, Problem> {
    found(&inner, &name).await.map(|(etag, role)| Tagged(etag, role))
}

/// Make an own role
///
/// Whoever holds it may do what the roles may do that it means. It can be given to users and by sign-in providers, and scopes
/// can ask for it.
#[utoipa::path(post, path = "/roles", tag = "users", operation_id = "createRole", request_body = NewRole,
    responses((status = 201, body = RoleAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Json(input): Json<NewRole>,
) -> Result<Created<Tagged<RoleAnswer>>, Problem> {
    let mut problems = Vec::new();
    let means = meaning(&input.means, &mut problems);
    let name = RoleName::parse(&input.name);
    if name.is_none() {
        let detail = "Use small letters, digits and - _ . and begin with a letter; at most 64 characters.";
        problems.push(FieldProblem::new("/name", "malformed", detail));
    }
    let Some(name) = name.filter(|_| problems.is_empty()) else {
        return Err(Problem::Validation(problems));
    };
    let place = format!("/api/v1/roles/{name}");
    let role = OwnRole { name, description: input.description, means, etag: 1 };
    let command = Command::ChangeRole(ChangeRole::Create(role));
    Ok(Created(place, made(inner.execute(&caller.actor(), command).await?)?))
}

/// Change what an own role means
///
/// It acts at once at the portals and in REST, for everybody who holds it. Access tokens keep the scopes that they were issued
/// with until they end.
#[utoipa::path(put, path = "/roles/{name}", tag = "users", operation_id = "updateRole", request_body = RoleChange,
    params(("name" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = RoleAnswer), (status = 412, body = ProblemDocument),
        (status = "default", body = ProblemDocument)))]
pub(crate) async fn update(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(name): InPath<String>,
    headers: HeaderMap,
    Json(input): Json<RoleChange>,
) -> Result<Tagged<RoleAnswer>, Problem> {
    let based_on = required_if_match(&headers)?;
    let name = RoleName::parse(&name).ok_or(Problem::NotFound("role"))?;
    let mut problems = Vec::new();
    let means = meaning(&input.means, &mut problems);
    if !problems.is_empty() {
        return Err(Problem::Validation(problems));
    }
    let change = ChangeRole::Update { name, based_on, description: input.description, means };
    made(inner.execute(&caller.actor(), Command::ChangeRole(change)).await?)
}

/// Delete an own role that nothing uses
///
/// One that users hold, that a scope asks for or that a sign-in provider gives is not deleted (409).
#[utoipa::path(delete, path = "/roles/{name}", tag = "users", operation_id = "deleteRole",
    params(("name" = String, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(name): InPath<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let name = RoleName::parse(&name).ok_or(Problem::NotFound("role"))?;
    let change = ChangeRole::Delete { name, based_on: if_match(&headers) };
    inner.execute(&caller.actor(), Command::ChangeRole(change)).await?;
    Ok(StatusCode::NO_CONTENT)
}
