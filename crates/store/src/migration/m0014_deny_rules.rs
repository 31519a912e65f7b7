//! Deny rules. One about an application or a person goes with what it is about.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const STATEMENTS: [&str; 3] = [
    "CREATE TABLE deny_rules (
      id TEXT PRIMARY KEY NOT NULL, about TEXT NOT NULL UNIQUE,
      application_id TEXT REFERENCES applications (id) ON DELETE CASCADE,
      user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
      body TEXT NOT NULL)",
    "CREATE INDEX deny_rules_application ON deny_rules (application_id)",
    "CREATE INDEX deny_rules_user ON deny_rules (user_id)",
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
