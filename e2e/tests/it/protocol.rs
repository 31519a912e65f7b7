//! The protocol through the gateway: what is right passes untouched, what is wrong ends with the right code, and the
//! backend is spared it.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::{
    backend::Backend,
    client::{Opening, masked},
    product::Product,
    wait::{PATIENCE, until},
};

/// An opening to an API on this backend.
async fn opening(product: &Product, backend: &Backend) -> Opening {
    let admin = product.portal.admin().await;
    let api = admin.publish("Protocol", json!({"production": {"url": backend.url()}})).await;
    let access = admin.access("Protocol", &api, "Unlimited").await;
    Opening::to(&api.ws).bearer(&access.token)
}

#[tokio::test]
async fn a_client_that_breaks_the_protocol_is_told_and_its_backend_is_spared() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let opening = opening(&product, &backend).await;
    let unmasked = vec![0x81, 5, b'h', b'e', b'l', b'l', b'o'];
    let close = |payload: &[u8]| masked(0x88, payload);
    let started = [masked(0x01, b"begun"), masked(0x81, b"again")].concat();
    for (what, bytes, code) in [
        ("an unmasked frame", unmasked, 1002),
        ("a reserved opcode", masked(0x83, b"what"), 1002),
        ("a reserved control opcode", masked(0x8b, b"what"), 1002),
        ("a reserved bit", masked(0xc1, b"compressed"), 1002),
        ("a fragmented ping", masked(0x09, b"ping"), 1002),
        ("a continuation of nothing", masked(0x80, b"what"), 1002),
        ("a second beginning", started, 1002),
        ("a long ping", masked(0x89, &[b'x'; 126]), 1002),
        ("a close of one byte", close(&[3]), 1002),
        ("a close code that may not travel", close(&1005_u16.to_be_bytes()), 1002),
        ("text that is not UTF-8", masked(0x81, b"caf\xe9"), 1007),
        ("a close reason that is not UTF-8", close(b"\x03\xe8\xff"), 1007),
    ] {
        let mut client = opening.answered().await.raw().await;
        client.send(&masked(0x81, b"good")).await;
        assert_eq!(client.frame().await.unwrap().payload, b"good");
        client.send(&bytes).await;
        let frame = client.frame().await.unwrap_or_else(|| panic!("{what}: no Close"));
        assert_eq!(frame.close().0, code, "{what}: {:?}", frame.close());
        client.send(&close(&code.to_be_bytes())).await;
        client.is_over().await;
    }
    backend.is_over().await;
    for seen in backend.seen() {
        // A second beginning stands behind a first one, whose end the backend waits for in vain.
        assert_eq!(seen.received.messages, 1, "{seen:?}");
        assert!(seen.close.is_none_or(|close| close.0 == 1001), "the backend did nothing wrong");
    }
}

#[tokio::test]
async fn a_backend_that_breaks_the_protocol_ends_as_our_fault() {
    let product = Product::start().await;
    // A masked frame is a client's.
    let backend = Backend::saying(masked(0x81, b"hello"));
    let opening = opening(&product, &backend).await;
    let (code, reason) = opening.open().await.closed().await;
    assert_eq!(code, 1011, "{reason}");
    let gone = Backend::saying(Vec::new());
    let admin = product.portal.admin().await;
    let api = admin.publish("Gone", json!({"production": {"url": gone.url()}})).await;
    let access = admin.access("Gone", &api, "Unlimited").await;
    // Byte by byte: the library knows no 1014, which was registered after RFC 6455.
    let mut client = Opening::to(&api.ws).bearer(&access.token).answered().await.raw().await;
    assert_eq!(client.frame().await.unwrap().close(), (1014, r#"{"reason":"backend_gone"}"#));
}

#[tokio::test]
async fn messages_of_any_size_and_cut_arrive_whole() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let opening = opening(&product, &backend).await;
    let mut client = opening.open().await;
    for len in [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1 << 20] {
        let bytes: Vec<u8> = (0..len).map(|place: usize| u8::try_from(place % 251).unwrap()).collect();
        client.send(Message::binary(bytes.clone())).await;
        assert!(client.next().await == Message::binary(bytes), "{len} bytes came back as others");
    }
    client.echo(&"🌊 tide ".repeat(100_000)).await;

    // One text of four fragments, cut inside a character, with a ping between.
    let mut raw = opening.answered().await.raw().await;
    let text = "Gezeiten — 潮汐 — приливы".as_bytes();
    for (place, part) in text.chunks(text.len().div_ceil(4)).enumerate() {
        let first = [0x01, 0x00, 0x00, 0x80][place];
        raw.send(&masked(first, part)).await;
        if place == 1 {
            raw.send(&masked(0x89, b"between")).await;
        }
    }
    let pong = raw.frame().await.unwrap();
    assert_eq!((pong.first, pong.payload.as_slice()), (0x8a, b"between".as_slice()));
    let echoed = raw.frame().await.unwrap();
    assert_eq!((echoed.first, echoed.payload.as_slice()), (0x81, text));
    assert_eq!(backend.seen()[1].pings, [b"between"], "the backend itself answers a ping");
    assert_eq!(backend.seen()[1].received.messages, 1);

    // A frame that comes byte by byte.
    for byte in masked(0x81, "löwe".as_bytes()) {
        raw.send(&[byte]).await;
    }
    assert_eq!(raw.frame().await.unwrap().payload, "löwe".as_bytes());
    let fragment = Frame::message("continued", OpCode::Data(Data::Text), false);
    client.send(Message::Frame(fragment)).await;
    let last = Frame::message(", and ended", OpCode::Data(Data::Continue), true);
    client.send(Message::Frame(last)).await;
    assert_eq!(client.next().await, Message::text("continued, and ended"));
}

#[tokio::test]
async fn a_burst_arrives_whole_and_in_order_though_its_reader_is_slow() {
    const MESSAGES: usize = 20_000;
    let product = Product::start().await;
    let backend = Backend::echo();
    let opening = opening(&product, &backend).await;
    let padding = "x".repeat(500);
    let mut client = opening.open().await;
    client.text(&format!("say {MESSAGES} {padding}")).await;
    // Nothing is read until the backend is stuck: what it could send fills every buffer between it and us.
    let mut before = None;
    until("the backend is held up", PATIENCE, async || {
        let sent = backend.seen()[0].sent.messages;
        let is_stuck = sent > 0 && before.replace(sent) == Some(sent);
        is_stuck.then_some(())
    })
    .await;
    for number in 0..MESSAGES {
        assert_eq!(client.next().await, Message::text(format!("{number} {padding}")));
    }
    client.echo("and all is well").await;
}

#[tokio::test]
async fn closes_pass_in_both_directions() {
    let (product, backend) = (Product::start().await, Backend::echo());
    let opening = opening(&product, &backend).await;
    let mut fastest = Duration::MAX;
    for (code, reason) in [(1000, "done"), (1001, ""), (3000, "auf Wiedersehen"), (4999, "ünd tschüß")] {
        let mut client = opening.open().await;
        let begun = Instant::now();
        assert_eq!(client.close_with(code, reason).await, (code, reason.to_owned()));
        fastest = fastest.min(begun.elapsed());
        let mut client = opening.open().await;
        client.text(&format!("close {code} {reason}")).await;
        assert_eq!(client.closed().await, (code, reason.to_owned()));
    }
    assert!(fastest < Duration::from_millis(500), "a goodbye waits for no timer: {fastest:?}");
    let mut empty = opening.answered().await.raw().await;
    empty.send(&masked(0x88, b"")).await;
    let answer = empty.frame().await.unwrap();
    assert_eq!((answer.first, answer.payload.as_slice()), (0x88, b"".as_slice()));
    empty.is_over().await;
    // A client that is gone without a word leaves its backend with 1001.
    drop(opening.open().await);
    backend.is_over().await;
    let codes: Vec<_> = backend.seen().iter().map(|seen| seen.close.clone().map(|close| close.0)).collect();
    assert_eq!(codes.len(), 10);
    assert_eq!(codes[0], Some(1000));
    assert_eq!((codes[8], codes[9]), (Some(1005), Some(1001)), "{codes:?}");
}
