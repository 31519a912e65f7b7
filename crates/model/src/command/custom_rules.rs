//! Commands about custom rules.

use crate::{custom_rule::CustomRule, id::CustomRuleId, policy::Policy};

/// A change to the custom rules. Answers [`super::Outcome::CustomRule`], of a deletion [`super::Outcome::Done`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomRuleCommand {
    /// Makes one; who and when are the store's to say.
    Create(CustomRule),
    /// Changes one.
    Change(ChangeCustomRule),
    /// Deletes one.
    Delete {
        /// Which.
        id: CustomRuleId,
        /// The entity tag that this is based on.
        based_on: Option<u64>,
    },
}

/// Changes a custom rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeCustomRule {
    /// Which.
    pub id: CustomRuleId,
    /// The entity tag that the change is based on.
    pub based_on: Option<u64>,
    /// Its name, description, limits, and what becomes of what is beyond one.
    pub policy: Policy,
    /// Yields the key.
    pub expression: String,
    /// It holds.
    pub is_enabled: bool,
}
