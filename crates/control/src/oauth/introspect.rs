//! `POST /oauth2/introspect` (RFC 7662): a client asks what a token of its own stands for, and is told nothing of any
//! other.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tidegate_model::{
    authorization::{Authorization, OpaqueToken},
    exchange::Source,
    id::AuthorizationId,
    revocation::{Marks, Revocable},
    time::Timestamp,
    user::Secret,
};
use tidegate_oauth::{
    grant::TokenError,
    mark,
    secret::{self, Kind},
    token::{Claims, Confirmation},
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
    pub(super) marks: Marks,
    pub(super) expires_at: Timestamp,
    /// Where it came from, if from an authorization.
    pub(super) of: Option<Authorization>,
    /// What it was exchanged for, if it was.
    pub(super) source: Option<Source>,
    /// Name of the key that signed it.
    pub(super) signed_with: Option<Arc<str>>,
    jti: Option<String>,
    audience: serde_json::Value,
    /// What only its holder has.
    pub(super) bound_to: Option<Confirmation>,
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
        "aud": token.audience, "iat": token.marks.issued_at.seconds(), "exp": token.expires_at.seconds(),
        "token_type": "Bearer",
    });
    if !token.scope.is_empty() {
        answer["scope"] = token.scope.into();
    }
    if let Some(bound_to) = token.bound_to {
        // What is bound to a certificate is a bearer token to its client (RFC 8705, section 3).
        if matches!(bound_to, Confirmation::Key(_)) {
            answer["token_type"] = "DPoP".into();
        }
        answer["cnf"] = serde_json::to_value(bound_to).unwrap_or_default();
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
    let read = if secret::is_well_formed(Kind::AccessToken, text) {
        let found = catalog.opaque_token(&Secret(secret::hash(text)), inner.now()).await?;
        found.map(|found| opaque(inner, found))
    } else {
        let verified = inner.issuer.verify_with_key(text, inner.now().seconds()).ok();
        verified.and_then(|(claims, kid)| signed(claims, kid))
    };
    let Some((mut token, of)) = read else { return Ok(None) };
    let issuer = inner.issuer.url();
    token.marks.grant = of.map(|id| mark::grant(issuer, &id.to_string()).into());
    let source = token.source.as_ref();
    let subject = || mark::subject(issuer, &token.subject).into();
    token.marks.subject = Some(source.map_or_else(subject, |source| source.subject));
    let (client_id, marks) = (Some(&*token.client_id), &token.marks);
    if inner.feed.is_revoked(&Revocable { client_id, marks, source }) {
        return Ok(None);
    }
    if catalog.key(&token.client_id).await?.is_none() || !source.is_none_or(|source| stands(inner, source)) {
        return Ok(None);
    }
    let Some(id) = of else { return Ok(Some(token)) };
    let of = catalog.authorization(id).await?;
    let alive = match &of {
        Some(of) => is_alive(inner, of).await?,
        None => false,
    };
    Ok(alive.then_some(Token { of, ..token }))
}

/// Whether what a token was exchanged for could still be there: its client is, and so is the key that signed it.
fn stands(inner: &Inner, source: &Source) -> bool {
    let is_signed = source.signed_with.as_deref().is_none_or(|kid| inner.issuer.has_key(kid));
    is_signed && source.client(&inner.feed.snapshot()).is_some()
}

/// What is kept of a token that says nothing, and where it came from.
fn opaque(inner: &Inner, found: OpaqueToken) -> (Token, Option<AuthorizationId>) {
    let credential = Some(mark::access_token(&found.token_hash.0).into());
    let token = Token {
        client_id: found.client_id,
        subject: found.subject,
        scope: found.scope,
        marks: Marks { credential, issued_at: found.issued_at, ..Marks::default() },
        expires_at: found.expires_at,
        of: None,
        source: found.source,
        signed_with: None,
        jti: None,
        audience: inner.issuer.audience().into(),
        bound_to: None,
    };
    (token, found.authorization)
}

/// What a token says that was verified, and where it came from; `None` where it says that in no way of ours.
fn signed(claims: Claims, kid: Arc<str>) -> Option<(Token, Option<AuthorizationId>)> {
    let of = Some(claims.grant_id.as_str()).filter(|id| !id.is_empty());
    let of = of.map(str::parse::<AuthorizationId>).transpose().ok()?;
    let source = claims.source.as_ref().map(|said| {
        let marks = [&*said.credential, &*said.subject];
        Source::parse(&said.client_id, &said.key_manager, marks, &said.signed_with)
    });
    let credential = Some(mark::token(&claims.iss, &claims.jti).into());
    let issued_at = Timestamp::from_seconds(claims.iat);
    let token = Token {
        client_id: claims.client_id,
        subject: claims.sub,
        scope: claims.scope,
        marks: Marks { credential, issued_at, ..Marks::default() },
        expires_at: Timestamp::from_seconds(claims.exp),
        of: None,
        source: source.transpose().ok()?,
        signed_with: Some(kid),
        jti: Some(claims.jti),
        audience: serde_json::to_value(claims.aud).unwrap_or_default(),
        bound_to: claims.cnf,
    };
    Some((token, of))
}
