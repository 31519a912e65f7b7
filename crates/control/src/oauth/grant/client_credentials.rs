//! Client credentials: an access token for the client itself.

use tidegate_model::{application::Key, command::Command, user::Actor};
use tidegate_oauth::grant::{TokenResponse, client_credentials::Asked, granted};

use crate::{
    oauth::{Failure, issue, scope},
    possession::Holder,
    state::Inner,
};

pub(in crate::oauth) async fn client_credentials(
    inner: &Inner,
    key: &Key,
    asked: &Asked,
    holder: &Holder,
) -> Result<TokenResponse, Failure> {
    let scope = granted(&asked.scopes, &scope::of_client(inner, key).await?)?;
    inner.take(holder, &key.client_id)?;
    let issued = issue::access_token(inner, &issue::For::client(key, &scope).bound_to(holder.bound_to()))?;
    if let Some(opaque) = issued.opaque {
        inner.execute(&Actor::product(), Command::KeepAccessToken(opaque)).await?;
    }
    Ok(TokenResponse::bearer(issued.token, issued.seconds, scope))
}
