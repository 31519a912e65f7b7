//! The API as the catalog keeps it: identity, the working copy of its design, and the revision that is live.

mod difference;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    endpoint::Endpoints,
    headers::HeaderRules,
    id::{ApiId, UserId},
    issuer::AcceptedIssuers,
    lifecycle::State,
    mapping::TopicMapping,
    notice::Notice,
    protocol::Protocol,
    scope::Scope,
    security::Security,
    time::Timestamp,
    topic::Topics,
    user::Secret,
};

/// What a creator designs and a deployment freezes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Design {
    /// What the API does, for the catalogue.
    pub description: String,
    /// Backends.
    pub endpoints: Endpoints,
    /// Compression, checks and sizes. Designs from before it have the defaults.
    #[serde(default)]
    pub protocol: Protocol,
    /// What clients are told of messages that were dropped; `None`: nothing.
    #[serde(default)]
    pub notice: Option<Arc<Notice>>,
    /// Which headers a backend gets.
    #[serde(default)]
    pub headers: HeaderRules,
    /// Under which paths a backend's topics are.
    #[serde(default)]
    pub mappings: Vec<TopicMapping>,
    /// Who may send on which topic. Designs from before it have every topic, open both ways.
    #[serde(default)]
    pub topics: Topics,
    /// What topics may ask tokens for.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// How clients prove who they are. Designs from before it have the defaults.
    #[serde(default)]
    pub security: Security,
    /// Whose tokens are accepted. Designs from before it accept all.
    #[serde(default)]
    pub issuers: AcceptedIssuers,
    /// Names of the business plans a subscription may choose from.
    pub plans: Vec<String>,
    /// Name of the API policy that all who use the API are held to together; `None`: no limit.
    #[serde(default)]
    pub api_policy: Option<String>,
}

impl Design {
    /// Names of the API policies that the API and its topics are held to, each under its JSON pointer.
    pub fn api_policies(&self) -> impl Iterator<Item = (String, &str)> {
        let of_api = self.api_policy.iter().map(|name| ("/api_policy".to_owned(), name.as_str()));
        let of_topics = self.topics.declared.iter().enumerate().filter_map(|(place, topic)| {
            Some((format!("/topics/declared/{place}/api_policy"), topic.api_policy.as_deref()?))
        });
        of_api.chain(of_topics)
    }

    /// The same but for what is decided where an API is sold: its plans, and the policies of it and its topics.
    pub(crate) fn is_but_for_limits(&self, other: &Self) -> bool {
        let without = |design: &Self| {
            let mut design = Self { plans: Vec::new(), api_policy: None, ..design.clone() };
            design.topics.declared.iter_mut().for_each(|topic| topic.api_policy = None);
            design
        };
        without(self) == without(other)
    }
}

/// The revision that gateways serve now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// Number of the revision, from 1 within the API.
    pub revision: u32,
    /// When it was deployed.
    pub deployed_at: Timestamp,
    /// The frozen design.
    pub design: Design,
}

/// One API in one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Api {
    /// Identifier.
    pub id: ApiId,
    /// Name, the same for all versions.
    pub name: String,
    /// Path of all versions, with its leading `/`.
    pub context: String,
    /// Version, unique within the context.
    pub version: String,
    /// Lifecycle state.
    pub state: State,
    /// Who made it; `None` for what the product made itself.
    pub owner: Option<UserId>,
    /// The owner's name, for lists.
    pub owner_name: String,
    /// Whether it also answers at the context without a version.
    pub is_default_version: bool,
    /// Made by `--demo`.
    pub demo: bool,
    /// The working copy.
    pub design: Design,
    /// What gateways serve; `None` before the first deployment and after retirement.
    pub live: Option<Live>,
    /// Number of the newest revision, 0 before the first.
    pub revisions: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything of it changed last.
    pub updated_at: Timestamp,
    /// Grows by one with every change; the entity tag of REST.
    pub etag: u64,
}

/// One field in which the working copy and the live revision differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Path of the field, for example `endpoints.production.url`.
    pub field: String,
    /// Value that gateways serve.
    pub live: Option<String>,
    /// Value of the working copy.
    pub working: Option<String>,
}

impl Api {
    /// The same without the secrets of its backends, for records that others may read.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let mut api = self.clone();
        api.secrets_mut().for_each(|secret| secret.0.clear());
        api
    }

    /// Every secret, for a store that keeps them sealed. Some may be empty.
    pub fn secrets_mut(&mut self) -> impl Iterator<Item = &mut Secret> {
        let live = self.live.iter_mut().flat_map(|live| live.design.endpoints.secrets_mut());
        self.design.endpoints.secrets_mut().chain(live)
    }

    /// In what the working copy differs from what is live; empty when nothing is live.
    pub fn differences(&self) -> Vec<Difference> {
        let Some(live) = &self.live else { return Vec::new() };
        difference::between(&live.design, &self.design)
    }
}

/// An immutable copy of a design that was live once or is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// From 1 within the API.
    pub number: u32,
    /// When it was made live.
    pub created_at: Timestamp,
    /// Who did it.
    pub created_by: String,
    /// Whether gateways serve it now.
    pub live: bool,
    /// The frozen design.
    pub design: Design,
}

/// One move of the lifecycle that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// The event, `None` for the creation.
    pub event: Option<crate::lifecycle::Event>,
    /// From; `None` for the creation.
    pub from: Option<State>,
    /// To.
    pub to: State,
}

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What, as a short verb phrase in past tense: `created`, `deployed`, `moved to Published`.
    pub action: String,
    /// Details for a person, without secrets.
    pub detail: String,
}

#[cfg(test)]
mod tests;
