//! Signing in and out of the portal: `/session`.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tidegate_model::{
    audit::Attempted,
    command::{Command, Refused},
    id::{PortalSessionId, UserId},
    port::CommandError,
    user::{Account, BROWSER_CHARS_MAX, PortalSession, Secret, UserState},
};
use tidegate_oauth::secret::{self, Kind};
use utoipa::ToSchema;

use crate::{
    authenticate::{COOKIE, Caller, by_cookie, from_own_origin},
    body::{Answer, Json},
    password,
    problem::{Problem, ProblemDocument},
    roles,
    serve::ClientAddress,
    state::{Control, Inner},
};

/// How long a portal session lasts, in milliseconds: a working day with its breaks.
const SESSION_MILLIS: i64 = 12 * 3_600_000;
/// Longest name and password that are looked at, in bytes.
pub(crate) const CREDENTIAL_BYTES_MAX: usize = 1_024;

/// Who signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// Name, in any case.
    username: String,
    /// Password.
    password: String,
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SessionUser)]
pub(crate) struct UserAnswer {
    id: uuid::Uuid,
    username: String,
    /// Those that were given: of `admin`, `creator`, `publisher`, `subscriber`, `observer` and own roles.
    roles: Vec<String>,
    /// The same with those that own roles mean: by them plans are chosen and scopes granted.
    held_roles: Vec<String>,
    /// Made by the demo.
    demo: bool,
    /// There is a password to sign in with; without one the person comes from a sign-in provider.
    has_password: bool,
    /// The password is one for one time: until another is chosen (`PUT /account/password`), nothing else is allowed.
    must_change_password: bool,
}

/// Who is signed in, and what they may do.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionAnswer {
    user: UserAnswer,
    /// To be repeated in `X-CSRF-Token` by calls that change something; empty for a personal access token.
    csrf_token: String,
    /// Of `api_view`, `api_create`, `api_publish`, `app_manage`, `administer`.
    permissions: Vec<String>,
    /// When the session ends, RFC 3339; absent for a personal access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

impl From<&Caller> for SessionAnswer {
    fn from(caller: &Caller) -> Self {
        let user = &caller.user;
        let session = caller.session.as_ref();
        Self {
            user: UserAnswer {
                id: user.id.0,
                username: user.username.clone(),
                roles: roles::words(user.roles.given()),
                held_roles: roles::words(&user.roles.held()),
                demo: user.demo,
                has_password: user.has_password,
                must_change_password: user.must_change_password,
            },
            csrf_token: session.map(|session| session.csrf_token.0.clone()).unwrap_or_default(),
            permissions: user
                .roles
                .permissions()
                .iter()
                .filter(|_| !user.must_change_password)
                .map(|permission| permission.as_str().to_owned())
                .collect(),
            expires_at: session.map(|session| session.expires_at.rfc3339()),
        }
    }
}

/// A cookie that no page reads, that comes with every call of this listener, and with nothing but navigation from elsewhere.
pub(crate) fn cookie(name: &str, value: &str, seconds: i64) -> Result<HeaderValue, Problem> {
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}");
    HeaderValue::from_str(&text).map_err(|_| Problem::Internal("a cookie could not be written"))
}

/// What makes a browser forget its portal session.
pub(crate) fn cleared_cookie() -> Result<HeaderValue, Problem> {
    cookie(COOKIE, "", 0)
}

/// Sign in
#[utoipa::path(post, path = "/session", tag = "session", operation_id = "signIn", request_body = SignIn, security(()),
    responses((status = 200, body = SessionAnswer, description = "Signed in; the cookie is set"),
        (status = 401, body = ProblemDocument), (status = 429, body = ProblemDocument),
        (status = "default", body = ProblemDocument)))]
pub(crate) async fn sign_in(
    State(Control(inner)): State<Control>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Json(input): Json<SignIn>,
) -> Result<Response, Problem> {
    const WRONG: Problem = Problem::Unauthenticated("The user name or the password is wrong.");
    from_own_origin(&inner, &headers)?;
    let now = inner.now();
    let ip = SocketAddr::ip(&address);
    if input.username.len() > CREDENTIAL_BYTES_MAX || input.password.len() > CREDENTIAL_BYTES_MAX {
        return Err(WRONG);
    }
    inner.throttle.attempt(&input.username, ip, now).map_err(|seconds| {
        inner.attempts.count(Attempted::LockedOut, None, ip, now);
        Problem::Throttled(seconds)
    })?;
    let account = inner.ports.catalog.account(&input.username).await?;
    let hash = account.as_ref().map(|account| account.password_hash.0.clone());
    let right = password::verify(&inner.hashing, input.password, hash).await;
    // Somebody disabled is answered as somebody unknown: who guesses learns nothing.
    let failed = match &account {
        None => Some(Attempted::UnknownName),
        Some(_) if !right => Some(Attempted::WrongPassword),
        Some(account) if account.user.state == UserState::Waiting => Some(Attempted::Waiting),
        Some(account) if account.user.state != UserState::Active => Some(Attempted::Disabled),
        Some(_) => None,
    };
    let known = account.as_ref().map(|account| (account.user.id, account.user.username.clone()));
    if let Some(what) = failed {
        inner.attempts.count(what, known, ip, now);
        tracing::info!(%ip, "a sign-in failed");
    }
    // Whoever knows the password may know how the account stands.
    if failed == Some(Attempted::Waiting) {
        inner.throttle.succeeded(&input.username, ip);
        return Err(Problem::Waiting);
    }
    let Some(Account { user, password_hash }) = account.filter(|_| failed.is_none()) else {
        return Err(WRONG);
    };
    inner.throttle.succeeded(&input.username, ip);
    // A cookie from before is not taken over: the session of a signed-in person always has a new name.
    let (token, session) = begin(&inner, user.id, ip, &headers);
    let until = Some(session.expires_at);
    let (session_of, address) = (Some(session.clone()), Some(ip));
    let caller = Caller { user, session: session_of, token: None, until, address, scopes: None };
    let command = Command::OpenPortalSession { session, verified: password_hash };
    match inner.try_execute(&caller.actor(), command).await {
        // Disabled or deleted, or with another password, since the account was read.
        Err(CommandError::Refused(Refused::NotFound(_) | Refused::SignedOut)) => Err(WRONG),
        Err(error) => Err(error.into()),
        Ok(_) => signed_in(&caller, &token),
    }
}

/// A new portal session of this person, and the value of its cookie.
pub(crate) fn begin(
    inner: &Inner,
    user: UserId,
    address: IpAddr,
    headers: &HeaderMap,
) -> (String, PortalSession) {
    let now = inner.now();
    let token = secret::generate(Kind::PortalSession, &mut inner.random());
    let browser = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let session = PortalSession {
        id: PortalSessionId::new(now, inner.ports.entropy.id_bytes()),
        token_hash: Secret(secret::hash(&token)),
        user,
        csrf_token: Secret(secret::generate(Kind::Csrf, &mut inner.random())),
        created_at: now,
        expires_at: now.plus_millis(SESSION_MILLIS),
        seen_at: now,
        address: Some(address),
        browser: browser.chars().take(BROWSER_CHARS_MAX).collect(),
    };
    (token, session)
}

/// Who is signed in now, with the cookie of the session.
pub(crate) fn signed_in(caller: &Caller, token: &str) -> Result<Response, Problem> {
    let mut response = Answer(SessionAnswer::from(caller)).into_response();
    response.headers_mut().insert(header::SET_COOKIE, session_cookie(token)?);
    Ok(response)
}

/// The cookie of a portal session.
pub(crate) fn session_cookie(token: &str) -> Result<HeaderValue, Problem> {
    cookie(COOKIE, token, SESSION_MILLIS / 1_000)
}

/// Who is signed in
#[utoipa::path(get, path = "/session", tag = "session", operation_id = "getSession",
    responses((status = 200, body = SessionAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn get(caller: Caller) -> Answer<SessionAnswer> {
    Answer(SessionAnswer::from(&caller))
}

/// Sign out
#[utoipa::path(delete, path = "/session", tag = "session", operation_id = "signOut",
    responses((status = 204, description = "Signed out"), (status = "default", body = ProblemDocument)))]
pub(crate) async fn sign_out(
    State(Control(inner)): State<Control>,
    headers: HeaderMap,
    caller: Caller,
) -> Result<Response, Problem> {
    if let Some(session) =
        by_cookie(&inner, &headers, caller.address).await?.and_then(|caller| caller.session)
    {
        let command = Command::ClosePortalSession { token_hash: session.token_hash };
        inner.execute(&caller.actor(), command).await?;
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cleared_cookie()?)]).into_response())
}
