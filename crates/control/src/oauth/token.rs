//! `POST /oauth2/token` (RFC 6749, section 3.2): which grant is asked for, and its answer. Each grant is a file.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use tidegate_oauth::{
    grant::{self as oauth, Asked, TokenResponse},
    token::Confirmation,
};

use super::{Failure, form_of, grant, no_store, proven};
use crate::{
    serve::Shown,
    state::{Control, Inner},
};

pub(crate) async fn token(State(Control(inner)): State<Control>, request: Request) -> Response {
    match answer(&inner, request).await {
        Ok(response) => no_store(axum::Json(response).into_response()),
        Err(failure) => failure.into_response(),
    }
}

async fn answer(inner: &Inner, request: Request) -> Result<TokenResponse, Failure> {
    let headers = request.headers().clone();
    let shown = request.extensions().get::<Shown>().map(|shown| Arc::clone(&shown.0));
    let (authorization, form) = form_of(request).await?;
    let request = oauth::read(authorization.as_deref(), &form)?;
    let key = proven(inner, &request.client).await?;
    oauth::is_allowed(request.asked.grant_type(), &key.grants)?;
    let holder = inner.holder(&headers, "/oauth2/token", shown, &key)?;
    let response = match &request.asked {
        Asked::ClientCredentials(asked) => grant::client_credentials(inner, &key, asked, &holder).await?,
        Asked::AuthorizationCode(asked) => grant::code(inner, &key, asked, &holder).await?,
        Asked::RefreshToken(asked) => grant::refresh(inner, &key, asked, &holder).await?,
        Asked::DeviceCode(asked) => grant::device(inner, &key, asked, &holder).await?,
        Asked::TokenExchange(asked) => grant::token_exchange(inner, &key, asked, &holder).await?,
    };
    // What is bound to a certificate is a bearer token to its client (RFC 8705, section 3).
    Ok(if matches!(holder.bound_to(), Some(Confirmation::Key(_))) { response.bound() } else { response })
}
