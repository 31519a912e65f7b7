//! Changes as closed values: what the catalog executes as one unit and answers after it is on disk.
//!
//! A command carries everything that the outside world supplies (ids, hashes, times), so that executing it
//! twice from the same state gives the same result. What it may do is decided in [`crate::decide`].

mod alerts;
mod custom_rules;
mod key_managers;
mod people;
mod policies;
mod registrations;
mod signing_keys;

pub use alerts::AlertCommand;
pub use custom_rules::{ChangeCustomRule, CustomRuleCommand};
pub use key_managers::{CreateKeyManager, ProvideKey, StoreFetchedKeys, UpdateKeyManager};
pub use people::{
    AskForAccount, ChangeRole, ChangeSignUp, ChangeUser, EndPortalSessions, KeepAudit, WhichSessions,
};
pub use policies::{ChangePolicy, ImportPolicies, Imported};
pub use registrations::{ChangeRegistration, ClientWish, EndRegistration, Register, RegistrationCommand};
pub use signing_keys::{KeyPurpose, SigningKeyRecord};

use crate::{
    alert::{
        AlertSettings,
        channel::{Channel, MailSettings},
    },
    api::{Api, Design, Revision},
    application::{ApiKey, Application, Certificate, Key, Subscription},
    authorization::{Authorize, EndAuthorization, OpaqueToken, RedeemCode, Redeemed, Renew, Withdraw},
    client::ClientSettings,
    custom_rule::CustomRule,
    deny::{Denied, DenyRule},
    device::{DenyDevice, DeviceCode},
    endpoint::Environment,
    id::{
        ApiId, ApiKeyId, ApplicationId, CertificateId, DenyRuleId, KeyManagerId, ProviderId, SubscriptionId,
        TokenId, UserId,
    },
    issuer::{KeyManager, ProvidedKey},
    lifecycle::{Event, Missing},
    policy::{KeptPolicy, Policy, PolicyKind},
    provider::{Arrival, Arrive, CreateProvider, SignInProvider, UpdateProvider},
    registration::{Registered, RegistrationToken},
    revocation::{Mark, Revoke},
    role::OwnRole,
    rule::FieldProblem,
    sign_up::SignUp,
    ticket::{Redemption, Ticket},
    time::Timestamp,
    user::{Account, PersonalToken, PortalSession, Presented, Secret, User},
};

/// Makes an API, and publishes it in the same unit when asked.
#[derive(Debug, Clone)]
pub struct CreateApi {
    /// Identifier of the new API.
    pub id: ApiId,
    /// See [`crate::rule::name`].
    pub name: String,
    /// See [`crate::rule::context`]; a missing leading `/` is added.
    pub context: String,
    /// See [`crate::rule::version`].
    pub version: String,
    /// The first working copy.
    pub design: Design,
    /// Publish at once: all of it happens or none.
    pub publish: bool,
    /// Mark as made by the demo.
    pub demo: bool,
}

/// Replaces the working copy.
#[derive(Debug, Clone)]
pub struct UpdateApi {
    /// Which API.
    pub id: ApiId,
    /// The entity tag that the change is based on.
    pub based_on: Option<u64>,
    /// The new working copy.
    pub design: Design,
    /// Make it (or stop it being) the default version; `None` leaves it.
    pub is_default_version: Option<bool>,
}

/// Moves an API through its lifecycle.
#[derive(Debug, Clone)]
pub struct MoveApi {
    /// Which API.
    pub id: ApiId,
    /// The entity tag that the change is based on.
    pub based_on: Option<u64>,
    /// The event.
    pub event: Event,
    /// On publish: move other published versions of the same name to deprecated.
    pub deprecate_old_versions: bool,
    /// On publish: do not copy the subscriptions of the newest published version to this one.
    pub require_resubscription: bool,
}

/// Makes a new version of an API, in state created, with a copy of the working copy.
#[derive(Debug, Clone)]
pub struct CreateVersion {
    /// The API to copy.
    pub source: ApiId,
    /// Identifier of the new one.
    pub id: ApiId,
    /// Its version.
    pub version: String,
    /// Make it the default version.
    pub default: bool,
}

/// Makes an application.
#[derive(Debug, Clone)]
pub struct CreateApplication {
    /// Identifier of the new application.
    pub id: ApplicationId,
    /// See [`crate::rule::application`].
    pub name: String,
    /// What it is.
    pub description: String,
    /// Name of an application policy.
    pub policy: String,
    /// Mark as made by the demo.
    pub demo: bool,
}

/// Changes an application.
#[derive(Debug, Clone)]
pub struct UpdateApplication {
    /// Which application.
    pub id: ApplicationId,
    /// The entity tag that the change is based on.
    pub based_on: Option<u64>,
    /// New name.
    pub name: String,
    /// New description.
    pub description: String,
    /// New policy.
    pub policy: String,
}

/// Makes the key of an application for one environment.
#[derive(Debug, Clone)]
pub struct CreateKey {
    /// Whose key.
    pub application: ApplicationId,
    /// OAuth `client_id`.
    pub client_id: String,
    /// Hash of the secret; empty for a client without one.
    pub secret_hash: Secret,
    /// Which environment.
    pub environment: Environment,
    /// Grants it may use.
    pub grants: Vec<String>,
    /// What kind of client it is, and how its tokens are.
    pub settings: ClientSettings,
}

/// Changes what a key's client is told to be. One that becomes public loses its secret.
#[derive(Debug, Clone)]
pub struct UpdateKey {
    /// Whose key.
    pub application: ApplicationId,
    /// Which key.
    pub client_id: String,
    /// Grants it may use.
    pub grants: Vec<String>,
    /// What kind of client it is, and how its tokens are.
    pub settings: ClientSettings,
}

/// Subscribes an application to an API.
#[derive(Debug, Clone)]
pub struct CreateSubscription {
    /// Identifier of the new subscription.
    pub id: SubscriptionId,
    /// Who.
    pub application: ApplicationId,
    /// To what.
    pub api: ApiId,
    /// Under which plan.
    pub plan: String,
}

/// Every change the catalog can execute.
#[derive(Debug, Clone)]
pub enum Command {
    /// See [`CreateApi`]. Answers [`Outcome::Api`].
    CreateApi(CreateApi),
    /// See [`UpdateApi`]. Answers [`Outcome::Api`].
    UpdateApi(UpdateApi),
    /// Deletes an API with its revisions and history. Answers [`Outcome::Done`].
    DeleteApi {
        /// Which API.
        id: ApiId,
        /// The entity tag that the change is based on.
        based_on: Option<u64>,
    },
    /// See [`MoveApi`]. Answers [`Outcome::Api`].
    MoveApi(MoveApi),
    /// Makes the working copy live as a new revision. Answers [`Outcome::Revision`].
    DeployApi {
        /// Which API.
        id: ApiId,
        /// The entity tag that the change is based on.
        based_on: Option<u64>,
    },
    /// See [`CreateVersion`]. Answers [`Outcome::Api`].
    CreateVersion(CreateVersion),
    /// See [`CreateApplication`]. Answers [`Outcome::Application`].
    CreateApplication(CreateApplication),
    /// See [`UpdateApplication`]. Answers [`Outcome::Application`].
    UpdateApplication(UpdateApplication),
    /// Deletes an application with its keys and subscriptions. Answers [`Outcome::Done`].
    DeleteApplication {
        /// Which application.
        id: ApplicationId,
    },
    /// See [`CreateKey`]. Answers [`Outcome::Key`].
    CreateKey(CreateKey),
    /// See [`UpdateKey`]. Answers [`Outcome::Key`].
    UpdateKey(UpdateKey),
    /// Replaces the secret of a key; the old one stops working. Answers [`Outcome::Key`].
    ReplaceSecret {
        /// Whose key.
        application: ApplicationId,
        /// Which key.
        client_id: String,
        /// Hash of the new secret.
        secret_hash: Secret,
    },
    /// Deletes a key. Answers [`Outcome::Done`].
    DeleteKey {
        /// Whose key.
        application: ApplicationId,
        /// Which key.
        client_id: String,
    },
    /// Makes an API key; its time is that of the command. Answers [`Outcome::ApiKey`].
    CreateApiKey(ApiKey),
    /// Puts a new secret in place of an API key, under a new id and with the same settings; the old one stops working
    /// and its live sessions are closed. Answers [`Outcome::ApiKey`].
    ReplaceApiKey {
        /// Whose key.
        application: ApplicationId,
        /// The key that ends.
        id: ApiKeyId,
        /// The key that begins.
        next: ApiKeyId,
        /// How the new secret begins.
        prefix: String,
        /// Hash of the new secret.
        hash: Secret,
    },
    /// Deletes an API key; its live sessions are closed. Answers [`Outcome::Done`].
    DeleteApiKey {
        /// Whose key.
        application: ApplicationId,
        /// Which key.
        id: ApiKeyId,
    },
    /// Adds a certificate; its time is that of the command. Answers [`Outcome::Certificate`].
    AddCertificate(Box<Certificate>),
    /// Removes a certificate; its live sessions are closed. Answers [`Outcome::Done`].
    DeleteCertificate {
        /// Whose certificate.
        application: ApplicationId,
        /// Which certificate.
        id: CertificateId,
    },
    /// Registration tokens, and what clients do by them.
    Registration(RegistrationCommand),
    /// See [`CreateSubscription`]. Answers [`Outcome::Subscription`].
    CreateSubscription(CreateSubscription),
    /// Ends a subscription. Answers [`Outcome::Done`].
    DeleteSubscription {
        /// Which subscription.
        id: SubscriptionId,
    },
    /// Makes a user. Answers [`Outcome::User`].
    CreateUser(Account),
    /// Sets a user's password and ends the user's portal sessions. Answers [`Outcome::User`].
    SetPassword {
        /// Whose password.
        username: String,
        /// Argon2id PHC string.
        password_hash: Secret,
        /// It is for one sign-in: the person has to choose another then.
        one_time: bool,
    },
    /// The actor's own new password. All portal sessions of the actor end and this one begins, so that nobody who
    /// knows an older cookie stays. Answers [`Outcome::User`].
    ChoosePassword {
        /// Argon2id PHC string.
        password_hash: Secret,
        /// The hash that the present password was verified against; refused where it is another by now.
        verified: Secret,
        /// The session that goes on, under a new name.
        session: PortalSession,
    },
    /// See [`ChangeUser`]; who is disabled has no portal sessions any more. Answers [`Outcome::User`].
    ChangeUser(ChangeUser),
    /// Deletes a user with portal sessions and personal access tokens. Applications go to the heir; without one, a
    /// user who has any is not deleted. APIs stay as they are. Answers [`Outcome::Done`].
    DeleteUser {
        /// Whom.
        id: UserId,
        /// The entity tag that the deletion is based on.
        based_on: Option<u64>,
        /// Who has the applications from now on.
        heir: Option<UserId>,
        /// By which the access tokens that speak for the person are known; they end.
        subject: Mark,
    },
    /// Signs a browser in. Answers [`Outcome::Done`].
    OpenPortalSession {
        /// The session that begins.
        session: PortalSession,
        /// The hash that the password was verified against; refused where it is another by now.
        verified: Secret,
    },
    /// Signs a browser out. Answers [`Outcome::Done`], also when there was none.
    ClosePortalSession {
        /// Hash of the cookie's value.
        token_hash: Secret,
    },
    /// Makes a personal access token. Answers [`Outcome::Done`].
    CreateToken {
        /// The token as listed.
        token: PersonalToken,
        /// Hash of its secret.
        token_hash: Secret,
        /// Hash of the portal session that asks; refused when it has ended. `None` where another token asks.
        session: Option<Secret>,
    },
    /// Deletes a personal access token of the actor. Answers [`Outcome::Done`].
    DeleteToken {
        /// Which token.
        id: TokenId,
    },
    /// See [`ChangeSignUp`]. Answers [`Outcome::SignUp`].
    ChangeSignUp(ChangeSignUp),
    /// See [`AskForAccount`]. Answers [`Outcome::Done`].
    AskForAccount(AskForAccount),
    /// Makes a sign-in provider. Answers [`Outcome::Provider`].
    CreateProvider(Box<CreateProvider>),
    /// Changes a sign-in provider. Where it is switched off or is of another issuer from now on, the portal sessions of
    /// those whom it vouched for end. Answers [`Outcome::Provider`].
    UpdateProvider(Box<UpdateProvider>),
    /// Deletes a sign-in provider; the portal sessions of those whom it vouched for end, and their accounts stay. Answers
    /// [`Outcome::Done`].
    DeleteProvider {
        /// Which.
        id: ProviderId,
        /// The entity tag that the deletion is based on.
        based_on: Option<u64>,
    },
    /// Signs a browser in for whom a sign-in provider vouches. Answers [`Outcome::Arrived`].
    Arrive(Box<Arrive>),
    /// See [`EndPortalSessions`]. Answers [`Outcome::Done`].
    EndPortalSessions(EndPortalSessions),
    /// Writes when portal sessions and personal access tokens were used last. Answers [`Outcome::Done`].
    KeepSeen(Vec<(Presented, Timestamp)>),
    /// See [`KeepAudit`]. Answers [`Outcome::Done`].
    KeepAudit(KeepAudit),
    /// See [`Authorize`]. Answers [`Outcome::Done`].
    Authorize(Box<Authorize>),
    /// Keeps a device that waits for a person. Answers [`Outcome::Done`]; a duplicate where another device shows the same code.
    KeepDeviceCode(DeviceCode),
    /// Allows a device that waits with the code of this authorization. Answers [`Outcome::Done`]; not found where none does.
    AllowDevice(Box<Authorize>),
    /// See [`DenyDevice`]. Answers [`Outcome::Done`]; not found where none waits.
    DenyDevice(DenyDevice),
    /// See [`RedeemCode`]. Answers [`Outcome::Tokens`].
    RedeemCode(RedeemCode),
    /// See [`Renew`]. Answers [`Outcome::Tokens`].
    Renew(Renew),
    /// See [`EndAuthorization`]. Answers [`Outcome::Done`], also when it had ended.
    EndAuthorization(EndAuthorization),
    /// See [`Withdraw`]. Answers [`Outcome::Done`]; not found where nothing was allowed.
    Withdraw(Withdraw),
    /// Keeps an access token that says nothing by itself. Answers [`Outcome::Done`].
    KeepAccessToken(OpaqueToken),
    /// Ends an access token that says nothing by itself. Answers [`Outcome::Done`], also when there was none.
    EndAccessToken {
        /// Hash of the token.
        token_hash: Secret,
    },
    /// Keeps a ticket that was sold; refused as a conflict where its application has too many that wait. Answers
    /// [`Outcome::Done`].
    KeepTicket(Box<Ticket>),
    /// Uses a ticket up, if it is one for this API. Answers [`Outcome::Redeemed`].
    RedeemTicket {
        /// Hash of what is presented.
        hash: Secret,
        /// At which API.
        api: ApiId,
    },
    /// Remembers that a client's signed statement was used. Answers [`Outcome::Done`]; a second time it is a duplicate.
    UseAssertion {
        /// Names the statement among all.
        replay_id: String,
        /// When it is over, and forgotten.
        expires_at: crate::time::Timestamp,
    },
    /// Ends credentials before their time, and the sessions that live by them. Answers [`Outcome::Done`], also for
    /// what was revoked before.
    Revoke(Revoke),
    /// See [`CreateKeyManager`]. Answers [`Outcome::KeyManager`].
    CreateKeyManager(CreateKeyManager),
    /// See [`UpdateKeyManager`]. Answers [`Outcome::KeyManager`].
    UpdateKeyManager(UpdateKeyManager),
    /// Deletes a key manager and what applications provided of it; sessions by its tokens end. Answers
    /// [`Outcome::Done`].
    DeleteKeyManager {
        /// Which key manager.
        id: KeyManagerId,
        /// The entity tag that the change is based on.
        based_on: Option<u64>,
    },
    /// See [`StoreFetchedKeys`]. Answers [`Outcome::Done`].
    StoreFetchedKeys(StoreFetchedKeys),
    /// See [`ProvideKey`]. Answers [`Outcome::ProvidedKey`].
    ProvideKey(ProvideKey),
    /// Takes a provided key back. Answers [`Outcome::Done`].
    WithdrawKey {
        /// Whose key.
        application: ApplicationId,
        /// Of which issuer.
        key_manager: KeyManagerId,
        /// The issuer's name for it.
        client_id: String,
    },
    /// Makes a deny rule; who and when are the store's to say. Answers [`Outcome::DenyRule`].
    CreateDenyRule(DenyRule),
    /// See [`ChangeDenyRule`]. Answers [`Outcome::DenyRule`].
    ChangeDenyRule(ChangeDenyRule),
    /// Deletes a deny rule. Answers [`Outcome::Done`].
    DeleteDenyRule {
        /// Which rule.
        id: DenyRuleId,
        /// The entity tag that the deletion is based on.
        based_on: Option<u64>,
    },
    /// See [`CustomRuleCommand`].
    CustomRule(CustomRuleCommand),
    /// Makes a policy. Answers [`Outcome::Policy`].
    CreatePolicy(PolicyKind, Policy),
    /// See [`ChangePolicy`]. Answers [`Outcome::Policy`].
    ChangePolicy(ChangePolicy),
    /// Deletes a policy that nothing uses. Answers [`Outcome::Done`].
    DeletePolicy {
        /// Of which kind.
        kind: PolicyKind,
        /// Which policy.
        name: String,
        /// The entity tag that the deletion is based on.
        based_on: Option<u64>,
    },
    /// See [`ImportPolicies`]. Answers [`Outcome::Imported`].
    ImportPolicies(ImportPolicies),
    /// See [`ChangeRole`]. Answers [`Outcome::Role`], of a deletion [`Outcome::Done`].
    ChangeRole(ChangeRole),
    /// See [`AlertCommand`].
    Alert(AlertCommand),
    /// Keeps a signing key. Answers [`Outcome::Done`].
    StoreSigningKey(SigningKeyRecord),
    /// Publishes a key that takes over from the one that signs, see [`crate::signing_key::rotate`]. Answers
    /// [`Outcome::Done`].
    RotateSigningKey(SigningKeyRecord),
    /// Takes a key away: nothing that it signed is valid any more. See [`crate::signing_key::remove`]. Answers
    /// [`Outcome::Done`].
    RemoveSigningKey {
        /// Which key.
        kid: String,
        /// What signs from now on, where the key was the one that did.
        successor: Option<SigningKeyRecord>,
    },
}

/// Changes a deny rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeDenyRule {
    /// Which rule.
    pub id: DenyRuleId,
    /// The entity tag that the change is based on.
    pub based_on: Option<u64>,
    /// Whom it is about from now on.
    pub denied: Denied,
    /// Everybody but these.
    pub is_inverted: bool,
    /// It holds.
    pub is_enabled: bool,
    /// Why.
    pub reason: String,
}

/// What a command answers when it was executed and is on disk.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The API after the change.
    Api(Box<Api>),
    /// The revision that is live now.
    Revision(Box<Revision>),
    /// The application after the change.
    Application(Application),
    /// The key after the change.
    Key(Key),
    /// The API key after the change.
    ApiKey(Box<ApiKey>),
    /// The certificate that was added.
    Certificate(Box<Certificate>),
    /// The registration token that was made.
    RegistrationToken(Box<RegistrationToken>),
    /// The registered client after the change.
    Registered(Box<Registered>),
    /// The new subscription.
    Subscription(Subscription),
    /// The key manager after the change.
    KeyManager(Box<KeyManager>),
    /// The key that was provided.
    ProvidedKey(ProvidedKey),
    /// The user after the change.
    User(User),
    /// The sign-in provider after the change.
    Provider(Box<SignInProvider>),
    /// What became of somebody who came from a sign-in provider.
    Arrived(Arrival),
    /// Self sign-up after the change.
    SignUp(SignUp),
    /// The deny rule after the change.
    DenyRule(Box<DenyRule>),
    /// The custom rule after the change.
    CustomRule(Box<CustomRule>),
    /// The policy after the change.
    Policy(Box<KeptPolicy>),
    /// The own role after the change.
    Role(OwnRole),
    /// When alerts are made, after the change.
    AlertSettings(AlertSettings),
    /// The channel that was made.
    AlertChannel(Box<Channel>),
    /// The mail server after the change.
    Mail(Box<MailSettings>),
    /// What an import came to.
    Imported(Imported),
    /// What a code or refresh token was worth.
    Tokens(Redeemed),
    /// What a ticket was worth.
    Redeemed(Redemption),
    /// Nothing more to say.
    Done,
}

/// Why a command was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Fields break rules.
    #[error("{} field(s) break a rule", .0.len())]
    Invalid(Vec<FieldProblem>),
    /// Something like it exists already.
    #[error("duplicate: {}", .0.detail)]
    Duplicate(FieldProblem),
    /// What the command is about does not exist, or is not the actor's to know.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// Someone else changed it since.
    #[error("changed by someone else; it is at {current} now")]
    Stale {
        /// Entity tag it has now.
        current: u64,
    },
    /// Its present state does not allow it.
    #[error("{detail}")]
    Conflict {
        /// Sentence with the way out.
        detail: String,
        /// What is missing, when that is the reason.
        missing: Vec<Missing>,
    },
    /// What the actor proved when signing in does not hold any more: the portal session has ended, or the password is
    /// another by now.
    #[error("the sign-in has ended")]
    SignedOut,
    /// The actor's roles do not allow it.
    #[error("not allowed: needs {}", .0.as_str())]
    Forbidden(crate::role::Permission),
}

impl Refused {
    /// A conflict with a sentence.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::Conflict { detail: detail.into(), missing: Vec::new() }
    }
}
