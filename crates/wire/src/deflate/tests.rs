//! Negotiation as a table of RFC 7692's own cases and hostile ones; the coders against each other and against the
//! library alone, for any cut of the bytes and any room.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use proptest::prelude::*;

use super::*;
use crate::frame::{Header, Opcode, scan_agreed};
use crate::mask;
use crate::relay::Violation;

const KEY: mask::Key = [0x37, 0xFA, 0x21, 0x3D];
const ROOM: usize = 64 * 1024;

fn offers(line: &str) -> Option<Vec<String>> {
    let offers = parse_offers([line]).ok()?;
    Some(offers.iter().map(ToString::to_string).collect())
}

#[test]
fn offers_are_read_as_the_rfc_says_and_others_are_declined() {
    let deflate = "permessage-deflate";
    for (line, expected) in [
        (deflate, Some(vec![deflate])),
        ("PerMessage-Deflate", Some(vec![deflate])),
        (
            "permessage-deflate; client_max_window_bits",
            Some(vec!["permessage-deflate; client_max_window_bits"]),
        ),
        (
            "permessage-deflate; server_max_window_bits=\"10\" , permessage-deflate",
            Some(vec!["permessage-deflate; server_max_window_bits=10", deflate]),
        ),
        ("foo; bar=1, permessage-deflate", Some(vec![deflate])),
        ("permessage-deflate; server_max_window_bits=7", Some(vec![])),
        ("permessage-deflate; server_max_window_bits=16", Some(vec![])),
        ("permessage-deflate; server_max_window_bits=08", Some(vec![])),
        ("permessage-deflate; server_max_window_bits", Some(vec![])),
        ("permessage-deflate; server_no_context_takeover=1", Some(vec![])),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", Some(vec![])),
        ("permessage-deflate; unknown", Some(vec![])),
        ("permessage-deflate; a=\"b c\"", None),
        ("permessage-deflate;", None),
        ("permessage-deflate; a=", None),
        ("=", None),
        ("", None),
    ] {
        let expected = expected.map(|offers| offers.into_iter().map(str::to_owned).collect());
        assert_eq!(offers(line), expected, "{line:?}");
    }
    let many = vec![deflate; EXTENSIONS_MAX + 1].join(", ");
    assert_eq!(offers(&many), None);
    assert_eq!(offers(&many[..many.len() - deflate.len() - 2]).map(|it| it.len()), Some(EXTENSIONS_MAX));
}

#[test]
fn an_answer_is_held_to_its_offer() {
    let offer = |line: &str| parse_offers([line]).unwrap()[0];
    for (offered, answered, holds) in [
        ("", "", true),
        ("", "; server_no_context_takeover", true),
        ("", "; client_no_context_takeover", true),
        ("", "; server_max_window_bits=12", true),
        ("", "; client_max_window_bits=12", false),
        ("; client_max_window_bits", "; client_max_window_bits=12", true),
        ("; client_max_window_bits=10", "; client_max_window_bits=12", false),
        ("; server_max_window_bits=10", "; server_max_window_bits=10", true),
        ("; server_max_window_bits=10", "; server_max_window_bits=11", false),
        ("; server_max_window_bits=10", "", false),
        ("; server_no_context_takeover", "", false),
    ] {
        let answer = parse_answer(&format!("permessage-deflate{answered}")).unwrap();
        assert_eq!(
            answer.answers(&offer(&format!("permessage-deflate{offered}"))),
            holds,
            "{offered} {answered}"
        );
    }
    assert_eq!(parse_answer("permessage-deflate; client_max_window_bits"), None);
    assert_eq!(parse_answer("x-webkit-deflate-frame"), None);
}

#[test]
fn our_answer_holds_for_every_offer_that_it_takes() {
    for bits in [None, Some(8), Some(9), Some(15)] {
        let offer = Offer { server_max_window_bits: bits, ..Offer::default() };
        match accept(&[offer]) {
            Some(agreed) => assert!(agreed.answers(&offer), "{offer}"),
            None => assert_eq!(bits, Some(8)),
        }
    }
    let second = accept(&[Offer { server_max_window_bits: Some(8), ..Offer::default() }, Offer::default()]);
    assert_eq!(second.unwrap().server_max_window_bits, None);
    assert_eq!(accept(&[]), None);
}

/// A frame with its payload masked as `key` says.
fn frame(fin: bool, compressed: bool, opcode: Opcode, key: Option<mask::Key>, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 14];
    let header = Header { fin, compressed, opcode, key, payload_bytes: payload.len() as u64 };
    let at = header.encode_into(&mut bytes);
    bytes.truncate(at);
    bytes.extend_from_slice(payload);
    if let Some(key) = key {
        mask::apply(key, &mut bytes[at..]);
    }
    bytes
}

/// What a library that compresses in one piece makes of a message.
fn packed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 1_024);
    Compress::new_with_window_bits(Compression::default(), false, 15)
        .compress_vec(message, &mut out, FlushCompress::Sync)
        .unwrap();
    out.truncate(out.len() - 4);
    out
}

/// Runs the unpacker over input cut at the given lengths.
fn unpack(unpacker: &mut Unpacker, input: &[u8], cuts: &[usize], room: usize) -> Result<Vec<u8>, Violation> {
    let (mut pool, mut out, mut plain) = (Pool::default(), vec![0; room], Vec::new());
    let (mut at, mut cuts) = (0, cuts.iter().cycle());
    while at < input.len() || unpacker.holds() {
        let piece = cuts.next().map_or(input.len(), |cut| cut + 1).min(input.len() - at);
        let moved = unpacker.push(&input[at..at + piece], &mut out, &mut pool)?;
        at += moved.consumed;
        plain.extend_from_slice(&out[..moved.produced]);
        assert!(moved.consumed > 0 || moved.produced > 0 || piece == 0, "a call moves something");
    }
    Ok(plain)
}

/// The messages and control frames in a stream of plain frames, with the number of data frames.
fn messages(mut bytes: &[u8], masked: bool) -> (Vec<(Opcode, Vec<u8>)>, usize) {
    let (mut found, mut data_frames, mut under_way) = (Vec::new(), 0, None::<(Opcode, Vec<u8>)>);
    while !bytes.is_empty() {
        let (header, len) = scan_agreed(bytes, masked, false).unwrap().expect("whole frames");
        let end = len + usize::try_from(header.payload_bytes).unwrap();
        let mut payload = bytes[len..end].to_vec();
        if let Some(key) = header.key {
            mask::apply(key, &mut payload);
        }
        bytes = &bytes[end..];
        if header.opcode.is_control() {
            found.push((header.opcode, payload));
            continue;
        }
        data_frames += 1;
        let mut message = under_way.take().unwrap_or((header.opcode, Vec::new()));
        message.1.extend(payload);
        if header.fin { found.push(message) } else { under_way = Some(message) }
    }
    assert_eq!(under_way, None, "every message ends");
    (found, data_frames)
}

#[test]
fn the_examples_of_rfc_7692_section_7_2_3_are_read() {
    let hello: [(&str, Vec<u8>); 4] = [
        ("one block", vec![0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]),
        ("two fragments", vec![0x41, 0x03, 0xF2, 0x48, 0xCD, 0x80, 0x04, 0xC9, 0xC9, 0x07, 0x00]),
        (
            "not compressed",
            vec![0xC1, 0x0B, 0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],
        ),
        ("a last block", vec![0xC1, 0x08, 0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]),
    ];
    for (name, bytes) in hello {
        for cuts in [vec![1_000], vec![0]] {
            let plain = unpack(&mut Unpacker::new(false), &bytes, &cuts, ROOM).unwrap();
            assert_eq!(plain, frame(true, false, Opcode::Text, None, b"Hello"), "{name}");
        }
    }
    let two = [0xC1, 0x0D, 0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00];
    let plain = unpack(&mut Unpacker::new(false), &two, &[1_000], ROOM).unwrap();
    assert_eq!(plain, frame(true, false, Opcode::Text, None, b"Hello"), "two blocks");
}

#[test]
fn what_is_not_compressed_passes_byte_for_byte() {
    let mut bytes = frame(true, false, Opcode::Text, Some(KEY), b"plain");
    bytes.extend(frame(true, false, Opcode::Ping, Some(KEY), b"ping"));
    bytes.extend(frame(false, false, Opcode::Binary, Some(KEY), b"in two "));
    bytes.extend(frame(true, false, Opcode::Continuation, Some(KEY), b"parts"));
    bytes.extend(frame(true, false, Opcode::Close, Some(KEY), &[3, 232]));
    for cuts in [vec![1_000], vec![0], vec![2, 5, 0]] {
        assert_eq!(unpack(&mut Unpacker::new(true), &bytes, &cuts, ROOM).unwrap(), bytes);
    }
}

#[test]
fn broken_frames_reach_the_relay_as_they_are() {
    let begun = frame(false, true, Opcode::Text, None, &packed(b"begun"));
    let cases: [(&str, Vec<u8>); 5] = [
        ("the bit on a ping", frame(true, true, Opcode::Ping, None, b"")),
        ("the bit on a continuation", [begun.clone(), vec![0xC0, 0x00]].concat()),
        ("another reserved bit", vec![0xE1, 0x00]),
        ("a message inside a message", [begun.clone(), frame(true, true, Opcode::Text, None, b"x")].concat()),
        ("a masked frame of a backend", vec![0xC1, 0x80, 1, 2, 3, 4]),
    ];
    for (name, bytes) in cases {
        let plain = unpack(&mut Unpacker::new(false), &bytes, &[1_000], ROOM).unwrap();
        let bad = if bytes.starts_with(&begun) { &bytes[begun.len()..] } else { &bytes };
        assert!(plain.ends_with(bad), "{name}: {plain:02x?}");
    }
}

#[test]
fn damaged_and_exploding_messages_are_refused_within_bounds() {
    let damaged = frame(true, true, Opcode::Binary, None, &[0xFF; 40]);
    assert_eq!(unpack(&mut Unpacker::new(false), &damaged, &[7], ROOM), Err(Violation::BadCompression));
    let zeros = vec![0; 32 << 20];
    let bomb = frame(true, true, Opcode::Binary, None, &packed(&zeros));
    assert_eq!(unpack(&mut Unpacker::new(false), &bomb, &[1_000], ROOM), Err(Violation::TooBig));
    // What is free may be of one letter.
    let free = vec![0; usize::try_from(RATIO_FREE_BYTES).unwrap()];
    let plain = unpack(
        &mut Unpacker::new(false),
        &frame(true, true, Opcode::Binary, None, &packed(&free)),
        &[9],
        ROOM,
    );
    assert_eq!(messages(&plain.unwrap(), false).0, [(Opcode::Binary, free)]);
}

#[test]
fn what_came_before_a_damaged_message_in_the_same_read_is_given_out() {
    let good = frame(true, true, Opcode::Text, None, &packed(b"said before"));
    let damaged = frame(true, true, Opcode::Binary, None, &[0xFF; 40]);
    let (mut unpacker, mut pool, mut out) = (Unpacker::new(false), Pool::default(), vec![0; ROOM]);
    let moved = unpacker.push(&[good, damaged].concat(), &mut out, &mut pool).unwrap();
    assert_eq!(out[..moved.produced], frame(true, false, Opcode::Text, None, b"said before"));
    assert!(unpacker.holds(), "there is something to be told yet");
    assert_eq!(unpacker.push(&[], &mut out, &mut pool), Err(Violation::BadCompression));
}

#[test]
fn short_messages_stay_one_frame_and_control_frames_keep_their_place() {
    let text = "a message of the usual length, and a little more to make it worth while".repeat(3);
    let whole = packed(text.as_bytes());
    let (head, tail) = whole.split_at(11);
    let mut bytes = frame(false, true, Opcode::Text, Some(KEY), head);
    bytes.extend(frame(true, false, Opcode::Ping, Some(KEY), b"now"));
    bytes.extend(frame(true, false, Opcode::Continuation, Some(KEY), tail));
    let plain = unpack(&mut Unpacker::new(true), &bytes, &[3], ROOM).unwrap();
    let (found, data_frames) = messages(&plain, true);
    assert_eq!(found, [(Opcode::Ping, b"now".to_vec()), (Opcode::Text, text.into_bytes())]);
    assert_eq!(data_frames, 1);
}

#[test]
fn in_a_window_that_cannot_be_written_messages_pass_as_they_are() {
    let plain = [
        frame(false, false, Opcode::Text, Some(KEY), &[b'a'; 300]),
        frame(true, false, Opcode::Continuation, Some(KEY), &[b'a'; 300]),
    ]
    .concat();
    let (mut packer, mut pool, mut out) = (Packer::new(true, 8), Pool::default(), Vec::new());
    packer.push(&plain, &mut out, &mut pool);
    assert_eq!(out, plain);
}

/// Messages that compress well, badly, and not at all.
fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        (any::<u8>(), 0_usize..100_000).prop_map(|(byte, len)| vec![byte; len]),
        (1_usize..4_000)
            .prop_map(|count| (0..count).flat_map(|n| format!("{{\"n\":{n}}}").into_bytes()).collect()),
        (any::<u32>(), 0_usize..60_000).prop_map(|(seed, len)| {
            let mut state = seed | 1;
            let next = || {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                state.to_be_bytes()[0]
            };
            std::iter::repeat_with(next).take(len).collect()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is packed is unpacked the same, however it is cut, in whatever window, masked or not.
    #[test]
    fn what_is_packed_comes_out_the_same(
        sent in proptest::collection::vec(message(), 1..4),
        fragment in 1_usize..70_000,
        cuts in proptest::collection::vec(0_usize..9_000, 1..5),
        window_bits in 9_u8..=15,
        masked in any::<bool>(),
        tight in any::<bool>(),
    ) {
        let key = masked.then_some(KEY);
        let mut plain = Vec::new();
        for message in &sent {
            let parts: Vec<&[u8]> = if message.is_empty() { vec![&[]] } else { message.chunks(fragment).collect() };
            for (place, part) in parts.iter().enumerate() {
                let opcode = if place == 0 { Opcode::Binary } else { Opcode::Continuation };
                plain.extend(frame(place + 1 == parts.len(), false, opcode, key, part));
            }
        }
        let (mut packer, mut pool, mut packed) = (Packer::new(masked, window_bits), Pool::default(), Vec::new());
        let (mut at, mut sizes) = (0, cuts.iter().cycle());
        while at < plain.len() {
            let piece = sizes.next().map_or(1, |cut| cut + 1).min(plain.len() - at);
            packer.push(&plain[at..at + piece], &mut packed, &mut pool);
            at += piece;
        }
        let room = if tight { CHUNK_BYTES + 1_024 } else { ROOM };
        let back = unpack(&mut Unpacker::new(masked), &packed, &cuts, room).unwrap();
        let expected: Vec<_> = sent.into_iter().map(|message| (Opcode::Binary, message)).collect();
        prop_assert_eq!(messages(&back, masked).0, expected);
    }

    /// A library that knows only RFC 1951 reads what is packed, in the window that was agreed.
    #[test]
    fn what_is_packed_is_deflate(message in message(), window_bits in 9_u8..=15) {
        prop_assume!(message.len() >= 64);
        let (mut packer, mut pool, mut bytes) = (Packer::new(false, window_bits), Pool::default(), Vec::new());
        packer.push(&frame(true, false, Opcode::Binary, None, &message), &mut bytes, &mut pool);
        let (mut rest, mut raw) = (bytes.as_slice(), Vec::new());
        while !rest.is_empty() {
            let (header, len) = scan_agreed(rest, false, true).unwrap().unwrap();
            prop_assert_eq!(header.compressed, raw.is_empty());
            let end = len + usize::try_from(header.payload_bytes).unwrap();
            raw.extend_from_slice(&rest[len..end]);
            rest = &rest[end..];
            prop_assert_eq!(header.fin, rest.is_empty());
        }
        raw.extend_from_slice(&TAIL);
        let mut out = Vec::with_capacity(message.len() + 1);
        Decompress::new_with_window_bits(false, window_bits)
            .decompress_vec(&raw, &mut out, FlushDecompress::Sync)
            .unwrap();
        prop_assert_eq!(out, message);
    }

    /// Any bytes in any cut: no panic, no standstill, and never more given out than the caller's room.
    #[test]
    fn any_bytes_are_borne(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), cuts in proptest::collection::vec(0_usize..50, 1..4)) {
        let mut bytes = bytes;
        for masked in [false, true] {
            if let Some(first) = bytes.first_mut() {
                *first = 0xC2;
            }
            // A violation is an answer too.
            let _ = unpack(&mut Unpacker::new(masked), &bytes, &cuts, ROOM);
        }
    }
}
