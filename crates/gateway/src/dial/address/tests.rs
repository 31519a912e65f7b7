//! What is dialled and what is not, in every spelling of an address.

use proptest::prelude::*;

use super::*;

fn at(address: &str) -> SocketAddr {
    address.parse().unwrap_or_else(|_| panic!("{address} is an address"))
}

fn is_allowed(address: SocketAddr, own: &[SocketAddr]) -> bool {
    AddressRules { own: own.to_vec(), ..AddressRules::default() }.allow(address)
}

#[track_caller]
fn refuses(address: &str, own: &[&str], why: &str) {
    let own: Vec<_> = own.iter().map(|own| at(own)).collect();
    assert!(!is_allowed(at(address), &own), "{address} must not be dialled: {why}");
}

#[track_caller]
fn allows(address: &str, own: &[&str], why: &str) {
    let own: Vec<_> = own.iter().map(|own| at(own)).collect();
    assert!(is_allowed(at(address), &own), "{address} may be dialled: {why}");
}

#[test]
fn backends_are_where_people_have_them() {
    for address in [
        "127.0.0.1:8080",
        "127.1.2.3:80",
        "[::1]:8080",
        "10.0.0.7:80",
        "172.16.3.4:80",
        "192.168.1.1:443",
        "100.64.0.1:80",
        "[fd00::1]:80",
        "[fc00:1::2]:80",
        "93.184.216.34:443",
        "[2606:2800:220:1::1]:443",
        "[64:ff9b::5db8:d822]:443",
        "[::ffff:10.0.0.7]:80",
        "[2002:5db8:d822::1]:443",
    ] {
        allows(address, &[], "an ordinary place for a backend");
    }
}

#[test]
fn nobodys_addresses_are_never_dialled() {
    for (address, why) in [
        ("169.254.169.254:80", "metadata of most clouds"),
        ("169.254.170.2:80", "link-local: credentials of containers"),
        ("[fe80::1]:80", "link-local"),
        ("[febf::1%3]:80", "link-local with a zone"),
        ("100.100.100.200:80", "metadata: Alibaba"),
        ("192.0.0.192:80", "metadata: Oracle"),
        ("168.63.129.16:80", "control service: Azure"),
        ("[fd00:ec2::254]:80", "metadata: Amazon"),
        ("0.0.0.0:80", "stands for this machine"),
        ("[::]:80", "stands for this machine"),
        ("224.0.0.1:80", "multicast"),
        ("239.255.255.250:1900", "multicast"),
        ("255.255.255.255:80", "broadcast"),
        ("[ff02::1]:80", "multicast"),
        ("[ff0e::1]:80", "multicast"),
    ] {
        refuses(address, &[], why);
    }
}

#[test]
fn an_ipv4_address_inside_an_ipv6_one_is_unwrapped() {
    for (address, why) in [
        ("[::ffff:169.254.169.254]:80", "mapped"),
        ("[::ffff:a9fe:a9fe]:80", "mapped, in hexadecimal"),
        ("[64:ff9b::a9fe:a9fe]:80", "NAT64"),
        ("[64:ff9b::169.254.169.254]:80", "NAT64, dotted"),
        ("[2002:a9fe:a9fe::]:80", "6to4"),
        ("[2002:a9fe:a9fe:1:2:3:4:5]:80", "6to4, any interface"),
        ("[::ffff:0.0.0.0]:80", "mapped: this machine"),
        ("[64:ff9b::]:80", "NAT64: this machine"),
        ("[2002::1]:80", "6to4: this machine"),
        ("[::ffff:100.100.100.200]:80", "mapped metadata"),
        ("[2002:a83f:8110::1]:80", "6to4 of Azure's control service"),
    ] {
        refuses(address, &[], why);
    }
}

#[test]
fn own_listeners_are_never_dialled() {
    let own = ["127.0.0.1:9099"];
    refuses("127.0.0.1:9099", &own, "the listener itself");
    refuses("[::ffff:127.0.0.1]:9099", &own, "the listener, mapped");
    refuses("[2002:7f00:1::]:9099", &own, "the listener, 6to4");
    allows("127.0.0.1:9098", &own, "another port");
    allows("127.0.0.2:9099", &own, "another address, where it does not listen");
    allows("[::1]:9099", &own, "another address, where it does not listen");
    refuses("[::1]:9099", &["[::1]:9099"], "the listener itself");
    refuses("127.0.0.1:9099", &["[::ffff:127.0.0.1]:9099"], "the listener, bound as mapped");
    refuses("127.0.0.1:2", &["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"], "one of several");
}

#[test]
fn a_listener_on_all_addresses_is_behind_every_address_of_this_machine() {
    for own in ["0.0.0.0:9099", "[::]:9099", "[::ffff:0.0.0.0]:9099"] {
        refuses("127.0.0.1:9099", &[own], "loopback");
        refuses("127.8.8.8:9099", &[own], "loopback");
        refuses("[::1]:9099", &[own], "loopback");
        refuses("[::ffff:127.0.0.1]:9099", &[own], "loopback, mapped");
        allows("127.0.0.1:9098", &[own], "another port");
        allows("192.0.2.1:9099", &[own], "RFC 5737: no machine has it");
        allows("[2001:db8::1]:9099", &[own], "RFC 3849: no machine has it");
    }
}

/// Whether an address may be dialled under these lists, with a listener of the product's own at 127.0.0.1:9099.
fn listed(allow: &str, deny: &str, address: &str) -> bool {
    let read = |list| Networks::parse(list).expect("these are networks");
    let rules = AddressRules { own: vec![at("127.0.0.1:9099")], allow: read(allow), deny: read(deny) };
    rules.allow(at(address))
}

#[test]
fn what_the_operator_denies_is_not_dialled_whoever_allows_it() {
    for address in ["10.1.2.3:80", "[::ffff:10.1.2.3]:80", "[64:ff9b::a01:203]:80", "[2002:a01:203::]:80"] {
        assert!(!listed("", "10.0.0.0/8", address), "{address}");
        assert!(!listed("10.0.0.0/8", "10.1.2.3", address), "{address}");
    }
    assert!(listed("", "10.0.0.0/8", "192.168.1.1:80"));
    assert!(!listed("", "64:ff9b::/96", "[64:ff9b::5db8:d822]:443"), "as it is written as well");
    assert!(!listed("", "fd00::/8,0.0.0.0/0", "[fd00::1]:80"));
}

#[test]
fn where_the_operator_allows_networks_nothing_else_is_dialled() {
    assert!(listed("10.0.0.0/8", "", "10.1.2.3:80"));
    assert!(listed("10.0.0.0/8,fd00::/8", "", "[fd00::1]:80"));
    assert!(listed("10.0.0.0/8", "", "[::ffff:10.1.2.3]:80"));
    for address in ["192.168.1.1:80", "93.184.216.34:443", "[fd00::1]:80", "127.0.0.1:80"] {
        assert!(!listed("10.0.0.0/8", "", address), "{address}");
    }
}

#[test]
fn a_built_in_refusal_is_lifted_by_a_network_within_it_and_by_no_wider_one() {
    for (allow, address, is_lifted) in [
        ("169.254.10.0/24", "169.254.10.7:80", true),
        ("169.254.10.0/24", "169.254.169.254:80", false),
        ("169.254.0.0/16", "169.254.169.254:80", true),
        ("0.0.0.0/0", "169.254.169.254:80", false),
        ("0.0.0.0/0,::/0", "[::ffff:169.254.169.254]:80", false),
        ("::/0", "[fe80::1]:80", false),
        ("fe80::/64", "[fe80::1]:80", true),
        ("100.64.0.0/10", "100.100.100.200:80", false),
        ("100.100.100.200", "100.100.100.200:80", true),
        ("0.0.0.0/0", "0.0.0.0:80", false),
    ] {
        assert_eq!(listed(allow, "", address), is_lifted, "{allow} {address}");
    }
}

#[test]
fn own_listeners_are_never_dialled_whatever_is_allowed() {
    assert!(!listed("127.0.0.1", "", "127.0.0.1:9099"));
    assert!(listed("127.0.0.1", "", "127.0.0.1:9098"));
}

fn any_ipv4() -> impl Strategy<Value = Ipv4Addr> {
    // The interesting ranges are small: half of the cases come from them.
    prop_oneof![
        any::<u32>().prop_map(Ipv4Addr::from_bits),
        any::<u16>().prop_map(|low| Ipv4Addr::from_bits(0xa9fe_0000 | u32::from(low))),
        any::<[u8; 3]>().prop_map(|[a, b, c]| Ipv4Addr::new(127, a, b, c)),
        Just(Ipv4Addr::UNSPECIFIED),
        Just(Ipv4Addr::BROADCAST),
        Just(Ipv4Addr::new(100, 100, 100, 200)),
    ]
}

proptest! {
    #[test]
    fn every_spelling_has_the_same_verdict(ip in any_ipv4(), port in 1..=3_u16, tail in any::<[u16; 5]>()) {
        let own = [at("127.0.0.1:1"), at("10.0.0.1:2")];
        let plain = is_allowed((ip, port).into(), &own);
        let [a, b, c, d] = ip.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let [s, t, u, v, w] = tail;
        for spelling in [
            ip.to_ipv6_mapped(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, s, t, u, v, w),
        ] {
            prop_assert_eq!(is_allowed((spelling, port).into(), &own), plain, "{} as {}", ip, spelling);
        }
    }
}
