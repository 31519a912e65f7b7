//! The API policies that ship, which installations from before have not.

#![allow(elided_lifetimes_in_paths, reason = "the library's trait is written so")]

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::EntityTrait as _;
use tidegate_model::policy::{PolicyKind, api_policies};

use crate::{entity::plan, policies};

#[derive(DeriveMigrationName)]
pub(crate) struct Step;

#[async_trait::async_trait]
impl MigrationTrait for Step {
    /// A start that is killed in the middle leaves nothing, so that the next one can begin again.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let shipped = api_policies().into_iter().zip(0..);
        let rows = shipped.map(|(policy, place)| policies::row(PolicyKind::Api, &policy.into(), place));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        plan::Entity::insert_many(rows).exec(schema.get_connection()).await.map(drop)
    }
}
