//! APIs as records: lists, names, history, and what goes along with a change.

use super::*;
use crate::{command::CreateVersion, decide::folded, lifecycle::State};

/// APIs whose order by folded name differs from that by bytes, with ties; the answer is in that order.
async fn shelf(stage: &Stage<impl Catalog>) -> Vec<Api> {
    let mut made = Vec::new();
    for name in ["zebra", "Äther", "Beta", "alpha", "Zoo", "beta-2", "Gamma", "GAMMA-ray", "éclair"] {
        for version in ["1.0", "2.0", "0.9"] {
            let mut command = stage.creation(name, version);
            command.context = format!("/c{}", made.len() / 3);
            made.push(api_of(stage.done(Command::CreateApi(command)).await));
        }
    }
    made.sort_by_key(|api| (folded(&api.name), api.id));
    made
}

pub async fn pages_are_complete_and_in_order(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    assert_eq!(all_apis(&stage.port, 1).await, []);
    let expected = shelf(&stage).await;
    let count = u32::try_from(expected.len()).unwrap();
    for limit in [1, 2, 5, count - 1, count, count + 1, 200] {
        assert_eq!(all_apis(&stage.port, limit).await, expected, "{limit} in a page");
    }
    let last = PageRequest { limit: count, cursor: None };
    assert_eq!(stage.port.apis(&ApiQuery::default(), &last).await.unwrap().next, None);
}

pub async fn pages_stay_right_while_records_come_and_go(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let expected = shelf(&stage).await;
    let (gone, stay): (Vec<_>, Vec<_>) = expected.iter().cloned().partition(|api| api.version == "2.0");
    let mut leaving = gone.iter();
    let mut arriving = 0;
    let seen = all_pages!(3, |request| {
        let page = stage.port.apis(&ApiQuery::default(), &request).await.unwrap();
        // Between two pages one goes that may have been the place of the cursor, and one comes that may be before it.
        if let Some(api) = leaving.next() {
            stage.done(Command::DeleteApi { id: api.id, based_on: None }).await;
        }
        arriving += 1;
        if arriving < 5 {
            stage.api(&format!("aa{arriving}"), "1.0").await;
            stage.moved(stay[0].id, Event::Prototype).await;
        }
        page
    });
    let seen: Vec<_> = seen.iter().map(|api| api.id).collect();
    let kept: Vec<_> = seen.iter().copied().filter(|id| stay.iter().any(|api| api.id == *id)).collect();
    assert_eq!(kept, stay.iter().map(|api| api.id).collect::<Vec<_>>(), "what stays is seen once, in order");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "nothing is seen twice");
}

pub async fn a_cursor_that_cannot_be_read_names_the_beginning(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    stage.furnish().await;
    let long = "A".repeat(100_000);
    for forged in ["", "x", "%", "bnVsbA", "WyIiXQ", "WzEsMl0", "' OR 1=1 --", "\u{0}", &long] {
        let request = PageRequest { limit: 1, cursor: Some(forged.to_owned()) };
        let page = stage.port.apis(&ApiQuery::default(), &request).await.unwrap();
        assert_eq!(page.items[0].name, "Chat", "{forged:?}");
        assert_eq!(stage.port.applications(None, &request).await.unwrap().items[0].name, "Shop");
        let page = stage.port.subscriptions(SubscriptionQuery::default(), &request).await.unwrap();
        assert_eq!(page.items[0].plan, "Gold");
    }
}

pub async fn apis_are_found_by_every_word_and_by_state(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    for (name, context, version) in [
        ("Order Feed", "/shop/orders", "1.0"),
        ("Order Archive", "/shop/archive", "1_0"),
        ("Größe", "/sizes", "2.0-beta"),
        ("Templated", "/a/{version}/b", "3.1"),
    ] {
        let context = context.to_owned();
        let command = CreateApi { context, publish: name == "Größe", ..stage.creation(name, version) };
        stage.done(Command::CreateApi(command)).await;
    }
    let check = async |text: &str, states: &[State], expected: &[&str]| {
        let query = ApiQuery { text: text.to_owned(), states: states.to_vec() };
        let found = all_pages!(2, |request| stage.port.apis(&query, &request).await.unwrap());
        let found: Vec<_> = found.iter().map(|api| api.name.as_str()).collect();
        assert_eq!(found, expected, "{text:?} {states:?}");
    };
    let everything = ["Größe", "Order Archive", "Order Feed", "Templated"];
    check("", &[], &everything).await;
    check("   ", &[], &everything).await;
    check("order", &[], &["Order Archive", "Order Feed"]).await;
    check("FEED order", &[], &["Order Feed"]).await;
    check("feed archive", &[], &[]).await;
    check("shop", &[], &["Order Archive", "Order Feed"]).await;
    check("ARCHIVE", &[], &["Order Archive"]).await;
    check("größe", &[], &["Größe"]).await;
    check("GRÖSSE", &[], &[]).await;
    check("1.0", &[], &["Order Feed"]).await;
    check("1_0", &[], &["Order Archive"]).await;
    check("_", &[], &["Order Archive"]).await;
    check("%", &[], &[]).await;
    check("o%r", &[], &[]).await;
    check("\\", &[], &[]).await;
    check("'", &[], &[]).await;
    check("3.1", &[], &["Templated"]).await;
    check("/a/3.1/b", &[], &["Templated"]).await;
    check("beta", &[State::Created], &[]).await;
    check("beta", &[State::Created, State::Published], &["Größe"]).await;
    check("", &[State::Published], &["Größe"]).await;
    check("", &[State::Created], &["Order Archive", "Order Feed", "Templated"]).await;
    check("", &[State::Retired], &[]).await;
}

pub async fn an_address_belongs_to_one_api_without_regard_to_case(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    stage.api("Echo", "1.0").await;
    let rooms = CreateApi { context: "/rooms/{version}".to_owned(), ..stage.creation("Rooms", "1.0") };
    stage.done(Command::CreateApi(rooms)).await;
    let check = async |name: &str, context: &str, version: &str, expected: &str| {
        let command = CreateApi { context: context.to_owned(), ..stage.creation(name, version) };
        let outcome = stage.execute(&Actor::product(), Command::CreateApi(command)).await;
        let shown = outcome.map_or_else(|refused| kind(&refused), |_| "ok".to_owned());
        assert_eq!(shown, expected, "{name} {context} {version}");
    };
    check("echo", "/ECHO", "1.0", "duplicate /version").await;
    check("Other", "/Echo", "3.0", "duplicate /context").await;
    check("eCHO", "/other", "3.0", "duplicate /name").await;
    check("Other", "/rooms", "2.0", "duplicate /context").await;
    check("Other", "/Rooms", "1.0", "duplicate /version").await;
    check("Rooms", "/rooms", "2.0", "ok").await;
    check("Other", "/other", "1.0", "ok").await;
    check("Echo", "/echo", "2.0", "ok").await;
}

pub async fn addresses_neither_meet_nor_lie_inside_each_other(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    stage.api("Echo", "1.0").await;
    let check = async |name: &str, context: &str, version: &str, expected: &str| {
        let command = CreateApi { context: context.to_owned(), ..stage.creation(name, version) };
        let outcome = stage.execute(&Actor::product(), Command::CreateApi(command)).await;
        let shown = outcome.map_or_else(|refused| kind(&refused), |_| "ok".to_owned());
        assert_eq!(shown, expected, "{name} {context} {version}");
    };
    check("Same", "/ECHO/1.0", "9.9", "duplicate /context").await;
    check("Deep", "/echo/1.0/a/b", "9.9", "duplicate /context").await;
    check("Below", "/echo/rooms", "1.0", "ok").await;
    check("Nested", "/under_score/2.0/x", "1.0", "ok").await;
    check("Outer", "/under_score", "2.0", "duplicate /context").await;
    check("Outer", "/under-score", "2.0", "ok").await;
    check("Taken", "/top/3.0", "1.0", "ok").await;
    check("Top", "/top", "3.0", "duplicate /context").await;
    check("Top", "/top", "3.1", "ok").await;
    let source = all_apis(&stage.port, 20).await.into_iter().find(|api| api.name == "Top").unwrap().id;
    let (id, version) = (stage.api_id(), "3.0".to_owned());
    let version = Command::CreateVersion(CreateVersion { source, id, version, default: false });
    let refused = stage.execute(&Actor::product(), version).await.unwrap_err();
    assert_eq!(kind(&refused), "duplicate /version");
}

pub async fn history_is_told_newest_first(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let api = stage.api("Echo", "1.0").await;
    let line = [
        Event::Publish,
        Event::Block,
        Event::Republish,
        Event::Demote,
        Event::Prototype,
        Event::Publish,
        Event::Deprecate,
        Event::Retire,
    ];
    for event in line {
        if event == Event::Deprecate {
            let changed = design(&["Unlimited"]);
            stage.done(Command::UpdateApi(update(api.id, changed.clone()))).await;
            let outcome = stage.done(Command::DeployApi { id: api.id, based_on: None }).await;
            let Outcome::Revision(revision) = outcome else { panic!("{outcome:?}") };
            assert_eq!((revision.number, revision.live, &revision.design), (2, true, &changed));
            let told = stage.port.revisions(api.id).await.unwrap();
            assert_eq!(
                told.iter().map(|one| (one.number, one.live)).collect::<Vec<_>>(),
                [(2, true), (1, false)]
            );
            assert_eq!((&told[0], &told[1].design), (&*revision, &design(&["Gold", "Silver"])));
        }
        stage.moved(api.id, event).await;
    }
    let moves = stage.port.moves(api.id).await.unwrap();
    let events: Vec<_> = moves.iter().rev().map(|moved| moved.event).collect();
    assert_eq!(events, [None].into_iter().chain(line.map(Some)).collect::<Vec<_>>());
    assert!(moves.windows(2).all(|pair| pair[0].at > pair[1].at && pair[0].from == Some(pair[1].to)));
    let revisions = stage.port.revisions(api.id).await.unwrap();
    assert!(
        revisions.len() == 2 && revisions.iter().all(|revision| !revision.live),
        "nothing is live any more"
    );

    let changes = stage.port.changes(api.id, 100).await.unwrap();
    let told: Vec<_> = changes.iter().rev().map(|change| change.action.as_str()).collect();
    assert_eq!(
        (told[0], told[1], told[7], told[8]),
        ("created", "moved to published", "changed", "deployed")
    );
    assert_eq!(told.len(), 1 + line.len() + 2);
    assert_eq!(stage.port.changes(api.id, 3).await.unwrap(), changes[..3]);
    assert_eq!(stage.port.changes(ApiId(nowhere()), 3).await.unwrap(), []);
}

pub async fn a_deleted_api_leaves_its_audit_log_and_its_address(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    for event in [Event::Demote, Event::Publish, Event::Deprecate, Event::Retire] {
        let delete = Command::DeleteApi { id: there.echo.id, based_on: None };
        let refused = stage.execute(&Actor::product(), delete).await.unwrap_err();
        assert_eq!(kind(&refused), "conflict", "it has subscribers before it may {event:?}");
        stage.moved(there.echo.id, event).await;
    }
    stage.done(Command::DeleteApi { id: there.echo.id, based_on: Some(5) }).await;
    let (port, id) = (&stage.port, there.echo.id);
    assert_eq!(port.api(id).await.unwrap(), None);
    assert_eq!(port.revisions(id).await.unwrap(), []);
    assert_eq!(port.moves(id).await.unwrap(), []);
    assert_eq!(all_subscriptions(port, SubscriptionQuery::default(), 10).await, []);
    assert_eq!(port.subscription(there.subscription.id).await.unwrap(), None);
    assert_eq!(port.subscription_counts().await.unwrap(), []);
    let parts = port.snapshot_parts().await.unwrap();
    assert!(parts.subscriptions.is_empty() && parts.apis.iter().all(|api| api.id != id));
    let told = port.changes(id, 10).await.unwrap();
    assert_eq!((told[0].action.as_str(), told[0].detail.as_str()), ("deleted", "Echo 1.0"));
    assert_eq!(told.last().unwrap().action, "created and published");
    assert_eq!(
        port.application(there.shop.id).await.unwrap(),
        Some(there.shop),
        "the developer's side stays"
    );
    let again = stage.published("Echo", "1.0").await;
    assert_eq!(port.moves(again.id).await.unwrap().len(), 2);
}

pub async fn the_default_version_answers_until_another_can(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let first = stage.published("Echo", "1.0").await;
    let told = async || {
        let mut parts = stage.port.snapshot_parts().await.unwrap();
        parts.apis.retain(|api| api.is_default_version);
        let all = all_apis(&stage.port, 10).await.into_iter().filter(|api| api.is_default_version);
        let answers: Vec<_> = parts.apis.into_iter().map(|api| api.version).collect();
        (answers.join(" "), all.map(|api| api.version).collect::<Vec<_>>().join(" "))
    };
    let check = async |what: &str, answers: &str, holders: &str| {
        assert_eq!(told().await, (answers.to_owned(), holders.to_owned()), "{what}");
    };
    let version = |version: &str, default: bool| {
        let (source, id, version) = (first.id, stage.api_id(), version.to_owned());
        Command::CreateVersion(CreateVersion { source, id, version, default })
    };
    let default = |id, wish| {
        Command::UpdateApi(UpdateApi { is_default_version: Some(wish), ..update(id, design(&["Gold"])) })
    };
    stage.done(default(first.id, true)).await;
    check("set on what is live", "1.0", "1.0").await;
    let second = api_of(stage.done(version("2.0", true)).await);
    check("a new version as default", "1.0", "1.0 2.0").await;
    let third = api_of(stage.done(version("3.0", false)).await);
    stage.done(default(third.id, true)).await;
    check("set on what is not live", "1.0", "1.0 3.0").await;
    stage.moved(second.id, Event::Publish).await;
    check("published without the flag", "1.0", "1.0 3.0").await;
    stage.done(Command::DeployApi { id: third.id, based_on: None }).await;
    check("deployed with the flag", "3.0", "3.0").await;
    stage.done(default(first.id, true)).await;
    check("set on what is live again", "1.0", "1.0").await;
    stage.done(default(third.id, false)).await;
    check("taken from what has not got it", "1.0", "1.0").await;
    stage.moved(first.id, Event::Deprecate).await;
    stage.moved(first.id, Event::Retire).await;
    check("retired", "", "").await;
}

pub async fn retiring_ends_the_subscriptions_and_leaves_nothing_to_serve(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    stage.moved(there.echo.id, Event::Deprecate).await;
    let counts = stage.port.subscription_counts().await.unwrap();
    assert_eq!(counts, [(there.echo.id, 2)], "a deprecated API keeps its subscribers");
    let retired = stage.moved(there.echo.id, Event::Retire).await;
    assert_eq!((retired.state, &retired.live), (State::Retired, &None));
    assert_eq!(all_subscriptions(&stage.port, SubscriptionQuery::default(), 10).await, []);
    let parts = stage.port.snapshot_parts().await.unwrap();
    assert!(parts.subscriptions.is_empty());
    let served = parts.apis.iter().find(|api| api.id == there.echo.id).unwrap();
    assert_eq!(
        (served.state, served.is_default_version),
        (State::Retired, false),
        "it is refused as what it is"
    );
    assert!(served.endpoints.is_empty(), "and nothing of it can be reached");
    assert_eq!(stage.port.api(there.echo.id).await.unwrap(), Some(retired), "the record stays to be read");
    stage.done(Command::DeleteApi { id: there.echo.id, based_on: None }).await;
    let parts = stage.port.snapshot_parts().await.unwrap();
    assert!(parts.apis.iter().all(|api| api.id != there.echo.id), "what is deleted is gone");
}

pub async fn a_new_release_takes_over_the_subscriptions_that_it_can_serve(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let there = stage.furnish().await;
    let (owner, shop) = (&there.owner, there.shop.id);
    let (source, id, version) = (there.echo.id, stage.api_id(), "2.0".to_owned());
    stage.done(Command::CreateVersion(CreateVersion { source, id, version, default: false })).await;
    // Live are Gold and Unlimited; the working copy offers Silver besides, which nobody can be served under yet.
    stage.done(Command::UpdateApi(update(id, design(&["Gold", "Unlimited"])))).await;
    stage.done(Command::DeployApi { id, based_on: None }).await;
    stage.done(Command::UpdateApi(update(id, design(&["Gold", "Silver", "Unlimited"])))).await;
    let publish = MoveApi { deprecate_old_versions: true, ..step(id, Event::Publish) };
    stage.done(Command::MoveApi(publish.clone())).await;

    let query = SubscriptionQuery { api: Some(id), ..SubscriptionQuery::default() };
    let copied = all_subscriptions(&stage.port, query, 10).await;
    let told: Vec<_> = copied.iter().map(|one| (one.application, one.plan.as_str())).collect();
    assert_eq!(told, [(shop, "Gold")]);
    assert_ne!(copied[0].id, there.subscription.id);
    let old = stage.port.api(source).await.unwrap().unwrap();
    assert_eq!(old.state, State::Deprecated);
    assert_eq!(stage.port.subscription_counts().await.unwrap().len(), 2, "those of the old version stay");

    let query = SubscriptionQuery { application: Some(shop), ..SubscriptionQuery::default() };
    let later = stage.published("Later", "1.0").await;
    let after = stage.subscription(owner, shop, later.id, "Gold").await;
    let listed = all_subscriptions(&stage.port, query, 1).await;
    assert_eq!(listed, [there.subscription, copied[0].clone(), after], "oldest first, whoever made them");

    stage.done(Command::MoveApi(publish)).await;
    assert_eq!(
        all_subscriptions(&stage.port, query, 10).await,
        listed,
        "publishing again copies nothing again"
    );
    stage.execute(owner, Command::DeleteSubscription { id: copied[0].id }).await.unwrap();
    assert_eq!(all_subscriptions(&stage.port, query, 10).await.len(), 2);
}

pub async fn what_changes_along_with_an_api_is_in_the_audit_log(ground: &impl Ground) {
    let stage = Stage::on(ground.open().await);
    let first = stage.published("Echo", "1.0").await;
    let told = async || stage.port.changes(first.id, 1).await.unwrap().remove(0).action;
    stage
        .done(Command::UpdateApi(UpdateApi {
            is_default_version: Some(true),
            ..update(first.id, design(&["Gold"]))
        }))
        .await;
    let (source, id, version) = (first.id, stage.api_id(), "2.0".to_owned());
    stage.done(Command::CreateVersion(CreateVersion { source, id, version, default: true })).await;
    assert_eq!(told().await, "changed", "it answers until the new one does");
    stage.done(Command::MoveApi(MoveApi { deprecate_old_versions: true, ..step(id, Event::Publish) })).await;
    let told = stage.port.changes(first.id, 2).await.unwrap();
    let told: Vec<_> = told.iter().map(|change| change.action.as_str()).collect();
    assert_eq!(told, ["moved to deprecated", "no longer the default version"]);
    let kept = stage.port.api(first.id).await.unwrap().unwrap();
    assert_eq!((kept.state, kept.is_default_version), (State::Deprecated, false));
    let moved = stage.port.moves(first.id).await.unwrap().remove(0);
    assert_eq!((moved.event, moved.to), (Some(Event::Deprecate), State::Deprecated));
}
