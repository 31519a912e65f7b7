//! Random lives of an API: whatever happens to it, its invariants hold after every step.

use super::*;

/// One thing that happens in the life of an API.
#[derive(Debug, Clone)]
enum Happening {
    Move(Event),
    Update(Box<Design>),
    Deploy,
}

fn happening() -> impl Strategy<Value = Happening> {
    let designs = prop::sample::select(vec![
        complete(),
        design("", &["Gold"]),
        design("ws://backend", &[]),
        design("ws://elsewhere", &["Silver"]),
    ]);
    prop_oneof![
        4 => prop::sample::select(EVENTS.to_vec()).prop_map(Happening::Move),
        2 => designs.prop_map(|design| Happening::Update(Box::new(design))),
        1 => Just(Happening::Deploy),
    ]
}

/// What must hold of an API at rest, however it came there.
fn is_sound(api: &Api) -> Result<(), TestCaseError> {
    if let Some(live) = &api.live {
        prop_assert!(live.revision <= api.revisions);
        prop_assert!(!live.design.endpoints.is_empty(), "what is live has an endpoint");
    }
    match api.state {
        State::Created => {}
        State::Retired => prop_assert!(api.live.is_none(), "nothing of a retired API is live"),
        State::Prototyped | State::Deprecated => prop_assert!(api.live.is_some()),
        State::Published | State::Blocked => {
            let served = api.live.as_ref().map(|live| missing(&live.design, Event::Publish));
            prop_assert_eq!(served, Some(vec![]), "what subscribers are served is complete");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn an_api_is_sound_after_anything_that_can_happen_to_it(publish: bool, life in prop::collection::vec(happening(), 0..24)) {
        let command = CreateApi { publish, ..creation("Echo", "/echo", "1.0") };
        let first = create(&command, &admin(), &[]).unwrap();
        let mut revisions = first.revision.iter().map(|revision| revision.number).collect::<Vec<_>>();
        let mut history = first.moves.clone();
        let mut api = first.api;
        is_sound(&api)?;
        for what in life {
            let outcome = match &what {
                Happening::Move(event) => move_api(&api, &step(*event), &admin(), NOW, &[]),
                Happening::Update(design) => update_api(&api, &update((**design).clone()), &admin(), NOW, &[], known()),
                Happening::Deploy => deploy_api(&api, Some(api.etag), &admin(), NOW, &[]),
            };
            let Ok(decided) = outcome else { continue };
            prop_assert_eq!(decided.api.etag, api.etag + 1);
            let identity = |api: &Api| (api.id, api.name.clone(), api.context.clone(), api.version.clone(), api.created_at);
            prop_assert_eq!(identity(&decided.api), identity(&api));
            if let Some(revision) = &decided.revision {
                revisions.push(revision.number);
                prop_assert_eq!(decided.api.live.as_ref().map(|live| &live.design), Some(&revision.design));
            }
            history.extend(decided.moves);
            api = decided.api;
            is_sound(&api)?;
        }
        prop_assert_eq!(revisions, (1..=api.revisions).collect::<Vec<_>>(), "revisions are numbered without holes");
        let steps: Vec<_> = history.iter().map(|(_, moved)| (moved.from, moved.to)).collect();
        for pair in steps.windows(2) {
            prop_assert_eq!(pair[1].0, Some(pair[0].1), "each move begins where the one before ended");
        }
        prop_assert_eq!(steps.last().map(|step| step.1), Some(api.state));
    }
}
