//! Groups of an API policy: sessions of which certain conditions hold, and what holds for them in place of the policy's own
//! limits.
//!
//! The first group counts whose conditions all hold, and no other does. What is absent is none of the values that a condition
//! names, so an inverted condition holds of it. It is a pure look at an address and [`Attributes`]; it knows no budget.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    attribute::{Attributes, LookedAt},
    deny::Range,
    limit::Limit,
};

/// Most groups of one policy: they are tried in order as a session begins, and a page shows them all.
pub const GROUPS_MAX: usize = 16;
/// Most conditions of one group.
pub const CONDITIONS_MAX: usize = 8;
/// Most values of one condition.
pub const VALUES_MAX: usize = 32;
/// Longest value of a condition, in bytes; see [`crate::attribute::VALUE_BYTES_MAX`] for what it is compared with.
pub const PATTERN_BYTES_MAX: usize = 256;
/// Most headers, query parameters and claims that all API policies of an installation look at together: sessions keep
/// what is looked at.
pub const NAMES_MAX: usize = 32;

/// A value as a condition names it: exactly, or with `*` for any characters, also none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(pub String);

impl Pattern {
    /// Whether a value is one of those that it stands for. It costs time in proportion to both.
    pub fn matches(&self, value: &str) -> bool {
        let Some((begin, rest)) = self.0.split_once('*') else { return self.0 == value };
        let Some(mut left) = value.strip_prefix(begin) else { return false };
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        // Each piece where it first stands: whatever comes later has the more room.
        for piece in middle.split('*') {
            match left.split_once(piece) {
                _ if piece.is_empty() => {}
                Some((_, after)) => left = after,
                None => return false,
            }
        }
        left.ends_with(end)
    }
}

/// What of a session is looked at, and which values are wanted. One of them is enough.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Aspect {
    /// From where the client connects.
    Address {
        /// Addresses and ranges.
        any_of: Vec<Range>,
    },
    /// A header of the handshake; any of its values, where it stands several times.
    Header {
        /// Its name, whatever the case.
        name: String,
        /// Values.
        any_of: Vec<Pattern>,
    },
    /// A parameter of the handshake's query, as above.
    Query {
        /// Its name.
        name: String,
        /// Values.
        any_of: Vec<Pattern>,
    },
    /// A claim of the token; any member, where it is a list.
    Claim {
        /// Its name; with dots, the way to a member of an object.
        name: String,
        /// Values; numbers, `true` and `false` as text.
        any_of: Vec<Pattern>,
    },
}

impl Aspect {
    /// The word of its kind.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Address { .. } => "address",
            Self::Header { .. } => "header",
            Self::Query { .. } => "query",
            Self::Claim { .. } => "claim",
        }
    }

    fn holds(&self, address: IpAddr, attributes: Option<&Attributes>) -> bool {
        let one_of = |any_of: &[Pattern], value: &str| any_of.iter().any(|pattern| pattern.matches(value));
        match self {
            Self::Address { any_of } => any_of.iter().any(|range| range.holds(address)),
            Self::Header { name, any_of } => {
                attributes.is_some_and(|of| of.header(name).any(|value| one_of(any_of, value)))
            }
            Self::Query { name, any_of } => {
                attributes.is_some_and(|of| of.parameter(name).any(|value| one_of(any_of, value)))
            }
            Self::Claim { name, any_of } => {
                let claim = attributes.and_then(|of| of.claims().get(name));
                claim.is_some_and(|claim| claim.any(|value| one_of(any_of, value)))
            }
        }
    }
}

/// What has to be true of a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Condition {
    /// What is looked at, and for what.
    #[serde(flatten)]
    pub aspect: Aspect,
    /// It holds where none of the values is found.
    #[serde(default)]
    pub is_inverted: bool,
}

impl Condition {
    /// Whether it holds of a session.
    pub fn holds(&self, address: IpAddr, attributes: Option<&Attributes>) -> bool {
        self.aspect.holds(address, attributes) != self.is_inverted
    }

    /// Names what it looks at.
    pub fn look(&self, looked_at: &mut LookedAt) {
        match &self.aspect {
            Aspect::Address { .. } => {}
            Aspect::Header { name, .. } => looked_at.add_header(name),
            Aspect::Query { name, .. } => looked_at.add_parameter(name),
            Aspect::Claim { name, .. } => looked_at.add_claim(name),
        }
    }
}

/// Sessions that an API policy holds to limits of their own, all of them together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Group {
    /// Unique in its policy. What was used is known by it.
    pub name: String,
    /// One sentence for whoever looks after the policy.
    #[serde(default)]
    pub description: String,
    /// All of them hold of a session that is in the group; there is at least one.
    pub conditions: Vec<Condition>,
    /// In place of the policy's own; none: no limit.
    pub limits: Vec<Limit>,
}

impl Group {
    /// Whether a session is in it, if it is in none before it.
    pub fn holds(&self, address: IpAddr, attributes: Option<&Attributes>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(address, attributes))
    }
}

#[cfg(test)]
mod tests;
