//! A command is one unit: all of it or nothing, on disk before it is answered, whatever is done beside it.

use std::sync::atomic::AtomicBool;

use futures_util::future::{FutureExt as _, join, join_all};

use super::{developers::key_command, *};
use crate::{
    command::{CreateVersion, UpdateApplication},
    lifecycle::State,
    policy::{KeptPolicy, PolicyKind, api_policies, application_policies, business_plans},
    role::Permission,
};

pub async fn what_was_answered_is_there_after_reopening(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    stage.furnish().await;
    let before = picture(&stage.port).await;
    drop(stage);
    let reopened = ground.open().await;
    assert_eq!(picture(&reopened).await, before);
    drop(reopened);
    assert_eq!(picture(&ground.open().await).await, before, "and after reopening once more");
}

pub async fn what_was_answered_is_there_after_a_kill(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let before = picture(&stage.port).await;
    assert_eq!(picture(&ground.open_as_after_a_kill().await).await, before);
    let moved = stage.moved(there.echo.id, Event::Block).await;
    let found = ground.open_as_after_a_kill().await;
    assert_eq!(found.api(there.echo.id).await.unwrap(), Some(moved));
    let after = Stage { port: found, made: AtomicU64::new(10_000) };
    after.published("After", "1.0").await;
    assert_eq!(after.number().await, stage.number().await + 1, "what is found can be worked with");
}

/// What is refused, with the kind of the refusal: every command that can be refused at all.
fn refused_commands(stage: &Stage<impl Catalog>, there: &Furnished) -> Vec<(&'static str, Command, Actor)> {
    let product = Actor::product;
    let mut commands = refused_api_commands(stage, there);
    commands.extend(refused_developer_commands(stage, there));
    let zoe = Account {
        user: User::new(UserId(nowhere()), "ZOE".to_owned(), Roles::default(), START),
        password_hash: Secret("other".to_owned()),
    };
    let set = set_password("nobody", "x");
    let session = stage.session(UserId(nowhere()), "other cookie", START.plus_millis(1 << 40));
    let taken = stage.session(there.owner.user.unwrap(), "cookie", START.plus_millis(1 << 40));
    commands.extend(vec![
        ("duplicate /username", Command::CreateUser(zoe), product()),
        ("no user", set, product()),
        ("no user", Command::ChangeUser(change_user(UserId(nowhere()), &[], UserState::Active)), product()),
        (
            "no user",
            Command::DeleteUser { id: UserId(nowhere()), based_on: None, heir: None, subject: subject() },
            product(),
        ),
        (
            "needs administer",
            Command::DeleteUser {
                id: there.owner.user.unwrap(),
                based_on: None,
                heir: None,
                subject: subject(),
            },
            there.creator.clone(),
        ),
        (
            "needs administer",
            Command::ChangeUser(change_user(there.owner.user.unwrap(), &[Role::Admin], UserState::Active)),
            there.owner.clone(),
        ),
        ("no user", sign_in("nobody", session), product()),
        ("duplicate ", sign_in("sam", taken), product()),
        ("no user", stage.token(UserId(nowhere()), "other token", None).1, product()),
        ("duplicate ", stage.token(there.owner.user.unwrap(), "token", None).1, there.owner.clone()),
        ("no token", Command::DeleteToken { id: TokenId(nowhere()) }, there.owner.clone()),
        ("no token", Command::DeleteToken { id: there.token.id }, there.other.clone()),
        ("no token", Command::DeleteToken { id: there.token.id }, product()),
        ("duplicate ", Command::StoreSigningKey(signing_key("first", START)), product()),
        ("duplicate ", Command::RotateSigningKey(signing_key("first", START)), product()),
        ("needs administer", Command::RotateSigningKey(signing_key("new", START)), there.creator.clone()),
        (
            "no signing key",
            Command::RemoveSigningKey { kid: "nobody".to_owned(), successor: None },
            product(),
        ),
        ("conflict", Command::RemoveSigningKey { kid: "first".to_owned(), successor: None }, product()),
        (
            "needs administer",
            Command::RemoveSigningKey { kid: "first".to_owned(), successor: None },
            there.owner.clone(),
        ),
    ]);
    commands
}

fn refused_api_commands(
    stage: &Stage<impl Catalog>,
    there: &Furnished,
) -> Vec<(&'static str, Command, Actor)> {
    let (product, creator) = (Actor::product, || there.creator.clone());
    let (echo, draft) = (there.echo.id, there.draft.id);
    let publishing = CreateApi { publish: true, design: design(&[]), ..stage.creation("New", "1.0") };
    let known = CreateApi { id: echo, ..stage.creation("New", "1.0") };
    let stale = UpdateApi { based_on: Some(7), ..update(echo, design(&["Gold"])) };
    let version = |source: ApiId, version: &str| {
        Command::CreateVersion(CreateVersion {
            source,
            id: stage.api_id(),
            version: version.to_owned(),
            default: true,
        })
    };
    vec![
        ("duplicate /version", Command::CreateApi(stage.creation("Echo", "1.0")), product()),
        (
            "duplicate /name",
            Command::CreateApi(CreateApi { context: "/x".to_owned(), ..stage.creation("echo", "2.0") }),
            product(),
        ),
        (
            "duplicate /context",
            Command::CreateApi(CreateApi { context: "/ECHO".to_owned(), ..stage.creation("X", "2.0") }),
            product(),
        ),
        ("duplicate ", Command::CreateApi(known), product()),
        ("invalid /plans", Command::CreateApi(publishing.clone()), product()),
        (
            "invalid /plans/0",
            Command::CreateApi(CreateApi { design: design(&["Tin"]), ..publishing }),
            product(),
        ),
        (
            "needs api_publish",
            Command::CreateApi(CreateApi { publish: true, ..stage.creation("New", "1.0") }),
            creator(),
        ),
        ("no API", Command::UpdateApi(update(ApiId(nowhere()), design(&["Gold"]))), product()),
        ("stale 1", Command::UpdateApi(stale), product()),
        ("invalid /plans/0", Command::UpdateApi(update(echo, design(&["Tin"]))), product()),
        ("no API", Command::MoveApi(step(ApiId(nowhere()), Event::Publish)), product()),
        ("conflict", Command::MoveApi(step(echo, Event::Retire)), product()),
        ("needs api_publish", Command::MoveApi(step(draft, Event::Publish)), creator()),
        (
            "stale 1",
            Command::MoveApi(MoveApi { based_on: Some(2), ..step(draft, Event::Publish) }),
            product(),
        ),
        ("no API", Command::DeployApi { id: ApiId(nowhere()), based_on: None }, product()),
        ("stale 1", Command::DeployApi { id: draft, based_on: Some(9) }, product()),
        ("no API", version(ApiId(nowhere()), "9"), product()),
        ("duplicate /version", version(echo, "1.0"), product()),
        ("invalid /version", version(echo, "1/0"), product()),
        ("no API", Command::DeleteApi { id: ApiId(nowhere()), based_on: None }, product()),
        ("conflict", Command::DeleteApi { id: echo, based_on: None }, product()),
        ("stale 1", Command::DeleteApi { id: draft, based_on: Some(9) }, product()),
        (
            Permission::ApiCreate.as_str(),
            Command::DeleteApi { id: draft, based_on: None },
            there.owner.clone(),
        ),
    ]
}

fn refused_developer_commands(
    stage: &Stage<impl Catalog>,
    there: &Furnished,
) -> Vec<(&'static str, Command, Actor)> {
    let (owner, other, creator) = (|| there.owner.clone(), || there.other.clone(), || there.creator.clone());
    let (shop, till, echo) = (there.shop.id, there.till.id, there.echo.id);
    let unknown = ApplicationId(nowhere());
    let create = |name: &str, policy: &str| {
        let policy = policy.to_owned();
        Command::CreateApplication(CreateApplication { policy, ..stage.application_command(name) })
    };
    let change = |id, name: &str, based_on| {
        let (name, policy, description) = (name.to_owned(), "Unlimited".to_owned(), String::new());
        Command::UpdateApplication(UpdateApplication { id, based_on, name, description, policy })
    };
    let key = |application, client_id: &str| {
        Command::CreateKey(key_command(application, client_id, Environment::Production))
    };
    let client_id = || there.key.client_id.clone();
    let secret = |application, client_id| {
        let secret_hash = Secret("other".to_owned());
        Command::ReplaceSecret { application, client_id, secret_hash }
    };
    let subscribe = |application, api, plan: &str| {
        Command::CreateSubscription(stage.subscription_command(application, api, plan))
    };
    let odd =
        CreateKey { grants: vec!["password".to_owned()], ..key_command(till, "odd", Environment::Sandbox) };
    vec![
        ("duplicate /name", create("SHOP", "Unlimited"), owner()),
        ("invalid /name", create("", "Unlimited"), owner()),
        ("invalid /policy", create("Next", "Gold"), owner()),
        ("app_manage", create("Next", "Unlimited"), creator()),
        ("stale 1", change(shop, "Next", Some(3)), owner()),
        ("no application", change(shop, "Next", None), other()),
        ("no application", change(unknown, "Next", None), Actor::product()),
        ("no application", Command::DeleteApplication { id: shop }, other()),
        ("no application", Command::DeleteApplication { id: unknown }, owner()),
        ("duplicate /type", key(shop, "another"), owner()),
        ("duplicate ", key(till, &there.key.client_id), other()),
        ("no application", key(shop, "another"), other()),
        ("invalid /grants/0", Command::CreateKey(odd), other()),
        ("no key", secret(shop, "unknown".to_owned()), owner()),
        ("no key", secret(till, client_id()), other()),
        ("no application", secret(shop, client_id()), other()),
        ("no key", Command::DeleteKey { application: till, client_id: client_id() }, other()),
        ("no application", Command::DeleteKey { application: shop, client_id: client_id() }, other()),
        ("duplicate /api_id", subscribe(shop, echo, "Silver"), owner()),
        ("no API", subscribe(shop, there.draft.id, "Gold"), owner()),
        ("no API", subscribe(shop, ApiId(nowhere()), "Gold"), owner()),
        ("conflict", subscribe(shop, there.chat.id, "Gold"), owner()),
        ("no application", subscribe(unknown, echo, "Gold"), owner()),
        ("no application", subscribe(shop, echo, "Gold"), other()),
        ("app_manage", subscribe(shop, echo, "Gold"), creator()),
        ("no subscription", Command::DeleteSubscription { id: there.subscription.id }, other()),
        ("no subscription", Command::DeleteSubscription { id: SubscriptionId(nowhere()) }, owner()),
    ]
}

/// What is refused only after part of it was written: by then the default flag has moved, or sessions that are over
/// were cleared away.
async fn refused_half_way(stage: &Stage<impl Catalog>, there: &Furnished) -> [Command; 2] {
    let source = stage.published("Base", "1.0").await.id;
    let holding = UpdateApi { is_default_version: Some(true), ..update(source, design(&["Gold"])) };
    stage.done(Command::UpdateApi(holding)).await;
    let user = there.owner.user.unwrap();
    let brief = stage.session(user, "other cookie", START.plus_millis(1));
    stage.execute_at(START, &there.owner, sign_in("sam", brief)).await.unwrap();
    let (id, version) = (there.echo.id, "2.0".to_owned());
    [
        Command::CreateVersion(CreateVersion { source, id, version, default: true }),
        sign_in("sam", stage.session(user, "cookie", START.plus_millis(1 << 40))),
    ]
}

pub async fn what_was_refused_changed_nothing(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let half_way = refused_half_way(&stage, &there).await;
    let before = picture(&stage.port).await;
    assert!(before.sessions[1].is_some(), "the session that is over by now is there to be lost");
    for command in half_way {
        let shown = format!("{command:?}");
        let refused = stage.execute(&Actor::product(), command).await.unwrap_err();
        assert_eq!(kind(&refused), "duplicate ", "{shown}");
        assert_eq!(picture(&stage.port).await, before, "{shown}");
    }
    for (expected, command, actor) in refused_commands(&stage, &there) {
        let shown = format!("{command:?} by {}", actor.name);
        let refused = match stage.execute(&actor, command).await {
            Err(refused) => kind(&refused),
            Ok(outcome) => panic!("{outcome:?} to {shown}"),
        };
        assert!(refused == expected || refused == format!("needs {expected}"), "{refused} to {shown}");
        assert_eq!(picture(&stage.port).await, before, "{shown}");
    }
    drop(stage);
    assert_eq!(picture(&ground.open().await).await, before);
}

pub async fn create_and_publish_is_one_unit(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let command = CreateApi { publish: true, ..stage.creation("Echo", "1.0") };
    let answered = api_of(stage.done(Command::CreateApi(command.clone())).await);
    assert_eq!((answered.state, answered.revisions), (State::Published, 1));
    assert_eq!(stage.port.api(command.id).await.unwrap().as_ref(), Some(&answered));
    let revisions = stage.port.revisions(command.id).await.unwrap();
    assert_eq!(revisions.iter().map(|one| (one.number, one.live)).collect::<Vec<_>>(), [(1, true)]);
    assert_eq!(revisions[0].design, command.design);
    let moves = stage.port.moves(command.id).await.unwrap();
    let told: Vec<_> = moves.iter().map(|moved| (moved.event, moved.from, moved.to)).collect();
    let published = (Some(Event::Publish), Some(State::Created), State::Published);
    assert_eq!(told, [published, (None, None, State::Created)]);
    assert_eq!(stage.port.changes(command.id, 10).await.unwrap().len(), 1);
    let served = stage.port.snapshot_parts().await.unwrap();
    assert_eq!((served.apis.len(), served.apis[0].revision), (1, 1));
}

pub async fn one_of_a_hundred_that_want_an_address_gets_it(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let number = stage.number().await;
    let wishes = (0..100).map(|place| {
        let mut wish = stage.creation("Echo", "1.0-rc");
        if place % 2 == 1 {
            (wish.name, wish.context, wish.version) =
                ("ECHO".to_owned(), "/Echo".to_owned(), "1.0-RC".to_owned());
        }
        wish.publish = place % 3 == 0;
        stage.execute(stage_actor(), Command::CreateApi(wish))
    });
    let (mut made, mut refused) = (Vec::new(), 0);
    for outcome in join_all(wishes).await {
        match outcome {
            Ok(outcome) => made.push(api_of(outcome)),
            Err(Refused::Duplicate(problem)) => {
                assert_eq!(problem.pointer, "/version");
                refused += 1;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((made.len(), refused), (1, 99));
    assert_eq!(all_apis(&stage.port, 200).await, made);
    assert_eq!(stage.number().await, number + 1);
    drop(stage);
    assert_eq!(all_apis(&ground.open().await, 200).await, made);
}

/// Actors are borrowed for as long as a command runs; this one lives as long as the program.
fn stage_actor() -> &'static Actor {
    static ACTOR: std::sync::OnceLock<Actor> = std::sync::OnceLock::new();
    ACTOR.get_or_init(Actor::product)
}

pub async fn what_is_refused_among_good_changes_undoes_none_of_them(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    stage.published("Taken", "1.0").await;
    let number = stage.number().await;
    let wishes = (0..90).map(|place| {
        let name = format!("Api{place}");
        let command = match place % 3 {
            0 => stage.creation(&name, "1.0"),
            1 => stage.creation("Taken", "1.0"),
            // Refused by a unique column only, after part of it was written.
            _ => CreateApi { publish: true, id: ApiId(nowhere()), ..stage.creation(&name, "1.0") },
        };
        stage.execute(stage_actor(), Command::CreateApi(command))
    });
    let outcomes = join_all(wishes).await;
    let mut expected = vec!["Taken".to_owned()];
    let mut shared = 0;
    for (place, outcome) in outcomes.iter().enumerate() {
        let shown = format!("{place}: {outcome:?}");
        if outcome.is_ok() {
            assert_ne!(place % 3, 1, "{shown}");
            shared += usize::from(place % 3 == 2);
            expected.push(format!("Api{place}"));
        } else {
            assert_ne!(place % 3, 0, "{shown}");
            assert!(matches!(outcome, Err(Refused::Duplicate(_))), "{shown}");
        }
    }
    assert_eq!(shared, 1, "one gets the id that many wanted");
    expected.sort_by_key(|name| name.to_lowercase());
    let found: Vec<_> = all_apis(&stage.port, 200).await.into_iter().map(|api| api.name).collect();
    assert_eq!(found, expected);
    assert_eq!(stage.number().await, number + u64::try_from(found.len()).unwrap() - 1);
    assert_eq!(stage.port.moves(ApiId(nowhere())).await.unwrap().len(), 2);
    let found = ground.open_as_after_a_kill().await;
    assert_eq!(picture(&found).await, picture(&stage.port).await);
}

pub async fn one_of_many_changes_from_the_same_tag_is_made(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let api = stage.api("Echo", "1.0").await;
    let wishes = (0..20).map(|place| {
        let mut wish = UpdateApi { based_on: Some(1), ..update(api.id, design(&["Gold"])) };
        wish.design.description = format!("by {place}");
        stage.execute(stage_actor(), Command::UpdateApi(wish))
    });
    let outcomes = join_all(wishes).await;
    let made: Vec<_> = outcomes.iter().flatten().cloned().map(api_of).collect();
    assert_eq!(made.len(), 1);
    assert_eq!(stage.port.api(api.id).await.unwrap().as_ref(), made.first());
    for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(*refused, Refused::Stale { current: 2 });
    }
}

pub async fn the_snapshot_number_grows_with_what_a_gateway_can_notice(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let (shop, user) = (there.shop.id, there.owner.user.unwrap());
    let client_id = there.key.client_id.clone();
    let session = stage.session(user, "new cookie", START.plus_millis(1 << 40));
    let account = Account {
        user: User::new(UserId(nowhere()), "new".to_owned(), Roles::default(), START),
        password_hash: Secret("hash".to_owned()),
    };
    let hash = || Secret("new".to_owned());
    let change = UpdateApplication {
        id: shop,
        based_on: None,
        name: "Shop".to_owned(),
        description: String::new(),
        policy: "10PerMin".to_owned(),
    };
    let version =
        CreateVersion { source: there.echo.id, id: stage.api_id(), version: "2.0".to_owned(), default: true };
    let mut before = stage.number().await;
    for (noticed, command) in vec![
        (false, Command::CreateUser(account)),
        (false, set_password("new", "new")),
        (true, Command::ChangeUser(change_user(UserId(nowhere()), &[Role::Observer], UserState::Disabled))),
        (true, Command::DeleteUser { id: UserId(nowhere()), based_on: None, heir: None, subject: subject() }),
        (false, sign_in("sam", session)),
        (false, Command::ClosePortalSession { token_hash: Secret("new cookie".to_owned()) }),
        (
            true,
            Command::ReplaceSecret { application: shop, client_id: client_id.clone(), secret_hash: hash() },
        ),
        (false, stage.token(user, "second", None).1),
        (true, Command::CreateApi(stage.creation("New", "1.0"))),
        (true, Command::UpdateApi(update(there.draft.id, design(&["Gold"])))),
        (true, Command::DeployApi { id: there.echo.id, based_on: None }),
        (true, Command::CreateVersion(version)),
        (true, Command::MoveApi(step(there.echo.id, Event::Block))),
        (true, Command::DeleteApi { id: there.draft.id, based_on: None }),
        (true, Command::UpdateApplication(change)),
        (true, Command::CreateApplication(stage.application_command("Next"))),
        (true, Command::DeleteKey { application: shop, client_id }),
        (true, Command::CreateKey(key_command(shop, "next", Environment::Production))),
        (true, Command::DeleteSubscription { id: there.subscription.id }),
        (true, Command::DeleteApplication { id: shop }),
        (true, Command::StoreSigningKey(signing_key("second", START))),
        (true, Command::RotateSigningKey(signing_key("third", START))),
        (true, Command::RemoveSigningKey { kid: "second".to_owned(), successor: None }),
    ] {
        let shown = format!("{command:?}");
        stage.done(command).await;
        let after = stage.number().await;
        assert_eq!(after, before + u64::from(noticed), "{shown}");
        before = after;
    }
    drop(stage);
    assert_eq!(ground.open().await.snapshot_parts().await.unwrap().number, before);
}

pub async fn the_snapshot_holds_what_is_live_and_no_secret(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let mut changed = design(&["Gold"]);
    changed.endpoints.production = Some(Endpoint::new("ws://not-yet"));
    stage.done(Command::UpdateApi(update(there.echo.id, changed.clone()))).await;
    let parts = sorted(stage.port.snapshot_parts().await.unwrap());
    let shown: Vec<_> = parts.apis.iter().map(|api| (api.name.as_str(), api.state, api.revision)).collect();
    assert_eq!(shown, [("Echo", State::Published, 1), ("Chat", State::Prototyped, 1)]);
    let served = parts.apis[0].endpoints.production.as_ref().unwrap();
    assert_eq!(served.url, "ws://backend", "the working copy is nobody's to serve");
    let applications: Vec<_> =
        parts.applications.iter().map(|one| (one.name.as_str(), one.policy.as_str())).collect();
    assert_eq!(applications, [("Shop", "Unlimited"), ("Till", "Unlimited")]);
    let environments: Vec<_> = parts.clients.iter().map(|one| (one.application, one.environment)).collect();
    let shop = there.shop.id;
    assert_eq!(environments, [(shop, Environment::Production), (shop, Environment::Sandbox)]);
    let plans: Vec<_> = parts.subscriptions.iter().map(|one| one.plan.as_str()).collect();
    assert_eq!(plans, ["Gold", "Silver"]);
    assert!(!format!("{parts:?}").contains("hash of"), "no hash travels to a gateway");

    stage.done(Command::DeployApi { id: there.echo.id, based_on: None }).await;
    stage.moved(there.echo.id, Event::Block).await;
    let parts = sorted(stage.port.snapshot_parts().await.unwrap());
    assert_eq!((parts.apis[0].state, parts.apis[0].revision), (State::Blocked, 2));
    assert_eq!(parts.apis[0].endpoints, changed.endpoints);
}

pub async fn the_same_commands_lead_to_the_same_records(ground: &impl Ground) {
    let first = Stage::on(ground.open().await);
    let there = first.furnish().await;
    let command =
        CreateVersion { source: there.echo.id, id: first.api_id(), version: "2.0".to_owned(), default: true };
    let deprecating = MoveApi { deprecate_old_versions: true, ..step(command.id, Event::Publish) };
    let again = first.port.snapshot_parts().await.unwrap();
    assert_eq!(sorted(first.port.snapshot_parts().await.unwrap()), sorted(again), "reading changes nothing");
    first.done(Command::CreateVersion(command)).await;
    let found = ground.open_as_after_a_kill().await;
    let now = first.now();
    let second = Stage { port: found, made: AtomicU64::new(0) };
    for stage in [&first, &second] {
        stage.execute_at(now, &Actor::product(), Command::MoveApi(deprecating.clone())).await.unwrap();
    }
    assert_eq!(picture(&first.port).await, picture(&second.port).await);
}

pub async fn the_plans_that_ship_are_there_in_their_order(ground: &impl Ground) {
    let port = ground.open().await;
    for (kind, shipped) in
        PolicyKind::ALL.into_iter().zip([business_plans(), application_policies(), api_policies()])
    {
        let kept: Vec<_> = shipped.into_iter().map(KeptPolicy::from).collect();
        assert_eq!(port.policies(kind).await.unwrap(), kept);
    }
    let parts = port.snapshot_parts().await.unwrap();
    assert_eq!((parts.plans, parts.application_policies), (business_plans(), application_policies()));
    assert_eq!(parts.api_policies, api_policies());
    assert!(parts.apis.is_empty() && parts.subscriptions.is_empty() && parts.clients.is_empty());
}

pub async fn records_can_be_read_and_written(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    stage.furnish().await;
    let before = picture(&stage.port).await;
    stage.port.check().await.unwrap();
    assert_eq!(picture(&stage.port).await, before, "a check leaves no trace");
}

pub async fn what_nobody_waits_for_is_done_whole_or_not_at_all(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let number = stage.number().await;
    for place in 0..30 {
        let command = CreateApi { publish: true, ..stage.creation(&format!("Api{place}"), "1.0") };
        let asked = stage.execute(stage_actor(), Command::CreateApi(command));
        drop(asked.now_or_never());
    }
    // Commands are executed in the order they came, so that what was asked before is settled after this one.
    stage.published("Last", "1.0").await;
    let there = picture(&stage.port).await;
    assert_eq!(there.snapshot.number, number + u64::try_from(there.apis.len()).unwrap());
    assert_eq!(there.snapshot.apis.len(), there.apis.len());
    for (api, revisions, moves, changes) in &there.apis {
        let written = (revisions.len(), moves.len(), changes.len());
        assert_eq!((api.state, written), (State::Published, (1, 2, 1)), "{}", api.name);
    }
}

pub async fn the_snapshot_number_and_its_records_are_of_one_moment(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let before = stage.number().await;
    let over = AtomicBool::new(false);
    let changing = async {
        for place in 0..40 {
            stage.published(&format!("Api{place}"), "1.0").await;
        }
        over.store(true, Ordering::Relaxed);
    };
    let reading = async {
        let mut last = before;
        while !over.load(Ordering::Relaxed) {
            let parts = stage.port.snapshot_parts().await.unwrap();
            assert_eq!(parts.number, before + u64::try_from(parts.apis.len()).unwrap());
            assert!(parts.number >= last, "a later snapshot is never an older one");
            last = parts.number;
        }
    };
    join(changing, reading).await;
    assert_eq!(stage.number().await, before + 40);
}
