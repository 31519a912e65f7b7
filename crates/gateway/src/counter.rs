//! Where tickets are bought, and sessions get fresh tokens: `POST /.tidegate/tickets` or `/.tidegate/sessions` and the
//! API's own path behind it, with an access token in
//! `Authorization`, by a web page of any origin that the API lets in (Fetch, section 3.3: CORS).
//!
//! The API is a part of the path, so that the question of a browser before its request (which says no more than a path)
//! is answered by the API's own list of origins. It does not know who may buy: `admit/sale.rs` does.

use tidegate_model::{id::SessionId, ticket::TICKET_MILLIS};

use crate::{
    Inner,
    admit::NotAdmitted,
    answer::Answer,
    connection::Client,
    crowd::{AddressPlace, Crowded},
    handshake::Request,
    refusal::Refusal,
    renewal,
};

/// What every address of tickets begins with.
const TICKETS: &str = "/.tidegate/tickets";
/// What every address of sessions begins with.
const SESSIONS: &str = "/.tidegate/sessions";
/// For how long a browser may remember that a page may ask, in seconds: ten minutes, the most that all of them keep.
const REMEMBERED_SECONDS: &str = "600";

/// What is wanted at the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// To know whether a page may ask.
    Leave,
    /// A ticket.
    Ticket,
    /// A fresh credential for sessions.
    Renewal,
}

impl Wants {
    /// What a request wants here; `None`: it is for something else. `path` is without its query.
    pub(crate) fn of(method: &str, path: &str) -> Option<Self> {
        of_api(path)?;
        match method {
            "OPTIONS" => Some(Self::Leave),
            "POST" if behind(TICKETS, path).is_some() => Some(Self::Ticket),
            "POST" => Some(Self::Renewal),
            _ => None,
        }
    }
}

/// The path of the API in the path of its tickets or sessions.
fn of_api(path: &str) -> Option<&str> {
    behind(TICKETS, path).or_else(|| behind(SESSIONS, path))
}

fn behind<'p>(place: &str, path: &'p str) -> Option<&'p str> {
    path.strip_prefix(place).filter(|rest| rest.starts_with('/'))
}

/// The answer to who stands here. `address_place` is its place among the connections of its client's address, `None`
/// while it is not known whose it is.
pub(crate) async fn serve(
    inner: &Inner,
    request: &Request,
    wants: Wants,
    client: Client,
    id: SessionId,
    address_place: Option<AddressPlace>,
) -> Answer {
    let counted = || inner.crowd.place(client.address.ip()).map_err(|Crowded| Refusal::Crowded);
    let done = match address_place.map_or_else(counted, Ok) {
        Ok(_place) => decide(inner, request, wants, client).await,
        Err(crowded) => Err(crowded.into()),
    };
    let mut answer = done.unwrap_or_else(|refused| {
        let (status, refusal) = (refused.refusal.status(), &refused.refusal);
        tracing::debug!(connection = %id, client = %client.address.ip(), status, %refusal, "nothing is given");
        if wants != Wants::Leave {
            inner.reporter.refused(&refused, inner.clock.now());
        }
        refused.refusal.answer(&inner.problem_base, id)
    });
    let api = of_api(&request.path).unwrap_or_default();
    // A page that may ask may read what it is refused for as well.
    if let Some(origin) = origin(request).filter(|_| inner.desk.may_ask(api, request, client).is_ok()) {
        answer.headers.push(("Access-Control-Allow-Origin", origin.to_owned()));
    }
    answer.headers.push(("Vary", "Origin".to_owned()));
    answer
}

async fn decide(
    inner: &Inner,
    request: &Request,
    wants: Wants,
    client: Client,
) -> Result<Answer, NotAdmitted> {
    let api = of_api(&request.path).unwrap_or_default();
    match wants {
        Wants::Leave => {
            inner.desk.may_ask(api, request, client)?;
            let allowed = [
                ("Access-Control-Allow-Methods", "POST"),
                ("Access-Control-Allow-Headers", "authorization, dpop"),
                ("Access-Control-Max-Age", REMEMBERED_SECONDS),
            ];
            let headers = allowed.map(|(name, value)| (name, value.to_owned())).to_vec();
            Ok(Answer {
                status: 200,
                headers,
                content_type: "text/plain",
                body: String::new(),
                is_head_only: false,
            })
        }
        Wants::Ticket => {
            let ticket = inner.desk.sell(api, request, client, inner, inner.clock.now()).await?;
            let body =
                serde_json::json!({ "ticket": ticket, "expires_in": TICKET_MILLIS / 1_000 }).to_string();
            let content_type = "application/json";
            Ok(Answer { status: 201, headers: Vec::new(), content_type, body, is_head_only: false })
        }
        Wants::Renewal => renewal::renew(inner, api, request, client).await,
    }
}

/// The one origin of the page, where a page asks.
fn origin(request: &Request) -> Option<&str> {
    let mut values = request.headers.iter().filter(|(name, _)| name == "origin");
    let (value, another) = (values.next(), values.next());
    // What stands in a header came as visible text, and is said back as such.
    value.filter(|_| another.is_none()).and_then(|(_, value)| std::str::from_utf8(value).ok())
}
