//! When a condition holds, as tables, and patterns and the choice of a group against slower ways to say the same.

use std::{net::Ipv4Addr, sync::Arc};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    admit::Identity,
    attribute::Claims,
    limit::{Limit, Window},
    policy::Policy,
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));

fn condition(body: Value) -> Condition {
    serde_json::from_value(body).unwrap()
}

/// A session with these, all of which are looked at.
fn session(headers: &[(&str, &str)], parameters: &[(&str, &str)], token: &Value) -> Option<Arc<Attributes>> {
    let mut looked_at = LookedAt::default();
    for (name, _) in headers {
        looked_at.add_header(name);
    }
    for (name, _) in parameters {
        looked_at.add_parameter(name);
    }
    let token = token.as_object().unwrap();
    for name in token.keys() {
        looked_at.add_claim(name);
    }
    let claims = Claims::of(token, looked_at.claims());
    Attributes::of(
        &looked_at,
        headers.iter().map(|(name, value)| (*name, value.as_bytes())),
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        &Identity { claims, ..Identity::default() },
    )
}

#[test]
fn a_condition_holds_by_one_of_its_values_and_inverted_by_none() {
    let attributes = session(
        &[("X-Tier", "gold"), ("X-Twice", "one"), ("x_twice", "two"), ("X-Empty", "")],
        &[("room", "A"), ("room", "b c")],
        &json!({"groups": ["staff", "eu"], "level": 7, "beta": true, "none": [], "name": "Ada*"}),
    );
    let named =
        |kind: &str, name: &str, any_of: &[&str]| json!({"kind": kind, "name": name, "any_of": any_of});
    for (body, holds) in [
        (named("header", "x-tier", &["silver", "gold"]), true),
        (named("header", "X_TIER", &["gold"]), true),
        (named("header", "x-tier", &["Gold"]), false),
        (named("header", "x-tier", &["go", "old"]), false),
        (named("header", "x-tier", &["g*d"]), true),
        (named("header", "x-twice", &["two"]), true),
        (named("header", "x-empty", &["*"]), true),
        (named("header", "x-empty", &["?*"]), false),
        (named("header", "x-absent", &["*"]), false),
        (named("query", "room", &["A"]), true),
        (named("query", "room", &["a"]), false),
        (named("query", "Room", &["A"]), false),
        (named("query", "room", &["b *"]), true),
        (named("claim", "groups", &["eu"]), true),
        (named("claim", "groups", &["staff eu", "e"]), false),
        (named("claim", "level", &["7"]), true),
        (named("claim", "level", &["7.0"]), false),
        (named("claim", "beta", &["true"]), true),
        (named("claim", "beta", &["false"]), false),
        (named("claim", "none", &["*"]), false),
        (named("claim", "absent", &["*"]), false),
        (named("claim", "name", &["Ada*"]), true),
        // A header is no claim.
        (named("claim", "x-tier", &["gold"]), false),
    ] {
        let one = condition(body.clone());
        assert_eq!(one.holds(HERE, attributes.as_deref()), holds, "{body}");
        let inverted = Condition { is_inverted: true, ..one.clone() };
        assert_eq!(inverted.holds(HERE, attributes.as_deref()), !holds, "not {body}");
        // Of a session of which nothing was kept, everything is absent.
        assert!(!one.holds(HERE, None) && inverted.holds(HERE, None), "{body}");
        assert_eq!(serde_json::from_value::<Condition>(serde_json::to_value(&one).unwrap()).unwrap(), one);
    }
}

#[test]
fn an_address_is_in_a_range_however_it_is_written() {
    for (any_of, address, holds) in [
        (json!(["10.0.0.0/8"]), "10.255.0.1", true),
        (json!(["10.0.0.0/8"]), "11.0.0.1", false),
        (json!(["10.0.0.0/8"]), "::ffff:10.2.3.4", true),
        (json!(["::ffff:10.0.0.0/104"]), "10.2.3.4", true),
        (json!(["::ffff:10.0.0.0/104"]), "::ffff:10.2.3.4", true),
        (json!(["192.0.2.7/32"]), "192.0.2.7", true),
        (json!(["192.0.2.7/32"]), "192.0.2.8", false),
        (json!(["2001:db8::/32"]), "2001:db8:ffff::1", true),
        (json!(["2001:db8::/32"]), "2001:db9::1", false),
        (json!(["0.0.0.0/0"]), "203.0.113.1", true),
        (json!(["0.0.0.0/0"]), "2001:db8::1", false),
        (json!(["::/0"]), "203.0.113.1", false),
        (json!(["203.0.113.0/24", "2001:db8::1/128"]), "2001:db8::1", true),
    ] {
        let one = condition(json!({"kind": "address", "any_of": any_of}));
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(one.holds(address, None), holds, "{any_of} {address}");
        let inverted = Condition { is_inverted: true, ..one };
        assert_eq!(inverted.holds(address, None), !holds, "not {any_of} {address}");
    }
}

/// Whether a pattern matches, by trying every way that a star can be.
fn slowly(pattern: &[u8], value: &[u8]) -> bool {
    match (pattern.split_first(), value.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), None) => slowly(rest, value),
        (Some((b'*', rest)), Some((_, after))) => slowly(rest, value) || slowly(pattern, after),
        (Some((one, rest)), Some((other, after))) => one == other && slowly(rest, after),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// The second condition of a group that a small session may be in: a header, a parameter or a claim of few values.
fn any_condition() -> impl Strategy<Value = Condition> {
    let aspect =
        (0..4_u8, prop::sample::subsequence(vec!["a", "b", "a*", "*"], 1..3)).prop_map(|(kind, values)| {
            let name = "n".to_owned();
            let any_of: Vec<_> = values.iter().map(|value| Pattern((*value).to_owned())).collect();
            match kind {
                0 => Aspect::Header { name, any_of },
                1 => Aspect::Query { name, any_of },
                2 => Aspect::Claim { name, any_of },
                _ => Aspect::Address { any_of: vec!["10.0.0.0/8".parse().unwrap()] },
            }
        });
    (aspect, any::<bool>()).prop_map(|(aspect, is_inverted)| Condition { aspect, is_inverted })
}

/// What of a session a condition looks at, as a list of all values that are there.
fn values<'v>(aspect: &Aspect, told: &'v [Vec<&'static str>; 3]) -> &'v [&'static str] {
    match aspect {
        Aspect::Header { .. } => &told[0],
        Aspect::Query { .. } => &told[1],
        Aspect::Claim { .. } => &told[2],
        Aspect::Address { .. } => &[],
    }
}

proptest! {
    #[test]
    fn a_pattern_matches_as_if_every_way_were_tried(pattern in "[ab*]{0,8}", value in "[ab]{0,10}") {
        prop_assert_eq!(Pattern(pattern.clone()).matches(&value), slowly(pattern.as_bytes(), value.as_bytes()));
    }

    #[test]
    fn the_first_group_of_which_everything_holds_is_the_one(
        groups in prop::collection::vec(prop::collection::vec(any_condition(), 1..4), 0..5),
        told in [
            prop::sample::subsequence(vec!["a", "ab", "b", "c"], 0..3),
            prop::sample::subsequence(vec!["a", "ab", "b", "c"], 0..3),
            prop::sample::subsequence(vec!["a", "ab", "b", "c"], 0..3),
        ],
        is_inside in any::<bool>(),
    ) {
        let named = |values: &[&'static str]| values.iter().map(|value| ("n", *value)).collect::<Vec<_>>();
        let token = if told[2].is_empty() { json!({}) } else { json!({ "n": told[2] }) };
        let attributes = session(&named(&told[0]), &named(&told[1]), &token);
        let address = if is_inside { HERE } else { [192, 0, 2, 1].into() };
        let holds = |condition: &Condition| {
            let found = match &condition.aspect {
                Aspect::Address { .. } => is_inside,
                Aspect::Header { any_of, .. } | Aspect::Query { any_of, .. } | Aspect::Claim { any_of, .. } => {
                    let values = values(&condition.aspect, &told);
                    any_of.iter().any(|it| values.iter().any(|value| slowly(it.0.as_bytes(), value.as_bytes())))
                }
            };
            if condition.is_inverted { !found } else { found }
        };
        let expected = groups.iter().position(|conditions| conditions.iter().all(holds));
        let group = |(place, conditions): (usize, &Vec<Condition>)| Group {
            name: place.to_string(),
            conditions: conditions.clone(),
            limits: vec![Limit::messages(1, Window::Minute)],
            ..Group::default()
        };
        let policy = Policy { groups: groups.iter().enumerate().map(group).collect(), ..Policy::default() };
        let chosen = policy.group_of(address, attributes.as_deref()).map(|group| group.name.parse().unwrap());
        prop_assert_eq!(chosen, expected);
    }
}
