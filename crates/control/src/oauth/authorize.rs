//! `GET /oauth2/authorize` (RFC 6749, section 4.1.1; OpenID Connect Core, section 3.1.2): from a client's request to a
//! code, through signing in and consent where they are needed.
//!
//! Until the client and its address are known, the person is told what is wrong; from then on, the client is.

use std::net::IpAddr;

use axum::{
    extract::{RawQuery, Request, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use tidegate_model::{
    application::Key,
    authorization::{AUTHORIZATION_MILLIS, Authorization, Authorize, CODE_MILLIS, Code},
    client::{AUTHORIZATION_CODE, ClientKind},
    command::{self, Command},
    id::AuthorizationId,
    port::CommandError,
    revocation::Mark,
    user::{PortalSession, Secret},
};
use tidegate_oauth::{
    authorize::{self, Asked, AuthorizeError, AuthorizeRequest},
    grant::granted,
    mark,
    redirect::{self, Place},
    secret::{self, Kind},
};

use super::{
    Failure, by_query, consent, form_of,
    page::{go, told},
    scope,
};
use crate::{
    authenticate::{Caller, by_cookie},
    problem::Problem,
    serve::ClientAddress,
    state::{Control, Inner},
};

/// A request of a client that is known, with an answer that may go where it says.
pub(super) struct Known {
    pub(super) key: Key,
    pub(super) request: AuthorizeRequest,
}

/// Everything that is needed to answer.
pub(super) struct Ready {
    pub(super) known: Known,
    pub(super) asked: Asked,
    /// Separated by spaces.
    pub(super) scope: String,
}

/// Why there is no code.
pub(super) enum Refused {
    /// The person is shown this.
    Shown(Box<Response>),
    /// Something of ours failed.
    Ours(Problem),
}

impl Refused {
    /// The person is shown this.
    pub(super) fn shown(page: Response) -> Self {
        Self::Shown(Box::new(page))
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Ours(problem)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Shown(page) => *page,
            Self::Ours(problem) => problem.into_response(),
        }
    }
}

impl Known {
    /// Back to the client with an error.
    pub(super) fn refuse(&self, inner: &Inner, error: AuthorizeError) -> Response {
        go(&self.request.to.with_error(error, inner.issuer.url()))
    }
}

pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    answer(&inner, &headers, address.ip(), &query).await.unwrap_or_else(IntoResponse::into_response)
}

/// The same by form (OpenID Connect Core, section 3.1.2.1), which goes on by query: so that signing in can come back.
pub(crate) async fn post(request: Request) -> Response {
    let sent_on = match form_of(request).await {
        Ok((_, form)) => by_query("/oauth2/authorize", &form),
        Err(Failure::Protocol(_)) => None,
        Err(Failure::Ours(problem)) => return problem.into_response(),
    };
    sent_on.unwrap_or_else(|| {
        told("This request cannot be read", "The form is not one that the authorization endpoint takes.")
    })
}

/// What the query asks for, and of whom.
pub(super) async fn read(inner: &Inner, query: &str) -> Result<Ready, Refused> {
    let request = authorize::read(query)
        .map_err(|local| Refused::shown(told("This request cannot be answered", &local.to_string())))?;
    let key = inner.ports.catalog.key(&request.to.client_id).await.map_err(Problem::from)?;
    let key = key.ok_or_else(|| {
        Refused::shown(told(
            "This application is not known",
            "No application has the client_id of the request.",
        ))
    })?;
    let place = match key.settings.kind {
        ClientKind::Native => Place::Device,
        ClientKind::Confidential | ClientKind::Browser => Place::Web,
    };
    if !redirect::is_registered(&request.to.redirect_uri, &key.settings.redirect_uris, place) {
        let detail = "The address to go back to (redirect_uri) is not one that this application has registered. It is \
                      compared character for character.";
        return Err(Refused::shown(told("This request cannot be answered", detail)));
    }
    let known = Known { key, request };
    let refuse = |error| Err(Refused::shown(known.refuse(inner, error)));
    let asked = match known.request.asked() {
        Ok(asked) => asked,
        Err(error) => return refuse(error),
    };
    if !known.key.grants.iter().any(|grant| grant == AUTHORIZATION_CODE) {
        return refuse(AuthorizeError::UnauthorizedClient);
    }
    // Without any, the client may do what its subscriptions allow, and learns nothing of the person.
    let scope = if asked.scopes.is_empty() {
        Ok(String::new())
    } else {
        granted(&asked.scopes, &scope::of_person(&known.key))
    };
    let Ok(scope) = scope else { return refuse(AuthorizeError::InvalidScope) };
    Ok(Ready { known, asked, scope })
}

async fn answer(
    inner: &Inner,
    headers: &HeaderMap,
    address: IpAddr,
    query: &str,
) -> Result<Response, Refused> {
    let ready = read(inner, query).await?;
    let (known, asked) = (&ready.known, &ready.asked);
    // Who has a password for one time has to choose another first; the portal sees to it.
    let found =
        by_cookie(inner, headers, Some(address)).await?.filter(|caller| !caller.user.must_change_password);
    let Some((caller, session)) =
        found.and_then(|caller| caller.session.clone().map(|session| (caller, session)))
    else {
        if asked.prompt.none {
            return Ok(known.refuse(inner, AuthorizeError::LoginRequired));
        }
        // Who signs in now has done so: it is not asked for a second time on the way back.
        let is_demanded = asked.prompt.login || asked.max_age.is_some();
        let again = is_demanded.then(|| known.request.query_after_sign_in());
        return Ok(sign_in(again.as_deref().unwrap_or(query)));
    };
    let age = inner.now().seconds() - session.created_at.seconds();
    // Zero is what `prompt=login` says.
    let is_old = asked.max_age.is_some_and(|max| max == 0 || u64::try_from(age).unwrap_or_default() > max);
    if asked.prompt.login || is_old {
        if asked.prompt.none {
            return Ok(known.refuse(inner, AuthorizeError::LoginRequired));
        }
        let command = Command::ClosePortalSession { token_hash: session.token_hash };
        inner.execute(&caller.actor(), command).await?;
        return Ok(sign_in(&known.request.query_after_sign_in()));
    }
    let remembered = inner.ports.catalog.consent(caller.user.id, &known.key.client_id).await;
    let remembered = remembered.map_err(Problem::from)?;
    // A client on a device can be imitated by another program there (RFC 8252, section 8.6).
    let is_certain = known.key.settings.kind != ClientKind::Native;
    let is_allowed = |had: Vec<String>| {
        ready
            .scope
            .split(' ')
            .filter(|scope| !scope.is_empty())
            .all(|scope| had.iter().any(|one| one == scope))
    };
    if !asked.prompt.consent && is_certain && remembered.is_some_and(is_allowed) {
        return give(inner, &ready, &caller, &session, false).await;
    }
    if asked.prompt.none {
        return Ok(known.refuse(inner, AuthorizeError::ConsentRequired));
    }
    Ok(consent::ask(inner, &ready, &caller, &session, query).await?)
}

/// To the portal's sign-in page, and back to the request.
pub(super) fn sign_in(query: &str) -> Response {
    go(&redirect::with_query("/sign-in", &[("to", &format!("/oauth2/authorize?{query}"))]))
}

/// A code for what was asked for, to where it was asked from.
pub(super) async fn give(
    inner: &Inner,
    ready: &Ready,
    caller: &Caller,
    session: &PortalSession,
    was_asked: bool,
) -> Result<Response, Refused> {
    let now = inner.now();
    let code = secret::generate(Kind::Code, &mut inner.random());
    let id = AuthorizationId::new(now, inner.ports.entropy.id_bytes());
    let to = &ready.known.request.to;
    let authorize = Authorize {
        authorization: Authorization {
            id,
            client_id: ready.known.key.client_id.clone(),
            user: caller.user.id,
            scope: ready.scope.clone(),
            auth_time: session.created_at,
            nonce: ready.asked.nonce.clone(),
            mark: Mark::from(mark::grant(inner.issuer.url(), &id.to_string())).to_string(),
            created_at: now,
            expires_at: now.plus_millis(AUTHORIZATION_MILLIS),
            ended_at: None,
        },
        code: Code {
            code_hash: Secret(secret::hash(&code)),
            redirect_uri: to.redirect_uri.clone(),
            challenge: ready.asked.challenge.clone(),
            expires_at: now.plus_millis(CODE_MILLIS),
            used_at: None,
        },
        session: session.token_hash.clone(),
        remember: was_asked,
    };
    match inner.try_execute(&caller.actor(), Command::Authorize(Box::new(authorize))).await {
        Ok(_) => Ok(go(&to.with_code(&code, inner.issuer.url()))),
        // Since the cookie was read.
        Err(CommandError::Refused(command::Refused::SignedOut)) if ready.asked.prompt.none => {
            Ok(ready.known.refuse(inner, AuthorizeError::LoginRequired))
        }
        Err(CommandError::Refused(command::Refused::SignedOut)) => {
            Ok(sign_in(&ready.known.request.query_after_sign_in()))
        }
        Err(error) => Err(Problem::from(error).into()),
    }
}
