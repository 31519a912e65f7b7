//! Policies: what a subscription may use (its business plan), what an application may over all its subscriptions, and what an
//! API gives to all together. And those that ship with the product.
//!
//! A policy is its limits and what becomes of a message beyond one. Numbers of those that ship are those of the
//! specification; see [`crate::throttle`] for how they are counted.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    attribute::Attributes,
    endpoint::Bounds,
    group::Group,
    limit::{Limit, Window},
    terms::Terms,
};

/// The longest that a message is held back, in milliseconds. Who is held back is not read, so nobody sees whether it is
/// still there: a message that would have to wait longer ends the session, with the time to wait.
pub const DELAY_MILLIS_MAX: u64 = 60_000;

/// What becomes of a message beyond a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excess {
    /// The session is closed with 4429, which says the policy and when there is more.
    #[default]
    Close,
    /// It waits in the sender's connection until there is more: nothing is lost, and the sender feels the back pressure.
    /// What would wait longer than [`DELAY_MILLIS_MAX`] closes the session.
    Delay,
    /// It is read and discarded; the session goes on.
    Drop,
    /// As [`Self::Drop`], and the client is told in the notice that its API declares; see [`crate::notice`].
    Notify,
    /// It passes: nothing is refused, and more is used than the limit.
    Count,
}

impl Excess {
    /// All, in the order in which a page shows them.
    pub const ALL: [Self; 5] = [Self::Close, Self::Delay, Self::Drop, Self::Notify, Self::Count];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Delay => "delay",
            Self::Drop => "drop",
            Self::Notify => "notify",
            Self::Count => "count",
        }
    }
}

/// A business plan, the policy of an application, or that of an API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Policy {
    /// Unique name among its like, the one that REST and subscriptions carry.
    pub name: String,
    /// One sentence for the person who chooses.
    pub description: String,
    /// All of them hold; none: no limit.
    pub limits: Vec<Limit>,
    /// What becomes of a message beyond one of them.
    #[serde(default)]
    pub on_excess: Excess,
    /// The most sessions that are open at once of each whom it is held against; `None`: any number.
    #[serde(default)]
    pub sessions_max: Option<u32>,
    /// The most of them of one user: whom the token speaks for; else the application, and without a credential the address.
    #[serde(default)]
    pub sessions_per_user_max: Option<u32>,
    /// The most of them from one address, or one /64 network of IPv6.
    #[serde(default)]
    pub sessions_per_address_max: Option<u32>,
    /// The largest message, where it is less than what the API takes; see [`crate::protocol::MESSAGE_BYTES`].
    #[serde(default)]
    pub message_bytes_max: Option<u32>,
    /// After how many milliseconds without a message a session ends, where it is less than what the endpoint says; see
    /// [`crate::endpoint::IDLE_TIMEOUT`].
    #[serde(default)]
    pub idle_timeout_ms: Option<u32>,
    /// After how many milliseconds a session ends in any case, where it is less than what the endpoint says; see
    /// [`crate::endpoint::LIFETIME`].
    #[serde(default)]
    pub lifetime_max_ms: Option<u32>,
    /// Who may choose it and for how much; only a business plan says something. Gateways are not told.
    #[serde(default)]
    pub terms: Terms,
    /// Sessions that other limits hold for than [`Self::limits`]; only of an API policy.
    #[serde(default)]
    pub groups: Vec<Group>,
}

impl Policy {
    /// The group that a session is in from this address, of which this was kept; `None`: the policy's own limits hold.
    pub fn group_of(&self, address: IpAddr, attributes: Option<&Attributes>) -> Option<&Group> {
        self.groups.iter().find(|group| group.holds(address, attributes))
    }
}

/// Sessions that are open at once, as far as a policy bounds them.
pub const SESSIONS: Bounds = Bounds { default: 100, min: 1, max: 1_000_000 };

/// What a policy is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyKind {
    /// Each subscription under it: a business plan.
    Business,
    /// Each application that has it, over all its subscriptions: an application policy.
    Application,
    /// Each API that names it, over all who use it; and each topic that names it: an API policy.
    Api,
}

impl PolicyKind {
    /// All, in the order in which pages show them.
    pub const ALL: [Self; 3] = [Self::Business, Self::Application, Self::Api];

    /// The word used in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Business => "business",
            Self::Application => "application",
            Self::Api => "api",
        }
    }

    /// What one is called.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Business => "business plan",
            Self::Application => "application policy",
            Self::Api => "API policy",
        }
    }

    /// What several are called in documents.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Business => "plans",
            Self::Application => "application_policies",
            Self::Api => "api_policies",
        }
    }
}

/// A policy as a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPolicy {
    /// What it is.
    #[serde(flatten)]
    pub policy: Policy,
    /// Grows by one with every change; what ships begins with 1.
    #[serde(default = "first_tag")]
    pub etag: u64,
}

impl From<Policy> for KeptPolicy {
    fn from(policy: Policy) -> Self {
        Self { policy, etag: first_tag() }
    }
}

const fn first_tag() -> u64 {
    1
}

/// A policy of the product as a constant: name, messages, window.
type Shipped = (&'static str, Option<(u64, Window)>);

/// The plans that a subscription may be made under, in the order a page shows them.
pub const BUSINESS_PLANS: [Shipped; 8] = [
    ("Gold", Some((5_000, Window::Minute))),
    ("Silver", Some((2_000, Window::Minute))),
    ("Bronze", Some((1_000, Window::Minute))),
    ("Unlimited", None),
    ("AsyncGold", Some((50_000, Window::Day))),
    ("AsyncSilver", Some((25_000, Window::Day))),
    ("AsyncBronze", Some((5_000, Window::Day))),
    ("AsyncUnlimited", None),
];

/// The policies an application may have. A new application has [`DEFAULT_APPLICATION_POLICY`].
pub const APPLICATION_POLICIES: [Shipped; 4] = [
    ("50PerMin", Some((50, Window::Minute))),
    ("20PerMin", Some((20, Window::Minute))),
    ("10PerMin", Some((10, Window::Minute))),
    ("Unlimited", None),
];

/// The policies an API or a topic may name. One that names none is not limited.
pub const API_POLICIES: [Shipped; 4] = [
    ("50KPerMin", Some((50_000, Window::Minute))),
    ("20KPerMin", Some((20_000, Window::Minute))),
    ("10KPerMin", Some((10_000, Window::Minute))),
    ("Unlimited", None),
];

/// A new application is limited by its subscriptions alone; a limit of its own is a deliberate choice.
pub const DEFAULT_APPLICATION_POLICY: &str = "Unlimited";

/// What ships says nothing beside its limits: a description is what an administrator has to say.
fn policies(shipped: &[Shipped]) -> Vec<Policy> {
    let policy = |&(name, limit): &Shipped| Policy {
        name: name.to_owned(),
        limits: limit.into_iter().map(|(amount, per)| Limit::messages(amount, per)).collect(),
        ..Policy::default()
    };
    shipped.iter().map(policy).collect()
}

/// The business plans that exist from first start.
pub fn business_plans() -> Vec<Policy> {
    policies(&BUSINESS_PLANS)
}

/// The application policies that exist from first start.
pub fn application_policies() -> Vec<Policy> {
    policies(&APPLICATION_POLICIES)
}

/// The API policies that exist from first start.
pub fn api_policies() -> Vec<Policy> {
    policies(&API_POLICIES)
}

#[cfg(test)]
mod tests;
