//! Applications, keys and subscriptions as rows.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _,
    QueryOrder as _,
};
use tidegate_model::{
    application::{ApiKey, Application, Key, Subscription},
    decide::folded,
    id::ApplicationId,
    time::Timestamp,
    user::Secret,
};

use crate::{
    entity,
    reads::{environment, id, parsed, written},
};

pub(crate) fn row(application: &Application) -> Result<entity::application::ActiveModel, DbErr> {
    Ok(entity::application::ActiveModel {
        id: Set(application.id.to_string()),
        owner: Set(application.owner.map(|owner| owner.to_string()).unwrap_or_default()),
        name_key: Set(folded(&application.name)),
        body: Set(written(application)?),
    })
}

pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    id: ApplicationId,
) -> Result<Option<Application>, DbErr> {
    let row = entity::application::Entity::find_by_id(id.to_string()).one(connection).await?;
    row.map(|row| parsed(&row.body)).transpose()
}

pub(crate) fn key(row: &entity::key::Model) -> Result<Key, DbErr> {
    Ok(Key {
        client_id: row.client_id.clone(),
        secret_hash: Secret(row.secret_hash.clone()),
        application: id(&row.application_id)?,
        environment: environment(&row.environment)?,
        grants: parsed(&row.grants)?,
        settings: parsed(&row.settings)?,
        created_at: Timestamp(row.created_at),
    })
}

pub(crate) fn key_row(key: &Key) -> Result<entity::key::ActiveModel, DbErr> {
    Ok(entity::key::ActiveModel {
        client_id: Set(key.client_id.clone()),
        application_id: Set(key.application.to_string()),
        secret_hash: Set(key.secret_hash.0.clone()),
        environment: Set(key.environment.as_str().to_owned()),
        grants: Set(written(&key.grants)?),
        settings: Set(written(&key.settings)?),
        created_at: Set(key.created_at.millis()),
    })
}

pub(crate) async fn keys(
    connection: &impl ConnectionTrait,
    application: ApplicationId,
) -> Result<Vec<Key>, DbErr> {
    let rows = entity::key::Entity::find()
        .filter(entity::key::Column::ApplicationId.eq(application.to_string()))
        .order_by_asc(entity::key::Column::Environment)
        .all(connection)
        .await?;
    rows.iter().map(key).collect()
}

pub(crate) fn subscription(row: &entity::subscription::Model) -> Result<Subscription, DbErr> {
    Ok(Subscription {
        id: id(&row.id)?,
        application: id(&row.application_id)?,
        api: id(&row.api_id)?,
        plan: row.plan.clone(),
        created_at: Timestamp(row.created_at),
    })
}

pub(crate) fn subscription_row(subscription: &Subscription) -> entity::subscription::ActiveModel {
    entity::subscription::ActiveModel {
        id: Set(subscription.id.to_string()),
        application_id: Set(subscription.application.to_string()),
        api_id: Set(subscription.api.to_string()),
        plan: Set(subscription.plan.clone()),
        created_at: Set(subscription.created_at.millis()),
    }
}

pub(crate) fn api_key_row(key: &ApiKey) -> Result<entity::api_key::ActiveModel, DbErr> {
    Ok(entity::api_key::ActiveModel {
        id: Set(key.id.to_string()),
        application_id: Set(key.application.to_string()),
        hash: Set(key.hash.0.clone()),
        body: Set(written(key)?),
    })
}

/// API keys of an application, oldest first: ids are of version 7.
pub(crate) async fn api_keys(
    connection: &impl ConnectionTrait,
    application: ApplicationId,
) -> Result<Vec<ApiKey>, DbErr> {
    let rows = entity::api_key::Entity::find()
        .filter(entity::api_key::Column::ApplicationId.eq(application.to_string()))
        .order_by_asc(entity::api_key::Column::Id)
        .all(connection)
        .await?;
    rows.iter().map(|row| parsed(&row.body)).collect()
}
