//! Roles of the installation's own: none yet.

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
        let statement = "CREATE TABLE own_roles (name TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL)";
        schema.get_connection().execute_unprepared(statement).await.map(drop)
    }
}
