//! What changes to registration tokens and registrations may do, as pure functions.

use crate::{
    command::Refused,
    registration::{
        LIFETIME_MILLIS_MAX, REGISTRATION_TOKENS_MAX, RegistrationToken, TokenState, USES_MAX, may_own,
    },
    role::Permission,
    rule::{self, APPLICATION_NAME_CHARS_MAX, FieldProblem},
    time::Timestamp,
    user::{Actor, User},
};

use super::{folded, needs, no_problems};

/// Characters of a client id that tell applications of one name apart.
const MARK_CHARS: usize = 6;

/// Decides on a new registration token. `count` is how many there are.
///
/// # Errors
/// [`Refused`]: not an administrator, fields that break rules, an owner who may not have applications, too many.
pub fn create_token(
    token: &RegistrationToken,
    owner: &User,
    actor: &Actor,
    now: Timestamp,
    count: u64,
) -> Result<(), Refused> {
    needs(actor, Permission::Administer)?;
    let mut problems = Vec::new();
    rule::label("/name", &token.name, &mut problems);
    if !may_own(owner) {
        let detail = format!(
            "{} cannot have applications. Give them the role subscriber, or choose somebody else.",
            owner.username
        );
        problems.push(FieldProblem::new("/owner", "may_not", detail));
    }
    if !(1..=USES_MAX).contains(&token.uses_max) {
        let detail = format!("A token registers 1 to {USES_MAX} clients.");
        problems.push(FieldProblem::new("/uses_max", "out_of_range", detail));
    }
    let lifetime = token.expires_at.millis() - now.millis();
    if !(1..=LIFETIME_MILLIS_MAX).contains(&lifetime) {
        let detail = "A token is good for 1 to 366 days.";
        problems.push(FieldProblem::new("/expires_in_days", "out_of_range", detail));
    }
    no_problems(problems)?;
    if count >= REGISTRATION_TOKENS_MAX as u64 {
        let detail =
            format!("There are at most {REGISTRATION_TOKENS_MAX} registration tokens. Delete one first.");
        return Err(Refused::conflict(detail));
    }
    Ok(())
}

/// The token after a client has registered by it. Why it cannot be used is not told apart.
///
/// # Errors
/// [`Refused::NotFound`].
pub fn used(token: &RegistrationToken, owner: &User, now: Timestamp) -> Result<RegistrationToken, Refused> {
    if token.state(owner, now) != TokenState::Active {
        return Err(Refused::NotFound("registration token"));
    }
    Ok(RegistrationToken { used: token.used + 1, last_used_at: Some(now), ..token.clone() })
}

/// The name of a client's application. `taken` are the folded names of the owner's other applications.
pub fn name(wished: Option<&str>, client_id: &str, taken: &[String]) -> String {
    let mark: String = client_id.chars().take(MARK_CHARS).collect();
    let Some(wished) = wished else { return format!("Client {client_id}") };
    if !taken.contains(&folded(wished)) {
        return wished.to_owned();
    }
    let room = APPLICATION_NAME_CHARS_MAX.saturating_sub(MARK_CHARS + 3);
    let short: String = wished.chars().take(room).collect();
    format!("{} ({mark})", short.trim_end())
}

#[cfg(test)]
mod tests;
