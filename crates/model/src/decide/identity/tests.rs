//! Addresses that meet: the same, one inside the other, and those that only look like it.

use uuid::Uuid;

use super::*;
use crate::{api::Design, id::ApiId, lifecycle::State, time::Timestamp};

fn api(name: &str, context: &str, version: &str) -> Api {
    Api {
        id: ApiId(Uuid::from_u128(1)),
        name: name.to_owned(),
        context: context.to_owned(),
        version: version.to_owned(),
        state: State::Created,
        owner: None,
        owner_name: "tidegate".to_owned(),
        is_default_version: false,
        demo: false,
        design: Design::default(),
        live: None,
        revisions: 0,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
        etag: 1,
    }
}

/// What becomes of a new API `New` at this context and version beside `there`.
#[track_caller]
fn check(there: &Api, context: &str, version: &str, expected: &str) {
    let outcome = is_free("New", context, version, std::slice::from_ref(there));
    let told =
        outcome.map_or_else(|problem| format!("{} {}", problem.pointer, problem.detail), |()| "ok".into());
    assert_eq!(told, expected);
}

#[test]
fn an_address_of_a_default_version_is_not_that_of_another_api() {
    let expected = "/context As default version this would answer at /echo/1.0, where Echo 1.0 answers. Choose another \
                    context.";
    let echo = api("Echo", "/echo", "1.0");
    check(&echo, "/echo/1.0", "9.9", expected);
    let expected = "/context As default version this would answer at /Echo/1.0, where Echo 1.0 answers. Choose another \
                    context.";
    check(&echo, "/Echo/1.0", "9.9", expected);
    let expected = "/context /echo/1.0 is where Nested 9.9 answers as default version. Choose another version or \
                    context.";
    check(&api("Nested", "/echo/1.0", "9.9"), "/echo", "1.0", expected);
    check(&api("Nested", "/echo/1.0", "9.9"), "/echo", "2.0", "ok");
}

#[test]
fn an_address_is_not_inside_that_of_another_version() {
    let echo = api("Echo", "/echo", "1.0");
    let expected = "/context /echo/1.0/x/2.0 lies inside /echo/1.0, where Echo 1.0 answers, and would take topics from \
                    it. Choose a context that is not inside /echo/1.0.";
    check(&echo, "/echo/1.0/x", "2.0", expected);
    let expected = "/context Deep 2.0 answers at /echo/1.0/x/2.0, inside /echo/1.0, and would take topics from this one. \
                    Choose another version or context.";
    check(&api("Deep", "/echo/1.0/x", "2.0"), "/echo", "1.0", expected);
    let expected = "/context /echo/1.0/live lies inside /echo/1.0, where Echo 1.0 answers, and would take topics from \
                    it. Choose a context that is not inside /echo/1.0.";
    check(&echo, "/echo/{version}/1.0/live", "3.0", expected);
}

#[test]
fn contexts_below_each_other_stand_beside_each_other() {
    let shop = api("Shop", "/shop", "1.0");
    for (context, version) in
        [("/shop/orders", "1.0"), ("/shop/1", "0"), ("/shop/1.01", "1"), ("/shops", "1.0")]
    {
        check(&shop, context, version, "ok");
        check(&api("Other", context, version), "/shop", "1.0", "ok");
    }
}

#[test]
fn a_new_version_that_meets_another_api_is_told_so_beside_its_version() {
    let source = api("Echo", "/echo", "1.0");
    let neighbours = [source.clone(), api("Deep", "/echo/2.0/x", "1.0")];
    let refused = |version: &str| match version_is_free(&source, version, &neighbours) {
        Ok(()) => "ok".to_owned(),
        Err(Refused::Duplicate(problem)) => problem.pointer,
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(["1.0", "2.0", "3.0"].map(refused), ["/version", "/version", "ok"]);
}

#[test]
fn a_store_looks_for_the_path_and_what_is_around_it() {
    assert_eq!(around("/a/b/1.0"), ["/a", "/a/b", "/a/b/1.0"]);
    assert_eq!(around("/a"), ["/a"]);
}

#[test]
fn folding_knows_no_case_and_fills_the_version_in() {
    assert_eq!(folded("Grüße ÄÖ"), "grüße äö");
    assert_eq!(folded_path("/Echo", "1.0-RC"), "/echo/1.0-rc");
    assert_eq!(folded_path("/A/{version}/b", "V2"), "/a/v2/b");
    assert_eq!(folded_context("/A/{version}/b"), "/a/b");
}
