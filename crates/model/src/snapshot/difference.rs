//! What a snapshot changes of the one before it, so that gateways ask those sessions again which it touches, and no others.
//!
//! It may name too much and never too little: whoever is not touched would be answered as before. It knows no sessions
//! but by what they hold.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::Arc,
};

use crate::{
    admit::Grant,
    custom_rule::{CustomRuleFacts, Rule},
    id::{ApiId, ApplicationId, KeyManagerId},
    snapshot::ClientFacts,
};

/// What was added, changed or removed, by the names under which a [`Grant`] knows it.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// Something that any session may live by: issuers and their keys, rules that keep somebody out.
    pub(super) is_everywhere: bool,
    pub(super) apis: HashSet<ApiId>,
    pub(super) applications: HashSet<ApplicationId>,
    /// OAuth clients of all issuers, API keys and certificates.
    pub(super) credentials: HashSet<Arc<str>>,
    pub(super) subscriptions: HashSet<(ApplicationId, ApiId)>,
    pub(super) plans: HashSet<String>,
    pub(super) policies: HashSet<String>,
    pub(super) api_policies: HashSet<String>,
}

impl Difference {
    /// Whether the answer to somebody who holds this may be another.
    pub(super) fn touches(&self, held: &Grant) -> bool {
        let (api, application) = (held.api_id(), held.application_id());
        self.is_everywhere
            || self.apis.contains(&api)
            || self.applications.contains(&application)
            || self.credentials.contains(&held.client_id)
            || held.source.as_ref().is_some_and(|source| self.credentials.contains(source.client_id.as_str()))
            || self.subscriptions.contains(&(application, api))
            || self.plans.contains(held.plan_name())
            || self.policies.contains(&held.application_policy.name)
            || held.api_policies().any(|policy| self.api_policies.contains(&policy.name))
    }
}

/// The entries of a snapshot, sharing their names with those of the one before it, and what is the same besides as `same`
/// chooses; notes the names of all others.
pub(super) fn share<K: Clone + Eq + Hash, V: PartialEq>(
    entries: impl IntoIterator<Item = (K, V)>,
    earlier: &HashMap<K, V>,
    changed: &mut HashSet<K>,
    same: impl Fn(&V, V) -> V,
) -> HashMap<K, V> {
    let mut differs = Vec::new();
    let entries = entries.into_iter().map(|(name, value)| match earlier.get_key_value(&name) {
        Some((known, before)) if *before == value => (known.clone(), same(before, value)),
        Some((known, _)) => {
            differs.push(known.clone());
            (known.clone(), value)
        }
        None => {
            differs.push(name.clone());
            (name, value)
        }
    });
    let entries: HashMap<K, V> = entries.collect();
    changed.extend(differs);
    changed.extend(earlier.keys().filter(|name| !entries.contains_key(name)).cloned());
    entries
}

/// Chooses the value that is there already, which sessions share.
pub(super) fn shared<T>(before: &Arc<T>, _: Arc<T>) -> Arc<T> {
    Arc::clone(before)
}

/// Chooses the new value, which is the same and not shared.
pub(super) fn own<T>(_: &T, value: T) -> T {
    value
}

/// Custom rules, of which those that are the same are not read again.
pub(super) fn share_rules(rules: Vec<CustomRuleFacts>, earlier: &[Arc<Rule>]) -> Box<[Arc<Rule>]> {
    let rule = |facts: CustomRuleFacts| {
        let same = earlier.iter().find(|rule| rule.is_of(&facts));
        same.map_or_else(|| Arc::new(Rule::new(facts)), Arc::clone)
    };
    rules.into_iter().map(rule).collect()
}

/// As [`share`], of the clients of other issuers, by issuer.
pub(super) fn share_clients(
    clients: Vec<ClientFacts>,
    earlier: &HashMap<KeyManagerId, HashMap<Arc<str>, ClientFacts>>,
    changed: &mut HashSet<Arc<str>>,
) -> HashMap<KeyManagerId, HashMap<Arc<str>, ClientFacts>> {
    let mut of: HashMap<_, Vec<_>> = earlier.keys().map(|id| (*id, Vec::new())).collect();
    for client in clients {
        if let Some(key_manager) = client.key_manager {
            of.entry(key_manager).or_default().push((client.client_id.as_str().into(), client));
        }
    }
    let none = HashMap::new();
    let shared = of.into_iter().map(|(id, clients)| {
        let before = earlier.get(&id).unwrap_or(&none);
        (id, share(clients, before, changed, own))
    });
    shared.filter(|(_, clients)| !clients.is_empty()).collect()
}

#[cfg(test)]
mod tests;
