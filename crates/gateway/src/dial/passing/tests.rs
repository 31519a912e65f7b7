//! Which headers of a client a backend gets under which rules, and what is made of the session's names.

use std::sync::Arc;

use proptest::prelude::*;
use tidegate_model::{
    headers::{Rename, SetHeader},
    id::ApplicationId,
    policy::Policy,
    snapshot::{ApiFacts, ApplicationFacts},
    time::Timestamp,
};

use super::*;
use crate::testing::{self, request};

const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// Sevens for randomness.
struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn grant(rules: HeaderRules) -> Grant {
    let api = ApiFacts { headers: rules, ..testing::api() };
    let application = ApplicationFacts {
        id: ApplicationId::new(NOW, [2; 10]),
        name: "My App".to_owned(),
        ..testing::application()
    };
    Grant {
        key_manager: None,
        client_id: "client-1".into(),
        plan: Some(Arc::new(Policy { name: "Gold".to_owned(), ..Policy::default() })),
        ..testing::grant(api, application)
    }
}

fn opening(grant: &Grant) -> Opening<'_> {
    Opening {
        grant,
        subject: "ada@example.org",
        topic: "/rooms/a%20b;c",
        instance: "boot-1-42",
        address: IpAddr::from([192, 0, 2, 7]),
    }
}

/// What the backend gets but for `traceparent`, names in lower case.
fn passed(rules: HeaderRules, sent: &[(&str, &str)]) -> Vec<(String, String)> {
    let (grant, request) = (grant(rules), request(sent));
    let passing = Passing::new(&request, &opening(&grant), None, &Sevens);
    let text = |(name, value): (&str, Cow<'_, [u8]>)| {
        (name.to_ascii_lowercase(), String::from_utf8(value.into_owned()).unwrap())
    };
    passing.headers().into_iter().map(text).filter(|(name, _)| name != "traceparent").collect()
}

fn names(headers: &[(String, String)]) -> Vec<&str> {
    headers.iter().map(|(name, _)| &**name).collect()
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn set(name: &str, value: &str) -> SetHeader {
    SetHeader { name: name.to_owned(), value: value.to_owned() }
}

/// Sets one header to this, and answers what becomes of it for whom these are.
fn value_of(template: &str, change: impl FnOnce(&mut Grant)) -> Option<String> {
    let mut grant = grant(HeaderRules { set: vec![set("X", template)], ..HeaderRules::default() });
    change(&mut grant);
    let request = request(&[("X", "of the client")]);
    let passing = Passing::new(&request, &opening(&grant), None, &Sevens);
    let found = passing.headers().into_iter().find(|(name, _)| name.eq_ignore_ascii_case("x"));
    found.map(|(_, value)| String::from_utf8(value.into_owned()).unwrap())
}

fn named(application: &str) -> impl FnOnce(&mut Grant) {
    move |grant| Arc::make_mut(&mut grant.application).name = application.to_owned()
}

#[test]
fn without_rules_headers_go_on_but_for_the_gateways_own_and_credentials() {
    for name in ["Origin", "User-Agent", "X-Api-Version", "Pragma", "X-Websocket", "tracestates"] {
        let passed = passed(HeaderRules::default(), &[(name, "as written, with  blanks")]);
        assert_eq!(passed, [(name.to_ascii_lowercase(), "as written, with  blanks".to_owned())]);
    }
    for name in [
        "Authorization",
        "COOKIE",
        "Host",
        "Connection",
        "Upgrade",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Transfer_Encoding",
        "Content_Length",
        "Expect",
        "Forwarded",
        "Via",
        "Max-Forwards",
        "HTTP2-Settings",
        "Proxy_Authorization",
        "Proxy-Connection",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Protocol",
        "Sec_WebSocket_Key",
        "X-Forwarded-Port",
        "X_Forwarded_For",
        "X-Tidegate-Application",
        "X_Tidegate_User",
        "X-TIDEGATE-",
        "x_real-ip",
        "X-Request_Id",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-JWT-Assertion",
        "x_jwt_assertion",
        "tracestate",
    ] {
        let passed = passed(HeaderRules::default(), &[(name, "from-the-client")]);
        assert_eq!(passed, [], "{name}");
    }
}

#[test]
fn a_header_that_stands_twice_goes_on_twice_in_its_order() {
    let sent = [("X-Tag", "one"), ("Origin", "https://a.test"), ("X-Tag", "two")];
    assert_eq!(passed(HeaderRules::default(), &sent), sent.map(|(n, v)| (n.to_lowercase(), v.to_owned())));
}

#[test]
fn what_connection_names_stays_behind_whatever_the_rules_say() {
    let sent = [
        ("Connection", "Upgrade, X-Internal-User ,x_hop"),
        ("Connection", "X-Third"),
        ("X-Internal-User", "root"),
        ("X-Hop", "one"),
        ("X_Third", "two"),
        ("X-Other", "stays"),
    ];
    let rules = HeaderRules {
        allow: strings(&["X-Internal-User"]),
        rename: vec![Rename { from: "X-Third".to_owned(), to: "X-Other-Name".to_owned() }],
        ..HeaderRules::default()
    };
    for rules in [HeaderRules::default(), rules] {
        assert_eq!(passed(rules, &sent), [("x-other".to_owned(), "stays".to_owned())]);
    }
}

#[test]
fn connection_takes_nothing_away_that_is_set() {
    let rules = HeaderRules { set: vec![set("X-Plan", "{plan}")], ..HeaderRules::default() };
    let sent = [("Connection", "Upgrade, X-Plan, traceparent"), ("X-Plan", "Platinum")];
    assert_eq!(passed(rules, &sent), [("x-plan".to_owned(), "Gold".to_owned())]);
}

#[test]
fn listed_headers_alone_pass_where_others_do_not() {
    let rules = HeaderRules {
        forward: Forward::Listed,
        allow: strings(&["X-Device", "Origin"]),
        ..HeaderRules::default()
    };
    let sent = [("x_device", "7"), ("Origin", "o"), ("User-Agent", "u"), ("Cookie", "c"), ("X-Devices", "8")];
    assert_eq!(names(&passed(rules, &sent)), ["x_device", "origin"]);
}

#[test]
fn a_denied_header_passes_under_no_name_and_in_no_spelling() {
    let rules = HeaderRules {
        allow: strings(&["X-Debug"]),
        deny: strings(&["x-debug", "X-Two"]),
        rename: vec![Rename { from: "X-Two".to_owned(), to: "X-Three".to_owned() }],
        ..HeaderRules::default()
    };
    let sent = [("X-Debug", "1"), ("x_debug", "1"), ("X-TWO", "2"), ("X-Other", "3")];
    assert_eq!(names(&passed(rules, &sent)), ["x-other"]);
}

#[test]
fn a_renamed_header_has_its_new_name_to_itself() {
    let rename = |from: &str, to: &str| Rename { from: from.to_owned(), to: to.to_owned() };
    let rules = HeaderRules {
        forward: Forward::Listed,
        rename: vec![rename("X-Device", "Device-Id"), rename("X-A", "X-B"), rename("X-B", "X-A")],
        ..HeaderRules::default()
    };
    let sent =
        [("x_device", "7"), ("Device-Id", "forged"), ("device_id", "forged"), ("X-A", "a"), ("X-B", "b")];
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(passed(rules, &sent), [pair("device-id", "7"), pair("x-b", "a"), pair("x-a", "b")]);
}

#[test]
fn cookies_pass_by_name_and_the_gateways_credential_never() {
    let sent = [("Cookie", "c"), ("Authorization", "Bearer token")];
    for forward in Forward::ALL {
        let allow = strings(&["cookie", "Authorization"]);
        let rules = HeaderRules { forward, allow, ..HeaderRules::default() };
        assert_eq!(names(&passed(rules, &sent)), ["cookie"]);
        let rename = |from: &str, to: &str| Rename { from: from.to_owned(), to: to.to_owned() };
        let rename = vec![rename("Cookie", "X-Cookie"), rename("Authorization", "X-Token")];
        let rules = HeaderRules { forward, rename, ..HeaderRules::default() };
        assert_eq!(names(&passed(rules, &sent)), ["x-cookie"]);
    }
}

#[test]
fn what_is_set_stands_in_place_of_the_clients() {
    let rules = HeaderRules {
        allow: strings(&["X-App"]),
        rename: vec![Rename { from: "X-Device".to_owned(), to: "X-Plan".to_owned() }],
        set: vec![set("X-App", "{application}"), set("X-Plan", "{plan}")],
        ..HeaderRules::default()
    };
    let sent = [("X-App", "forged"), ("x_app", "forged"), ("X-Device", "forged"), ("X_Plan", "forged")];
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(passed(rules, &sent), [pair("x-app", "My%20App"), pair("x-plan", "Gold")]);
}

#[test]
fn rules_never_say_what_is_the_gateways_own() {
    // Such rules are refused where they are made; a gateway does not count on it.
    let rules = HeaderRules {
        allow: strings(&["X-Forwarded-For", "traceparent"]),
        rename: vec![Rename { from: "X-Me".to_owned(), to: "x_jwt_assertion".to_owned() }],
        set: vec![set("Host", "elsewhere"), set("X_Request_Id", "1")],
        ..HeaderRules::default()
    };
    let sent = [("X-Forwarded-For", "203.0.113.9"), ("X-Me", "forged")];
    assert_eq!(passed(rules, &sent), []);
}

#[test]
fn every_placeholder_says_what_it_is() {
    for (template, value) in [
        ("{subject}", "ada@example.org"),
        ("{client_id}", "client-1"),
        ("{application}", "My%20App"),
        ("{application_id}", &*ApplicationId::new(NOW, [2; 10]).to_string()),
        ("{plan}", "Gold"),
        ("{environment}", "production"),
        ("{api}", "Echo"),
        ("{version}", "1.0"),
        ("{topic}", "/rooms/a%20b%3Bc"),
        ("{session}", "boot-1-42"),
        ("{address}", "192.0.2.7"),
        ("as it stands; all of it", "as it stands; all of it"),
        ("{api}/{version} by {address}", "Echo/1.0 by 192.0.2.7"),
        ("<{subject}>", "<ada%40example.org>"),
    ] {
        assert_eq!(value_of(template, |_| {}).as_deref(), Some(value), "{template}");
    }
    let none = |grant: &mut Grant| grant.plan = None;
    assert_eq!(value_of("{plan}", none).as_deref(), Some(""));
}

#[test]
fn no_name_ends_a_line_or_becomes_a_part_of_the_text() {
    for (name, alone, among) in [
        ("a\r\nX-Admin: yes", "a%0D%0AX-Admin:%20yes", "a%0D%0AX-Admin%3A%20yes"),
        ("a\0b\u{7f}\t", "a%00b%7F%09", "a%00b%7F%09"),
        ("Böse \u{2028}", "B%C3%B6se%20%E2%80%A8", "B%C3%B6se%20%E2%80%A8"),
        ("a;plan=Platinum, b", "a%3Bplan=Platinum%2C%20b", "a%3Bplan%3DPlatinum%2C%20b"),
        ("100%25", "100%2525", "100%2525"),
        ("{subject}", "{subject}", "%7Bsubject%7D"),
    ] {
        assert_eq!(value_of("{application}", named(name)).as_deref(), Some(alone), "{name:?}");
        assert_eq!(value_of("app={application};", named(name)), Some(format!("app={among};")), "{name:?}");
    }
}

#[test]
fn a_value_that_would_be_too_long_is_not_said_and_the_clients_neither() {
    assert_eq!(
        value_of("{application}", named(&"a".repeat(VALUE_BYTES_MAX))).unwrap().len(),
        VALUE_BYTES_MAX
    );
    assert_eq!(value_of("{application}", named(&"a".repeat(VALUE_BYTES_MAX + 1))), None);
    assert_eq!(value_of(&"{application}".repeat(70), named(&"ä".repeat(30))), None);
}

#[test]
fn a_trace_goes_on_or_begins() {
    let grant = grant(HeaderRules::default());
    let told = |sent: &[(&str, &str)]| {
        let request = request(sent);
        let passing = Passing::new(&request, &opening(&grant), None, &Sevens);
        let text = |(name, value): (&str, Cow<'_, [u8]>)| {
            (name.to_owned(), String::from_utf8(value.into_owned()).unwrap())
        };
        let headers: Vec<_> = passing.headers().into_iter().map(text).collect();
        assert_eq!(headers[0].0, "traceparent");
        assert!(headers[0].1.contains(&passing.trace_id().to_string()));
        headers
    };
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let (sevens, parent) = ("07".repeat(16), "07".repeat(8));
    let valid = format!("00-{id}-00f067aa0ba902b7-fd");
    let with_state = [("tracestate", "a=1"), ("TraceParent", &*valid), ("tracestate", "b=2")];
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let traceparent = pair("traceparent", &format!("00-{id}-{parent}-01"));
    assert_eq!(told(&with_state), [traceparent, pair("tracestate", "a=1"), pair("tracestate", "b=2")]);
    let begun = [pair("traceparent", &format!("00-{sevens}-{parent}-01"))];
    assert_eq!(told(&[]), begun);
    assert_eq!(told(&[("tracestate", "a=1")]), begun);
    assert_eq!(told(&[("traceparent", "00-nonsense"), ("tracestate", "a=1")]), begun);
    assert_eq!(told(&[("traceparent", &valid), ("traceparent", &valid), ("tracestate", "a=1")]), begun);
}

/// Names that mean something to the gateway, in any case and with underscores, and one that does not.
fn header_name() -> impl Strategy<Value = String> {
    let known = [
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "host",
        "sec-websocket-key",
        "tracestate",
        "x-forwarded-for",
        "x-jwt-assertion",
        "x-plan",
        "x-request-id",
        "x-tag",
    ];
    (proptest::sample::select(known.to_vec()), any::<u64>()).prop_map(|(name, dice)| {
        let spelled = name.char_indices().map(|(at, c)| match (c, dice >> (at % 32) & 3) {
            ('-', 0 | 1) => '_',
            (c, 2) => c.to_ascii_uppercase(),
            (c, _) => c,
        });
        spelled.collect()
    })
}

proptest! {
    #[test]
    fn no_client_adds_or_removes_what_the_gateway_says(
        sent in proptest::collection::vec((header_name(), "[ -~]{0,20}"), 0..12),
        named in proptest::collection::vec(header_name(), 0..6),
    ) {
        let connection = named.join(", ");
        let mut sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (&**name, &**value)).collect();
        sent.push(("connection", &connection));
        let rules = || HeaderRules { set: vec![set("X-Plan", "{plan}")], ..HeaderRules::default() };
        let of_ours: Vec<_> =
            passed(rules(), &sent).into_iter().filter(|(name, _)| !is_same_name(name, "x-tag")).collect();
        prop_assert_eq!(of_ours, passed(rules(), &[]));
    }

    /// Whatever somebody is called, the head has the lines it should have, and its values can be read back.
    #[test]
    fn whatever_a_name_holds_stays_one_value(name in any::<String>(), template in "[a-z=; ]{0,8}\\{application\\}[a-z=; ]{0,8}") {
        let value = value_of(&template, named_as(name.clone()));
        if let Some(value) = value {
            prop_assert!(value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
            let (before, after) = template.split_once("{application}").unwrap();
            let middle = &value[before.len()..value.len() - after.len()];
            prop_assert!(!middle.contains([' ', ';', ',', '"']));
            let read = percent_decoded(middle);
            prop_assert_eq!(read, name);
        } else {
            prop_assert!(name.len() * 3 > VALUE_BYTES_MAX);
        }
    }
}

fn named_as(application: String) -> impl FnOnce(&mut Grant) {
    move |grant| Arc::make_mut(&mut grant.application).name = application
}

/// What any decoder of RFC 3986 reads.
fn percent_decoded(text: &str) -> String {
    let escaped = text.replace('+', "%2B");
    let pair = format!("x={escaped}").replace('&', "%26");
    url::form_urlencoded::parse(pair.as_bytes()).next().unwrap().1.into_owned()
}
