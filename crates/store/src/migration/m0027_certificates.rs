//! Certificates of applications.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const STATEMENTS: [&str; 2] = [
    "CREATE TABLE certificates (
      id TEXT PRIMARY KEY NOT NULL, application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
      thumbprint TEXT NOT NULL UNIQUE, body TEXT NOT NULL)",
    "CREATE INDEX certificates_application ON certificates (application_id, id)",
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
