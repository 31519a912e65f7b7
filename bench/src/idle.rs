//! What a session costs that only stays: the gateway's memory before, with sessions, and after each has spoken once.
//!
//! It is the memory of the gateway's process. What the kernel keeps for its sockets is not in it.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::{client::Clients, subject::Subject};

/// Time for the gateway to come to rest.
const SETTLE: Duration = Duration::from_secs(2);
/// Time for all echoes to come back.
const TOUCH_WITHIN: Duration = Duration::from_mins(1);
/// Bytes of the one message that each session exchanges.
const MESSAGE: [u8; 1_024] = [b'x'; 1_024];

/// What was found, in KiB.
pub(crate) struct Idle {
    pub(crate) opened_in: Duration,
    /// The gateway's memory before.
    pub(crate) before_kib: u64,
    /// More for each session.
    pub(crate) session_kib: f64,
    /// The same after each exchanged a message.
    pub(crate) spoken_kib: f64,
}

/// Opens sessions and reads the gateway's memory.
pub(crate) fn run(subject: &Subject, sessions: u32) -> Result<Idle> {
    let before_kib = subject.memory_kib()?;
    let began = Instant::now();
    let mut clients = Clients::open(&subject.target, sessions)?;
    let opened_in = began.elapsed();
    let more = |subject: &Subject| -> Result<f64> {
        thread::sleep(SETTLE);
        let more = subject.memory_kib()?.saturating_sub(before_kib);
        Ok(f64::from(u32::try_from(more)?) / f64::from(sessions))
    };
    let session_kib = more(subject)?;
    let (mut heard, deadline) = (0, Instant::now() + TOUCH_WITHIN);
    for place in 0..clients.len() {
        clients.send(place, &MESSAGE)?;
    }
    while heard < clients.len() {
        ensure!(Instant::now() < deadline, "only {heard} of {sessions} messages came back");
        clients.turn(Duration::from_millis(100), |_, payload, _| {
            ensure!(payload == MESSAGE, "an echo is not what was sent");
            heard += 1;
            Ok(())
        })?;
    }
    let spoken_kib = more(subject)?;
    clients.abort();
    Ok(Idle { opened_in, before_kib, session_kib, spoken_kib })
}
