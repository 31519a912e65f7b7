//! Authorization code: the tokens that a person allowed.

use tidegate_model::{application::Key, authorization::RedeemCode, command::Command, user::Secret};
use tidegate_oauth::grant::{
    TokenResponse,
    code::{Asked, INVALID},
};

use super::{Exchange, exchange, first_refresh_token};
use crate::{oauth::Failure, possession::Holder, problem::Problem, state::Inner};

pub(in crate::oauth) async fn code(
    inner: &Inner,
    key: &Key,
    asked: &Asked,
    holder: &Holder,
) -> Result<TokenResponse, Failure> {
    let code_hash = Secret(asked.code_hash()?);
    let found = inner.ports.catalog.code(&code_hash).await.map_err(Problem::from)?;
    let (code, of) = found.filter(|(_, of)| of.client_id == key.client_id).ok_or(INVALID)?;
    // Of a code that was used, its client is all that is asked: who presents it again ends what came from it.
    if code.used_at.is_none() {
        asked.belongs_to(&code.redirect_uri, &code.challenge)?;
    }
    let (refresh_token, refresh) = first_refresh_token(inner, key, holder);
    let (nonce, client_id) = (of.nonce.as_deref(), key.client_id.clone());
    let (what, invalid) = ("a code", INVALID);
    let exchanged = Exchange { what, key, of: &of, scope: &of.scope, nonce, holder, refresh_token, invalid };
    exchange(inner, exchanged, |access| {
        Command::RedeemCode(RedeemCode { code_hash, client_id, refresh, access })
    })
    .await
}
