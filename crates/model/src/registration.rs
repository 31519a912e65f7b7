//! Clients that register themselves: the tokens by which they may, and what is kept of each beside its application and key.
//!
//! What a client may say of itself is read in the `oauth` crate; what a key may be is said in [`crate::client`].

use serde::{Deserialize, Serialize};

use crate::{
    application::{Application, Key},
    endpoint::Environment,
    id::{ApplicationId, RegistrationTokenId, UserId},
    role::Permission,
    time::{DAY_MILLIS, Timestamp},
    user::{Secret, User, UserState},
};

/// Registration tokens that there may be, used ones among them: one for each kind of program that registers itself.
pub const REGISTRATION_TOKENS_MAX: usize = 200;
/// Most applications that one token makes: a fleet; for more there is another token.
pub const USES_MAX: u32 = 10_000;
/// How long a token is good at most, in milliseconds: a year and a day, as personal access tokens.
pub const LIFETIME_MILLIS_MAX: i64 = 366 * DAY_MILLIS;

/// By which programs register themselves (the *initial access token* of RFC 7591, section 1.2): each use makes an application
/// of its owner, with a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationToken {
    /// Identifier, not secret.
    pub id: RegistrationTokenId,
    /// What administrators call it.
    pub name: String,
    /// How the secret begins, so that it is recognised.
    pub prefix: String,
    /// Hash of the secret, which is shown once and never stored.
    pub hash: Secret,
    /// Whose the applications are.
    pub owner: UserId,
    /// For which environment their keys are.
    pub environment: Environment,
    /// How many applications it makes; 1 to [`USES_MAX`].
    pub uses_max: u32,
    /// How many it has made.
    pub used: u32,
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// What a registration token is worth now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenState {
    /// A program may register with it.
    Active,
    /// Its time is over.
    Expired,
    /// It has made all that it may.
    UsedUp,
    /// Its owner is disabled, or may not have applications.
    OwnerMayNot,
}

impl TokenState {
    /// The word used in REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::UsedUp => "used_up",
            Self::OwnerMayNot => "owner_may_not",
        }
    }
}

impl RegistrationToken {
    /// What it is worth at this time, with this owner.
    pub fn state(&self, owner: &User, now: Timestamp) -> TokenState {
        if self.expires_at <= now {
            TokenState::Expired
        } else if self.used >= self.uses_max {
            TokenState::UsedUp
        } else if may_own(owner) {
            TokenState::Active
        } else {
            TokenState::OwnerMayNot
        }
    }

    /// The same without what only hashes of secrets are kept for, as the audit log shows it.
    #[must_use]
    pub fn redacted(&self) -> Self {
        Self { hash: Secret::default(), ..self.clone() }
    }
}

/// Whether applications can be made for somebody.
pub fn may_own(owner: &User) -> bool {
    owner.state == UserState::Active && owner.roles.permissions().contains(&Permission::AppManage)
}

/// What a client says of itself that neither its application nor its key holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// A page about it.
    pub client_uri: Option<String>,
    /// A page about what becomes of what it learns of people.
    pub policy_uri: Option<String>,
    /// A page about its terms.
    pub tos_uri: Option<String>,
    /// How to reach who answers for it.
    pub contacts: Vec<String>,
    /// Names the software of which it is a copy.
    pub software_id: Option<String>,
    /// Its version.
    pub software_version: Option<String>,
    /// It shows its secret, if it has one, in the form and not in a header.
    pub posts_secret: bool,
}

/// A client that registered itself, and looks after that. It ends with its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Which key.
    pub client_id: String,
    /// Whose.
    pub application: ApplicationId,
    /// Hash of the token with which it looks after itself.
    pub token_hash: Secret,
    /// What it says of itself.
    pub about: About,
    /// When it registered.
    pub created_at: Timestamp,
}

impl Registration {
    /// The same without the hash of its secret, as the audit log shows it.
    #[must_use]
    pub fn redacted(&self) -> Self {
        Self { token_hash: Secret::default(), ..self.clone() }
    }
}

/// A registered client with all that is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Its application.
    pub application: Application,
    /// Its key.
    pub key: Key,
    /// The rest.
    pub registration: Registration,
}

#[cfg(test)]
mod tests;
