//! What a personal access token is for, as a list of scopes; none for what was made before, which goes on with all that
//! the roles of its owner allow.

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
        schema
            .get_connection()
            .execute_unprepared("ALTER TABLE tokens ADD COLUMN scopes TEXT")
            .await
            .map(drop)
    }
}
