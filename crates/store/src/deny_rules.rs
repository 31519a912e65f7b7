//! Deny rules as rows, and changes to them. What a rule names has to be there: an API with the context, the application,
//! the person.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _,
};
use tidegate_model::{
    api::Change,
    command::{ChangeDenyRule, Command, Outcome, Refused},
    decide::{denials, folded_context},
    deny::{Denied, DenyFacts, DenyRule},
    id::DenyRuleId,
    rule::{self, FieldProblem},
};

use crate::{
    apis,
    entity::{self, deny_rule},
    execute::{At, Done},
    reads::{parsed, written},
    writer::Failed,
};

/// All rules, in the order of their making: ids are UUIDs of version 7.
pub(crate) async fn all(connection: &impl ConnectionTrait) -> Result<Vec<DenyRule>, DbErr> {
    let rows = deny_rule::Entity::find().order_by_asc(deny_rule::Column::Id).all(connection).await?;
    rows.iter().map(|row| parsed(&row.body)).collect()
}

/// Those that hold, as gateways know them; by which tokens a person is known, who knows the issuer adds.
pub(crate) async fn facts(connection: &impl ConnectionTrait) -> Result<Vec<DenyFacts>, DbErr> {
    let rules = all(connection).await?.into_iter().filter(|rule| rule.is_enabled);
    Ok(rules
        .map(|DenyRule { denied, is_inverted, .. }| DenyFacts { denied, is_inverted, subject: None })
        .collect())
}

/// What is named, and whether it is everybody else who is denied.
fn turned(rule: &DenyRule) -> String {
    let turned = if rule.is_inverted { "all but " } else { "" };
    format!("{turned}{}", rule.denied.value())
}

fn row(rule: &DenyRule) -> Result<deny_rule::ActiveModel, DbErr> {
    let application = match rule.denied {
        Denied::Application(id) => Some(id.to_string()),
        _ => None,
    };
    let user = match rule.denied {
        Denied::User(id) => Some(id.to_string()),
        _ => None,
    };
    Ok(deny_rule::ActiveModel {
        id: Set(rule.id.to_string()),
        about: Set(format!("{} {}", rule.denied.word(), turned(rule))),
        application_id: Set(application),
        user_id: Set(user),
        body: Set(written(rule)?),
    })
}

impl At<'_> {
    pub(crate) async fn change_deny_rule(&self, command: Command) -> Done {
        let rules = all(self.db).await?;
        let found = |id: DenyRuleId| {
            let rule = rules.iter().find(|rule| rule.id == id).cloned();
            rule.ok_or(Refused::NotFound("deny rule"))
        };
        match command {
            Command::CreateDenyRule(told) => {
                let (created_by, denied) = (self.actor.name.clone(), self.named(told.denied.clone()).await?);
                let rule = DenyRule { created_at: self.now, created_by, denied, etag: 1, ..told };
                denials::create(&rule, self.actor, &rules)?;
                deny_rule::Entity::insert(row(&rule)?).exec_without_returning(self.db).await?;
                self.keep_deny_change("made a deny rule", None, Some(&rule)).await?;
                Ok(Outcome::DenyRule(Box::new(rule)))
            }
            Command::ChangeDenyRule(told) => {
                let was = found(told.id)?;
                let denied = self.named(told.denied.clone()).await?;
                let command = ChangeDenyRule { denied, ..told };
                let rule = denials::change(&was, command, self.actor, &rules)?;
                deny_rule::Entity::update(row(&rule)?).exec(self.db).await?;
                self.keep_deny_change("changed a deny rule", Some(&was), Some(&rule)).await?;
                Ok(Outcome::DenyRule(Box::new(rule)))
            }
            Command::DeleteDenyRule { id, based_on } => {
                let rule = found(id)?;
                denials::delete(&rule, based_on, self.actor)?;
                deny_rule::Entity::delete_by_id(id.to_string()).exec(self.db).await?;
                self.keep_deny_change("deleted a deny rule", Some(&rule), None).await?;
                Ok(Outcome::Done)
            }
            _ => Err(DbErr::Custom("not a change to a deny rule".to_owned()).into()),
        }
    }

    /// What the rule is about, as it is written where it is.
    async fn named(&self, denied: Denied) -> Result<Denied, Failed> {
        let unknown = |code, detail: String| -> Failed {
            Refused::Invalid(vec![FieldProblem::new("/value", code, detail)]).into()
        };
        match &denied {
            Denied::Api(context) => {
                let context = rule::normal_context(context);
                let same = entity::api::Column::ContextKey.eq(folded_context(&context));
                let found = entity::api::Entity::find().filter(same).one(self.db).await?;
                let found = found.ok_or_else(|| {
                    unknown("unknown_context", format!("No API has the context “{context}”."))
                })?;
                Ok(Denied::Api(apis::opened(self.vault, &found.body)?.context))
            }
            Denied::Application(id) => {
                match entity::application::Entity::find_by_id(id.to_string()).count(self.db).await? {
                    0 => Err(unknown("unknown_application", "There is no such application.".to_owned())),
                    _ => Ok(denied),
                }
            }
            Denied::User(id) => {
                match entity::user::Entity::find_by_id(id.to_string()).count(self.db).await? {
                    0 => Err(unknown("unknown_user", "There is no such user.".to_owned())),
                    _ => Ok(denied),
                }
            }
            Denied::Address(_) | Denied::Range(_) => Ok(denied),
        }
    }

    async fn keep_deny_change(
        &self,
        action: &str,
        was: Option<&DenyRule>,
        is: Option<&DenyRule>,
    ) -> Result<(), Failed> {
        let Some(rule) = is.or(was) else { return Ok(()) };
        let state = if is.is_some_and(|rule| rule.is_enabled) { "enabled" } else { "not enabled" };
        let detail = format!("{}: {}, {state}", rule.denied.word(), turned(rule));
        let change = Change { at: self.now, by: self.actor.name.clone(), action: action.to_owned(), detail };
        let (was, is) = (was.map(written).transpose()?, is.map(written).transpose()?);
        self.kept_as(&rule.id.to_string(), &change, was, is).await?;
        Ok(self.bump().await?)
    }
}
