//! Devices that wait for a person.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const STATEMENTS: [&str; 3] = [
    "CREATE TABLE device_codes (code_hash TEXT PRIMARY KEY NOT NULL, user_code_hash TEXT UNIQUE NOT NULL, \
     client_id TEXT NOT NULL REFERENCES application_keys (client_id) ON DELETE CASCADE, scope TEXT NOT NULL, \
     created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, denied_at BIGINT)",
    "CREATE INDEX device_codes_client ON device_codes (client_id, created_at)",
    "CREATE INDEX device_codes_expiry ON device_codes (expires_at)",
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
