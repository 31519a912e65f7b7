//! Business plans and application policies as rows.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _,
    QueryOrder as _,
};
use tidegate_model::policy::Policy;

use crate::entity::plan;

/// Kind of the rows that hold business plans.
pub(crate) const BUSINESS: &str = "business";
/// Kind of the rows that hold application policies.
pub(crate) const POLICY: &str = "application";

pub(crate) fn row(kind: &str, plan: &Policy, place: i32) -> Result<plan::ActiveModel, DbErr> {
    let body = serde_json::to_string(plan).map_err(|error| DbErr::Custom(error.to_string()))?;
    Ok(plan::ActiveModel {
        kind: Set(kind.to_owned()),
        name: Set(plan.name.clone()),
        place: Set(place),
        body: Set(body),
    })
}

pub(crate) async fn all(connection: &impl ConnectionTrait, kind: &str) -> Result<Vec<Policy>, DbErr> {
    let rows = plan::Entity::find()
        .filter(plan::Column::Kind.eq(kind))
        .order_by_asc(plan::Column::Place)
        .all(connection)
        .await?;
    rows.iter().map(|row| crate::reads::parsed(&row.body)).collect()
}

pub(crate) async fn names(connection: &impl ConnectionTrait, kind: &str) -> Result<Vec<String>, DbErr> {
    Ok(all(connection, kind).await?.into_iter().map(|plan| plan.name).collect())
}
