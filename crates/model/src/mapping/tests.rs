//! Topics mapped to paths of a backend, and what a parameter cannot do.

use proptest::prelude::*;

use super::*;

fn mapping(topic: &str, backend: &str) -> TopicMapping {
    TopicMapping { topic: topic.to_owned(), backend: backend.to_owned() }
}

fn mapped(topic: &str, backend: &str, asked: &str) -> Option<String> {
    let mapping = mapping(topic, backend);
    assert_eq!((mapping.check_topic(), mapping.check_backend()), (Ok(()), Ok(())));
    map(&[mapping], asked)
}

#[test]
fn parameters_are_filled_in_in_path_and_query() {
    assert_eq!(mapped("/rooms/{room}", "/chat/{room}", "/rooms/7").as_deref(), Some("/chat/7"));
    assert_eq!(mapped("/rooms/{room}", "/chat?room={room}", "/rooms/7").as_deref(), Some("/chat?room=7"));
    assert_eq!(mapped("/a/{x}/b/{y}", "/{y}-{x}?q={x}", "/a/1/b/2").as_deref(), Some("/2-1?q=1"));
    assert_eq!(mapped("/news", "/feed", "/news").as_deref(), Some("/feed"));
    assert_eq!(mapped("/", "/root", "/").as_deref(), Some("/root"));
}

#[test]
fn a_wildcard_takes_all_that_follows() {
    assert_eq!(mapped("/v1/*", "/old/{*}", "/v1/a/b").as_deref(), Some("/old/a/b"));
    assert_eq!(mapped("/v1/*", "/old/{*}", "/v1/").as_deref(), Some("/old/"));
    assert_eq!(mapped("/v1/*", "/old", "/v1/a").as_deref(), Some("/old"));
    assert_eq!(mapped("/v1/*", "/old/{*}", "/v1"), None);
}

#[test]
fn what_does_not_fit_is_left_alone() {
    for asked in ["/rooms", "/rooms/", "/rooms/7/8", "/rooms/7/", "/room/7", "/", ""] {
        assert_eq!(mapped("/rooms/{room}", "/chat/{room}", asked), None, "{asked}");
    }
}

#[test]
fn the_first_that_fits_decides() {
    let mappings = [mapping("/rooms/lobby", "/lobby"), mapping("/rooms/{room}", "/chat/{room}")];
    assert_eq!(map(&mappings, "/rooms/lobby").as_deref(), Some("/lobby"));
    assert_eq!(map(&mappings, "/rooms/7").as_deref(), Some("/chat/7"));
    assert_eq!(map(&mappings, "/users/7"), None);
}

#[test]
fn no_parameter_completes_a_dot_segment_or_an_empty_one() {
    assert_eq!(mapped("/{a}", "/.{a}", "/;x"), None);
    assert_eq!(mapped("/{a}", "/..{a}/secret", "/;x"), None);
    assert_eq!(mapped("/{a}/{b}", "/{a}{b}", "/.;x/y"), None);
    assert_eq!(mapped("/v1/*", "/..{*}", "/v1/;x"), None);
    assert_eq!(mapped("/v1/*", "/{*}/feed", "/v1/"), None);
    assert_eq!(mapped("/{a}", "/..{a}", "/x;y").as_deref(), Some("/..x;y"));
}

#[test]
fn what_makes_no_sense_is_refused_with_the_reason() {
    let topic = |topic| mapping(topic, "/").check_topic();
    assert_eq!(topic("rooms"), Err(BadMapping::NoSlash));
    assert_eq!(topic("/rooms/{}"), Err(BadMapping::Braces));
    assert_eq!(topic("/rooms/{a b}"), Err(BadMapping::Character));
    assert_eq!(topic("/rooms/r-{room}"), Err(BadMapping::NotWhole));
    assert_eq!(topic("/{a}/{a}"), Err(BadMapping::Twice("a".to_owned())));
    assert_eq!(topic("/a*"), Err(BadMapping::Wildcard));
    assert_eq!(topic("/*/a"), Err(BadMapping::Wildcard));
    assert_eq!(topic("/a/../b"), Err(BadMapping::Character));
    assert_eq!(topic("/a?b"), Err(BadMapping::Character));
    let backend = |backend| mapping("/rooms/{room}", backend).check_backend();
    assert_eq!(backend("chat"), Err(BadMapping::NoSlash));
    assert_eq!(backend("/{user}"), Err(BadMapping::Unknown("user".to_owned())));
    assert_eq!(backend("/{*}"), Err(BadMapping::Unknown("*".to_owned())));
    assert_eq!(backend("/{room"), Err(BadMapping::Braces));
    assert_eq!(backend("/a#b"), Err(BadMapping::Character));
    assert_eq!(backend("/a\r\nX: y"), Err(BadMapping::Character));
    assert_eq!(backend("/a?b={room}&c=%zz"), Err(BadMapping::Character));
}

proptest! {
    /// Whatever a client asks for stays one segment, or one value.
    #[test]
    fn a_parameter_stays_in_its_place(value in "[A-Za-z0-9._~!$&'()*+,;=:@%20-]{1,20}") {
        let topic = format!("/rooms/{value}");
        prop_assume!(crate::route::canonical(&topic).is_ok());
        let in_path = map(&[mapping("/rooms/{room}", "/a/{room}/b")], &topic).unwrap();
        prop_assert_eq!(in_path.split('/').count(), 4);
        prop_assert!(!in_path.contains('?'));
        let in_query = map(&[mapping("/rooms/{room}", "/a?room={room}&x=1")], &topic).unwrap();
        let pairs: Vec<_> = url::form_urlencoded::parse(in_query.split_once('?').unwrap().1.as_bytes()).collect();
        prop_assert_eq!(pairs.len(), 2);
        prop_assert_eq!(&pairs[1].1, "1");
    }
}
