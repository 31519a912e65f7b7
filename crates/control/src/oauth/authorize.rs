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
    mark,
    redirect::{self, Place},
    secret::{self, Kind},
};

use super::{
    Failure, by_query, consent, form_of,
    page::{go, sign_in, told},
    scope, signed_in_for_good,
};
use crate::{
    authenticate::Caller,
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

impl Ready {
    /// With the scopes that the client may have for this person.
    pub(super) fn of(self, inner: &Inner, caller: &Caller) -> Self {
        Self { scope: scope::held(inner, &self.known.key, &self.scope, &caller.user.roles), ..self }
    }
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
    let Ok(scope) = scope::asked_of_person(inner, &known.key, &asked.scopes) else {
        return refuse(AuthorizeError::InvalidScope);
    };
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
    let Some((caller, session)) = signed_in_for_good(inner, headers, Some(address)).await? else {
        if asked.prompt.none {
            return Ok(known.refuse(inner, AuthorizeError::LoginRequired));
        }
        // Who signs in now has done so: it is not asked for a second time on the way back.
        let is_demanded = asked.prompt.login || asked.max_age.is_some();
        let again = is_demanded.then(|| known.request.query_after_sign_in());
        return Ok(sign_in_for(again.as_deref().unwrap_or(query)));
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
        return Ok(sign_in_for(&known.request.query_after_sign_in()));
    }
    let ready = ready.of(inner, &caller);
    let (known, asked) = (&ready.known, &ready.asked);
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
pub(super) fn sign_in_for(query: &str) -> Response {
    sign_in(&format!("/oauth2/authorize?{query}"))
}

/// What a person allows a client from now on.
pub(super) fn new_authorization(
    inner: &Inner,
    key: &Key,
    (caller, session): (&Caller, &PortalSession),
    scope: String,
    nonce: Option<String>,
) -> Authorization {
    let now = inner.now();
    let id = AuthorizationId::new(now, inner.ports.entropy.id_bytes());
    Authorization {
        id,
        client_id: key.client_id.clone(),
        user: caller.user.id,
        scope,
        auth_time: session.created_at,
        nonce,
        mark: Mark::from(mark::grant(inner.issuer.url(), &id.to_string())).to_string(),
        created_at: now,
        expires_at: now.plus_millis(AUTHORIZATION_MILLIS),
        ended_at: None,
    }
}

/// A code for what was asked for, to where it was asked from.
pub(super) async fn give(
    inner: &Inner,
    ready: &Ready,
    caller: &Caller,
    session: &PortalSession,
    was_asked: bool,
) -> Result<Response, Refused> {
    let code = secret::generate(Kind::Code, &mut inner.random());
    let to = &ready.known.request.to;
    let (scope, nonce) = (ready.scope.clone(), ready.asked.nonce.clone());
    let authorize = Authorize {
        authorization: new_authorization(inner, &ready.known.key, (caller, session), scope, nonce),
        code: Code {
            code_hash: Secret(secret::hash(&code)),
            redirect_uri: to.redirect_uri.clone(),
            challenge: ready.asked.challenge.clone(),
            expires_at: inner.now().plus_millis(CODE_MILLIS),
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
            Ok(sign_in_for(&ready.known.request.query_after_sign_in()))
        }
        Err(error) => Err(Problem::from(error).into()),
    }
}
