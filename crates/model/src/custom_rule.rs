//! Custom rules: an administrator's limits on whatever an expression tells apart: each person, each tenant of a claim, large
//! messages, a topic.
//!
//! The expression yields a key for a session, or for each message where it looks at its size; whoever has the same key shares a
//! budget for each limit of the rule, over all APIs. Where it yields nothing, or fails, the rule does not apply. What an
//! expression may say is in [`crate::expression`]; how budgets are counted, [`crate::meter`].

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    admit::Grant,
    attribute::{Attributes, LookedAt},
    expression::{Asked, Expression, Facts, Failed, Fault, Found},
    id::CustomRuleId,
    limit::Limit,
    policy::Policy,
    snapshot::{ApiFacts, ApplicationFacts, Snapshot},
    time::Timestamp,
    topic::Direction,
};

/// Most rules: each is judged for each session that begins, in about a microsecond.
pub const RULES_MAX: usize = 32;

/// A custom rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomRule {
    /// Identifier.
    pub id: CustomRuleId,
    /// Its name, which clients are told, its limits, and what becomes of what is beyond one. It bounds no sessions.
    #[serde(flatten)]
    pub policy: Policy,
    /// Yields the key.
    pub expression: String,
    /// It holds.
    pub is_enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Grows with every change.
    pub etag: u64,
}

/// A rule that holds, as a gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomRuleFacts {
    /// Identifier: whose budgets they are.
    pub id: CustomRuleId,
    /// Its name, limits, and what becomes of what is beyond one.
    pub policy: Policy,
    /// Yields the key.
    pub expression: String,
}

/// A rule whose expression was read, once for all sessions.
#[derive(Debug)]
pub struct Rule {
    /// Identifier.
    pub id: CustomRuleId,
    /// What its limits are.
    pub policy: Arc<Policy>,
    source: String,
    expression: Result<Expression, Fault>,
}

impl PartialEq for Rule {
    /// What was read from the same source is the same.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.policy == other.policy && self.source == other.source
    }
}

impl Eq for Rule {}

impl Rule {
    /// Reads the expression. One that cannot be read, which a store does not keep, fails whenever it is judged.
    pub fn new(facts: CustomRuleFacts) -> Self {
        let CustomRuleFacts { id, policy, expression: source } = facts;
        Self { id, policy: Arc::new(policy), expression: Expression::compile(&source), source }
    }

    /// Whether it was made of these.
    pub fn is_of(&self, facts: &CustomRuleFacts) -> bool {
        self.id == facts.id && *self.policy == facts.policy && self.source == facts.expression
    }

    /// Its expression, where that could be read.
    pub fn expression(&self) -> Option<&Expression> {
        self.expression.as_ref().ok()
    }

    /// What it yields for these.
    ///
    /// # Errors
    /// [`Failed`]: why it does not apply though its expression does not say so.
    pub fn judge(&self, facts: &Facts<'_>) -> Result<Option<Found>, Failed> {
        let expression = self.expression.as_ref().map_err(|fault| Failed(fault.detail.clone()))?;
        let found = expression.judge(facts)?;
        if found.as_ref().is_some_and(|found| found.amount.is_some()) && self.policy.limits.len() != 1 {
            return Err(Failed("it yields an amount, and its rule has not one limit".to_owned()));
        }
        Ok(found)
    }

    /// Its limits for whom it yields this.
    pub fn limits(&self, found: &Found) -> impl Iterator<Item = Limit> {
        let amount = found.amount;
        self.policy.limits.iter().map(move |limit| match amount {
            Some(amount) => Limit { amount: amount.min(limit.per.amount_max()), ..*limit },
            None => *limit,
        })
    }

    /// What has to be kept of sessions for it.
    pub(crate) fn look_at(&self, all: &mut LookedAt) {
        let Some(looks) = self.expression().map(Expression::looks) else { return };
        looks.claims.iter().for_each(|claim| all.add_claim(claim));
        if looks.user {
            all.add_user();
        }
    }
}

/// What rules see of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstances {
    user: Box<str>,
    application_id: Box<str>,
    application: Arc<ApplicationFacts>,
    api: Arc<ApiFacts>,
    topic: Arc<str>,
    address: IpAddr,
    attributes: Option<Arc<Attributes>>,
}

impl Circumstances {
    fn of(snapshot: &Snapshot, grant: &Grant) -> Self {
        let user = grant.attributes.as_ref().and_then(|attributes| attributes.user()).unwrap_or_default();
        // Another issuer calls its people what it likes, also by the id of one of ours.
        let issuer = grant.key_manager.as_deref().filter(|_| !user.is_empty());
        let user = match issuer.and_then(|id| snapshot.key_manager(*id)) {
            Some(issuer) => format!("{}|{user}", issuer.name).into(),
            None => user.into(),
        };
        Self {
            user,
            application_id: grant.application.id.to_string().into(),
            application: Arc::clone(&grant.application),
            api: Arc::clone(&grant.api),
            topic: Arc::clone(&grant.topic),
            address: grant.address,
            attributes: grant.attributes.clone(),
        }
    }

    /// With what is known of a message.
    pub fn facts(&self, size: Option<u64>, direction: Option<Direction>) -> Facts<'_> {
        Facts {
            user: &self.user,
            application: (&self.application_id, &self.application.name),
            api: (&self.api.name, &self.api.version, &self.api.context),
            topic: &self.topic,
            address: Some(self.address),
            claims: self.attributes.as_deref().map(Attributes::claims),
            size,
            direction,
        }
    }
}

/// What a rule is to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// It holds, with this key, for all that counts in this direction.
    Applies(Found, Direction),
    /// Each message is asked for by itself.
    EachMessage(Arc<Circumstances>),
    /// It does not apply, for want of something.
    Failed(Failed),
}

/// A rule that a session is held to, or fails to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRule {
    /// The rule.
    pub rule: Arc<Rule>,
    /// What it is to the session.
    pub judged: Judged,
}

/// The rules that a session with this grant is held to by a snapshot. Those that do not apply are not among them.
pub fn held(snapshot: &Snapshot, grant: &Grant) -> Box<[HeldRule]> {
    let rules = snapshot.custom_rules();
    if rules.is_empty() {
        return Box::default();
    }
    let circumstances = Arc::new(Circumstances::of(snapshot, grant));
    let of_rule = |rule: &Arc<Rule>| -> Vec<HeldRule> {
        let looks = rule.expression().map(Expression::looks);
        let held = |judged| HeldRule { rule: Arc::clone(rule), judged };
        let asked = looks.map(|looks| looks.asked).unwrap_or_default();
        if asked == Asked::Message {
            return vec![held(Judged::EachMessage(Arc::clone(&circumstances)))];
        }
        let judged = |direction: Direction, told: Option<Direction>| {
            let judged = rule.judge(&circumstances.facts(None, told)).map_or_else(
                |failed| Some(Judged::Failed(failed)),
                |found| found.map(|found| Judged::Applies(found, direction)),
            );
            judged.map(held)
        };
        if asked == Asked::Direction {
            let each = [Direction::Publish, Direction::Subscribe];
            return each.into_iter().filter_map(|one| judged(one, Some(one))).collect();
        }
        judged(Direction::Both, None).into_iter().collect()
    };
    rules.iter().flat_map(of_rule).collect()
}

#[cfg(test)]
mod tests;
