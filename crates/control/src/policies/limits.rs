//! Limits in REST: of plans and policies, and of groups of these.
//!
//! Beside `policies.rs`, which says what a policy is in REST. What a limit may be, `tidegate_model::rule` says.

use serde::{Deserialize, Serialize};
use tidegate_model::{
    limit::{Counting, Limit, Unit, Window},
    rule::FieldProblem,
    topic::Direction,
};
use utoipa::ToSchema;

use super::word;

/// How much of what passes in which time.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Limit)]
pub(crate) struct LimitAnswer {
    /// So much passes in one window; of messages, the next one is beyond the limit.
    amount: u64,
    /// `messages`, `bytes` (of messages' payload) or `connects` (sessions that begin).
    unit: &'static str,
    /// `second`, `minute`, `hour`, `day` or `month`.
    per: &'static str,
    /// `calendar`: each window begins with the whole amount. `sliding`: what was used comes back evenly.
    counting: &'static str,
    /// Of a sliding limit: how many units may come at once after a rest.
    #[schema(required)]
    burst: Option<u64>,
    /// Whose messages count: `publish` (clients'), `subscribe` (backends') or `both`.
    direction: &'static str,
}

impl From<&Limit> for LimitAnswer {
    fn from(limit: &Limit) -> Self {
        let (counting, burst) = match limit.counting {
            Counting::Calendar => ("calendar", None),
            Counting::Sliding { burst } => ("sliding", Some(burst)),
        };
        Self {
            amount: limit.amount,
            unit: limit.unit.as_str(),
            per: limit.per.as_str(),
            counting,
            burst,
            direction: limit.direction.as_str(),
        }
    }
}

/// A limit as it is to be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LimitInput)]
pub(crate) struct LimitInput {
    /// So much passes in one window, at least 1.
    #[schema(example = 5000)]
    amount: u64,
    /// `messages` (when absent), `bytes` (of messages' payload) or `connects` (sessions that begin).
    unit: Option<String>,
    /// `second`, `minute`, `hour`, `day` or `month`.
    #[schema(example = "minute")]
    per: String,
    /// `calendar` (when absent): each window begins with the whole amount. `sliding`: what was used comes back evenly.
    counting: Option<String>,
    /// Of a sliding limit, and only of one: how many units may come at once after a rest, at least 1.
    burst: Option<u64>,
    /// Whose messages count: `publish` (clients'), `subscribe` (backends') or `both` (when absent).
    direction: Option<String>,
}

/// The limit that is told of at a pointer, and problems of words that say nothing.
pub(crate) fn limit(at: &str, input: &LimitInput, problems: &mut Vec<FieldProblem>) -> Option<Limit> {
    let of = |leaf: &str| format!("{at}/{leaf}");
    let unit = word(&of("unit"), input.unit.as_deref(), &Unit::ALL, Unit::as_str, problems);
    let per = word(&of("per"), Some(&input.per), &Window::ALL, Window::as_str, problems);
    let direction =
        word(&of("direction"), input.direction.as_deref(), &Direction::ALL, Direction::as_str, problems);
    let slides = word(
        &of("counting"),
        input.counting.as_deref(),
        &[false, true],
        |slides| if slides { "sliding" } else { "calendar" },
        problems,
    );
    let counting = match (slides, input.burst) {
        (Some(false), None) => Some(Counting::Calendar),
        (Some(true), Some(burst)) => Some(Counting::Sliding { burst }),
        (Some(true), None) => {
            let detail = "Say how many may come at once.";
            problems.push(FieldProblem::new(of("burst"), "required", detail));
            None
        }
        (Some(false), Some(_)) => {
            let detail = "A calendar limit has no burst: leave it out, or count by “sliding”.";
            problems.push(FieldProblem::new(of("burst"), "not_sliding", detail));
            None
        }
        (None, _) => None,
    };
    Some(Limit { amount: input.amount, unit: unit?, per: per?, counting: counting?, direction: direction? })
}

/// A limit as it was told.
pub(super) fn limit_input(limit: &Limit) -> LimitInput {
    let LimitAnswer { amount, unit, per, counting, burst, direction } = limit.into();
    LimitInput {
        amount,
        unit: Some(unit.to_owned()),
        per: per.to_owned(),
        counting: Some(counting.to_owned()),
        burst,
        direction: Some(direction.to_owned()),
    }
}
