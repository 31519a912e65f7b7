//! Re-authentication in place: a session lives on by a fresh token, of its own client and person alone, and ends by its
//! own credential otherwise.

use serde_json::{Value, json};
use tidegate_model::{
    revocation::Revoked,
    topic::{Misdirected, Topic, Topics},
};
use tidegate_oauth::mark;

use crate::{
    backend::Backend,
    client::{Answer, Ask, Client, because},
    rig::Rig,
    world::{ISSUER, NOW, PATH, World, api},
};

const PLACE: &str = "/.tidegate/sessions/echo/1.0";
/// Seconds that short tokens live.
const SHORT: i64 = 5;

/// A token that lives so long, with claims of its own.
fn token(world: &World, seconds: i64, claims: &Value) -> String {
    let mut all = json!({ "exp": NOW.seconds() + seconds, "jti": format!("{seconds} {claims}") });
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    world.token_with(&json!({}), &all)
}

fn person(name: &str) -> Value {
    json!({ "sub": name })
}

fn id(client: &Client) -> String {
    client.head.one("x-request-id").to_owned()
}

/// What a client sends that has a fresh token for a session; without an id, for all of its own.
fn renewal(session: Option<&str>, token: &str) -> Ask {
    let target = session.map_or(PLACE.to_owned(), |id| format!("{PLACE}/{id}"));
    let headers = vec![("Host".to_owned(), "gateway.test".to_owned())];
    Ask { method: "POST", target, version: "HTTP/1.1", headers, behind: Vec::new() }.bearer(token)
}

/// The sessions that go on, and until when.
fn renewed(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = body["sessions"].as_array().unwrap().iter();
    all.map(|session| (text(&session["id"]), text(&session["expires_at"]))).collect()
}

#[tokio::test]
async fn a_session_with_a_fresh_token_lives_on_and_another_ends() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let short = token(&world, SHORT, &json!({}));
    let mut kept = rig.open(&Ask::to(PATH).bearer(&short)).await;
    let mut left = rig.open(&Ask::to(PATH).bearer(&short)).await;
    let answer = rig.ask(&renewal(Some(&id(&kept)), &token(&world, 600, &json!({})))).await;
    assert_eq!(renewed(&answer).len(), 1);
    assert_eq!(renewed(&answer)[0].0, id(&kept));
    rig.clock.forward(SHORT * 1_000);
    assert_eq!(left.closed().await, because(3000, "expired"));
    kept.echo("still here").await;
    // The fresh token's own end is the session's now.
    rig.clock.forward((600 - SHORT) * 1_000);
    assert_eq!(kept.closed().await, because(3000, "expired"));
}

#[tokio::test]
async fn a_person_renews_all_of_their_sessions_at_once_and_nobody_elses() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let open = async |claims: Value| rig.open(&Ask::to(PATH).bearer(&token(&world, SHORT, &claims))).await;
    let mut ada = [open(person("ada")).await, open(person("ada")).await, open(person("ada")).await];
    let mut bob = open(person("bob")).await;
    let answer = rig.ask(&renewal(None, &token(&world, 600, &person("ada")))).await;
    let mut ids: Vec<_> = renewed(&answer).into_iter().map(|(id, _)| id).collect();
    let mut own: Vec<_> = ada.iter().map(id).collect();
    ids.sort();
    own.sort();
    assert_eq!(ids, own);
    rig.clock.forward(SHORT * 1_000);
    assert_eq!(bob.closed().await, because(3000, "expired"));
    for client in &mut ada {
        client.echo("still here").await;
    }
}

#[tokio::test]
async fn strangers_learn_nothing_and_change_nothing() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.parts.apis.push(api(9, "/other", &backend.url()));
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::to(PATH).bearer(&token(&world, SHORT, &person("ada")))).await;
    let its = id(&client);
    let foreign = format!("{}{}", &its[..its.len() - 1], "9999");
    let other_run = its.replacen(&its[..4], "0000", 1);
    let of_bob = token(&world, 600, &person("bob"));
    let of_client = token(&world, 600, &json!({}));
    let of_other = token(&world, 600, &json!({ "client_id": "sandbox-client", "sub": "ada" }));
    let of_ada = token(&world, 600, &person("ada"));
    let mut told = Vec::new();
    for (session, token) in [
        (its.as_str(), &of_bob),
        (&its, &of_client),
        (&its, &of_other),
        (&foreign, &of_ada),
        (&other_run, &of_ada),
        ("nonsense", &of_ada),
        ("a/b", &of_ada),
    ] {
        let answer = rig.ask(&renewal(Some(session), token)).await;
        if token == &of_other {
            // The sandbox key has no endpoint: it could open no session either.
            assert!([404, 503].contains(&answer.status), "{}", answer.status);
            continue;
        }
        answer.is_problem(404, "unknown-session");
        let mut body: Value = serde_json::from_slice(&answer.body).unwrap();
        body["instance"] = Value::Null;
        told.push(body);
    }
    told.dedup();
    assert_eq!(told.len(), 1, "the same answer, whether there is such a session or not");
    // Without an id a client's own token says too little.
    rig.ask(&renewal(None, &of_client)).await.is_problem(400, "session-missing");
    // And without a good token nobody is told anything.
    rig.ask(&renewal(Some(&its), "nonsense")).await.is_problem(401, "credential-invalid");
    rig.ask(&renewal(Some(&its), &token(&world, 0, &person("ada"))))
        .await
        .is_problem(401, "credential-expired");
    rig.clock.forward(SHORT * 1_000);
    assert_eq!(client.closed().await, because(3000, "expired"));
    rig.ask(&renewal(Some(&its), &of_ada)).await.is_problem(404, "unknown-session");
}

#[tokio::test]
async fn a_worse_token_is_refused_and_the_session_is_as_it_was() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::to(PATH).bearer(&token(&world, 60, &json!({})))).await;
    let its = id(&client);
    rig.ask(&renewal(Some(&its), &token(&world, SHORT, &json!({}))))
        .await
        .is_problem(409, "credential-worse");
    rig.clock.forward(SHORT * 1_000);
    client.echo("as before").await;
    // Revoked, it is worth nothing, and the session goes on by its own.
    let fresh = token(&world, 600, &json!({ "jti": "gone" }));
    rig.revoke([Revoked::Credential(mark::token(ISSUER, "gone").into())]).await;
    rig.ask(&renewal(Some(&its), &fresh)).await.is_problem(401, "credential-revoked");
    client.echo("as before").await;
}

#[tokio::test]
async fn a_renewed_session_ends_with_its_fresh_credential_and_no_more_with_the_old() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let first = token(&world, 60, &json!({ "jti": "first" }));
    let mut client = rig.open(&Ask::to(PATH).bearer(&first)).await;
    let second = token(&world, 600, &json!({ "jti": "second" }));
    renewed(&rig.ask(&renewal(Some(&id(&client)), &second)).await);
    rig.revoke([Revoked::Credential(mark::token(ISSUER, "first").into())]).await;
    client.echo("lives by the second").await;
    rig.revoke([Revoked::Credential(mark::token(ISSUER, "second").into())]).await;
    assert_eq!(client.closed().await, because(3000, "revoked"));
}

#[tokio::test]
async fn the_plan_is_read_anew() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(2);
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::to(PATH).bearer(&token(&world, 60, &json!({})))).await;
    client.echo("two messages").await;
    world.parts.subscriptions[0].plan = "Silver".to_owned();
    rig.decide(&mut world).await;
    renewed(&rig.ask(&renewal(Some(&id(&client)), &token(&world, 600, &json!({})))).await);
    client.echo("Silver has no limit").await;
}

#[tokio::test]
async fn a_page_may_ask_where_the_api_lets_it_in() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().security.origins = vec!["https://page.test".to_owned()];
    let rig = Rig::start(&mut world).await;
    let open =
        Ask::to(PATH).bearer(&token(&world, SHORT, &person("ada"))).with("Origin", "https://page.test");
    let mut client = rig.open(&open).await;
    let ask = |method, origin: &str| {
        Ask { method, ..renewal(None, &token(&world, 600, &person("ada"))) }.with("Origin", origin)
    };
    let leave = rig.ask(&ask("OPTIONS", "https://page.test").without("Authorization")).await;
    assert_eq!(leave.status, 200);
    assert_eq!(leave.head.one("access-control-allow-origin"), "https://page.test");
    assert_eq!(leave.head.one("access-control-allow-methods"), "POST");
    rig.ask(&ask("OPTIONS", "https://evil.test")).await.is_problem(403, "origin-refused");
    rig.ask(&ask("POST", "https://evil.test")).await.is_problem(403, "origin-refused");
    let answer = rig.ask(&ask("POST", "https://page.test")).await;
    assert_eq!(answer.head.one("access-control-allow-origin"), "https://page.test");
    assert_eq!(renewed(&answer).len(), 1);
    rig.clock.forward(SHORT * 1_000);
    client.echo("still here").await;
}

#[tokio::test]
async fn what_a_session_may_do_on_its_topic_is_read_anew_from_the_fresh_token() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let declared = vec![Topic {
        path: "/room".to_owned(),
        publish_scopes: vec!["write".to_owned()],
        subscribe_scopes: vec!["read".to_owned()],
        ..Topic::default()
    }];
    world.api().topics = Topics { declared, misdirected: Misdirected::Close };
    let rig = Rig::start(&mut world).await;
    let scoped = |seconds, scope: &str| token(&world, seconds, &json!({ "scope": scope }));
    let mut session = rig.open(&Ask::to(&format!("{PATH}/room")).bearer(&scoped(10, "read"))).await;
    let id = id(&session);
    rig.ask(&renewal(Some(&id), &scoped(20, "other"))).await.is_problem(403, "scope-missing");
    renewed(&rig.ask(&renewal(Some(&id), &scoped(30, "read write"))).await);
    session.echo("now I may").await;
    renewed(&rig.ask(&renewal(Some(&id), &scoped(40, "read"))).await);
    session.frames.say("and no more").await;
    assert_eq!(session.closed().await, because(1008, "direction"));
}
