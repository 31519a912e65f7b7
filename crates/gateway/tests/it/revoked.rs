//! What was revoked: handshakes are refused with the problem of their own, live sessions end with 3000, and nothing else does.

use serde_json::json;
use tidegate_model::{
    link::Down,
    opaque::OpaqueTokenFacts,
    revocation::{Mark, Revoked},
    user::Secret,
};
use tidegate_oauth::{
    mark,
    secret::{self, Kind},
};

use crate::{
    backend::Backend,
    client::{self, Ask, because},
    rig::Rig,
    world::{ISSUER, NOW, PATH, PRODUCTION, SANDBOX, World},
};

fn token_mark(jti: &str) -> Revoked {
    Revoked::Credential(mark::token(ISSUER, jti).into())
}

/// A token of its own, with a grant and a subject.
fn token(world: &World, name: &str) -> String {
    let claims = json!({"jti": format!("jti {name}"), "grant_id": format!("grant {name}"), "sub": format!("sub {name}")});
    world.token_with(&json!({}), &claims)
}

/// Two sessions that only listen, by two tokens; revoking this ends the first and not the second, and the first token
/// opens no other.
async fn ends_the_first(what: impl FnOnce(&World) -> Revoked) {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let asks = ["first", "second"].map(|name| Ask::to(PATH).bearer(&token(&world, name)));
    let (mut first, mut second) = (rig.open(&asks[0]).await, rig.open(&asks[1]).await);
    rig.revoke([what(&world)]).await;
    assert_eq!(first.closed().await, because(3000, "revoked"));
    backend.until("a goodbye", |seen| seen.closes == [because(1001, "revoked")]).await;
    let refused = rig.ask(&asks[0]).await;
    refused.is_problem(401, "credential-revoked");
    assert!(refused.head.one("www-authenticate").contains("invalid_token"));
    second.echo("still here").await;
    rig.open(&asks[1]).await.echo("and opens more").await;
}

#[tokio::test]
async fn a_revoked_token_ends_its_sessions_and_opens_no_other() {
    ends_the_first(|_| token_mark("jti first")).await;
}

#[tokio::test]
async fn an_opaque_token_opens_sessions_from_when_it_is_told_until_it_is_revoked() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let token = secret::generate(Kind::AccessToken, &mut |bytes: &mut [u8]| bytes.fill(7));
    let token_hash = Secret(secret::hash(&token));
    let ask = Ask::to(PATH).bearer(&token);
    rig.ask(&ask).await.is_problem(401, "credential-invalid");
    let facts = OpaqueTokenFacts {
        number: 5,
        token_hash: token_hash.clone(),
        client_id: PRODUCTION.to_owned(),
        subject: PRODUCTION.to_owned(),
        grant_id: None,
        scope: String::new(),
        issued_at: NOW,
        expires_at: NOW.plus_millis(60_000),
        source: None,
    };
    rig.control.send(Down::OpaqueTokens([facts].into())).await;
    rig.control.until("the token", |told| told.opaque_tokens == 5).await;
    let mut session = rig.open(&ask).await;
    rig.decide(&mut world).await;
    session.echo("a snapshot takes nothing away").await;
    rig.open(&ask).await.echo("nor from who comes later").await;
    rig.revoke([Revoked::Credential(mark::access_token(&token_hash.0).into())]).await;
    assert_eq!(session.closed().await, because(3000, "revoked"));
    rig.ask(&ask).await.is_problem(401, "credential-revoked");
}

#[tokio::test]
async fn a_revoked_grant_ends_the_sessions_of_all_its_tokens() {
    ends_the_first(|_| Revoked::Grant(mark::grant(ISSUER, "grant first").into())).await;
}

#[tokio::test]
async fn a_revoked_subject_ends_the_sessions_of_all_its_tokens() {
    ends_the_first(|_| Revoked::Subject(mark::subject(ISSUER, "sub first").into())).await;
}

#[tokio::test]
async fn a_revoked_client_ends_the_sessions_of_its_tokens_until_then() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let later = json!({"jti": "later", "iat": NOW.seconds() + 1});
    let asks = [world.token(), world.token_of(SANDBOX), world.token_with(&json!({}), &later)]
        .map(|token| Ask::to(PATH).bearer(&token));
    world.api().endpoints.sandbox = world.api().endpoints.production.clone();
    rig.decide(&mut world).await;
    let (mut old, mut other) = (rig.open(&asks[0]).await, rig.open(&asks[1]).await);
    rig.revoke([Revoked::Client(PRODUCTION.into())]).await;
    assert_eq!(old.closed().await, because(3000, "revoked"));
    rig.ask(&asks[0]).await.is_problem(401, "credential-revoked");
    // What was issued afterwards is none of it, and the other key is another.
    rig.open(&asks[2]).await.echo("new").await;
    other.echo("other").await;
}

#[tokio::test]
async fn a_handshake_under_way_meets_the_revocation() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let client = rig.asking(&Ask::usual(&world)).await;
    let mut visit = backend.next().await;
    rig.revoke([token_mark("token-1")]).await;
    visit.accept("").await;
    let mut client = client::switched(client).await;
    assert_eq!(client.closed().await, because(3000, "revoked"));
    assert_eq!(visit.frames.closed().await, because(1001, "revoked"));
}

#[tokio::test]
async fn what_is_told_before_the_first_snapshot_holds_from_the_first_handshake() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::unready(|_| {});
    rig.revoke([token_mark("token-1")]).await;
    rig.decide(&mut world).await;
    rig.ask(&Ask::usual(&world)).await.is_problem(401, "credential-revoked");
    rig.open(&Ask::to(PATH).bearer(&token(&world, "other"))).await.echo("admitted").await;
}

#[tokio::test]
async fn a_new_snapshot_and_new_keys_forget_no_revocation() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    // Believed once, so that it is remembered.
    rig.open(&Ask::usual(&world)).await.echo("remembered").await;
    rig.revoke([token_mark("token-1")]).await;
    let both = tidegate_oauth::jwk::key_set([&world.key, &crate::world::new_key()]);
    world.parts.issuer.jwks = both;
    rig.decide(&mut world).await;
    rig.ask(&Ask::usual(&world)).await.is_problem(401, "credential-revoked");
}

#[tokio::test]
async fn one_revocation_among_thousands_of_others_ends_one_session() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut sessions = Vec::new();
    for number in 0..40 {
        let ask = Ask::to(PATH).bearer(&token(&world, &number.to_string()));
        sessions.push(rig.open(&ask).await);
    }
    let others = (0..3_000_u64).map(|number| Revoked::Credential(Mark::from(number.to_be_bytes())));
    rig.revoke(others.chain([token_mark("jti 17")])).await;
    let mut gone = sessions.remove(17);
    assert_eq!(gone.closed().await, because(3000, "revoked"));
    for session in &mut sessions {
        session.echo("still here").await;
    }
}
