//! Phase three, second half: the snapshot that decides, and the question whether a request may connect.
//!
//! The rules are pure functions of `tidegate_model::admit`; here they are asked in order, and the first no is the
//! answer: where, then who, then whether, then how much. It does not know sockets.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tidegate_model::{
    admit::{self, Grant, Identity},
    id::{ApiId, ApplicationId},
    port::Entropy,
    revocation::Revocation,
    security::{Security, Way},
    snapshot::{ApiFacts, Snapshot},
    time::Timestamp,
};
use tidegate_oauth::token::CannotSign;

use crate::{
    authenticate::{self, Credential, Secrets, Verifier, Visitor},
    connection::Client,
    dial::{Assertions, Opening},
    handshake::Request,
    proof::Proofs,
    refusal::Refusal,
    relay::{Budgets, Meter},
    revoked::Revoked,
};

/// What decides now: a snapshot and the verifier of its issuer's tokens.
#[derive(Debug)]
struct Decisions {
    snapshot: Arc<Snapshot>,
    verifier: Arc<Verifier>,
    /// `None`: no key for it came, or one that cannot be used.
    assertions: Option<Arc<Assertions>>,
}

/// The present decisions, replaced as a whole, and what was revoked.
#[derive(Debug)]
pub(crate) struct Desk {
    decisions: ArcSwapOption<Decisions>,
    revoked: Arc<Revoked>,
    /// Credentials may be a part of the address, where an API accepts them there.
    query_credentials: bool,
    /// Outlives snapshots: a proof stays used when the keys change.
    proofs: Proofs,
    secrets: Secrets,
}

/// A request that may connect.
pub(crate) struct Admitted {
    pub(crate) grant: Grant,
    /// Who the credential says the client is.
    pub(crate) identity: Arc<Identity>,
    /// Signs what the backend is told of the client, where the API wants it.
    assertions: Option<Arc<Assertions>>,
    pub(crate) meter: Meter,
    pub(crate) snapshot_number: u64,
    /// Nothing up to this number has revoked its credential.
    pub(crate) revocation_number: u64,
    /// What follows the API's path; empty or beginning with `/`.
    pub(crate) topic: String,
    /// The query without the credential.
    pub(crate) query: Option<String>,
    /// The subprotocols offered, without the credential.
    pub(crate) subprotocols: Vec<String>,
    /// The credential came as a subprotocol.
    pub(crate) is_by_subprotocol: bool,
}

impl Admitted {
    /// A signed word for the backend on who the client is, where the API wants it. Without a key for it there is no
    /// session: a backend that trusts the word must not be asked without.
    pub(crate) fn assertion(
        &self,
        opening: &Opening<'_>,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Option<String>, CannotSign> {
        if !self.grant.api.headers.backend_jwt {
            return Ok(None);
        }
        self.assertions.as_ref().ok_or(CannotSign)?.token(opening, now, entropy).map(Some)
    }
}

/// A request that may not, and for whom it is counted.
#[derive(Debug)]
pub(crate) struct NotAdmitted {
    pub(crate) refusal: Refusal,
    pub(crate) api: Option<ApiId>,
    pub(crate) application: Option<ApplicationId>,
    pub(crate) plan: String,
}

impl<E: Into<Refusal>> From<E> for NotAdmitted {
    fn from(refusal: E) -> Self {
        Self { refusal: refusal.into(), api: None, application: None, plan: String::new() }
    }
}

impl Desk {
    pub(crate) fn new(query_credentials: bool, revoked: Arc<Revoked>) -> Self {
        Self {
            decisions: ArcSwapOption::empty(),
            revoked,
            query_credentials,
            proofs: Proofs::default(),
            secrets: Secrets::default(),
        }
    }

    /// Decide with this snapshot from now on. The verifier and what it remembers stay while the issuer does.
    pub(crate) fn replace(&self, snapshot: &Arc<Snapshot>) {
        let facts = snapshot.issuer();
        let before = self.decisions.load_full();
        let assertions = assertions(snapshot, before.as_deref());
        let kept = before.filter(|before| before.verifier.is_for(facts)).map(|it| Arc::clone(&it.verifier));
        let verifier = match kept.map_or_else(|| Verifier::new(facts).map(Arc::new), Ok) {
            Ok(verifier) => verifier,
            Err(error) => {
                // No token can be believed: nobody is admitted until keys come that can be used.
                tracing::error!(error = &error as &dyn std::error::Error, "the issuer's keys cannot be used");
                return self.decisions.store(None);
            }
        };
        let decisions = Decisions { snapshot: Arc::clone(snapshot), verifier, assertions };
        self.decisions.store(Some(Arc::new(decisions)));
    }

    /// Who presents a credential.
    fn identify(
        &self,
        credential: &Credential,
        decisions: &Decisions,
        visitor: &Visitor<'_>,
    ) -> Result<Arc<Identity>, Refusal> {
        let snapshot = &decisions.snapshot;
        match credential {
            Credential::Token { token, .. } => {
                Ok(authenticate::opaque::identify(snapshot, token, visitor.now)
                    .unwrap_or_else(|| decisions.verifier.identify(token, visitor.now))?)
            }
            Credential::ApiKey(key) => self.secrets.of_key(key, snapshot, visitor).map(Arc::new),
            Credential::Client(client) => self.secrets.of_client(client, snapshot, visitor).map(Arc::new),
        }
    }

    /// Which credentials this gateway takes for an API.
    fn accepted(&self, security: &Security) -> Vec<Way> {
        let is_taken = |way: &Way| self.query_credentials || !way.is_in_query();
        security.accepts.iter().copied().filter(is_taken).collect()
    }

    /// Nobody is admitted by these from now on. Answers the number of the newest of all that was revoked.
    pub(crate) fn revoke(&self, some: &[Revocation]) -> u64 {
        self.revoked.add(some)
    }

    /// Whether the request may connect.
    pub(crate) fn ask(
        &self,
        request: &Request,
        client: Client,
        budgets: &Budgets,
        now: Timestamp,
    ) -> Result<Admitted, NotAdmitted> {
        let decisions = self.decisions.load_full().ok_or(Refusal::NotReady)?;
        let snapshot = &decisions.snapshot;
        let canonical = request.path.as_str();
        let (api, topic) = match admit::locate(snapshot, canonical) {
            Ok(found) => found,
            Err(refusal) => {
                // A blocked API is known, and its refusals are its traffic.
                let api = snapshot.route(canonical).map(|found| found.api);
                return Err(NotAdmitted { api, ..refusal.into() });
            }
        };
        let known = |refusal: Refusal| NotAdmitted { api: Some(api.id), ..refusal.into() };
        // Before anything else is looked at: whoever lured a browser here learns nothing from the answer.
        if !client.is_own_page && !is_permitted_page(request, api) {
            return Err(known(Refusal::Origin));
        }
        let accepted = self.accepted(&api.security);
        let found = authenticate::find(request, &api.security, &accepted).map_err(&known)?;
        let visitor = Visitor { request, address: client.address.ip(), now };
        let identity = self.identify(&found.credential, &decisions, &visitor).map_err(&known)?;
        self.proofs.check(&identity, &found.credential, request, client, now).map_err(&known)?;
        let of_client = |refusal: Refusal| NotAdmitted {
            application: admit::application_of(snapshot, &identity, found.way),
            ..known(refusal)
        };
        // The number first: what comes after it is asked for again when a worker takes the session.
        let revocation_number = self.revoked.number();
        if self.revoked.hit(&identity.client_id, &identity.marks) {
            return Err(of_client(Refusal::Revoked));
        }
        let grant =
            admit::admit(snapshot, api, &identity, found.way).map_err(|refusal| of_client(refusal.into()))?;
        let meter = budgets.meter(&grant);
        if let Some(used_up) = meter.used_up(now) {
            return Err(not_now(&grant, Refusal::UsedUp(used_up)));
        }
        Ok(Admitted {
            snapshot_number: snapshot.number(),
            revocation_number,
            topic: topic.to_owned(),
            query: found.query,
            subprotocols: found.subprotocols,
            is_by_subprotocol: found.way == Way::OAuthSubprotocol,
            grant,
            identity,
            assertions: decisions.assertions.clone(),
            meter,
        })
    }
}

/// Whether the page that a browser speaks for, if it is one, may connect to the API.
fn is_permitted_page(request: &Request, api: &ApiFacts) -> bool {
    let has_cookies = request.headers.iter().any(|(name, _)| name == "cookie");
    let passwords = request.headers.iter().filter(|(name, _)| name == "authorization");
    let has_password = passwords.into_iter().any(|(_, value)| authenticate::is_basic(value));
    let is_ambient = has_password || (has_cookies && api.headers.passes_cookies());
    let origins = request.headers.iter().filter(|(name, _)| name == "origin");
    api.security.permits_origin(origins.map(|(_, value)| value.as_slice()), is_ambient)
}

/// What signs for backends from now on; what signed before stays while its key does.
fn assertions(snapshot: &Snapshot, before: Option<&Decisions>) -> Option<Arc<Assertions>> {
    let facts = snapshot.backend_tokens()?;
    let before = before.and_then(|before| before.assertions.as_ref());
    if let Some(kept) = before.filter(|before| before.is_for(facts)) {
        return Some(Arc::clone(kept));
    }
    let made = Assertions::new(facts).inspect_err(|error| {
        tracing::error!(error = error as &dyn std::error::Error, "the key of backend tokens cannot be used");
    });
    made.ok().map(Arc::new)
}

/// A refusal of someone who may connect as such.
pub(crate) fn not_now(grant: &Grant, refusal: Refusal) -> NotAdmitted {
    NotAdmitted {
        refusal,
        api: Some(grant.api_id()),
        application: Some(grant.application_id()),
        plan: grant.plan.to_string(),
    }
}
