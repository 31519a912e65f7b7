//! The snapshot: everything a gateway needs to decide, immutable and numbered.
//!
//! [`SnapshotParts`] is what travels over a link and is kept on disk; [`Snapshot`] adds the indexes that
//! admission uses. A gateway holds one at a time and replaces it whole.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    admit::Grant,
    attribute::LookedAt,
    custom_rule::{CustomRuleFacts, Rule},
    deny::{Denials, DenyFacts},
    endpoint::{Endpoints, Environment},
    headers::HeaderRules,
    id::{ApiId, ApiKeyId, ApplicationId, CertificateId, KeyManagerId, SubscriptionId, UserId},
    issuer::{AcceptedIssuers, KeyManagerFacts},
    lifecycle::State,
    mapping::TopicMapping,
    notice::Notice,
    policy::Policy,
    protocol::Protocol,
    route::{Match, Routes, base_path, default_path},
    scope::Scope,
    security::Security,
    time::Timestamp,
    topic::Topics,
    user::Secret,
};

mod difference;

use difference::{Difference, own, share, share_clients, share_rules, shared};

/// An API as a gateway serves it: identity, state, and the live revision's runtime settings. One that was retired has
/// no endpoints; it is known only to be refused as what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiFacts {
    /// Identifier.
    pub id: ApiId,
    /// Name.
    pub name: String,
    /// Context with leading `/`.
    pub context: String,
    /// Version.
    pub version: String,
    /// Lifecycle state.
    pub state: State,
    /// Whether it answers without a version as well.
    pub is_default_version: bool,
    /// Number of the live revision.
    pub revision: u32,
    /// Endpoints of the live revision.
    pub endpoints: Endpoints,
    /// Compression, checks and sizes of the live revision.
    #[serde(default)]
    pub protocol: Protocol,
    /// What clients are told of messages that were dropped; `None`: nothing.
    #[serde(default)]
    pub notice: Option<Arc<Notice>>,
    /// Which headers backends get.
    #[serde(default)]
    pub headers: HeaderRules,
    /// Under which paths a backend's topics are.
    #[serde(default)]
    pub mappings: Vec<TopicMapping>,
    /// Who may send on which topic.
    #[serde(default)]
    pub topics: Topics,
    /// What topics may ask tokens for. Gateways ask for names alone; who may have one is asked where tokens are given.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// How clients prove who they are.
    #[serde(default)]
    pub security: Security,
    /// Whose tokens are accepted.
    #[serde(default)]
    pub issuers: AcceptedIssuers,
    /// Name of the API policy that all who use it are held to together. Those of topics are with the topics.
    #[serde(default)]
    pub api_policy: Option<String>,
}

/// An application as a gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationFacts {
    /// Identifier.
    pub id: ApplicationId,
    /// Name, for headers and logs.
    pub name: String,
    /// Its application policy.
    pub policy: String,
    /// Whose it is; `None`: the product's.
    #[serde(default)]
    pub owner: Option<UserId>,
}

/// An OAuth client as a gateway knows it: no secret, no hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientFacts {
    /// OAuth `client_id`.
    pub client_id: String,
    /// Whose key.
    pub application: ApplicationId,
    /// Which endpoint its sessions reach.
    pub environment: Environment,
    /// The issuer whose client it is; `None`: ours.
    #[serde(default)]
    pub key_manager: Option<KeyManagerId>,
}

/// An API key as a gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyFacts {
    /// Identifier.
    pub id: ApiKeyId,
    /// Hash of the secret.
    pub hash: Secret,
    /// Whose key.
    pub application: ApplicationId,
    /// Which endpoint its sessions reach.
    pub environment: Environment,
    /// When it stops working; `None`: when deleted.
    pub expires_at: Option<Timestamp>,
    /// Addresses and networks from which it may be used; empty: from everywhere.
    pub addresses: Vec<String>,
    /// Origins of the web pages from which it may be used; empty: from every page.
    pub referers: Vec<String>,
}

/// A certificate as a gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Identifier.
    pub id: CertificateId,
    /// SHA-256 of its DER, in base64url.
    pub thumbprint: String,
    /// Whose certificate.
    pub application: ApplicationId,
    /// Which endpoint its sessions reach.
    pub environment: Environment,
    /// The first moment at which it is valid.
    pub begins_at: Timestamp,
    /// The first moment at which it is not valid any more.
    pub expires_at: Timestamp,
}

/// The secret of an OAuth client, as a hash: it goes to gateways only while an API accepts it as a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecretFacts {
    /// OAuth `client_id`.
    pub client_id: String,
    /// Hash of the secret.
    pub hash: Secret,
}

/// A subscription as a gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionFacts {
    /// Identifier.
    pub id: SubscriptionId,
    /// Who.
    pub application: ApplicationId,
    /// To what.
    pub api: ApiId,
    /// Name of the business plan.
    pub plan: String,
}

/// Whose tokens are accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerFacts {
    /// `iss` that a token must carry.
    pub issuer: String,
    /// `aud` that a token must name.
    pub audience: String,
    /// The issuer's public keys, a JSON Web Key Set (RFC 7517) as text.
    pub jwks: String,
    /// Names of the keys of the set: what was signed with another is not valid any more.
    #[serde(default)]
    pub keys: Vec<String>,
}

/// What gateways sign for backends with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendTokenFacts {
    /// `iss` of what is signed.
    pub issuer: String,
    /// The private key, as the `oauth` crate writes it.
    pub key: Secret,
}

/// The snapshot as data, in no particular order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotParts {
    /// Grows with every change that a gateway can notice.
    pub number: u64,
    /// The authorization server.
    pub issuer: IssuerFacts,
    /// Other issuers whose tokens are accepted.
    #[serde(default)]
    pub key_managers: Vec<KeyManagerFacts>,
    /// What gateways sign for backends with; without it, no API is served that wants it.
    #[serde(default)]
    pub backend_tokens: Option<BackendTokenFacts>,
    /// APIs with a live revision, and retired ones.
    pub apis: Vec<ApiFacts>,
    /// Applications.
    pub applications: Vec<ApplicationFacts>,
    /// OAuth clients.
    pub clients: Vec<ClientFacts>,
    /// API keys.
    #[serde(default)]
    pub api_keys: Vec<ApiKeyFacts>,
    /// Certificates.
    #[serde(default)]
    pub certificates: Vec<CertificateFacts>,
    /// Secrets of OAuth clients, where an API accepts them as passwords; else none.
    #[serde(default)]
    pub client_secrets: Vec<ClientSecretFacts>,
    /// Subscriptions.
    pub subscriptions: Vec<SubscriptionFacts>,
    /// Business plans.
    pub plans: Vec<Policy>,
    /// Application policies.
    pub application_policies: Vec<Policy>,
    /// API policies.
    #[serde(default)]
    pub api_policies: Vec<Policy>,
    /// Deny rules that are enabled.
    #[serde(default)]
    pub deny_rules: Vec<DenyFacts>,
    /// Custom rules that are enabled.
    #[serde(default)]
    pub custom_rules: Vec<CustomRuleFacts>,
}

/// Where APIs answer. Those by version come first: a default version does not take the path of another's.
fn routes_of(apis: &[ApiFacts]) -> Routes {
    let mut routes = Routes::default();
    for api in apis {
        routes.add(base_path(&api.context, &api.version), api.id);
    }
    for api in apis.iter().filter(|api| api.is_default_version) {
        routes.add(default_path(&api.context), api.id);
    }
    routes
}

/// What policies look at.
fn looked_at(parts: &SnapshotParts) -> LookedAt {
    let mut looked_at = LookedAt::default();
    let groups = parts.api_policies.iter().flat_map(|policy| &policy.groups);
    for condition in groups.flat_map(|group| &group.conditions) {
        condition.look(&mut looked_at);
    }
    looked_at
}

/// The snapshot with its indexes.
#[derive(Debug, Default)]
pub struct Snapshot {
    number: u64,
    /// Nobody else's, so that a snapshot is told apart from every other, whatever their numbers.
    itself: Arc<()>,
    /// That of the snapshot which this one was made after.
    earlier: Arc<()>,
    difference: Difference,
    issuer: IssuerFacts,
    key_managers: Vec<KeyManagerFacts>,
    backend_tokens: Option<BackendTokenFacts>,
    routes: Routes,
    apis: HashMap<ApiId, Arc<ApiFacts>>,
    applications: HashMap<ApplicationId, Arc<ApplicationFacts>>,
    clients: HashMap<Arc<str>, ClientFacts>,
    /// By id as text, which sessions of the key share.
    api_keys: HashMap<Arc<str>, Arc<ApiKeyFacts>>,
    api_keys_by_hash: HashMap<Secret, Arc<ApiKeyFacts>>,
    /// By id as text, as above.
    certificates: HashMap<Arc<str>, Arc<CertificateFacts>>,
    certificates_by_thumbprint: HashMap<String, Arc<CertificateFacts>>,
    client_secrets: HashMap<String, Secret>,
    /// Clients of other issuers.
    provided: HashMap<KeyManagerId, HashMap<Arc<str>, ClientFacts>>,
    subscriptions: HashMap<(ApplicationId, ApiId), SubscriptionFacts>,
    plans: HashMap<String, Arc<Policy>>,
    application_policies: HashMap<String, Arc<Policy>>,
    api_policies: HashMap<String, Arc<Policy>>,
    denials: Denials,
    custom_rules: Box<[Arc<Rule>]>,
    looked_at: LookedAt,
}

impl Snapshot {
    /// Indexes the parts.
    pub fn new(parts: SnapshotParts) -> Self {
        Self::after(parts, &Self::default())
    }

    /// Indexes the parts that replace another snapshot. What is the same is shared with it, and what differs is known: see
    /// [`Self::touches`].
    pub fn after(parts: SnapshotParts, earlier: &Self) -> Self {
        let mut difference = Difference::default();
        let mut looked_at = looked_at(&parts);
        let denials: Denials = parts.deny_rules.iter().collect();
        difference.is_everywhere = (&parts.issuer, &parts.key_managers, &denials)
            != (&earlier.issuer, &earlier.key_managers, &earlier.denials);
        let routes = routes_of(&parts.apis);
        let (ours, others): (Vec<_>, Vec<_>) =
            parts.clients.into_iter().partition(|client| client.key_manager.is_none());
        let client = |client: ClientFacts| (Arc::from(client.client_id.as_str()), client);
        let credentials = &mut difference.credentials;
        let clients = share(ours.into_iter().map(client), &earlier.clients, credentials, own);
        let api_keys = parts.api_keys.into_iter().map(|key| (key.id.to_string().into(), Arc::new(key)));
        let api_keys = share(api_keys, &earlier.api_keys, credentials, shared);
        let certificates =
            parts.certificates.into_iter().map(|one| (one.id.to_string().into(), Arc::new(one)));
        let certificates = share(certificates, &earlier.certificates, credentials, shared);
        let provided = share_clients(others, &earlier.provided, credentials);
        let apis = parts.apis.into_iter().map(|api| (api.id, Arc::new(api)));
        let applications =
            parts.applications.into_iter().map(|application| (application.id, Arc::new(application)));
        let subscriptions = parts.subscriptions.into_iter().map(|sub| ((sub.application, sub.api), sub));
        let custom_rules = share_rules(parts.custom_rules, &earlier.custom_rules);
        difference.is_everywhere |= custom_rules != earlier.custom_rules;
        custom_rules.iter().for_each(|rule| rule.look_at(&mut looked_at));
        let named = |policy: Policy| (policy.name.clone(), Arc::new(policy));
        let (plans, policies) = (parts.plans.into_iter(), parts.application_policies.into_iter());
        let api_policies = parts.api_policies.into_iter();
        Self {
            number: parts.number,
            issuer: parts.issuer,
            key_managers: parts.key_managers,
            backend_tokens: parts.backend_tokens,
            denials,
            custom_rules,
            looked_at,
            routes,
            clients,
            provided,
            api_keys_by_hash: api_keys.values().map(|key| (key.hash.clone(), Arc::clone(key))).collect(),
            api_keys,
            certificates_by_thumbprint: certificates
                .values()
                .map(|one| (one.thumbprint.clone(), Arc::clone(one)))
                .collect(),
            certificates,
            client_secrets: parts.client_secrets.into_iter().map(|it| (it.client_id, it.hash)).collect(),
            apis: share(apis, &earlier.apis, &mut difference.apis, shared),
            applications: share(applications, &earlier.applications, &mut difference.applications, shared),
            subscriptions: share(subscriptions, &earlier.subscriptions, &mut difference.subscriptions, own),
            plans: share(plans.map(named), &earlier.plans, &mut difference.plans, shared),
            application_policies: share(
                policies.map(named),
                &earlier.application_policies,
                &mut difference.policies,
                shared,
            ),
            api_policies: share(
                api_policies.map(named),
                &earlier.api_policies,
                &mut difference.api_policies,
                shared,
            ),
            itself: Arc::default(),
            earlier: Arc::clone(&earlier.itself),
            difference,
        }
    }

    /// Whether it was made [`Self::after`] that one, and [`Self::touches`] is about what lies between the two.
    pub fn follows(&self, earlier: &Self) -> bool {
        Arc::ptr_eq(&self.earlier, &earlier.itself)
    }

    /// Whether somebody who holds this, by the snapshot that this one follows, may be answered in another way. The answer
    /// to all others is the same: [`crate::admit::standing`] gives them what they hold, until it ends.
    pub fn touches(&self, held: &Grant) -> bool {
        self.difference.touches(held)
    }

    /// The snapshot's number.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Whose tokens are accepted.
    pub const fn issuer(&self) -> &IssuerFacts {
        &self.issuer
    }

    /// Other issuers whose tokens are accepted.
    pub fn key_managers(&self) -> &[KeyManagerFacts] {
        &self.key_managers
    }

    /// Another issuer by id.
    pub fn key_manager(&self, id: KeyManagerId) -> Option<&KeyManagerFacts> {
        self.key_managers.iter().find(|known| known.id == id)
    }

    /// What gateways sign for backends with.
    pub const fn backend_tokens(&self) -> Option<&BackendTokenFacts> {
        self.backend_tokens.as_ref()
    }

    /// The API and topic at a canonical path.
    pub fn route<'p>(&self, path: &'p str) -> Option<Match<'p>> {
        self.routes.find(path)
    }

    /// An API by id.
    pub fn api(&self, id: ApiId) -> Option<&Arc<ApiFacts>> {
        self.apis.get(&id)
    }

    /// All APIs, in no particular order.
    pub fn apis(&self) -> impl Iterator<Item = &Arc<ApiFacts>> {
        self.apis.values()
    }

    /// Every definition of a scope's name.
    pub fn scopes<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Scope> {
        self.apis.values().flat_map(|api| &api.scopes).filter(move |scope| scope.name == name)
    }

    /// An application by id.
    pub fn application(&self, id: ApplicationId) -> Option<&Arc<ApplicationFacts>> {
        self.applications.get(&id)
    }

    /// An OAuth client by its `client_id`.
    pub fn client(&self, client_id: &str) -> Option<&ClientFacts> {
        self.clients.get(client_id)
    }

    /// An API key by its id as text.
    pub fn api_key(&self, id: &str) -> Option<&Arc<ApiKeyFacts>> {
        self.api_keys.get(id)
    }

    /// The API key whose secret has this hash.
    pub fn api_key_by_hash(&self, hash: &Secret) -> Option<&Arc<ApiKeyFacts>> {
        self.api_keys_by_hash.get(hash)
    }

    /// A certificate by its id as text.
    pub fn certificate(&self, id: &str) -> Option<&Arc<CertificateFacts>> {
        self.certificates.get(id)
    }

    /// The certificate with this thumbprint.
    pub fn certificate_by_thumbprint(&self, thumbprint: &str) -> Option<&Arc<CertificateFacts>> {
        self.certificates_by_thumbprint.get(thumbprint)
    }

    /// Hash of the secret of an OAuth client, where it came.
    pub fn client_secret(&self, client_id: &str) -> Option<&Secret> {
        self.client_secrets.get(client_id)
    }

    /// A client of the issuer, which is ours or another.
    pub fn client_of(&self, key_manager: Option<KeyManagerId>, client_id: &str) -> Option<&ClientFacts> {
        self.clients_of(key_manager)?.get(client_id)
    }

    fn clients_of(&self, key_manager: Option<KeyManagerId>) -> Option<&HashMap<Arc<str>, ClientFacts>> {
        match key_manager {
            None => Some(&self.clients),
            Some(key_manager) => self.provided.get(&key_manager),
        }
    }

    /// The subscription of an application to an API.
    pub fn subscription(&self, application: ApplicationId, api: ApiId) -> Option<&SubscriptionFacts> {
        self.subscriptions.get(&(application, api))
    }

    /// What has to be kept of sessions that begin, since policies look at it.
    pub const fn looked_at(&self) -> &LookedAt {
        &self.looked_at
    }

    /// The custom rules, in the order of their making, each read once.
    pub const fn custom_rules(&self) -> &[Arc<Rule>] {
        &self.custom_rules
    }

    /// Who is kept out.
    pub const fn denials(&self) -> &Denials {
        &self.denials
    }

    /// A client with its id as all its sessions share it.
    pub(crate) fn shared_client(
        &self,
        key_manager: Option<KeyManagerId>,
        client_id: &str,
    ) -> Option<(&Arc<str>, &ClientFacts)> {
        self.clients_of(key_manager)?.get_key_value(client_id)
    }

    /// An API key with its id as all its sessions share it.
    pub(crate) fn shared_api_key(&self, id: &str) -> Option<(&Arc<str>, &Arc<ApiKeyFacts>)> {
        self.api_keys.get_key_value(id)
    }

    /// A certificate with its id as all its sessions share it.
    pub(crate) fn shared_certificate(&self, id: &str) -> Option<(&Arc<str>, &Arc<CertificateFacts>)> {
        self.certificates.get_key_value(id)
    }

    /// A business plan by name.
    pub fn plan(&self, name: &str) -> Option<&Arc<Policy>> {
        self.plans.get(name)
    }

    /// An application policy by name.
    pub fn application_policy(&self, name: &str) -> Option<&Arc<Policy>> {
        self.application_policies.get(name)
    }

    /// An API policy by name.
    pub fn api_policy(&self, name: &str) -> Option<&Arc<Policy>> {
        self.api_policies.get(name)
    }
}

#[cfg(test)]
mod tests;
