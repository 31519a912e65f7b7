//! WebSocket without IO: what a handshake must say, how frames look, what may be in them, and the relay that
//! joins a client and a backend as one pure state machine.
//!
//! It does not know sockets, a runtime, a clock or a source of randomness: bytes, the time ([`Micros`]) and mask
//! keys are arguments, and effects are values. Payload bytes are judged where they lie and never copied into a
//! buffer of ours. Start reading at [`relay`], then [`frame`] and [`close`]; [`handshake`] stands by itself.

pub mod close;
pub mod deflate;
pub mod frame;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod handshake;
pub mod mask;
pub mod relay;
#[cfg(any(test, feature = "test-support"))]
pub mod scenarios;
mod time;
pub mod utf8;

pub use relay::{Admission, Limiter, Limits, MessageKind, MessageStart, Relay, Side};
pub use time::Micros;
