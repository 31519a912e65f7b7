//! Sessions on streams: what passes, how they end, and what the ends of a stream mean.

use h2::Reason;
use tidegate_model::{lifecycle::State, protocol::Compression};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::peer::{Ask, Connection, whole};
use crate::{
    backend::{Backend, Visit},
    client::{Client, because},
    rig::Rig,
    socket::{self, BINARY, COMPRESSED, Frames, PING, TEXT},
    soon,
    world::{PATH, World},
};

async fn echo() -> (Backend, World, Rig, Connection) {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let connection = Connection::open(&rig).await;
    (backend, world, rig, connection)
}

/// A session and its visit at a backend that is the test's own.
async fn meet(change: impl FnOnce(&mut World)) -> (World, Rig, Connection, super::peer::Tunnel, Visit) {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    change(&mut world);
    let rig = Rig::start(&mut world).await;
    let connection = Connection::open(&rig).await;
    let accepting = async {
        let mut visit = backend.next().await;
        visit.accept("").await;
        visit
    };
    let asking = connection.begin(&Ask::usual(&world), false).await.unwrap();
    let ((_, tunnel), visit) = tokio::join!(asking.tunnel(), accepting);
    (world, rig, connection, tunnel, visit)
}

#[tokio::test]
async fn what_a_client_says_comes_back() {
    let (backend, world, rig, connection) = echo().await;
    let ask = Ask::usual(&world).with("x-own", "kept").with("cookie", "a=b").with("te", "trailers");
    let mut client = connection.session(&ask).await;
    client.echo("hello").await;
    client.echo(&"large ".repeat(100_000)).await;
    let head = backend.head();
    assert_eq!(head.start, "GET / HTTP/1.1");
    assert_eq!((head.one("x-forwarded-for"), head.one("x-forwarded-proto")), ("127.0.0.1", "https"));
    assert_eq!(head.one("x-forwarded-host"), "gateway.test:8099");
    assert_eq!(head.one("x-request-id"), client.head.one("x-request-id"));
    assert_eq!(head.one("x-own"), "kept");
    for name in ["authorization", "cookie", "te"] {
        assert!(head.all(name).is_empty(), "{name} stays here");
    }
    assert!(client.head.all("sec-websocket-accept").is_empty(), "there is no key to answer");
    client.leave().await;
    let (_, told) = rig.drain().await;
    let told = told.borrow();
    assert_eq!((told.totals().sessions, told.totals().messages_from_clients, told.open()), (1, 2, 0));
    let session = &told.sessions()[0];
    assert_eq!((session.code, &*session.reason, session.cut), (1000, "", false));
    connection.ended().await.expect("a connection that drains ends in order");
}

#[tokio::test]
async fn credentials_and_subprotocols_are_where_they_always_are() {
    let (backend, world, _rig, connection) = echo().await;
    let token = world.token();
    let by_query = Ask::to(&format!("{PATH}/news?access_token={token}&a=1"));
    connection.session(&by_query).await.leave().await;
    assert_eq!(backend.head().start, "GET /news?a=1 HTTP/1.1");
    let by_subprotocol = Ask::to(PATH).with("sec-websocket-protocol", &format!("bearer, {token}"));
    let client = connection.session(&by_subprotocol).await;
    assert_eq!(client.head.one("sec-websocket-protocol"), "bearer");
    client.leave().await;
}

#[tokio::test]
async fn streams_of_one_connection_are_sessions_of_their_own() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url()).gold(20);
    let rig = Rig::start(&mut world).await;
    let connection = Connection::open(&rig).await;
    let mut clients: Vec<Client> = Vec::new();
    for number in 0..10 {
        let mut client = connection.session(&Ask::usual(&world)).await;
        // Each is told how the plan stands for all of them.
        let left = format!(r#""Gold messages per minute";r={};t=37"#, 20 - 2 * number);
        assert_eq!(client.head.one("ratelimit"), left);
        client.echo(&format!("hello {number}")).await;
        clients.push(client);
    }
    let mut ids: Vec<_> = clients.iter().map(|it| it.head.one("x-request-id").to_owned()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 10, "each has its own id");
    // An echo costs two, so the plan's twenty are used up, to the message.
    clients[3].frames.say("one more").await;
    assert_eq!(clients[3].closed().await.0, 4429);
    let refused = connection.ask(&Ask::usual(&world)).await;
    assert_eq!((refused.status, &*refused.problem()), (429, "quota"));
    assert_eq!(refused.head.one("retry-after"), "37");
    assert_eq!(refused.head.one("ratelimit"), r#""Gold messages per minute";r=0;t=37"#);
    clients.remove(3);
    for client in clients {
        client.leave().await;
    }
    let (_, told) = rig.drain().await;
    let totals = told.borrow().totals();
    assert_eq!((totals.sessions, totals.messages_from_clients, totals.messages_from_backends), (10, 10, 10));
}

#[tokio::test]
async fn two_places_among_the_sessions_are_taken_by_each_stream() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::with(&mut world, |settings| settings.sessions_max = 4).await;
    let connection = Connection::open(&rig).await;
    let first = connection.session(&Ask::usual(&world)).await;
    let _second = connection.session(&Ask::usual(&world)).await;
    let refused = connection.ask(&Ask::usual(&world)).await;
    assert_eq!((refused.status, &*refused.problem()), (503, "overloaded"));
    first.leave().await;
    rig.control.until("the first is over", |told| told.sessions().len() == 1).await;
    connection.session(&Ask::usual(&world)).await.leave().await;
}

#[tokio::test]
async fn whichever_side_ends_the_other_is_told_and_the_stream_ends_in_order() {
    let (_world, _rig, _connection, tunnel, mut visit) = meet(|_| {}).await;
    let mut client = Frames::of_client(Box::new(tunnel));
    visit.frames.close(4000, "enough").await;
    assert_eq!(client.closed().await, (4000, "enough".to_owned()));
    assert_eq!(visit.frames.closed().await, (4000, "enough".to_owned()));
    assert_eq!(client.rest().await, b"");

    let (_world, _rig, _connection, mut tunnel, mut visit) = meet(|_| {}).await;
    let close = socket::encode(socket::CLOSE, &[0x03, 0xe8], Some([1, 2, 3, 4]));
    tunnel.write_all(&close).await.unwrap();
    assert_eq!(visit.frames.closed().await, (1000, String::new()));
    let mut answer = [0; 4];
    soon("the answer", tunnel.read_exact(&mut answer)).await.unwrap();
    assert_eq!(answer, [0x88, 2, 0x03, 0xe8]);
    assert_eq!(whole(tunnel.receive).await.expect("END_STREAM"), b"");
}

#[tokio::test]
async fn a_stream_that_is_reset_is_a_client_that_is_gone() {
    let (_world, rig, connection, mut tunnel, mut visit) = meet(|_| {}).await;
    tunnel.write_all(&socket::encode(TEXT, b"hello", Some([1, 2, 3, 4]))).await.unwrap();
    assert_eq!(visit.frames.hear().await, "hello");
    tunnel.reset();
    assert_eq!(visit.frames.closed().await, because(1001, "client_gone"));
    let (_, told) = rig.drain().await;
    assert_eq!(told.borrow().sessions()[0].code, 1006);
    drop(connection);
}

#[tokio::test]
async fn a_client_that_ends_its_half_without_a_word_is_gone() {
    let (_world, _rig, _connection, mut tunnel, mut visit) = meet(|_| {}).await;
    tunnel.shutdown().await.unwrap();
    assert_eq!(visit.frames.closed().await, because(1001, "client_gone"));
    // What is said to it is RFC 8441's orderly end.
    assert_eq!(whole(tunnel.receive).await.expect("END_STREAM"), b"");
}

#[tokio::test]
async fn a_connection_that_is_lost_loses_all_its_streams() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let connection = Connection::open(&rig).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = connection.session(&Ask::usual(&world)).await;
        client.echo("hello").await;
        clients.push(client);
    }
    connection.tear();
    backend.until("three goodbyes", |seen| seen.closes.len() == 3).await;
    assert!(backend.seen.borrow().closes.iter().all(|close| *close == because(1001, "client_gone")));
    rig.control.until("all are over", |told| told.sessions().len() == 3 && told.open() == 0).await;
}

#[tokio::test]
async fn a_backend_that_is_gone_is_told() {
    let (_world, _rig, _connection, tunnel, visit) = meet(|_| {}).await;
    drop(visit);
    let mut client = Frames::of_client(Box::new(tunnel));
    assert_eq!(client.closed().await, because(1014, "backend_gone"));
}

/// Takes three seconds: the time that the end of the frame has.
#[tokio::test]
async fn what_is_cut_in_the_middle_of_a_frame_is_reset() {
    let (mut world, rig, connection, mut tunnel, mut visit) = meet(|_| {}).await;
    let frame = socket::encode(BINARY, &[7; 1000], None);
    visit.frames.write(&frame[..500]).await;
    let mut begun = vec![0; 500];
    soon("its first half", tunnel.read_exact(&mut begun)).await.unwrap();
    world.api().state = State::Blocked;
    rig.decide(&mut world).await;
    let error = whole(tunnel.receive).await.expect_err("no orderly end");
    assert_eq!((error.is_reset(), error.reason()), (true, Some(Reason::CANCEL)), "{error}");
    let other = connection.ask(&Ask::usual(&world)).await;
    assert_eq!(&*other.problem(), "api-blocked", "the connection goes on");
}

#[tokio::test]
async fn a_drain_says_goodbye_to_every_stream() {
    let (backend, world, rig, connection) = echo().await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = connection.session(&Ask::usual(&world)).await;
        client.echo("hello").await;
        clients.push(client);
    }
    let farewells = async {
        for client in &mut clients {
            assert_eq!(client.closed().await, because(1012, "restart"));
            assert_eq!(client.frames.rest().await, b"");
        }
    };
    let ((cut, told), ()) = tokio::join!(rig.drain(), farewells);
    assert_eq!(cut, 0);
    backend.until("five goodbyes", |seen| seen.closes.len() == 5).await;
    assert!(told.borrow().sessions().iter().all(|session| (session.code, session.cut) == (1012, false)));
    connection.ended().await.expect("and the connection ends in order");
}

#[tokio::test]
async fn whoever_waits_during_a_drain_is_told_to_come_again() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let (idle, connection) = (Connection::open(&rig).await, Connection::open(&rig).await);
    let asking = connection.begin(&Ask::usual(&world), false).await.unwrap();
    let mut visit = backend.next().await;
    let refused = async {
        let response = soon("an answer", asking.answer).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.headers()["retry-after"].as_bytes()),
            (503, &b"5"[..])
        );
        assert_eq!(visit.frames.rest().await, b"", "the dial ends with its client");
        idle.ended().await.expect("an idle connection ends in order");
    };
    let ((cut, _), ()) = tokio::join!(rig.drain(), refused);
    assert_eq!(cut, 0);
}

#[tokio::test]
async fn who_may_not_stay_is_told_on_its_stream() {
    let (_backend, mut world, rig, connection) = echo().await;
    let mut client = connection.session(&Ask::usual(&world)).await;
    client.echo("hello").await;
    world.api().state = State::Blocked;
    rig.decide(&mut world).await;
    assert_eq!(client.closed().await, because(3003, "api_blocked"));

    world.api().state = State::Published;
    rig.decide(&mut world).await;
    let mut client = connection.session(&Ask::usual(&world)).await;
    client.echo("hello").await;
    rig.clock.forward(crate::world::LIFETIME * 1_000);
    assert_eq!(client.closed().await, because(3000, "expired"));
}

#[tokio::test]
async fn who_is_silent_is_asked() {
    let (_world, _rig, _connection, tunnel, mut visit) = meet(|world| {
        let endpoint = world.production();
        (endpoint.ping_interval_ms, endpoint.pong_timeout_ms) = (200, 400);
    })
    .await;
    let mut client = Frames::of_client(Box::new(tunnel));
    assert_eq!(client.next().await.expect("a Ping").opcode, PING);
    // The client does not answer; the backend does.
    let told = visit.frames.closed_after_pongs().await;
    assert_eq!(told, because(1001, "client_gone"));
}

#[tokio::test]
async fn compression_is_agreed_end_to_end_where_it_passes() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    world.api().protocol.compression = Compression::Pass;
    let rig = Rig::start(&mut world).await;
    let connection = Connection::open(&rig).await;
    let offer = "permessage-deflate; client_no_context_takeover";
    let ask = Ask::usual(&world).with("sec-websocket-extensions", offer);
    let accepting = async {
        let mut visit = backend.next().await;
        assert_eq!(visit.head.one("sec-websocket-extensions"), offer);
        visit.accept(&format!("Sec-WebSocket-Extensions: {offer}\r\n")).await;
        visit
    };
    let (mut client, mut visit) = tokio::join!(connection.session(&ask), accepting);
    assert_eq!(client.head.one("sec-websocket-extensions"), offer);
    client.frames.send(COMPRESSED | TEXT, b"opaque").await;
    let frame = visit.frames.next().await.expect("a message");
    assert_eq!((frame.opcode, &*frame.payload), (COMPRESSED | TEXT, &b"opaque"[..]));
    visit.frames.send(frame.opcode, &frame.payload).await;
    assert_eq!(client.frames.next().await, Some(frame));
}

#[tokio::test]
async fn compression_ends_at_the_gateway_where_it_says_so() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().protocol.compression = Compression::Terminate;
    let rig = Rig::start(&mut world).await;
    let connection = Connection::open(&rig).await;
    let ask = Ask::usual(&world).with("sec-websocket-extensions", "permessage-deflate");
    let mut client = connection.session(&ask).await;
    assert!(client.head.one("sec-websocket-extensions").starts_with("permessage-deflate"));
    // RFC 7692 section 7.2.3.2.
    client.frames.send(COMPRESSED | TEXT, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]).await;
    assert_eq!(
        client.frames.hear().await,
        "Hello",
        "the backend got it plain, and short ones are sent as they are"
    );
}
