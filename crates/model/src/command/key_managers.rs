//! Changes to key managers, and to the clients of theirs that are applications' own.

use crate::{
    endpoint::Environment,
    id::{ApplicationId, KeyManagerId},
    issuer::Trust,
};

/// Makes a key manager.
#[derive(Debug, Clone)]
pub struct CreateKeyManager {
    /// Identifier of the new key manager.
    pub id: KeyManagerId,
    /// See [`crate::rule::key_manager_name`].
    pub name: String,
    /// See [`crate::rule::trust`].
    pub trust: Trust,
}

/// Changes what is decided about another issuer.
#[derive(Debug, Clone)]
pub struct UpdateKeyManager {
    /// Which key manager.
    pub id: KeyManagerId,
    /// The entity tag that the change is based on.
    pub based_on: Option<u64>,
    /// The new decisions. An empty secret for introspection keeps the one there is, where it is asked at the same
    /// address as the same client.
    pub trust: Trust,
}

/// Keeps the keys that were fetched for a key manager.
#[derive(Debug, Clone)]
pub struct StoreFetchedKeys {
    /// Which key manager.
    pub id: KeyManagerId,
    /// Its entity tag when they were asked for: keys of an address that was changed meanwhile are not kept.
    pub based_on: u64,
    /// The key set as text.
    pub jwks: String,
}

/// Provides a client of another issuer as an application's own.
#[derive(Debug, Clone)]
pub struct ProvideKey {
    /// Whose client.
    pub key_manager: KeyManagerId,
    /// The issuer's name for it.
    pub client_id: String,
    /// The application that it is.
    pub application: ApplicationId,
    /// Which endpoint its sessions reach.
    pub environment: Environment,
}
