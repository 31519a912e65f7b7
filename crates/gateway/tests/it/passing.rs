//! What a backend gets beside messages: headers by the API's rules, the trace, and mapped topics.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};
use tidegate_model::{
    headers::{Forward, HeaderRules, Placeholder, Rename, SetHeader},
    mapping::TopicMapping,
    snapshot::BackendTokenFacts,
    user::Secret,
};
use tidegate_oauth::jwk::{SigningKey, key_set};

use crate::{
    backend::Backend,
    client::Ask,
    rig::Rig,
    socket::Head,
    world::{NOW, PATH, PRODUCTION, World, new_key},
};

fn set(name: &str, value: &str) -> SetHeader {
    SetHeader { name: name.to_owned(), value: value.to_owned() }
}

fn mapping(topic: &str, backend: &str) -> TopicMapping {
    TopicMapping { topic: topic.to_owned(), backend: backend.to_owned() }
}

/// The head of the backend whose API has these rules, when a client asks so.
async fn head(rules: HeaderRules, ask: impl FnOnce(Ask) -> Ask) -> Head {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().headers = rules;
    // A browser's cookies are believed from pages that are named alone.
    world.api().security.origins = vec!["https://page.test".to_owned()];
    let rig = Rig::start(&mut world).await;
    rig.open(&ask(Ask::usual(&world))).await.leave().await;
    backend.head()
}

#[tokio::test]
async fn listed_headers_pass_alone() {
    let allow = vec!["X-Device".to_owned(), "Cookie".to_owned()];
    let rules = HeaderRules { forward: Forward::Listed, allow, ..HeaderRules::default() };
    let head = head(rules, |ask| {
        ask.with("X-Device", "7").with("Cookie", "a=1").with("User-Agent", "a client").with("X-Other", "8")
    })
    .await;
    assert_eq!((head.one("x-device"), head.one("cookie")), ("7", "a=1"));
    for name in ["user-agent", "x-other", "authorization"] {
        assert_eq!(head.all(name), [""; 0], "{name}");
    }
}

#[tokio::test]
async fn denied_headers_stay_and_renamed_ones_change_their_name() {
    let rename = vec![Rename { from: "X-Device".to_owned(), to: "Device-Id".to_owned() }];
    let rules = HeaderRules { deny: vec!["X-Debug".to_owned()], rename, ..HeaderRules::default() };
    let head = head(rules, |ask| {
        ask.with("X-Device", "7").with("device_id", "forged").with("x_debug", "1").with("X-Other", "8")
    })
    .await;
    assert_eq!((head.one("device-id"), head.one("x-other")), ("7", "8"));
    for name in ["x-device", "device_id", "x-debug", "x_debug"] {
        assert_eq!(head.all(name), [""; 0], "{name}");
    }
}

#[tokio::test]
async fn the_gateway_says_what_rules_have_it_say() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rule = |it: &Placeholder| set(&format!("X-{}", it.as_str()), &format!("{{{}}}", it.as_str()));
    let mut rules: Vec<_> = Placeholder::ALL.iter().map(rule).collect();
    rules.push(set("X-All", "app={application};plan={plan}"));
    world.api().headers.set = rules;
    world.parts.applications[0].name = "Ünd\r\nX-Admin: yes;plan=Platinum".to_owned();
    let rig = Rig::start(&mut world).await;
    let claims = json!({"sub": "ada\r\nX-Admin: yes", "client_id": PRODUCTION});
    let ask = Ask::to(&format!("{PATH}/rooms/a%20b"))
        .bearer(&world.token_with(&json!({}), &claims))
        .with("Connection", "X-Plan")
        .with("x_subject", "forged")
        .with("X-Plan", "forged");
    let client = rig.open(&ask).await;
    let head = backend.head();
    let application = &world.parts.applications[0];
    for (name, value) in [
        ("x-subject", "ada%0D%0AX-Admin:%20yes"),
        ("x-client_id", PRODUCTION),
        ("x-application", "%C3%9Cnd%0D%0AX-Admin:%20yes%3Bplan=Platinum"),
        ("x-application_id", &*application.id.to_string()),
        ("x-plan", "Gold"),
        ("x-environment", "production"),
        ("x-api", "Api1"),
        ("x-version", "1.0"),
        ("x-topic", "/rooms/a%20b"),
        ("x-session", client.head.one("x-request-id")),
        ("x-address", "127.0.0.1"),
        ("x-all", "app=%C3%9Cnd%0D%0AX-Admin%3A%20yes%3Bplan%3DPlatinum;plan=Gold"),
    ] {
        assert_eq!(head.one(name), value, "{name}: {}", head.text);
    }
    assert_eq!(head.all("x-admin"), [""; 0]);
    assert!(!head.text.contains("forged"), "{}", head.text);
}

#[tokio::test]
async fn a_client_never_says_what_is_the_gateways() {
    let head = head(HeaderRules::default(), |ask| {
        ask.with("X-JWT-Assertion", "forged")
            .with("x_jwt_assertion", "forged")
            .with("X-Original-URL", "/forged")
    })
    .await;
    assert!(!head.text.contains("forged"), "{}", head.text);
}

#[tokio::test]
async fn a_trace_goes_on_with_the_gateway_as_the_caller() {
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let said = format!("00-{id}-00f067aa0ba902b7-01");
    let (trace, state) = (&*said, "vendor=1");
    let head =
        head(HeaderRules::default(), |ask| ask.with("traceparent", trace).with("tracestate", state)).await;
    let told = head.one("traceparent");
    assert!(told.starts_with(&format!("00-{id}-")) && told.ends_with("-01") && told != said, "{told}");
    assert_eq!((told.len(), head.one("tracestate")), (55, state));
}

#[tokio::test]
async fn a_trace_begins_where_there_is_no_valid_one() {
    let mut ids = Vec::new();
    for said in [None, Some("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), Some("nonsense")] {
        let head = head(HeaderRules::default(), |ask| {
            let ask = ask.with("tracestate", "vendor=1");
            said.into_iter().fold(ask, |ask, said| ask.with("traceparent", said))
        })
        .await;
        let told = head.one("traceparent").to_owned();
        assert!(told.starts_with("00-") && told.ends_with("-01") && told.len() == 55, "{told}");
        assert_eq!(head.all("tracestate"), [""; 0], "of a trace that is not told");
        ids.push(told[3..35].to_owned());
    }
    assert!(ids.iter().all(|id| !id.starts_with("0000000000")), "{ids:?}");
}

#[tokio::test]
async fn a_topic_is_found_where_the_api_maps_it() {
    let backend = Backend::echo().await;
    let mut world = World::new(&format!("{}base?key=k", backend.url()));
    world.api().mappings = vec![
        mapping("/rooms/lobby", "/lobby"),
        mapping("/rooms/{room}", "/chat?room={room}&v=2"),
        mapping("/users/{user}/inbox", "/{user}/in"),
        mapping("/files/*", "/store/{*}"),
    ];
    let rig = Rig::start(&mut world).await;
    let token = world.token();
    for (topic, reached) in [
        ("", "/base?key=k"),
        ("/rooms/lobby", "/base/lobby?key=k"),
        ("/rooms/7", "/base/chat?key=k&room=7&v=2"),
        ("/rooms/7?a=1&room=8", "/base/chat?key=k&room=7&v=2&a=1"),
        ("/rooms/7&admin=1", "/base/chat?key=k&room=7%26admin%3D1&v=2"),
        ("/rooms/%26admin=1", "/base/chat?key=k&room=%26admin%3D1&v=2"),
        ("/rooms/%C3%BC", "/base/chat?key=k&room=%C3%BC&v=2"),
        ("/users/ada/inbox", "/base/ada/in?key=k"),
        ("/files/a/b", "/base/store/a/b?key=k"),
        ("/other/7", "/base/other/7?key=k"),
    ] {
        rig.open(&Ask::to(&format!("{PATH}{topic}")).bearer(&token)).await.leave().await;
        assert_eq!(backend.last_head().start, format!("GET {reached} HTTP/1.1"), "{topic}");
    }
}

#[tokio::test]
async fn a_credential_in_the_query_stays_behind_a_mapping_as_well() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().mappings = vec![mapping("/rooms/{room}", "/chat?room={room}")];
    let rig = Rig::start(&mut world).await;
    let ask = Ask::to(&format!("{PATH}/rooms/7?a=1&access_token={}&b=2", world.token()));
    rig.open(&ask).await.leave().await;
    assert_eq!(backend.head().start, "GET /chat?room=7&a=1&b=2 HTTP/1.1");
}

#[tokio::test]
async fn a_mapped_topic_has_one_reading_or_reaches_nobody() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    world.api().mappings = vec![mapping("/rooms/{room}", "/chat/{room}"), mapping("/files/*", "/store/{*}")];
    let rig = Rig::start(&mut world).await;
    let token = world.token();
    for topic in [
        "/rooms/..",
        "/rooms/.;x",
        "/rooms/%2e%2e",
        "/rooms/..%2fsecret",
        "/rooms/%2Fsecret",
        "/rooms/a%0d%0aX:%20y",
        "/rooms/%253f",
        "/rooms/a\\b",
        "/files/../secret",
        "/files//secret",
        "/files/a/%2e/b",
    ] {
        let answer = rig.ask(&Ask::to(&format!("{PATH}{topic}")).bearer(&token)).await;
        assert_eq!((answer.status, &*answer.problem()), (400, "ambiguous-path"), "{topic}");
    }
    backend.saw_nothing().await;
}

/// The world in which backends of its API are told who the client is, and the key of that.
fn asserting(url: &str) -> (World, SigningKey) {
    let mut world = World::new(url);
    let key = new_key();
    let facts = BackendTokenFacts {
        issuer: "https://issuer.test/backend".to_owned(),
        key: Secret(key.to_text().expose().to_owned()),
    };
    world.parts.backend_tokens = Some(facts);
    world.api().headers.backend_jwt = true;
    (world, key)
}

/// What the token says to whoever has the published key, by a library of other hands.
fn verified(token: &str, key: &SigningKey) -> Value {
    let header = jsonwebtoken::decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("backend+jwt"));
    let set: JwkSet = serde_json::from_str(&key_set([key])).unwrap();
    let published = set.find(&header.kid.unwrap()).expect("its key is published");
    let mut rules = Validation::new(Algorithm::ES256);
    rules.set_audience(&[PATH]);
    rules.set_issuer(&["https://issuer.test/backend"]);
    // The clock is the test's.
    rules.validate_exp = false;
    jsonwebtoken::decode(token, &DecodingKey::from_jwk(published).unwrap(), &rules).unwrap().claims
}

#[tokio::test]
async fn a_backend_is_told_who_the_client_is_in_a_token_of_its_own() {
    let backend = Backend::echo().await;
    let (mut world, key) = asserting(&backend.url());
    world.parts.applications[0].name = "Ünd\r\nX: \"y\"".to_owned();
    let rig = Rig::start(&mut world).await;
    let claims = json!({"sub": "ada", "client_id": PRODUCTION});
    let ask = Ask::to(PATH).bearer(&world.token_with(&json!({}), &claims)).with("x_jwt_assertion", "forged");
    let client = rig.open(&ask).await;
    let head = backend.head();
    let told = verified(head.one("x-jwt-assertion"), &key);
    let now = NOW.seconds();
    let expected = json!({
        "iss": "https://issuer.test/backend", "aud": PATH, "sub": "ada", "client_id": PRODUCTION,
        "application": "Ünd\r\nX: \"y\"", "application_id": world.parts.applications[0].id.to_string(),
        "plan": "Gold", "api": "Api1", "api_id": world.parts.apis[0].id.to_string(), "version": "1.0",
        "environment": "production", "session": client.head.one("x-request-id"),
        "iat": now, "exp": now + 60, "jti": told["jti"],
    });
    assert_eq!(told, expected);

    client.leave().await;
    let client = rig.open(&ask).await;
    let second = verified(backend.last_head().one("x-jwt-assertion"), &key);
    assert_eq!(second["session"], client.head.one("x-request-id"));
    assert_ne!(second["jti"], told["jti"]);
}

#[tokio::test]
async fn no_api_is_told_that_did_not_ask_and_no_client() {
    let backend = Backend::echo().await;
    let (mut world, key) = asserting(&backend.url());
    world.api().headers.backend_jwt = false;
    let rig = Rig::start(&mut world).await;
    rig.open(&Ask::usual(&world)).await.leave().await;
    assert_eq!(backend.last_head().all("x-jwt-assertion"), [""; 0]);

    world.api().headers.backend_jwt = true;
    rig.decide(&mut world).await;
    let client = rig.open(&Ask::usual(&world)).await;
    assert_eq!(client.head.all("x-jwt-assertion"), [""; 0]);
    verified(backend.last_head().one("x-jwt-assertion"), &key);
}

#[tokio::test]
async fn a_backend_token_opens_no_session() {
    let backend = Backend::echo().await;
    let (mut world, _) = asserting(&backend.url());
    let rig = Rig::start(&mut world).await;
    rig.open(&Ask::usual(&world)).await.leave().await;
    let token = backend.head().one("x-jwt-assertion").to_owned();
    let answer = rig.ask(&Ask::to(PATH).bearer(&token)).await;
    assert_eq!((answer.status, &*answer.problem()), (401, "credential-invalid"));
    assert_eq!(backend.seen.borrow().heads.len(), 1, "nothing was dialled");
}

#[tokio::test]
async fn a_backend_that_wants_a_token_is_not_asked_without() {
    let backend = Backend::bind().await;
    let (mut world, key) = asserting(&backend.url());
    let facts = world.parts.backend_tokens.take().unwrap();
    let rig = Rig::start(&mut world).await;
    for broken in [None, Some(BackendTokenFacts { key: Secret("nonsense".to_owned()), ..facts.clone() })] {
        world.parts.backend_tokens = broken;
        rig.decide(&mut world).await;
        let answer = rig.ask(&Ask::usual(&world)).await;
        assert_eq!((answer.status, &*answer.problem()), (500, "internal"));
    }
    backend.saw_nothing().await;
    world.parts.backend_tokens = Some(facts);
    rig.decide(&mut world).await;
    let usual = Ask::usual(&world);
    let (_, visit) = tokio::join!(rig.open(&usual), async {
        let mut visit = backend.next().await;
        visit.accept("").await;
        visit
    });
    verified(visit.head.one("x-jwt-assertion"), &key);
}

#[tokio::test]
async fn a_new_key_signs_from_its_snapshot_on() {
    let backend = Backend::echo().await;
    let (mut world, old) = asserting(&backend.url());
    let rig = Rig::start(&mut world).await;
    rig.open(&Ask::usual(&world)).await.leave().await;
    verified(backend.last_head().one("x-jwt-assertion"), &old);
    let new = new_key();
    world.parts.backend_tokens.as_mut().unwrap().key = Secret(new.to_text().expose().to_owned());
    rig.decide(&mut world).await;
    rig.open(&Ask::usual(&world)).await.leave().await;
    verified(backend.last_head().one("x-jwt-assertion"), &new);
}
