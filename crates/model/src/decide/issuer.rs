//! What a change to a key manager may do, and who may provide a client of another issuer.

use super::{needs, no_problems, not_stale};
use crate::{
    api::Design,
    application::Application,
    command::{CreateKeyManager, ProvideKey, Refused, UpdateKeyManager},
    issuer::{KEY_MANAGERS_MAX, KeyManager, ProvidedKey, RESIDENT, Trust},
    role::Permission,
    rule::{self, FieldProblem},
    time::Timestamp,
    user::Actor,
};

/// Decides on a new key manager. `others` are all that there are.
///
/// # Errors
/// [`Refused`].
pub fn create_key_manager(
    command: &CreateKeyManager,
    actor: &Actor,
    now: Timestamp,
    others: &[KeyManager],
) -> Result<KeyManager, Refused> {
    needs(actor, Permission::Administer)?;
    let mut problems = Vec::new();
    rule::key_manager_name("/name", &command.name, &mut problems);
    rule::trust(&command.trust, &mut problems);
    no_problems(problems)?;
    if others.len() >= KEY_MANAGERS_MAX {
        let detail =
            format!("There are {KEY_MANAGERS_MAX} key managers, which is the most. Delete one first.");
        return Err(Refused::conflict(detail));
    }
    let name = super::folded(&command.name);
    if others.iter().any(|other| super::folded(&other.name) == name) {
        let detail = format!("There is a key manager “{}” already.", command.name);
        return Err(Refused::Duplicate(FieldProblem::new("/name", "duplicate", detail)));
    }
    not_anothers_issuer(&command.trust, others.iter())?;
    Ok(KeyManager {
        id: command.id,
        name: command.name.clone(),
        trust: command.trust.clone(),
        created_at: now,
        updated_at: now,
        etag: 1,
    })
}

/// A token names its issuer and nothing else; two key managers of one issuer could not be told apart.
fn not_anothers_issuer<'k>(
    trust: &Trust,
    mut others: impl Iterator<Item = &'k KeyManager>,
) -> Result<(), Refused> {
    let Some(other) = others.find(|other| other.trust.issuer == trust.issuer) else { return Ok(()) };
    let detail = format!("“{}” is of this issuer already.", other.name);
    Err(Refused::Duplicate(FieldProblem::new("/issuer", "duplicate", detail)))
}

/// Decides on a change. `others` are all that there are, the changed one among them.
///
/// # Errors
/// [`Refused`].
pub fn update_key_manager(
    before: &KeyManager,
    command: &UpdateKeyManager,
    actor: &Actor,
    now: Timestamp,
    others: &[KeyManager],
) -> Result<KeyManager, Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(before.etag, command.based_on)?;
    let mut trust = command.trust.clone();
    keep_secret(&mut trust, &before.trust);
    let mut problems = Vec::new();
    rule::trust(&trust, &mut problems);
    no_problems(problems)?;
    not_anothers_issuer(&trust, others.iter().filter(|other| other.id != before.id))?;
    Ok(KeyManager { trust, updated_at: now, etag: before.etag + 1, ..before.clone() })
}

/// A secret that is not given anew stays only where it goes to the same place: else whoever may change the address
/// could have it sent to himself.
fn keep_secret(trust: &mut Trust, before: &Trust) {
    if let (Some(now), Some(was)) = (&mut trust.introspection, &before.introspection)
        && now.client_secret.0.is_empty()
        && (&now.url, &now.client_id) == (&was.url, &was.client_id)
    {
        now.client_secret = was.client_secret.clone();
    }
}

/// Whether every issuer that a design names is there. `known` are the names of the key managers.
///
/// # Errors
/// [`Refused::Invalid`].
pub fn known_issuers(design: &Design, known: &[String]) -> Result<(), Refused> {
    let mut problems = Vec::new();
    for name in design.issuers.0.iter().flatten() {
        if name != RESIDENT && !known.contains(name) {
            let others: Vec<_> = std::iter::once(RESIDENT).chain(known.iter().map(String::as_str)).collect();
            let detail = format!("There is no key manager “{name}”. Choose from: {}.", others.join(", "));
            problems.push(FieldProblem::new("/issuers", "unknown_issuer", detail));
        }
    }
    no_problems(problems)
}

/// Decides on providing a client of another issuer. `application` is the actor's; `there` is whose client it is already.
///
/// # Errors
/// [`Refused`].
pub fn provide_key(
    command: &ProvideKey,
    actor: &Actor,
    now: Timestamp,
    application: &Application,
    manager: &KeyManager,
    there: Option<&ProvidedKey>,
) -> Result<ProvidedKey, Refused> {
    needs(actor, Permission::AppManage)?;
    let mut problems = Vec::new();
    rule::provided_client_id("/client_id", &command.client_id, &mut problems);
    no_problems(problems)?;
    if !manager.trust.enabled {
        return Err(Refused::conflict(format!("“{}” is switched off. Ask an administrator.", manager.name)));
    }
    if let Some(there) = there {
        let detail = if there.application == application.id {
            format!("{} has this client of “{}” already.", application.name, manager.name)
        } else {
            // Whose it is, is not this developer's to know.
            format!("This client of “{}” belongs to another application already.", manager.name)
        };
        return Err(Refused::Duplicate(FieldProblem::new("/client_id", "duplicate", detail)));
    }
    Ok(ProvidedKey {
        key_manager: manager.id,
        client_id: command.client_id.clone(),
        application: application.id,
        environment: command.environment,
        created_at: now,
    })
}

#[cfg(test)]
mod tests;
