//! Admission: who may connect, and who may stay, as pure functions of the snapshot.
//!
//! The gateway turns a [`Refusal`] into a problem document before the 101 and an [`Unwelcome`] into a Close
//! after it; nothing here knows HTTP or a close code.

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    anonymous,
    attribute::{Attributes, Claims},
    custom_rule::{self, HeldRule},
    deny::Connected,
    endpoint::{Endpoint, Environment},
    exchange::Source,
    group::Group,
    id::{ApiId, ApplicationId, KeyManagerId, SubscriptionId},
    issuer::RESIDENT,
    lifecycle::State,
    policy::Policy,
    revocation::{Marks, Revocable},
    security::{Kind, Way},
    snapshot::{ApiFacts, ApplicationFacts, Snapshot},
    time::Timestamp,
    topic::{Found, Speech},
};

/// What a credential is bound to: whoever presents it has to show this as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// That the key with this thumbprint is theirs, by a proof (RFC 9449).
    Key(Arc<str>),
    /// The certificate with this thumbprint, on the same connection (RFC 8705, section 3).
    Certificate(Arc<str>),
}

/// Who a checked credential says the client is. It is written down where a ticket stands for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// OAuth client, or the id of the API key or certificate.
    pub client_id: String,
    /// The issuer whose client it is; `None`: ours.
    pub key_manager: Option<KeyManagerId>,
    /// Subject of the token.
    pub subject: String,
    /// What the credential allows besides, by name; each once. Only tokens have any.
    pub scopes: Arc<[String]>,
    /// When the credential ends.
    pub expires_at: Timestamp,
    /// Name of the issuer's key that signed the credential, where one of ours did.
    pub signed_with: Option<Arc<str>>,
    /// What whoever presents the credential has to show beside it; `None`: nothing.
    pub bound_to: Option<Binding>,
    /// By what it can be revoked before.
    pub marks: Marks,
    /// The token that it was exchanged for, if it was.
    pub source: Option<Arc<Source>>,
    /// What else its token says, as far as somebody looks at it.
    pub claims: Claims,
}

impl Identity {
    /// Whom it speaks for, by the name that its issuer has for them; `None`: for nobody but the client.
    pub fn user(&self) -> Option<&str> {
        self.marks.subject.map(|_| &*self.subject)
    }

    /// The client by which a revocation of all that a client has would name it: only ours are named so, and what another
    /// issuer calls a client may be what we call another.
    pub fn revocable_client(&self) -> Option<&str> {
        self.key_manager.is_none().then_some(&*self.client_id)
    }

    /// As revocations are asked about it.
    pub fn revocable(&self) -> Revocable<'_> {
        let (client_id, source) = (self.revocable_client(), self.source.as_deref());
        Revocable { client_id, marks: &self.marks, source }
    }
}

/// Why a handshake is refused by routing or admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The path has two readings.
    #[error("the path is ambiguous")]
    AmbiguousPath,
    /// No API answers at the path.
    #[error("no API answers at this address")]
    UnknownPath,
    /// The API declares topics, and this is none of them.
    #[error("the API has no such topic")]
    UnknownTopic,
    /// The token has none of the scopes that the topic asks for.
    #[error("the token has none of the scopes that this topic asks for")]
    ScopeMissing,
    /// The API is blocked.
    #[error("the API is blocked for now")]
    Blocked,
    /// The API was retired.
    #[error("the API was retired")]
    Retired,
    /// The API does not accept tokens of this issuer.
    #[error("the API does not accept tokens of this issuer")]
    IssuerNotAccepted,
    /// The token's client is not known (any more).
    #[error("the key of this token does not exist any more")]
    UnknownClient,
    /// The application has no subscription to the API.
    #[error("the application is not subscribed to this API")]
    NoSubscription,
    /// A plan or policy that it would be held to is not known.
    #[error("a policy that this API or application is held to is not known")]
    UnknownPolicy,
    /// A deny rule keeps it out.
    #[error("an administrator denies this connection")]
    Denied,
    /// The API has no endpoint for the key's environment.
    #[error("the API has no {} endpoint", .0.as_str())]
    NoEndpoint(Environment),
}

/// Why a live session may not stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unwelcome {
    /// Its credential has expired.
    Expired,
    /// Its credential was revoked.
    Revoked,
    /// Its API accepts no credential of its kind any more.
    NotAccepted,
    /// Its key or application was deleted.
    KeyRevoked,
    /// The key that signed its credential was removed.
    SigningKeyRemoved,
    /// Its API does not accept tokens of their issuer any more.
    IssuerNotAccepted,
    /// Its topic is not declared any more.
    TopicGone,
    /// Its topic asks for a scope that its token does not have.
    ScopeMissing,
    /// Its subscription ended.
    SubscriptionEnded,
    /// Its API was blocked.
    ApiBlocked,
    /// Its API was retired or deleted.
    ApiRetired,
    /// A deny rule keeps it out.
    Denied,
}

/// What a session is allowed: the outcome of admission, and what [`standing`] re-reads on every new snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The API.
    pub api: Arc<ApiFacts>,
    /// The application.
    pub application: Arc<ApplicationFacts>,
    /// The OAuth client, or the id of the API key or certificate. Shared with the snapshot, like the other names: a gateway holds one of
    /// these per session.
    pub client_id: Arc<str>,
    /// With what the client proved itself, and where it was.
    pub way: Way,
    /// The issuer whose client it is; `None`: ours. Boxed, since most sessions have none.
    pub key_manager: Option<Box<KeyManagerId>>,
    /// Which endpoint it reaches.
    pub environment: Environment,
    /// From where the client connected.
    pub address: IpAddr,
    /// What follows the API's path.
    pub topic: Arc<str>,
    /// What the credential allows besides.
    pub scopes: Arc<[String]>,
    /// Who may send on the topic.
    pub speech: Speech,
    /// The subscription; `None` for a prototype, and for a client without a credential, which need none.
    pub subscription: Option<SubscriptionId>,
    /// The business plan; `None` without a subscription. Shared with the snapshot, like the application's policy.
    pub plan: Option<Arc<Policy>>,
    /// The application's policy.
    pub application_policy: Arc<Policy>,
    /// The API's policy, where it has one.
    pub api_policy: Option<Arc<Policy>>,
    /// The policy of the topic, where that has one of its own.
    pub topic_policy: Option<Arc<Policy>>,
    /// When the credential ends.
    pub expires_at: Timestamp,
    /// Name of the issuer's key that signed the credential.
    pub signed_with: Option<Arc<str>>,
    /// By what it can be revoked before.
    pub marks: Marks,
    /// The token that it was exchanged for, if it was.
    pub source: Option<Arc<Source>>,
    /// What policies look at of its handshake and its token; `None`: nothing.
    pub attributes: Option<Arc<Attributes>>,
    /// The custom rules that it is held to.
    pub rules: Box<[HeldRule]>,
}

impl Grant {
    /// The endpoint of the session's environment.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.api.endpoints.of(self.environment)
    }

    /// As revocations are asked about it.
    pub fn revocable(&self) -> Revocable<'_> {
        let client_id = self.key_manager.is_none().then_some(&*self.client_id);
        Revocable { client_id, marks: &self.marks, source: self.source.as_deref() }
    }

    /// With the custom rules that it is held to by this snapshot; asked when all else is known.
    #[must_use]
    pub fn under_rules(self, snapshot: &Snapshot) -> Self {
        Self { rules: custom_rule::held(snapshot, &self), ..self }
    }

    /// Name of the business plan; empty without a subscription.
    pub fn plan_name(&self) -> &str {
        self.plan.as_deref().map_or("", |plan| &plan.name)
    }

    /// The group of a policy that it is in; `None`: the policy's own limits hold.
    pub fn group_of<'p>(&self, policy: &'p Policy) -> Option<&'p Group> {
        policy.group_of(self.address, self.attributes.as_deref())
    }

    /// The policies of the API and of the topic, as far as they have any.
    pub fn api_policies(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.api_policy.iter().chain(&self.topic_policy)
    }

    /// All policies that it is held to: the API's, the topic's, the application's and the plan.
    pub fn policies(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.api_policies().chain([&self.application_policy]).chain(&self.plan)
    }

    /// The API's id.
    pub fn api_id(&self) -> ApiId {
        self.api.id
    }

    /// The application's id.
    pub fn application_id(&self) -> ApplicationId {
        self.application.id
    }
}

/// The API and topic at `path` (without query), if it may be tried at all.
///
/// # Errors
/// [`Refusal`]: ambiguous or unknown path, blocked or retired API. Asked before the credential is looked at,
/// since which credentials are accepted is the API's to say.
pub fn locate<'s, 'p>(
    snapshot: &'s Snapshot,
    path: &'p str,
) -> Result<(&'s Arc<ApiFacts>, &'p str), Refusal> {
    let path = crate::route::canonical(path).map_err(|_| Refusal::AmbiguousPath)?;
    let found = snapshot.route(path).ok_or(Refusal::UnknownPath)?;
    let api = snapshot.api(found.api).ok_or(Refusal::UnknownPath)?;
    match api.state {
        State::Blocked => Err(Refusal::Blocked),
        State::Retired => Err(Refusal::Retired),
        State::Created | State::Prototyped | State::Published | State::Deprecated => Ok((api, found.topic)),
    }
}

/// Whether the identity may connect to the API from this address; on which topic, [`on_topic`] says.
///
/// # Errors
/// [`Refusal`]: unknown client, no subscription, a deny rule, no endpoint for the key's environment.
pub fn admit(
    snapshot: &Snapshot,
    api: &Arc<ApiFacts>,
    identity: &Identity,
    way: Way,
    address: IpAddr,
) -> Result<Grant, Refusal> {
    let client = (identity.key_manager, &*identity.client_id);
    let grant = grant(snapshot, api, client, way, address, identity.into())?;
    if grant.endpoint().is_none() {
        return Err(Refusal::NoEndpoint(grant.environment));
    }
    Ok(grant)
}

/// Whether the API has this topic (empty or beginning with `/`). Asked before the credential is looked at.
///
/// # Errors
/// [`Refusal::UnknownTopic`].
pub fn has_topic(api: &ApiFacts, topic: &str) -> Result<(), Refusal> {
    if api.topics.find(topic) == Found::Unknown { Err(Refusal::UnknownTopic) } else { Ok(()) }
}

/// What the session is allowed on this topic.
///
/// # Errors
/// [`Refusal`]: unknown topic, a scope that it asks for and the credential does not have, or an unknown policy.
pub fn on_topic(snapshot: &Snapshot, grant: Grant, topic: Arc<str>) -> Result<Grant, Refusal> {
    let (speech, topic_policy) = match grant.api.topics.find(&topic) {
        Found::Undeclared => (Speech::default(), None),
        Found::Declared(declared) => {
            let speech = declared.speech(&grant.scopes).map_err(|_| Refusal::ScopeMissing)?;
            (speech, api_policy(snapshot, declared.api_policy.as_deref())?)
        }
        Found::Unknown => return Err(Refusal::UnknownTopic),
    };
    Ok(Grant { topic, speech, topic_policy, ..grant })
}

/// A policy that is named. One that is not known limits nothing, so it gives nothing either.
fn known_policy(policy: Option<&Arc<Policy>>) -> Result<Arc<Policy>, Refusal> {
    policy.map(Arc::clone).ok_or(Refusal::UnknownPolicy)
}

fn api_policy(snapshot: &Snapshot, name: Option<&str>) -> Result<Option<Arc<Policy>>, Refusal> {
    name.map(|name| known_policy(snapshot.api_policy(name))).transpose()
}

/// Whose credential it is, where that is known.
pub fn application_of(snapshot: &Snapshot, identity: &Identity, way: Way) -> Option<ApplicationId> {
    match way.kind() {
        Kind::ApiKey => snapshot.api_key(&identity.client_id).map(|key| key.application),
        Kind::Certificate => snapshot.certificate(&identity.client_id).map(|one| one.application),
        Kind::None => Some(anonymous::APPLICATION),
        Kind::OAuth | Kind::Basic | Kind::Ticket => {
            snapshot.client_of(identity.key_manager, &identity.client_id).map(|client| client.application)
        }
    }
}

/// What of a credential a session remembers.
#[derive(Clone, Copy)]
struct Credential<'c> {
    scopes: &'c Arc<[String]>,
    expires_at: Timestamp,
    signed_with: Option<&'c Arc<str>>,
    marks: Marks,
    source: Option<&'c Arc<Source>>,
}

impl<'c> From<&'c Identity> for Credential<'c> {
    fn from(identity: &'c Identity) -> Self {
        let &Identity { ref scopes, expires_at, ref signed_with, marks, ref source, .. } = identity;
        Self { scopes, expires_at, signed_with: signed_with.as_ref(), marks, source: source.as_ref() }
    }
}

impl<'c> From<&'c Grant> for Credential<'c> {
    fn from(held: &'c Grant) -> Self {
        let &Grant { ref scopes, expires_at, ref signed_with, marks, ref source, .. } = held;
        Self { scopes, expires_at, signed_with: signed_with.as_ref(), marks, source: source.as_ref() }
    }
}

/// Whether the API takes tokens of the issuer, which is ours or another.
fn is_accepted(snapshot: &Snapshot, api: &ApiFacts, issuer: Option<KeyManagerId>) -> Result<(), Refusal> {
    let name = match issuer {
        None => RESIDENT,
        Some(id) => snapshot.key_manager(id).ok_or(Refusal::UnknownClient)?.name.as_str(),
    };
    if api.issuers.accepts(name) { Ok(()) } else { Err(Refusal::IssuerNotAccepted) }
}

fn grant(
    snapshot: &Snapshot,
    api: &Arc<ApiFacts>,
    (key_manager, client_id): (Option<KeyManagerId>, &str),
    way: Way,
    address: IpAddr,
    credential: Credential<'_>,
) -> Result<Grant, Refusal> {
    let held = match way.kind() {
        Kind::None => Some((anonymous::APPLICATION, anonymous::environment(api), anonymous::client_id())),
        Kind::ApiKey => snapshot
            .shared_api_key(client_id)
            .map(|(id, key)| (key.application, key.environment, Arc::clone(id))),
        Kind::Certificate => snapshot
            .shared_certificate(client_id)
            .map(|(id, one)| (one.application, one.environment, Arc::clone(id))),
        Kind::OAuth | Kind::Basic | Kind::Ticket => snapshot
            .shared_client(key_manager, client_id)
            .map(|(id, client)| (client.application, client.environment, Arc::clone(id))),
    };
    // A ticket is bought with a token, or by a person for a client of ours.
    if matches!(way.kind(), Kind::OAuth | Kind::Ticket) {
        is_accepted(snapshot, api, key_manager)?;
    }
    source_stands(snapshot, api, credential.source)?;
    let (application, environment, client_id) = held.ok_or(Refusal::UnknownClient)?;
    let is_anonymous = way.kind() == Kind::None;
    let known = if is_anonymous { Some(anonymous::application()) } else { snapshot.application(application) };
    let application = known.ok_or(Refusal::UnknownClient)?;
    let connected = Connected { api, application, subject: credential.marks.subject, address };
    if snapshot.denials().deny(&connected) {
        return Err(Refusal::Denied);
    }
    let subscription = snapshot.subscription(application.id, api.id);
    if subscription.is_none() && api.state != State::Prototyped && !is_anonymous {
        return Err(Refusal::NoSubscription);
    }
    let (plan, application_policy) = if is_anonymous {
        (Some(Arc::clone(anonymous::plan())), Arc::clone(anonymous::application_policy()))
    } else {
        let plan =
            subscription.map(|subscription| known_policy(snapshot.plan(&subscription.plan))).transpose()?;
        (plan, known_policy(snapshot.application_policy(&application.policy))?)
    };
    Ok(Grant {
        application_policy,
        api_policy: api_policy(snapshot, api.api_policy.as_deref())?,
        topic_policy: None,
        api: Arc::clone(api),
        application: Arc::clone(application),
        client_id,
        key_manager: key_manager.map(Box::new),
        way,
        environment,
        address,
        topic: Arc::default(),
        scopes: Arc::clone(credential.scopes),
        speech: Speech::default(),
        subscription: subscription.map(|subscription| subscription.id),
        plan,
        expires_at: credential.expires_at,
        signed_with: credential.signed_with.map(Arc::clone),
        marks: credential.marks,
        source: credential.source.map(Arc::clone),
        attributes: None,
        rules: Box::default(),
    })
}

/// Whether what a token was exchanged for could still be there: it stands for that, and ends with it.
fn source_stands(snapshot: &Snapshot, api: &ApiFacts, source: Option<&Arc<Source>>) -> Result<(), Refusal> {
    let Some(source) = source else { return Ok(()) };
    source.client(snapshot).ok_or(Refusal::UnknownClient)?;
    is_accepted(snapshot, api, source.key_manager)
}

/// Whether the keys that signed a credential, and what it was exchanged for, where ours did, are still among those that
/// sign.
pub fn signature_stands(snapshot: &Snapshot, signed_with: Option<&str>, source: Option<&Source>) -> bool {
    let of_source = source.and_then(|source| source.signed_with.as_deref());
    let stands = |kid: &str| snapshot.issuer().keys.iter().any(|key| key == kid);
    signed_with.into_iter().chain(of_source).all(stands)
}

/// Whether a live session may stay under a new snapshot, and what it is allowed from now on.
///
/// The endpoint is not asked for: a session that is connected stays on its connection.
///
/// # Errors
/// [`Unwelcome`] when it must be closed.
pub fn standing(snapshot: &Snapshot, held: &Grant, now: Timestamp) -> Result<Grant, Unwelcome> {
    if held.expires_at <= now {
        return Err(Unwelcome::Expired);
    }
    if !signature_stands(snapshot, held.signed_with.as_deref(), held.source.as_deref()) {
        return Err(Unwelcome::SigningKeyRemoved);
    }
    let api = snapshot.api(held.api.id).ok_or(Unwelcome::ApiRetired)?;
    match api.state {
        State::Blocked => return Err(Unwelcome::ApiBlocked),
        State::Retired => return Err(Unwelcome::ApiRetired),
        State::Created | State::Prototyped | State::Published | State::Deprecated => {}
    }
    // A place that is not accepted any more closes nothing, since the credential is good in another.
    let is_accepted = match held.way.kind() {
        Kind::None => anonymous::may_enter(api, &held.topic),
        kind => api.security.accepts_kind(kind),
    };
    if !is_accepted {
        return Err(Unwelcome::NotAccepted);
    }
    let client = (held.key_manager.as_deref().copied(), &*held.client_id);
    let grant = grant(snapshot, api, client, held.way, held.address, held.into());
    // A session stays on the endpoint that it has, and what it began with is so.
    let grant = grant.map(|grant| Grant {
        environment: held.environment,
        attributes: held.attributes.clone(),
        ..grant
    });
    let grant = grant.and_then(|grant| on_topic(snapshot, grant, Arc::clone(&held.topic)));
    grant.map(|grant| grant.under_rules(snapshot)).map_err(|refusal| match refusal {
        Refusal::UnknownClient => Unwelcome::KeyRevoked,
        Refusal::IssuerNotAccepted => Unwelcome::IssuerNotAccepted,
        Refusal::Denied => Unwelcome::Denied,
        Refusal::UnknownTopic => Unwelcome::TopicGone,
        Refusal::ScopeMissing => Unwelcome::ScopeMissing,
        _ => Unwelcome::SubscriptionEnded,
    })
}

#[cfg(test)]
mod tests;
