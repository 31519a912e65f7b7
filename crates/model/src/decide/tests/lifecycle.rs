//! Moves of an API: the lifecycle square by square, what a move needs, and what it takes along.

use super::*;

/// The specification's table: rows are states, columns are events, a cell is where the event leads.
const LIFECYCLE: &str = "
    .           publish    demote   prototype   block    republish  deprecate   retire
    created     published  -        prototyped  -        -          -           -
    prototyped  published  created  prototyped  -        -          -           -
    published   published  created  prototyped  blocked  -          deprecated  -
    blocked     -          -        -           -        published  deprecated  -
    deprecated  -          -        -           -        -          -           retired
    retired     -          -        -           -        -          -           -
";

/// Every square of [`LIFECYCLE`].
fn squares() -> Vec<(State, Event, Option<State>)> {
    let mut rows = LIFECYCLE.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let heads = rows.by_ref().find(|row| !row.is_empty()).unwrap();
    let mut squares = Vec::new();
    for row in rows.filter(|row| !row.is_empty()) {
        for (event, to) in heads.iter().zip(&row).skip(1) {
            squares.push((row[0].parse().unwrap(), event.parse().unwrap(), to.parse().ok()));
        }
    }
    squares
}

#[test]
fn the_lifecycle_is_the_specified_table_square_by_square() {
    let squares = squares();
    assert_eq!(squares.len(), STATES.len() * EVENTS.len());
    for (from, event, to) in squares {
        let decided = move_api(&api("1.0", from), &step(event), &person(Role::Publisher), NOW, &[]);
        let shown = format!("{} {}", from.as_str(), event.as_str());
        assert_eq!(decided.as_ref().ok().map(|decided| decided.api.state), to, "{shown}");
        match (decided, to) {
            (Ok(decided), Some(to)) => {
                let by = "publisher".to_owned();
                let moved = Moved { at: NOW, by, event: Some(event), from: Some(from), to };
                assert_eq!(decided.moves, [(decided.api.id, moved)], "{shown}");
                assert_eq!((decided.api.etag, decided.api.updated_at), (6, NOW), "{shown}");
                assert_eq!(decided.api.live.is_some(), to != State::Retired, "{shown}");
            }
            (Err(Refused::Conflict { detail, .. }), None) => {
                let possible: Vec<_> = from.moves().iter().map(|(event, _)| event.as_str()).collect();
                let possible = if possible.is_empty() { "nothing".to_owned() } else { possible.join(", ") };
                let expected = format!(
                    "An API in state {} cannot {}. Possible: {possible}.",
                    from.as_str(),
                    event.as_str()
                );
                assert_eq!(detail, expected);
            }
            (other, _) => panic!("{shown}: {other:?}"),
        }
    }
}

#[test]
fn only_a_publisher_moves_an_api() {
    for role in ROLES {
        let allowed = matches!(role, Role::Admin | Role::Publisher);
        let expected = if allowed { "ok" } else { "needs api_publish" };
        check(
            move_api(&api("1.0", State::Published), &step(Event::Block), &person(role), NOW, &[]),
            expected,
        );
    }
}

#[test]
fn a_move_needs_a_design_that_can_be_served_or_says_what_is_missing() {
    let check = |from: State, event: Event, design: Design, expected: &str| {
        check(move_api(&Api { design, ..api("1.0", from) }, &step(event), &admin(), NOW, &[]), expected);
    };
    check(State::Created, Event::Publish, design("", &["Gold"]), "conflict [Endpoint]");
    check(State::Created, Event::Publish, design("ws://a", &[]), "conflict [Plan]");
    check(State::Created, Event::Publish, design("", &[]), "conflict [Endpoint, Plan]");
    check(State::Created, Event::Prototype, design("ws://a", &[]), "ok");
    check(State::Created, Event::Prototype, design("", &[]), "conflict [Endpoint]");
    check(State::Blocked, Event::Republish, design("ws://a", &[]), "conflict [Plan]");
    check(State::Published, Event::Publish, design("ws://a", &[]), "conflict [Plan]");
    check(State::Published, Event::Block, design("", &[]), "ok");
    check(State::Published, Event::Deprecate, design("", &[]), "ok");
    check(State::Published, Event::Demote, design("", &[]), "ok");
    check(State::Deprecated, Event::Retire, design("", &[]), "ok");
}

#[test]
fn publishing_deploys_when_nothing_is_live_and_else_leaves_what_is() {
    let fresh = move_api(&api("1.0", State::Created), &step(Event::Publish), &admin(), NOW, &[]).unwrap();
    assert_eq!(fresh.revision.as_ref().map(|revision| revision.number), Some(4));
    assert_eq!(fresh.api.live.as_ref().map(|live| live.revision), Some(4));
    let changed = Api { design: design("ws://new", &["Gold"]), ..api("1.0", State::Prototyped) };
    let kept = move_api(&changed, &step(Event::Publish), &admin(), NOW, &[]).unwrap();
    assert!(kept.revision.is_none());
    assert_eq!(kept.api.live, changed.live);
}

#[test]
fn what_is_live_without_a_plan_cannot_be_published_over_a_complete_working_copy() {
    let mut tried = api("1.0", State::Created);
    tried.design = design("ws://backend", &[]);
    let mut deployed = deploy_api(&tried, None, &admin(), NOW, &[]).unwrap().api;
    deployed.design = complete();
    let refused = move_api(&deployed, &step(Event::Publish), &admin(), NOW, &[]).unwrap_err();
    assert_eq!(refused.to_string(), "What is live lacks a business plan. Deploy the working copy first.");
    check(move_api(&deployed, &step(Event::Prototype), &admin(), NOW, &[]), "ok");
    let redeployed = deploy_api(&deployed, None, &admin(), NOW, &[]).unwrap().api;
    check(move_api(&redeployed, &step(Event::Publish), &admin(), NOW, &[]), "ok");
}

#[test]
fn retiring_ends_what_is_live_and_all_subscriptions() {
    let default = Api { is_default_version: true, ..api("1.0", State::Deprecated) };
    let decided = move_api(&default, &step(Event::Retire), &admin(), NOW, &[]).unwrap();
    assert_eq!((decided.api.live, decided.api.is_default_version), (None, false));
    assert_eq!(decided.subscriptions, SubscriptionEffect::EndAll);
    for (from, event, to) in squares() {
        if to.is_some() && event != Event::Retire {
            let decided = move_api(&api("1.0", from), &step(event), &admin(), NOW, &[]).unwrap();
            assert_eq!(decided.subscriptions, SubscriptionEffect::Keep, "{event:?} from {from:?}");
        }
    }
}

#[test]
fn publishing_may_deprecate_old_versions_and_take_over_the_subscriptions_of_the_newest() {
    let aged = |version: &str, state: State, age: i64| Api {
        created_at: THEN.plus_millis(-age),
        ..api(version, state)
    };
    let siblings = [
        aged("1.0", State::Published, 30),
        aged("2.0", State::Published, 10),
        aged("2.1", State::Prototyped, 5),
        aged("2.2", State::Blocked, 4),
        aged("0.9", State::Deprecated, 50),
    ];
    let publish = |deprecate, resubscribe| {
        let command = MoveApi {
            deprecate_old_versions: deprecate,
            require_resubscription: resubscribe,
            ..step(Event::Publish)
        };
        move_api(&api("3.0", State::Created), &command, &admin(), NOW, &siblings).unwrap()
    };
    let all = publish(true, false);
    assert_eq!(all.subscriptions, SubscriptionEffect::CopyFrom(siblings[1].id));
    let told: Vec<_> =
        all.siblings.iter().map(|(api, _)| (api.version.as_str(), api.state, api.etag)).collect();
    assert_eq!(told, [("1.0", State::Deprecated, 6), ("2.0", State::Deprecated, 6)]);
    let moved: Vec<_> = all.moves.iter().map(|(api, moved)| (*api, moved.event, moved.to)).collect();
    let deprecated = |api: &Api| (api.id, Some(Event::Deprecate), State::Deprecated);
    let published = (all.api.id, Some(Event::Publish), State::Published);
    assert_eq!(moved, [published, deprecated(&siblings[0]), deprecated(&siblings[1])]);

    let told: Vec<_> = all.siblings.iter().map(|(_, change)| change.action.as_str()).collect();
    assert_eq!(told, ["moved to deprecated", "moved to deprecated"]);

    let renewed = publish(true, true);
    assert_eq!((renewed.subscriptions, renewed.siblings.len()), (SubscriptionEffect::Keep, 2));
    for resubscribe in [false, true] {
        let beside = publish(false, resubscribe);
        assert_eq!(
            (beside.subscriptions, beside.siblings.len(), beside.moves.len()),
            (SubscriptionEffect::Keep, 0, 1)
        );
    }
    let wish = MoveApi { deprecate_old_versions: true, ..step(Event::Prototype) };
    let shown = move_api(&api("3.0", State::Created), &wish, &admin(), NOW, &siblings).unwrap();
    assert_eq!((shown.siblings.len(), shown.subscriptions), (0, SubscriptionEffect::Keep));
}
