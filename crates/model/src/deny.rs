//! Deny rules: who is kept out whatever he presents, by API, application, person or address.
//!
//! A rule that is enabled is in the snapshot; [`Denials`] is all of them prepared, so that a handshake costs a few
//! look-ups however many rules there are: each kind is a set, and networks are sets by the length of their prefix. Live
//! sessions are asked again with every snapshot ([`crate::admit::standing`]). It does not know where an address comes from.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

use crate::{
    id::{ApplicationId, DenyRuleId, UserId},
    revocation::Mark,
    snapshot::{ApiFacts, ApplicationFacts},
    time::Timestamp,
};

/// Most rules: what is written by hand stays far below, and a list of the whole internet's bad addresses belongs into a
/// firewall, which need not accept a connection to refuse it.
pub const RULES_MAX: usize = 1_000;
/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 256;

/// An address range as a prefix: `10.0.0.0/8`, `2001:db8::/32`. Bits behind the prefix are zero, and IPv6 addresses that
/// only wrap IPv4 (`::ffff:0:0/96`) are written as the IPv4 that they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Range {
    address: IpAddr,
    prefix: u8,
}

/// The text is no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a range like 203.0.113.0/24 or 2001:db8::/32")]
pub struct NoRange;

impl FromStr for Range {
    type Err = NoRange;
    fn from_str(text: &str) -> Result<Self, NoRange> {
        let net: IpNet = text.trim().parse().map_err(|_| NoRange)?;
        let net = match net {
            IpNet::V6(wide) if wide.prefix_len() >= 96 => match wide.network().to_ipv4_mapped() {
                Some(ip) => Ipv4Net::new(ip, wide.prefix_len() - 96).map_err(|_| NoRange)?.into(),
                None => net,
            },
            IpNet::V4(_) | IpNet::V6(_) => net,
        };
        Ok(Self { address: net.network(), prefix: net.prefix_len() })
    }
}

impl Range {
    /// Whether an address is in it, however that is written.
    pub fn holds(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(range), IpAddr::V4(ip)) => front4(ip, self.prefix) == front4(range, self.prefix),
            (IpAddr::V6(range), IpAddr::V6(ip)) => front6(ip, self.prefix) == front6(range, self.prefix),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// The address, where it is one alone.
    pub const fn alone(self) -> Option<IpAddr> {
        match (self.address, self.prefix) {
            (IpAddr::V4(_), 32) | (IpAddr::V6(_), 128) => Some(self.address),
            _ => None,
        }
    }

    /// Whether it holds every address of its family.
    pub const fn is_everybody(self) -> bool {
        self.prefix == 0
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl TryFrom<String> for Range {
    type Error = NoRange;
    fn try_from(text: String) -> Result<Self, NoRange> {
        text.parse()
    }
}

impl From<Range> for String {
    fn from(range: Range) -> Self {
        range.to_string()
    }
}

impl From<IpAddr> for Range {
    fn from(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, prefix: if address.is_ipv4() { 32 } else { 128 } }
    }
}

/// Whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum Denied {
    /// Everybody at the APIs of this context, in all versions.
    Api(String),
    /// This application, at every API.
    Application(ApplicationId),
    /// Whom a token speaks for; where it speaks for nobody, whose application it is.
    User(UserId),
    /// Who connects from this address, which is [`IpAddr::to_canonical`].
    Address(IpAddr),
    /// Who connects from one of these addresses.
    Range(Range),
}

/// The kinds by their words, as REST and storage write them.
pub const KINDS: [&str; 5] = ["api", "application", "user", "address", "range"];

impl Denied {
    /// The word of its kind, one of [`KINDS`].
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Api(_) => "api",
            Self::Application(_) => "application",
            Self::User(_) => "user",
            Self::Address(_) => "address",
            Self::Range(_) => "range",
        }
    }

    /// What is named, as text.
    pub fn value(&self) -> String {
        match self {
            Self::Api(context) => context.clone(),
            Self::Application(id) => id.to_string(),
            Self::User(id) => id.to_string(),
            Self::Address(address) => address.to_string(),
            Self::Range(range) => range.to_string(),
        }
    }

    /// Whether it is about where somebody connects from, and so can be turned around.
    pub const fn is_place(&self) -> bool {
        matches!(self, Self::Address(_) | Self::Range(_))
    }
}

/// A deny rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenyRule {
    /// Identifier.
    pub id: DenyRuleId,
    /// Whom it is about.
    pub denied: Denied,
    /// Everybody but these is denied; only of places. Those that are enabled hold together: who is in none of them is
    /// denied, so that two of them are not a wall.
    pub is_inverted: bool,
    /// It holds.
    pub is_enabled: bool,
    /// Why, for administrators; empty or at most [`REASON_CHARS_MAX`] characters.
    pub reason: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Grows with every change.
    pub etag: u64,
}

/// A rule that holds, as a gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenyFacts {
    /// Whom it is about.
    pub denied: Denied,
    /// Everybody but these.
    pub is_inverted: bool,
    /// By which tokens are known that speak for the person, where it is about one.
    pub subject: Option<Mark>,
}

/// What a connection is, as rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Connected<'c> {
    /// To which API.
    pub api: &'c ApiFacts,
    /// Of which application.
    pub application: &'c ApplicationFacts,
    /// The person that the credential speaks for; `None`: it speaks for nobody but the application.
    pub subject: Option<Mark>,
    /// From where.
    pub address: IpAddr,
}

/// All rules that hold, prepared.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Denials {
    contexts: HashSet<Box<str>>,
    applications: HashSet<ApplicationId>,
    users: HashSet<UserId>,
    subjects: HashSet<Mark>,
    places: Places,
    /// Whoever is in none of these; `None`: no rule says so.
    all_but: Option<Places>,
}

impl Denials {
    /// Whether a rule keeps it out.
    pub fn deny(&self, connected: &Connected<'_>) -> bool {
        let Connected { api, application, subject, address } = *connected;
        let is_user = match subject {
            Some(mark) => self.subjects.contains(&mark),
            None => application.owner.is_some_and(|owner| self.users.contains(&owner)),
        };
        is_user || self.applications.contains(&application.id) || self.deny_stranger(api, address)
    }

    /// Whether a rule keeps everybody out who comes from there to this API: nobody needs to know who it is.
    pub fn deny_stranger(&self, api: &ApiFacts, address: IpAddr) -> bool {
        self.contexts.contains(api.context.as_str()) || self.deny_place(address)
    }

    /// Whether a rule keeps everybody out who connects from there.
    fn deny_place(&self, address: IpAddr) -> bool {
        self.places.hold(address) || self.all_but.as_ref().is_some_and(|places| !places.hold(address))
    }
}

impl<'f> FromIterator<&'f DenyFacts> for Denials {
    fn from_iter<I: IntoIterator<Item = &'f DenyFacts>>(rules: I) -> Self {
        let mut all = Self::default();
        for DenyFacts { denied, is_inverted, subject } in rules {
            let range = match denied {
                Denied::Api(context) => {
                    all.contexts.insert(context.as_str().into());
                    continue;
                }
                Denied::Application(id) => {
                    all.applications.insert(*id);
                    continue;
                }
                Denied::User(id) => {
                    all.users.insert(*id);
                    all.subjects.extend(*subject);
                    continue;
                }
                Denied::Address(address) => Range::from(*address),
                Denied::Range(range) => *range,
            };
            let places = if *is_inverted { all.all_but.get_or_insert_default() } else { &mut all.places };
            places.add(range);
        }
        all
    }
}

/// Networks, found by an address within as many look-ups as there are different lengths of prefixes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Places {
    v4: BTreeMap<u8, HashSet<u32>>,
    v6: BTreeMap<u8, HashSet<u128>>,
}

impl Places {
    fn add(&mut self, range: Range) {
        match range.address {
            IpAddr::V4(ip) => _ = self.v4.entry(range.prefix).or_default().insert(front4(ip, range.prefix)),
            IpAddr::V6(ip) => _ = self.v6.entry(range.prefix).or_default().insert(front6(ip, range.prefix)),
        }
    }

    fn hold(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(ip) => self.v4.iter().any(|(prefix, fronts)| fronts.contains(&front4(ip, *prefix))),
            IpAddr::V6(ip) => self.v6.iter().any(|(prefix, fronts)| fronts.contains(&front6(ip, *prefix))),
        }
    }
}

/// So many bits of an address, the others zero.
fn front4(ip: Ipv4Addr, prefix: u8) -> u32 {
    ip.to_bits() & u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
}

fn front6(ip: Ipv6Addr, prefix: u8) -> u128 {
    ip.to_bits() & u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0)
}

#[cfg(test)]
mod tests;
