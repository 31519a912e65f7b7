//! The default flag: what answers at the context without a version goes on answering until another one can.

use super::*;

fn flagged(api: Api) -> Api {
    Api { is_default_version: true, ..api }
}

fn waiting(version: &str) -> Api {
    flagged(api(version, State::Created))
}

fn wish(default: bool) -> UpdateApi {
    UpdateApi { is_default_version: Some(default), ..update(complete()) }
}

/// Version, flag and audit entry of the siblings that change.
fn told(decided: &Decision) -> Vec<(&str, bool, &str, &str)> {
    let siblings = decided.siblings.iter();
    siblings
        .map(|(api, change)| (&*api.version, api.is_default_version, &*change.action, &*change.detail))
        .collect()
}

#[test]
fn a_version_that_is_not_live_leaves_the_flag_with_the_one_that_answers() {
    let answering = flagged(api("1.0", State::Published));
    let decided =
        update_api(&api("2.0", State::Created), &wish(true), &admin(), NOW, &[answering], known()).unwrap();
    assert!(decided.api.is_default_version);
    assert_eq!(told(&decided), []);
    let expected = "Nothing is live yet. It becomes the default version when it goes live.";
    assert_eq!(decided.change.detail, expected);
}

#[test]
fn the_flag_goes_over_when_the_new_version_goes_live() {
    let siblings = [flagged(api("1.0", State::Published)), api("0.9", State::Deprecated)];
    let lost = [("1.0", false, "no longer the default version", "2.0 is the default version now.")];
    let deployed = deploy_api(&waiting("2.0"), None, &admin(), NOW, &siblings).unwrap();
    assert_eq!(told(&deployed), lost);
    for event in [Event::Publish, Event::Prototype] {
        let moved = move_api(&waiting("2.0"), &step(event), &admin(), NOW, &siblings).unwrap();
        assert_eq!(told(&moved), lost, "{event:?}");
        assert_eq!(moved.siblings[0].0.etag, 6);
    }
    let without = deploy_api(&api("2.0", State::Created), None, &admin(), NOW, &siblings).unwrap();
    assert_eq!(told(&without), [], "a version without the flag takes it from nobody");
}

#[test]
fn a_version_that_answers_does_not_end_the_wait_of_another() {
    let answering = flagged(api("1.0", State::Published));
    let siblings = [waiting("2.0")];
    let again = update_api(&answering, &wish(true), &admin(), NOW, &siblings, known()).unwrap();
    let deployed = deploy_api(&answering, None, &admin(), NOW, &siblings).unwrap();
    let blocked = move_api(&answering, &step(Event::Block), &admin(), NOW, &siblings).unwrap();
    for decided in [again, deployed, blocked] {
        assert_eq!(told(&decided), [], "{}", decided.change.action);
    }
}

#[test]
fn of_two_that_wait_the_later_wish_counts() {
    let siblings = [flagged(api("1.0", State::Published)), waiting("2.0")];
    let lost =
        [("2.0", false, "no longer the default version", "3.0 is the default version once it is live.")];
    let new =
        CreateVersion { source: siblings[0].id, id: api_id(200), version: "3.0".to_owned(), default: true };
    let created = create_version(&siblings[0], &new, &admin(), NOW, &siblings).unwrap();
    assert_eq!(told(&created), lost);
    let expected = "A new version, copied from 1.0. It becomes the default version when it goes live.";
    assert_eq!(created.change.detail, expected);
    let changed =
        update_api(&api("3.0", State::Created), &wish(true), &admin(), NOW, &siblings, known()).unwrap();
    assert_eq!(told(&changed), lost);
}

#[test]
fn a_version_that_loses_the_flag_and_is_deprecated_with_the_same_move_has_both_in_its_log() {
    let siblings = [flagged(api("1.0", State::Published))];
    let publish = MoveApi { deprecate_old_versions: true, ..step(Event::Publish) };
    let decided = move_api(&waiting("2.0"), &publish, &admin(), NOW, &siblings).unwrap();
    let actions: Vec<_> = decided.siblings.iter().map(|(_, change)| change.action.as_str()).collect();
    assert_eq!(actions, ["no longer the default version", "moved to deprecated"]);
    let (last, _) = &decided.siblings[1];
    assert_eq!((last.is_default_version, last.state, last.etag), (false, State::Deprecated, 7));
}

#[test]
fn the_flag_can_be_given_back_before_and_after() {
    for holder in [waiting("2.0"), flagged(api("2.0", State::Published))] {
        let siblings = [flagged(api("1.0", State::Published))];
        let decided = update_api(&holder, &wish(false), &admin(), NOW, &siblings, known()).unwrap();
        assert_eq!((decided.api.is_default_version, told(&decided)), (false, vec![]));
        let detail = &decided.change.detail;
        assert!(detail.ends_with(" It is not the default version any more."), "{detail}");
    }
}

/// One thing that happens to one of several versions.
#[derive(Debug, Clone)]
enum Happening {
    Wish(bool),
    Deploy,
    Move(Event, bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    let moving = (prop::sample::select(EVENTS.to_vec()), any::<bool>());
    prop_oneof![
        2 => any::<bool>().prop_map(Happening::Wish),
        1 => Just(Happening::Deploy),
        2 => moving.prop_map(|(event, deprecate)| Happening::Move(event, deprecate)),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_what_answers_is_one_version_and_goes_only_when_it_is_told_to(
        life in prop::collection::vec((0..3_usize, happening()), 0..40),
    ) {
        let mut versions = ["1.0", "2.0", "3.0"].map(|version| Api { live: None, ..api(version, State::Created) });
        for (place, what) in life {
            let api = versions[place].clone();
            let siblings: Vec<_> = versions.iter().filter(|other| other.id != api.id).cloned().collect();
            let answered = versions.iter().any(|api| api.is_default_version && api.live.is_some());
            let outcome = match &what {
                Happening::Wish(default) => update_api(&api, &wish(*default), &admin(), NOW, &siblings, known()),
                Happening::Deploy => deploy_api(&api, None, &admin(), NOW, &siblings),
                Happening::Move(event, deprecate_old_versions) => {
                    let command = MoveApi { deprecate_old_versions: *deprecate_old_versions, ..step(*event) };
                    move_api(&api, &command, &admin(), NOW, &siblings)
                }
            };
            let Ok(decided) = outcome else { continue };
            let is_end = !decided.api.is_default_version && api.is_default_version;
            for changed in decided.siblings.into_iter().map(|(api, _)| api).chain([decided.api]) {
                let place = versions.iter().position(|api| api.id == changed.id).unwrap();
                prop_assert_eq!(changed.etag, versions[place].etag + 1, "every change is a step of its own");
                versions[place] = changed;
            }
            let holding = |live: bool| {
                versions.iter().filter(|api| api.is_default_version && api.live.is_some() == live).count()
            };
            prop_assert!(holding(true) <= 1 && holding(false) <= 1, "{:?}", what);
            prop_assert!(holding(true) == 1 || !answered || is_end, "{:?} left the context without an answer", what);
        }
    }
}
