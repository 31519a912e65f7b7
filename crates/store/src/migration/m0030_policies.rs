//! Plans and policies as a list of limits: until now each had at most one, on messages of a calendar window.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ActiveValue::Set, EntityTrait as _, IntoActiveModel as _};
use serde_json::{Value, json};

use crate::entity::plan;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    /// A start that is killed in the middle leaves nothing, so that the next one can begin again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let connection = schema.get_connection();
        for row in plan::Entity::find().all(connection).await? {
            let Some(body) = in_limits(&row.body)? else { continue };
            let row = plan::ActiveModel { body: Set(body), ..row.into_active_model() };
            plan::Entity::update(row).exec(connection).await?;
        }
        Ok(())
    }
}

/// What was written before, as it is written now; `None` where it is so already.
fn in_limits(body: &str) -> Result<Option<String>, DbErr> {
    let mut body: Value = serde_json::from_str(body).map_err(|error| DbErr::Custom(error.to_string()))?;
    let Some(limit) = body.as_object_mut().and_then(|policy| policy.remove("limit")) else { return Ok(None) };
    let limits = match limit {
        Value::Null => json!([]),
        limit => json!([{
            "amount": limit["messages"], "unit": "messages", "per": limit["per"],
            "counting": {"kind": "calendar"}, "direction": "both",
        }]),
    };
    body["limits"] = limits;
    Ok(Some(body.to_string()))
}

#[cfg(test)]
mod tests {
    use tidegate_model::{
        limit::{Limit, Window},
        policy::Policy,
    };

    use super::*;

    #[test]
    fn a_policy_of_before_is_read_as_it_was_meant() {
        for (limit, limits) in [
            (r#"{"messages":5000,"per":"minute"}"#, vec![Limit::messages(5_000, Window::Minute)]),
            ("null", Vec::new()),
        ] {
            let before = format!(r#"{{"name":"Gold","description":"Many","limit":{limit}}}"#);
            let after = in_limits(&before).unwrap().unwrap();
            let policy: Policy = serde_json::from_str(&after).unwrap();
            let expected =
                Policy { name: "Gold".into(), description: "Many".into(), limits, ..Policy::default() };
            assert_eq!(policy, expected);
            assert_eq!(in_limits(&after).unwrap(), None, "once is enough");
        }
    }
}
