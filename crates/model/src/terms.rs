//! Terms: who may subscribe under a business plan, and what it costs.
//!
//! Gateways know nothing of them: they decide when a subscription is made, and are what an invoice is written by. No money is
//! moved here, and no amount is ever a floating number.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::role::RoleName;

/// Most roles that a plan names: a page shows them all.
pub const PLAN_ROLES_MAX: usize = 20;
/// Millionths in one unit of a currency: enough for the price of a message where a thousand cost a cent.
const MILLIONTHS: u64 = 1_000_000;
/// Most digits before the point.
const WHOLE_DIGITS_MAX: usize = 9;
/// Most digits behind the point.
const FRACTION_DIGITS_MAX: usize = 6;

/// Who may choose a plan, and for how much.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Terms {
    /// Roles of which whoever subscribes holds one; none: everybody may.
    #[serde(default)]
    pub roles: BTreeSet<RoleName>,
    /// What it costs; `None`: it is free.
    #[serde(default)]
    pub billing: Option<Billing>,
}

/// What a commercial plan costs: each cycle, by what passes, or both.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Billing {
    /// Code of the currency (ISO 4217), three capitals.
    pub currency: String,
    /// After which time an invoice is written.
    pub per: Cycle,
    /// For each subscription in a cycle, whatever passes.
    pub price: Option<Price>,
    /// For each thousand messages that passed, of both directions.
    pub price_per_1000_messages: Option<Price>,
}

/// A billing cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// Seven days.
    Week,
    /// A month of the calendar.
    Month,
    /// A year of the calendar.
    Year,
}

impl Cycle {
    /// All, in the order in which a page shows them.
    pub const ALL: [Self; 3] = [Self::Month, Self::Week, Self::Year];

    /// The word used in REST and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// An amount of money, in millionths of its currency's unit. It is written as a decimal: `49.00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Price(u64);

impl Price {
    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:06}", self.0 % MILLIONTHS);
        let kept = fraction.trim_end_matches('0').len().max(2);
        write!(f, "{}.{}", self.0 / MILLIONTHS, &fraction[..kept])
    }
}

/// The text is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a price is a decimal such as 49.00, with at most nine digits before the point and six behind it")]
pub struct NoPrice;

impl FromStr for Price {
    type Err = NoPrice;

    fn from_str(text: &str) -> Result<Self, NoPrice> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |digits: &str, most: usize| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole, WHOLE_DIGITS_MAX) || !is_number(fraction, FRACTION_DIGITS_MAX) {
            return Err(NoPrice);
        }
        let whole: u64 = whole.parse().map_err(|_| NoPrice)?;
        let fraction: u64 = format!("{fraction:0<6}").parse().map_err(|_| NoPrice)?;
        Ok(Self(whole * MILLIONTHS + fraction))
    }
}

#[cfg(test)]
mod tests;
