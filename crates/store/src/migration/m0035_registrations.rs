//! Tokens by which clients register themselves, and what is kept of those that did.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const TABLES: [&str; 4] = [
    "CREATE TABLE registration_tokens (
       id TEXT PRIMARY KEY NOT NULL, hash TEXT NOT NULL UNIQUE,
       owner_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE, body TEXT NOT NULL)",
    "CREATE INDEX registration_tokens_owner ON registration_tokens (owner_id)",
    "CREATE TABLE registrations (
       client_id TEXT PRIMARY KEY NOT NULL REFERENCES application_keys (client_id) ON DELETE CASCADE,
       application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE, body TEXT NOT NULL)",
    "CREATE INDEX registrations_application ON registrations (application_id)",
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
