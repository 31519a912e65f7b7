//! The lifecycle of an API: states, events, the table of moves, and what a move does to users and sessions.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::api::Design;

/// Where an API is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being designed; not listed.
    Created,
    /// Listed as pre-released, open to any application's token without a subscription.
    Prototyped,
    /// Listed, subscribable, served.
    Published,
    /// Refused for now: handshakes and live sessions.
    Blocked,
    /// Served to those subscribed already, not listed for new ones.
    Deprecated,
    /// Gone.
    Retired,
}

/// What moves an API from state to state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Release it.
    Publish,
    /// Take it back to design.
    Demote,
    /// Show it early.
    Prototype,
    /// Refuse traffic for now.
    Block,
    /// Lift the block.
    Republish,
    /// Announce the end.
    Deprecate,
    /// End it.
    Retire,
}

/// All states, in the order a drawing shows them.
pub const STATES: [State; 6] =
    [State::Created, State::Prototyped, State::Published, State::Blocked, State::Deprecated, State::Retired];

/// All events.
pub const EVENTS: [Event; 7] = [
    Event::Publish,
    Event::Demote,
    Event::Prototype,
    Event::Block,
    Event::Republish,
    Event::Deprecate,
    Event::Retire,
];

impl State {
    /// The moves that leave this state.
    pub const fn moves(self) -> &'static [(Event, State)] {
        match self {
            Self::Created => &[(Event::Publish, Self::Published), (Event::Prototype, Self::Prototyped)],
            Self::Prototyped => &[
                (Event::Publish, Self::Published),
                (Event::Demote, Self::Created),
                (Event::Prototype, Self::Prototyped),
            ],
            Self::Published => &[
                (Event::Block, Self::Blocked),
                (Event::Deprecate, Self::Deprecated),
                (Event::Demote, Self::Created),
                (Event::Prototype, Self::Prototyped),
                (Event::Publish, Self::Published),
            ],
            Self::Blocked => &[(Event::Republish, Self::Published), (Event::Deprecate, Self::Deprecated)],
            Self::Deprecated => &[(Event::Retire, Self::Retired)],
            Self::Retired => &[],
        }
    }

    /// Where `event` leads from here, if it is possible.
    pub fn after(self, event: Event) -> Option<State> {
        self.moves().iter().find(|(possible, _)| *possible == event).map(|(_, to)| *to)
    }

    /// The shortest way from here to another state; empty when there is none or it is this one.
    pub fn way_to(self, end: State) -> Vec<Event> {
        let mut ways = vec![(self, Vec::new())];
        let mut next = 0;
        while let Some((here, way)) = ways.get(next).cloned() {
            if here == end {
                return way;
            }
            for &(event, to) in here.moves() {
                if !ways.iter().any(|(known, _)| *known == to) {
                    ways.push((to, [way.as_slice(), &[event]].concat()));
                }
            }
            next += 1;
        }
        Vec::new()
    }

    /// Whether the catalogue of the developer portal lists it.
    pub const fn is_listed(self) -> bool {
        matches!(self, Self::Published | Self::Prototyped)
    }

    /// Whether a new subscription may be made.
    pub const fn is_subscribable(self) -> bool {
        matches!(self, Self::Published)
    }

    /// The word used in REST, storage and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Prototyped => "prototyped",
            Self::Published => "published",
            Self::Blocked => "blocked",
            Self::Deprecated => "deprecated",
            Self::Retired => "retired",
        }
    }
}

impl Event {
    /// The word used in REST, storage and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Demote => "demote",
            Self::Prototype => "prototype",
            Self::Block => "block",
            Self::Republish => "republish",
            Self::Deprecate => "deprecate",
            Self::Retire => "retire",
        }
    }

    /// What a person should expect of the move, in one sentence.
    pub const fn effect(self) -> &'static str {
        match self {
            Self::Publish => {
                "Developers find it in the developer portal and can subscribe; the working copy goes live when nothing is live yet."
            }
            Self::Demote => {
                "It leaves the developer portal; those subscribed already keep their access and live sessions go on."
            }
            Self::Prototype => {
                "Developers find it marked as pre-released and can connect with any application's token, without a subscription."
            }
            Self::Block => {
                "New connections are refused and live sessions are closed within a second; subscriptions stay."
            }
            Self::Republish => "Connections are accepted again; subscriptions are as they were.",
            Self::Deprecate => {
                "No new subscriptions; those subscribed already keep their access and live sessions go on."
            }
            Self::Retire => {
                "Live sessions are closed within a second, new connections are refused, and all subscriptions end."
            }
        }
    }

    /// Whether the move needs a design that can be served.
    pub const fn needs_complete_design(self) -> bool {
        matches!(self, Self::Publish | Self::Prototype | Self::Republish)
    }
}

/// Something that is still missing before an API can be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// No endpoint, neither production nor sandbox.
    Endpoint,
    /// No business plan.
    Plan,
}

impl Missing {
    /// The sentence that a checklist or a refusal shows.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Endpoint => "Add a production or sandbox endpoint.",
            Self::Plan => "Choose at least one business plan.",
        }
    }

    /// JSON pointer of the field that lacks.
    pub const fn pointer(self) -> &'static str {
        match self {
            Self::Endpoint => "/endpoints",
            Self::Plan => "/plans",
        }
    }
}

/// What `design` lacks for `event`; a prototype needs no plan, since it needs no subscription.
pub fn missing(design: &Design, event: Event) -> Vec<Missing> {
    let mut missing = Vec::new();
    if event.needs_complete_design() {
        if design.endpoints.is_empty() {
            missing.push(Missing::Endpoint);
        }
        if design.plans.is_empty() && event != Event::Prototype {
            missing.push(Missing::Plan);
        }
    }
    missing
}

/// The text names no state or event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown lifecycle word")]
pub struct UnknownWord;

impl FromStr for State {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        STATES.into_iter().find(|state| state.as_str() == text).ok_or(UnknownWord)
    }
}

impl FromStr for Event {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        EVENTS.into_iter().find(|event| event.as_str() == text).ok_or(UnknownWord)
    }
}

#[cfg(test)]
mod tests;
