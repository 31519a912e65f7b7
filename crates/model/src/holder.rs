//! Whose a budget is, and which of theirs: names that gateways count under, and that facts carry.
//!
//! It does not know how anything is counted; that is [`crate::throttle`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    group::Group,
    id::{ApiId, ApplicationId, CustomRuleId, SubscriptionId},
    limit::Shape,
    meter::Level,
    network::Neighbour,
    policy::Policy,
    snapshot::Snapshot,
};

/// Whose a budget is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// An API over all who use it, held to its policy.
    Api(ApiId),
    /// A declared topic over all who are on it, held to its own policy.
    Topic {
        /// The API.
        api: ApiId,
        /// Its path as it is declared: one with parameters is one holder, whatever they are.
        path: Arc<str>,
    },
    /// A group of the policy that an API or a topic names, over all who are in it.
    Group {
        /// The API.
        api: ApiId,
        /// The topic by its path as it is declared, where it is the topic that names the policy.
        path: Option<Arc<str>>,
        /// The group.
        name: Arc<str>,
    },
    /// A subscription, held to its business plan. One that is made anew in the place of another is another holder.
    Subscription {
        /// The subscription.
        id: SubscriptionId,
        /// Its application.
        application: ApplicationId,
        /// Its API.
        api: ApiId,
    },
    /// An application over all its subscriptions, held to its policy.
    Application(ApplicationId),
    /// Who comes to an API without a credential, told apart by the address alone.
    Address {
        /// The API.
        api: ApiId,
        /// From where.
        from: Neighbour,
    },
    /// All for whom a custom rule yields the same key.
    Rule {
        /// The rule.
        id: CustomRuleId,
        /// What its expression yields.
        key: Arc<str>,
    },
}

impl Holder {
    /// Whether it is there by this snapshot. Addresses are there as long as their API is, and keys as their rule.
    pub fn is_in(&self, snapshot: &Snapshot) -> bool {
        match *self {
            Self::Subscription { id, application, api } => {
                snapshot.subscription(application, api).is_some_and(|subscription| subscription.id == id)
            }
            Self::Application(id) => snapshot.application(id).is_some(),
            Self::Api(api) | Self::Address { api, .. } => snapshot.api(api).is_some(),
            Self::Rule { id, .. } => snapshot.custom_rules().iter().any(|rule| rule.id == id),
            Self::Topic { api, ref path } => snapshot
                .api(api)
                .is_some_and(|api| api.topics.declared.iter().any(|topic| *topic.path == **path)),
            Self::Group { .. } => self.group(snapshot).is_some(),
        }
    }

    /// The group that it is by this snapshot, and the policy that has it.
    pub fn group<'s>(&self, snapshot: &'s Snapshot) -> Option<(&'s Arc<Policy>, &'s Group)> {
        let Self::Group { api, path, name } = self else { return None };
        let api = snapshot.api(*api)?;
        let policy = match path {
            None => &api.api_policy,
            Some(path) => &api.topics.declared.iter().find(|topic| *topic.path == **path)?.api_policy,
        };
        let policy = snapshot.api_policy(policy.as_deref()?)?;
        policy.groups.iter().find(|group| *group.name == **name).map(|group| (policy, group))
    }

    /// At which level its policy is held.
    pub const fn level(&self) -> Level {
        match self {
            Self::Api(_) | Self::Group { path: None, .. } => Level::Api,
            Self::Topic { .. } | Self::Group { path: Some(_), .. } => Level::Topic,
            Self::Application(_) => Level::Application,
            Self::Subscription { .. } | Self::Address { .. } => Level::Subscription,
            Self::Rule { .. } => Level::Rule,
        }
    }

    /// Whether there may be any number of its kind, whatever the snapshot says: such a one is forgotten without its
    /// sessions where there are many.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Address { .. } | Self::Rule { .. })
    }
}

/// Names one budget: whose it is, and what it counts. So a limit whose amount changes goes on with what was used, and a
/// budget of minutes does not continue as one of days.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BudgetKey {
    /// Whose it is.
    pub holder: Holder,
    /// What it counts.
    pub shape: Shape,
}

impl BudgetKey {
    /// The key in writing, the same at every gateway.
    pub fn name(&self) -> Arc<str> {
        // Nothing in it can fail to be written; the fallback is as good a name within one process.
        serde_json::to_string(self).unwrap_or_else(|_| format!("{self:?}")).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        limit::{Limit, Window},
        time::Timestamp,
    };

    /// Rows of a database are found by what is written here.
    #[test]
    fn a_key_is_written_as_it_always_was() {
        let api = ApiId::new(Timestamp(0), [1; 10]);
        let from = Neighbour::from(std::net::IpAddr::from([192, 0, 2, 1]));
        let shape = Limit::messages(1, Window::Month).shape();
        let key = BudgetKey { holder: Holder::Address { api, from }, shape };
        let written = serde_json::to_string(&key).unwrap();
        assert_eq!(
            written,
            r#"{"holder":{"address":{"api":"00000000-0000-7101-8101-010101010101","from":{"v4":"192.0.2.1"}}},"shape":{"unit":"messages","per":"month","slides":false,"direction":"both"}}"#
        );
        assert_eq!(serde_json::from_str::<BudgetKey>(&written).unwrap(), key);
        let key = BudgetKey { holder: Holder::Topic { api, path: "/rooms/{room}".into() }, shape };
        let written = serde_json::to_string(&key).unwrap();
        assert_eq!(
            written,
            r#"{"holder":{"topic":{"api":"00000000-0000-7101-8101-010101010101","path":"/rooms/{room}"}},"shape":{"unit":"messages","per":"month","slides":false,"direction":"both"}}"#
        );
        assert_eq!(serde_json::from_str::<BudgetKey>(&written).unwrap(), key);
        let id = CustomRuleId::new(Timestamp(0), [1; 10]);
        let key = BudgetKey { holder: Holder::Rule { id, key: "acme".into() }, shape };
        let written = serde_json::to_string(&key).unwrap();
        assert_eq!(
            written,
            r#"{"holder":{"rule":{"id":"00000000-0000-7101-8101-010101010101","key":"acme"}},"shape":{"unit":"messages","per":"month","slides":false,"direction":"both"}}"#
        );
        assert_eq!(serde_json::from_str::<BudgetKey>(&written).unwrap(), key);
        for (path, level, of) in [(None, Level::Api, "null"), (Some("/*".into()), Level::Topic, r#""/*""#)] {
            let key = BudgetKey { holder: Holder::Group { api, path, name: "Inside".into() }, shape };
            let written = serde_json::to_string(&key).unwrap();
            assert_eq!(
                written,
                format!(
                    r#"{{"holder":{{"group":{{"api":"00000000-0000-7101-8101-010101010101","path":{of},"name":"Inside"}}}},"shape":{{"unit":"messages","per":"month","slides":false,"direction":"both"}}}}"#
                )
            );
            assert_eq!(serde_json::from_str::<BudgetKey>(&written).unwrap(), key);
            assert_eq!(key.holder.level(), level);
        }
    }
}
