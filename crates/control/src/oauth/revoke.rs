//! `POST /oauth2/revoke` (RFC 7009): a client ends a token of its own. A refresh token ends with all that came from the
//! same authorization, an access token by itself.
//!
//! 200 means that it is on disk; a token that is unknown or over is as good as revoked (section 2.2).

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use tidegate_model::{
    authorization::EndAuthorization,
    command::Command,
    revocation::{Revoke, Revoked},
    time::Timestamp,
    user::{Actor, Secret},
};
use tidegate_oauth::{
    grant::TokenError,
    mark,
    secret::{self, Kind},
};

use super::{Failure, client_and_form, no_store};
use crate::{
    problem::Problem,
    state::{Control, Inner},
};

/// Another client's token: that client is not harmed, and this one is told (section 2.1).
const ANOTHERS: TokenError = TokenError::InvalidRequest("the token was issued to another client");

pub(crate) async fn revoke(State(Control(inner)): State<Control>, request: Request) -> Response {
    match end(&inner, request).await {
        Ok(()) => no_store(StatusCode::OK.into_response()),
        Err(failure) => failure.into_response(),
    }
}

async fn end(inner: &Inner, request: Request) -> Result<(), Failure> {
    let (key, mut form) = client_and_form(inner, request).await?;
    let text = form.needed("token", "token is missing")?;
    let hash = || Secret(secret::hash(&text));
    let catalog = &inner.ports.catalog;
    let is_own =
        |client_id: &str| if client_id == key.client_id { Ok(()) } else { Err(Failure::from(ANOTHERS)) };
    // What a token is, it says itself: a wrong `token_type_hint` changes nothing.
    let command = if secret::is_well_formed(Kind::RefreshToken, &text) {
        let found = catalog.refresh_token(&hash()).await.map_err(Problem::from)?;
        let Some((_, of)) = found else { return Ok(()) };
        is_own(&of.client_id)?;
        Command::EndAuthorization(EndAuthorization { id: of.id })
    } else if secret::is_well_formed(Kind::AccessToken, &text) {
        let found = catalog.opaque_token(&hash(), inner.now()).await.map_err(Problem::from)?;
        let Some(found) = found else { return Ok(()) };
        is_own(&found.client_id)?;
        Command::EndAccessToken { token_hash: found.token_hash }
    } else {
        let Ok(claims) = inner.issuer.verify(&text, inner.now().seconds()) else { return Ok(()) };
        is_own(&claims.client_id)?;
        Command::Revoke(Revoke::all(
            vec![Revoked::Credential(mark::token(&claims.iss, &claims.jti).into())],
            Timestamp::from_seconds(claims.exp),
        ))
    };
    inner.execute(&Actor::product(), command).await?;
    Ok(())
}
