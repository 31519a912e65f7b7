//! Random sessions against a shadow model: two peers that say lawful and lawless things, short reads and writes,
//! ends of every kind, a limiter of every answer. After every move the model is compared with the relay.
//!
//! `TIDEGATE_SEED=n` replays one session; a failure names its seed and step.

use std::cell::Cell;

use tidegate_wire::close::CloseReason;
use tidegate_wire::relay::{Cause, Fate, MessageStart};
use tidegate_wire::scenarios::{close_frame, frame};
use tidegate_wire::{Admission, Limiter, Limits, Micros, Side};

use crate::sim::{Cut, Dice, NOTICE, Sim};

const SEEDS: u64 = 3_000;

/// What a peer said, frame by frame, with what the model knows of it.
#[derive(Debug)]
struct Said {
    bytes: Vec<u8>,
    /// Payload bytes, and whether it ends a message; none for control frames.
    data: Option<(u64, bool)>,
    is_first: bool,
    is_lawful: bool,
    is_close: bool,
}

/// Answers by the number of the message and its side, so that the model can ask the same question again.
#[derive(Debug, Default)]
struct Whims {
    seed: u64,
    asked: [u64; 2],
    delayed: bool,
    passed_bytes: [u64; 2],
}

impl Whims {
    fn whim(seed: u64, from: Side, number: u64) -> u64 {
        Dice(seed ^ number << 1 ^ from as u64).roll() % 40
    }
}

impl Limiter for Whims {
    fn admit(&mut self, now: Micros, message: MessageStart) -> Admission {
        let number = self.asked[message.from as usize];
        let whim = Self::whim(self.seed, message.from, number);
        // One message in eight is delayed first, and asked about again.
        if whim % 8 == 3 && !std::mem::replace(&mut self.delayed, true) {
            return Admission::Delay(now.plus(Micros::from_millis(5)));
        }
        self.delayed = false;
        self.asked[message.from as usize] += 1;
        match whim {
            0 => Admission::Close(CloseReason::ours(4429, "quota")),
            1..3 => Admission::Drop,
            3..5 => Admission::Notify,
            _ => Admission::Pass,
        }
    }

    fn passed(&mut self, from: Side, payload_bytes: u64) {
        self.passed_bytes[from as usize] += payload_bytes;
    }
}

/// Makes what one side says: lawful mostly, with a close or a violation at times.
fn speech(dice: &mut Dice, from: Side, is_rude: bool) -> Vec<Said> {
    let mut said = Vec::new();
    let plain = |first: u8, payload: &[u8]| Said {
        bytes: frame(from, first, payload),
        data: None,
        is_first: false,
        is_lawful: true,
        is_close: false,
    };
    for _ in 0..dice.below(12) {
        let is_text = dice.below(2) == 0;
        let fragments = 1 + dice.below(4);
        for fragment in 0..fragments {
            let size = [0, 3, 40, 125, 126, 700][dice.below(6)];
            let payload: Vec<u8> = if is_text {
                "aé☃𝄞".repeat(size / 10).into_bytes()
            } else {
                (0..size).map(|_| u8::try_from(dice.below(256)).unwrap()).collect()
            };
            let is_last = fragment + 1 == fragments;
            let opcode = if fragment > 0 { 0 } else { 2 - u8::from(is_text) };
            let bytes = payload.len() as u64;
            let data = Some((bytes, is_last));
            let first = opcode | if is_last { 0x80 } else { 0 };
            said.push(Said { data, is_first: fragment == 0, ..plain(first, &payload) });
            if dice.below(6) == 0 {
                said.push(plain(0x89 + u8::from(dice.below(2) == 0), b"beat"));
            }
        }
    }
    if is_rude {
        let at = dice.below(said.len() + 1);
        let bad = match dice.below(4) {
            0 => plain(0xC1, b"reserved"),
            1 => plain(0x83, b"opcode"),
            2 => plain(0x88, &[0x03, 0xED]),
            _ => plain(0x09, b"fragmented ping"),
        };
        said.insert(at, Said { is_lawful: false, ..bad });
    }
    if dice.below(3) > 0 {
        let code = [0, 1000, 1001, 4000][dice.below(4)];
        said.push(Said { bytes: close_frame(from, code, "so long"), is_close: true, ..plain(0x88, b"") });
    }
    said
}

/// Two peers, a relay between them, and what should have come through.
struct World {
    dice: Dice,
    sim: Sim<Whims>,
    said: [Vec<Said>; 2],
    /// Bytes not yet sent, and what the peer does when they are.
    unsent: [std::collections::VecDeque<u8>; 2],
    leaves: [u64; 2],
    step: usize,
    /// How often the client was told.
    notices: Cell<u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let cut = Cut::Random(Dice(dice.roll()));
        let limits = Limits { idle: Some(Micros::from_secs(60)), ..Limits::default() };
        let whims = Whims { seed: dice.roll(), ..Whims::default() };
        let mut sim = Sim::new(limits, whims, cut);
        for side in Side::BOTH {
            sim.socket(side).room = 1 + dice.below(3_000);
        }
        let said = Side::BOTH.map(|side| {
            let is_rude = dice.below(5) == 0;
            speech(&mut dice, side, is_rude)
        });
        let unsent =
            [0, 1].map(|side: usize| said[side].iter().flat_map(|said| said.bytes.clone()).collect());
        let leaves = [dice.below(6) as u64, dice.below(6) as u64];
        Self { dice, sim, said, unsent, leaves, step: 0, notices: Cell::default() }
    }

    /// One move of the schedule.
    fn go(&mut self) {
        self.step += 1;
        let side = Side::BOTH[self.dice.below(2)];
        match self.dice.below(100) {
            0..35 => {
                let size = self.dice.below(400);
                let unsent = &mut self.unsent[side as usize];
                let size = size.min(unsent.len());
                let bytes: Vec<u8> = unsent.drain(..size).collect();
                let is_all = unsent.is_empty();
                self.sim.socket(side).to_relay.extend(bytes);
                if is_all {
                    self.leave(side);
                }
            }
            35..60 => _ = self.sim.read(side),
            60..80 => _ = self.sim.write(side),
            80..97 => self.sim.socket(side).to_peer.clear(),
            97 => {
                self.sim.now = self.sim.now.plus(Micros::from_millis(20));
                self.sim.relay.handle_timeout(self.sim.now);
                self.sim.settle();
            }
            _ if self.dice.below(20) == 0 => {
                let (now, client, backend) =
                    (self.sim.now, CloseReason::ours(3000, "expired"), CloseReason::ours(1001, "expired"));
                self.sim.relay.close(now, client, backend);
                self.sim.settle();
            }
            _ => {}
        }
    }

    /// How a peer behaves that has nothing left to say.
    fn leave(&mut self, side: Side) {
        match self.leaves[side as usize] {
            0 => self.sim.hang_up(side),
            1 => self.sim.break_off(side),
            _ => {}
        }
    }

    /// What holds after every move.
    fn check(&mut self) {
        for from in Side::BOTH {
            let to = from.other();
            let expected = self.expected(from);
            let given = &self.sim.sockets[to as usize].given;
            let counters = self.sim.relay.counters(from);
            let mut at = 0;
            let (mut messages, mut bytes, mut frames, mut control) = (0, 0, 0, 0);
            let mut is_closed = false;
            // A notice stands between two messages, and only the client is told.
            let notice = frame(Side::Backend, 0x81, NOTICE.as_bytes());
            let (mut is_between, notices) = (true, Cell::new(0));
            let noticed = |at: &mut usize, is_between: bool| {
                while to == Side::Client && is_between && given[*at..].starts_with(&notice) {
                    *at += notice.len();
                    notices.set(notices.get() + 1);
                }
            };
            for said in &expected {
                noticed(&mut at, is_between);
                let rest = &given[at..];
                if rest.len() < said.bytes.len() {
                    break;
                }
                if !rest.starts_with(&said.bytes) {
                    break;
                }
                at += said.bytes.len();
                match said.data {
                    Some((payload, is_last)) => {
                        (frames, bytes) = (frames + 1, bytes + payload);
                        messages += u64::from(is_last);
                        is_between = is_last;
                    }
                    None => control += 1,
                }
            }
            noticed(&mut at, is_between);
            let asked: u64 = self.sim.limiter.asked.iter().sum();
            assert!(notices.get() <= asked, "one notice a message at most");
            self.notices.set(self.notices.get().max(notices.get()));
            // What follows whole frames is the beginning of the next, or one Close and nothing behind it.
            let rest = &given[at..];
            if let Some(&first) = rest.first() {
                let next = expected.iter().scan(0, |end, said| {
                    *end += said.bytes.len();
                    Some((*end, said))
                });
                let said = at - notice.len() * usize::try_from(notices.get()).unwrap();
                let begun = next.into_iter().find(|(end, _)| *end > said).map(|(_, said)| &said.bytes);
                let is_begun = begun.is_some_and(|bytes| bytes.starts_with(rest));
                if !is_begun {
                    assert_eq!(first, 0x88, "only a Close may follow: {rest:02x?}");
                    let mask = if to == Side::Backend { 4 } else { 0 };
                    assert_eq!(
                        rest.len(),
                        2 + mask + usize::from(rest[1] & 0x7F),
                        "one Close, nothing behind it"
                    );
                    is_closed = true;
                }
            }
            let model = (messages, bytes, frames, control);
            let real =
                (counters.messages, counters.bytes, counters.frames, u64::from(counters.control_frames));
            assert_eq!(real, model, "what {from:?} said is counted as it passed");
            assert_eq!(self.sim.limiter.passed_bytes[from as usize], counters.bytes);
            let fate = self.sim.relay.fate(to);
            let is_orderly = matches!(fate, Fate::Finish) && !self.sim.relay.is_over();
            assert!(!is_orderly || is_closed, "{to:?} is told before its stream ends");
        }
    }

    /// The frames that may reach the other side: all lawful ones before the Close, less what is dropped.
    fn expected(&self, from: Side) -> Vec<&Said> {
        let mut expected = Vec::new();
        let (mut number, mut is_dropped) = (0, false);
        for said in &self.said[from as usize] {
            if !said.is_lawful || said.is_close {
                break;
            }
            if said.is_first {
                match Whims::whim(self.sim.limiter.seed, from, number) {
                    0 => break,
                    whim => is_dropped = (1..5).contains(&whim),
                }
                number += 1;
            }
            if said.data.is_none() || !is_dropped {
                expected.push(said);
            }
        }
        expected
    }

    fn run(&mut self) {
        for _ in 0..600 {
            self.go();
            self.check();
        }
        // Both peers hang up sooner or later, and read what is left.
        for side in Side::BOTH {
            let unsent = std::mem::take(&mut self.unsent[side as usize]);
            self.sim.socket(side).to_relay.extend(unsent);
            self.sim.hang_up(side);
        }
        let bound = self.sim.now.plus(Micros::from_secs(7));
        loop {
            for side in Side::BOTH {
                self.sim.socket(side).to_peer.clear();
            }
            self.sim.pump();
            self.check();
            let is_read = self.sim.sockets.iter().all(|socket| socket.to_peer.is_empty());
            if self.sim.relay.is_over() || (is_read && !self.sim.sleep(bound)) {
                break;
            }
        }
        assert!(self.sim.relay.is_over(), "every session ends: {:?}", self.sim.relay);
        let ending = self.sim.relay.ending().expect("an end has a reason");
        let is_reset = Side::BOTH.iter().any(|side| self.sim.relay.fate(*side) == Fate::Reset);
        assert_eq!(ending.cut, is_reset, "a cut is a reset of ours, and said to be one");
        assert!(self.sim.relay.next_deadline().is_none(), "nothing is due after the end");
        assert_ne!(ending.cause, Cause::Idle, "nothing was idle for a minute");
        for from in Side::BOTH {
            if ending.initiator == from.into() && ending.cause == Cause::Closed && !ending.cut {
                let spoken: Vec<u8> =
                    self.expected(from).iter().flat_map(|said| said.bytes.iter().copied()).collect();
                let given = without_notices(&self.sim.sockets[from.other() as usize].given);
                assert!(given.starts_with(&spoken), "all that {from:?} said before its Close came through");
            }
        }
    }
}

/// What the peers said; nobody but the relay says a notice.
fn without_notices(given: &[u8]) -> Vec<u8> {
    let notice = frame(Side::Backend, 0x81, NOTICE.as_bytes());
    let (mut said, mut rest) = (Vec::new(), given);
    while let Some((first, behind)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(&*notice) {
            rest = behind;
        } else {
            said.push(*first);
            rest = behind;
        }
    }
    said
}

fn run(seed: u64) -> u64 {
    let mut world = World::new(seed);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run()));
    if let Err(panic) = outcome {
        eprintln!("seed {seed}, step {}: replay with TIDEGATE_SEED={seed}", world.step);
        std::panic::resume_unwind(panic);
    }
    world.notices.get()
}

#[test]
fn random_sessions_agree_with_the_model_and_end() {
    if let Ok(seed) = std::env::var("TIDEGATE_SEED") {
        run(seed.parse().expect("TIDEGATE_SEED is a number"));
        return;
    }
    let notices: u64 = (0..SEEDS).map(run).sum();
    assert!(notices > SEEDS / 10, "notices are said at all: {notices}");
}
