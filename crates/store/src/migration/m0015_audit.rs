//! What an entry of the audit log is about, by whom and from where; and how often, for what is counted together.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const TABLES: [&str; 8] = [
    "ALTER TABLE changes ADD COLUMN kind TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE changes ADD COLUMN actor_id TEXT",
    "ALTER TABLE changes ADD COLUMN address TEXT",
    "ALTER TABLE changes ADD COLUMN times BIGINT NOT NULL DEFAULT 1",
    // What is counted together, by minute; empty for what stands alone.
    "ALTER TABLE changes ADD COLUMN attempt TEXT",
    "CREATE UNIQUE INDEX changes_attempt ON changes (attempt)",
    "CREATE INDEX changes_at ON changes (at)",
    "CREATE INDEX changes_kind ON changes (kind, id)",
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
