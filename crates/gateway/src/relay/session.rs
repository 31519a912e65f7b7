//! One session on its worker: two legs, the relay's verdict, and the record of what passed.
//!
//! It drives `tidegate_wire::relay` by its contract and knows neither the event loop nor other sessions. On the
//! plain path nothing is allocated, locked or copied: bytes go from the worker's scratch to the other socket.
//! Read next: `worker.rs`.

use std::io;

use mio::{Registry, Token, event::Event};
use tidegate_model::{
    admit::Grant,
    fact::{CountKey, Counts, EndedBy, SessionClosed},
    id::SessionId,
    port::Entropy,
    time::Timestamp,
};
use tidegate_wire::{
    Micros, Relay, Side,
    relay::{Cause, Ending, Fate, Initiator, Then},
};

use super::{Farewell, Handover, Held, Leg, Meter, bounds::Bounds, coder::Lent, leg::NotRead};
use crate::{
    dial::InUse,
    refusal::{closing_code, closing_word},
};

/// Bytes that one session may move before the others of its worker have their turn: two scratches, so that a
/// large message keeps its pace and thousands of small ones wait a fraction of a millisecond.
const FAIR_BYTES: usize = 256 * 1024;

/// Deadlines that may pass between the first sign of an end and the last: owed answers, the Close of each side, the last
/// bytes of each side.
const DEADLINES_MAX: usize = 8;

/// What a turn of the loop lends to a session.
pub(super) struct Turn<'w> {
    pub(super) now: Micros,
    pub(super) wall: Timestamp,
    pub(super) scratch: &'w mut [u8],
    pub(super) lent: &'w mut Lent,
    pub(super) entropy: &'w dyn Entropy,
}

/// How a session stands after its part of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pumped {
    /// Nothing to do until something happens.
    Rest,
    /// Cut for fairness; no edge will announce what is left.
    Again,
    /// Both sockets are gone.
    Over,
}

/// See the module.
#[expect(clippy::struct_excessive_bools, reason = "independent marks; the relay has the state")]
pub(super) struct Session {
    relay: Relay,
    legs: [Leg; 2],
    pub(super) meter: Meter,
    pub(super) record: Box<Record>,
    /// The earliest timer that stands for it; later than everything when none does.
    pub(super) armed: Micros,
    /// It is on the ready list.
    pub(super) is_queued: bool,
    /// It has counts that were not reported.
    pub(super) is_dirty: bool,
    has_panicked: bool,
    /// Its bounds let compressed messages pass.
    passes_compressed: bool,
}

/// What is told of a session.
pub(super) struct Record {
    pub(super) id: SessionId,
    pub(super) grant: Grant,
    opened_at: Timestamp,
    reported: Counts,
    /// Both are given back when the session is over.
    _in_use: Option<InUse>,
    _held: Option<Held>,
    /// The gateway's reason for the end, where it has one.
    imposed: &'static str,
    #[cfg(test)]
    stage: Option<super::tests::Stage>,
}

impl Session {
    pub(super) fn new(handover: Handover, relay: Relay) -> Self {
        let record = Record {
            id: handover.id,
            grant: handover.grant,
            opened_at: handover.opened_at,
            reported: Counts::default(),
            _in_use: handover.in_use,
            _held: handover.held,
            imposed: "",
            #[cfg(test)]
            stage: handover.stage,
        };
        Self {
            relay,
            legs: handover.legs,
            meter: handover.meter,
            record: Box::new(record),
            armed: Micros::MAX,
            is_queued: false,
            is_dirty: true,
            has_panicked: false,
            passes_compressed: handover.passes_compressed,
        }
    }

    pub(super) fn register(&mut self, registry: &Registry, tokens: [Token; 2]) -> io::Result<()> {
        for (leg, token) in self.legs.iter_mut().zip(tokens) {
            leg.register(registry, token)?;
        }
        Ok(())
    }

    /// What decides its bounds.
    pub(super) fn bounds(&self) -> Bounds {
        Bounds::of(&self.record.grant, self.passes_compressed)
    }

    pub(super) fn relay(&self) -> &Relay {
        &self.relay
    }

    pub(super) fn notice(&mut self, side: Side, event: &Event) {
        self.legs[side as usize].notice(event);
    }

    /// Moves what can be moved, within the bound on fairness.
    pub(super) fn pump(&mut self, turn: &mut Turn<'_>) -> Pumped {
        self.meter.at(turn.wall, turn.now);
        let mut left = FAIR_BYTES;
        loop {
            let mut moved = 0;
            for side in Side::BOTH {
                moved += self.flush(side, turn);
                moved += self.read(side, turn);
            }
            if self.relay.is_over() {
                return Pumped::Over;
            }
            if moved == 0 {
                return Pumped::Rest;
            }
            self.is_dirty = true;
            left = left.saturating_sub(moved);
            if left == 0 {
                return Pumped::Again;
            }
        }
    }

    /// A timer fired.
    pub(super) fn handle_timeout(&mut self, turn: &mut Turn<'_>) {
        self.relay.handle_timeout(turn.now);
        self.settle(turn);
    }

    /// The gateway ends it.
    pub(super) fn close(&mut self, farewell: &Farewell, turn: &mut Turn<'_>) {
        if !self.relay.is_ending() {
            self.record.imposed = farewell.word;
        }
        self.relay.close(turn.now, farewell.client, farewell.backend);
        self.settle(turn);
    }

    /// What is left after a panic inside it: a goodbye the first time, two closed sockets the second.
    pub(super) fn rescue(&mut self, farewell: &Farewell, turn: &mut Turn<'_>) -> Pumped {
        if self.has_panicked || self.relay.is_ending() {
            self.abandon();
            return Pumped::Over;
        }
        self.has_panicked = true;
        self.close(farewell, turn);
        if self.relay.is_over() { Pumped::Over } else { Pumped::Again }
    }

    /// Ends it without waiting for anybody: each side is told if a Close can be said to it now, and its time to answer
    /// is over at once.
    pub(super) fn close_at_once(&mut self, farewell: &Farewell, turn: &mut Turn<'_>) {
        self.close(farewell, turn);
        for _ in 0..DEADLINES_MAX {
            let Some(deadline) = self.relay.next_deadline().filter(|_| !self.relay.is_over()) else { break };
            turn.now = deadline;
            self.handle_timeout(turn);
        }
        if !self.relay.is_over() {
            self.abandon();
        }
    }

    /// Closes both sockets at once.
    pub(super) fn abandon(&mut self) {
        self.legs.iter_mut().for_each(Leg::reset);
    }

    /// The bounds for frames to come.
    pub(super) fn set_limits(&mut self, limits: std::sync::Arc<tidegate_wire::Limits>) {
        self.relay.set_limits(limits);
    }

    /// Counts under the policies of now, and judges by them what was held back until now.
    pub(super) fn count_by(&mut self, mut meter: Meter) {
        meter.go_on_from(&self.meter);
        self.meter = meter;
        self.relay.ask_again();
    }

    fn read(&mut self, side: Side, turn: &mut Turn<'_>) -> usize {
        let leg = &mut self.legs[side as usize];
        if !self.relay.reads(side) || !leg.may_read() {
            return 0;
        }
        let begun = self.relay.carry(side, turn.scratch);
        match leg.read(&mut turn.scratch[begun..], turn.lent) {
            Ok(0) => {
                self.relay.eof(side, turn.now);
                self.settle(turn);
                1
            }
            Ok(bytes) => {
                self.judge(side, begun + bytes, turn);
                bytes
            }
            Err(NotRead::NotNow) => 0,
            Err(NotRead::Lost) => {
                self.relay.reset(side, turn.now);
                self.settle(turn);
                1
            }
            Err(NotRead::Violated(violation)) => {
                self.relay.violated(side, turn.now, violation);
                self.settle(turn);
                1
            }
        }
    }

    /// Judges the first `len` bytes of the scratch and forwards what passes.
    fn judge(&mut self, side: Side, len: usize, turn: &mut Turn<'_>) {
        let mut at = 0;
        while at < len {
            let verdict = self.relay.step(side, turn.now, &mut turn.scratch[at..len], &mut self.meter);
            if verdict.forward > 0 {
                let bytes = &turn.scratch[at..at + verdict.forward];
                let result = self.legs[side.other() as usize].write(bytes, turn.lent);
                self.wrote(side.other(), &result, turn.now);
            }
            at += verdict.consumed;
            self.settle(turn);
            if verdict.then == Then::Wait {
                self.legs[side as usize].put_back(&turn.scratch[at..len]);
                return;
            }
        }
    }

    fn flush(&mut self, side: Side, turn: &mut Turn<'_>) -> usize {
        let leg = &mut self.legs[side as usize];
        if !leg.may_flush() {
            return 0;
        }
        let result = leg.flush();
        let moved = result.as_ref().map_or(1, |taken| *taken);
        self.wrote(side, &result, turn.now);
        self.settle(turn);
        moved
    }

    fn wrote(&mut self, side: Side, result: &io::Result<usize>, now: Micros) {
        match result {
            Ok(0) => {}
            Ok(taken) => self.relay.wrote(side, now, *taken),
            Err(_) => self.relay.reset(side, now),
        }
    }

    /// What follows every call of the relay: frames of our own, and the fate of the sockets.
    #[inline]
    fn settle(&mut self, turn: &mut Turn<'_>) {
        if self.relay.is_ending() || self.relay.wants_to_ask() {
            self.settle_ending(turn);
        }
        if self.relay.may_notify() {
            self.notify(turn);
        }
    }

    /// Tells the client of messages that were dropped.
    #[cold]
    fn notify(&mut self, turn: &mut Turn<'_>) {
        if let Some(frame) = self.relay.poll_notice(|| self.meter.notice()) {
            let result = self.legs[Side::Client as usize].write(&frame, turn.lent);
            self.wrote(Side::Client, &result, turn.now);
        }
    }

    #[cold]
    fn settle_ending(&mut self, turn: &mut Turn<'_>) {
        let key = || {
            let mut key = [0; 4];
            turn.entropy.fill(&mut key);
            key
        };
        let mut said = true;
        // Saying something to one side may let the other side's goodbye out.
        while std::mem::take(&mut said) {
            for side in Side::BOTH {
                if let Some(frame) = self.relay.poll_control(side, key) {
                    let result = self.legs[side as usize].write(frame.as_bytes(), turn.lent);
                    self.wrote(side, &result, turn.now);
                    said = true;
                }
            }
        }
        for side in Side::BOTH {
            let leg = &mut self.legs[side as usize];
            match self.relay.fate(side) {
                Fate::Open => {}
                Fate::Finish => leg.finish(),
                Fate::Gone => leg.close(),
                Fate::Reset => leg.reset(),
            }
        }
    }

    /// Counts since the last call, under the key of this minute.
    pub(super) fn unreported(&mut self, minute: Timestamp) -> Option<(CountKey, Counts)> {
        self.is_dirty = false;
        let now = self.counts();
        let before = std::mem::replace(&mut self.record.reported, now);
        let delta = now.since(&before);
        let grant = &self.record.grant;
        let key = || CountKey {
            minute,
            api: grant.api_id(),
            application: Some(grant.application_id()),
            plan: grant.plan_name().to_owned(),
        };
        (!delta.is_empty()).then(|| (key(), delta))
    }

    fn counts(&self) -> Counts {
        let client = self.relay.counters(Side::Client);
        let backend = self.relay.counters(Side::Backend);
        let beyond = self.meter.beyond();
        let is_limited = self.relay.ending().is_some_and(|ending| ending.cause == Cause::Limit);
        Counts {
            sessions: 1,
            messages_from_clients: client.messages,
            messages_from_backends: backend.messages,
            bytes_from_clients: client.bytes,
            bytes_from_backends: backend.bytes,
            refusals: u64::from(is_limited) + u64::from(beyond.misdirected),
            dropped: beyond.dropped.into(),
            delayed: beyond.delayed.into(),
            beyond: beyond.passed.into(),
            notices: beyond.notices.into(),
        }
    }

    /// The record of a session that is over.
    pub(super) fn closed(&self, wall: Timestamp) -> SessionClosed {
        let record = &self.record;
        let imposed = Ending {
            code: tidegate_wire::close::code::ABNORMAL,
            initiator: Initiator::Gateway,
            cause: Cause::Imposed,
            cut: true,
        };
        let ending = self.relay.ending().unwrap_or(imposed);
        let is_over = self.relay.is_over();
        #[cfg(test)]
        if let Some(stage) = &record.stage {
            stage.report(Side::BOTH.map(|side| self.relay.counters(side)), ending);
        }
        SessionClosed {
            id: record.id,
            api: record.grant.api_id(),
            application: record.grant.application_id(),
            plan: record.grant.plan_name().to_owned(),
            opened_at: record.opened_at,
            closed_at: wall,
            counts: self.counts(),
            code: closing_code(&ending),
            reason: closing_word(&ending, record.imposed).to_owned(),
            by: match ending.initiator {
                Initiator::Client => EndedBy::Client,
                Initiator::Backend => EndedBy::Backend,
                Initiator::Gateway => EndedBy::Gateway,
            },
            cut: ending.cut || !is_over,
        }
    }
}
