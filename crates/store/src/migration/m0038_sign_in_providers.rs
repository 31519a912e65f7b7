//! Other issuers by which people sign in, and as whom they know the people here.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const TABLES: [&str; 3] = [
    "CREATE TABLE sign_in_providers (
       id TEXT PRIMARY KEY NOT NULL, name_key TEXT NOT NULL UNIQUE, issuer TEXT NOT NULL UNIQUE, body TEXT NOT NULL)",
    "CREATE TABLE identities (
       issuer TEXT NOT NULL, subject TEXT NOT NULL, user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
       created_at BIGINT NOT NULL, PRIMARY KEY (issuer, subject))",
    "CREATE INDEX identities_user ON identities (user_id, created_at)",
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
