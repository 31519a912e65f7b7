//! Who calls: a portal session by cookie, or a personal access token; and whether the roles allow the call.
//!
//! [`gate`] asks the table in `model::operation` before any handler of REST runs; what has no rule there is refused.
//!
//! A call by cookie that changes something must carry the session's anti-forgery token and, where the browser says
//! where it comes from, come from the portal itself. A bearer token needs neither: no browser sends it by itself.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::Arc,
};

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{Extensions, HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::Response,
};
use tidegate_model::{
    id::TokenId,
    operation::{self, Who},
    role::Permission,
    time::Timestamp,
    user::{Actor, PortalSession, Presented, Secret, User, UserState},
};
use tidegate_oauth::secret::{self, Kind};

use crate::{
    problem::Problem,
    serve::Peer,
    state::{Control, Inner},
};

/// Name of the portal session's cookie. The prefix makes browsers insist on Secure, Path=/ and no Domain.
pub(crate) const COOKIE: &str = "__Host-tidegate_session";
/// Field that repeats the session's anti-forgery token.
const CSRF_FIELD: &str = "x-csrf-token";

const SIGN_IN: &str = "Sign in, or send a personal access token.";

/// A caller who proved who they are.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The person.
    pub(crate) user: User,
    /// The portal session; `None` for a personal access token.
    pub(crate) session: Option<PortalSession>,
    /// The personal access token; `None` for a portal session.
    pub(crate) token: Option<TokenId>,
    /// When that ends by which they proved it; `None`: when deleted.
    pub(crate) until: Option<Timestamp>,
    /// From which address the call came.
    pub(crate) address: Option<IpAddr>,
    /// What a personal access token is for; `None`: everything that the roles allow.
    pub(crate) scopes: Option<BTreeSet<String>>,
}

impl Caller {
    /// The person as the one who does a change.
    pub(crate) fn actor(&self) -> Actor {
        Actor::person(&self.user).at(self.address)
    }

    /// The actor, if the roles allow it.
    pub(crate) fn may(&self, permission: Permission) -> Result<Actor, Problem> {
        let actor = self.actor();
        if actor.may(permission) { Ok(actor) } else { Err(Problem::Forbidden(permission)) }
    }

    /// The actor, if the roles allow one of two things.
    pub(crate) fn may_either(&self, one: Permission, other: Permission) -> Result<Actor, Problem> {
        self.may(one).or_else(|problem| self.may(other).map_err(|_| problem))
    }
}

impl FromRequestParts<Control> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, Control(inner): &Control) -> Result<Self, Problem> {
        // The gate has found out already.
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let address = address_of(&parts.extensions);
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            return by_token(inner, value.to_str().unwrap_or_default(), address).await;
        }
        let caller =
            by_cookie(inner, &parts.headers, address).await?.ok_or(Problem::Unauthenticated(SIGN_IN))?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            not_forged(inner, &parts.headers, &caller)?;
        }
        Ok(caller)
    }
}

async fn by_token(inner: &Inner, value: &str, address: Option<IpAddr>) -> Result<Caller, Problem> {
    const REFUSED: Problem = Problem::Unauthenticated("The personal access token is unknown or has expired.");
    let token = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let token = token
        .map(|(_, token)| token.trim())
        .filter(|token| secret::is_well_formed(Kind::PersonalToken, token));
    let hash = Secret(secret::hash(token.ok_or(REFUSED)?));
    let found = inner.ports.catalog.token(&hash, inner.now()).await?.ok_or(REFUSED)?;
    let user = inner.ports.catalog.user(found.user).await?.filter(is_active).ok_or(REFUSED)?;
    inner.seen.mark(Presented::Token(found.id), inner.now());
    let (until, scopes) = (found.expires_at, found.scopes);
    Ok(Caller { user, session: None, token: Some(found.id), until, address, scopes })
}

/// From which address a request came.
pub(crate) fn address_of(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Peer>().map(|peer| peer.0.ip())
}

pub(crate) fn is_active(user: &User) -> bool {
    user.state == UserState::Active
}

/// The operations of REST by method and path of the route.
pub(crate) type Operations = Arc<HashMap<(Method, String), Rule>>;

/// What an operation asks of its caller.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// Its id in the document.
    pub(crate) id: &'static str,
    /// The scope that a token for something needs.
    pub(crate) scope: String,
}

/// Before every operation of REST: who calls, and whether the table lets them. The caller is handed on.
pub(crate) async fn gate(
    State((control, operations)): State<(Control, Operations)>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let method = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
    let rule = operations.get(&(method, route.as_str().to_owned()));
    let rule = rule.and_then(|rule| operation::who(rule.id).map(|who| (who, &rule.scope)));
    let (who, scope) = rule.ok_or(Problem::Internal("an operation of REST has no rule"))?;
    if who != Who::Everyone {
        let caller = Caller::from_request_parts(&mut parts, &control).await?;
        if caller.user.must_change_password && who != Who::Arrived {
            return Err(Problem::PasswordForOnce);
        }
        if let Some(lacking) = who.lacks(&caller.user.roles.permissions()) {
            return Err(Problem::Forbidden(lacking));
        }
        if caller.scopes.as_ref().is_some_and(|scopes| !scopes.contains(scope)) {
            return Err(Problem::Scope(scope.clone()));
        }
        parts.extensions.insert(caller);
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}

/// The caller of a valid cookie, if there is one.
pub(crate) async fn by_cookie(
    inner: &Inner,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<Option<Caller>, Problem> {
    let token = cookie(headers, COOKIE).filter(|value| secret::is_well_formed(Kind::PortalSession, value));
    let Some(token) = token else { return Ok(None) };
    let hash = Secret(secret::hash(token));
    let Some(session) = inner.ports.catalog.portal_session(&hash, inner.now()).await? else {
        return Ok(None);
    };
    let user = inner.ports.catalog.user(session.user).await?.filter(is_active);
    if user.is_some() {
        inner.seen.mark(Presented::Session(session.token_hash.clone()), inner.now());
    }
    let until = Some(session.expires_at);
    Ok(user.map(|user| Caller { user, until, session: Some(session), token: None, address, scopes: None }))
}

/// The value of a cookie of ours.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(found, _)| *found == name)
        .map(|(_, value)| value);
    // Two cookies of the name cannot come from us alone.
    let (first, second) = (found.next(), found.next());
    first.filter(|_| second.is_none())
}

fn not_forged(inner: &Inner, headers: &HeaderMap, caller: &Caller) -> Result<(), Problem> {
    from_own_origin(inner, headers)?;
    let expected = caller.session.as_ref().map(|session| session.csrf_token.0.as_str()).unwrap_or_default();
    let given = headers.get(CSRF_FIELD).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if secret::equal(given, expected) && !expected.is_empty() {
        return Ok(());
    }
    Err(Problem::Forged("X-CSRF-Token is missing or wrong. Read it from GET /api/v1/session."))
}

/// Refuses what a browser marks as coming from elsewhere. Programs that say nothing are not browsers.
pub(crate) fn from_own_origin(inner: &Inner, headers: &HeaderMap) -> Result<(), Problem> {
    const ELSEWHERE: Problem = Problem::Forged("The call comes from another origin than the portal's.");
    let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site"))
        && !matches!(site, "same-origin" | "none")
    {
        return Err(ELSEWHERE);
    }
    if let Some(origin) = text(header::ORIGIN) {
        let host = text(header::HOST).unwrap_or_default();
        let own = origin == inner.settings.load().portal_url
            || (!host.is_empty() && origin == format!("https://{host}"));
        if !own {
            return Err(ELSEWHERE);
        }
    }
    Ok(())
}
