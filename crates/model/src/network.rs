//! Lists of networks, as operators write them, and whom addresses are told apart as.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Addresses and networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// Neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is neither an address nor a network like 10.0.0.0/8")]
pub struct BadNetwork(pub String);

impl Networks {
    /// Reads addresses and networks with commas between them; nothing: no network.
    ///
    /// # Errors
    /// [`BadNetwork`].
    pub fn parse(list: &str) -> Result<Self, BadNetwork> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let networks = entries.map(|entry| {
            let network = entry.parse::<IpNet>().or_else(|_| entry.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| BadNetwork(entry.to_owned()))
        });
        Ok(Self(networks.collect::<Result<_, _>>()?))
    }

    /// Whether the list has no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the networks holds the address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether one of the networks holds the address and lies wholly within the range of so many leading bits around it.
    pub fn contains_within(&self, address: IpAddr, range_bits: u8) -> bool {
        self.0.iter().any(|network| network.contains(&address) && network.prefix_len() >= range_bits)
    }
}

/// By what whoever connects is told apart from others: whoever has one IPv6 address has all of its /64 network (RFC 6177),
/// so that is one. An IPv4 address that is written as IPv6 is that address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Neighbour {
    /// An address.
    V4(Ipv4Addr),
    /// The first 64 bits.
    V6([u16; 4]),
}

impl From<IpAddr> for Neighbour {
    fn from(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip),
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}
