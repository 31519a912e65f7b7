//! The authorization server's endpoints: token (RFC 6749), keys (RFC 7517), metadata (RFC 8414, OpenID Discovery).

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tidegate_oauth::{
    client::Presented,
    grant::{self, FORM_BYTES_MAX, TokenError, TokenErrorResponse, TokenResponse},
    metadata::metadata,
};

use crate::{
    body,
    issuer::ACCESS_TOKEN_SECONDS,
    problem::Problem,
    state::{Control, Inner},
};

/// How long others may keep keys and metadata, in seconds.
const CACHE: &str = "public, max-age=300";

/// `POST /oauth2/token`.
pub(crate) async fn token(State(Control(inner)): State<Control>, request: Request) -> Response {
    match grant_token(&inner, request).await {
        Ok(response) => no_store(axum::Json(response).into_response()),
        Err(Failure::Protocol(error)) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
            let mut response = (status, axum::Json(TokenErrorResponse::from(error))).into_response();
            if let Some(challenge) = error.challenge() {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            no_store(response)
        }
        Err(Failure::Ours(problem)) => problem.into_response(),
    }
}

enum Failure {
    Protocol(TokenError),
    Ours(Problem),
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Protocol(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Ours(problem)
    }
}

async fn grant_token(inner: &Inner, request: Request) -> Result<TokenResponse, Failure> {
    let headers = request.headers();
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        return Err(
            TokenError::InvalidRequest("send the parameters as application/x-www-form-urlencoded").into()
        );
    }
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let authorization = match (fields.next(), fields.next()) {
        (None, _) => None,
        (Some(value), None) => Some(value.to_str().map_err(|_| TokenError::InvalidClient)?.to_owned()),
        (Some(_), Some(_)) => return Err(TokenError::InvalidRequest("use one Authorization field").into()),
    };
    let headers = headers.clone();
    let bytes = body::read(request).await?;
    if bytes.len() > FORM_BYTES_MAX {
        return Err(TokenError::InvalidRequest("the form is too large").into());
    }
    let form =
        std::str::from_utf8(&bytes).map_err(|_| TokenError::InvalidRequest("the form is not UTF-8"))?;
    let asked = grant::read(authorization.as_deref(), form)?;
    let key = proven(inner, &asked.client).await?;
    let scope = grant::decide(&asked, &key.grants, &[])?;
    let holder = inner.key_of_holder(&headers, "/oauth2/token")?;
    let access_token = access_token(inner, &key.client_id, &scope, holder.as_deref())?;
    let response = TokenResponse::bearer(access_token, ACCESS_TOKEN_SECONDS, scope);
    Ok(if holder.is_some() { response.bound() } else { response })
}

async fn proven(inner: &Inner, client: &Presented) -> Result<tidegate_model::application::Key, Failure> {
    let key = inner.ports.catalog.key(&client.client_id).await.map_err(Problem::from)?;
    // An unknown client takes as long as a wrong secret.
    let proves = client.proves(key.as_ref().map(|key| key.secret_hash.0.as_str()));
    Ok(key.filter(|_| proves).ok_or(TokenError::InvalidClient)?)
}

/// An access token for a client that has proven itself, or whose owner has.
pub(crate) fn access_token(
    inner: &Inner,
    client_id: &str,
    scope: &str,
    bound_to: Option<&str>,
) -> Result<String, Problem> {
    let now = inner.now().seconds();
    let token = inner.issuer.access_token(client_id, scope, bound_to, now, &mut inner.random());
    token.map_err(|_| Problem::Internal("an access token could not be signed"))
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// `GET /oauth2/jwks`.
pub(crate) async fn keys(State(Control(inner)): State<Control>) -> impl IntoResponse {
    published(&inner.issuer.key_set())
}

/// `GET /oauth2/backend-jwks`: what backends verify `X-JWT-Assertion` with.
pub(crate) async fn backend_keys(State(Control(inner)): State<Control>) -> impl IntoResponse {
    published(inner.backend_keys.key_set())
}

fn published(key_set: &str) -> impl IntoResponse + use<> {
    let fields = [(header::CONTENT_TYPE, "application/jwk-set+json"), (header::CACHE_CONTROL, CACHE)];
    (fields, key_set.to_owned())
}

/// `GET /.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`.
pub(crate) async fn discovery(State(Control(inner)): State<Control>) -> impl IntoResponse {
    let mut document = metadata(inner.issuer.url());
    document.id_token_signing_alg_values_supported = inner.issuer.algorithms();
    ([(header::CACHE_CONTROL, CACHE)], axum::Json(document))
}
