//! Which scopes a client may ask for, and how they are told to a person.

use tidegate_model::application::Key;
use tidegate_oauth::{
    grant::{TokenError, granted},
    metadata::PERSON_SCOPES,
};

/// Scopes that a client may have for itself.
pub(super) fn of_client(_: &Key) -> Vec<String> {
    Vec::new()
}

/// Scopes that a client may ask a person for.
pub(super) fn of_person(_: &Key) -> Vec<String> {
    PERSON_SCOPES.map(str::to_owned).to_vec()
}

/// Those of a request to a person. Without any, the client may do what its subscriptions allow, and learns nothing of the
/// person.
///
/// # Errors
/// [`TokenError::InvalidScope`].
pub(super) fn asked_of_person(key: &Key, asked: &[String]) -> Result<String, TokenError> {
    if asked.is_empty() { Ok(String::new()) } else { granted(asked, &of_person(key)) }
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
