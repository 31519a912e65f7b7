//! Custom rules as rows, and changes to them. Whether one may be, `tidegate_model` decides.

use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait as _, QueryOrder as _};
use tidegate_model::{
    command::{CustomRuleCommand, Outcome, Refused},
    custom_rule::{CustomRule, CustomRuleFacts},
    decide::{custom_rules, folded},
    id::CustomRuleId,
};

use crate::{
    entity::custom_rule,
    execute::{At, Done},
    reads::{parsed, written},
};

/// All rules, in the order of their making: ids are UUIDs of version 7.
pub(crate) async fn all(connection: &impl ConnectionTrait) -> Result<Vec<CustomRule>, DbErr> {
    let rows = custom_rule::Entity::find().order_by_asc(custom_rule::Column::Id).all(connection).await?;
    rows.iter().map(|row| parsed(&row.body)).collect()
}

/// Those that hold, as gateways know them.
pub(crate) async fn facts(connection: &impl ConnectionTrait) -> Result<Vec<CustomRuleFacts>, DbErr> {
    let rules = all(connection).await?.into_iter().filter(|rule| rule.is_enabled);
    Ok(rules
        .map(|CustomRule { id, policy, expression, .. }| CustomRuleFacts { id, policy, expression })
        .collect())
}

fn row(rule: &CustomRule) -> Result<custom_rule::ActiveModel, DbErr> {
    Ok(custom_rule::ActiveModel {
        id: Set(rule.id.to_string()),
        name_key: Set(folded(&rule.policy.name)),
        body: Set(written(rule)?),
    })
}

impl At<'_> {
    pub(crate) async fn change_custom_rule(&self, change: CustomRuleCommand) -> Done {
        let rules = all(self.db).await?;
        let found = |id: CustomRuleId| {
            let rule = rules.iter().find(|rule| rule.id == id).cloned();
            rule.ok_or(Refused::NotFound("custom rule"))
        };
        match change {
            CustomRuleCommand::Create(told) => {
                let created_by = self.actor.name.clone();
                let rule = CustomRule { created_at: self.now, created_by, etag: 1, ..told };
                custom_rules::create(&rule, self.actor, &rules)?;
                custom_rule::Entity::insert(row(&rule)?).exec_without_returning(self.db).await?;
                self.keep_rule_change("made a custom rule", None, Some(&rule)).await?;
                Ok(Outcome::CustomRule(Box::new(rule)))
            }
            CustomRuleCommand::Change(told) => {
                let was = found(told.id)?;
                let rule = custom_rules::change(&was, told, self.actor, &rules)?;
                custom_rule::Entity::update(row(&rule)?).exec(self.db).await?;
                self.keep_rule_change("changed a custom rule", Some(&was), Some(&rule)).await?;
                Ok(Outcome::CustomRule(Box::new(rule)))
            }
            CustomRuleCommand::Delete { id, based_on } => {
                let rule = found(id)?;
                custom_rules::delete(&rule, based_on, self.actor)?;
                custom_rule::Entity::delete_by_id(id.to_string()).exec(self.db).await?;
                self.keep_rule_change("deleted a custom rule", Some(&rule), None).await?;
                Ok(Outcome::Done)
            }
        }
    }

    async fn keep_rule_change(
        &self,
        action: &str,
        was: Option<&CustomRule>,
        is: Option<&CustomRule>,
    ) -> Result<(), DbErr> {
        let Some(rule) = is.or(was) else { return Ok(()) };
        self.differs(&rule.id.to_string(), (action, &rule.policy.name), was, is).await?;
        self.bump().await
    }
}
