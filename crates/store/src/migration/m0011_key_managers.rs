//! Other issuers whose tokens are accepted, and the clients of theirs that applications have provided.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const TABLES: &str = "
CREATE TABLE key_managers (
  id TEXT PRIMARY KEY NOT NULL, name_key TEXT NOT NULL UNIQUE, issuer TEXT NOT NULL UNIQUE, body TEXT NOT NULL,
  jwks TEXT, fetched_at BIGINT);
CREATE TABLE provided_keys (
  key_manager_id TEXT NOT NULL REFERENCES key_managers (id) ON DELETE CASCADE, client_id TEXT NOT NULL,
  application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
  environment TEXT NOT NULL, created_at BIGINT NOT NULL, PRIMARY KEY (key_manager_id, client_id));
CREATE INDEX provided_keys_application ON provided_keys (application_id, created_at);
";

#[async_trait::async_trait]
impl MigrationTrait for Step {
    /// A start that is killed in the middle leaves nothing, so that the next one can begin again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let connection = schema.get_connection();
        for statement in TABLES.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
