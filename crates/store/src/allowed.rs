//! What people allowed clients, seen from the people: who may do something in their name, and the end of it.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _, FromQueryResult,
    QueryFilter as _, QuerySelect as _, sea_query::Query,
};
use tidegate_model::{
    application::Application,
    authorization::{AllowedClient, Withdraw},
    command::Refused,
    id::UserId,
    time::Timestamp,
};

use crate::{
    authorizations,
    entity::{application, authorization, code, consent, key},
    reads::parsed,
    writer::Failed,
};

/// Authorizations of a person for the same client and scopes.
#[derive(FromQueryResult)]
struct Allowed {
    client_id: String,
    scope: String,
    since: i64,
    last: i64,
}

/// What is gathered of a client.
struct Gathered {
    scopes: BTreeSet<String>,
    since: i64,
    last: i64,
}

impl Gathered {
    fn gather(
        all: &mut BTreeMap<String, Self>,
        client_id: String,
        scopes: Vec<String>,
        since: i64,
        last: i64,
    ) {
        let one = all.entry(client_id).or_insert(Self { scopes: BTreeSet::new(), since, last });
        one.scopes.extend(scopes);
        (one.since, one.last) = (one.since.min(since), one.last.max(last));
    }
}

/// The clients of a person; the last first.
pub(crate) async fn clients(
    connection: &impl ConnectionTrait,
    user: UserId,
    now: Timestamp,
) -> Result<Vec<AllowedClient>, DbErr> {
    let mut all = BTreeMap::new();
    // Nothing ever came of one whose code was not used.
    let redeemed = Query::select()
        .column(code::Column::AuthorizationId)
        .from(code::Entity)
        .and_where(code::Column::UsedAt.is_not_null())
        .to_owned();
    let found = authorization::Entity::find()
        .select_only()
        .column(authorization::Column::ClientId)
        .column(authorization::Column::Scope)
        .column_as(authorization::Column::CreatedAt.min(), "since")
        .column_as(authorization::Column::CreatedAt.max(), "last")
        .filter(authorization::Column::UserId.eq(user.to_string()))
        .filter(authorization::Column::EndedAt.is_null())
        .filter(authorization::Column::ExpiresAt.gt(now.millis()))
        .filter(authorization::Column::Id.in_subquery(redeemed))
        .group_by(authorization::Column::ClientId)
        .group_by(authorization::Column::Scope)
        .into_model::<Allowed>()
        .all(connection)
        .await?;
    for Allowed { client_id, scope, since, last } in found {
        let scopes = scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        Gathered::gather(&mut all, client_id, scopes, since, last);
    }
    let consents = consent::Entity::find().filter(consent::Column::UserId.eq(user.to_string()));
    for row in consents.all(connection).await? {
        Gathered::gather(&mut all, row.client_id, parsed(&row.scopes)?, row.at, row.at);
    }
    named(connection, all).await
}

/// With the names of their applications.
async fn named(
    connection: &impl ConnectionTrait,
    mut all: BTreeMap<String, Gathered>,
) -> Result<Vec<AllowedClient>, DbErr> {
    let keys = key::Entity::find().filter(key::Column::ClientId.is_in(all.keys())).all(connection).await?;
    let ids = keys.iter().map(|key| key.application_id.as_str());
    let applications =
        application::Entity::find().filter(application::Column::Id.is_in(ids)).all(connection).await?;
    let applications: BTreeMap<_, _> = applications.into_iter().map(|row| (row.id, row.body)).collect();
    let mut clients = Vec::new();
    for key in keys {
        let (Some(one), Some(body)) = (all.remove(&key.client_id), applications.get(&key.application_id))
        else {
            continue;
        };
        let Gathered { scopes, since, last } = one;
        let application: Application = parsed(body)?;
        clients.push(AllowedClient {
            client_id: key.client_id,
            application: application.name,
            owner_name: application.owner_name,
            scopes: scopes.into_iter().collect(),
            since: Timestamp(since),
            last: Timestamp(last),
        });
    }
    clients.sort_by_key(|client| std::cmp::Reverse(client.last));
    Ok(clients)
}

/// Ends all that a person allowed a client, redeemed or not, and forgets the consent.
pub(crate) async fn withdraw(
    db: &DatabaseTransaction,
    now: Timestamp,
    command: &Withdraw,
) -> Result<(), Failed> {
    let user = command.user.to_string();
    let standing = authorization::Entity::find()
        .filter(authorization::Column::UserId.eq(user.as_str()))
        .filter(authorization::Column::ClientId.eq(command.client_id.as_str()))
        .filter(authorization::Column::EndedAt.is_null())
        .filter(authorization::Column::ExpiresAt.gt(now.millis()))
        .all(db)
        .await?;
    let is_standing = !standing.is_empty();
    for row in standing {
        authorizations::end(db, now, &authorizations::authorization(row)?).await?;
    }
    let consent = consent::Entity::delete_by_id((user, command.client_id.clone())).exec(db).await?;
    if is_standing || consent.rows_affected > 0 {
        Ok(())
    } else {
        Err(Refused::NotFound("authorization").into())
    }
}
