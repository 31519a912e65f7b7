//! People, their portal sessions and personal access tokens, and the actor that a change is done by.

use std::{collections::BTreeSet, fmt, net::IpAddr};

use serde::{Deserialize, Serialize};

use crate::{
    id::{PortalSessionId, TokenId, UserId},
    role::{Permission, Role, Roles},
    time::Timestamp,
};

/// Text that must not be seen: password hashes, client secrets' hashes, keys. Its Debug hides it, and it has no Display.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Whether a person may sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// Signs in.
    #[default]
    Active,
    /// Switched off: portal sessions are over, personal access tokens and the keys of the person's applications are
    /// refused until somebody switches the person on again.
    Disabled,
    /// Signed up, and not approved yet: nothing is allowed, and nobody but an administrator is told of it.
    Waiting,
}

impl UserState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Active, Self::Disabled, Self::Waiting];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Waiting => "waiting",
        }
    }

    /// The value of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// Identifier.
    pub id: UserId,
    /// Unique sign-in name, compared without regard to ASCII case.
    pub username: String,
    /// What the person may be.
    pub roles: Roles,
    /// Made by `--demo`.
    pub demo: bool,
    /// When the user was made.
    pub created_at: Timestamp,
    /// Whether the person may sign in.
    pub state: UserState,
    /// The password is one for one time: whoever signs in with it can do nothing but choose another.
    pub must_change_password: bool,
    /// There is a password to sign in with; without one the person comes from a sign-in provider.
    pub has_password: bool,
    /// Grows with every change of roles or state.
    pub etag: u64,
}

impl User {
    /// Someone who may sign in and was not changed yet.
    pub fn new(id: UserId, username: String, roles: Roles, now: Timestamp) -> Self {
        Self {
            id,
            username,
            roles,
            demo: false,
            created_at: now,
            state: UserState::Active,
            must_change_password: false,
            has_password: true,
            etag: 1,
        }
    }

    /// Whether this person keeps the product administered, also while every sign-in provider is away.
    pub fn administers(&self) -> bool {
        self.state == UserState::Active && self.has_password && self.roles.contains(Role::Admin)
    }
}

/// A user with the PHC string of the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The person.
    pub user: User,
    /// Argon2id PHC string.
    pub password_hash: Secret,
}

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalSession {
    /// Identifier, not secret.
    pub id: PortalSessionId,
    /// Hash of the cookie's value; the value itself is never stored.
    pub token_hash: Secret,
    /// Who signed in.
    pub user: UserId,
    /// What unsafe calls must repeat in `X-CSRF-Token`.
    pub csrf_token: Secret,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was used last, as far as it was written.
    pub seen_at: Timestamp,
    /// From which address it began.
    pub address: Option<IpAddr>,
    /// What the browser says of itself; at most [`BROWSER_CHARS_MAX`] characters.
    pub browser: String,
}

/// Most characters of what a browser says of itself that are kept; what browsers send today is shorter.
pub const BROWSER_CHARS_MAX: usize = 300;

/// What a caller of REST presented.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Presented {
    /// A portal session, by the hash of its cookie.
    Session(Secret),
    /// A personal access token.
    Token(TokenId),
}

/// A personal access token as it is listed; the secret is only known at creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalToken {
    /// Identifier, not secret.
    pub id: TokenId,
    /// Whose it is.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working; `None`: when deleted.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, as far as it was written; `None`: never.
    pub seen_at: Option<Timestamp>,
    /// What it is for, `apis:read` and the like; `None`: everything that the roles of its owner allow.
    pub scopes: Option<BTreeSet<String>>,
}

/// Who does a change, for permission, ownership and the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person, or `None` for the product itself (first start, demo).
    pub user: Option<UserId>,
    /// Name for the audit log.
    pub name: String,
    /// Roles at the time of the call.
    pub roles: Roles,
    /// From which address; `None` for the product itself.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// The product acting by itself, with every permission.
    pub fn product() -> Self {
        Self { user: None, name: "tidegate".to_owned(), roles: [Role::Admin].into(), address: None }
    }

    /// This person.
    pub fn person(user: &User) -> Self {
        Self { user: Some(user.id), name: user.username.clone(), roles: user.roles.clone(), address: None }
    }

    /// A program that has shown a token which says what it may do; nothing else is asked of it.
    #[must_use]
    pub fn program(name: String, address: Option<IpAddr>) -> Self {
        Self { name, address, ..Self::product() }
    }

    /// Somebody of whom nothing is known but the address; nothing is permitted.
    pub fn stranger(address: IpAddr) -> Self {
        Self { user: None, name: String::new(), roles: Roles::default(), address: Some(address) }
    }

    /// The same, calling from this address.
    #[must_use]
    pub fn at(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// Whether any of the roles holds the permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.roles.permissions().contains(&permission)
    }

    /// Whether something owned by `owner` is this actor's to see and change.
    pub fn owns(&self, owner: UserId) -> bool {
        self.user == Some(owner) || self.may(Permission::Administer)
    }
}

#[cfg(test)]
mod tests;
