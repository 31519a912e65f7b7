//! Signing in by another issuer, as the browser goes: `GET /sign-in/with/{id}` leads to the provider, which sends it back
//! to `GET /sign-in/callback/{id}`.
//!
//! Each provider has an address of its own to send people back to, and what a browser began with one is finished with no
//! other (RFC 9700, section 4.4). What is believed of what comes back is said in `oauth::relying_party`; who comes in, in
//! `model::decide::providers`.

use std::net::IpAddr;

use axum::{
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tidegate_model::{
    audit::Attempted,
    command::{Command, Outcome, Refused},
    id::{ProviderId, UserId},
    port::{CommandError, NoDocument, Question},
    provider::{Arrival, Arrive, OPENID, SignInProvider},
    user::{Actor, Secret},
};
use tidegate_oauth::{
    form,
    issuer::DOCUMENT_BYTES_MAX,
    relying_party::{self, Begun, Claims, Expected, NotVouchedFor, REQUEST_SECONDS},
};
use uuid::Uuid;

use crate::{
    authenticate::{cookie, from_own_origin},
    known_providers::{Known, Wanted},
    oauth::page::{escaped, go, page},
    problem::Problem,
    serve::ClientAddress,
    session::{begin as begin_session, cookie as set_cookie, session_cookie},
    state::{Control, Inner},
};

/// What a browser keeps while its person is at a provider.
const COOKIE: &str = "__Host-tidegate_sign_in";
/// Longest address of ours that a sign-in comes back to, in bytes: with it the cookie stays below the 4,096 that every
/// browser keeps (RFC 6265, section 6.1).
const RETURN_BYTES_MAX: usize = 2_400;
/// What is redeemed at the same time: each waits for a provider for up to ten seconds.
pub(crate) const CONCURRENT_ARRIVALS: usize = 32;

/// Why somebody is shown a page instead of the portal.
enum Turned {
    /// This page.
    Shown(Box<Response>),
    /// Something of ours failed.
    Ours(Problem),
    /// The provider does not vouch for them, or is not believed.
    NotVouchedFor(NotVouchedFor),
    /// The provider cannot be asked: why, in words.
    Away(String),
}

impl From<Problem> for Turned {
    fn from(problem: Problem) -> Self {
        Self::Ours(problem)
    }
}

impl From<NotVouchedFor> for Turned {
    fn from(reason: NotVouchedFor) -> Self {
        Self::NotVouchedFor(reason)
    }
}

impl Turned {
    fn told(status: StatusCode, title: &str, detail: &str) -> Self {
        Self::Shown(Box::new(told(status, title, detail)))
    }
}

/// A page that says what became of it, and leads back to the sign-in page.
fn told(status: StatusCode, title: &str, detail: &str) -> Response {
    let body = format!("<p>{}</p><p><a href=\"/sign-in\">Back to the sign-in page</a></p>", escaped(detail));
    page(status, title, &body, "")
}

impl Turned {
    fn into_response(self, name: &str) -> Response {
        match self {
            Self::Shown(page) => *page,
            Self::Ours(problem) => problem.into_response(),
            Self::Away(reason) => {
                let detail = format!("Nobody can sign in with {name} now: {reason}. Try again later.");
                told(StatusCode::BAD_GATEWAY, &format!("{name} cannot be asked"), &detail)
            }
            Self::NotVouchedFor(
                reason @ (NotVouchedFor::WrongState | NotVouchedFor::Declined | NotVouchedFor::CodeRefused),
            ) => {
                let detail = format!("You were not signed in with {name}: {reason}. Begin again.");
                told(StatusCode::BAD_REQUEST, "You are not signed in", &detail)
            }
            Self::NotVouchedFor(reason) => {
                let detail =
                    format!("What {name} says of you is not believed: {reason}. Tell an administrator.");
                told(StatusCode::BAD_REQUEST, "You are not signed in", &detail)
            }
        }
    }
}

/// A page of ours to come back to; the door where it is none. Only what every browser takes for an address of this
/// listener: no second slash, backslash, space or control character, which some of them pass over.
fn own_page(to: Option<String>) -> String {
    let is_own = |to: &String| {
        let rest = to.strip_prefix('/');
        rest.is_some_and(|rest| !rest.starts_with('/'))
            && to.len() <= RETURN_BYTES_MAX
            && to.bytes().all(|byte| byte != b'\\' && matches!(byte, b'!'..=b'~'))
    };
    to.filter(is_own).unwrap_or_else(|| "/".to_owned())
}

/// Where a provider sends people back to.
pub(crate) fn callback(inner: &Inner, id: ProviderId) -> String {
    format!("{}/sign-in/callback/{id}", inner.settings.load().portal_url)
}

async fn provider(inner: &Inner, id: &str) -> Result<SignInProvider, Turned> {
    let id = Uuid::parse_str(id).ok().map(ProviderId);
    let found = match id {
        Some(id) => inner.ports.catalog.sign_in_provider(id).await.map_err(Problem::from)?,
        None => None,
    };
    found.filter(|provider| provider.trust.enabled).ok_or_else(|| {
        let detail = "There is no such way to sign in, or it is switched off.";
        Turned::told(StatusCode::NOT_FOUND, "Nobody signs in this way", detail)
    })
}

async fn known(
    inner: &Inner,
    provider: &SignInProvider,
    wanted: Wanted,
) -> Result<std::sync::Arc<Known>, Turned> {
    inner.providers.of(inner, provider, wanted).await.map_err(|error| Turned::Away(error.to_string()))
}

/// `GET /sign-in/with/{id}?to=…`
pub(crate) async fn begin(
    State(Control(inner)): State<Control>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    // A page elsewhere signs nobody in behind their back.
    if from_own_origin(&inner, &headers).is_err() {
        return go("/sign-in");
    }
    let provider = match provider(&inner, &id).await {
        Ok(provider) => provider,
        Err(turned) => return turned.into_response("this provider"),
    };
    let to = form::parameters(&query.unwrap_or_default()).ok().and_then(|mut query| query.take("to"));
    let led = lead(&inner, &provider, own_page(to)).await;
    led.unwrap_or_else(|turned| turned.into_response(&provider.name))
}

async fn lead(inner: &Inner, provider: &SignInProvider, to: String) -> Result<Response, Turned> {
    let known = known(inner, provider, Wanted::Usual).await?;
    let until = inner.now().seconds() + REQUEST_SECONDS;
    let about = format!("{}~{until}~{}", provider.id, URL_SAFE_NO_PAD.encode(to));
    let begun = Begun::new(about, &mut inner.random());
    let scopes = std::iter::once(OPENID).chain(provider.trust.scopes.iter().map(String::as_str));
    let scope = scopes.collect::<Vec<_>>().join(" ");
    let (client_id, redirect_uri) = (&provider.trust.client_id, callback(inner, provider.id));
    let mut response = go(&begun.address(&known.endpoints, client_id, &redirect_uri, &scope));
    response.headers_mut().insert(header::SET_COOKIE, set_cookie(COOKIE, &begun.kept(), REQUEST_SECONDS)?);
    Ok(response)
}

/// What this browser began with this provider, and where it wants to go.
fn begun(
    inner: &Inner,
    headers: &HeaderMap,
    provider: &SignInProvider,
) -> Result<(Begun, String), NotVouchedFor> {
    const WRONG: NotVouchedFor = NotVouchedFor::WrongState;
    let begun = cookie(headers, COOKIE).and_then(Begun::read).ok_or(WRONG)?;
    let mut parts = begun.about.split('~');
    let mut part = || parts.next().ok_or(WRONG);
    if part()? != provider.id.to_string() {
        return Err(WRONG);
    }
    let until: i64 = part()?.parse().map_err(|_| WRONG)?;
    if until <= inner.now().seconds() {
        return Err(WRONG);
    }
    let to = URL_SAFE_NO_PAD.decode(part()?).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    // A cookie is what a browser says; the address is looked at once more.
    let to = own_page(to);
    Ok((begun, to))
}

/// `GET /sign-in/callback/{id}`
pub(crate) async fn finish(
    State(Control(inner)): State<Control>,
    ClientAddress(address): ClientAddress,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let provider = match provider(&inner, &id).await {
        Ok(provider) => provider,
        Err(turned) => return turned.into_response("this provider"),
    };
    let ip = address.ip();
    let came = come(&inner, &provider, &headers, ip, &query.unwrap_or_default()).await;
    came.unwrap_or_else(|turned| {
        if let Turned::NotVouchedFor(reason) = turned {
            inner.attempts.count(Attempted::NotVouchedFor, None, ip, inner.now());
            tracing::info!(%ip, provider = provider.name, %reason, "a sign-in by a provider failed");
        }
        turned.into_response(&provider.name)
    })
}

async fn come(
    inner: &Inner,
    provider: &SignInProvider,
    headers: &HeaderMap,
    ip: IpAddr,
    query: &str,
) -> Result<Response, Turned> {
    let (begun, to) = begun(inner, headers, provider)?;
    let busy = || Turned::Away("many sign in at this moment".to_owned());
    let _place = inner.arrivals.try_acquire().map_err(|_| busy())?;
    let known = known(inner, provider, Wanted::Usual).await?;
    let code = relying_party::code(query, &begun, &provider.trust.issuer, &known.endpoints)?;
    let claims = vouched(inner, provider, &known, &begun, &code).await?;
    let text = |name: &str| claims.text(name).unwrap_or_default().to_owned();
    let role_values = provider.trust.role_claim.as_ref().and_then(|claim| claims.texts(&claim.name));
    let id = UserId::new(inner.now(), inner.ports.entropy.id_bytes());
    let (token, session) = begin_session(inner, id, ip, headers);
    let arrive = Arrive {
        provider: provider.id,
        based_on: provider.etag,
        subject: claims.subject.clone(),
        username: text(&provider.trust.username_claim),
        role_values: role_values.unwrap_or_default(),
        id,
        session,
    };
    let username = arrive.username.clone();
    let outcome = inner.try_execute(&Actor::stranger(ip), Command::Arrive(Box::new(arrive))).await;
    match outcome {
        Ok(Outcome::Arrived(Arrival::In(_))) => {
            let mut response = go(&to);
            response.headers_mut().append(header::SET_COOKIE, session_cookie(&token)?);
            response.headers_mut().append(header::SET_COOKIE, forgotten()?);
            Ok(response)
        }
        Ok(Outcome::Arrived(arrival)) => Err(turned_away(inner, ip, arrival, &username)),
        // Changed, switched off or deleted meanwhile.
        Err(CommandError::Refused(Refused::SignedOut)) => Err(NotVouchedFor::WrongState.into()),
        Err(error) => Err(Problem::from(error).into()),
        Ok(_) => Err(Problem::Internal("a command answered something else").into()),
    }
}

fn forgotten() -> Result<HeaderValue, Problem> {
    set_cookie(COOKIE, "", 0)
}

/// What the provider says of the person who came back with this code.
async fn vouched(
    inner: &Inner,
    provider: &SignInProvider,
    known: &Known,
    begun: &Begun,
    code: &str,
) -> Result<Claims, Turned> {
    let trust = &provider.trust;
    let (redirect_uri, verifier) = (callback(inner, provider.id), begun.verifier());
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &redirect_uri),
        ("code_verifier", &verifier),
    ];
    let question = Question {
        url: &known.endpoints.token,
        form: &form,
        client_id: &trust.client_id,
        client_secret: &trust.client_secret,
        posts_secret: known.endpoints.posts_secret,
    };
    let away = |error: NoDocument| match error {
        // RFC 6749, section 5.2: of codes that are used up, or of another client.
        NoDocument::Refused { status: 400 } => NotVouchedFor::CodeRefused.into(),
        error => Turned::Away(error.to_string()),
    };
    let answer = inner.ports.documents.answer(&question, DOCUMENT_BYTES_MAX).await.map_err(away)?;
    let tokens = relying_party::tokens(&answer)?;
    let nonce = begun.nonce();
    let expected = Expected {
        issuer: &trust.issuer,
        client_id: &trust.client_id,
        nonce: &nonce,
        access_token: &tokens.access_token,
        now: inner.now().seconds(),
    };
    let mut claims = match relying_party::verify(&tokens.id_token, &known.keys, &expected) {
        Err(NotVouchedFor::UnknownKey) => {
            let newer = self::known(inner, provider, Wanted::OtherKeys).await?;
            relying_party::verify(&tokens.id_token, &newer.keys, &expected)?
        }
        judged => judged?,
    };
    let wanted =
        std::iter::once(&trust.username_claim).chain(trust.role_claim.as_ref().map(|claim| &claim.name));
    let is_told = wanted.into_iter().all(|name| claims.texts(name).is_some());
    if let Some(userinfo) = known.endpoints.userinfo.as_ref().filter(|_| !is_told)
        && !tokens.access_token.is_empty()
    {
        let bearer = Secret(tokens.access_token);
        let told = inner.ports.documents.document_for(&bearer, userinfo, DOCUMENT_BYTES_MAX).await;
        claims.add(&told.map_err(away)?)?;
    }
    Ok(claims)
}

/// The page for somebody whom the provider vouches for, and who does not come in.
fn turned_away(inner: &Inner, ip: IpAddr, arrival: Arrival, username: &str) -> Turned {
    let count = |what, user| inner.attempts.count(what, user, ip, inner.now());
    let (title, detail) = match arrival {
        Arrival::In(_) => ("You are signed in", String::new()),
        Arrival::Waiting => {
            count(Attempted::Waiting, None);
            let detail = "An administrator has to approve it. Sign in again then.".to_owned();
            ("Your account waits for an administrator", detail)
        }
        Arrival::Disabled { user, username } => {
            count(Attempted::Disabled, Some((user, username)));
            ("Your account is switched off", "An administrator can switch it on again.".to_owned())
        }
        Arrival::Unknown => {
            count(Attempted::Stranger, None);
            let detail = "Nobody new comes in this way. Ask an administrator.".to_owned();
            ("You have no account here", detail)
        }
        Arrival::NameTaken => {
            count(Attempted::Stranger, None);
            let detail = format!(
                "The name “{username}” belongs to another account here, which is not yours for having the same name. If \
                 it is yours, sign in as you did before; else ask an administrator."
            );
            ("Your name is taken here", detail)
        }
        Arrival::NoName => {
            count(Attempted::Stranger, None);
            let detail = "An account needs a name of letters, digits and . _ - @ +, and the provider says none. Tell an \
                          administrator, who decides which claim is the name."
                .to_owned();
            ("There is no name for your account", detail)
        }
        Arrival::Full => {
            let detail = "Many wait for an administrator already. Try again another day.".to_owned();
            ("Your account could not be made", detail)
        }
    };
    Turned::told(StatusCode::FORBIDDEN, title, &detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_listener_are_gone_to() {
        for own in ["/", "/publisher", "/oauth2/authorize?client_id=x&state=%2F%2F", "/device?user_code=B"] {
            assert_eq!(own_page(Some(own.to_owned())), own);
        }
        let long = format!("/{}", "x".repeat(RETURN_BYTES_MAX));
        for other in [
            "",
            "publisher",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "/ä",
            "javascript:alert(1)",
            &long,
        ] {
            assert_eq!(own_page(Some(other.to_owned())), "/", "{other:?}");
        }
        assert_eq!(own_page(None), "/");
    }
}
