//! Plays a scenario on a driver and says in words where the two part.

use super::{Act, Driver, Scenario, StreamEnd, frame};
use crate::relay::Side;

/// Plays `scenario` on a fresh session of `driver`, made with the scenario's limits and budget.
pub fn run(scenario: &Scenario, driver: &mut impl Driver) -> Result<(), String> {
    for (number, act) in scenario.acts.iter().enumerate() {
        play(act, driver).map_err(|problem| format!("{}: act {number}: {problem}", scenario.name))?;
    }
    match scenario.report.difference(&driver.report()) {
        None => Ok(()),
        Some(difference) => Err(format!("{}: {difference}", scenario.name)),
    }
}

fn play(act: &Act, driver: &mut impl Driver) -> Result<(), String> {
    match act {
        Act::Send(side, bytes) => driver.send(*side, bytes),
        Act::Finish(side) => driver.finish(*side),
        Act::Reset(side) => driver.reset(*side),
        Act::Impose(reasons) => {
            let [client, backend] = **reasons;
            driver.impose(client, backend);
        }
        Act::Pause(span) => driver.pause(*span),
        Act::Receive(side, expected) => {
            let mut got = vec![0; expected.len()];
            receive(driver, *side, &mut got)?;
            if got != *expected {
                let at = got.iter().zip(expected).take_while(|(a, b)| a == b).count();
                return Err(format!("{side:?} got other bytes than expected, from byte {at} on"));
            }
        }
        Act::ReceiveClose(side, code, reason) => receive_close(driver, *side, *code, *reason)?,
        Act::AnswerPing(side) => answer_ping(driver, *side)?,
        Act::ReceiveEnd(side) => match driver.receive(*side, &mut [0]) {
            Err(StreamEnd::Fin) => {}
            other => return Err(format!("{side:?} saw {other:?} instead of the end of its stream")),
        },
        Act::ReceiveReset(side) => match drain(driver, *side) {
            StreamEnd::Reset => {}
            other => return Err(format!("{side:?} saw {other:?} instead of a reset")),
        },
        Act::Drain(side) => {
            if drain(driver, *side) == StreamEnd::TimedOut {
                return Err(format!("the stream to {side:?} did not end"));
            }
        }
    }
    Ok(())
}

fn receive(driver: &mut impl Driver, side: Side, bytes: &mut [u8]) -> Result<(), String> {
    let wanted = bytes.len();
    driver.receive(side, bytes).map_err(|end| format!("{side:?} saw {end:?} instead of {wanted} bytes"))
}

fn drain(driver: &mut impl Driver, side: Side) -> StreamEnd {
    loop {
        if let Err(end) = driver.receive(side, &mut [0]) {
            return end;
        }
    }
}

fn answer_ping(driver: &mut impl Driver, side: Side) -> Result<(), String> {
    let (mut head, mut key, mut nonce) = ([0; 2], [0; 4], [0; 4]);
    receive(driver, side, &mut head)?;
    let mask_bit = if side == Side::Backend { 0x80 } else { 0 };
    if head != [0x89, mask_bit | 4] {
        return Err(format!("{side:?} got a frame {head:02x?} instead of a Ping of ours"));
    }
    if side == Side::Backend {
        receive(driver, side, &mut key)?;
    }
    receive(driver, side, &mut nonce)?;
    nonce.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
    driver.send(side, &frame(side, 0x8A, &nonce));
    Ok(())
}

fn receive_close(
    driver: &mut impl Driver,
    side: Side,
    code: u16,
    reason: Option<&str>,
) -> Result<(), String> {
    let mut head = [0; 2];
    receive(driver, side, &mut head)?;
    // A frame to a backend is masked, one to a client is not (RFC 6455 section 5.1).
    let mask_bit = if side == Side::Backend { 0x80 } else { 0 };
    if head[0] != 0x88 || head[1] & 0x80 != mask_bit {
        return Err(format!("{side:?} got a frame {head:02x?} instead of a Close"));
    }
    let mut key = [0; 4];
    if side == Side::Backend {
        receive(driver, side, &mut key)?;
    }
    let mut payload = vec![0; usize::from(head[1] & 0x7F)];
    receive(driver, side, &mut payload)?;
    payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    let (got_code, got_reason) = match payload.as_slice() {
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), String::from_utf8_lossy(reason)),
        _ => (0, String::new().into()),
    };
    if got_code != code || reason.is_some_and(|reason| reason != got_reason) {
        return Err(format!("{side:?} got Close {got_code} {got_reason:?}, expected {code} {reason:?}"));
    }
    Ok(())
}
