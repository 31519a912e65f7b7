//! Who shares a place with whom, and that nothing stays behind.

use super::*;

fn crowd(most: u32) -> Arc<Crowd> {
    Crowd::new(NonZeroU32::new(most))
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect(text)
}

#[test]
fn a_place_is_given_back_and_nothing_remains() {
    let crowd = crowd(2);
    let first = crowd.place(ip("192.0.2.1")).expect("one");
    let second = crowd.place(ip("192.0.2.1")).expect("two");
    assert_eq!(crowd.place(ip("192.0.2.1")).expect_err("three"), Crowded);
    let other = crowd.place(ip("192.0.2.2")).expect("somebody else");
    drop(first);
    let third = crowd.place(ip("192.0.2.1")).expect("two again");
    drop((second, third, other));
    assert_eq!(crowd.open().len(), 0);
}

#[test]
fn one_customer_of_ipv6_is_one_address() {
    let crowd = crowd(1);
    let _held = crowd.place(ip("2001:db8:0:1::1")).expect("the first");
    crowd.place(ip("2001:db8:0:1:ffff::2")).expect_err("the same network");
    crowd.place(ip("2001:db8:0:2::1")).expect("the neighbour's");
    let _mapped = crowd.place(ip("::ffff:192.0.2.1")).expect("an IPv4 address in the clothes of IPv6");
    crowd.place(ip("192.0.2.1")).expect_err("is that IPv4 address");
    crowd.place(ip("192.0.2.2")).expect("and no other");
}

#[test]
fn without_a_bound_nothing_is_counted() {
    let crowd = Crowd::new(None);
    let _places: Vec<_> = (0..100).map(|_| crowd.place(ip("192.0.2.1")).expect("no bound")).collect();
    assert_eq!(crowd.open().len(), 0);
}
