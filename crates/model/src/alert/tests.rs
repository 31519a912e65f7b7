//! When a threshold is reached, and what settings may be.

use super::*;
use crate::{group::Group, limit::Window, snapshot::SnapshotParts, usage::Used};

fn settings(thresholds: &[u8]) -> AlertSettings {
    AlertSettings { thresholds: thresholds.to_vec(), ..AlertSettings::default() }
}

fn reached(thresholds: &[u8], used: u64, amount: u64, alerted: u8) -> Vec<u8> {
    settings(thresholds).reached(used, amount, alerted).collect()
}

#[test]
fn a_threshold_is_reached_by_the_unit_that_makes_it_full() {
    assert_eq!(reached(&[80, 100], 7, 10, 0), [0; 0]);
    assert_eq!(reached(&[80, 100], 8, 10, 0), [80]);
    assert_eq!(reached(&[80, 100], 9, 10, 80), [0; 0]);
    assert_eq!(reached(&[80, 100], 10, 10, 80), [100]);
    assert_eq!(reached(&[80, 100], 400, 10, 0), [80, 100]);
    assert_eq!(reached(&[], 400, 10, 0), [0; 0]);
}

/// Of a limit that cannot be divided by a hundred nothing is rounded: 80 percent of 3 is 2.4, which the third unit is beyond.
#[test]
fn nothing_is_rounded() {
    assert_eq!(reached(&[80], 2, 3, 0), [0; 0]);
    assert_eq!(reached(&[80], 3, 3, 0), [80]);
    assert_eq!(reached(&[1, 100], u64::MAX, u64::MAX, 0), [1, 100]);
    assert_eq!(reached(&[100], u64::MAX - 1, u64::MAX, 0), [0; 0]);
}

#[test]
fn a_limit_that_lets_nothing_pass_makes_no_alert() {
    assert_eq!(reached(&[80], 0, 0, 0), [0; 0]);
}

#[test]
fn settings_that_ship_keep_their_own_rules_and_their_order() {
    let shipped = AlertSettings::default();
    assert_eq!(shipped.problems(), []);
    assert_eq!(shipped.clone().tidied(), shipped);
}

#[test]
fn a_group_is_watched_by_its_own_limit() {
    let id = ApiId::new(Timestamp(0), [1; 10]);
    let api: ApiFacts = serde_json::from_value(serde_json::json!({
        "id": id, "name": "Echo", "context": "/echo", "version": "1.0", "state": "published",
        "is_default_version": false, "revision": 1, "endpoints": {}, "api_policy": "Api",
    }))
    .unwrap();
    let of_group = Limit::messages(7, Window::Day);
    let conditions = serde_json::from_str(r#"[{"kind": "address", "any_of": ["10.0.0.0/8"]}]"#).unwrap();
    let group = Group { name: "Inside".to_owned(), conditions, limits: vec![of_group], ..Group::default() };
    let policy = Policy {
        name: "Api".to_owned(),
        limits: vec![Limit::messages(5, Window::Day)],
        groups: vec![group],
        ..Policy::default()
    };
    let apis = vec![api];
    let snapshot =
        Snapshot::new(SnapshotParts { apis, api_policies: vec![policy], ..SnapshotParts::default() });
    let usage = |name: &str| Usage {
        key: BudgetKey {
            holder: Holder::Group { api: id, path: None, name: name.into() },
            shape: of_group.shape(),
        },
        used: Used::Calendar { window: 1, units: 1 },
        at: Timestamp(0),
    };
    let found = watched(&snapshot, &[usage("Inside"), usage("Gone")]);
    assert_eq!(found.iter().map(|one| one.limit).collect::<Vec<_>>(), [of_group]);
    assert_eq!(found[0].api.as_ref().map(|api| api.id), Some(id));
}
