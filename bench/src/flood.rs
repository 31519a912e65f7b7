//! One-way streams of binary messages: the backend sends them as fast as they are taken, or the clients do.
//!
//! Messages are counted by their bytes on the client's side; their content is not looked at, which would cost this side
//! more than the gateway.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::{
    client::{Clients, Keys},
    echo,
    frame::{BINARY, Header, TEXT},
    load::float,
    process::Cpu,
    subject::{Door, Subject},
};

/// Time that is not measured at the beginning.
const WARM: Duration = Duration::from_millis(300);
/// Written at once on one session, so that all get their turn.
const TURN_BYTES: usize = 64 << 10;
/// Streams side by side.
const SESSIONS: usize = 8;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the clients.
    Up,
    /// From the backend.
    Down,
}

/// What was found.
pub(crate) struct Flooded {
    pub(crate) messages: f64,
    pub(crate) took: Duration,
    pub(crate) cpu: Cpu,
}

/// Lets messages of this size flow.
pub(crate) fn run(
    subject: &Subject,
    direction: Direction,
    bytes: usize,
    measure: Duration,
) -> Result<Flooded> {
    let mut clients = Clients::open(subject.target(Door::Plain)?, SESSIONS)?;
    let mut keys = Keys::default();
    let key = (direction == Direction::Up).then(|| keys.next());
    let wish = if key.is_some() { echo::SINK.to_owned() } else { format!("{}{bytes}", echo::STREAM) };
    for place in 0..clients.len() {
        clients.stream(place).send(&keys.framed(TEXT, wish.as_bytes()))?;
    }
    let mut header = Vec::new();
    Header::whole(BINARY, key, bytes).append(&mut header);
    let mut flow = Flow {
        block: key.map(|key| echo::block(Some(key), bytes)).unwrap_or_default(),
        sent: [0; SESSIONS],
        bytes: 0,
    };
    flow.until(&mut clients, Instant::now() + WARM)?;
    let (cpu, began, before) = (subject.cpu()?, Instant::now(), flow.bytes);
    flow.until(&mut clients, began + measure)?;
    let (took, cpu) = (began.elapsed(), subject.cpu()?.since(&cpu));
    clients.abort();
    Ok(Flooded { messages: float(flow.bytes - before) / float((header.len() + bytes) as u64), took, cpu })
}

struct Flow {
    /// What clients send, over and over; empty where they only listen.
    block: Vec<u8>,
    sent: [usize; SESSIONS],
    bytes: u64,
}

impl Flow {
    fn until(&mut self, clients: &mut Clients, end: Instant) -> Result<()> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let can_send = self.send(clients).context("a stream ended")?;
            let patience = if can_send { Duration::ZERO } else { left };
            let heard = &mut self.bytes;
            clients.turn(Some(patience), |_, bytes, _| {
                *heard += bytes.len() as u64;
                Ok(())
            })?;
        }
    }

    /// One piece on every stream that takes one; answers whether any would take more.
    fn send(&mut self, clients: &mut Clients) -> Result<bool> {
        let mut can_send = false;
        for (place, sent) in self.sent.iter_mut().enumerate() {
            let stream = clients.stream(place);
            if self.block.is_empty() || stream.has_unsent() {
                continue;
            }
            let end = self.block.len().min(*sent + TURN_BYTES);
            stream.send(&self.block[*sent..end])?;
            self.bytes += (end - *sent) as u64;
            *sent = end % self.block.len();
            can_send |= !stream.has_unsent();
        }
        Ok(can_send)
    }
}
