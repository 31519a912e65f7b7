//! In what a working copy differs from what is live: every field that can be changed, and nothing else.

use uuid::Uuid;

use super::*;
use crate::endpoint::Endpoint;

fn design() -> Design {
    Design {
        description: "Says what it hears.".to_owned(),
        endpoints: Endpoints { production: Some(Endpoint::new("ws://backend")), sandbox: None },
        plans: vec!["Gold".to_owned(), "Silver".to_owned()],
        ..Design::default()
    }
}

fn differences(change: impl FnOnce(&mut Design)) -> Vec<String> {
    let mut working = design();
    change(&mut working);
    let api = Api {
        id: ApiId(Uuid::nil()),
        name: "Echo".to_owned(),
        context: "/echo".to_owned(),
        version: "1.0".to_owned(),
        state: State::Published,
        owner: None,
        owner_name: String::new(),
        is_default_version: false,
        demo: false,
        design: working,
        live: Some(Live { revision: 1, deployed_at: Timestamp(0), design: design() }),
        revisions: 1,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        etag: 1,
    };
    assert_eq!(Api { live: None, ..api.clone() }.differences(), []);
    let shown = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let told = |one: Difference| format!("{}: {} to {}", one.field, shown(one.live), shown(one.working));
    api.differences().into_iter().map(told).collect()
}

#[test]
fn each_field_that_differs_is_named_with_both_values() {
    let check = |change: &dyn Fn(&mut Design), expected: &[&str]| {
        assert_eq!(differences(change), expected);
    };
    check(&|_| {}, &[]);
    check(&|design| design.plans.reverse(), &[]);
    check(&|design| design.description = "Else.".to_owned(), &["description: Says what it hears. to Else."]);
    check(&|design| design.plans.truncate(1), &["plans: Gold, Silver to Gold"]);
    check(&|design| design.plans.clear(), &["plans: Gold, Silver to -"]);
    check(
        &|design| design.endpoints.production.as_mut().unwrap().idle_timeout_ms = 1_000,
        &["endpoints.production.idle_timeout_ms: 900000 to 1000"],
    );
    check(
        &|design| design.security.origins.push("https://good.test".to_owned()),
        &["security.origins: - to https://good.test"],
    );
    check(
        &|design| design.security.accepts = [crate::security::Way::OAuthHeader].into(),
        &["security.accepts: oauth_header, oauth_query, oauth_subprotocol, ticket to oauth_header"],
    );
    check(
        &|design| design.security.api_key_header = "X-Key".to_owned(),
        &["security.api_key_header: ApiKey to X-Key"],
    );
    let added = differences(|design| design.endpoints.sandbox = Some(Endpoint::new("ws://sandbox")));
    for expected in [
        "endpoints.sandbox.url: - to ws://sandbox",
        "endpoints.sandbox.balance: - to round_robin",
        "endpoints.sandbox.connect_timeout_ms: - to 5000",
        "endpoints.sandbox.idle_timeout_ms: - to 900000",
    ] {
        assert!(added.iter().any(|told| told == expected), "{expected} in {added:?}");
    }
    let removed = differences(|design| design.endpoints.production = None);
    let turned = removed.iter().map(|told| told.split(": ").next().unwrap().replace("production", "sandbox"));
    let fields = added.iter().map(|told| told.split(": ").next().unwrap());
    assert!(turned.eq(fields), "all of an endpoint comes and goes: {added:?} and {removed:?}");
}
