//! What a change to a sign-in provider may do, and what becomes of whoever comes from one, as pure functions.
//!
//! Its invariants: nobody who is here already is taken over by a name, whoever vouches for it; and a provider takes no
//! right away from the last administrator who has a password.

use super::{folded, needs, no_problems, not_stale, people::someone_administers, roles};
use crate::{
    command::Refused,
    provider::{
        Arrival, Arrive, CreateProvider, Newcomers, PROVIDERS_MAX, SignInProvider, SignInTrust,
        UpdateProvider,
    },
    role::{OwnRole, Permission, Role, Roles},
    rule::{self, FieldProblem},
    sign_up::WAITING_MAX,
    time::Timestamp,
    user::{Actor, User, UserState},
};

/// Decides on a new sign-in provider. `others` and `own` are all providers and own roles that there are.
///
/// # Errors
/// [`Refused`].
pub fn create(
    command: &CreateProvider,
    actor: &Actor,
    now: Timestamp,
    others: &[SignInProvider],
    own: &[OwnRole],
) -> Result<SignInProvider, Refused> {
    needs(actor, Permission::Administer)?;
    fields(&command.name, &command.trust, own)?;
    if others.len() >= PROVIDERS_MAX {
        let detail =
            format!("There are {PROVIDERS_MAX} sign-in providers, which is the most. Delete one first.");
        return Err(Refused::conflict(detail));
    }
    unlike(&command.name, &command.trust, others.iter())?;
    let (id, name, trust) = (command.id, command.name.clone(), command.trust.clone());
    Ok(SignInProvider { id, name, trust, created_at: now, updated_at: now, etag: 1 })
}

/// Decides on a change. `others` are all providers that there are, the changed one among them, `own` all own roles.
///
/// # Errors
/// [`Refused`].
pub fn update(
    before: &SignInProvider,
    command: &UpdateProvider,
    actor: &Actor,
    now: Timestamp,
    others: &[SignInProvider],
    own: &[OwnRole],
) -> Result<SignInProvider, Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(before.etag, command.based_on)?;
    let mut trust = command.trust.clone();
    // A secret that is not given anew stays only where it goes to the same place: else whoever may change the address
    // could have it sent to himself.
    let to =
        |trust: &SignInTrust| (trust.issuer.clone(), trust.discovery_url.clone(), trust.client_id.clone());
    if trust.client_secret.0.is_empty() && to(&trust) == to(&before.trust) {
        trust.client_secret = before.trust.client_secret.clone();
    }
    fields(&command.name, &trust, own)?;
    unlike(&command.name, &trust, others.iter().filter(|other| other.id != before.id))?;
    let name = command.name.clone();
    Ok(SignInProvider { name, trust, updated_at: now, etag: before.etag + 1, ..before.clone() })
}

/// Decides whether a sign-in provider may be deleted.
///
/// # Errors
/// [`Refused`].
pub fn delete(provider: &SignInProvider, based_on: Option<u64>, actor: &Actor) -> Result<(), Refused> {
    needs(actor, Permission::Administer)?;
    not_stale(provider.etag, based_on)
}

fn fields(name: &str, trust: &SignInTrust, own: &[OwnRole]) -> Result<(), Refused> {
    let mut problems = Vec::new();
    rule::provider_name("/name", name, &mut problems);
    rule::sign_in_trust(trust, &mut problems);
    no_problems(problems)?;
    roles::known("/roles", &trust.roles, own)?;
    let values = trust.role_claim.iter().flat_map(|claim| &claim.values).enumerate();
    values
        .map(|(place, known)| (format!("/role_claim/values/{place}/roles"), known))
        .try_for_each(|(at, known)| roles::known(&at, &known.roles, own))
}

/// Two buttons of one name, and two providers of one issuer, could not be told apart.
fn unlike<'p>(
    name: &str,
    trust: &SignInTrust,
    others: impl Iterator<Item = &'p SignInProvider>,
) -> Result<(), Refused> {
    for other in others {
        let (pointer, detail) = if folded(&other.name) == folded(name) {
            ("/name", format!("There is a sign-in provider “{}” already.", other.name))
        } else if other.trust.issuer == trust.issuer {
            ("/issuer", format!("“{}” is of this issuer already.", other.name))
        } else {
            continue;
        };
        return Err(Refused::Duplicate(FieldProblem::new(pointer, "duplicate", detail)));
    }
    Ok(())
}

/// Whether those whom it vouched for stay signed in with such a change.
pub fn keeps_sessions(before: &SignInProvider, after: &SignInProvider) -> bool {
    after.trust.enabled && after.trust.issuer == before.trust.issuer
}

/// Who is here already when somebody comes from a provider.
#[derive(Debug, Clone, Copy)]
pub struct Here<'h> {
    /// Whom the issuer knows by this subject.
    pub known: Option<&'h User>,
    /// Whether somebody has the name.
    pub is_name_taken: bool,
    /// How many wait for an administrator.
    pub waiting: u64,
    /// How many active users with a password administer.
    pub administrators: u64,
    /// All own roles.
    pub own_roles: &'h [OwnRole],
}

/// What is done about somebody who comes from a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Met {
    /// The account as it is from now on, made anew where there was none; signed in where it is active.
    Account(Box<User>),
    /// Nothing.
    Turned(Arrival),
}

/// Decides on somebody who comes from a provider that vouches for them.
///
/// # Errors
/// [`Refused`] where the provider was changed or switched off meanwhile.
pub fn arrive(
    provider: &SignInProvider,
    arrive: &Arrive,
    here: Here<'_>,
    now: Timestamp,
) -> Result<Met, Refused> {
    if !provider.trust.enabled || provider.etag != arrive.based_on {
        return Err(Refused::SignedOut);
    }
    let trust = &provider.trust;
    let Some(known) = here.known else { return Ok(newcomer(trust, arrive, here, now)) };
    match known.state {
        UserState::Waiting => return Ok(Met::Turned(Arrival::Waiting)),
        UserState::Disabled => {
            let (user, username) = (known.id, known.username.clone());
            return Ok(Met::Turned(Arrival::Disabled { user, username }));
        }
        UserState::Active => {}
    }
    let mut user = known.clone();
    if trust.role_claim.is_some() {
        user.roles = given(trust, arrive, here.own_roles);
        if someone_administers(known, Some(&user), here.administrators).is_err() {
            user.roles.give(Role::Admin);
        }
    }
    if user.roles.given() != known.roles.given() {
        user.etag += 1;
    }
    Ok(Met::Account(Box::new(user)))
}

fn given(trust: &SignInTrust, arrive: &Arrive, own: &[OwnRole]) -> Roles {
    let mut roles = trust.roles.clone();
    if let Some(claim) = &trust.role_claim {
        roles.extend(claim.roles(&arrive.role_values));
    }
    Roles::of(roles, own)
}

fn newcomer(trust: &SignInTrust, arrive: &Arrive, here: Here<'_>, now: Timestamp) -> Met {
    let mut problems = Vec::new();
    rule::username("", &arrive.username, &mut problems);
    let turned = if trust.newcomers == Newcomers::Refused {
        Some(Arrival::Unknown)
    } else if !problems.is_empty() {
        Some(Arrival::NoName)
    } else if here.is_name_taken {
        Some(Arrival::NameTaken)
    } else if trust.newcomers == Newcomers::Wait && here.waiting >= WAITING_MAX {
        Some(Arrival::Full)
    } else {
        None
    };
    if let Some(turned) = turned {
        return Met::Turned(turned);
    }
    let state = if trust.newcomers == Newcomers::Wait { UserState::Waiting } else { UserState::Active };
    let user = User::new(arrive.id, arrive.username.clone(), given(trust, arrive, here.own_roles), now);
    Met::Account(Box::new(User { state, has_password: false, ..user }))
}

#[cfg(test)]
mod tests;
