//! Tokens of another issuer: which open what, which are refused, and how new keys of it come to be known.

use serde_json::{Value, json};
use tidegate_model::{
    endpoint::Environment,
    id::{ApplicationId, KeyManagerId},
    issuer::{AcceptedIssuers, Algorithm, ClaimNames, KeyManagerFacts, KeySource, RESIDENT, Trust},
    revocation::Revoked,
    security::Way,
    snapshot::ClientFacts,
};
use tidegate_oauth::{
    jwk::{SigningKey, key_set},
    mark,
};

use crate::{
    backend::Backend,
    client::{Answer, Ask, because},
    rig::Rig,
    secrets, soon,
    world::{LIFETIME, NOW, PATH, PRODUCTION, World, new_key},
};

pub(crate) const OTHER: &str = "https://other.example";
pub(crate) const CLIENT: &str = "their-client";

pub(crate) fn id(number: u8) -> KeyManagerId {
    KeyManagerId::new(NOW, [number; 10])
}

pub(crate) fn facts(number: u8, issuer: &str, keys: &[&SigningKey]) -> KeyManagerFacts {
    KeyManagerFacts {
        id: id(number),
        name: format!("Issuer {number}"),
        trust: Trust {
            issuer: issuer.to_owned(),
            keys: KeySource::Jwks(format!("{issuer}/jwks")),
            audiences: vec!["tidegate".to_owned()],
            claims: ClaimNames { client_id: "azp".to_owned(), ..ClaimNames::default() },
            algorithms: Algorithm::ALL.to_vec(),
            requires_at_jwt: false,
            introspection: None,
            enabled: true,
        },
        jwks: key_set(keys.iter().copied()),
    }
}

pub(crate) fn provided(of: KeyManagerId, client_id: &str, application: ApplicationId) -> ClientFacts {
    ClientFacts {
        client_id: client_id.to_owned(),
        application,
        environment: Environment::Production,
        key_manager: Some(of),
    }
}

/// A world that accepts tokens of another issuer with this key, whose client is the world's application.
fn world(backend: &Backend, key: &SigningKey) -> World {
    let mut world = World::new(&backend.url());
    let application = world.parts.applications[0].id;
    world.parts.key_managers.push(facts(1, OTHER, &[key]));
    world.parts.clients.push(provided(id(1), CLIENT, application));
    world
}

/// A token of the other issuer in which these claims are others.
pub(crate) fn token(key: &SigningKey, changed: &Value) -> String {
    let mut claims = json!({"iss": OTHER, "sub": "user-7", "aud": "tidegate", "azp": CLIENT, "scope": "read",
        "exp": NOW.seconds() + LIFETIME, "iat": NOW.seconds()});
    for (name, value) in changed.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let signer = World { parts: tidegate_model::snapshot::SnapshotParts::default(), key: key.clone() };
    signer.signed(&json!({"typ": "JWT", "alg": "ES256", "kid": key.kid()}), &claims)
}

fn ask(token: &str) -> Ask {
    Ask::to(PATH).bearer(token)
}

#[track_caller]
fn is_refused(answer: &Answer, status: u16, problem: &str, why: &str) {
    assert_eq!((answer.status, &*answer.problem()), (status, problem), "{why}: {}", answer.head.text);
}

#[tokio::test]
async fn a_token_of_another_issuer_opens_what_its_client_is_subscribed_to() {
    let (backend, key) = (Backend::echo().await, new_key());
    let mut world = world(&backend, &key);
    let rig = Rig::start(&mut world).await;
    rig.open(&ask(&token(&key, &json!({})))).await.echo("theirs").await;
    rig.open(&Ask::usual(&world)).await.echo("ours").await;
}

#[tokio::test]
async fn tokens_that_do_not_belong_here_are_refused() {
    let (backend, key, third) = (Backend::bind().await, new_key(), new_key());
    let mut world = world(&backend, &key);
    let application = world.parts.applications[0].id;
    world.parts.key_managers.push(facts(2, "https://third.example", &[&third]));
    // A client of the same name at the third issuer is another client.
    world.parts.clients.push(provided(id(2), "third-client", application));
    let rig = Rig::start(&mut world).await;
    let third_issuer = "https://third.example";
    for (token, problem, why) in [
        (token(&key, &json!({"aud": "somebody"})), "credential-invalid", "another audience"),
        (token(&key, &json!({"aud": CLIENT, "nonce": "n"})), "credential-invalid", "an ID token"),
        (token(&key, &json!({"nonce": "n"})), "credential-invalid", "an ID token for our audience"),
        (token(&key, &json!({"typ": "Refresh"})), "credential-invalid", "a refresh token"),
        (token(&key, &json!({"exp": NOW.seconds()})), "credential-expired", "at its end"),
        (token(&key, &json!({"iss": "https://nobody.example"})), "credential-invalid", "an unknown issuer"),
        (token(&key, &json!({"iss": "https://issuer.test"})), "credential-invalid", "in our name, their key"),
        (token(&key, &json!({"iss": third_issuer})), "credential-invalid", "in a third name, their key"),
        (token(&third, &json!({})), "credential-invalid", "in their name, a third key"),
        (token(&world.key, &json!({})), "credential-invalid", "in their name, our key"),
        (token(&key, &json!({"azp": "unknown"})), "credential-revoked", "a client that nobody provided"),
        (token(&key, &json!({"azp": PRODUCTION})), "credential-revoked", "a client of ours"),
        (token(&key, &json!({"azp": "third-client"})), "credential-revoked", "a client of a third issuer"),
        (token(&key, &json!({"client_id": CLIENT, "azp": "x"})), "credential-revoked", "another claim"),
        (world.token_of(CLIENT), "credential-revoked", "their client in a token of ours"),
    ] {
        let answer = rig.ask(&ask(&token)).await;
        is_refused(&answer, 401, problem, why);
        assert!(answer.head.text.contains("WWW-Authenticate"), "{why}");
    }
    backend.saw_nothing().await;
}

#[tokio::test]
async fn an_api_says_whose_tokens_it_accepts() {
    let (backend, key) = (Backend::echo().await, new_key());
    let mut world = world(&backend, &key);
    let theirs = token(&key, &json!({}));
    let only = |name: &str| AcceptedIssuers::named(vec![name.to_owned()]);
    world.api().issuers = only(RESIDENT);
    let rig = Rig::start(&mut world).await;
    is_refused(&rig.ask(&ask(&theirs)).await, 401, "issuer-not-accepted", "only ours");
    let mut ours = rig.open(&Ask::usual(&world)).await;
    world.api().issuers = only("Issuer 1");
    rig.decide(&mut world).await;
    assert_eq!(soon("a close", ours.closed()).await, because(3000, "issuer_not_accepted"));
    is_refused(&rig.ask(&Ask::usual(&world)).await, 401, "issuer-not-accepted", "only theirs");
    rig.open(&ask(&theirs)).await.echo("theirs").await;
    world.api().issuers = AcceptedIssuers::named(Vec::new());
    rig.decide(&mut world).await;
    is_refused(&rig.ask(&ask(&theirs)).await, 401, "issuer-not-accepted", "nobody's");
}

#[tokio::test]
async fn a_live_session_ends_with_its_key_manager_and_with_its_provided_key() {
    let (backend, key) = (Backend::echo().await, new_key());
    let mut world = world(&backend, &key);
    let rig = Rig::start(&mut world).await;
    let theirs = ask(&token(&key, &json!({})));
    let mut session = rig.open(&theirs).await;
    let manager = world.parts.key_managers.pop().unwrap();
    rig.decide(&mut world).await;
    assert_eq!(soon("a close", session.closed()).await, because(3000, "key_revoked"));
    is_refused(&rig.ask(&theirs).await, 401, "credential-invalid", "nobody accepts it");

    world.parts.key_managers.push(manager);
    rig.decide(&mut world).await;
    let mut session = rig.open(&theirs).await;
    world.parts.clients.pop();
    rig.decide(&mut world).await;
    assert_eq!(soon("a close", session.closed()).await, because(3000, "key_revoked"));
}

#[tokio::test]
async fn what_is_revoked_ends_tokens_of_another_issuer_by_their_id_and_subject_and_not_by_a_name_of_ours() {
    let (backend, key) = (Backend::echo().await, new_key());
    let mut world = world(&backend, &key);
    let rig = Rig::start(&mut world).await;
    let named = |jti: &str, sub: &str| ask(&token(&key, &json!({"jti": jti, "sub": sub})));
    let (first, second, third) = (named("1", "user-7"), named("2", "user-7"), named("3", "user-8"));
    let mut one = rig.open(&first).await;
    let mut two = rig.open(&second).await;
    let mut three = rig.open(&third).await;
    // What we call a client is not what they call one, and neither are ids and subjects.
    let ours = [
        Revoked::Client(CLIENT.into()),
        Revoked::Subject(mark::subject("https://issuer.test", "user-7").into()),
    ];
    rig.revoke(ours).await;
    one.echo("still").await;
    rig.revoke([Revoked::Credential(mark::token(OTHER, "1").into())]).await;
    assert_eq!(soon("a close", one.closed()).await, because(3000, "revoked"));
    is_refused(&rig.ask(&first).await, 401, "credential-revoked", "its id");
    two.echo("still").await;
    rig.revoke([Revoked::Subject(mark::subject(OTHER, "user-7").into())]).await;
    assert_eq!(soon("a close", two.closed()).await, because(3000, "revoked"));
    is_refused(&rig.ask(&second).await, 401, "credential-revoked", "its subject");
    three.echo("still").await;
    rig.open(&third).await.echo("again").await;
}

#[tokio::test]
async fn whose_tokens_an_api_takes_is_said_of_tokens_alone() {
    let (backend, key) = (Backend::echo().await, new_key());
    let mut world = world(&backend, &key);
    let (secret, facts) = secrets::key(&world, 1);
    world.parts.api_keys.push(facts);
    world.api().security.accepts.insert(Way::ApiKeyHeader);
    world.api().issuers = AcceptedIssuers::named(vec!["Issuer 1".to_owned()]);
    let rig = Rig::start(&mut world).await;
    is_refused(&rig.ask(&Ask::usual(&world)).await, 401, "issuer-not-accepted", "a token of ours");
    rig.open(&Ask::to(PATH).with("ApiKey", &secret)).await.echo("by key").await;
}

#[tokio::test]
async fn a_new_key_of_an_issuer_is_asked_for_and_waited_for() {
    let (backend, old, new) = (Backend::echo().await, new_key(), new_key());
    let mut world = world(&backend, &old);
    let rig = Rig::start(&mut world).await;
    let opening = ask(&token(&new, &json!({})));
    let opening = rig.open(&opening);
    let rotating = async {
        rig.control.until("keys are wished for", |told| told.keys_wanted == [id(1)]).await;
        let mut rotated = world;
        rotated.parts.key_managers[0].jwks = key_set([&new, &old]);
        rig.decide(&mut rotated).await;
    };
    let (mut session, ()) = tokio::join!(opening, rotating);
    session.echo("with the new key").await;
    rig.open(&ask(&token(&old, &json!({})))).await.echo("with the old key").await;
}

#[tokio::test]
async fn keys_that_are_made_up_are_asked_for_at_a_bounded_rate() {
    let (backend, key) = (Backend::bind().await, new_key());
    let mut world = world(&backend, &key);
    let rig = Rig::start(&mut world).await;
    let made_up: Vec<_> = (0..20).map(|_| ask(&token(&new_key(), &json!({})))).collect();
    let refused = futures_util::future::join_all(made_up.iter().map(|ask| rig.ask(ask))).await;
    for answer in refused {
        is_refused(&answer, 401, "credential-invalid", "made up");
    }
    rig.clock.forward(9_999);
    is_refused(&rig.ask(&made_up[0]).await, 401, "credential-invalid", "within the ten seconds");
    rig.clock.forward(1);
    is_refused(&rig.ask(&made_up[0]).await, 401, "credential-invalid", "after them");
    rig.control.until("wishes", |told| told.keys_wanted.len() == 2).await;
    // An issuer that nobody set up is never wished for.
    is_refused(
        &rig.ask(&ask(&token(&key, &json!({"iss": "https://nobody.example"})))).await,
        401,
        "credential-invalid",
        "unknown",
    );
    assert_eq!(rig.control.told.borrow().keys_wanted, [id(1), id(1)]);
    backend.saw_nothing().await;
}

#[tokio::test]
async fn an_issuer_whose_keys_cannot_be_read_takes_nobody_else_along() {
    let (backend, key) = (Backend::echo().await, new_key());
    let mut world = world(&backend, &key);
    world.parts.key_managers[0].jwks = "no keys".to_owned();
    let rig = Rig::start(&mut world).await;
    is_refused(&rig.ask(&ask(&token(&key, &json!({})))).await, 401, "credential-invalid", "no keys");
    rig.open(&Ask::usual(&world)).await.echo("ours").await;
}
