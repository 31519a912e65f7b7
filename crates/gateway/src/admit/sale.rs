//! Who may buy a ticket, and who may give a session a fresh token: whoever could open a session of the API with the same
//! access token.
//!
//! The same questions as for a session, in the same order, with the same refusals; only budgets are left for the session
//! itself.

use std::sync::Arc;

use tidegate_model::{
    admit::{Grant, Identity},
    renew::Fresh,
    security::Way,
    ticket::{Answer, Ask, TICKET_MILLIS, Ticket},
    time::Timestamp,
    user::Secret,
};
use tidegate_oauth::secret::{self, Kind};

use super::{Asks, Decisions, Desk, Granted, NotAdmitted, locate, not_now};
use crate::{Inner, authenticate, connection::Client, handshake::Request, refusal::Refusal};

/// The method by which tickets are bought.
pub(crate) const METHOD: &str = "POST";

impl Desk {
    /// Whether a page may ask here for the API at `path`. Nothing is said of who gets what it asks for.
    pub(crate) fn may_ask(&self, path: &str, request: &Request, client: Client) -> Result<(), NotAdmitted> {
        let decisions = self.decisions.load_full().ok_or(Refusal::NotReady)?;
        locate(&decisions.snapshot, path, request, client).map(drop)
    }

    /// Sells a ticket of the API at `path`, to whoever presents an access token in `Authorization`.
    pub(crate) async fn sell(
        &self,
        path: &str,
        request: &Request,
        client: Client,
        inner: &Inner,
        now: Timestamp,
    ) -> Result<String, NotAdmitted> {
        let judge = |decisions: &Decisions, _: Option<&Arc<Identity>>, now| {
            self.judge_token(decisions, path, request, client, now, Way::Ticket)
        };
        let (identity, grant, _) = self.settled(inner, client, now, judge).await?;
        let ticket = secret::generate(Kind::Ticket, &mut |bytes: &mut [u8]| inner.entropy.fill(bytes));
        let sold = Ticket {
            hash: Secret(secret::hash(&ticket)),
            api: grant.api_id(),
            application: grant.application_id(),
            identity: (*identity).clone(),
            expires_at: now.plus_millis(TICKET_MILLIS).min(identity.expires_at),
        };
        match self.tickets.ask(Ask::Keep(Box::new(sold))).await {
            Answer::Kept => Ok(ticket),
            Answer::TooMany => Err(not_now(&grant, Refusal::TooManyTickets)),
            Answer::Redeemed(_) | Answer::Unavailable => Err(not_now(&grant, Refusal::NoTickets)),
        }
    }

    /// A fresh access token in `Authorization` for sessions of the API at `path`, and the topic there, which names one.
    pub(crate) async fn fresh(
        &self,
        path: &str,
        request: &Request,
        client: Client,
        inner: &Inner,
    ) -> Result<(Fresh, String), NotAdmitted> {
        let judge = |decisions: &Decisions, _: Option<&Arc<Identity>>, now| {
            self.judge_token(decisions, path, request, client, now, Way::OAuthHeader)
        };
        let (identity, grant, topic) = self.settled(inner, client, inner.clock.now(), judge).await?;
        Ok((Fresh::new(grant.api_id(), &identity), topic))
    }

    /// What an access token in `Authorization` is worth at `path` for a session that is opened in this way, and the topic
    /// there; by what is known now.
    fn judge_token(
        &self,
        decisions: &Decisions,
        path: &str,
        request: &Request,
        client: Client,
        now: Timestamp,
        way: Way,
    ) -> Result<(Arc<Identity>, Grant, String), NotAdmitted> {
        let (api, topic) = locate(&decisions.snapshot, path, request, client)?;
        let known = |refusal: Refusal| NotAdmitted { api: Some(api.id), ..refusal.into() };
        if way == Way::Ticket && !api.security.accepts(way) {
            let accepted = self.accepted(api, topic).into();
            return Err(known(Refusal::NotAccepted { presented: Some(Way::Ticket), accepted }));
        }
        let found = authenticate::find(request, &api.security, &[Way::OAuthHeader]).map_err(known)?;
        let asks = Asks {
            request,
            client,
            topic: None,
            way,
            is_beside_certificate: found.is_beside_certificate,
            method: METHOD,
            bought: None,
            now,
        };
        let Granted { identity, grant, .. } = self.granted(decisions, api, &found.credential, &asks)?;
        Ok((identity, grant, topic.to_owned()))
    }
}
