//! What ships has no description any more: it said the number that is in the limit beside it, and would go on saying it
//! when an administrator changes that.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ActiveValue::Set, EntityTrait as _, IntoActiveModel as _};
use serde_json::Value;

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
            let Some(body) = without_shipped(&row.body)? else { continue };
            let row = plan::ActiveModel { body: Set(body), ..row.into_active_model() };
            plan::Entity::update(row).exec(connection).await?;
        }
        Ok(())
    }
}

/// The policy without the sentence that shipped with it; `None` where it has another.
fn without_shipped(body: &str) -> Result<Option<String>, DbErr> {
    let mut body: Value = serde_json::from_str(body).map_err(|error| DbErr::Custom(error.to_string()))?;
    let told = body["description"].as_str().unwrap_or_default();
    let shipped = told == "No limit on messages"
        || (told.starts_with("Up to ") && told.ends_with(", both directions together"));
    if !shipped {
        return Ok(None);
    }
    body["description"] = "".into();
    Ok(Some(body.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shipped_goes_and_what_somebody_wrote_stays() {
        for told in ["No limit on messages", "Up to 5,000 messages per minute, both directions together"] {
            let body = format!(r#"{{"description":"{told}","name":"Gold"}}"#);
            assert_eq!(
                without_shipped(&body).unwrap().as_deref(),
                Some(r#"{"description":"","name":"Gold"}"#)
            );
        }
        for told in ["", "Up to you.", "For streams."] {
            let body = format!(r#"{{"description":"{told}","name":"Gold"}}"#);
            assert_eq!(without_shipped(&body).unwrap(), None);
        }
    }
}
