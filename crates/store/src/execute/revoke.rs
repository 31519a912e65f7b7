//! Executing what ends credentials before their time.

use sea_orm::EntityTrait as _;
use tidegate_model::{
    command::{Outcome, Refused},
    decide,
    revocation::Revoke,
};

use super::{At, Done};
use crate::{applications, entity, revocations};

impl At<'_> {
    pub(super) async fn revoke(&self, revoke: &Revoke) -> Done {
        let mut subject = "authorization server".to_owned();
        if let Some(client_id) = &revoke.client_id {
            let row = entity::key::Entity::find_by_id(client_id).one(self.db).await?;
            let key = applications::key(&row.ok_or(Refused::NotFound("key"))?)?;
            subject = self.own_application(key.application).await?.id.to_string();
        }
        decide::revoke(revoke, self.actor)?;
        revocations::keep(self.db, self.now, &revoke.what, revoke.until).await?;
        for what in &revoke.what {
            self.note(&subject, "revoked", what.word()).await?;
        }
        Ok(Outcome::Done)
    }
}
