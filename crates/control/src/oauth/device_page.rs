//! `GET` and `POST /device` (RFC 8628, section 3.3): where a person types the code that a device shows, sees who asks for
//! what, and allows it or not.
//!
//! A code in the address only fills the field: nothing is looked up before the person sends it from this page, so that
//! another page can neither guess in their name nor lead them past it. The decision is sealed like that of consent.

use std::net::IpAddr;

use axum::{
    extract::{RawQuery, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tidegate_model::{
    application::Key,
    authorization::{Authorize, Code},
    client::DEVICE_CODE,
    command::{self, Command},
    device::{DenyDevice, DeviceCode},
    port::CommandError,
    user::{PortalSession, Secret},
};
use tidegate_oauth::{device, form, redirect, secret};

use super::{
    authorize::{Refused, new_authorization},
    consent::{Wish, choice},
    form_of,
    page::{escaped, page, sign_in, told},
    scope, signed_in_for_good,
};
use crate::{
    authenticate::{Caller, from_own_origin},
    problem::Problem,
    serve::ClientAddress,
    state::{Control, Inner},
};

/// Where it is: short, since people type it.
pub(super) const PATH: &str = "/device";
const PURPOSE: &str = "device";
const UNKNOWN: &str = "No device waits with this code. It may have been mistyped, answered already, or be older than ten \
                       minutes: look at the device, and let it show a new one where it has to.";
const NO_CODE: &str = "A code has eight letters, such as WDJB-MJHT. It has no vowels and no digits.";

/// A device that waits, and the client that it is of.
struct Waiting {
    device: DeviceCode,
    key: Key,
    /// As [`device::normal`] has it.
    user_code: String,
}

pub(crate) async fn get(
    State(Control(inner)): State<Control>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let typed = form::parameters(&query.unwrap_or_default()).ok().and_then(|mut form| form.take("user_code"));
    let typed = typed.and_then(|typed| device::normal(&typed)).unwrap_or_default();
    match signed_in_for_good(&inner, &headers, Some(address.ip())).await {
        Ok(Some(_)) => code_page(StatusCode::OK, &typed, None),
        Ok(None) => to_sign_in(&typed),
        Err(problem) => problem.into_response(),
    }
}

pub(crate) async fn post(
    State(Control(inner)): State<Control>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    request: Request,
) -> Response {
    answer(&inner, &headers, address.ip(), request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(
    inner: &Inner,
    headers: &HeaderMap,
    address: IpAddr,
    request: Request,
) -> Result<Response, Refused> {
    let unread = || Refused::shown(told("This answer cannot be read", "Go back and answer the page again."));
    from_own_origin(inner, headers)?;
    // The form is no client's; it is only read as strictly.
    let (_, text) = form_of(request).await.map_err(|_| unread())?;
    let mut form = form::parameters(&text).map_err(|_| unread())?;
    let typed = form.take("user_code").unwrap_or_default();
    let user_code = device::normal(&typed);
    let Some((caller, session)) = signed_in_for_good(inner, headers, Some(address)).await? else {
        return Ok(to_sign_in(user_code.as_deref().unwrap_or_default()));
    };
    let Some(user_code) = user_code else {
        return Ok(code_page(StatusCode::BAD_REQUEST, &typed, Some(NO_CODE)));
    };
    let sealed = form.take("seal");
    let seal = secret::seal(&session.csrf_token.0, PURPOSE, &user_code);
    if sealed.as_ref().is_some_and(|sealed| !secret::equal(sealed, &seal)) {
        let detail = "It was shown in another session, or for another code. Type the code again.";
        return Ok(code_page(StatusCode::BAD_REQUEST, &user_code, Some(detail)));
    }
    let waiting = match looked_up(inner, &caller, address, user_code).await? {
        Ok(waiting) => waiting,
        Err(page) => return Ok(*page),
    };
    if sealed.is_none() {
        return Ok(ask(inner, &waiting, &caller, &seal).await?);
    }
    match form.take("decision").as_deref() {
        Some("allow") => allow(inner, &waiting, &caller, &session).await,
        Some("deny") => deny(inner, &waiting, &caller, &session).await,
        _ => Err(unread()),
    }
}

/// What a code stands for, or the page that says why nothing is told. Each code that stands for nothing is a guess, with a
/// seal as well: who is signed in can make one for any code.
async fn looked_up(
    inner: &Inner,
    caller: &Caller,
    address: IpAddr,
    user_code: String,
) -> Result<Result<Waiting, Box<Response>>, Problem> {
    let user = caller.user.id;
    if let Err(seconds) = inner.throttle.attempt_code(user, address, inner.now()) {
        let detail =
            format!("That were too many codes that no device shows. Wait {seconds} s, and try again.");
        let mut response = code_page(StatusCode::TOO_MANY_REQUESTS, &user_code, Some(&detail));
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return Ok(Err(Box::new(response)));
    }
    let typed = user_code.clone();
    let found = waiting(inner, user_code).await?;
    if found.is_some() {
        inner.throttle.code_was_right(user, address);
    }
    Ok(found.ok_or_else(|| Box::new(not_waiting(&typed))))
}

/// The page that asks.
async fn ask(inner: &Inner, waiting: &Waiting, caller: &Caller, seal: &str) -> Result<Response, Problem> {
    let scope = held(inner, waiting, caller);
    let wish = Wish::of(inner, &waiting.key, &scope).await?;
    let shown = device::shown(&waiting.user_code);
    let body = format!(
        "{wants}<p>The device shows the code <code>{shown}</code>. Allow it only if it is in front of you: whoever has \
         it will connect in your name.</p>{choice}<p class=\"dim\">Client id <code>{client}</code>.</p>",
        wants = wish.wants(&caller.user.username),
        choice = choice(PATH, ("user_code", &waiting.user_code), seal),
        client = escaped(&waiting.key.client_id),
    );
    Ok(page(StatusCode::OK, &format!("Allow {} on a device?", wish.name), &body, ""))
}

/// What the device gets of the scopes that it asked for: those that the person may have.
fn held(inner: &Inner, waiting: &Waiting, caller: &Caller) -> String {
    scope::held(inner, &waiting.key, &waiting.device.scope, &caller.user.roles)
}

async fn waiting(inner: &Inner, user_code: String) -> Result<Option<Waiting>, Problem> {
    let hash = Secret(secret::hash(&user_code));
    let device = inner.ports.catalog.device_code_of(&hash).await?.filter(|device| device.waits(inner.now()));
    let Some(device) = device else { return Ok(None) };
    // The client may have changed since it asked.
    let key = inner.ports.catalog.key(&device.client_id).await?;
    let key = key.filter(|key| key.grants.iter().any(|grant| grant == DEVICE_CODE));
    Ok(key.map(|key| Waiting { device, key, user_code }))
}

async fn allow(
    inner: &Inner,
    waiting: &Waiting,
    caller: &Caller,
    session: &PortalSession,
) -> Result<Response, Refused> {
    let Waiting { device, key, .. } = waiting;
    let given = Authorize {
        authorization: new_authorization(inner, key, (caller, session), held(inner, waiting, caller), None),
        // Only the device knows the code, so there is nothing more to present it with.
        code: Code {
            code_hash: device.code_hash.clone(),
            redirect_uri: String::new(),
            challenge: String::new(),
            expires_at: device.expires_at,
            used_at: None,
        },
        session: session.token_hash.clone(),
        // What is allowed on one device is no answer for the next.
        remember: false,
    };
    let done = "<p>It goes on by itself within a few seconds. You can close this page and return to it.</p>";
    decided(inner, waiting, caller, Command::AllowDevice(Box::new(given)), ("The device is connected", done))
        .await
}

async fn deny(
    inner: &Inner,
    waiting: &Waiting,
    caller: &Caller,
    session: &PortalSession,
) -> Result<Response, Refused> {
    let denied = DenyDevice {
        code_hash: waiting.device.code_hash.clone(),
        user: caller.user.id,
        session: session.token_hash.clone(),
    };
    let done = "<p>It is told so, and its code is worth nothing any more. You can close this page.</p>";
    decided(inner, waiting, caller, Command::DenyDevice(denied), ("The device was not allowed", done)).await
}

async fn decided(
    inner: &Inner,
    waiting: &Waiting,
    caller: &Caller,
    command: Command,
    (title, body): (&str, &str),
) -> Result<Response, Refused> {
    match inner.try_execute(&caller.actor(), command).await {
        Ok(_) => Ok(page(StatusCode::OK, title, body, "")),
        // Since it was looked up.
        Err(CommandError::Refused(command::Refused::NotFound(_))) => Ok(not_waiting("")),
        Err(CommandError::Refused(command::Refused::SignedOut)) => Ok(to_sign_in(&waiting.user_code)),
        Err(error) => Err(Problem::from(error).into()),
    }
}

fn not_waiting(typed: &str) -> Response {
    code_page(StatusCode::NOT_FOUND, typed, Some(UNKNOWN))
}

/// To the portal's sign-in page, and back with the code.
fn to_sign_in(user_code: &str) -> Response {
    let shown = device::shown(user_code);
    let code = [("user_code", shown.as_str())];
    sign_in(&redirect::with_query(PATH, if user_code.is_empty() { &[] } else { &code }))
}

/// The page that asks for a code, and says what is wrong with the last one.
fn code_page(status: StatusCode, typed: &str, wrong: Option<&str>) -> Response {
    let (problem, state) = wrong.map_or_else(Default::default, |wrong| {
        let problem = format!("<p id=\"problem\" role=\"alert\" class=\"wrong\">{}</p>", escaped(wrong));
        (problem, " aria-invalid=\"true\" aria-describedby=\"problem\"")
    });
    let body = format!(
        "<p>A program on another device wants to connect in your name. Type the code that it shows.</p>{problem}\
         <form method=\"post\" action=\"{PATH}\"><p><label for=\"user_code\">Code</label><input id=\"user_code\" \
         name=\"user_code\" value=\"{value}\" maxlength=\"20\" required autofocus autocomplete=\"off\" \
         autocapitalize=\"characters\" spellcheck=\"false\"{state}></p><div class=\"row\"><button class=\"main\">\
         Go on</button></div></form><p class=\"dim\">Did somebody send you a code? Type none that does not come from a \
         device in front of you.</p>",
        value = escaped(&device::normal(typed).map_or_else(|| typed.to_owned(), |code| device::shown(&code))),
    );
    page(status, "Connect a device", &body, "")
}
