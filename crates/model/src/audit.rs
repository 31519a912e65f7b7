//! The audit log: who changed what, when, from where, and how it was before and after; and who tried to sign in.
//!
//! An entry is written in the unit of its change, so that there is neither without the other. What strangers can cause
//! without end (sign-ins that fail) is counted by address and minute, and has a bound of its own that pushes out no
//! change. No entry holds a secret: records are written without them.

use std::net::IpAddr;

use crate::{
    command::{Command as Of, RegistrationCommand},
    id::UserId,
    time::{DAY_MILLIS, Timestamp},
};

/// How long an entry is kept, in milliseconds: a year, and a month in which a yearly audit looks back on it.
pub const KEPT_MILLIS: i64 = 400 * DAY_MILLIS;
/// Entries of failed sign-ins that are kept; the oldest go first. One is about 300 bytes, so this is 15 MB.
pub const ATTEMPTS_MAX: u64 = 50_000;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An API, its deployments, versions and moves.
    Api,
    /// An application.
    Application,
    /// A key or API key of an application.
    Key,
    /// A subscription.
    Subscription,
    /// A user.
    User,
    /// Somebody signed in or out, or tried to.
    SignIn,
    /// A personal access token.
    Token,
    /// What a person allowed a client.
    Authorization,
    /// A client that asked the authorization server and did not prove itself.
    Client,
    /// Credentials that ended before their time.
    Revocation,
    /// A key that signs.
    SigningKey,
    /// Another issuer.
    KeyManager,
    /// A deny rule.
    DenyRule,
    /// A custom rule.
    CustomRule,
    /// A business plan, an application policy or an API policy.
    Policy,
    /// A sign-in provider.
    SignInProvider,
    /// An own role.
    Role,
    /// A registration token.
    RegistrationToken,
    /// When alerts are made, and who is told.
    Alert,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Api,
        Self::Application,
        Self::Key,
        Self::Subscription,
        Self::User,
        Self::SignIn,
        Self::Token,
        Self::Authorization,
        Self::Client,
        Self::Revocation,
        Self::SigningKey,
        Self::KeyManager,
        Self::DenyRule,
        Self::CustomRule,
        Self::Policy,
        Self::SignInProvider,
        Self::Role,
        Self::RegistrationToken,
        Self::Alert,
    ];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Application => "application",
            Self::Key => "key",
            Self::Subscription => "subscription",
            Self::User => "user",
            Self::SignIn => "sign_in",
            Self::Token => "token",
            Self::Authorization => "authorization",
            Self::Client => "client",
            Self::Revocation => "revocation",
            Self::SigningKey => "signing_key",
            Self::KeyManager => "key_manager",
            Self::DenyRule => "deny_rule",
            Self::CustomRule => "custom_rule",
            Self::Policy => "policy",
            Self::SignInProvider => "sign_in_provider",
            Self::Role => "role",
            Self::RegistrationToken => "registration_token",
            Self::Alert => "alert",
        }
    }

    /// The value of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// What a command's entries are about.
    pub const fn of(command: &Of) -> Self {
        match command {
            Of::CreateApi(_)
            | Of::UpdateApi(_)
            | Of::DeleteApi { .. }
            | Of::MoveApi(_)
            | Of::DeployApi { .. }
            | Of::CreateVersion(_) => Self::Api,
            Of::Registration(change) => of_registration(change),
            Of::CreateApplication(_) | Of::UpdateApplication(_) | Of::DeleteApplication { .. } => {
                Self::Application
            }
            Of::CreateKey(_)
            | Of::UpdateKey(_)
            | Of::ReplaceSecret { .. }
            | Of::DeleteKey { .. }
            | Of::CreateApiKey(_)
            | Of::ReplaceApiKey { .. }
            | Of::DeleteApiKey { .. }
            | Of::AddCertificate(_)
            | Of::DeleteCertificate { .. }
            | Of::ProvideKey(_)
            | Of::WithdrawKey { .. } => Self::Key,
            Of::CreateSubscription(_) | Of::DeleteSubscription { .. } => Self::Subscription,
            Of::CreateUser(_)
            | Of::SetPassword { .. }
            | Of::ChoosePassword { .. }
            | Of::ChangeUser(_)
            | Of::ChangeSignUp(_)
            | Of::AskForAccount(_)
            | Of::DeleteUser { .. } => Self::User,
            Of::OpenPortalSession { .. }
            | Of::ClosePortalSession { .. }
            | Of::EndPortalSessions(_)
            | Of::Arrive(_)
            | Of::KeepSeen(_)
            | Of::KeepAudit(_) => Self::SignIn,
            Of::CreateToken { .. } | Of::DeleteToken { .. } => Self::Token,
            // Neither leaves an entry: tickets are many, and live for moments.
            Of::KeepTicket(_)
            | Of::RedeemTicket { .. }
            | Of::KeepDeviceCode(_)
            | Of::AllowDevice(_)
            | Of::DenyDevice(_)
            | Of::Authorize(_)
            | Of::RedeemCode(_)
            | Of::Renew(_)
            | Of::EndAuthorization(_)
            | Of::Withdraw(_)
            | Of::KeepAccessToken(_)
            | Of::EndAccessToken { .. } => Self::Authorization,
            Of::UseAssertion { .. } => Self::Client,
            Of::Revoke(_) => Self::Revocation,
            Of::StoreSigningKey(_) | Of::RotateSigningKey(_) | Of::RemoveSigningKey { .. } => {
                Self::SigningKey
            }
            Of::CreateDenyRule(_) | Of::ChangeDenyRule(_) | Of::DeleteDenyRule { .. } => Self::DenyRule,
            Of::CreatePolicy(..) | Of::ChangePolicy(_) | Of::DeletePolicy { .. } | Of::ImportPolicies(_) => {
                Self::Policy
            }
            Of::CreateProvider(_) | Of::UpdateProvider(_) | Of::DeleteProvider { .. } => Self::SignInProvider,
            Of::ChangeRole(_) => Self::Role,
            Of::Alert(_) => Self::Alert,
            Of::CustomRule(_) => Self::CustomRule,
            Of::CreateKeyManager(_)
            | Of::UpdateKeyManager(_)
            | Of::DeleteKeyManager { .. }
            | Of::StoreFetchedKeys(_) => Self::KeyManager,
        }
    }
}

/// What the entries of a change to registrations are about.
const fn of_registration(change: &RegistrationCommand) -> Kind {
    if change.is_about_token() { Kind::RegistrationToken } else { Kind::Application }
}

/// An entry as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number; larger is later.
    pub number: u64,
    /// When; of several counted together, the minute.
    pub at: Timestamp,
    /// Who, by name at that time; empty where nobody is known.
    pub by: String,
    /// The person; `None` for the product itself and for strangers.
    pub user: Option<UserId>,
    /// From which address; `None` for the product itself, and for many addresses counted together.
    pub address: Option<IpAddr>,
    /// About what; `None` in entries that are older than kinds.
    pub kind: Option<Kind>,
    /// Identifier of what it is about.
    pub object: String,
    /// What, as a short verb phrase in past tense.
    pub action: String,
    /// Details for a person, without secrets.
    pub detail: String,
    /// How often, at least once.
    pub times: u64,
}

/// An entry with what it is about as it was before and after, JSON without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDetail {
    /// The entry.
    pub entry: Entry,
    /// Before; `None` for what is new, and where nothing of the kind is kept.
    pub before: Option<String>,
    /// After; `None` for what is gone, and where nothing of the kind is kept.
    pub after: Option<String>,
}

/// Which entries are asked for; all conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// By whom: the whole name, without regard to ASCII case.
    pub by: Option<String>,
    /// About what.
    pub kind: Option<Kind>,
    /// The object's identifier, or text that the details contain without regard to ASCII case.
    pub object: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// Why somebody is not who they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attempted {
    /// A person's password was wrong.
    WrongPassword,
    /// There is no person of that name. The name is not kept: it may be a password in the wrong field.
    UnknownName,
    /// The person is disabled; the password was right.
    Disabled,
    /// The person signed up and was not approved yet; the password was right.
    Waiting,
    /// Too many tries: the password was not looked at.
    LockedOut,
    /// A sign-in provider sent somebody back whom it does not vouch for, or in a way that is not believed.
    NotVouchedFor,
    /// A sign-in provider vouches for somebody who may not come in: not known here, or under a name that is taken.
    Stranger,
    /// A client's secret or assertion was wrong, or there is no such client.
    ClientRefused,
}

impl Attempted {
    /// About what its entries are.
    pub const fn kind(self) -> Kind {
        match self {
            Self::ClientRefused => Kind::Client,
            _ => Kind::SignIn,
        }
    }

    /// What happened, in words for a person.
    pub const fn action(self) -> &'static str {
        match self {
            Self::WrongPassword => "failed to sign in: wrong password",
            Self::UnknownName => "failed to sign in: unknown name",
            Self::Disabled => "failed to sign in: disabled",
            Self::Waiting => "failed to sign in: waits for approval",
            Self::LockedOut => "failed to sign in: too many tries",
            Self::NotVouchedFor => "failed to sign in: a sign-in provider does not vouch for them",
            Self::Stranger => {
                "failed to sign in: a sign-in provider vouches for them, and they have no account"
            }
            Self::ClientRefused => "failed to prove itself as a client",
        }
    }
}

/// What failed, as often as it did within one minute.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// What.
    pub what: Attempted,
    /// The person it was tried for, where there is one.
    pub user: Option<(UserId, String)>,
    /// From which address; `None` for several that are counted together.
    pub address: Option<IpAddr>,
    /// The beginning of the minute.
    pub minute: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_kinds_are_read_back_and_are_different() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::parse("wizardry"), None);
    }
}
