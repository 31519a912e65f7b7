//! Sign-in providers: other issuers (OpenID Connect) by which people sign in to the portals, and what is decided about
//! whoever comes from one.
//!
//! A person is known by the issuer and the subject of the ID token together, which an issuer never gives to somebody
//! else (OpenID Connect Core, section 5.7), and by nothing that can be chosen: not by name, not by e-mail address. It
//! knows no token and no HTTP.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    id::{ProviderId, UserId},
    role::RoleName,
    time::Timestamp,
    user::{PortalSession, Secret, User},
};

/// Most sign-in providers: each is a button on the sign-in page.
pub const PROVIDERS_MAX: usize = 8;
/// Most scopes that are asked for beside `openid`.
pub const SCOPES_MAX: usize = 16;
/// Most values of the claim of roles that mean something here.
pub const ROLE_VALUES_MAX: usize = 64;
/// The scope that makes a request one of OpenID Connect; always asked for.
pub const OPENID: &str = "openid";
/// Where the name of a person is, unless said otherwise (OpenID Connect Core, section 5.1).
pub const USERNAME_CLAIM: &str = "preferred_username";

/// What becomes of somebody who is not known here yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Newcomers {
    /// Nobody new comes in.
    #[default]
    Refused,
    /// They get an account, and wait for an administrator as those who sign up do.
    Wait,
    /// They get an account and are in.
    Enter,
}

impl Newcomers {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Refused, Self::Wait, Self::Enter];

    /// The word used in REST.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Wait => "wait",
            Self::Enter => "enter",
        }
    }

    /// The value of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// What one value of the claim of roles means here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleValue {
    /// As the issuer writes it, compared byte by byte.
    pub value: String,
    /// What whoever has it may be.
    pub roles: BTreeSet<RoleName>,
}

/// How the roles of people follow from what the issuer says of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleClaim {
    /// The claim: a list of texts, or one text. Where no claim has the whole name, dots lead into objects.
    pub name: String,
    /// Which of its values mean what; others mean nothing.
    pub values: Vec<RoleValue>,
}

impl RoleClaim {
    /// The roles of somebody of whom the claim has these values.
    pub fn roles(&self, found: &[String]) -> BTreeSet<RoleName> {
        let meant = self.values.iter().filter(|known| found.contains(&known.value));
        meant.flat_map(|known| known.roles.iter().cloned()).collect()
    }
}

/// What is decided about a sign-in provider: everything that people set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInTrust {
    /// `iss` of its ID tokens, compared byte by byte.
    pub issuer: String,
    /// Its discovery document (OpenID Connect Discovery).
    pub discovery_url: String,
    /// As which client we ask.
    pub client_id: String,
    /// With which secret. Never answered.
    pub client_secret: Secret,
    /// What is asked for beside [`OPENID`].
    pub scopes: Vec<String>,
    /// The claim that says the name under which somebody new is made.
    pub username_claim: String,
    /// What everybody who comes this way may be.
    pub roles: BTreeSet<RoleName>,
    /// What they may be beyond that. With it the roles of everybody who comes this way are read anew at each sign-in;
    /// without it they are given once, and administrators change them.
    pub role_claim: Option<RoleClaim>,
    /// What becomes of somebody who is not known here yet.
    pub newcomers: Newcomers,
    /// Whether anybody can sign in this way.
    pub enabled: bool,
}

/// Another issuer by which people sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInProvider {
    /// Identifier; part of the address that people come back to.
    pub id: ProviderId,
    /// What the button says; unique without regard to case.
    pub name: String,
    /// What is decided about it.
    pub trust: SignInTrust,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Grows by one with every change.
    pub etag: u64,
}

impl SignInProvider {
    /// The same without secrets, for records that others may read.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let mut copy = self.clone();
        copy.trust.client_secret = Secret::default();
        copy
    }
}

/// As whom an issuer knows a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// The person here.
    pub user: UserId,
    /// Since when.
    pub created_at: Timestamp,
}

/// Makes a sign-in provider.
#[derive(Debug, Clone)]
pub struct CreateProvider {
    /// Identifier of the new provider.
    pub id: ProviderId,
    /// See [`crate::rule::provider_name`].
    pub name: String,
    /// See [`crate::rule::sign_in_trust`].
    pub trust: SignInTrust,
}

/// Changes a sign-in provider.
#[derive(Debug, Clone)]
pub struct UpdateProvider {
    /// Which.
    pub id: ProviderId,
    /// The entity tag that the change is based on.
    pub based_on: Option<u64>,
    /// What the button says from now on.
    pub name: String,
    /// The new decisions. An empty secret keeps the one there is, where issuer, discovery document and client stay.
    pub trust: SignInTrust,
}

/// Somebody comes in whom a sign-in provider vouches for.
#[derive(Debug, Clone)]
pub struct Arrive {
    /// Which provider.
    pub provider: ProviderId,
    /// Its entity tag when the ID token was judged: by other rules nobody comes in.
    pub based_on: u64,
    /// The verified `sub`.
    pub subject: String,
    /// The name that the provider says; empty where it says none.
    pub username: String,
    /// The values of the claim of roles; empty where there is no such claim.
    pub role_values: Vec<String>,
    /// Identifier of the user that may have to be made.
    pub id: UserId,
    /// The session that begins; whose it is follows.
    pub session: PortalSession,
}

/// What becomes of somebody who comes from a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// Signed in.
    In(Box<User>),
    /// There is an account, which an administrator has to approve.
    Waiting,
    /// The account here is switched off.
    Disabled {
        /// Whose.
        user: UserId,
        /// Its name.
        username: String,
    },
    /// Not known here, and nobody new comes in this way.
    Unknown,
    /// Not known here, and the name belongs to somebody else, who is not taken over.
    NameTaken,
    /// Not known here, and there is no name that an account could have.
    NoName,
    /// Not known here, and as many wait for an administrator as may.
    Full,
}
