//! Business plans and the policies of applications and APIs that ship with the product.
//!
//! A plan says how many data messages, both directions together, a subscription may exchange per window.
//! Numbers are those of the specification; see [`crate::throttle`] for how they are counted.

use serde::{Deserialize, Serialize};

use crate::throttle::Window;

/// A number of messages per calendar window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limit {
    /// Data messages that pass in one window; the next one is refused.
    pub messages: u32,
    /// The window.
    pub per: Window,
}

/// A business plan, or the policy of an application.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Plan {
    /// Unique name, the one that REST and subscriptions carry.
    pub name: String,
    /// One sentence for the person who chooses.
    pub description: String,
    /// `None`: no limit.
    pub limit: Option<Limit>,
}

/// A plan of the product as a constant: name, messages, window.
type Shipped = (&'static str, Option<(u32, Window)>);

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

/// A new application is limited by its subscriptions alone; a limit of its own is a deliberate choice.
pub const DEFAULT_APPLICATION_POLICY: &str = "Unlimited";

fn plans(shipped: &[Shipped]) -> Vec<Plan> {
    shipped
        .iter()
        .map(|&(name, limit)| {
            let limit = limit.map(|(messages, per)| Limit { messages, per });
            let description = match limit {
                Some(Limit { messages, per }) => {
                    format!(
                        "Up to {} messages per {}, both directions together",
                        grouped(messages),
                        per.as_str()
                    )
                }
                None => "No limit on messages".to_owned(),
            };
            Plan { name: name.to_owned(), description, limit }
        })
        .collect()
}

/// 50000 as `50,000`.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The business plans that exist from first start.
pub fn business_plans() -> Vec<Plan> {
    plans(&BUSINESS_PLANS)
}

/// The application policies that exist from first start.
pub fn application_policies() -> Vec<Plan> {
    plans(&APPLICATION_POLICIES)
}

#[cfg(test)]
mod tests;
