//! A driver without sockets: byte queues for the network, a virtual clock, and a schedule that decides how much is
//! read and written at once. It keeps the driver's contract of `tidegate_wire::relay` to the letter.

use std::collections::VecDeque;
use std::sync::Arc;

use tidegate_wire::close::CloseReason;
use tidegate_wire::relay::{Fate, Then};
use tidegate_wire::scenarios::{Budget, Driver, Report, StreamEnd};
use tidegate_wire::{Limiter, Limits, Micros, Relay, Side};

/// `SplitMix64`: small, and the same on every machine.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll() % bound.max(1) as u64).unwrap()
    }
}

/// How many bytes a read or a write moves.
#[derive(Clone, Debug)]
pub(crate) enum Cut {
    /// All there are.
    Whole,
    /// One.
    Single,
    /// Mostly few.
    Random(Dice),
}

impl Cut {
    fn size(&mut self) -> usize {
        match self {
            Self::Whole => 64 * 1024,
            Self::Single => 1,
            Self::Random(dice) => match dice.below(8) {
                0 => 0,
                1..5 => 1 + dice.below(20),
                5..7 => 1 + dice.below(300),
                _ => 64 * 1024,
            },
        }
    }
}

/// The network between the relay and one peer.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "two directions, each with two ways to end")]
pub(crate) struct Socket {
    pub(crate) to_relay: VecDeque<u8>,
    peer_finished: bool,
    peer_reset: bool,
    told_end: bool,
    pub(crate) to_peer: VecDeque<u8>,
    /// What the network holds at most for the peer.
    pub(crate) room: usize,
    pub(crate) relay_finished: bool,
    pub(crate) relay_reset: bool,
    /// The driver's side: bytes after a short write, and bytes that the limiter delays.
    kept: Vec<u8>,
    delayed: Vec<u8>,
    /// Everything that the relay gave out for this peer.
    pub(crate) given: Vec<u8>,
}

/// What the client is told of dropped messages; nobody else says it.
pub(crate) const NOTICE: &str = r#"{"told":"by the relay"}"#;

#[derive(Debug)]
pub(crate) struct Sim<L> {
    pub(crate) relay: Relay,
    pub(crate) limiter: L,
    pub(crate) sockets: [Socket; 2],
    pub(crate) now: Micros,
    pub(crate) cut: Cut,
}

impl<L: Limiter> Sim<L> {
    pub(crate) fn new(limits: Limits, limiter: L, cut: Cut) -> Self {
        let now = Micros::from_secs(1);
        let sockets = [(); 2].map(|()| Socket { room: usize::MAX, ..Socket::default() });
        Self { relay: Relay::new(now, Arc::new(limits)), limiter, sockets, now, cut }
    }

    pub(crate) fn socket(&mut self, side: Side) -> &mut Socket {
        &mut self.sockets[side as usize]
    }

    /// The peer shuts down its writing half.
    pub(crate) fn hang_up(&mut self, side: Side) {
        self.socket(side).peer_finished = true;
    }

    /// The peer resets its connection.
    pub(crate) fn break_off(&mut self, side: Side) {
        self.socket(side).peer_reset = true;
    }

    /// Reads once from `side` if the relay wants that; says whether anything happened.
    pub(crate) fn read(&mut self, side: Side) -> bool {
        if !self.relay.reads(side) {
            return false;
        }
        let delayed = std::mem::take(&mut self.socket(side).delayed);
        if !delayed.is_empty() {
            self.judge(side, delayed);
            return true;
        }
        let size = self.cut.size();
        let mut scratch = vec![0; 13];
        let carried = self.relay.carry(side, &mut scratch);
        scratch.truncate(carried);
        let socket = &mut self.sockets[side as usize];
        let size = size.min(socket.to_relay.len());
        if socket.peer_reset && !socket.told_end {
            socket.told_end = true;
            self.relay.reset(side, self.now);
        } else if size > 0 {
            scratch.extend(socket.to_relay.drain(..size));
            self.judge(side, scratch);
            return true;
        } else if socket.to_relay.is_empty() && socket.peer_finished && !socket.told_end {
            socket.told_end = true;
            self.relay.eof(side, self.now);
        } else {
            return false;
        }
        self.settle();
        true
    }

    fn judge(&mut self, side: Side, mut slice: Vec<u8>) {
        let before = slice.clone();
        let mut at = 0;
        while at < slice.len() {
            let verdict = self.relay.step(side, self.now, &mut slice[at..], &mut self.limiter);
            assert!(verdict.forward <= verdict.consumed && verdict.consumed <= slice.len() - at);
            assert_eq!(verdict.then == Then::Done, at + verdict.consumed == slice.len());
            assert_eq!(slice, before, "the slice is the same after a step");
            self.give(side.other(), &slice[at..at + verdict.forward]);
            at += verdict.consumed;
            self.settle();
            if verdict.then == Then::Wait {
                self.socket(side).delayed = slice[at..].to_vec();
                break;
            }
        }
        self.settle();
    }

    fn give(&mut self, side: Side, bytes: &[u8]) {
        let socket = self.socket(side);
        socket.given.extend_from_slice(bytes);
        socket.kept.extend_from_slice(bytes);
    }

    /// What follows every call of the relay.
    pub(crate) fn settle(&mut self) {
        for side in Side::BOTH {
            if let Some(frame) = self.relay.poll_control(side, || [7, 1, 9, 3]) {
                self.give(side, frame.as_bytes());
            }
            if side == Side::Client
                && let Some(notice) = self.relay.poll_notice(|| Some(NOTICE.to_owned()))
            {
                self.give(side, &notice);
            }
            let fate = self.relay.fate(side);
            let socket = self.socket(side);
            match fate {
                Fate::Open => {}
                Fate::Finish => {
                    assert!(socket.kept.is_empty(), "everything is written before the end");
                    socket.relay_finished = true;
                }
                Fate::Gone => {
                    socket.kept.clear();
                    socket.relay_finished = true;
                }
                Fate::Reset => {
                    socket.kept.clear();
                    socket.relay_reset = true;
                }
            }
        }
    }

    /// Writes once to `side`; says whether anything happened.
    pub(crate) fn write(&mut self, side: Side) -> bool {
        let size = self.cut.size();
        let socket = &mut self.sockets[side as usize];
        if socket.kept.is_empty() {
            return false;
        }
        if socket.peer_reset {
            if socket.told_end {
                return false;
            }
            socket.told_end = true;
            self.relay.reset(side, self.now);
        } else {
            let room = socket.room.saturating_sub(socket.to_peer.len());
            let size = size.min(room).min(socket.kept.len());
            if size == 0 {
                return false;
            }
            socket.to_peer.extend(socket.kept.drain(..size));
            self.relay.wrote(side, self.now, size);
        }
        self.settle();
        true
    }

    /// Moves bytes until nothing moves.
    pub(crate) fn pump(&mut self) {
        let mut idle_rounds = 0;
        // A random cut may be of no bytes: a few rounds without any movement are no sign of rest.
        while idle_rounds < 20 {
            let mut moved = false;
            for side in Side::BOTH {
                moved |= self.read(side);
                moved |= self.write(side);
            }
            idle_rounds = if moved { 0 } else { idle_rounds + 1 };
        }
    }

    /// Lets the relay's next deadline come, if it lies before `until`.
    pub(crate) fn sleep(&mut self, until: Micros) -> bool {
        match self.relay.next_deadline() {
            Some(deadline) if deadline <= until => {
                self.now = self.now.max(deadline);
                self.relay.handle_timeout(self.now);
                self.settle();
                self.pump();
                true
            }
            _ => false,
        }
    }
}

impl Driver for Sim<Budget> {
    fn send(&mut self, side: Side, bytes: &[u8]) {
        self.socket(side).to_relay.extend(bytes);
        self.pump();
    }

    fn finish(&mut self, side: Side) {
        self.socket(side).peer_finished = true;
        self.pump();
    }

    fn reset(&mut self, side: Side) {
        self.socket(side).peer_reset = true;
        self.pump();
    }

    fn receive(&mut self, side: Side, bytes: &mut [u8]) -> Result<(), StreamEnd> {
        // What is due without any time passing is here after this; a scenario names the pauses that it needs.
        self.pump();
        let socket = self.socket(side);
        if socket.to_peer.len() >= bytes.len() {
            bytes.fill_with(|| socket.to_peer.pop_front().unwrap());
            return Ok(());
        }
        if socket.relay_reset {
            return Err(StreamEnd::Reset);
        }
        if !socket.relay_finished {
            return Err(StreamEnd::TimedOut);
        }
        // What a real peer does next.
        socket.peer_finished = true;
        self.pump();
        Err(StreamEnd::Fin)
    }

    fn impose(&mut self, client: CloseReason, backend: CloseReason) {
        self.relay.close(self.now, client, backend);
        self.settle();
        self.pump();
    }

    fn pause(&mut self, span: Micros) {
        let until = self.now.plus(span);
        while self.sleep(until) {}
        self.now = until;
    }

    fn report(&mut self) -> Report {
        let began = self.now;
        for socket in &mut self.sockets {
            socket.peer_finished = true;
        }
        self.pump();
        while !self.relay.is_over() {
            assert!(self.sleep(began.plus(Micros::from_secs(6))), "the session ends within six seconds");
        }
        let counters = Side::BOTH.map(|side| self.relay.counters(side));
        Report { counters, ending: self.relay.ending().unwrap() }
    }
}
