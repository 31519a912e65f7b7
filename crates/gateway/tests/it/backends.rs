//! Backends that cannot be had: each its own problem, in bounded time, and never a 101.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use crate::{
    backend::Backend,
    client::{self, Ask, because},
    rig::Rig,
    world::World,
};

/// What a client is told whose API has this endpoint.
async fn told(url: &str) -> (u16, String) {
    let mut world = World::new(url);
    world.production().connect_timeout_ms = 200;
    world.production().handshake_timeout_ms = 200;
    let rig = Rig::start(&mut world).await;
    let answer = rig.ask(&Ask::usual(&world)).await;
    let body = String::from_utf8(answer.body.clone()).unwrap();
    let place = url.split("://").last().unwrap().trim_end_matches('/');
    let leaks = !place.is_empty() && (body.contains(place) || answer.head.text.contains(place));
    assert!(!leaks, "no address leaks: {body}");
    (answer.status, answer.problem())
}

#[tokio::test]
async fn a_dead_backend() {
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("ws://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    assert_eq!(told(&url).await, (502, "backend-unreachable".to_owned()));
}

#[tokio::test]
async fn a_backend_that_answers_something_else() {
    for (answer, problem) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "backend-refused"),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "backend-refused"),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "backend-refused"),
        ("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n", "backend-refused"),
        ("HTTP/1.1 307 Temporary Redirect\r\nLocation: ws://elsewhere.test/\r\n\r\n", "backend-refused"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n", "backend-refused"),
        (
            "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n",
            "backend-refused",
        ),
        (
            "HTTP/1.1 201 Created\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: ACCEPT\r\n\r\n",
            "backend-refused",
        ),
        ("HTTP/1.1 204 No Content\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "backend-refused"),
        ("HTTP/1.1 304 Not Modified\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "backend-refused"),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: ACCEPT\r\n\r\n",
            "backend-malformed",
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Accept: ACCEPT\r\n\r\n",
            "backend-malformed",
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
            "backend-malformed",
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            "backend-malformed",
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "backend-malformed",
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: ACCEPT\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
            "backend-malformed",
        ),
        (
            "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\n\
             Sec-WebSocket-Accept: ACCEPT\n\n",
            "backend-malformed",
        ),
        ("SSH-2.0-OpenSSH_9.6\r\n", "backend-malformed"),
    ] {
        let backend = Backend::answering(answer).await;
        assert_eq!(told(&backend.url()).await, (502, problem.to_owned()), "{answer}");
    }
}

/// Neither what the client sent behind its head nor what the backend sent behind its answer passes.
#[tokio::test]
async fn no_wrong_answer_opens_a_tunnel() {
    for answer in [
        "HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    ] {
        let backend = Backend::bind().await;
        let mut world = World::new(&backend.url());
        let rig = Rig::start(&mut world).await;
        let ask = Ask::usual(&world).behind(b"GET /secret HTTP/1.1\r\nHost: backend\r\n\r\n");
        let answering = async {
            let mut visit = backend.next().await;
            visit.frames.write(format!("{answer}the secret").as_bytes()).await;
            visit.frames.rest().await
        };
        let (told, forwarded) = tokio::join!(rig.ask(&ask), answering);
        assert_eq!(told.status, 502, "{answer}");
        assert!(!String::from_utf8_lossy(&told.body).contains("the secret"), "{answer}");
        assert_eq!(forwarded, b"", "nothing follows the head: {answer}");
        backend.saw_nothing().await;
    }
}

#[tokio::test]
async fn a_backend_that_hangs_up() {
    let backend = Backend::bind().await;
    let url = backend.url();
    let (told, ()) = tokio::join!(told(&url), async { drop(backend.next().await) });
    assert_eq!(told, (502, "backend-gone".to_owned()));
}

#[tokio::test]
async fn a_backend_that_accepts_and_says_nothing() {
    let backend = Backend::answering("").await;
    assert_eq!(told(&backend.url()).await, (504, "backend-handshake-timeout".to_owned()));
}

#[tokio::test]
async fn a_backend_that_never_finishes_its_answer() {
    let backend = Backend::answering("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n").await;
    assert_eq!(told(&backend.url()).await, (504, "backend-handshake-timeout".to_owned()));
}

/// A listener whose queue is full, and what fills it: the system drops further connections unanswered.
#[cfg(target_os = "linux")]
fn black_hole() -> (TcpListener, SocketAddr, Vec<TcpStream>) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        queue.push(stream);
        assert!(queue.len() < 64, "a queue of one is full at last");
    }
    (listener, address, queue)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_backend_that_does_not_accept() {
    let (_listener, address, _queue) = black_hole();
    assert_eq!(told(&format!("ws://{address}/")).await, (504, "backend-connect-timeout".to_owned()));
}

#[tokio::test]
async fn an_address_that_nobody_may_dial() {
    for url in
        ["ws://169.254.169.254/", "ws://[::ffff:169.254.169.254]/", "wss://[fe80::1]/", "ws://0.0.0.0:80/"]
    {
        assert_eq!(told(url).await, (502, "backend-forbidden".to_owned()), "{url}");
    }
}

#[tokio::test]
async fn an_address_that_is_none() {
    for url in ["http://localhost/", "ws://user:pass@localhost/", "nonsense", "ws://"] {
        assert_eq!(told(url).await, (502, "backend-misconfigured".to_owned()), "{url}");
    }
    let unknown = told("ws://no-such-host.invalid/").await;
    // A name server that is slow to say no is one of the connect timeout's cases.
    let expected = [(502, "backend-unresolved"), (504, "backend-connect-timeout")];
    assert!(expected.contains(&(unknown.0, &*unknown.1)), "{unknown:?}");
}

#[tokio::test]
async fn the_gateway_does_not_dial_itself() {
    let mut world = World::new("ws://localhost/");
    let rig = Rig::start(&mut world).await;
    world.production().url = format!("ws://{}/echo/1.0", rig.ws);
    rig.decide(&mut world).await;
    let answer = rig.ask(&Ask::usual(&world)).await;
    assert_eq!((answer.status, &*answer.problem()), (502, "backend-forbidden"));
    world.production().url = format!("ws://localhost:{}/echo/1.0", rig.ws.port());
    rig.decide(&mut world).await;
    let answer = rig.ask(&Ask::usual(&world)).await;
    assert_eq!(answer.status, 502, "by name as well");
}

#[tokio::test]
async fn tls_with_a_backend_that_has_none() {
    let backend = Backend::bind().await;
    let url = backend.url().replace("ws:", "wss:");
    let (told, ()) = tokio::join!(told(&url), backend.answers_at_once("HTTP/1.1 400 Bad Request\r\n\r\n"));
    assert_eq!(told, (502, "backend-untrusted".to_owned()));
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for() {
    let other = Rig::unready(|_| {});
    let told = told(&format!("wss://localhost:{}/", other.secure_address().port())).await;
    assert_eq!(told, (502, "backend-untrusted".to_owned()));
}

#[tokio::test]
async fn an_idle_session_ends_at_its_own_timeout() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.production().idle_timeout_ms = 300;
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("hello").await;
    assert_eq!(client.closed().await, because(1001, "idle"));
    backend.until("the goodbye", |seen| seen.closes == [because(1001, "idle")]).await;
}

#[tokio::test]
async fn a_client_that_goes_while_its_backend_thinks_takes_the_dial_along() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    // Longer than anybody waits here.
    world.production().handshake_timeout_ms = 600_000;
    let rig = Rig::start(&mut world).await;
    let client = rig.asking(&Ask::usual(&world)).await;
    let mut visit = backend.next().await;
    drop(client);
    assert_eq!(visit.frames.rest().await, b"", "the backend's connection ends before any timeout");
}

#[tokio::test]
async fn a_slow_backend_holds_up_nobody_else() {
    let (slow, quick) = (Backend::bind().await, Backend::echo().await);
    let mut world = World::new(&slow.url());
    let mut other = crate::world::api(7, "/quick", &quick.url());
    other.state = tidegate_model::lifecycle::State::Prototyped;
    world.parts.apis.push(other);
    let rig = Rig::start(&mut world).await;
    let waiting = rig.asking(&Ask::usual(&world)).await;
    let mut visit = slow.next().await;
    let mut client = rig.open(&Ask::to("/quick/1.0").bearer(&world.token())).await;
    client.echo("hello").await;
    visit.accept("").await;
    client::switched(waiting).await;
}

/// Knows one name, and tells its addresses one after the other; the last one again and again.
#[derive(Debug)]
struct Changing(std::sync::Mutex<Vec<SocketAddr>>);

#[async_trait::async_trait]
impl tidegate_gateway::Names for Changing {
    async fn lookup(&self, host: &str, _port: u16) -> std::io::Result<Vec<SocketAddr>> {
        assert_eq!(host, "rebound.test");
        let mut left = self.0.lock().unwrap();
        Ok(vec![if left.len() > 1 { left.remove(0) } else { left[0] }])
    }
}

#[tokio::test]
async fn a_name_is_looked_up_for_every_session_and_its_address_judged_each_time() {
    let (one, other) = (Backend::echo().await, Backend::echo().await);
    let metadata = SocketAddr::from(([169, 254, 169, 254], 80));
    let names = Changing(std::sync::Mutex::new(vec![one.address, other.address, metadata]));
    let mut world = World::new("ws://rebound.test/");
    let rig = Rig::with(&mut world, |settings| settings.names = std::sync::Arc::new(names)).await;
    let ask = Ask::usual(&world);
    rig.open(&ask).await.echo("to the first address").await;
    rig.open(&ask).await.echo("to the second").await;
    assert_eq!((one.seen.borrow().heads.len(), other.seen.borrow().heads.len()), (1, 1));
    let answer = rig.ask(&ask).await;
    assert_eq!((answer.status, &*answer.problem()), (502, "backend-forbidden"));
}

#[tokio::test]
async fn the_operators_lists_decide_before_anything_is_dialled() {
    let read = |list| tidegate_model::network::Networks::parse(list).unwrap();
    for (allow, deny, opens) in [
        ("127.0.0.0/8", "", true),
        ("10.0.0.0/8", "", false),
        ("", "127.0.0.1", false),
        ("127.0.0.0/8", "127.0.0.1", false),
        ("", "10.0.0.0/8,::1", true),
    ] {
        let backend = Backend::bind().await;
        let mut world = World::new(&backend.url());
        let rig = Rig::with(&mut world, |settings| {
            (settings.backend_allow, settings.backend_deny) = (read(allow), read(deny));
        });
        let rig = rig.await;
        let ask = Ask::usual(&world);
        if opens {
            let accepting = async {
                let mut visit = backend.next().await;
                visit.accept("").await;
                visit
            };
            tokio::join!(rig.open(&ask), accepting);
        } else {
            let answer = rig.ask(&ask).await;
            assert_eq!((answer.status, &*answer.problem()), (502, "backend-forbidden"), "{allow} {deny}");
            backend.saw_nothing().await;
        }
    }
}

#[tokio::test]
async fn sessions_with_the_same_header_meet_the_same_address() {
    let (one, other) = (Backend::echo().await, Backend::echo().await);
    let mut world = World::new(&one.url());
    let production = world.production();
    production.others.push(other.url());
    production.balance = tidegate_model::endpoint::Balance::StickyHeader;
    production.sticky_header = "X-Device".to_owned();
    let rig = Rig::start(&mut world).await;
    for device in 0..16 {
        let ask = Ask::usual(&world).with("x-device", &format!("device-{device}"));
        for _ in 0..3 {
            rig.open(&ask).await.echo("hello").await;
        }
    }
    let devices = |backend: &Backend| {
        let seen = backend.seen.borrow();
        seen.heads.iter().map(|head| head.one("x-device").to_owned()).collect::<Vec<_>>()
    };
    let (at_one, at_other) = (devices(&one), devices(&other));
    assert_eq!(at_one.len() + at_other.len(), 48);
    assert!(!at_one.is_empty() && !at_other.is_empty(), "{at_one:?} {at_other:?}");
    assert!(at_one.iter().all(|device| !at_other.contains(device)), "{at_one:?} {at_other:?}");
}
