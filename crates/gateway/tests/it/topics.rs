//! Topics with directions and scopes: what a side may not send never arrives, costs nothing, and is counted; what is not declared
//! is not there; and a deployment changes all of it under a session's feet.

use tidegate_model::{
    link::Down,
    opaque::OpaqueTokenFacts,
    security::Way,
    topic::{Direction, Misdirected, Topic, Topics},
    user::Secret,
};
use tidegate_oauth::secret::{self, Kind};

use crate::{
    backend::{Backend, Visit},
    client::{Ask, Client, because},
    rig::Rig,
    secrets,
    socket::{CONTINUATION, PING, PONG, TEXT, encode},
    world::{NOW, PRODUCTION, World},
};

const KEY: Option<[u8; 4]> = Some([1, 2, 3, 4]);

fn topics(declared: &[(&str, Direction)], misdirected: Misdirected) -> Topics {
    let topic = |&(path, direction): &(&str, Direction)| Topic {
        path: path.to_owned(),
        direction,
        ..Topic::default()
    };
    Topics { declared: declared.iter().map(topic).collect(), misdirected }
}

fn rooms(misdirected: Misdirected) -> Topics {
    topics(
        &[
            ("/news", Direction::Subscribe),
            ("/votes/{poll}", Direction::Publish),
            ("/chat/*", Direction::Both),
        ],
        misdirected,
    )
}

fn ask(world: &World, topic: &str) -> Ask {
    Ask::to(&format!("{}{topic}", crate::world::PATH)).bearer(&world.token())
}

/// A session on this topic, and the backend's side of it.
async fn opened(rig: &Rig, world: &World, backend: &Backend, topic: &str) -> (Client, Visit) {
    let ask = ask(world, topic);
    let accepting = async {
        let mut visit = backend.next().await;
        visit.accept("").await;
        visit
    };
    tokio::join!(rig.open(&ask), accepting)
}

#[tokio::test]
async fn a_client_that_speaks_on_a_topic_to_listen_to_is_closed_and_its_message_never_arrives() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    world.api().topics = rooms(Misdirected::Close);
    let rig = Rig::start(&mut world).await;
    let (mut client, mut visit) = opened(&rig, &world, &backend, "/news").await;
    visit.frames.say("the news").await;
    assert_eq!(client.frames.hear().await, "the news");
    // Control frames are nobody's message.
    client.frames.send(PING, b"are you there").await;
    assert_eq!(visit.frames.next().await.unwrap().payload, b"are you there");
    visit.frames.send(PONG, b"are you there").await;
    assert_eq!(client.frames.next().await.unwrap().payload, b"are you there");
    client.frames.say("my opinion").await;
    assert_eq!(client.closed().await, because(1008, "direction"));
    assert_eq!(visit.frames.closed().await, because(1001, "limit"), "and nothing before it");
    rig.control.until("the record", |told| told.sessions().len() == 1).await;
    let told = rig.control.told.borrow().sessions().remove(0);
    assert_eq!((told.code, &*told.reason, told.counts.refusals), (1008, "direction", 1));
    assert_eq!((told.counts.messages_from_clients, told.counts.messages_from_backends), (0, 1));
}

#[tokio::test]
async fn where_the_api_says_drop_the_message_is_gone_in_all_its_fragments_and_the_session_goes_on() {
    let backend = Backend::bind().await;
    // What is dropped costs nothing: with a message a minute, one of the backend passes after three of the client.
    let mut world = World::new(&backend.url()).gold(1);
    world.api().topics = rooms(Misdirected::Drop);
    let rig = Rig::start(&mut world).await;
    let (mut client, mut visit) = opened(&rig, &world, &backend, "/news").await;
    client.frames.say("whole").await;
    let mut fragment = encode(TEXT, b"in ", KEY);
    fragment[0] &= 0x7f;
    client.frames.write(&fragment).await;
    client.frames.send(PING, b"between").await;
    assert_eq!(visit.frames.next().await.unwrap().payload, b"between", "the first that arrives");
    client.frames.write(&encode(CONTINUATION, b"pieces", KEY)).await;
    client.frames.say(&"long ".repeat(40_000)).await;
    visit.frames.say("the news").await;
    assert_eq!(client.frames.hear().await, "the news");
    tokio::join!(client.leave(), visit.frames.closed());
    rig.control.until("the record", |told| told.sessions().len() == 1).await;
    let counts = rig.control.told.borrow().sessions().remove(0).counts;
    assert_eq!((counts.messages_from_clients, counts.bytes_from_clients, counts.refusals), (0, 0, 3));
}

#[tokio::test]
async fn a_backend_that_speaks_on_a_topic_to_publish_on_is_not_heard_and_ends_nothing() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    world.api().topics = rooms(Misdirected::Close);
    let rig = Rig::start(&mut world).await;
    let (mut client, mut visit) = opened(&rig, &world, &backend, "/votes/7").await;
    visit.frames.say("unasked").await;
    visit.frames.send(PING, b"after it").await;
    assert_eq!(client.frames.next().await.unwrap().payload, b"after it", "the first that arrives");
    client.frames.say("yes").await;
    assert_eq!(visit.frames.hear().await, "yes");
}

#[tokio::test]
async fn a_topic_that_is_not_declared_is_not_there() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    world.api().topics = rooms(Misdirected::Close);
    let rig = Rig::start(&mut world).await;
    for topic in ["", "/", "/new", "/news/today", "/votes", "/votes/", "/News"] {
        rig.ask(&ask(&world, topic)).await.is_problem(404, "unknown-topic");
    }
    // Nobody without a token learns more than that.
    rig.ask(&ask(&world, "/none").without("Authorization")).await.is_problem(404, "unknown-topic");
    backend.saw_nothing().await;
}

#[tokio::test]
async fn a_deployment_changes_who_may_send_on_a_live_session() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&ask(&world, "/news")).await;
    client.echo("both ways").await;
    world.api().topics = topics(&[("/news", Direction::Subscribe)], Misdirected::Drop);
    rig.decide(&mut world).await;
    client.frames.say("not any more").await;
    client.frames.send(PING, b"alive").await;
    assert_eq!(client.frames.next().await.unwrap().payload, b"alive", "and no echo");
    world.api().topics = Topics::default();
    rig.decide(&mut world).await;
    client.echo("again").await;
    world.api().topics = topics(&[("/weather", Direction::Both)], Misdirected::Drop);
    rig.decide(&mut world).await;
    assert_eq!(client.closed().await, because(3003, "topic_gone"));
}

/// A token with these scopes.
fn scoped(world: &World, topic: &str, scope: &str) -> Ask {
    let token = world.token_with(&serde_json::json!({}), &serde_json::json!({"scope": scope}));
    Ask::to(&format!("{}{topic}", crate::world::PATH)).bearer(&token)
}

/// A room to speak in with `write` or `run`, and to listen to with `read`.
fn guarded(misdirected: Misdirected) -> Topics {
    let room = Topic {
        path: "/room".to_owned(),
        publish_scopes: vec!["write".to_owned(), "run".to_owned()],
        subscribe_scopes: vec!["read".to_owned()],
        ..Topic::default()
    };
    let open =
        Topic { path: "/lobby".to_owned(), publish_scopes: vec!["write".to_owned()], ..Topic::default() };
    Topics { declared: vec![room, open], misdirected }
}

#[tokio::test]
async fn a_token_without_any_of_a_topics_scopes_is_refused_and_told_which_would_do() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    world.api().topics = guarded(Misdirected::Close);
    let (key, facts) = secrets::key(&world, 1);
    world.parts.api_keys.push(facts);
    world.api().security.accepts.insert(Way::ApiKeyHeader);
    let rig = Rig::start(&mut world).await;
    let by_key = Ask::to("/echo/1.0/room").with("ApiKey", &key);
    for ask in [scoped(&world, "/room", ""), scoped(&world, "/room", "Read writer x"), by_key] {
        let refused = rig.ask(&ask).await;
        refused.is_problem(403, "scope-missing");
        let challenge = refused.head.one("www-authenticate");
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.ends_with("scope=\"read write run\""), "{challenge}");
    }
    backend.saw_nothing().await;
}

#[tokio::test]
async fn a_token_does_on_a_topic_what_its_scopes_are_for() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().topics = guarded(Misdirected::Close);
    let rig = Rig::start(&mut world).await;
    rig.open(&scoped(&world, "/room", "run read")).await.echo("both").await;
    for (topic, scope) in [("/room", "read"), ("/lobby", "read"), ("/lobby", "")] {
        let mut listener = rig.open(&scoped(&world, topic, scope)).await;
        listener.frames.say("may I").await;
        assert_eq!(listener.closed().await, because(1008, "direction"), "{topic} {scope}");
    }
    let mut speaker = rig.open(&scoped(&world, "/room", "write")).await;
    speaker.frames.say("heard, and not answered").await;
    backend.until("the messages", |seen| seen.messages == 2).await;
    speaker.frames.send(PING, b"alive").await;
    assert_eq!(speaker.frames.next().await.unwrap().payload, b"alive", "and no echo");
}

#[tokio::test]
async fn scopes_of_a_topic_that_change_reach_live_sessions() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().topics = guarded(Misdirected::Drop);
    let rig = Rig::start(&mut world).await;
    let mut writer = rig.open(&scoped(&world, "/room", "read write")).await;
    writer.echo("both").await;
    world.api().topics.declared[0].publish_scopes = vec!["run".to_owned()];
    rig.decide(&mut world).await;
    writer.frames.say("not any more").await;
    writer.frames.send(PING, b"alive").await;
    assert_eq!(writer.frames.next().await.unwrap().payload, b"alive", "and no echo");
    world.api().topics.declared[0].subscribe_scopes = vec!["run".to_owned()];
    rig.decide(&mut world).await;
    assert_eq!(writer.closed().await, because(3003, "scope_missing"));
    rig.ask(&scoped(&world, "/room", "read write")).await.is_problem(403, "scope-missing");
}

#[tokio::test]
async fn an_opaque_token_has_its_scopes_too() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().topics = guarded(Misdirected::Close);
    let tokens =
        [1, 2].map(|byte| secret::generate(Kind::AccessToken, &mut |bytes: &mut [u8]| bytes.fill(byte)));
    let rig = Rig::start(&mut world).await;
    let facts = tokens.iter().zip(["read write", "other"]).zip(1..).map(|((token, scope), number)| {
        OpaqueTokenFacts {
            number,
            token_hash: Secret(secret::hash(token)),
            client_id: PRODUCTION.to_owned(),
            subject: PRODUCTION.to_owned(),
            grant_id: None,
            scope: scope.to_owned(),
            issued_at: NOW,
            expires_at: NOW.plus_millis(60_000),
            source: None,
        }
    });
    rig.control.send(Down::OpaqueTokens(facts.collect())).await;
    rig.control.until("the tokens", |told| told.opaque_tokens == 2).await;
    let ask = |token: &str| Ask::to("/echo/1.0/room").bearer(token);
    rig.open(&ask(&tokens[0])).await.echo("both").await;
    rig.ask(&ask(&tokens[1])).await.is_problem(403, "scope-missing");
}
