//! One-time tickets.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const STATEMENTS: [&str; 3] = [
    "CREATE TABLE tickets (
      hash TEXT PRIMARY KEY NOT NULL, api_id TEXT NOT NULL,
      application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
      identity TEXT NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT)",
    "CREATE INDEX tickets_application ON tickets (application_id, used_at)",
    "CREATE INDEX tickets_expiry ON tickets (expires_at)",
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
