//! Which addresses a gateway may connect to, asked of the resolved address at every connect.
//!
//! Backends live on private addresses more often than not, so those are allowed. Refused is what nobody's backend
//! has and an attacker wants: link-local and cloud metadata addresses, addresses that stand for "here" or "all", and
//! the product's own listeners. It does not know names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Metadata and control services of clouds outside the link-local ranges: Alibaba, Oracle, Azure; Amazon's on IPv6.
const METADATA: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Whether a gateway whose product listens on `own` may connect to `address`.
pub(crate) fn is_allowed(address: SocketAddr, own: &[SocketAddr]) -> bool {
    let ip = plain(address.ip());
    let is_nobodys = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.is_unspecified() || ip.is_multicast(),
    };
    !is_nobodys && !METADATA.contains(&ip) && !own.iter().any(|own| is_same(*own, address.port(), ip))
}

/// The IPv4 address inside an IPv6 one, where a network would unwrap it: mapped (RFC 4291), NAT64 (RFC 6052), 6to4
/// (RFC 3056).
fn plain(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        _ => ip,
    }
}

fn is_same(own: SocketAddr, port: u16, ip: IpAddr) -> bool {
    if own.port() != port {
        return false;
    }
    let listens_on = plain(own.ip());
    // A listener on "all addresses" is behind every address of this machine.
    listens_on == ip || (listens_on.is_unspecified() && is_of_this_machine(ip))
}

/// Only an own address can be bound to. Asked in the one case that the ports are equal.
fn is_of_this_machine(ip: IpAddr) -> bool {
    ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests;
