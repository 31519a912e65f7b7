//! The grants of the token endpoint, each a file: from a client that proved itself to its tokens.

mod client_credentials;
mod code;
mod refresh;

pub(super) use client_credentials::client_credentials;
pub(super) use code::code;
pub(super) use refresh::refresh;

use tidegate_model::{
    application::Key,
    authorization::{Authorization, RefreshToken},
    user::{Secret, User},
};
use tidegate_oauth::{
    grant::TokenError,
    secret::{self, Kind},
};

use super::Failure;
use crate::{authenticate::is_active, possession::Holder, problem::Problem, state::Inner};

/// A refresh token for this client, and how it is kept. One of a client without a secret is bound to the key of its proof, if
/// there is one: nothing else would stand between it and a thief (RFC 9449, section 5).
fn new_refresh_token(inner: &Inner, key: &Key, holder: &Holder) -> (String, RefreshToken) {
    let text = secret::generate(Kind::RefreshToken, &mut inner.random());
    let lifetime = i64::from(key.settings.refresh_token_seconds) * 1_000;
    let kept = RefreshToken {
        token_hash: Secret(secret::hash(&text)),
        expires_at: inner.now().plus_millis(lifetime),
        used_at: None,
        bound_to: holder.thumbprint().filter(|_| key.settings.kind.is_public()).map(str::to_owned),
    };
    (text, kept)
}

/// The person of an authorization, who must still be there and may sign in.
async fn person(inner: &Inner, of: &Authorization, refused: TokenError) -> Result<User, Failure> {
    let user = inner.ports.catalog.user(of.user).await.map_err(Problem::from)?;
    Ok(user.filter(is_active).ok_or(refused)?)
}
