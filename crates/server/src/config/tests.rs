//! What is written and what is meant, and that all problems come at once.

use std::num::NonZeroU32;

use super::*;

fn resolved(raw: RawServe) -> Serve {
    let raw = RawServe { data: Some(PathBuf::from("/d")), ..raw };
    raw.resolve(None).expect("nothing is wrong")
}

#[test]
fn defaults_listen_everywhere_but_for_the_echo() {
    let config = resolved(RawServe::default());
    assert_eq!(config.portal.to_string(), "port 9443");
    assert_eq!((config.ws.to_string(), config.wss.to_string()), ("port 9099".into(), "port 8099".into()));
    assert_eq!((config.host.as_str(), config.demo, config.workers), ("localhost", false, None));
    assert_eq!(config.echo, None);
    let config = resolved(RawServe { demo: Some("true".into()), ..RawServe::default() });
    assert_eq!(config.echo.expect("the demo needs it").to_string(), "localhost:9098");
    let config = resolved(RawServe { echo: Some("7".into()), ..RawServe::default() });
    assert_eq!(config.echo.expect("it was asked for").to_string(), "port 7");
}

#[test]
fn signing_keys_are_as_written() {
    let keys = |algorithm: Option<&str>, days: Option<&str>| {
        let written = |text: Option<&str>| text.map(str::to_owned);
        let keys = RawKeys { signing_algorithm: written(algorithm), rotate_keys: written(days) };
        let keys = resolved(RawServe { keys, ..RawServe::default() }).keys;
        (keys.algorithm.name(), keys.rotate_after_days.map_or(0, NonZeroU32::get))
    };
    assert_eq!(keys(None, None), ("ES256", 90));
    assert_eq!(keys(Some("eddsa"), Some("0")), ("EdDSA", 0));
    assert_eq!(keys(Some(" RS256 "), Some("3650")), ("RS256", 3_650));
}

#[test]
fn budgets_are_shared_in_the_redis_that_is_named() {
    let redis = |url: Option<&str>, lost: Option<&str>| {
        let written = |text: Option<&str>| text.map(str::to_owned);
        let redis = RawRedis { redis: written(url), redis_lost: written(lost) };
        let redis = resolved(RawServe { redis, ..RawServe::default() }).redis;
        (redis.at.map(|at| at.place().to_owned()), redis.when_alone.as_str())
    };
    assert_eq!(redis(None, None), (None, "share"));
    assert_eq!(redis(Some(""), Some(" closed ")), (None, "closed"));
    assert_eq!(redis(Some("redis://:hush@cache:6380/2"), None), (Some("cache:6380".to_owned()), "share"));
    let wrong = RawRedis { redis: Some("rediss://:hush@cache".into()), redis_lost: Some("open".into()) };
    let problems = RawServe { redis: wrong, data: Some("/d".into()), ..RawServe::default() }.resolve(None);
    let said = problems.unwrap_err().to_string();
    assert!(said.contains("--redis (TIDEGATE_REDIS): ") && said.contains("“open”"), "{said}");
    assert!(!said.contains("hush"), "{said}");
}

#[test]
fn all_problems_come_at_once() {
    let raw = RawServe {
        demo: Some("perhaps".into()),
        data: None,
        secrets_key_file: None,
        portal: Some("x".into()),
        ws: Some("example.com:80".into()),
        wss: Some("70000".into()),
        echo: Some("[1.2.3.4]:1".into()),
        host: Some("https://a".into()),
        workers: Some("0".into()),
        certificate: RawCertificate { tls_cert: None, tls_key: Some("key.pem".into()) },
        clients: RawClients {
            trusted_proxies: Some("x".into()),
            client_cert: Some("maybe".into()),
            ask_certificates: Some("perhaps".into()),
            proxy_protocol: Some("maybe".into()),
            query_credentials: Some("perhaps".into()),
            connections_per_address: Some("-1".into()),
        },
        backends: RawBackends { backend_allow: Some("a".into()), backend_deny: Some("10.0.0.0/40".into()) },
        keys: RawKeys { signing_algorithm: Some("HS256".into()), rotate_keys: Some("-1".into()) },
        redis: RawRedis { redis: Some("cache:6379".into()), redis_lost: Some("no".into()) },
        socket_buffer: Some("3".into()),
    };
    let problems = raw.resolve(Some("short".into())).expect_err("everything is wrong");
    let keys: Vec<_> = problems.0.iter().map(|problem| problem.key.as_str()).collect();
    for flag in [
        "--demo",
        "--portal",
        "--ws",
        "--wss",
        "--echo",
        "--host",
        "--tls-cert",
        "--trusted-proxies",
        "--client-cert",
        "--ask-certificates",
        "--proxy-protocol",
        "--query-credentials",
        "--connections-per-address",
        "--backend-allow",
        "--backend-deny",
        "--redis",
        "--redis-lost",
        "--signing-algorithm",
        "--rotate-keys",
        "--workers",
        ADMIN_PASSWORD,
    ] {
        assert!(keys.iter().any(|key| key.split(' ').next() == Some(flag)), "{flag} is not in {keys:?}");
    }
    assert!(!problems.to_string().contains("short:"), "a password is never repeated");
}

#[test]
fn addresses_are_read() {
    for (written, shown) in [
        ("0", "port 0"),
        (":80", "port 80"),
        ("*:80", "port 80"),
        ("[::]:80", "port 80"),
        ("127.0.0.1:0", "127.0.0.1:0"),
        ("[::1]:5", "[::1]:5"),
        ("localhost:5", "localhost:5"),
        ("0.0.0.0:5", "0.0.0.0:5"),
    ] {
        let read = Listen::parse("--ws", "TIDEGATE_WS", written).expect(written);
        assert_eq!(read.to_string(), shown);
    }
    for written in ["", "a", "1.2.3.4", "::1", "a:1", "[::1]", "-1", "65536"] {
        assert!(Listen::parse("--ws", "TIDEGATE_WS", written).is_err(), "{written:?}");
    }
}

#[test]
fn the_kernels_buffers_are_bounded_unless_that_is_declined() {
    let bytes = |written: Option<&str>| {
        let socket_buffer = written.map(str::to_owned);
        resolved(RawServe { socket_buffer, ..RawServe::default() }).socket_buffer_bytes
    };
    assert_eq!(bytes(None), Some(128 * 1_024));
    assert_eq!(bytes(Some("4")), Some(4_096));
    assert_eq!(bytes(Some("0")), None);
}

#[test]
fn trusted_proxies_are_networks() {
    let clients = |trusted_proxies: &str| {
        let clients = RawClients { trusted_proxies: Some(trusted_proxies.into()), ..RawClients::default() };
        RawServe { clients, ..RawServe::default() }
    };
    let config = resolved(clients("10.0.0.0/8, ::1"));
    assert!(config.clients.trusted.trusts("10.1.2.3".parse().expect("an address")));
    let problems = clients("proxy.example").resolve(None).expect_err("a name is no network").to_string();
    assert!(
        problems.starts_with("--trusted-proxies (TIDEGATE_TRUSTED_PROXIES): “proxy.example”"),
        "{problems}"
    );
}

#[test]
fn networks_of_backends_are_read() {
    let config = resolved(RawServe::default());
    assert!(config.backends.allow.is_empty() && config.backends.deny.is_empty());
    let backends = RawBackends { backend_allow: Some("10.0.0.0/8, fd00::/8".into()), backend_deny: None };
    let config = resolved(RawServe { backends, ..RawServe::default() });
    assert!(config.backends.allow.contains("fd00::1".parse().expect("an address")));
    assert!(!config.backends.allow.contains("192.168.0.1".parse().expect("an address")));
}

#[test]
fn host_names_are_names_alone() {
    for (written, meant) in [
        ("Example.COM", Some("example.com")),
        ("[::1]", Some("::1")),
        ("10.0.0.1", Some("10.0.0.1")),
        ("a:1", None),
        ("a/b", None),
        ("-a", None),
        ("a..b", None),
        ("", None),
    ] {
        assert_eq!(host(written).ok().as_deref(), meant, "{written:?}");
    }
}

#[test]
fn a_port_in_use_is_told_with_its_flag() {
    let taken =
        Listen::parse("--ws", "TIDEGATE_WS", "localhost:0").expect("fine").bind().expect("a free port");
    let error = Listen::parse("--wss", "TIDEGATE_WSS", &format!("127.0.0.1:{}", taken.port))
        .expect("fine")
        .bind()
        .expect_err("it is taken");
    let text = error.to_string();
    assert!(text.contains("--wss (TIDEGATE_WSS)") && text.contains(&taken.port.to_string()), "{text}");
    assert!(!text.contains('\n'));
}

#[test]
fn localhost_is_one_port_on_both_loopbacks() {
    let bound =
        Listen::parse("--ws", "TIDEGATE_WS", "localhost:0").expect("fine").bind().expect("a free port");
    for listener in &bound.listeners {
        assert_eq!(listener.local_addr().expect("bound").port(), bound.port);
    }
}

#[test]
fn a_proxy_header_is_believed_of_someone() {
    let written = |trusted: Option<&str>, connections_per_address: Option<&str>| RawServe {
        clients: RawClients {
            trusted_proxies: trusted.map(str::to_owned),
            proxy_protocol: Some("true".into()),
            connections_per_address: connections_per_address.map(str::to_owned),
            ..RawClients::default()
        },
        ..RawServe::default()
    };
    let problems = written(None, None).resolve(None).expect_err("of whom?").to_string();
    assert!(problems.starts_with("--proxy-protocol (TIDEGATE_PROXY_PROTOCOL): "), "{problems}");
    assert!(problems.contains("--trusted-proxies"), "{problems}");
    let config = resolved(written(Some("10.0.0.1"), Some("0")));
    assert!(config.clients.proxy_protocol);
    assert_eq!(config.clients.connections_per_address, None);
    let config = resolved(written(Some("10.0.0.1"), Some("50")));
    assert_eq!(config.clients.connections_per_address, NonZeroU32::new(50));
}

#[test]
fn certificates_are_taken_of_proxies_only_where_these_are_named_and_the_operator_says_so() {
    let written = |trusted: Option<&str>, client_cert: Option<&str>| RawServe {
        clients: RawClients {
            trusted_proxies: trusted.map(str::to_owned),
            client_cert: client_cert.map(str::to_owned),
            ..RawClients::default()
        },
        ..RawServe::default()
    };
    assert!(!resolved(written(Some("10.0.0.1"), None)).clients.client_cert);
    assert!(resolved(written(Some("10.0.0.1"), Some("true"))).clients.client_cert);
    let problems = written(None, Some("true")).resolve(None).expect_err("of whom?").to_string();
    assert!(problems.starts_with("--client-cert (TIDEGATE_CLIENT_CERT): "), "{problems}");
    assert!(problems.contains("--trusted-proxies"), "{problems}");
}

#[test]
fn credentials_are_taken_in_addresses_unless_an_operator_says_no() {
    let written = |query_credentials: Option<&str>| RawServe {
        clients: RawClients {
            query_credentials: query_credentials.map(str::to_owned),
            ..RawClients::default()
        },
        ..RawServe::default()
    };
    for (value, expected) in
        [(None, true), (Some("true"), true), (Some("false"), false), (Some("off"), false)]
    {
        assert_eq!(resolved(written(value)).clients.query_credentials, expected, "{value:?}");
    }
    let problems = written(Some("perhaps")).resolve(None).expect_err("neither").to_string();
    assert!(problems.starts_with("--query-credentials (TIDEGATE_QUERY_CREDENTIALS): "), "{problems}");
}

#[test]
fn an_own_certificate_is_two_files() {
    let written = |certificate: Option<&str>, key: Option<&str>| {
        let file = |name: &str| PathBuf::from(name);
        let certificate = RawCertificate { tls_cert: certificate.map(file), tls_key: key.map(file) };
        RawServe { certificate, ..RawServe::default() }
    };
    assert_eq!(resolved(written(None, None)).certificate, None);
    let own = resolved(written(Some("c"), Some("k"))).certificate.expect("both are named");
    assert_eq!((own.certificate, own.key), ("c".into(), "k".into()));
    let problems = written(Some("c"), None).resolve(None).expect_err("the key is missing").to_string();
    assert!(problems.starts_with("--tls-key (TIDEGATE_TLS_KEY): "), "{problems}");
}
