//! Words, and what each state means to developers; the moves themselves are in the tests of `decide`.

use super::*;

#[test]
fn every_word_is_read_back_as_written() {
    for state in STATES {
        assert_eq!(state.as_str().parse(), Ok(state));
        assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{}\"", state.as_str()));
    }
    for event in EVENTS {
        assert_eq!(event.as_str().parse(), Ok(event));
        assert_eq!(serde_json::to_string(&event).unwrap(), format!("\"{}\"", event.as_str()));
    }
    for unknown in ["", "Created", "publish ", "gone"] {
        assert!(unknown.parse::<State>().is_err() && unknown.parse::<Event>().is_err(), "{unknown:?}");
    }
}

#[test]
fn each_state_shows_and_sells_what_the_specification_says() {
    for (state, listed, subscribable) in [
        (State::Created, false, false),
        (State::Prototyped, true, false),
        (State::Published, true, true),
        (State::Blocked, false, false),
        (State::Deprecated, false, false),
        (State::Retired, false, false),
    ] {
        assert_eq!((state.is_listed(), state.is_subscribable()), (listed, subscribable), "{state:?}");
    }
}

#[test]
fn every_state_can_be_reached_and_left_but_the_last() {
    for state in STATES {
        let reached =
            STATES.iter().any(|from| from.moves().iter().any(|(_, to)| *to == state && *from != state));
        assert!(reached || state == State::Created, "{state:?}");
        assert_eq!(state.moves().is_empty(), state == State::Retired, "{state:?}");
    }
}

#[test]
fn the_way_to_the_end_is_the_shortest() {
    for (from, expected) in [
        (State::Created, vec![Event::Publish, Event::Deprecate, Event::Retire]),
        (State::Prototyped, vec![Event::Publish, Event::Deprecate, Event::Retire]),
        (State::Published, vec![Event::Deprecate, Event::Retire]),
        (State::Blocked, vec![Event::Deprecate, Event::Retire]),
        (State::Deprecated, vec![Event::Retire]),
        (State::Retired, vec![]),
    ] {
        assert_eq!(from.way_to(State::Retired), expected, "{from:?}");
    }
    assert_eq!(State::Retired.way_to(State::Created), []);
}

#[test]
fn what_is_missing_is_told_for_the_moves_that_serve() {
    let empty = Design::default();
    for event in EVENTS {
        let expected = match event {
            Event::Publish | Event::Republish => vec![Missing::Endpoint, Missing::Plan],
            Event::Prototype => vec![Missing::Endpoint],
            Event::Demote | Event::Block | Event::Deprecate | Event::Retire => vec![],
        };
        assert_eq!(missing(&empty, event), expected, "{event:?}");
    }
}
