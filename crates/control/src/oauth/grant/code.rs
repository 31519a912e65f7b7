//! Authorization code: the tokens that a person allowed. The code is used up in the same unit that keeps them.

use tidegate_model::{
    application::Key,
    authorization::{RedeemCode, Redeemed},
    client::REFRESH_TOKEN,
    command::{Command, Outcome, Refused},
    port::CommandError,
    user::{Actor, Secret},
};
use tidegate_oauth::grant::{
    TokenResponse,
    code::{Asked, INVALID},
};

use super::{new_refresh_token, person};
use crate::{
    oauth::{Failure, issue, scope},
    possession::Holder,
    problem::Problem,
    state::Inner,
};

pub(in crate::oauth) async fn code(
    inner: &Inner,
    key: &Key,
    asked: &Asked,
    holder: &Holder,
) -> Result<TokenResponse, Failure> {
    let code_hash = Secret(asked.code_hash()?);
    let found = inner.ports.catalog.code(&code_hash).await.map_err(Problem::from)?;
    let (code, of) = found.filter(|(_, of)| of.client_id == key.client_id).ok_or(INVALID)?;
    let user = person(inner, &of, INVALID).await?;
    // Of a code that was used, its client is all that is asked: who presents it again ends what came from it.
    if code.used_at.is_none() {
        asked.belongs_to(&code.redirect_uri, &code.challenge)?;
    }
    inner.take(holder, &key.client_id)?;
    let issued =
        issue::access_token(inner, &issue::For::person(key, &of, &of.scope).bound_to(holder.thumbprint()))?;
    let may_refresh = key.grants.iter().any(|grant| grant == REFRESH_TOKEN);
    let (refresh_token, kept) = may_refresh.then(|| new_refresh_token(inner, key, holder)).unzip();
    let command =
        RedeemCode { code_hash, client_id: key.client_id.clone(), refresh: kept, access: issued.opaque };
    match redeemed(inner, Command::RedeemCode(command)).await? {
        Some(Redeemed::Granted(of)) => {
            let id_token = scope::is_person(&of.scope)
                .then(|| issue::id_token(inner, &of, &user, of.nonce.as_deref(), &issued.token));
            let mut response = TokenResponse::bearer(issued.token, issued.seconds, of.scope.clone());
            response.refresh_token = refresh_token;
            response.id_token = id_token.transpose()?;
            Ok(response)
        }
        Some(Redeemed::Replayed(id)) => {
            tracing::warn!(client = key.client_id, authorization = %id, "a code was presented twice; all of it has ended");
            Err(INVALID.into())
        }
        None => Err(INVALID.into()),
    }
}

/// What a code or refresh token was worth; `None` when there is none (any more).
pub(super) async fn redeemed(inner: &Inner, command: Command) -> Result<Option<Redeemed>, Failure> {
    match inner.try_execute(&Actor::product(), command).await {
        Ok(Outcome::Tokens(redeemed)) => Ok(Some(redeemed)),
        Ok(_) => Err(Problem::Internal("a command answered something else").into()),
        Err(CommandError::Refused(Refused::NotFound(_))) => Ok(None),
        Err(error) => Err(Problem::from(error).into()),
    }
}
