//! The grants of the token endpoint, each a file: from a client that proved itself to its tokens.

mod client_credentials;
mod code;
mod device;
mod refresh;
mod token_exchange;

pub(super) use client_credentials::client_credentials;
pub(super) use code::code;
pub(super) use device::device;
pub(super) use refresh::refresh;
pub(super) use token_exchange::token_exchange;

use tidegate_model::{
    application::Key,
    authorization::{Authorization, OpaqueToken, Redeemed, RefreshToken},
    client::REFRESH_TOKEN,
    command::{Command, Outcome, Refused},
    port::CommandError,
    user::{Actor, Secret},
};
use tidegate_oauth::{
    grant::{TokenError, TokenResponse},
    secret::{self, Kind},
};

use super::{Failure, issue, scope};
use crate::{authenticate::is_active, possession::Holder, problem::Problem, state::Inner};

/// A refresh token for this client, and how it is kept. One of a client without a secret is bound as its access tokens are:
/// nothing else would stand between it and a thief (RFC 9449, section 5; RFC 8705, section 4).
fn new_refresh_token(inner: &Inner, key: &Key, holder: &Holder) -> (String, RefreshToken) {
    let text = secret::generate(Kind::RefreshToken, &mut inner.random());
    let lifetime = i64::from(key.settings.refresh_token_seconds) * 1_000;
    let kept = RefreshToken {
        token_hash: Secret(secret::hash(&text)),
        expires_at: inner.now().plus_millis(lifetime),
        used_at: None,
        bound_to: holder.kept().filter(|_| key.settings.kind.is_public()),
    };
    (text, kept)
}

/// The first refresh token of an authorization, where the client may have one.
fn first_refresh_token(inner: &Inner, key: &Key, holder: &Holder) -> (Option<String>, Option<RefreshToken>) {
    let may_refresh = key.grants.iter().any(|grant| grant == REFRESH_TOKEN);
    may_refresh.then(|| new_refresh_token(inner, key, holder)).unzip()
}

/// What a client has presented for tokens of a person, once all that it has to belong to was checked.
struct Exchange<'a> {
    /// In words, for the log.
    what: &'static str,
    key: &'a Key,
    of: &'a Authorization,
    /// Of the access token, as far as the person may still have it.
    scope: &'a str,
    /// For the ID token.
    nonce: Option<&'a str>,
    holder: &'a Holder,
    /// What the client goes on with.
    refresh_token: Option<String>,
    /// The answer for all reasons.
    invalid: TokenError,
}

/// The tokens. What is presented is used up by the command, in the same unit that keeps them.
async fn exchange(
    inner: &Inner,
    exchanged: Exchange<'_>,
    command: impl FnOnce(Option<OpaqueToken>) -> Command,
) -> Result<TokenResponse, Failure> {
    let Exchange { what, key, of, scope, nonce, holder, refresh_token, invalid } = exchanged;
    let user = inner.ports.catalog.user(of.user).await.map_err(Problem::from)?;
    let user = user.filter(is_active).ok_or(invalid)?;
    // Roles may have changed since the person allowed it.
    let scope = scope::held(inner, key, scope, &user.roles);
    inner.take(holder, &key.client_id)?;
    let whom = issue::For::person(key, of, &scope).bound_to(holder.bound_to());
    let issued = issue::access_token(inner, &whom)?;
    match inner.try_execute(&Actor::product(), command(issued.opaque)).await {
        Ok(Outcome::Tokens(Redeemed::Granted(_))) => {}
        Ok(Outcome::Tokens(Redeemed::Replayed(id))) => {
            let (client, authorization) = (&key.client_id, id);
            tracing::warn!(client, %authorization, what, "it was presented twice; all that came of it has ended");
            return Err(invalid.into());
        }
        Ok(_) => return Err(Problem::Internal("a command answered something else").into()),
        Err(CommandError::Refused(Refused::NotFound(_))) => return Err(invalid.into()),
        Err(error) => return Err(Problem::from(error).into()),
    }
    let id_token = scope::is_person(&scope).then(|| issue::id_token(inner, of, &user, nonce, &issued.token));
    let mut response = TokenResponse::bearer(issued.token, issued.seconds, scope);
    response.refresh_token = refresh_token;
    response.id_token = id_token.transpose()?;
    Ok(response)
}
