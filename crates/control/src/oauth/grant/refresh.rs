//! Refresh: the next refresh token and an access token for what the person allowed, or for less.

use tidegate_model::{
    application::Key,
    authorization::{Redeemed, Renew},
    command::Command,
    user::Secret,
};
use tidegate_oauth::grant::{
    TokenResponse,
    refresh::{Asked, INVALID, NOT_HELD},
};

use super::{code::redeemed, new_refresh_token, person};
use crate::{
    oauth::{Failure, issue, scope},
    possession::Holder,
    problem::Problem,
    state::Inner,
};

pub(in crate::oauth) async fn refresh(
    inner: &Inner,
    key: &Key,
    asked: &Asked,
    holder: &Holder,
) -> Result<TokenResponse, Failure> {
    let token_hash = Secret(asked.token_hash()?);
    let found = inner.ports.catalog.refresh_token(&token_hash).await.map_err(Problem::from)?;
    let (token, of) = found.filter(|(_, of)| of.client_id == key.client_id).ok_or(INVALID)?;
    if !holder.holds(token.bound_to.as_deref()) {
        return Err(NOT_HELD.into());
    }
    let user = person(inner, &of, INVALID).await?;
    let scope = asked.narrowed(&of.scope)?;
    inner.take(holder, &key.client_id)?;
    let issued =
        issue::access_token(inner, &issue::For::person(key, &of, &scope).bound_to(holder.thumbprint()))?;
    let (refresh_token, next) = new_refresh_token(inner, key, holder);
    let client_id = key.client_id.clone();
    let command = Renew { token_hash, client_id, next, access: issued.opaque };
    match redeemed(inner, Command::Renew(command)).await? {
        Some(Redeemed::Granted(of)) => {
            // OpenID Connect Core, section 12.2: without the nonce, which belonged to the first.
            let id_token =
                scope::is_person(&scope).then(|| issue::id_token(inner, &of, &user, None, &issued.token));
            let mut response = TokenResponse::bearer(issued.token, issued.seconds, scope);
            response.refresh_token = Some(refresh_token);
            response.id_token = id_token.transpose()?;
            Ok(response)
        }
        Some(Redeemed::Replayed(id)) => {
            tracing::warn!(
                client = key.client_id,
                authorization = %id,
                "a refresh token was presented twice; all of it has ended"
            );
            Err(INVALID.into())
        }
        None => Err(INVALID.into()),
    }
}
