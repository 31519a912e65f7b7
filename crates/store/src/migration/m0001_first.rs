//! The first schema: every noun of the first release, and the plans that ship.
//!
//! The statements are the part of SQL that SQLite and PostgreSQL read alike.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm::{ActiveValue::Set, EntityTrait as _};
use sea_orm_migration::prelude::*;
use tidegate_model::policy::{Policy, PolicyKind, application_policies, business_plans};

use crate::{entity, policies};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, value BIGINT NOT NULL);
CREATE TABLE users (
  id TEXT PRIMARY KEY NOT NULL, username TEXT NOT NULL, username_key TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL, roles TEXT NOT NULL, demo BOOLEAN NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE portal_sessions (
  token_hash TEXT PRIMARY KEY NOT NULL, user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  csrf_token TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL);
CREATE INDEX portal_sessions_expiry ON portal_sessions (expires_at);
CREATE TABLE tokens (
  id TEXT PRIMARY KEY NOT NULL, token_hash TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT);
CREATE TABLE signing_keys (kid TEXT PRIMARY KEY NOT NULL, private_key TEXT NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE plans (
  kind TEXT NOT NULL, name TEXT NOT NULL, place INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, name));
CREATE TABLE apis (
  id TEXT PRIMARY KEY NOT NULL, name_key TEXT NOT NULL, context_key TEXT NOT NULL, path_key TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL, created_at BIGINT NOT NULL, body TEXT NOT NULL);
CREATE INDEX apis_name ON apis (name_key, id);
CREATE INDEX apis_context ON apis (context_key);
CREATE TABLE revisions (
  api_id TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE, number INTEGER NOT NULL,
  created_at BIGINT NOT NULL, created_by TEXT NOT NULL, design TEXT NOT NULL, PRIMARY KEY (api_id, number));
CREATE TABLE lifecycle_moves (
  id INTEGER PRIMARY KEY AUTOINCREMENT, api_id TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
  at BIGINT NOT NULL, actor TEXT NOT NULL, event TEXT, from_state TEXT, to_state TEXT NOT NULL);
CREATE INDEX lifecycle_moves_api ON lifecycle_moves (api_id, id);
CREATE TABLE changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, at BIGINT NOT NULL, actor TEXT NOT NULL,
  action TEXT NOT NULL, detail TEXT NOT NULL, before_body TEXT, after_body TEXT);
CREATE INDEX changes_subject ON changes (subject, id);
CREATE TABLE applications (
  id TEXT PRIMARY KEY NOT NULL, owner TEXT NOT NULL, name_key TEXT NOT NULL, body TEXT NOT NULL,
  UNIQUE (owner, name_key));
CREATE TABLE application_keys (
  client_id TEXT PRIMARY KEY NOT NULL, application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
  secret_hash TEXT NOT NULL, environment TEXT NOT NULL, grants TEXT NOT NULL, created_at BIGINT NOT NULL,
  UNIQUE (application_id, environment));
CREATE TABLE subscriptions (
  id TEXT PRIMARY KEY NOT NULL, application_id TEXT NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
  api_id TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE, plan TEXT NOT NULL, created_at BIGINT NOT NULL,
  UNIQUE (application_id, api_id));
CREATE INDEX subscriptions_api ON subscriptions (api_id, id);
CREATE TABLE boots (boot TEXT PRIMARY KEY NOT NULL, last_number BIGINT NOT NULL);
CREATE TABLE minutes (
  minute BIGINT NOT NULL, api_id TEXT NOT NULL, application_id TEXT NOT NULL, plan TEXT NOT NULL,
  sessions BIGINT NOT NULL, messages_from_clients BIGINT NOT NULL, messages_from_backends BIGINT NOT NULL,
  bytes_from_clients BIGINT NOT NULL, bytes_from_backends BIGINT NOT NULL, refusals BIGINT NOT NULL,
  PRIMARY KEY (minute, api_id, application_id, plan));
CREATE INDEX minutes_api ON minutes (api_id, minute);
CREATE INDEX minutes_application ON minutes (application_id, minute);
CREATE TABLE sessions (
  id TEXT PRIMARY KEY NOT NULL, api_id TEXT NOT NULL, application_id TEXT NOT NULL,
  opened_at BIGINT NOT NULL, closed_at BIGINT NOT NULL, body TEXT NOT NULL);
CREATE INDEX sessions_api ON sessions (api_id, closed_at);
";

#[async_trait::async_trait]
impl MigrationTrait for Step {
    /// A start that is killed in the middle leaves nothing, so that the next one can begin again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let connection = schema.get_connection();
        for statement in TABLES.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            connection.execute_unprepared(statement).await?;
        }
        let rows = |kind, shipped: Vec<Policy>| {
            shipped.into_iter().zip(0..).map(move |(plan, place)| policies::row(kind, &plan.into(), place))
        };
        let shipped = rows(PolicyKind::Business, business_plans())
            .chain(rows(PolicyKind::Application, application_policies()));
        entity::plan::Entity::insert_many(shipped.collect::<Result<Vec<_>, _>>()?).exec(connection).await?;
        let number =
            entity::meta::ActiveModel { name: Set(crate::reads::SNAPSHOT_NUMBER.to_owned()), value: Set(1) };
        entity::meta::Entity::insert(number).exec(connection).await?;
        Ok(())
    }
}
