//! The table of refusals: each with its status and its type, before any 101, and with nothing dialled.

use std::time::Duration;

use serde_json::{Value, json};
use tidegate_model::{lifecycle::State, time::Timestamp};

use crate::{
    backend::Backend,
    client::{self, Answer, Ask},
    rig::Rig,
    socket::{Duplex, Frames},
    world::{LIFETIME, NOW, PATH, SANDBOX, World, api},
};

async fn rig() -> (Backend, World, Rig) {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    for (number, context, state) in [
        (11, "/blocked", State::Blocked),
        (12, "/retired", State::Retired),
        (13, "/others", State::Published),
    ] {
        let mut other = api(number, context, &backend.url());
        other.state = state;
        world.parts.apis.push(other);
    }
    let rig = Rig::start(&mut world).await;
    (backend, world, rig)
}

#[track_caller]
fn is_refused(answer: &Answer, status: u16, problem: &str, why: &str) {
    assert_eq!((answer.status, &*answer.problem()), (status, problem), "{why}: {}", answer.head.text);
}

#[tokio::test]
async fn credentials_that_are_not_believed() {
    let (backend, world, rig) = rig().await;
    let token = world.token();
    let with = |header: Value, claims: Value| Ask::to(PATH).bearer(&world.token_with(&header, &claims));
    let claims = |claims: Value| with(json!({}), claims);
    let header = |header: Value| with(header, json!({}));
    let now = NOW.seconds();
    let cut = format!("{}AAAA", &token[..token.len() - 4]);
    for (ask, status, problem, why) in [
        (Ask::to(PATH), 401, "credential-missing", "none"),
        (Ask::to(PATH).with("Cookie", "access_token=x"), 401, "credential-missing", "a cookie is none"),
        (Ask::usual(&world).bearer(&token), 400, "credential-several", "two headers"),
        (
            Ask::to(&format!("{PATH}?access_token={token}")).bearer(&token),
            400,
            "credential-several",
            "two places",
        ),
        (
            Ask::usual(&world).with("Sec-WebSocket-Protocol", &format!("bearer, {token}")),
            400,
            "credential-several",
            "two places",
        ),
        (Ask::to(PATH).with("Authorization", "Basic YTpi"), 401, "credential-not-accepted", "another scheme"),
        (Ask::to(PATH).bearer("not a token"), 401, "credential-invalid", "two words"),
        (Ask::to(PATH).bearer("nonsense"), 401, "credential-invalid", "not a JWT"),
        (Ask::to(PATH).bearer(&cut), 401, "credential-invalid", "another signature"),
        (
            Ask::to(PATH).with("Sec-WebSocket-Protocol", "bearer"),
            401,
            "credential-invalid",
            "no token behind bearer",
        ),
        (claims(json!({"exp": now})), 401, "credential-expired", "ends now"),
        (claims(json!({"exp": now - 1, "iat": now - 9})), 401, "credential-expired", "has ended"),
        (claims(json!({"nbf": now + 3_600})), 401, "credential-invalid", "not yet valid"),
        (claims(json!({"aud": "https://other.test"})), 401, "credential-invalid", "another audience"),
        (claims(json!({"iss": "https://other.test"})), 401, "credential-invalid", "another issuer"),
        (claims(json!({"exp": null})), 401, "credential-invalid", "without an end"),
        (
            claims(json!({"client_id": "nobody", "sub": "nobody"})),
            401,
            "credential-revoked",
            "an unknown client",
        ),
        (header(json!({"typ": "JWT"})), 401, "credential-invalid", "another type"),
        (header(json!({"typ": null})), 401, "credential-invalid", "without a type"),
        (header(json!({"kid": "other"})), 401, "credential-invalid", "an unknown key"),
        (header(json!({"alg": "none"})), 401, "credential-invalid", "no algorithm"),
        (header(json!({"alg": "HS256"})), 401, "credential-invalid", "another algorithm"),
    ] {
        let answer = rig.ask(&ask).await;
        is_refused(&answer, status, problem, why);
        assert!(answer.head.one("www-authenticate").starts_with("Bearer realm="), "{why}");
        let told = format!("{}{}", answer.head.text, String::from_utf8_lossy(&answer.body));
        assert!(!told.contains(token.split('.').next_back().unwrap()), "{why}: a token is not repeated");
    }
    backend.saw_nothing().await;
}

#[tokio::test]
async fn a_token_ends_by_the_gateways_clock() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let end = Timestamp::from_seconds(NOW.seconds() + LIFETIME);
    rig.clock.forward(end.millis() - NOW.millis() - 1);
    rig.open(&Ask::usual(&world)).await;
    rig.clock.forward(1);
    // Now from memory: it was verified before it ended.
    is_refused(
        &rig.ask(&Ask::usual(&world)).await,
        401,
        "credential-expired",
        "its last millisecond is over",
    );
}

#[tokio::test]
async fn whoever_may_not_connect() {
    let (backend, world, rig) = rig().await;
    let token = world.token();
    let to = |path: &str| Ask::to(path).bearer(&token);
    for (ask, status, problem, why) in [
        (to("/nothing/1.0"), 404, "unknown-api", "no API"),
        (to("/"), 404, "unknown-api", "no API"),
        (to("/echo"), 404, "unknown-api", "no default version"),
        (to("/echo/2.0"), 404, "unknown-api", "no such version"),
        (to("/ECHO/1.0"), 404, "unknown-api", "another case"),
        (to("/echo/1.00"), 404, "unknown-api", "more than the version"),
        (to("/health"), 404, "unknown-api", "a handshake is not a question for health"),
        (to("/blocked/1.0"), 403, "api-blocked", "blocked"),
        (Ask::to("/blocked/1.0"), 403, "api-blocked", "blocked, whoever asks"),
        (to("/retired/1.0"), 404, "api-retired", "retired"),
        (to("/others/1.0"), 403, "no-subscription", "not subscribed"),
        (Ask::to(PATH).bearer(&world.token_of(SANDBOX)), 503, "no-endpoint", "no sandbox endpoint"),
        (to("/x/../echo/1.0"), 400, "ambiguous-path", "dots"),
        (to("/echo/1.0/%2e%2e/secret"), 400, "ambiguous-path", "encoded dots"),
        (to("//echo/1.0"), 400, "ambiguous-path", "an empty segment"),
        (to("/%65cho/1.0"), 400, "ambiguous-path", "an encoded letter"),
        (to("/echo/1.0/;/..;x"), 400, "ambiguous-path", "a dot segment with a parameter"),
        (to("/echo/1.0/%00"), 400, "ambiguous-path", "NUL"),
        (to("/echo/1.0/%252e"), 400, "ambiguous-path", "encoded twice"),
        (to("/echo/1.0/a%2fb"), 400, "ambiguous-path", "an encoded slash"),
        (to("/echo/1.0\\x"), 400, "ambiguous-path", "a backslash"),
        (to("/echo/1.0/%c0%ae%c0%ae/x"), 400, "ambiguous-path", "overlong dots"),
        (to("/echo/1.0/%e0%80%afx"), 400, "ambiguous-path", "an overlong slash"),
    ] {
        is_refused(&rig.ask(&ask).await, status, problem, why);
    }
    backend.saw_nothing().await;
}

#[tokio::test]
async fn requests_that_are_no_handshake() {
    let (backend, world, rig) = rig().await;
    let usual = || Ask::usual(&world);
    let version = |version| Ask { version, ..usual() };
    let method = |method| Ask { method, ..usual() };
    let other = |name: &str, value: &str| usual().without(name).with(name, value);
    let plain = || Ask { headers: Vec::new(), ..Ask::to(PATH) }.with("Host", "gateway.test");
    for (ask, status, problem, why) in [
        (plain(), 426, "upgrade-required", "a plain GET"),
        (plain().bearer(&world.token()), 426, "upgrade-required", "a plain GET with a credential"),
        (method("POST"), 405, "method-not-allowed", "POST"),
        (method("HEAD"), 405, "method-not-allowed", "HEAD"),
        (method("OPTIONS"), 405, "method-not-allowed", "OPTIONS"),
        (method("get"), 405, "method-not-allowed", "methods have a case"),
        (
            Ask { target: "*".to_owned(), ..method("OPTIONS") },
            405,
            "method-not-allowed",
            "of the server itself",
        ),
        (version("HTTP/1.0"), 400, "malformed-handshake", "HTTP/1.0"),
        (version("HTTP/2.0"), 400, "malformed-request", "HTTP/2"),
        (version("HTTP/0.9"), 400, "malformed-request", "HTTP/0.9"),
        (other("Upgrade", "h2c"), 400, "malformed-handshake", "another protocol"),
        (other("Upgrade", "websocket, h2c"), 400, "malformed-handshake", "two protocols"),
        (usual().with("Upgrade", "h2c"), 400, "malformed-handshake", "a second protocol"),
        (usual().without("Connection"), 400, "malformed-handshake", "no connection"),
        (other("Connection", "close"), 400, "malformed-handshake", "another connection"),
        (other("Sec-WebSocket-Version", "777"), 426, "upgrade-required", "another version"),
        (other("Sec-WebSocket-Version", "13, 8"), 426, "upgrade-required", "two versions"),
        (usual().without("Sec-WebSocket-Version"), 426, "upgrade-required", "no version"),
        (usual().without("Sec-WebSocket-Key"), 400, "malformed-handshake", "no key"),
        (other("Sec-WebSocket-Key", "AAAA"), 400, "malformed-handshake", "three bytes of key"),
        (
            other("Sec-WebSocket-Key", "!!!!!!!!!!!!!!!!!!!!!!=="),
            400,
            "malformed-handshake",
            "a key that is no base64",
        ),
        (
            usual().with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            400,
            "malformed-handshake",
            "two keys",
        ),
        (other("Sec-WebSocket-Key", "AAECAwQFBgcICQoLDA0O"), 400, "malformed-handshake", "15 bytes of key"),
        (
            other("Sec-WebSocket-Key", "AAECAwQFBgcICQoLDA0ODxA="),
            400,
            "malformed-handshake",
            "17 bytes of key",
        ),
        (usual().with("Sec-WebSocket-Version", "13"), 426, "upgrade-required", "a version twice"),
        (other("Sec-WebSocket-Version", "13\t"), 400, "malformed-request", "a version and a tab"),
        (method("CONNECT"), 405, "method-not-allowed", "CONNECT"),
        (
            other("Upgrade", "h2c").with("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA"),
            400,
            "malformed-handshake",
            "h2c as its RFC asks",
        ),
        (usual().without("Host"), 400, "malformed-handshake", "no host"),
        (other("Host", "a, b"), 400, "malformed-handshake", "a list of hosts"),
        (usual().with("Host", "other.test"), 400, "malformed-request", "two hosts"),
        (usual().with("Sec-WebSocket-Protocol", "a, b, a"), 400, "malformed-handshake", "an offer twice"),
        (Ask { target: "echo".to_owned(), ..usual() }, 400, "malformed-handshake", "no path"),
        (Ask { target: format!("{PATH}#x"), ..usual() }, 400, "malformed-handshake", "a fragment"),
    ] {
        let answer = rig.ask(&ask).await;
        // A HEAD's answer has a body here: the connection ends with it, so nothing can be misread.
        is_refused(&answer, status, problem, why);
        assert_eq!(answer.head.all("allow"), if status == 405 { vec!["GET"] } else { vec![] }, "{why}");
        let version = if status == 426 { vec!["13"] } else { vec![] };
        assert_eq!(answer.head.all("sec-websocket-version"), version, "{why}");
    }
    backend.saw_nothing().await;
}

#[tokio::test]
async fn requests_that_have_or_may_have_a_body() {
    let (backend, world, rig) = rig().await;
    let usual = || Ask::usual(&world);
    for (ask, why) in [
        (usual().with("Content-Length", "5").behind(b"hello"), "a body"),
        (
            usual().with("Content-Length", "38").behind(b"GET /secret HTTP/1.1\r\nHost: backend\r\n\r\n"),
            "a body that is a request",
        ),
        (usual().with("Content-Length", "0, 0"), "a list of lengths"),
        (usual().with("Content-Length", "0").with("Content-Length", "0"), "two lengths"),
        (
            usual().with("Content-Length", "0").with("Transfer-Encoding", "chunked").behind(b"0\r\n\r\n"),
            "a length and a coding",
        ),
        (usual().with("Transfer-Encoding", "chunked, identity"), "two codings"),
        (usual().with("Transfer-Encoding", "xchunked"), "a coding nobody knows"),
        (Ask { version: "HTTP/1.0", ..usual().with("Transfer-Encoding", "chunked") }, "a coding in HTTP/1.0"),
        (usual().with("Content-Length", "+0"), "a length with a sign"),
        (usual().with("Transfer-Encoding", "chunked"), "a coded body"),
    ] {
        is_refused(&rig.ask(&ask).await, 400, "malformed-handshake", why);
    }
    backend.saw_nothing().await;
}

#[tokio::test]
async fn heads_that_others_may_read_differently() {
    let (backend, world, rig) = rig().await;
    let usual = String::from_utf8(Ask::usual(&world).bytes()).unwrap();
    let replaced = |from: &str, to: &str| usual.replacen(from, to, 1).into_bytes();
    let long = |len: usize| "a".repeat(len);
    for (bytes, status, problem, why) in [
        (replaced("\r\nUpgrade", "\nUpgrade"), 400, "malformed-request", "a bare line feed"),
        (usual.replace("\r\n", "\n").into_bytes(), 400, "malformed-request", "bare line feeds"),
        (replaced("\r\nUpgrade", "\rUpgrade"), 400, "malformed-request", "a bare carriage return"),
        (replaced("Upgrade:", "Upgrade :"), 400, "malformed-request", "a blank before the colon"),
        (replaced("Upgrade:", ":"), 400, "malformed-request", "no name"),
        (replaced("Host:", " Host:"), 400, "malformed-request", "a blank before the first name"),
        (replaced("Upgrade: websocket", "Upgrade:\r\n websocket"), 400, "malformed-request", "a folded line"),
        (replaced("websocket", "web\0socket"), 400, "malformed-request", "NUL"),
        (replaced("websocket", "web\u{e9}socket"), 400, "malformed-request", "a byte beyond ASCII"),
        (replaced("Upgrade:", "Up\tgrade:"), 400, "malformed-request", "a tab in a name"),
        (
            replaced("Upgrade:", "X: a\rX-Two: b\r\nUpgrade:"),
            400,
            "malformed-request",
            "a line end in a value",
        ),
        (
            replaced("Upgrade:", "Sec-WebSocket-Protocol: a\0b\r\nUpgrade:"),
            400,
            "malformed-request",
            "NUL in a subprotocol",
        ),
        (replaced(PATH, &format!("{PATH}/\u{e9}")), 400, "malformed-request", "a path beyond ASCII"),
        (replaced(PATH, &format!("{PATH}?a=\u{e9}")), 400, "malformed-request", "a query beyond ASCII"),
        (replaced(PATH, &format!("{PATH}?a=\0")), 400, "malformed-request", "NUL in a query"),
        (replaced(PATH, &format!("{PATH}?a=\r\nX: y")), 400, "malformed-request", "a line end in a query"),
        (replaced("GET ", "GET  "), 400, "malformed-request", "two blanks"),
        (format!("\r\n{usual}").into_bytes(), 400, "malformed-request", "an empty line before it"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 400, "malformed-request", "HTTP/2 without asking"),
        (b"\x16\x03\x01\x02\x00\x01\x00".to_vec(), 400, "malformed-request", "TLS on the plain port"),
        (b"GET /\r\n\r\n".to_vec(), 400, "malformed-request", "HTTP/0.9"),
        (replaced(PATH, &format!("{PATH}/{}", long(5_000))), 414, "target-too-long", "a long target"),
        (
            replaced("Upgrade:", &format!("X: {}\r\nUpgrade:", long(20_000))),
            431,
            "head-too-large",
            "a long header",
        ),
        (
            replaced("Upgrade:", &format!("{}Upgrade:", "X: y\r\n".repeat(100))),
            431,
            "head-too-large",
            "many headers",
        ),
    ] {
        let answer = client::ask(rig.plain().await, &bytes).await;
        assert_eq!(answer.status, status, "{why}");
        is_refused(&answer, status, problem, why);
    }
    backend.saw_nothing().await;
}

#[tokio::test]
async fn nobody_is_admitted_before_the_first_snapshot() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::unready(|_| {});
    let answer = rig.ask(&Ask::usual(&world)).await;
    is_refused(&answer, 503, "not-ready", "no snapshot");
    assert_eq!(answer.head.one("retry-after"), "5");
    backend.saw_nothing().await;
    rig.decide(&mut world).await;
    is_refused(&rig.ask(&Ask::to(PATH)).await, 401, "credential-missing", "ready");
}

#[tokio::test]
async fn a_full_gateway_refuses() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::with(&mut world, |settings| settings.sessions_max = 1).await;
    let mut first = rig.open(&Ask::usual(&world)).await;
    first.echo("the session is carried").await;
    let refused = rig.ask(&Ask::usual(&world)).await;
    is_refused(&refused, 503, "overloaded", "one is the most");
    assert_eq!(refused.head.one("retry-after"), "5");
    assert_eq!(backend.seen.borrow().heads.len(), 1, "nothing was dialled");
    first.echo("the first does not notice").await;
}

#[tokio::test]
async fn handshakes_at_the_same_time_do_not_overfill_it() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::with(&mut world, |settings| settings.sessions_max = 1).await;
    let usual = Ask::usual(&world);
    let accepting = async {
        let mut visit = backend.next().await;
        // The place is taken while its backend still thinks.
        is_refused(&rig.ask(&usual).await, 503, "overloaded", "one is under way");
        visit.accept("").await;
        visit
    };
    let (mut client, mut visit) = tokio::join!(rig.open(&usual), accepting);
    client.frames.say("it is carried").await;
    assert_eq!(visit.frames.hear().await, "it is carried");
}

#[tokio::test]
async fn a_connection_ends_with_its_refusal() {
    let (backend, world, rig) = rig().await;
    // What was sent behind a refused head is never read as a second request.
    let second = Ask::usual(&world).bytes();
    let keep_alive = |ask: Ask| ask.without("Connection").with("Connection", "keep-alive, Upgrade");
    let ask = keep_alive(Ask::to(PATH)).behind(&second);
    is_refused(&rig.ask(&ask).await, 401, "credential-missing", "the first request");
    let other_version =
        Ask::usual(&world).without("Sec-WebSocket-Version").with("Sec-WebSocket-Version", "777");
    let ask =
        keep_alive(other_version).behind(b"GET /secret HTTP/1.1\r\nHost: backend\r\n\r\n").behind(&second);
    is_refused(&rig.ask(&ask).await, 426, "upgrade-required", "another version");
    backend.saw_nothing().await;
}

#[tokio::test]
async fn a_client_that_has_ended_its_half_still_hears_why() {
    let (backend, _, rig) = rig().await;
    for _ in 0..32 {
        let mut client = rig.asking(&Ask::to(PATH)).await;
        client.finish().await;
        is_refused(&client::answer(&mut client).await, 401, "credential-missing", "it listens");
    }
    backend.saw_nothing().await;
}

/// Takes ten seconds: the time that a head has, and TLS before it.
#[tokio::test]
async fn whoever_is_slow_is_cut_at_the_deadline() {
    let (backend, world, rig) = rig().await;
    let bytes = Ask::usual(&world).bytes();
    let all_but_one = &bytes[..bytes.len() - 1];
    let head = async |stream: Box<dyn Duplex>| {
        let mut client = Frames::of_client(stream);
        client.write(all_but_one).await;
        is_refused(&client::answer(&mut client).await, 408, "request-timeout", "the last byte never comes");
    };
    // A byte now and then does not make the deadline later.
    let drops = async || {
        let mut client = Frames::of_client(rig.plain().await);
        let dripping = async {
            let mut drip = tokio::time::interval(Duration::from_millis(500));
            for byte in all_but_one {
                drip.tick().await;
                client.write(&[*byte]).await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(9), dripping).await;
        is_refused(&client::answer(&mut client).await, 408, "request-timeout", "a byte at a time");
    };
    // The beginning of a ClientHello whose rest never comes.
    let tls = async |some: &[u8]| {
        let stream = tokio::net::TcpStream::connect(rig.secure_address()).await.unwrap();
        let mut client = Frames::of_client(Box::new(stream));
        client.write(some).await;
        assert_eq!(client.rest().await, b"", "TLS is never agreed on");
    };
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let heads = async { tokio::join!(head(rig.plain().await), head(rig.secure().await), drops()) };
    tokio::join!(heads, tls(b""), tls(hello));
    backend.saw_nothing().await;
}

#[tokio::test]
async fn oversized_heads_are_cut_over_tls_as_well() {
    let (backend, world, rig) = rig().await;
    let usual = Ask::usual(&world);
    for (ask, status, problem) in [
        (usual.clone().with("X", &"a".repeat(20_000)), 431, "head-too-large"),
        ((0..100).fold(usual.clone(), |ask, _| ask.with("X", "y")), 431, "head-too-large"),
        (Ask { target: format!("{PATH}/{}", "a".repeat(5_000)), ..usual }, 414, "target-too-long"),
    ] {
        is_refused(&client::ask(rig.secure().await, &ask.bytes()).await, status, problem, "over TLS");
    }
    backend.saw_nothing().await;
}
