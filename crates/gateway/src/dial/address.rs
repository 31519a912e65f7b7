//! Which addresses a gateway may connect to, asked of the resolved address at every connect.
//!
//! In this order: the product's own listeners are never dialled. What the operator denies is not, and where the
//! operator allows anything, nothing else is. What nobody's backend has and an attacker wants (link-local and cloud
//! metadata addresses, addresses that stand for "here" or "all") is not either, unless the operator allows a network
//! that lies wholly within such a range: `0.0.0.0/0` is no wish to have metadata dialled, `169.254.10.0/24` is one.
//! Backends live on private addresses more often than not, so those are allowed. It does not know names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use tidegate_model::network::Networks;

/// Metadata and control services of clouds outside the link-local ranges: Alibaba, Oracle, Azure; Amazon's on IPv6.
const METADATA: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Who may be dialled.
#[derive(Debug, Clone, Default)]
pub(crate) struct AddressRules {
    /// The product's own listeners.
    pub(crate) own: Vec<SocketAddr>,
    /// What the operator allows; empty: everything that is not refused.
    pub(crate) allow: Networks,
    /// What the operator refuses.
    pub(crate) deny: Networks,
}

impl AddressRules {
    /// Whether the gateway may connect to `address`.
    pub(crate) fn allow(&self, address: SocketAddr) -> bool {
        let (written, ip) = (address.ip(), plain(address.ip()));
        let is_in = |networks: &Networks| networks.contains(ip) || networks.contains(written);
        if self.own.iter().any(|own| is_same(*own, address.port(), ip)) || is_in(&self.deny) {
            return false;
        }
        if !self.allow.is_empty() && !is_in(&self.allow) {
            return false;
        }
        nobodys_range_bits(ip).is_none_or(|bits| self.allow.contains_within(ip, bits))
    }
}

/// The leading bits of the range around an address that no backend has; `None` where one may be.
fn nobodys_range_bits(ip: IpAddr) -> Option<u8> {
    let one = if ip.is_ipv4() { 32 } else { 128 };
    if METADATA.contains(&ip) {
        return Some(one);
    }
    match ip {
        IpAddr::V4(ip) if ip.is_link_local() => Some(16),
        IpAddr::V4(ip) if ip.is_multicast() => Some(4),
        IpAddr::V6(ip) if ip.is_unicast_link_local() => Some(10),
        IpAddr::V6(ip) if ip.is_multicast() => Some(8),
        IpAddr::V4(ip) if ip.is_unspecified() || ip.is_broadcast() => Some(one),
        IpAddr::V6(ip) if ip.is_unspecified() => Some(one),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
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
