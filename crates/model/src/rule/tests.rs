//! One table per field: what is accepted, and which code a refusal carries.

use super::*;
use crate::{
    endpoint::{BackendTls, Balance, CONNECT_TIMEOUT, Credential, Endpoint, HANDSHAKE_TIMEOUT, IDLE_TIMEOUT},
    headers::{HeaderRules, Rename, SetHeader},
    security::Security,
    user::Secret,
};

fn codes(check: impl Fn(&mut Problems)) -> Vec<&'static str> {
    let mut problems = Vec::new();
    check(&mut problems);
    problems.into_iter().map(|problem| problem.code).collect()
}

#[test]
fn names() {
    for (text, expected) in [
        ("EchoWebSocket", vec![]),
        ("Grüße an alle", vec![]),
        ("", vec!["required"]),
        (" x", vec!["stray_space"]),
        ("a  b", vec!["stray_space"]),
        ("a/b", vec!["illegal_character"]),
        ("a\u{7}", vec!["illegal_character"]),
        (&"é".repeat(50), vec![]),
        (&"é".repeat(51), vec!["too_long"]),
    ] {
        assert_eq!(codes(|p| name("/name", text, p)), expected, "{text:?}");
    }
    for bad in RESERVED.chars() {
        assert_eq!(codes(|p| name("/name", &format!("a{bad}b"), p)), ["illegal_character"], "{bad:?}");
    }
}

#[test]
fn versions() {
    for (text, expected) in [
        ("1.0", vec![]),
        ("v2-beta_3", vec![]),
        ("", vec!["required"]),
        ("1 0", vec!["illegal_character"]),
        ("1/0", vec!["illegal_character"]),
        ("..", vec!["illegal_character"]),
        ("één", vec!["illegal_character"]),
        (&"1".repeat(31), vec!["too_long"]),
    ] {
        assert_eq!(codes(|p| version("/version", text, p)), expected, "{text:?}");
    }
}

#[test]
fn contexts() {
    for (text, expected) in [
        ("/echowebsocket", vec![]),
        ("/a/{version}/b", vec![]),
        ("/a(b)", vec![]),
        ("", vec!["required"]),
        ("/", vec!["required"]),
        ("/a/", vec!["trailing_slash"]),
        ("/a//b", vec!["empty_segment"]),
        ("/a/../b", vec!["empty_segment"]),
        ("/a b", vec!["illegal_character"]),
        ("/a?b", vec!["illegal_character"]),
        ("/t/a", vec!["reserved"]),
        ("/a/t/b", vec!["reserved"]),
        ("/a/{version}/{version}", vec!["version_template"]),
        ("/a/x{version}", vec!["version_template"]),
        ("/a/{b}", vec!["version_template"]),
        ("/a)b(", vec!["unbalanced"]),
        ("/a(b", vec!["unbalanced"]),
        (&format!("/{}", "a".repeat(199)), vec![]),
        (&format!("/{}", "a".repeat(200)), vec!["too_long"]),
    ] {
        assert_eq!(codes(|p| context("/context", text, p)), expected, "{text:?}");
    }
    assert_eq!(normal_context("echo"), "/echo");
    assert_eq!(normal_context("/echo"), "/echo");
}

#[test]
fn endpoint_addresses() {
    for (text, expected) in [
        ("ws://localhost:9098", vec![]),
        ("wss://echo.example:443/path?x=1", vec![]),
        ("ws://[::1]:80/", vec![]),
        ("", vec!["required"]),
        ("http://a", vec!["scheme"]),
        ("WS://a", vec!["scheme"]),
        ("ws:/a", vec!["scheme"]),
        ("ws://", vec!["malformed"]),
        ("ws://a b", vec!["illegal_character"]),
        ("ws://u:p@a", vec!["credentials"]),
        ("ws://a/#x", vec!["fragment"]),
        ("ws://a:0/", vec!["port"]),
        ("ws://a:99999/", vec!["malformed"]),
    ] {
        assert_eq!(codes(|p| endpoint_url("/url", text, p)), expected, "{text:?}");
    }
}

#[test]
fn timeouts_have_bounds_that_hold_their_defaults() {
    for bounds in [CONNECT_TIMEOUT, HANDSHAKE_TIMEOUT, IDLE_TIMEOUT] {
        assert!(bounds.min <= bounds.default && bounds.default <= bounds.max);
    }
    let mut endpoint = Endpoint::new("ws://a");
    assert_eq!(codes(|p| super::endpoint("", &endpoint, p)), Vec::<&str>::new());
    endpoint.idle_timeout_ms = IDLE_TIMEOUT.max + 1;
    endpoint.connect_timeout_ms = CONNECT_TIMEOUT.min - 1;
    assert_eq!(codes(|p| super::endpoint("", &endpoint, p)), ["out_of_range", "out_of_range"]);
}

fn endpoint_codes(change: impl FnOnce(&mut Endpoint)) -> Vec<(String, &'static str)> {
    let mut found = Endpoint::new("wss://a");
    change(&mut found);
    let mut problems = Vec::new();
    endpoint("", &found, &mut problems);
    problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect()
}

fn at(pointer: &str, code: &'static str) -> Vec<(String, &'static str)> {
    vec![(pointer.to_owned(), code)]
}

#[test]
fn credentials_of_endpoints() {
    let secret = |text: &str| Secret(text.to_owned());
    let basic = |username: &str, password: &str| {
        let credential = Credential::Basic { username: username.to_owned(), password: secret(password) };
        endpoint_codes(|endpoint| *endpoint.credential = credential)
    };
    assert_eq!(basic("me", "x"), []);
    assert_eq!(basic("me", ""), at("/credential/password", "required"));
    assert_eq!(basic("a:b", "x"), at("/credential/username", "illegal_character"));
    assert_eq!(basic("me", "a\r\nb"), at("/credential/password", "illegal_character"));
    let header = |name: &str| {
        let credential = Credential::Header { name: name.to_owned(), value: secret("x") };
        endpoint_codes(|endpoint| *endpoint.credential = credential)
    };
    assert_eq!(header("X-Api-Key"), []);
    assert_eq!(header("Authorization"), []);
    assert_eq!(header("Host"), at("/credential/name", "reserved"));
    assert_eq!(header("x y"), at("/credential/name", "illegal_character"));
    let oauth = |token_url: &str| {
        let credential = Credential::OAuth {
            token_url: token_url.to_owned(),
            client_id: "id".to_owned(),
            client_secret: secret("x"),
            scope: String::new(),
        };
        endpoint_codes(|endpoint| *endpoint.credential = credential)
    };
    assert_eq!(oauth("https://issuer/token"), []);
    assert_eq!(oauth("ftp://issuer/token"), at("/credential/token_url", "scheme"));
    assert_eq!(oauth("https://me:pw@issuer/token"), at("/credential/token_url", "credentials"));
}

#[test]
fn trust_and_checks_of_endpoints() {
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let tls = |change: fn(&mut BackendTls, &str, &str)| {
        endpoint_codes(|endpoint| change(&mut endpoint.tls, pem, key))
    };
    assert_eq!(tls(|tls, pem, _| tls.authorities = pem.repeat(2)), []);
    assert_eq!(tls(|tls, _, _| tls.authorities = "x".to_owned()), at("/tls/authorities", "malformed"));
    assert_eq!(
        tls(|tls, pem, _| tls.authorities = pem[..40].to_owned()),
        at("/tls/authorities", "malformed")
    );
    assert_eq!(tls(|tls, pem, _| tls.client_certificate = pem.to_owned()), at("/tls/client_key", "required"));
    assert_eq!(
        tls(|tls, _, key| tls.client_key = Secret(key.to_owned())),
        at("/tls/client_certificate", "required")
    );
    assert_eq!(tls(|tls, _, _| tls.server_name = "a b".to_owned()), at("/tls/server_name", "malformed"));
    let interval = |millis| endpoint_codes(|endpoint| endpoint.health.interval_ms = millis);
    assert_eq!((interval(0), interval(100)), (vec![], vec![]));
    assert_eq!(interval(99), at("/health/interval_ms", "out_of_range"));
    let sticky = |name: &str| {
        endpoint_codes(|endpoint| {
            endpoint.balance = Balance::StickyHeader;
            endpoint.sticky_header = name.to_owned();
        })
    };
    assert_eq!((sticky("X-Device"), sticky("")), (vec![], at("/sticky_header", "required")));
}

#[test]
fn rules_for_headers() {
    let told = |rules: HeaderRules| {
        let mut problems = Vec::new();
        headers("/headers", &rules, &mut problems);
        problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect::<Vec<_>>()
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let fine = HeaderRules {
        allow: names(&["Cookie"]),
        deny: names(&["X-Debug"]),
        rename: vec![Rename { from: "X-A".to_owned(), to: "X-B".to_owned() }],
        set: vec![SetHeader { name: "X-Plan".to_owned(), value: "{plan}".to_owned() }],
        ..HeaderRules::default()
    };
    assert_eq!(told(fine), []);
    for name in ["Connection", "sec_websocket_key", "X-Forwarded-For", "traceparent", "Transfer-Encoding"] {
        let rules = HeaderRules { deny: names(&[name]), ..HeaderRules::default() };
        assert_eq!(told(rules), at("/headers/deny/0", "reserved"), "{name}");
    }
    let rules = HeaderRules { allow: names(&["Authorization"]), ..HeaderRules::default() };
    assert_eq!(told(rules), at("/headers/allow/0", "reserved"));
    let rules = HeaderRules { deny: names(&["X-A", "x-a"]), ..HeaderRules::default() };
    assert_eq!(told(rules), at("/headers/deny/1", "duplicate"));
    let set = |value: &str| {
        let set = vec![SetHeader { name: "X-A".to_owned(), value: value.to_owned() }];
        told(HeaderRules { set, ..HeaderRules::default() })
    };
    assert_eq!(set("{secret}"), at("/headers/set/0/value", "unknown_placeholder"));
    assert_eq!(set("a\r\nX-B: c"), at("/headers/set/0/value", "illegal_character"));
}

#[test]
fn securities() {
    use crate::security::{ORIGINS_MAX, Way};
    let told = |security: Security, headers: HeaderRules| {
        let mut problems = Vec::new();
        super::security("/security", &security, &headers, &mut problems);
        problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect::<Vec<_>>()
    };
    let named = |origins: &[&str]| Security {
        origins: origins.iter().map(|&origin| origin.to_owned()).collect(),
        ..Security::default()
    };
    let headers = HeaderRules::default;
    assert_eq!(told(Security::default(), headers()), []);
    let one = Security { accepts: [Way::OAuthHeader].into(), ..Security::default() };
    assert_eq!(told(one, headers()), []);
    let none = Security { accepts: [].into(), ..Security::default() };
    assert_eq!(told(none, headers()), [("/security/accepts".to_owned(), "required")]);
    assert_eq!(told(named(&["https://good.test", "https://*.apps.test", "null", "*"]), headers()), []);
    let at = |place: usize, code| (format!("/security/origins/{place}"), code);
    let bad = named(&["https://good.test", "https://good.test", "https://good.test/", ""]);
    assert_eq!(told(bad, headers()), [at(1, "duplicate"), at(2, "malformed"), at(3, "malformed")]);
    let long = format!("https://{}.test", "a".repeat(300));
    assert_eq!(told(named(&[&long]), headers()), [at(0, "too_long")]);
    let many: Vec<_> = (0..=ORIGINS_MAX).map(|number| format!("https://a{number}.test")).collect();
    let many = named(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(told(many, headers()), [("/security/origins".to_owned(), "too_many")]);
    // What any page may do with a person's cookie, any page does.
    let cookies = [
        HeaderRules { allow: vec!["Cookie".to_owned()], ..headers() },
        HeaderRules {
            rename: vec![Rename { from: "cookie".to_owned(), to: "X-Cookie".to_owned() }],
            ..headers()
        },
    ];
    for headers in cookies {
        assert_eq!(told(named(&["*"]), headers.clone()), [at(0, "unsafe")]);
        assert_eq!(told(named(&["https://good.test"]), headers), []);
    }
}

#[test]
fn names_of_api_keys_in_requests() {
    use crate::security::Way;
    let told = |header: &str, query: &str, headers: HeaderRules| {
        let (api_key_header, api_key_query) = (header.to_owned(), query.to_owned());
        let accepts = [Way::ApiKeyHeader, Way::ApiKeyQuery].into();
        let security = Security { accepts, api_key_header, api_key_query, ..Security::default() };
        let mut problems = Vec::new();
        super::security("/security", &security, &headers, &mut problems);
        problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect::<Vec<_>>()
    };
    let headers = HeaderRules::default;
    let at = |leaf: &str, code| (format!("/security/{leaf}"), code);
    assert_eq!(told("X-Api-Key", "key", headers()), []);
    for name in ["Authorization", "cookie", "Origin", "Sec-WebSocket-Key", "Host", "X_Forwarded_For"] {
        assert_eq!(told(name, "key", headers()), [at("api_key_header", "reserved")], "{name}");
    }
    assert_eq!(told("", "key", headers()), [at("api_key_header", "required")]);
    assert_eq!(told("a b", "key", headers()), [at("api_key_header", "illegal_character")]);
    for (name, code) in [
        ("", "required"),
        ("access_token", "reserved"),
        ("a&b", "illegal_character"),
        (&"a".repeat(65), "too_long"),
    ] {
        assert_eq!(told("ApiKey", name, headers()), [at("api_key_query", code)], "{name}");
    }
    let passed = HeaderRules { allow: vec!["X_Api_Key".to_owned()], ..headers() };
    assert_eq!(told("X-Api-Key", "key", passed), [("/headers/allow/0".to_owned(), "reserved")]);
}

#[test]
fn api_keys() {
    use crate::{
        application::{API_KEY_PLACES_MAX, ApiKey},
        endpoint::Environment,
        id::{ApiKeyId, ApplicationId},
        time::Timestamp,
    };
    const NOW: Timestamp = Timestamp(1_000);
    let usual = || ApiKey {
        id: ApiKeyId::new(NOW, [1; 10]),
        application: ApplicationId::new(NOW, [2; 10]),
        environment: Environment::Production,
        name: "Station".to_owned(),
        prefix: "tgk_abcdef".to_owned(),
        hash: Secret::default(),
        expires_at: None,
        addresses: Vec::new(),
        referers: Vec::new(),
        created_at: NOW,
    };
    let told = |key: ApiKey| codes(|problems| api_key(&key, NOW, problems));
    assert_eq!(told(usual()), [""; 0]);
    for (name, code) in [("", "required"), (" ", "required"), ("a\u{7}", "illegal_character")] {
        assert_eq!(told(ApiKey { name: name.to_owned(), ..usual() }), [code], "{name:?}");
    }
    assert_eq!(told(ApiKey { name: "a".repeat(101), ..usual() }), ["too_long"]);
    assert_eq!(told(ApiKey { expires_at: Some(NOW), ..usual() }), ["out_of_range"]);
    assert_eq!(told(ApiKey { expires_at: Some(NOW.plus_millis(1)), ..usual() }), [""; 0]);
    let named = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let addresses = named(&["192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "::1"]);
    assert_eq!(told(ApiKey { addresses, ..usual() }), [""; 0]);
    for bad in ["", "10.0.0.0/33", "host.test", "10.0.0.1,10.0.0.2"] {
        assert_eq!(told(ApiKey { addresses: named(&[bad]), ..usual() }), ["malformed"], "{bad:?}");
    }
    let referers = named(&["https://app.test", "https://*.apps.test"]);
    assert_eq!(told(ApiKey { referers, ..usual() }), [""; 0]);
    for bad in ["*", "null", "app.test", "https://app.test/page"] {
        assert_eq!(told(ApiKey { referers: named(&[bad]), ..usual() }), ["malformed"], "{bad:?}");
    }
    let many = vec!["10.0.0.1".to_owned(); API_KEY_PLACES_MAX + 1];
    assert_eq!(told(ApiKey { addresses: many, ..usual() }), ["too_many"]);
}
