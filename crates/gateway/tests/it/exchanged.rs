//! Tokens that another one was exchanged for (RFC 8693): they open what their own client may, and end with what they came of.

use serde_json::{Value, json};
use tidegate_model::{
    endpoint::Environment,
    id::ApplicationId,
    issuer::{AcceptedIssuers, RESIDENT},
    revocation::Revoked,
    snapshot::{ApplicationFacts, ClientFacts},
};
use tidegate_oauth::mark;

use crate::{
    backend::Backend,
    client::{Ask, because},
    issuers::{CLIENT, OTHER, facts, id, provided},
    rig::Rig,
    soon,
    world::{ISSUER, NOW, PATH, World, new_key},
};

/// The client of the token that is exchanged, of another application.
const FIRST: &str = "first-client";

fn hex(mark: [u8; 8]) -> String {
    tidegate_model::revocation::Mark::from(mark).to_string()
}

/// What the token of the first client is, as what came of it says.
fn source(kid: &str) -> Value {
    json!({"client_id": FIRST, "credential": hex(mark::token(ISSUER, "first")),
        "subject": hex(mark::subject(ISSUER, "ada")), "signed_with": kid})
}

fn ask(world: &World, source: &Value) -> Ask {
    let claims = json!({"sub": "ada", "grant_id": "grant", "jti": "second", "source": source});
    Ask::to(PATH).bearer(&world.token_with(&json!({}), &claims))
}

/// A world in which another application has the first client.
fn world(backend: &Backend) -> World {
    let mut world = World::new(&backend.url());
    let application = ApplicationId::new(NOW, [8; 10]);
    let (name, policy) = ("First".to_owned(), "Policy".to_owned());
    world.parts.applications.push(ApplicationFacts { id: application, name, policy, owner: None });
    let (client_id, environment) = (FIRST.to_owned(), Environment::Production);
    world.parts.clients.push(ClientFacts { client_id, application, environment, key_manager: None });
    world
}

#[tokio::test]
async fn it_ends_with_whatever_ends_the_token_that_it_came_of() {
    let first = || Revoked::Credential(mark::token(ISSUER, "first").into());
    for what in [
        first(),
        Revoked::Grant(mark::grant(ISSUER, "grant").into()),
        Revoked::Subject(mark::subject(ISSUER, "ada").into()),
        Revoked::Client(FIRST.into()),
        Revoked::Credential(mark::token(ISSUER, "second").into()),
    ] {
        let backend = Backend::echo().await;
        let mut world = world(&backend);
        let rig = Rig::start(&mut world).await;
        let exchanged = ask(&world, &source(world.key.kid()));
        let mut session = rig.open(&exchanged).await;
        let mut own = rig.open(&Ask::usual(&world)).await;
        rig.revoke([what.clone()]).await;
        assert_eq!(soon("a close", session.closed()).await, because(3000, "revoked"), "{what:?}");
        rig.ask(&exchanged).await.is_problem(401, "credential-revoked");
        own.echo("what the client has by itself goes on").await;
    }
}

#[tokio::test]
async fn it_ends_with_the_client_and_the_signing_key_of_the_token_that_it_came_of() {
    let backend = Backend::echo().await;
    let mut world = world(&backend);
    world.parts.issuer.keys.push("older".to_owned());
    let rig = Rig::start(&mut world).await;
    let exchanged = ask(&world, &source("older"));
    let mut session = rig.open(&exchanged).await;
    let client = world.parts.clients.pop().unwrap();
    rig.decide(&mut world).await;
    assert_eq!(soon("a close", session.closed()).await, because(3000, "key_revoked"));
    rig.ask(&exchanged).await.is_problem(401, "credential-revoked");

    world.parts.clients.push(client);
    rig.decide(&mut world).await;
    let mut session = rig.open(&exchanged).await;
    world.parts.issuer.keys.pop();
    rig.decide(&mut world).await;
    assert_eq!(soon("a close", session.closed()).await, because(3000, "signing_key_removed"));
    rig.ask(&exchanged).await.is_problem(401, "credential-revoked");
}

#[tokio::test]
async fn one_of_another_issuers_person_opens_where_both_issuers_are_accepted() {
    let (backend, key) = (Backend::echo().await, new_key());
    let mut world = world(&backend);
    let application = world.parts.applications[1].id;
    world.parts.key_managers.push(facts(1, OTHER, &[&key]));
    world.parts.clients.push(provided(id(1), CLIENT, application));
    let rig = Rig::start(&mut world).await;
    let source = json!({"client_id": CLIENT, "key_manager": id(1).to_string(),
        "credential": hex(mark::token(OTHER, "t")), "subject": hex(mark::subject(OTHER, "user-7"))});
    let exchanged = ask(&world, &source);
    let mut session = rig.open(&exchanged).await;
    world.api().issuers = AcceptedIssuers::named(vec![RESIDENT.to_owned()]);
    rig.decide(&mut world).await;
    assert_eq!(soon("a close", session.closed()).await, because(3000, "issuer_not_accepted"));
    rig.ask(&exchanged).await.is_problem(401, "issuer-not-accepted");
    world.api().issuers = AcceptedIssuers::named(vec!["Issuer 1".to_owned()]);
    rig.decide(&mut world).await;
    rig.ask(&exchanged).await.is_problem(401, "issuer-not-accepted");
    world.api().issuers = AcceptedIssuers::default();
    rig.decide(&mut world).await;
    let mut session = rig.open(&exchanged).await;
    rig.revoke([Revoked::Subject(mark::subject(OTHER, "user-7").into())]).await;
    assert_eq!(soon("a close", session.closed()).await, because(3000, "revoked"));
}

#[tokio::test]
async fn what_does_not_say_rightly_what_it_came_of_opens_nothing() {
    let backend = Backend::bind().await;
    let mut world = world(&backend);
    let rig = Rig::start(&mut world).await;
    let good = source(world.key.kid());
    let with = |name: &str, value: Value| {
        let mut source = good.clone();
        source[name] = value;
        source
    };
    for wrong in [
        Value::from("first"),
        json!({}),
        with("credential", json!("0123")),
        with("credential", json!(7)),
        with("subject", json!("")),
        with("client_id", json!("")),
        with("key_manager", json!("nobody")),
        with("also", json!("unknown")),
    ] {
        rig.ask(&ask(&world, &wrong)).await.is_problem(401, "credential-invalid");
    }
    rig.ask(&ask(&world, &with("client_id", json!("gone")))).await.is_problem(401, "credential-revoked");
    backend.saw_nothing().await;
}
