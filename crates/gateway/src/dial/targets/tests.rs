//! Order, suspension and the account of open sessions, on a clock of the test's own.

use super::*;

const CLIENT: &[u8] = b"192.0.2.7";

fn endpoint(balance: Balance) -> Endpoint {
    let others = vec!["ws://b".to_owned(), "ws://c".to_owned()];
    let suspension = Suspension { after_failures: 2, first_ms: 1_000, max_ms: 3_000 };
    Endpoint { others, balance, suspension, ..Endpoint::new("ws://a") }
}

fn at(millis: u64) -> Micros {
    Micros::from_millis(millis)
}

fn urls(targets: &Targets, endpoint: &Endpoint, now: Micros) -> Vec<String> {
    let order = targets.order(endpoint, CLIENT, now);
    order.iter().map(|candidate| candidate.url.trim_start_matches("ws://").to_owned()).collect()
}

fn fail(targets: &Targets, endpoint: &Endpoint, url: &str, now: Micros) {
    let order = targets.order(endpoint, CLIENT, now);
    order.iter().find(|candidate| candidate.url == url).unwrap().failed(endpoint.suspension, now);
}

#[test]
fn failover_keeps_the_order_and_round_robin_turns_it() {
    let (targets, failover) = (Targets::default(), endpoint(Balance::Failover));
    for _ in 0..3 {
        assert_eq!(urls(&targets, &failover, at(0)), ["a", "b", "c"]);
    }
    let turning = endpoint(Balance::RoundRobin);
    let firsts: Vec<_> = (0..6).map(|_| urls(&targets, &turning, at(0)).remove(0)).collect();
    assert_eq!(firsts, ["a", "b", "c", "a", "b", "c"]);
}

#[test]
fn the_fewest_sessions_come_first_and_a_session_that_ends_is_given_back() {
    let (targets, least) = (Targets::default(), endpoint(Balance::LeastConnections));
    let take = || targets.order(&least, CLIENT, at(0))[0].succeeded();
    let mut held = vec![take(), take(), take()];
    let open = |url: &str| targets.target(url).open.load(Ordering::Relaxed);
    assert_eq!(["ws://a", "ws://b", "ws://c"].map(open), [1, 1, 1]);
    held.truncate(2);
    let emptied = ["ws://a", "ws://b", "ws://c"].into_iter().find(|url| open(url) == 0).unwrap();
    assert_eq!(targets.order(&least, CLIENT, at(0))[0].url, emptied);
}

#[test]
fn a_client_keeps_its_address_and_clients_are_spread() {
    let (targets, sticky) = (Targets::default(), endpoint(Balance::StickyClient));
    let first = |last: u8| {
        let client = format!("192.0.2.{last}");
        targets.order(&sticky, client.as_bytes(), at(0))[0].url.to_owned()
    };
    let chosen: Vec<_> = (0..=255).map(first).collect();
    assert_eq!(chosen, (0..=255).map(first).collect::<Vec<_>>());
    for url in sticky.targets() {
        assert!(chosen.iter().filter(|chosen| *chosen == url).count() > 50, "{url}");
    }
    // An address that is out moves only its own clients.
    fail(&targets, &sticky, "ws://b", at(0));
    fail(&targets, &sticky, "ws://b", at(0));
    for (last, before) in (0..=255).zip(&chosen) {
        assert!(before == "ws://b" || first(last) == *before);
    }
}

#[test]
fn an_address_is_suspended_after_its_failures_for_longer_each_time_and_comes_back_on_success() {
    let (targets, failover) = (Targets::default(), endpoint(Balance::Failover));
    fail(&targets, &failover, "ws://a", at(0));
    assert_eq!(urls(&targets, &failover, at(0)), ["a", "b", "c"], "one failure is forgiven");
    let mut now = 0;
    for length in [1_000, 2_000, 3_000, 3_000] {
        fail(&targets, &failover, "ws://a", at(now));
        assert_eq!(urls(&targets, &failover, at(now + length - 1)), ["b", "c"], "{length}");
        assert_eq!(urls(&targets, &failover, at(now + length)), ["a", "b", "c"], "{length}");
        now += length;
    }
    drop(targets.order(&failover, CLIENT, at(now))[0].succeeded());
    fail(&targets, &failover, "ws://a", at(now));
    assert_eq!(urls(&targets, &failover, at(now)), ["a", "b", "c"], "a success begins anew");
}

#[test]
fn where_all_are_suspended_all_are_asked() {
    let (targets, failover) = (Targets::default(), endpoint(Balance::Failover));
    for url in ["ws://a", "ws://b", "ws://c"] {
        fail(&targets, &failover, url, at(0));
        fail(&targets, &failover, url, at(0));
    }
    assert_eq!(urls(&targets, &failover, at(500)), ["a", "b", "c"]);
    let alone = Endpoint { others: Vec::new(), ..failover.clone() };
    assert_eq!(urls(&targets, &alone, at(500)), ["a"], "the only one is never left out");
    let never = Endpoint { suspension: Suspension { after_failures: 0, ..failover.suspension }, ..failover };
    fail(&targets, &never, "ws://a", at(2_000));
    assert_eq!(urls(&targets, &never, at(2_000)), ["a", "b", "c"], "zero never suspends");
}

#[test]
fn what_nobody_uses_is_forgotten_beyond_the_bound() {
    let targets = Targets::default();
    let held = targets.order(&Endpoint::new("ws://held"), CLIENT, at(0))[0].succeeded();
    for number in 0..REMEMBERED_MAX + 10 {
        drop(targets.target(&format!("ws://{number}")));
    }
    assert!(targets.by_url().len() <= REMEMBERED_MAX + 1);
    assert!(targets.by_url().contains_key("ws://held"));
    drop(held);
}

fn check(targets: &Targets, endpoint: &Endpoint, url: &str, ok: bool) -> Option<bool> {
    let check = LastCheck { at: tidegate_model::time::Timestamp(7), ok };
    targets.checked(url, targets.way(endpoint), endpoint.health, check)
}

fn checked_endpoint() -> Endpoint {
    let health =
        HealthCheck { interval_ms: 100, unhealthy_after: 2, healthy_after: 3, ..HealthCheck::default() };
    Endpoint { health, ..endpoint(Balance::Failover) }
}

#[test]
fn an_address_is_left_out_after_its_failed_checks_and_comes_back_after_as_many_as_it_needs() {
    let (targets, checked) = (Targets::default(), checked_endpoint());
    let state = || targets.known("ws://a", targets.way(&checked), at(0)).unwrap().state;
    assert_eq!(check(&targets, &checked, "ws://a", false), None);
    assert_eq!(check(&targets, &checked, "ws://a", true), None);
    assert_eq!(check(&targets, &checked, "ws://a", false), None, "a success begins the count anew");
    assert_eq!((urls(&targets, &checked, at(0)).len(), state()), (3, TargetState::Up));
    assert_eq!(check(&targets, &checked, "ws://a", false), Some(false));
    assert_eq!(
        (urls(&targets, &checked, at(0)), state()),
        (vec!["b".to_owned(), "c".to_owned()], TargetState::Unhealthy)
    );
    assert_eq!(check(&targets, &checked, "ws://a", false), None, "it is no news");
    for ok in [true, true, false, true, true] {
        assert_eq!(check(&targets, &checked, "ws://a", ok), None);
    }
    assert_eq!(urls(&targets, &checked, at(0)), ["b", "c"]);
    assert_eq!(check(&targets, &checked, "ws://a", true), Some(true));
    assert_eq!(urls(&targets, &checked, at(0)), ["a", "b", "c"]);
}

#[test]
fn where_all_are_unhealthy_or_suspended_all_are_asked() {
    let (targets, checked) = (Targets::default(), checked_endpoint());
    for url in ["ws://a", "ws://b"] {
        check(&targets, &checked, url, false);
        check(&targets, &checked, url, false);
    }
    assert_eq!(urls(&targets, &checked, at(0)), ["c"]);
    fail(&targets, &checked, "ws://c", at(0));
    fail(&targets, &checked, "ws://c", at(0));
    assert_eq!(urls(&targets, &checked, at(0)), ["a", "b", "c"]);
    drop(targets.order(&checked, CLIENT, at(0))[0].succeeded());
    assert_eq!(urls(&targets, &checked, at(1_000)), ["c"], "a session that opens is no check");
}

#[test]
fn what_checks_found_does_not_outlive_them() {
    let (targets, checked) = (Targets::default(), checked_endpoint());
    check(&targets, &checked, "ws://a", false);
    check(&targets, &checked, "ws://a", false);
    targets.unchecked("ws://a", targets.way(&checked));
    assert_eq!(urls(&targets, &checked, at(0)), ["a", "b", "c"]);
    assert!(targets.target("ws://a").standings().is_empty());
}

#[test]
fn what_one_endpoint_has_of_its_own_spoils_nothing_for_another_with_the_same_address() {
    let (targets, ours) = (Targets::default(), endpoint(Balance::Failover));
    let mut theirs = ours.clone();
    theirs.credential = Box::new(tidegate_model::endpoint::Credential::Basic {
        username: "me".to_owned(),
        password: tidegate_model::user::Secret("wrong".to_owned()),
    });
    fail(&targets, &theirs, "ws://a", at(0));
    fail(&targets, &theirs, "ws://a", at(0));
    assert_eq!(urls(&targets, &theirs, at(0)), ["b", "c"]);
    assert_eq!(urls(&targets, &ours, at(0)), ["a", "b", "c"]);
    let again = Endpoint { idle_timeout_ms: 1, ..theirs };
    assert_eq!(urls(&targets, &again, at(0)), ["b", "c"], "the same way, whatever else differs");
}

#[test]
fn what_is_known_is_told() {
    let (targets, failover) = (Targets::default(), endpoint(Balance::Failover));
    let way = targets.way(&failover);
    let known = |url: &str, now| targets.known(url, way, at(now));
    assert_eq!(known("ws://a", 0), None);
    let held = targets.order(&failover, CLIENT, at(0))[0].succeeded();
    let up = Known { state: TargetState::Up, failures: 0, open: 1, last_check: None };
    assert_eq!(known("ws://a", 0), Some(up));
    drop(held);
    fail(&targets, &failover, "ws://a", at(0));
    fail(&targets, &failover, "ws://a", at(0));
    let suspended = Known { state: TargetState::Suspended { left_ms: 900 }, failures: 2, open: 0, ..up };
    assert_eq!(known("ws://a", 100), Some(suspended));
    assert_eq!(known("ws://a", 1_000).unwrap().state, TargetState::Up);
}
