//! What an API makes of the WebSocket protocol itself: compression, the check of text, the sizes of messages.

use std::sync::Arc;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use tidegate_model::{fact::Counts, notice::Notice, policy::Excess, protocol};

use crate::{
    backend::{Backend, Visit},
    client::{Ask, Client, because},
    rig::Rig,
    socket::{BINARY, COMPRESSED, Frames, TEXT},
    world::World,
};

const EXTENSIONS: &str = "Sec-WebSocket-Extensions";
/// What a coder leaves out at the end of a message (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

fn deflated(message: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(message.len() + 1_024);
    let mut coder = Compress::new(Compression::default(), false);
    coder.compress_vec(message, &mut packed, FlushCompress::Sync).unwrap();
    assert_eq!(coder.total_in(), message.len() as u64);
    packed.strip_suffix(&TAIL).expect("a flush ends so").to_vec()
}

fn inflated(packed: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(1 << 20);
    let packed = [packed, &TAIL].concat();
    Decompress::new(false).decompress_vec(&packed, &mut message, FlushDecompress::Sync).unwrap();
    message
}

/// A session whose client offers and whose backend answers these extensions.
async fn meet(rig: &Rig, world: &World, backend: &Backend, offer: &str, answer: &str) -> (Client, Visit) {
    let usual = Ask::usual(world);
    let ask = if offer.is_empty() { usual } else { usual.with(EXTENSIONS, offer) };
    let line = if answer.is_empty() { String::new() } else { format!("{EXTENSIONS}: {answer}\r\n") };
    let accepting = async {
        let mut visit = backend.next().await;
        visit.accept(&line).await;
        visit
    };
    tokio::join!(rig.open(&ask), accepting)
}

async fn rig(compression: protocol::Compression) -> (Backend, World, Rig) {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url());
    world.api().protocol.compression = compression;
    let rig = Rig::start(&mut world).await;
    (backend, world, rig)
}

#[tokio::test]
async fn without_compression_nobody_is_offered_any() {
    let (backend, world, rig) = rig(protocol::Compression::Off).await;
    let offer = "permessage-deflate; client_max_window_bits";
    let (mut client, mut visit) = meet(&rig, &world, &backend, offer, "").await;
    assert!(client.head.all("sec-websocket-extensions").is_empty(), "{}", client.head.text);
    assert!(visit.head.all("sec-websocket-extensions").is_empty(), "{}", visit.head.text);
    client.frames.send(TEXT | COMPRESSED, &deflated(b"hello")).await;
    assert_eq!(visit.frames.closed().await.0, 1001);
    assert_eq!(client.closed().await, because(1002, "reserved_bit"));
}

#[tokio::test]
async fn compression_that_passes_is_between_the_two() {
    let (backend, world, rig) = rig(protocol::Compression::Pass).await;
    let offer = "permessage-deflate; client_max_window_bits";
    let answer = "permessage-deflate; server_no_context_takeover";
    let (mut client, mut visit) = meet(&rig, &world, &backend, offer, answer).await;
    assert_eq!(visit.head.one("sec-websocket-extensions"), offer);
    assert_eq!(client.head.one("sec-websocket-extensions"), answer);
    // Nobody looks inside: what is no deflate passes as well.
    for payload in [deflated(b"hello"), b"\xff\xff\xff".to_vec()] {
        client.frames.send(TEXT | COMPRESSED, &payload).await;
        let frame = visit.frames.next().await.unwrap();
        assert_eq!((frame.opcode, &frame.payload), (TEXT | COMPRESSED, &payload));
        visit.frames.send(BINARY | COMPRESSED, &payload).await;
        let frame = client.frames.next().await.unwrap();
        assert_eq!((frame.opcode, &frame.payload), (BINARY | COMPRESSED, &payload));
    }
    client.frames.say("and plain ones").await;
    assert_eq!(visit.frames.hear().await, "and plain ones");
}

#[tokio::test]
async fn a_notice_of_ours_is_not_compressed_where_others_messages_are() {
    let backend = Backend::bind().await;
    let mut world = World::new(&backend.url()).gold(1);
    world.api().protocol.compression = protocol::Compression::Pass;
    world.parts.plans[0].on_excess = Excess::Notify;
    let shape = serde_json::json!({"lost": "$direction"}).as_object().unwrap().clone();
    world.api().notice = Some(Arc::new(Notice::of(shape)));
    let rig = Rig::start(&mut world).await;
    let offer = "permessage-deflate";
    let (mut client, mut visit) = meet(&rig, &world, &backend, offer, offer).await;
    visit.frames.send(TEXT | COMPRESSED, &deflated(b"hello")).await;
    assert_eq!(client.frames.next().await.unwrap().opcode, TEXT | COMPRESSED);
    visit.frames.send(TEXT | COMPRESSED, &deflated(b"dropped")).await;
    assert_eq!(client.frames.hear().await, r#"{"lost":"subscribe"}"#);
}

#[tokio::test]
async fn compression_that_a_backend_declines_is_declined() {
    let (backend, world, rig) = rig(protocol::Compression::Pass).await;
    let (mut client, mut visit) = meet(&rig, &world, &backend, "permessage-deflate", "").await;
    assert!(client.head.all("sec-websocket-extensions").is_empty(), "{}", client.head.text);
    client.frames.send(TEXT | COMPRESSED, &deflated(b"hello")).await;
    assert_eq!(visit.frames.closed().await.0, 1001);
    assert_eq!(client.closed().await, because(1002, "reserved_bit"));
}

#[tokio::test]
async fn compression_that_nobody_offered_cannot_be_chosen() {
    for compression in protocol::Compression::ALL {
        let (backend, world, rig) = rig(compression).await;
        for chosen in ["x-webkit-deflate-frame", "permessage-deflate; server_max_window_bits=7"] {
            let refused = async {
                let mut visit = backend.next().await;
                visit.accept(&format!("{EXTENSIONS}: {chosen}\r\n")).await;
            };
            let ask = Ask::usual(&world);
            let (answer, ()) = tokio::join!(rig.ask(&ask), refused);
            assert_eq!(answer.problem(), "backend-malformed", "{chosen} with {compression:?}");
        }
    }
}

/// Says a message, compressed where that was agreed.
async fn say(frames: &mut Frames, message: &[u8], is_packed: bool) {
    if is_packed {
        frames.send(BINARY | COMPRESSED, &deflated(message)).await;
    } else {
        frames.send(BINARY, message).await;
    }
}

/// Hears a message, which is compressed only where that was agreed.
async fn hear(frames: &mut Frames, is_packed: bool) -> Vec<u8> {
    let frame = frames.next().await.expect("a message comes");
    match frame.opcode {
        BINARY => frame.payload,
        opcode if is_packed && opcode == BINARY | COMPRESSED => inflated(&frame.payload),
        _ => panic!("a message comes, not {frame:?}"),
    }
}

#[tokio::test]
async fn compression_that_ends_here_is_each_sides_own() {
    let (backend, world, rig) = rig(protocol::Compression::Terminate).await;
    let messages: [Vec<u8>; 5] = [
        b"hello".to_vec(),
        Vec::new(),
        b"tide ".repeat(20_000),
        (0..100_000_u32).map(|n| (n.wrapping_mul(0x9e37_79b1) >> 24) as u8).collect(),
        b"x".to_vec(),
    ];
    let bytes: usize = messages.iter().map(Vec::len).sum();
    for (client_packs, backend_packs) in [(false, false), (true, false), (false, true), (true, true)] {
        let offer = if client_packs { "permessage-deflate; client_max_window_bits" } else { "" };
        let agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        let answer = if backend_packs { agreed } else { "" };
        let (mut client, mut visit) = meet(&rig, &world, &backend, offer, answer).await;
        let own = format!("{agreed}; client_max_window_bits");
        assert_eq!(visit.head.one("sec-websocket-extensions"), own, "the gateway's own offer");
        let told = client.head.all("sec-websocket-extensions");
        assert_eq!(told.len(), usize::from(client_packs), "{told:?}");
        for message in &messages {
            let saying = say(&mut client.frames, message, client_packs);
            let ((), heard) = tokio::join!(saying, hear(&mut visit.frames, backend_packs));
            assert!(heard == *message, "{} bytes to the backend", message.len());
            let saying = say(&mut visit.frames, message, backend_packs);
            let ((), heard) = tokio::join!(saying, hear(&mut client.frames, client_packs));
            assert!(heard == *message, "{} bytes to the client", message.len());
        }
        client.frames.close(1000, "done").await;
        assert_eq!(visit.frames.closed().await, (1000, "done".to_owned()));
        assert_eq!(client.closed().await, (1000, "done".to_owned()));
    }
    let (_, told) = rig.drain().await;
    let (messages, bytes) = (4 * messages.len() as u64, 4 * bytes as u64);
    let expected = Counts {
        sessions: 4,
        messages_from_clients: messages,
        messages_from_backends: messages,
        bytes_from_clients: bytes,
        bytes_from_backends: bytes,
        ..Counts::default()
    };
    assert_eq!(told.borrow().totals(), expected, "bytes are those of the messages, not of their packing");
}

/// More offers than anybody needs are refused; what is not an offer of RFC 7692 is declined.
#[tokio::test]
async fn offers_are_read_within_bounds() {
    let (backend, world, rig) = rig(protocol::Compression::Terminate).await;
    for many in [vec!["permessage-deflate"; 500], vec!["x"; 1_000]] {
        let answer = rig.ask(&Ask::usual(&world).with(EXTENSIONS, &many.join(","))).await;
        assert_eq!((answer.status, &*answer.problem()), (400, "malformed-handshake"));
    }
    backend.saw_nothing().await;
    for offer in [
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; unknown",
        "x-webkit-deflate-frame",
    ] {
        let (client, _visit) = meet(&rig, &world, &backend, offer, "").await;
        assert_eq!(client.head.all("sec-websocket-extensions"), [""; 0], "{offer}");
    }
}

#[tokio::test]
async fn what_is_compressed_is_looked_at_where_it_ends() {
    let (backend, world, rig) = rig(protocol::Compression::Terminate).await;
    let bomb = deflated(&vec![0; 20 << 20]);
    for (payload, code, word) in [
        (b"\xff\xff\xff".to_vec(), 1007, "compression"),
        (deflated(b"not \xff text"), 1007, "utf8"),
        (bomb, 1009, "message_size"),
    ] {
        let (mut client, mut visit) = meet(&rig, &world, &backend, "permessage-deflate", "").await;
        client.frames.send(TEXT | COMPRESSED, &payload).await;
        let told = async {
            while let Some(frame) = visit.frames.next().await {
                if frame.opcode == crate::socket::CLOSE {
                    return Some(visit.frames.farewell(&frame).await.0);
                }
            }
            None
        };
        let (backend_told, client_told) = tokio::join!(told, client.closed());
        assert_eq!(client_told, because(code, word));
        // Where a part of the message was under way, the backend's stream is cut instead.
        assert!(matches!(backend_told, Some(1001) | None), "{backend_told:?}");
    }
}

#[tokio::test]
async fn a_message_may_be_so_large_and_no_larger() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    world.api().protocol.message_bytes_max = 1_000;
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo(&"x".repeat(1_000)).await;
    client.frames.say(&"x".repeat(1_001)).await;
    assert_eq!(client.closed().await, because(1009, "message_size"));

    // A live session gets the new bound.
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.echo("hello").await;
    world.api().protocol.message_bytes_max = 2_000;
    rig.decide(&mut world).await;
    client.echo(&"x".repeat(2_000)).await;
    world.api().protocol.frame_bytes_max = 500;
    rig.decide(&mut world).await;
    client.echo(&"x".repeat(500)).await;
    client.frames.say(&"x".repeat(501)).await;
    assert_eq!(client.closed().await, because(1009, "message_size"));
}

#[tokio::test]
async fn text_is_checked_unless_the_api_says_otherwise() {
    let backend = Backend::echo().await;
    let mut world = World::new(&backend.url());
    let rig = Rig::start(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.frames.send(TEXT, b"not \xff text").await;
    assert_eq!(client.closed().await, because(1007, "utf8"));
    world.api().protocol.utf8_check = false;
    rig.decide(&mut world).await;
    let mut client = rig.open(&Ask::usual(&world)).await;
    client.frames.send(TEXT, b"not \xff text").await;
    assert_eq!(client.frames.next().await.unwrap().payload, b"not \xff text");
}

#[tokio::test]
async fn a_backend_may_ask_for_a_small_window_and_for_one_that_cannot_be_written() {
    let (backend, world, rig) = rig(protocol::Compression::Terminate).await;
    let message = b"tide ".repeat(2_000);
    for (bits, is_packed) in [(9, true), (15, true), (8, false)] {
        let answer = format!("permessage-deflate; server_no_context_takeover; client_max_window_bits={bits}");
        let (mut client, mut visit) = meet(&rig, &world, &backend, "", &answer).await;
        let saying = say(&mut client.frames, &message, false);
        let ((), heard) = tokio::join!(saying, hear(&mut visit.frames, is_packed));
        assert!(heard == message, "{bits} bits");
    }
}

#[tokio::test]
async fn frames_are_checked_unless_the_api_says_otherwise() {
    const RESERVED: u8 = 0x3;
    let (backend, mut world, rig) = rig(protocol::Compression::Off).await;
    let (mut client, _visit) = meet(&rig, &world, &backend, "", "").await;
    client.frames.send(RESERVED, b"whatever").await;
    assert_eq!(client.closed().await, because(1002, "reserved_opcode"));
    world.api().protocol.frame_checks = false;
    rig.decide(&mut world).await;
    let (mut client, mut visit) = meet(&rig, &world, &backend, "", "").await;
    client.frames.send(RESERVED, b"whatever").await;
    let frame = visit.frames.next().await.unwrap();
    assert_eq!((frame.opcode, &*frame.payload), (RESERVED, &b"whatever"[..]));
}
