//! The bodies of the fuzz targets: each takes any bytes and panics when something that must always hold does not.
//!
//! The targets in `fuzz/` call them, and so do ordinary tests, over a small committed corpus and random bytes.

use std::sync::Arc;

use crate::close::{CloseReason, may_travel};
use crate::deflate::{CHUNK_BYTES, OFFER_TO_BACKEND, Pool, Unpacker};
use crate::frame::{HEADER_BYTES_MAX, scan};
use crate::handshake::{
    self, HandshakeKey, RequestLine, answer,
    connect::{self, RequestHead},
    raw::{RawHead, judge_fields},
};
use crate::relay::{Counters, Ending, Fate, Limits, Relay, Side, Then, Unlimited, Violation};
use crate::time::Micros;

/// Compressed messages of either side, damaged ones included: cut anywhere they become the same plain frames, or break
/// the same rule.
pub fn fuzz_deflate(data: &[u8]) {
    for masked in [false, true] {
        assert_eq!(unpacked(masked, data, data.len().max(1)), unpacked(masked, data, 1), "masked: {masked}");
    }
}

/// The plain frames of a stream that is read in pieces, and the violation that ended it.
fn unpacked(masked: bool, data: &[u8], piece: usize) -> (Vec<u8>, Option<Violation>) {
    let (mut unpacker, mut pool) = (Unpacker::new(masked), Pool::default());
    let (mut out, mut plain) = (vec![0; 2 * CHUNK_BYTES], Vec::new());
    for mut piece in data.chunks(piece) {
        loop {
            match unpacker.push(piece, &mut out, &mut pool) {
                Ok(moved) => {
                    plain.extend_from_slice(&out[..moved.produced]);
                    piece = &piece[moved.consumed..];
                }
                Err(violation) => return (plain, Some(violation)),
            }
            if piece.is_empty() && !unpacker.holds() {
                break;
            }
        }
    }
    (plain, None)
}

/// A header that is read is written the same; a Close that is read is written the same.
pub fn fuzz_frame(data: &[u8]) {
    for masked in [false, true] {
        if let Ok(Some((header, len))) = scan(data, masked) {
            let mut again = [0; HEADER_BYTES_MAX];
            assert_eq!(header.encode_into(&mut again), len);
            assert_eq!(&again[..len], &data[..len]);
        }
    }
    if let Ok(reason) = CloseReason::parse(data) {
        assert!(reason.code().is_none_or(may_travel));
        assert_eq!(&reason.to_frame(None).as_bytes()[2..], data);
    }
}

/// A head is judged the same however it is cut, and neither side's handshake panics.
pub fn fuzz_handshake(data: &[u8]) {
    let at_once = RawHead::new().judge(data);
    let mut raw = RawHead::new();
    let bytewise = (0..=data.len()).find_map(|end| raw.judge(&data[..end]).transpose());
    assert_eq!(bytewise.transpose(), at_once);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let line = RequestLine {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        http1_minor: u8::from(words.next() == Some("HTTP/1.1")),
    };
    let headers =
        || lines.clone().filter_map(|line| line.split_once(':')).map(|(n, v)| (n, v.trim().as_bytes()));
    if let Ok(upgrade) = handshake::judge(line, headers()) {
        assert!(upgrade.path_and_query.starts_with('/') && !upgrade.authority.is_empty());
    }
    let is_lawful = judge_fields(line.target, headers()).is_ok();
    let over_http2 = RequestHead {
        method: "CONNECT",
        protocol: Some("websocket"),
        authority: None,
        path_and_query: line.target,
        is_ended: false,
    };
    if let Ok(connect) = connect::judge(over_http2, headers()) {
        assert!(connect.path_and_query.starts_with('/') && !connect.authority.is_empty());
        let is_clean = |(name, value): (&str, &[u8])| {
            !name.is_empty() && value.iter().all(|byte| matches!(byte, 0x20..=0x7e))
        };
        assert!(!is_lawful || headers().all(is_clean), "it can be written as lines");
    }
    let key = HandshakeKey::from_nonce([7; 16]);
    if let Ok(accepted) = answer::judge(101, headers(), &key, &["chat"], &[OFFER_TO_BACKEND]) {
        assert!(accepted.subprotocol.is_none_or(|chosen| chosen == "chat"));
    }
}

/// The same bytes in any cut give the same end and the same counters (and the same bytes, unless a frame was left
/// unfinished on its way).
pub fn fuzz_cutting(data: &[u8]) {
    let [flags, size, stream @ ..] = data else { return };
    let side = if flags & 1 == 0 { Side::Client } else { Side::Backend };
    let limits = Arc::new(Limits { frame_checks: flags & 2 == 0, ..narrow() });
    let whole = one_way(side, &limits, stream, stream.len().max(1));
    for size in [1, usize::from(*size).max(2)] {
        let cut = one_way(side, &limits, stream, size);
        assert_eq!(cut.counters, whole.counters, "counters do not depend on the cut");
        let told =
            |ending: Option<Ending>| ending.map(|ending| (ending.code, ending.initiator, ending.cause));
        assert_eq!(told(cut.ending), told(whole.ending), "the end does not depend on the cut");
        assert!(cut.forwarded.starts_with(&whole.forwarded), "bytes come in order");
        assert!(stream.starts_with(&cut.forwarded), "and untouched");
        if cut.forwarded.len() > whole.forwarded.len() {
            assert!(
                cut.ending.is_some_and(|ending| ending.cut),
                "more passed, so a frame was left unfinished"
            );
        }
    }
}

struct OneWay {
    forwarded: Vec<u8>,
    counters: Counters,
    ending: Option<Ending>,
}

/// Bounds small enough for short inputs to meet them.
fn narrow() -> Limits {
    Limits {
        message_bytes_max: 300,
        frame_bytes_max: 200,
        fragments_max: 6,
        empty_fragments_max: 2,
        control_burst: 8,
        control_per_second: 1,
        frame_checks: true,
        utf8: true,
        deflate: false,
        idle: Some(Micros::from_secs(60)),
        ping_interval: None,
        pong_timeout: Micros::from_secs(1),
        lifetime: None,
    }
}

fn one_way(side: Side, limits: &Arc<Limits>, stream: &[u8], size: usize) -> OneWay {
    let now = Micros::from_secs(1);
    let mut relay = Relay::new(now, Arc::clone(limits));
    let mut forwarded = Vec::new();
    for piece in stream.chunks(size) {
        read(&mut relay, side, now, piece, &mut forwarded);
    }
    OneWay { forwarded, counters: relay.counters(side), ending: relay.ending() }
}

/// One read of a driver whose writes never wait.
fn read(relay: &mut Relay, side: Side, now: Micros, piece: &[u8], forwarded: &mut Vec<u8>) {
    let mut slice = vec![0; HEADER_BYTES_MAX];
    let carried = relay.carry(side, &mut slice);
    slice.truncate(carried);
    slice.extend_from_slice(piece);
    let mut at = 0;
    while at < slice.len() {
        let verdict = relay.step(side, now, &mut slice[at..], &mut Unlimited);
        assert!(verdict.forward <= verdict.consumed && verdict.consumed <= slice.len() - at);
        assert!(verdict.consumed > 0 && verdict.then != Then::Wait, "without a limiter nothing waits");
        forwarded.extend_from_slice(&slice[at..at + verdict.forward]);
        relay.wrote(side.other(), now, verdict.forward);
        at += verdict.consumed;
    }
}

/// Any sequence of events leaves the relay consistent, and it ends in time.
pub fn fuzz_session(mut data: &[u8]) {
    let mut now = Micros::from_secs(1);
    let mut relay = Relay::new(now, Arc::new(narrow()));
    let mut owed = [0; 2];
    while let [op, argument, rest @ ..] = data {
        data = rest;
        let side = if op & 1 == 0 { Side::Client } else { Side::Backend };
        match op >> 1 & 7 {
            0..=2 => {
                let (piece, rest) = data.split_at(data.len().min(usize::from(*argument)));
                data = rest;
                if relay.reads(side) {
                    let mut forwarded = Vec::new();
                    read_only(&mut relay, side, now, piece, &mut forwarded);
                    owed[side.other() as usize] += forwarded.len();
                }
            }
            3 => {
                let bytes = owed[side as usize].min(usize::from(*argument));
                owed[side as usize] -= bytes;
                relay.wrote(side, now, bytes);
            }
            4 => relay.eof(side, now),
            5 => relay.reset(side, now),
            6 => relay.close(now, CloseReason::ours(3000, "expired"), CloseReason::ours(1001, "expired")),
            _ => {
                now = now.plus(Micros::from_millis(u64::from(*argument) * 10));
                relay.handle_timeout(now);
            }
        }
        settle(&mut relay, &mut owed);
    }
    relay.close(now, CloseReason::ours(1012, ""), CloseReason::ours(1001, ""));
    let bound = now.plus(Micros::from_secs(6));
    while let Some(deadline) = relay.next_deadline() {
        settle(&mut relay, &mut owed);
        assert!(deadline <= bound, "an end takes six seconds at most");
        now = now.max(deadline);
        relay.handle_timeout(now);
    }
    assert!(relay.is_over(), "a session that is told to end does: {relay:?}");
}

fn read_only(relay: &mut Relay, side: Side, now: Micros, piece: &[u8], forwarded: &mut Vec<u8>) {
    let mut slice = vec![0; HEADER_BYTES_MAX];
    let carried = relay.carry(side, &mut slice);
    slice.truncate(carried);
    slice.extend_from_slice(piece);
    if !piece.is_empty() {
        let verdict = relay.step(side, now, &mut slice, &mut Unlimited);
        forwarded.extend_from_slice(&slice[..verdict.forward]);
    }
}

fn settle(relay: &mut Relay, owed: &mut [usize; 2]) {
    for side in Side::BOTH {
        let said = relay.poll_control(side, || [1, 2, 3, 4]).map(|frame| frame.as_bytes().len());
        owed[side as usize] += said.unwrap_or_default();
        assert!(relay.poll_control(side, || [0; 4]).is_none(), "a side is told once");
        if relay.fate(side) >= Fate::Gone {
            owed[side as usize] = 0;
        }
    }
    assert_eq!(relay.is_over(), Side::BOTH.iter().all(|side| relay.fate(*side) >= Fate::Gone));
}
