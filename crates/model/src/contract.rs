//! Contract suites: each behaviour of the ports [`Catalog`] and [`EventLog`] once, run for every implementation.
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
    port::{ApiQuery, Catalog, CommandError, EventLog, Page, PageRequest, SubscriptionQuery, UserQuery},
    revocation::Mark,
    role::Role,
    snapshot::SnapshotParts,
    time::Timestamp,
    user::{Account, Actor, PersonalToken, PortalSession, Secret, User, UserState},
};

pub mod apis;
pub mod authorizations;
pub mod denials;
pub mod developers;
pub mod facts;
pub mod issuers;
pub mod people;
pub mod policies;
pub mod providers;
pub mod revocations;
pub mod tickets;
pub mod units;
pub mod usage;

use people::{change_user, set_password, subject};

/// Where an implementation keeps its records: a file, a database. Fresh for each behaviour.
#[async_trait::async_trait]
pub trait Ground: Send + Sync {
    /// The implementation.
    type Port: Catalog + EventLog;

    /// Opens what is kept, or begins with nothing.
    async fn open(&self) -> Self::Port;

    /// Opens what would be found if every process that has it open were killed now.
    async fn open_as_after_a_kill(&self) -> Self::Port;
}

/// One test for each behaviour; `$ground` makes a fresh [`Ground`]. Needs tokio in the test binary.
#[macro_export]
macro_rules! port_contract {
    ($ground:expr) => {
        $crate::port_contract! { @suite units, $ground,
            what_was_answered_is_there_after_reopening
            what_was_answered_is_there_after_a_kill
            what_was_refused_changed_nothing
            create_and_publish_is_one_unit
            one_of_a_hundred_that_want_an_address_gets_it
            what_is_refused_among_good_changes_undoes_none_of_them
            one_of_many_changes_from_the_same_tag_is_made
            what_nobody_waits_for_is_done_whole_or_not_at_all
            the_snapshot_number_and_its_records_are_of_one_moment
            the_snapshot_number_grows_with_what_a_gateway_can_notice
            the_snapshot_holds_what_is_live_and_no_secret
            the_same_commands_lead_to_the_same_records
            the_plans_that_ship_are_there_in_their_order
            records_can_be_read_and_written
        }
        $crate::port_contract! { @suite apis, $ground,
            pages_are_complete_and_in_order
            pages_stay_right_while_records_come_and_go
            a_cursor_that_cannot_be_read_names_the_beginning
            apis_are_found_by_every_word_and_by_state
            an_address_belongs_to_one_api_without_regard_to_case
            addresses_neither_meet_nor_lie_inside_each_other
            history_is_told_newest_first
            a_deleted_api_leaves_its_audit_log_and_its_address
            the_default_version_answers_until_another_can
            retiring_ends_the_subscriptions_and_leaves_nothing_to_serve
            a_new_release_takes_over_the_subscriptions_that_it_can_serve
            what_changes_along_with_an_api_is_in_the_audit_log
        }
        $crate::port_contract! { @suite developers, $ground,
            an_application_name_is_unique_for_its_owner
            applications_are_listed_by_name_and_owner
            what_another_owns_does_not_exist
            an_application_changes_only_from_its_tag_of_now
            a_key_is_one_for_each_environment
            a_secret_is_replaced_and_the_old_one_gone
            subscriptions_are_found_by_application_api_and_owner
            subscriptions_are_listed_oldest_first
            a_deleted_application_takes_its_keys_and_subscriptions_along
            api_keys_are_made_replaced_and_deleted_by_their_owner
            certificates_are_one_applications_and_go_with_it
            secrets_of_keys_go_to_gateways_only_where_an_api_takes_them
        }
        $crate::port_contract! { @suite issuers, $ground,
            key_managers_are_listed_by_name_and_each_has_a_name_and_an_issuer_of_its_own
            fetched_keys_are_kept_for_the_address_that_they_came_from
            a_secret_for_introspection_is_in_no_audit_entry
            a_provided_key_is_one_applications_and_goes_with_it_or_with_its_issuer
            a_design_names_issuers_that_are_there
        }
        $crate::port_contract! { @suite people, $ground,
            a_user_name_is_one_whatever_its_case
            a_portal_session_ends_in_its_last_millisecond
            a_new_password_ends_the_portal_sessions_of_that_user
            a_chosen_password_leaves_the_one_session_it_was_chosen_in
            what_was_proven_before_a_new_password_is_worth_nothing_after_it
            portal_sessions_are_ended_by_their_owner_or_an_administrator
            what_was_seen_is_kept_and_brings_nothing_back
            who_signs_up_waits_where_it_is_open_and_no_name_is_told
            users_are_found_by_name_role_and_state
            a_user_changes_only_from_the_tag_of_now
            the_last_administrator_stays_one
            a_disabled_user_has_no_session_and_no_key
            a_deleted_user_leaves_applications_to_an_heir
            a_token_works_until_it_expires_or_is_deleted
            tokens_are_listed_oldest_first
            signing_keys_are_listed_newest_first
            signing_keys_take_turns
            nothing_is_kept_for_a_user_that_does_not_exist
        }
        $crate::port_contract! { @suite providers, $ground,
            a_sign_in_provider_has_a_name_and_an_issuer_of_its_own
            who_comes_from_a_provider_is_one_person_by_issuer_and_subject
            of_a_hundred_that_come_as_one_new_person_all_are_one
            a_provider_that_is_off_or_gone_takes_the_sessions_of_its_people_along
        }
        $crate::port_contract! { @suite authorizations, $ground,
            a_code_is_worth_tokens_once_within_its_minute
            what_is_presented_twice_ends_all_of_it_also_after_a_kill
            of_a_hundred_that_renew_one_wins
            a_refresh_token_lives_no_longer_than_what_it_is_of
            what_is_over_is_forgotten_when_nobody_can_come_late
            a_used_code_is_remembered_as_long_as_what_came_from_it
            a_signed_statement_is_used_once_also_after_a_kill
            what_a_person_allowed_is_listed_and_withdrawn_at_once
            a_device_is_answered_once_while_it_waits
            devices_that_wait_are_bounded_and_forgotten
            consent_is_remembered_and_grows
            opaque_tokens_are_bounded_and_end_with_what_they_are_of
            nothing_is_allowed_in_a_session_that_has_ended_or_for_who_may_not_sign_in
            what_was_allowed_goes_with_its_client
            a_public_client_keeps_no_secret
        }
        $crate::port_contract! { @suite revocations, $ground,
            what_was_revoked_is_told_until_it_can_be_forgotten
            a_number_is_never_given_twice
            what_is_revoked_again_is_told_again_with_the_later_times
            only_owners_and_administrators_end_credentials
            a_revocation_is_no_change_of_the_snapshot
        }
        $crate::port_contract! { @suite denials, $ground,
            deny_rules_are_made_changed_and_deleted_by_administrators
            what_a_deny_rule_names_is_there_and_takes_it_along
        }
        $crate::port_contract! { @suite policies, $ground,
            policies_are_made_changed_and_deleted_by_administrators
            a_policy_that_is_used_stays
            a_policy_that_an_api_or_a_topic_names_is_there_and_stays
            an_import_is_one_unit
        }
        $crate::port_contract! { @suite tickets, $ground,
            a_ticket_is_worth_its_identity_once_at_its_api
            a_used_ticket_is_used_also_after_a_kill
            of_a_thousand_that_present_a_ticket_one_is_first
            tickets_that_wait_are_bounded_and_forgotten
        }
        $crate::port_contract! { @suite usage, $ground,
            what_gateways_used_adds_up_once
            a_later_window_takes_the_place_of_an_earlier_one
            what_is_known_is_what_the_model_says
            what_is_over_is_not_read_and_is_forgotten_later
            a_batch_of_any_size_tells_of_all_its_budgets
            what_was_used_is_there_after_a_kill
        }
        $crate::port_contract! { @suite facts, $ground,
            a_repeated_batch_adds_nothing
            a_batch_that_leaves_a_hole_is_refused
            runs_are_numbered_each_by_itself
            counts_of_a_minute_add_up_and_minutes_are_in_order
            totals_are_the_sum_of_everything
            a_refusal_without_application_counts_for_the_api
            a_batch_of_any_size_is_stored_whole
            the_same_batch_sent_many_times_at_once_is_added_once
            minutes_and_totals_are_of_one_moment
            facts_are_there_after_reopening_and_after_a_kill
            facts_outlive_what_they_are_about
        }
    };
    (@suite $suite:ident, $ground:expr, $($behaviour:ident)*) => {
        mod $suite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    $crate::contract::$suite::$behaviour(&$ground).await;
                }
            )*
        }
    };
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
        let user = User::new(UserId::new(now, random), name.to_owned(), BTreeSet::from([role]), now);
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

/// Kind of a refusal, with the field where it names one.
fn kind(refused: &Refused) -> String {
    match refused {
        Refused::Invalid(problems) => format!("invalid {}", problems[0].pointer),
        Refused::Duplicate(problem) => format!("duplicate {}", problem.pointer),
        Refused::NotFound(noun) => format!("no {noun}"),
        Refused::Stale { current } => format!("stale {current}"),
        Refused::Conflict { .. } => "conflict".to_owned(),
        Refused::SignedOut => "signed out".to_owned(),
        Refused::Forbidden(permission) => format!("needs {}", permission.as_str()),
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
