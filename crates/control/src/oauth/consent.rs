//! The consent page, and what is answered on it: `POST /oauth2/consent`.
//!
//! The page carries the request, sealed with the anti-forgery token of the portal session that it was shown in: nobody
//! else can write one, and none can be answered in another session or for another request.

use std::fmt::Write as _;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use tidegate_model::{application::Key, registration::About, user::PortalSession};
use tidegate_oauth::{authorize::AuthorizeError, form, secret};

use super::{
    authorize::{Ready, Refused, give, read, sign_in_for},
    form_of,
    page::{escaped, page, source_of, told},
    scope, signed_in_for_good,
};
use crate::{
    authenticate::{Caller, address_of, from_own_origin},
    problem::Problem,
    state::{Control, Inner},
};

const PURPOSE: &str = "consent";

fn seal(session: &PortalSession, query: &str) -> String {
    secret::seal(&session.csrf_token.0, PURPOSE, query)
}

/// What a client wants of a person, in words for them.
pub(super) struct Wish {
    /// Of its application.
    pub(super) name: String,
    owner: String,
    scope: String,
    /// Where it registered itself: by which token, and the pages that it names, each with what is said there.
    registered: Option<(String, Vec<(&'static str, String)>)>,
}

impl Wish {
    pub(super) async fn of(inner: &Inner, key: &Key, scope: &str) -> Result<Self, Problem> {
        let catalog = &inner.ports.catalog;
        let application = catalog.application(key.application).await?;
        let by = application.as_ref().and_then(|found| found.registered_by.clone());
        let registered = match by {
            Some(by) => {
                let about = catalog.registered(&key.client_id).await?.map(|found| found.registration.about);
                Some((by, about.map(pages_of).unwrap_or_default()))
            }
            None => None,
        };
        let (name, owner) = application.map_or_else(Default::default, |found| (found.name, found.owner_name));
        Ok(Self { name, owner, scope: scope.to_owned(), registered })
    }

    /// As markup, for who is signed in under this name.
    pub(super) fn wants(&self, username: &str) -> String {
        let mut wants = String::new();
        for scope in self.scope.split(' ').filter(|scope| !scope.is_empty()) {
            let (words, scope) = (escaped(&scope::words(scope)), escaped(scope));
            // Writing to a text never fails.
            let _ = write!(wants, "<li>{words} <span class=\"dim\">({scope})</span></li>");
        }
        format!(
            "<p>You are signed in as <strong>{user}</strong>. <strong>{name}</strong>, an application of {owner}, wants \
             to:</p><ul><li>connect in your name to the APIs that it is subscribed to</li>{wants}</ul>{registered}",
            user = escaped(username),
            name = escaped(&self.name),
            owner = escaped(&self.owner),
            registered = self.registration(),
        )
    }

    /// That a client named itself, and its pages. A page is named by its origin, so that nobody takes it for one of ours.
    fn registration(&self) -> String {
        let Some((by, pages)) = &self.registered else { return String::new() };
        let mut told =
            format!("<p class=\"dim\">It gave itself its name and registered by “{}”.", escaped(by));
        for (what, page) in pages {
            let (origin, page) = (escaped(&source_of(page)), escaped(page));
            let _ = write!(
                told,
                " It says {what} at <a href=\"{page}\" target=\"_blank\" rel=\"noopener noreferrer\">{origin}</a>."
            );
        }
        told.push_str("</p>");
        told
    }
}

/// What a client says of itself on pages, which nobody has looked at.
fn pages_of(about: About) -> Vec<(&'static str, String)> {
    let pages = [
        ("what it is", about.client_uri),
        ("what becomes of what it learns of you", about.policy_uri),
        ("on what terms it works", about.tos_uri),
    ];
    pages.into_iter().filter_map(|(what, page)| Some((what, page?))).collect()
}

/// The form with which a person allows what this field says, or does not, as markup.
pub(super) fn choice(action: &str, (field, value): (&str, &str), seal: &str) -> String {
    format!(
        "<form method=\"post\" action=\"{action}\"><input type=\"hidden\" name=\"{field}\" value=\"{value}\">\
         <input type=\"hidden\" name=\"seal\" value=\"{seal}\"><div class=\"row\"><button class=\"main\" \
         name=\"decision\" value=\"allow\">Allow</button><button name=\"decision\" value=\"deny\">Do not allow</button>\
         </div></form>",
        value = escaped(value),
        seal = escaped(seal),
    )
}

/// The page that asks.
pub(super) async fn ask(
    inner: &Inner,
    ready: &Ready,
    caller: &Caller,
    session: &PortalSession,
    query: &str,
) -> Result<Response, Problem> {
    let key = &ready.known.key;
    let wish = Wish::of(inner, key, &ready.scope).await?;
    let to = &ready.known.request.to.redirect_uri;
    let body = format!(
        "{wants}{choice}<p class=\"dim\">Client id <code>{client}</code>. You will be sent to <code>{to}</code>.</p>",
        wants = wish.wants(&caller.user.username),
        choice = choice("/oauth2/consent", ("request", query), &seal(session, query)),
        client = escaped(&key.client_id),
        to = escaped(to),
    );
    Ok(page(StatusCode::OK, &format!("Allow {}?", wish.name), &body, &source_of(to)))
}

pub(crate) async fn post(
    State(Control(inner)): State<Control>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    answer(&inner, &headers, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn answer(inner: &Inner, headers: &HeaderMap, request: Request) -> Result<Response, Refused> {
    let unread = || Refused::shown(told("This answer cannot be read", "Go back and answer the page again."));
    from_own_origin(inner, headers)?;
    let address = address_of(request.extensions());
    // The form is no client's; it is only read as strictly.
    let (_, text) = form_of(request).await.map_err(|_| unread())?;
    let mut form = form::parameters(&text).map_err(|_| unread())?;
    let query = form.take("request").ok_or_else(unread)?;
    let sealed = form.take("seal").ok_or_else(unread)?;
    let Some((caller, session)) = signed_in_for_good(inner, headers, address).await? else {
        return Ok(sign_in_for(&query));
    };
    if !secret::equal(&sealed, &seal(&session, &query)) {
        let detail =
            "It was shown in another session, or for another request. Begin again in the application.";
        return Err(Refused::shown(told("This page is not valid any more", detail)));
    }
    // All of it is asked again: the client may have changed since the page was shown.
    let ready = read(inner, &query).await?.of(inner, &caller);
    match form.take("decision").as_deref() {
        Some("allow") => give(inner, &ready, &caller, &session, true).await,
        Some("deny") => Ok(ready.known.refuse(inner, AuthorizeError::AccessDenied)),
        _ => Err(unread()),
    }
}
