//! One's own account: `/account`.

use std::net::SocketAddr;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use tidegate_model::{
    audit::Attempted,
    command::{Command, Outcome},
    rule::{self, FieldProblem},
    user::Secret,
};
use utoipa::ToSchema;

use crate::{
    authenticate::Caller,
    body::Json,
    password,
    problem::{Problem, ProblemDocument},
    serve::ClientAddress,
    session::{CREDENTIAL_BYTES_MAX, SessionAnswer, begin, signed_in},
    state::Control,
};

/// A password in exchange for another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChosenPassword {
    /// The one you signed in with.
    current_password: String,
    /// The next one: 12 characters or more, at most 256 bytes, and none of those that are guessed first.
    new_password: String,
}

/// Choose another password
///
/// Your other portal sessions end; this one goes on with a new cookie and a new `csrf_token`.
#[utoipa::path(put, path = "/account/password", tag = "session", operation_id = "choosePassword",
    request_body = ChosenPassword,
    responses((status = 200, body = SessionAnswer, description = "Chosen; the cookie is set anew"),
        (status = 429, body = ProblemDocument), (status = "default", body = ProblemDocument)))]
pub(crate) async fn choose_password(
    State(Control(inner)): State<Control>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    caller: Caller,
    Json(input): Json<ChosenPassword>,
) -> Result<Response, Problem> {
    if caller.session.is_none() {
        return Err(Problem::Conflict("Passwords are chosen in a portal session. Sign in first.".to_owned()));
    }
    let user = &caller.user;
    let mut problems = Vec::new();
    rule::password("/new_password", &input.new_password, &user.username, &mut problems);
    if problems.is_empty() && input.new_password == input.current_password {
        problems.push(FieldProblem::new(
            "/new_password",
            "same",
            "Choose another password than the present one.",
        ));
    }
    if !problems.is_empty() {
        return Err(Problem::Validation(problems));
    }
    // The second door where a password is asked for, with the same wait behind it.
    inner.throttle.attempt(&user.username, SocketAddr::ip(&address), inner.now()).map_err(|seconds| {
        inner.attempts.count(Attempted::LockedOut, None, SocketAddr::ip(&address), inner.now());
        Problem::Throttled(seconds)
    })?;
    let account = inner.ports.catalog.account(&user.username).await?;
    let verified = account.map(|account| account.password_hash);
    let fits = input.current_password.len() <= CREDENTIAL_BYTES_MAX;
    let hash = verified.clone().map(|hash| hash.0);
    if !fits || !password::verify(&inner.hashing, input.current_password, hash).await {
        let known = (user.id, user.username.clone());
        inner.attempts.count(Attempted::WrongPassword, Some(known), SocketAddr::ip(&address), inner.now());
        let wrong = FieldProblem::new("/current_password", "wrong", "This is not your present password.");
        return Err(Problem::Validation(vec![wrong]));
    }
    inner.throttle.succeeded(&user.username, SocketAddr::ip(&address));
    let password_hash = Secret(password::hash(&inner, input.new_password).await?);
    let (token, session) = begin(&inner, user.id, SocketAddr::ip(&address), &headers);
    let command = Command::ChoosePassword {
        password_hash,
        verified: verified.unwrap_or_default(),
        session: session.clone(),
    };
    let Outcome::User(user) = inner.execute(&caller.actor(), command).await? else {
        return Err(Problem::Internal("a command answered something else"));
    };
    signed_in(&Caller { user, until: Some(session.expires_at), session: Some(session), ..caller }, &token)
}
