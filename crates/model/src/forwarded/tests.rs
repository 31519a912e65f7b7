//! Chains of proxies, honest and not.

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn the_client_is_the_last_one_that_no_trusted_proxy_is() {
    let trusted = TrustedProxies::parse("10.0.0.0/8, 192.0.2.1, fd00::/8").unwrap();
    for (peer, reported, client) in [
        ("198.51.100.7", vec!["203.0.113.9"], "198.51.100.7"),
        ("10.0.0.1", vec![], "10.0.0.1"),
        ("10.0.0.1", vec!["203.0.113.9"], "203.0.113.9"),
        ("::ffff:10.0.0.1", vec!["::ffff:203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", vec!["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", vec!["203.0.113.9", "192.0.2.1"], "203.0.113.9"),
        ("10.0.0.1", vec!["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", vec!["203.0.113.9:4711"], "203.0.113.9"),
        ("fd00::1", vec!["[2001:db8::9]:4711"], "2001:db8::9"),
        ("fd00::1", vec!["2001:db8::9"], "2001:db8::9"),
        ("10.0.0.1", vec!["1.1.1.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", vec!["1.1.1.1, , 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", vec![""], "10.0.0.1"),
    ] {
        assert_eq!(trusted.client(ip(peer), reported.iter().copied()), ip(client), "{peer} {reported:?}");
    }
}

#[test]
fn nobody_is_trusted_unless_named_and_nonsense_is_refused() {
    let nobody = TrustedProxies::parse(" , ").unwrap();
    assert_eq!(nobody, TrustedProxies::default());
    assert_eq!(nobody.client(ip("127.0.0.1"), ["203.0.113.9"].into_iter()), ip("127.0.0.1"));
    assert_eq!(TrustedProxies::parse("10.0.0.0/33"), Err(BadNetwork("10.0.0.0/33".to_owned())));
    assert_eq!(TrustedProxies::parse("proxy.example"), Err(BadNetwork("proxy.example".to_owned())));
}
