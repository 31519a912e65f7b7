//! What a client is told of its limits when it connects: the fields `RateLimit-Policy` and `RateLimit` of
//! draft-ietf-httpapi-ratelimit-headers-10, lists of structured fields (RFC 9651).
//!
//! Each limit is one member of both, under the same name: that of its policy, and what it counts. It does not know
//! budgets beyond what they say, nor where the fields go.

use std::fmt::Write as _;

use tidegate_model::{
    limit::{Counting, Unit},
    policy::Policy,
    throttle::Moment,
    topic::Direction,
    usage::Quota,
};

/// Limits that are told of. With the longest names they are a kilobyte; who is held to more is told of those of which the
/// smallest part is left.
const TOLD_MAX: usize = 8;
/// The largest integer of a structured field (RFC 9651, section 3.3.1).
const INTEGER_MAX: u64 = 999_999_999_999_999;

/// The values of the two fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fields {
    policy: String,
    standing: String,
}

impl Fields {
    /// How the limits of these policies stand; `None` where there is nothing to tell.
    pub(crate) fn of<'p>(all: impl IntoIterator<Item = (&'p Policy, Quota)>, now: Moment) -> Option<Self> {
        // Of a second nothing is known, and nothing would be true when it arrives.
        let mut all: Vec<_> =
            all.into_iter().filter_map(|(policy, quota)| Some((policy, quota, quota.left()?))).collect();
        if all.len() > TOLD_MAX {
            all.sort_by_key(|(_, quota, left)| {
                u128::from(*left) * 1_000_000 / u128::from(quota.most().max(1))
            });
            all.truncate(TOLD_MAX);
        }
        let (mut policy, mut standing) = (String::new(), String::new());
        for (of, quota, left) in all {
            let (name, comma) = (name(of, &quota), if policy.is_empty() { "" } else { ", " });
            let limit = &quota.limit;
            let (amount, window) = (limit.amount.min(INTEGER_MAX), limit.per.millis() / 1_000);
            // Writing to a string cannot fail.
            let _ = write!(policy, "{comma}{name};q={amount};qu=\"{}\";w={window}", unit(limit.unit));
            let _ = write!(standing, "{comma}{name};r={}", left.min(INTEGER_MAX));
            if let Some(more_at) = quota.more_at {
                let seconds = more_at.millis().saturating_sub(now.wall.millis()).max(0).unsigned_abs();
                let _ = write!(standing, ";t={}", seconds.div_ceil(1_000));
            }
        }
        (!policy.is_empty()).then_some(Self { policy, standing })
    }

    /// The two fields.
    pub(crate) fn headers(&self) -> [(&'static str, &str); 2] {
        [("RateLimit-Policy", &self.policy), ("RateLimit", &self.standing)]
    }
}

/// A string of a structured field, different for each limit of a policy.
fn name(policy: &Policy, quota: &Quota) -> String {
    let limit = &quota.limit;
    let direction = if limit.direction == Direction::Both { "" } else { limit.direction.as_str() };
    let sliding = if matches!(limit.counting, Counting::Sliding { .. }) { "sliding" } else { "" };
    let words = [policy.name.as_str(), direction, limit.unit.as_str(), "per", limit.per.as_str(), sliding];
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    // The names of policies have neither of these; what reads them shall not have to trust in that.
    let plain =
        words.join(" ").replace(|one: char| !matches!(one, ' '..='~') || matches!(one, '"' | '\\'), "");
    format!("\"{plain}\"")
}

/// The draft knows bytes of content and requests, as which sessions begin; messages are ours.
const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Messages => "messages",
        Unit::Bytes => "content-bytes",
        Unit::Connects => "requests",
    }
}

#[cfg(test)]
mod tests;
