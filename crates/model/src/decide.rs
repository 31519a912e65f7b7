//! What a change to an API may do, as pure functions: the store loads what is named, asks here inside its
//! transaction, and writes the answer. SQLite and PostgreSQL so decide alike.
//!
//! Nothing here reads or writes; what is known and siblings are handed in.

use crate::{
    api::{Api, Change, Design, Live, Moved, Revision},
    application::Application,
    command::{CreateApi, CreateSubscription, CreateVersion, MoveApi, Refused, UpdateApi},
    id::ApiId,
    lifecycle::{Event, Missing, State, missing},
    revocation::{Revoke, Revoked},
    role::{Permission, RoleName},
    route::base_path,
    rule::{self, FieldProblem},
    terms::Terms,
    time::Timestamp,
    user::Actor,
};

pub mod alerts;
pub mod custom_rules;
pub mod denials;
mod identity;
mod issuer;
pub mod people;
pub mod policies;
pub mod providers;
pub mod registrations;
pub mod roles;

pub use identity::{around, folded, folded_context, folded_path};
pub use issuer::{create_key_manager, known_issuers, provide_key, update_key_manager};

/// What happens to subscriptions with a move.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SubscriptionEffect {
    /// They stay as they are.
    #[default]
    Keep,
    /// Those of this version are copied to the API of the decision, where the application has none yet.
    CopyFrom(ApiId),
    /// All of the API end.
    EndAll,
}

/// A change decided on: everything the store has to write.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The API after the change.
    pub api: Api,
    /// Other versions that change with it, each with its own entry of the audit log.
    pub siblings: Vec<(Api, Change)>,
    /// Moves of the lifecycle, for its history.
    pub moves: Vec<(ApiId, Moved)>,
    /// A new revision to keep; it is the live one.
    pub revision: Option<Revision>,
    /// What happens to subscriptions.
    pub subscriptions: SubscriptionEffect,
    /// Entry of the audit log.
    pub change: Change,
}

fn unknown_plans(plans: &[String], known: &[String], problems: &mut Vec<FieldProblem>) {
    for (place, plan) in plans.iter().enumerate() {
        let pointer = format!("/plans/{place}");
        if !known.contains(plan) {
            let detail = format!("There is no business plan “{plan}”. Choose one of: {}.", known.join(", "));
            problems.push(FieldProblem::new(pointer, "unknown_plan", detail));
        } else if plans[..place].contains(plan) {
            problems.push(FieldProblem::new(pointer, "repeated", format!("“{plan}” stands twice.")));
        }
    }
}

/// Names of what a design may name: all there are of a kind, in the order in which pages show them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'k> {
    /// Business plans.
    pub plans: &'k [String],
    /// API policies.
    pub api_policies: &'k [String],
}

fn unknown_api_policies(design: &Design, known: &[String], problems: &mut Vec<FieldProblem>) {
    for (pointer, name) in design.api_policies().filter(|(_, name)| !known.iter().any(|known| known == name))
    {
        let detail = format!("There is no API policy “{name}”. Choose one of: {}.", known.join(", "));
        problems.push(FieldProblem::new(pointer, "unknown_policy", detail));
    }
}

fn design_problems(design: &Design, known: Known<'_>) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    rule::description("/description", &design.description, &mut problems);
    rule::endpoints("/endpoints", &design.endpoints, &mut problems);
    rule::protocol("/protocol", &design.protocol, &mut problems);
    design.notice.iter().for_each(|notice| rule::notice("/notice", notice, &mut problems));
    rule::headers("/headers", &design.headers, &mut problems);
    rule::mappings("/mappings", &design.mappings, &mut problems);
    rule::topics("/topics", &design.topics, &mut problems);
    rule::scopes("/scopes", &design.scopes, &mut problems);
    rule::undefined_scopes("/topics", &design.topics, &design.scopes, &mut problems);
    rule::security("/security", &design.security, &design.headers, &mut problems);
    unknown_plans(&design.plans, known.plans, &mut problems);
    unknown_api_policies(design, known.api_policies, &mut problems);
    problems
}

/// Refuses fields that break rules, all at once.
///
/// # Errors
/// [`Refused::Invalid`].
pub fn no_problems(problems: Vec<FieldProblem>) -> Result<(), Refused> {
    if problems.is_empty() { Ok(()) } else { Err(Refused::Invalid(problems)) }
}

pub(crate) fn needs(actor: &Actor, permission: Permission) -> Result<(), Refused> {
    if actor.may(permission) { Ok(()) } else { Err(Refused::Forbidden(permission)) }
}

/// Refuses what is based on another state than the `current` one.
///
/// # Errors
/// [`Refused::Stale`].
pub fn not_stale(current: u64, based_on: Option<u64>) -> Result<(), Refused> {
    match based_on {
        Some(etag) if etag != current => Err(Refused::Stale { current }),
        _ => Ok(()),
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The first few, and that there are more.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown}, …") } else { shown }
}

fn not_missing(missing: Vec<Missing>) -> Result<(), Refused> {
    if missing.is_empty() {
        return Ok(());
    }
    let detail = missing.iter().map(|item| item.detail()).collect::<Vec<_>>().join(" ");
    Err(Refused::Conflict { detail, missing })
}

fn change(actor: &Actor, now: Timestamp, action: impl Into<String>, detail: impl Into<String>) -> Change {
    Change { at: now, by: actor.name.clone(), action: action.into(), detail: detail.into() }
}

fn decision(api: Api, change: Change) -> Decision {
    Decision {
        api,
        siblings: Vec::new(),
        moves: Vec::new(),
        revision: None,
        subscriptions: SubscriptionEffect::Keep,
        change,
    }
}

/// Makes the working copy of `api` live as the next revision.
fn freeze(api: &mut Api, actor: &Actor, now: Timestamp) -> Revision {
    api.revisions += 1;
    api.live = Some(Live { revision: api.revisions, deployed_at: now, design: api.design.clone() });
    Revision {
        number: api.revisions,
        created_at: now,
        created_by: actor.name.clone(),
        live: true,
        design: api.design.clone(),
    }
}

/// Decides on a new API. `neighbours` are the APIs that could share its name or meet its address.
pub fn create_api(
    command: &CreateApi,
    actor: &Actor,
    now: Timestamp,
    neighbours: &[Api],
    known: Known<'_>,
) -> Result<Decision, Refused> {
    needs(actor, Permission::ApiCreate)?;
    if command.publish {
        needs(actor, Permission::ApiPublish)?;
    }
    let context = rule::normal_context(&command.context);
    let mut problems = Vec::new();
    rule::name("/name", &command.name, &mut problems);
    rule::context("/context", &context, &mut problems);
    rule::version("/version", &command.version, &mut problems);
    problems.extend(design_problems(&command.design, known));
    if command.publish {
        problems.extend(
            missing(&command.design, Event::Publish)
                .into_iter()
                .map(|item| FieldProblem::new(item.pointer(), "required", item.detail())),
        );
    }
    no_problems(problems)?;
    identity::is_free(&command.name, &context, &command.version, neighbours).map_err(Refused::Duplicate)?;
    let api = Api {
        id: command.id,
        name: command.name.clone(),
        context,
        version: command.version.clone(),
        state: State::Created,
        owner: actor.user,
        owner_name: actor.name.clone(),
        is_default_version: false,
        demo: command.demo,
        design: command.design.clone(),
        live: None,
        revisions: 0,
        created_at: now,
        updated_at: now,
        etag: 1,
    };
    let address = base_path(&api.context, &api.version);
    let mut decided = decision(api, change(actor, now, "created", format!("It answers at {address}.")));
    decided.moves.push((command.id, moved(actor, now, None, None, State::Created)));
    if command.publish {
        decided.revision = Some(freeze(&mut decided.api, actor, now));
        decided.api.state = State::Published;
        let step = moved(actor, now, Some(Event::Publish), Some(State::Created), State::Published);
        decided.moves.push((command.id, step));
        "created and published".clone_into(&mut decided.change.action);
    }
    Ok(decided)
}

fn moved(actor: &Actor, at: Timestamp, event: Option<Event>, from: Option<State>, to: State) -> Moved {
    Moved { at, by: actor.name.clone(), event, from, to }
}

/// Decides on a new working copy. `siblings` are the other versions of the same name.
pub fn update_api(
    api: &Api,
    command: &UpdateApi,
    actor: &Actor,
    now: Timestamp,
    siblings: &[Api],
    known: Known<'_>,
) -> Result<Decision, Refused> {
    not_stale(api.etag, command.based_on)?;
    let mut design = command.design.clone();
    design.endpoints.keep_secrets(&api.design.endpoints);
    if actor.may(Permission::ApiCreate)
        || !design.is_but_for_limits(&api.design)
        || command.is_default_version.is_some()
    {
        needs(actor, Permission::ApiCreate)?;
    } else {
        needs(actor, Permission::ApiPublish)?;
    }
    if api.state == State::Retired {
        return Err(Refused::conflict("A retired API cannot be changed. Make a new version instead."));
    }
    no_problems(design_problems(&design, known))?;
    let mut next = touched(api, now);
    next.design = design;
    let differs = next.differences();
    let detail = if next.live.is_none() {
        "Nothing is live yet.".to_owned()
    } else if differs.is_empty() {
        "The working copy equals what is live.".to_owned()
    } else {
        let fields: Vec<_> = differs.into_iter().map(|difference| difference.field).collect();
        format!("Differs from what is live in: {}.", fields.join(", "))
    };
    let mut decided = decision(next, change(actor, now, "changed", detail));
    let wish = command.is_default_version.filter(|wish| *wish != api.is_default_version);
    if let Some(wish) = wish {
        decided.api.is_default_version = wish;
        let told = if wish { default_note(&decided.api) } else { "It is not the default version any more." };
        decided.change.detail = format!("{} {told}", decided.change.detail);
        if wish {
            decided.siblings = no_longer_default(siblings, &decided.api, actor, now);
        }
    }
    Ok(decided)
}

/// What the audit log says of a version that has got the default flag.
const fn default_note(api: &Api) -> &'static str {
    if api.live.is_some() {
        "It is the default version now."
    } else {
        "It becomes the default version when it goes live."
    }
}

fn touched(api: &Api, now: Timestamp) -> Api {
    Api { updated_at: now, etag: api.etag + 1, ..api.clone() }
}

/// Those that lose the default flag to `default`, which has got it or has gone live with it.
///
/// What is not live cannot answer: until `default` is, the version that answers keeps the flag, and only another that
/// waits gives way. So at most one that is live has the flag, and at most one that waits.
fn no_longer_default(siblings: &[Api], default: &Api, actor: &Actor, now: Timestamp) -> Vec<(Api, Change)> {
    let gives_way =
        |sibling: &&Api| sibling.is_default_version && (default.live.is_some() || sibling.live.is_none());
    siblings
        .iter()
        .filter(gives_way)
        .map(|sibling| {
            let when = if default.live.is_some() { "now" } else { "once it is live" };
            let detail = format!("{} is the default version {when}.", default.version);
            let next = Api { is_default_version: false, ..touched(sibling, now) };
            (next, change(actor, now, "no longer the default version", detail))
        })
        .collect()
}

/// What a first revision does to siblings: a flag that waited for it is taken from the version that had it.
fn goes_live(was: &Api, siblings: &[Api], actor: &Actor, now: Timestamp, decided: &mut Decision) {
    let is_first = was.live.is_none() && decided.api.live.is_some();
    if is_first && decided.api.is_default_version {
        decided.siblings.extend(no_longer_default(siblings, &decided.api, actor, now));
    }
}

/// Decides on making the working copy live. `siblings` are the other versions of the same name.
pub fn deploy_api(
    api: &Api,
    based_on: Option<u64>,
    actor: &Actor,
    now: Timestamp,
    siblings: &[Api],
) -> Result<Decision, Refused> {
    if !actor.may(Permission::ApiCreate) {
        needs(actor, Permission::ApiPublish)?;
    }
    not_stale(api.etag, based_on)?;
    if api.state == State::Retired {
        return Err(Refused::conflict("A retired API cannot be deployed."));
    }
    // What subscribers are served, or will be once the block is lifted, is as complete as publishing asks for.
    let like = if matches!(api.state, State::Published | State::Blocked) {
        Event::Publish
    } else {
        Event::Prototype
    };
    not_missing(missing(&api.design, like))?;
    let mut next = touched(api, now);
    let revision = freeze(&mut next, actor, now);
    let mut decided =
        decision(next, change(actor, now, "deployed", format!("Revision {} is live.", revision.number)));
    decided.revision = Some(revision);
    goes_live(api, siblings, actor, now, &mut decided);
    Ok(decided)
}

/// Decides on a move of the lifecycle. `siblings` are the other versions of the same name.
pub fn move_api(
    api: &Api,
    command: &MoveApi,
    actor: &Actor,
    now: Timestamp,
    siblings: &[Api],
) -> Result<Decision, Refused> {
    needs(actor, Permission::ApiPublish)?;
    not_stale(api.etag, command.based_on)?;
    let Some(to) = api.state.after(command.event) else {
        let possible: Vec<_> = api.state.moves().iter().map(|(event, _)| event.as_str()).collect();
        let detail = format!(
            "An API in state {} cannot {}. Possible: {}.",
            api.state.as_str(),
            command.event.as_str(),
            if possible.is_empty() { "nothing".to_owned() } else { possible.join(", ") }
        );
        return Err(Refused::conflict(detail));
    };
    not_missing(missing(&api.design, command.event))?;
    let mut next = touched(api, now);
    next.state = to;
    let detail = format!("From {} to {}.", api.state.as_str(), to.as_str());
    let mut decided = decision(next, change(actor, now, format!("moved to {}", to.as_str()), detail));
    decided.moves.push((api.id, moved(actor, now, Some(command.event), Some(api.state), to)));
    if command.event.needs_complete_design() {
        match &decided.api.live {
            Some(live) => not_incomplete(live, command.event)?,
            None => decided.revision = Some(freeze(&mut decided.api, actor, now)),
        }
    }
    goes_live(api, siblings, actor, now, &mut decided);
    if command.event == Event::Publish {
        publish_effects(command, actor, now, siblings, &mut decided);
    }
    if to == State::Retired {
        decided.api.live = None;
        decided.api.is_default_version = false;
        decided.subscriptions = SubscriptionEffect::EndAll;
    }
    Ok(decided)
}

/// What was deployed early, to try it, may lack what the move needs although the working copy has it by now.
fn not_incomplete(live: &Live, event: Event) -> Result<(), Refused> {
    let lacks: Vec<_> = missing(&live.design, event)
        .into_iter()
        .map(|item| match item {
            Missing::Endpoint => "an endpoint",
            Missing::Plan => "a business plan",
        })
        .collect();
    if lacks.is_empty() {
        return Ok(());
    }
    let detail = format!("What is live lacks {}. Deploy the working copy first.", lacks.join(" and "));
    Err(Refused::conflict(detail))
}

fn publish_effects(
    command: &MoveApi,
    actor: &Actor,
    now: Timestamp,
    siblings: &[Api],
    decided: &mut Decision,
) {
    let published = siblings.iter().filter(|sibling| sibling.state == State::Published);
    let newest = published.clone().max_by_key(|sibling| sibling.created_at).map(|sibling| sibling.id);
    if let Some(newest) = newest.filter(|_| command.deprecate_old_versions && !command.require_resubscription)
    {
        decided.subscriptions = SubscriptionEffect::CopyFrom(newest);
    }
    if command.deprecate_old_versions {
        for sibling in published {
            // One that has just lost the default flag changes a second time, after that.
            let changed = decided.siblings.iter().map(|(api, _)| api).find(|api| api.id == sibling.id);
            let sibling = changed.unwrap_or(sibling);
            let next = Api { state: State::Deprecated, ..touched(sibling, now) };
            let step = moved(actor, now, Some(Event::Deprecate), Some(State::Published), State::Deprecated);
            decided.moves.push((sibling.id, step));
            let detail = format!("{} {} was published.", decided.api.name, decided.api.version);
            decided.siblings.push((next, change(actor, now, "moved to deprecated", detail)));
        }
    }
}

/// Decides on a new version. `siblings` are all versions of the same name, the source among them, and what could meet
/// its address.
pub fn create_version(
    source: &Api,
    command: &CreateVersion,
    actor: &Actor,
    now: Timestamp,
    siblings: &[Api],
) -> Result<Decision, Refused> {
    needs(actor, Permission::ApiCreate)?;
    let mut problems = Vec::new();
    rule::version("/version", &command.version, &mut problems);
    no_problems(problems)?;
    identity::version_is_free(source, &command.version, siblings)?;
    let api = Api {
        id: command.id,
        version: command.version.clone(),
        state: State::Created,
        owner: actor.user,
        owner_name: actor.name.clone(),
        is_default_version: command.default,
        demo: false,
        live: None,
        revisions: 0,
        created_at: now,
        updated_at: now,
        etag: 1,
        ..source.clone()
    };
    let change = change(actor, now, "created", format!("A new version, copied from {}.", source.version));
    let mut decided = decision(api, change);
    decided.moves.push((command.id, moved(actor, now, None, None, State::Created)));
    if command.default {
        decided.change.detail = format!("{} {}", decided.change.detail, default_note(&decided.api));
        decided.siblings = no_longer_default(siblings, &decided.api, actor, now);
    }
    Ok(decided)
}

/// Decides whether an API may be deleted.
///
/// Subscriptions end with a retirement, which says so and is in the history; a deletion never takes one along.
pub fn delete_api(
    api: &Api,
    based_on: Option<u64>,
    actor: &Actor,
    subscriptions: u64,
) -> Result<(), Refused> {
    needs(actor, Permission::ApiCreate)?;
    not_stale(api.etag, based_on)?;
    if subscriptions > 0 && api.state != State::Retired {
        let noun = if subscriptions == 1 { "subscription" } else { "subscriptions" };
        let way: Vec<_> = api.state.way_to(State::Retired).into_iter().map(Event::as_str).collect();
        return Err(Refused::conflict(format!(
            "{} {} has {subscriptions} {noun}, and only retiring it ends them. From {} to retired: {}. Then delete it.",
            api.name,
            api.version,
            api.state.as_str(),
            way.join(", then ")
        )));
    }
    Ok(())
}

/// Decides on a subscription. `exists`: the application has one to this API already. `terms` are those of the plan; who
/// administers may choose any.
pub fn create_subscription(
    command: &CreateSubscription,
    actor: &Actor,
    application: &Application,
    api: &Api,
    exists: bool,
    terms: &Terms,
) -> Result<(), Refused> {
    needs(actor, Permission::AppManage)?;
    if application.owner.is_some_and(|owner| !actor.owns(owner))
        || (application.owner.is_none() && !actor.may(Permission::Administer))
    {
        return Err(Refused::NotFound("application"));
    }
    if !api.state.is_listed() {
        return Err(Refused::NotFound("API"));
    }
    if !api.state.is_subscribable() {
        let detail = "A pre-released API needs no subscription: any application's token can connect.";
        return Err(Refused::conflict(detail));
    }
    if exists {
        let detail = format!("{} is subscribed to {} {} already.", application.name, api.name, api.version);
        return Err(Refused::Duplicate(FieldProblem::new("/api_id", "duplicate", detail)));
    }
    let offered = api.live.as_ref().map_or(&api.design.plans, |live| &live.design.plans);
    if !offered.contains(&command.plan) {
        let detail = format!("Choose one of the plans this API offers: {}.", offered.join(", "));
        return Err(Refused::Invalid(vec![FieldProblem::new("/plan", "unknown_plan", detail)]));
    }
    let may_choose =
        terms.roles.is_empty() || actor.roles.has_one_of(&terms.roles) || actor.may(Permission::Administer);
    if !may_choose {
        let roles: Vec<_> = terms.roles.iter().map(RoleName::as_str).collect();
        let detail = format!(
            "{} is for people with the role {}. Choose another plan, or ask an administrator for the role.",
            command.plan,
            roles.join(" or ")
        );
        return Err(Refused::Invalid(vec![FieldProblem::new("/plan", "not_for_you", detail)]));
    }
    Ok(())
}

/// Decides on ending credentials. Whether the actor owns the application of the client that is named was asked before.
///
/// What belongs to no one client (people) is for administrators and the product, and
/// whoever names a client ends no other client's credentials.
pub fn revoke(command: &Revoke, actor: &Actor) -> Result<(), Refused> {
    if actor.may(Permission::Administer) {
        return Ok(());
    }
    needs(actor, Permission::AppManage)?;
    let of_client = |what: &Revoked| match what {
        Revoked::Credential(_) | Revoked::Grant(_) => command.client_id.is_some(),
        Revoked::Client(client_id) => command.client_id.as_deref() == Some(client_id),
        Revoked::Subject(_) => false,
    };
    if command.what.iter().all(of_client) { Ok(()) } else { Err(Refused::Forbidden(Permission::Administer)) }
}

#[cfg(test)]
mod tests;
