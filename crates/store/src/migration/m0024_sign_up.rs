//! Whether people may sign up by themselves: one row, closed.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const STATEMENTS: [&str; 2] = [
    "CREATE TABLE sign_up (id INTEGER PRIMARY KEY CHECK (id = 1), is_open BOOLEAN NOT NULL, etag BIGINT NOT NULL)",
    "INSERT INTO sign_up (id, is_open, etag) VALUES (1, FALSE, 1)",
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
