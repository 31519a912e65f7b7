//! What a client costs that asks for everything and reads nothing: the gateway's own memory and the kernel's for the
//! gateway's sockets, once nothing moves any more.
//!
//! The kernel's part is its own count for each socket (`ss --memory`): bytes received and not read, bytes written and
//! not acknowledged, and what was set aside for both. The sockets of client and backend are not the gateway's.

use std::{
    net::SocketAddr,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    client::{Clients, Keys},
    echo,
    frame::TEXT,
    idle,
    load::float,
    subject::{Door, Subject},
};

/// What the backend sends without end.
const MESSAGE_BYTES: usize = 16 << 10;
/// Time between two looks at what is held.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Time for everything to come to rest.
const REST_WITHIN: Duration = Duration::from_secs(30);
/// The parts of a socket's memory that count, as `ss` names them.
const PARTS: [&str; 3] = ["r", "w", "f"];

/// What each session holds, in KiB.
pub(crate) struct Stuck {
    /// The gateway's processes.
    pub(crate) own_kib: f64,
    /// The kernel, for the gateway's two sockets.
    pub(crate) kernel_kib: f64,
}

/// Opens sessions that never read, to a gateway in front of this echo backend.
pub(crate) fn run(subject: &Subject, backend: SocketAddr, sessions: usize) -> Result<Stuck> {
    let before_kib = idle::warm(subject, Door::Plain)?;
    let target = subject.target(Door::Plain)?;
    let mut clients = Clients::open(target, sessions)?;
    let wish = Keys::default().framed(TEXT, format!("{}{MESSAGE_BYTES}", echo::STREAM).as_bytes());
    for place in 0..clients.len() {
        clients.stream(place).send(&wish)?;
    }
    let deadline = Instant::now() + REST_WITHIN;
    let mut last = 0;
    loop {
        thread::sleep(LOOK_EVERY);
        let kernel_bytes = kernel_bytes(target.address().port(), backend.port())?;
        if last > 0 && kernel_bytes.abs_diff(last) * 200 <= last {
            let own_kib = float(subject.memory_kib()?.saturating_sub(before_kib));
            clients.abort();
            let each = float(sessions as u64);
            return Ok(Stuck { own_kib: own_kib / each, kernel_kib: float(kernel_bytes) / 1_024.0 / each });
        }
        ensure!(Instant::now() < deadline, "the sockets did not come to rest within {REST_WITHIN:?}");
        last = kernel_bytes;
    }
}

/// What the kernel holds for the sockets of a gateway that listens here and dials there.
fn kernel_bytes(listens: u16, dials: u16) -> Result<u64> {
    let filter = format!("( sport = :{listens} or dport = :{dials} )");
    let output =
        Command::new("ss").args(["-t", "-n", "-m", "-H", "-O", "state", "established", &filter]).output();
    let output = output.context("cannot run ss (Debian: iproute2)")?;
    ensure!(output.status.success(), "ss: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(of_socket).sum())
}

/// The memory of one socket, from its line.
fn of_socket(line: &str) -> u64 {
    let parts = line.split("skmem:(").nth(1).and_then(|parts| parts.split(')').next()).unwrap_or_default();
    let part = |part: &str| {
        let digits = part.find(|letter: char| letter.is_ascii_digit())?;
        let (name, bytes) = part.split_at(digits);
        PARTS.contains(&name).then(|| bytes.parse::<u64>().ok()).flatten()
    };
    parts.split(',').filter_map(part).sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_queued_and_set_aside_counts_and_bounds_do_not() {
        let line = "0 0 127.0.0.1:9099 127.0.0.2:4711 skmem:(r100,rb131072,t0,tb2626560,f2048,w30,o0,bl0,d0)";
        assert_eq!(super::of_socket(line), 2_178);
    }
}
