//! Alerts, when they are made, and up to which threshold one was made of a budget's window. See `model::alert`.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const STATEMENTS: [&str; 7] = [
    "ALTER TABLE budgets ADD COLUMN alerted INTEGER NOT NULL DEFAULT 0",
    "CREATE TABLE alerts (
      id TEXT PRIMARY KEY, holder TEXT NOT NULL, shape TEXT NOT NULL, period BIGINT NOT NULL, threshold INTEGER NOT NULL,
      at BIGINT NOT NULL, api_id TEXT, application_id TEXT, body TEXT NOT NULL,
      UNIQUE (holder, shape, period, threshold))",
    "CREATE INDEX alerts_of_apis ON alerts (api_id, id)",
    "CREATE INDEX alerts_of_applications ON alerts (application_id, id)",
    "CREATE INDEX alerts_at ON alerts (at)",
    "CREATE TABLE alert_settings (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL)",
    "INSERT INTO alert_settings (id, body)
      VALUES (1, '{\"thresholds\":[80,100],\"windows\":[\"hour\",\"day\",\"month\"],\"etag\":1}')",
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
