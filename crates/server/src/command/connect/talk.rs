//! The conversation: lines from stdin out, messages in to stdout, until one side ends it.
//!
//! Lines are read on a thread of their own, since a blocked read of a terminal cannot be taken back; the thread
//! ends with the process.

use std::{
    io::{BufRead as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use anyhow::Result;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::{
    Error, Message,
    error::ProtocolError,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use super::dial::Socket;

/// Lines read ahead of what is sent; the reader waits beyond it.
const LINES_WAITING: usize = 64;
/// After the last line, answers may still be on their way: this long since the last sign of life.
const OWED_WAIT: Duration = Duration::from_secs(2);
/// Where as many messages came back as were sent nothing may be owed; a moment for what comes unasked.
const SETTLED_WAIT: Duration = Duration::from_millis(200);
/// Time for the other side to answer our Close.
const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// Bytes of a binary message that are shown.
const BINARY_SHOWN: usize = 32;

/// Talks until the end, and answers success when it was a normal one.
pub(super) async fn talk(socket: Box<Socket>) -> Result<ExitCode> {
    let (mut out, mut incoming) = socket.split();
    let mut lines = read_lines();
    let (mut sent, mut received) = (0_u64, 0_u64);
    // Set at the end of the input.
    let mut leave_at: Option<Instant> = None;
    loop {
        tokio::select! {
            line = lines.recv(), if leave_at.is_none() => match line {
                Some(line) => {
                    sent += 1;
                    // A connection that ended shows why on the reading side.
                    let _ = out.send(Message::text(line)).await;
                }
                None => leave_at = Some(Instant::now() + patience(sent, received)),
            },
            message = incoming.next() => match message {
                Some(Ok(Message::Close(frame))) => return Ok(ended(frame.as_ref())),
                Some(Ok(message)) => {
                    if show(&message)? {
                        received += 1;
                    }
                    leave_at = leave_at.map(|_| Instant::now() + patience(sent, received));
                }
                Some(Err(error)) => return Ok(broken(&error)),
                None => return Ok(broken(&Error::ConnectionClosed)),
            },
            () = sleep_until(leave_at.unwrap_or_else(Instant::now)), if leave_at.is_some() => break,
        }
    }
    let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    let _ = out.send(Message::Close(Some(frame))).await;
    let farewell = async {
        while let Some(Ok(message)) = incoming.next().await {
            if let Message::Close(frame) = message {
                return ended(frame.as_ref());
            }
            if show(&message).is_err() {
                break;
            }
        }
        ended(None)
    };
    Ok(timeout(CLOSE_WAIT, farewell).await.unwrap_or_else(|_| ended(None)))
}

const fn patience(sent: u64, received: u64) -> Duration {
    if received >= sent { SETTLED_WAIT } else { OWED_WAIT }
}

/// The lines of stdin, read on a thread.
fn read_lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(LINES_WAITING);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Prints a data message; answers whether it was one.
fn show(message: &Message) -> Result<bool> {
    let mut stdout = std::io::stdout().lock();
    match message {
        Message::Text(text) => writeln!(stdout, "{}", text.as_str())?,
        Message::Binary(bytes) => {
            let hex: Vec<_> = bytes.iter().take(BINARY_SHOWN).map(|byte| format!("{byte:02x}")).collect();
            let more = if bytes.len() > BINARY_SHOWN { " …" } else { "" };
            writeln!(stdout, "({} bytes) {}{more}", bytes.len(), hex.join(" "))?;
        }
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => return Ok(false),
    }
    stdout.flush()?;
    Ok(true)
}

fn ended(frame: Option<&CloseFrame>) -> ExitCode {
    let Some(frame) = frame else {
        eprintln!("Closed.");
        return ExitCode::SUCCESS;
    };
    let code = u16::from(frame.code);
    let reason = if frame.reason.is_empty() { String::new() } else { format!(": {}", frame.reason.as_str()) };
    eprintln!("Closed with {code} ({}){reason}", meaning(code));
    if matches!(code, 1_000 | 1_001) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn broken(error: &Error) -> ExitCode {
    match error {
        Error::ConnectionClosed | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            eprintln!("The connection broke without a Close.");
        }
        error => eprintln!("The connection broke: {error}."),
    }
    ExitCode::FAILURE
}

/// What a close code says: RFC 6455, section 7.4.1, the IANA registry, and the gateway's own.
const fn meaning(code: u16) -> &'static str {
    match code {
        1_000 => "normal",
        1_001 => "going away",
        1_002 => "protocol error",
        1_003 => "unsupported data",
        1_007 => "invalid text",
        1_008 => "policy",
        1_009 => "message too big",
        1_011 => "internal error",
        1_012 => "restart",
        1_013 => "try again later",
        1_014 => "backend gone",
        3_000 => "unauthorised",
        3_003 => "forbidden",
        4_429 => "limit reached",
        _ => "application code",
    }
}
