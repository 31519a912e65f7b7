//! How sessions end: closes passed on, crossing and unanswered, peers that vanish, ends that the gateway imposes,
//! limits, and what happens to a frame that is under way.

use super::bytes::{close_frame, frame};
use super::{Act, Scenario};
use crate::close::CloseReason;
use crate::relay::{CLOSE_GRACE, Initiator, Limits, Side};
use crate::time::Micros;
use Side::{Backend, Client};

const TEXT: u8 = 0x81;
const EXPIRED: &str = r#"{"reason":"expired"}"#;
const QUOTA: &str = r#"{"reason":"quota"}"#;

pub(super) fn all() -> Vec<Scenario> {
    let mut all: Vec<Scenario> = Side::BOTH.into_iter().flat_map(closes).collect();
    all.extend(Side::BOTH.into_iter().flat_map(half_closes));
    all.extend(Side::BOTH.into_iter().flat_map(vanishings));
    all.extend(impositions());
    all.extend(limits());
    all.extend(drains());
    all
}

fn text(from: Side, text: &str) -> Vec<u8> {
    frame(from, TEXT, text.as_bytes())
}

/// Closes of the sides themselves.
fn closes(from: Side) -> Vec<Scenario> {
    let to = from.other();
    let story = |name: &str, acts, code| Scenario::new(format!("{from:?}: {name}"), acts, code, from.into());
    let mut close_and_data = close_frame(from, 1000, "");
    close_and_data.extend(text(from, "too late"));
    let mut last_words = text(to, "last words");
    last_words.extend(close_frame(to, 1000, ""));
    let words: [u64; 2] = if to == Client { [1, 0] } else { [0, 1] };
    let mut crossing = story(
        "closes that cross are each passed on once",
        vec![
            Act::Send(from, close_frame(from, 1000, "mine")),
            Act::Send(to, close_frame(to, 1000, "yours")),
            Act::ReceiveClose(to, 1000, Some("mine")),
            Act::ReceiveClose(from, 1000, Some("yours")),
            Act::ReceiveEnd(to),
            Act::ReceiveEnd(from),
        ],
        1000,
    );
    crossing.report.initiator = None;
    vec![
        crossing,
        story(
            "an empty close stays empty",
            vec![
                Act::Send(from, close_frame(from, 0, "")),
                Act::ReceiveClose(to, 0, Some("")),
                Act::Send(to, close_frame(to, 0, "")),
                Act::ReceiveClose(from, 0, Some("")),
                Act::ReceiveEnd(from),
                Act::ReceiveEnd(to),
            ],
            1005,
        ),
        story(
            "data after a close is dropped, data before the answer is not",
            vec![
                Act::Send(from, close_and_data),
                Act::ReceiveClose(to, 1000, Some("")),
                Act::Send(to, last_words),
                Act::Receive(from, text(to, "last words")),
                Act::ReceiveClose(from, 1000, Some("")),
                Act::ReceiveEnd(from),
                Act::ReceiveEnd(to),
            ],
            1000,
        )
        .counts(words, words.map(|count| count * 10)),
    ]
}

/// Closes whose answer does not come as it should.
fn half_closes(from: Side) -> Vec<Scenario> {
    let to = from.other();
    let story = |name: &str, acts, code| Scenario::new(format!("{from:?}: {name}"), acts, code, from.into());
    vec![
        story(
            "a close and the end of its stream is still answered",
            vec![
                Act::Send(from, close_frame(from, 4000, "done")),
                Act::Finish(from),
                Act::ReceiveClose(to, 4000, Some("done")),
                Act::Send(to, close_frame(to, 4000, "well done")),
                Act::ReceiveClose(from, 4000, Some("well done")),
                Act::ReceiveEnd(from),
                Act::ReceiveEnd(to),
            ],
            4000,
        ),
        story(
            "a close that the other side answers by vanishing gets its own code back",
            vec![
                Act::Send(from, close_frame(from, 4001, "hm")),
                Act::ReceiveClose(to, 4001, Some("hm")),
                Act::Finish(to),
                Act::ReceiveClose(from, 4001, Some("")),
                Act::ReceiveEnd(from),
            ],
            4001,
        ),
        story(
            "a close that is never answered gets its own code back after the grace",
            vec![
                Act::Send(from, close_frame(from, 4002, "hello?")),
                Act::ReceiveClose(to, 4002, Some("hello?")),
                Act::Pause(CLOSE_GRACE),
                Act::ReceiveClose(from, 4002, Some("")),
                Act::ReceiveEnd(from),
                Act::ReceiveEnd(to),
            ],
            4002,
        ),
    ]
}

/// Peers that leave without a Close.
fn vanishings(from: Side) -> Vec<Scenario> {
    let to = from.other();
    let code = if from == Client { 1001 } else { 1014 };
    let story = |name: &str, acts| Scenario::new(format!("{from:?}: {name}"), acts, 1006, from.into());
    let told = |leave: Act| {
        vec![
            Act::Send(from, text(from, "hello")),
            Act::Receive(to, text(from, "hello")),
            leave,
            Act::ReceiveClose(to, code, None),
            Act::Send(to, close_frame(to, code, "")),
            Act::ReceiveEnd(to),
        ]
    };
    let begun = |leave: Act| {
        let bytes = text(from, "a message that never ends");
        let begun = bytes[..bytes.len() - 5].to_vec();
        vec![Act::Send(from, begun.clone()), Act::Receive(to, begun), leave, Act::ReceiveReset(to)]
    };
    let header_only = vec![
        Act::Send(from, vec![TEXT]),
        Act::Finish(from),
        Act::ReceiveClose(to, code, None),
        Act::Send(to, close_frame(to, code, "")),
        Act::ReceiveEnd(to),
    ];
    let one = if from == Client { [1, 0] } else { [0, 1] };
    let five = one.map(|count| count * 5);
    vec![
        story("the other side is told of an end without close", told(Act::Finish(from))).counts(one, five),
        story("the other side is told of a reset", told(Act::Reset(from))).counts(one, five),
        story("an end inside a frame resets the other side", begun(Act::Finish(from))).cut(Some(true)),
        story("a reset inside a frame resets the other side", begun(Act::Reset(from))).cut(Some(true)),
        story("an end inside a header lets the other side be told", header_only),
    ]
}

/// Ends that the gateway decides on.
fn impositions() -> Vec<Scenario> {
    let client = CloseReason::ours(3000, EXPIRED);
    let backend = CloseReason::ours(1001, r#"{"reason":"client_expired"}"#);
    let impose = Act::Impose(Box::new([client, backend]));
    let both_answer = [
        Act::Send(Client, close_frame(Client, 3000, "")),
        Act::Send(Backend, close_frame(Backend, 1001, "")),
        Act::ReceiveEnd(Client),
        Act::ReceiveEnd(Backend),
    ];
    let told_client = Act::ReceiveClose(Client, 3000, Some(EXPIRED));
    let told_backend = Act::ReceiveClose(Backend, 1001, Some(r#"{"reason":"client_expired"}"#));
    let long = text(Client, "a message that takes its time");
    let (head, tail) = long.split_at(12);
    let story = |name: &str, acts| Scenario::new(name, acts, 3000, Initiator::Gateway);
    let under_way = vec![
        Act::Send(Client, head.to_vec()),
        Act::Receive(Backend, head.to_vec()),
        impose.clone(),
        told_client.clone(),
    ];
    let mut ends = under_way.clone();
    ends.extend([
        Act::Send(Client, tail.to_vec()),
        Act::Receive(Backend, tail.to_vec()),
        told_backend.clone(),
    ]);
    ends.extend(both_answer.clone());
    let mut never_ends = under_way;
    never_ends.extend([Act::Pause(CLOSE_GRACE), Act::ReceiveReset(Backend), Act::ReceiveEnd(Client)]);
    let mut idle = vec![impose.clone(), told_client.clone(), told_backend.clone()];
    idle.extend(both_answer);
    let late = vec![
        impose,
        told_client,
        told_backend,
        Act::Send(Client, text(Client, "not any more")),
        Act::Send(Backend, text(Backend, "nor this")),
        Act::Send(Client, close_frame(Client, 1000, "")),
        Act::Send(Backend, close_frame(Backend, 1000, "")),
        Act::ReceiveEnd(Client),
        Act::ReceiveEnd(Backend),
    ];
    vec![
        story("an imposed end is told to both sides", idle),
        story("an imposed end waits for the frame under way", ends).counts([1, 0], [29, 0]),
        story("a frame that does not end within the grace is cut", never_ends).cut(Some(true)),
        story("nothing passes after an imposed close", late),
        Scenario::new(
            "a session in which nothing moves is ended",
            vec![
                Act::Send(Client, text(Client, "hello")),
                Act::Receive(Backend, text(Client, "hello")),
                Act::Pause(Micros::from_millis(400)),
                Act::ReceiveClose(Client, 1001, Some(r#"{"reason":"idle"}"#)),
                Act::ReceiveClose(Backend, 1001, Some(r#"{"reason":"idle"}"#)),
                Act::Send(Client, close_frame(Client, 1001, "")),
                Act::Send(Backend, close_frame(Backend, 1001, "")),
                Act::ReceiveEnd(Client),
                Act::ReceiveEnd(Backend),
            ],
            1001,
            Initiator::Gateway,
        )
        .counts([1, 0], [5, 0])
        .limits(Limits { idle: Some(Micros::from_millis(400)), ..Limits::default() }),
    ]
}

/// Messages that the limiter refuses.
fn limits() -> Vec<Scenario> {
    let story = |name: &str, acts| Scenario::new(name, acts, 4429, Initiator::Gateway);
    let sent: Vec<u8> = ["one", "two", "six"].iter().flat_map(|word| text(Client, word)).collect();
    let passed = sent[..18].to_vec();
    let from_client = vec![
        Act::Send(Client, sent),
        Act::Receive(Backend, passed),
        Act::ReceiveClose(Backend, 1001, Some(r#"{"reason":"limit"}"#)),
        Act::Send(Backend, close_frame(Backend, 1001, "")),
        Act::ReceiveClose(Client, 4429, Some(QUOTA)),
        Act::Send(Client, close_frame(Client, 4429, "")),
        Act::ReceiveEnd(Client),
        Act::ReceiveEnd(Backend),
    ];
    let from_backend = vec![
        Act::Send(Client, text(Client, "ask")),
        Act::Receive(Backend, text(Client, "ask")),
        Act::Send(Backend, text(Backend, "answer")),
        Act::ReceiveClose(Client, 4429, Some(QUOTA)),
        Act::ReceiveClose(Backend, 1001, Some(r#"{"reason":"limit"}"#)),
        Act::Send(Client, close_frame(Client, 4429, "")),
        Act::Send(Backend, close_frame(Backend, 1001, "")),
        Act::ReceiveEnd(Client),
        Act::ReceiveEnd(Backend),
    ];
    vec![
        story("the message above the limit is not forwarded, those before are", from_client)
            .counts([2, 0], [6, 0])
            .budget(2),
        story("an answer above the limit ends the session for the client", from_backend)
            .counts([1, 0], [3, 0])
            .budget(1),
    ]
}

/// Answers owed to a side that broke a rule.
fn drains() -> Vec<Scenario> {
    let mut sent = text(Client, "ask");
    sent.extend(frame(Client, 0xF1, b"reserved bits"));
    let begin = [
        Act::Send(Client, sent),
        Act::Receive(Backend, text(Client, "ask")),
        Act::ReceiveClose(Backend, 1001, Some(r#"{"reason":"client_protocol_error"}"#)),
    ];
    let told =
        [Act::ReceiveClose(Client, 1002, Some(r#"{"reason":"reserved_bit"}"#)), Act::ReceiveEnd(Client)];
    let mut answer = text(Backend, "answer");
    answer.extend(close_frame(Backend, 1001, ""));
    let mut answered = begin.to_vec();
    answered.extend([Act::Send(Backend, answer), Act::Receive(Client, text(Backend, "answer"))]);
    answered.extend(told.clone());
    answered.push(Act::ReceiveEnd(Backend));
    let mut silent = begin.to_vec();
    silent.extend([Act::Pause(Micros::from_secs(1))]);
    silent.extend(told.clone());
    silent.extend([Act::Send(Backend, close_frame(Backend, 1001, "")), Act::ReceiveEnd(Backend)]);
    let mut gone = begin.to_vec();
    gone.push(Act::Finish(Backend));
    gone.extend(told.clone());
    let mut half_closed = begin.to_vec();
    half_closed.push(Act::Finish(Client));
    half_closed.extend(told);
    half_closed.extend([Act::Send(Backend, close_frame(Backend, 1001, "")), Act::ReceiveEnd(Backend)]);
    let story = |name: &str, acts, counts: [[u64; 2]; 2]| {
        Scenario::new(name, acts, 1002, Initiator::Client).counts(counts[0], counts[1])
    };
    vec![
        story("answers owed come before the close of an offender", answered, [[1, 1], [3, 6]]),
        story("an offender waits a second at most for answers", silent, [[1, 0], [3, 0]]),
        story("a backend that vanishes owes nothing any more", gone, [[1, 0], [3, 0]]),
        story("an offender that stops writing is still told", half_closed, [[1, 0], [3, 0]]),
    ]
}
