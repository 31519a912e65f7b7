//! Whom the prepared rules keep out, held against the rules read one by one.

use proptest::prelude::*;

use super::*;
use crate::{id::ApiId, lifecycle::State};

fn api(context: &str) -> ApiFacts {
    ApiFacts {
        id: ApiId::new(Timestamp(0), [1; 10]),
        name: "Echo".to_owned(),
        context: context.to_owned(),
        version: "1.0".to_owned(),
        state: State::Published,
        is_default_version: false,
        revision: 1,
        endpoints: crate::endpoint::Endpoints::default(),
        protocol: crate::protocol::Protocol::default(),
        headers: crate::headers::HeaderRules::default(),
        mappings: Vec::new(),
        topics: crate::topic::Topics::default(),
        scopes: Vec::new(),
        security: crate::security::Security::default(),
        issuers: crate::issuer::AcceptedIssuers::default(),
        api_policy: None,
        notice: None,
    }
}

fn user(number: u8) -> UserId {
    UserId::new(Timestamp(0), [number; 10])
}

fn application(number: u8, owner: Option<UserId>) -> ApplicationFacts {
    let id = ApplicationId::new(Timestamp(0), [number; 10]);
    ApplicationFacts { id, name: "App".to_owned(), policy: "Unlimited".to_owned(), owner }
}

fn rule(denied: Denied, is_inverted: bool) -> DenyFacts {
    let subject = match denied {
        Denied::User(_) => Some([9; 8].into()),
        _ => None,
    };
    DenyFacts { denied, is_inverted, subject }
}

fn range(text: &str) -> Denied {
    Denied::Range(text.parse().unwrap())
}

fn address(text: &str) -> Denied {
    Denied::Address(text.parse().unwrap())
}

fn is_denied_at(rules: &[DenyFacts], place: &str) -> bool {
    let (api, application) = (api("/echo"), application(1, None));
    let connected =
        Connected { api: &api, application: &application, subject: None, address: place.parse().unwrap() };
    rules.iter().collect::<Denials>().deny(&connected)
}

#[test]
fn an_address_or_a_range_keeps_out_who_is_in_it() {
    let rules = [
        rule(address("203.0.113.7"), false),
        rule(range("10.0.0.0/8"), false),
        rule(range("2001:db8::/32"), false),
        rule(address("2001:db9::1"), false),
    ];
    for inside in ["203.0.113.7", "::ffff:203.0.113.7", "10.255.0.1", "2001:db8:1::1", "2001:db9::1"] {
        assert!(is_denied_at(&rules, inside), "{inside}");
    }
    for outside in ["203.0.113.8", "11.0.0.1", "2001:db7::1", "2001:db9::2", "::1"] {
        assert!(!is_denied_at(&rules, outside), "{outside}");
    }
    assert!(!is_denied_at(&[], "203.0.113.7"));
    assert!(is_denied_at(&[rule(range("0.0.0.0/0"), false)], "1.2.3.4"));
    assert!(!is_denied_at(&[rule(range("0.0.0.0/0"), false)], "::1"), "the other family is another");
}

#[test]
fn inverted_rules_hold_together_and_plain_ones_come_first() {
    let rules = [rule(range("10.0.0.0/8"), true), rule(range("2001:db8::/32"), true)];
    for inside in ["10.0.0.1", "2001:db8::1", "::ffff:10.1.1.1"] {
        assert!(!is_denied_at(&rules, inside), "{inside}");
    }
    for outside in ["192.0.2.1", "::1"] {
        assert!(is_denied_at(&rules, outside), "{outside}");
    }
    let and_one = [rules[0].clone(), rule(address("10.0.0.1"), false)];
    assert!(is_denied_at(&and_one, "10.0.0.1") && !is_denied_at(&and_one, "10.0.0.2"));
}

#[test]
fn an_api_an_application_and_a_person_are_kept_out_wherever_they_are() {
    let (echo, other) = (api("/echo"), api("/echo/more"));
    let (one, two) = (application(1, Some(user(1))), application(2, Some(user(2))));
    let deny = |denied: Denied, connected: Connected<'_>| {
        [rule(denied, false)].iter().collect::<Denials>().deny(&connected)
    };
    let at = Connected { api: &echo, application: &one, subject: None, address: Ipv4Addr::LOCALHOST.into() };
    assert!(deny(Denied::Api("/echo".to_owned()), at));
    assert!(!deny(Denied::Api("/echo".to_owned()), Connected { api: &other, ..at }));
    assert!(deny(Denied::Application(one.id), at));
    assert!(!deny(Denied::Application(one.id), Connected { application: &two, ..at }));
    // Whoever the token speaks for; the owner only where it speaks for nobody.
    let (theirs, others) = (Some([9; 8].into()), Some([8; 8].into()));
    for (subject, application, expected) in
        [(None, &one, true), (None, &two, false), (theirs, &two, true), (others, &one, false)]
    {
        let connected = Connected { application, subject, ..at };
        assert_eq!(deny(Denied::User(user(1)), connected), expected, "{subject:?}");
    }
}

#[test]
fn a_range_is_written_in_one_way() {
    for (text, written) in [
        ("10.1.2.3/8", "10.0.0.0/8"),
        (" 203.0.113.0/24 ", "203.0.113.0/24"),
        ("2001:DB8::1/32", "2001:db8::/32"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::/0", "::/0"),
    ] {
        assert_eq!(text.parse::<Range>().unwrap().to_string(), written);
    }
    for wrong in ["", "10.0.0.1", "10.0.0.0/33", "2001:db8::/129", "10.0.0/8", "10.0.0.0-10.0.0.9", "/8"] {
        assert_eq!(wrong.parse::<Range>(), Err(NoRange), "{wrong}");
    }
}

proptest! {
    #[test]
    fn sets_of_prefixes_find_what_the_rules_say(
        rules in proptest::collection::vec((any::<u32>(), 0..=32_u8, any::<bool>()), 0..40),
        wide in proptest::collection::vec((any::<u128>(), 0..=128_u8, any::<bool>()), 0..40),
        places in proptest::collection::vec(any::<u32>(), 1..20),
        wide_places in proptest::collection::vec(any::<u128>(), 1..20),
        pick in any::<prop::sample::Index>(),
    ) {
        let v4 = rules.iter().map(|(bits, prefix, inverted)| (IpAddr::from(Ipv4Addr::from_bits(*bits)), *prefix, *inverted));
        let v6 = wide.iter().map(|(bits, prefix, inverted)| (IpAddr::from(Ipv6Addr::from_bits(*bits)), *prefix, *inverted));
        let nets: Vec<(IpNet, bool)> =
            v4.chain(v6).map(|(ip, prefix, inverted)| (IpNet::new(ip, prefix).unwrap(), inverted)).collect();
        let facts: Vec<_> = nets.iter().map(|(net, inverted)| rule(range(&net.to_string()), *inverted)).collect();
        let denials: Denials = facts.iter().collect();
        let mut all: Vec<IpAddr> = places.into_iter().map(|bits| Ipv4Addr::from_bits(bits).into()).collect();
        all.extend(wide_places.into_iter().map(|bits| IpAddr::from(Ipv6Addr::from_bits(bits))));
        if !nets.is_empty() {
            all.push(pick.get(&nets).0.addr());
        }
        for place in all.into_iter().map(|ip| ip.to_canonical()) {
            let holds = |wanted: bool| nets.iter().any(|(net, inverted)| *inverted == wanted && net.contains(&place));
            let has_inverted = nets.iter().any(|(_, inverted)| *inverted);
            prop_assert_eq!(denials.deny_place(place), holds(false) || (has_inverted && !holds(true)), "{}", place);
        }
    }
}
