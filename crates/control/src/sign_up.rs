//! Self sign-up: `/sign-up`. Whoever signs up waits for an administrator, who approves with `PUT /users/{id}` and refuses
//! with `DELETE /users/{id}`.

use std::net::SocketAddr;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    command::{AskForAccount, ChangeSignUp, Command, Outcome},
    id::UserId,
    rule,
    sign_up::SignUp,
    user::{Actor, Secret},
};
use utoipa::ToSchema;

use crate::{
    authenticate::{Caller, from_own_origin},
    body::{Json, Tagged, required_if_match},
    network_throttle::Often,
    password,
    problem::{Problem, ProblemDocument},
    serve::ClientAddress,
    state::Control,
};

/// How often people sign up: each costs a hash of a password, a write and somebody's look. From everywhere, half of those who
/// can wait at the same time, in an hour.
pub(crate) const OFTEN: Often = Often { of_network: 10, of_all: 100, window: 3_600_000 };

/// Whether people may sign up by themselves.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignUp)]
pub(crate) struct SignUpBody {
    /// False until an administrator opens it.
    open: bool,
}

/// Who asks for an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountRequest {
    /// Letters, digits and `. _ - @ +`, the first a letter or digit; at most 64.
    #[schema(example = "ada")]
    username: String,
    /// 12 characters or more, at most 256 bytes, and none of those that are guessed first.
    password: String,
}

fn answer(sign_up: SignUp) -> Tagged<SignUpBody> {
    Tagged(sign_up.etag, SignUpBody { open: sign_up.is_open })
}

/// Whether people may sign up
#[utoipa::path(get, path = "/sign-up", tag = "users", operation_id = "getSignUp", security(()),
    responses((status = 200, body = SignUpBody), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(State(Control(inner)): State<Control>) -> Result<Tagged<SignUpBody>, Problem> {
    Ok(answer(inner.ports.catalog.sign_up().await?))
}

/// Open or close sign-up
///
/// Who waits goes on waiting when it is closed.
#[utoipa::path(put, path = "/sign-up", tag = "users", operation_id = "updateSignUp",
    params(("If-Match" = String, Header)), request_body = SignUpBody,
    responses((status = 200, body = SignUpBody), (status = "default", body = ProblemDocument)))]
pub(crate) async fn update(
    State(Control(inner)): State<Control>,
    caller: Caller,
    headers: HeaderMap,
    Json(input): Json<SignUpBody>,
) -> Result<Tagged<SignUpBody>, Problem> {
    let change = ChangeSignUp { based_on: required_if_match(&headers)?, is_open: input.open };
    match inner.execute(&caller.actor(), Command::ChangeSignUp(change)).await? {
        Outcome::SignUp(sign_up) => Ok(answer(sign_up)),
        _ => Err(Problem::Internal("a command answered something else")),
    }
}

/// Sign up
///
/// An administrator approves before the first sign-in. Where somebody has the name already nothing is made, and the
/// answer is the same, so that nobody learns who is here. Who waits is told so when signing in with the right password.
#[utoipa::path(post, path = "/sign-up", tag = "users", operation_id = "signUp", request_body = AccountRequest, security(()),
    responses((status = 204, description = "Asked for, if the name is free"), (status = 429, body = ProblemDocument),
        (status = "default", body = ProblemDocument)))]
pub(crate) async fn sign_up(
    State(Control(inner)): State<Control>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Json(input): Json<AccountRequest>,
) -> Result<StatusCode, Problem> {
    from_own_origin(&inner, &headers)?;
    let (now, ip) = (inner.now(), SocketAddr::ip(&address));
    let mut problems = Vec::new();
    rule::username("/username", &input.username, &mut problems);
    rule::password("/password", &input.password, &input.username, &mut problems);
    if !problems.is_empty() {
        return Err(Problem::Validation(problems));
    }
    // Before anything that costs: a closed door asks for no hash.
    if inner.ports.catalog.sign_up().await?.is_open {
        inner.sign_ups.attempt(ip, now).map_err(Problem::Throttled)?;
    } else {
        let detail = "Nobody signs up here. Ask an administrator for an account.";
        return Err(Problem::Conflict(detail.to_owned()));
    }
    let password_hash = Secret(password::hash(&inner, input.password).await?);
    let id = UserId::new(now, inner.ports.entropy.id_bytes());
    let asked = AskForAccount { id, username: input.username, password_hash };
    inner.execute(&Actor::stranger(ip), Command::AskForAccount(asked)).await?;
    Ok(StatusCode::NO_CONTENT)
}
