//! Personal access tokens: what a script presents instead of a portal session. `/tokens`.

use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    command::Command,
    id::TokenId,
    rule::FieldProblem,
    time::{DAY_MILLIS, Timestamp},
    user::{PersonalToken, Secret},
};
use tidegate_oauth::secret::{self, Kind};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    authenticate::Caller,
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
        }
    }
}

/// Make a personal access token
#[utoipa::path(post, path = "/tokens", tag = "tokens", operation_id = "createToken", request_body = NewToken,
    responses((status = 201, body = NewTokenAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
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
    if !problems.is_empty() {
        return Err(Problem::Validation(problems));
    }
    let now = inner.now();
    let secret = secret::generate(Kind::PersonalToken, &mut inner.random());
    let token = PersonalToken {
        id: TokenId::new(now, inner.ports.entropy.id_bytes()),
        user: caller.user.id,
        name: name.to_owned(),
        created_at: now,
        expires_at: input.expires_in_days.map(|days| now.plus_millis(i64::from(days) * DAY_MILLIS)),
    };
    let token_hash = Secret(secret::hash(&secret));
    let session = caller.session.as_ref().map(|session| session.token_hash.clone());
    let command = Command::CreateToken { token: token.clone(), token_hash, session };
    inner.execute(&caller.actor(), command).await?;
    let place = format!("/api/v1/tokens/{}", token.id);
    Ok(Created(place, Answer(NewTokenAnswer { listed: token.into(), token: secret })))
}

/// Your personal access tokens
#[utoipa::path(get, path = "/tokens", tag = "tokens", operation_id = "listTokens",
    responses((status = 200, body = List<TokenAnswer>), (status = "default", body = ProblemDocument)))]
pub(crate) async fn list(
    State(Control(inner)): State<Control>,
    caller: Caller,
) -> Result<Answer<List<TokenAnswer>>, Problem> {
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
