//! Changes to authorizations, and to what comes of them. What they do to rows is in the files of those rows; here is what
//! is noted of them.

use sea_orm::DbErr;
use tidegate_model::{
    authorization::Redeemed,
    command::{Command, Outcome},
};

use super::{At, Done};
use crate::{allowed, authorizations, device_codes};

impl At<'_> {
    pub(super) async fn change_authorization(&self, command: Command) -> Done {
        let (db, now) = (self.db, self.now);
        match command {
            Command::Authorize(authorize) => {
                let given = &authorize.authorization;
                let (user, detail) = (given.user.to_string(), given.client_id.clone());
                authorizations::authorize(db, now, *authorize).await?;
                self.note(&user, "authorized a client", &detail).await?;
            }
            Command::KeepDeviceCode(code) => device_codes::keep(db, now, code).await?,
            Command::AllowDevice(authorize) => {
                let given = &authorize.authorization;
                let (user, detail) = (given.user.to_string(), given.client_id.clone());
                device_codes::allow(db, now, *authorize).await?;
                self.note(&user, "allowed a device", &detail).await?;
            }
            Command::DenyDevice(denied) => {
                let client_id = device_codes::deny(db, now, &denied).await?;
                self.note(&denied.user.to_string(), "denied a device", &client_id).await?;
            }
            Command::RedeemCode(redeem) => {
                let redeemed = authorizations::redeem(db, now, redeem).await?;
                return self.redeemed(redeemed, "presented a code twice").await;
            }
            Command::Renew(renew) => {
                let redeemed = authorizations::renew(db, now, renew).await?;
                return self.redeemed(redeemed, "presented a refresh token twice").await;
            }
            Command::EndAuthorization(end) => {
                // One that ended before is nothing to be told of.
                let standing = authorizations::find(db, end.id).await?.filter(|of| of.ended_at.is_none());
                if let Some(of) = standing {
                    authorizations::end(db, now, &of).await?;
                    self.note(&of.user.to_string(), "ended an authorization", &of.client_id).await?;
                }
            }
            Command::Withdraw(withdraw) => {
                allowed::withdraw(db, now, &withdraw).await?;
                self.note(
                    &withdraw.user.to_string(),
                    "withdrew what a client was allowed",
                    &withdraw.client_id,
                )
                .await?;
            }
            Command::KeepAccessToken(token) => {
                authorizations::keep_access_token(db, now, token).await?;
            }
            Command::UseAssertion { replay_id, expires_at } => {
                authorizations::use_assertion(db, now, replay_id, expires_at).await?;
            }
            Command::EndAccessToken { token_hash } => {
                authorizations::end_access_token(db, now, &token_hash).await?;
            }
            _ => return Err(DbErr::Custom("a command without a place".to_owned()).into()),
        }
        Ok(Outcome::Done)
    }

    async fn redeemed(&self, redeemed: Redeemed, replay: &str) -> Done {
        if let Redeemed::Replayed(id) = &redeemed {
            self.note(&id.to_string(), replay, "").await?;
        }
        Ok(Outcome::Tokens(redeemed))
    }
}
