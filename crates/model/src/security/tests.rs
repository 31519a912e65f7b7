//! Which pages may connect, and which entries name pages.

use super::*;

fn named(origins: &[&str]) -> Security {
    Security { origins: origins.iter().map(|&origin| origin.to_owned()).collect(), ..Security::default() }
}

fn permits(security: &Security, origin: &str, is_ambient: bool) -> bool {
    security.permits_origin([origin.as_bytes()], is_ambient)
}

#[test]
fn only_named_pages_pass_a_list() {
    let security = named(&["https://good.test", "https://app.good.test:8443", "http://localhost:3000"]);
    for origin in ["https://good.test", "https://app.good.test:8443", "http://localhost:3000"] {
        assert!(permits(&security, origin, false) && permits(&security, origin, true), "{origin}");
    }
    // Row H1 of the catalogue of attacks: another host, the host as a prefix, a suffix and a part, port, scheme, case,
    // trailing dot, IDN, nothing, and what is no origin.
    for origin in [
        "https://evil.test",
        "https://good.test.evil",
        "https://evilgood.test",
        "https://evil-good.test",
        "https://evil.test/good.test",
        "https://evil.test?https://good.test",
        "https://good.test@evil.test",
        "https://good.test:8443",
        "https://good.test:443",
        "https://app.good.test",
        "http://good.test",
        "wss://good.test",
        "HTTPS://GOOD.TEST",
        "https://Good.test",
        "https://good.test.",
        "https://gооd.test",
        "https://xn--gd-jbca.test",
        "https://good.test/",
        "https://good.test ",
        " https://good.test",
        "good.test",
        "null",
        "*",
        "",
    ] {
        for is_ambient in [false, true] {
            assert!(!permits(&security, origin, is_ambient), "{origin:?}");
        }
    }
    assert!(!security.permits_origin([&b"https://good.test\xff"[..]], false), "not UTF-8");
}

#[test]
fn a_wildcard_is_one_whole_label() {
    let security = named(&["https://*.good.test", "https://*.other.test:8443"]);
    for origin in ["https://a.good.test", "https://a-b_1.good.test", "https://a.other.test:8443"] {
        assert!(permits(&security, origin, false), "{origin}");
    }
    for origin in [
        "https://good.test",
        "https://.good.test",
        "https://a.b.good.test",
        "https://evilgood.test",
        "https://evil.test/.good.test",
        "https://evil.test#.good.test",
        "https://evil.test@a.good.test",
        "https://evil.test:1.good.test",
        "https://A.good.test",
        "https://*.good.test.evil",
        "http://a.good.test",
        "https://a.good.test:8443",
        "https://a.other.test",
        "https://a.good.test.",
        "https://ä.good.test",
    ] {
        assert!(!permits(&security, origin, false), "{origin}");
    }
}

#[test]
fn without_a_list_only_what_a_page_had_to_know_opens_a_session() {
    let security = Security::default();
    for origin in ["https://any.test", "null"] {
        assert!(permits(&security, origin, false), "{origin}: the page itself holds the token");
        assert!(!permits(&security, origin, true), "{origin}: the browser added it");
    }
}

#[test]
fn all_pages_are_not_meant_where_the_browser_adds_something() {
    let security = named(&["*", "https://good.test"]);
    assert!(permits(&security, "https://any.test", false) && permits(&security, "null", false));
    assert!(!permits(&security, "https://any.test", true));
    assert!(permits(&security, "https://good.test", true));
}

#[test]
fn pages_without_an_origin_are_named_as_such() {
    assert!(permits(&named(&["null"]), "null", true));
    assert!(!permits(&named(&["https://good.test"]), "null", false));
}

#[test]
fn programs_send_no_origin_and_nobody_sends_two() {
    for security in [Security::default(), named(&["https://good.test"])] {
        assert!(security.permits_origin(None, false) && security.permits_origin(None, true));
        let two: [&[u8]; 2] = [b"https://good.test", b"https://good.test"];
        assert!(!security.permits_origin(two, false), "which of them?");
    }
}

#[test]
fn entries_that_no_browser_would_send_are_refused() {
    for entry in [
        "*",
        "null",
        "https://good.test",
        "http://localhost:3000",
        "http://127.0.0.1:8080",
        "https://[::1]:8443",
        "https://*.good.test",
        "https://xn--bcher-kva.test",
        "chrome-extension://abcdefghijklmnop",
    ] {
        assert_eq!(check_origin(entry), Ok(()), "{entry}");
    }
    for (entry, why) in [
        ("good.test", BadOrigin::Shape),
        ("//good.test", BadOrigin::Shape),
        ("1http://good.test", BadOrigin::Shape),
        ("https://good.test/", BadOrigin::Path),
        ("https://good.test/path", BadOrigin::Path),
        ("https://user@good.test", BadOrigin::Path),
        ("https://Good.test", BadOrigin::Case),
        ("HTTPS://good.test", BadOrigin::Case),
        ("https://good.test.", BadOrigin::Host),
        ("https://", BadOrigin::Host),
        ("https://bücher.test", BadOrigin::Host),
        ("https://good test", BadOrigin::Host),
        ("https://[::1", BadOrigin::Host),
        ("https://[0:0::1]", BadOrigin::Host),
        ("https://*", BadOrigin::Wildcard),
        ("https://*.test", BadOrigin::Wildcard),
        ("https://*.*.test", BadOrigin::Wildcard),
        ("https://a*.good.test", BadOrigin::Wildcard),
        ("https://a.*.test", BadOrigin::Wildcard),
        ("https://good.test:443", BadOrigin::Port),
        ("http://good.test:80", BadOrigin::Port),
        ("https://good.test:", BadOrigin::Port),
        ("https://good.test:0", BadOrigin::Port),
        ("https://good.test:08", BadOrigin::Port),
        ("https://good.test:99999", BadOrigin::Port),
    ] {
        assert_eq!(check_origin(entry), Err(why), "{entry}");
    }
}

#[test]
fn a_design_from_before_accepts_what_it_accepted() {
    let read: Security = serde_json::from_str("{}").unwrap();
    assert_eq!(read, Security::default());
    assert!(Way::ALL.into_iter().filter(|way| way.kind() == Kind::OAuth).all(|way| read.accepts(way)));
    for way in Way::ALL {
        assert_eq!(Way::parse(way.as_str()), Some(way));
        assert_eq!(serde_json::to_value(way).unwrap(), way.as_str());
    }
}
