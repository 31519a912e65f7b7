//! RFC 6455 frame by frame, in the order of the Autobahn catalogue (sections 1 to 7 and 9), from both sides, with
//! the cases that it lacks: wrong masking, lengths in the wrong form, bounds.

use super::bytes::{close_frame, frame, header};
use super::{Act, BACKEND_KEY, CLIENT_KEY, Scenario};
use crate::relay::{DRAIN_GRACE, Limits, Side};

const CONTINUATION: u8 = 0x80;
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const PONG: u8 = 0x8A;
/// The first byte without FIN.
const TEXT_PART: u8 = 0x01;
const BINARY_PART: u8 = 0x02;
const PART: u8 = 0x00;

/// The text of Autobahn's section 6: two, three and four byte characters.
const KOSME: &str = "κόσμε ☃ 𝄞";

pub(super) fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    for from in Side::BOTH {
        all.extend(sizes(from));
        all.extend(pings(from));
        all.extend(reserved(from));
        all.extend(fragments(from));
        all.extend(texts(from));
        all.extend(closes(from));
        all.extend(lengths(from));
        all.extend(bounds(from));
    }
    all
}

/// Frames that reach the other side byte for byte, and an orderly end.
fn passes(name: &str, from: Side, frames: &[(u8, &[u8])]) -> Scenario {
    let bytes: Vec<u8> = frames.iter().flat_map(|(first, payload)| frame(from, *first, payload)).collect();
    let data: Vec<_> = frames.iter().filter(|(first, _)| first & 0x08 == 0).collect();
    let messages = data.iter().filter(|(first, _)| first & 0x80 != 0).count() as u64;
    let payload = data.iter().map(|(_, payload)| payload.len() as u64).sum();
    let mut acts = vec![Act::Send(from, bytes.clone()), Act::Receive(from.other(), bytes)];
    acts.extend(goodbye(from, 1000, "bye"));
    let name = format!("{from:?}: {name}");
    Scenario::new(name, acts, 1000, from.into()).counts(at(from, messages), at(from, payload))
}

/// `from` says a Close that reaches the other side as it is, and is answered.
fn goodbye(from: Side, code: u16, reason: &'static str) -> Vec<Act> {
    let to = from.other();
    vec![
        Act::Send(from, close_frame(from, code, reason)),
        Act::ReceiveClose(to, code, Some(reason)),
        Act::Send(to, close_frame(to, code, "")),
        Act::ReceiveClose(from, code, Some("")),
        Act::ReceiveEnd(from),
        Act::ReceiveEnd(to),
    ]
}

/// Lawful frames that pass, then bytes that do not: the offender is told `code`, the other side that it is over.
fn breaks(name: &str, from: Side, good: &[(u8, &[u8])], bad: &[u8], code: u16) -> Scenario {
    let passing: Vec<u8> = good.iter().flat_map(|(first, payload)| frame(from, *first, payload)).collect();
    let data: Vec<_> = good.iter().filter(|(first, _)| first & 0x08 == 0).collect();
    let messages = data.iter().filter(|(first, _)| first & 0x80 != 0).count() as u64;
    let payload = data.iter().map(|(_, payload)| payload.len() as u64).sum();
    let to = from.other();
    let told = if from == Side::Client { 1001 } else { 1011 };
    let mut sent = passing.clone();
    sent.extend_from_slice(bad);
    let acts = vec![
        Act::Send(from, sent),
        Act::Receive(to, passing),
        Act::ReceiveClose(to, told, None),
        Act::Send(to, close_frame(to, told, "")),
        Act::ReceiveClose(from, code, None),
        Act::ReceiveEnd(from),
        Act::ReceiveEnd(to),
    ];
    let name = format!("{from:?}: {name}");
    Scenario::new(name, acts, code, from.into()).counts(at(from, messages), at(from, payload))
}

/// A count that belongs to one side.
fn at(from: Side, count: u64) -> [u64; 2] {
    match from {
        Side::Client => [count, 0],
        Side::Backend => [0, count],
    }
}

/// Sections 1 and 9: every length form of a header, and messages of many fragments.
fn sizes(from: Side) -> Vec<Scenario> {
    let mut all = Vec::new();
    for size in [0, 1, 125, 126, 127, 128, 65_535, 65_536, 300_000] {
        let payload = vec![b'*'; size];
        all.push(passes(&format!("text of {size} bytes passes"), from, &[(TEXT, &payload)]));
        let payload = vec![0xFE; size];
        all.push(passes(&format!("binary of {size} bytes passes"), from, &[(BINARY, &payload)]));
    }
    let part = [b'x'; 64];
    let mut frames: Vec<(u8, &[u8])> = vec![(TEXT_PART, &part)];
    frames.extend(std::iter::repeat_n((PART, &part[..]), 2_000));
    frames.push((CONTINUATION, &part));
    all.push(passes("a message of two thousand fragments passes", from, &frames));
    all.push(passes("messages follow each other", from, &[(TEXT, b"one"), (BINARY, b"two"), (TEXT, b"")]));
    all
}

/// Section 2.
fn pings(from: Side) -> Vec<Scenario> {
    let longest = [0xFE; 125];
    let ten: Vec<(u8, &[u8])> = std::iter::repeat_n((PING, &b"payload"[..]), 10).collect();
    vec![
        passes("an empty ping passes", from, &[(PING, b"")]),
        passes("a ping of binary bytes passes", from, &[(PING, &[0, 0xFF, 0xFE])]),
        passes("a ping of 125 bytes passes", from, &[(PING, &longest)]),
        passes("a pong that nobody asked for passes", from, &[(PONG, b"unasked"), (PING, b"ping")]),
        passes("ten pings pass", from, &ten),
        breaks("a ping of 126 bytes is refused", from, &[], &frame(from, PING, &[0; 126]), 1002),
    ]
}

/// Sections 3 and 4: reserved bits and opcodes, after a message that still arrives.
fn reserved(from: Side) -> Vec<Scenario> {
    let mut all = Vec::new();
    for rsv in 1..8_u8 {
        for opcode in [0x1, 0x2, 0x8, 0x9, 0xA] {
            let bad = frame(from, 0x80 | rsv << 4 | opcode, b"");
            let name = format!("reserved bits {rsv} on opcode {opcode} are refused");
            all.push(breaks(&name, from, &[(TEXT, b"Hello")], &bad, 1002));
        }
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15_u8] {
        for payload in [&b""[..], b"reserved"] {
            let bad = frame(from, 0x80 | opcode, payload);
            let name = format!("opcode {opcode} with {} bytes is refused", payload.len());
            all.push(breaks(&name, from, &[(TEXT, b"Hello")], &bad, 1002));
        }
    }
    all
}

/// Section 5.
fn fragments(from: Side) -> Vec<Scenario> {
    let stray = frame(from, CONTINUATION, b"stray");
    let stray_part = frame(from, PART, b"stray");
    let second = frame(from, TEXT, b"second");
    vec![
        breaks("a fragmented ping is refused", from, &[], &frame(from, 0x09, b"a"), 1002),
        breaks("a fragmented pong is refused", from, &[], &frame(from, 0x0A, b"a"), 1002),
        breaks("a fragmented close is refused", from, &[], &frame(from, 0x08, b""), 1002),
        passes("text in two fragments passes", from, &[(TEXT_PART, b"one"), (CONTINUATION, b"two")]),
        passes(
            "control frames between fragments pass in order",
            from,
            &[
                (TEXT_PART, b"a"),
                (PING, b"1"),
                (PART, b"b"),
                (PONG, b"2"),
                (CONTINUATION, b"c"),
                (TEXT, b"d"),
            ],
        ),
        passes("empty fragments pass", from, &[(BINARY_PART, b""), (PART, b""), (CONTINUATION, b"")]),
        breaks("a continuation of no message is refused", from, &[], &stray, 1002),
        breaks("a continuing fragment of no message is refused", from, &[], &stray_part, 1002),
        breaks("a continuation after a whole message is refused", from, &[(TEXT, b"whole")], &stray, 1002),
        breaks(
            "a message inside another is refused",
            from,
            &[(TEXT_PART, b"first"), (PING, b"")],
            &second,
            1002,
        ),
    ]
}

/// Section 6: text that is and is not UTF-8, fragmented at every byte.
fn texts(from: Side) -> Vec<Scenario> {
    let mut all = vec![passes("text of all character lengths passes", from, &[(TEXT, KOSME.as_bytes())])];
    for cut in 1..KOSME.len() {
        let (head, tail) = KOSME.as_bytes().split_at(cut);
        let name = format!("text fragmented at byte {cut} passes");
        all.push(passes(&name, from, &[(TEXT_PART, head), (PING, b""), (CONTINUATION, tail)]));
    }
    let bytes: Vec<[u8; 1]> = KOSME.bytes().map(|byte| [byte]).collect();
    let mut frames: Vec<(u8, &[u8])> = bytes.iter().map(|byte| (PART, &byte[..])).collect();
    frames[0].0 = TEXT_PART;
    frames.push((CONTINUATION, b""));
    all.push(passes("text in fragments of one byte passes", from, &frames));
    for (name, bad) in NOT_UTF8 {
        // The offending bytes begin their frame, so that nothing of it has passed however it is read.
        let whole = breaks(&format!("{name} is refused"), from, &[], &frame(from, TEXT, bad), 1007);
        all.push(whole.whole());
        let tail = frame(from, CONTINUATION, bad);
        let name = format!("{name} in a second fragment is refused");
        all.push(breaks(&name, from, &[(TEXT_PART, "ok ☃".as_bytes())], &tail, 1007).whole());
    }
    all.push(fails_fast("an overlong form is refused before its frame has ended", from, &[0xC0, 0xAF]));
    all.push(fails_fast("a surrogate is refused before its frame has ended", from, &[0xED, 0xA0, 0x80]));
    all
}

/// What is not UTF-8, each by its own rule.
const NOT_UTF8: [(&str, &[u8]); 10] = [
    ("a lone continuation byte", &[0x80]),
    ("an overlong slash", &[0xC0, 0xAF]),
    ("an overlong euro", &[0xF0, 0x82, 0x82, 0xAC]),
    ("a surrogate", &[0xED, 0xA0, 0x80]),
    ("a character beyond the last", &[0xF4, 0x90, 0x80, 0x80]),
    ("a five byte form", &[0xF8, 0x88, 0x80, 0x80, 0x80]),
    ("0xFF", &[0xFF]),
    ("a character that never ends", &[0xE2, 0x98]),
    ("a character that another interrupts", &[0xE2, 0x28, 0xA1]),
    ("text after a null that goes wrong", &[0x00, b'a', 0xC1, 0xBF]),
];

/// The offender is told before the frame has ended, after the time for answers at most; what the other side got of it depends on how it was read.
fn fails_fast(name: &str, from: Side, bad: &[u8]) -> Scenario {
    let mut payload = b"lead ".to_vec();
    payload.extend_from_slice(bad);
    payload.extend_from_slice(b"tail");
    let begun = frame(from, TEXT, &payload);
    let begun = begun[..begun.len() - 3].to_vec();
    let acts = vec![
        Act::Send(from, begun),
        Act::Pause(DRAIN_GRACE),
        Act::ReceiveClose(from, 1007, None),
        Act::ReceiveEnd(from),
        Act::Finish(from.other()),
        Act::Drain(from.other()),
    ];
    Scenario::new(format!("{from:?}: {name}"), acts, 1007, from.into()).cut(None)
}

/// Section 7: what a Close may say.
fn closes(from: Side) -> Vec<Scenario> {
    let mut all = Vec::new();
    let lawful =
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
    for code in lawful {
        let name = format!("{from:?}: close code {code} passes unchanged");
        all.push(Scenario::new(name, goodbye(from, code, "Grüße"), code, from.into()));
    }
    for code in [1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        let bad = close_frame(from, code, "");
        all.push(breaks(&format!("close code {code} is refused"), from, &[(TEXT, b"x")], &bad, 1002));
    }
    let one_byte = frame(from, 0x88, &[3]);
    let zero = frame(from, 0x88, &[0, 0]);
    let not_utf8 = frame(from, 0x88, &[0x03, 0xE8, 0xCE, 0xBA, 0xED, 0xA0]);
    let long = frame(from, 0x88, &[b'x'; 126]);
    all.push(breaks("a close of one byte is refused", from, &[], &one_byte, 1002));
    all.push(breaks("close code 0 is refused", from, &[], &zero, 1002));
    all.push(breaks("a close reason that is not UTF-8 is refused", from, &[], &not_utf8, 1007));
    all.push(breaks("a close of 126 bytes is refused", from, &[], &long, 1002));
    all
}

/// Masking and the forms of a length, which the catalogue leaves out.
fn lengths(from: Side) -> Vec<Scenario> {
    let own_mask = (from == Side::Client).then_some(CLIENT_KEY);
    let wrong_mask = if own_mask.is_some() { None } else { Some(BACKEND_KEY) };
    let mut all = Vec::new();
    for (what, first) in [("text", TEXT), ("ping", PING), ("close", 0x88)] {
        let bad = header(first, 0, wrong_mask);
        let name = format!("an empty {what} with the wrong masking is refused");
        all.push(breaks(&name, from, &[(BINARY, b"x")], &bad, 1002));
    }
    let mask_bit = if own_mask.is_some() { 0x80 } else { 0 };
    let key = own_mask.unwrap_or_default();
    let with_key = |mut bytes: Vec<u8>| {
        bytes.extend_from_slice(if mask_bit == 0 { &[] } else { &key });
        bytes
    };
    let short = with_key(vec![BINARY, mask_bit | 0x7E, 0, 125]);
    let long = with_key(vec![BINARY, mask_bit | 0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]);
    let high_bit = with_key(vec![BINARY, mask_bit | 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 1]);
    let largest = with_key(vec![BINARY, mask_bit | 0x7F, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
    let beyond_double = with_key(vec![BINARY, mask_bit | 0x7F, 0, 0x20, 0, 0, 0, 0, 0, 1]);
    all.push(breaks("125 written in two bytes is refused", from, &[], &short, 1002));
    all.push(breaks("65535 written in eight bytes is refused", from, &[], &long, 1002));
    all.push(breaks("a length with the highest bit is refused", from, &[], &high_bit, 1002));
    all.push(breaks("the largest length is too big at its header", from, &[], &largest, 1009));
    all.push(breaks("a length beyond a double is too big at its header", from, &[], &beyond_double, 1009));
    all
}

/// The bounds of a session.
fn bounds(from: Side) -> Vec<Scenario> {
    let ten = Limits { message_bytes_max: 10, ..Limits::default() };
    let few = Limits { fragments_max: 4, empty_fragments_max: 2, control_burst: 3, ..Limits::default() };
    let small = Limits { frame_bytes_max: 4, ..Limits::default() };
    let full: &[(u8, &[u8])] = &[(BINARY_PART, b"1234"), (PART, b"5678"), (CONTINUATION, b"90")];
    let four: &[(u8, &[u8])] = &[(TEXT_PART, b"1"), (PART, b"2"), (PART, b"3")];
    let last = frame(from, CONTINUATION, b"4");
    let mut exact: Vec<(u8, &[u8])> = four.to_vec();
    exact.push((CONTINUATION, b"4"));
    let crossing = frame(from, CONTINUATION, b"901");
    let five = frame(from, TEXT, b"12345");
    let empty = frame(from, PART, b"");
    let ping = frame(from, PING, b"");
    vec![
        passes("a message of exactly the limit passes", from, full).limits(ten.clone()),
        breaks("the fragment that crosses the limit is refused", from, &full[..2], &crossing, 1009)
            .limits(ten),
        breaks("a frame above the frame limit is refused", from, &[(TEXT, b"1234")], &five, 1009)
            .limits(small),
        passes("as many fragments as allowed pass", from, &exact).limits(few.clone()),
        breaks("one fragment too many is refused", from, &[four, &[(PART, b"4")]].concat(), &last, 1008)
            .limits(few.clone()),
        breaks(
            "one empty fragment too many is refused",
            from,
            &[(TEXT_PART, b""), (PART, b"")],
            &empty,
            1008,
        )
        .limits(few.clone()),
        breaks("a storm of control frames is refused", from, &[(PING, &b""[..]); 3], &ping, 1008).limits(few),
    ]
}
