//! Authorizations through a browser: what a client is told to be, what people allowed, codes, refresh tokens, access
//! tokens that say nothing by themselves, and remembered consents.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const STATEMENTS: &str = "
ALTER TABLE application_keys ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
CREATE TABLE authorizations (
  id TEXT PRIMARY KEY NOT NULL,
  client_id TEXT NOT NULL REFERENCES application_keys (client_id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  scope TEXT NOT NULL, auth_time BIGINT NOT NULL, nonce TEXT, mark TEXT NOT NULL,
  created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, ended_at BIGINT);
CREATE INDEX authorizations_client ON authorizations (client_id);
CREATE INDEX authorizations_user ON authorizations (user_id);
CREATE INDEX authorizations_expiry ON authorizations (expires_at);
CREATE TABLE authorization_codes (
  code_hash TEXT PRIMARY KEY NOT NULL,
  authorization_id TEXT NOT NULL REFERENCES authorizations (id) ON DELETE CASCADE,
  redirect_uri TEXT NOT NULL, challenge TEXT NOT NULL, expires_at BIGINT NOT NULL, used_at BIGINT);
CREATE INDEX authorization_codes_authorization ON authorization_codes (authorization_id);
CREATE TABLE refresh_tokens (
  token_hash TEXT PRIMARY KEY NOT NULL,
  authorization_id TEXT NOT NULL REFERENCES authorizations (id) ON DELETE CASCADE,
  expires_at BIGINT NOT NULL, used_at BIGINT);
CREATE INDEX refresh_tokens_authorization ON refresh_tokens (authorization_id);
CREATE TABLE access_tokens (
  token_hash TEXT PRIMARY KEY NOT NULL,
  client_id TEXT NOT NULL REFERENCES application_keys (client_id) ON DELETE CASCADE,
  authorization_id TEXT REFERENCES authorizations (id) ON DELETE CASCADE,
  subject TEXT NOT NULL, scope TEXT NOT NULL, issued_at BIGINT NOT NULL, expires_at BIGINT NOT NULL);
CREATE INDEX access_tokens_client ON access_tokens (client_id, issued_at);
CREATE INDEX access_tokens_authorization ON access_tokens (authorization_id);
CREATE INDEX access_tokens_expiry ON access_tokens (expires_at);
CREATE TABLE consents (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  client_id TEXT NOT NULL REFERENCES application_keys (client_id) ON DELETE CASCADE,
  scopes TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (user_id, client_id));
";

#[async_trait::async_trait]
impl MigrationTrait for Step {
    /// A start that is killed in the middle leaves nothing, so that the next one can begin again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let connection = schema.get_connection();
        for statement in STATEMENTS.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            connection.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
