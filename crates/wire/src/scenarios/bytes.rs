//! Frames as bytes, lawful and not, written without the crate's own encoder so that the two check each other.

use crate::relay::Side;

/// The mask of every frame that a scenario's client sends.
pub const CLIENT_KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
/// The mask of lawless frames of a scenario's backend.
pub const BACKEND_KEY: [u8; 4] = [1, 2, 3, 4];

/// A header with any first byte, for a payload of any length, in the shortest form; `mask` is written when given.
#[must_use]
pub fn header(first: u8, payload_bytes: u64, mask: Option<[u8; 4]>) -> Vec<u8> {
    let bit = if mask.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    if payload_bytes < 126 {
        bytes.push(bit | payload_bytes.to_be_bytes()[7]);
    } else if payload_bytes <= 0xFFFF {
        bytes.push(bit | 0x7E);
        bytes.extend_from_slice(&payload_bytes.to_be_bytes()[6..]);
    } else {
        bytes.push(bit | 0x7F);
        bytes.extend_from_slice(&payload_bytes.to_be_bytes());
    }
    bytes.extend(mask.into_iter().flatten());
    bytes
}

/// A frame as `from` sends it (a client masks); `first` holds FIN, reserved bits and opcode.
#[must_use]
pub fn frame(from: Side, first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = (from == Side::Client).then_some(CLIENT_KEY);
    let mut bytes = header(first, payload.len() as u64, mask);
    let key = mask.unwrap_or_default();
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// A Close frame as `from` sends it; code zero stands for an empty one.
#[must_use]
pub fn close_frame(from: Side, code: u16, reason: &str) -> Vec<u8> {
    let mut payload = Vec::new();
    if code != 0 {
        payload.extend_from_slice(&code.to_be_bytes());
        payload.extend_from_slice(reason.as_bytes());
    }
    frame(from, 0x88, &payload)
}
