//! How a gateway shares budgets with others, as it tells the control plane and people are shown. How sharing works is
//! [`crate::lease`].

use crate::{
    lease::{Company, WhenAlone},
    time::Timestamp,
};

/// With whom a gateway decides about budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Together {
    /// With all others, by what they have in common.
    Together,
    /// By itself, until all have told what they hold: what they have in common was lost.
    Settling,
    /// By itself, since nobody answers.
    Alone,
}

impl Together {
    /// The word used in REST and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Together => "together",
            Self::Settling => "settling",
            Self::Alone => "alone",
        }
    }
}

impl From<Company> for Together {
    fn from(company: Company) -> Self {
        match company {
            Company { is_together: true, .. } => Self::Together,
            Company { is_settling: true, .. } => Self::Settling,
            Company { .. } => Self::Alone,
        }
    }
}

/// How a gateway shares budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing {
    /// With whom it decides.
    pub together: Together,
    /// Since when, by the gateway's clock.
    pub since: Timestamp,
    /// How many gateways there were last, this one included.
    pub gateways: u32,
    /// What it does while it cannot ask.
    pub when_alone: WhenAlone,
    /// How long the last answer took, in microseconds; `None`: there was none yet.
    pub round_trip_micros: Option<u32>,
    /// Words since the start that were not answered in time, or with an error.
    pub unanswered: u64,
}
