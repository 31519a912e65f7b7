//! Where a portal session began and when it was used last; the same for personal access tokens. Sessions from before
//! have no name to be ended by, so who is signed in signs in once more.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const TABLES: [&str; 7] = [
    "DELETE FROM portal_sessions",
    "ALTER TABLE portal_sessions ADD COLUMN id TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE portal_sessions ADD COLUMN address TEXT",
    "ALTER TABLE portal_sessions ADD COLUMN browser TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE portal_sessions ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0",
    "CREATE UNIQUE INDEX portal_sessions_id ON portal_sessions (id)",
    "ALTER TABLE tokens ADD COLUMN seen_at BIGINT",
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
