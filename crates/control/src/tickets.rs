//! One-time tickets: sold to people for applications of theirs, and kept and redeemed for gateways.

use std::net::IpAddr;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use tidegate_model::{
    admit::{self, Identity},
    application::Key,
    command::{Command, Outcome, Refused},
    endpoint::Environment,
    id::ApiId,
    port::{Catalog, CommandError},
    revocation::Marks,
    rule::FieldProblem,
    security::Way,
    ticket::{Answer as Told, Ask, TICKET_MILLIS, Ticket},
    time::Timestamp,
    user::{Actor, Secret},
};
use tidegate_oauth::{
    mark,
    secret::{self, Kind},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    applications::{keys::environment, own},
    authenticate::Caller,
    body::{Answer, Created, Json},
    oauth::scope,
    problem::{Problem, ProblemDocument},
    serve::ClientAddress,
    state::{Control, Inner},
};

/// Answers a gateway that asks about a ticket.
pub(crate) async fn answer(catalog: &dyn Catalog, now: Timestamp, ask: Ask) -> Told {
    let command = match ask {
        Ask::Keep(ticket) => Command::KeepTicket(ticket),
        Ask::Redeem { hash, api } => Command::RedeemTicket { hash, api },
    };
    match catalog.execute(&Actor::product(), now, command).await {
        Ok(Outcome::Redeemed(redemption)) => Told::Redeemed(redemption),
        Ok(_) => Told::Kept,
        Err(CommandError::Refused(Refused::Conflict { .. })) => Told::TooMany,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a ticket cannot be kept or redeemed");
            Told::Unavailable
        }
    }
}

/// A ticket to be bought.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTicket {
    /// The API that it opens.
    api_id: Uuid,
    /// For which of your applications.
    application_id: Uuid,
    /// By which of its keys: `production` (default) or `sandbox`.
    #[serde(rename = "type")]
    #[schema(example = "production")]
    environment: Option<String>,
}

/// A ticket, shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ticket)]
pub(crate) struct TicketAnswer {
    /// For one WebSocket: in its address as `?ticket=…`, or as its subprotocols `ticket` and this.
    #[schema(example = "tgt_…")]
    ticket: String,
    /// Seconds until it is worth nothing.
    expires_in: i64,
}

/// Buy a one-time ticket, which opens one WebSocket within half a minute
///
/// A web page gives it to its WebSocket where a browser leaves no place for a credential: an address ends up in logs and
/// histories, and by then the ticket is used up. Pages that have an access token buy tickets at the gateway instead.
#[utoipa::path(post, path = "/tickets", tag = "tickets", operation_id = "createTicket", request_body = NewTicket,
    responses((status = 201, body = TicketAnswer), (status = "default", body = ProblemDocument)))]
pub(crate) async fn create(
    State(Control(inner)): State<Control>,
    caller: Caller,
    ClientAddress(address): ClientAddress,
    Json(input): Json<NewTicket>,
) -> Result<Created<Answer<TicketAnswer>>, Problem> {
    let application = own(&inner, &caller, input.application_id).await?;
    let wanted = environment(input.environment.as_deref().unwrap_or(Environment::Production.as_str()))?;
    let keys = inner.ports.catalog.keys(application.id).await?;
    let key = keys.into_iter().find(|key| key.environment == wanted).ok_or_else(|| {
        let word = wanted.as_str();
        Problem::Conflict(format!("The application has no {word} key. Make one first."))
    })?;
    let scopes = scope::of_client(&inner, &key).await?;
    let identity = Identity { scopes: scopes.into(), ..identity(&inner, &caller, &key) };
    let api = ApiId(input.api_id);
    may_connect(&inner, api, &identity, address.ip())?;
    let ticket = secret::generate(Kind::Ticket, &mut inner.random());
    let sold = Ticket {
        hash: Secret(secret::hash(&ticket)),
        api,
        application: application.id,
        expires_at: inner.now().plus_millis(TICKET_MILLIS).min(identity.expires_at),
        identity,
    };
    match inner.try_execute(&caller.actor(), Command::KeepTicket(Box::new(sold))).await {
        Ok(_) => {}
        // There is room again when what waits has expired.
        Err(CommandError::Refused(Refused::Conflict { .. })) => {
            return Err(Problem::Throttled(TICKET_MILLIS.unsigned_abs() / 1_000));
        }
        Err(error) => return Err(error.into()),
    }
    let sold = TicketAnswer { ticket, expires_in: TICKET_MILLIS / 1_000 };
    Ok(Created("/api/v1/tickets".to_owned(), Answer(sold)))
}

/// As whom the session is admitted: as the key's own client, for as long as an access token of it would be good, and no
/// longer than the caller is signed in. It ends with what ends the caller.
fn identity(inner: &Inner, caller: &Caller, key: &Key) -> Identity {
    let now = inner.now();
    let longest = now.plus_millis(i64::from(key.settings.access_token_seconds) * 1_000);
    let (issuer, subject) = (&inner.issuer.facts().issuer, caller.user.id.to_string());
    Identity {
        client_id: key.client_id.clone(),
        subject: key.client_id.clone(),
        expires_at: caller.until.map_or(longest, |until| until.min(longest)),
        marks: Marks {
            subject: Some(mark::subject(issuer, &subject).into()),
            grant: caller.token.map(|id| mark::personal_token(&id.to_string()).into()),
            issued_at: now,
            ..Marks::default()
        },
        ..Identity::default()
    }
}

/// Whether a gateway would let the identity in by a ticket, so that who buys one hears of it here.
fn may_connect(inner: &Inner, id: ApiId, identity: &Identity, address: IpAddr) -> Result<(), Problem> {
    let snapshot = inner.feed.snapshot();
    let api = snapshot.api(id).ok_or_else(|| {
        let detail = "No API with this id is deployed.";
        Problem::Validation(vec![FieldProblem::new("/api_id", "unknown_api", detail)])
    })?;
    if !api.security.accepts(Way::Ticket) {
        let detail = "This API does not accept tickets. Its publisher can change that.";
        return Err(Problem::Conflict(detail.to_owned()));
    }
    let refused = admit::admit(&snapshot, api, identity, Way::Ticket, address).err();
    refused
        .map_or(Ok(()), |refusal| Err(Problem::Conflict(format!("A session would be refused: {refusal}."))))
}
