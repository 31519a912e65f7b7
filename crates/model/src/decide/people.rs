//! What a change to a user may do, as pure functions. Counts and records are handed in.
//!
//! Its invariant: somebody who may sign in administers the product, whatever is changed.

use std::collections::BTreeSet;

use crate::{
    application::Application,
    command::{AskForAccount, ChangeSignUp, ChangeUser, Refused},
    id::UserId,
    role::{OwnRole, Permission, RoleName, Roles},
    rule::{self, FieldProblem},
    sign_up::{SignUp, WAITING_MAX},
    time::Timestamp,
    user::{Actor, User, UserState},
};

use super::{folded, needs, no_problems, not_stale, roles};

/// Decides on a new user; `own` are all own roles.
pub fn create_user(user: &User, actor: &Actor, own: &[OwnRole]) -> Result<(), Refused> {
    needs(actor, Permission::Administer)?;
    let mut problems = Vec::new();
    rule::username("/username", &user.username, &mut problems);
    no_problems(problems)?;
    roles::known("/roles", user.roles.given(), own)
}

/// `administrators` is how many active users administer, this one among them where it does.
pub(super) fn someone_administers(was: &User, is: Option<&User>, administrators: u64) -> Result<(), Refused> {
    if was.administers() && !is.is_some_and(User::administers) && administrators <= 1 {
        return Err(Refused::conflict(format!(
            "{} is the last administrator. Make somebody else an administrator first.",
            was.username
        )));
    }
    Ok(())
}

/// Decides on other roles or another state; answers the user after the change, and what changed in words. `own` are all own
/// roles.
pub fn change_user(
    user: &User,
    command: &ChangeUser,
    own: &[OwnRole],
    actor: &Actor,
    administrators: u64,
) -> Result<(User, String), Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(user.etag, command.based_on)?;
    if command.state == UserState::Waiting {
        let problem = FieldProblem::new(
            "/state",
            "unknown_state",
            "Nobody is made to wait. Choose active or disabled.",
        );
        return Err(Refused::Invalid(vec![problem]));
    }
    if actor.user == Some(user.id) && command.state == UserState::Disabled {
        return Err(Refused::conflict("You cannot disable yourself. Another administrator can."));
    }
    roles::known("/roles", &command.roles, own)?;
    let roles = Roles::of(command.roles.clone(), own);
    let next = User { roles, state: command.state, etag: user.etag + 1, ..user.clone() };
    someone_administers(user, Some(&next), administrators)?;
    let mut told = Vec::new();
    let (was, is) = (user.roles.given(), next.roles.given());
    let words = |roles: &mut dyn Iterator<Item = &RoleName>| {
        roles.map(RoleName::as_str).collect::<Vec<_>>().join(", ")
    };
    let given = words(&mut is.difference(was));
    let taken = words(&mut was.difference(is));
    if !given.is_empty() {
        told.push(format!("Given: {given}."));
    }
    if !taken.is_empty() {
        told.push(format!("Taken: {taken}."));
    }
    if next.state != user.state {
        told.push(format!("From {} to {}.", user.state.as_str(), next.state.as_str()));
    }
    if told.is_empty() {
        told.push("Nothing is different.".to_owned());
    }
    Ok((next, format!("{}: {}", user.username, told.join(" "))))
}

/// Decides whether self sign-up may be opened or closed; answers how it stands afterwards.
pub fn change_sign_up(was: SignUp, command: ChangeSignUp, actor: &Actor) -> Result<SignUp, Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(was.etag, command.based_on)?;
    Ok(SignUp { is_open: command.is_open, etag: was.etag + 1 })
}

/// Decides on somebody who signs up; answers the user who waits, without a role. `waiting` is how many do already.
pub fn ask_for_account(
    asked: &AskForAccount,
    sign_up: SignUp,
    waiting: u64,
    now: Timestamp,
) -> Result<User, Refused> {
    if !sign_up.is_open {
        return Err(Refused::conflict("Nobody signs up here. Ask an administrator for an account."));
    }
    if waiting >= WAITING_MAX {
        return Err(Refused::conflict("Many wait for an administrator already. Try again another day."));
    }
    let mut problems = Vec::new();
    rule::username("/username", &asked.username, &mut problems);
    no_problems(problems)?;
    let user = User::new(asked.id, asked.username.clone(), Roles::default(), now);
    Ok(User { state: UserState::Waiting, ..user })
}

/// Decides whether portal sessions of this user may be ended: one's own, or anybody's by who administers.
pub fn end_portal_sessions(user: UserId, actor: &Actor) -> Result<(), Refused> {
    if actor.user == Some(user) { Ok(()) } else { needs(actor, Permission::Administer) }
}

/// Decides whether a user may be deleted. `owned` are the user's applications, `heirs` those of the heir.
pub fn delete_user(
    user: &User,
    based_on: Option<u64>,
    actor: &Actor,
    administrators: u64,
    owned: &[Application],
    heir: Option<(&User, &[Application])>,
) -> Result<(), Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(user.etag, based_on)?;
    if actor.user == Some(user.id) {
        return Err(Refused::conflict("You cannot delete yourself. Another administrator can."));
    }
    someone_administers(user, None, administrators)?;
    if owned.is_empty() {
        return Ok(());
    }
    let Some((heir, theirs)) = heir else {
        let noun = if owned.len() == 1 { "application" } else { "applications" };
        return Err(Refused::conflict(format!(
            "{} has {} {noun}. Say who takes them over, or delete them first.",
            user.username,
            owned.len()
        )));
    };
    if heir.id == user.id {
        let problem = FieldProblem::new("/applications_to", "same", "Choose somebody else.");
        return Err(Refused::Invalid(vec![problem]));
    }
    if heir.state != UserState::Active {
        let detail =
            "This user is disabled, and so would be the keys of the applications. Choose somebody else.";
        let problem = FieldProblem::new("/applications_to", "disabled_user", detail);
        return Err(Refused::Invalid(vec![problem]));
    }
    let taken: BTreeSet<_> = theirs.iter().map(|application| folded(&application.name)).collect();
    let twice: Vec<_> = owned
        .iter()
        .filter(|application| taken.contains(&folded(&application.name)))
        .map(|application| format!("“{}”", application.name))
        .collect();
    if twice.is_empty() {
        return Ok(());
    }
    Err(Refused::conflict(format!(
        "{} has applications of the same name: {}. Rename them, or choose somebody else.",
        heir.username,
        twice.join(", ")
    )))
}

#[cfg(test)]
mod tests;
