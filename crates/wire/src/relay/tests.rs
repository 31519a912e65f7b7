//! The relay call by call: what the scenarios cannot see because a driver does it for them.

use std::sync::Arc;

use super::{
    Admission, CLOSE_GRACE, Cause, DRAIN_GRACE, Fate, Initiator, LINGER, Limiter, Limits, MessageKind,
    MessageStart, Relay, Side, Then, Unlimited, Verdict, because,
};
use crate::close::CloseReason;
use crate::scenarios::{close_frame, frame};
use crate::time::Micros;
use Side::{Backend, Client};

const START: Micros = Micros::from_secs(10);
const KEY: [u8; 4] = [9, 8, 7, 6];

fn relay(limits: Limits) -> Relay {
    Relay::new(START, Arc::new(limits))
}

/// Steps over `bytes` as a driver does whose writes are taken at once.
fn pass(relay: &mut Relay, from: Side, now: Micros, bytes: &[u8]) -> Verdict {
    let mut bytes = bytes.to_vec();
    let verdict = relay.step(from, now, &mut bytes, &mut Unlimited);
    relay.wrote(from.other(), now, verdict.forward);
    verdict
}

/// The frame that is said to `side` now, taken at once by its socket.
fn said(relay: &mut Relay, side: Side, now: Micros) -> Option<Vec<u8>> {
    let frame = relay.poll_control(side, || KEY)?;
    relay.wrote(side, now, frame.as_bytes().len());
    Some(frame.as_bytes().to_vec())
}

fn impose(relay: &mut Relay, now: Micros) {
    relay.close(now, CloseReason::ours(3000, "expired"), CloseReason::ours(1001, "expired"));
}

/// Answers from a list, and remembers what it was asked.
#[derive(Default)]
struct Script {
    answers: Vec<Admission>,
    asked: Vec<MessageStart>,
    passed: u64,
}

impl Limiter for Script {
    fn admit(&mut self, _: Micros, message: MessageStart) -> Admission {
        self.asked.push(message);
        if self.answers.is_empty() { Admission::Pass } else { self.answers.remove(0) }
    }

    fn passed(&mut self, _: Side, payload_bytes: u64) {
        self.passed += payload_bytes;
    }
}

#[test]
fn the_limiter_is_asked_once_a_message_at_its_first_header() {
    let mut relay = relay(Limits::default());
    let mut script = Script::default();
    let header_only = &frame(Client, 0x01, b"one")[..6];
    let verdict = relay.step(Client, START, &mut header_only.to_vec(), &mut script);
    assert_eq!(verdict, Verdict { forward: 6, consumed: 6, then: Then::Done });
    let first = MessageStart { from: Client, kind: MessageKind::Text, payload_bytes: 3, is_whole: false };
    assert_eq!(script.asked, [first]);
    let mut rest = frame(Client, 0x01, b"one")[6..].to_vec();
    rest.extend(frame(Client, 0x89, b"ping"));
    rest.extend(frame(Client, 0x80, b"two"));
    let _ = relay.step(Client, START, &mut rest, &mut script);
    assert_eq!((script.asked.len(), script.passed), (1, 6));
}

#[test]
fn a_dropped_message_leaves_a_hole_and_control_frames_pass() {
    let mut relay = relay(Limits::default());
    let mut script = Script { answers: vec![Admission::Pass, Admission::Drop], ..Script::default() };
    let pieces = [
        (0x82, &b"kept"[..], true),
        (0x02, b"dropped", false),
        (0x89, b"ping", true),
        (0x80, b"dropped too", false),
        (0x82, b"kept again", true),
    ];
    let mut slice: Vec<u8> = pieces.iter().flat_map(|(first, p, _)| frame(Backend, *first, p)).collect();
    let kept: Vec<u8> =
        pieces.iter().filter(|piece| piece.2).flat_map(|(first, p, _)| frame(Backend, *first, p)).collect();
    let (mut at, mut forwarded) = (0, Vec::new());
    while at < slice.len() {
        let verdict = relay.step(Backend, START, &mut slice[at..], &mut script);
        forwarded.extend_from_slice(&slice[at..at + verdict.forward]);
        at += verdict.consumed;
        assert_eq!(verdict.then == Then::Done, at == slice.len());
    }
    assert_eq!(forwarded, kept);
    let counters = relay.counters(Backend);
    assert_eq!((counters.messages, counters.dropped, counters.control_frames), (2, 1, 1));
}

/// What the client is told, and what it says.
const NOTICE: &str = r#"{"type":"limit"}"#;

fn notice(relay: &mut Relay) -> Option<Vec<u8>> {
    relay.poll_notice(|| Some(NOTICE.to_owned()))
}

#[test]
fn a_client_is_told_of_a_dropped_message_once_whoever_sent_it() {
    for from in Side::BOTH {
        let mut relay = relay(Limits { deflate: true, ..Limits::default() });
        let drops = vec![Admission::Notify, Admission::Drop, Admission::Notify];
        let mut script = Script { answers: drops, ..Script::default() };
        assert_eq!(notice(&mut relay), None);
        let message = frame(from, 0x82, b"too many");
        for _ in 0..3 {
            let verdict = relay.step(from, START, &mut message.clone(), &mut script);
            assert_eq!((verdict.forward, verdict.consumed), (0, message.len()));
        }
        assert!(relay.may_notify());
        let said = notice(&mut relay).unwrap();
        assert_eq!(said, frame(Backend, 0x81, NOTICE.as_bytes()), "one frame, not compressed, not masked");
        assert_eq!((relay.may_notify(), notice(&mut relay)), (false, None));
        assert!(!relay.reads(Backend), "it is among what the client's socket has to take");
        relay.wrote(Client, START, said.len());
        assert!(relay.reads(Backend));
        assert_eq!((relay.counters(from).dropped, relay.counters(Backend).messages), (3, 0));
    }
}

#[test]
fn a_notice_of_more_than_a_short_frame_says_its_length() {
    for bytes in [125, 126, 1_024] {
        let mut relay = relay(Limits::default());
        let mut script = Script { answers: vec![Admission::Notify], ..Script::default() };
        let _ = relay.step(Client, START, &mut frame(Client, 0x81, b"!"), &mut script);
        let said = relay.poll_notice(|| Some("n".repeat(bytes))).unwrap();
        assert_eq!(said, frame(Backend, 0x81, "n".repeat(bytes).as_bytes()));
    }
}

#[test]
fn a_notice_waits_for_the_end_of_the_message_under_way_and_for_a_client_that_reads() {
    let mut relay = relay(Limits::default());
    let begun = frame(Backend, 0x02, b"a message in");
    assert_eq!(pass(&mut relay, Backend, START, &begun).forward, begun.len());
    let mut script = Script { answers: vec![Admission::Notify], ..Script::default() };
    let _ = relay.step(Client, START, &mut frame(Client, 0x81, b"dropped"), &mut script);
    assert_eq!(notice(&mut relay), None, "within a message there is no place");
    let ping = frame(Backend, 0x89, b"between");
    let _ = pass(&mut relay, Backend, START, &ping);
    assert_eq!(notice(&mut relay), None, "a frame's end is not a message's");
    let end = frame(Backend, 0x80, b"two frames");
    let mut slice = end.clone();
    let _ = relay.step(Backend, START, &mut slice, &mut Unlimited);
    assert_eq!(notice(&mut relay), None, "the client has not taken what was said before");
    relay.wrote(Client, START, end.len());
    assert!(notice(&mut relay).is_some());
}

#[test]
fn a_notice_goes_out_beside_a_dropped_message_and_not_after_the_end_has_begun() {
    let mut relay = relay(Limits::default());
    let mut script = Script { answers: vec![Admission::Notify, Admission::Notify], ..Script::default() };
    // Nothing of the message passes, so that the client stands between two messages while it comes.
    let _ = relay.step(Backend, START, &mut frame(Backend, 0x02, b"dropped in"), &mut script);
    let said = notice(&mut relay).unwrap();
    relay.wrote(Client, START, said.len());
    let _ = relay.step(Backend, START, &mut frame(Backend, 0x80, b"two frames"), &mut script);
    assert_eq!(notice(&mut relay), None);
    let _ = relay.step(Client, START, &mut frame(Client, 0x81, b"dropped"), &mut script);
    impose(&mut relay, START);
    assert_eq!((relay.may_notify(), notice(&mut relay)), (false, None));
    assert!(said_close(&mut relay));
}

#[test]
fn a_notice_that_has_nothing_to_say_any_more_is_none() {
    let mut relay = relay(Limits::default());
    let mut script = Script { answers: vec![Admission::Notify], ..Script::default() };
    let _ = relay.step(Client, START, &mut frame(Client, 0x81, b"dropped"), &mut script);
    assert_eq!(relay.poll_notice(|| None), None);
    assert!(!relay.may_notify() && relay.reads(Backend));
}

fn said_close(relay: &mut Relay) -> bool {
    said(relay, Client, START).is_some_and(|frame| frame[0] == 0x88)
}

#[test]
fn a_delayed_message_waits_and_is_asked_about_again() {
    let mut relay = relay(Limits::default());
    let later = START.plus(Micros::from_millis(30));
    let mut script = Script { answers: vec![Admission::Pass, Admission::Delay(later)], ..Script::default() };
    let (first, second) = (frame(Client, 0x82, b"first"), frame(Client, 0x82, b"second"));
    let mut slice = [first.clone(), second.clone()].concat();
    let verdict = relay.step(Client, START, &mut slice, &mut script);
    assert_eq!(verdict, Verdict { forward: first.len(), consumed: first.len(), then: Then::Wait });
    relay.wrote(Backend, START, verdict.forward);
    assert!(!relay.reads(Client) && relay.reads(Backend));
    assert_eq!(relay.next_deadline(), Some(later));
    relay.handle_timeout(later);
    assert!(relay.reads(Client));
    let verdict = relay.step(Client, later, &mut slice[first.len()..], &mut script);
    assert_eq!(verdict, Verdict { forward: second.len(), consumed: second.len(), then: Then::Done });
    assert_eq!(script.asked.len(), 3);
}

#[test]
fn what_is_held_back_is_judged_anew_when_the_limits_are_others() {
    let mut relay = relay(Limits { idle: None, ..Limits::default() });
    let until = START.plus(Micros::from_secs(60));
    let mut script = Script { answers: vec![Admission::Delay(until)], ..Script::default() };
    let mut bytes = frame(Client, 0x81, b"wait");
    assert_eq!(relay.step(Client, START, &mut bytes, &mut script).then, Then::Wait);
    assert!(!relay.reads(Client));
    relay.ask_again();
    assert!(relay.reads(Client));
    assert_eq!(relay.next_deadline(), None);
    let mut bytes = frame(Client, 0x81, b"wait");
    assert_eq!(relay.step(Client, START, &mut bytes, &mut script).forward, bytes.len());
}

#[test]
fn whoever_is_delayed_is_not_taken_for_silent() {
    let (interval, pong_timeout) = (Micros::from_secs(20), Micros::from_secs(5));
    let mut relay = relay(Limits { ping_interval: Some(interval), pong_timeout, ..Limits::default() });
    let asked = START.plus(interval);
    relay.handle_timeout(asked);
    assert!(said(&mut relay, Client, asked).is_some() && said(&mut relay, Backend, asked).is_some());
    assert_eq!(pass(&mut relay, Backend, asked, &frame(Backend, 0x8a, &KEY)).consumed, 6);
    // The client's Pong lies behind a message for which there is no room yet.
    let until = asked.plus(Micros::from_secs(15));
    let mut script = Script { answers: vec![Admission::Delay(until)], ..Script::default() };
    let mut bytes = [frame(Client, 0x81, b"wait"), frame(Client, 0x8a, &KEY)].concat();
    assert_eq!(relay.step(Client, asked, &mut bytes, &mut script).then, Then::Wait);
    let mut now = asked;
    while let Some(due) = relay.next_deadline().filter(|due| *due < until) {
        assert!(due > now, "it is not woken for nothing");
        now = due;
        relay.handle_timeout(now);
        assert!(!relay.is_ending(), "at {now:?}");
        // The backend is heard all the time.
        let _ = pass(&mut relay, Backend, now, &frame(Backend, 0x82, b"here"));
    }
    relay.handle_timeout(until);
    assert!(relay.reads(Client));
    assert_eq!(pass(&mut relay, Client, until, &bytes).forward, 10, "and its Pong stays here");
    // From now on it is asked as everybody.
    let gone = until.plus(interval);
    relay.handle_timeout(gone);
    assert!(said(&mut relay, Client, gone).is_some());
    relay.handle_timeout(gone.plus(pong_timeout));
    assert_eq!(relay.ending().map(|ending| ending.cause), Some(Cause::Silent));
}

#[test]
fn a_side_is_not_read_while_the_other_is_owed_bytes() {
    let mut relay = relay(Limits::default());
    let mut bytes = frame(Client, 0x82, b"hello");
    let forward = relay.step(Client, START, &mut bytes, &mut Unlimited).forward;
    assert!(!relay.reads(Client) && relay.reads(Backend));
    relay.wrote(Backend, START, forward - 1);
    assert!(!relay.reads(Client));
    relay.wrote(Backend, START, 1);
    assert!(relay.reads(Client));
}

#[test]
fn the_begun_header_of_a_frame_is_carried_and_nothing_else() {
    let mut relay = relay(Limits::default());
    let bytes = frame(Client, 0x82, &[7; 300]);
    for cut in 0..8 {
        let verdict = pass(&mut relay, Client, START, &bytes[..cut]);
        assert_eq!(verdict, Verdict { forward: 0, consumed: cut, then: Then::Done });
        let mut scratch = [0; 32];
        assert_eq!(relay.carry(Client, &mut scratch), cut);
        assert_eq!(scratch[..cut], bytes[..cut]);
    }
    assert_eq!(pass(&mut relay, Client, START, &bytes[..9]).forward, 9);
    assert_eq!(relay.carry(Client, &mut [0; 32]), 0);
}

#[test]
fn every_byte_postpones_the_idle_end() {
    let idle = Micros::from_secs(30);
    let mut relay = relay(Limits { idle: Some(idle), ..Limits::default() });
    let mut now = START;
    for from in [Client, Backend] {
        now = now.plus(Micros::from_secs(29));
        let _ = pass(&mut relay, from, now, &frame(from, 0x89, b""));
        relay.handle_timeout(now);
        assert_eq!((relay.next_deadline(), relay.is_ending()), (Some(now.plus(idle)), false));
    }
    let early = now.plus(idle).since(Micros::new(1));
    relay.handle_timeout(early);
    assert!(!relay.is_ending());
    relay.handle_timeout(now.plus(idle));
    let ending = relay.ending().unwrap();
    assert_eq!((ending.code, ending.initiator, ending.cause), (1001, Initiator::Gateway, Cause::Idle));
}

#[test]
fn control_frames_are_free_again_after_a_while() {
    let limits = Limits { control_burst: 2, control_per_second: 10, ..Limits::default() };
    let mut relay = relay(limits);
    let ping = frame(Client, 0x89, b"");
    let mut now = START;
    let _ = pass(&mut relay, Client, now, &[ping.clone(), ping.clone()].concat());
    for _ in 0..20 {
        now = now.plus(Micros::from_millis(100));
        let _ = pass(&mut relay, Client, now, &ping);
    }
    assert!(!relay.is_ending());
    let _ = pass(&mut relay, Client, now, &ping);
    assert_eq!(relay.ending().map(|ending| ending.code), Some(1008));
}

#[test]
fn a_mask_key_is_asked_only_for_a_frame_to_the_backend() {
    let mut relay = relay(Limits::default());
    assert!(relay.poll_control(Backend, || unreachable!("nothing is to be said")).is_none());
    impose(&mut relay, START);
    assert!(relay.poll_control(Client, || unreachable!("a client's frame is not masked")).is_some());
    assert_eq!(said(&mut relay, Backend, START).unwrap()[2..6], KEY);
    assert!(said(&mut relay, Backend, START).is_none(), "a side is told once");
}

#[test]
fn only_the_first_end_counts() {
    let mut relay = relay(Limits::default());
    let _ = pass(&mut relay, Client, START, &close_frame(Client, 1000, "bye"));
    let ending = relay.ending();
    impose(&mut relay, START);
    assert_eq!(relay.ending(), ending);
    assert_eq!(said(&mut relay, Backend, START).unwrap().len(), 2 + 4 + 2 + 3);
    assert!(said(&mut relay, Client, START).is_none(), "the client waits for the backend's answer");
}

#[test]
fn each_stage_of_an_end_has_its_deadline() {
    let mut relay = relay(Limits::default());
    assert_eq!(relay.next_deadline(), None);
    let _ = pass(&mut relay, Client, START, &[0xFF]);
    let drained = START.plus(DRAIN_GRACE);
    assert_eq!(relay.next_deadline(), Some(drained));
    said(&mut relay, Backend, START).unwrap();
    relay.handle_timeout(drained);
    let closed = drained.plus(CLOSE_GRACE);
    assert_eq!(relay.next_deadline(), Some(closed));
    said(&mut relay, Client, drained).unwrap();
    assert_eq!((relay.fate(Client), relay.fate(Backend)), (Fate::Finish, Fate::Open));
    relay.handle_timeout(closed);
    assert_eq!((relay.fate(Client), relay.fate(Backend)), (Fate::Finish, Fate::Finish));
    let over = closed.plus(LINGER);
    assert_eq!(relay.next_deadline(), Some(over));
    relay.handle_timeout(over);
    assert!(relay.is_over() && relay.next_deadline().is_none());
    assert!(!relay.ending().unwrap().cut, "both were told, neither closed its socket");
}

#[test]
fn a_side_that_does_not_take_its_close_is_reset_and_counts_as_cut() {
    let mut relay = relay(Limits::default());
    let mut bytes = frame(Backend, 0x82, &[1; 100]);
    let _ = relay.step(Backend, START, &mut bytes, &mut Unlimited);
    impose(&mut relay, START);
    assert!(relay.poll_control(Client, || KEY).is_some(), "the stream to it is at a boundary");
    said(&mut relay, Backend, START).unwrap();
    assert!(relay.reads(Backend), "an answer is looked for although the client takes nothing");
    let _ = pass(&mut relay, Backend, START, &close_frame(Backend, 1001, ""));
    relay.eof(Backend, START);
    let closed = START.plus(CLOSE_GRACE);
    relay.handle_timeout(closed);
    relay.handle_timeout(closed.plus(LINGER));
    assert_eq!((relay.fate(Client), relay.fate(Backend)), (Fate::Reset, Fate::Gone));
    assert!(relay.ending().unwrap().cut);
}

#[test]
fn a_limit_reached_by_an_owed_answer_ends_the_drain() {
    let mut relay = relay(Limits::default());
    let refuse = Admission::Close(because(4429, "quota"));
    let mut script = Script { answers: vec![refuse, refuse], ..Script::default() };
    let _ = relay.step(Client, START, &mut frame(Client, 0x82, b"one more"), &mut script);
    said(&mut relay, Backend, START).unwrap();
    assert!(said(&mut relay, Client, START).is_none(), "answers owed come first");
    let verdict = relay.step(Backend, START, &mut frame(Backend, 0x82, b"answer"), &mut script);
    assert_eq!((verdict.forward, verdict.then), (0, Then::Again));
    assert_eq!(&said(&mut relay, Client, START).unwrap()[2..4], 4429_u16.to_be_bytes());
}

#[test]
fn a_side_left_inside_a_frame_is_reset_at_once() {
    for leave in [Relay::eof, Relay::reset] {
        let mut relay = relay(Limits::default());
        let _ = pass(&mut relay, Client, START, &frame(Client, 0x82, b"hello")[..8]);
        leave(&mut relay, Client, START);
        assert_eq!((relay.fate(Client), relay.fate(Backend)), (Fate::Gone, Fate::Reset));
        assert!(relay.is_over() && relay.ending().unwrap().cut);
    }
}

#[test]
fn nothing_is_forwarded_to_a_side_that_is_gone() {
    let mut vanished = relay(Limits::default());
    vanished.eof(Client, START);
    assert_eq!(pass(&mut vanished, Backend, START, &frame(Backend, 0x82, b"more")).forward, 0);
    assert!(vanished.reads(Backend), "its Close is still looked for");

    let mut cut = relay(Limits::default());
    let bytes = frame(Client, 0x82, b"never finished in time");
    let _ = pass(&mut cut, Client, START, &bytes[..12]);
    impose(&mut cut, START);
    cut.handle_timeout(START.plus(CLOSE_GRACE));
    assert_eq!(cut.fate(Backend), Fate::Reset);
    assert_eq!(pass(&mut cut, Client, START, &bytes[12..]).forward, 0);
}

/// Text that goes wrong in its last byte, split before that.
fn bad_text(from: Side) -> [Vec<u8>; 2] {
    let bytes = frame(from, 0x81, b"this goes wrong\xFF");
    [bytes[..10].to_vec(), bytes[10..].to_vec()]
}

#[test]
fn a_last_frame_that_breaks_a_rule_resets_its_reader_at_once() {
    let mut relay = relay(Limits::default());
    let [begun, rest] = bad_text(Client);
    let _ = pass(&mut relay, Client, START, &begun);
    impose(&mut relay, START);
    assert_eq!(pass(&mut relay, Client, START, &rest).forward, 0);
    assert_eq!(relay.fate(Backend), Fate::Reset);
    assert!(relay.ending().unwrap().cut);
}

#[test]
fn an_offender_that_is_left_inside_a_frame_is_reset_as_well() {
    let mut relay = relay(Limits::default());
    let _ = pass(&mut relay, Backend, START, &frame(Backend, 0x82, b"an answer under way")[..7]);
    let [begun, rest] = bad_text(Client);
    let _ = pass(&mut relay, Client, START, &begun);
    let _ = pass(&mut relay, Client, START, &rest);
    assert_eq!((relay.fate(Client), relay.fate(Backend)), (Fate::Reset, Fate::Reset));
    assert_eq!(relay.ending().map(|ending| ending.code), Some(1007));
}

#[test]
fn an_offender_that_stops_writing_still_gets_the_close_that_is_on_its_way() {
    let mut relay = relay(Limits::default());
    let _ = pass(&mut relay, Client, START, &[0xFF]);
    said(&mut relay, Backend, START).unwrap();
    relay.eof(Backend, START);
    let close = relay.poll_control(Client, || KEY).unwrap();
    relay.eof(Client, START);
    assert_eq!(relay.fate(Client), Fate::Open, "its Close is not written yet");
    relay.wrote(Client, START, close.as_bytes().len());
    assert_eq!(relay.fate(Client), Fate::Gone);
    assert!(relay.is_over() && !relay.ending().unwrap().cut);
}

#[test]
fn a_long_last_frame_waits_for_its_reader() {
    let mut relay = relay(Limits::default());
    let bytes = frame(Client, 0x82, &[1; 500]);
    let (head, tail) = bytes.split_at(100);
    let _ = pass(&mut relay, Client, START, head);
    impose(&mut relay, START);
    assert!(relay.poll_control(Backend, || KEY).is_none(), "inside a frame");
    let forward = relay.step(Client, START, &mut tail[..100].to_vec(), &mut Unlimited).forward;
    assert_eq!((forward, relay.reads(Client)), (100, false));
    relay.wrote(Backend, START, 100);
    let _ = pass(&mut relay, Client, START, &tail[100..]);
    assert!(said(&mut relay, Backend, START).is_some() && relay.reads(Client));
}

#[test]
fn a_session_is_small() {
    // One of these for each of ten thousand connections; what it owns beyond this is made once, at its end.
    assert!(size_of::<Relay>() <= 352, "{} bytes", size_of::<Relay>());
}

/// Frames of both sides that break rules which may be switched off.
fn unruly(from: Side) -> Vec<Vec<u8>> {
    let mut long_ping = frame(from, 0x89, &[0x20; 200]);
    long_ping[0] = 0x89;
    vec![
        frame(from, 0xC2, b"reserved bit"),
        frame(from, 0x83, b"reserved opcode"),
        frame(from, 0x8F, b"reserved control"),
        frame(from, 0x09, b"fragmented ping"),
        long_ping,
        frame(from, 0x80, b"stray continuation"),
        [frame(from, 0x02, b"begun"), frame(from, 0x82, b"interrupting")].concat(),
    ]
}

#[test]
fn unchecked_frames_pass_as_they_are_however_they_are_cut() {
    for from in Side::BOTH {
        for bytes in unruly(from) {
            let mut strict = relay(Limits::default());
            let _ = pass(&mut strict, from, START, &bytes);
            assert!(strict.is_ending(), "{bytes:02x?}");
            for cut in 1..bytes.len() {
                let mut lax = relay(Limits { frame_checks: false, ..Limits::default() });
                let mut through = Vec::new();
                let mut given = Vec::new();
                for piece in [&bytes[..cut], &bytes[cut..]] {
                    let mut scratch = [0; 14];
                    let carried = lax.carry(from, &mut scratch);
                    given.clear();
                    given.extend_from_slice(&scratch[..carried]);
                    given.extend_from_slice(piece);
                    let verdict = pass(&mut lax, from, START, &given);
                    through.extend_from_slice(&given[..verdict.forward]);
                }
                assert_eq!((through, lax.ending()), (bytes.clone(), None), "cut at {cut}");
            }
        }
    }
}

#[test]
fn a_close_is_judged_and_sizes_hold_where_frames_are_not_checked() {
    let lax = || relay(Limits { frame_checks: false, frame_bytes_max: 300, ..Limits::default() });
    for bytes in [
        frame(Client, 0x88, &[0x03]),
        frame(Client, 0x88, &1005_u16.to_be_bytes()),
        frame(Client, 0x89, &[0; 301]),
        frame(Client, 0x83, &[0; 301]),
    ] {
        let mut relay = lax();
        assert_eq!(pass(&mut relay, Client, START, &bytes).forward, 0);
        assert!(matches!(relay.ending().unwrap().cause, Cause::Violation(_)), "{bytes:02x?}");
    }
}
