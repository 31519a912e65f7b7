//! Scopes: names of what a token may do at an API, who may have them, and which a client gets.
//!
//! An API defines its own, and its topics ask for them. A token's scopes are one list for all APIs, so a name that two
//! APIs define means what both of them say: whoever may have it must be allowed to by every definition. So nobody gets the
//! scope of one API by defining its name at another. It does not know tokens or grants.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    id::ApplicationId,
    lifecycle::State,
    role::{Role, RoleName, Roles},
    snapshot::{ApiFacts, Snapshot},
};

/// Most scopes that one API may define.
pub const SCOPES_MAX: usize = 64;
/// Most scopes that one direction of a topic may name.
pub const SCOPES_OF_TOPIC_MAX: usize = 16;
/// Longest name of a scope, in bytes (the specification's product has 255 characters).
pub const NAME_BYTES_MAX: usize = 255;
/// Longest name for people, in characters.
pub const DISPLAY_NAME_CHARS_MAX: usize = 255;
/// Longest description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 512;

/// Names that mean something else: what a client may learn of a person (OpenID Connect Core, sections 5.4 and 11).
pub const RESERVED: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// A scope as it is defined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// The name in tokens, compared byte by byte.
    pub name: String,
    /// What it is called where people see it; empty: as in tokens.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// Who holds one of these roles may have it; none: everybody.
    pub roles: BTreeSet<RoleName>,
}

impl Scope {
    /// Whether whoever holds these roles may have it. An administrator holds all.
    pub fn admits(&self, held: &Roles) -> bool {
        self.roles.is_empty() || held.contains(Role::Admin) || held.has_one_of(&self.roles)
    }
}

/// The scopes that tokens of this application may have for somebody with these roles, in their order: those that topics
/// ask for, as they are live now, of the APIs that it is subscribed to or that need no subscription; and of them those
/// that every definition of the name lets these roles have.
pub fn grantable(snapshot: &Snapshot, application: ApplicationId, held: &Roles) -> Vec<String> {
    let is_reached = |api: &ApiFacts| {
        api.state == State::Prototyped || snapshot.subscription(application, api.id).is_some()
    };
    let topics = snapshot.apis().filter(|api| is_reached(api)).flat_map(|api| &api.topics.declared);
    let asked: BTreeSet<&String> =
        topics.flat_map(|topic| topic.publish_scopes.iter().chain(&topic.subscribe_scopes)).collect();
    asked.into_iter().filter(|name| may_have(snapshot, name, held)).cloned().collect()
}

/// Whether the name is defined, and every definition lets these roles have it.
fn may_have(snapshot: &Snapshot, name: &str, held: &Roles) -> bool {
    let mut definitions = snapshot.scopes(name).peekable();
    definitions.peek().is_some() && definitions.all(|scope| scope.admits(held))
}

#[cfg(test)]
mod tests;
