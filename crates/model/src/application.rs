//! The developer's side: applications, their keys, and subscriptions to APIs.

use serde::{Deserialize, Serialize};

use crate::{
    client::ClientSettings,
    endpoint::Environment,
    id::{ApiId, ApplicationId, SubscriptionId, UserId},
    time::Timestamp,
    user::Secret,
};

/// A developer's client program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Identifier.
    pub id: ApplicationId,
    /// Unique among the applications of its owner.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Name of its application policy.
    pub policy: String,
    /// Whose it is; `None` for what the product made itself.
    pub owner: Option<UserId>,
    /// The owner's name, for lists.
    pub owner_name: String,
    /// Made by `--demo`.
    pub demo: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows by one with every change.
    pub etag: u64,
}

/// The OAuth client of an application for one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// OAuth `client_id`, not secret.
    pub client_id: String,
    /// Hash of the client secret; the secret is shown once and never stored. Empty for a client without a secret.
    pub secret_hash: Secret,
    /// Whose key it is.
    pub application: ApplicationId,
    /// Which endpoint its sessions reach.
    pub environment: Environment,
    /// OAuth grants it may use.
    pub grants: Vec<String>,
    /// What kind of client it is, and how its tokens are.
    pub settings: ClientSettings,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An application's right to an API under a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Identifier.
    pub id: SubscriptionId,
    /// Who may use it.
    pub application: ApplicationId,
    /// What it may use.
    pub api: ApiId,
    /// Name of the business plan.
    pub plan: String,
    /// When it was made.
    pub created_at: Timestamp,
}
