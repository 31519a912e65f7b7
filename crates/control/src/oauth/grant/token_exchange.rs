//! Token exchange: from a person's access token, of ours or of a key manager, to one of the client's own for the same
//! person. Whose token may be exchanged, `tidegate_model::exchange` says.

use tidegate_model::{
    application::Key,
    client::TokenFormat,
    command::Command,
    exchange::{Source, may_exchange},
    issuer::{Algorithm, KeyManagerFacts, Trust},
    revocation::{Marks, Revocable},
    role::ROLES,
    time::Timestamp,
    user::Actor,
};
use tidegate_oauth::{
    grant::{
        TokenError, TokenResponse,
        token_exchange::{Asked, EXCHANGED, INVALID, NO_JWT, NOT_HELD, TokenType},
    },
    issuer::{IssuerVerifier, Rules, Verified, claimed_issuer, is_jwt},
    mark,
    token::{BadToken, Confirmation},
};

use crate::{
    oauth::{Failure, introspect::known_token, issue, issue::Exchanged, scope},
    possession::Holder,
    problem::Problem,
    state::Inner,
};

/// What a token that is presented stands for, once it was believed.
struct Subject {
    exchanged: Exchanged,
    scopes: Vec<String>,
    /// Those that the client may have for this person.
    allowed: Vec<String>,
    /// What its holder has to show.
    bound_to: Option<Confirmation>,
}

pub(in crate::oauth) async fn token_exchange(
    inner: &Inner,
    key: &Key,
    asked: &Asked,
    holder: &Holder,
) -> Result<TokenResponse, Failure> {
    asked.is_for(inner.issuer.audience())?;
    if asked.requested_token_type == TokenType::Jwt && key.settings.token_format == TokenFormat::Opaque {
        return Err(NO_JWT.into());
    }
    if asked.subject_token_type == TokenType::Jwt && !is_jwt(&asked.subject_token) {
        return Err(INVALID.into());
    }
    let snapshot = inner.feed.snapshot();
    // What chooses is not believed: the chosen one asks for the same issuer again, in what was signed.
    let issuer = claimed_issuer(&asked.subject_token);
    let theirs = issuer.and_then(|it| snapshot.key_managers().iter().find(|one| one.trust.issuer == it));
    let subject = match theirs {
        Some(manager) => of_another(inner, key, manager, &asked.subject_token)?,
        None => of_ours(inner, key, &asked.subject_token).await?,
    };
    may_exchange(&snapshot, key, &subject.exchanged.source).map_err(|error| {
        // Which of these it is, is no secret from who holds the token, and it helps its developer.
        TokenError::InvalidRequest(error.detail())
    })?;
    if !holder.holds(subject.bound_to.as_ref()) {
        return Err(NOT_HELD.into());
    }
    let scope = asked.narrowed(&subject.scopes, &subject.allowed)?;
    inner.take(holder, &key.client_id)?;
    let whom = issue::For::exchanged(key, &subject.exchanged, &scope)
        .bound_to(holder.bound_to().or(subject.bound_to.as_ref()));
    let issued = issue::access_token(inner, &whom)?;
    if let Some(opaque) = issued.opaque {
        inner.execute(&Actor::product(), Command::KeepAccessToken(opaque)).await?;
    }
    let mut response = TokenResponse::bearer(issued.token, issued.seconds, scope);
    response.issued_token_type = Some(asked.requested_token_type.as_str());
    Ok(response)
}

/// A token of ours that speaks for a person.
async fn of_ours(inner: &Inner, key: &Key, text: &str) -> Result<Subject, Failure> {
    let token = known_token(inner, text).await?.ok_or(INVALID)?;
    if token.source.is_some() {
        return Err(EXCHANGED.into());
    }
    // What speaks for a client alone has come from nobody who allowed anything.
    let (Some(of), Some(credential)) = (token.of, token.marks.credential) else { return Err(INVALID.into()) };
    let user = inner.ports.catalog.user(of.user).await.map_err(Problem::from)?.ok_or(INVALID)?;
    let subject = of.user.to_string();
    let source = Source {
        client_id: token.client_id,
        key_manager: None,
        credential,
        subject: mark::subject(inner.issuer.url(), &subject).into(),
        signed_with: token.signed_with,
    };
    Ok(Subject {
        exchanged: Exchanged { subject, of: Some(of), source, expires_at: token.expires_at },
        scopes: listed(&token.scope),
        allowed: scope::for_person(inner, key, &user.roles),
        bound_to: token.bound_to,
    })
}

/// A token of a key manager that speaks for a person. That issuer answers for the scopes that it says; which roles the person
/// would have here, nobody knows.
fn of_another(inner: &Inner, key: &Key, manager: &KeyManagerFacts, text: &str) -> Result<Subject, Failure> {
    let now = inner.now();
    let verifier = IssuerVerifier::new(rules(&manager.trust), &manager.jwks)
        .map_err(|_| Problem::Internal("the keys of a key manager cannot be read back"))?;
    let verified = verifier.verify(text, now.seconds()).map_err(|error| {
        if error == BadToken::UnknownKey {
            // The issuer may have signed with a key that is not known here yet: the next try finds it.
            inner.keeper.wish(manager.id);
        }
        INVALID
    })?;
    let Verified { client_id, subject, scopes, expires_at, issued_at, token_id, bound_to, .. } = verified;
    if subject == client_id {
        return Err(INVALID.into());
    }
    let issuer = manager.trust.issuer.as_str();
    let credential = mark::of_another(issuer, token_id.as_deref(), text);
    let source = Source {
        client_id,
        key_manager: Some(manager.id),
        credential: credential.into(),
        subject: mark::subject(issuer, &subject).into(),
        signed_with: None,
    };
    let marks = Marks {
        credential: Some(source.credential),
        grant: None,
        subject: Some(source.subject),
        issued_at: issued_at.map(Timestamp::from_seconds).unwrap_or_default(),
    };
    if inner.feed.is_revoked(&Revocable { client_id: None, marks: &marks, source: None }) {
        return Err(INVALID.into());
    }
    // No person of ours is called so, whatever another issuer calls its people.
    let subject = format!("{}|{subject}", manager.name);
    Ok(Subject {
        exchanged: Exchanged { subject, of: None, source, expires_at: Timestamp::from_seconds(expires_at) },
        scopes,
        allowed: scope::for_person(inner, key, &ROLES.into()),
        bound_to,
    })
}

fn rules(trust: &Trust) -> Rules {
    Rules {
        issuer: trust.issuer.clone(),
        audiences: trust.audiences.clone(),
        client_id: trust.claims.client_id.clone(),
        scope: trust.claims.scope.clone(),
        subject: trust.claims.subject.clone(),
        algorithms: trust.algorithms.iter().copied().map(Algorithm::as_str).map(str::to_owned).collect(),
        requires_at_jwt: trust.requires_at_jwt,
    }
}

fn listed(scope: &str) -> Vec<String> {
    scope.split(' ').filter(|one| !one.is_empty()).map(str::to_owned).collect()
}
