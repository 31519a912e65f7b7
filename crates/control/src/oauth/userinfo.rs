//! `GET` and `POST /oauth2/userinfo` (OpenID Connect Core, section 5.3): what an access token says of the person.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tidegate_oauth::bearer::{self, BadCredential};

use super::{challenged, introspect::known_token, no_store, scope, status_of};
use crate::{
    problem::Problem,
    state::{Control, Inner},
};

const REALM: &str = "userinfo";

enum Failure {
    Credential(BadCredential),
    Token,
    Scope,
    Ours(Problem),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Ours(problem)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let refused = |error, detail| bearer::challenge(REALM, Some((error, detail)));
        let (status, challenge) = match self {
            Self::Ours(problem) => return problem.into_response(),
            Self::Credential(bad) => (status_of(bad), bad.challenge(REALM)),
            Self::Token => (
                StatusCode::UNAUTHORIZED,
                refused("invalid_token", "the token is unknown, expired or revoked"),
            ),
            Self::Scope => {
                (StatusCode::FORBIDDEN, refused("insufficient_scope", "the token has no scope openid"))
            }
        };
        challenged(status, &challenge)
    }
}

pub(crate) async fn get(State(Control(inner)): State<Control>, headers: HeaderMap) -> Response {
    answer(&inner, &headers).await.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(inner: &Inner, headers: &HeaderMap) -> Result<Response, Failure> {
    let fields = headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    let found = bearer::find(fields, None, &[]).map_err(Failure::Credential)?;
    // One that is bound to a key is nothing without its proof (RFC 9449, section 7.1), which is not read here.
    let token = known_token(inner, &found.token).await?.filter(|token| token.bound_to.is_none());
    let token = token.ok_or(Failure::Token)?;
    if !scope::is_person(&token.scope) {
        return Err(Failure::Scope);
    }
    let user = token.subject.parse().ok();
    let user = match user {
        Some(id) => inner.ports.catalog.user(id).await.map_err(Problem::from)?,
        None => None,
    };
    let user = user.ok_or(Failure::Token)?;
    let mut claims = json!({"sub": user.id.to_string()});
    if scope::has(&token.scope, "profile") {
        claims["preferred_username"] = user.username.into();
    }
    Ok(no_store(axum::Json(claims).into_response()))
}
