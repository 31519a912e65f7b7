//! Making access tokens, readable or opaque as the client's key says, and ID tokens.

use tidegate_model::{
    application::Key,
    authorization::{Authorization, OpaqueToken},
    client::TokenFormat,
    exchange::Source,
    time::Timestamp,
    user::{Secret, User},
};
use tidegate_oauth::{
    grant::{TokenError, token_exchange},
    id_token::{self, Person},
    secret::{self, Kind},
    token::{self, Confirmation, Grant},
};

use super::{Failure, scope};
use crate::{problem::Problem, state::Inner};

const UNSIGNED: Problem = Problem::Internal("a token could not be signed");

/// What an access token is exchanged for: another one that was believed.
pub(super) struct Exchanged {
    /// The person.
    pub(super) subject: String,
    /// Where that token came from, if it is ours.
    pub(super) of: Option<Authorization>,
    pub(super) source: Source,
    /// The end of that token, which is that of what comes of it at the latest.
    pub(super) expires_at: Timestamp,
}

/// Whom an access token is for.
pub(super) struct For<'a> {
    key: &'a Key,
    of: Option<&'a Authorization>,
    exchanged: Option<&'a Exchanged>,
    scope: &'a str,
    /// What only its holder has.
    bound_to: Option<&'a Confirmation>,
}

impl<'a> For<'a> {
    /// The client itself, which has proven itself, or whose owner has.
    pub(super) const fn client(key: &'a Key, scope: &'a str) -> Self {
        Self { key, of: None, exchanged: None, scope, bound_to: None }
    }

    /// A person who allowed it.
    pub(super) const fn person(key: &'a Key, of: &'a Authorization, scope: &'a str) -> Self {
        Self { key, of: Some(of), exchanged: None, scope, bound_to: None }
    }

    /// The person of another token.
    pub(super) const fn exchanged(key: &'a Key, exchanged: &'a Exchanged, scope: &'a str) -> Self {
        Self { key, of: exchanged.of.as_ref(), exchanged: Some(exchanged), scope, bound_to: None }
    }
}

impl<'a> For<'a> {
    /// Only who has this can use it.
    pub(super) const fn bound_to(self, bound_to: Option<&'a Confirmation>) -> Self {
        Self { bound_to, ..self }
    }
}

/// An access token.
pub(crate) struct Issued {
    pub(crate) token: String,
    /// Seconds until it ends.
    pub(crate) seconds: i64,
    /// What has to be kept for it to be worth anything.
    pub(crate) opaque: Option<OpaqueToken>,
}

/// An access token that is valid from now.
pub(super) fn access_token(inner: &Inner, whom: &For<'_>) -> Result<Issued, Failure> {
    let now = inner.now();
    let mut seconds = i64::from(whom.key.settings.access_token_seconds);
    let (mut subject, mut grant_id) = (whom.key.client_id.clone(), String::new());
    if let Some(of) = whom.of {
        (subject, grant_id) = (of.user.to_string(), of.id.to_string());
        // Nothing outlives what the person allowed.
        seconds = seconds.min(of.expires_at.seconds() - now.seconds()).max(1);
    }
    if let Some(exchanged) = whom.exchanged {
        subject.clone_from(&exchanged.subject);
        seconds = seconds.min(exchanged.expires_at.seconds() - now.seconds());
        if seconds < 1 {
            return Err(token_exchange::INVALID.into());
        }
    }
    let source = whom.exchanged.map(|exchanged| &exchanged.source);
    let said = source.map(said);
    match whom.key.settings.token_format {
        TokenFormat::Jwt => {
            let grant = Grant {
                client_id: &whom.key.client_id,
                subject: &subject,
                grant_id: &grant_id,
                scope: whom.scope,
                now: now.seconds(),
                lifetime: seconds,
                bound_to: whom.bound_to,
                source: said.as_ref(),
                ..Grant::default()
            };
            let is_for_userinfo = scope::is_person(whom.scope);
            let token = inner.issuer.access_token(&grant, is_for_userinfo, &mut inner.random());
            Ok(Issued { token: token.map_err(|_| UNSIGNED)?, seconds, opaque: None })
        }
        TokenFormat::Opaque => {
            if whom.bound_to.is_some() {
                let detail = "opaque tokens cannot be bound; let the key of this client have readable ones";
                return Err(TokenError::InvalidRequest(detail).into());
            }
            let token = secret::generate(Kind::AccessToken, &mut inner.random());
            let opaque = OpaqueToken {
                token_hash: Secret(secret::hash(&token)),
                client_id: whom.key.client_id.clone(),
                authorization: whom.of.map(|of| of.id),
                subject,
                scope: whom.scope.to_owned(),
                issued_at: now,
                expires_at: now.plus_millis(seconds * 1_000),
                source: source.cloned(),
            };
            Ok(Issued { token, seconds, opaque: Some(opaque) })
        }
    }
}

/// What it was exchanged for, as a token says it.
fn said(source: &Source) -> token::Source {
    token::Source {
        client_id: source.client_id.clone(),
        key_manager: source.key_manager.map(|id| id.to_string()).unwrap_or_default(),
        credential: source.credential.to_string(),
        subject: source.subject.to_string(),
        signed_with: source.signed_with.as_deref().unwrap_or_default().to_owned(),
    }
}

/// An ID token beside an access token.
pub(super) fn id_token(
    inner: &Inner,
    of: &Authorization,
    user: &User,
    nonce: Option<&str>,
    access_token: &str,
) -> Result<String, Problem> {
    let person = Person {
        issuer: inner.issuer.url(),
        subject: &user.id.to_string(),
        client_id: &of.client_id,
        auth_time: of.auth_time.seconds(),
        nonce,
        username: scope::has(&of.scope, "profile").then_some(user.username.as_str()),
        now: inner.now().seconds(),
    };
    let key = inner.issuer.signing_key(inner.now()).ok_or(UNSIGNED)?;
    id_token::issue(&key, &person, access_token).map_err(|_| UNSIGNED)
}

/// An access token for the owner of a key, who has proven who they are, and how it is kept.
pub(crate) async fn for_owner(inner: &Inner, key: &Key) -> Result<Issued, Problem> {
    let scope = scope::of_client(inner, key).await?.join(" ");
    access_token(inner, &For::client(key, &scope)).map_err(|failure| match failure {
        Failure::Ours(problem) => problem,
        Failure::Protocol(_) => UNSIGNED,
    })
}
