//! Roles, permissions, and the one table that says which role may do what.
//!
//! REST asks the table before it acts and the session answer lists the permissions, so that the portal's
//! controls and the endpoint's answers come from the same place.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use own::{DESCRIPTION_CHARS_MAX, NAME_CHARS_MAX, OWN_ROLES_MAX, OwnRole, RoleName, Roles};

mod own;

/// A role that ships with the product. A person holds any set of roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Holds every permission.
    Admin,
    /// Designs APIs.
    Creator,
    /// Releases APIs: lifecycle, plans, deployments.
    Publisher,
    /// Owns applications and subscribes them to APIs.
    Subscriber,
    /// Sees what creators and publishers see and changes nothing.
    Observer,
}

/// Something that a role may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// See APIs that are not public yet, their traffic and subscriptions.
    ApiView,
    /// Create, change and delete APIs, and make new versions.
    ApiCreate,
    /// Move the lifecycle, set plans, deploy.
    ApiPublish,
    /// Own applications, keys and subscriptions.
    AppManage,
    /// Read everything and set everyone's data straight.
    Administer,
}

/// All roles that ship.
pub const ROLES: [Role; 5] = [Role::Admin, Role::Creator, Role::Publisher, Role::Subscriber, Role::Observer];

impl Role {
    /// The table.
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{Administer, ApiCreate, ApiPublish, ApiView, AppManage};
        match self {
            Self::Admin => &[ApiView, ApiCreate, ApiPublish, AppManage, Administer],
            Self::Creator => &[ApiView, ApiCreate],
            Self::Publisher => &[ApiView, ApiPublish],
            Self::Subscriber => &[AppManage],
            Self::Observer => &[ApiView],
        }
    }

    /// The word used in REST, storage and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Creator => "creator",
            Self::Publisher => "publisher",
            Self::Subscriber => "subscriber",
            Self::Observer => "observer",
        }
    }
}

impl Permission {
    /// The word used in REST and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiView => "api_view",
            Self::ApiCreate => "api_create",
            Self::ApiPublish => "api_publish",
            Self::AppManage => "app_manage",
            Self::Administer => "administer",
        }
    }

    /// The roles that hold this permission, for the sentence "who can grant it".
    pub fn held_by(self) -> impl Iterator<Item = Role> {
        ROLES.into_iter().filter(move |role| role.permissions().contains(&self))
    }
}

/// The text names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such role")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ROLES.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

#[cfg(test)]
mod tests;
