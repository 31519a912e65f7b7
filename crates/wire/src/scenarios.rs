//! The relay's behaviour as data: what two peers do and what each of them must see, for any driver.
//!
//! A scenario is a script of acts in order; a [`Driver`] is one session with a peer at each end. The simulation in
//! this crate's tests and the real sockets of the gateway's run the same list, [`all`]. It does not know how bytes
//! are cut into reads: a driver may cut them in any way, unless the scenario says [`Scenario::whole_writes`].
//! The lists are in `scenarios/`: `protocol` (RFC 6455 and the cases of the Autobahn catalogue), `endings`, `presence`.

mod bytes;
mod endings;
mod presence;
mod protocol;
mod run;

pub use bytes::{BACKEND_KEY, CLIENT_KEY, close_frame, frame, header};
pub use run::run;

use crate::close::{CloseReason, code};
use crate::relay::{
    Admission, Cause, Counters, Ending, Initiator, Limiter, Limits, MessageStart, Side, because,
};
use crate::time::Micros;

/// One story of a session.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Says what holds, as a sentence.
    pub name: String,
    /// The session's bounds.
    pub limits: Limits,
    /// Data messages, of both directions together, that the limiter lets pass before it answers 4429.
    pub budget: Option<u64>,
    /// What happens, in this order.
    pub acts: Vec<Act>,
    /// What the session reports when both sockets are gone.
    pub report: Expected,
    /// The outcome depends on a frame being read at once: do not cut the writes.
    pub whole_writes: bool,
}

/// One thing that happens at an end of the session, or that must be seen there.
#[derive(Clone, Debug)]
pub enum Act {
    /// The peer writes bytes.
    Send(Side, Vec<u8>),
    /// The peer shuts down its writing half.
    Finish(Side),
    /// The peer resets the connection.
    Reset(Side),
    /// The gateway closes, with a reason for the client and one for the backend.
    Impose(Box<[CloseReason; 2]>),
    /// Nothing happens for so long.
    Pause(Micros),
    /// Exactly these bytes reach the peer next.
    Receive(Side, Vec<u8>),
    /// A Close frame with this code (zero: empty) reaches the peer next, masked as its role demands, and nothing
    /// after it. `None` for the reason: any.
    ReceiveClose(Side, u16, Option<&'static str>),
    /// A Ping of the gateway's own reaches the peer next, and the peer answers it.
    AnswerPing(Side),
    /// The byte stream to the peer ends in order, without further bytes.
    ReceiveEnd(Side),
    /// The connection is reset; bytes before that do not matter.
    ReceiveReset(Side),
    /// The byte stream ends somehow, after whatever bytes.
    Drain(Side),
}

/// What a scenario expects to be reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Messages that passed, from the client and from the backend.
    pub messages: [u64; 2],
    /// Their payload bytes.
    pub bytes: [u64; 2],
    /// The code of the end.
    pub code: u16,
    /// Who ended it; `None` where two did at once.
    pub initiator: Option<Initiator>,
    /// Whether a side was cut; `None` where that depends on how the bytes were read.
    pub cut: Option<bool>,
}

/// What a driver reports of a session that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// From the client and from the backend.
    pub counters: [Counters; 2],
    /// How it ended.
    pub ending: Ending,
}

/// How a byte stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// In order.
    Fin,
    /// By a reset.
    Reset,
    /// It did not within the driver's patience, nor did the bytes come.
    TimedOut,
}

/// One session between two peers that a scenario can play.
pub trait Driver {
    /// The peer writes bytes, all of them. A peer whose connection is gone loses them silently.
    fn send(&mut self, side: Side, bytes: &[u8]);
    /// The peer shuts down its writing half.
    fn finish(&mut self, side: Side);
    /// The peer resets its connection.
    fn reset(&mut self, side: Side);
    /// The peer reads exactly `bytes.len()` bytes, or learns how the stream ended before.
    fn receive(&mut self, side: Side, bytes: &mut [u8]) -> Result<(), StreamEnd>;
    /// The gateway ends the session.
    fn impose(&mut self, client: CloseReason, backend: CloseReason);
    /// Lets time pass.
    fn pause(&mut self, span: Micros);
    /// Closes what the peers still hold open and waits for the session's report.
    fn report(&mut self) -> Report;
}

/// The limiter of the scenarios: so many messages of both directions, then 4429.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Messages left; `None` for no limit.
    pub left: Option<u64>,
}

impl Limiter for Budget {
    fn admit(&mut self, _: Micros, _: MessageStart) -> Admission {
        match &mut self.left {
            None => Admission::Pass,
            Some(0) => Admission::Close(because(code::LIMIT, "quota")),
            Some(left) => {
                *left -= 1;
                Admission::Pass
            }
        }
    }
}

/// Every scenario there is.
#[must_use]
pub fn all() -> Vec<Scenario> {
    let mut all = protocol::all();
    all.extend(endings::all());
    all.extend(presence::all());
    all
}

impl Scenario {
    fn new(name: impl Into<String>, acts: Vec<Act>, code: u16, initiator: Initiator) -> Self {
        let report =
            Expected { messages: [0; 2], bytes: [0; 2], code, initiator: Some(initiator), cut: Some(false) };
        let (limits, budget, whole_writes) = (Limits::default(), None, false);
        Self { name: name.into(), limits, budget, acts, report, whole_writes }
    }

    fn counts(mut self, messages: [u64; 2], bytes: [u64; 2]) -> Self {
        (self.report.messages, self.report.bytes) = (messages, bytes);
        self
    }

    fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    fn budget(mut self, messages: u64) -> Self {
        self.budget = Some(messages);
        self
    }

    fn cut(mut self, cut: Option<bool>) -> Self {
        self.report.cut = cut;
        self
    }

    fn whole(mut self) -> Self {
        self.whole_writes = true;
        self
    }
}

impl Expected {
    /// What differs in `report`, in words.
    #[must_use]
    pub fn difference(&self, report: &Report) -> Option<String> {
        let messages = report.counters.map(|counters| counters.messages);
        let bytes = report.counters.map(|counters| counters.bytes);
        let Ending { code, initiator, cause, cut } = report.ending;
        let cut_seen = self.cut.map(|_| cut);
        let initiator_seen = self.initiator.map(|_| initiator);
        let seen = Self { messages, bytes, code, initiator: initiator_seen, cut: cut_seen };
        // A cause that contradicts its initiator would be a bug of its own.
        let is_ours = matches!(cause, Cause::Limit | Cause::Idle | Cause::Lifetime | Cause::Imposed);
        let is_consistent = is_ours == (initiator == Initiator::Gateway);
        (seen != *self || !is_consistent).then(|| format!("reported {report:?}, expected {self:?}"))
    }
}
