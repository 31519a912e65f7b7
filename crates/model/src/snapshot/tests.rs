//! The indexes find what a search through the parts finds, and the parts survive their journey over a link.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::headers::HeaderRules;
use crate::{
    endpoint::Endpoint,
    lifecycle::STATES,
    policy::{application_policies, business_plans},
};

fn api_id(number: u8) -> ApiId {
    ApiId(Uuid::from_u128(number.into()))
}

fn application_id(number: u8) -> ApplicationId {
    ApplicationId(Uuid::from_u128(number.into()))
}

/// Worlds as the store makes them: ids are unique, a path has one API, a context has one default version.
fn worlds() -> impl Strategy<Value = SnapshotParts> {
    let api = (0..6_u8, 0..4_u8, prop::sample::select(STATES.to_vec()), any::<bool>(), any::<bool>());
    let apis = prop::collection::vec(api, 0..12);
    let subscriptions = prop::collection::vec((0..5_u8, 0..12_u8), 0..20);
    (any::<u32>(), apis, 0..5_u8, subscriptions).prop_map(|(number, apis, applications, subscriptions)| {
        let mut parts = SnapshotParts {
            number: number.into(),
            plans: business_plans(),
            application_policies: application_policies(),
            ..SnapshotParts::default()
        };
        for (place, (context, version, state, is_default_version, sandbox)) in (0..).zip(apis) {
            let (context, version) = (format!("/c{context}"), format!("{version}.0"));
            let same = |api: &&ApiFacts| api.context == context;
            if parts.apis.iter().filter(same).any(|api| api.version == version) {
                continue;
            }
            let is_default_version =
                is_default_version && !parts.apis.iter().filter(same).any(|api| api.is_default_version);
            let endpoint = Some(Endpoint::new("ws://backend"));
            let endpoints = Endpoints { production: endpoint.clone(), sandbox: endpoint.filter(|_| sandbox) };
            let (id, name) = (api_id(place), context[1..].to_owned());
            let (revision, protocol, headers) = (1, Protocol::default(), HeaderRules::default());
            let (mappings, security) = (Vec::new(), Security::default());
            let (issuers, topics) = (AcceptedIssuers::default(), Topics::default());
            let scopes = Vec::new();
            let api = ApiFacts {
                id,
                name,
                context,
                version,
                state,
                is_default_version,
                revision,
                endpoints,
                protocol,
                headers,
                mappings,
                topics,
                scopes,
                security,
                issuers,
                api_policy: None,
                notice: None,
            };
            parts.apis.push(api);
        }
        for number in 0..applications {
            let (id, name) = (application_id(number), format!("Application {number}"));
            parts.applications.push(ApplicationFacts {
                id,
                name,
                policy: "Unlimited".to_owned(),
                owner: None,
            });
            let (client_id, environment) = (format!("client-{number}"), Environment::Production);
            parts.clients.push(ClientFacts { client_id, application: id, environment, key_manager: None });
        }
        for (place, (application, api)) in subscriptions.into_iter().enumerate() {
            let (application, api) = (application_id(application), api_id(api));
            if !parts.subscriptions.iter().any(|one| (one.application, one.api) == (application, api)) {
                let id = SubscriptionId(Uuid::from_u128(place as u128));
                parts.subscriptions.push(SubscriptionFacts { id, application, api, plan: "Gold".to_owned() });
            }
        }
        parts
    })
}

/// The API at a path by trying every API's addresses, the longest first.
fn searched<'p>(parts: &SnapshotParts, path: &'p str) -> Option<(ApiId, &'p str)> {
    let addresses = parts.apis.iter().flat_map(|api| {
        let default = api.is_default_version.then(|| (default_path(&api.context), api.id));
        [Some((base_path(&api.context, &api.version), api.id)), default].into_iter().flatten()
    });
    addresses
        .filter_map(|(address, id)| Some((address.len(), id, path.strip_prefix(&address)?)))
        .filter(|(_, _, topic)| topic.is_empty() || topic.starts_with('/'))
        .max_by_key(|(length, _, _)| *length)
        .map(|(_, id, topic)| (id, topic))
}

proptest! {
    #[test]
    fn the_indexes_find_what_a_search_through_the_parts_finds(parts in worlds(), paths in prop::collection::vec("/c[0-7](/[0-4]\\.0)?(/[a-c]|/)?", 1..12)) {
        let snapshot = Snapshot::new(parts.clone());
        prop_assert_eq!(snapshot.number(), parts.number);
        for path in &paths {
            let found = snapshot.route(path).map(|found| (found.api, found.topic));
            prop_assert_eq!(found, searched(&parts, path), "{}", path);
        }
        for number in 0..13 {
            let api = parts.apis.iter().find(|api| api.id == api_id(number));
            prop_assert_eq!(snapshot.api(api_id(number)).map(AsRef::as_ref), api);
            let application = parts.applications.iter().find(|one| one.id == application_id(number));
            prop_assert_eq!(snapshot.application(application_id(number)).map(AsRef::as_ref), application);
            let client_id = format!("client-{number}");
            let client = parts.clients.iter().find(|one| one.client_id == client_id);
            prop_assert_eq!(snapshot.client(&client_id), client);
            for application in 0..6 {
                let pair = (application_id(application), api_id(number));
                let subscription = parts.subscriptions.iter().find(|one| (one.application, one.api) == pair);
                prop_assert_eq!(snapshot.subscription(pair.0, pair.1), subscription);
            }
        }
        for plan in business_plans() {
            prop_assert_eq!(snapshot.plan(&plan.name).map(|found| &**found), Some(&plan));
        }
        prop_assert!(snapshot.plan("20PerMin").is_none() && snapshot.application_policy("Gold").is_none());
    }

    #[test]
    fn the_order_of_the_parts_does_not_matter(parts in worlds(), path in "/c[0-7](/[0-4]\\.0)?(/[a-c]|/)?") {
        let mut turned = parts.clone();
        turned.apis.reverse();
        turned.subscriptions.reverse();
        let (one, other) = (Snapshot::new(parts), Snapshot::new(turned));
        prop_assert_eq!(one.route(&path), other.route(&path));
    }

    #[test]
    fn the_parts_come_out_of_a_link_as_they_went_in(parts in worlds()) {
        let text = serde_json::to_string(&parts).unwrap();
        prop_assert_eq!(serde_json::from_str::<SnapshotParts>(&text).unwrap(), parts);
    }
}
