//! Whose connection it is behind proxies: the address that they report, as far as they are trusted.
//!
//! Only what a trusted proxy appended is believed; anybody can write the rest of `X-Forwarded-For`. It does not know
//! HTTP.

use std::net::IpAddr;

use crate::network::{BadNetwork, Networks};

/// Networks whose machines may say for whom they speak.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Networks);

impl TrustedProxies {
    /// Reads addresses and networks with commas between them; nothing: nobody is trusted.
    ///
    /// # Errors
    /// [`BadNetwork`].
    pub fn parse(list: &str) -> Result<Self, BadNetwork> {
        Networks::parse(list).map(Self)
    }

    /// Whether a machine may say for whom it speaks.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.contains(address.to_canonical())
    }

    /// The client behind `peer`, who connected. `reported` are the values of `X-Forwarded-For`, in the order of the
    /// head: each proxy appends the address that it saw. The last one that is not a trusted proxy is the client.
    pub fn client<'a>(&self, peer: IpAddr, reported: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
        let mut client = peer.to_canonical();
        for entry in reported.rev().flat_map(|value| value.rsplit(',')) {
            if !self.trusts(client) {
                break;
            }
            // What cannot be read hides whatever stands before it.
            let Some(before) = address(entry.trim()) else { break };
            client = before;
        }
        client
    }
}

/// An address as proxies write it, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.split_once(']').map(|(inside, _)| inside);
    let before_port = || text.split_once(':').map(|(before, _)| before).filter(|before| before.contains('.'));
    let candidates = [Some(text), bracketed(), before_port()];
    candidates.into_iter().flatten().find_map(|text| text.parse::<IpAddr>().ok()).map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests;
