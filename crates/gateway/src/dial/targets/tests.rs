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
