//! Whether a side is still there: Pings of the gateway's own, their Pongs, silence, and the longest life of a session.

use super::bytes::{close_frame, frame};
use super::{Act, Scenario};
use crate::relay::{Initiator, Limits, Side};
use crate::time::Micros;
use Side::{Backend, Client};

const TEXT: u8 = 0x81;
const PONG: u8 = 0x8A;
const INTERVAL: Micros = Micros::from_millis(300);
const TIMEOUT: Micros = Micros::from_millis(300);

pub(super) fn all() -> Vec<Scenario> {
    let mut all: Vec<Scenario> = Side::BOTH.into_iter().flat_map(silences).collect();
    all.extend(answers());
    all.extend(lives());
    all
}

fn asking() -> Limits {
    Limits { ping_interval: Some(INTERVAL), pong_timeout: TIMEOUT, ..Limits::default() }
}

/// An orderly end that the client begins.
fn goodbye() -> [Act; 6] {
    [
        Act::Send(Client, close_frame(Client, 1000, "bye")),
        Act::ReceiveClose(Backend, 1000, Some("bye")),
        Act::Send(Backend, close_frame(Backend, 1000, "")),
        Act::ReceiveClose(Client, 1000, Some("")),
        Act::ReceiveEnd(Client),
        Act::ReceiveEnd(Backend),
    ]
}

/// Sides that answer.
fn answers() -> Vec<Scenario> {
    let story = |name: &str, acts| Scenario::new(name, acts, 1000, Initiator::Client).limits(asking());
    let mut twice = Vec::new();
    for _ in 0..2 {
        twice.extend([Act::Pause(INTERVAL), Act::AnswerPing(Client), Act::AnswerPing(Backend)]);
    }
    twice.extend(goodbye());
    // Four bytes like ours, and not ours: somebody else may wait for it.
    let other = frame(Client, PONG, &[1, 2, 3, 4]);
    let mut foreign = vec![Act::Pause(INTERVAL), Act::AnswerPing(Backend), Act::AnswerPing(Client)];
    foreign.extend([Act::Send(Client, other.clone()), Act::Receive(Backend, other)]);
    foreign.extend(goodbye());
    let long = frame(Client, TEXT, b"a message that takes its time");
    let (head, tail) = long.split_at(12);
    let mut waiting = vec![Act::Send(Client, head.to_vec()), Act::Receive(Backend, head.to_vec())];
    // Longer than the interval, and far from the timeout of this story.
    waiting.extend([Act::Pause(INTERVAL.plus(INTERVAL)), Act::Send(Client, tail.to_vec())]);
    waiting.extend([Act::Receive(Backend, tail.to_vec()), Act::AnswerPing(Backend), Act::AnswerPing(Client)]);
    waiting.extend(goodbye());
    let patient = Limits { pong_timeout: Micros::from_secs(10), ..asking() };
    vec![
        story("a Ping waits for the end of the frame under way", waiting)
            .counts([1, 0], [29, 0])
            .limits(patient),
        story("a side that is silent is asked, and its answer stays here", twice),
        story("a Pong that nobody here asked for passes", foreign),
    ]
}

/// Sides that do not.
fn silences(silent: Side) -> Vec<Scenario> {
    let other = silent.other();
    let code = if silent == Client { 1001 } else { 1014 };
    let acts = vec![
        Act::Pause(INTERVAL),
        Act::AnswerPing(other),
        Act::Pause(TIMEOUT),
        Act::ReceiveClose(other, code, None),
        Act::Send(other, close_frame(other, code, "")),
        Act::ReceiveEnd(other),
        Act::Drain(silent),
    ];
    let name = format!("{silent:?}: a side that does not answer is gone for the other");
    let limits = Limits { ping_interval: Some(INTERVAL), pong_timeout: TIMEOUT, ..Limits::default() };
    vec![Scenario::new(name, acts, 1006, silent.into()).limits(limits)]
}

/// Sessions that end by their age, or by the silence of everybody but us.
fn lives() -> Vec<Scenario> {
    let ends = |reason: &'static str| {
        [
            Act::ReceiveClose(Client, 1001, Some(reason)),
            Act::ReceiveClose(Backend, 1001, Some(reason)),
            Act::Send(Client, close_frame(Client, 1001, "")),
            Act::Send(Backend, close_frame(Backend, 1001, "")),
            Act::ReceiveEnd(Client),
            Act::ReceiveEnd(Backend),
        ]
    };
    let hello = frame(Client, TEXT, b"hello");
    let mut aged = vec![Act::Pause(Micros::from_millis(400)), Act::Send(Client, hello.clone())];
    aged.extend([Act::Receive(Backend, hello), Act::Pause(Micros::from_millis(400))]);
    aged.extend(ends(r#"{"reason":"lifetime"}"#));
    let mut idle = vec![Act::Pause(INTERVAL), Act::AnswerPing(Client), Act::AnswerPing(Backend)];
    idle.push(Act::Pause(Micros::from_millis(200)));
    idle.extend(ends(r#"{"reason":"idle"}"#));
    vec![
        Scenario::new(
            "a session ends when it has lasted its time, busy or not",
            aged,
            1001,
            Initiator::Gateway,
        )
        .counts([1, 0], [5, 0])
        .limits(Limits { lifetime: Some(Micros::from_millis(800)), ..Limits::default() }),
        Scenario::new("Pings of ours keep no session from being idle", idle, 1001, Initiator::Gateway)
            .limits(Limits { idle: Some(Micros::from_millis(500)), ..asking() }),
    ]
}
