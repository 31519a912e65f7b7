//! What was used of budgets: for each the newest window, or the latest debt. See `model::usage`.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const STATEMENTS: [&str; 2] = [
    "CREATE TABLE budgets (
      holder TEXT NOT NULL, shape TEXT NOT NULL, period BIGINT NOT NULL, units BIGINT NOT NULL,
      begins_at BIGINT NOT NULL, ends_at BIGINT NOT NULL, told_at BIGINT NOT NULL,
      PRIMARY KEY (holder, shape))",
    "CREATE INDEX budgets_end ON budgets (ends_at)",
];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    /// A start that is killed in the middle leaves nothing, so that the next one can begin again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for statement in STATEMENTS {
            schema.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
