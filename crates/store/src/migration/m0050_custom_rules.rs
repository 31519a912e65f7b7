//! Custom rules.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    /// A start that is killed in the middle leaves nothing, so that the next one can begin again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let table = "CREATE TABLE custom_rules (
          id TEXT PRIMARY KEY NOT NULL, name_key TEXT NOT NULL UNIQUE, body TEXT NOT NULL)";
        schema.get_connection().execute_unprepared(table).await.map(drop)
    }
}
