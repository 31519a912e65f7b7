//! What a session costs that only stays: the gateway's memory before, with sessions, and after each has spoken once.
//!
//! Before the first reading some sessions come, speak and go, so that what a gateway makes once is not charged to
//! sessions. It is the memory of the gateway's processes; what the kernel keeps for its sockets is not in it.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::{
    client::{Clients, Keys},
    frame::BINARY,
    load::float,
    subject::{Door, Subject},
};

/// Time for the gateway to come to rest.
const SETTLE: Duration = Duration::from_secs(1);
/// Time for all echoes to come back.
const TOUCH_WITHIN: Duration = Duration::from_mins(1);
/// Sessions that come and go first.
const WARM_SESSIONS: usize = 64;
/// Messages on their way at once.
const SPEAKING_MAX: usize = 128;
/// Bytes of the one message that each session exchanges.
const MESSAGE: [u8; 1_024] = [b'x'; 1_024];
/// Length of its echo: two bytes, a length of two, the payload.
const ECHO_BYTES: usize = 4 + MESSAGE.len();

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
pub(crate) fn run(subject: &Subject, door: Door, sessions: usize) -> Result<Idle> {
    let before_kib = warm(subject, door)?;
    let began = Instant::now();
    let mut clients = Clients::open(subject.target(door)?, sessions)?;
    let opened_in = began.elapsed();
    let more = || -> Result<f64> {
        thread::sleep(SETTLE);
        Ok(float(subject.memory_kib()?.saturating_sub(before_kib)) / float(sessions as u64))
    };
    let session_kib = more()?;
    speak(&mut clients)?;
    let spoken_kib = more()?;
    clients.abort();
    Ok(Idle { opened_in, before_kib, session_kib, spoken_kib })
}

/// Lets some sessions come, speak and go; answers what the gateway holds then, in KiB.
pub(crate) fn warm(subject: &Subject, door: Door) -> Result<u64> {
    let mut clients = Clients::open(subject.target(door)?, WARM_SESSIONS)?;
    speak(&mut clients)?;
    clients.abort();
    thread::sleep(SETTLE);
    subject.memory_kib()
}

/// Lets each exchange one message.
fn speak(clients: &mut Clients) -> Result<()> {
    let message = Keys::default().framed(BINARY, &MESSAGE);
    let mut heard = vec![0; clients.len()];
    let (mut sent, mut done, deadline) = (0, 0, Instant::now() + TOUCH_WITHIN);
    while done < clients.len() {
        ensure!(Instant::now() < deadline, "only {done} of {} messages came back", clients.len());
        while sent < clients.len() && sent - done < SPEAKING_MAX {
            clients.stream(sent).send(&message)?;
            sent += 1;
        }
        clients.turn(Some(Duration::from_millis(100)), |place, bytes, _| {
            heard[place] += bytes.len();
            ensure!(heard[place] <= ECHO_BYTES, "more came back than was sent");
            done += usize::from(heard[place] == ECHO_BYTES);
            Ok(())
        })?;
    }
    Ok(())
}
