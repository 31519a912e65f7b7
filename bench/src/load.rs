//! Round trips. A closed loop keeps so many messages in flight on every session and sends the next when one has come
//! back; an open loop sends at a fixed rate whatever comes back, and counts a time from the moment a message was due, so
//! that a gateway that falls behind shows it.
//!
//! Every echo is compared with what was sent. Times are taken at the client.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};

use crate::{
    alarm::Alarm,
    calls::{Calls, Counting},
    client::{Clients, Keys},
    frame::{self, BINARY, CLOSE, Header, HeaderReader, PING, PONG, TEXT},
    histogram::Histogram,
    process::Cpu,
    stream::Stream,
    subject::{Door, Subject},
};

/// Time that is not measured at the beginning, for caches and connections to warm up.
const WARM: Duration = Duration::from_millis(300);
/// Digits at the front of a message that make it unlike any other of its session.
const DIGITS: usize = 16;
/// Time for the last echoes of an open loop, whose times belong to the result.
const LATE: Duration = Duration::from_secs(1);
/// Characters of one to four bytes, for text that a check cannot pass by eights.
const WORDS: &str = "Wasser, été, вода, 水, 💧; ";

/// What messages are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Binary,
    /// Text of one-byte characters.
    Text,
    /// Text of characters of one to four bytes.
    Words,
}

/// What to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) door: Door,
    pub(crate) sessions: usize,
    pub(crate) content: Content,
    /// Bytes of a message.
    pub(crate) bytes: usize,
    pub(crate) pace: Pace,
    pub(crate) measure: Duration,
    /// Count system calls.
    pub(crate) calls: bool,
}

/// When a message is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// So many in flight on each session.
    Depth(usize),
    /// So many a second over all sessions, at random times (Poisson).
    Rate(u32),
}

/// What came of it.
pub(crate) struct Measured {
    /// Round trips.
    pub(crate) echoes: u64,
    pub(crate) took: Duration,
    /// Of the gateway's processes.
    pub(crate) cpu: Cpu,
    /// Of the threads that carry sessions, if they were to be counted.
    pub(crate) calls: Option<Calls>,
    /// Round-trip times.
    pub(crate) times: Histogram,
}

/// All sessions and what is counted of them.
struct Talks {
    message: Message,
    all: Vec<Talk>,
    keys: Keys,
    out: Vec<u8>,
    /// Whether the warm-up is over.
    counts: bool,
    echoes: u64,
    times: Histogram,
}

/// One session's place in its sequence.
#[derive(Default)]
struct Talk {
    sent: u64,
    heard: u64,
    /// When the messages in flight were due.
    due: VecDeque<Instant>,
    reader: HeaderReader,
    /// The frame under way and how much of it is still to come.
    frame: Option<(Header, usize)>,
    /// How much of the message under way has come.
    offset: usize,
}

/// What every message looks like: its number in digits, then the same.
struct Message {
    opcode: u8,
    rest: Vec<u8>,
}

impl Load {
    /// Opens the sessions, measures, and closes them.
    pub(crate) fn run(&self, subject: &Subject) -> Result<Measured> {
        ensure!(self.bytes >= DIGITS, "a message has at least {DIGITS} bytes, to be told from the others");
        let mut clients = Clients::open(subject.target(self.door)?, self.sessions)?;
        let mut talks = Talks::new(self.content, self.bytes, self.sessions);
        let mut schedule = match self.pace {
            Pace::Rate(rate) => Some(Schedule::new(rate, &clients)?),
            Pace::Depth(depth) => {
                for place in 0..clients.len() {
                    talks.send(place, depth, Instant::now(), clients.stream(place))?;
                }
                None
            }
        };
        let mut until = |end, clients: &mut Clients, talks: &mut Talks| match &mut schedule {
            Some(schedule) => schedule.run(clients, talks, end),
            None => closed(clients, talks, end),
        };
        until(Instant::now() + WARM, &mut clients, &mut talks)?;
        let calls = self.calls.then(|| Counting::begin(&subject.relay_threads()?)).transpose()?;
        let (cpu, began) = (subject.cpu()?, talks.begin());
        until(began + self.measure, &mut clients, &mut talks)?;
        let (took, cpu, echoes) = (began.elapsed(), subject.cpu()?.since(&cpu), talks.echoes);
        let calls = calls.map(Counting::end).transpose()?;
        if matches!(self.pace, Pace::Rate(_)) {
            talks.wait_for_the_late(&mut clients)?;
        }
        clients.abort();
        ensure!(echoes > 0, "no message came back");
        Ok(Measured { echoes, took, cpu, calls, times: talks.times })
    }
}

fn closed(clients: &mut Clients, talks: &mut Talks, end: Instant) -> Result<()> {
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        clients.turn(Some(left), |place, bytes, stream| {
            let heard = talks.hear(place, bytes, stream)?;
            talks.send(place, heard, Instant::now(), stream)
        })?;
    }
}

/// When the next message of an open loop is due, and whose turn it is.
struct Schedule {
    alarm: Alarm,
    gap_seconds: f64,
    chance: Keys,
    next: Instant,
    turn: usize,
}

impl Schedule {
    fn new(rate: u32, clients: &Clients) -> Result<Self> {
        ensure!(rate > 0, "a rate is at least one message a second");
        Ok(Self {
            alarm: Alarm::new(clients.registry())?,
            gap_seconds: f64::from(rate).recip(),
            chance: Keys::default(),
            next: Instant::now(),
            turn: 0,
        })
    }

    fn run(&mut self, clients: &mut Clients, talks: &mut Talks, end: Instant) -> Result<()> {
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            while self.next <= now {
                let place = self.turn % clients.len();
                talks.send(place, 1, self.next, clients.stream(place))?;
                self.turn += 1;
                let gap = -(1.0 - self.chance.fraction()).ln() * self.gap_seconds;
                self.next += Duration::from_secs_f64(gap);
            }
            self.alarm.set(self.next.min(end).saturating_duration_since(Instant::now()))?;
            clients.turn(None, |place, bytes, stream| talks.hear(place, bytes, stream).map(|_| ()))?;
        }
    }
}

impl Talks {
    fn new(content: Content, bytes: usize, sessions: usize) -> Self {
        let mut all = Vec::new();
        all.resize_with(sessions, Talk::default);
        let (message, keys, out) = (Message::new(content, bytes), Keys::default(), Vec::new());
        Self { message, all, keys, out, counts: false, echoes: 0, times: Histogram::default() }
    }

    /// From now on echoes count.
    fn begin(&mut self) -> Instant {
        self.counts = true;
        Instant::now()
    }

    /// Sends so many messages in one piece, due at this moment.
    fn send(&mut self, place: usize, count: usize, due: Instant, stream: &mut Stream) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        let talk = &mut self.all[place];
        self.out.clear();
        for _ in 0..count {
            self.message.append(&mut self.out, self.keys.next(), talk.sent);
            talk.sent += 1;
            talk.due.push_back(due);
        }
        Ok(stream.send(&self.out)?)
    }

    /// Takes what arrived; answers how many messages ended in it.
    fn hear(&mut self, place: usize, mut bytes: &[u8], stream: &mut Stream) -> Result<usize> {
        let talk = &mut self.all[place];
        let now = Instant::now();
        let mut heard = 0;
        loop {
            let Some((header, left)) = talk.frame else {
                let Some(header) = talk.reader.take(&mut bytes) else { return Ok(heard) };
                match header.opcode() {
                    CLOSE => bail!("closed by the gateway: {}", String::from_utf8_lossy(bytes)),
                    PING => stream.send(&self.keys.framed(PONG, &[]))?,
                    _ => {}
                }
                talk.frame = Some((header, header.payload_bytes));
                continue;
            };
            let (piece, rest) = bytes.split_at(bytes.len().min(left));
            if !header.is_control() {
                let is_right = self.message.has(talk.heard, talk.offset, piece);
                ensure!(is_right, "echo {} is not what was sent", talk.heard);
                talk.offset += piece.len();
            }
            bytes = rest;
            talk.frame = (piece.len() < left).then_some((header, left - piece.len()));
            if talk.frame.is_some() {
                return Ok(heard);
            }
            if header.is_last_of_message() {
                ensure!(talk.offset == self.message.bytes(), "echo {} has another length", talk.heard);
                (talk.heard, talk.offset, heard) = (talk.heard + 1, 0, heard + 1);
                let due = talk.due.pop_front().unwrap_or(now);
                if self.counts {
                    self.echoes += 1;
                    self.times.add(now.saturating_duration_since(due));
                }
            }
        }
    }

    fn wait_for_the_late(&mut self, clients: &mut Clients) -> Result<()> {
        let deadline = Instant::now() + LATE;
        while self.all.iter().any(|talk| !talk.due.is_empty()) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            clients.turn(Some(left), |place, bytes, stream| self.hear(place, bytes, stream).map(|_| ()))?;
        }
        // What never came took at least so long.
        for due in self.all.iter().flat_map(|talk| &talk.due) {
            self.times.add(due.elapsed());
        }
        Ok(())
    }
}

impl Message {
    fn new(content: Content, bytes: usize) -> Self {
        let opcode = if content == Content::Binary { BINARY } else { TEXT };
        let mut rest = Vec::with_capacity(bytes);
        if content == Content::Words {
            let words = WORDS.as_bytes();
            while rest.len() + words.len() <= bytes - DIGITS {
                rest.extend_from_slice(words);
            }
        }
        rest.resize(bytes - DIGITS, b'x');
        Self { opcode, rest }
    }

    fn bytes(&self) -> usize {
        DIGITS + self.rest.len()
    }

    fn append(&self, out: &mut Vec<u8>, key: frame::Key, number: u64) {
        Header::whole(self.opcode, Some(key), self.bytes()).append(out);
        let start = out.len();
        out.extend_from_slice(&digits(number));
        out.extend_from_slice(&self.rest);
        frame::mask(&mut out[start..], key, 0);
    }

    /// Whether a message of this number has this piece at this offset.
    fn has(&self, number: u64, offset: usize, piece: &[u8]) -> bool {
        let digits = digits(number);
        let front = digits.get(offset..).unwrap_or_default();
        let (one, other) = piece.split_at(piece.len().min(front.len()));
        let from = offset.saturating_sub(DIGITS);
        front.starts_with(one) && self.rest.get(from..from + other.len()) == Some(other)
    }
}

fn digits(mut number: u64) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
    digits
}

impl Measured {
    /// Round trips in a second.
    pub(crate) fn per_second(&self) -> f64 {
        float(self.echoes) / self.took.as_secs_f64()
    }

    /// Microseconds of this CPU time for a round trip.
    pub(crate) fn micros_each(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / float(self.echoes)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_knows_its_pieces_and_no_others() {
        for content in [Content::Binary, Content::Words] {
            let message = Message::new(content, 200);
            let mut sent = Vec::new();
            message.append(&mut sent, [0; 4], 47);
            let payload = &sent[sent.len() - 200..];
            assert!(std::str::from_utf8(payload).is_ok());
            for (start, end) in [(0, 200), (3, 9), (15, 17), (16, 200), (199, 200), (7, 7)] {
                assert!(message.has(47, start, &payload[start..end]), "{start}..{end}");
            }
            assert!(!message.has(48, 0, payload));
            assert!(!message.has(47, 1, payload));
        }
    }
}
