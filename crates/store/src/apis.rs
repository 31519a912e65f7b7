//! APIs, revisions, lifecycle moves and the audit log as rows.

use sea_orm::{
    ActiveValue::{NotSet, Set, Unchanged},
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
    sea_query::{Expr, ExprTrait as _, LikeExpr},
};
use tidegate_model::{
    api::{Api, Change, Design, Moved, Revision},
    decide::{around, folded, folded_context, folded_path},
    id::ApiId,
    time::Timestamp,
};

use crate::{
    entity,
    reads::{id, literal, parsed, written},
    vault::Vault,
};

/// The place of an API's secrets in the vault; those of its revisions are there too.
fn place(id: ApiId) -> String {
    format!("api:{id}")
}

/// An API as it is written: its secrets sealed.
fn sealed(vault: &Vault, api: &Api) -> Result<String, DbErr> {
    let (mut api, place) = (api.clone(), place(api.id));
    vault.seal_each(&place, api.secrets_mut())?;
    written(&api)
}

/// An API as it was written, its secrets opened.
pub(crate) fn opened(vault: &Vault, body: &str) -> Result<Api, DbErr> {
    let mut api: Api = parsed(body)?;
    let place = place(api.id);
    vault.open_each(&place, api.secrets_mut())?;
    Ok(api)
}

/// Name and version of the APIs of whose working copy or live design this is so. All are read.
pub(crate) async fn names_where(
    connection: &impl ConnectionTrait,
    vault: &Vault,
    is_so: impl Fn(&Design) -> bool,
) -> Result<Vec<String>, DbErr> {
    let mut found = Vec::new();
    for row in entity::api::Entity::find().all(connection).await? {
        let Api { name, version, design, live, .. } = opened(vault, &row.body)?;
        if is_so(&design) || live.is_some_and(|live| is_so(&live.design)) {
            found.push(format!("{name} {version}"));
        }
    }
    Ok(found)
}

/// Seals what was written before there was a vault. Answers whether there was anything.
pub(crate) async fn seal_all(connection: &impl ConnectionTrait, vault: &Vault) -> Result<bool, DbErr> {
    let apis = entity::api::Entity::find().all(connection).await?;
    for written in &apis {
        let api: Api = parsed(&written.body)?;
        entity::api::Entity::update(row(vault, &api)?).exec(connection).await?;
    }
    let revisions = entity::revision::Entity::find().all(connection).await?;
    for written in &revisions {
        let design: Design = parsed(&written.design)?;
        let change = entity::revision::ActiveModel {
            api_id: Unchanged(written.api_id.clone()),
            number: Unchanged(written.number),
            design: Set(sealed_design(vault, id(&written.api_id)?, &design)?),
            ..Default::default()
        };
        entity::revision::Entity::update(change).exec(connection).await?;
    }
    Ok(!apis.is_empty() || !revisions.is_empty())
}

fn sealed_design(vault: &Vault, api: ApiId, design: &Design) -> Result<String, DbErr> {
    let (mut design, place) = (design.clone(), place(api));
    vault.seal_each(&place, design.endpoints.secrets_mut())?;
    written(&design)
}

pub(crate) fn row(vault: &Vault, api: &Api) -> Result<entity::api::ActiveModel, DbErr> {
    Ok(entity::api::ActiveModel {
        id: Set(api.id.to_string()),
        name_key: Set(folded(&api.name)),
        context_key: Set(folded_context(&api.context)),
        path_key: Set(folded_path(&api.context, &api.version)),
        state: Set(api.state.as_str().to_owned()),
        created_at: Set(api.created_at.millis()),
        body: Set(sealed(vault, api)?),
    })
}

pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    vault: &Vault,
    id: ApiId,
) -> Result<Option<Api>, DbErr> {
    let row = entity::api::Entity::find_by_id(id.to_string()).one(connection).await?;
    row.map(|row| opened(vault, &row.body)).transpose()
}

/// The APIs whose name, context or address could meet those of the one named; some do not.
pub(crate) async fn neighbours(
    connection: &impl ConnectionTrait,
    vault: &Vault,
    name: &str,
    context: &str,
    version: &str,
) -> Result<Vec<Api>, DbErr> {
    use entity::api::Column;
    let (own, default) = (folded_path(context, version), folded_context(context));
    let outer = around(&own).into_iter().chain(around(&default));
    let below = || LikeExpr::new(format!("{}/%", literal(&own))).escape('\\');
    let meeting = Condition::any()
        .add(Column::NameKey.eq(folded(name)))
        .add(Column::ContextKey.is_in([own.as_str(), default.as_str()]))
        .add(Column::PathKey.is_in(outer))
        .add(Expr::col(Column::PathKey).like(below()))
        .add(Expr::col(Column::ContextKey).like(below()));
    let rows = entity::api::Entity::find().filter(meeting).order_by_asc(Column::Id).all(connection).await?;
    rows.iter().map(|row| opened(vault, &row.body)).collect()
}

/// The other versions of an API.
pub(crate) async fn siblings(
    connection: &impl ConnectionTrait,
    vault: &Vault,
    api: &Api,
) -> Result<Vec<Api>, DbErr> {
    use entity::api::Column;
    let rows = entity::api::Entity::find()
        .filter(Column::NameKey.eq(folded(&api.name)))
        .filter(Column::Id.ne(api.id.to_string()))
        .order_by_asc(Column::Id)
        .all(connection)
        .await?;
    rows.iter().map(|row| opened(vault, &row.body)).collect()
}

pub(crate) async fn revisions(
    connection: &impl ConnectionTrait,
    vault: &Vault,
    api: ApiId,
) -> Result<Vec<Revision>, DbErr> {
    let live = find(connection, vault, api).await?.and_then(|api| api.live).map(|live| live.revision);
    let rows = entity::revision::Entity::find()
        .filter(entity::revision::Column::ApiId.eq(api.to_string()))
        .order_by_desc(entity::revision::Column::Number)
        .all(connection)
        .await?;
    rows.into_iter()
        .map(|row| {
            let number = u32::try_from(row.number).unwrap_or_default();
            let (mut design, place): (Design, _) = (parsed(&row.design)?, place(api));
            vault.open_each(&place, design.endpoints.secrets_mut())?;
            Ok(Revision {
                number,
                created_at: Timestamp(row.created_at),
                created_by: row.created_by,
                live: live == Some(number),
                design,
            })
        })
        .collect()
}

pub(crate) async fn keep_revision(
    connection: &impl ConnectionTrait,
    vault: &Vault,
    api: ApiId,
    revision: &Revision,
) -> Result<(), DbErr> {
    let row = entity::revision::ActiveModel {
        api_id: Set(api.to_string()),
        number: Set(i32::try_from(revision.number).unwrap_or(i32::MAX)),
        created_at: Set(revision.created_at.millis()),
        created_by: Set(revision.created_by.clone()),
        design: Set(sealed_design(vault, api, &revision.design)?),
    };
    entity::revision::Entity::insert(row).exec_without_returning(connection).await.map(drop)
}

pub(crate) async fn moves(connection: &impl ConnectionTrait, api: ApiId) -> Result<Vec<Moved>, DbErr> {
    let rows = entity::lifecycle_move::Entity::find()
        .filter(entity::lifecycle_move::Column::ApiId.eq(api.to_string()))
        .order_by_desc(entity::lifecycle_move::Column::Id)
        .all(connection)
        .await?;
    let word = |text: &str| DbErr::Type(format!("{text:?} is no word of the lifecycle"));
    rows.into_iter()
        .map(|row| {
            Ok(Moved {
                at: Timestamp(row.at),
                by: row.actor,
                event: row.event.map(|event| event.parse().map_err(|_| word(&event))).transpose()?,
                from: row.from_state.map(|state| state.parse().map_err(|_| word(&state))).transpose()?,
                to: row.to_state.parse().map_err(|_| word(&row.to_state))?,
            })
        })
        .collect()
}

pub(crate) async fn keep_move(
    connection: &impl ConnectionTrait,
    api: ApiId,
    moved: &Moved,
) -> Result<(), DbErr> {
    let row = entity::lifecycle_move::ActiveModel {
        id: NotSet,
        api_id: Set(api.to_string()),
        at: Set(moved.at.millis()),
        actor: Set(moved.by.clone()),
        event: Set(moved.event.map(|event| event.as_str().to_owned())),
        from_state: Set(moved.from.map(|state| state.as_str().to_owned())),
        to_state: Set(moved.to.as_str().to_owned()),
    };
    entity::lifecycle_move::Entity::insert(row).exec_without_returning(connection).await.map(drop)
}

pub(crate) async fn changes(
    connection: &impl ConnectionTrait,
    api: ApiId,
    limit: u32,
) -> Result<Vec<Change>, DbErr> {
    let rows = entity::change::Entity::find()
        .filter(entity::change::Column::Subject.eq(api.to_string()))
        .order_by_desc(entity::change::Column::Id)
        .limit(u64::from(limit))
        .all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| Change { at: Timestamp(row.at), by: row.actor, action: row.action, detail: row.detail })
        .collect())
}
