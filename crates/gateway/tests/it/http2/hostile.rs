//! Clients that mean no good, or do not care: what a stream and a connection may cost, and that others do not notice.

use std::{future::poll_fn, num::NonZeroU32, time::Duration};

use bytes::Bytes;
use h2::Reason;
use tidegate_model::forwarded::TrustedProxies;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::peer::{Ask, Connection, Tunnel};
use crate::{
    backend::Backend,
    rig::Rig,
    socket::{self, BINARY, Duplex},
    soon,
    world::{PATH, World},
};

/// Bytes that each of the gateway's and the backend's sockets may hold in one direction, before the kernel doubles it.
const BUFFER_BYTES: usize = 16 * 1024;
/// What the sockets of the session with its backend hold, the backend's own among them, and the scratch of a worker.
const BESIDE: usize = 8 * BUFFER_BYTES + 64 * 1024;
/// What a stream holds in each direction: the window or the bytes to be sent, and a pair's buffer, doubled.
const STREAM: usize = 32 * 1024 + 64 * 1024;
/// The window that the client itself gives a stream.
const OWN_WINDOW: usize = 64 * 1024;
/// Nothing moves for so long: the chain is full.
const STILL: Duration = Duration::from_millis(700);

/// Writes messages until nothing more is taken; says how many bytes were.
async fn fill(tunnel: &mut Tunnel) -> usize {
    let frame = socket::encode(BINARY, &[7; 16 * 1024], Some([1, 2, 3, 4]));
    let (mut sent, mut at) = (0, 0);
    while let Ok(written) = timeout(STILL, tunnel.write(&frame[at..])).await {
        let written = written.expect("the stream stays");
        (sent, at) = (sent + written, (at + written) % frame.len());
        assert!(sent < 64 << 20, "it swallows without end");
    }
    sent
}

#[tokio::test]
async fn a_client_that_never_reads_costs_a_bounded_amount_and_stalls_no_neighbour() {
    let backend = Backend::tight_echo(BUFFER_BYTES).await;
    let mut world = World::new(&backend.url());
    let rig = Rig::with(&mut world, |settings| settings.socket_buffer_bytes = Some(BUFFER_BYTES)).await;
    let connection = Connection::open(&rig).await;
    let mut neighbour = connection.session(&Ask::usual(&world)).await;
    for _ in 0..3 {
        let (_, mut tunnel) = connection.begin(&Ask::usual(&world), false).await.unwrap().tunnel().await;
        tunnel.gives_back = false;
        let swallowed = fill(&mut tunnel).await;
        let most = 2 * STREAM + OWN_WINDOW + BESIDE;
        assert!(swallowed <= most, "{swallowed} bytes were taken, at most {most} may be");
        assert!(swallowed >= OWN_WINDOW, "{swallowed} bytes: the session did carry something");
        neighbour.echo("undisturbed").await;
        std::mem::forget(tunnel);
    }
    neighbour.leave().await;
}

#[tokio::test]
async fn a_backend_that_never_reads_costs_a_bounded_amount_and_stalls_no_neighbour() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::with(&mut world, |settings| settings.socket_buffer_bytes = Some(BUFFER_BYTES)).await;
    let connection = Connection::open(&rig).await;
    let mut visits = Vec::new();
    let mut tunnels = Vec::new();
    for _ in 0..4 {
        let asking = connection.begin(&Ask::usual(&world), false).await.unwrap();
        let mut visit = backend.next().await;
        visit.accept("").await;
        visits.push(visit);
        tunnels.push(asking.tunnel().await.1);
    }
    let mut last = tunnels.pop().unwrap();
    for tunnel in &mut tunnels {
        let swallowed = fill(tunnel).await;
        // The test's own backend has the system's buffer, which grows to six megabytes.
        assert!(swallowed <= STREAM + BESIDE + (8 << 20), "{swallowed} bytes were taken");
    }
    last.write_all(&socket::encode(BINARY, b"undisturbed", Some([1, 2, 3, 4]))).await.unwrap();
    let heard = visits.last_mut().unwrap().frames.next().await.expect("a message");
    assert_eq!(heard.payload, b"undisturbed");
}

#[tokio::test]
async fn each_stream_counts_for_its_clients_address() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::with(&mut world, |settings| settings.connections_per_address = NonZeroU32::new(2)).await;
    let connection = Connection::open(&rig).await;
    let first = connection.session(&Ask::usual(&world)).await;
    let _second = connection.session(&Ask::usual(&world)).await;
    let refused = connection.ask(&Ask::usual(&world)).await;
    assert_eq!((refused.status, &*refused.problem()), (429, "too-many-connections"));
    // Another connection is told so in its own protocol.
    let other = Connection::open(&rig).await;
    let refused = other.ask(&Ask::usual(&world)).await;
    assert_eq!((refused.status, &*refused.problem()), (429, "too-many-connections"));
    other.ended().await.expect("in order");
    first.leave().await;
    rig.control.until("the first is over", |told| told.sessions().len() == 1).await;
    connection.session(&Ask::usual(&world)).await.leave().await;
}

#[tokio::test]
async fn a_trusted_proxy_speaks_for_the_client_of_each_stream() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::with(&mut world, |settings| {
        settings.connections_per_address = NonZeroU32::new(1);
        settings.trusted = TrustedProxies::parse("127.0.0.1").unwrap();
    })
    .await;
    let connection = Connection::open(&rig).await;
    let of = |client: &str| Ask::usual(&world).with("x-forwarded-for", client);
    let _one = connection.session(&of("192.0.2.1")).await;
    assert_eq!(backend.head().one("x-forwarded-for"), "192.0.2.1");
    let _other = connection.session(&of("192.0.2.2")).await;
    assert_eq!(connection.ask(&of("192.0.2.2")).await.problem(), "too-many-connections");
}

#[tokio::test]
async fn data_before_the_answer_waits_for_the_backends_yes_and_arrives_whole() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let connection = Connection::open(&rig).await;
    let mut asking = connection.begin(&Ask::usual(&world), false).await.unwrap();
    let mut visit = backend.next().await;
    let early = "early ".repeat(4_000);
    let frame = socket::encode(socket::TEXT, early.as_bytes(), Some([1, 2, 3, 4]));
    asking.send.send_data(Bytes::from(frame), false).unwrap();
    // An answer on another stream: what was sent before it was read.
    assert_eq!(connection.ask(&Ask::to(PATH)).await.status, 401);
    assert!(visit.frames.unused().is_empty());
    visit.accept("").await;
    assert_eq!(visit.frames.hear().await, early);
    let (_, tunnel) = asking.tunnel().await;
    drop(tunnel);
    assert_eq!(visit.frames.closed().await.0, 1001);
}

#[tokio::test]
async fn data_of_a_refused_client_reaches_nobody() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let connection = Connection::open(&rig).await;
    let mut asking = connection.begin(&Ask::to(PATH), false).await.unwrap();
    asking.send.send_data(Bytes::from(vec![0; 30_000]), false).unwrap();
    assert_eq!(soon("an answer", asking.answer).await.unwrap().status(), 401);
    let stopped = soon("a word to stop", poll_fn(|cx| asking.send.poll_reset(cx))).await.unwrap();
    assert_eq!(stopped, Reason::NO_ERROR);
    backend.saw_nothing().await;
}

#[tokio::test]
async fn messages_in_the_smallest_pieces_pass() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let connection = Connection::open(&rig).await;
    let sessions = (0..4).map(async |_| {
        let (_, mut tunnel) = connection.begin(&Ask::usual(&world), false).await.unwrap().tunnel().await;
        let message = [9; 8_000];
        for byte in socket::encode(BINARY, &message, Some([1, 2, 3, 4])) {
            tunnel.write_all(&[byte]).await.unwrap();
        }
        let mut echo = vec![0; 4 + message.len()];
        soon("the echo", tunnel.read_exact(&mut echo)).await.unwrap();
        assert_eq!(&echo[4..], message);
    });
    futures_util::future::join_all(sessions).await;
}

#[tokio::test]
async fn who_withdraws_stream_after_stream_is_told_to_calm_down() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut connection = Connection::open(&rig).await;
    let mut withdrawn = 0;
    let ended = loop {
        let Ok(mut asking) = connection.begin(&Ask::usual(&world), false).await else {
            break connection.ended_by_gateway().await;
        };
        tokio::select! {
            ended = connection.ended_by_gateway() => break ended,
            mut visit = backend.next() => {
                asking.send.send_reset(Reason::CANCEL);
                assert_eq!(visit.frames.rest().await, b"", "the dial ends with its client");
                withdrawn += 1;
            }
        }
    };
    assert_eq!(ended.expect_err("no orderly end").reason(), Some(Reason::ENHANCE_YOUR_CALM));
    assert_eq!(withdrawn, 101, "a hundred are forgiven");
}

#[tokio::test]
async fn who_withdraws_between_answers_stays() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let connection = Connection::open(&rig).await;
    let mut open = Vec::new();
    for number in 0..150 {
        drop(connection.begin(&Ask::usual(&world), false).await.unwrap());
        if number % 2 == 0 {
            // A session makes up for one when it opens, and not only when it is over.
            open.push(connection.session(&Ask::usual(&world)).await);
        } else {
            assert_eq!(connection.ask(&Ask::to(PATH)).await.status, 401);
        }
    }
    for client in open {
        client.leave().await;
    }
}

/// Faster than the gateway accepts them (CVE-2023-44487).
#[tokio::test]
async fn who_withdraws_streams_in_a_burst_is_cut() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut raw = Raw::open(&rig).await;
    let block = handshake(&world.token());
    let burst = (0..1_000).flat_map(|number| {
        let stream = 2 * number + 1;
        [frame(HEADERS, END_HEADERS, stream, &block), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    });
    // The connection may be gone before all of it is written.
    let _ = raw.0.write_all(&burst.collect::<Vec<u8>>()).await;
    let _ = raw.0.flush().await;
    while raw.next().await.is_some() {}
    let mut other = Raw::open(&rig).await;
    assert!(other.next().await.is_some(), "the gateway goes on");
}

/// Frames by hand, for what a library does not send.
struct Raw(Box<dyn Duplex>);

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field as HPACK writes it without a table and without compression (RFC 7541 section 6.2.2).
fn field(name: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        match text.len() {
            short @ 0..127 => bytes.push(u8::try_from(short).unwrap()),
            long => {
                let mut rest = long - 127;
                bytes.push(127);
                while rest >= 128 {
                    bytes.push(u8::try_from(rest % 128).unwrap() | 128);
                    rest /= 128;
                }
                bytes.push(u8::try_from(rest).unwrap());
            }
        }
        bytes.extend(text.bytes());
    }
    bytes
}

fn handshake(token: &str) -> Vec<u8> {
    let bearer = format!("Bearer {token}");
    let fields = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":authority", "gateway.test"),
        (":path", PATH),
        ("sec-websocket-version", "13"),
        ("authorization", &bearer),
    ];
    fields.iter().flat_map(|(name, value)| field(name, value)).collect()
}

impl Raw {
    async fn open(rig: &Rig) -> Self {
        let mut raw = Self(rig.secure_by(&["h2"]).await);
        let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(SETTINGS, 0, 0, &[])].concat();
        raw.write(&preface).await;
        raw
    }

    async fn write(&mut self, bytes: &[u8]) {
        soon("room", async {
            self.0.write_all(bytes).await.unwrap();
            self.0.flush().await.unwrap();
        })
        .await;
    }

    /// Kind, stream and payload of the next frame; `None` at the end.
    async fn next(&mut self) -> Option<(u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        soon("a frame", self.0.read_exact(&mut head)).await.ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        soon("its payload", self.0.read_exact(&mut payload)).await.ok()?;
        Some((head[3], u32::from_be_bytes(head[5..9].try_into().unwrap()), payload))
    }
}

#[tokio::test]
async fn a_thousand_streams_at_once_are_a_hundred_sessions_and_refusals() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut raw = Raw::open(&rig).await;
    let block = handshake(&world.token());
    let all: Vec<u8> =
        (0..1_000).flat_map(|number| frame(HEADERS, END_HEADERS, 2 * number + 1, &block)).collect();
    raw.write(&all).await;
    let (mut answered, mut refused) = (0, 0);
    while answered + refused < 1_000 {
        let (kind, stream, payload) = raw.next().await.expect("the connection goes on");
        match kind {
            // The first field is the status; 200 has an entry of the static table.
            HEADERS => {
                assert_eq!(payload[0], 0x88, "stream {stream} was accepted");
                answered += 1;
            }
            RST_STREAM => {
                assert_eq!(payload, [0, 0, 0, 7], "stream {stream} was refused");
                refused += 1;
            }
            _ => assert_ne!(kind, GOAWAY, "the connection goes on"),
        }
    }
    assert_eq!((answered, refused), (100, 900));
    // Those that were accepted work.
    raw.write(&frame(DATA, 0, 1, &socket::encode(BINARY, b"hello", Some([1, 2, 3, 4])))).await;
    loop {
        let (kind, stream, payload) = raw.next().await.expect("the echo");
        if (kind, stream) == (DATA, 1) {
            assert_eq!(payload, socket::encode(BINARY, b"hello", None));
            break;
        }
    }
}

#[tokio::test]
async fn a_head_without_end_is_refused_and_costs_nothing_more() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    // More than the library reads: it answers by itself.
    let mut raw = Raw::open(&rig).await;
    let block = [handshake(&world.token()), field("x", &"y".repeat(60 * 1024))].concat();
    let mut chunks = block.chunks(16 * 1024);
    raw.write(&frame(HEADERS, 0, 1, chunks.next().unwrap())).await;
    let last = chunks.len() - 1;
    for (number, chunk) in chunks.enumerate() {
        raw.write(&frame(CONTINUATION, if number == last { END_HEADERS } else { 0 }, 1, chunk)).await;
    }
    let answer = loop {
        let (kind, _, payload) = raw.next().await.expect("an answer");
        if kind == HEADERS {
            break payload;
        }
    };
    assert!(String::from_utf8_lossy(&answer).contains("431") || answer.len() < 16, "{answer:?}");
    // CONTINUATION that never ends.
    let mut raw = Raw::open(&rig).await;
    raw.write(&frame(HEADERS, 0, 1, &handshake(&world.token()))).await;
    let flood: Vec<u8> = (0..200).flat_map(|_| frame(CONTINUATION, 0, 1, &field("x", "y"))).collect();
    raw.write(&flood).await;
    let mut is_told = false;
    while let Some((kind, _, payload)) = raw.next().await {
        is_told |= kind == GOAWAY && payload[4..8] == [0, 0, 0, 11];
    }
    assert!(is_told, "ENHANCE_YOUR_CALM, and the end");
    backend.saw_nothing().await;
}

/// Takes ten seconds: the time that a client has to begin.
#[tokio::test]
async fn whoever_does_not_begin_is_cut_at_the_deadline() {
    let rig = Rig::unready(|_| {});
    let mut silent = rig.secure_by(&["h2"]).await;
    let mut slow = rig.secure_by(&["h2"]).await;
    slow.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
    slow.flush().await.unwrap();
    for stream in [&mut silent, &mut slow] {
        // Our SETTINGS, and the end.
        let mut rest = Vec::new();
        let _ = soon("the end", stream.read_to_end(&mut rest)).await;
        assert!(rest.len() < 100, "{rest:?}");
    }
}

#[tokio::test]
async fn what_breaks_http2_ends_its_sessions() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut raw = Raw::open(&rig).await;
    raw.write(&frame(HEADERS, END_HEADERS, 1, &handshake(&world.token()))).await;
    while raw.next().await.expect("an answer").0 != HEADERS {}
    // DATA on a stream that was never opened.
    raw.write(&frame(DATA, 0, 7, b"x")).await;
    let mut is_told = false;
    while let Some((kind, _, _)) = raw.next().await {
        is_told |= kind == GOAWAY;
    }
    assert!(is_told);
    backend.until("a goodbye", |seen| seen.closes.len() == 1).await;
    assert_eq!(backend.seen.borrow().closes[0], crate::client::because(1001, "client_gone"));
}
