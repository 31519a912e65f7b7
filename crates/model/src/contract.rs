//! Contract suites: each behaviour of the ports [`Catalog`], [`EventLog`] and [`Outbox`] once, run for every implementation.
//!
//! An implementation's test binary says with [`Ground`] how it is opened and killed, and calls
//! [`port_contract!`](crate::port_contract), which makes one test of each behaviour. A behaviour knows nothing but
//! the ports: no table, no file. Times and ids are counted, so that every run is the same run.

#![allow(clippy::unwrap_used, reason = "a suite fails by panicking, and says where")]
#![allow(clippy::wildcard_imports, reason = "the suites share one stage and its words")]
#![allow(missing_docs, reason = "a behaviour's name is its sentence")]

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use uuid::Uuid;

use crate::{
    api::{Api, Change, Design, Moved, Revision},
    application::{ApiKey, Application, Certificate, Key, Subscription},
    client::ClientSettings,
    command::{
        ChangeUser, Command, CreateApi, CreateApplication, CreateKey, CreateSubscription, KeyPurpose,
        MoveApi, Outcome, Refused, SigningKeyRecord, UpdateApi,
    },
    endpoint::{Endpoint, Endpoints, Environment},
    id::{ApiId, ApiKeyId, ApplicationId, CertificateId, PortalSessionId, SubscriptionId, TokenId, UserId},
    lifecycle::Event,
    port::{
        ApiQuery, Catalog, CommandError, EventLog, Outbox, Page, PageRequest, SubscriptionQuery, UserQuery,
    },
    revocation::Mark,
    role::{Role, Roles},
    snapshot::SnapshotParts,
    time::Timestamp,
    user::{Account, Actor, PersonalToken, PortalSession, Secret, User, UserState},
};

pub mod alerts;
pub mod apis;
pub mod authorizations;
pub mod custom_rules;
pub mod denials;
pub mod developers;
pub mod facts;
pub mod issuers;
mod list;
pub mod people;
pub mod policies;
pub mod providers;
pub mod registrations;
pub mod revocations;
pub mod roles;
pub mod tickets;
pub mod units;
pub mod usage;

use developers::kind;
use people::{change_user, set_password, subject};

/// Where an implementation keeps its records: a file, a database. Fresh for each behaviour.
#[async_trait::async_trait]
pub trait Ground: Send + Sync {
    /// The implementation.
    type Port: Catalog + EventLog + Outbox;

    /// Opens what is kept, or begins with nothing.
    async fn open(&self) -> Self::Port;

    /// Opens what would be found if every process that has it open were killed now.
    async fn open_as_after_a_kill(&self) -> Self::Port;
}

/// The beginning of a behaviour's time.
const START: Timestamp = Timestamp(1_800_000_000_000);

/// A port with what is made on it: counted times and ids, and the shortest way to each noun.
struct Stage<P> {
    port: P,
    made: AtomicU64,
}

impl<P: Catalog> Stage<P> {
    fn on(port: P) -> Self {
        Self { port, made: AtomicU64::new(0) }
    }

    /// A number never given before on this stage.
    fn count(&self) -> u64 {
        self.made.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A time later than all before on this stage.
    fn now(&self) -> Timestamp {
        START.plus_millis(i64::try_from(self.count()).unwrap() * 1_000)
    }

    /// The parts of a new id: later than, and different from, all before.
    fn id_parts(&self) -> (Timestamp, [u8; 10]) {
        let mut random = [0; 10];
        random[2..].copy_from_slice(&self.count().to_be_bytes());
        (self.now(), random)
    }

    fn api_id(&self) -> ApiId {
        let (now, random) = self.id_parts();
        ApiId::new(now, random)
    }

    async fn execute(&self, actor: &Actor, command: Command) -> Result<Outcome, Refused> {
        self.execute_at(self.now(), actor, command).await
    }

    async fn execute_at(&self, now: Timestamp, actor: &Actor, command: Command) -> Result<Outcome, Refused> {
        match self.port.execute(actor, now, command).await {
            Ok(outcome) => Ok(outcome),
            Err(CommandError::Refused(refused)) => Err(refused),
            Err(CommandError::Port(error)) => panic!("the port is in trouble: {}", chain(&error)),
        }
    }

    /// Does what must succeed, as the product.
    async fn done(&self, command: Command) -> Outcome {
        let shown = format!("{command:?}");
        self.execute(&Actor::product(), command)
            .await
            .unwrap_or_else(|refused| panic!("{refused:?} to {shown}"))
    }

    fn creation(&self, name: &str, version: &str) -> CreateApi {
        CreateApi {
            id: self.api_id(),
            name: name.to_owned(),
            context: format!("/{}", name.to_lowercase()),
            version: version.to_owned(),
            design: design(&["Gold", "Silver"]),
            publish: false,
            demo: false,
        }
    }

    async fn api(&self, name: &str, version: &str) -> Api {
        api_of(self.done(Command::CreateApi(self.creation(name, version))).await)
    }

    async fn published(&self, name: &str, version: &str) -> Api {
        let command = CreateApi { publish: true, ..self.creation(name, version) };
        api_of(self.done(Command::CreateApi(command)).await)
    }

    async fn moved(&self, api: ApiId, event: Event) -> Api {
        api_of(self.done(Command::MoveApi(step(api, event))).await)
    }

    async fn user(&self, name: &str, role: Role) -> Actor {
        let (now, random) = self.id_parts();
        let user = User::new(UserId::new(now, random), name.to_owned(), [role].into(), now);
        let account = Account { user: user.clone(), password_hash: Secret(format!("hash of {name}")) };
        self.done(Command::CreateUser(account)).await;
        Actor::person(&user)
    }

    fn application_command(&self, name: &str) -> CreateApplication {
        let (now, random) = self.id_parts();
        CreateApplication {
            id: ApplicationId::new(now, random),
            name: name.to_owned(),
            description: "Sells things.".to_owned(),
            policy: "Unlimited".to_owned(),
            demo: false,
        }
    }

    async fn application(&self, owner: &Actor, name: &str) -> Application {
        let command = Command::CreateApplication(self.application_command(name));
        match self.execute(owner, command).await.unwrap() {
            Outcome::Application(application) => application,
            other => panic!("{other:?}"),
        }
    }

    async fn key(&self, owner: &Actor, application: ApplicationId, environment: Environment) -> Key {
        let command = developers::key_command(application, &format!("client-{}", self.count()), environment);
        match self.execute(owner, Command::CreateKey(command)).await.unwrap() {
            Outcome::Key(key) => key,
            other => panic!("{other:?}"),
        }
    }

    fn subscription_command(&self, application: ApplicationId, api: ApiId, plan: &str) -> CreateSubscription {
        let (now, random) = self.id_parts();
        CreateSubscription { id: SubscriptionId::new(now, random), application, api, plan: plan.to_owned() }
    }

    async fn subscription(
        &self,
        owner: &Actor,
        application: ApplicationId,
        api: ApiId,
        plan: &str,
    ) -> Subscription {
        let command = Command::CreateSubscription(self.subscription_command(application, api, plan));
        match self.execute(owner, command).await.unwrap() {
            Outcome::Subscription(subscription) => subscription,
            other => panic!("{other:?}"),
        }
    }

    fn session(&self, user: UserId, hash: &str, expires_at: Timestamp) -> PortalSession {
        let (now, random) = self.id_parts();
        PortalSession {
            id: PortalSessionId::new(now, random),
            token_hash: Secret(hash.to_owned()),
            user,
            csrf_token: Secret(format!("csrf of {hash}")),
            created_at: self.now(),
            expires_at,
            seen_at: self.now(),
            address: Some(IpAddr::from([192, 0, 2, 1])),
            browser: "A browser".to_owned(),
        }
    }

    fn token(&self, user: UserId, hash: &str, expires_at: Option<Timestamp>) -> (PersonalToken, Command) {
        let (now, random) = self.id_parts();
        let name = format!("token {hash}");
        let token = PersonalToken {
            id: TokenId::new(now, random),
            user,
            name,
            created_at: now,
            expires_at,
            seen_at: None,
            scopes: None,
        };
        let token_hash = Secret(hash.to_owned());
        (token.clone(), Command::CreateToken { token, token_hash, session: None })
    }

    async fn number(&self) -> u64 {
        self.port.snapshot_parts().await.unwrap().number
    }

    /// One of everything, and two where one could hide a fault.
    async fn furnish(&self) -> Furnished {
        let creator = self.user("Ada", Role::Creator).await;
        let owner = self.user("sam", Role::Subscriber).await;
        let other = self.user("zoe", Role::Subscriber).await;
        let echo = self.published("Echo", "1.0").await;
        let chat = self.api("Chat", "1.0").await;
        let chat = self.moved(chat.id, Event::Prototype).await;
        let draft = self.api("Draft", "0.1").await;
        let shop = self.application(&owner, "Shop").await;
        let till = self.application(&other, "Till").await;
        let key = self.key(&owner, shop.id, Environment::Production).await;
        self.key(&owner, shop.id, Environment::Sandbox).await;
        let subscription = self.subscription(&owner, shop.id, echo.id, "Gold").await;
        self.subscription(&other, till.id, echo.id, "Silver").await;
        let user = owner.user.unwrap();
        let session = self.session(user, "cookie", START.plus_millis(1 << 40));
        self.execute(&owner, sign_in("sam", session)).await.unwrap();
        let (token, command) = self.token(user, "token", None);
        self.execute(&owner, command).await.unwrap();
        self.done(Command::StoreSigningKey(signing_key("first", self.now()))).await;
        Furnished { creator, owner, other, echo, chat, draft, shop, till, key, subscription, token }
    }
}

/// What [`Stage::furnish`] made.
struct Furnished {
    creator: Actor,
    owner: Actor,
    other: Actor,
    echo: Api,
    chat: Api,
    draft: Api,
    shop: Application,
    till: Application,
    key: Key,
    subscription: Subscription,
    token: PersonalToken,
}

/// An API with its revisions, moves and audit entries.
type ApiPicture = (Api, Vec<Revision>, Vec<Moved>, Vec<Change>);

/// Everything that the ports tell, in one comparable value.
#[derive(Debug, PartialEq)]
struct Picture {
    snapshot: SnapshotParts,
    apis: Vec<ApiPicture>,
    applications: Vec<(Application, Vec<Key>)>,
    subscriptions: Vec<Subscription>,
    subscription_counts: Vec<(ApiId, u64)>,
    accounts: Vec<Option<Account>>,
    sessions: Vec<Option<PortalSession>>,
    tokens: Vec<PersonalToken>,
    signing_keys: Vec<SigningKeyRecord>,
}

/// Users and cookies cannot be listed; these are the ones that behaviours make.
const USERNAMES: [&str; 4] = ["Ada", "sam", "zoe", "new"];
const COOKIES: [&str; 3] = ["cookie", "other cookie", "new cookie"];

async fn picture(port: &impl Catalog) -> Picture {
    let mut apis = Vec::new();
    for api in all_apis(port, 200).await {
        let (revisions, moves) = (port.revisions(api.id).await.unwrap(), port.moves(api.id).await.unwrap());
        let changes = port.changes(api.id, 1_000).await.unwrap();
        apis.push((api, revisions, moves, changes));
    }
    let mut applications = Vec::new();
    for application in all_applications(port, None, 200).await {
        let keys = port.keys(application.id).await.unwrap();
        applications.push((application, keys));
    }
    let (mut accounts, mut tokens, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
    for name in USERNAMES {
        let account = port.account(name).await.unwrap();
        if let Some(account) = &account {
            tokens.extend(port.tokens(account.user.id).await.unwrap());
        }
        accounts.push(account);
    }
    for cookie in COOKIES {
        sessions.push(port.portal_session(&Secret(cookie.to_owned()), START).await.unwrap());
    }
    let mut subscription_counts = port.subscription_counts().await.unwrap();
    subscription_counts.sort_unstable();
    Picture {
        snapshot: sorted(port.snapshot_parts().await.unwrap()),
        apis,
        applications,
        subscriptions: all_subscriptions(port, SubscriptionQuery::default(), 200).await,
        subscription_counts,
        accounts,
        sessions,
        tokens,
        signing_keys: port.signing_keys().await.unwrap(),
    }
}

/// The parts are in no particular order; here they are.
fn sorted(mut parts: SnapshotParts) -> SnapshotParts {
    parts.apis.sort_by_key(|api| api.id);
    parts.applications.sort_by_key(|application| application.id);
    parts.clients.sort_by(|one, other| one.client_id.cmp(&other.client_id));
    parts.subscriptions.sort_by_key(|subscription| subscription.id);
    parts
}

/// The pages of a list, one after the other; more pages than entries are a cursor that runs in circles.
macro_rules! all_pages {
    ($limit:expr, |$request:ident| $page:expr) => {{
        let mut $request = PageRequest { limit: $limit, cursor: None };
        let mut items = Vec::new();
        loop {
            let page: Page<_> = $page;
            assert!(page.items.len() <= $limit as usize, "a page is no longer than asked for");
            assert!(!page.items.is_empty() || page.next.is_none(), "an empty page is the last");
            items.extend(page.items);
            let Some(next) = page.next else { break items };
            assert!($request.cursor.as_ref() != Some(&next), "a cursor leads on");
            $request.cursor = Some(next);
        }
    }};
}
use all_pages;

async fn all_apis(port: &impl Catalog, limit: u32) -> Vec<Api> {
    all_pages!(limit, |request| port.apis(&ApiQuery::default(), &request).await.unwrap())
}

async fn all_applications(port: &impl Catalog, owner: Option<UserId>, limit: u32) -> Vec<Application> {
    all_pages!(limit, |request| port.applications(owner, &request).await.unwrap())
}

async fn all_subscriptions(port: &impl Catalog, query: SubscriptionQuery, limit: u32) -> Vec<Subscription> {
    all_pages!(limit, |request| port.subscriptions(query, &request).await.unwrap())
}

fn design(plans: &[&str]) -> Design {
    Design {
        description: "Says what it hears.".to_owned(),
        endpoints: Endpoints { production: Some(Endpoint::new("ws://backend")), sandbox: None },
        plans: plans.iter().map(|plan| (*plan).to_owned()).collect(),
        ..Design::default()
    }
}

fn step(id: ApiId, event: Event) -> MoveApi {
    MoveApi { id, based_on: None, event, deprecate_old_versions: false, require_resubscription: false }
}

fn update(id: ApiId, design: Design) -> UpdateApi {
    UpdateApi { id, based_on: None, design, is_default_version: None }
}

fn signing_key(kid: &str, created_at: Timestamp) -> SigningKeyRecord {
    SigningKeyRecord {
        purpose: KeyPurpose::AccessTokens,
        kid: kid.to_owned(),
        algorithm: "ES256".to_owned(),
        private_key: Secret(format!("private {kid}")),
        created_at,
        signs_from: created_at,
    }
}

fn api_of(outcome: Outcome) -> Api {
    match outcome {
        Outcome::Api(api) => *api,
        other => panic!("{other:?}"),
    }
}

/// A sign-in with the password that this person has from [`Stage::user`].
fn sign_in(name: &str, session: PortalSession) -> Command {
    Command::OpenPortalSession { session, verified: Secret(format!("hash of {name}")) }
}

fn nowhere() -> Uuid {
    Uuid::from_u128(0xdead)
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        told = format!("{told}: {next}");
        cause = next.source();
    }
    told
}

#[cfg(test)]
mod tests;
