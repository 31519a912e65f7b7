//! Sessions that open: what goes through, what stays behind, and in which order.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    client_async,
    tungstenite::{ClientRequestBuilder, Message},
};

use crate::{
    backend::Backend,
    client::{self, Ask, because},
    rig::Rig,
    socket::{BINARY, Frames, PING, PONG, encode},
    soon,
    world::{PATH, World},
};

#[tokio::test]
async fn what_a_client_says_comes_back() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("hello").await;
    let large = vec![0xa5; 300_000];
    client.frames.send(BINARY, &large).await;
    let frame = client.frames.next().await.unwrap();
    assert!((frame.opcode, frame.payload) == (BINARY, large), "a large message comes back whole");
    client.frames.send(PING, b"are you there").await;
    let pong = client.frames.next().await.unwrap();
    assert_eq!((pong.opcode, &*pong.payload), (PONG, &b"are you there"[..]));
    client.leave().await;
    backend.until("the goodbye", |seen| seen.closes == [(1000, "done".to_owned())]).await;
}

#[tokio::test]
async fn what_a_client_says_over_tls_comes_back() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    // The frame comes in the same records as the handshake.
    let ask = Ask::usual(&world).behind(&encode(1, b"early", Some([1, 2, 3, 4])));
    let mut client = client::open(rig.secure().await, &ask).await;
    assert_eq!(client.frames.hear().await, "early");
    client.echo("hello").await;
    let large = vec![0xa5; 300_000];
    client.frames.send(BINARY, &large).await;
    assert!(client.frames.next().await.unwrap().payload == large, "a large message comes back whole");
    client.leave().await;
    assert_eq!(backend.head().one("x-forwarded-proto"), "https");
}

#[tokio::test]
async fn somebody_elses_client_is_served() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let request = ClientRequestBuilder::new(format!("ws://{}{PATH}", rig.ws).parse().unwrap())
        .with_header("Authorization", format!("Bearer {}", world.token()));
    let stream = TcpStream::connect(rig.ws).await.unwrap();
    let (mut client, _) = soon("a session", client_async(request, stream)).await.unwrap();
    client.send(Message::text("hello")).await.unwrap();
    let heard = soon("an echo", client.next()).await.unwrap().unwrap();
    assert_eq!(heard, Message::text("hello"));
    client.close(None).await.unwrap();
}

#[tokio::test]
async fn topic_and_query_follow_the_path() {
    let backend = Backend::echo().await;
    let mut world = World::new(&format!("{}base/?k=1", backend.url()));
    world.api().is_default_version = true;
    let rig = Rig::start(&mut world).await;
    let token = world.token();
    for (asked, reached) in [
        (PATH.to_owned(), "/base/?k=1"),
        (format!("{PATH}/news/today?a=1&b=%20"), "/base/news/today?k=1&a=1&b=%20"),
        ("/echo/news".to_owned(), "/base/news?k=1"),
        ("/echo".to_owned(), "/base/?k=1"),
        (format!("http://other.test{PATH}?x"), "/base/?k=1&x"),
    ] {
        rig.open(&Ask::to(&asked).bearer(&token)).await.leave().await;
        let seen = backend.seen.borrow();
        assert_eq!(seen.heads.last().unwrap().start, format!("GET {reached} HTTP/1.1"), "{asked}");
    }
}

#[tokio::test]
async fn the_host_of_a_whole_url_is_what_the_backend_is_told() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let token = world.token();
    rig.open(&Ask::to(&format!("http://other.test:81{PATH}")).bearer(&token)).await.leave().await;
    assert_eq!(backend.last_head().one("x-forwarded-host"), "other.test:81");
    let ask =
        Ask::to(PATH).without("Host").with("Host", "[::1]:9099").with("Content-Length", "0").bearer(&token);
    rig.open(&ask).await.leave().await;
    let head = backend.last_head();
    assert_eq!(head.one("x-forwarded-host"), "[::1]:9099");
    assert_eq!(head.one("host"), backend.address.to_string());
    assert_eq!(head.all("content-length"), [""; 0]);
}

#[tokio::test]
async fn a_backend_learns_who_asks_from_the_gateway_alone() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let ask = Ask::usual(&world)
        .without("Connection")
        .with("Connection", "Upgrade, X-Forwarded-For, X-Hop")
        .with("X-Forwarded-For", "203.0.113.9")
        .with("X_Forwarded_For", "203.0.113.9")
        .with("X-Hop", "203.0.113.9")
        .with("Cookie", "session=203.0.113.9")
        .with("Origin", "https://page.test")
        .with("User-Agent", "Test/1");
    let client = rig.open(&ask).await;
    let head = backend.head();
    assert!(!head.text.contains("203.0.113.9"), "{}", head.text);
    for (name, value) in [
        ("host", &*backend.address.to_string()),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "gateway.test:9099"),
        ("origin", "https://page.test"),
        ("user-agent", "Test/1"),
        ("x-request-id", client.head.one("x-request-id")),
        ("sec-websocket-version", "13"),
    ] {
        assert_eq!(head.one(name), value, "{name}");
    }
    assert_ne!(head.one("sec-websocket-key"), "dGhlIHNhbXBsZSBub25jZQ==", "each side has its own handshake");
}

#[tokio::test]
async fn early_bytes_wait_for_the_backends_yes_and_arrive_whole() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let messages: Vec<Vec<u8>> = [3, 0, 125, 126, 1_500, 70_000].map(|len| vec![0x5a; len]).into();
    let key = Some([9, 8, 7, 6]);
    let behind: Vec<u8> = messages.iter().flat_map(|message| encode(BINARY, message, key)).collect();
    let ask = Ask::usual(&world).behind(&behind);
    let mut client = Frames::of_client(rig.plain().await);
    let (bytes, asked) = (ask.bytes(), async { backend.next().await });
    let ((), mut visit) = tokio::join!(client.write(&bytes), asked);
    assert_eq!(visit.frames.unused(), b"", "nothing before the answer");
    visit.accept("").await;
    let mut client = client::switched(client).await;
    for message in &messages {
        assert!(visit.frames.next().await.unwrap().payload == *message, "{} bytes", message.len());
    }
    visit.frames.say("all here").await;
    assert_eq!(client.frames.hear().await, "all here");
}

#[tokio::test]
async fn early_bytes_of_a_refused_client_reach_nobody() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let second = b"GET /secret HTTP/1.1\r\nHost: backend\r\n\r\n";
    let mut client = rig.asking(&Ask::usual(&world).behind(second)).await;
    let mut visit = backend.next().await;
    visit.frames.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(client::answer(&mut client).await.problem(), "backend-refused");
    assert_eq!(visit.frames.rest().await, b"", "the backend got a head and nothing else");
}

#[tokio::test]
async fn what_a_backend_says_right_behind_its_yes_arrives() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let ask = Ask::usual(&world);
    let answering = async {
        let mut visit = backend.next().await;
        let answer = visit.switching("");
        let welcome = visit.frames.frame(1, b"welcome");
        visit.frames.write(&[answer.as_bytes(), &welcome].concat()).await;
        visit
    };
    let (mut client, mut visit) = tokio::join!(rig.open(&ask), answering);
    assert_eq!(client.frames.hear().await, "welcome");
    client.frames.say("thanks").await;
    assert_eq!(visit.frames.hear().await, "thanks");
}

#[tokio::test]
async fn whichever_side_ends_the_other_is_told() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let ask = Ask::usual(&world);
    let meet = async || {
        let accepting = async {
            let mut visit = backend.next().await;
            visit.accept("").await;
            visit
        };
        tokio::join!(rig.open(&ask), accepting)
    };

    let (mut client, mut visit) = meet().await;
    visit.frames.close(4001, "enough").await;
    assert_eq!(client.closed().await, (4001, "enough".to_owned()));
    assert_eq!(visit.frames.closed().await, (4001, "enough".to_owned()));

    let (client, mut visit) = meet().await;
    drop(client);
    assert_eq!(visit.frames.closed().await.0, 1001, "a client that vanished has gone away");

    let (mut client, visit) = meet().await;
    drop(visit);
    assert_eq!(client.closed().await.0, 1014, "a backend that vanished is a bad gateway");

    let (mut client, mut visit) = meet().await;
    client.frames.write(&encode(1, b"unmasked", None)).await;
    assert_eq!(visit.frames.closed().await.0, 1001, "the backend did nothing wrong");
    assert_eq!(client.closed().await, because(1002, "unmasked"));

    let (mut client, mut visit) = meet().await;
    visit.frames.write(&encode(1, b"masked", Some([1, 2, 3, 4]))).await;
    assert_eq!(client.closed().await.0, 1011, "the client did nothing wrong");
    assert_eq!(visit.frames.closed().await, because(1002, "masked"));
}

#[tokio::test]
async fn sandbox_keys_reach_the_sandbox() {
    let (production, sandbox) = (Backend::echo().await, Backend::echo().await);
    let mut world = World::new(&production.url());
    world.api().endpoints.sandbox = Some(tidegate_model::endpoint::Endpoint::new(sandbox.url()));
    let rig = Rig::start(&mut world).await;
    rig.open(&Ask::to(PATH).bearer(&world.token_of(crate::world::SANDBOX))).await.leave().await;
    assert_eq!((production.seen.borrow().heads.len(), sandbox.seen.borrow().heads.len()), (0, 1));
    rig.open(&Ask::usual(&world)).await.leave().await;
    assert_eq!((production.seen.borrow().heads.len(), sandbox.seen.borrow().heads.len()), (1, 1));
}
