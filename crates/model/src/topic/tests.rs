//! Which topic a path is, and who may send on it.

use super::*;

fn topic(path: &str, direction: Direction) -> Topic {
    Topic { path: path.to_owned(), direction, ..Topic::default() }
}

#[test]
fn the_first_topic_that_a_path_fits_is_its_topic() {
    let declared = ["/rooms/lobby", "/rooms/{room}", "/files/*", "/"];
    let declared = declared.map(|path| topic(path, Direction::Both)).to_vec();
    let topics = Topics { declared, misdirected: Misdirected::Close };
    for (path, expected) in [
        ("/rooms/lobby", Some("/rooms/lobby")),
        ("/rooms/7", Some("/rooms/{room}")),
        ("/rooms/7/members", None),
        ("/rooms/", None),
        ("/rooms", None),
        ("/files/a/b", Some("/files/*")),
        ("/files/", Some("/files/*")),
        ("", Some("/")),
        ("/", Some("/")),
        ("/Rooms/lobby", None),
    ] {
        let found = match topics.find(path) {
            Found::Declared(found) => Some(found.path.as_str()),
            Found::Unknown => None,
            Found::Undeclared => panic!("topics are declared"),
        };
        assert_eq!(found, expected, "{path}");
    }
    assert_eq!(Topics::default().find("/anything"), Found::Undeclared);
}

#[test]
fn direction_and_scopes_say_who_may_send() {
    use Direction::{Both, Publish, Subscribe};
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let all = Speech { client: true, backend: true };
    let (client, backend) = (Speech { backend: false, ..all }, Speech { client: false, ..all });
    let needs = |names: &[&'static str]| Err(NeedsScope(names.to_vec()));
    for (direction, publish, subscribe, has, expected) in [
        (Both, &[][..], &[][..], &[][..], Ok(all)),
        (Publish, &[], &[], &[], Ok(client)),
        (Subscribe, &[], &[], &[], Ok(backend)),
        (Both, &["w"], &[], &[], Ok(backend)),
        (Both, &["w"], &["r"], &["w"], Ok(client)),
        (Both, &["w"], &["r"], &["r", "w"], Ok(all)),
        (Both, &["w", "admin"], &["r"], &["admin"], Ok(client)),
        (Both, &["w"], &["r", "w"], &["x"], needs(&["r", "w"])),
        (Publish, &["w"], &[], &[], needs(&["w"])),
        (Publish, &[], &["r"], &[], Ok(client)),
        (Subscribe, &["w"], &["r"], &["w"], needs(&["r"])),
        (Subscribe, &["w"], &["r"], &["r"], Ok(backend)),
        (Subscribe, &[], &["r"], &["R"], needs(&["r"])),
    ] {
        let topic = Topic {
            publish_scopes: owned(publish),
            subscribe_scopes: owned(subscribe),
            ..topic("/", direction)
        };
        let found = topic.speech(&owned(has));
        assert_eq!(found, expected, "{direction:?} {publish:?} {subscribe:?} {has:?}");
    }
}

#[test]
fn words_are_read_as_they_are_written() {
    for direction in Direction::ALL {
        assert_eq!(Direction::parse(direction.as_str()), Some(direction));
    }
    for misdirected in Misdirected::ALL {
        assert_eq!(Misdirected::parse(misdirected.as_str()), Some(misdirected));
    }
    assert_eq!((Direction::parse("Both"), Misdirected::parse("")), (None, None));
}
