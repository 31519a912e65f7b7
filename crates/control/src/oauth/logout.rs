//! `GET` and `POST /oauth2/logout` (OpenID Connect RP-Initiated Logout): a client sends the browser to sign out.
//!
//! With an ID token of the person who is signed in, the client has shown that it may; without one the person is asked.
//! What ends is the portal session. Tokens are ended at the revocation endpoint.

use std::net::IpAddr;

use axum::{
    extract::{RawQuery, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use tidegate_model::{command::Command, user::PortalSession};
use tidegate_oauth::{form, redirect, secret};

use super::{
    authorize::Refused,
    by_query, form_of,
    page::{escaped, go, page, source_of, told},
    signed_in,
};
use crate::{
    authenticate::{Caller, from_own_origin},
    problem::Problem,
    serve::ClientAddress,
    session::cleared_cookie,
    state::{Control, Inner},
};

const PURPOSE: &str = "logout";

/// What a client asked for.
struct Asked {
    /// Where to afterwards: registered, with the state.
    to: Option<String>,
    /// The person that the client says is signed in.
    subject: Option<String>,
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

pub(crate) async fn post(
    State(Control(inner)): State<Control>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    request: Request,
) -> Response {
    posted(&inner, &headers, address.ip(), request).await.unwrap_or_else(IntoResponse::into_response)
}

fn unread() -> Refused {
    Refused::shown(told("This request cannot be answered", "The request to sign out cannot be read."))
}

async fn posted(
    inner: &Inner,
    headers: &HeaderMap,
    address: IpAddr,
    request: Request,
) -> Result<Response, Refused> {
    let (_, text) = form_of(request).await.map_err(|_| unread())?;
    let mut form = form::parameters(&text).map_err(|_| unread())?;
    let Some(sealed) = form.take("seal") else { return by_query("/oauth2/logout", &text).ok_or_else(unread) };
    // The answer on our own page.
    from_own_origin(inner, headers)?;
    let query = form.take("request").unwrap_or_default();
    let asked = read(inner, &query).await?;
    let Some((caller, session)) = signed_in(inner, headers, Some(address)).await? else {
        return Ok(signed_out(asked.to.as_deref()));
    };
    if !secret::equal(&sealed, &secret::seal(&session.csrf_token.0, PURPOSE, &query)) {
        return Err(unread());
    }
    match form.take("decision").as_deref() {
        Some("sign-out") => end(inner, &caller, session, asked.to.as_deref()).await,
        _ => Ok(go("/")),
    }
}

async fn read(inner: &Inner, query: &str) -> Result<Asked, Refused> {
    let mut form = form::parameters(query).map_err(|_| unread())?;
    let hint = match form.take("id_token_hint") {
        None => None,
        Some(token) => Some(inner.issuer.hint(&token).ok_or_else(unread)?),
    };
    let named = form.take("client_id");
    if let (Some(hint), Some(named)) = (&hint, &named)
        && hint.client_id != *named
    {
        return Err(unread());
    }
    let client_id = named.or_else(|| hint.as_ref().map(|hint| hint.client_id.clone()));
    let (wanted, state) = (form.take("post_logout_redirect_uri"), form.take("state"));
    let to = match (wanted, client_id) {
        (None, _) => None,
        (Some(_), None) => return Err(unread()),
        (Some(wanted), Some(client_id)) => {
            let key = inner.ports.catalog.key(&client_id).await.map_err(Problem::from)?;
            let is_registered =
                key.is_some_and(|key| key.settings.post_logout_redirect_uris.contains(&wanted));
            if !is_registered {
                let detail =
                    "The address to go to afterwards is not one that this application has registered.";
                return Err(Refused::shown(told("This request cannot be answered", detail)));
            }
            let state = state.as_deref().map(|state| ("state", state));
            Some(redirect::with_query(&wanted, state.as_slice()))
        }
    };
    Ok(Asked { to, subject: hint.map(|hint| hint.subject) })
}

async fn answer(
    inner: &Inner,
    headers: &HeaderMap,
    address: IpAddr,
    query: &str,
) -> Result<Response, Refused> {
    let asked = read(inner, query).await?;
    let Some((caller, session)) = signed_in(inner, headers, Some(address)).await? else {
        return Ok(signed_out(asked.to.as_deref()));
    };
    if asked.subject.is_some_and(|subject| subject == caller.user.id.to_string()) {
        return end(inner, &caller, session, asked.to.as_deref()).await;
    }
    let body = format!(
        "<p>You are signed in as <strong>{}</strong>.</p><form method=\"post\" action=\"/oauth2/logout\">\
         <input type=\"hidden\" name=\"request\" value=\"{}\"><input type=\"hidden\" name=\"seal\" value=\"{}\">\
         <div class=\"row\"><button class=\"main\" name=\"decision\" value=\"sign-out\">Sign out</button>\
         <button name=\"decision\" value=\"stay\">Stay signed in</button></div></form>",
        escaped(&caller.user.username),
        escaped(query),
        escaped(&secret::seal(&session.csrf_token.0, PURPOSE, query)),
    );
    Ok(page(StatusCode::OK, "Sign out?", &body, &asked.to.as_deref().map(source_of).unwrap_or_default()))
}

async fn end(
    inner: &Inner,
    caller: &Caller,
    session: PortalSession,
    to: Option<&str>,
) -> Result<Response, Refused> {
    let command = Command::ClosePortalSession { token_hash: session.token_hash };
    inner.execute(&caller.actor(), command).await?;
    let mut response = signed_out(to);
    response.headers_mut().insert(header::SET_COOKIE, cleared_cookie()?);
    Ok(response)
}

fn signed_out(to: Option<&str>) -> Response {
    let body = "<p>You can close this page, or <a href=\"/sign-in\">sign in again</a>.</p>";
    to.map_or_else(|| page(StatusCode::OK, "You are signed out", body, ""), go)
}
