//! Changes that concern people: who may do what, where somebody is signed in, and who failed to.

use std::collections::BTreeSet;

use crate::{
    audit::Attempt,
    id::{PortalSessionId, UserId},
    revocation::Mark,
    role::{OwnRole, Role, RoleName},
    user::{Secret, UserState},
};

/// Changes what a user may do.
#[derive(Debug, Clone)]
pub struct ChangeUser {
    /// Whom.
    pub id: UserId,
    /// The entity tag that the change is based on.
    pub based_on: Option<u64>,
    /// All roles from now on, by name.
    pub roles: BTreeSet<RoleName>,
    /// Whether the person may sign in.
    pub state: UserState,
    /// By which the access tokens that speak for the person are known; they end with the right to sign in.
    pub subject: Mark,
}

/// Which portal sessions of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhichSessions {
    /// This one.
    One(PortalSessionId),
    /// All of them but this.
    AllBut(Option<PortalSessionId>),
}

/// Signs a person out somewhere; the actor's own sessions, or anybody's for who administers.
#[derive(Debug, Clone, Copy)]
pub struct EndPortalSessions {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub which: WhichSessions,
}

/// Writes to the audit log what failed since the last time.
#[derive(Debug, Clone)]
pub struct KeepAudit {
    /// What failed, and how often.
    pub attempts: Vec<(Attempt, u64)>,
    /// Look through the log for what is old as well.
    pub forget: bool,
}

/// Opens or closes self sign-up.
#[derive(Debug, Clone, Copy)]
pub struct ChangeSignUp {
    /// The entity tag that the change is based on.
    pub based_on: Option<u64>,
    /// Whether people may sign up from now on.
    pub is_open: bool,
}

/// Asks for an account, which waits for an administrator. Where somebody has the name nothing is made, and the answer is
/// the same.
#[derive(Debug, Clone)]
pub struct AskForAccount {
    /// Identifier of the new user.
    pub id: UserId,
    /// See [`crate::rule::username`].
    pub username: String,
    /// PHC string of the chosen password.
    pub password_hash: Secret,
}

/// What becomes of an own role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeRole {
    /// It is made.
    Create(OwnRole),
    /// It means something else from now on, for everybody who holds it.
    Update {
        /// Which role.
        name: RoleName,
        /// The entity tag that the change is based on.
        based_on: Option<u64>,
        /// Who is meant by it from now on.
        description: String,
        /// The roles that whoever holds it holds as well.
        means: BTreeSet<Role>,
    },
    /// It is deleted, if nothing uses it.
    Delete {
        /// Which role.
        name: RoleName,
        /// The entity tag that the deletion is based on.
        based_on: Option<u64>,
    },
}
