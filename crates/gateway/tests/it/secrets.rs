//! API keys, and ids with their secrets: who gets in by them, from where, for how long, and that they stay here.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tidegate_model::{
    endpoint::Environment,
    id::ApiKeyId,
    revocation::Revoked,
    security::Way,
    snapshot::{ApiKeyFacts, ClientSecretFacts},
    user::Secret,
};
use tidegate_oauth::secret::{self, Kind};

use crate::{
    backend::Backend,
    client::{Ask, because},
    rig::Rig,
    world::{NOW, PATH, PRODUCTION, World},
};

/// A key of the world's application, and what is known of it.
pub(crate) fn key(world: &World, number: u8) -> (String, ApiKeyFacts) {
    let key = secret::generate(Kind::ApiKey, &mut |bytes: &mut [u8]| bytes.fill(number));
    let facts = ApiKeyFacts {
        id: ApiKeyId::new(NOW, [number; 10]),
        hash: Secret(secret::hash(&key)),
        application: world.parts.applications[0].id,
        environment: Environment::Production,
        expires_at: None,
        addresses: Vec::new(),
        referers: Vec::new(),
    };
    (key, facts)
}

/// An API that takes everything, and one key.
async fn started(change: impl FnOnce(&mut ApiKeyFacts)) -> (Backend, World, Rig, String) {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().security.accepts = Way::ALL.into();
    let (key, mut facts) = key(&world, 1);
    change(&mut facts);
    world.parts.api_keys = vec![facts];
    let (client_id, hash) = (PRODUCTION.to_owned(), Secret(secret::hash("secret-of-production")));
    world.parts.client_secrets = vec![ClientSecretFacts { client_id, hash }];
    let rig = Rig::start(&mut world).await;
    (backend, world, rig, key)
}

fn basic(name: &str, password: &str) -> Ask {
    let pair = STANDARD.encode(format!("{name}:{password}"));
    Ask::to(PATH).with("Authorization", &format!("Basic {pair}"))
}

fn by_header(key: &str) -> Ask {
    Ask::to(PATH).with("ApiKey", key)
}

#[tokio::test]
async fn a_key_opens_a_session_and_stays_here() {
    let (backend, _world, rig, key) = started(|_| {}).await;
    for ask in [
        by_header(&key),
        Ask::to(&format!("{PATH}?a=1&apikey={key}")),
        basic(PRODUCTION, "secret-of-production"),
    ] {
        let mut client = rig.open(&ask).await;
        client.echo("hello").await;
        client.leave().await;
        let head = backend.last_head().text.to_ascii_lowercase();
        for secret in [&key.to_ascii_lowercase()[4..], "apikey", "authorization", "secret-of-production"] {
            assert!(!head.contains(secret), "{head}");
        }
    }
    let sessions = async {
        rig.control.until("all are told", |told| told.sessions().len() == 3).await;
        rig.control.told.borrow().sessions()
    };
    for session in sessions.await {
        let shown = format!("{session:?}");
        assert!(!shown.contains(&key[4..]) && !shown.contains("secret-of-production"), "{shown}");
    }
}

#[tokio::test]
async fn wrong_secrets_are_refused_alike() {
    let (backend, world, rig, key) = started(|_| {}).await;
    let near = format!("{}x", &key[..key.len() - 1]);
    let other = self::key(&world, 9).0;
    for ask in [
        by_header(&near),
        by_header(&other),
        by_header(""),
        by_header("secret-of-production"),
        basic(PRODUCTION, "wrong"),
        basic("nobody", "secret-of-production"),
        basic(PRODUCTION, &key),
    ] {
        let refused = rig.ask(&ask).await;
        let kind = refused.problem();
        assert_eq!((refused.status, &*kind), (401, "credential-invalid"), "{ask:?}");
        assert!(refused.head.one("www-authenticate").starts_with("Bearer"));
        assert!(!String::from_utf8_lossy(&refused.body).contains(&key[4..]));
    }
    assert!(backend.seen.borrow().heads.is_empty());
}

#[tokio::test]
async fn a_good_credential_does_not_hide_a_bad_one() {
    let (backend, world, rig, key) = started(|_| {}).await;
    let token = world.token();
    for ask in [
        by_header(&key).bearer("nonsense"),
        by_header(&key).bearer(&token),
        by_header("tgk_nonsense").bearer(&token),
        basic(PRODUCTION, "secret-of-production").with("ApiKey", &key),
        Ask::to(&format!("{PATH}?apikey={key}&access_token={token}")),
        Ask::to(&format!("{PATH}?apikey={key}&apikey={key}")),
        by_header(&key).with("Sec-WebSocket-Protocol", &format!("bearer, {token}")),
        basic(PRODUCTION, "secret-of-production").bearer(&token),
    ] {
        let refused = rig.ask(&ask).await;
        assert_eq!((refused.status, &*refused.problem()), (400, "credential-several"), "{ask:?}");
    }
    assert!(backend.seen.borrow().heads.is_empty());
}

#[tokio::test]
async fn a_key_ends_when_it_is_told_to_and_its_sessions_with_it() {
    let end = NOW.plus_millis(60_000);
    let (_backend, mut world, rig, key) = started(|facts| facts.expires_at = Some(end)).await;
    let (lasting, facts) = self::key(&world, 2);
    world.parts.api_keys.push(facts);
    rig.decide(&mut world).await;
    let mut expiring = rig.open(&by_header(&key)).await;
    let mut deleted = rig.open(&by_header(&lasting)).await;
    rig.clock.forward(60_000);
    assert_eq!(expiring.closed().await, because(3000, "expired"));
    let refused = rig.ask(&by_header(&key)).await;
    assert_eq!((refused.status, &*refused.problem()), (401, "credential-expired"));
    deleted.echo("no end was said").await;
    world.parts.api_keys.pop();
    rig.decide(&mut world).await;
    assert_eq!(deleted.closed().await, because(3000, "key_revoked"));
    assert_eq!(rig.ask(&by_header(&lasting)).await.problem(), "credential-invalid");
}

#[tokio::test]
async fn an_api_that_takes_no_more_keys_lets_go_of_those_who_came_by_one() {
    let (_backend, mut world, rig, key) = started(|_| {}).await;
    let mut by_key = rig.open(&by_header(&key)).await;
    let mut by_token = rig.open(&Ask::usual(&world)).await;
    world.api().security.accepts = [Way::OAuthQuery].into();
    rig.decide(&mut world).await;
    assert_eq!(by_key.closed().await, because(3000, "credential_not_accepted"));
    by_token.echo("a token is good in another place").await;
}

#[tokio::test]
async fn a_key_may_be_bound_to_addresses_and_pages() {
    let (_backend, mut world, rig, key) =
        started(|facts| facts.addresses = vec!["192.0.2.0/24".to_owned()]).await;
    let refused = rig.ask(&by_header(&key)).await;
    assert_eq!((refused.status, &*refused.problem()), (403, "key-restricted"));
    world.parts.api_keys[0].addresses = vec!["2001:db8::/32".to_owned(), "127.0.0.0/8".to_owned()];
    rig.decide(&mut world).await;
    rig.open(&by_header(&key)).await.leave().await;
    // What a client says of itself is not believed.
    world.parts.api_keys[0].addresses = vec!["192.0.2.0/24".to_owned()];
    world.parts.api_keys[0].referers = vec!["https://app.test".to_owned()];
    rig.decide(&mut world).await;
    let forwarded = by_header(&key).with("X-Forwarded-For", "192.0.2.1").with("Origin", "https://app.test");
    assert_eq!(rig.ask(&forwarded).await.problem(), "key-restricted");
    world.parts.api_keys[0].addresses.clear();
    rig.decide(&mut world).await;
    for (header, value, is_let_in) in [
        ("Origin", "https://app.test", true),
        ("Referer", "https://app.test/page?x=1", true),
        ("Referer", "https://app.test.evil/", false),
        ("Referer", "https://evil.test/https://app.test", false),
        ("Origin", "https://evil.test", false),
        ("X-Other", "https://app.test", false),
    ] {
        let ask = by_header(&key).with(header, value);
        if is_let_in {
            rig.open(&ask).await.leave().await;
        } else {
            assert_eq!(rig.ask(&ask).await.problem(), "key-restricted", "{header}: {value}");
        }
    }
    let two = by_header(&key).with("Referer", "https://app.test/").with("Origin", "https://evil.test");
    assert_eq!(rig.ask(&two).await.problem(), "key-restricted", "what a script can set does not count");
}

/// A browser that was told a password repeats it for every page.
#[tokio::test]
async fn a_password_needs_a_page_that_is_named() {
    let (_backend, mut world, rig, key) = started(|_| {}).await;
    let ask = || basic(PRODUCTION, "secret-of-production").with("Origin", "https://app.test");
    assert_eq!(rig.ask(&ask()).await.problem(), "origin-refused");
    rig.open(&by_header(&key).with("Origin", "https://app.test")).await.leave().await;
    world.api().security.origins = vec!["*".to_owned()];
    rig.decide(&mut world).await;
    assert_eq!(rig.ask(&ask()).await.problem(), "origin-refused");
    world.api().security.origins = vec!["https://app.test".to_owned()];
    rig.decide(&mut world).await;
    rig.open(&ask()).await.leave().await;
}

#[tokio::test]
async fn whoever_tries_many_secrets_has_to_wait_and_tokens_do_not() {
    let (_backend, world, rig, key) = started(|_| {}).await;
    for _ in 0..30 {
        assert_eq!(rig.ask(&basic(PRODUCTION, "wrong")).await.problem(), "credential-invalid");
    }
    for ask in [by_header(&key), basic(PRODUCTION, "secret-of-production"), by_header("wrong")] {
        let refused = rig.ask(&ask).await;
        assert_eq!((refused.status, &*refused.problem()), (429, "too-many-attempts"));
        assert_eq!(refused.head.one("retry-after"), "37");
    }
    rig.open(&Ask::usual(&world)).await.leave().await;
    rig.clock.forward(37_000);
    rig.open(&by_header(&key)).await.leave().await;
}

/// What revokes the tokens of a client closes the sessions that it has, and makes no secret worse.
#[tokio::test]
async fn a_secret_is_as_good_after_a_revocation_and_its_sessions_are_closed() {
    let (_backend, _world, rig, key) = started(|_| {}).await;
    let mut by_password = rig.open(&basic(PRODUCTION, "secret-of-production")).await;
    let mut by_key = rig.open(&by_header(&key)).await;
    rig.revoke([Revoked::Client(PRODUCTION.into())]).await;
    assert_eq!(by_password.closed().await, because(3000, "revoked"));
    by_key.echo("a key is no token of that client").await;
    rig.clock.forward(1_000);
    rig.open(&basic(PRODUCTION, "secret-of-production")).await.leave().await;
}
