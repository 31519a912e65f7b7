//! Personal access tokens: what a script presents instead of a portal session. `/tokens`.

use std::collections::BTreeSet;

use axum::{Extension, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    command::Command,
    id::TokenId,
    operation::{self, Who},
    rule::FieldProblem,
    time::{DAY_MILLIS, Timestamp},
    user::{PersonalToken, Secret},
};
use tidegate_oauth::secret::{self, Kind};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    authenticate::{Caller, Operations, Rule},
    body::{Answer, Created, InPath, Json},
    list::List,
    problem::{Problem, ProblemDocument},
    state::Control,
};

/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 100;
/// Longest life, in days: a year and a day, so that a yearly rotation fits.
const DAYS_MAX: u32 = 366;

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What you call it.
    name: String,
    /// Days until it ends; absent: when you delete it.
    #[schema(minimum = 1, maximum = 366)]
    expires_in_days: Option<u32>,
    /// What it is for, of `GET /tokens/scopes`; absent: everything that your roles allow.
    scopes: Option<BTreeSet<String>>,
}

/// A token as it is listed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenAnswer {
    id: Uuid,
    name: String,
    created_at: String,
    #[schema(required)]
    expires_at: Option<String>,
    /// When it was used last, within half a minute; null: never.
    #[schema(required)]
    seen_at: Option<String>,
    /// What it is for; null: everything that your roles allow.
    #[schema(required)]
    scopes: Option<BTreeSet<String>>,
}

/// A new token with its secret, shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreatedToken)]
pub(crate) struct NewTokenAnswer {
    #[serde(flatten)]
    listed: TokenAnswer,
    /// Send it as `Authorization: Bearer`. It is not shown again.
    token: String,
}

impl From<PersonalToken> for TokenAnswer {
    fn from(token: PersonalToken) -> Self {
        Self {
            id: token.id.0,
            name: token.name,
            created_at: token.created_at.rfc3339(),
            expires_at: token.expires_at.map(Timestamp::rfc3339),
            seen_at: token.seen_at.map(Timestamp::rfc3339),
            scopes: token.scopes,
        }
    }
}

/// The scopes that a token of yours can be for
///
/// Each names a resource, by the first part of its path, and whether it is read (GET) or written. What your roles do not
/// allow is not among them.
#[utoipa::path(get, path = "/tokens/scopes", tag = "tokens", operation_id = "listTokenScopes",
    responses((status = 200, body = List<String>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn scopes(
    caller: Caller,
    Extension(operations): Extension<Operations>,
) -> Answer<List<String>> {
    Answer(List::whole(known(&caller, &operations).into_iter().collect()))
}

/// What this caller can hand on: scopes of operations that their roles allow, and that their own token is for.
fn known(caller: &Caller, operations: &Operations) -> BTreeSet<String> {
    let held = caller.user.roles.permissions();
    let may = |rule: &&Rule| {
        let who = operation::who(rule.id).filter(|who| *who != Who::Everyone);
        who.is_some_and(|who| who.lacks(&held).is_none())
    };
    let scopes = operations.values().filter(may).map(|rule| rule.scope.clone());
    scopes.filter(|scope| caller.scopes.as_ref().is_none_or(|own| own.contains(scope))).collect()
}

/// Make a personal access token
///
/// A token that is made with another is for nothing that the other is not for, and ends no later.
#[utoipa::path(post, path = "/tokens", tag = "tokens", operation_id = "createToken", request_body = NewToken,
    responses((status = 201, body = NewTokenAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    Extension(operations): Extension<Operations>,
    Json(input): Json<NewToken>,
) -> Result<Created<Answer<NewTokenAnswer>>, Problem> {
    let mut problems = Vec::new();
    let name = input.name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        let detail = format!("Enter a name of at most {NAME_CHARS_MAX} characters.");
        problems.push(FieldProblem::new("/name", "required", detail));
    }
    if input.expires_in_days.is_some_and(|days| days == 0 || days > DAYS_MAX) {
        let detail = format!("Choose between 1 and {DAYS_MAX} days.");
        problems.push(FieldProblem::new("/expires_in_days", "out_of_range", detail));
    }
    let now = inner.now();
    let expires_at = input.expires_in_days.map(|days| now.plus_millis(i64::from(days) * DAY_MILLIS));
    problems.extend(outlives(&caller, expires_at, now));
    problems.extend(scope_problems(&caller, &operations, input.scopes.as_ref()));
    if !problems.is_empty() {
        return Err(Problem::Validation(problems));
    }
    let secret = secret::generate(Kind::PersonalToken, &mut inner.random());
    let token = PersonalToken {
        id: TokenId::new(now, inner.ports.entropy.id_bytes()),
        user: caller.user.id,
        name: name.to_owned(),
        created_at: now,
        seen_at: None,
        scopes: input.scopes,
        expires_at,
    };
    let token_hash = Secret(secret::hash(&secret));
    let session = caller.session.as_ref().map(|session| session.token_hash.clone());
    let command = Command::CreateToken { token: token.clone(), token_hash, session };
    inner.execute(&caller.actor(), command).await?;
    let place = format!("/api/v1/tokens/{}", token.id);
    Ok(Created(place, Answer(NewTokenAnswer { listed: token.into(), token: secret })))
}

/// Whether a token that is made with another would be there after it.
fn outlives(caller: &Caller, expires_at: Option<Timestamp>, now: Timestamp) -> Option<FieldProblem> {
    let until = caller.until.filter(|_| caller.session.is_none())?;
    if expires_at.is_some_and(|at| at <= until) {
        return None;
    }
    let days = (until.millis() - now.millis()) / DAY_MILLIS;
    let ends = until.rfc3339();
    let detail = if days == 0 {
        format!("The token that you present ends at {ends}, and makes none that is there after it.")
    } else {
        format!("The token that you present ends at {ends}: choose at most {days} days.")
    };
    Some(FieldProblem::new("/expires_in_days", "out_of_range", detail))
}

fn scope_problems(
    caller: &Caller,
    operations: &Operations,
    asked: Option<&BTreeSet<String>>,
) -> Vec<FieldProblem> {
    let problem = |code, detail: String| vec![FieldProblem::new("/scopes", code, detail)];
    let known = known(caller, operations);
    match asked {
        None if caller.scopes.is_some() => {
            let detail =
                "The token that you present is for some things only. Say which of them this one is for.";
            problem("required", detail.to_owned())
        }
        None => Vec::new(),
        Some(asked) if asked.is_empty() => problem("required", "Choose at least one scope.".to_owned()),
        Some(asked) => match asked.difference(&known).next() {
            None => Vec::new(),
            Some(unknown) => {
                let known = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                problem("unknown_scope", format!("“{unknown}” is none of the scopes you can give: {known}."))
            }
        },
    }
}

/// Your personal access tokens
#[utoipa::path(get, path = "/tokens", tag = "tokens", operation_id = "listTokens",
    responses((status = 200, body = List<TokenAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<Answer<List<TokenAnswer>>, Problem> {
    inner.write_seen().await?;
    let tokens = inner.ports.catalog.tokens(caller.user.id).await?;
    Ok(Answer(List::whole(tokens.into_iter().map(TokenAnswer::from).collect())))
}

/// Delete a personal access token
#[utoipa::path(delete, path = "/tokens/{id}", tag = "tokens", operation_id = "deleteToken", params(("id" = Uuid, Path)),
    responses((status = 204, description = "Deleted"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn delete(
    State(Control(inner)): State<Control>,
    caller: Caller,
    InPath(id): InPath<Uuid>,
) -> Result<StatusCode, Problem> {
    inner.execute(&caller.actor(), Command::DeleteToken { id: TokenId(id) }).await?;
    Ok(StatusCode::NO_CONTENT)
}
