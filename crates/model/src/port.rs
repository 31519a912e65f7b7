//! Ports: what the rooms need of one another, as traits. `store` implements [`Catalog`], [`EventLog`], [`Outbox`] and [`SharedBudgets`],
//! `gateway` implements [`Probe`], [`Documents`], [`Messenger`] and [`ConsoleDoor`], `server` implements [`Clock`] and [`Entropy`] and joins them.
//!
//! An implementation answers [`PortError`] for its own troubles; what is simply not there is `None`.

use std::{net::SocketAddr, os::unix::net::UnixStream};

use crate::{
    alert::{
        Alert, AlertQuery, AlertSettings, AlertsOf, Watch,
        channel::{Channel, ChannelOf, Delivery, Due, MailSettings},
    },
    api::{Api, Change, Moved, Revision},
    application::{ApiKey, Application, Certificate, Key, Subscription},
    audit::{AuditQuery, Entry, EntryDetail},
    authorization::{AllowedClient, Authorization, Code, OpaqueToken, RefreshToken},
    command::{Command, Outcome, Refused, SigningKeyRecord},
    custom_rule::CustomRule,
    deny::DenyRule,
    device::DeviceCode,
    endpoint::Endpoint,
    fact::{Appended, Batch, Traffic, TrafficOf},
    id::{
        ApiId, ApplicationId, AuthorizationId, ChannelId, KeyManagerId, ProviderId, SubscriptionId, UserId,
    },
    issuer::{Held, ProvidedKey},
    lease::{Heard, Told},
    lifecycle::State,
    opaque::OpaqueTokenFacts,
    policy::{KeptPolicy, PolicyKind},
    provider::{Identity, SignInProvider},
    registration::{Registered, RegistrationToken},
    revocation::Revocation,
    role::{OwnRole, RoleName},
    sign_up::SignUp,
    snapshot::SnapshotParts,
    time::Timestamp,
    usage::{Usage, UsageOf},
    user::{Account, Actor, PersonalToken, PortalSession, Secret, User, UserState},
};

/// The wall clock.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Unpredictable bytes, fit for keys and tokens.
pub trait Entropy: Send + Sync + 'static {
    /// Fills the buffer.
    fn fill(&self, bytes: &mut [u8]);

    /// The ten random bytes of a new identifier.
    fn id_bytes(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        self.fill(&mut bytes);
        bytes
    }
}

/// A port's own trouble, with what caused it.
#[derive(Debug, thiserror::Error)]
#[error("{context}")]
pub struct PortError {
    context: &'static str,
    transient: bool,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl PortError {
    /// Trouble that may pass: a full disk, a lost connection. Nothing was changed.
    pub fn unavailable(
        context: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { context, transient: true, source: Some(source.into()) }
    }

    /// Trouble that is our fault: data that cannot be read back, an answer of the wrong kind.
    pub fn internal(context: &'static str) -> Self {
        Self { context, transient: false, source: None }
    }

    /// As [`PortError::internal`], with a cause.
    pub fn corrupt(
        context: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { context, transient: false, source: Some(source.into()) }
    }

    /// Whether trying again later may help.
    pub const fn is_unavailable(&self) -> bool {
        self.transient
    }
}

/// Why a command was not executed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The business refuses it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The port is in trouble.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end. Opaque to callers.
    pub next: Option<String>,
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// Most entries, 1 to 200.
    pub limit: u32,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: 50, cursor: None }
    }
}

/// Which APIs are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiQuery {
    /// Words that name, context or version contain, without regard to case; empty: all.
    pub text: String,
    /// Only these states; empty: all.
    pub states: Vec<State>,
}

/// Which subscriptions are asked for; all conditions hold together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SubscriptionQuery {
    /// Of this application.
    pub application: Option<ApplicationId>,
    /// To this API.
    pub api: Option<ApiId>,
    /// Of applications of this owner.
    pub owner: Option<UserId>,
}

/// Which users are asked for; all conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserQuery {
    /// Text that the name contains, without regard to ASCII case; empty: all.
    pub text: String,
    /// Who holds this role, by its name or by an own role that means it.
    pub role: Option<RoleName>,
    /// Who is in this state.
    pub state: Option<UserState>,
}

/// The durable records, and the only way to change them.
#[async_trait::async_trait]
pub trait Catalog: Send + Sync + 'static {
    /// Executes a command as one unit and answers after it is on disk; on error nothing was changed.
    async fn execute(&self, actor: &Actor, now: Timestamp, command: Command)
    -> Result<Outcome, CommandError>;

    /// An API.
    async fn api(&self, id: ApiId) -> Result<Option<Api>, PortError>;
    /// APIs, by folded name, then creation.
    async fn apis(&self, query: &ApiQuery, page: &PageRequest) -> Result<Page<Api>, PortError>;
    /// Revisions of an API, newest first.
    async fn revisions(&self, api: ApiId) -> Result<Vec<Revision>, PortError>;
    /// Lifecycle history of an API, newest first.
    async fn moves(&self, api: ApiId) -> Result<Vec<Moved>, PortError>;
    /// Audit entries about an API, newest first, at most `limit`.
    async fn changes(&self, api: ApiId, limit: u32) -> Result<Vec<Change>, PortError>;

    /// The audit log, newest first.
    async fn audit(&self, query: &AuditQuery, page: &PageRequest) -> Result<Page<Entry>, PortError>;
    /// An entry of the audit log, by its number.
    async fn audit_entry(&self, number: u64) -> Result<Option<EntryDetail>, PortError>;

    /// An application.
    async fn application(&self, id: ApplicationId) -> Result<Option<Application>, PortError>;
    /// Applications of an owner (`None`: of everyone), by folded name.
    async fn applications(
        &self,
        owner: Option<UserId>,
        page: &PageRequest,
    ) -> Result<Page<Application>, PortError>;
    /// Keys of an application.
    async fn keys(&self, application: ApplicationId) -> Result<Vec<Key>, PortError>;
    /// A key by its `client_id`. One whose application belongs to a disabled user is not there.
    async fn key(&self, client_id: &str) -> Result<Option<Key>, PortError>;
    /// Registration tokens, oldest first, used and expired ones too; there are at most
    /// [`crate::registration::REGISTRATION_TOKENS_MAX`].
    async fn registration_tokens(&self) -> Result<Vec<RegistrationToken>, PortError>;
    /// A registration token by the hash of its secret, whatever it is worth.
    async fn registration_token(&self, hash: &Secret) -> Result<Option<RegistrationToken>, PortError>;
    /// A client that registered itself, by its `client_id`. One whose application belongs to a disabled user is not there.
    async fn registered(&self, client_id: &str) -> Result<Option<Registered>, PortError>;
    /// API keys of an application, oldest first.
    async fn api_keys(&self, application: ApplicationId) -> Result<Vec<ApiKey>, PortError>;
    /// Certificates of an application, oldest first.
    async fn certificates(&self, application: ApplicationId) -> Result<Vec<Certificate>, PortError>;
    /// A subscription.
    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, PortError>;
    /// Subscriptions, oldest first.
    async fn subscriptions(
        &self,
        query: SubscriptionQuery,
        page: &PageRequest,
    ) -> Result<Page<Subscription>, PortError>;
    /// Number of subscriptions of each API that has any.
    async fn subscription_counts(&self) -> Result<Vec<(ApiId, u64)>, PortError>;

    /// A user by id.
    async fn user(&self, id: UserId) -> Result<Option<User>, PortError>;
    /// Users by name without regard to ASCII case.
    async fn users(&self, query: &UserQuery, page: &PageRequest) -> Result<Page<User>, PortError>;
    /// A user by name, without regard to ASCII case, with the password hash.
    async fn account(&self, username: &str) -> Result<Option<Account>, PortError>;
    /// A portal session by the hash of its cookie; expired ones are `None`.
    async fn portal_session(
        &self,
        token_hash: &Secret,
        now: Timestamp,
    ) -> Result<Option<PortalSession>, PortError>;
    /// A sign-in provider.
    async fn sign_in_provider(&self, id: ProviderId) -> Result<Option<SignInProvider>, PortError>;
    /// Sign-in providers by folded name; there are at most [`crate::provider::PROVIDERS_MAX`].
    async fn sign_in_providers(&self) -> Result<Vec<SignInProvider>, PortError>;
    /// As whom issuers know a person, oldest first.
    async fn identities(&self, user: UserId) -> Result<Vec<Identity>, PortError>;
    /// Whether people may sign up by themselves.
    async fn sign_up(&self) -> Result<SignUp, PortError>;
    /// Portal sessions of a user that are not over, newest first.
    async fn portal_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<PortalSession>, PortError>;
    /// A personal access token by the hash of its secret; expired ones are `None`.
    async fn token(&self, token_hash: &Secret, now: Timestamp) -> Result<Option<PersonalToken>, PortError>;
    /// Personal access tokens of a user, oldest first.
    async fn tokens(&self, user: UserId) -> Result<Vec<PersonalToken>, PortError>;
    /// Signing keys of every purpose, newest first.
    async fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>, PortError>;

    /// A code by its hash, with its authorization; used, ended and expired ones too, until they are forgotten.
    async fn code(&self, code_hash: &Secret) -> Result<Option<(Code, Authorization)>, PortError>;
    /// A device that waits, was denied or came too late, by the hash of what it presents, until it is forgotten. One that was
    /// allowed is a [`Catalog::code`].
    async fn device_code(&self, code_hash: &Secret) -> Result<Option<DeviceCode>, PortError>;
    /// The same by the hash of what the person types.
    async fn device_code_of(&self, user_code_hash: &Secret) -> Result<Option<DeviceCode>, PortError>;
    /// A refresh token by its hash, with its authorization; used, ended and expired ones too, until they are forgotten.
    async fn refresh_token(
        &self,
        token_hash: &Secret,
    ) -> Result<Option<(RefreshToken, Authorization)>, PortError>;
    /// An authorization, also one that is over, until it is forgotten.
    async fn authorization(&self, id: AuthorizationId) -> Result<Option<Authorization>, PortError>;
    /// An access token that says nothing by itself, by its hash; expired ones are `None`.
    async fn opaque_token(
        &self,
        token_hash: &Secret,
        now: Timestamp,
    ) -> Result<Option<OpaqueToken>, PortError>;
    /// The scopes that a person allowed a client and need not be asked for again, in order; `None` when the person was
    /// never asked.
    async fn consent(&self, user: UserId, client_id: &str) -> Result<Option<Vec<String>>, PortError>;
    /// The clients that a person has allowed something that still stands, or need not be asked for again; the last first.
    async fn allowed_clients(&self, user: UserId, now: Timestamp) -> Result<Vec<AllowedClient>, PortError>;
    /// A key manager, and the keys that are held of it.
    async fn key_manager(&self, id: KeyManagerId) -> Result<Option<Held>, PortError>;
    /// Key managers by folded name, and the keys that are held of them; there are few.
    async fn key_managers(&self) -> Result<Vec<Held>, PortError>;
    /// What an application has provided, oldest first.
    async fn provided_keys(&self, application: ApplicationId) -> Result<Vec<ProvidedKey>, PortError>;

    /// Business plans or application policies, in the order a page shows them; at most
    /// [`crate::decide::policies::POLICIES_MAX`].
    async fn policies(&self, kind: PolicyKind) -> Result<Vec<KeptPolicy>, PortError>;

    /// All own roles, by name; at most [`crate::role::OWN_ROLES_MAX`].
    async fn own_roles(&self) -> Result<Vec<OwnRole>, PortError>;

    /// All deny rules, in the order of their making; there are at most [`crate::deny::RULES_MAX`].
    async fn deny_rules(&self) -> Result<Vec<DenyRule>, PortError>;
    /// When alerts are made.
    async fn alert_settings(&self) -> Result<AlertSettings, PortError>;
    /// Alerts, newest first; at most [`crate::alert::ALERTS_MAX`] are kept.
    async fn alerts(&self, query: &AlertQuery, page: &PageRequest) -> Result<Page<Alert>, PortError>;
    /// All custom rules, in the order of their making; there are at most [`crate::custom_rule::RULES_MAX`].
    async fn custom_rules(&self) -> Result<Vec<CustomRule>, PortError>;
    /// What was revoked under a number above `after` and is not to be forgotten at `now`, in the order of numbers.
    /// They appear in that order: who has seen one has seen all before it.
    async fn revocations(&self, after: u64, now: Timestamp) -> Result<Vec<Revocation>, PortError>;

    /// Access tokens that say nothing by themselves, with a number above `after`, that live at `now`, in the order of
    /// numbers. They appear in that order: who has seen one has seen all before it.
    async fn opaque_tokens(&self, after: u64, now: Timestamp) -> Result<Vec<OpaqueTokenFacts>, PortError>;

    /// Everything gateways need but the issuer, which the control plane adds. `number` is that of the last
    /// change a gateway can notice.
    async fn snapshot_parts(&self) -> Result<SnapshotParts, PortError>;
    /// Whether records can be read and written now.
    async fn check(&self) -> Result<(), PortError>;
}

/// The durable facts.
#[async_trait::async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Adds a batch, once: a number of a run that was stored before adds nothing. Numbers of a run arrive in
    /// order; one that leaves a hole is refused as internal.
    async fn append(&self, batch: &Batch) -> Result<Appended, PortError> {
        self.append_watched(batch, &Watch::default()).await
    }
    /// The same, and in the same unit the alerts about limits of which the batch tells: for each holder, shape and window one
    /// of each threshold of the settings of that moment, whatever is repeated.
    async fn append_watched(&self, batch: &Batch, watch: &Watch) -> Result<Appended, PortError>;
    /// Counts since `from` (a minute's beginning) and totals.
    async fn traffic(&self, of: TrafficOf, from: Timestamp) -> Result<Traffic, PortError>;
    /// What was used of budgets and is not over at `now`, by all gateways together, in no order. A batch tells of what is
    /// added; [`Usage::then`] says what is known then.
    async fn usage(&self, of: UsageOf<'_>, now: Timestamp) -> Result<Vec<Usage>, PortError>;
}

/// How people are told of alerts, and what they are still to be told.
#[async_trait::async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// A channel, with its secret.
    async fn channel(&self, id: ChannelId) -> Result<Option<Channel>, PortError>;
    /// Channels that somebody may know of, oldest first; `about`: those of these alerts alone.
    async fn channels(&self, of: AlertsOf, about: Option<ChannelOf>) -> Result<Vec<Channel>, PortError>;
    /// What a channel was told and is to be told, by the alert, newest first.
    async fn deliveries(&self, channel: ChannelId, page: &PageRequest) -> Result<Page<Delivery>, PortError>;
    /// Channels on which something is due at `now`, whoever waits longest first, at most so many.
    async fn due_channels(&self, now: Timestamp, most: u64) -> Result<Vec<ChannelId>, PortError>;
    /// What is due first on a channel.
    async fn due(&self, channel: ChannelId, now: Timestamp) -> Result<Option<Due>, PortError>;
    /// The mail server, with its password.
    async fn mail(&self) -> Result<MailSettings, PortError>;
}

/// What gateways know together of the budgets that they share: [`crate::lease`].
#[async_trait::async_trait]
pub trait SharedBudgets: Send + Sync + 'static {
    /// Takes a gateway's word and answers it, as one step that others see whole or not at all. Whoever waits no longer drops
    /// the future; the word may be taken nevertheless, then or later.
    ///
    /// # Errors
    /// [`PortError`] when there is no answer: the word may have been taken.
    async fn tell(&self, told: &Told) -> Result<Heard, PortError>;
}

/// What *Test endpoint* is to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeRequest {
    /// Address and settings; further addresses are not tried.
    pub endpoint: Endpoint,
}

/// A step of a probe, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeStep {
    /// The address was understood.
    Parse,
    /// The token that the backend will be shown is there; only where the credential has one.
    Credential,
    /// The host has addresses.
    Resolve,
    /// TCP is connected.
    Connect,
    /// TLS is established and the certificate believed.
    Tls,
    /// The backend answered the WebSocket handshake with 101.
    Handshake,
    /// A Ping came back.
    Ping,
}

impl ProbeStep {
    /// The word used in REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Credential => "credential",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Handshake => "handshake",
            Self::Ping => "ping",
        }
    }
}

/// How one step went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeStepReport {
    /// Which step.
    pub step: ProbeStep,
    /// Whether it went well.
    pub ok: bool,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// What happened, in words for a person.
    pub detail: String,
}

/// What a probe found: the steps up to the first that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReport {
    /// The steps tried.
    pub steps: Vec<ProbeStepReport>,
    /// What to try next, when it failed.
    pub advice: Option<String>,
}

impl ProbeReport {
    /// Whether every step went well.
    pub fn is_ok(&self) -> bool {
        self.steps.iter().all(|step| step.ok)
    }
}

/// *Test endpoint*, through the gateway's own dial, so that it obeys the same rules.
#[async_trait::async_trait]
pub trait Probe: Send + Sync + 'static {
    /// Connects, does a handshake, pings, and hangs up. Bounded by the endpoint's timeouts.
    async fn probe(&self, request: ProbeRequest) -> ProbeReport;
}

/// Why a document of an issuer cannot be had. None of them names an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoDocument {
    /// The address cannot be used.
    #[error("the address cannot be used")]
    BadUrl,
    /// Its name leads to an address that gateways do not connect to.
    #[error("the name leads to an address that is not allowed")]
    Forbidden,
    /// Nobody answers there.
    #[error("nobody answers there")]
    Unreachable,
    /// The certificate is not trusted.
    #[error("the TLS certificate is not trusted")]
    Untrusted,
    /// It took too long.
    #[error("the answer did not come in time")]
    Timeout,
    /// Another answer than 200. Redirects are not followed.
    #[error("the answer was {status} instead of 200")]
    Refused {
        /// The status.
        status: u16,
    },
    /// Larger than it may be, or no HTTP.
    #[error("the answer is too large, or is no HTTP")]
    Malformed,
}

/// A form that is answered with a document: a client of ours asks an issuer for tokens (RFC 6749, section 3.2).
#[derive(Debug)]
pub struct Question<'q> {
    /// Where.
    pub url: &'q str,
    /// The form, without what the client proves itself with.
    pub form: &'q [(&'q str, &'q str)],
    /// The client.
    pub client_id: &'q str,
    /// Its secret.
    pub client_secret: &'q Secret,
    /// The secret stands in the form (`client_secret_post`); else it is sent as Basic.
    pub posts_secret: bool,
}

/// Documents of other issuers, through the gateway's own dial, so that what it never connects to is not reached this
/// way either.
#[async_trait::async_trait]
pub trait Documents: Send + Sync + 'static {
    /// The document at this address, of at most `bytes_max`. Bounded by a time of the implementation's own; follows no
    /// redirect.
    async fn document(&self, url: &str, bytes_max: usize) -> Result<Vec<u8>, NoDocument>;

    /// The same for whoever presents this access token (RFC 6750, section 2.1).
    async fn document_for(&self, bearer: &Secret, url: &str, bytes_max: usize)
    -> Result<Vec<u8>, NoDocument>;

    /// What is answered to a form, within the same bounds.
    async fn answer(&self, question: &Question<'_>, bytes_max: usize) -> Result<Vec<u8>, NoDocument>;
}

/// Something to be told to an address of somebody's own.
#[derive(Debug)]
pub struct Post<'p> {
    /// Where.
    pub url: &'p str,
    /// Header fields, beside those that HTTP asks for.
    pub headers: &'p [(&'p str, &'p str)],
    /// What.
    pub body: &'p str,
}

/// Tells addresses of somebody's own, through the gateway's own dial, so that what it never connects to is not reached
/// this way either.
#[async_trait::async_trait]
pub trait Messenger: Send + Sync + 'static {
    /// Posts it, once; it was taken where the answer is a 2xx, whatever that brings. Bounded by a time of the
    /// implementation's own; follows no redirect.
    async fn post(&self, post: &Post<'_>) -> Result<(), NoDocument>;
}

/// The console's way in: a byte stream that the gateway treats as a client that connected to its plain listener.
#[async_trait::async_trait]
pub trait ConsoleDoor: Send + Sync + 'static {
    /// Opens a stream on behalf of the client at this address. What is written to it passes the gateway's own
    /// phases, beginning with an HTTP/1.1 upgrade request. The stream is in blocking mode when handed out.
    ///
    /// # Errors
    /// [`PortError`] when the gateway takes no more connections.
    async fn open(&self, client: SocketAddr) -> Result<UnixStream, PortError>;
}
