//! `POST /oauth2/introspect` (RFC 7662): a client asks what a token of its own stands for, and is told nothing of any
//! other.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tidegate_model::{
    authorization::Authorization, id::AuthorizationId, revocation::Marks, time::Timestamp, user::Secret,
};
use tidegate_oauth::{
    grant::TokenError,
    mark,
    secret::{self, Kind},
};

use super::{Failure, client_and_form, no_store};
use crate::{
    authenticate::is_active,
    problem::Problem,
    state::{Control, Inner},
};

/// An access token that is worth something now.
pub(super) struct Token {
    pub(super) client_id: String,
    pub(super) subject: String,
    pub(super) scope: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
    jti: Option<String>,
    audience: serde_json::Value,
    /// Thumbprint of the key that only its holder has.
    pub(super) bound_to: Option<String>,
}

pub(crate) async fn introspect(State(Control(inner)): State<Control>, request: Request) -> Response {
    match answer(&inner, request).await {
        Ok(answer) => no_store(axum::Json(answer).into_response()),
        Err(failure) => failure.into_response(),
    }
}

async fn answer(inner: &Inner, request: Request) -> Result<serde_json::Value, Failure> {
    let (key, mut form) = client_and_form(inner, request).await?;
    // Who has no secret has proven nothing, and might be anybody with a token to try (section 2.1).
    if key.settings.kind.is_public() {
        return Err(TokenError::InvalidClient.into());
    }
    let text = form.needed("token", "token is missing")?;
    let inactive = json!({"active": false});
    if secret::is_well_formed(Kind::RefreshToken, &text) {
        return Ok(refresh(inner, &key.client_id, &text).await?.unwrap_or(inactive));
    }
    let Some(token) = known_token(inner, &text).await?.filter(|token| token.client_id == key.client_id)
    else {
        return Ok(inactive);
    };
    let mut answer = json!({
        "active": true, "iss": inner.issuer.url(), "client_id": token.client_id, "sub": token.subject,
        "aud": token.audience, "iat": token.issued_at.seconds(), "exp": token.expires_at.seconds(),
        "token_type": "Bearer",
    });
    if !token.scope.is_empty() {
        answer["scope"] = token.scope.into();
    }
    if let Some(jkt) = token.bound_to {
        answer["token_type"] = "DPoP".into();
        answer["cnf"] = json!({"jkt": jkt});
    }
    if let Some(jti) = token.jti {
        answer["jti"] = jti.into();
    }
    Ok(answer)
}

async fn refresh(inner: &Inner, client_id: &str, text: &str) -> Result<Option<serde_json::Value>, Problem> {
    let found = inner.ports.catalog.refresh_token(&Secret(secret::hash(text))).await?;
    let Some((token, of)) = found.filter(|(_, of)| of.client_id == client_id) else { return Ok(None) };
    let is_active = token.used_at.is_none() && token.expires_at > inner.now() && is_alive(inner, &of).await?;
    Ok(is_active.then(|| {
        json!({"active": true, "iss": inner.issuer.url(), "client_id": of.client_id, "sub": of.user.to_string(),
            "scope": of.scope, "exp": token.expires_at.seconds()})
    }))
}

/// Whether an authorization still stands, and its person is still there.
async fn is_alive(inner: &Inner, of: &Authorization) -> Result<bool, Problem> {
    let stands = of.ended_at.is_none() && of.expires_at > inner.now();
    Ok(stands && inner.ports.catalog.user(of.user).await?.is_some_and(|user| is_active(&user)))
}

/// What an access token of ours stands for; `None` when it is worth nothing (any more).
pub(super) async fn known_token(inner: &Inner, text: &str) -> Result<Option<Token>, Problem> {
    let catalog = &inner.ports.catalog;
    let (token, of, credential) = if secret::is_well_formed(Kind::AccessToken, text) {
        let hash = Secret(secret::hash(text));
        let found = catalog.opaque_token(&hash, inner.now()).await?;
        let Some(found) = found else { return Ok(None) };
        let token = Token {
            client_id: found.client_id,
            subject: found.subject,
            scope: found.scope,
            issued_at: found.issued_at,
            expires_at: found.expires_at,
            jti: None,
            audience: inner.issuer.audience().into(),
            bound_to: None,
        };
        (token, found.authorization, mark::access_token(&hash.0))
    } else {
        let Ok(claims) = inner.issuer.verify(text, inner.now().seconds()) else { return Ok(None) };
        let of = match claims.grant_id.as_str() {
            "" => None,
            id => match id.parse::<AuthorizationId>() {
                Ok(id) => Some(id),
                Err(_) => return Ok(None),
            },
        };
        let credential = mark::token(&claims.iss, &claims.jti);
        let token = Token {
            client_id: claims.client_id,
            subject: claims.sub,
            scope: claims.scope,
            issued_at: Timestamp::from_seconds(claims.iat),
            expires_at: Timestamp::from_seconds(claims.exp),
            jti: Some(claims.jti),
            audience: serde_json::to_value(claims.aud).unwrap_or_default(),
            bound_to: claims.cnf.map(|cnf| cnf.jkt),
        };
        (token, of, credential)
    };
    let issuer = inner.issuer.url();
    let marks = Marks {
        credential: Some(credential.into()),
        grant: of.map(|id| mark::grant(issuer, &id.to_string()).into()),
        subject: Some(mark::subject(issuer, &token.subject).into()),
        issued_at: token.issued_at,
    };
    if inner.feed.is_revoked(&token.client_id, &marks) {
        return Ok(None);
    }
    if catalog.key(&token.client_id).await?.is_none() {
        return Ok(None);
    }
    let Some(id) = of else { return Ok(Some(token)) };
    let alive = match catalog.authorization(id).await? {
        Some(of) => is_alive(inner, &of).await?,
        None => false,
    };
    Ok(alive.then_some(token))
}
