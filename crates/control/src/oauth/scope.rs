//! Which scopes a client may ask for, and how they are told to a person.
//!
//! What topics ask for is given by what the application reaches and by roles: of the person for whom a token speaks, or of
//! the application's owner where it speaks for the client itself. See `docs/decisions/0029-scopes.md`.

use tidegate_model::{
    application::Key,
    role::{ROLES, Roles},
    scope::grantable,
};
use tidegate_oauth::{
    grant::{TokenError, granted},
    metadata::PERSON_SCOPES,
};

use crate::{authenticate::is_active, problem::Problem, state::Inner};

/// Scopes that a client may have for itself.
pub(crate) async fn of_client(inner: &Inner, key: &Key) -> Result<Vec<String>, Problem> {
    let application = inner.ports.catalog.application(key.application).await?;
    let owner = match application.and_then(|application| application.owner) {
        Some(owner) => inner.ports.catalog.user(owner).await?,
        None => None,
    };
    let roles = owner.filter(is_active).map(|owner| owner.roles).unwrap_or_default();
    Ok(grantable(&inner.feed.snapshot(), key.application, &roles))
}

/// Those of the scopes, separated by spaces, that a client may have for a person with these roles.
pub(super) fn held(inner: &Inner, key: &Key, scope: &str, roles: &Roles) -> String {
    let allowed = of_roles(inner, key, roles);
    let kept: Vec<_> = scope.split(' ').filter(|one| allowed.iter().any(|other| other == one)).collect();
    kept.join(" ")
}

/// Scopes of topics that a client may have for a person with these roles. What it may learn of the person is not among them.
pub(super) fn for_person(inner: &Inner, key: &Key, roles: &Roles) -> Vec<String> {
    grantable(&inner.feed.snapshot(), key.application, roles)
}

fn of_roles(inner: &Inner, key: &Key, roles: &Roles) -> Vec<String> {
    let mut all = PERSON_SCOPES.map(str::to_owned).to_vec();
    all.extend(for_person(inner, key, roles));
    all
}

/// Those of a request to a person, whoever that will be. Without any, the client may do what its subscriptions allow, and learns nothing of the
/// person.
///
/// # Errors
/// [`TokenError::InvalidScope`].
pub(super) fn asked_of_person(inner: &Inner, key: &Key, asked: &[String]) -> Result<String, TokenError> {
    if asked.is_empty() { Ok(String::new()) } else { granted(asked, &of_roles(inner, key, &ROLES.into())) }
}

/// What a scope lets a client do, in words for the person who is asked.
pub(super) fn words(scope: &str) -> String {
    match scope {
        "openid" => "know that it is you".to_owned(),
        "profile" => "see your user name".to_owned(),
        other => format!("use the scope “{other}”"),
    }
}

/// Whether a client is told who the person is.
pub(super) fn is_person(scope: &str) -> bool {
    has(scope, "openid")
}

/// Whether this one is among those that are separated by spaces.
pub(super) fn has(scope: &str, one: &str) -> bool {
    scope.split(' ').any(|other| other == one)
}
