//! Own roles: what an installation calls people who may do what roles that ship may do, and which roles somebody holds by
//! both.
//!
//! An own role has no table of permissions: it means roles that ship, or nothing but its name, which scopes ask for. So
//! there is one table, however many roles there are. It does not know who holds one.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{Permission, Role};

/// Most own roles of an installation: lists of them are never cut into pages.
pub const OWN_ROLES_MAX: usize = 200;
/// Longest name of a role, in characters.
pub const NAME_CHARS_MAX: usize = 64;
/// Longest description of a role, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 512;

/// The name of a role, one that ships or an own one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoleName(String);

impl RoleName {
    /// The name, if it is one: small letters, digits and `-`, `_`, `.`, the first a letter, at most [`NAME_CHARS_MAX`]. Without
    /// capitals, so that no two names look alike.
    pub fn parse(text: &str) -> Option<Self> {
        let is_known = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
        };
        let is_name = text.len() <= NAME_CHARS_MAX
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(is_known);
        is_name.then(|| Self(text.to_owned()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The role that ships under this name.
    pub fn shipped(&self) -> Option<Role> {
        self.0.parse().ok()
    }
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        Self(role.as_str().to_owned())
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A role of the installation's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnRole {
    /// Its name, none that ships. It never changes: scopes and sign-in providers name it.
    pub name: RoleName,
    /// Who is meant by it.
    pub description: String,
    /// The roles that whoever holds it holds as well; never [`Role::Admin`], so that a list of administrators is complete.
    pub means: BTreeSet<Role>,
    /// Grows with every change.
    pub etag: u64,
}

/// The roles that somebody holds: those that were given, and those that these mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    given: BTreeSet<RoleName>,
    means: BTreeSet<Role>,
}

impl Roles {
    /// What these names mean where these own roles are. A name that is not known means nothing.
    pub fn of(given: BTreeSet<RoleName>, own: &[OwnRole]) -> Self {
        let meant = |name: &RoleName| match name.shipped() {
            Some(role) => BTreeSet::from([role]),
            None => own.iter().find(|own| own.name == *name).map(|own| own.means.clone()).unwrap_or_default(),
        };
        let means = given.iter().flat_map(meant).collect();
        Self { given, means }
    }

    /// Those that were given, by name.
    pub const fn given(&self) -> &BTreeSet<RoleName> {
        &self.given
    }

    /// All that are held, given or meant.
    pub fn held(&self) -> BTreeSet<RoleName> {
        let meant = self.means.iter().map(|role| RoleName::from(*role));
        self.given.iter().cloned().chain(meant).collect()
    }

    /// Whether this role is held, given or meant.
    pub fn contains(&self, role: Role) -> bool {
        self.means.contains(&role)
    }

    /// Whether one of these is held, given or meant.
    pub fn has_one_of(&self, names: &BTreeSet<RoleName>) -> bool {
        names.iter().any(|name| {
            self.given.contains(name) || name.shipped().is_some_and(|role| self.means.contains(&role))
        })
    }

    /// Gives a role that ships.
    pub fn give(&mut self, role: Role) {
        self.given.insert(role.into());
        self.means.insert(role);
    }

    /// What whoever holds them may do.
    pub fn permissions(&self) -> BTreeSet<Permission> {
        self.means.iter().flat_map(|role| role.permissions().iter().copied()).collect()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        let means: BTreeSet<_> = roles.into_iter().collect();
        Self { given: means.iter().copied().map(RoleName::from).collect(), means }
    }
}

impl From<BTreeSet<Role>> for Roles {
    fn from(roles: BTreeSet<Role>) -> Self {
        roles.into_iter().collect()
    }
}

impl<const N: usize> From<[Role; N]> for Roles {
    fn from(roles: [Role; N]) -> Self {
        roles.into_iter().collect()
    }
}

/// By name: what a name means is looked up anew whenever it is read.
impl Serialize for Roles {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.given.serialize(serializer)
    }
}
