//! Phase three, second half: the snapshot that decides, and the question whether a request may connect.
//!
//! The rules are pure functions of `tidegate_model::admit`; here they are asked in order, and the first no is the
//! answer: where, then who, then whether, then how much. It does not know sockets.

mod attributes;
mod sale;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tidegate_model::{
    admit::{self, Binding, Grant, Identity},
    anonymous,
    id::{ApiId, ApplicationId, KeyManagerId},
    link::GatewayLink,
    opaque::OpaqueTokenFacts,
    port::Entropy,
    revocation::Revocation,
    security::Way,
    snapshot::{ApiFacts, Snapshot},
    ticket::{Answer, Ask},
    time::Timestamp,
    topic::Found,
    user::Secret,
};
use tidegate_oauth::{
    bearer::BadCredential,
    token::{BadToken, CannotSign},
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use attributes::attributes;

use crate::{
    Inner,
    authenticate::{
        self, Credential, Issuers, KEYS_WITHIN, NEVER, Other, Secrets, Tickets, Verifier, Visitor, Wishes,
    },
    certificate::Asking,
    connection::Client,
    dial::{Assertions, Opening},
    handshake::Request,
    proof::{self, METHOD, Proofs},
    quota::Fields,
    refusal::Refusal,
    relay::{Budgets, Meter},
    revoked::Revoked,
};

/// What decides now: a snapshot and the verifier of its issuer's tokens.
#[derive(Debug)]
struct Decisions {
    snapshot: Arc<Snapshot>,
    verifier: Arc<Verifier>,
    issuers: Issuers,
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
    /// Told of each replacement.
    replaced: Notify,
    wishes: Wishes,
    tokens: authenticate::opaque::Tokens,
    tickets: Tickets,
    asking: Arc<Asking>,
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
    /// The query without the credential.
    pub(crate) query: Option<String>,
    /// The subprotocols offered, without the credential.
    pub(crate) subprotocols: Vec<String>,
    /// The subprotocol that announced the credential, where one did.
    pub(crate) announced: Option<String>,
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
    /// How its limits stand, where that is why.
    pub(crate) quota: Option<Box<Fields>>,
    /// What has to be asked before this is the last word.
    pub(crate) pending: Option<Box<Pending>>,
}

/// Something that another issuer, or whoever keeps tickets, has to be asked. Its Debug shows no token.
#[derive(Debug)]
pub(crate) enum Pending {
    /// Its keys.
    Keys(Arc<Other>),
    /// What it says of a token.
    Introspection(Arc<Other>, Secret),
    /// What a ticket is worth.
    Ticket {
        /// Its hash.
        hash: Secret,
        /// At which API it is presented.
        api: ApiId,
    },
}

/// Who asks, and for what.
struct Asks<'a> {
    request: &'a Request,
    client: Client,
    /// The topic of the session that is opened; `None`: it is asked for when one is.
    topic: Option<&'a str>,
    /// How the session is opened that it is about.
    way: Way,
    /// See [`authenticate::Presented`].
    is_beside_certificate: bool,
    /// The method that a proof of possession has to be of.
    method: &'a str,
    /// Who bought a ticket that was redeemed meanwhile.
    bought: Option<&'a Arc<Identity>>,
    now: Timestamp,
}

/// Who may, and what.
struct Granted {
    identity: Arc<Identity>,
    grant: Grant,
    /// Nothing up to this number has revoked the credential.
    revocation_number: u64,
}

impl<E: Into<Refusal>> From<E> for NotAdmitted {
    fn from(refusal: E) -> Self {
        Self {
            refusal: refusal.into(),
            api: None,
            application: None,
            plan: String::new(),
            quota: None,
            pending: None,
        }
    }
}

impl Desk {
    pub(crate) fn new(
        query_credentials: bool,
        ask_certificates: bool,
        revoked: Arc<Revoked>,
        link: &Arc<dyn GatewayLink>,
    ) -> Self {
        Self {
            decisions: ArcSwapOption::empty(),
            revoked,
            query_credentials,
            proofs: Proofs::default(),
            tokens: authenticate::opaque::Tokens::default(),
            secrets: Secrets::default(),
            replaced: Notify::new(),
            wishes: Wishes::default(),
            tickets: Tickets::new(Arc::clone(link)),
            asking: Arc::new(Asking::new(ask_certificates)),
        }
    }

    /// Whether clients are asked for certificates.
    pub(crate) const fn asking(&self) -> &Arc<Asking> {
        &self.asking
    }

    /// Decide with this snapshot from now on. The verifier and what it remembers stay while the issuer does.
    pub(crate) fn replace(&self, snapshot: &Arc<Snapshot>) {
        self.asking.decide(snapshot);
        let facts = snapshot.issuer();
        let before = self.decisions.load_full();
        let claims = snapshot.looked_at().claims();
        let issuers = Issuers::of(snapshot.key_managers(), claims, before.as_deref().map(|it| &it.issuers));
        let assertions = assertions(snapshot, before.as_deref());
        let kept = before.filter(|before| before.verifier.is_for(facts, claims));
        let kept = kept.map(|it| Arc::clone(&it.verifier));
        let verifier = match kept.map_or_else(|| Verifier::new(facts, claims).map(Arc::new), Ok) {
            Ok(verifier) => verifier,
            Err(error) => {
                // No token can be believed: nobody is admitted until keys come that can be used.
                tracing::error!(error = &error as &dyn std::error::Error, "the issuer's keys cannot be used");
                return self.decisions.store(None);
            }
        };
        let decisions = Decisions { snapshot: Arc::clone(snapshot), verifier, issuers, assertions };
        self.decisions.store(Some(Arc::new(decisions)));
        self.replaced.notify_waiters();
    }

    /// Who presents a credential to an API, or what has to be asked first. `bought` is who bought a ticket that was
    /// redeemed meanwhile.
    fn identify(
        &self,
        credential: &Credential,
        bought: Option<&Arc<Identity>>,
        decisions: &Decisions,
        api: &ApiFacts,
        visitor: &Visitor<'_>,
    ) -> Result<Arc<Identity>, (Refusal, Option<Pending>)> {
        let snapshot = &decisions.snapshot;
        let ours = |known: Result<Identity, Refusal>| known.map(Arc::new).map_err(|refusal| (refusal, None));
        match credential {
            // Ours that say nothing by themselves are told by their shape, and shown to nobody.
            Credential::Token { token, .. } => {
                let (issuer, claims) = (&snapshot.issuer().issuer, snapshot.looked_at().claims());
                match self.tokens.identify(issuer, token, claims, visitor.now) {
                    Some(known) => known.map_err(|error| (error.into(), None)),
                    None => decisions.identify(token, api, visitor.now),
                }
            }
            Credential::Ticket(ticket) => {
                let identity = match bought {
                    Some(identity) => Arc::clone(identity),
                    None => return Err(self.secrets.of_ticket(ticket, api.id, visitor)),
                };
                // What bought it may have ended since; the rest of what can end it is asked for as for any credential.
                if identity.expires_at <= visitor.now {
                    return Err((BadToken::Expired.into(), None));
                }
                Ok(identity)
            }
            Credential::Nothing => Ok(Arc::new(anonymous::identity(visitor.now, NEVER))),
            Credential::ApiKey(key) => ours(self.secrets.of_key(key, snapshot, visitor)),
            Credential::Certificate(shown) => ours(authenticate::of_certificate(shown, snapshot, visitor)),
            Credential::Client(client) => ours(self.secrets.of_client(client, snapshot, visitor)),
        }
    }

    /// Which credentials this gateway takes for a topic of an API.
    fn accepted(&self, api: &ApiFacts, topic: &str) -> Vec<Way> {
        let is_taken = |way: &Way| *way != Way::None && (self.query_credentials || !way.is_in_query());
        let nothing = anonymous::may_enter(api, topic).then_some(Way::None);
        api.security.accepts.iter().copied().filter(is_taken).chain(nothing).collect()
    }

    /// These open sessions from now on. Answers the number of the newest of all opaque tokens.
    pub(crate) fn know(&self, some: &[OpaqueTokenFacts]) -> u64 {
        self.tokens.add(some)
    }

    /// The answer to a question about a ticket.
    pub(crate) fn answered(&self, number: u64, answer: Answer) {
        self.tickets.answered(number, answer);
    }

    /// Nobody is admitted by these from now on. Answers the number of the newest of all that was revoked.
    pub(crate) fn revoke(&self, some: &[Revocation]) -> u64 {
        self.revoked.add(some)
    }

    /// The next wishes for keys of issuers; waits for one. Dropping the future loses none.
    pub(crate) async fn wishes(&self) -> Vec<KeyManagerId> {
        self.wishes.next().await
    }

    /// Whether the request may connect. Waits, within a bound, where somebody else has to be asked first.
    pub(crate) async fn ask(
        &self,
        request: &Request,
        client: Client,
        inner: &Inner,
        now: Timestamp,
    ) -> Result<Admitted, NotAdmitted> {
        let judge = |decisions: &Decisions, bought: Option<&Arc<Identity>>, now| {
            self.judge(decisions, request, client, &inner.budgets, bought, now)
        };
        let admitted = self.settled(inner, client, now, judge).await?;
        let begun = inner.budgets.begin(&admitted.meter, &*inner.clock).await;
        begun.map_err(|used_up| NotAdmitted {
            quota: inner.budgets.fields(&admitted.meter, now).map(Box::new),
            ..not_now(&admitted.grant, Refusal::UsedUp(used_up))
        })?;
        Ok(admitted)
    }

    /// What a judgement says when everybody was asked whom it waits for. A second judgement is the last.
    async fn settled<T>(
        &self,
        inner: &Inner,
        client: Client,
        now: Timestamp,
        judge: impl Fn(&Decisions, Option<&Arc<Identity>>, Timestamp) -> Result<T, NotAdmitted>,
    ) -> Result<T, NotAdmitted> {
        let decisions = self.decisions.load_full().ok_or(Refusal::NotReady)?;
        let mut refused = match judge(&decisions, None, now) {
            Err(refused) if refused.pending.is_some() => refused,
            judged => return judged,
        };
        let mut bought = None;
        let is_settled = match refused.pending.take().map(|pending| *pending) {
            Some(Pending::Keys(of)) => self.new_keys(&of, now).await,
            Some(Pending::Introspection(of, token)) => {
                of.introspect(&inner.dialler, &token, &*inner.clock).await
            }
            Some(Pending::Ticket { hash, api }) => {
                let redeemed = self.tickets.ask(Ask::Redeem { hash, api }).await;
                match self.secrets.redeemed(redeemed, client.address.ip(), now) {
                    Ok(identity) => bought = Some(Arc::new(identity)),
                    Err(refusal) => refused.refusal = refusal,
                }
                bought.is_some()
            }
            None => false,
        };
        if !is_settled {
            return Err(refused);
        }
        let decisions = self.decisions.load_full().ok_or(Refusal::NotReady)?;
        judge(&decisions, bought.as_ref(), inner.clock.now())
    }

    /// Wishes for the keys of an issuer, and answers whether there are others now.
    async fn new_keys(&self, of: &Arc<Other>, now: Timestamp) -> bool {
        if !self.wishes.wish(of.id(), now) {
            return false;
        }
        // Whoever gets no place is refused at once, and whoever has one gives it back on every way out.
        let Some(_place) = self.wishes.waiting() else { return false };
        let deadline = Instant::now() + KEYS_WITHIN;
        loop {
            let replaced = self.replaced.notified();
            let now = self.decisions.load_full();
            if !now.is_some_and(|now| now.issuers.has(of)) {
                return true;
            }
            if timeout_at(deadline, replaced).await.is_err() {
                return false;
            }
        }
    }

    /// Whether the request may connect, by what is known now.
    fn judge(
        &self,
        decisions: &Decisions,
        request: &Request,
        client: Client,
        budgets: &Arc<Budgets>,
        bought: Option<&Arc<Identity>>,
        now: Timestamp,
    ) -> Result<Admitted, NotAdmitted> {
        let snapshot = &decisions.snapshot;
        let (api, topic) = locate(snapshot, &request.path, request, client)?;
        let known = |refusal: Refusal| NotAdmitted { api: Some(api.id), ..refusal.into() };
        admit::has_topic(api, topic).map_err(|refusal| known(refusal.into()))?;
        let accepted = self.accepted(api, topic);
        let found = authenticate::find(request, &api.security, &accepted).map_err(&known)?;
        let is_beside_certificate = found.is_beside_certificate;
        let (topic, way, method) = (Some(topic), found.way, METHOD);
        let asks = Asks { request, client, topic, way, is_beside_certificate, method, bought, now };
        let Granted { identity, mut grant, revocation_number } =
            self.granted(decisions, api, &found.credential, &asks)?;
        grant.attributes = attributes(snapshot.looked_at(), api, request, found.query.as_deref(), &identity);
        let grant = grant.under_rules(snapshot);
        let mut meter = budgets.meter(&grant);
        budgets.seat(&mut meter, &grant).map_err(|full| not_now(&grant, Refusal::Full(full)))?;
        Ok(Admitted {
            snapshot_number: snapshot.number(),
            revocation_number,
            query: found.query,
            subprotocols: found.subprotocols,
            announced: found.announced,
            grant,
            identity,
            assertions: decisions.assertions.clone(),
            meter,
        })
    }

    /// Who presents a credential, and what they may: who it is, whether it is proved to be theirs, whether it was revoked,
    /// and what the rules say. The first no is the answer; a proof is taken last, so only of who may.
    fn granted(
        &self,
        decisions: &Decisions,
        api: &Arc<ApiFacts>,
        credential: &Credential,
        asks: &Asks<'_>,
    ) -> Result<Granted, NotAdmitted> {
        let &Asks { request, client, topic, way, is_beside_certificate, method, bought, now } = asks;
        let snapshot = &decisions.snapshot;
        let known = |refusal: Refusal| NotAdmitted { api: Some(api.id), ..refusal.into() };
        let visitor = Visitor { request, address: client.address.ip(), now };
        let several = || known(BadCredential::Several.into());
        let identified = self.identify(credential, bought, decisions, api, &visitor);
        let identity = identified.map_err(|(refusal, pending)| match pending {
            None if is_beside_certificate => several(),
            pending => NotAdmitted { pending: pending.map(Box::new), ..known(refusal) },
        })?;
        if is_beside_certificate && !matches!(identity.bound_to, Some(Binding::Certificate(_))) {
            return Err(several());
        }
        let proof = proof::shown(&identity, credential, method, request, client, now).map_err(&known)?;
        let of_client = |refusal: Refusal| NotAdmitted {
            application: admit::application_of(snapshot, &identity, way),
            ..known(refusal)
        };
        // The number first: what comes after it is asked for again when a worker takes the session.
        let revocation_number = self.revoked.number();
        let (signed_with, source) = (identity.signed_with.as_deref(), identity.source.as_deref());
        let is_signed = admit::signature_stands(snapshot, signed_with, source);
        if !is_signed || self.revoked.hit(&identity.revocable()) {
            return Err(of_client(Refusal::Revoked));
        }
        let grant = admit::admit(snapshot, api, &identity, way, client.address.ip());
        let grant = grant
            .and_then(|grant| match topic {
                Some(topic) => admit::on_topic(snapshot, grant, topic.into()),
                None => Ok(grant),
            })
            .map_err(|refusal| of_client(named(refusal, api, topic, &identity)))?;
        if let Some(proof) = &proof {
            self.proofs.take(proof, &identity.client_id, now).map_err(of_client)?;
        }
        Ok(Granted { identity, grant, revocation_number })
    }
}

impl Decisions {
    /// Who presents the token: by the issuer that it claims, or ours.
    fn identify(
        &self,
        token: &str,
        api: &ApiFacts,
        now: Timestamp,
    ) -> Result<Arc<Identity>, (Refusal, Option<Pending>)> {
        if let Some(other) = self.issuers.choose(token) {
            return other.identify(token, now).map_err(|error| {
                // The issuer may have signed with a key that is not known here yet.
                let pending = (error == BadToken::UnknownKey).then(|| Pending::Keys(Arc::clone(other)));
                (error.into(), pending)
            });
        }
        if let Some(other) = self.issuers.knows_opaque(token, api) {
            let said = other.said_of(token, now);
            let unasked = || Pending::Introspection(Arc::clone(other), Secret(token.to_owned()));
            let said = said.ok_or_else(|| (Refusal::IssuerAway, Some(unasked())))?;
            return said.map_err(|error| (error.into(), None));
        }
        self.verifier.identify(token, now).map_err(|error| (error.into(), None))
    }
}

/// The API and topic at a path, for the page that the request is from.
fn locate<'s, 'p>(
    snapshot: &'s Snapshot,
    path: &'p str,
    request: &Request,
    client: Client,
) -> Result<(&'s Arc<ApiFacts>, &'p str), NotAdmitted> {
    let (api, topic) = match admit::locate(snapshot, path) {
        Ok(found) => found,
        Err(refusal) => {
            // A blocked API is known, and its refusals are its traffic.
            let api = snapshot.route(path).map(|found| found.api);
            return Err(NotAdmitted { api, ..refusal.into() });
        }
    };
    let known = |refusal: Refusal| NotAdmitted { api: Some(api.id), ..refusal.into() };
    // Whom a rule keeps out wherever he comes from costs no look at a credential.
    if snapshot.denials().deny_stranger(api, client.address.ip()) {
        return Err(known(admit::Refusal::Denied.into()));
    }
    // Before anything else is looked at: whoever lured a browser here learns nothing from the answer.
    if !client.is_own_page && !is_permitted_page(request, api) {
        return Err(known(Refusal::Origin));
    }
    Ok((api, topic))
}

/// A refusal for want of a scope names those of which one would do.
fn named(refusal: admit::Refusal, api: &ApiFacts, topic: Option<&str>, identity: &Identity) -> Refusal {
    match (refusal, topic.map(|topic| api.topics.find(topic))) {
        (admit::Refusal::ScopeMissing, Some(Found::Declared(declared))) => {
            let needed = declared.speech(&identity.scopes).err().map(|needs| needs.0.join(" "));
            Refusal::ScopeMissing { needed: needed.unwrap_or_default() }
        }
        _ => refusal.into(),
    }
}

/// Whether the page that a browser speaks for, if it is one, may connect to the API.
fn is_permitted_page(request: &Request, api: &ApiFacts) -> bool {
    let has_cookies = request.headers.iter().any(|(name, _)| name == "cookie");
    let passwords = request.headers.iter().filter(|(name, _)| name == "authorization");
    let has_password = passwords.into_iter().any(|(_, value)| authenticate::is_basic(value));
    let has_certificate = request.certificate.is_some() && api.security.accepts(Way::MutualTls);
    let is_ambient = has_password || has_certificate || (has_cookies && api.headers.passes_cookies());
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
        plan: grant.plan_name().to_owned(),
        quota: None,
        pending: None,
    }
}
