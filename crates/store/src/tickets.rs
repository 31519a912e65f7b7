//! One-time tickets as rows, and the commands about them.
//!
//! That the first of many uses a ticket up is said by the row itself, and not by who asks first here: another process
//! on the same database finds it used as well. It does not judge who buys, that was done before.

use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    sea_query::Expr,
};
use tidegate_model::{
    command::{Command, Outcome, Refused},
    id::ApiId,
    ticket::{Redemption, TICKETS_MAX, Ticket},
    user::Secret,
};

use crate::{
    entity::ticket::{ActiveModel, Column, Entity},
    execute::{At, Done},
    reads::{parsed, written},
    writer::Failed,
};

impl At<'_> {
    pub(crate) async fn change_ticket(&self, command: Command) -> Done {
        match command {
            Command::KeepTicket(ticket) => self.keep_ticket(*ticket).await,
            Command::RedeemTicket { hash, api } => {
                self.redeem_ticket(&hash, api).await.map(Outcome::Redeemed)
            }
            _ => Err(sea_orm::DbErr::Custom("not a change to a ticket".to_owned()).into()),
        }
    }

    /// Keeps a ticket, and forgets those that are worth nothing any more.
    async fn keep_ticket(&self, ticket: Ticket) -> Done {
        let (db, now) = (self.db, self.now.millis());
        self.own_application(ticket.application).await?;
        Entity::delete_many().filter(Column::ExpiresAt.lte(now)).exec(db).await?;
        let waiting = Entity::find()
            .filter(Column::ApplicationId.eq(ticket.application.to_string()))
            .filter(Column::UsedAt.is_null());
        if waiting.count(db).await? >= TICKETS_MAX {
            let detail = format!("This application has {TICKETS_MAX} tickets that wait to be used.");
            return Err(Refused::conflict(detail).into());
        }
        let row = ActiveModel {
            hash: Set(ticket.hash.0),
            api_id: Set(ticket.api.to_string()),
            application_id: Set(ticket.application.to_string()),
            identity: Set(written(&ticket.identity)?),
            expires_at: Set(ticket.expires_at.millis()),
            used_at: Set(None),
        };
        Entity::insert(row).exec_without_returning(db).await?;
        Ok(Outcome::Done)
    }

    async fn redeem_ticket(&self, hash: &Secret, api: ApiId) -> Result<Redemption, Failed> {
        let (db, now) = (self.db, self.now.millis());
        let row = Entity::find_by_id(&hash.0).one(db).await?;
        let Some(row) = row.filter(|row| row.api_id == api.to_string() && row.expires_at > now) else {
            return Ok(Redemption::Unknown);
        };
        let used = Entity::update_many()
            .col_expr(Column::UsedAt, Expr::value(now))
            .filter(Column::Hash.eq(&*hash.0))
            .filter(Column::UsedAt.is_null())
            .exec(db)
            .await?;
        if used.rows_affected == 0 {
            return Ok(Redemption::Used);
        }
        Ok(Redemption::Good(Box::new(parsed(&row.identity)?)))
    }
}
