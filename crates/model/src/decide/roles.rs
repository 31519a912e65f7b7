//! What a change to an own role may do, and whether roles that somebody names are there, as pure functions. The other roles,
//! and what uses one, are handed in.

use std::collections::BTreeSet;

use super::{counted, needs, no_problems, not_stale, some};
use crate::{
    api::Design,
    command::Refused,
    role::{DESCRIPTION_CHARS_MAX, OWN_ROLES_MAX, OwnRole, Permission, ROLES, Role, RoleName},
    rule::FieldProblem,
    user::Actor,
};

/// What an own role is used by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Users to whom it was given.
    pub users: u64,
    /// APIs with a scope that asks for it, in their working copy or live, as name and version.
    pub apis: Vec<String>,
    /// Sign-in providers that give it.
    pub providers: Vec<String>,
    /// Business plans that only whoever holds it may choose.
    pub plans: Vec<String>,
}

/// Decides on a new own role; `others` are all that there are.
///
/// # Errors
/// [`Refused`]: not an administrator, fields that break rules, one of that name, too many.
pub fn create(role: OwnRole, actor: &Actor, others: &[OwnRole]) -> Result<OwnRole, Refused> {
    needs(actor, Permission::Administer)?;
    fields(&role.description, &role.means)?;
    let taken = match role.name.shipped() {
        Some(_) => Some(format!("The role {} ships with the product.", role.name)),
        None => others
            .iter()
            .any(|other| other.name == role.name)
            .then(|| format!("There is a role {} already. Change that one.", role.name)),
    };
    if let Some(detail) = taken {
        return Err(Refused::Duplicate(FieldProblem::new("/name", "duplicate", detail)));
    }
    if others.len() >= OWN_ROLES_MAX {
        let detail = format!("There are {OWN_ROLES_MAX} own roles, which is the most. Delete one first.");
        return Err(Refused::conflict(detail));
    }
    Ok(OwnRole { etag: 1, ..role })
}

/// The own role of this name, to be changed.
///
/// # Errors
/// [`Refused`]: it ships, or there is none.
pub fn own<'r>(name: &RoleName, all: &'r [OwnRole]) -> Result<&'r OwnRole, Refused> {
    if name.shipped().is_some() {
        return Err(Refused::conflict(format!(
            "The role {name} ships with the product, and stays as it is."
        )));
    }
    all.iter().find(|role| role.name == *name).ok_or(Refused::NotFound("role"))
}

/// Decides on another description and meaning; answers the role after the change.
///
/// # Errors
/// [`Refused`]: not an administrator, a stale tag, fields that break rules.
pub fn update(
    was: &OwnRole,
    based_on: Option<u64>,
    description: String,
    means: BTreeSet<Role>,
    actor: &Actor,
) -> Result<OwnRole, Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(was.etag, based_on)?;
    fields(&description, &means)?;
    Ok(OwnRole { name: was.name.clone(), description, means, etag: was.etag + 1 })
}

/// Decides on a deletion.
///
/// # Errors
/// [`Refused`]: not an administrator, a stale tag, something uses it.
pub fn delete(role: &OwnRole, based_on: Option<u64>, actor: &Actor, usage: &Usage) -> Result<(), Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(role.etag, based_on)?;
    let mut uses = Vec::new();
    if usage.users > 0 {
        uses.push(format!("{} with it", counted(usage.users, "user")));
    }
    let mut named = |names: &[String], noun: &str, what: &str| {
        if !names.is_empty() {
            let count = u64::try_from(names.len()).unwrap_or(u64::MAX);
            uses.push(format!("{} {what} ({})", counted(count, noun), some(names)));
        }
    };
    named(&usage.apis, "API", "with a scope for it");
    named(&usage.providers, "sign-in provider", "that gives it");
    named(&usage.plans, "business plan", "for it");
    if uses.is_empty() {
        return Ok(());
    }
    let uses = uses.join(", ");
    Err(Refused::conflict(format!("{} is in use: {uses}. Take it from all of them first.", role.name)))
}

fn fields(description: &str, means: &BTreeSet<Role>) -> Result<(), Refused> {
    let mut problems = Vec::new();
    if description.chars().count() > DESCRIPTION_CHARS_MAX {
        let detail = format!("A description has at most {DESCRIPTION_CHARS_MAX} characters.");
        problems.push(FieldProblem::new("/description", "too_long", detail));
    }
    if means.contains(&Role::Admin) {
        let detail = "No other role means admin: give that one by its name, so that whoever looks for \
                      administrators finds all.";
        problems.push(FieldProblem::new("/means", "admin", detail));
    }
    no_problems(problems)
}

/// Whether every one of these roles is there; problems are named under `pointer`.
///
/// # Errors
/// [`Refused::Invalid`].
pub fn known<'n>(
    pointer: &str,
    names: impl IntoIterator<Item = &'n RoleName>,
    own: &[OwnRole],
) -> Result<(), Refused> {
    no_problems(unknown_among(pointer, names, own))
}

/// A problem for each of these roles that is not there.
pub(super) fn unknown_among<'n>(
    pointer: &str,
    names: impl IntoIterator<Item = &'n RoleName>,
    own: &[OwnRole],
) -> Vec<FieldProblem> {
    let is_there = |name: &RoleName| name.shipped().is_some() || own.iter().any(|own| own.name == *name);
    let problem = |name: &RoleName| FieldProblem::new(pointer, "unknown_role", unknown(name.as_str(), own));
    names.into_iter().filter(|name| !is_there(name)).map(problem).collect()
}

/// What is said of a word that names no role.
pub fn unknown(word: &str, own: &[OwnRole]) -> String {
    let all = ROLES.iter().map(|role| role.as_str()).chain(own.iter().map(|own| own.name.as_str()));
    format!("There is no role “{word}”. Choose of: {}.", all.collect::<Vec<_>>().join(", "))
}

/// Whether every role that the scopes of a design name is there.
///
/// # Errors
/// [`Refused::Invalid`].
pub fn known_to_scopes(design: &Design, own: &[OwnRole]) -> Result<(), Refused> {
    for (place, scope) in design.scopes.iter().enumerate() {
        known(&format!("/scopes/{place}/roles"), &scope.roles, own)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
