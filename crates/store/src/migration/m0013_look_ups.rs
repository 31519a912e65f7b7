//! Indexes for what is looked for by another column than the first: what is forgotten, and what goes with its person or
//! client. And the key that a refresh token is bound to, and numbers by which gateways are told of
//! opaque tokens as they are issued.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const STATEMENTS: [&str; 11] = [
    "ALTER TABLE access_tokens ADD COLUMN number BIGINT NOT NULL DEFAULT 0",
    "UPDATE access_tokens SET number = (SELECT count(*) FROM access_tokens AS other
      WHERE other.issued_at < access_tokens.issued_at
      OR (other.issued_at = access_tokens.issued_at AND other.token_hash <= access_tokens.token_hash))",
    "CREATE UNIQUE INDEX access_tokens_number ON access_tokens (number)",
    "INSERT INTO meta (name, value) SELECT 'opaque_token_number', count(*) FROM access_tokens",
    "ALTER TABLE refresh_tokens ADD COLUMN bound_to TEXT",
    "CREATE INDEX authorizations_end ON authorizations (ended_at)",
    "CREATE INDEX authorization_codes_unused ON authorization_codes (expires_at) WHERE used_at IS NULL",
    "CREATE INDEX refresh_tokens_unused ON refresh_tokens (expires_at) WHERE used_at IS NULL",
    "CREATE INDEX consents_client ON consents (client_id)",
    "CREATE INDEX portal_sessions_user ON portal_sessions (user_id)",
    "CREATE INDEX tokens_user ON tokens (user_id)",
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
