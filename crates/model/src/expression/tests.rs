//! Which expressions are taken, what is said of the others, what they yield; and that nothing that is typed makes the library
//! panic or overflow a small stack.

use proptest::prelude::*;

use super::{source::*, *};
use crate::{attribute::Claims, topic::Direction};

fn facts<'f>(claims: impl Into<Option<&'f Claims>>) -> Facts<'f> {
    Facts {
        user: "ada",
        application: ("a1", "Shop"),
        api: ("Echo", "1.0", "/echo"),
        topic: "/rooms/7",
        address: Some([203, 0, 113, 7].into()),
        claims: claims.into(),
        size: Some(2_000),
        direction: Some(Direction::Publish),
    }
}

fn yields(source: &str, facts: &Facts<'_>) -> Result<Option<(String, Option<u64>)>, String> {
    let expression = Expression::compile(source).unwrap_or_else(|fault| panic!("{source}: {fault:?}"));
    let found = expression.judge(facts).map_err(|failed| failed.0)?;
    Ok(found.map(|found| (found.key.to_string(), found.amount)))
}

#[track_caller]
fn key(source: &str, expected: &str) {
    assert_eq!(yields(source, &facts(None)), Ok(Some((expected.to_owned(), None))), "{source}");
}

#[test]
fn a_text_is_a_key() {
    key("user", "ada");
    key("'all'", "all");
    key("application.name + '/' + api.name", "Shop/Echo");
    key("application['id'] + api[\"version\"] + api.context", "a11.0/echo");
    key("topic", "/rooms/7");
    key("address", "203.0.113.7");
    key("direction + ':' + user", "publish:ada");
    key("size > 1024 ? 'large:' + user : null", "large:ada");
    key("topic.startsWith('/rooms/') && user != '' ? user : ''", "ada");
    key("user in ['ada', 'bob'] ? 'staff' : null // who pays nothing", "staff");
    key("string(size)", "2000");
    key("has(claims.tenant) ? claims.tenant : 'none'", "none");
    key("'tenant' in claims ? claims['tenant'] : 'none'", "none");
    key("user == 'bob' ? 'b'\n: size(topic) > 3 ? \"\\u0041\\n\" : 'c'", "A\n");
    key(
        "topic.contains('rooms') && topic.endsWith('7') && !(user == '') ? {'key': user} : {'key': ''}",
        "ada",
    );
}

#[test]
fn null_false_and_nothing_are_no_key() {
    for source in ["null", "false", "''", "size < 10 ? user : null", "{'key': null}", "{'key': ''}"] {
        assert_eq!(yields(source, &facts(None)), Ok(None), "{source}");
    }
}

#[test]
fn a_map_names_an_amount() {
    let with = |amount: &str| yields(&format!("{{'key': user, 'amount': {amount}}}"), &facts(None));
    assert_eq!(with("5"), Ok(Some(("ada".to_owned(), Some(5)))));
    assert_eq!(with("7u"), Ok(Some(("ada".to_owned(), Some(7)))));
    assert_eq!(with("size * 2"), Ok(Some(("ada".to_owned(), Some(4_000)))));
    assert_eq!(with("-1"), Err("the amount that it yields is below zero".to_owned()));
    assert_eq!(with("1.5"), Err("the amount that it yields is no whole number".to_owned()));
    assert_eq!(with("'many'"), Err("the amount that it yields is no whole number".to_owned()));
}

#[test]
fn claims_have_the_types_that_tokens_give_them() {
    let claims: Claims = serde_json::from_value(serde_json::json!({
        "tenant": "acme", "level": 3, "score": 0.5, "paid": true, "roles": ["admin", "dev"],
        "https://example.com/x": "deep",
    }))
    .unwrap();
    let facts = facts(&claims);
    for (source, expected) in [
        ("claims.tenant", "acme"),
        ("claims['tenant']", "acme"),
        ("claims['https://example.com/x']", "deep"),
        ("claims.level > 2 && claims.score < 1.0 && claims.paid ? 'rich' : null", "rich"),
        ("'dev' in claims.roles ? claims.roles[0] : null", "admin"),
        ("has(claims.tenant) && has(claims.roles) && !has(claims.other) ? claims.tenant : null", "acme"),
    ] {
        assert_eq!(yields(source, &facts), Ok(Some((expected.to_owned(), None))), "{source}");
    }
    let looks = |source: &str| Expression::compile(source).unwrap().looks().clone();
    assert_eq!(looks("claims.b + claims['a'] + claims.b").claims, ["a", "b"]);
    assert_eq!(looks("has(claims.c) && 'd' in claims ? 'x' : null").claims, ["c", "d"]);
}

#[test]
fn what_cannot_be_judged_is_said_without_values() {
    for (source, reason) in [
        ("claims.tenant", "there is no “tenant”"),
        ("claims['tenant'] + 'x'", "there is no “tenant”"),
        ("user + size", "“+” cannot be used"),
        ("size / 0 > 1 ? user : null", "a division by zero"),
        ("string(9223372036854775807 + size)", "a number is too large"),
        ("['a'][5]", "a list has no such element"),
        ("string(int(user))", "int() does not take this value"),
        ("user ? 'a' : 'b'", ""),
        ("user < 1 ? 'a' : 'b'", "“<” cannot be used with values of the types string, int"),
        ("{'other': user, 'key': size}", "the map that it yields has no text as “key”"),
    ] {
        let failed = yields(source, &facts(None)).expect_err(source);
        assert!(failed.contains(reason) && !failed.contains("ada"), "{source}: {failed}");
    }
    let stranger = Facts { size: None, direction: None, ..facts(None) };
    assert_eq!(yields("direction", &stranger), Err("“direction” is not known here".to_owned()));
}

#[test]
fn what_an_expression_looks_at_is_known() {
    let looks = |source: &str| Expression::compile(source).unwrap().looks().clone();
    assert_eq!(looks("topic"), Looks::default());
    assert_eq!(looks("size(topic) > 3 ? user : null"), Looks { user: true, ..Looks::default() });
    assert_eq!(looks("size > 3 ? 'x' : null"), Looks { asked: Asked::Message, ..Looks::default() });
    assert_eq!(looks("direction"), Looks { asked: Asked::Direction, ..Looks::default() });
    assert!(looks("{'key': topic, 'amount': 3}").names_amount);
}

#[track_caller]
fn refused(source: &str, code: &str, at: impl Into<Option<(usize, usize)>>) {
    let fault = Expression::compile(source).map(drop).expect_err(source);
    assert_eq!((fault.code, fault.at), (code, at.into()), "{source}: {}", fault.detail);
}

#[test]
fn what_is_refused_says_where_and_why() {
    refused("  ", "required", None);
    refused(&format!("'{}'", "x".repeat(SOURCE_BYTES_MAX)), "too_long", None);
    refused("usr", "unknown_name", (1, 1));
    refused("size > 1 ?\n  usr : null", "unknown_name", (2, 3));
    refused("api.owner", "unknown_name", (1, 4));
    refused("user.name", "unknown_name", (1, 5));
    refused("claims", "unnamed_claim", (1, 1));
    refused("claims[topic]", "unnamed_claim", (1, 1));
    refused("[user].exists(u, u == 'a') ? 'x' : null", "no_loops", (1, 14));
    refused("[user].map(u, u)[0]", "no_loops", (1, 11));
    refused("matches(user, 'a+') ? user : null", "unknown_function", (1, 8));
    refused("optional.of(user)", "unknown_function", (1, 12));
    refused("type(user) == string ? 'a' : 'b'", "unknown_function", (1, 5));
    refused("Foo{a: 1}", "unknown_type", (1, 4));
    refused("user == 'ada'", "no_key", (1, 6));
    refused("size", "no_key", (1, 1));
    refused("true", "no_key", (1, 1));
    refused("user != '' ? 5 : null", "no_key", (1, 14));
    refused("{'amount': 3}", "no_key", (1, 1));
    refused("size(user)", "no_key", (1, 5));
    refused("'ada", "syntax", (1, 1));
    refused("'a\nb'", "syntax", (1, 1));
    refused("'''a'''", "syntax", (1, 2));
    refused("r'a'", "syntax", (1, 1));
    refused("'\\q'", "syntax", (1, 2));
    refused("user = 'a'", "syntax", (1, 6));
    refused("user & topic", "syntax", (1, 6));
    refused("`user`", "illegal_character", (1, 1));
    refused("üser", "illegal_character", (1, 1));
    refused("user ? 'a'", "syntax", (1, 11));
    refused("(user", "syntax", (1, 6));
    refused("user)", "syntax", (1, 5));
    refused("claims.?a", "syntax", (1, 7));
    refused("99999999999999999999", "syntax", (1, 1));
}

#[test]
fn nesting_and_operators_are_bounded_before_they_are_parsed() {
    let nested = |depth: usize| format!("{}user{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Expression::compile(&nested(NESTING_MAX)).is_ok());
    refused(&nested(NESTING_MAX + 1), "too_deep", (1, NESTING_MAX + 1));
    refused(&"(".repeat(SOURCE_BYTES_MAX), "too_deep", (1, NESTING_MAX + 1));
    let conditions = |count: usize| format!("{}user", "true?'':".repeat(count));
    assert!(Expression::compile(&conditions(CONDITIONS_MAX)).is_ok());
    refused(&conditions(CONDITIONS_MAX + 1), "too_complex", (1, 8 * CONDITIONS_MAX + 5));
    let sum = |count: usize| format!("user{}", "+user".repeat(count));
    assert!(Expression::compile(&sum(31)).is_ok());
    refused(&sum(32), "too_deep", (1, 1));
    refused(&sum(OPERATORS_MAX + 1), "too_complex", (1, 5 * (OPERATORS_MAX + 1)));
    let list = |count: usize| format!("user in [{}] ? 'a' : 'b'", vec!["'a'"; count].join(","));
    assert!(Expression::compile(&list(200)).is_ok());
}

#[test]
fn what_comes_in_is_cut_and_what_goes_out_is_bounded() {
    let long = "é".repeat(10_000);
    let with = |topic: &str, source: &str| {
        let found = Expression::compile(source).unwrap().judge(&Facts { topic, ..facts(None) }).unwrap();
        found.unwrap().key
    };
    let hashed = with(&long, "topic");
    assert!(hashed.starts_with("sha256:") && hashed.len() == 50, "{hashed}");
    assert_eq!(with(&long, "topic"), with(&format!("{long}x"), "topic"), "what is cut off is not seen");
    assert_ne!(with("a", "topic"), with("b", "topic"));
    let sum = format!("topic{}", "+topic".repeat(31));
    assert_eq!(with(&long, &sum).len(), 50);
    let fits = "x".repeat(KEY_BYTES_MAX);
    assert_eq!(&*with(&fits, "topic"), fits);
}

/// The deepest that each way of nesting can be, on the stack that a thread of a test has at most.
#[test]
fn whatever_is_taken_fits_a_small_stack() {
    let worst = [
        format!("{}user{}", "(".repeat(NESTING_MAX), ")".repeat(NESTING_MAX)),
        format!("{}user{}", "(true?".repeat(NESTING_MAX), ":'')".repeat(NESTING_MAX)),
        format!("user{}", "+user".repeat(31)),
        format!("{}'a'{}", "[".repeat(NESTING_MAX), "]".repeat(NESTING_MAX) + &"[0]".repeat(14)),
        format!("claims.a{}", "['b']".repeat(29)),
        format!("{}true ? user : null", "!".repeat(29)),
        format!("{}user in [] ? user : null", "'' in ".repeat(29)),
    ];
    for source in worst {
        let run = move || {
            let expression =
                Expression::compile(&source).unwrap_or_else(|fault| panic!("{source}: {fault:?}"));
            let _ = expression.judge(&facts(None));
        };
        std::thread::Builder::new().stack_size(1024 * 1024).spawn(run).unwrap().join().unwrap();
    }
}

/// Pieces that meet in expressions, right and wrong.
const PIECES: [&str; 54] = [
    "user",
    "size",
    "topic",
    "claims",
    "claims.a",
    "api.name",
    "'a'",
    "\"b\"",
    "'",
    "\"",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "+",
    "-",
    "!",
    "?",
    ":",
    "&&",
    "||",
    ".",
    "`",
    "\\",
    "'\\u0041'",
    "\\x",
    "b'",
    "r'",
    "0x",
    "1e",
    "1u",
    "1.5",
    " in ",
    "has(",
    ".map(x,",
    ".all(x,",
    "size(",
    "true",
    "null",
    "é",
    "😀",
    "\0",
    "\n",
    "//",
    ",",
    "<=",
    "==",
    "%",
    "/",
    "*",
    "9223372036854775808",
    "-9223372036854775808",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_that_is_typed_makes_the_library_panic(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40)
    ) {
        never_panics(&pieces.concat());
    }

    #[test]
    fn no_bytes_make_the_library_panic(bytes in prop::collection::vec(any::<u8>(), 0..SOURCE_BYTES_MAX)) {
        never_panics(&String::from_utf8_lossy(&bytes));
    }
}

/// Panics of the library are faults of the expression, and so could not be seen from outside: here they are looked for.
fn never_panics(text: &str) {
    let Ok(()) = source::check(text) else { return };
    let parsed = ENV.parser().max_recursion_depth(RECURSION_MAX).parse_with_source_info(text);
    let Ok((tree, places)) = parsed else { return };
    let Ok(looks) = check::check(&tree, &|id| place(text, places.offset_for(id))) else { return };
    let expression = Expression { tree, looks };
    let facts = facts(None);
    let mut context = Context::with_env(Arc::clone(&ENV));
    context.set_variable_resolver(&facts);
    if let Ok(value) = Value::resolve(&expression.tree, &context) {
        let _ = found(value);
    }
}
