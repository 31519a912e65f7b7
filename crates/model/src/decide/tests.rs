//! What each change may do, by what it is refused for. Moves in the lifecycle and whole lives of APIs are beside it.

use std::sync::LazyLock;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    endpoint::{Endpoint, Endpoints},
    id::{ApplicationId, SubscriptionId, UserId},
    lifecycle::{EVENTS, STATES},
    role::{ROLES, Role},
    topic::Topic,
};

mod default_version;
mod lifecycle;
mod lives;
mod subscriptions;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const THEN: Timestamp = Timestamp(1_700_000_000_000);

fn api_id(number: u128) -> ApiId {
    ApiId(Uuid::from_u128(number))
}

fn person(role: Role) -> Actor {
    let user = Some(UserId(Uuid::from_u128(ROLES.iter().position(|known| *known == role).unwrap() as u128)));
    Actor { user, name: role.as_str().to_owned(), roles: [role].into(), address: None }
}

fn admin() -> Actor {
    person(Role::Admin)
}

fn known() -> Known<'static> {
    static NAMES: LazyLock<[Vec<String>; 2]> =
        LazyLock::new(|| [vec!["Gold", "Silver", "Unlimited"], vec!["10KPerMin", "Unlimited"]].map(owned));
    let [plans, api_policies] = &*NAMES;
    Known { plans, api_policies }
}

fn owned(names: Vec<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

fn design(endpoint: &str, plans: &[&str]) -> Design {
    let production = (!endpoint.is_empty()).then(|| Endpoint::new(endpoint));
    Design {
        description: "Says what it hears.".to_owned(),
        endpoints: Endpoints { production, sandbox: None },
        plans: plans.iter().map(|plan| (*plan).to_owned()).collect(),
        ..Design::default()
    }
}

fn complete() -> Design {
    design("ws://backend", &["Gold", "Silver"])
}

fn creation(name: &str, context: &str, version: &str) -> CreateApi {
    CreateApi {
        id: api_id(100),
        name: name.to_owned(),
        context: context.to_owned(),
        version: version.to_owned(),
        design: complete(),
        publish: false,
        demo: false,
    }
}

/// `Echo` at `/echo` in this state, with the live revision that the state asks for.
fn api(version: &str, state: State) -> Api {
    let live = Live { revision: 3, deployed_at: THEN, design: complete() };
    Api {
        id: api_id(version.bytes().map(u128::from).sum()),
        name: "Echo".to_owned(),
        context: "/echo".to_owned(),
        version: version.to_owned(),
        state,
        owner: None,
        owner_name: "tidegate".to_owned(),
        is_default_version: false,
        demo: false,
        design: complete(),
        live: (!matches!(state, State::Created | State::Retired)).then_some(live),
        revisions: 3,
        created_at: THEN,
        updated_at: THEN,
        etag: 5,
    }
}

fn step(event: Event) -> MoveApi {
    MoveApi {
        id: api_id(1),
        based_on: None,
        event,
        deprecate_old_versions: false,
        require_resubscription: false,
    }
}

fn update(design: Design) -> UpdateApi {
    UpdateApi { id: api_id(1), based_on: None, design, is_default_version: None }
}

/// Kind of a refusal, with the pointers of fields where it names any.
fn kind(refused: &Refused) -> String {
    match refused {
        Refused::Invalid(problems) => {
            let fields: Vec<_> = problems.iter().map(|p| format!("{} {}", p.pointer, p.code)).collect();
            format!("invalid {}", fields.join(", "))
        }
        Refused::Duplicate(problem) => format!("duplicate {}", problem.pointer),
        Refused::NotFound(noun) => format!("no {noun}"),
        Refused::Stale { current } => format!("stale {current}"),
        Refused::Conflict { missing, .. } if !missing.is_empty() => format!("conflict {missing:?}"),
        Refused::Conflict { .. } => "conflict".to_owned(),
        Refused::SignedOut => "signed out".to_owned(),
        Refused::Forbidden(permission) => format!("needs {}", permission.as_str()),
    }
}

#[track_caller]
fn check<T>(outcome: Result<T, Refused>, expected: &str) {
    let shown = outcome.map_or_else(|refused| kind(&refused), |_| "ok".to_owned());
    assert_eq!(shown, expected);
}

fn create(command: &CreateApi, actor: &Actor, neighbours: &[Api]) -> Result<Decision, Refused> {
    create_api(command, actor, NOW, neighbours, known())
}

#[test]
fn a_new_api_is_created_and_nothing_of_it_is_live() {
    let decided = create(&creation("Echo", "echo", "1.0"), &person(Role::Creator), &[]).unwrap();
    let api = &decided.api;
    assert_eq!((api.context.as_str(), api.state, api.etag, api.revisions), ("/echo", State::Created, 1, 0));
    assert_eq!((api.owner, api.owner_name.as_str()), (person(Role::Creator).user, "creator"));
    assert_eq!((api.created_at, api.updated_at, &api.live), (NOW, NOW, &None));
    assert!(decided.revision.is_none() && decided.siblings.is_empty());
    assert_eq!(decided.subscriptions, SubscriptionEffect::Keep);
    let by = "creator".to_owned();
    let created = Moved { at: NOW, by, event: None, from: None, to: State::Created };
    assert_eq!(decided.moves, [(api.id, created)]);
    assert_eq!((decided.change.action.as_str(), decided.change.by.as_str()), ("created", "creator"));
}

#[test]
fn create_and_publish_is_one_decision_with_everything_in_it() {
    let command = CreateApi { publish: true, ..creation("Echo", "/echo", "1.0") };
    let decided = create(&command, &admin(), &[]).unwrap();
    assert_eq!((decided.api.state, decided.api.revisions, decided.api.etag), (State::Published, 1, 1));
    let live = decided.api.live.as_ref().unwrap();
    assert_eq!((live.revision, live.deployed_at, &live.design), (1, NOW, &command.design));
    let revision = decided.revision.as_ref().unwrap();
    assert_eq!((revision.number, revision.live, &revision.design), (1, true, &command.design));
    let told: Vec<_> = decided.moves.iter().map(|(_, moved)| (moved.event, moved.from, moved.to)).collect();
    let created = (None, None, State::Created);
    assert_eq!(told, [created, (Some(Event::Publish), Some(State::Created), State::Published)]);
    assert_eq!(decided.change.action, "created and published");
}

#[test]
fn create_and_publish_is_refused_whole_when_anything_lacks() {
    let check = |design: Design, publish: bool, expected: &str| {
        let command = CreateApi { design, publish, ..creation("Echo", "/echo", "1.0") };
        check(create(&command, &admin(), &[]), expected);
    };
    check(complete(), true, "ok");
    check(design("", &["Gold"]), true, "invalid /endpoints required");
    check(design("ws://backend", &[]), true, "invalid /plans required");
    check(design("", &[]), true, "invalid /endpoints required, /plans required");
    check(design("", &[]), false, "ok");
    check(design("http://a", &["Gold"]), true, "invalid /endpoints/production/url scheme");
    check(
        design("ws://backend", &["Gold", "Tin", "Gold"]),
        true,
        "invalid /plans/1 unknown_plan, /plans/2 repeated",
    );
    check(design("ws://backend", &["gold"]), false, "invalid /plans/0 unknown_plan");
}

#[test]
fn all_broken_fields_of_a_new_api_are_named_at_once() {
    let mut command = creation("Ec/ho", "/echo/", "");
    command.design = design("ftp://a", &["Tin"]);
    command.design.description = "x".repeat(rule::DESCRIPTION_BYTES_MAX + 1);
    let expected = "invalid /name illegal_character, /context trailing_slash, /version required, \
                    /description too_long, /endpoints/production/url scheme, /plans/0 unknown_plan";
    check(create(&command, &admin(), &[]), expected);
}

#[test]
fn a_role_creates_and_publishes_what_the_table_of_permissions_allows() {
    for (role, creates, publishes) in [
        (Role::Admin, "ok", "ok"),
        (Role::Creator, "ok", "needs api_publish"),
        (Role::Publisher, "needs api_create", "needs api_create"),
        (Role::Subscriber, "needs api_create", "needs api_create"),
        (Role::Observer, "needs api_create", "needs api_create"),
    ] {
        let mut command = creation("Echo", "/echo", "1.0");
        check(create(&command, &person(role), &[]), creates);
        command.publish = true;
        check(create(&command, &person(role), &[]), publishes);
    }
    let both = Actor { roles: [Role::Creator, Role::Publisher].into(), ..admin() };
    let command = CreateApi { publish: true, ..creation("Echo", "/echo", "1.0") };
    check(create(&command, &both, &[]), "ok");
}

#[test]
fn name_context_and_version_are_free_or_the_field_to_change_is_named() {
    let there = [api("1.0", State::Published)];
    let check = |name: &str, context: &str, version: &str, expected: &str| {
        check(create(&creation(name, context, version), &admin(), &there), expected);
    };
    check("Echo", "/echo", "2.0", "ok");
    check("Other", "/other", "1.0", "ok");
    check("Echo", "/echo", "1.0", "duplicate /version");
    check("ECHO", "/ECHO", "1.0", "duplicate /version");
    check("Other", "/echo", "1.0", "duplicate /version");
    check("Other", "/echo", "2.0", "duplicate /context");
    check("Other", "echo", "2.0", "duplicate /context");
    check("Other", "/Echo", "2.0", "duplicate /context");
    check("Echo", "/other", "1.0", "duplicate /name");
    check("eCHO", "/other", "2.0", "duplicate /name");
}

#[test]
fn an_address_is_taken_whatever_template_it_came_from() {
    let templated = Api { context: "/rooms/{version}/live".to_owned(), ..api("1.0", State::Created) };
    let there = [templated];
    let check = |context: &str, version: &str, expected: &str| {
        check(create(&creation("Other", context, version), &admin(), &there), expected);
    };
    check("/rooms/1.0", "live", "duplicate /context");
    check("/ROOMS/1.0", "LIVE", "duplicate /context");
    check("/rooms/2.0", "live", "ok");
    check("/rooms/{version}/live", "2.0", "duplicate /context");
}

#[test]
fn contexts_with_the_same_address_of_the_default_version_belong_to_one_name() {
    let plain = [api("1.0", State::Published)];
    check(create(&creation("Other", "/echo/{version}", "2.0"), &admin(), &plain), "duplicate /context");
    check(create(&creation("Echo", "/echo/{version}", "2.0"), &admin(), &plain), "ok");
    let templated = [Api { context: "/echo/{version}".to_owned(), ..api("1.0", State::Published) }];
    check(create(&creation("Other", "/echo", "2.0"), &admin(), &templated), "duplicate /context");
}

#[test]
fn a_stale_change_is_refused_with_the_tag_of_now() {
    let published = api("1.0", State::Published);
    let change = |tag: Option<u64>| UpdateApi { based_on: tag, ..update(complete()) };
    let moves = |tag: Option<u64>| MoveApi { based_on: tag, ..step(Event::Block) };
    for (based_on, expected) in
        [(None, "ok"), (Some(5), "ok"), (Some(4), "stale 5"), (Some(6), "stale 5"), (Some(0), "stale 5")]
    {
        check(update_api(&published, &change(based_on), &admin(), NOW, &[], known()), expected);
        check(move_api(&published, &moves(based_on), &admin(), NOW, &[]), expected);
        check(deploy_api(&published, based_on, &admin(), NOW, &[]), expected);
        check(delete_api(&published, based_on, &admin(), 0), expected);
    }
}

#[test]
fn an_update_changes_the_working_copy_and_nothing_that_is_live() {
    let published = api("1.0", State::Published);
    let next = design("ws://elsewhere", &["Gold"]);
    let decided = update_api(&published, &update(next.clone()), &admin(), NOW, &[], known()).unwrap();
    let expected = Api { design: next, updated_at: NOW, etag: 6, ..published };
    assert_eq!(decided.api, expected);
    assert!(decided.revision.is_none() && decided.moves.is_empty() && decided.siblings.is_empty());
    assert_eq!(decided.change.detail, "Differs from what is live in: endpoints.production.url, plans.");
}

#[test]
fn an_update_says_how_the_working_copy_stands_to_what_is_live() {
    let told = |api: &Api, design: Design| {
        update_api(api, &update(design), &admin(), NOW, &[], known()).unwrap().change.detail
    };
    let published = api("1.0", State::Published);
    assert_eq!(told(&published, complete()), "The working copy equals what is live.");
    let reordered = design("ws://backend", &["Silver", "Gold"]);
    assert_eq!(told(&published, reordered), "The working copy equals what is live.");
    assert_eq!(told(&api("1.0", State::Created), complete()), "Nothing is live yet.");
}

#[test]
fn an_update_with_broken_fields_or_of_a_retired_api_is_refused() {
    let change = |state: State, design: Design| {
        update_api(&api("1.0", state), &update(design), &admin(), NOW, &[], known())
    };
    check(change(State::Published, design("", &[])), "ok");
    check(
        change(State::Published, design("ws://a b", &["Tin"])),
        "invalid /endpoints/production/url illegal_character, /plans/0 unknown_plan",
    );
    let mut unknown = limited(complete());
    unknown.api_policy = Some("Gold".to_owned());
    unknown.topics.declared[1].api_policy = Some("10kpermin".to_owned());
    check(
        change(State::Published, unknown),
        "invalid /api_policy unknown_policy, /topics/declared/1/api_policy unknown_policy",
    );
    for state in STATES {
        check(change(state, complete()), if state == State::Retired { "conflict" } else { "ok" });
    }
}

/// The same under an API policy, with two topics of which the second has one of its own.
fn limited(mut design: Design) -> Design {
    let topic = |path: &str, policy: Option<&str>| Topic {
        path: path.to_owned(),
        api_policy: policy.map(str::to_owned),
        ..Topic::default()
    };
    design.api_policy = Some("10KPerMin".to_owned());
    design.topics.declared = vec![topic("/news", None), topic("/rooms/{room}", Some("Unlimited"))];
    design
}

#[test]
fn a_publisher_alone_changes_what_limits_an_api_and_its_topics() {
    let mut published = api("1.0", State::Published);
    published.design = limited(published.design);
    let changed = |change: fn(&mut Design), expected: &str| {
        let mut design = published.design.clone();
        change(&mut design);
        let command = update(design);
        check(update_api(&published, &command, &person(Role::Publisher), NOW, &[], known()), expected);
    };
    changed(|design| design.api_policy = None, "ok");
    changed(|design| design.topics.declared[0].api_policy = Some("10KPerMin".to_owned()), "ok");
    changed(|design| design.topics.declared[1].api_policy = None, "ok");
    changed(|design| design.topics.declared[0].is_open = true, "needs api_create");
    changed(|design| design.topics.declared.truncate(1), "needs api_create");
}

#[test]
fn a_publisher_alone_changes_plans_and_nothing_else() {
    let published = api("1.0", State::Published);
    let check = |role: Role, command: &UpdateApi, expected: &str| {
        check(update_api(&published, command, &person(role), NOW, &[], known()), expected);
    };
    let only_plans = update(design("ws://backend", &["Unlimited"]));
    let endpoint = update(design("ws://elsewhere", &["Gold", "Silver"]));
    let default = UpdateApi { is_default_version: Some(true), ..update(complete()) };
    for role in [Role::Admin, Role::Creator] {
        for command in [&only_plans, &endpoint, &default] {
            check(role, command, "ok");
        }
    }
    check(Role::Publisher, &only_plans, "ok");
    check(Role::Publisher, &endpoint, "needs api_create");
    check(Role::Publisher, &default, "needs api_create");
    for role in [Role::Subscriber, Role::Observer] {
        check(role, &only_plans, "needs api_publish");
        check(role, &endpoint, "needs api_create");
    }
}

#[test]
fn the_default_flag_moves_between_live_versions_and_is_held_once() {
    let (one, two) = (api("1.0", State::Published), api("2.0", State::Published));
    let holder = Api { is_default_version: true, ..api("3.0", State::Published) };
    let command = |is_default_version| UpdateApi { is_default_version, ..update(complete()) };
    let siblings = [two, holder.clone()];
    let taken = update_api(&one, &command(Some(true)), &admin(), NOW, &siblings, known()).unwrap();
    assert!(taken.api.is_default_version);
    let lost = Api { is_default_version: false, etag: 6, updated_at: NOW, ..holder.clone() };
    let (sibling, told) = &taken.siblings[0];
    assert_eq!((sibling, taken.siblings.len()), (&lost, 1));
    assert_eq!(told.action, "no longer the default version");
    assert_eq!(told.detail, "1.0 is the default version now.");
    let told = &taken.change.detail;
    assert!(told.ends_with(" It is the default version now."), "{told}");
    for (wish, stays) in [(None, true), (Some(true), true), (Some(false), false)] {
        let decided =
            update_api(&holder, &command(wish), &admin(), NOW, std::slice::from_ref(&one), known()).unwrap();
        assert_eq!((decided.api.is_default_version, decided.siblings.len()), (stays, 0), "{wish:?}");
    }
}

#[test]
fn a_deployment_freezes_the_working_copy_as_the_next_revision() {
    let mut published = api("1.0", State::Published);
    published.design = design("ws://elsewhere", &["Gold"]);
    let decided = deploy_api(&published, None, &person(Role::Creator), NOW, &[]).unwrap();
    let frozen = decided.api.live.as_ref().unwrap();
    assert_eq!((frozen.revision, &frozen.design, frozen.deployed_at), (4, &published.design, NOW));
    assert_eq!((decided.api.revisions, decided.api.etag, decided.api.state), (4, 6, State::Published));
    let revision = decided.revision.unwrap();
    assert_eq!((revision.number, revision.live, revision.created_by.as_str()), (4, true, "creator"));
    assert!(decided.api.differences().is_empty() && decided.moves.is_empty());
}

#[test]
fn a_deployment_needs_what_those_who_are_served_by_it_need() {
    let check = |state: State, design: Design, expected: &str| {
        check(deploy_api(&Api { design, ..api("1.0", state) }, None, &admin(), NOW, &[]), expected);
    };
    for state in [State::Created, State::Prototyped, State::Deprecated] {
        check(state, design("ws://backend", &[]), "ok");
        check(state, design("", &["Gold"]), "conflict [Endpoint]");
    }
    for state in [State::Published, State::Blocked] {
        check(state, complete(), "ok");
        check(state, design("ws://backend", &[]), "conflict [Plan]");
        check(state, design("", &[]), "conflict [Endpoint, Plan]");
    }
    check(State::Retired, complete(), "conflict");
    for (role, expected) in [
        (Role::Creator, "ok"),
        (Role::Publisher, "ok"),
        (Role::Subscriber, "needs api_publish"),
        (Role::Observer, "needs api_publish"),
    ] {
        super::tests::check(deploy_api(&api("1.0", State::Created), None, &person(role), NOW, &[]), expected);
    }
}

#[test]
fn a_new_version_is_a_copy_of_the_working_copy_in_state_created() {
    let source = Api { demo: true, is_default_version: true, ..api("1.0", State::Published) };
    let command =
        CreateVersion { source: source.id, id: api_id(200), version: "2.0".to_owned(), default: false };
    let siblings = [source.clone()];
    let decided = create_version(&source, &command, &person(Role::Creator), NOW, &siblings).unwrap();
    let expected = Api {
        id: api_id(200),
        version: "2.0".to_owned(),
        state: State::Created,
        owner: person(Role::Creator).user,
        owner_name: "creator".to_owned(),
        is_default_version: false,
        demo: false,
        live: None,
        revisions: 0,
        created_at: NOW,
        updated_at: NOW,
        etag: 1,
        ..source.clone()
    };
    assert_eq!(decided.api, expected);
    assert!(decided.siblings.is_empty() && decided.revision.is_none());

    let default = CreateVersion { default: true, ..command };
    let decided = create_version(&source, &default, &admin(), NOW, &siblings).unwrap();
    assert!(decided.api.is_default_version);
    assert_eq!(decided.siblings.len(), 0, "what answers keeps the flag until the new version is live");
}

#[test]
fn a_new_version_needs_a_version_of_its_own() {
    let (source, other) = (api("1.0", State::Retired), api("2.0-RC", State::Published));
    let siblings = [source.clone(), other];
    let make = |version: &str, role: Role| {
        let command =
            CreateVersion { source: source.id, id: api_id(200), version: version.to_owned(), default: false };
        create_version(&source, &command, &person(role), NOW, &siblings)
    };
    check(make("2.0", Role::Creator), "ok");
    check(make("1.0", Role::Creator), "duplicate /version");
    check(make("2.0-rc", Role::Creator), "duplicate /version");
    check(make("", Role::Creator), "invalid /version required");
    check(make("a/b", Role::Creator), "invalid /version illegal_character");
    check(make("2.0", Role::Publisher), "needs api_create");
    check(make("2.0", Role::Subscriber), "needs api_create");
}
