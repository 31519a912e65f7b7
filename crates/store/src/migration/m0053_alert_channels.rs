//! Channels of alerts, the outbox of what they are told, and the mail server. See `model::alert::channel`.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

const STATEMENTS: [&str; 8] = [
    "CREATE TABLE alert_channels (
      id TEXT PRIMARY KEY NOT NULL, about TEXT NOT NULL, kind TEXT NOT NULL,
      application_id TEXT REFERENCES applications (id) ON DELETE CASCADE,
      api_id TEXT REFERENCES apis (id) ON DELETE CASCADE, body TEXT NOT NULL,
      UNIQUE (about, kind))",
    "CREATE INDEX alert_channels_of_applications ON alert_channels (application_id)",
    "CREATE INDEX alert_channels_of_apis ON alert_channels (api_id)",
    "CREATE TABLE deliveries (
      channel_id TEXT NOT NULL REFERENCES alert_channels (id) ON DELETE CASCADE,
      alert_id TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
      state TEXT NOT NULL, tries INTEGER NOT NULL, due_at BIGINT NOT NULL, tried_at BIGINT, problem TEXT NOT NULL,
      PRIMARY KEY (channel_id, alert_id))",
    "CREATE INDEX deliveries_due ON deliveries (state, due_at)",
    "CREATE INDEX deliveries_of_alerts ON deliveries (alert_id)",
    "CREATE TABLE mail (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL)",
    "INSERT INTO mail (id, body) VALUES (1, '{\"server\":null,\"etag\":1}')",
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
