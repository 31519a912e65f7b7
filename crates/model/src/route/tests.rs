//! Paths that lead somewhere, and paths that are refused because two parsers could disagree.

use uuid::Uuid;

use super::*;

fn api(number: u128) -> ApiId {
    ApiId(Uuid::from_u128(number))
}

#[test]
fn the_longest_whole_segment_prefix_wins() {
    let mut routes = Routes::default();
    routes.add(base_path("/echo", "1.0"), api(1));
    routes.add(base_path("/echo", "2.0"), api(2));
    routes.add(default_path("/echo"), api(2));
    routes.add(base_path("/a/{version}/b", "1.0"), api(3));
    for (path, expected) in [
        ("/echo/1.0", Some((1, ""))),
        ("/echo/1.0/rooms/7", Some((1, "/rooms/7"))),
        ("/echo/2.0/", Some((2, "/"))),
        ("/echo", Some((2, ""))),
        ("/echo/rooms", Some((2, "/rooms"))),
        ("/echo/1.00", Some((2, "/1.00"))),
        ("/echoes", None),
        ("/a/1.0/b/c", Some((3, "/c"))),
        ("/a/1.0", None),
        ("/", None),
    ] {
        let found = routes.find(path).map(|found| (found.api, found.topic));
        assert_eq!(found, expected.map(|(number, topic)| (api(number), topic)), "{path}");
    }
    assert_eq!(default_path("/a/{version}/b"), "/a/b");
}

#[test]
fn paths_with_two_readings_are_refused() {
    for path in
        ["/", "/a", "/a/", "/a/b;x=1", "/a/%20b", "/a/%C3%A9", "/%e2%82%ac/%f0%9f%8c%8a", "/a/b.c/..d"]
    {
        assert!(canonical(path).is_ok(), "{path}");
    }
    for path in [
        "",
        "a",
        "//a",
        "/a//b",
        "/a/../b",
        "/a/./b",
        "/..",
        "/a/..;/b",
        "/%2e%2e/a",
        "/%61",
        "/a%2fb",
        "/a%5cb",
        "/a\\b",
        "/a%00",
        "/a%252e",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a%+1",
        "/%c0%ae%c0%ae/b",
        "/a%e0%80%afb",
        "/a%c0%af",
        "/%ed%a0%80",
        "/a%ff",
        "/a%c3",
        "/a%c3/%a9",
        "/a?b",
        "/a#b",
        "/a b",
        "/é",
    ] {
        assert_eq!(canonical(path), Err(AmbiguousPath), "{path}");
    }
}
