//! Device code: the tokens that a person allowed on another screen, or why there are none yet.

use tidegate_model::{application::Key, authorization::RedeemCode, command::Command, user::Secret};
use tidegate_oauth::grant::{
    TokenError, TokenResponse,
    device::{Asked, INVALID},
};

use super::{Exchange, exchange, first_refresh_token};
use crate::{oauth::Failure, possession::Holder, problem::Problem, state::Inner};

pub(in crate::oauth) async fn device(
    inner: &Inner,
    key: &Key,
    asked: &Asked,
    holder: &Holder,
) -> Result<TokenResponse, Failure> {
    let code_hash = Secret(asked.code_hash()?);
    let now = inner.now();
    let catalog = &inner.ports.catalog;
    let allowed = catalog.code(&code_hash).await.map_err(Problem::from)?;
    let Some((code, of)) = allowed else {
        let waits = catalog.device_code(&code_hash).await.map_err(Problem::from)?;
        let waits = waits.filter(|waits| waits.client_id == key.client_id).ok_or(INVALID)?;
        let refused = if waits.denied_at.is_some() {
            TokenError::AccessDenied
        } else if waits.expires_at <= now {
            TokenError::ExpiredToken
        } else if inner.polls.is_in_time(&code_hash.0, waits.expires_at, now) {
            TokenError::AuthorizationPending
        } else {
            TokenError::SlowDown
        };
        return Err(refused.into());
    };
    if of.client_id != key.client_id {
        return Err(INVALID.into());
    }
    if code.used_at.is_none() && code.expires_at <= now {
        return Err(TokenError::ExpiredToken.into());
    }
    let (refresh_token, refresh) = first_refresh_token(inner, key, holder);
    let client_id = key.client_id.clone();
    let (what, nonce, invalid) = ("a device code", None, INVALID);
    let exchanged = Exchange { what, key, of: &of, scope: &of.scope, nonce, holder, refresh_token, invalid };
    exchange(inner, exchanged, |access| {
        Command::RedeemCode(RedeemCode { code_hash, client_id, refresh, access })
    })
    .await
}
