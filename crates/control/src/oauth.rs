//! The authorization server's endpoints. Here: how a client's own requests are read, who the client is, keys (RFC
//! 7517) and metadata (RFC 8414, OpenID Discovery). Each endpoint is a file.
//!
//! It knows HTTP and the ports; what a request means, and what it may have, is said in the `oauth` crate.

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tidegate_model::{
    application::Key,
    client::ClientAuthentication,
    command::{Command, Refused},
    port::CommandError,
    time::Timestamp,
    user::{Actor, PortalSession},
};
use tidegate_oauth::{
    bearer::BadCredential,
    client::{Presented, Proof},
    client_assertion::{self, ClientKeys, Taken},
    form::{self, FORM_BYTES_MAX, Parameters},
    grant::{TokenError, TokenErrorResponse},
    metadata::metadata,
};

use crate::{
    authenticate::{Caller, by_cookie},
    body,
    problem::Problem,
    state::{Control, Inner},
};

pub(crate) mod authorize;
pub(crate) mod consent;
pub(crate) mod cross_origin;
pub(crate) mod device;
pub(crate) mod device_page;
mod grant;
pub(crate) mod introspect;
pub(crate) mod issue;
pub(crate) mod logout;
pub(crate) mod page;
pub(crate) mod polls;
pub(crate) mod register;
pub(crate) mod revoke;
pub(crate) mod scope;
pub(crate) mod token;
pub(crate) mod userinfo;

/// How long others may keep keys and metadata, in seconds.
const CACHE: &str = "public, max-age=300";

/// Why a client gets no answer.
enum Failure {
    /// It asked wrongly.
    Protocol(TokenError),
    /// Something of ours failed.
    Ours(Problem),
}

/// Marks an answer to a client that did not prove itself, for who counts them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientRefused;

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

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let error = match self {
            Self::Protocol(error) => error,
            Self::Ours(problem) => return problem.into_response(),
        };
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = (status, axum::Json(TokenErrorResponse::from(error))).into_response();
        if let Some(challenge) = error.challenge() {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if error == TokenError::InvalidClient {
            response.extensions_mut().insert(ClientRefused);
        }
        no_store(response)
    }
}

/// The `Authorization` field, if any, and the form of a request.
async fn form_of(request: Request) -> Result<(Option<String>, String), Failure> {
    let headers = request.headers();
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let detail = "send the parameters as application/x-www-form-urlencoded";
        return Err(TokenError::InvalidRequest(detail).into());
    }
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let authorization = match (fields.next(), fields.next()) {
        (None, _) => None,
        (Some(value), None) => Some(value.to_str().map_err(|_| TokenError::InvalidClient)?.to_owned()),
        (Some(_), Some(_)) => return Err(TokenError::InvalidRequest("use one Authorization field").into()),
    };
    let bytes = body::read(request).await?;
    if bytes.len() > FORM_BYTES_MAX {
        return Err(TokenError::InvalidRequest("the form is too large").into());
    }
    let form = String::from_utf8(bytes.to_vec());
    Ok((authorization, form.map_err(|_| TokenError::InvalidRequest("the form is not UTF-8"))?))
}

/// A form that goes on as the query of this path, so that the browser shows its cookie: a form that another site had it
/// post comes without. `None` where the form is no query.
fn by_query(path: &str, form: &str) -> Option<Response> {
    let is_query = form.bytes().all(|byte| matches!(byte, b'!'..=b'~')) && !form.contains('#');
    is_query.then(|| page::go(&format!("{path}?{form}")))
}

/// The client of a request that proved itself, and the rest of the form.
async fn client_and_form(inner: &Inner, request: Request) -> Result<(Key, Parameters), Failure> {
    let (authorization, form) = form_of(request).await?;
    let (client, parameters) = form::read(authorization.as_deref(), &form)?;
    Ok((proven(inner, &client).await?, parameters))
}

/// The key of a client that proved itself as its kind has to.
async fn proven(inner: &Inner, client: &Presented) -> Result<Key, Failure> {
    let key = inner.ports.catalog.key(&client.client_id).await.map_err(Problem::from)?;
    if let Proof::Assertion(assertion) = &client.proof {
        return asserted(inner, key, assertion).await;
    }
    // An unknown client takes as long as a wrong secret.
    let proves = client.proves(key.as_ref().map(|key| key.secret_hash.0.as_str()));
    let is_silent = client.proof == Proof::None;
    let is_fine = |key: &Key| {
        if key.settings.kind.is_public() { is_silent } else { key.settings.has_secret() && proves }
    };
    Ok(key.filter(is_fine).ok_or(TokenError::InvalidClient)?)
}

/// The key of a client that signed a statement for us, which is used up with it.
async fn asserted(inner: &Inner, key: Option<Key>, assertion: &str) -> Result<Key, Failure> {
    let signs = |key: &Key| {
        !key.settings.kind.is_public() && key.settings.authentication == ClientAuthentication::PrivateKeyJwt
    };
    let key = key.filter(signs).ok_or(TokenError::InvalidClient)?;
    let keys = ClientKeys::read(&key.settings.jwks)
        .map_err(|_| Problem::Internal("the keys of a client cannot be read back"))?;
    // RFC 7523, section 3: who it is for is the issuer, or the token endpoint's address.
    let (issuer, endpoint) = (inner.issuer.url(), format!("{}/oauth2/token", inner.issuer.url()));
    let now = inner.now().seconds();
    let taken = client_assertion::verify(assertion, &key.client_id, &keys, &[issuer, &endpoint], now);
    let Taken { replay_id, expires_at } = taken.ok_or(TokenError::InvalidClient)?;
    let expires_at = Timestamp::from_seconds(expires_at);
    match inner.try_execute(&Actor::product(), Command::UseAssertion { replay_id, expires_at }).await {
        Ok(_) => Ok(key),
        Err(CommandError::Refused(Refused::Duplicate(_))) => Err(TokenError::InvalidClient.into()),
        Err(error) => Err(Problem::from(error).into()),
    }
}

/// Who is signed in to the portal in this browser, and the session.
async fn signed_in(
    inner: &Inner,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<Option<(Caller, PortalSession)>, Problem> {
    let found = by_cookie(inner, headers, address).await?;
    Ok(found.and_then(|caller| caller.session.clone().map(|session| (caller, session))))
}

/// The same without who has a password for one time: they have to choose another first, and the portal sees to it.
async fn signed_in_for_good(
    inner: &Inner,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<Option<(Caller, PortalSession)>, Problem> {
    let found = signed_in(inner, headers, address).await?;
    Ok(found.filter(|(caller, _)| !caller.user.must_change_password))
}

/// An answer to a bearer token that is none, or not for this (RFC 6750, section 3).
fn challenged(status: StatusCode, challenge: &str) -> Response {
    let mut response = no_store(status.into_response());
    if let Ok(challenge) = HeaderValue::from_str(challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// The status of the answer to what cannot be a bearer token.
fn status_of(bad: BadCredential) -> StatusCode {
    if bad.error() == Some("invalid_request") { StatusCode::BAD_REQUEST } else { StatusCode::UNAUTHORIZED }
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
    let sees_certificates = inner.settings.load().client_cert;
    let document = metadata(inner.issuer.url(), inner.issuer.algorithms(), sees_certificates);
    ([(header::CACHE_CONTROL, CACHE)], axum::Json(document))
}
