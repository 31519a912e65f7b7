//! Refresh: the next refresh token and an access token for what the person allowed, or for less.

use tidegate_model::{application::Key, authorization::Renew, command::Command, user::Secret};
use tidegate_oauth::grant::{
    TokenResponse,
    refresh::{Asked, INVALID, NOT_HELD},
};

use super::{Exchange, exchange, new_refresh_token};
use crate::{oauth::Failure, possession::Holder, problem::Problem, state::Inner};

pub(in crate::oauth) async fn refresh(
    inner: &Inner,
    key: &Key,
    asked: &Asked,
    holder: &Holder,
) -> Result<TokenResponse, Failure> {
    let token_hash = Secret(asked.token_hash()?);
    let found = inner.ports.catalog.refresh_token(&token_hash).await.map_err(Problem::from)?;
    let (token, of) = found.filter(|(_, of)| of.client_id == key.client_id).ok_or(INVALID)?;
    if !holder.holds_kept(token.bound_to.as_deref()) {
        return Err(NOT_HELD.into());
    }
    let scope = asked.narrowed(&of.scope)?;
    let (refresh_token, next) = new_refresh_token(inner, key, holder);
    let (refresh_token, client_id) = (Some(refresh_token), key.client_id.clone());
    // OpenID Connect Core, section 12.2: the nonce belonged to the first.
    let (what, nonce, invalid) = ("a refresh token", None, INVALID);
    let exchanged = Exchange { what, key, of: &of, scope: &scope, nonce, holder, refresh_token, invalid };
    exchange(inner, exchanged, |access| Command::Renew(Renew { token_hash, client_id, next, access })).await
}
