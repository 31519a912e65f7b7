//! The developer's side: applications, their keys, and subscriptions to APIs.

use serde::{Deserialize, Serialize};

use crate::{
    client::ClientSettings,
    endpoint::Environment,
    id::{ApiId, ApiKeyId, ApplicationId, CertificateId, SubscriptionId, UserId},
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
    /// Name of the registration token by which its client registered itself; `None` where people made it.
    #[serde(default)]
    pub registered_by: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows by one with every change.
    pub etag: u64,
}

/// The OAuth client of an application for one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

impl Key {
    /// The same without what only hashes of secrets are kept for, as the audit log shows it.
    #[must_use]
    pub fn redacted(&self) -> Self {
        Self { secret_hash: Secret::default(), ..self.clone() }
    }
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

/// API keys that one application may have: a few per environment and place of use, and their successors.
pub const API_KEYS_MAX: usize = 32;
/// Networks, and pages, that one API key may name.
pub const API_KEY_PLACES_MAX: usize = 32;

/// A secret that an application presents as it is, without a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Identifier, not secret. A key that is made anew gets another.
    pub id: ApiKeyId,
    /// Whose key it is.
    pub application: ApplicationId,
    /// Which endpoint its sessions reach.
    pub environment: Environment,
    /// What its owner calls it.
    pub name: String,
    /// How the secret begins, so that its owner recognises it.
    pub prefix: String,
    /// Hash of the secret, which is shown once and never stored.
    pub hash: Secret,
    /// When it stops working; `None`: when deleted.
    pub expires_at: Option<Timestamp>,
    /// Addresses and networks from which it may be used; empty: from everywhere.
    pub addresses: Vec<String>,
    /// Origins of the web pages from which it may be used; empty: no page needs to say where it is from.
    pub referers: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ApiKey {
    /// The same without the hash of its secret, as the audit log shows it.
    #[must_use]
    pub fn redacted(&self) -> Self {
        Self { hash: Secret::default(), ..self.clone() }
    }
}

/// Certificates that one application may have: a few per environment, and their successors.
pub const CERTIFICATES_MAX: usize = 32;

/// A certificate by which programs of an application say in TLS who they are. It is believed since its owner named this one:
/// no authority has to vouch for it. Nothing of it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Identifier.
    pub id: CertificateId,
    /// Whose certificate it is.
    pub application: ApplicationId,
    /// Which endpoint its sessions reach.
    pub environment: Environment,
    /// What its owner calls it.
    pub name: String,
    /// SHA-256 of the certificate as DER, in base64url (`x5t#S256` of RFC 8705, section 3.1). One of all applications.
    pub thumbprint: String,
    /// Whom it names, for people to read.
    pub subject: String,
    /// The first moment at which it is valid.
    pub begins_at: Timestamp,
    /// The first moment at which it is not valid any more.
    pub expires_at: Timestamp,
    /// When it was added.
    pub created_at: Timestamp,
}
