//! What was revoked before its time. Numbers are never given twice, also when rows are gone.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const TABLES: [&str; 3] = [
    "CREATE TABLE revocations (
  number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, at BIGINT NOT NULL,
  until BIGINT NOT NULL)",
    "CREATE UNIQUE INDEX revocations_what ON revocations (kind, name)",
    "CREATE INDEX revocations_until ON revocations (until)",
];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    /// A start that is killed in the middle leaves nothing, so that the next one can begin again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for statement in TABLES {
            schema.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
