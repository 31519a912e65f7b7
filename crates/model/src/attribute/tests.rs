//! Which claims are read from a token and how, what a session keeps, and its bounds.

use serde_json::json;

use super::*;
use crate::revocation::Marks;

fn names(all: &[&str]) -> LookedAt {
    let mut looked_at = LookedAt::default();
    for name in all {
        looked_at.add_claim(name);
    }
    looked_at
}

fn claims(token: &Value, all: &[&str]) -> Claims {
    Claims::of(token.as_object().unwrap(), names(all).claims())
}

fn texts(claim: Option<&Claim>) -> Vec<String> {
    let mut texts = Vec::new();
    if let Some(claim) = claim {
        claim.any(|text| {
            texts.push(text.to_owned());
            false
        });
    }
    texts
}

#[test]
fn a_claim_is_text_a_number_a_boolean_or_a_list_of_these() {
    let token = json!({
        "department": "sales", "level": 7, "share": 1.5, "staff": true, "groups": ["a", 3, false, {"x": 1}, null, ["b"]],
        "nothing": null, "object": {"roles": ["admin", "user"], "deep": {"er": "found"}}, "a.b": "dotted", "a": {"b": "inner"},
        "none": [],
    });
    let all = ["department", "level", "share", "staff", "groups", "nothing", "object", "absent", "none"];
    let found = claims(&token, &all);
    let of = |name| texts(found.get(name));
    assert_eq!(of("department"), ["sales"]);
    assert_eq!(of("level"), ["7"]);
    assert_eq!(of("share"), ["1.5"]);
    assert_eq!(of("staff"), ["true"]);
    assert_eq!(of("groups"), ["a", "3", "false"]);
    for absent in ["nothing", "object", "absent"] {
        assert_eq!(found.get(absent), None, "{absent}");
    }
    assert_eq!(found.get("none"), Some(&Claim::List(Box::default())));
    assert_eq!(found.iter().count(), 6);
    let inner = claims(&token, &["object.roles", "object.deep.er", "object.none", "a.b", "department.x"]);
    assert_eq!(texts(inner.get("object.roles")), ["admin", "user"]);
    assert_eq!(texts(inner.get("object.deep.er")), ["found"]);
    assert_eq!(texts(inner.get("a.b")), ["dotted"], "a name as it stands goes first");
    assert_eq!(inner.iter().count(), 3);
}

#[test]
fn what_is_kept_of_claims_is_bounded_and_nothing_is_cut_into_another_value() {
    let [fits, long] = [VALUE_BYTES_MAX, VALUE_BYTES_MAX + 1].map(|bytes| "x".repeat(bytes));
    let token = json!({"fits": fits, "long": long, "list": [long, "short"], "many": vec!["m"; 100]});
    let found = claims(&token, &["fits", "long", "list", "many"]);
    assert_eq!(texts(found.get("fits")), [fits.as_str()]);
    assert_eq!(found.get("long"), None);
    assert_eq!(texts(found.get("list")), ["short"]);
    assert_eq!(texts(found.get("many")).len(), MEMBERS_MAX);
    let all: Vec<_> = (0..20).map(|number| format!("claim-{number:02}")).collect();
    let token: Map<_, _> = all.iter().map(|name| (name.clone(), json!(fits))).collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    let found = claims(&token.into(), &all);
    assert_eq!(found.iter().count(), VALUES_BYTES_MAX / VALUE_BYTES_MAX);
}

#[test]
fn claims_are_read_as_they_were_written() {
    let token = json!({"a": "text", "b": -7, "c": 1.25, "d": false, "e": ["x", "y"]});
    let found = claims(&token, &["a", "b", "c", "d", "e"]);
    let written = serde_json::to_string(&found).unwrap();
    assert_eq!(written, token.to_string());
    assert_eq!(serde_json::from_str::<Claims>(&written).unwrap(), found);
}

fn person() -> Identity {
    let marks = Marks { subject: Some([1; 8].into()), ..Marks::default() };
    Identity { subject: "ada".to_owned(), marks, ..Identity::default() }
}

const HEADERS: [(&str, &[u8]); 7] = [
    ("x-tier", b" gold "),
    ("x_tier", b"silver"),
    ("authorization", b"Bearer secret"),
    ("cookie", b"secret"),
    ("x-other", b"unseen"),
    ("x-bytes", b"\xff"),
    ("x-empty", b""),
];

fn parameters() -> impl Iterator<Item = (String, String)> {
    let all = [("room", "1"), ("Room", "2"), ("access_token", "secret"), ("room", "3")];
    all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()))
}

#[test]
fn a_session_keeps_what_is_looked_at_and_no_credential() {
    let mut looked_at = LookedAt::default();
    for name in ["X-Tier", "Authorization", "Cookie", "x-bytes", "x-empty", "Sec_WebSocket_Protocol"] {
        looked_at.add_header(name);
    }
    looked_at.add_parameter("room");
    looked_at.add_parameter("access_token");
    let found = Attributes::of(&looked_at, HEADERS.into_iter(), parameters(), &person()).unwrap();
    let header = |name| found.header(name).collect::<Vec<_>>();
    assert_eq!(header("x-tier"), ["gold", "silver"]);
    assert_eq!(header("X-TIER"), ["gold", "silver"]);
    assert_eq!(header("x-empty"), [""]);
    for absent in ["authorization", "cookie", "x-other", "x-bytes"] {
        assert_eq!(header(absent), [""; 0], "{absent}");
    }
    assert_eq!(found.parameter("room").collect::<Vec<_>>(), ["1", "3"]);
    assert_eq!(found.parameter("access_token").next(), None);
    assert_eq!(found.user(), None, "nobody looks");
    assert_eq!(looked_at.len(), 4);
}

#[test]
fn a_session_of_which_nothing_is_kept_owns_nothing() {
    let of = |looked_at: &LookedAt, identity: &Identity| {
        Attributes::of(looked_at, HEADERS.into_iter(), parameters(), identity)
    };
    let mut looked_at = LookedAt::default();
    assert!(looked_at.is_empty());
    assert_eq!(of(&looked_at, &person()), None);
    looked_at.add_header("x-absent");
    looked_at.add_user();
    assert_eq!(of(&looked_at, &Identity::default()), None);
    assert_eq!(of(&looked_at, &person()).unwrap().user(), Some("ada"));
}

#[test]
fn a_fresh_token_changes_what_the_token_says_and_nothing_else() {
    let mut looked_at = names(&["level"]);
    looked_at.add_header("x-tier");
    let identity = |level: u32| Identity {
        claims: claims(&json!({ "level": level }), &["level"]),
        ..Identity::default()
    };
    let held = Attributes::of(&looked_at, HEADERS.into_iter(), parameters(), &identity(1));
    let same = Attributes::renewed(held.as_ref(), &identity(1).claims, None).unwrap();
    assert!(Arc::ptr_eq(&same, held.as_ref().unwrap()));
    let other = Attributes::renewed(held.as_ref(), &identity(2).claims, Some(&"ada".into())).unwrap();
    assert_eq!(other.header("x-tier").collect::<Vec<_>>(), ["gold", "silver"]);
    assert_eq!(texts(other.claims().get("level")), ["2"]);
    assert_eq!(other.user(), Some("ada"));
    let first = Attributes::renewed(None, &identity(3).claims, None).unwrap();
    assert_eq!(texts(first.claims().get("level")), ["3"]);
    assert_eq!(Attributes::renewed(Some(&first), &Claims::default(), None), None);
}
